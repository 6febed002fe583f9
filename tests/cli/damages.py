"""What can be wrong with a table: the broken file, what is to be said of it, and the ways out."""

from collections.abc import Callable
from dataclasses import dataclass

from regcli.errors import CODES

__all__ = ["DAMAGES", "FIT", "NAMES", "Damage", "classes", "edited", "text", "whole", "with_column"]

Rows = list[list[str]]

NAMES = ["a", "b", "c", "w", "y"]
FIT = ("-y", "y", "--lambda", "1")


def whole() -> Rows:
    """A header and 24 rows: two columns of numbers, one of text, one of weights, a target of numbers."""
    rows = [
        [str(i * 37 % 101), str(i * 53 % 89 / 8), ("north", "south")[i % 2], str(i % 3 + 1), str(i * 29 % 97)]
        for i in range(1, 25)
    ]
    return [NAMES, *rows]


def edited(line: int, column: str, cell: str, rows: Rows | None = None) -> Rows:
    """The table with one cell changed; line 1 is the header."""
    rows = [list(row) for row in rows or whole()]
    rows[line - 1][NAMES.index(column)] = cell
    return rows


def with_column(column: str, cell: Callable[[int], str]) -> Rows:
    """The table with one column changed; ``cell`` is given the row from 0."""
    at = NAMES.index(column)
    header, *rows = whole()
    return [header, *([*row[:at], cell(i), *row[at + 1 :]] for i, row in enumerate(rows))]


def text(rows: Rows, mark: str = ",") -> str:
    return "".join(mark.join(row) + "\n" for row in rows)


def classes(i: int) -> str:
    return ("no", "yes")[i % 3 == 0]


@dataclass(frozen=True)
class Damage:
    """What is broken, what is said of it, and the options with which the broken file fits after all.

    ``place`` are line and column, None where no place in the file is at fault. ``said`` are pieces of the hint.
    ``ways`` is empty where only mending the file helps.
    """

    name: str
    bad: str | bytes
    code: str
    place: tuple[int | None, str | None] | None
    said: tuple[str, ...]
    ways: tuple[tuple[str, ...], ...] = ()
    options: tuple[str, ...] = FIT
    good: str = text(whole())
    cells: tuple[str, ...] = ()

    @property
    def status(self) -> int:
        return CODES[self.code][0]


TEXT = [
    Damage("a quote that is not closed", text(edited(5, "c", '"north')), "broken-quoting", (5, "c"), ("close",)),
    Damage("text after a closing quote", text(edited(5, "c", '"north"x')), "broken-quoting", (5, "c"), ("twice",)),
    Damage("a row too wide", text(edited(5, "c", "north,x")), "ragged-row", (5, None), ("quote",), cells=("19",)),
    Damage("a row too narrow", text([*whole()[:6], ["1", "2"], *whole()[7:]]), "ragged-row", (7, None), ("fill",)),
    Damage(
        "another delimiter",
        text([[cell.replace(".", ",") for cell in row] for row in whole()], ";"),
        "ragged-row",
        (2, None),
        ("--delimiter",),
        (("--delimiter", ";", "--decimal", ","),),
        (*FIT, "--delimiter", ","),
    ),
    Damage("a name twice", text(edited(1, "b", "a")), "duplicate-column", (1, "a"), ("rename",)),
    Damage("a column without name", text(edited(1, "b", "")), "empty-column-name", (1, None), ("name it",)),
    Damage("a comma at the end", "a,b,y,\n" + "1,2,3,\n", "empty-column-name", (1, None), ("end of the line",)),
    Damage(
        "UTF-16",
        text(whole()).encode("utf-16"),
        "encoding",
        (1, None),
        ("--encoding utf-16",),
        (("--encoding", "utf-16"),),
    ),
    Damage(
        "UTF-32",
        text(whole()).encode("utf-32"),
        "encoding",
        (1, None),
        ("--encoding utf-32",),
        (("--encoding", "utf-32"),),
    ),
    Damage(
        "UTF-16 without mark",
        text(whole()).encode("utf-16-le"),
        "nul-byte",
        (1, None),
        ("--encoding utf-16-le",),
        (("--encoding", "utf-16-le"),),
    ),
    Damage(
        "Latin-1",
        text(edited(5, "c", "süd", edited(6, "c", "süd"))).encode("latin-1"),
        "encoding",
        (5, "c"),
        ("--encoding cp1252", "latin-1"),
        (("--encoding", "cp1252"), ("--encoding", "latin-1")),
        good=text(edited(5, "c", "süd", edited(6, "c", "süd"))),
    ),
    Damage("a NUL byte", text(edited(5, "c", "no\0rth")), "nul-byte", (5, "c"), ("tr -d '\\0'",)),
    Damage("a NUL byte in the header", text(edited(1, "b", "b\0")), "nul-byte", (1, None), ("tr -d '\\0'",)),
    Damage("nothing", "", "empty-file", (None, None), ()),
    Damage("no rows", text(whole()[:1]), "empty-file", (None, None), ("--no-header",)),
]

