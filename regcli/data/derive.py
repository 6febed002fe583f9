"""Columns that are made of others cell by cell: parts of dates, and functions of numbers.

Nothing is learnt here: a cell depends on one cell. They are called by what was done, ``year(when)``, ``log(income)``.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from shlex import quote

import numpy as np
from numpy.typing import NDArray

from regcli.data.columns import sorted_levels
from regcli.data.table import Column, Levels, Numbers, Table, Unsupported
from regcli.data.terms import DATE_PARTS, column_name
from regcli.errors import DataError, Location, counted

__all__ = [
    "CLOCK",
    "DATE_NAMES",
    "DAY",
    "NUMBER_FUNCTIONS",
    "SPELLING",
    "WEEK",
    "ZONE",
    "days_of",
    "derived_columns",
    "derived_table",
    "is_date",
    "is_other_date",
    "refuse_unsupported",
]

#: Names that parts of dates have as levels, in order.
DATE_NAMES: Mapping[str, tuple[str, ...]] = {
    "month": tuple(str(month) for month in range(1, 13)),
    "weekday": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}

_SECONDS = 86_400.0

#: Spellings of ISO 8601 in letters that every engine of regular expressions knows: a day, a day by its week, the time
#: of a day and its offset. The library reads more, and each of its versions something else.
DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8}"
WEEK = "[0-9]{4}-W[0-9]{2}(?:-[1-7])?|[0-9]{4}W[0-9]{2}[1-7]?"
_HOUR, _MINUTE = "(?:[01][0-9]|2[0-3])", "[0-5][0-9]"
CLOCK = f"{_HOUR}(?::{_MINUTE}(?::{_MINUTE}(?:[.,][0-9]+)?)?)?|{_HOUR}{_MINUTE}(?:{_MINUTE}(?:[.,][0-9]+)?)?"
ZONE = f"Z|[+-]{_HOUR}(?::{_MINUTE}(?::{_MINUTE})?|{_MINUTE}(?:{_MINUTE})?)?"
_DATE = re.compile(rf"[ \t-\r]*((?:{DAY}|{WEEK})(?:[Tt ](?:{CLOCK})(?:{ZONE})?)?)[ \t-\r]*")

#: The same for a person.
SPELLING = "dates are written 2026-11-20 or 2026-11-20T08:30 (ISO 8601)"

#: Dates as they are mostly spelt otherwise: day, month and year in any order with points, slashes or strokes.
_OTHER_DATE = re.compile(
    r"\s*(?:\d{4}([./])\d{1,2}\1\d{1,2}|\d{1,2}([./-])\d{1,2}\2\d{4})(?:[ T]\d{1,2}:\d{2}.*)?\s*", re.ASCII
)

#: Functions of numbers, by name.
NUMBER_FUNCTIONS: Mapping[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "abs": np.abs,
    "exp": np.exp,
    "log": np.log,
    "log10": np.log10,
    "log1p": np.log1p,
    "log2": np.log2,
    "sqrt": np.sqrt,
}

#: Offending cells shown in an error.
SHOWN = 3


@dataclass(frozen=True, slots=True)
class _Derived:
    """A column, and the rows whose cell is there but has no value."""

    column: Column
    bad: NDArray[np.intp]


def is_date(cell: str) -> bool:
    """Whether a cell is a date or a time in ISO 8601."""
    return _parsed(cell) is not None


def is_other_date(cell: str) -> bool:
    """Whether a cell is spelt like a date with a year of four digits, but not as it is read."""
    return _OTHER_DATE.fullmatch(cell) is not None


def days_of(cell: str) -> float | None:
    """Days since 1970-01-01 of a date or a time in ISO 8601; None for another cell."""
    when = _parsed(cell)
    return None if when is None else _days(when)


def _parsed(cell: str) -> datetime | None:
    """A date or time in ISO 8601; a date is its midnight."""
    match = _DATE.fullmatch(cell)
    try:
        return None if match is None else datetime.fromisoformat(match[1])
    except ValueError:  # there is no such day
        return None


def refuse_unsupported(table: Table, name: str, without: str) -> None:
    """Refuse a column of a type that cannot be used; ``without`` is how to do without it.

    Raises
    ------
    DataError
        ``unsupported-type``.
    """
    column = table.columns[name]
    if isinstance(column, Unsupported):
        raise DataError(
            "unsupported-type",
            f"column {name!r} has type {column.type}, which cannot be used",
            where=Location(file=table.files[0].path, column=name)
            if column.row is None
            else table.locate(column.row, name),
            hint=f"--categorical {quote(name)} takes the cells as they are spelt, " * column.mixed + without,
        )


def derived_table(table: Table, wanted: Iterable[tuple[str, str]], *, strict: bool) -> Table:
    """A table with further columns, each a function of one there is.

    Parameters
    ----------
    table : Table
        The data.
    wanted : iterable of (str, str)
        Function and source; sources that are not there are passed over.
    strict : bool
        Refuse a cell without a value; else it is missing, and one of ``bad_cells``.

    Raises
    ------
    DataError
        ``unsupported-type``, ``bad-date``, ``value-range``, ``text-in-numeric-column``.
    """
    columns, bad = dict(table.columns), {name: dict(cells) for name, cells in table.bad_cells.items()}
    dates: dict[str, _Dates] = {}
    for function, source in wanted:
        if source not in table.columns:
            continue
        if strict:
            refuse_unsupported(table, source, f"--drop {quote(source)}")
        if function in DATE_PARTS and source not in dates:
            dates[source] = _dates(table.columns[source], table.rows)
        found = _derived(function, source, table.columns[source], dates.get(source))
        if strict and found.bad.size:
            _refuse(table, function, source, found.bad)
        columns[column_name(source, function)] = found.column
        cells = {row: _spelt(table.columns[source], row) for row in found.bad.tolist()}
        bad[source] = {**cells, **bad.get(source, {})}
    return replace(table, columns=columns, bad_cells={name: cells for name, cells in bad.items() if cells})


def _spelt(column: Column, row: int) -> str:
    """A cell, for a message."""
    if isinstance(column, Levels):
        return column.levels[column.codes[row]]
    return repr(column.cell(row)) if isinstance(column, Numbers) else ""


def derived_columns(columns: Mapping[str, Column], wanted: Collection[tuple[str, str]]) -> dict[str, Column]:
    """The same of bare columns."""
    dates = {source: _dates(columns[source], 0) for function, source in wanted if function in DATE_PARTS}
    made = {
        column_name(source, function): _derived(function, source, columns[source], dates.get(source)).column
        for function, source in wanted
    }
    return {**columns, **made}


def _derived(function: str, source: str, column: Column, dates: "_Dates | None") -> _Derived:
    """One function of one column, which is read as dates for their parts."""
    if function in DATE_PARTS and dates is not None:
        return _date_part(function, dates)
    if not isinstance(column, Numbers):
        raise DataError(
            "text-in-numeric-column",
            f"{function}({source}) needs numbers, and column {source!r} has text",
            hint=f"leave {function}({source}) out, or --na-values for text that means a missing cell",
        )
    with np.errstate(all="ignore"):
        values = np.asarray(NUMBER_FUNCTIONS[function](column.values))
    bad = np.flatnonzero(~np.isfinite(values) & np.isfinite(column.values))
    values[bad] = np.nan
    return _Derived(Numbers(values), bad)


@dataclass(frozen=True, slots=True)
class _Dates:
    """A column read as dates: different ones, which of them each row (n,) has, -1 for none, and rows that are bad."""

    dates: list[datetime | None]
    codes: NDArray[np.intp]
    bad: NDArray[np.intp]


def _dates(column: Column, rows: int) -> _Dates:
    """Read every different cell once; a column of a type that is not supported has none in its rows."""
    if not isinstance(column, Levels):  # numbers are no dates, unless there is no cell at all
        values = column.values if isinstance(column, Numbers) else np.full(rows, np.nan)
        return _Dates([], np.full(values.size, -1, dtype=np.intp), np.flatnonzero(~np.isnan(values)))
    dates = [_parsed(level) for level in column.levels]
    known = np.array([*(when is not None for when in dates), False])
    bad = np.flatnonzero(~known[column.codes] & (column.codes >= 0))
    return _Dates(dates, column.codes.astype(np.intp), bad)


def _date_part(part: str, found: _Dates) -> _Derived:
    """The part of every date."""
    if part in ("year", "days"):
        value = _year if part == "year" else _days
        values = np.array([*(np.nan if when is None else value(when) for when in found.dates), np.nan])
        return _Derived(Numbers(values[found.codes]), found.bad)
    name = _month if part == "month" else _weekday
    names = ["" if when is None else name(when) for when in found.dates]
    uniques = {each: at for at, each in enumerate(dict.fromkeys(names))}
    codes = np.array([*(uniques[each] for each in names), -1], dtype=np.int32)[found.codes]
    return _Derived(sorted_levels(codes, list(uniques), {""}), found.bad)


def _year(when: datetime) -> float:
    return float(when.year)


def _month(when: datetime) -> str:
    return str(when.month)


def _weekday(when: datetime) -> str:
    return DATE_NAMES["weekday"][when.weekday()]


def _days(when: datetime) -> float:
    """Days since 1970-01-01; of a time with an offset those in UTC."""
    offset = when.utcoffset() or timedelta()  # in numbers, because the first and the last days have no day beside them
    clock = timedelta(hours=when.hour, minutes=when.minute, seconds=when.second, microseconds=when.microsecond) - offset
    whole = when.toordinal() - date(1970, 1, 1).toordinal() + clock.days
    return whole + (clock.seconds + clock.microseconds / 1e6) / _SECONDS


def _refuse(table: Table, function: str, source: str, rows: NDArray[np.intp]) -> None:
    """Name the first cells without a value."""
    column = table.columns[source]
    where = table.locate(int(rows[0]), source)
    first = rows[:SHOWN].tolist()
    if function in DATE_PARTS:
        cells = [column.levels[column.codes[row]] if isinstance(column, Levels) else "a number" for row in first]
        raise DataError(
            "bad-date",
            f"column {source!r} has {counted(rows.size, 'cell')} that cannot be read as dates",
            where=where,
            cells=cells,
            hint=f"{SPELLING}; --categorical {quote(source)} takes the cells as they are, "
            f"--drop {quote(source)} leaves them out",
        )
    cells = [repr(column.cell(row)) for row in first] if isinstance(column, Numbers) else []
    raise DataError(
        "value-range",
        f"{function}({source}) has no finite value in {counted(rows.size, 'row')}",
        where=where,
        cells=cells,
        hint=f"leave {function}() out, or these rows",
    )
