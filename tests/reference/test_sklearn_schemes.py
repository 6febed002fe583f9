"""Cross-validation against scikit-learn's own: its splitters, pipelines and cross_val_score.

Pipelines impute, expand and scale within each training set, as the tool does. Strengths are in scikit-learn's terms:
``alpha`` of Lasso and ElasticNet is lambda; that of Ridge lambda times the training rows, and C of LogisticRegression
one over that product, so that these two are made anew for every fold.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.impute import SimpleImputer
from sklearn.linear_model import ElasticNet, Lasso, LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import log_loss, make_scorer, mean_absolute_error
from sklearn.model_selection import (
    GroupKFold,
    LeaveOneOut,
    RepeatedKFold,
    StratifiedKFold,
    TimeSeriesSplit,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from tests.cli.conftest import SAMPLES
from tests.fuzz.tool import run_tool
from tests.tolerances import REFERENCE

pytestmark = [pytest.mark.reference, pytest.mark.usefixtures("folder")]

Vector = NDArray[np.float64]
Pairs = list[tuple[NDArray[np.intp], NDArray[np.intp]]]
NAMES = ("age", "bmi", "bp", "s5")
ROWS = 90
LAMS = (8.0, 2.0, 0.4)


def table_of(*, holes: bool = True) -> pd.DataFrame:
    """Ninety rows of the diabetes sample, with groups, a class, and missing cells in two columns."""
    rng = np.random.default_rng(4)
    table = pd.read_csv(SAMPLES / "diabetes.csv").iloc[:ROWS]
    table = table[[*NAMES, "progression"]].rename(columns={"progression": "y"}).astype(float)
    if holes:
        for name, share in (("bmi", 0.2), ("s5", 0.1)):
            table.loc[rng.random(ROWS) < share, name] = np.nan
    table["event"] = np.where(table["y"] > table["y"].median(), "yes", "no")
    table["group"] = rng.integers(0, 14, ROWS)
    return table


# -- scikit-learn's side ---------------------------------------------------------------------------------------------


class ScaledRidge(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # (scikit-learn ships no types)
    """Ridge whose penalty grows with the rows, as that of a mean squared error does."""

    def __init__(self, lam: float = 1.0) -> None:
        self.lam = lam

    def fit(self, X: Vector, y: Vector) -> "ScaledRidge":
        self.ridge_ = Ridge(alpha=self.lam * len(y), solver="cholesky").fit(X, y)
        return self

    def predict(self, X: Vector) -> Vector:
        return np.asarray(self.ridge_.predict(X))


def exact(peer: Callable[..., Any], lam: float, **options: float) -> Any:  # noqa: ANN401
    return peer(alpha=lam, tol=1e-14, max_iter=1_000_000, **options)


PEERS: dict[str, Callable[[float], Any]] = {
    "l1": lambda lam: exact(Lasso, lam),
    "elasticnet": lambda lam: exact(ElasticNet, lam, l1_ratio=0.5),
    "l2": ScaledRidge,
    "none": lambda _: LinearRegression(),
}


def pipeline(last: Any, policy: str = "mean", degree: int = 1) -> Any:  # noqa: ANN401
    """Fill, expand, scale, fit. Expanded are powers and products of all columns."""
    steps: list[Any] = [SimpleImputer(strategy="median" if policy == "median" else "mean",
                                      add_indicator=policy == "indicator")]  # fmt: skip
    if degree > 1:
        steps.append(PolynomialFeatures(degree, include_bias=False))
    return make_pipeline(*steps, StandardScaler(), last)


def summary(scores: Vector, sizes: Vector) -> tuple[Vector, Vector]:
    """Mean and standard error (T,) of folds (T, K), as cv.glmnet has them."""
    share = sizes / sizes.sum()
    mean = scores @ share
    return mean, np.sqrt((scores - mean[:, None]) ** 2 @ share / (sizes.size - 1))


# -- the tool's side -------------------------------------------------------------------------------------------------


def run(table: pd.DataFrame, *words: object, target: str = "y", lams: Iterable[float] = LAMS) -> Any:  # noqa: ANN401
    """The document of ``cv`` on a table."""
    table.to_csv("data.csv", index=False)
    strengths = ["--lambda", ",".join(map(repr, lams))] if lams else []
    features = [word for name in NAMES for word in ("--features", name)]
    family = "gaussian" if target == "y" else "binomial"
    words = ("cv", "data.csv", "-y", target, "--family", family, *features, "--tol", "1e-12", *strengths, *words)
    return run_tool(*words).document


def labels_of(pairs: Pairs, n: int = ROWS) -> NDArray[np.intp]:
    """The fold column of a splitter that tests every row once."""
    out = np.full(n, -1)
    for k, (_, test) in enumerate(pairs):
        out[test] = k
    assert (out >= 0).all()
    return out


def assert_folds(document: Any, scores: Vector, sizes: Vector) -> None:  # noqa: ANN401
    """Scores of folds (T, K), means and standard errors."""
    mean, se = summary(scores, sizes)
    assert np.array(document["fold_scores"], dtype=float) == pytest.approx(scores.T, rel=REFERENCE)
    assert document["fold_weights"] == sizes.tolist()
    assert document["mean"] == pytest.approx(mean, rel=REFERENCE)
    assert document["se"] == pytest.approx(se, rel=REFERENCE)


@dataclass(frozen=True)
class Case:
    """A splitter, the words that give the same folds (with its folds as a column by default), and a model."""

    name: str
    splitter: Any
    penalty: str = "l1"
    policy: str = "mean"
    degree: int = 1
    words: tuple[str, ...] = ("--fold-column", "fold")

    def __str__(self) -> str:
        return "-".join([self.name, self.penalty, self.policy, *(["poly"] if self.degree > 1 else [])])

    def pairs(self, table: pd.DataFrame) -> Pairs:
        groups = table["group"] if isinstance(self.splitter, GroupKFold) else None
        return list(self.splitter.split(table[list(NAMES)], table["event"], groups))


TIME = ("--cv", "time", "--folds", "4")
CASES = [
    Case("groups", GroupKFold(4)),
    Case("groups", GroupKFold(4), "l2", "median"),
    Case("groups", GroupKFold(4, shuffle=True, random_state=1), "elasticnet", "mean", 2),
    Case("classes", StratifiedKFold(5, shuffle=True, random_state=0), "l1", "indicator"),
    Case("classes", StratifiedKFold(5), "none", "median"),
    Case("time", TimeSeriesSplit(4), "l1", "mean", 2, TIME),
    Case("time", TimeSeriesSplit(4), "l2", "indicator", 1, TIME),
    Case("gap", TimeSeriesSplit(4, gap=5), "elasticnet", "median", 1, (*TIME, "--gap", "5")),
    Case("window", TimeSeriesSplit(4, gap=2, max_train_size=30), "l1", "mean", 1,
         (*TIME, "--gap", "2", "--window", "30")),
    Case("window", TimeSeriesSplit(4, max_train_size=25), "none", "mean", 1, (*TIME, "--window", "25")),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_folds_of_its_splitters(case: Case) -> None:
    table = table_of()
    pairs = case.pairs(table)
    lams = LAMS if case.penalty != "none" else ()
    if "--fold-column" in case.words:
        table["fold"] = labels_of(pairs)
    more = ["--poly", "2", "--interactions", "*:*"] * (case.degree == 2) + ["--penalty", case.penalty]
    document = run(table, *case.words, "--missing", case.policy, *more, lams=lams)
    X, y = table[list(NAMES)].to_numpy(), table["y"].to_numpy()
    scores = np.array([
        -cross_val_score(
            pipeline(PEERS[case.penalty](lam), case.policy, case.degree), X, y, cv=pairs,
            scoring="neg_mean_squared_error",
        )
        for lam in lams or (0.0,)
    ])  # fmt: skip
    assert_folds(document, scores, np.array([len(test) for _, test in pairs], dtype=float))


def test_leave_one_out() -> None:
    table = table_of().iloc[:40]
    document = run(table, "--cv", "loo", "--missing", "mean", "--metric", "mae")
    X, y = table[list(NAMES)].to_numpy(), table["y"].to_numpy()
    scores = np.array([
        -cross_val_score(pipeline(PEERS["l1"](lam)), X, y, cv=LeaveOneOut(), scoring=make_scorer(
            mean_absolute_error, greater_is_better=False))
        for lam in LAMS
    ])  # fmt: skip
    assert_folds(document, scores, np.ones(40))
    table = table.assign(fold=np.arange(40))
    column = run(table, "--fold-column", "fold", "--missing", "mean", "--metric", "mae")
    for key in ("mean", "se", "fold_scores"):
        assert np.array(column[key]) == pytest.approx(np.array(document[key]), rel=1e-9)


def test_repeats_pool_what_runs_on_their_folds_say() -> None:
    """The formula of repeats, from R runs on fold columns; the runs themselves from scikit-learn's fits."""
    table = table_of()
    splits = list(RepeatedKFold(n_splits=5, n_repeats=3, random_state=2).split(table))
    means, errors = [], []
    X, y = table[list(NAMES)].to_numpy(), table["y"].to_numpy()
    for repeat in range(3):
        pairs = splits[5 * repeat : 5 * repeat + 5]
        document = run(table.assign(fold=labels_of(pairs)), "--fold-column", "fold", "--missing", "mean")
        scores = np.array([
            -cross_val_score(pipeline(PEERS["l1"](lam)), X, y, cv=pairs, scoring="neg_mean_squared_error")
            for lam in LAMS
        ])  # fmt: skip
        assert_folds(document, scores, np.full(5, ROWS / 5))
        means.append(document["mean"])
        errors.append(document["se"])
    labels = [labels_of(splits[5 * repeat : 5 * repeat + 5]) for repeat in range(3)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("regcli.app.folding.deal_folds", lambda *args: labels[args[-1]])
        pooled = run(table, "--folds", "5", "--repeats", "3", "--missing", "mean")
    assert pooled["mean"] == pytest.approx(np.mean(means, axis=0), rel=1e-9)
    assert pooled["se"] == pytest.approx(np.sqrt(np.mean(np.square(errors), axis=0)), rel=1e-9)
    assert len(pooled["fold_scores"]) == 15


@pytest.mark.parametrize("policy", ["mean", "median", "indicator"])
def test_logistic_regression_in_stratified_folds(policy: str) -> None:
    table = table_of()
    pairs: Pairs = list(StratifiedKFold(4, shuffle=True, random_state=3).split(table, table["event"]))
    table["fold"] = labels_of(pairs)
    lams = (0.5, 0.05)
    words = ("--fold-column", "fold", "--missing", policy, "--penalty", "l2", "--metric", "logloss")
    document = run(table, *words, target="event", lams=lams)
    X, event = table[list(NAMES)].to_numpy(), (table["event"] == "yes").to_numpy(dtype=float)
    scores = np.zeros((len(lams), len(pairs)))
    for at, lam in enumerate(lams):
        for k, (train, test) in enumerate(pairs):
            peer = LogisticRegression(C=1 / (lam * len(train)), solver="newton-cholesky", tol=1e-12, max_iter=1000)
            model = pipeline(peer, policy).fit(X[train], event[train])
            scores[at, k] = log_loss(event[test], model.predict_proba(X[test])[:, 1])
    assert_folds(document, scores, np.array([len(test) for _, test in pairs], dtype=float))


def test_products_of_columns() -> None:
    """PolynomialFeatures makes squares and products alike; here products alone are made of the filled columns."""
    table = table_of()
    pairs: Pairs = list(GroupKFold(4).split(table, table["y"], table["group"]))
    table["fold"] = labels_of(pairs)
    words = ("--fold-column", "fold", "--missing", "median", "--interactions", "*:*")
    document = run(table, *words)
    X, y = table[list(NAMES)].to_numpy(), table["y"].to_numpy()
    products = PolynomialFeatures(2, interaction_only=True, include_bias=False)
    scores = np.array([
        -cross_val_score(
            make_pipeline(SimpleImputer(strategy="median"), products, StandardScaler(), PEERS["l1"](lam)), X, y,
            cv=pairs, scoring="neg_mean_squared_error",
        )
        for lam in LAMS
    ])  # fmt: skip
    assert_folds(document, scores, np.array([len(test) for _, test in pairs], dtype=float))
