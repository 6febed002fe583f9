"""What a peer is: a tool that cross-validates arrays, and the facts that make its answer comparable."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from benchmarks.data import Array, Matrix

__all__ = [
    "Peer",
    "Solve",
    "Task",
    "looped_curve",
    "losses",
    "old_matrix",
    "rows_of",
    "training_sets",
    "weighted_folds",
]


@dataclass(frozen=True)
class Task:
    """A cross-validation in memory.

    X (n, p) is dense in Fortran order or CSC, standardized over all rows for peers that do not standardize; ``folds``
    (n,) are 0 to K - 1, ``lambdas`` (R, T) the strengths of each of the ``l1_ratios`` (R,).
    """

    X: Matrix
    y: Array
    folds: NDArray[np.int32]
    family: str
    l1_ratios: tuple[float, ...]
    lambdas: Array
    cores: int

    @property
    def n_folds(self) -> int:
        """Number of folds K."""
        return int(self.folds.max()) + 1

    @property
    def sparse(self) -> bool:
        """Whether the matrix is sparse."""
        return sparse.issparse(self.X)

    @property
    def splits(self) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """Training and test rows of every fold."""
        return [(np.flatnonzero(self.folds != k), np.flatnonzero(self.folds == k)) for k in range(self.n_folds)]


#: Models (T, 1 + p), intercept first, of rows X, y at decreasing strengths: f(task, X, y, l1_ratio, lambdas, tol).
Solve = Callable[[Task, Any, Array, float, Array, float | None], Array]


@dataclass(frozen=True)
class Peer:
    """A tool.

    Parameters
    ----------
    name : str
        As the report shows it.
    package : str
        The distribution whose version counts.
    start : float
        The value of its tolerance from which the search for one goes up and down: usually its default.
    refuses : callable
        Why it cannot take a task, None where it can: f(family, l1_ratios, sparse).
    curve : callable
        The CV means (R, T) of a task: f(task, tol), with tol None for every default of the tool.
    path : callable
        Models of one training set: see ``Solve``. None for regcli, whose lanes are solved together.
    lanes : callable, optional
        Models (lanes, R, T, 1 + p) of several training sets, for a peer without ``path``.
    standardizes : bool
        Whether it scales columns in every training set, as glmnet does; else it is given columns scaled over all rows.
    most_columns : int, optional
        Wider tables are not given to it: they would not fit into memory.
    """

    name: str
    package: str
    start: float
    refuses: Callable[[str, tuple[float, ...], bool], str | None]
    curve: Callable[[Task, float | None], Array]
    path: Solve | None
    lanes: Callable[[Task, list[int], float | None], Array] | None = None
    standardizes: bool = False
    most_columns: int | None = None


def losses(family: str, y: Array, eta: Array) -> Array:
    """Squared errors, or binomial deviances, of predictors eta (n, T), averaged over rows: (T,)."""
    if family == "gaussian":
        return np.asarray(np.square(y[:, None] - eta).mean(axis=0))
    return np.asarray(2.0 * (np.logaddexp(0.0, eta) - y[:, None] * eta).mean(axis=0))


def training_sets(task: Task, lanes: list[int]) -> Iterator[tuple[Any, Array]]:
    """Rows of lanes: 0 is all rows, k + 1 all but those of fold k."""
    for lane in lanes:
        rows = np.flatnonzero(task.folds != lane - 1)
        yield (task.X, task.y) if lane == 0 else (rows_of(task.X, rows), task.y[rows])


def rows_of(X: Matrix, rows: NDArray[np.intp]) -> Matrix:
    """Some rows, in the layout of the whole."""
    return np.asfortranarray(X[rows]) if isinstance(X, np.ndarray) else sparse.csc_array(X[rows])


def looped_curve(task: Task, tol: float | None, path: Solve) -> Array:
    """The CV curve (R, T) of a tool that has paths but no cross-validation, or not with given folds.

    The folds one after the other, then one path over all rows down to the best strength, as LassoCV ends with a fit.
    """
    out = np.zeros(task.lambdas.shape)
    for train, test in task.splits:
        X, y, held = rows_of(task.X, train), task.y[train], task.X[test]
        for at, ratio in enumerate(task.l1_ratios):
            models = path(task, X, y, ratio, task.lambdas[at], tol)
            eta = np.asarray(held @ models[:, 1:].T) + models[:, 0]
            out[at] += losses(task.family, task.y[test], eta) * (test.size / task.y.size)
    best, last = (int(index) for index in np.unravel_index(int(np.argmin(out)), out.shape))
    path(task, task.X, task.y, task.l1_ratios[best], task.lambdas[best, : last + 1], tol)
    return out


def old_matrix(X: Any) -> Any:  # noqa: ANN401  (dense or sparse)
    """A sparse matrix of the older kind, which some tools ask for; a dense one as it is."""
    return X if isinstance(X, np.ndarray) else sparse.csc_matrix(X)


def weighted_folds(task: Task, per_fold: Array) -> Array:
    """Means (T,) over folds (K, T), each counting by its rows, as cv.glmnet has it."""
    return np.asarray(np.bincount(task.folds) @ per_fold / task.y.size)
