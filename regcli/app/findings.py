"""What fit would refuse or warn about in a table, collected instead of raised; and what only ``inspect`` looks for."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from shlex import quote

import numpy as np
from numpy.typing import NDArray

from regcli.app.declared import refuse_covered
from regcli.app.reading import WAYS, guess_warnings, identifier_warning, refuse_missing
from regcli.data.alike import Collinear, equal_cells
from regcli.data.columns import number
from regcli.data.derive import derived_table
from regcli.data.dialect import Dialect, na_option
from regcli.data.encoder import Encoder
from regcli.data.facts import ColumnProfile, Finding, Leak, TargetFacts
from regcli.data.identify import Identifier
from regcli.data.learn import Learnt, Recipe, learn_encoder
from regcli.data.profile import clipped
from regcli.data.stored import Stored
from regcli.data.suspects import calendar_numbers, stand_ins
from regcli.data.table import Numbers, Table
from regcli.data.target import code_target, guess_family
from regcli.data.usable import check_used, missing_rows
from regcli.errors import DataError, Location, RegcliError, UsageError, Warn, counted, listed

__all__ = [
    "Parts",
    "Terms",
    "from_error",
    "from_warning",
    "guesses",
    "near_located",
    "notes",
    "target_facts",
    "terms_of",
    "unfilled",
    "unusable",
]

Rows = NDArray[np.intp]

#: Names shown in a message.
SHOWN = 5

#: Finding a line means reading the file again, slowly: so many places in so many first rows are told by their line.
_PLACES, _NEAR = 20, 20_000

#: Integers with so few values may be names of things: fewer are two classes, more are mostly amounts.
_FEW = range(3, 11)

#: Below this every column of integers has few values.
_ENOUGH_ROWS = 100


@dataclass(frozen=True)
class Parts:
    """Which column is what: the target (None where fit could not tell), the features, what columns are declared as."""

    target: str | None
    source: str
    features: tuple[str, ...]
    categorical: tuple[str, ...]
    findings: tuple[Finding, ...] = ()
    recipe: Recipe = field(default_factory=Recipe)

    @cached_property
    def known(self) -> frozenset[str]:
        """The features, to look a name up among many."""
        return frozenset(self.features)

    @property
    def dates(self) -> tuple[str, ...]:
        """Columns that are declared as dates."""
        return tuple(dict.fromkeys(source for _, source in self.recipe.derived.values()))

    def declared(self, name: str) -> str | None:
        """What a column is declared as."""
        kinds = {
            "ordinal": self.recipe.ordinal,
            "text": self.recipe.text,
            "date": self.dates,
            "category": self.categorical,
        }
        return next((kind for kind, names in kinds.items() if name in names), None)

    def made_of(self, name: str) -> tuple[str, ...]:
        """The columns that are fitted on in the place of one: parts of a date, else itself."""
        return tuple(new for new, (_, source) in self.recipe.derived.items() if source == name) or (name,)


@dataclass(frozen=True, slots=True)
class Terms:
    """How many terms each feature would become, and what stands in their way."""

    counts: dict[str, int]
    cells: int | None  # that a matrix of them would store, None for all
    findings: tuple[Finding, ...]


def from_error(error: RegcliError, *columns: str | None) -> Finding:
    """An error of fit's as a finding; ``columns`` where the error does not name one."""
    named = error.where.column
    known = tuple(name for name in columns if name is not None) or (() if named is None else (named,))
    cells = tuple(map(clipped, error.cells))  # a cell may be megabytes long
    return Finding(error.code, "error", known, error.message, error.hint, cells, error.where)


def from_warning(warning: Warn, columns: Sequence[str] = (), hint: str | None = None) -> Finding:
    """A warning of fit's as a finding."""
    return Finding(warning.code, "warning", tuple(columns), warning.message, hint)


def near_located(table: Table) -> Table:
    """The table with places told by line for the first few findings near its beginning, and by row for others."""
    told = 0
    starts = np.cumsum([0, *(file.rows for file in table.files)])

    def locate(row: int, column: str | None) -> Location:
        nonlocal told
        told += 1
        if told <= _PLACES and row < _NEAR:
            return table.locate(row, column)
        at = int(np.searchsorted(starts, row, side="right")) - 1
        return Location(file=table.files[at].path, row=row - int(starts[at]) + 1, column=column)

    return replace(table, locate=locate)


