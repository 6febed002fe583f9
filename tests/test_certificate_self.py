"""The checks are checked: the oracle against closed forms and other software, the certificate against both."""

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import nnls
from sklearn.linear_model import Lasso, LogisticRegression, PoissonRegressor

from tests.certificate import certificate, certify
from tests.oracle import Problem, frame, objective, rounding_floor, solve, violation
from tests.tolerances import EXACT, SOLVED

Family = Literal["gaussian", "binomial", "poisson"]
FAMILIES: tuple[Family, ...] = ("gaussian", "binomial", "poisson")


def draw(family: Family, seed: int = 0, n: int = 40, p: int = 6) -> Problem:
    """Weights with zeros, an offset, factors with a zero, columns of unlike scale and a shared part."""
    rng = np.random.default_rng(seed)
    X = (rng.normal(size=(n, p)) + rng.normal(size=(n, 1))) * np.logspace(-1, 2, p) + 3.0
    eta = (X - X.mean(axis=0)) @ (rng.normal(size=p) / np.logspace(-1, 2, p))
    y = {
        "gaussian": lambda: eta + rng.normal(size=n),
        "binomial": lambda: (eta + rng.logistic(size=n) > 0).astype(float),
        "poisson": lambda: rng.poisson(np.exp(0.5 * eta)).astype(float),
    }[family]()
    factors = rng.choice([0.5, 1.0, 2.0], p)
    factors[0] = 0.0
    weights = rng.random(n) * (rng.random(n) < 0.8)
    return Problem(
        X=X, y=y, lam=0.05, family=family, l1_ratio=0.5, weights=weights, offset=rng.normal(size=n), factors=factors
    )


def test_lasso_on_orthogonal_columns_is_soft_thresholding() -> None:
    rng = np.random.default_rng(1)
    n, p = 30, 5
    basis, _ = np.linalg.qr(np.column_stack([np.ones(n), rng.normal(size=(n, p))]))
    X = basis[:, 1:] * np.sqrt(n) * [1.0, 10.0, 0.1, 3.0, 1.0]
    y = rng.normal(size=n) + 2.0 + X[:, 0]
    sd = X.std(axis=0)
    q = X.T @ (y - y.mean()) / n / sd
    lam = float(np.sort(np.abs(q))[2]) * 0.9
    intercept, coefs = solve(Problem(X=X, y=y, lam=lam))
    assert coefs * sd == pytest.approx(np.sign(q) * np.maximum(np.abs(q) - lam, 0), abs=EXACT)
    assert intercept == pytest.approx(y.mean() - X.mean(axis=0) @ coefs, rel=EXACT)


def test_ridge_solves_the_normal_equations() -> None:
    problem = replace(draw("gaussian"), l1_ratio=0.0, lam=0.3, l2_scale=0.7)
    assert problem.weights is not None
    assert problem.offset is not None
    assert problem.factors is not None
    w = problem.weights / problem.weights.sum()
    centred = problem.X - w @ problem.X
    sd = np.sqrt(w @ centred**2)
    left = centred.T @ (w[:, None] * centred) + np.diag(0.3 * 0.7 * problem.factors * sd**2)
    target = problem.y - problem.offset
    expected = np.linalg.solve(left, centred.T @ (w * (target - w @ target)))
    intercept, coefs = solve(problem)
    assert coefs * sd == pytest.approx(expected * sd, rel=1e-11)
    assert intercept == pytest.approx(w @ target - w @ problem.X @ expected, rel=1e-10)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("standardize", [True, False])
def test_violation_is_the_slope_of_the_objective(family: Family, *, intercept: bool, standardize: bool) -> None:
    """At a model where everything is nonzero the distances are derivatives: the largest one is the violation."""
    problem = replace(draw(family), intercept=intercept, standardize=standardize, l2_scale=0.6)
    data = frame(problem)
    sd, mean = data.sd.astype(float), data.mean.astype(float)
    coefs = np.array([0.3, -0.2, 0.4, 0.5, -0.6, 0.2]) / sd
    b0 = 0.1 - float(mean @ coefs) if intercept else 0.0
    step = 1e-5
    slopes = [(objective(problem, b0 + step, coefs) - objective(problem, b0 - step, coefs)) / (2 * step)]
    for j in range(len(coefs)):
        move = np.zeros(len(coefs))
        move[j] = step / sd[j]
        shift = float(mean @ move)  # the column is centred: the intercept follows
        above, below = objective(problem, b0 - shift, coefs + move), objective(problem, b0 + shift, coefs - move)
        slopes.append((above - below) / (2 * step))
    largest = max(abs(slope) for slope in slopes[0 if intercept else 1 :])
    assert violation(problem, b0, coefs) * float(data.scale) == pytest.approx(largest, rel=1e-7)


