"""Columns of a design, all their cells or those that are not zero, and columns side by side."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

__all__ = ["Matrix", "Part", "Stored", "joined", "matrix_bytes", "products"]

Array = NDArray[np.float64]

#: Dense in column order, or by columns where most cells are zero.
Matrix = Array | sparse.csc_array

#: Bytes of a double, and of the place of a cell or the end of a column where zeros are left out.
_DOUBLE, _PLACE = 8, 4


def matrix_bytes(shape: tuple[int, ...], cells: int | None = None) -> int:
    """What a matrix (r, c) takes; ``cells`` are those that it stores, None where it stores all."""
    rows, columns = shape
    return _DOUBLE * rows * columns if cells is None else (_DOUBLE + _PLACE) * cells + _PLACE * (columns + 1)


@dataclass(frozen=True, slots=True)
class Stored:
    """Columns (r, k) by the cells that are stored: what a ``csc_array`` holds, for a hundredth of the time it takes.

    The cells of column j are those from ``ends[j]`` to ``ends[j + 1]``.
    """

    cells: Array
    places: NDArray[np.int32]
    ends: Sequence[int]
    rows: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.rows, len(self.ends) - 1

    @classmethod
    def of(cls, matrix: Matrix) -> Self:
        """The same of a matrix."""
        stored = sparse.csc_array(matrix)
        return cls(stored.data, stored.indices, stored.indptr.tolist(), stored.shape[0])

    def column(self, at: int) -> tuple[Array, NDArray[np.int32]]:
        """The cells of a column that are stored, and their rows."""
        part = slice(self.ends[at], self.ends[at + 1])
        return self.cells[part], self.places[part]


#: Some columns: dense (r, k), or by their cells.
Part = Array | Stored


def joined(rows: int, parts: Sequence[Part]) -> Matrix:
    """Columns side by side: dense if all are."""
    dense = [part for part in parts if isinstance(part, np.ndarray)]
    if len(dense) == len(parts):
        out = np.empty((rows, sum(part.shape[1] for part in dense)), order="F")
        at = 0
        for part in dense:
            out[:, at : at + part.shape[1]] = part
            at += part.shape[1]
        return out
    stored = [part if isinstance(part, Stored) else Stored.of(part) for part in parts]
    ends = np.cumsum(
        [0, *(end - begin for part in stored for begin, end in zip(part.ends, part.ends[1:], strict=False))]
    )
    cells = np.concatenate([part.cells for part in stored])
    places = np.concatenate([part.places for part in stored])
    return sparse.csc_array((cells, places, ends.astype(places.dtype)), shape=(rows, ends.size - 1))


def products(parts: Sequence[Part], pairs: Sequence[tuple[int, int]]) -> Iterator[Part]:
    """Products of pairs of columns, which are numbered over all parts; dense if both columns are."""
    ends = np.cumsum([0, *(part.shape[1] for part in parts)])

    def find(place: int) -> tuple[Part, int]:
        at = int(np.searchsorted(ends, place, side="right")) - 1
        return parts[at], place - int(ends[at])

    with np.errstate(over="ignore", invalid="ignore"):  # rows of other tables may be beyond double precision
        for left, right in pairs:
            yield _product(*find(left), *find(right))


def _product(one: Part, i: int, other: Part, j: int) -> Part:
    """The product of two columns."""
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return np.asarray(one[:, i] * other[:, j])[:, None]
    if isinstance(one, np.ndarray):
        one, i, other, j = other, j, one, i
    assert isinstance(one, Stored)  # noqa: S101  (one of the two is, and it is on the left now)
    cells, places = one.column(i)
    if isinstance(other, np.ndarray):
        return Stored(cells * other[places, j], places, (0, cells.size), one.rows)
    more, also = other.column(j)
    both, at, there = np.intersect1d(places, also, assume_unique=True, return_indices=True)
    return Stored(cells[at] * more[there], both, (0, both.size), one.rows)
