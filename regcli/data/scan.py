"""The exact reading of a text table: record by record, with physical lines.

Slow (plain Python) and precise. It reads small texts, and answers where something is in large ones: pandas reads their
values, this module explains what is wrong with them. It sees quotes as pandas' C reader does, except that it refuses
characters after a closing quote.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import TextIO

from regcli.data.headings import ragged_hint
from regcli.errors import DataError, Location

__all__ = ["Record", "TextPart", "ragged", "records"]


@dataclass(frozen=True, slots=True)
class Record:
    """One row of cells.

    ``line`` is the physical line it starts on; ``lines`` those its cells start on, where quoted cells span several.
    """

    line: int
    cells: list[str]
    lines: list[int] | None = None

    def line_of(self, index: int) -> int:
        """Return the physical line on which the cell ``index`` starts."""
        return self.line if self.lines is None else self.lines[index]


def records(
    lines: Iterable[str], delimiter: str, *, file: str | None = None, names: tuple[str, ...] = (), first_line: int = 1
) -> Iterator[Record]:
    """Split physical lines into records; blank lines are skipped.

    Parameters
    ----------
    lines : iterable of str
        Lines with their line breaks, as a file opened with ``newline=""`` gives them.
    delimiter : str
        One character.
    file, names : str or None, tuple of str
        For error messages.
    first_line : int
        Number of the first line.

    Raises
    ------
    DataError
        ``broken-quoting`` with the line on which the quoted cell opened.
    """
    number = first_line - 1
    source = iter(lines)
    for line in source:
        number += 1
        text = line.rstrip("\r\n")
        if '"' not in text:
            if text.strip(" \t") or delimiter in text:
                yield Record(number, text.split(delimiter))
            continue
        cells = _QuotedRecord(line, number, source, delimiter)
        try:
            yield cells.read()
        except _QuoteError as error:
            column = names[error.index] if error.index < len(names) else None
            raise DataError(
                "broken-quoting",
                f"{file or 'the table'}: {error} (opened in line {error.line}, cell {error.index + 1})",
                hint="close the quoted cell; a quote inside a quoted cell is written twice",
                where=Location(file=file, line=error.line, column=column),
            ) from None
        number = cells.line


class _QuoteError(Exception):
    def __init__(self, message: str, line: int, index: int) -> None:
        super().__init__(message)
        self.line = line
        self.index = index


class _QuotedRecord:
    """A record with quotes in it: takes further lines from ``source`` while a quoted cell is open."""

    def __init__(self, text: str, line: int, source: Iterator[str], delimiter: str) -> None:
        self.text = text
        self.line = line
        self.source = source
        self.delimiter = delimiter
        self.plain = re.compile(f"[^{re.escape(delimiter)}\r\n]*")

    def read(self) -> Record:
        start, at = self.line, 0
        cells: list[str] = []
        lines: list[int] = []
        while True:
            lines.append(self.line)
            cell, at = self._quoted(at + 1, len(cells)) if self.text[at : at + 1] == '"' else self._bare(at)
            cells.append(cell)
            if self.text[at : at + 1] != self.delimiter:
                return Record(start, cells, lines)
            at += 1

    def _bare(self, at: int) -> tuple[str, int]:
        found = self.plain.match(self.text, at)
        end = at if found is None else found.end()
        return self.text[at:end], end

    def _quoted(self, at: int, index: int) -> tuple[str, int]:
        opened = self.line
        parts: list[str] = []
        while True:
            end = self.text.find('"', at)
            if end < 0:
                parts.append(self.text[at:])
                self.text, at = next(self.source, ""), 0
                if not self.text:
                    raise _QuoteError("a quoted cell is not closed", opened, index)
                self.line += 1
            elif self.text[end + 1 : end + 2] == '"':
                parts.append(self.text[at : end + 1])
                at = end + 2
            elif self.text[end + 1 : end + 2] in {"", "\r", "\n", self.delimiter}:
                parts.append(self.text[at:end])
                return "".join(parts), end + 1
            else:
                stray = self.text[end + 1 :].strip()[:20]
                raise _QuoteError(f"a quoted cell is closed and followed by {stray!r}", opened, index)


@dataclass(frozen=True)
class TextPart:
    """A text table, or a run of whole records of one, that can be read again to find things.

    Parameters
    ----------
    file : str
        Its name in messages.
    open : callable
        Gives the decoded lines anew.
    delimiter : str
        One character.
    names : tuple of str
        Column names; empty while they are not known.
    header : bool
        Whether the first record is the header.
    first_line : int
        Physical line of the first line.
    """

    file: str
    open: Callable[[], TextIO]
    delimiter: str
    names: tuple[str, ...] = ()
    header: bool = True
    first_line: int = 1

    def records(self) -> Iterator[Record]:
        """Yield all records, the header first if there is one."""
        with closing(self.open()) as lines:
            yield from records(lines, self.delimiter, file=self.file, names=self.names, first_line=self.first_line)

    def rows(self) -> Iterator[Record]:
        """Yield the records that are rows."""
        return islice(self.records(), int(self.header), None)

    def check(self) -> None:
        """Read all of it and refuse the first thing that is wrong.

        Raises
        ------
        DataError
            ``broken-quoting``, or ``ragged-row`` with the number of cells found and expected.
        """
        for record in self.rows():
            if len(record.cells) != len(self.names):
                raise ragged(self.file, record, self.names)

    def locate(self, row: int, column: str | None) -> Location:
        """Return file and physical line of the cell in ``row`` (from 0) and ``column``."""
        index = self.names.index(column) if column in self.names else 0
        for record in islice(self.rows(), row, row + 1):
            return Location(file=self.file, line=record.line_of(min(index, len(record.cells) - 1)), column=column)
        return Location(file=self.file, column=column)

    def find(self, pattern: re.Pattern[str]) -> Location:
        """Return where a cell first matches ``pattern``; a location without a line if none does."""
        for record in self.records():
            for index, cell in enumerate(record.cells):
                match = pattern.search(cell)
                if match:
                    before = cell[: match.start()]
                    breaks = before.count("\n") + before.replace("\r\n", "").count("\r")
                    name = self.names[index] if index < len(self.names) else None
                    return Location(file=self.file, line=record.line_of(index) + breaks, column=name)
        return Location(file=self.file)


def ragged(file: str, record: Record, names: tuple[str, ...]) -> DataError:
    """Return the error for a record that has not as many cells as there are names."""
    found, width = len(record.cells), len(names)
    return DataError(
        "ragged-row",
        f"{file}: line {record.line} has {found} cell{'s' * (found != 1)}, the header has {width}",
        hint=ragged_hint(names, record.cells, record.line),
        where=Location(file=file, line=record.line),
        cells=tuple(record.cells[width : width + 5] if found > width else record.cells[:5]),
    )
