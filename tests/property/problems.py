"""Generated problems from the ill-conditioned corner: nearly dependent columns, scales far apart, hardly any rows.

A case is drawn from its kind and a number, for an engine: ridge for one that only solves ridge, no penalty for one that
only solves least squares. ``tests.property.judging`` measures answers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
from numpy.random import Generator
from scipy import sparse

from regcli.problem.families import FAMILIES
from regcli.problem.folds import fold_partition, whole_partition
from regcli.problem.protocols import Array, Bools, Integers, ParallelMap
from regcli.solvers.engine import Problem, Rules, serial_map
from tests import oracle
from tests.battery.problems import Posed

__all__ = ["KINDS", "Case", "draw"]

Columns: TypeAlias = Callable[[Generator, int, int], Array]
Options: TypeAlias = Mapping[str, Any]

#: Columns that are not penalised where a kind says ``free``, always the first ones.
FREE = 2


@dataclass(frozen=True, eq=False, kw_only=True)
class Case(Posed):
    """A case of a kind by number.

    Lane 0 trains on all rows, lane k + 1 without fold k; ``n_folds`` 0 means lane 0 alone. ``tables`` (L, m, p) are
    what lanes learn, ``shares`` the strengths over the one where the path begins.
    """

    kind: str
    number: int
    n_folds: int
    shares: Array
    tables: Array | None = None

    @property
    def n_lanes(self) -> int:
        """Lanes of the problem."""
        return self.n_folds + 1

    def problem(self, rules: Rules, parallel_map: ParallelMap = serial_map) -> Problem:
        """The case as the package sees it."""
        fills = None if self.tables is None else tuple(sparse.csc_array(table) for table in self.tables)
        partition = whole_partition(self.weights)
        if self.n_folds:
            partition = fold_partition(self.folds, self.n_folds, self.weights)
        return self.posed(partition, rules, parallel_map, fills)

    def rows(self, lane: int) -> Integers:
        """Training rows of a lane."""
        return np.flatnonzero((self.folds != lane - 1) | (lane == 0))

    def lane(self, lane: int) -> oracle.Problem:
        """The lane's rows and nothing else, at strength 0."""
        X = self.X if self.tables is None else self.X @ self.tables[lane]
        return self.alone(X, self.rows(lane), 0.0)

    @cached_property
    def lanes(self) -> tuple[tuple[oracle.Problem, oracle.Frame], ...]:
        """Every lane with its centred and scaled columns."""
        alone = [self.lane(lane) for lane in range(self.n_lanes)]
        return tuple((problem, oracle.frame(problem)) for problem in alone)


# -- columns --------------------------------------------------------------------------------------------------------


def _plain(rng: Generator, n: int, p: int) -> Array:
    """Correlated columns of about the same size."""
    return (rng.standard_normal((n, p)) + 0.5 * rng.standard_normal((n, 1))) * rng.uniform(0.5, 2.0, p)


def _near(rng: Generator, n: int, p: int) -> Array:
    """A third of the columns are copies with a difference of 1e-3 to 1e-9."""
    X, third = _plain(rng, n, p), p // 3
    X[:, p - third :] = X[:, :third] + 10.0 ** -rng.uniform(3, 9, third) * rng.standard_normal((n, third))
    return X


