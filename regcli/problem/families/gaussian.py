"""The gaussian family: identity link, loss (y - eta)^2 / 2."""

from dataclasses import dataclass

import numpy as np

from regcli.problem.protocols import Array

__all__ = ["Gaussian"]

#: glmnet's ``fdev``: a generated path ends when a step raises the explained share of deviance by less than this.
SMALL_GAIN = 1e-5


@dataclass(frozen=True)
class Gaussian:
    """Least squares."""

    name: str = "gaussian"
    link: str = "identity"
    quadratic: bool = True
    metrics: tuple[str, ...] = ("deviance", "mse", "rmse", "mae", "r2")

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

    def saturated_loss(self, y: Array) -> Array:
        """Zero."""
        return np.zeros_like(y)

    def deviance(self, y: Array, eta: Array) -> Array:
        """Squared error."""
        return np.square(y - eta)

    def gain_is_small(self, ratios: list[float]) -> bool:
        """Glmnet's rule for gaussian: relative to what is explained so far."""
        return ratios[-1] - ratios[-2] < SMALL_GAIN * ratios[-1]

    def conjugate(self, y: Array, theta: Array) -> Array:
        """theta^2/2 - theta y: the conjugate of (y - eta)^2/2 at -theta."""
        return 0.5 * theta * theta - theta * y
