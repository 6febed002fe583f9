"""Tables: nothing is interpreted, nothing is lost, whatever the width."""

import re

import pytest

from regcli.report.escape import visible
from regcli.report.tables import table
from tests.cli.documents import HOSTILE, cv_document, fit_document, path_document

LONG = ("a_very_long_feature_name_" * 6, "x", "y", "z")


def squeezed(out: str) -> str:
    """Text without spaces and line ends, so that folded names are whole."""
    return re.sub(r"\s", "", out)


def column(out: str, width: int) -> str:
    """The first ``width`` characters of each line, squeezed: a folded first column in one piece."""
    return squeezed("".join(line[:width] for line in out.splitlines()))


@pytest.mark.parametrize("width", [80, 200, None])
def test_hostile_names_are_shown_as_they_are(width: int | None) -> None:
    out = table(fit_document(HOSTILE), width=width)
    assert "\x1b" not in out
    for name in HOSTILE:
        assert squeezed(visible(name)) in squeezed(out)


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("document", [fit_document(HOSTILE), cv_document(HOSTILE), path_document(("[/b]", "[red]x"))])
def test_tables_fit_the_terminal_and_cut_nothing(document: dict[str, object], width: int) -> None:
    out = table(document, width=width)
    assert max(map(len, out.splitlines())) <= width
    assert "…" not in out


@pytest.mark.parametrize("width", [60, 80, 200])
def test_long_names_are_folded_not_cut(width: int) -> None:
    out = table(fit_document(LONG), width=width)
    assert "…" not in out
    assert squeezed(out).count("a_very") == 6
    for estimate in ("0.5", "-1.5", "2.5", "-3.5"):
        assert f" {estimate} " in out


@pytest.mark.parametrize("width", [80, 200])
def test_a_terminal_is_shown_the_largest_of_many_terms(width: int) -> None:
    names = tuple(f"x{at}" for at in range(3000))
    document = fit_document(names)
    for at, row in enumerate(document["coefficients"]):
        row["std_estimate"] = (-1.0) ** at * (at % 1000)
    out = table(document, width=width)
    assert len(out.splitlines()) < 80
    shown = set(re.findall(r"^x\d+", out, re.MULTILINE))
    assert len(shown) == 50
    assert {"x999", "x1999", "x2999"} <= shown
    assert "x0" not in shown
    assert "the 50 largest of 3,000 terms, by std. estimate; --format csv lists all" in out
    assert set(names) <= set(re.findall(r"^x\d+", table(document), re.MULTILINE))  # a pipe has them all


def test_a_path_on_a_terminal_names_the_first_of_many_that_enter() -> None:
    document = path_document()
    first = document["coefficients"][0]
    document["coefficients"] = [{**first, "term": f"x{at}"} for at in range(3000)]
    out = table(document, width=80)
    assert len(out.splitlines()) < 50
    assert "+x0 +x1 +x2 +x3 and 2,996 more" in out
    assert "-x0 -x1 -x2 -x3 and 2,996 more" in out
    assert table(document).count("+x") == 3000


def test_names_and_numbers_are_broken_last() -> None:
    """What is looked up and copied stays in one piece where words can be broken instead."""
    names = ("mean_fractal_dimension", "fractal_dimension_error")
    entries = [
        {
            "code": "text-in-numeric-column",
            "column": name,
            "severity": "error",
            "count": 12,
            "share": 0.0018,
            "first": {"file": "bad.csv", "line": 8, "row": None, "cell": "abc def ghi"},
            "expected": "a number, and nothing else at all",
        }
        for name in names
    ]
    document = {
        "schema": "regcli.check/1",
        "model": {"path": "m.json", "family": "gaussian", "target": "y"},
        "rows": 10,
        "rows_scorable": 1,
        "fits": False,
        "violations": entries,
        "metrics": None,
        "metrics_rows": 0,
        "drift": {},
        "columns": {"needed": [], "unused": [], "absent": [], "extra": []},
    }
    out = table(document, width=80)
    assert all(name in out for name in (*names, "text-in-numeric-column"))
    assert max(map(len, out.splitlines())) <= 80
    narrow = table(document, width=40)  # where there is no room, everything is folded, and nothing is lost
    assert max(map(len, narrow.splitlines())) <= 40
    assert sorted(filter(str.isalnum, narrow)) == sorted(filter(str.isalnum, out))


