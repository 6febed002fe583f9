"""Numbers that mean missing do so by their value, in every format that knows numbers."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
import scipy.io
from scipy import sparse

from regcli.data.read import Dialect, read_chunks, read_table
from regcli.data.table import Levels, Numbers
from regcli.errors import UsageError

GONE = Dialect(na_values=("", "-999", "7.50"))


def parquet(path: Path, array: Any) -> None:  # noqa: ANN401  (pyarrow ships no types)
    pq.write_table(pa.table({"1": array}), path)


def feather(path: Path, array: Any) -> None:  # noqa: ANN401
    pa.feather.write_feather(pa.table({"1": array}), str(path), chunksize=2)


def npz(path: Path, array: Any) -> None:  # noqa: ANN401
    np.savez(path, X=array[:, None])


def sparse_npz(path: Path, array: Any) -> None:  # noqa: ANN401
    sparse.save_npz(path, sparse.csr_matrix(array[:, None]))


def market(path: Path, array: Any) -> None:  # noqa: ANN401
    scipy.io.mmwrite(str(path), sparse.coo_array(array[:, None]))


def svm(path: Path, array: Any) -> None:  # noqa: ANN401
    path.write_text("".join(f"0 1:{cell}\n" if cell else "0\n" for cell in array.tolist()), "ascii")


WHOLE, HALVES, GAPS = [1, -999, 0, -999, 3], [0.5, -999, 7.5, 0, -998.5], [2, None, -999, 4, 0]
NUMBERS = (
    pa.array(WHOLE, pa.int16()),
    pa.array(WHOLE, pa.int64()).dictionary_encode(),
    pa.array(HALVES, pa.float64()),
    pa.array(HALVES, pa.float32()),
    pa.array(GAPS, pa.int32()),
    pa.array([None if cell is None else Decimal(cell) for cell in GAPS], pa.decimal128(9, 2)),
)
CASES = [
    *((suffix, write, array) for suffix, write in (("parquet", parquet), ("feather", feather)) for array in NUMBERS),
    *(("npz", npz, np.array(cells, dtype=kind)) for cells, kind in ((WHOLE, "i4"), (HALVES, "f8"), (HALVES, "f4"))),
    *(
        (suffix, write, np.array(cells, dtype=float))
        for suffix, write in (("npz", sparse_npz), ("mtx", market), ("svm", svm))
        for cells in (WHOLE, HALVES)
    ),
]


def expected(array: Any) -> list[float | None]:  # noqa: ANN401
    cells = array.to_pylist() if isinstance(array, pa.Array) else array.tolist()
    return [None if cell is None or float(cell) in (-999, 7.5) else float(cell) for cell in cells]


def named(case: object) -> str:
    return case if isinstance(case, str) else getattr(case, "__name__", str(getattr(case, "type", "")))


@pytest.mark.parametrize(("suffix", "write", "array"), CASES, ids=named)
def test_numbers_that_mean_missing_are(
    tmp_path: Path,
    suffix: str,
    write: Callable[[Path, Any], None],
    array: Any,  # noqa: ANN401
) -> None:
    path = tmp_path / f"data.{suffix}"
    write(path, array)
    wanted = expected(array)
    assert None in wanted
    whole = read_table([str(path)], GONE).columns["1"]
    assert isinstance(whole, Numbers)
    assert [None if np.isnan(cell) else cell for cell in whole.values] == wanted
    chunks = list(read_chunks(str(path), GONE, numeric={"1"}, wanted={"1"}, chunk_rows=2, keep_raw={"1"}))
    parts = [column for chunk in chunks if isinstance(column := chunk.columns["1"], Numbers)]
    assert [None if np.isnan(cell) else cell for part in parts for cell in part.values] == wanted
    assert "-999" in {cell.partition(".")[0] for chunk in chunks for cell in chunk.spelt["1"]}
    for table in (read_table([str(path)], GONE, as_text={"1"}), *read_chunks(str(path), GONE, numeric=())):
        text = table.columns["1"]
        assert isinstance(text, Levels)
        assert not {-999.0, 7.5} & set(map(float, text.levels))


def test_a_number_means_the_nearest_one_of_the_cells(tmp_path: Path) -> None:
    parquet(tmp_path / "a.parquet", pa.array([-999.9, 1, 2], pa.float32()))
    npz(tmp_path / "a.npz", np.array([-999.9, 1, 2], dtype="f4"))
    for name in ("a.parquet", "a.npz"):
        column = read_table([str(tmp_path / name)], Dialect(na_values=("-999.9", "1e99"))).columns["1"]
        assert isinstance(column, Numbers)
        assert column.missing.tolist() == [True, False, False]


def test_labels_that_mean_missing_are(tmp_path: Path) -> None:
    path = tmp_path / "data.svm"
    path.write_text("-999 1:2\n1 1:3\n", "ascii")
    label = read_table([str(path)], GONE).columns["target"]
    assert isinstance(label, Numbers)
    assert label.missing.tolist() == [True, False]
    for numeric in ((), ("target",)):
        (chunk,) = read_chunks(str(path), GONE, numeric=numeric, keep_raw=True)
        column = chunk.columns["target"]
        assert isinstance(column, Numbers | Levels)
        assert column.missing.tolist() == [True, False]
        assert list(chunk.spelt["target"]) == ["-999", "1"]


@pytest.mark.parametrize(("suffix", "write"), [("npz", sparse_npz), ("mtx", market), ("svm", svm)])
def test_zeros_that_are_left_out_cannot_be_missing(
    tmp_path: Path, suffix: str, write: Callable[[Path, Any], None]
) -> None:
    path = str(tmp_path / f"data.{suffix}")
    write(Path(path), np.array(WHOLE, dtype=float))
    for read in (read_table([path], GONE), *read_chunks(path, GONE, numeric=())):
        assert read.rows == 5
    zero = Dialect(na_values=("0.0",))
    with pytest.raises(UsageError, match="sparse") as whole:
        read_table([path], zero)
    with pytest.raises(UsageError, match="sparse") as parts:
        list(read_chunks(path, zero, numeric={"1"}))
    assert whole.value.code == parts.value.code == "conflicting-options"


def test_a_folder_may_name_a_number_that_means_missing(tmp_path: Path) -> None:
    for name in ("k=-999.0", "k=3"):
        (tmp_path / "data" / name).mkdir(parents=True)
        parquet(tmp_path / "data" / name / "a.parquet", pa.array([1, 2]))
    column = read_table([str(tmp_path / "data")], GONE).columns["k"]
    assert isinstance(column, Numbers)
    assert column.missing.tolist() == [True, True, False, False]
