"""What results are called where the model has columns of their names: in ONNX and PMML both stand side by side."""

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import onnx
import onnxruntime
import pytest

from tests.fuzz.tool import run_tool

pytestmark = pytest.mark.usefixtures("folder")

OTHERS = {"link": "link_", "response": "response_", "class": "class"}
SAID = "Gives link_, response_, class for a row."
ROWS = [{"link": float(at % 5), "response": float(at % 3), "link__": float(at % 7)} for at in range(40)]


@pytest.fixture
def told() -> dict[str, list[float | str]]:
    """What predict gives for the rows, by what it is, of a model whose columns are called as results are."""
    columns = [*ROWS[0]]
    lines = [",".join(map(str, row.values())) for row in ROWS]
    Path("new.csv").write_text("\n".join([",".join(columns), *lines]) + "\n", "utf-8")
    kinds = ["no" if (at * 7) % 5 < 2 else "yes" for at in range(len(ROWS))]
    table = [f"{line},{kind}" for line, kind in zip(lines, kinds, strict=True)]
    Path("train.csv").write_text("\n".join([",".join([*columns, "y"]), *table]) + "\n", "utf-8")
    fit = ("fit", "train.csv", "-y", "y", "--family", "binomial", "--penalty", "l2", "-l", "0.01")
    assert run_tool(*fit, "-m", "m.json", "-o", "f.json").status == 0
    found = {}
    for kind in OTHERS:
        outcome = run_tool("predict", "m.json", "new.csv", "--type", kind, "-f", "jsonl")
        found[kind] = [json.loads(line)["prediction"] for line in outcome.out.splitlines()]
    return found


def test_onnx(told: dict[str, list[float | str]]) -> None:
    assert run_tool("export", "m.json", "--to", "onnx", "-o", "m.onnx").status == 0
    assert SAID in onnx.load("m.onnx").doc_string
    session = onnxruntime.InferenceSession("m.onnx", providers=["CPUExecutionProvider"])
    given = {part.name: np.array([row[part.name] for row in ROWS]) for part in session.get_inputs()}
    names = [part.name for part in session.get_outputs()]
    assert names == [*OTHERS.values()]
    found = dict(zip(names, session.run(names, given), strict=True))
    for kind, name in OTHERS.items():
        cells = found[name].tolist()
        assert cells == told[kind] if kind == "class" else cells == pytest.approx(told[kind], rel=1e-12)


def test_pmml(told: dict[str, list[float | str]]) -> None:
    assert run_tool("export", "m.json", "--to", "pmml", "-o", "m.pmml").status == 0
    document = Path("m.pmml").read_text("utf-8")
    (header,) = ET.fromstring(document).iter("{http://www.dmg.org/PMML-4_4}Header")  # noqa: S314  (our own)
    assert SAID in header.attrib["description"]
    script = Path(__file__).with_name("read_pmml.py")
    asked = json.dumps({"m": {"document": document, "rows": ROWS}})
    done = subprocess.run([sys.executable, str(script)], input=asked, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)["m"]
    for kind, name in OTHERS.items():
        cells = [row[name] for row in found]
        assert cells == told[kind] if kind == "class" else cells == pytest.approx(told[kind], rel=1e-12)
