"""What can be done to a good table or to good options, and the exit status that must follow."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.fuzz.options import Asked
from tests.fuzz.tables import Kind, Place, Table

__all__ = ["DAMAGES", "Case", "Expected"]


@dataclass(frozen=True)
class Expected:
    """Exit status and code of the error; the place it must name if it is known."""

    status: int
    code: str
    place: Place | None = None


@dataclass
class Case:
    """A table and options; ``content`` changes the file's bytes, ``file`` is the name given to the tool."""

    rng: Random
    table: Table
    asked: Asked
    file: str
    content: Callable[[bytes], bytes] | None = None
    damage: str | None = None

    def words(self) -> list[str]:
        return [self.asked.command, self.file, *self.asked.words]

    def write(self, folder: Path) -> None:
        self.table.write(folder)
        if self.content is not None:
            path = folder / self.table.file
            path.write_bytes(self.content(path.read_bytes()))

    def number(self) -> str:
        """A used column of numbers that was not declared as anything else."""
        return self.rng.choice([name for name in self.asked.used if self.table.kinds[name] == "number"])

    def row(self) -> int:
        """A row from 1, not one of the last two (their missing cells may drop them)."""
        return self.rng.randint(1, self.table.rows - 2)

    def spoil(self, name: str, cell: str) -> Place | None:
        """Put another cell into a column; its place in the file."""
        row = self.row()
        self.table.columns[name][row - 1] = cell
        return None if self.table.format == "parquet" else self.table.place(row, name)

    def fixed(self, kind: Kind) -> str | None:
        return self.table.one(kind)


Damage = Callable[[Case], Expected | None]


# --- the text of the file -------------------------------------------------------------------------------------------


def open_quote(case: Case) -> Expected | None:
    name = list(case.table.columns)[-1]
    case.table.raw[case.table.rows, len(case.table.columns) - 1] = '"open'
    return Expected(3, "broken-quoting", case.table.place(case.table.rows, name))


def stray_text(case: Case) -> Expected | None:
    at, row = case.rng.randrange(len(case.table.columns)), case.row()
    case.table.raw[row, at] = '"shut"x'
    return Expected(3, "broken-quoting", case.table.place(row, list(case.table.columns)[at]))


def wide_row(case: Case) -> Expected | None:
    row = case.row()
    line, _ = case.table.place(row, next(iter(case.table.columns)))
    case.table.raw[row, 0] = f"1{case.table.mark}1"
    return Expected(3, "ragged-row", (line, None))


def narrow_row(case: Case) -> Expected | None:
    row = case.row()
    line, _ = case.table.place(row, next(iter(case.table.columns)))
    here = case.table

    def cut(_: bytes) -> bytes:
        grid = here.grid()
        grid[row] = grid[row][:1]
        grid[row][0] = grid[row][0].strip() or "1"
        return here.text(grid).encode(here.encoding)

    case.content = cut
    return Expected(3, "ragged-row", (line, None))


def duplicate_name(case: Case) -> Expected | None:
    first, *rest = case.table.grid()[0]
    case.table.raw[0, case.rng.randint(1, len(rest))] = first
    return Expected(3, "duplicate-column")


def empty_name(case: Case) -> Expected | None:
    case.table.raw[0, case.rng.randrange(len(case.table.columns))] = ""
    return Expected(3, "empty-column-name")


def other_encoding(case: Case) -> Expected | None:
    if case.table.encoding not in {"utf-8", "utf-8-sig"}:
        return None
    case.table.encoding = case.rng.choice(("utf-16", "utf-32"))
    case.asked.words = [word for word in case.asked.words if word not in {"--encoding", "utf-16"}]
    return Expected(3, "encoding", (1, None))


def bad_byte(case: Case) -> Expected | None:
    if case.table.encoding != "utf-8":
        return None
    row, name = case.row(), case.rng.choice(list(case.table.columns))
    place = case.table.place(row, name)
    case.table.raw[row, list(case.table.columns).index(name)] = "BYTE"
    case.content = lambda data: data.replace(b"BYTE", b"\xff")
    return Expected(3, "encoding", place)


def nul_byte(case: Case) -> Expected | None:
    row, name = case.row(), case.rng.choice(list(case.table.columns))
    place = case.table.place(row, name)
    case.table.raw[row, list(case.table.columns).index(name)] = "n\0l"
    return Expected(3, "nul-byte", place)


def header_alone(case: Case) -> Expected | None:
    case.table.columns = {name: [] for name in case.table.columns}
    return Expected(3, "empty-file")


def empty_file(case: Case) -> Expected | None:
    case.content = lambda _: b""
    return Expected(3, "file-unreadable" if case.table.format == "parquet" else "empty-file")


