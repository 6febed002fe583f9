"""Matrix Market: matrices as text, by entries or column by column.

A reader of its own: the one in SciPy 1.17 crashes the process on a file that is cut in the middle of a line.
"""

import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, NoReturn

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from regcli.data.dialect import Dialect
from regcli.data.lines import Line, numbered_lines
from regcli.data.sparse import check_size
from regcli.data.svm import NUMBER
from regcli.errors import DataError, Location

__all__ = ["read_market"]

Array = NDArray[np.float64]
Places = NDArray[np.int64]

_HEADER = re.compile(
    rb"%%MatrixMarket\s+matrix\s+(coordinate|array)\s+(real|double|integer|pattern)\s+"
    rb"(general|symmetric|skew-symmetric)\s*",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class _Header:
    """What the first lines say."""

    form: str
    pattern: bool
    symmetry: str
    rows: int
    columns: int
    entries: int

    @property
    def entry(self) -> re.Pattern[bytes]:
        words = [rb"(\d{1,18})", rb"(\d{1,18})"] if self.form == "coordinate" else []
        words += [] if self.pattern else [rb"(" + NUMBER + rb")"]
        return re.compile(rb"\s*" + rb"\s+".join(words) + rb"\s*", re.IGNORECASE)


def read_market(stream: BinaryIO, file: str, dialect: Dialect) -> sparse.coo_array | None:
    """Read a matrix (n, p) by its entries; None of a file without a line.

    Raises
    ------
    DataError
        ``broken-line`` with the line; ``file-unreadable`` where entries are missing.
    ResourceError
        ``table-too-large``.
    """
    lines = (line for some in numbered_lines(stream, file, dialect) for line in some)
    first = next(lines, None)
    if first is None:
        return None
    body = (line for line in lines if not line[1].lstrip().startswith(b"%"))
    header = _header(file, first, next(body, None))
    check_size(file, header.rows, header.columns, header.entries)
    return _whole(header, *_entries(file, header, body))


def _broken(file: str, line: Line, said: str) -> NoReturn:
    shown = line[1][:60].decode("utf-8", "replace")
    raise DataError(
        "broken-line",
        f"{file}: line {line[0]} is not Matrix Market: {said}",
        where=Location(file=file, line=line[0]),
        cells=(shown,),
        hint="after a first line %%MatrixMarket matrix ... and one of sizes come entries: ROW COLUMN VALUE, from 1",
    )


def _header(file: str, first: Line, sizes: Line | None) -> _Header:
    found = _HEADER.fullmatch(first[1])
    if found is None:
        _broken(file, first, "it does not say %%MatrixMarket matrix coordinate|array real|integer|pattern general")
    form, field, symmetry = (word.decode().lower() for word in found.groups())
    if sizes is None:
        _broken(file, first, "the line of sizes is missing")
    words = sizes[1].split()
    if len(words) != (3 if form == "coordinate" else 2) or not all(re.fullmatch(rb"\d{1,15}", word) for word in words):
        _broken(file, sizes, "it holds no sizes")
    rows, columns = int(words[0]), int(words[1])
    if symmetry != "general" and rows != columns:
        _broken(file, sizes, "a symmetric matrix has as many rows as columns")
    if form == "array" and field == "pattern":
        _broken(file, first, "an array has cells, no pattern")
    return _Header(form, field == "pattern", symmetry, rows, columns, _expected(form, symmetry, rows, columns, words))


def _expected(form: str, symmetry: str, rows: int, columns: int, words: list[bytes]) -> int:
    """The number of entries: as announced, or those of a matrix or of its lower half."""
    if form == "coordinate":
        return int(words[2])
    if symmetry == "general":
        return rows * columns
    return rows * (rows + 1) // 2 if symmetry == "symmetric" else rows * (rows - 1) // 2


def _entries(file: str, header: _Header, body: Iterator[Line]) -> tuple[Places, Array]:
    """Entries as places (k,) counted along the rows, of arrays down the columns, and values (k,)."""
    places, values, lines = array("q"), array("d"), array("q")
    match, coordinate = header.entry.fullmatch, header.form == "coordinate"
    for line in body:
        found = match(line[1])
        if found is None:
            _broken(file, line, "it is no entry")
        if len(values) == header.entries:
            _broken(file, line, f"{header.entries:,} entries were announced, and this is one more")
        words = found.groups()
        if coordinate:
            row, column = int(words[0]), int(words[1])
            if not (1 <= row <= header.rows and 1 <= column <= header.columns):
                _broken(file, line, f"the matrix has {header.rows:,} rows and {header.columns:,} columns")
            places.append((row - 1) * header.columns + column - 1)
            lines.append(line[0])
        values.append(1.0 if header.pattern else float(words[-1]))
    if len(values) < header.entries:
        raise DataError(
            "file-unreadable",
            f"{file} has {len(values):,} of {header.entries:,} entries: it is cut short",
            where=Location(file=file),
            hint="copy it again",
        )
    _refuse_twice(file, header, np.asarray(places), lines)
    return np.asarray(places), np.asarray(values)


def _refuse_twice(file: str, header: _Header, places: Places, lines: Sequence[int]) -> None:
    """A place has one value."""
    row, column = np.divmod(places, max(header.columns, 1))
    if header.symmetry != "general":  # a place and its mirror image are one
        places = np.maximum(row, column) * header.columns + np.minimum(row, column)
    order = np.argsort(places, kind="stable")
    again = order[1:][places[order[1:]] == places[order[:-1]]]
    if again.size:
        at = int(again.min())
        _broken(file, (lines[at], b"%d %d" % (row[at] + 1, column[at] + 1)), "this place has a value already")


def _whole(header: _Header, places: Places, values: Array) -> sparse.coo_array:
    """The matrix of its entries, the other half of a symmetric one with them."""
    shape = (header.rows, header.columns)
    if header.form == "coordinate":
        row, column = np.divmod(places, header.columns)
    elif header.symmetry == "general":
        return sparse.coo_array(values.reshape(shape[1], shape[0]).T)
    else:
        column, row = np.triu_indices(shape[0], int(header.symmetry != "symmetric"))
    if header.symmetry != "general":
        sign, other = (1.0 if header.symmetry == "symmetric" else -1.0), row != column
        row, column = np.concatenate([row, column[other]]), np.concatenate([column, row[other]])
        values = np.concatenate([values, sign * values[other]])
    return sparse.coo_array((values, (row, column)), shape=shape)
