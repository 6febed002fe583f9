"""The quadratic kernel that every engine shares: an exact active-set method for separable penalties.

    minimise over b:  b'Hb/2 - q'b + sum_j l1_j |b_j| + l2_j b_j^2 / 2,   lower <= b <= upper,  lower <= 0 <= upper

A coordinate is free (with a sign where l1_j > 0), at zero, or at a limit. Each round solves for the free ones; those
that leave their orthant or limits are dropped, and where none does the coordinates whose slope calls for it are let
in. Letting in passes a pivot test, so that duplicates, near-duplicates and more columns than rows do not break the
factor; a coordinate that depends on the free ones is exchanged for one of them instead. Accepted points strictly
decrease and there are finitely many (set, signs, limits), so the method ends.
"""

from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np

from regcli.problem.protocols import Array, Bools, Integers, SeparableTerms

__all__ = ["ActiveSet", "Near", "Quadratic", "QuadraticSolution", "Solved"]

#: A projected point must lower the objective by more than this share of it, else rounding could cycle.
FALL = 1e-13

#: A full point must lower it by more than this share, else one coordinate at a time is let in from then on.
PROGRESS = 1e-14

#: Share of the tolerance to which the free coordinates are solved.
STATIONARY = 0.1

#: Steps of refinement: near-duplicates without a penalty need a second one.
REFINEMENTS = 2

#: Rounds before giving up: so many, and so many more a coordinate, up to a bound. Generated degenerate problems took at
#: most a few dozen; where curvatures are so far apart that rounding decides who enters, thousands more do not help.
FEW_ROUNDS, ROUNDS_EACH, MAX_ROUNDS = 50, 5, 10_000


@dataclass(frozen=True, slots=True)
class QuadraticSolution:
    """Coefficients (k,), score q - Hb (k,), rounds used, whether it ended, and unpenalised columns set aside."""

    coefs: Array
    score: Array
    rounds: int
    solved: bool
    aliased: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Near:
    """A point (f,) near to what a solve is to find, its residual where it is known, and the residual that will do.

    ``sign`` (f,) is that which coordinates may have, 0 for any: a solve may end as soon as it is sure that one will not
    keep it.
    """

    start: Array
    rest: Array | None
    enough: float
    sign: Array


@dataclass(frozen=True, slots=True)
class Solved:
    """Values of the free coordinates (f,), and what is left of their equations there."""

    values: Array
    rest: Array


class Quadratic(Protocol):
    """H over k coordinates with an L2 part diag(l2), and which of them are free: what the kernel solves on.

    ``free`` (f,) are in order of entry; ``exact`` says whether all there is holds for the L2 part asked for last. What
    may take a product with the data can be waited for (``regcli.solvers.together``).
    """

    @property
    def size(self) -> int:
        """Number of coordinates k."""
        ...

    @property
    def free(self) -> Integers:
        """The free coordinates."""
        ...

    @property
    def exact(self) -> bool:
        """Whether ``replacement`` may be asked for."""
        ...

    def serves(self, l2: Array) -> bool:
        """Go on with another L2 part, if that is possible without ``reload``."""
        ...

    def reload(self, l2: Array, wanted: Bools) -> Integers:
        """Begin anew with another L2 part and those free coordinates that are wanted; return those that failed."""
        ...

    def append(self, candidates: Integers) -> Integers:
        """Let in coordinates, each if it does not depend on those that are in; return those let in."""
        ...

    def drop(self, leaving: Bools) -> Integers:
        """Take out free coordinates (f,); return any that have become dependent."""
        ...

    async def solve(self, right: Array, near: "Near | None" = None) -> Solved:
        """Solve with the free block (f, f), from what is known already."""
        ...

    async def times(self, coefs: Array) -> Array:
        """H times coefficients (k,), without the L2 part."""
        ...

    async def coupling(self, held: Integers, values: Array) -> Array:
        """H_FB times values of some coordinates B that are not free, (f,)."""
        ...

    async def root(self, values: Array) -> float:
        """The quadratic form with the L2 part at values (f,)."""
        ...

    def replacement(self, entering: int) -> tuple[Array, float]:
        """How the free coordinates move (f,) as a dependent one enters by one, and the curvature along that."""
        ...


