"""What the reader takes, what it makes of it, and what it refuses beside a near-identical table it takes."""

import gzip
import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from regcli.data.read import Dialect, parse_na_values, read_chunks, read_header, read_table
from regcli.data.table import Levels, Numbers
from regcli.errors import DataError, RegcliError, UsageError
from tests.unit.data.tables import Write, cells, numbers


def refused(path: str, dialect: Dialect | None = None) -> DataError:
    with pytest.raises(DataError) as caught:
        read_table([path], dialect or Dialect())
    return caught.value


# --- what is read -----------------------------------------------------------------------------------------------


def test_columns_keep_order_and_kind(write: Write) -> None:
    path = write("z,a,b\n1,x,2.5\n2,y,\n")
    table = read_table([path], Dialect())
    assert tuple(table.columns) == ("z", "a", "b")
    assert numbers(table, "z") == [1, 2]
    assert cells(table, "a") == ["x", "y"]
    assert numbers(table, "b") == [2.5, None]
    assert table.rows == 2
    assert (table.format, table.delimiter, table.delimiter_guessed) == ("csv", ",", False)
    assert table.files[0].sha256 == hashlib.sha256(Path(path).read_bytes()).hexdigest()
    assert table.files[0].path == path


@pytest.mark.parametrize(
    "cell",
    [
        *("0.1234567890123456789", "2.2250738585072011e-308", "5e-324", "1.7976931348623157e308"),
        *("0.30000000000000004", "9007199254740993", "18446744073709551617", "123456789012345678901234567890"),
        *("1e5", "+1", ".5", "1.", "-0.0", "1E-5", " 1", "1 ", "-18446744073709551615"),
    ],
)
@pytest.mark.parametrize("other", ["1.5", "3", "NA", "-1"])
def test_numbers_are_the_nearest_double(write: Write, cell: str, other: str) -> None:
    path = write(f"a,b\n{cell},x\n{other},y\n")
    expected = [float(cell), None if other == "NA" else float(other)]
    assert numbers(read_table([path], Dialect()), "a") == expected
    (chunk,) = read_chunks(path, Dialect(), numeric={"a"})
    assert numbers(chunk, "a") == expected


def test_seventeen_digits_round_trip(write: Write) -> None:
    values = np.random.default_rng(0).normal(size=500) * 10.0 ** np.arange(-250, 250)
    path = write("a\n" + "".join(f"{float(value)!r}\n" for value in values))
    assert numbers(read_table([path], Dialect()), "a") == values.tolist()


@pytest.mark.parametrize("cell", ["1_000", "0x10", "1,5", "1 2", "e5", "+", "1e", "nan(1)", "--1", "1d5", "\u0661"])
def test_what_is_no_number_makes_its_column_text(write: Write, cell: str) -> None:
    path = write(f'a,b\n"{cell}",1\n2,1\n')
    assert cells(read_table([path], Dialect()), "a") == [cell, "2"]
    with pytest.raises(DataError) as caught:
        list(read_chunks(path, Dialect(), numeric={"a", "b"}))
    error = caught.value
    assert (error.code, error.where.line, error.where.column) == ("text-in-numeric-column", 2, "a")
    assert error.cells == (cell,)


@pytest.mark.parametrize("cell", ["inf", "-inf", "Infinity", "1e400", "+INF", "1" + "0" * 400])
def test_infinities_stay(write: Write, cell: str) -> None:
    path = write(f"a,b\n1,1\n{cell},2\n")
    column = read_table([path], Dialect()).columns["a"]
    assert isinstance(column, Numbers)
    assert np.isinf(column.values).tolist() == [False, True]


def test_a_column_without_values_is_numbers(write: Write) -> None:
    assert numbers(read_table([write("a,b\n,1\nNA,2\n")], Dialect()), "a") == [None, None]


@pytest.mark.parametrize(
    ("spelt", "expected"),
    [
        (["True", "False", "True"], ["True", "False", "True"]),
        (["true", "", "FALSE"], ["true", None, "FALSE"]),
        (["true", "True", "FALSE"], ["True", "True", "False"]),
        (["tRUE", "NA", "tRUE"], ["tRUE", None, "tRUE"]),
    ],
)
def test_booleans(write: Write, spelt: list[str], expected: list[str | None]) -> None:
    path = write("a,b\n" + "".join(f"{cell},1\n" for cell in spelt))
    table = read_table([path], Dialect())
    assert cells(table, "a") == expected
    column = table.columns["a"]
    assert isinstance(column, Levels)
    assert column.boolean
    declared = read_table([path], Dialect(), as_text={"a"})
    assert cells(declared, "a") == [None if cell in {"", "NA"} else cell for cell in spelt]


