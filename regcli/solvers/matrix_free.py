"""A quadratic known by its products with the data alone, for more coordinates than a Cholesky factor is worth.

H = Z'DZ over the rows of one lane,   solved on the free coordinates by preconditioned conjugate gradients
"""

from dataclasses import dataclass, replace

import numpy as np

from regcli.problem.objective import Objective
from regcli.problem.protocols import Array, Bools, Integers
from regcli.solvers.active_set import Near, Solved

__all__ = ["MatrixFree"]

#: Share of the residual at the start at which conjugate gradients end where the model is one of many: what is left is
#: refined by the kernel, and only where it matters.
RELATIVE = 1e-2

#: Free coordinates are gathered where they are at most this share of all: else a second copy saves too little.
FEWER = 0.75

#: Bytes of a lane's columns up to which they are gathered: products with the whole matrix would cost more.
GATHERED = 32 * 2**20

#: Steps of one solve at most.
MOST_STEPS = 500

#: What rounding leaves of a residual, as a share of the right side.
ROUNDING = 8 * float(np.finfo(float).eps)

#: Curvature below this share of the largest is preconditioned as if it were as large.
LEAST_DIAGONAL = 1e-3


@dataclass(frozen=True, slots=True)
class _Products:
    """Z'DZ of one lane on some columns (k,), the intercept before them where ``level`` is 1, known by its products."""

    objective: Objective
    columns: Integers
    weights: Array
    level: int

    def on(self, columns: Integers, level: int) -> "_Products":
        """That of some of the columns, in the order given; gathered where that takes little memory."""
        share = columns.size / max(self.objective.n_terms, 1)
        if share > FEWER or self.objective.design.nbytes * share > GATHERED:
            return replace(self, columns=self.columns[columns], level=level)
        own = self.objective.restrict(self.columns[columns])
        return _Products(own, np.arange(columns.size), self.weights, level)

    def times(self, coefs: Array) -> Array:
        """Z'DZ times coefficients."""
        level = coefs[:1] if self.level else np.zeros(1)
        model = np.zeros((1, self.objective.n_terms))
        model[0, self.columns] = coefs[self.level :]
        rows = self.objective.slope(level, model)
        rows *= self.weights
        total, products = self.objective.project(rows)
        return np.concatenate([total[: self.level], products[0, self.columns]])


class MatrixFree:
    """The form of a kernel (``regcli.solvers.active_set.Quadratic``) without a matrix.

    Parameters
    ----------
    objective : Objective
        Of one lane.
    columns : (k,) integers
        Those of the form.
    weights : (n,) array
        The diagonal of D: training weights times curvature.
    level : bool
        Whether the first coordinate is the intercept.
    relative : float
        Share of the residual at the start at which conjugate gradients end.

    Notes
    -----
    A step costs two products with the free columns, which are gathered where that takes little memory. Memory is a few
    vectors beside them.
    """

    exact = True

    def __init__(
        self, objective: Objective, columns: Integers, weights: Array, *, level: bool, relative: float = RELATIVE
    ) -> None:
        self._relative = relative
        self._every = _Products(objective, np.arange(objective.n_terms), weights, int(level)).on(columns, int(level))
        self.size = columns.size + int(level)
        self.free: Integers = np.zeros(0, dtype=np.intp)
        self._free: tuple[Integers, _Products] | None = None
        self._l2 = np.zeros(self.size)
        self._diagonal = self._curvatures()

    def _curvatures(self) -> Array:
        """About the diagonal of H."""
        objective, weights = self._every.objective, self._every.weights
        lanes, total = objective.lanes, float(weights.sum())
        out = np.full(self.size, total)
        if lanes.maps[0] is None:
            rows = (weights, np.zeros(objective.y.size, dtype=np.intp), 1)
            first, second = (sums[0] for sums in objective.design.block_moments(*rows))
            centre, sd = objective.scaling
            every = (second - 2.0 * centre * first + total * centre * centre) / sd / sd
            out[self._every.level :] = every[self._every.columns]
        return np.maximum(out, LEAST_DIAGONAL * total)

    def serves(self, l2: Array) -> bool:
        """Take up another L2 part."""
        self._l2 = l2
        return True

    def reload(self, l2: Array, wanted: Bools) -> Integers:
        """Take up another L2 part and what is wanted of the free coordinates."""
        self._l2, self.free, self._free = l2, self.free[wanted[self.free]], None
        return self.free[:0]

    def append(self, candidates: Integers) -> Integers:
        """Let in coordinates."""
        self.free, self._free = np.concatenate([self.free, candidates]), None
        return candidates

    def drop(self, leaving: Bools) -> Integers:
        """Take out free coordinates."""
        self.free, self._free = self.free[~leaving], None
        return self.free[:0]

    def times(self, coefs: Array) -> Array:
        """H times coefficients (k,)."""
        return self._every.times(coefs)

    def coupling(self, held: Integers, values: Array) -> Array:
        """H_FB times values of some coordinates B that are not free, (f,)."""
        coefs = np.zeros(self.size)
        coefs[held] = values
        return self.times(coefs)[self.free]

    def root(self, values: Array) -> float:
        """The quadratic form with the L2 part at values (f,) of the free coordinates."""
        return float(values @ self._product(values))

    def replacement(self, entering: int) -> tuple[Array, float]:
        """Nothing is ever refused entry, so that nothing has to be replaced."""
        raise AssertionError(entering)

    def solve(self, right: Array, near: Near | None = None) -> Solved:
        """Solve on the free coordinates by conjugate gradients."""
        found = np.zeros(right.size) if near is None else near.start.copy()
        rest, enough = right.copy(), 0.0
        if near is not None:
            rest, enough = right - self._product(found) if near.rest is None else near.rest.copy(), near.enough
        diagonal = (self._diagonal + self._l2)[self.free]
        first = float(np.abs(rest).max(initial=0.0))
        enough = max(enough, self._relative * first, ROUNDING * float(np.abs(right).max(initial=0.0)))
        step = rest / diagonal
        direction, size = step, float(rest @ step)
        for _ in range(MOST_STEPS):
            if float(np.abs(rest).max(initial=0.0)) <= enough:
                break
            image = self._product(direction)
            curvature = float(direction @ image)
            self._every.objective.tally.stepped(1)
            if curvature <= 0:
                break
            length = size / curvature
            found += length * direction
            rest -= length * image
            step = rest / diagonal
            before, size = size, float(rest @ step)
            direction = step + size / before * direction
        return Solved(found, rest)

    def _product(self, values: Array) -> Array:
        """H_FF + diag(l2_F) times values (f,)."""
        order, products = self._free or self._among_free()
        out = np.empty(values.size)
        out[order] = products.times(values[order])
        return out + self._l2[self.free] * values

    def _among_free(self) -> tuple[Integers, _Products]:
        """H_FF, and the order of the free coordinates that puts the intercept first."""
        first = self._every.level
        terms, level = np.flatnonzero(self.free >= first), np.flatnonzero(self.free < first)
        self._free = np.concatenate([level, terms]), self._every.on(self.free[terms] - first, level.size)
        return self._free
