"""Lines of cells, read whole: blocks of records are read in threads, numbers into columns made ready.

One pass hashes, checks and reads. A column is one of numbers if all its filled cells are; where a later block shows
that one is not, the columns this happened to are read once more, as text. What is read does not depend on where blocks
end, on the number of threads or on free memory.
"""

import hashlib
import io
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from regcli.data.cells import SMALL, Cells, Reading, checked_parse, parse, widths_checked
from regcli.data.columns import as_boolean, concatenate_levels, number, numbers_of, spelt_levels
from regcli.data.dialect import Dialect, Format
from regcli.data.heap import heap_kept
from regcli.data.quotes import Quotes, count_delimiters, exact_ends
from regcli.data.rooms import Rooms
from regcli.data.scan import TextPart, ragged
from regcli.data.source import Source, chunks_of, pieces, text_lines
from regcli.data.table import Column, Levels, Numbers, SourceFile, Table
from regcli.data.text import Layout, head_of, header_names, layout_of, only_header, refuse_bytes, refuse_nul
from regcli.data.threads import ALONE, Threads, threads_at_work
from regcli.errors import DataError

__all__ = ["read_text"]

#: Bytes that are read at a time; a block has at least half of them, and nearly always what was read, less a line that
#: goes on. pandas takes about 1 ms for a block whatever is in it, and three times its bytes while it reads one. Of a
#: file of 200 MB blocks of 1 MB take a tenth longer, those of 4 MB as long and 20 to 50 MB more memory.
BLOCK = 1 << 21

#: Bytes of a block for each column, and the most: pandas takes some 50 microseconds for a column of a block.
BLOCK_COLUMN, LARGEST = 1 << 15, 1 << 22

#: Bytes of a file from which on memory is kept from block to block.
LARGE = 1 << 24

#: Rows from which kinds of columns are first guessed.
_LOOK = 1000

_BLANK = re.compile(rb"\n[ \t]*\r?\n")

_LEADING_ZERO = re.compile(r"\s*[+-]?0\d", re.ASCII)


def read_text(
    source: Source, dialect: Dialect, fmt: Format, is_text: Callable[[str], bool], *, threads: int = 1
) -> Table:
    """Read one text table whole.

    Parameters
    ----------
    source : Source
        A file or held bytes.
    dialect, fmt
        How it is written.
    is_text : callable
        Whether a column, by name, is read as text whatever its cells are.
    threads : int
        Blocks that are read at a time.

    Raises
    ------
    DataError
        For every kind of damage, with file and line.

    Notes
    -----
    Beside the columns themselves a few blocks are in memory. The file is read once, and once more where a column turns
    out to be text after its first rows.
    """
    before = source.state()
    digest = hashlib.sha256()
    large = source.size() > LARGE
    keeping = heap_kept() if large else nullcontext()
    with keeping, widths_checked(), threads_at_work(threads) as crew:
        hashing = crew.aside(digest.update, in_turn=True)
        with source.open(hashing if large else digest.update) as stream:
            layout, part, blocks = _begin(source, stream, dialect, fmt)
            declared = frozenset(at for at, name in enumerate(layout.names) if is_text(name))
            reader = _Reader(layout, dialect, part, declared, source.size())
            rows = reader.read(blocks, crew)
        if reader.late:
            with source.open() as second:
                size = _block_size(len(layout.names))
                reader.read_late(_cut(_pieces(second, dialect, part, size), part, size), crew)
        hashing.finish()
    source.check_state(before)
    columns = reader.columns(rows)
    return Table(
        files=(SourceFile(source.name, digest.hexdigest(), rows),),
        format="csv",
        columns=columns,
        rows=rows,
        locate=part.locate,
        delimiter=layout.delimiter,
        delimiter_guessed=layout.guessed,
        leading_zeros=_leading_zeros(part, columns) if reader.zeros else (),
    )


