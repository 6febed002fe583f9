"""From cells to columns: which cells are numbers, which columns are booleans, levels in order."""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regcli.data.distinct import coded
from regcli.data.table import Levels, Numbers

__all__ = [
    "absent_values",
    "as_boolean",
    "beside",
    "concatenate_levels",
    "concatenate_numbers",
    "levels_without",
    "number",
    "numbers_of",
    "numbers_without",
    "rounded_values",
    "same_values",
    "sorted_levels",
    "spelt_levels",
    "value_of",
]

#: What pandas' C reader takes for a number (tests/unit/data hold the two against each other).
_NUMBER = {
    mark: re.compile(
        rf"\s*([+-]?(?:\d+(?:{point}\d*)?|{point}\d+)(?:e[+-]?\d+)?)\s*|[+-]?inf(?:inity)?", re.IGNORECASE | re.ASCII
    )
    for mark, point in ((".", r"\."), (",", ","))
}

#: How values of whole numbers are spelt where their type is one of integers.
_WHOLE = re.compile(r"-?\d+", re.ASCII)

#: Larger integers are not told apart as doubles.
_EXACT = 2**53


def number(cell: str, decimal: str = ".") -> float | None:
    """Read one cell as the CSV reader does: the nearest double, zero without a sign; None if it is not a number."""
    match = _NUMBER[decimal].fullmatch(cell)
    return None if match is None else float((match[1] or cell).replace(",", ".")) + 0.0


def absent_values(missing: Collection[str], decimal: str = ".") -> frozenset[float]:
    """The numbers among cells that mean missing, written with this decimal mark or a point: any spelling means it."""
    both = (number(cell, mark) for cell in missing for mark in (decimal, "."))
    return frozenset(value for value in both if value is not None)


def rounded_values(absent: Collection[float], kind: np.dtype[Any]) -> frozenset[float]:
    """Numbers that mean missing, and what becomes of them in cells of a type with fewer digits than a double."""
    if kind.kind != "f" or not absent:
        return frozenset(absent)
    with np.errstate(over="ignore"):
        rounded = np.array([*absent]).astype(kind).astype(np.float64)
    return frozenset(absent).union(rounded[np.isfinite(rounded)].tolist())


def numbers_without(numbers: NDArray[np.float64], absent: Collection[float]) -> NDArray[np.float64]:
    """Make NaN of the numbers that mean missing."""
    return np.where(np.isin(numbers, [*absent]), np.nan, numbers) if absent else numbers


def levels_without(column: Levels, absent: Collection[float]) -> Levels:
    """Make missing cells of the levels that are numbers which mean missing, however they are spelt."""
    gone = [level for level in column.levels if number(level) in absent] if absent else []
    left = sorted_levels(column.codes, column.levels, gone)
    return replace(column, codes=left.codes, levels=left.levels) if gone else column


def sorted_levels(codes: NDArray[Any], uniques: Sequence[str], missing: Collection[str] = ()) -> Levels:
    """Put levels in code-point order; those in ``missing`` become missing cells.

    Parameters
    ----------
    codes : ndarray of int, shape (n,)
        Positions in ``uniques``, -1 where a cell is missing.
    uniques : sequence of str
        Distinct cells in any order.
    missing : collection of str
        Cells that mean missing.
    """
    absent = frozenset(missing)
    order = sorted((at for at, cell in enumerate(uniques) if cell not in absent), key=uniques.__getitem__)
    place = np.full(len(uniques) + 1, -1, dtype=np.int32)  # the last entry serves code -1
    place[order] = np.arange(len(order), dtype=np.int32)
    return Levels(place[codes], tuple(uniques[at] for at in order))


def spelt_levels(cells: Any, missing: Collection[str] = ()) -> Levels:  # noqa: ANN401  (a Series or an object array)
    """Factorize a column of text; NaN and None are missing."""
    codes, values = coded(cells)
    return sorted_levels(codes, [str(cell) for cell in values], missing)


def as_boolean(column: Levels, *, same_spelling: bool = True) -> Levels:
    """Mark a column whose levels are all true or false, in any capitals, as boolean; return others unchanged.

    With ``same_spelling``, mixed spellings become False and True, and so do values that have text beside them.
    """
    folded = [level.casefold() for level in column.levels]
    if not folded or not {"true", "false"}.issuperset(folded):
        return column
    if same_spelling and (len(set(folded)) < len(folded) or column.texts):
        names = ("False", "True")
        known = tuple(name for name in names if name.casefold() in folded)
        place = np.array([*(known.index(cell.capitalize()) for cell in folded), -1], dtype=np.int32)
        return Levels(place[column.codes], known, boolean=True, typed=column.typed)
    return replace(column, boolean=True)


