"""Gaussian problems with a moderate number of columns, from sums of squares and products alone.

The data are read once: each block of rows gives the second moments of [1, x, y]. A lane's Gram matrix is the sum over
its training blocks, its held-out error a quadratic form in the sum over its test blocks; strengths and lanes then cost
nothing that depends on n.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
from scipy import sparse

from regcli.problem.objective import Objective
from regcli.problem.protocols import Array, Bools, SeparableTerms
from regcli.results import Iterate
from regcli.solvers.active_set import ActiveSet, QuadraticSolution
from regcli.solvers.engine import Problem, RawModel, status_of
from regcli.solvers.spectral import Spectrum

__all__ = ["Moments", "statistics_bytes"]

#: Cells of a task while sums are collected, and the most tasks: each has sums of its own.
SPAN_CELLS, MOST_SPANS = 4_000_000, 4

#: A held-out sum of squares below this share of the block's total has lost eight digits to subtraction: it is
#: computed a second time from the rows.
CANCELLED = 1e-8

#: Up to this many blocks their sums are taken lane by lane; sums from both ends would be as many matrices again.
FEW_BLOCKS = 32

#: Ridge strengths that the kernel solves before a decomposition, which costs about as much as ten of its factors, pays.
FEW_RIDGES = 10

#: Slopes that the kernel leaves, as shares of the scale. Exact solutions cost hardly more than near ones, and where one
#: column dwarfs the others (a mean of 1e5 sds and no intercept) slopes within the tolerance would be wrong choices.
#: ``ENOUGH``, as a share of the tolerance, is where it may end once only rounding moves.
FINE, ENOUGH = 1e-13, 0.1

#: Slopes that a closed answer may leave, as a share of the scale; beyond, the kernel solves the strength.
CLOSED = 1e-11


def statistics_bytes(n_terms: int, n_blocks: int, n_lanes: int) -> int:
    """Bytes that the statistics of all blocks and lanes take."""
    return 8 * (n_terms + 2) ** 2 * (n_blocks + 2 * n_lanes)


@dataclass
class _Lane:
    """One lane's quadratic and where it stands."""

    hessian: Array
    linear: Array
    level: float
    square: float
    test: Array
    kernel: ActiveSet
    coefs: Array
    spectrum: Spectrum | None = None
    ridges: int = 0


