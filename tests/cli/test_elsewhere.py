"""regcli where other programs run it: a GitHub Action, pre-commit, cron and make."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.conftest import ROOT, environment
from tests.cli.sessions import blocks, program
from tests.fuzz.tool import run_tool

DIABETES = ROOT / "sample_data" / "diabetes.csv"
FIT = ("-y", "progression", "--family", "gaussian", "-l", "1", "--folds", "5")
RECIPES = "".join((ROOT / name).read_text("utf-8") for name in ("README.md", "docs/recipes.md"))

#: pip as it is without an index: what it builds with and what regcli needs is there already.
OFFLINE = {
    "PIP_NO_INDEX": "1",
    "PIP_NO_DEPS": "1",
    "PIP_NO_BUILD_ISOLATION": "0",  # the value that turns isolation off
    "PIP_NO_CACHE_DIR": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    shutil.copy(DIABETES, "data.csv")
    return tmp_path


def clone(place: Path) -> None:
    """What an index or a clone would hand over: the sources, and nothing that was built."""
    for name in ("regcli", "man"):
        shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "action.yml", ".pre-commit-hooks.yaml"):
        shutil.copy(ROOT / name, place / name)


# -- the action ------------------------------------------------------------------------------------------------------


def action() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
    return found


def step(at: int, given: dict[str, str], runner: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a step as the runner does: inputs put into its variables, bash with its flags."""
    entry = action()["runs"]["steps"][at]
    assert entry["shell"] == "bash"
    assert "${{" not in entry["run"]  # nothing that is given is ever part of the program
    variables = {
        key: re.sub(r"\$\{\{ inputs\.([\w-]+) }}", lambda m: given[m[1]], text) for key, text in entry["env"].items()
    }
    command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", entry["run"]]
    env = environment(**{**runner, **variables})
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=120)


def runner(folder: Path) -> dict[str, str]:
    (folder / "temp").mkdir(exist_ok=True)
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_ACTION_PATH": str(ROOT),
        "GITHUB_OUTPUT": str(folder / "output"),
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
        "RUNNER_TEMP": str(folder / "temp"),
    }


def given(command: str, *args: str) -> dict[str, str]:
    inputs = {name: str(entry.get("default", "")) for name, entry in action()["inputs"].items()}
    return {**inputs, "python": sys.executable, "command": command, "args": "\n".join(args) + "\n"}


def outputs(folder: Path) -> dict[str, str]:
    lines = (folder / "output").read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_the_action_runs_fits_and_tells_what_fails(folder: Path) -> None:
    done = step(1, given("fit", "data.csv", *FIT, "--assert", "metrics.cv.r2 > 0.4"), runner(folder))
    assert (done.returncode, outputs(folder)["status"]) == (0, "0"), done.stderr
    document = json.loads(Path(outputs(folder)["document"]).read_text("utf-8"))
    assert (document["schema"], document["checks"][0]["passed"]) == ("regcli.fit/1", True)
    assert "#### Coefficients" in (folder / "summary.md").read_text("utf-8")
    (folder / "output").unlink()
    done = step(1, given("fit", "data.csv", *FIT, "--assert", "metrics.cv.r2 > 0.9"), runner(folder))
    assert (done.returncode, outputs(folder)["status"]) == (1, "1")
    assert "::error title=regcli fit%3A check failed::metrics.cv.r2 > 0.9 does not hold" in done.stderr


def test_arguments_of_the_action_are_no_shell(folder: Path) -> None:
    hostile = "$(touch hacked) `touch hacked`; touch hacked; *"
    shutil.copy("data.csv", f"{hostile}.csv")
    done = step(1, given("fit", f"{hostile}.csv", *FIT), runner(folder))
    assert done.returncode == 0, done.stderr
    document = json.loads(Path(outputs(folder)["document"]).read_text("utf-8"))
    assert document["data"]["files"][0]["path"] == f"{hostile}.csv"
    assert not (folder / "hacked").exists()
    assert step(1, given("fit; touch hacked", "data.csv"), runner(folder)).returncode == 2
    assert not (folder / "hacked").exists()


@pytest.mark.slow
def test_the_action_installs_the_clone(folder: Path) -> None:
    place, target = folder / "clone", folder / "target"
    place.mkdir()
    clone(place)
    variables = {**runner(folder), **OFFLINE, "GITHUB_ACTION_PATH": str(place), "PIP_TARGET": str(target)}
    done = step(0, given("fit"), variables)
    assert done.returncode == 0, done.stderr
    assert (target / "regcli" / "__main__.py").read_bytes() == (ROOT / "regcli" / "__main__.py").read_bytes()
    assert (target / "bin" / "regcli").exists()