NUMBERS = (-234.19, -0.12773, 2995.4321, -0.81343e-12)


@pytest.mark.parametrize("width", [30, 40, 45, 48, 52, 60, 80])
def test_no_number_is_broken_however_narrow_the_terminal(width: int) -> None:
    document = cv_document(("age", "bmi", "bp", "a_longer_name"))
    document["intercept"] = 152.13348
    for row, value in zip(document["coefficients"], NUMBERS, strict=True):
        row["estimate"] = row["std_estimate"] = value
    document["mean"] = [2995.4123 for _ in document["mean"]]
    document["se"] = [255.12712 for _ in document["se"]]
    out = table(document, width=width)
    assert max(map(len, out.splitlines())) <= width
    for value in (*NUMBERS, 2995.4123, 152.13348):
        assert re.search(rf"(?<!\S){re.escape(f'{value:.5g}')}(?!\S)", out), (value, out)
    terms = out[out.index("(intercept)") :]
    assert ("█" in terms) == (width >= 60)  # the bar goes first
    assert terms.count("-234.19") == (1 if width < 40 else 2)  # then the standardized estimates


@pytest.mark.parametrize("width", [34, 40, 50, 80])
def test_no_number_of_a_path_is_broken_either(width: int) -> None:
    document = path_document()
    document["lambdas"] = [45.16312, 0.90737512, 0.016612345][: len(document["lambdas"])]
    document["deviance_ratio"] = [0.06460212 for _ in document["deviance_ratio"]]
    out = table(document, width=width)
    knots = out[: out.index("along the path")] if "along the path" in out else out
    assert max(map(len, out.splitlines())) <= width
    for value in (document["lambdas"][0], document["lambdas"][-1]):
        assert re.search(rf"(?<!\S){value:.5g}(?!\S)", knots), out
    assert ("0.064602" in knots) == (width >= 50)


def test_a_pipe_has_as_much_room_as_it_takes() -> None:
    out = table(fit_document(LONG), width=None)
    assert LONG[0] in out
    assert max(map(len, out.splitlines())) < 300


def test_fit_tells_what_was_fitted() -> None:
    out = table(fit_document(), width=100)
    assert out.splitlines()[0].startswith("lasso · gaussian · 19 rows x 4 features → y   λ = 0.1 (min rule, seed 0)")
    assert "(intercept)" in out
    assert "selected 2 of 4 features; left out: [bold]k (constant)" in out
    assert re.search(r"mse +1.5 +1.25 +2\n", out)
    assert re.search(r"r2 +0.25 +- +0\n", out)


def test_bars_follow_the_standardized_estimates() -> None:
    out = table(fit_document(("a", "b", "c")), width=100)
    assert [line.count("█") for line in out.splitlines() if "█" in line] == [4, 8, 12]


def test_a_model_without_coefficients_is_a_table_too() -> None:
    document = fit_document(())
    document["metrics"] = dict.fromkeys(("cv", "test", "train", "null"))
    assert "(intercept)" in table(document, width=80)


def test_cv_tells_both_choices_and_the_curve() -> None:
    out = table(cv_document(), width=100)
    assert re.search(r"λ.min +0.1 +1 +1.5 +0.25 +2\n", out)
    assert re.search(r"λ.1se +1 +0 +2 +0.5 +0\n", out)
    assert re.search(r"\nmse\n +2 [⠀-⣿]", out)
    assert re.search(r"\n +1.5 [ ⠀-⣿]+\n +▲1se +▲min\n +λ 1 +0.01\n", out)


def test_path_tells_who_enters_and_leaves() -> None:
    lines = table(path_document(), width=100).splitlines()
    rows = [line.split() for line in lines if line[:1].isspace() or line[:1].isdigit()]
    moves = [row[4:] for row in rows if row and row[0].isdigit()]
    assert moves == [[], ["+age"], ["+bmi"], ["-age"]]
    assert lines[-1] == "stopped after 4 of 100 strengths: the deviance hardly changes any more"


def test_color_is_only_where_it_is_asked_for() -> None:
    assert "\x1b[" in table(fit_document(), width=80, color=True)
    assert "\x1b[" not in table(fit_document(), width=80, color=False)


