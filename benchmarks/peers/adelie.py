"""adelie: grpnet, with a weight of 0 for held-out rows as its own cv_grpnet does; and its solver from a covariance."""

from typing import Any

import numpy as np

from benchmarks.data import Array
from benchmarks.peer import Peer, Task, looped_curve, losses, old_matrix

__all__ = ["PEERS"]


def _settings(tol: float | None) -> dict[str, Any]:
    return {} if tol is None else {"tol": tol, "irls_tol": tol}


def _solve(task: Task, weights: Array, l1_ratio: float, lambdas: Array, tol: float | None) -> Array:
    """Models (T, 1 + p) of weighted rows by grpnet, the whole path."""
    import adelie  # noqa: PLC0415  (other peers must run without it)

    family = adelie.glm.gaussian if task.family == "gaussian" else adelie.glm.binomial
    if task.sparse:
        X = adelie.matrix.sparse(old_matrix(task.X), method="naive", n_threads=task.cores)
    else:
        X = adelie.matrix.dense(task.X, method="naive", n_threads=task.cores)
    state = adelie.grpnet(
        X,
        family(task.y, weights=weights),
        alpha=l1_ratio,
        lmda_path=lambdas,
        early_exit=False,
        n_threads=task.cores,
        progress_bar=False,
        **_settings(tol),
    )
    return _full(np.column_stack([state.intercepts, state.betas.toarray()]), lambdas)


def _full(models: Array, lambdas: Array) -> Array:
    """Models of all strengths; those that a solver gave up are not numbers."""
    missing = lambdas.size - len(models)
    return np.vstack([models, np.full((missing, models.shape[1]), np.nan)]) if missing else models


def _curve(task: Task, tol: float | None) -> Array:
    """The folds one after the other, then all rows down to the best strength."""
    out = np.zeros(task.lambdas.shape)
    for train, test in task.splits:
        weights = np.zeros(task.y.size)
        weights[train] = 1.0 / train.size
        held = task.X[test]
        for at, ratio in enumerate(task.l1_ratios):
            models = _solve(task, weights, ratio, task.lambdas[at], tol)
            eta = np.asarray(held @ models[:, 1:].T) + models[:, 0]
            out[at] += losses(task.family, task.y[test], eta) * (test.size / task.y.size)
    best, last = (int(index) for index in np.unravel_index(int(np.nanargmin(out)), out.shape))
    every = np.full(task.y.size, 1.0 / task.y.size)
    _solve(task, every, task.l1_ratios[best], task.lambdas[best, : last + 1], tol)
    return out


def _path(task: Task, X: Any, y: Array, l1_ratio: float, lambdas: Array, tol: float | None) -> Array:  # noqa: ANN401
    part = Task(X, y, task.folds, task.family, task.l1_ratios, task.lambdas, task.cores)
    return _solve(part, np.full(y.size, 1.0 / y.size), l1_ratio, lambdas, tol)


def _covariance_curve(task: Task, tol: float | None) -> Array:
    return looped_curve(task, tol, _covariance_path)


def _covariance_path(
    task: Task,
    X: Any,  # noqa: ANN401
    y: Array,
    l1_ratio: float,
    lambdas: Array,
    tol: float | None,
) -> Array:
    """Models from the covariance of a training set, computed by NumPy."""
    import adelie  # noqa: PLC0415

    centre, level, n = X.mean(axis=0), y.mean(), y.size
    covariance = np.asfortranarray(X.T @ X / n - np.outer(centre, centre))
    state = adelie.gaussian_cov(
        covariance,
        X.T @ (y - level) / n,
        alpha=l1_ratio,
        lmda_path=lambdas,
        early_exit=False,
        rdev_tol=0.0,
        n_threads=task.cores,
        progress_bar=False,
        **({} if tol is None else {"tol": tol}),
    )
    coefs = state.betas.toarray()
    return _full(np.column_stack([level - coefs @ centre, coefs]), lambdas)


def _takes_all(_family: str, _l1_ratios: tuple[float, ...], _sparse: bool) -> None:  # noqa: FBT001 (a fact)
    """It takes every task."""


def _covariance_refuses(family: str, l1_ratios: tuple[float, ...], sparse: bool) -> str | None:  # noqa: FBT001
    if 0.0 in l1_ratios:
        return "gaussian_cov of 1.1.52 ends with a TypeError where nothing is penalised by L1"
    return "dense gaussian tables alone" if family != "gaussian" or sparse else None


PEERS = {
    "adelie": Peer("adelie", "adelie", 1e-7, _takes_all, _curve, _path, standardizes=False),
    "adelie-cov": Peer(
        "adelie-cov", "adelie", 1e-7, _covariance_refuses, _covariance_curve, _covariance_path, most_columns=5_000
    ),
}
