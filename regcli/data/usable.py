"""Which columns can be used as they stand, and where cells are missing."""

import re
from collections.abc import Collection, Sequence
from shlex import quote

import numpy as np
from numpy.typing import NDArray

from regcli.data.adorned import plainly, ways_to_numbers
from regcli.data.columns import number
from regcli.data.derive import SPELLING, is_date, is_other_date, refuse_unsupported
from regcli.data.dialect import Dialect
from regcli.data.table import Levels, Numbers, Table
from regcli.errors import DataError, Location, counted

__all__ = ["LARGEST", "SMALLEST", "check_used", "missing_rows"]

Array = NDArray[np.float64]

#: An undeclared text column with more levels than this is taken for an identifier and refused.
MOST_LEVELS = 50

#: A text column in which at least this share of the filled cells are numbers is taken for a column of numbers with
#: something else in it.
NUMBER_SHARE = 0.1

#: Squares of larger numbers overflow, those of smaller spreads vanish.
LARGEST, SMALLEST = 1e150, 1e-150

#: How dates begin that nobody means as numbers or names.
_ISO_DATE = re.compile(r"\s*\d{4}-\d{2}-\d{2}")

#: Offending cells shown in an error.
SHOWN = 3


def check_used(
    table: Table,
    names: Sequence[str],
    categorical: Collection[str],
    *,
    numeric: Collection[str],
    features: Collection[str],
    dialect: Dialect,
) -> None:
    """Refuse columns that cannot be used as they stand.

    Parameters
    ----------
    table : Table
        The data.
    names : sequence of str
        All columns that are used.
    categorical : collection of str
        Columns declared as categories.
    numeric : collection of str
        Columns that must be numbers.
    features : collection of str
        Columns that can be left out, which is then a way out.
    dialect : Dialect
        How the text was read.

    Raises
    ------
    DataError
        ``unsupported-type``; ``text-in-numeric-column``; ``probable-identifier``; ``infinite-value``; ``value-range``.
    """
    free = frozenset(features)
    for name in names:
        column = table.columns[name]
        refuse_unsupported(table, name, _ways_without(name, free=name in free))
        if isinstance(column, Levels) and name not in categorical:
            known = _known_numbers(column, dialect.decimal, must_be_numeric=name in numeric)
            _check_text(table, name, column, known, dialect, free=name in free)
        if isinstance(column, Numbers):
            _check_numbers(table, name, column, free=name in free)


def _ways_without(name: str, *, free: bool) -> str:
    """How to do without a column: leave out a feature, put another one in the place of what has a part."""
    return f"--drop {quote(name)}" if free else "choose another column for this part"


def _known_numbers(column: Levels, decimal: str, *, must_be_numeric: bool) -> NDArray[np.bool_] | None:
    """Levels that are numbers, if the column is one of numbers with something in between; None for text.

    Numbers with a decimal comma where a point was expected are such a column too.
    """
    numeric = np.array([number(level, decimal) is not None for level in column.levels], dtype=bool)
    if must_be_numeric:
        return numeric
    if column.boolean or not column.levels:
        return None
    counts = column.counts
    with_comma = all(number(level, ",") is not None for level in column.levels)
    # Of two levels nothing is lost: they are one column of 0 and 1, whatever they are called.
    adorned = len(column.levels) > 2 and all(
        known or plainly(level, decimal) is not None
        for known, level in zip(numeric.tolist(), column.levels, strict=True)
    )
    return numeric if with_comma or adorned or counts[numeric].sum() >= NUMBER_SHARE * counts.sum() else None


