"""Several files, standard input, pipes."""

import bz2
import gzip
import hashlib
import io
import lzma
import os
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from regcli.data.read import Dialect, read_chunks, read_table
from regcli.errors import DataError, UsageError
from tests.unit.data.tables import Write, cells, numbers


def test_several_files(write: Write) -> None:
    one = write("a,b,c,d\n1,x,true,\n2,y,false,\n", "one.csv")
    two = write("c,b,a,d\nTRUE,z,3,5\n", "two.csv")
    table = read_table([one, two], Dialect())
    assert tuple(table.columns) == ("a", "b", "c", "d")
    assert numbers(table, "a") == [1, 2, 3]
    assert cells(table, "b") == ["x", "y", "z"]
    assert cells(table, "c") == ["True", "False", "True"]
    assert numbers(table, "d") == [None, None, 5]
    assert [file.rows for file in table.files] == [2, 1]
    where = table.locate(2, "b")
    assert (where.file, where.line) == (two, 2)


def test_a_column_that_is_text_in_one_file_is_text_in_all(write: Write) -> None:
    one = write("a,b\n007,1\n,2\n", "one.csv")
    two = write("a,b\nx,3\n", "two.csv")
    assert cells(read_table([one, two], Dialect()), "a") == ["007", None, "x"]
    three = write("a,b\nTrue,3\n", "three.csv")
    assert cells(read_table([three, two, one], Dialect()), "a") == ["True", "x", "007", None]


def test_files_with_other_columns(write: Write) -> None:
    one, two = write("a,b\n1,2\n", "one.csv"), write("b,c\n1,2\n", "two.csv")
    with pytest.raises(DataError) as caught:
        read_table([one, two], Dialect())
    error = caught.value
    assert (error.code, error.where.file) == ("columns-differ", two)
    assert "'a'" in error.message
    assert "'c'" in error.message


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    content = b"a;b\n1;x\n2;y\n"

    def feed() -> None:
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(content)))

    feed()
    table = read_table(["-"], Dialect())
    assert numbers(table, "a") == [1, 2]
    assert (table.files[0].path, table.files[0].sha256) == ("-", hashlib.sha256(content).hexdigest())
    assert (table.locate(1, "b").file, table.locate(1, "b").line) == ("-", 3)
    feed()
    chunks = list(read_chunks("-", Dialect(), numeric={"a"}, chunk_rows=1))
    assert [numbers(chunk, "a") for chunk in chunks] == [[1], [2]]
    with pytest.raises(UsageError):
        read_table(["-", "-"], Dialect())


def test_a_file_called_minus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("-").write_text("a\n1\n", encoding="utf-8")
    assert read_table(["./-"], Dialect(format="csv")).rows == 1


@pytest.mark.parametrize("chunked", [False, True])
def test_a_pipe_is_read_once(tmp_path: Path, *, chunked: bool) -> None:
    path = tmp_path / "pipe.csv"
    os.mkfifo(path)
    feeder = threading.Thread(target=path.write_text, args=("a,b\n1,x\n2,y\n",), daemon=True)
    feeder.start()
    if chunked:
        assert sum(chunk.rows for chunk in read_chunks(str(path), Dialect(), numeric={"a"})) == 2
    else:
        table = read_table([str(path)], Dialect())
        assert table.locate(1, "a").line == 3
    feeder.join()


RANDOM = bytes(np.random.default_rng(0).integers(1, 256, 4000, dtype=np.uint8))


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "PNG"),
        (b"PK\x03\x04\x14\0\x06\0", "xlsx"),
        (gzip.compress(gzip.compress(b"a,b\n1,2\n", mtime=0), mtime=0), "gzip, twice"),
        (gzip.compress(lzma.compress(b"a,b\n1,2\n"), mtime=0), "xz"),
        (lzma.compress(bz2.compress(b"a,b\n1,2\n")), "bzip2"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "JPEG"),
        (RANDOM, "printable"),
    ],
    ids=["png", "zip", "gzip", "xz", "bzip2", "jpeg", "random"],
)
def test_what_is_no_text_is_told(write: Write, content: bytes, what: str) -> None:
    path = write(content, "table.csv")
    for read in (lambda: read_table([path], Dialect()), lambda: list(read_chunks(path, Dialect(), numeric=()))):
        with pytest.raises(DataError) as caught:
            read()
        assert caught.value.code == "file-unreadable"
        assert "is not text" in caught.value.message
        assert what in caught.value.message


@pytest.mark.parametrize("encoding", ["cp1251", "koi8-r", "gb18030", "shift_jis", "euc-kr"])
def test_text_in_another_encoding_is_still_text(write: Write, encoding: str) -> None:
    words = {"gb18030": "\u57ce\u5e02,\u4ef7", "shift_jis": "\u90fd\u5e02,\u5024", "euc-kr": "\ub3c4\uc2dc,\uac12"}
    line = words.get(encoding, "\u0433\u043e\u0440\u043e\u0434,\u0446\u0435\u043d\u0430")
    path = write(f"{line}\n{line}\n".encode(encoding), "table.csv")
    with pytest.raises(DataError) as caught:
        read_table([path], Dialect())
    assert (caught.value.code, "--encoding" in (caught.value.hint or "")) == ("encoding", True)
    assert read_table([path], Dialect(encoding=encoding)).rows == 1
