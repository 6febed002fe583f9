"""Inputs as bytes: what can be opened again and what can be read only once; one pass that hashes and checks.

A table is looked at as pieces of UTF-8 that end at a line break. On these, whether quotes are used as a CSV writer
uses them (every opening quote at the start of a cell, every closing one at its end) is decided with array operations;
only tables that fail this test are read record by record.
"""

import codecs
import difflib
import hashlib
import io
import os
import select
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NoReturn, TextIO, cast

import numpy as np

from regcli.errors import DataError, Location, UsageError

__all__ = [
    "CHUNK",
    "Quotes",
    "Source",
    "Survey",
    "check_byte_order",
    "check_is_text",
    "count_delimiters",
    "is_nameless",
    "is_slow",
    "is_stream",
    "open_source",
    "open_stream",
    "pieces",
    "sha256_of",
    "survey",
    "text_lines",
    "would_wait",
]

#: Bytes read at once: large against a call's cost, small against the processor's cache.
CHUNK = 1 << 20

#: What files begin with that are often named .csv by mistake. None of it can begin a text.
_BINARY = (
    (b"PK\x03\x04", "a zip archive, as workbooks (.xlsx, .ods) are", "save it as CSV, or unpack it first"),
    (b"\xd0\xcf\x11\xe0", "an old workbook (.xls)", "save it as CSV"),
    (b"\x1f\x8b", "compressed by gzip", "pipe it through gunzip and read -"),
    (b"\xfd7zXZ", "compressed by xz", "pipe it through unxz and read -"),
    (b"(\xb5/\xfd", "compressed by zstd", "pipe it through unzstd and read -"),
    (b"BZh91AY&SY", "compressed by bzip2", "pipe it through bunzip2 and read -"),
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
    """An input by its name as given, with its bytes if it could be read only once."""

    name: str
    held: bytes | None = None

    @property
    def path(self) -> str:
        """The path to open; absolute, so that no library sees a ``~`` or a ``-`` in front."""
        return str(Path(self.name).absolute())

    def open(self) -> BinaryIO:
        """Open it for reading, from the start."""
        if self.held is not None:
            return io.BytesIO(self.held)
        try:
            return Path(self.name).open("rb")
        except OSError as error:
            _refuse(self.name, error)

    def size(self) -> int:
        """Return its number of bytes."""
        return len(self.held) if self.held is not None else Path(self.name).stat().st_size

    def lines(self, encoding: str) -> TextIO:
        """Open it as text with its line breaks kept; bytes that do not decode become marks."""
        return text_lines(self.open(), encoding)


def text_lines(stream: BinaryIO, encoding: str) -> TextIO:
    """Decode a stream to lines with their line breaks, never failing."""
    known = "utf-8-sig" if encoding == "utf-8" else encoding
    errors = "replace" if encoding.startswith(("utf-16", "utf-32")) else "surrogateescape"
    return io.TextIOWrapper(stream, encoding=known, errors=errors, newline="")


def open_source(name: str) -> Source:
    """Resolve an input: check that it can be read, and hold the bytes of what cannot be read twice.

    Raises
    ------
    UsageError
        ``unsupported-source`` for anything but a local path or ``-``.
    DataError
        ``file-not-found`` with near names, ``file-unreadable``.
    """
    if is_stream(name):
        with open_stream(name) as stream:
            return Source(name, stream.read())
    source = Source(name)
    with source.open():
        return source


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
        raise DataError("file-unreadable", f"{name} is a directory", where=Location(file=name))
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
    """Open an input for one pass. Standard input is not closed afterwards: it is not ours."""
    if name != "-":
        with Source(name).open() as stream:
            yield stream
    elif sys.stdin is None:
        raise DataError("file-unreadable", "standard input is closed", where=Location(file=name))
    else:
        yield sys.stdin.buffer


def _refuse(name: str, error: OSError) -> NoReturn:
    if not isinstance(error, (FileNotFoundError, NotADirectoryError)):
        reason = error.strerror or str(error)
        raise DataError("file-unreadable", f"{name}: {reason}", where=Location(file=name)) from error
    path = Path(name)
    try:
        names = sorted(entry.name for entry in path.parent.iterdir())
    except OSError:
        names = []
    near = [str(path.parent / found) for found in difflib.get_close_matches(path.name, names, 3)]
    raise DataError("file-not-found", f"no file {name}", where=Location(file=name), near=near) from error


@dataclass
class Quotes:
    """The state of quoting at the end of a piece: inside a quoted cell or not; whether all was as writers write it."""

    delimiter: str
    inside: bool = False
    plain: bool = True

    def mask(self, piece: bytes) -> "np.ndarray[tuple[int], np.dtype[np.bool_]] | None":
        """Take in the next piece; return which of its bytes lie inside quotes (None if none does).

        Once ``plain`` is false the mask means nothing.
        """
        if b'"' not in piece:
            return np.ones(len(piece), dtype=np.bool_) if self.inside else None
        buffer = np.frombuffer(piece, dtype=np.uint8)
        is_quote = buffer == ord('"')
        at = np.flatnonzero(is_quote)
        inside = np.logical_xor.accumulate(is_quote)
        opening = inside[at]
        if self.inside:
            inside, opening = ~inside, ~opening
        borders = np.zeros(256, dtype=np.bool_)
        borders[[ord(self.delimiter), ord("\r"), ord("\n"), ord('"')]] = True
        # The neighbours of the piece's ends are line breaks: pieces are whole lines.
        neighbour = np.where(opening, at - 1, at + 1)
        outer = (neighbour < 0) | (neighbour >= len(buffer))
        fine = outer | borders[buffer[np.clip(neighbour, 0, len(buffer) - 1)]]
        self.plain = self.plain and bool(fine.all())
        self.inside = bool(inside[-1])
        return cast("np.ndarray[tuple[int], np.dtype[np.bool_]]", inside)


def pieces(chunks: Iterator[bytes], encoding: str, *, bad_bytes: Callable[[UnicodeError], NoReturn]) -> Iterator[bytes]:
    """Turn chunks of a text into pieces of UTF-8 that end at a line break (the last one where the text ends).

    There is a piece for every chunk, empty where no line has ended. A byte order mark is removed. ``bad_bytes`` is
    called for bytes that are not text in ``encoding``.
    """
    rest = b""
    first = True
    for chunk in _utf8(chunks, encoding, bad_bytes):
        data = rest + chunk if rest else chunk
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


@dataclass(frozen=True, slots=True)
class Survey:
    """What one pass over a text found: its hash, the delimiters outside quotes, whether all quotes are plain."""

    sha256: str
    delimiters: int
    plain: bool


def survey(
    source: Source,
    encoding: str,
    delimiter: str,
    *,
    bad_bytes: Callable[[UnicodeError], NoReturn],
    nul_byte: Callable[[], NoReturn],
) -> Survey:
    """Read a text once, a MiB at a time: hash its bytes, check that they are text without NUL, count delimiters."""
    digest = hashlib.sha256()
    quotes = Quotes(delimiter)
    count = 0
    with source.open() as stream:
        for piece in pieces(_hashed(stream, digest.update), encoding, bad_bytes=bad_bytes):
            if b"\0" in piece:
                nul_byte()
            if quotes.plain:
                count += count_delimiters(piece, quotes)
    return Survey(digest.hexdigest(), count, quotes.plain and not quotes.inside)


def count_delimiters(piece: bytes, quotes: Quotes) -> int:
    """Count the delimiters outside quotes, taking the piece into the state of ``quotes``."""
    inside = quotes.mask(piece)
    marks = np.frombuffer(piece, dtype=np.uint8) == ord(quotes.delimiter)
    return int(np.count_nonzero(marks if inside is None else marks & ~inside))


def _hashed(stream: BinaryIO, update: Callable[[bytes], None]) -> Iterator[bytes]:
    while chunk := stream.read(CHUNK):
        update(chunk)
        yield chunk


def sha256_of(source: Source) -> str:
    """Hash a source's bytes, a MiB at a time."""
    digest = hashlib.sha256()
    with source.open() as stream:
        for _ in _hashed(stream, digest.update):
            pass
    return digest.hexdigest()