@dataclass(frozen=True, slots=True)
class _Block:
    """A run of whole records as UTF-8: how many delimiters count, and whether its quotes are a CSV writer's."""

    data: bytes
    delimiters: int
    plain: bool
    header: bool


def _begin(
    source: Source, stream: BinaryIO, dialect: Dialect, fmt: Format
) -> tuple[Layout, TextPart, Iterator[_Block]]:
    """Read the beginning: delimiter, names, width of the first row."""
    head = head_of(stream)
    layout = layout_of(head, source.name, dialect, fmt)
    part = TextPart(source.name, lambda: source.lines(dialect.encoding), layout.delimiter, header=dialect.header)
    size = _block_size(1 + head.partition(b"\n")[0].count(layout.delimiter.encode()))
    blocks = _cut(_pieces(stream, dialect, part, size, head), part, size)
    first = next(blocks, None)  # its bytes are text; so are the names
    layout = replace(layout, names=header_names(part))
    part = replace(part, names=layout.names)
    _check_first(part)
    return layout, part, _checked(blocks if first is None else chain([first], blocks), part)


def _checked(blocks: Iterator[_Block], part: TextPart) -> Iterator[_Block]:
    """Quotes in odd places are either broken, or to be read record by record once, to be sure."""
    sure = False
    for block in blocks:
        if not (block.plain or sure):
            part.check()
            sure = True
        yield block


def _block_size(columns: int) -> int:
    """Bytes of a block of a table with so many columns, about."""
    return max(BLOCK, min(columns * BLOCK_COLUMN, LARGEST))


def _pieces(stream: BinaryIO, dialect: Dialect, part: TextPart, size: int, head: bytes = b"") -> Iterator[bytes]:
    return pieces(
        chunks_of(stream, head, size),
        dialect.encoding,
        bad_bytes=lambda error: refuse_bytes(_named(part), dialect.encoding, error),
    )


def _named(part: TextPart) -> TextPart:
    # For messages about bytes: the names help, but a header that is itself damaged must not hide the damage.
    try:
        return replace(part, names=tuple(next(part.records()).cells) if part.header else ())
    except (DataError, StopIteration):
        return part


def _check_first(part: TextPart) -> None:
    # pandas takes the width of a table from its first row.
    first = next(part.rows(), None)
    if first is None:
        raise only_header(part.file, part.names)
    if len(first.cells) != len(part.names):
        raise ragged(part.file, first, part.names)


def _cut(text: Iterator[bytes], part: TextPart, block: int) -> Iterator[_Block]:
    """Cut a text into blocks of whole records, blank ones left out; look at every byte on the way."""
    quotes = Quotes(part.delimiter)
    taken: list[bytes] = []
    size = delimiters = 0
    plain, header = True, part.header
    for piece in chain(text, [None]):
        if piece is not None:
            if b"\0" in piece:
                refuse_nul(_named(part))
            inside = quotes.inside
            delimiters += count_delimiters(piece, quotes)
            if not quotes.plain:
                plain, quotes.plain = False, True
                _, quotes.inside = exact_ends(piece, part.delimiter, inside=inside)
            taken.append(piece)
            size += len(piece)
        if taken and (piece is None or (2 * size >= block and not quotes.inside)):
            data = taken[0] if len(taken) == 1 else b"".join(taken)
            if not _is_blank(data, part.delimiter):
                yield _Block(data, delimiters, plain and not quotes.inside, header)
                header = False
            taken, size, delimiters, plain = [], 0, 0, True


def _is_blank(data: bytes, delimiter: str) -> bool:
    return not data[:64].strip() and not data.strip() and delimiter.encode() not in data


@dataclass(frozen=True, slots=True)
class _Part:
    """What was read of a block: columns by their places."""

    rows: int
    numbers: Mapping[int, NDArray[np.float64]]
    levels: Mapping[int, Levels]


