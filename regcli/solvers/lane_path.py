"""One lane along strengths, from the second moments of its training rows alone."""

from dataclasses import dataclass, replace

import numpy as np

from regcli.problem.protocols import Array
from regcli.problem.tally import Tally
from regcli.solvers.active_set import ActiveSet, QuadraticSolution
from regcli.solvers.engine import Problem
from regcli.solvers.factor import Factor
from regcli.solvers.screening import ahead
from regcli.solvers.spectral import Spectrum
from regcli.solvers.together import complete

__all__ = ["SPECTRAL", "Lane", "LanePaths", "Point", "Quadratic"]

#: Strengths a batch from which on a ridge path pays for a decomposition, which costs about as much as ten of the
#: kernel's factors.
SPECTRAL = 8

#: Cells of rows that are gathered at a time where held-out errors are taken from the data.
HELD_OUT_CELLS = 4_000_000

#: A held-out sum of squares below this share of the block's total has lost eight digits to subtraction: it is
#: computed a second time from the rows.
CANCELLED = 1e-8

#: Slopes that the kernel leaves, as shares of the scale. Exact solutions cost hardly more than near ones, and where one
#: column dwarfs the others (a mean of 1e5 sds and no intercept) slopes within the tolerance would be wrong choices.
#: ``ENOUGH``, as a share of the tolerance, is where it may end once only rounding moves. With an L2 part solves are
#: iterative and digits cost (an elastic net of 5,000 x 2,000 takes 9,000 instead of 13,400): slopes may be ``LOOSE``, a
#: share of the tolerance, times the length of the shortest column as a share of the longest.
FINE, ENOUGH, LOOSE = 1e-13, 0.1, 1e-3

#: Slopes that a closed answer may leave, as a share of the scale; beyond, the kernel solves the strength.
CLOSED = 1e-11


@dataclass(frozen=True, slots=True)
class Quadratic:
    """The loss of one lane; ``test`` are the moments of its held-out rows where they are kept."""

    lane: int
    hessian: Array
    linear: Array
    level: float
    square: float
    test: Array | None


@dataclass(frozen=True, slots=True)
class Point:
    """One lane at one strength."""

    coefs: Array
    level: float
    violation: float
    rounds: int
    loss: float
    aliased: tuple[int, ...]
    held_out: float = np.nan


class Lane:
    """One lane on its way: its loss, and what solves it at the next strength."""

    def __init__(self, loss: Quadratic, tally: Tally) -> None:
        self.loss = loss
        self.kernel = ActiveSet(Factor(loss.hessian, tally))
        self.spectrum: Spectrum | None = None
        lengths = np.sqrt(np.maximum(loss.hessian.diagonal(), 0.0))
        self.even = float(lengths[lengths > 0].min(initial=np.inf) / lengths.max(initial=0.0)) if lengths.any() else 1.0
        self.past: list[tuple[float, Array]] = []

    def passed(self, lam: float, score: Array) -> None:
        """Take up the score at a strength."""
        self.past = [*self.past[-1:], (lam, score)]


