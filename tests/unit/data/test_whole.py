"""Text read in blocks: nothing depends on where they end or on threads; every byte is read at most twice."""

import gzip
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from regcli.data import cells as reader
from regcli.data import rooms, source, unpack, whole
from regcli.data.read import Dialect, read_table
from regcli.data.table import Levels, Numbers, Table
from regcli.errors import DataError
from tests.unit.data.tables import Write, cells, numbers

Blocks = Callable[[int], None]


@pytest.fixture
def blocks(monkeypatch: pytest.MonkeyPatch) -> Blocks:
    """Make blocks, and what is read at once, small."""

    def make(size: int) -> None:
        monkeypatch.setattr(whole, "BLOCK", size)
        monkeypatch.setattr(source, "CHUNK", max(1, size // 3))
        monkeypatch.setattr(rooms, "_OWN_PAGES", 8)

    return make


def content(table: Table) -> list[Any]:
    return [
        (name, column.values.tobytes() if isinstance(column, Numbers) else (column.codes.tobytes(), column.levels))
        for name, column in table.columns.items()
        if isinstance(column, (Numbers, Levels))
    ]


def odd(rows: int) -> str:
    """Numbers, text over lines, booleans, integers beyond 64 bits, blank cells, quotes in odd places, blank lines."""
    lines = ["x,t,b,big,i,late,words"]
    for i in range(rows):
        t = f'"a ""{i % 5}""\n,{i % 3}"' if i % 7 else '5" pipe'
        late = "oops" if i == rows - 3 else f"0{i}"
        big = "NA" if i % 11 == 0 else str(2**64 + i * 4096)
        lines.append(
            f"{i / 7!r},{t},{('TRUE', 'false', '')[i % 3]},{big},{i * 3},{late},w{i % 4}" + "\n" * (i % 9 == 0)
        )
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_bytes_are_told_once_as_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: Callable[[bytes], bytes]
) -> None:
    """Those of all files, packed as they are; that a column is read a second time adds nothing."""
    monkeypatch.setattr(unpack, "CHUNK", 1000)
    paths = [tmp_path / f"{name}.csv{'' if pack is bytes else '.gz'}" for name in "ab"]
    for path in paths:
        path.write_bytes(pack(odd(400).encode()))
    told: list[tuple[int, int]] = []
    read_table([str(path) for path in paths], Dialect(), tell=lambda done, total: told.append((done, total)))
    whole_size = sum(path.stat().st_size for path in paths)
    assert {total for _, total in told} == {whole_size}
    done = [done for done, _ in told]
    assert done == sorted(done)
    assert (done[0], done[-1]) == (0, whole_size)
    assert len(set(done)) > 3


@pytest.mark.parametrize("size", [50, 333, 5_000])
@pytest.mark.parametrize("threads", [1, 3])
def test_blocks_and_threads_change_nothing(write: Write, blocks: Blocks, size: int, threads: int) -> None:
    path = write(odd(400))
    at_once = read_table([path], Dialect())
    assert numbers(at_once, "x") == [i / 7 for i in range(400)]
    assert numbers(at_once, "big")[1] == float(2**64 + 4096)
    assert cells(at_once, "late")[396:] == ["0396", "oops", "0398", "0399"]
    assert cells(at_once, "late")[0] == "00"
    blocks(size)
    table = read_table([path], Dialect(), threads=threads)
    assert content(table) == content(at_once)
    assert (table.files, table.leading_zeros) == (at_once.files, at_once.leading_zeros)
    assert [table.locate(row, "i") for row in (0, 7, 399)] == [at_once.locate(row, "i") for row in (0, 7, 399)]


@pytest.mark.parametrize("threads", [1, 2])
def test_missing_cells_are_missing_in_every_block(write: Write, blocks: Blocks, threads: int) -> None:
    path = write("a,b\n" + "".join(f"{'-999' if i % 5 else '-0999.0'},{i}\n" for i in range(60)) + "-0999,1\n7,1\n")
    blocks(40)
    values = numbers(read_table([path], Dialect(na_values=("-999",)), threads=threads), "a")
    assert values == [None] * 61 + [7]


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize(
    ("bad", "code"), [("1,2,3", "ragged-row"), ("1", "ragged-row"), ('1,"2"x', "broken-quoting"), ("1,\0", "nul-byte")]
)
def test_the_first_damage_is_told_whatever_the_threads(
    write: Write, blocks: Blocks, threads: int, bad: str, code: str
) -> None:
    rows = ["1,2"] * 300
    rows[100], rows[110], rows[250] = bad, "1,2,3,4", "1,2,3,4,5"
    path = write("a,b\n" + "\n".join(rows) + "\n")
    blocks(64)
    with pytest.raises(DataError) as caught:
        read_table([path], Dialect(), threads=threads)
    assert (caught.value.code, caught.value.where.line) == (code, 102)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("beyond", ["", "9"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_row_too_long_does_not_make_up_for_one_too_short(
    write: Write, blocks: Blocks, monkeypatch: pytest.MonkeyPatch, threads: int, beyond: str, quote: str
) -> None:
    """Wherever they are in their blocks: of the first row of one pandas takes a blank cell at the end to be nothing."""
    monkeypatch.setattr(whole, "SMALL", 0)
    blocks(200)
    for long in range(20, 60):
        rows = [f"{n:03d},{quote}{n}{quote},{n:03d}" for n in range(100)]
        rows[long] += f",{beyond}"
        rows[long + 2] = "1,2"
        path = write("\n".join(["a,b,c", *rows, ""]))
        with pytest.raises(DataError) as caught:
            read_table([path], Dialect(), threads=threads)
        assert (caught.value.code, caught.value.where.line) == ("ragged-row", long + 2)


@pytest.mark.parametrize("size", [30, 100_000])
def test_other_encodings_in_blocks(write: Write, blocks: Blocks, size: int) -> None:
    text = "é,b\n" + "".join(f"ü{i % 3},{i}\n" for i in range(50))
    blocks(size)
    for encoding in ("utf-16", "latin-1", "utf-32-le", "cp1252"):
        table = read_table([write(text.encode(encoding))], Dialect(encoding=encoding), threads=2)
        assert numbers(table, "b") == list(range(50))
        assert cells(table, "é")[:2] == ["ü0", "ü1"]


class Counted(io.FileIO):
    """A file that counts what is read of it, and of all others."""

    total = 0

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401
        count = super().readinto(buffer) or 0
        Counted.total += count
        return count

    def readall(self) -> bytes:
        data = super().readall() or b""
        Counted.total += len(data)
        return data


@pytest.mark.parametrize(("late", "times"), [(False, 1), (True, 2)])
def test_a_table_is_read_once_and_late_text_twice(
    write: Write, monkeypatch: pytest.MonkeyPatch, *, late: bool, times: int
) -> None:
    rng = np.random.default_rng(0)
    body = "\n".join(",".join(f"{value:.6f}" for value in row) for row in rng.normal(size=(200_000, 8)))
    path = write("a,b,c,d,e,f,g,h\n" + body + ("\nx,1,1,1,1,1,1,1\n" if late else "\n"))
    size = Path(path).stat().st_size
    monkeypatch.setattr(source.Source, "raw", lambda self: io.BufferedReader(Counted(self.path)))
    Counted.total = 0
    assert read_table([path], Dialect(), threads=2).rows == 200_000 + late
    beginnings = 4 * source.CHUNK  # names, the first row, leading zeros
    assert times * size <= Counted.total <= times * size + beginnings


def test_a_file_that_changes_while_it_is_read_is_refused(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("a,b\n1,2\n")
    assert read_table([path], Dialect()).rows == 1
    real = reader.parse
    grown: Iterator[str] = iter(["3,4\n"])

    def parse(*words: Any, **options: Any) -> Any:  # noqa: ANN401
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(next(grown, ""))
        return real(*words, **options)

    monkeypatch.setattr(whole, "parse", parse)
    with pytest.raises(DataError) as caught:
        read_table([path], Dialect())
    assert (caught.value.code, caught.value.where.file) == ("file-changed", path)
    assert read_table([path], Dialect()).rows == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [(b"a,b\nx\x93y,1\n", "probably --encoding cp1252"), (b"a,b\nx\xe9y,1\n", "probably --encoding latin-1")],
)
def test_the_likely_encoding_is_told(write: Write, text: bytes, says: str) -> None:
    with pytest.raises(DataError) as caught:
        read_table([write(text)], Dialect())
    assert (caught.value.code, caught.value.where.line) == ("encoding", 2)
    assert says in (caught.value.hint or "")