CELLS = [
    Damage(
        "infinity",
        text(edited(5, "a", "inf")),
        "infinite-value",
        (5, "a"),
        ("--drop a",),
        (("--drop", "a"),),
        cells=("inf",),
    ),
    Damage(
        "beyond doubles", text(edited(5, "a", "1e400")), "infinite-value", (5, "a"), ("--drop a",), (("--drop", "a"),)
    ),
    Damage(
        "infinite target",
        text(edited(5, "y", "-inf")),
        "infinite-value",
        (5, "y"),
        ("another column",),
        (("-y", "w", "--drop", "y"),),
        FIT,
    ),
    Damage(
        "infinite weight",
        text(edited(5, "w", "inf")),
        "infinite-value",
        (5, "w"),
        ("another column",),
        (("--weights", "a", "--drop", "w"),),
        (*FIT, "--weights", "w"),
    ),
    Damage(
        "squares overflow",
        text(edited(5, "b", "1e300")),
        "value-range",
        (5, "b"),
        ("--drop b",),
        (("--drop", "b"),),
        cells=("1e+300",),
    ),
    Damage(
        "squares of the target overflow", text(edited(5, "y", "-1e300")), "value-range", (5, "y"), ("larger units",)
    ),
    Damage(
        "squares vanish",
        text(with_column("b", lambda i: f"{i}e-200")),
        "value-range",
        (None, "b"),
        ("smaller units", "--drop b"),
        (("--drop", "b"),),
    ),
    Damage(
        "squares of the target vanish",
        text(with_column("y", lambda i: f"{i}e-200")),
        "value-range",
        (None, "y"),
        ("smaller units",),
    ),
    Damage(
        "text among numbers",
        text(edited(5, "a", "high")),
        "text-in-numeric-column",
        (5, "a"),
        ("""--na-values '"",NA,NaN,nan,null,high'""", "--categorical a", "--drop a"),
        (("--na-values", '"",NA,NaN,nan,null,high', "--missing", "drop"), ("--categorical", "a"), ("--drop", "a")),
        cells=("high",),
    ),
    Damage(
        "a comma and a quote among numbers",
        text(edited(5, "a", '"""1"", or so"')),
        "text-in-numeric-column",
        (5, "a"),
        ("""--na-values '"",NA,NaN,nan,null,\"""1"", or so"'""",),
        (("--na-values", '"",NA,NaN,nan,null,"""1"", or so"', "--missing", "drop"),),
        cells=('"1", or so',),
    ),
    Damage(
        "decimal commas",
        text([[cell.replace(".", ",") for cell in row] for row in whole()], ";"),
        "text-in-numeric-column",
        (2, "b"),
        ("--decimal ,",),
        (("--decimal", ","),),
    ),
    Damage(
        "thousands parted by commas",
        text([row if at == 0 else [f"{int(row[0]) + 1},000", *row[1:]] for at, row in enumerate(whole())], ";"),
        "text-in-numeric-column",
        (2, "a"),
        ("write 38,000 as 38000 if the comma parts thousands", "--decimal , if it is the decimal mark", "--drop a"),
    ),
    Damage(
        "a currency",
        text(with_column("b", lambda i: f"${i * 37 % 19}.50")),
        "text-in-numeric-column",
        (2, "b"),
        ("write $0.50 as 0.50", "--categorical b", "--drop b"),
        (("--drop", "b"), ("--categorical", "b")),
        cells=("$0.50", "$18.50", "$17.50"),
    ),
    Damage(
        "blanks in a target",
        text(with_column("y", lambda i: f"{i + 1} 000")),
        "text-in-numeric-column",
        (2, "y"),
        ("write 1 000 as 1000",),
    ),
    Damage(
        "text among decimal commas",
        text([[cell.replace(".", ",") for cell in row] for row in edited(5, "b", "high")], ";"),
        "text-in-numeric-column",
        (5, "b"),
        ("--na-values", "--drop b"),
        (("--drop", "b"),),
        (*FIT, "--decimal", ","),
        text(whole(), ";"),
        cells=("high",),
    ),
    Damage(
        "text among targets",
        text(edited(5, "y", "high")),
        "text-in-numeric-column",
        (5, "y"),
        ("""--na-values '"",NA,NaN,nan,null,high'""",),
        (("--na-values", '"",NA,NaN,nan,null,high', "--missing-target", "drop"),),
        cells=("high",),
    ),
    Damage(
        "text among weights",
        text(edited(5, "w", "high")),
        "text-in-numeric-column",
        (5, "w"),
        ("""--na-values '"",NA,NaN,nan,null,high'""",),
        (("--na-values", '"",NA,NaN,nan,null,high', "--missing-target", "drop"),),
        (*FIT, "--weights", "w"),
    ),
    Damage(
        "a missing cell",
        text(edited(5, "a", "")),
        "missing-values",
        (5, "a"),
        ("--missing drop", "--drop COL"),
        (("--missing", "drop"), ("--drop", "a")),
    ),
    Damage(
        "a missing category",
        text(edited(5, "c", "NA")),
        "missing-values",
        (5, "c"),
        ("--missing drop",),
        (("--missing", "drop"), ("--drop", "c")),
    ),
    Damage(
        "a missing target",
        text(edited(5, "y", "")),
        "missing-target",
        (5, "y"),
        ("--missing-target drop",),
        (("--missing-target", "drop"),),
    ),
    Damage(
        "a missing weight",
        text(edited(5, "w", "NaN")),
        "missing-target",
        (5, "w"),
        ("--missing-target drop",),
        (("--missing-target", "drop"),),
        (*FIT, "--weights", "w"),
    ),
    Damage(
        "a negative weight",
        text(edited(5, "w", "-1")),
        "bad-weights",
        (5, "w"),
        ("0 or more",),
        (),
        (*FIT, "--weights", "w"),
        cells=("-1.0",),
    ),
    Damage(
        "no weight",
        text(with_column("w", lambda _: "0")),
        "bad-weights",
        (None, "w"),
        ("another column",),
        (("--weights", "b"),),
        (*FIT, "--weights", "w"),
    ),
    Damage(
        "weights that vanish",
        text(with_column("w", lambda i: f"{i + 1}e-320")),
        "value-range",
        (None, "w"),
        ("other units",),
        (),
        (*FIT, "--weights", "w"),
    ),
]

