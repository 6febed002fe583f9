"""Rows that metrics leave out are told of: a gate must not pass on what is left."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import SAMPLES
from tests.fuzz.tool import run_tool


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def relabelled() -> None:
    """A model of two classes, and its table with one of them in other capitals."""
    table = SAMPLES / "breast_cancer.csv"
    words = ("-y", "diagnosis", "--features", "mean_radius", "--family", "binomial", "-l", "0.01")
    run_tool("fit", table, *words, "-m", "model.json")
    Path("new.csv").write_text(table.read_text("utf-8").replace(",malignant\n", ",Malignant\n"), "utf-8")


def rates() -> None:
    """A weighted model of rates, and its table with targets and weights that are none."""
    rng = random.Random(1)  # noqa: S311  (no secret)
    rows = [(rng.gauss(0, 1), rng.random()) for _ in range(60)]
    lines = ["x,y,w", *(f"{x:.3f},{max(0, round(3 + x))},{w:.3f}" for x, w in rows)]
    Path("old.csv").write_text("\n".join(lines) + "\n")
    lines[3:9] = ["0.1,-inf,1", "0.1,abc,1", "0.1,inf,1", "0.1,3,-5", "0.1,3,heavy", "0.1,,1"]
    Path("new.csv").write_text("\n".join(lines) + "\n")
    run_tool("fit", "old.csv", "-y", "y", "--weights", "w", "--family", "poisson", "-l", "0.01", "-m", "model.json")


def told(document: dict[str, Any]) -> list[tuple[str, str, int, str, str]]:
    keys = ("code", "column", "count", "expected")
    return [(*(each[key] for key in keys), each["first"]["cell"]) for each in document["violations"]]


def test_classes_that_the_model_does_not_know_are_violations() -> None:
    relabelled()
    found = run_tool("check", "model.json", "new.csv", "-f", "json")
    assert (found.status, found.document["metrics_rows"], found.document["fits"]) == (0, 357, True)
    assert told(found.document) == [("target-domain", "diagnosis", 212, "one of benign, malignant", "Malignant")]
    strict = run_tool("check", "model.json", "new.csv", "--strict", "--assert", "metrics.accuracy > 0.9", "-f", "json")
    assert (strict.status, json.loads(strict.out)["checks"][0]["passed"]) == (3, True)


def test_numbers_and_weights_that_cannot_be_are_violations() -> None:
    rates()
    found = run_tool("check", "model.json", "new.csv", "-f", "json")
    assert told(found.document) == [
        ("target-domain", "y", 3, "numbers from 0 on", "-inf"),
        ("bad-weights", "w", 2, "a number, 0 or more", "-5"),
    ]
    assert found.document["metrics_rows"] == 54
    assert found.document["rows_scorable"] == 60


@pytest.mark.parametrize("made", [relabelled, rates])
def test_predict_warns_of_them(made: Any) -> None:  # noqa: ANN401  (one of two functions)
    made()
    usual = run_tool("predict", "model.json", "new.csv")
    assert usual.status == 0
    assert "warning[target-domain]" in usual.err
    assert "do not count in the metrics; the first at new.csv:" in usual.err
    assert run_tool("predict", "model.json", "new.csv", "--strict").status == 3


def test_predict_in_json_tells_warnings_and_metrics_as_lines_of_json() -> None:
    rates()
    found = run_tool("predict", "model.json", "new.csv", "--json")
    assert len(json.loads(found.out)) == 60
    first, second, third = map(json.loads, found.err.splitlines())
    assert [each["warning"]["code"] for each in (first, second)] == ["target-domain", "bad-weights"]
    assert (third["schema"], third["rows"]) == ("regcli.metrics/1", 54)
    assert run_tool("predict", "model.json", "new.csv", "--json", "-q").err.count("\n") == 2
    assert run_tool("predict", "model.json", "new.csv", "--json", "-qq").err == ""
