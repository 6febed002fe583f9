"""The strengths of ``lambda_as``, each put into the tool it is for: the model that comes back is regcli's.

glmnet's models are stored (see ``elsewhere.py``); scikit-learn, and LIBLINEAR inside it, are run here. They get the
columns as the model penalises them.
"""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from warnings import catch_warnings, simplefilter

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import ElasticNet, Lasso, LogisticRegression, PoissonRegressor, Ridge

from regcli.cli.boundary import run
from tests.reference.elsewhere import Model, load_models, load_printed
from tests.tolerances import EXACT, REFERENCE

pytestmark = pytest.mark.reference

Floats = NDArray[np.float64]
KEYS = ("glmnet", "sklearn_alpha", "sklearn_ridge_alpha", "sklearn_C", "liblinear_C")
MODELS = load_models()
PRINTED = load_printed()


@dataclass(frozen=True)
class Fitted:
    """regcli's model on the scale of the data, and the strength elsewhere."""

    elsewhere: Mapping[str, float | None]
    intercept: float
    coefs: Floats


def fitted(args: Sequence[str], features: Sequence[str], capsys: pytest.CaptureFixture[str]) -> Fitted:
    status = run([*args, "--json"])
    printed = capsys.readouterr()
    assert status == 0, printed.err
    document = json.loads(printed.out)
    estimates = {entry["term"]: entry["estimate"] for entry in document["coefficients"]}
    coefs = np.array([estimates.get(name, 0.0) for name in features])
    return Fitted(document["model"]["lambda_as"], document["intercept"] or 0.0, coefs)


def assert_same(model: Model, found: Fitted, intercept: float, coefs: Floats) -> None:
    columns = model.columns
    assert np.any(coefs), "a model without coefficients tells nothing of its strength"
    size = np.abs(coefs * columns.sds).max()
    assert np.abs((found.coefs - coefs) * columns.sds).max() <= REFERENCE * size
    unit = columns.sd_y if model.case.family == "gaussian" else 1.0
    assert abs(found.intercept - intercept) <= REFERENCE * unit


def expected_keys(model: Model) -> set[str]:
    """The tools that have this model, as the page of the tool says."""
    family, ratio = model.case.family, model.l1_ratio
    has_offset = model.case.asked["offset"] is not None
    mixed = 0 < ratio < 1
    keys = set() if family == "gaussian" and mixed and not model.compat else {"glmnet"}
    if not model.alike:
        return keys
    if family == "gaussian":
        keys |= set() if mixed and model.compat else {"sklearn_alpha"}
        keys |= {"sklearn_ridge_alpha"} if ratio == 0 else set()
    elif family == "poisson":
        keys |= {"sklearn_alpha"} if ratio == 0 else set()
    elif not has_offset:
        keys |= {"sklearn_C"}
        keys |= {"liblinear_C"} if not mixed and model.case.weights is None else set()
    return keys


# -- scikit-learn ------------------------------------------------------------------------------------------------------


def peers(model: Model, elsewhere: Mapping[str, float | None]) -> dict[str, Any]:
    """The estimators of scikit-learn by the key their strength is under, as accurate as they can be."""
    ratio, intercept, family = model.l1_ratio, bool(model.case.asked["intercept"]), model.case.family
    strength = {key: value for key, value in elsewhere.items() if value is not None and key != "glmnet"}
    exact: dict[str, Any] = {"fit_intercept": intercept, "tol": 1e-14, "max_iter": 1_000_000}
    found: dict[str, Any] = {}
    for key, value in strength.items():
        if key == "sklearn_ridge_alpha":
            found[key] = Ridge(alpha=value, solver="cholesky", fit_intercept=intercept)
        elif key == "sklearn_C":
            solver = "saga" if ratio else "lbfgs"
            exact |= {"tol": 1e-12} if ratio else {"tol": 1e-14}
            found[key] = LogisticRegression(C=value, l1_ratio=ratio, solver=solver, random_state=0, **exact)
        elif key == "liblinear_C" and not intercept:  # else it would penalise the intercept
            liblinear: dict[str, Any] = {"solver": "liblinear", "tol": 1e-13, "max_iter": 100_000, "random_state": 0}
            found[key] = LogisticRegression(C=value, l1_ratio=ratio, fit_intercept=False, **liblinear)
        elif key == "sklearn_alpha" and family == "poisson":
            found[key] = PoissonRegressor(alpha=value, solver="newton-cholesky", **(exact | {"tol": 1e-12}))
        elif key == "sklearn_alpha":
            found[key] = Lasso(alpha=value, **exact) if ratio == 1 else ElasticNet(alpha=value, l1_ratio=ratio, **exact)
    return found


def answer(model: Model, peer: Any) -> tuple[float, Floats]:  # noqa: ANN401 (scikit-learn ships no types)
    """Fit the columns as they are penalised; the model on the scale of the data."""
    columns, asked = model.columns, model.case.asked
    scale = columns.sds if asked["standardize"] else np.ones(len(columns.features))
    centre = columns.weights @ columns.x if asked["intercept"] else np.zeros(len(columns.features))
    weights, y = columns.weights * columns.total, columns.y
    if model.case.family == "gaussian":
        y = y - model.offset
    elif model.case.family == "poisson":
        weights, y = weights * np.exp(model.offset), y / np.exp(model.offset)
    liblinear = getattr(peer, "solver", None) == "liblinear"
    with catch_warnings():
        simplefilter("ignore")  # ElasticNet warns of l1_ratio 0, and any of them of a tol that is out of reach
        peer.fit((columns.x - centre) / scale, y, sample_weight=None if liblinear else weights)
    coefs = np.ravel(peer.coef_) / scale
    return float(np.ravel(peer.intercept_)[0]) - float(centre @ coefs), coefs


