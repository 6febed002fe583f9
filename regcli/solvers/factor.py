"""The Cholesky factor behind the quadratic kernel: coordinates enter and leave, solves go on.

Positions are coordinates in order of entry. One that leaves a long factor stays in it as a *ghost*: with A = U'U and E
the unit columns of the ghosts, the minimiser of x'Ax/2 - b'x with x zero at them is U^-1 (I - P) U'^-1 b, P projecting
on the span of U'^-1 E. A ghost costs one column, taking it out for good a new factor of all that came after it.
"""

import numpy as np
from scipy.linalg import lapack

from regcli.problem.protocols import Array, Bools, Integers
from regcli.problem.tally import Tally
from regcli.problem.unlocked import cholesky, solve_triangular
from regcli.solvers.active_set import Near, Solved
from regcli.solvers.grow import completed, paged

__all__ = ["Factor"]

#: A coordinate is let in when its Schur pivot exceeds this share of H_jj + l2_j; below, half of the digits of its
#: coefficient would be noise, and it is exchanged instead.
PIVOT = 1e-10

#: A Schur pivot below this share is what rounding leaves of zero; a step by its inverse would go anywhere.
NOISE = 1e-15

#: Columns up to which products are taken over the whole matrix.
SMALL = 256

#: Coordinates that are refactored at once when some before them leave, or when the L2 part changes: 0.1 ms, what a few
#: ghosts or steps cost (five elastic nets of 100,000 x 200 take 1.65 s with 64 or 128, 1.9 with 192).
SHORT = 128

#: Ghosts are taken out for good when they are more than this many and this share of all (measured on 2,000 columns: a
#: twentieth to a tenth is flat).
FEW_GHOSTS, GHOSTS = 8, 0.1

#: Ghosts share digits where the factor is near to singular: they are kept only while all pivots exceed this share.
SAFE_PIVOT = 1e-6

#: A factor of a larger L2 part serves on while a solve takes at most this many steps of conjugate gradients: a step
#: costs a solve, and a new factor as much as 40 (500 to 2,000 columns). Short factors are always made anew.
MOST_STEPS = 6

#: These end with a step of at most this share of the values, which leaves an error of some hundredths of it: with 1e-8
#: refinements follow, and an elastic net of 5,000 x 2,000 takes half as long again.
CLOSE = 1e-9

#: A value that is on the wrong side of zero by this share of the step stays there: a step leaves some hundredths.
SURE = 0.1

#: Spare room, as a share; coordinates from which on there is room for all at once. So many have a matrix only where few
#: lanes are in memory together.
SPARE, MANY = 3, 1200

#: Of values of which so many are zero for each one that is not, the quadratic form is taken from the matrix itself.
FEW_VALUES = 8