# -- what fit would refuse -------------------------------------------------------------------------------------------


def _refusal(run: Callable[[], object]) -> RegcliError | None:
    """The error that a check of fit's raises, None if it passes."""
    try:
        run()
    except (DataError, UsageError) as error:
        return error
    return None


def unusable(table: Table, parts: Parts, dialect: Dialect) -> tuple[Finding, ...]:
    """Columns that cannot be used as they stand, each with the error that fit would give."""
    names = [*([] if parts.target is None else [parts.target]), *parts.features]
    features, spelt = frozenset(parts.features), {name for name in names if parts.declared(name)}
    check = partial(check_used, categorical=spelt, numeric=(), features=features, dialect=dialect)
    checks: list[tuple[str, Callable[[], object]]] = [(name, partial(check, table, [name])) for name in names]
    checks += [(name, partial(derived_table, table, [("days", name)], strict=True)) for name in parts.dates]
    others = () if parts.target is None else (parts.target,)
    covered = partial(refuse_covered, features=features, parts=others, file=table.files[0].path, formula=False)
    checks += [(new, partial(covered, {new: made})) for new, made in parts.recipe.derived.items()]
    found = ((name, _refusal(run)) for name, run in checks)
    return tuple(from_error(error, name) for name, error in found if error is not None)


def unfilled(table: Table, parts: Parts, known: NDArray[np.bool_]) -> Iterator[Finding]:
    """Missing cells: of the target, and of features in the rows that have a target (``known`` (n,))."""
    if parts.target is not None and not known.all():
        hint = "--missing-target drop leaves these rows out"
        error = _refusal(lambda: refuse_missing(table, {str(parts.target): ~known}, "missing-target", hint))
        if error is not None:
            yield from_error(error, parts.target)
    needed = [name for name in parts.features if name not in parts.recipe.text]  # text without a cell has no word
    holes = {name: mask & known for name, mask in missing_rows(table, needed).items()}
    total = int(known.sum())
    holes = {name: mask for name, mask in holes.items() if 0 < mask.sum() < total}
    error = _refusal(lambda: refuse_missing(table, holes, "missing-values", WAYS)) if holes else None
    if error is not None:
        yield from_error(error, *holes)


def target_facts(
    table: Table, parts: Parts, profile: ColumnProfile, rows: Rows, family: str | None
) -> tuple[TargetFacts, tuple[Finding, ...]]:
    """The target as fit would take it, on the rows that have one; and what fit would say about it.

    ``family`` is the one that was asked for, if one was.
    """
    name = profile.name
    facts = TargetFacts(name, parts.source, family, None, None, family_source="option" if family else None)
    if not rows.size:
        return facts, ()
    found: list[Finding] = []
    if family is None:
        try:
            family = guess_family(table, name, rows)
        except UsageError as error:
            return replace(facts, classes=profile.levels or None), (from_error(error, name),)
        facts, found = replace(facts, family_source="guessed"), [_guessed(family, profile)]
    facts = replace(facts, family=family, classes=profile.levels if family == "binomial" else None)
    try:
        target = code_target(table, name, rows, family=family, positive=None)
    except DataError as error:
        return facts, (from_error(error, name), *found)
    found += [from_warning(warning, [name], "stratified folds need rows of each class") for warning in target.warnings]
    rows_of = dict(profile.levels)
    classes = None if target.classes is None else tuple((level, rows_of.get(level, 0)) for level in target.classes)
    return replace(facts, classes=classes, positive=target.positive), tuple(found)


def _guessed(family: str, profile: ColumnProfile) -> Finding:
    """The guess of a family, and what it may be instead."""
    text = f"the family is taken to be {family}; say --family"
    counts = profile.type == "integer" and profile.numbers is not None and profile.numbers.least >= 0
    other = ", or --family poisson if these are counts" if counts and family == "gaussian" else ""
    return from_warning(Warn("family-guessed", text), [profile.name], f"--family {family}{other}")


