"""Parquet: columns by their stored types."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from regcli.data.arrow import arrow_chunk, arrow_file, arrow_names, arrow_table
from regcli.data.dialect import Dialect
from regcli.data.plan import ChunkPlan
from regcli.data.source import Source, sha256_of
from regcli.data.table import Table
from regcli.data.text import empty_file
from regcli.errors import DataError, Location

__all__ = ["parquet_chunks", "parquet_names", "parquet_size", "read_parquet"]


def read_parquet(source: Source, dialect: Dialect, is_text: Callable[[str], bool]) -> Table:
    """Read a Parquet file whole.

    Integers, floats and decimals are numbers (null and NaN are missing); booleans are levels False and True; text is
    levels, in which ``na_values`` are missing, as in CSV; dates and times are levels of ISO text. Other types become
    ``Unsupported``. A column read as text gives its values as Python writes them.

    Raises
    ------
    DataError
        ``file-unreadable``, ``encoding``, ``duplicate-column``, ``empty-column-name``, ``empty-file``.
    """
    before, digest = source.state(), sha256_of(source)
    with _opened(source) as file:
        names = arrow_names(file.schema_arrow, source.name)
        table = file.read()
    source.check_state(before)
    return arrow_table(table, names, (source.name, digest), (dialect, is_text), "parquet")


def parquet_names(source: Source) -> tuple[str, ...]:
    """Return the column names of a Parquet file from its footer alone."""
    with _opened(source) as file:
        return arrow_names(file.schema_arrow, source.name)


def parquet_size(source: Source) -> tuple[int, int, int]:
    """Return rows, columns, and how many of these are numbers, of a Parquet file from its footer alone."""
    import pyarrow as pa  # noqa: PLC0415  (0.1 s that CSV need not pay)

    with _opened(source) as file:
        types = file.schema_arrow.types
        numbers = sum(pa.types.is_floating(kind) or pa.types.is_integer(kind) for kind in types)
        return file.metadata.num_rows, len(types), numbers


def parquet_chunks(source: Source, dialect: Dialect, plan: ChunkPlan) -> Iterator[Table]:
    """Read a Parquet file in batches of at most ``plan.rows`` rows."""
    rows = 0
    with _opened(source) as file:
        names = arrow_names(file.schema_arrow, source.name)
        # One column at least: batches count the rows.
        read = [name for name in names if plan.keeps(name) or not plan.passes_over(name)] or [names[0]]
        for batch in file.iter_batches(batch_size=plan.rows, columns=read):
            if batch.num_rows:
                yield arrow_chunk(batch, names, source.name, rows, (dialect, plan), "parquet")
                rows += batch.num_rows
    if not rows:
        raise empty_file(source.name, header=True)


@contextmanager
def _opened(source: Source) -> Iterator[Any]:
    import pyarrow as pa  # noqa: PLC0415  (0.1 s that CSV need not pay)
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        # Arrow's own file: one of Python's, let go by a thread of Arrow's while Python shuts down, aborts the process.
        with source.raw(), arrow_file(source) as stream, pq.ParquetFile(stream) as file:
            yield file
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:  # a name may be no text either
        raise DataError(
            "file-unreadable",
            f"{source.name} is not a readable Parquet file: {error}",
            where=Location(file=source.name),
            hint="if it is text, say --input-format csv",
        ) from error
