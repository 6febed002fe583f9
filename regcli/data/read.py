"""Read tables of any format, from files and standard input, packed or not, whole or in chunks.

Errors over guesses: a table that is damaged is refused with file, line and column, and nothing is read as something
else in silence. Values are read by ``cells`` and pyarrow; what these would let pass is checked here (see ``scan``,
``quotes``).
"""

from collections.abc import Callable, Collection, Container, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from regcli.data.columns import as_boolean, concatenate_levels, concatenate_numbers
from regcli.data.dialect import Dialect, Format, check_dialect, format_of, parse_na_values
from regcli.data.inputs import Part, find_parts
from regcli.data.keys import with_keys, with_keys_of_chunk
from regcli.data.plan import ChunkPlan
from regcli.data.readers import How, hopeless, reader_of
from regcli.data.source import Source, is_nameless, is_stream, open_source, sha256_of
from regcli.data.table import Column, Levels, Numbers, SourceFile, Table, Unsupported
from regcli.data.text import NoRowsError
from regcli.errors import DataError, Location, listed

__all__ = [
    "AsText",
    "Dialect",
    "NoRowsError",
    "Part",
    "empty_columns",
    "find_parts",
    "format_at",
    "none_has_rows",
    "parse_na_values",
    "read_chunks",
    "read_header",
    "read_table",
]

#: Columns that are read as text: their names, or what tells them of the names of all columns.
AsText = Container[str] | Callable[[tuple[str, ...]], Container[str]]


def read_table(
    sources: Sequence[str | Part],
    dialect: Dialect,
    *,
    as_text: AsText = (),
    expected: Collection[str] = (),
    named: Collection[str] = (),
    threads: int = 1,
    tell: Callable[[int, int], None] | None = None,
) -> Table:
    """Read one or several files into one table.

    Parameters
    ----------
    sources : sequence of str or Part
        Local paths, patterns, directories, or ``-`` for standard input. Several files have the same columns, in any
        order; the first one's order stands.
    dialect : Dialect
        How they are written.
    as_text : container of str, or callable
        Names of columns to be read as text, cells as spelt; or what gives them, called with the columns of the first
        file that has any, which takes a look at its header more.
    expected : collection of str
        Columns that a format without them (LIBSVM) takes to be zero.
    named : collection of str
        Columns that somebody named: of an index that pandas stored without a name only these are read.
    threads : int
        Blocks of a text table that are read at a time; no cell depends on it.
    tell : callable or None
        Told how many bytes have been read, of how many; 0 of how many while a stream comes in. Formats that are read
        by their ends are told of file by file.

    Returns
    -------
    Table
        Columns of numbers (NaN is missing, infinities are kept), of levels (text and booleans) and, from Parquet, of
        types that are not supported.

    Raises
    ------
    UsageError
        ``unsupported-source``, ``unknown-option-value``, ``conflicting-options``.
    DataError
        What is damaged, with file, line and column. A file without rows is passed over if others have some: it is among
        the table's files then, with none.

    Notes
    -----
    A text table is read once, and once more if a column turns out late to be text; other formats are read once to hash
    them and once for their values. Only files with quotes in odd places, and damaged ones, are also scanned in plain
    Python.
    """
    dialect = check_dialect(dialect)
    parts = find_parts(sources, dialect)
    meter = None if tell is None else _Meter(tell)
    seen = meter.add if meter else None
    held = [open_source(part.name, hopeless(format_at(part.name, dialect), dialect), seen) for part in parts]
    sizes = [source.size() for source in held]
    is_text = (as_text(_first_names(held, parts, dialect)) if callable(as_text) else as_text).__contains__

    def read(at: int, test: Callable[[str], bool], expected: Collection[str]) -> Table:
        if meter:
            meter.begin(sum(sizes[:at]), sum(sizes))
        reader = reader_of(format_at(held[at].name, dialect))
        table = reader.whole(held[at], How(dialect, test, expected, threads, named))
        return with_keys(table, parts[at], test, dialect.na_values)

    tables, empty = dict[int, Table](), dict[int, NoRowsError]()
    for at in range(len(held)):
        try:
            tables[at] = read(at, is_text, expected)
        except NoRowsError as error:
            empty[at] = error
    if not tables:
        raise none_has_rows(list(empty.values()))
    indices = {name for table in tables.values() if table.format == "svm" for name in table.columns}
    for at, table in tables.items():
        if table.format == "svm" and len(table.columns) < len(indices):  # a column that a file never names is zero
            tables[at] = read(at, is_text, indices)
    _check_all_columns(tables, empty, parts)
    mixed = _mixed([*tables.values()])
    booleans = {name for name in mixed if not is_text(name) and _some_boolean([*tables.values()], name)}
    for at, table in tables.items():
        if _has_other(table, mixed):
            tables[at] = read(at, lambda name: name in mixed or is_text(name), indices or expected)
    passed = {at: SourceFile(parts[at].name, sha256_of(held[at]), 0) for at in empty}
    files = tuple(passed.get(at) or tables[at].files[0] for at in range(len(held)))
    return replace(_stack([*tables.values()], booleans), files=files)


