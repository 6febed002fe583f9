"""Coefficients against scikit-learn, each of whose answers is itself checked by the oracle.

scikit-learn gets the columns centred and scaled (or raw, for the cases without standardizing) and its strength in its
own terms: ``alpha`` of Lasso and ElasticNet is lambda, that of Ridge lambda times the sum of the weights, and C of
LogisticRegression one over that product.
"""

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import ElasticNet, Lasso, LinearRegression, LogisticRegression, Ridge

from regcli.cli.boundary import run
from tests.cli.conftest import SAMPLES
from tests.oracle import Problem, violation
from tests.tolerances import REFERENCE

pytestmark = pytest.mark.reference

Vector = NDArray[np.float64]
Kind = Literal["none", "l2", "l1", "elasticnet"]
RATIO = {"none": 1.0, "l2": 0.0, "l1": 1.0, "elasticnet": 0.3}


@dataclass(frozen=True, eq=False)
class Sample:
    """A table with its raw columns and the 0/1 or numeric target; ``path`` is the file that regcli reads."""

    path: Path
    names: tuple[str, ...]
    X: Vector
    y: Vector
    target: str
    weights: Vector | None


@dataclass(frozen=True)
class Case:
    """One model; ``plain`` leaves out standardizing and intercept."""

    table: Literal["diabetes", "breast_cancer"]
    kind: Kind
    lam: float
    weighted: bool
    plain: bool = False

    def __str__(self) -> str:
        words = [self.table, self.kind, f"{self.lam:g}", "weighted" * self.weighted, "plain" * self.plain]
        return "-".join(word for word in words if word)


STRENGTHS: dict[tuple[Literal["diabetes", "breast_cancer"], Kind], tuple[float, ...]] = {
    ("diabetes", "none"): (0.0,),
    ("diabetes", "l2"): (3.0, 0.3, 0.01),
    ("diabetes", "l1"): (12.0, 1.2, 0.1),
    ("diabetes", "elasticnet"): (3.0, 0.3, 0.01),
    ("breast_cancer", "l2"): (0.3, 0.03, 0.003),
    ("breast_cancer", "l1"): (0.1, 0.03, 0.01),
    ("breast_cancer", "elasticnet"): (0.1, 0.03, 0.01),
}
PLAIN: dict[Kind, tuple[float, ...]] = {"l2": (300.0, 3.0, 0.1), "l1": (300.0, 30.0, 3.0)}
CASES = [
    Case(table, kind, lam, weighted)
    for (table, kind), strengths in STRENGTHS.items()
    for lam in strengths
    for weighted in (False, True)
    # saga takes many seconds over the weaker lassos with weights, of which glmnet's cases have enough
    if not (weighted and (table, kind) == ("breast_cancer", "l1") and lam < max(strengths))
] + [
    Case("diabetes", kind, lam, weighted, plain=True)
    for kind, strengths in PLAIN.items()
    for lam, weighted in zip(strengths, (False, True, False), strict=True)
]


def load(name: str, directory: Path, *, weighted: bool) -> Sample:
    """Read a sample; with weights (one row in seven has none) write a copy that has them as column ``w``."""
    path = SAMPLES / f"{name}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    X = np.array([[float(cell) for cell in row[:-1]] for row in rows])
    binomial = name == "breast_cancer"
    y = np.array([float(row[-1] == "malignant") if binomial else float(row[-1]) for row in rows])
    weights = None
    if weighted:
        count = np.arange(len(rows))
        weights = np.where(count % 7 == 0, 0.0, (count % 5 + 1) / 4)
        path = directory / path.name
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["w", *header])
            writer.writerows([repr(w), *row] for w, row in zip(weights.tolist(), rows, strict=True))
    return Sample(path, tuple(header[:-1]), X, y, header[-1], weights)


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, bool], Sample]:
    directory = tmp_path_factory.mktemp("weighted")
    names = ("diabetes", "breast_cancer")
    return {(name, flag): load(name, directory, weighted=flag) for name in names for flag in (False, True)}


