"""Lines of cells: delimiter, header, and what is wrong with the bytes."""

import io
import re
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from typing import BinaryIO, NoReturn

from regcli.data.dialect import Dialect, Format, find_delimiter
from regcli.data.headings import MOST_ABOVE, unnamed_hint
from regcli.data.scan import TextPart
from regcli.data.source import Source, check_byte_order, check_is_text, is_slow, likely_encoding, text_lines
from regcli.errors import DataError, Location, counted

__all__ = [
    "Layout",
    "NoRowsError",
    "check_names",
    "empty_file",
    "encoding_hint",
    "head_of",
    "header_names",
    "layout_of",
    "no_rows",
    "nul_byte",
    "only_header",
    "read_names",
    "refuse_bytes",
    "refuse_nul",
]

#: Looked at to find the delimiter.
_SAMPLE = 1 << 16

#: A sample without a line break is prolonged to the end of its line, up to this.
_LINE = 1 << 24

_UNDECODED = re.compile("[\udc80-\udcff\ufffd]")
_ESCAPED = re.compile("[\udc80-\udcff]")
_NUL = re.compile("\0")

#: The way out of an empty name, where nothing more is known.
NAME_IT = "give it a name in the file"


@dataclass(frozen=True)
class Layout:
    """How cells are laid out: the delimiter, whether it was guessed, the names of the columns."""

    delimiter: str
    guessed: bool
    names: tuple[str, ...] = ()


def layout_of(head: bytes, name: str, dialect: Dialect, fmt: Format) -> Layout:
    """Find the delimiter from the first bytes of a text; names are not known yet.

    Raises
    ------
    DataError
        ``encoding`` if the bytes begin with the mark of another encoding.
    """
    check_is_text(head, name, dialect.encoding)
    check_byte_order(head, name, dialect.encoding)
    if dialect.delimiter is not None or fmt == "tsv":
        return Layout(dialect.delimiter or "\t", guessed=False)
    lines = text_lines(io.BytesIO(head), dialect.encoding)
    found = find_delimiter(lines, decimal=dialect.decimal, header=dialect.header)
    if found is None:  # one column: any mark will do that is not part of its numbers
        return Layout(";" if dialect.decimal == "," else ",", guessed=False)
    return Layout(found, guessed=found != ",")


def head_of(stream: BinaryIO) -> bytes:
    """Read as much of a text as the delimiter is found from, to the end of a line.

    Of a stream that is still being written this is two records, however they arrive: enough, and no long wait.
    """
    if is_slow(stream):
        return _two_records(stream)
    head = stream.read(_SAMPLE)
    return head + stream.readline(_LINE) if len(head) == _SAMPLE else head


def _two_records(stream: BinaryIO) -> bytes:
    head = b""
    records = 0
    while records < 2 and len(head) < _SAMPLE and (line := stream.readline(_LINE)):
        head += line
        # Between records the number of quotes is even, in plain tables; in others the sample is longer than it need be.
        records += bool(line.strip()) and head.count(b'"') % 2 == 0
    return head


def header_names(part: TextPart) -> tuple[str, ...]:
    """Return the column names of a text: the first record as it is, or c1, c2, ... without a header.

    Raises
    ------
    DataError
        ``empty-file``, ``duplicate-column`` with both positions, ``empty-column-name`` with its position.
    """
    first = next(part.records(), None)
    if first is None:
        raise empty_file(part.file)
    if not part.header:
        return tuple(f"c{at}" for at in range(1, len(first.cells) + 1))
    hint = NAME_IT
    if not all(first.cells):
        rest = islice(part.records(), 1, MOST_ABOVE)
        with suppress(DataError):  # what is broken below is not what is wrong here
            hint = unnamed_hint(first.cells, ((record.line, record.cells) for record in rest))
    check_names(first.cells, part.file, first.line_of, hint)
    return tuple(first.cells)


