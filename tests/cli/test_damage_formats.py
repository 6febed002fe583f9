"""The rules of damage in the formats that are not CSV: the same code and status, at a line or row, with a way out."""

import bz2
import gzip
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
import scipy.io

from regcli.errors import CODES
from tests.cli.damages import text, whole
from tests.fuzz.tool import run_tool

pytestmark = pytest.mark.usefixtures("folder")

FIT = ("-y", "target", "--lambda", "1", "--family", "gaussian")

Cells = dict[str, list[Any]]


def good() -> Cells:
    rng = np.random.default_rng(5)
    columns: Cells = {name: np.round(rng.normal(size=24), 3).tolist() for name in ("1", "2", "3")}
    return {**columns, "target": np.round(rng.normal(size=24), 3).tolist()}


def with_cell(name: str, row: int, cell: Any) -> Cells:  # noqa: ANN401
    columns = good()
    columns[name][row - 1] = cell
    return columns


def jsonl(columns: Cells) -> str:
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    Path("t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return "t.jsonl"


def packed(columns: Cells) -> str:
    Path("t.jsonl.gz").write_bytes(gzip.compress(Path(jsonl(columns)).read_bytes()))
    Path("t.jsonl").unlink()
    return "t.jsonl.gz"


def feather(columns: Cells) -> str:
    pyarrow.feather.write_feather(pa.table(columns), "t.feather")
    return "t.feather"


def parquet(columns: Cells) -> str:
    pq.write_table(pa.table(columns), "t.parquet")
    return "t.parquet"


def npz(columns: Cells) -> str:
    cells = {name: np.array(values, dtype=float) for name, values in columns.items()}
    names = np.array([name for name in cells if name != "target"])
    np.savez("t.npz", X=np.column_stack([cells[name] for name in names]), y=cells["target"], names=names)
    return "t.npz"


def svm(columns: Cells) -> str:
    rows = zip(*(columns[name] for name in ("target", "1", "2", "3")), strict=True)
    lines = [f"{row[0]} " + " ".join(f"{at}:{cell}" for at, cell in enumerate(row[1:], 1)) for row in rows]
    Path("t.svm").write_text("\n".join(lines), encoding="utf-8")
    return "t.svm"


def refused(code: str, *words: str) -> dict[str, Any]:
    outcome = run_tool("fit", *words, "--json", "-m", "model.json")
    assert (outcome.status, outcome.out) == (CODES[code][0], ""), outcome.err
    assert outcome.error["code"] == code
    assert not Path("model.json").exists()
    return dict(outcome.error)


#: Each writer, the key of the place it can tell, and how far row 1 is from it.
WRITERS = [
    (jsonl, "line", 0),
    (packed, "line", 0),
    (feather, "row", 0),
    (parquet, "row", 0),
    (npz, "row", 0),
    (svm, "line", 0),
]

each_format = pytest.mark.parametrize(("write", "unit", "shift"), WRITERS, ids=[w[0].__name__ for w in WRITERS])


@each_format
@pytest.mark.parametrize(
    ("name", "cell", "code", "way"),
    [
        ("2", float("inf"), "infinite-value", ("--drop", "2")),
        ("2", -1e200, "value-range", ("--drop", "2")),
        ("2", float("nan"), "missing-values", ("--missing", "drop")),
        ("target", float("nan"), "missing-target", ("--missing-target", "drop")),
        ("target", float("-inf"), "infinite-value", ("--target", "3", "--drop", "target")),
    ],
)
def test_cells(
    write: Callable[[Cells], str],
    unit: str,
    shift: int,
    name: str,
    cell: float,
    code: str,
    way: tuple[str, ...],
) -> None:
    assert run_tool("fit", write(good()), *FIT).status == 0
    file = write(with_cell(name, 7, cell))
    error = refused(code, file, *FIT)
    where = error["location"]
    assert (where["file"], where[unit], where["column"]) == (file, 7 + shift, name)
    options = ("--lambda", "1", "--family", "gaussian") if "--target" in way else FIT
    assert run_tool("fit", file, *options, *way).status == 0


@each_format
def test_columns(write: Callable[[Cells], str], unit: str, shift: int) -> None:
    del unit, shift
    assert refused("constant-target", write({**good(), "target": [2.5] * 24}), *FIT)["location"]["column"] == "target"
    error = refused("column-not-found", write(good()), *FIT, "--drop", "four")
    assert error["exit_code"] == 3


@pytest.mark.parametrize("write", [jsonl, packed, feather, parquet])
def test_text(write: Callable[[Cells], str]) -> None:
    named = write({**good(), "2": [f"k{i}" for i in range(24)]})
    assert run_tool("fit", named, *FIT).status == 0
    many: Cells = {name: cells * 3 for name, cells in good().items()}
    file = write({**many, "2": [f"k{i}" for i in range(72)]})
    assert refused("probable-identifier", file, *FIT)["location"]["column"] == "2"
    assert run_tool("fit", file, *FIT, "--id", "2").status == 0


@pytest.mark.parametrize("write", [jsonl, packed])
def test_text_among_numbers_and_nested_values(write: Callable[[Cells], str]) -> None:
    for cell, code in (
        ("high", "text-in-numeric-column"),
        ([1, 2], "unsupported-type"),
        ({"x": 1}, "unsupported-type"),
    ):
        file = write(with_cell("2", 7, cell))
        error = refused(code, file, *FIT)
        assert (error["location"]["line"], error["location"]["column"]) == (7, "2")
        assert "--drop 2" in error["hint"]
        assert run_tool("fit", file, *FIT, "--drop", "2").status == 0


@pytest.mark.parametrize("write", [jsonl, packed])
def test_quoted_numbers_among_numbers(write: Callable[[Cells], str]) -> None:
    """Text or numbers? Whoever wrote the file knows; the first odd one is named, whichever of them is."""
    for cells, row, what in (
        ([*good()["2"][:6], "1.5", *good()["2"][7:]], 7, "text"),
        ([*map(str, good()["2"][:9]), 1.5, *map(str, good()["2"][10:])], 10, "a number"),
    ):
        file = write({**good(), "2": cells})
        error = refused("unsupported-type", file, *FIT)
        assert (error["location"]["line"], error["location"]["column"]) == (row, "2")
        assert f"number in some lines and text in others (here {what})" in error["message"]
        for way in (("--drop", "2"), ("--categorical", "2")):
            assert way[0] in error["hint"]
            assert run_tool("fit", file, *FIT, *way).status == 0


@pytest.mark.parametrize("write", [jsonl, packed])
def test_text_that_means_missing_among_numbers_is_missing(write: Callable[[Cells], str]) -> None:
    expected = run_tool("fit", write(with_cell("2", 7, None)), *FIT, "--missing", "drop", "--json").document
    for cell in ("NA", "", "nan"):
        file = write(with_cell("2", 7, cell))
        assert refused("missing-values", file, *FIT)["location"]["line"] == 7
        document = run_tool("fit", file, *FIT, "--missing", "drop", "--json").document
        assert document["coefficients"] == expected["coefficients"]


@pytest.mark.parametrize("write", [jsonl, feather, parquet])
def test_numbers_that_are_stored_as_text_are_levels_while_they_are_few(write: Callable[[Cells], str]) -> None:
    many: Cells = {name: cells * 3 for name, cells in good().items()}
    error = refused("probable-identifier", write({**many, "2": [str(i / 8) for i in range(72)]}), *FIT)
    assert "is probably an identifier, or numbers that were stored as text" in error["message"]
    document = run_tool(
        "fit", write({**many, "2": [str(i % 3) for i in range(72)]}), *FIT, "--all-terms", "--json"
    ).document
    assert [term["term"] for term in document["coefficients"]] == ["1", "2=0", "2=1", "2=2", "3"]


def test_an_archive_with_something_else_in_it() -> None:
    """Whatever else is in there may have been a column."""
    for name in ("y.npz", "README", "names.npy.txt"):
        with zipfile.ZipFile(npz(good()), "a") as archive:
            archive.writestr(name, b"?")
        error = refused("file-unreadable", "t.npz", *FIT)
        assert f"{name!r} in it is no array" in error["message"]


@pytest.mark.parametrize(("write", "kind"), [(feather, pa.list_(pa.int64())), (parquet, pa.list_(pa.int64()))])
def test_types_that_cannot_be_used(write: Callable[[Any], str], kind: pa.DataType) -> None:
    file = write({**good(), "2": pa.array([[1]] * 24, kind)})
    assert refused("unsupported-type", file, *FIT)["location"]["column"] == "2"
    assert run_tool("fit", file, *FIT, "--drop", "2").status == 0


def test_names() -> None:
    for names, code in (
        (["1", "1", "3", "target"], "duplicate-column"),
        (["1", "", "3", "target"], "empty-column-name"),
    ):
        table = pa.table(list(good().values()), names=names)
        with pa.ipc.new_stream("t.arrow", table.schema) as writer:
            writer.write_table(table)
        assert refused(code, "t.arrow", *FIT)["location"]["file"] == "t.arrow"


@pytest.mark.parametrize("write", [feather, parquet])
def test_no_rows(write: Callable[[Cells], str]) -> None:
    assert refused("empty-file", write({name: [] for name in good()}), *FIT)


def test_damage_in_packed_text_is_where_it_is_in_the_text() -> None:
    rows = whole()
    rows[4][2] = "north,x"
    Path("bad.csv.bz2").write_bytes(bz2.compress(text(rows).encode()))
    error = refused("ragged-row", "bad.csv.bz2", "-y", "y", "--lambda", "1")
    assert (error["location"]["file"], error["location"]["line"]) == ("bad.csv.bz2", 5)


def test_a_pattern_and_a_directory() -> None:
    Path("d").mkdir()
    assert "no file matches" in refused("file-not-found", "d/*.csv", *FIT)["message"]
    assert refused("file-unreadable", "d", *FIT)["location"]["file"] == "d"
    for name in ("d/1.parquet", "d/2.parquet"):
        Path(parquet(good())).rename(name)
    outcome = run_tool("fit", "d", *FIT, "--json", "-m", "model.json")
    assert [file["path"] for file in json.loads(outcome.out)["data"]["files"]] == ["d/1.parquet", "d/2.parquet"]
    assert run_tool("predict", "model.json", "d").out == run_tool("predict", "model.json", "d/*.parquet").out != ""


def test_predict_tells_the_line_in_every_text() -> None:
    assert run_tool("fit", jsonl(good()), *FIT, "--penalty", "l2", "-m", "model.json").status == 0
    bad = jsonl(with_cell("2", 7, "high"))
    outcome = run_tool("predict", "model.json", bad, "--json")
    assert (outcome.status, outcome.error["code"], outcome.error["location"]["line"]) == (
        3,
        "text-in-numeric-column",
        7,
    )
    assert run_tool("predict", "model.json", bad, "--on-bad-row", "skip").out.count("\n") == 24
    file = svm(with_cell("2", 7, "high"))
    outcome = run_tool("predict", "model.json", file, "--json")
    assert (outcome.status, outcome.error["code"], outcome.error["location"]["line"]) == (3, "broken-line", 7)


def test_a_matrix_has_the_target_last_unless_another_is_named() -> None:
    cells = np.column_stack([good()[name] for name in ("1", "2", "3", "target")])
    scipy.io.mmwrite("t.mtx", cells, precision=17)
    last = json.loads(run_tool("fit", "t.mtx", *FIT[2:], "--json").out)
    assert (last["data"]["target"], last["data"]["format"], last["n_features"]) == ("4", "mtx", 3)
    assert json.loads(run_tool("fit", "t.mtx", *FIT[2:], "-y", "2", "--json").out)["data"]["target"] == "2"