def terms_of(table: Table, parts: Parts, names: Sequence[str], rows: Rows) -> Terms:
    """Learn, column by column, how features become terms; what is wrong with one does not hide the others.

    The table has the parts of dates beside them.
    """
    learn = partial(learn_encoder, weights=np.ones(rows.size), reference=False, recipe=parts.recipe)
    try:  # a column at a time takes twice as long
        encoder = learn(table, [new for name in names for new in parts.made_of(name)], rows).encoder
    except DataError:
        return _terms_one_by_one(table, parts, names, rows, learn)
    counts = dict.fromkeys(names, 0)
    whole = {new: name for name in names for new in parts.made_of(name)}
    for feature in encoder.features:
        counts[whole[feature.column]] += len(feature.terms)
    return Terms(counts, _stored_cells([encoder], table, rows), ())


def _terms_one_by_one(
    table: Table, parts: Parts, names: Sequence[str], rows: Rows, learn: Callable[..., Learnt]
) -> Terms:
    """The same where a column is refused, or two beside each other."""
    encoders: dict[str, Encoder] = {}
    found: list[Finding] = []
    first: dict[str, str] = {}
    for name in names:
        try:
            encoder = learn(table, parts.made_of(name), rows).encoder
        except DataError as error:
            found.append(from_error(error, name))
            continue
        encoders[name] = encoder
        for term in encoder.terms:
            other = first.setdefault(term.name, name)
            if other != name:  # two columns give a term of this name: fit says how
                made = [new for each in (other, name) for new in parts.made_of(each)]
                refused = _refusal(partial(learn, table, made, rows))
                found += [] if refused is None else [from_error(refused, other, name)]
    counts = {name: len(encoder.terms) for name, encoder in encoders.items()}
    return Terms(counts, _stored_cells(encoders.values(), table, rows), tuple(found))


def _stored_cells(encoders: Collection[Encoder], table: Table, rows: Rows) -> int | None:
    """Cells that a matrix of these columns side by side stores, None for all: one that leaves zeros out decides."""
    if not any(encoder.is_sparse(table.columns) for encoder in encoders):
        return None
    return sum(Stored.of(encoder.base(table.columns, rows)).cells.size for encoder in encoders)


# -- what fit would say ----------------------------------------------------------------------------------------------


def guesses(table: Table, parts: Parts, profiles: Sequence[ColumnProfile]) -> Iterator[Finding]:
    """What fit would guess, and the columns it would leave out."""
    for warning in guess_warnings(table, parts.features):
        zeros = warning.facts.get("columns")
        columns = [str(name) for name in zeros] if isinstance(zeros, list) else []
        hint = " ".join(f"--categorical {quote(name)}" for name in columns[:SHOWN])
        yield from_warning(warning, columns, hint or f"--delimiter {quote(str(table.delimiter))}")
    for kind, code, what in (
        ("empty", "all-missing-column", "without any value"),
        ("constant", "constant-column", "with one value only"),
    ):
        names = [profile.name for profile in profiles if profile.type == kind and profile.role == "left-out"]
        if names:
            text = f"{counted(len(names), 'column')} {what}, which fit leaves out: {listed(names, SHOWN)}"
            yield from_warning(Warn(code, text), names, _drop(names))


# -- what only inspect looks for -------------------------------------------------------------------------------------


