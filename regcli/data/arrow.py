"""Columns of Arrow, as Parquet and Feather files give them, by their stored types."""

import errno
import json
import os
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from regcli.data.arrow_text import knows_zone, plain, spelt_values
from regcli.data.columns import (
    absent_values,
    as_boolean,
    levels_without,
    numbers_without,
    rounded_values,
    sorted_levels,
)
from regcli.data.dialect import Dialect
from regcli.data.machine import machine_memory
from regcli.data.plan import NOT_READ, ChunkPlan, declared_numbers
from regcli.data.rooms import own_room
from regcli.data.source import Source
from regcli.data.table import Column, Levels, Numbers, SourceFile, Table, Unsupported
from regcli.data.text import check_names, empty_file, no_rows, nul_byte
from regcli.errors import DataError, Location

__all__ = ["arrow_chunk", "arrow_file", "arrow_names", "arrow_table", "refuse_memory", "row_locator", "stored_index"]

#: How Arrow tells of memory that it is refused.
_ASKED = re.compile(r" of size (\d+) failed")

#: What pandas calls the levels of an index without a name where it stores them as columns.
_LEVEL = re.compile(r"__index_level_\d+__")

#: What is said of text in a column that is none.
_NUL = "column {!r} has a NUL byte in its text"


def arrow_table(
    arrays: Iterable[tuple[str, Any]],
    rows: int,
    file: tuple[str, str],
    how: tuple[Dialect, Callable[[str], bool]],
    fmt: Literal["parquet", "feather"],
) -> Table:
    """Turn Arrow's arrays by name into a table; ``file`` is its name and SHA-256, ``how`` says which are text.

    Raises
    ------
    DataError
        ``empty-file``, ``encoding``.
    """
    name, digest = file
    dialect, is_text = how
    if rows == 0:
        raise no_rows(name, tuple(column for column, _ in arrays))
    columns = {
        column: arrow_column(array, Location(name, column=column), dialect, as_text=is_text(column))
        for column, array in arrays
    }
    return Table((SourceFile(name, digest, rows),), fmt, columns, rows, row_locator(name))


def arrow_chunk(
    batch: Any,  # noqa: ANN401  (pyarrow ships no types)
    names: tuple[str, ...],
    file: str,
    before: int,
    how: tuple[Dialect, ChunkPlan],
    fmt: Literal["parquet", "feather"],
) -> Table:
    """Turn a batch into a chunk of a table; ``before`` rows came before it, ``names`` are all columns of the file."""
    dialect, plan = how
    locate = row_locator(file, before)
    columns: dict[str, Column] = {}
    doubtful: dict[str, Levels] = {}
    arrays = dict(zip(batch.schema.names, batch.columns, strict=True))
    for name in names:
        if plan.passes_over(name):
            columns[name] = NOT_READ
            continue
        array, wanted = arrays[name], name in plan.numeric
        as_text = not wanted and not _is_boolean(array)
        column = arrow_column(array, Location(file, column=name), dialect, as_text=as_text)
        if wanted and isinstance(column, Levels):
            doubtful[name] = column
        columns[name] = column
    found, bad_cells = declared_numbers(doubtful, plan, locate, missing=dialect.na_values)
    return Table(
        files=(SourceFile(file, "", batch.num_rows),),
        format=fmt,
        columns={**columns, **found},
        rows=batch.num_rows,
        locate=locate,
        bad_cells=bad_cells,
        raw={name: _raw(arrays[name], name, locate) for name in names if plan.keeps(name)} if plan.keep_raw else None,
    )


def arrow_file(source: Source) -> Any:  # noqa: ANN401  (pyarrow ships no types)
    """Open the bytes of a source without Python's files."""
    import pyarrow as pa  # noqa: PLC0415

    return pa.OSFile(os.fsencode(source.path)) if source.held is None else pa.BufferReader(source.held)


def refuse_memory(error: Exception) -> None:
    """Raise a MemoryError for an error of Arrow's that tells of too little memory, for cells or for its threads.

    Not where more was asked for than the machine has: the size comes from a damaged file then.
    """
    asked = _ASKED.search(str(error))
    if asked is not None and int(asked[1]) > machine_memory():
        return
    if isinstance(error, MemoryError) or getattr(error, "errno", None) in {errno.ENOMEM, errno.EAGAIN}:
        raise MemoryError(str(error)) from error


def arrow_names(schema: Any, file: str, meant: Callable[[str], bool] = lambda _: False) -> tuple[str, ...]:  # noqa: ANN401
    """The names of the columns, checked; of an index that pandas stored only those that are ``meant``."""
    names = tuple(schema.names)
    if not names:
        raise empty_file(file)
    check_names(names, file, lambda _: None)
    index = stored_index(schema)
    return tuple(name for name in names if name not in index or meant(name)) or names


