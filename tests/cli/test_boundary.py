"""Errors, warnings and notes: what is said, where, and the status."""

import json
from pathlib import Path

import jsonschema
import pytest

from regcli.cli.faults import strict_error
from regcli.errors import WARNING_CODES, RegcliError, Warn
from regcli.report.schemas import SCHEMAS
from tests.cli.conftest import Inside


def test_an_error_says_what_where_and_the_way_out(inside: Inside) -> None:
    status, out, err = inside("fit", "bad.csv")
    assert (status, out) == (3, "")
    assert err.splitlines() == [
        "error[text-in-numeric-column]: column 'age' has cells that are not numbers",
        "  at bad.csv:3, column 'age'",
        "  cells: 'x\\x1b[2J'",
        "  did you mean 'aged'?",
        "  hint: --categorical age",
    ]


@pytest.mark.parametrize("words", [("--json", "fit", "bad.csv"), ("fit", "bad.csv", "--json")])
def test_an_error_is_one_json_object_with_json(inside: Inside, words: tuple[str, ...]) -> None:
    status, out, err = inside(*words)
    error = json.loads(err)
    jsonschema.validate(error, SCHEMAS["error"])
    assert (status, out) == (3, "")
    assert error["location"] == {"file": "bad.csv", "line": 3, "row": None, "column": "age"}
    assert error["cells"] == ["x\x1b[2J"]
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        ("bug.csv", 70, "internal"),
        ("big.csv", 7, "out-of-memory"),
        ("full.csv", 6, "output-failed"),
        ("late-in-class.csv", 7, "out-of-time"),
    ],
)
def test_whatever_goes_wrong_has_a_status_and_no_traceback(inside: Inside, data: str, status: int, code: str) -> None:
    got, out, err = inside("fit", data)
    assert (got, out) == (status, "")
    assert err.startswith(f"error[{code}]: ")
    assert "Traceback" not in err
    got, out, err = inside("fit", data, "--json")
    error = json.loads(err)
    jsonschema.validate(error, SCHEMAS["error"])
    assert (got, out, error["code"], error["exit_code"]) == (status, "", code, status)


def test_only_vv_shows_a_traceback(inside: Inside) -> None:
    assert "Traceback" not in inside("fit", "bug.csv", "-v")[2]
    assert "Traceback" in inside("fit", "bug.csv", "-vv")[2]
    assert inside("fit", "bug.csv")[2].startswith("error[internal]: KeyError: 'surprise'")


def test_interrupt_and_termination(inside: Inside) -> None:
    assert inside("fit", "interrupt.csv") == (130, "", "")
    assert inside("fit", "interrupt-in-class.csv") == (130, "", "")  # Python 3.11 makes a RuntimeError of it
    assert inside("fit", "terminate.csv") == (143, "", "")


def test_warnings_are_lines_on_stderr(inside: Inside) -> None:
    lines = [
        "warning[target-guessed]: target is the last column, 'y'",
        "warning[family-guessed]: family is gaussian",
    ]
    for words in ((), ("-q",)):
        status, out, err = inside("fit", "guess.csv", *words)
        assert (status, err.splitlines()) == (0, lines)
        assert json.loads(out)["schema"] == "regcli.fit/1"
    assert inside("fit", "guess.csv", "-qq")[2] == ""
    assert inside("fit", "guess.csv", "--json")[2] == ""


def test_strict_makes_a_warning_an_error_before_anything_is_written(inside: Inside) -> None:
    status, out, err = inside("fit", "guess.csv", "--strict", "-m", "model.json", "-o", "fit.json")
    assert (status, out) == (2, "")
    assert err.splitlines()[0] == "warning[family-guessed]: family is gaussian"
    assert err.splitlines()[1].startswith("error[target-guessed]: ")
    assert list(Path().iterdir()) == []
    status, _, err = inside("fit", "guess.csv", "--strict", "--json")
    assert (status, json.loads(err)["code"]) == (2, "target-guessed")
    assert inside("fit", "data.csv", "--strict")[0] == 0


