"""Metrics that are made from others."""

import numpy as np
import pytest

from regcli.problem.families import FAMILIES
from regcli.problem.metrics import BETTER_HIGH, POINTWISE, base_metric, transform, transform_error
from tests.tolerances import EXACT


def test_every_metric_of_every_family_can_be_computed() -> None:
    for family in FAMILIES.values():
        for name in family.metrics:
            assert base_metric(name) in POINTWISE or name == "auc"


def test_rmse_and_r2_come_from_mse() -> None:
    value, null = np.array([4.0, 0.0]), np.array([8.0, 8.0])
    assert transform("rmse", value, null).tolist() == [2.0, 0.0]
    assert transform("r2", value, null).tolist() == [0.5, 1.0]
    assert transform("mae", value, null) is value
    assert transform("r2", np.array([1.0, 1.0 - 1e-16, 1.0 + 3e-16, 1.0 - 1e-12]), np.ones(4)).tolist() == [
        0,
        0,
        0,
        1.0 - (1.0 - 1e-12),
    ]
    assert {base_metric(name) for name in ("mse", "rmse", "r2")} == {"mse"}
    assert base_metric("auc") == "auc"


def test_r2_of_a_constant_target_has_no_value() -> None:
    assert np.isnan(transform("r2", np.array([4.0]), np.array([0.0]))).all()
    assert np.isnan(transform_error("r2", np.array([1.0]), np.array([4.0]), np.array([0.0]))).all()


def test_errors_are_carried_over_to_first_order() -> None:
    value, null, error = np.array([4.0]), np.array([8.0]), np.array([1e-6])
    for name in ("rmse", "r2", "mse"):
        moved = transform(name, value + error, null) - transform(name, value, null)
        assert transform_error(name, error, value, null) == pytest.approx(np.abs(moved), rel=1e-6)
    assert transform_error("rmse", error, np.array([0.0]), null).tolist() == [0.0]


def test_the_direction_of_metrics() -> None:
    assert set(BETTER_HIGH) == {"r2", "auc", "accuracy"}


def test_a_threshold_decides_what_is_correct() -> None:
    family, y = FAMILIES["binomial"], np.array([1.0, 1.0, 0.0, 0.0])
    eta = np.array([1.0, -1.0, 1.0, -1.0])
    assert POINTWISE["accuracy"](family, y, eta, 0.5).tolist() == [1.0, 0.0, 0.0, 1.0]
    assert POINTWISE["accuracy"](family, y, eta, 0.2).tolist() == [1.0, 1.0, 0.0, 0.0]
    assert POINTWISE["accuracy"](family, y[:1], np.zeros(1), 0.5).tolist() == [1.0]  # at the threshold: the event


def test_the_deviance_is_clipped_as_in_glmnet_and_the_logloss_is_not() -> None:
    family, y, eta = FAMILIES["binomial"], np.array([1.0]), np.array([-40.0])
    assert POINTWISE["deviance"](family, y, eta, 0.5)[0] == pytest.approx(-2 * np.log(1e-5), rel=EXACT)
    assert POINTWISE["logloss"](family, y, eta, 0.5)[0] == pytest.approx(40.0, rel=EXACT)
