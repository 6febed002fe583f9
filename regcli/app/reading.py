"""Reading the tables of a request: dialect, roles of columns, rows that can be used."""

import os
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from shlex import quote

import numpy as np
from numpy.typing import NDArray

from regcli.app.context import RunContext
from regcli.app.declared import declared_names, read_declared, refuse_covered, refuse_undeclarable
from regcli.app.formula import Formula, parse_formula
from regcli.app.limits import Memory
from regcli.app.options import Data, Folds, Reading
from regcli.app.parallel import single_blas_thread, usable_cores
from regcli.app.recipe import read_recipe
from regcli.app.values import refuse
from regcli.data.cells import SMALL
from regcli.data.derive import derived_table
from regcli.data.dialect import ARROW, DELIMITED, Dialect, check_dialect, parse_na_values
from regcli.data.foresee import foresee
from regcli.data.identify import Identifier, numbers_rows
from regcli.data.inputs import met_twice
from regcli.data.learn import Recipe
from regcli.data.patterns import columns_named, is_pattern
from regcli.data.read import AsText, Part, find_parts, format_at, read_table
from regcli.data.roles import Asked, Roles, assign_roles
from regcli.data.table import Levels, Table
from regcli.data.terms import DATE_PARTS, FILLING
from regcli.data.usable import check_used, missing_rows
from regcli.errors import DataError, Location, Warn, counted, listed

__all__ = [
    "NA_VALUES",
    "WAYS",
    "Known",
    "Used",
    "dialect_of",
    "empty_parts",
    "file_warnings",
    "found_parts",
    "guess_warnings",
    "identifier_warning",
    "read_in",
    "read_used",
    "refuse_idle",
    "refuse_missing",
    "refuse_unread",
    "repeated_parts",
    "shape_of",
    "text_columns",
]

Rows = NDArray[np.intp]

#: The ways out of missing cells in features.
WAYS = (
    "--missing drop leaves these rows out; --missing mean, median or indicator fills the cells; --drop COL leaves out "
    "the column"
)

#: Cells that mean missing when --na-values is not given.
NA_VALUES = Dialect().na_values

#: Offending cells shown in an error.
SHOWN = 3

#: What a thread takes while it reads, beside the table: its stack, and a block of 4 MB as bytes, cells and columns;
#: what pandas and pyarrow take; and how many times its cells a small table takes, which needs neither. Where they are
#: refused memory they end the process, or cannot be loaded.
READING_ROOM, LOADING_ROOM, ROOMS = 32 * 2**20, 64 * 2**20, 8

#: What Arrow takes besides while it reads a file. Its allocator asks for 32 MB at a time, and where Arrow is refused a
#: few bytes it ends the process: a file of 29 MB did with up to 20 MB less than this.
ARROW_ROOM = 48 * 2**20


@dataclass(frozen=True)
class Used:
    """A table with the parts of its columns, the rows that can be used, and what is asked for beside the columns."""

    table: Table
    roles: Roles
    rows: Rows
    dropped_missing: int
    dropped_target: int
    warnings: tuple[Warn, ...]
    recipe: Recipe


@dataclass(frozen=True)
class Known:
    """What a first table has settled: roles, policies, and which columns are text and which numbers."""

    roles: Roles
    recipe: Recipe
    text: frozenset[str]
    numeric: frozenset[str]

    @property
    def columns(self) -> frozenset[str]:
        """The columns of the file that it is about."""
        roles = self.roles
        return self.text | self.numeric | {roles.target, *roles.numeric(), *roles.marks(), *roles.id}


def dialect_of(options: Reading, na_values: tuple[str, ...]) -> Dialect:
    """How the input is written, from the options; ``na_values`` stand when --na-values is not given.

    Raises
    ------
    UsageError
        ``unknown-option-value``.
    """
    asked = Dialect(
        delimiter=options.delimiter,
        decimal="." if options.decimal is None else options.decimal,  # an empty one is refused, as a delimiter is
        encoding="utf-8" if options.encoding is None else options.encoding,
        header=not options.no_header,
        na_values=na_values if options.na_values is None else parse_na_values(options.na_values),
        format=options.input_format,
    )
    return check_dialect(asked)