@dataclass
class _Reader:
    """Reads blocks, and puts together what they hold.

    ``declared`` are the columns that are text whatever their cells are, ``numeric`` those that are numbers as far as
    is known, ``late`` those of them that turned out to be text after all. ``alone`` says that there is one block only,
    which is not worth a thread.
    """

    layout: Layout
    dialect: Dialect
    part: TextPart
    declared: frozenset[int]
    size: int
    numeric: set[int] = field(default_factory=set)
    late: set[int] = field(default_factory=set)
    rooms: Rooms = field(default_factory=lambda: Rooms(0, 0))
    levels: dict[int, list[Levels]] = field(default_factory=dict)
    zeros: bool = True
    small: bool = False
    alone: bool = False

    def read(self, blocks: Iterator[_Block], threads: Threads) -> int:
        """Read all columns; return the number of rows."""
        first = next(blocks, None)
        if first is None:
            raise only_header(self.part.file, self.part.names)
        self.small, self.alone = len(first.data) <= SMALL, 2 * len(first.data) < BLOCK
        self.zeros = _may_have_zeros(first, alone=self.alone)
        self.numeric = self._guess(first)
        self.levels = {at: [] for at in range(len(self.layout.names)) if at not in self.numeric}
        rows = 0
        writing = threads.aside(_write)
        for part in self._many(threads).in_order(self._read, chain([first], blocks)):
            if not rows:  # of lines of about one length there are about this many
                self.rooms = Rooms(int(1.02 * part.rows * max(1.0, self.size / len(first.data))), len(self.numeric))
            elif not self.rooms.fit(rows + part.rows):
                writing.finish()
            for at in part.levels.keys() & self.numeric:
                self.late.add(at)
                self.rooms.drop(at)
            kept = [at for at in part.numbers if at not in self.late]
            writing([(self.rooms.room(at, rows, rows + part.rows), part.numbers[at]) for at in kept])
            for at in part.levels.keys() - self.late:
                self.levels[at].append(part.levels[at])
            rows += part.rows
        writing.finish()
        if not rows:
            raise only_header(self.part.file, self.part.names)
        return rows

    def read_late(self, blocks: Iterator[_Block], threads: Threads) -> None:
        """Read the columns that turned out to be text as text, from the top."""
        late = sorted(self.late)
        found: dict[int, list[Levels]] = {at: [] for at in late}
        missing = self.dialect.na_values
        types = dict.fromkeys(late, str)
        for frame in self._many(threads).in_order(lambda block: self._parse(block, types, late), blocks):
            for at in late:
                found[at].append(spelt_levels(frame[at], missing))
        self.levels.update(found)
        self.numeric -= self.late

    def columns(self, rows: int) -> dict[str, Column]:
        """The columns by name."""
        out: dict[str, Column] = {}
        for at, name in enumerate(self.layout.names):
            if at in self.numeric:
                out[name] = Numbers(self.rooms.take(at, rows))
            else:
                whole = concatenate_levels(self.levels.pop(at))
                out[name] = whole if at in self.declared else as_boolean(whole)
        return out

    def _many(self, threads: Threads) -> Threads:
        return ALONE if self.alone else threads

    def _guess(self, block: _Block) -> set[int]:
        """Columns whose first cells are numbers, all of them."""
        frame = self._parse(block, dict.fromkeys(self.declared, str), rows=_LOOK)
        rest = [at for at in range(len(self.layout.names)) if at not in self.declared]
        numeric = {at for at in rest if frame.is_number(at)}
        rest = [at for at in rest if at not in numeric]
        # pandas has no numbers for a column of integers of which one is beyond 64 bits.
        spelt = self._parse(block, dict.fromkeys(rest, str), only=rest, rows=_LOOK) if rest else frame
        for at in rest:
            levels = spelt_levels(spelt[at], self.dialect.na_values).levels
            if levels and all(number(level, self.dialect.decimal) is not None for level in levels):
                numeric.add(at)
        return numeric

    def _read(self, block: _Block) -> _Part:
        numeric = self.numeric - self.late
        text = [at for at in range(len(self.layout.names)) if at not in numeric]
        frame = self._parse(block, dict.fromkeys(text, str))
        if block.plain and not self._is_even(block, frame.rows):
            self.part.check()
        numbers = {at: frame[at] for at in sorted(numeric) if frame.is_number(at)}
        odd = [at for at in numeric if at not in numbers]
        spelt = self._parse(block, dict.fromkeys(odd, str), odd) if odd else frame
        more, levels = self._numbers(spelt, odd)
        levels |= {at: spelt_levels(frame[at], self.dialect.na_values) for at in text}
        return _Part(frame.rows, numbers | more, levels)

    def _is_even(self, block: _Block, rows: int) -> bool:
        """Whether rows that pandas took, of a block with quotes as a CSV writer's, are as wide as the header.

        pandas refuses a row too long, but for the first: there it passes over a blank cell at the end. With that row as
        wide as it should be, none makes up for one too short.
        """
        width = len(self.layout.names)
        if block.delimiters != (rows + block.header) * (width - 1):
            return False
        lines = text_lines(io.BytesIO(block.data), "utf-8")
        first = next(replace(self.part, open=lambda: lines, header=block.header).rows(), None)
        return first is None or len(first.cells) == width

    def _numbers(
        self, frame: Cells, numeric: Collection[int]
    ) -> tuple[dict[int, NDArray[np.float64]], dict[int, Levels]]:
        """Columns of text that are numbers, and those that are not."""
        numbers, levels = {}, {}
        missing = self.dialect.na_values
        for at in numeric:
            cells = spelt_levels(frame[at], missing)
            found, bad = numbers_of(cells, self.dialect.decimal, missing)
            if bad:
                levels[at] = cells
            else:
                numbers[at] = found.values
        return numbers, levels

    def _parse(
        self,
        block: _Block,
        types: Mapping[int, type],
        only: Collection[int] | None = None,
        rows: int | None = None,
    ) -> Cells:
        wanted = Reading(types, block.header, only, rows)
        return checked_parse(self.part, lambda: parse(block.data, self.layout, self.dialect, wanted, small=self.small))


