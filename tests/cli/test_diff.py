"""diff: two documents held against each other, and every number of what is told computed a second time here."""

import csv
import io
import json
import math
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from regcli.app.diff import FLOOR
from regcli.report.schemas import SCHEMAS
from regcli.report.tables import table
from tests.cli.conftest import ROOT
from tests.fuzz.tool import Outcome, run_tool

Document = dict[str, Any]

DIABETES = str(ROOT / "sample_data" / "diabetes.csv")
GAUSSIAN = ("-y", "progression", "--family", "gaussian")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models and the documents of their fits, two cvs, two paths."""
    made = tmp_path_factory.mktemp("diff")
    for name, words in {"old": ("-l", "1"), "new": ("-l", "9")}.items():
        outputs = ("-m", made / f"{name}.json", "-o", made / f"{name}.fit.json")
        assert run_tool("fit", DIABETES, *GAUSSIAN, *words, "--folds", "5", *outputs).status == 0
    for rule in ("min", "1se"):
        assert run_tool("cv", DIABETES, *GAUSSIAN, "--rule", rule, "-o", made / f"{rule}.cv.json").status == 0
    for name, strengths in {"long": "30,10,3,1,0.3", "short": "30,10,5,1"}.items():
        assert run_tool("path", DIABETES, *GAUSSIAN, "-l", strengths, "-o", made / f"{name}.path.json").status == 0
    return made


def run(folder: Path, one: str, other: str, *words: str) -> tuple[Outcome, Document]:
    outcome = run_tool("diff", folder / f"{one}.json", folder / f"{other}.json", *words, "-f", "json")
    document: Document = json.loads(outcome.out)
    jsonschema.validate(document, SCHEMAS["diff"])
    return outcome, document


def read(path: Path) -> Document:
    document: Document = json.loads(path.read_text("utf-8"))
    return document


def estimates(document: Document) -> dict[str, float]:
    return {row["term"]: row["estimate"] for row in document["coefficients"]}


@pytest.mark.parametrize(("one", "other"), [("old", "old"), ("old", "old.fit"), ("min.cv", "min.cv"),
                                            ("long.path", "long.path")])  # fmt: skip
def test_what_is_the_same_is_said_to_be(one: str, other: str, folder: Path) -> None:
    for tol in ("0", "1e-6"):
        outcome, document = run(folder, one, other, "--exit-code", "--tol", tol)
        assert (outcome.status, outcome.err) == (0, "")
        assert (document["same"], document["n_changes"], document["terms"], document["facts"]) == (True, 0, [], [])


@pytest.mark.parametrize(("one", "other"), [("old", "new"), ("old.fit", "new"), ("old.fit", "new.fit")])
def test_terms_that_changed_are_told_with_both_estimates(one: str, other: str, folder: Path) -> None:
    before, after = (estimates(read(folder / f"{name}.fit.json")) for name in ("old", "new"))
    _, document = run(folder, one, other)
    told = {entry["term"]: entry for entry in document["terms"]}
    assert set(told) == set(before) | set(after)
    for term, entry in told.items():
        a, b = before.get(term, 0.0), after.get(term, 0.0)
        assert (entry["a"], entry["b"], entry["absolute"]) == (a, b, b - a)
        assert entry["relative"] == (None if a == 0 else pytest.approx((b - a) / abs(a), rel=1e-15))
        assert entry["change"] == ("in" if a == 0 else "out" if b == 0 else "sign" if a * b < 0 else "size")
    assert {entry["change"] for entry in told.values()} == {"out", "size"}
    assert document["selected"] == {"in": [], "out": [name for name in before if name not in after]}
    assert bool(document["metrics"]) == (other == "new.fit")


def test_metrics_and_strengths_are_those_of_the_documents(folder: Path) -> None:
    a, b = (read(folder / f"{rule}.cv.json") for rule in ("min", "1se"))
    _, document = run(folder, "min.cv", "1se.cv")
    assert {e["name"]: (e["change"], e["a"], e["b"]) for e in document["strengths"]} == {
        "lambda": ("size", a["lambda_min"], a["lambda_1se"]),
        "lambda_min": ("same", a["lambda_min"], a["lambda_min"]),
        "lambda_1se": ("same", a["lambda_1se"], a["lambda_1se"]),
    }
    scores = {(e["part"], e["metric"]): (e["a"], e["b"]) for e in document["metrics"]}
    for part in ("cv", "train", "null"):
        for name in ("rmse", "r2", "mae"):
            assert scores[part, name] == (a["metrics"][part][name], b["metrics"][part][name])
    null = [entry["change"] for entry in document["metrics"] if entry["part"] == "null"]
    assert set(null) == {"same"}


def test_the_way_back_turns_every_change_round(folder: Path) -> None:
    turned = {"in": "out", "out": "in", "sign": "sign", "size": "size"}
    there, back = run(folder, "old", "new")[1]["terms"], run(folder, "new", "old")[1]["terms"]
    assert {e["term"]: (turned[e["change"]], e["b"], e["a"]) for e in there} == {
        e["term"]: (e["change"], e["a"], e["b"]) for e in back
    }


def changed(folder: Path, tmp_path: Path, term: str, factor: float, *, add: float = 0.0) -> Path:
    """The old fit with one other estimate."""
    document = read(folder / "old.fit.json")
    for row in document["coefficients"]:
        if row["term"] == term:
            sd = row["std_estimate"] / row["estimate"]
            row["estimate"] = row["estimate"] * factor + add
            row["std_estimate"] = row["estimate"] * sd
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(document), "utf-8")
    return path


@pytest.mark.parametrize(
    ("factor", "tol", "kind"),
    [(1 + 5e-7, "1e-6", None), (1 + 2e-6, "1e-6", "size"), (1.04, "0.05", None), (1.06, "0.05", "size"),
     (-1, "0.5", "sign"), (1 + 1e-12, "0", "size"), (0.0, "0.9", "out")],
)  # fmt: skip
def test_the_tolerance_is_a_share_of_the_larger(
    factor: float, tol: str, kind: str | None, folder: Path, tmp_path: Path
) -> None:
    path = changed(folder, tmp_path, "bmi", factor)
    outcome = run_tool("diff", folder / "old.fit.json", path, "--tol", tol, "--exit-code", "-f", "json")
    assert [(e["term"], e["change"]) for e in json.loads(outcome.out)["terms"]] == ([("bmi", kind)] if kind else [])
    assert outcome.status == (1 if kind else 0)
    assert ("error[check-failed]" in outcome.err) == bool(kind)


def test_there_is_one_zero(folder: Path, tmp_path: Path) -> None:
    document = read(folder / "old.fit.json")
    document["metrics"]["null"]["r2"] = -0.0
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(document), "utf-8")
    outcome = run_tool("diff", folder / "old.fit.json", path, "-f", "json")
    (r2,) = (e for e in json.loads(outcome.out)["metrics"] if (e["part"], e["metric"]) == ("null", "r2"))
    assert [(r2[key], math.copysign(1.0, r2[key])) for key in ("b", "absolute")] == [(0.0, 1.0), (0.0, 1.0)]


@pytest.mark.parametrize(("share", "same"), [(0.5 * FLOOR, True), (2 * FLOOR, False)])
def test_what_is_almost_nothing_beside_the_largest_is_nothing(
    share: float,
    same: bool,  # noqa: FBT001  (a parameter of the test)
    folder: Path,
    tmp_path: Path,
) -> None:
    rows = read(folder / "old.fit.json")["coefficients"]
    largest = max(abs(row["std_estimate"]) for row in rows)
    sd = next(row["std_estimate"] / row["estimate"] for row in rows if row["term"] == "s6")
    tiny = changed(folder, tmp_path, "s6", 0.0, add=share * largest / sd)
    without = tmp_path / "without.json"
    document = read(folder / "old.fit.json")
    document["coefficients"] = [row for row in document["coefficients"] if row["term"] != "s6"]
    without.write_text(json.dumps(document), "utf-8")
    found = json.loads(run_tool("diff", without, tiny, "--tol", "0.1", "-f", "json").out)
    assert [entry["change"] for entry in found["terms"]] == ([] if same else ["in"])
    strict = json.loads(run_tool("diff", without, tiny, "--tol", "0", "-f", "json").out)
    assert [entry["change"] for entry in strict["terms"]] == ["in"]


def test_paths_are_compared_at_the_strengths_of_both(folder: Path) -> None:
    _, document = run(folder, "long.path", "short.path")
    assert (document["only_a"], document["only_b"]) == ([3.0, 0.3], [5.0])
    assert [(entry["term"], entry["change"]) for entry in document["terms"]] == [("s4", "out")]
    path = read(folder / "long.path.json")
    path["coefficients"][0]["values"][3] *= 1.5
    (folder / "bent.path.json").write_text(json.dumps(path), "utf-8")
    _, document = run(folder, "long.path", "bent.path")
    (entry,) = document["terms"]
    assert (entry["term"], entry["change"], entry["lambda"]) == (path["coefficients"][0]["term"], "size", 1.0)
    assert entry["b"] == pytest.approx(1.5 * entry["a"], rel=1e-15)


def test_settings_that_differ_are_told(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "ridge.json"
    assert run_tool("fit", DIABETES, *GAUSSIAN, "-l", "1", "--penalty", "l2", "-o", path).status == 0
    found = json.loads(run_tool("diff", folder / "old.fit.json", path, "-f", "json").out)
    assert {entry["name"]: (entry["a"], entry["b"]) for entry in found["facts"]}["penalty"] == ("l1", "l2")
    kinds = {entry["part"]: entry["change"] for entry in found["metrics"] if entry["part"] == "cv"}
    assert kinds == {"cv": "absent"}


def test_a_terminal_is_shown_no_more_than_fits(folder: Path, tmp_path: Path) -> None:
    documents = [read(folder / f"{name}.fit.json") for name in ("old", "new")]
    for at, document in enumerate(documents):
        row = document["coefficients"][0]
        document["coefficients"] = [
            {**row, "term": f"a_rather_long_name_{i}", "estimate": 1.0 + 1000 * at} for i in range(3000)
        ]
        (tmp_path / f"{at}.json").write_text(json.dumps(document), "utf-8")
    found = run_tool("diff", tmp_path / "0.json", tmp_path / "1.json", "--json").document
    wide, narrow, piped = (table(found, width=width) for width in (200, 70, None))
    assert "b - a" in wide
    assert "b - a" not in narrow  # rather than to break names
    assert max(map(len, narrow.splitlines())) <= 70
    assert "100,000%" in narrow
    for text in (wide, narrow):
        assert text.count("a_rather_long_name_") in range(45, 55)
        assert "further terms are not listed; --format csv lists all" in text
        assert "metric" in text  # what comes after the terms
    assert piped.count("a_rather_long_name_") == 3000


def test_formats_and_names(folder: Path, tmp_path: Path) -> None:
    document = read(folder / "old.fit.json")
    document["coefficients"][0]["term"] = hostile = "a\\|b`\x1b[2J<b>@x"
    path = tmp_path / "odd.json"
    path.write_text(json.dumps(document), "utf-8")
    one = folder / "old.fit.json"
    rows = list(csv.DictReader(io.StringIO(run_tool("diff", one, path, "-f", "csv").out)))
    assert [(row["name"], row["change"]) for row in rows] == [("sex", "out"), (hostile, "in")]
    lines = run_tool("diff", one, path, "-f", "md").out.splitlines()
    assert "1 term in, 1 term out" in lines[0]
    assert len(lines) == 6
    assert all(line.count("|") == 9 for line in lines[2:])
    assert "<b>" not in "".join(lines)
    shown = run_tool("diff", one, path, "-f", "table").out
    assert "\x1b" not in shown + "".join(lines)
    written = tmp_path / "diff.json"
    assert run_tool("diff", one, path, "-o", written).status == 0
    assert run_tool("show", written, "-f", "table").out == shown


@pytest.mark.parametrize(
    ("words", "status", "code"),
    [
        (("old.json", "long.path.json"), 2, "conflicting-options"),
        (("-", "-"), 2, "conflicting-options"),
        (("old.json", "old.json", "--tol", "-1"), 2, "unknown-option-value"),
        (("old.json", "old.json", "--tol", "nan"), 2, "unknown-option-value"),
        (("old.json", "absent.json"), 3, "file-not-found"),
        (("old.json", DIABETES), 3, "document-unreadable"),
        (("old.json",), 2, "usage"),
    ],
)
def test_what_cannot_be_compared(
    words: tuple[str, ...], status: int, code: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    outcome = run_tool("diff", *words)
    assert (outcome.status, outcome.out) == (status, "")
    assert f"error[{code}]" in outcome.err


def test_a_changed_model_and_standard_input(folder: Path, tmp_path: Path) -> None:
    model = read(folder / "old.json")
    model["intercept"] += 1
    path = tmp_path / "altered.json"
    path.write_text(json.dumps(model), "utf-8")
    assert run_tool("diff", folder / "old.json", path).status == 5
    found = run_tool("diff", folder / "old.json", "-", "--no-verify", "-f", "json", stdin=path.read_bytes())
    entry = json.loads(found.out)["intercept"]
    assert (found.status, entry["change"]) == (0, "size")
    assert entry["absolute"] == pytest.approx(1, rel=1e-9)


# -- what changes predictions beside coefficients --------------------------------------------------------------------

VISITS = str(ROOT / "sample_data" / "clinic_visits.csv")
FEW = ("--drop", "visit_id", "--drop", "visit_date", "--drop", "reason", "--drop", "clinic", "--missing", "mean")


def settings(one: Path, other: Path) -> dict[str, tuple[object, object]]:
    found = json.loads(run_tool("diff", one, other, "-f", "json").out)
    assert not found["same"]
    return {entry["name"]: (entry["a"], entry["b"]) for entry in found["facts"]}


def test_a_threshold_is_no_small_thing(tmp_path: Path) -> None:
    for threshold in ("0.5", "0.8"):
        words = ("-y", "referred", "--features", "age", "-l", "0.01", "--threshold", threshold)
        outputs = ("-m", tmp_path / f"{threshold}.json", "-o", tmp_path / f"{threshold}.fit.json")
        assert run_tool("fit", VISITS, *words, *outputs).status == 0
    for suffix in ("json", "fit.json"):
        one, other = tmp_path / f"0.5.{suffix}", tmp_path / f"0.8.{suffix}"
        assert settings(one, other)["threshold"] == (0.5, 0.8)
        assert run_tool("diff", one, other, "--exit-code").status == 1
    assert run_tool("diff", tmp_path / "0.5.json", tmp_path / "0.5.fit.json", "--exit-code").status == 0


#: What is changed in a model file, and the settings that a comparison then tells.
EDITS: dict[str, tuple[Any, dict[str, tuple[object, object]]]] = {
    "policy": (
        lambda model: feature(model, "hba1c").update(missing="error", fill=None),
        {"missing cells of hba1c": ("mean", "error"), "fill of hba1c": (None, None)},
    ),
    "fill": (lambda model: feature(model, "hba1c").update(fill=5.0), {"fill of hba1c": (None, 5.0)}),
    "last digits": (
        lambda model: feature(model, "hba1c").update(fill=feature(model, "hba1c")["fill"] * (1 + 1e-12)),
        {},
    ),
    "levels": (
        lambda model: feature(model, "insurance").update(pooled=["none", "other"]),
        {"pooled levels of insurance": ([], ["none", "other"])},
    ),
    "knots": (
        lambda model: feature(model, "age")["knots"].__setitem__(1, feature(model, "age")["knots"][1] + 0.5),
        {"knots of age": (None, None)},
    ),
    "na": (lambda model: model.update(na_values=["", "?"]), {"cells that mean missing": (None, ["", "?"])}),
    "path": (
        lambda model: model.update(path=None),
        {"strengths of the saved path": (None, "none"), "saved path": (None, "none")},
    ),
    "along the path": (
        lambda model: model["path"]["intercepts"].__setitem__(3, 1.0),
        {"saved path": ("(intercept)", "(intercept)")},
    ),
    "a strength": (
        lambda model: model["path"]["lambdas"].__setitem__(0, 9999.0),
        {"strengths of the saved path": (None, None)},
    ),
}


def feature(model: Document, column: str) -> Document:
    (found,) = (each for each in model["features"] if each["column"] == column)
    entry: Document = found
    return entry


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with a path, a spline, a category and filled cells."""
    path = tmp_path_factory.mktemp("settings") / "model.json"
    words = ("-y", "cost", "--family", "gaussian", "--spline", "age", "--save-path", "--folds", "3", "-m", path)
    assert run_tool("fit", VISITS, *words, *FEW, "-qq").status == 0
    return path


