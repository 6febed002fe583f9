"""Designs: dense and sparse. The only place where the two differ."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
from scipy import sparse

from regcli.problem.protocols import Array, Integers

__all__ = ["Dense", "Sparse", "make_design"]

#: Rows per block of a fused product. At this size OpenBLAS keeps a block and its product in cache: 40 to 50 GFLOP/s
#: in blocks of 512 rows against 10 to 20 on the whole array (measured on 50,000 x 100, one thread).
ROW_BLOCK = 512

#: A matrix with this many times more rows than columns and than rows of a block is multiplied block by block.
TALL = 4

#: Rows per block of a Gram product; large enough that the rank-k update runs at full speed, small enough that the
#: weighted copy of the block stays below 100 MB at 2,000 columns.
GRAM_BLOCK = 4096

#: A shift is a multiple of a power of two between 2^-5 and 2^-4 of the spread: near enough to the mean for sums of
#: squares, and a short number, whose subtraction leaves cells with few digits exact.
SHIFT_BITS = 4

#: Columns whose means are taken at a time.
COLUMN_BLOCK = 64

#: A matrix with at most this share of nonzero cells is stored sparse: below it a sparse product moves fewer bytes
#: (12 a cell against 8) by a factor of about seven.
SPARSE_SHARE = 0.1

#: Matrices with fewer cells than this are always dense: at 8 MB nothing is won by the detour.
SPARSE_CELLS = 1_000_000


@dataclass(frozen=True)
class Dense:
    """A dense (n, m) matrix in column order, its shift already taken from it."""

    values: Array
    shift: Array

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.values.shape[0], self.values.shape[1]

    def dot(self, coefs: Array) -> Array:
        """``coefs @ B'`` over the columns with a nonzero coefficient."""
        used = np.flatnonzero(coefs.any(axis=0))
        if 2 * used.size > coefs.shape[1]:
            return coefs @ self.values.T
        out = np.zeros((coefs.shape[0], self.values.shape[0]))
        for start in range(0, used.size, ROW_BLOCK):
            part = used[start : start + ROW_BLOCK]
            out += coefs[:, part] @ self.values[:, part].T
        return out

    def rdot(self, rows: Array) -> Array:
        """``rows @ B``, in blocks of rows where the matrix is tall."""
        n, m = self.values.shape
        if n <= TALL * max(m, ROW_BLOCK):
            return rows @ self.values
        out = np.zeros((rows.shape[0], m))
        for start in range(0, n, ROW_BLOCK):
            out += rows[:, start : start + ROW_BLOCK] @ self.values[start : start + ROW_BLOCK]
        return out

    def spans(self) -> list[slice]:
        """Blocks of ``ROW_BLOCK`` rows where the matrix is tall, else all rows."""
        n, m = self.values.shape
        size = n if n <= TALL * max(m, ROW_BLOCK) else ROW_BLOCK
        return [slice(start, min(start + size, n)) for start in range(0, n, size)]

    def part(self, rows: slice) -> Self:
        """A view of consecutive rows."""
        return type(self)(self.values[rows], self.shift)

    def gram(self, weights: Array, known: int = 0) -> Array:
        """``B' diag(weights) B`` from column ``known`` on, as a sum over row blocks; weights are not negative."""
        n, m = self.values.shape
        out = np.zeros((m, m - known))
        root = np.sqrt(weights)
        for start in range(0, n, GRAM_BLOCK):
            stop = start + GRAM_BLOCK
            block = self.values[start:stop] * root[start:stop, None]
            out += block.T @ (block[:, known:] if known else block)
        return out

    def block_grams(
        self, weights: Array, block: Integers, scaling: tuple[Array, Array], known: Array | None = None
    ) -> Array:
        """Second moments of [1, standardized columns] over every block's rows; weights are not negative."""
        n, m = self.values.shape
        size, count = 0 if known is None else known.shape[1], int(block.max(initial=0)) + 1
        out = np.zeros((count, m + 1, m + 1 - size))
        root, (centre, sd) = np.sqrt(weights), scaling
        for start in range(0, n, GRAM_BLOCK):
            labels = block[start : start + GRAM_BLOCK]
            order = np.argsort(labels, kind="stable") + start
            rows = np.empty((m + 1, order.size))
            rows[0] = 1.0
            np.take(self.values.T, order, axis=1, out=rows[1:])
            rows[1:] -= centre[:, None]
            rows[1:] /= sd[:, None]
            rows *= root[order]
            ends = np.cumsum(np.bincount(labels, minlength=count))
            for at, (begin, end) in enumerate(pairwise([0, *ends.tolist()])):
                piece = rows[:, begin:end]
                out[at] += piece @ (piece[size:].T if size else piece.T)
        return out if known is None else _completed(known, out)

    def rows(self, index: Integers) -> Array:
        """Chosen rows, gathered along the contiguous axis."""
        return self.values.T.take(index, axis=1).T

    def subset(self, columns: Integers) -> Self:
        """The design of some columns in the order given: a gathered copy, or itself."""
        if np.array_equal(columns, np.arange(self.shape[1])):
            return self
        return type(self)(np.asfortranarray(self.values[:, columns]), self.shift[columns])


