"""Every registered family: its derivatives, its links, its edges, its conjugate, its deviance."""

import numpy as np
import pytest

from regcli.problem.design import Dense
from regcli.problem.families import FAMILIES
from regcli.problem.folds import whole_partition
from regcli.problem.lanes import make_lanes
from regcli.problem.objective import Objective
from regcli.problem.protocols import Array, Family
from tests.tolerances import EXACT, REFERENCE, SOLVED

pytestmark = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES.keys())

#: Step of a central difference; its error is of the order of the step squared, and eps over the step.
STEP = 1e-5

#: Targets of each family, interior ones (shares, as weights of classes) too.
TARGETS = {
    "gaussian": np.array([-3.0, 0.0, 0.5, 40.0]),
    "binomial": np.array([0.0, 1.0, 0.3, 0.999]),
    "poisson": np.array([0.0, 1.0, 0.3, 40.0]),
}

#: Linear predictors at which nothing is saturated, and those at which everything is.
ORDINARY = np.linspace(-8.0, 8.0, 41)
EXTREME = np.array([-700.0, -40.0, -1e-300, 0.0, 1e-300, 40.0, 700.0])


def grid(family: Family, eta: Array) -> tuple[Array, Array]:
    """All pairs of a target and a linear predictor."""
    y, at = np.meshgrid(TARGETS[family.name], eta, indexing="ij")
    return y.ravel(), at.ravel()


def test_residual_is_minus_the_slope_of_the_loss(family: Family) -> None:
    y, eta = grid(family, ORDINARY)
    slope = (family.loss(y, eta + STEP) - family.loss(y, eta - STEP)) / (2 * STEP)
    scale = 1 + np.abs(family.loss(y, eta))
    assert np.abs(family.residual(y, eta) + slope).max() <= (REFERENCE * scale).max()
    assert np.all(np.abs(family.residual(y, eta) + slope) <= REFERENCE * scale)


def test_curvature_is_minus_the_slope_of_the_residual(family: Family) -> None:
    y, eta = grid(family, ORDINARY)
    slope = (family.residual(y, eta + STEP) - family.residual(y, eta - STEP)) / (2 * STEP)
    assert np.all(np.abs(family.curvature(y, eta) + slope) <= REFERENCE)
    assert np.all(family.curvature(y, eta) > 0)
    if family.quadratic:
        assert np.all(family.curvature(y, eta) == 1.0)


def test_the_link_undoes_the_mean(family: Family) -> None:
    for eta in ORDINARY:
        mean = float(family.mean(np.array([eta]))[0])
        assert family.link_of(mean) == pytest.approx(eta, abs=SOLVED)


def test_the_mean_is_the_target_minus_the_residual(family: Family) -> None:
    y, eta = grid(family, ORDINARY)
    assert np.allclose(family.mean(eta), y - family.residual(y, eta), rtol=0, atol=EXACT * np.abs(y).max())


def test_extreme_predictors_give_finite_numbers(family: Family) -> None:
    y, eta = grid(family, EXTREME)
    for values in (
        family.loss(y, eta),
        family.residual(y, eta),
        family.curvature(y, eta),
        family.mean(eta),
        family.deviance(y, eta),
    ):
        assert np.isfinite(values).all()
    assert np.all(family.curvature(y, eta) >= 0)
    assert np.all(family.loss(y, eta) >= family.saturated_loss(y) - EXACT)


def test_no_loss_is_below_the_saturated_one(family: Family) -> None:
    for y in TARGETS[family.name]:
        least = float(family.saturated_loss(np.array([y]))[0])
        reach = np.linspace(-60.0, 60.0, 24_001)
        if family.has_null(y):
            reach = np.append(reach, family.link_of(y))
        losses = family.loss(np.full(reach.size, y), reach)
        assert losses.min() >= least - EXACT
        assert losses.min() == pytest.approx(least, abs=REFERENCE)


def test_the_deviance_is_twice_the_excess_of_the_loss(family: Family) -> None:
    classes = np.array([0.0, 1.0])  # shares have no deviance of their own in cv.glmnet
    y, eta = np.repeat(classes, ORDINARY.size), np.tile(ORDINARY, 2)
    excess = 2 * (family.loss(y, eta) - family.saturated_loss(y))
    assert np.allclose(family.deviance(y, eta), excess, rtol=SOLVED, atol=EXACT)


