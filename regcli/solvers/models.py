"""Where the quadratic model of a lane comes from: exact and kept, or from the curvature where some lane stands.

A model is built on few of the working columns, those near to taking part. Positions count within the working set, which
only grows at its end while ``grown`` is called, and is otherwise ``reset``.
"""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from regcli.problem.objective import Objective
from regcli.problem.protocols import Array, Integers, SeparableTerms
from regcli.solvers.active_set import ActiveSet

__all__ = ["NEAR", "CurvatureModels", "ExactModels", "LaneModel", "Models"]

#: Curvature is not taken below this in the model (the objective itself is untouched): where mu is 0 or 1 to rounding
#: the model would otherwise allow steps of any length.
LEAST_CURVATURE = 1e-6

#: Where some columns are unpenalised it is not taken below this: separated classes show by Newton steps that keep
#: moving rows by about one, and a higher floor would shorten these until they seem to settle (at |eta| = 14 for 1e-6).
LEAST_UNPENALISED = 1e-12

#: Columns whose score reaches this share of their L1 weight are part of a lane's model; a model for several strengths
#: begins with those that reach the smaller one.
NEAR, SOON = 0.8, 0.6

#: Strengths for which lane 0's Hessian serves all lanes before it is built anew.
LAG = 4

#: Rows a block up to which common Hessians are built anew rather than given more columns.
FEW_ROWS = 200

#: What one step may tell of the curvature, at most.
MOST_ADJUSTED = 2.0

#: Blocks of rows up to which each has moments of its own.
MOST_BLOCKS = 64

#: A kept model with this many times the columns it needs, and some to spare, is built anew.
STALE, SPARE = 2, 64


@dataclass(frozen=True, slots=True)
class LaneModel:
    """Columns of the model by position in the working set, its Hessian (k + 1, k + 1), intercept first, its kernel.

    A model may be in other coordinates than its lane: its coefficients are ``ratio`` (k,) times the lane's, its
    intercept is the lane's plus ``shift`` (k,) times the lane's coefficients. ``factor`` times the Hessian is the
    model's: along a path curvature rises or falls nearly alike in all directions.
    """

    columns: Integers
    hessian: Array
    kernel: ActiveSet
    ratio: Array
    shift: Array
    factor: float = 1.0

    def minimise(
        self, at: tuple[float, Array], score: tuple[float, Array], terms: SeparableTerms, tol: float
    ) -> tuple[float, Array, tuple[int, ...]]:
        """Intercept and coefficients of least value, and dependent columns, all in the lane's coordinates.

        ``at`` is where the lane stands, ``score`` minus the gradient there; terms have the intercept first.
        """
        ratio, grade = np.append(1.0, self.ratio), score[1] - score[0] * self.shift
        now = np.append(at[0] + float(self.shift @ at[1]), self.ratio * at[1])
        linear = np.append(score[0], grade / self.ratio) / self.factor + self.hessian @ now
        l1, l2 = terms.l1 / ratio / self.factor, terms.l2 / ratio**2 / self.factor
        own = SeparableTerms(l1, l2, terms.lower * ratio, terms.upper * ratio)
        solution = self.kernel.solve(linear, own, now, tol / self.factor)
        coefs = np.where(solution.coefs[1:] == now[1:], at[1], solution.coefs[1:] / self.ratio)
        coefs = np.clip(coefs, terms.lower[1:], terms.upper[1:])
        level = float(solution.coefs[0] - self.shift @ coefs)
        return level, coefs, tuple(j - 1 for j in solution.aliased if j > 0)


class Models(Protocol):
    """What Newton rounds need of a source of models."""

    def begin(self, *, loose: bool) -> None:
        """A new strength begins; ``loose`` if columns other than the intercept are unpenalised."""
        ...

    def moved(self) -> None:
        """All lanes now stand near one model, from which they need not go far."""
        ...

    def grown(self, objective: Objective) -> None:
        """The working set has new columns at its end."""
        ...

    def reset(self, objective: Objective) -> None:
        """The working set is another one."""
        ...

    def slow(self, lane: int) -> None:
        """A lane's violation fell by too little."""
        ...

    def adjust(self, lane: int, ratio: float) -> None:
        """Along its last step a lane had ``ratio`` times the curvature of its model."""
        ...

    def prepare(self, alive: Integers, reach: Array, eta: Array) -> None:
        """Before a round: build what lanes share. ``reach`` (A, k) is the score of a column over its L1 weight.

        It is infinite for columns that take part.
        """
        ...

    def model(self, lane: int, near: Integers, eta: Array) -> LaneModel:
        """The model of one lane on the columns at positions ``near`` and perhaps more. May run in a thread."""
        ...


