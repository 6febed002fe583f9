"""Where the quadratic model of a lane comes from: shared by lanes for some strengths, or its own.

What lanes share is made here; the models themselves are where their lanes are (``lane_models``), and what has become of
them is told by messages alone. Positions count within the working set, which only grows at its end while ``grown`` is
called, and is otherwise ``reset``.
"""

from dataclasses import dataclass, replace

import numpy as np

from regcli.problem.lanes import Partition
from regcli.problem.objective import Objective
from regcli.problem.protocols import Array, Bools, Integers, ParallelMap
from regcli.solvers.grow import SPARE, completed
from regcli.solvers.lane_models import Share, Source
from regcli.solvers.screening import NEAR, SOON, is_stale

__all__ = ["Models", "has_few_rows", "most_columns"]

#: Curvature is not taken below this share of its mean at the null model (the objective itself is untouched): where mu
#: is 0 or 1 to rounding the model would otherwise allow steps of any length. A share, because the curvature of rare
#: events and of small rates is small everywhere. At 1e-6 one cell of 1e5 among hundreds of 1, its row told for certain,
#: held all steps short, and with unpenalised columns separated classes seemed to settle, at |eta| = 14.
LEAST_CURVATURE = 1e-12

#: A lane that has more rounds to go than so many, and than take as long as a Hessian, builds one of its own. A round is
#: that many passes over its columns and that many multiplications for the kernel, at the speed of a Gram product. With
#: this 3,000 x 600 takes 8 s, by the number of rounds alone 14.5; 50,000 x 100 and 500 x 5,000 take as long by either.
MANY_ROUNDS, SWEEPS, KERNEL = 4, 5, 25_000_000

#: Strengths for which lane 0's Hessian serves all lanes before it is built anew.
LAG = 4

#: Rows a block up to which every lane has a Hessian of its own, of its own few columns: sums over so few rows cost less
#: than those of all columns that any lane needs (500 x 5,000: 4.4 s against 5.9, 1,000 x 3,000: 7.9 against 12.5).
FEW_ROWS = 200

#: What one step may tell of the curvature, at most.
MOST_ADJUSTED = 2.0

#: Blocks of rows up to which each has moments of its own.
MOST_BLOCKS = 64

#: Bytes of all second moments and factors, and the share of the matrix that they may have where that is more; with more
#: columns than fit models are known by their products alone. Beside them are some 60 MB that BLAS keeps, and up to 30
#: for the scores of a path, those of the last strengths among them.
MOST_BYTES, MOST_SHARE = 120 * 2**20, 0.3

#: A matrix with the room that is kept behind it (``regcli.solvers.grow``), as a share of itself; matrices that it takes
#: to make a factor.
ROOM, MAKING = (1 + 1 / SPARE) ** 2, 3


def most_columns(objective: Objective, matrices: int, factors: int, most_bytes: int = MOST_BYTES) -> int:
    """Columns up to which there may be so many matrices and factors."""
    most = max(most_bytes, MOST_SHARE * objective.design.nbytes)
    return int(np.sqrt(most / 8 / (ROOM * matrices + factors + MAKING)))


def has_few_rows(partition: Partition) -> bool:
    """Whether blocks have so few rows that every lane has a Hessian of its own."""
    return partition.block.size <= FEW_ROWS * partition.n_blocks


