"""Write the problems of the glmnet reference: ``cases/*.csv`` and the manifest ``cases.json``.

Run it from anywhere, then ``make_glmnet.R`` (see README.md). Everything is seeded, and the numbers are rounded to a few
decimals before anything is computed from them, so that R and Python read the same doubles.

A *table* is one CSV file with its roles (weights, offset, folds, penalty factors, limits); a *case* is a table with a
share of L1 and a list of strengths. One table serves several cases.
"""

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_diabetes

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

HERE = Path(__file__).parent
N_STRENGTHS = 20
SEED = 2025
FAMILIES = ("gaussian", "binomial", "poisson")
#: The share of L1 of each family's elastic net.
MIXED = {"gaussian": 0.3, "binomial": 0.3, "poisson": 0.5}


@dataclass(frozen=True)
class Table:
    """One data set and its roles; ``stresses`` says what it is hard on."""

    name: str
    stresses: str
    columns: Mapping[str, Floats]
    eta: Floats
    folds: Ints
    y: Floats = field(default_factory=lambda: np.zeros(0))
    family: str = ""
    weights: Floats | None = None
    offset: Floats | None = None
    exposure: Floats | None = None
    factors: Mapping[str, float] = field(default_factory=dict)
    lower: Mapping[str, float] = field(default_factory=dict)
    upper: Mapping[str, float] = field(default_factory=dict)
    intercept: bool = True
    standardize: bool = True
    measures: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def x(self) -> Floats:
        return np.column_stack(list(self.columns.values()))

    @property
    def penalty_factors(self) -> Floats:
        return np.array([self.factors.get(name, 1.0) for name in self.columns])

    @property
    def row_weights(self) -> Floats:
        w = np.ones(self.y.size) if self.weights is None else self.weights
        return w / w.sum()

    @property
    def row_offset(self) -> Floats:
        offset = np.zeros(self.y.size) if self.offset is None else self.offset
        return offset if self.exposure is None else offset + np.log(self.exposure)


# ---------------------------------------------------------------------------------------------------------- the tables


def named(x: Floats, digits: int = 3) -> dict[str, Floats]:
    return {f"x{j + 1}": np.round(column, digits) for j, column in enumerate(x.T)}


def deal(rng: np.random.Generator, n: int, k: int = 5) -> Ints:
    return rng.permutation(np.arange(n) % k) + 1


def signal(columns: Mapping[str, Floats], coefs: tuple[float, ...], shift: float = 0.3) -> Floats:
    """Linear predictor from the first columns, each centred and scaled."""
    picked = np.column_stack(list(columns.values())[: len(coefs)])
    return shift + (picked - picked.mean(axis=0)) / picked.std(axis=0) @ np.array(coefs)


def gap_weights(rng: np.random.Generator, n: int) -> Floats:
    """Weights from 0.2 to 3, every seventh one zero."""
    weights = np.round(rng.uniform(0.2, 3.0, n), 2)
    weights[::7] = 0.0
    return weights


def equicorrelated(rng: np.random.Generator, n: int, p: int, rho: float) -> Floats:
    return np.sqrt(rho) * rng.standard_normal((n, 1)) + np.sqrt(1 - rho) * rng.standard_normal((n, p))


COEFS = (1.0, -0.8, 0.6, -0.4, 0.3, 0.2)


def plain(rng: np.random.Generator) -> Table:
    columns = named(rng.standard_normal((120, 10)))
    measures = {"gaussian": ("mae",), "binomial": ("auc", "class", "mse"), "poisson": ("mse", "mae")}
    return Table("plain", "nothing", columns, signal(columns, COEFS), deal(rng, 120), measures=measures)


def wide(rng: np.random.Generator) -> Table:
    columns = named(rng.standard_normal((60, 150)), 2)
    return Table("wide", "more columns than rows", columns, signal(columns, (1.5, -1.2, 1.0, 0.8)), deal(rng, 60))


def correlated(rng: np.random.Generator) -> Table:
    columns = named(equicorrelated(rng, 100, 10, 0.95))
    return Table("correlated", "columns correlated at 0.95", columns, signal(columns, COEFS), deal(rng, 100))


def dummies(rng: np.random.Generator) -> Table:
    """Rare 0/1 columns; the ones of x1 all lie in fold 2, so that x1 is constant where fold 2 is held out."""
    n = 120
    folds = deal(rng, n)
    x = (rng.random((n, 14)) < np.linspace(0.04, 0.3, 14)).astype(float)
    x[:, 0] = 0.0
    x[np.flatnonzero(folds == 2)[:4], 0] = 1.0
    columns = named(x)
    eta = signal(columns, (0.6, 0.5, -0.5, 0.6, -0.4, 0.4, 0.4))
    return Table("dummies", "rare 0/1 columns, one of them constant in a training set", columns, eta, folds)


