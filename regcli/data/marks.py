"""Columns that mark rows: the user's folds, groups, times."""

import re

import numpy as np
from numpy.typing import NDArray

from regcli.data.columns import number
from regcli.data.levels import level_order
from regcli.data.table import Levels, Numbers, Table
from regcli.errors import DataError, Location

__all__ = ["fold_labels", "groups_of", "times_of"]

Rows = NDArray[np.intp]

#: A date, or a moment in the same time zone as all others: written like this they sort by their characters.
ISO = re.compile(r"\d{4}-\d{2}(-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?Z?)?)?")


def fold_labels(table: Table, name: str, rows: Rows) -> Rows:
    """The user's folds of some rows, numbered in the order of their labels.

    Raises
    ------
    DataError
        ``bad-folds`` for a column that cannot name anything.
    """
    column = table.columns[name]
    if not isinstance(column, Levels):
        where = Location(file=table.files[0].path, column=name)
        raise DataError("bad-folds", f"column {name!r} names no folds", where=where)
    present = np.unique(column.codes[rows])
    order = level_order([column.levels[code] for code in present])
    position = np.full(len(column.levels), -1, dtype=np.intp)
    for code in present:
        position[code] = order.index(column.levels[code])
    return position[column.codes[rows]]


def groups_of(table: Table, name: str, rows: Rows) -> Rows:
    """Group of some rows, numbered from 0."""
    column = table.columns[name]
    if isinstance(column, Levels):
        return np.unique(column.codes[rows], return_inverse=True)[1].astype(np.intp)
    if isinstance(column, Numbers):
        return np.unique(column.values[rows], return_inverse=True)[1].astype(np.intp)
    where = Location(file=table.files[0].path, column=name)
    raise DataError("unsupported-type", f"column {name!r} has type {column.type}, which names no groups", where=where)


def times_of(table: Table, name: str, rows: Rows) -> Rows:
    """Rank in time of some rows, from 0; rows at one time share it.

    Raises
    ------
    DataError
        ``bad-order`` for text that is neither numbers nor ISO dates.
    """
    column = table.columns[name]
    if isinstance(column, Numbers):
        return np.unique(column.values[rows], return_inverse=True)[1].astype(np.intp)
    strange: list[str] = [column.type] if not isinstance(column, Levels) else []
    if isinstance(column, Levels):
        present = np.unique(column.codes[rows])
        levels = [column.levels[code] for code in present]
        values = [number(level) for level in levels]
        if all(value is not None for value in values):  # numbers that were read as text on request
            ranks = np.unique(np.array(values, dtype=np.float64), return_inverse=True)[1]
            return ranks[np.searchsorted(present, column.codes[rows])].astype(np.intp)
        strange = [level for level in levels if not ISO.fullmatch(level)]
        if not strange:  # levels are in the order of their characters
            return np.searchsorted(present, column.codes[rows]).astype(np.intp)
    raise DataError(
        "bad-order",
        f"column {name!r} orders no rows: it holds neither numbers nor ISO dates such as 2024-05-31",
        where=Location(file=table.files[0].path, column=name),
        cells=strange[:3],
        hint="write the dates year first, or give a column of numbers",
    )