@dataclass
class _Meter:
    """Counts bytes as they are read, and tells."""

    tell: Callable[[int, int], None]
    done: int = 0
    total: int = 0

    def begin(self, done: int, total: int) -> None:
        """A file begins, after so many bytes of all files."""
        self.done, self.total = done, total
        self.tell(done, total)

    def add(self, data: bytes) -> None:
        """More has been read."""
        self.done += len(data)
        self.tell(self.done, self.total)


def read_chunks(  # noqa: PLR0913  (each says one thing about the columns)
    source: str | Part,
    dialect: Dialect,
    *,
    numeric: Collection[str],
    as_text: Container[str] = (),
    chunk_rows: int = 50_000,
    bad_cells: Literal["error", "missing"] = "error",
    keep_raw: bool | Container[str] = False,
    wanted: Collection[str] | None = None,
    lenient: Container[str] = (),
) -> Iterator[Table]:
    """Read one file in chunks of at most ``chunk_rows`` rows, in constant memory and one pass.

    From a pipe a chunk is what has arrived, however few rows that is, rather than keep its reader waiting.

    Parameters
    ----------
    source : str or Part
        A local path or ``-``, or one of ``find_parts``.
    dialect : Dialect
        How it is written.
    numeric : collection of str
        Columns that are numbers; all others come as text, as spelt.
    as_text : container of str
        Columns of text that are never taken for booleans.
    chunk_rows : int
        Rows of a chunk; blank lines count.
    bad_cells : {"error", "missing"}
        What to do with a cell that is not a number in a column of numbers: refuse it, or make it NaN and keep it
        in ``bad_cells``.
    keep_raw : bool or container of str
        Keep the cells of these columns, or of all (True), as spelt in ``raw``.
    wanted : collection of str or None
        Columns whose values are asked for; None asks for all. Others are passed over.
    lenient : container of str
        Columns of numbers in which a cell that is not a number is missing, whatever ``bad_cells`` says.

    Yields
    ------
    Table
        Row numbers count within the chunk; ``locate`` gives lines of the file.

    Raises
    ------
    DataError
        As ``read_table``, when the chunk is reached; ``text-in-numeric-column``; NoRowsError in place of a first one.
    """
    dialect = check_dialect(dialect)
    plan = ChunkPlan(numeric, as_text, chunk_rows, bad_cells, keep_raw, wanted, lenient)
    part = Part(source) if isinstance(source, str) else source
    is_stream(part.name)  # refuses what is no local file
    for table in reader_of(format_at(part.name, dialect)).chunks(part.name, dialect, plan):
        yield with_keys_of_chunk(table, part, plan, dialect.na_values)


def read_header(source: str | Part, dialect: Dialect) -> tuple[str, ...]:
    """Return the column names of a file. What can be read only once (``-``, a pipe) is consumed by this.

    Raises
    ------
    DataError
        ``empty-file``, ``duplicate-column``, ``empty-column-name`` and what keeps the file from being opened.
    """
    dialect = check_dialect(dialect)
    part = Part(source) if isinstance(source, str) else source
    return _names(open_source(part.name, hopeless(format_at(part.name, dialect), dialect)), part, dialect)


def _names(source: Source, part: Part, dialect: Dialect) -> tuple[str, ...]:
    """The columns of a part and of its folders; what is held can be read again."""
    return (*(key for key, _ in part.keys), *reader_of(format_at(part.name, dialect)).names(source, dialect))


def _first_names(held: Sequence[Source], parts: Sequence[Part], dialect: Dialect) -> tuple[str, ...]:
    """The columns of the first file that has any: of JSON Lines without a line none are known."""
    for source, part in zip(held, parts, strict=True):
        with suppress(NoRowsError):
            return _names(source, part, dialect)
    return ()


def format_at(name: str, dialect: Dialect) -> Format:
    """The format of what is read by a name, a file or a stream."""
    return format_of(name, dialect, stream=is_nameless(name) or is_stream(name))


