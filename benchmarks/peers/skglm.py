"""skglm: the solvers of its estimators along warm-started paths, in a loop over folds."""

from typing import Any

import numpy as np

from benchmarks.data import Array
from benchmarks.peer import Peer, Task, looped_curve, old_matrix

__all__ = ["PEERS"]


def _curve(task: Task, tol: float | None) -> Array:
    return looped_curve(task, tol, _path)


def _path(task: Task, X: Any, y: Array, l1_ratio: float, lambdas: Array, tol: float | None) -> Array:  # noqa: ANN401
    """Models by the solvers, and with the defaults, of Lasso, ElasticNet and SparseLogisticRegression."""
    from skglm.datafits import Logistic, Quadratic  # noqa: PLC0415  (other peers must run without it)
    from skglm.penalties import L1, L1_plus_L2  # noqa: PLC0415
    from skglm.solvers import AndersonCD, ProxNewton  # noqa: PLC0415
    from skglm.utils.jit_compilation import compiled_clone  # noqa: PLC0415

    gaussian = task.family == "gaussian"
    settings: dict[str, Any] = {"fit_intercept": True, "warm_start": True}
    if tol is not None:
        settings |= {"tol": tol, "max_iter": 1_000}
    solver = AndersonCD(**settings) if gaussian else ProxNewton(**settings)
    datafit = compiled_clone(Quadratic() if gaussian else Logistic())
    penalty = compiled_clone(L1(1.0) if l1_ratio == 1.0 else L1_plus_L2(1.0, l1_ratio))
    target = y if gaussian else 2.0 * y - 1.0
    X = old_matrix(X)
    model, eta, out = np.zeros(X.shape[1] + 1), np.zeros(y.size), []
    for lam in lambdas:
        penalty.alpha = lam
        # the first working set holds the support so far, as in AndersonCD.path
        solver.p0 = max(10, int(np.count_nonzero(model[:-1])))
        model = solver.solve(X, target, datafit, penalty, model.copy(), eta)[0]
        eta = X @ model[:-1] + model[-1]
        out.append(np.append(model[-1], model[:-1]))
    return np.array(out)


def _refuses(_family: str, l1_ratios: tuple[float, ...], _sparse: bool) -> str | None:  # noqa: FBT001 (a fact)
    return "no ridge" if 0.0 in l1_ratios else None


PEERS = {"skglm": Peer("skglm", "skglm", 1e-4, _refuses, _curve, _path, standardizes=False)}
