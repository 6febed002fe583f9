"""Lines of cells in chunks of rows: constant memory, one pass, line numbers of the whole file."""

import io
from collections.abc import Collection, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import chain
from typing import BinaryIO, NoReturn

import numpy as np
from numpy.typing import NDArray

from regcli.data.cells import SMALL, Cells, Reading, checked_parse, parse, widths_checked
from regcli.data.columns import as_boolean, spelt_levels
from regcli.data.dialect import Dialect, Format
from regcli.data.heap import heap_kept
from regcli.data.plan import NOT_READ, BadCells, ChunkPlan, declared_numbers
from regcli.data.quotes import Quotes, alike, count_breaks, count_delimiters, records_of
from regcli.data.scan import TextPart
from regcli.data.source import arriving, pieces, text_lines, would_wait
from regcli.data.table import Column, Levels, Lines, Numbers, SourceFile, Table
from regcli.data.text import (
    Layout,
    empty_file,
    encoding_hint,
    head_of,
    header_names,
    layout_of,
    only_header,
    refuse_nul,
)
from regcli.errors import DataError, Location

__all__ = ["text_chunks"]


#: Bytes of a block from which on it is read: of long lines a block has fewer. pandas takes some times that.
LARGE = 1 << 24

#: Bytes of the first block from which on memory is kept from block to block.
SOME = 1 << 20


def text_chunks(stream: BinaryIO, name: str, dialect: Dialect, fmt: Format, plan: ChunkPlan) -> Iterator[Table]:
    """Read a text table once, from a stream, in chunks of at most ``plan.rows`` rows.

    Raises
    ------
    DataError
        For every kind of damage, when its chunk is reached.
    """
    head = head_of(stream)
    layout = layout_of(head, name, dialect, fmt)
    if b"\0" in head and not dialect.encoding.startswith(("utf-16", "utf-32")):  # of /dev/zero no line ever ends
        refuse_nul(_Block(name, head, 1, layout.delimiter).part())
    blocks = _Blocks(name, layout.delimiter, dialect.encoding, stream, head)
    first = blocks.take_record()
    if first is None:
        raise empty_file(name)
    layout = replace(layout, names=header_names(replace(first.part(), header=dialect.header)))
    reader = _Reader(layout, replace(dialect, encoding="utf-8"), plan)
    block = blocks.take(plan.rows, after=None if dialect.header else first)
    rows = 0
    with heap_kept() if block is not None and len(block.data) > SOME else nullcontext():
        while block is not None:
            table = reader.table(block)
            if table is not None:
                rows += table.rows
                yield table
            block = blocks.take(plan.rows)
    if not rows:
        raise only_header(name, layout.names)


@dataclass(frozen=True, slots=True)
class _Block:
    """A run of whole records as UTF-8, and the physical line of its first; ``small`` where little came before it.

    ``delimiters`` are those of each record (see ``Records``), None also where records around the block differ.
    """

    file: str
    data: bytes
    line: int
    delimiter: str
    small: bool = False
    delimiters: int | None = None

    def part(self, names: tuple[str, ...] = ()) -> TextPart:
        return TextPart(
            self.file,
            lambda: text_lines(io.BytesIO(self.data), "utf-8"),
            self.delimiter,
            names,
            header=False,
            first_line=self.line,
        )

    def is_blank(self) -> bool:
        return not self.data[:64].strip() and not self.data.strip() and next(self.part().records(), None) is None


class _Blocks:
    """Cuts a stream into runs of whole records."""

    def __init__(self, file: str, delimiter: str, encoding: str, stream: BinaryIO, head: bytes) -> None:
        self.file = file
        self.stream = stream
        self.quotes = Quotes(delimiter)
        self.line = 1
        self.encoding = encoding
        self.pieces = pieces(chain([head], arriving(stream)), encoding, bad_bytes=self._refuse_bytes)
        self.piece = b""
        self.at = 0
        self.ends: NDArray[np.intp] = np.empty(0, dtype=np.intp)
        self.delimiters: int | None = 0
        self.lines_in = 0
        self.taken = 0
        self.plain = False

    def take(self, rows: int, *, after: _Block | None = None) -> _Block | None:
        """Take the next ``rows`` records (blank lines count); None at the end of the stream.

        They are fewer where they are large, where the stream ends, or where more of them would have to be waited for. A
        record that was taken before can be their first.
        """
        taken: list[bytes | memoryview] = [] if after is None else [after.data]
        need, line = rows - len(taken), self.line if after is None else after.line
        self.line = line + (0 if after is None else count_breaks(after.data))
        delimiters = 0 if after is None else after.delimiters
        while need and self._goes_on(taken):
            found = min(need, len(self.ends))
            cut = int(self.ends[need - 1]) if found == need else len(self.piece)
            if cut > self.at:
                taken.append(memoryview(self.piece)[self.at : cut])
                delimiters = alike(delimiters, self.delimiters)
            self.line += found if self.plain else count_breaks(self.piece[self.at : cut])
            self.at, self.ends = cut, self.ends[found:]
            need -= found
        if not taken:
            return None
        data = b"".join(taken)
        self.taken += len(data)
        return _Block(self.file, data, line, self.quotes.delimiter, self.taken <= SMALL, delimiters)

    def take_record(self) -> _Block | None:
        """Take the first record that is not blank."""
        block = self.take(1)
        while block is not None and block.is_blank():
            block = self.take(1)
        return block

    def _goes_on(self, taken: Sequence[bytes | memoryview]) -> bool:
        """Whether there is more, and room for it."""
        if self.at < len(self.piece):
            return True
        full = not self.quotes.inside and sum(map(len, taken)) >= LARGE
        return not full and not self._pauses(taken) and self._load()

    def _pauses(self, taken: Sequence[bytes | memoryview]) -> bool:
        """Whether there are whole records to go on with, and more of them would have to be waited for."""
        return bool(taken) and not self.quotes.inside and would_wait(self.stream)

    def _load(self) -> bool:
        piece = next(self.pieces, None)
        self.piece, self.at, self.ends = piece or b"", 0, np.empty(0, dtype=np.intp)
        if piece is None:
            return False
        if b"\0" in piece:
            refuse_nul(_Block(self.file, piece, self.lines_in + 1, self.quotes.delimiter).part())
        found = records_of(piece, self.quotes)
        self.ends, self.delimiters = found.ends, found.delimiters
        self.plain = b'"' not in piece and b"\r" not in piece and not self.quotes.inside  # each line is a record
        self.lines_in += len(self.ends) if self.plain else count_breaks(piece)
        return True

    def _refuse_bytes(self, error: UnicodeError) -> NoReturn:
        line, shown = None, ""
        if isinstance(error, UnicodeDecodeError):
            # What pieces have not handed on yet is the beginning of one line.
            good = error.object[: error.start].decode(self.encoding, "ignore").encode()
            line = self.lines_in + 1 + count_breaks(good)
            shown = f" (0x{error.object[error.start]:02x})"
        raise DataError(
            "encoding",
            f"{self.file}: line {line} has bytes{shown} that are not {self.encoding}",
            hint=encoding_hint(self.encoding, error),
            where=Location(file=self.file, line=line),
        ) from error


