"""Where the quadratic model of a lane comes from: shared by lanes for some strengths, or its own.

A model is built on few of the working columns, those near to taking part. Positions count within the working set, which
only grows at its end while ``grown`` is called, and is otherwise ``reset``.
"""

from dataclasses import dataclass, replace

import numpy as np

from regcli.problem.lanes import Partition
from regcli.problem.objective import Objective
from regcli.problem.protocols import Array, Integers, ParallelMap, SeparableTerms
from regcli.solvers.active_set import ActiveSet
from regcli.solvers.factor import Factor
from regcli.solvers.grow import completed, led
from regcli.solvers.matrix_free import MatrixFree
from regcli.solvers.outlook import Outlook
from regcli.solvers.screening import NEAR, SOON, is_stale

__all__ = ["LaneModel", "Models", "has_few_rows", "most_columns"]

#: Curvature is not taken below this share of its mean at the null model (the objective itself is untouched): where mu
#: is 0 or 1 to rounding the model would otherwise allow steps of any length. A share, because the curvature of rare
#: events and of small rates is small everywhere. At 1e-6 one cell of 1e5 among hundreds of 1, its row told for certain,
#: held all steps short, and with unpenalised columns separated classes seemed to settle, at |eta| = 14.
LEAST_CURVATURE = 1e-12

#: Strengths for which lane 0's Hessian serves all lanes before it is built anew.
LAG = 4

#: Rows a block up to which every lane has a Hessian of its own, of its own few columns: sums over so few rows cost less
#: than those of all columns that any lane needs (500 x 5,000: 4.4 s against 5.9, 1,000 x 3,000: 7.9 against 12.5).
FEW_ROWS = 200

#: What one step may tell of the curvature, at most.
MOST_ADJUSTED = 2.0

#: Blocks of rows up to which each has moments of its own.
MOST_BLOCKS = 64

#: Bytes of all second moments and factors; with more columns than that models are known by their products alone. Beside
#: them a path may take some 30 MB for its scores, those of the last strengths among them.
MOST_BYTES = 224 * 2**20


@dataclass(frozen=True, slots=True)
class LaneModel:
    """Columns of the model by position in the working set, and its kernel, intercept first.

    A model may be in other coordinates than its lane: its coefficients are ``ratio`` (k,) times the lane's, its
    intercept is the lane's plus ``shift`` (k,) times the lane's coefficients. ``factor`` times the Hessian is the
    model's: along a path curvature rises or falls nearly alike in all directions.
    """

    columns: Integers
    kernel: ActiveSet
    ratio: Array
    shift: Array
    factor: float = 1.0

    def minimise(
        self,
        at: tuple[float, Array],
        score: tuple[float, Array],
        terms: SeparableTerms,
        tol: float,
        outlook: Outlook | None = None,
    ) -> tuple[float, Array, tuple[int, ...]]:
        """Intercept and coefficients of least value, and dependent columns, all in the lane's coordinates.

        ``at`` is where the lane stands, ``score`` minus the gradient there; terms have the intercept first. With an
        outlook the model is bent so that along the step it foresees it has the score that it foresees.
        """
        ratio, form = led(1.0, self.ratio), self.kernel.form
        now, slope = self._models(*at), self._slopes(*score)
        linear, start, expected = slope + form.times(now), now, None
        known: Array | None = slope
        if outlook is not None:
            step, change = self._models(*_split(outlook.step)), self._slopes(*_split(outlook.change))
            linear += form.times(step) + change
            start, expected, known = np.where(now * (now + step) > 0, now + step, 0.0), slope + change, None
        l1, l2 = terms.l1 / ratio / self.factor, terms.l2 / ratio**2 / self.factor
        own = SeparableTerms(l1, l2, terms.lower * ratio, terms.upper * ratio, terms.limited)
        solution = self.kernel.solve(linear, own, start, tol / self.factor, expected=expected, score=known)
        coefs = np.where(solution.coefs[1:] == now[1:], at[1], solution.coefs[1:] / self.ratio)
        coefs = np.clip(coefs, terms.lower[1:], terms.upper[1:])
        level = float(solution.coefs[0] - self.shift @ coefs)
        return level, coefs, tuple(j - 1 for j in solution.aliased if j > 0)

    def _models(self, level: float, coefs: Array) -> Array:
        """An intercept and coefficients (k,) of the lane in the model's coordinates."""
        return led(level + float(self.shift @ coefs), self.ratio * coefs)

    def _slopes(self, level: float, score: Array) -> Array:
        """A score of the lane, of the intercept and (k,), in the model's coordinates."""
        return led(level, (score - level * self.shift) / self.ratio) / self.factor


def _split(values: Array) -> tuple[float, Array]:
    """What is of the intercept, and of the columns."""
    return float(values[0]), values[1:]


