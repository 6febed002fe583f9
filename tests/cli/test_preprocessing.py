"""Missing cells, powers and interactions, from the command line to the scores."""

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import pytest

from regcli.app.context import RunContext
from regcli.app.options import Data, FitRequest, Folds, Model
from regcli.app.prepare import Prepared, prepare
from regcli.report.schemas import SCHEMAS
from tests.fuzz.tool import Outcome, run_tool
from tests.tolerances import EXACT

ROWS = 60

Frame = pd.DataFrame


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with a complete table and one with missing cells."""
    monkeypatch.chdir(tmp_path)
    complete().to_csv("full.csv", index=False)
    holed().to_csv("data.csv", index=False)
    return tmp_path


def complete() -> Frame:
    rng = np.random.default_rng(5)
    age, bmi = rng.normal(40, 9, ROWS).round(1), rng.normal(25, 3, ROWS).round(2)
    region, sex = rng.choice(["north", "south", "west"], ROWS), rng.choice(["f", "m"], ROWS)
    cost = (0.1 * age + 0.4 * bmi + (region == "west") + 0.01 * age * (sex == "m") + rng.normal(size=ROWS)).round(3)
    return pd.DataFrame({"age": age, "region": region, "sex": sex, "a:b": bmi, "cost": cost})


def holed() -> Frame:
    """Missing cells in a number and in a category."""
    rng = np.random.default_rng(6)
    frame = complete().astype({"region": object})
    frame.loc[rng.random(ROWS) < 0.2, "age"] = np.nan
    frame.loc[rng.random(ROWS) < 0.2, "region"] = None
    return frame


def fit(*words: str, data: str = "data.csv") -> Outcome:
    plain = ("-y", "cost", "--family", "gaussian", "--penalty", "l2", "--lambda", "0.1", "--all-terms")
    return run_tool("fit", data, *plain, "-m", "model.json", *words)


def terms(outcome: Outcome) -> list[str]:
    return [row["term"] for row in outcome.document["coefficients"]]


def model() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(Path("model.json").read_text("utf-8"))
    jsonschema.validate(document, SCHEMAS["model"])
    return document


def predicted(frame: Frame | str, *words: str) -> list[str]:
    name = frame if isinstance(frame, str) else "new.csv"
    if not isinstance(frame, str):
        frame.to_csv(name, index=False)
    outcome = run_tool("predict", "model.json", name, *words)
    assert outcome.status == 0, outcome.err
    return [row["prediction"] for row in csv.DictReader(io.StringIO(outcome.out))]


def prepared(path: str = "data.csv", **data: Any) -> Prepared:  # noqa: ANN401  (fields of a dataclass)
    request = FitRequest(data=Data(data=(path,), target="cost", **data), model=Model(family="gaussian"), folds=Folds())
    return prepare(request, RunContext(), unpenalised=False, seed=0)


# -- what goes in ----------------------------------------------------------------------------------------------------


def test_the_order_and_names_of_terms() -> None:
    words = ("--poly", "3", "--interactions", "region:age", "--interactions", "sex:a:b")
    assert terms(fit(*words, data="full.csv")) == [
        "age", "age^2", "age^3", "region=north", "region=south", "region=west", "sex=m", "a:b", "a:b^2", "a:b^3",
        "region=north:age", "region=south:age", "region=west:age", "sex=m:a:b",
    ]  # fmt: skip
    assert fit(*words, data="full.csv").document["coefficients"][-1]["sources"] == ["sex", "a:b"]
    found = prepared(missing=("indicator",), poly=2, interactions=("age:region",))
    assert [term.name for term in found.encoder.terms] == [
        "age", "age^2", "missing(age)", "region=north", "region=south", "region=west", "missing(region)", "sex=m",
        "a:b", "a:b^2", "age:region=north", "age:region=south", "age:region=west",
    ]  # fmt: skip


def test_pairs_of_a_pattern_come_once() -> None:
    found = prepared("full.csv", interactions=("*:*", "sex:age"))
    pairs = list(dict.fromkeys(term.sources for term in found.encoder.terms if term.main is None))
    assert pairs == [
        ("age", "region"), ("age", "sex"), ("age", "a:b"), ("region", "sex"), ("region", "a:b"), ("sex", "a:b"),
    ]  # fmt: skip


@pytest.mark.parametrize("policy", ["mean", "median", "indicator"])
def test_filled_columns_against_the_columns_filled_by_hand(policy: str) -> None:
    found = prepared(missing=(policy,), interactions=("age:region",))
    frame = holed()
    age, region = frame["age"], frame["region"]
    middle = age.median() if policy == "median" else age.mean()
    age = age.fillna(middle)
    dummies = {level: (region == level).astype(float) for level in ("north", "south", "west")}
    for level, column in dummies.items():
        share = (region == level).sum() / region.notna().sum()
        fill = {"mean": share, "median": float(level == region.mode()[0]), "indicator": 0.0}[policy]
        dummies[level] = column.mask(region.isna(), fill)
    lane_map = None if found.lane_maps is None else found.lane_maps(found.fit_weights)
    X = found.X if lane_map is None else found.X @ lane_map.toarray()
    names = [term.name for term in found.encoder.terms]
    assert X[:, names.index("age")] == pytest.approx(age, rel=EXACT)
    for level, column in dummies.items():
        assert X[:, names.index(f"region={level}")] == pytest.approx(column, rel=EXACT)
        assert X[:, names.index(f"age:region={level}")] == pytest.approx(age * column, rel=EXACT)
    (warning,) = [warning for warning in found.warnings if warning.code == "imputed"]
    counts = {name: int(frame[name].isna().sum()) for name in ("age", "region")}
    assert warning.facts == {"columns": counts, "policy": {"age": policy, "region": policy}}


def test_what_a_training_set_learns_depends_on_its_rows_alone() -> None:
    found = prepared(missing=("mean",))
    assert found.lane_maps is not None
    weights = found.fit_weights.copy()
    weights[:20] = 0.0
    changed = holed()
    changed.loc[:19, "age"] *= 3
    changed.to_csv("changed.csv", index=False)
    other = prepared("changed.csv", missing=("mean",))
    assert other.lane_maps is not None
    one, two, whole = found.lane_maps(weights), other.lane_maps(weights), found.lane_maps(found.fit_weights)
    assert one is not None
    assert two is not None
    assert whole is not None
    own = (found.X @ one.toarray())[20:]
    assert np.allclose(own, (other.X @ two.toarray())[20:], rtol=EXACT, atol=EXACT)
    assert not np.allclose(own, (found.X @ whole.toarray())[20:], rtol=1e-3)


def test_a_column_has_its_own_policy_and_later_ones_win() -> None:
    found = prepared(missing=("age=indicator", "mean", "region=drop", "reg*=median", "sex=mean"))
    assert {feature.source: feature.missing for feature in found.encoder.features} == {
        "age": "indicator", "region": "median", "sex": "mean", "a:b": "mean",
    }  # fmt: skip
    found = prepared(missing=("drop", "age=mean"))
    assert found.facts.rows_used == int(holed()["region"].notna().sum())
    assert found.encoder.gaps == {"age"}


def test_a_table_without_missing_cells_needs_no_map() -> None:
    found = prepared("full.csv", missing=("indicator",))
    assert found.lane_maps is None
    assert "imputed" not in {warning.code for warning in found.warnings}
    assert found.encoder.lessons.fills.numbers["age"] == pytest.approx(complete()["age"].mean(), rel=EXACT)


# -- what comes out --------------------------------------------------------------------------------------------------


def by_hand(frame: Frame, coefficients: Mapping[str, float], intercept: float) -> Any:  # noqa: ANN401
    """The predictor of numbers, their powers, 0/1 columns and products, name by name."""
    eta = np.full(len(frame), intercept)
    for name, value in coefficients.items():
        column = np.ones(len(frame))
        for part in name.replace("a:b", "a;b").split(":"):
            source, equals, level = part.replace("a;b", "a:b").partition("=")
            base, caret, power = source.partition("^")
            column *= (frame[source] == level) if equals else frame[base] ** int(power if caret else 1)
        eta += value * column
    return eta


def test_predictions_are_the_coefficients_times_the_terms() -> None:
    outcome = fit("--poly", "3", "--interactions", "*:*", data="full.csv")
    document = outcome.document
    coefficients = {row["term"]: row["estimate"] for row in document["coefficients"]}
    expected = by_hand(complete(), coefficients, document["intercept"])
    assert np.array(predicted("full.csv"), dtype=float) == pytest.approx(expected, rel=EXACT)
    assert document["n_features"] == 4
    assert document["n_selected"] == 4


@pytest.mark.parametrize("policy", ["mean", "median", "indicator"])
def test_training_rows_are_predicted_by_the_terms_of_the_training_rows(policy: str) -> None:
    words = ("--missing", policy, "--poly", "2", "--interactions", "region:age", "--interactions", "sex:a:b")
    document = fit(*words).document
    found = prepared(missing=(policy,), poly=2, interactions=("region:age", "sex:a:b"))
    lane_map = None if found.lane_maps is None else found.lane_maps(found.fit_weights)
    X = found.X if lane_map is None else found.X @ lane_map.toarray()
    assert [row["term"] for row in document["coefficients"]] == [term.name for term in found.encoder.terms]
    expected = document["intercept"] + X @ [row["estimate"] for row in document["coefficients"]]
    assert np.array(predicted("data.csv"), dtype=float) == pytest.approx(expected, rel=EXACT)


@pytest.mark.parametrize("policy", ["mean", "median"])
def test_every_fold_learns_its_own_fills(policy: str) -> None:
    """Cross-validation as a loop by hand: fill with what the fold's training rows have, fit, score the others."""
    frame = holed().assign(fold=np.arange(ROWS) % 4, region=complete()["region"])
    frame.to_csv("folds.csv", index=False)
    words = ("--fold-column", "fold", "--penalty-factor", "sex=0.5")
    document = fit("--missing", policy, *words, data="folds.csv").document
    scores = []
    for fold in range(4):
        held = frame["fold"] == fold
        rows = frame.drop(columns="fold")
        rows["age"] = rows["age"].fillna(getattr(rows["age"][~held], policy)())
        rows[~held].to_csv("train.csv", index=False)
        assert fit(*words[2:], data="train.csv").status == 0
        error = rows["cost"][held] - np.array(predicted(rows[held]), dtype=float)
        scores.append(float((error**2).mean()))
    assert document["metrics"]["cv"]["mse"] == pytest.approx(np.mean(scores), rel=1e-6)


