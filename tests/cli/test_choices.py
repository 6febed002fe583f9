"""What options change in a fit, held against numbers worked out here from the files."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from regcli.cli.boundary import run
from regcli.problem.folds import deal_folds, set_aside
from tests.cli.conftest import SAMPLES
from tests.tolerances import EXACT, SOLVED

DIABETES, CANCER = str(SAMPLES / "diabetes.csv"), str(SAMPLES / "breast_cancer.csv")
GAUSSIAN = ("--target", "progression", "--family", "gaussian")
BINOMIAL = ("--target", "diagnosis", "--family", "binomial")

Document = dict[str, Any]
Ask = Callable[..., Document]


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    def asked(*words: str) -> Document:
        status = run([*words, "--json"])
        printed = capsys.readouterr()
        assert status == 0, printed.err
        return dict(json.loads(printed.out))

    return asked


def rows_of(path: str) -> tuple[list[str], list[list[str]]]:
    with Path(path).open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    return header, rows


def write(path: Path, header: list[str], rows: list[list[str]]) -> str:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return str(path)


def eta_of(document: Document, header: list[str], rows: list[list[str]]) -> NDArray[np.float64]:
    table = {name: np.array([float(row[at]) for row in rows]) for at, name in enumerate(header[:-1])}
    parts = [entry["estimate"] * table[entry["term"]] for entry in document["coefficients"]]
    return np.asarray(document["intercept"] + sum(parts, np.zeros(len(rows))))


def gaussian_metrics(y: NDArray[np.float64], eta: NDArray[np.float64]) -> dict[str, float]:
    mse = float(np.mean((y - eta) ** 2))
    return {
        "deviance": mse,
        "mse": mse,
        "rmse": mse**0.5,
        "mae": float(np.mean(np.abs(y - eta))),
        "r2": 1 - mse / float(np.var(y)),
    }


def assert_close(found: dict[str, Any], expected: dict[str, float]) -> None:
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=SOLVED), name


def test_a_test_file_is_scored_and_not_fitted(ask: Ask, tmp_path: Path) -> None:
    header, rows = rows_of(DIABETES)
    train, test = write(tmp_path / "a.csv", header, rows[:300]), write(tmp_path / "b.csv", header, rows[300:])
    words = ("fit", train, *GAUSSIAN, "--lambda", "2")
    with_test, without = ask(*words, "--test", test), ask(*words)
    assert with_test["coefficients"] == without["coefficients"]
    assert without["metrics"]["test"] is None
    y = np.array([float(row[-1]) for row in rows])
    eta = eta_of(with_test, header, rows[300:])
    assert_close(with_test["metrics"]["test"], gaussian_metrics(y[300:], eta))
    assert_close(
        with_test["metrics"]["train"],
        gaussian_metrics(y[:300], eta_of(with_test, header, rows[:300])),
    )


def test_a_split_comes_before_everything(ask: Ask, tmp_path: Path) -> None:
    header, rows = rows_of(DIABETES)
    held = set_aside(len(rows), 0.25, 7)
    train = write(tmp_path / "train.csv", header, [row for row, out in zip(rows, held, strict=True) if not out])
    split = ask("fit", DIABETES, *GAUSSIAN, "--lambda", "2", "--test-size", "0.25", "--seed", "7")
    alone = ask("fit", train, *GAUSSIAN, "--lambda", "2")
    assert split["data"]["rows_used"] == alone["data"]["rows_used"] == len(rows) - held.sum()
    assert split["coefficients"] == alone["coefficients"]
    y = np.array([float(row[-1]) for row in rows])
    eta = eta_of(split, header, [row for row, out in zip(rows, held, strict=True) if out])
    assert_close(split["metrics"]["test"], gaussian_metrics(y[held], eta))


def test_a_split_of_classes_keeps_their_shares(ask: Ask) -> None:
    document = ask("fit", CANCER, *BINOMIAL, "--lambda", "0.01", "--test-size", "0.2")
    classes = np.array([row[-1] == "malignant" for row in rows_of(CANCER)[1]])
    held = set_aside(classes.size, 0.2, 0, classes.astype(np.intp))
    assert document["data"]["rows_used"] == classes.size - held.sum()
    assert abs(classes[held].mean() - classes.mean()) < 1 / held.sum()


def test_folds_given_as_a_column_are_the_folds_dealt(ask: Ask, tmp_path: Path) -> None:
    header, rows = rows_of(DIABETES)
    folds = deal_folds(len(rows), 5, 3)
    tagged = [[*row[:-1], f"fold {fold}", row[-1]] for row, fold in zip(rows, folds, strict=True)]
    path = write(tmp_path / "folds.csv", [*header[:-1], "fold", header[-1]], tagged)
    dealt = ask("cv", DIABETES, *GAUSSIAN, "--folds", "5", "--seed", "3")
    given = ask("cv", path, *GAUSSIAN, "--fold-column", "fold")
    for key in ("lambdas", "mean", "se", "fold_scores", "lambda_min", "lambda_1se", "coefficients", "metrics"):
        assert given[key] == dealt[key], key


@pytest.mark.parametrize("path", [DIABETES, CANCER])
@pytest.mark.parametrize("rule", ["min", "1se"])
def test_cv_holds_all_of_fit_to_the_byte(path: str, rule: str, ask: Ask) -> None:
    fit, cv = (ask(command, path, "--rule", rule) for command in ("fit", "cv"))
    for key in fit:
        if key != "schema":
            assert json.dumps(cv[key]) == json.dumps(fit[key]), key
    assert cv["model"]["lambda"] == cv[f"lambda_{rule}"]


@pytest.mark.parametrize("metric", ["deviance", "mse", "rmse", "mae", "r2"])
def test_gaussian_metrics_choose(metric: str, ask: Ask) -> None:
    document = ask("cv", DIABETES, *GAUSSIAN, "--metric", metric)
    mean = np.array(document["mean"])
    best = mean.argmax() if metric == "r2" else mean.argmin()
    assert document["index_min"] == best
    assert document["metrics"]["cv"][metric] == pytest.approx(mean[best], rel=SOLVED)
    assert document["metrics"]["cv"]["chosen_on_these_folds"] is True


@pytest.mark.parametrize("metric", ["deviance", "logloss", "brier", "auc", "accuracy"])
def test_binomial_metrics_choose(metric: str, ask: Ask) -> None:
    document = ask("cv", CANCER, *BINOMIAL, "--metric", metric, "--folds", "5")
    mean = np.array(document["mean"])
    best = mean.argmax() if metric in ("auc", "accuracy") else mean.argmin()
    assert document["index_min"] == best
    assert document["metrics"]["cv"][metric] == pytest.approx(mean[best], rel=SOLVED)


def test_balanced_classes_are_weights_that_scores_ignore(ask: Ask, tmp_path: Path) -> None:
    header, rows = rows_of(CANCER)
    share = sum(row[-1] == "malignant" for row in rows) / len(rows)
    weighted = [
        [*row[:-1], repr(0.5 / share if row[-1] == "malignant" else 0.5 / (1 - share)), row[-1]] for row in rows
    ]
    path = write(tmp_path / "w.csv", [*header[:-1], "w", header[-1]], weighted)
    balanced = ask("fit", CANCER, *BINOMIAL, "--lambda", "0.01", "--class-weight", "balanced", "--tol", "1e-11")
    by_hand = ask("fit", path, *BINOMIAL, "--lambda", "0.01", "--weights", "w", "--tol", "1e-11")
    plain = ask("fit", CANCER, *BINOMIAL, "--lambda", "0.01")
    assert [entry["term"] for entry in balanced["coefficients"]] == [e["term"] for e in by_hand["coefficients"]]
    for one, other in zip(balanced["coefficients"], by_hand["coefficients"], strict=True):
        assert one["std_estimate"] == pytest.approx(other["std_estimate"], abs=SOLVED)
    assert balanced["metrics"]["null"]["auc"] == plain["metrics"]["null"]["auc"] == pytest.approx(0.5)
    eta = eta_of(balanced, header, rows)
    right = np.mean((eta >= 0) == np.array([row[-1] == "malignant" for row in rows]))
    assert balanced["metrics"]["train"]["accuracy"] == pytest.approx(right, rel=EXACT)


def test_the_other_class_turns_every_sign(ask: Ask) -> None:
    later = ask("fit", CANCER, *BINOMIAL, "--lambda", "0.01", "--tol", "1e-11")
    other = ask("fit", CANCER, *BINOMIAL, "--lambda", "0.01", "--tol", "1e-11", "--positive-class", "benign")
    assert (later["model"]["positive"], other["model"]["positive"]) == ("malignant", "benign")
    for one, two in zip(later["coefficients"], other["coefficients"], strict=True):
        assert one["std_estimate"] == pytest.approx(-two["std_estimate"], abs=SOLVED)


def test_a_threshold_moves_accuracy_alone(ask: Ask) -> None:
    half = ask("fit", CANCER, *BINOMIAL, "--lambda", "0.01")
    low = ask("fit", CANCER, *BINOMIAL, "--lambda", "0.01", "--threshold", "0.1")
    header, rows = rows_of(CANCER)
    high = 1 / (1 + np.exp(-eta_of(low, header, rows))) >= 0.1
    right = np.mean(high == np.array([row[-1] == "malignant" for row in rows]))
    assert low["metrics"]["train"].pop("accuracy") == pytest.approx(right, rel=EXACT)
    assert half["metrics"]["train"].pop("accuracy") != pytest.approx(right, rel=EXACT)
    assert low["metrics"]["train"] == half["metrics"]["train"]


def test_a_limit_is_reported_as_it_was_written(ask: Ask) -> None:
    document = ask("fit", DIABETES, *GAUSSIAN, "--lambda", "0.5", "--upper", "bmi=1.1", "--lower", "s3=-0.3")
    found = {entry["term"]: entry["estimate"] for entry in document["coefficients"]}
    assert (found["bmi"], found["s3"]) == (1.1, -0.3)


def test_strengths_come_from_a_file(ask: Ask, tmp_path: Path) -> None:
    path = tmp_path / "strengths.txt"
    path.write_text("0.5\n2, 1\n\n1\n", encoding="utf-8")
    assert ask("path", DIABETES, *GAUSSIAN, "--lambda", f"@{path}")["lambdas"] == [2.0, 1.0, 0.5]


def test_strength_zero_is_least_squares(ask: Ask) -> None:
    zero = ask("fit", DIABETES, *GAUSSIAN, "--lambda", "0")
    none = ask("fit", DIABETES, *GAUSSIAN, "--penalty", "none")
    last = ask("path", DIABETES, *GAUSSIAN, "--lambda", "1,0")
    estimates = [entry["estimate"] for entry in none["coefficients"]]
    assert [entry["estimate"] for entry in zero["coefficients"]] == estimates
    assert [entry["values"][-1] for entry in last["coefficients"]] == estimates


@pytest.mark.parametrize(
    "words",
    [
        ("path", DIABETES, "--folds", "5"),
        ("fit", DIABETES, "--threshold", "0.4"),
        ("fit", DIABETES, "--lambda", "1", "--rule", "1se"),
        ("fit", DIABETES, "--lambda", "1", "--metric", "mae"),
        ("fit", DIABETES, "--lambda", "1", "--full-path"),
        ("fit", DIABETES, "--l1-ratio", "0.5"),
        ("fit", DIABETES, "--penalty", "none", "--lambda", "1"),
        ("fit", DIABETES, "--lambda", "1", "--n-lambdas", "5"),
        ("fit", DIABETES, "--positive-class", "x"),
        ("fit", DIABETES, "--class-weight", "balanced"),
        ("fit", DIABETES, "--cv", "stratified"),
        ("fit", DIABETES, "--no-profile"),
        ("fit", DIABETES, "--lambda", "1", "--rule", "bic"),
        ("fit", DIABETES, "--rule", "aic", "--metric", "mae"),
        ("fit", DIABETES, "--gap", "1"),
        ("fit", DIABETES, "--cv", "loo", "--repeats", "2"),
        ("fit", DIABETES, "--exposure", "age"),
        ("fit", DIABETES, "--solver", "newton"),
        ("path", DIABETES, "--penalty", "elasticnet", "--l1-ratio", "0.1,0.9"),
        ("cv", DIABETES, "--metric", "auc"),
    ],
    ids=lambda words: " ".join(words[2:]),
)
def test_an_option_without_effect_is_refused(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(list(words)) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "error[" in printed.err


def test_a_curve_that_falls_again_is_followed_to_its_end(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Noise makes the curve rise after a strong column; what two columns explain by their difference comes later."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((150, 60))
    x[:, 1] = x[:, 2] + 0.1 * x[:, 1]
    y = x[:, 0] + 5.0 * (x[:, 1] - x[:, 2]) + 0.1 * rng.standard_normal(150)
    header = [*(f"x{j}" for j in range(60)), "y"]
    rows = [[repr(float(cell)) for cell in row] for row in np.column_stack([x, y])]
    words = ("cv", write(tmp_path / "data.csv", header, rows), "--target", "y", "--family", "gaussian")
    found, full = ask(*words), ask(*words, "--full-path")
    assert found["lambda_min"] == full["lambda_min"]
    assert {"x1", "x2"} <= set(found["selected"])
    monkeypatch.setattr("regcli.app.search.falls_again", lambda *_: False)
    assert ask(*words)["lambda_min"] > 10 * full["lambda_min"]


def test_a_curve_that_has_turned_ends_the_path_unless_all_of_it_is_asked_for(ask: Ask, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    x = rng.standard_normal((200, 60))
    table = np.column_stack([x, x[:, 0] + rng.standard_normal(200)])
    header = [*(f"x{j}" for j in range(60)), "y"]
    file = write(tmp_path / "data.csv", header, [[repr(float(cell)) for cell in row] for row in table])
    words = ("cv", file, "--target", "y", "--family", "gaussian")
    short, full = ask(*words), ask(*words, "--full-path")
    length = len(short["lambdas"])
    assert short["stopped"] == {"reason": "cv_turned", "at": length - 1, "of": 100}
    assert full["stopped"]["reason"] != "cv_turned"
    assert length < len(full["lambdas"])
    for key in ("lambdas", "mean", "se", "n_nonzero_path"):
        assert short[key] == full[key][:length]
    assert short["coefficients"] == full["coefficients"]


@pytest.mark.parametrize("rule", ["aic", "bic", "ebic"])
def test_a_curve_that_has_turned_ends_no_path_that_a_criterion_chooses_from(ask: Ask, rule: str) -> None:
    words = (CANCER, *BINOMIAL, "--n-lambdas", "40")
    alone = ask("fit", *words, "--rule", rule)
    curve = ask("cv", *words)
    assert curve["stopped"]["reason"] == "cv_turned"
    for scored in (ask("fit", *words, "--rule", rule, "--folds", "10"), ask("cv", *words, "--rule", rule)):
        assert scored["selected"] == alone["selected"]
        assert scored["model"]["lambda"] == pytest.approx(alone["model"]["lambda"], rel=EXACT)
        assert scored["metrics"]["cv"]["chosen_on_these_folds"] is False
    assert len(scored["lambdas"]) > len(curve["lambdas"])
    assert len(scored["lambdas"]) == len(scored["criterion_path"])


def test_r2_compares_with_the_mean_of_the_rows_that_are_scored(ask: Ask, tmp_path: Path) -> None:
    header, rows = rows_of(DIABETES)
    rows.sort(key=lambda row: float(row[-1]))
    low, high = write(tmp_path / "low.csv", header, rows[:380]), write(tmp_path / "high.csv", header, rows[380:])
    model = str(tmp_path / "model.json")
    test = ask("fit", low, *GAUSSIAN, "-l", "1", "--test", high, "-m", model)["metrics"]["test"]
    found = ask("check", model, high)["metrics"]
    spread = np.var([float(row[-1]) for row in rows[380:]])
    assert test["r2"] == pytest.approx(1 - test["mse"] / spread, rel=EXACT)
    assert test["r2"] == pytest.approx(found["r2"], rel=EXACT)


def test_class_weights_are_of_the_fit_and_not_of_the_null_model(ask: Ask) -> None:
    words = ("fit", CANCER, *BINOMIAL, "-l", "0.05")
    plain, balanced = ask(*words), ask(*words, "--class-weight", "balanced")
    assert balanced["metrics"]["train"] != plain["metrics"]["train"]
    for name, value in plain["metrics"]["null"].items():
        assert balanced["metrics"]["null"][name] == pytest.approx(value, rel=EXACT)