def stored_index(schema: Any) -> frozenset[str]:  # noqa: ANN401
    """Columns that only number the rows of a pandas table: its index, where that has no name.

    Pandas says in the metadata which columns are its index. One with a name is a column as any other.

    References
    ----------
    .. [1] Apache Arrow, pandas metadata: https://pandas.pydata.org/docs/development/developer.html
    """
    try:
        found = json.loads((schema.metadata or {}).get(b"pandas", b"{}"))
        columns = found["index_columns"]
    except (ValueError, RecursionError, KeyError, TypeError):  # nobody vouches for metadata
        return frozenset()
    names = columns if isinstance(columns, list) else []
    return frozenset(name for name in names if isinstance(name, str) and _LEVEL.fullmatch(name))


def row_locator(file: str, before: int = 0) -> Callable[[int, str | None], Location]:
    """Where rows are in a format without lines."""
    return lambda row, column: Location(file=file, row=before + row + 1, column=column)


def _is_boolean(array: Any) -> bool:  # noqa: ANN401
    import pyarrow as pa  # noqa: PLC0415

    return bool(pa.types.is_boolean(array.type))


def arrow_column(array: Any, where: Location, dialect: Dialect, *, as_text: bool) -> Column:  # noqa: ANN401
    """Turn an Arrow array into a column; its text must be text."""
    try:
        column = _column(array, dialect, as_text=as_text)
    except UnicodeDecodeError as error:
        text = f"column {where.column!r} has text that is not UTF-8, as text in Parquet and Arrow files is"
        raise DataError("encoding", text, where=where, hint="write the file again with its text as UTF-8") from error
    if isinstance(column, Levels) and any("\0" in level for level in column.levels):
        raise nul_byte(_NUL.format(where.column), where)
    return column


def _column(array: Any, dialect: Dialect, *, as_text: bool) -> Column:  # noqa: ANN401
    """Turn an Arrow array into a column."""
    import pyarrow as pa  # noqa: PLC0415

    digits, array = _digits(array.type), plain(array)
    kind, missing, is_ = array.type, dialect.na_values, pa.types
    if is_.is_null(kind):
        return Levels(np.full(len(array), -1, dtype=np.int32), ()) if as_text else _empty(len(array))
    if is_.is_date(kind) or is_.is_time(kind) or is_.is_timestamp(kind):
        return _levels(array, missing) if knows_zone(kind) else Unsupported(f"{kind}, a zone that is not known here")
    if is_.is_boolean(kind):
        levels = replace(_levels(array, ()), typed=True)
        return levels if as_text else as_boolean(levels)
    if is_.is_string(kind) or is_.is_large_string(kind) or is_.is_string_view(kind):
        return _levels(array.cast(pa.large_string()), missing)
    if is_.is_integer(kind) or is_.is_floating(kind) or is_.is_decimal(kind):
        return _figures(array, dialect, digits, as_text=as_text)
    return Unsupported(str(kind))


def _figures(array: Any, dialect: Dialect, digits: np.dtype[Any], *, as_text: bool) -> Column:  # noqa: ANN401
    """A column of numbers, or of these as text; ``digits`` is what they were stored as."""
    absent = rounded_values(absent_values(dialect.na_values, dialect.decimal), digits)
    if as_text:
        return replace(levels_without(_levels(array, dialect.na_values), absent), typed=True)
    return _numbers(array, absent)


def _digits(kind: Any) -> np.dtype[Any]:  # noqa: ANN401
    """The type of numpy's that has as many digits as a type of numbers."""
    import pyarrow as pa  # noqa: PLC0415

    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return np.dtype(f"f{kind.bit_width // 8}" if pa.types.is_floating(kind) else "f8")


def _empty(rows: int) -> Numbers:
    return Numbers(np.full(rows, np.nan))


def _numbers(array: Any, absent: Collection[float]) -> Numbers:  # noqa: ANN401
    """Numbers as doubles, without those that mean missing."""
    import pyarrow as pa  # noqa: PLC0415

    if pa.types.is_decimal(array.type):
        array = array.cast(pa.string())  # digits to the nearest double; the direct cast may miss it by one
    doubles, at = array.cast(pa.float64(), safe=False), 0
    values = own_room(len(doubles))
    for chunk in getattr(doubles, "chunks", [doubles]):
        values[at : at + len(chunk)] = numbers_without(chunk.to_numpy(zero_copy_only=False), absent)
        at += len(chunk)
    return Numbers(values)


def _levels(array: Any, missing: tuple[str, ...]) -> Levels:  # noqa: ANN401
    """Factorize an Arrow array."""
    encoded = array.dictionary_encode()
    if hasattr(encoded, "combine_chunks"):
        encoded = encoded.unify_dictionaries().combine_chunks()
        encoded = encoded if hasattr(encoded, "indices") else encoded.chunk(0)
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    spelt = [str(text) for text in spelt_values(encoded.dictionary)]
    return sorted_levels(codes, spelt, missing if "nan" not in spelt else (*missing, "nan"))


def _raw(array: Any, name: str, locate: Callable[[int, str | None], Location]) -> NDArray[np.object_]:  # noqa: ANN401
    """Cells as they go along with predictions."""
    cells = ["" if text is None else text for text in spelt_values(array)]
    row = next((row for row, cell in enumerate(cells) if "\0" in cell), None)
    if row is not None:
        raise nul_byte(_NUL.format(name), locate(row, name))
    return np.array([*cells, None], dtype=np.object_)[:-1]
