"""celer: its path, in a loop over folds. Its own LassoCV does the same, but not beside every scikit-learn."""

from typing import Any

import numpy as np

from benchmarks.data import Array
from benchmarks.peer import Peer, Task, looped_curve

__all__ = ["PEERS"]

#: Defaults of celer's Lasso and LassoCV; those of the function ``celer_path`` differ.
DEFAULTS = {"tol": 1e-4, "max_iter": 100, "prune": True}


def _curve(task: Task, tol: float | None) -> Array:
    return looped_curve(task, tol, _path)


def _path(_task: Task, X: Any, y: Array, l1_ratio: float, lambdas: Array, tol: float | None) -> Array:  # noqa: ANN401
    from celer import celer_path  # noqa: PLC0415  (other peers must run without it)

    centre, level = X.mean(axis=0), y.mean()
    settings = DEFAULTS if tol is None else DEFAULTS | {"tol": tol, "max_iter": 1_000}
    moved = np.asfortranarray(X - centre)
    coefs = celer_path(moved, y - level, "lasso", alphas=lambdas, l1_ratio=l1_ratio, **settings)[1].T
    return np.column_stack([level - coefs @ centre, coefs])


def _refuses(family: str, l1_ratios: tuple[float, ...], sparse: bool) -> str | None:  # noqa: FBT001 (a fact)
    if family != "gaussian":
        return "its logistic regression has no intercept"
    if sparse:
        return "not tried with sparse gaussian tables"
    return "no ridge" if 0.0 in l1_ratios else None


PEERS = {"celer": Peer("celer", "celer", 1e-4, _refuses, _curve, _path, standardizes=False)}
