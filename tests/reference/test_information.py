"""Information criteria and degrees of freedom: against scikit-learn, and against hat matrices written out."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.stats import poisson
from sklearn.linear_model import LassoLarsIC
from sklearn.metrics import log_loss

from tests.cli.conftest import SAMPLES
from tests.fuzz.tool import Outcome, run_tool
from tests.tolerances import REFERENCE, SOLVED

pytestmark = [pytest.mark.reference, pytest.mark.usefixtures("folder")]

Vector = NDArray[np.float64]


def diabetes() -> tuple[Vector, Vector]:
    """Standardized columns and the target."""
    table = pd.read_csv(SAMPLES / "diabetes.csv").astype(float)
    X = table.drop(columns="progression").to_numpy()
    return (X - X.mean(axis=0)) / X.std(axis=0), table["progression"].to_numpy()


def price_of(rule: str, n: int, p: int) -> float:
    """What a degree of freedom costs."""
    return {"aic": 2.0, "bic": np.log(n), "ebic": np.log(n) + 2 * np.log(p)}[rule]


def run(command: str, table: pd.DataFrame, family: str, *words: object, lams: Any) -> Outcome:  # noqa: ANN401
    """A command on a table whose target is ``y``."""
    table.to_csv("data.csv", index=False)
    strengths = ",".join(repr(float(lam)) for lam in lams)
    return run_tool(command, "data.csv", "-y", "y", "--family", family, "--lambda", strengths, "--tol", "1e-12", *words)


# -- scikit-learn ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lars() -> dict[str, Any]:
    """Its two criteria on the diabetes data, at the knots of the lasso's path."""
    X, y = diabetes()
    return {rule: LassoLarsIC(criterion=rule).fit(X, y) for rule in ("aic", "bic")}


def residuals_of(lars: dict[str, Any], n: int) -> tuple[Vector, Vector]:
    """Degrees of freedom, without intercept, and sums of squares: what its two criteria say together."""
    df = (lars["bic"].criterion_ - lars["aic"].criterion_) / (np.log(n) - 2)
    variance = lars["aic"].noise_variance_
    return df, (lars["aic"].criterion_ - n * np.log(2 * np.pi * variance) - 2 * df) * variance


@pytest.mark.parametrize("rule", ["aic", "bic", "ebic"])
def test_criteria_along_the_path_of_its_lasso(rule: str, lars: dict[str, Any]) -> None:
    X, y = diabetes()
    n, p = X.shape
    df, rss = residuals_of(lars, n)
    alphas = lars["aic"].alphas_
    # a coefficient that enters or leaves at a knot is 0 there but for rounding: strengths just beside it tell
    inner = [k for k in range(1, alphas.size) if alphas[k] > 0 and df[k] == pytest.approx(df[k - 1] + 1)]
    assert len(inner) >= 7
    lams = alphas[inner] * (1 + 1e-10)
    table = pd.DataFrame(X, columns=[f"x{j}" for j in range(p)]).assign(y=y)
    document = run("cv", table, "gaussian", "--rule", rule, lams=lams).document
    assert document["df_path"] == pytest.approx(df[inner] + 1, abs=1e-6)
    expected = n * np.log(rss[inner] / n) + price_of(rule, n, p) * (df[inner] + 1)
    assert document["criterion_path"] == pytest.approx(expected, rel=SOLVED)
    assert document["model"]["lambda"] == lams[np.argmin(expected)]
    assert document["model"]["rule"] == rule
    assert document["metrics"]["cv"]["chosen_on_these_folds"] is False


