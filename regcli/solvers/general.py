"""The engine that solves anything: lockstep where the loss is quadratic, newton elsewhere."""

from regcli.solvers.engine import Engine, Problem

__all__ = ["general_engine"]


def general_engine(problem: Problem) -> Engine:
    """Build it."""
    if problem.objective.family.quadratic:
        from regcli.solvers.lockstep import Lockstep

        return Lockstep(problem)
    from regcli.solvers.newton import Newton

    return Newton(problem)