def scaled(rng: np.random.Generator) -> Table:
    x = rng.standard_normal((100, 8)) + rng.uniform(-1, 1, 8)
    x[:, 1] *= 1e6
    columns = named(x)
    return Table("scaled", "a column scaled by 1e6", columns, signal(columns, COEFS), deal(rng, 100))


def shifted(rng: np.random.Generator) -> Table:
    x = rng.standard_normal((100, 8)) + np.array([1e4, -1e4, 1e3, 0, 0, 50, -7, 1e4])
    columns = named(x)
    return Table("shifted", "means up to 10,000 standard deviations", columns, signal(columns, COEFS), deal(rng, 100))


def weights(rng: np.random.Generator) -> Table:
    columns = named(rng.standard_normal((110, 9)))
    return Table(
        "weights",
        "weights, some of them zero",
        columns,
        signal(columns, COEFS),
        deal(rng, 110),
        weights=gap_weights(rng, 110),
        measures={"gaussian": ("mae",), "poisson": ("mse",)},
    )


def offset(rng: np.random.Generator) -> Table:
    columns = named(rng.standard_normal((100, 9)))
    off = np.round(rng.standard_normal(100), 3)
    return Table("offset", "an offset", columns, signal(columns, COEFS) + off, deal(rng, 100), offset=off)


def factors(rng: np.random.Generator) -> Table:
    columns = named(rng.standard_normal((100, 9)))
    return Table(
        "factors",
        "penalty factors 0, 0.5 and 2",
        columns,
        signal(columns, COEFS),
        deal(rng, 100),
        factors={"x1": 0.0, "x2": 0.5, "x3": 2.0},
    )


def limits(rng: np.random.Generator) -> Table:
    columns = named(rng.standard_normal((100, 9)))
    return Table(
        "limits",
        "limits that bind, one of them 0",
        columns,
        signal(columns, COEFS),
        deal(rng, 100),
        lower={"x2": -0.25, "x4": 0.0},
        upper={"x1": 0.3, "x3": 0.15},
    )


def no_intercept(rng: np.random.Generator) -> Table:
    columns = named(rng.standard_normal((100, 9)) + np.linspace(-1, 2, 9))
    eta = signal(columns, COEFS, shift=0.7)
    return Table("no-intercept", "no intercept, columns off centre", columns, eta, deal(rng, 100), intercept=False)


def no_standardize(rng: np.random.Generator) -> Table:
    columns = named(rng.standard_normal((100, 9)) * np.geomspace(0.5, 4, 9) + 1.0)
    eta = signal(columns, COEFS)
    return Table("no-standardize", "columns as they stand", columns, eta, deal(rng, 100), standardize=False)


def uneven(rng: np.random.Generator) -> Table:
    columns = named(rng.standard_normal((130, 8)))
    return Table(
        "uneven",
        "folds of 5 to 55 rows, with weights",
        columns,
        signal(columns, COEFS),
        rng.permutation(np.repeat([1, 2, 3, 4, 5], [5, 15, 22, 33, 55])),
        weights=np.round(rng.uniform(0.2, 3.0, 130), 2),
        measures={"gaussian": ("mae",), "binomial": ("auc", "class", "mse"), "poisson": ("mse", "mae")},
    )


def tiny(rng: np.random.Generator) -> Table:
    columns = named(rng.standard_normal((28, 5)))
    return Table("tiny", "fewer than 3 rows a fold", columns, signal(columns, (0.8, -0.6, 0.3)), deal(rng, 28, 10))


def together_wide(rng: np.random.Generator) -> Table:
    n = 60
    x = equicorrelated(rng, n, 90, 0.5)
    x[:, 4] *= 1e6
    x[:, 5:10] = x[:, 5:10] > 0.8
    columns = named(x, 2)
    off = np.round(0.7 * rng.standard_normal(n), 3)
    return Table(
        "together-wide",
        "p > n, correlation, rare columns, one column scaled by 1e6, zero weights, offset, limits, factors 0, 0.5, 3",
        columns,
        signal(columns, (0.9, -0.8, 0.8, 0.5, 0.6, 0.4)) + off,
        deal(rng, n, 4),
        weights=gap_weights(rng, n),
        offset=off,
        factors={"x1": 0.0, "x2": 0.5, "x7": 3.0},
        lower={"x2": -0.1, "x8": 0.0},
        upper={"x3": 0.2},
    )


