"""Types of Parquet and Feather that CSV does not have, through the whole tool."""

import csv
import datetime as dt
import io
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from tests.fuzz.tool import run_tool

pytestmark = pytest.mark.usefixtures("folder")

ROWS = 60
GAUSSIAN = ("--family", "gaussian", "-l", "0.001")
WRITERS: dict[str, Callable[[Any, str], None]] = {
    "parquet": pq.write_table,
    "feather": lambda table, name: pyarrow.feather.write_feather(table, name, chunksize=20),
}


def column(text: str, name: str) -> list[str]:
    return [row[name] for row in csv.DictReader(io.StringIO(text))]


def predicted(model: str, *words: str) -> list[str]:
    outcome = run_tool("predict", model, *words)
    assert outcome.status == 0, outcome.err
    return column(outcome.out, "prediction")


# -- types that have no other way ------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize(
    "cells",
    [
        pa.array([[1], [2], [3]] * 20),
        pa.array([{"a": 1}, {"a": 2}, None] * 20),
        pa.array([[("a", 1)], [("b", 2)], []] * 20, pa.map_(pa.string(), pa.int8())),
        pa.array([b"x", b"y", b"z"] * 20),
        pa.array([1, 2, 3] * 20, pa.duration("s")),
        pa.array([1, 2, 3] * 20, pa.timestamp("s", "Mars/Olympus")),
    ],
    ids=lambda array: str(array.type),
)
def test_what_is_no_date_is_told_as_its_type(cells: Any, suffix: str) -> None:  # noqa: ANN401
    table = pa.table({"c": cells, "x": np.arange(60.0) % 7, "y": np.arange(60.0)})
    WRITERS[suffix](table, f"a.{suffix}")
    failed = run_tool("fit", f"a.{suffix}", "-y", "y", *GAUSSIAN, "--date", "c", "--json")
    assert (failed.status, failed.error["code"]) == (3, "unsupported-type"), failed.err
    looked = run_tool("inspect", f"a.{suffix}", "-y", "y", "--date", "c", "--json").document
    assert "unsupported-type" in {finding["code"] for finding in looked["findings"]}


def test_lists_of_json_are_no_dates() -> None:
    lines = (f'{{"c": [{row}], "x": {row % 7}, "y": {row}}}\n' for row in range(60))
    Path("a.jsonl").write_text("".join(lines), "ascii")
    failed = run_tool("fit", "a.jsonl", "-y", "y", *GAUSSIAN, "--date", "c", "--json")
    assert (failed.status, failed.error["code"]) == (3, "unsupported-type"), failed.err


def test_a_model_with_dates_refuses_other_types() -> None:
    when = [f"20{row % 23 + 10}-0{row % 7 + 1}-11" for row in range(ROWS)]
    pq.write_table(pa.table({"c": when, "y": np.arange(60.0)}), "a.parquet")
    assert run_tool("fit", "a.parquet", "-y", "y", *GAUSSIAN, "--date", "c", "-m", "model.json").status == 0
    pq.write_table(pa.table({"c": [[1]] * ROWS, "y": np.arange(60.0)}), "b.parquet")
    failed = run_tool("predict", "model.json", "b.parquet", "--json")
    assert (failed.status, failed.error["code"]) == (3, "unsupported-type")
    assert run_tool("check", "model.json", "b.parquet", "--json").status == 1


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize(
    ("cells", "wanted"),
    [
        (pa.array([Decimal(row % 3) for row in range(ROWS)], pa.decimal32(9, 1)), {"c=1.0", "c=2.0"}),
        (pa.array(np.array([0.5, 1.5, 2.5] * 20, dtype=np.float16)), {"c=1.5", "c=2.5"}),
    ],
    ids=["decimal32", "halffloat"],
)
def test_short_numbers_are_categories(cells: Any, wanted: set[str], suffix: str) -> None:  # noqa: ANN401
    WRITERS[suffix](pa.table({"c": cells, "y": np.arange(60.0) % 3}), f"a.{suffix}")
    words = ("-y", "y", *GAUSSIAN, "--categorical", "c", "--penalty", "none", "-m", "model.json", "--json")
    document = run_tool("fit", f"a.{suffix}", *(word for word in words if word not in ("-l", "0.001"))).document
    assert wanted <= {row["term"] for row in document["coefficients"]}
    np.testing.assert_allclose(
        np.array(predicted("model.json", f"a.{suffix}"), dtype=float), np.arange(60.0) % 3, atol=1e-9
    )
    failed = run_tool("fit", f"a.{suffix}", "-y", "y", *GAUSSIAN, "--date", "c", "--json")
    assert (failed.status, failed.error["code"]) == (3, "bad-date")


