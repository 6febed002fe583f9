"""The roles that the mathematics is written in: a design, a family, a penalty.

Letters used for shapes everywhere: n rows, p terms, m base columns, k chosen columns, L lanes, T strengths. Lanes come
first in every array: coefficients (L, p), linear predictors (L, n).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from regcli.problem.tally import Tally

__all__ = ["Array", "Bools", "Design", "Family", "Integers", "ParallelMap", "Penalty", "SeparableTerms"]

Array = NDArray[np.float64]
Integers = NDArray[np.intp]
Bools = NDArray[np.bool_]

Task = TypeVar("Task")
Result = TypeVar("Result")


class ParallelMap(Protocol):
    """``map`` that may run its calls at the same time and always returns their results in order."""

    def __call__(self, function: Callable[[Task], Result], tasks: Iterable[Task], /) -> list[Result]:
        """Apply the function to every task."""
        ...


class Design(Protocol):
    """A fixed matrix of base columns B (n, m), known by its products alone.

    What is stored is B with ``shift`` taken from its columns: numbers near their means, so that sums of squares keep
    their digits. Products are those of the shifted columns.
    """

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns (n, m)."""
        ...

    @property
    def shift(self) -> Array:
        """What was taken from each column (m,)."""
        ...

    @property
    def nbytes(self) -> int:
        """Bytes that the cells take."""
        ...

    @property
    def cells(self) -> int:
        """Cells that one pass over the matrix reads."""
        ...

    @property
    def joins(self) -> bool:
        """Whether a product for several lanes takes much less than one for each."""
        ...

    @property
    def tally(self) -> Tally:
        """Where its products are counted; its parts and subsets count there too."""
        ...

    def dot(self, coefs: Array) -> Array:
        """(L, m) coefficients to (L, n) linear predictors, ``coefs @ B'``. Costs O(n k L) for k nonzero columns."""
        ...

    def rdot(self, rows: Array, parallel_map: "ParallelMap | None" = None) -> Array:
        """(L, n) to (L, m): ``rows @ B``, the one large product. Costs O(n m L)."""
        ...

    def spans(self) -> Sequence[slice]:
        """Rows in pieces over which several products in a row run fastest, in order."""
        ...

    def part(self, rows: slice) -> Self:
        """The design of consecutive rows."""
        ...

    def block_sums(self, weights: Array, labels: Integers, count: int) -> Array:
        """Weighted sums of the columns, (B, m), label by label. Costs one pass, O(n m B)."""
        ...

    def block_moments(self, weights: Array, labels: Integers, count: int) -> tuple[Array, Array]:
        """The same and those of their squares, (B, m) each, in one pass."""
        ...

    def block_grams(
        self,
        weights: Array,
        labels: Integers,
        count: int,
        columns: Integers,
        scaling: tuple[Array, Array] | None = None,
        known: int = 0,
    ) -> Array:
        """Second moments of [1, (x - centre) / sd] of some columns, (B, k + 1, k + 1 - known), label by label.

        Rows count with (n,) weights, 0 or more, for their label, 0 to B - 1. ``scaling`` are centres and sds (k,) of
        the shifted columns, 0 and 1 without. The first ``known`` columns of the result are left out. Costs
        O(n k (k - known)).
        """
        ...

    def block_tables(self, weights: Array, labels: Integers, count: int, target: Array) -> Array:
        """Second moments of [1, x, y] of the shifted columns and a target (n,), (B, m + 2, m + 2), label by label.

        Costs O(n m^2).
        """
        ...

    def rows(self, index: Integers) -> Array:
        """Chosen rows as a dense (r, m) array."""
        ...

    def subset(self, columns: Integers) -> Self:
        """The design of these columns in this order; itself when that is all of them as they stand."""
        ...