def test_a_boolean_with_a_number_is_text(write: Write) -> None:
    column = read_table([write("a\nTrue\n1\n")], Dialect()).columns["a"]
    assert isinstance(column, Levels)
    assert not column.boolean
    assert column.levels == ("1", "True")


def test_declared_text_keeps_its_spelling(write: Write) -> None:
    path = write("zip,x\n007,1\n1e2,2\n,3\n 1 ,4\n-1.0,5\n")
    assert cells(read_table([path], Dialect(), as_text=["zip"]), "zip") == ["007", "1e2", None, " 1 ", "-1.0"]
    assert cells(read_table([path], Dialect(), as_text=lambda names: names[:1]), "zip")[0] == "007"
    kept = read_table([path], Dialect(na_values=("-1",)), as_text=["zip"])
    assert cells(kept, "zip") == ["007", "1e2", "", " 1 ", "-1.0"]


def test_leading_zeros_are_named(write: Write) -> None:
    path = write("a,b,c,d\n007,0,0.5,x01\n1,-0,-0.1,02\n")
    assert read_table([path], Dialect()).leading_zeros == ("a",)
    assert read_table([path], Dialect(), as_text=["a"]).leading_zeros == ()
    assert read_table([write("a\n1\n-01\n")], Dialect()).leading_zeros == ("a",)


def test_quoting(write: Write) -> None:
    path = write('"a,1","b""q"\r\n"x\ny",1\r\n"say ""hi""",2\r\n\r\n"",3\r\n5" pipe,4\r\n')
    table = read_table([path], Dialect())
    assert tuple(table.columns) == ("a,1", 'b"q')
    assert cells(table, "a,1") == ["x\ny", 'say "hi"', None, '5" pipe']
    assert [table.locate(row, 'b"q').line for row in range(4)] == [3, 4, 6, 7]
    assert table.locate(0, "a,1").line == 2


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "﻿"])
def test_line_ends_marks_and_blank_lines_are_fine(write: Write, end: str, mark: str) -> None:
    path = write(mark + end.join(["", "a,b", "", "1,x", "  ", "2,y", "", ""]))
    table = read_table([path], Dialect())
    assert numbers(table, "a") == [1, 2]
    assert cells(table, "b") == ["x", "y"]
    assert [table.locate(row, "b").line for row in range(2)] == [4, 6]
    chunks = list(read_chunks(path, Dialect(), numeric={"a"}, chunk_rows=2))
    assert sum(chunk.rows for chunk in chunks) == 2
    assert chunks[-1].locate(chunks[-1].rows - 1, "a").line == 6


def test_one_column_skips_blank_lines(write: Write) -> None:
    assert numbers(read_table([write("a\n1\n\n2\n")], Dialect()), "a") == [1, 2]


def test_header_cells_are_taken_as_they_are(write: Write) -> None:
    path = write(' a ,"b\nc",1,é\n1,2,3,4\n')
    assert tuple(read_table([path], Dialect()).columns) == (" a ", "b\nc", "1", "é")
    assert read_header(path, Dialect()) == (" a ", "b\nc", "1", "é")


def test_without_a_header(write: Write) -> None:
    path = write("1,x\n2,y\n")
    table = read_table([path], Dialect(header=False))
    assert tuple(table.columns) == ("c1", "c2")
    assert numbers(table, "c1") == [1, 2]
    assert table.locate(1, "c2").line == 2
    (chunk,) = read_chunks(path, Dialect(header=False), numeric={"c1"})
    assert numbers(chunk, "c1") == [1, 2]


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("a,b\n1,2\n", ","),
        ("a;b\n1;2\n", ";"),
        ("a\tb\n1\t2\n", "\t"),
        ("a|b\n1|2\n", "|"),
        ('"a;x",b\n"1;2",3\n', ","),
        ('"a,x";b\n"1,2";3\n', ";"),
        ("a;b;c\n1,5;2,5;x\n2,5;1,5;y\n", ";"),
        ("a\n1\n", ","),
        ("a,b;c\n1,2;3\n", ","),
    ],
)
def test_the_delimiter_is_found(write: Write, text: str, mark: str) -> None:
    table = read_table([write(text)], Dialect())
    assert table.delimiter == mark
    assert table.delimiter_guessed == (mark != ",")


