"""A quadratic known by its products with the data alone, for more coordinates than a Cholesky factor is worth.

H = Z'DZ over the rows of one lane,   solved on the free coordinates by preconditioned conjugate gradients
"""

import numpy as np

from regcli.problem.objective import Objective
from regcli.problem.protocols import Array, Bools, Integers

__all__ = ["MatrixFree"]

#: Share of the residual at the start at which conjugate gradients end: what is left is refined by the kernel, and only
#: where it matters.
RELATIVE = 1e-3

#: Bytes of a lane's columns up to which they are gathered: products with the whole matrix would cost more.
GATHERED = 32 * 2**20

#: Steps of one solve at most.
MOST_STEPS = 500

#: What rounding leaves of a residual, as a share of the right side.
ROUNDING = 8 * float(np.finfo(float).eps)

#: Curvature below this share of the largest is preconditioned as if it were as large.
LEAST_DIAGONAL = 1e-3


class MatrixFree:
    """The form of a kernel (``regcli.solvers.active_set.Quadratic``) without a matrix.

    Parameters
    ----------
    objective : Objective
        Of one lane.
    columns : (k,) integers
        Those of the form. They are gathered where that takes little memory.
    weights : (n,) array
        The diagonal of D: training weights times curvature.
    level : bool
        Whether the first coordinate is the intercept.

    Notes
    -----
    A step costs two products with the columns. Memory is a few vectors.
    """

    exact = True

    def __init__(self, objective: Objective, columns: Integers, weights: Array, *, level: bool) -> None:
        share = columns.size / max(objective.n_terms, 1)
        self._objective, self._columns = objective, columns
        if objective.design.nbytes * share <= GATHERED:
            self._objective, self._columns = objective.restrict(columns), np.arange(columns.size)
        self._weights, self._level = weights, int(level)
        self.size = columns.size + self._level
        self.free: Integers = np.zeros(0, dtype=np.intp)
        self._l2 = np.zeros(self.size)
        self._diagonal = self._curvatures()

    def _curvatures(self) -> Array:
        """About the diagonal of H."""
        objective, lanes, total = self._objective, self._objective.lanes, float(self._weights.sum())
        out = np.full(self.size, total)
        if lanes.maps[0] is None:
            rows = (self._weights, np.zeros(objective.y.size, dtype=np.intp), 1)
            first, second = (sums[0] for sums in objective.design.block_moments(*rows))
            centre, sd = objective.scaling
            every = (second - 2.0 * centre * first + total * centre * centre) / sd / sd
            out[self._level :] = every[self._columns]
        return np.maximum(out, LEAST_DIAGONAL * total)

    def serves(self, l2: Array) -> bool:
        """Take up another L2 part."""
        self._l2 = l2
        return True

    def reload(self, l2: Array, wanted: Bools) -> Integers:
        """Take up another L2 part and what is wanted of the free coordinates."""
        self._l2, self.free = l2, self.free[wanted[self.free]]
        return self.free[:0]

    def append(self, candidates: Integers) -> Integers:
        """Let in coordinates."""
        self.free = np.concatenate([self.free, candidates])
        return candidates

    def drop(self, leaving: Bools) -> Integers:
        """Take out free coordinates."""
        self.free = self.free[~leaving]
        return self.free[:0]

    def times(self, coefs: Array) -> Array:
        """H times coefficients (k,)."""
        objective = self._objective
        level = coefs[:1] if self._level else np.zeros(1)
        model = np.zeros((1, objective.n_terms))
        model[0, self._columns] = coefs[self._level :]
        rows = objective.slope(level, model)
        rows *= self._weights
        total, products = objective.project(rows)
        return np.concatenate([total[: self._level], products[0, self._columns]])

    def coupling(self, held: Integers, values: Array) -> Array:
        """H_FB times values of some coordinates B that are not free, (f,)."""
        return self.times(self._spread(values, held))[self.free]

    def root(self, values: Array) -> float:
        """The quadratic form with the L2 part at values (f,) of the free coordinates."""
        return float(values @ self._product(values))

    def replacement(self, entering: int) -> tuple[Array, float]:
        """Nothing is ever refused entry, so that nothing has to be replaced."""
        raise AssertionError(entering)

    def solve(self, right: Array, start: Array | None = None) -> Array:
        """Solve on the free coordinates by conjugate gradients, from a start (f,)."""
        found = np.zeros(right.size) if start is None else start.copy()
        rest = right - self._product(found) if start is not None else right.copy()
        diagonal = (self._diagonal + self._l2)[self.free]
        first = float(np.abs(rest).max(initial=0.0))
        enough = max(RELATIVE * first, ROUNDING * float(np.abs(right).max(initial=0.0)))
        step = rest / diagonal
        direction, size = step, float(rest @ step)
        for _ in range(MOST_STEPS):
            if float(np.abs(rest).max(initial=0.0)) <= enough:
                break
            image = self._product(direction)
            curvature = float(direction @ image)
            self._objective.tally.stepped(1)
            if curvature <= 0:
                break
            length = size / curvature
            found += length * direction
            rest -= length * image
            step = rest / diagonal
            before, size = size, float(rest @ step)
            direction = step + size / before * direction
        return found

    def _product(self, values: Array) -> Array:
        """H_FF + diag(l2_F) times values (f,)."""
        return self.times(self._spread(values, self.free))[self.free] + self._l2[self.free] * values

    def _spread(self, values: Array, index: Integers) -> Array:
        out = np.zeros(self.size)
        out[index] = values
        return out
