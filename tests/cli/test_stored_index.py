"""The index that pandas stores beside the columns: left out where it has no name, unless somebody asks for it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import feather
from pyarrow import parquet as pq

from regcli.data.parquet import parquet_size
from regcli.data.read import Dialect, read_chunks, read_header, read_table
from regcli.data.source import open_source
from tests.fuzz.tool import Outcome, run_tool

ROWS = 60
INDEX = "__index_level_0__"

WRITERS: dict[str, Callable[[pa.Table, Path], object]] = {"parquet": pq.write_table, "feather": feather.write_feather}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def frame() -> pd.DataFrame:
    """A sample of a table, as somebody draws it, in an order that tells nothing."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=2 * ROWS).round(3)
    whole = pd.DataFrame({"x": x, "price": (2 * x + rng.normal(size=2 * ROWS)).round(3)})
    return whole.sample(ROWS, random_state=1)


def put(table: pd.DataFrame | pa.Table, form: str = "parquet", name: str = "data") -> Path:
    path = Path(f"{name}.{form}")
    WRITERS[form](table if isinstance(table, pa.Table) else pa.Table.from_pandas(table), path)
    return path


def fit(*words: object) -> Outcome:
    return run_tool("fit", *words, "--family", "gaussian", "--lambda", "0.001", "--all-terms", "--json")


def terms(outcome: Outcome) -> list[str]:
    return [row["term"] for row in outcome.document["coefficients"]]


@pytest.mark.parametrize("form", WRITERS)
def test_an_index_without_a_name_is_no_column(form: str) -> None:
    path = put(frame(), form)
    assert pa.Table.from_pandas(frame()).schema.names == ["x", "price", INDEX]
    assert terms(fit(path, "-y", "price", "-m", "model.json")) == ["x"]
    guessed = fit(path).document["data"]
    assert (guessed["target"], guessed["target_source"]) == ("price", "last-column")
    inspected = run_tool("inspect", path, "--json").document
    assert [row["column"] for row in inspected["columns"]] == ["x", "price"]
    new = put(pd.DataFrame({"x": [1.0, 2.0]}), form, "new")
    assert run_tool("predict", "model.json", new).status == 0
    appended = run_tool("predict", "model.json", path, "--append")
    assert appended.out.splitlines()[0] == "x,price,prediction"
    assert run_tool("check", "model.json", path).status == 0


@pytest.mark.parametrize("form", WRITERS)
def test_whole_tables_chunks_and_headers_leave_it_out_alike(form: str) -> None:
    table = frame().set_index([frame().index, frame().index % 7])
    path = str(put(table, form))
    columns = ["x", "price"]
    assert list(read_header(path, Dialect())) == columns
    assert list(read_table([path], Dialect()).columns) == columns
    for wanted in (None, set(columns)):
        (chunk,) = read_chunks(path, Dialect(), numeric=columns, wanted=wanted, keep_raw=True)
        assert list(chunk.columns) == columns
        assert isinstance(chunk.raw, dict)
        assert list(chunk.raw) == columns
    named = "__index_level_1__"
    assert list(read_table([path], Dialect(), named={named}).columns) == [*columns, named]
    (chunk,) = read_chunks(path, Dialect(), numeric=[*columns, named])
    assert list(chunk.columns) == [*columns, named]


def test_what_a_table_will_take_is_told_without_it() -> None:
    assert parquet_size(open_source(str(put(frame())))) == (ROWS, 2, 2)


@pytest.mark.parametrize("form", WRITERS)
def test_an_index_with_a_name_is_a_column(form: str) -> None:
    path = put(frame().rename_axis("id"), form)
    assert terms(fit(path, "-y", "price")) == ["x", "id"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("-y", "price", "--features", INDEX), [INDEX]),
        (("-y", "price", "--drop", INDEX), ["x"]),
        (("-y", "price", "--id", INDEX), ["x"]),
        (("-y", INDEX), ["x", "price"]),
        (("--formula", f"price ~ x + log1p({INDEX})"), ["x", f"log1p({INDEX})"]),
    ],
)
def test_a_user_can_name_it(words: tuple[str, ...], found: list[str]) -> None:
    path = put(frame())
    assert terms(fit(path, *words)) == found
    assert terms(fit(path, *words, "--test", path)) == found


def test_an_index_that_names_rows_goes_along() -> None:
    path = put(frame())
    assert fit(path, "-y", "price", "--id", INDEX, "-m", "model.json").status == 0
    first = run_tool("predict", "model.json", path).out.splitlines()
    assert first[0] == f"{INDEX},prediction"
    assert first[1].split(",")[0] == str(frame().index[0])
    assert fit(path, "-y", "price", "-m", "other.json").status == 0
    assert run_tool("predict", "other.json", path, "--id", INDEX).out.splitlines()[1] == first[1]


@pytest.mark.parametrize("form", WRITERS)
def test_a_model_that_was_fitted_on_it_still_finds_it(form: str) -> None:
    frame().reset_index(names=INDEX).to_csv("data.csv", index=False)
    assert terms(fit("data.csv", "-y", "price", "-m", "model.json")) == [INDEX, "x"]
    path = put(frame(), form)
    plain, stored = (run_tool("predict", "model.json", data) for data in ("data.csv", path))
    assert stored.status == 0, stored.err
    assert stored.out == plain.out
    assert run_tool("check", "model.json", path).status == 0


def test_parts_that_have_it_are_read_with_parts_that_have_none() -> None:
    put(frame(), name="one")
    put(frame().reset_index(drop=True), name="two")
    assert terms(fit("one.parquet", "two.parquet", "-y", "price")) == ["x"]


@pytest.mark.parametrize(
    "metadata",
    [
        b"not json",
        b"\xff",
        b"[]",
        b"[" * 100_000,
        b"{}",
        b'{"index_columns": 7}',
        b'{"index_columns": [7, null, {"kind": "range"}, ["x"], "x", "gone"]}',
    ],
)
def test_metadata_that_say_nothing_leave_all_columns(metadata: bytes) -> None:
    table = pa.Table.from_pandas(frame())
    path = put(table.replace_schema_metadata({b"pandas": metadata}))
    assert list(read_table([str(path)], Dialect()).columns) == ["x", "price", INDEX]


def test_a_column_that_is_called_so_without_metadata_is_a_column() -> None:
    path = put(pa.Table.from_pandas(frame()).replace_schema_metadata(None))
    assert terms(fit(path, "-y", "price")) == ["x", INDEX]


def test_a_table_of_its_index_alone_keeps_it() -> None:
    path = put(frame()[[]])
    assert list(read_table([str(path)], Dialect()).columns) == [INDEX]
