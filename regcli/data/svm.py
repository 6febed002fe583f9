"""LIBSVM: lines of a label and the cells that are not zero. Columns are called by their numbers, from 1."""

import hashlib
import re
from array import array
from collections.abc import Callable, Collection, Iterator
from typing import BinaryIO, NoReturn

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from regcli.data.columns import absent_values, numbers_without, spelt_levels
from regcli.data.dialect import Dialect
from regcli.data.lines import numbered_lines
from regcli.data.plan import NOT_READ, ChunkPlan
from regcli.data.source import Source, would_wait
from regcli.data.sparse import TARGET, check_columns, check_size, sparse_columns, spelt, spelt_cells
from regcli.data.table import Column, Numbers, SourceFile, Table, is_index
from regcli.data.text import no_rows
from regcli.errors import DataError, Location

__all__ = ["NUMBER", "read_svm", "svm_chunks", "svm_names"]

#: Cells of a chunk, other than zero, from which on it is handed on: 64 MB.
CELLS = 4_000_000

#: A number as these formats spell it.
NUMBER = rb"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?:inf|nan)"
_PAIR = re.compile(rb"(\d{1,18}):(" + NUMBER + rb")", re.IGNORECASE)
_LINE = re.compile(rb"\s*(" + NUMBER + rb")(?:\s+qid:\d+)?((?:\s+\d{1,18}:(?:" + NUMBER + rb"))*)\s*", re.IGNORECASE)


class _Rows:
    """Rows of a LIBSVM file as they are read: labels, and the place and value of each cell that is given."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.labels = array("d")
        self.lines = array("q")
        self.ends = array("q", [0])
        self.index = array("q")
        self.cells = array("d")

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
        self.index.extend(index)
        self.cells.extend(map(float, words[1::2]))
        self.ends.append(len(self.index))

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

    def matrix(self, wanted: NDArray[np.int64]) -> sparse.csr_array:
        """The cells of some columns (p,), which rise, as a matrix (n, p)."""
        index, rows = np.asarray(self.index), len(self.labels)
        at = np.searchsorted(wanted, index)
        known = wanted[np.minimum(at, wanted.size - 1)] == index if wanted.size else np.zeros(index.size, dtype=bool)
        ends = np.concatenate(([0], np.cumsum(known)))[np.asarray(self.ends)]
        check_size(self.file, rows, wanted.size, int(ends[-1]))
        return sparse.csr_array((np.asarray(self.cells)[known], at[known], ends), shape=(rows, wanted.size))

    def ends_of_index(self) -> tuple[int, ...]:
        """The first and the last of the columns that are named, if any is."""
        index = np.asarray(self.index)
        return (int(index.min()), int(index.max())) if index.size else ()

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
        raise no_rows(source.name)
    every = _span(source.name, [*rows.ends_of_index(), *map(int, filter(is_index, expected))])
    absent = absent_values(dialect.na_values, dialect.decimal)
    columns = {
        **sparse_columns(rows.matrix(np.arange(every.start, every.stop)), tuple(map(str, every)), is_text, absent),
        TARGET: _labels(rows, absent, as_text=is_text(TARGET)),
    }
    file = SourceFile(source.name, digest.hexdigest(), count)
    return Table((file,), "svm", columns, count, rows.locator())


def _span(file: str, named: Collection[int]) -> range:
    """The columns of a table of which some are named: from 1, or 0 where that is used, to the last."""
    first, last = min([1, *named]), max([0, *named])
    check_columns(file, last + 1 - first)
    return range(first, last + 1)


def svm_names(source: Source, dialect: Dialect) -> tuple[str, ...]:
    """The columns of a whole file, of which no row is kept."""
    named, empty = set[int](), True
    with source.open() as stream:
        for lines in numbered_lines(stream, source.name, dialect):
            rows = _Rows(source.name)
            for line, text in lines:
                rows.add(line, text)
            named.update(rows.ends_of_index())
            empty = empty and not rows.labels
    if empty:
        raise no_rows(source.name)
    return (*map(str, _span(source.name, named)), TARGET)


def svm_chunks(stream: BinaryIO, name: str, dialect: Dialect, plan: ChunkPlan) -> Iterator[Table]:
    """Read a stream in chunks of at most ``plan.rows`` rows, or fewer long ones; only the columns that are asked for.

    Those that no row of a chunk names are zero there, too. Where all cells are kept, those of other columns are kept as
    far as a row of the chunk names them.
    """
    found, absent = False, absent_values(dialect.na_values, dialect.decimal)
    rows = _Rows(name)
    for lines in numbered_lines(stream, name, dialect):
        for line, text in lines:
            rows.add(line, text)
            if len(rows.labels) == plan.rows or len(rows.index) >= CELLS:
                yield _chunk(rows, plan, absent, first=not found)
                rows, found = _Rows(name), True
        if rows.labels and would_wait(stream):
            yield _chunk(rows, plan, absent, first=not found)
            rows, found = _Rows(name), True
    if rows.labels:
        yield _chunk(rows, plan, absent, first=not found)
    elif not found:
        raise no_rows(name)


def _chunk(rows: _Rows, plan: ChunkPlan, absent: Collection[float], *, first: bool) -> Table:
    count, locate = len(rows.labels), rows.locator()
    asked = {int(name) for name in (*plan.asked, *plan.numeric) if is_index(name)}
    begins: tuple[str, ...] = ()
    if first and plan.keep_raw is True:
        begins = (*map(str, _span(rows.file, asked.union(rows.index[: rows.ends[1]]))), TARGET)
    if plan.wanted is None or plan.keep_raw is True:
        asked |= set(rows.index)
    given = np.array(sorted(asked), dtype=np.int64)
    if plan.keep_raw is True:
        check_size(rows.file, count, given.size)
    names = tuple(map(str, given.tolist()))
    matrix = rows.matrix(given)
    columns = {**sparse_columns(matrix, names, lambda name: name not in plan.numeric, absent)}
    columns[TARGET] = _labels(rows, absent, as_text=TARGET not in plan.numeric)
    raw = None
    if plan.keep_raw:
        raw = spelt_cells(matrix, names, plan.keeps)
        raw |= {TARGET: spelt(np.asarray(rows.labels))} if plan.keeps(TARGET) else {}
    columns = {name: NOT_READ if plan.passes_over(name) else column for name, column in columns.items()}
    return Table((SourceFile(rows.file, "", count),), "svm", columns, count, locate, raw=raw, begins=begins)


def _labels(rows: _Rows, absent: Collection[float], *, as_text: bool) -> Column:
    """The labels: numbers, or as spelt; ``absent`` mean missing."""
    values = numbers_without(np.asarray(rows.labels), absent)
    return spelt_levels(spelt(values), ("nan",)) if as_text else Numbers(values)
