"""Cross-validation with lanes in processes of their own: the same bytes, and none of them outlives the run."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import environment

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="copies are made on Linux")

WORDS = ("--folds", "5", "--full-path", "--n-lambdas", "40")
NUMBERS = ("-y", "y", "--drop", "c", "--family", "gaussian")
CLASSES = ("-y", "c", "--drop", "y", "--family", "binomial")


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table large enough for processes: 300 rows, 12,000 columns of digits."""
    rng = np.random.default_rng(8)
    X = rng.integers(0, 10, size=(300, 12_000))
    y = X[:, :20] @ rng.normal(size=20) + rng.normal(size=300)
    file = tmp_path_factory.mktemp("wide") / "wide.csv"
    lines = [
        ",".join(map(str, [*row, f"{value:.4f}", int(value > np.median(y))]))
        for row, value in zip(X.tolist(), y.tolist(), strict=True)
    ]
    file.write_text("\n".join([",".join([*(f"x{j}" for j in range(12_000)), "y", "c"]), *lines]) + "\n")
    return file


def begun(file: Path, *words: str, target: tuple[str, ...] = NUMBERS) -> "subprocess.Popen[str]":
    heeded = ["env", "--default-signal=HUP,INT,TERM"]  # in the background of a script they may be ignored
    command = [*heeded, sys.executable, "-m", "regcli", "cv", str(file), *target, *WORDS, *words]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=file.parent, env=environment(), stdout=pipe, stderr=pipe, text=True)


def copies(process: "subprocess.Popen[str]") -> list[int]:
    """The processes that a run has begun."""
    try:
        return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]
    except OSError:
        return []


def gone(pid: int) -> bool:
    """Whether a process has ended, though it may not have been waited for."""
    try:
        return "State:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True


@pytest.mark.parametrize("target", [NUMBERS, CLASSES], ids=["gaussian", "binomial"])
def test_processes_change_no_byte(wide: Path, target: tuple[str, ...]) -> None:
    alone, apart = begun(wide, "--jobs", "1", target=target), begun(wide, "--jobs", "3", "-v", target=target)
    most = 0
    while apart.poll() is None and most < 2:
        most = max(most, len(copies(apart)))
        time.sleep(0.01)
    (one, _), (other, told) = alone.communicate(timeout=120), apart.communicate(timeout=120)
    assert (alone.returncode, apart.returncode, most) == (0, 0, 2), told
    assert one == other
    assert "3 threads, lanes in 3 processes" in told


def test_a_limit_of_memory_is_for_one_process(wide: Path) -> None:
    process = begun(wide, "--jobs", "3", "--max-memory", "2GB")
    most = 0
    while process.poll() is None:
        most = max(most, len(copies(process)))
        time.sleep(0.01)
    assert (process.wait(), most) == (0, 0)
    process.communicate()


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGKILL, -9)],
)
def test_no_process_outlives_the_run(wide: Path, number: signal.Signals, status: int) -> None:
    process = begun(wide, "--jobs", "3")
    while process.poll() is None and len(copies(process)) < 2:
        time.sleep(0.01)
    left = copies(process)
    process.send_signal(number)
    out, told = process.communicate(timeout=60)
    assert (process.returncode, out, told, len(left)) == (status, "", "", 2)
    for _ in range(600):
        if all(map(gone, left)):
            break
        time.sleep(0.05)
    assert all(map(gone, left))


def test_a_process_that_the_system_ends_is_told_of(wide: Path) -> None:
    process = begun(wide, "--jobs", "3")
    while process.poll() is None and len(copies(process)) < 2:
        time.sleep(0.01)
    os.kill(copies(process)[0], signal.SIGKILL)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 7, told
    assert "out-of-memory" in told
    assert "Traceback" not in told
    assert not copies(process)
