"""Options from configuration files: found, checked, outranked, and told."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from regcli.app.options import Common
from regcli.cli.choices import declared
from regcli.cli.config import find_config
from regcli.cli.options import groups
from regcli.cli.texts import COMMANDS
from regcli.report.schemas import SCHEMAS
from tests.cli.conftest import ROOT, Process, environment
from tests.fuzz.tool import run_tool
from tests.shut import shut_off

Run = Callable[..., Process]

DATA = str(ROOT / "sample_data" / "diabetes.csv")
PLAIN = ("fit", DATA, "-y", "progression", "--family", "gaussian", "--lambda", "2")


def document(done: Process) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def shown(done: Process) -> dict[str, dict[str, Any]]:
    settings = document(done)
    jsonschema.validate(settings, SCHEMAS["config"])
    return {entry["option"]: entry for entry in settings["config"]}


def test_a_file_gives_the_numbers_that_flags_give(tmp_path: Path, regcli: Run) -> None:
    flags = document(regcli(*PLAIN, "--drop", "s1", "--drop", "s2", "--penalty", "l2"))
    (tmp_path / "regcli.toml").write_text('drop = ["s1", "s2"]\n[fit]\npenalty = "l2"\n[predict]\nappend = true\n')
    done = regcli(*PLAIN)
    filed = document(done)
    assert "options from regcli.toml" in done.stderr
    assert filed["options"].pop("config") == "regcli.toml"
    assert filed == flags
    assert filed["model"]["penalty"] == "l2"
    bare = document(regcli(*PLAIN, "--no-config"))
    assert (bare["model"]["penalty"], "config" in bare["options"]) == ("l1", False)


def test_a_table_of_cv_is_not_the_option_of_that_name(tmp_path: Path, regcli: Run) -> None:
    (tmp_path / "regcli.toml").write_text('[fit]\ncv = "time"\n[cv]\npenalty = "l2"\n')
    assert document(regcli(*PLAIN))["validation"]["scheme"] == "time"
    assert document(regcli("cv", *PLAIN[1:]))["model"]["penalty"] == "l2"


def test_a_file_may_begin_with_the_mark_of_utf_8(tmp_path: Path, regcli: Run) -> None:
    for name, head in (("regcli.toml", ""), ("pyproject.toml", "[tool.regcli]\n")):
        (tmp_path / name).write_text(f'\ufeff{head}penalty = "l2"\n', encoding="utf-8")
        assert document(regcli(*PLAIN))["model"]["penalty"] == "l2", name
        (tmp_path / name).unlink()


def test_flags_win_over_variables_and_those_over_the_file(tmp_path: Path, regcli: Run) -> None:
    (tmp_path / "regcli.toml").write_text('jobs = 1\nquiet = 2\ncolor = "never"\nformat = "csv"\nseed = 3\n')
    found = shown(regcli(*PLAIN, "--show-config", "--color", "always", "--json", REGCLI_JOBS="2", REGCLI_QUIET="1"))
    seen = {key: (found[key]["value"], found[key]["origin"]) for key in ("jobs", "quiet", "color", "seed", "metric")}
    assert seen == {
        "jobs": ("2", "variable"),
        "quiet": ("1", "variable"),
        "color": ("always", "flag"),
        "seed": (3, "file"),
        "metric": (None, "default"),
    }
    assert (found["seed"]["file"], found["seed"]["line"]) == ("regcli.toml", 5)
    assert found["jobs"]["variable"] == "REGCLI_JOBS"
    plain = ("--drop", "sex")
    assert regcli(*PLAIN, *plain).stdout.startswith("term,estimate")  # the file's format
    assert regcli(*PLAIN, *plain, REGCLI_FORMAT="names").stdout.splitlines()[0] == "bmi"
    assert regcli(*PLAIN, *plain, "-f", "json", REGCLI_FORMAT="names").stdout.startswith("{")
    regcli(*PLAIN, "-o", "out.json")
    assert json.loads((tmp_path / "out.json").read_text())["schema"] == "regcli.fit/1"  # the suffix says more


#: Two options that exclude each other: in the file, as flags, and what the file would be as flags.
OUTRANKED = {
    "json, format": ("json = true", ("-f", "names"), ("--json",)),
    "format, json": ('format = "names"', ("--json",), ("-f", "names")),
    "no-standardize": ("no-standardize = true", ("--standardize", "numeric"), ("--no-standardize",)),
    "standardize": ('standardize = "numeric"', ("--no-standardize",), ("--standardize", "numeric")),
    "target": ('target = "sex"', ("--formula", "bmi ~ age + bp"), ("--target", "sex")),
    "features": ('features = ["sex"]', ("--formula", "bmi ~ age + bp"), ("--features", "sex")),
    "drop": ('drop = ["sex"]', ("--formula", "bmi ~ age + bp"), ("--drop", "sex")),
    "poly": ("poly = 2", ("--formula", "bmi ~ age + bp"), ("--poly", "2")),
    "spline": ('spline = ["age"]', ("--formula", "bmi ~ age + bp"), ("--spline", "age")),
    "interactions": ('interactions = ["age:bp"]', ("--formula", "bmi ~ age + bp"), ("--interactions", "age:bp")),
    "formula": ('formula = "bmi ~ age"', ("--target", "progression"), ("--formula", "bmi ~ age")),
    "test": (f'test = ["{DATA}"]', ("--test-size", "0.2"), ("--test", DATA)),
    "test-size": ("test-size = 0.2", ("--test", DATA), ("--test-size", "0.2")),
    "group": ('group = "age"', ("--cv", "kfold"), ("--group", "age")),
    "cv": ('[fit]\ncv = "kfold"', ("--group", "age"), ("--cv", "kfold")),
}
BARE = ("fit", DATA, "--family", "gaussian", "-l", "2")


@pytest.mark.parametrize("case", OUTRANKED)
def test_of_two_that_exclude_each_other_the_stronger_origin_counts(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    filed, flags, as_flags = OUTRANKED[case]
    target = () if "--formula" in flags or "--target" in flags else ("-y", "progression")
    alone = run_tool(*BARE, *target, *flags)
    assert alone.status == 0, alone.err
    both = run_tool(*BARE, *target, *flags, *as_flags)
    assert (both.status, "exclude each other" in both.err) == (2, True), both.err
    Path("regcli.toml").write_text(filed + "\n")
    done = run_tool(*BARE, *target, *flags)
    assert (done.status, done.out) == (0, alone.out), done.err
    option = "--format" if flags[0] == "-f" else flags[0]
    key, line = filed.split(" = ")[0].split("\n")[-1], filed.count("\n") + 1
    assert flags[0] == "--json" or f"{key} of regcli.toml:{line} gives way to {option}" in done.err
    form = () if flags[0] in ("--json", "-f") else ("--json",)
    if flags[0] != "-f":  # a table is for eyes
        told = json.loads(run_tool(*BARE, *target, *flags, *form, "--show-config").out)["config"]
        (entry,) = (entry for entry in told if entry["option"] == key)
        assert entry["origin"] == "default"


def test_the_commands_own_table_outranks_what_is_said_for_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("regcli.toml").write_text('target = "bp"\n[fit]\nformula = "bmi ~ age"\n')
    assert json.loads(run_tool(*BARE).out)["data"]["target"] == "bmi"
    Path("regcli.toml").write_text('target = "bp"\nformula = "bmi ~ age"\n')
    assert "--formula and --target exclude each other" in run_tool(*BARE).err


def test_what_has_given_way_takes_nothing_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("regcli.toml").write_text('drop = ["sex"]\n[fit]\nformula = "bmi ~ age"\n')
    told = json.loads(run_tool(*BARE, "-y", "progression", "--show-config", "--json").out)["config"]
    found = {entry["option"]: entry["value"] for entry in told}
    assert (found["formula"], found["drop"]) == (None, ["sex"])


def test_json_in_the_file_is_a_preference_that_a_suffix_and_a_variable_outrank(tmp_path: Path, regcli: Run) -> None:
    (tmp_path / "regcli.toml").write_text("json = true\n")
    assert document(regcli(*PLAIN))["schema"] == "regcli.fit/1"
    assert json.loads(regcli("fit", "none.csv").stderr)["code"] == "file-not-found"
    regcli(*PLAIN, "-o", "out.csv")
    assert (tmp_path / "out.csv").read_text().startswith("term,estimate")
    done = regcli(*PLAIN, REGCLI_FORMAT="names")
    assert done.stdout.startswith("sex\nbmi\n")
    assert "json of regcli.toml:1 gives way to REGCLI_FORMAT" in done.stderr
    assert regcli(*PLAIN, "-f", "table", "--show-config").stdout.startswith("options of regcli fit")
    (tmp_path / "regcli.toml").write_text('json = true\nformat = "csv"\n')
    assert "--json and --format csv exclude each other" in regcli(*PLAIN).stderr


def test_auto_as_a_flag_outranks_a_preferred_format(tmp_path: Path, regcli: Run) -> None:
    (tmp_path / "regcli.toml").write_text('format = "csv"\n')
    assert regcli(*PLAIN, "-f", "auto").stdout.startswith("{")


@pytest.mark.parametrize("name", ["fit", "cv", "path", "predict", "inspect", "check"])
def test_every_option_is_shown(regcli: Run, name: str) -> None:
    words = ("model.json", "data.csv") if name in ("predict", "check") else ("data.csv",)
    kinds = [*(part.kind for part in groups(COMMANDS[name].request)), Common]
    keys = [choice.key for kind in kinds for choice in declared(kind) if choice.key]
    assert list(shown(regcli(name, *words, "--show-config"))) == keys


BAD = {
    'penalti = "l1"': (1, "penalty"),
    '\n\n[fit]\n# family\nfamily = "gausian"': (5, "gaussian"),
    'drop = [\n "a",\n]\nfolds = "ten"\n': (4, None),
    "[fit]\nfolds = 3.5": (2, None),
    "# a\u2028b \x85 c\nstandardize = 1": (2, None),
    "no-intercept = 1": (1, None),
    "drop = [1]": (1, None),
    'target = "a\\u0000b"': (1, None),
    "tol = nan": (1, None),
    'fit = "l1"': (1, None),
    "[fit]\nappend = true": (2, None),
    "seed = 2024-01-01": (1, None),
    'output = "x"': (1, None),
    '[fit]\nmodel-out = "x"': (2, None),
    '[predict]\nmetrics-out = "x"': (2, None),
    'plot = "x.svg"': (1, None),
    'report = ["html=x.html"]': (1, None),
    'config = "x"': (1, None),
    "dry-run = true": (1, None),
    "penalty = \n": (1, None),
    "[fit\n": (1, None),
    "seed = 1\nseed = 2\n": (2, None),
    '\nmissing-target = "dorp"': (2, "drop"),
    "quiet = -1": (1, None),
    "[fit]\nquiet = 3": (2, None),
    "verbose = 3": (1, None),
}


@pytest.mark.parametrize("text", BAD, ids=range(len(BAD)))
def test_what_a_file_may_not_say_is_refused_with_its_line(tmp_path: Path, regcli: Run, text: str) -> None:
    (tmp_path / "regcli.toml").write_text(text)
    done = regcli(*PLAIN, "--json")
    assert (done.returncode, done.stdout) == (2, "")
    error = json.loads(done.stderr)
    line, near = BAD[text]
    assert (error["code"], error["location"]["file"], error["location"]["line"]) == (
        "config-invalid",
        "regcli.toml",
        line,
    )
    assert near is None or near in error["did_you_mean"]
    assert regcli(*PLAIN, "--no-config").returncode == 0


@pytest.mark.parametrize(
    "text",
    [
        "folds = 2",
        "seed = -1",
        "jobs = 0",
        "l1-ratio = 1.5",
        "max-memory = 5",
        "max-seconds = -1",
        'assert = "n_selectd > 1"',
        'missing = "none"',
        'rule = "1se"',
    ],
)
def test_an_error_about_an_option_of_the_file_has_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "regcli.toml").write_text(f"[fit]\n{text}\n")
    command = ("--lambda", "2") if text.startswith("rule") else ()
    done = run_tool("fit", DATA, "-y", "progression", "--family", "gaussian", "--json", *command)
    error = json.loads(done.err)
    assert (done.status, error["location"]["file"], error["location"]["line"]) == (2, "regcli.toml", 2)
    assert error["code"] in ("unknown-option-value", "option-without-effect")
    key = text.partition(" ")[0]
    assert f"--{key}" in error["message"]


def test_an_error_about_a_flag_has_no_place_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "regcli.toml").write_text("folds = 2\nseed = 1\n")
    error = json.loads(run_tool("fit", DATA, "-y", "progression", "--json", "--folds", "1").err)
    assert (error["message"], error["location"]["file"]) == ("--folds is 1", None)


@pytest.mark.parametrize("text", ['target = "prog"', 'drop = ["age", "prog"]', 'missing = "prog=mean"'])
def test_a_column_that_the_file_names_and_the_table_lacks_has_the_line_in_the_hint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "regcli.toml").write_text(f"\n{text}\n")
    given = () if text.startswith("target") else ("-y", "progression")
    error = json.loads(run_tool("fit", DATA, *given, "--family", "gaussian", "--json").err)
    assert (error["code"], error["location"]["file"]) == ("column-not-found", DATA)
    assert error["hint"].endswith(f"; {text.partition(' ')[0]} is said in regcli.toml:2")


def test_an_error_of_a_named_check_has_the_line_of_its_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    fitted = run_tool(*PLAIN, "-m", "m.json", "-o", "fit.json")
    assert fitted.status == 0, fitted.err
    table = f'[[check]]\nmodel = "m.json"\ndata = "{DATA}"\n'
    (tmp_path / "regcli.toml").write_text(f'{table}{table}name = "b"\nassert = "metrics.r3 > 0"\n')
    done = run_tool("check", "--json", "--report", "junit=report.xml")
    first, second = json.loads(done.out)["checks"]
    assert (done.status, first["error"]) == (2, None)
    assert second["error"]["location"]["line"] == json.loads(done.err)["location"]["line"] == 8
    assert "regcli.toml:8" in (tmp_path / "report.xml").read_text()


def test_variables_for_every_program_win_over_the_colour_of_the_file(tmp_path: Path, regcli: Run) -> None:
    words = ("fit", DATA, "-y", "none", "--family", "gaussian")
    for told, variable, painted in (("always", "NO_COLOR", False), ("never", "FORCE_COLOR", True)):
        (tmp_path / "regcli.toml").write_text(f'color = "{told}"\n')
        assert ("\x1b[" in regcli(*words).stderr) != painted
        assert ("\x1b[" in regcli(*words, **{variable: "1"}).stderr) == painted
        assert ("\x1b[" in regcli(*words, "--color", told, **{variable: "1"}).stderr) != painted


@pytest.mark.parametrize("content", [b"\xff\xfe", b"x" * (2 << 20), b"[" * 100_000, b'a = "' + b"\\" * 999])
def test_a_hostile_file_is_an_error_of_ours(tmp_path: Path, regcli: Run, content: bytes) -> None:
    (tmp_path / "regcli.toml").write_bytes(content)
    done = regcli(*PLAIN, "--json")
    assert (done.returncode, json.loads(done.stderr)["code"]) == (2, "config-invalid")


def test_files_that_are_read_lie_beside_the_configuration_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fit = ("-y", "progression", "--family", "gaussian", "--folds", "3")
    monkeypatch.chdir(tmp_path)
    Path("data.csv").write_bytes(Path(DATA).read_bytes())
    assert run_tool("fit", "data.csv", *fit, "-o", "old.json").status == 0
    Path("regcli.toml").write_text('[fit]\nbaseline = "old.json"\nmax-drop = "r2=0"\n[cv]\ntest = "data.csv"\n')
    Path("in/side").mkdir(parents=True)
    monkeypatch.chdir("in/side")
    assert run_tool("fit", "../../data.csv", *fit).status == 0
    told = run_tool("cv", "../../data.csv", "--show-config", "--json").document["config"]
    assert [(row["value"], row["line"]) for row in told if row["option"] == "test"] == [(["../../data.csv"], 5)]
    assert run_tool("cv", "../../data.csv", *fit, "--test", "no.csv").status == 3  # a flag is as it stands


def test_files_of_numbers_lie_beside_the_configuration_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lams.txt").write_text("3\n1\n")
    (tmp_path / "ratios.txt").write_text("0.25\n")
    lines = ('lambda = "@lams.txt"', 'penalty = "elasticnet"', 'l1-ratio = "@ratios.txt"')
    (tmp_path / "regcli.toml").write_text("\n".join(lines) + "\n")
    inner = tmp_path / "in" / "side"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    words = ("path", DATA, "-y", "progression", "--family", "gaussian")
    found = run_tool(*words, "--json").document
    assert (found["lambdas"], found["model"]["l1_ratio"]) == ([3.0, 1.0], 0.25)
    told = run_tool(*words, "--show-config", "--json").document["config"]
    shown = {row["option"]: row["value"] for row in told if row["origin"] == "file"}
    assert (shown["lambda"], shown["l1-ratio"]) == ("@../../lams.txt", "@../../ratios.txt")
    Path("lams.txt").write_text("2\n")
    assert run_tool(*words, "--lambda", "@lams.txt", "--json").document["lambdas"] == [2.0]  # a flag is as it stands
    (tmp_path / "regcli.toml").write_text("lambda = [3, 1]\n")
    assert run_tool(*words, "--json").document["lambdas"] == [3.0, 1.0]


def test_a_named_file_is_read_and_has_to_be_there(tmp_path: Path, regcli: Run) -> None:
    (tmp_path / "regcli.toml").write_text('penalty = "l2"\n')
    (tmp_path / "other.toml").write_text('penalty = "none"\n')
    (tmp_path / "pyproject.toml").write_text('[tool.regcli]\npenalty = "elasticnet"\n[tool.other]\npenalty = 1\n')
    plain = PLAIN[:-2]
    got = [
        document(regcli(*plain, "--lambda", "2"))["model"]["penalty"],
        document(regcli(*plain, "--config", "other.toml"))["model"]["penalty"],
        document(regcli(*plain, REGCLI_CONFIG="other.toml"))["model"]["penalty"],
        document(regcli("--config", "other.toml", *plain, REGCLI_CONFIG="nowhere.toml"))["model"]["penalty"],
        document(regcli(*plain, "--lambda", "2", "--config", "pyproject.toml"))["model"]["penalty"],
    ]
    assert got == ["l2", "none", "none", "none", "elasticnet"]
    for words in (("--config", "nowhere.toml"), ("--config", "."), ("--config", "other.toml", "--no-config")):
        assert regcli(*plain, *words).returncode == 2


def test_the_nearest_file_up_to_the_repository_counts_and_none_at_home(tmp_path: Path) -> None:
    home = tmp_path / "home"
    deep = home / "work" / "project" / "a" / "b"
    deep.mkdir(parents=True)
    project = home / "work" / "project"
    for folder in (tmp_path, home, home / "work"):
        (folder / "regcli.toml").touch()
    assert find_config(deep, home) == home / "work" / "regcli.toml"
    (project / ".git").mkdir()
    assert find_config(deep, home) is None
    (project / "pyproject.toml").write_text("[tool.other]\n")
    assert find_config(deep, home) is None
    (project / "pyproject.toml").write_text("[tool.regcli]\n")
    assert find_config(deep, home) == project / "pyproject.toml"
    (project / "regcli.toml").touch()
    assert find_config(deep, home) == project / "regcli.toml"
    (deep.parent / "regcli.toml").touch()
    assert find_config(deep, home) == deep.parent / "regcli.toml"
    assert find_config(home, home) is None
    assert find_config(tmp_path, home) is None


def test_folders_that_may_not_be_looked_into_are_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where someone else's folder is the working one: ``sudo -u worker regcli`` in /root."""
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    (tmp_path / "regcli.toml").touch()
    shut_off(monkeypatch, *(f"/b/{name}" for name in ("regcli.toml", "pyproject.toml", ".git")))
    assert find_config(deep, None) == tmp_path / "regcli.toml"


def test_a_file_above_is_told_by_its_way_there(tmp_path: Path) -> None:
    (tmp_path / "regcli.toml").write_text('penalty = "l2"\n')
    (tmp_path / ".git").mkdir()
    inner = tmp_path / "x"
    inner.mkdir()
    command = [sys.executable, "-m", "regcli", *PLAIN]
    done = subprocess.run(command, cwd=inner, env=environment(), capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(done.stdout)["options"]["config"] == "../regcli.toml"
    assert "options from ../regcli.toml" in done.stderr


def test_a_strength_for_fits_is_none_of_a_saved_path(tmp_path: Path, regcli: Run) -> None:
    (tmp_path / "regcli.toml").write_text('target = "progression"\nfamily = "gaussian"\nlambda = [5, 1]\n')
    document(regcli("fit", DATA, "--save-path", "-m", "model.json"))
    assert regcli("predict", "model.json", DATA).returncode == 0
    (tmp_path / "regcli.toml").write_text("[predict]\nlambda = 1.0\n")
    done, said = regcli("predict", "model.json", DATA), regcli("predict", "model.json", DATA, "--lambda", "5")
    assert (done.returncode, said.returncode) == (0, 0)
    assert done.stdout != said.stdout