class Moments:
    """Engine for the gaussian family; exact up to rounding at every strength.

    Notes
    -----
    Building costs O(n p^2) once for all lanes; a strength costs O(p f) a lane and round for f free coordinates. Memory
    is that of ``statistics_bytes``.
    """

    name = "moments"
    batch = 8

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        objective = problem.objective
        self._target = objective.y - objective.offset
        self._middle = 0.0
        if objective.intercept:
            self._middle = float(objective.lanes.weights(0) @ self._target)
            self._target = self._target - self._middle
        spans = _spans(*objective.design.shape)
        parts = problem.parallel_map(self._tables, spans)
        blocks = [np.sum([part[b] for part in parts], axis=0) for b in range(objective.lanes.partition.n_blocks)]
        sums = _training_sums(blocks, objective.lanes.partition.train)
        self._lanes = [self._lane(blocks, lane, training) for lane, training in enumerate(sums)]

    def advance(self, lams: Array, starts: Sequence[RawModel] | None = None) -> list[Iterate]:  # noqa: ARG002
        """Walk every lane over the strengths, one task a lane."""
        walks = self._problem.parallel_map(lambda lane: self._walk(lane, lams), range(len(self._lanes)))
        return [self._gather(float(lam), [walk[at] for walk in walks]) for at, lam in enumerate(lams)]

    def _tables(self, rows: slice) -> Array:
        """Second moments of [1, x, y] over some rows of every block, (B, m + 2, m + 2)."""
        objective = self._problem.objective
        part, design, y = objective.lanes.partition, objective.design.part(rows), self._target[rows]
        weights, labels, count, m = part.row_weights[rows], part.block[rows], part.n_blocks, objective.design.shape[1]
        out = np.zeros((count, m + 2, m + 2))
        out[:, :-1, :-1] = design.block_grams(weights, labels, count, np.arange(m))
        out[:, 1:-1, -1] = design.block_sums(weights * y, labels, count)
        out[:, 0, -1] = np.bincount(labels, weights=weights * y, minlength=count)
        out[:, -1, -1] = np.bincount(labels, weights=weights * y * y, minlength=count)
        out[:, -1, :-1] = out[:, :-1, -1]
        return out

    def _lane(self, blocks: list[Array], lane: int, sums: Array) -> _Lane:
        """Centre and scale a lane's sums into its quadratic."""
        objective = self._problem.objective
        lanes, part = objective.lanes, objective.lanes.partition
        size = blocks[0].shape[0]
        test = sum((blocks[b] for b in np.flatnonzero(part.test[lane])), np.zeros((size, size)))
        sums, test = (_map(table, lanes.maps[lane]) for table in (sums / sums[0, 0], test))
        centre, sd = lanes.centre[lane], lanes.sd[lane]
        live = np.where(lanes.varies[lane], 1.0 / sd, 0.0)
        level = float(sums[0, -1]) if objective.intercept else 0.0
        first, cross = sums[0, 1:-1], sums[1:-1, -1]
        centred = np.multiply.outer(centre, first)
        hessian = (sums[1:-1, 1:-1] - centred - centred.T + np.multiply.outer(centre, centre)) * live * live[:, None]
        linear = (cross - level * first - centre * (sums[0, -1] - level)) * live
        square = float(sums[-1, -1]) - level * (2.0 * float(sums[0, -1]) - level)
        return _Lane(hessian, linear, level, square, test, ActiveSet(hessian), np.zeros(sd.size))

    def _walk(self, lane: int, lams: Array) -> list["_Point"]:
        """One lane at every strength."""
        problem, state = self._problem, self._lanes[lane]
        scale = float(problem.null.scale[lane])
        out = []
        for lam in lams:
            terms = problem.objective.terms(problem.penalty, float(lam), lane)
            tol, enough = FINE * scale, ENOUGH * problem.rules.tol * scale
            solution = self._by_spectrum(state, float(lam), terms)
            if solution is None or terms.distance(solution.coefs, solution.score).max(initial=0.0) > CLOSED * scale:
                solution = state.kernel.solve(state.linear, terms, state.coefs, tol, enough)
            state.coefs = solution.coefs
            violation = float(terms.distance(solution.coefs, solution.score).max(initial=0.0)) / scale
            violation = violation if np.isfinite(violation) else np.inf
            explained = float(solution.coefs @ (state.linear + solution.score))
            out.append(
                _Point(
                    solution.coefs,
                    violation,
                    solution.rounds,
                    0.5 * max(state.square - explained, 0.0),
                    self._held_out(lane, solution.coefs),
                    solution.aliased,
                )
            )
        return out

    def _by_spectrum(self, state: _Lane, lam: float, terms: SeparableTerms) -> QuadraticSolution | None:
        """Solve from eigenvectors where the penalty is a pure ridge on a long path; None elsewhere.

        The first strengths are left to the kernel: few of them do not pay for a decomposition.
        """
        limited = np.isfinite(terms.lower).any() or np.isfinite(terms.upper).any()
        if not self._problem.objective.lanes.level or lam == 0 or limited or terms.l1.any() or not (terms.l2 > 0).all():
            return None
        state.ridges += 1
        if state.ridges <= FEW_RIDGES:
            return None
        if state.spectrum is None:
            state.spectrum = Spectrum.of_hessian(state.hessian, state.linear, np.sqrt(terms.l2 / lam))
        coefs = state.spectrum.solve(np.array([lam]))[0]
        return QuadraticSolution(coefs, state.linear - state.hessian @ coefs, 1, solved=True, aliased=())

    def _held_out(self, lane: int, coefs: Array) -> float:
        """Mean squared error on a lane's test blocks; nan without any."""
        state, objective = self._lanes[lane], self._problem.objective
        weight = float(state.test[0, 0])
        if weight <= 0:
            return np.nan
        used = np.flatnonzero(coefs)
        own = coefs[used] / objective.lanes.sd[lane, used]
        base = state.level - float(own @ objective.lanes.centre[lane, used])
        vector = np.concatenate([[-base], -own, [1.0]])
        index = np.concatenate([[0], used + 1, [state.test.shape[0] - 1]])
        total = float(vector @ state.test[np.ix_(index, index)] @ vector)
        if total < CANCELLED * float(state.test[-1, -1]):
            total = self._held_out_rows(lane, coefs)
        return total / weight

    def _held_out_rows(self, lane: int, coefs: Array) -> float:
        """Sum of squared errors on a lane's test blocks, from the rows."""
        objective = self._problem.objective
        alone: Objective = objective.keep(np.array([lane]))
        level = self._lanes[lane].level + self._middle
        eta = alone.eta(np.array([level]), coefs[None])[0]
        part = objective.lanes.partition
        weights = part.test[lane][part.block] * part.row_weights
        return float(weights @ np.square(objective.y - eta))

    def _gather(self, lam: float, points: list["_Point"]) -> Iterate:
        """Put the lanes of one strength together."""
        violation = np.array([point.violation for point in points])
        return Iterate(
            lam=lam,
            intercepts=np.array([state.level + self._middle for state in self._lanes]),
            coefs=np.stack([point.coefs for point in points]),
            violation=violation,
            rounds=np.array([point.rounds for point in points]),
            status=status_of(violation, self._problem.rules.tol),
            loss=points[0].loss,
            held_out=np.array([point.held_out for point in points]),
            aliased=points[0].aliased,
        )


@dataclass(frozen=True, slots=True)
class _Point:
    """One lane at one strength."""

    coefs: Array
    violation: float
    rounds: int
    loss: float
    held_out: float
    aliased: tuple[int, ...]


def _spans(n: int, m: int) -> list[slice]:
    """Rows in a few long pieces, one task each, as many as the cells call for."""
    count = min(max(n * m // SPAN_CELLS, 1), MOST_SPANS)
    ends = [n * at // count for at in range(count + 1)]
    return [slice(begin, end) for begin, end in pairwise(ends)]


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
        yield before[left[0]] + after[left[0] + 1] if left.size else after[0]


def _map(table: Array, lane_map: sparse.csc_array | None) -> Array:
    """Carry moments of [1, base, y] to those of [1, base @ map, y]."""
    if lane_map is None:
        return table
    left = sparse.block_diag((np.ones((1, 1)), lane_map, np.ones((1, 1))), format="csc").T
    return np.asarray(left @ np.asarray(left @ table).T).T
