"""Penalties. One class is lasso, ridge, elastic net, their weighted and bounded forms alike."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from regcli.problem.protocols import Array, Integers, SeparableTerms

__all__ = ["ElasticNet"]

#: glmnet starts a ridge path where an elastic net with this share of L1 would start.
LEAST_L1_RATIO = 1e-3


@dataclass(frozen=True)
class ElasticNet:
    """lam sum_j v_j [ l1_ratio |b_j| + (1 - l1_ratio)/2 b_j^2 ], lower_j <= b_j <= upper_j.

    Parameters
    ----------
    l1_ratio : float
        Share of L1, from 0 (ridge) to 1 (lasso).
    factors : (p,) array
        Penalty factors v, 0 or more; 0 is never penalised.
    lower, upper : (p,) arrays
        Limits on the scale of the data, lower <= 0 <= upper, infinite where there are none.

    References
    ----------
    .. [1] Zou, Hastie (2005), "Regularization and variable selection via the elastic net", J. R. Stat. Soc. B 67(2).
       doi:10.1111/j.1467-9868.2005.00503.x
    """

    l1_ratio: float
    factors: Array
    lower: Array
    upper: Array

    def terms(self, lam: float, sd: Array, unit: Array, l2_scale: float) -> SeparableTerms:
        """The penalty at one strength in the coordinates b_j * sd_j of a lane.

        Parameters
        ----------
        lam : float
            Strength, in units of the loss (weights sum to one).
        sd : (p,) array
            Column standard deviations of the lane, 1 where a column is constant.
        unit : (p,) array
            What turns a coordinate into the coefficient that is penalised: 1 for standardised columns, 1/sd for others.
        l2_scale : float
            Factor of the L2 part, 1 or, for glmnet's gaussian family, 1 over the sd of the target.
        """
        strength, limited = lam * self.factors * unit, self.has_limits()
        return SeparableTerms(
            l1=strength * self.l1_ratio,
            l2=strength * unit * (1.0 - self.l1_ratio) * l2_scale,
            lower=self.lower * sd if limited else self.lower,
            upper=self.upper * sd if limited else self.upper,
            limited=limited,
        )

    def raw(self, coefs: Array, sd: Array) -> Array:
        """Divide by sd; a coefficient at its limit becomes the limit as the user wrote it."""
        out = coefs / sd
        out = np.where(coefs >= self.upper * sd, self.upper, out)
        out = np.where(coefs <= self.lower * sd, self.lower, out)
        return np.where(coefs == 0, 0.0, out)

    def lambda_max(self, score: Array, unit: Array) -> float:
        """max_j |score_j| / (v_j unit_j) over penalised columns, over max(l1_ratio, 0.001); limits play no part."""
        penalised = self.factors > 0
        if not penalised.any():
            return 0.0
        top = np.max(np.abs(score[penalised]) / (self.factors[penalised] * unit[penalised]))
        return float(top) / max(self.l1_ratio, LEAST_L1_RATIO)

    def has_limits(self) -> bool:
        """Whether any limit is finite."""
        return self._limited

    @cached_property
    def _limited(self) -> bool:
        return bool(np.isfinite(self.lower).any() or np.isfinite(self.upper).any())

    def has_zero_limit(self) -> bool:
        """Whether any limit is zero."""
        return bool((self.lower == 0).any() or (self.upper == 0).any())

    def restrict(self, columns: Integers) -> Self:
        """The penalty on some columns."""
        return type(self)(self.l1_ratio, self.factors[columns], self.lower[columns], self.upper[columns])

    def on_columns(self, factors: Array) -> Self:
        """The penalty on other columns, without limits."""
        return type(self)(self.l1_ratio, factors, np.full(factors.size, -np.inf), np.full(factors.size, np.inf))

    def with_ratio(self, l1_ratio: float) -> Self:
        """The penalty with another share of L1."""
        return type(self)(l1_ratio, self.factors, self.lower, self.upper)

    def fix(self, columns: Integers) -> Self:
        """The penalty with the coefficients of some columns held at zero."""
        lower, upper = self.lower.copy(), self.upper.copy()
        lower[columns] = upper[columns] = 0.0
        return type(self)(self.l1_ratio, self.factors, lower, upper)
