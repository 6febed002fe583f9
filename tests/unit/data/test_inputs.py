"""Words to files: patterns, directories, folders that name columns."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from regcli.data.read import Dialect, Part, find_parts, read_chunks, read_header, read_table
from regcli.errors import DataError
from tests.shut import shut_off
from tests.unit.data.tables import cells, numbers

pytestmark = pytest.mark.usefixtures("folder")


def put(name: str, content: str = "a,b\n1,2\n") -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(content, encoding="utf-8")


def parquet(name: str, **columns: list[float] | list[str]) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns or {"x": [1.0, 2.0]}), name)


def names(*words: str, dialect: Dialect | None = None) -> list[str]:
    return [part.name for part in find_parts(words, dialect or Dialect())]


def code(*words: str) -> str:
    with pytest.raises(DataError) as caught:
        find_parts(words, Dialect())
    return caught.value.code


def test_patterns_are_sorted_and_files_of_that_name_come_first() -> None:
    for name in ("d/b.csv", "d/a.csv", "d/.hidden.csv", "d/deep/c.csv", "d/x.tsv"):
        put(name)
    assert names("d/*.csv") == ["d/a.csv", "d/b.csv"]
    assert names("d/**/*.csv") == ["d/a.csv", "d/b.csv", "d/deep/c.csv"]
    assert names("d/[bx].*", "d/a.csv") == ["d/b.csv", "d/x.tsv", "d/a.csv"]
    put("d/*.csv")
    assert names("d/*.csv") == ["d/*.csv"]
    assert code("d/*.parquet") == "file-not-found"
    assert code("d/a.txt") == "file-not-found"


def test_a_directory_is_its_parquet_files() -> None:
    for name in ("d/2.parquet", "d/10.parquet", "d/sub/1.parquet", "d/.x/1.parquet", "d/_temporary/1.parquet"):
        parquet(name)
    put("d/_SUCCESS")
    put("d/.part.crc")
    assert names("d") == names("d/") == ["d/10.parquet", "d/2.parquet", "d/sub/1.parquet"]
    assert read_table(["d"], Dialect()).rows == 6
    put("d/notes.txt")
    assert code("d") == "file-unreadable"
    assert names("d/*.parquet") == ["d/10.parquet", "d/2.parquet"]


def test_directories_that_are_no_tables(folder: Path) -> None:
    (folder / "empty").mkdir()
    put("text/a.csv")
    assert {code("empty"), code("text")} == {"file-unreadable"}
    parquet("part")
    (folder / "bare").mkdir()
    Path("part").rename("bare/part-0")
    assert names("bare", dialect=Dialect(format="parquet")) == ["bare/part-0"]


def test_links_are_followed_but_not_in_circles() -> None:
    parquet("real/a.parquet")
    Path("d").mkdir()
    Path("d/link").symlink_to("../real")
    Path("d/file.parquet").symlink_to("../real/a.parquet")
    assert names("d") == ["d/file.parquet", "d/link/a.parquet"]
    Path("d/round").symlink_to("../d")
    assert code("d") == "file-unreadable"
    Path("d/round").unlink()
    Path("d/nowhere.parquet").symlink_to("missing")
    with pytest.raises(DataError):
        read_table(["d"], Dialect())


def test_what_may_not_be_looked_at_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert code("x" * 300 + ".csv") == "file-unreadable"
    parquet("d/part.parquet")
    shut_off(monkeypatch, "part.parquet")  # as in a folder that may be listed and not entered
    assert code("d") == "file-unreadable"


def test_folders_name_columns() -> None:
    parquet("d/year=2020/city=a%2Fb/1.parquet", x=[1.0, 2.0])
    parquet("d/year=2021/city=__HIVE_DEFAULT_PARTITION__/1.parquet", x=[3.0])
    table = read_table(["d"], Dialect())
    assert tuple(table.columns) == ("year", "city", "x") == read_header(find_parts(["d"], Dialect())[0], Dialect())
    assert numbers(table, "year") == [2020, 2020, 2021]
    assert cells(table, "city") == ["a/b", "a/b", None]
    assert cells(read_table(["d"], Dialect(), as_text={"year"}), "year") == ["2020", "2020", "2021"]
    chunks = [
        chunk
        for part in find_parts(["d"], Dialect())
        for chunk in read_chunks(part, Dialect(), numeric={"year", "x"}, keep_raw={"city", "year"})
    ]
    assert [value for chunk in chunks for value in numbers(chunk, "year")] == [2020, 2020, 2021]
    assert [cell for chunk in chunks for cell in cells(chunk, "city")] == ["a/b", "a/b", None]
    assert [list(chunk.spelt["city"]) for chunk in chunks] == [["a/b", "a/b"], [""]]
    assert tuple(read_table(["d/**/*.parquet"], Dialect()).columns) == ("x",)


def test_text_in_one_folder_makes_text_of_all() -> None:
    parquet("d/k=1/1.parquet")
    parquet("d/k=b/1.parquet")
    assert cells(read_table(["d"], Dialect()), "k") == ["1", "1", "b", "b"]
    assert read_table(["d/k=1/1.parquet"], Dialect()).columns.keys() == {"x"}


def test_folders_with_leading_zeros_are_named() -> None:
    parquet("d/month=01/1.parquet")
    assert read_table(["d"], Dialect()).leading_zeros == ("month",)


def test_folders_that_do_not_agree_are_refused() -> None:
    parquet("d/k=1/1.parquet")
    parquet("d/1.parquet")
    assert code("d") == "columns-differ"
    parquet("e/k=1/k=2/1.parquet")
    assert code("e") == "duplicate-column"
    parquet("f/x=1/1.parquet")
    with pytest.raises(DataError) as caught:
        read_table(["f"], Dialect())
    assert (caught.value.code, caught.value.where.column) == ("duplicate-column", "x")
    with pytest.raises(DataError):
        list(read_chunks(Part("f/x=1/1.parquet", (("x", "1"),)), Dialect(), numeric={"x"}))


def test_an_endless_device_is_refused_at_once() -> None:
    for fmt in (None, "tsv", "parquet", "feather", "npz", "jsonl", "svm"):
        with pytest.raises(DataError):
            read_table(["/dev/zero"], Dialect(format=fmt))
        with pytest.raises(DataError):
            next(read_chunks("/dev/zero", Dialect(format=fmt), numeric=()))
    with pytest.raises(DataError):
        read_table(["/dev/null"], Dialect())
