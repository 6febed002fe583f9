"""Compressed inputs: found by their first bytes, unpacked as they are read, held to a bound.

gzip, bzip2, xz and zstd. What is cut short, damaged or followed by something else is refused, never read as far as it
goes. Members that follow each other (as ``cat a.gz b.gz`` makes them) are one text.
"""

import bz2
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol, cast

from regcli.errors import DataError, Location

__all__ = ["SUFFIXES", "is_packed", "past", "unpacked", "watched"]

#: Bytes unpacked at once.
CHUNK = 1 << 20

#: Where both are exceeded the input is taken for a bomb. A table of text seldom packs to less than a fiftieth; one of
#: zeros alone packs to a thousandth and is small.
BOMB_RATIO, BOMB_BYTES = 200, 1_000_000_000

#: Memory that an xz stream may ask for. ``xz -9`` needs 65 MB to unpack.
XZ_MEMORY = 1 << 28


class _Machine(Protocol):
    """What the standard library's decompressors have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


@dataclass(frozen=True)
class _Packing:
    """A way to pack: its name, the bytes that packed files begin with, and what unpacks one member."""

    name: str
    mark: bytes
    make: Callable[[], _Machine] | None


_PACKINGS = (
    _Packing("gzip", b"\x1f\x8b\x08", lambda: cast("_Machine", zlib.decompressobj(31))),
    _Packing("bzip2", b"BZh", bz2.BZ2Decompressor),
    _Packing("xz", b"\xfd7zXZ\0", lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY)),
    _Packing("zstd", b"(\xb5/\xfd", None),
)

#: Suffixes, and which packing they promise.
SUFFIXES = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zst": "zstd"}

#: As many bytes tell: the block after bzip2's mark begins with the digits of pi.
_LONGEST = 10
_BZIP2 = (b"1AY&SY", b"\x17rE8P\x90")  # a block, or the end of an empty member


def _packing_of(head: bytes) -> _Packing | None:
    found = next((packing for packing in _PACKINGS if head.startswith(packing.mark)), None)
    if found is not None and found.name == "bzip2" and not head[4:].startswith(_BZIP2):
        return None
    return found


def is_packed(head: bytes) -> bool:
    """Whether the first bytes of an input are those of a packed one."""
    return _packing_of(head) is not None


def watched(stream: BinaryIO, update: Callable[[bytes], object]) -> BinaryIO:
    """A stream whose bytes are shown to ``update`` as they are read, each once."""
    return _buffered(_Watched(stream, update, owned=True))


def unpacked(stream: BinaryIO, name: str, *, promised: str | None = None, owned: bool = False) -> BinaryIO:
    """The stream itself, or what is packed in it.

    Parameters
    ----------
    stream : binary stream
        At its start; a pipe is read no further than its first bytes tell something.
    name : str
        For messages.
    promised : str or None
        The packing that the file's suffix says; what is not packed so is refused.
    owned : bool
        Whether the stream is closed with what is returned.

    Raises
    ------
    DataError
        ``file-unreadable`` here for a broken promise, and while reading for what is damaged or cut short;
        ``decompression-bomb`` while reading.
    """
    head, whole = _begun(stream, owned=owned)
    packing = _packing_of(head)
    if promised is not None and (packing is None or packing.name != promised):
        found = "empty" if not head else f"packed by {packing.name}" if packing else "not"
        raise DataError(
            "file-unreadable",
            f"{name} is {found}, although its name says that it is packed by {promised}",
            hint="give it the suffix of what it is",
            where=Location(file=name),
        )
    if packing is None:
        return whole
    return _buffered(_Unpacked(whole, name, packing, owned=owned))


def past(stream: BinaryIO, mark: bytes) -> BinaryIO:
    """The stream behind these bytes where it begins with them, else from its beginning; it is closed with it."""
    head = stream.read(len(mark))
    return stream if head == mark else _buffered(_Joined(head, stream, owned=True))


def _buffered(stream: io.RawIOBase) -> BinaryIO:
    return cast("BinaryIO", io.BufferedReader(stream, CHUNK))


def _begun(stream: BinaryIO, *, owned: bool) -> tuple[bytes, BinaryIO]:
    """The first bytes of a stream, and the stream with them: all that can tell, or one where one is enough."""
    with suppress(OSError, AttributeError, ValueError):
        if stream.seekable():
            at = stream.tell()
            head = stream.read(_LONGEST)
            stream.seek(at)
            return head, stream
    if isinstance(stream, io.BufferedReader) and isinstance(stream.raw, _Watched):
        return stream.peek(_LONGEST)[:_LONGEST], stream
    head = stream.read(1)  # of a pipe no more than needed: its writer may wait for an answer
    if any(packing.mark.startswith(head) for packing in _PACKINGS):
        head += stream.read(_LONGEST - len(head))
    return head, _buffered(_Joined(head, stream, owned=owned))


class _Over(io.RawIOBase):
    """A stream over another one, which is closed with it where it is ``owned``."""

    def __init__(self, stream: BinaryIO, *, owned: bool) -> None:
        super().__init__()
        self.owned = owned
        self.stream = stream

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        if self.owned:
            self.stream.close()
        super().close()


class _Joined(_Over):
    """Bytes that were read, then the stream they are from."""

    def __init__(self, head: bytes, stream: BinaryIO, *, owned: bool) -> None:
        super().__init__(stream, owned=owned)
        self.head = head
        self.some = getattr(stream, "read1", stream.read)

    def fileno(self) -> int:
        return self.stream.fileno()

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401  (any writable buffer)
        data = self.head[: len(buffer)] or self.some(len(buffer))
        self.head = self.head[len(data) :] if self.head else b""
        buffer[: len(data)] = data
        return len(data)


class _Watched(_Over):
    """A stream whose bytes someone else sees too."""

    def __init__(self, stream: BinaryIO, update: Callable[[bytes], object], *, owned: bool) -> None:
        super().__init__(stream, owned=owned)
        self.update = update

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401
        data = self.stream.read(len(buffer))
        self.update(data)
        buffer[: len(data)] = data
        return len(data)


class _Unpacked(_Over):
    """What is packed in a stream; refuses damage, and more than a table packs to."""

    def __init__(self, stream: BinaryIO, name: str, packing: _Packing, *, owned: bool) -> None:
        super().__init__(stream, owned=owned)
        self.name = name
        self.packing = packing
        self.taken = self.given = 0
        counted = _buffered(_Watched(stream, self._count, owned=False))
        self.parts = _members(counted, packing.make) if packing.make else _frames(counted)
        self.rest = memoryview(b"")

    def _count(self, data: bytes) -> None:
        self.taken += len(data)

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401
        while not self.rest:
            part = self._next()
            if part is None:
                return 0
            self.rest = memoryview(part)
        size = min(len(buffer), len(self.rest))
        buffer[:size] = self.rest[:size]
        self.rest = self.rest[size:]
        return size

    def _next(self) -> bytes | None:
        where = Location(file=self.name)
        try:
            part = next(self.parts, None)
        except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
            cut = isinstance(error, EOFError) or "runcated" in str(error)
            what = f"ends in the middle of its {self.packing.name} stream" if cut else "is damaged"
            said = "" if cut else f": {error}"
            raise DataError(
                "file-unreadable",
                f"{self.name} {what}{said}",
                where=where,
                hint=f"copy it again; {_TESTS[self.packing.name]} tests it",
            ) from error
        self.given += len(part or b"")
        if self.given > BOMB_BYTES and self.given > BOMB_RATIO * self.taken:
            raise DataError(
                "decompression-bomb",
                f"{self.name} unpacks to more than {BOMB_RATIO} times its size and {BOMB_BYTES:,} bytes",
                where=where,
                hint="if it is meant to, unpack it and read the unpacked file",
            )
        return part


_TESTS = {"gzip": "gzip -t", "bzip2": "bzip2 -t", "xz": "xz -t", "zstd": "zstd -t"}


def _members(stream: BinaryIO, make: Callable[[], _Machine]) -> Iterator[bytes]:
    """Unpack members that follow each other, in parts of at most a MiB; zeros between and after them are padding."""
    data = stream.read(CHUNK)
    while data:
        machine = make()
        while not machine.eof:
            part = machine.decompress(data, CHUNK)
            if part:
                yield part
            data = getattr(machine, "unconsumed_tail", b"")
            if not (part or data or machine.eof):
                data = stream.read(CHUNK)
                if not data:
                    raise EOFError
        data = machine.unused_data.lstrip(b"\0")
        while not data and (more := stream.read(CHUNK)):
            data = more.lstrip(b"\0")


def _frames(stream: BinaryIO) -> Iterator[bytes]:
    """Unpack zstd, which the standard library cannot."""
    import pyarrow as pa  # noqa: PLC0415  (0.1 s that others need not pay)

    # Arrow's own error for a stream that is cut short is an OSError that says so.
    with pa.CompressedInputStream(pa.PythonFile(stream, mode="r"), "zstd") as source:
        while part := source.read(CHUNK):
            yield part
