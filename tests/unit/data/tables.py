"""Columns as plain lists."""

from collections.abc import Callable

import numpy as np

from regcli.data.table import Levels, Numbers, Table

Write = Callable[..., str]


def numbers(table: Table, name: str) -> list[float | None]:
    column = table.columns[name]
    assert isinstance(column, Numbers)
    assert column.values.dtype == np.float64
    return [None if np.isnan(value) else float(value) for value in column.values]


def cells(table: Table, name: str) -> list[str | None]:
    column = table.columns[name]
    assert isinstance(column, Levels)
    assert column.codes.dtype == np.int32
    assert list(column.levels) == sorted(column.levels)
    return [None if code < 0 else column.levels[code] for code in column.codes]