def _unpenalised(columns: list[int], terms: SeparableTerms) -> tuple[int, ...]:
    """Those of the columns passed over that nothing penalises: of the others rounding took the curvature."""
    return tuple(j for j in columns if terms.l1[j] + terms.l2[j] == 0)


def _violators(rate: Array, tol: float) -> Integers:
    """Coordinates whose slope exceeds a tolerance, the largest first."""
    found = (rate > tol).nonzero()[0]
    return found[np.argsort(-rate[found], kind="stable")] if found.size > 1 else found


class ActiveSet:
    """The kernel for one Hessian; its factor is kept from one strength to the next.

    Parameters
    ----------
    form : Quadratic
        H, and how to solve with it.
    """

    def __init__(self, form: Quadratic) -> None:
        self.form = form
        self._sign = np.zeros(form.size)
        self._outside = np.ones(form.size, dtype=bool)
        self._held = False  # whether a coordinate may be away from zero without being free

    def grown(self) -> Self:
        """Go on with a form that has more coordinates at its end."""
        more = self.form.size - self._sign.size
        self._sign = np.concatenate([self._sign, np.zeros(more)])
        self._outside = np.concatenate([self._outside, np.ones(more, dtype=bool)])
        return self

    async def minimise(
        self,
        linear: Array,
        terms: SeparableTerms,
        start: Array,
        tol: float,
        enough: float = 0.0,
        expected: Array | None = None,
        score: Array | None = None,
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
        expected : (k,) array, optional
            A guess of the score at the minimiser: what it calls for is let in at once. A good one saves most rounds.
        score : (k,) array, optional
            The score q - Hb at the start, where it is known: some solves begin there.

        Returns
        -------
        QuadraticSolution
            Costs O(f^2) a round for f free coordinates and O(k f) for the score, O(f^3) where the L2 part has changed.
        """
        coefs = np.clip(start, terms.lower, terms.upper) if terms.limited else start.copy()
        self._load(coefs, terms)
        if score is not None and not np.array_equal(coefs, start):
            score = None
        if expected is not None:
            self._foresee(expected, terms, coefs, tol)
        rest = None if score is None else self._rest(terms, coefs, score)
        single, last, aliased = False, np.inf, list[int]()
        most = min(FEW_ROUNDS + ROUNDS_EACH * self.form.size, MAX_ROUNDS)
        for rounds in range(1, most + 1):
            done, rest = await self._advance(linear, terms, coefs, STATIONARY * tol, rest)
            if not done:
                continue
            score = await self._score(linear, terms, coefs, tol)
            value = terms.value(coefs) - 0.5 * float(coefs @ (linear + score))
            rate, direction = self._slopes(terms, coefs, score)
            rate[aliased] = -np.inf
            violators = _violators(rate, tol)
            if not violators.size:
                return QuadraticSolution(coefs, score, rounds, solved=True, aliased=_unpenalised(aliased, terms))
            single = single or value >= last - PROGRESS * abs(value)
            last = value
            if single and rate[violators].max() <= enough:
                return QuadraticSolution(coefs, score, rounds, solved=True, aliased=_unpenalised(aliased, terms))
            entered = self._admit(violators[:1] if single else violators, terms, coefs, direction)
            rest = self._rest(terms, coefs, score) if entered.size else None
            if not entered.size and not self._exchange(int(violators[0]), terms, coefs, rate, direction):
                aliased.append(int(violators[0]))
        score = linear - await self.form.times(coefs)
        return QuadraticSolution(coefs, score, most, solved=False, aliased=tuple(aliased))

    def _load(self, coefs: Array, terms: SeparableTerms) -> None:
        """Make the free set that of the start; coordinates that fail the pivot test go to zero."""
        wanted, self._held = coefs != 0, terms.limited
        if terms.limited:
            wanted &= (coefs > terms.lower) & (coefs < terms.upper)
        form = self.form
        if not form.serves(terms.l2):
            coefs[form.reload(terms.l2, wanted)] = 0.0
        elif form.free.size and not wanted[form.free].all():
            coefs[form.drop(~wanted[form.free])] = 0.0
        self._outside[:] = True
        self._outside[form.free] = False
        missing = (wanted & self._outside).nonzero()[0]
        missing = missing[coefs[missing] != 0]
        if missing.size:
            entered = form.append(missing)
            if entered.size < missing.size:
                coefs[np.setdiff1d(missing, entered)] = 0.0
            self._outside[form.free] = False
        self._sign[:] = 0.0
        self._sign[form.free] = np.where(terms.l1[form.free] > 0, np.sign(coefs[form.free]), 0.0)

    def _foresee(self, expected: Array, terms: SeparableTerms, coefs: Array, tol: float) -> None:
        """Let in what a guess of the score calls for, largest slope first."""
        rate, direction = self._slopes(terms, coefs, expected)
        soon = _violators(rate, tol)
        if soon.size:
            self._admit(soon, terms, coefs, direction)

    def _exact(self, terms: SeparableTerms, coefs: Array) -> None:
        """Have the factor of this very L2 part."""
        if not self.form.exact:
            self._outside[self.form.free] = True
            coefs[self.form.reload(terms.l2, np.ones(coefs.size, dtype=bool))] = 0.0
            self._outside[self.form.free] = False

    def _rest(self, terms: SeparableTerms, coefs: Array, score: Array) -> Array:
        """What is left of the equations of the free coordinates (f,), by the score."""
        free = self.form.free
        return np.asarray(score[free] - terms.l2[free] * coefs[free] - terms.l1[free] * self._sign[free])

    async def _advance(
        self, linear: Array, terms: SeparableTerms, coefs: Array, enough: float, rest: Array | None
    ) -> tuple[bool, Array | None]:
        """Solve for the free coordinates. True when all of them may stay; else some were dropped on the way.

        ``rest`` (f,) is what is left of their equations, where it is known; so is what is returned. No more than
        ``enough`` is to be left.
        """
        free = self.form.free
        if not free.size:
            return True, None
        sign, now, l1 = self._sign[free], coefs[free], terms.l1[free]
        pull = linear[free]
        held = ((coefs != 0) & self._outside).nonzero()[0] if self._held else free[:0]
        if held.size:
            pull = pull - await self.form.coupling(held, coefs[held])
        right = pull - l1 * sign
        solved = await self.form.solve(right, Near(now, rest, enough, sign))
        goal = solved.values
        target = np.clip(goal, terms.lower[free], terms.upper[free]) if terms.limited else goal
        leaving = (sign * goal < 0) | (target != goal)
        if not leaving.any():
            coefs[free] = goal
            return True, None
        target = np.where(sign * goal < 0, 0.0, target)
        left: Array | None = solved.rest
        if await self._falls(right, (now, target), rest, solved):
            coefs[free] = target
            beyond = target - goal
        else:
            leaving = self._first_crossing(now, goal, target, leaving)
            which = int(np.flatnonzero(leaving)[0])
            share = (target[which] - now[which]) / (goal[which] - now[which]) if goal[which] != now[which] else 0.0
            part = min(max(float(share), 0.0), 1.0)
            coefs[free] = now + part * (goal - now)
            coefs[free[which]] = target[which]
            beyond, left = np.zeros(free.size), None if rest is None else (1.0 - part) * rest + part * solved.rest
        if self._drop(leaving, coefs) or left is None:
            return False, None
        left = left[~leaving]
        if beyond[leaving].any():
            left = left - await self.form.coupling(free[leaving], beyond[leaving])
        return False, left

    async def _falls(self, right: Array, ends: tuple[Array, Array], rest: Array | None, solved: Solved) -> bool:
        """Whether the objective falls strictly from where coefficients are (f,) to a target beside the goal.

        Away from the goal by d it is half the quadratic form of d more, less what is left of the equations there times
        d; the form need not be taken where what is left is known at both ends.
        """
        back, aside = (end - solved.values for end in ends)
        if rest is None:
            before = 0.5 * await self.form.root(back) - float(solved.rest @ back)
        else:
            before = -0.5 * float(back @ (rest + solved.rest))
        after = 0.5 * await self.form.root(aside) - float(solved.rest @ aside)
        level = -0.5 * float(solved.values @ (right + solved.rest))
        return after < before - FALL * max(abs(level + before), abs(level + after))

    @staticmethod
    def _first_crossing(now: Array, goal: Array, target: Array, leaving: Bools) -> Bools:
        """Mark the one coordinate that meets its end first on the way to the goal."""
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = np.where(leaving, (target - now) / (goal - now), np.inf)
        reach = np.maximum(np.nan_to_num(reach, nan=0.0, posinf=np.inf), 0.0)
        first = np.zeros(leaving.size, dtype=bool)
        first[int(np.argmin(np.where(leaving, reach, np.inf)))] = True
        return first

    def _drop(self, leaving: Bools, coefs: Array) -> bool:
        """Take coordinates out of the free set; return whether others went with them."""
        gone = self.form.free[leaving]
        failed = self.form.drop(leaving)
        coefs[failed] = 0.0
        gone = np.concatenate([gone, failed])
        self._outside[gone] = True
        self._sign[gone] = 0.0
        return failed.size > 0

    async def _score(self, linear: Array, terms: SeparableTerms, coefs: Array, tol: float) -> Array:
        """Q - Hb, after steps of refinement where the free coordinates are not stationary enough."""
        score, free = linear - await self.form.times(coefs), self.form.free
        for _ in range(REFINEMENTS if free.size else 0):
            rest = self._rest(terms, coefs, score)
            if np.abs(rest).max() <= STATIONARY * tol:
                break
            better = coefs[free] + (await self.form.solve(rest)).values
            stays = self._sign[free] * better >= 0
            if terms.limited:
                stays &= (better <= terms.upper[free]) & (better >= terms.lower[free])
            if not stays.all():
                break
            coefs[free] = better
            score = linear - await self.form.times(coefs)
        return score

    def _slopes(self, terms: SeparableTerms, coefs: Array, score: Array) -> tuple[Array, Array]:
        """Largest admissible slope of every coordinate that is not free, and its direction."""
        smooth = score - terms.l2 * coefs
        if not self._held:
            rate = np.abs(smooth) - terms.l1
            rate[self.form.free] = -np.inf
            return rate, np.sign(smooth)
        rise = smooth - np.where(coefs < 0, -terms.l1, terms.l1)
        fall = -smooth - np.where(coefs > 0, -terms.l1, terms.l1)
        rise[coefs >= terms.upper] = -np.inf
        fall[coefs <= terms.lower] = -np.inf
        rate = np.maximum(rise, fall)
        rate[~self._outside] = -np.inf
        return rate, np.where(rise >= fall, 1.0, -1.0)

    def _admit(self, candidates: Integers, terms: SeparableTerms, coefs: Array, direction: Array) -> Integers:
        """Let in what passes the pivot test, with the sign it will have."""
        entered = self.form.append(candidates)
        heading = np.where(coefs[entered] != 0, np.sign(coefs[entered]), direction[entered])
        self._sign[entered] = np.where(terms.l1[entered] > 0, heading, 0.0)
        self._outside[entered] = False
        return entered

    def _exchange(self, entering: int, terms: SeparableTerms, coefs: Array, rate: Array, direction: Array) -> bool:
        """Move along the direction in which a dependent coordinate replaces free ones. False: nothing blocks it."""
        self._exact(terms, coefs)
        free = self.form.free
        step = direction[entering]
        along, curvature = self.form.replacement(entering)
        moving = np.append(free, entering)
        slopes = step * np.append(along, 1.0)
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
            entered = self._admit(np.array([entering], dtype=np.intp), terms, coefs, direction)
            self._held = self._held or not entered.size
        return True
