"""Whether there is a solution without a penalty, on tables for which the answer is known."""

import numpy as np
import pytest

from regcli.problem.folds import whole_partition
from regcli.problem.protocols import Array
from regcli.results import Status
from regcli.solvers import endless, newton
from regcli.solvers.endless import is_endless
from regcli.solvers.engine import Rules
from regcli.solvers.general import general_engine
from tests.battery.problems import Posed


def posed(
    X: Array, y: Array, family: str = "binomial", *, weights: Array | None = None, factors: Array | None = None,
    lower: float = -np.inf, intercept: bool = True,
) -> Posed:  # fmt: skip
    """A lasso on given data."""
    n, p = X.shape
    return Posed(
        X=X, y=y, family=family, weights=np.ones(n) if weights is None else weights, offset=np.zeros(n),
        factors=np.zeros(p) if factors is None else factors, lower=np.full(p, lower), upper=np.full(p, np.inf),
        l1_ratio=1.0, intercept=intercept, standardized=np.ones(p, dtype=bool), l2_scale=1.0, sparse=False,
        folds=np.zeros(n, dtype=np.intp),
    )  # fmt: skip


def answer(made: Posed, lam: float = 1.0) -> bool | None:
    """What is said of it, seen from the null model."""
    problem = made.posed(whole_partition(made.weights), Rules())
    objective = problem.objective
    eta = objective.eta(problem.null.intercepts, np.zeros((1, objective.n_terms)))[0]
    return is_endless(objective, objective.terms(problem.penalty, lam, 0), eta)


def line(*values: float) -> Array:
    """One column."""
    return np.array(values, dtype=float)[:, None]


def test_classes_that_do_not_overlap_have_no_solution() -> None:
    assert answer(posed(line(1, 2, 3, 4), np.array([0.0, 0, 1, 1]))) is True


def test_classes_that_overlap_have_one() -> None:
    assert answer(posed(line(1, 2, 3, 4), np.array([0.0, 1, 0, 1]))) is False


def test_classes_that_meet_in_one_value_have_none() -> None:
    assert answer(posed(line(1, 2, 2, 4), np.array([0.0, 0, 1, 1]))) is True


def test_a_level_with_one_class_has_none_for_its_column_alone() -> None:
    X = np.array([[1.0, 0], [1, 0], [0, 1], [0, 1], [0, 0], [0, 0]])
    y = np.array([1.0, 1, 0, 1, 0, 1])
    assert answer(posed(X, y)) is True
    assert answer(posed(X, y, factors=np.array([1.0, 0.0]))) is False
    assert answer(posed(X, y, factors=np.array([1.0, 0.0])), lam=0.0) is True


def test_rows_without_weight_do_not_overlap() -> None:
    X, y = line(1, 2, 3, 4), np.array([0.0, 1, 0, 1])
    assert answer(posed(X, y, weights=np.array([1.0, 0, 1, 1]))) is True
    assert answer(posed(X, y, weights=np.array([1.0, 1e-12, 1, 1]))) is False


def test_a_limit_may_leave_a_solution() -> None:
    X, y = line(1, 2, 3, 4), np.array([1.0, 1, 0, 0])
    assert answer(posed(X, y)) is True
    assert answer(posed(X, y, lower=0.0)) is False
    assert answer(posed(-X, y, lower=0.0)) is True


def test_two_equal_columns_may_do_what_the_limit_of_one_forbids() -> None:
    column = np.array([1.0, 2, 3, 4])
    made = posed(np.column_stack([column, -column]), np.array([1.0, 1, 0, 0]), lower=0.0)
    assert answer(made) is True


def test_without_an_intercept_only_directions_through_the_origin_count() -> None:
    y = np.array([0.0, 0, 1, 1])
    assert answer(posed(line(1, 2, 3, 4), y, intercept=False)) is False
    assert answer(posed(line(-1, -2, 3, 4), y, intercept=False)) is True


