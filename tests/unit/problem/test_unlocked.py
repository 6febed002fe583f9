"""Routines called by their addresses give what SciPy's own wrappers give, on either side of the size that decides."""

import numpy as np
import pytest
from scipy.linalg import blas, lapack

from regcli.problem.protocols import Array
from regcli.problem.unlocked import LARGE, add_squares, cholesky, solve_triangular

SIZES = (1, LARGE - 1, LARGE, LARGE + 131)


def definite(size: int) -> Array:
    cells = np.random.default_rng(size).standard_normal((size, size + 10))
    return np.asfortranarray(cells @ cells.T)


def roomy(size: int) -> Array:
    """An upper factor at the top left of a larger array, with no number in the rest."""
    out = np.full((size + 7, size + 7), np.nan, order="F")
    out[:size, :size] = lapack.dpotrf(definite(size))[0]
    return out


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("columns", [None, 1, 3])
@pytest.mark.parametrize("size", SIZES)
def test_a_triangle_is_solved(size: int, columns: int | None, *, transposed: bool) -> None:
    shape = size if columns is None else (size, columns)
    upper, right = roomy(size), np.random.default_rng(1).standard_normal(shape)
    kept = right.copy()
    found = solve_triangular(upper, right, transposed=transposed)
    square = np.asfortranarray(upper[:size, :size])
    assert np.array_equal(found, lapack.dtrtrs(square, right, trans=int(transposed))[0])
    assert np.array_equal(right, kept)
    assert np.allclose((square.T if transposed else square) @ found, right, rtol=0, atol=1e-9)


@pytest.mark.parametrize("size", SIZES)
def test_rows_in_row_order_are_a_right_side_too(size: int) -> None:
    upper, right = roomy(size), np.random.default_rng(2).standard_normal((3, size)).T
    found = solve_triangular(upper, np.ascontiguousarray(right))
    assert np.array_equal(found, solve_triangular(upper, np.asfortranarray(right)))


@pytest.mark.parametrize("size", SIZES)
def test_a_factor_is_made(size: int) -> None:
    matrix = definite(size)
    found, is_definite = cholesky(matrix.copy(order="F"))
    assert is_definite
    assert np.array_equal(found, lapack.dpotrf(matrix)[0])
    assert not np.tril(found, -1).any()


@pytest.mark.parametrize("size", SIZES)
def test_a_matrix_that_is_not_definite_is_told(size: int) -> None:
    matrix = definite(size)
    matrix[-1, -1] = -1.0
    assert not cholesky(matrix)[1]


@pytest.mark.parametrize("rows", [1, 50])
def test_squares_are_added_above_the_diagonal(rows: int) -> None:
    cells = np.random.default_rng(3).standard_normal((40, rows))
    out = np.asfortranarray(np.arange(1600.0).reshape(40, 40))
    expected = blas.dsyrk(1.0, cells.T, beta=1.0, c=out, trans=1)
    below = np.tril(out, -1)
    add_squares(cells, out)
    assert np.array_equal(np.triu(out), np.triu(expected))
    assert np.array_equal(np.tril(out, -1), below)
