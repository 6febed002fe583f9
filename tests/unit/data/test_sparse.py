"""LIBSVM, Matrix Market, npz and Feather: the same table, and what is refused before it can do harm."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
import scipy.io
import scipy.sparse as sp

from regcli.data import arrays, svm
from regcli.data.read import Dialect, read_chunks, read_header, read_table
from regcli.errors import DataError, RegcliError, ResourceError
from tests.unit.data.tables import Write, cells, numbers

rng = np.random.default_rng(3)
MATRIX = np.where(rng.random((50, 6)) < 0.3, rng.normal(size=(50, 6)), 0.0)
MATRIX[7, 5] = 2.5  # the last column is there
LABELS = rng.normal(size=50)


def refused(path: str, dialect: Dialect | None = None) -> RegcliError:
    with pytest.raises(RegcliError) as caught:
        read_table([path], dialect or Dialect())
    with pytest.raises(RegcliError) as chunked:
        list(read_chunks(path, dialect or Dialect(), numeric={"1", "2"}))
    assert chunked.value.code == caught.value.code
    return caught.value


def matrix_of(path: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    table = read_table([path], Dialect())
    names = [name for name in table.columns if name != "target"]
    whole = np.column_stack([np.array(numbers(table, name), dtype=float) for name in names])
    chunks = list(read_chunks(path, Dialect(), numeric=set(names), wanted=set(names), chunk_rows=13))
    parts = [np.column_stack([np.array(numbers(chunk, name), dtype=float) for name in names]) for chunk in chunks]
    assert np.array_equal(np.vstack(parts), whole, equal_nan=True)
    assert set(read_header(path, Dialect())) == set(table.columns)
    return whole


def libsvm(matrix: np.ndarray[tuple[int, ...], np.dtype[np.float64]], first: int = 1) -> str:
    rows = [" ".join(f"{at + first}:{float(v)!r}" for at, v in enumerate(row) if v) for row in matrix]
    return "".join(f"{float(label)!r} {row}\n" for label, row in zip(LABELS, rows, strict=True))


# --- LIBSVM ---------------------------------------------------------------------------------------------------------


def test_libsvm_is_the_matrix(write: Write) -> None:
    path = write(libsvm(MATRIX), "data.svm")
    assert np.array_equal(matrix_of(path), MATRIX)
    table = read_table([path], Dialect())
    assert tuple(table.columns) == ("1", "2", "3", "4", "5", "6", "target")
    assert numbers(table, "target") == LABELS.tolist()
    assert next(iter(read_table([write(libsvm(MATRIX, 0), "zero.libsvm")], Dialect()).columns)) == "0"


def test_libsvm_has_comments_queries_and_blank_lines(write: Write) -> None:
    path = write("# a\n+1 qid:3 2:.5  1:1e1 # b 9:9\n\n-1\n", "data.svm")
    table = read_table([path], Dialect())
    assert (numbers(table, "1"), numbers(table, "2"), numbers(table, "target")) == ([10, 0], [0.5, 0], [1, -1])
    assert [table.locate(row, "1").line for row in range(2)] == [2, 4]


def test_columns_that_a_file_never_names_are_zero(write: Write) -> None:
    one, two = write("1 1:1\n", "one.svm"), write("2 3:5\n", "two.svm")
    table = read_table([one, two], Dialect())
    assert tuple(table.columns) == ("1", "2", "3", "target")
    assert numbers(table, "3") == [0, 5]
    assert numbers(read_table([one], Dialect(), expected={"4", "x"}), "4") == [0]
    (chunk,) = read_chunks(one, Dialect(), numeric={"1", "7"}, wanted={"1", "7"})
    assert (numbers(chunk, "1"), numbers(chunk, "7")) == ([1], [0])


def test_chunks_of_long_lines_have_fewer_rows(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(libsvm(MATRIX), "data.svm")
    monkeypatch.setattr(svm, "CELLS", 20)
    chunks = list(read_chunks(path, Dialect(), numeric={"1"}, wanted={"1"}))
    assert len(chunks) > 3
    assert [cell for chunk in chunks for cell in numbers(chunk, "1")] == MATRIX[:, 0].tolist()
    assert chunks[1].locate(0, "1").line == chunks[0].rows + 1


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("x 1:1", "broken-line"),
        ("1,2 1:1", "broken-line"),
        ("1 a:1", "broken-line"),
        ("1 1:x", "broken-line"),
        ("1 1:", "broken-line"),
        ("1 -1:1", "broken-line"),
        ("1 1:1_0", "broken-line"),
        ("1 1;1", "broken-line"),
        ("1 " + "9" * 30 + ":1", "broken-line"),
        ("1 1:1 1:2", "duplicate-column"),
        ("1 1:\0", "nul-byte"),
        ("1 1:\ufffd", "broken-line"),
    ],
)
def test_a_line_that_is_no_libsvm_is_told(write: Write, line: str, code: str) -> None:
    error = refused(write(f"1 1:1\n2 2:1\n{line}\n", "data.svm"))
    assert (error.code, error.where.line) == (code, 3)


def test_what_would_be_too_large_is_refused_before_it_is_made(write: Write) -> None:
    wide = write("1 999999999:1\n2 1:1\n", "data.svm")
    with pytest.raises(ResourceError) as caught:
        read_table([wide], Dialect())
    assert caught.value.code == "table-too-large"
    (chunk,) = read_chunks(wide, Dialect(), numeric={"1"}, wanted={"1"})
    assert numbers(chunk, "1") == [0, 1]
    header = "%%MatrixMarket matrix coordinate real general\n"
    for sizes in ("999999999 9 1", "9 99999999 1", "20000 20000 400000000"):
        assert refused(write(f"{header}{sizes}\n1 1 1\n", "data.mtx")).code == "table-too-large"


# --- Matrix Market --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [sp.coo_array, np.asarray])
def test_matrix_market_is_the_matrix(tmp_path: Path, make: type) -> None:
    path = str(tmp_path / "data.mtx")
    scipy.io.mmwrite(path, make(MATRIX), precision=17)
    assert np.array_equal(matrix_of(path), MATRIX)
    assert tuple(read_table([path], Dialect()).columns) == ("1", "2", "3", "4", "5", "6")


@pytest.mark.parametrize("symmetry", ["symmetric", "skew-symmetric"])
@pytest.mark.parametrize("make", [sp.coo_array, np.asarray])
def test_half_of_a_symmetric_matrix_is_enough(tmp_path: Path, make: type, symmetry: str) -> None:
    square = np.round(MATRIX[:6], 3)
    square = square + square.T if symmetry == "symmetric" else square - square.T
    path = str(tmp_path / "data.mtx")
    scipy.io.mmwrite(path, make(square), symmetry=symmetry, precision=17)  # type: ignore[arg-type]
    assert Path(path).read_text("utf-8").split()[4] == symmetry
    assert np.array_equal(matrix_of(path), square)


def test_a_pattern_is_ones(write: Write) -> None:
    path = write("%%MatrixMarket matrix coordinate pattern general\n% a comment\n2 2 1\n2 1\n", "data.mtx")
    assert matrix_of(path).tolist() == [[0, 0], [1, 0]]


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("a,b\n1,2\n", "broken-line", 1),
        ("", "empty-file", None),
        ("%%MatrixMarket matrix coordinate real general\n2 2 2\n1 1 1\n3 1 1\n", "broken-line", 4),
        ("%%MatrixMarket matrix coordinate real general\n2 2 2\n1 1 x\n2 1 1\n", "broken-line", 3),
        ("%%MatrixMarket matrix coordinate complex general\n1 1 1\n1 1 1 2\n", "broken-line", 1),
        ("%%MatrixMarket matrix coordinate real general\n5 5 900\n1 1 1\n", "file-unreadable", None),
        ("%%MatrixMarket matrix array real general\n5000 5000\n1\n", "file-unreadable", None),
        ("%%MatrixMarket matrix coordinate real general\n2 2 1\n1 1 1\n2 2 1\n", "broken-line", 4),
        ("%%MatrixMarket matrix coordinate real general\n2 2 2\n1 1 1\n1 1 2\n", "broken-line", 4),
        ("%%MatrixMarket matrix coordinate real general\n2 2\n1 1 1\n", "broken-line", 2),
        ("%%MatrixMarket matrix coordinate real symmetric\n2 3 1\n1 1 1\n", "broken-line", 2),
        ("%%MatrixMarket matrix coordinate real symmetric\n2 2 2\n2 1 1\n1 2 1\n", "broken-line", 4),
    ],
)
def test_damaged_matrix_market(write: Write, text: str, code: str, line: int | None) -> None:
    error = refused(write(text, "data.mtx"))
    assert error.code == code
    assert error.where.line == line


# --- npz ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "bsr", "dia"])
def test_what_scipy_saves_is_the_matrix(tmp_path: Path, form: str) -> None:
    path = str(tmp_path / "data.npz")
    sp.save_npz(path, sp.csr_array(MATRIX).asformat(form))  # type: ignore[call-overload]
    assert np.array_equal(matrix_of(path), MATRIX)


def test_arrays_with_names_and_classes(tmp_path: Path) -> None:
    path = str(tmp_path / "data.npz")
    np.savez_compressed(path, X=MATRIX.astype(np.float32), y=np.array(["u", "v"] * 25), names=np.array(list("abcdef")))
    table = read_table([path], Dialect())
    assert tuple(table.columns) == (*"abcdef", "target")
    assert numbers(table, "b") == MATRIX[:, 1].astype(np.float32).astype(float).tolist()
    assert cells(table, "target") == ["u", "v"] * 25


@pytest.mark.parametrize(
    "contents",
    [
        {"Z": MATRIX},
        {"X": MATRIX, "y": LABELS[1:]},
        {"X": MATRIX, "names": np.array(["a"])},
        {"X": LABELS},
        {"X": MATRIX, "other": LABELS},
        {"X": MATRIX.astype(complex)},
        {"X": MATRIX.astype(object)},
        {"X": MATRIX[:0]},
        {"format": np.array("xyz"), "shape": np.array([2, 2]), "data": LABELS},
    ],
    ids=str,
)
def test_arrays_that_make_no_table(
    tmp_path: Path, contents: dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]]
) -> None:
    path = str(tmp_path / "data.npz")
    np.savez(path, **contents)  # type: ignore[arg-type]
    assert refused(path).code in {"file-unreadable", "empty-file"}


def test_a_nul_character_in_text_of_arrays(tmp_path: Path) -> None:
    path = str(tmp_path / "data.npz")
    np.savez(path, X=np.array([["1", "x"], ["2", "b\0c"]]))
    assert refused(path).code == "nul-byte"
    with pytest.raises(DataError) as caught:
        list(read_chunks(path, Dialect(), numeric={"1"}, keep_raw=True))
    assert (caught.value.code, caught.value.where.row, caught.value.where.column) == ("nul-byte", 2, "2")


def test_a_pickle_is_never_loaded(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "sprung",))

    path = str(tmp_path / "data.npz")
    np.savez(path, X=np.array([[Trap()]], dtype=object))
    assert refused(path).code == "file-unreadable"
    assert not (tmp_path / "sprung").exists()


def test_indices_beyond_the_matrix_are_refused(tmp_path: Path) -> None:
    path = str(tmp_path / "data.npz")
    for index in (7, -3, 10**12):
        np.savez(
            path,
            format=np.array("csr"),
            shape=np.array([2, 3]),
            data=np.ones(2),
            indices=np.array([0, index]),
            indptr=np.array([0, 1, 2]),
        )
        assert refused(path).code == "file-unreadable"


def test_headers_that_announce_more_than_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sink = io.BytesIO()
    np.lib.format.write_array_header_1_0(sink, {"descr": "<f8", "fortran_order": False, "shape": (10**6, 10**6)})
    path = tmp_path / "data.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("X.npy", sink.getvalue() + b"\0" * 64)
    assert refused(str(path)).code == "file-unreadable"
    np.savez_compressed(path, X=np.zeros((3000, 2)))
    assert read_table([str(path)], Dialect()).rows == 3000
    monkeypatch.setattr(arrays, "LARGEST", 40_000)
    assert refused(str(path)).code == "table-too-large"


# --- Feather --------------------------------------------------------------------------------------------------------


def arrow_table() -> pa.Table:
    return pa.table({"n": [1.5, None, 3.0], "t": ["u", "v", None], "b": [True, None, False], "i": [1, 2, 2**53 + 1]})


@pytest.mark.parametrize("how", ["lz4", "uncompressed", "file", "stream"])
def test_feather_is_read_as_parquet_is(tmp_path: Path, how: str) -> None:
    path = str(tmp_path / ("data.feather" if how in {"lz4", "uncompressed"} else "data.arrow"))
    table = arrow_table()
    if how in {"lz4", "uncompressed"}:
        pyarrow.feather.write_feather(table, path, compression=how)
    else:
        make = pa.ipc.new_file if how == "file" else pa.ipc.new_stream
        with make(path, table.schema) as writer:
            writer.write_table(table, max_chunksize=2)
    pq.write_table(table, tmp_path / "data.parquet")
    for as_text in ((), ("n", "i")):
        ours, theirs = (read_table([p], Dialect(), as_text=as_text) for p in (path, str(tmp_path / "data.parquet")))
        assert ours.format == "feather"
        assert list(ours.columns) == list(theirs.columns) == list(read_header(path, Dialect()))
        for name in ours.columns:
            assert repr(ours.columns[name]) == repr(theirs.columns[name])
    chunks = list(read_chunks(path, Dialect(), numeric={"n"}, chunk_rows=1, keep_raw=True))
    assert [numbers(chunk, "n") for chunk in chunks] == [[1.5], [None], [3.0]]
    assert chunks[2].locate(0, "n").row == 3


def test_damaged_feather(tmp_path: Path) -> None:
    path = str(tmp_path / "data.arrow")
    pyarrow.feather.write_feather(arrow_table(), path)
    whole = Path(path).read_bytes()
    for size in (0, 3, 9, 100, len(whole) - 5):
        Path(path).write_bytes(whole[:size])
        assert refused(path).code == "file-unreadable"
    Path(path).write_bytes(b"a,b\n1,2\n")
    assert refused(path).code == "file-unreadable"


def test_offsets_beyond_the_text_are_found(tmp_path: Path) -> None:
    path = str(tmp_path / "data.arrow")
    with pa.ipc.new_stream(path, pa.schema([("t", pa.string())])) as writer:
        writer.write_batch(pa.RecordBatch.from_arrays([pa.array(["abc", "defgh"])], ["t"]))
    good, offsets = Path(path).read_bytes(), np.array([0, 3, 8], "i4").tobytes()
    assert good.count(offsets) == 1
    Path(path).write_bytes(good.replace(offsets, np.array([0, 3, 9_999_999], "i4").tobytes()))
    assert refused(path).code == "file-unreadable"


def test_binary_files_are_not_read_packed(write: Write) -> None:
    for name in ("a.parquet.gz", "a.feather.zst", "a.npz.xz"):
        with pytest.raises(DataError) as caught:
            read_table([write(b"x", name)], Dialect())
        assert "not read from packed files" in caught.value.message
