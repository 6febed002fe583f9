"""Columns of which nearly all cells are zero: which of them go together."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from regcli.data.table import Column, Numbers

__all__ = ["BLOCK", "count_products", "is_thin", "thin_pairs"]

Array = NDArray[np.float64]
Rows = NDArray[np.intp]

#: Columns whose products with all later ones are in memory at a time; of other columns, correlations.
BLOCK = 256


def is_thin(column: Column) -> bool:
    """Whether a column leaves its zeros out, and no cell of it is missing or infinite."""
    return isinstance(column, Numbers) and column.places is not None and bool(np.isfinite(column.cells).all())


def count_products(columns: Sequence[Numbers]) -> float:
    """Multiplications that ``thin_pairs`` needs: pairs of cells in one row."""
    places = [column.places for column in columns if column.places is not None]
    return float(np.square(np.bincount(np.concatenate(places)).astype(np.float64)).sum()) / 2


def thin_pairs(columns: Sequence[Numbers], rows: Rows, least: float) -> Iterator[NDArray[np.float64]]:
    """Pairs of columns (k, 3) whose correlation over some rows is at least ``least`` in size, block by block.

    A pair is two positions, which rise, and the size. Pairs that share no row are left out: where both have fewer than
    a third of their cells, their correlation is below a half.

    Parameters
    ----------
    columns : sequence of Numbers
        Columns that leave their zeros out, see ``is_thin``; each has a cell.
    rows : (m,) integers
        The rows, which rise.
    least : float
        The least size.

    Notes
    -----
    Costs ``count_products`` of these rows.
    """
    # Squares of cells over the largest neither overflow nor vanish.
    cells = np.concatenate([column.cells / np.abs(column.cells).max() for column in columns])
    places = np.concatenate([column.places for column in columns if column.places is not None])
    ends = np.cumsum([0, *(column.cells.size for column in columns)])
    n = columns[0].size
    X = sparse.csc_array((cells, places, ends), shape=(n, len(columns)))
    if rows.size < n:
        X = sparse.csc_array(sparse.csr_array(X)[rows])
    mean = np.asarray(X.sum(axis=0)) / rows.size
    spread = np.sqrt(np.maximum(np.asarray(X.multiply(X).sum(axis=0)) / rows.size - mean * mean, 0.0))
    for start in range(0, len(columns), BLOCK):
        left = X[:, start : start + BLOCK]
        found = sparse.coo_array(left.T @ X[:, start:])
        i, j = found.coords[0] + start, found.coords[1] + start
        with np.errstate(divide="ignore", invalid="ignore"):  # of columns that do not vary there
            sizes = np.abs((found.data / rows.size - mean[i] * mean[j]) / (spread[i] * spread[j]))
        near = (i < j) & (sizes >= least) & np.isfinite(sizes)
        yield np.column_stack([i[near], j[near], np.minimum(sizes[near], 1.0)])
