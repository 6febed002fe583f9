"""Columns of a table to columns of numbers: learnt once on training rows, applied to any table after."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from shlex import quote
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from regcli.data.columns import number
from regcli.data.table import Column, Levels, Numbers, Table, Unsupported
from regcli.errors import DataError, Location, Warn, counted

__all__ = [
    "Encoder",
    "Feature",
    "Learnt",
    "Term",
    "check_used",
    "describe",
    "learn_encoder",
    "level_order",
    "missing_rows",
]

Array = NDArray[np.float64]
Rows = NDArray[np.intp]

#: An undeclared text column with more levels than this is taken for an identifier and refused.
MOST_LEVELS = 50

#: A text column in which at least this share of the filled cells are numbers is taken for a column of numbers with
#: something else in it.
NUMBER_SHARE = 0.1

#: Squares of larger numbers overflow, those of smaller spreads vanish.
LARGEST, SMALLEST = 1e150, 1e-150

#: Offending cells shown in an error.
SHOWN = 3


@dataclass(frozen=True, slots=True)
class Term:
    """A column of the design: its name, the columns it is made of, and the level it stands for."""

    name: str
    source: str
    level: str | None = None


@dataclass(frozen=True, slots=True)
class Feature:
    """A source column and how it becomes terms.

    ``kind`` is ``number``, or ``category`` with ``levels`` in order and ``coded`` the levels that have a term.
    ``boolean`` levels are matched in any capitals.
    """

    source: str
    kind: Literal["number", "category"]
    levels: tuple[str, ...] = ()
    coded: tuple[str, ...] = ()
    boolean: bool = False

    @property
    def terms(self) -> tuple[Term, ...]:
        """The terms in order."""
        if self.kind == "number":
            return (Term(self.source, self.source),)
        return tuple(Term(f"{self.source}={level}", self.source, level) for level in self.coded)


@dataclass(frozen=True, slots=True)
class Encoder:
    """Source columns in order; ``matrix`` turns any table that has them into a design."""

    features: tuple[Feature, ...]

    @property
    def terms(self) -> tuple[Term, ...]:
        """All terms in order."""
        return tuple(term for feature in self.features for term in feature.terms)

    def matrix(
        self,
        columns: Mapping[str, Column],
        rows: Rows,
        wanted: NDArray[np.bool_] | None = None,
        *,
        unknown_is_zero: bool = False,
    ) -> Array:
        """The (r, p) design of some rows, in column order; NaN where a cell is missing or a level unknown.

        ``wanted`` marks the terms that are needed: columns of the others may be absent, and their terms are zero.
        With ``unknown_is_zero`` a level that is not known is none of the levels: all terms of its column are zero.
        """
        out = np.zeros((rows.size, len(self.terms)), order="F")
        at = 0
        for feature in self.features:
            count = len(feature.terms)
            if wanted is None or wanted[at : at + count].any():
                column = columns[feature.source]
                if isinstance(column, Numbers):
                    out[:, at] = column.values[rows]
                elif isinstance(column, Levels):
                    codes = match_levels(feature, column)[column.codes[rows]]
                    lost = column.codes[rows] < 0 if unknown_is_zero else codes < 0
                    self._categories(feature, codes, lost, out[:, at : at + count])
            at += count
        return out

    @staticmethod
    def _categories(feature: Feature, codes: Rows, lost: NDArray[np.bool_], out: Array) -> None:
        """Fill the 0/1 columns of one category; ``codes`` (r,) are positions among its levels."""
        for at, level in enumerate(feature.coded):
            out[:, at] = codes == feature.levels.index(level)
            out[lost, at] = np.nan


def match_levels(feature: Feature, column: Levels) -> NDArray[np.intp]:
    """Position of each of a column's levels among the feature's, -1 for unknown ones; one more -1 for missing.

    Booleans match in any capitals, and values that had no spelling in the file match by value.
    """
    spelt = {level: at for at, level in enumerate(feature.levels)}
    loose = feature.boolean or column.typed
    by_value = {_value(level): at for at, level in enumerate(feature.levels)} if loose else {}
    found = [spelt.get(level, by_value.get(_value(level), -1) if loose else -1) for level in column.levels]
    return np.array([*found, -1], dtype=np.intp)


def _value(level: str) -> float | str:
    """What a level stands for, in whichever spelling; larger integers are not told apart as doubles."""
    value = number(level)
    return level.casefold() if value is None or abs(value) >= 2**53 else value


def level_order(levels: Collection[str]) -> tuple[str, ...]:
    """Levels in the order that decides which is later: by value if all are numbers, else by code point."""
    numbers = {level: number(level) for level in levels}
    if all(value is not None for value in numbers.values()):
        return tuple(sorted(levels, key=lambda level: (numbers[level], level)))
    return tuple(sorted(levels))


def check_used(
    table: Table,
    names: Sequence[str],
    categorical: Collection[str],
    *,
    numeric: Collection[str],
    features: Collection[str],
    decimal: str = ".",
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
    decimal : str
        The decimal mark of the text.

    Raises
    ------
    DataError
        ``unsupported-type``; ``text-in-numeric-column``; ``probable-identifier``; ``infinite-value``; ``value-range``.
    """
    for name in names:
        column = table.columns[name]
        if isinstance(column, Unsupported):
            raise DataError(
                "unsupported-type",
                f"column {name!r} has type {column.type}, which cannot be used",
                where=Location(file=table.files[0].path, column=name),
                hint=_ways_without(name, free=name in features),
            )
        if isinstance(column, Levels) and name not in categorical:
            known = _known_numbers(column, decimal, must_be_numeric=name in numeric)
            _check_text(table, name, column, known, free=name in features)
        if isinstance(column, Numbers):
            _check_numbers(table, name, column.values, free=name in features)


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
    counts = np.bincount(column.codes[column.codes >= 0], minlength=len(column.levels))
    with_comma = all(number(level, ",") is not None for level in column.levels)
    return numeric if with_comma or counts[numeric].sum() >= NUMBER_SHARE * counts.sum() else None


