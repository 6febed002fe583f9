"""Least squares without a penalty, by orthogonal factors; never through a Gram matrix.

Each block of rows gives the R factor of [1, X, y], columns shifted and scaled; a lane's factor is that of its training
blocks' factors on top of each other. One step of refinement, with residuals in twice the working precision, brings the
digits that scaling and centring alone leave out.

References
----------
.. [1] Demmel, Grigori, Hoemmen, Langou (2012), "Communication-optimal parallel and sequential QR and LU
   factorizations", SIAM J. Sci. Comput. 34(1). doi:10.1137/080731992 (factors of blocks merge).
.. [2] Dekker (1971), "A floating-point technique for extending the available precision", Numer. Math. 18.
   doi:10.1007/BF01397083 (the product of two doubles as a sum of two doubles).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from regcli.problem.objective import Objective
from regcli.problem.protocols import Array, Integers
from regcli.results import Dependence, Iterate, columns_aside
from regcli.solvers.dependence import NEARLY, dependences, find_independent, is_dependent, pivots, triangle
from regcli.solvers.engine import Problem, RawModel, status_of

__all__ = ["Direct"]

#: Always refine problems with at most this many products of rows, columns and lanes: it costs a few milliseconds.
ALWAYS_REFINE = 2_000_000

#: Larger ones are refined when a pivot is below this share of its column: three digits of eight would be lost.
ILL_CONDITIONED = 1e-5

#: Steps along the exact gradient; the second already changes nothing on the problems of NIST.
GRADIENT_STEPS = 3

#: Rows whose residuals are taken at a time.
ROWS = 4096

#: Dekker's splitting constant for 53-bit numbers, 2^27 + 1.
SPLITTER = 134_217_729.0


class Direct:
    """Engine for the gaussian family without penalty or limits, at strength 0.

    Notes
    -----
    Costs O(n p^2) once for all lanes and O(B p^3) for merging B blocks. A column that depends on those before it is set
    aside (``aliased``), the later one of any pair; see ``find_independent``.
    """

    name = "direct"
    batch = 1

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._rows = problem.objective.lanes.partition.block_rows()

    def advance(self, lams: Array, starts: Sequence[RawModel] | None = None) -> list[Iterate]:  # noqa: ARG002
        """Solve at strength 0; every entry of ``lams`` is that."""
        return [self._solve(float(lam)) for lam in lams]

    def _solve(self, lam: float) -> Iterate:
        """Factor, solve, refine, and measure from the data."""
        objective, null = self._problem.objective, self._problem.null
        lanes = objective.lanes.n_lanes
        target = np.repeat((objective.y - objective.offset)[None], lanes, axis=0)
        middle = null.intercepts.copy()
        target -= middle[:, None]
        triangles = self._triangles(target)
        coefs = np.stack([triangle.solution for triangle in triangles])
        n, p = objective.design.shape
        if n * p * lanes <= ALWAYS_REFINE or min(triangle.pivot for triangle in triangles) < ILL_CONDITIONED:
            coefs = self._refine(target, coefs, triangles)
        own = coefs[:, 1:]
        levels = middle + coefs[:, 0] + np.einsum("lp,lp->l", own, objective.lanes.centre)
        standard = own * objective.lanes.sd
        eta = objective.eta(levels, standard)
        level, score = objective.score(eta)
        for lane, solved in enumerate(triangles):
            score[lane, list(solved.aliased)] = 0.0
        violation = np.maximum(np.abs(score).max(axis=1, initial=0.0), np.abs(level)) / null.scale
        return Iterate(
            lam=lam,
            intercepts=levels,
            coefs=standard,
            violation=violation,
            rounds=np.ones(lanes, dtype=np.intp),
            status=status_of(violation, self._problem.rules.tol),
            loss=float(objective.loss(eta)[0]),
            eta=eta,
            aliased=triangles[0].aliased,
            depends=triangles[0].depends,
        )

    def _refine(self, target: Array, coefs: Array, triangles: list["_Triangle"]) -> Array:
        """Solve again for the residual; then, lane by lane, follow the exact gradient while it shrinks."""
        objective = self._problem.objective
        high, low = _residual(objective, target, _on_base(objective, coefs))
        coefs = coefs + np.stack([triangle.solution for triangle in self._triangles(high + low)])
        gradients = _gradients(objective, target, coefs)
        for _ in range(GRADIENT_STEPS):
            moves = [triangle.correct(row) for triangle, row in zip(triangles, gradients, strict=True)]
            trial = coefs + np.stack(moves)
            after = _gradients(objective, target, trial)
            better = np.abs(after).max(axis=1) < np.abs(gradients).max(axis=1)
            if not better.any():
                break
            coefs = np.where(better[:, None], trial, coefs)
            gradients = np.where(better[:, None], after, gradients)
        return coefs

    def _triangles(self, right: Array) -> list["_Triangle"]:
        """Factor and solve for (L, n) right-hand sides, one a lane."""
        part = self._problem.objective.lanes.partition
        factors = self._problem.fold_map(lambda rows: self._factor(rows, right), self._rows)
        return self._problem.fold_map(
            lambda lane: self._merge([factors[b] for b in np.flatnonzero(part.train[lane])], lane),
            range(part.n_lanes),
        )

    def _factor(self, rows: Integers, right: Array) -> Array:
        """R factor of one block of [1, base columns, right-hand sides of all lanes], columns over sd where they can."""
        objective = self._problem.objective
        root = np.sqrt(objective.lanes.partition.row_weights[rows])[:, None]
        ones = np.full((rows.size, 1), float(objective.intercept))
        values = objective.design.rows(rows)
        if objective.lanes.maps[0] is None:
            values = values / objective.lanes.sd[0]
        table = np.hstack([ones, values, right[:, rows].T])
        return triangle(table * root, objective.tally)

    def _merge(self, factors: list[Array], lane: int) -> "_Triangle":
        """Merge the factors of a lane's blocks and solve its triangle."""
        objective = self._problem.objective
        p, m = objective.n_terms, objective.design.shape[1]
        stacked = np.vstack(factors)
        columns, lane_map = stacked[:, 1 : m + 1], objective.lanes.maps[lane]
        if lane_map is not None:
            columns = objective.lanes.columns(columns, lane) / objective.lanes.sd[0]
        table = np.hstack([stacked[:, :1], columns, stacked[:, m + 1 + lane : m + 2 + lane]])
        use = np.concatenate([[objective.intercept], objective.lanes.varies[lane]])
        kept = np.flatnonzero(use)
        tol = max(objective.design.shape) * np.finfo(float).eps
        terms, whole = kept - 1, triangle(table[:, np.append(kept, p + 1)], objective.tally)
        merged, independent = whole, np.arange(kept.size)
        if is_dependent(whole, kept.size, tol):
            independent, _ = find_independent(whole[:, : kept.size], tol)
            kept = kept[independent]
            merged = triangle(table[:, np.append(kept, p + 1)], objective.tally)
        pivot = float(pivots(merged, kept.size).min(initial=1.0))
        depends: tuple[Dependence, ...] = ()
        if kept.size < terms.size or pivot < NEARLY:
            depends = dependences(whole[:, : terms.size], independent, terms)
        scale = np.concatenate([[1.0], objective.lanes.sd[0]])
        solution = np.zeros(p + 1)
        factor = merged[: kept.size, : kept.size]
        if kept.size:
            solution[kept] = solve_triangular(factor, merged[: kept.size, -1])
        return _Triangle(factor, kept, scale, solution / scale, depends, pivot)


