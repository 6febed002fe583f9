"""What regcli sees in a table before anything is fitted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from shlex import quote

import numpy as np

from regcli.app import findings as found
from regcli.app.context import Progress, RunContext
from regcli.app.declared import declared_names, read_declared, refuse_undeclarable
from regcli.app.options import Data, InspectRequest, Looking
from regcli.app.reading import (
    NA_VALUES,
    dialect_of,
    file_warnings,
    read_in,
    refuse_idle,
    refuse_unread,
    shape_of,
    text_columns,
)
from regcli.app.recipe import read_recipe
from regcli.app.values import given_options
from regcli.data.alike import Collinear, duplicate_columns, duplicate_rows, near_collinear
from regcli.data.derive import derived_table
from regcli.data.dialect import Dialect
from regcli.data.facts import (
    ColumnProfile,
    Finding,
    Inspection,
    Leak,
    TableFacts,
    TargetFacts,
)
from regcli.data.identify import Identifier
from regcli.data.levels import find_levels, level_order
from regcli.data.profile import column_bytes, date_facts, profile_column, word_facts
from regcli.data.read import find_parts
from regcli.data.roles import TARGET_NAMES, Asked, assign_roles, match_columns
from regcli.data.suspects import aim_at, find_identifier, find_leak
from regcli.data.table import Levels, Table
from regcli.data.usable import missing_rows
from regcli.errors import CODES, DataError, RegcliError, UsageError, counted, error_class

__all__ = ["inspect", "refusal"]

#: What fit says of columns that inspect would call identifiers or dates.
_NAMED = ("probable-identifier", "undeclared-date", "bad-date")

#: What to do where files are read for nothing, or twice.
_WAYS_OUT = {"same-file": "name each file once", "empty-part": "see what should have written rows to it"}

#: In the order in which findings are told.
_SEVERITIES = ("error", "warning", "note")


def inspect(request: InspectRequest, run: RunContext) -> Inspection:
    """Read a table and say what is in it, what fit would make of it, and what it would refuse.

    Raises
    ------
    UsageError, DataError
        What keeps the table from being read, and options that name what is not there. Nothing in the cells is an error.
    """
    looking = request.looking
    dialect = dialect_of(request.reading, NA_VALUES)
    asked = Asked(target=looking.target, features=looking.features, drop=looking.drop, categorical=looking.categorical)
    files = find_parts(looking.data, dialect)
    refuse_idle(files, dialect)
    declared = declared_names(_data(looking))
    as_text = text_columns(asked, declared)
    refuse_unread(files, dialect, run.memory)
    table = found.near_located(read_in(files, dialect, run, as_text=as_text, named={*asked.names, *declared}))
    run.note(f"read {counted(table.rows, 'row')} of {counted(len(table.columns), 'column')}")
    run.progress.doing(f"looking at {shape_of(table)}")
    parts = _declared(_parts(asked, looking, table), looking, tuple(table.columns))
    told = (found.from_warning(warning, hint=_WAYS_OUT[warning.code]) for warning in file_warnings(files, table))
    parts = replace(parts, findings=(*parts.findings, *told))
    return _look(table, parts, dialect, request, run.progress)


def refusal(inspection: Inspection) -> RegcliError | None:
    """The error that fit would stop with first; None where it would not."""
    refused = [finding for finding in inspection.findings if finding.severity == "error"]
    if not refused:
        return None
    first = refused[0]
    kind = error_class(CODES[first.code][0])
    more = f"; there are {len(refused) - 1} more findings like this" if len(refused) > 1 else ""
    hint = f"{first.hint or ''}{more}".removeprefix("; ") or None
    return kind(first.code, first.message, hint=hint, where=first.where, cells=first.cells)


@dataclass(frozen=True, slots=True)
class _Fitted:
    """What fit would make of the table: columns with their parts, the target, and what it would refuse."""

    profiles: tuple[ColumnProfile, ...]
    target: TargetFacts | None
    matrix: tuple[int, int, int | None]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class _Suspected:
    """What only inspect looks for."""

    equal: tuple[tuple[str, ...], ...]
    collinear: tuple[Collinear, ...]
    sampled: int
    identifiers: tuple[Identifier, ...]
    leaks: tuple[Leak, ...]
    repeated: int
    findings: tuple[Finding, ...]


def _look(
    table: Table, parts: found.Parts, dialect: Dialect, request: InspectRequest, progress: Progress
) -> Inspection:
    """Everything that is found, the parts being known."""
    fitted = _fitted(table, parts, dialect, request.looking.family, progress)
    suspected = _suspected(table, parts, fitted.profiles, dialect, progress)
    said = {(finding.code, finding.columns) for finding in fitted.findings}
    bad = {name for finding in fitted.findings if finding.code in _NAMED for name in finding.columns}
    others = (
        finding
        for finding in (*found.guesses(table, parts, fitted.profiles), *suspected.findings)
        if (finding.code, finding.columns) not in said
        and not (finding.code in ("suspected-identifier", "date-column") and bad.issuperset(finding.columns))
    )
    findings = sorted((*fitted.findings, *others), key=lambda finding: _SEVERITIES.index(finding.severity))
    return Inspection(
        table=_facts(table, dialect, fitted, suspected),
        target=fitted.target,
        columns=fitted.profiles,
        duplicate_columns=suspected.equal,
        collinear=suspected.collinear,
        identifiers=suspected.identifiers,
        leaks=suspected.leaks,
        findings=tuple(findings),
        options=given_options(request),
    )


def _fitted(table: Table, parts: found.Parts, dialect: Dialect, family: str | None, progress: Progress) -> _Fitted:
    """Do what fit does up to the encoding, and go on where it would stop."""
    known = np.ones(table.rows, dtype=bool)
    if parts.target is not None:
        known = ~missing_rows(table, [parts.target]).get(parts.target, np.zeros(table.rows, dtype=bool))
    rows = np.flatnonzero(known)
    refused = found.unusable(table, parts, dialect)
    bad = {name for finding in refused for name in finding.columns}
    good = [name for name in parts.features if name not in bad]
    widened = derived_table(table, parts.recipe.derived.values(), strict=False)
    terms = found.terms_of(widened, parts, good, rows if rows.size else np.arange(table.rows))
    looked = _told(progress, "describing", tuple(table.columns))
    profiles = tuple(_profile(table, name, parts, terms.counts) for name in looked)
    told = [*parts.findings, *refused, *found.unfilled(table, parts, known)]
    target = None if parts.target is None else TargetFacts(parts.target, parts.source, None, None, None)
    if parts.target is not None and parts.target not in bad:
        (profile,) = (profile for profile in profiles if profile.name == parts.target)
        target, said = found.target_facts(table, parts, profile, rows, family)
        told += said
    told += [*terms.findings, *_nothing_left(terms, bad, parts)]
    cells = terms.cells if rows.size else None
    return _Fitted(profiles, target, (int(rows.size), sum(terms.counts.values()), cells), tuple(told))


def _suspected(
    table: Table, parts: found.Parts, profiles: Sequence[ColumnProfile], dialect: Dialect, progress: Progress
) -> _Suspected:
    """Compare rows and columns with each other and with the target."""
    features = [profile for profile in profiles if profile.role == "feature"]
    names = [profile.name for profile in features]
    unsaid = [profile for profile in features if parts.declared(profile.name) not in ("text", "date")]
    progress.doing("comparing", "columns")
    equal = duplicate_columns(table, [profile.name for profile in unsaid])
    repeated = {name for group in equal for name in group[1:]}
    collinear, sampled = near_collinear(table, [name for name in names if name not in repeated], progress.update)
    identifiers = tuple(one for profile in unsaid if (one := find_identifier(table, profile)))
    aim = None if parts.target is None else aim_at(table, parts.target)
    # Of a column with one value its missing cells may tell the target, which --missing indicator would fit on.
    gappy = {profile.name for profile in profiles if profile.role == "left-out" and profile.missing}
    known = [profile.name for profile in profiles if profile.role == "feature" or profile.name in gappy]
    held = [] if aim is None else _told(progress, "finding leaks", known)
    leaks = tuple(leak for name in held if aim is not None and (leak := find_leak(table, name, aim)))
    progress.doing(f"comparing {counted(table.rows, 'row')}")
    count, pair = duplicate_rows(table, [*names, *([] if parts.target is None else [parts.target])])
    findings = found.notes(
        profiles, table, equal=equal, collinear=collinear, identifiers=identifiers, leaks=leaks, dialect=dialect
    )
    told = (*findings, *_repeats(table, count, pair, [one for one in profiles if one.role in ("feature", "target")]))
    return _Suspected(equal, collinear, sampled, identifiers, leaks, count, told)


def _told(progress: Progress, what: str, columns: Sequence[str]) -> Iterator[str]:
    """The columns, each told before it is looked at."""
    progress.doing(what, "columns")
    for done, name in enumerate(columns):
        progress.update(done, len(columns))
        yield name


def _parts(asked: Asked, looking: Looking, table: Table) -> found.Parts:
    """The parts that fit would give to columns. Where it could give none, all that are not dropped are features."""
    names = tuple(table.columns)
    file = looking.data[0]
    try:
        roles = assign_roles(asked, names, file=file)
    except (UsageError, DataError) as error:
        if error.code not in ("conflicting-options", "no-features"):
            raise
        dropped = match_columns(asked.drop, names, file=file)
        wanted = match_columns(asked.features, names, file=file) if asked.features else names
        left = tuple(name for name in wanted if name not in dropped and name != asked.target)
        if asked.features or asked.drop or error.code == "conflicting-options":
            target = asked.target
        else:
            target, left = asked.target or names[-1], ()  # a table of one column, which is the target
        source = "option" if asked.target else "name" if target in TARGET_NAMES else "last-column"
        return found.Parts(target, source, left, (), (found.from_error(error),))
    way = f"--target {quote(roles.target)}"
    guessed = [found.from_warning(warning, [roles.target], way) for warning in roles.warnings]
    return found.Parts(roles.target, roles.target_source, roles.features, roles.categorical, tuple(guessed))


def _data(looking: Looking) -> Data:
    """The same options as fit has them."""
    return Data(
        data=looking.data,
        target=looking.target,
        features=looking.features,
        drop=looking.drop,
        categorical=looking.categorical,
        ordinal=looking.ordinal,
        date=looking.date,
        text=looking.text,
    )


def _declared(parts: found.Parts, looking: Looking, columns: Sequence[str]) -> found.Parts:
    """The parts with what columns are declared to be."""
    data, file = _data(looking), looking.data[0]
    refuse_undeclarable(data, parts.features, columns, parts.target, parts.source)
    declared = read_declared(data, parts.features, file=file)
    recipe = read_recipe(data, parts.features, columns, declared, None, file=file)
    return replace(parts, recipe=recipe)


def _profile(table: Table, name: str, parts: found.Parts, counts: dict[str, int]) -> ColumnProfile:
    """One column with its part, and what is to be said of it as it is declared."""
    declared, column = parts.declared(name), table.columns[name]
    profile = profile_column(table, name, declared=declared)
    if isinstance(column, Levels) and declared == "date":
        profile = replace(profile, dates=date_facts(column))
    elif isinstance(column, Levels) and declared == "text":
        profile = replace(profile, words=word_facts(column, parts.recipe.text[name]))
    elif isinstance(column, Levels) and declared == "ordinal":
        given = parts.recipe.ordinal[name] or level_order(column.levels)
        found = np.unique(find_levels({level: at for at, level in enumerate(given)}, column))
        profile = replace(profile, order=tuple(given[at] for at in found if at >= 0))
    role = "target" if name == parts.target else "feature" if name in parts.known else "dropped"
    if role == "feature" and profile.type in ("empty", "constant"):
        role = "left-out"
    return replace(profile, role=role, n_terms=counts.get(name, 0) if role == "feature" else 0)


def _nothing_left(terms: found.Terms, bad: set[str], parts: found.Parts) -> tuple[Finding, ...]:
    """Say so where every feature is constant."""
    if not parts.features or any(terms.counts.values()) or bad.intersection(parts.features):
        return ()
    return (found.from_error(DataError("no-features", "every column is constant", hint="choose other --features")),)


def _repeats(
    table: Table, count: int, pair: tuple[int, int] | None, compared: Sequence[ColumnProfile]
) -> tuple[Finding, ...]:
    """Say so where rows are repeated that would not be by chance: there could be more rows than pairs of rows.

    ``compared`` are the columns; missing cells count as one value more.
    """
    size = sum(np.log(profile.distinct + bool(profile.missing)) for profile in compared if profile.distinct)
    if pair is None or size < 2 * np.log(table.rows) - np.log(2):
        return ()
    later, earlier = (table.locate(row, None) for row in pair)
    place = "line" if later.line and earlier.line else "row"
    where = f"{place} {getattr(later, place):,} repeats {place} {getattr(earlier, place):,}"
    text = f"{counted(count, 'row')} {'repeats an earlier one' if count == 1 else 'repeat earlier ones'}: {where}"
    hint = "copies in training and held-out rows make scores too good; --group COL keeps rows of one thing together"
    return (Finding("duplicate-rows", "note", (), text, hint, where=later),)


def _facts(table: Table, dialect: Dialect, fitted: _Fitted, suspected: _Suspected) -> TableFacts:
    """How the table is written, and what it is as a whole."""
    rows, terms, cells = fitted.matrix
    text = table.format == "csv"
    return TableFacts(
        files=table.files,
        format=table.format,
        delimiter=table.delimiter,
        decimal=dialect.decimal if text else None,
        encoding=dialect.encoding if text else None,
        header=dialect.header,
        rows=table.rows,
        duplicate_rows=suspected.repeated,
        sampled=suspected.sampled,
        table_bytes=sum(column_bytes(table, name) for name in table.columns),
        matrix_rows=rows,
        matrix_terms=terms,
        matrix_cells=cells,
    )