def _copies(rng: Generator, n: int, p: int) -> Array:
    """Equal columns, their opposites, and others that only centring and scaling make equal."""
    X, quarter = _plain(rng, n, p), max(p // 4, 1)
    for start, factor, shift in ((quarter, 1.0, 0.0), (2 * quarter, -1.0, 0.0), (3 * quarter, 3.0, 0.7)):
        width = min(quarter, max(p - start, 0))
        X[:, start : start + width] = factor * X[:, :width] + shift
    return X


def _sums(rng: Generator, n: int, p: int) -> Array:
    """The later half are sums and differences of the first one, some with noise far below their size."""
    X, half = _plain(rng, n, p), p // 2
    mix = rng.integers(-1, 3, (p - half, p - half)) * (rng.random((p - half, p - half)) < 0.4)
    noise = np.where(rng.random(half) < 0.3, 1e-6, 0.0) * rng.standard_normal((n, half))
    X[:, p - half :] = X[:, : p - half] @ mix[:, :half] + noise
    return X


def _dummies(rng: Generator, n: int, p: int) -> Array:
    """Columns of 0 and 1: complements, copies, and all levels of a factor."""
    X = (rng.random((n, p)) < rng.uniform(0.1, 0.9, p)).astype(float)
    levels = min(4, max(p // 3, 1))
    X[:, p - levels :] = rng.integers(0, levels, n)[:, None] == np.arange(levels)
    if p > levels + 4:
        X[:, 3], X[:, 4] = 1.0 - X[:, 1], X[:, 2]
    return X


def _scales(rng: Generator, n: int, p: int) -> Array:
    """Sizes 1e8 apart and more."""
    return _plain(rng, n, p) * 10.0 ** rng.permutation(np.linspace(-5, 5, p))


def _far(rng: Generator, n: int, p: int) -> Array:
    """Some means are up to 1e8 times the spread."""
    means = np.where(rng.random(p) < 0.4, rng.choice([-1e8, 1e8, 1e6, 1e4], p), 0.0)
    return _plain(rng, n, p) + means


def _lone(rng: Generator, n: int, p: int) -> Array:
    """Columns that hardly vary: all cells equal but one or two, by little; and one that does not vary."""
    X, half = _plain(rng, n, p), p // 2
    X[:, half:] = rng.choice([0.0, 1.0, 1e4], p - half)
    for j in range(half, p):
        X[rng.choice(n, 2, replace=False), j] += 10.0 ** -rng.uniform(0, 7)
    X[:, -1] = 3.7
    return X


def _thin(rng: Generator, n: int, p: int) -> Array:
    """Mostly zeros, with copies."""
    X = np.where(rng.random((n, p)) < 0.15, _plain(rng, n, p), 0.0)
    X[:, p - p // 4 :] = X[:, : p // 4]
    return X


def _twins(rng: Generator, n: int, p: int) -> Array:
    """The first two columns, which are not penalised, are 1e-2 to 1e-6 apart."""
    X = _plain(rng, n, p)
    X[:, 1] = X[:, 0] + 10.0 ** -rng.uniform(2, 6) * rng.standard_normal(n)
    return X


def _mixed(rng: Generator, n: int, p: int) -> Array:
    """Some of everything."""
    parts = [_near, _copies, _sums, _dummies, _scales, _lone]
    chosen = rng.permutation(len(parts))[:3]
    X = np.hstack([parts[at](rng, n, max(p // 3, 5)) for at in chosen])
    return X[:, rng.permutation(X.shape[1])[:p]]


@dataclass(frozen=True)
class Kind:
    """How the cases of a kind are made. ``options`` fix what is drawn at random otherwise."""

    columns: Columns
    rows: tuple[int, int]
    terms: tuple[int, int]
    options: Options


def _kind(columns: Columns, rows: tuple[int, int] = (30, 60), terms: tuple[int, int] = (6, 18), **options: Any) -> Kind:  # noqa: ANN401
    return Kind(columns, rows, terms, MappingProxyType(options))


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "plain": _kind(_plain),
        "near-duplicates": _kind(_near),
        "duplicates": _kind(_copies),
        "sums of others": _kind(_sums),
        "dummies": _kind(_dummies),
        "scales apart": _kind(_scales),
        "far means": _kind(_far),
        "hardly varying": _kind(_lone),
        "tiny": _kind(_plain, (2, 8), (3, 30), free=False, weighted="no"),
        "tiny duplicates": _kind(_copies, (4, 8), (6, 24), free=False, weighted="no"),
        "wide": _kind(_mixed, (12, 30), (30, 60), free=False),
        "screened": _kind(_near, (24, 40), (150, 220), n_folds=2),
        "tall": _kind(_near, (2100, 2200), (70, 76), n_folds=2, l1_ratio=0.5),
        "limits": _kind(_near, limited=True),
        "limits on sums": _kind(_sums, limited=True),
        "weights far apart": _kind(_plain, weighted="far"),
        "apart": _kind(_plain, target="apart"),
        "nearly apart": _kind(_plain, target="nearly"),
        "huge targets": _kind(_plain, target="huge"),
        "rare": _kind(_dummies, target="rare"),
        "one class in a fold": _kind(_plain, target="sorted"),
        "constant in a fold": _kind(_plain, constant=True),
        "free twins": _kind(_twins, free=True),
        "filled in the fold": _kind(_near, filled=True),
        "sparse": _kind(_thin, sparse=True),
        "everything": _kind(_mixed, weighted="far", limited=True, free=True, constant=True, offset=True),
    }
)


# -- cases ----------------------------------------------------------------------------------------------------------


def draw(kind: str, number: int, family: str, **tilt: Any) -> Case:  # noqa: ANN401
    """A case of a kind, the same for the same arguments. ``tilt`` fixes what is drawn otherwise."""
    recipe = KINDS[kind]
    rng = np.random.default_rng([list(KINDS).index(kind), number, sorted(FAMILIES).index(family)])
    how = {**_options(rng), **recipe.options, **tilt}
    n = int(rng.integers(recipe.rows[0], recipe.rows[1] + 1))
    p = int(rng.integers(recipe.terms[0], recipe.terms[1] + 1))
    n_folds = min(how["n_folds"], n // 2 - 1) if n >= 6 else 0
    if how["few_terms"]:
        p = max(1, min(p, n - (-(-n // max(n_folds, 2)) if n_folds else 0) - 2))
    X = recipe.columns(rng, n, p)
    X = np.asfortranarray(X)
    p = X.shape[1]
    offset = 0.5 * rng.standard_normal(n) if how["offset"] else np.zeros(n)
    y, offset = _target(rng, family, how["target"], X, offset)
    folds = _folds(rng, y, n_folds, how["target"])
    if how["constant"] and n_folds:
        X[folds != 0, p // 2] = 2.0  # in the lane that leaves fold 0 out
        X[folds == 1, p - 1] = 1.0
    weights = _weights(rng, y, how["weighted"], folds)
    lower, upper = _limits(rng, X, limited=how["limited"])
    factors = np.ones(p)
    if how["free"]:
        factors = rng.choice([0.3, 1.0, 4.0], p)
        factors[:FREE] = 0.0
    if how["unpenalised"]:
        factors = np.ones(p)
    case = Case(
        kind=kind, number=number, X=X, y=y, family=family, weights=weights, offset=offset, factors=factors,
        lower=lower, upper=upper, l1_ratio=how["l1_ratio"], intercept=how["intercept"],
        standardized=_standardized(rng, how["standardized"], p), l2_scale=how["l2_scale"],
        sparse=how["sparse"], folds=folds, n_folds=n_folds,
        shares=np.zeros(1) if how["unpenalised"] else how["shares"],
    )  # fmt: skip
    return _filled(rng, case) if how["filled"] else case


def _options(rng: Generator) -> dict[str, Any]:
    """What a case is like if nobody says so."""
    return {
        "l1_ratio": float(rng.choice([1.0, 0.5, 0.01, 0.0])),
        "intercept": bool(rng.random() < 0.85),
        "standardized": str(rng.choice(["all", "all", "all", "none", "some"])),
        "weighted": str(rng.choice(["no", "no", "some"])),
        "offset": bool(rng.random() < 0.25),
        "free": bool(rng.random() < 0.25),
        "limited": bool(rng.random() < 0.15),
        "l2_scale": float(rng.choice([1.0, 1.0, 0.3])),
        "n_folds": 3,
        "shares": np.array([1.0, 0.3, 0.03, 0.002]) if rng.random() < 0.7 else np.array([1.5, 0.1, 1e-3, 1e-5]),
        "target": "noisy",
        "constant": False,
        "filled": False,
        "sparse": False,
        "unpenalised": False,
        "few_terms": False,
    }


def _target(rng: Generator, family: str, target: str, X: Array, offset: Array) -> tuple[Array, Array]:
    """A target that follows the first columns, and the offset."""
    n, p = X.shape
    spread = X.std(axis=0)
    Z = (X - X.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    signal = Z[:, : min(3, p)] @ np.array([1.0, -1.0, 0.5])[: min(3, p)]
    noise = {"apart": 0.0, "nearly": 1e-4}.get(target, 0.8)
    value = signal + offset + noise * rng.standard_normal(n)
    if family == "gaussian":
        huge = 1e9 * (1.0 + rng.random()) if target == "huge" else 5.0
        return 3.0 * value + huge, offset
    if family == "poisson":
        if target == "huge":
            offset = offset + np.log(10.0 ** rng.uniform(0, 8, n))
            value = value + offset
        y = rng.poisson(np.exp(np.clip(0.6 * value + 0.3, -30, 20.5))).astype(float)
        y = np.where(signal < np.median(signal), 0.0, y) if target in ("apart", "nearly") else y
        y = np.where(np.arange(n) < n - max(3, n // 12), 0.0, y) if target == "rare" else y
        return _mark(y, value), offset
    cut = float(np.quantile(value, 0.92 if target == "rare" else 0.5))
    y = (value > cut).astype(float)
    if target == "nearly":
        order = np.argsort(value)
        y[order[[n // 2 - 1, n // 2]]] = [1.0, 0.0]
    return _mark(y, value), offset


def _mark(y: Array, value: Array) -> Array:
    """At least two rows with a target above 0 and, where there are four rows, two with target 0."""
    order = np.argsort(value, kind="stable")
    count = min(2, y.size // 2)
    if np.count_nonzero(y > 0) < count:
        y[order[-count:]] = 1.0
    if np.count_nonzero(y == 0) < count:
        y[order[:count]] = 0.0
    return y


def _folds(rng: Generator, y: Array, count: int, target: str) -> Integers:
    """Folds dealt within each half of the sorted target, so that every training set has both classes."""
    if not count:
        return np.zeros(y.size, dtype=np.intp)
    order = rng.permutation(y.size)
    order = order[np.argsort(y[order], kind="stable")]
    folds = np.empty(y.size, dtype=np.intp)
    folds[order] = np.arange(y.size) % count
    if target == "sorted":  # the last fold tests on the rows with the greatest targets alone
        share = max(y.size // (2 * count), 1)
        share = min(share, int(np.count_nonzero(y > 0)) - 2) if share else share
        folds[order] = np.where(np.arange(y.size) >= y.size - share, count - 1, folds[order] % max(count - 1, 1))
    return folds


def _weights(rng: Generator, y: Array, weighted: str, folds: Integers) -> Array:
    """Ones; halves with zeros; or 1e-8 to 1e8 with zeros. Two rows of each class and fold keep a weight."""
    n = y.size
    if weighted == "no":
        return np.ones(n)
    weights = rng.integers(0, 4, n) / 2 if weighted == "some" else 10.0 ** rng.uniform(-8, 8, n)
    weights = np.where(rng.random(n) < 0.1, 0.0, weights)
    for fold in np.unique(folds):
        for positive in (True, False):
            rows = np.flatnonzero((folds == fold) & ((y > 0) == positive))[:2]
            weights[rows] = np.where(weights[rows] > 0, weights[rows], 1.0)
    return weights


def _limits(rng: Generator, X: Array, *, limited: bool) -> tuple[Array, Array]:
    """Limits on the scale of the data; zeros among them, and columns that are held at zero."""
    p = X.shape[1]
    if not limited:
        return np.full(p, -np.inf), np.full(p, np.inf)
    spread = X.std(axis=0)
    unit = 1.0 / np.where(spread > 0, spread, 1.0)
    lower = rng.choice([-np.inf, -0.2, -0.02, 0.0], p) * unit
    upper = rng.choice([np.inf, 0.3, 0.02, 0.0], p, p=[0.4, 0.3, 0.2, 0.1]) * unit
    return lower, upper


def _standardized(rng: Generator, which: str, p: int) -> Bools:
    """All columns, none, or some."""
    if which == "some":
        return rng.random(p) < 0.5
    return np.full(p, which == "all")


def _filled(rng: Generator, case: Case) -> Case:
    """Missing cells in two columns, which every lane fills with the mean of its own rows."""
    n, p = case.X.shape
    columns = np.array([0, p - 1])[: min(2, p)]
    missing = rng.random((n, columns.size)) < 0.2
    missing[:2] = False
    X = case.X.copy()
    X[:, columns] = np.where(missing, 0.0, X[:, columns])
    fills = np.zeros((case.n_lanes, p + columns.size, p))
    for lane in range(case.n_lanes):
        rows = case.rows(lane)
        fills[lane, :p] = np.eye(p)
        for at, j in enumerate(columns):
            kept = rows[~missing[rows, at]]
            fills[lane, p + at, j] = case.X[kept, j].mean()
    return replace(case, X=np.asfortranarray(np.column_stack([X, missing])), tables=fills)
