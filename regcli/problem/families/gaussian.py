"""The gaussian family: identity link, loss (y - eta)^2 / 2."""

from dataclasses import dataclass

import numpy as np

from regcli.problem.protocols import Array, Bools

__all__ = ["Gaussian"]

#: glmnet's ``fdev``: a generated path ends when a step raises the explained share of deviance by less than this.
SMALL_GAIN = 1e-5


@dataclass(frozen=True)
class Gaussian:
    """Least squares."""

    name: str = "gaussian"
    link: str = "identity"
    quadratic: bool = True
    classes: bool = False
    spread_scales: bool = True
    metrics: tuple[str, ...] = ("deviance", "mse", "rmse", "mae", "r2")
    domain: str = "numbers"
    endless: str = "the columns depend on each other"

    def loss(self, y: Array, eta: Array) -> Array:
        """(y - eta)^2 / 2."""
        return 0.5 * np.square(y - eta)

    def residual(self, y: Array, eta: Array) -> Array:
        """Y - eta."""
        return y - eta

    def curvature(self, y: Array, eta: Array) -> Array:  # noqa: ARG002  (the same for every family)
        """One."""
        return np.ones_like(eta)

    def mean(self, eta: Array) -> Array:
        """Eta itself."""
        return eta

    def link_of(self, mu: float) -> float:
        """Mu itself."""
        return mu

    def allows(self, y: Array) -> Bools:
        """Every number."""
        return np.isfinite(y)

    def has_null(self, mean: float) -> bool:
        """Always."""
        return bool(np.isfinite(mean))

    def saturated_loss(self, y: Array) -> Array:
        """Zero."""
        return np.zeros_like(y)

    def downhill(self, y: Array) -> Array:
        """0: a parabola rises on both sides."""
        return np.zeros_like(y)

    def deviance(self, y: Array, eta: Array) -> Array:
        """Squared error."""
        return np.square(y - eta)

    def information(self, deviance: float, n: float) -> float:
        """-2 log-likelihood of n rows with this mean squared error at the best variance, up to a constant."""
        return n * float(np.log(deviance)) if deviance > 0 else -np.inf

    def gain_is_small(self, ratios: list[float]) -> bool:
        """Glmnet's rule for gaussian: relative to what is explained so far."""
        return ratios[-1] - ratios[-2] < SMALL_GAIN * ratios[-1]

    def conjugate(self, y: Array, theta: Array) -> Array:
        """theta^2/2 - theta y: the conjugate of (y - eta)^2/2 at -theta."""
        return 0.5 * theta * theta - theta * y