@pytest.mark.slow
def test_the_first_line_of_the_readme_installs_and_fits(folder: Path) -> None:
    """As it stands, but that pip finds what regcli needs where the tests run."""
    (lines,) = [
        block.text for block in blocks((ROOT / "README.md").read_text("utf-8")) if "pip install ." in block.text
    ]
    place = folder / "clone"
    place.mkdir()
    clone(place)
    shutil.copytree(ROOT / "sample_data", place / "sample_data")
    env = programs(folder) | OFFLINE | {"PYTHONPATH": sysconfig.get_paths()["purelib"]}
    program(folder / "bin" / "python3.11", sys.executable)
    command = ["/bin/sh", "-c", lines.strip()]
    done = subprocess.run(command, cwd=place, env=env, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert '"schema": "regcli.fit/1"' in done.stdout
    assert list((place / ".venv" / "lib").glob("*/site-packages/regcli/__main__.py"))


# -- pre-commit ------------------------------------------------------------------------------------------------------


def git(*words: str, cwd: Path) -> None:
    config = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *config, *words], cwd=cwd, check=True, capture_output=True)  # noqa: S607  (git of the PATH)


def hook(name: str, repo: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """``pre-commit try-repo``, which builds an environment of the repository's last commit."""
    site = sysconfig.get_paths()["purelib"]
    env = {**environment(), **OFFLINE, "PYTHONPATH": site, "PRE_COMMIT_HOME": str(folder / "home")}
    command = [sys.executable, "-m", "pre_commit", "try-repo", str(repo), name, "--all-files", "--verbose", *words]
    return subprocess.run(
        command, cwd=folder / "project", env=env, capture_output=True, text=True, check=False, timeout=300
    )


@pytest.mark.slow
def test_hooks_hold_models_and_data(folder: Path) -> None:
    repo, project = folder / "repo", folder / "project"
    for place in (repo, project):
        place.mkdir()
    clone(repo)
    assert run_tool("fit", "data.csv", *FIT, "-m", project / "cost.model.json", "-o", folder / "fit.json").status == 0
    shutil.copy("data.csv", project / "data.csv")
    for place in (repo, project):
        git("init", "--quiet", cwd=place)
        git("add", "--all", cwd=place)
        git("commit", "--quiet", "-m", "all", cwd=place)
    done = hook("regcli-models", repo, folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Passed" in done.stdout
    model = project / "cost.model.json"
    model.write_text(model.read_text("utf-8").replace('"intercept": -', '"intercept": -1'), "utf-8")
    done = hook("regcli-models", repo, folder)
    assert (done.returncode, "error[model-altered]" in done.stdout) == (1, True), done.stdout


def test_entries_of_hooks_are_commands(folder: Path) -> None:
    hooks = {entry["id"]: entry for entry in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))}
    assert run_tool("fit", "data.csv", *FIT, "-m", "cost.model.json", "-o", "fit.json").status == 0
    entry = hooks["regcli-check"]["entry"].split()[1:]
    assert run_tool(*entry, "cost.model.json", "data.csv").status == 0
    (folder / "bad.csv").write_text(DIABETES.read_text("utf-8").replace("21.6", "tall", 1), "utf-8")
    assert run_tool(*entry, "cost.model.json", "data.csv", "bad.csv").status == 1
    entry = hooks["regcli-models"]["entry"].split()[1:]
    assert run_tool(*entry, "cost.model.json").status == 0
    assert run_tool(*entry, "cost.model.json", "data.csv").status == 3
    assert all(
        re.search(part["files"], name) for part, name in zip(hooks.values(), ("a.model.json", "b.csv"), strict=True)
    )


def test_the_configuration_of_pre_commit_in_the_recipes_is_one(folder: Path) -> None:
    known = {entry["id"]: entry for entry in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))}
    (repo,) = yaml.safe_load(recipe(".pre-commit-config.yaml"))["repos"]
    assert [entry["id"] for entry in repo["hooks"]] == ["regcli-models", "regcli-check"]
    (model,) = repo["hooks"][1]["args"]
    assert run_tool("fit", "data.csv", *FIT, "-m", model, "-o", "fit.json").status == 0
    (folder / "data").mkdir()
    shutil.copy("data.csv", "data/one.csv")
    for entry, files in zip(repo["hooks"], ([model], ["data/one.csv"]), strict=True):
        hook = {**known[entry["id"]], **entry}
        assert all(re.search(hook["files"], name) for name in files)
        assert run_tool(*hook["entry"].split()[1:], *hook.get("args", []), *files).status == 0


