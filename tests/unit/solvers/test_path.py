"""The walk: its grids, where it ends, what it remembers."""

from dataclasses import replace

import numpy as np
import pytest

from regcli.problem.protocols import Array
from regcli.solvers.path import Grid, Walk, geometric_grid, lambda_max
from tests.battery.problems import Made, make, unlimited
from tests.tolerances import EXACT, SOLVED


def test_a_grid_falls_geometrically() -> None:
    grid = geometric_grid(5.0, 100, 1e-4)
    assert grid[0] == 5.0
    assert grid[-1] == pytest.approx(5e-4, rel=EXACT)
    assert np.allclose(grid[1:] / grid[:-1], 1e-4 ** (1 / 99), rtol=EXACT)
    assert geometric_grid(5.0, 1, 1e-4).tolist() == [5.0]


def walk(made: Made, lambdas: Array, *, generated: bool, by_gain: bool = True) -> tuple[Walk, int]:
    walked = Walk(made.problem(tol=SOLVED), Grid(lambdas, generated=generated, by_gain=by_gain))
    return walked, len(list(walked))


def exact_fit() -> Made:
    """A target that the columns explain entirely."""
    X = np.random.default_rng(0).standard_normal((60, 3))
    return unlimited(X, X @ np.array([1.0, -2.0, 0.5]), "gaussian", np.ones(3))


def test_a_generated_path_ends_where_all_is_explained() -> None:
    made = exact_fit()
    top = lambda_max(made.problem(tol=SOLVED))
    walked, count = walk(made, geometric_grid(top, 100, 1e-4), generated=True)
    assert walked.stopped is not None
    assert (walked.stopped.reason, walked.stopped.at, walked.stopped.of) == ("deviance", count - 1, 100)
    assert walked.ratios[-1] > 0.999 >= walked.ratios[-2]


@pytest.mark.parametrize("family", ["gaussian", "binomial"])
def test_a_generated_path_ends_where_nothing_is_gained(family: str) -> None:
    rng = np.random.default_rng(1)
    X, noise = rng.standard_normal((90, 4)), rng.standard_normal(90)
    y = X[:, 0] + 2 * noise
    made = unlimited(X, (y > 0).astype(float) if family == "binomial" else y, family, np.ones(4))
    top = lambda_max(made.problem(tol=SOLVED))
    walked, _ = walk(made, geometric_grid(top, 100, 1e-4), generated=True)
    assert walked.stopped is not None
    assert walked.stopped.reason == "deviance_change"
    gain = walked.ratios[-1] - walked.ratios[-2]
    assert gain < 1e-5 * (walked.ratios[-1] if family == "gaussian" else 1.0)
    everything, count = walk(made, geometric_grid(top, 100, 1e-4), generated=True, by_gain=False)
    assert (everything.stopped, count) == (None, 100)


def test_strengths_given_by_hand_are_all_walked() -> None:
    made = exact_fit()
    walked, count = walk(made, np.array([1e-3, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10]), generated=False)
    assert (walked.stopped, count) == (None, 7)


def test_a_generated_path_has_at_least_five_strengths() -> None:
    _, count = walk(exact_fit(), np.geomspace(1e-6, 1e-8, 20), generated=True)
    assert count == 5


def test_strength_zero_has_an_engine_of_its_own() -> None:
    walked, count = walk(make("tall", "gaussian"), np.array([0.5, 0.0]), generated=False)
    assert (walked.engines, count) == (["moments", "direct"], 2)
    alone, _ = walk(make("tall", "gaussian"), np.zeros(1), generated=False)
    assert alone.engines == ["direct"]
    assert "direct" in alone.account()


def test_batches_do_not_show() -> None:
    made = make("tall", "binomial")
    lams = made.strengths(lambda_max(made.problem(tol=SOLVED)))[0] * np.geomspace(1, 1e-2, 19)
    steps = list(Walk(made.problem(tol=SOLVED), Grid(lams, generated=False)))
    assert [step.lam for step in steps] == lams.tolist()


def test_ratios_are_the_explained_share_of_the_null_deviance() -> None:
    made = make("weights", "gaussian")
    problem = made.problem(tol=SOLVED)
    walked = Walk(problem, Grid(np.array([0.3]), generated=False))
    step = next(iter(walked))
    weights = problem.objective.lanes.weights(0)
    eta = problem.objective.eta(step.intercepts, step.coefs)[0]
    residual = weights @ np.square(made.y - eta)
    null = weights @ np.square(made.y - weights @ made.y)
    assert walked.ratios[0] == pytest.approx(1 - residual / null, rel=SOLVED)


def test_nothing_to_penalise_has_no_largest_strength() -> None:
    made = make("tall", "gaussian")
    assert lambda_max(replace(made, factors=np.zeros(12)).problem(tol=SOLVED)) == 0.0
