"""Progress: on a terminal and after a second, never anywhere else, and gone in the end."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest

from regcli.cli.progress import ProgressLine
from tests.cli.conftest import environment
from tests.cli.sessions import all_of


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(name="clock")
def clock_and_terminal(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock, beside a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    return Clock()


def told(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err.strip("\r ")


def test_a_line_tells_how_much_is_done_and_how_long_it_will_take(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ProgressLine(clock=clock)
    line.doing("fitting", "strengths")
    line.update(0, 100)
    clock.now = 0.9
    line.update(10, 100)
    assert told(capsys) == ""
    clock.now = 10.0
    line.update(25, 100)
    assert told(capsys) == "fitting [#######.......................] 25/100 strengths, 30 s left"
    clock.now = 10.05
    line.update(26, 100)  # too soon after the last
    assert told(capsys) == ""
    clock.now = 400.0
    line.update(50, 100)
    assert told(capsys).endswith("50/100 strengths, 6 min 40 s left")
    line.update(100, 100)
    assert told(capsys).rstrip().endswith("100/100 strengths")
    line.clear()
    assert told(capsys) == ""


def test_what_has_been_done_before_does_not_count_for_the_time_that_is_left(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ProgressLine(clock=clock)
    line.doing("reading", "bytes")
    clock.now = 600.0
    line.update(10**6, 0)  # a pipe, of which nobody knows how much there is
    assert told(capsys) == "reading, 1.0 MB, 10 min 0 s"
    line.update(0, 812_000_000)
    clock.now = 603.0
    line.update(203_000_000, 812_000_000)
    assert told(capsys) == "reading [#######.......................] 203 MB of 812 MB, 9 s left"
    line.doing("preparing 1,000 rows x 3 columns")
    line.doing("fitting", "strengths")
    line.update(0, 50)
    clock.now = 605.0
    line.update(25, 50)
    assert told(capsys).rstrip() == "fitting [###############...............] 25/50 strengths, 2 s left"
    line.update(1, 50)  # another walk
    clock.now = 608.0
    line.update(2, 50)
    assert "2/50 strengths, 2 min 24 s left" in told(capsys)


def test_a_line_without_an_end_counts(
    clock: Clock, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    line = ProgressLine(clock=clock)
    line.doing("predicting", "rows")
    clock.now = 4000.0
    line.update(1_234_000, 0)
    assert told(capsys) == "predicting, 1,234,000 rows, 1 h 6 min"
    monkeypatch.setenv("COLUMNS", "24")
    clock.now = 4001.0
    line.update(1_235_000, 0)
    assert told(capsys) == "predicting, 1,235,000 r"  # a line that wraps cannot be taken back


def on_terminal(folder: Path, *words: str, table: bytes = b"", columns: int = 0, **variables: str) -> str:
    """What a run writes to a terminal on its standard error; a table on its standard input takes two seconds."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    command = [sys.executable, "-m", "regcli", *words]
    quiet, fed = subprocess.DEVNULL, subprocess.PIPE
    env = environment(**{"TERM": "xterm", **variables})
    with subprocess.Popen(command, cwd=folder, env=env, stdin=fed, stdout=quiet, stderr=theirs) as process:
        os.close(theirs)
        assert process.stdin is not None
        feeder = threading.Thread(target=feed, args=(process.stdin, table))
        feeder.start()
        out = all_of(ours)
        feeder.join()
        assert process.wait(60) == 0
    return out.decode()


def feed(pipe: BinaryIO, table: bytes) -> None:
    """Write half of a table, and the other half much later."""
    with pipe:
        half = len(table) // 2
        pipe.write(table[:half])
        pipe.flush()
        time.sleep(2.5 if table else 0.0)
        pipe.write(table[half:])


