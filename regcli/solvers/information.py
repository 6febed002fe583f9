"""Effective degrees of freedom along a path, and the information criteria made from them.

With L the likelihood of n rows and df the degrees of freedom, intercept included, a criterion is -2 log L + c df:
c = 2 for AIC, log n for BIC, log n + 2 log p for the extended BIC with gamma = 1.

References
----------
.. [1] Zou, Hastie, Tibshirani (2007), "On the 'degrees of freedom' of the lasso", Ann. Stat. 35(5).
   doi:10.1214/009053607000000127 (the number of nonzero coefficients).
.. [2] Chen, Chen (2008), "Extended Bayesian information criteria for model selection with large model spaces",
   Biometrika 95(3). doi:10.1093/biomet/asn034.
"""

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from regcli.problem.objective import Objective
from regcli.problem.protocols import Array, Integers
from regcli.results import Criterion, Iterate
from regcli.solvers.engine import Problem
from regcli.solvers.rows import standard_rows

__all__ = ["CRITERIA", "DegreesOfFreedom", "criterion"]

#: Information criteria by name.
CRITERIA = ("aic", "bic", "ebic")

#: Strengths with more degrees of freedom than this share of the rows are not chosen: where the fit is nearly perfect
#: the likelihood grows beyond any price of parameters.
MOST_FREE = 0.5

#: Weights that differ by less, as a share of themselves, do by rounding.
SAME = 1e-12

#: Curvature below this share of its mean over the rows is rounding.
LEAST_CURVATURE = 1e-12


class DegreesOfFreedom:
    """Degrees of freedom of lane 0 at one strength after another.

    The intercept counts one. So does every coefficient that is neither 0 nor at a limit, where there is no L2 part;
    with one, they count together the trace of the hat matrix of a ridge regression on their columns,
    trace (Z'WZ + D)^-1 Z'WZ, with W the curvature of the loss and D the L2 weights.

    Notes
    -----
    Without L2 part nothing is computed. Else a strength costs O(n k^2 + k^3) for k columns and n rows, the smaller of
    the two orders of k and n; for the gaussian family once for every set of columns.
    """

    def __init__(self, problem: Problem) -> None:
        self._problem = problem.lane(0)
        self._columns: Integers | None = None
        self._values = np.zeros(0)

    def at(self, step: Iterate) -> float:
        """Degrees of freedom of lane 0 at one strength."""
        problem = self._problem
        objective, coefs = problem.objective, step.coefs[0]
        terms = objective.terms(problem.penalty, step.lam, 0)
        free = np.flatnonzero((coefs != 0) & (coefs > terms.lower) & (coefs < terms.upper))
        if problem.penalty.l1_ratio == 1 or not terms.l2[free].any():
            return float(free.size + objective.intercept)
        eta = objective.eta(step.intercepts[:1], step.coefs[:1])[0]
        if not (terms.l2[free] > 0).all():
            return objective.intercept + _mixed_trace(objective, free, eta, terms.l2[free])
        if self._columns is None or not np.array_equal(free, self._columns) or not objective.family.quadratic:
            self._values = _eigenvalues(objective, free, eta, terms.l2[free] / step.lam)
            self._columns = free
        return float(objective.intercept + np.sum(self._values / (self._values + step.lam)))


def criterion(name: str, problem: Problem, steps: list[Iterate], given: Array) -> Criterion:
    """One criterion along a path of lane 0, and the strength where it is least, the largest of equals.

    The likelihood is that of the rows by the weights ``given`` for them (n,), whatever the fit makes of a class.
    Strengths short of the tolerance or with more degrees of freedom than half the rows are not chosen.
    """
    objective = problem.objective
    weights = given / given.sum()
    n = float(np.count_nonzero(weights > 0))
    saturated = float(weights @ objective.family.saturated_loss(objective.y))
    counted = DegreesOfFreedom(problem)
    df = np.array([counted.at(step) for step in steps])
    deviance = [max(2.0 * (loss - saturated), 0.0) for loss in _losses(problem, steps, weights)]
    p = max(int(np.count_nonzero(objective.lanes.varies[0])), 1)
    price = {"aic": 2.0, "bic": np.log(n), "ebic": np.log(n) + 2.0 * np.log(p)}[name]
    values = np.array([objective.family.information(value, n) for value in deviance]) + price * df
    allowed = np.array([step.status[0].usable for step in steps]) & (df <= MOST_FREE * n) & np.isfinite(values)
    index = int(np.argmin(np.where(allowed, values, np.inf))) if allowed.any() else None
    return Criterion(name, values, df, index)


def _losses(problem: Problem, steps: list[Iterate], weights: Array) -> list[float]:
    """Loss of lane 0 at every strength by the weights (n,) of rows: that of the walk where the fit has the same."""
    alone = problem.lane(0).objective
    if np.allclose(weights, alone.lanes.weights(0), rtol=SAME, atol=0.0):
        return [step.loss for step in steps]
    etas = (alone.eta(step.intercepts[:1], step.coefs[:1])[0] for step in steps)
    return [float(weights @ alone.family.loss(alone.y, eta)) for eta in etas]


def _weighted(objective: Objective, eta: Array) -> Array:
    """Training weights times curvature."""
    weights = objective.curvature_weights(0, eta)
    return np.maximum(weights, LEAST_CURVATURE * float(weights.mean())) if not objective.family.quadratic else weights


def _gram(objective: Objective, columns: Integers, weights: Array) -> Array:
    """Z'WZ of centred and scaled columns, the intercept projected out."""
    hessian = objective.grams(weights, np.zeros(weights.size, dtype=np.intp), columns, objective.scaling)[0]
    if not objective.intercept:
        return hessian[1:, 1:]
    return np.asarray(hessian[1:, 1:] - np.multiply.outer(hessian[0, 1:], hessian[0, 1:]) / hessian[0, 0])


def _eigenvalues(objective: Objective, columns: Integers, eta: Array, shape: Array) -> Array:
    """Eigenvalues of D^-1/2 Z'WZ D^-1/2, those beyond the rank left out; ``shape`` is the diagonal of D."""
    weights, root = _weighted(objective, eta), np.sqrt(shape)
    rows = np.flatnonzero(weights > 0)
    if columns.size <= rows.size:
        values = np.linalg.eigvalsh(_gram(objective, columns, weights) / root / root[:, None])
    else:
        scaled = standard_rows(objective, columns, rows) / root
        if objective.intercept:
            scaled -= weights[rows] @ scaled / weights.sum()
        scaled *= np.sqrt(weights[rows])[:, None]
        values = np.linalg.eigvalsh(scaled @ scaled.T)
    return np.maximum(values, 0.0)


def _mixed_trace(objective: Objective, columns: Integers, eta: Array, l2: Array) -> float:
    """The trace where some columns are not penalised: k - trace (Z'WZ + D)^-1 D."""
    hessian = _gram(objective, columns, _weighted(objective, eta))
    penalised = np.flatnonzero(l2 > 0)
    right = np.zeros((columns.size, penalised.size))
    right[penalised, np.arange(penalised.size)] = l2[penalised]
    solved = cho_solve(cho_factor(hessian + np.diag(l2)), right)
    return float(columns.size - np.trace(solved[penalised]))
