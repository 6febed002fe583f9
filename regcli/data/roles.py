"""Which column plays which part: names and patterns to columns, and the roles they get."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from regcli.data.headings import one_column_hint
from regcli.data.nearby import names_near
from regcli.data.patterns import columns_named, is_pattern
from regcli.errors import DataError, Location, UsageError, Warn, listed

__all__ = ["TARGET_NAMES", "Asked", "Roles", "assign_roles", "find_column", "match_columns", "parts_of"]

#: Parts beside the target that one column plays.
_PARTS = ("weights", "offset", "exposure", "fold", "group", "order")

#: Options of parts whose names differ.
_FLAGS = {"fold": "fold-column", "order": "order-by"}

#: What parts are called that a formula gives.
_IN_FORMULA = {"target": "the target", "features": "a term of the formula", "drop": "left out of the formula"}

#: Names that make a column the target when none is given.
TARGET_NAMES = ("y", "target")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the user said about columns; patterns where several may be named.

    Where there is a formula, ``named`` are the columns of its terms: they are there and play no other part.
    """

    target: str | None = None
    features: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    id: tuple[str, ...] = ()
    weights: str | None = None
    offset: str | None = None
    exposure: str | None = None
    fold: str | None = None
    group: str | None = None
    order: str | None = None
    named: tuple[str, ...] | None = None

    @property
    def names(self) -> frozenset[str]:
        """Every name and pattern of a column that was given."""
        single = (*parts_of(self).values(), *(() if self.target is None else (self.target,)))
        return frozenset((*single, *self.features, *self.drop, *self.categorical, *self.id, *(self.named or ())))


@dataclass(frozen=True, slots=True)
class Roles:
    """One part for each column; ``features`` in the file's order."""

    target: str
    target_source: str
    features: tuple[str, ...]
    categorical: tuple[str, ...]
    id: tuple[str, ...]
    weights: str | None
    offset: str | None
    exposure: str | None
    fold: str | None
    group: str | None
    order: str | None
    warnings: tuple[Warn, ...] = ()

    def numeric(self) -> tuple[str, ...]:
        """Columns beside the features that must be numbers."""
        return tuple(name for name in (self.weights, self.offset, self.exposure) if name is not None)

    def marks(self) -> tuple[str, ...]:
        """Columns that mark rows: folds, groups, times."""
        return tuple(name for name in (self.fold, self.group, self.order) if name is not None)


def parts_of(columns: Asked | Roles) -> dict[str, str]:
    """The columns of parts that one column plays, by part; the target is not among them."""
    named = ((part, getattr(columns, part)) for part in _PARTS)
    return {part: name for part, name in named if name is not None}


def find_column(name: str, columns: Sequence[str], *, file: str | None = None) -> str:
    """The column of this name, or an error that names the nearest ones."""
    if name in columns:
        return name
    raise _not_found(f"no column {name!r}", name, columns, file)


def match_columns(patterns: Iterable[str], columns: Sequence[str], *, file: str | None = None) -> tuple[str, ...]:
    """Columns named by patterns, in the file's order: a literal name first, then ``*`` and ``?``.

    Raises
    ------
    DataError
        ``column-not-found`` for a name that is not there and a pattern that matches nothing.
    """
    found: set[str] = set()
    known = dict.fromkeys(columns)
    for pattern in patterns:
        matched = columns_named(pattern, known)
        if not matched:
            what = f"no column matches {pattern!r}" if is_pattern(pattern) else f"no column {pattern!r}"
            raise _not_found(what, pattern, columns, file)
        found.update(matched)
    return tuple(name for name in columns if name in found)


