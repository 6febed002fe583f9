"""Any smooth family, any storage: proximal Newton over all lanes in lockstep, on a working set of columns.

A strength is solved on the working columns and then checked on all of them with one product X'R for all lanes;
columns that break the optimality conditions join and the strength is solved again. Each round's step is safeguarded by
a line search.

References
----------
.. [1] Lee, Sun, Saunders (2014), "Proximal Newton-type methods for minimizing composite functions", SIAM J. Optim.
   24(3). doi:10.1137/130921428 (the descent measure and the line search).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from regcli.problem.objective import Sweep
from regcli.problem.protocols import Array, Bools, Integers, SeparableTerms
from regcli.results import Iterate, Status
from regcli.solvers.descent import Step
from regcli.solvers.endless import is_endless
from regcli.solvers.engine import Problem, RawModel, over_lanes
from regcli.solvers.lane_models import Goal, LaneModels, Stand
from regcli.solvers.models import Models, has_few_rows
from regcli.solvers.outlook import Ahead, Course
from regcli.solvers.screening import kept_share, stations
from regcli.solvers.working import MOST_GATHERED

__all__ = ["Newton"]

#: A lane whose violation does not fall to this share of itself in a round may get a Hessian built where it stands.
#: Rounds and work are least between 0.05 and 0.2 (20,000 x 100 and 500 x 2,000); at 0.5 the latter takes half as much
#: again.
CONTRACTION = 0.2

#: Below this many multiplications a Hessian costs less than the rounds it saves, and every lane builds its own.
LITTLE_WORK = 10_000_000

#: Shares of the tolerance that rounds aim at. One or two more Newton steps make coefficients, not only gradients, agree
#: with other software to many digits: that is done where it is cheap, for a lane alone up to this many multiplications
#: (600 MB of matrix).
FINE, COARSE, MUCH_WORK = 1e-3, 0.9, 10_000_000_000

#: The quadratic model is solved to a share of the violation that is about the violation, within these bounds: the step
#: squared is what it neglects. The last time it is solved to this share of what is asked for.
INNER, MOST_INNER, LAST_INNER = 1e-3, 3e-2, 0.3

#: Slopes below this share of the scale are rounding.
LEAST_INNER = 1e-14

#: A step stands where the slope at its end is at most this share of the slope at its beginning, turned around. If the
#: rest of the step is cut, it is to between these shares.
CURVED, LEAST_SHARE, MOST_SHARE = 0.5, 0.1, 0.9

#: Working columns up to which lanes' models are solved one after the other: in threads they would wait for each
#: other's Python (500 x 5,000, up to 800 columns: 1.7 s in either case).
FEW_COLUMNS = 1000

#: Halvings of a step before a lane is left as it is.
HALVINGS = 40

#: Problems with at most this many columns keep all of them in the working set: the check on all columns is then part of
#: every round and nothing has to be gathered.
ALL_COLUMNS = 128

#: With unpenalised columns it is asked whether there is a solution at all where a lane has not settled this many rounds
#: after a training row's |eta| passed FAR_ETA (a probability of 6e-6). Where there is one that far out, Newton's steps
#: settle within a few rounds; where there is none, every one of them moves some row by about one. If the table is too
#: large to ask, the lane counts as separated.
FAR_ETA, FAR_ROUNDS = 12.0, 15

#: With unpenalised columns a lane is at rest when its last Newton step moved no row's eta by more than this, or a row
#: beyond ``FAR_ETA`` by more than this share of eta / ``FAR_ETA``. On separated data every Newton step moves some row
#: by about one, however small the gradient.
SETTLED = 1e-2

#: A lane without a solution comes to rest with rows that are told from the others nearly for certain, or so light that
#: they do not show in a gradient. It is asked whether there is a solution from this |eta| on (a probability of 2.5e-3:
#: steps may come to rest early where columns hardly differ), or below this share of the mean weight.
CERTAIN_ETA, LIGHT = 6.0, 1e-6

#: Rounds without a better violation after which a lane is left at the best there is.
PATIENCE = 8


@dataclass
class _Place:
    """Where all lanes stand: intercepts (L,), coefficients (L, p), predictors (L, n), and the gradient there.

    ``eta`` is never written to: results keep it. ``score`` (L, p) counts for the working columns; for the others it is
    as old as the last check on all columns.
    """

    levels: Array
    coefs: Array
    eta: Array
    level: Array
    score: Array


@dataclass
class _Round:
    """How the lanes of one strength are getting on while it is being solved; ``ahead`` is what was expected of it."""

    lam: float
    terms: list[SeparableTerms]
    violation: Array
    best: Array
    stale: Integers
    settled: Bools
    far: Integers
    rounds: Integers
    ahead: Ahead | None
    aliased: list[tuple[int, ...]] = field(default_factory=list)


@dataclass(frozen=True)
class _Trial:
    """A step of some lanes: models (A,), (A, k) on the working columns, and the sweep there."""

    levels: Array
    coefs: Array
    sweep: Sweep


class Newton:
    """Engine for families that are not quadratic.

    Notes
    -----
    A round costs O(n k L) on k working columns, a Hessian O(n k^2), the full check O(n p L). Memory is three (L, n)
    arrays, the working columns and their moments.
    """

    name = "newton"
    batch = 1

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        objective = problem.objective
        lanes, p = objective.lanes.n_lanes, objective.n_terms
        null = problem.null
        eta = null.intercepts[:, None] + objective.offset
        self._at = _Place(null.intercepts.copy(), np.zeros((lanes, p)), eta, null.level.copy(), null.score.copy())
        self._last = np.inf
        first = np.arange(p) if p <= ALL_COLUMNS else np.flatnonzero(problem.penalty.factors == 0)
        self._lane_models = LaneModels(problem)
        self._minimise = over_lanes(problem, self._lane_models.goal)
        self._working = self._lane_models.working.of(first)
        work = objective.design.shape[0] * p * min(p, ALL_COLUMNS)
        self._aim = FINE if work <= LITTLE_WORK or (lanes == 1 and work <= MUCH_WORK) else COARSE
        usual = float(objective.curvature_weights(0, eta[0]).sum())
        self._models = Models(self._working.objective, problem.parallel_map, fresh=work <= LITTLE_WORK, curvature=usual)
        self._loose = False
        self._endless: dict[int, bool | None] = {}
        self._course, self._few = Course(), has_few_rows(objective.lanes.partition)

    def advance(self, lams: Array, starts: Sequence[RawModel] | None = None) -> list[Iterate]:
        """Solve strength after strength, all lanes together."""
        out = []
        for at, lam in enumerate(map(float, lams)):
            if starts is not None:
                self._move(starts[at])
            else:
                many = self._at.coefs.shape[1] > ALL_COLUMNS
                for station in stations(self._problem, self._at.score, self._last, lam) if many else ():
                    self._solve(station)
            out.append(self._solve(lam))
        return out

    def _move(self, start: RawModel) -> None:
        """Put all lanes at one model."""
        problem = self._problem
        levels, coefs = problem.objective.from_raw(start.intercept, start.coefs)
        there = problem.objective.sweep(levels, coefs, problem.parallel_map)
        self._at = _Place(levels, coefs, there.eta, there.level, there.score)
        self._models.moved()
        self._course.forget()

    # -- one strength ------------------------------------------------------------------------------------------------

    def _solve(self, lam: float) -> Iterate:
        """Solve on the working columns, check on all, let in what is missing, until nothing is."""
        problem, at = self._problem, self._at
        objective = problem.objective
        full = [objective.terms(problem.penalty, lam, lane) for lane in range(objective.lanes.n_lanes)]
        free = any(bool((term.l1 + term.l2 == 0).any()) for term in full)
        self._loose = free
        self._models.begin()
        self._admit(self._candidates(lam, full))
        total, ahead = np.zeros(objective.lanes.n_lanes, dtype=np.intp), self._ahead(lam)
        while True:
            state = self._solve_working(lam, full, ahead)
            total += state.rounds
            violation, missing = self._check(full)
            if not missing.size or total.max(initial=0) >= problem.rules.max_iter:
                break
            self._admit(missing)
            ahead = None
        self._last = lam
        columns, levels, coefs = self._working.columns, at.levels.copy(), at.coefs.copy()
        if not self._few:
            self._course.note(lam, columns, (levels, coefs), (at.level, at.score))
        return Iterate(
            lam=lam,
            intercepts=levels,
            coefs=coefs,
            violation=violation,
            rounds=total,
            status=self._status(violation, state),
            loss=objective.lead_loss(at.eta),
            eta=at.eta,
            aliased=tuple(int(columns[j]) for j in state.aliased[0]) if state.aliased else (),
        )

    def _check(self, full: list[SeparableTerms]) -> tuple[Array, Integers]:
        """Violation of every lane (L,) over all columns, and the columns outside the working set that break it."""
        objective, at, scale = self._problem.objective, self._at, self._problem.null.scale
        if self._working.columns.size < objective.n_terms:
            at.level, at.score = objective.score(at.eta, self._problem.parallel_map)
        distance = np.stack(
            [term.distance(row, score) for term, row, score in zip(full, at.coefs, at.score, strict=True)]
        )
        violation = np.maximum(distance.max(axis=1, initial=0.0), np.abs(at.level)) / scale
        outside = np.ones(objective.n_terms, dtype=bool)
        outside[self._working.columns] = False
        return violation, np.flatnonzero((distance > self._target() * scale[:, None]).any(axis=0) & outside)

    def _status(self, violation: Array, state: _Round) -> tuple[Status, ...]:
        """How each lane ended."""
        out = []
        for lane in range(violation.size):
            ended = state.far[lane] >= FAR_ROUNDS or state.stale[lane] > PATIENCE
            endless = self._loose and self._is_endless(state, lane)
            if endless or (endless is None and not state.settled[lane] and state.far[lane] and ended):
                out.append(Status.SEPARATED)
            elif violation[lane] <= self._problem.rules.tol and (state.settled[lane] or endless is False):
                out.append(Status.CONVERGED)
            else:
                out.append(Status.MAX_ITER)
        return tuple(out)

    def _is_endless(self, state: _Round, lane: int) -> bool | None:
        """Whether a lane has no solution, where its predictors make one ask; None where that is left open.

        The answer holds for all strengths of a walk: the columns that it depends on are the same.
        """
        if lane not in self._endless:
            alone = self._working.objective.keep(np.array([lane]))
            if state.settled[lane] and not _is_far(alone.lanes.weights(0), self._at.eta[lane]):
                return False
            self._endless[lane] = is_endless(alone, state.terms[lane], self._at.eta[lane])
        return self._endless[lane]

    def _candidates(self, lam: float, terms: list[SeparableTerms]) -> Integers:
        """Columns that the sequential strong rule keeps, and those with a coefficient or without L1."""
        at = self._at
        share = kept_share(self._last, lam, 0.0)
        keep = np.zeros(at.coefs.shape[1], dtype=bool)
        for lane, term in enumerate(terms):
            edge = term.l1 * share
            keep |= (np.abs(at.score[lane]) >= edge) | (at.coefs[lane] != 0)
        return np.flatnonzero(keep)

    def _admit(self, columns: Integers) -> None:
        """Let columns into the working set, and others out when most of it is idle."""
        objective, old = self._problem.objective, self._working
        fresh = np.setdiff1d(columns, old.columns)
        if not fresh.size:
            return
        used = (self._at.coefs != 0).any(axis=0)
        wanted = np.zeros(objective.n_terms, dtype=bool)
        wanted[columns] = True
        kept = np.arange(old.columns.size)
        if old.columns.size > 2 * (np.count_nonzero(wanted | used) + ALL_COLUMNS):
            kept = np.flatnonzero((wanted | used)[old.columns])
        order, grown = np.concatenate([old.columns[kept], fresh]), kept.size == old.columns.size
        if order.size > MOST_GATHERED * objective.n_terms:
            order, grown = np.arange(objective.n_terms), False
        self._working = self._lane_models.working.of(order)
        if grown:
            self._models.grown(self._working.objective)
        else:
            self._models.reset(self._working.objective)

    # -- the working columns -----------------------------------------------------------------------------------------

    def _ahead(self, lam: float) -> Ahead | None:
        """What to expect of a strength. Where rows are few, coefficients come and go, and it does not pay."""
        return None if self._few or self._loose else self._course.ahead(lam)

    def _solve_working(self, lam: float, full: list[SeparableTerms], ahead: Ahead | None) -> _Round:
        """Newton rounds on the working columns until every lane is done."""
        lanes = self._at.levels.size
        state = _Round(
            lam=lam,
            terms=[term.take(self._working.columns) for term in full],
            violation=np.full(lanes, np.inf),
            best=np.full(lanes, np.inf),
            stale=np.zeros(lanes, dtype=np.intp),
            settled=np.array([not self._loose or self._endless.get(lane) is False for lane in range(lanes)]),
            far=np.zeros(lanes, dtype=np.intp),
            rounds=np.zeros(lanes, dtype=np.intp),
            ahead=ahead,
            aliased=[()] * lanes,
        )
        going = np.array([lane for lane in range(lanes) if not self._endless.get(lane)], dtype=np.intp)
        count = self._models.in_flight
        for first in range(0, going.size, count):
            alive = self._still_alive(state, going[first : first + count])
            while alive.size and state.rounds[alive].max() < self._problem.rules.max_iter:
                self._step(state, alive)
                state.rounds[alive] += 1
                alive = self._still_alive(state, alive)
            if count < going.size:
                self._models.let_go(going[first : first + count])
        return state

    def _still_alive(self, state: _Round, alive: Integers) -> Integers:
        """Measure every lane; leave out those that are done and those that no longer get better."""
        at, columns, scale, target = self._at, self._working.columns, self._problem.null.scale, self._target()
        going = np.zeros(alive.size, dtype=bool)
        for which, lane in enumerate(alive):
            distance = state.terms[lane].distance(at.coefs[lane, columns], at.score[lane, columns])
            distance[list(state.aliased[lane])] = 0.0
            violation = max(float(distance.max(initial=0.0)), abs(float(at.level[lane]))) / scale[lane]
            before = state.violation[lane]
            if np.isfinite(before) and violation > target:
                self._models.pace(int(lane), _rounds_left(violation / before, target / violation))
            state.violation[lane] = violation
            state.stale[lane] = 0 if violation < 0.9 * state.best[lane] else state.stale[lane] + 1
            state.best[lane] = min(state.best[lane], violation)
            done = violation <= target and state.settled[lane]
            apart = self._endless.get(int(lane)) or state.far[lane] >= FAR_ROUNDS
            going[which] = not done and not apart and state.stale[lane] <= PATIENCE
        return alive[going]

    def _target(self) -> float:
        """Violation to reach on the working columns: less than is asked for on all, much less where it is cheap."""
        return self._aim * self._problem.rules.tol

    def _step(self, state: _Round, alive: Integers) -> None:
        """One proximal Newton step of every lane that is not done, each with its own step length."""
        at, columns = self._at, self._working.columns
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = np.abs(at.score[np.ix_(alive, columns)]) / np.stack([state.terms[lane].l1 for lane in alive])
        reach[(at.coefs[np.ix_(alive, columns)] != 0) | np.isnan(reach)] = np.inf
        self._lane_models.let_go(~self._models.kept)  # before there is memory for others
        self._models.prepare(alive, reach, at.eta)
        goals = self._goals(state, alive, reach)
        for lane, goal in zip(alive, goals, strict=True):
            state.aliased[lane] = goal.aliased
        levels, coefs = np.array([goal.coefs[0] for goal in goals]), np.stack([goal.coefs[1:] for goal in goals])
        trial = self._search(state, alive, levels, coefs)
        for which, lane in enumerate(alive):
            settled = not self._loose or self._settles(state, int(lane), trial.sweep.eta[which])
            state.settled[lane] = settled
            at.levels[lane], at.coefs[lane, columns] = trial.levels[which], trial.coefs[which]
            at.level[lane], at.score[lane, columns] = trial.sweep.level[which], trial.sweep.score[which]
        eta = trial.sweep.eta
        if alive.size < at.levels.size:
            eta = at.eta.copy()
            eta[alive] = trial.sweep.eta
        at.eta = eta

    def _settles(self, state: _Round, lane: int, eta: Array) -> bool:
        """Whether a lane that a step takes to some predictors is at rest, or known to come to rest; ask if in doubt."""
        if self._endless.get(lane) is False:
            return True
        rows = self._problem.objective.lanes.weights(lane) > 0
        size, moved = np.abs(eta[rows]), np.abs(eta[rows] - self._at.eta[lane][rows])
        if np.all(moved <= SETTLED * np.maximum(1.0, size / FAR_ETA)):
            state.far[lane] = 0
            return True
        state.far[lane] = state.far[lane] + 1 if size.max(initial=0.0) > FAR_ETA else 0
        if state.far[lane] < FAR_ROUNDS or self._is_endless(state, lane) is not False:
            return False
        state.far[lane] = 0  # it is on its way
        return True

    def _goals(self, state: _Round, alive: Integers, reach: Array) -> list[Goal]:
        """Where lanes' models are least; those without a matrix wait for each other, where that is worth it.

        How a lane stands is put together when its turn comes: with it may come the Hessian that takes the place of its
        last one.
        """
        light, free = reach.shape[1] <= FEW_COLUMNS, self._models.too_large[alive]
        if np.count_nonzero(free) < 2 or not self._problem.objective.design.joins:
            return self._minimise(self._stands(state, alive, reach), light=light)
        waiting = self._lane_models.goals([*self._stands(state, alive[free], reach[free])])
        others = self._minimise(self._stands(state, alive[~free], reach[~free]), light=light)
        found = dict(zip([*alive[free], *alive[~free]], [*waiting, *others], strict=True))
        return [found[lane] for lane in alive]

    def _stands(self, state: _Round, lanes: Integers, reach: Array) -> Iterator[tuple[int, Stand]]:
        """How some lanes stand, one by one."""
        for lane, row in zip(lanes.tolist(), reach, strict=True):
            yield lane, self._stand(state, lane, row)

    def _stand(self, state: _Round, lane: int, reach: Array) -> Stand:
        """How a lane stands before a round, and what its model is made of."""
        at, columns = self._at, self._working.columns
        outlook = None
        if state.ahead is not None and not state.rounds[lane]:
            outlook = state.ahead.of(lane, columns)
        return Stand(
            columns,
            (float(at.levels[lane]), at.coefs[lane, columns]),
            (float(at.level[lane]), at.score[lane, columns]),
            state.terms[lane],
            reach,
            self._inner(state, lane),
            outlook,
            self._models.source(lane, at.eta[lane]),
        )

    def _inner(self, state: _Round, lane: int) -> float:
        """Slope to which the quadratic model of a lane is solved: by then the model itself is off by more."""
        violation = min(float(state.violation[lane]), 1.0)
        share = min(max(violation, INNER), MOST_INNER)
        least = max(LAST_INNER * self._target(), LEAST_INNER)
        return max(share * violation, least) * float(self._problem.null.scale[lane])

    def _search(self, state: _Round, alive: Integers, levels: Array, coefs: Array) -> _Trial:
        """Go towards the goals as far as the objective does not turn up again much, every lane for itself.

        Along a step the objective is convex. Its slope at the end is known from the sweep that the next round needs
        anyway: where it is small or still falls the step stands, else it ends where a straight line puts the slope's
        zero.
        """
        objective, at, columns = self._working.objective, self._at, self._working.columns
        parallel_map = self._problem.parallel_map
        sweep = objective.keep(alive).sweep(levels, coefs, parallel_map)
        here = at.coefs[np.ix_(alive, columns)]
        step = Step(levels - at.levels[alive], coefs - here, [state.terms[lane] for lane in alive])
        before = step.slopes(np.arange(alive.size), at.level[alive], at.score[np.ix_(alive, columns)], here, 1.0)
        length, index = np.ones(alive.size), np.arange(alive.size)
        for _ in range(HALVINGS):
            after = step.slopes(index, sweep.level[index], sweep.score[index], coefs[index], -1.0)
            for which, slope in zip(index, after, strict=True):
                if length[which] == 1.0 and before[which] < 0 and np.isfinite(slope):
                    self._models.adjust(int(alive[which]), 1.0 - slope / before[which])
            beyond = ~(after <= CURVED * np.abs(before[index]))  # nan too
            index, after = index[beyond], after[beyond]
            if not index.size:
                break
            with np.errstate(invalid="ignore", divide="ignore"):
                share = np.nan_to_num(before[index] / (before[index] - after), nan=0.0)
            length[index] *= np.clip(share, LEAST_SHARE, MOST_SHARE)
            levels[index] = at.levels[alive[index]] + length[index] * step.rise[index]
            coefs[index] = here[index] + length[index, None] * step.move[index]
            again = objective.keep(alive[index]).sweep(levels[index], coefs[index], parallel_map)
            sweep.eta[index], sweep.level[index], sweep.score[index] = again.eta, again.level, again.score
        else:
            lanes = alive[index]
            levels[index], coefs[index] = at.levels[lanes], here[index]
            sweep.eta[index], sweep.level[index] = at.eta[lanes], at.level[lanes]
            sweep.score[index] = at.score[np.ix_(lanes, columns)]
        return _Trial(levels, coefs, sweep)


def _is_far(weights: Array, eta: Array) -> bool:
    """Whether some training row has a predictor, or so little weight, as rows have where there is no solution."""
    used = weights > 0
    return bool(np.abs(eta[used]).max() > CERTAIN_ETA or weights[used].min() < LIGHT * weights[used].mean())


def _rounds_left(ratio: float, rest: float) -> float:
    """Rounds that a lane whose violation fell to ``ratio`` would take for the ``rest`` of the way at that pace."""
    if ratio >= 1:
        return np.inf
    return float(np.log(rest) / np.log(ratio)) if ratio > CONTRACTION else 0.0
