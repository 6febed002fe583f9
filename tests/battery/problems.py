"""Generated problems for the battery: each as the package sees it, and each of its lanes as the oracle does."""

from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from scipy import sparse

from regcli.problem.design import Sparse, make_design
from regcli.problem.families import FAMILIES
from regcli.problem.folds import deal_folds, fold_partition
from regcli.problem.lanes import Partition, make_lanes
from regcli.problem.objective import Objective
from regcli.problem.penalties import ElasticNet
from regcli.problem.protocols import Array, Bools, Design, Integers, ParallelMap
from regcli.results import Iterate
from regcli.solvers.engine import Problem, Rules, serial_map
from tests import oracle

__all__ = ["FOLDS", "RECIPES", "Made", "Posed", "explicit", "lane_alone", "make", "unlimited"]

Fills: TypeAlias = tuple[sparse.csc_array | None, ...]

#: Folds of every problem.
FOLDS = 3


@dataclass(frozen=True, eq=False)
class Posed:
    """A problem on the scale of the data: base columns (n, m), the fold of every row, and how it is fitted."""

    X: Array
    y: Array
    family: str
    weights: Array
    offset: Array
    factors: Array
    lower: Array
    upper: Array
    l1_ratio: float
    intercept: bool
    standardized: Bools
    l2_scale: float
    sparse: bool
    folds: Integers

    def posed(
        self, partition: Partition, rules: Rules, parallel_map: ParallelMap = serial_map, fills: Fills | None = None
    ) -> Problem:
        """The problem as the package sees it; ``fills`` are what lanes learn."""
        design: Design = make_design(self.X.copy(), centred=self.intercept)
        if self.sparse:
            design = Sparse(sparse.csc_array(self.X), np.zeros(self.X.shape[1]))
        lanes = make_lanes(design, partition, intercept=self.intercept, standardized=self.standardized, maps=fills)
        lanes = replace(lanes, l2_scale=np.full(lanes.n_lanes, self.l2_scale))
        objective = Objective(design, FAMILIES[self.family], self.y, self.offset, lanes, self.intercept)
        penalty = ElasticNet(self.l1_ratio, self.factors, self.lower, self.upper)
        return Problem(objective, penalty, objective.null(), rules, parallel_map)

    def alone(self, X: Array, rows: Integers, lam: float) -> oracle.Problem:
        """Some rows and nothing else as the oracle sees them, on columns X (n, p)."""
        return oracle.Problem(
            X=X[rows],
            y=self.y[rows],
            lam=lam,
            family=self.family,
            l1_ratio=self.l1_ratio,
            weights=self.weights[rows],
            offset=self.offset[rows],
            factors=self.factors,
            lower=self.lower,
            upper=self.upper,
            intercept=self.intercept,
            standardize=self.standardized,
            l2_scale=self.l2_scale,
        )


class Made(Posed):
    """A problem of the battery: lane 0 trains on all rows, lane k + 1 without fold k."""

    @property
    def unique(self) -> bool:
        """Whether the coefficients and not only the predictions are determined."""
        return self.l1_ratio < 1 or self.X.shape[1] < self.y.size // 3

    def problem(self, tol: float) -> Problem:
        """The problem as the package sees it."""
        return self.posed(fold_partition(self.folds, FOLDS, self.weights), Rules(tol))

    def strengths(self, top: float) -> Array:
        """Four strengths from where the path begins; a ridge path begins a thousand times higher."""
        return top * np.array([1.0, 0.3, 0.03, 0.003]) * (1.0 if self.l1_ratio else 1e-3)

    def rows(self, lane: int) -> Integers:
        """Training rows of a lane."""
        return np.flatnonzero(self.folds != lane - 1)

    def lane(self, lane: int, lam: float) -> oracle.Problem:
        """The lane's rows and nothing else, at one strength."""
        return self.alone(self.X, self.rows(lane), lam)


#: What each recipe changes about a tall problem of 90 rows and 12 columns.
RECIPES: dict[str, dict[str, Any]] = {
    "tall": {},
    "wide": {"n": 45, "p": 70},
    "all columns enter": {"n": 240, "p": 140},
    "duplicates": {"duplicates": True},
    "limits": {"limits": True},
    "factors": {"factors": True},
    "weights": {"weights": True},
    "offset": {"offset": True},
    "no intercept": {"intercept": False},
    "raw columns": {"raw": True},
    "l2 scale": {"l2_scale": 0.3},
    "sparse": {"sparse": True},
    "far means": {"far": True},
    "constant in a fold": {"constant": True},
    "everything": {
        "duplicates": True, "limits": True, "factors": True, "weights": True, "offset": True, "raw": True,
        "l2_scale": 0.5, "constant": True,
    },
    "everything wide": {
        "n": 45, "p": 60, "limits": True, "factors": True, "weights": True, "offset": True, "raw": True,
        "constant": True, "intercept": False,
    },
}  # fmt: skip


