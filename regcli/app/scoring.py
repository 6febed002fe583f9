"""Scores: of folds along a path, of one model on any rows."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from regcli.problem.folds import Splits
from regcli.problem.metrics import BETTER_HIGH, POINTWISE, area_under_curve, base_metric, transform, transform_error
from regcli.problem.objective import Objective
from regcli.problem.protocols import Array, Family, Integers
from regcli.results import Curve, Iterate

__all__ = ["FoldScores", "choose", "mean_of", "scored_by_row", "scores_of"]

#: cv.glmnet scores single rows rather than folds when folds have fewer rows than this on average.
LEAST_ROWS_A_FOLD = 3


def mean_of(family: Family, name: str, y: Array, eta: Array, weights: Array, threshold: float) -> float:
    """A metric before it is transformed: a weighted mean over rows, or the area under the curve."""
    if name == "auc":
        return area_under_curve(y, eta, weights)
    with np.errstate(over="ignore"):  # a mean beyond double precision has no score
        value = float(weights @ POINTWISE[name](family, y, eta, threshold) / weights.sum())
    return value if np.isfinite(value) else float("nan")


def scores_of(family: Family, y: Array, eta: Array, weights: Array, *, threshold: float) -> dict[str, float]:
    """Every metric of the family on some rows; r2 compares with their own mean."""
    used = weights > 0
    y, eta, weights = y[used], eta[used], weights[used]
    if not y.size:
        return dict.fromkeys(family.metrics, float("nan"))
    null = np.array(weights @ np.square(y - weights @ y / weights.sum()) / weights.sum())
    out = {}
    for name in family.metrics:
        value = mean_of(family, base_metric(name), y, eta, weights, threshold)
        out[name] = float(transform(name, np.array(value), null))
    return out


def scored_by_row(splits: Splits, metric: str) -> bool:
    """Whether the curve is made of rows rather than folds, because folds have so few of them."""
    tested = sum(int(np.bincount(part.block, part.test.sum(axis=0)[part.block]).sum()) for part in splits.partitions)
    return metric != "auc" and tested < LEAST_ROWS_A_FOLD * splits.n_folds


@dataclass
class _Group:
    """The folds of one partition: their lanes and rows, weights (k,), null mse (k,); what is kept of each strength.

    ``values`` are the metric on every fold (k,), ``etas`` the predictors of the folds' rows one after the other,
    ``kept`` what other metrics are computed from.
    """

    objective: Objective
    lanes: Integers
    rows: list[Integers]
    weights: Array
    null: Array
    repeat: int
    values: list[Array] = field(default_factory=list)
    etas: list[Array] = field(default_factory=list)
    kept: list[Array | Iterate] = field(default_factory=list)

    def least(self, step: Iterate) -> Array | Iterate:
        """What takes less memory of the models of a strength and their predictors of held-out rows."""
        lanes = self.objective.lanes.n_lanes
        if step.eta is not None and self.objective.y.size < lanes * self.objective.n_terms:
            return np.concatenate([np.zeros(0), *self.eta(step)])
        return replace(step, eta=None)

    def eta(self, step: Iterate) -> list[Array]:
        """Predictors of every fold's rows by the lane that has not seen them."""
        if step.eta is not None:
            return [step.eta[lane, rows] for lane, rows in zip(self.lanes, self.rows, strict=True)]
        out = [np.empty(rows.size) for rows in self.rows]
        for span, eta in self.objective.eta_by_parts(step.intercepts, step.coefs):
            for lane, rows, own in zip(self.lanes, self.rows, out, strict=True):
                begin, end = np.searchsorted(rows, [span.start, span.stop])
                own[begin:end] = eta[lane, rows[begin:end] - span.start]
        return out


