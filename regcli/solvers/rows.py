"""Rows of a lane's columns, centred and scaled."""

from collections.abc import Iterator

from regcli.problem.objective import Objective
from regcli.problem.protocols import Array, Integers

__all__ = ["DEPENDENT", "MOST_CELLS", "standard_pieces", "standard_rows"]

#: Cells of columns without a penalty up to which they are taken as one dense table and decomposed (200 MB).
MOST_CELLS = 25_000_000

#: Singular values of such a table below this share of the largest are those of columns that depend on each other.
DEPENDENT = 1e-13

#: Rows of a piece.
ROWS = 4096


def standard_rows(objective: Objective, columns: Integers, rows: Integers) -> Array:
    """Some rows (r,) of some columns (k,) of the first lane as they count: (x - centre) / sd, dense (r, k)."""
    part = objective.restrict(columns)
    return (part.lanes.columns(part.design.rows(rows), 0) - part.lanes.centre[0]) / part.lanes.sd[0]


def standard_pieces(objective: Objective, columns: Integers, rows: Integers) -> Iterator[tuple[Integers, Array]]:
    """The same a piece at a time: which rows (r,), and their cells (r, k)."""
    for start in range(0, rows.size, ROWS):
        part = rows[start : start + ROWS]
        yield part, standard_rows(objective, columns, part)
