"""Any smooth family, any storage: proximal Newton over all lanes in lockstep, on a working set of columns.

A strength is solved on the working columns and then checked on all of them with one product X'R for all lanes;
columns that break the optimality conditions join and the strength is solved again. For the gaussian family the model is
exact and one round does it (this is then the ``lockstep`` engine); otherwise each round's step is safeguarded by a line
search.

References
----------
.. [1] Lee, Sun, Saunders (2014), "Proximal Newton-type methods for minimizing composite functions", SIAM J. Optim.
   24(3). doi:10.1137/130921428 (the descent measure and the line search).
.. [2] Tibshirani et al. (2012), "Strong rules for discarding predictors in lasso-type problems", J. R. Stat. Soc. B
   74(2). doi:10.1111/j.1467-9868.2011.01004.x (which columns to begin with).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from regcli.problem.objective import Objective
from regcli.problem.protocols import Array, Bools, Integers, SeparableTerms
from regcli.results import Iterate, Status
from regcli.solvers.engine import Problem, Start
from regcli.solvers.models import CurvatureModels, ExactModels, Models

__all__ = ["Newton"]

#: A lane whose violation does not fall to this share of itself in a round gets a Hessian built where it stands. Rounds
#: and work are least between 0.05 and 0.2 (20,000 x 100 and 500 x 2,000); at 0.5 the latter takes half as much again.
CONTRACTION = 0.2

#: Below this many multiplications a Hessian costs less than the rounds it saves, and every lane builds its own.
LITTLE_WORK = 10_000_000

#: Shares of the tolerance that rounds aim at. One or two more Newton steps make coefficients, not only gradients, agree
#: with other software to many digits; above this many multiplications (600 MB of matrix) it is left to --tol.
FINE, COARSE, MUCH_WORK = 1e-3, 0.5, 10_000_000_000

#: Columns whose score reaches this share of their L1 weight are part of a lane's model.
NEAR = 0.8

#: Share of the violation to which the quadratic model is solved.
INNER = 1e-3

#: Slopes below this share of the scale are rounding.
LEAST_INNER = 1e-14

#: Armijo's constant, and the relative rounding error of an objective value that is forgiven.
ARMIJO, ROUNDING = 1e-4, 1e-14

#: Halvings of a step before a lane is left as it is.
HALVINGS = 40

#: Problems with at most this many columns keep all of them in the working set: the check on all columns is then part of
#: every round and nothing has to be gathered.
ALL_COLUMNS = 128

#: Largest step between strengths, as a ratio: the strong rule keeps columns with at least 3/4 of their L1 weight then,
#: and all of them from 1/2 on.
STRIDE = 0.8

#: With unpenalised columns, a lane that has not settled this many rounds after a training row's |eta| passed FAR_ETA
#: (a probability of 6e-6) counts as separated. Where there is a solution that far out, Newton's steps settle within a
#: few rounds; where there is none, every one of them moves some row by about one.
FAR_ETA, FAR_ROUNDS = 12.0, 15

#: With unpenalised columns a lane has only converged when its last Newton step moved no row's eta by more than this, or
#: a row beyond ``FAR_ETA`` by more than this share of eta / ``FAR_ETA``. On separated data every Newton step moves some
#: row by about one, however small the gradient.
SETTLED = 1e-2

#: Rounds without a better violation after which a lane is left at the best there is.
PATIENCE = 8


@dataclass
class _Working:
    """Columns in order of entry, and the objective restricted to them."""

    columns: Integers
    objective: Objective


@dataclass
class _Round:
    """Where the lanes of one strength stand while it is being solved."""

    lam: float
    terms: list[SeparableTerms]
    eta: Array
    value: Array
    violation: Array
    best: Array
    stale: Integers
    settled: Bools
    far: Integers
    rounds: Integers
    aliased: list[tuple[int, ...]] = field(default_factory=list)


class Newton:
    """Engine for every family; the only one for those that are not quadratic.

    Notes
    -----
    A round costs O(n k L) on k working columns, a Hessian O(n k^2), the full check O(n p L). Memory is four (L, n)
    arrays, the working columns and their moments.
    """

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        objective = problem.objective
        self.name = "lockstep" if objective.family.quadratic else "newton"
        lanes, p = objective.lanes.n_lanes, objective.n_terms
        self._levels = problem.null.intercepts.copy()
        self._coefs = np.zeros((lanes, p))
        eta = objective.eta(self._levels, self._coefs)
        self._score = objective.score(eta)[1]
        self._last = np.inf
        first = np.arange(p) if p <= ALL_COLUMNS else np.flatnonzero(problem.penalty.factors == 0)
        self._working = _Working(first, objective.restrict(first))
        work = objective.design.shape[0] * p * min(p, ALL_COLUMNS)
        self._aim = FINE if objective.family.quadratic or work <= MUCH_WORK else COARSE
        begun = self._working.objective
        self._models: Models = (
            ExactModels(begun) if objective.family.quadratic else CurvatureModels(begun, fresh=work <= LITTLE_WORK)
        )
        self._loose = False

    def advance(self, lams: Array, starts: Sequence[Start] | None = None) -> list[Iterate]:
        """Solve strength after strength, all lanes together."""
        out = []
        for at, lam in enumerate(map(float, lams)):
            if starts is not None:
                self._levels, self._coefs = self._problem.objective.from_raw(starts[at].intercept, starts[at].coefs)
                self._models.moved()
            else:
                for station in self._stations(lam):
                    self._solve(station)
            out.append(self._solve(lam))
        return out

    def _stations(self, lam: float) -> Array:
        """Strengths to pass through where the next one is far: without them most columns would look needed at once."""
        penalty, unit = self._problem.penalty, self._problem.objective.lanes.unit
        if lam <= 0 or penalty.l1_ratio == 0 or self._coefs.shape[1] <= ALL_COLUMNS:
            return np.zeros(0)
        tops = [penalty.lambda_max(score, own) for score, own in zip(self._score, unit, strict=True)]
        start = self._last if np.isfinite(self._last) else max(tops)
        count = int(np.log(lam / start) / np.log(STRIDE)) if lam < start else 0
        return np.asarray(start * STRIDE ** np.arange(1, count), dtype=np.float64)

    # -- one strength ------------------------------------------------------------------------------------------------

    def _solve(self, lam: float) -> Iterate:
        """Solve on the working columns, check on all, let in what is missing, until nothing is."""
        problem = self._problem
        objective, scale = problem.objective, problem.null.scale
        full = [objective.terms(problem.penalty, lam, lane) for lane in range(objective.lanes.n_lanes)]
        free = any(bool((term.l1 + term.l2 == 0).any()) for term in full)
        self._loose = free and not objective.family.quadratic
        self._models.begin(loose=self._loose)
        self._admit(self._candidates(lam, full))
        total = np.zeros(objective.lanes.n_lanes, dtype=np.intp)
        while True:
            state = self._solve_working(lam, full)
            total += state.rounds
            level, self._score = objective.score(state.eta)
            distance = np.stack(
                [term.distance(row, score) for term, row, score in zip(full, self._coefs, self._score, strict=True)]
            )
            distance *= ~self._set_aside(state)
            violation = np.maximum(distance.max(axis=1, initial=0.0), np.abs(level)) / scale
            outside = np.ones(objective.n_terms, dtype=bool)
            outside[self._working.columns] = False
            allowed = self._target() * scale[:, None]
            missing = np.flatnonzero((distance > allowed).any(axis=0) & outside)
            if not missing.size or total.max(initial=0) >= problem.rules.max_iter:
                break
            self._admit(missing)
        self._last = lam
        columns = self._working.columns
        return Iterate(
            lam=lam,
            intercepts=self._levels.copy(),
            coefs=self._coefs.copy(),
            violation=violation,
            rounds=total,
            status=self._status(violation, state),
            loss=objective.loss(state.eta),
            eta=state.eta,
            aliased=tuple(int(columns[j]) for j in state.aliased[0]) if state.aliased else (),
        )

    def _set_aside(self, state: _Round) -> Bools:
        """Mark dependent unpenalised columns: their score vanishes with that of the others."""
        marked = np.zeros(self._coefs.shape, dtype=bool)
        for lane, columns in enumerate(state.aliased):
            marked[lane, self._working.columns[list(columns)]] = True
        return marked

    def _status(self, violation: Array, state: _Round) -> tuple[Status, ...]:
        """How each lane ended."""
        out = []
        for lane in range(violation.size):
            ended = state.far[lane] >= FAR_ROUNDS or state.stale[lane] > PATIENCE
            if not state.settled[lane] and state.far[lane] and ended:
                out.append(Status.SEPARATED)
            elif violation[lane] <= self._problem.rules.tol and (state.settled[lane] or not self._loose):
                out.append(Status.CONVERGED)
            else:
                out.append(Status.MAX_ITER)
        return tuple(out)

    def _candidates(self, lam: float, terms: list[SeparableTerms]) -> Integers:
        """Columns that the sequential strong rule keeps, and those with a coefficient or without L1."""
        back = self._last / lam if np.isfinite(self._last) and lam > 0 else 1.0
        keep = np.zeros(self._coefs.shape[1], dtype=bool)
        for lane, term in enumerate(terms):
            edge = term.l1 * max(2.0 - back, 0.0)
            keep |= (np.abs(self._score[lane]) >= edge) | (self._coefs[lane] != 0)
        return np.flatnonzero(keep)

    def _admit(self, columns: Integers) -> None:
        """Let columns into the working set, and others out when most of it is idle."""
        objective, old = self._problem.objective, self._working
        fresh = np.setdiff1d(columns, old.columns)
        if not fresh.size:
            return
        used = (self._coefs != 0).any(axis=0)
        wanted = np.zeros(objective.n_terms, dtype=bool)
        wanted[columns] = True
        kept = np.arange(old.columns.size)
        if old.columns.size > 2 * (np.count_nonzero(wanted | used) + ALL_COLUMNS):
            kept = np.flatnonzero((wanted | used)[old.columns])
        order = np.concatenate([old.columns[kept], fresh])
        self._working = _Working(order, objective.restrict(order))
        if kept.size == old.columns.size:
            self._models.grown(self._working.objective)
        else:
            self._models.reset(self._working.objective)

    # -- the working columns -----------------------------------------------------------------------------------------

    def _solve_working(self, lam: float, full: list[SeparableTerms]) -> _Round:
        """Newton rounds on the working columns until every lane is done."""
        problem, columns, objective = self._problem, self._working.columns, self._working.objective
        quadratic = objective.family.quadratic  # its steps need no search, and so no value
        lanes = objective.lanes.n_lanes
        eta = objective.eta(self._levels, self._coefs[:, columns])
        terms = [term.take(columns) for term in full]
        state = _Round(
            lam=lam,
            terms=terms,
            eta=eta,
            value=np.zeros(lanes) if quadratic else objective.loss(eta) + self._penalties(terms),
            violation=np.full(lanes, np.inf),
            best=np.full(lanes, np.inf),
            stale=np.zeros(lanes, dtype=np.intp),
            settled=np.full(lanes, not self._loose),
            far=np.zeros(lanes, dtype=np.intp),
            rounds=np.zeros(lanes, dtype=np.intp),
            aliased=[()] * lanes,
        )
        alive = np.arange(lanes)
        while alive.size:
            level, score = objective.keep(alive).score(state.eta[alive])
            alive, level, score = self._still_alive(state, alive, level, score)
            if not alive.size or state.rounds.max() >= problem.rules.max_iter:
                break
            self._step(state, alive, level, score)
            state.rounds[alive] += 1
        return state

    def _still_alive(self, state: _Round, alive: Integers, level: Array, score: Array) -> tuple[Integers, Array, Array]:
        """Measure every lane; leave out those that are done and those that no longer get better."""
        columns, scale = self._working.columns, self._problem.null.scale
        going = np.zeros(alive.size, dtype=bool)
        for at, lane in enumerate(alive):
            distance = state.terms[lane].distance(self._coefs[lane, columns], score[at])
            distance[list(state.aliased[lane])] = 0.0
            violation = max(float(distance.max(initial=0.0)), abs(float(level[at]))) / scale[lane]
            if violation > CONTRACTION * state.violation[lane]:
                self._models.slow(int(lane))
            state.violation[lane] = violation
            state.stale[lane] = 0 if violation < 0.9 * state.best[lane] else state.stale[lane] + 1
            state.best[lane] = min(state.best[lane], violation)
            done = violation <= self._target() and state.settled[lane]
            apart = state.far[lane] >= FAR_ROUNDS
            going[at] = not done and not apart and state.stale[lane] <= PATIENCE
        return alive[going], level[going], score[going]

    def _target(self) -> float:
        """Violation to reach on the working columns: less than is asked for on all, much less where it is cheap."""
        return self._aim * self._problem.rules.tol

    def _penalties(self, terms: list[SeparableTerms]) -> Array:
        """Penalty of every lane."""
        columns = self._working.columns
        return np.array([term.value(row[columns]) for term, row in zip(terms, self._coefs, strict=True)])

    def _step(self, state: _Round, alive: Integers, level: Array, score: Array) -> None:
        """One proximal Newton step of every lane that is not done, each with its own step length."""
        problem, objective, columns = self._problem, self._working.objective, self._working.columns
        self._models.prepare(alive, state.eta)
        goals = problem.parallel_map(
            lambda at: self._goal(state, int(alive[at]), float(level[at]), score[at]), range(alive.size)
        )
        rise = np.array([goal[0] for goal in goals]) - self._levels[alive]
        move = np.stack([goal[1:] for goal in goals]) - self._coefs[np.ix_(alive, columns)]
        part = objective.keep(alive)
        slope = part.slope(rise, move)
        length = np.ones(alive.size)
        if not objective.family.quadratic:
            length, state.value[alive] = self._search(state, alive, (level, score), (rise, move), slope)
        exact = length == 1.0
        for at, lane in enumerate(alive):
            if exact[at]:
                self._levels[lane], self._coefs[lane, columns] = goals[at][0], goals[at][1:]
            else:
                self._levels[lane] += length[at] * rise[at]
                self._coefs[lane, columns] += length[at] * move[at]
            state.eta[lane] += length[at] * slope[at]
            if self._loose:
                rows = objective.lanes.weights(int(lane)) > 0
                size, moved = np.abs(state.eta[lane][rows]), length[at] * np.abs(slope[at][rows])
                state.settled[lane] = bool(np.all(moved <= SETTLED * np.maximum(1.0, size / FAR_ETA)))
                beyond = not state.settled[lane] and size.max(initial=0.0) > FAR_ETA
                state.far[lane] = state.far[lane] + 1 if beyond else 0

    def _goal(self, state: _Round, lane: int, level: float, score: Array) -> Array:
        """Minimiser of the quadratic model of one lane: intercept first, then the working columns.

        The model is built on the columns near to taking part; one that is missed shows in the next round's violation.
        """
        objective, own = self._working.objective, self._coefs[lane, self._working.columns]
        terms = state.terms[lane]
        near = np.flatnonzero((own != 0) | (np.abs(score) >= NEAR * terms.l1))
        model = self._models.model(lane, near, state.eta[lane])
        columns = model.columns
        now = np.concatenate([[self._levels[lane]], own[columns]])
        linear = np.concatenate([[level], score[columns]]) + model.hessian @ now
        free = np.inf if objective.intercept else 0.0
        part = terms.take(columns)
        widened = SeparableTerms(
            np.concatenate([[0.0], part.l1]),
            np.concatenate([[0.0], part.l2]),
            np.concatenate([[-free], part.lower]),
            np.concatenate([[free], part.upper]),
        )
        tol = max(INNER * min(state.violation[lane], 1.0), LEAST_INNER) * self._problem.null.scale[lane]
        solution = model.kernel.solve(linear, widened, now, float(tol))
        state.aliased[lane] = tuple(int(columns[j - 1]) for j in solution.aliased if j > 0)
        goal = np.concatenate([solution.coefs[:1], own])
        goal[1 + columns] = solution.coefs[1:]
        return goal

    def _search(
        self,
        state: _Round,
        alive: Integers,
        gradient: tuple[Array, Array],
        step: tuple[Array, Array],
        slope: Array,
    ) -> tuple[Array, Array]:
        """Armijo step length of every lane, and the value it reaches; trial steps are elementwise."""
        objective, columns = self._working.objective, self._working.columns
        (level, score), (rise, move) = gradient, step
        length, values = np.ones(alive.size), state.value[alive].copy()
        open_ = np.ones(alive.size, dtype=bool)
        promise = np.array(
            [
                -level[at] * rise[at]
                - score[at] @ move[at]
                + state.terms[lane].value(self._coefs[lane, columns] + move[at])
                - state.terms[lane].value(self._coefs[lane, columns])
                for at, lane in enumerate(alive)
            ]
        )
        for _ in range(HALVINGS):
            index = np.flatnonzero(open_)
            trial = state.eta[alive[index]] + length[index, None] * slope[index]
            loss = objective.keep(alive[index]).loss(trial)
            for at, value in zip(index, loss, strict=True):
                lane = alive[at]
                reached = value + state.terms[lane].value(self._coefs[lane, columns] + length[at] * move[at])
                allowed = state.value[lane] + ARMIJO * length[at] * promise[at] + ROUNDING * abs(state.value[lane])
                open_[at] = not reached <= allowed
                if not open_[at]:
                    values[at] = reached
            if not open_.any():
                break
            length[open_] *= 0.5
        length[open_] = 0.0
        return length, values
