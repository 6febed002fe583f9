"""Ridge with more columns than rows, for any family: solve in the n-dimensional space of the rows.

With b = Z'a the penalty |b|^2 is a'Ka for K = ZZ', so that K = PP' turns the problem into one with the columns of P in
place of those of Z. Each lane has its own scales and so its own K; unpenalised columns are carried along as they are.
For the gaussian family without such columns the answer is closed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from regcli.problem.protocols import Array, Integers
from regcli.results import Iterate, Status
from regcli.solvers.engine import Problem, Start, serial_map
from regcli.solvers.newton import Newton
from regcli.solvers.rows import standard_rows
from regcli.solvers.spectral import Spectrum

__all__ = ["RowSpace"]

#: Eigenvalues of K below this share of the largest are rounding.
RANK = 1e-13

#: Part of the tolerance that the smaller problem is solved to: carrying coefficients back rounds.
INNER = 0.1


@dataclass(frozen=True, slots=True)
class _Point:
    """One lane at one strength: intercept, coefficients (p,), rounds, and how it ended."""

    level: float
    coefs: Array
    rounds: int
    status: Status


class _Lane(Protocol):
    """One lane, walked on its own."""

    def walk(self, lams: Array) -> list[_Point]:
        """Solve at the next strengths."""
        ...


class RowSpace:
    """Engine for a pure L2 penalty without limits and more columns than rows.

    Notes
    -----
    A lane costs O(n^2 p) for K and O(n^3) for its eigenvectors, once; a strength costs O(n p) where the answer is
    closed and O(n^3) elsewhere. Lanes are tasks of their own; they are measured together.
    """

    name = "row-space"

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        closed = problem.objective.family.quadratic and bool((problem.penalty.factors > 0).all())
        make = _ClosedLane if closed else _ReducedLane
        self._lanes: list[_Lane] = problem.parallel_map(
            lambda lane: make(problem, int(lane)), range(problem.objective.lanes.n_lanes)
        )

    def advance(self, lams: Array, starts: Sequence[Start] | None = None) -> list[Iterate]:  # noqa: ARG002
        """Walk every lane over the strengths, one task a lane."""
        walks = self._problem.parallel_map(lambda lane: lane.walk(lams), self._lanes)
        return [self._measure(float(lam), [walk[at] for walk in walks]) for at, lam in enumerate(lams)]

    def _measure(self, lam: float, points: list[_Point]) -> Iterate:
        """Put the lanes of one strength together, with their violation from the data: one product for all."""
        objective, null, tol = self._problem.objective, self._problem.null, self._problem.rules.tol
        levels, coefs = np.array([point.level for point in points]), np.stack([point.coefs for point in points])
        eta = objective.eta(levels, coefs)
        level, score = objective.score(eta)
        distance = [
            objective.terms(self._problem.penalty, lam, lane).distance(coefs[lane], score[lane]).max(initial=0.0)
            for lane in range(levels.size)
        ]
        violation = np.maximum(np.array(distance), np.abs(level)) / null.scale
        reached = [Status.CONVERGED if value <= tol else Status.MAX_ITER for value in violation]
        return Iterate(
            lam=lam,
            intercepts=levels,
            coefs=coefs,
            violation=violation,
            rounds=np.array([point.rounds for point in points]),
            status=tuple(
                point.status if point.status is Status.SEPARATED else status
                for point, status in zip(points, reached, strict=True)
            ),
            loss=float(objective.loss(eta)[0]),
            eta=eta,
        )


def _root(problem: Problem, columns: Integers) -> Array:
    """Square root of what the strength is multiplied by in the penalty of each column, the L2 scale left out."""
    return np.asarray(problem.objective.lanes.unit[0, columns] * np.sqrt(problem.penalty.factors[columns]))


class _ClosedLane:
    """A gaussian lane with every column penalised: one decomposition answers every strength."""

    def __init__(self, problem: Problem, lane: int) -> None:
        alone = problem.lane(lane)
        objective = alone.objective
        self._size = objective.n_terms
        self._level = float(alone.null.intercepts[0])
        self._live = np.flatnonzero(objective.lanes.varies[0])
        weights = objective.lanes.weights(0)
        rows = np.flatnonzero(weights > 0)
        share = np.sqrt(weights[rows])
        target = share * (objective.y - objective.offset - self._level)[rows]
        values = standard_rows(objective, self._live, rows) * share[:, None]
        root = _root(alone, self._live) * np.sqrt(objective.lanes.l2_scale[0])
        self._spectrum = Spectrum.of_rows(values, target, root, RANK)

    def walk(self, lams: Array) -> list[_Point]:
        """Read the answers off."""
        found = np.zeros((lams.size, self._size))
        found[:, self._live] = self._spectrum.solve(lams)
        return [_Point(self._level, coefs, 1, Status.CONVERGED) for coefs in found]


class _ReducedLane:
    """A lane of any family, solved by Newton on the columns of P."""

    def __init__(self, problem: Problem, lane: int) -> None:
        alone = problem.lane(lane)
        objective, factors = alone.objective, problem.penalty.factors
        self._size = objective.n_terms
        self._live = np.flatnonzero(objective.lanes.varies[0] & (factors > 0))
        self._free = np.flatnonzero(objective.lanes.varies[0] & (factors == 0))
        self._root = _root(alone, self._live)
        every = np.arange(objective.y.size)
        columns = standard_rows(objective, self._live, every) / self._root
        values, vectors = np.linalg.eigh(columns @ columns.T)
        kept = values > RANK * values.max(initial=0.0)
        self._back = columns.T @ (vectors[:, kept] / np.sqrt(values[kept]))
        reduced = np.hstack([vectors[:, kept] * np.sqrt(values[kept]), standard_rows(objective, self._free, every)])
        self._reduced = int(np.count_nonzero(kept))
        shape = np.concatenate([np.ones(self._reduced), np.zeros(self._free.size)])
        self._engine = Newton(
            replace(
                alone,
                objective=objective.on_columns(reduced),
                penalty=problem.penalty.on_columns(shape),
                rules=replace(problem.rules, tol=INNER * problem.rules.tol),
                parallel_map=serial_map,
            )
        )

    def walk(self, lams: Array) -> list[_Point]:
        """Solve on the columns of P and carry the coefficients back."""
        return [self._lift(step) for step in self._engine.advance(lams)]

    def _lift(self, step: Iterate) -> _Point:
        """Coefficients of the columns."""
        coefs = np.zeros(self._size)
        coefs[self._live] = self._back @ step.coefs[0, : self._reduced] / self._root
        coefs[self._free] = step.coefs[0, self._reduced :]
        return _Point(float(step.intercepts[0]), coefs, int(step.rounds[0]), step.status[0])
