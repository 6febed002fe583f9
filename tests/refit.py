"""Cross-validation written a second time: every fold refitted from raw rows, with pandas and numpy alone.

A training set is a vector of weights over all rows, zero where a row is held out. From it alone come the values that
fill missing cells; the columns are built from the filled table, cell by cell; ``tests/oracle.py`` centres, scales and
solves; the held-out rows are scored by the definitions. Nothing here is the package's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import fsum
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tests import oracle

__all__ = ["Curve", "Fold", "Recipe", "Study", "Term", "cross_validate", "folds_in_time", "folds_of", "matrix", "terms"]

Vector = NDArray[np.float64]
Rows = NDArray[np.intp]

#: Parts of a product: (column, power) of a number, (column, level) of a category, (column, None) where it is missing.
Part = tuple[str, int | str | None]
Term = tuple[Part, ...]


# -- columns ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Recipe:
    """What becomes of columns; ``policy`` is for missing cells, ``reference`` leaves out first levels."""

    features: tuple[str, ...]
    policy: str = "mean"
    degree: int = 1
    pairs: tuple[tuple[str, str], ...] = ()
    reference: bool = False


def is_number(column: "pd.Series[Any]") -> bool:
    return pd.api.types.is_numeric_dtype(column)


def terms(table: pd.DataFrame, recipe: Recipe, weights: Vector) -> list[Term]:
    """The terms that all rows with weight call for, in order."""
    seen = table[weights > 0]
    plain: dict[str, list[Part]] = {}
    out: list[Term] = []
    for name in recipe.features:
        cells = seen[name].dropna()
        if is_number(table[name]):
            powers = min(recipe.degree, cells.nunique() - 1)
            parts: list[Part] = [(name, power) for power in range(1, powers + 1)]
            plain[name] = parts[:1]
        else:
            levels = sorted(cells.unique())
            parts = [(name, level) for level in (levels[1:] if len(levels) == 2 or recipe.reference else levels)]
            plain[name] = parts
        flagged = recipe.policy == "indicator" and 0 < seen[name].isna().sum() < len(seen)
        out += [(part,) for part in parts] + ([((name, None),)] if flagged else [])
    products = [(one, other) for left, right in recipe.pairs for one in plain[left] for other in plain[right]]
    values = matrix(table, recipe, [*out, *products], weights)[weights > 0]
    varies = values.min(axis=0) < values.max(axis=0)
    return [*out, *(term for term, there in zip(products, varies[len(out) :], strict=True) if there)]


def names(found: Sequence[Term]) -> list[str]:
    """What terms are called."""
    return [":".join(_name(*part) for part in term) for term in found]


def _name(column: str, what: int | str | None) -> str:
    if what is None:
        return f"missing({column})"
    if isinstance(what, str):
        return f"{column}={what}"
    return column if what == 1 else f"{column}^{what}"


def matrix(table: pd.DataFrame, recipe: Recipe, found: Sequence[Term], weights: Vector) -> Vector:
    """The columns (n, p) of all rows, filled with what the rows with weight teach."""
    flagged = {term[0][0] for term in found if term[0][1] is None}
    known: dict[Part, Vector] = {}
    for part in {part for term in found for part in term}:
        known[part] = _column(table[part[0]], part[1], recipe.policy, weights, flagged=part[0] in flagged)
    out = np.ones((len(table), len(found)))
    for at, term in enumerate(found):
        for part in term:
            out[:, at] = out[:, at] * known[part]
    return out


def _column(column: "pd.Series[Any]", what: int | str | None, policy: str, weights: Vector, *, flagged: bool) -> Vector:
    """One part, row by row."""
    gaps = column.isna().to_numpy()
    if what is None:
        return gaps.astype(float)
    there = ~gaps & (weights > 0)
    cells, own = column[there].tolist(), weights[there].tolist()
    if isinstance(what, int):
        middle = _median if policy == "median" else _mean
        filled = np.where(gaps, middle(cells, own), column.fillna(0.0).to_numpy(dtype=float))
        return np.asarray([float(np.prod([value] * what)) for value in filled])
    fill = 0.0 if flagged else _level(what, cells, own, policy)
    return np.where(gaps, fill, (column == what).to_numpy(dtype=float))


def _mean(cells: list[float], weights: list[float]) -> float:
    if not cells or min(cells) == max(cells):
        return cells[0] if cells else 0.0
    return fsum(cell * weight for cell, weight in zip(cells, weights, strict=True)) / fsum(weights)


def _median(cells: list[float], weights: list[float]) -> float:
    """The first cell that has, with those below it, half of the weight; midway to the next where that is exact."""
    pairs = sorted((cell, Fraction(repr(weight))) for cell, weight in zip(cells, weights, strict=True))
    total, below = sum((weight for _, weight in pairs), Fraction(0)), Fraction(0)
    for at, (cell, weight) in enumerate(pairs):
        below += weight
        if 2 * below == total and at + 1 < len(pairs):
            return (cell + pairs[at + 1][0]) / 2
        if 2 * below >= total:
            return cell
    return 0.0


def _level(level: str, cells: list[str], weights: list[float], policy: str) -> float:
    """Share of a level, or with medians 1 for the first of the most frequent."""
    totals: dict[str, Fraction] = {name: Fraction(0) for name in sorted(set(cells))}
    for cell, weight in zip(cells, weights, strict=True):
        totals[cell] += Fraction(repr(weight))
    if not totals:
        return 0.0
    if policy == "median":
        return float(level == max(totals, key=totals.__getitem__))
    return float(totals.get(level, Fraction(0)) / sum(totals.values()))


# -- folds -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fold:
    """Rows trained on and rows held out, and the repeat this belongs to."""

    train: Rows
    test: Rows
    repeat: int = 0


def folds_of(labels: Sequence[int] | Rows, repeat: int = 0) -> list[Fold]:
    """A fold for every label."""
    folds = np.asarray(labels)
    return [Fold(np.flatnonzero(folds != k), np.flatnonzero(folds == k), repeat) for k in np.unique(folds)]


def folds_in_time(times: Sequence[int], count: int, gap: int = 0, window: int | None = None) -> list[Fold]:
    """Folds at the end of time, each tested by the rows before it less the gap; equal times stay together."""
    order = sorted(range(len(times)), key=lambda row: (times[row], row))
    nominal = [len(order) - k * (len(order) // (count + 1)) for k in range(count, 0, -1)]
    starts = [sum(time < times[order[start]] for time in times) for start in nominal]
    out = []
    for start, end in zip(starts, [*starts[1:], len(order)], strict=True):
        train = order[: start - gap]
        train = train if window is None else train[-window:]
        out.append(Fold(np.sort(train).astype(np.intp), np.sort(order[start:end]).astype(np.intp)))
    return out


# -- fits and scores -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Study:
    """A table with what is fitted on it.

    ``y`` (n,) is numeric, ``weights`` those of the fit and ``scored`` those of the scores, ``how`` further fields of
    the oracle's problem. ``spread`` divides the L2 part by the target's sd, training set by training set.
    """

    table: pd.DataFrame
    recipe: Recipe
    y: Vector
    family: str
    weights: Vector
    scored: Vector
    offset: Vector
    l1_ratio: float
    spread: bool = False
    how: dict[str, Any] = field(default_factory=dict)

    def terms(self) -> list[Term]:
        """Terms of the whole fit."""
        return terms(self.table, self.recipe, self.weights)

    def weights_of(self, fold: Fold) -> Vector:
        """Training weights, zero for all other rows."""
        out = np.zeros(len(self.y))
        out[fold.train] = self.weights[fold.train]
        return out

    def columns(self, fold: Fold) -> Vector:
        """All rows (n, p) as the fold's training rows make them."""
        return matrix(self.table, self.recipe, self.terms(), self.weights_of(fold))

    def problem(self, X: Vector, rows: Rows, lam: float) -> oracle.Problem:
        """One fold's problem at one strength."""
        y, weights, offset = self.y[rows], self.weights[rows], self.offset[rows]
        scale = 1.0
        if self.spread:
            centre = np.average(y - offset, weights=weights)
            scale = 1.0 / float(np.sqrt(np.average((y - offset - centre) ** 2, weights=weights)))
        return oracle.Problem(
            X=X[rows],
            y=y,
            lam=lam,
            family=self.family,
            l1_ratio=self.l1_ratio,
            weights=weights,
            offset=offset,
            l2_scale=scale,
            **self.how,
        )

    def predictors(self, fold: Fold, lams: Sequence[float]) -> Vector:
        """Linear predictors (T, k) of the rows held out."""
        X = self.columns(fold)
        out = []
        for lam in lams:
            intercept, coefs = oracle.solve(self.problem(X, fold.train, lam), tol=1e-13)
            out.append(self.offset[fold.test] + intercept + X[fold.test] @ coefs)
        return np.array(out)