class Factor:
    """Upper factor of H_FF + diag(l2_F) over the free coordinates F, ghosts among them, and the rows of H at them.

    Parameters
    ----------
    hessian : (k, k) array
        Symmetric, positive semidefinite; not modified.
    tally : Tally, optional
        Where solves and factorizations are counted.
    side_by_side : bool
        Whether rows are copied as coordinates enter, because products want them side by side. Without, products are
        over the whole matrix: as fast where most coordinates take part, and with a third less memory.

    Attributes
    ----------
    hessian : (k, k) array
        As given, and as widened since.
    free : (f,) integers
        Coordinates that take part, in order of entry.
    """

    def __init__(self, hessian: Array, tally: Tally | None = None, *, side_by_side: bool = True) -> None:
        self.free: Integers = np.zeros(0, dtype=np.intp)
        self._tally = Tally() if tally is None else tally
        self.hessian = hessian if hessian.strides[1] <= hessian.strides[0] else hessian.T  # rows are what is taken
        self._l2 = np.zeros(hessian.shape[0])
        self._excess: Array | None = None
        self._steps = 0
        self._rows = np.empty((16, hessian.shape[0])) if side_by_side else None
        self._upper = np.zeros((16, 16), order="F")
        self._least = np.inf
        self._order: Integers = self.free
        self._ghosts: Bools = np.zeros(0, dtype=bool)
        self._alive: Bools = ~self._ghosts
        self._names: Integers = self.free
        self._halves = np.zeros((0, 0))
        self._corner = np.zeros((0, 0))

    def serves(self, l2: Array) -> bool:
        """Go on with this L2 part if the factor is of it, or of a larger one that is near enough."""
        self._excess = None
        if np.array_equal(self._l2, l2):
            return True
        near = self._order.size > SHORT and self._steps <= MOST_STEPS and bool(np.all(self._l2 >= l2))
        if near:
            self._excess = self._l2 - l2
        return near

    @property
    def exact(self) -> bool:
        """Whether the factor is of the L2 part that was asked for last."""
        return self._excess is None

    def reload(self, l2: Array, wanted: Bools) -> Integers:
        """Factor again with another L2 part, what is wanted of the free coordinates alone; return those that failed."""
        places = np.flatnonzero(self._alive & wanted[self._order])
        keep, self._l2, self._least = self._order[places], l2, np.inf
        self._excess, self._steps = None, 0
        self._settle(places, 0, PIVOT)
        return _lost(keep, self.free)

    @property
    def size(self) -> int:
        """Number of coordinates k."""
        return self._l2.size

    def widen(self, fresh: Array) -> None:
        """Go on with more coordinates at the end, from their columns (k, more) of the larger Hessian, or all of it."""
        self.hessian = fresh if fresh.shape[0] == fresh.shape[1] else completed(self.hessian, fresh)
        self._l2 = np.concatenate([self._l2, np.zeros(self.hessian.shape[0] - self._l2.size)])
        if self._rows is not None:
            self._rows = np.empty((self._upper.shape[0], self.size))
            self._rows[: self._order.size] = self.hessian[self._order]

    # -- products and solves -----------------------------------------------------------------------------------------

    async def times(self, coefs: Array) -> Array:
        """H times coefficients (k,), those of coordinates that are not free being few.

        A sum of rows is taken where there are many columns. Its running totals are as large as the terms that cancel in
        near-duplicates; the scalar products of a small matrix keep a little more of the difference.
        """
        if coefs.size <= SMALL or self._rows is None:
            return np.asarray(self.hessian @ coefs)
        rest = coefs.copy()
        rest[self.free] = 0.0
        out = np.asarray(self._spread(coefs[self.free]) @ self._rows[: self._order.size])
        held = np.flatnonzero(rest)
        return out + rest[held] @ self.hessian[held] if held.size else out

    async def coupling(self, held: Integers, values: Array) -> Array:
        """H_FB times values of some coordinates B that are not free, (f,)."""
        return np.asarray(self.hessian[np.ix_(self.free, held)] @ values)

    def replacement(self, entering: int) -> tuple[Array, float]:
        """How the free coordinates move (f,) as a dependent one enters by one, and the curvature along that."""
        cross = self.hessian[self.free, entering]
        half = self._half_solve(cross)
        whole = float(self.hessian[entering, entering] + self._l2[entering])
        curvature = whole - float(half @ half)
        return -self._taken(self._backward(half)), curvature if curvature > NOISE * whole else 0.0

    async def root(self, values: Array) -> float:
        """The quadratic form with the L2 part at values (f,)."""
        some = np.flatnonzero(values)
        if some.size * FEW_VALUES <= values.size:
            at, own = self.free[some], values[some]
            l2 = self._l2[at] if self._excess is None else self._l2[at] - self._excess[at]
            return float(own @ self.hessian[np.ix_(at, at)] @ own + l2 @ np.square(own))
        half = self._upper[: self._order.size, : self._order.size] @ self._spread(values)
        more = 0.0 if self._excess is None else float(self._excess[self.free] @ np.square(values))
        return float(half @ half) - more

    def _half_solve(self, right: Array) -> Array:
        """U'^-1 of a right side (f,), without what the ghosts would take."""
        half = self._forward(self._spread(right))
        return self._without_ghosts(half)

    async def solve(self, right: Array, near: Near | None = None) -> Solved:
        """Solve with H_FF + diag(l2_F), for the L2 part that was asked for last."""
        nothing = np.zeros(right.size)
        if self._excess is None:
            return Solved(self._solve(right), nothing)
        excess = self._excess[self.free]
        if near is None or near.rest is None:
            return self._without_excess(Near(nothing, right, 0.0, nothing), right, excess)
        return self._without_excess(near, near.rest, excess)

    def _solve(self, right: Array) -> Array:
        self._tally.solved()
        return self._taken(self._backward(self._half_solve(right)))

    def _without_excess(self, near: Near, rest: Array, excess: Array) -> Solved:
        """Solve with M - D, M being what is factored, D the excess: conjugate gradients preconditioned by M.

        Products with M come from the recurrence of the directions, so that a step costs one solve; the last one needs
        no direction.
        """
        found, step = near.start, self._solve(rest)
        direction, product, size = step, rest, float(rest @ step)
        self._steps = 1
        while size > 0 and self._steps <= 2 * MOST_STEPS and _goes_on(near, found, rest, step):
            image = product - excess * direction
            length = size / float(direction @ image)
            found = found + length * direction
            rest = rest - length * image
            step = self._solve(rest)
            before, size = size, float(rest @ step)
            direction, product = step + size / before * direction, rest + size / before * product
            self._steps += 1
        return Solved(found + step, excess * step)

    def _forward(self, right: Array) -> Array:
        size = self._order.size
        return solve_triangular(self._upper, right, transposed=True) if size else right

    def _backward(self, half: Array) -> Array:
        size = self._order.size
        return solve_triangular(self._upper, half) if size else half

    def _spread(self, values: Array) -> Array:
        if not self._names.size:
            return values
        out = np.zeros(self._order.size)
        out[self._alive] = values
        return out

    def _taken(self, values: Array) -> Array:
        return values[self._alive] if self._names.size else values

    def _without_ghosts(self, half: Array) -> Array:
        """Project twice: once leaves what rounding makes of ghosts that are near to each other."""
        if not self._names.size:
            return half
        for _ in range(2):
            half = half - self._halves @ lapack.dpotrs(self._corner, self._halves.T @ half, lower=1)[0]
        return half

    # -- coordinates in and out --------------------------------------------------------------------------------------

    def append(self, candidates: Integers) -> Integers:
        """Let in coordinates in the order given, each if its pivot allows; return those let in."""
        known = self._revive(candidates)
        fresh = candidates[~known]
        if not fresh.size:
            return candidates
        taken = self._append(fresh)
        if taken.size == fresh.size:
            return candidates
        if self._names.size:
            places = np.flatnonzero(self._alive)
            self._settle(places, _leading(places))
            taken = np.concatenate([taken, self._append(fresh[~np.isin(fresh, taken)])])
        known[~known] = np.isin(fresh, taken)
        return candidates[known]

    def drop(self, leaving: Bools) -> Integers:
        """Take out free coordinates (f,); return any that no longer pass the pivot test."""
        places = np.flatnonzero(self._alive)[leaving]
        size, count = self._order.size, self._names.size + places.size
        first = min(int(places[0]), int(self._names.min(initial=size)))  # taking some out takes out all ghosts
        if size - first > SHORT and count <= max(FEW_GHOSTS, GHOSTS * size) and self._least > SAFE_PIVOT:
            self._haunt(places)
            return self._order[:0]
        staying, kept = self.free[~leaving], np.flatnonzero(self._alive)[~leaving]
        self._settle(kept, _leading(kept))
        return _lost(staying, self.free)

    def _haunt(self, places: Integers) -> None:
        """Make coordinates at some positions ghosts."""
        units = np.zeros((self._order.size, places.size), order="F")
        units[places, np.arange(places.size)] = 1.0
        self._ghosts[places] = True
        self._names = np.concatenate([self._names, places])
        self._halves = np.hstack([self._halves, self._forward(units)])
        self._mark()

    def _revive(self, candidates: Integers) -> Bools:
        """Let ghosts in again; mark which of the candidates were."""
        if not self._names.size:
            return np.zeros(candidates.size, dtype=bool)
        back = np.isin(self._order[self._names], candidates)
        known = np.isin(candidates, self._order[self._names[back]])
        if back.any():
            self._ghosts[self._names[back]] = False
            self._names, self._halves = self._names[~back], self._halves[:, ~back]
            self._mark()
        return known

    def _append(self, fresh: Integers) -> Integers:
        """Extend the factor by new rows."""
        size, count = self._order.size, fresh.size
        if count > max(size, 1):
            self._tally.factored()
        rows, diagonal = self.hessian[fresh], self._diagonal(fresh)
        cross = self._forward(rows.take(self._order, axis=1).T)
        schur = rows.take(fresh, axis=1) - cross.T @ cross
        schur[np.diag_indices(count)] += self._l2[fresh]
        corner, definite = cholesky(schur.copy(order="F"))
        pivots, taken = np.square(np.diagonal(corner)) / diagonal, np.arange(count)
        if not definite or not np.all(pivots > PIVOT):
            taken, corner = _independent(schur, PIVOT * diagonal)
            pivots = np.square(np.diagonal(corner)) / diagonal[taken]
        self._least = min(self._least, float(pivots.min(initial=np.inf)))
        self._grow(size + taken.size)
        end = size + taken.size
        self._upper[:size, size:end] = cross[:, taken]
        self._upper[size:end, size:end] = corner
        if self._rows is not None:
            self._rows[size:end] = rows if taken.size == count else rows[taken]
        self._order = np.concatenate([self._order, fresh[taken]])
        self._ghosts = np.concatenate([self._ghosts, np.zeros(taken.size, dtype=bool)])
        if self._names.size and taken.size:
            more = solve_triangular(corner, -cross[:, taken].T @ self._halves, transposed=True)
            self._halves = np.vstack([self._halves, more])
        self._mark()
        return fresh[taken]

    def _settle(self, places: Integers, first: int, least: float = 0.0) -> None:
        """Keep what is at some positions, in order, and nothing else; rows before ``first`` stand as they are."""
        tail, end, size = places[first:], places.size, self._order.size
        moved, before = self._order[tail], self._upper[:first, tail]
        self._order, self._ghosts = self._order[places], np.zeros(end, dtype=bool)
        self._names = self._names[:0]
        if tail.size:
            if tail.size > 1:
                self._tally.factored()
            self._upper[:first, first:end] = before
            block = self._block(slice(first, end), tail if end < size else None)
            if first:
                block -= before.T @ before
            block[np.diag_indices(tail.size)] += self._l2[moved]
            corner, definite = cholesky(block.T)
            if definite and np.all(np.square(np.diagonal(corner)) > least * self._diagonal(moved)):
                self._upper[first:end, first:end] = corner
            else:
                self._order, self._ghosts = self._order[:first], self._ghosts[:first]
                self._append(moved)
        self._mark()

    def _block(self, places: slice, moved: Integers | None) -> Array:
        """H between the coordinates at some positions, to which those at others have ``moved``."""
        at = self._order[places]
        if self._rows is None:
            return np.asarray(self.hessian.take(at, axis=0).take(at, axis=1))
        if moved is not None:
            self._rows[places] = self._rows[moved]
        return np.asarray(self._rows[places].take(at, axis=1))

    def _diagonal(self, coordinates: Integers) -> Array:
        return np.asarray(self.hessian[coordinates, coordinates] + self._l2[coordinates])

    def _mark(self) -> None:
        """Take up which positions take part."""
        self._alive = ~self._ghosts
        if self._names.size:
            self.free = self._order[self._alive]
            self._corner = lapack.dpotrf(self._halves.T @ self._halves, lower=1)[0]
        else:
            self.free, self._halves = self._order, np.zeros((self._order.size, 0))

    def _grow(self, size: int) -> None:
        """Make room: for all coordinates where they are many, whose pages come when they are written to, else little.

        LAPACK is handed the leading columns at their full height.
        """
        if size <= self._upper.shape[0]:
            return
        old, some = self._order.size, min(size + max(size // SPARE, 16), self.size)
        room = self.size if self.size > MANY else some
        upper = paged(room).T
        upper[:old, :old] = self._upper[:old, :old]
        self._upper = upper
        if self._rows is not None:
            rows = np.empty((room, self.hessian.shape[0]))
            rows[:old] = self._rows[:old]
            self._rows = rows


def _goes_on(near: Near, found: Array, rest: Array, step: Array) -> bool:
    """Whether a solve is not to end with a step: it changes much, and no coordinate is sure to leave."""
    length = float(np.abs(step).max(initial=0.0))
    if length <= CLOSE * np.abs(found).max(initial=0.0) or np.abs(rest).max(initial=0.0) <= near.enough:
        return False
    return bool((near.sign * (found + step)).min(initial=0.0) >= -SURE * length)


def _lost(asked: Integers, left: Integers) -> Integers:
    """Those of some coordinates that are not left of them."""
    return asked[:0] if asked.size == left.size else np.setdiff1d(asked, left)


def _leading(places: Integers) -> int:
    """How many of ascending positions count from zero without a gap."""
    return int(np.argmax(np.append(places, -1) != np.arange(places.size + 1)))


def _independent(schur: Array, least: Array) -> tuple[Integers, Array]:
    """Greedy Cholesky of a matrix that may be singular: rows are taken in order, each if its pivot is large enough."""
    count = least.size
    work = schur.copy()
    taken: list[int] = []
    columns: list[Array] = []
    for j in range(count):
        if work[j, j] > least[j]:
            column = work[:, j] / np.sqrt(work[j, j])
            column[:j] = 0.0
            work -= np.multiply.outer(column, column)
            taken.append(j)
            columns.append(column)
    index = np.array(taken, dtype=np.intp)
    corner = np.array([column[index] for column in columns]) if taken else np.zeros((0, 0))
    return index, np.triu(corner)
