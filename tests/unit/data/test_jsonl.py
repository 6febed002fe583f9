"""JSON Lines: what is read, and what is refused with line and key."""

import codecs
import io
import json
import os
import time
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from regcli.data.derive import refuse_unsupported
from regcli.data.levels import match_levels
from regcli.data.read import Dialect, read_chunks, read_header, read_table
from regcli.data.table import Levels, Unsupported
from regcli.data.terms import Feature
from regcli.errors import DataError
from tests.unit.data.tables import Write, cells, numbers

NAME = "data.jsonl"


def refused(path: str, dialect: Dialect | None = None) -> DataError:
    with pytest.raises(DataError) as caught:
        read_table([path], dialect or Dialect())
    with pytest.raises(DataError) as chunked:
        list(read_chunks(path, dialect or Dialect(), numeric=()))
    assert (chunked.value.code, chunked.value.where) == (caught.value.code, caught.value.where)
    return caught.value


def test_columns_keep_the_order_of_keys_and_lack_cells(write: Write) -> None:
    path = write('{"b": 1.5, "t": "x"}\n\n{"a": 2, "b": null}\n{"t": "NA", "ok": true}\r\n', NAME)
    table = read_table([path], Dialect())
    assert tuple(table.columns) == ("b", "t", "a", "ok") == read_header(path, Dialect())
    assert numbers(table, "b") == [1.5, None, None]
    assert numbers(table, "a") == [None, 2, None]
    assert cells(table, "t") == ["x", None, None]
    assert cells(table, "ok") == [None, None, "True"]
    ok = table.columns["ok"]
    assert isinstance(ok, Levels)
    assert ok.boolean
    assert [table.locate(row, "b").line for row in range(3)] == [1, 3, 4]
    assert (table.format, table.rows) == ("jsonl", 3)


@pytest.mark.parametrize(
    "spelt", ["0.1234567890123456789", "9007199254740993", "1e5", "-0.0", "5e-324", "123456789012345678901234567890"]
)
def test_numbers_are_the_nearest_double_or_as_spelt(write: Write, spelt: str) -> None:
    path = write(f'{{"a": {spelt}}}\n{{"a": 1}}\n', NAME)
    assert numbers(read_table([path], Dialect()), "a") == [float(spelt), 1]
    assert cells(read_table([path], Dialect(), as_text={"a"}), "a") == [spelt, "1"]
    (chunk,) = read_chunks(path, Dialect(), numeric={"a"}, keep_raw=True)
    assert numbers(chunk, "a") == [float(spelt), 1]
    assert list(chunk.spelt["a"]) == [spelt, "1"]


def test_text_is_text_even_if_it_is_digits(write: Write) -> None:
    table = read_table([write('{"a": "5", "b": 1}\n{"a": "7", "b": "x"}\n', NAME)], Dialect())
    assert cells(table, "a") == ["5", "7"]
    assert cells(table, "b") == ["1", "x"]


def test_what_python_writes_for_no_number(write: Write) -> None:
    path = write(json.dumps({"a": float("nan")}) + "\n" + json.dumps({"a": float("-inf")}) + "\n", NAME)
    assert numbers(read_table([path], Dialect()), "a") == [None, float("-inf")]


def test_na_values_hold_for_numbers_and_text(write: Write) -> None:
    path = write('{"a": -999, "b": "?"}\n{"a": -999.0, "b": "x"}\n{"a": 1, "b": "NA"}\n', NAME)
    table = read_table([path], Dialect(na_values=("-999", "?")))
    assert numbers(table, "a") == [None, None, 1]
    assert cells(table, "b") == [None, "x", "NA"]


