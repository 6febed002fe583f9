"""One strength in the terms of other tools."""

import numpy as np

from regcli.app.specify import Asked
from regcli.solvers.engine import Problem

__all__ = ["strengths_elsewhere"]


def strengths_elsewhere(asked: Asked, problem: Problem, sd_y: float, lam: float) -> dict[str, float | None]:
    """One strength in the terms of other tools, None where none of theirs gives this model.

    All take the standardized columns, as the model does. glmnet: ``glmnet(x, y, family = "...", lambda =)``, which
    divides the gaussian L2 part by the sd of the target and rescales penalty factors. scikit-learn: ``alpha`` of Lasso
    and ElasticNet (same l1_ratio), ``alpha`` of Ridge, ``C`` of LogisticRegression. LIBLINEAR: ``-c`` with ``-s 6``
    (L1) or ``-s 0`` (L2), ``-B 1 -R``. The last four know no limits, no unequal factors, and for classes no offset.
    """
    penalty, lanes = problem.penalty, problem.objective.lanes
    out: dict[str, float | None] = dict.fromkeys(
        ("glmnet", "sklearn_alpha", "sklearn_ridge_alpha", "sklearn_C", "liblinear_C")
    )
    ratio, gaussian, compat = asked.l1_ratio, problem.objective.family.quadratic, asked.compat == "glmnet"
    if asked.unpenalised or not (penalty.factors > 0).any():
        return out
    mean_factor = 1.0 if compat else float(penalty.factors.mean())
    if not gaussian or compat or ratio == 1.0:
        out["glmnet"] = lam * mean_factor
    elif ratio == 0.0:
        out["glmnet"] = lam * mean_factor * sd_y
    equal = bool(np.all(penalty.factors == penalty.factors[0]))
    if not equal or penalty.has_limits() or lam == 0:
        return out
    strength = lam * float(penalty.factors[0])
    l2_only = strength * float(lanes.l2_scale[0])
    total = float(lanes.totals[0])
    if gaussian:
        if ratio == 0.0:
            out["sklearn_alpha"] = l2_only
            out["sklearn_ridge_alpha"] = total * l2_only
        elif ratio == 1.0 or not compat:
            out["sklearn_alpha"] = strength
    elif not problem.objective.offset.any():
        out["sklearn_C"] = 1.0 / (total * strength)
        weighted = np.unique(lanes.partition.row_weights).size > 1
        if ratio in (0.0, 1.0) and not weighted:
            out["liblinear_C"] = 1.0 / (total * strength)
    return out