def problem_of(case: Case, sample: Sample) -> Problem:
    return Problem(
        X=sample.X,
        y=sample.y,
        lam=case.lam,
        family="binomial" if case.table == "breast_cancer" else "gaussian",
        l1_ratio=RATIO[case.kind],
        weights=sample.weights,
        intercept=not case.plain,
        standardize=not case.plain,
    )


def peer_of(case: Case, total: float) -> Any:  # noqa: ANN401 (scikit-learn ships no types)
    """Build the estimator of scikit-learn, with its strength in its own terms and as accurate as it can be."""
    ratio = RATIO[case.kind]
    if case.table == "breast_cancer":
        # liblinear would penalise the intercept; only saga has an L1 part without
        solver = "newton-cholesky" if case.kind == "l2" else "saga"
        return LogisticRegression(C=1 / (case.lam * total), l1_ratio=ratio, solver=solver, tol=1e-10, max_iter=100_000)
    how: dict[str, Any] = {"fit_intercept": not case.plain}
    exact: dict[str, Any] = how | {"tol": 1e-14, "max_iter": 1_000_000}
    match case.kind:
        case "none":
            return LinearRegression(**how)
        case "l2":
            return Ridge(alpha=case.lam * total, solver="cholesky", **how)
        case "l1":
            return Lasso(alpha=case.lam, **exact)
        case "elasticnet":
            return ElasticNet(alpha=case.lam, l1_ratio=ratio, **exact)


def peer_answer(case: Case, sample: Sample) -> tuple[float, Vector]:
    """Intercept and coefficients of scikit-learn on the scale of the data."""
    weights = np.ones(len(sample.y)) if sample.weights is None else sample.weights
    centre, scale = np.zeros(len(sample.names)), np.ones(len(sample.names))
    if not case.plain:
        centre = np.average(sample.X, axis=0, weights=weights)
        scale = np.sqrt(np.average((sample.X - centre) ** 2, axis=0, weights=weights))
    peer = peer_of(case, weights.sum())
    peer.fit((sample.X - centre) / scale, sample.y, sample_weight=sample.weights)
    coefs = np.ravel(peer.coef_) / scale
    return float(np.ravel(peer.intercept_)[0]) - float(centre @ coefs), coefs


def arguments(case: Case, sample: Sample) -> list[str]:
    words = ["fit", str(sample.path), "--json", "--target", sample.target, "--penalty", case.kind, "--tol", "1e-11"]
    words += ["--family", "binomial" if case.table == "breast_cancer" else "gaussian"]
    words += [] if case.kind == "none" else ["--lambda", repr(case.lam)]
    words += ["--l1-ratio", repr(RATIO["elasticnet"])] if case.kind == "elasticnet" else []
    words += ["--weights", "w"] if case.weighted else []
    return words + (["--no-standardize", "--no-intercept"] if case.plain else [])


@pytest.mark.parametrize("case", CASES, ids=str)
def test_coefficients_agree(
    case: Case, samples: dict[tuple[str, bool], Sample], capsys: pytest.CaptureFixture[str]
) -> None:
    sample = samples[case.table, case.weighted]
    intercept, coefs = peer_answer(case, sample)
    assert violation(problem_of(case, sample), intercept, coefs) <= 1e-9, "the reference is not accurate"

    status = run(arguments(case, sample))
    printed = capsys.readouterr()
    assert status == 0, printed.err
    document = json.loads(printed.out)
    estimates = {entry["term"]: entry["estimate"] for entry in document["coefficients"]}
    ours = np.array([estimates.get(name, 0.0) for name in sample.names])
    sd = np.sqrt(np.average((sample.X - sample.X.mean(axis=0)) ** 2, axis=0))
    assert np.abs((ours - coefs) * sd).max() <= REFERENCE * np.abs(coefs * sd).max()
    if case.plain:
        assert document["intercept"] in (None, 0.0)
    else:
        at_centre = float(sample.X.mean(axis=0) @ (ours - coefs)) + document["intercept"] - intercept
        assert abs(at_centre) <= REFERENCE * max(1.0, float(sample.y.std()))
