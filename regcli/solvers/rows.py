"""Rows of a lane's columns, centred and scaled."""

from regcli.problem.objective import Objective
from regcli.problem.protocols import Array, Integers

__all__ = ["DEPENDENT", "MOST_CELLS", "standard_rows"]

#: Cells of columns without a penalty up to which they are taken as one dense table and decomposed (200 MB).
MOST_CELLS = 25_000_000

#: Singular values of such a table below this share of the largest are those of columns that depend on each other.
DEPENDENT = 1e-13


def standard_rows(objective: Objective, columns: Integers, rows: Integers) -> Array:
    """Some rows (r,) of some columns (k,) of the first lane as they count: (x - centre) / sd, dense (r, k)."""
    part = objective.restrict(columns)
    return (part.lanes.columns(part.design.rows(rows), 0) - part.lanes.centre[0]) / part.lanes.sd[0]