class Models:
    """Hessians of all lanes, from moments that they share, until a lane needs another.

    The moments of the blocks of rows are taken under lane 0's curvature, which is near to that of every lane; a lane's
    Hessian is the sum over its blocks. Where there is no room for so many matrices it is that of all rows, which is
    near to that of every lane as well. They serve several strengths. A lane whose violation falls by too little builds
    its Hessian where it stands, until the next common one; with ``fresh`` every lane does so in every round.
    ``curvature`` is the mean curvature of the null model, which rows are measured by.
    """

    def __init__(self, objective: Objective, parallel_map: ParallelMap, *, fresh: bool, curvature: float) -> None:
        self._objective, self._parallel_map = objective, parallel_map
        self._fresh = fresh
        self._never = self._fresh or self._nothing_shared()
        lanes = objective.lanes.n_lanes
        self._alone = np.full(lanes, self._never)
        self._kept = np.zeros(lanes, dtype=bool)  # lanes whose models still count
        self._known = np.zeros(lanes, dtype=np.intp)  # rows of common moments that these have
        self._size = np.zeros(lanes, dtype=np.intp)  # columns near to taking part, in the last round
        self._ratio = np.ones(lanes)  # and what their curvature has been found to be, since they were last asked
        self._common: _Common | None = None
        self._age = 0
        self._least = LEAST_CURVATURE * min(curvature, 1.0)
        part = objective.lanes.partition
        self._heirs = _heirs(part.train)
        spare, few = 1 + int(np.count_nonzero(self._heirs < 0)), part.n_blocks <= MOST_BLOCKS
        # columns that there is room for, by how many lanes have Hessians of their own
        self._room = [most_columns(objective, count, count) for count in range(1, lanes + 1)]
        self._most_apart = most_columns(objective, lanes + spare, lanes) if few else 0
        self._most_shared = most_columns(objective, 1, lanes)

    def _nothing_shared(self) -> bool:
        """Whether lanes have no Hessian in common: there is one only, their columns differ, or rows are few."""
        lanes = self._objective.lanes
        return lanes.n_lanes == 1 or lanes.maps[0] is not None or has_few_rows(lanes.partition)

    @property
    def kept(self) -> Bools:
        """Lanes (L,) whose models still count."""
        return self._kept

    @property
    def _most_own(self) -> int:
        """Columns up to which a lane may have its own Hessian: beside all others, or alone where nothing is shared."""
        return self._room[0 if self._never else -1]

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
        self._kept[:] = False
        self._alone[:] = self._never

    def pace(self, lane: int, rounds: float) -> None:
        """A lane would take so many rounds more: if a Hessian costs less, it has its own, built where it now stands."""
        size = int(self._size[lane])
        if size <= self._most_own and rounds > MANY_ROUNDS + self._rounds_of(size):
            self._alone[lane] = True
            self._kept[lane] = False

    def _rounds_of(self, size: int) -> float:
        """Rounds that take as long as a Hessian of so many columns, of which a sparse matrix stores a share."""
        design = self._objective.design
        n, m = design.shape
        stored = size * design.cells / max(n * m, 1)
        return 0.5 * n * stored**2 / (SWEEPS * n * stored + KERNEL)

    @property
    def in_flight(self) -> int:
        """Lanes that may be at work at a time: as many as there is room for Hessians of, where nothing is shared."""
        size = int(self._size.max())
        if not self._never or size > self._room[0]:
            return self._size.size
        return sum(most >= size for most in self._room)

    def let_go(self, lanes: Integers) -> None:
        """The models of some lanes no longer count."""
        self._kept[lanes] = False

    def adjust(self, lane: int, ratio: float) -> None:
        """Along its last step a lane had ``ratio`` times the curvature of its model."""
        self._ratio[lane] *= min(max(ratio, 1.0 / MOST_ADJUSTED), MOST_ADJUSTED)

    def prepare(self, alive: Integers, reach: Array, eta: Array) -> None:
        """Before a round: take the common moments of columns near to taking part in any lane, where they are missing.

        ``reach`` (A, k) is the score of a column over its L1 weight, infinite for columns that take part.
        """
        self._size[alive] = np.count_nonzero(reach >= SOON, axis=1)
        shared = ~self._alone[alive]
        if not shared.any():
            return
        most = reach[shared].max(axis=0)
        count = int(np.count_nonzero(most >= SOON))
        if count > self._most_shared:
            if self._common is not None:
                self._kept &= self._alone
            self._common = None
            return
        wanted = np.flatnonzero(most >= NEAR)
        common = self._common
        if common is not None and (is_stale(common.columns.size, wanted.size) or count > self._limit(common)):
            common = None
        if common is None:
            self._common = self._begun(np.flatnonzero(most >= SOON), eta[0], apart=count <= self._most_apart)
            self._kept &= self._alone
            return
        fresh = np.setdiff1d(wanted, common.columns)
        if fresh.size:
            self._common = self._more(common, np.concatenate([common.columns, fresh]))

    def _limit(self, common: "_Common") -> int:
        """Columns up to which common moments may grow."""
        return self._most_shared if common.blocks is None else self._most_apart

    def _begun(self, columns: Integers, eta: Array, *, apart: bool) -> "_Common":
        """Moments under lane 0's curvature, of blocks where these are kept ``apart``."""
        part = self._objective.lanes.partition
        curvature = self._objective.family.curvature(self._objective.y, eta)
        weights = part.row_weights * np.maximum(curvature, self._least)
        labels, nothing = part.block if apart else np.zeros(part.block.size, dtype=np.intp), np.zeros((0, 0))
        sums = self._objective.grams(weights, labels, columns, self._scaling(), 0, self._parallel_map)
        if not apart:
            return _Common(columns, weights, completed(nothing, sums[0] / part.row_weights.sum()), None)
        blocks = [_Block(completed(nothing, block)) for block in sums]
        return _Common(columns, weights, completed(nothing, sums.sum(axis=0)), blocks)

    def _scaling(self) -> tuple[Array, Array]:
        """Centres and sds (k,) of the working columns for the common moments, infinite where no lane has any."""
        lanes = self._objective.lanes
        sd = np.where(lanes.varies, lanes.sd, 0.0).max(axis=0)
        return lanes.centre[0], np.where(sd > 0, sd, np.inf)

    def _more(self, common: "_Common", columns: Integers) -> "_Common":
        """The same moments of more columns."""
        known, part = common.columns.size + 1, self._objective.lanes.partition
        labels = np.zeros(part.block.size, dtype=np.intp) if common.blocks is None else part.block
        sums = self._objective.grams(common.weights, labels, columns, self._scaling(), known, self._parallel_map)
        if common.blocks is None:
            return replace(common, columns=columns, whole=completed(common.whole, sums[0] / part.row_weights.sum()))
        blocks = [block.more(fresh) for block, fresh in zip(common.blocks, sums, strict=True)]
        return replace(common, columns=columns, whole=completed(common.whole, sums.sum(axis=0)), blocks=blocks)

    @property
    def too_large(self) -> Bools:
        """Lanes (L,) with too many columns near to taking part for a matrix, as it was prepared for."""
        return self._size > np.where(self._alone, self._most_own, self._most_shared)

    def source(self, lane: int, eta: Array) -> Source:
        """Where the model of one lane on the columns near to taking part comes from; it is taken to be made."""
        kept, ratio = bool(self._kept[lane]) and not self._fresh, float(self._ratio[lane])
        free = bool(self.too_large[lane])
        self._kept[lane], self._ratio[lane] = not free, 1.0
        if free or self._alone[lane] or self._common is None:
            weights = None if kept and not free else self._objective.curvature_weights(lane, eta, self._least)
            return Source(kept, ratio, own=not free, weights=weights)
        known, self._known[lane] = int(self._known[lane]) if kept else 0, self._common.columns.size + 1
        lacking = known <= self._common.columns.size
        return Source(kept, ratio, share=self._shared(lane, known, self._common) if lacking else None)

    def _shared(self, lane: int, known: int, common: "_Common") -> Share:
        """A lane's share of the common moments, all of them less those of the blocks it leaves out, but for the known.

        The difference loses digits that the statistics of a lane must have and a model of it need not.
        """
        columns, lanes = common.columns, self._objective.lanes
        centre, sd = (values[columns] for values in self._scaling())
        ratio, shift = sd / lanes.sd[lane, columns], (centre - lanes.centre[lane, columns]) / lanes.sd[lane, columns]
        if common.blocks is None:
            return Share(columns, common.whole, ratio, shift, whole=True)
        part = self._part(lane, known, common.whole, common.blocks)
        part /= lanes.totals[lane]
        return Share(columns, part, ratio, shift)

    def _part(self, lane: int, known: int, whole: Array, blocks: list["_Block"]) -> Array:
        """All sums less those of the blocks that a lane leaves out, but for the known columns; to be written to.

        A block that no other lane leaves out gives its place in memory to the lane that does.
        """
        left = np.flatnonzero(~self._objective.lanes.partition.train[lane])
        if not known and left.size == 1 and self._heirs[left[0]] == lane:
            sums = blocks[left[0]].sums
            blocks[left[0]] = _Block(sums[:, :0].copy(), sums.shape[0])
            return np.subtract(whole, sums, out=sums)
        part = whole[:, known:].copy()
        for block in left:
            part -= blocks[block].since(known)
        return part