@pytest.mark.parametrize("model", MODELS, ids=[model.case.name for model in MODELS])
def test_every_strength_gives_the_same_model(model: Model, capsys: pytest.CaptureFixture[str]) -> None:
    found = fitted(model.args, model.case.features, capsys)
    assert tuple(found.elsewhere) == KEYS
    assert {key for key, value in found.elsewhere.items() if value is not None} == expected_keys(model)
    if found.elsewhere["glmnet"] is not None:
        stored = PRINTED[model.case.name]
        assert found.elsewhere["glmnet"] == pytest.approx(stored.lam, rel=EXACT)
        assert_same(model, found, stored.intercept, stored.coefs)
    for peer in peers(model, found.elsewhere).values():
        assert_same(model, found, *answer(model, peer))


def test_every_tool_is_met() -> None:
    """No key is null throughout, and LIBLINEAR has models that need no intercept."""
    assert {key for model in MODELS for key in expected_keys(model)} == set(KEYS)
    assert any("liblinear_C" in expected_keys(model) and not model.case.asked["intercept"] for model in MODELS)
    assert {name for name, stored in PRINTED.items() if np.any(stored.coefs)} == {
        model.case.name for model in MODELS if "glmnet" in expected_keys(model)
    }


# -- what the cases lack -----------------------------------------------------------------------------------------------


def named(name: str) -> Model:
    return next(model for model in MODELS if model.case.name == name)


def with_weights(model: Model, values: Sequence[float], directory: Path) -> Model:
    """The same model with a column of weights in its table."""
    path = directory / model.case.csv.name
    with model.case.csv.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["w", *header])
        writer.writerows([repr(value), *row] for value, row in zip(values, rows, strict=True))
    args = ("fit", str(path), *model.args[2:], "--weights", "w")
    case = replace(model.case, csv=path, weights="w", asked={**model.case.asked, "weights": "w"})
    return replace(model, case=case, args=args)


@pytest.mark.parametrize("ratio", [1, 0])
def test_liblinear_does_not_see_that_every_row_weighs_two(
    ratio: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = named(f"binomial_no-intercept_{ratio}")
    doubled = with_weights(plain, [2.0] * plain.columns.y.size, tmp_path)
    found = fitted(doubled.args, doubled.case.features, capsys)
    once = fitted(plain.args, plain.case.features, capsys)
    assert found.elsewhere["liblinear_C"] == once.elsewhere["liblinear_C"]
    assert found.elsewhere["sklearn_C"] == pytest.approx((once.elsewhere["sklearn_C"] or 0) / 2, rel=EXACT)
    both = peers(doubled, found.elsewhere)
    assert set(both) == {"sklearn_C", "liblinear_C"}
    for peer in both.values():
        assert_same(doubled, found, *answer(doubled, peer))


def test_balanced_classes_are_scikit_learns(capsys: pytest.CaptureFixture[str]) -> None:
    model = named("binomial_no-intercept_0")
    found = fitted([*model.args, "--class-weight", "balanced", "--no-standardize"], model.case.features, capsys)
    assert found.elsewhere["liblinear_C"] is None
    strength = found.elsewhere["sklearn_C"]
    peer = LogisticRegression(C=strength, class_weight="balanced", fit_intercept=False, tol=1e-14, max_iter=10_000)
    raw = replace(model, case=replace(model.case, asked={**model.case.asked, "standardize": False}))
    assert_same(raw, found, *answer(raw, peer))


@pytest.mark.parametrize("name", ["gaussian_plain_1", "gaussian_plain_0", "binomial_plain_0.3", "poisson_plain_0"])
def test_one_factor_for_all_terms_is_a_strength(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    model = named(name)
    found = fitted([*model.args, "--penalty-factor", "*=2"], model.case.features, capsys)
    twice = replace(model, args=tuple(repr(2 * model.lam) if word == repr(model.lam) else word for word in model.args))
    again = fitted(twice.args, model.case.features, capsys)
    assert found.elsewhere == again.elsewhere
    assert_same(model, found, again.intercept, again.coefs)


def test_rows_set_aside_do_not_count(capsys: pytest.CaptureFixture[str]) -> None:
    model = named("gaussian_plain_0")
    found = fitted([*model.args, "--test-size", "0.25"], model.case.features, capsys)
    assert found.elsewhere["sklearn_ridge_alpha"] == pytest.approx(90 * model.lam, rel=EXACT)


@pytest.mark.parametrize("lam", ["0", "1e-320"])
def test_strengths_without_an_inverse_have_no_c(lam: str, capsys: pytest.CaptureFixture[str]) -> None:
    model = named("binomial_plain_1")
    args = [lam if word == repr(model.lam) else word for word in model.args]
    elsewhere = fitted([*args, "--allow-unconverged"], model.case.features, capsys).elsewhere
    assert {elsewhere["sklearn_C"], elsewhere["liblinear_C"]} == {None}