@dataclass(frozen=True, slots=True)
class _Kept:
    """A lane's model with its Hessian as a matrix, and the weights (n,) that it can be given more columns under."""

    model: LaneModel
    factor: Factor
    weights: Array

    def grown(self, columns: Integers, fresh: Array, ratio: Array, shift: Array) -> "_Kept":
        """The same on more columns, from the further columns (k + 1, more) of its Hessian."""
        self.factor.widen(fresh)
        model = replace(self.model, columns=columns, kernel=self.model.kernel.grown(), ratio=ratio, shift=shift)
        return replace(self, model=model)


def _begun(columns: Integers, factor: Factor, weights: Array, ratio: Array, shift: Array) -> _Kept:
    """A model from its Hessian (k + 1, k + 1), of which nothing is factored yet."""
    return _Kept(LaneModel(columns, ActiveSet(factor), ratio, shift), factor, weights)


def _extended(objective: Objective, lane: int, reach: Array, kept: _Kept | None, weights: Array) -> _Kept:
    """A lane's model on the columns near to taking part: the one that is kept with what it lacks, or a new one.

    Where something is lacking, what will be near soon comes along.
    """
    near, soon = np.flatnonzero(reach >= NEAR), np.flatnonzero(reach >= SOON)
    if kept is not None and is_stale(kept.model.columns.size, soon.size):
        kept = None
    known = near[:0] if kept is None else kept.model.columns
    among = np.zeros(reach.size, dtype=bool)
    among[known] = True
    if kept is not None and among[near].all():
        return kept
    columns, labels = np.concatenate([known, soon[~among[soon]]]), np.zeros(weights.size, dtype=np.intp)
    alone, own = objective.keep(np.array([lane])), (np.ones(columns.size), np.zeros(columns.size))
    if kept is None:
        hessian = alone.grams(weights, labels, columns, alone.scaling)[0]
        return _begun(columns, Factor(hessian, objective.tally), weights, *own)
    return kept.grown(columns, alone.grams(weights, labels, columns, alone.scaling, known.size + 1)[0], *own)


def _matrix_free(objective: Objective, lane: int, columns: Integers, weights: Array) -> LaneModel:
    """A lane's model on many columns, by products with the data."""
    form = MatrixFree(objective.keep(np.array([lane])), columns, weights, level=True)
    return LaneModel(columns, ActiveSet(form), np.ones(columns.size), np.zeros(columns.size))


def most_columns(lanes: int, blocks: int = 0) -> int:
    """Columns up to which every lane may have a matrix, its factor and its rows, and every block its moments."""
    return int(np.sqrt(MOST_BYTES / 8 / (blocks + 2 * lanes)))


def has_few_rows(partition: Partition) -> bool:
    """Whether blocks have so few rows that every lane has a Hessian of its own."""
    return partition.block.size <= FEW_ROWS * partition.n_blocks


