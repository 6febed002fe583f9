"""Progress: on a terminal and after a second, never anywhere else, and gone in the end."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from regcli.cli.streams import ProgressLine
from tests.cli.conftest import environment
from tests.cli.sessions import all_of


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def told(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err.strip("\r ")


def test_a_line_tells_how_much_is_done_and_how_long_it_will_take(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    clock = Clock()
    line = ProgressLine("strengths", clock)
    clock.now = 0.9
    line.update(10, 100)
    assert told(capsys) == ""
    clock.now = 10.0
    line.update(25, 100)
    assert told(capsys) == "[#######.......................] 25/100 strengths, 30 s left"
    clock.now = 10.05
    line.update(26, 100)  # too soon after the last
    assert told(capsys) == ""
    clock.now = 400.0
    line.update(50, 100)
    assert told(capsys).endswith("50/100 strengths, 6 min 40 s left")
    line.update(100, 100)
    assert told(capsys).endswith("100/100 strengths")
    line.clear()
    assert told(capsys) == ""


def test_a_line_without_an_end_counts(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    line = ProgressLine("rows", clock)
    clock.now = 4000.0
    line.update(1_234_000, 0)
    assert told(capsys) == "1,234,000 rows, 1 h 6 min"
    monkeypatch.setenv("COLUMNS", "12")
    clock.now = 4001.0
    line.update(1_235_000, 0)
    assert told(capsys) == "1,235,000 r"  # a line that wraps cannot be taken back


def on_terminal(folder: Path, *words: str) -> str:
    """What a run writes to a terminal on its standard error."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "regcli", *words]
    with subprocess.Popen(command, cwd=folder, env=environment(), stdout=subprocess.DEVNULL, stderr=theirs) as process:
        os.close(theirs)
        out = all_of(ours)
        assert process.wait(60) == 0
    return out.decode()


@pytest.mark.slow
def test_a_long_run_shows_progress_on_a_terminal_alone(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(4000, 300))
    y = (X[:, :20].sum(axis=1) + 3 * rng.normal(size=4000) > 0).astype(int)
    header = ",".join(f"x{at}" for at in range(300)) + ",y"
    np.savetxt(tmp_path / "t.csv", np.column_stack([X, y]), delimiter=",", fmt="%.5g", header=header, comments="")
    words = ("cv", "t.csv", "-y", "y", "--family", "binomial", "--n-lambdas", "300", "--full-path")
    shown = on_terminal(tmp_path, *words)
    assert re.search(r"\[#*\.*\] \d+/300 strengths, \d+ s left", shown)
    assert shown.endswith(" \r")  # taken away
    assert "strengths" not in on_terminal(tmp_path, *words, "--no-progress")
    piped = [sys.executable, "-m", "regcli", *words]
    done = subprocess.run(piped, cwd=tmp_path, env=environment(), capture_output=True, timeout=60, check=True)
    assert done.stderr == b""