def together_bare(rng: np.random.Generator) -> Table:
    n = 100
    x = equicorrelated(rng, n, 10, 0.6) * np.geomspace(0.5, 3, 10) + np.linspace(1, -1, 10)
    columns = named(x)
    off = np.round(0.7 * rng.standard_normal(n), 3)
    return Table(
        "together-bare",
        "no intercept, no standardizing, weights with zeros, offset, limits, factors 0 and 2",
        columns,
        signal(columns, COEFS, shift=0.5) + off,
        deal(rng, n),
        weights=gap_weights(rng, n),
        offset=off,
        factors={"x1": 0.0, "x5": 2.0},
        lower={"x2": -0.2},
        upper={"x3": 0.1},
        intercept=False,
        standardize=False,
    )


TABLES: tuple[Callable[[np.random.Generator], Table], ...] = (
    plain,
    wide,
    correlated,
    dummies,
    scaled,
    shifted,
    weights,
    offset,
    factors,
    limits,
    no_intercept,
    no_standardize,
    uneven,
    tiny,
    together_wide,
    together_bare,
)


def exposure(rng: np.random.Generator) -> Table:
    columns = named(rng.standard_normal((110, 9)))
    time = np.round(rng.uniform(0.1, 12.0, 110), 2)
    eta = signal(columns, COEFS, shift=-0.5) + np.log(time)
    measures = {"poisson": ("mse", "mae")}
    return Table("exposure", "exposures from 0.1 to 12", columns, eta, deal(rng, 110), exposure=time, measures=measures)


def offset_exposure(rng: np.random.Generator) -> Table:
    n = 110
    columns = named(rng.standard_normal((n, 9)))
    off, time = np.round(0.5 * rng.standard_normal(n), 3), np.round(rng.uniform(0.5, 4.0, n), 2)
    return Table(
        "offset-exposure",
        "an offset and exposures, weights with zeros, penalty factors 0, 0.5 and 2",
        columns,
        signal(columns, COEFS) + off + np.log(time),
        deal(rng, n),
        weights=gap_weights(rng, n),
        offset=off,
        exposure=time,
        factors={"x1": 0.0, "x2": 0.5, "x3": 2.0},
    )


def rates(rng: np.random.Generator) -> Table:
    """Counts over exposures as the target, weighted by the exposures."""
    n = 110
    columns = named(rng.standard_normal((n, 9)))
    time = np.round(rng.uniform(0.3, 9.0, n), 2)
    y = np.round(rng.poisson(time * np.exp(signal(columns, COEFS))) / time, 4)
    return Table("rates", "targets that are not whole numbers", columns, y, deal(rng, n), y=y, weights=time)


def large(rng: np.random.Generator) -> Table:
    columns = named(rng.standard_normal((100, 9)))
    eta = 0.6 * signal(columns, COEFS) + np.log(1e4) + 0.3 * rng.standard_normal(100)
    y = rng.poisson(np.exp(eta)).astype(float)
    return Table("large", "counts about 10,000, spread more than poisson", columns, eta, deal(rng, 100), y=y)


def zeros(rng: np.random.Generator) -> Table:
    columns = named(rng.standard_normal((200, 9)))
    eta = 0.7 * signal(columns, COEFS) - 3.1
    y = rng.poisson(np.exp(eta)).astype(float)
    return Table("zeros", "nine targets in ten are 0", columns, eta, deal(rng, 200), y=y)


#: Those of poisson alone, and those that it does without: they are hard on columns, which the other families show.
COUNT_TABLES = (exposure, offset_exposure, rates, large, zeros)
NOT_FOR_COUNTS = (correlated, scaled, shifted, tiny)


def with_target(table: Table, family: str, rng: np.random.Generator) -> Table:
    n = table.eta.size
    if table.y.size:
        return replace(table, family=family)
    if family == "gaussian":
        y = np.round(3.0 * table.eta + 2.5 * rng.standard_normal(n) + 1.0, 3)
    elif family == "poisson":
        y = rng.poisson(np.exp(0.7 * table.eta)).astype(float)
    else:
        y = (rng.random(n) < mean(table.eta, family)).astype(float)
    return replace(table, family=family, y=y)


def real_tables() -> list[Table]:
    rng = np.random.default_rng(7)
    diabetes = load_diabetes(scaled=False)
    cancer = load_breast_cancer()
    tables = []
    for name, family, bunch in (("diabetes", "gaussian", diabetes), ("breast-cancer", "binomial", cancer)):
        columns = dict(zip(map(str, bunch.feature_names), bunch.data.T, strict=True))
        y = bunch.target.astype(float)
        folds = deal(rng, y.size, 10)
        tables.append(Table(name, "a real table", columns, np.zeros(y.size), folds, y, family))
    return tables


