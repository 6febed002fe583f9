"""The pages that users read, run: sessions on a terminal, files that a page shows, pictures that it draws.

A block marked ``console`` is a session. One whose first line says ``file=NAME`` is a file that is written before the
sessions that follow; ``text`` is shown, not run. Run by itself, this module puts what happens now into pages::

    python -m tests.cli.sessions README.md docs/tutorial.md
"""

import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
import termios
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.cli.conftest import ROOT, environment

__all__ = [
    "IMAGE",
    "PAGES",
    "Block",
    "Ran",
    "Stage",
    "all_of",
    "blocks",
    "on_terminal",
    "program",
    "replay",
    "steps",
    "terminal_environment",
    "unwound",
]

#: Rows and columns of the terminal in which the sessions were written down.
TERMINAL = (24, 80)

#: What users read beside the help.
PAGES = ("README.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))))

#: A picture in a page: what it shows, and its file.
IMAGE = re.compile(r"!\[([^\]]*)\]\((images/[\w-]+\.svg)\)")

_FENCE = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a page: its language, the file that it is, its text, and where that text begins."""

    language: str
    file: str | None
    text: str
    start: int


@dataclass(frozen=True, slots=True)
class Ran:
    """A command of a session: what the page says it prints, and what it printed."""

    command: str
    told: list[str]
    came: list[str]


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page."""
    return [Block(m[1], m[2], m[3], m.start(3)) for m in _FENCE.finditer(page)]


def steps(session: str) -> Iterator[tuple[str, str]]:
    """Each command of a session as it stands there, and what it printed. A command goes on behind ``> ``."""
    for part in re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]:
        lines = part.splitlines(keepends=True)
        count = 1
        while count < len(lines) and lines[count].startswith("> "):
            count += 1
        yield "".join(lines[:count]).rstrip("\n"), "".join(lines[count:])


def unwound(command: str) -> str:
    """A command as the shell gets it: without the prompts of its further lines."""
    return re.sub(r"^> ", "", command, flags=re.MULTILINE)


class Stage:
    """A fresh folder with a copy of the sample tables, and the programs that the pages call."""

    def __init__(self, place: Path) -> None:
        self.folder = place / "work"
        self._programs = place / "bin"
        self.folder.mkdir()
        self._programs.mkdir()
        program(self._programs / "regcli", sys.executable, "-m", "regcli")
        program(self._programs / "python3", sys.executable)
        program(self._programs / "jq", sys.executable, "-m", "tests.cli.run_jq")
        shutil.copytree(ROOT / "sample_data", self.folder / "sample_data")

    def environment(self) -> dict[str, str]:
        """The environment of every command."""
        return terminal_environment(self._programs) | {"HOME": str(self.folder.parent)}


def terminal_environment(programs: Path) -> dict[str, str]:
    """An environment in which the programs of a folder are found first, and nothing steers regcli."""
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    return environment(PATH=path, NO_COLOR="1", REGCLI_PROGRESS="0", LC_ALL="C.UTF-8")


def on_terminal(command: str, folder: Path, env: dict[str, str]) -> str:
    """What a command line prints on a terminal, both streams as they come."""
    ours, theirs = pty.openpty()
    modes = termios.tcgetattr(theirs)
    modes[1] &= ~termios.OPOST  # line ends as they are written
    termios.tcsetattr(theirs, termios.TCSANOW, modes)
    termios.tcsetwinsize(theirs, TERMINAL)
    with subprocess.Popen(["/bin/sh", "-c", command], cwd=folder, env=env, stdin=theirs, stdout=theirs, stderr=theirs):
        os.close(theirs)
        return all_of(ours).decode()


def all_of(terminal: int) -> bytes:
    """Everything that is written to a terminal until nobody writes any more, and close it."""
    out = b""
    try:
        while piece := os.read(terminal, 65536):
            out += piece
    except OSError:  # how Linux says so
        pass
    finally:
        os.close(terminal)
    return out


def program(path: Path, *words: str) -> None:
    """Write a program that runs these words, and whatever it is given."""
    path.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n', "utf-8")
    path.chmod(0o755)


def replay(page: str, stage: Stage) -> Iterator[Ran]:
    """Run a page from top to bottom in one folder: files are written, sessions run."""
    for block in blocks(page):
        if block.file is not None:
            (stage.folder / block.file).parent.mkdir(parents=True, exist_ok=True)
            (stage.folder / block.file).write_text(block.text, "utf-8")
        elif block.language == "console":
            for command, told in steps(block.text):
                yield Ran(
                    command,
                    _stripped(told),
                    _stripped(on_terminal(unwound(command), stage.folder, stage.environment())),
                )


def _stripped(text: str) -> list[str]:
    return [line.rstrip() for line in text.rstrip().splitlines()]


def _rewritten(page: str, stage: Stage) -> str:
    """A page with what its commands print now."""
    ran = replay(page, stage)
    out, at = "", 0
    for block in blocks(page):
        if block.language != "console":
            continue
        lines = [line for _ in steps(block.text) for done in [next(ran)] for line in (f"$ {done.command}", *done.came)]
        out += page[at : block.start] + "".join(f"{line}\n" for line in lines)
        at = block.start + len(block.text)
    return out + page[at:]


def main(names: list[str]) -> None:
    """Write pages again, and the pictures that they draw."""
    for name in names:
        path = ROOT / name
        with TemporaryDirectory() as place:
            stage = Stage(Path(place))
            text = _rewritten(path.read_text("utf-8"), stage)
            path.write_text(text, "utf-8")
            for _, image in IMAGE.findall(text):
                shutil.copy(stage.folder / Path(image).name, path.parent / image)


if __name__ == "__main__":
    main(sys.argv[1:])
