"""One column at a time: what its cells are and how they are spread."""

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regcli.data.derive import days_of
from regcli.data.facts import ColumnProfile, DateFacts, NumberFacts, WordFacts
from regcli.data.learn import TextRule
from regcli.data.table import Levels, Numbers, Table, Unsupported
from regcli.data.target import spelt
from regcli.data.usable import MOST_LEVELS
from regcli.data.words import count_words, rows_with, vocabulary

__all__ = ["MOST_SHOWN", "clipped", "column_bytes", "date_facts", "profile_column", "word_facts"]

Array = NDArray[np.float64]

#: Values that are listed with their counts.
MOST_SHOWN = 20

#: Example cells of a column.
EXAMPLES = 3

#: Rows that examples are looked for in before all are.
FIRST_ROWS = 1_000

#: Characters of a cell that are repeated; a cell may be megabytes long.
LONGEST = 200

#: Dates as they are mostly spelt: ISO, and day, month and year in any order with points or slashes.
_DATE = re.compile(
    r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}.*)?|\d{4}/\d{1,2}/\d{1,2}|\d{1,2}[./]\d{1,2}[./](\d{4}|\d{2})", re.ASCII
)


def profile_column(table: Table, name: str, *, declared: str | None = None) -> ColumnProfile:
    """Describe a column; one sort of its numbers, or one count of its levels.

    ``declared`` is what it was declared to be, if it was: ``category``, ``ordinal``, ``text`` or ``date``.
    """
    column = table.columns[name]
    match column:
        case Numbers():
            return _of_numbers(name, column, leading_zeros=name in table.leading_zeros)
        case Levels():
            return _of_levels(name, column, declared)
        case Unsupported():
            return ColumnProfile(name, "unsupported", 0, 0)


def date_facts(column: Levels) -> DateFacts | None:
    """The range of a column of dates; None where no cell is one. Every different cell is read once."""
    dates = {level: when for level in column.levels if (when := days_of(level)) is not None}
    if not dates:
        return None
    rows = zip(column.levels, column.counts.tolist(), strict=True)
    unreadable = sum(count for level, count in rows if level not in dates)
    first, last = (pick(dates, key=dates.__getitem__).strip() for pick in (min, max))
    return DateFacts(first, last, unreadable)


def word_facts(column: Levels, rule: TextRule) -> WordFacts:
    """The words of a column of text as fit would count them on these rows; a pass over its letters."""
    counted = count_words(column.levels, rule.ngrams)
    repeats = column.counts
    kept = vocabulary(counted, repeats, rule.least, rule.most)
    place = {word: at for at, word in enumerate(counted.words)}
    chosen = [place[word] for word in kept]
    rows = rows_with(counted, repeats)[chosen]
    frequent = np.argsort(-rows, kind="stable")[:MOST_SHOWN]
    with_words = repeats[counted.counts[:, chosen].sum(axis=1) > 0].sum() if chosen else 0
    return WordFacts(
        distinct=len(counted.words),
        kept=len(kept),
        wordless=int(column.codes.size - with_words),
        frequent=tuple((clipped(kept[at]), int(rows[at])) for at in frequent),
    )


def column_bytes(table: Table, name: str) -> int:
    """Memory that a column takes as it is read; the spelling of levels is left out."""
    column = table.columns[name]
    if isinstance(column, Numbers):
        return int(column.cells.nbytes + (0 if column.places is None else column.places.nbytes))
    return int(column.codes.nbytes) if isinstance(column, Levels) else 0


def clipped(cell: str) -> str:
    """A cell, or its beginning."""
    return cell if len(cell) <= LONGEST else cell[: LONGEST - 1] + "…"


def _of_numbers(name: str, column: Numbers, *, leading_zeros: bool) -> ColumnProfile:
    values, counts = _counted(column)
    cells = column.values
    named = zip(map(_told, values.tolist()), counts.tolist(), strict=True) if values.size <= MOST_SHOWN else ()
    return ColumnProfile(
        name,
        _number_type(values),
        int(column.size - counts.sum()),
        int(values.size),
        levels=tuple(sorted(named, key=lambda item: -item[1])),
        numbers=_number_facts(values, counts),
        leading_zeros=leading_zeros,
        examples=tuple(map(_told, _first(cells, ~np.isnan(cells)))),
    )


