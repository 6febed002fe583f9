"""The models whose ``lambda_as`` is held against the tools it names.

They are cases of ``cases.json`` at one of their strengths. ``printed.json`` has what regcli printed as glmnet's
strength, ``elsewhere.json`` what glmnet made of it; this module, run by itself, writes the former.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.reference.stored import HERE, Case, Columns, load_cases, load_json, read_columns

__all__ = ["Model", "Printed", "load_models", "load_printed"]

TABLES = (
    "plain",
    "weights",
    "offset",
    "factors",
    "limits",
    "no-intercept",
    "no-standardize",
    "together-bare",
    "exposure",
    "offset-exposure",
    "rates",
    "large",
    "zeros",
)

#: Which of a case's strengths is taken, from the largest.
AT = 9

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Model:
    """A case at one strength; ``args`` are those of ``regcli fit``."""

    case: Case
    lam: float
    args: tuple[str, ...]

    @property
    def l1_ratio(self) -> float:
        return float(self.case.asked["l1_ratio"])

    @property
    def compat(self) -> bool:
        return bool(self.case.asked["compat"])

    @property
    def alike(self) -> bool:
        """Whether all terms are penalised alike, and none is limited."""
        return not any(self.case.asked[name] for name in ("penalty_factors", "lower", "upper"))

    @property
    def columns(self) -> Columns:
        return read_columns(self.case.csv, self.case.features, self.case.weights)

    @property
    def offset(self) -> Floats:
        """Offset and logarithm of the exposure of each row, 0 without them."""
        offset, exposure = self.case.asked["offset"], self.case.asked["exposure"]
        others = self.columns.others
        total = np.zeros(self.columns.y.size) if offset is None else others[offset]
        return total if exposure is None else total + np.log(others[exposure])


@dataclass(frozen=True)
class Printed:
    """glmnet's strength as regcli printed it, and glmnet's model there."""

    lam: float
    intercept: float
    coefs: Floats


def load_models() -> list[Model]:
    tables = {f"{family}_{table}" for family in ("gaussian", "binomial", "poisson") for table in TABLES}
    return [model_of(case) for case in load_cases() if case.csv.stem in tables]


def model_of(case: Case) -> Model:
    lam = float(case.lambdas[AT])
    at = case.args_path.index("--lambda")
    args = (*case.args_path[:at], "--lambda", repr(lam), *case.args_path[at + 2 :])
    return Model(case, lam, ("fit", str(case.csv), *args, "--tol", "1e-11"))


def load_printed() -> Mapping[str, Printed]:
    models = {model.case.name: model for model in load_models()}
    return {entry["name"]: printed_of(entry, models[entry["name"]]) for entry in load_json("elsewhere.json")["fits"]}


def printed_of(entry: Mapping[str, Any], model: Model) -> Printed:
    coefs = [entry["coefficients"][name] for name in model.case.features]
    return Printed(entry["lambda"], entry["intercept"], np.array(coefs, dtype=np.float64))


def main() -> None:
    """Write ``printed.json``: the strength that regcli prints for glmnet, wherever there is one."""
    found = []
    for model in load_models():
        command = [sys.executable, "-m", "regcli", *model.args, "--json"]
        document = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        lam = document["model"]["lambda_as"]["glmnet"]
        if lam is not None:
            found.append({"name": model.case.name, "lambda": lam})
    text = json.dumps(found).replace('{"name"', '\n{"name"')
    (HERE / "printed.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
