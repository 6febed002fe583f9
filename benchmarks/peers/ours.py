"""regcli driven from arrays: the only module that imports the package."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from time import process_time

import joblib  # noqa: F401  (what the tool loads with its first threads: others are warm when the clock starts)
import numpy as np
from numpy.typing import NDArray

from benchmarks.data import Array
from benchmarks.peer import Peer, Task, weighted_folds
from regcli.app.ending import falls_again
from regcli.app.ending import turned as has_ended
from regcli.app.parallel import single_blas_thread, thread_map
from regcli.app.processes import process_map
from regcli.app.scoring import FoldScores
from regcli.app.setup import Ground
from regcli.problem.design import make_design
from regcli.problem.families import FAMILIES
from regcli.problem.folds import fold_partition
from regcli.problem.penalties import ElasticNet
from regcli.problem.protocols import ParallelMap
from regcli.solvers.choose import wants_tables
from regcli.solvers.engine import LaneMap, Problem, Rules
from regcli.solvers.path import Grid, Walk, geometric_grid, lambda_max

__all__ = ["PEERS", "TOL", "Walked", "generated_grid", "make_problem", "walked"]

#: The tool's default violation.
TOL = 1e-7


@dataclass(frozen=True)
class Walked:
    """What a walk left.

    The curve ``mean`` (t,), the folds (t, K) it is made of, whether every lane converged (t,), processor seconds (t,)
    since the walk began, and the number of strengths after which the tool would have stopped, None if it would not.
    """

    mean: Array
    fold_scores: Array
    usable: NDArray[np.bool_]
    seconds: Array
    turned: int | None


def make_problem(
    task: Task,
    l1_ratio: float,
    tol: float,
    parallel_map: ParallelMap,
    lane_map: LaneMap | None = None,
    *,
    standardize: bool = True,
    weights: Array | None = None,
) -> Problem:
    """The problem that ``regcli cv`` makes of arrays: columns standardized in every training set. X is taken over."""
    n, p = task.X.shape
    X = task.X
    design = make_design(X, centred=True)
    partition = fold_partition(task.folds.astype(np.intp), task.n_folds, np.ones(n) if weights is None else weights)
    family, rules = FAMILIES[task.family], Rules(tol)
    ground = Ground(
        design=design,
        family=family,
        y=task.y,
        offset=np.zeros(n),
        intercept=True,
        standardized=np.full(p, standardize),
        spread_scales=False,
        lane_maps=None,
        rules=rules,
        tabled=wants_tables(rules, family, design, ridge=l1_ratio == 0),
        parallel_map=parallel_map,
        lane_map=lane_map,
    )
    objective = ground.objective(partition)
    penalty = ElasticNet(l1_ratio, np.ones(p), np.full(p, -np.inf), np.full(p, np.inf))
    return Problem(objective, penalty, objective.null(), rules, parallel_map, lane_map=lane_map)


def generated_grid(problem: Problem, count: int) -> Array:
    """The strengths (T,) that the tool would take without being given any."""
    n, p = problem.objective.y.size, problem.objective.n_terms
    return geometric_grid(lambda_max(problem), count, 1e-2 if n < p else 1e-4)


def walked(problem: Problem, grid: Grid, *, stop: bool, judge: bool = False) -> Walked:
    """Walk the strengths and score the folds as the tool does.

    ``stop`` ends the walk where the tool's rule says so; ``judge`` asks the rule and walks on.
    """
    family = problem.objective.family
    weights = problem.objective.lanes.partition.row_weights
    scores = FoldScores(weights, "mse" if family.quadratic else "deviance", 0.5, by_row=False)
    scores.begin(problem.objective, 0)
    usable, seconds, begun = [], [], process_time()
    turned, asks = None, (stop or judge) and problem.penalty.l1_ratio > 0
    for step in Walk(problem, grid):
        scores.add(step)
        usable.append(all(status.usable for status in step.status))
        if asks and turned is None and all(usable) and has_ended(scores, grid.lambdas.size):
            asks = not falls_again(problem, grid, scores)
            turned = len(usable) if asks else None
        seconds.append(process_time() - begun)
        if stop and turned is not None:
            break
    return Walked(scores.pooled()[0], scores.fold_scores(), np.array(usable), np.array(seconds), turned)


@contextmanager
def _workers(task: Task) -> Iterator[tuple[ParallelMap, LaneMap | None]]:
    """The threads of the tool, one to each core that it may use, and its processes."""
    single_blas_thread()
    n, p = task.X.shape
    work = float(n) * p * (task.n_folds + 1)
    with thread_map(task.cores, work) as parallel_map, process_map(task.cores, work) as lane_map:
        yield parallel_map, lane_map


def _curves(task: Task, tol: float | None, *, stop: bool, standardize: bool = True) -> Array:
    """The CV means (R, T) of every share of L1 over one set of lanes; inf past where a walk was stopped."""
    out = np.full(task.lambdas.shape, np.inf)
    with _workers(task) as (parallel_map, lane_map):
        tol = TOL if tol is None else tol
        lead = make_problem(task, task.l1_ratios[0], tol, parallel_map, lane_map, standardize=standardize)
        for at, ratio in enumerate(task.l1_ratios):
            problem = replace(lead, penalty=lead.penalty.with_ratio(ratio))
            found = walked(problem, Grid(task.lambdas[at], generated=stop), stop=stop)
            out[at, : found.mean.size] = weighted_folds(task, found.fold_scores.T)
    return out


def _full(task: Task, tol: float | None) -> Array:
    return _curves(task, tol, stop=False)


def _stopped(task: Task, tol: float | None) -> Array:
    return _curves(task, tol, stop=True)


def _as_given(task: Task, tol: float | None) -> Array:
    """The curve of the columns as they are given, for comparison with tools that do not standardize."""
    return _curves(task, tol, stop=False, standardize=False)


def _lanes(task: Task, lanes: list[int], tol: float | None) -> Array:
    """Models (lanes, R, T, 1 + p) on the scale of the data; all lanes are solved together, as they are when timed."""
    out = np.empty((len(lanes), *task.lambdas.shape, 1 + task.X.shape[1]))
    with _workers(task) as (parallel_map, lane_map):
        lead = make_problem(task, task.l1_ratios[0], TOL if tol is None else tol, parallel_map, lane_map)
        for at, ratio in enumerate(task.l1_ratios):
            problem = replace(lead, penalty=lead.penalty.with_ratio(ratio))
            for t, step in enumerate(Walk(problem, Grid(task.lambdas[at], generated=False))):
                for row, lane in enumerate(lanes):
                    model = problem.raw(step, lane)
                    out[row, at, t, 0], out[row, at, t, 1:] = model.intercept, model.coefs
    return out


def _takes_all(_family: str, _l1_ratios: tuple[float, ...], _sparse: bool) -> None:  # noqa: FBT001 (a fact of the task)
    """It takes every task."""


def _needs_l1(_family: str, l1_ratios: tuple[float, ...], _sparse: bool) -> str | None:  # noqa: FBT001
    return "ridge paths are never stopped" if 0.0 in l1_ratios else None


PEERS = {
    "regcli": Peer("regcli", "regcli", TOL, _takes_all, _full, None, _lanes, standardizes=True),
    "regcli-stopped": Peer("regcli-stopped", "regcli", TOL, _needs_l1, _stopped, None, _lanes, standardizes=True),
    "regcli-as-given": Peer("regcli-as-given", "regcli", TOL, _takes_all, _as_given, None, standardizes=False),
}
