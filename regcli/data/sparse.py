"""Tables of which most cells are zero: LIBSVM, Matrix Market, npz. Read into dense columns, up to a bound.

Columns are called by their numbers, from 1. What the bound forbids is refused before memory is taken.
"""

import hashlib
import re
from collections.abc import Callable, Collection, Iterator
from typing import Any, BinaryIO, NoReturn

import numpy as np
from numpy.typing import NDArray

from regcli.data.columns import spelt_levels
from regcli.data.dialect import Dialect
from regcli.data.lines import numbered_lines
from regcli.data.plan import NOT_READ, ChunkPlan
from regcli.data.source import Source, would_wait
from regcli.data.table import Column, Numbers, SourceFile, Table
from regcli.data.text import empty_file
from regcli.errors import DataError, Location, ResourceError

__all__ = ["LARGEST", "NUMBER", "TARGET", "check_size", "numbered", "read_svm", "svm_chunks", "svm_names"]

Array = NDArray[np.float64]

#: What the column of labels is called.
TARGET = "target"

#: Bytes that the dense columns of a sparse table may take. The table, its design and a few lanes then fit 16 GB.
LARGEST = 2**31

#: A number as these formats spell it.
NUMBER = rb"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?:inf|nan)"
_PAIR = re.compile(rb"(\d{1,18}):(" + NUMBER + rb")", re.IGNORECASE)
_LINE = re.compile(rb"\s*(" + NUMBER + rb")(?:\s+qid:\d+)?((?:\s+\d{1,18}:(?:" + NUMBER + rb"))*)\s*", re.IGNORECASE)


def check_size(file: str, rows: int, columns: int) -> None:
    """Refuse a sparse table that would take too much memory as a dense one.

    Raises
    ------
    ResourceError
        ``table-too-large``.
    """
    if 8 * rows * columns > LARGEST:
        raise ResourceError(
            "table-too-large",
            f"{file} has {rows:,} rows and {columns:,} columns, zeros and all: {8 * rows * columns / 1e9:.1f} GB of at "
            f"most {LARGEST / 1e9:.1f}",
            where=Location(file=file),
            hint="take fewer rows, or leave out columns that are hardly ever other than zero",
        )


def numbered(columns: int, first: int = 1) -> tuple[str, ...]:
    """Names of columns that have none."""
    return tuple(map(str, range(first, first + columns)))