@pytest.mark.parametrize("rule", ["aic", "bic"])
def test_with_its_noise_variance_its_choice_follows(rule: str, lars: dict[str, Any]) -> None:
    X, y = diabetes()
    n, p = X.shape
    peer = lars[rule]
    alphas = peer.alphas_[peer.alphas_ > 0]
    table = pd.DataFrame(X, columns=[f"x{j}" for j in range(p)]).assign(y=y)
    document = run("cv", table, "gaussian", "--rule", rule, lams=alphas * (1 + 1e-10)).document
    df, price = np.array(document["df_path"]), price_of(rule, n, p)
    rss = n * np.exp((np.array(document["criterion_path"]) - price * df) / n)
    criterion = n * np.log(2 * np.pi * peer.noise_variance_) + rss / peer.noise_variance_ + price * (df - 1)
    assert alphas[np.argmin(criterion)] == pytest.approx(peer.alpha_, rel=REFERENCE)
    assert criterion.min() == pytest.approx(peer.criterion_.min(), rel=REFERENCE)


# -- hat matrices ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """One run. ``free`` columns have penalty factor 0; ``words`` are further options."""

    name: str
    family: str = "gaussian"
    l1_ratio: float = 0.5
    n: int = 60
    p: int = 8
    weights: bool = False
    offset: bool = False
    free: tuple[int, ...] = ()
    factors: dict[int, float] = field(default_factory=dict)
    limits: tuple[float, float] | None = None
    intercept: bool = True
    standardize: bool = True
    lams: tuple[float, ...] = (0.5, 0.1, 0.03)

    def __str__(self) -> str:
        return f"{self.name}-{self.family}-{self.l1_ratio:g}"

    @property
    def v(self) -> Vector:
        """Penalty factors."""
        out = np.ones(self.p)
        out[list(self.free)] = 0.0
        for at, value in self.factors.items():
            out[at] = value
        return out

    def words(self) -> list[object]:
        """Options beside family and strengths."""
        out: list[object] = ["--penalty", "l2"] if self.l1_ratio == 0 else ["--penalty", "elasticnet"]
        out += ["--l1-ratio", self.l1_ratio] if self.l1_ratio else []
        for at, value in enumerate(self.v.tolist()):
            out += ["--penalty-factor", f"x{at}={value!r}"] if value != 1 else []
        if self.limits:
            out += ["--lower", f"*={self.limits[0]!r}", "--upper", f"*={self.limits[1]!r}"]
        out += ["--weights", "w"] * self.weights + ["--offset", "off"] * self.offset
        return out + ["--no-intercept"] * (not self.intercept) + ["--no-standardize"] * (not self.standardize)

    def table(self) -> pd.DataFrame:
        """Correlated columns of different sizes, a target, weights with zeros, an offset."""
        rng = np.random.default_rng([self.n, self.p, len(self.name)])
        X = (rng.normal(size=(self.n, self.p)) + 0.6 * rng.normal(size=(self.n, 1))) * rng.uniform(0.5, 2.0, self.p)
        signal = 0.8 * X[:, 0] - 0.6 * X[:, 1] + 0.5 * X[:, 2] + rng.normal(size=self.n)
        y = {
            "gaussian": signal,
            "binomial": (signal > 0).astype(float),
            "poisson": rng.poisson(np.exp(np.clip(0.4 * signal, -3, 2))).astype(float),
        }[self.family]
        table = pd.DataFrame(X, columns=[f"x{j}" for j in range(self.p)])
        extra = {"w": rng.choice([0.0, 0.5, 1.0, 3.0], self.n)} if self.weights else {}
        extra |= {"off": rng.normal(0, 0.3, self.n)} if self.offset else {}
        return table.assign(**extra, y=y)


