"""Every way of holding rows out against explicit refits of every fold from raw rows (``tests/refit.py``).

First what the lanes of a run are made of: base columns times lane matrix, centres and sds, to the last digits. Then
what the document says of the folds: scores, mean and standard error.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from regcli.problem.folds import deal_folds, deal_groups
from regcli.problem.lanes import Lanes
from regcli.problem.protocols import Array, Bools, Design
from tests.battery.conftest import Made
from tests.fuzz.tool import run_tool
from tests.refit import Curve, Fold, Recipe, Study, cross_validate, folds_in_time, folds_of, names
from tests.tolerances import EXACT, SOLVED

ROWS = 48
FEATURES = ("age", "bmi", "visits", "region", "sex", "kind", "site", "hollow")

pytestmark = pytest.mark.usefixtures("folder")


# -- the tables ------------------------------------------------------------------------------------------------------


def table_of(family: str, n: int = ROWS, *, holes: bool = True) -> pd.DataFrame:
    """A table whose folds are hard to learn from.

    Folds 0 to 3 follow each other in time. Only fold 0 has level c of ``kind``, only in fold 1 does ``site`` vary,
    ``hollow`` has cells in fold 3, and one value in fold 2. Clinics are within folds; two or three rows share a day.
    """
    rng = np.random.default_rng([n, len(family)])
    day = np.sort(rng.choice(np.repeat(np.arange(n), 3), n, replace=False))
    fold = np.arange(n) * 4 // n
    age, bmi = rng.normal(40, 9, n).round(1), rng.normal(25, 4, n).round(2)
    visits, region = rng.integers(0, 3, n).astype(float), rng.choice(["north", "south", "west"], n)
    sex, kind = rng.choice(["f", "m"], n), rng.choice(["a", "b"], n)
    kind = np.where((fold == 0) & (rng.random(n) < 0.4), "c", kind)
    signal = 0.05 * (age - 40) - 0.08 * (bmi - 25) + 0.4 * (region == "west") + 0.3 * (sex == "m") * (visits - 1)
    hollow = np.where(fold == 3, rng.normal(2, 1, n).round(1), np.nan)
    hollow[np.flatnonzero(fold == 2)[:2]] = 0.7
    table = pd.DataFrame(
        {
            "age": age,
            "bmi": bmi,
            "visits": visits,
            "region": region.astype(object),
            "sex": sex.astype(object),
            "kind": kind.astype(object),
            "site": np.where(fold == 1, rng.normal(1, 1, n).round(1), 3.1),
            "hollow": hollow,
            "y": target_of(family, signal + 0.5 * rng.normal(size=n), rng),
            "fold": fold,
            "clinic": [f"c{k}" for k in fold * 3 + rng.integers(0, 3, n)],
            "day": day,
            "row": np.arange(n),
            "w": rng.choice([0.0, 0.5, 1.0, 2.0, 0.3], n),
            "off": rng.normal(0, 0.4, n).round(2),
        }
    ).sample(frac=1.0, random_state=3, ignore_index=True)
    if holes:
        for name, share in (("age", 0.2), ("region", 0.2), ("visits", 0.1), ("sex", 0.1), ("kind", 0.05)):
            table.loc[rng.random(n) < share, name] = np.nan
    else:
        table["hollow"] = table["hollow"].fillna(1.0)
    return table


def target_of(family: str, signal: Array, rng: np.random.Generator) -> Array:
    """A target that follows a signal; classes are text in the file."""
    if family == "binomial":
        return (signal > np.median(signal) - 0.2).astype(float)
    return rng.poisson(np.exp(0.3 + signal)).astype(float) if family == "poisson" else signal.round(3)


# -- the cases -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """One run and how it is refitted. ``words`` say how rows are held out; ``how`` is for the oracle."""

    scheme: str
    words: tuple[str, ...]
    family: str = "gaussian"
    missing: str = "mean"
    degree: int = 1
    pairs: tuple[tuple[str, str], ...] = ()
    weights: bool = False
    offset: bool = False
    penalty: str = "l1"
    lams: tuple[float, ...] = (0.15, 0.02)
    metric: str = "deviance"
    more: tuple[str, ...] = ()
    how: dict[str, Any] = field(default_factory=dict)
    features: tuple[str, ...] = FEATURES
    rows: int = ROWS
    spread: bool = False
    engine: str = ""

    def __str__(self) -> str:
        words = [self.scheme, self.family, self.missing, self.penalty, *(() if self.degree == 1 else ("poly",))]
        words += ["pairs"] * bool(self.pairs) + ["weights"] * self.weights + ["offset"] * self.offset
        return "-".join([*words, *(word.strip("-") for word in self.more), self.metric * (self.metric != "deviance")])

    @property
    def l1_ratio(self) -> float:
        return {"l1": 1.0, "l2": 0.0, "elasticnet": 0.4, "none": 1.0}[self.penalty]

    def arguments(self, path: str = "data.csv") -> list[object]:
        """The words of the command line."""
        out: list[object] = ["cv", path, "-y", "y", "--family", self.family, "--tol", "1e-13", *self.words]
        for name in self.features:
            out += ["--features", name]
        for left, right in self.pairs:
            out += ["--interactions", f"{left}:{right}"]
        out += ["--missing", self.missing] if self.missing else []
        out += ["--poly", self.degree] if self.degree > 1 else []
        out += ["--weights", "w"] * self.weights + ["--offset", "off"] * self.offset
        out += ["--penalty", self.penalty]
        out += ["--l1-ratio", self.l1_ratio] if self.penalty == "elasticnet" else []
        out += [] if self.penalty == "none" else ["--lambda", ",".join(map(repr, self.lams))]
        return [*out, "--metric", self.metric, *self.more]

    def study(self, table: pd.DataFrame) -> Study:
        """The same for the refit."""
        recipe = Recipe(self.features, self.missing, self.degree, self.pairs, reference=self.penalty == "none")
        weights = table["w"].to_numpy() if self.weights else np.ones(len(table))
        return Study(
            table=table,
            recipe=recipe,
            y=table["y"].to_numpy(dtype=float),
            family=self.family,
            weights=weights,
            scored=weights,
            offset=table["off"].to_numpy() if self.offset else np.zeros(len(table)),
            l1_ratio=self.l1_ratio,
            spread=self.spread,
            how=self.how,
        )

    def folds(self, table: pd.DataFrame) -> list[Fold]:
        """The folds that the words ask for."""
        n, classes = len(table), table["y"].to_numpy(dtype=np.intp) if self.family == "binomial" else None
        groups = np.unique(table["clinic"], return_inverse=True)[1].astype(np.intp)
        makers: dict[str, Callable[[], list[Fold]]] = {
            "column": lambda: folds_of(table["fold"].to_numpy()),
            "kfold": lambda: folds_of(deal_folds(n, 4, 7)),
            "stratified": lambda: folds_of(deal_folds(n, 4, 7, classes)),
            "repeats": lambda: [
                fold for repeat in range(3) for fold in folds_of(deal_folds(n, 4, 7, classes, repeat), repeat)
            ],
            "group": lambda: folds_of(deal_groups(groups, 3, 7, classes)),
            "group repeats": lambda: [
                fold for repeat in range(2) for fold in folds_of(deal_groups(groups, 3, 7, classes, repeat), repeat)
            ],
            "loo": lambda: folds_of(np.arange(n)),
            "time": lambda: folds_in_time(table["row"].tolist(), 4),
            "file order": lambda: folds_in_time(range(n), 4),
            "gap": lambda: folds_in_time(table["row"].tolist(), 4, gap=3),
            "window": lambda: folds_in_time(table["row"].tolist(), 4, gap=2, window=11),
            "ties": lambda: folds_in_time(table["day"].tolist(), 4, gap=1),
        }
        return makers[self.scheme]()


COLUMN = ("column", ("--fold-column", "fold"))
KFOLD = ("kfold", ("--cv", "kfold", "--folds", "4", "--seed", "7"))
STRATIFIED = ("stratified", ("--folds", "4", "--seed", "7"))
REPEATS = ("repeats", ("--folds", "4", "--seed", "7", "--repeats", "3"))
GROUP = ("group", ("--group", "clinic", "--folds", "3", "--seed", "7"))
GROUP_REPEATS = ("group repeats", (*GROUP[1], "--repeats", "2"))
LOO = ("loo", ("--cv", "loo"))
TIME = ("time", ("--order-by", "row", "--folds", "4"))
FILE_ORDER = ("file order", ("--cv", "time", "--folds", "4"))
GAP = ("gap", (*TIME[1], "--gap", "3"))
WINDOW = ("window", (*TIME[1], "--gap", "2", "--window", "11"))
TIES = ("ties", ("--order-by", "day", "--folds", "4", "--gap", "1"))
PAIRS = (("age", "region"), ("bmi", "sex"), ("age", "hollow"))
MANY = (("region", "age"), ("region", "bmi"), ("region", "kind"), ("age", "bmi"), ("kind", "age"), ("kind", "bmi"))
PLAIN: dict[str, Any] = {"penalty": "none", "lams": (0.0,)}
WIDE: dict[str, Any] = {"penalty": "l2", "lams": (2.0, 0.1), "rows": 32, "engine": "row-space"}
FEW = ("age", "bmi", "region", "hollow")
# Shares of L1 below one wherever a training set makes columns equal (a category without its third level, a product
# with a constant): a lasso may then choose either, and rows held out tell the two apart.
CASES = [
    Case(*COLUMN, penalty="elasticnet"),
    Case(*COLUMN, missing="median", degree=2, pairs=PAIRS, weights=True, penalty="elasticnet"),
    Case(*COLUMN, missing="indicator", degree=3, pairs=PAIRS, weights=True, offset=True, penalty="elasticnet"),
    Case(*COLUMN, missing="mean", degree=2, pairs=PAIRS, penalty="elasticnet", metric="mae"),
    Case(*COLUMN, penalty="elasticnet", weights=True, offset=True, more=("--compat", "glmnet"), spread=True),
    Case(*COLUMN, missing="median", pairs=PAIRS, penalty="elasticnet", more=("--no-intercept",),
         how={"intercept": False}),
    Case(*COLUMN, missing="mean", pairs=PAIRS, more=("--no-standardize",), how={"standardize": False}, weights=True,
         penalty="elasticnet"),
    Case(*COLUMN, missing="indicator", degree=2, more=("--nonnegative",), how={"lower": 0.0}),
    Case(*COLUMN, "binomial", "mean", pairs=PAIRS, weights=True, penalty="elasticnet", lams=(0.06, 0.01)),
    Case(*COLUMN, "binomial", "indicator", degree=2, offset=True, penalty="elasticnet", lams=(0.06, 0.02)),
    Case(*COLUMN, "poisson", "median", degree=2, weights=True, offset=True, penalty="elasticnet", lams=(0.1, 0.02)),
    Case(*COLUMN, "poisson", "mean", pairs=PAIRS, penalty="l2", lams=(1.0, 0.1)),
    Case(*KFOLD, missing="mean", degree=2, pairs=PAIRS, weights=True, metric="r2"),
    Case(*KFOLD, "binomial", "median", weights=True, lams=(0.06, 0.01), metric="logloss"),
    Case(*STRATIFIED, "binomial", "mean", degree=2, lams=(0.06, 0.01), metric="auc"),
    Case(*REPEATS, missing="median", pairs=(("age", "region"),), features=FEW, weights=True, offset=True),
    Case(*REPEATS, "binomial", "mean", features=FEW, lams=(0.06, 0.01), metric="auc"),
    Case(*REPEATS, "poisson", "indicator", features=FEW, weights=True, lams=(0.1,)),
    Case(*GROUP, missing="indicator", pairs=PAIRS, weights=True),
    Case(*GROUP, "binomial", "mean", degree=2, offset=True, lams=(0.06, 0.02)),
    Case(*GROUP_REPEATS, "poisson", "median", features=FEW, lams=(0.1, 0.03)),
    Case(*TIME, missing="mean", degree=2, pairs=PAIRS, penalty="elasticnet"),
    Case(*TIME, "binomial", "indicator", weights=True, lams=(0.06, 0.02)),
    Case(*FILE_ORDER, "poisson", "mean", offset=True, lams=(0.1, 0.03)),
    Case(*GAP, missing="median", pairs=PAIRS, weights=True, penalty="elasticnet"),
    Case(*WINDOW, missing="mean", degree=2, metric="mae", penalty="l2", lams=(3.0, 0.3)),
    Case(*TIES, missing="indicator", degree=2, pairs=PAIRS, offset=True, penalty="elasticnet"),
    Case(*TIES, "poisson", "median", weights=True, lams=(0.1, 0.03)),
    Case(*LOO, missing="mean", degree=2, pairs=(("age", "hollow"),), features=FEW, weights=True, rows=24),
    Case(*LOO, "binomial", "median", features=FEW, lams=(0.06,), rows=24, weights=True),
    Case(*LOO, "poisson", "indicator", features=FEW, lams=(0.1,), rows=24, offset=True),
    Case(*LOO, missing="indicator", features=FEW, rows=24, metric="mae", penalty="l2", lams=(1.0, 0.1)),
    # least squares by orthogonal factors, with lane matrices
    Case(*COLUMN, features=("age", "bmi", "region", "sex"), weights=True, engine="direct", **PLAIN),
    Case(*GROUP, missing="median", degree=2, features=("age", "visits", "region"), engine="direct", **PLAIN),
    Case(*KFOLD, missing="indicator", features=("age", "region", "sex"), offset=True, engine="direct", **PLAIN),
    Case(*LOO, features=("age", "region"), rows=24, weights=True, engine="direct", **PLAIN),
    Case(*COLUMN, "binomial", features=("age", "bmi"), weights=True, engine="newton", **PLAIN),
    Case(*COLUMN, "poisson", "median", features=("age", "region"), offset=True, engine="newton", **PLAIN),
    # ridge in the space of rows, with lane matrices: more columns than rows
    Case(*COLUMN, degree=2, pairs=MANY, weights=True, **WIDE),
    Case(*WINDOW, missing="indicator", degree=3, pairs=MANY, **WIDE),
    Case(*COLUMN, "binomial", "median", degree=2, pairs=MANY, weights=True, **WIDE),
]  # fmt: skip


def prepared(case: Case) -> tuple[pd.DataFrame, Study, list[Fold]]:
    """Write the table, as the tool reads it."""
    table = table_of(case.family, case.rows, holes=bool(case.missing))
    if case.family == "binomial":
        table.assign(y=np.where(table["y"] == 1, "yes", "no")).to_csv("data.csv", index=False)
    else:
        table.to_csv("data.csv", index=False)
    study = case.study(table)
    if "lower" in study.how:
        study = replace(study, how={"lower": np.zeros(len(study.terms()))})
    return table, study, case.folds(table)


def lanes_of(made: Made) -> list[tuple[Design, Lanes, int]]:
    """All lanes of a run but the first, which has all rows: a lane for each fold, in order."""
    every = [(design, lanes, lane) for design, lanes in made for lane in range(lanes.n_lanes)]
    assert not every[0][1].partition.test[0].any()
    return every[1:]


def assert_lane(lane: tuple[Design, Lanes, int], study: Study, fold: Fold) -> None:
    """A lane's rows, columns, centres and sds against those of the refit."""
    design, lanes, at = lane
    part, n = lanes.partition, len(study.y)
    assert np.array_equal(np.flatnonzero(part.train[at][part.block]), fold.train)
    assert np.array_equal(np.flatnonzero(part.test[at][part.block]), fold.test)
    weights = study.weights_of(fold)
    assert np.array_equal(part.lane_weights(at), weights)
    X = study.columns(fold)
    values = lanes.columns(design.rows(np.arange(n)) + design.shift, at)
    assert (np.abs(values - X) <= EXACT * np.abs(X).max(axis=0)).all()
    w, used = weights / weights.sum(), X[weights > 0]
    live: Bools = used.min(axis=0) < used.max(axis=0)
    assert np.array_equal(lanes.varies[at], live)
    mean = w @ X
    sd = np.sqrt(w @ (X - mean) ** 2)
    assert (np.abs(lanes.sd[at] - sd)[live] <= EXACT * sd[live]).all()
    assert (lanes.sd[at][~live] == 1).all()
    shift = lanes.from_base(np.repeat(design.shift[None], lanes.n_lanes, axis=0))[at]
    if lanes.centre.any():
        assert (np.abs(lanes.centre[at] + shift - mean) <= EXACT * np.abs(X).max(axis=0)).all()
    else:
        assert not shift.any()


