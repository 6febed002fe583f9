"""Splines whose quantiles coincide: fewer knots than asked for, down to one, from the fit to every use of its model."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.tool import Outcome, run_tool
from tests.tolerances import EXACT

ROWS = 60

#: Cells that are not zero, by their rows, for each number of knots: with one, two cells of sixty, below any quantile.
COLUMNS = {
    1: {7: 7, 30: 30},
    2: dict.fromkeys(range(0, ROWS, 5), 30),
    3: {row: row % 3 for row in range(ROWS)},
}


@pytest.fixture(params=COLUMNS)
def knots(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """The number of knots of a column ``z``, in a folder with its table."""
    monkeypatch.chdir(tmp_path)
    cells = [COLUMNS[request.param].get(row, 0) for row in range(ROWS)]
    y = [row * 7 % 11 + (5 if cell else 0) + row % 3 for row, cell in enumerate(cells)]
    lines = [f"{cell},{row * 7 % 11},{y[row]}\n" for row, cell in enumerate(cells)]
    Path("data.csv").write_text("z,x,y\n" + "".join(lines))
    return int(request.param)


def fit(*words: str, command: str = "fit", lam: str = "0.001") -> Outcome:
    return run_tool(command, "data.csv", "--family", "gaussian", "--lambda", lam, "--json", "--all-terms", *words)


def predictions() -> list[float]:
    outcome = run_tool("predict", "model.json", "data.csv")
    assert outcome.status == 0, outcome.err
    return [float(row["prediction"]) for row in csv.DictReader(io.StringIO(outcome.out))]


@pytest.mark.parametrize("asked", [("-y", "y", "--spline", "z"), ("--formula", "y ~ x + spline(z)")], ids=str)
def test_models_have_the_knots_that_there_are(knots: int, asked: tuple[str, ...]) -> None:
    document = fit(*asked, "-m", "model.json").document
    (stored,) = (one["knots"] for one in json.loads(Path("model.json").read_text())["features"] if one["knots"])
    assert len(stored) == knots
    names = [row["term"] for row in document["coefficients"] if row["term"] != "x"]
    assert names == ["spline(z,1)", "spline(z,2)"][: max(1, knots - 1)]
    shown = run_tool("show", "model.json", "--json").document
    assert [one["knots"] for one in shown["features"] if one["knots"]] == [stored]


def test_a_model_predicts_and_is_exported_as_it_was_fitted(knots: int) -> None:
    train = fit("-y", "y", "--spline", "z", "-m", "model.json").document["metrics"]["train"]["mse"]
    found = predictions()
    targets = [float(row["y"]) for row in csv.DictReader(io.StringIO(Path("data.csv").read_text()))]
    mse = sum((one - y) ** 2 for one, y in zip(found, targets, strict=True)) / ROWS
    assert mse == pytest.approx(train, rel=EXACT)
    assert run_tool("check", "model.json", "data.csv", "--json").document["metrics"]["mse"] == pytest.approx(
        mse, rel=EXACT
    )
    assert run_tool("export", "model.json", "--to", "python", "-o", "scorer.py").status == 0
    scored = subprocess.run(
        [sys.executable, "scorer.py"], input=Path("data.csv").read_text(), capture_output=True, text=True, check=True
    )
    again = [float(row["response"]) for row in csv.DictReader(io.StringIO(scored.stdout))]
    assert again == pytest.approx(found, rel=EXACT)
    assert knots in COLUMNS


def test_with_fewer_than_three_knots_a_spline_is_the_column_itself(knots: int) -> None:
    words = ("-y", "y", "--folds", "5", "--seed", "3")
    bent, plain = (fit(*words, *more, command="cv", lam="1,0.1,0.01").document for more in (("--spline", "z"), ()))
    same = [row["estimate"] for row in bent["coefficients"]] == [row["estimate"] for row in plain["coefficients"]]
    assert same == (knots < 3)
    assert (bent["metrics"]["cv"] == plain["metrics"]["cv"]) == (knots < 3)
