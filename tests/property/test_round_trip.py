"""A table to CSV and Parquet, to a model, to predictions: the same both ways, and what the model's text says by hand.

Names, levels, numbers and dates are as odd as files have them.
"""

import csv
import gzip
import io
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regcli.errors import CODES
from tests.fuzz.tool import Outcome, run_tool
from tests.property.test_tool import folder

often = settings(derandomize=True, deadline=None, max_examples=80)

#: Cells that mean missing unless --na-values says otherwise.
MISSING = ("", "NA", "NaN", "nan", "null")

#: Every control character, quotes, marks of every dialect, and letters of any script.
LETTERS = st.one_of(
    st.characters(codec="utf-8", exclude_characters="\0"),
    st.sampled_from([chr(code) for code in (*range(1, 32), *range(127, 160))]),
    st.sampled_from("\"',;|\t\r\n =*?[]\\\u2028\u202e\ufeff"),
)
NAMES = st.text(LETTERS, min_size=1, max_size=5)

#: Text that looks like numbers, dates, booleans or markup, and is none as long as its column is declared so.
LEVELS = st.one_of(
    st.sampled_from(
        ["1", "01", "1.0", "1e0", "+1", " 1", "1,0", "0x1", "-0", "0", "inf", "1e400", "2024-01-31", "31.1.2024"]
    ),
    st.sampled_from(["None", "N/A", "n/a", "Na", "NULL", "-", ".", "?", "#N/A", " ", "no", "yes", "\u0661", "\uff11"]),
    st.text(LETTERS, min_size=1, max_size=4),
).filter(lambda level: level not in MISSING and level.casefold() not in ("true", "false"))

#: Numbers of one column, by what is odd about them. All of them have squares that doubles hold.
NUMBERS: dict[str, Sequence[float]] = {
    "signed zeros": (0.0, -0.0, 1.5, -2.25),
    "subnormal": (5e-324, -2.2e-308, 1.0, -3.0, 0.0),
    "large": (1e149, -9.9e149, 3.3e148, 1.0),
    "small": (1e-140, -2.5e-140, 7e-141),
    "apart": (1e100, 1e-100, -1.0),
    "digits": (0.1, 0.30000000000000004, 1 / 3, 2 / 3, 1e23, 9007199254740993.0, 5e-5, 123456789012345680.0),
    "integers": (7, 2**53 + 1, 2**53 - 1, 2**53 + 3, 2**60 + 1, -(2**62) - 1),
    "bytes": (0, 1, 2, 255),
}

#: Columns that are refused, by the code that says why: a cell that stands among plain numbers.
REFUSED: dict[str, Sequence[str]] = {
    "value-range": ("1e308", "-1.7976931348623157e308", "1e151"),
    "infinite-value": ("inf", "-Infinity", "1e309", "1e400"),
    "text-in-numeric-column": ("1,5", "1.5.", "1_000", "0x10", "x", "\uff11", "--1", "1e", "1 000"),
    "missing-values": MISSING,
}

EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Made:
    """Cells as text by column, what each column is, and how the text is written; ``refused`` is a code or None."""

    columns: dict[str, list[str]]
    kinds: dict[str, str]
    mark: str
    decimal: str
    ends: str
    packed: bool
    refused: str | None

    @property
    def target(self) -> str:
        return next(name for name, kind in self.kinds.items() if kind == "target")

    def named(self, *kinds: str) -> list[str]:
        return [name for name, kind in self.kinds.items() if kind in kinds]

    def csv(self, *, without: Sequence[str] = ()) -> bytes:
        out = io.StringIO()
        writer = csv.writer(out, delimiter=self.mark, lineterminator=self.ends, quoting=csv.QUOTE_ALL)
        names = [name for name in self.columns if name not in without]
        cells = [
            [cell.replace(".", self.decimal) if self.kinds[name] in ("number", "target") else cell for cell in column]
            for name, column in self.columns.items()
            if name in names
        ]
        writer.writerows([names, *zip(*cells, strict=True)])
        text = out.getvalue().encode()
        return gzip.compress(text, mtime=0) if self.packed else text

    def table(self, *, without: Sequence[str] = ()) -> pa.Table:
        return pa.table({name: self._typed(name) for name in self.columns if name not in without})

    def _typed(self, name: str) -> pa.Array:
        cells, kind = self.columns[name], self.kinds[name]
        if kind == "date":
            return pa.array([date.fromisoformat(cell) for cell in cells])
        if kind in ("level", "text-in-numeric-column"):
            return pa.array(cells)
        if all(cell.lstrip("-").isdigit() for cell in cells):
            return pa.array([int(cell) for cell in cells], pa.int64())
        return pa.array([None if cell in MISSING else float(cell) for cell in cells], pa.float64())

    def words(self) -> list[str]:
        return [f"--{'date' if kind == 'date' else 'categorical'}={name}" for name, kind in self.kinds.items()
                if kind in ("date", "level")]  # fmt: skip

    def dialect(self) -> list[str]:
        return ["--input-format", "csv", "--delimiter", self.mark, "--decimal", self.decimal]