@dataclass(frozen=True)
class Curve:
    """What cross-validation says: mean and se (T,), scores (K, T) with nan where a fold has no weight."""

    mean: Vector
    se: Vector
    fold_scores: Vector
    fold_weights: Vector


def losses(family: str, metric: str, y: Vector, eta: Vector) -> Vector:
    """Loss of each row."""
    mu = eta if family == "gaussian" else np.exp(eta) if family == "poisson" else 1 / (1 + np.exp(-eta))
    if metric == "mae":
        return np.abs(y - mu)
    if metric in ("mse", "r2", "rmse") or family == "gaussian":
        return (y - mu) ** 2
    if metric == "logloss":
        return np.log1p(np.exp(-np.where(y == 1, eta, -eta)))
    if family == "poisson":
        return 2 * (np.where(y > 0, y * np.log(np.where(y > 0, y, 1) / mu), 0.0) - y + mu)
    p = np.clip(mu, 1e-5, 1 - 1e-5)
    return -2 * np.log(np.where(y == 1, p, 1 - p))


def _area(y: Vector, eta: Vector, weights: Vector) -> float:
    """The share of pairs in the right order, by weight, pair by pair."""
    events, others = (y == 1) & (weights > 0), (y == 0) & (weights > 0)
    if not (events.any() and others.any()):
        return float("nan")
    right = (eta[events][:, None] > eta[others]) + 0.5 * (eta[events][:, None] == eta[others])
    return float(weights[events] @ right @ weights[others] / weights[events].sum() / weights[others].sum())


