"""Scores: of folds along a path, of one model on any rows."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from regcli.problem.metrics import BETTER_HIGH, POINTWISE, area_under_curve, base_metric, transform, transform_error
from regcli.problem.objective import Objective
from regcli.problem.protocols import Array, Family, Integers
from regcli.results import Curve, Iterate

__all__ = ["FoldScores", "mean_of", "scores_of"]

#: cv.glmnet scores single rows rather than folds when folds have fewer rows than this on average.
LEAST_ROWS_A_FOLD = 3


def mean_of(family: Family, name: str, y: Array, eta: Array, weights: Array, threshold: float) -> float:
    """A metric before it is transformed: a weighted mean over rows, or the area under the curve."""
    if name == "auc":
        return area_under_curve(y, eta, weights)
    return float(weights @ POINTWISE[name](family, y, eta, threshold) / weights.sum())


def scores_of(
    family: Family, y: Array, eta: Array, weights: Array, *, threshold: float, centre: float
) -> dict[str, float]:
    """Every metric of the family on some rows. ``centre`` is the mean that r2 compares with."""
    used = weights > 0
    y, eta, weights = y[used], eta[used], weights[used]
    if not y.size:
        return dict.fromkeys(family.metrics, float("nan"))
    null = np.array(weights @ np.square(y - centre) / weights.sum())
    out = {}
    for name in family.metrics:
        value = mean_of(family, base_metric(name), y, eta, weights, threshold)
        out[name] = float(transform(name, np.array(value), null))
    return out


@dataclass
class FoldScores:
    """Scores of every fold at every strength walked, and the curves they make.

    Parameters
    ----------
    objective : Objective
        With lane k + 1 testing on fold k.
    folds : (n,) integers
        Fold of each row.
    weights : (n,) array
        Weights of the rows in scores.
    metric : str
        What the choice is made by.
    threshold : float
        For accuracy.
    """

    objective: Objective
    folds: Integers
    weights: Array
    metric: str
    threshold: float
    _folds: list[Array] = field(default_factory=list)
    _rows: list[tuple[float, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Settle the rows and weights of every fold."""
        self.count = self.objective.lanes.n_lanes - 1
        self.fold_rows = [np.flatnonzero(self.folds == k) for k in range(self.count)]
        self.fold_weights = np.array([self.weights[rows].sum() for rows in self.fold_rows])
        self.null = np.array([self._null(k) for k in range(self.count)])
        self.by_row = self.folds.size / self.count < LEAST_ROWS_A_FOLD and self.metric != "auc"

    def _null(self, fold: int) -> float:
        """Mean squared error on a fold of the mean of its training rows."""
        y, rows = self.objective.y, self.fold_rows[fold]
        centre = float(self.objective.lanes.weights(fold + 1) @ y)
        weights = self.weights[rows]
        return float(weights @ np.square(y[rows] - centre) / weights.sum()) if weights.sum() > 0 else float("nan")

    def add(self, step: Iterate) -> None:
        """Score one more strength."""
        name = base_metric(self.metric)
        squared = name in ("mse", "deviance") and self.objective.family.quadratic
        if squared and step.held_out is not None and not self.by_row:
            self._folds.append(step.held_out[1:])
            return
        eta = self.objective.eta(step.intercepts, step.coefs) if step.eta is None else step.eta
        self._folds.append(self._fold_means(name, eta))
        if self.by_row:
            self._rows.append(self._row_mean(name, eta))

    def _fold_means(self, name: str, eta: Array) -> Array:
        """A metric on every fold (K,), by the lane that has not seen it; nan without weight."""
        family, out = self.objective.family, np.full(self.count, np.nan)
        for k, members in enumerate(self.fold_rows):
            rows = members[self.weights[members] > 0]
            if rows.size:
                y, weights = self.objective.y[rows], self.weights[rows]
                out[k] = mean_of(family, name, y, eta[k + 1, rows], weights, self.threshold)
        return out

    def _row_mean(self, name: str, eta: Array) -> tuple[float, float]:
        """Mean over single rows and its standard error, as cv.glmnet with grouped = FALSE."""
        own = eta[self.folds + 1, np.arange(self.folds.size)]
        losses = POINTWISE[name](self.objective.family, self.objective.y, own, self.threshold)
        share = self.weights / self.weights.sum()
        mean = float(share @ losses)
        return mean, float(np.sqrt(share @ np.square(losses - mean) / (self.folds.size - 1)))

    def pooled(self) -> tuple[Array, Array]:
        """Mean and standard error (t,) so far, before any transform, as cv.glmnet computes them."""
        if self.by_row:
            rows = np.array(self._rows)
            return rows[:, 0], rows[:, 1]
        scores = np.array(self._folds)
        there = np.isfinite(scores)
        weights = np.where(there, self.fold_weights, 0.0)
        total = weights.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.where(there, scores, 0.0)
            mean = np.einsum("tk,tk->t", mean, weights) / total
            spread = np.where(there, np.square(scores - mean[:, None]), 0.0)
            se = np.sqrt(np.einsum("tk,tk->t", spread, weights) / total / (there.sum(axis=1) - 1))
        return mean, se

    def fold_scores(self) -> Array:
        """Scores so far (t, K), before any transform."""
        return np.array(self._folds)

    def pooled_null(self) -> float:
        """Null mse over all folds."""
        there = np.isfinite(self.null)
        return float(self.null[there] @ self.fold_weights[there] / self.fold_weights[there].sum())

    def curve(self, lambdas: Array, n_nonzero: Integers, usable: Iterable[bool]) -> Curve:
        """The whole curve with the strengths the two rules choose."""
        mean, se = self.pooled()
        null = np.array(self.pooled_null())
        index_min, index_1se = choose(self.metric, mean, se, np.array(list(usable), dtype=bool))
        return Curve(
            metric=self.metric,
            lambdas=lambdas,
            mean=transform(self.metric, mean, null),
            se=transform_error(self.metric, se, mean, null),
            fold_scores=transform(self.metric, self.fold_scores().T, self.null[:, None]),
            fold_weights=self.fold_weights,
            n_nonzero=n_nonzero,
            index_min=index_min,
            index_1se=index_1se,
        )

    def at(self, step: Iterate) -> dict[str, float]:
        """Every metric of the family at one strength, pooled over folds as the curve is."""
        eta = self.objective.eta(step.intercepts, step.coefs) if step.eta is None else step.eta
        null = np.array(self.pooled_null())
        out = {}
        for name in self.objective.family.metrics:
            base = base_metric(name)
            scores = self._fold_means(base, eta)
            there = np.isfinite(scores)
            total = self.fold_weights[there].sum()
            value = float(scores[there] @ self.fold_weights[there] / total) if total > 0 else float("nan")
            if self.by_row and base != "auc":
                value = self._row_mean(base, eta)[0]
            out[name] = float(transform(name, np.array(value), null))
        return out


def choose(metric: str, mean: Array, se: Array, usable: Array) -> tuple[int | None, int | None]:
    """Indices of the best strength (the largest of equals) and of the largest within one standard error of it.

    rmse and r2 are chosen by the mse they are made from.
    """
    cost = -mean if base_metric(metric) in BETTER_HIGH else mean
    cost = np.where(usable & np.isfinite(mean), cost, np.inf)
    if not np.isfinite(cost).any():
        return None, None
    best = int(np.argmin(cost))
    bar = cost[best] + (se[best] if np.isfinite(se[best]) else 0.0)
    return best, int(np.flatnonzero(cost <= bar)[0])