@pytest.mark.parametrize("family", FAMILIES)
def test_scale_is_the_gradient_of_the_null_model(family: Family) -> None:
    """Without a penalty the null model's violation is 1: its largest gradient over itself."""
    problem = replace(draw(family), lam=0.0)
    assert violation(problem, float(frame(problem).null_intercept), np.zeros(6)) == pytest.approx(1.0, abs=EXACT)


def test_scale_of_a_target_unrelated_to_every_column_is_its_rms() -> None:
    problem = Problem(X=np.array([[1.0], [-1.0], [1.0], [-1.0]]), y=np.array([3.0, 3.0, -3.0, -3.0]), lam=0.1)
    assert frame(problem).scale == pytest.approx(3.0, rel=EXACT)
    assert violation(problem, 0.0, np.zeros(1)) == 0.0


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("seed", range(6))
def test_solve_reaches_the_minimum(family: Family, seed: int) -> None:
    """Every kind of option in turn; the violation is small, and no step in any direction goes lower."""
    p = 30 if seed == 5 else 6
    problem = replace(
        draw(family, seed, n=25 if seed == 5 else 40, p=p),
        l1_ratio=(1.0, 0.3, 0.0, 1.0, 0.5, 0.7)[seed],
        intercept=seed != 2,
        standardize=seed != 1,
        lower=np.full(p, -0.01) if seed >= 3 else None,
        upper=np.where(np.arange(p) % 2 == 0, 0.0, 0.02) if seed >= 3 else None,
    )
    intercept, coefs = solve(problem)
    assert violation(problem, intercept, coefs) <= EXACT
    least = objective(problem, intercept, coefs)
    lower, upper = problem.limits()
    rng = np.random.default_rng(seed)
    sd = problem.X.std(axis=0)
    for size in (1e-4, 1e-2, 1.0):
        for _ in range(10):
            near = np.clip(coefs + size * rng.normal(size=p) / sd, lower, upper)
            assert objective(problem, intercept + problem.intercept * size * rng.normal(), near) >= least
    if seed >= 3:
        assert np.any(coefs == lower) or np.any(coefs == upper)


@pytest.mark.parametrize("family", FAMILIES)
def test_duplicate_and_constant_columns(family: Family) -> None:
    problem = draw(family)
    X = np.column_stack([problem.X, problem.X[:, 3], np.full(40, 7.0)])
    doubled = replace(problem, X=X, factors=None, l1_ratio=1.0)
    intercept, coefs = solve(doubled)
    assert violation(doubled, intercept, coefs) <= EXACT
    single = replace(problem, factors=None, l1_ratio=1.0)
    assert objective(doubled, intercept, coefs) == pytest.approx(objective(single, *solve(single)), rel=EXACT)
    assert coefs[7] == 0


def test_nonnegative_least_squares() -> None:
    rng = np.random.default_rng(5)
    X, y = rng.normal(size=(30, 6)), rng.normal(size=30)
    _, coefs = solve(Problem(X=X, y=y, lam=0.0, lower=np.zeros(6), intercept=False))
    expected, _ = nnls(X, y)
    assert 0 < np.count_nonzero(expected) < 6
    assert coefs == pytest.approx(expected, abs=EXACT)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_perturbed_solution_is_found_out(family: Family) -> None:
    problem = draw(family)
    intercept, coefs = solve(problem)
    sd = frame(problem).sd.astype(float)
    for j in range(6):
        moved = coefs.copy()
        moved[j] += 1e-6 / sd[j]
        assert 1e-8 < violation(problem, intercept, moved) < 1e-4
    assert violation(problem, intercept + 1e-6, coefs) > 1e-8
    assert violation(replace(problem, lam=problem.lam * 1.001), intercept, coefs) > 1e-6
    assert violation(problem, intercept, np.zeros(6)) > 1e-2


