"""Rows of a lane's columns, centred and scaled."""

from regcli.problem.objective import Objective
from regcli.problem.protocols import Array, Integers

__all__ = ["standard_rows"]


def standard_rows(objective: Objective, columns: Integers, rows: Integers) -> Array:
    """Some rows (r,) of some columns (k,) of the first lane as they count: (x - centre) / sd, dense (r, k)."""
    part = objective.restrict(columns)
    return (part.lanes.columns(part.design.rows(rows), 0) - part.lanes.centre[0]) / part.lanes.sd[0]