# -- moments ---------------------------------------------------------------------------------------------------------


def moments(zone: str) -> list[dt.datetime]:
    """Half an hour after midnight, which in UTC may be on the day before."""
    days = np.random.default_rng(1).integers(0, 700, ROWS).tolist()
    first = dt.datetime(2024, 1, 1, 0, 30, tzinfo=ZoneInfo(zone))
    return [first + dt.timedelta(days=day) for day in days]


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/St_Johns", "UTC"])
def test_dates_count_in_their_zone(zone: str, suffix: str) -> None:
    when = moments(zone)
    y = [(3.0 if each.weekday() == 0 else 0.0) + each.month / 2 + each.year - 2024 for each in when]
    table = pa.table({"when": pa.array(when, pa.timestamp("us", zone)), "y": y})
    WRITERS[suffix](table, f"a.{suffix}")
    lines = [f"{each.isoformat()},{cell!r}\n" for each, cell in zip(when, y, strict=True)]
    Path("a.csv").write_text("when,y\n" + "".join(lines), "ascii")
    for name in ("a.csv", f"a.{suffix}"):
        assert run_tool("fit", name, "-y", "y", *GAUSSIAN, "--date", "when", "-m", f"{name}.json").status == 0
    wanted = predicted("a.csv.json", "a.csv")
    for model in ("a.csv.json", f"a.{suffix}.json"):
        assert predicted(model, f"a.{suffix}") == wanted
    Path("back.csv").write_text(
        run_tool("predict", "a.csv.json", f"a.{suffix}", "--append", "--prefix", "p.").out, "utf-8"
    )
    assert predicted("a.csv.json", "back.csv") == wanted


def test_moments_that_go_along_are_those_that_the_model_knows() -> None:
    cells = [1_583_039_167 + 86_400 * (row % 3) for row in range(ROWS)]
    for name, kind in (("plain", pa.timestamp("s")), ("zoned", pa.timestamp("s", "Europe/Berlin"))):
        pq.write_table(pa.table({"c": pa.array(cells, kind), "y": np.arange(60.0) % 3}), f"{name}.parquet")
        model = f"{name}.json"
        assert run_tool("fit", f"{name}.parquet", "-y", "y", *GAUSSIAN, "--categorical", "c", "-m", model).status == 0
        written = run_tool("predict", model, f"{name}.parquet", "--append", "--prefix", "p.").out
        Path("back.csv").write_text(written, "utf-8")
        assert predicted(model, "back.csv") == predicted(model, f"{name}.parquet")


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("words", [("--append",), ("--id", "until")])
def test_moments_beyond_the_year_9999_go_along(words: tuple[str, ...], suffix: str) -> None:
    until = pa.array([253_402_300_799_000_000] * ROWS, pa.timestamp("us", "Europe/Berlin"))
    WRITERS[suffix](pa.table({"until": until, "x": np.arange(60.0), "y": np.arange(60.0)}), f"a.{suffix}")
    assert run_tool("fit", f"a.{suffix}", "-y", "y", *GAUSSIAN, "--features", "x", "-m", "model.json").status == 0
    written = run_tool("predict", "model.json", f"a.{suffix}", *words)
    assert written.status == 0, written.err
    assert set(column(written.out, "until")) == {"10000-01-01T00:59:59+01:00"}