def test_the_conjugate_and_the_loss_keep_fenchels_inequality(family: Family) -> None:
    y, eta = grid(family, ORDINARY)
    for theta in np.linspace(-2.0, 2.0, 81):
        at = np.full(y.size, theta)
        assert np.all(family.conjugate(y, at) + family.loss(y, eta) + theta * eta >= -EXACT * (1 + np.abs(eta * y)))


def test_fenchels_inequality_is_an_equality_at_the_residual(family: Family) -> None:
    y, eta = grid(family, ORDINARY)
    theta = family.residual(y, eta)
    gap = family.conjugate(y, theta) + family.loss(y, eta) + theta * eta
    assert np.all(np.abs(gap) <= 10 * EXACT * (1 + np.abs(family.loss(y, eta)) + np.abs(theta * eta)))


@pytest.mark.parametrize("offset_size", [0.0, 1.0, 30.0])
def test_the_null_model_has_no_score_left(family: Family, offset_size: float) -> None:
    rng = np.random.default_rng(7)
    n = 60
    y = {
        "gaussian": rng.standard_normal(n) + 100.0,
        "binomial": (rng.random(n) < 0.3).astype(float),
        "poisson": rng.poisson(2.0, n).astype(float),
    }[family.name]
    weights = rng.integers(0, 4, n).astype(float)
    offset = offset_size * rng.standard_normal(n)
    design = Dense(np.asfortranarray(rng.standard_normal((n, 2))), np.zeros(2))
    lanes = make_lanes(design, whole_partition(weights), intercept=True, standardized=np.ones(2, dtype=bool))
    objective = Objective(design, family, y, offset, lanes, intercept=True)
    null = objective.null()
    eta = offset + null.intercepts[0]
    level = float(lanes.weights(0) @ family.residual(y, eta))
    assert abs(level) <= EXACT * (1 + np.abs(y).max() + np.abs(eta).max())
    assert null.loss[0] == pytest.approx(float(lanes.weights(0) @ family.loss(y, eta)), rel=EXACT)
    score = objective.score(eta[None])[1]
    assert null.scale[0] == pytest.approx(np.abs(score).max(), rel=EXACT)


def test_a_step_that_buys_nothing_is_small(family: Family) -> None:
    assert family.gain_is_small([0.5] * 5)
    assert not family.gain_is_small([0.5, 0.6, 0.7, 0.8, 0.9])


def test_glmnets_poisson_rule_looks_back_four_strengths(family: Family) -> None:
    patient = family.name == "poisson"
    assert family.gain_is_small([0.5] * 4) != patient
    assert family.gain_is_small([0.5, 0.6, 0.6, 0.6, 0.6]) != patient
    assert family.gain_is_small([0.5, 0.6, 0.6, 0.6, 0.6, 0.60005]) == patient


def test_the_domain_is_where_a_loss_is_bounded(family: Family) -> None:
    inside = TARGETS[family.name]
    assert family.allows(inside).all()
    beyond = {"gaussian": [], "binomial": [-0.1, 1.1], "poisson": [-0.1]}[family.name]
    assert not family.allows(np.array(beyond)).any()
    assert family.has_null(0.5)
    assert family.has_null(0.0) == (family.name == "gaussian")


def test_information_is_minus_twice_the_log_likelihood(family: Family) -> None:
    """Differences between two models, from the densities."""
    rng = np.random.default_rng(2)
    y = np.abs(np.resize(TARGETS[family.name], 40).round())
    models = rng.standard_normal((2, 40)) + 0.5
    found, expected = [], []
    for eta in models:
        found.append(family.information(float(family.deviance(y, eta).mean()), 40.0))
        mu = family.mean(eta)
        if family.name == "gaussian":
            variance = np.square(y - mu).mean()
            expected.append(40 * np.log(variance) + np.square(y - mu).sum() / variance)
        elif family.name == "binomial":
            expected.append(-2 * (y * np.log(mu) + (1 - y) * np.log1p(-mu)).sum())
        else:
            expected.append(-2 * (y * np.log(mu) - mu).sum())
    assert found[0] - found[1] == pytest.approx(expected[0] - expected[1], rel=SOLVED)


def test_the_deviance_leads_the_metrics(family: Family) -> None:
    assert family.metrics[0] == "deviance"