@dataclass(frozen=True, slots=True)
class _Kept:
    """A lane's model, and the weights (n,) that it can be given more columns under."""

    model: LaneModel
    weights: Array


def _extended(objective: Objective, lane: int, near: Integers, kept: _Kept | None, weights: Array) -> _Kept:
    """A lane's model on at least the columns ``near``: the one that is kept with what it lacks, or a new one."""
    if kept is not None and kept.model.columns.size > STALE * near.size + SPARE:
        kept = None
    known = near[:0] if kept is None else kept.model.columns
    fresh = np.setdiff1d(near, known)
    if kept is not None and not fresh.size:
        return kept
    columns, labels = np.concatenate([known, fresh]), np.zeros(weights.size, dtype=np.intp)
    alone = objective.keep(np.array([lane]))
    if kept is None:
        hessian = alone.grams(weights, labels, columns)[0]
        return _Kept(_plain(columns, hessian, ActiveSet(hessian)), weights)
    hessian = _completed(kept.model.hessian, alone.grams(weights, labels, columns, known.size + 1)[0])
    model = _plain(columns, hessian, kept.model.kernel.extend(hessian))
    return _Kept(replace(model, factor=kept.model.factor), weights)


def _completed(known: Array, fresh: Array) -> Array:
    """A symmetric matrix (k, k) from its leading part and its further columns (k, k - known).

    Room for more is kept behind it, so that a matrix that grows bit by bit is copied now and then only.
    """
    size, more = known.shape[0], fresh.shape[0]
    room = known.base if known.base is not None and known.base.ndim == known.ndim else known
    if room.shape[0] < more:
        room = np.empty((2 * more, 2 * more))
        room[:size, :size] = known
    room[:more, size:more] = fresh
    room[size:more, :size] = fresh[:size].T
    return room[:more, :more]


def _plain(columns: Integers, hessian: Array, kernel: ActiveSet) -> LaneModel:
    """A model in the lane's own coordinates."""
    return LaneModel(columns, hessian, kernel, np.ones(columns.size), np.zeros(columns.size))


class ExactModels:
    """Models of the gaussian family: a lane's Hessian never changes, so it and its factor are kept and extended."""

    def __init__(self, objective: Objective) -> None:
        self._objective = objective
        self._kept: dict[int, _Kept] = {}

    def begin(self, *, loose: bool) -> None:
        """Nothing ages."""

    def moved(self) -> None:
        """Nothing depends on where lanes stand."""

    def grown(self, objective: Objective) -> None:
        """Positions stay what they were."""
        self._objective = objective

    def reset(self, objective: Objective) -> None:
        """Positions mean other columns now."""
        self._objective = objective
        self._kept.clear()

    def slow(self, lane: int) -> None:
        """The model is exact; nothing would be better."""

    def adjust(self, lane: int, ratio: float) -> None:
        """The model is exact."""

    def prepare(self, alive: Integers, reach: Array, eta: Array) -> None:
        """Nothing is shared."""

    def model(self, lane: int, near: Integers, eta: Array) -> LaneModel:  # noqa: ARG002  (curvature is one everywhere)
        """The lane's own model, with the columns it lacks."""
        kept = self._kept.get(lane)
        weights = self._objective.lanes.weights(lane) if kept is None else kept.weights
        self._kept[lane] = _extended(self._objective, lane, near, kept, weights)
        return self._kept[lane].model


