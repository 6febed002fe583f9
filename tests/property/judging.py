"""Measures answers to generated problems in extended precision, from the numbers of the case alone."""

from dataclasses import dataclass, replace
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from regcli.problem.protocols import Array
from tests import oracle
from tests.property.problems import Case

__all__ = ["Judged", "endless", "judge", "null_top"]

Extended: TypeAlias = NDArray[np.longdouble]

#: Factor of machine precision in the floor below which a violation cannot be told from rounding.
FLOOR_FACTOR = 8


@dataclass(frozen=True, eq=False)
class Judged:
    """A model measured in extended precision: its violation, what rounding may leave of it, objective, predictors."""

    violation: float
    floor: float
    objective: float
    eta: Extended


def judge(case: Case, lane: int, lam: float, intercept: float, coefs: Array) -> Judged:
    """Measure a model on the scale of the data."""
    problem, frame = case.lanes[lane]
    problem = replace(problem, lam=lam)
    X = problem.X.astype(np.longdouble)
    assert problem.offset is not None
    eta = problem.offset + intercept + X @ coefs.astype(np.longdouble)
    return Judged(
        violation=oracle.violation(problem, intercept, coefs, frame),
        floor=_floor(problem, frame, eta, intercept, coefs),
        objective=oracle.objective(problem, intercept, coefs),
        eta=eta,
    )


def _floor(problem: oracle.Problem, frame: oracle.Frame, eta: Extended, intercept: float, coefs: Array) -> float:
    """8 eps max_j sum_i w_i |z_ij| (|y_i| + |mu_i| + bend_i size_i) / scale: numbers as written give no fewer.

    size_i is what the terms of a predictor add up to, bend_i what an error in it does to the mean.
    """
    size = np.abs(frame.offset) + abs(intercept) + np.abs(problem.X) @ np.abs(coefs).astype(np.longdouble)
    small = np.exp(-np.abs(eta))
    mu = oracle.mean_of(problem.family, eta)
    bend = {"gaussian": np.ones_like(eta), "poisson": mu}.get(problem.family, small / (1 + small) ** 2)
    rows = frame.w * (np.abs(frame.y) + np.abs(mu) + bend * size)
    worst = max((rows @ np.abs(frame.Z)).max(initial=np.longdouble(0)), rows.sum())
    return float(FLOOR_FACTOR * np.finfo(np.float64).eps * worst / frame.scale)


def null_top(case: Case) -> float:
    """Smallest strength at which every penalised coefficient of lane 0 is zero if those without a penalty are."""
    problem, frame = case.lanes[0]
    penalty = oracle.scaled(replace(problem, lam=1.0, l1_ratio=1.0), frame)[0]
    score = np.abs((frame.w * (frame.y - oracle.mean_of(case.family, frame.offset + frame.null_intercept))) @ frame.Z)
    used = penalty > 0
    return float(np.max(score[used] / penalty[used])) / max(case.l1_ratio, 1e-3)


@cache
def endless(case: Case, lane: int, lam: float) -> bool:
    """Whether unpenalised coefficients can grow without end while the loss falls, by a linear programme.

    For binomial a direction in which no row is on the wrong side and some are on the right one; for poisson one that
    lowers rows with target 0 and leaves the others where they are. Directions are those of an orthonormal basis, so
    that columns that hardly differ hide nothing.
    """
    problem, frame = case.lanes[lane]
    assert problem.factors is not None
    lower, upper = problem.limits()
    both = np.isfinite(lower) & np.isfinite(upper)
    free = frame.live & ((problem.factors == 0) | (lam == 0)) & ~both
    used = np.asarray(frame.w > 0)
    table, y = np.asarray(frame.Z[used][:, free], dtype=float), problem.y[used]
    side = np.where(np.isfinite(lower), 1.0, np.where(np.isfinite(upper), -1.0, 0.0))[free]
    if case.intercept:
        table, side = np.column_stack([table, np.ones(y.size)]), np.append(side, 0.0)
    if case.family == "gaussian" or not side.size:
        return False
    moves, back = _directions(table)
    back = (back * side[:, None])[side != 0]
    back /= np.maximum(np.abs(back).max(axis=1, initial=0.0), 1e-300)[:, None]
    if case.family == "binomial":
        moves = moves * np.where(y > 0, 1.0, -1.0)[:, None]
        gain, never, equal = moves, -moves, moves[:0]
    else:
        gain, never, equal = -moves[y == 0], moves[y == 0], moves[y > 0]
    never = np.vstack([never, -back])
    found = linprog(
        -gain.sum(axis=0), A_ub=never, b_ub=np.zeros(len(never)), A_eq=equal, b_eq=np.zeros(len(equal)), bounds=(-1, 1),
        options={"primal_feasibility_tolerance": 1e-10},
    )  # fmt: skip
    return bool(found.fun is not None and found.fun < -1e-5)


def _directions(table: Array) -> tuple[Array, Array]:
    """Changes of the predictors (r, k) along orthogonal directions, of size one, and those directions (p, k)."""
    size = np.linalg.norm(table, axis=0)
    left, values, right = np.linalg.svd(table / size, full_matrices=True)
    kept = values > 1e-13 * values[0]
    count, root = int(np.count_nonzero(kept)), np.sqrt(len(table))
    moves = np.zeros((len(table), table.shape[1]))
    moves[:, :count] = left[:, :count] * root
    back = right.T / size[:, None]
    back[:, :count] *= root / values[kept]
    return moves, back