def check_names(names: Collection[str], file: str, line_of: Callable[[int], int | None], hint: str = NAME_IT) -> None:
    """Refuse column names that are empty or the same; ``line_of`` gives the line of a position (from 0).

    ``hint`` is the way out of a name that is empty.
    """
    seen: dict[str, int] = {}
    for at, name in enumerate(names):
        if "\0" in name:
            raise nul_byte(f"{file}: the name of column {at + 1} has a NUL byte", Location(file=file, line=line_of(at)))
        if not name:
            raise DataError(
                "empty-column-name",
                f"{file}: column {at + 1} of {len(names)} has no name",
                hint=hint,
                where=Location(file=file, line=line_of(at)),
            )
        if name in seen:
            raise DataError(
                "duplicate-column",
                f"{file}: columns {seen[name] + 1} and {at + 1} are both called {name!r}",
                hint="rename one of them",
                where=Location(file=file, line=line_of(at), column=name),
            )
        seen[name] = at


def nul_byte(text: str, where: Location) -> DataError:
    """A NUL byte where a name or a category is, which no text has."""
    return DataError("nul-byte", text, where=where, hint="write the file again without it")


class NoRowsError(DataError):
    """A table without rows; ``columns`` are those that it would have, None where its format tells of them by rows."""

    def __init__(self, text: str, file: str, hint: str, columns: tuple[str, ...] | None = None) -> None:
        super().__init__("empty-file", text, where=Location(file=file), hint=hint)
        self.columns = columns


#: The way out of a table without rows.
_UNWRITTEN = "see what should have written it"


def empty_file(file: str) -> DataError:
    """The error for a table without rows or header."""
    return DataError("empty-file", f"{file} is empty", where=Location(file=file), hint=_UNWRITTEN)


def only_header(file: str, names: tuple[str, ...]) -> NoRowsError:
    """The error for a text with a header alone."""
    return NoRowsError(f"{file} has a header but no row", file, "if the first line is a row, say --no-header", names)


def no_rows(file: str, columns: tuple[str, ...] | None = None) -> NoRowsError:
    """The error for a table without rows, of a format that has no header line."""
    what = "is empty" if columns is None else f"has {counted(len(columns), 'column')} but no row"
    return NoRowsError(f"{file} {what}", file, _UNWRITTEN, columns)


def refuse_bytes(part: TextPart, encoding: str, error: UnicodeError) -> NoReturn:
    """Raise the error for bytes that are not text, with line and column as far as they can be told."""
    try:
        where = part.find(_UNDECODED if encoding.startswith(("utf-16", "utf-32")) else _ESCAPED)
    except (DataError, UnicodeError):  # broken in other ways too; or a codec that cannot mark what it does not decode
        where = Location(file=part.file)
    if _ESCAPED.search(where.column or ""):  # a header that is damaged itself is no name
        where = replace(where, column=None)
    shown = f" (0x{error.object[error.start]:02x})" if isinstance(error, UnicodeDecodeError) else ""
    line = f": line {where.line}" if where.line else ""
    raise DataError(
        "encoding",
        f"{part.file}{line} has bytes{shown} that are not {encoding}",
        hint=encoding_hint(encoding, error),
        where=where,
    ) from error


def encoding_hint(encoding: str, error: UnicodeError) -> str:
    """Say which encoding to try for bytes that are not text."""
    if encoding != "utf-8" or not isinstance(error, UnicodeDecodeError):
        return "say which encoding it is, for instance --encoding cp1252 (Windows) or latin-1"
    return likely_encoding(error.object[error.start : error.start + 200].splitlines()[0])


def refuse_nul(part: TextPart) -> NoReturn:
    """Raise the error for a NUL byte, with line and column."""
    try:
        where = part.find(_NUL)
    except DataError:  # quoting is broken before the NUL; that there is one weighs more
        where = Location(file=part.file)
    line = f" in line {where.line}" if where.line else ""
    if "\0" in (where.column or ""):  # UTF-16, or a header that is damaged itself: that is no name
        where = replace(where, column=None)
    raise DataError(
        "nul-byte",
        f"{part.file} has a NUL byte{line}: it is not a text table",
        hint="for UTF-16 without a byte order mark say --encoding utf-16-le, for Parquet --input-format parquet; "
        "stray ones are taken out by tr -d '\\0'",
        where=where,
    )


def read_names(source: Source, dialect: Dialect, fmt: Format) -> tuple[Layout, TextPart]:
    """Find the delimiter and the names of a text from its beginning alone."""
    with source.open() as stream:
        layout = layout_of(head_of(stream), source.name, dialect, fmt)
    part = TextPart(source.name, lambda: source.lines(dialect.encoding), layout.delimiter, header=dialect.header)
    names = header_names(part)
    return replace(layout, names=names), replace(part, names=names)
