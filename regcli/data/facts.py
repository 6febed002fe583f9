"""What ``inspect`` finds in a table: frozen facts, no behaviour."""

from dataclasses import dataclass, field

from regcli.data.alike import Collinear
from regcli.data.identify import Identifier
from regcli.data.table import SourceFile
from regcli.errors import Location

__all__ = [
    "ColumnProfile",
    "DateFacts",
    "Finding",
    "Inspection",
    "Leak",
    "NumberFacts",
    "TableFacts",
    "TargetFacts",
    "WordFacts",
]


@dataclass(frozen=True, slots=True)
class NumberFacts:
    """The finite numbers of a column: quartiles, mean, 1/n standard deviation; and how many cells are infinite."""

    least: float
    q1: float
    median: float
    q3: float
    most: float
    mean: float
    sd: float
    zeros: int
    infinite: int


@dataclass(frozen=True, slots=True)
class DateFacts:
    """The dates of a column: the first and the last one as spelt, and how many cells are none."""

    first: str
    last: str
    unreadable: int


@dataclass(frozen=True, slots=True)
class WordFacts:
    """The words of a column of text: how many there are, how many become terms, and the most frequent of those.

    ``frequent`` has words with the number of rows they are in; ``wordless`` rows have none that is a term.
    """

    distinct: int
    kept: int
    wordless: int
    frequent: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """One column: what it looks like, the part it would get, and how many terms it would become.

    ``levels`` are the most frequent values with their counts, of text, and of numbers where there are few. ``role`` is
    ``target``, ``feature``, ``dropped`` (by --drop or because --features does not name it) or ``left-out`` (nothing in
    it to fit on). ``dates``, ``words`` and ``order`` (levels from low to high) are of columns that are declared so.
    """

    name: str
    type: str
    missing: int
    distinct: int
    levels: tuple[tuple[str, int], ...] = ()
    numbers: NumberFacts | None = None
    leading_zeros: bool = False
    examples: tuple[str, ...] = ()
    role: str = "feature"
    n_terms: int = 0
    dates: DateFacts | None = None
    words: WordFacts | None = None
    order: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to know before a fit.

    ``severity`` is ``error`` where fit would refuse the table as it stands, with the same code, ``warning`` where fit
    would warn, and ``note`` for what only inspect looks for.
    """

    code: str
    severity: str
    columns: tuple[str, ...]
    message: str
    hint: str | None = None
    cells: tuple[str, ...] = ()
    where: Location = field(default_factory=Location)


@dataclass(frozen=True, slots=True)
class Leak:
    """A column that alone tells the target, and how; ``correlation`` is None where that is no correlation."""

    column: str
    reason: str
    correlation: float | None


@dataclass(frozen=True, slots=True)
class TargetFacts:
    """The target as fit would take it; ``family`` is None where fit would ask for one.

    ``classes`` are names with their rows, ``positive`` is the event. ``family_source`` is ``option`` or ``guessed``.
    """

    column: str
    source: str
    family: str | None
    classes: tuple[tuple[str, int], ...] | None
    positive: str | None
    family_source: str | None = None


@dataclass(frozen=True, slots=True)
class TableFacts:
    """The table as a whole. ``sampled`` are the rows that correlations between columns were first looked for in."""

    files: tuple[SourceFile, ...]
    format: str
    delimiter: str | None
    decimal: str | None
    encoding: str | None
    header: bool
    rows: int
    duplicate_rows: int
    sampled: int
    table_bytes: int
    matrix_rows: int
    matrix_terms: int
    matrix_cells: int | None  # that the matrix of a fit would store, None for all


@dataclass(frozen=True)
class Inspection:
    """Everything that inspect reports."""

    table: TableFacts
    target: TargetFacts | None
    columns: tuple[ColumnProfile, ...]
    duplicate_columns: tuple[tuple[str, ...], ...]
    collinear: tuple[Collinear, ...]
    identifiers: tuple[Identifier, ...]
    leaks: tuple[Leak, ...]
    findings: tuple[Finding, ...]
    options: dict[str, object]
