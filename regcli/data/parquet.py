"""Parquet: columns by their stored types."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from regcli.data.arrow import arrow_chunk, arrow_file, arrow_names, arrow_table, refuse_memory, stored_index
from regcli.data.dialect import Dialect
from regcli.data.plan import ChunkPlan
from regcli.data.rooms import is_limited
from regcli.data.source import Source, sha256_of
from regcli.data.table import Table
from regcli.data.text import no_rows
from regcli.errors import DataError, Location

__all__ = ["parquet_chunks", "parquet_names", "parquet_size", "read_parquet"]

#: Cells of the columns that are read at a time.
CELLS = 1 << 19

#: Bytes of a column that are read at a time. Without it all of a row group is, and held: of a file of 830 MB in one row
#: group, batches of 10,000 rows take 1,080 MB and not 290.
BUFFER = 1 << 16


def read_parquet(
    source: Source, dialect: Dialect, is_text: Callable[[str], bool], meant: Callable[[str], bool] = lambda _: False
) -> Table:
    """Read a Parquet file whole.

    Integers, floats and decimals are numbers (null and NaN are missing); booleans are levels False and True; text is
    levels; dates and times are levels of ISO text. ``na_values`` are missing, as in CSV. Other types become
    ``Unsupported``. A column read as text gives its values as Python writes them. An index of pandas without a name is
    left out, unless it is ``meant``.

    Raises
    ------
    DataError
        ``file-unreadable``, ``encoding``, ``duplicate-column``, ``empty-column-name``, ``empty-file``.
    """
    import pyarrow as pa  # noqa: PLC0415  (0.1 s that CSV need not pay)

    before, digest = source.state(), sha256_of(source)
    with _opened(source) as file:
        names = arrow_names(file.schema_arrow, source.name, meant)
        arrays = _by_columns(file, names)
        table = arrow_table(arrays, file.metadata.num_rows, (source.name, digest), (dialect, is_text), "parquet")
    pa.default_memory_pool().release_unused()  # a sixth of a table of 160 MB
    source.check_state(before)
    return table


def _by_columns(file: Any, names: tuple[str, ...]) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    """Read columns a few at a time: of a file that is read whole there are three copies."""
    threads = not is_limited()  # where memory is refused in one of Arrow's threads it ends the process
    few = max(1, CELLS // max(file.metadata.num_rows, 1))
    for start in range(0, len(names), few):
        some = names[start : start + few]
        # Others come too where names begin with one of these and a dot.
        table = file.read(columns=list(some), use_threads=threads)
        for name in some:
            yield name, table.column(name)


def parquet_names(source: Source) -> tuple[str, ...]:
    """Return the column names of a Parquet file from its footer alone."""
    with _opened(source) as file:
        return arrow_names(file.schema_arrow, source.name)


def parquet_size(source: Source) -> tuple[int, int, int]:
    """Return rows, columns, and how many of these are numbers, of a Parquet file from its footer alone."""
    import pyarrow as pa  # noqa: PLC0415  (0.1 s that CSV need not pay)

    with _opened(source) as file:
        index = stored_index(file.schema_arrow)
        types = [field.type for field in file.schema_arrow if field.name not in index]
        numbers = sum(pa.types.is_floating(kind) or pa.types.is_integer(kind) for kind in types)
        return file.metadata.num_rows, len(types), numbers


def parquet_chunks(source: Source, dialect: Dialect, plan: ChunkPlan) -> Iterator[Table]:
    """Read a Parquet file in batches of at most ``plan.rows`` rows."""
    rows = 0
    with _opened(source) as file:
        names = arrow_names(file.schema_arrow, source.name, plan.names)
        # One column at least: batches count the rows.
        read = [name for name in names if plan.keeps(name) or not plan.passes_over(name)] or [names[0]]
        for batch in file.iter_batches(batch_size=plan.rows, columns=read, use_threads=not is_limited()):
            if batch.num_rows:
                yield arrow_chunk(batch, names, source.name, rows, (dialect, plan), "parquet")
                rows += batch.num_rows
    if not rows:
        raise no_rows(source.name, names)


@contextmanager
def _opened(source: Source) -> Iterator[Any]:
    import pyarrow as pa  # noqa: PLC0415  (0.1 s that CSV need not pay)
    import pyarrow.parquet as pq  # noqa: PLC0415

    try:
        # Arrow's own file: one of Python's, let go by a thread of Arrow's while Python shuts down, aborts the process.
        with (
            source.raw(),
            arrow_file(source) as stream,
            pq.ParquetFile(stream, pre_buffer=False, buffer_size=BUFFER) as file,
        ):
            yield file
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:  # a name may be no text either
        refuse_memory(error)
        raise DataError(
            "file-unreadable",
            f"{source.name} is not a readable Parquet file: {error}",
            where=Location(file=source.name),
            hint="if it is text, say --input-format csv",
        ) from error