def cut_parquet(case: Case) -> Expected | None:
    if case.table.format != "parquet":
        return None
    case.content = lambda data: data[: len(data) // 2]
    return Expected(3, "file-unreadable")


TEXT: tuple[Damage, ...] = (
    open_quote,
    stray_text,
    wide_row,
    narrow_row,
    duplicate_name,
    empty_name,
    other_encoding,
    bad_byte,
    nul_byte,
)


# --- cells ----------------------------------------------------------------------------------------------------------


def infinity(case: Case) -> Expected | None:
    return Expected(3, "infinite-value", case.spoil(case.number(), case.rng.choice(("inf", "-inf", "1e999"))))


def beyond_squares(case: Case) -> Expected | None:
    return Expected(3, "value-range", case.spoil(case.number(), case.rng.choice(("1e300", "-3e200"))))


def text_in_numbers(case: Case) -> Expected | None:
    if case.table.format == "parquet":
        return None
    name = case.fixed(case.rng.choice(("weights", "offset"))) or case.number()
    return Expected(
        3, "text-in-numeric-column", case.spoil(name, case.rng.choice(("high", "[/b]", "1,5,2", "=1", "\u0661")))
    )


def missing_cell(case: Case) -> Expected | None:
    if case.asked.may_miss:
        return None
    return Expected(3, "missing-values", case.spoil(case.rng.choice(case.asked.used), ""))


def missing_role(case: Case) -> Expected | None:
    kinds: tuple[Kind, ...] = ("weights", "offset", "exposure")
    kinds = kinds if case.asked.command == "path" else (*kinds, "group", "time", "fold")
    named = [name for name in case.table.named(*kinds) if name not in case.asked.dropped]
    return Expected(3, "missing-target", case.spoil(case.rng.choice([*named, case.table.target]), ""))


def infinite_role(case: Case) -> Expected | None:
    name = (
        case.fixed("weights")
        or case.fixed("offset")
        or case.fixed("exposure")
        or (case.table.target if case.table.classes is None else None)
    )
    return None if name is None else Expected(3, "infinite-value", case.spoil(name, "inf"))


def negative_weight(case: Case) -> Expected | None:
    name = case.fixed("weights")
    return None if name is None else Expected(3, "bad-weights", case.spoil(name, "-0.5"))


def no_weight(case: Case) -> Expected | None:
    name = case.fixed("weights")
    if name is None:
        return None
    case.table.columns[name] = ["0"] * case.table.rows
    return Expected(3, "bad-weights", (None, name))


def no_exposure(case: Case) -> Expected | None:
    name = case.fixed("exposure")
    return None if name is None else Expected(3, "bad-exposure", case.spoil(name, case.rng.choice(("0", "-2"))))


def negative_count(case: Case) -> Expected | None:
    if case.table.family != "poisson":
        return None
    return Expected(3, "target-domain", case.spoil(case.table.target, "-1"))


def no_counts(case: Case) -> Expected | None:
    if case.table.family != "poisson":
        return None
    case.table.columns[case.table.target] = ["0"] * case.table.rows
    return Expected(3, "constant-target", (None, case.table.target))


def no_dates(case: Case) -> Expected | None:
    name = case.fixed("time")
    if name is None or case.asked.scheme != "time":
        return None
    bad = case.rng.choice(("3/1/2020", "2020-3-1", "2020-02-30", "1 March 2020", "Q1", "[/b]"))
    return Expected(3, "bad-order", case.spoil(name, bad))


def constant_target(case: Case) -> Expected | None:
    moved = case.fixed("offset") or case.fixed("exposure")  # a target of one value then says something
    if not case.asked.family_given or (moved and not case.table.classes):
        return None
    value = case.table.classes[0] if case.table.classes else "2.5"
    if case.table.family == "gaussian":
        value = case.rng.choice((value, "0", "-3"))
    case.table.columns[case.table.target] = [value] * case.table.rows
    return Expected(3, "one-class" if case.table.classes else "constant-target", (None, case.table.target))


def single_event(case: Case) -> Expected | None:
    if not (case.asked.family_given and case.table.classes):
        return None
    no, yes = case.table.classes
    cells, row = case.table.columns[case.table.target], case.row()
    cells[:] = [no] * len(cells)
    cells[row - 1] = yes
    place = None if case.table.format == "parquet" else case.table.place(row, case.table.target)
    return Expected(3, "rare-class", place)


def third_class(case: Case) -> Expected | None:
    if not (case.asked.family_given and case.table.classes):
        return None
    case.spoil(case.table.target, "third" if case.table.classes != ("0", "1") else "2")
    return Expected(3, "target-domain", (None, case.table.target))


def vanishing_column(case: Case) -> Expected | None:
    name = case.number()
    case.table.columns[name] = [f"{i}e-200" for i in range(case.table.rows)]
    return Expected(3, "value-range", (None, name))


def identifier(case: Case) -> Expected | None:
    name = case.number()
    if case.table.rows <= 50 or case.asked.may_miss:
        return None
    case.table.kinds[name] = "id"
    case.table.columns[name] = [f"k{i}" for i in range(case.table.rows)]
    return Expected(3, "probable-identifier", (None, name))


# --- options --------------------------------------------------------------------------------------------------------


def unknown_column(case: Case) -> Expected | None:
    option = case.rng.choice(("--target", "--drop", "--weights", "--offset", "--features", "--categorical", "--id"))
    case.asked.add(option, "no such column")
    return Expected(3, "column-not-found")


def unknown_pattern(case: Case) -> Expected | None:
    case.asked.add("--drop", "zzz*")
    return Expected(3, "column-not-found")


def two_roles(case: Case) -> Expected | None:
    case.asked.add(case.rng.choice(("--drop", "--weights", "--offset", "--id")), case.table.target)
    return Expected(2, "column-in-two-roles")


def excluded_zero(case: Case) -> Expected | None:
    option, value = case.rng.choice((("--lower", "0.5"), ("--upper", "-0.5")))
    case.asked.add(option, f"*={value}")
    case.asked.words = [word for word in case.asked.words if word != "--nonnegative"]
    return Expected(2, "limit-excludes-zero")


BAD_VALUES = (
    ("--seed", "-1"),
    ("--seed", "x"),
    ("--tol", "0"),
    ("--tol", "-1"),
    ("--tol", "inf"),
    ("--max-iter", "0"),
    ("--max-iter", "1.5"),
    ("--penalty", "l3"),
    ("--family", "tweedie"),
    ("--standardize", "some"),
    ("--missing", "guess"),
    ("--missing-target", "x"),
    ("--delimiter", "ab"),
    ("--delimiter", "."),
    ("--decimal", ";"),
    ("--encoding", "nope"),
    ("--encoding", "rot13"),
    ("--na-values", '"open'),
    ("--na-values", "a,,b"),
    ("--penalty-factor", "*=-1"),
    ("--penalty-factor", "nothing"),
    ("--lower", "*=x"),
    ("--jobs", "0"),
    ("--color", "blue"),
    ("--input-format", "xls"),
    ("--compat", "sas"),
    ("--poly", "0"),
    ("--poly", "21"),
    ("--poly", "2.5"),
    ("--interactions", "alone"),
    ("--missing", "=mean"),
    ("--solver", "sgd"),
)

BAD_CHOICES = (
    ("--cv", "walk"), ("--rule", "hqc"), ("--assert", "n_selected >"), ("--assert", "no_such_name > 1"),
    ("--assert", ""), ("--test-size", "1"), ("--metric", "gini"),
)  # fmt: skip


def bad_value(case: Case) -> Expected | None:
    option, value = case.rng.choice(BAD_VALUES if case.asked.command == "path" else BAD_VALUES + BAD_CHOICES)
    unpenalised = "none" in case.asked.words or "ols" in case.asked.words
    if option == "--penalty-factor" and unpenalised:
        return None
    case.asked.add(option, value)
    return Expected(2, "unknown-option-value")


def idle_fold_options(case: Case) -> list[tuple[str, ...]]:
    """Options of a scheme that is not the one asked for, or of none."""
    scheme = case.asked.scheme
    choices: list[tuple[str, ...]] = [("--cv", "group")] if scheme != "group" else [("--cv", "kfold"), ("--cv", "time")]
    choices += [("--gap", "1"), ("--window", "20")] if scheme != "time" else [("--repeats", "2"), ("--gap", "-1")]
    choices += [("--repeats", "2"), ("--folds", "3")] if scheme in {"fold", "loo"} else []
    choices += [("--repeats", "0")] if scheme in {"kfold", "group", "stratified"} else []
    if not case.asked.several:
        choices += [("--rule", rule) for rule in ("min", "1se", "aic", "ebic")] + [("--full-path",)]
    return choices


def idle_option(case: Case) -> Expected | None:
    choices: list[tuple[str, ...]] = [("--no-such-option",), ("--target",)]
    if case.asked.command == "path":
        choices += [
            ("--folds", "5"),
            ("--model-out", "m.json"),
            ("--rule", "min"),
            ("--threshold", "0.5"),
            ("--test-size", "0.2"),
            ("--group", case.table.target),
            ("--order-by", case.table.target),
            ("--repeats", "2"),
            ("--assert", "seed == 0"),
        ]
    elif case.asked.family_given and case.table.family != "binomial":
        choices += [("--threshold", "0.5"), ("--class-weight", "balanced"), ("--positive-class", "a")]
        choices += [("--cv", "stratified")] if case.asked.scheme == "kfold" else []
    if case.asked.command != "path":
        choices += idle_fold_options(case)
    if case.table.family != "poisson":
        choices += [("--exposure", case.table.named("number")[0])]
    if case.table.family != "gaussian":
        choices += [("--solver", "moments"), ("--solver", "direct")]
    case.asked.add(*case.rng.choice(choices))
    return Expected(2, "")


def too_many_folds(case: Case) -> Expected | None:
    if case.asked.command == "path" or case.asked.scheme in {"fold", "loo"}:
        return None
    case.asked.add("--folds", "1000")
    return Expected(3, "bad-folds")


def missing_file(case: Case) -> Expected | None:
    case.file = "tabel.csv"
    return Expected(3, "file-not-found")


def not_a_path(case: Case) -> Expected | None:
    case.file = case.rng.choice(("https://example.org/a.csv", "s3://a/b.parquet", "zip::a"))
    return Expected(2, "unsupported-source")


def unknown_suffix(case: Case) -> Expected | None:
    case.file = "folder.d"
    return Expected(3, "file-unreadable")


def nowhere_to_write(case: Case) -> Expected | None:
    option = "-o" if case.asked.command == "path" else case.rng.choice(("-o", "--model-out"))
    case.asked.add(option, case.rng.choice(("nowhere/out.json", "folder.d")))
    if option == "-o" and "folder.d" in case.asked.words and "--format" not in case.asked.words:
        case.asked.add("--format", "json")
    return Expected(6, "")


# --- the problem ----------------------------------------------------------------------------------------------------


def few_rows(case: Case) -> Expected | None:
    numbers = case.table.named("number")
    if (
        case.table.family != "gaussian"
        or len(numbers) < 4
        or case.asked.used != [n for n in case.table.columns if n in case.asked.used]
    ):
        return None
    for name in numbers:
        case.table.columns[name] = [repr(case.rng.gauss(0, 1)) for _ in range(3)]
    case.table.columns = {name: cells[:3] for name, cells in case.table.columns.items()}
    bare(case, *numbers, case.table.target)
    return Expected(4, "under-determined")


def set_apart(case: Case) -> Expected | None:
    if case.table.classes is None:
        return None
    name = case.table.named("number")[0]
    cells = case.table.columns[case.table.target]
    case.table.columns[name] = [repr((cell == case.table.classes[1]) * 4 + case.rng.random()) for cell in cells]
    bare(case, name, case.table.target)
    return Expected(4, "separated")


def too_many_lanes(case: Case) -> Expected | None:
    name = case.table.named("number")[0]
    if "" in case.table.columns[name]:
        return None
    again = 2000 // case.table.rows + 1
    bare(case, name, case.table.target)
    case.table.columns = {column: cells * again for column, cells in case.table.columns.items()}
    case.asked.add("--penalty", "l1", "--cv", "loo")
    case.asked.command = case.rng.choice(("fit", "cv"))
    return Expected(7, "too-many-lanes")


def failed_check(case: Case) -> Expected | None:
    if case.asked.command == "path":
        return None
    case.asked.add("--assert", "n_features > 1000000")
    return Expected(1, "check-failed")


def bare(case: Case, *names: str) -> None:
    """Ask for nothing but an unpenalised model of these columns."""
    columns = {name: cells for name, cells in case.table.columns.items() if name in names}
    case.table.columns = columns
    case.asked.words = ["--target", case.table.target, *case.table.dialect(), "--family", case.table.family]
    case.asked.add("--penalty", "none", "--json")
    case.asked.model_out = False
    case.asked.form = "json"


DAMAGES: tuple[Damage, ...] = (
    *TEXT, header_alone, empty_file, cut_parquet, infinity, beyond_squares, text_in_numbers, missing_cell, missing_role,
    infinite_role, negative_weight, no_weight, constant_target, single_event, third_class, vanishing_column, identifier,
    unknown_column, unknown_pattern, two_roles, excluded_zero, bad_value, idle_option, too_many_folds, missing_file,
    not_a_path, unknown_suffix, nowhere_to_write, few_rows, set_apart, no_exposure, negative_count, no_counts, no_dates,
    too_many_lanes, failed_check,
)  # fmt: skip
