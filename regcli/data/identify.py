"""Columns whose cells name the rows."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regcli.data.distinct import count_distinct, numbered
from regcli.data.table import Column, Numbers

__all__ = ["LEAST_ROWS", "Identifier", "named", "numbers_rows"]

Array = NDArray[np.float64]

#: With fewer rows it is no wonder that all cells differ, or that levels go with the target.
LEAST_ROWS = 20

#: Names that say that a column names rows.
_ID_NAME = re.compile(r"(?i:(.*[_ .-])?(id|ids|uuid|guid|key|index|rowid|nr|no)|unnamed: ?\d+)|.*[a-z]I[dD]", re.ASCII)

#: Integers that are taken for years, as far as data reach.
_YEARS = (1500, 2200)


@dataclass(frozen=True, slots=True)
class Identifier:
    """A column that seems to name rows, and why: the first reason is that all cells differ."""

    column: str
    reasons: tuple[str, ...]

    @property
    def probable(self) -> bool:
        """Whether there is more to say than that its cells differ."""
        return len(self.reasons) > 1


def numbers_rows(name: str, column: Column) -> Identifier | None:
    """Whether a column holds integers that probably name the rows. Most columns are told by their first few cells."""
    if not isinstance(column, Numbers) or column.size - column.cells.size > 1:  # two zeros do not differ
        return None
    first = column.values[:LEAST_ROWS]
    if len(set(first.tolist())) < first.size or not _whole(first[~np.isnan(first)]):
        return None
    values = column.values[~np.isnan(column.values)]
    if values.size < LEAST_ROWS or not _whole(values) or count_distinct(numbered(values)) < values.size:
        return None
    found = named(name, values.size, values)
    return found if found.probable else None


def _whole(values: Array) -> bool:
    return bool((values == np.floor(values)).all() and np.isfinite(values).all())


def named(name: str, filled: int, values: Array | None) -> Identifier:
    """Why a column whose cells all differ seems to name rows; ``values`` are its integers, None of text."""
    reasons = [f"all {filled:,} cells differ"]
    if values is not None:
        reasons += _in_sequence(values)
    if _ID_NAME.fullmatch(name):
        reasons.append("so says its name")
    return Identifier(name, tuple(reasons))


def _in_sequence(values: Array) -> Iterator[str]:
    """Whether integers count the rows, or are in order. Years do so too where there is a row a year."""
    least, most = float(values.min()), float(values.max())
    if _YEARS[0] <= least <= most <= _YEARS[1]:
        return
    steps = np.diff(values)
    if most - least == values.size - 1:
        yield f"they are the integers from {least:.0f} to {most:.0f}"
    elif bool((steps > 0).all() or (steps < 0).all()):
        yield "they are in order"