@pytest.mark.slow
def test_a_long_run_shows_progress_on_a_terminal_alone(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(4000, 300))
    y = (X[:, :20].sum(axis=1) + 3 * rng.normal(size=4000) > 0).astype(int)
    header = ",".join(f"x{at}" for at in range(300)) + ",y"
    np.savetxt(tmp_path / "t.csv", np.column_stack([X, y]), delimiter=",", fmt="%.5g", header=header, comments="")
    words = ("cv", "t.csv", "-y", "y", "--family", "binomial", "--n-lambdas", "300", "--full-path")
    shown = on_terminal(tmp_path, *words)
    assert re.search(r"\rfitting \[#*\.*\] \d+/300 strengths, \d+ s left", shown)
    assert shown.endswith(" \r")  # taken away
    assert "strengths" not in on_terminal(tmp_path, *words, "--no-progress")
    piped = [sys.executable, "-m", "regcli", *words]
    done = subprocess.run(piped, cwd=tmp_path, env=environment(), capture_output=True, timeout=60, check=True)
    assert done.stderr == b""


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, and a table."""
    place = tmp_path_factory.mktemp("scored")
    values = np.random.default_rng(2).normal(size=(60_000, 4))
    for name, rows in (("large.csv", values), ("small.csv", values[:200])):
        np.savetxt(place / name, rows, delimiter=",", fmt="%.4g", header="x0,x1,x2,y", comments="")
    words = ("fit", "small.csv", "-y", "y", "--family", "gaussian", "-l", "0.01", "-m", "model.json", "-o", "fit.json")
    command = [sys.executable, "-m", "regcli", *words]
    subprocess.run(command, cwd=place, env=environment(), capture_output=True, timeout=60, check=True)
    return place


ROWS = r"[\d,]+ rows, (about )?\d+ s( left)?"
RECEIVING = r"\rreading, [\d.]+ [kM]B, \d+ s"

LONG = {
    "predict": (("predict", "model.json", "-", "-o", "scores.csv"), rf"\rpredicting, {ROWS}"),
    "check": (("check", "model.json", "-"), rf"\rchecking, {ROWS}"),
    "inspect": (("inspect", "-", "-y", "y"), RECEIVING),
    "path": (("path", "-", "-y", "y", "--family", "gaussian"), RECEIVING),
    "cv": (("cv", "-", "-y", "y", "--family", "gaussian"), RECEIVING),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", LONG)
def test_whatever_takes_long_says_so_on_a_terminal(scored: Path, name: str) -> None:
    words, wanted = LONG[name]
    table = (scored / "large.csv").read_bytes()
    shown = on_terminal(scored, *words, table=table)
    assert re.search(wanted, shown), repr(shown[-300:])
    bare = re.sub(r"\r[^\r\n]*(?=\r)", "", shown)  # what is written over is gone
    assert not {"reading", "predicting", "checking"} & set(re.findall("[a-z]+", bare)), repr(bare)
    piped = [sys.executable, "-m", "regcli", *words, "-q"]
    done = subprocess.run(
        piped, input=table, cwd=scored, env=environment(), capture_output=True, timeout=60, check=True
    )
    assert b"\r" not in done.stderr


@pytest.mark.slow
def test_the_line_is_as_long_as_the_terminal_that_it_goes_to_and_none_on_a_dumb_one(scored: Path) -> None:
    words, _ = LONG["check"]
    table = (scored / "large.csv").read_bytes()
    shown = on_terminal(scored, *words, table=table, columns=20)
    lines = re.findall(r"\r([^\r\n]*)(?=\r(?!\n))", shown)
    assert max(map(len, lines)) == 19, lines
    assert lines[-1] == " " * 19  # taken away
    assert "checking" not in on_terminal(scored, *words, table=table, columns=20, TERM="dumb")


def test_time_is_told_before_anything_is_counted(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    line = ProgressLine(clock=clock)
    clock.now = 3.0
    line.begin()
    deadline = time.monotonic() + 10
    out = ""
    while "working" not in out and time.monotonic() < deadline:
        time.sleep(0.05)
        out += capsys.readouterr().err
    assert out.strip("\r ") == "working, 3 s"
    line.doing("predicting", "rows")
    line.expect(4000)
    clock.now = 8.0
    line.update(1000, 0)
    assert "predicting, 1,000 rows, about 15 s left" in told(capsys)
    line.end()
    assert told(capsys) == ""
    line.update(2000, 0)
    assert told(capsys) == ""
