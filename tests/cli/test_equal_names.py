"""Columns that are made of others, and columns of the file that are called like them."""

from pathlib import Path

import pytest

from tests.fuzz.tool import Outcome, run_tool

ROWS = 40


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder to work in, with a table that has a logarithm by itself, and one that has a year."""
    monkeypatch.chdir(tmp_path)
    rows = range(1, ROWS + 1)
    put("incomes.csv", "income,log(income),y", [f"{row},{1 + row * 7 % 5},{row * 3 % 7 + row}" for row in rows])
    days = [f"20{10 + row % 10}-{1 + row % 12:02d}-{1 + row % 28:02d}" for row in rows]
    put("days.csv", "d,year(d),y", [f"{days[row - 1]},{1 + row * 7 % 5},{row * 3 % 7 + row}" for row in rows])


def put(name: str, head: str, lines: list[str]) -> None:
    Path(name).write_text("\n".join((head, *lines)) + "\n")


def fit(*words: str) -> Outcome:
    return run_tool("fit", *words, "--family", "gaussian", "--lambda", "0.01", "--all-terms", "--json")


def estimates(outcome: Outcome) -> dict[str, float]:
    return {row["term"]: row["estimate"] for row in outcome.document["coefficients"]}


@pytest.mark.parametrize(
    "formula", ["y ~ . + log(income)", "y ~ log(income) + `log(income)`", "`log(income)` ~ log(income) + y"]
)
def test_a_column_called_like_a_function_of_another_is_told(formula: str) -> None:
    refused = fit("incomes.csv", "--formula", formula)
    assert (refused.status, refused.error["code"]) == (3, "duplicate-term")
    assert refused.error["message"].startswith(
        "log(income) in --formula makes a column 'log(income)' of column 'income'"
    )
    assert refused.error["location"]["column"] == "log(income)"
    assert refused.error["hint"].startswith("rename the column 'log(income)' of the file")


def test_the_column_of_the_file_can_be_left_out_of_the_formula() -> None:
    formula = "y ~ . + log(income)"
    assert "- `log(income)` at the end" in fit("incomes.csv", "--formula", formula).error["hint"]
    without = estimates(fit("incomes.csv", "--formula", f"{formula} - `log(income)`"))
    Path("renamed.csv").write_text(Path("incomes.csv").read_text().replace("log(income)", "other", 1))
    assert without == estimates(fit("renamed.csv", "--formula", "y ~ income + log(income)"))
    assert set(estimates(fit("renamed.csv", "--formula", formula))) == {"income", "log(income)", "other"}


def test_a_column_that_is_not_used_may_be_called_so() -> None:
    Path("renamed.csv").write_text(Path("incomes.csv").read_text().replace("log(income)", "other", 1))
    found, plain = (estimates(fit(name, "--formula", "y ~ log(income)")) for name in ("incomes.csv", "renamed.csv"))
    assert found == plain


@pytest.mark.parametrize(
    "words", [(), ("--weights", "year(d)"), ("--group", "year(d)"), ("--features", "d", "--fold-column", "year(d)")]
)
def test_a_column_called_like_a_part_of_a_date_is_told_whatever_part_it_plays(words: tuple[str, ...]) -> None:
    refused = fit("days.csv", "-y", "y", "--date", "d", *words)
    assert (refused.status, refused.error["code"]) == (3, "duplicate-term")
    assert refused.error["message"].startswith("--date d makes a column 'year(d)' of column 'd'")
    assert refused.error["location"]["column"] == "year(d)"
    assert ("--drop 'year(d)'" in refused.error["hint"]) == (not words)


def test_the_column_can_be_dropped_beside_a_date() -> None:
    dropped = estimates(fit("days.csv", "-y", "y", "--date", "d", "--drop", "year(d)"))
    Path("renamed.csv").write_text(Path("days.csv").read_text().replace("year(d)", "other", 1))
    assert dropped == estimates(fit("renamed.csv", "-y", "y", "--date", "d", "--drop", "other"))


def test_inspect_finds_it() -> None:
    document = run_tool(
        "inspect", "days.csv", "--target", "y", "--family", "gaussian", "--date", "d", "--json"
    ).document
    (finding,) = (one for one in document["findings"] if one["code"] == "duplicate-term")
    assert finding["columns"] == ["year(d)"]
    assert finding["message"] == fit("days.csv", "-y", "y", "--date", "d").error["message"]


def test_terms_of_one_name_say_how_to_leave_one_out_of_a_formula() -> None:
    Path("powers.csv").write_text(Path("incomes.csv").read_text().replace("log(income)", "income^2", 1))
    formula = "y ~ . + poly(income, 2)"
    refused = fit("powers.csv", "--formula", formula)
    assert refused.error["code"] == "duplicate-term"
    assert "- `income^2`" in refused.error["hint"]
    assert set(estimates(fit("powers.csv", "--formula", f"{formula} - `income^2`"))) == {"income", "income^2"}
