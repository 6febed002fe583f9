"""Columns that mark rows: the user's folds, groups, times."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from regcli.data.columns import number
from regcli.data.levels import level_order
from regcli.data.table import Levels, Numbers, Table
from regcli.errors import DataError, Location

__all__ = ["Marks", "fold_labels", "groups_of", "times_of"]

Rows = NDArray[np.intp]

#: A month, a day, or a moment: its day, its time, the digits of a fraction of a second, its zone.
ISO = re.compile(
    r"(\d{4}-\d{2})"
    r"(?:(-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?)(?:(?<=:\d{2}:\d{2})\.(\d+))?(Z|[+-]\d{2}(?::?\d{2}){0,2})?)?)?",
    re.ASCII,
)

#: A moment and the digits of its fraction of a second: they compare in time.
Moment = tuple[datetime, str]


@dataclass(frozen=True)
class Marks:
    """Folds, groups and times of rows (r,), numbered from 0; None where no column has them."""

    labels: Rows | None
    groups: Rows | None
    times: Rows | None

    def take(self, rows: NDArray[np.bool_]) -> "Marks":
        """Those of some rows, numbered anew."""
        parts = (self.labels, self.groups, self.times)
        return Marks(*(None if values is None else _ranks(values[rows]) for values in parts))


def _ranks(values: NDArray[np.float64] | Rows) -> Rows:
    """Place of each value among the different ones, from 0."""
    return np.unique(values, return_inverse=True)[1].astype(np.intp)


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
        raise DataError(
            "bad-folds",
            f"column {name!r} names no folds",
            where=where,
            hint="--fold-column takes a column of names or whole numbers; --folds K deals the rows",
        )
    return _numbered(column, rows)


def _numbered(column: Levels, rows: Rows) -> Rows:
    """Labels of some rows, numbered from 0 in their order."""
    present = np.unique(column.codes[rows])
    place = {label: at for at, label in enumerate(level_order([column.levels[code] for code in present]))}
    position = np.array([place[column.levels[code]] for code in present], dtype=np.intp)
    return position[np.searchsorted(present, column.codes[rows])]


def groups_of(table: Table, name: str, rows: Rows) -> Rows:
    """Group of some rows, numbered from 0 in the order of their labels, which are read as they are spelt.

    Raises
    ------
    DataError
        ``unsupported-type`` for a column that cannot name anything.
    """
    column = table.columns[name]
    if isinstance(column, Levels):
        return _numbered(column, rows)
    if isinstance(column, Numbers):
        return _ranks(column.values[rows])
    where = Location(file=table.files[0].path, column=name)
    raise DataError(
        "unsupported-type",
        f"column {name!r} has type {column.type}, which names no groups",
        where=where,
        hint="a column of text or numbers",
    )


def times_of(table: Table, name: str, rows: Rows) -> Rows:
    """Rank in time of some rows, from 0; rows at one time share it.

    Raises
    ------
    DataError
        ``bad-order`` for text that is neither numbers nor ISO dates.
    """
    column = table.columns[name]
    if isinstance(column, Numbers):
        return _ranks(column.values[rows])
    if not isinstance(column, Levels):
        raise _no_order(table, name, None, [column.type])
    codes = column.codes[rows]
    present = np.unique(codes)
    levels = [column.levels[code] for code in present]
    values: list[float | None] | list[Moment | None] = [number(level) for level in levels]
    if None in values:  # else they are numbers that were read as text on request
        values = [_moment(level) for level in levels]
        strange = [at for at, value in enumerate(values) if value is None]
        strange = [at for at in strange if number(levels[at]) is None] or strange
        if strange:
            first = int(rows[np.flatnonzero(np.isin(codes, present[strange]))[0]])
            raise _no_order(table, name, first, [levels[at] for at in strange])
        _refuse_mixed_zones(table, name, levels, [value for value in values if isinstance(value, tuple)])
    ranks = {value: rank for rank, value in enumerate(sorted({value for value in values if value is not None}))}
    rank_of = np.array([ranks[value] for value in values if value is not None], dtype=np.intp)
    return rank_of[np.searchsorted(present, codes)]


def _moment(text: str) -> Moment | None:
    """An ISO date as a moment; None for anything else, also for a day that is in no calendar."""
    found = ISO.fullmatch(text)
    if found is None:
        return None
    month, day, clock, fraction, zone = found.groups(default="")
    try:
        moment = datetime.fromisoformat(f"{month}{day or '-01'}T{clock or '00:00'}{zone}")
    except ValueError:
        return None
    return moment, fraction.rstrip("0")


def _refuse_mixed_zones(table: Table, name: str, levels: Sequence[str], moments: Sequence[Moment]) -> None:
    """Moments with a zone and moments without one cannot be compared."""
    plain = [at for at, (moment, _) in enumerate(moments) if moment.tzinfo is None]
    if 0 < len(plain) < len(moments):
        zoned = next(at for at in range(len(moments)) if at not in set(plain))
        raise DataError(
            "bad-order",
            f"column {name!r} orders no rows: some of its times have a time zone and some have none",
            where=Location(file=table.files[0].path, column=name),
            cells=[levels[zoned], levels[plain[0]]],
            hint="write all of them with a zone, or none",
        )


def _no_order(table: Table, name: str, row: int | None, cells: Sequence[str]) -> DataError:
    """The error for a column that holds something else than times."""
    where = Location(file=table.files[0].path, column=name) if row is None else table.locate(row, name)
    return DataError(
        "bad-order",
        f"column {name!r} orders no rows: it holds neither numbers nor ISO dates such as 2024-05-31",
        where=where,
        cells=cells[:3],
        hint="write the dates as year-month-day, or give a column of numbers",
    )
