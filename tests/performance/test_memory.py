"""Peak memory of whole cross-validations, each in a process of its own, against the rule that the solvers keep.

Peaks are the kernel's. They depend on what is allocated and hardly on the machine; not on its load.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.performance.cross_validation import CASES

ROOT = Path(__file__).parents[2]

MB = 10**6

#: With more threads BLAS takes buffers for each.
THREADS = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak of a process is read from Linux's /proc"),
]


def allowed(matrix: int, n: int, lanes: int) -> float:
    """Bytes above the interpreter's own: 1.5 matrices, 32 a row and lane, statistics of half a matrix or 256 MB."""
    return 1.5 * matrix + 32 * n * lanes + max(0.5 * matrix, 256 * 2**20)


def run(name: str, *options: str) -> dict[str, Any]:
    """What the process of a case says."""
    command = [sys.executable, "-m", "tests.performance.cross_validation", name, *options]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, env={**os.environ, **THREADS})
    found = dict(json.loads(done.stdout))
    if found["engines"] != [CASES[name].engine]:
        text = f"{name} ran {found['engines']}"
        raise ValueError(text)
    return found


@pytest.mark.parametrize("name", CASES)
def test_a_cross_validation_keeps_the_rule(name: str) -> None:
    found = run(name)
    most = allowed(found["matrix"], found["n"], found["lanes"])
    told = f"{found['peak'] / MB:.0f} MB of {most / MB:.0f}; the matrix has {found['matrix'] / MB:.0f}"
    assert found["peak"] <= most, told


def test_copies_of_the_matrix_would_break_it() -> None:
    found = run("tall gaussian", "--copies")
    assert found["copies"] == 4
    assert found["peak"] > allowed(found["matrix"], found["n"], found["lanes"])