@pytest.mark.parametrize(
    ("cell", "kind"), [("[1, 2]", "JSON array"), ('{"x": 1}', "JSON object"), ("[]", "JSON array")]
)
def test_nested_values_make_a_column_that_cannot_be_used(write: Write, cell: str, kind: str) -> None:
    path = write(f'{{"a": 1, "b": 2}}\n{{"a": {cell}, "b": 3}}\n', NAME)
    table = read_table([path], Dialect())
    assert table.columns["a"] == Unsupported(kind, 1)
    with pytest.raises(DataError) as caught:
        refuse_unsupported(table, "a", "--drop a")
    assert caught.value.hint == "--drop a"
    assert numbers(table, "b") == [2, 3]
    (chunk,) = read_chunks(path, Dialect(), numeric={"b"}, keep_raw={"a"})
    assert len(chunk.spelt["a"]) == 2


@pytest.mark.parametrize(
    ("line", "code", "column"),
    [
        ("[1, 2]", "broken-line", None),
        ("3", "broken-line", None),
        ('{"a": 1', "broken-line", None),
        ('{"a": 1} {"a": 2}', "broken-line", None),
        ("{'a': 1}", "broken-line", None),
        ('{"a": 1,}', "broken-line", None),
        ('{"a": 01}', "broken-line", None),
        ('{"a": ' + "[" * 100_000, "broken-line", None),
        ('{"a": 1, "a": 2}', "duplicate-column", "a"),
        ('{"": 1}', "empty-column-name", None),
        ('{"x\\u0000": 1}', "nul-byte", None),
        ('{"a": "\\ud800"}', "broken-line", "a"),
        ('{"a": "\0"}', "nul-byte", None),
        ('{"a": "x\\u0000"}', "nul-byte", "a"),
    ],
    ids=str,
)
def test_a_line_that_is_no_object_is_told(write: Write, line: str, code: str, column: str | None) -> None:
    path = write('{"a": 1}\n\n{"a": 2}\n' + line + "\n", NAME)
    error = refused(path)
    assert (error.code, error.where.line, error.where.column) == (code, 4, column)


def test_a_nul_character_is_refused_where_its_key_is_read(write: Write) -> None:
    path = write('{"a": 1, "t": "x"}\n{"a": 2, "t": "b\\u0000"}\n', NAME)
    assert [numbers(chunk, "a") for chunk in read_chunks(path, Dialect(), numeric={"a"}, wanted={"a"})] == [[1, 2]]
    for kept in ({"t"}, True):
        with pytest.raises(DataError) as caught:
            list(read_chunks(path, Dialect(), numeric={"a"}, wanted={"a"}, keep_raw=kept))
        assert (caught.value.code, caught.value.where.line, caught.value.where.column) == ("nul-byte", 2, "t")


def test_half_characters_and_nul_within_lists_stay_escapes(write: Write) -> None:
    path = write('{"a": ["\\ud800", {"\\udfff": "\\u0000"}, "ü"]}\n', NAME)
    (chunk,) = read_chunks(path, Dialect(), numeric=(), keep_raw={"a"})
    assert list(chunk.spelt["a"]) == ['["\\ud800", {"\\udfff": "\\u0000"}, "ü"]']


def test_bytes_that_are_no_text(write: Write) -> None:
    path = write('{"a": "x"}\n{"a": "süd"}\n'.encode("latin-1"), NAME)
    error = refused(path)
    assert (error.code, error.where.line) == ("encoding", 2)
    assert "0xfc" in error.message
    assert "latin-1" in (error.hint or "")
    assert cells(read_table([path], Dialect(encoding="latin-1")), "a") == ["x", "süd"]
    assert refused(write('{"a": 1}\n'.encode("utf-16"), NAME)).hint == "--encoding utf-16"
    assert refused(write("", NAME)).code == refused(write("\n \n", NAME)).code == "empty-file"


def test_chunks_are_the_whole(write: Write) -> None:
    lines = [json.dumps({"n": i, "t": f"w{i % 7}", **({"late": i} if i > 50 else {})}) for i in range(100)]
    path = write("\n".join(lines), NAME)
    chunks = list(read_chunks(path, Dialect(), numeric={"n", "late"}, chunk_rows=30))
    assert [chunk.rows for chunk in chunks] == [30, 30, 30, 10]
    assert [value for chunk in chunks for value in numbers(chunk, "n")] == list(range(100))
    assert [tuple(chunk.columns) for chunk in chunks] == [("n", "t"), *[("n", "t", "late")] * 3]
    assert chunks[3].locate(9, "n").line == 100


