"""check: new data held against a model, cell by cell counted a second time here."""

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import pytest

from regcli.app import predictor
from regcli.app.scoring import scores_of
from regcli.problem.families import FAMILIES
from regcli.report.schemas import SCHEMAS
from tests.fuzz.tool import Outcome, run_tool
from tests.tolerances import EXACT

Frame = pd.DataFrame
Document = dict[str, Any]

ROWS = 80
FIT = ("-y", "cost", "--family", "gaussian", "--id", "who", "-l", "0.02", "--missing", "age=median", "-m", "model.json")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a model in it: cost is made of age, where and new; noise has coefficient zero."""
    monkeypatch.chdir(tmp_path)
    table().to_csv("train.csv", index=False)
    assert run_tool("fit", "train.csv", *FIT, "--penalty-factor", "noise=1e9").status == 0
    return tmp_path


def table() -> Frame:
    rng = np.random.default_rng(3)
    age = rng.integers(20, 80, ROWS).astype(float)
    where = rng.choice(["north", "south", "west"], ROWS)
    new, hours = rng.random(ROWS) < 0.5, rng.normal(size=ROWS).round(2)
    cost = (0.5 * age + 3 * (where == "west") - (where == "north") + 2 * new + hours + rng.normal(size=ROWS)).round(2)
    age[[4, 9, 14, 19]] = np.nan
    noise = rng.normal(size=ROWS).round(2)
    return pd.DataFrame(
        {"who": [f"{n:02d}" for n in range(ROWS)], "age": age, "where": where, "new": new, "hours": hours,
         "noise": noise, "cost": cost}
    )  # fmt: skip


def spoilt(cells: Mapping[tuple[str, int], object], frame: Frame | None = None) -> str:
    """The training table, or another one, with some other cells, as a file."""
    frame = (table() if frame is None else frame).astype(object)
    for (name, row), cell in cells.items():
        frame[name] = frame[name].where(frame.index != row, cell)
    frame.to_csv("new.csv", index=False)
    return "new.csv"


def run(*words: str) -> tuple[Outcome, Document]:
    outcome = run_tool("check", "model.json", *words, "-f", "json")
    document: Document = json.loads(outcome.out)
    jsonschema.validate(document, SCHEMAS["check"])
    return outcome, document


def found(document: Document) -> dict[tuple[str, str | None], int]:
    return {(entry["code"], entry["column"]): entry["count"] for entry in document["violations"]}


# -- what is found ---------------------------------------------------------------------------------------------------


def test_the_training_table_fits() -> None:
    outcome, document = run("train.csv")
    assert outcome.status == 0
    assert (document["rows"], document["rows_scorable"], document["fits"]) == (ROWS, ROWS, True)
    assert found(document) == {("imputed", "age"): 4}
    (entry,) = document["violations"]
    assert entry["training_share"] == entry["share"] == document["missing"]["age"] == 4 / ROWS
    assert entry["first"] == {"file": "train.csv", "line": 6, "row": None, "cell": ""}
    assert document["columns"] == {
        "needed": ["age", "where", "new", "hours"], "unused": ["noise"], "absent": [], "extra": []
    }  # fmt: skip
    assert document["model"]["id"] == json.loads(Path("model.json").read_text("utf-8"))["id"]


def test_every_kind_is_counted_with_its_first_cell() -> None:
    path = spoilt(
        {
            ("age", 2): "old", ("age", 7): "older", ("age", 11): "inf", ("age", 20): 19, ("age", 21): 80.5,
            ("age", 22): -5, ("where", 30): "east", ("where", 31): "east", ("where", 32): "x\x1b[2J", ("new", 40): "",
            ("hours", 50): "",
        }
    )  # fmt: skip
    outcome, document = run(path)
    assert outcome.status == 1
    assert found(document) == {
        ("text-in-numeric-column", "age"): 2, ("infinite-value", "age"): 1, ("unknown-level", "where"): 3,
        ("missing-values", "new"): 1, ("missing-values", "hours"): 1, ("imputed", "age"): 4, ("out-of-range", "age"): 3,
    }  # fmt: skip
    by_code = {entry["code"]: entry for entry in document["violations"] if entry["column"] != "hours"}
    firsts = {code: (entry["first"]["line"], entry["first"]["cell"]) for code, entry in by_code.items()}
    assert firsts == {
        "text-in-numeric-column": (4, "old"), "infinite-value": (13, "inf"), "unknown-level": (32, "east"),
        "missing-values": (42, ""), "imputed": (6, ""), "out-of-range": (22, "19.0"),
    }  # fmt: skip
    assert (by_code["out-of-range"]["below"], by_code["out-of-range"]["above"]) == (2, 1)
    assert by_code["unknown-level"]["levels"] == [{"level": "east", "count": 2}, {"level": "x\x1b[2J", "count": 1}]
    assert by_code["unknown-level"]["expected"] == "one of north, south, west"
    ages = table()["age"]
    assert by_code["out-of-range"]["expected"] == f"from {ages.min()} to {ages.max()}"
    assert document["rows_scorable"] == ROWS - 8
    assert document["unknown_levels"] == {"age": None, "where": 3 / ROWS, "new": 0.0, "hours": None, "noise": None}
    assert document["out_of_range"]["age"] == 3 / ROWS
    assert "\x1b" not in outcome.out + outcome.err
    severities = [entry["severity"] for entry in document["violations"]]
    assert severities == sorted(severities)


def test_what_check_says_is_what_predict_does() -> None:
    path = spoilt({("age", 2): "old", ("where", 5): "east", ("new", 40): "", ("age", 41): 500})
    _, document = run(path)
    outcome = run_tool("predict", "model.json", path, "--on-bad-row", "null", "--metrics-out", "metrics.json")
    rows = list(csv.DictReader(io.StringIO(outcome.out)))
    assert sum(row["prediction"] != "" for row in rows) == document["rows_scorable"] == ROWS - 3
    metrics = json.loads(Path("metrics.json").read_text("utf-8"))
    jsonschema.validate(metrics, SCHEMAS["metrics"])
    assert metrics["violations"] == document["violations"]
    told = run_tool("predict", "model.json", path, "--on-bad-row", "null", "--json").err
    assert [line for line in map(json.loads, told.splitlines()) if "warning" not in line] == [metrics]
    assert (metrics["metrics"], metrics["rows"]) == (document["metrics"], document["metrics_rows"])
    used = [row not in (2, 5, 40) for row in range(ROWS)]
    eta = np.array([float(row["prediction"]) for row, kept in zip(rows, used, strict=True) if kept])
    y = table()["cost"].to_numpy()[used]
    by_hand = scores_of(FAMILIES["gaussian"], y, eta, np.ones(y.size), threshold=0.5)
    assert document["metrics"] == pytest.approx(by_hand, rel=EXACT)


def test_a_column_that_is_absent_is_told_once() -> None:
    table().drop(columns=["age", "cost"]).assign(other=1).to_csv("new.csv", index=False)
    outcome, document = run("new.csv")
    assert outcome.status == 1
    assert found(document) == {("column-not-found", "age"): ROWS}
    assert document["violations"][0]["first"] == {"file": "new.csv", "line": None, "row": None, "cell": None}
    assert (document["rows_scorable"], document["fits"], document["metrics"]) == (0, False, None)
    assert document["missing"]["age"] is document["out_of_range"]["age"] is None
    assert document["columns"]["extra"] == ["other"]
    assert "80 of 80 rows cannot be scored: 80 rows without the column 'age'" in outcome.err


def test_columns_without_a_coefficient_break_nothing() -> None:
    table().drop(columns="noise").to_csv("new.csv", index=False)
    outcome, document = run("new.csv")
    assert (outcome.status, document["columns"]["absent"]) == (0, ["noise"])
    assert document["missing"]["noise"] is None
    outcome, document = run(spoilt({("noise", 0): "text", ("noise", 1): "", ("noise", 2): 1e9}))
    assert (outcome.status, found(document)) == (0, {("imputed", "age"): 4})
    assert document["out_of_range"]["noise"] == 1 / ROWS
    assert document["missing"]["noise"] == 1 / ROWS


def test_parquet_has_rows_and_types() -> None:
    table().assign(where=pd.Series([[1]] * ROWS, dtype=object)).to_parquet("new.parquet")
    outcome, document = run("new.parquet")
    assert outcome.status == 1
    assert found(document)["unsupported-type", "where"] == ROWS
    table().assign(where=1.5).to_parquet("new.parquet")
    assert found(run("new.parquet")[1])["unknown-level", "where"] == ROWS
    table().assign(age=table()["age"] + 100).to_parquet("new.parquet")
    _, document = run("new.parquet")
    (entry,) = [entry for entry in document["violations"] if entry["code"] == "out-of-range"]
    assert entry["first"] == {
        "file": "new.parquet", "line": None, "row": 1, "cell": repr(float(table()["age"][0] + 100))
    }  # fmt: skip


def test_several_files_are_counted_together() -> None:
    table()[:30].to_csv("one.csv", index=False)
    table()[30:].drop(columns="hours").to_parquet("two.parquet")
    _, document = run("one.csv", "two.parquet")
    assert document["files"] == [{"path": "one.csv", "rows": 30}, {"path": "two.parquet", "rows": 50}]
    assert found(document) == {("column-not-found", "hours"): 50, ("imputed", "age"): 4}
    assert document["rows_scorable"] == 30


def test_an_exposure_is_held_to_what_it_must_be() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=60), "t": rng.uniform(1, 2, 60), "n": rng.poisson(3, 60)})
    frame.to_csv("counts.csv", index=False)
    words = ("-y", "n", "--family", "poisson", "--exposure", "t", "-l", "0.001", "-m", "model.json", "-o", "fit.json")
    assert run_tool("fit", "counts.csv", *words).status == 0
    outcome, document = run(spoilt({("t", 3): 0, ("t", 4): -1, ("t", 5): "", ("x", 6): 1e300}, frame))
    assert outcome.status == 1
    assert found(document) == {
        ("bad-exposure", "t"): 2, ("missing-values", "t"): 1, ("out-of-range", "x"): 1
    }  # fmt: skip


def test_the_document_does_not_depend_on_how_the_table_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    path = spoilt({("age", 2): "old", ("where", 5): "east", ("where", 70): "up", ("new", 40): "", ("age", 60): 500})
    whole = run(path)[0]
    monkeypatch.setattr(predictor, "CHUNK_ROWS", 7)
    assert run(path)[0] == whole
    piped = run_tool("check", "model.json", "-", "--json", stdin=Path(path).read_bytes())
    assert json.loads(piped.out)["violations"] == [
        {**entry, "first": {**entry["first"], "file": "-"}} for entry in json.loads(whole.out)["violations"]
    ]


def test_more_unknown_levels_than_are_named_are_counted() -> None:
    _, document = run(spoilt({("where", row): f"place {row}" for row in range(70)}))
    entry = document["violations"][0]
    assert (entry["count"], len(entry["levels"])) == (70, 50)


def test_without_a_profile_there_are_no_ranges() -> None:
    assert run_tool("fit", "train.csv", *FIT, "--no-profile").status == 0
    outcome, document = run(spoilt({("age", 1): 1e6}))
    assert (outcome.status, found(document)) == (0, {("imputed", "age"): 4})
    assert set(document["out_of_range"].values()) == {None}
    assert document["violations"][0]["training_share"] is document["model"]["rows"] is None


# -- statuses and forms ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "usual", "strict", "code"),
    [
        ({}, 0, 3, "imputed"),
        ({("age", 1): 999}, 0, 3, "imputed"),
        ({("where", 1): "east"}, 1, 3, "unknown-level"),
        ({("hours", 1): "x"}, 1, 3, "text-in-numeric-column"),
        ({("hours", 1): ""}, 1, 3, "missing-values"),
    ],
)
def test_statuses(cells: dict[tuple[str, int], object], usual: int, strict: int, code: str) -> None:
    path = spoilt(cells)
    outcome, document = run(path)
    assert outcome.status == usual
    assert ("error[check-failed]" in outcome.err) == (usual == 1)
    hard, same = run(path, "--strict")
    assert (hard.status, same) == (strict, document)
    assert f"error[{code}]" in hard.err
    piped = run_tool("check", "model.json", path, "--json")
    if usual:
        jsonschema.validate(piped.error, SCHEMAS["error"])
        assert piped.error["code"] == "check-failed"


def test_damaged_data_have_no_document() -> None:
    Path("new.csv").write_text("age,where,new,hours\n1,north,True\n", "utf-8")
    outcome = run_tool("check", "model.json", "new.csv")
    assert (outcome.status, outcome.out, "error[ragged-row]" in outcome.err) == (3, "", True)
    outcome = run_tool("check", "model.json", "absent.csv")
    assert (outcome.status, "error[file-not-found]" in outcome.err) == (3, True)
    outcome = run_tool("check", "train.csv", "train.csv")
    assert (outcome.status, outcome.out) == (5, "")


@pytest.mark.parametrize(
    ("check", "status"),
    [
        ("missing.age <= 0.05", 0),
        ("missing.age < 0.05", 1),
        ("out_of_range.age == 0 and unknown_levels.where == 0", 0),
        ("metrics.rmse < 100 and n_violations == 1", 0),
        ("len(violations) == 0", 1),
        ("metrics.rmse < 0.01", 1),
        ("out_of_range.where == 0", 1),  # null has no answer
        ("metrics.auc > 0.5", 2),
        ("missing.agee < 0.05", 2),
        ("misssing.age < 0.05", 2),
    ],
)
def test_what_is_asked_is_answered(check: str, status: int) -> None:
    outcome = run_tool("check", "model.json", "train.csv", "--assert", check, "-f", "json")
    assert outcome.status == status, outcome.err
    if status == 2:
        assert outcome.out == ""
        return
    document = json.loads(outcome.out)
    assert [entry["passed"] for entry in document["checks"]] == [status == 0]


def test_tables_of_what_was_found() -> None:
    path = spoilt({("age", 2): "=1|`", ("where", 5): "[/b]"})
    rows = list(csv.DictReader(io.StringIO(run_tool("check", "model.json", path, "-f", "csv").out)))
    assert [(row["code"], row["column"], row["count"], row["line"], row["cell"]) for row in rows] == [
        ("text-in-numeric-column", "age", "1", "4", "=1|`"), ("unknown-level", "where", "1", "7", "[/b]"),
        ("imputed", "age", "4", "6", ""),
    ]  # fmt: skip
    told = run_tool("check", "model.json", path, "-f", "table").out
    assert "2 of which cannot be scored" in told
    assert "[/b]" in told
    lines = run_tool("check", "model.json", path, "-f", "md").out.splitlines()
    assert len(lines) == 5
    assert run_tool("check", "model.json", path, "-f", "jsonl").status == 2


def test_a_model_that_was_changed_is_used_with_a_warning_alone() -> None:
    model = json.loads(Path("model.json").read_text("utf-8"))
    model["intercept"] += 1.0
    Path("model.json").write_text(json.dumps(model), "utf-8")
    assert run_tool("check", "model.json", "train.csv").status == 5
    outcome = run_tool("check", "model.json", "train.csv", "--no-verify", "-f", "json")
    assert outcome.status == 0
    assert "warning[model-altered]" in outcome.err
    assert [warning["code"] for warning in json.loads(outcome.out)["warnings"]] == ["model-altered"]
    assert run_tool("check", "model.json", "train.csv", "--no-verify", "--strict").status == 5


def test_cells_of_rows_on_several_lines_have_their_own_line() -> None:
    text = 'who,where,new,hours,age\n"a\nb","e\nast",True,x,1000\n"c\r\nd",north,"\nmaybe",1,"\n2000"\ne,up,True,1,30'
    Path("new.csv").write_bytes(text.encode() + b"\n")
    _, document = run("new.csv")
    firsts = {entry["column"]: (entry["count"], entry["first"]["line"]) for entry in document["violations"]}
    assert firsts == {"where": (2, 3), "hours": (1, 4), "new": (1, 6), "age": (2, 4)}


def test_many_columns_are_told_each_with_its_place() -> None:
    rng = np.random.default_rng(1)
    names = [f"x{at}" for at in range(60)]
    frame = pd.DataFrame(rng.normal(size=(50, 60)).round(3), columns=names).assign(y=rng.normal(size=50))
    frame.to_csv("wide.csv", index=False)
    words = ("-y", "y", "--family", "gaussian", "--penalty", "l2", "-l", "1", "-m", "model.json", "-o", "fit.json")
    assert run_tool("fit", "wide.csv", *words).status == 0
    moved = {(name, at % 7 + 1): 9.5 for at, name in enumerate(names)}
    _, document = run(spoilt(moved, frame))
    assert [(v["column"], v["first"]["line"], v["first"]["cell"]) for v in document["violations"]] == [
        (name, at % 7 + 3, "9.5") for at, name in enumerate(names)
    ]
