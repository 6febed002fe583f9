"""Every path of the reference cases and of the sample data satisfies the optimality conditions.

The files are read again and the violation is recomputed from the written coefficients by code that shares nothing
with the package (``tests.certificate``).
"""

import csv
import json
from pathlib import Path

import pytest

from regcli.cli.boundary import run
from tests.certificate import certificate
from tests.cli.conftest import SAMPLES
from tests.reference.stored import Case, load_cases

#: The default of --tol, and the largest violation allowed at any strength.
TOLERANCE = 1e-7

VISITS = ("--drop", "visit_id", "--drop", "visit_date", "--weights", "survey_weight", "--missing", "drop")


def certified(words: list[str], capsys: pytest.CaptureFixture[str], columns: list[str]) -> None:
    status = run([*words, "--json"])
    printed = capsys.readouterr()
    assert status == 0, printed.err
    document = json.loads(printed.out)
    measured = certificate(document, words[1], columns=columns)
    assert measured.violation.size == len(document["lambdas"])
    within = (measured.violation <= TOLERANCE) | (measured.violation <= measured.floor)
    assert within.all(), measured.violation.max()


def others(path: Path, *leave: str) -> list[str]:
    with path.open(encoding="utf-8") as file:
        return [name for name in next(csv.reader(file)) if name not in leave]


@pytest.mark.reference
@pytest.mark.parametrize("case", load_cases(), ids=lambda case: case.name)
def test_every_strength_of_a_reference_case(case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    certified(["path", str(case.csv), *case.args_path], capsys, list(case.features))


@pytest.mark.parametrize("penalty", [("l1",), ("l2",), ("elasticnet", "--l1-ratio", "0.3")], ids=lambda words: words[0])
@pytest.mark.parametrize(("name", "target"), [("diabetes", "progression"), ("breast_cancer", "diagnosis")])
def test_every_strength_of_a_sample_path(
    name: str, target: str, penalty: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    path = SAMPLES / f"{name}.csv"
    words = ["path", str(path), "--target", target, "--penalty", *penalty]
    certified(words, capsys, others(path, target))


@pytest.mark.parametrize("standardize", ["all", "numeric", "none"])
def test_every_strength_of_a_messy_path(standardize: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = SAMPLES / "clinic_visits.csv"
    words = ["path", str(path), "--target", "cost", *VISITS, "--standardize", standardize]
    certified(words, capsys, others(path, "cost", "visit_id", "visit_date", "survey_weight"))
