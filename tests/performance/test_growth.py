"""Work grows with the number of columns, not with its square: calls are counted, which are the same everywhere."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import numpy as np
import pytest

from tests.fuzz.tool import run_tool

WORDS = ("-y", "target", "--family", "gaussian")


def calls(work: Callable[[], object]) -> int:
    """How many functions were called, those of Python alone."""
    count = 0

    def note(_frame: FrameType, event: str, _arg: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def wide(path: Path, columns: int) -> Path:
    """A matrix with a target."""
    rng = np.random.default_rng(columns)
    np.savez(path, X=rng.normal(size=(40, columns)), y=rng.normal(size=40))
    return path


def exported(table: Path) -> Callable[[], object]:
    model = table.with_suffix(".json")
    assert run_tool("fit", table, *WORDS, "--penalty", "l2", "-l", "1", "-m", model).status == 0
    return lambda: run_tool("export", model, "--to", "sql", "-o", table.with_suffix(".sql"))


def planned(table: Path) -> Callable[[], object]:
    return lambda: run_tool("fit", table, *WORDS, "--dry-run")


@pytest.mark.parametrize("task", [exported, planned])
def test_twice_the_columns_are_twice_the_work(task: Callable[[Path], Callable[[], object]], tmp_path: Path) -> None:
    task(wide(tmp_path / "first.npz", 50))()  # what is loaded once
    few, many = (calls(task(wide(tmp_path / f"{columns}.npz", columns))) for columns in (500, 1000))
    assert many < 2.2 * few
