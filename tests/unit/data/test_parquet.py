"""Parquet: stored types become columns, and what cannot be one says so only when it is used."""

import datetime as dt
import errno
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from regcli.data import parquet
from regcli.data.read import Dialect, read_chunks, read_header, read_table
from regcli.data.table import Column, Levels, Numbers, Unsupported
from regcli.errors import DataError


def stored(tmp_path: Path, table: Any, name: str = "data.parquet") -> str:  # noqa: ANN401  (pyarrow ships no types)
    path = tmp_path / name
    pq.write_table(table, path)
    return str(path)


def plain(column: Column) -> list[float | str | None]:
    if isinstance(column, Numbers):
        return [None if np.isnan(value) else float(value) for value in column.values]
    assert isinstance(column, Levels)
    assert list(column.levels) == sorted(column.levels)
    return [None if code < 0 else column.levels[code] for code in column.codes]


UTC = dt.UTC
MOMENT = dt.datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array([1, None, -3], pa.int8()), [1, None, -3]),
        (pa.array([2**63, None, 1], pa.uint64()), [2.0**63, None, 1]),
        (pa.array([2**53 + 1, None, 0], pa.int64()), [2.0**53, None, 0]),
        (pa.array([0.1, float("nan"), None], pa.float64()), [0.1, None, None]),
        (pa.array([1.5, None, 2], pa.float32()), [1.5, None, 2]),
        (
            pa.array([Decimal("0.1"), None, Decimal("123456789012345.678")], pa.decimal128(20, 3)),
            [0.1, None, 123456789012345.678],
        ),
        (pa.array([None, None, None], pa.null()), [None, None, None]),
        (pa.array([True, None, False]), ["True", None, "False"]),
        (pa.array(["b", "NA", ""]), ["b", None, None]),
        (pa.array(["b", None, "a"], pa.large_string()), ["b", None, "a"]),
        (pa.array(["b", None, "a"]).dictionary_encode(), ["b", None, "a"]),
        (pa.array([1, None, 2]).dictionary_encode(), [1, None, 2]),
        (pa.array([dt.date(2024, 1, 2), None, dt.date(1999, 1, 2)]), ["2024-01-02", None, "1999-01-02"]),
        (pa.array([dt.time(3, 4), None, dt.time(1)], pa.time32("s")), ["03:04:00", None, "01:00:00"]),
        (pa.array([MOMENT.replace(tzinfo=None), None, None], pa.timestamp("s")), ["2024-01-02T03:04:05", None, None]),
        (pa.array([MOMENT, None, None], pa.timestamp("s", "UTC")), ["2024-01-02T03:04:05Z", None, None]),
        (pa.array([MOMENT, None, None], pa.timestamp("s", "Europe/Berlin")), ["2024-01-02T04:04:05+01:00", None, None]),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
@pytest.mark.parametrize("parts", [1, 2])
def test_types(tmp_path: Path, array: Any, expected: list[float | str | None], parts: int) -> None:  # noqa: ANN401
    path = stored(tmp_path, pa.concat_tables([pa.table({"a": array, "k": [1, 2, 3]})] * parts))
    table = read_table([path], Dialect())
    assert plain(table.columns["a"]) == expected * parts
    assert table.rows == 3 * parts
    assert table.format == "parquet"
    assert table.locate(1, "a").row == 2
    numeric = {"a", "k"} if isinstance(table.columns["a"], Numbers) else {"k"}
    chunks = list(read_chunks(path, Dialect(), numeric=numeric, chunk_rows=2))
    assert [cell for chunk in chunks for cell in plain(chunk.columns["a"])] == expected * parts
    assert chunks[-1].locate(0, "a").row == 1 + sum(chunk.rows for chunk in chunks[:-1])


def test_booleans_say_so(tmp_path: Path) -> None:
    path = stored(tmp_path, pa.table({"a": [True, False], "b": ["true", "false"]}))
    table = read_table([path], Dialect())
    a, b = table.columns["a"], table.columns["b"]
    assert isinstance(a, Levels)
    assert isinstance(b, Levels)
    assert (a.boolean, a.levels) == (True, ("False", "True"))
    assert not b.boolean


