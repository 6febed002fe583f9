"""Reference mathematics, written from the formulas and sharing no code with the package.

The objective, with weights w that are divided by their sum and s_j the column's weighted 1/n standard deviation::

    sum_i w_i loss(y_i, offset_i + b0 + x_i'b)
        + lam * sum_j v_j [ l1_ratio s_j |b_j| + (1 - l1_ratio)/2 l2_scale s_j^2 b_j^2 ]

with s_j = 1 in the penalty where a column is not standardized. The loss is half the unit deviance. Coefficients and
limits are on the scale of the data. Everything that is measured is measured in extended precision where the machine
has it, so that a check says something about the model and not about itself.

This is the slow and sure way: coordinate descent, with the exact minimum over the current support after every few
sweeps. It serves problems of a few hundred rows and columns.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Frame", "Problem", "frame", "mean_of", "objective", "rounding_floor", "scaled", "solve", "violation"]

Vector = NDArray[np.float64]
Long = NDArray[np.longdouble]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, kw_only=True)
class Problem:
    """What is minimised, on the scale of the data.

    ``X`` (n, p) is raw and ``y`` (n,) is 0 or 1 for binomial, 0 or more for poisson. ``standardize`` may say so for
    each column. ``factors`` default to 1, ``lower`` and ``upper`` to no limit, ``weights`` to equal ones, ``offset``
    to 0.
    """

    X: Vector
    y: Vector
    lam: float
    family: str = "gaussian"
    l1_ratio: float = 1.0
    weights: Vector | None = None
    offset: Vector | None = None
    factors: Vector | None = None
    lower: Vector | None = None
    upper: Vector | None = None
    intercept: bool = True
    standardize: bool | Flags = True
    l2_scale: float = 1.0

    def limits(self) -> tuple[Vector, Vector]:
        """Return the lower and the upper limits of the coefficients, (p,) each."""
        p = self.X.shape[1]
        lower = np.full(p, -np.inf) if self.lower is None else self.lower
        upper = np.full(p, np.inf) if self.upper is None else self.upper
        return lower, upper


@dataclass(frozen=True, eq=False)
class Frame:
    """The data as the conditions of optimality see them; no strength and no penalty is in it.

    ``Z`` (n, p) are the columns over their sd, centred if there is an intercept; a column that is constant over the
    rows with weight is zero in ``Z`` and not ``live``. ``scale`` is the largest gradient of the null model.
    """

    w: Long
    y: Long
    offset: Long
    Z: Long
    mean: Long
    sd: Long
    live: Flags
    null_intercept: np.longdouble
    scale: np.longdouble


def frame(problem: Problem) -> Frame:
    """Centre and scale the columns of the problem and measure its null model."""
    n, _ = problem.X.shape
    X = problem.X.astype(np.longdouble)
    w = np.ones(n, np.longdouble) if problem.weights is None else problem.weights.astype(np.longdouble)
    w = w / w.sum()
    offset = np.zeros(n, np.longdouble) if problem.offset is None else problem.offset.astype(np.longdouble)
    y = problem.y.astype(np.longdouble)
    used = problem.X[w > 0]
    live = used.min(axis=0) < used.max(axis=0)
    centre = w @ X
    sd = np.where(live, np.sqrt(w @ (X - centre) ** 2), np.longdouble(1))
    mean = centre if problem.intercept else np.zeros_like(centre)
    Z = np.where(live, (X - mean) / sd, np.longdouble(0))
    b0 = _null_intercept(problem, w, y, offset) if problem.intercept else np.longdouble(0)
    residual = y - mean_of(problem.family, offset + b0)
    scale = np.abs((w * residual) @ Z).max(initial=np.longdouble(0))
    rms = np.sqrt(w @ residual**2)
    return Frame(w, y, offset, Z, mean, sd, live, b0, scale if scale >= 1e-12 * rms else rms)


def mean_of(family: str, eta: Long) -> Long:
    """Mean of the target at the linear predictor."""
    if family == "gaussian":
        return eta
    if family == "poisson":
        return np.exp(eta)
    small = np.exp(-np.abs(eta))
    return np.where(eta >= 0, 1, small) / (1 + small)


def _null_intercept(problem: Problem, w: Long, y: Long, offset: Long) -> np.longdouble:
    """Intercept of the model without columns: a weighted mean, or the root of the likelihood equation by bisection."""
    if problem.family == "gaussian":
        return np.longdouble(w @ (y - offset))
    if problem.family == "poisson":
        return np.longdouble(np.log(w @ y) - np.log(w @ np.exp(offset)))
    reach = np.abs(offset[w > 0]).max() + np.longdouble(50)
    low, high = -reach, reach
    for _ in range(200):
        middle = (low + high) / 2
        if w @ (y - mean_of("binomial", offset + middle)) > 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def objective(problem: Problem, intercept: float, coefs: Vector) -> float:
    """Value of the objective at a model on the scale of the data; infinite outside the limits."""
    lower, upper = problem.limits()
    if np.any(coefs < lower) or np.any(coefs > upper):
        return float("inf")
    w = np.ones(len(problem.y)) if problem.weights is None else problem.weights
    w = w.astype(np.longdouble) / w.sum(dtype=np.longdouble)
    offset = np.zeros(len(problem.y)) if problem.offset is None else problem.offset
    X = problem.X.astype(np.longdouble)
    b = coefs.astype(np.longdouble)
    eta = offset + intercept + X @ b
    y = problem.y
    if problem.family == "gaussian":
        loss = (y - eta) ** 2 / 2
    else:
        loss = (np.exp(eta) if problem.family == "poisson" else np.logaddexp(0, eta)) - y * eta
    sd = np.sqrt(w @ (X - w @ X) ** 2)
    s = np.where(problem.standardize, sd, np.longdouble(1))
    v = np.ones(len(b)) if problem.factors is None else problem.factors
    l1 = problem.l1_ratio * s * np.abs(b)
    l2 = (1 - problem.l1_ratio) / 2 * problem.l2_scale * (s * b) ** 2
    return float(w @ loss + problem.lam * (v @ (l1 + l2)))


def scaled(problem: Problem, data: Frame) -> tuple[Long, Long]:
    """L1 and L2 strengths of each column in units of the column over its sd, (p,) each."""
    v = np.ones(problem.X.shape[1]) if problem.factors is None else problem.factors
    unit = np.where(problem.standardize, np.longdouble(1), 1 / data.sd)
    strength = problem.lam * v.astype(np.longdouble)
    return strength * problem.l1_ratio * unit, strength * (1 - problem.l1_ratio) * problem.l2_scale * unit**2


def _state(problem: Problem, data: Frame, intercept: float, coefs: Vector) -> tuple[Long, Long, Long]:
    """Linear predictor, mean and coefficients in units of the column over its sd."""
    b = coefs.astype(np.longdouble)
    c = b * data.sd
    eta = data.offset + (intercept + data.mean @ b) + data.Z @ c
    return eta, mean_of(problem.family, eta), c


def violation(problem: Problem, intercept: float, coefs: Vector, data: Frame | None = None) -> float:
    """Distance of a model from the conditions of optimality, over the largest gradient of the null model.

    The distance of a coefficient is how fast the objective would still fall if it moved in a direction that its
    limits admit, in units of the column over its sd; for an intercept or an unpenalised coefficient that is the size
    of the gradient. With an intercept the columns are centred: what centring hides is the intercept's own gradient,
    which is among the distances. Columns that are constant over the rows with weight are outside; a coefficient other
    than 0 there, or one beyond its limits, makes the violation infinite.
    """
    data = frame(problem) if data is None else data
    lower, upper = problem.limits()
    if np.any(coefs < lower) or np.any(coefs > upper) or np.any(coefs[~data.live] != 0):
        return float("inf")
    _, mu, c = _state(problem, data, intercept, coefs)
    pull = data.w * (data.y - mu)
    l1, l2 = scaled(problem, data)
    slope = pull @ data.Z - l2 * c
    gain_up = np.where(data.live & (coefs < upper), slope - np.where(c >= 0, l1, -l1), 0)
    gain_down = np.where(data.live & (coefs > lower), -slope - np.where(c <= 0, l1, -l1), 0)
    distance = np.maximum(gain_up, gain_down).max(initial=np.longdouble(0))
    if problem.intercept:
        distance = max(distance, abs(pull.sum()))
    return float(distance / data.scale)


def rounding_floor(problem: Problem, intercept: float, coefs: Vector, data: Frame | None = None) -> float:
    """Violation that double precision cannot be asked to go below at this model."""
    data = frame(problem) if data is None else data
    eta, mu, _ = _state(problem, data, intercept, coefs)
    size = np.abs(data.y) + np.abs(mu) * (1 + np.abs(eta))
    worst = ((data.w * size) @ np.abs(data.Z)).max(initial=np.longdouble(0))
    return float(8 * np.finfo(np.float64).eps * worst / data.scale)


def solve(problem: Problem, tol: float = 1e-12) -> tuple[float, Vector]:
    """Solve the problem; return the intercept and the coefficients on the scale of the data.

    Newton steps on the loss (one is exact for gaussian, a second repairs its rounding), each minimised with penalty
    and limits by ``_minimise``, with backtracking on the objective.

    Raises
    ------
    ArithmeticError
        If neither ``tol`` nor the limit of double precision is reached.
    """
    data = frame(problem)
    theta = np.zeros(problem.X.shape[1] + 1)
    theta[0] = data.null_intercept
    best = (np.inf, *_on_data_scale(problem, data, theta))
    stalled = 0
    for _ in range(500):
        intercept, coefs = _on_data_scale(problem, data, theta)
        size = violation(problem, intercept, coefs, data)
        stalled = 0 if size < best[0] else stalled + 1
        best = min(best, (size, intercept, coefs), key=lambda entry: entry[0])
        if best[0] <= tol or stalled > 20:
            break
        theta = _newton_step(problem, data, theta)
    size, intercept, coefs = best
    # an intercept far from zero is itself rounded, and its gradient shows that
    spelt = float(2 * np.finfo(np.float64).eps * abs(intercept) / data.scale)
    if size > max(tol, spelt, rounding_floor(problem, intercept, coefs, data)):
        raise ArithmeticError(f"the oracle stopped at a violation of {size:.1e}")
    return intercept, coefs


def _on_data_scale(problem: Problem, data: Frame, theta: Vector) -> tuple[float, Vector]:
    """Model on the scale of the data; a coefficient that reached a limit is that limit to the bit."""
    lower, upper = problem.limits()
    sd = data.sd.astype(np.float64)
    c = theta[1:]
    coefs = np.where(c <= lower * sd, lower, np.where(c >= upper * sd, upper, c / sd))
    coefs = np.where(data.live, np.clip(coefs, lower, upper), 0.0)
    return float(theta[0] - data.mean @ coefs.astype(np.longdouble)), coefs


def _newton_step(problem: Problem, data: Frame, theta: Vector) -> Vector:
    """Minimise the quadratic model at ``theta`` (intercept first, scaled units) and go there as far as it helps."""
    intercept, coefs = _on_data_scale(problem, data, theta)
    _, mu, _ = _state(problem, data, intercept, coefs)
    columns = np.column_stack([np.ones(len(mu), np.longdouble), data.Z])
    bend = {"gaussian": np.ones_like(mu), "binomial": mu * (1 - mu), "poisson": mu}[problem.family]
    curvature = data.w * np.maximum(bend, 1e-9)
    lower, upper = problem.limits()
    sd = np.append(1.0, data.sd.astype(np.float64))
    limits = np.vstack([np.append(-np.inf, lower), np.append(np.inf, upper)]) * sd
    limits[:, np.append(not problem.intercept, ~data.live)] = 0.0
    l1, l2 = (np.append(0.0, part.astype(np.float64)) for part in scaled(problem, data))
    slope = (data.w * (data.y - mu)) @ columns - l2 * theta
    A = ((columns.T * curvature) @ columns).astype(np.float64) + np.diag(l2)
    target = _minimise(A, slope.astype(np.float64), l1, limits, theta)
    before = objective(problem, intercept, coefs)
    size = violation(problem, intercept, coefs, data)
    step = 1.0
    while step > 1e-9:
        trial = theta + step * (target - theta) if step < 1 else target
        model = _on_data_scale(problem, data, trial)
        after = objective(problem, *model)
        # near the end the objective no longer shows the difference, and the violation does
        if after < before or (after <= before + 1e-12 * abs(before) and violation(problem, *model, data) < size):
            return trial
        step /= 2
    return target


def _minimise(A: Vector, slope: Vector, l1: Vector, limits: Vector, start: Vector) -> Vector:
    """Minimise a quadratic with Hessian ``A`` and descent slope ``slope`` at ``start``, plus l1'|c|, within limits.

    Five sweeps of coordinate descent find the support and the exact minimum over that support follows, until the
    distance from the conditions of optimality is a millionth of what it was; the caller's next step does the rest.
    Three hundred rounds are the most: where rounding keeps it from that, the next step starts closer by.
    """
    c, slope = start.copy(), slope.copy()
    lower, upper = limits
    moving = np.flatnonzero((lower < upper) & (A.diagonal() > 0))
    first = _distance(slope, l1, limits, c)
    for _ in range(300):
        for _ in range(5):
            for j in moving:
                aim = slope[j] + A[j, j] * c[j]
                moved = np.clip(np.sign(aim) * max(abs(aim) - l1[j], 0.0) / A[j, j], lower[j], upper[j])
                slope -= A[:, j] * (moved - c[j])
                c[j] = moved
        _settle(A, slope, l1, limits, c)
        rounding = np.finfo(np.float64).eps * float((np.abs(A) @ np.abs(c - start)).max())
        if _distance(slope, l1, limits, c) <= max(1e-6 * first, rounding):
            break
    return c


def _distance(slope: Vector, l1: Vector, limits: Vector, c: Vector) -> float:
    """Largest rate at which the penalised quadratic would still fall in a direction the limits admit."""
    up = np.where(c < limits[1], slope - np.where(c >= 0, l1, -l1), 0)
    down = np.where(c > limits[0], -slope - np.where(c <= 0, l1, -l1), 0)
    return float(np.maximum(up, down).max(initial=0.0))


def _settle(A: Vector, slope: Vector, l1: Vector, limits: Vector, c: Vector) -> None:
    """Go to the minimum over the support of ``c``, in place; coefficients that reach 0 or a limit leave it."""
    lower, upper = limits
    for _ in range(2 * len(c)):
        free = np.flatnonzero((c > lower) & (c < upper) & ((c != 0) | (l1 == 0)))
        sign = np.sign(c[free])
        pull = slope[free] - l1[free] * sign
        if not np.any(pull):
            return
        curvature, axes = np.linalg.eigh(A[np.ix_(free, free)])
        flat = curvature <= np.finfo(np.float64).eps * len(free) * curvature[-1]
        along = axes.T @ pull
        if np.linalg.norm(along[flat]) > 1e-8 * np.linalg.norm(pull):  # downhill and flat: only a crossing ends it
            direction, longest = axes[:, flat] @ along[flat], np.inf
        else:
            direction, longest = axes[:, ~flat] @ (along[~flat] / curvature[~flat]), 1.0
        with np.errstate(divide="ignore", invalid="ignore"):
            zero = np.where((l1[free] > 0) & (direction * sign < 0), -c[free] / direction, np.inf)
            edge = np.where(direction > 0, upper[free], lower[free])
            bound = np.where(direction != 0, (edge - c[free]) / direction, np.inf)
        reach = np.minimum(zero, bound)
        first = int(np.argmin(reach))
        step = min(longest, float(reach[first]))
        if not np.isfinite(step):
            return
        moved = c[free] + step * direction
        if step == reach[first]:
            moved[first] = 0.0 if zero[first] <= bound[first] else edge[first]
        slope -= A[:, free] @ (moved - c[free])
        c[free] = moved
        if step < reach[first]:
            return
