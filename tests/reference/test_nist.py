"""Least squares on the reference problems of NIST: seven correct digits in every coefficient."""

import csv
import json
import math
from fractions import Fraction
from pathlib import Path

import pytest

from regcli.cli.boundary import run
from tests.reference.nist import PROBLEMS, Nist

pytestmark = pytest.mark.reference

DIGITS = 7


def correct_digits(found: float, certified: float) -> float:
    """Number of correct digits, by the logarithm of the relative error."""
    return math.inf if found == certified else -math.log10(abs(found - certified) / abs(certified))


def exact_least_squares(problem: Nist) -> list[float]:
    """Solve the normal equations in rational arithmetic, by Gauss and Jordan."""
    design = [[Fraction(1)] * problem.intercept + [Fraction(cell) for cell in row[1:]] for row in problem.rows]
    y = [Fraction(row[0]) for row in problem.rows]
    p = len(design[0])
    zero = Fraction(0)
    system = [
        [sum((row[i] * row[j] for row in design), zero) for j in range(p)]
        + [sum((row[i] * value for row, value in zip(design, y, strict=True)), zero)]
        for i in range(p)
    ]
    for i in range(p):
        system[i] = [cell / system[i][i] for cell in system[i]]
        for k in range(p):
            if k != i:
                system[k] = [a - system[k][i] * b for a, b in zip(system[k], system[i], strict=True)]
    return [float(row[-1]) for row in system]


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
def test_certified_values_are_those_of_the_rows(problem: Nist) -> None:
    """The numbers in ``nist.py`` belong together: exact arithmetic on its rows gives its certified values."""
    exact = exact_least_squares(problem)
    assert min(map(correct_digits, exact, problem.certified)) >= 12


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
def test_seven_digits(problem: Nist, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / f"{problem.name}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["y", *problem.columns])
        writer.writerows([repr(cell) for cell in row] for row in problem.rows)
    words = ["fit", str(path), "--target", "y", "--penalty", "none", "--family", "gaussian", "--json"]
    status = run(words if problem.intercept else [*words, "--no-intercept"])
    printed = capsys.readouterr()
    assert status == 0, printed.err
    document = json.loads(printed.out)
    estimates = {entry["term"]: entry["estimate"] for entry in document["coefficients"]}
    found = [document["intercept"]] * problem.intercept + [estimates[name] for name in problem.columns]
    digits = list(map(correct_digits, found, problem.certified))
    assert min(digits) >= DIGITS, digits
