"""Cells of a text to columns: by the one call of pandas' C reader, or, where a text is small, without it.

Loading pandas takes as long as reading 30 MB with it, and half of the time of a command on a small table. Both ways
read the same; tests/property/test_cells.py holds one against the other.
"""

import io
import re
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regcli.data.columns import absent_values, number, numbers_without
from regcli.data.dialect import Dialect
from regcli.data.scan import TextPart
from regcli.data.source import text_lines
from regcli.data.text import Layout
from regcli.errors import DataError, Location

__all__ = ["FEW", "SMALL", "Cells", "Reading", "checked_parse", "parse", "widths_checked"]

#: Bytes up to which a text is read without pandas: 30 ms for as many as these of numbers, 90 ms of single digits, where
#: loading pandas alone takes 260.
SMALL = 1 << 18

#: Columns for each one of text above which that one is made cell by cell, which spares the others the price of it: a
#: quarter of the time where there are 200 of 17 digits, nothing at 20.
FEW = 20

#: A blank line that ends in a bare carriage return.
_BLANK_LINE = re.compile(rb"(?:^|[\r\n])[ \t]*\r(?!\n)")


@dataclass(frozen=True, slots=True)
class Cells:
    """Columns by their places: numbers as float64, NaN where a cell means missing, else text as spelt.

    Text that pandas read is its series.
    """

    rows: int
    columns: Mapping[int, Any]

    def __getitem__(self, place: int) -> Any:  # noqa: ANN401  (a Series or an array)
        return self.columns[place]

    def is_number(self, place: int) -> bool:
        """Whether a column was read as numbers."""
        return place in self.columns and self.columns[place].dtype == np.float64


class _UnreadableError(Exception):
    """The rows are not as wide as the header, or broken otherwise: the exact scan says how."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read of a text.

    Parameters
    ----------
    text : mapping
        Columns that are text, cells as spelt. ``str``: a cell that means missing may be so already; ``object``: plain
        Python strings, which cost less where they are few, none missing. The others are numbers if all their cells are.
    header : bool
        Whether the first record is the header.
    only : collection of int, optional
        The columns to read.
    rows : int, optional
        The first rows alone.
    """

    text: Mapping[int, type]
    header: bool = False
    only: Collection[int] | None = None
    rows: int | None = None


def parse(block: bytes, layout: Layout, dialect: Dialect, wanted: Reading, *, small: bool) -> Cells:
    """Read UTF-8; columns are called by position. To be run within ``widths_checked``, by ``checked_parse``."""
    by_hand = small or _is_misread(block)
    return _by_hand(block, layout, dialect, wanted) if by_hand else _by_pandas(block, layout, dialect, wanted)


def _is_misread(block: bytes) -> bool:
    """Whether pandas may misread a text: after a blank line that a bare carriage return ends it loses a delimiter."""
    if b"\r" not in block:  # most are told by this, in a hundredth of the time of counting
        return False
    return block.count(b"\r") != block.count(b"\r\n") and _BLANK_LINE.search(block) is not None


def _by_pandas(block: bytes, layout: Layout, dialect: Dialect, wanted: Reading) -> Cells:
    import pandas as pd  # noqa: PLC0415  (0.2 s that small tables need not pay)

    places = range(len(layout.names))
    words = [cell for cell in dialect.na_values if not absent_values((cell,), dialect.decimal)]
    options: dict[str, Any] = {
        "sep": layout.delimiter,
        "decimal": dialect.decimal,
        "encoding": "utf-8",
        "header": 0 if wanted.header else None,
        "names": list(places),
        "usecols": None if wanted.only is None else sorted(wanted.only),
        "nrows": wanted.rows,
        "index_col": False,
        "keep_default_na": False,
        "compression": None,
        "low_memory": False,
    }
    # Of a mapping of types, even an empty one, pandas makes a frame column by column, and of one of words that mean
    # missing it looks them up column by column.
    if _has_little_text(wanted, len(places)):
        options |= {"converters": dict.fromkeys(wanted.text, str), "na_values": words}
    else:
        options |= {"dtype": dict(wanted.text), "na_values": {at: words for at in places if at not in wanted.text}}
    try:
        frame = pd.read_csv(io.BytesIO(block), **options)
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        if "out of memory" in str(error):  # what the tokenizer says where malloc gave it nothing
            raise MemoryError(str(error)) from error
        raise _UnreadableError(str(error)) from error
    return Cells(len(frame), _columns(frame, absent_values(dialect.na_values, dialect.decimal)))


