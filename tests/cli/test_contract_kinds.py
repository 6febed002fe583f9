"""Dates, text, ordered levels and splines: held against a model as they are scored."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import pytest

from regcli.report.schemas import SCHEMAS
from tests.fuzz.tool import run_tool

ROWS = 120
FIT = (
    *("-y", "cost", "--family", "gaussian", "--date", "when", "--text", "note", "--ordinal", "size=S,M,L"),
    *("--spline", "age=4", "--min-level-count", "10", "-l", "0.001", "-m", "model.json", "-o", "fit.json"),
)


def table() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    days, age = rng.integers(0, 400, ROWS), rng.integers(20, 80, ROWS)
    size, note = rng.choice(["S", "M", "L"], ROWS), rng.choice(["free gift", "late again", "kind words"], ROWS)
    town = [*["north"] * 60, *["south"] * 56, "east", "east", "west", "west"]
    when = (pd.Timestamp("2023-01-01") + pd.to_timedelta(days, unit="D")).strftime("%Y-%m-%d")
    cost = days / 50 + np.sin(age / 10) + (size == "L") + (note == "free gift") + rng.normal(0, 0.1, ROWS)
    cost += np.where(np.array(town) == "north", 2.0, 0.0)
    return pd.DataFrame({"when": when, "age": age, "size": size, "note": note, "town": town, "cost": cost.round(3)})


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with a model in it."""
    monkeypatch.chdir(tmp_path)
    table().to_csv("train.csv", index=False)
    assert run_tool("fit", "train.csv", *FIT, "-q").status == 0
    jsonschema.validate(json.loads(Path("model.json").read_text("utf-8")), SCHEMAS["model"])


def spoilt(cells: dict[tuple[str, int], object]) -> str:
    frame = table().astype(object)
    for (name, row), cell in cells.items():
        frame[name] = frame[name].where(frame.index != row, cell)
    frame.to_csv("new.csv", index=False)
    return "new.csv"


def check(path: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(run_tool("check", "model.json", path, "-f", "json").out)
    jsonschema.validate(document, SCHEMAS["check"])
    return document


def test_the_training_table_fits() -> None:
    document = check("train.csv")
    assert (document["fits"], document["violations"]) == (True, [])
    assert document["columns"]["needed"] == ["when", "age", "size", "note", "town"]
    assert document["out_of_range"]["days(when)"] == 0
    assert document["missing"]["when"] == 0


def test_every_kind_has_its_rule_and_predict_agrees() -> None:
    path = spoilt(
        {
            ("when", 1): "soon", ("when", 2): "1999-01-01", ("age", 3): 200, ("age", 4): "old", ("size", 5): "XL",
            ("note", 6): "words never seen", ("note", 7): "", ("town", 8): "elsewhere", ("town", 9): "east",
            ("when", 10): "",
        }
    )  # fmt: skip
    document = check(path)
    found = {(entry["code"], entry["column"]): entry["count"] for entry in document["violations"]}
    bad = {
        ("bad-date", "when"): 1, ("missing-values", "when"): 1, ("text-in-numeric-column", "age"): 1,
        ("unknown-level", "size"): 1, ("unknown-level", "town"): 1,
    }  # fmt: skip
    assert {key: count for key, count in found.items() if key[0] in {code for code, _ in bad}} == bad
    assert found["out-of-range", "age"] == 1
    assert found["out-of-range", "days(when)"] == 1
    assert ("imputed", "note") in found
    first = next(entry["first"] for entry in document["violations"] if entry["code"] == "bad-date")
    assert (first["line"], first["cell"]) == (3, "soon")
    outcome = run_tool("predict", "model.json", path, "--on-bad-row", "null", "--metrics-out", "metrics.json")
    rows = list(csv.DictReader(io.StringIO(outcome.out)))
    assert [at for at, row in enumerate(rows) if not row["prediction"]] == [1, 4, 5, 8, 10]
    assert document["rows_scorable"] == ROWS - 5
    assert json.loads(Path("metrics.json").read_text("utf-8"))["violations"] == document["violations"]


def test_terms_add_up_to_the_last_digit_with_words_too() -> None:
    outcome = run_tool("predict", "model.json", "train.csv", "--type", "terms")
    rows = list(csv.DictReader(io.StringIO(outcome.out)))
    assert any(name.startswith("term(word(note,") for name in rows[0])
    for row in rows:
        total = 0.0
        for name in list(row)[1:]:
            total += float(row[name])
        assert repr(total) == row["prediction"]


def test_a_column_of_another_type_is_told() -> None:
    table().assign(when=1.5, note=2.5).to_parquet("new.parquet")
    document = check("new.parquet")
    found = {(entry["code"], entry["column"]) for entry in document["violations"] if entry["severity"] == "error"}
    assert {column for _, column in found} <= {"when", "note"}
    assert ("bad-date", "when") in found or ("unsupported-type", "when") in found
    assert document["rows_scorable"] == 0


def test_a_path_with_words_is_kept_whole() -> None:
    words = [word if word != "0.001" else "0.1,0.01,0.001" for word in FIT]
    assert run_tool("fit", "train.csv", *words, "--save-path", "--rule", "min").status == 0
    before = run_tool("predict", "model.json", "train.csv").out
    model = json.loads(Path("model.json").read_text("utf-8"))
    assert any(entry["term"].startswith("word(") for entry in model["path"]["coefficients"])
    assert run_tool("predict", "model.json", "train.csv", "--lambda", repr(model["lambda"])).out == before
    assert run_tool("predict", "model.json", "train.csv", "--lambda", "0.05", "-qq").status == 0


def test_fills_for_ordered_levels() -> None:
    path = spoilt({("size", 3): "", ("age", 4): "", ("town", 5): ""})
    assert run_tool("predict", "model.json", path).status == 3
    for policy in ("mean", "median"):
        outcome = run_tool("predict", "model.json", path, "--missing", policy)
        assert outcome.status == 0, outcome.err
        rows = list(csv.DictReader(io.StringIO(outcome.out)))
        levels = [run_tool("predict", "model.json", spoilt({("size", 3): level}), "-qq").out for level in "SML"]
        each = [float(list(csv.DictReader(io.StringIO(out)))[3]["prediction"]) for out in levels]
        shares = table()["size"].value_counts(normalize=True)
        mean = sum(value * shares[level] for value, level in zip(each, "SML", strict=True))
        middle = each[1 if shares["S"] <= 0.5 and shares["L"] < 0.5 else 0]
        assert float(rows[3]["prediction"]) == pytest.approx(mean if policy == "mean" else middle, rel=1e-9)
        path = spoilt({("size", 3): "", ("age", 4): "", ("town", 5): ""})