def found_parts(data: Sequence[str], dialect: Dialect, run: RunContext) -> tuple[Part, ...]:
    """The files to score, all there before one is read; from now on numpy works in one thread."""
    parts = tuple(find_parts(data, dialect))
    refuse_idle(parts, dialect)
    run.progress.expect(foresee(parts, dialect).rows)
    single_blas_thread()
    return parts


def refuse_idle(parts: Sequence[Part], dialect: Dialect) -> None:
    """Refuse options that say how text is written where no file is a text table.

    Raises
    ------
    UsageError
        ``option-without-effect``.
    """
    formats = {format_at(part.name, dialect) for part in parts}
    if formats and formats.isdisjoint(DELIMITED):
        usual, dialect = Dialect(), check_dialect(dialect)  # what cannot be comes first
        given = {
            "--delimiter": dialect.delimiter is not None,
            "--decimal": dialect.decimal != usual.decimal,
            "--encoding": dialect.encoding != usual.encoding,
            "--no-header": not dialect.header,
        }
        refuse(given, f"on {listed(sorted(formats), len(formats))}: it says how text is written")


def refuse_unread(parts: Sequence[Part], dialect: Dialect, memory: Memory) -> None:
    """Refuse files whose sizes alone tell that their table would take more memory than it may.

    Raises
    ------
    ResourceError
        ``out-of-memory``.
    """
    if memory.limit is None:
        return
    large = READING_ROOM + (0 if "pandas" in sys.modules else LOADING_ROOM)
    arrow = any(format_at(part.name, dialect) in ARROW for part in parts)
    if arrow:
        large += ARROW_ROOM
        memory.refuse(large, "reading Parquet or Feather")
    foreseen = foresee(parts, dialect)
    room = large if arrow or foreseen.size > SMALL else ROOMS * foreseen.size
    what = f"reading a table of about {foreseen.rows:,} rows x {foreseen.columns:,} columns"
    memory.refuse(foreseen.size + room, what)


def read_used(
    data: Data,
    reading: Reading,
    sources: Sequence[str],
    run: RunContext,
    *,
    folds: Folds | None = None,
    known: Known | None = None,
) -> Used:
    """Read the table, give columns their parts, and settle which rows can be used.

    ``known`` is what a first table has settled for those that follow it.
    """
    dialect = dialect_of(reading, NA_VALUES)
    formula = None if data.formula is None or known else parse_formula(data)
    asked = Asked(
        target=formula.target if formula else data.target,
        features=formula.columns if formula else data.features,
        drop=formula.without if formula else data.drop,
        categorical=(*data.categorical, *(formula.categorical if formula else ())),
        id=data.id,
        weights=data.weights,
        offset=data.offset,
        exposure=data.exposure,
        fold=folds.fold_column if folds else None,
        group=folds.group if folds else None,
        order=folds.order_by if folds else None,
        named=_named(formula, data) if formula else None,
    )
    parts = find_parts(sources, dialect)
    if not known:  # further tables may be of another format
        refuse_idle(parts, dialect)
    refuse_unread(parts, dialect, run.memory)
    as_text = text_columns(asked, declared_names(data), known.text if known else ())
    expected = {*known.roles.features, *known.roles.numeric()} if known else ()
    named = {*asked.names, *declared_names(data), *(known.columns if known else ())}
    table = read_in(parts, dialect, run, as_text=as_text, expected=expected, named=named)
    run.progress.doing(f"preparing {shape_of(table)}")
    if known:
        roles, recipe = known.roles, known.recipe
    else:
        roles, recipe = _settled(data, asked, formula, tuple(table.columns), parts[0].name)
    if formula:
        _refuse_words(table, formula)
    table = derived_table(table, recipe.derived.values(), strict=True)
    if known:
        _require(table, roles)
    warnings = [*roles.warnings, *file_warnings(parts, table), *_check(table, roles, recipe, known, dialect)]
    if not known:
        meant = {*data.features, *recipe.splines, *recipe.derived, *(formula.named if formula else ())}
        warnings += [identifier_warning(one) for one in _identifiers(table, roles.features, meant)]
        roles = _without_empty(table, roles, data, warnings)
    return _usable_rows(table, roles, data, recipe, warnings)


