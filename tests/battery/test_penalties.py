"""The penalty: its value, the distance to its subdifferential, its largest strength, its limits."""

from dataclasses import replace

import numpy as np
import pytest

from regcli.problem.penalties import ElasticNet
from regcli.problem.protocols import Array, SeparableTerms
from regcli.solvers.active_set import ActiveSet
from regcli.solvers.engine import serial_map
from regcli.solvers.factor import Factor
from regcli.solvers.general import general_engine
from regcli.solvers.path import lambda_max
from regcli.solvers.together import complete
from tests.battery.problems import Made, make
from tests.tolerances import EXACT, SOLVED


def free(p: int, l1_ratio: float, factors: Array | None = None) -> ElasticNet:
    factors = np.ones(p) if factors is None else factors
    return ElasticNet(l1_ratio, factors, np.full(p, -np.inf), np.full(p, np.inf))


def one(l1: float, l2: float, lower: float = -np.inf, upper: float = np.inf) -> SeparableTerms:
    return SeparableTerms(np.array([l1]), np.array([l2]), np.array([lower]), np.array([upper]))


@pytest.mark.parametrize(
    ("terms", "coef", "score", "expected"),
    [
        (one(1.0, 0.0), 0.0, 0.5, 0.0),  # zero, inside the subdifferential
        (one(1.0, 0.0), 0.0, -1.0, 0.0),  # zero, on its edge
        (one(1.0, 0.0), 0.0, -1.25, 0.25),  # zero, outside
        (one(1.0, 0.0), 2.0, 1.0, 0.0),  # positive, stationary
        (one(1.0, 0.0), 2.0, 0.25, 0.75),  # positive, too large
        (one(1.0, 0.0), 2.0, 1.5, 0.5),  # positive, too small
        (one(1.0, 0.0), -2.0, -1.0, 0.0),  # negative, stationary
        (one(1.0, 0.0), -2.0, 1.0, 2.0),  # negative, on the wrong side
        (one(1.0, 0.5), 2.0, 2.0, 0.0),  # L2 counts where the coefficient is
        (one(0.0, 0.5), 0.0, 0.25, 0.25),  # ridge at zero
        (one(0.0, 0.0), 3.0, -0.25, 0.25),  # not penalised
        (one(1.0, 0.0, upper=2.0), 2.0, 9.0, 0.0),  # at the upper limit, pushed on
        (one(1.0, 0.0, upper=2.0), 2.0, 0.5, 0.5),  # at the upper limit, pulled back
        (one(1.0, 0.0, lower=-2.0), -2.0, -9.0, 0.0),  # at the lower limit, pushed on
        (one(1.0, 0.0, lower=-2.0), -2.0, 0.5, 1.5),  # at the lower limit, pulled back
        (one(1.0, 0.0, lower=0.0), 0.0, -9.0, 0.0),  # zero is the limit
        (one(1.0, 0.0, lower=0.0), 0.0, 1.5, 0.5),  # zero is the limit of the other side
        (one(0.0, 0.0, lower=0.0, upper=0.0), 0.0, 5.0, 0.0),  # held at zero
    ],
)
def test_distance_of_hand_made_cases(terms: SeparableTerms, coef: float, score: float, expected: float) -> None:
    assert terms.distance(np.array([coef]), np.array([score]))[0] == pytest.approx(expected, abs=EXACT)


def test_the_distance_is_how_fast_the_objective_falls() -> None:
    """Brute force: one-sided difference quotients of the linear model plus penalty, in both directions."""
    rng = np.random.default_rng(2)
    step = 1e-6
    for _ in range(300):
        lower, upper = -rng.choice([0.0, 1.0, np.inf]), rng.choice([0.0, 1.0, np.inf])
        terms = one(rng.choice([0.0, 0.7]), rng.choice([0.0, 0.4]), lower, upper)
        inside = rng.choice([0.0, np.clip(0.5, lower, upper), np.clip(-0.5, lower, upper)])
        coef = np.array([rng.choice([inside, np.clip(1.0, lower, upper), np.clip(-1.0, lower, upper)])])
        score = np.array([2 * rng.standard_normal()])
        falls = [0.0]
        for direction in (step, -step):
            moved = coef + direction
            if lower <= moved[0] <= upper:
                falls.append((direction * score[0] - terms.value(moved) + terms.value(coef)) / step)
        assert terms.distance(coef, score)[0] == pytest.approx(max(falls), abs=10 * step)


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.0])
@pytest.mark.parametrize("limited", [False, True])
def test_the_distance_is_zero_where_the_kernel_ends(l1_ratio: float, limited: bool) -> None:  # noqa: FBT001
    rng = np.random.default_rng(3)
    X = rng.standard_normal((40, 12))
    hessian, linear = X.T @ X / 40, X.T @ rng.standard_normal(40) / 40
    penalty = free(12, l1_ratio, rng.choice([0.0, 0.5, 1.0], 12))
    if limited:
        penalty = replace(penalty, lower=np.full(12, -0.05), upper=np.full(12, 0.1))
    for lam in (0.2, 0.05, 0.001):
        terms = penalty.terms(lam, np.ones(12), np.ones(12), 1.0)
        solution = complete(ActiveSet(Factor(hessian)).minimise(linear, terms, np.zeros(12), EXACT))
        assert solution.solved
        assert terms.distance(solution.coefs, linear - hessian @ solution.coefs).max() <= 10 * EXACT


