"""regcli against R's glmnet: coefficients, cross-validation curves, choices and generated grids (see README.md)."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from regcli.cli.boundary import run
from tests.reference.comparison import coefficient_errors, model_of_cv, path_of, relative_errors
from tests.reference.stored import Case, Curve, GeneratedPath, load_cases, load_generated, read_columns
from tests.tolerances import REFERENCE, SOLVED

pytestmark = pytest.mark.reference

Regcli = Callable[[Sequence[str]], dict[str, Any]]

CASES = load_cases()
GENERATED = load_generated()
OTHER_CURVES = [(case, curve) for case in CASES for curve in case.curves.values() if curve is not case.main_curve]

#: glmnet's measure -> regcli's metric and the line from one to the other: metric = intercept + slope * measure.
METRICS = {
    ("gaussian", "mae"): ("mae", 0.0, 1.0),
    ("binomial", "mse"): ("brier", 0.0, 0.5),  # glmnet adds the squares of both classes
    ("binomial", "class"): ("accuracy", 1.0, -1.0),
    ("binomial", "auc"): ("auc", 0.0, 1.0),
    ("poisson", "mse"): ("mse", 0.0, 1.0),
    ("poisson", "mae"): ("mae", 0.0, 1.0),
}


@pytest.fixture(name="regcli")
def _regcli(capsys: pytest.CaptureFixture[str]) -> Regcli:
    """Run regcli in this process and give back the document it printed."""

    def call(argv: Sequence[str]) -> dict[str, Any]:
        status = run([*argv, "--json", "--jobs", "1"])
        printed = capsys.readouterr()
        assert status == 0, printed.err
        return json.loads(printed.out)

    return call


def solved(command: str, csv: object, args: Sequence[str]) -> list[str]:
    return [command, str(csv), *args, "--tol", "1e-11"]


def assert_chosen_as(document: dict[str, Any], curve: Curve) -> None:
    """The same strengths, unless glmnet's own choice is a tie (counts of errors often are)."""
    if curve.margin > REFERENCE:
        assert document["lambda_min"] == curve.lambda_min
        assert document["lambda_1se"] == curve.lambda_1se


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_path(case: Case, regcli: Regcli) -> None:
    columns = read_columns(case.csv, case.features, case.weights)
    found = path_of(regcli(solved("path", case.csv, case.args_path)), case.features)
    assert found.lambdas.tolist() == case.lambdas.tolist()
    assert np.max(coefficient_errors(found.coefs, case.coefs, columns.sds)) <= REFERENCE
    unit = columns.sd_y if case.family == "gaussian" else 1.0
    assert np.max(np.abs(found.intercepts - case.intercepts)) / unit <= REFERENCE


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_cv(case: Case, regcli: Regcli) -> None:
    columns = read_columns(case.csv, case.features, case.weights)
    document = regcli(solved("cv", case.csv, case.args_cv))
    curve = case.main_curve
    assert document["lambdas"] == case.lambdas.tolist()
    assert np.max(relative_errors(np.array(document["mean"]), curve.mean)) <= REFERENCE
    assert np.max(relative_errors(np.array(document["se"]), curve.se)) <= REFERENCE
    assert_chosen_as(document, curve)
    chosen = model_of_cv(document, case.features)
    at = case.lambdas == curve.lambda_min
    assert np.max(coefficient_errors(chosen.coefs, case.coefs[at], columns.sds)) <= REFERENCE


@pytest.mark.parametrize(
    ("case", "curve"), OTHER_CURVES, ids=[f"{case.name}-{curve.measure}" for case, curve in OTHER_CURVES]
)
def test_other_metrics(case: Case, curve: Curve, regcli: Regcli) -> None:
    metric, intercept, slope = METRICS[case.family, curve.measure]
    document = regcli([*solved("cv", case.csv, case.args_cv), "--metric", metric])
    assert document["metric"] == metric
    assert np.max(relative_errors(np.array(document["mean"]), intercept + slope * curve.mean)) <= REFERENCE
    assert np.max(relative_errors(np.array(document["se"]), abs(slope) * curve.se)) <= REFERENCE
    assert_chosen_as(document, curve)


@pytest.mark.parametrize("path", GENERATED, ids=[path.name for path in GENERATED])
def test_generated_strengths(path: GeneratedPath, regcli: Regcli) -> None:
    """It starts, steps and stops where glmnet does."""
    document = regcli(solved("path", path.csv, path.args))
    assert len(document["lambdas"]) == len(path.lambdas)
    assert np.max(relative_errors(np.array(document["lambdas"]), path.lambdas)) <= SOLVED
    # glmnet's first strength is infinite, whatever it prints; below L1 ours is not, and explains a little.
    assert np.max(np.abs(np.array(document["deviance_ratio"]) - path.dev_ratio)[1:]) <= REFERENCE