def _has_little_text(wanted: Reading, columns: int) -> bool:
    columns = columns if wanted.only is None else len(wanted.only)
    return len(wanted.text) * FEW < columns and object not in wanted.text.values()


def _columns(frame: Any, absent: Collection[float]) -> dict[int, Any]:  # noqa: ANN401  (a DataFrame)
    """Numbers as arrays; others as they are. Zero is without a sign among integers, and so everywhere.

    pandas knows by its spelling alone a number that means missing. Numbers are taken out together: column by column
    that takes a third as long as reading them where there are hundreds.
    """
    numeric = [at for at, dtype in zip(frame.columns, frame.dtypes, strict=True) if dtype.kind in "iuf"]
    numbers = frame if len(numeric) == frame.shape[1] else frame[numeric]
    rows = numbers.to_numpy(dtype=np.float64).T + 0.0
    found = dict(zip(map(int, numeric), (numbers_without(row, absent) for row in rows), strict=True))
    return {int(at): found[at] if at in found else frame[at] for at in frame.columns}


def _by_hand(block: bytes, layout: Layout, dialect: Dialect, wanted: Reading) -> Cells:
    part = TextPart(
        "", lambda: text_lines(io.BytesIO(block), "utf-8"), layout.delimiter, layout.names, header=wanted.header
    )
    try:
        rows = [record.cells for record in islice(part.rows(), wanted.rows)]
    except DataError as error:
        raise _UnreadableError(str(error)) from error
    if any(len(cells) != len(layout.names) for cells in rows):
        raise _UnreadableError("rows of different widths")
    places = range(len(layout.names)) if wanted.only is None else sorted(wanted.only)
    columns: dict[int, NDArray[Any]] = {}
    for at in places:
        cells = [row[at] for row in rows]
        found = None if at in wanted.text else _numbers(cells, dialect)
        columns[at] = np.array(cells, dtype=object) if found is None else found
    return Cells(len(rows), columns)


def _numbers(cells: Sequence[str], dialect: Dialect) -> NDArray[np.float64] | None:
    """A column of numbers; None if some cell is none."""
    found, absent, decimal = list[float](), frozenset(dialect.na_values), dialect.decimal
    for cell in cells:
        value = np.nan if cell in absent else number(cell, decimal)
        if value is None:
            return None
        found.append(value)
    return numbers_without(np.array(found, dtype=np.float64), absent_values(dialect.na_values, dialect.decimal))


@contextmanager
def widths_checked() -> Iterator[None]:
    """Make pandas' warnings about the width of rows errors. What is warned of is the process's: threads share this."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="Length of header or names does not match")
        yield


def checked_parse(part: TextPart, run: Callable[[], Cells]) -> Cells:
    """Run a parse; where it stumbles, let the exact scan say what is wrong.

    Raises
    ------
    DataError
        What the scan finds, else ``file-unreadable`` with the reader's words.
    """
    try:
        return run()
    except MemoryError as error:
        raise MemoryError(f"not enough memory to read {part.file}") from error
    except _UnreadableError as error:
        part.check()
        raise DataError(
            "file-unreadable",
            f"{part.file} cannot be read: {error}",
            where=Location(file=part.file),
            hint="regcli inspect may say more; --delimiter and --encoding where they are guessed wrong",
        ) from error
