"""The PMML document in JPMML's evaluator against predict."""

import json
import math
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from regcli.problem.families.poisson import STRAIGHT
from tests.export.models import CASES, exported, nearly, rows, truth
from tests.fuzz.tool import run_tool

NUMBERS = ("size", "weight", "age", "days", "base")
GONE = ("", "NA", "NaN", "nan", "null")
SPACE = "{http://www.dmg.org/PMML-4_4}"


@cache
def answers() -> dict[str, list[dict[str, Any]]]:
    """What the evaluator gives for the rows of every case; Java starts once."""
    given = {}
    for name, case in CASES.items():
        numbers = {case.name(column) for column in NUMBERS}
        table = [
            {
                column: cell if column not in numbers else None if cell in GONE else float(cell)
                for column, cell in row.items()
            }
            for row in rows(name)
        ]
        given[name] = {"document": exported(name, "pmml"), "rows": table}
    script = Path(__file__).with_name("read_pmml.py")
    done = subprocess.run(
        [sys.executable, str(script)], input=json.dumps(given), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, list[dict[str, Any]]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", CASES)
def test_rows_score_as_predict_scores_them(name: str) -> None:
    for found, row, expected in zip(answers()[name], rows(name), truth(name), strict=True):
        if expected["link"] is None and not math.isfinite(found.get("link") or math.nan):
            continue  # missing, refused, or beyond double precision
        assert "error" not in found, (row, found)
        for kind, value in expected.items():
            if kind == "response" and CASES[name].family == "poisson" and expected["link"] > STRAIGHT:
                assert found[kind] >= value * (1 - 1e-12)  # PMML's exp has no end
            else:
                assert nearly(found[kind], value), (row, kind, found)


def test_rows_that_cannot_be_scored_are_missing() -> None:
    lost = [
        found for found, known in zip(answers()["gaussian"], truth("gaussian"), strict=True) if known["link"] is None
    ]
    assert sum(found.get("response") is None for found in lost) >= len(lost) - 2 > 5
    assert all(set(found) != {"error"} or "inf" in found["error"].lower() for found in lost), lost


@pytest.mark.parametrize("name", CASES)
def test_it_has_the_parts_of_the_standard(name: str) -> None:
    root = ET.fromstring(exported(name, "pmml"))  # noqa: S314  (written by us)
    assert root.get("version") == "4.4"
    assert [part.tag.removeprefix(SPACE) for part in root] == ["Header", "DataDictionary", "RegressionModel"]
    (model,) = root.findall(f"{SPACE}RegressionModel")
    parts = ["MiningSchema", "Output", "LocalTransformations", "RegressionTable"]
    assert [part.tag.removeprefix(SPACE) for part in model] == parts
    derived = {part.get("name") for part in model.iter(f"{SPACE}DerivedField")}
    fields = {part.get("name") for part in root.iter(f"{SPACE}DataField")}
    assert not derived & fields
    assert {part.get("name") for part in model.iter(f"{SPACE}NumericPredictor")} <= derived
    outputs = {part.get("name") for part in model.iter(f"{SPACE}OutputField")}
    assert {part.get("field") for part in model.iter(f"{SPACE}FieldRef")} <= derived | fields | outputs


def test_a_name_that_xml_cannot_hold_is_refused(tmp_path: Path) -> None:
    data, model = tmp_path / "data.csv", tmp_path / "model.json"
    data.write_text("a\x01b,y\n1,2\n2,3\n3,5\n4,4\n", "utf-8")
    assert run_tool("fit", data, "-y", "y", "--family", "gaussian", "-l", "0.01", "-m", model).status == 0
    run = run_tool("export", model, "--to", "pmml")
    assert (run.status, run.out, "error[not-exportable]" in run.err) == (2, "", True)
