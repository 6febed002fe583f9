"""--assert: the status, the document, and which files are there afterwards."""

import csv
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from regcli.report.schemas import SCHEMAS
from tests.cli.conftest import Process
from tests.fuzz.tool import Outcome, run_tool

FIT = ("data.csv", "-y", "y", "--family", "gaussian", "-l", "0.1")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with a table in it: y is twice a, and has nothing to do with the others."""
    monkeypatch.chdir(tmp_path)
    rng = random.Random(5)  # noqa: S311  (a table, no secret)
    with Path("data.csv").open("w", encoding="utf-8", newline="") as file:
        rows = [[rng.gauss(0, 1) for _ in range(3)] for _ in range(40)]
        csv.writer(file).writerow(["a", "b", "red\x1b[31m", "y"])
        csv.writer(file).writerows([*row, 2 * row[0] + rng.gauss(0, 0.1)] for row in rows)
    return tmp_path


def run(command: str, *words: str, checks: tuple[str, ...] = ()) -> Outcome:
    return run_tool(command, *words, *(word for check in checks for word in ("--assert", check)))


def document(outcome: Outcome, schema: str = "fit") -> dict[str, Any]:
    read: dict[str, Any] = json.loads(outcome.out)
    jsonschema.validate(read, SCHEMAS[schema])
    return read


def error(outcome: Outcome) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(outcome.err)
    jsonschema.validate(read, SCHEMAS["error"])
    return read


# -- fit and cv ------------------------------------------------------------------------------------------------------


def test_a_check_that_holds_changes_only_the_document() -> None:
    plain = run("fit", *FIT, "-m", "plain.json")
    checked = run("fit", *FIT, "-m", "model.json", checks=("metrics.train.r2 > 0.9", "'a' in selected"))
    assert (checked.status, checked.err) == (0, "wrote model.json\n")
    found = document(checked)
    assert [check["passed"] for check in found["checks"]] == [True, True]
    assert found["checks"][1] == {"check": "'a' in selected", "passed": True, "values": {"selected": ["a"]}}
    assert {**found, "checks": []} == document(plain)
    assert list(found) == list(document(plain))
    assert Path("model.json").read_bytes() == Path("plain.json").read_bytes()


@pytest.mark.parametrize("old", [None, "old"])
def test_a_check_that_fails_leaves_with_1_and_no_new_model(old: str | None) -> None:
    if old is not None:
        Path("model.json").write_text(old, "utf-8")
    done = run("fit", *FIT, "-m", "model.json", checks=("n_selected == 1", "n_selected > 2", "coef['b'] != 0"))
    assert done.status == 1
    assert done.err.splitlines() == [
        "error[check-failed]: n_selected > 2 does not hold (n_selected = 1)",
        "error[check-failed]: coef['b'] != 0 does not hold (coef['b'] = 0.0)",
        "  hint: model.json was not written",
    ]
    assert [check["passed"] for check in document(done)["checks"]] == [True, False, False]
    assert old == (Path("model.json").read_text("utf-8") if Path("model.json").exists() else None)


def test_a_check_that_fails_is_one_json_error_with_json() -> None:
    done = run("fit", *FIT, "--json", checks=("n_selected > 2", "n_terms > 8"))
    assert done.status == 1
    told = error(done)
    assert (told["code"], told["exit_code"], told["hint"]) == ("check-failed", 1, None)
    assert told["message"] == "n_selected > 2 does not hold (n_selected = 1); n_terms > 8 does not hold (n_terms = 3)"
    assert document(done)["n_selected"] == 1


def test_the_result_is_written_to_its_file_all_the_same() -> None:
    done = run("fit", *FIT, "-o", "fit.json", checks=("n_selected > 2",))
    assert (done.status, done.out) == (1, "")
    assert done.err.splitlines()[0] == "wrote fit.json"
    assert json.loads(Path("fit.json").read_text("utf-8"))["checks"][0]["passed"] is False
    assert run("fit", *FIT, "-f", "names", checks=("n_selected > 2",)).out == "a\n"


def test_failures_are_errors_and_holding_is_told_with_v() -> None:
    quiet = run("fit", *FIT, "-qq", checks=("n_selected > 2", "n_selected == 1"))
    assert quiet.err == "error[check-failed]: n_selected > 2 does not hold (n_selected = 1)\n"
    told = run("fit", *FIT, "-v", checks=("n_selected == 1",))
    assert told.err.splitlines()[-1] == "n_selected == 1 holds (n_selected = 1)"
    assert run("fit", *FIT, checks=("n_selected == 1",)).err == ""


def test_null_fails_and_may_be_asked_about() -> None:
    for check in ("metrics.test.r2 > 0", "not metrics.test.r2 > 0", "metrics.test.r2 > 0 or true", "metrics.cv.r2 < 1"):
        done = run("fit", *FIT, checks=(check,))
        assert done.status == 1
        assert done.err.endswith(".r2 = null)\n")
    assert run("fit", *FIT, checks=("metrics.test == null", "metrics.train != null")).status == 0
    assert run("fit", *FIT, checks=("1 / (n_selected - 1) > 0",)).status == 1


def test_cv_has_names_of_its_own() -> None:
    words = ("data.csv", "-y", "y", "--family", "gaussian", "-l", "1,0.1", "--folds", "4")
    checks = ("lambda_min == 0.1", "mean[-1] < mean[0]", "len(lambdas) == 2", "metrics.cv.r2 > 90%")
    assert run("cv", *words, checks=checks).status == 0
    refused = run("fit", *words, "-m", "model.json", checks=checks)
    assert refused.status == 2
    assert "no name lambda_min" in refused.err
    assert not Path("model.json").exists()


# -- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "check", ["", "n_selected >", "metric.train.r2 > 0", "metrics.train.r22 > 0", "checks", "abs('x", "lambda_1se > 0"]
)
def test_what_cannot_be_read_is_refused_before_the_data_are(check: str) -> None:
    done = run("fit", "none.csv", "--json", checks=("n_selected > 0", check))
    assert (done.status, done.out) == (2, "")
    assert error(done)["code"] == "unknown-option-value"


@pytest.mark.parametrize("check", ["coef['c'] > 0", "metrics.train.auc > 0", "n_selected", "selected > 0", "mean > 1"])
def test_what_the_data_show_to_be_wrong_is_an_error_and_nothing_is_written(check: str) -> None:
    done = run("fit", *FIT, "-m", "model.json", "-o", "fit.json", checks=("n_selected > 5", check))
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("error[unknown-option-value]: --assert ")
    assert [path.name for path in Path().iterdir()] == ["data.csv"]


def test_an_unknown_term_is_told_its_neighbours() -> None:
    done = run("fit", *FIT, "--json", checks=("coef['red'] == 0",))
    assert (done.status, error(done)["did_you_mean"]) == (2, ['coef["red\x1b[31m"]'])


def test_an_error_outranks_a_check_that_fails() -> None:
    Path("taken").mkdir()
    assert run("fit", *FIT, "-o", "taken", checks=("false",)).status == 6
    assert run("fit", "data.csv", "-y", "y", "-l", "0.1", "--strict", checks=("false",)).status == 2
    assert run("fit", "none.csv", checks=("false",)).status == 3


def test_path_has_no_checks() -> None:
    assert run("path", "data.csv", checks=("true",)).status == 2


def test_names_are_shown_and_never_sent() -> None:
    for check in ("coef['red\x1b[31m'] > 1", "'\x1b[31m' in selected", "nothing\x1b[31m", "'\x1b[31m"):
        done = run("fit", *FIT, checks=(check,))
        assert done.status in (1, 2)
        assert "\x1b" not in done.out + done.err
        assert "\\x1b[31m" in done.err or "\\u001b[31m" in done.err


def test_a_process_leaves_with_1(regcli: Callable[..., Process]) -> None:
    done = regcli("fit", *FIT, "-m", "model.json", "--assert", "n_selected > 2")
    assert (done.returncode, json.loads(done.stdout)["checks"][0]["passed"]) == (1, False)
    assert done.stderr.startswith("error[check-failed]: n_selected > 2 does not hold")
    assert not Path("model.json").exists()


# -- predict ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def model() -> str:
    assert run("fit", *FIT, "-m", "model.json").status == 0
    return "model.json"


def test_predictions_are_written_and_the_check_comes_last(model: str) -> None:
    words = (model, "data.csv", "-o", "scores.csv", "--metrics-out", "metrics.json")
    done = run("predict", *words, checks=("metrics.r2 > 0.9999", "rows == 40"))
    assert done.status == 1
    last = done.err.splitlines()[-1]
    assert last.startswith("error[check-failed]: metrics.r2 > 0.9999 does not hold (metrics.r2 = 0.9")
    assert len(Path("scores.csv").read_text("utf-8").splitlines()) == 41
    metrics = json.loads(Path("metrics.json").read_text("utf-8"))
    jsonschema.validate(metrics, SCHEMAS["metrics"])
    assert [check["passed"] for check in metrics["checks"]] == [False, True]


def test_predictions_that_pass(model: str) -> None:
    done = run("predict", model, "data.csv", "-q", checks=("metrics.r2 > 0.9", "rows == 40"))
    assert (done.status, done.err) == (0, "")
    assert len(done.out.splitlines()) == 41


@pytest.mark.parametrize("check", ["metrics.cv > 0", "coef.a > 0", "metrics.r2", "rows_used > 1", "metrics.auc > 0"])
def test_predict_knows_the_names_of_its_metrics(model: str, check: str) -> None:
    done = run("predict", model, "data.csv", "-o", "scores.csv", checks=(check,))
    assert done.status == 2
    assert not Path("scores.csv").exists()


def test_without_a_target_a_check_is_refused(model: str) -> None:
    lines = Path("data.csv").read_text("utf-8").splitlines()
    Path("new.csv").write_text("".join(line.rpartition(",")[0] + "\n" for line in lines), "utf-8")
    assert run("predict", model, "new.csv").status == 0
    done = run("predict", model, "new.csv", "-o", "scores.csv", checks=("rows > 0",))
    assert done.status == 2
    assert done.err.startswith("error[option-without-effect]: --assert: the data have no usable target 'y'")
    assert not Path("scores.csv").exists()