@pytest.mark.parametrize("code", WARNING_CODES)
def test_every_warning_has_an_error_of_its_class(code: str) -> None:
    error = strict_error(Warn(code, "so"))
    assert isinstance(error, RegcliError)
    assert (error.code, error.exit_code) == (code, WARNING_CODES[code][0])


def test_notes_tell_what_was_written_unless_quiet(inside: Inside) -> None:
    assert inside("fit", "data.csv", "-m", "model.json")[2] == "wrote model.json\n"
    assert inside("fit", "data.csv", "-m", "model.json", "-q")[2] == ""
    assert inside("fit", "data.csv", "-v")[2] == "reading\n"


def test_the_later_side_of_the_command_wins(inside: Inside) -> None:
    assert inside("-f", "names", "fit", "data.csv")[1] == "age\nbmi\n"
    assert inside("-f", "names", "fit", "data.csv", "-f", "json")[1].startswith("{")
    assert inside("-q", "fit", "data.csv", "-m", "model.json")[2] == ""


def test_requests_carry_what_was_given(inside: Inside) -> None:
    words = ("--drop", "a", "--drop", "b*", "-l", "1,0.1", "--no-intercept", "--folds", "5", "-j", "2")
    assert inside("cv", "one.csv", "two.csv", *words)[0] == 0
    request = inside.seen[0].request
    assert type(request).__name__ == "CvRequest"
    assert request.data.data == ("one.csv", "two.csv")  # type: ignore[union-attr]
    assert request.data.drop == ("a", "b*")  # type: ignore[union-attr]
    assert request.model.no_intercept is True  # type: ignore[union-attr]
    assert request.strengths.lambdas == "1,0.1"  # type: ignore[union-attr]
    assert request.folds.folds == 5  # type: ignore[union-attr]
    assert request.penalty.penalty is None  # type: ignore[union-attr]
    assert inside.seen[0].context.jobs == 2


def test_jobs_come_from_the_flag_then_the_environment(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGCLI_JOBS", "3")
    inside("fit", "data.csv")
    inside("fit", "data.csv", "--jobs", "1")
    assert [outcome.context.jobs for outcome in inside.seen] == [3, 1]
    assert inside("fit", "data.csv", "--jobs", "0")[0] == 2


def test_formats_come_from_flag_suffix_and_environment(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGCLI_FORMAT", "names")
    assert inside("fit", "data.csv")[1] == "age\nbmi\n"
    assert inside("fit", "data.csv", "-f", "csv")[1].startswith("term,")
    assert inside("fit", "data.csv", "--json")[1].startswith("{")
    monkeypatch.setenv("REGCLI_FORMAT", "jsonl")  # fit has none: a preference, not an order
    assert inside("fit", "data.csv")[1].startswith("{\n")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("fit", "data.csv", "-f", "jsonl"), "option-without-effect"),
        (("predict", "model.json", "data.csv", "-f", "md"), "option-without-effect"),
        (("schema", "fit", "-f", "csv"), "option-without-effect"),
        (("fit", "data.csv", "-o", "fit.html"), "unknown-option-value"),
        (("fit", "data.csv", "--penalty", "l3"), "unknown-option-value"),
        (("fit", "data.csv", "--threshold", "half"), "unknown-option-value"),
        (("fit",), "usage"),
    ],
)
def test_options_that_cannot_work_are_refused_before_any_work(
    inside: Inside, words: tuple[str, ...], code: str
) -> None:
    status, out, err = inside(*words)
    assert (status, out) == (2, "")
    assert err.startswith(f"error[{code}]: ")
    assert inside.seen == []


def test_json_has_no_other_format(inside: Inside) -> None:
    status, out, err = inside("fit", "data.csv", "--json", "-f", "csv")
    assert (status, out, json.loads(err)["code"]) == (2, "", "conflicting-options")


