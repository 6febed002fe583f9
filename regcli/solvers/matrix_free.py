"""A quadratic known by its products with the data alone, for more coordinates than a Cholesky factor is worth.

H = Z'DZ over the rows of one lane,   solved on the free coordinates by preconditioned conjugate gradients
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from regcli.problem.objective import Objective
from regcli.problem.protocols import Array, Bools, Integers, ParallelMap
from regcli.solvers.active_set import Near, Solved
from regcli.solvers.grow import led

__all__ = ["MatrixFree", "Products", "Request", "saves", "serve"]

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
class Products:
    """Z'DZ of one lane on some columns (k,), the intercept before them where ``level`` is 1, known by its products.

    ``weights`` (n,) are the diagonal of D, ``lane`` is the lane's place in the objective. A lane that ``waits`` asks
    for its products, which are made for several together (``serve``); else it makes them for itself.
    """

    objective: Objective
    lane: int
    columns: Integers
    weights: Array
    level: int
    waits: bool

    @classmethod
    def of(cls, objective: Objective, columns: Integers, weights: Array, *, level: bool) -> Self:
        """Those that a lane makes for itself, from its own objective."""
        return cls(objective, 0, np.arange(objective.n_terms), weights, int(level), waits=False).on(columns, int(level))

    def on(self, columns: Integers, level: int) -> Self:
        """That of some of the columns, in the order given; a lane by itself gathers them where that saves time."""
        if self.waits or not saves(self.objective, columns):
            return replace(self, columns=self.columns[columns], level=level)
        own = self.objective.restrict(self.columns[columns])
        return replace(self, objective=own, columns=np.arange(columns.size), level=level)

    def curvatures(self) -> Array:
        """About the diagonal: sums of squares, in one pass over the data."""
        alone, total = self.objective.keep(np.array([self.lane])), float(self.weights.sum())
        out = np.full(self.columns.size + self.level, total)
        if alone.lanes.maps[0] is None:
            rows = (self.weights, np.zeros(alone.y.size, dtype=np.intp), 1)
            first, second = (sums[0] for sums in alone.design.block_moments(*rows))
            centre, sd = alone.scaling
            every = (second - 2.0 * centre * first + total * centre * centre) / sd / sd
            out[self.level :] = every[self.columns]
        return np.maximum(out, LEAST_DIAGONAL * total)

    async def times(self, coefs: Array) -> Array:
        """Z'DZ times coefficients; where a lane waits, as soon as the others ask as well."""
        model = np.zeros(self.objective.n_terms)
        model[self.columns] = coefs[self.level :]
        request = Request(self.lane, self.weights, float(coefs[0]) if self.level else 0.0, model)
        total, products = await request if self.waits else serve(self.objective, [request])[0]
        own = products[self.columns]
        return led(total, own) if self.level else own


@dataclass(frozen=True, slots=True)
class Request:
    """A lane that waits for X'DX of all columns times its intercept and coefficients (p,)."""

    lane: int
    weights: Array
    level: float
    coefs: Array

    def __await__(self) -> Generator["Request", tuple[float, Array], tuple[float, Array]]:
        return (yield self)


def serve(
    objective: Objective, requests: Sequence[Request], parallel_map: ParallelMap | None = None
) -> list[tuple[float, Array]]:
    """What lanes wait for, in two products with the data for all of them: for the intercept, and for the columns."""
    lanes = objective.keep(np.array([request.lane for request in requests]))
    levels, coefs = np.array([request.level for request in requests]), np.stack([request.coefs for request in requests])
    rows = lanes.slope(levels, coefs)
    rows *= np.stack([request.weights for request in requests])
    return list(zip(*lanes.project(rows, parallel_map), strict=True))


def saves(objective: Objective, columns: Integers) -> bool:
    """Whether products are better made with a copy of some columns than with all."""
    share = columns.size / max(objective.n_terms, 1)
    return share <= FEWER and objective.design.nbytes * share <= GATHERED


class MatrixFree:
    """The form of a kernel (``regcli.solvers.active_set.Quadratic``) without a matrix.

    Parameters
    ----------
    products : Products
        Those with the data of one lane.
    relative : float
        Share of the residual at the start at which conjugate gradients end.

    Notes
    -----
    A step costs two products with the free columns, which are gathered where that takes little memory. Memory is a few
    vectors beside them.
    """

    exact = True

    def __init__(self, products: Products, *, relative: float = RELATIVE) -> None:
        self._relative, self._every = relative, products
        self.size = products.columns.size + products.level
        self.free: Integers = np.zeros(0, dtype=np.intp)
        self._free: tuple[Integers, Products] | None = None
        self._l2 = np.zeros(self.size)
        self._diagonal = products.curvatures()

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

    async def times(self, coefs: Array) -> Array:
        """H times coefficients (k,)."""
        return await self._every.times(coefs)

    async def coupling(self, held: Integers, values: Array) -> Array:
        """H_FB times values of some coordinates B that are not free, (f,)."""
        coefs = np.zeros(self.size)
        coefs[held] = values
        return (await self.times(coefs))[self.free]

    async def root(self, values: Array) -> float:
        """The quadratic form with the L2 part at values (f,) of the free coordinates."""
        return float(values @ await self._product(values))

    def replacement(self, entering: int) -> tuple[Array, float]:
        """Nothing is ever refused entry, so that nothing has to be replaced."""
        raise AssertionError(entering)

    async def solve(self, right: Array, near: Near | None = None) -> Solved:
        """Solve on the free coordinates by conjugate gradients."""
        found = np.zeros(right.size) if near is None else near.start.copy()
        rest, enough = right.copy(), 0.0
        if near is not None:
            rest, enough = right - await self._product(found) if near.rest is None else near.rest.copy(), near.enough
        diagonal = (self._diagonal + self._l2)[self.free]
        first = float(np.abs(rest).max(initial=0.0))
        enough = max(enough, self._relative * first, ROUNDING * float(np.abs(right).max(initial=0.0)))
        step = rest / diagonal
        direction, size = step, float(rest @ step)
        for _ in range(MOST_STEPS):
            if float(np.abs(rest).max(initial=0.0)) <= enough:
                break
            image = await self._product(direction)
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

    async def _product(self, values: Array) -> Array:
        """H_FF + diag(l2_F) times values (f,)."""
        order, products = self._free or self._among_free()
        out = np.empty(values.size)
        out[order] = await products.times(values[order])
        return out + self._l2[self.free] * values

    def _among_free(self) -> tuple[Integers, Products]:
        """H_FF, and the order of the free coordinates that puts the intercept first."""
        first = self._every.level
        terms, level = np.flatnonzero(self.free >= first), np.flatnonzero(self.free < first)
        self._free = np.concatenate([level, terms]), self._every.on(self.free[terms] - first, level.size)
        return self._free