class Family(Protocol):
    """A distribution of the target, elementwise in the linear predictor eta.

    Loss is half the unit deviance up to a term that depends on y alone (``saturated_loss``). ``residual`` is minus its
    first derivative in eta, ``curvature`` its second.
    """

    @property
    def name(self) -> str:
        """Name on the command line."""
        ...

    @property
    def link(self) -> str:
        """Name of the link."""
        ...

    @property
    def quadratic(self) -> bool:
        """Whether the loss is a quadratic in eta with curvature one, so that one Newton step is exact."""
        ...

    @property
    def classes(self) -> bool:
        """Whether the target is one of two classes; a number otherwise."""
        ...

    @property
    def spread_scales(self) -> bool:
        """Whether glmnet divides the L2 part by the sd of the target, as ``--compat glmnet`` then does."""
        ...

    @property
    def domain(self) -> str:
        """What the target may be, in words."""
        ...

    @property
    def endless(self) -> str:
        """What has happened where unpenalised coefficients grow without end, in words."""
        ...

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the metrics that make sense for it, the deviance first."""
        ...

    def loss(self, y: Array, eta: Array) -> Array:
        """Loss of each row."""
        ...

    def residual(self, y: Array, eta: Array) -> Array:
        """Minus the derivative of the loss in eta."""
        ...

    def curvature(self, y: Array, eta: Array) -> Array:
        """Second derivative of the loss in eta."""
        ...

    def mean(self, eta: Array) -> Array:
        """Inverse link."""
        ...

    def link_of(self, mu: float) -> float:
        """Link."""
        ...

    def allows(self, y: Array) -> Bools:
        """Which targets the family allows."""
        ...

    def has_null(self, mean: float) -> bool:
        """Whether a model of the intercept alone has an answer for targets of this weighted mean."""
        ...

    def saturated_loss(self, y: Array) -> Array:
        """Smallest loss each row could have."""
        ...

    def downhill(self, y: Array) -> Array:
        """Where a row's loss falls without end: 1 as eta grows, -1 as it shrinks, 0 where it rises on both sides."""
        ...

    def deviance(self, y: Array, eta: Array) -> Array:
        """Unit deviance as it is reported in cross-validation."""
        ...

    def information(self, deviance: float, n: float) -> float:
        """-2 log-likelihood of n rows with this mean deviance, what depends on y alone left out."""
        ...

    def gain_is_small(self, ratios: list[float]) -> bool:
        """Whether the last step of a generated path bought too little deviance to go on."""
        ...

    def conjugate(self, y: Array, theta: Array) -> Array:
        """Convex conjugate of the loss in eta, at -theta; inf outside its domain. For the duality gap."""
        ...


@dataclass(frozen=True, slots=True)
class SeparableTerms:
    """A separable penalty at one strength, in one lane's coordinates: sum_j l1_j |b_j| + l2_j b_j^2 / 2, limits.

    All arrays are (k,); ``lower <= 0 <= upper``. Without ``limited`` all of these are infinite, and nothing looks
    at them.
    """

    l1: Array
    l2: Array
    lower: Array
    upper: Array
    limited: bool = True

    def value(self, coefs: Array) -> float:
        """Value of the penalty at (k,) coefficients."""
        return float(self.l1 @ np.abs(coefs) + 0.5 * (self.l2 @ (coefs * coefs)))

    def distance(self, coefs: Array, score: Array) -> Array:
        """Distance of the score to the subdifferential of penalty and limits, (k,).

        ``score`` is minus the gradient of the loss. At zero and at a limit only the admissible direction counts.
        """
        smooth = score - self.l2 * coefs
        sign = np.sign(coefs)
        if not self.limited:
            beyond = np.abs(smooth - self.l1 * sign)
            return np.where(coefs != 0, beyond, np.maximum(beyond - self.l1, 0.0))
        at_upper = coefs >= self.upper
        at_lower = coefs <= self.lower
        zero = coefs == 0
        rise = np.where(at_upper, 0.0, smooth - np.where(sign < 0, -self.l1, self.l1))
        fall = np.where(at_lower, 0.0, -smooth - np.where(sign > 0, -self.l1, self.l1))
        inside = np.abs(smooth - self.l1 * sign)
        one_sided = np.maximum(np.maximum(rise, fall), 0.0)
        return np.where(zero | at_upper | at_lower, one_sided, inside)

    def take(self, columns: Integers) -> "SeparableTerms":
        """The terms of some columns."""
        return SeparableTerms(
            self.l1[columns], self.l2[columns], self.lower[columns], self.upper[columns], self.limited
        )


class Penalty(Protocol):
    """What is added to the loss. The strength is an argument, never state."""

    @property
    def factors(self) -> Array:
        """Penalty factor of each term (p,)."""
        ...

    @property
    def l1_ratio(self) -> float:
        """Share of L1."""
        ...

    @property
    def lower(self) -> Array:
        """Lower limit of each coefficient on the scale of the data (p,)."""
        ...

    @property
    def upper(self) -> Array:
        """Upper limit."""
        ...

    def terms(self, lam: float, sd: Array, unit: Array, l2_scale: float) -> SeparableTerms:
        """The penalty in the coordinates of one lane, where b_j is the coefficient times the column's sd."""
        ...

    def raw(self, coefs: Array, sd: Array) -> Array:
        """Coefficients of a lane on the scale of the data; one at its limit is the limit itself."""
        ...

    def lambda_max(self, score: Array, unit: Array) -> float:
        """Smallest strength at which every penalised coefficient is zero, from the score of the null model."""
        ...

    def has_limits(self) -> bool:
        """Whether any coefficient is limited."""
        ...

    def has_zero_limit(self) -> bool:
        """Whether any limit is zero."""
        ...

    def restrict(self, columns: Integers) -> Self:
        """The penalty on these columns."""
        ...

    def with_ratio(self, l1_ratio: float) -> Self:
        """The penalty with another share of L1."""
        ...

    def on_columns(self, factors: Array) -> Self:
        """The penalty on other columns, without limits."""
        ...
