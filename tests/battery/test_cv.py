"""Scores of folds against loops written out from cv.glmnet's formulas; choices; where a curve has turned."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from regcli.app.scoring import FoldScores, choose, scored_by_row, scores_of
from regcli.problem.families import FAMILIES
from regcli.problem.folds import fold_splits
from regcli.problem.metrics import area_under_curve
from regcli.problem.protocols import Array, Integers
from regcli.results import Curve, Iterate
from regcli.solvers.choose import choose_engine
from regcli.solvers.path import lambda_max
from regcli.solvers.stopping import has_turned
from tests.battery.problems import FOLDS, Made, explicit, make, unlimited
from tests.tolerances import EXACT, SOLVED

THRESHOLD = 0.4

#: Metrics of the two families, as they are pooled: a transformed one by what it is made from.
METRICS = [(family.name, name) for family in FAMILIES.values() for name in family.metrics]


def loss_of(name: str, y: float, mu: float) -> float:
    """Loss of one row, from the definitions."""
    clipped = min(max(mu, 1e-5), 1 - 1e-5)
    losses: dict[str, Callable[[], float]] = {
        "mse": lambda: (y - mu) ** 2,
        "rmse": lambda: (y - mu) ** 2,
        "r2": lambda: (y - mu) ** 2,
        "brier": lambda: (y - mu) ** 2,
        "mae": lambda: abs(y - mu),
        "accuracy": lambda: float((mu >= THRESHOLD) == (y == 1)),
        "logloss": lambda: -np.log(mu if y == 1 else 1 - mu),
        "binomial deviance": lambda: -2 * np.log(clipped if y == 1 else 1 - clipped),
        "gaussian deviance": lambda: (y - mu) ** 2,
        "poisson deviance": lambda: 2 * ((y * np.log(y / mu) if y > 0 else 0.0) - y + mu),
    }
    return float(losses[name]())


class Walked:
    """A problem, three of its strengths solved, and what the folds predict."""

    def __init__(self, made: Made, metric: str) -> None:
        self.made, self.metric = made, metric
        problem = made.problem(tol=SOLVED)
        lams = made.strengths(lambda_max(problem))[1:]
        self.steps: list[Iterate] = choose_engine(problem, float(lams[0])).advance(lams)
        folds = int(made.folds.max()) + 1
        assert folds == FOLDS
        splits = fold_splits([made.folds], made.weights)
        self.scores = FoldScores(made.weights, metric, THRESHOLD, scored_by_row(splits, metric))
        self.scores.begin(problem.objective, 0)
        for step in self.steps:
            self.scores.add(step)
        self.eta = np.array([self._held_out(*explicit(problem, step)) for step in self.steps])

    def _held_out(self, levels: Array, coefs: Array) -> Array:
        """Predictor of every row by the lane that has not seen it."""
        made = self.made
        return np.array([made.offset[i] + levels[f + 1] + made.X[i] @ coefs[f + 1] for i, f in enumerate(made.folds)])

    def fold_values(self, at: int) -> Array:
        """The metric on every fold, in a loop over its rows."""
        made = self.made
        mu = FAMILIES[made.family].mean(self.eta[at])
        name = f"{made.family} deviance" if self.metric == "deviance" else self.metric
        out = np.full(FOLDS, np.nan)
        for fold in range(FOLDS):
            rows = [i for i in range(mu.size) if made.folds[i] == fold and made.weights[i] > 0]
            if self.metric == "auc":
                out[fold] = roc_auc_score(made.y[rows], mu[rows], sample_weight=made.weights[rows])
                continue
            total = sum(made.weights[i] * loss_of(name, made.y[i], mu[i]) for i in rows)
            out[fold] = total / sum(made.weights[i] for i in rows)
        return out

    def null(self) -> float:
        """Squared error of the training rows' means, pooled over folds."""
        made, total = self.made, 0.0
        for fold in range(FOLDS):
            train, test = made.folds != fold, made.folds == fold
            centre = np.average(made.y[train], weights=made.weights[train])
            total += float(made.weights[test] @ (made.y[test] - centre) ** 2)
        return total / made.weights.sum()

    def curve(self, *, usable: tuple[bool, ...] = (True, True, True)) -> Curve:
        lams = np.array([step.lam for step in self.steps])
        return self.scores.curve(lams, np.zeros(3, dtype=np.intp), usable)