def test_counts_have_none_where_only_rows_with_zero_can_fall() -> None:
    y = np.array([0.0, 0, 3, 5])
    assert answer(posed(line(1, 1, 0, 0), y, "poisson")) is True
    assert answer(posed(line(1, 1, 0, 1), y, "poisson")) is False
    assert answer(posed(line(1, -1, 0, 0), y, "poisson")) is False


def test_shares_between_the_classes_hold_a_row_where_it_is() -> None:
    X = line(1, 2, 3, 4)
    assert answer(posed(X, np.array([0.0, 0, 1, 1]))) is True
    assert answer(posed(X, np.array([0.0, 0.1, 0.9, 1]))) is False


def test_numbers_always_have_one() -> None:
    assert answer(posed(line(1, 2, 3, 4), np.array([0.0, 0, 1, 1]), "gaussian")) is False


@pytest.mark.parametrize("apart", [True, False])
def test_of_many_rows_a_single_one_decides(*, apart: bool) -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((20_000, 5))
    side = X @ np.array([1.0, -2, 0.5, 0, 1])
    X, side = X[np.abs(side) > 0.1], side[np.abs(side) > 0.1]
    y = (side > 0).astype(float)
    if not apart:
        least = int(np.argmax(side))
        y[least] = 0.0
    assert answer(posed(X, y)) is apart


def test_columns_that_hardly_differ_hide_nothing() -> None:
    rng = np.random.default_rng(1)
    first = rng.standard_normal(60)
    y = (rng.random(60) < 0.5).astype(float)
    assert answer(posed(first[:, None], y)) is False
    assert answer(posed(np.column_stack([first, first + 1e-8 * (y - 0.5)]), y)) is True


@pytest.mark.parametrize(("limit", "value"), [("MOST_CELLS", 1000), ("MOST_COLUMNS", 2)])
def test_a_table_too_large_to_ask_is_left_open(limit: str, value: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endless, limit, value)
    rng = np.random.default_rng(2)
    X = rng.standard_normal((2000, 3))
    assert answer(posed(X, (X[:, 0] > 0).astype(float))) is None
    assert answer(posed(X, (rng.random(2000) < 0.5).astype(float))) is False


def test_a_lane_that_is_asked_about_on_its_way_to_a_solution_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newton, "FAR_ROUNDS", 1)
    X = np.append(np.linspace(-30, 30, 200), [-0.2, 0.2])[:, None]
    y = np.append(X[:-2, 0] > 0, [True, False]).astype(float)
    problem = posed(X, y).posed(whole_partition(np.ones(202)), Rules())
    found = general_engine(problem).advance(np.zeros(1))[0]
    assert found.eta is not None
    assert np.abs(found.eta).max() > newton.FAR_ETA
    assert found.status[0] is Status.CONVERGED


@pytest.mark.parametrize("far", [1.0, 30.0, 800.0])
def test_predictors_however_far_prove_nothing_where_classes_are_apart(far: float) -> None:
    rng = np.random.default_rng(4)
    X = rng.standard_normal((100, 3))
    y = (X[:, 0] > 0).astype(float)
    problem = posed(X, y).posed(whole_partition(np.ones(100)), Rules())
    objective = problem.objective
    terms = objective.terms(problem.penalty, 0.0, 0)
    assert is_endless(objective, terms, far * np.sign(X[:, 0])) is True
    assert is_endless(objective, terms, far * X[:, 0]) is True


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_residuals_near_a_solution_prove_it(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> bool:
        raise AssertionError

    monkeypatch.setattr(endless, "_falls", never)
    rng = np.random.default_rng(3)
    X = rng.standard_normal((400, 5))
    signal = X @ np.array([2.0, -1, 0.5, 0, 1])
    counts = np.ceil(3 * rng.random(400)) if family == "poisson" else np.ones(400)
    made = posed(X, (signal + rng.standard_normal(400) > 0.5) * counts, family)
    problem = made.posed(whole_partition(made.weights), Rules())
    found = general_engine(problem).advance(np.zeros(1))[0]
    assert found.status[0] is Status.CONVERGED
    assert found.eta is not None
    terms = problem.objective.terms(problem.penalty, 0.0, 0)
    assert is_endless(problem.objective, terms, found.eta[0]) is False