def _settled(
    data: Data, asked: Asked, formula: Formula | None, columns: tuple[str, ...], file: str
) -> tuple[Roles, Recipe]:
    """The parts of columns, what is made of others in their place, and what else is asked for."""
    roles = assign_roles(asked, columns, file=file)
    refuse_undeclarable(data, roles.features, columns, roles.target, roles.target_source)
    declared = read_declared(data, roles.features, file=file, formula=formula)
    derived = {**declared.derived, **(formula.derived if formula else {})}
    others = (roles.target, *roles.numeric(), *roles.marks())
    refuse_covered(derived, roles.features, others, file=file, formula=formula is not None)
    bare = set(roles.features) - set(declared.dates) - (formula.only_within if formula else set())
    roles = replace(roles, features=_made_features(roles.features, bare, derived))
    return roles, read_recipe(data, roles.features, columns, declared, formula, file=file)


def read_in(
    parts: Sequence[Part],
    dialect: Dialect,
    run: RunContext,
    *,
    as_text: AsText,
    expected: Collection[str] = (),
    named: Collection[str] = (),
) -> Table:
    """Read a table whole, in as many threads as may run, and say how far it is."""
    progress, threads = run.progress, run.memory.affords(run.jobs or usable_cores(), READING_ROOM)
    progress.doing("reading", "bytes")
    tell = progress.update
    return read_table(parts, dialect, as_text=as_text, expected=expected, named=named, threads=threads, tell=tell)


def _same_files(parts: Sequence[Part], table: Table) -> list[Warn]:
    """A warning where files of a table hold the same: its rows are then in training and held-out rows both."""
    pairs = zip(table.files, parts, strict=True)
    marks = ((file.path, (file.sha256, part.keys)) for file, part in pairs if file.rows)
    return _warn_twice(met_twice(marks), "these rows count more than once, and some that are held out are fitted on")


def empty_parts(names: Sequence[str], count: int) -> list[Warn]:
    """A warning where some of ``count`` files have no row."""
    if not names:
        return []
    text = f"{len(names)} of {count} files {'has' if len(names) == 1 else 'have'} no row: {listed(names, 3)}"
    return [Warn("empty-part", text, {"files": list(names)})]


def file_warnings(parts: Sequence[Part], table: Table) -> list[Warn]:
    """What is to be said of the files that a table was read from."""
    empty = [file.path for file in table.files if not file.rows]
    return [*empty_parts(empty, len(parts)), *_same_files(parts, table)]


def repeated_parts(parts: Sequence[Part]) -> list[Warn]:
    """A warning where files that are read piece by piece, and not hashed, are one."""
    marks = ((part.name, (os.path.realpath(part.name), part.keys)) for part in parts)
    return _warn_twice(met_twice(marks), "these rows count more than once")


def _warn_twice(found: Sequence[tuple[str, ...]], result: str) -> list[Warn]:
    """A warning of inputs that are there twice, and of what follows."""
    if not found:
        return []
    names, times = tuple(dict.fromkeys(found[0])), "twice" if len(found[0]) == 2 else f"{len(found[0])} times"
    what = f"{names[0]} is read {times}" if len(names) == 1 else f"{listed(names, 3)} hold the same"
    more = f", and so with {counted(len(found) - 1, 'other file')}" if len(found) > 1 else ""
    return [Warn("same-file", f"{what}{more}: {result}", {"files": [list(group) for group in found]})]