def test_rows_are_ordered_by_moments_of_before_there_were_zones() -> None:
    when = pa.array([-2_840_140_800 + 86_400 * row for row in range(ROWS)], pa.timestamp("s", "Europe/Berlin"))
    pq.write_table(pa.table({"when": when, "x": np.arange(60.0) % 7, "y": np.arange(60.0)}), "a.parquet")
    outcome = run_tool("cv", "a.parquet", "-y", "y", "--family", "gaussian", "--order-by", "when", "--json")
    assert outcome.status == 0, outcome.err


@pytest.mark.parametrize("suffix", WRITERS)
def test_lists_structs_and_bytes_go_along(suffix: str) -> None:
    table = {
        "list": [[1.5, None], []],
        "struct": [{"a": 2}, None],
        "bytes": [b"x2", b""],
        "x": [1.0, 2.0],
        "y": [1.0, 2.0],
    }
    WRITERS[suffix](pa.table(table), f"a.{suffix}")
    pq.write_table(pa.table({"x": np.arange(60.0), "y": np.arange(60.0)}), "train.parquet")
    assert run_tool("fit", "train.parquet", "-y", "y", *GAUSSIAN, "-m", "model.json").status == 0
    written = run_tool("predict", "model.json", f"a.{suffix}", "--append").out
    assert column(written, "list") == ["[1.5, null]", "[]"]
    assert column(written, "struct") == ['{"a": 2}', ""]
    assert column(written, "bytes") == ["7832", ""]


def test_predict_names_the_file_of_a_column_of_another_type() -> None:
    lines = "".join(f"{at % 7},{at % 7 + at % 2}\n" for at in range(40))
    Path("t.csv").write_text("x,y\n" + lines, "utf-8")
    assert run_tool("fit", "t.csv", "-y", "y", *GAUSSIAN, "-m", "m.json", "-o", "f.json").status == 0
    pq.write_table(pa.table({"x": [1.0]}), "good.parquet")
    pyarrow.feather.write_feather(pa.table({"x": [[1.0]]}), "bad.feather")
    failed = run_tool("predict", "m.json", "good.parquet", "bad.feather", "--json")
    assert (failed.status, failed.error["code"]) == (3, "unsupported-type"), failed.err
    assert (failed.error["location"]["file"], failed.error["location"]["column"]) == ("bad.feather", "x")


# -- one value in several types --------------------------------------------------------------------------------------


def months(folder: str) -> None:
    """A folder of two files, in the second of which pandas made floats of integers, and the same rows in one file."""
    cells = [*range(20)] * 3
    y = np.array([(cell * 7) % 5 + 0.01 * row for row, cell in enumerate(cells)])
    x = [row % 7 for row in range(ROWS)]
    Path(folder).mkdir()
    pq.write_table(pa.table({"k": cells[:30], "x": x[:30], "y": y[:30]}), f"{folder}/1.parquet")
    later = pa.array(cells[30:], pa.float64())
    pq.write_table(pa.table({"k": later, "x": x[30:], "y": y[30:]}), f"{folder}/2.parquet")
    pq.write_table(pa.table({"k": cells, "x": x, "y": y}), "all.parquet")


@pytest.mark.parametrize("words", [("fit", "-l", "0.001", "--categorical", "k"), ("cv", "--group", "k")])
def test_parts_of_integers_and_floats_are_what_one_file_is(words: tuple[str, ...]) -> None:
    months("parts")
    command, *others = words
    documents = [
        run_tool(command, data, "-y", "y", "--family", "gaussian", *others, "--json").document
        for data in ("all.parquet", "parts")
    ]
    one, two = ({key: document[key] for key in ("coefficients", "metrics", "validation")} for document in documents)
    assert one == two


