"""Scores of a stream are the scores of all its rows at once."""

import numpy as np
import pytest
from numpy.typing import NDArray

from regcli.app import running
from regcli.app.running import GROUP_ROWS, RunningScores
from regcli.app.scoring import scores_of
from regcli.problem.families import FAMILIES
from tests.tolerances import EXACT

Array = NDArray[np.float64]
ROWS = 2 * GROUP_ROWS + 123


def rows_of(family: str) -> tuple[Array, Array, Array]:
    """Targets far from zero (or classes), predictors with ties, weights of which some are zero."""
    rng = np.random.default_rng(5)
    eta = rng.normal(size=ROWS).round(2)
    y = 1e6 + eta + rng.normal(size=ROWS) if family == "gaussian" else (rng.random(ROWS) < 0.4).astype(np.float64)
    weights = rng.random(ROWS) * (rng.random(ROWS) < 0.9)
    return y, eta + 1e6 * (family == "gaussian"), weights


def running_scores(family: str, rows: tuple[Array, Array, Array], cuts: list[int]) -> RunningScores:
    made = RunningScores(FAMILIES[family], 0.3)
    for part in zip(*(np.split(column, cuts) for column in rows), strict=True):
        made.add(*part)
    return made


@pytest.mark.parametrize("family", FAMILIES)
def test_they_are_those_of_all_rows_at_once(family: str) -> None:
    y, eta, weights = rows_of(family)
    made = running_scores(family, (y, eta, weights), [1, 2, 5000, ROWS - 1])
    whole = scores_of(FAMILIES[family], y, eta, weights, threshold=0.3)
    found = made.scores()
    assert list(found) == list(whole)
    assert found == pytest.approx(whole, rel=EXACT, nan_ok=False)
    assert made.rows == np.count_nonzero(weights)
    assert made.auc_rows == (made.rows if family == "binomial" else None)


@pytest.mark.parametrize("family", FAMILIES)
def test_how_rows_arrive_changes_no_digit(family: str) -> None:
    rows = rows_of(family)
    one = running_scores(family, rows, []).scores()
    assert running_scores(family, rows, list(range(7, ROWS, 613))).scores() == one
    assert running_scores(family, rows, [GROUP_ROWS, GROUP_ROWS + 1]).scores() == one


def test_too_many_rows_have_no_area_under_the_curve(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "AUC_ROWS", GROUP_ROWS + 10)
    y, eta, weights = (column[weights_ > 0] for weights_ in [rows_of("binomial")[2]] for column in rows_of("binomial"))
    few, many = GROUP_ROWS + 10, GROUP_ROWS + 11
    fits = running_scores("binomial", (y[:few], eta[:few], weights[:few]), [100])
    assert np.isfinite(fits.scores()["auc"])
    assert fits.auc_rows == few
    over = running_scores("binomial", (y[:many], eta[:many], weights[:many]), [100])
    found = over.scores()
    assert np.isnan(found.pop("auc"))
    assert np.isfinite(list(found.values())).all()
    assert over.auc_rows is None


def test_no_rows_have_no_scores() -> None:
    made = RunningScores(FAMILIES["gaussian"], 0.5)
    made.add(np.ones(3), np.ones(3), np.zeros(3))
    assert made.rows == 0
    assert np.isnan(list(made.scores().values())).all()


def test_scores_beyond_double_precision_are_no_numbers() -> None:
    made = RunningScores(FAMILIES["gaussian"], 0.5)
    made.add(np.array([1e300, -1e300]), np.zeros(2), np.ones(2))
    found = made.scores()
    assert found["mae"] == pytest.approx(1e300)
    assert not np.isfinite(found["mse"])