def _check_text(table: Table, name: str, column: Levels, known: NDArray[np.bool_] | None, *, free: bool) -> None:
    """Refuse text that is numbers (``known`` marks them) with something in between, and text that names rows."""
    if known is not None:
        rows = np.flatnonzero((column.codes >= 0) & ~np.append(known, True)[column.codes])
        if not rows.size:  # numbers that were read as text on request
            return
        cells = [column.levels[column.codes[row]] for row in rows[:SHOWN]]
        also = "also " if known.any() else ""
        raise DataError(
            "text-in-numeric-column",
            f"column {name!r} holds numbers, but {also}{counted(rows.size, 'cell')} of text",
            where=table.locate(int(rows[0]), name),
            cells=cells,
            hint=_text_hint(name, cells, free=free),
        )
    if len(column.levels) > MOST_LEVELS:
        dates = sum(bool(re.fullmatch(r"\d{4}-\d{2}-\d{2}.*", level)) for level in column.levels)
        what = "dates" if dates == len(column.levels) else "an identifier"
        raise DataError(
            "probable-identifier",
            f"text column {name!r} has {len(column.levels):,} different cells and is probably {what}",
            where=Location(file=table.files[0].path, column=name),
            cells=column.levels[:SHOWN],
            hint=f"--drop {quote(name)}, --id {quote(name)} to carry it along, or --categorical {quote(name)} to use "
            "its levels"
            if free
            else _ways_without(name, free=False),
        )


def _text_hint(name: str, cells: Sequence[str], *, free: bool) -> str:
    """The ways out of text among numbers."""
    ways = []
    if all(re.fullmatch(r"[+-]?\d+,\d+", cell) for cell in cells):
        ways = ["--decimal ,"]
    elif not set(cells[0]) & {"\n", "\r"}:  # a list of cells cannot hold these
        cell = '"' + cells[0].replace('"', '""') + '"' if set(cells[0]) & {",", '"'} else cells[0]
        option = quote(f'"",NA,{cell}')
        ways = [f"--na-values {option} if it means missing"]
    if free:
        ways += [f"--categorical {quote(name)}", f"--drop {quote(name)}"]
    return ", or ".join(ways) or "mend the file"


def _check_numbers(table: Table, name: str, values: Array, *, free: bool) -> None:
    """Refuse infinities and magnitudes whose squares leave double precision."""
    if not values.size:
        return
    with np.errstate(invalid="ignore"):
        infinite = np.flatnonzero(np.isinf(values))
        if infinite.size:
            raise DataError(
                "infinite-value",
                f"column {name!r} has {counted(infinite.size, 'infinite cell')}",
                where=table.locate(int(infinite[0]), name),
                cells=[repr(float(values[row])) for row in infinite[:SHOWN]],
                hint=f"mend the file, or {_ways_without(name, free=free)}",
            )
        large = np.flatnonzero(np.abs(values) > LARGEST)
    if large.size:
        raise DataError(
            "value-range",
            f"column {name!r} has cells beyond {LARGEST:g}, whose squares overflow",
            where=table.locate(int(large[0]), name),
            cells=[repr(float(values[row])) for row in large[:SHOWN]],
            hint=f"give the column in larger units, or {_ways_without(name, free=free)}",
        )


