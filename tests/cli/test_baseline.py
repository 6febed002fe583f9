"""Baselines: a result held against an earlier one; what cannot be compared fails."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from regcli.report.schemas import SCHEMAS
from tests.cli.conftest import ROOT
from tests.fuzz.tool import Outcome, run_tool

Document = dict[str, Any]

DIABETES = str(ROOT / "sample_data" / "diabetes.csv")
FIT = ("fit", DIABETES, "-y", "progression", "--family", "gaussian", "-l", "1", "--folds", "5")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a fit, its model, and a check of the same table."""
    monkeypatch.chdir(tmp_path)
    assert run_tool(*FIT, "-m", "model.json", "-o", "old.json").status == 0
    assert run_tool("check", "model.json", DIABETES, "-o", "check.json").status == 0
    return tmp_path


def altered(change: Callable[[Document], None], source: str = "old.json") -> str:
    """A baseline that is another one."""
    document: Document = json.loads(Path(source).read_text("utf-8"))
    change(document)
    Path("changed.json").write_text(json.dumps(document), "utf-8")
    return "changed.json"


def score(part: str, metric: str, factor: float = 1.0, add: float = 0.0) -> Callable[[Document], None]:
    def change(document: Document) -> None:
        document["metrics"][part][metric] = document["metrics"][part][metric] * factor + add

    return change


def held(baseline: str, *limits: str) -> tuple[Outcome, list[Document]]:
    """Fit against a baseline: the checks of the document."""
    outcome = run_tool(*FIT, "--baseline", baseline, *limits, "-m", "new.json", "-f", "json")
    document = json.loads(outcome.out)
    jsonschema.validate(document, SCHEMAS["fit"])
    checks = document["checks"]
    passed = all(entry["passed"] for entry in checks)
    assert outcome.status == (0 if passed else 1), outcome.err
    assert Path("new.json").exists() == passed
    assert [entry["check"] for entry in checks] == [entry["check"] for entry in checks if entry["check"][:2] == "--"]
    return outcome, checks


STRICT = ("--max-drop", "r2=0", "--max-increase", "rmse=0%", "--max-coef-change", "0", "--same-selected")


@pytest.mark.usefixtures("folder")
def test_the_same_result_holds() -> None:
    _, checks = held("old.json", *STRICT)
    assert [entry["passed"] for entry in checks] == [True] * 4


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("change", "limit", "passes"),
    [
        (score("cv", "r2", add=0.03), ("--max-drop", "r2=0.031"), True),
        (score("cv", "r2", add=0.03), ("--max-drop", "r2=0.029"), False),
        (score("cv", "r2", add=0.03), ("--max-drop", "cv.r2=0.029"), False),
        (score("cv", "r2", add=0.03), ("--max-drop", "train.r2=0.029"), True),
        (score("train", "r2", add=0.03), ("--max-drop", "metrics.train.r2=0.029"), False),
        (score("cv", "r2", add=-0.3), ("--max-drop", "r2=0"), True),
        (score("cv", "rmse", factor=1 / 1.06), ("--max-increase", "rmse=5%"), False),
        (score("cv", "rmse", factor=1 / 1.06), ("--max-increase", "rmse=7%"), True),
        (score("cv", "rmse", add=-1), ("--max-increase", "rmse=0.9"), False),
        (score("cv", "rmse", add=-1), ("--max-increase", "rmse=1.1"), True),
        (score("cv", "rmse", factor=2), ("--max-increase", "rmse=0"), True),
    ],
)
def test_directions_and_percent(change: Callable[[Document], None], limit: tuple[str, str], *, passes: bool) -> None:
    _, (entry,) = held(altered(change), *limit)
    assert (entry["passed"], entry["check"]) == (passes, " ".join(limit))
    now, before, moved = entry["values"].values()
    assert moved == (before - now if "drop" in limit[0] else now - before)


def bent(term: str, factor: float) -> Callable[[Document], None]:
    def change(document: Document) -> None:
        for row in document["coefficients"]:
            if row["term"] == term:
                row["estimate"] *= factor
                row["std_estimate"] *= factor

    return change


def without(term: str) -> Callable[[Document], None]:
    def change(document: Document) -> None:
        document["coefficients"] = [row for row in document["coefficients"] if row["term"] != term]
        document["selected"].remove(term)

    return change


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("change", "limit", "passes"),
    [
        (bent("bmi", 1.2), "17%", True),  # from 1.2 to 1
        (bent("bmi", 1.2), "16%", False),
        (bent("bp", -1), "150%", False),
        (bent("bp", -1), "250%", True),
        (without("s6"), "10000%", False),
        (without("s6"), "0.3", True),
    ],
)
def test_coefficients(change: Callable[[Document], None], limit: str, *, passes: bool) -> None:
    _, (entry,) = held(altered(change), "--max-coef-change", limit)
    assert entry["passed"] == passes
    assert entry["values"]["n_changed"] == (0 if passes else 1)


@pytest.mark.usefixtures("folder")
def test_selected_columns_are_named() -> None:
    outcome, (entry,) = held(altered(without("s6")), "--same-selected")
    assert (entry["passed"], entry["values"]) == (False, {"in": ["s6"], "out": []})
    assert 'error[check-failed]: --same-selected does not hold (in = ["s6"], out = [])' in outcome.err


