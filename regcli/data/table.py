"""A table in memory: columns by name, and where each row came from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from regcli.errors import Location

__all__ = ["Column", "Levels", "Numbers", "SourceFile", "Table", "Unsupported", "is_index"]

#: From here on not every integer is a double.
_EXACT = 2.0**53

#: Digits of the longest number of a column: any of so many fits 64 bits.
_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Numbers:
    """A column of numbers: float64, NaN where a cell is missing. Infinities are kept for the caller to refuse.

    ``cells`` are those of all rows (n,); or, in a column of which most are zero, those (k,) that are not, in the rows
    ``places`` (k,), which rise, of ``among`` rows.
    """

    cells: NDArray[np.float64]
    places: NDArray[np.int32] | None = None
    among: int = 0

    @property
    def size(self) -> int:
        """The number of rows n."""
        return self.cells.size if self.places is None else self.among

    @property
    def values(self) -> NDArray[np.float64]:
        """The cells of all rows (n,): a copy where zeros are left out."""
        if self.places is None:
            return self.cells
        out = np.zeros(self.among)
        out[self.places] = self.cells
        return out

    @property
    def occurring(self) -> NDArray[np.float64]:
        """Every number that some cell has, at least once; without zeros left out these are all cells that are there."""
        cells = self.cells[~np.isnan(self.cells)]
        return cells if self.cells.size == self.size else np.append(cells, 0.0)

    @property
    def extent(self) -> tuple[float, float]:
        """The least and the largest number; NaN where a cell is missing, or none is there."""
        if not self.cells.size:
            return (0.0, 0.0) if self.among else (np.nan, np.nan)
        low, high = float(self.cells.min()), float(self.cells.max())
        return (low, high) if self.cells.size == self.size else (min(low, 0.0), max(high, 0.0))

    @property
    def rounded(self) -> bool:
        """Whether cells may have been integers with more digits than a double holds."""
        return bool(np.abs(self.cells[~np.isnan(self.cells)]).max(initial=0.0) >= _EXACT)

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Which cells (n,) are missing."""
        return self.where(np.isnan)

    @property
    def gapped(self) -> bool:
        """Whether some cell is missing."""
        return bool(np.isnan(self.cells).any())

    @property
    def empty(self) -> bool:
        """Whether no cell is there: such a column goes as one of text, too."""
        return self.cells.size == self.size and bool(np.isnan(self.cells).all())

    def where(self, test: Callable[[NDArray[np.float64]], NDArray[np.bool_]]) -> NDArray[np.bool_]:
        """In which rows (n,) something is true of the cell."""
        found = test(self.cells)
        if self.places is None:
            return found
        out = np.full(self.among, bool(test(np.zeros(1))[0]))
        out[self.places] = found
        return out

    def cell(self, row: int) -> float:
        """The cell of one row."""
        if self.places is None:
            return float(self.cells[row])
        at = int(np.searchsorted(self.places, row))
        return float(self.cells[at]) if at < self.places.size and self.places[at] == row else 0.0

    def row_of(self, at: int) -> int:
        """The row of one of ``cells``."""
        return at if self.places is None else int(self.places[at])

    def taken(self, rows: NDArray[np.intp]) -> Self:
        """The cells of some rows (r,), which rise."""
        if rows.size == self.size:
            return self
        if self.places is None:
            return replace(self, cells=self.cells[rows])
        at = np.searchsorted(rows, self.places)
        found = rows[np.minimum(at, rows.size - 1)] == self.places if rows.size else np.zeros(at.size, dtype=bool)
        return replace(self, cells=self.cells[found], places=at[found].astype(np.int32), among=rows.size)


