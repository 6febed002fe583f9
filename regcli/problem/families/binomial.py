"""The binomial family for two classes: logit link, loss log(1 + exp(eta)) - y eta with y 0 or 1."""

from dataclasses import dataclass

import numpy as np

from regcli.problem.protocols import Array, Bools

__all__ = ["Binomial"]

#: glmnet's ``fdev``, here on the difference itself and not relative to what is explained.
SMALL_GAIN = 1e-5

#: glmnet clips probabilities to [1e-5, 1 - 1e-5] before it scores a deviance.
CLIP = 1e-5


@dataclass(frozen=True)
class Binomial:
    """Logistic regression."""

    name: str = "binomial"
    link: str = "logit"
    quadratic: bool = False
    classes: bool = True
    spread_scales: bool = False
    metrics: tuple[str, ...] = ("deviance", "logloss", "brier", "auc", "accuracy")
    domain: str = "two classes"
    endless: str = "the classes are separated"

    def loss(self, y: Array, eta: Array) -> Array:
        """log(1 + exp(eta)) - y eta, without overflow."""
        return np.maximum(eta, 0.0) + np.log1p(np.exp(-np.abs(eta))) - y * eta

    def residual(self, y: Array, eta: Array) -> Array:
        """Y - mu."""
        return y - self.mean(eta)

    def curvature(self, y: Array, eta: Array) -> Array:  # noqa: ARG002  (the same for every family)
        """Mu (1 - mu)."""
        small = np.exp(-np.abs(eta))
        return small / np.square(1.0 + small)

    def mean(self, eta: Array) -> Array:
        """1 / (1 + exp(-eta)); exp(-eta) may be infinite."""
        with np.errstate(over="ignore"):
            out = np.asarray(np.exp(-eta))
        out += 1.0
        return np.divide(1.0, out, out=out)

    def link_of(self, mu: float) -> float:
        """log(mu / (1 - mu))."""
        return float(np.log(mu) - np.log1p(-mu))

    def allows(self, y: Array) -> Bools:
        """Numbers from 0 to 1."""
        return (y >= 0) & (y <= 1)

    def has_null(self, mean: float) -> bool:
        """Whether both classes are there; else the intercept is infinite."""
        return 0 < mean < 1

    def saturated_loss(self, y: Array) -> Array:
        """Zero for classes; minus the entropy for shares between 0 and 1."""
        with np.errstate(divide="ignore", invalid="ignore"):
            entropy = y * np.log(y) + (1.0 - y) * np.log1p(-y)
        return np.where((y > 0) & (y < 1), -entropy, 0.0)

    def downhill(self, y: Array) -> Array:
        """Towards the class that a row has; 0 for shares between them."""
        return np.where(y >= 1, 1.0, np.where(y <= 0, -1.0, 0.0))

    def deviance(self, y: Array, eta: Array) -> Array:
        """-2 [y log p + (1 - y) log(1 - p)] with p clipped as glmnet clips it."""
        p = np.clip(self.mean(eta), CLIP, 1.0 - CLIP)
        return -2.0 * (y * np.log(p) + (1.0 - y) * np.log1p(-p))

    def information(self, deviance: float, n: float) -> float:
        """-2 log-likelihood of n rows with this mean deviance, up to a number that depends on y alone."""
        return n * deviance

    def gain_is_small(self, ratios: list[float]) -> bool:
        """Glmnet's rule for binomial: the difference of the explained shares."""
        return ratios[-1] - ratios[-2] < SMALL_GAIN

    def conjugate(self, y: Array, theta: Array) -> Array:
        """Negative entropy of y - theta; inf where that is no probability."""
        share = y - theta
        inside = (share >= 0) & (share <= 1)
        safe = np.where(inside, share, 0.5)
        with np.errstate(divide="ignore", invalid="ignore"):
            left = np.where(safe > 0, safe * np.log(safe), 0.0)
            right = np.where(safe < 1, (1.0 - safe) * np.log1p(-safe), 0.0)
        return np.where(inside, left + right, np.inf)
