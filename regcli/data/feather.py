"""Feather and Arrow IPC: files and streams of record batches, checked before they are used."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from regcli.data.arrow import arrow_chunk, arrow_file, arrow_names, arrow_table, refuse_memory
from regcli.data.dialect import Dialect
from regcli.data.plan import ChunkPlan
from regcli.data.source import Source, sha256_of
from regcli.data.table import Table
from regcli.data.text import no_rows
from regcli.errors import DataError, Location

__all__ = ["feather_chunks", "feather_names", "read_feather"]

#: What an Arrow file begins with; a stream has no mark, and the first version of Feather is another format.
_FILE, _OLD = b"ARROW1", b"FEA1"


def read_feather(
    source: Source, dialect: Dialect, is_text: Callable[[str], bool], meant: Callable[[str], bool] = lambda _: False
) -> Table:
    """Read a file whole. Types become columns as those of Parquet do, and what pandas stored as its index does not.

    Raises
    ------
    DataError
        ``file-unreadable``, ``encoding``, ``duplicate-column``, ``empty-column-name``, ``empty-file``.
    """
    import pyarrow as pa  # noqa: PLC0415  (0.1 s that CSV need not pay)

    before, digest = source.state(), sha256_of(source)
    with _opened(source) as (schema, batches):
        names = arrow_names(schema, source.name, meant)
        table = pa.Table.from_batches(list(batches), schema)
    source.check_state(before)
    rows, arrays = table.num_rows, [table.column(name) for name in reversed(names)]
    del table
    read = arrow_table(_given_away(names, arrays), rows, (source.name, digest), (dialect, is_text), "feather")
    pa.default_memory_pool().release_unused()
    return read


def _given_away(names: tuple[str, ...], arrays: list[Any]) -> Iterator[tuple[str, Any]]:
    """The arrays, the last of them first, by their names: Arrow lets go of each once it is a column."""
    import pyarrow as pa  # noqa: PLC0415

    for name in names:
        yield name, arrays.pop()
        pa.default_memory_pool().release_unused()


def feather_names(source: Source) -> tuple[str, ...]:
    """Return the column names of a file from its schema alone."""
    with _opened(source) as (schema, _):
        return arrow_names(schema, source.name)


def feather_chunks(source: Source, dialect: Dialect, plan: ChunkPlan) -> Iterator[Table]:
    """Read a file batch by batch, in chunks of at most ``plan.rows`` rows."""
    rows = 0
    with _opened(source) as (schema, batches):
        names = arrow_names(schema, source.name, plan.names)
        for batch in batches:
            for start in range(0, batch.num_rows, plan.rows):
                part = batch.slice(start, plan.rows)
                yield arrow_chunk(part, names, source.name, rows, (dialect, plan), "feather")
                rows += part.num_rows
    if not rows:
        raise no_rows(source.name, names)


@contextmanager
def _opened(source: Source) -> Iterator[tuple[Any, Iterator[Any]]]:
    """The schema of a file, and its batches."""
    import pyarrow as pa  # noqa: PLC0415

    with source.raw() as stream:
        mark = stream.read(8)
    try:
        if mark.startswith(_OLD):
            from pyarrow import feather  # noqa: PLC0415

            with arrow_file(source) as stream:
                table = feather.read_table(stream, memory_map=False)
            yield table.schema, _checked(table.to_batches())
        elif mark.startswith(_FILE):
            with arrow_file(source) as stream, pa.ipc.open_file(stream) as file:
                yield file.schema, _checked(file.get_batch(at) for at in range(file.num_record_batches))
        else:
            with arrow_file(source) as stream, pa.ipc.open_stream(stream) as file:
                yield file.schema, _checked(iter(file))
    except (pa.ArrowException, OSError, EOFError, UnicodeDecodeError) as error:  # a name may be no text either
        refuse_memory(error)
        raise DataError(
            "file-unreadable",
            f"{source.name} is not a readable Feather or Arrow file: {error}",
            where=Location(file=source.name),
            hint="if it is text, say --input-format csv",
        ) from error


def _checked(batches: Any) -> Iterator[Any]:  # noqa: ANN401  (pyarrow ships no types)
    """Batches whose offsets and text have been looked at: nothing in the format vouches for them."""
    for batch in batches:
        batch.validate(full=True)
        yield batch
