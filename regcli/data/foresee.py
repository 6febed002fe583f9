"""How many rows a table will have and what memory it will take, told from the sizes of its files and how they begin."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass

from regcli.data.columns import number
from regcli.data.dialect import Dialect, format_of
from regcli.data.inputs import Part
from regcli.data.source import Source, is_nameless, is_stream
from regcli.data.text import layout_of
from regcli.data.unpack import is_packed
from regcli.errors import DataError

__all__ = ["Foreseen", "foresee"]

#: Bytes of a text that its rows are measured on.
SAMPLE = 1 << 16

#: Share of the rows that the sample speaks of which are counted: later lines may be longer than the first ones.
SURE = 0.8

#: Bytes that a cell takes: a double, or the code of a level.
_NUMBER, _LEVEL = 8, 4


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a table will have: about how many rows, how many columns, and bytes at least."""

    rows: int
    columns: int
    size: int


def foresee(parts: Sequence[Part], dialect: Dialect) -> Foreseen:
    """Look at the beginning of every file. Of streams and packed files nothing is known, and nothing is counted.

    Takes a read of 64 kB a file; of Parquet its footer.
    """
    found = [_part(part.name, dialect) for part in parts if not (is_nameless(part.name) or is_stream(part.name))]
    return Foreseen(
        sum(one.rows for one in found), max((one.columns for one in found), default=0), sum(one.size for one in found)
    )


def _part(name: str, dialect: Dialect) -> Foreseen:
    match format_of(name, dialect, stream=False):
        case "parquet":
            return _parquet(name)
        case "csv" | "tsv" as fmt if not dialect.encoding.startswith(("utf-16", "utf-32")):
            source = Source(name)
            with source.raw() as stream:
                head = stream.read(SAMPLE)
            lines = [line for line in head.splitlines(keepends=True) if line.endswith((b"\n", b"\r"))]
            if is_packed(head) or len(lines) < 3:
                return Foreseen(0, 0, 0)
            delimiter = layout_of(head, name, dialect, fmt).delimiter
            return _text(lines[1:], delimiter, dialect, source.size())
    return Foreseen(0, 0, 0)


def _text(lines: Sequence[bytes], delimiter: str, dialect: Dialect, size: int) -> Foreseen:
    """Rows as long as those of the sample; columns of numbers where it has no other cell."""
    rows = size * len(lines) // sum(map(len, lines))
    read = csv.reader((line.decode("latin-1") for line in lines), delimiter=delimiter)
    numeric, missing = list[bool](), {"", *dialect.na_values}
    try:
        for cells in read:
            spelt = [cell in missing or number(cell, dialect.decimal) is not None for cell in cells]
            numeric = [a and b for a, b in zip(numeric, spelt, strict=False)] if numeric else spelt
    except csv.Error:  # an estimate stops no run: the reader says what is wrong
        return Foreseen(0, 0, 0)
    return Foreseen(rows, len(numeric), int(SURE * rows) * sum(_NUMBER if cell else _LEVEL for cell in numeric))


def _parquet(name: str) -> Foreseen:
    """Numbers are counted, whatever else the columns hold."""
    from regcli.data.parquet import parquet_size  # noqa: PLC0415  (other formats need not pay)

    try:
        rows, columns, numbers = parquet_size(Source(name))
    except DataError:  # the reader says what is wrong with it
        return Foreseen(0, 0, 0)
    return Foreseen(rows, columns, rows * numbers * _NUMBER)