def missing_rows(table: Table, names: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
    """Columns with missing cells, and where they are."""
    out = {}
    for name in names:
        column = table.columns[name]
        mask = np.isnan(column.values) if isinstance(column, Numbers) else None
        if isinstance(column, Levels):
            mask = column.codes < 0
        if mask is not None and mask.any():
            out[name] = mask
    return out


@dataclass(frozen=True, slots=True)
class Learnt:
    """An encoder, the columns that were left out and why, and what the user should know."""

    encoder: Encoder
    dropped: tuple[tuple[str, str], ...]
    warnings: tuple[Warn, ...]


def learn_encoder(
    table: Table, names: Sequence[str], rows: Rows, *, weighted: NDArray[np.bool_], reference: Collection[str] | bool
) -> Learnt:
    """Learn how source columns become terms, on training rows.

    Parameters
    ----------
    table : Table
        The data.
    names : sequence of str
        Source columns in order; none of their cells in ``rows`` is missing.
    rows : (r,) integers
        Training rows.
    weighted : (r,) booleans
        Which of them have a weight: a column that is constant over these carries nothing.
    reference : collection of str, or bool
        Columns whose first level is left out, because nothing penalises them; True for all.
    """
    features: list[Feature] = []
    dropped: list[tuple[str, str]] = []
    for name in names:
        column = table.columns[name]
        without_first = reference if isinstance(reference, bool) else name in reference
        feature = _learn(table.files[0].path, name, column, rows[weighted], without_first=without_first)
        if isinstance(feature, str):
            dropped.append((name, feature))
        else:
            features.append(feature)
    encoder = Encoder(tuple(features))
    _refuse_equal_terms(encoder.terms, table.files[0].path)
    constant = [name for name, reason in dropped if reason == "constant"]
    warnings = []
    if constant:
        what = "column has" if len(constant) == 1 else "columns have"
        warnings.append(
            Warn(
                "constant-column",
                f"{len(constant)} {what} one value only and {'was' if len(constant) == 1 else 'were'} left out: "
                + ", ".join(constant[:5])
                + (", ..." if len(constant) > 5 else ""),
                {"columns": constant},
            )
        )
    return Learnt(encoder, tuple(dropped), tuple(warnings))


def _learn(file: str, name: str, column: Column, rows: Rows, *, without_first: bool) -> Feature | str:
    """One feature, or the reason to leave its column out; ``rows`` are those with weight."""
    if isinstance(column, Numbers):
        values = column.values[rows]
        least, most = float(values.min()), float(values.max())
        if least == most:
            return "constant"
        if most - least < SMALLEST:
            raise DataError(
                "value-range",
                f"column {name!r} varies by less than {SMALLEST:g}, whose square vanishes",
                where=Location(file=file, column=name),
                hint=f"give the column in smaller units, or --drop {quote(name)}",
            )
        return Feature(name, "number")
    if not isinstance(column, Levels):
        return "unsupported"
    present = np.unique(column.codes[rows])
    levels = level_order([column.levels[code] for code in present])
    if len(levels) == 1:
        return "constant"
    coded = levels[1:] if len(levels) == 2 or without_first else levels
    return Feature(name, "category", levels, coded, boolean=column.boolean)


def _refuse_equal_terms(terms: Sequence[Term], file: str) -> None:
    """Two terms of one name could not be told apart in the result."""
    seen: dict[str, Term] = {}
    for term in terms:
        if term.name in seen:
            raise DataError(
                "duplicate-term",
                f"columns {seen[term.name].source!r} and {term.source!r} both give a term {term.name!r}",
                hint=f"rename one of the columns, or --drop {quote(term.source)}",
                where=Location(file=file, column=term.source),
            )
        seen[term.name] = term


def describe(table: Table, encoder: Encoder, rows: Rows) -> dict[str, dict[str, object]]:
    """What the training rows of each source column look like: range and quartiles, or counts of levels."""
    out: dict[str, dict[str, object]] = {}
    for feature in encoder.features:
        column = table.columns[feature.source]
        if isinstance(column, Numbers):
            marks = np.quantile(column.values[rows], [0.0, 0.25, 0.5, 0.75, 1.0])
            out[feature.source] = dict(zip(("min", "q1", "median", "q3", "max"), map(float, marks), strict=True))
        elif isinstance(column, Levels):
            counts = np.bincount(column.codes[rows], minlength=len(column.levels))
            spelt = dict(zip(column.levels, counts.tolist(), strict=True))
            out[feature.source] = {"levels": {level: spelt[level] for level in feature.levels}}
    return out
