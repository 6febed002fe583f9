"""Inputs as bytes: what can be opened again and what can be read only once, packed or not; text as pieces of UTF-8.

A text is looked at as pieces of UTF-8 that end at a line break.
"""

import codecs
import errno
import hashlib
import io
import os
import re
import select
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePath
from typing import BinaryIO, NoReturn, TextIO

from regcli.data.nearby import files_near
from regcli.data.unpack import SUFFIXES, is_packed, past, unpacked, watched
from regcli.errors import DataError, Location, UsageError

__all__ = [
    "CHUNK",
    "Source",
    "arriving",
    "check_byte_order",
    "check_is_text",
    "chunks_of",
    "is_nameless",
    "is_slow",
    "is_stream",
    "likely_encoding",
    "open_source",
    "open_stream",
    "pieces",
    "sha256_of",
    "text_lines",
    "would_wait",
]

#: Bytes read at once: large against a call's cost, small against the processor's cache.
CHUNK = 1 << 20

#: Bytes of a stream that tell whether the rest is worth reading: what a pipe holds on Linux.
HEAD = 1 << 16

#: What files begin with that are often named .csv by mistake. None of it can begin a text.
_BINARY = (
    (b"PK\x03\x04", "a zip archive, as workbooks (.xlsx, .ods) are", "save it as CSV, or unpack it first"),
    (b"\xd0\xcf\x11\xe0", "an old workbook (.xls)", "save it as CSV"),
    (b"\x1f\x8b", "compressed by gzip, twice", "unpack it once more"),
    (b"\xfd7zXZ", "compressed by xz, twice", "unpack it once more"),
    (b"(\xb5/\xfd", "compressed by zstd, twice", "unpack it once more"),
    (b"BZh91AY&SY", "compressed by bzip2, twice", "unpack it once more"),
    (b"\x89PNG\r", "a PNG image", None),
    (b"\xff\xd8\xff", "a JPEG image", None),
)

#: Bytes that no text has in any single-byte or multi-byte encoding of text (NUL has an error of its own).
_CONTROL = bytes(byte for byte in range(1, 32) if byte not in b"\t\n\v\f\r\x1a\x1b")

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before utf-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True)
class Source:
    """An input by its name as given, with its bytes (packed as they came) if it could be read only once.

    ``seen`` is shown the bytes of a text while its cells are read, for whoever counts them.
    """

    name: str
    held: bytes | None = None
    seen: Callable[[bytes], object] | None = None

    @property
    def path(self) -> str:
        """The path to open; absolute, so that no library sees a ``~`` or a ``-`` in front."""
        return str(Path(self.name).absolute())

    def open(self, update: Callable[[bytes], object] | None = None) -> BinaryIO:
        """Open it for reading from the start, unpacked; ``update`` is shown its bytes as they are in the file."""
        stream = self.raw()
        if update:
            stream = watched(stream, _both(update, self.seen) if self.seen else update)
        try:
            return unpacked(stream, self.name, promised=_promised(self.name), owned=True)
        except DataError:
            stream.close()
            raise

    def raw(self) -> BinaryIO:
        """Open it for reading from the start, as it is."""
        if self.held is not None:
            return io.BytesIO(self.held)
        try:
            return Path(self.name).open("rb")
        except OSError as error:
            _refuse(self.name, error)

    def state(self) -> tuple[int, ...]:
        """What changes when a file is written to or replaced: size, time of the last change, place on the disk."""
        if self.held is not None:
            return ()
        try:
            found = Path(self.name).stat()
        except OSError as error:
            _refuse(self.name, error)
        return found.st_size, found.st_mtime_ns, found.st_ino, found.st_dev

    def check_state(self, before: tuple[int, ...]) -> None:
        """Refuse a file that has changed while it was read.

        Raises
        ------
        DataError
            ``file-changed``.
        """
        if self.state() != before:
            raise DataError(
                "file-changed",
                f"{self.name} changed while it was read",
                hint="wait until it is written, or read a copy",
                where=Location(file=self.name),
            )

    def size(self) -> int:
        """Return its number of bytes, as it is."""
        return len(self.held) if self.held is not None else Path(self.name).stat().st_size

    def lines(self, encoding: str) -> TextIO:
        """Open it as text with its line breaks kept; bytes that do not decode become marks."""
        return text_lines(self.open(), encoding)


def _both(one: Callable[[bytes], object], other: Callable[[bytes], object]) -> Callable[[bytes], object]:
    def show(data: bytes) -> None:
        one(data)
        other(data)

    return show


def text_lines(stream: BinaryIO, encoding: str) -> TextIO:
    """Decode a stream to lines with their line breaks, never failing; a byte order mark is removed."""
    known = "utf-8-sig" if encoding == "utf-8" else encoding
    errors = "replace" if encoding.startswith(("utf-16", "utf-32")) else "surrogateescape"
    mark = _mark_of(known)
    return io.TextIOWrapper(past(stream, mark) if mark else stream, encoding=known, errors=errors, newline="")