@st.composite
def made(draw: st.DrawFn, *, refused: bool) -> Made:
    rows = draw(st.integers(12, 20))
    names = draw(st.lists(NAMES, min_size=5, max_size=5, unique=True))
    normal = np.random.default_rng(draw(st.integers(0, 2**32 - 1))).standard_normal((2, rows)).round(3).astype(str)
    columns: dict[str, list[str]] = {}
    kinds: dict[str, str] = {}
    for name in names[:-1]:
        kind = draw(st.sampled_from(("number", "number", "level", "date")))
        columns[name], kinds[name] = CELLS[kind](draw, rows), kind
    plain, target = normal.tolist()
    if refused:
        code = draw(st.sampled_from(sorted(REFUSED)))
        columns[names[0]], kinds[names[0]] = plain, code
        columns[names[0]][draw(st.integers(0, rows - 1))] = draw(st.sampled_from(REFUSED[code]))
    else:
        columns[names[0]], kinds[names[0]] = plain, "number"
    columns[names[-1]], kinds[names[-1]] = target, "target"
    order = draw(st.permutations(names))
    mark, decimal = draw(st.sampled_from(((",", "."), (";", ","), (";", "."), ("\t", "."), ("|", ","))))
    decimal = "." if refused else decimal  # what is wrong with a cell depends on it
    return Made(
        columns={name: columns[name] for name in order}, kinds={name: kinds[name] for name in order},
        mark=mark, decimal=decimal, ends=draw(st.sampled_from(("\n", "\r\n"))), packed=draw(st.booleans()),
        refused=kinds[names[0]] if refused else None,
    )  # fmt: skip


def _numbers(draw: st.DrawFn, rows: int) -> list[str]:
    pool = NUMBERS[draw(st.sampled_from(sorted(NUMBERS)))]
    cells = draw(st.lists(st.sampled_from(pool), min_size=rows - 2, max_size=rows - 2))
    return [repr(cell) for cell in (*pool[:2], *cells)]


def _levels(draw: st.DrawFn, rows: int) -> list[str]:
    pool = draw(st.lists(LEVELS, min_size=2, max_size=4, unique=True))
    return [*pool, *draw(st.lists(st.sampled_from(pool), min_size=rows - len(pool), max_size=rows - len(pool)))]


def _dates(draw: st.DrawFn, rows: int) -> list[str]:
    """Days of any time, many before 1900."""
    days = st.dates(date.min, date(1899, 12, 31)) | st.dates()
    first = draw(days)
    other = first + timedelta(days=1) if first < date.max else date.min
    return [str(day) for day in (first, other, *draw(st.lists(days, min_size=rows - 2, max_size=rows - 2)))]


CELLS: dict[str, Callable[[st.DrawFn, int], list[str]]] = {"number": _numbers, "level": _levels, "date": _dates}


def fit(made: Made, place: Path, form: str) -> Outcome:
    words = made.dialect() if form == "csv" else []
    if form == "csv":
        (place / "t.any").write_bytes(made.csv())
    else:
        pq.write_table(made.table(), place / "t.parquet")
    file = place / ("t.any" if form == "csv" else "t.parquet")
    common = (f"--target={made.target}", "--family", "gaussian", "--penalty", "l2", "--lambda", "0.3")
    return run_tool("fit", file, *words, *common, *made.words(), "-m", place / f"{form}.json", "--json")


