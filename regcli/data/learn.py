"""How columns become terms: learnt once, on training rows."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from shlex import quote
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from regcli.data.encoder import Encoder
from regcli.data.fills import Fills, learn_fills, power
from regcli.data.levels import level_order
from regcli.data.table import Column, Levels, Numbers, Table, Unsupported
from regcli.data.terms import Factor, Feature, Term, cross
from regcli.data.usable import LARGEST, SMALLEST
from regcli.errors import DataError, Location, Warn, counted

__all__ = ["Learnt", "Recipe", "describe", "learn_encoder"]

Array = NDArray[np.float64]
Rows = NDArray[np.intp]

#: Names shown in a warning.
SHOWN = 5

#: Cells that are looked at before all of them are, to see that a column has more values than powers are asked for.
FIRST_CELLS = 1_000


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is asked for beside the columns themselves.

    ``policies`` says by column what becomes of missing cells (``error`` where it says nothing), ``degree`` is the
    highest power of numbers, ``pairs`` are columns whose products are wanted.
    """

    policies: Mapping[str, str] = field(default_factory=dict)
    degree: int = 1
    pairs: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Learnt:
    """An encoder, the columns and products that were left out and why, and what the user should know."""

    encoder: Encoder
    dropped: tuple[tuple[str, str], ...]
    warnings: tuple[Warn, ...]


@dataclass(frozen=True, slots=True)
class _Training:
    """A table with the rows that are trained on, and those of them that have weight."""

    table: Table
    rows: Rows
    weights: Array
    recipe: Recipe

    @property
    def weighted(self) -> Rows:
        """Rows with weight."""
        return self.rows[self.weights > 0]

    def refuse_range(self, name: str, message: str, hint: str) -> NoReturn:
        """Raise for values that leave double precision when they are squared."""
        where = Location(file=self.table.files[0].path, column=name)
        raise DataError("value-range", message, where=where, hint=hint)


def learn_encoder(
    table: Table,
    names: Sequence[str],
    rows: Rows,
    *,
    weights: Array,
    reference: Collection[str] | bool,
    recipe: Recipe | None = None,
) -> Learnt:
    """Learn how source columns become terms, on training rows.

    Parameters
    ----------
    table : Table
        The data.
    names : sequence of str
        Source columns in order. Only where the recipe fills them are cells in ``rows`` missing.
    rows : (r,) integers
        Training rows.
    weights : (r,) array
        Their weights, 0 or more: a column that is constant over the rows that have weight carries nothing.
    reference : collection of str, or bool
        Columns whose first level is left out, because nothing penalises them; True for all.
    recipe : Recipe
        Policies for missing cells, powers and interactions.

    Raises
    ------
    DataError
        ``duplicate-term``; ``value-range`` for columns, powers and products beyond double precision.
    """
    training = _Training(table, rows, weights, recipe or Recipe())
    features: list[Feature] = []
    dropped: list[tuple[str, str]] = []
    for name in names:
        if isinstance(table.columns[name], Unsupported):
            dropped.append((name, "unsupported"))
            continue
        without_first = reference if isinstance(reference, bool) else name in reference
        feature = _feature(training, name, without_first=without_first)
        if not feature.coding:
            dropped.append((name, "constant"))
        if feature.terms:
            features.append(feature)
    holes = {feature.source: _missing(table.columns[feature.source], rows) for feature in features if feature.filled}
    gaps = {name: count for name, count in holes.items() if count}
    fills = learn_fills(tuple(feature for feature in features if feature.filled), table.columns, rows, weights)
    interactions: list[Term] = []
    for term, varies in _products(training, {feature.source: feature for feature in features}, fills):
        if varies:
            interactions.append(term)
        else:
            dropped.append((term.name, "constant"))
    encoder = Encoder(tuple(features), tuple(interactions), fills, frozenset(gaps))
    _refuse_equal_terms(encoder.terms, table.files[0].path)
    policies = {name: training.recipe.policies[name] for name in gaps}
    return Learnt(encoder, tuple(dropped), (*_warn_filled(gaps, policies), *_warn_constant(dropped)))