def test_declared_text_is_written_as_python_writes_it(tmp_path: Path) -> None:
    path = stored(tmp_path, pa.table({"a": [7, None], "b": [7.0, float("nan")], "c": [True, False]}))
    table = read_table([path], Dialect(), as_text={"a", "b", "c"})
    assert plain(table.columns["a"]) == ["7", None]
    assert plain(table.columns["b"]) == ["7.0", None]
    assert plain(table.columns["c"]) == ["True", "False"]


def test_other_types_are_left_to_whoever_uses_them(tmp_path: Path) -> None:
    path = stored(tmp_path, pa.table({"a": [[1], [2]], "b": [{"x": 1}, {"x": 2}], "c": [b"x", b"y"], "d": [1, 2]}))
    table = read_table([path], Dialect())
    assert table.columns["a"] == Unsupported("list<element: int64>")
    assert isinstance(table.columns["b"], Unsupported)
    assert isinstance(table.columns["c"], Unsupported)
    assert plain(table.columns["d"]) == [1, 2]


def test_several_files_and_formats(tmp_path: Path) -> None:
    one = stored(tmp_path, pa.table({"a": [1, 2], "b": ["x", "y"]}))
    two = tmp_path / "two.csv"
    two.write_text("b,a\n7,3\n", encoding="utf-8")
    table = read_table([one, str(two)], Dialect())
    assert plain(table.columns["a"]) == [1, 2, 3]
    assert plain(table.columns["b"]) == ["x", "y", "7"]
    assert table.locate(0, "a").row == 1
    assert table.locate(2, "a").line == 2


def test_damage(tmp_path: Path) -> None:
    good = stored(tmp_path, pa.table({"a": [1], "b": [2]}))
    assert read_header(good, Dialect()) == ("a", "b")
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(Path(good).read_bytes()[:-9])
    cases = {
        "file-unreadable": str(broken),
        "duplicate-column": stored(
            tmp_path, pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["a", "a"]), "d.parquet"
        ),
        "empty-column-name": stored(tmp_path, pa.table({"a": [1], "": [2]}), "e.parquet"),
        "empty-file": stored(tmp_path, pa.table({"a": pa.array([], pa.int64())}), "n.parquet"),
    }
    for code, path in cases.items():
        with pytest.raises(DataError) as caught:
            read_table([path], Dialect())
        assert caught.value.code == code
        with pytest.raises(DataError) as caught:
            list(read_chunks(path, Dialect(), numeric={"a"}))
        assert caught.value.code == code


def test_a_nul_byte_is_refused_where_cells_go_along_too(tmp_path: Path) -> None:
    path = stored(tmp_path, pa.table({"a": [1, 2], "t": ["x", "b\0"], "l": [["\0"], []]}))
    for kept in ({"t"}, True):
        with pytest.raises(DataError) as caught:
            list(read_chunks(path, Dialect(), numeric={"a"}, wanted={"a"}, keep_raw=kept))
        assert (caught.value.code, caught.value.where.row, caught.value.where.column) == ("nul-byte", 2, "t")
    (chunk,) = read_chunks(path, Dialect(), numeric={"a"}, wanted={"a"}, keep_raw={"l"})
    assert list(chunk.spelt["l"]) == ['["\\u0000"]', "[]"]


def test_text_where_numbers_are_declared(tmp_path: Path) -> None:
    path = stored(tmp_path, pa.table({"a": ["1", "x", None]}))
    with pytest.raises(DataError) as caught:
        list(read_chunks(path, Dialect(), numeric={"a"}))
    assert (caught.value.code, caught.value.where.row, caught.value.cells) == ("text-in-numeric-column", 2, ("x",))
    (chunk,) = read_chunks(path, Dialect(), numeric={"a"}, bad_cells="missing", keep_raw=True)
    assert plain(chunk.columns["a"]) == [1, None, None]
    assert chunk.bad_cells == {"a": {1: "x"}}
    assert list(chunk.spelt["a"]) == ["1", "x", ""]


