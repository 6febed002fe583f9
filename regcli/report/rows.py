"""Rows as text, some at a time: csv, json, jsonl."""

import re
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from regcli.data.table import Lines
from regcli.report.formats import Cell, csv_text, encode_line

__all__ = ["Column", "rows_of", "rows_text", "spelt_numbers"]

#: Cells of some rows; finite numbers may be an array (n,), and what comes first may be several columns, as lines.
Column = Sequence[Cell] | NDArray[np.float64] | Lines

#: What makes a writer of CSV put quotes around a cell, be it not the only one of its line.
_QUOTED = re.compile('[",\r\n]')

#: Between these Arrow spells a number that is not whole as Python does, in a third of the time; others it spells
#: without ``.0``, without an exponent or with a shorter one.
_LEAST, _MOST = 1e-4, 1e15


def rows_text(
    header: Sequence[str], batches: Iterable[Sequence[Column]], form: str, *, spreadsheet_safe: bool = False
) -> Iterator[str]:
    """Rows as pieces of text, one for the header and one for each batch: memory does not grow with the rows.

    Batches are columns of equal lengths. ``form`` is ``csv`` (cells as they are, an empty cell for None; with
    ``spreadsheet_safe`` no text is a formula), ``jsonl`` (an object per row) or ``json`` (one array of objects).
    """
    if form == "csv":
        yield csv_text([header], spreadsheet_safe=spreadsheet_safe)
        for batch in batches:
            yield _csv_columns(batch, spreadsheet_safe=spreadsheet_safe)
        return
    lines = ([encode_line(dict(zip(header, row, strict=True))) for row in rows_of(batch)] for batch in batches)
    if form == "jsonl":
        for batch_lines in lines:
            yield "".join(line + "\n" for line in batch_lines)
        return
    opening = "["
    for batch_lines in lines:
        if batch_lines:
            yield f"{opening}\n  " + ",\n  ".join(batch_lines)
            opening = ","
    yield "[]\n" if opening == "[" else "\n]\n"


def rows_of(batch: Sequence[Column]) -> Iterator[tuple[Cell, ...]]:
    """Columns as rows."""
    return zip(
        *(column.tolist() if isinstance(column, np.ndarray) else column for column in _apart(batch)), strict=True
    )


def _apart(batch: Sequence[Column]) -> Iterator[Sequence[Cell] | NDArray[np.float64]]:
    """Columns one by one."""
    for column in batch:
        if isinstance(column, Lines):
            yield from (cells.tolist() for cells in column.columns().values())
        else:
            yield column


def _csv_columns(batch: Sequence[Column], *, spreadsheet_safe: bool) -> str:
    """Columns as lines of cells."""
    if len(batch) == 1 and isinstance(batch[0], np.ndarray):
        return "\n".join([*spelt_numbers(batch[0]), ""])  # no number needs quotes
    if isinstance(batch[0], Lines) and not spreadsheet_safe:
        told = zip(batch[0].lines, *(_quoted(column) for column in _apart(batch[1:])), strict=True)
        return "".join(",".join(row) + "\n" for row in told)
    given = list(_apart(batch))
    columns = [spelt_numbers(column) if isinstance(column, np.ndarray) else column for column in given]
    if len(given) > 1 and not spreadsheet_safe and all(map(_is_plain, given)):
        return "\n".join([*map(",".join, zip(*columns, strict=True)), ""])
    return csv_text(zip(*columns, strict=True), spreadsheet_safe=spreadsheet_safe)


def _is_plain(column: Sequence[Cell] | NDArray[np.float64]) -> bool:
    """Whether all cells are numbers in an array, or text that stands between commas as it is."""
    if isinstance(column, np.ndarray):
        return True
    return set(map(type, column)) == {str} and _QUOTED.search("".join(map(str, column))) is None


def _quoted(column: Sequence[Cell] | NDArray[np.float64]) -> Sequence[str]:
    """Cells as they stand between commas."""
    if isinstance(column, np.ndarray):
        return spelt_numbers(column)
    words = {cell: csv_text([[cell, None]])[:-2] for cell in {cell for cell in column if isinstance(cell, str)}}
    return [words[cell] if isinstance(cell, str) else "" if cell is None else str(cell) for cell in column]


def spelt_numbers(values: NDArray[np.float64]) -> list[str]:
    """Spell finite numbers (n,) as ``repr`` does: in the shortest form that reads back as the same double."""
    import pyarrow as pa  # noqa: PLC0415  (only where rows are written)

    out: list[str] = pa.array(values).cast(pa.string()).to_pylist()
    sizes = np.abs(values)
    for at in np.flatnonzero((sizes < _LEAST) | (sizes >= _MOST) | (values == np.floor(values))).tolist():
        out[at] = repr(float(values[at]))
    return out
