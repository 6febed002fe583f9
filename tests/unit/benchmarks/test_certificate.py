"""The certificate of the benchmarks against the oracle of the tests, which was written apart from it."""

import numpy as np
import pytest
from scipy import sparse

from benchmarks.certificate import make_lane, violations
from tests.oracle import Problem, solve, violation


def problem(family: str, l1_ratio: float, l2_scale: float = 1.0) -> Problem:
    rng = np.random.default_rng(7)
    X = rng.standard_normal((60, 8)) * np.geomspace(0.1, 10, 8) + np.arange(8)
    X[:, 5] = 3.0
    y = X[:, 0] * 20 - X[:, 2] + rng.standard_normal(60)
    y = y if family == "gaussian" else (y > np.median(y)).astype(np.float64)
    return Problem(X=X, y=y, lam=0.02, family=family, l1_ratio=l1_ratio, l2_scale=l2_scale)


@pytest.mark.parametrize("family", ["gaussian", "binomial"])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.0])
def test_it_says_what_the_oracle_says(family: str, l1_ratio: float) -> None:
    asked = problem(family, l1_ratio, 0.7)
    intercept, coefs = solve(asked)
    rng = np.random.default_rng(1)
    worse = [coefs, coefs * 1.01, np.where(np.arange(8) == 5, 0.0, rng.standard_normal(8))]
    models = np.array([np.append(intercept + 0.01 * at, some) for at, some in enumerate(worse)])
    lane = make_lane(asked.X, asked.y, family, np.ones(60, dtype=bool))
    found = violations(lane, models, np.full(3, asked.lam), l1_ratio, l2_scale=0.7)
    expected = [violation(asked, float(model[0]), model[1:]) for model in models]
    assert found[0] < 1e-9
    np.testing.assert_allclose(found[1:], expected[1:], rtol=1e-9)


def test_a_training_set_is_its_rows() -> None:
    asked = problem("gaussian", 0.5)
    rows = np.arange(60) % 3 != 0
    part = Problem(X=asked.X[rows], y=asked.y[rows], lam=0.3, l1_ratio=0.5)
    model = np.append(0.2, np.where(np.arange(8) < 5, 0.1, 0.0))[None]
    lane = make_lane(asked.X, asked.y, "gaussian", rows)
    found = violations(lane, model, np.array([0.3]), 0.5)
    np.testing.assert_allclose(found[0], violation(part, 0.2, model[0, 1:]), rtol=1e-10)


def test_columns_scaled_over_all_rows_are_penalised_as_such() -> None:
    asked = problem("gaussian", 0.5)
    scale = np.where(asked.X.std(axis=0) > 0, asked.X.std(axis=0), 1.0)
    rows = np.arange(60) % 3 != 0
    plain = Problem(X=asked.X[rows] / scale, y=asked.y[rows], lam=0.1, l1_ratio=0.5, standardize=False)
    coefs = np.where(np.arange(8) % 4 == 0, 0.3, 0.0)
    lane = make_lane(asked.X, asked.y, "gaussian", rows)
    found = violations(lane, np.append(0.1, coefs)[None], np.array([0.1]), 0.5, scale)
    np.testing.assert_allclose(found[0], violation(plain, 0.1, coefs * scale), rtol=1e-10)


def test_sparse_matrices_measure_as_dense_ones() -> None:
    rng = np.random.default_rng(2)
    X = rng.standard_normal((80, 30)) * (rng.random((80, 30)) < 0.2)
    y = (rng.random(80) < 0.5).astype(np.float64)
    rows = np.arange(80) % 4 != 1
    models = rng.standard_normal((3, 31))
    lambdas = np.array([0.1, 0.05, 0.02])
    dense = violations(make_lane(X, y, "binomial", rows), models, lambdas, 1.0)
    thin = violations(make_lane(sparse.csc_array(X), y, "binomial", rows), models, lambdas, 1.0)
    np.testing.assert_allclose(thin, dense, rtol=1e-10)
