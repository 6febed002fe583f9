"""Read tables: CSV, TSV and Parquet, from files and standard input, whole or in chunks.

Errors over guesses: a table that is damaged is refused with file, line and column, and nothing is read as something
else in silence. Values are read by pandas' C reader and pyarrow; what these would let pass is checked here (see
``scan``, ``source``).
"""

from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from regcli.data.chunks import text_chunks
from regcli.data.columns import concatenate_levels
from regcli.data.dialect import Dialect, check_dialect, format_of, parse_na_values
from regcli.data.parquet import parquet_chunks, parquet_names, read_parquet
from regcli.data.plan import ChunkPlan
from regcli.data.source import is_nameless, is_stream, open_source, open_stream
from regcli.data.table import Column, Levels, Numbers, Table, Unsupported
from regcli.data.text import read_names, read_text
from regcli.errors import DataError, Location, UsageError

__all__ = ["Dialect", "check_sources", "parse_na_values", "read_chunks", "read_header", "read_table"]


def read_table(
    sources: Sequence[str], dialect: Dialect, *, as_text: Container[str] | Callable[[str], bool] = ()
) -> Table:
    """Read one or several files into one table.

    Parameters
    ----------
    sources : sequence of str
        Local paths, or ``-`` for standard input. Several files have the same columns, in any order; the first one's
        order stands.
    dialect : Dialect
        How they are written.
    as_text : container of str, or callable
        Names of columns (or a test of a name) to be read as text, cells as spelt.

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
        What is damaged, with file, line and column.

    Notes
    -----
    A file is read twice: by pandas (in threads if it is large), and in chunks of a MiB to hash and check it. Only files
    with quotes in odd places, and damaged ones, are also scanned in plain Python.
    """
    dialect = check_dialect(dialect)
    is_text = as_text if callable(as_text) else as_text.__contains__
    check_sources(sources)
    held = [open_source(name) for name in sources]

    def read(at: int, test: Callable[[str], bool]) -> Table:
        source = held[at]
        fmt = _format(source.name, dialect)
        if fmt == "parquet":
            return read_parquet(source, dialect, test)
        return read_text(source, dialect, fmt, test)

    tables = [read(at, is_text) for at in range(len(held))]
    if len(tables) == 1:
        return tables[0]
    for table in tables[1:]:
        _check_columns(tables[0], table)
    mixed = _mixed(tables)
    if mixed:
        tables = [
            read(at, lambda name: name in mixed or is_text(name)) if _has_other(table, mixed) else table
            for at, table in enumerate(tables)
        ]
    return _stack(tables)


def read_chunks(  # noqa: PLR0913  (each says one thing about the columns)
    source: str,
    dialect: Dialect,
    *,
    numeric: Container[str],
    as_text: Container[str] = (),
    chunk_rows: int = 50_000,
    bad_cells: Literal["error", "missing"] = "error",
    keep_raw: bool | Container[str] = False,
    wanted: Container[str] | None = None,
    lenient: Container[str] = (),
) -> Iterator[Table]:
    """Read one file in chunks of at most ``chunk_rows`` rows, in constant memory and one pass.

    From a pipe a chunk is what has arrived, however few rows that is, rather than keep its reader waiting.

    Parameters
    ----------
    source : str
        A local path or ``-``.
    dialect : Dialect
        How it is written.
    numeric : container of str
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
    wanted : container of str or None
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
        As ``read_table``, when the chunk is reached; ``text-in-numeric-column``.
    """
    dialect = check_dialect(dialect)
    plan = ChunkPlan(numeric, as_text, chunk_rows, bad_cells, keep_raw, wanted, lenient)
    is_stream(source)  # refuses what is no local file
    fmt = _format(source, dialect)
    if fmt == "parquet":
        yield from parquet_chunks(open_source(source), dialect, plan)
        return
    with open_stream(source) as stream:
        yield from text_chunks(stream, source, dialect, fmt, plan)


def read_header(source: str, dialect: Dialect) -> tuple[str, ...]:
    """Return the column names of a file. What can be read only once (``-``, a pipe) is consumed by this.

    Raises
    ------
    DataError
        ``empty-file``, ``duplicate-column``, ``empty-column-name`` and what keeps the file from being opened.
    """
    dialect = check_dialect(dialect)
    opened = open_source(source)
    fmt = _format(source, dialect)
    return parquet_names(opened) if fmt == "parquet" else read_names(opened, dialect, fmt)[0].names


def _format(name: str, dialect: Dialect) -> Literal["csv", "tsv", "parquet"]:
    return format_of(name, dialect, stream=is_nameless(name) or is_stream(name))


def check_sources(sources: Sequence[str]) -> None:
    """Refuse a list of inputs that is empty, or that has to read standard input twice."""
    if not sources:
        raise UsageError("usage", "no input table was given")
    if list(sources).count("-") > 1:
        raise UsageError("conflicting-options", "standard input can be read only once, but - was given twice")


def _check_columns(first: Table, other: Table) -> None:
    missing = [name for name in first.columns if name not in other.columns]
    extra = [name for name in other.columns if name not in first.columns]
    if not missing and not extra:
        return
    file, reference = other.files[0].path, first.files[0].path
    parts = [f"lacks {', '.join(map(repr, missing))}"] * bool(missing)
    parts += [f"has {', '.join(map(repr, extra))} more"] * bool(extra)
    raise DataError(
        "columns-differ",
        f"{file} {' and '.join(parts)} than {reference}" if extra else f"{file} {parts[0]}, which {reference} has",
        hint="files that are read together have the same columns, in any order",
        where=Location(file=file),
        cells=tuple(missing + extra)[:5],
    )


def _kind(column: Column) -> str | None:
    """Return what a column is; None for one without any value, which goes with everything."""
    match column:
        case Numbers(values):
            return None if bool(np.isnan(values).all()) else "numbers"
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


def _stack(tables: Sequence[Table]) -> Table:
    starts = np.cumsum([0, *(table.rows for table in tables)])

    def locate(row: int, column: str | None) -> Location:
        at = int(np.searchsorted(starts, row, side="right")) - 1
        return tables[at].locate(row - int(starts[at]), column)

    names = tuple(tables[0].columns)
    zeros = {name for table in tables for name in table.leading_zeros}
    return replace(
        tables[0],
        files=tuple(file for table in tables for file in table.files),
        columns={name: _stack_column([table.columns[name] for table in tables]) for name in names},
        rows=int(starts[-1]),
        locate=locate,
        delimiter_guessed=any(table.delimiter_guessed for table in tables),
        leading_zeros=tuple(name for name in names if name in zeros),
    )


def _stack_column(columns: Sequence[Column]) -> Column:
    for column in columns:
        if isinstance(column, Unsupported):
            return column
    numbers = [column for column in columns if isinstance(column, Numbers)]
    if len(numbers) == len(columns) or any(_kind(column) == "numbers" for column in numbers):
        parts = [
            column.values if isinstance(column, Numbers) else np.full(len(column.codes), np.nan)
            for column in columns
            if not isinstance(column, Unsupported)
        ]
        return Numbers(np.concatenate(parts))
    return concatenate_levels(
        column if isinstance(column, Levels) else Levels(np.full(len(column.values), -1, dtype=np.int32), ())
        for column in columns
        if not isinstance(column, Unsupported)
    )
