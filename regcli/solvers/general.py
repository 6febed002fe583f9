"""The engine that solves anything: lockstep where the loss is quadratic, newton elsewhere."""

from regcli.solvers.engine import Engine, Problem
from regcli.solvers.lockstep import Lockstep
from regcli.solvers.newton import Newton

__all__ = ["general_engine"]


def general_engine(problem: Problem) -> Engine:
    """Build it."""
    return Lockstep(problem) if problem.objective.family.quadratic else Newton(problem)
