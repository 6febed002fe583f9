"""Matrices of which most cells are zero, as columns of a table.

A column keeps all its cells or only those that are not zero, whichever is less. What would take too much memory is
refused before it is taken.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from regcli.data.columns import numbers_without, spelt_levels
from regcli.data.table import Column, Numbers
from regcli.errors import Location, ResourceError, UsageError
from regcli.problem.design import SPARSE_CELLS, SPARSE_SHARE

__all__ = [
    "LARGEST",
    "TARGET",
    "check_columns",
    "check_size",
    "numbered",
    "sparse_columns",
    "spelt",
    "spelt_cells",
]

Array = NDArray[np.float64]

#: What the column of labels is called.
TARGET = "target"

#: Bytes that the columns of a sparse table may take. The table, its design and a few lanes then fit 16 GB.
LARGEST = 2**31

#: Bytes of a cell: alone, and with its row.
_CELL, _PLACED = 8, 12

#: Bytes that names and figures of a column take, whatever is in it (measured: 600 of one that is constant, 2,600 of
#: one that becomes a term).
_COLUMN = 2_000


def check_columns(file: str, columns: int) -> None:
    """Refuse a table with too many columns, before their cells are counted.

    Raises
    ------
    ResourceError
        ``table-too-large``.
    """
    if _COLUMN * columns > LARGEST:
        raise ResourceError(
            "table-too-large",
            f"{file} has {columns:,} columns of at most {LARGEST // _COLUMN:,}",
            where=Location(file=file),
            hint="number the columns without gaps, or leave out those that are hardly ever other than zero",
        )


def check_size(file: str, rows: int, columns: int, count: int | None = None) -> None:
    """Refuse a table that would take too much memory.

    Parameters
    ----------
    file : str
        Where it is from.
    rows, columns : int
        Its size.
    count : int or None
        How many cells are not zero, where zeros need not be kept.

    Raises
    ------
    ResourceError
        ``table-too-large``.
    """
    check_columns(file, columns)
    size = _CELL * rows * columns
    if count is not None:
        size = min(size, _PLACED * count + _CELL * rows)
    if size > LARGEST:
        cells = "zeros and all" if count is None else f"{count:,} cells other than zero"
        raise ResourceError(
            "table-too-large",
            f"{file} has {rows:,} rows and {columns:,} columns, {cells}: {size / 1e9:.1f} GB of at most "
            f"{LARGEST / 1e9:.1f}",
            where=Location(file=file),
            hint="take fewer rows, or leave out columns that are hardly ever other than zero",
        )


def numbered(columns: int) -> tuple[str, ...]:
    """Names of columns that have none."""
    return tuple(map(str, range(1, columns + 1)))


def sparse_columns(
    matrix: "sparse.csr_array | sparse.csc_array",
    names: Sequence[str],
    is_text: Callable[[str], bool],
    absent: Collection[float] = (),
) -> Mapping[str, Column]:
    """Columns of a matrix (n, p) by their names, as numbers or, cells as spelt, as text; ``absent`` mean missing.

    Zeros are left out where the solvers leave them out, too (see ``make_design``), and where they would take too much
    memory: that depends on the matrix alone.

    Raises
    ------
    UsageError
        ``conflicting-options`` where zero means missing.
    """
    _refuse_missing_zeros(absent)
    rows, count = matrix.shape
    stored = sparse.csc_array(matrix, dtype=np.float64)
    stored.sum_duplicates()
    stored.eliminate_zeros()
    stored.sort_indices()
    stored.data = numbers_without(stored.data, absent)
    size = rows * count
    dense = None
    if _CELL * size <= LARGEST and (size < SPARSE_CELLS or stored.nnz > SPARSE_SHARE * size):
        dense = stored.toarray(order="F")
    ends, places = stored.indptr.tolist(), stored.indices.astype(np.int32, copy=False)
    out: dict[str, Column] = {}
    for at, name in enumerate(names):
        part = slice(ends[at], ends[at + 1])
        column = Numbers(stored.data[part], places[part], rows) if dense is None else Numbers(dense[:, at])
        out[name] = spelt_levels(spelt(column.values), ("nan",)) if is_text(name) else column
    return out


def _refuse_missing_zeros(absent: Collection[float]) -> None:
    """A format that leaves zeros out cannot have them missing: nearly all cells would be."""
    if 0.0 in absent:
        raise UsageError(
            "conflicting-options",
            "--na-values has 0, and the input is a sparse matrix, of which cells that are not given are 0",
            hint="--na-values without 0, or write the table in another format, such as CSV",
        )


def spelt(values: NDArray[np.float64]) -> NDArray[np.object_]:
    """Numbers as they are written: whole ones without a point."""
    cells = [
        str(int(value)) if value == int(value) else repr(value)
        for value in np.where(np.isfinite(values), values, 0.5).tolist()
    ]
    out = np.array([*cells, None], dtype=object)[:-1]
    for row in np.flatnonzero(~np.isfinite(values)):
        out[row] = str(float(values[row]))
    return out


def spelt_cells(
    matrix: sparse.csr_array, names: Sequence[str], keeps: Callable[[str], bool]
) -> dict[str, NDArray[np.object_]]:
    """The cells of some columns of a matrix (n, p) as they are written, those that mean missing too."""
    kept = [at for at, name in enumerate(names) if keeps(name)]
    columns = sparse_columns(matrix[:, kept], [names[at] for at in kept], lambda _: False)
    return {name: spelt(column.values) for name, column in columns.items() if isinstance(column, Numbers)}
