"""What a table takes is told before it is read, and never too much."""

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from regcli.data.dialect import Dialect
from regcli.data.foresee import Foreseen, foresee
from regcli.data.inputs import Part
from regcli.data.read import read_table
from regcli.data.table import Levels, Numbers

Write = Callable[..., str]


def actual(path: str, dialect: Dialect) -> int:
    """Bytes of the columns that are read."""
    total = 0
    for column in read_table([path], dialect).columns.values():
        assert isinstance(column, Levels | Numbers)
        total += column.codes.nbytes if isinstance(column, Levels) else column.values.nbytes  # noqa: PD011  (no pandas)
    return total


def frame(rows: int) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    numbers = {f"x{i}": rng.normal(size=rows) for i in range(6)}
    return pd.DataFrame({**numbers, "n": np.arange(rows), "kind": rng.choice(["north", "south"], rows)})


@pytest.mark.parametrize(("mark", "decimal"), [(",", "."), (";", ","), ("\t", ".")])
def test_text_takes_at_least_what_is_foreseen(tmp_path: Path, mark: str, decimal: str) -> None:
    path = str(tmp_path / "data.csv")
    frame(20_000).to_csv(path, sep=mark, decimal=decimal, index=False)
    dialect = Dialect(decimal=decimal)
    found = foresee([Part(path)], dialect)
    assert found.columns == 8
    assert found.rows == pytest.approx(20_000, rel=0.05)
    assert 0.6 * actual(path, dialect) < found.size <= actual(path, dialect)


@pytest.mark.parametrize(
    "text", [b"a,b\n1,2\n3,4\n5,6\n7,8\n", b"a,b\r1,2\r3,4\r5,6\r7,8\r", b"a,b\n1,2\n3,4\r5,6\n7,8\n"]
)
def test_every_end_of_a_line_is_one(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(text)
    assert foresee([Part(str(path))], Dialect()) == Foreseen(5, 2, 4 * 2 * 8)  # the header counts as a row


def test_parquet_tells_its_rows(tmp_path: Path) -> None:
    path = str(tmp_path / "data.parquet")
    frame(5000).to_parquet(path)
    assert foresee([Part(path)], Dialect()) == Foreseen(5000, 8, 5000 * 7 * 8)


def test_files_add_up(tmp_path: Path) -> None:
    path = str(tmp_path / "data.parquet")
    frame(50).to_parquet(path)
    assert foresee([Part(path)] * 3, Dialect()).rows == 150


@pytest.mark.parametrize("name", ["data.csv.gz", "data.jsonl", "short.csv", "wide.csv", "data.parquet", "-"])
def test_of_others_nothing_is_foreseen(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    contents = {
        "data.csv.gz": gzip.compress(b"a,b\n" + b"1,2\n" * 5000),
        "data.jsonl": b'{"a": 1}\n' * 500,
        "short.csv": b"a,b\n1,2\n",
        "wide.csv": b",".join(b"c%d" % i for i in range(20_000)) + b"\n",
        "data.parquet": b"no Parquet",
    }
    if name != "-":
        path.write_bytes(contents[name])
    assert foresee([Part(name if name == "-" else str(path))], Dialect()).size == 0