@dataclass
class FoldScores:
    """Scores of every fold at every strength walked, and the curves they make.

    Partitions come one after the other: ``begin`` each, then ``add`` its strengths.

    Parameters
    ----------
    weights : (n,) array
        Weights of the rows in scores.
    metric : str
        What the choice is made by.
    threshold : float
        For accuracy.
    by_row : bool
        Whether the curve is made of rows, as cv.glmnet with grouped = FALSE.
    """

    weights: Array
    metric: str
    threshold: float
    by_row: bool
    _groups: list[_Group] = field(default_factory=list)

    def begin(self, objective: Objective, repeat: int) -> None:
        """Begin with the lanes of the next partition."""
        part = objective.lanes.partition
        lanes = np.flatnonzero(part.test.any(axis=1))
        rows = [np.flatnonzero(part.test[lane][part.block]) for lane in lanes]
        weights = np.array([self.weights[members].sum() for members in rows])
        null = np.array([self._null(objective, int(lane), members) for lane, members in zip(lanes, rows, strict=True)])
        self._groups.append(_Group(objective, lanes, rows, weights, null, repeat))

    def _null(self, objective: Objective, lane: int, rows: Integers) -> float:
        """Mean squared error on a fold of the mean of its training rows."""
        centre = float(objective.lanes.weights(lane) @ objective.y)
        weights = self.weights[rows]
        total = weights.sum()
        return float(weights @ np.square(objective.y[rows] - centre) / total) if total > 0 else float("nan")

    def add(self, step: Iterate) -> None:
        """Score one more strength."""
        group, name = self._groups[-1], base_metric(self.metric)
        if self.by_row:
            group.etas.append(np.concatenate([np.zeros(0), *group.eta(step)]))
            group.values.append(self._values(group, name, _parts(group, group.etas[-1])))
            return
        group.kept.append(group.least(step))
        squared = name in ("mse", "deviance") and group.objective.family.quadratic
        if squared and step.held_out is not None:
            group.values.append(step.held_out[group.lanes])
        else:
            group.values.append(self._values(group, name, group.eta(step)))

    def _values(self, group: _Group, name: str, etas: list[Array]) -> Array:
        """A metric on every fold (k,); nan without weight."""
        objective, out = group.objective, np.full(len(group.rows), np.nan)
        for k, (members, eta) in enumerate(zip(group.rows, etas, strict=True)):
            used = self.weights[members] > 0
            if used.any():
                rows = members[used]
                weights = self.weights[rows]
                out[k] = mean_of(objective.family, name, objective.y[rows], eta[used], weights, self.threshold)
        return out

    @property
    def folds(self) -> list[Integers]:
        """Rows of every fold so far."""
        return [rows for group in self._groups for rows in group.rows]

    @property
    def fold_weights(self) -> Array:
        """Weight of every fold (K,)."""
        return np.concatenate([np.zeros(0), *(group.weights for group in self._groups)])

    def fold_scores(self) -> Array:
        """Scores so far (t, K), before any transform."""
        return np.hstack([np.array(group.values) for group in self._groups if group.rows])

    def pooled(self, name: str | None = None, at: int | None = None) -> tuple[Array, Array]:
        """Mean and standard error (t,) so far, before any transform, as cv.glmnet computes them.

        Of repeats the mean is the mean of theirs and the standard error the root of their mean square, so that it does
        not shrink with their number. ``name`` and ``at`` ask for another metric at one strength.
        """
        name = base_metric(self.metric) if name is None else name
        repeats = sorted({group.repeat for group in self._groups})
        parts = [[g for g in self._groups if g.repeat == repeat and g.rows] for repeat in repeats]
        found = [self._of_rows(groups, name, at) if self._rowwise(name) else self._of_folds(groups, name, at)
                 for groups in parts]  # fmt: skip
        means, errors = np.array([pair[0] for pair in found]), np.array([pair[1] for pair in found])
        return means.mean(axis=0), np.sqrt(np.square(errors).mean(axis=0))

    def _rowwise(self, name: str) -> bool:
        return self.by_row and name != "auc"

    def _of_folds(self, groups: list[_Group], name: str, at: int | None) -> tuple[Array, Array]:
        """Means over folds and their standard errors."""
        if at is None:
            scores = np.hstack([np.array(group.values) for group in groups])
        else:
            scores = np.concatenate([self._values(group, name, self._etas(group, at)) for group in groups])[None]
        there = np.isfinite(scores)
        weights = np.where(there, np.concatenate([group.weights for group in groups]), 0.0)
        total = weights.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.einsum("tk,tk->t", np.where(there, scores, 0.0), weights) / total
            spread = np.where(there, np.square(scores - mean[:, None]), 0.0)
            se = np.sqrt(np.einsum("tk,tk->t", spread, weights) / total / (there.sum(axis=1) - 1))
        return mean, se

    def _of_rows(self, groups: list[_Group], name: str, at: int | None) -> tuple[Array, Array]:
        """Means over single rows and their standard errors, as cv.glmnet with grouped = FALSE."""
        rows = np.concatenate([members for group in groups for members in group.rows])
        y, share = groups[0].objective.y[rows], self.weights[rows] / self.weights[rows].sum()
        steps = range(len(groups[0].etas)) if at is None else [at]
        found = []
        for step in steps:
            eta = np.concatenate([group.etas[step] for group in groups])
            with np.errstate(over="ignore", invalid="ignore"):  # a loss beyond double precision has no mean
                losses = POINTWISE[name](groups[0].objective.family, y, eta, self.threshold)
                mean = float(share @ losses)
                found.append((mean, float(np.sqrt(share @ np.square(losses - mean) / (rows.size - 1)))))
        table = np.array(found)
        return table[:, 0], table[:, 1]

    def _etas(self, group: _Group, at: int) -> list[Array]:
        """Predictors of every fold's rows at one strength."""
        if self.by_row:
            return _parts(group, group.etas[at])
        kept = group.kept[at]
        return group.eta(kept) if isinstance(kept, Iterate) else _parts(group, kept)

    def pooled_null(self) -> float:
        """Null mse over all folds."""
        null, weights = np.concatenate([group.null for group in self._groups]), self.fold_weights
        there = np.isfinite(null)
        return float(null[there] @ weights[there] / weights[there].sum())

    def curve(self, lambdas: Array, n_nonzero: Integers, usable: Iterable[bool]) -> Curve:
        """The whole curve with the strengths the two rules choose."""
        mean, se = self.pooled()
        null = np.array(self.pooled_null())
        index_min, index_1se = choose(self.metric, mean, se, np.array(list(usable), dtype=bool))
        nulls = np.concatenate([group.null for group in self._groups])
        return Curve(
            metric=self.metric,
            lambdas=lambdas,
            mean=transform(self.metric, mean, null),
            se=transform_error(self.metric, se, mean, null),
            fold_scores=transform(self.metric, self.fold_scores().T, nulls[:, None]),
            fold_weights=self.fold_weights,
            n_nonzero=n_nonzero,
            index_min=index_min,
            index_1se=index_1se,
        )

    def at(self, index: int) -> dict[str, float]:
        """Every metric of the family at one strength, pooled over folds as the curve is."""
        null = np.array(self.pooled_null())
        out = {}
        for name in self._groups[0].objective.family.metrics:
            with np.errstate(invalid="ignore"):
                mean = self.pooled(base_metric(name), index)[0]
            out[name] = float(transform(name, mean, null)[0])
        return out


def _parts(group: _Group, eta: Array) -> list[Array]:
    """Predictors of the folds' rows, fold by fold."""
    ends = np.cumsum([rows.size for rows in group.rows], dtype=np.intp)
    return [eta[end - rows.size : end] for end, rows in zip(ends, group.rows, strict=True)]


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