def test_a_test_table_in_parts_has_the_levels_of_the_model() -> None:
    months("parts")
    words = ("-y", "y", *GAUSSIAN, "--categorical", "k", "--json")
    pq.write_table(pa.table({name: pq.read_table("parts/1.parquet")[name] for name in "kxy"}), "train.parquet")
    floats = pq.read_table("parts/2.parquet")
    pq.write_table(floats.slice(0, 15), "one.parquet")
    pq.write_table(floats.slice(15), "two.parquet")
    whole = run_tool("fit", "train.parquet", *words, "--test", "parts/2.parquet")
    cut = run_tool("fit", "train.parquet", *words, "--test", "one.parquet", "--test", "two.parquet")
    assert whole.status == cut.status == 0, cut.err
    assert whole.document["metrics"]["test"] == cut.document["metrics"]["test"]


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
def test_a_test_table_has_the_classes_that_predict_knows(suffix: str) -> None:
    x = np.arange(60.0) % 7
    y = (x > 3) ^ (np.arange(ROWS) % 5 == 0)

    def lines(*names: str) -> str:
        return "".join(f"{cell},{names[truth]}\n" for cell, truth in zip(x, y.astype(int), strict=True))

    Path("train.csv").write_text("x,y\n" + lines("FALSE", "TRUE"), "utf-8")
    Path("new.csv").write_text("x,y\n" + lines("false", "true"), "utf-8")
    objects = (json.dumps({"x": cell, "y": truth}) for cell, truth in zip(x.tolist(), y.tolist(), strict=True))
    Path("new.jsonl").write_text("\n".join(objects), "utf-8")
    pq.write_table(pa.table({"x": x, "y": y}), "new.parquet")
    fit = ("fit", "train.csv", "-y", "y", "--family", "binomial", "-l", "0.01", "-m", "model.json", "--json")
    fitted = run_tool(*fit, "--test", f"new.{suffix}")
    assert fitted.status == 0, fitted.err
    scored = run_tool("check", "model.json", f"new.{suffix}", "--json").document["metrics"]
    assert fitted.document["metrics"]["test"] == pytest.approx(scored, rel=1e-12)
    assert fitted.document["metrics"]["test"] == pytest.approx(fitted.document["metrics"]["train"], rel=1e-12)
    Path("other.csv").write_text("x,y\n1,true\n2,maybe\n", "utf-8")
    failed = run_tool(*fit, "--test", "other.csv")
    assert (failed.status, failed.error["code"], failed.error["cells"]) == (3, "target-domain", ["maybe"])
    assert (failed.error["location"]["file"], failed.error["location"]["line"]) == ("other.csv", 3)


@pytest.mark.parametrize("kind", [pa.int64(), pa.float64(), pa.decimal128(5, 2)], ids=str)
def test_an_order_of_levels_is_one_of_values(kind: pa.DataType) -> None:
    cells = [None if row % 11 == 5 else row % 4 for row in range(ROWS)]
    y = [{2: 0, 0: 1, None: 2, 3: 5, 1: 6}[cell] + row % 3 / 9 for row, cell in enumerate(cells)]
    lines = (f"{'' if cell is None else cell},{value!r}\n" for cell, value in zip(cells, y, strict=True))
    Path("t.csv").write_text("k,y\n" + "".join(lines), "utf-8")
    pq.write_table(pa.table({"k": pa.array(cells, kind), "y": y}), "t.parquet")
    words = ("-y", "y", *GAUSSIAN, "--missing", "median", "--ordinal", "k=2,0,3,1,9", "--json")
    csv_, stored = (run_tool("fit", name, *words, "-m", f"{name}.json") for name in ("t.csv", "t.parquet"))
    assert stored.status == 0, stored.err
    assert stored.document["coefficients"] == csv_.document["coefficients"]
    assert [row["term"] for row in stored.document["coefficients"]] == ["k>=0", "k>=3", "k>=1"]
    assert predicted("t.parquet.json", "t.parquet") == predicted("t.csv.json", "t.csv")
    looked = run_tool("inspect", "t.parquet", "-y", "y", "--ordinal", "k=2,0,3,1,9", "--json").document
    assert looked["columns"][0]["order"] == ["2", "0", "3", "1"]
    failed = run_tool("fit", "t.parquet", *words[:-2], "k=0,1,2", "--json")
    assert (failed.status, failed.error["code"]) == (3, "unknown-level")
    order = failed.error["hint"].split()[1].rstrip(",")
    assert run_tool("fit", "t.parquet", *words[:-2], order, "--json").status == 0