def test_what_has_arrived_is_not_kept_waiting(tmp_path: Path) -> None:
    path = tmp_path / "pipe.jsonl"
    os.mkfifo(path)
    gate, key = os.pipe()

    def write() -> None:
        with path.open("wb", buffering=0) as pipe:
            pipe.write(b'{"x": 1}\n{"x": 2}\n{"x"')
            os.read(gate, 1)
            pipe.write(b": 3}\n")

    writer = Thread(target=write, daemon=True)
    writer.start()
    chunks = read_chunks(str(path), Dialect(), numeric={"x"})
    assert numbers(next(chunks), "x") == [1, 2]
    os.write(key, b".")
    assert [numbers(chunk, "x") for chunk in chunks] == [[3]]
    writer.join()


def test_bad_cells_are_named(write: Write) -> None:
    path = write('{"x": 1}\n{"x": "oops"}\n', NAME)
    with pytest.raises(DataError) as caught:
        list(read_chunks(path, Dialect(), numeric={"x"}))
    assert (caught.value.code, caught.value.where.line) == ("text-in-numeric-column", 2)
    (chunk,) = read_chunks(path, Dialect(), numeric={"x"}, bad_cells="missing")
    assert numbers(chunk, "x") == [1, None]
    assert chunk.bad_cells == {"x": {1: "oops"}}


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stdin:
        buffer = io.BytesIO(b'{"x": 1}\n')

    monkeypatch.setattr("sys.stdin", Stdin)
    assert numbers(read_table(["-"], Dialect(format="jsonl")), "x") == [1]


def test_columns_that_are_asked_for_are_there_before_their_keys(write: Write) -> None:
    path = write('{"a": 1}\n{"a": 2}\n{"a": 3, "b": 4}\n{"c": 5}\n', NAME)
    chunks = list(read_chunks(path, Dialect(), numeric={"b", "x"}, wanted={"b", "x"}, keep_raw={"t"}, chunk_rows=2))
    assert [tuple(chunk.columns) for chunk in chunks] == [("a", "b", "t", "x"), ("a", "b", "c", "t", "x")]
    assert [value for chunk in chunks for value in numbers(chunk, "b")] == [None, None, 4, None]
    assert [list(chunk.spelt["t"]) for chunk in chunks] == [["", ""], ["", ""]]
    assert chunks[0].first_rows == {"b": 2, "t": 2, "x": 2}
    assert chunks[1].first_rows == {"b": 0, "c": 1, "t": 2, "x": 2}
    assert [[name for name in "abctx" if chunk.lacks(name)] for chunk in chunks] == [["b", "t", "x"], ["t", "x"]]
    assert [[name for name in "abctx" if chunk.begins_with(name)] for chunk in chunks] == [["a"], ["a", "b"]]


def test_nested_cells_of_chunks_are_missing_and_kept_as_spelt(write: Write) -> None:
    path = write('{"n": 1, "t": "x"}\n{"n": [1.50, {"k": null}], "t": {}}\n{"n": 2, "t": "[1]"}\n', NAME)
    (chunk,) = read_chunks(path, Dialect(), numeric={"n"}, wanted={"n", "t"})
    assert numbers(chunk, "n") == [1, None, 2]
    assert cells(chunk, "t") == ["x", None, "[1]"]
    assert chunk.nested == {"n": {1: '[1.50, {"k": null}]'}, "t": {1: "{}"}}