def _mark_of(encoding: str) -> bytes:
    """The byte order mark that Python leaves in a text in this encoding; nothing where there is none."""
    if encoding in {"utf-8-sig", "utf-16", "utf-32"}:  # these read it, as they tell the order by it
        return b""
    with suppress(UnicodeEncodeError):
        return "\ufeff".encode(encoding)
    return b""


def _promised(name: str) -> str | None:
    """The packing that a name's suffix promises."""
    return None if is_nameless(name) else SUFFIXES.get(PurePath(name).suffix.lower())


def open_source(
    name: str,
    hopeless: Callable[[bytes], bool] = lambda _: False,
    seen: Callable[[bytes], object] | None = None,
) -> Source:
    """Resolve an input: check that it can be read, and hold the bytes of what cannot be read twice.

    ``seen`` is shown these bytes as they come, and later those of a text while its cells are read.

    What can be read only once and may never end, such as ``/dev/zero``, is not read on where its beginning is
    ``hopeless``: the reader then says why.

    Raises
    ------
    UsageError
        ``unsupported-source`` for anything but a local path or ``-``.
    DataError
        ``file-not-found`` with near names, ``file-unreadable``.
    """
    if is_stream(name):
        with _open_once(name) as stream:
            head = stream.read(HEAD)
            whole = head if hopeless(head) and not is_packed(head) else _gathered(head, arriving(stream), seen)
            return Source(name, whole, seen)
    source = Source(name, seen=seen)
    with source.raw():
        return source


def _gathered(head: bytes, rest: Iterator[bytes], seen: Callable[[bytes], object] | None) -> bytes:
    """All bytes as one; in a buffer, which gives them up without a copy."""
    buffer = io.BytesIO()
    for chunk in chain((head,), rest):
        buffer.write(chunk)
        if seen:
            seen(chunk)
    return buffer.getvalue()


def is_stream(name: str) -> bool:
    """Whether an input can be read only once: standard input, a pipe, a device."""
    if "://" in name or "::" in name:
        raise UsageError(
            "unsupported-source", f"{name} is not a local path", hint="download it first, or pipe it in and read -"
        )
    if name == "-":
        return True
    try:
        mode = Path(name).stat().st_mode
    except OSError as error:
        _refuse(name, error)
    if stat.S_ISDIR(mode):
        text = f"{name} is a directory; only directories of Parquet parts can be read"
        raise DataError(
            "file-unreadable", text, where=Location(file=name), hint=f"a pattern in quotes names files: '{name}/*.csv'"
        )
    return not stat.S_ISREG(mode)


def is_nameless(name: str) -> bool:
    """Whether a name says nothing about the format: ``-`` and what lies under /dev and /proc."""
    return name == "-" or name.startswith(("/dev/", "/proc/"))


def is_slow(stream: BinaryIO) -> bool:
    """Whether someone else writes a stream while it is read: a pipe, a terminal, a socket; not a file or memory."""
    with suppress(OSError, ValueError, AttributeError):
        return not stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    return False


def would_wait(stream: BinaryIO) -> bool:
    """Whether reading on would now wait for whoever writes a stream. What is read should be read at once by then."""
    return is_slow(stream) and not select.select([stream], [], [], 0)[0]


@contextmanager
def open_stream(name: str) -> Iterator[BinaryIO]:
    """Open an input for one pass, unpacked. Standard input is not closed afterwards: it is not ours."""
    with _open_once(name) as stream:
        yield unpacked(stream, name, promised=_promised(name))


@contextmanager
def _open_once(name: str) -> Iterator[BinaryIO]:
    if name != "-":
        with Source(name).raw() as stream:
            yield stream
    elif sys.stdin is None:
        raise DataError(
            "file-unreadable",
            "standard input is closed",
            where=Location(file=name),
            hint="regcli ... - < data.csv, or name a file",
        )
    else:
        yield sys.stdin.buffer


def _refuse(name: str, error: OSError) -> NoReturn:
    if not isinstance(error, (FileNotFoundError, NotADirectoryError)):
        reason = error.strerror or str(error)
        hint = "a shorter name" if error.errno == errno.ENAMETOOLONG else "ls -l shows who may read it"
        raise DataError("file-unreadable", f"{name}: {reason}", where=Location(file=name), hint=hint) from error
    raise DataError(
        "file-not-found",
        f"no file {name}",
        where=Location(file=name),
        near=files_near(name),
        hint="a path is relative to the working directory; - is standard input",
    ) from error


