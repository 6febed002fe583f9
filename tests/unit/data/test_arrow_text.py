"""Values of Arrow as text, and the types that Arrow itself cannot do everything with."""

import datetime as dt
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from regcli.data.arrow_text import knows_zone, spelt_values
from regcli.data.read import Dialect, read_chunks, read_table
from regcli.data.table import Numbers, Unsupported
from tests.unit.data.tables import cells, numbers

#: The last second of the year 9999 in UTC, which is in the year 10000 in Berlin.
LAST = 253_402_300_799


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


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (
            pa.array([LAST, 1_700_000_000, 1_720_000_000, None], pa.timestamp("s", "Europe/Berlin")),
            ["10000-01-01T00:59:59+01:00", "2023-11-14T23:13:20+01:00", "2024-07-03T11:46:40+02:00", None],
        ),
        (pa.array([-2_840_140_800_000_000], pa.timestamp("us", "Europe/Berlin")), ["1880-01-01T00:53:28+00:53:28"]),
        (
            pa.array([0, 1_500_000_000], pa.timestamp("ns", "UTC")),
            ["1970-01-01T00:00:00Z", "1970-01-01T00:00:01.500000000Z"],
        ),
        (pa.array([2**63 - 1], pa.timestamp("ns", "Asia/Tokyo")), ["2262-04-12T08:47:16.854775807+09:00"]),
        (pa.array([-1], pa.timestamp("ms", "-05:30")), ["1969-12-31T18:29:59.999-05:30"]),
        (
            pa.array([2**63 - 1, -62_167_219_200_000_000], pa.timestamp("us")),
            ["294247-01-10T04:00:54.775807", "0000-01-01T00:00:00"],
        ),
        (pa.array([0], pa.timestamp("s", "Mars/Olympus")), ["1970-01-01T00:00:00Z"]),
        (pa.array([dt.date(2024, 1, 2), None]), ["2024-01-02", None]),
        (pa.array([dt.date(2024, 1, 2)], pa.date64()), ["2024-01-02"]),
        (pa.array([2**31 - 1], pa.date32()), ["5881580-07-11"]),
        (pa.array([dt.time(3, 4), dt.time(3, 4, 5, 600_000)], pa.time64("us")), ["03:04:00", "03:04:05.600000"]),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_moments_are_iso(array: Any, expected: list[str | None]) -> None:  # noqa: ANN401
    assert spelt_values(array) == expected


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_levels_and_cells_that_go_along_are_spelt_alike(tmp_path: Path, suffix: str) -> None:
    path = str(tmp_path / f"data.{suffix}")
    moments = [1_700_000_000_000, None, LAST * 1000]
    table = pa.table(
        {"a": pa.array(moments, pa.timestamp("ms", "Europe/Berlin")), "b": pa.array(moments, pa.timestamp("ms"))}
    )
    pq.write_table(table, path) if suffix == "parquet" else pyarrow.feather.write_feather(table, path)
    whole = read_table([path], Dialect())
    (chunk,) = read_chunks(path, Dialect(), numeric=(), keep_raw=True)
    for name, first in (("a", "2023-11-14T23:13:20+01:00"), ("b", "2023-11-14T22:13:20")):
        assert cells(whole, name)[:2] == [first, None]
        assert [cell or "" for cell in cells(whole, name)] == list(chunk.spelt[name])


def test_a_zone_that_is_not_known_is_told_where_the_column_is_used(tmp_path: Path) -> None:
    path = str(tmp_path / "data.parquet")
    pq.write_table(pa.table({"a": pa.array([0], pa.timestamp("ms", "Mars/Olympus")), "b": [1]}), path)
    table = read_table([path], Dialect())
    assert isinstance(table.columns["a"], Unsupported)
    assert "zone" in table.columns["a"].type
    assert isinstance(table.columns["b"], Numbers)
    assert not knows_zone(pa.timestamp("ms", "Mars/Olympus"))
    assert knows_zone(pa.timestamp("ms", "UTC"))
    assert knows_zone(pa.int8())


NESTED = pa.array(
    [{"a": 2, "b": [1, None], "c": dt.date(2020, 1, 2), "d": 'ü"'}, None, {"a": None, "b": [], "c": None}]
)
CODED = pa.array(["a", None, "a"]).dictionary_encode()


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (
            NESTED,
            [
                '{"a": 2, "b": [1, null], "c": "2020-01-02", "d": "ü\\""}',
                None,
                '{"a": null, "b": [], "c": null, "d": null}',
            ],
        ),
        (pa.array([[9.5], [1.5, float("nan")], None, []])[1:], ["[1.5, NaN]", None, "[]"]),
        (pa.array([[1, 2], None, [3, 4]], pa.list_(pa.int8(), 2))[1:], [None, "[3, 4]"]),
        (
            pa.array([[("z", 9)], [("a", 1), ("b", None)], None, []], pa.map_(pa.string(), pa.int8()))[1:],
            ['{"a": 1, "b": null}', None, "{}"],
        ),
        (pa.array([[(1, [True])]], pa.map_(pa.int8(), pa.list_(pa.bool_()))), ['{"1": [true]}']),
        (pa.array([[LAST]], pa.list_(pa.timestamp("s", "Europe/Berlin"))), ['["10000-01-01T00:59:59+01:00"]']),
        (pa.array([[Decimal("1.50"), None], [b"a"[0]]], pa.list_(pa.decimal128(4, 2))), ["[1.50, null]", "[97.00]"]),
        (pa.array([{}, None], pa.struct([])), ["{}", None]),
        (pa.array([b"x2", None, b""]), ["7832", None, ""]),
        (pa.array([[b"x2", None]]), ['["7832", null]']),
        (
            pa.array([1500, -1500, None, 10**18], pa.duration("ms")),
            ["PT1.500S", "-PT1.500S", None, "PT1000000000000000S"],
        ),
        (
            pa.ExtensionArray.from_storage(pa.uuid(), pa.array([uuid.UUID(int=5).bytes], pa.binary(16))),
            [str(uuid.UUID(int=5))],
        ),
        (pa.RunEndEncodedArray.from_arrays(pa.array([2, 3], pa.int32()), pa.array([1, 2])), ["1", "1", "2"]),
        (CODED, ["a", None, "a"]),
        (
            pa.UnionArray.from_sparse(pa.array([0, 1], pa.int8()), [pa.array([1, 2]), pa.array(["a", "b"])]),
            ['"1"', '"b"'],
        ),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_lists_structs_and_bytes_have_a_spelling(array: Any, expected: list[str | None]) -> None:  # noqa: ANN401
    assert spelt_values(array) == expected
