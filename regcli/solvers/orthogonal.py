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
from regcli.solvers.dependence import weighted_triangle
from regcli.solvers.endless import has_end
from regcli.solvers.engine import Problem
from regcli.solvers.rows import DEPENDENT, MOST_CELLS, standard_pieces

__all__ = ["turned", "with_digits"]

#: Times an answer is used as an offset: the second already changes nothing on powers up to 6 of years.
AGAIN = 3

#: Cells of all lanes up to which answers that did converge are solved again for their digits: 0.4 s for 11 lanes of 20
#: or 100 columns, 0.7 for those of 3 columns, 2 s for a single lane of 2,000 x 1,000.
FEW_CELLS = 2_000_000

#: Losses that differ by less than this share are told apart by their violations.
EQUAL = 1e-13

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

    def around(self, eta: Array, rounds: int) -> Problem:
        """The problem of what is missing where predictors (n,) are what they are, to be solved in so many rounds."""
        objective = replace(self.problem.objective, offset=eta)
        null = replace(objective.null(), scale=self.problem.null.scale)
        rules = replace(self.problem.rules, max_iter=rounds)
        return replace(self.problem, objective=objective, null=null, rules=rules)


def turned(problem: Problem) -> Turned | None:
    """A problem of one lane without penalty in columns that are orthogonal over its training rows.

    None where columns have limits, or are so many that they are not to be held as one dense table. Costs O(n k^2).
    """
    objective = problem.objective
    live, n = np.intersect1d(np.flatnonzero(objective.lanes.varies[0]), problem.standing), objective.y.size
    if problem.penalty.restrict(live).has_limits() or not 0 < n * live.size <= MOST_CELLS:
        return None
    _, lengths, right = np.linalg.svd(weighted_triangle(objective, live)[:, 1:], full_matrices=False)
    kept = lengths > DEPENDENT * lengths[0]
    back = right[kept].T / lengths[kept]
    table = np.empty((n, back.shape[1]), order="F")
    for part, values in standard_pieces(objective, live, np.arange(n)):
        table[part] = values @ back
    other = objective.on_columns(table)
    penalty = problem.penalty.on_columns(np.zeros(np.count_nonzero(kept)))
    same = replace(problem, objective=other, penalty=penalty, null=other.null(), depends=(), memory={})
    return Turned(same, live, back)


def with_digits(problem: Problem, step: Iterate, solve: Solve) -> Iterate:
    """A step without a penalty whose lanes that ended early are solved again in orthogonal columns.

    So are all lanes where some columns nearly depend on others and that takes little time, for their digits. ``solve``
    walks one lane at strength 0.
    """
    objective, most = problem.objective, problem.rules.max_iter
    if objective.family.quadratic:
        return step
    near = any(not one.aside for one in problem.depends)
    near = near and objective.y.size * objective.n_terms * objective.lanes.n_lanes <= FEW_CELLS
    for lane, status in enumerate(step.status):
        if (near and status.usable) or (status is Status.MAX_ITER and step.rounds[lane] < most):
            step = _again(problem, step, lane, solve)
    return step


def _again(problem: Problem, step: Iterate, lane: int, solve: Solve) -> Iterate:
    """The step with one lane solved again, if that is better.

    An answer must be no step on a way without an end; if there is such a way, that is told.
    """
    alone, count = problem.lane(lane), step.coefs.shape[1]
    other = turned(alone)
    if other is None:
        return step
    coefs, level, eta = np.zeros((1, count)), np.zeros(1), alone.objective.offset[None]
    for _ in range(AGAIN):
        left = problem.rules.max_iter - int(step.rounds[lane])
        if left <= 0:
            break
        found = solve(other.around(eta[0], left))
        if found.status[0] is Status.SEPARATED and not step.status[lane].usable:
            return replace(step, status=(*step.status[:lane], Status.SEPARATED, *step.status[lane + 1 :]))
        coefs, level = coefs + other.coefs(found.coefs[0], count), level + found.intercepts
        eta = alone.objective.eta(level, coefs)
        own = measured(alone, replace(found, coefs=coefs, intercepts=level, violation=np.full(1, np.inf), aliased=()))
        own = replace(own, loss=float(alone.objective.loss(eta)[0]))
        if not (found.status[0].usable and other.has_end(eta[0]) and _is_better(alone, own, step, lane)):
            break
        step = _with(step, lane, own, eta)
    return step


def _with(step: Iterate, lane: int, own: Iterate, eta: Array) -> Iterate:
    """The step with one lane's answer, and its predictors (1, n)."""
    step = step.with_lane(lane, own)
    if lane == 0:
        step = replace(step, aliased=own.aliased, depends=own.depends)
    if step.eta is not None:  # results keep the old ones
        step = replace(step, eta=np.concatenate([step.eta[:lane], eta, step.eta[lane + 1 :]]))
    return step


def _is_better(alone: Problem, own: Iterate, step: Iterate, lane: int) -> bool:
    """Whether an answer of one lane is to be preferred to that of a step: by its end, its loss, its violation.

    Where columns hardly differ, violations of very different answers may all be rounding.
    """
    before, after = step.status[lane].usable, own.status[0].usable
    if before != after:
        return after
    eta = alone.objective.eta(step.intercepts[[lane]], step.coefs[[lane]])
    loss = float(alone.objective.loss(eta)[0])
    if abs(own.loss - loss) > EQUAL * max(abs(own.loss), float(alone.null.loss[0])):
        return own.loss < loss
    return bool(own.violation[0] < step.violation[lane])
