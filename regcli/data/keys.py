"""Columns that the folders of a file make: one value for all of its rows."""

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from regcli.data.columns import as_boolean, number, numbers_of
from regcli.data.inputs import Part
from regcli.data.plan import NOT_READ, ChunkPlan, declared_numbers
from regcli.data.table import Column, Levels, Numbers, Table
from regcli.errors import DataError, Location

__all__ = ["with_keys", "with_keys_of_chunk"]

_LEADING_ZERO = re.compile(r"[+-]?0\d", re.ASCII)


def with_keys(table: Table, part: Part, is_text: Callable[[str], bool], missing: tuple[str, ...]) -> Table:
    """Put the columns of a file's folders before those of the file, so that its last column stays the last.

    Numbers among ``missing`` mean missing, here as in cells.

    Raises
    ------
    DataError
        ``duplicate-column`` where the file has a column of that name.
    """
    if not part.keys:
        return table
    _check(table, part)
    made: dict[str, Column] = {}
    for name, value in part.keys:
        levels = _levels(value, table.rows)
        if is_text(name) or value is None or number(value) is None:
            made[name] = as_boolean(levels) if value is not None and not is_text(name) else _plain(levels, value)
        else:
            made[name] = numbers_of(levels, missing=missing)[0]
    zeros = [
        name
        for name, value in part.keys
        if isinstance(made[name], Numbers) and value is not None and _LEADING_ZERO.match(value)
    ]
    return replace(table, columns={**made, **table.columns}, leading_zeros=(*zeros, *table.leading_zeros))


def with_keys_of_chunk(table: Table, part: Part, plan: ChunkPlan, missing: tuple[str, ...]) -> Table:
    """The same for a chunk: numbers where the plan says so, else text."""
    if not part.keys:
        return table
    _check(table, part)
    made: dict[str, Column] = {}
    doubtful: dict[str, Levels] = {}
    for name, value in part.keys:
        levels = _levels(value, table.rows)
        made[name] = NOT_READ if plan.passes_over(name) else levels
        if name in plan.numeric and not plan.passes_over(name):
            doubtful[name] = levels
    found, bad_cells = declared_numbers(doubtful, plan, table.locate, missing=missing)
    raw = None
    if table.raw is not None:
        cells = {name: np.array([value or ""] * table.rows, dtype=np.object_) for name, value in part.keys}
        raw = {**{name: column for name, column in cells.items() if plan.keeps(name)}, **table.spelt}
    return replace(
        table, columns={**made, **found, **table.columns}, bad_cells={**table.bad_cells, **bad_cells}, raw=raw
    )


def _levels(value: str | None, rows: int) -> Levels:
    return Levels(np.full(rows, -1 if value is None else 0, dtype=np.int32), () if value is None else (value,))


def _plain(levels: Levels, value: str | None) -> Column:
    # A column without any value goes with everything.
    return levels if value is not None else Numbers(np.full(len(levels.codes), np.nan))


def _check(table: Table, part: Part) -> None:
    for name, _ in part.keys:
        if name in table.columns:
            raise DataError(
                "duplicate-column",
                f"{part.name} has a column {name!r}, and is in a folder that names one",
                hint="read the files without what their folders say: a pattern such as 'folder/**/*.parquet'",
                where=Location(file=part.name, column=name),
            )
