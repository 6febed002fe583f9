"""The walk: one driver over the strengths for fit, path and cross-validation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from regcli.errors import FitError
from regcli.problem.objective import Objective
from regcli.problem.protocols import Array, Family
from regcli.problem.tally import Counts
from regcli.results import Iterate, Status, Stopped
from regcli.solvers.certificate import measured
from regcli.solvers.choose import choose_engine, objection
from regcli.solvers.engine import Engine, Problem, RawModel
from regcli.solvers.general import general_engine
from regcli.solvers.orthogonal import turned, with_digits

__all__ = ["Grid", "Walk", "follow", "geometric_grid", "lambda_max", "polished"]

#: glmnet's ``mnlam``: a generated path has at least this many strengths.
LEAST_STRENGTHS = 5

#: glmnet's ``devmax``: a generated path ends when this share of the null deviance is explained.
MOST_EXPLAINED = 0.999


@dataclass(frozen=True)
class Grid:
    """Decreasing strengths (T,), and whether the path may end before the last of them.

    ``generated`` grids end as glmnet's do; strengths given by hand are all walked. ``by_gain`` is off when a limit is
    zero, as in glmnet.
    """

    lambdas: Array
    generated: bool
    by_gain: bool = True


def geometric_grid(top: float, count: int, ratio: float) -> Array:
    """Top ratio^(k/(count - 1)), k = 0 .. count - 1."""
    if count == 1:
        return np.array([top])
    return top * ratio ** (np.arange(count) / (count - 1))


def lambda_max(problem: Problem) -> float:
    """The smallest strength at which every penalised coefficient of lane 0 is zero; 0.0 if nothing is penalised.

    Measured at the model of intercept, offset and all columns that are never penalised.

    Raises
    ------
    FitError
        ``not-converged``: that model was not found.
    """
    objective, penalty = problem.objective.keep(np.array([0])), problem.penalty
    free = problem.standing[penalty.factors[problem.standing] == 0]
    score = problem.null.score[:1]
    if free.size:
        part, rest = objective.restrict(free), penalty.restrict(free)
        alone = replace(problem, objective=part, penalty=rest, null=part.null(), depends=())
        other = turned(alone)
        alone = alone if other is None else other.problem
        step = measured(alone, _unpenalised(alone))
        if step.status[0] is Status.MAX_ITER:
            text = "the model of the columns that are never penalised, where a path begins, did not converge"
            hint = "penalise them, or --drop one of those that go together; regcli inspect names pairs that do"
            raise FitError("not-converged", text, hint=hint)
        _, score = objective.score(alone.objective.eta(step.intercepts, step.coefs))
    live = objective.lanes.varies[0]
    return penalty.lambda_max(np.where(live, score[0], 0.0), objective.lanes.unit[0])


def follow(
    problem: Problem, lambdas: Array, engines: list[str], starts: Sequence[RawModel] | None = None
) -> Iterator[Iterate]:
    """All lanes of a problem at decreasing strengths, each measured; engines add their names to ``engines``.

    Strength 0 has an engine of its own where one exists. ``starts`` are models near to the solutions, one a strength.
    """
    positive = lambdas[lambdas > 0]
    if positive.size:
        engine = _engine(problem, float(positive[0]), engines)
        for start in range(0, positive.size, engine.batch):
            stop = start + engine.batch
            for solved in engine.advance(positive[start:stop], None if starts is None else starts[start:stop]):
                yield measured(problem, solved)
    if positive.size < lambdas.size:
        if positive.size and objection(problem, 0.0) is not None:
            problem = replace(problem, rules=replace(problem.rules, solver="auto"))
        near = None if starts is None else starts[-1:]
        step = measured(problem, _engine(problem, 0.0, engines).advance(np.zeros(1), near)[0])
        # At the end of a list it is one of many: where it has no good answer, there are others.
        yield step if positive.size else with_digits(problem, step, _unpenalised)


def _unpenalised(problem: Problem) -> Iterate:
    """The answer at strength 0, by the engine that solves anything."""
    return general_engine(problem).advance(np.zeros(1))[0]


def _engine(problem: Problem, lam: float, engines: list[str]) -> Engine:
    """The engine from a strength on."""
    engine = choose_engine(problem, lam)
    engines.append(engine.name)
    return engine


def polished(problem: Problem, step: Iterate) -> Iterate:
    """An iterate whose first lane is solved further, where that is cheap: what is reported has more digits than asked.

    Engines whose answers are exact leave nothing to do.
    """
    objective = problem.objective
    if objective.family.quadratic or objective.lanes.n_lanes == 1 or not step.status[0].usable:
        return step
    alone = problem.lane(0)
    solved = general_engine(alone).advance(np.array([step.lam]), [problem.raw(step, 0)])[0]
    if not solved.violation[0] < step.violation[0]:
        return step
    return step.with_lane(0, solved)


class Walk:
    """All lanes along a grid, one iterate a strength.

    ``stopped`` says whether and why it ended early, ``without_zero`` that strength 0 ended a list but has no answer,
    because the classes are separated.

    Parameters
    ----------
    problem : Problem
        Objective with its lanes, penalty, null model and rules.
    grid : Grid
        Strengths.
    """

    def __init__(self, problem: Problem, grid: Grid) -> None:
        self._problem = replace(problem, rules=replace(problem.rules, whole=not grid.generated))
        self._grid = grid
        objective = problem.objective
        saturated = float(objective.lanes.weights(0) @ objective.family.saturated_loss(objective.y))
        self._whole = float(problem.null.loss[0]) - saturated
        self.stopped: Stopped | None = None
        self.ratios: list[float] = []
        self.engines: list[str] = []
        self.rounds = 0
        self.without_zero = False

    def __iter__(self) -> Iterator[Iterate]:
        """Solve batch after batch, until the grid or the path ends."""
        lambdas = self._grid.lambdas
        for step in follow(self._problem, lambdas, self.engines):
            if step.lam == 0 and lambdas.size > 1 and step.status[0] is Status.SEPARATED:
                self.without_zero = True
                return
            ends = self._ends(step)
            yield step
            if ends:
                return

    @property
    def family(self) -> Family:
        """The family that is fitted."""
        return self._problem.objective.family

    def account(self, before: Counts | None = None) -> str:
        """One line for -v: engines, lanes, strengths, rounds, and the work that was not done ``before``."""
        objective = self._problem.objective
        done = objective.tally.counts - (before or Counts())
        begun = f"engine {', '.join(self.engines)}: {objective.lanes.n_lanes} lanes, {len(self.ratios)} strengths"
        return f"{begun}, {self.rounds} rounds; {done.told(objective.design.cells)}"

    def _ends(self, step: Iterate) -> bool:
        """Record what lane 0 explains, and whether glmnet's rules end the path here."""
        self.rounds += int(step.rounds.sum())
        objective: Objective = self._problem.objective
        less = float(self._problem.null.loss[0]) - step.loss
        gained = less / self._whole if self._whole > 0 else 0.0
        self.ratios.append(gained if step.coefs[0].any() else 0.0)  # no rounding noise at the null model
        count, of = len(self.ratios), self._grid.lambdas.size
        if not self._grid.generated or count < min(LEAST_STRENGTHS, of) or count == of:
            return False
        reason = None
        if self.ratios[-1] > MOST_EXPLAINED:
            reason = "deviance"
        elif self._grid.by_gain and count > 1 and objective.family.gain_is_small(self.ratios):
            reason = "deviance_change"
        if reason is None:
            return False
        self.stopped = Stopped(reason, count - 1, of)
        return True