def test_one_sided_conditions() -> None:
    """One column with slope 1 at zero: what a limit or an L1 strength forgives, and what it does not."""
    x = np.array([[1.0], [-1.0]])
    free = Problem(X=x, y=np.array([1.0, -1.0]), lam=0.25)
    zero, half, most = np.zeros(1), np.full(1, 0.5), np.full(1, 0.75)
    assert violation(free, 0.0, zero) == pytest.approx(0.75)
    assert violation(free, 0.0, most) == pytest.approx(0.0, abs=EXACT)
    assert violation(free, 0.0, half) == pytest.approx(0.25)
    assert violation(replace(free, upper=zero), 0.0, zero) == 0.0
    assert violation(replace(free, upper=half), 0.0, half) == 0.0
    assert violation(replace(free, upper=most + 1), 0.0, half) == pytest.approx(0.25)
    assert violation(replace(free, upper=most + 1), 0.0, most + 1) == pytest.approx(1.0)
    assert violation(replace(free, lower=zero), 0.0, zero) == pytest.approx(0.75)
    assert violation(replace(free, lam=2.0), 0.0, zero) == 0.0
    assert violation(replace(free, factors=zero), 0.0, half) == pytest.approx(0.5)


def test_models_that_are_not_allowed_have_an_infinite_violation() -> None:
    problem = Problem(X=np.array([[1.0, 5.0], [-1.0, 5.0]]), y=np.array([1.0, -1.0]), lam=0.1, upper=np.full(2, 0.5))
    assert violation(problem, 0.0, np.array([0.6, 0.0])) == np.inf
    assert violation(problem, 0.0, np.array([0.1, 0.1])) == np.inf
    assert objective(problem, 0.0, np.array([0.6, 0.0])) == np.inf


@pytest.mark.parametrize("family", FAMILIES)
def test_rounding_floor_is_a_few_units_of_rounding(family: Family) -> None:
    problem = draw(family)
    assert 1e-16 < rounding_floor(problem, *solve(problem)) < 1e-12


def test_agrees_with_scikit_learn() -> None:
    gaussian = replace(draw("gaussian"), offset=None, factors=None, l1_ratio=1.0, standardize=False)
    peer = Lasso(alpha=gaussian.lam, tol=1e-14, max_iter=100_000).fit(gaussian.X, gaussian.y, gaussian.weights)
    _, coefs = solve(gaussian)
    assert coefs == pytest.approx(peer.coef_, abs=SOLVED)
    binomial = replace(draw("binomial"), offset=None, factors=None, l1_ratio=0.0, lam=0.05)
    assert binomial.weights is not None
    sd = frame(binomial).sd.astype(float)
    strength = 1 / (binomial.lam * binomial.weights.sum())
    peer = LogisticRegression(C=strength, tol=1e-13, solver="newton-cholesky")
    peer.fit(binomial.X / sd, binomial.y, binomial.weights)
    _, coefs = solve(binomial)
    assert coefs * sd == pytest.approx(peer.coef_[0], abs=SOLVED)


def test_agrees_with_scikit_learn_on_counts_and_their_exposures() -> None:
    """Rates weighted by their exposures are counts with the logarithms of the exposures as offset."""
    counts = replace(draw("poisson"), factors=None, l1_ratio=0.0)
    assert counts.weights is not None
    assert counts.offset is not None
    exposure = np.exp(counts.offset)
    shares = counts.weights * exposure
    # the strength is relative to the sum of the weights, and the columns' sd is theirs
    sd = frame(counts).sd.astype(float)
    strength = counts.lam * counts.weights.sum() / shares.sum()
    peer = PoissonRegressor(alpha=strength, solver="newton-cholesky", tol=1e-13, max_iter=1000)
    peer.fit(counts.X / sd, counts.y / exposure, shares)
    intercept, coefs = solve(counts)
    assert coefs * sd == pytest.approx(peer.coef_, abs=SOLVED)
    assert intercept == pytest.approx(peer.intercept_, abs=SOLVED)


