"""Small texts are read without pandas: they must be read, and refused, exactly as with it."""

import csv
import io
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regcli.data import cells, chunks, distinct, whole
from regcli.data.dialect import Dialect
from regcli.data.read import read_chunks, read_table
from regcli.data.table import Levels, Numbers, Table
from regcli.errors import DataError

often = settings(derandomize=True, deadline=None, max_examples=400)

NUMBERS = st.one_of(
    st.integers(-(2**70), 2**70).map(str),
    st.floats().map(repr),
    st.floats(allow_nan=False, allow_infinity=False).map("{:.3e}".format),
    st.sampled_from(["1", "0", "-0", "+1.", ".5", "007", "1e5", " 2", "3 ", "1e400", "4.9e-324", "inf", "Infinity"]),
)
ODD = st.sampled_from(
    [
        "",
        "NA",
        "NaN",
        "nan",
        "null",
        "-999",
        "-999.0",
        "1,5",
        "1.5",
        "true",
        "False",
        "TRUE",
        "x",
        "é",
        "1_000",
        "0x1",
        "\u0661",
        "nan ",
        "infin",
        "1 2",
        "--1",
        "1e",
        ".",
        "+",
        "\t",
        "a\nb",
        'a"b',
        "a,b",
        "a;b",
        "a\rb",
        "\u2028",
        "None",
    ]
)
LINES = st.text(st.sampled_from(list('0159.,;"\n\r\t -+eNAtruex\x85é')), max_size=60)
DIALECTS = st.sampled_from(
    [
        Dialect(),
        Dialect(delimiter=";", decimal=","),
        Dialect(delimiter=","),
        Dialect(header=False),
        Dialect(na_values=("", "-999")),
        Dialect(na_values=("x",)),
        Dialect(delimiter=";", decimal=",", na_values=("", "-999.00", "1,5")),
        Dialect(delimiter="\t"),
    ]
)


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, Dialect]:
    """A table as a CSV writer writes it, of columns of numbers, text and both."""
    dialect = draw(DIALECTS)
    kinds = draw(st.lists(st.sampled_from([NUMBERS, ODD, st.one_of(NUMBERS, ODD)]), min_size=1, max_size=4))
    rows = draw(st.lists(st.tuples(*kinds), min_size=1, max_size=8))
    out = io.StringIO()
    ends = draw(st.sampled_from(["\n", "\r\n"]))
    quoting: Literal[0, 1] = draw(st.sampled_from([0, 1]))  # as little as need be, all
    writer = csv.writer(out, delimiter=dialect.delimiter or ",", lineterminator=ends, quoting=quoting)
    writer.writerows([[f"n{at}" for at in range(len(kinds))], *rows])
    return out.getvalue(), dialect


@dataclass
class Calls:
    """How often pandas' reader was called."""

    number: int = 0


@contextmanager
def reading(*, small: bool) -> Iterator[Calls]:
    """Read texts without pandas, or with it however small they are."""
    limit, calls, real = (1 << 18) if small else -1, Calls(), cells._by_pandas  # noqa: SLF001  (which of the two runs)

    def counted(*words: Any) -> cells.Cells:  # noqa: ANN401  (as the reader)
        calls.number += 1
        return real(*words)

    with (
        patch.object(whole, "SMALL", limit),
        patch.object(chunks, "SMALL", limit),
        patch.object(distinct, "FEW", limit),
        patch.object(cells, "_by_pandas", counted),
    ):
        yield calls


def columns_of(table: Table) -> dict[str, Any]:
    """All that a table holds, to be compared; numbers bit by bit."""
    out: dict[str, Any] = {"rows": table.rows, "zeros": table.leading_zeros, "bad": table.bad_cells}
    for name, column in table.columns.items():
        match column:
            case Numbers():
                out[name] = [value.hex() for value in column.values.tolist()]
            case Levels():
                out[name] = (column.codes.tolist(), column.levels, column.boolean)
    return out


def whole_table(path: str, dialect: Dialect) -> object:
    try:
        return columns_of(read_table([path], dialect))
    except DataError as error:
        return error.code, error.where, str(error)