def numbers_of(column: Levels, decimal: str = ".", missing: Collection[str] = ()) -> tuple[Numbers, frozenset[int]]:
    """Read the levels of a column as numbers.

    Parameters
    ----------
    column : Levels
        Cells as spelt.
    decimal : str
        The decimal mark.
    missing : collection of str
        Cells that mean missing; one that is a number stands for all its spellings.

    Returns
    -------
    numbers : Numbers
        NaN where a cell is missing or no number.
    bad : frozenset of int
        Codes of the levels that are no numbers.
    """
    absent = absent_values(missing, decimal)
    found = [number(level, decimal) for level in column.levels]
    bad = frozenset(code for code, value in enumerate(found) if value is None)
    known = [np.nan if value is None or value in absent else value for value in found]
    return Numbers(np.array([*known, np.nan], dtype=np.float64)[column.codes]), bad


def value_of(level: str) -> float | str:
    """What a level stands for, in whichever spelling: a number, or text without its capitals, which booleans may have.

    Integers beyond 2^53 stand for their digits.
    """
    value = number(level)
    return level.casefold() if value is None or abs(value) >= _EXACT else value


def concatenate_levels(columns: Iterable[Levels]) -> Levels:
    """Stack columns of levels, each value one level (see ``same_values``); boolean if all that have a level are."""
    parts = list(columns)
    stacked = same_values(_in_one(parts, np.concatenate))
    return as_boolean(stacked) if all(part.boolean for part in parts if part.levels) else stacked


def beside(one: Levels, other: Levels) -> Levels:
    """Put two columns into one, where a row has a cell in one of them at most. A value and a text stay two levels."""
    return _in_one([one, other], np.maximum.reduce)


def same_values(column: Levels) -> Levels:
    """Make one level of a value that files spell in several ways: 3 and 3.0, ``true`` and ``"true"``.

    Text keeps its spelling, and a value is the text that is spelt as it is or else means it, if there is one. Where one
    file has whole numbers without a point, values of all files are spelt so.
    """
    if not column.typed:
        return column
    names = _names(column)
    known = sorted(set(names))
    place = {name: code for code, name in enumerate(known)}
    codes = np.array([*(place[name] for name in names), -1], dtype=np.int32)[column.codes]
    texts = frozenset(place[column.levels[code]] for code in column.texts)
    return replace(column, codes=codes, levels=tuple(known), texts=texts)


def _names(column: Levels) -> list[str]:
    """What each level of a column with values is called where a value has one name."""
    values = [level for code, level in enumerate(column.levels) if column.is_value(code)]
    texts = {column.levels[code] for code in column.texts}
    named: dict[float | str, str] = {}
    if any(_WHOLE.fullmatch(level) for level in values):
        found = map(value_of, values)
        named = {value: str(int(value)) for value in found if isinstance(value, float) and value.is_integer()}
    for level in sorted(values, key=lambda level: (len(level), level)):
        named.setdefault(value_of(level), level)
    named |= {value_of(text): text for text in sorted(texts)}
    return [
        named[value_of(level)] if column.is_value(code) and level not in texts else level
        for code, level in enumerate(column.levels)
    ]


def _in_one(parts: Sequence[Levels], join: Callable[[list[NDArray[np.int32]]], NDArray[np.int32]]) -> Levels:
    """Columns of levels as one, their codes joined; where there are values, a text that is spelt as one stays apart."""
    typed = any(part.typed for part in parts)
    keys: list[Sequence[Any]] = [
        [(level, part.is_value(code)) for code, level in enumerate(part.levels)] if typed else part.levels
        for part in parts
    ]
    union = sorted({key for each in keys for key in each})
    place = {key: code for code, key in enumerate(union)}
    codes = [
        np.array([*(place[key] for key in each), -1], dtype=np.int32)[part.codes]
        for each, part in zip(keys, parts, strict=True)
    ]
    if not typed:
        return Levels(join(codes), tuple(union))
    texts = frozenset(code for code, (_, is_value) in enumerate(union) if not is_value)
    return Levels(join(codes), tuple(level for level, _ in union), typed=True, texts=texts)


def concatenate_numbers(columns: Sequence[Numbers]) -> Numbers:
    """Stack columns of numbers; zeros are left out where all of them leave them out."""
    places, rows = [], 0
    for column in columns:
        if column.places is None:
            return Numbers(np.concatenate([each.values for each in columns]))
        places.append(column.places + rows)
        rows += column.size
    return Numbers(np.concatenate([each.cells for each in columns]), np.concatenate(places).astype(np.int32), rows)