def test_a_row_has_the_same_prediction_alone() -> None:
    fit("--poly", "3", "--interactions", "*:*", "--missing", "mean", data="full.csv")
    whole = predicted("full.csv")
    assert [predicted(complete()[at : at + 1])[0] for at in (0, 17)] == [whole[0], whole[17]]


def test_a_missing_cell_is_filled_as_the_model_learnt() -> None:
    fit("--missing", "mean", "--missing", "region=median", "--interactions", "age:region", data="full.csv")
    frame = complete()
    gaps = frame.astype({"region": object})
    gaps.loc[3, "age"] = np.nan
    gaps.loc[4, "region"] = None
    frame.loc[3, "age"] = frame["age"].mean()
    frame.loc[4, "region"] = complete()["region"].mode()[0]
    features = {entry["column"]: entry for entry in model()["features"]}
    assert features["age"]["fill"] == pytest.approx(complete()["age"].mean(), rel=EXACT)
    assert (features["region"]["missing"], features["sex"]["missing"]) == ("median", "mean")
    filled, expected = predicted(gaps), predicted(frame)
    assert np.array(filled, dtype=float) == pytest.approx(np.array(expected, dtype=float), rel=EXACT)
    assert [filled[at] for at in (0, 1, 2, 5)] == [expected[at] for at in (0, 1, 2, 5)]
    gaps.to_csv("new.csv", index=False)
    outcome = run_tool("predict", "model.json", "new.csv")
    assert "warning[imputed]: 2 cells in 2 columns were filled as the model learnt" in outcome.err
    assert run_tool("predict", "model.json", "new.csv", "--strict").status == 3


