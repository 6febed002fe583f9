"""Lanes: each equals its own rows and nothing else, whatever is shared."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from regcli.problem.design import Dense, make_design
from regcli.problem.families import FAMILIES
from regcli.problem.folds import fold_partition, whole_partition
from regcli.problem.lanes import Lanes, Partition, make_lanes
from regcli.problem.objective import Objective
from regcli.problem.penalties import ElasticNet
from regcli.problem.protocols import Array, Integers
from regcli.solvers.engine import Problem, Rules, serial_map
from regcli.solvers.general import general_engine
from regcli.solvers.lockstep import Lockstep
from regcli.solvers.moments import Moments
from regcli.solvers.newton import Newton
from regcli.solvers.path import lambda_max
from tests import oracle
from tests.battery.problems import RECIPES, explicit, lane_alone, make
from tests.tolerances import EXACT, SOLVED, TIGHT


def lanes_of(X: Array, partition: Partition, *, intercept: bool = True) -> Lanes:
    design = make_design(X.copy(), centred=intercept)
    return make_lanes(design, partition, intercept=intercept, standardized=np.ones(X.shape[1], dtype=bool))


def moments_of(X: Array, weights: Array) -> tuple[Array, Array]:
    """Weighted means and 1/n standard deviations, in extended precision."""
    w = weights.astype(np.longdouble) / weights.sum(dtype=np.longdouble)
    mean = w @ X
    return mean.astype(float), np.sqrt(w @ (X - mean) ** 2).astype(float)


def shift_of(X: Array) -> Array:
    return make_design(X.copy(), centred=True).shift


def columns(n: int = 60, p: int = 4) -> Array:
    return np.random.default_rng(0).standard_normal((n, p)) * np.array([1.0, 10.0, 0.1, 3.0]) + np.arange(p)


@pytest.mark.parametrize("recipe", [name for name in RECIPES if name != "far means"])
def test_a_lane_has_the_means_and_sds_of_its_rows(recipe: str) -> None:
    made = make(recipe, "gaussian")
    problem = made.problem(tol=SOLVED)
    lanes, shift = problem.objective.lanes, problem.objective.design.shift
    for lane in range(lanes.n_lanes):
        rows = made.rows(lane)
        mean, sd = moments_of(made.X[rows], made.weights[rows])
        varies = np.ptp(made.X[rows][made.weights[rows] > 0], axis=0) > 0
        assert np.array_equal(lanes.varies[lane], varies)
        scale = np.abs(made.X).max(axis=0)
        if made.intercept:
            assert np.all(np.abs(lanes.centre[lane] + shift - mean) <= EXACT * scale)
        else:
            assert not lanes.centre[lane].any()
        assert np.all(np.abs(lanes.sd[lane] - np.where(varies, sd, 1.0)) <= 10 * EXACT * scale)
        expected = np.where(made.standardized, 1.0, 1.0 / lanes.sd[lane])
        assert np.array_equal(lanes.unit[lane], expected)


def test_weights_of_a_lane_sum_to_one_and_leave_its_fold_out() -> None:
    folds = np.arange(60) % 3
    given = np.random.default_rng(1).integers(0, 4, 60).astype(float)
    lanes = lanes_of(columns(), fold_partition(folds, 3, given))
    for lane in range(4):
        weights = lanes.weights(lane)
        assert weights.sum() == pytest.approx(1.0, rel=EXACT)
        assert not weights[folds == lane - 1].any()
        assert np.allclose(lanes.apply_weights(np.ones((4, 60)))[lane], weights, rtol=EXACT, atol=0)
    assert np.allclose(lanes.totals, lanes.partition.totals(), rtol=EXACT)
    assert lanes.totals[0] == given.sum()


def test_weight_two_is_the_row_twice() -> None:
    X, weights = columns(), np.random.default_rng(2).integers(1, 4, 60)
    twice = np.repeat(np.arange(60), weights)
    left, right = (
        lanes_of(X, whole_partition(weights.astype(float))),
        lanes_of(X[twice], whole_partition(np.ones(twice.size))),
    )
    assert np.allclose(left.sd, right.sd, rtol=EXACT)
    assert np.allclose(left.centre + shift_of(X), right.centre + shift_of(X[twice]), rtol=EXACT, atol=EXACT)


def test_weight_zero_is_the_row_gone() -> None:
    X, weights = columns(), np.random.default_rng(3).integers(0, 2, 60).astype(float)
    X[weights == 0] *= 1e6
    kept = X[weights > 0]
    left, right = lanes_of(X, whole_partition(weights)), lanes_of(kept, whole_partition(np.ones(kept.shape[0])))
    assert np.allclose(left.sd, right.sd, rtol=SOLVED)
    assert np.allclose(left.centre + shift_of(X), right.centre + shift_of(kept), rtol=SOLVED)


def test_the_order_of_rows_does_not_matter() -> None:
    X, order = columns(), np.random.default_rng(4).permutation(60)
    folds = np.arange(60) % 3
    left = lanes_of(X, fold_partition(folds, 3, np.ones(60)))
    right = lanes_of(X[order], fold_partition(folds[order], 3, np.ones(60)))
    assert np.allclose(left.sd, right.sd, rtol=EXACT)
    assert np.allclose(left.centre, right.centre, rtol=EXACT, atol=EXACT)


def test_a_column_may_be_constant_in_a_lane_and_not_in_others() -> None:
    X, folds = columns(), np.arange(60) % 3
    X[:, 1] = np.where(folds == 1, X[:, 1], 0.1)  # 0.1 is not a short number: its mean is not itself
    lanes = lanes_of(X, fold_partition(folds, 3, np.ones(60)))
    assert lanes.varies[:, 1].tolist() == [True, True, False, True]
    assert lanes.sd[2, 1] == 1.0


def test_a_constant_is_constant_over_the_rows_with_weight() -> None:
    X, weights = columns(), np.ones(60)
    X[:, 1], X[7, 1], weights[7] = 3.0, 4.0, 0.0
    assert not lanes_of(X, whole_partition(weights)).varies[0, 1]


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("mean", [1e8, -1e6, 1e3, 1e-3])
def test_the_variance_of_a_far_column_keeps_its_digits(mean: float, intercept: bool) -> None:  # noqa: FBT001
    X = columns()
    X[:, 0] += mean
    folds = np.arange(60) % 3
    lanes = lanes_of(X, fold_partition(folds, 3, np.ones(60)), intercept=intercept)
    for lane in range(4):
        rows = np.flatnonzero(folds != lane - 1)
        assert lanes.sd[lane, 0] == pytest.approx(moments_of(X[rows], np.ones(rows.size))[1][0], rel=EXACT)


def test_many_rows_are_taken_in_pieces() -> None:
    X = np.random.default_rng(5).standard_normal((20_000, 2))
    lanes = lanes_of(X, whole_partition(np.ones(20_000)))
    assert np.allclose(lanes.sd[0], moments_of(X, np.ones(20_000))[1], rtol=EXACT)


def test_some_lanes_and_some_columns() -> None:
    lanes = lanes_of(columns(), fold_partition(np.arange(60) % 3, 3, np.ones(60)))
    part = lanes.keep(np.array([2, 0])).restrict(np.array([3, 1]))
    assert np.array_equal(part.sd, lanes.sd[[2, 0]][:, [3, 1]])
    assert np.array_equal(part.centre, lanes.centre[[2, 0]][:, [3, 1]])
    assert np.array_equal(part.weights(0), lanes.weights(2))
    assert part.n_lanes == 2


@pytest.mark.parametrize("family", ["gaussian", "binomial", "poisson"])
@pytest.mark.parametrize("recipe", ["tall", "weights", "offset", "constant in a fold", "sparse", "no intercept"])
def test_predictors_scores_and_losses_are_those_of_the_lanes_rows(recipe: str, family: str) -> None:
    made = make(recipe, family)
    problem = made.problem(tol=SOLVED)
    objective, lanes = problem.objective, problem.objective.lanes
    rng = np.random.default_rng(6)
    levels = rng.standard_normal(lanes.n_lanes) * made.intercept
    coefs = 0.3 * rng.standard_normal(lanes.sd.shape) * lanes.varies
    eta = objective.eta(levels, coefs)
    level, score = objective.score(eta)
    raw, own_scale = objective.to_raw(problem.penalty, levels, coefs)
    for lane in range(lanes.n_lanes):
        expected = made.offset + raw[lane] + made.X @ own_scale[lane]
        assert np.allclose(eta[lane], expected, rtol=0, atol=10 * EXACT * np.abs(expected).max())
        data, rows = oracle.frame(made.lane(lane, 0.0)), made.rows(lane)
        mu = objective.family.mean(expected)
        pull = data.w * (made.y - mu)[rows]
        assert np.allclose(score[lane], (pull @ data.Z).astype(float), rtol=0, atol=100 * EXACT)
        assert level[lane] == pytest.approx(float(pull.sum()) * made.intercept, abs=100 * EXACT)
        own = objective.family.loss(made.y, expected)[rows]
        assert objective.loss(eta)[lane] == pytest.approx(float(data.w @ own), rel=EXACT)
        assert problem.null.intercepts[lane] == pytest.approx(float(data.null_intercept), abs=100 * EXACT)
        assert problem.null.scale[lane] == pytest.approx(float(data.scale), rel=SOLVED)
    step = objective.slope(levels, coefs)
    assert np.allclose(step, eta - made.offset, rtol=0, atol=100 * EXACT)


# -- what is learnt in the fold: a mean for missing cells ------------------------------------------------------------


def imputed(family: str) -> tuple[Problem, list[Array], Integers]:
    """Columns [x0, z]: x with 0 where it is missing, and where that is. Lane l fills in the mean of its own rows."""
    rng = np.random.default_rng(11)
    n, p = 70, 5
    X = rng.standard_normal((n, p)) + 2.0
    missing = rng.random((n, 2)) < 0.2
    folds = np.arange(n) % 3
    signal = X @ np.array([1.0, -1.0, 0.5, 0.0, 0.0]) + rng.standard_normal(n)
    x0 = X.copy()
    x0[:, :2][missing] = 0.0
    base = np.column_stack([x0, missing])
    maps, filled = [], []
    for lane in range(4):
        rows = folds != lane - 1
        means = [x0[rows & ~missing[:, j], j].mean() for j in range(2)]
        table = np.vstack([np.eye(p), np.zeros((2, p))])
        table[p, 0], table[p + 1, 1] = means
        maps.append(sparse.csc_array(table))
        filled.append(base @ table)
    design = make_design(base.copy(), centred=True)
    partition = fold_partition(folds, 3, np.ones(n))
    lanes = make_lanes(design, partition, intercept=True, standardized=np.ones(p, dtype=bool), maps=tuple(maps))
    targets = {"gaussian": signal, "binomial": signal > signal.mean(), "poisson": np.floor(np.exp(signal / 2.0))}
    y = targets[family].astype(float)
    objective = Objective(design, FAMILIES[family], y, np.zeros(n), lanes, intercept=True)
    penalty = ElasticNet(0.5, np.ones(p), np.full(p, -np.inf), np.full(p, np.inf))
    return Problem(objective, penalty, objective.null(), Rules(TIGHT), serial_map), filled, folds


def plainly(problem: Problem, X: Array, folds: Integers, lane: int) -> Problem:
    """The lane with its own matrix written out and without a lane matrix."""
    design = Dense(np.asfortranarray(X), np.zeros(X.shape[1]))
    lanes = make_lanes(
        design,
        fold_partition(folds, 3, np.ones(folds.size)),
        intercept=True,
        standardized=np.ones(X.shape[1], dtype=bool),
    )
    objective = replace(problem.objective, design=design, lanes=lanes)
    return lane_alone(replace(problem, objective=objective, null=objective.null()), lane)


def test_lane_matrices_give_the_centres_and_sds_of_the_lanes_columns() -> None:
    problem, filled, folds = imputed("gaussian")
    for lane in range(4):
        rows = folds != lane - 1
        sd = moments_of(filled[lane][rows], np.ones(int(rows.sum())))[1]
        assert np.allclose(problem.objective.lanes.sd[lane], sd, rtol=EXACT)


@pytest.mark.parametrize("family", ["gaussian", "binomial", "poisson"])
def test_lane_matrices_give_the_predictors_and_scores_of_the_lanes_columns(family: str) -> None:
    problem, filled, folds = imputed(family)
    rng = np.random.default_rng(12)
    levels, coefs = rng.standard_normal(4), rng.standard_normal((4, 5))
    eta = problem.objective.eta(levels, coefs)
    for lane in range(4):
        alone = plainly(problem, filled[lane], folds, lane)
        own = alone.objective.eta(levels[[lane]], coefs[[lane]])
        assert np.allclose(eta[lane], own[0], rtol=0, atol=100 * EXACT)
        assert np.allclose(
            problem.objective.score(eta)[1][lane], alone.objective.score(own)[1][0], rtol=0, atol=100 * EXACT
        )
        raw, own_scale = problem.objective.to_raw(problem.penalty, levels, coefs)
        assert np.allclose(raw[lane] + filled[lane] @ own_scale[lane], own[0], rtol=0, atol=100 * EXACT)


@pytest.mark.parametrize(
    ("engine", "family"), [(Moments, "gaussian"), (Lockstep, "gaussian"), (Newton, "binomial"), (Newton, "poisson")]
)
def test_engines_solve_lanes_with_matrices(engine: type[Moments | Lockstep | Newton], family: str) -> None:
    problem, filled, folds = imputed(family)
    lams = lambda_max(problem) * np.array([0.5, 0.1, 0.01])
    steps = engine(problem).advance(lams)
    for lane in range(4):
        alone = plainly(problem, filled[lane], folds, lane)
        for step, expected in zip(steps, general_engine(alone).advance(lams), strict=True):
            assert np.abs(step.coefs[lane] - expected.coefs[0]).max() <= SOLVED
            assert step.intercepts[lane] == pytest.approx(expected.intercepts[0], abs=SOLVED)
            assert np.isfinite(explicit(problem, step)[0]).all()
            if step.held_out is not None and lane:
                eta = alone.objective.eta(expected.intercepts, expected.coefs)[0]
                test = folds == lane - 1
                assert step.held_out[lane] == pytest.approx(np.mean((problem.objective.y - eta)[test] ** 2), rel=SOLVED)
