"""Files without rows among others that have some, as writers of partitioned tables leave them."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from tests.fuzz.tool import run_tool

ROWS = 40
FIT = ("-y", "y", "--family", "gaussian")
Columns = dict[str, list[float]]


def columns(rows: int, start: int = 0) -> Columns:
    order = np.arange(start, start + rows)
    return {"a": (order % 7.0).tolist(), "b": (order % 5.0).tolist(), "y": (order % 7 + order % 3 / 4).tolist()}


def csv(name: str, cells: Columns) -> None:
    lines = [",".join(cells), *(",".join(map(repr, row)) for row in zip(*cells.values(), strict=True))]
    Path(name).write_text("\n".join(lines) + "\n", "utf-8")


def jsonl(name: str, cells: Columns) -> None:
    rows = (dict(zip(cells, row, strict=True)) for row in zip(*cells.values(), strict=True))
    Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


def arrow(cells: Columns) -> pa.Table:
    return pa.table({name: pa.array(values, pa.float64()) for name, values in cells.items()})


def npz(name: str, cells: Columns) -> None:
    np.savez(name, X=np.array([*cells.values()]).T.reshape(-1, len(cells)), names=np.array([*cells]))


WRITERS: dict[str, Callable[[str, Columns], None]] = {
    "csv": csv,
    "jsonl": jsonl,
    "parquet": lambda name, cells: pq.write_table(arrow(cells), name),
    "feather": lambda name, cells: pyarrow.feather.write_feather(arrow(cells), name),
    "npz": npz,
}


@pytest.fixture(autouse=True, params=WRITERS)
def suffix(request: pytest.FixtureRequest, folder: Path) -> str:  # noqa: ARG001  (the working directory)
    """Parts of a table, the first and the third without rows, and a model of the others."""
    write = WRITERS[request.param]
    for at, rows in enumerate((0, ROWS, 0, ROWS)):
        write(f"p{at}.{request.param}", columns(rows, ROWS * at))
    assert run_tool("fit", *parts(request.param, 1, 3), *FIT, "-l", "0.01", "-m", "m.json", "-o", "f.json").status == 0
    return str(request.param)


def parts(suffix: str, *places: int) -> list[str]:
    return [f"p{at}.{suffix}" for at in places]


def test_a_fit_passes_over_them(suffix: str) -> None:
    for command in ("fit", "cv", "path"):
        every = run_tool(command, *parts(suffix, 0, 1, 2, 3), *FIT, "--json")
        some = run_tool(command, *parts(suffix, 1, 3), *FIT, "--json").document
        assert every.status == 0, every.err
        assert every.document["coefficients"] == some["coefficients"]
        files = every.document["data"]["files"]
        assert [(file["path"], file["rows"]) for file in files] == [
            (name, ROWS * (at % 2)) for at, name in enumerate(parts(suffix, 0, 1, 2, 3))
        ]
        warned = [each for each in every.document["warnings"] if each["code"] in ("empty-part", "same-file")]
        assert [each["files"] for each in warned] == [parts(suffix, 0, 2)]
    told = run_tool("fit", *parts(suffix, 0, 1, 2, 3), *FIT, "-f", "names").err
    assert f"warning[empty-part]: 2 of 4 files have no row: p0.{suffix}, p2.{suffix}\n" in told
    strict = run_tool("fit", *parts(suffix, 0, 1), *FIT, "--strict")
    assert (strict.status, strict.err.startswith("error[empty-part]: 1 of 2 files has no row")) == (3, True)


def test_a_test_table_passes_over_them(suffix: str) -> None:
    both = (word for name in parts(suffix, 2, 3) for word in ("--test", name))
    found = run_tool("fit", *parts(suffix, 0, 1), *FIT, *both, "--json").document
    messages = [each["message"] for each in found["warnings"] if each["code"] in ("empty-part", "same-file")]
    assert messages == [
        f"1 of 2 files has no row: p0.{suffix}",
        f"--test: 1 of 2 files has no row: p2.{suffix}",
    ]


def test_predict_and_check_pass_over_them(suffix: str) -> None:
    alone = run_tool("predict", "m.json", *parts(suffix, 1, 3), "--append")
    outcome = run_tool("predict", "m.json", *parts(suffix, 0, 1, 2, 3), "--append")
    assert (outcome.status, outcome.out) == (0, alone.out), outcome.err
    assert f"warning[empty-part]: 2 of 4 files have no row: p0.{suffix}, p2.{suffix}\n" in outcome.err
    assert run_tool("predict", "m.json", *parts(suffix, 1, 2), "--strict").status == 3
    checked = run_tool("check", "m.json", *parts(suffix, 0, 1, 2), "--json")
    assert checked.status == 0, checked.err
    assert [each["rows"] for each in checked.document["files"]] == [0, ROWS, 0]
    assert [each["code"] for each in checked.document["warnings"]] == ["empty-part"]


def test_inspect_passes_over_them(suffix: str) -> None:
    outcome = run_tool("inspect", *parts(suffix, 0, 1, 2), "-y", "y", "--json")
    assert outcome.status == 0, outcome.err
    (found,) = (each for each in outcome.document["findings"] if each["code"] == "empty-part")
    assert found["message"] == f"2 of 3 files have no row: p0.{suffix}, p2.{suffix}"


def test_one_file_has_rows_at_least(suffix: str) -> None:
    for names in (parts(suffix, 0), parts(suffix, 0, 2)):
        for words in (("fit", *names, *FIT), ("predict", "m.json", *names), ("check", "m.json", *names)):
            outcome = run_tool(*words, "--json")
            assert (outcome.status, outcome.error["code"]) == (3, "empty-file")
            assert outcome.error["location"]["file"] == f"p0.{suffix}"
            assert ("--no-header" in outcome.error["hint"]) == (suffix == "csv")
            assert ("none of 2 files has a row" in outcome.error["message"]) == (len(names) == 2)


@pytest.mark.parametrize(
    "suffix", sorted(set(WRITERS) - {"jsonl"}), indirect=True
)  # where lines alone say what columns there are
def test_other_columns_are_refused_without_rows_too(suffix: str) -> None:
    other = f"other.{suffix}"
    WRITERS[suffix](other, {"b": [], "c": []})
    for names in ((other, f"p1.{suffix}"), (f"p1.{suffix}", other)):
        for words in (("fit", *names, *FIT), ("inspect", *names)):
            outcome = run_tool(*words, "--json")
            assert (outcome.status, outcome.error["code"], outcome.error["location"]["file"]) == (
                3,
                "columns-differ",
                other,
            )
        for command in ("predict", "check"):
            outcome = run_tool(command, "m.json", *names, "--json")
            assert (outcome.status, outcome.error["code"]) == (3, "column-not-found"), outcome.err
        WRITERS[suffix]("more." + suffix, {**columns(0), "c": []})
        outcome = run_tool("predict", "m.json", "more." + suffix, f"p1.{suffix}", "--append", "--json")
        assert (outcome.status, outcome.error["code"]) == (3, "columns-differ"), outcome.err
