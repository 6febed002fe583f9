"""What an engine is: something that solves all lanes at the next strengths."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, Self, TypeVar

import numpy as np

from regcli.problem.objective import NullModel, Objective
from regcli.problem.protocols import Array, Integers, ParallelMap, Penalty
from regcli.problem.tally import Tally
from regcli.results import Dependence, Iterate, Status, columns_aside

Task = TypeVar("Task")
Result = TypeVar("Result")

__all__ = ["Engine", "LaneMap", "Problem", "RawModel", "Rules", "over_lanes", "serial_map", "status_of"]


@dataclass(frozen=True, slots=True)
class Rules:
    """When a solution is good enough, and how much may be spent on it.

    ``tol`` is the largest violation, ``max_iter`` the rounds a strength may take, ``certify`` whether every violation
    is measured again from the data and not only those above ``tol``, ``solver`` the engine that was asked for,
    ``whole`` whether all strengths are walked for sure, so that long batches are no waste.
    """

    tol: float = 1e-7
    max_iter: int = 1000
    certify: bool = False
    solver: str = "auto"
    whole: bool = False


@dataclass(frozen=True, slots=True)
class RawModel:
    """A model as it is written: intercept and coefficients (p,) on the scale of the data."""

    intercept: float
    coefs: Array


class LaneMap(Protocol):
    """Makes a map of a function over tasks, a lane and a message each, whose lanes may be in processes of their own.

    All tasks of a lane are done in one process, by a copy of the function as it is when the map is made. What it counts
    comes back to the tally, and its answers; nothing else does.
    """

    @property
    def processes(self) -> int:
        """Processes of the map that was made last, 1 where none was."""
        ...

    def __call__(
        self, function: Callable[[int, Any], Result], tally: Tally, lanes: int
    ) -> Callable[[Iterable[tuple[int, Any]]], list[Result]]:
        """Make the map of a function over so many lanes."""
        ...


def serial_map(function: Callable[[Task], Result], tasks: Iterable[Task], /) -> list[Result]:
    """Apply a function to every task, one after the other."""
    return [function(task) for task in tasks]


@dataclass(frozen=True)
class Problem:
    """Everything an engine needs to know.

    ``depends`` are unpenalised terms that depend on others, and were set aside before any engine ran, or nearly do.
    ``memory`` is what engines keep by their names for other penalties over the same objective. ``lane_map`` is there
    where lanes can be in processes of their own. ``parallel_map`` is for many small tasks, such as the parts of a
    product, ``fold_map`` for few large ones, a lane each.
    """

    objective: Objective
    penalty: Penalty
    null: NullModel
    rules: Rules
    parallel_map: ParallelMap
    depends: tuple[Dependence, ...] = ()
    memory: dict[str, object] = field(default_factory=dict)
    lane_map: LaneMap | None = None
    fold_map: ParallelMap = serial_map

    @property
    def standing(self) -> Integers:
        """Terms that were not set aside, which their limits of zero are for: those say nothing of what was asked."""
        aside = np.array(columns_aside(self.depends), dtype=np.intp)
        return np.setdiff1d(np.arange(self.objective.n_terms), aside)

    def lane(self, lane: int) -> Self:
        """The problem of one lane."""
        only = np.array([lane])
        return replace(self, objective=self.objective.keep(only), null=self.null.keep(only), memory={})

    def raw(self, step: Iterate, lane: int) -> RawModel:
        """One lane of an iterate as it is written."""
        only = [lane]
        alone = self.objective.keep(np.array(only))
        levels, coefs = alone.to_raw(self.penalty, step.intercepts[only], step.coefs[only])
        return RawModel(float(levels[0]), coefs[0])


class Engine(Protocol):
    """Solves strength after strength, each from the solution before."""

    @property
    def name(self) -> str:
        """Name shown by -v."""
        ...

    @property
    def batch(self) -> int:
        """Strengths to hand it at a time: as many as its threads meet once for, and as are in memory together."""
        ...

    def advance(self, lams: Array, starts: Sequence[RawModel] | None = None) -> list[Iterate]:
        """Solve all lanes at the next strengths, which decrease.

        ``starts`` are models near to the solutions, one a strength, for engines that can use them.
        """
        ...


class OverLanes(Protocol[Result]):
    """A map over tasks, a lane and a message each."""

    def __call__(self, tasks: Iterable[tuple[int, Any]], *, light: bool = False) -> list[Result]:
        """Do all tasks, in order; ``light`` if threads would mostly wait for each other's Python."""
        ...


def over_lanes(problem: Problem, function: Callable[[int, Any], Result]) -> OverLanes[Result]:
    """Make a map of a function over tasks, a lane and a message each: ``[function(*task) for task in tasks]``.

    What the function keeps of a lane is there at the lane's next task. All else it must be told by messages: it may be
    at work elsewhere.
    """
    objective = problem.objective
    apart = None
    if problem.lane_map is not None and objective.lanes.n_lanes > 1:
        apart = problem.lane_map(function, objective.tally, objective.lanes.n_lanes)

    def over(tasks: Iterable[tuple[int, Any]], *, light: bool = False) -> list[Result]:
        if apart is not None:
            return apart(tasks)
        return (serial_map if light else problem.parallel_map)(lambda task: function(*task), tasks)

    return over


def status_of(violation: Array, tol: float) -> tuple[Status, ...]:
    """Converged or not, by the violation alone."""
    return tuple(Status.CONVERGED if value <= tol else Status.MAX_ITER for value in np.asarray(violation))