def test_predictions_have_three_forms(inside: Inside) -> None:
    assert inside("predict", "m.json", "data.csv")[1] == "id,prediction\na,0.1\nb,\n"
    lines = inside("predict", "m.json", "data.csv", "-f", "jsonl")[1].splitlines()
    rows = [{"id": "a", "prediction": 0.1}, {"id": "b", "prediction": None}]
    assert [json.loads(line) for line in lines] == rows
    assert json.loads(inside("predict", "m.json", "data.csv", "--json")[1]) == rows


def test_metrics_of_predictions_are_a_note(inside: Inside) -> None:
    assert inside("predict", "m.json", "scored.csv")[2] == 'metrics: {"mse": 0.5}\n'
    assert inside("predict", "m.json", "scored.csv", "-q")[2] == ""


def test_color_is_asked_for(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    red = "\x1b[1;31merror\x1b[0m[internal]"
    assert inside("fit", "bug.csv", "--color", "always")[2].startswith(red)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert inside("fit", "bug.csv")[2].startswith(red)
    monkeypatch.setenv("NO_COLOR", "1")
    assert inside("fit", "bug.csv")[2].startswith("error")
    monkeypatch.setenv("REGCLI_COLOR", "always")
    assert inside("fit", "bug.csv")[2].startswith(red)
    assert inside("fit", "bug.csv", "--color", "never")[2].startswith("error")


def test_color_of_a_line_that_is_wrong_is_that_of_the_environment(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert inside("fti")[2].startswith("\x1b[1;31merror")
    monkeypatch.setenv("REGCLI_COLOR", "mauve")
    assert inside("fti")[2].startswith("error[usage]: no command 'fti'")
    monkeypatch.setenv("REGCLI_COLOR", "")
    monkeypatch.setenv("NO_COLOR", "1")
    assert inside("fti")[2].startswith("error[usage]")


def test_output_goes_to_a_file_whose_suffix_is_the_format(inside: Inside) -> None:
    assert inside("fit", "data.csv", "-o", "fit.json") == (0, "", "wrote fit.json\n")
    assert json.loads(Path("fit.json").read_text("utf-8"))["schema"] == "regcli.fit/1"
    inside("fit", "data.csv", "-o", "fit.csv")
    assert Path("fit.csv").read_text("utf-8").startswith("term,estimate")
    inside("fit", "data.csv", "-o", "fit.txt")
    assert Path("fit.txt").read_text("utf-8").startswith("lasso · gaussian")
    inside("fit", "data.csv", "-o", "fit.csv", "-f", "md")
    assert Path("fit.csv").read_text("utf-8").startswith("| term |")
    assert inside("fit", "data.csv", "-o", "-")[1].startswith("{")


def test_an_output_that_cannot_be_written_leaves_with_6(inside: Inside) -> None:
    status, out, err = inside("fit", "data.csv", "-o", "missing/fit.json")
    assert (status, out) == (6, "")
    assert err.startswith("error[output-failed]: ")


def test_predictions_and_metrics_are_whole_or_not_there(inside: Inside) -> None:
    words = ("predict", "m.json", "scored.csv", "-o", "scores.csv", "--metrics-out", "metrics.json")
    assert inside(*words)[0] == 0
    assert Path("scores.csv").read_text("utf-8") == "id,prediction\na,0.1\nb,\n"
    assert json.loads(Path("metrics.json").read_text("utf-8")) == {"mse": 0.5}
    Path("scores.csv").write_text("old", "utf-8")
    assert inside("predict", "m.json", "guess.csv", "--strict", "-o", "scores.csv")[0] == 2
    assert Path("scores.csv").read_text("utf-8") == "old"


@pytest.mark.parametrize(
    "words",
    [
        ("fit", "data.csv", "-o", "none/x.json"),
        ("path", "data.csv", "-o", "."),
        ("cv", "data.csv", "-m", "none/model.json"),
        ("predict", "model.json", "data.csv", "--metrics-out", "none/metrics.json"),
    ],
)
def test_a_file_that_cannot_be_written_is_refused_before_the_work(inside: Inside, words: tuple[str, ...]) -> None:
    status, out, err = inside(*words)
    assert (status, out) == (6, "")
    assert err.startswith("error[output-")
    assert inside.seen == []