@pytest.mark.parametrize("edit", EDITS)
def test_models_that_predict_otherwise_are_not_the_same(edit: str, whole: Path, tmp_path: Path) -> None:
    model = read(whole)
    change, expected = EDITS[edit]
    change(model)
    other = tmp_path / "edited.json"
    other.write_text(json.dumps(model), "utf-8")
    outcome = run_tool("diff", whole, other, "--no-verify", "-f", "json")
    found = {entry["name"]: (entry["a"], entry["b"]) for entry in json.loads(outcome.out)["facts"]}
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        for told, value in zip(found[name], values, strict=True):
            assert value is None or told == value
    shown = run_tool("diff", whole, other, "--no-verify", "-f", "table").out
    assert max(map(len, shown.splitlines()), default=0) < 300  # a few words of what differs, not all of it


def test_of_long_lists_what_differs_is_told(tmp_path: Path) -> None:
    for count in (2, 3):
        rows = [f"{'w' * (1 + at % 12)} {'v' * (1 + at % (14 + count))},{at % 7}" for at in range(60)]
        (tmp_path / f"{count}.csv").write_text("note,y\n" + "\n".join(rows) + "\n", "utf-8")
        words = ("-y", "y", "--family", "gaussian", "--text", "note", "--penalty", "l2", "-l", "1", "-qq")
        done = run_tool("fit", tmp_path / f"{count}.csv", *words, "-m", tmp_path / f"{count}.json")
        assert done.status == 0, done.err
    told = settings(tmp_path / "2.json", tmp_path / "3.json")["words of note"]
    assert told == ("26", f"27, here alone: {'v' * 17}")
