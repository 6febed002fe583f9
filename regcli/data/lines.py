"""Texts of one record a line: lines with their numbers, checked as bytes."""

from collections.abc import Iterator
from typing import BinaryIO, NoReturn

from regcli.data.dialect import Dialect
from regcli.data.quotes import count_breaks
from regcli.data.source import arriving, check_byte_order, check_is_text, likely_encoding, pieces
from regcli.errors import DataError, Location

__all__ = ["Line", "numbered_lines"]

#: Bytes of the longest byte order mark.
_LONGEST_MARK = 4

#: A line's number in the file, and its text as UTF-8.
Line = tuple[int, bytes]


def numbered_lines(stream: BinaryIO, name: str, dialect: Dialect) -> Iterator[list[Line]]:
    """Lines that are not blank, as UTF-8, as many at a time as arrive together."""
    at = 0

    def bad_bytes(error: UnicodeError) -> NoReturn:
        bad = error.object[error.start :] if isinstance(error, UnicodeDecodeError) else b""
        good = error.object[: error.start] if isinstance(error, UnicodeDecodeError) else b""
        line = at + 1 + count_breaks(good.decode(dialect.encoding, "ignore").encode())
        raise DataError(
            "encoding",
            f"{name}: line {line} has bytes{f' (0x{bad[0]:02x})' if bad else ''} that are not {dialect.encoding}",
            hint=likely_encoding(bad[:200]),
            where=Location(file=name, line=line),
        ) from error

    def refuse_nul(text: bytes, before: int) -> None:
        if b"\0" in text:
            line = before + 1 + count_breaks(text[: text.index(b"\0")])
            where = Location(file=name, line=line)
            hint = "for UTF-16 without a byte order mark say --encoding utf-16-le"
            raise DataError("nul-byte", f"{name} has a NUL byte in line {line}: it is not text", where=where, hint=hint)

    def checked(chunks: Iterator[bytes]) -> Iterator[bytes]:
        head = _head(chunks)
        check_is_text(head, name, dialect.encoding)
        check_byte_order(head, name, dialect.encoding)
        if not dialect.encoding.startswith(("utf-16", "utf-32")):  # of /dev/zero no line ever ends
            refuse_nul(head, 0)
        yield head
        yield from chunks

    for piece in pieces(checked(arriving(stream)), dialect.encoding, bad_bytes=bad_bytes):
        lines = piece.splitlines()
        refuse_nul(piece, at)
        yield [(at + place, text) for place, text in enumerate(lines, start=1) if text.strip()]
        at += len(lines)


def _head(chunks: Iterator[bytes]) -> bytes:
    """The first bytes: a byte order mark at least, where there is one, however few come at a time; or a line."""
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= _LONGEST_MARK or b"\n" in head:
            break
    return head
