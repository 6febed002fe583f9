"""Ridge with more columns than rows, for any family: solve in the n-dimensional space of the rows.

With b = Z'a the penalty |b|^2 is a'Ka for K = ZZ', so that K = PP' turns the problem into one with the columns of P in
place of those of Z. Each lane has its own scales and so its own K; unpenalised columns are carried along as they are.
For the gaussian family without such columns the answer is closed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from regcli.problem.objective import Objective
from regcli.problem.protocols import Array, Integers
from regcli.results import Iterate, Status
from regcli.solvers.engine import Problem, RawModel, serial_map, status_of
from regcli.solvers.general import general_engine
from regcli.solvers.rows import standard_rows

__all__ = ["RowSpace"]

#: Eigenvalues of K below this share of the largest are rounding.
RANK = 1e-13

#: Part of the tolerance that the smaller problem is solved to: carrying coefficients back rounds.
INNER = 0.1

#: Columns whose products are added to K at a time: a piece of 500 rows stays in cache.
COLUMNS = 512

#: What rounding leaves of a residual, as a share of the numbers it is the difference of.
ROUNDING = 64 * float(np.finfo(float).eps)


@dataclass(frozen=True, slots=True)
class _Point:
    """One lane at one strength: intercept, coefficients (p,), rounds, and how it ended."""

    level: float
    coefs: Array
    rounds: int
    status: Status


class RowSpace:
    """Engine for a pure L2 penalty without limits and more columns than rows.

    Notes
    -----
    A lane costs O(n^2 p) for K and O(n^3) for its eigenvectors, once; a strength costs O(n p) where the answer is
    closed and O(n^3) elsewhere. Lanes are tasks of their own; they are measured together.
    """

    name = "row-space"
    batch = 8

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        lanes = range(problem.objective.lanes.n_lanes)
        self._closed: list[_ClosedLane] = []
        self._reduced: list[_ReducedLane] = []
        if problem.objective.family.quadratic and bool((problem.penalty.factors > 0).all()):
            self._closed = problem.fold_map(lambda lane: _ClosedLane(problem, int(lane)), lanes)
        else:
            self._reduced = problem.fold_map(lambda lane: _ReducedLane(problem, int(lane)), lanes)

    def advance(self, lams: Array, starts: Sequence[RawModel] | None = None) -> list[Iterate]:  # noqa: ARG002
        """Solve all lanes at the next strengths."""
        if self._closed:
            return self._read(lams)
        walks = self._problem.fold_map(lambda lane: lane.walk(lams), self._reduced)
        return [self._measure(float(lam), [walk[at] for walk in walks]) for at, lam in enumerate(lams)]

    def _read(self, lams: Array) -> list[Iterate]:
        """Closed answers: their coefficients at all strengths are one product for all lanes."""
        objective, null, tol = self._problem.objective, self._problem.null, self._problem.rules.tol
        lanes = objective.lanes
        answers = self._problem.fold_map(lambda lane: lane.answers(lams), self._closed)
        duals = np.stack([answer.duals for answer in answers], axis=1)
        products = objective.design.rdot(duals.reshape(-1, duals.shape[2])).reshape(*duals.shape[:2], -1)
        levels = np.array([lane.level for lane in self._closed])
        out = []
        for at, lam in enumerate(lams):
            coefs = lanes.from_base(products[at]) - lanes.centre * duals[at].sum(axis=1)[:, None]
            coefs = np.where(lanes.varies, coefs / lanes.sd, 0.0) / np.stack([lane.shape for lane in self._closed])
            eta = np.stack([answer.eta[at] for answer in answers])
            violation = np.array([answer.rest[at] for answer in answers]) / null.scale
            out.append(
                Iterate(
                    lam=float(lam),
                    intercepts=levels.copy(),
                    coefs=coefs,
                    violation=violation,
                    rounds=np.ones(levels.size, dtype=np.intp),
                    status=status_of(violation, tol),
                    loss=objective.lead_loss(eta),
                    eta=eta,
                )
            )
        return out

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
        return Iterate(
            lam=lam,
            intercepts=levels,
            coefs=coefs,
            violation=violation,
            rounds=np.array([point.rounds for point in points]),
            status=tuple(
                point.status if point.status is Status.SEPARATED else status
                for point, status in zip(points, status_of(violation, tol), strict=True)
            ),
            loss=objective.lead_loss(eta),
            eta=eta,
        )


def _root(problem: Problem, columns: Integers) -> Array:
    """Square root of what the strength is multiplied by in the penalty of each column, the L2 scale left out."""
    return np.asarray(problem.objective.lanes.unit[0, columns] * np.sqrt(problem.penalty.factors[columns]))


@dataclass(frozen=True, slots=True)
class _Answers:
    """A lane at some strengths: duals and predictors (T, n), and how far from optimal it may be at most (T,)."""

    duals: Array
    eta: Array
    rest: Array


class _ClosedLane:
    """A gaussian lane with every column penalised: one decomposition answers every strength.

    With Z the rows of its columns, W its weights and D the L2 weights over the strength, b = D^-1 Z'W^(1/2) a for
    a = (K + lam)^-1 W^(1/2) r, K = W^(1/2) Z D^-1 Z' W^(1/2), r the target less intercept and offset. The gradient is
    Z'W^(1/2) (W^(1/2) (r - Zb) - lam a), and columns have length one under W, so that the length of what is in brackets
    bounds every component.
    """

    def __init__(self, problem: Problem, lane: int) -> None:
        alone = problem.lane(lane)
        objective = alone.objective
        self.level = float(alone.null.intercepts[0])
        live = objective.lanes.varies[0]
        root = _root(alone, np.arange(objective.n_terms)) * np.sqrt(objective.lanes.l2_scale[0])
        self.shape = np.where(live, root * root, 1.0)
        self._share = np.sqrt(objective.lanes.weights(0))
        self._target = objective.y - objective.offset - self.level
        self._offset, self._free = objective.offset, objective.intercept
        self._gram = _outer_gram(objective, np.flatnonzero(live), root)
        used = np.flatnonzero(self._share > 0)
        scaled = self._gram[np.ix_(used, used)] * self._share[used] * self._share[used, None]
        self._used = used
        self._values, self._vectors = np.linalg.eigh(scaled)
        objective.tally.factored()

    def answers(self, lams: Array) -> _Answers:
        """Read the answers off, and check them in the space of the rows."""
        used, share = self._used, self._share
        values = np.maximum(self._values, 0.0)
        aim = self._vectors.T @ (share * self._target)[used]
        small = np.zeros((lams.size, share.size))
        small[:, used] = (aim / (values + lams[:, None])) @ self._vectors.T
        duals = small * share
        fitted = duals @ self._gram
        rest = share * (self._target - fitted) - lams[:, None] * small
        size = np.abs(share * self._target) + share * np.abs(fitted)
        level = np.abs((share * share) @ (self._target - fitted).T) * self._free
        noise = ROUNDING * np.sqrt(np.square(size).sum(axis=1))
        bound = np.sqrt(np.square(rest).sum(axis=1)) + noise
        return _Answers(duals, fitted + self.level + self._offset, np.maximum(bound, level))


def _outer_gram(objective: Objective, columns: Integers, root: Array) -> Array:
    """Z D^-1 Z' over all rows (n, n), with D = root^2; columns are centred and scaled piece by piece."""
    every = np.arange(objective.y.size)
    out = np.zeros((every.size, every.size))
    for start in range(0, columns.size, COLUMNS):
        piece = columns[start : start + COLUMNS]
        values = standard_rows(objective, piece, every) / root[piece]
        out += values @ values.T
        objective.tally.multiplied(values.size * (every.size + 1) // 2)
    return out


class _ReducedLane:
    """A lane of any family, solved on the columns of P."""

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
        objective.tally.multiplied(columns.size * (every.size + 1) // 2)
        objective.tally.factored()
        kept = values > RANK * values.max(initial=0.0)
        self._back = columns.T @ (vectors[:, kept] / np.sqrt(values[kept]))
        reduced = np.hstack([vectors[:, kept] * np.sqrt(values[kept]), standard_rows(objective, self._free, every)])
        self._reduced = int(np.count_nonzero(kept))
        objective.tally.multiplied(columns.size * self._reduced)
        shape = np.concatenate([np.ones(self._reduced), np.zeros(self._free.size)])
        other = objective.on_columns(reduced)
        self._engine = general_engine(
            replace(
                alone,
                objective=other,
                null=replace(other.null(), scale=alone.null.scale),
                penalty=problem.penalty.on_columns(shape),
                rules=replace(problem.rules, tol=INNER * problem.rules.tol),
                parallel_map=serial_map,
                fold_map=serial_map,
            )
        )

    def walk(self, lams: Array) -> list[_Point]:
        """Solve there and carry the coefficients back."""
        return [self._lift(step) for step in self._engine.advance(lams)]

    def _lift(self, step: Iterate) -> _Point:
        """Coefficients of the columns."""
        coefs = np.zeros(self._size)
        coefs[self._live] = self._back @ step.coefs[0, : self._reduced] / self._root
        coefs[self._free] = step.coefs[0, self._reduced :]
        return _Point(float(step.intercepts[0]), coefs, int(step.rounds[0]), step.status[0])
