"""glum: GeneralizedLinearRegressorCV."""

from typing import Any

import numpy as np

from benchmarks.data import Array
from benchmarks.peer import Peer, Task, old_matrix, weighted_folds

__all__ = ["PEERS"]


def _model(task: Task, ratio: float, lambdas: Array, tol: float | None, splits: Any) -> Any:  # noqa: ANN401
    from glum import GeneralizedLinearRegressorCV  # noqa: PLC0415  (other peers must run without it)
    from sklearn.model_selection import PredefinedSplit  # noqa: PLC0415

    return GeneralizedLinearRegressorCV(
        family="normal" if task.family == "gaussian" else "binomial",
        l1_ratio=ratio,
        alphas=lambdas,
        cv=PredefinedSplit(splits),
        n_jobs=task.cores,
        copy_X=False,
        **({} if tol is None else {"gradient_tol": tol, "max_iter": 1_000}),
    )


def _curve(task: Task, tol: float | None) -> Array:
    out = []
    for at, ratio in enumerate(task.l1_ratios):
        model = _model(task, ratio, task.lambdas[at], tol, task.folds).fit(old_matrix(task.X), task.y)
        out.append(weighted_folds(task, model.deviance_path_[:, 0]))
    return np.array(out)


def _path(task: Task, X: Any, y: Array, ratio: float, lambdas: Array, tol: float | None) -> Array:  # noqa: ANN401
    """Models of one training set: those of a cross-validation with one fold, whose test rows are two copies more."""
    extra = np.concatenate([np.arange(y.size), [int(np.argmin(y)), int(np.argmax(y))]])
    splits = np.append(np.full(y.size, -1), [0, 0])
    more = X[extra] if isinstance(X, np.ndarray) else X.tocsr()[extra]
    model = _model(task, ratio, lambdas, tol, splits).fit(old_matrix(more), y[extra])
    return np.column_stack([model.intercept_path_[0, 0].ravel(), model.coef_path_[0, 0]])


def _refuses(_family: str, _l1_ratios: tuple[float, ...], _sparse: bool) -> None:  # noqa: FBT001 (a fact)
    """It takes every task."""


PEERS = {"glum": Peer("glum", "glum", 1e-4, _refuses, _curve, _path, standardizes=False)}
