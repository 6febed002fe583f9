"""Unpenalised columns that hardly differ: the answers are those of the same columns taken apart without rounding."""

from fractions import Fraction
from math import comb

import numpy as np
import pytest

from regcli.problem.folds import fold_partition
from regcli.problem.protocols import Array
from regcli.results import Iterate, Status
from regcli.solvers.engine import Problem, Rules
from regcli.solvers.path import follow
from tests.unit.solvers.test_endless import posed

FAMILIES = ["binomial", "poisson"]


def target(eta: Array, family: str, rng: np.random.Generator) -> Array:
    """Rows that a model gives."""
    if family == "poisson":
        return np.asarray(rng.poisson(np.exp(eta)), dtype=float)
    return np.asarray(rng.random(eta.size) < 1.0 / (1.0 + np.exp(-eta)), dtype=float)


def solved(X: Array, y: Array, family: str, tol: float = 1e-7) -> tuple[Problem, Iterate]:
    """All rows, and three folds, without a penalty."""
    made = posed(X, y, family)
    problem = made.posed(fold_partition(np.arange(y.size) % 3, 3, made.weights), Rules(tol))
    (step,) = follow(problem, np.zeros(1), [])
    return problem, step


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("apart", [1e-4, 1e-5, 1e-6, 1e-7])
def test_columns_that_differ_by_a_millionth_cost_no_digits(family: str, apart: float) -> None:
    rng = np.random.default_rng([3, int(-np.log10(apart))])
    first, third = 5.0 + 10.0 * rng.standard_normal(300), rng.standard_normal(300)
    second = first + 10.0 * apart * rng.standard_normal(300)
    rest = (second - first) / apart  # exact: both are near to each other
    y = target(0.04 * first - 0.3 * third, family, rng)
    problem, near = solved(np.column_stack([first, second, third]), y, family, 1e-10)
    other, far = solved(np.column_stack([first, rest, third]), y, family, 1e-10)
    assert all(status.usable for status in (*near.status, *far.status))
    for lane in range(4):
        raw, plain = problem.raw(near, lane).coefs, other.raw(far, lane).coefs
        expected = np.array([plain[0] - plain[1] / apart, plain[1] / apart, plain[2]])
        assert raw == pytest.approx(expected, rel=1e-5)  # 1e-10 of a gradient over 1e-10 of curvature
    assert near.eta is not None
    assert far.eta is not None
    assert np.abs(near.eta - far.eta).max() < 1e-6


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("degree", [3, 4, 5])
def test_powers_of_years_have_the_coefficients_of_powers_of_centred_ones(family: str, degree: int) -> None:
    rng = np.random.default_rng([5, degree])
    year = rng.integers(1950, 2021, 400).astype(float)
    since = (year - 1985.0) / 32.0  # exact, and so are the binomials below
    y = target(0.5 * since - 0.4 * since**2 + 0.3 * since**3, family, rng)
    powers = np.arange(1, degree + 1)
    problem, near = solved(year[:, None] ** powers, y, family)
    other, far = solved(since[:, None] ** powers, y, family)
    assert near.status[0].usable
    plain = [Fraction(float(value)) for value in other.raw(far, 0).coefs]
    expected = [
        sum(
            plain[power - 1] / 32**power * comb(power, at) * Fraction(-1985) ** (power - at)
            for power in range(at, degree + 1)
        )
        for at in powers.tolist()
    ]
    # What rounding x^degree alone leaves: its pivot is about 1e-3^degree.
    assert problem.raw(near, 0).coefs == pytest.approx([float(value) for value in expected], rel=1e-14 * 1e3**degree)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_way_without_an_end_stays_one(family: str) -> None:
    """Separated, and in columns that hardly differ."""
    rng = np.random.default_rng(8)
    first = rng.standard_normal(200)
    X = np.column_stack([first, first + 1e-5 * rng.standard_normal(200)])
    y = (first > 0).astype(float) * (1.0 if family == "binomial" else rng.integers(1, 4, 200))
    if family == "poisson":
        X[:, 1] = np.where(y > 0, 1.0, 0.0)
    _, step = solved(X, y, family)
    assert step.status[0] is Status.SEPARATED
