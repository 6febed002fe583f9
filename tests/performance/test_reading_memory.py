"""Peak memory of reading, encoding and fitting a large table: the matrix itself, and little beside it."""

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from pyarrow import csv
from pyarrow import parquet as pq

from tests.performance.test_memory import ROOT, THREADS

#: Columns of the file beside a category with four levels, and rows: 160 MB as doubles, 185 MB as text.
NUMBERS, ROWS = 37, 540_000

#: The rule: peak over the design's bytes.
SHARE = 1.7

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak of a process is read from Linux's /proc"),
]


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A large table, and its first rows; some cells are missing."""
    rng = np.random.default_rng(11)
    rows = 4500
    cells = np.char.mod("%.6f", rng.normal(size=(rows, NUMBERS)))
    cells[rng.random(rows) < 0.02, 3] = ""
    levels = rng.choice(["north", "south", "east", "west"], size=rows)
    body = "".join(",".join(row) + f",{level}\n" for row, level in zip(cells.tolist(), levels, strict=True))
    header = ",".join([*(f"x{at}" for at in range(NUMBERS - 1)), "y", "region"]) + "\n"
    folder = tmp_path_factory.mktemp("tables")
    paths = [folder / "large.csv", folder / "small.csv"]
    with paths[0].open("w", encoding="ascii") as file:
        file.write(header)
        for _ in range(ROWS // rows):
            file.write(body)
    paths[1].write_text(header + body, encoding="ascii")
    return [str(path) for path in paths]


def run(*words: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.performance.reading", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, env=THREADS)
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("options", [[], ["--fit"]], ids=["read", "fitted"])
def test_a_large_table_is_in_memory_once(tables: list[str], options: list[str]) -> None:
    found = run(*tables, *options)
    assert (found["rows"], found["columns"]) == (ROWS, NUMBERS - 1 + 4 + 1)  # four levels, and where x3 is missing
    matrix = 8 * found["rows"] * found["columns"]
    assert found["peak"] <= SHARE * matrix, f"{found['peak'] / matrix:.2f} matrices"


@pytest.fixture(scope="module")
def parquet(tables: list[str], tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The same tables as Parquet, in one group of rows: what is read at once is up to the reader."""
    folder = tmp_path_factory.mktemp("parquet")
    paths = [folder / "large.parquet", folder / "small.parquet"]
    for table, path in zip(tables, paths, strict=True):
        pq.write_table(csv.read_csv(table), path, row_group_size=ROWS)
    return [str(path) for path in paths]


@pytest.mark.parametrize("options", [[], ["--fit"]], ids=["read", "fitted"])
def test_a_large_parquet_file_is_in_memory_once(parquet: list[str], options: list[str]) -> None:
    found = run(*parquet, *options)
    matrix = 8 * found["rows"] * found["columns"]
    assert (found["rows"], found["columns"]) == (ROWS, NUMBERS - 1 + 4 + 1)
    assert found["peak"] <= SHARE * matrix, f"{found['peak'] / matrix:.2f} matrices"


def test_a_table_that_is_kept_would_break_the_rule(tables: list[str]) -> None:
    found = run(*tables, "--copies")
    assert found["kept"]
    assert found["peak"] > SHARE * 8 * found["rows"] * found["columns"]