def notes(
    profiles: Sequence[ColumnProfile],
    table: Table,
    *,
    equal: Sequence[Sequence[str]],
    collinear: Sequence[Collinear],
    identifiers: Sequence[Identifier],
    leaks: Sequence[Leak],
    dialect: Dialect,
) -> Iterator[Finding]:
    """What a person would want to know of the columns, beyond what fit says."""
    for leak in leaks:
        text = f"{leak.column!r} alone tells the target: {leak.reason}"
        yield Finding("suspected-leak", "note", (leak.column,), text, f"{_drop([leak.column])} if it is made from it")
    for named in identifiers:
        if named.probable and isinstance(table.columns[named.column], Numbers):
            yield from_warning(identifier_warning(named), [named.column], _drop([named.column]))
            continue
        sure = "is probably" if named.probable else "may be"
        text = f"{named.column!r} {sure} an identifier: {', and '.join(named.reasons)}"
        yield Finding("suspected-identifier", "note", (named.column,), text, _drop([named.column]))
    for group in equal:
        what = "with the same values" if equal_cells(table, group) else "that say the same under other names"
        text = f"columns {what}: {listed(group, SHOWN)}"
        yield from_warning(Warn("duplicate-columns", text), group, _drop(group[1:]))
    yield from map(_collinear, collinear)
    features = [profile for profile in profiles if profile.role == "feature"]
    yield from _dates(features)
    yield from _stand_ins(features, table, dialect)
    whole = [p.name for p in features if p.type == "integer"]
    whole += [p.name for p in profiles if p.type == "constant" and p.role == "left-out"]
    long = [name for name in whole if isinstance(column := table.columns[name], Numbers) and column.rounded]
    if long:
        text = f"{counted(len(long), 'column')} of integers beyond 2^53, which are read as the nearest double: "
        hint = f"{_drop(long)}; --id or --categorical keeps the cells as they are spelt"
        yield Finding("rounded-integers", "note", tuple(long), text + listed(long, SHOWN), hint)
    few = [p.name for p in features if p.type == "integer" and p.distinct in _FEW and table.rows >= _ENOUGH_ROWS]
    if few:
        many = counted(len(few), "column")
        text = f"{many} of integers with 3 to 10 values may be names of things: {listed(few, SHOWN)}"
        hint = " ".join(f"--categorical {quote(name)}" for name in few[:SHOWN]) + ", unless they are amounts"
        yield Finding("integer-levels", "note", tuple(few), text, hint)
    if table.format == "csv" and all(number(profile.name) is not None for profile in profiles):
        text = "all column names are numbers: the first line may be a row"
        yield Finding("numeric-header", "note", (), text, "--no-header")


def _collinear(near: Collinear) -> Finding:
    """Columns that are multiples of the first, or nearly so: it stays."""
    first, *others = near.columns
    if near.exact:
        text = f"columns that are multiples of each other, shifted or not: {listed(near.columns, SHOWN)}"
        return from_warning(Warn("collinear-columns", text), near.columns, _drop(others))
    size = f"{near.correlation:.6g}"
    if size == "1":  # it is not quite
        told = "of more than 0.999999" if len(others) == 1 else f"of more than 0.999999 with {first!r}"
    else:
        told = f"of {size}" if len(others) == 1 else f"of {size} and more with {first!r}"
    text = f"columns with a correlation {told}: {listed(near.columns if len(others) == 1 else others, SHOWN)}"
    hint = f"{_drop(others)}, or --penalty l2 or elasticnet, which share the weight between them"
    return Finding("near-collinear", "note", near.columns, text, hint)


def _dates(features: Sequence[ColumnProfile]) -> Iterator[Finding]:
    """Columns of dates that fit takes for something else: text that is not ISO 8601, and integers."""
    text = [profile.name for profile in features if profile.type == "date" and profile.dates is None]
    if text:
        message = f"{counted(len(text), 'column')} of dates that are not spelt as 2026-01-31: {listed(text, SHOWN)}"
        yield Finding("date-column", "note", tuple(text), message, f"{_drop(text)}, or spell them so, for --date")
    found = [profile.name for profile in features if calendar_numbers(profile)]
    if found:
        message = f"{counted(len(found), 'column')} of integers that look like dates: {listed(found, SHOWN)}"
        hint = " ".join(f"--date {quote(name)}" for name in found[:SHOWN])
        yield Finding("date-column", "note", tuple(found), message, hint)


def _stand_ins(features: Sequence[ColumnProfile], table: Table, dialect: Dialect) -> Iterator[Finding]:
    """Cells that may stand for missing ones, one finding for each of them."""
    columns: dict[str, list[str]] = {}
    for profile in features:
        for cell in stand_ins(table, profile):
            columns.setdefault(cell, []).append(profile.name)
    for cell, names in columns.items():
        what = repr(cell) if number(cell) is None else f"{cell} lies far from all other numbers and"
        text = f"{what} may mean missing in {listed(names, SHOWN)}"
        hint = na_option(dialect.na_values, [cell]) or ""
        yield Finding("stand-in-value", "note", tuple(names), text, hint, cells=(cell,))


def _drop(names: Sequence[str]) -> str:
    """The options that leave columns out."""
    return " ".join(f"--drop {quote(name)}" for name in names[:SHOWN]) + (" ..." if len(names) > SHOWN else "")
