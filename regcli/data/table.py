"""A table in memory: columns by name, and where each row came from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from regcli.errors import Location

__all__ = ["Column", "Levels", "Numbers", "SourceFile", "Table"]


@dataclass(frozen=True, slots=True)
class Numbers:
    """A column of numbers: float64 (n,), NaN where a cell is missing. Infinities are kept for the caller to refuse."""

    values: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Levels:
    """A column of text or booleans: ``codes`` (n,) point into ``levels``, -1 where a cell is missing.

    Levels are the distinct cells as spelt, in code-point order. ``boolean`` is true when the file itself says so: a
    Parquet boolean, or a CSV column whose cells are all true or false in any capitals.
    """

    codes: NDArray[np.int32]
    levels: tuple[str, ...]
    boolean: bool = False


Column = Numbers | Levels


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One input: the path as given (``-`` for standard input), its SHA-256, its number of rows."""

    path: str
    sha256: str
    rows: int


@dataclass(frozen=True)
class Table:
    """Columns in the file's order, all of ``rows`` cells.

    ``locate(row, column)`` gives the file and line (or row number) of a cell, for error messages only: it may read the
    file again. ``leading_zeros`` names columns read as numbers in which a cell such as ``007`` was seen.
    """

    files: tuple[SourceFile, ...]
    format: Literal["csv", "parquet"]
    columns: Mapping[str, Column]
    rows: int
    locate: Callable[[int, str | None], Location]
    delimiter: str | None = None
    delimiter_guessed: bool = False
    leading_zeros: tuple[str, ...] = ()