@pytest.mark.parametrize(("family", "metric"), METRICS)
@pytest.mark.parametrize("recipe", ["tall", "weights", "offset"])
def test_the_curve_is_that_of_cv_glmnet(family: str, metric: str, recipe: str) -> None:
    walked = Walked(make(recipe, family), metric)
    curve, null = walked.curve(), walked.null()
    weights = np.array([walked.made.weights[walked.made.folds == fold].sum() for fold in range(FOLDS)])
    for at in range(3):
        values = walked.fold_values(at)
        mean = weights @ values / weights.sum()
        se = np.sqrt(weights @ (values - mean) ** 2 / weights.sum() / (FOLDS - 1))
        expected = {"rmse": (np.sqrt(mean), se / (2 * np.sqrt(mean))), "r2": (1 - mean / null, se / null)}
        assert (curve.mean[at], curve.se[at]) == pytest.approx(expected.get(metric, (mean, se)), rel=SOLVED)
        if metric == "r2":
            continue
        shown = np.sqrt(values) if metric == "rmse" else values
        assert curve.fold_scores[:, at] == pytest.approx(shown, rel=SOLVED)
    assert np.array_equal(curve.fold_weights, weights)


@pytest.mark.parametrize(("family", "metric"), METRICS)
def test_all_metrics_at_one_strength_are_the_curves(family: str, metric: str) -> None:
    walked = Walked(make("weights", family), metric)
    assert walked.scores.at(1)[metric] == pytest.approx(walked.curve().mean[1], rel=SOLVED)


@pytest.mark.parametrize("metric", ["mse", "mae", "r2"])
def test_small_folds_are_scored_by_row(metric: str) -> None:
    made = make("weights", "gaussian")
    made = replace(
        unlimited(made.X[:8, :2], made.y[:8], "gaussian", np.ones(2)),
        weights=np.array([1.0, 2.0, 1.0, 0.5, 1.0, 3.0, 1.0, 1.0]),
    )
    walked = Walked(made, metric)
    assert walked.scores.by_row
    curve = walked.curve()
    for at in range(3):
        losses = np.array([loss_of(metric, made.y[i], walked.eta[at, i]) for i in range(8)])
        mean = np.average(losses, weights=made.weights)
        se = np.sqrt(np.average((losses - mean) ** 2, weights=made.weights) / 7)
        if metric == "r2":
            mean, se = 1 - mean / walked.null(), se / walked.null()
        assert (curve.mean[at], curve.se[at]) == pytest.approx((mean, se), rel=SOLVED)
        assert walked.scores.at(at)[metric] == pytest.approx(mean, rel=SOLVED)


def test_a_fold_of_one_class_has_no_auc_and_does_not_count() -> None:
    made = make("tall", "binomial")
    y = made.y.copy()
    y[made.folds == 1] = 1.0
    walked = Walked(replace(made, y=y), "auc")
    curve = walked.curve()
    assert np.isnan(curve.fold_scores[1]).all()
    kept = curve.fold_scores[[0, 2]]
    weights = curve.fold_weights[[0, 2]]
    mean = weights @ kept / weights.sum()
    assert curve.mean == pytest.approx(mean, rel=EXACT)
    assert curve.se == pytest.approx(np.sqrt(weights @ (kept - mean) ** 2 / weights.sum()), rel=SOLVED)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_the_area_under_the_curve_is_scikit_learns(seed: int, ties: bool) -> None:  # noqa: FBT001
    rng = np.random.default_rng(seed)
    y = (rng.random(80) < 0.4).astype(float)
    eta = y + rng.standard_normal(80)
    eta = np.round(eta) if ties else eta
    weights = rng.integers(0, 4, 80).astype(float)
    expected = roc_auc_score(y, eta, sample_weight=weights)
    assert area_under_curve(y, eta, weights) == pytest.approx(expected, rel=EXACT)


def test_the_area_under_the_curve_at_its_ends() -> None:
    ones = np.ones(4)
    assert np.isnan(area_under_curve(ones, np.arange(4.0), ones))
    assert np.isnan(area_under_curve(ones[:0], ones[:0], ones[:0]))
    assert area_under_curve(np.array([0.0, 0, 1, 1]), np.arange(4.0), ones) == 1.0
    assert area_under_curve(np.array([0.0, 0, 1, 1]), ones, ones) == 0.5


@pytest.mark.parametrize("family", ["gaussian", "binomial", "poisson"])
def test_scores_of_a_model_on_any_rows(family: str) -> None:
    made = make("weights", family)
    eta = 0.5 * made.X[:, 0]
    mu = FAMILIES[family].mean(eta)
    found = scores_of(FAMILIES[family], made.y, eta, made.weights, threshold=THRESHOLD)
    assert tuple(found) == FAMILIES[family].metrics
    for name in set(found) - {"auc", "rmse", "r2"}:
        full = f"{family} deviance" if name == "deviance" else name
        losses = [loss_of(full, y, m) for y, m in zip(made.y, mu, strict=True)]
        assert found[name] == pytest.approx(np.average(losses, weights=made.weights), rel=SOLVED)
    if family == "gaussian":
        mean = np.average(made.y, weights=made.weights)
        null = np.average((made.y - mean) ** 2, weights=made.weights)
        assert found["rmse"] == pytest.approx(np.sqrt(found["mse"]), rel=EXACT)
        assert found["r2"] == pytest.approx(1 - found["mse"] / null, rel=EXACT)


