"""LAPACK and BLAS at work without the interpreter's lock, so that threads do not wait for each other.

``scipy.linalg.lapack`` and ``scipy.linalg.blas`` hold the lock for the whole call. The same routines are called here at
the addresses that SciPy has for Cython, which takes some microseconds more: small matrices are left to the others.
"""

import ctypes
from collections.abc import Callable
from functools import cache
from types import ModuleType

import numpy as np
from scipy.linalg import cython_blas, cython_lapack, lapack

from regcli.problem.protocols import Array

__all__ = ["add_squares", "cholesky", "reflect", "solve_triangular"]

#: Rows from which on a solve takes longer than 15 microseconds, of which a call by address adds 5.
LARGE = 400

#: Columns of which what is below the triangle is written at a time.
BLOCK = 128


def solve_triangular(upper: Array, right: Array, *, transposed: bool = False) -> Array:
    """Solve U x = b, or U' x = b, with the upper triangle at the top left of an array in column order.

    The array may have more rows and columns than b (f,) or (f, r) has rows. Costs O(f^2 r).
    """
    size = right.shape[0]
    if size < LARGE:
        return np.asarray(lapack.dtrtrs(upper[:, :size], right, trans=int(transposed))[0])
    out = right.copy(order="F")
    many = 1 if out.ndim == 1 else out.shape[1]
    call = _routine(cython_lapack, "dtrtrs")
    call(b"U", b"T" if transposed else b"N", b"N", size, many, upper, upper.strides[1] // 8, out, size, 0)
    return out


def cholesky(matrix: Array) -> tuple[Array, bool]:
    """U with U'U = A, zero below, and whether A is positive definite; A is overwritten. Costs O(f^3)."""
    if matrix.shape[0] < LARGE:
        out, info = lapack.dpotrf(matrix, overwrite_a=1)
        return np.asarray(out), info == 0
    out = np.asfortranarray(matrix)
    info = np.zeros(1)  # of eight bytes, however wide the integer is
    _routine(cython_lapack, "dpotrf")(b"U", out.shape[0], out, out.shape[0], info)
    for start in range(0, out.shape[0], BLOCK):
        columns = slice(start, start + BLOCK)
        out[start + BLOCK :, columns] = 0.0
        out[columns, columns] = np.triu(out[columns, columns])
    return out, not info.any()


def add_squares(cells: Array, out: Array) -> None:
    """Add C C' to the upper triangle of an array (m, m) in column order, C (m, r) being in row order. O(m^2 r).

    Rows of C may be apart, as in some columns of an array. To add ``C @ C.T`` with numpy takes a fifth longer where r
    is 65 and m 200: it writes both triangles of a new array first.
    """
    size, rows = cells.shape
    _routine(cython_blas, "dsyrk")(b"U", b"T", size, rows, 1.0, cells, cells.strides[0] // 8, 1.0, out, size)


def reflect(out: Array) -> None:
    """Write the upper triangle of an array (m, m) below the diagonal too, some rows at a time."""
    size = out.shape[0]
    for start in range(0, size, BLOCK):
        rows, stop = slice(start, start + BLOCK), start + BLOCK
        out[stop:, rows] = out[rows, stop:].T
        corner = np.triu(out[rows, rows])
        out[rows, rows] = corner + np.triu(corner, 1).T


@cache
def _routine(module: ModuleType, name: str) -> Callable[..., None]:
    """A routine that takes letters, numbers and arrays by what they are; it needs all of them by address."""
    capsule = module.__pyx_capi__[name]
    of_name, of_address = ctypes.pythonapi.PyCapsule_GetName, ctypes.pythonapi.PyCapsule_GetPointer
    of_name.restype, of_name.argtypes = ctypes.c_char_p, [ctypes.py_object]
    of_address.restype, of_address.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    signature = of_name(capsule)
    integer = ctypes.c_int if b"int *" in signature else ctypes.c_int64
    routine = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * (signature.count(b",") + 1))(of_address(capsule, signature))

    def call(*arguments: bytes | float | Array) -> None:
        routine(*[_address(argument, integer) for argument in arguments])

    return call


def _address(argument: bytes | float | Array, integer: type[ctypes.c_int | ctypes.c_int64]) -> object:
    """What ctypes passes as an address."""
    if isinstance(argument, int):
        return ctypes.byref(integer(argument))
    if isinstance(argument, float):
        return ctypes.byref(ctypes.c_double(argument))
    return argument if isinstance(argument, bytes) else argument.ctypes.data
