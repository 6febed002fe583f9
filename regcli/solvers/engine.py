"""What an engine is: something that solves all lanes at the next strengths."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, Self, TypeVar

import numpy as np

from regcli.problem.objective import NullModel, Objective
from regcli.problem.protocols import Array, ParallelMap, Penalty
from regcli.results import Dependence, Iterate, Status

Task = TypeVar("Task")
Result = TypeVar("Result")

__all__ = ["Engine", "Problem", "RawModel", "Rules", "serial_map", "status_of"]


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


@dataclass(frozen=True)
class Problem:
    """Everything an engine needs to know.

    ``depends`` are unpenalised terms that depend on others, and were set aside before any engine ran, or nearly do.
    ``memory`` is what engines keep by their names for other penalties over the same objective.
    """

    objective: Objective
    penalty: Penalty
    null: NullModel
    rules: Rules
    parallel_map: ParallelMap
    depends: tuple[Dependence, ...] = ()
    memory: dict[str, object] = field(default_factory=dict)

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


def serial_map(function: Callable[[Task], Result], tasks: Iterable[Task], /) -> list[Result]:
    """Apply a function to every task, one after the other."""
    return [function(task) for task in tasks]


def status_of(violation: Array, tol: float) -> tuple[Status, ...]:
    """Converged or not, by the violation alone."""
    return tuple(Status.CONVERGED if value <= tol else Status.MAX_ITER for value in np.asarray(violation))