def pieces(chunks: Iterator[bytes], encoding: str, *, bad_bytes: Callable[[UnicodeError], NoReturn]) -> Iterator[bytes]:
    """Turn chunks of a text into pieces of UTF-8 that end at a line break (the last one where the text ends).

    There is a piece for every chunk, empty where no line has ended. A byte order mark is removed. ``bad_bytes`` is
    called for bytes that are not text in ``encoding``.
    """
    rest = b""
    first = True
    for chunk in _utf8(chunks, encoding, bad_bytes):
        cut = chunk.rfind(b"\n") + 1
        if cut and not first:  # nearly always, with a single copy
            yield b"".join((rest, memoryview(chunk)[:cut]))
            rest = chunk[cut:]
            continue
        data = rest + chunk
        if first:
            data = data.removeprefix(codecs.BOM_UTF8)
            first = not data
        # A carriage return at the very end may be half a line break.
        cut = data.rfind(b"\n") + 1 or data.rfind(b"\r", 0, -1) + 1
        yield data[:cut]
        rest = data[cut:]
    if rest:
        yield rest


def _utf8(chunks: Iterator[bytes], encoding: str, bad_bytes: Callable[[UnicodeError], NoReturn]) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    pending = False
    try:
        for chunk in chunks:
            if encoding == "utf-8":
                if pending or not chunk.isascii():
                    decoder.decode(chunk)
                    pending = bool(decoder.getstate()[0])
                yield chunk
            else:
                yield decoder.decode(chunk).encode()
        decoder.decode(b"", final=True)
    except UnicodeError as error:
        bad_bytes(error)


def check_is_text(head: bytes, name: str, encoding: str) -> None:
    """Refuse what is no text in any encoding: known files by their first bytes, others by what no text is made of.

    Raises
    ------
    DataError
        ``file-unreadable``, with what the file is.
    """
    if encoding.startswith(("utf-16", "utf-32")):
        return
    for mark, what, way in _BINARY:
        if head.startswith(mark):
            raise DataError("file-unreadable", f"{name} is not text: it is {what}", hint=way, where=Location(file=name))
    if encoding != "utf-8" or head.startswith(tuple(mark for mark, _ in _BOMS)):
        return
    strange = len(head) - len(head.decode("utf-8", "ignore").encode())
    control = len(head) - len(head.translate(None, _CONTROL))
    if strange > 0.3 * len(head) and control > 0.02 * len(head):  # text in another encoding has no control characters
        raise DataError(
            "file-unreadable",
            f"{name} is not text: many of its bytes are neither {encoding} nor printable",
            hint="export it as CSV or Parquet; if it is text, say which --encoding",
            where=Location(file=name),
        )


def check_byte_order(head: bytes, name: str, encoding: str) -> None:
    """Refuse a text that begins with the mark of UTF-16 or UTF-32 unless it is read as such, and one that needs it.

    Raises
    ------
    DataError
        ``encoding``, with the encoding to say.
    """
    if encoding.startswith(("utf-16", "utf-32")):
        if encoding in {"utf-16", "utf-32"} and head and not head.startswith(tuple(mark for mark, _ in _BOMS)):
            raise DataError(
                "encoding",
                f"{name} does not begin with the byte order mark of {encoding}",
                hint=f"leave --encoding out for UTF-8; without a mark say --encoding {encoding}-le or {encoding}-be",
                where=Location(file=name, line=1),
            )
        return
    for mark, found in _BOMS:
        if head.startswith(mark):
            raise DataError(
                "encoding",
                f"{name} is {found.upper()}, not {encoding}",
                hint=f"--encoding {found}",
                where=Location(file=name, line=1),
            )


def chunks_of(stream: BinaryIO, head: bytes = b"", size: int = CHUNK) -> Iterator[bytes]:
    """Read a stream to its end, so many bytes at a time, after what was read of it before."""
    yield head
    while chunk := stream.read(size):
        yield chunk


def arriving(stream: BinaryIO) -> Iterator[bytes]:
    """Read a stream to its end, what has arrived at a time rather than wait for more."""
    read = getattr(stream, "read1", stream.read)
    while chunk := read(CHUNK):
        yield chunk


def sha256_of(source: Source) -> str:
    """Hash a source's bytes as they are in the file, a MiB at a time."""
    digest = hashlib.sha256()
    with source.raw() as stream:
        for chunk in chunks_of(stream):
            digest.update(chunk)
    return digest.hexdigest()


#: Bytes that Windows' encoding uses for quotes, dashes and the euro, and Latin-1 for nothing.
_WINDOWS = frozenset(range(0x80, 0xA0)) - {0x81, 0x8D, 0x8F, 0x90, 0x9D}


#: Letters that are no exception among those of ASCII: words of another script.
_OTHER_SCRIPT = re.compile(rb"[\x80-\xff]{3}")


def likely_encoding(line: bytes) -> str:
    """The way out of bytes that are not UTF-8: which other encodings they look like."""
    if _OTHER_SCRIPT.search(line):
        return (
            "if it is in no language of western Europe, --encoding cp1251 (Cyrillic), cp1253 (Greek), "
            "cp932 (Japanese), gb18030 (Chinese) or euc-kr (Korean); else cp1252 (Windows)"
        )
    if any(byte in _WINDOWS for byte in line):
        return "probably --encoding cp1252 (Windows); --encoding latin-1 reads any bytes"
    return "probably --encoding latin-1 or --encoding cp1252 (Windows), which read these bytes alike"
