"""scikit-learn: ElasticNetCV and LogisticRegressionCV, and for ridge also RidgeCV."""

from typing import Any

import numpy as np

from benchmarks.data import Array
from benchmarks.peer import Peer, Task, weighted_folds

__all__ = ["PEERS"]

#: Rounds when more accuracy than the default is asked for: enough never to be what ends a solution.
MANY = 1_000_000


def _settings(tol: float | None) -> dict[str, Any]:
    """Tolerance and rounds; every default without a tolerance."""
    return {} if tol is None else {"tol": tol, "max_iter": MANY}


def _curve(task: Task, tol: float | None) -> Array:
    means = _gaussian if task.family == "gaussian" else _binomial
    return np.array([means(task, ratio, task.lambdas[at], tol) for at, ratio in enumerate(task.l1_ratios)])


def _gaussian(task: Task, l1_ratio: float, lambdas: Array, tol: float | None) -> Array:
    """ElasticNetCV with its own choice of a Gram matrix; LassoCV is the same with a share of 1."""
    from sklearn.linear_model import ElasticNetCV  # noqa: PLC0415  (other peers must run without it)

    model = ElasticNetCV(
        l1_ratio=l1_ratio, alphas=lambdas, cv=task.splits, n_jobs=task.cores, copy_X=False, **_settings(tol)
    )
    model.fit(task.X, task.y)
    return weighted_folds(task, model.mse_path_.T)


def _binomial(task: Task, l1_ratio: float, lambdas: Array, tol: float | None) -> Array:
    """LogisticRegressionCV by saga, the only solver here whose intercept is not penalised beside an L1."""
    from sklearn.linear_model import LogisticRegressionCV  # noqa: PLC0415

    # C counts rows of the training set, and sets differ by a row at most
    rows = task.y.size * (1.0 - 1.0 / task.n_folds)
    model = LogisticRegressionCV(
        Cs=1.0 / (rows * lambdas),
        l1_ratios=(l1_ratio,),
        cv=task.splits,
        solver="saga" if l1_ratio > 0 else "newton-cholesky",
        scoring="neg_log_loss",
        n_jobs=task.cores,
        use_legacy_attributes=False,
        **_settings(tol),
    )
    model.fit(_rowwise(task.X), task.y)
    scores = model.scores_[:, 0]
    if model.Cs_[0] > model.Cs_[-1]:
        scores = scores[:, ::-1]
    return weighted_folds(task, -2.0 * scores)


def _rowwise(X: Any) -> Any:  # noqa: ANN401  (dense or sparse)
    """The layout that saga reads."""
    return np.ascontiguousarray(X) if isinstance(X, np.ndarray) else X.tocsr()


def _path(_task: Task, X: Any, y: Array, l1_ratio: float, lambdas: Array, tol: float | None) -> Array:  # noqa: ANN401
    """Models of one training set by the solvers of the cross-validation."""
    if _task.family == "binomial":
        return _binomial_path(X, y, l1_ratio, lambdas, tol)
    from sklearn.linear_model import enet_path  # noqa: PLC0415

    centre = X.mean(axis=0)
    moved, level = np.asfortranarray(X - centre), y.mean()
    gram = moved.T @ moved if y.size > X.shape[1] else False
    coefs = enet_path(moved, y - level, l1_ratio=l1_ratio, alphas=lambdas, precompute=gram, **_settings(tol))[1].T
    return np.column_stack([level - coefs @ centre, coefs])


def _binomial_path(X: Any, y: Array, l1_ratio: float, lambdas: Array, tol: float | None) -> Array:  # noqa: ANN401
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    solver = "saga" if l1_ratio > 0 else "newton-cholesky"
    model = LogisticRegression(l1_ratio=l1_ratio, solver=solver, warm_start=True, **_settings(tol))
    X, out = _rowwise(X), []
    for lam in lambdas:
        model.set_params(C=1.0 / (y.size * lam)).fit(X, y)
        out.append(np.append(model.intercept_, model.coef_[0]))
    return np.array(out)


def _ridge_curve(task: Task, tol: float | None) -> Array:
    """RidgeCV over given folds, which fits every strength of every fold anew."""
    from sklearn.linear_model import Ridge  # noqa: PLC0415
    from sklearn.model_selection import GridSearchCV  # noqa: PLC0415

    out = []
    for lambdas in task.lambdas:
        rows = task.y.size * (1.0 - 1.0 / task.n_folds)
        search = GridSearchCV(
            Ridge(**({} if tol is None else {"tol": tol})),
            {"alpha": rows * lambdas},
            cv=task.splits,
            scoring="neg_mean_squared_error",
            n_jobs=task.cores,
        ).fit(task.X, task.y)
        scores = [search.cv_results_[f"split{k}_test_score"] for k in range(task.n_folds)]
        out.append(weighted_folds(task, -np.array(scores)))
    return np.array(out)


def _ridge_path(_task: Task, X: Any, y: Array, _l1_ratio: float, lambdas: Array, tol: float | None) -> Array:  # noqa: ANN401
    from sklearn.linear_model import Ridge  # noqa: PLC0415

    out = []
    for lam in lambdas:
        model = Ridge(alpha=y.size * lam, **({} if tol is None else {"tol": tol})).fit(X, y)
        out.append(np.append(model.intercept_, model.coef_))
    return np.array(out)


def _refuses(family: str, _l1_ratios: tuple[float, ...], sparse: bool) -> str | None:  # noqa: FBT001 (a fact)
    return "not tried with sparse gaussian tables" if sparse and family == "gaussian" else None


def _ridge_refuses(family: str, l1_ratios: tuple[float, ...], _sparse: bool) -> str | None:  # noqa: FBT001
    return None if family == "gaussian" and l1_ratios == (0.0,) else "ridge of a gaussian table alone"


PEERS = {
    "scikit-learn": Peer("scikit-learn", "scikit-learn", 1e-4, _refuses, _curve, _path, standardizes=False),
    "scikit-learn-ridge": Peer(
        "scikit-learn-ridge", "scikit-learn", 1e-4, _ridge_refuses, _ridge_curve, _ridge_path, standardizes=False
    ),
}