CASES = [
    Case("ridge", l1_ratio=0.0, lams=(5.0, 0.5, 0.05)),
    Case("net"),
    Case("net with weights", weights=True, offset=True),
    Case("net with free columns", free=(1, 4)),
    Case("ridge with free columns", l1_ratio=0.0, free=(0, 6), weights=True, lams=(5.0, 0.5)),
    Case("net with factors", factors={0: 3.0, 5: 0.2}),
    Case("net with limits", limits=(-0.1, 0.25)),
    Case("wide ridge", l1_ratio=0.0, n=30, p=50, lams=(20.0, 5.0, 1.0), weights=True),
    Case("wide net", n=30, p=50, lams=(0.5, 0.2), l1_ratio=0.2),
    Case("wide ridge with a free column", l1_ratio=0.0, n=30, p=50, free=(3,), lams=(20.0, 5.0)),
    Case("no intercept", intercept=False),
    Case("raw columns", standardize=False, l1_ratio=0.3),
    Case("raw wide ridge", standardize=False, l1_ratio=0.0, n=30, p=50, lams=(20.0, 2.0)),
    Case("net", family="binomial", lams=(0.2, 0.05)),
    Case("net with free columns", family="binomial", free=(2,), lams=(0.2, 0.05), weights=True),
    Case("ridge", family="binomial", l1_ratio=0.0, lams=(1.0, 0.1), offset=True),
    Case("wide ridge", family="binomial", l1_ratio=0.0, n=30, p=50, lams=(3.0, 0.5)),
    Case("net", family="poisson", lams=(0.3, 0.05), weights=True, offset=True),
    Case("net with limits", family="poisson", lams=(0.3, 0.05), limits=(-0.05, 0.15)),
    Case("wide ridge", family="poisson", l1_ratio=0.0, n=30, p=50, lams=(5.0, 1.0)),
    Case("raw columns without intercept", family="poisson", intercept=False, standardize=False, lams=(0.3, 0.05)),
]


def mean_of(family: str, eta: Vector) -> Vector:
    return {"gaussian": eta, "binomial": 1 / (1 + np.exp(-eta)), "poisson": np.exp(np.minimum(eta, 50))}[family]


def hat_trace(case: Case, X: Vector, w: Vector, lam: float, eta: Vector, coefs: Vector) -> float:
    """Trace of the hat matrix (n, n) of the columns that are neither 0 nor at a limit, with the intercept's."""
    mu = mean_of(case.family, eta)
    bend = {"gaussian": np.ones_like(mu), "binomial": mu * (1 - mu), "poisson": mu}[case.family]
    W = w / w.sum() * bend
    low, high = case.limits or (-np.inf, np.inf)
    used = (coefs != 0) & (coefs > low) & (coefs < high)
    centre = w @ X / w.sum()
    scale = np.sqrt(w @ (X - centre) ** 2 / w.sum()) if case.standardize else np.ones(case.p)
    A = (X / scale)[:, used]
    penalty = lam * (1 - case.l1_ratio) * case.v[used]
    if case.intercept:
        A, penalty = np.column_stack([np.ones(len(w)), A]), np.append(0.0, penalty)
    hat = A @ np.linalg.solve((A.T * W) @ A + np.diag(penalty), A.T * W)
    return float(np.trace(hat))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_degrees_of_freedom_are_the_trace_of_the_hat_matrix(case: Case) -> None:
    table = case.table()
    X = table[[f"x{j}" for j in range(case.p)]].to_numpy()
    w = table["w"].to_numpy() if case.weights else np.ones(case.n)
    offset = table["off"].to_numpy() if case.offset else np.zeros(case.n)
    if case.family == "binomial":
        table = table.assign(y=np.where(table["y"] == 1, "yes", "no"))
    document = run("cv", table, case.family, "--rule", "bic", "--folds", "3", *case.words(), lams=case.lams).document
    walked = run("path", table, case.family, *case.words(), lams=case.lams).document
    values = {row["term"]: row["values"] for row in walked["coefficients"]}
    coefs = np.array([values.get(f"x{j}", [0.0] * len(case.lams)) for j in range(case.p)]).T
    levels = walked["intercepts"][0]["values"] if case.intercept else [0.0] * len(case.lams)
    etas = [offset + level + X @ row for level, row in zip(levels, coefs, strict=True)]
    every = zip(case.lams, etas, coefs, strict=True)
    df = [hat_trace(case, X, w, lam, eta, row) for lam, eta, row in every]
    assert document["df_path"] == pytest.approx(df, rel=SOLVED)
    assert max(df) > 2
    y = case.table()["y"].to_numpy()
    deviances = np.array([w @ deviance(case.family, y, mean_of(case.family, eta)) / w.sum() for eta in etas])
    n = int((w > 0).sum())
    fit = n * (np.log(deviances) if case.family == "gaussian" else deviances)
    assert document["criterion_path"] == pytest.approx(fit + np.log(n) * np.array(df), rel=SOLVED)


