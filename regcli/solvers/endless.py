"""Whether coefficients that nothing penalises have an answer at all: a proof from residuals, or a linear programme.

Along some directions the loss of no row rises and that of some row falls: then it has no minimum, and coefficients
grow without end. For two classes that is separation, complete or not [1]_; for counts it is a direction that only
lowers rows with target 0. Whether there is such a direction does not depend on weights, unless they are zero, nor on
the strength of what is penalised.

Near a solution its residuals prove that there is one. Let M be the rows of the columns without a penalty, s_i the side
to which the loss of a row falls (0: none) and v_i its weighted residual, which points there. A direction d with
s_i m_i'd >= 0, and 0 where s_i is, has u'Md > 0 for every u with s_i u_i > 0, so that none exists if some such u has
M'u = 0. One is u_i = v_i (1 - s_i m_i'c), where M' diag(|v|) M c = M'v, if every s_i m_i'c is below one: a step like
one of Newton's, which where there is no solution moves some row by one.

References
----------
.. [1] Albert, Anderson (1984), "On the existence of maximum likelihood estimates in logistic regression models",
   Biometrika 71(1). doi:10.1093/biomet/71.1.1
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import lapack

from regcli.problem.objective import Objective
from regcli.problem.protocols import Array, Bools, Integers, SeparableTerms
from regcli.solvers.rows import DEPENDENT, MOST_CELLS, standard_rows

__all__ = ["has_end", "is_endless"]

#: Columns up to which a programme is solved: with 100 of them it takes a quarter of a second, with 200 two, with 500
#: half a minute. Beyond, and beyond ``MOST_CELLS``, the question is left open.
MOST_COLUMNS = 150

#: A step of this length at most is a proof. Of columns with a smaller Schur pivot, as a share, rounding may make one:
#: where all rows that gain along a direction have lost their residuals the matrix is singular along it.
SHORT, PIVOT = 0.5, 1e-6

#: Share of the root mean square below which a row does not move: columns that differ by less than that cannot be told
#: apart after a decomposition in doubles.
STILL = 1e-9

#: A direction is one if it moves all rows together by more than this, no row to the wrong side by more than what the
#: programme is solved to. Along directions of size one a row moves by about one.
GAIN, FEASIBLE = 1e-5, 1e-10

#: Rows that a programme begins with for each direction, those that it is given at a time where they turn out to be on
#: the wrong side, and how often before it is given all of them.
ROWS_EACH, LEAST_ROWS, TIMES = 10, 200, 30


@dataclass(frozen=True)
class _Directions:
    """Orthogonal directions of columns: what they do to the rows (r, k), in units of about one, and to limited columns.

    Those (q, k) may only move upwards. ``complete`` says that no direction leaves all rows where they are.
    """

    moves: Array
    limited: Array
    complete: bool

    def along(self, basis: Array) -> "_Directions":
        """Those of a basis (k, d) of some of them."""
        return replace(self, moves=self.moves @ basis, limited=self.limited @ basis)


def is_endless(objective: Objective, terms: SeparableTerms, eta: Array) -> bool | None:
    """Whether the loss of the first lane falls without end along columns that have no penalty.

    Parameters
    ----------
    objective : Objective
        Its first lane is asked about.
    terms : SeparableTerms
        The penalty in the lane's coordinates (p,).
    eta : (n,) array
        Predictors of any model; rows that they are most wrong about are looked at first.

    Returns
    -------
    bool or None
        None where the table is too large to ask.

    Notes
    -----
    Where predictors are near those of a solution it costs O(n k^2) for n rows and k such columns. Else a programme over
    a few hundred rows comes first. If these do not say no, others that a direction moves to the wrong side are added
    until there are none.
    """
    used = np.flatnonzero(objective.lanes.weights(0) > 0)
    side = objective.family.downhill(objective.y[used])
    columns = _unbounded(objective, terms)
    if has_end(objective, terms, eta):
        return False
    if columns.size > MOST_COLUMNS:
        return None
    some = _telling(side * eta[used], max(LEAST_ROWS, ROWS_EACH * (columns.size + 1)))
    if some.size < used.size:
        found = _directions(objective, terms, columns, used[some])
        if found.complete and not _falls(found, side[some]):
            return False
    if used.size * (columns.size + 1) > MOST_CELLS:
        return None
    return _falls(_directions(objective, terms, columns, used), side)


def has_end(objective: Objective, terms: SeparableTerms, eta: Array) -> bool:
    """Whether it is certain, from residuals at some predictors (n,), that the loss of the first lane has a least value.

    False leaves the question open. Costs O(n k^2).
    """
    side = objective.family.downhill(objective.y[objective.lanes.weights(0) > 0])
    return not side.any() or _is_proven(objective, _unbounded(objective, terms), eta)


def _unbounded(objective: Objective, terms: SeparableTerms) -> Integers:
    """Columns without a penalty that may grow to one side at least."""
    free = (terms.l1 == 0) & (terms.l2 == 0) & objective.lanes.varies[0]
    if terms.limited:
        free &= np.isinf(terms.lower) | np.isinf(terms.upper)
    return np.flatnonzero(free)


def _is_proven(objective: Objective, columns: Integers, eta: Array) -> bool:
    """Whether residuals at some predictors prove that there is a solution."""
    part, weights = objective.restrict(columns), objective.lanes.weights(0)
    side = objective.family.downhill(objective.y)
    residual = objective.family.residual(objective.y, eta)
    size = weights * np.where(side != 0, np.abs(residual), objective.family.curvature(objective.y, eta))
    every = np.arange(columns.size)
    gram = part.grams(size, np.zeros(eta.size, dtype=np.intp), every, part.scaling)[0]
    level, score = part.project((weights * residual)[None])
    first = 0 if objective.intercept else 1
    lower, info = lapack.dpotrf(gram[first:, first:], lower=1)
    diagonal = np.diagonal(gram)[first:]
    if info != 0 or not np.all(np.square(np.diagonal(lower)) > PIVOT * diagonal):
        return False
    step = np.zeros(columns.size + 1)
    step[first:] = lapack.dpotrs(lower, np.append(level, score[0])[first:], lower=1)[0]
    moved = part.slope(step[:1], step[None, 1:])[0]
    return bool(np.all((side * moved)[(weights > 0) & (side != 0)] < SHORT))


def _telling(margin: Array, count: int) -> Integers:
    """Rows that a model is most wrong about, and as many at even distances from those to the ones it is right about."""
    order = np.argsort(margin, kind="stable")
    return np.unique(np.append(order[:count], order[:: max(1, margin.size // count)]))


def _directions(objective: Objective, terms: SeparableTerms, columns: Integers, rows: Integers) -> _Directions:
    """Directions of columns and intercept that are orthogonal over the rows, so that near-duplicates hide nothing."""
    table, towards = standard_rows(objective, columns, rows), np.zeros(columns.size)
    if terms.limited:
        towards = np.isfinite(terms.lower[columns]) * 1.0 - np.isfinite(terms.upper[columns])
    if objective.intercept:
        table, towards = np.column_stack([table, np.ones(rows.size)]), np.append(towards, 0.0)
    size = np.sqrt(np.square(table).mean(axis=0))
    size[size == 0] = 1.0
    left, values, right = np.linalg.svd(table / size, full_matrices=rows.size < towards.size)
    count = int(np.count_nonzero(values > DEPENDENT * values.max(initial=0.0)))
    moves = np.zeros((rows.size, towards.size))
    moves[:, :count] = left[:, :count] * np.sqrt(rows.size)
    back = right.T / size[:, None]
    back[:, :count] *= np.sqrt(rows.size) / values[:count]
    limited = back[towards != 0] * towards[towards != 0, None]
    limited /= np.maximum(np.abs(limited).max(axis=1, initial=0.0), np.finfo(float).tiny)[:, None]
    return _Directions(moves, limited, count == towards.size)


def _falls(directions: _Directions, side: Array) -> bool:
    """Whether some direction moves no row up its loss, no column past its limit, and some row down its loss."""
    found = _still(directions, side == 0)
    gains = replace(found, moves=found.moves[side != 0] * side[side != 0, None])
    return gains.moves.size > 0 and _gain(gains) > GAIN


def _still(directions: _Directions, fixed: Bools) -> _Directions:
    """Those that do not move the rows whose loss rises on both sides."""
    if not fixed.any():
        return directions
    moves = directions.moves[fixed]
    _, values, right = np.linalg.svd(moves, full_matrices=len(moves) < moves.shape[1])
    values = np.append(values, np.zeros(moves.shape[1] - values.size))
    return directions.along(right[values <= STILL * np.sqrt(len(moves))].T)


def _gain(gains: _Directions) -> float:
    """What all rows together gain along the best direction that is allowed.

    Fewer rows allow more directions: begin with few, and add those that the best direction moves to the wrong side.
    """
    whole, count = gains.moves.sum(axis=0), len(gains.moves)
    looked = np.zeros(count, dtype=bool)
    looked[:: max(1, count // max(LEAST_ROWS, ROWS_EACH * whole.size))] = True
    for _ in range(TIMES):
        best = _best(whole, replace(gains, moves=gains.moves[looked]))
        moved = gains.moves @ best
        wrong = np.flatnonzero((moved < -FEASIBLE) & ~looked)
        if best @ whole <= GAIN or not wrong.size:
            return float(best @ whole)
        looked[wrong[np.argsort(moved[wrong], kind="stable")[:LEAST_ROWS]]] = True
    return float(_best(whole, gains) @ whole)


def _best(whole: Array, gains: _Directions) -> Array:
    """The direction (k,) of greatest gain among those allowed, each component at most one; zero is allowed."""
    from scipy.optimize import linprog

    never = -np.vstack([gains.moves, gains.limited])
    limit = np.zeros(len(never))
    found = linprog(-whole, A_ub=never, b_ub=limit, bounds=(-1, 1), options={"primal_feasibility_tolerance": FEASIBLE})
    return np.zeros(whole.size) if found.x is None else np.asarray(found.x)