# -------------------------------------------------------------------------------------------------------- lambda_max


def mean(eta: Floats, family: str) -> Floats:
    if family == "gaussian":
        return eta
    return np.exp(eta) if family == "poisson" else 1.0 / (1.0 + np.exp(-eta))


def null_residual(table: Table) -> Floats:
    """Residual of the model of intercept, offset and the columns that are never penalised (limits ignored)."""
    free = [column for name, column in table.columns.items() if table.factors.get(name, 1.0) == 0.0]
    z = np.column_stack([np.ones(table.y.size)] * table.intercept + free + [np.zeros((table.y.size, 0))])
    theta = np.zeros(z.shape[1])
    w = table.row_weights
    if table.family == "poisson" and table.intercept:
        theta[0] = np.log(w @ table.y / (w @ np.exp(table.row_offset)))
    for _ in range(50):
        mu = mean(table.row_offset + z @ theta, table.family)
        curvature = w * {"gaussian": np.ones_like(mu), "binomial": mu * (1 - mu), "poisson": mu}[table.family]
        theta += np.linalg.solve((z.T * curvature) @ z, z.T @ (w * (table.y - mu)))
    return table.y - mean(table.row_offset + z @ theta, table.family)


def lambda_max(table: Table, l1_ratio: float) -> float:
    """Smallest strength at which every penalised coefficient is 0, for penalty factors used as given."""
    w, x, v = table.row_weights, table.x, table.penalty_factors
    centred = x - w @ x
    gradient = (centred if table.intercept else x).T @ (w * null_residual(table))
    if table.standardize:
        gradient = gradient / np.sqrt(w @ centred**2)
    return float(np.max(np.abs(gradient[v > 0]) / v[v > 0])) / max(l1_ratio, 1e-3)


def strengths(table: Table, l1_ratio: float, *, compat: bool) -> list[float]:
    """From 0.95 lambda_max down to 1e-3 of it (p > n: 1e-2), in six digits; lower for L2, whose lambda_max is large."""
    n, p = table.x.shape
    last = 1e-2 if n < p else 1e-3
    if l1_ratio == 0.0:
        last /= 100
    v = table.penalty_factors
    largest = lambda_max(table, l1_ratio) * (v.mean() if compat else 1.0)
    return [float(f"{value:.6g}") for value in np.geomspace(0.95 * largest, last * largest, N_STRENGTHS)]


# ---------------------------------------------------------------------------------------------------------- the files


def penalty_args(l1_ratio: float) -> list[str]:
    named = {1.0: ["--penalty", "l1"], 0.0: ["--penalty", "l2"]}
    return named.get(l1_ratio, ["--penalty", "elasticnet", "--l1-ratio", repr(l1_ratio)])


def model_args(table: Table, *, compat: bool) -> list[str]:
    args = ["--target", "y", "--family", table.family]
    args += ["--weights", "w"] if table.weights is not None else []
    args += ["--offset", "off"] if table.offset is not None else []
    args += ["--exposure", "time"] if table.exposure is not None else []
    for option, values in (("--penalty-factor", table.factors), ("--lower", table.lower), ("--upper", table.upper)):
        for name, value in values.items():
            args += [option, f"{name}={value!r}"]
    args += [] if table.intercept else ["--no-intercept"]
    args += [] if table.standardize else ["--no-standardize"]
    return args + (["--compat", "glmnet"] if compat else [])


def case(table: Table, l1_ratio: float, *, compat: bool) -> dict[str, Any]:
    lambdas = strengths(table, l1_ratio, compat=compat)
    args = [*model_args(table, compat=compat), *penalty_args(l1_ratio)]
    args += ["--lambda", ",".join(map(repr, lambdas))]
    return {
        "name": f"{table.family}_{table.name}_{l1_ratio:g}" + ("_compat" if compat else ""),
        "csv": f"{table.family}_{table.name}.csv",
        "stresses": table.stresses,
        "family": table.family,
        "l1_ratio": l1_ratio,
        "compat": compat,
        "features": list(table.columns),
        "weights": "w" if table.weights is not None else None,
        "offset": "off" if table.offset is not None else None,
        "exposure": "time" if table.exposure is not None else None,
        "fold": "fold",
        "penalty_factors": dict(table.factors),
        "lower": dict(table.lower),
        "upper": dict(table.upper),
        "intercept": table.intercept,
        "standardize": table.standardize,
        "measures": list(table.measures.get(table.family, ())),
        "lambdas": lambdas,
        "args_path": [*args, "--drop", "fold"],
        "args_cv": [*args, "--fold-column", "fold"],
    }