def none_has_rows(empty: Sequence[NoRowsError]) -> DataError:
    """The error for files of which none has a row."""
    if len(empty) == 1:
        return empty[0]
    text, first = f"none of {len(empty)} files has a row: {empty[0].message}, and so on", empty[0]
    return DataError(first.code, text, hint=first.hint, where=first.where)


def empty_columns(error: NoRowsError, part: Part) -> tuple[str, ...] | None:
    """Columns of a file without rows and of its folders; None where they are not known."""
    return None if error.columns is None else (*(key for key, _ in part.keys), *error.columns)


def _check_all_columns(tables: Mapping[int, Table], empty: Mapping[int, NoRowsError], parts: Sequence[Part]) -> None:
    """Refuse files whose columns differ from those of the first one with rows; of some without rows none are known."""
    found = {at: tuple(table.columns) for at, table in tables.items()}
    found |= {at: names for at, error in empty.items() if (names := empty_columns(error, parts[at])) is not None}
    first = next(iter(tables))
    for at in sorted(found):
        _check_columns(found[first], parts[first].name, found[at], parts[at].name)


def _check_columns(names: Sequence[str], reference: str, others: Sequence[str], file: str) -> None:
    known, there = frozenset(names), frozenset(others)
    missing = [name for name in names if name not in there]
    extra = [name for name in others if name not in known]
    if not missing and not extra:
        return
    parts = [f"lacks {_some(missing)}"] * bool(missing)
    parts += [f"has {_some(extra)} more"] * bool(extra)
    raise DataError(
        "columns-differ",
        f"{file} {' and '.join(parts)} than {reference}" if extra else f"{file} {parts[0]}, which {reference} has",
        hint="files that are read together have the same columns, in any order",
        where=Location(file=file),
        cells=tuple(missing + extra)[:5],
    )


def _some(names: Sequence[str]) -> str:
    return listed([repr(name) for name in names], 3) + (f" ({len(names):,})" if len(names) > 3 else "")


def _kind(column: Column) -> str | None:
    """Return what a column is; None for one without any value, which goes with everything."""
    match column:
        case Numbers():
            return None if column.empty else "numbers"
        case Levels(_, levels, boolean):
            return "boolean" if boolean else "text" if levels else None
        case Unsupported():
            return "unsupported"


def _mixed(tables: Sequence[Table]) -> frozenset[str]:
    """Return the columns that are text in one file and something else in another: all are to be read as text."""
    kinds = {name: {_kind(table.columns[name]) for table in tables} - {None} for name in tables[0].columns}
    return frozenset(name for name, found in kinds.items() if len(found) > 1 and "unsupported" not in found)


def _has_other(table: Table, names: frozenset[str]) -> bool:
    return any(_kind(table.columns[name]) not in {"text", None} for name in names)


def _some_boolean(tables: Sequence[Table], name: str) -> bool:
    return any(_kind(table.columns[name]) == "boolean" for table in tables)


def _stack(tables: Sequence[Table], booleans: Collection[str]) -> Table:
    """Stack files; text in some that is true or false alone is boolean where others have booleans, as in one file."""
    if len(tables) == 1:
        return tables[0]
    starts = np.cumsum([0, *(table.rows for table in tables)])

    def locate(row: int, column: str | None) -> Location:
        at = int(np.searchsorted(starts, row, side="right")) - 1
        return tables[at].locate(row - int(starts[at]), column)

    names = tuple(tables[0].columns)
    columns = {name: _stack_column([table.columns[name] for table in tables]) for name in names}
    columns |= {name: as_boolean(column) for name in booleans if isinstance(column := columns[name], Levels)}
    zeros = {name for table in tables for name in table.leading_zeros}
    told = next((table for table in tables if table.delimiter_guessed), tables[0])
    return replace(
        tables[0],
        columns=columns,
        rows=int(starts[-1]),
        locate=locate,
        delimiter=told.delimiter,
        delimiter_guessed=told.delimiter_guessed,
        leading_zeros=tuple(name for name in names if name in zeros),
    )


def _stack_column(columns: Sequence[Column]) -> Column:
    for column in columns:
        if isinstance(column, Unsupported):
            return column
    numbers = [column for column in columns if isinstance(column, Numbers)]
    if len(numbers) == len(columns) or any(_kind(column) == "numbers" for column in numbers):
        parts = [
            column if isinstance(column, Numbers) else Numbers(np.full(len(column.codes), np.nan))
            for column in columns
            if not isinstance(column, Unsupported)
        ]
        return concatenate_numbers(parts)
    return concatenate_levels(
        column if isinstance(column, Levels) else Levels(np.full(column.size, -1, dtype=np.int32), ())
        for column in columns
        if not isinstance(column, Unsupported)
    )