def test_only_columns_that_are_asked_for_are_read(tmp_path: Path) -> None:
    path = stored(tmp_path, pa.table({"a": [1, 2], "a.b": [3, 4], "s": [{"x": 1}, {"x": 2}], "t": ["u", None]}))
    (chunk,) = read_chunks(path, Dialect(), numeric={"a.b"}, wanted={"a.b"}, keep_raw={"t"})
    assert list(chunk.columns) == ["a", "a.b", "s", "t"]
    assert plain(chunk.columns["a.b"]) == [3, 4]
    assert {name: list(column) for name, column in chunk.spelt.items()} == {"t": ["u", ""]}
    assert isinstance(chunk.columns["a"], Unsupported)
    (chunk,) = read_chunks(path, Dialect(), numeric={"a"}, wanted={"a"})
    assert plain(chunk.columns["a"]) == [1, 2]
    (chunk,) = read_chunks(path, Dialect(), numeric=(), wanted=())
    assert chunk.rows == 2


def test_a_lenient_column_may_hold_anything(tmp_path: Path) -> None:
    path = stored(tmp_path, pa.table({"a": ["1", "x", None], "b": [True, False, None]}))
    (chunk,) = read_chunks(path, Dialect(), numeric={"a", "b"}, lenient={"a", "b"})
    assert plain(chunk.columns["a"]) == [1, None, None]
    assert plain(chunk.columns["b"]) == [None, None, None]
    assert chunk.bad_cells == {"a": {1: "x"}, "b": {0: "True", 1: "False"}}


@pytest.mark.parametrize("cells", [1, 12, 1 << 19])
def test_columns_are_read_a_few_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cells: int) -> None:
    monkeypatch.setattr(parquet, "CELLS", cells)
    names = ("a", "a.b", "a.b.c", ".a", "list", "struct", 'y,"x', "e.f", "e", "last")
    arrays = {name: pa.array([float(at), None, at + 0.5]) for at, name in enumerate(names)}
    arrays["list"], arrays["struct"] = pa.array([[1], [2, 3], None]), pa.array([{"a": 1, "b": 2}, None, {"a": 3}])
    arrays["last"] = pa.chunked_array([["x"], ["y", "x"]])
    table = read_table([stored(tmp_path, pa.table(arrays))], Dialect())
    assert tuple(table.columns) == names
    for at, name in enumerate(names[:-1]):
        column = table.columns[name]
        if name in {"list", "struct"}:
            assert isinstance(column, Unsupported)
        else:
            assert plain(column) == [float(at), None, at + 0.5]
    assert plain(table.columns["last"]) == ["x", "y", "x"]


def test_long_columns_in_several_row_groups(tmp_path: Path) -> None:
    values = np.random.default_rng(0).standard_normal(150_001)
    values[::7] = np.nan
    path = tmp_path / "long.parquet"
    pq.write_table(pa.table({"x": values, "whole": np.arange(150_001)}), path, row_group_size=40_000)
    table = read_table([str(path)], Dialect())
    found = table.columns["x"], table.columns["whole"]
    assert isinstance(found[0], Numbers)
    assert isinstance(found[1], Numbers)
    assert np.array_equal(found[0].values, values, equal_nan=True)
    assert np.array_equal(found[1].values, np.arange(150_001.0))


@pytest.mark.parametrize("error", [pa.ArrowMemoryError("malloc failed"), OSError(errno.EAGAIN, "no thread")])
def test_too_little_memory_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    path = stored(tmp_path, pa.table({"x": [1.0]}))

    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(pq.ParquetFile, "read", refuse)
    with pytest.raises(MemoryError):
        read_table([path], Dialect())


def test_a_size_beyond_all_memory_is_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = stored(tmp_path, pa.table({"x": [1.0]}))

    def refuse(*_: object, **__: object) -> None:
        raise pa.ArrowMemoryError("malloc of size 61643019899633728 failed")

    monkeypatch.setattr(pq.ParquetFile, "read", refuse)
    with pytest.raises(DataError, match="not a readable Parquet file"):
        read_table([path], Dialect())