def _counted(column: Numbers) -> tuple[Array, NDArray[np.intp]]:
    """The different numbers of a column, which rise, and how many cells each has."""
    ordered = np.sort(column.cells)  # NaN goes to the end
    ordered = ordered[: np.searchsorted(ordered, np.nan)]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1]))) if ordered.size else np.zeros(0, int)
    values, counts = ordered[starts], np.diff(np.append(starts, ordered.size))
    zeros = column.size - column.cells.size
    if zeros:  # those that are left out, and maybe some that are not
        at = int(np.searchsorted(values, 0.0))
        if at == values.size or values[at] != 0.0:
            values, counts = np.insert(values, at, 0.0), np.insert(counts, at, 0)
        counts[at] += zeros
    return values, counts


def _number_type(values: Array) -> str:
    if values.size < 2:
        return "constant" if values.size else "empty"
    return "integer" if np.isfinite(values[[0, -1]]).all() and bool((values == np.floor(values)).all()) else "number"


def _number_facts(values: Array, counts: NDArray[np.intp]) -> NumberFacts | None:
    """Facts of the finite ones among different numbers, which rise; None where there is none."""
    part = slice(np.searchsorted(values, -np.inf, "right"), np.searchsorted(values, np.inf, "left"))
    finite, repeats = values[part], counts[part]
    if not finite.size:
        return None
    ends = np.cumsum(repeats)
    total = int(ends[-1])
    with np.errstate(over="ignore", invalid="ignore"):  # near the largest doubles; such figures are null then
        q1, median, q3 = (_quantile(finite, ends, share) for share in (0.25, 0.5, 0.75))
        mean = float((finite * repeats).sum() / total)
        sd = float(np.sqrt((np.square(finite - mean) * repeats).sum() / total))
    return NumberFacts(
        least=float(finite[0]),
        q1=q1,
        median=median,
        q3=q3,
        most=float(finite[-1]),
        mean=mean,
        sd=sd,
        zeros=int(repeats[finite == 0.0].sum()),
        infinite=int(counts.sum()) - total,
    )


def _quantile(values: Array, ends: NDArray[np.intp], share: float) -> float:
    """The quantile of numbers that rise, each there until ``ends``; on the line where it lies between two."""
    place = share * float(ends[-1] - 1)
    low, high = (float(values[np.searchsorted(ends, at, "right")]) for at in (np.floor(place), np.ceil(place)))
    return low + (high - low) * (place % 1.0)


def _of_levels(name: str, column: Levels, declared: str | None) -> ColumnProfile:
    counts = column.counts
    known = np.flatnonzero(counts)
    frequent = known[np.argsort(-counts[known], kind="stable")][:MOST_SHOWN]  # ties in code-point order, as levels are
    return ColumnProfile(
        name,
        _level_type(column, [column.levels[at] for at in known], declared),
        int(column.codes.size - counts.sum()),
        int(known.size),
        levels=tuple((clipped(column.levels[at]), int(counts[at])) for at in frequent),
        examples=tuple(clipped(column.levels[code]) for code in _first(column.codes, column.codes >= 0)),
    )


def _level_type(column: Levels, levels: list[str], declared: str | None) -> str:
    if len(levels) < 2:
        return "constant" if levels else "empty"
    if declared is not None:
        return declared
    if column.boolean:
        return "boolean"
    if all(_DATE.fullmatch(level) for level in levels):
        return "date"
    return "category" if len(levels) <= MOST_LEVELS else "text"


def _first(cells: NDArray[Any], known: NDArray[np.bool_]) -> Iterable[Any]:
    """The first different cells that are not missing."""
    for rows in (slice(FIRST_ROWS), slice(None)):
        found = list(dict.fromkeys(cells[rows][known[rows]].tolist()))[:EXAMPLES]
        if found:
            return found
    return ()


def _told(value: float) -> str:
    return spelt(value) if np.isfinite(value) else repr(value)
