"""Random tables that are good: numbers, categories, weights, exposures, groups, dates, under names of every kind."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["Kind", "Place", "Table", "make_table"]

Kind = Literal[
    "number", "category", "boolean", "constant", "target", "weights", "offset", "exposure", "id",
    "fold", "group", "time",
]  # fmt: skip

#: Kinds of which every cell is a number.
NUMERIC = {"number", "constant", "weights", "offset", "exposure"}

#: Days and moments as these tables have them.
ISO = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}:\d{2})?")

#: Line and column; a line that is None is not known.
Place = tuple[int | None, str | None]

NAMES = (
    "plain", "a b", " lead", "it's", 'say "so"', 'y,"x', "x,y", "two\nlines", "carriage\r\nreturn", "tab\tbed", "[/b]",
    "[bold]", ":smile:", "\U0001f600", "=cmd()", "+1", "-x", "--json", "@at", "#", "NA", "null", "1", "2.5", "c1",
    "\u00e9", "e\u0301", "\u202eflip", "\x1b[31m", "star*", "what?", "p=q", "(intercept)", "prediction", "semi;colon",
    "bar|red", "%s", "{x}", "\\", "None", "True", "$HOME", "`ls`", "term", "x" * 300, "y", "target", "\u6f22\u5b57",
)  # fmt: skip

LEVELS = (
    "north", "s\u00fcd", "[red]", ":smile:", "a,b", 'q"q', '"', "new\nline", "=1+1", " x", "True north", "-", "\\n",
    "\u200b?", "\U0001f600", "east|west", "semi;colon", "N/A", "none", "x" * 200, "#1", "@x", "1 2", "0x1F", "1_000",
)  # fmt: skip

CLASSES = (("no", "yes"), ("0", "1"), ("false", "true"), ("[a]", "[b]"), ('p"', "p,"), ("-", "+"), ("Yes", "yes"))


@dataclass
class Table:
    """Cells as text by column; ``kinds`` says what each column is. How it is written comes with it."""

    columns: dict[str, list[str]]
    kinds: dict[str, Kind]
    family: str
    classes: tuple[str, str] | None
    format: str = "csv"
    mark: str = ","
    line_end: str = "\n"
    encoding: str = "utf-8"
    decimal: str = "."
    raw: dict[tuple[int, int], str] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return max((len(cells) for cells in self.columns.values()), default=0)

    def named(self, *kinds: Kind) -> list[str]:
        return [name for name, kind in self.kinds.items() if kind in kinds]

    def one(self, kind: Kind) -> str | None:
        return next(iter(self.named(kind)), None)

    @property
    def target(self) -> str:
        return self.named("target")[0]

    @property
    def is_simple(self) -> bool:
        """Whether the certificate can read the file."""
        return (self.format, self.mark, self.encoding, self.decimal) == ("csv", ",", "utf-8", ".")

    @property
    def file(self) -> str:
        return f"table.{self.format}"

    def dialect(self) -> list[str]:
        """The options that say how the file is written."""
        words = ["--delimiter", self.mark] if self.format == "csv" and self.mark != "," else []
        words += ["--decimal", self.decimal] if self.decimal != "." else []
        return words + (["--encoding", self.encoding] if self.encoding not in {"utf-8", "utf-8-sig"} else [])

    def grid(self) -> list[list[str]]:
        """Header and rows as they are written; ``raw`` holds cells that no writer would write so, by row and column."""
        body = [[self._spelt(name, cells[i]) for name, cells in self.columns.items()] for i in range(self.rows)]
        grid = [[self._quoted(name) for name in self.columns], *([self._quoted(cell) for cell in row] for row in body)]
        for (row, column), cell in self.raw.items():
            grid[row][column] = cell
        return grid

    def _spelt(self, name: str, cell: str) -> str:
        numeric = self.kinds[name] in NUMERIC or (self.kinds[name] == "target" and self.classes is None)
        return cell.replace(".", self.decimal) if numeric else cell

    def _quoted(self, cell: str) -> str:
        return '"' + cell.replace('"', '""') + '"' if set(cell) & {self.mark, '"', "\n", "\r"} else cell

    def text(self, grid: list[list[str]]) -> str:
        return "".join(self.mark.join(row) + self.line_end for row in grid)

    def place(self, row: int, name: str) -> Place:
        """Line of the file on which the cell of a row (from 1; 0 is the header) starts."""
        grid, at = self.grid(), list(self.columns).index(name)
        before = self.text(grid[:row]) + self.mark.join(grid[row][:at])
        return before.count("\n") + 1, name

    def write(self, folder: Path) -> None:
        if self.format == "parquet":
            pq.write_table(pa.table({name: self._typed(name) for name in self.columns}), folder / self.file)
            return
        (folder / self.file).write_bytes(self.text(self.grid()).encode(self.encoding))

    def _typed(self, name: str) -> pa.Array:
        cells, kind = self.columns[name], self.kinds[name]
        if kind == "boolean":
            return pa.array([None if cell == "" else cell == "true" for cell in cells])
        if kind in {"category", "id", "fold", "group"} or (kind == "target" and self.classes is not None):
            return pa.array([cell or None for cell in cells], pa.string())
        if kind == "time" and all(cell == "" or ISO.fullmatch(cell) for cell in cells):
            return pa.array([datetime.fromisoformat(cell) if cell else None for cell in cells], pa.timestamp("us"))
        if kind == "time" and not all(cell == "" or cell.lstrip("-").isdigit() for cell in cells):
            return pa.array([cell or None for cell in cells], pa.string())
        return pa.array([None if cell == "" else float(cell) for cell in cells], pa.float64())


def make_table(rng: Random) -> Table:
    """Make a table that can be fitted, whatever the options: half of a binomial target's rows are events."""
    rows = rng.choice((16, 24, 40, 64))
    names = rng.sample(NAMES, 17)
    family = rng.choice(("gaussian", "binomial", "poisson"))
    columns: dict[str, list[str]] = {}
    kinds: dict[str, Kind] = {}

    def add(kind: Kind, cells: list[str]) -> None:
        name = names.pop()
        columns[name], kinds[name] = cells, kind

    signal = [rng.gauss(0, 1) for _ in range(rows)]
    for at in range(rng.randint(2, 5)):
        add("number", _numbers(rng, signal if at == 0 else [rng.gauss(0, 1) for _ in range(rows)]))
    for _ in range(rng.randint(0, 2)):
        levels = rng.sample(LEVELS, rng.randint(2, 4))
        add("category", [*levels, *levels, *(rng.choice(levels) for _ in range(rows - 2 * len(levels)))])
    optional: tuple[tuple[Kind, float, list[str]], ...] = (
        ("boolean", 0.3, [("true", "false")[i % 3 == 0] for i in range(rows)]),
        ("constant", 0.15, ["5"] * rows),
        ("weights", 0.35, [repr(rng.choice((0.5, 1.0, 2.0, 3.25))) for _ in range(rows - 1)] + [rng.choice("01")]),
        ("offset", 0.2, [repr(round(rng.uniform(-0.5, 0.5), 4)) for _ in range(rows)]),
        ("id", 0.2, [f"row {i}" for i in range(rows)]),
        ("exposure", 0.5 * (family == "poisson"), [repr(rng.choice((0.25, 1.0, 2.5, 100.0))) for _ in range(rows)]),
        ("fold", 0.15, [("one", "two", "three", "four")[i // 2 % 4] for i in range(rows)]),
        ("group", 0.3, _groups(rng, rows)),
        ("time", 0.4, _times(rng, rows)),
    )
    for kind, share, cells in optional:
        if rng.random() < share:
            add(kind, cells)
    classes = rng.choice(CLASSES) if family == "binomial" else None
    add("target", _counts(rng, signal) if family == "poisson" else _target(rng, signal, classes))
    order = rng.sample(list(columns), len(columns))
    table = Table({name: columns[name] for name in order}, {name: kinds[name] for name in order}, family, classes)
    _choose_dialect(rng, table)
    return table


def _numbers(rng: Random, values: list[float]) -> list[str]:
    kind = rng.choice(("plain", "plain", "scaled", "shifted", "integers", "two values"))
    if kind == "scaled":
        scale = 10.0 ** rng.randint(-8, 8)
        return [repr(value * scale) for value in values]
    if kind == "shifted":
        return [repr(1000 + value) for value in values]
    if kind == "integers":
        return [str(round(value * 10)) for value in values]
    if kind == "two values":
        return ["1" if value > sorted(values)[len(values) // 2] else "0" for value in values]
    return [repr(round(value, 5)) for value in values]


def _target(rng: Random, signal: list[float], classes: tuple[str, str] | None) -> list[str]:
    noisy = [value + rng.gauss(0, 1) for value in signal]
    if classes is None:
        scale, shift = rng.choice((1.0, 1.0, 1e6, 1e-4)), rng.choice((0, 0, 50))
        return [repr((value + shift) * scale) for value in noisy]
    middle = sorted(noisy)[len(noisy) // 2]
    return [classes[value >= middle] for value in noisy]


def _counts(rng: Random, signal: list[float]) -> list[str]:
    """Counts, or rates, of which some are 0."""
    counts = [max(0, round(1.5 + value + rng.gauss(0, 1))) for value in signal]
    counts[0], counts[1] = 3, 0
    if rng.random() < 0.2:
        return [repr(count * 0.37) for count in counts]
    return [str(count) for count in counts]


def _groups(rng: Random, rows: int) -> list[str]:
    """Groups of several rows each: text, or numbers that do not follow each other."""
    count = rng.randint(4, 7)
    names = rng.choice((rng.sample(LEVELS, count), [str(17 * i - 30) for i in range(count)]))
    cells = [names[i % count] for i in range(rows)]
    rng.shuffle(cells)
    return cells


def _times(rng: Random, rows: int) -> list[str]:
    """Times in no order, no two the same: days, moments, or numbers."""
    order = rng.sample(range(rows), rows)
    begin = datetime(2023, 12, 20)  # noqa: DTZ001  (any zone does)
    kind = rng.choice(("days", "moments", "numbers"))
    if kind == "days":
        return [(begin + timedelta(days=at)).date().isoformat() for at in order]
    if kind == "moments":
        return [(begin + timedelta(minutes=37 * at)).isoformat(rng.choice(" T")) for at in order]
    return [str(at - 7) for at in order]


def _choose_dialect(rng: Random, table: Table) -> None:
    if rng.random() < 0.4:  # as most files are, and as the certificate can read them
        return
    table.format = rng.choice(("csv", "csv", "csv", "tsv", "parquet"))
    if table.format == "tsv":
        table.mark = "\t"
    if table.format != "csv":
        return
    table.mark = rng.choice((",", ",", ",", ";", "|", "\t"))
    table.line_end = rng.choice(("\n", "\n", "\r\n"))
    table.encoding = rng.choice(("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16"))
    table.decimal = "," if table.mark == ";" and rng.random() < 0.5 else "."