def _check_text(
    table: Table, name: str, column: Levels, known: NDArray[np.bool_] | None, dialect: Dialect, *, free: bool
) -> None:
    """Refuse text that is numbers (``known`` marks them) with something in between, and text that names rows."""
    rows = _text_rows(column, known)
    if rows.size:
        codes, first = np.unique(column.codes[rows], return_index=True)
        cells = [column.levels[code] for code in codes[np.argsort(first)]]
        among = known is not None and bool(known.any())
        plain_text = not among and not any(_resembles_number(cell, dialect.decimal) for cell in cells)
        ways = [] if plain_text else ways_to_numbers(cells, dialect.decimal, dialect.na_values)
        ways += [f"--categorical {quote(name)}", f"--drop {quote(name)}"] if free else []
        told = f"column {name!r} holds numbers"
        told += _text_told(cells[0], dialect.decimal, counted(rows.size, "cell"), among=among)
        raise DataError(
            "text-in-numeric-column",
            f"column {name!r} holds text, and numbers are needed here" if plain_text else told,
            where=table.locate(int(rows[0]), name),
            cells=cells[:SHOWN],
            hint=", or ".join(ways) or (_ways_without(name, free=free) if plain_text else "mend the file"),
        )
    dates = _dates_told(name, column.levels) if free and column.levels else None
    if dates is not None:
        raise DataError(
            "undeclared-date",
            f"column {name!r} holds dates{dates[0]}",
            where=Location(file=table.files[0].path, column=name),
            cells=column.levels[:SHOWN],
            hint=f"{dates[1]}, --drop {quote(name)} leaves it out, --categorical {quote(name)} takes it as it is spelt",
        )
    if len(column.levels) > MOST_LEVELS:
        raise DataError(
            "probable-identifier",
            f"text column {name!r} has {len(column.levels):,} different cells and is probably an identifier"
            + (", or numbers that were stored as text" if known is not None else ""),
            where=Location(file=table.files[0].path, column=name),
            cells=column.levels[:SHOWN],
            hint=f"--drop {quote(name)}, --id {quote(name)} to carry it along, --categorical {quote(name)} to use its "
            "levels, --text for its words"
            if free
            else _ways_without(name, free=False),
        )


def _dates_told(name: str, levels: Sequence[str]) -> tuple[str, str] | None:
    """What is to be said of a column of dates, and what makes numbers of it; None of another one."""
    if all(_ISO_DATE.match(level) and is_date(level) for level in levels):
        return "", f"--date {quote(name)} makes year, month, weekday and days of it"
    if all(map(is_other_date, levels)):
        return " that are not spelt as --date reads them", f"{SPELLING}: spell them so, for --date {quote(name)}"
    return None


def _text_rows(column: Levels, known: NDArray[np.bool_] | None) -> NDArray[np.intp]:
    """Rows with text in a column of numbers; none where it is one of text, or of text that spells numbers alone."""
    if known is None:
        return np.zeros(0, dtype=np.intp)
    return np.flatnonzero((column.codes >= 0) & ~np.append(known, True)[column.codes])


def _resembles_number(cell: str, decimal: str) -> bool:
    """Whether a cell is a number with either decimal mark, or as people write one."""
    return any(number(cell, mark) is not None for mark in ".,") or plainly(cell, decimal) is not None


def _text_told(cell: str, decimal: str, count: str, *, among: bool) -> str:
    """What is wrong with cells of a column of numbers, which stand ``among`` numbers or are all there is."""
    if not among and plainly(cell, decimal) is not None:
        return f" in other than plain digits, in {count}"
    return f", but {'also ' if among else ''}{count} of text"


def _check_numbers(table: Table, name: str, column: Numbers, *, free: bool) -> None:
    """Refuse infinities and magnitudes whose squares leave double precision."""
    cells = column.cells
    with np.errstate(invalid="ignore"):
        large = np.flatnonzero(np.abs(cells) > LARGEST)
    infinite = large[np.isinf(cells[large])]
    if infinite.size:
        raise DataError(
            "infinite-value",
            f"column {name!r} has {counted(infinite.size, 'cell')} of infinite size, or beyond 1.8e308",
            where=table.locate(column.row_of(int(infinite[0])), name),
            cells=[repr(float(cells[at])) for at in infinite[:SHOWN]],
            hint=f"mend the file, or {_ways_without(name, free=free)}",
        )
    if large.size:
        raise DataError(
            "value-range",
            f"column {name!r} has cells beyond {LARGEST:g}, whose squares overflow",
            where=table.locate(column.row_of(int(large[0])), name),
            cells=[repr(float(cells[at])) for at in large[:SHOWN]],
            hint=f"give the column in larger units, or {_ways_without(name, free=free)}",
        )


def missing_rows(table: Table, names: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
    """Columns with missing cells, and where they are."""
    out = {}
    for name in names:
        column = table.columns[name]
        if isinstance(column, Numbers | Levels) and column.gapped:
            out[name] = column.missing
    return out