COLUMNS = [
    Damage(
        "an identifier",
        text([NAMES, *([*row[:2], f"k{i}", *row[3:]] for i, row in enumerate(whole()[1:] * 3))]),
        "probable-identifier",
        (None, "c"),
        ("--drop c", "--id c", "--categorical c"),
        (("--drop", "c"), ("--id", "c"), ("--categorical", "c")),
        cells=("k0", "k1", "k10"),
    ),
    Damage(
        "dates",
        text([NAMES, *([*row[:2], f"20{10 + i}-05-01", *row[3:]] for i, row in enumerate(whole()[1:] * 3))]),
        "undeclared-date",
        (None, "c"),
        ("--drop c",),
        (("--date", "c"), ("--drop", "c")),
    ),
    Damage(
        "a constant target",
        text(with_column("y", lambda _: "3")),
        "constant-target",
        (None, "y"),
        ("another --target",),
        (("-y", "a"),),
    ),
    Damage("a single row", text(whole()[:2]), "constant-target", (None, "y"), ("add rows",)),
    Damage(
        "one class",
        text(with_column("y", lambda _: "yes")),
        "one-class",
        (None, "y"),
        ("another --target",),
        (("-y", "c"),),
    ),
    Damage(
        "a class with one row",
        text(with_column("y", lambda i: "yes" if i == 4 else "no")),
        "rare-class",
        (6, "y"),
        ("add rows",),
        good=text(with_column("y", lambda i: "yes" if i in (4, 9) else "no")),
    ),
    Damage(
        "three classes of numbers",
        text(with_column("y", lambda i: str(i % 3))),
        "target-domain",
        (None, "y"),
        ("--family gaussian",),
        (("--family", "gaussian"),),
        (*FIT, "--family", "binomial"),
        text(with_column("y", lambda i: str(i % 2))),
        cells=("0", "1", "2"),
    ),
    Damage(
        "three classes",
        text(with_column("y", lambda i: "abc"[i % 3])),
        "family-not-available",
        None,
        ("another --target",),
        (("-y", "a"),),
    ),
    Damage(
        "two numbers",
        text(with_column("y", lambda i: "12"[i % 2])),
        "family-ambiguous",
        None,
        ("--family gaussian", "--family binomial"),
        (("--family", "gaussian"), ("--family", "binomial")),
    ),
    Damage(
        "text as numbers",
        text(with_column("y", classes)),
        "target-domain",
        (2, "y"),
        ("--family binomial",),
        (("--family", "binomial"),),
        (*FIT, "--family", "gaussian"),
        cells=("yes",),
    ),
    Damage(
        "a class without weight",
        text([NAMES, *([*row[:3], "01"[i % 2], "uv"[i % 2]] for i, row in enumerate(whole()[1:]))]),
        "one-class",
        (None, "y"),
        ("other weights",),
        (("--weights", "b"),),
        (*FIT, "--weights", "w"),
        text([NAMES, *([*row[:3], "12"[i % 2], "uv"[i % 2]] for i, row in enumerate(whole()[1:]))]),
    ),
    Damage(
        "two equal terms",
        text(whole()).replace("w,y", "c=south,y"),
        "duplicate-term",
        (None, "c=south"),
        ("rename", "--drop c=south"),
        (("--drop", "c=south"),),
    ),
    Damage("only the target", text([row[-1:] for row in whole()]), "no-features", (None, None), ("--delimiter",)),
    Damage(
        "constant columns",
        text([["b", "y"], *(["1", row[-1]] for row in whole()[1:])]),
        "no-features",
        (None, None),
        ("--features",),
    ),
    Damage(
        "empty columns",
        text([["b", "y"], *(["", row[-1]] for row in whole()[1:])]),
        "no-features",
        (None, None),
        ("--features",),
    ),
    Damage(
        "more folds than rows",
        text(whole()[:20]),
        "bad-folds",
        (None, None),
        ("--folds 19",),
        (("--folds", "19"),),
        ("-y", "y", "--folds", "24"),
    ),
    Damage(
        "two rows to validate",
        text(whole()[:3]),
        "bad-folds",
        (None, None),
        ("--lambda",),
        (("--lambda", "1"),),
        ("-y", "y", "--family", "gaussian"),
    ),
    Damage(
        "one fold",
        text(with_column("w", lambda _: "1")),
        "bad-folds",
        (None, "w"),
        ("--folds K",),
        (),
        ("-y", "y", "--fold-column", "w"),
    ),
    Damage(
        "fewer rows than columns",
        text(whole()[:4]),
        "under-determined",
        None,
        ("--penalty l1",),
        (("--penalty", "l2", "--lambda", "1"),),
        ("-y", "y", "--penalty", "none"),
    ),
    Damage(
        "classes set apart",
        text(with_column("y", lambda i: "no" if int(whole()[i + 1][0]) > 50 else "yes")),
        "separated",
        None,
        ("penalise",),
        (("--penalty", "l2", "--lambda", "1"), ("--drop", "a")),
        ("-y", "y", "--penalty", "none"),
        text(with_column("y", classes)),
    ),
    Damage(
        "too few rounds",
        text(with_column("y", classes)),
        "not-converged",
        None,
        ("--max-iter",),
        (("--max-iter", "1000"), ("--allow-unconverged",)),
        ("-y", "y", "--lambda", "0.01", "--max-iter", "1"),
    ),
]

DAMAGES = [*TEXT, *CELLS, *COLUMNS]