def cases_of(table: Table) -> list[dict[str, Any]]:
    """Every share of L1; with ``--compat glmnet`` too where that changes the problem.

    Beside the gaussian family it changes nothing but the scale of the strengths: for poisson one table will do.
    """
    found = []
    for l1_ratio in (1.0, MIXED[table.family], 0.0):
        changes = bool(table.factors) and (table.family != "poisson" or table.name == "factors")
        changes |= table.family == "gaussian" and l1_ratio < 1
        found += [case(table, l1_ratio, compat=compat) for compat in (False, True)[: 1 + changes]]
    return found


#: Tables and shares of L1 of generated paths; None is the family's elastic net.
GENERATED = (("plain", 1.0), ("wide", 1.0), ("plain", None), ("wide", None), ("plain", 0.0), ("weights", 1.0))
GENERATED_COUNTS = (("offset", 1.0), ("exposure", 1.0), ("rates", 1.0), ("large", 1.0), ("zeros", 1.0))
#: The same with a last strength of 1e-4 lambda_max, at which the model all but reproduces the data.
SATURATED = (("gaussian", "wide"), ("binomial", "wide"), ("poisson", "wide"))
REAL = (("gaussian", "diabetes"), ("binomial", "breast-cancer"))


def generated(table: Table, l1_ratio: float, ratio: float | None = None) -> dict[str, Any]:
    """A path whose strengths glmnet chooses itself (gaussian as family = "gaussian", so with --compat below L1)."""
    compat = table.family == "gaussian" and l1_ratio < 1
    return {
        "name": f"{table.family}_{table.name}_{l1_ratio:g}" + ("" if ratio is None else f"_to_{ratio:g}"),
        "csv": f"{table.family}_{table.name}.csv",
        "family": table.family,
        "l1_ratio": l1_ratio,
        "features": list(table.columns),
        "weights": "w" if table.weights is not None else None,
        "offset": "off" if table.offset is not None else None,
        "exposure": "time" if table.exposure is not None else None,
        "lambda_min_ratio": ratio,
        "args": [
            *model_args(table, compat=compat),
            *penalty_args(l1_ratio),
            *([] if ratio is None else ["--lambda-min-ratio", repr(ratio)]),
            "--drop",
            "fold",
        ],
    }


def write_csv(table: Table) -> None:
    roles = {
        "w": table.weights,
        "off": table.offset,
        "time": table.exposure,
        "fold": table.folds.astype(float),
        "y": table.y,
    }
    columns = dict(table.columns) | {name: values for name, values in roles.items() if values is not None}
    rows = zip(*(values.tolist() for values in columns.values()), strict=True)
    with (HERE / "cases" / f"{table.family}_{table.name}.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([repr(int(value)) if value.is_integer() else repr(value) for value in row] for row in rows)


def all_tables() -> list[Table]:
    tables = []
    for number, build in enumerate(TABLES):
        for offset_of_seed, family in enumerate(FAMILIES):
            if family == "poisson" and build in NOT_FOR_COUNTS:
                continue
            rng = np.random.default_rng([SEED, number, offset_of_seed])
            tables.append(with_target(build(rng), family, rng))
    for number, build in enumerate(COUNT_TABLES, start=len(TABLES)):
        rng = np.random.default_rng([SEED, number])
        tables.append(with_target(build(rng), "poisson", rng))
    return tables + real_tables()


def main() -> None:
    (HERE / "cases").mkdir(exist_ok=True)
    tables = all_tables()
    by_name = {(table.family, table.name): table for table in tables}
    for table in tables:
        write_csv(table)
    manifest = {
        "cases": [entry for table in tables for entry in cases_of(table)],
        "generated": [
            *(
                generated(by_name[family, name], MIXED[family] if l1_ratio is None else l1_ratio)
                for family in FAMILIES
                for name, l1_ratio in GENERATED
            ),
            *(generated(by_name["poisson", name], l1_ratio) for name, l1_ratio in GENERATED_COUNTS),
            *(generated(by_name[key], 1.0) for key in REAL),
            *(generated(by_name[key], 1.0, ratio=1e-4) for key in SATURATED),
        ],
    }
    text = json.dumps(manifest, indent=None, ensure_ascii=False).replace('{"name"', '\n{"name"')
    (HERE / "cases.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
