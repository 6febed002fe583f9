"""One strength in the terms of other tools."""

import numpy as np

from regcli.app.specify import Asked
from regcli.problem.protocols import Array
from regcli.solvers.engine import Problem

__all__ = ["strengths_elsewhere"]


def strengths_elsewhere(asked: Asked, problem: Problem, sd_y: float, lam: float) -> dict[str, float | None]:
    """One strength in the terms of other tools, None where they cannot give this model.

    All are given the terms of the model as it penalises them: over their weighted 1/n sd unless that is switched off,
    centred where there is an intercept.

    * ``glmnet``: ``lambda`` of ``glmnet(x, y, family = "...")`` with the same share of L1, factors, limits, weights and
      offset. Its gaussian family divides the L2 part by the sd of the target, which no one strength makes up for
      between lasso and ridge, and it rescales penalty factors to mean 1.
    * ``sklearn_alpha``: ``alpha`` of Lasso or ElasticNet with the same ``l1_ratio``, and for counts, L2 alone, that of
      PoissonRegressor.
    * ``sklearn_ridge_alpha``: ``alpha`` of Ridge, which adds up the rows where the others average them.
    * ``sklearn_C``: ``C`` of LogisticRegression with the same ``l1_ratio``, any solver that leaves the intercept alone.
    * ``liblinear_C``: ``-c`` of LIBLINEAR with ``-s 6`` (L1) or ``-s 0`` (L2), and ``-B 1 -R`` for an intercept. It
      knows no weights.

    All but glmnet know one factor for all terms, no limits and no offset. An offset of gaussian is taken from the
    target; one of poisson is the logarithm of an exposure: PoissonRegressor then fits the target over the exposure,
    weighted by the exposure.

    Parameters
    ----------
    asked : Asked
        What was asked for.
    problem : Problem
        The problem, whose first lane is the model.
    sd_y : float
        glmnet's sd of the target less the offset.
    lam : float
        The strength, 0 or more.
    """
    factors = problem.penalty.factors
    found: dict[str, float | None] = dict.fromkeys(
        ("glmnet", "sklearn_alpha", "sklearn_ridge_alpha", "sklearn_C", "liblinear_C")
    )
    if asked.unpenalised or not (factors > 0).any():
        return found
    found["glmnet"] = _glmnet(asked, problem, sd_y, lam)
    if np.any(factors != factors[0]) or problem.penalty.restrict(problem.standing).has_limits() or lam == 0:
        return found
    strength = lam * float(factors[0])
    match problem.objective.family.name:
        case "gaussian":
            found |= _squares(asked, problem, strength)
        case "binomial":
            found |= _classes(asked, problem, strength)
        case "poisson":
            found |= _counts(asked, problem, strength)
    return found


def _glmnet(asked: Asked, problem: Problem, sd_y: float, lam: float) -> float | None:
    """Lambda of glmnet; the model is its own with ``--compat glmnet``."""
    if asked.compat == "glmnet":
        return lam
    rescaled = lam * float(problem.penalty.factors.mean())
    if not problem.objective.family.spread_scales or asked.l1_ratio == 1.0:
        return rescaled
    return rescaled * sd_y if asked.l1_ratio == 0.0 else None


def _squares(asked: Asked, problem: Problem, strength: float) -> dict[str, float | None]:
    """Lasso, ElasticNet and Ridge."""
    lanes = problem.objective.lanes
    l2_scale = float(lanes.l2_scale[0])
    if asked.l1_ratio == 0.0:
        alone = strength * l2_scale
        return {"sklearn_alpha": alone, "sklearn_ridge_alpha": alone * float(lanes.totals[0])}
    same = asked.l1_ratio == 1.0 or l2_scale == 1.0  # else it would take another share of L1
    return {"sklearn_alpha": strength if same else None}


def _classes(asked: Asked, problem: Problem, strength: float) -> dict[str, float | None]:
    """LogisticRegression and LIBLINEAR."""
    if problem.objective.offset.any():
        return {}
    total = float(problem.objective.lanes.totals[0])
    weights = _row_weights(problem)
    plain = asked.l1_ratio in (0.0, 1.0) and bool(np.all(weights == weights[0]))
    return {
        "sklearn_C": _inverse(total * strength),
        "liblinear_C": _inverse(weights.size * strength) if plain else None,
    }


def _counts(asked: Asked, problem: Problem, strength: float) -> dict[str, float | None]:
    """PoissonRegressor, whose weights sum to something else where they take in the exposure."""
    if asked.l1_ratio != 0.0:
        return {}
    weights = problem.objective.lanes.weights(0)
    used = weights > 0
    with np.errstate(over="ignore"):
        mean_exposure = float(weights[used] @ np.exp(problem.objective.offset[used]))
    return {"sklearn_alpha": strength / mean_exposure if 0 < mean_exposure < np.inf else None}


def _inverse(value: float) -> float | None:
    """One over a number, None where that is not a number."""
    return 1.0 / value if value > 1.0 / np.finfo(np.float64).max else None


def _row_weights(problem: Problem) -> Array:
    """Weights as given of the rows that the model is fitted to."""
    partition = problem.objective.lanes.partition
    return partition.row_weights[partition.train[0][partition.block]]