def deviance(family: str, y: Vector, mu: Vector) -> Vector:
    """Unit deviance."""
    if family == "gaussian":
        return (y - mu) ** 2
    if family == "binomial":
        return -2 * np.log(np.where(y == 1, mu, 1 - mu))
    return 2 * (np.where(y > 0, y * np.log(np.where(y > 0, y, 1.0) / mu), 0.0) - y + mu)


# -- likelihoods and choices -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", ["aic", "bic", "ebic"])
def test_classes_are_judged_by_their_log_loss(rule: str) -> None:
    case = Case("loss", "binomial", 1.0, n=80, p=6)
    table = case.table()
    X, y = table[[f"x{j}" for j in range(6)]].to_numpy(), table["y"].to_numpy()
    table = table.assign(y=np.where(y == 1, "yes", "no"), constant=1.0)  # a constant column is no column to choose from
    lams = (0.2, 0.1, 0.05, 0.02, 0.01)
    document = run("cv", table, "binomial", "--rule", rule, lams=lams).document
    walked = run("path", table, "binomial", lams=lams).document
    values = {row["term"]: row["values"] for row in walked["coefficients"]}
    expected = []
    for at in range(len(lams)):
        coefs = np.array([values.get(f"x{j}", [0.0] * len(lams))[at] for j in range(6)])
        p = 1 / (1 + np.exp(-(walked["intercepts"][0]["values"][at] + X @ coefs)))
        expected.append(2 * log_loss(y, p, normalize=False) + price_of(rule, 80, 6) * (np.count_nonzero(coefs) + 1))
    assert document["criterion_path"] == pytest.approx(expected, rel=SOLVED)
    best = int(np.argmin(expected))
    assert document["model"]["lambda"] == lams[best]
    assert document["model"]["rule"] == rule
    fit = run("fit", table, "binomial", "--rule", rule, lams=lams).document
    assert fit["metrics"]["cv"] is None  # no folds are dealt where they choose nothing
    for one, other in zip(fit["coefficients"], document["coefficients"], strict=True):
        assert one["estimate"] == pytest.approx(other["estimate"], rel=SOLVED)


def test_counts_are_judged_by_their_likelihood() -> None:
    case = Case("counts", "poisson", 1.0, n=80, p=6, offset=True)
    table = case.table()
    X, y = table[[f"x{j}" for j in range(6)]].to_numpy(), table["y"].to_numpy()
    lams = (0.3, 0.1, 0.03, 0.01)
    document = run("cv", table, "poisson", "--rule", "aic", "--offset", "off", lams=lams).document
    walked = run("path", table, "poisson", "--offset", "off", lams=lams).document
    values = {row["term"]: row["values"] for row in walked["coefficients"]}
    expected = []
    for at in range(len(lams)):
        coefs = np.array([values.get(f"x{j}", [0.0] * len(lams))[at] for j in range(6)])
        mu = np.exp(walked["intercepts"][0]["values"][at] + X @ coefs + table["off"].to_numpy())
        expected.append(-2 * poisson.logpmf(y, mu).sum() + 2 * (np.count_nonzero(coefs) + 1))
    rest = np.array(document["criterion_path"]) - expected
    assert rest == pytest.approx(rest[0], rel=SOLVED)
    assert document["model"]["lambda"] == lams[int(np.argmin(expected))]


def test_what_takes_more_than_half_the_rows_is_not_chosen() -> None:
    case = Case("wide", l1_ratio=1.0, n=30, p=60)
    lams = np.geomspace(1.0, 1e-4, 25)
    document = run("cv", case.table(), "gaussian", "--rule", "aic", lams=lams).document
    df, values = np.array(document["df_path"]), np.array(document["criterion_path"])
    assert df.max() > 15 > df.min()
    assert values[df > 15].min() < values[df <= 15].min(), "a perfect fit would have won"
    assert document["model"]["lambda"] == lams[np.argmin(np.where(df <= 15, values, np.inf))]


