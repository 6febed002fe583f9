"""Columns that are probably not what a model should be fitted on: names of rows, and the target in other words."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regcli.data.alike import as_numbers, correlation, standardized
from regcli.data.distinct import count_distinct, numbered
from regcli.data.facts import ColumnProfile, Leak
from regcli.data.identify import LEAST_ROWS, Identifier, named
from regcli.data.table import Column, Levels, Numbers, Table
from regcli.data.thin import is_thin

__all__ = ["LEAKING", "Aim", "aim_at", "calendar_numbers", "find_identifier", "find_leak", "stand_ins"]

Array = NDArray[np.float64]
Codes = NDArray[np.intp]
Rows = NDArray[np.intp]

#: A column with a larger correlation with the target is suspected to be made from it.
LEAKING = 0.999

#: Correlations below this need not be measured to the last digit.
_NOT_NEAR = 0.9

#: Rows a value must have on average before it is remarkable that all of them have one target.
LEAST_REPEATS = 5

#: Rows looked at before all are: a column that does not tell the target there does not tell it.
FIRST_ROWS = 1_000

#: Numbers that stand for a missing cell in many data sets.
_STAND_INS = (-9.0, -99.0, -999.0, -9999.0, -99999.0, 99.0, 999.0, 9999.0, 99999.0, 999999.0)


#: Names of levels that mean missing in most tables, in small letters. None, unknown and other are levels as often.
_NO_NAMES = frozenset({"n/a", "#n/a", "n.a.", "na", "nan", "null", "nil", "-", "--", "?", ".", "..", "missing"})


# -- identifiers -----------------------------------------------------------------------------------------------------


def find_identifier(table: Table, profile: ColumnProfile) -> Identifier | None:
    """Whether a column of text or integers has another value in every row, which then names it; and why it seems so."""
    filled = table.rows - profile.missing
    if filled < LEAST_ROWS or profile.distinct < filled or profile.type not in ("text", "category", "integer"):
        return None
    column = table.columns[profile.name]
    values = column.values[~np.isnan(column.values)] if isinstance(column, Numbers) else None
    return named(profile.name, filled, values)


# -- leaks -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Aim:
    """The target of the rows that have one: their numbers, its values as integers, and as numbers (None for text).

    ``event`` marks one of two classes; None where there are not two values. ``standard`` are the numbers less their
    mean, over their standard deviation, None where some are infinite.
    """

    rows: Rows
    codes: Codes
    y: Array | None
    event: NDArray[np.bool_] | None
    standard: Array | None = None


def aim_at(table: Table, target: str) -> Aim | None:
    """What columns are held against to find leaks; None where too few rows have a target, or it has one value."""
    column = table.columns[target]
    y, codes = as_numbers(column), _codes(column)
    rows = np.flatnonzero(codes >= 0)
    if rows.size < LEAST_ROWS or count_distinct(codes[rows]) < 2:
        return None
    y = None if y is None else y[rows]
    two = y is not None and count_distinct(y) == 2
    event = y == np.nanmax(y) if y is not None and two else None
    plain = y is not None and bool(np.isfinite(y).all())
    return Aim(rows, codes[rows], y, event, standardized(y) if y is not None and plain else None)


def find_leak(table: Table, name: str, aim: Aim) -> Leak | None:
    """Whether a column alone tells the target, and how.

    It does where its correlation is above ``LEAKING``, where each of its values goes with one value of the target
    (values that are in few rows do not count), where a threshold parts two classes, or where its cells are missing
    just for one of two classes.
    """
    column = table.columns[name]
    if not isinstance(column, Numbers | Levels):
        return None
    if _tells_nothing(column, aim):
        return None
    values = as_numbers(column)
    if values is not None and aim.y is not None:
        size = correlation(values[aim.rows], aim.y)
        if size is not None and abs(size) > LEAKING:
            return Leak(name, f"its correlation with the target is {size:.6g}", size)
    reason = _telling(column, aim)
    return None if reason is None else Leak(name, reason, None)


def _telling(column: Numbers | Levels, aim: Aim) -> str | None:
    """How a column tells the target by its missing cells, its values or a threshold."""
    if aim.event is not None and _missing_in_one(column.missing[aim.rows], aim.event):
        return "its cells are missing in the rows of one class, and in those alone"
    count = _determined(column, aim)
    if count:
        return f"each of its {count:,} values goes with one value of the target"
    if aim.event is not None and isinstance(column, Numbers) and _parted(column.values[aim.rows], aim.event):
        return "a threshold parts the classes without an error"
    return None


def _tells_nothing(column: Numbers | Levels, aim: Aim) -> bool:
    """Whether that shows by the few cells of a column that leaves its zeros out.

    Rows where it is zero go with more than one value of the target, so that neither its values nor a threshold tell
    that; and the correlation, which the mean and the spread of the target carry over from those few rows, is small.
    """
    if not isinstance(column, Numbers) or column.places is None or not is_thin(column) or aim.rows.size < column.size:
        return False
    zero = np.ones(min(FIRST_ROWS, column.size), dtype=bool)
    zero[column.places[: np.searchsorted(column.places, zero.size)]] = False
    codes = aim.codes[: zero.size][zero]
    if not codes.size or codes.min() == codes.max():
        return False
    if aim.standard is None or not column.cells.size:
        return True
    cells = column.cells / np.abs(column.cells).max()
    spread = np.sqrt(max((cells @ cells) / column.size - (cells.sum() / column.size) ** 2, 0.0))
    return bool(abs(cells @ aim.standard[column.places]) / column.size < _NOT_NEAR * spread)


def _missing_in_one(gone: NDArray[np.bool_], event: NDArray[np.bool_]) -> bool:
    """Whether cells are missing in all rows of one of two classes, and in those alone."""
    if not gone.any() or gone.all():
        return False
    return bool((gone == event).all()) or bool((gone != event).all())


def _codes(column: Column) -> Codes:
    """Values as integers, -1 where a cell is missing."""
    if isinstance(column, Levels):
        return column.codes.astype(np.intp)
    return numbered(column.values) if isinstance(column, Numbers) else np.full(0, -1)


def _determined(column: Numbers | Levels, aim: Aim) -> int:
    """The number of different cells if each goes with one class and they repeat often enough; else 0."""
    distinct = 0
    for some in (slice(FIRST_ROWS), slice(None)):
        rows, classes = aim.rows[some], aim.codes[some]
        cells = numbered(column.values[rows]) if isinstance(column, Numbers) else column.codes[rows].astype(np.intp)
        cells += 1  # a missing cell is a value too
        distinct = count_distinct(cells)
        if count_distinct(cells * (int(aim.codes.max()) + 1) + classes) > distinct:
            return 0
    return distinct if distinct * LEAST_REPEATS <= aim.rows.size else 0


def _parted(values: Array, event: NDArray[np.bool_]) -> bool:
    """Whether all values of one class lie above all of the other; some rows of each are needed."""
    known = ~np.isnan(values)
    yes, no = values[known & event], values[known & ~event]
    if min(yes.size, no.size) < LEAST_REPEATS:
        return False
    return bool(yes.min() > no.max() or yes.max() < no.min())


# -- numbers that may be something else ------------------------------------------------------------------------------


def stand_ins(table: Table, profile: ColumnProfile) -> Iterator[str]:
    """Cells that may stand for a missing one: text such as N/A, numbers such as -999 beyond all others that repeat."""
    column, facts = table.columns[profile.name], profile.numbers
    if isinstance(column, Levels) and profile.type == "category":
        yield from (level for level in column.levels if level.strip().casefold() in _NO_NAMES)
    if facts is None or profile.distinct < 3 or not isinstance(column, Numbers):
        return
    for value in (facts.least, facts.most):
        if value not in _STAND_INS:
            continue
        others = column.values[(column.values != value) & np.isfinite(column.values)]
        count = int((column.values == value).sum())
        spread = float(others.max() - others.min())
        gap = min(abs(value - float(others.min())), abs(value - float(others.max())))
        if count > 1 and gap > spread:
            yield f"{value:.0f}"


def calendar_numbers(profile: ColumnProfile) -> bool:
    """Whether a column of integers looks like dates written as 20260131; a look at its quartiles is enough to ask."""
    facts = profile.numbers
    if profile.type != "integer" or facts is None or profile.distinct < 2:
        return False
    return all(_is_calendar(value) for value in (facts.least, facts.most, *map(float, profile.examples)))


def _is_calendar(value: float) -> bool:
    if not 1800_01_01 <= value <= 2200_12_31 or value != int(value):
        return False
    number = int(value)
    return 1 <= number // 100 % 100 <= 12 and 1 <= number % 100 <= 31
