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
    assert "mse from λ 1 to 0.01  █▁" in out


def test_path_tells_who_enters_and_leaves() -> None:
    lines = table(path_document(), width=100).splitlines()
    rows = [line.split() for line in lines if line[:1].isspace() or line[:1].isdigit()]
    moves = [row[4:] for row in rows if row and row[0].isdigit()]
    assert moves == [[], ["+age"], ["+bmi"], ["-age"]]
    assert lines[-1] == "stopped after 4 of 100 strengths: deviance_change"


def test_color_is_only_where_it_is_asked_for() -> None:
    assert "\x1b[" in table(fit_document(), width=80, color=True)
    assert "\x1b[" not in table(fit_document(), width=80, color=False)
