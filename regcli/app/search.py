"""The search for a model: walk the strengths of every share of L1, score the folds on the way, choose."""

from dataclasses import dataclass, replace

import numpy as np

from regcli.app.context import RunContext
from regcli.app.dependent import WAY_OUT, nearly_told
from regcli.app.ending import falls_again, may_end, turned
from regcli.app.path import begin, cut_short, refuse_separated, warn_time
from regcli.app.prepare import Prepared
from regcli.app.scoring import FoldScores, scored_by_row
from regcli.app.setup import Ground
from regcli.app.specify import Asked
from regcli.errors import FitError, ResourceError, Warn, counted
from regcli.problem.folds import Splits
from regcli.problem.metrics import BETTER_HIGH, THRESHOLD
from regcli.problem.protocols import Bools
from regcli.problem.tally import Counts
from regcli.results import Criterion, Curve, Iterate, Status, Stopped
from regcli.solvers.engine import Problem
from regcli.solvers.information import CRITERIA, criterion
from regcli.solvers.path import Grid, Walk, follow

__all__ = ["Found", "Plan", "search"]


@dataclass(frozen=True)
class Plan:
    """What is asked for, held against the data: the penalty, how rows are held out and scored, the rule of choice.

    ``splits`` are those of the whole fit alone where nothing is held out.
    """

    asked: Asked
    prepared: Prepared
    rule: str
    metric: str
    threshold: float | None
    splits: Splits
    full_path: bool
    warnings: tuple[Warn, ...]

    @property
    def cut(self) -> float:
        """The probability from which a row is called positive."""
        return THRESHOLD if self.threshold is None else self.threshold

    @property
    def by_criterion(self) -> bool:
        """Whether an information criterion chooses."""
        return self.rule in CRITERIA

    @property
    def by_folds(self) -> bool:
        """Whether the folds choose."""
        return self.asked.several and not self.by_criterion

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the terms."""
        return tuple(term.name for term in self.prepared.encoder.terms)


@dataclass(frozen=True)
class Found:
    """A finished walk, and the index ``at`` of the strength that is reported.

    ``steps`` are of the first partition, without their predictors; ``converged`` (T,) says whether all lanes of further
    partitions did. ``grid`` has the curve of every share of L1 in the order given.
    """

    asked: Asked
    problem: Problem
    walk: Walk
    steps: list[Iterate]
    scores: FoldScores | None
    curve: Curve | None
    criterion: Criterion | None
    stopped: Stopped | None
    top: float | None
    warnings: tuple[Warn, ...]
    converged: Bools
    at: int
    grid: tuple[tuple[float | None, Curve], ...] = ()

    @property
    def cost(self) -> float:
        """What the choice between shares of L1 is made by, less being better; inf where nothing may be chosen."""
        if self.criterion is not None:
            best = self.criterion.index
            return float(self.criterion.values[best]) if best is not None else np.inf
        if self.curve is None or self.curve.index_min is None:
            return np.inf
        value = float(self.curve.mean[self.curve.index_min])
        return -value if self.curve.metric in BETTER_HIGH else value


def search(ground: Ground, lead: Problem, plan: Plan, run: RunContext) -> Found:
    """Walk every share of L1 and take the best: the least cost at its minimum, of equals the larger share.

    Raises
    ------
    FitError
        Nothing may be chosen: no strength converged in every fold, or the problem has no answer.
    """
    best: Found | None = None
    curves: list[tuple[float | None, Curve]] = []
    before, walked = Counts(), 0
    shares = plan.asked.alternatives
    for number, asked in enumerate(shares, start=1):
        if best is not None and run.deadline.passed:
            break
        which = f" l1_ratio {asked.l1_ratio:g} ({number} of {len(shares)})" if len(shares) > 1 else ""
        run.progress.doing(f"fitting{which}", "strengths")
        try:
            found = _walk(ground, lead, replace(plan, asked=asked), run)
        except ResourceError as error:
            if best is None or error.code != "out-of-time":
                raise
            break
        run.note(f"{found.walk.account(before)}; {_workers(lead, run)}")
        before = lead.objective.tally.counts
        if found.curve is not None:
            curves.append((None if asked.penalty == "none" else asked.l1_ratio, found.curve))
        if best is None or (found.cost, -asked.l1_ratio) < (best.cost, -best.asked.l1_ratio):
            best = found
        walked += found is best or not warn_time(found.stopped)  # of another one that was cut short nothing is told
    assert best is not None  # noqa: S101  (there is at least one share)
    at = _chosen(best, plan)
    return replace(best, at=at, grid=tuple(curves), warnings=(*best.warnings, *_warn_shares(plan, walked)))


def _workers(lead: Problem, run: RunContext) -> str:
    """What is at work."""
    threads, processes = counted(run.jobs or 1, "thread"), 1 if lead.lane_map is None else lead.lane_map.processes
    return threads if processes == 1 else f"{threads}, lanes in {processes} processes"


def _walk(ground: Ground, lead: Problem, plan: Plan, run: RunContext) -> Found:
    """Walk the strengths with all lanes, scoring the folds on the way; end early where the curve has clearly turned."""
    start = begin(plan.asked, lead, plan.names)
    problem, grid = start.problem, start.grid
    scores = None
    if plan.splits.n_folds:
        by_row = scored_by_row(plan.splits, plan.metric)
        scores = FoldScores(plan.prepared.weights, plan.metric, plan.cut, by_row)
        scores.begin(problem.objective, plan.splits.repeats[0])
    walk = Walk(problem, grid)
    steps, stopped = _lead(walk, problem, grid, scores, plan, run)
    lambdas = np.array([step.lam for step in steps])
    converged = np.ones(lambdas.size, dtype=bool)
    curve = None
    if scores is not None:
        converged = _others(ground, problem, steps, scores, plan, run)
        usable = converged & [all(status.usable for status in step.status) for step in steps]
        nonzero = np.array([np.count_nonzero(step.coefs[0]) for step in steps], dtype=np.intp)
        curve = scores.curve(lambdas, nonzero, usable)
    made = criterion(plan.rule, problem, steps, plan.prepared.weights) if plan.by_criterion else None
    return Found(
        asked=plan.asked,
        problem=problem,
        walk=walk,
        steps=steps,
        scores=scores,
        curve=curve,
        criterion=made,
        stopped=stopped or walk.stopped,
        top=start.top,
        warnings=start.warnings,
        converged=converged,
        at=len(steps) - 1,
    )


def _lead(
    walk: Walk, problem: Problem, grid: Grid, scores: FoldScores | None, plan: Plan, run: RunContext
) -> tuple[list[Iterate], Stopped | None]:
    """The lanes of the first partition, which decide where the path ends.

    Only where the folds choose does their curve end it: an information criterion may be least behind its turn.
    """
    steps: list[Iterate] = []
    count = grid.lambdas.size
    whole = plan.full_path or plan.by_criterion
    may_stop = scores is not None and not whole and may_end(problem, grid, scores)
    for step in run.deadline.along(iter(walk)):
        if scores is not None:
            scores.add(step)
        steps.append(step.reported())
        run.progress.update(len(steps), count * len(plan.splits.partitions))
        may_stop = may_stop and all(status.usable for status in steps[-1].status)
        if scores is not None and may_stop and turned(scores, count):
            if not falls_again(problem, grid, scores):
                return steps, Stopped("cv_turned", len(steps) - 1, count)
            may_stop = False
    return steps, cut_short(walk, grid, len(steps), run)


def _others(
    ground: Ground, lead: Problem, steps: list[Iterate], scores: FoldScores, plan: Plan, run: RunContext
) -> Bools:
    """The lanes of all further partitions at the strengths that were walked; whether they converged at each."""
    lambdas = np.array([step.lam for step in steps])
    starts = [lead.raw(step, 0) for step in steps] if plan.splits.single else None
    usable = np.ones(lambdas.size, dtype=bool)
    partitions = plan.splits.partitions
    if len(partitions) > 1:
        run.deadline.require()  # a score of some of the rows is none
    for at, (partition, repeat) in enumerate(zip(partitions, plan.splits.repeats, strict=True)):
        if at == 0:
            continue
        problem = ground.problem(partition, lead)
        scores.begin(problem.objective, repeat)
        for index, step in enumerate(follow(problem, lambdas, [], starts)):
            scores.add(step)
            usable[index] &= all(status.usable for status in step.status)
            run.progress.update(at * lambdas.size + index + 1, lambdas.size * len(partitions))
    run.deadline.settle()
    return usable


def _warn_shares(plan: Plan, done: int) -> list[Warn]:
    """A warning where the time ended the search before every share of L1 had its turn."""
    of = len(plan.asked.alternatives)
    if done == of:
        return []
    text = f"--max-seconds passed after {done} of {counted(of, 'share')} of L1"
    return [Warn("out-of-time", text, {"at": done - 1, "of": of})]


def _chosen(found: Found, plan: Plan) -> int:
    """Index of the reported strength."""
    if not plan.asked.several:
        return len(found.steps) - 1
    if found.criterion is not None:
        at = found.criterion.index
        if at is None and found.steps[0].status[0].usable:
            text = f"every strength takes more degrees of freedom than half the rows, too many for {plan.rule}"
            raise FitError("not-converged", text, hint="--rule min, larger strengths, or more rows")
    else:
        curve = found.curve
        at = None if curve is None else curve.index_min if plan.rule == "min" else curve.index_1se
    if at is None:
        refuse_separated(found.problem, found.steps[-1:], plan.names)
        status = next((s for step in found.steps for s in step.status if not s.usable), Status.MAX_ITER)
        text = "no strength converged in every fold"
        if status is Status.SEPARATED:
            text += f": in the training rows of one, {found.problem.objective.family.endless}"
        near = nearly_told(found.steps[-1], plan.names) if status is Status.MAX_ITER else ""
        raise FitError("not-converged", f"{text}: {near}" if near else text, hint=WAY_OUT if near else status.value)
    return at
