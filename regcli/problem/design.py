"""Designs: dense and sparse. The only place where the two differ."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.lib.stride_tricks import as_strided
from scipy import sparse

from regcli.problem.protocols import Array, Integers, ParallelMap
from regcli.problem.spans import even_spans
from regcli.problem.tally import Tally
from regcli.problem.unlocked import add_squares, reflect

__all__ = ["Dense", "Sparse", "make_design"]

#: Rows per block of a product with a tall matrix. At this size OpenBLAS keeps a block and its product in cache: 40 to
#: 50 GFLOP/s in blocks of 512 rows against 10 to 20 on the whole array (measured on 50,000 x 100, one thread).
ROW_BLOCK = 512

#: Blocks in a span, over which whatever is done to the rows between two products is done at a time: with less of it,
#: threads wait for each other's Python. Of a sweep over 150,000 x 100 with 11 lanes two take 0.61 of the time of
#: one with spans of 8 or 16 blocks, 0.68 with 4.
SPAN_BLOCKS = 8

#: Multiplications of one task of a large product: some milliseconds.
PRODUCT = 2**25

#: Blocks whose products are held at a time before they are added up.
STACKED = 16

#: A matrix with this many times more rows than columns and than rows of a block is multiplied block by block.
TALL = 4

#: Cells per piece of a Gram product: the weighted copy of the piece, 1 MB, stays in cache (8 MB took a seventh more of
#: the time of a logistic path on 50,000 x 100). Rows of each label in a piece, on average, at least: from 64 on the
#: rank-k update runs at full speed.
GRAM_CELLS, GRAM_ROWS = 131_072, 64

#: Cells per piece where columns are summed: a piece and its squares, 1 MB each, stay in cache.
SUM_CELLS = 131_072

#: A shift is a multiple of a power of two between 2^-5 and 2^-4 of the spread: near enough to the mean for sums of
#: squares, and a short number, whose subtraction leaves cells with few digits exact.
SHIFT_BITS = 4

#: Columns whose means are taken at a time.
COLUMN_BLOCK = 64

#: Where a mean reaches this share of the spread, and so may exceed it, the spread is taken about the mean.
NEARLY = 0.9

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
    tally: Tally = field(default_factory=Tally, compare=False, repr=False)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.values.shape[0], self.values.shape[1]

    @property
    def nbytes(self) -> int:
        """Bytes that the cells take."""
        return self.values.nbytes

    @property
    def cells(self) -> int:
        """Cells that one pass reads: all."""
        return self.values.size

    @property
    def joins(self) -> bool:
        """Yes: a product with one vector waits for memory."""
        return True

    def dot(self, coefs: Array) -> Array:
        """``coefs @ B'`` over the columns with a nonzero coefficient."""
        used = np.flatnonzero(coefs.any(axis=0))
        if 2 * used.size > coefs.shape[1]:
            self.tally.read(self.values.size, coefs.shape[0])
            return self._dot(coefs)
        self.tally.read(self.values.shape[0] * used.size, coefs.shape[0])
        out = np.zeros((coefs.shape[0], self.values.shape[0]))
        for start in range(0, used.size, ROW_BLOCK):
            part = used[start : start + ROW_BLOCK]
            out += coefs[:, part] @ self.values.T[part]
        return out

    def _dot(self, coefs: Array) -> Array:
        """``coefs @ B'`` over all columns, in blocks of rows where these are few beside their number."""
        n, m = self.values.shape
        if n <= ROW_BLOCK or m > ROW_BLOCK:
            return coefs @ self.values.T
        out = np.empty((coefs.shape[0], n))
        blocks, rest = _blocks(self.values.T)
        np.matmul(coefs, blocks, out=_blocks(out)[0])
        np.matmul(coefs, self.values[rest].T, out=out[:, rest])
        return out

    def rdot(self, rows: Array, parallel_map: ParallelMap | None = None) -> Array:
        """``rows @ B``, in blocks of rows where columns are few beside their number, else in spans of columns."""
        self.tally.read(self.values.size, rows.shape[0])
        n, m = self.values.shape
        if n <= ROW_BLOCK or n <= TALL * m:
            return self._by_columns(rows, parallel_map)
        blocks, rest = _blocks(rows)
        values, out = _blocks(self.values.T)[0].transpose(0, 2, 1), rows[:, rest] @ self.values[rest]
        for start in range(0, len(blocks), STACKED):
            part = slice(start, start + STACKED)
            out += np.matmul(blocks[part], values[part]).sum(axis=0)
        return np.asarray(out)

    def _by_columns(self, rows: Array, parallel_map: ParallelMap | None) -> Array:
        """``rows @ B``, a task for every ``PRODUCT`` multiplications: which ones does not depend on the threads."""
        m = self.values.shape[1]
        count = min(max(rows.size * m // PRODUCT, 1), max(m, 1))
        out = np.empty((rows.shape[0], m))

        def over(columns: slice) -> None:
            np.matmul(rows, self.values[:, columns], out=out[:, columns])

        list((parallel_map or map)(over, even_spans(m, count)))
        return out

    def spans(self) -> list[slice]:
        """Spans of a few blocks of rows where the matrix is tall, else all rows."""
        n, m = self.values.shape
        size = SPAN_BLOCKS * ROW_BLOCK if n > TALL * max(m, ROW_BLOCK) else n
        return [slice(start, min(start + size, n)) for start in range(0, n, size)]

    def part(self, rows: slice) -> Self:
        """A view of consecutive rows."""
        return type(self)(self.values[rows], self.shift, self.tally)

    def block_sums(self, weights: Array, labels: Integers, count: int) -> Array:
        """Weighted sums of the columns, as products over pieces of the rows."""
        return self._sums(weights, labels, count, (1,))[0]

    def block_moments(self, weights: Array, labels: Integers, count: int) -> tuple[Array, Array]:
        """The same and those of their squares, from each piece while it is in cache."""
        first, second = self._sums(weights, labels, count, (1, 2))
        return first, second

    def _sums(self, weights: Array, labels: Integers, count: int, powers: Sequence[int]) -> Array:
        """Weighted sums of powers of the columns."""
        self.tally.read(self.values.size, count * len(powers))
        n, m = self.shape
        out = np.zeros((len(powers), count, m))
        long, wide = max(ROW_BLOCK, SUM_CELLS // max(m, 1)), SUM_CELLS // ROW_BLOCK
        for start in range(0, n, long):
            rows = slice(start, start + long)
            marks = _one_hot(weights[rows], labels[rows], count)
            for first in range(0, m, wide):
                part = slice(first, first + wide)
                values = self.values[rows, part]
                for at, power in enumerate(powers):
                    out[at, :, part] += marks @ (values if power == 1 else np.square(values))
        return out

    def block_grams(
        self,
        weights: Array,
        labels: Integers,
        count: int,
        columns: Integers,
        scaling: tuple[Array, Array] | None = None,
        known: int = 0,
    ) -> Array:
        """Second moments of [1, standardized columns], label by label, as sums over pieces of the rows."""
        return self._grams((weights, labels, count), _Cells(self.values, columns, scaling), known)

    def block_tables(self, weights: Array, labels: Integers, count: int, target: Array) -> Array:
        """Second moments of [1, columns, target]: the target is one more column of the product."""
        cells = _Cells(self.values, np.arange(self.shape[1]), target=target)
        return self._grams((weights, labels, count), cells, known=0)

    def _grams(self, blocks: tuple[Array, Integers, int], cells: "_Cells", known: int) -> Array:
        """Second moments by blocks: weights of rows, their labels, number of labels."""
        weights, labels, count = blocks
        size = cells.size
        self.tally.read(self.shape[0] * cells.columns.size)
        self.tally.multiplied(self.shape[0] * (size * (size - known) if known else size * (size + 1) // 2))
        out = np.zeros((count, size, size - known))
        step = max(ROW_BLOCK, GRAM_ROWS * count, GRAM_CELLS // size)
        even = bool(weights.size) and weights.min() == weights.max()
        for start in range(0, self.shape[0], step):
            span = slice(start, min(start + step, self.shape[0]))
            order = np.argsort(labels[span], kind="stable") if count > 1 else None
            rows = cells.piled(span, order)
            if not even:
                root = np.sqrt(weights[span])
                rows *= root if order is None else root[order]
            ends = np.cumsum(np.bincount(labels[span], minlength=count))
            for at, (begin, end) in enumerate(pairwise([0, *ends.tolist()])):
                piece = rows[:, begin:end]
                if begin < end and known:
                    out[at] += piece @ piece[known:].T
                elif begin < end:
                    add_squares(piece, out[at].T)
        if even:
            out *= weights[0]
        if not known:
            for table in out:
                reflect(table.T)
        return out

    def rows(self, index: Integers) -> Array:
        """Chosen rows, gathered along the contiguous axis."""
        self.tally.read(index.size * self.shape[1])
        return self.values.T.take(index, axis=1, mode="clip").T

    def subset(self, columns: Integers) -> Self:
        """The design of some columns in the order given: a gathered copy, or itself."""
        if np.array_equal(columns, np.arange(self.shape[1])):
            return self
        self.tally.read(self.shape[0] * columns.size)
        return type(self)(self.values.T.take(columns, axis=0).T, self.shift[columns], self.tally)


@dataclass(frozen=True)
class Sparse:
    """A sparse (n, m) matrix by columns. Its shift is zero where shifting would fill a column."""

    values: sparse.csc_array
    shift: Array
    tally: Tally = field(default_factory=Tally, compare=False, repr=False)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.values.shape[0], self.values.shape[1]

    @property
    def nbytes(self) -> int:
        """Bytes that the cells and where they are take."""
        return int(self.values.data.nbytes + self.values.indices.nbytes + self.values.indptr.nbytes)

    @property
    def cells(self) -> int:
        """Cells that one pass reads: those that are stored."""
        return int(self.values.nnz)

    @property
    def joins(self) -> bool:
        """No: what is added to leaves the cache. Of 20,000 x 50,000 a path took half as long again."""
        return False

    def dot(self, coefs: Array) -> Array:
        """``coefs @ B'`` over the columns with a nonzero coefficient."""
        used = np.flatnonzero(coefs.any(axis=0))
        values = self.values
        if 2 * used.size <= coefs.shape[1]:
            values, coefs = values[:, used], coefs[:, used]
        self.tally.read(int(values.nnz), coefs.shape[0])
        return np.ascontiguousarray((values @ coefs.T).T)

    def rdot(self, rows: Array, parallel_map: ParallelMap | None = None) -> Array:  # noqa: ARG002  (one product)
        """``rows @ B``."""
        self.tally.read(self.cells, rows.shape[0])
        return np.ascontiguousarray((self._transposed @ rows.T).T)

    @cached_property
    def _transposed(self) -> sparse.csr_array:
        """A view of the transpose, which SciPy takes as long to make as it takes to multiply by few columns."""
        return self.values.T

    def spans(self) -> list[slice]:
        """All rows: cutting a sparse matrix by columns into rows costs more than it saves."""
        return [slice(0, self.values.shape[0])]

    def part(self, rows: slice) -> Self:
        """Consecutive rows."""
        if rows == slice(0, self.values.shape[0]):
            return self
        return type(self)(self.values[rows], self.shift, self.tally)

    def block_sums(self, weights: Array, labels: Integers, count: int) -> Array:
        """Weighted sums of the columns, from a sparse product."""
        self.tally.read(self.cells, count)
        return np.asarray((self._transposed @ _one_hot(weights, labels, count).T).T)

    def block_moments(self, weights: Array, labels: Integers, count: int) -> tuple[Array, Array]:
        """The same and those of their squares."""
        squares = type(self)(self.values.power(2), self.shift, self.tally)
        return self.block_sums(weights, labels, count), squares.block_sums(weights, labels, count)

    def block_grams(
        self,
        weights: Array,
        labels: Integers,
        count: int,
        columns: Integers,
        scaling: tuple[Array, Array] | None = None,
        known: int = 0,
    ) -> Array:
        """Second moments of [1, standardized columns], label by label, from products of the columns as stored."""
        size, nothing = columns.size + 1, (np.zeros(columns.size), np.ones(columns.size))
        centre, sd = nothing if scaling is None else scaling
        out = np.zeros((count, size, size - known))
        skip = max(known - 1, 0)
        values = self.values[:, columns].tocsr()
        for at in range(count):
            rows = np.flatnonzero((labels == at) & (weights > 0))
            own, total = weights[rows], float(weights[rows].sum())
            part = sparse.csc_array(values[rows])
            self.tally.read(int(part.nnz))
            self.tally.multiplied(_pairs(part, skip))
            first = np.asarray(part.T @ own)
            scaled = part.copy()
            scaled.data = scaled.data * own[scaled.indices]
            second = np.asarray((part.T @ scaled[:, skip:]).toarray())
            second -= np.multiply.outer(centre, first[skip:])
            second -= np.multiply.outer(first - total * centre, centre[skip:])
            row = (first - total * centre) / sd
            table = np.empty((size, columns.size - skip + 1))
            table[0, 0], table[1:, 0], table[0, 1:] = total, row, row[skip:]
            table[1:, 1:] = second / sd[:, None] / sd[skip:]
            out[at] = table if known == 0 else table[:, 1:]
        return out

    def block_tables(self, weights: Array, labels: Integers, count: int, target: Array) -> Array:
        """Second moments of [1, columns, target], from those of the columns."""
        m = self.shape[1]
        out = np.zeros((count, m + 2, m + 2))
        out[:, :-1, :-1] = self.block_grams(weights, labels, count, np.arange(m))
        out[:, 1:-1, -1] = self.block_sums(weights * target, labels, count)
        out[:, 0, -1] = np.bincount(labels, weights=weights * target, minlength=count)
        out[:, -1, -1] = np.bincount(labels, weights=weights * target * target, minlength=count)
        out[:, -1, :-1] = out[:, :-1, -1]
        return out

    def rows(self, index: Integers) -> Array:
        """Chosen rows, dense."""
        chosen = self.values[index]
        self.tally.read(int(chosen.nnz))
        return np.asarray(chosen.toarray())

    def subset(self, columns: Integers) -> Self:
        """The design of some columns in the order given."""
        if np.array_equal(columns, np.arange(self.shape[1])):
            return self
        chosen = self.values[:, columns]
        self.tally.read(int(chosen.nnz))
        return type(self)(chosen, self.shift[columns], self.tally)


@dataclass(frozen=True)
class _Cells:
    """What second moments of a dense (n, m) matrix are of: 1, some columns, standardized, and perhaps a target (n,)."""

    values: Array
    columns: Integers
    scaling: tuple[Array, Array] | None = None
    target: Array | None = None

    @property
    def size(self) -> int:
        """Rows and columns of the moments."""
        return 1 + self.columns.size + (self.target is not None)

    @cached_property
    def _every(self) -> bool:
        """Whether the columns are all of them as they stand, which need not be gathered."""
        return np.array_equal(self.columns, np.arange(self.values.shape[1]))

    def piled(self, span: slice, order: Integers | None) -> Array:
        """All of it over a span of rows, in an order of its own if there is one, (k, r)."""
        values = self.values.T[:, span] if self._every else self.values.T[self.columns, span]
        rows = np.empty((self.size, values.shape[1]))
        rows[0], inner = 1.0, rows[1 : 1 + self.columns.size]
        if order is None:
            inner[:] = values
        else:
            values.take(order, axis=1, out=inner, mode="clip")  # a quarter of the time of the checked one
        if self.scaling is not None:
            inner -= self.scaling[0][:, None]
            inner /= self.scaling[1][:, None]
        if self.target is not None:
            rows[-1] = self.target[span] if order is None else self.target[span][order]
        return rows


def _blocks(rows: Array) -> tuple[Array, slice]:
    """A view (b, L, r) of the whole blocks of r = ``ROW_BLOCK`` columns of (L, n), and where the rest of them are.

    numpy multiplies such a stack block by block without going back to Python, so other threads need not wait.
    """
    down, right = rows.strides
    count = rows.shape[1] // ROW_BLOCK
    view = as_strided(rows, (count, rows.shape[0], ROW_BLOCK), (ROW_BLOCK * right, down, right))
    return view, slice(count * ROW_BLOCK, None)


def _pairs(values: sparse.csc_array, skip: int) -> int:
    """Multiplications of a Gram product of some columns with all but the first of them: pairs of cells in a row."""
    late = values.indices[values.indptr[skip] :]
    return int(np.bincount(values.indices, minlength=values.shape[0])[late].sum())


def _one_hot(weights: Array, labels: Integers, count: int) -> Array:
    """The weight of every row (r,) in the row of its label, (B, r)."""
    out = np.zeros((count, labels.size))
    out[labels, np.arange(labels.size)] = weights
    return out


def make_design(values: Array | sparse.sparray, *, centred: bool) -> Dense | Sparse:
    """Store a matrix so that its products are accurate and cheap.

    Parameters
    ----------
    values : (n, m) array, dense or sparse
        The raw columns. Taken over: a dense matrix in column order is shifted in place, not copied. A sparse one in
        any format stays sparse, by columns.
    centred : bool
        Whether the model has an intercept. Without one a shift would change the model, and none is taken.

    Returns
    -------
    Dense or Sparse
        Sparse when it comes so, or when at most a tenth of at least a million cells are nonzero, else dense. The choice
        depends on the data alone, so that results do not depend on the machine.
    """
    if isinstance(values, sparse.sparray):
        stored = sparse.csc_array(values, dtype=np.float64)
        return _shifted(stored) if centred else Sparse(stored, np.zeros(stored.shape[1]))
    n, m = values.shape
    if n * m >= SPARSE_CELLS and _has_few(values, SPARSE_SHARE * n * m):
        return Sparse(sparse.csc_array(values), np.zeros(m))
    values = np.asfortranarray(values, dtype=np.float64)
    shift = np.zeros(m)
    if centred and n:
        for start in range(0, m, COLUMN_BLOCK):
            block = values[:, start : start + COLUMN_BLOCK]
            shift[start : start + COLUMN_BLOCK] = _near_mean(block)
            block -= shift[start : start + COLUMN_BLOCK]
    return Dense(values, shift)


def _has_few(values: Array, most: float) -> bool:
    """Whether at most so many cells are not zero; a matrix of others is not read to its end."""
    found = 0
    for start in range(0, values.shape[1], COLUMN_BLOCK):
        found += int(np.count_nonzero(values[:, start : start + COLUMN_BLOCK]))
        if found > most:
            return False
    return True


def _shifted(stored: sparse.csc_array) -> Sparse:
    """A sparse matrix whose full columns, in which every cell is stored, are shifted; it is copied if there are any."""
    n, m = stored.shape
    shift = np.zeros(m)
    full = np.flatnonzero(np.diff(stored.indptr) == n) if n else np.zeros(0, dtype=np.intp)
    if full.size:
        stored = stored.copy()
    for column in full:
        cells = stored.data[stored.indptr[column] : stored.indptr[column + 1]]
        shift[column] = _near_mean(cells[:, None])[0]
        cells -= shift[column]
    return Sparse(stored, shift)


def _near_mean(block: Array) -> Array:
    """Column means to a sixteenth of the spread; zero where the mean is within the spread and costs no digits."""
    mean = block.mean(axis=0)
    spread = np.sqrt(np.maximum(np.einsum("ij,ij->j", block, block) / block.shape[0] - mean * mean, 0.0))
    far = np.abs(mean) > NEARLY * spread
    spread[far] = block[:, far].std(axis=0)  # the difference of squares has lost its digits there
    step = np.ldexp(1.0, np.frexp(np.where(spread > 0, spread, 1.0))[1] - SHIFT_BITS)
    return np.where(np.abs(mean) > spread, np.round(mean / step) * step, 0.0)