def _heirs(used: Bools) -> Integers:
    """The one lane that leaves out a block (B,), where it leaves out no other; -1 where there is none."""
    out = np.full(used.shape[1], -1)
    for block in range(used.shape[1]):
        lanes = np.flatnonzero(~used[:, block])
        if lanes.size == 1 and np.count_nonzero(~used[lanes[0]]) == 1:
            out[block] = lanes[0]
    return out


@dataclass(frozen=True, slots=True)
class _Block:
    """Second moments of a block of rows (k, k - first); those of columns before ``first`` have been given away."""

    sums: Array
    first: int = 0

    def more(self, fresh: Array) -> "_Block":
        """The same with further columns (k + more, more)."""
        known = self.sums.shape[0]
        if not self.first:
            return _Block(completed(self.sums, fresh))
        return _Block(np.block([[self.sums, fresh[:known]], [fresh[self.first : known].T, fresh[known:]]]), self.first)

    def since(self, known: int) -> Array:
        """All but the first columns, of which no fewer are known than have been given away."""
        return self.sums[:, known - self.first :]


@dataclass(frozen=True, slots=True)
class _Common:
    """Columns in order, the weights (n,) behind their moments, and the whole of these: their sum, with those of blocks.

    Where there is no room for those of blocks it is the mean, which all lanes share.
    """

    columns: Integers
    weights: Array
    whole: Array
    blocks: list[_Block] | None