def scored(made: Made, place: Path, model: str, form: str) -> list[float]:
    """Predictions for the rows without their target."""
    file = place / ("new.any" if form == "csv" else "new.parquet")
    if form == "csv":
        file.write_bytes(made.csv(without=[made.target]))
    else:
        pq.write_table(made.table(without=[made.target]), file)
    words = made.dialect() if form == "csv" else []
    told = run_tool("predict", place / f"{model}.json", file, *words, "-f", "jsonl")
    assert told.status == 0, told.err
    return [json.loads(line)["prediction"] for line in told.out.splitlines()]


def by_hand(model: Mapping[str, Any], row: Mapping[str, str]) -> tuple[float, float]:
    """The prediction of a row by the text of the model, and the size of what it adds up."""
    total = size = 0.0
    for term in model["terms"]:
        (factor,) = term["factors"]
        cell: Any = row[factor["column"]]
        if factor["function"] is not None:
            day = date.fromisoformat(cell)
            parts = {"year": day.year, "month": day.month, "weekday": day.strftime("%a"), "days": (day - EPOCH).days}
            cell = str(parts[factor["function"]])
        value = float(cell) if factor["kind"] == "value" else float(cell == factor["level"])
        total, size = total + term["estimate"] * value, size + abs(term["estimate"] * value)
    return model["intercept"] + total, abs(model["intercept"]) + size


@often
@given(made(refused=False))
def test_text_and_parquet_make_one_model_which_scores_as_it_reads(made: Made) -> None:
    with folder() as place:
        documents = []
        for form in ("csv", "parquet"):
            fitted = fit(made, place, form)
            assert fitted.status == 0, fitted.err
            document = json.loads(fitted.out)
            documents.append(
                {key: document[key] for key in ("coefficients", "intercept", "metrics", "dropped", "selected")}
            )
        assert documents[0] == documents[1]
        models = [json.loads((place / f"{form}.json").read_text("utf-8")) for form in ("csv", "parquet")]
        assert models[0]["terms"] == models[1]["terms"]
        found = [scored(made, place, model, form) for model in ("csv", "parquet") for form in ("csv", "parquet")]
    assert found[0] == found[1] == found[2] == found[3]
    rows = [dict(zip(made.columns, cells, strict=True)) for cells in zip(*made.columns.values(), strict=True)]
    for value, row in zip(found[0], rows, strict=True):
        expected, size = by_hand(models[0], row)
        assert math.isclose(value, expected, rel_tol=0, abs_tol=1e-13 * len(models[0]["terms"]) * max(size, 1e-300))


@often
@given(made(refused=True))
def test_a_cell_that_cannot_be_is_refused_in_both_with_one_code(made: Made) -> None:
    with folder() as place:
        for form in ("csv", "parquet"):
            failed = fit(made, place, form)
            assert made.refused is not None
            assert failed.status == CODES[made.refused][0] == 3, (form, failed.out)
            assert failed.error["code"] == made.refused
            assert failed.error["location"]["column"] == made.named(made.refused)[0]
            assert failed.out == ""
            assert not (place / f"{form}.json").exists()


@pytest.mark.parametrize("cell", MISSING)
def test_text_that_means_missing_does_so_in_parquet_as_well(cell: str, tmp_path: Path) -> None:
    cells, y = ["a", "b", cell, "a", "b", "a"], [1.0, 2.5, 3.0, 0.5, 2.0, 1.0]
    pq.write_table(pa.table({"k": cells, "y": y}), tmp_path / "t.parquet")
    text = "".join(f'"{k}",{value}\n' for k, value in zip(["k", *cells], ["y", *y], strict=True))
    (tmp_path / "t.csv").write_text(text, "utf-8")
    for form in ("csv", "parquet"):
        failed = run_tool("fit", tmp_path / f"t.{form}", "-y", "y", "--family", "gaussian", "-l", "1", "--json")
        assert (failed.status, failed.error["code"]) == (3, "missing-values")
        assert "k (1)" in failed.error["message"]