def test_the_value_is_that_of_the_coefficients_on_the_scale_of_the_data() -> None:
    rng = np.random.default_rng(4)
    p, lam, l2_scale = 6, 0.3, 0.2
    raw, sd, factors = rng.standard_normal(p), rng.uniform(0.1, 5.0, p), rng.uniform(0.0, 2.0, p)
    standardized = np.arange(p) % 2 == 0
    penalty = free(p, 0.25, factors)
    terms = penalty.terms(lam, sd, np.where(standardized, 1.0, 1.0 / sd), l2_scale)
    penalised = np.where(standardized, raw * sd, raw)
    expected = lam * factors @ (0.25 * np.abs(penalised) + 0.75 / 2 * l2_scale * penalised**2)
    assert terms.value(raw * sd) == pytest.approx(expected, rel=EXACT)


def test_limits_come_back_as_they_were_written() -> None:
    rng = np.random.default_rng(5)
    upper, sd = rng.uniform(0.0, 3.0, 1000), 10.0 ** rng.uniform(-6, 6, 1000)
    penalty = ElasticNet(1.0, np.ones(1000), -upper / 3, upper)
    terms = penalty.terms(1.0, sd, np.ones(1000), 1.0)
    assert np.array_equal(penalty.raw(terms.upper, sd), upper)
    assert np.array_equal(penalty.raw(terms.lower, sd), -upper / 3)
    inside = 0.5 * terms.upper
    assert np.array_equal(penalty.raw(inside, sd), inside / sd)
    zeros = penalty.raw(np.full(1000, -0.0), sd)
    assert not np.signbit(zeros).any()


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
@pytest.mark.parametrize("family", ["gaussian", "binomial", "poisson"])
@pytest.mark.parametrize("recipe", ["tall", "factors", "weights", "offset", "raw columns", "no intercept"])
def test_the_largest_strength_is_sharp(l1_ratio: float, family: str, recipe: str) -> None:
    made: Made = replace(make(recipe, family), l1_ratio=l1_ratio)
    problem = made.problem(tol=SOLVED)
    top = lambda_max(problem)
    penalised = problem.penalty.factors > 0
    above = general_engine(problem).advance(np.array([1.001 * top]))[0].coefs[0]
    below = general_engine(problem).advance(np.array([0.99 * top]))[0].coefs[0]
    assert not above[penalised].any()
    assert below[penalised].any()


def test_ridge_begins_where_a_thousandth_of_l1_would() -> None:
    score, unit = np.array([3.0, -5.0, 100.0]), np.array([1.0, 2.0, 1.0])
    factors = np.array([1.0, 1.0, 0.0])
    assert free(3, 1.0, factors).lambda_max(score, unit) == 3.0
    assert free(3, 0.5, factors).lambda_max(score, unit) == 6.0
    assert free(3, 0.0, factors).lambda_max(score, unit) == pytest.approx(3000.0, rel=EXACT)
    assert free(3, 1.0, np.zeros(3)).lambda_max(score, unit) == 0.0


def test_limits_are_told_apart() -> None:
    plain = free(2, 1.0)
    assert not plain.has_limits()
    assert not plain.has_zero_limit()
    assert replace(plain, upper=np.array([np.inf, 2.0])).has_limits()
    assert not replace(plain, upper=np.array([np.inf, 2.0])).has_zero_limit()
    assert replace(plain, lower=np.zeros(2)).has_zero_limit()


def test_some_columns_keep_their_own_numbers() -> None:
    penalty = ElasticNet(0.5, np.arange(4.0), -np.arange(4.0), np.arange(4.0) + 1)
    part = penalty.restrict(np.array([3, 1]))
    assert part.factors.tolist() == [3.0, 1.0]
    assert part.lower.tolist() == [-3.0, -1.0]
    assert part.upper.tolist() == [4.0, 2.0]
    terms = penalty.terms(2.0, np.ones(4), np.ones(4), 1.0).take(np.array([2]))
    assert (terms.l1[0], terms.l2[0], terms.lower[0], terms.upper[0]) == (2.0, 2.0, -2.0, 3.0)


def test_a_plain_map_keeps_the_order() -> None:
    assert serial_map(lambda value: -value, [3, 1, 2]) == [-3, -1, -2]
