"""The problems of ``cases.json``, their data, and what glmnet made of them (``glmnet.json``)."""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Case", "Columns", "Curve", "GeneratedPath", "load_cases", "load_generated", "read_columns"]

Floats = NDArray[np.float64]

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Columns:
    """One table of ``cases/``: its features (n, p), target, row weights (sum one), and what the rows weigh together."""

    features: tuple[str, ...]
    x: Floats
    y: Floats
    weights: Floats
    total: float
    others: Mapping[str, Floats]

    @property
    def sds(self) -> Floats:
        """Weighted standard deviation of each feature, by 1/n: (p,)."""
        return np.sqrt(self.weights @ (self.x - self.weights @ self.x) ** 2)

    @property
    def sd_y(self) -> float:
        return float(np.sqrt(self.weights @ (self.y - self.weights @ self.y) ** 2))


@dataclass(frozen=True)
class Curve:
    """A cross-validation curve of glmnet for one measure; ``margin`` is how far the choice is from a tie."""

    measure: str
    mean: Floats
    se: Floats
    lambda_min: float
    lambda_1se: float
    margin: float


@dataclass(frozen=True)
class Case:
    """One problem with strengths given by hand; ``coefs`` is (T, p) on the scale of the data.

    ``asked`` is its entry of ``cases.json``.
    """

    name: str
    csv: Path
    family: str
    features: tuple[str, ...]
    weights: str | None
    asked: Mapping[str, Any]
    args_path: tuple[str, ...]
    args_cv: tuple[str, ...]
    lambdas: Floats
    intercepts: Floats
    coefs: Floats
    curves: Mapping[str, Curve]

    @property
    def main_curve(self) -> Curve:
        return self.curves["mse" if self.family == "gaussian" else "deviance"]


@dataclass(frozen=True)
class GeneratedPath:
    """One problem whose strengths glmnet chose; it stopped after the last of them."""

    name: str
    csv: Path
    args: tuple[str, ...]
    lambdas: Floats
    dev_ratio: Floats


@cache
def load_json(name: str) -> Any:  # noqa: ANN401  (JSON has no type)
    return json.loads((HERE / name).read_text(encoding="utf-8"))


def load_cases() -> list[Case]:
    found = {entry["name"]: entry for entry in load_json("glmnet.json")["cases"]}
    return [case_of(asked, found[asked["name"]]) for asked in load_json("cases.json")["cases"]]


def case_of(asked: Mapping[str, Any], found: Mapping[str, Any]) -> Case:
    if found["lambdas"] != asked["lambdas"]:
        raise ValueError(f"glmnet.json is older than cases.json: {asked['name']}")
    zeros = [0.0] * len(found["lambdas"])
    return Case(
        name=asked["name"],
        csv=HERE / "cases" / asked["csv"],
        family=asked["family"],
        features=tuple(asked["features"]),
        weights=asked["weights"],
        asked=asked,
        args_path=tuple(asked["args_path"]),
        args_cv=tuple(asked["args_cv"]),
        lambdas=np.array(found["lambdas"]),
        intercepts=np.array(found["intercepts"], dtype=np.float64),
        coefs=np.array([found["coefficients"].get(name, zeros) for name in asked["features"]], dtype=np.float64).T,
        curves={measure: curve_of(measure, entry) for measure, entry in found["cv"].items()},
    )


def curve_of(measure: str, entry: Mapping[str, Any]) -> Curve:
    mean, se = np.array(entry["mean"]), np.array(entry["se"])
    return Curve(measure, mean, se, entry["lambda_min"], entry["lambda_1se"], entry["margin"])


def load_generated() -> list[GeneratedPath]:
    found = {entry["name"]: entry for entry in load_json("glmnet.json")["generated"]}
    return [
        GeneratedPath(
            name=asked["name"],
            csv=HERE / "cases" / asked["csv"],
            args=tuple(asked["args"]),
            lambdas=np.array(found[asked["name"]]["lambdas"]),
            dev_ratio=np.array(found[asked["name"]]["dev_ratio"], dtype=np.float64),
        )
        for asked in load_json("cases.json")["generated"]
    ]


@cache
def read_columns(path: Path, features: tuple[str, ...], weights: str | None) -> Columns:
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        header = next(rows)
        table = np.array([[float(cell) for cell in row] for row in rows])
    raw = np.ones(len(table)) if weights is None else table[:, header.index(weights)]
    x = table[:, [header.index(name) for name in features]]
    others = {name: column for name, column in zip(header, table.T, strict=True) if name not in features}
    return Columns(features, x, others["y"], raw / raw.sum(), float(raw.sum()), others)