def _missing(column: Column, rows: Rows) -> int:
    """How many of these cells are missing."""
    if isinstance(column, Numbers):
        return int(np.isnan(column.values[rows]).sum())
    return int((column.codes[rows] < 0).sum()) if isinstance(column, Levels) else rows.size


def _warn_filled(gaps: Mapping[str, int], policies: Mapping[str, str]) -> Iterator[Warn]:
    """Say how many cells of training rows were filled."""
    if gaps:
        total = sum(gaps.values())
        were, how = "was" if total == 1 else "were", ", ".join(dict.fromkeys(policies.values()))
        text = f"{counted(total, 'cell')} in {counted(len(gaps), 'column')} {were} filled ({how}): {_shown(gaps)}"
        yield Warn("imputed", text, {"columns": dict(gaps), "policy": dict(policies)})


def _warn_constant(dropped: Sequence[tuple[str, str]]) -> Iterator[Warn]:
    """Say what was left out because it has one value only."""
    constant = [name for name, reason in dropped if reason == "constant"]
    if constant:
        has, were = ("has", "was") if len(constant) == 1 else ("have", "were")
        text = f"{counted(len(constant), 'column')} {has} one value only and {were} left out: {_shown(constant)}"
        yield Warn("constant-column", text, {"columns": constant})


def _shown(names: Collection[str]) -> str:
    """The first names of a list."""
    return ", ".join(list(names)[:SHOWN]) + (", ..." if len(names) > SHOWN else "")


# -- columns ---------------------------------------------------------------------------------------------------------


def _feature(training: _Training, name: str, *, without_first: bool) -> Feature:
    """One feature; without ``coding`` where its cells are all the same, without terms where nothing is left of it."""
    column, policy = training.table.columns[name], training.recipe.policies.get(name, "error")
    weighted = training.weighted
    if isinstance(column, Numbers):
        values = column.values[weighted]
        gaps = np.isnan(values)
        flag = policy == "indicator" and bool(gaps.any()) and not gaps.all()
        return Feature(name, "number", missing=policy, powers=_powers(training, name, values[~gaps]), flag=flag)
    if not isinstance(column, Levels):
        raise TypeError(f"column {name!r} cannot be used")
    codes = column.codes[weighted]
    present = np.unique(codes[codes >= 0])
    flag = policy == "indicator" and bool((codes < 0).any()) and present.size > 0
    levels = level_order([column.levels[code] for code in present])
    coded = levels[1:] if len(levels) <= 2 or without_first else levels
    return Feature(name, "category", levels, coded, boolean=column.boolean, missing=policy, flag=flag)


def _powers(training: _Training, name: str, cells: Array) -> int:
    """The highest power of a column of numbers: below the number of its values, 0 where there is one or none.

    Raises
    ------
    DataError
        ``value-range``: the squares of the column, or of one of its powers, overflow or vanish.
    """
    if not cells.size or cells.min() == cells.max():
        return 0
    if cells.max() - cells.min() < SMALLEST:
        text = f"column {name!r} varies by less than {SMALLEST:g}, whose square vanishes"
        training.refuse_range(name, text, f"give the column in smaller units, or --drop {quote(name)}")
    highest = min(training.recipe.degree, _distinct(cells, training.recipe.degree + 1) - 1)
    column = training.table.columns[name]
    every = column.values[training.rows] if isinstance(column, Numbers) else cells
    hint = f"a lower --poly, or give the column in other units, for instance {quote(name)} less its mean"
    for exponent in range(2, highest + 1):
        with np.errstate(over="ignore", under="ignore"):
            raised, weighted = power(np.abs(every), exponent), power(cells, exponent)
        what = f"column {name!r} to the power of {exponent}"
        if np.nanmax(raised) > LARGEST:
            training.refuse_range(name, f"{what} has values beyond {LARGEST:g}, whose squares overflow", hint)
        if weighted.max() - weighted.min() < SMALLEST:
            training.refuse_range(name, f"{what} varies by less than {SMALLEST:g}, whose square vanishes", hint)
    return highest