def make(recipe: str, family: str, l1_ratio: float = 1.0) -> Made:
    """A problem by the name of its recipe."""
    how = RECIPES[recipe]
    n, p = how.get("n", 90), how.get("p", 12)
    rng = np.random.default_rng([sorted(RECIPES).index(recipe), n, p])
    folds = deal_folds(n, FOLDS, seed=3)
    X = _columns(how, rng, folds, p)
    offset = rng.standard_normal(n) if how.get("offset") else np.zeros(n)
    signal = offset + (X - X.mean(axis=0))[:, :4] @ np.array([1.0, -1.0, 0.5, 0.25]) + 0.7 * rng.standard_normal(n)
    upper = np.where(np.arange(p) % 2, 0.12, np.inf) if how.get("limits") else np.full(p, np.inf)
    lower = np.where(np.arange(p) % 3, -0.2, 0.0) if how.get("limits") else np.full(p, -np.inf)
    factors = np.where(np.arange(p) % 5 == 0, 2.0, 1.0)
    factors[[1, p - 2]] = 0.0
    return Made(
        X=X,
        y=_target(family, signal),
        family=family,
        weights=rng.integers(0, 4, n) / 2 if how.get("weights") else np.ones(n),
        offset=offset,
        factors=factors if how.get("factors") else np.ones(p),
        lower=lower,
        upper=upper,
        l1_ratio=l1_ratio,
        intercept=how.get("intercept", True),
        standardized=np.arange(p) % 2 == 0 if how.get("raw") else np.ones(p, dtype=bool),
        l2_scale=how.get("l2_scale", 1.0),
        sparse=how.get("sparse", False),
        folds=folds,
    )


def _target(family: str, signal: Array) -> Array:
    """A target that follows a signal."""
    if family == "binomial":
        return (signal > 0.3).astype(float)
    if family == "poisson":
        return np.floor(np.exp(0.5 * signal + 0.5))
    return 3.0 * signal + 5.0


def _columns(how: dict[str, Any], rng: np.random.Generator, folds: Integers, p: int) -> Array:
    """Correlated columns of different sizes, with the recipe's peculiarities."""
    n = folds.size
    X = (rng.standard_normal((n, p)) + 0.5 * rng.standard_normal((n, 1))) * rng.uniform(0.5, 2.0, p)
    if how.get("sparse"):
        X = np.where(rng.random((n, p)) < 0.3, X, 0.0)
    if how.get("duplicates"):
        X[:, 5] = X[:, 2]
        X[:, 6] = -X[:, 3]
        X[:, 8] = 2 * X[:, 2] + 1.0
    if how.get("far"):
        X[:, 1] += 1e8
        X[:, 4] -= 1e5
    if how.get("constant"):
        X[:, 7] = np.where(folds == 1, X[:, 7], 2.0)
        X[:, 9] = 1.0
    return X


def unlimited(X: Array, y: Array, family: str, factors: Array, l1_ratio: float = 1.0) -> Made:
    """A problem on given data without weights, offset and limits; folds are dealt in turn."""
    n, p = X.shape
    return Made(
        X=X,
        y=y,
        family=family,
        weights=np.ones(n),
        offset=np.zeros(n),
        factors=factors,
        lower=np.full(p, -np.inf),
        upper=np.full(p, np.inf),
        l1_ratio=l1_ratio,
        intercept=True,
        standardized=np.ones(p, dtype=bool),
        l2_scale=1.0,
        sparse=False,
        folds=np.arange(n) % FOLDS,
    )


def lane_alone(problem: Problem, lane: int) -> Problem:
    """The problem of one lane."""
    only = np.array([lane])
    return replace(problem, objective=problem.objective.keep(only), null=problem.null.keep(only))


def explicit(problem: Problem, step: Iterate) -> tuple[Array, Array]:
    """Intercepts (L,) and coefficients (L, p) on the scale of the data."""
    return problem.objective.to_raw(problem.penalty, step.intercepts, step.coefs)