def assign_roles(asked: Asked, columns: Sequence[str], *, file: str | None = None) -> Roles:
    """Give every column its part.

    Raises
    ------
    DataError
        A column is not there, or none is left to fit with.
    UsageError
        A column was given two parts, or the target cannot be guessed.
    """
    single = {part: find_column(name, columns, file=file) for part, name in parts_of(asked).items()}
    ids = match_columns(asked.id, columns, file=file)
    dropped = frozenset(match_columns(asked.drop, columns, file=file))
    taken = {*single.values(), *ids, *dropped}
    target, source, warnings = _target(asked, columns, taken, file)
    for name in asked.named or ():
        find_column(name, columns, file=file)
    _refuse_two_roles(asked, target, single, ids, dropped)
    reserved = {target, *single.values(), *ids}
    wanted = match_columns(asked.features, columns, file=file) if asked.features else tuple(columns)
    features = tuple(name for name in wanted if name not in reserved and name not in dropped)
    if not features:
        raise DataError(
            "no-features",
            "no column is left to fit with",
            hint="--features COL" if len(columns) > 1 else one_column_hint(columns[0]),
            where=Location(file=file),
        )
    categorical = match_columns(asked.categorical, columns, file=file)
    used = {target, *features}
    unused = [name for name in categorical if name not in used]
    if unused:
        raise UsageError(
            "option-without-effect",
            f"--categorical {unused[0]!r}: the column is not used",
            hint="leave --categorical out, or let --features and --drop keep the column",
        )
    return Roles(
        target=target,
        target_source=source,
        features=features,
        categorical=categorical,
        id=ids,
        warnings=warnings,
        **{part: single.get(part) for part in _PARTS},
    )


def _target(
    asked: Asked, columns: Sequence[str], taken: set[str], file: str | None
) -> tuple[str, str, tuple[Warn, ...]]:
    """The target as given or guessed."""
    if asked.target is not None:
        return find_column(asked.target, columns, file=file), "option", ()
    named = [name for name in TARGET_NAMES if name in columns and name not in taken]
    if len(named) > 1:
        raise UsageError(
            "conflicting-options",
            "columns named y and target are both there, and either could be the target",
            hint="--target y or --target target",
        )
    free = [name for name in columns if name not in taken]
    if not free:
        raise DataError("no-features", "no column is left for the target", hint="--target COL")
    target, source = (named[0], "name") if named else (free[-1], "last-column")
    reason = "its name" if named else "it is the last column"
    warning = Warn(
        "target-guessed", f"the target is taken to be {target!r} ({reason}); say --target", {"column": target}
    )
    return target, source, (warning,)


def _refuse_two_roles(
    asked: Asked, target: str, single: dict[str, str], ids: tuple[str, ...], dropped: Collection[str]
) -> None:
    """A column has one part; a pattern of features may sweep over others, a name may not."""
    parts: dict[str, str] = {}
    roles = [
        ("target", target),
        *((_FLAGS.get(role, role), name) for role, name in single.items()),
        *(("id", name) for name in ids),
        *(("drop", name) for name in dropped),
    ]
    features = asked.features if asked.named is None else asked.named
    named = [("features", name) for name in features if asked.named is not None or not is_pattern(name)]
    for role, name in [*roles, *named]:
        if name in parts and parts[name] != role:
            raise _two_roles(name, parts[name], role, formula=asked.named is not None)
        parts[name] = role


def _two_roles(name: str, first: str, second: str, *, formula: bool) -> UsageError:
    """The error for a column with two parts; what a formula gives is no option that could be left out."""
    both = (first, second)
    told = [_IN_FORMULA[role] if formula and role in _IN_FORMULA else f"--{role}" for role in both]
    hint = f"leave out {told[0]} or {told[1]}"
    if formula:
        options = [role for role in both if role not in _IN_FORMULA]
        hint = f"leave out --{options[0]}, or {name!r} in the formula" if options else f"leave {name!r} out after ~"
    return UsageError("column-in-two-roles", f"column {name!r} is given as {told[0]} and as {told[1]}", hint=hint)


def _not_found(what: str, name: str, columns: Sequence[str], file: str | None) -> DataError:
    near = names_near(name, columns)
    hint = f"the columns are: {listed(columns, 12)}"
    several = [part.strip() for part in name.split(",")]
    if len(several) > 1 and set(several) <= set(columns):
        near, hint = [], "an option names one column: repeat it for each"
    elif len(columns) == 1:
        hint = one_column_hint(columns[0])
    return DataError("column-not-found", what, near=near, where=Location(file=file), hint=hint)
