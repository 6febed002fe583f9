"""Scores of predictions, by name. Most are weighted means over rows; the others are made from those, or from ranks."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from regcli.problem.protocols import Array, Family

__all__ = ["BETTER_HIGH", "POINTWISE", "THRESHOLD", "area_under_curve", "base_metric", "transform", "transform_error"]

Losses = Callable[[Family, Array, Array, float], Array]

#: The probability from which a row is called positive, unless another is asked for: the likelier class.
THRESHOLD = 0.5

#: Metrics that are better when larger.
BETTER_HIGH = frozenset({"r2", "auc", "accuracy"})

#: A share of the variance below which nothing is explained: two sums over the same million rows differ by less.
_ROUNDING = 1e-14


def _correct(family: Family, y: Array, eta: Array, threshold: float) -> Array:
    return ((family.mean(eta) >= threshold) == (y > 0)).astype(np.float64)


#: Metrics that are means over rows: name -> f(family, y (n,), eta (..., n), threshold) giving one value a row.
POINTWISE: Mapping[str, Losses] = MappingProxyType(
    {
        "deviance": lambda family, y, eta, _: family.deviance(y, eta),
        "mse": lambda family, y, eta, _: np.square(y - family.mean(eta)),
        "mae": lambda family, y, eta, _: np.abs(y - family.mean(eta)),
        "logloss": lambda family, y, eta, _: family.loss(y, eta) - family.saturated_loss(y),
        "brier": lambda family, y, eta, _: np.square(y - family.mean(eta)),
        "accuracy": _correct,
    }
)


def base_metric(name: str) -> str:
    """The metric a transformed one is made from: mse for rmse and r2, else itself."""
    return "mse" if name in ("rmse", "r2") else name


def transform(name: str, value: Array, null: Array) -> Array:
    """A pooled mse as rmse or r2; other metrics as they are. ``null`` is the mse of the training mean."""
    if name == "rmse":
        return np.sqrt(value)
    if name == "r2":
        with np.errstate(divide="ignore", invalid="ignore"):
            explained = np.where(null > 0, 1.0 - value / null, np.nan)
        return np.where(np.abs(explained) < _ROUNDING, 0.0, explained)
    return value


def transform_error(name: str, error: Array, value: Array, null: Array) -> Array:
    """Standard error of a transformed metric to first order: se / (2 rmse) and se / null."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if name == "rmse":
            return np.where(value > 0, error / (2.0 * np.sqrt(value)), 0.0)
        if name == "r2":
            return np.where(null > 0, error / null, np.nan)
    return error


def area_under_curve(y: Array, eta: Array, weights: Array) -> float:
    """Weighted probability that an event outranks a non-event, ties counting one half; nan with one class.

    Costs O(n log n).
    """
    used = weights > 0
    y, eta, weights = y[used], eta[used], weights[used]
    order = np.argsort(eta, kind="stable")
    y, eta, weights = y[order], eta[order], weights[order]
    starts = np.flatnonzero(np.append(True, np.diff(eta) != 0)) if eta.size else np.zeros(0, dtype=np.intp)
    events = np.add.reduceat(weights * y, starts) if eta.size else np.zeros(0)
    others = np.add.reduceat(weights * (1.0 - y), starts) if eta.size else np.zeros(0)
    total = float(events.sum() * others.sum())
    if total <= 0:
        return float("nan")
    below = np.cumsum(others) - others
    return float(np.sum(events * (below + 0.5 * others))) / total