def test_class_weights_are_of_the_fit_and_not_of_the_likelihood() -> None:
    rng, lams = np.random.default_rng(5), (0.2, 0.05, 0.01, 0.003)
    X = rng.standard_normal((150, 4))
    table = pd.DataFrame(X, columns=list("abcd")).assign(y=(X[:, 0] + rng.standard_normal(150) > 1).astype(int))
    words = ("--rule", "bic", "--class-weight", "1=10")
    values = np.array(run("cv", table, "binomial", *words, lams=lams).document["criterion_path"])
    for at, lam in enumerate(lams):
        one = run("fit", table, "binomial", "--class-weight", "1=10", lams=(lam,)).document
        assert one["metrics"]["null"]["logloss"] == pytest.approx(log_loss(table["y"], np.full(150, table["y"].mean())))
        likelihood = 2 * 150 * one["metrics"]["train"]["logloss"]
        assert values[at] == pytest.approx(likelihood + np.log(150) * (1 + one["n_nonzero"]), rel=SOLVED)


def test_all_strengths_take_more_than_half_the_rows() -> None:
    case = Case("wide", l1_ratio=1.0, n=30, p=60)
    for command in ("cv", "fit"):
        outcome = run(command, case.table(), "gaussian", "--rule", "bic", lams=(1e-3, 1e-4))
        assert (outcome.status, outcome.out) == (4, "")
        assert "more degrees of freedom than half the rows" in outcome.err
        assert "--rule min" in outcome.err


def test_several_shares_of_l1_are_held_against_each_other_by_the_criterion() -> None:
    case = Case("shares", n=60, p=8)
    table = case.table()
    lams = (0.5, 0.2, 0.1, 0.05)
    words = ("--penalty", "elasticnet", "--rule", "bic", "--folds", "3")
    alone = {ratio: run("cv", table, "gaussian", *words, "--l1-ratio", ratio, lams=lams).document
             for ratio in (0.2, 1.0, 0.6)}  # fmt: skip
    document = run("cv", table, "gaussian", *words, "--l1-ratio", "0.2,1,0.6", lams=lams).document
    best = min(alone, key=lambda ratio: min(alone[ratio]["criterion_path"]))
    assert document["model"]["l1_ratio"] == best
    for key in ("criterion_path", "df_path", "coefficients", "mean", "se"):
        assert document[key] == alone[best][key]


@pytest.mark.parametrize("family", ["gaussian", "binomial"])
@pytest.mark.parametrize(
    ("n", "words"),
    [
        (60, ("--penalty", "elasticnet")),
        (24, ("--penalty", "l2")),
        (60, ("--penalty", "l2", "--penalty-factor", "x1=0")),
    ],
)
def test_filled_columns_count_as_the_same_columns_without_gaps(family: str, n: int, words: tuple[str, ...]) -> None:
    case = Case("gaps", family, n=n, p=6)
    table = case.table()
    if family == "binomial":
        table = table.assign(y=np.where(table["y"] == 1, "yes", "no"))
    names = [f"x{j}" for j in range(6)]
    table.loc[np.random.default_rng(0).random(n) < 0.25, ["x1", "x3"]] = np.nan
    filled = table.fillna(table[names].mean())
    lams, more = (5.0, 1.0, 0.3), ("--rule", "bic", "--interactions", "*:*", *words)
    one = run("cv", table, family, *more, "--missing", "mean", lams=lams).document
    other = run("cv", filled, family, *more, lams=lams).document
    assert one["df_path"] == pytest.approx(other["df_path"], rel=SOLVED)
    assert one["criterion_path"] == pytest.approx(other["criterion_path"], rel=SOLVED)
    assert one["n_terms"] == 21