def in_chunks(path: str, dialect: Dialect) -> object:
    numeric = ("n0", "n1", "c1", "0")
    out: list[object] = []
    try:
        for table in read_chunks(path, dialect, numeric=numeric, chunk_rows=3, bad_cells="missing", keep_raw=True):
            raw = {name: column.tolist() for name, column in table.spelt.items()}
            out.append((columns_of(table), raw))
    except DataError as error:
        out.append((error.code, error.where, str(error)))
    return out


def hold_both(text: str, dialect: Dialect) -> None:
    with tempfile.TemporaryDirectory() as place:
        path = str(Path(place) / "t.csv")
        Path(path).write_bytes(text.encode())
        with reading(small=True) as none:
            mine = whole_table(path, dialect), in_chunks(path, dialect)
        for few in (0, cells.FEW):
            with reading(small=False), patch.object(cells, "FEW", few):
                theirs = whole_table(path, dialect), in_chunks(path, dialect)
            assert mine == theirs
    assert none.number == 0


@often
@given(tables())
def test_tables_of_all_kinds_of_cells_are_read_alike(table: tuple[str, Dialect]) -> None:
    hold_both(*table)


@often
@given(LINES, DIALECTS)
def test_lines_that_may_be_no_table_are_read_or_refused_alike(text: str, dialect: Dialect) -> None:
    hold_both(text, dialect)


@pytest.mark.parametrize(
    ("name", "text", "x", "y"),
    [
        ("t.csv", "x,y\r1,2\r \r,9\r3,4\r", [1, None, 3], [2, 9, 4]),
        ("t.csv", "x,y\r1,2\r\r,9\r3,4\r", [1, None, 3], [2, 9, 4]),
        ("t.tsv", "x\ty\r1\t2\r\r\t\r3\t4\r", [1, None, 3], [2, None, 4]),
        ("t.csv", "x,y\n1,2\n\r,9\n3,4\n", [1, None, 3], [2, 9, 4]),
    ],
)
@pytest.mark.parametrize("late", [False, True])
def test_what_pandas_misreads_after_a_blank_line_is_read_as_it_stands(
    name: str,
    text: str,
    x: list[float | None],
    y: list[float | None],
    late: bool,  # noqa: FBT001  (a case)
    tmp_path: Path,
) -> None:
    path, mark = tmp_path / name, "\t" if name == "t.tsv" else ","
    rows = 2000  # more than are looked at first
    if late:
        text += f"5{mark}6\r" * rows + f"word{mark}7\r"
    path.write_bytes(text.encode())

    def numbers(column: Sequence[float | None], last: float) -> list[str]:
        return [float("nan" if value is None else value).hex() for value in [*column, *([last] * rows if late else [])]]

    for small in (True, False):
        with reading(small=small):
            found = read_table([str(path)], Dialect())
            assert found.rows == (len(x) + rows + 1 if late else len(x))
            assert numbers(y, 6.0) == columns_of(found)["y"][: len(x) + rows * late]
            if not late:
                assert numbers(x, 5.0) == columns_of(found)["x"]
            chunks_ = list(read_chunks(str(path), Dialect(), numeric=("y",), chunk_rows=5000, keep_raw=True))
            assert [chunk.rows for chunk in chunks_] == [found.rows]
            assert chunks_[0].spelt["y"].tolist()[: len(y)] == ["" if value is None else f"{value:g}" for value in y]


@pytest.mark.parametrize("small", [True, False])
def test_it_is_the_size_that_decides_who_reads(small: bool, tmp_path: Path) -> None:  # noqa: FBT001  (a case)
    path = tmp_path / "t.csv"
    rows = 40_000 if small else 200_000
    path.write_text("a,b\n" + "1,2\n" * rows)
    with reading(small=True) as calls:
        assert read_table([str(path)], Dialect()).rows == rows
        of_whole = calls.number
        assert sum(table.rows for table in read_chunks(str(path), Dialect(), numeric=("a", "b"))) == rows
    assert (of_whole > 0, calls.number > of_whole) == (not small, not small)
