"""Gaussian problems with a moderate number of columns, from sums of squares and products alone.

The data are read once: each block of rows gives the second moments of [1, x, y]. A lane's Gram matrix is the sum over
its training blocks, its held-out error a quadratic form in the sum over its test blocks; strengths and lanes then cost
nothing that depends on n.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from operator import itemgetter

import numpy as np
from scipy import sparse

from regcli.problem.objective import Objective
from regcli.problem.protocols import Array, Bools, Integers
from regcli.problem.tables import centre_target, tables_fit, take_tables
from regcli.problem.unlocked import add_squares, reflect
from regcli.results import Iterate
from regcli.solvers.engine import Problem, RawModel, over_lanes, status_of
from regcli.solvers.lane_path import SPECTRAL, Lane, LanePaths, Point, Quadratic

__all__ = ["Moments"]

#: Strengths a batch; where statistics are made anew for each batch, fewer of them are cheaper, and few enough for their
#: coefficients to be in memory where all strengths are walked for sure.
BATCH, LONG_BATCH, WHOLE_BATCH = SPECTRAL, 50, 200

#: Columns up to which lanes are walked one after the other: threads would wait for each other's Python.
FEW_COLUMNS = 400

#: Rows of a matrix that are centred at a time: whole matrices in between would be four times the memory.
ROWS = 256

#: Cells that are gathered at a time for the sums of a lane alone; with fewer rows than a quarter of the columns the
#: sums themselves would be read and written too often.
PIECE_CELLS = 1_000_000

#: Up to this many blocks their sums are taken lane by lane; sums from both ends would be as many matrices again.
FEW_BLOCKS = 32


@dataclass(frozen=True, slots=True)
class _Statistics:
    """The losses of all lanes of an objective, for any penalty."""

    objective: Objective
    lanes: list[Quadratic]


class Moments:
    """Engine for the gaussian family; exact up to rounding at every strength.

    Where the statistics of all lanes would take too much memory they are made anew for every batch of
    strengths, which is a long one then, and one lane follows the other. ``keep`` decides that instead.

    Notes
    -----
    Building costs O(n p^2) once for all lanes, or O(n p^2 log K) a batch; a strength costs O(p f) a lane and round for
    f free coordinates. Memory is that of all blocks and lanes, or of the statistics of log2(K) + 4 lanes.
    """

    name = "moments"

    def __init__(self, problem: Problem, *, keep: bool | None = None) -> None:
        self._problem = problem
        objective = problem.objective
        self.batch = WHOLE_BATCH if problem.rules.whole else LONG_BATCH
        partition = objective.lanes.partition
        self._target = centre_target(partition, objective.y, objective.offset, intercept=objective.intercept)
        self._paths = LanePaths(problem, self._target.values)
        if tables_fit(objective.design, partition) if keep is None else keep:
            self.batch = BATCH
            known = problem.memory.get(self.name)
            if not isinstance(known, _Statistics) or known.objective is not objective:
                known = problem.memory[self.name] = _Statistics(objective, self._all_lanes())
            self._paths.lanes = [Lane(loss, objective.tally) for loss in known.lanes]
            self._walk = over_lanes(problem, self._paths.walk)

    def _all_lanes(self) -> list[Quadratic]:
        """Every lane from the second moments of all blocks, which are taken in one pass where they are not known."""
        objective = self._problem.objective
        part, tables = objective.lanes.partition, objective.known_tables
        if tables is None:
            tables = take_tables(objective.design, part, self._target, self._problem.parallel_map)
        blocks, nothing, out = tables.blocks, np.zeros_like(tables.blocks[0]), []
        for lane, training in enumerate(_training_sums(blocks, part.train)):
            tested = np.flatnonzero(part.test[lane])
            test = blocks[tested[0]] if tested.size == 1 else sum((blocks[b] for b in tested), nothing)
            out.append(self._quadratic(lane, training, test))
        return out

    def advance(self, lams: Array, starts: Sequence[RawModel] | None = None) -> list[Iterate]:  # noqa: ARG002
        """Walk every lane over the strengths, one task a lane where statistics are kept."""
        kept = range(len(self._paths.lanes))
        light = self._problem.objective.n_terms <= FEW_COLUMNS
        walks = self._walk(((lane, lams) for lane in kept), light=light) if kept else self._in_turn(lams)
        return [self._gather(float(lam), [walk[at] for walk in walks]) for at, lam in enumerate(lams)]

    def _in_turn(self, lams: Array) -> list[list[Point]]:
        """Walk one lane after the other, each from statistics that are made for it and let go."""
        part, parallel_map = self._problem.objective.lanes.partition, self._problem.parallel_map

        def along(lane: int, sums: Array) -> list[Point]:
            return self._paths.along(Lane(self._quadratic(lane, sums), self._problem.objective.tally), lams)

        def over(lanes: list[int], sums: Array) -> list[tuple[int, list[Point]]]:
            return [(lane, along(lane, sums if lane == lanes[-1] else sums.copy(order="F"))) for lane in lanes]

        left_out = [np.flatnonzero(~row) for row in part.train]
        if part.n_lanes == 1 or any(left.size > 1 for left in left_out):
            return parallel_map(
                lambda lane: along(lane, self._sum(np.flatnonzero(part.train[lane]))), range(part.n_lanes)
            )
        halves = np.array_split(np.arange(part.n_blocks), 2)
        near, far = parallel_map(self._sum, halves)
        whole, others = [near + far], [far, near]  # those of two halves are overwritten on the way
        del near, far

        def walked(task: int) -> list[tuple[int, list[Point]]]:
            if task == 0:
                return over([lane for lane, left in enumerate(left_out) if not left.size], whole.pop())
            sums = self._apart(halves[task - 1], others[task - 1])
            return [
                walk
                for block, outside in sums
                for walk in over([lane for lane, left in enumerate(left_out) if block in left], outside)
            ]

        return [walk for _, walk in sorted(chain.from_iterable(parallel_map(walked, range(3))), key=itemgetter(0))]

    def _apart(self, blocks: Integers, outside: Array) -> Iterator[tuple[int, Array]]:
        """Sums over all blocks but one, for every one of some, from the sum over the others: log2 of them are held.

        All of them are overwritten, what is given and, by whom it is given to, what is yielded. The smaller part comes
        first because it needs a matrix of its own, for which the larger one takes the one that is there.
        """
        if blocks.size == 1:
            yield int(blocks[0]), outside
            return
        few, more = blocks[: blocks.size // 2], blocks[blocks.size // 2 :]
        yield from self._apart(few, self._sum(more, outside.copy(order="F")))
        yield from self._apart(more, self._sum(few, outside))

    def _sum(self, blocks: Integers, begun: Array | None = None) -> Array:
        """Second moments of [1, x, y] over the rows of some blocks, added to those of others."""
        objective = self._problem.objective
        part, m = objective.lanes.partition, objective.design.shape[1]
        wanted = np.zeros(part.n_blocks, dtype=bool)
        wanted[blocks] = True
        index = np.flatnonzero(wanted[part.block] & (part.row_weights > 0))
        out = np.zeros((m + 2, m + 2), order="F") if begun is None else begun
        step = max(m // 4, PIECE_CELLS // max(m, 1))
        for start in range(0, index.size, step):
            rows = index[start : start + step]
            root = np.sqrt(part.row_weights[rows])
            cells = np.empty((m + 2, rows.size))
            cells[0], cells[-1] = root, self._target.values[rows] * root
            np.multiply(objective.design.rows(rows).T, root, out=cells[1:-1])
            add_squares(cells, out)
            objective.tally.multiplied(rows.size * (m + 1) * (m + 2) // 2)
        reflect(out)
        return out

    def _quadratic(self, lane: int, sums: Array, test: Array | None = None) -> Quadratic:
        """Centre and scale a lane's sums into its loss; they are overwritten."""
        objective = self._problem.objective
        lanes = objective.lanes
        total, sums = float(sums[0, 0]), _map(sums, lanes.maps[lane])
        test = None if test is None else _map(test, lanes.maps[lane])
        centre, sd = lanes.centre[lane], lanes.sd[lane]
        live = np.where(lanes.varies[lane], 1.0 / sd, 0.0)
        mean, size = float(sums[0, -1]) / total, float(sums[-1, -1]) / total
        level = mean if objective.intercept else 0.0
        first, cross = sums[0, 1:-1] / total, sums[1:-1, -1] / total
        hessian = sums[1:-1, 1:-1]
        hessian /= total
        for start in range(0, hessian.shape[0], ROWS):
            rows = slice(start, start + ROWS)
            hessian[rows] -= np.multiply.outer(centre[rows], first)
            hessian[rows] -= np.multiply.outer(first[rows] - centre[rows], centre)
            hessian[rows] *= live
            hessian[rows] *= live[rows, None]
        linear = (cross - level * first - centre * (mean - level)) * live
        square = size - level * (2.0 * mean - level)
        return Quadratic(lane, hessian, linear, level, square, test)

    def _gather(self, lam: float, points: list[Point]) -> Iterate:
        """Put the lanes of one strength together."""
        violation = np.array([point.violation for point in points])
        return Iterate(
            lam=lam,
            intercepts=np.array([point.level for point in points]) + self._target.middle,
            coefs=np.stack([point.coefs for point in points]),
            violation=violation,
            rounds=np.array([point.rounds for point in points]),
            status=status_of(violation, self._problem.rules.tol),
            loss=points[0].loss,
            held_out=np.array([point.held_out for point in points]),
            aliased=points[0].aliased,
        )


def _training_sums(blocks: list[Array], train: Bools) -> Iterator[Array]:
    """Sums over every lane's training blocks.

    Where lanes leave out one block each, and there are many, they are those of the blocks before it and after it, so
    that a lane costs two additions.
    """
    zero = np.zeros_like(blocks[0])
    out = [np.flatnonzero(~row) for row in train]
    if len(blocks) <= FEW_BLOCKS or any(left.size > 1 for left in out):
        for row in train:
            yield sum((blocks[b] for b in np.flatnonzero(row)), zero)
        return
    after = [*accumulate(reversed(blocks), initial=zero)][::-1]
    before = [*accumulate(blocks, initial=zero)]
    for left in out:
        yield before[left[0]] + after[left[0] + 1] if left.size else after[0].copy()


def _map(table: Array, lane_map: sparse.csc_array | None) -> Array:
    """Carry moments of [1, base, y] to those of [1, base @ map, y]."""
    if lane_map is None:
        return table
    left = sparse.block_diag((np.ones((1, 1)), lane_map, np.ones((1, 1))), format="csc").T
    return np.asarray(left @ np.asarray(left @ table).T).T
