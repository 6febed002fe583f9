"""Gaussian problems with many columns: all lanes side by side, each on the few columns that it needs.

A batch of strengths is walked on the working columns, those that may take part before its end. Every lane has the
second moments of its own columns, which grow as columns come near to taking part, and the quadratic kernel solves them
exactly. Then one product X'R over all columns, with the residuals R of all lanes at all strengths of the batch, shows
whether any column was missed; from the first strength where one was the batch is walked again with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from regcli.problem.protocols import Array, Integers, SeparableTerms
from regcli.results import Iterate
from regcli.solvers.engine import Problem, RawModel, over_lanes, status_of
from regcli.solvers.quadratics import COARSE, Quadratics, Stand
from regcli.solvers.screening import ahead, kept_share, stations
from regcli.solvers.working import MOST_GATHERED, Working

__all__ = ["Lockstep"]

#: Strengths a batch: the check on all columns takes 1.2 ms a row of residuals with those of 11 lanes, 0.6 with 44 and
#: 0.5 with 88 (500 x 20,000, one thread), and a longer batch needs more working columns. ``BATCH_CELLS`` bounds the
#: scores that it makes: at 400 x 40,000 two strengths at a time peak at 440 MB, four at 485 for a tenth less time.
BATCH, BATCH_CELLS = 4, 1_000_000

#: Columns whose score reaches this share of the L1 weight they will have at the end of a batch are working columns.
WORKING = 0.9

#: Rounds without a better violation after which a lane is left: its columns no longer change, and what is left is
#: rounding.
PATIENCE = 3


@dataclass
class _Point:
    """All lanes at one strength: models on the working columns (L, k), predictors (L, n), the score there.

    ``expected`` (L, k) is a guess of the score, made before.
    """

    coefs: Array
    eta: Array
    score: Array
    terms: list[SeparableTerms]
    rounds: Integers
    aliased: list[Integers]
    expected: Array | None

    def stand(self, lam: float, columns: Integers, lane: int) -> Stand:
        """How a lane stands."""
        first = self.rounds[lane] == 0
        expected = self.expected[lane] if first and self.expected is not None else None
        return Stand(lam, columns, self.coefs[lane], self.score[lane], expected, bool(first))


@dataclass(frozen=True, slots=True)
class _Check:
    """All lanes at one strength: scores (L, p), violations (L,), columns that were missed."""

    score: Array
    violation: Array
    missed: Integers


class Lockstep:
    """Engine for the gaussian family; exact up to rounding at every strength.

    Notes
    -----
    A strength costs O(n k L) on the working columns and O(f^2) a lane and round of the kernel, columns that enter
    O(n f) each, and a batch one product of O(n m L) a strength. Memory is the working columns, the second moments of
    each lane's own, and the scores of a batch.
    """

    name = "lockstep"

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        objective = problem.objective
        lanes, p = objective.lanes.n_lanes, objective.n_terms
        self.batch = max(1, min(BATCH, BATCH_CELLS // max(lanes * p, 1)))
        self._levels = problem.null.intercepts
        self._coefs = np.zeros((lanes, p))
        terms = [objective.terms(problem.penalty, 1.0, lane) for lane in range(lanes)]
        self._edge = np.stack([term.l1 for term in terms])
        # The last two strengths, and the scores there.
        self._past: list[tuple[float, Array]] = [(np.inf, problem.null.score)]
        self._among = np.zeros((lanes, p), dtype=bool)  # what lanes have in their quadratics
        self._quadratics = Quadratics(problem)
        self._minimise = over_lanes(problem, self._quadratics.minimise)
        self._missed: Integers = np.zeros(0, dtype=np.intp)

    def advance(self, lams: Array, starts: Sequence[RawModel] | None = None) -> list[Iterate]:  # noqa: ARG002
        """Walk all lanes over the strengths, batch after batch."""
        todo, out = self._with_stations(lams), list[Iterate]()
        at = 0
        while at < len(todo):
            steps = self._walk(np.array([lam for lam, _ in todo[at : at + self.batch]]))
            out += [step for step, (_, wanted) in zip(steps, todo[at:], strict=False) if wanted]
            at += len(steps)
        return out

    def _with_stations(self, lams: Array) -> list[tuple[float, bool]]:
        """The strengths, and those to pass through where one is far: else most columns would look needed at once."""
        out, (last, score) = list[tuple[float, bool]](), self._past[-1]
        for lam in map(float, lams):
            out += [(station, False) for station in stations(self._problem, score, last, lam)]
            out.append((lam, True))
            last = lam
        return out

    # -- a batch -----------------------------------------------------------------------------------------------------

    def _walk(self, lams: Array) -> list[Iterate]:
        """Walk a batch on the working columns and check it on all; from where a column was missed on it is not done."""
        working = self._working(float(lams[-1]), self._missed)
        points = self._along(working, lams)
        checks = self._checked(working, points, lams)
        while checks[0].missed.size:
            working = self._working(float(lams[-1]), np.union1d(working.columns, checks[0].missed))
            points = self._along(working, lams)
            checks = self._checked(working, points, lams)
        good = next((at for at, check in enumerate(checks) if check.missed.size), len(points))
        self._missed = checks[good].missed if good < len(points) else self._missed[:0]
        out = [
            self._iterate(working, float(lam), point, check)
            for lam, point, check in zip(lams[:good], points[:good], checks[:good], strict=True)
        ]
        last = range(max(good - 2, 0), good)
        self._past = [*self._past, *((float(lams[at]), checks[at].score) for at in last)][-2:]
        self._coefs = out[-1].coefs
        return out

    def _working(self, lam: float, more: Integers) -> Working:
        """Columns that may take part before a strength is reached, or that a lane has in its quadratic."""
        last, score = self._past[-1]
        edge = lam * self._edge * kept_share(last, lam, WORKING)
        wanted = ((np.abs(score) >= edge) | (self._coefs != 0) | self._among).any(axis=0)
        wanted[more] = True
        if np.count_nonzero(wanted) > MOST_GATHERED * wanted.size:
            wanted[:] = True
        return self._quadratics.working.of(np.flatnonzero(wanted))

    def _along(self, working: Working, lams: Array) -> list[_Point]:
        """All lanes at every strength, on the working columns."""
        past = [(lam, values[:, working.columns]) for lam, values in self._past]
        coefs, score = self._coefs[:, working.columns], past[-1][1]
        out = []
        for lam in lams:
            out.append(self._solve(working, float(lam), (coefs, score), ahead(past, float(lam))))
            coefs, score = out[-1].coefs, out[-1].score
            past.append((float(lam), score))
        return out

    def _checked(self, working: Working, points: list[_Point], lams: Array) -> list[_Check]:
        """Measure points on all columns: one product for all lanes and strengths."""
        objective, scale = self._problem.objective, self._problem.null.scale
        rows = np.concatenate([objective.lanes.apply_weights(objective.y - point.eta) for point in points])
        count, out = scale.size, list[_Check]()
        products = objective.design.rdot(rows, self._problem.parallel_map)
        for at, (lam, point) in enumerate(zip(lams, points, strict=True)):
            part = slice(at * count, (at + 1) * count)
            level, score = objective.scored(rows[part].sum(axis=1), products[part])
            excess = self._excess(score, float(lam))
            inside = _distances(point, score[:, working.columns]).max(axis=1, initial=0.0)
            excess[:, working.columns] = 0.0
            violation = np.maximum(np.maximum(inside, excess.max(axis=1, initial=0.0)), np.abs(level)) / scale
            limit = COARSE * self._problem.rules.tol * scale
            out.append(_Check(score, violation, np.flatnonzero((excess > limit[:, None]).any(axis=0))))
        return out

    def _excess(self, score: Array, lam: float) -> Array:
        """By how much scores (L, p) of coefficients that are zero exceed their L1 weights."""
        penalty = self._problem.penalty
        size = np.abs(score)
        if penalty.has_zero_limit():
            size = np.maximum(np.where(penalty.upper > 0, score, 0.0), np.where(penalty.lower < 0, -score, 0.0))
        size -= lam * self._edge
        return np.maximum(size, 0.0, out=size)

    def _iterate(self, working: Working, lam: float, point: _Point, check: _Check) -> Iterate:
        """What is known of one strength."""
        coefs = np.zeros(self._coefs.shape)
        coefs[:, working.columns] = point.coefs
        return Iterate(
            lam=lam,
            intercepts=self._levels.copy(),
            coefs=coefs,
            violation=check.violation,
            rounds=point.rounds,
            status=status_of(check.violation, self._problem.rules.tol),
            loss=self._problem.objective.lead_loss(point.eta),
            eta=point.eta,
            aliased=tuple(map(int, working.columns[point.aliased[0]])),
        )

    # -- the working columns -----------------------------------------------------------------------------------------

    def _solve(self, working: Working, lam: float, start: tuple[Array, Array], expected: Array | None) -> _Point:
        """All lanes at one strength, until no working column breaks the conditions.

        ``start`` are coefficients and scores where the last strength ended.
        """
        problem, objective, lanes = self._problem, working.objective, self._levels.size
        terms = [working.terms(lam, lane) for lane in range(lanes)]
        none = np.zeros(0, dtype=np.intp)
        rounds = np.zeros(lanes, dtype=np.intp)
        eta = np.empty((lanes, objective.y.size))
        point = _Point(start[0].copy(), eta, start[1].copy(), terms, rounds, [none] * lanes, expected)
        limit = COARSE * problem.rules.tol * problem.null.scale
        best, stale, alive = np.full(lanes, np.inf), np.zeros(lanes, dtype=np.intp), np.arange(lanes)
        while alive.size and rounds.max() < problem.rules.max_iter:
            answers = self._minimise((lane, point.stand(lam, working.columns, lane)) for lane in alive.tolist())
            for lane, answer in zip(alive, answers, strict=True):
                point.coefs[lane], point.aliased[lane] = answer.coefs, answer.aliased
                if answer.own is not None:
                    self._among[lane] = False
                    self._among[lane, answer.own] = True
            part = objective if alive.size == lanes else objective.keep(alive)
            sweep = part.sweep(self._levels[alive], point.coefs[alive], problem.parallel_map)
            point.eta[alive], point.score[alive] = sweep.eta, sweep.score
            rounds[alive] += 1
            distance = _distances(point, point.score)
            for row, aliased in zip(distance, point.aliased, strict=True):
                row[aliased] = 0.0  # no round can change it
            worst = distance.max(axis=1, initial=0.0)
            stale = np.where(worst < 0.9 * best, 0, stale + 1)
            best = np.minimum(best, worst)
            alive = alive[(worst > limit)[alive] & (stale < PATIENCE)[alive]]
        return point


def _distances(point: _Point, score: Array) -> Array:
    """How far scores (L, k) on the working columns are from optimal."""
    rows = zip(point.terms, point.coefs, score, strict=True)
    return np.stack([terms.distance(coefs, own) for terms, coefs, own in rows])