def test_a_cell_that_is_no_number_is_not_a_missing_one() -> None:
    fit("--missing", "mean", data="full.csv")
    frame = complete().astype({"age": object})
    frame.loc[2, "age"] = "old"
    frame.to_csv("new.csv", index=False)
    outcome = run_tool("predict", "model.json", "new.csv")
    assert (outcome.status, "error[text-in-numeric-column]" in outcome.err) == (3, True)
    assert [at for at, cell in enumerate(predicted("new.csv", "--on-bad-row", "null")) if not cell] == [2]


def test_a_column_that_is_not_filled_is_a_bad_row_as_ever() -> None:
    fit("--missing", "mean", "--missing", "sex=error", data="full.csv")
    frame = complete().astype({"sex": object})
    frame.loc[[1, 2], "sex"] = None
    frame.loc[2, "age"] = np.nan
    frame.to_csv("new.csv", index=False)
    outcome = run_tool("predict", "model.json", "new.csv")
    assert outcome.status == 3
    assert "error[missing-values]: a row cannot be scored: column 'sex' is missing" in outcome.err
    assert [at for at, cell in enumerate(predicted("new.csv", "--on-bad-row", "null")) if not cell] == [1, 2]


def test_a_test_table_is_filled_as_the_training_rows_taught() -> None:
    gaps = complete().astype({"region": object})
    gaps.loc[3, "age"] = np.nan
    gaps.loc[4, "region"] = None
    gaps.to_csv("test.csv", index=False)
    outcome = fit("--missing", "mean", "--test", "test.csv", data="full.csv")
    truth = complete()["cost"].to_numpy()
    residuals = truth - np.array(predicted(gaps), dtype=float)
    assert outcome.document["metrics"]["test"]["mse"] == pytest.approx((residuals**2).mean(), rel=EXACT)


