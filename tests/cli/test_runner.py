"""What a step of GitHub Actions prints: no name in it is a command, by the rules of the runner itself."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from regcli.report.runner import commands_in
from tests.cli.conftest import environment

KNOWN = {
    "add-mask", "add-matcher", "add-path", "debug", "echo", "endgroup", "error", "group", "internal-set-repo-path",
    "notice", "remove-matcher", "save-state", "set-env", "set-output", "stop-commands", "warning",
}  # fmt: skip

HOSTILE = (
    "::error::one",
    " \t::Set-Output name=a::two",
    "x ##[warning]three",
    "four\n::stop-commands::five",
    "##[group]",
)


def commands(text: str) -> Iterator[str]:
    """Names of the commands in a stream, parsed as ActionCommand.TryParseV2 and TryParse do: a line at a time."""
    for line in re.split(r"\r\n|\r|\n", text):
        begun = line.lstrip()
        if begun.startswith("::") and (end := begun.find("::", 2)) >= 0:
            name = begun[2:end].split(" ")[0].lower()
            if name in KNOWN:
                yield name
                continue
        if (at := line.find("##[")) >= 0 and (end := line.find("]", at)) >= 0:
            name = line[at + 3 : end].split(" ")[0].lower()
            if name in KNOWN:
                yield name


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table whose names and levels are commands, and what was made of it."""
    place = tmp_path_factory.mktemp("runner")
    rng = np.random.default_rng(8)
    values = rng.normal(size=(60, len(HOSTILE)))
    frame = pd.DataFrame(values, columns=list(HOSTILE)).assign(kind=rng.choice(HOSTILE, 60), y=values.sum(axis=1))
    frame["y"] += rng.normal(size=60)
    frame.to_parquet(place / "odd.parquet")
    words = (
        "fit",
        "odd.parquet",
        "-y",
        "y",
        "--family",
        "gaussian",
        "-l",
        "0.01",
        "-m",
        "model.json",
        "-o",
        "fit.json",
    )
    assert run(place, *words).returncode == 0
    return place


def run(place: Path, *words: str, out: int | Path = subprocess.PIPE) -> subprocess.CompletedProcess[bytes]:
    """Run the tool as a step of an action, its output into a pipe or a file."""
    command, env = [sys.executable, "-m", "regcli", *words], environment(GITHUB_ACTIONS="true", NO_COLOR="1")
    if isinstance(out, int):
        return subprocess.run(command, cwd=place, env=env, stdout=out, stderr=subprocess.PIPE, check=False, timeout=60)
    with out.open("wb") as file:
        return subprocess.run(command, cwd=place, env=env, stdout=file, stderr=subprocess.PIPE, check=False, timeout=60)


def test_the_rules_find_commands() -> None:
    lines = ["::error::x", " ::ERROR file=a::x", "a ##[error]x", "a\r::debug::x", "\u2003::debug::x"]
    for line in lines:
        assert list(commands(line)) != []
        assert commands_in(line)
    for line in ["::foo::x", "a::error::x", "##[section]x", "::error x", "# #[error]x", "::errors::x"]:
        assert list(commands(line)) == []
        assert not commands_in(line)


PRINTED = {
    "fit": ("fit", "odd.parquet", "-y", "y", "--family", "gaussian", "-l", "0.01"),
    "cv": ("cv", "odd.parquet", "-y", "y", "--family", "gaussian"),
    "path": ("path", "odd.parquet", "-y", "y", "--family", "gaussian", "-l", "0.1,0.01"),
    "inspect": ("inspect", "odd.parquet", "-y", "y"),
    "show": ("show", "model.json"),
    "check": ("check", "model.json", "odd.parquet"),
}


@pytest.mark.parametrize("name", PRINTED)
def test_what_people_read_holds_no_command(folder: Path, name: str) -> None:
    for form in ("json", "md", "table") if name in ("fit", "show") else ("table",):
        done = run(folder, *PRINTED[name], "-f", form)
        text = done.stdout.decode()
        assert done.returncode == 0, done.stderr
        assert list(commands(text)) == []
        assert list(commands(done.stderr.decode())) == []
        if form == "json":
            told = str(json.loads(text))
            assert all(hostile in told for hostile in HOSTILE if "\n" not in hostile and "\t" not in hostile)
        elif name != "check":  # whose table names what is wrong, and nothing is
            assert "\\x3a" in text or "\\x23" in text or "&#58;" in text


def test_names_hold_no_command(folder: Path) -> None:
    done = run(folder, *PRINTED["fit"], "-f", "names")
    assert done.returncode == 0
    assert list(commands(done.stdout.decode())) == []
    assert "\\x3a:error::one" in done.stdout.decode().splitlines()


@pytest.mark.parametrize(
    "words",
    [
        (*PRINTED["fit"], "-f", "csv"),
        (*PRINTED["path"], "-f", "csv"),
        ("predict", "model.json", "odd.parquet", "--append"),
        ("predict", "model.json", "odd.parquet", "--id", "kind"),
        ("export", "model.json", "--to", "sql"),
    ],
)
def test_data_that_would_be_a_command_do_not_reach_the_log(folder: Path, words: tuple[str, ...]) -> None:
    done = run(folder, *words)
    assert (done.returncode, list(commands(done.stdout.decode()))) == (6, [])
    assert b"error[output-failed]" in done.stderr
    assert b"-o FILE" in done.stderr
    assert list(commands(done.stderr.decode())) == []
    kept = run(folder, *words, out=folder / "out")  # a file is no log: it has the data as they are
    assert kept.returncode == 0
    assert list(commands((folder / "out").read_text("utf-8"))) != []


def test_rows_as_json_are_escaped(folder: Path) -> None:
    done = run(folder, "predict", "model.json", "odd.parquet", "--append", "-f", "jsonl")
    assert done.returncode == 0
    assert list(commands(done.stdout.decode())) == []
    assert set(HOSTILE) <= set(json.loads(done.stdout.decode().splitlines()[0]))


def test_elsewhere_data_are_as_they_are(folder: Path) -> None:
    command = [sys.executable, "-m", "regcli", *PRINTED["fit"], "-f", "csv"]
    done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, check=False, timeout=60)
    assert done.returncode == 0
    assert list(commands(done.stdout.decode())) != []