class LanePaths:
    """Lanes along strengths. ``target`` (n,) is that of the sums; where each lane stands is kept from batch to batch.

    What belongs to a lane is written to by that lane alone: lanes may be in threads, or in processes of their own.
    """

    def __init__(self, problem: Problem, target: Array) -> None:
        objective = problem.objective
        part = objective.lanes.partition
        self._problem, self._target = problem, target
        self._weights = np.bincount(part.block, weights=part.row_weights, minlength=part.n_blocks)
        self._coefs = np.zeros((part.n_lanes, objective.n_terms))
        self.lanes: list[Lane] = []

    def walk(self, lane: int, lams: Array) -> list[Point]:
        """A lane that is kept at every strength."""
        return self.along(self.lanes[lane], lams)

    def along(self, state: Lane, lams: Array) -> list[Point]:
        """One lane at every strength."""
        problem, loss, lane = self._problem, state.loss, state.loss.lane
        scale, coefs = float(problem.null.scale[lane]), self._coefs[lane]
        enough, loose = ENOUGH * problem.rules.tol * scale, max(FINE, LOOSE * problem.rules.tol * state.even) * scale
        closed, out = self._by_spectrum(state, lams), []
        for at, lam in enumerate(map(float, lams)):
            terms = problem.objective.terms(problem.penalty, lam, lane)
            solution = closed[at] if closed else None
            distance = terms.distance(solution.coefs, solution.score).max(initial=0.0) if solution else np.inf
            if solution is None or distance > CLOSED * scale:
                known = state.past[-1][1] if state.past else None
                tol = loose if terms.l2.any() else FINE * scale
                solution = complete(
                    state.kernel.minimise(loss.linear, terms, coefs, tol, enough, ahead(state.past, lam), known)
                )
                distance = terms.distance(solution.coefs, solution.score).max(initial=0.0)
            state.passed(lam, solution.score)
            coefs = solution.coefs
            violation = float(distance) / scale
            violation = violation if np.isfinite(violation) else np.inf
            value = 0.5 * max(loss.square - float(coefs @ (loss.linear + solution.score)), 0.0)
            out.append(Point(coefs, loss.level, violation, solution.rounds, value, solution.aliased))
        self._coefs[lane] = coefs
        errors = self._held_out(loss, np.stack([point.coefs for point in out]))
        return [replace(point, held_out=error) for point, error in zip(out, errors.tolist(), strict=True)]

    def _by_spectrum(self, state: Lane, lams: Array) -> list[QuadraticSolution]:
        """Solve all strengths of a batch from eigenvectors where the penalty is a pure ridge; empty elsewhere.

        A few strengths do not pay for a decomposition: they are left to the kernel.
        """
        problem, loss = self._problem, state.loss
        terms = problem.objective.terms(problem.penalty, 1.0, loss.lane)
        ridge = bool(lams.min() > 0 and not terms.l1.any() and (terms.l2 > 0).all())
        few = state.spectrum is None and lams.size < SPECTRAL
        if few or not ridge or terms.limited or not problem.objective.lanes.level:
            return []
        if state.spectrum is None:
            problem.objective.tally.factored()
            state.spectrum = Spectrum.of_hessian(loss.hessian, loss.linear, np.sqrt(terms.l2))
        coefs = state.spectrum.solve(lams)
        scores = loss.linear - coefs @ loss.hessian
        return [QuadraticSolution(*pair, 1, solved=True, aliased=()) for pair in zip(coefs, scores, strict=True)]

    def _held_out(self, loss: Quadratic, coefs: Array) -> Array:
        """Mean squared error on a lane's test blocks at models (T, p); nan without any."""
        objective = self._problem.objective
        weight = float(objective.lanes.partition.test[loss.lane] @ self._weights)
        if weight <= 0:
            return np.full(len(coefs), np.nan)
        if loss.test is None:
            return self._held_out_rows(loss, coefs) / weight
        own = coefs / objective.lanes.sd[loss.lane]
        base = loss.level - own @ objective.lanes.centre[loss.lane]
        vectors = np.column_stack([-base, -own, np.ones(len(own))])
        total = np.sum(vectors @ loss.test * vectors, axis=1)
        lost = total < CANCELLED * (np.square(vectors) @ np.diagonal(loss.test))
        if lost.any():
            total[lost] = self._held_out_rows(loss, coefs[lost])
        return total / weight

    def _held_out_rows(self, loss: Quadratic, coefs: Array) -> Array:
        """Sums of squared errors of models (T, p), from the rows."""
        objective = self._problem.objective
        part, lanes = objective.lanes.partition, objective.lanes
        rows = np.flatnonzero(part.test[loss.lane][part.block] & (part.row_weights > 0))
        own = coefs / lanes.sd[loss.lane]
        levels = (loss.level - own @ lanes.centre[loss.lane])[:, None]
        errors, step = np.zeros(len(own)), max(1, HELD_OUT_CELLS // objective.design.shape[1])
        for start in range(0, rows.size, step):
            index = rows[start : start + step]
            values = lanes.columns(objective.design.rows(index), loss.lane)
            objective.tally.multiplied(values.size * len(own))
            errors += np.square(self._target[index] - levels - own @ values.T) @ part.row_weights[index]
        return errors
