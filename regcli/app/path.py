"""The coefficients along a path of strengths."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from regcli.app.context import RunContext
from regcli.app.dependent import warn_dependent
from regcli.app.distant import warn_distant
from regcli.app.options import PathRequest
from regcli.app.parallel import single_blas_thread, thread_map, threads_for
from regcli.app.prepare import Prepared, prepare
from regcli.app.setup import lead_problem, make_ground, model_facts, refuse_undetermined, term_facts, warn_top
from regcli.app.specify import Asked, make_grid, read_penalty
from regcli.app.values import given_options
from regcli.errors import FitError, UsageError, Warn, counted, listed
from regcli.problem.folds import whole_partition
from regcli.problem.protocols import Bools
from regcli.results import Drawn, Iterate, PathResult, Status, Stopped
from regcli.solvers.engine import Problem
from regcli.solvers.path import Grid, Walk

#: Columns named in an error.
NAMED = 5

#: The reason of a path that --max-seconds ended.
OUT_OF_TIME = "max_seconds"

__all__ = [
    "PathOutcome",
    "Start",
    "begin",
    "cut_short",
    "path",
    "prepared_path",
    "refuse_separated",
    "warn_path",
    "warn_time",
]


@dataclass(frozen=True)
class PathOutcome:
    """The result, and what a picture shows if one is asked for."""

    result: PathResult
    drawn: Drawn | None

    @property
    def warnings(self) -> tuple[Warn, ...]:
        """What the user should know."""
        return self.result.warnings


@dataclass(frozen=True)
class Start:
    """What a walk begins with: the problem, the strengths, what is warned of them, and lambda_max if there is one."""

    problem: Problem
    grid: Grid
    warnings: tuple[Warn, ...]
    top: float | None


def path(request: PathRequest, run: RunContext) -> PathOutcome:
    """Fit every strength of the grid, or of those given, on all rows."""
    asked, prepared = prepared_path(request, run)
    single_blas_thread()
    run.progress.doing("fitting", "strengths")
    partition = whole_partition(prepared.fit_weights)
    threads = threads_for(run.jobs, prepared.X.size)
    with thread_map(threads, prepared.X.size) as parallel_map:
        options = (request.model, request.penalty, request.solver)
        ground = make_ground(prepared, asked, options, parallel_map)
        names = tuple(term.name for term in prepared.encoder.terms)
        start = begin(asked, lead_problem(ground, prepared, asked, request.penalty, partition), names)
        problem, grid = start.problem, start.grid
        walk = Walk(problem, grid)
        steps = []
        for step in run.deadline.along(iter(walk)):
            steps.append(step)
            run.progress.update(len(steps), grid.lambdas.size)
    run.note(f"{walk.account()}; {counted(threads, 'thread')}")
    run.progress.doing("measuring the result")
    refuse_separated(problem, steps, names)
    stopped = cut_short(walk, grid, len(steps), run)
    raw = [problem.raw(step, 0) for step in steps]
    violation = np.array([float(step.violation[0]) for step in steps])
    result = PathResult(
        data=prepared.facts,
        facts=model_facts(prepared, asked, request.model, start.top),
        terms=term_facts(problem, prepared),
        sources=prepared.encoder.sources,
        dropped=(*prepared.dropped, *((names[at], "aliased") for at in steps[-1].aliased)),
        lambdas=np.array([step.lam for step in steps]),
        intercepts=np.array([model.intercept for model in raw]),
        coefs=np.stack([model.coefs for model in raw]),
        deviance_ratio=np.array(walk.ratios[: len(steps)]),
        violation=violation,
        stopped=stopped,
        warnings=(
            *prepared.warnings,
            *warn_top(start.top),
            *start.warnings,
            *warn_path(walk, steps, names),
            *warn_distant(problem, steps[-1], prepared),
            *warn_time(stopped),
        ),
        seed=request.run.seed or 0,
        options=given_options(request),
    )
    drawn = None
    if request.picture.plot is not None:
        from regcli.app.drawing import draw_path  # noqa: PLC0415  (most paths are not drawn)

        drawn = draw_path(prepared, result)
    return PathOutcome(result, drawn)


def prepared_path(request: PathRequest, run: RunContext) -> tuple[Asked, Prepared]:
    """What is asked for, and the data."""
    asked = read_penalty(request.penalty, request.strengths)
    if len(asked.l1_ratios) > 1:
        raise UsageError(
            "option-without-effect",
            "--l1-ratio takes one number here: a path has one share of L1",
            hint="regcli cv chooses among several",
        )
    seed = request.run.seed or 0
    return asked, prepare(request, run, unpenalised=asked.unpenalised, seed=seed)


def cut_short(walk: Walk, grid: Grid, done: int, run: RunContext) -> Stopped | None:
    """Why a walk ended early; the time is to blame where nothing else is."""
    early = done < grid.lambdas.size and not walk.without_zero
    if run.deadline.passed and walk.stopped is None and early:
        return Stopped(OUT_OF_TIME, done - 1, grid.lambdas.size)
    return walk.stopped


def warn_time(stopped: Stopped | None) -> list[Warn]:
    """A warning where the time ended a path."""
    if stopped is None or stopped.reason != OUT_OF_TIME:
        return []
    text = f"--max-seconds passed after {stopped.at + 1} of {counted(stopped.of, 'strength')}; smaller ones are missing"
    return [Warn("out-of-time", text, {"at": stopped.at, "of": stopped.of})]


def begin(asked: Asked, lead: Problem, names: tuple[str, ...]) -> Start:
    """Settle what is walked of ``lead`` at the share of L1 that is asked for.

    Raises
    ------
    FitError
        ``under-determined``: nothing penalises more columns than there are rows.
    """
    problem = replace(lead, penalty=lead.penalty.with_ratio(asked.l1_ratio))
    grid, top = make_grid(asked, problem)
    if not (problem.penalty.factors > 0).any():
        refuse_undetermined(problem, names)
    return Start(problem, *_without_zero(grid, problem, names), top)


def _without_zero(grid: Grid, problem: Problem, names: tuple[str, ...]) -> tuple[Grid, tuple[Warn, ...]]:
    """Strength 0 where it has an answer; left out of a list where it has none, an error where it stands alone."""
    if grid.lambdas.size and grid.lambdas[-1] == 0 and not grid.generated:
        rows = np.count_nonzero(problem.objective.lanes.partition.row_weights > 0)
        live = np.count_nonzero(problem.objective.lanes.varies[0])
        if rows < live + problem.objective.intercept:
            if grid.lambdas.size == 1:
                refuse_undetermined(problem, names)
            text = f"strength 0 is left out: {rows} rows cannot determine {live} columns"
            return replace(grid, lambdas=grid.lambdas[:-1]), (Warn("lambda-zero-left-out", text),)
    return grid, ()


def warn_path(
    walk: Walk, steps: Sequence[Iterate], names: tuple[str, ...], converged: Bools | None = None
) -> list[Warn]:
    """What there is to say about the walk; ``converged`` (T,) says whether lanes beside those of ``steps`` did."""
    out = []
    if walk.without_zero:
        out.append(Warn("lambda-zero-left-out", f"strength 0 is left out: {walk.family.endless}"))
    elsewhere = [True] * len(steps) if converged is None else converged.tolist()
    short = [
        step.lam
        for step, fine in zip(steps, elsewhere, strict=True)
        if not (fine and all(status.usable for status in step.status))
    ]
    if short:
        text = f"{counted(len(short), 'strength')} did not reach --tol in every fold; the first is {short[0]:g}"
        out.append(Warn("not-converged", text, {"lambdas": short}))
    return [*out, *warn_dependent(steps[-1], names)] if steps else out


def refuse_separated(problem: Problem, steps: Sequence[Iterate], names: tuple[str, ...]) -> None:
    """Raise where a model on all rows has no answer, because nothing penalises what separates the classes.

    Raises
    ------
    FitError
        ``separated``, with the columns whose coefficients grow most.
    """
    step = next((step for step in steps if step.status[0] is Status.SEPARATED), None)
    if step is None:
        return
    free = np.flatnonzero(problem.penalty.factors == 0) if step.lam > 0 else np.arange(len(names))
    largest = free[np.argsort(-np.abs(step.coefs[0, free]), kind="stable")]
    shown = listed([names[at] for at in largest], NAMED)
    told = problem.objective.family.endless
    text = f"{told}, and nothing penalises the columns that tell them apart; largest: {shown}"
    raise FitError("separated", text, hint=Status.SEPARATED.value)