def shape_of(table: Table) -> str:
    """How large a table is, for people."""
    return f"{counted(table.rows, 'row')} x {counted(len(table.columns), 'column')}"


def _named(formula: Formula, data: Data) -> tuple[str, ...]:
    """The columns of the file that a formula names: not the parts of dates, which are there later on."""
    sources = {source for _, source in formula.derived.values()}
    parts = tuple(f"{part}(" for part in DATE_PARTS if data.date)
    return tuple(name for name in formula.named if name in sources or not name.startswith(parts))


def _refuse_words(table: Table, formula: Formula) -> None:
    """Refuse powers and splines of columns of words; what has digits in it may be numbers, and is told as such."""
    for what, names in (("poly", formula.degrees), ("spline", formula.splines)):
        for name in names:
            column = table.columns.get(name)
            if isinstance(column, Levels) and not any(map(str.isdigit, "".join(column.levels))):
                raise DataError(
                    "text-in-numeric-column",
                    f"{what}({name}) needs numbers, and column {name!r} has text",
                    where=Location(file=table.files[0].path, column=name),
                    cells=column.levels[:SHOWN],
                    hint=f"{name} in the place of {what}({name}), or --na-values for text that means a missing cell",
                )


def _made_features(
    features: Sequence[str], bare: Collection[str], derived: Mapping[str, tuple[str, str]]
) -> tuple[str, ...]:
    """The features with what is made of a column behind it, or in its place where it is not among the ``bare``."""
    out: list[str] = []
    for name in features:
        out += [name] if name in bare else []
        out += [new for new, (_, source) in derived.items() if source == name]
    return tuple(out)


def _check(table: Table, roles: Roles, recipe: Recipe, known: Known | None, dialect: Dialect) -> list[Warn]:
    """Refuse columns that cannot be used as they stand; say what was guessed about the others."""
    numeric, categorical = (
        {*roles.numeric(), *recipe.splines, *recipe.degrees},
        {*roles.categorical, *recipe.ordinal, *recipe.text},
    )
    if known:
        numeric |= known.numeric
        categorical |= known.text
    names = [roles.target, *roles.features, *roles.numeric()]
    check_used(table, names, categorical, numeric=numeric, features=roles.features, dialect=dialect)
    return guess_warnings(table, roles.features)


def _identifiers(table: Table, features: Sequence[str], meant: Collection[str]) -> Iterator[Identifier]:
    """Columns of integers that probably name the rows, and that nobody has called by their name."""
    for name in features:
        if name not in meant and (found := numbers_rows(name, table.columns[name])):
            yield found


def identifier_warning(named: Identifier) -> Warn:
    """What is said of integers that probably name the rows."""
    column = quote(named.column)
    return Warn(
        "probable-identifier",
        f"{named.column!r} is probably an identifier: {', and '.join(named.reasons)}; --drop {column} leaves it out, "
        f"--id {column} carries it along",
        {"columns": [named.column], "reasons": list(named.reasons)},
    )


def guess_warnings(table: Table, features: Sequence[str]) -> list[Warn]:
    """What was guessed in reading the table."""
    warnings = []
    if table.delimiter_guessed:
        text = f"the delimiter is taken to be {table.delimiter!r}"
        warnings.append(Warn("delimiter-guessed", text, {"delimiter": table.delimiter}))
    zeros = [name for name in table.leading_zeros if name in features]
    if zeros:
        text = f"{zeros[0]!r} is read as a number although cells begin with 0; --categorical {zeros[0]!r} keeps them"
        warnings.append(Warn("leading-zeros", text, {"columns": zeros}))
    return warnings


def text_columns(asked: Asked, declared: Sequence[str], known: Collection[str] = ()) -> AsText:
    """Columns read as they are spelt, ``known`` ones among them; where patterns name them the header tells which."""
    patterns = (*asked.categorical, *asked.id, *declared)
    names = frozenset((*patterns, *known, *(name for name in (asked.fold, asked.group) if name is not None)))
    if not any(map(is_pattern, patterns)):
        return names
    return lambda columns: names.union(*(columns_named(pattern, columns) for pattern in patterns))