def _distinct(cells: Array, enough: int) -> int:
    """The number of different values, or ``enough`` if there are as many; the first cells mostly tell."""
    first = np.unique(cells[:FIRST_CELLS]).size
    return enough if first >= enough else min(enough, np.unique(cells).size)


def _refuse_equal_terms(terms: Sequence[Term], file: str) -> None:
    """Two terms of one name could not be told apart in the result."""
    seen: dict[str, Term] = {}
    for term in terms:
        if term.name in seen:
            other = seen[term.name]
            name = term.main or other.main or term.sources[0]
            raise DataError(
                "duplicate-term",
                f"{_made_of(other)} and {_made_of(term)} both give a term {term.name!r}",
                hint=f"rename one of the columns, or --drop {quote(name)}",
                where=Location(file=file, column=name),
            )
        seen[term.name] = term


def _made_of(term: Term) -> str:
    """The columns of a term, for a message."""
    return " with ".join(f"column {source!r}" for source in term.sources)


# -- interactions ----------------------------------------------------------------------------------------------------


def _products(training: _Training, features: Mapping[str, Feature], fills: Fills) -> Iterator[tuple[Term, bool]]:
    """The terms of all pairs in order, and whether they vary over the rows with weight."""
    known = training.weights > 0
    last, block = "", np.zeros((0, 0))
    for left, right in training.recipe.pairs:
        sides = tuple(_coding(features, name) for name in (left, right))
        terms = cross(*sides)
        if not all(name in features and features[name].coding for name in (left, right)):
            yield from ((term, False) for term in terms)
            continue
        if left != last:
            last, block = left, _coded(training, features[left], fills)
        other = _coded(training, features[right], fills)
        for at, term in enumerate(terms):
            with np.errstate(over="ignore", under="ignore"):
                values = block[:, at // len(sides[1])] * other[:, at % len(sides[1])]
            yield term, _varies(training, term, values, values[known])


def _coding(features: Mapping[str, Feature], name: str) -> tuple[Factor, ...]:
    """What a column gives to a product; a column that is constant gives itself."""
    found = features[name].coding if name in features else ()
    return found or (Factor(name, "value"),)


def _coded(training: _Training, feature: Feature, fills: Fills) -> Array:
    """The columns (r, k) of one feature that products are made of, on the training rows."""
    plain = replace(feature, powers=min(1, feature.powers))
    return Encoder((plain,), fills=fills).matrix(training.table.columns, training.rows, unknown_is_zero=True)


def _varies(training: _Training, term: Term, values: Array, weighted: Array) -> bool:
    """Whether a product varies; an error if its squares overflow or vanish."""
    hint = f"give {quote(term.sources[0])} or {quote(term.sources[1])} in other units"
    if np.abs(values).max() > LARGEST:
        text = f"{term.name!r} has values beyond {LARGEST:g}, whose squares overflow"
        training.refuse_range(term.sources[0], text, hint)
    spread = float(weighted.max() - weighted.min())
    if 0 < spread < SMALLEST:
        text = f"{term.name!r} varies by less than {SMALLEST:g}, whose square vanishes"
        training.refuse_range(term.sources[0], text, hint)
    return spread > 0


# -- profile ---------------------------------------------------------------------------------------------------------


def describe(table: Table, encoder: Encoder, rows: Rows) -> dict[str, dict[str, object]]:
    """What the training rows of each source column look like: range and quartiles, or counts of levels.

    Missing cells are counted and play no further part.
    """
    out: dict[str, dict[str, object]] = {}
    for feature in encoder.features:
        column = table.columns[feature.source]
        if isinstance(column, Numbers):
            values = column.values[rows]
            marks = np.quantile(values[~np.isnan(values)], [0.0, 0.25, 0.5, 0.75, 1.0])
            out[feature.source] = dict(zip(("min", "q1", "median", "q3", "max"), map(float, marks), strict=True))
        elif isinstance(column, Levels):
            codes = column.codes[rows]
            counts = np.bincount(codes[codes >= 0], minlength=len(column.levels))
            spelt = dict(zip(column.levels, counts.tolist(), strict=True))
            out[feature.source] = {"levels": {level: spelt[level] for level in feature.levels}}
        out[feature.source]["missing"] = _missing(column, rows)
    return out