def test_a_given_delimiter_is_no_guess(write: Write) -> None:
    table = read_table([write("a;b\n1;2\n")], Dialect(delimiter=";"))
    assert (table.delimiter, table.delimiter_guessed) == (";", False)
    table = read_table([write("a\tb\n1\t2\n", "data.tsv")], Dialect())
    assert (table.delimiter, table.delimiter_guessed) == ("\t", False)
    assert read_table([write("a\tb\n1\t2\n", "data.txt")], Dialect()).delimiter_guessed


@pytest.mark.parametrize(
    ("text", "mark", "header"),
    [
        ('x,y\n"1,5","2,5"\n3,"-4,5"\n', ",", True),
        ("x,y\n1,2\n3,4\n", ",", True),
        ('"1,5","2,5"\n3,"-4,5"\n', ",", False),
        ('x;y\n"1,5";2,5\n', ";", True),
        ('"a, b";y\n"1,5";2,5\n', ";", True),
        ("1,5\n2,5\n", ";", False),
        ('"1,5"\n"2,5"\n', ";", False),
        ("x\n1,5\n2,5\n", ";", True),
    ],
)
def test_a_comma_may_be_both_delimiter_and_decimal_mark(write: Write, text: str, mark: str, *, header: bool) -> None:
    dialect = Dialect(decimal=",", header=header)
    table = read_table([write(text)], dialect)
    assert (table.delimiter, table.delimiter_guessed) == (mark, mark == ";" and mark in text)
    names = tuple(table.columns)
    (chunk,) = read_chunks(write(text), dialect, numeric=names)
    assert [numbers(chunk, name) for name in names] == [numbers(table, name) for name in names]
    assert numbers(table, names[0])[0] == (1 if text.startswith("x,y\n1,2") else 1.5)


def test_decimal_comma(write: Write) -> None:
    table = read_table([write("a;b\n1,5;x\n-2;y\n")], Dialect(decimal=","))
    assert numbers(table, "a") == [1.5, -2]
    one = read_table([write("a\n1,5\n-2,5\n")], Dialect(decimal=","))
    assert numbers(one, "a") == [1.5, -2.5]
    assert not one.delimiter_guessed
    path = write('a,b\n"1,5",x\n1e3,y\n')
    assert numbers(read_table([path], Dialect(decimal=",", delimiter=",")), "a") == [1.5, 1000]
    (chunk,) = read_chunks(write("a;b\n1,5;x\n1.5;y\n"), Dialect(decimal=","), numeric={"a"}, bad_cells="missing")
    assert numbers(chunk, "a") == [1.5, None]
    assert chunk.bad_cells == {"a": {1: "1.5"}}


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-16-le", "utf-32", "cp1252", "utf-8-sig"])
def test_encodings(write: Write, encoding: str) -> None:
    path = write("é,b\nü,1\n".encode(encoding))
    table = read_table([path], Dialect(encoding=encoding))
    assert cells(table, "é") == ["ü"]
    (chunk,) = read_chunks(path, Dialect(encoding=encoding), numeric={"b"})
    assert cells(chunk, "é") == ["ü"]
    assert numbers(chunk, "b") == [1]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "gb18030"])
@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("marks", [0, 1])
def test_one_byte_order_mark_is_no_part_of_the_first_cell(
    tmp_path: Path, encoding: str, pack: Callable[[bytes], bytes], marks: int, *, header: bool
) -> None:
    """Whether the order has to be told or is known, read whole and in chunks; a mark within the text is text."""
    path = tmp_path / "marked.csv"
    path.write_bytes(pack(("\ufeff" * marks + "ü,b\nx\ufeff,1\nz,2\n").encode(encoding)))
    dialect = Dialect(encoding=encoding, header=header)
    first, body = ("ü", ["x\ufeff", "z"]) if header else ("c1", ["ü", "x\ufeff", "z"])
    table = read_table([str(path)], dialect)
    (chunk,) = read_chunks(str(path), dialect, numeric=set())
    for found in (table, chunk):
        assert next(iter(found.columns)) == first
        assert cells(found, first) == body
        assert found.locate(1, first).line == (3 if header else 2)
    assert read_header(str(path), dialect)[0] == first