@dataclass(frozen=True, slots=True)
class Levels:
    """A column of text or booleans: ``codes`` (n,) point into ``levels``, -1 where a cell is missing.

    Levels are the distinct cells as spelt, in code-point order. ``boolean`` is true when the file itself says so: a
    Parquet boolean, or a CSV column whose cells are all true or false in any capitals. ``typed`` is true where the file
    has values and regcli spelt them (Parquet booleans and numbers read as text, booleans of JSON): another spelling
    means the same. Where there is text beside them, ``texts`` are the codes of the levels that are text; only in chunks
    a level of text may then be spelt as a value is.
    """

    codes: NDArray[np.int32]
    levels: tuple[str, ...]
    boolean: bool = False
    typed: bool = False
    texts: frozenset[int] = frozenset()

    def is_value(self, code: int) -> bool:
        """Whether a level is a value that regcli spelt, rather than text of the file."""
        return self.typed and code not in self.texts

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Which cells (n,) are missing."""
        return self.codes < 0

    @property
    def gapped(self) -> bool:
        """Whether some cell is missing."""
        return bool((self.codes < 0).any())

    @property
    def counts(self) -> NDArray[np.intp]:
        """In how many rows each level is."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.levels))

    def taken(self, rows: NDArray[np.intp]) -> Self:
        """The cells of some rows (r,); the levels stay."""
        return replace(self, codes=self.codes[rows])


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A column of a type that cannot be fitted on (a list, struct, blob). ``type`` is its name in the file.

    It is an error (``unsupported-type``) only where the column is used. ``row`` is the first such cell's, where cells
    have types of their own (JSON); ``mixed`` are numbers and text, which would all do as text.
    """

    type: str
    row: int | None = None
    mixed: bool = False


Column = Numbers | Levels | Unsupported


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One input: the path as given (``-`` for standard input), its SHA-256, its number of rows.

    In a chunk of a table that is read piecewise the hash is empty and ``rows`` counts the chunk.
    """

    path: str
    sha256: str
    rows: int


@dataclass(frozen=True, slots=True)
class Lines:
    """Rows as a text has them, one a line: cells with commas between, and no quotes.

    What is written along with them need not take them apart, which would take longer than all the rest.
    """

    names: tuple[str, ...]
    lines: list[str]

    def columns(self) -> dict[str, NDArray[np.object_]]:
        """The cells, by column."""
        cells = np.array([line.split(",") for line in self.lines], dtype=object).reshape(-1, len(self.names))
        return {name: cells[:, at] for at, name in enumerate(self.names)}


def is_index(name: str) -> bool:
    """Whether a name is the number of a column, as formats have it that call columns by these."""
    return name.isascii() and name.isdigit() and len(name) <= _DIGITS and str(int(name)) == name


@dataclass(frozen=True)
class Table:
    """Columns in the file's order, all of ``rows`` cells.

    ``locate(row, column)`` gives the file and line (or row number) of a cell, for error messages only: it may read the
    file again. Rows count from 0, lines from 1. ``leading_zeros`` names columns read as numbers in which a cell such as
    ``007`` was seen. Only chunks fill the rest: ``bad_cells`` are those that are no numbers although their column
    is one of numbers, by column and row, as spelt (their value is NaN), ``raw`` the input cells as spelt, as ``Lines``
    where they are all asked for and written so. Of JSON Lines ``nested`` are cells that are lists or objects, as spelt
    (their value is missing), and ``first_rows`` says of columns that rows before this chunk lack which row of it is the
    first that has them: ``rows`` if none does. Of LIBSVM, in which a column that is not there is zero, ``begins`` are
    the columns up to the last that is asked for or that the first row of the file names: of its first chunk, where all
    cells are kept.
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
    raw: Mapping[str, NDArray[np.object_]] | Lines | None = None
    nested: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    first_rows: Mapping[str, int] = field(default_factory=dict)
    begins: tuple[str, ...] = ()

    def lacks(self, name: str) -> bool:
        """Whether no row up to the end of this chunk has a column, which stands there as missing cells."""
        return bool(self.rows) and self.first_rows.get(name, 0) == self.rows

    def begins_with(self, name: str) -> bool:
        """Whether there is a column that the first row of this chunk, or one before it, has."""
        return name in self.columns and not self.first_rows.get(name, 0)

    def is_zero(self, name: str) -> bool:
        """Whether a column is one of zeros because no row has it: one with a number as its name, of LIBSVM."""
        return self.format == "svm" and name not in self.columns and is_index(name)

    @property
    def spelt(self) -> Mapping[str, NDArray[np.object_]]:
        """Input cells as spelt, by column; empty where none were kept."""
        return self.raw.columns() if isinstance(self.raw, Lines) else self.raw or {}
