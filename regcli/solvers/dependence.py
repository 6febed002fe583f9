"""Which columns depend on which, told from the R factor of a table of them."""

import numpy as np
from scipy.linalg import solve_triangular

from regcli.problem.objective import Objective
from regcli.problem.protocols import Array, Integers
from regcli.problem.tally import Tally
from regcli.results import Dependence
from regcli.solvers.rows import standard_pieces

__all__ = [
    "NEARLY",
    "dependences",
    "dependent_columns",
    "find_independent",
    "is_dependent",
    "pivots",
    "triangle",
    "weighted_triangle",
]

#: Of a column of which the others leave less than this share, data written with six digits hold one or none that
#: could tell its estimate from theirs.
NEARLY = 1e-5

#: What rounding leaves of a column that depends on others, as a share of the lengths that add up to it: at most 6 eps
#: in 200 dependent tables of 24 to 100,000 rows. Powers up to 15 of one column keep 200 eps.
ROUNDING = 16 * float(np.finfo(float).eps)

#: A part this many times what is left of a column, or what rounding leaves, is no part by chance.
CLEAR = 8.0

#: Pivots below which Newton's rounds do not end in the columns as they are: that of a total that differs by a millionth
#: from its part.
LEAST_PIVOT = 1e-6


def dependent_columns(objective: Objective, columns: Integers) -> tuple[Dependence, ...]:
    """Columns that depend on the intercept and on those before them, over the weighted rows of the first lane.

    See ``find_independent``. Where what is left depends so nearly on each other that Newton's rounds would not end,
    only what is dependent to the last digit is set aside. Costs O(n k^2).
    """
    factor = weighted_triangle(objective, columns)
    tol = max(objective.design.shape) * np.finfo(float).eps
    kept, pivot = find_independent(factor, tol)
    if pivot < LEAST_PIVOT:
        kept, pivot = find_independent(factor, tol, rounding=0.0)
    if kept.size - (kept[:1] == 0).sum() == columns.size and pivot >= NEARLY:
        return ()
    return dependences(factor, kept, np.concatenate([[-1], columns]))


def weighted_triangle(objective: Objective, columns: Integers) -> Array:
    """R of the QR factorization of [1, some columns], over the weighted rows of the first lane: (r, 1 + k).

    The intercept's column is zero where there is none. Rows are taken a few at a time; costs O(n k^2).
    """
    weights = objective.lanes.weights(0)
    rows = np.flatnonzero(weights > 0)
    factor = np.zeros((0, columns.size + 1))
    for part, values in standard_pieces(objective, columns, rows):
        table = np.hstack([np.full((part.size, 1), float(objective.intercept)), values])
        factor = triangle(np.vstack([factor, table * np.sqrt(weights[part])[:, None]]), objective.tally)
    return factor


def dependences(factor: Array, kept: Integers, terms: Integers) -> tuple[Dependence, ...]:
    """What columns that were set aside are made of, and those that were kept although little is left of them.

    Parameters
    ----------
    factor : (r, k) array
        R factor of the columns, the intercept first.
    kept : (f,) array
        Which of them were kept, in order.
    terms : (k,) array
        The terms they are; the intercept is none of them, and not told.

    Notes
    -----
    Costs O(k^3).
    """
    lengths = np.linalg.norm(factor, axis=0)
    basis, square = np.linalg.qr(factor[:, kept])
    shares = pivots(square, kept.size)
    aside = np.ones(factor.shape[1], dtype=bool)
    aside[kept] = False
    near = dict(zip(kept.tolist(), shares.tolist(), strict=True))
    out = []
    for j in range(1, factor.shape[1]):
        if lengths[j] == 0 or near.get(j, 0.0) >= NEARLY:
            continue
        before = int(np.searchsorted(kept, j))
        within = basis[:, :before].T @ factor[:, j]
        parts = np.abs(solve_triangular(square[:before, :before], within)) * lengths[kept[:before]]
        reach = float(lengths[j] + parts.sum())
        made = kept[:before][parts > CLEAR * max(near.get(j, 0.0) * lengths[j], ROUNDING * reach)]
        out.append(Dependence(int(terms[j]), tuple(terms[made[made > 0]].tolist()), bool(aside[j])))
    return tuple(out)


def triangle(table: Array, tally: Tally) -> Array:
    """R of the QR factorization, which is counted."""
    tally.factored()
    return np.asarray(np.linalg.qr(table, mode="r"), dtype=np.float64)


def pivots(factor: Array, count: int) -> Array:
    """Size of each pivot as a share of its column's length; zero where there are fewer rows than columns."""
    lengths = np.linalg.norm(factor[:, :count], axis=0)
    pivots = np.zeros(count)
    reach = min(count, factor.shape[0])
    pivots[:reach] = np.abs(np.diagonal(factor)[:reach])
    return pivots / np.where(lengths > 0, lengths, 1.0)


def is_dependent(factor: Array, count: int, tol: float) -> bool:
    """Whether any of the first columns of an R factor depends on those before it, as ``find_independent`` has it."""
    if pivots(factor, count).min(initial=1.0) <= tol:
        return True
    square = factor[:count, :count] / np.linalg.norm(factor[:, :count], axis=0)
    inverse = solve_triangular(square, np.eye(count))
    return bool((1.0 / np.abs(inverse).sum(axis=0)).min(initial=1.0) <= ROUNDING)


def find_independent(factor: Array, tol: float, rounding: float = ROUNDING) -> tuple[Integers, float]:
    """Columns that do not depend on those before them, and their smallest pivot as a share of its column's length.

    Gram-Schmidt with every projection done twice.

    A column depends on those before it if what they leave of it is below ``tol`` of its length, or below ``rounding``
    of the lengths that add up to it: of a total that hardly differs from one of its parts, the other part is left with
    the rounding of both.
    """
    basis, square = np.zeros((factor.shape[0], 0)), np.zeros((0, 0))
    lengths = np.linalg.norm(factor, axis=0)
    kept: list[int] = []
    pivot = 1.0
    for j in range(factor.shape[1]):
        within = basis.T @ factor[:, j]
        rest = factor[:, j] - basis @ within
        again = basis.T @ rest
        rest, within = rest - basis @ again, within + again
        size = float(np.linalg.norm(rest))
        parts = solve_triangular(square, within) if kept else within
        reach = lengths[j] + float(np.abs(parts) @ lengths[kept])
        if size > max(tol * lengths[j], rounding * reach) and basis.shape[1] < factor.shape[0]:
            basis = np.hstack([basis, (rest / size)[:, None]])
            square = np.block([[square, within[:, None]], [np.zeros((1, len(kept))), np.array([[size]])]])
            kept.append(j)
            pivot = min(pivot, size / lengths[j])
    return np.array(kept, dtype=np.intp), pivot