def assert_curve(document: Any, expected: Curve, tol: float = SOLVED) -> None:  # noqa: ANN401  (JSON has no type)
    """The curve of a document against that of the refits."""
    if len(expected.fold_weights) > 100:
        assert document["fold_scores"] is None
    else:
        found = np.array(document["fold_scores"], dtype=float)
        assert found == pytest.approx(expected.fold_scores, rel=tol, nan_ok=True)
    assert document["fold_weights"] == pytest.approx(expected.fold_weights, rel=EXACT)
    assert document["mean"] == pytest.approx(expected.mean, rel=tol)
    assert document["se"] == pytest.approx(expected.se, rel=tol)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_fold_is_what_its_rows_alone_make_it(case: Case, made: Made) -> None:
    _, study, folds = prepared(case)
    outcome = run_tool(*case.arguments(), "-v")
    assert outcome.status == 0, outcome.err
    assert f"engine {case.engine}" in outcome.err
    document = outcome.document
    assert [row["term"] for row in document["coefficients"]] == [
        name for name in names(study.terms()) if name in {row["term"] for row in document["coefficients"]}
    ]
    assert document["n_terms"] == len(study.terms())
    lanes = lanes_of(made)
    assert len(lanes) == len(folds)
    for lane, fold in zip(lanes, folds, strict=True):
        assert_lane(lane, study, fold)
    assert_curve(document, cross_validate(study, folds, case.lams, case.metric))