HEADER = ["id", "region", "smoker", "code", "age", "flat", "w", "off", "time", "y"]
COLUMNS = ("region", "smoker", "code", "age", "flat")
TERMS = ["region=east, far", "region=north", "region=west", "smoker=yes", "code=10", "age"]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Three regions, one with a comma; two words; a two-level code whose numeric order is not that of its text."""
    rng = np.random.default_rng(7)
    path = tmp_path / "table.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for row in range(60):
            region = ["north", "east, far", "west"][rng.integers(3)]
            smoker, code = ["no", "yes"][rng.integers(2)], ["10", "9"][rng.integers(2)]
            age = "" if row % 20 == 3 else repr(rng.normal())
            cost = (region == "north") + 2 * (smoker == "yes") + (code == "10") + rng.normal()
            numbers = [repr(rng.normal()), repr(0.5 + row % 7), repr(cost)]
            writer.writerow([f"r{row}", region, smoker, code, age, "1.5", row % 4, *numbers])
    return path


def design(path: Path) -> tuple[NDArray[np.float64], dict[str, NDArray[np.float64]]]:
    """Build the design by hand, beside the certificate's way: the terms of ``TERMS`` and the numeric columns."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["age"]]
    regions = [[row["region"] == name for name in ("east, far", "north", "west")] for row in rows]
    others = [[row["smoker"] == "yes", row["code"] == "10", float(row["age"])] for row in rows]
    X = np.column_stack([np.array(regions, dtype=float), np.array(others, dtype=float)])
    return X, {name: np.array([float(row[name]) for row in rows]) for name in ("w", "off", "time", "y")}