def test_rows_without_weight_have_no_scores() -> None:
    zeros = np.zeros(3)
    for family in FAMILIES.values():
        found = scores_of(family, zeros, zeros, zeros, threshold=0.5)
        assert all(np.isnan(value) for value in found.values())


# -- the choice ------------------------------------------------------------------------------------------------------

YES = np.ones(5, dtype=bool)


def pick(metric: str, mean: list[float], se: list[float], usable: Array | None = None) -> tuple[int | None, int | None]:
    return choose(metric, np.array(mean), np.array(se), YES if usable is None else np.asarray(usable, dtype=bool))


def test_the_least_cost_is_chosen_and_the_largest_strength_within_its_error() -> None:
    assert pick("mse", [5.0, 2.4, 2.1, 2.0, 3.0], [1.0, 1.0, 1.0, 0.2, 1.0]) == (3, 2)
    assert pick("mse", [5.0, 2.2, 2.1, 2.0, 3.0], [1.0, 1.0, 1.0, 0.25, 1.0]) == (3, 1)


def test_of_equals_the_largest_strength_is_chosen() -> None:
    assert pick("mae", [3.0, 2.0, 2.0, 2.0, 3.0], [0.0] * 5) == (1, 1)


def test_some_metrics_are_better_when_larger() -> None:
    assert pick("auc", [0.5, 0.79, 0.8, 0.9, 0.7], [0.2, 0.2, 0.2, 0.1, 0.2]) == (3, 2)
    assert pick("accuracy", [0.5, 0.6, 0.9, 0.9, 0.7], [0.0] * 5) == (2, 2)


def test_r2_and_rmse_are_chosen_by_the_mse_they_are_made_from() -> None:
    for metric in ("r2", "rmse"):
        assert pick(metric, [5.0, 2.4, 2.1, 2.0, 3.0], [1.0, 1.0, 1.0, 0.2, 1.0]) == (3, 2)


def test_the_one_standard_error_rule_does_not_stop_at_a_bump() -> None:
    assert pick("mse", [2.1, 3.0, 2.15, 2.0, 3.0], [0.0, 0.0, 0.0, 0.2, 0.0]) == (3, 0)


def test_what_is_not_usable_or_has_no_value_is_not_chosen() -> None:
    mean, se = [5.0, 2.1, 1.0, 2.0, 3.0], [0.0, 0.0, 0.0, 0.2, 0.0]
    assert pick("mse", mean, se, np.array([1, 1, 0, 1, 1])) == (3, 1)
    assert pick("mse", [5.0, 2.1, np.nan, 2.0, 3.0], se) == (3, 1)
    assert pick("mse", mean, se, np.zeros(5)) == (None, None)
    assert pick("mse", mean, [np.nan] * 5) == (2, 2)


# -- where a curve has turned ----------------------------------------------------------------------------------------


def turned(means: Array, *, of: int = 40, noise: float = 0.0, errors: float = 0.1, folds: int = 5) -> bool:
    """Folds that differ by a constant, and by noise from point to point."""
    rng = np.random.default_rng(0)
    fold_scores = means[:, None] + np.linspace(-0.2, 0.2, folds) + noise * rng.standard_normal((means.size, folds))
    weights: Integers = np.ones(folds, dtype=np.intp)
    return has_turned(means, np.full(means.size, errors), fold_scores, weights.astype(float), of)


def valley(t: int, bottom: int, rise: float = 0.1) -> Array:
    at = np.arange(t)
    return np.where(at <= bottom, 1.0 + 0.1 * (bottom - at), 1.0 + rise * (at - bottom))


def test_a_clear_valley_has_turned() -> None:
    assert turned(valley(30, 15))


def test_not_before_twenty_five_points() -> None:
    assert not turned(valley(24, 8))
    assert turned(valley(25, 8))


def test_not_within_ten_points_of_the_bottom_nor_an_eighth_of_the_grid() -> None:
    assert not turned(valley(30, 20))
    assert turned(valley(30, 19))
    assert not turned(valley(30, 19), of=100)
    assert turned(valley(33, 19), of=100)


def test_not_while_it_falls_or_is_flat() -> None:
    assert not turned(valley(40, 39))
    assert not turned(valley(30, 15, rise=0.0))
    assert not turned(valley(30, 15, rise=0.005))


def test_not_when_the_last_five_do_not_all_rise() -> None:
    means = valley(30, 15)
    means[27] = means[26]
    assert not turned(means)


def test_not_when_folds_disagree() -> None:
    assert not turned(valley(30, 15, rise=0.05), noise=2.0)


def test_not_when_the_first_point_is_hardly_worse_than_the_best() -> None:
    means = valley(30, 15)
    means[:15] = 1.1
    assert not turned(means, errors=0.06)
    assert turned(means, errors=0.04)
