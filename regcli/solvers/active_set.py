"""The quadratic kernel that every engine shares: an exact active-set method for separable penalties.

    minimise over b:  b'Hb/2 - q'b + sum_j l1_j |b_j| + l2_j b_j^2 / 2,   lower <= b <= upper,  lower <= 0 <= upper

A coordinate is free (with a sign where l1_j > 0), at zero, or at a limit. Each round solves for the free ones; those
that leave their orthant or limits are dropped, and where none does the coordinates whose slope calls for it are let
in. Letting in passes a pivot test, so that duplicates, near-duplicates and more columns than rows do not break the
factor; a coordinate that depends on the free ones is exchanged for one of them instead. Accepted points strictly
decrease and there are finitely many (set, signs, limits), so the method ends.
"""

from dataclasses import dataclass, field
from typing import Self

import numpy as np
from scipy.linalg import lapack

from regcli.problem.protocols import Array, Bools, Integers, SeparableTerms

__all__ = ["ActiveSet", "QuadraticSolution"]

#: A coordinate is let in when its Schur pivot exceeds this share of H_jj + l2_j; below, half of the digits of its
#: coefficient would be noise, and it is exchanged instead.
PIVOT = 1e-10

#: A Schur pivot below this share is what rounding leaves of zero; a step by its inverse would go anywhere.
NOISE = 1e-15

#: A projected point must lower the objective by more than this share of it, else rounding could cycle.
FALL = 1e-13

#: A full point must lower it by more than this share, else one coordinate at a time is let in from then on.
PROGRESS = 1e-14

#: Columns up to which products are taken over the whole matrix.
SMALL = 256

#: Rounds before giving up. Generated degenerate problems took at most a few dozen.
MAX_ROUNDS = 10_000


@dataclass(frozen=True, slots=True)
class QuadraticSolution:
    """Coefficients (k,), score q - Hb (k,), rounds used, whether it ended, and unpenalised columns set aside."""

    coefs: Array
    score: Array
    rounds: int
    solved: bool
    aliased: tuple[int, ...]


@dataclass
class _Factor:
    """Lower Cholesky factor of H_FF + diag(l2_F), free coordinates F in order of entry, and the rows H_F themselves.

    The rows are copied one by one as coordinates enter, because products want them side by side.
    """

    hessian: Array
    l2: Array
    rows: Array
    order: Integers = field(default_factory=lambda: np.zeros(0, dtype=np.intp))
    lower: Array = field(default_factory=lambda: np.zeros((16, 16), order="F"))

    @property
    def size(self) -> int:
        return self.order.size

    def view(self) -> Array:
        """The factor itself, without the spare room behind it."""
        return self.lower[: self.size, : self.size]

    def solve(self, right: Array) -> Array:
        """Solve with the factored matrix."""
        return np.asarray(lapack.dpotrs(self.view(), right, lower=1)[0])

    def root(self, vector: Array) -> float:
        """The quadratic form of the factored matrix at a vector."""
        half = self.view().T @ vector
        return float(half @ half)

    def half_solve(self, right: Array) -> Array:
        """Solve with the factor alone."""
        return np.asarray(lapack.dtrtrs(self.view(), right, lower=1)[0])

    def append(self, candidates: Integers) -> Integers:
        """Let in coordinates in the order given, each if its pivot allows; return those let in."""
        if not candidates.size:
            return candidates
        size, count = self.size, candidates.size
        cross = np.zeros((0, count))
        if size:
            cross = self.half_solve(self.rows[:size, candidates])
        diagonal = self.hessian[candidates, candidates] + self.l2[candidates]
        schur = self.hessian[np.ix_(candidates, candidates)] - cross.T @ cross
        schur[np.diag_indices(count)] += self.l2[candidates]
        corner, info = lapack.dpotrf(schur, lower=1, clean=1)
        taken = np.arange(count)
        if info != 0 or not np.all(np.square(np.diagonal(corner)) > PIVOT * diagonal):
            taken, corner = _independent(schur, PIVOT * diagonal)
        self._grow(size + taken.size)
        self.lower[size : size + taken.size, :size] = cross[:, taken].T
        self.lower[size : size + taken.size, size : size + taken.size] = corner
        self.rows[size : size + taken.size] = self.hessian[candidates[taken]]
        self.order = np.concatenate([self.order, candidates[taken]])
        return candidates[taken]

    def drop(self, leaving: Bools) -> Integers:
        """Take out the coordinates at marked positions; return any that no longer pass the pivot test."""
        first = int(np.argmax(leaving))
        tail = np.flatnonzero(~leaving[first:]) + first
        moved = self.order[tail]
        self.lower[first : first + tail.size, :first] = self.lower[tail, :first]
        kept_rows = self.lower[first : first + tail.size, :first]
        self.order = np.concatenate([self.order[:first], moved])
        if not tail.size:
            return moved
        self.rows[first : first + tail.size] = self.rows[tail]
        block = self.rows[first : first + tail.size, moved] - kept_rows @ kept_rows.T
        block[np.diag_indices(tail.size)] += self.l2[moved]
        corner, info = lapack.dpotrf(block, lower=1, clean=1)
        if info == 0:
            self.lower[first : first + tail.size, first : first + tail.size] = corner
            return moved[:0]
        self.order = self.order[:first]
        entered = self.append(moved)
        return np.setdiff1d(moved, entered)

    def _grow(self, size: int) -> None:
        """Make room."""
        room = self.lower.shape[0]
        if size > room:
            room = max(2 * room, size)
            larger = np.zeros((room, room), order="F")
            larger[: self.size, : self.size] = self.view()
            self.lower = larger
        if size > self.rows.shape[0]:
            self.widen(self.hessian, room)

    def widen(self, hessian: Array, room: int) -> None:
        """Take the rows from a Hessian with more columns, with room for more of them."""
        self.hessian = hessian
        self.rows = np.empty((room, hessian.shape[0]))
        self.rows[: self.size] = hessian[self.order]


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
    corner = np.array([column[index] for column in columns]).T if taken else np.zeros((0, 0))
    return index, np.tril(corner)


