"""What the reader of chunks is told about the columns, and what it does with cells that are not as told."""

from collections.abc import Callable, Collection, Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from regcli.data.adorned import ways_to_numbers
from regcli.data.columns import numbers_of
from regcli.data.table import Levels, Numbers, Unsupported
from regcli.errors import DataError, Location

__all__ = ["NOT_READ", "BadCells", "ChunkPlan", "declared_numbers"]

_SHOWN = 5


@dataclass(frozen=True)
class ChunkPlan:
    """Which columns are numbers and which text by declaration, and how chunks are cut.

    Columns that are not ``wanted`` (None: all are) are passed over and come as ``Unsupported``. ``bad_cells`` says
    what becomes of a cell that is not a number in a column of numbers; in a ``lenient`` one it is always missing.
    ``keep_raw`` keeps the cells of some columns, or of all (True), as spelt.
    """

    numeric: Collection[str]
    as_text: Container[str] = ()
    rows: int = 50_000
    bad_cells: Literal["error", "missing"] = "error"
    keep_raw: bool | Container[str] = False
    wanted: Collection[str] | None = None
    lenient: Container[str] = ()

    def passes_over(self, name: str) -> bool:
        """Whether nobody asks for a column's values."""
        return self.wanted is not None and name not in self.wanted

    def names(self, name: str) -> bool:
        """Whether a column is asked for by its name, and not as one of all."""
        kept = not isinstance(self.keep_raw, bool) and name in self.keep_raw
        return kept or name in self.numeric or name in self.as_text or name in (self.wanted or ())

    @property
    def asked(self) -> tuple[str, ...]:
        """Columns that are asked for by name, in order."""
        kept = self.keep_raw if isinstance(self.keep_raw, Collection) else ()
        return tuple(sorted({*(self.wanted or ()), *kept}))

    def keeps(self, name: str) -> bool:
        """Whether a column's cells are kept as spelt."""
        return self.keep_raw if isinstance(self.keep_raw, bool) else name in self.keep_raw


#: Cells that are no numbers, as spelt, by column and row.
BadCells = dict[str, dict[int, str]]

#: What stands for a column that was passed over.
NOT_READ = Unsupported("not read")


def declared_numbers(
    columns: Mapping[str, Levels],
    plan: ChunkPlan,
    locate: Callable[[int, str | None], Location],
    *,
    decimal: str = ".",
    missing: tuple[str, ...] = (),
) -> tuple[dict[str, Numbers], BadCells]:
    """Read columns of text as the numbers they should be.

    Returns
    -------
    numbers : dict
        NaN where a cell is missing or no number.
    bad_cells : dict
        By column the rows with a cell that is no number, and that cell as spelt.

    Raises
    ------
    DataError
        ``text-in-numeric-column`` for the first such row, unless the plan takes bad cells as missing, or the column is
        lenient.
    """
    numbers: dict[str, Numbers] = {}
    bad_cells: dict[str, dict[int, str]] = {}
    for name, column in columns.items():
        numbers[name], bad = numbers_of(column, decimal, missing)
        if bad:
            rows = np.flatnonzero(np.isin(column.codes, list(bad))).tolist()
            bad_cells[name] = {row: column.levels[column.codes[row]] for row in rows}
    refused = [name for name in bad_cells if name not in plan.lenient]
    if refused and plan.bad_cells == "error":
        name = min(refused, key=lambda each: next(iter(bad_cells[each])))
        cells = list(dict.fromkeys(bad_cells[name].values()))
        raise _text_in_numbers(
            locate(next(iter(bad_cells[name])), name), cells, ways_to_numbers(cells, decimal, missing)
        )
    return numbers, bad_cells


def _text_in_numbers(where: Location, cells: Sequence[str], ways: Sequence[str]) -> DataError:
    place = f"line {where.line}" if where.line else f"row {where.row}"
    return DataError(
        "text-in-numeric-column",
        f"{where.file}: column {where.column!r}, {place}: {cells[0]!r} is not a number",
        hint=", or ".join((*ways, "--on-bad-row null|skip passes over such rows")),
        where=where,
        cells=tuple(cells[:_SHOWN]),
    )
