"""Packed inputs: unpacked whatever they are called, refused where they are damaged, cut short or endless."""

import bz2
import gzip
import io
import lzma
import os
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pyarrow as pa
import pytest

from regcli.data import unpack
from regcli.data.read import Dialect, read_chunks, read_table
from regcli.errors import DataError
from tests.unit.data.tables import Write, numbers

TEXT = b"a,b\n" + b"".join(b"%d,%d\n" % (i, i * 7919 % 1009) for i in range(40_000))


def zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return bytes(sink.getvalue().to_pybytes())


Pack = Callable[[bytes], bytes]
PACKS: dict[str, Pack] = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstd}

packings = pytest.mark.parametrize(("suffix", "pack"), PACKS.items())


@packings
def test_a_packed_table_is_the_table(write: Write, suffix: str, pack: Pack) -> None:
    plain = read_table([write(TEXT)], Dialect())
    for name in (f"data.csv{suffix}", f"data{suffix}", "data.csv"):
        path = write(pack(TEXT), name)
        packed = read_table([path], Dialect())
        assert numbers(packed, "b") == numbers(plain, "b")
        assert packed.locate(39_999, "b").line == 40_001
        chunks = read_chunks(path, Dialect(), numeric={"a", "b"}, chunk_rows=7_000)
        assert [value for chunk in chunks for value in numbers(chunk, "b")] == numbers(plain, "b")


@packings
def test_members_one_after_the_other_are_one_text(write: Write, suffix: str, pack: Pack) -> None:
    path = write(pack(TEXT[:5000]) + pack(b"") + pack(TEXT[5000:]), f"data.csv{suffix}")
    assert read_table([path], Dialect()).rows == 40_000


@packings
@pytest.mark.parametrize("cut", [1, 8, 5_000])
def test_what_is_cut_short_is_told(write: Write, suffix: str, pack: Pack, cut: int) -> None:
    path = write(pack(TEXT)[:-cut], f"data.csv{suffix}")
    for read in (
        lambda: read_table([path], Dialect()),
        lambda: list(read_chunks(path, Dialect(), numeric={"a", "b"})),
    ):
        with pytest.raises(DataError) as caught:
            read()
        assert (caught.value.code, caught.value.where.file) == ("file-unreadable", path)
        assert "ends in the middle" in caught.value.message


@packings
def test_what_is_damaged_or_goes_on_is_refused(write: Write, suffix: str, pack: Pack) -> None:
    good = pack(TEXT)
    damaged = good[:-12] + bytes(byte ^ 255 for byte in good[-12:])
    for bad in (damaged, good + b"more"):
        with pytest.raises(DataError) as caught:
            read_table([write(bad, f"data.csv{suffix}")], Dialect())
        assert caught.value.code == "file-unreadable"


@packings
def test_a_name_that_promises_more_than_the_file_holds(write: Write, suffix: str, pack: Pack) -> None:
    other = PACKS[".xz" if suffix == ".gz" else ".gz"]
    for content in (TEXT, b"", other(TEXT)):
        with pytest.raises(DataError) as caught:
            read_table([write(content, f"data.csv{suffix}")], Dialect())
        assert caught.value.code == "file-unreadable"
        assert "although its name says" in caught.value.message
    assert read_table([write(pack(TEXT), f"data.csv{suffix}")], Dialect()).rows == 40_000


def test_a_bomb_is_refused_and_a_table_that_packs_well_is_not(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "BOMB_BYTES", 3_000_000)
    zeros = b"a,b\n" + b"0,1\n" * 500_000
    assert len(zeros) > 200 * len(gzip.compress(zeros))
    assert read_table([write(gzip.compress(zeros), "data.csv.gz")], Dialect()).rows == 500_000
    path = write(gzip.compress(zeros + b"0,1\n" * 500_000), "data.csv.gz")
    for read in (lambda: read_table([path], Dialect()), lambda: list(read_chunks(path, Dialect(), numeric={"a"}))):
        with pytest.raises(DataError) as caught:
            read()
        assert caught.value.code == "decompression-bomb"
    noise = b"a\n" + b"".join(b"%d\n" % (i * i) for i in range(500_000))
    assert read_table([write(gzip.compress(noise), "data.csv.gz")], Dialect()).rows == 500_000


def test_words_that_look_like_the_mark_of_a_packing_are_text(write: Write) -> None:
    for header in ("BZh,y", "BZ,y", "(a,y", "B,y"):
        table = read_table([write(f"{header}\n1,2\n")], Dialect())
        assert tuple(table.columns) == tuple(header.split(","))


@pytest.mark.parametrize("pack", [*PACKS.values(), lambda data: data])
def test_a_packed_pipe(tmp_path: Path, pack: Pack) -> None:
    path = tmp_path / "pipe.csv"
    os.mkfifo(path)
    content = pack(b"Ba,b\n1,2\n3,4\n")
    for chunked in (False, True):
        feeder = Thread(target=path.write_bytes, args=(content,), daemon=True)
        feeder.start()
        tables = read_chunks(str(path), Dialect(), numeric={"Ba"}) if chunked else [read_table([str(path)], Dialect())]
        assert [value for table in tables for value in numbers(table, "Ba")] == [1, 3]
        feeder.join()


def test_a_stream_that_is_lent_stays_open() -> None:
    for content in (gzip.compress(TEXT), TEXT):
        stream = io.BytesIO(content)
        inner = unpack.unpacked(stream, "-")
        assert inner.read() == TEXT
        if inner is not stream:
            inner.close()
        assert not stream.closed