class CurvatureModels:
    """Models of other families: Hessians at lane 0's curvature over each lane's own rows, until a lane needs another.

    The moments of the blocks of rows are taken under lane 0's curvature, which is near to that of every lane; a lane's
    Hessian is the sum over its blocks. They serve several strengths. A lane whose violation falls by too little builds
    its Hessian where it stands, until the next common one; with ``fresh`` every lane does so in every round.
    """

    def __init__(self, objective: Objective, *, fresh: bool) -> None:
        self._objective = objective
        self._fresh = fresh
        mapped = objective.lanes.maps[0] is not None  # lanes whose columns differ have no Hessian in common
        self._never = fresh or mapped or objective.lanes.n_lanes == 1
        self._alone = np.full(objective.lanes.n_lanes, self._never)
        self._kept: dict[int, _Kept] = {}
        self._common: _Common | None = None
        self._age = 0
        self._least = LEAST_CURVATURE
        part = objective.lanes.partition
        few = 1 < part.n_blocks <= MOST_BLOCKS
        self._labels = part.block if few else np.zeros(part.block.size, dtype=np.intp)
        self._used = part.train if few else np.ones((part.n_lanes, 1), dtype=bool)

    def begin(self, *, loose: bool) -> None:
        """Common moments age."""
        self._age += 1
        self._least = LEAST_UNPENALISED if loose else LEAST_CURVATURE
        if self._age > LAG and self._common is not None:
            self._forget()

    def moved(self) -> None:
        """One model serves all lanes, built where they now stand."""
        self._fresh = False
        self._never = self._alone.size == 1 or self._objective.lanes.maps[0] is not None
        self._forget()

    def _forget(self) -> None:
        """Build the common moments anew when they are next needed; all lanes try them again."""
        self._common, self._age = None, 0
        self._kept.clear()
        self._alone[:] = self._never

    def grown(self, objective: Objective) -> None:
        """Positions stay what they were."""
        self._objective = objective

    def reset(self, objective: Objective) -> None:
        """Build everything anew when it is next needed."""
        self._objective = objective
        self._common = None
        self._kept.clear()

    def slow(self, lane: int) -> None:
        """The lane has its own Hessian, built where it now stands."""
        self._alone[lane] = True
        self._kept.pop(lane, None)

    def adjust(self, lane: int, ratio: float) -> None:
        """Multiply the lane's Hessian."""
        kept = self._kept.get(lane)
        if kept is not None and not self._fresh:
            factor = kept.model.factor * min(max(ratio, 1.0 / MOST_ADJUSTED), MOST_ADJUSTED)
            self._kept[lane] = replace(kept, model=replace(kept.model, factor=factor))

    def prepare(self, alive: Integers, reach: Array, eta: Array) -> None:
        """Take the common Hessians of columns near to taking part in any lane, where they are missing."""
        shared = ~self._alone[alive]
        if not shared.any():
            return
        most = reach[shared].max(axis=0)
        wanted = np.flatnonzero(most >= NEAR)
        common = self._common
        if common is not None and common.columns.size > STALE * wanted.size + SPARE:
            common = None
        fresh = wanted if common is None else np.setdiff1d(wanted, common.columns)
        if fresh.size and self._labels.size <= FEW_ROWS * self._used.shape[1]:
            common = None  # new sums cost less here than larger matrices
        if common is None:
            curvature = self._objective.family.curvature(self._objective.y, eta[0])
            weights = self._objective.lanes.partition.row_weights * np.maximum(curvature, self._least)
            wanted = np.flatnonzero(most >= SOON)
            blocks = [*self._objective.grams(weights, self._labels, wanted)]
            self._common = _Common(wanted, weights, blocks, np.sum(blocks, axis=0))
            self._kept = {lane: kept for lane, kept in self._kept.items() if self._alone[lane]}
        elif fresh.size:
            columns = np.concatenate([common.columns, fresh])
            further = self._objective.grams(common.weights, self._labels, columns, common.columns.size + 1)
            blocks = [_completed(block, more) for block, more in zip(common.blocks, further, strict=True)]
            self._common = _Common(columns, common.weights, blocks, _completed(common.whole, further.sum(axis=0)))

    def model(self, lane: int, near: Integers, eta: Array) -> LaneModel:
        """The lane's own model, or the one at lane 0's curvature."""
        kept = None if self._fresh else self._kept.get(lane)
        if self._alone[lane] or self._common is None:
            weights = self._objective.curvature_weights(lane, eta, self._least) if kept is None else kept.weights
            self._kept[lane] = _extended(self._objective, lane, near, kept, weights)
        else:
            self._kept[lane] = self._shared(lane, kept, self._common)
        return self._kept[lane].model

    def _shared(self, lane: int, kept: _Kept | None, common: "_Common") -> _Kept:
        """A lane's share of the common Hessians: all of them less those of the blocks it leaves out.

        The difference loses digits that the statistics of a lane must have and a model of it need not.
        """
        columns, lanes = common.columns, self._objective.lanes
        if kept is not None and kept.model.columns.size == columns.size:
            return kept
        hessian = common.whole.copy()
        for block in np.flatnonzero(~self._used[lane]):
            hessian -= common.blocks[block]
        hessian /= lanes.totals[lane] if self._used.shape[1] > 1 else lanes.partition.row_weights.sum()
        kernel = ActiveSet(hessian) if kept is None else kept.model.kernel.extend(hessian)
        ratio = lanes.sd[0, columns] / lanes.sd[lane, columns]
        shift = (lanes.centre[0, columns] - lanes.centre[lane, columns]) / lanes.sd[lane, columns]
        factor = 1.0 if kept is None else kept.model.factor
        return _Kept(LaneModel(columns, hessian, kernel, ratio, shift, factor), common.weights)


@dataclass(frozen=True, slots=True)
class _Common:
    """Columns in order, the weights (n,) behind them, Hessians (k + 1, k + 1) of the blocks of rows, their sum."""

    columns: Integers
    weights: Array
    blocks: list[Array]
    whole: Array
