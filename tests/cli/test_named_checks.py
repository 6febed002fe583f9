"""``regcli check`` alone: the checks that a configuration file names, all made, told together."""

import json
import os
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from lxml import etree

from regcli.cli.config import Config, _parsed
from regcli.report.schemas import SCHEMAS
from tests.cli.conftest import ROOT
from tests.fuzz.tool import Outcome, run_tool

DIABETES = ROOT / "sample_data" / "diabetes.csv"

TWO = """
[[check]]
name = "as it was"
model = "model.json"
data = "data.csv"
assert = ["metrics.rmse < 60", "rows == 442"]
baseline = "fit.json"
max-increase = ["rmse=10%"]
max-psi = 0.01

[[check]]
model = "model.json"
data = ["data.csv", "moved.csv"]
max-psi = 0.01
max-ks = 0.5
"""

BROKEN = '[[check]]\nname = "gone"\nmodel = "model.json"\ndata = "nowhere.csv"\n'


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, its data, and data that have moved."""
    place, before = tmp_path_factory.mktemp("made"), Path.cwd()
    lines = DIABETES.read_text("utf-8").splitlines()
    (place / "data.csv").write_text("\n".join(lines) + "\n", "utf-8")
    cells = [line.split(",") for line in lines[1:]]
    moved = [",".join((*row[:2], str(float(row[2]) * 1.1), *row[3:])) for row in cells]
    (place / "moved.csv").write_text("\n".join((lines[0], *moved)) + "\n", "utf-8")
    (place / "bad.csv").write_text("\n".join(lines).replace("32.1", "tall", 1), "utf-8")
    os.chdir(place)
    try:
        words = ("fit", "data.csv", "-y", "progression", "--family", "gaussian", "-l", "1", "--folds", "5")
        assert run_tool(*words, "-m", "model.json", "-o", "fit.json").status == 0
    finally:
        os.chdir(before)
    return place


@pytest.fixture(autouse=True)
def folder(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for file in made.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def configured(text: str, *words: str, name: str = "regcli.toml") -> Outcome:
    Path(name).write_text(text, "utf-8")
    return run_tool("check", *words)


def document(outcome: Outcome) -> Any:  # noqa: ANN401  (JSON has no type)
    found = json.loads(outcome.out)
    jsonschema.validate(found, SCHEMAS["checks"])
    return found


def test_every_check_is_made_and_each_as_it_would_be_alone() -> None:
    outcome = configured(TWO)
    found = document(outcome)
    assert outcome.status == found["exit_code"] == 1
    assert [check["status"] for check in found["checks"]] == ["passed", "failed"]
    assert [check["name"] for check in found["checks"]] == ["as it was", "model.json on data.csv, moved.csv"]
    asked = ("--assert", "metrics.rmse < 60", "--assert", "rows == 442", "--baseline", "fit.json")
    alone = run_tool("check", "model.json", "data.csv", *asked, "--max-increase", "rmse=10%", "--max-psi", "0.01")
    assert alone.status == 0
    assert found["checks"][0]["result"] == json.loads(alone.out)
    told = [(case["check"], case["passed"]) for case in found["checks"][1]["cases"]]
    assert told == [("every row can be scored", True), ("--max-psi 0.01", False), ("--max-ks 0.5", True)]
    assert 'column = "bmi"' in found["checks"][1]["cases"][1]["told"]
    assert "error[check-failed]: model.json on data.csv, moved.csv: --max-psi 0.01 does not hold" in outcome.err


def test_an_error_outranks_a_check_that_fails_and_stops_no_other() -> None:
    outcome = configured(BROKEN + TWO)
    found = document(outcome)
    assert (outcome.status, found["exit_code"]) == (3, 3)
    assert [check["status"] for check in found["checks"]] == ["error", "passed", "failed"]
    assert [found[f"n_{status}"] for status in ("passed", "failed", "error")] == [1, 1, 1]
    assert found["checks"][0]["error"]["code"] == "file-not-found"
    assert "error[file-not-found]: gone: no file nowhere.csv" in outcome.err
    assert "error[check-failed]: model.json on data.csv, moved.csv:" in outcome.err
    told = run_tool("check", "--json")
    assert (told.status, told.error["code"], told.error["message"]) == (
        3,
        "file-not-found",
        "gone: no file nowhere.csv",
    )


def test_a_damaged_model_outranks_data_that_are_not_there() -> None:
    Path("broken.json").write_text("{", "utf-8")
    found = configured('[[check]]\nmodel = "broken.json"\ndata = "data.csv"\n' + BROKEN)
    assert found.status == 5
    assert [check["exit_code"] for check in document(found)["checks"]] == [5, 3]


def test_under_strict_a_warning_that_is_an_error_is_told_once() -> None:
    lax, strict = (configured(TWO, *words) for words in ((), ("--strict",)))
    told = [line for line in lax.err.splitlines() if line.startswith("warning[")]
    assert told
    kept = [line for line in strict.err.splitlines() if line.startswith("warning[")]
    errors = [line.partition("]: ")[2] for line in strict.err.splitlines() if line.startswith("error[")]
    gone = [line for line in told if line not in kept]
    assert len(gone) == len({line.partition("]: ")[2].partition(":")[0] for line in told})  # one of each check
    assert {line.partition("]: ")[2] for line in gone} <= set(errors)


def test_strict_makes_a_warning_of_one_check_an_error() -> None:
    found = document(configured(TWO, "--strict"))
    assert [check["status"] for check in found["checks"]] == ["passed", "error"]
    assert found["checks"][1]["error"]["code"] == "out-of-range"


def test_files_lie_beside_the_configuration_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("regcli.toml").write_text(TWO, "utf-8")
    Path("in/side").mkdir(parents=True)
    monkeypatch.chdir("in/side")
    outcome = run_tool("check")
    found = document(outcome)
    assert (outcome.status, found["config"]) == (1, "../../regcli.toml")
    assert found["checks"][0]["model"] == "../../model.json"
    assert found["checks"][0]["asks"][2] == "--baseline ../../fit.json"


def test_one_table_can_be_one_check_and_gives_its_options_to_others() -> None:
    found = configured(
        '[tool.regcli.check]\nmodel = "model.json"\ndata = "data.csv"\nmax-psi = 0.01', name="pyproject.toml"
    )
    assert [check["asks"] for check in document(found)["checks"]] == [["--max-psi 0.01"]]
    assert run_tool("check", "model.json", "moved.csv").status == 1
    assert run_tool("check", "model.json", "data.csv").status == 0


def test_checks_that_are_named_leave_other_data_alone() -> None:
    Path("regcli.toml").write_text(TWO, "utf-8")
    outcome = run_tool("check", "model.json", "moved.csv")
    assert (outcome.status, json.loads(outcome.out)["checks"]) == (0, [])


def test_what_is_said_for_all_and_what_is_flagged() -> None:
    found = document(configured("max-psi = 0.001\n" + TWO, "--max-ks", "0.9"))
    assert [check["asks"][-2:] for check in found["checks"]] == [["--max-psi 0.01", "--max-ks 0.9"]] * 2
    bare = document(configured('max-ks = 0.7\n[[check]]\nmodel = "model.json"\ndata = "data.csv"\n'))
    assert bare["checks"][0]["asks"] == ["--max-ks 0.7"]


def test_a_dry_run_finds_what_cannot_be_and_reads_no_data() -> None:
    Path("nonsense.csv").write_bytes(b"\xff\x00not a table")
    outcome = configured(
        TWO + '[[check]]\nname = "odd"\nmodel = "model.json"\ndata = "nonsense.csv"\n' + BROKEN, "--dry-run"
    )
    found = document(outcome)
    assert outcome.status == 3
    assert [check["status"] for check in found["checks"]] == ["planned", "planned", "planned", "error"]
    assert found["checks"][0]["asks"][0] == "--assert metrics.rmse < 60"
    one = document(run_tool("check", "model.json", "data.csv", "--max-psi", "0.1", "--dry-run"))
    assert [(check["name"], check["status"], check["asks"]) for check in one["checks"]] == [
        ("model.json on data.csv", "planned", ["--max-psi 0.1"])
    ]
    assert run_tool("check", "model.json", "data.csv", "--assert", "metrics.auc > 0.5", "--dry-run").status == 2


def test_the_configuration_is_shown_with_its_checks() -> None:
    found = json.loads(configured(TWO, "--show-config").out)
    jsonschema.validate(found, SCHEMAS["config"])
    names = [
        (check["name"], check["line"], [entry["option"] for entry in check["options"]]) for check in found["checks"]
    ]
    assert names == [
        ("as it was", 2, ["assert", "baseline", "max-increase", "max-psi"]),
        ("model.json on data.csv, moved.csv", 11, ["max-psi", "max-ks"]),
    ]
    assert [entry["line"] for entry in found["checks"][1]["options"]] == [14, 15]
    table = run_tool("check", "--show-config", "-f", "table").out
    assert "check as it was · model.json on data.csv · line 2" in table


@pytest.mark.parametrize("form", ["table", "jsonl", "csv", "md"])
def test_every_format_has_every_check(form: str) -> None:
    outcome = configured(BROKEN + TWO, "-f", form)
    assert outcome.status == 3
    for name in ("gone", "as it was", "model.json on data.csv, moved.csv"):
        assert name in outcome.out
    if form == "jsonl":
        assert [json.loads(line)["status"] for line in outcome.out.splitlines()] == ["error", "passed", "failed"]


def test_the_document_can_be_shown_again() -> None:
    assert configured(BROKEN + TWO, "-o", "checks.json").status == 3
    shown = run_tool("show", "checks.json", "-f", "table")
    assert shown.status == 0
    assert "3 checks: 1 passed, 1 failed, 1 could not be made" in shown.out


def test_reports_cover_all_of_them() -> None:
    words = ("--report", "junit=r.xml", "--report", "html=r.html", "--report", "github", "-o", "checks.json", "-q")
    outcome = configured(BROKEN + TWO, *words)
    assert outcome.status == 3
    tree = etree.parse("r.xml")
    etree.XMLSchema(etree.parse(str(Path(__file__).with_name("junit.xsd")))).assertValid(tree)
    suites = [(str(suite.get("name")).split(":")[1].strip(), suite.get("failures")) for suite in tree.getroot()]
    assert suites == [("gone", "1"), ("as it was", "0"), ("model.json on data.csv, moved.csv", "1")]
    assert {failure.get("type") for failure in tree.iter("failure")} == {"file-not-found", "check-failed"}
    page = Path("r.html").read_text("utf-8")
    assert all(name in page for name in ("gone", "as it was", "model.json on data.csv, moved.csv"))
    titles = [line.split("title=")[1].split("::")[0] for line in outcome.err.splitlines() if line.startswith("::error")]
    assert titles == [
        "regcli check%3A gone%3A file-not-found",
        "regcli check%3A model.json on data.csv%2C moved.csv%3A check failed",
    ]


def test_reports_say_that_the_document_could_not_be_written_or_that_there_is_no_check() -> None:
    words = ("--report", "junit=r.xml", "-o", "/dev/full", "-f", "json")
    for text, status, code, checks in ((TWO, 6, "output-failed", 2), ("quiet = 1\n", 2, "usage", 0)):
        assert configured(text, *words).status == status
        suites = list(etree.parse("r.xml").getroot())
        assert len(suites) == checks + 1
        assert [failure.get("type") for failure in suites[-1].iter("failure")] == [code]
        Path("r.xml").unlink()


BAD = {
    "no-model": ('[[check]]\ndata = "data.csv"', 1, "a check needs model"),
    "no-data": ('x = 1\n[[check]]\nmodel = "m.json"'.removeprefix("x = 1\n"), 1, "a check needs data"),
    "stdin": ('[[check]]\nmodel = "model.json"\ndata = "-"', 3, "standard input"),
    "no-file": ("[[check]]\nmodel = 3\ndata = 'a'", 2, "is not a file"),
    "no-list": ("[[check]]\nmodel = 'm'\ndata = []", 3, "is not a file"),
    "unknown": ("[[check]]\nmodel = 'm'\ndata = 'd'\nmax-pso = 1", 4, "has no option 'max-pso'"),
    "of-the-run": ("[[check]]\nmodel = 'm'\ndata = 'd'\nstrict = true", 4, "holds for the whole run"),
    "twice": ("[[check]]\nmodel='m'\ndata='d'\nname='a'\n[[check]]\nmodel='m'\ndata='d'\nname='a'", 5, "two checks"),
    "value": ("[[check]]\nmodel='m'\ndata='d'\n[[check]]\nmodel='m'\ndata='e'\nmax-psi='x'", 7, "is not a number"),
    "no-table": ("check = [1]", 1, "its options are a table"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_a_check_is_refused_with_its_line(name: str) -> None:
    text, line, told = BAD[name]
    outcome = configured(text, "--json")
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.error["code"] == "config-invalid"
    assert outcome.error["location"]["line"] == line
    assert told in outcome.error["message"]
    if name == "unknown":
        assert "max-psi" in outcome.error["did_you_mean"]


def test_lines_of_many_checks_are_found_in_few_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    text, lines = "# check\nquiet = 1 # model\n", dict[tuple[str | int, ...], int]()
    for number in range(40):
        for key, value in (("", ""), ("model", "'m'"), ("data", "[\n 'model',\n 'check',\n]"), ("assert", "['data']")):
            at = ("check", number, key) if key else ("check", number)
            lines[at] = text.count("\n") + 1
            text += f"{key} = {value}\n" if key else "[[check]]\n"
    config = Config("regcli.toml", text, (), tomllib.loads(text))
    looks = list[str]()

    def look(part: str) -> dict[str, Any] | None:
        looks.append(part)
        return _parsed(part)

    monkeypatch.setattr("regcli.cli.config._parsed", look)
    assert {at: config.line(at) for at in lines} == lines
    assert config.line(("quiet",)) == 2
    assert len(looks) < 20 * len(lines)


def test_without_checks_it_says_how_to_name_one() -> None:
    for text in ("", "quiet = 1\n"):
        outcome = configured(text, "--json")
        assert (outcome.status, outcome.error["code"]) == (2, "usage")
        assert "[[check]]" in outcome.error["hint"]
    Path("regcli.toml").unlink()
    assert run_tool("check").status == 2
    assert run_tool("check", "model.json").status == 2


def test_limits_of_drift() -> None:
    for words, status in (
        (("--max-psi", "0.3"), 1),
        (("--max-psi", "0.5"), 0),
        (("--max-ks", "0.2"), 1),
        (("--max-ks", "0.3"), 0),
    ):
        outcome = run_tool("check", "model.json", "moved.csv", *words)
        assert outcome.status == status, outcome.err
        (check,) = json.loads(outcome.out)["checks"]
        assert (check["check"], check["values"]["column"]) == (" ".join(words), "bmi")
    fit = (
        "fit",
        "data.csv",
        "-y",
        "progression",
        "--family",
        "gaussian",
        "-l",
        "1",
        "--no-profile",
        "-m",
        "bare.json",
    )
    assert run_tool(*fit).status == 0
    bare = run_tool("check", "bare.json", "data.csv", "--max-psi", "9")
    assert (bare.status, json.loads(bare.out)["checks"][0]["values"]) == (1, {"psi": None})
    for words in (("--max-psi", "-1"), ("--max-ks", "2"), ("--max-psi", "nan")):
        assert run_tool("check", "model.json", "data.csv", *words).status == 2