def _unpenalised(columns: list[int], terms: SeparableTerms) -> tuple[int, ...]:
    """Those of the columns passed over that nothing penalises: of the others rounding took the curvature."""
    return tuple(j for j in columns if terms.l1[j] + terms.l2[j] == 0)


class ActiveSet:
    """The kernel for one Hessian; its factor is kept from one strength to the next.

    Parameters
    ----------
    hessian : (k, k) array
        Symmetric, positive semidefinite. Not modified.
    """

    def __init__(self, hessian: Array) -> None:
        self._hessian = hessian
        self._factor = _Factor(hessian, np.zeros(hessian.shape[0]), np.empty((16, hessian.shape[0])))
        self._sign = np.zeros(hessian.shape[0])
        self._outside = np.ones(hessian.shape[0], dtype=bool)

    def extend(self, hessian: Array) -> Self:
        """Go on with a Hessian that has more rows and columns at its end; the factor stays."""
        more = hessian.shape[0] - self._sign.size
        self._hessian = hessian
        self._factor.widen(hessian, self._factor.lower.shape[0])
        self._factor.l2 = np.concatenate([self._factor.l2, np.zeros(more)])
        self._sign = np.concatenate([self._sign, np.zeros(more)])
        self._outside = np.concatenate([self._outside, np.ones(more, dtype=bool)])
        return self

    def solve(
        self, linear: Array, terms: SeparableTerms, start: Array, tol: float, enough: float = 0.0
    ) -> QuadraticSolution:
        """Minimise from a start until no admissible slope exceeds ``tol``.

        Parameters
        ----------
        linear : (k,) array
            The vector q.
        terms : SeparableTerms
            Penalty and limits.
        start : (k,) array
            Warm start; clipped to the limits.
        tol : float
            Largest slope left, in the units of q.
        enough : float
            A larger slope that will do once the objective no longer falls measurably: what is left is rounding.

        Returns
        -------
        QuadraticSolution
            Costs O(f^2) a round for f free coordinates and O(k f) for the score, O(f^3) where the L2 part has changed.
        """
        coefs = np.clip(start, terms.lower, terms.upper)
        self._load(coefs, terms)
        single, last, aliased = False, np.inf, list[int]()
        for rounds in range(1, MAX_ROUNDS + 1):
            if not self._advance(linear, terms, coefs):
                continue
            score = self._score(linear, terms, coefs, tol)
            value = terms.value(coefs) - 0.5 * float(coefs @ (linear + score))
            rate, direction = self._slopes(terms, coefs, score)
            rate[aliased] = -np.inf
            violators = np.flatnonzero(rate > tol)
            if not violators.size:
                return QuadraticSolution(coefs, score, rounds, solved=True, aliased=_unpenalised(aliased, terms))
            single = single or value >= last - PROGRESS * abs(value)
            last = value
            if single and rate[violators].max() <= enough:
                return QuadraticSolution(coefs, score, rounds, solved=True, aliased=_unpenalised(aliased, terms))
            violators = violators[np.argsort(-rate[violators], kind="stable")]
            entered = self._admit(violators[:1] if single else violators, terms, coefs, direction)
            if not entered.size and not self._exchange(int(violators[0]), terms, coefs, rate, direction):
                aliased.append(int(violators[0]))
        return QuadraticSolution(
            coefs, linear - self._hessian @ coefs, MAX_ROUNDS, solved=False, aliased=tuple(aliased)
        )

    def _load(self, coefs: Array, terms: SeparableTerms) -> None:
        """Make the free set that of the start; coordinates that fail the pivot test go to zero."""
        wanted = (coefs != 0) & (coefs > terms.lower) & (coefs < terms.upper)
        factor = self._factor
        if not np.array_equal(factor.l2, terms.l2):
            factor.l2 = terms.l2
            order = factor.order[wanted[factor.order]]
            factor.order = factor.order[:0]
            coefs[np.setdiff1d(order, factor.append(order))] = 0.0
        elif factor.size and not wanted[factor.order].all():
            coefs[factor.drop(~wanted[factor.order])] = 0.0
        self._outside[:] = True
        self._outside[factor.order] = False
        missing = np.flatnonzero(wanted & self._outside & (coefs != 0))
        coefs[np.setdiff1d(missing, factor.append(missing))] = 0.0
        self._outside[factor.order] = False
        self._sign[:] = 0.0
        self._sign[factor.order] = np.where(terms.l1[factor.order] > 0, np.sign(coefs[factor.order]), 0.0)

    def _advance(self, linear: Array, terms: SeparableTerms, coefs: Array) -> bool:
        """Solve for the free coordinates. True when all of them may stay; else some were dropped on the way."""
        free = self._factor.order
        if not free.size:
            return True
        sign, now = self._sign[free], coefs[free]
        pull = linear[free]
        held = np.flatnonzero((coefs != 0) & self._outside)
        if held.size:
            pull = pull - self._hessian[np.ix_(free, held)] @ coefs[held]
        goal = self._factor.solve(pull - terms.l1[free] * sign)
        target = np.clip(goal, terms.lower[free], terms.upper[free])
        target = np.where(sign * goal < 0, 0.0, target)
        leaving = target != goal
        if not leaving.any():
            coefs[free] = goal
            return True
        l1 = terms.l1[free]
        before = 0.5 * self._factor.root(now) - pull @ now + l1 @ np.abs(now)
        after = 0.5 * self._factor.root(target) - pull @ target + l1 @ np.abs(target)
        if after < before - FALL * max(abs(before), abs(after)):
            coefs[free] = target
        else:
            leaving = self._first_crossing(now, goal, target, leaving)
            which = int(np.flatnonzero(leaving)[0])
            reach = (target[which] - now[which]) / (goal[which] - now[which]) if goal[which] != now[which] else 0.0
            coefs[free] = now + min(max(reach, 0.0), 1.0) * (goal - now)
            coefs[free[which]] = target[which]
        self._drop(leaving, coefs)
        return False

    @staticmethod
    def _first_crossing(now: Array, goal: Array, target: Array, leaving: Bools) -> Bools:
        """Mark the one coordinate that meets its end first on the way to the goal."""
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = np.where(leaving, (target - now) / (goal - now), np.inf)
        reach = np.maximum(np.nan_to_num(reach, nan=0.0, posinf=np.inf), 0.0)
        first = np.zeros(leaving.size, dtype=bool)
        first[int(np.argmin(np.where(leaving, reach, np.inf)))] = True
        return first

    def _drop(self, leaving: Bools, coefs: Array) -> None:
        """Take coordinates out of the free set."""
        gone = self._factor.order[leaving]
        failed = self._factor.drop(leaving)
        coefs[failed] = 0.0
        gone = np.concatenate([gone, failed])
        self._outside[gone] = True
        self._sign[gone] = 0.0

    def _score(self, linear: Array, terms: SeparableTerms, coefs: Array, tol: float) -> Array:
        """Q - Hb, after one step of refinement where the free coordinates are not stationary to a tenth of ``tol``."""
        score = self._product(linear, coefs)
        free = self._factor.order
        if free.size:
            rest = score[free] - terms.l2[free] * coefs[free] - terms.l1[free] * self._sign[free]
            if np.abs(rest).max() > 0.1 * tol:
                better = coefs[free] + self._factor.solve(rest)
                stays = (self._sign[free] * better >= 0) & (better <= terms.upper[free]) & (better >= terms.lower[free])
                if stays.all():
                    coefs[free] = better
                    score = self._product(linear, coefs)
        return score

    def _product(self, linear: Array, coefs: Array) -> Array:
        """Q - Hb over the nonzero coefficients.

        A sum of rows is taken where there are many columns. Its running totals are as large as the terms that cancel in
        near-duplicates; the scalar products of a small matrix keep a little more of the difference.
        """
        if coefs.size <= SMALL:
            return linear - self._hessian @ coefs
        free = self._factor.order
        out = linear - coefs[free] @ self._factor.rows[: free.size]
        held = np.flatnonzero((coefs != 0) & self._outside)
        return out - coefs[held] @ self._hessian[held] if held.size else out

    def _slopes(self, terms: SeparableTerms, coefs: Array, score: Array) -> tuple[Array, Array]:
        """Largest admissible slope of every coordinate that is not free, and its direction."""
        smooth = score - terms.l2 * coefs
        rise = smooth - np.where(coefs < 0, -terms.l1, terms.l1)
        fall = -smooth - np.where(coefs > 0, -terms.l1, terms.l1)
        rise[coefs >= terms.upper] = -np.inf
        fall[coefs <= terms.lower] = -np.inf
        rate = np.maximum(rise, fall)
        rate[~self._outside] = -np.inf
        return rate, np.where(rise >= fall, 1.0, -1.0)

    def _admit(self, candidates: Integers, terms: SeparableTerms, coefs: Array, direction: Array) -> Integers:
        """Let in what passes the pivot test, with the sign it will have."""
        entered = self._factor.append(candidates)
        heading = np.where(coefs[entered] != 0, np.sign(coefs[entered]), direction[entered])
        self._sign[entered] = np.where(terms.l1[entered] > 0, heading, 0.0)
        self._outside[entered] = False
        return entered

    def _exchange(self, entering: int, terms: SeparableTerms, coefs: Array, rate: Array, direction: Array) -> bool:
        """Move along the direction in which a dependent coordinate replaces free ones. False: nothing blocks it."""
        free = self._factor.order
        step = direction[entering]
        cross = self._hessian[free, entering]
        half = self._factor.half_solve(cross) if free.size else np.zeros(0)
        along = -step * self._factor.solve(cross) if free.size else np.zeros(0)
        whole = float(self._hessian[entering, entering] + terms.l2[entering])
        curvature = whole - float(half @ half)
        curvature = curvature if curvature > NOISE * whole else 0.0
        moving = np.append(free, entering)
        slopes = np.append(along, step)
        length = float(rate[entering]) / curvature if curvature > 0 else np.inf
        ends = np.where(slopes > 0, terms.upper[moving], terms.lower[moving])
        ends = np.where((terms.l1[moving] > 0) & (coefs[moving] * slopes < 0), 0.0, ends)
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = np.where(slopes != 0, (ends - coefs[moving]) / slopes, np.inf)
        blocker = int(np.argmin(reach))
        if not np.isfinite(min(reach[blocker], length)):
            return False
        blocked = reach[blocker] <= length
        coefs[moving] += max(min(float(reach[blocker]), length), 0.0) * slopes
        if blocked:
            coefs[moving[blocker]] = ends[blocker]
            if blocker < free.size:
                leaving = np.zeros(free.size, dtype=bool)
                leaving[blocker] = True
                self._drop(leaving, coefs)
        if not blocked or blocker < free.size:
            self._admit(np.array([entering], dtype=np.intp), terms, coefs, direction)
        return True
