"""The poisson family for counts and rates: log link, loss exp(eta) - y eta with y 0 or more."""

from dataclasses import dataclass

import numpy as np

from regcli.problem.protocols import Array, Bools

__all__ = ["Poisson"]

#: Beyond this the exponential goes on as a straight line. exp(600) is 4e260: no count is near it, and products with
#: weights and columns stay finite where those of exp(709) do not. Trial steps and held-out rows may lie out there.
STRAIGHT = 600.0

#: glmnet's ``fdev`` times ten, and the number of strengths over which its poisson rule looks back.
SMALL_GAIN, LOOK_BACK = 1e-4, 4


@dataclass(frozen=True)
class Poisson:
    """Log-linear regression of counts."""

    name: str = "poisson"
    link: str = "log"
    quadratic: bool = False
    classes: bool = False
    spread_scales: bool = False
    metrics: tuple[str, ...] = ("deviance", "mse", "rmse", "mae", "r2")
    domain: str = "numbers from 0 on"
    endless: str = "rows with target 0 are told apart from all others"

    def loss(self, y: Array, eta: Array) -> Array:
        """exp(eta) - y eta; a straight line beyond ``STRAIGHT``."""
        return self.mean(eta) * (1.0 + np.maximum(eta - STRAIGHT, 0.0)) - y * eta

    def residual(self, y: Array, eta: Array) -> Array:
        """Y - mu."""
        return y - self.mean(eta)

    def curvature(self, y: Array, eta: Array) -> Array:  # noqa: ARG002  (the same for every family)
        """Mu."""
        return self.mean(eta)

    def mean(self, eta: Array) -> Array:
        """exp(eta), at most exp(``STRAIGHT``)."""
        return np.asarray(np.exp(np.minimum(eta, STRAIGHT)))

    def link_of(self, mu: float) -> float:
        """log(mu)."""
        return float(np.log(mu))

    def allows(self, y: Array) -> Bools:
        """Numbers from 0 on, whole or not: rates are counts over their exposure."""
        return (y >= 0) & np.isfinite(y)

    def has_null(self, mean: float) -> bool:
        """Whether some target is above 0; else the intercept is minus infinity."""
        return mean > 0

    def saturated_loss(self, y: Array) -> Array:
        """Y - y log y, zero at zero."""
        return y - y * np.log(np.where(y > 0, y, 1.0))

    def downhill(self, y: Array) -> Array:
        """Down for rows with target 0."""
        return np.where(y > 0, 0.0, -1.0)

    def deviance(self, y: Array, eta: Array) -> Array:
        """2 [y log(y / mu) - (y - mu)]."""
        return 2.0 * (self.loss(y, eta) - self.saturated_loss(y))

    def information(self, deviance: float, n: float) -> float:
        """-2 log-likelihood of n rows with this mean deviance, up to a number that depends on y alone."""
        return n * deviance

    def gain_is_small(self, ratios: list[float]) -> bool:
        """Glmnet's rule for poisson: relative to what is explained so far, over four strengths."""
        return len(ratios) > LOOK_BACK and ratios[-1] - ratios[-1 - LOOK_BACK] < SMALL_GAIN * ratios[-1]

    def conjugate(self, y: Array, theta: Array) -> Array:
        """(y - theta) log(y - theta) - (y - theta); inf where that is below 0."""
        rest = y - theta
        inside = rest >= 0
        safe = np.where(rest > 0, rest, 1.0)
        return np.where(inside, np.where(rest > 0, safe * np.log(safe) - safe, 0.0), np.inf)