@dataclass(frozen=True)
class _Triangle:
    """A lane's R factor of its kept columns, the solution (p + 1,) it gave, and how far it can be trusted."""

    factor: Array
    kept: Integers
    scale: Array
    solution: Array
    depends: tuple[Dependence, ...]
    pivot: float

    @property
    def aliased(self) -> tuple[int, ...]:
        """Columns that were set aside."""
        return columns_aside(self.depends)

    def correct(self, gradient: Array) -> Array:
        """R^-1 R^-T times a gradient (p + 1,): the step that would bring it to zero."""
        out = np.zeros(self.scale.size)
        if self.kept.size:
            half = solve_triangular(self.factor, (gradient / self.scale)[self.kept], trans="T")
            out[self.kept] = solve_triangular(self.factor, half)
        return out / self.scale


def _residual(objective: Objective, target: Array, coefs: Array) -> tuple[Array, Array]:
    """Target - [1, X] coefs for every lane, (L, n) twice: an unevaluated sum in twice the working precision."""
    highs, lows = np.empty_like(target), np.empty_like(target)
    for start in range(0, target.shape[1], ROWS):
        index = np.arange(start, min(start + ROWS, target.shape[1]))
        block = objective.design.rows(index)
        for lane in range(target.shape[0]):
            high, low = target[lane, index].copy(), np.zeros(index.size)
            if objective.intercept:
                high, low = _add(high, low, np.full(index.size, -coefs[lane, 0]))
            for j in np.flatnonzero(coefs[lane, 1:]):
                product, error = _product(block[:, j], np.array(-coefs[lane, 1 + j]))
                high, low = _add(high, low + error, product)
            highs[lane, index], lows[lane, index] = high, low
    return highs, lows


def _gradients(objective: Objective, target: Array, coefs: Array) -> Array:
    """[1, X]' W residual for every lane (L, p + 1), sums over the base columns rounded once."""
    coefs = _on_base(objective, coefs)
    highs, lows = _residual(objective, target, coefs)
    part = objective.lanes.partition
    block = objective.design.rows(np.arange(target.shape[1]))
    out = np.zeros(coefs.shape)
    for lane in range(coefs.shape[0]):
        weights = np.where(part.train[lane][part.block], part.row_weights, 0.0)
        high, low = _product(weights, highs[lane])
        low = low + weights * lows[lane]
        if objective.intercept:
            out[lane, 0] = math.fsum(high) + float(low.sum())
        for j in range(block.shape[1]):
            product, error = _product(block[:, j], high)
            out[lane, 1 + j] = math.fsum(product) + float((error + block[:, j] * low).sum())
    return np.hstack([out[:, :1], objective.lanes.from_base(out[:, 1:])])


def _on_base(objective: Objective, coefs: Array) -> Array:
    """Coefficients (L, p + 1), intercept first, as those of the base columns (L, m + 1)."""
    return np.hstack([coefs[:, :1], objective.lanes.to_base(coefs[:, 1:])])


def _product(left: Array, right: Array) -> tuple[Array, Array]:
    """The product and its rounding error."""
    product = left * right
    scaled = SPLITTER * left
    left_high = scaled - (scaled - left)
    left_low = left - left_high
    right_high = SPLITTER * right - (SPLITTER * right - right)
    right_low = right - right_high
    error = ((left_high * right_high - product) + left_high * right_low + left_low * right_high) + left_low * right_low
    return product, error


def _add(high: Array, low: Array, term: Array) -> tuple[Array, Array]:
    """Add a term to an unevaluated sum, keeping its rounding error (Knuth's two-sum)."""
    total = high + term
    part = total - high
    error = (high - (total - part)) + (term - part)
    return total, low + error