def test_how_rows_are_held_out_is_told_where_it_is_not_as_always() -> None:
    assert "held out" not in table(cv_document(), width=100)
    document = cv_document()
    document["options"] = {"group": "[/b]", "repeats": 2, "folds": 3}
    document["validation"] = {"scheme": "group", "folds": 3, "repeats": 2}
    assert "held out: 3 folds of whole groups ([/b]), dealt 2 times\n" in table(document, width=100)
    document["options"] = {"order_by": "day", "gap": 2, "window": 9, "folds": 6}
    document["validation"] = {"scheme": "time", "folds": 6, "repeats": 1}
    assert "held out: 6 folds in time (order of day), gap of 2 rows, window of 9 rows\n" in table(document, width=100)
    assert "(min rule)" in table(document, width=100)  # nothing is drawn
    document["options"] = {"cv": "loo"}
    document["validation"] = {"scheme": "loo", "folds": 20, "repeats": 1}
    assert "held out: every row on its own\n" in table(document, width=100)
    fitted = fit_document()
    fitted["options"] = {"fold_column": "part"}
    fitted["validation"] = {"scheme": "column", "folds": 4, "repeats": 1}
    assert "held out: the folds of part\n" in table(fitted, width=100)
    fitted["validation"] = None
    assert "held out" not in table(fitted, width=100)


def test_a_criterion_is_shown_with_its_degrees_of_freedom_and_its_curve() -> None:
    document = cv_document()
    document["model"] = {**document["model"], "rule": "bic", "lambda": 0.1}
    document["index_min"] = 0
    document["criterion"] = {"name": "bic", "value": 12.5, "df": 3.0}
    fitted = table(document | {"schema": "regcli.fit/1"}, width=100)
    assert "λ = 0.1 (bic rule)" in fitted
    assert "bic 12.5 with 3 degrees of freedom" in fitted
    document["criterion_path"] = [20.0, 12.5, None]
    validated = table(document, width=100)
    assert re.search(r"λ.bic +0.1 +1 +1.5 +0.25 +2\n", validated)
    assert re.search(r"▲min, 1se +▲bic", validated)
    assert "bic from λ 1 to 0.01  █▁" in validated
    assert "bic 12.5 with 3 degrees of freedom" in validated


def test_of_several_shares_of_l1_the_one_that_is_taken_is_marked() -> None:
    document = cv_document()
    document["model"] = {**document["model"], "penalty": "elasticnet", "l1_ratio": 0.2}
    document["options"] = {"l1_ratio": "0.2,1"}
    document["grid"] = [{**document["grid"][0], "l1_ratio": ratio} for ratio in (0.2, 1.0)]
    document["grid"][1]["lambda_min"] = None
    out = table(document, width=100)
    assert out.startswith("elastic net (l1_ratio 0.2 of 0.2, 1) · ")
    assert re.search(r"\n +0.2 +0.1 +1.5 +0.25 +2 +taken\n +1 +- +- +- +-\n", out)


def test_what_a_document_says_of_a_model_is_escaped_like_names() -> None:
    document = fit_document()
    document["model"] = {**document["model"], "penalty": "\x1b[2J", "family": "\x1b]0;x\x07", "rule": "\x1b[1m"}
    document["criterion"] = {"name": "\x1b[3m", "value": 1.0, "df": 1.0}
    document["metrics"] = {**document["metrics"], "\x1b[4m": document["metrics"]["cv"]}
    out = table(document, width=100)
    assert out.startswith("\\x1b[2J · \\x1b]0;x\\x07 · ")
    assert "\x1b" not in out


def test_a_log_link_shows_factors_and_exposure() -> None:
    document = fit_document()
    assert "exp(" not in table(document, width=100)
    document["model"] = {**document["model"], "family": "poisson", "link": "log"}
    document["data"] = {**document["data"], "exposure": "[/b]", "weights": "w"}
    document["intercept"] = 1000.0  # its exponential is no double
    out = table(document, width=100)
    assert "→ y (exposure [/b], weights w)" in out
    assert re.search(r"term +estimate +exp\(estimate\) +std. estimate", out)
    assert re.search(r"\(intercept\) +1000 +-\n", out)
    assert re.search(r"age +0.5 +1.6487 +1 ", out)
