"""Rows of JSON Lines that are scored and checked: what comes of them does not depend on where chunks end."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from regcli.app import predictor
from tests.cli.conftest import environment
from tests.fuzz.tool import Outcome, run_tool

FILLS = ("--missing", "x=mean", "--missing", "g=indicator")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two models: one fills missing cells, the other does not."""
    monkeypatch.chdir(tmp_path)
    rows = [f"{x},{'' if x == 7 else 'abc'[x % 3]},{3 * x + x % 3 + x % 2 / 10}" for x in range(20)]
    Path("train.csv").write_text("x,g,y\n" + "\n".join([*rows, ",a,28"]) + "\n", "utf-8")
    fit = ("fit", "train.csv", "-y", "y", "--family", "gaussian", "-l", "0.01", "-qq", "-o", "fit.json")
    assert run_tool(*fit, *FILLS, "-m", "fills.json").status == 0
    assert run_tool(*fit, "--missing", "drop", "-m", "needs.json").status == 0
    return tmp_path


def put(*rows: object) -> None:
    Path("new.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


def alike(monkeypatch: pytest.MonkeyPatch, *words: str) -> Outcome:
    """What a command comes to, however many rows a chunk has."""
    outcomes = []
    for size in (1, 2, 3, 20_000):
        monkeypatch.setattr(predictor, "CHUNK_ROWS", size)
        outcomes.append(run_tool(*words))
    first = outcomes[0]
    for other in outcomes[1:]:
        assert (other.status, other.err) == (first.status, first.err)
        assert other.out == first.out or first.status == 3
    return outcomes[-1]


def predict(monkeypatch: pytest.MonkeyPatch, model: str, *words: str) -> Outcome:
    return alike(monkeypatch, "predict", model, "new.jsonl", *words)


def cells(outcome: Outcome) -> list[str]:
    return outcome.out.splitlines()[1:]


LATE = ({"z": 1}, {"z": 1, "g": "a"}, {"x": 3, "g": "b"}, {"x": 4, "g": None})


def test_a_key_that_comes_late_is_a_missing_cell_in_the_lines_before(monkeypatch: pytest.MonkeyPatch) -> None:
    put(*LATE)
    outcome = predict(monkeypatch, "fills.json")
    assert outcome.status == 0
    assert "warning[imputed]: 4 cells in 2 columns were filled" in outcome.err
    put(*({"x": None, "g": None, **row} for row in LATE))
    assert predict(monkeypatch, "fills.json").out == outcome.out
    checked = json.loads(alike(monkeypatch, "check", "fills.json", "new.jsonl", "--json").out)
    assert [(each["code"], each["column"], each["count"]) for each in checked["violations"]] == [
        ("imputed", "x", 2),
        ("imputed", "g", 2),
    ]


@pytest.mark.parametrize("how", ["null", "skip"])
def test_rows_that_lack_what_the_model_does_not_fill_are_bad_rows(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    put(*LATE)
    outcome = predict(monkeypatch, "needs.json", "--on-bad-row", how)
    assert outcome.status == 0
    assert "3 of 4 rows could not be scored" in outcome.err
    assert [cell == '""' for cell in cells(outcome)] == {"null": [True, True, False, True], "skip": [False]}[how]
    told = alike(monkeypatch, "check", "needs.json", "new.jsonl", "-f", "csv")
    assert (told.status, "3 of 4 rows cannot be scored" in told.err) == (1, True)


def test_a_line_before_any_that_has_a_column_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    put({"X": 1, "g": "a"}, {"x": 1, "g": "a"})
    outcome = predict(monkeypatch, "needs.json")
    assert outcome.status == 3
    assert "error[column-not-found]: the model needs column 'x', which no line up to this one has" in outcome.err
    assert "at new.jsonl:1\n" in outcome.err
    assert "did you mean 'X'?" in outcome.err
    put({"x": 1, "g": "a"}, {"X": 1, "g": "a"})
    assert "error[missing-values]" in predict(monkeypatch, "needs.json").err


def test_a_column_that_no_line_has_is_told_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    put(*({"z": n, "g": "a"} for n in range(5)))
    outcome = predict(monkeypatch, "fills.json")
    assert (outcome.status, len(cells(outcome))) == (0, 5)
    assert (
        "warning[column-not-found]: no line of new.jsonl has column 'x', which the model fills in 5 rows" in outcome.err
    )
    assert "imputed" not in outcome.err
    assert predict(monkeypatch, "fills.json", "--strict", "-o", "out.csv").status == 3
    assert not Path("out.csv").exists()
    for words in (("--on-bad-row", "null"), ("--on-bad-row", "skip"), ("--missing", "drop")):
        refused = predict(monkeypatch, "needs.json", *words, "-o", "out.csv")
        assert (refused.status, Path("out.csv").exists()) == (3, False)
        assert "error[column-not-found]: the model needs column 'x', which no line of new.jsonl has" in refused.err
    for model, severity, status in (("fills.json", "warning", 0), ("needs.json", "error", 1)):
        told = alike(monkeypatch, "check", model, "new.jsonl", "--json")
        document = json.loads(told.out)
        assert told.status == status
        assert document["rows_scorable"] == (0 if status else 5)
        assert [(each["code"], each["severity"], each["count"]) for each in document["violations"]] == [
            ("column-not-found", severity, 5)
        ]


def test_each_file_is_asked_for_its_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    put({"x": 1, "g": "a"}, {"g": "a"}, {"g": "a"})
    Path("other.jsonl").write_text('{"g": "a"}\n{"g": "b"}\n', "utf-8")
    outcome = predict(monkeypatch, "fills.json", "other.jsonl")
    assert "no line of other.jsonl has column 'x', which the model fills in 2 rows" in outcome.err
    assert "warning[imputed]: 2 cells in 1 column were filled" in outcome.err
    document = json.loads(alike(monkeypatch, "check", "fills.json", "new.jsonl", "other.jsonl", "--json").out)
    assert [(each["code"], each["count"], each["first"]["file"]) for each in document["violations"]] == [
        ("column-not-found", 2, "other.jsonl"),
        ("imputed", 2, "new.jsonl"),
    ]


def test_columns_that_play_no_part_are_absent_where_no_line_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    fit = ("fit", "train.csv", "-y", "y", "--family", "gaussian", "-l", "3", "-qq", "-o", "fit.json")
    assert run_tool(*fit, *FILLS, "-m", "few.json").status == 0
    put({"x": 1}, {"x": 1}, {"x": 1, "g": "a"})
    assert json.loads(alike(monkeypatch, "check", "few.json", "new.jsonl", "--json").out)["columns"]["absent"] == []
    put({"x": 1}, {"x": 1}, {"x": 1})
    assert json.loads(alike(monkeypatch, "check", "few.json", "new.jsonl", "--json").out)["columns"]["absent"] == ["g"]


def test_targets_may_come_late(monkeypatch: pytest.MonkeyPatch) -> None:
    put({"x": 1, "g": "a"}, {"x": 1, "g": "a"}, {"x": 2, "g": "a", "y": 7}, {"x": 2, "g": "a", "y": [7]})
    outcome = predict(monkeypatch, "fills.json", "--metrics-out", "metrics.json")
    assert json.loads(Path("metrics.json").read_text("utf-8"))["rows"] == 1
    assert "warning[target-domain]: 1 row has a target that the model cannot take" in outcome.err


@pytest.mark.parametrize("cell", [[1], {"a": 1}])
@pytest.mark.parametrize("column", ["x", "g"])
def test_a_nested_cell_spoils_its_row_alone(monkeypatch: pytest.MonkeyPatch, column: str, cell: object) -> None:
    good = {"x": 1, "g": "a"}
    put(good, good, {**good, column: cell}, good, good)
    outcome = predict(monkeypatch, "fills.json", "--on-bad-row", "null", "--unknown-level", "zero")
    assert (outcome.status, [cell == '""' for cell in cells(outcome)]) == (0, [False, False, True, False, False])
    assert f"the first at new.jsonl:3, column '{column}'\n" in outcome.err
    refused = predict(monkeypatch, "fills.json")
    kind = "array" if isinstance(cell, list) else "object"
    assert refused.status == 3
    assert f"error[unsupported-type]: a row cannot be scored: column '{column}' holds a JSON {kind}\n" in refused.err
    document = json.loads(alike(monkeypatch, "check", "fills.json", "new.jsonl", "--json").out)
    assert document["rows_scorable"] == 4
    (found,) = document["violations"]
    assert (found["code"], found["column"], found["count"]) == ("unsupported-type", column, 1)
    assert (found["first"]["line"], found["first"]["cell"]) == (3, json.dumps(cell))


def test_of_a_file_all_keys_go_along(monkeypatch: pytest.MonkeyPatch) -> None:
    put({"x": 1, "g": "a"}, {"x": 1, "g": "a"}, {"x": 1, "g": "a", "late": 5})
    outcome = predict(monkeypatch, "fills.json", "--append")
    assert outcome.out.splitlines()[0] == "x,g,late,prediction"
    assert [row.split(",")[2] for row in cells(outcome)] == ["", "", "5"]
    Path("more.jsonl").write_text('{"g": "b"}\n{"q": 1}\n', "utf-8")
    refused = predict(monkeypatch, "fills.json", "more.jsonl", "--append")
    assert refused.status == 3
    assert "error[columns-differ]: more.jsonl: line 2 has the key 'q', which is not among the columns" in refused.err


def test_columns_named_to_go_along_may_come_late(monkeypatch: pytest.MonkeyPatch) -> None:
    put({"x": 1, "g": "a"}, {"x": 1, "g": "a", "late": "q"})
    assert [row.split(",")[0] for row in cells(predict(monkeypatch, "fills.json", "--id", "late"))] == ["", "q"]
    refused = predict(monkeypatch, "fills.json", "--id", "latte", "-o", "out.csv")
    assert (refused.status, Path("out.csv").exists()) == (3, False)
    assert "error[column-not-found]: --id: no column 'latte'" in refused.err
    assert "did you mean 'late'?" in refused.err


def streamed(words: tuple[str, ...], lines: list[str], *, slowly: bool) -> tuple[int, str, str]:
    """What predict says of lines from a pipe; slowly, each after the answer to the one before."""
    command = [sys.executable, "-m", "regcli", "predict", *words, "-", "--input-format", "jsonl"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment(), stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        came = ""
        for at, line in enumerate(lines):
            process.stdin.write(line + "\n")
            if slowly:
                process.stdin.flush()
                came += "".join(process.stdout.readline() for _ in range(1 + (at == 0)) if at < len(lines) - 1)
        process.stdin.close()
        came += process.stdout.read()
        told = process.stderr.read()
        return process.wait(20), came, told


def test_a_pipe_may_be_slow() -> None:
    lines = ['{"z": 1, "g": "a"}', '{"x": 3, "g": "b"}']
    outcomes = [streamed(("fills.json",), lines, slowly=slowly) for slowly in (False, True)]
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0] == 0


def test_of_a_pipe_the_keys_of_the_first_line_go_along() -> None:
    lines = ['{"x": 1, "g": "a"}', '{"x": 3, "g": "b", "late": 5}']
    outcomes = [streamed(("fills.json", "--append"), lines, slowly=slowly) for slowly in (False, True)]
    for status, _, told in outcomes:
        assert status == 3
        assert "error[columns-differ]: -: line 2 has the key 'late', which is not among the columns" in told
    status, came, _ = streamed(("fills.json", "--append"), lines[::-1], slowly=True)
    assert (status, came.splitlines()[0]) == (0, "x,g,late,prediction")


# -- booleans --------------------------------------------------------------------------------------------------------


def test_whether_a_boolean_is_known_does_not_depend_on_the_lines_around_it(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [f"{flag},{y + at % 2}" for at in range(20) for flag, y in (("true", 2), ("false", 0), ("unknown", 5))]
    Path("flags.csv").write_text("flag,y\n" + "\n".join(rows) + "\n", "utf-8")
    fit = ("fit", "flags.csv", "-y", "y", "--family", "gaussian", "-l", "0.001", "-qq", "-m", "flags.json")
    assert run_tool(*fit, "-o", "fit.json").status == 0
    put(*({"flag": flag} for flag in (True, "unknown", "true", False, "false")))
    scores = cells(predict(monkeypatch, "flags.json"))
    assert (scores[0], scores[3]) == (scores[2], scores[4])
    assert len(set(scores)) == 3
    put({"flag": True}, {"flag": "True"})
    outcome = predict(monkeypatch, "flags.json", "--on-bad-row", "null")
    assert cells(outcome) == [scores[0], '""']


@pytest.mark.parametrize("mixed", [[True, "true", False, "false"], [True, "True", False, "false"]])
def test_booleans_that_are_quoted_in_some_lines_are_what_they_are_without(mixed: list[object]) -> None:
    documents = []
    for flags in ([True, True, False, False], mixed):
        lines = ({"flag": flags[row % 4], "x": row % 7, "y": row % 4 // 2 + row % 7 + row % 3 / 9} for row in range(80))
        put(*lines)
        documents.append(run_tool("fit", "new.jsonl", "-y", "y", "--family", "gaussian", "-l", "0.01").document)
    one, two = ([(each["term"].casefold(), each["estimate"]) for each in doc["coefficients"]] for doc in documents)
    assert one == two
    assert [term for term, _ in one] == ["flag=true", "x"]
