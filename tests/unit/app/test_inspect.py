"""What inspect tells while it works."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from regcli.app.context import RunContext
from regcli.app.inspect import inspect
from regcli.app.options import InspectRequest, Looking
from regcli.data.thin import BLOCK

COLUMNS = BLOCK + 44


class Heard:
    """Everything that is counted, by what was being done."""

    def __init__(self) -> None:
        self.counts: dict[str, list[tuple[int, int]]] = {}

    def doing(self, what: str, noun: str = "") -> None:
        """Note what begins."""
        self.what = f"{what} {noun}".strip()

    def expect(self, total: int) -> None:
        """Nothing is foreseen here."""

    def update(self, done: int, total: int) -> None:
        """Note a count."""
        self.counts.setdefault(self.what, []).append((done, total))


def dense(file: Path) -> None:
    values = np.random.default_rng(4).normal(size=(60, COLUMNS + 1))
    header = ",".join([*(f"x{at}" for at in range(COLUMNS)), "y"])
    np.savetxt(file, values, delimiter=",", fmt="%.3f", header=header, comments="")


def sparse(file: Path) -> None:
    """Ten cells in each column, of rows so many that a sample would hold few of them."""
    half = COLUMNS // 2
    rows = [f"{at % 2} {at // 10 + 1}:{at + 1} {at // 10 + half + 1}:{(at + 1) ** 2}" for at in range(10 * half)]
    file.write_text("\n".join([*rows, *["0"] * 60_000]) + "\n", encoding="ascii")


@pytest.mark.parametrize(("make", "name"), [(dense, "t.csv"), (sparse, "t.svm")])
def test_what_takes_long_is_counted(tmp_path: Path, make: Callable[[Path], None], name: str) -> None:
    file = tmp_path / name
    make(file)
    heard = Heard()
    looking = Looking(data=(str(file),))
    inspect(InspectRequest(looking=looking), RunContext(jobs=1, progress=heard))
    counts = heard.counts
    assert counts["describing columns"] == [(at, COLUMNS + 1) for at in range(COLUMNS + 1)]
    assert counts["comparing columns"] == [(BLOCK, COLUMNS), (COLUMNS, COLUMNS)]
    assert counts["finding leaks columns"] == [(at, COLUMNS) for at in range(COLUMNS)]
