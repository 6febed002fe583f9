"""Columns named by patterns and names, in every option that takes them, from files and from streams."""

from pathlib import Path

import numpy as np
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
