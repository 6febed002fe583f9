"""Gaussian ridge of any shape: one Krylov space holds the answers at every strength.

With M the columns of a lane, weighted and divided by the root of their L2 weights, and r its target, Golub and Kahan's
process makes orthonormal V and a bidiagonal B with M V = U B and r = |r| U e_1. The minimiser of
|r - M c|^2 + lam |c|^2 over the span of V is V y with y = argmin |e_1 |r| - B y|^2 + lam |y|^2, and what is missing of
its optimality lies along one vector: alpha_(k+1) (e_1 |r| - B y)_(k+1) v_(k+1). All lanes go on together, two products
with the data a step, until the smallest strength is exact; larger ones then are too.

References
----------
.. [1] Golub, Kahan (1965), "Calculating the singular values and pseudo-inverse of a matrix", SIAM J. Numer. Anal. B
   2(2). doi:10.1137/0702016
.. [2] Simon, Zha (2000), "Low-rank matrix approximation using the Lanczos bidiagonalization process with applications",
   SIAM J. Sci. Comput. 21(6). doi:10.1137/S1064827597327309 (why one of the bases may be left to rounding).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solveh_banded

from regcli.problem.protocols import Array
from regcli.results import Iterate
from regcli.solvers.engine import Engine, Problem, RawModel, status_of

__all__ = ["Krylov"]

#: Share of the tolerance at which a strength is left: a step costs little and each brings a digit or so.
FINE = 1e-3

#: Vectors a lane before the engine gives up and leaves what is not converged as it is: spectra that take so many are
#: those of columns of very different lengths.
MOST_VECTORS = 1000

#: A norm below this share of the first one is what rounding leaves of zero: the space is complete.
COMPLETE = 1e-14

#: Steps between two looks at the answers, vectors that there is room for at first.
LOOK, ROOM = 4, 32

#: What rounding leaves of a gradient, as a share of the length of the target: columns have length one.
ROUNDING = 64 * float(np.finfo(float).eps)


@dataclass(frozen=True, slots=True)
class _Answer:
    """One lane at some strengths: coefficients (T, p), predictors of held-out rows (T, h), the rest (T,)."""

    coefs: Array
    tested: Array
    violation: Array
    loss: Array
    held_out: Array


class Krylov:
    """Engine for the gaussian family under an L2 penalty on every column, without limits.

    Parameters
    ----------
    problem : Problem
        What is solved.
    otherwise : callable
        Makes the engine that takes over where the spaces would grow too large.

    Notes
    -----
    A step costs two products with the data for all lanes, O(n m L), and O(k p) a lane to keep V orthogonal. There are
    about as many steps as half the square root of the condition number times the digits asked for, for all strengths
    together; a strength then costs O(k p) a lane. Memory is k p numbers a lane.
    """

    name = "cg"
    batch = 25

    def __init__(self, problem: Problem, otherwise: Callable[[Problem], Engine]) -> None:
        self._problem, self._otherwise = problem, otherwise
        objective = problem.objective
        lanes, part = objective.lanes, objective.lanes.partition
        self._other: Engine | None = None
        self._root = np.sqrt(np.where(lanes.varies, lanes.unit**2 * problem.penalty.factors, 1.0))
        self._root *= np.sqrt(lanes.l2_scale)[:, None]
        self._share = np.sqrt(np.stack([lanes.weights(lane) for lane in range(lanes.n_lanes)]))
        self._target = objective.y - objective.offset - problem.null.intercepts[:, None]
        self._rows = [np.flatnonzero(row[part.block] & (part.row_weights > 0)) for row in part.test]
        self._most = min(MOST_VECTORS, *objective.design.shape)
        self._size = 0
        self._vectors = np.zeros((lanes.n_lanes, ROOM, objective.n_terms))
        self._tested = [np.zeros((ROOM, rows.size)) for rows in self._rows]
        self._diagonal, self._below = np.zeros((lanes.n_lanes, ROOM)), np.zeros((lanes.n_lanes, ROOM))
        self._below[:, 0], self._left = _unit(self._share * self._target, np.zeros(lanes.n_lanes))
        self._diagonal[:, 0], self._vectors[:, 0] = _unit(self._back(self._left), COMPLETE * self._below[:, 0])

    def advance(self, lams: Array, starts: Sequence[RawModel] | None = None) -> list[Iterate]:
        """Extend the spaces until the smallest strength is exact, then read off all; the first counts the steps."""
        before = self._size
        if self._other is None and not self._reach(float(lams[-1])):
            self._other = self._otherwise(self._problem)
        if self._other is not None:
            return self._other.advance(lams, starts)
        answers = self._problem.fold_map(lambda lane: self._answer(lane, lams), range(len(self._rows)))
        return [
            Iterate(
                lam=float(lam),
                intercepts=self._problem.null.intercepts.copy(),
                coefs=np.stack([answer.coefs[at] for answer in answers]),
                violation=(violation := np.array([answer.violation[at] for answer in answers])),
                rounds=np.full(violation.size, self._size - before if at == 0 else 0),
                status=status_of(violation, self._problem.rules.tol),
                loss=float(answers[0].loss[at]),
                held_out=np.array([answer.held_out[at] for answer in answers]),
                eta=self._tested_eta([answer.tested[at] for answer in answers]),
            )
            for at, lam in enumerate(lams)
        ]

    def _tested_eta(self, tested: list[Array]) -> Array | None:
        """Predictors (L, n) of held-out rows, nan elsewhere; None where rows are many and coefficients cost less."""
        n, m = self._problem.objective.design.shape
        if n >= m:
            return None
        out = np.full((len(tested), n), np.nan)
        for lane, rows in enumerate(self._rows):
            out[lane, rows] = tested[lane]
        return out

    def _reach(self, lam: float) -> bool:
        """Extend the spaces until every lane is exact at a strength; whether that was possible."""
        while True:
            if self._size and (self._size % LOOK == 0 or self._size == self._most):
                if all(self._missing(lane, lam) <= FINE * self._problem.rules.tol for lane in range(len(self._rows))):
                    return True
                if self._size == self._most:
                    return False
            self._extend()

    def _extend(self) -> None:
        """One step of all lanes: two products with the data."""
        objective, k = self._problem.objective, self._size
        objective.tally.stepped(len(self._rows))
        if k + 2 > self._diagonal.shape[1]:
            self._widen()
        ahead = objective.slope(np.zeros(len(self._rows)), self._vectors[:, k] / self._root)
        for tested, image, rows in zip(self._tested, ahead, self._rows, strict=True):
            tested[k] = image[rows]
        ahead *= self._share
        ahead -= self._diagonal[:, k, None] * self._left
        least = COMPLETE * self._below[:, 0]
        self._below[:, k + 1], self._left = _unit(ahead, least)
        back = self._back(self._left) - self._below[:, k + 1, None] * self._vectors[:, k]
        for lane, known in enumerate(self._vectors[:, : k + 1]):
            for _ in range(2):  # once leaves what rounding makes of vectors that are nearly in the span
                back[lane] -= (known @ back[lane]) @ known
        self._diagonal[:, k + 1], self._vectors[:, k + 1] = _unit(back, COMPLETE * self._diagonal[:, 0])
        self._size += 1

    def _back(self, rows: Array) -> Array:
        """M' of rows (L, n)."""
        return self._problem.objective.project(rows * self._share, self._problem.parallel_map)[1] / self._root

    def _widen(self) -> None:
        """Make room for half as many vectors again."""
        more = self._diagonal.shape[1] // 2
        self._diagonal, self._below = (np.pad(rows, ((0, 0), (0, more))) for rows in (self._diagonal, self._below))
        self._vectors = np.pad(self._vectors, ((0, 0), (0, more), (0, 0)))
        self._tested = [np.pad(tested, ((0, more), (0, 0))) for tested in self._tested]

    def _missing(self, lane: int, lam: float) -> float:
        """Violation of a lane at one strength, from the bidiagonal matrix alone."""
        k = self._size
        diagonal, below = self._diagonal[lane, :k], self._below[lane, 1 : k + 1]
        bands = np.zeros((2, k))
        bands[1], bands[0, 1:] = np.square(diagonal) + np.square(below) + lam, below[:-1] * diagonal[1:]
        right = np.zeros(k)
        right[0] = self._below[lane, 0] * diagonal[0]
        return float(self._violation(lane, solveh_banded(bands, right)[None])[0])

    def _violation(self, lane: int, inner: Array) -> Array:
        """Violations of answers (T, k) in the lane's space: what points out of it, and what rounding may have added."""
        k = self._size
        length = float(np.max(np.abs(self._vectors[lane, k] * self._root[lane]), initial=0.0))
        beyond = self._diagonal[lane, k] * self._below[lane, k] * np.abs(inner[:, -1]) * length
        return np.asarray((beyond + ROUNDING * self._below[lane, 0]) / self._problem.null.scale[lane])

    def _answer(self, lane: int, lams: Array) -> _Answer:
        """Read off one lane at some strengths."""
        k, objective = self._size, self._problem.objective
        matrix = np.zeros((k + 1, k))
        matrix[np.arange(k), np.arange(k)] = self._diagonal[lane, :k]
        matrix[np.arange(1, k + 1), np.arange(k)] = self._below[lane, 1 : k + 1]
        left, values, right = np.linalg.svd(matrix, full_matrices=False)
        objective.tally.factored()
        length = self._below[lane, 0]
        inner = (length * left[0] * values / (np.square(values) + lams[:, None])) @ right
        rest = -inner @ matrix.T
        rest[:, 0] += length
        coefs = (inner @ self._vectors[lane, :k]) / self._root[lane]
        rows = self._rows[lane]
        weights = objective.lanes.partition.row_weights[rows]
        tested = inner @ self._tested[lane][:k]
        errors = np.square(self._target[lane, rows] - tested) @ weights
        return _Answer(
            coefs=coefs,
            tested=tested + self._problem.null.intercepts[lane] + objective.offset[rows],
            violation=self._violation(lane, inner),
            loss=0.5 * np.square(rest).sum(axis=1),
            held_out=errors / weights.sum() if rows.size else np.full(lams.size, np.nan),
        )


def _unit(rows: Array, least: Array) -> tuple[Array, Array]:
    """Lengths (L,) of rows, zero where at most ``least``, and the rows at length one, or zero."""
    lengths = np.sqrt(np.einsum("ln,ln->l", rows, rows))
    lengths = np.where(lengths > least, lengths, 0.0)
    return lengths, rows * np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0)[:, None]