def cross_validate(study: Study, folds: Sequence[Fold], lams: Sequence[float], metric: str = "deviance") -> Curve:
    """Refit every fold at every strength and score the rows held out."""
    scores, row_losses = np.full((len(folds), len(lams)), np.nan), []
    weights = np.array([study.scored[fold.test].sum() for fold in folds])
    for k, fold in enumerate(folds):
        eta = study.predictors(fold, lams)
        y, own = study.y[fold.test], study.scored[fold.test]
        row_losses.append(np.array([losses(study.family, metric, y, row) for row in eta]))
        if weights[k] > 0 and metric == "auc":
            scores[k] = [_area(y, row, own) for row in eta]
        elif weights[k] > 0:
            scores[k] = row_losses[k] @ own / weights[k]
    repeats = sorted({fold.repeat for fold in folds})
    by_row = metric != "auc" and sum(fold.test.size for fold in folds) < 3 * len(folds)
    pairs = []
    for repeat in repeats:
        those = [k for k, fold in enumerate(folds) if fold.repeat == repeat]
        if by_row:
            values = np.concatenate([row_losses[k] for k in those], axis=1)
            held = np.concatenate([study.scored[folds[k].test] for k in those])
            pairs.append(_pooled(values, held, np.full(len(lams), held.size)))
        else:
            there = np.isfinite(scores[those]).T
            values = np.where(there, scores[those].T, 0.0)
            pairs.append(_pooled(values, np.where(there, weights[those], 0.0), there.sum(axis=1)))
    mean = np.mean([pair[0] for pair in pairs], axis=0)
    se = np.sqrt(np.mean([pair[1] ** 2 for pair in pairs], axis=0))
    curve = Curve(mean, se, scores, weights)
    return _explained(study, folds, curve) if metric == "r2" else curve


def _explained(study: Study, folds: Sequence[Fold], curve: Curve) -> Curve:
    """Squared errors as shares explained, against the means of the training rows."""
    null = np.array([
        np.average(
            (study.y[fold.test] - np.average(study.y[fold.train], weights=study.weights[fold.train])) ** 2,
            weights=study.scored[fold.test],
        )
        for fold in folds
    ])  # fmt: skip
    pooled = np.average(null, weights=curve.fold_weights)
    return Curve(1 - curve.mean / pooled, curve.se / pooled, 1 - curve.fold_scores / null[:, None], curve.fold_weights)


def _pooled(values: Vector, weights: Vector, count: Rows) -> tuple[Vector, Vector]:
    """Mean and standard error (T,) of values (T, k), as cv.glmnet has them; ``count`` (T,) of them count."""
    share = np.broadcast_to(weights, values.shape)
    share = share / share.sum(axis=1, keepdims=True)
    mean = (share * values).sum(axis=1)
    spread = (share * (values - mean[:, None]) ** 2).sum(axis=1)
    return mean, np.sqrt(spread / (count - 1))