@pytest.mark.parametrize(
    ("cells", "code"),
    [({"region": 5}, "unknown-level"), ({"sex": "x"}, "unknown-level"), ({"age": "old"}, "text-in-numeric-column")],
)
def test_a_test_table_of_other_kinds_is_refused(cells: dict[str, object], code: str) -> None:
    complete().assign(**cells).to_csv("test.csv", index=False)  # type: ignore[arg-type]
    outcome = fit("--test", "test.csv", data="full.csv")
    assert (outcome.status, f"error[{code}]" in outcome.err) == (3, True)


def test_levels_that_look_like_numbers_are_text_in_a_test_table() -> None:
    complete().assign(region=np.where(complete()["sex"] == "f", "1", "one")).to_csv("train.csv", index=False)
    complete().assign(region="1").to_csv("test.csv", index=False)
    assert fit("--categorical", "region", "--test", "test.csv", data="train.csv").status == 0


# -- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "status", "code", "said"),
    [
        ((), 3, "missing-values", ("--missing drop", "--missing mean", "--drop COL")),
        (("--missing", "mode"), 2, "unknown-option-value", ("error, drop, mean, median or indicator",)),
        (("--missing", "meen"), 2, "unknown-option-value", ("mean",)),
        (("--missing", "age=zero"), 2, "unknown-option-value", ("indicator",)),
        (("--missing", "aeg=mean"), 3, "column-not-found", ("age",)),
        (("--missing", "cost=mean"), 2, "option-without-effect", ("--missing-target",)),
        (("--missing", "mean", "--missing", "region=error"), 3, "missing-values", ("region (",)),
        (("--missing", "mean", "--poly", "0"), 2, "unknown-option-value", ("at least 1 and at most 20",)),
        (("--missing", "mean", "--poly", "21"), 2, "unknown-option-value", ("at least 1 and at most 20",)),
        (("--missing", "mean", "--poly", "2", "--features", "sex"), 2, "option-without-effect", ("--poly 2",)),
        (("--missing", "mean", "--interactions", "age"), 2, "unknown-option-value", ("A:B",)),
        (("--missing", "mean", "--interactions", "age:"), 2, "unknown-option-value", ("A:B",)),
        (("--missing", "mean", "--interactions", "age:age"), 2, "unknown-option-value", ("--poly 2",)),
        (("--missing", "mean", "--interactions", "ag*:ag*"), 2, "option-without-effect", ("--poly 2",)),
        (("--missing", "mean", "--interactions", "age:sxe"), 3, "column-not-found", ("'sxe'", "sex")),
        (("--missing", "mean", "--interactions", "aeg:a:b"), 3, "column-not-found", ("'aeg'", "age")),
        (("--missing", "mean", "--interactions", "age:cost"), 3, "column-not-found", ("'cost'",)),
        (("--missing", "mean", "--interactions", "age:sex:region"), 2, "unknown-option-value", ("pairs only",)),
        (("--missing", "mean", "--strict"), 3, "imputed", ("were filled",)),
    ],
)
def test_refusals_name_the_way_out(words: tuple[str, ...], status: int, code: str, said: tuple[str, ...]) -> None:
    outcome = fit(*words)
    assert (outcome.status, outcome.out) == (status, "")
    assert f"error[{code}]" in outcome.err
    for part in said:
        assert part in outcome.err
    assert not Path("model.json").exists()