@dataclass(frozen=True)
class Sparse:
    """A sparse (n, m) matrix by columns. Its shift is zero: shifting would fill it."""

    values: sparse.csc_array
    shift: Array

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.values.shape[0], self.values.shape[1]

    def dot(self, coefs: Array) -> Array:
        """``coefs @ B'`` over the columns with a nonzero coefficient."""
        used = np.flatnonzero(coefs.any(axis=0))
        return np.ascontiguousarray((self.values[:, used] @ coefs[:, used].T).T)

    def rdot(self, rows: Array) -> Array:
        """``rows @ B``."""
        return np.ascontiguousarray((self.values.T @ rows.T).T)

    def spans(self) -> list[slice]:
        """All rows: cutting a sparse matrix by columns into rows costs more than it saves."""
        return [slice(0, self.values.shape[0])]

    def part(self, rows: slice) -> Self:
        """Consecutive rows."""
        return self if rows == slice(0, self.values.shape[0]) else type(self)(self.values[rows], self.shift)

    def gram(self, weights: Array, known: int = 0) -> Array:
        """``B' diag(weights) B`` from column ``known`` on, dense."""
        root = np.sqrt(weights)
        scaled = self.values.copy()
        scaled.data = scaled.data * root[scaled.indices]
        return np.asarray((scaled.T @ scaled[:, known:]).toarray())

    def block_grams(
        self, weights: Array, block: Integers, scaling: tuple[Array, Array], known: Array | None = None
    ) -> Array:
        """Second moments of [1, standardized columns] over every block's rows, from those of the columns as stored."""
        size, count, centre, sd = 0 if known is None else known.shape[1] - 1, int(block.max(initial=0)) + 1, *scaling
        out = np.empty((count, self.shape[1] + 1, self.shape[1] - size))
        for at in range(count):
            rows = np.flatnonzero(block == at)
            part, total = type(self)(self.values[rows], self.shift), float(weights[rows].sum())
            first = part.rdot(weights[rows][None])[0]
            out[at, 0] = ((first - total * centre) / sd)[size:]
            second = part.gram(weights[rows], size) - np.multiply.outer(centre, first[size:])
            second -= np.multiply.outer(first - total * centre, centre[size:])
            out[at, 1:] = second / sd[:, None] / sd[size:]
        totals = np.bincount(block, weights=weights, minlength=count).astype(np.float64)
        return _completed(totals[:, None, None] if known is None else known, out)

    def rows(self, index: Integers) -> Array:
        """Chosen rows, dense."""
        return np.asarray(self.values[index].toarray())

    def subset(self, columns: Integers) -> Self:
        """The design of some columns in the order given."""
        if np.array_equal(columns, np.arange(self.shape[1])):
            return self
        return type(self)(self.values[:, columns], self.shift[columns])


def _completed(known: Array, fresh: Array) -> Array:
    """Symmetric matrices (B, k, k) from their leading parts and their further columns."""
    size = known.shape[1]
    out = np.empty((fresh.shape[0], fresh.shape[1], fresh.shape[1]))
    out[:, :size, :size] = known
    out[:, :, size:] = fresh
    out[:, size:, :size] = fresh[:, :size].transpose(0, 2, 1)
    return out


def make_design(values: Array, *, centred: bool) -> Dense | Sparse:
    """Store a matrix so that its products are accurate and cheap.

    Parameters
    ----------
    values : (n, m) array
        The raw columns. Taken over: a dense matrix in column order is shifted in place, not copied.
    centred : bool
        Whether the model has an intercept. Without one a shift would change the model, and none is taken.

    Returns
    -------
    Dense or Sparse
        Sparse when at most a tenth of at least a million cells are nonzero, else dense. The choice depends on the data
        alone, so that results do not depend on the machine.
    """
    n, m = values.shape
    if n * m >= SPARSE_CELLS and np.count_nonzero(values) <= SPARSE_SHARE * n * m:
        return Sparse(sparse.csc_array(values), np.zeros(m))
    values = np.asfortranarray(values, dtype=np.float64)
    shift = np.zeros(m)
    if centred and n:
        for start in range(0, m, COLUMN_BLOCK):
            block = values[:, start : start + COLUMN_BLOCK]
            shift[start : start + COLUMN_BLOCK] = _near_mean(block)
            block -= shift[start : start + COLUMN_BLOCK]
    return Dense(values, shift)


def _near_mean(block: Array) -> Array:
    """Column means to a sixteenth of the spread; zero where the mean is within the spread and costs no digits."""
    mean = block.mean(axis=0)
    spread = block.std(axis=0)
    step = np.ldexp(1.0, np.frexp(np.where(spread > 0, spread, 1.0))[1] - SHIFT_BITS)
    return np.where(np.abs(mean) > spread, np.round(mean / step) * step, 0.0)
