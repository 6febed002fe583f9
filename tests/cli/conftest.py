"""Running the command line: as a process, or inside on faked use cases."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from regcli.cli import boundary
from tests.cli.fakes import Outcome, modules

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "sample_data"

Process = subprocess.CompletedProcess[str]


def environment(**more: str) -> dict[str, str]:
    """This process's environment without whatever would steer regcli, and with ``more``."""
    steering = ("REGCLI_", "_REGCLI", "NO_COLOR", "FORCE_COLOR", "_TYPER", "COLUMNS", "GITHUB_", "PY_COLORS")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(steering)}
    return {**kept, "PYTHONPATH": str(ROOT), **more}


def tool_or_loudly_none(name: str, undone: str, capture: pytest.CaptureFixture[str]) -> str | None:
    """A program of this machine; where there is none, that is said where nobody can miss it."""
    path = shutil.which(name)
    if path is None:
        with capture.disabled():
            sys.stderr.write(f"\n*** {name} is not installed: {undone} ***\n")
    return path


@pytest.fixture
def regcli(tmp_path: Path) -> Callable[..., Process]:
    """Run ``python -m regcli`` (or another module) in an empty folder."""

    def call(*words: str, module: str = "regcli", **more: str) -> Process:
        command = [sys.executable, "-m", module, *words]
        return subprocess.run(
            command, cwd=tmp_path, env=environment(**more), capture_output=True, text=True, timeout=60, check=False
        )

    return call


@dataclass
class Inside:
    """The command line in this process, on faked use cases."""

    capture: pytest.CaptureFixture[str]
    seen: list[Outcome]

    def __call__(self, *words: str) -> tuple[int, str, str]:
        """Status, standard output, standard error."""
        status = boundary.run(words)
        out, err = self.capture.readouterr()
        return status, out, err


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Iterator[Inside]:
    made, seen = modules()
    for name, module in made.items():
        monkeypatch.setitem(sys.modules, name, module)
    for name in set(os.environ) - set(environment()):
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # Typer puts its own there
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield Inside(capsys, seen)
    for number, handler in handlers.items():
        signal.signal(number, handler)
