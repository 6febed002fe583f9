"""Columns that go along with predictions: which they are, whether every file has them, how they are spelt."""

from collections.abc import Iterator, Sequence
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regcli.app.options import Scoring
from regcli.data.dialect import Dialect
from regcli.data.nearby import names_near
from regcli.data.read import Part, format_at, read_header
from regcli.data.scorer import Scorer
from regcli.data.source import is_stream
from regcli.data.table import Lines, Table
from regcli.errors import DataError, Location, Warn, listed

__all__ = [
    "Cells",
    "absent_ids",
    "columns_along",
    "keys_of",
    "no_id",
    "refuse_other",
    "require_along",
    "spelt_along",
    "without_rows",
]

Mask = NDArray[np.bool_]
Cells = list[Any] | NDArray[np.float64] | Lines

#: Formats whose lines name their cells: what columns there are is known at the end alone.
_NAMED_CELLS = ("jsonl", "svm")

#: How LIBSVM's cells that no line gives are spelt as they go along.
_ZERO = "0"


def columns_along(scorer: Scorer, options: Scoring, table: Table, keys: tuple[str, ...]) -> tuple[str, ...]:
    """Columns that go along: all of them, those asked for, or those the model was fitted with if they are there.

    Of JSON Lines and LIBSVM all are ``keys``, if these are known, else those that the first line tells of.
    """
    if options.append:
        return keys or table.begins or tuple(name for name in table.columns if table.begins_with(name))
    for name in options.id:
        if name not in table.columns:
            raise no_id(name, tuple(table.columns), Location(file=table.files[0].path))
    return tuple(dict.fromkeys(options.id)) or tuple(name for name in scorer.id if table.begins_with(name))


def keys_of(part: Part, dialect: Dialect, options: Scoring) -> tuple[str, ...]:
    """What --append carries along of a file whose lines name their cells: all columns. Of others the first row tells.

    They are wanted before the first line is written; a stream cannot be read twice.
    """
    if not options.append or format_at(part.name, dialect) not in _NAMED_CELLS or is_stream(part.name):
        return ()
    return read_header(part, dialect)


def no_id(name: str, there: Sequence[str], where: Location) -> DataError:
    """The error for a column that --id names and the data lack."""
    return DataError(
        "column-not-found",
        f"--id: no column {name!r}",
        where=where,
        near=names_near(name, there),
        hint="--id COL names a column of these data; --append carries all of them along",
    )


def absent_ids(scorer: Scorer, options: Scoring, table: Table) -> Iterator[Warn]:
    """What the model's rows were named by, and would go along, is not there."""
    absent = [name for name in scorer.id if not table.begins_with(name)]
    if absent and not (options.append or options.id):
        text = f"{table.files[0].path} has no column {listed([repr(name) for name in absent], 5)} to name the rows by"
        yield Warn("id-not-found", f"{text}: the predictions go without; --id COL for another", {"columns": absent})


def require_along(carried: tuple[str, ...], table: Table, *, every: bool) -> None:
    """Columns that go along from the first table go along from every other one; ``every`` if no other may be there."""
    lines = table.format in _NAMED_CELLS
    missing = [name for name in carried if name not in table.columns and not table.is_zero(name)]
    missing = [] if table.format == "jsonl" else missing
    known = {*carried} if every else {*table.columns}
    more = [name for name in table.columns if name not in known and not table.lacks(name)]
    if table.format == "svm":  # what the model needs is there, zero; of others the first row that has one is told
        rows = {name: _given_in(table, name) for name in more}
        more = sorted((name for name, row in rows.items() if row < table.rows), key=rows.__getitem__)
    if more and lines:
        raise _later_key(table, more[0])
    refuse_other(table.files[0].path, missing, more)


def refuse_other(file: str, missing: Sequence[str], more: Sequence[str]) -> None:
    """Refuse a file that has not the columns that go along, or more than these."""
    if missing or more:
        raise DataError(
            "columns-differ",
            f"{file} {'lacks' if missing else 'has more than the first table:'} column {(missing or more)[0]!r}",
            hint="score it in a run of its own, or choose the columns to carry along with --id",
            where=Location(file=file),
            cells=tuple(missing or more)[:5],
        )


def _given_in(table: Table, name: str) -> int:
    """The first row of LIBSVM with a cell in a column other than zero, or how many rows there are."""
    given = np.flatnonzero(table.spelt[name] != _ZERO)
    return int(given[0]) if given.size else table.rows


def _later_key(table: Table, name: str) -> DataError:
    """The error for a column that some line names, and the header of what is written does not have."""
    if table.format == "svm":
        row, what = _given_in(table, name), "column"
        along = "the columns of a file; of a stream up to the last that its first line names or the model needs"
    else:
        row, what = table.first_rows.get(name, 0), "the key"
        along = "the keys of a file, or of the first line of a stream"
    where = table.locate(row, name)
    return DataError(
        "columns-differ",
        f"{where.file}: line {where.line} has {what} {name!r}, which is not among the columns that go along",
        hint=f"--append carries along {along}; --id names others",
        where=where,
        cells=(name,),
    )


def spelt_along(carried: tuple[str, ...], table: Table) -> list[Cells]:
    """What goes along, as it is written: the lines themselves where they hold just that."""
    if isinstance(table.raw, Lines) and table.raw.names == carried:
        return [table.raw]
    cells, absent = table.spelt, _ZERO if table.format == "svm" else ""
    return [cells[name].tolist() if name in cells else [absent] * table.rows for name in carried]


def without_rows(column: Cells, rows: Mask) -> Cells:
    """A column without some rows (n,)."""
    if isinstance(column, np.ndarray):
        return column[~rows]
    if isinstance(column, Lines):
        return Lines(column.names, list(compress(column.lines, ~rows)))
    return [cell for cell, skipped in zip(column, rows.tolist(), strict=True) if not skipped]
