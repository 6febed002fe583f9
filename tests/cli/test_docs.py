"""The documents say what is so: sessions are run again, tables and names are compared with the code."""

import difflib
import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
import termios
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from regcli import __version__
from regcli.app.options import Common
from regcli.cli.options import declared, groups
from regcli.cli.texts import COMMANDS, ENVIRONMENT, EXIT_STATUS
from regcli.errors import CODES, WARNING_CODES
from tests.cli.conftest import ROOT, environment

README = (ROOT / "README.md").read_text("utf-8")
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")
DOCUMENTS = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "sample_data/README.md")

#: Rows and columns of the terminal in which the sessions of the README were written down.
TERMINAL = (24, 80)


# -- sessions --------------------------------------------------------------------------------------------------------


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def steps(block: str) -> Iterator[tuple[str, str]]:
    """Each command of a session, with what it printed. A command goes on behind ``> ``."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        lines = part.splitlines(keepends=True)
        count = 1
        while count < len(lines) and lines[count - 1].endswith("\\\n") and lines[count].startswith("> "):
            lines[count] = lines[count].removeprefix("> ")
            count += 1
        yield "".join(lines[:count]).rstrip("\n"), "".join(lines[count:])


def on_terminal(command: str, folder: Path, programs: Path) -> str:
    """What a command line prints on a terminal, both streams as they come."""
    ours, theirs = pty.openpty()
    modes = termios.tcgetattr(theirs)
    modes[1] &= ~termios.OPOST  # line ends as they are written
    termios.tcsetattr(theirs, termios.TCSANOW, modes)
    termios.tcsetwinsize(theirs, TERMINAL)
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    env = environment(PATH=path, NO_COLOR="1", REGCLI_PROGRESS="0", LC_ALL="C.UTF-8")
    with subprocess.Popen(["/bin/sh", "-c", command], cwd=folder, env=env, stdin=theirs, stdout=theirs, stderr=theirs):
        os.close(theirs)
        out = b""
        try:
            while piece := os.read(ours, 65536):
                out += piece
        except OSError:  # how Linux says that nobody writes any more
            pass
        finally:
            os.close(ours)
    return out.decode()


def program(path: Path, *words: str) -> None:
    path.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n', "utf-8")
    path.chmod(0o755)


def replay(text: str, place: Path) -> Iterator[tuple[str, str, str]]:
    """Run every session of a document in one folder; each command with what the text says and what came."""
    programs, folder = place / "bin", place / "work"
    programs.mkdir()
    folder.mkdir()
    program(programs / "regcli", sys.executable, "-m", "regcli")
    program(programs / "python3", sys.executable)
    shutil.copytree(ROOT / "sample_data", folder / "sample_data")
    for block in blocks(text, "console"):
        for command, told in steps(block):
            yield command, told, on_terminal(command, folder, programs)


def stripped(text: str) -> list[str]:
    return [line.rstrip() for line in text.rstrip().splitlines()]


def test_the_sessions_of_the_readme_are_what_happens(tmp_path: Path) -> None:
    count = 0
    for command, told, came in replay(README, tmp_path):
        count += 1
        assert stripped(told) == stripped(came), "\n".join(
            [command, *difflib.unified_diff(stripped(told), stripped(came), "README.md", "now", lineterm="")]
        )
    assert count >= 8


def test_a_session_is_taken_apart() -> None:
    assert list(steps("$ one \\\n> two\nout\n\n$ three\n")) == [("one \\\ntwo", "out\n\n"), ("three", "")]


# -- names and tables ------------------------------------------------------------------------------------------------


#: Options of what export writes.
OF_SCORERS = ("--self-test",)


def flags() -> set[str]:
    kinds: list[type[Any]] = [Common, *(part.kind for text in COMMANDS.values() for part in groups(text.request))]
    named = {name for kind in kinds for choice in declared(kind) for name in choice.flag.names}
    return named | {"--help", "-h", "--version", "-V", "--install-completion", "--show-completion", *OF_SCORERS}


@pytest.mark.parametrize("text", [README, CHANGELOG], ids=["README", "CHANGELOG"])
def test_every_option_named_exists(text: str) -> None:
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*", text)) <= flags()


def test_every_command_is_in_the_readme() -> None:
    for name in COMMANDS:
        assert re.search(rf"`regcli {name}\b", README)


def test_every_code_shown_exists() -> None:
    shown = set(re.findall(r"(?:error|warning)\[([a-z-]+)\]", README))
    assert shown
    assert shown <= set(CODES) | set(WARNING_CODES)


def test_the_exit_statuses_are_those_of_the_manual() -> None:
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \|", README, re.MULTILINE)
    assert {int(status): meaning.strip() for status, meaning in rows} == EXIT_STATUS


def test_every_variable_is_in_the_readme() -> None:
    assert set(re.findall(r"\bREGCLI_[A-Z_]+|\b(?:NO|FORCE)_COLOR|\bGITHUB_[A-Z_]+", README)) == set(ENVIRONMENT)


def test_the_changelog_knows_this_version() -> None:
    assert re.search(rf"^## \[{re.escape(__version__)}\]", CHANGELOG, re.MULTILINE)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name: str) -> None:
    path = ROOT / name
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text("utf-8")):
        assert "://" in target or (path.parent / target).exists(), target


# -- the house -------------------------------------------------------------------------------------------------------


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def test_the_architecture_names_every_module_and_no_other() -> None:
    files = {path.relative_to(ROOT).as_posix() for path in (ROOT / "regcli").rglob("*.py")}
    named = set(re.findall(r"`(regcli/[\w/]+\.py)`", ARCHITECTURE))
    packages = {f"{folder}/__init__.py" for folder in re.findall(r"`(regcli/(?:[\w/]+)?)/`", ARCHITECTURE)}
    assert named - files == set()
    assert packages - files == set()
    assert files - named - packages - {"regcli/__init__.py"} == set()


def test_other_files_named_exist() -> None:
    for name in DOCUMENTS[:4]:
        text = (ROOT / name).read_text("utf-8")
        for path in re.findall(r"`((?:tests|man|sample_data|\.ci)/[\w./-]*)`", text):
            assert (ROOT / path).exists(), path


def test_the_architecture_quotes_every_contract() -> None:
    for contract in project()["tool"]["importlinter"]["contracts"]:
        assert contract["name"] in ARCHITECTURE


def test_the_package_carries_the_manual_pages_and_nothing_else() -> None:
    shared = project()["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    pages = {path.name for path in (ROOT / "man").glob("*.1")}
    assert shared == {f"man/{page}": f"share/man/man1/{page}" for page in pages}


def test_the_second_line_of_the_readme_is_what_ci_runs() -> None:
    (lines,) = (block.splitlines() for block in blocks(README, "sh") if "[dev]" in block)
    line = next(line for line in lines if "[dev]" in line)
    make, install, test = line.split(" && ")
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    assert make.startswith("python3.11 -m venv ")
    assert install.endswith(" install -e '.[dev]'")
    assert "install --quiet --disable-pip-version-check -e '.[dev]'" in script
    checks = [part for part in script.splitlines() if part.startswith("check ")]
    assert checks[-1].endswith('/python" -m ' + test.partition(" -m ")[2])