def test_the_workflow_in_the_recipes_runs(folder: Path) -> None:
    job = yaml.safe_load(recipe(".github/workflows/model.yml"))["jobs"]["model"]
    shutil.copy("data.csv", "new.csv")
    ours = [entry for entry in job["steps"] if entry.get("uses") == "./regcli" or "run" in entry]
    assert [sorted(entry) for entry in ours] == [["uses", "with"], ["run"]]
    words = ours[0]["with"]
    assert set(words) <= set(action()["inputs"])
    done = step(1, given(words["command"], *words["args"].splitlines()), runner(folder))
    assert done.returncode == 0, done.stderr
    assert json.loads(Path(outputs(folder)["document"]).read_text("utf-8"))["checks"][0]["passed"]
    command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", ours[1]["run"]]
    done = subprocess.run(command, env=programs(folder), capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "<testsuites" in Path("check.xml").read_text("utf-8")


# -- cron and make ---------------------------------------------------------------------------------------------------


def recipe(name: str) -> str:
    """The file of this name in the README or the page of recipes."""
    (found,) = [block.text for block in blocks(RECIPES) if block.file == name]
    return found


def command_of(crontab: str) -> str:
    """The command of a crontab's one line, as cron hands it to a shell."""
    (line,) = crontab.splitlines()
    fields = line.split(None, 5)
    assert all(re.fullmatch(r"[\d*/,-]+", field) for field in fields[:5])
    assert "%" not in re.sub(r"\\%", "", fields[5])  # cron ends a command at a bare one
    return fields[5].replace("\\%", "%")


def programs(folder: Path) -> dict[str, str]:
    """An environment in which ``regcli`` is this one."""
    (folder / "bin").mkdir()
    program(folder / "bin" / "regcli", sys.executable, "-m", "regcli")
    return environment(PATH=f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}", HOME=str(folder))


def test_the_crontab_line_keeps_the_old_model_where_the_new_one_is_worse(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = command_of(recipe("models.cron"))
    env = programs(folder)
    place = folder / "models"
    place.mkdir()
    shutil.copy("data.csv", place / "data.csv")
    monkeypatch.chdir(place)
    words = ("fit", "data.csv", "-y", "progression", "--family", "gaussian")
    assert run_tool(*words, "-o", "fit.json", "-m", "model.json").status == 0

    def run() -> int:
        return subprocess.run(["/bin/sh", "-c", command], env=env, cwd=folder, check=False, timeout=60).returncode

    assert run() == 0
    before = (place / "fit.json").read_bytes()
    assert [entry["passed"] for entry in json.loads(before)["checks"]] == [True]
    header, *rows = DIABETES.read_text("utf-8").splitlines()
    cut = [",".join((*row.split(",")[:-1], str(at * 7919 % 300))) for at, row in enumerate(rows)]  # a target of noise
    (place / "data.csv").write_text("\n".join([header, *cut]) + "\n", "utf-8")
    model = (place / "model.json").read_bytes()
    assert run() != 0
    assert ((place / "fit.json").read_bytes(), (place / "model.json").read_bytes()) == (before, model)
    assert "error[check-failed]" in (place / "log").read_text("utf-8")


def test_the_crontab_line_tells_of_rows_that_have_moved(folder: Path) -> None:
    command, env, place = command_of(recipe("drift.cron")), programs(folder), folder / "models"
    place.mkdir()
    shutil.copy("data.csv", place / "new.csv")
    assert run_tool("fit", "data.csv", *FIT, "-m", place / "model.json", "-o", "fit.json").status == 0

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", "-c", command], env=env, cwd=folder, capture_output=True, text=True, check=False, timeout=60
        )

    assert (run().returncode, run().stderr) == (0, "")
    header, *rows = DIABETES.read_text("utf-8").splitlines()
    moved = [f"{a},{b},{float(bmi) * 1.2:.1f},{rest}" for a, b, bmi, rest in (row.split(",", 3) for row in rows)]
    (place / "new.csv").write_text("\n".join([header, *moved]) + "\n", "utf-8")
    done = run()
    assert (done.returncode, "drift.bmi.psi < 0.25 does not hold" in done.stderr) == (1, True), done.stderr


def test_the_recipe_of_make_stops_where_a_check_fails(folder: Path) -> None:
    (folder / "Makefile").write_text(recipe("Makefile"), "utf-8")
    env = programs(folder)
    command = ["make", "scores.csv"]

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, check=False, timeout=60)

    shutil.copy("data.csv", "new.csv")
    done = run()
    assert done.returncode == 0, done.stderr
    assert len(Path("scores.csv").read_text("utf-8").splitlines()) == 443
    assert "up to date" in run().stdout
    Path("new.csv").write_text(DIABETES.read_text("utf-8").replace("21.6", "tall", 1), "utf-8")
    Path("scores.csv").unlink()
    done = run()
    assert done.returncode == 2
    assert "error[check-failed]" in done.stderr
    assert not Path("scores.csv").exists()