def _write(cells: list[tuple[NDArray[np.float64], NDArray[np.float64]]]) -> None:
    for room, values in cells:
        room[:] = values


def _may_have_zeros(block: _Block, *, alone: bool) -> bool:
    """Whether some cell in the first rows, of a block that may be ``alone``, might begin with a needless zero."""
    text = np.frombuffer(b"\n\n" + block.data, dtype=np.uint8)
    breaks = np.flatnonzero(text == ord("\n"))[2:]
    if len(breaks) <= _LOOK and not alone:
        return True  # the first rows may be more than this
    text = text[: breaks[_LOOK] if len(breaks) > _LOOK else len(text)]
    if (text == ord('"')).any() or _BLANK.search(text[2:].tobytes()):
        return True  # rows may be fewer than the breaks
    digit = (text - ord("0")) < 10  # bytes below that of 0 wrap around
    after_exponent = ((text[:-3] | 32) == ord("e")) & ((text[1:-2] == ord("-")) | (text[1:-2] == ord("+")))
    inner = digit[1:-2] | (text[1:-2] == ord(".")) | after_exponent
    return bool(((text[2:-1] == ord("0")) & digit[3:] & ~inner).any())


def _leading_zeros(part: TextPart, columns: Mapping[str, Column]) -> tuple[str, ...]:
    open_places = {at for at, name in enumerate(part.names) if isinstance(columns[name], Numbers)}
    found: set[int] = set()
    for record in islice(part.rows(), _LOOK):
        found |= {at for at in open_places - found if _LEADING_ZERO.match(record.cells[at])}
    return tuple(name for at, name in enumerate(part.names) if at in found)
