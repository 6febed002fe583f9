"""Types that Arrow itself cannot do everything with."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from regcli.data.read import Dialect, read_chunks, read_table
from tests.unit.data.tables import cells, numbers


def halves() -> Any:  # noqa: ANN401  (pyarrow ships no types)
    return pa.array(np.array([0.5, 1.5, 2.5, 0.5, 1.5, 2.5], dtype=np.float16))


def short_decimals() -> Any:  # noqa: ANN401
    return pa.array([Decimal("0.5"), Decimal("1.5"), None, Decimal("0.5"), Decimal(2), None], pa.decimal32(9, 1))


@pytest.mark.parametrize("rows", [2, 6])
def test_half_floats_are_the_same_in_one_batch_and_in_several(tmp_path: Path, rows: int) -> None:
    path = str(tmp_path / "data.arrow")
    pyarrow.feather.write_feather(pa.table({"c": halves()}), path, chunksize=rows)
    wanted = [0.5, 1.5, 2.5, 0.5, 1.5, 2.5]
    assert numbers(read_table([path], Dialect()), "c") == wanted
    assert cells(read_table([path], Dialect(), as_text={"c"}), "c") == list(map(str, wanted))
    chunks = list(read_chunks(path, Dialect(), numeric=(), keep_raw=True))
    assert [cell for chunk in chunks for cell in cells(chunk, "c")] == list(map(str, wanted))
    assert [cell for chunk in chunks for cell in chunk.spelt["c"]] == list(map(str, wanted))


def test_half_floats_that_mean_missing(tmp_path: Path) -> None:
    path = str(tmp_path / "data.arrow")
    pyarrow.feather.write_feather(pa.table({"c": pa.array(np.array([-99.9, 1.5], dtype=np.float16))}), path)
    assert numbers(read_table([path], Dialect(na_values=("-99.9",))), "c") == [None, 1.5]
    assert cells(read_table([path], Dialect(na_values=("-99.9",)), as_text={"c"}), "c") == [None, "1.5"]


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_short_decimals_are_categories_too(tmp_path: Path, suffix: str) -> None:
    path = str(tmp_path / f"data.{suffix}")
    table = pa.table({"c": short_decimals()})
    pq.write_table(table, path) if suffix == "parquet" else pyarrow.feather.write_feather(table, path, chunksize=4)
    assert numbers(read_table([path], Dialect()), "c") == [0.5, 1.5, None, 0.5, 2, None]
    assert cells(read_table([path], Dialect(), as_text={"c"}), "c") == ["0.5", "1.5", None, "0.5", "2.0", None]
