"""Columns that nothing penalises, exchanged for orthogonal ones that span the same: predictors stay, digits are kept.

A Hessian holds the squares of lengths. Of two columns that differ by 1e-6 of themselves it knows the difference to
1e-4; in columns that are orthogonal there is nothing to cancel. What was lost on the way there and back is found by
solving once more with the predictors of the answer as an offset.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from regcli.problem.protocols import Array, Integers
from regcli.results import Iterate, Status
from regcli.solvers.certificate import measured
from regcli.solvers.endless import has_end
from regcli.solvers.engine import Problem
from regcli.solvers.rows import DEPENDENT, MOST_CELLS, standard_rows

__all__ = ["Turned", "turned", "with_digits"]

#: Times an answer is used as an offset: the second already changes nothing on powers up to 6 of years.
AGAIN = 3

Solve = Callable[[Problem], Iterate]


@dataclass(frozen=True)
class Turned:
    """A problem of one lane in orthogonal columns, and the way back.

    Coefficients on ``columns`` (k,) of the original are ``back`` (k, r) times those found.
    """

    problem: Problem
    columns: Integers
    back: Array

    def coefs(self, found: Array, count: int) -> Array:
        """Coefficients (count,) of the original, from those found (r,)."""
        out = np.zeros(count)
        out[self.columns] = self.back @ found
        return out

    def has_end(self, eta: Array) -> bool:
        """Whether predictors (n,) prove that there is a solution: in these columns rounding hides none."""
        objective = self.problem.objective
        return has_end(objective, objective.terms(self.problem.penalty, 0.0, 0), eta)

    def around(self, eta: Array) -> Problem:
        """The problem of what is missing where predictors (n,) are what they are."""
        objective = replace(self.problem.objective, offset=eta)
        null = replace(objective.null(), scale=self.problem.null.scale)
        return replace(self.problem, objective=objective, null=null)


def turned(problem: Problem) -> Turned | None:
    """A problem of one lane without penalty in columns that are orthogonal over its training rows.

    None where columns have limits, or are so many that they are not to be held as one dense table. Costs O(n k^2).
    """
    objective = problem.objective
    aside = [one.column for one in problem.depends if one.aside]
    live, rows = np.setdiff1d(np.flatnonzero(objective.lanes.varies[0]), aside), np.arange(objective.y.size)
    if problem.penalty.restrict(live).has_limits() or not 0 < rows.size * live.size <= MOST_CELLS:
        return None
    table = standard_rows(objective, live, rows)
    share = np.sqrt(objective.lanes.weights(0))[:, None]
    _, values, right = np.linalg.svd(share * table, full_matrices=False)
    kept = values > DEPENDENT * values[0]
    back = right[kept].T / values[kept]
    other = objective.on_columns(table @ back)
    penalty = problem.penalty.on_columns(np.zeros(np.count_nonzero(kept)))
    same = replace(problem, objective=other, penalty=penalty, null=other.null(), depends=(), memory={})
    return Turned(same, live, back)


def with_digits(problem: Problem, step: Iterate, solve: Solve) -> Iterate:
    """A step at strength 0 with lanes solved again in orthogonal columns: those that did not converge.

    So is lane 0 where columns nearly depend on each other: its coefficients are reported, and have more digits then.
    ``solve`` walks one lane at strength 0. An answer is taken if its violation is smaller, and it is no step on a way
    without an end.
    """
    if problem.objective.family.quadratic:
        return step
    wanted = np.array([status is Status.MAX_ITER for status in step.status])
    wanted[0] |= bool(problem.depends) and step.status[0].usable
    for lane in np.flatnonzero(wanted):
        step = _better(problem, step, int(lane), solve)
    return step


def _better(problem: Problem, step: Iterate, lane: int, solve: Solve) -> Iterate:
    """The step with one lane solved again."""
    alone, count = problem.lane(lane), step.coefs.shape[1]
    other = turned(alone)
    if other is None:
        return step
    coefs, level, eta = np.zeros((1, count)), np.zeros(1), alone.objective.offset[None]
    for _ in range(AGAIN):
        found = solve(other.around(eta[0]))
        coefs, level = coefs + other.coefs(found.coefs[0], count), level + found.intercepts
        eta = alone.objective.eta(level, coefs)
        own = replace(found, coefs=coefs, intercepts=level, eta=eta, violation=np.full(1, np.inf), aliased=())
        own = measured(alone, own)
        if not (own.violation[0] < step.violation[lane] and found.status[0].usable and other.has_end(eta[0])):
            break
        step = _with_lane(step, lane, own)
    return step


def _with_lane(step: Iterate, lane: int, own: Iterate) -> Iterate:
    """A step with one lane taken from another one of that lane alone."""
    status = list(step.status)
    status[lane] = own.status[0]
    rounds = step.rounds.copy()
    rounds[lane] += own.rounds[0]
    if lane == 0:
        step = replace(step, loss=own.loss, aliased=own.aliased, depends=own.depends)
    return replace(
        step,
        intercepts=_put(step.intercepts, lane, own.intercepts),
        coefs=_put(step.coefs, lane, own.coefs),
        violation=_put(step.violation, lane, own.violation),
        eta=None if step.eta is None or own.eta is None else _put(step.eta, lane, own.eta),
        rounds=rounds,
        status=tuple(status),
    )


def _put(values: Array, lane: int, own: Array) -> Array:
    """Values of all lanes with those of one exchanged."""
    out = values.copy()
    out[lane] = own[0]
    return out
