"""The ONNX graph in onnxruntime against predict."""

import sys
from typing import Any
from unittest.mock import patch

import numpy as np
import onnx
import onnxruntime
import pytest

from tests.export.models import CASES, exported, fitted, nearly, rows, truth, unsure
from tests.fuzz.tool import run_tool

GONE = ("", "NA", "NaN", "nan", "null")


def graph(name: str) -> bytes:
    return exported(name, "onnx").encode("utf-8", "surrogateescape")


def answers(name: str) -> dict[str, Any]:
    """What the runtime gives for all rows."""
    session = onnxruntime.InferenceSession(graph(name), providers=["CPUExecutionProvider"])
    given: dict[str, Any] = {}
    for part in session.get_inputs():
        cells = [row[part.name] for row in rows(name)]
        if part.type == "tensor(double)":
            given[part.name] = np.array([np.nan if cell in GONE else float(cell) for cell in cells])
        else:
            assert part.type == "tensor(string)"
            given[part.name] = np.array(cells, dtype=object)
    outputs = [part.name for part in session.get_outputs()]
    return dict(zip(outputs, session.run(outputs, given), strict=True))


@pytest.mark.parametrize("name", CASES)
def test_rows_score_as_predict_scores_them(name: str) -> None:
    found = answers(name)
    assert list(found) == list(truth(name)[0])
    for kind, values in found.items():
        cells = values.tolist() if values.shape else [values.tolist()] * len(rows(name))  # without inputs, one answer
        for cell, row, expected in zip(cells, rows(name), truth(name), strict=True):
            if unsure(name, row):
                assert cell == "" or cell != cell  # noqa: PLR0124  (NaN)
                continue
            there = None if cell == "" or cell != cell else cell  # noqa: PLR0124  (NaN)
            assert nearly(there, expected[kind]), (row, cell)


@pytest.mark.parametrize("name", CASES)
def test_it_is_a_graph_of_the_standard(name: str) -> None:
    model = onnx.load_from_string(graph(name))
    onnx.checker.check_model(model, full_check=True)
    assert {entry.key: entry.value for entry in model.metadata_props}["model"].startswith("sha256:")
    words = {"com.microsoft"} if "--text" in CASES[name].words else set()  # what cuts texts into words
    assert {entry.domain for entry in model.opset_import} == {"", "ai.onnx.ml", *words}
    assert graph(name) == graph(name)


def test_without_the_package_the_error_says_how_to_get_it(tmp_path: Any) -> None:  # noqa: ANN401
    model = tmp_path / "model.json"
    model.write_text(fitted("gaussian"), "utf-8")
    with patch.dict(sys.modules, {"onnx": None}):
        run = run_tool("export", model, "--to", "onnx", "-o", tmp_path / "scorer.onnx")
    assert (run.status, "error[not-installed]" in run.err, "pip install 'regcli[onnx]'" in run.err) == (2, True, True)
    assert not (tmp_path / "scorer.onnx").exists()
