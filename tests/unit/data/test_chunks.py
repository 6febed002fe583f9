"""Chunks hold what the whole table holds, line numbers included."""

import pytest

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
    assert chunk.bad_rows == {1, 3}
    (good,) = read_chunks(write("x,z\n1,2\n,3\n"), Dialect(), numeric={"x", "z"}, bad_cells="missing")
    assert good.bad_rows == frozenset()


def test_raw_cells(write: Write) -> None:
    path = write('x,t\n 1.50,"a""b"\nNA,\n')
    (chunk,) = read_chunks(path, Dialect(), numeric={"x"}, keep_raw=True)
    assert chunk.raw is not None
    assert {name: list(column) for name, column in chunk.raw.items()} == {"x": [" 1.50", "NA"], "t": ['a"b', ""]}
    assert next(iter(read_chunks(path, Dialect(), numeric={"x"}))).raw is None
