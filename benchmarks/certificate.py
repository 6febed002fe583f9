"""How far models are from the conditions of optimality, for every tool by the same lines.

Written from the definition alone and shares no code with the package. The objective in a training set is

    sum_i w_i loss(y_i, b0 + x_i'b) + lam sum_j [ ratio |u_j| + (1 - ratio)/2 l2_scale u_j^2 ],  u_j = scale_j b_j,

with weights of sum one; scale_j is the column's sd in the training set for tools that standardize there (regcli and
glmnet) and in all rows for those that were given standardized columns. The violation is the largest distance of a
partial derivative from the subdifferential, in units of the column over its sd in the training set, over the largest
derivative of any column at the model of the intercept alone.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

__all__ = ["Lane", "make_lane", "violations"]

Array = NDArray[np.float64]
Matrix = Array | sparse.csc_array

#: Columns whose statistics are taken at a time.
COLUMNS = 500


@dataclass(frozen=True)
class Lane:
    """A training set: weights (n,), centres and sds (p,) of the columns, 0 for a constant one, and the null scale."""

    X: Matrix
    y: Array
    family: str
    weights: Array
    centre: Array
    sd: Array
    null: float

    @property
    def spread(self) -> float:
        """The 1/n sd of the target in the training set."""
        mean = self.weights @ self.y
        return float(np.sqrt(self.weights @ np.square(self.y - mean)))


def make_lane(X: Matrix, y: Array, family: str, rows: NDArray[np.bool_]) -> Lane:
    """Measure the columns and the null model of the rows (n,) that are trained on."""
    weights = rows / np.count_nonzero(rows)
    centre, sd = _statistics(X, weights)
    lane = Lane(X, y, family, weights, centre, sd, 1.0)
    level = np.full(y.size, float(weights @ y))
    return Lane(X, y, family, weights, centre, sd, float(np.abs(_slopes(lane, (y - level)[:, None])[0]).max()))


def violations(
    lane: Lane, models: Array, lambdas: Array, l1_ratio: float, scale: Array | None = None, l2_scale: float = 1.0
) -> Array:
    """The violation (T,) of models (T, 1 + p), intercept first, as they are written on the scale of the data.

    Parameters
    ----------
    lane : Lane
        The training set.
    models : (T, 1 + p) array
        One a strength.
    lambdas : (T,) array
        Strengths.
    l1_ratio : float
        Share of L1.
    scale : (p,) array, optional
        What a coefficient is multiplied by before it is penalised; the lane's sds unless given.
    l2_scale : float
        Factor of the L2 part: 1 over ``lane.spread`` for glmnet's gaussian family.
    """
    eta = np.asarray(lane.X @ models[:, 1:].T) + models[:, 0]
    mean = eta if lane.family == "gaussian" else 1.0 / (1.0 + np.exp(-eta))
    score, level = _slopes(lane, lane.y[:, None] - mean)
    live = lane.sd > 0
    sd = np.where(live, lane.sd, 1.0)
    unit = np.where(live, 1.0 if scale is None else scale / sd, 1.0)
    coefs = models[:, 1:] * sd
    l1 = lambdas[:, None] * (l1_ratio * unit)
    slope = score - lambdas[:, None] * ((1.0 - l1_ratio) * l2_scale * unit**2) * coefs
    distance = np.where(coefs != 0, np.abs(slope - l1 * np.sign(coefs)), np.maximum(np.abs(slope) - l1, 0.0))
    worst = np.where(live, distance, 0.0).max(axis=1)
    return np.maximum(worst, np.abs(level)) / lane.null


def _statistics(X: Matrix, weights: Array) -> tuple[Array, Array]:
    """Weighted means and sds of the columns, about the mean; of sparse ones from sums, as their means are small."""
    if not isinstance(X, np.ndarray):
        centre = np.asarray(X.T @ weights)
        square = np.asarray(X.multiply(X).T @ weights) - centre**2
        return centre, np.where(square > 0, np.sqrt(np.maximum(square, 0.0)), 0.0)
    used = weights > 0
    centre, sd = np.empty(X.shape[1]), np.empty(X.shape[1])
    for start in range(0, X.shape[1], COLUMNS):
        part = slice(start, start + COLUMNS)
        block = X[used, part]
        centre[part] = block.mean(axis=0)
        sd[part] = np.where(block.max(axis=0) > block.min(axis=0), block.std(axis=0), 0.0)
    return centre, sd


def _slopes(lane: Lane, residual: Array) -> tuple[Array, Array]:
    """Minus the gradient: (T, p) for columns centred and over their sd, (T,) for the intercept."""
    pull = residual * lane.weights[:, None]
    level = pull.sum(axis=0)
    products = np.asarray(lane.X.T @ pull).T - level[:, None] * lane.centre
    return np.where(lane.sd > 0, products / np.where(lane.sd > 0, lane.sd, 1.0), 0.0), level