@dataclass(frozen=True)
class _Reader:
    layout: Layout
    dialect: Dialect
    plan: ChunkPlan

    def table(self, block: _Block) -> Table | None:
        """Read a block; None if it has no row."""
        if block.is_blank():
            return None
        part = block.part(self.layout.names)
        quotes = Quotes(block.delimiter)
        delimiters = count_delimiters(block.data, quotes)
        plain = quotes.plain and not quotes.inside
        if not plain:
            part.check()
        frame = self._frame(block, part)
        width = len(self.layout.names) - 1
        # pandas passes over cells beyond those that it is asked for. A row too long makes up for one too short in what
        # all rows have together.
        if plain and (block.delimiters not in {0, width} or delimiters != frame.rows * width):
            part.check()
        columns, bad_cells = self._columns(frame, part)
        return Table(
            files=(SourceFile(block.file, "", frame.rows),),
            format="csv",
            columns=columns,
            rows=frame.rows,
            locate=part.locate,
            delimiter=self.layout.delimiter,
            delimiter_guessed=self.layout.guessed,
            bad_cells=bad_cells,
            raw=self._raw(block, part, frame),
        )

    def _parse(self, block: _Block, part: TextPart, types: dict[int, type], only: Collection[int]) -> Cells:
        wanted = Reading(types, only=only)
        with widths_checked():
            return checked_parse(part, lambda: parse(block.data, self.layout, self.dialect, wanted, small=block.small))

    def _frame(self, block: _Block, part: TextPart) -> Cells:
        """Read what is wanted; declared numbers once more, as text, where a cell is none.

        Text is read as Python strings, which costs less than pandas' own.
        """
        # One column at least: the cells count the rows. Text to be kept is read along: a second pass would take longer.
        read = [at for at, name in enumerate(self.layout.names) if not self.plan.passes_over(name)] or [0]
        if self.plan.keep_raw is not True:
            kept = {at for at, name in enumerate(self.layout.names) if self.plan.keeps(name)}
            read = sorted({*read, *(at for at in kept if self.layout.names[at] not in self.plan.numeric)})
        numbers = {at for at in read if self.layout.names[at] in self.plan.numeric}
        cells = self._parse(block, part, {at: object for at in read if at not in numbers}, read)
        odd = [at for at in numbers if not cells.is_number(at)]
        if not odd:
            return cells
        spelt = self._parse(block, part, dict.fromkeys(odd, object), odd)
        return Cells(cells.rows, {**cells.columns, **spelt.columns})

    def _columns(self, frame: Cells, part: TextPart) -> tuple[dict[str, Column], BadCells]:
        missing = self.dialect.na_values
        columns: dict[str, Column] = {}
        doubtful: dict[str, Levels] = {}
        for at, name in enumerate(self.layout.names):
            if self.plan.passes_over(name):
                columns[name] = NOT_READ
                continue
            if name in self.plan.numeric and frame.is_number(at):
                columns[name] = Numbers(frame[at])
                continue
            levels = spelt_levels(frame[at], missing)
            columns[name] = levels if name in self.plan.as_text else as_boolean(levels, same_spelling=False)
            if name in self.plan.numeric:
                doubtful[name] = levels
        found, bad_cells = declared_numbers(
            doubtful, self.plan, part.locate, decimal=self.dialect.decimal, missing=missing
        )
        return {**columns, **found}, bad_cells

    def _raw(self, block: _Block, part: TextPart, frame: Cells) -> dict[str, NDArray[np.object_]] | Lines | None:
        if not self.plan.keep_raw:
            return None
        if (
            self.plan.keep_raw is True
            and block.delimiter == ","
            and not any(mark in block.data for mark in (b'"', b"\r"))
        ):
            lines = block.data.decode().removesuffix("\n").split("\n")
            if len(lines) == frame.rows:  # no blank ones among them
                return Lines(self.layout.names, lines)
        kept = {at: name for at, name in enumerate(self.layout.names) if self.plan.keeps(name)}
        more = [at for at in kept if at not in frame.columns or frame[at].dtype != object]
        spelt = self._parse(block, part, dict.fromkeys(more, object), more) if more else frame
        return {name: np.asarray((spelt if at in more else frame)[at], dtype=np.object_) for at, name in kept.items()}