class _Rows:
    """Rows of a LIBSVM file as they are read: labels, and the place and value of each cell that is given."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.labels: list[float] = []
        self.lines: list[int] = []
        self.sizes: list[int] = []
        self.index: list[int] = []
        self.cells: list[float] = []

    def add(self, line: int, text: bytes) -> None:
        """Take in a line."""
        bare = text.partition(b"#")[0]
        if not bare.strip():
            return
        match = _LINE.fullmatch(bare)
        if match is None:
            self._refuse(line, bare)
        words = match[2].replace(b":", b" ").split()
        index = list(map(int, words[::2]))
        if len(set(index)) < len(index):
            name = str(next(at for at in index if index.count(at) > 1))
            raise DataError(
                "duplicate-column",
                f"{self.file}: line {line} gives column {name} twice",
                where=Location(file=self.file, line=line, column=name),
                hint="take one of them out",
            )
        self.labels.append(float(match[1]))
        self.lines.append(line)
        self.sizes.append(len(index))
        self.index += index
        self.cells += map(float, words[1::2])

    def _refuse(self, line: int, text: bytes) -> NoReturn:
        words = text.split()
        bad = words[0]
        if re.fullmatch(NUMBER, bad, re.IGNORECASE):
            bad = next((word for word in words[1:] if not _PAIR.fullmatch(word) and not word.startswith(b"qid:")), bad)
            what = "is no INDEX:VALUE"
        else:
            what = "is no number to predict"
        shown = bad[:60].decode("utf-8", "replace")
        raise DataError(
            "broken-line",
            f"{self.file}: line {line} is not LIBSVM: {shown!r} {what}",
            hint="lines are LABEL INDEX:VALUE INDEX:VALUE ..., with one number as the label",
            where=Location(file=self.file, line=line),
            cells=(shown,),
        )

    def columns(self, wanted: Collection[int]) -> dict[int, Array]:
        """Dense columns, zero where nothing is given."""
        rows = len(self.labels)
        check_size(self.file, rows, len(wanted))
        index = np.array(self.index, dtype=np.int64)
        cells, row = np.array(self.cells), np.repeat(np.arange(rows), self.sizes)
        order = np.argsort(index, kind="stable")
        index, cells, row = index[order], cells[order], row[order]
        out = {}
        for at in sorted(wanted):
            low, high = np.searchsorted(index, (at, at + 1))
            column = np.zeros(rows)
            column[row[low:high]] = cells[low:high]
            out[at] = column
        return out

    def locator(self) -> Callable[[int, str | None], Location]:
        """Where rows are."""
        file, lines = self.file, self.lines
        return lambda row, column: Location(file=file, line=lines[row], column=column)


def read_svm(source: Source, dialect: Dialect, is_text: Callable[[str], bool], expected: Collection[str]) -> Table:
    """Read a LIBSVM file: columns ``1`` to ``p`` (from ``0`` where that is used), and last ``target``.

    ``expected`` are columns that are there even if no line gives a cell of them.

    Raises
    ------
    DataError
        ``broken-line`` and ``duplicate-column`` with the line.
    ResourceError
        ``table-too-large``.
    """
    before, digest = source.state(), hashlib.sha256()
    rows = _Rows(source.name)
    with source.open(digest.update) as stream:
        for lines in numbered_lines(stream, source.name, dialect):
            for line, text in lines:
                rows.add(line, text)
    source.check_state(before)
    count = len(rows.labels)
    if not count:
        raise empty_file(source.name, header=False)
    known = [int(name) for name in expected if _is_index(name)]
    first, last = min([1, *rows.index, *known]), max([0, *rows.index, *known])
    check_size(source.name, count, last + 1 - first)
    made = {str(at): column for at, column in rows.columns(range(first, last + 1)).items()}
    made[TARGET] = np.array(rows.labels)
    columns = {name: _read_as(values, as_text=is_text(name)) for name, values in made.items()}
    file = SourceFile(source.name, digest.hexdigest(), count)
    return Table((file,), "svm", columns, count, rows.locator())


def svm_names(source: Source, dialect: Dialect) -> tuple[str, ...]:
    """The columns of a whole file."""
    return tuple(read_svm(source, dialect, lambda _: False, ()).columns)


def svm_chunks(stream: BinaryIO, name: str, dialect: Dialect, plan: ChunkPlan) -> Iterator[Table]:
    """Read a stream in chunks of at most ``plan.rows`` rows; only the columns that are wanted."""
    found = False
    rows = _Rows(name)
    for lines in numbered_lines(stream, name, dialect):
        for line, text in lines:
            rows.add(line, text)
            if len(rows.labels) == plan.rows:
                yield _chunk(rows, plan)
                rows, found = _Rows(name), True
        if rows.labels and would_wait(stream):
            yield _chunk(rows, plan)
            rows, found = _Rows(name), True
    if rows.labels:
        yield _chunk(rows, plan)
    elif not found:
        raise empty_file(name, header=False)


def _chunk(rows: _Rows, plan: ChunkPlan) -> Table:
    count, locate = len(rows.labels), rows.locator()
    asked = {int(name) for name in (*(plan.wanted or ()), *plan.numeric) if _is_index(name)}
    given = asked if plan.wanted is not None and plan.keep_raw is not True else asked | {*rows.index}
    made = {str(at): column for at, column in rows.columns(given).items()} | {TARGET: np.array(rows.labels)}
    columns: dict[str, Column] = {}
    for name, values in made.items():
        as_text = name not in plan.numeric
        columns[name] = NOT_READ if plan.passes_over(name) else _read_as(values, as_text=as_text)
    raw = {name: spelt(values) for name, values in made.items() if plan.keeps(name)} if plan.keep_raw else None
    return Table((SourceFile(rows.file, "", count),), "svm", columns, count, locate, raw=raw)


def _read_as(values: Array, *, as_text: bool) -> Column:
    return spelt_levels(spelt(values), ("nan",)) if as_text else Numbers(values)


def spelt(values: NDArray[Any]) -> NDArray[np.object_]:
    """Numbers as they are written: whole ones without a point."""
    cells = [
        str(int(value)) if value == int(value) else repr(value)
        for value in np.where(np.isfinite(values), values, 0.5).tolist()
    ]
    out = np.array([*cells, None], dtype=object)[:-1]
    for row in np.flatnonzero(~np.isfinite(values)):
        out[row] = str(float(values[row]))
    return out


def _is_index(name: str) -> bool:
    return name.isascii() and name.isdigit() and str(int(name)) == name and len(name) < 19
