"""Ridge with more columns than rows, for any family: solve in the n-dimensional space of the rows.

With b = Z'a the penalty |b|^2 is a'Ka for K = ZZ', so that K = PP' turns the problem into one with the columns of P in
place of those of Z. Each lane has its own scales and so its own K; unpenalised columns are carried along as they are.
"""

from dataclasses import replace

import numpy as np

from regcli.problem.protocols import Array, Integers
from regcli.results import Iterate, Status
from regcli.solvers.engine import Engine, Problem, serial_map
from regcli.solvers.newton import Newton

__all__ = ["RowSpace"]

#: Eigenvalues of K below this share of the largest are rounding.
RANK = 1e-13


class RowSpace:
    """Engine for a pure L2 penalty without limits and more columns than rows.

    Notes
    -----
    A lane costs O(n^2 p) for K and O(n^3) for its eigenvectors, once; a strength costs O(n^3) at most. Lanes are tasks
    of their own.
    """

    name = "row_space"

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._lanes = problem.parallel_map(
            lambda lane: _Lane(problem, int(lane)), range(problem.objective.lanes.n_lanes)
        )

    def advance(self, lams: Array) -> list[Iterate]:
        """Walk every lane over the strengths, one task a lane."""
        walks = self._problem.parallel_map(lambda lane: lane.walk(lams), self._lanes)
        return [_gather([walk[at] for walk in walks]) for at in range(len(lams))]


class _Lane:
    """One lane in the space of its rows."""

    def __init__(self, problem: Problem, lane: int) -> None:
        self._whole = problem.objective.keep(np.array([lane]))
        self._penalty = problem.penalty
        self._scale = problem.null.scale[lane : lane + 1]
        self._tol = problem.rules.tol
        lanes = self._whole.lanes
        live = np.flatnonzero(lanes.varies[0] & (problem.penalty.factors > 0))
        self._live, self._free = live, np.flatnonzero(lanes.varies[0] & (problem.penalty.factors == 0))
        self._shrink = 1.0 / (lanes.unit[0, live] * np.sqrt(problem.penalty.factors[live]))
        columns = self._columns(live) * self._shrink
        values, vectors = np.linalg.eigh(columns @ columns.T)
        kept = values > RANK * values.max(initial=0.0)
        self._back = columns.T @ (vectors[:, kept] / np.sqrt(values[kept]))
        reduced = np.hstack([vectors[:, kept] * np.sqrt(values[kept]), self._columns(self._free)])
        self._reduced = int(np.count_nonzero(kept))
        factors = np.concatenate([np.ones(self._reduced), np.zeros(self._free.size)])
        alone = replace(
            problem.lane(lane),
            objective=self._whole.on_columns(reduced),
            penalty=problem.penalty.on_columns(factors),
            rules=replace(problem.rules, tol=0.1 * problem.rules.tol),
            parallel_map=serial_map,
        )
        self._engine: Engine = Newton(alone)

    def _columns(self, columns: Integers) -> Array:
        """Centred and scaled columns, all rows."""
        lanes = self._whole.lanes
        values = self._whole.design.subset(columns).rows(np.arange(self._whole.y.size))
        return (values - lanes.centre[0, columns]) / lanes.sd[0, columns]

    def walk(self, lams: Array) -> list[Iterate]:
        """Solve in the rows' space and carry the coefficients back."""
        return [self._lift(step) for step in self._engine.advance(lams)]

    def _lift(self, step: Iterate) -> Iterate:
        """Coefficients of the columns, and their violation from the data."""
        coefs = np.zeros((1, self._whole.n_terms))
        coefs[0, self._live] = self._shrink * (self._back @ step.coefs[0, : self._reduced])
        coefs[0, self._free] = step.coefs[0, self._reduced :]
        eta = self._whole.eta(step.intercepts, coefs)
        level, score = self._whole.score(eta)
        terms = self._whole.terms(self._penalty, step.lam, 0)
        distance = terms.distance(coefs[0], score[0])
        violation = max(float(distance.max(initial=0.0)), abs(float(level[0]))) / float(self._scale[0])
        status = step.status
        if status[0] is not Status.SEPARATED:
            status = (Status.CONVERGED if violation <= self._tol else Status.MAX_ITER,)
        return replace(step, coefs=coefs, eta=eta, violation=np.array([violation]), status=status, aliased=())


def _gather(steps: list[Iterate]) -> Iterate:
    """Put lanes that were solved alone together."""
    return replace(
        steps[0],
        intercepts=np.concatenate([step.intercepts for step in steps]),
        coefs=np.vstack([step.coefs for step in steps]),
        violation=np.concatenate([step.violation for step in steps]),
        rounds=np.concatenate([step.rounds for step in steps]),
        status=tuple(status for step in steps for status in step.status),
        loss=np.concatenate([step.loss for step in steps]),
        eta=np.vstack([step.eta for step in steps if step.eta is not None]),
    )