@pytest.mark.parametrize(
    ("columns", "words", "code"),
    [
        ({"x": [1e60, 2, 3, 4, 5]}, ("--poly", "3"), "value-range"),
        ({"x": [1e100, 2, 3, 4, 5], "z": [1e100, 1, 2, 4, 3]}, ("--interactions", "x:z"), "value-range"),
        ({"x": [1, 2, 3, 4, 5], "x^2": [5, 1, 2, 4, 3]}, ("--poly", "2"), "duplicate-term"),
        ({"x": [1, 2, 3, 4, 5], "z": [5, 1, 2, 4, 3], "x:z": [5, 1, 2, 3, 4]}, ("--interactions", "x:z"),
         "duplicate-term"),
        ({"x": [1, None, 3, 4, 5], "missing(x)": [5, 1, 2, 4, 3]}, ("--missing", "indicator"), "duplicate-term"),
    ],
)  # fmt: skip
def test_columns_that_powers_and_products_cannot_be_made_of(
    columns: dict[str, list[float]], words: tuple[str, ...], code: str
) -> None:
    pd.DataFrame({**columns, "cost": [1, 3, 2, 5, 4]}).to_csv("table.csv", index=False)
    outcome = fit(*words, data="table.csv")
    assert (outcome.status, f"error[{code}]" in outcome.err, "hint:" in outcome.err) == (3, True, True)


def test_products_that_are_constant_are_left_out_with_one_warning() -> None:
    frame = complete()[["region", "sex", "cost"]]
    frame["sex"] = np.where(frame["region"] == "west", "f", np.where(frame.index % 2, "f", "m"))
    frame.to_csv("table.csv", index=False)
    document = fit("--interactions", "region:sex", data="table.csv").document
    assert document["dropped"] == [{"column": "region=west:sex=m", "reason": "constant"}]
    assert [warning["columns"] for warning in document["warnings"] if warning["code"] == "constant-column"] == [
        ["region=west:sex=m"]
    ]


def test_factors_of_a_column_leave_its_products_alone() -> None:
    words = ("--poly", "2", "--interactions", "age:sex", "--penalty-factor", "age=0", "--penalty-factor", "age:sex=m=3")
    rows = fit(*words, data="full.csv").document["coefficients"]
    assert {row["term"]: row["penalty_factor"] for row in rows if "age" in row["sources"]} == {
        "age": 0, "age^2": 0, "age:sex=m": 3,
    }  # fmt: skip


def test_a_far_mean_costs_filled_columns_no_digits() -> None:
    rng = np.random.default_rng(4)
    x, z = rng.standard_normal((2, 80))
    table = pd.DataFrame({"x": np.round(x, 3), "z": z, "y": x + z + 0.3 * rng.standard_normal(80)})
    table.loc[rng.random(80) < 0.3, "x"] = np.nan
    table.to_csv("near.csv", index=False)
    table.assign(x=table["x"] + 1e8).to_csv("far.csv", index=False)
    words = ("-y", "y", "--missing", "mean", "--penalty", "elasticnet", "-l", "0.5,0.1,0.01", "--json")
    near, far = (run_tool("cv", name, *words) for name in ("near.csv", "far.csv"))
    assert far.status == 0, far.err
    assert far.document["mean"] == pytest.approx(near.document["mean"], rel=1e-6)


@pytest.mark.parametrize(
    ("gaps", "words"), [(0.0, ("--spline", "x0=5", "--spline", "x1=5")), (0.2, ("--interactions", "*:*"))]
)
def test_a_grid_is_as_long_as_the_terms_of_the_model_ask_for(gaps: float, words: tuple[str, ...]) -> None:
    rng = np.random.default_rng(8)
    X = rng.standard_normal((60, 6))
    table = pd.DataFrame(X, columns=[f"x{j}" for j in range(6)]).assign(y=X[:, 0] + rng.standard_normal(60))
    table[np.column_stack([rng.random(X.shape) < gaps, np.zeros(60, dtype=bool)])] = np.nan
    table.to_csv("data.csv", index=False)
    arguments = ("data.csv", "-y", "y", "--family", "gaussian", "--missing", "mean", *words)
    walked = run_tool("cv", *arguments, "--full-path").document
    assert walked["n_terms"] < 60  # unlike the columns behind them: knots of folds, filled cells
    for document in (walked, run_tool("path", *arguments).document):
        first, second = document["lambdas"][:2]
        assert second / first == pytest.approx(1e-4 ** (1 / 99), rel=EXACT)
