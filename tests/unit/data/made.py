"""Tables made of plain lists."""

from collections.abc import Mapping

import numpy as np

from regcli.data.table import Column, Levels, Numbers, SourceFile, Table
from regcli.errors import Location

__all__ = ["numbers", "table", "text"]


def text(*cells: str | None, boolean: bool = False) -> Levels:
    levels = tuple(sorted({cell for cell in cells if cell is not None}))
    codes = np.array([-1 if cell is None else levels.index(cell) for cell in cells], dtype=np.int32)
    return Levels(codes, levels, boolean=boolean)


def numbers(*values: float) -> Numbers:
    return Numbers(np.array(values))


def table(columns: Mapping[str, Column], rows: int) -> Table:
    return Table(
        (SourceFile("a.csv", "", rows),), "csv", columns, rows, lambda row, name: Location("a.csv", row + 2, name)
    )
