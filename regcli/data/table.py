"""A table in memory: columns by name, and where each row came from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from regcli.errors import Location

__all__ = ["Column", "Levels", "Numbers", "SourceFile", "Table", "Unsupported"]


@dataclass(frozen=True, slots=True)
class Numbers:
    """A column of numbers: float64 (n,), NaN where a cell is missing. Infinities are kept for the caller to refuse."""

    values: NDArray[np.float64]

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Which cells (n,) are missing."""
        return np.isnan(self.values)

    @property
    def empty(self) -> bool:
        """Whether no cell is there: such a column goes as one of text, too."""
        return bool(self.missing.all())


@dataclass(frozen=True, slots=True)
class Levels:
    """A column of text or booleans: ``codes`` (n,) point into ``levels``, -1 where a cell is missing.

    Levels are the distinct cells as spelt, in code-point order. ``boolean`` is true when the file itself says so: a
    Parquet boolean, or a CSV column whose cells are all true or false in any capitals. ``typed`` is true where the file
    has values and regcli spelt them (Parquet booleans and numbers read as text): another spelling means the same.
    """

    codes: NDArray[np.int32]
    levels: tuple[str, ...]
    boolean: bool = False
    typed: bool = False

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Which cells (n,) are missing."""
        return self.codes < 0


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A column of a type that cannot be fitted on (a list, struct, blob). ``type`` is its name in the file.

    It is an error (``unsupported-type``) only where the column is used. ``row`` is the first such cell's, where cells
    have types of their own (JSON).
    """

    type: str
    row: int | None = None


Column = Numbers | Levels | Unsupported


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One input: the path as given (``-`` for standard input), its SHA-256, its number of rows.

    In a chunk of a table that is read piecewise the hash is empty and ``rows`` counts the chunk.
    """

    path: str
    sha256: str
    rows: int


@dataclass(frozen=True)
class Table:
    """Columns in the file's order, all of ``rows`` cells.

    ``locate(row, column)`` gives the file and line (or row number) of a cell, for error messages only: it may read the
    file again. Rows count from 0, lines from 1. ``leading_zeros`` names columns read as numbers in which a cell such as
    ``007`` was seen. Only chunks fill the last two: ``bad_cells`` are those that are no numbers although their column
    is one of numbers, by column and row, as spelt (their value is NaN), ``raw`` the input cells as spelt.
    """

    files: tuple[SourceFile, ...]
    format: Literal["csv", "parquet", "jsonl", "feather", "svm", "npz", "mtx"]
    columns: Mapping[str, Column]
    rows: int
    locate: Callable[[int, str | None], Location]
    delimiter: str | None = None
    delimiter_guessed: bool = False
    leading_zeros: tuple[str, ...] = ()
    bad_cells: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    raw: Mapping[str, NDArray[np.object_]] | None = None

    @property
    def bad_rows(self) -> frozenset[int]:
        """Rows with a cell that is no number in a column of numbers."""
        return frozenset(row for cells in self.bad_cells.values() for row in cells)
