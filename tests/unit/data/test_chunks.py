"""Chunks hold what the whole table holds, line numbers included."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest

from regcli.data import chunks as reader
from regcli.data import source
from regcli.data.read import Dialect, read_chunks, read_table
from regcli.errors import DataError
from tests.unit.data.tables import Write, cells, numbers


@pytest.mark.parametrize("rows", [1, 3, 7, 1000])
@pytest.mark.parametrize("odd", ["", '5" pipe,1\n'])
def test_chunks_are_the_whole_table(write: Write, rows: int, odd: str) -> None:
    body = "".join(f'"t{n % 3}\n,{n}",{n / 7!r}\n' + "\n" * (n % 4 == 0) for n in range(20))
    path = write("t,x\n" + odd + body + odd + body)
    whole = read_table([path], Dialect())
    chunks = list(read_chunks(path, Dialect(), numeric={"x"}, chunk_rows=rows))
    assert max(chunk.rows for chunk in chunks) <= rows
    assert [cell for chunk in chunks for cell in cells(chunk, "t")] == cells(whole, "t")
    assert [value for chunk in chunks for value in numbers(chunk, "x")] == numbers(whole, "x")
    lines = [chunk.locate(row, "x").line for chunk in chunks for row in range(chunk.rows)]
    assert lines == [whole.locate(row, "x").line for row in range(whole.rows)]


def test_chunks_cross_the_blocks_of_the_reader(write: Write) -> None:
    body = "".join(f'{n},"a ""{n}""\n{"y" * (n % 50)}"\n' for n in range(60_000))
    path = write("x,t\n" + body)
    assert len(body) > 2 << 20
    chunks = list(read_chunks(path, Dialect(), numeric={"x"}, chunk_rows=9_999))
    assert [value for chunk in chunks for value in numbers(chunk, "x")] == list(range(60_000))
    assert chunks[-1].locate(chunks[-1].rows - 1, "x").line == 1 + 2 * 59_999 + 1


def test_bad_cells(write: Write) -> None:
    path = write("x,z\n1,2\noops,3\nNA,4\n5,bad\n", "bad.csv")
    with pytest.raises(DataError) as caught:
        list(read_chunks(path, Dialect(), numeric={"x", "z"}))
    error = caught.value
    assert (error.code, error.where.line, error.where.column, error.cells) == (
        "text-in-numeric-column",
        3,
        "x",
        ("oops",),
    )
    (chunk,) = read_chunks(path, Dialect(), numeric={"x", "z"}, bad_cells="missing")
    assert numbers(chunk, "x") == [1, None, None, 5]
    assert numbers(chunk, "z") == [2, 3, 4, None]
    assert chunk.bad_cells == {"x": {1: "oops"}, "z": {3: "bad"}}
    (good,) = read_chunks(write("x,z\n1,2\n,3\n"), Dialect(), numeric={"x", "z"}, bad_cells="missing")
    assert not good.bad_cells


def test_raw_cells(write: Write) -> None:
    path = write('x,t\n 1.50,"a""b"\nNA,\n')
    (chunk,) = read_chunks(path, Dialect(), numeric={"x"}, keep_raw=True)
    assert {name: list(column) for name, column in chunk.spelt.items()} == {"x": [" 1.50", "NA"], "t": ['a"b', ""]}
    assert next(iter(read_chunks(path, Dialect(), numeric={"x"}))).raw is None


def test_a_column_may_have_cells_that_are_no_numbers(write: Write) -> None:
    path = write("x,z\n1,2\n3,oops\n4,NA\n")
    (chunk,) = read_chunks(path, Dialect(), numeric={"x", "z"}, lenient={"z"})
    assert (numbers(chunk, "x"), numbers(chunk, "z")) == ([1, 3, 4], [2, None, None])
    assert chunk.bad_cells == {"z": {1: "oops"}}
    path = write("x,z\n1,2\nbad,oops\n")
    with pytest.raises(DataError) as caught:
        list(read_chunks(path, Dialect(), numeric={"x", "z"}, lenient={"z"}))
    assert (caught.value.where.column, caught.value.cells) == ("x", ("bad",))
    (chunk,) = read_chunks(path, Dialect(), numeric={"x", "z"}, lenient={"z"}, bad_cells="missing")
    assert (numbers(chunk, "x"), numbers(chunk, "z")) == ([1, None], [2, None])
    assert chunk.bad_cells == {"x": {1: "bad"}, "z": {1: "oops"}}


def test_raw_cells_of_some_columns(write: Write) -> None:
    path = write("x,t,u\n01,a,b\n")
    (chunk,) = read_chunks(path, Dialect(), numeric={"x"}, keep_raw={"x", "absent"}, wanted=())
    assert {name: list(column) for name, column in chunk.spelt.items()} == {"x": ["01"]}
    (chunk,) = read_chunks(path, Dialect(), numeric={"x"}, keep_raw={"absent"}, wanted=())
    assert (chunk.spelt, chunk.rows, list(chunk.columns)) == ({}, 1, ["x", "t", "u"])


@pytest.mark.parametrize("text", ["t", '"t"', '"t,\n"', '5" t'])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(("long", "short"), [(3, 4), (4, 3), (2, 90), (199, 3), (100, 200)])
@pytest.mark.parametrize("beyond", ["", "9"])
def test_a_row_too_long_does_not_make_up_for_one_too_short(
    write: Write, monkeypatch: pytest.MonkeyPatch, text: str, end: str, long: int, short: int, beyond: str
) -> None:
    """Whether they are in one block, in one piece or in none, and the cell beyond the last is blank or not."""
    monkeypatch.setattr(reader, "SMALL", 0)
    rows = [f"{n},{text},{n / 7!r}" for n in range(201)]
    rows[long] += f",{beyond}"
    rows[short] = f"{short},{text}"
    lines = "\n" in text
    path = write(end.join(["x,t,z", *rows, ""]))
    for size, count in ((1 << 20, 1000), (1 << 20, 50), (300, 1000), (300, 7)):
        monkeypatch.setattr(source, "CHUNK", size)
        for wanted in (None, {"x"}):
            with pytest.raises(DataError) as caught:
                list(read_chunks(path, Dialect(), numeric={"x"}, chunk_rows=count, wanted=wanted))
            first = min(long, short)
            assert (caught.value.code, caught.value.where.line) == ("ragged-row", first + 2 + first * lines)


# -- pipes -----------------------------------------------------------------------------------------------------------

Feed = Callable[[bytes], Iterator[int]]


@pytest.fixture
def piped(tmp_path: Path) -> Feed:
    """Rows of the chunks of what goes through a pipe; the pipe stays open until the next is asked for."""

    def feed(*parts: bytes) -> Iterator[int]:
        path = tmp_path / "pipe.csv"
        os.mkfifo(path)
        gates = [os.pipe() for _ in parts]

        def write() -> None:
            with path.open("wb", buffering=0) as pipe:
                for part, (gate, _) in zip(parts, gates, strict=True):
                    pipe.write(part)
                    os.read(gate, 1)

        writer = Thread(target=write, daemon=True)
        writer.start()
        chunks = read_chunks(str(path), Dialect(), numeric={"x"})
        for _, gate in gates:
            yield next(chunks).rows
            os.write(gate, b".")
        assert next(chunks, None) is None
        writer.join()

    return feed


@pytest.mark.parametrize(
    ("parts", "rows"),
    [
        ((b"x,t\n1,a\n", b"2,b\n3,c\n4", b",d\n"), [1, 2, 1]),
        ((b'x,t\n1,"a\nb"\n2,"c', b'\nd"\n3,e', b"\n"), [1, 1, 1]),
        ((b"x;t\n1;a\n", b"2;b\n\n3;c\n"), [1, 2]),
        ((b"\n\nx,t\n1,a\n", b"\n2,b\n"), [1, 1]),
    ],
)
def test_what_has_arrived_is_not_kept_waiting(piped: Feed, parts: tuple[bytes, ...], rows: list[int]) -> None:
    assert list(piped(*parts)) == rows
