"""A run that is ended at any moment leaves the old file or the new one, whole."""

import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import environment

#: Moments for each of the two commands; with both it is 200.
MOMENTS = 100

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL)
STRAY = re.compile(r"\..+\.regcli-[0-9a-f]{16}\.tmp")

#: ``python -m regcli`` that says on standard output when the interpreter is up. A signal that comes before ends it in
#: as many ways as Python has (with 1 where ``site`` was being imported), which are none of regcli's.
BEGIN = "import os, runpy; os.write(1, b'up'); runpy.run_module('regcli', run_name='__main__', alter_sys=True)"


def begun(folder: Path, *words: str) -> "subprocess.Popen[bytes]":
    command, pipe = [sys.executable, "-c", BEGIN, *words, "-qq"], subprocess.PIPE
    return subprocess.Popen(command, cwd=folder, env=environment(), stdout=pipe, stderr=pipe, stdin=pipe)


def ended(folder: Path, *words: str) -> None:
    process = begun(folder, *words)
    up, said = process.communicate(timeout=60)
    assert (process.returncode, said, up[:2]) == (0, b"", b"up")


def tables(folder: Path) -> None:
    """A table to fit on, one that takes a while to score, and a model."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60_000, 5))
    cells = np.column_stack([X, X @ [1, 0, 2, 0, 0] + rng.normal(size=60_000)])
    lines = [",".join(f"{cell:.4f}" for cell in row) for row in cells]
    (folder / "new.csv").write_text("\n".join(["a,b,c,d,e,y", *lines]) + "\n")
    (folder / "old.csv").write_text("\n".join(["a,b,c,d,e,y", *lines[:500]]) + "\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ("fit", "old.csv", "-y", "y", "--family", "gaussian", "-m", "out", "--save-path"),
        ("predict", "model.json", "new.csv", "-o", "out", "-f", "csv"),
    ],
    ids=["fit", "predict"],
)
def test_an_old_file_stays_until_the_new_one_is_whole(tmp_path: Path, words: tuple[str, ...]) -> None:
    tables(tmp_path)
    ended(tmp_path, "fit", "old.csv", "-y", "y", "--family", "gaussian", "-m", "model.json")
    start = time.monotonic()
    ended(tmp_path, *words)
    spent = time.monotonic() - start
    target = tmp_path / "out"
    new, old = target.read_bytes(), b"what was there before\n"
    there = {path.name for path in tmp_path.iterdir()}
    draw = random.Random(20)  # noqa: S311  (moments, no secrets)
    seen: set[tuple[bool, bytes]] = set()
    for at in range(MOMENTS):
        target.write_bytes(old)
        target.chmod(0o640)
        number = SIGNALS[at % len(SIGNALS)]
        process = begun(tmp_path, *words)
        time.sleep(draw.uniform(0.0, 1.05 * spent))
        process.send_signal(number)
        up, said = process.communicate(timeout=60)
        assert process.returncode in {0, 128 + number, -number} or not up, (process.returncode, said)
        found = target.read_bytes()
        assert found in (old, new)
        assert found == new or process.returncode != 0
        assert target.stat().st_mode & 0o777 == 0o640
        strays = {path.name for path in tmp_path.iterdir()} - there
        assert not strays or number == signal.SIGKILL
        for name in strays:
            assert STRAY.fullmatch(name)
            (tmp_path / name).unlink()
        seen.add((bool(up), found))
    assert (True, old) in seen