def test_na_values(write: Write) -> None:
    path = write("a,b\n-999,x\n-999.0,?\n1,\n")
    table = read_table([path], Dialect(na_values=("-999", "?")))
    assert numbers(table, "a") == [None, None, 1]
    assert cells(table, "b") == ["x", None, ""]


@pytest.mark.parametrize(
    ("text", "expected"),
    [('"",NA,NaN', ("", "NA", "NaN")), ("-999", ("-999",)), ('"a,b",c,c', ("a,b", "c")), ("", ()), ('""', ("",))],
)
def test_parse_na_values(text: str, expected: tuple[str, ...]) -> None:
    assert parse_na_values(text) == expected


@pytest.mark.parametrize("text", ["NA,,x", '"NA', ",", '"a"b,c', "a\nb"])
def test_parse_na_values_refuses(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_na_values(text)
    assert caught.value.code == "unknown-option-value"


# --- what is refused --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("last", ["", "3"])
@pytest.mark.parametrize("at", [0, 1, 5])
@pytest.mark.parametrize(("bad", "found"), [("1,2", 2), ("1,2,3,4", 4), ("1,2,3,", 4), ("1", 1), ('"1,5",2', 2)])
def test_ragged_rows(write: Write, at: int, bad: str, found: int, last: str) -> None:
    rows = [f"{n},x,{last}" for n in range(6)]
    assert read_table([write("a,b,c\n" + "\n".join(rows) + "\n")], Dialect()).rows == 6
    rows[at] = bad
    path = write("a,b,c\n" + "\n".join(rows) + "\n")
    error = refused(path)
    assert (error.code, error.where.line, error.where.file) == ("ragged-row", at + 2, path)
    assert f"has {found} cell" in error.message
    assert "3" in error.message
    with pytest.raises(DataError) as caught:
        list(read_chunks(path, Dialect(), numeric={"a"}, chunk_rows=2))
    assert (caught.value.code, caught.value.where.line) == ("ragged-row", at + 2)


@pytest.mark.parametrize(
    ("good", "bad", "line", "column"),
    [
        ('a,b\n1,"x"\n2,y\n', 'a,b\n1,"x\n2,y\n', 2, "b"),
        ('a,b\n1,"x"\n2,y\n', 'a,b\n1,"x"z\n2,y\n', 2, "b"),
        ('a,b\n"x\ny","z"\n2,y\n', 'a,b\n"x\ny","z\n2,y\n', 3, "b"),
        ('a,b\n1,"x""y"\n', 'a,b\n1,"x"y"\n', 2, "b"),
        ('"a",b\n1,2\n', '"a"c,b\n1,2\n', 1, None),
    ],
)
def test_broken_quoting(write: Write, good: str, bad: str, line: int, column: str | None) -> None:
    assert read_table([write(good)], Dialect()).rows >= 1
    path = write(bad)
    error = refused(path)
    assert (error.code, error.where.line, error.where.column) == ("broken-quoting", line, column)
    with pytest.raises(DataError) as caught:
        list(read_chunks(path, Dialect(), numeric={"a"}, chunk_rows=1))
    assert (caught.value.code, caught.value.where.line) == ("broken-quoting", line)


def test_duplicate_and_empty_names(write: Write) -> None:
    assert read_table([write("a,b,A\n1,2,3\n")], Dialect()).rows == 1
    error = refused(write("a,b,a\n1,2,3\n"))
    assert error.code == "duplicate-column"
    assert "1 and 3" in error.message
    assert (error.where.line, error.where.column) == (1, "a")
    error = refused(write("a,b,\n1,2,3\n"))
    assert error.code == "empty-column-name"
    assert "column 3" in error.message


@pytest.mark.parametrize(
    ("text", "words"), [("", "empty"), ("\n \n", "empty"), ("a,b\n", "no row"), ("a\n\n", "no row")]
)
def test_empty_files(write: Write, text: str, words: str) -> None:
    assert read_table([write("a,b\n1,2\n")], Dialect()).rows == 1
    path = write(text)
    error = refused(path)
    assert error.code == "empty-file"
    assert words in error.message
    with pytest.raises(DataError) as caught:
        list(read_chunks(path, Dialect(), numeric=()))
    assert caught.value.code == "empty-file"


def test_bytes_that_are_not_text(write: Write) -> None:
    good = "a,b\nx,1\né,2\n"
    assert cells(read_table([write(good)], Dialect()), "a") == ["x", "é"]
    path = write(good.encode("latin-1"))
    error = refused(path)
    assert (error.code, error.where.line, error.where.column) == ("encoding", 3, "a")
    assert "0xe9" in error.message
    assert cells(read_table([path], Dialect(encoding="latin-1")), "a") == ["x", "é"]
    with pytest.raises(DataError) as caught:
        list(read_chunks(path, Dialect(), numeric={"b"}))
    assert (caught.value.code, caught.value.where.line) == ("encoding", 3)
    assert refused(write(good.encode()), Dialect(encoding="ascii")).where.line == 3


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_byte_order_marks_of_other_encodings(write: Write, encoding: str) -> None:
    path = write("a,b\n1,2\n".encode(encoding))
    error = refused(path)
    assert error.code == "encoding"
    assert error.hint == f"--encoding {encoding}"
    assert read_table([path], Dialect(encoding=encoding)).rows == 1


def test_nul_bytes(write: Write) -> None:
    assert read_table([write("a,b\n1,x\n2,y\n")], Dialect()).rows == 2
    path = write("a,b\n1,x\n2,y\0\n")
    error = refused(path)
    assert (error.code, error.where.line, error.where.column) == ("nul-byte", 3, "b")
    with pytest.raises(DataError) as caught:
        list(read_chunks(path, Dialect(), numeric={"a"}))
    assert (caught.value.code, caught.value.where.line) == ("nul-byte", 3)


@pytest.mark.parametrize("name", ["s3://b/k.csv", "https://x/y.csv", "file:///tmp/x.csv", "a.zip::b.csv"])
def test_sources_that_are_not_local(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_table([name], Dialect())
    assert caught.value.code == "unsupported-source"


def test_files_that_are_not_there(write: Write, tmp_path: Path) -> None:
    path = write("a\n1\n", "houses.csv")
    error = refused(str(tmp_path / "house.csv"))
    assert error.code == "file-not-found"
    assert error.near == (path,)
    assert refused(str(tmp_path)).code == "file-unreadable"
    error = refused(write("a\n1\n", "data.dat"))
    assert error.code == "file-unreadable"
    assert "--input-format" in (error.hint or "")
    assert read_table([str(tmp_path / "data.dat")], Dialect(format="csv")).rows == 1
    assert read_table([write("a\n1\n", "DATA.CSV")], Dialect()).rows == 1


@pytest.mark.parametrize(
    "dialect",
    [
        Dialect(delimiter="ab"),
        Dialect(delimiter='"'),
        Dialect(delimiter="\n"),
        Dialect(delimiter=""),
        Dialect(decimal=";"),
        Dialect(encoding="klingon"),
        Dialect(encoding="base64"),
    ],
)
def test_dialects_nobody_can_follow(write: Write, dialect: Dialect) -> None:
    with pytest.raises(UsageError) as caught:
        read_table([write("a\n1\n")], dialect)
    assert caught.value.code == "unknown-option-value"


def test_large_files_are_split_among_threads_without_a_difference(write: Write) -> None:
    line = "0.12345,abcdefgh,1\n"
    body = line * 400_000
    path = write("x,t,k\n" + body)
    table = read_table([path], Dialect())
    assert table.rows == 400_000
    for at in (1, 123_456, 399_999):
        for bad in ("1,2\n", "1,2,3,4\n", "1,2,3,\n"):
            lines = at * len(line)
            error = refused(write("x,t,k\n" + body[:lines] + bad + body[lines:]))
            assert (error.code, error.where.line) == ("ragged-row", at + 2)
    late = write("x,t,k\n" + body + "oops,x,18446744073709551616\n")
    table = read_table([late], Dialect())
    column = table.columns["x"]
    assert isinstance(column, Levels)
    assert column.levels == ("0.12345", "oops")
    assert numbers(table, "k")[-1] == 2.0**64


def test_every_error_is_of_the_tree(write: Write) -> None:
    for content in (b"\xff", b'"', b"a\n\xff\xfe\n", b"\0", b'a,b\n"', b"\xef\xbb\xbf", b"\r", b"a\r\r", b'""\n1\n'):
        with pytest.raises(RegcliError):
            read_table([write(content)], Dialect())
        with pytest.raises(RegcliError):
            list(read_chunks(write(content), Dialect(), numeric=()))