def _require(table: Table, roles: Roles) -> None:
    """Every column that a further table needs."""
    for name in (roles.target, *roles.features, *roles.numeric()):
        if name not in table.columns:
            raise DataError(
                "column-not-found",
                f"no column {name!r}",
                where=Location(file=table.files[0].path, column=name),
                hint="it needs the columns of the data that are fitted on; --drop COL leaves one out of both",
            )


def _known_rows(table: Table, roles: Roles, data: Data) -> NDArray[np.bool_]:
    """Rows (n,) with a target, and a cell in every other column that is no feature: --missing-target."""
    keep = np.ones(table.rows, dtype=bool)
    holes = missing_rows(table, [roles.target, *roles.numeric(), *roles.marks()])
    if holes and data.missing_target != "drop":
        refuse_missing(table, holes, "missing-target", "--missing-target drop leaves these rows out")
    for mask in holes.values():
        keep &= ~mask
    return keep


def _without_empty(table: Table, roles: Roles, data: Data, warnings: list[Warn]) -> Roles:
    """Leave out features without any cell in the rows that have a target."""
    keep = _known_rows(table, roles, data)
    holes = (missing_rows(table, [name]) for name in roles.features)  # one after the other: there may be many
    empty = [name for found in holes for name, mask in found.items() if mask[keep].all()]
    if not empty:
        return roles
    text = f"columns without any value were left out: {', '.join(empty)}"
    warnings.append(Warn("all-missing-column", text, {"columns": empty}))
    features = tuple(name for name in roles.features if name not in empty)
    if not features:
        where = Location(file=table.files[0].path)
        raise DataError("no-features", "every column is empty", hint="choose other --features", where=where)
    return replace(roles, features=features)


def _usable_rows(table: Table, roles: Roles, data: Data, recipe: Recipe, warnings: list[Warn]) -> Used:
    """Apply --missing and --missing-target."""
    keep = _known_rows(table, roles, data)
    dropped_target = int(table.rows - keep.sum())
    found = missing_rows(table, [name for name in roles.features if recipe.policies.get(name) not in FILLING])
    holes = {name: mask & keep for name, mask in found.items() if (mask & keep).any()}
    refused = {name: mask for name, mask in holes.items() if recipe.policies.get(name) != "drop"}
    if refused:
        sources = {recipe.source(name)[0]: mask for name, mask in refused.items()}
        refuse_missing(table, sources, "missing-values", WAYS)
    for mask in holes.values():
        keep &= ~mask
    dropped = int(table.rows - dropped_target - keep.sum())
    if dropped + dropped_target:
        warnings.append(
            Warn(
                "rows-dropped",
                f"{dropped + dropped_target:,} of {counted(table.rows, 'row')} with missing cells "
                f"{'was' if dropped + dropped_target == 1 else 'were'} left out",
                {"missing": dropped, "missing_target": dropped_target},
            )
        )
    rows = np.flatnonzero(keep)
    if not rows.size:
        raise DataError(
            "no-rows",
            "no row is left to fit on: every row has a missing cell",
            where=Location(file=table.files[0].path),
            hint="--drop the columns with the most missing cells",
        )
    return Used(table, roles, rows, dropped, dropped_target, tuple(warnings), recipe)


def refuse_missing(table: Table, holes: dict[str, NDArray[np.bool_]], code: str, hint: str) -> None:
    """Name the columns with missing cells, how many, and the first one's place."""
    counts = {name: int(mask.sum()) for name, mask in holes.items()}
    first = next(iter(holes))
    raise DataError(
        code,
        f"missing cells in {listed([f'{name} ({count})' for name, count in counts.items()], 6)}",
        where=table.locate(int(np.flatnonzero(holes[first])[0]), first),
        hint=hint,
    )
