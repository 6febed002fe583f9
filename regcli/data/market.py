"""Matrix Market: matrices as text, by entries or column by column.

A reader of its own: the one in SciPy 1.17 crashes the process on a file that is cut in the middle of a line.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NoReturn

import numpy as np
from numpy.typing import NDArray

from regcli.data.dialect import Dialect
from regcli.data.lines import Line, numbered_lines
from regcli.data.sparse import NUMBER, check_size
from regcli.errors import DataError, Location

__all__ = ["read_market"]

Array = NDArray[np.float64]

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


def read_market(stream: BinaryIO, file: str, dialect: Dialect) -> Array | None:
    """Read a matrix (n, p), dense and in column order; None of a file without a line.

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
    check_size(file, header.rows, header.columns)
    index, values = _entries(file, header, body)
    return _dense(header, index, values)


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


def _entries(file: str, header: _Header, body: Iterator[Line]) -> tuple[NDArray[np.int64], Array]:
    """Entries as places (k, 2) from 1, empty for arrays, and values (k,)."""
    index: list[int] = []
    values: list[float] = []
    seen: set[tuple[int, int]] = set()
    match = header.entry.fullmatch
    count = 0
    for line in body:
        found = match(line[1])
        if found is None:
            _broken(file, line, "it is no entry")
        count += 1
        if count > header.entries:
            _broken(file, line, f"{header.entries:,} entries were announced, and this is one more")
        words = found.groups()
        if header.form == "coordinate":
            place = (int(words[0]), int(words[1]))
            if not (1 <= place[0] <= header.rows and 1 <= place[1] <= header.columns):
                _broken(file, line, f"the matrix has {header.rows:,} rows and {header.columns:,} columns")
            if place in seen:
                _broken(file, line, "this place has a value already")
            seen.add(place)
            index += place
        values.append(1.0 if header.pattern else float(words[-1]))
    if count < header.entries:
        raise DataError(
            "file-unreadable",
            f"{file} has {count:,} of {header.entries:,} entries: it is cut short",
            where=Location(file=file),
            hint="copy it again",
        )
    return np.array(index, dtype=np.int64).reshape(-1, 2), np.array(values)


def _dense(header: _Header, index: NDArray[np.int64], values: Array) -> Array:
    shape = (header.rows, header.columns)
    out = np.zeros(shape, order="F")
    if header.form == "coordinate":
        row, column = index[:, 0] - 1, index[:, 1] - 1
    elif header.symmetry == "general":
        return np.asfortranarray(values.reshape(shape[1], shape[0]).T)
    else:
        column, row = np.triu_indices(shape[0], int(header.symmetry != "symmetric"))
    out[row, column] = values
    if header.symmetry != "general":
        out[column, row] = values if header.symmetry == "symmetric" else -values
    return out