# -- chunks, zero weights, seeds -------------------------------------------------------------------------------------


@pytest.mark.parametrize("cells", [1, 175])
@pytest.mark.parametrize("penalty", ["l1", "none"])
def test_leave_one_out_in_chunks(cells: int, penalty: str, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    strengths: dict[str, Any] = PLAIN if penalty == "none" else {}
    case = Case(*LOO, "gaussian", "median", features=("age", "region", "sex"), weights=True, rows=24, **strengths)
    _, study, folds = prepared(case)
    whole = run_tool(*case.arguments()).document
    del made[:]
    monkeypatch.setattr("regcli.app.folding.LANE_CELLS", cells)
    document = run_tool(*case.arguments()).document
    assert len(made) == 1 + -(-24 // max(1, cells // max(len(study.terms()) ** 2, 24)))
    assert len(made) > 2
    for lane, fold in zip(lanes_of(made), folds, strict=True):
        assert_lane(lane, study, fold)
    for key in ("mean", "se", "fold_scores"):
        assert np.array(document[key], dtype=float) == pytest.approx(
            np.array(whole[key], dtype=float), rel=1e-10, nan_ok=True
        )
    assert document["coefficients"] == whole["coefficients"]


@pytest.mark.parametrize("scheme", [COLUMN, TIME])
def test_a_fold_without_weight_has_no_score_and_rows_without_weight_are_not_held_out(
    scheme: tuple[str, tuple[str, ...]], made: Made
) -> None:
    case = Case(*scheme, weights=True, pairs=(("age", "region"),), penalty="elasticnet")
    table = table_of("gaussian")
    table["w"] = np.where(table["row"] >= 39, 0.0, np.where(table["row"] % 5 == 0, 0.0, 1.0 + table["row"] % 3))
    table["fold"] = np.where(table["row"] >= 39, 3, table["row"] % 3)
    table["hollow"] = table["hollow"].fillna(1.5).where(table["row"] % 4 > 0)
    table.to_csv("data.csv", index=False)
    study, folds = case.study(table), case.folds(table)
    document = run_tool(*case.arguments()).document
    for lane, fold in zip(lanes_of(made), folds, strict=True):
        assert_lane(lane, study, fold)
    assert document["fold_scores"][3] == [None, None]
    assert document["fold_weights"][3] == 0
    assert_curve(document, cross_validate(study, folds, case.lams))


def test_weights_of_classes_are_those_of_the_fit_and_not_of_scores(made: Made) -> None:
    case = Case(
        *STRATIFIED, "binomial", features=FEW, weights=True, lams=(0.06, 0.02), more=("--class-weight", "yes=3")
    )
    _, study, folds = prepared(case)
    study = replace(study, weights=study.weights * np.where(study.y == 1, 3.0, 1.0))
    document = run_tool(*case.arguments()).document
    for lane, fold in zip(lanes_of(made), folds, strict=True):
        assert_lane(lane, study, fold)
    assert_curve(document, cross_validate(study, folds, case.lams))


def test_a_seed_is_one_deal() -> None:
    table_of("gaussian").to_csv("data.csv", index=False)
    words = ("cv", "data.csv", "-y", "y", "--family", "gaussian", "--features", "age", "--missing", "mean", "-l", "0.1")
    for scheme in (REPEATS, GROUP_REPEATS, KFOLD):
        runs = [run_tool(*words, *scheme[1]).document for _ in range(2)]
        other = run_tool(*words, *scheme[1], "--seed", "8").document
        assert runs[0] == runs[1]
        assert runs[0]["fold_scores"] != other["fold_scores"]
        size = {"repeats": 4, "group repeats": 3}.get(scheme[0])
        if size:
            deals = runs[0]["fold_scores"]
            assert sorted(deals[:size]) != sorted(deals[size : 2 * size])


# -- solvers ---------------------------------------------------------------------------------------------------------

#: Runs by what they are, and the solvers that apply; all others are refused.
SOLVERS: list[tuple[str, Case, set[str]]] = [
    ("least squares", Case(*COLUMN, features=("age", "bmi", "sex"), weights=True, **PLAIN),
     {"direct", "moments", "lockstep"}),
    ("ridge", Case(*COLUMN, degree=2, pairs=(("age", "region"),), weights=True, penalty="l2", lams=(1.0, 0.1)),
     {"cg", "row-space", "moments", "lockstep"}),
    ("wide ridge", Case(*COLUMN, "gaussian", "median", degree=2, pairs=MANY, penalty="l2", lams=(2.0, 0.1), rows=32),
     {"cg", "row-space", "moments", "lockstep"}),
    ("ridge with limits", Case(*COLUMN, penalty="l2", lams=(1.0,), more=("--nonnegative",)), {"moments", "lockstep"}),
    ("elastic net", Case(*WINDOW, "gaussian", "indicator", pairs=PAIRS, penalty="elasticnet", offset=True),
     {"moments", "lockstep"}),
    ("lasso", Case(*GROUP, "gaussian", "median", features=("age", "bmi", "region"), lams=(0.1, 0.02)),
     {"moments", "lockstep"}),
    ("logistic ridge", Case(*STRATIFIED, "binomial", degree=2, penalty="l2", lams=(0.5, 0.1)), {"newton", "row-space"}),
    ("wide counts", Case(*TIES, "poisson", pairs=MANY, penalty="l2", lams=(2.0, 0.3), rows=32),
     {"newton", "row-space"}),
    ("logistic lasso", Case(*LOO, "binomial", features=("age", "sex"), lams=(0.05,), rows=24), {"newton"}),
    ("counts", Case(*REPEATS, "poisson", features=("age", "sex"), offset=True, **PLAIN), {"newton"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "case", "known"), SOLVERS, ids=[name for name, *_ in SOLVERS])
def test_solvers_that_apply_agree_and_others_are_refused(name: str, case: Case, known: set[str]) -> None:
    prepared(case)
    words = [word if word != "1e-13" else "1e-12" for word in case.arguments()] + ["--all-terms", "-v"]
    auto = run_tool(*words).document
    for solver in ("direct", "cg", "row-space", "moments", "lockstep", "newton"):
        outcome = run_tool(*words, "--solver", solver)
        if solver not in known:
            assert (outcome.status, outcome.out) == (2, ""), f"{solver} solved {name}"
            assert f"--solver {solver} is for" in outcome.err
            continue
        assert f"engine {solver}" in outcome.err
        document = outcome.document
        assert document["options"]["solver"] == solver
        for key in ("mean", "se", "fold_scores"):
            assert np.array(document[key]) == pytest.approx(np.array(auto[key]), rel=SOLVED)
        one, two = (np.array([row["std_estimate"] for row in each["coefficients"]]) for each in (document, auto))
        assert np.abs(one - two).max() <= SOLVED * max(1.0, np.abs(two).max())
        assert document["intercept"] == pytest.approx(auto["intercept"], rel=SOLVED, abs=SOLVED)


# -- several shares of L1 --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("family", "metric", "grid", "rule"),
    [
        ("gaussian", "deviance", ("--n-lambdas", "15", "--full-path"), "min"),
        ("gaussian", "deviance", ("--n-lambdas", "15"), "1se"),
        ("gaussian", "r2", ("--lambda", "0.3,0.1,0.02"), "min"),
        ("binomial", "auc", ("--lambda", "0.2,0.1,0.03"), "1se"),
        ("poisson", "mae", ("--lambda", "0.2,0.1"), "min"),
    ],
)
def test_several_shares_of_l1_are_the_best_of_single_runs(
    family: str, metric: str, grid: tuple[str, ...], rule: str
) -> None:
    case = Case(*KFOLD, family, "mean", pairs=(("age", "region"),), penalty="elasticnet", metric=metric)
    prepared(case)
    features = [word for name in FEATURES for word in ("--features", name)]
    words = ["-y", "y", "--family", family, *features, "--missing", "mean", "--interactions", "age:region", *KFOLD[1]]
    words += ["--penalty", "elasticnet", "--metric", metric, "--rule", rule, *grid]
    ratios = ("0.5", "1", "0", "0.8")
    alone = {ratio: run_tool("cv", "data.csv", *words, "--l1-ratio", ratio).document for ratio in ratios}
    several = run_tool("cv", "data.csv", *words, "--l1-ratio", ",".join(ratios)).document
    assert [entry["l1_ratio"] for entry in several["grid"]] == [float(ratio) for ratio in ratios]
    for entry, ratio in zip(several["grid"], ratios, strict=True):
        assert [entry] == alone[ratio]["grid"]
        assert [entry[key] for key in ("lambdas", "mean", "se")] == [
            alone[ratio][key] for key in ("lambdas", "mean", "se")
        ]
    pick = max if metric in ("r2", "auc") else min
    best = pick(ratios, key=lambda ratio: pick(alone[ratio]["mean"]))
    assert several["model"]["l1_ratio"] == float(best)
    left_out = ("options", "grid")
    assert {key: several[key] for key in several if key not in left_out} == {
        key: alone[best][key] for key in alone[best] if key not in left_out
    }
    fit = run_tool("fit", "data.csv", *words, "--l1-ratio", ",".join(ratios)).document
    assert all(fit[key] == several[key] for key in fit if key != "schema")


@pytest.mark.parametrize("order", ["0.2,0.7,0.5", "0.7,0.2,0.5", "0.5,0.2,0.7"])
def test_of_equal_shares_the_larger_wins(order: str) -> None:
    case = Case(*COLUMN, penalty="elasticnet")
    prepared(case)
    words = ("-y", "y", "--family", "gaussian", "--features", "age", "--features", "bmi", "--missing", "mean")
    more = (*COLUMN[1], "--penalty", "elasticnet", "--lambda", "1000,500", "--l1-ratio", order)
    document = run_tool("cv", "data.csv", *words, *more).document
    assert document["n_nonzero_path"] == [0, 0]
    assert len({tuple(entry["mean"]) for entry in document["grid"]}) == 1
    assert document["model"]["l1_ratio"] == 0.7
    assert document["model"]["lambda"] == 1000
