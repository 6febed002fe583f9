"""The target column: which family fits it, and how it becomes numbers."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regcli.data.columns import number
from regcli.data.levels import level_order
from regcli.data.table import Column, Levels, Numbers, Table
from regcli.data.usable import SMALLEST
from regcli.errors import DataError, Location, UsageError, Warn, counted, listed
from regcli.problem.families import FAMILIES
from regcli.problem.protocols import Family

__all__ = ["Target", "check_domain", "code_target", "event_of", "events", "guess_family", "spelt"]

Array = NDArray[np.float64]
Rows = NDArray[np.intp]

#: Classes named in an error.
SHOWN = 5

#: glmnet warns below this many rows of a class.
FEW_ROWS = 8

#: Booleans as the classes 0 and 1.
_BOOLEANS = {"false": "0", "true": "1"}


@dataclass(frozen=True, slots=True)
class Target:
    """The target of the rows used: ``values`` (r,), and for classes their names in order and which one is the event."""

    values: Array
    classes: tuple[str, ...] | None = None
    positive: str | None = None
    warnings: tuple[Warn, ...] = ()


def spelt(value: float) -> str:
    """A number as a class is named: 1 rather than 1.0."""
    whole = abs(value) < 2**53 and value == int(value)  # infinity and nan have no integer
    return str(int(value)) if whole else repr(float(value))


def guess_family(table: Table, name: str, rows: Rows) -> str:
    """Gaussian or binomial, from the target's values alone.

    Raises
    ------
    UsageError
        ``family-ambiguous`` for two numbers that are not 0 and 1; ``family-not-available`` for three and more classes.
    """
    column = table.columns[name]
    if isinstance(column, Levels):
        present = np.unique(column.codes[rows])
        if present.size <= 2:
            return "binomial"
        shown = listed([repr(column.levels[at]) for at in present], SHOWN)
        raise UsageError(
            "family-not-available",
            f"target {name!r} has {present.size} classes; families for more than two are not built yet: {shown}",
            hint="choose another --target, or keep the rows of two classes",
        )
    if isinstance(column, Numbers):
        values = np.unique(column.values[rows])
        if values.size == 2 and values[0] == 0 and values[1] == 1:
            return "binomial"
        if values.size == 2:
            raise UsageError(
                "family-ambiguous",
                f"target {name!r} has two values, {spelt(float(values[0]))} and {spelt(float(values[1]))}, "
                "which may be numbers or classes",
                hint="--family gaussian or --family binomial",
            )
    return "gaussian"


def code_target(
    table: Table, name: str, rows: Rows, *, family: str, positive: str | None, shifted: bool = False
) -> Target:
    """The target as numbers for its family.

    ``shifted`` says that an offset or an exposure differs from row to row: a target of one value then says something.

    Raises
    ------
    DataError
        ``constant-target``, ``one-class``, ``rare-class``, ``target-domain``, ``text-in-numeric-column``.
    UsageError
        ``--positive-class`` names no class.
    """
    column = table.columns[name]
    if not FAMILIES[family].classes:
        return Target(_numbers(table, name, rows, FAMILIES[family], shifted=shifted))
    classes, codes = _classes(column, rows)
    where = Location(file=table.files[0].path, column=name)
    if len(classes) > 2:
        raise DataError(
            "target-domain",
            f"target {name!r} has {len(classes):,} different values; binomial takes two",
            where=where,
            cells=classes[:3],
            hint="--family gaussian, or another --target",
        )
    if len(classes) == 1:
        raise DataError(
            "one-class",
            f"target {name!r} has one class only, {classes[0]!r}",
            where=where,
            cells=classes,
            hint="add rows of another class, or choose another --target",
        )
    counts = np.bincount(codes, minlength=2)
    if counts.min() == 1:
        raise DataError(
            "rare-class",
            f"class {classes[int(counts.argmin())]!r} of target {name!r} has a single row",
            where=table.locate(int(rows[int(np.flatnonzero(codes == counts.argmin())[0])]), name),
            hint="add rows of that class, or leave that row out",
        )
    event = _positive(classes, positive)
    warnings = []
    if counts.min() < FEW_ROWS:
        rare = classes[int(counts.argmin())]
        warnings.append(
            Warn(
                "rare-class",
                f"class {rare!r} has {counted(int(counts.min()), 'row')} only",
                {"class": rare, "rows": int(counts.min())},
            )
        )
    return Target((codes == classes.index(event)).astype(np.float64), classes, event, tuple(warnings))


def _numbers(table: Table, name: str, rows: Rows, family: Family, *, shifted: bool) -> Array:
    """A target of numbers."""
    column = table.columns[name]
    if isinstance(column, Levels):
        bad = rows[0]
        raise DataError(
            "target-domain",
            f"target {name!r} is text; {family.name} takes {family.domain}",
            where=table.locate(int(bad), name),
            cells=[column.levels[column.codes[bad]]],
            hint="--family binomial for two classes, or another --target",
        )
    assert isinstance(column, Numbers)  # noqa: S101  (unsupported columns were refused before)
    values = column.values[rows]
    where = Location(file=table.files[0].path, column=name)
    least, most = float(values.min()), float(values.max())
    if least == most and not (shifted and values.size > 1 and family.has_null(least)):
        alone = values.size == 1
        raise DataError(
            "constant-target",
            f"target {name!r} has one value only, {spelt(least)}" + ": there is a single row" * alone,
            where=where,
            cells=[spelt(least)],
            hint="add rows" if alone else "choose another --target",
        )
    if 0 < most - least < SMALLEST:
        raise DataError(
            "value-range",
            f"target {name!r} varies by less than {SMALLEST:g}, whose square vanishes",
            where=where,
            hint="give the target in smaller units",
        )
    check_domain(table, name, rows, family)
    return values


def check_domain(table: Table, name: str, rows: Rows, family: Family) -> None:
    """Refuse a target of numbers outside what the family takes.

    Raises
    ------
    DataError
        ``target-domain``, with the first of them.
    """
    column = table.columns[name]
    values = column.values[rows] if isinstance(column, Numbers) else np.zeros(0)
    outside = np.flatnonzero(~family.allows(values))
    if outside.size:
        raise DataError(
            "target-domain",
            f"target {name!r} has {counted(outside.size, 'value')} that {family.name} does not take: it takes "
            f"{family.domain}",
            where=table.locate(int(rows[outside[0]]), name),
            cells=[spelt(float(values[at])) for at in outside[:3]],
            hint="--family gaussian, or another --target",
        )


def _classes(column: Column, rows: Rows) -> tuple[tuple[str, ...], NDArray[np.intp]]:
    """Class names in order, and the class of each row."""
    if isinstance(column, Levels):
        present, inverse = np.unique(column.codes[rows], return_inverse=True)
        names = [column.levels[code] for code in present]
    else:
        assert isinstance(column, Numbers)  # noqa: S101  (unsupported columns were refused before)
        values, inverse = np.unique(column.values[rows], return_inverse=True)
        names = [spelt(float(value)) for value in values]
    if len(names) > 2:  # refused by the caller; codes would take long for a column of numbers
        return tuple(names), np.zeros(rows.size, dtype=np.intp)
    order = level_order(names)
    position = np.array([order.index(name) for name in names], dtype=np.intp)
    return order, position[inverse]


def _positive(classes: tuple[str, ...], asked: str | None) -> str:
    """The event: as asked for, else the later class."""
    if asked is None:
        return classes[-1]
    if asked in classes:
        return asked
    raise UsageError(
        "unknown-option-value",
        f"--positive-class {asked!r} is not a class of the target",
        near=classes,
        hint="one of " + ", ".join(map(repr, classes)),
    )


def event_of(level: str, classes: Collection[str], positive: str | None, decimal: str = ".") -> float:
    """1 for the event, 0 for the other class, nan for anything else.

    A number is the class of its value, as 1.0 is the class 1. Booleans match in any capitals, and True is the class 1.
    """
    value = number(level, decimal)
    names = [level] if value is None or not np.isfinite(value) else [level, spelt(value)]
    truth = level.casefold()
    if truth in _BOOLEANS:
        names += [_BOOLEANS[truth], *(name for name in classes if name.casefold() == truth)]
    name = next((name for name in names if name in classes), None)
    return float("nan") if name is None else float(name == positive)


def events(table: Table, name: str, rows: Rows, target: Target, decimal: str = ".") -> Array:
    """A binomial target of another table, none of it missing: 1 for the event, 0 for the other class.

    Raises
    ------
    DataError
        ``target-domain`` for a class the training rows do not have.
    """
    column = table.columns[name]
    codes: NDArray[np.signedinteger]
    if isinstance(column, Levels):
        names, codes = list(column.levels), column.codes[rows]
    else:
        assert isinstance(column, Numbers)  # noqa: S101  (unsupported columns were refused before)
        values, codes = np.unique(column.values[rows], return_inverse=True)
        names = [spelt(float(value)) for value in values]
    classes = target.classes or ()
    found = np.array([event_of(level, classes, target.positive, decimal) for level in names])[codes]
    strange = np.flatnonzero(np.isnan(found))
    if strange.size:
        unknown = list(dict.fromkeys(names[codes[at]] for at in strange))
        raise DataError(
            "target-domain",
            f"the target has a class that is not known: {unknown[0]!r}",
            where=table.locate(int(rows[strange[0]]), name),
            cells=unknown[:3],
            hint=f"leave out the rows of other classes than {' and '.join(map(repr, classes))}",
        )
    return found