def none(part: str, metric: str) -> Callable[[Document], None]:
    def change(document: Document) -> None:
        document["metrics"][part][metric] = None

    return change


@pytest.mark.usefixtures("folder")
def test_what_is_null_or_absent_fails_and_never_passes() -> None:
    limits = ("--max-increase", "rmse=1000%", "--max-drop", "r2=1000")
    assert [e["passed"] for e in held("model.json", *limits)[1]] == [False, False]  # a model has no metrics
    assert [e["passed"] for e in held(altered(none("cv", "rmse")), *limits)[1]] == [True, False]
    assert [e["passed"] for e in held("old.json", "--max-drop", "auc=1", "--max-drop", "test.r2=1")[1]] == [False] * 2
    assert [e["passed"] for e in held("check.json", "--same-selected", "--max-coef-change", "900%")[1]] == [False] * 2
    outcome = run_tool(*FIT[:-2], "--baseline", "old.json", *limits, "-f", "json")  # nothing is cross-validated here
    assert [e["passed"] for e in json.loads(outcome.out)["checks"]] == [False, False]
    assert outcome.status == 1


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("key", "part"), [("target", "data"), ("family", "model"), ("positive", "model")])
def test_another_target_is_no_baseline(key: str, part: str) -> None:
    def change(document: Document) -> None:
        document[part][key] = "poisson" if key == "family" else "other"

    _, checks = held(altered(change), *STRICT)
    assert [entry["passed"] for entry in checks] == [False] * 4
    assert f"baseline {key}" in checks[0]["values"]


@pytest.mark.usefixtures("folder")
def test_a_model_is_a_baseline_for_coefficients() -> None:
    assert [e["passed"] for e in held("model.json", "--same-selected", "--max-coef-change", "0%")[1]] == [True, True]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("baseline", "limit", "status"), [
    ("check.json", "rmse=0%", 0), ("old.json", "rmse=0%", 0), ("old.json", "rmse=0.0001%", 0),
])  # fmt: skip
def test_checks_of_data_are_held_against_checks_and_fits(baseline: str, limit: str, status: int) -> None:
    words = ("check", "model.json", DIABETES, "--baseline", baseline, "--max-increase", limit, "-f", "json")
    outcome = run_tool(*words)  # rmse on the training rows is below that of cross-validation
    document = json.loads(outcome.out)
    jsonschema.validate(document, SCHEMAS["check"])
    assert outcome.status == status
    before = json.loads(Path(baseline).read_text("utf-8"))["metrics"]
    expected = before["rmse"] if baseline == "check.json" else before["cv"]["rmse"]
    assert document["checks"][0]["values"]["baseline"] == expected
    worse = altered(lambda document: document["metrics"].update(rmse=10.0), "check.json")
    outcome = run_tool(*(worse if word == baseline else word for word in words))
    assert outcome.status == 1


@pytest.mark.usefixtures("folder")
def test_options_of_a_baseline_do_not_change_the_model() -> None:
    held("old.json", *STRICT)
    assert Path("new.json").read_bytes() == Path("model.json").read_bytes()


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("words", "status", "code"),
    [
        (("--max-drop", "r2=0.1"), 2, "option-without-effect"),
        (("--same-selected",), 2, "option-without-effect"),
        (("--baseline", "old.json"), 2, "option-without-effect"),
        (("--baseline", "old.json", "--max-drop", "r3=0.1"), 2, "unknown-option-value"),
        (("--baseline", "old.json", "--max-drop", "valid.r2=0.1"), 2, "unknown-option-value"),
        (("--baseline", "old.json", "--max-drop", "r2"), 2, "unknown-option-value"),
        (("--baseline", "old.json", "--max-drop", "r2=-1"), 2, "unknown-option-value"),
        (("--baseline", "old.json", "--max-drop", "r2=nan"), 2, "unknown-option-value"),
        (("--baseline", "old.json", "--max-coef-change", "%"), 2, "unknown-option-value"),
        (("--baseline", "-", "--same-selected"), 2, "unknown-option-value"),
        (("--baseline", "absent.json", "--same-selected"), 3, "file-not-found"),
        (("--baseline", DIABETES, "--same-selected"), 3, "document-unreadable"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_the_work(words: tuple[str, ...], status: int, code: str) -> None:
    outcome = run_tool("fit", "absent.csv", *words)  # that there is no such table would be found later
    assert (outcome.status, outcome.out) == (status, "")
    assert f"error[{code}]" in outcome.err


@pytest.mark.usefixtures("folder")
def test_a_path_and_parts_of_metrics_have_no_place() -> None:
    assert run_tool("path", *FIT[1:6], "-l", "3,1", "-o", "path.json").status == 0
    assert run_tool(*FIT, "--baseline", "path.json", "--same-selected").status == 2
    words = ("check", "model.json", DIABETES, "--baseline", "check.json", "--max-drop")
    assert run_tool(*words, "cv.r2=0.1").status == 2
    assert run_tool(*words, "r2=0.1").status == 0