def written(problem: Problem, models: list[tuple[float, float, NDArray[np.float64]]], **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    """A document as the tool would write it, with the keys that the certificate reads."""
    data = {"target": "y", "weights": "w", "offset": "off", "exposure": None, "rows_used": len(problem.y)}
    model = {"family": problem.family, "penalty": "elasticnet", "l1_ratio": problem.l1_ratio, "positive": None}
    model |= {"standardize": "all", "intercept": True, "compat": None, "lambda": models[0][0]}
    document: dict[str, Any] = {"data": data, "model": model | changes, "options": {}}
    values = np.array([coefs for _, _, coefs in models])
    nonzero = [(term, values[:, j].tolist()) for j, term in enumerate(TERMS) if np.any(values[:, j])]
    if len(models) == 1:
        terms = [{"term": term, "estimate": column[0]} for term, column in nonzero]
        return document | {"schema": "regcli.fit/1", "intercept": models[0][1], "coefficients": terms}
    terms = [{"term": term, "values": column} for term, column in nonzero]
    intercepts = [{"output": None, "values": [intercept for _, intercept, _ in models]}]
    lambdas = [lam for lam, _, _ in models]
    return document | {
        "schema": "regcli.path/1",
        "lambdas": lambdas,
        "intercepts": intercepts,
        "coefficients": terms,
    }


def handmade(table: Path) -> Problem:
    X, rest = design(table)
    return Problem(X=X, y=rest["y"], lam=0.0, l1_ratio=0.4, weights=rest["w"], offset=rest["off"])


def test_certificate_of_a_path(table: Path) -> None:
    problem = handmade(table)
    models = [(lam, *solve(replace(problem, lam=lam))) for lam in (0.5, 0.1, 0.01)]
    document = written(problem, models)
    found = certificate(document, table, columns=COLUMNS, categorical=["code"])
    assert found.violation.shape == (3,)
    assert np.all(found.violation <= EXACT)
    assert np.all(found.floor < EXACT)
    entry = next(entry for entry in document["coefficients"] if entry["term"] == "smoker=yes")
    entry["values"][1] *= 1 + 1e-5
    spoilt = certify(document, table, columns=COLUMNS, categorical=["code"])
    assert spoilt[1] > 1e-7
    assert np.all(spoilt[[0, 2]] <= EXACT)


def test_certificate_of_a_fit_with_factors_limits_and_partial_standardizing(table: Path) -> None:
    problem = replace(
        handmade(table),
        lam=0.05,
        factors=np.array([2.0, 2.0, 2.0, 0.0, 1.0, 1.0]),
        upper=np.array([np.inf, np.inf, np.inf, 0.5, np.inf, np.inf]),
        standardize=np.array([False, False, False, False, False, True]),
    )
    model = (0.05, *solve(problem))
    assert model[2][3] == 0.5
    document = written(problem, [model], standardize="numeric")
    how: dict[str, Any] = {"columns": COLUMNS, "categorical": ["code"]}
    given = certify(document, table, factors={"region": 2, "smoker=yes": 0}, upper={"smoker": 0.5}, **how)
    assert given.tolist() == pytest.approx([0.0], abs=EXACT)
    document["options"] = {"penalty-factor": ["region=2", "smoker=0"], "upper": {"smoker": 0.5}}
    assert certify(document, table, **how).tolist() == given.tolist()
    document["options"] = {}
    assert certify(document, table, **how)[0] > 1e-3


def test_certificate_follows_compat_glmnet(table: Path) -> None:
    problem = handmade(table)
    assert problem.weights is not None
    assert problem.offset is not None
    target = problem.y - problem.offset
    centre = np.average(target, weights=problem.weights)
    spread = np.sqrt(np.average((target - centre) ** 2, weights=problem.weights))
    # the mean of the seven factors, one of them that of the constant column, is 9/7
    factors = np.array([1.0, 1.0, 1.0, 3.0, 1.0, 1.0]) * 7 / 9
    problem = replace(problem, lam=0.1, l2_scale=float(1 / spread), factors=factors)
    document = written(problem, [(0.1, *solve(problem))], compat="glmnet")
    found = certify(document, table, columns=COLUMNS, categorical=["code"], factors={"smoker": 3.0})
    assert found[0] <= EXACT


def test_certificate_of_classes_and_their_weights(table: Path) -> None:
    X, _ = design(table)
    y = X[:, 3].copy()
    total = {level: np.sum(y == level) for level in (0.0, 1.0)}
    weights = np.array([1 / total[level] for level in y])
    X[:, 3] = 0
    problem = Problem(X=X, y=y, lam=0.02, family="binomial", weights=weights)
    document = written(problem, [(0.02, *solve(problem))], positive="yes", penalty="l1", l1_ratio=None)
    document["data"] |= {"target": "smoker", "weights": None, "offset": None}
    document["options"] = {"class_weight": ["balanced"]}
    columns = [name for name in COLUMNS if name != "smoker"]
    assert certify(document, table, columns=columns, categorical=["code"])[0] <= EXACT
    document["options"] = {}
    assert certify(document, table, columns=columns, categorical=["code"])[0] > 1e-4


def test_certificate_of_counts_and_their_exposures(table: Path) -> None:
    X, rest = design(table)
    rest["y"] = np.array([float(round(np.exp(0.3 * value))) for value in rest["y"]])
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, HEADER)
        writer.writeheader()
        writer.writerows(row | {"y": repr(round(np.exp(0.3 * float(row["y"]))))} for row in rows)
    both = Problem(X=X, y=rest["y"], lam=0.02, family="poisson", weights=rest["w"])
    both = replace(both, offset=rest["off"] + np.log(rest["time"]))
    alone = replace(both, offset=np.log(rest["time"]))
    for problem, offset in ((both, "off"), (alone, None)):
        document = written(problem, [(0.02, *solve(problem))])
        document["data"] |= {"offset": offset, "exposure": "time"}
        assert certify(document, table, columns=COLUMNS, categorical=["code"])[0] <= EXACT
        document["data"]["exposure"] = None
        assert certify(document, table, columns=COLUMNS, categorical=["code"])[0] > 1e-2


def test_certificate_counts_the_rows(table: Path) -> None:
    problem = handmade(table)
    document = written(problem, [(0.1, *solve(replace(problem, lam=0.1)))])
    document["data"]["rows_used"] = 60
    with pytest.raises(AssertionError, match="60 rows were used, the file has 57"):
        certify(document, table, columns=COLUMNS)
