"""Counts without a penalty against R's glm: offsets, exposures, weights with zeros, rates."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from regcli.cli.boundary import run
from tests.reference.stored import Case, load_cases, load_json, read_columns
from tests.tolerances import SOLVED

pytestmark = pytest.mark.reference

FITS: list[Mapping[str, Any]] = load_json("glm.json")["fits"]
CASES = {case.name: case for case in load_cases()}


def arguments(case: Case) -> list[str]:
    """Those of the case, without its penalty; every option with a value is two words."""
    words = list(case.args_path)
    for option in ("--penalty", "--lambda", "--penalty-factor"):
        while option in words:
            at = words.index(option)
            del words[at : at + 2]
    return ["fit", str(case.csv), *words, "--penalty", "none", "--tol", "1e-11", "--json"]


@pytest.mark.parametrize("stored", FITS, ids=[stored["name"] for stored in FITS])
def test_counts_without_a_penalty(stored: Mapping[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    case = CASES[stored["name"]]
    status = run(arguments(case))
    printed = capsys.readouterr()
    assert status == 0, printed.err
    document = json.loads(printed.out)
    estimates = {entry["term"]: entry["estimate"] for entry in document["coefficients"]}
    assert set(estimates) == set(stored["coefficients"]) == set(case.features)
    columns = read_columns(case.csv, case.features, case.weights)
    expected = np.array([stored["coefficients"][name] for name in case.features]) * columns.sds
    found = np.array([estimates[name] for name in case.features]) * columns.sds
    assert np.abs(found - expected).max() <= SOLVED * np.abs(expected).max()
    assert abs((document["intercept"] or 0.0) - stored["intercept"]) <= SOLVED
    deviance = document["metrics"]["train"]["deviance"] * columns.total
    assert deviance == pytest.approx(stored["deviance"], rel=SOLVED)
