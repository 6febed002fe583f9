"""Columns named by patterns and names, in every option that takes them, from files and from streams."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.fuzz.tool import Outcome, run_tool

ROWS = 80


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder to work in, with a table whose names have units in brackets."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(6)
    lines = ["temp [C] in,temp [C] out,tempC,when [UTC],y"]
    for row in range(ROWS):
        inner, outer, other, noise = rng.normal(size=4).round(3).tolist()
        when = "" if row == 7 else f"2024-{1 + row % 12:02d}-{1 + row % 28:02d}"
        lines.append(f"{inner},{outer},{other},{when},{inner + other + noise:.3f}")
    Path("units.csv").write_text("\n".join(lines) + "\n")


def fit(*words: object, stdin: bytes = b"") -> Outcome:
    return run_tool("fit", *words, "--family", "gaussian", "--lambda", "0.001", "--all-terms", "--json", stdin=stdin)


def terms(outcome: Outcome) -> list[str]:
    return [row["term"] for row in outcome.document["coefficients"]]


# -- brackets are letters --------------------------------------------------------------------------------------------


def test_missing_is_said_of_a_date_whose_name_has_brackets() -> None:
    found = fit("units.csv", "-y", "y", "--date", "when [UTC]", "--missing", "when [UTC]=mean")
    assert "days(when [UTC])" in terms(found)


def test_missing_is_said_of_what_a_formula_makes_of_a_column_with_brackets() -> None:
    lines = Path("units.csv").read_text().splitlines()
    lines[3] = lines[3].partition(",")[2].join((",", ""))
    Path("holed.csv").write_text("\n".join(lines) + "\n")
    found = fit("holed.csv", "--formula", "y ~ tempC + exp(`temp [C] in`)", "--missing", "temp [C] in=mean")
    assert terms(found) == ["exp(temp [C] in)", "tempC"]


def test_a_pattern_with_brackets_drops_the_columns_that_it_spells() -> None:
    found = fit("units.csv", "-y", "y", "--drop", "when [UTC]", "--drop", "temp [C]*")
    assert terms(found) == ["tempC"]


def test_a_set_of_letters_matches_nothing() -> None:
    found = fit("units.csv", "-y", "y", "--drop", "when [UTC]", "--drop", "temp[C]*")
    assert found.status == 3
    assert found.error["code"] == "column-not-found"


def test_penalty_factors_are_given_by_a_pattern_with_brackets() -> None:
    found = fit("units.csv", "-y", "y", "--drop", "when [UTC]", "--penalty-factor", "temp [C]*=0")
    factors = {row["term"]: row["penalty_factor"] for row in found.document["coefficients"]}
    assert [factors[name] == 0 for name in ("temp [C] in", "temp [C] out", "tempC")] == [True, True, False]


def test_interactions_are_of_patterns_with_brackets() -> None:
    found = fit("units.csv", "-y", "y", "--drop", "when [UTC]", "--interactions", "tempC:temp [C]*")
    assert terms(found)[3:] == ["tempC:temp [C] in", "tempC:temp [C] out"]


def test_categories_are_named_by_a_pattern_with_brackets() -> None:
    lines = ["k [a],k [b],ka,y", *(f"{row % 3},{row % 4},{row % 5},{row * 7 % 11}" for row in range(ROWS))]
    Path("codes.csv").write_text("\n".join(lines) + "\n")
    found = fit("codes.csv", "-y", "y", "--categorical", "k [[]*")
    assert found.error["code"] == "column-not-found"
    found = fit("codes.csv", "-y", "y", "--categorical", "k [*")
    assert terms(found) == [*(f"k [a]={level}" for level in range(3)), *(f"k [b]={level}" for level in range(4)), "ka"]


def test_a_name_that_is_there_is_no_pattern() -> None:
    lines = ["k*,k1,y", *(f"{row % 3},{row % 4},{row * 7 % 11}" for row in range(ROWS))]
    Path("star.csv").write_text("\n".join(lines) + "\n")
    assert terms(fit("star.csv", "-y", "y", "--categorical", "k*")) == ["k*=0", "k*=1", "k*=2", "k1"]


def test_missing_of_a_date_called_like_a_pattern_is_for_this_date_alone() -> None:
    lines = ["d*,d1,x,y"]
    for row in range(ROWS):
        when = f"2024-{1 + row % 12:02d}-{1 + row % 28:02d}"
        lines.append(f"{when if row != 7 else ''},{when if row != 9 else ''},{row % 5},{row * 7 % 11}")
    Path("star.csv").write_text("\n".join(lines) + "\n")
    words = ("star.csv", "-y", "y", "--date", "d1", "--date", "d*", "--missing", "d*=mean")
    found = fit(*words)
    assert found.error["code"] == "missing-values"
    assert found.error["location"]["column"] == "d1"
    assert fit(*words, "--missing", "d1=drop").status == 0


# -- streams are as files --------------------------------------------------------------------------------------------


@pytest.fixture
def coded() -> pd.DataFrame:
    """Integers that mean groups, an order and days."""
    rng, row = np.random.default_rng(1), np.arange(ROWS)
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(row, "D")
    x = rng.normal(size=ROWS).round(3)
    y = (np.array([3.0, 0.0, 5.0, 1.0])[row % 4] + x).round(3)
    dates = days.strftime("%Y%m%d").astype(int)
    return pd.DataFrame({"k1": row % 4, "k2": row % 3, "q1": row % 5, "d1": dates, "x": x, "y": y})


WRITERS: dict[str, Callable[[pd.DataFrame, Path], object]] = {
    "csv": lambda frame, path: frame.to_csv(path, index=False),
    "jsonl": lambda frame, path: frame.to_json(path, orient="records", lines=True),
    "parquet": lambda frame, path: frame.to_parquet(path),
    "feather": lambda frame, path: frame.to_feather(path),
}

PATTERNS = ("--categorical", "k*", "--ordinal", "q?", "--date", "d*")


@pytest.mark.parametrize("form", WRITERS)
def test_patterns_hold_on_standard_input_as_on_files(coded: pd.DataFrame, form: str) -> None:
    path = Path(f"data.{form}")
    WRITERS[form](coded, path)
    file = fit(path, "-y", "y", *PATTERNS)
    stream = fit("-", "-y", "y", "--input-format", form, *PATTERNS, stdin=path.read_bytes())
    assert {"k1=1", "k2=0", "q1>=2", "days(d1)"} <= set(terms(file))
    assert stream.document["coefficients"] == file.document["coefficients"]


def test_patterns_hold_on_a_pipe_by_name(coded: pd.DataFrame) -> None:
    coded.to_csv("data.csv", index=False)
    os.mkfifo("pipe.csv")
    feeding = threading.Thread(target=lambda: Path("pipe.csv").write_bytes(Path("data.csv").read_bytes()))
    feeding.start()
    stream = fit("pipe.csv", "-y", "y", *PATTERNS)
    feeding.join()
    assert stream.document["coefficients"] == fit("data.csv", "-y", "y", *PATTERNS).document["coefficients"]


def test_patterns_hold_for_inspect_on_standard_input(coded: pd.DataFrame) -> None:
    coded.to_csv("data.csv", index=False)
    words = ("--target", "y", "--family", "gaussian", *PATTERNS, "--json")
    file = run_tool("inspect", "data.csv", *words).document
    stream = run_tool("inspect", "-", *words, stdin=Path("data.csv").read_bytes()).document
    assert stream["columns"] == file["columns"]
    assert {row["column"]: row["type"] for row in stream["columns"]}["k1"] == "category"


def test_a_stream_without_a_row_is_told_where_there_are_patterns() -> None:
    assert fit("-", "-y", "y", *PATTERNS, "--input-format", "jsonl").error["code"] == "empty-file"
    assert fit("-", "-y", "y", *PATTERNS, stdin=b"k1,q1,d1,y\n").error["code"] == "empty-file"
