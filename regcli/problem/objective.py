"""The objective: where design, target, lanes and family meet.

Coordinates. In lane l column j counts as z_j = (x_j - centre_lj) / sd_lj, its coefficient as b_j = sd_lj times the
coefficient on the data's scale, and the intercept as the value at the centre. Penalties are carried into these
coordinates (``Lanes.unit``), so that violations are in units of a column divided by its sd whatever is standardized.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np

from regcli.problem.design import Dense
from regcli.problem.lanes import Lanes
from regcli.problem.protocols import Array, Design, Family, Integers, ParallelMap, Penalty, SeparableTerms
from regcli.problem.spans import even_spans
from regcli.problem.tables import Tables
from regcli.problem.tally import Tally

__all__ = ["NullModel", "Objective", "Sweep"]

#: Newton steps for the intercept of the null model. A monotone one-dimensional equation inside a bracket: bisection
#: alone would be done after 60.
NULL_STEPS = 200

#: Tasks that the second moments of a tall matrix are split into: each has a matrix of its own for every block.
GRAM_TASKS = 4

#: Spans of rows that are one task of a sweep.
SPANS = 4


@dataclass(frozen=True)
class Sweep:
    """Predictors (L, n), and minus the gradient of the loss at them: ``level`` (L,) and ``score`` (L, p)."""

    eta: Array
    level: Array
    score: Array


@dataclass(frozen=True)
class NullModel:
    """The model of intercept and offset alone, in every lane.

    ``intercepts`` (L,), ``loss`` (L,) at them, and minus the gradient there: ``level`` (L,) and ``score`` (L, p).
    ``scale`` (L,) is the largest score of any column, the unit of every violation; where that is below 1e-12 of the
    residuals' root mean square, the latter.
    """

    intercepts: Array
    loss: Array
    scale: Array
    level: Array
    score: Array

    def keep(self, lanes: Integers) -> Self:
        """Some of the lanes."""
        return type(self)(*(getattr(self, field.name)[lanes] for field in fields(self)))


@dataclass(frozen=True)
class Objective:
    """sum_i w_i loss(y_i, offset_i + b0 + x_i'b) in every lane, weights with sum one.

    Parameters
    ----------
    design : Design
        Base columns (n, m).
    family : Family
        The loss.
    y, offset : (n,) arrays
        Target and offset.
    lanes : Lanes
        Training sets.
    intercept : bool
        Whether there is an intercept.
    tables : Tables, optional
        Second moments of a gaussian problem, where they were taken before there were lanes.
    """

    design: Design
    family: Family
    y: Array
    offset: Array
    lanes: Lanes
    intercept: bool
    tables: Tables | None = None

    @property
    def n_terms(self) -> int:
        """Number of terms p."""
        return self.lanes.sd.shape[1]

    @property
    def tally(self) -> Tally:
        """Where work is counted."""
        return self.design.tally

    @property
    def known_tables(self) -> Tables | None:
        """Its second moments, where they are known: those of other columns, blocks or targets do not count."""
        tables = self.tables
        same = tables is not None and tables.of(self.design, self.lanes.partition, self.y, self.offset)
        return tables if same else None

    def eta(self, intercepts: Array, coefs: Array) -> Array:
        """Linear predictors (L, n) of all rows, held-out ones too.

        ``intercepts`` (L,) and ``coefs`` (L, p) are in the lanes' coordinates. One product of cost O(n k L).
        """
        eta = self.slope(intercepts, coefs)
        eta += self.offset
        return eta

    def eta_by_parts(self, intercepts: Array, coefs: Array) -> Iterator[tuple[slice, Array]]:
        """The same for spans of rows (L, r), one after the other: of a tall matrix all at once would be large."""
        base, levels = self._on_base(intercepts, coefs)
        for rows in self.design.spans():
            eta = self.design.part(rows).dot(base)
            eta += levels
            eta += self.offset[rows]
            yield rows, eta

    def slope(self, intercepts: Array, coefs: Array) -> Array:
        """Change of eta (L, n) along a direction: ``eta`` without the offset."""
        base, levels = self._on_base(intercepts, coefs)
        change = self.design.dot(base)
        change += levels
        return change

    def _on_base(self, intercepts: Array, coefs: Array) -> tuple[Array, Array]:
        """Models as coefficients (L, m) of the base columns, and the intercepts (L, 1) beside them."""
        own = coefs / self.lanes.sd
        return self.lanes.to_base(own), (intercepts - np.einsum("lp,lp->l", own, self.lanes.centre))[:, None]

    def loss(self, eta: Array) -> Array:
        """Training loss of every lane (L,)."""
        weighted = self.lanes.apply_weights(self.family.loss(self.y, eta))
        return np.asarray(weighted.sum(axis=1))

    def lead_loss(self, eta: Array) -> float:
        """Training loss of the first lane, from the predictors (L, n) of all."""
        return float(self.keep(np.zeros(1, dtype=np.intp)).loss(eta[:1])[0])

    def score(self, eta: Array, parallel_map: ParallelMap | None = None) -> tuple[Array, Array]:
        """Minus the gradient of the loss: (L,) for the intercepts and (L, p) for the coefficients.

        One product of cost O(n m L) and a rank-one correction for the centres. Constant columns have score zero.
        """
        return self.project(self.lanes.apply_weights(self.family.residual(self.y, eta)), parallel_map)

    def project(self, rows: Array, parallel_map: ParallelMap | None = None) -> tuple[Array, Array]:
        """Sums (L,) of rows (L, n), zero without an intercept, and products (L, p) with the columns as they count.

        Rows carry their weights. Constant columns have product zero.
        """
        return self.scored(rows.sum(axis=1), self.design.rdot(rows, parallel_map))

    def scored(self, level: Array, products: Array) -> tuple[Array, Array]:
        """A score from the sums (L,) of weighted residuals and their products (L, m) with the base columns.

        The products are overwritten: of many columns and lanes they are large.
        """
        score = self.lanes.from_base(products)
        score -= self.lanes.centre * level[:, None]
        score /= self.lanes.sd
        score[~self.lanes.varies] = 0.0
        return (level if self.intercept else np.zeros_like(level)), score

    def sweep(self, intercepts: Array, coefs: Array, parallel_map: ParallelMap) -> "Sweep":
        """Predictors, and minus the gradient of the loss there, in one pass over the rows: ``eta`` and ``score``.

        Two products of cost O(n m L); a tall matrix is read once, block by block, and what is computed for a block
        stays in cache. Groups of blocks are tasks.
        """
        return self.sweep_base(*self._on_base(intercepts, coefs), parallel_map)

    def sweep_base(self, base: Array, levels: Array, parallel_map: ParallelMap) -> "Sweep":
        """The same for coefficients (L, m) of the base columns as they are, shifted, and levels (L, 1) beside them."""
        shares, block, weights = self.lanes.shares(), self.lanes.partition.block, self.lanes.partition.row_weights
        even = bool(weights.size) and weights.min() == weights.max()
        shares = shares * weights[0] if even else shares
        eta, shifted = np.empty((levels.size, self.y.size)), bool(self.offset.any())

        def over(spans: Sequence[slice]) -> tuple[Array, Array]:
            level, products = np.zeros(levels.size), np.zeros(base.shape)
            for rows in spans:
                part = self.design.part(rows)
                here = part.dot(base)
                here += levels
                if shifted:
                    here += self.offset[rows]
                eta[:, rows] = here
                residual = self.family.residual(self.y[rows], here)
                residual *= shares.take(block[rows], axis=1, mode="clip")
                if not even:
                    residual *= weights[rows]
                level += residual.sum(axis=1)
                products += part.rdot(residual)
            return level, products

        spans = self.design.spans()
        parts = parallel_map(over, _even(spans, -(-len(spans) // SPANS)))
        level, products = (np.sum([part[at] for part in parts], axis=0) for at in (0, 1))
        return Sweep(eta, *self.scored(level, products))

    def curvature_weights(self, lane: int, eta: Array, least: float = 0.0) -> Array:
        """Training weights of a lane times the curvature at its (n,) predictors, the latter at least ``least``."""
        return self.lanes.weights(lane) * np.maximum(self.family.curvature(self.y, eta), least)

    @property
    def scaling(self) -> tuple[Array, Array]:
        """Centres and sds (p,) of the first lane's columns; a constant column has an infinite sd."""
        return self.lanes.centre[0], np.where(self.lanes.varies[0], self.lanes.sd[0], np.inf)

    def grams(
        self,
        weights: Array,
        labels: Integers,
        columns: Integers,
        scaling: tuple[Array, Array],
        known: int = 0,
        parallel_map: ParallelMap | None = None,
    ) -> Array:
        """Second moments (B, k + 1, k + 1 - known) of [1, scaled terms] over every label's rows: Hessians of the loss.

        ``weights`` (n,) are those of rows times curvature, ``scaling`` centres and sds of all terms (p,). Without an
        intercept its row, the first, is zero. The first ``known`` columns are left out. Where lanes have a matrix the
        terms are the first lane's. Costs O(n k (k - known)). The rows of a tall matrix are a few tasks.
        """
        part, count = (scaling[0][columns], scaling[1][columns]), int(labels.max(initial=0)) + 1
        if self.lanes.maps[0] is None:

            def over(rows: slice) -> Array:
                own = self.design.part(rows)
                return own.block_grams(weights[rows], labels[rows], count, columns, part, known)

            spans = self.design.spans()
            tasks = [slice(group[0].start, group[-1].stop) for group in _even(spans, min(GRAM_TASKS, len(spans)))]
            out = _sum_in_order((parallel_map or map)(over, tasks))
        else:
            alone = self.keep(np.zeros(1, dtype=np.intp)).restrict(columns)
            values = alone.lanes.columns(alone.design.rows(np.arange(self.y.size)), 0)
            made = Dense(np.asfortranarray(values), np.zeros(columns.size), self.tally)
            out = made.block_grams(weights, labels, count, np.arange(columns.size), part, known)
        if not self.intercept:
            out[:, 0] = 0.0
            if known == 0:
                out[:, :, 0] = 0.0
        return out

    def terms(self, penalty: Penalty, lam: float, lane: int) -> SeparableTerms:
        """The penalty at one strength in a lane's coordinates."""
        lanes = self.lanes
        return penalty.terms(lam, lanes.sd[lane], lanes.unit[lane], float(lanes.l2_scale[lane]))

    def null(self) -> NullModel:
        """Fit the intercept alone in every lane and measure the scale of its scores, in one pass over the rows.

        Where second moments are known the rows are not read.
        """
        flat = bool(self.offset.size) and self.offset.min() == self.offset.max()
        if self.intercept and (flat or self.family.quadratic):
            intercepts = self._plain_intercepts()
        else:
            intercepts = np.array([self._null_intercept(lane) for lane in range(self.lanes.n_lanes)])
        tables = self.known_tables
        if tables is None:
            level, loss, squares, products = self._residual_sums(intercepts)
        else:
            level, squares, products = tables.residuals(self.lanes.shares(), intercepts)
            loss = 0.5 * squares
        level, score = self.scored(level, products)
        scale, rms = np.abs(score).max(axis=1, initial=0.0), np.sqrt(squares)
        scale = np.where(scale > 1e-12 * rms, scale, np.where(rms > 0, rms, 1.0))
        return NullModel(intercepts, loss, scale, level, score)

    def _residual_sums(self, intercepts: Array) -> tuple[Array, Array, Array, Array]:
        """Of the residuals at the intercepts: sums (L,), losses, squares, and products with the base columns (L, m)."""
        part, shares, lanes = self.lanes.partition, self.lanes.shares(), intercepts.size
        level, loss, squares = np.zeros(lanes), np.zeros(lanes), np.zeros(lanes)
        products = np.zeros((lanes, self.design.shape[1]))
        for rows in self.design.spans():
            weights = shares[:, part.block[rows]] * part.row_weights[rows]
            eta = self.offset[rows] + intercepts[:, None]
            residual = self.family.residual(self.y[rows], eta)
            loss += np.sum(weights * self.family.loss(self.y[rows], eta), axis=1)
            squares += np.sum(weights * np.square(residual), axis=1)
            residual *= weights
            level += residual.sum(axis=1)
            products += self.design.part(rows).rdot(residual)
        return level, loss, squares, products

    def _plain_intercepts(self) -> Array:
        """The same where it is the link of a mean, from sums over blocks of rows about a common middle."""
        part, target = self.lanes.partition, self.y - self.offset if self.family.quadratic else self.y
        middle = float(target[part.row_weights > 0].mean())
        sums = np.bincount(part.block, weights=part.row_weights * (target - middle), minlength=part.n_blocks)
        means = middle + part.train @ sums / self.lanes.totals
        if self.family.quadratic:
            return np.asarray(means)
        return np.array([self.family.link_of(float(mean)) for mean in means]) - self.offset[0]

    def _null_intercept(self, lane: int) -> float:
        """Solve sum_i w_i residual(y_i, offset_i + a) = 0: Newton inside a bracket."""
        if not self.intercept:
            return 0.0
        weights = self.lanes.weights(lane)
        rows = np.flatnonzero(weights > 0)
        weights, y, offset = weights[rows], self.y[rows], self.offset[rows]
        level = self.family.link_of(float(weights @ y))
        low, high = level - float(offset.max()), level - float(offset.min())
        value = 0.5 * (low + high)
        for _ in range(NULL_STEPS):
            gap = float(weights @ self.family.residual(y, offset + value))
            low, high = (value, high) if gap > 0 else (low, value)
            slope = float(weights @ self.family.curvature(y, offset + value))
            step = value + gap / slope if slope > 0 else np.inf
            step = step if low < step < high else 0.5 * (low + high)
            if step == value or high - low <= 4 * np.spacing(abs(value)):
                break
            value = step
        return value

    def to_raw(self, penalty: Penalty, intercepts: Array, coefs: Array) -> tuple[Array, Array]:
        """Intercepts (L,) and coefficients (L, p) on the scale of the data.

        The intercept is summed without rounding in between: where means are large it is the difference of large
        numbers.
        """
        own = np.stack([penalty.raw(row, sd) for row, sd in zip(coefs, self.lanes.sd, strict=True)])
        base = self.lanes.to_base(own)
        raw = np.array(
            [
                _level(float(level), row * centre, base_row * self.design.shift)
                for level, row, centre, base_row in zip(intercepts, own, self.lanes.centre, base, strict=True)
            ]
        )
        return raw, own

    def from_raw(self, intercept: float, coefs: Array) -> tuple[Array, Array]:
        """One model on the scale of the data, with (p,) coefficients, in every lane's coordinates: (L,) and (L, p)."""
        own = np.where(self.lanes.varies, coefs, 0.0)
        base = self.lanes.to_base(own)
        return intercept + np.einsum("lp,lp->l", own, self.lanes.centre) + base @ self.design.shift, own * self.lanes.sd

    def keep(self, lanes: Integers) -> Self:
        """The objective of some lanes."""
        return replace(self, lanes=self.lanes.keep(lanes))

    def restrict(self, columns: Integers) -> Self:
        """The objective of some terms in the order given; itself when that is all of them as they stand.

        Base columns are in the order in which the terms use them, so that more terms at the end mean more at their end.
        """
        every = np.array_equal(columns, np.arange(self.n_terms))
        lanes = self.lanes if every else self.lanes.restrict(columns)
        base = columns if lanes.maps[0] is None else lanes.used_base()
        if every and np.array_equal(base, np.arange(self.design.shape[1])):
            return self
        return replace(self, design=self.design.subset(base), lanes=lanes.on_base(base))

    def on_columns(self, values: Array) -> Self:
        """The objective of one lane on other columns (n, r), which are centred and scaled already."""
        count = values.shape[1]
        return replace(
            self,
            design=Dense(values, np.zeros(count), self.tally),
            lanes=replace(
                self.lanes,
                centre=np.zeros((1, count)),
                sd=np.ones((1, count)),
                unit=np.ones((1, count)),
                varies=np.ones((1, count), dtype=bool),
                maps=(None,),
            ),
        )


def _even(spans: Sequence[slice], count: int) -> list[Sequence[slice]]:
    """So many groups of neighbours whose sizes differ by one at most."""
    return [spans[group] for group in even_spans(len(spans), count)]


def _sum_in_order(parts: Iterable[Array]) -> Array:
    """Add arrays one after the other, in place of the first."""
    rest = iter(parts)
    out = next(rest)
    for part in rest:
        out += part
    return out


def _level(level: float, *parts: Array) -> float:
    """An intercept less the sums of parts, rounded once."""
    return math.fsum([level, *(-value for part in parts for value in part[part != 0].tolist())])
