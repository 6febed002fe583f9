"""How columns become terms: learnt once, on training rows."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from shlex import quote
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from regcli.data.encoder import Encoder
from regcli.data.fills import power
from regcli.data.lessons import Lessons, frequent_levels, learn_lessons
from regcli.data.levels import find_levels, level_order
from regcli.data.spline import basis_of, knots_of
from regcli.data.table import Column, Levels, Numbers, Table, Unsupported
from regcli.data.terms import OTHER, Factor, Feature, Term, cross, policies_of
from regcli.data.usable import LARGEST, SMALLEST
from regcli.data.words import count_words, vocabulary
from regcli.errors import DataError, Location, Warn, counted, listed

__all__ = ["Learnt", "Recipe", "TextRule", "learn_encoder"]

Array = NDArray[np.float64]
Rows = NDArray[np.intp]

#: Names shown in a warning.
SHOWN = 5

#: Cells that are looked at before all of them are, to see that a column has more values than powers are asked for.
FIRST_CELLS = 1_000


@dataclass(frozen=True, slots=True)
class TextRule:
    """How text becomes words: runs of up to ``ngrams``, weighed, each in ``least`` rows, the ``most`` frequent ones."""

    ngrams: int = 1
    weighting: str = "count"
    least: int = 2
    most: int = 10_000


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is asked for beside the columns themselves.

    ``policies`` says by column what becomes of missing cells (``error`` where it says nothing), ``degree`` is the
    highest power of numbers, ``degrees`` the same for columns that have their own, ``pairs`` are columns whose products
    are wanted. ``ordinal`` has columns of ordered levels with the order, empty for the sorted one; ``splines`` columns
    with their number of knots; ``text`` columns of text; ``derived`` says of columns that are made cell by cell from
    which function and source. Levels with fewer than ``least_level`` rows are pooled.
    """

    policies: Mapping[str, str] = field(default_factory=dict)
    degree: int = 1
    pairs: tuple[tuple[str, str], ...] = ()
    degrees: Mapping[str, int] = field(default_factory=dict)
    ordinal: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    splines: Mapping[str, int] = field(default_factory=dict)
    text: Mapping[str, TextRule] = field(default_factory=dict)
    derived: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    least_level: int = 1

    def source(self, name: str) -> tuple[str, str | None]:
        """The column of the file, and what its cells go through."""
        function, source = self.derived.get(name, (None, name))
        return source, function


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
    weighted: Rows

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
    whole: str | None = None,
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
    whole : str, optional
        A column none of whose levels is left out, be they two.
    recipe : Recipe
        Policies for missing cells, powers and interactions.

    Raises
    ------
    DataError
        ``duplicate-term``; ``value-range`` for columns, powers and products beyond double precision;
        ``column-not-found`` for a product of a column that is not in the table.
    ValueError
        A product of a column with itself.
    """
    training = _Training(table, rows, weights, recipe or Recipe(), rows[weights > 0])
    _refuse_strange(training)
    features: list[Feature] = []
    dropped: list[tuple[str, str]] = []
    marked: set[str] = set()
    for name in names:
        if isinstance(table.columns[name], Unsupported):
            dropped.append((name, "unsupported"))
            continue
        without_first = reference if isinstance(reference, bool) else name in reference
        up_to = 1 if name == whole else np.inf if without_first else 2
        feature = _feature(training, name, up_to=up_to)
        if feature.flag:  # the first of those that are made of a column has the term of its missing cells
            feature = replace(feature, mark="sibling" if feature.source in marked else "source")
            marked.add(feature.source)
        if feature.terms:
            features.append(feature)
        else:
            dropped.append((name, "no-words" if feature.kind == "text" else "constant"))
    filled = (feature.column for feature in features if feature.filled)
    gaps = {name: count for name in filled if (count := _missing(table.columns[name], rows))}
    limits = _limits(training.recipe, features)
    lessons = learn_lessons(tuple(features), table.columns, rows, weights, limits)
    interactions: list[Term] = []
    for term, varies in _products(training, {feature.column: feature for feature in features}, lessons):
        if varies:
            interactions.append(term)
        else:
            dropped.append((term.name, "constant"))
    encoder = Encoder(tuple(features), tuple(interactions), lessons, limits, frozenset(gaps))
    _refuse_equal_terms(encoder.terms, table.files[0].path)
    told = (_warn_constant(dropped, table), _warn_wordless(dropped, recipe), _warn_missing_alone(features))
    return Learnt(encoder, tuple(dropped), (*_warn_filled(features, gaps), *chain.from_iterable(told)))


def _limits(recipe: Recipe, features: Sequence[Feature]) -> dict[str, int]:
    """What learning goes by: the fewest rows of a level or word, the knots of a spline."""
    out = {feature.column: recipe.least_level for feature in features if feature.pooled}
    out |= {feature.column: recipe.splines[feature.column] for feature in features if feature.basis}
    return out | {feature.column: recipe.text[feature.column].least for feature in features if feature.kind == "text"}


def _missing(column: Column, rows: Rows) -> int:
    """How many of these cells are missing."""
    if isinstance(column, Unsupported):
        return rows.size
    return int(np.count_nonzero(column.missing[rows])) if column.gapped else 0


def _warn_filled(features: Sequence[Feature], gaps: Mapping[str, int]) -> Iterator[Warn]:
    """Say how many cells of training rows were filled, by columns of the file; the mean of text has no words."""
    filled = [feature for feature in features if feature.column in gaps]
    if filled:
        sources = {feature.source: gaps[feature.column] for feature in filled}
        cells, columns = counted(total := sum(sources.values()), "cell"), counted(len(sources), "column")
        ways = ("no words" if f.missing == "mean" and f.kind == "text" else f.missing for f in filled)
        were, how = "was" if total == 1 else "were", ", ".join(dict.fromkeys(ways))
        text = f"{cells} in {columns} {were} filled ({how}): {listed(sources, SHOWN)}"
        yield Warn("imputed", text, {"columns": sources, "policy": policies_of(filled)})


def _warn_missing_alone(features: Sequence[Feature]) -> Iterator[Warn]:
    """Say of which columns whether the cell is missing is all that is fitted on."""
    alone = [feature for feature in features if not feature.coding]
    if alone:
        tells = "tells" if len(alone) == 1 else "tell"
        terms = listed([term.name for feature in alone for term in feature.terms], SHOWN)
        text = f"{counted(len(alone), 'column')} {tells} no more than whether a cell is missing: {terms}"
        yield Warn("constant-column", text, {"columns": [feature.column for feature in alone]})


def _warn_constant(dropped: Sequence[tuple[str, str]], table: Table) -> Iterator[Warn]:
    """Say what was left out because it has one value only, as far as doubles tell."""
    constant = [name for name, reason in dropped if reason == "constant"]
    if constant:
        has, were = ("has", "was") if len(constant) == 1 else ("have", "were")
        text = f"{counted(len(constant), 'column')} {has} one value only and {were} left out: {listed(constant, SHOWN)}"
        numbers = ((name, table.columns.get(name)) for name in constant)
        long = [name for name, column in numbers if isinstance(column, Numbers) and column.rounded]
        if long:
            text += f"; of integers beyond 2^53 only the nearest double is read ({listed(long, SHOWN)}): --categorical"
            text += " keeps the cells as they are spelt"
        yield Warn("constant-column", text, {"columns": constant})


def _warn_wordless(dropped: Sequence[tuple[str, str]], recipe: Recipe | None) -> Iterator[Warn]:
    """Say which texts were left out because no word of theirs is frequent enough."""
    wordless = [name for name, reason in dropped if reason == "no-words"]
    if wordless and recipe:
        least, one = recipe.text[wordless[0]].least, len(wordless) == 1
        common = f"{counted(least, 'training row')} {'has' if least == 1 else 'have'}"
        text = f"{counted(len(wordless), 'column')} of text {'has' if one else 'have'} no word that {common} and "
        text += f"{'was' if one else 'were'} left out: {listed(wordless, SHOWN)}; --text-min-rows takes rarer ones"
        yield Warn("no-words", text, {"columns": wordless})


# -- columns ---------------------------------------------------------------------------------------------------------


def _feature(training: _Training, name: str, *, up_to: float) -> Feature:
    """One feature; without ``coding`` where its cells are all the same, without terms where nothing is left of it."""
    column, recipe = training.table.columns[name], training.recipe
    source, function = recipe.source(name)
    policy = recipe.policies.get(name, "error")
    holes = _missing(column, training.weighted) if policy == "indicator" else 0
    flag = 0 < holes < training.weighted.size
    plain = Feature(source, "number", missing=policy, flag=flag, function=function)
    if isinstance(column, Numbers):
        return _number(training, plain, column.taken(training.weighted))
    if not isinstance(column, Levels):
        raise TypeError(f"column {name!r} cannot be used")
    if name in recipe.text:
        return _words(training, plain, column)
    return _category(training, plain, column, up_to=up_to)


def _number(training: _Training, plain: Feature, column: Numbers) -> Feature:
    """A column of numbers, from its cells in the rows with weight."""
    name = plain.column
    powers = _powers(training, name, column.occurring)
    if name not in training.recipe.splines or not powers:
        return replace(plain, powers=powers)
    there = ~column.missing
    cells, weights = column.values[there], training.weights[training.weights > 0][there]
    basis = basis_of(knots_of(cells, weights, training.recipe.splines[name]))
    return replace(plain, powers=0, basis=basis)


def _category(training: _Training, plain: Feature, column: Levels, *, up_to: float) -> Feature:
    """A column of levels: in order, rare ones pooled; of ``up_to`` so many the first is left out."""
    name, recipe, weighted = plain.column, training.recipe, training.weighted
    codes = np.flatnonzero(column.taken(weighted).counts)
    present = [column.levels[code] for code in codes]
    if name in recipe.ordinal:
        levels = _ordered(training, name, column, codes) if recipe.ordinal[name] else level_order(present)
        return replace(plain, kind="ordinal", levels=levels, coded=levels[1:], boolean=column.boolean)
    levels, pooled = level_order(present), tuple[str, ...]()
    if recipe.least_level > 1 and plain.function is None:  # months and weekdays are not an open list
        frequent = frequent_levels(column, weighted, recipe.least_level)
        pooled = tuple(level for level in levels if level not in frequent)
        _refuse_other(training, name, levels) if pooled else None
        levels = (*(level for level in levels if level in frequent), *((OTHER,) if pooled else ()))
    coded = levels[1:] if len(levels) <= up_to else levels
    return replace(plain, kind="category", levels=levels, coded=coded, boolean=column.boolean, pooled=pooled)


def _ordered(training: _Training, name: str, column: Levels, codes: Rows) -> tuple[str, ...]:
    """The levels that are there (``codes``) in the order that is given, and called as they are in it."""
    order = training.recipe.ordinal[name]
    places = find_levels({level: at for at, level in enumerate(order)}, column)
    strange = [column.levels[code] for code in codes if places[code] < 0]
    if strange:
        row = int(
            training.weighted[np.flatnonzero(column.codes[training.weighted] == column.levels.index(strange[0]))[0]]
        )
        raise DataError(
            "unknown-level",
            f"column {name!r} has a level that the order of --ordinal leaves out",
            where=training.table.locate(row, name),
            cells=strange[:SHOWN],
            hint=f"--ordinal {quote(name + '=' + ','.join([*order, *strange[:1]]))}, with it in its place",
        )
    return tuple(order[at] for at in np.unique(places[codes]))


def _refuse_other(training: _Training, name: str, levels: Sequence[str]) -> None:
    """The name of the pool must be free."""
    if OTHER in levels:
        raise DataError(
            "duplicate-term",
            f"column {name!r} has a level {OTHER!r}, which is what rare levels are pooled into",
            where=Location(file=training.table.files[0].path, column=name),
            hint=f"rename the level, or leave --min-level-count out, or --drop {quote(name)}",
        )


def _words(training: _Training, plain: Feature, column: Levels) -> Feature:
    """A column of text: the words that are frequent enough."""
    rule = training.recipe.text[plain.column]
    counted = count_words(column.levels, rule.ngrams)
    words = vocabulary(counted, column.taken(training.weighted).counts, rule.least, rule.most)
    return replace(plain, kind="text", coded=words, ngrams=rule.ngrams, weighting=rule.weighting)


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
    degree = training.recipe.degrees.get(name, training.recipe.degree)
    highest = min(degree, _distinct(cells, degree + 1) - 1)
    if highest < 2:
        return highest
    column = training.table.columns[name]
    every = column.taken(training.rows).occurring if isinstance(column, Numbers) else cells
    hint = f"a lower --poly, or give the column in other units, for instance {quote(name)} less its mean"
    for exponent in range(2, highest + 1):
        with np.errstate(over="ignore", under="ignore"):
            raised, weighted = power(np.abs(every), exponent), power(cells, exponent)
        what = f"column {name!r} to the power of {exponent}"
        if raised.max() > LARGEST:
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
                hint=f"rename one of the columns, or --drop {quote(name)} (in a formula - `{name}`)",
                where=Location(file=file, column=name),
            )
        seen[term.name] = term


def _made_of(term: Term) -> str:
    """The columns of a term, for a message."""
    return " with ".join(f"column {source!r}" for source in term.sources)


# -- interactions ----------------------------------------------------------------------------------------------------


def _products(training: _Training, features: Mapping[str, Feature], lessons: Lessons) -> Iterator[tuple[Term, bool]]:
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
            last, block = left, _coded(training, features[left], lessons)
        other = _coded(training, features[right], lessons)
        for at, term in enumerate(terms):
            with np.errstate(over="ignore", under="ignore"):
                values = block[:, at // len(sides[1])] * other[:, at % len(sides[1])]
            yield term, _varies(training, term, values, values[known])


def _refuse_strange(training: _Training) -> None:
    """Products are of two different columns, both in the table: a name that is not there is no constant column."""
    for pair in training.recipe.pairs:
        if pair[0] == pair[1]:
            raise ValueError(f"{':'.join(pair)} is a product of a column with itself")
        for name in pair:
            if name not in training.table.columns:
                text = f"{':'.join(pair)}: no column {name!r}"
                hint = f"the columns are: {listed(tuple(training.table.columns), 12)}"
                where = Location(file=training.table.files[0].path)
                raise DataError("column-not-found", text, hint=hint, where=where)


def _coding(features: Mapping[str, Feature], name: str) -> tuple[Factor, ...]:
    """What a column gives to a product; a column that is constant gives itself."""
    found = features[name].coding if name in features else ()
    return found or (Factor(name, "value"),)


def _coded(training: _Training, feature: Feature, lessons: Lessons) -> Array:
    """The columns (r, k) of one feature that products are made of, on the training rows."""
    plain = replace(feature, powers=min(1, feature.powers))
    coding = Encoder((plain,), lessons=lessons)
    found = coding.matrix(training.table.columns, training.rows, unknown_is_zero=True)
    return found if isinstance(found, np.ndarray) else found.toarray()


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