@pytest.mark.parametrize("content", ['{"x": 1}\n{"x": 2}\n', '{"x": 1}'])
def test_a_byte_order_mark_is_taken_off_also_from_a_pipe(tmp_path: Path, content: str) -> None:
    path = tmp_path / "pipe.jsonl"
    marked = codecs.BOM_UTF8 + content.encode()
    for size in (1, 2, 3, 100):
        path.unlink(missing_ok=True)
        os.mkfifo(path)
        parts = [marked[at : at + size] for at in range(0, len(marked), size)]
        writer = Thread(target=put_slowly, args=(path, parts), daemon=True)
        writer.start()
        values = [value for chunk in read_chunks(str(path), Dialect(), numeric={"x"}) for value in numbers(chunk, "x")]
        assert values == [1, 2][: content.count("x")]
        writer.join()


def test_utf_16_is_told_also_from_a_pipe(tmp_path: Path) -> None:
    path = tmp_path / "pipe.jsonl"
    os.mkfifo(path)
    Thread(target=put_slowly, args=(path, ['{"x": 1}\n'.encode("utf-16")]), daemon=True).start()
    with pytest.raises(DataError) as caught:
        list(read_chunks(str(path), Dialect(), numeric={"x"}))
    assert (caught.value.code, caught.value.hint) == ("encoding", "--encoding utf-16")


def put_slowly(path: Path, parts: list[bytes]) -> None:
    """Write parts to a pipe one by one."""
    with path.open("wb", buffering=0) as pipe:
        for part in parts:
            pipe.write(part)
            time.sleep(0.002)


FLAGS = ('{"flag": true}\n', '{"flag": "true"}\n', '{"flag": "True"}\n', '{"flag": false}\n', '{"flag": null}\n')


def test_booleans_and_their_names_in_quotes_are_the_same_levels(write: Write) -> None:
    path = write("".join(FLAGS), NAME)
    column = read_table([path], Dialect()).columns["flag"]
    assert isinstance(column, Levels)
    assert (column.levels, column.boolean) == (("False", "True"), True)
    assert cells(read_table([path], Dialect()), "flag") == ["True", "True", "True", "False", None]
    assert cells(read_table([path], Dialect(), as_text={"flag"}), "flag") == ["True", "true", "True", "False", None]
    other = write("".join(FLAGS[:2]) + '{"flag": "unknown"}\n', NAME)
    assert cells(read_table([other], Dialect()), "flag") == ["true", "true", "unknown"]


def test_parts_of_booleans_and_of_text_are_what_one_file_is(write: Write) -> None:
    quoted = write(FLAGS[1] + '{"flag": "false"}\n', "a.jsonl")
    plain = [write(FLAGS[0] + FLAGS[3], "b.jsonl"), write("flag\nTRUE\nFALSE\n", "b.csv")]
    for parts in ([quoted, plain[0]], [plain[0], quoted], [quoted, plain[1]], [plain[1], quoted]):
        column = read_table(parts, Dialect()).columns["flag"]
        assert isinstance(column, Levels)
        assert (column.boolean, column.codes.tolist()) == (True, [1, 0] * 2)
    text = write('{"flag": "true"}\n{"flag": "unknown"}\n', "c.jsonl")
    assert cells(read_table([plain[0], text], Dialect()), "flag") == ["true", "False", "true", "unknown"]


def test_where_chunks_end_booleans_are_the_same(write: Write) -> None:
    path = write("".join((*FLAGS, '{"flag": "unknown"}\n')), NAME)
    for names in (("false", "true", "unknown"), ("False", "True"), ("TRUE", "false")):
        feature = Feature("flag", "category", names, names)
        found = []
        for size in (1, 2, 6):
            columns = [chunk.columns["flag"] for chunk in read_chunks(path, Dialect(), numeric=(), chunk_rows=size)]
            places = [match_levels(feature, each)[each.codes] for each in columns if isinstance(each, Levels)]
            found.append(np.concatenate(places).tolist())
        exact = [names.index(text) if text in names else -1 for text in ("true", "True")]
        truths = [[name.casefold() for name in names].index(text) for text in ("true", "false")]
        unknown = names.index("unknown") if "unknown" in names else -1
        assert found == [[truths[0], *exact, truths[1], -1, unknown]] * 3