class Models:
    """Hessians of all lanes, from moments that they share, until a lane needs another.

    The moments of the blocks of rows are taken under lane 0's curvature, which is near to that of every lane; a lane's
    Hessian is the sum over its blocks. They serve several strengths. A lane whose violation falls by too little builds
    its Hessian where it stands, until the next common one; with ``fresh`` every lane does so in every round.
    ``curvature`` is the mean curvature of the null model, which rows are measured by.
    """

    def __init__(self, objective: Objective, parallel_map: ParallelMap, *, fresh: bool, curvature: float) -> None:
        self._objective, self._parallel_map = objective, parallel_map
        self._fresh = fresh
        self._never = self._fresh or self._nothing_shared()
        self._alone = np.full(objective.lanes.n_lanes, self._never)
        self._kept: dict[int, _Kept] = {}
        self._common: _Common | None = None
        self._age = 0
        self._least = LEAST_CURVATURE * min(curvature, 1.0)
        part = objective.lanes.partition
        few = 1 < part.n_blocks <= MOST_BLOCKS
        self._most = most_columns(part.n_lanes, min(part.n_blocks, MOST_BLOCKS))
        self._labels = part.block if few else np.zeros(part.block.size, dtype=np.intp)
        self._used = part.train if few else np.ones((part.n_lanes, 1), dtype=bool)

    def _nothing_shared(self) -> bool:
        """Whether lanes have no Hessian in common: there is one only, their columns differ, or rows are few."""
        lanes = self._objective.lanes
        return lanes.n_lanes == 1 or lanes.maps[0] is not None or has_few_rows(lanes.partition)

    def begin(self) -> None:
        """Take up a new strength."""
        self._age += 1
        if self._age > LAG:
            self._forget()

    def moved(self) -> None:
        """All lanes now stand near one model, from which they need not go far: one Hessian serves them all."""
        self._fresh, self._never = False, self._nothing_shared()
        self._forget()

    def grown(self, objective: Objective) -> None:
        """The working set has new columns at its end."""
        self._objective = objective

    def reset(self, objective: Objective) -> None:
        """The working set is another one."""
        self._objective = objective
        self._forget()

    def _forget(self) -> None:
        """Build common moments anew when they are next needed; all lanes try them again."""
        self._common, self._age = None, 0
        self._kept.clear()
        self._alone[:] = self._never

    def slow(self, lane: int) -> None:
        """A lane's violation fell by too little: it has its own Hessian, built where it now stands."""
        self._alone[lane] = True
        self._kept.pop(lane, None)

    def adjust(self, lane: int, ratio: float) -> None:
        """Along its last step a lane had ``ratio`` times the curvature of its model."""
        kept = self._kept.get(lane)
        if kept is not None and not self._fresh:
            factor = kept.model.factor * min(max(ratio, 1.0 / MOST_ADJUSTED), MOST_ADJUSTED)
            self._kept[lane] = replace(kept, model=replace(kept.model, factor=factor))

    def prepare(self, alive: Integers, reach: Array, eta: Array) -> None:
        """Before a round: take the common moments of columns near to taking part in any lane, where they are missing.

        ``reach`` (A, k) is the score of a column over its L1 weight, infinite for columns that take part.
        """
        shared = ~self._alone[alive]
        if not shared.any():
            return
        most = reach[shared].max(axis=0)
        if np.count_nonzero(most >= SOON) > self._most:
            if self._common is not None:
                self._keep_own()
            self._common = None
            return
        wanted = np.flatnonzero(most >= NEAR)
        common = self._common
        if common is not None and is_stale(common.columns.size, wanted.size):
            common = None
        if common is None:
            self._common = self._begun(np.flatnonzero(most >= SOON), eta[0])
            self._keep_own()
            return
        fresh = np.setdiff1d(wanted, common.columns)
        if fresh.size:
            self._common = self._more(common, np.concatenate([common.columns, fresh]))

    def _keep_own(self) -> None:
        """Of the models that are kept keep those of lanes with a Hessian of their own."""
        self._kept = {lane: kept for lane, kept in self._kept.items() if self._alone[lane]}

    def _begun(self, columns: Integers, eta: Array) -> "_Common":
        """Moments under lane 0's curvature."""
        lanes = self._objective.lanes
        curvature = self._objective.family.curvature(self._objective.y, eta)
        weights = lanes.partition.row_weights * np.maximum(curvature, self._least)
        blocks = self._objective.grams(weights, self._labels, columns, self._scaling(), 0, self._parallel_map)
        return _Common(columns, weights, [*blocks], blocks.sum(axis=0))

    def _scaling(self) -> tuple[Array, Array]:
        """Centres and sds (k,) of the working columns for the common moments, infinite where no lane has any."""
        lanes = self._objective.lanes
        sd = np.where(lanes.varies, lanes.sd, 0.0).max(axis=0)
        return lanes.centre[0], np.where(sd > 0, sd, np.inf)

    def _more(self, common: "_Common", columns: Integers) -> "_Common":
        """The same moments of more columns."""
        known = common.columns.size + 1
        further = self._objective.grams(
            common.weights, self._labels, columns, self._scaling(), known, self._parallel_map
        )
        blocks = [completed(block, more) for block, more in zip(common.blocks, further, strict=True)]
        whole = completed(common.whole, further.sum(axis=0))
        return replace(common, columns=columns, blocks=blocks, whole=whole)

    def model(self, lane: int, reach: Array, eta: Array) -> LaneModel:
        """The model of one lane on the columns near to taking part. May run in a thread."""
        soon = np.flatnonzero(reach >= SOON)
        if soon.size > self._most:
            self._kept.pop(lane, None)
            weights = self._objective.curvature_weights(lane, eta, self._least)
            return _matrix_free(self._objective, lane, soon, weights)
        kept = None if self._fresh else self._kept.get(lane)
        if self._alone[lane] or self._common is None:
            weights = self._objective.curvature_weights(lane, eta, self._least) if kept is None else kept.weights
            self._kept[lane] = _extended(self._objective, lane, reach, kept, weights)
        else:
            self._kept[lane] = self._shared(lane, kept, self._common)
        return self._kept[lane].model

    def _shared(self, lane: int, kept: _Kept | None, common: "_Common") -> _Kept:
        """A lane's share of the common moments: all of them less those of the blocks it leaves out.

        The difference loses digits that the statistics of a lane must have and a model of it need not.
        """
        columns, lanes = common.columns, self._objective.lanes
        known = 0 if kept is None else kept.factor.size
        if known == columns.size + 1 and kept is not None:
            return kept
        part = common.whole[:, known:].copy()
        for block in np.flatnonzero(~self._used[lane]):
            part -= common.blocks[block][:, known:]
        part /= lanes.totals[lane] if self._used.shape[1] > 1 else lanes.partition.row_weights.sum()
        centre, sd = (values[columns] for values in self._scaling())
        ratio, shift = sd / lanes.sd[lane, columns], (centre - lanes.centre[lane, columns]) / lanes.sd[lane, columns]
        if kept is None:
            return _begun(columns, Factor(part, self._objective.tally), common.weights, ratio, shift)
        return kept.grown(columns, part, ratio, shift)


@dataclass(frozen=True, slots=True)
class _Common:
    """Columns in order, the weights (n,) behind their moments, those of the blocks of rows, their sum."""

    columns: Integers
    weights: Array
    blocks: list[Array]
    whole: Array
