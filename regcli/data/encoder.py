"""Columns of a table to columns of numbers, and what differs between training sets in doing so.

What training rows teach enters linearly: the design of a training set is X = B T. The base columns B are the same for
every training set. The lane matrix T holds what was learnt about missing cells: with x0 the numbers, 0 where a cell is
missing, and z = 1 there, the filled column is x0 + c z, its square x0^2 + c^2 z, and the product of two filled columns
x0 y0 + d x0 zy + c zx y0 + c d zx zy.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

import numpy as np
import scipy
from numpy.typing import NDArray
from scipy import sparse

from regcli.data.fills import power
from regcli.data.layout import Layout, lay_out
from regcli.data.lessons import Lessons, learn_lessons
from regcli.data.levels import match_levels
from regcli.data.spline import spline
from regcli.data.stored import Matrix, Part, Stored, joined, products
from regcli.data.table import Column, Levels, Numbers
from regcli.data.terms import Factor, Feature, Term
from regcli.data.words import count_words

__all__ = ["Encoder"]

Array = NDArray[np.float64]
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Encoder:
    """Columns in order, what is made of them, and what all training rows taught.

    ``interactions`` are products of two factors, each the factor of a term. ``limits`` are what learning goes by (see
    ``learn_lessons``), ``gaps`` the columns with missing cells among the training rows, ``blocks`` by column the knots
    that other training sets have: they are known while a model is fitted.
    """

    features: tuple[Feature, ...]
    interactions: tuple[Term, ...] = ()
    lessons: Lessons = field(default_factory=Lessons)
    limits: Mapping[str, int] = field(default_factory=dict, compare=False)
    gaps: frozenset[str] = field(default=frozenset(), compare=False)
    blocks: Mapping[str, tuple[tuple[float, ...], ...]] = field(default_factory=dict, compare=False)

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        """All terms in order."""
        return (*(term for feature in self.features for term in feature.terms), *self.interactions)

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns of the file, each once, in order."""
        return tuple(dict.fromkeys(feature.source for feature in self.features))

    @cached_property
    def by_source(self) -> Mapping[str, Sequence[Feature]]:
        """What is made of each column of the file."""
        out: dict[str, list[Feature]] = {}
        for feature in self.features:
            out.setdefault(feature.source, []).append(feature)
        return out

    @cached_property
    def by_factor(self) -> Mapping[Factor, Feature]:
        """The feature of each factor that a term is made of."""
        return {factor: feature for feature in self.features for factor in feature.factors}

    @property
    def derived(self) -> tuple[tuple[str, str], ...]:
        """Columns that are made cell by cell, as function and source."""
        return tuple((feature.function, feature.source) for feature in self.features if feature.function is not None)

    @property
    def number_sources(self) -> frozenset[str]:
        """Columns of the file that are read as numbers."""
        return frozenset(feature.source for feature in self.features if feature.reads_numbers)

    @property
    def text_sources(self) -> frozenset[str]:
        """Columns of the file that are read as they are spelt; booleans are known by themselves."""
        return frozenset(f.source for f in self.features if not f.reads_numbers and not f.boolean)

    @property
    def taught(self) -> tuple[Feature, ...]:
        """Features of which training sets learn something of their own."""
        return tuple(
            f for f in self.features if f.column in self.gaps or f.pooled or f.basis or (f.kind == "text" and f.coded)
        )

    def base(self, columns: Mapping[str, Column], rows: Rows, done: Callable[[str], object] = lambda _: None) -> Matrix:
        """The (r, m) base columns of training rows, by columns; a level that is not known is none.

        A missing cell has what all training rows taught, and lane matrices what a training set's own rows teach beyond
        that: where a column's mean is many times its spread, zeros in its place would cost the digits of both. Where
        nothing is learnt these are the columns of the terms. Nothing of their size is allocated beside them, but with
        text they are sparse. ``done`` is told each column that is no longer needed, so that the table can let go of it.
        """
        if self.is_sparse(columns):
            return self._sparse_base(columns, rows)
        layout = self._layout
        last = {feature.column: at for at, feature in enumerate(self.features) if feature.column not in self.blocks}
        out = np.zeros((rows.size, layout.size), order="F")
        at = 0
        for place, (feature, factors) in enumerate(zip(self.features, layout.factors, strict=True)):
            part = out[:, at : at + len(factors)]
            _write(feature, factors, columns[feature.column], part, (rows, self.lessons), unknown=0.0)
            at += len(factors)
            if last.get(feature.column) == place:
                done(feature.column)
        with np.errstate(over="ignore", invalid="ignore"):  # refused later, by name
            for left, right in layout.products:
                np.multiply(out[:, left], out[:, right], out=out[:, at])
                at += 1
        for block in self._blocks(columns, rows):
            out[:, at : at + block.shape[1]] = block
            at += block.shape[1]
        return out

    def without_zeros(self, columns: Mapping[str, Column]) -> frozenset[str]:
        """Columns of numbers of which a table keeps no zeros."""
        return frozenset(
            feature.column
            for feature in self.features
            if feature.kind != "text" and _stored(feature, columns[feature.column])
        )

    def is_sparse(self, columns: Mapping[str, Column]) -> bool:
        """Whether base columns are by the cells that are not zero: with text, and where columns leave zeros out."""
        return any(_stored(feature, columns[feature.column]) for feature in self.features)

    def _sparse_base(self, columns: Mapping[str, Column], rows: Rows) -> Matrix:
        """Base columns with counts of words among them, or columns whose zeros are left out."""
        layout = self._layout
        parts = [
            _columns_of(feature, factors, columns[feature.column], rows, self.lessons, unknown=0.0)
            for feature, factors in zip(self.features, layout.factors, strict=True)
        ]
        return joined(rows.size, [*parts, *products(parts, layout.products), *self._blocks(columns, rows)])

    def joined_blocks(self, base: Matrix, columns: Mapping[str, Column], rows: Rows) -> Matrix:
        """The base columns (r, m), from those without splines of other training sets."""
        whole = base if isinstance(base, np.ndarray) else Stored.of(base)
        return joined(rows.size, [whole, *self._blocks(columns, rows)])

    @property
    def places(self) -> tuple[int, ...]:
        """Base column of each term: what it is made of in all training rows."""
        return tuple(column[0].base for column in self._layout.entries)

    def learn(self, columns: Mapping[str, Column], rows: Rows, weights: Array) -> Lessons:
        """What some training rows teach beyond what all of them do.

        Parameters
        ----------
        columns : mapping of str to Column
            The data; columns of which nothing is learnt may be absent.
        rows : (r,) integers
            Training rows.
        weights : (r,) array
            Their weights; rows without weight teach nothing.
        """
        return self.lessons.updated(learn_lessons(self.taught, columns, rows, weights, self.limits))

    def widened(self, lessons: Sequence[Lessons]) -> Self:
        """The same with base columns for the knots that other training sets have."""
        blocks = {}
        for feature in self.features:
            if feature.basis:
                own = self.lessons.knots[feature.column]
                found = dict.fromkeys(each.knots[feature.column] for each in lessons)
                blocks[feature.column] = tuple(knots for knots in found if knots != own)
        return replace(self, blocks=blocks)

    def lane_map(self, lessons: Lessons) -> "scipy.sparse.csc_array | None":
        """The (m, p) matrix T that makes the terms of a training set from the base columns; None for the identity.

        Its cells are at the same places whatever was learnt; those that are zero are kept.
        """
        pattern = self._layout.pattern
        if not pattern.learnt:
            return None
        for column, knots in lessons.knots.items():
            if knots not in (self.lessons.knots[column], *self.blocks.get(column, ())):
                raise ValueError(f"no base columns for the knots of {column!r} in a training set")
        data = np.ones(pattern.index.size)
        for at, parts in pattern.learnt:
            for part in parts:
                data[at] *= part.value(lessons, self.lessons)
        shape = (self._layout.size, len(self.terms))
        return scipy.sparse.csc_array((data, pattern.index.copy(), pattern.ends.copy()), shape=shape)

    def matrix(self, columns: Mapping[str, Column], rows: Rows, *, unknown_is_zero: bool = False) -> Matrix:
        """The (r, p) design of some rows, by columns, missing cells filled with what all training rows taught.

        NaN where a level is not known, or a cell missing in a column whose policy does not fill. With
        ``unknown_is_zero`` a level that is not known is none of the levels: all terms of its column are zero.
        """
        parts: list[Part] = []
        unknown = 0.0 if unknown_is_zero else np.nan
        for feature in self.features:
            coded = _columns_of(feature, feature.factors, columns[feature.column], rows, self.lessons, unknown=unknown)
            parts.append(_weighed(feature, coded, self.lessons))
        main = {term.factors[0]: place for place, term in enumerate(self.terms) if len(term.factors) == 1}
        pairs = [(main[term.factors[0]], main[term.factors[1]]) for term in self.interactions]
        return joined(rows.size, [*parts, *products(parts, pairs)])

    def needed(self, wanted: NDArray[np.bool_]) -> tuple[Self, NDArray[np.intp]]:
        """The same with what makes some terms (p,) alone, and where its terms are among all of them.

        A column that one of these is made of is there with all its own terms.
        """
        used = {
            self.by_factor[factor].column
            for term, is_wanted in zip(self.terms, wanted.tolist(), strict=True)
            if is_wanted
            for factor in term.factors
        }
        features = tuple(feature for feature in self.features if feature.column in used)
        place = {term.factors: at for at, term in enumerate(self.terms)}
        interactions = tuple(term for term in self.interactions if wanted[place[term.factors]])
        out = replace(self, features=features, interactions=interactions)
        return out, np.array([place[term.factors] for term in out.terms], dtype=np.intp)

    @cached_property
    def _layout(self) -> Layout:
        """Base columns, and how terms are made of them."""
        return lay_out(self.features, self.interactions, self.gaps, self.blocks)

    def _blocks(self, columns: Mapping[str, Column], rows: Rows) -> Iterator[Array]:
        """The columns of splines with the knots of other training sets."""
        for feature in self.features:
            for knots in self.blocks.get(feature.column, ()):
                lessons = replace(self.lessons, knots={feature.column: knots})
                out = np.zeros((rows.size, feature.basis - 1), order="F")
                _write_numbers(feature, feature.coding[1:], columns[feature.column], out, (rows, lessons))
                yield out


def _stored(feature: Feature, column: Column) -> bool:
    """Whether the columns of a feature are by the cells that are not zero."""
    if feature.kind == "text":
        return True
    return isinstance(column, Numbers) and column.places is not None and feature.kind == "number" and not feature.basis


def _columns_of(
    feature: Feature, factors: tuple[Factor, ...], column: Column, rows: Rows, lessons: Lessons, *, unknown: float
) -> Part:
    """The columns (r, k) of some factors of one feature; counts of words are not weighed."""
    if feature.kind == "text":
        return Stored.of(_text(feature, factors, column, rows))
    if isinstance(column, Numbers) and _stored(feature, column):
        return _stored_numbers(feature, factors, column.taken(rows), lessons)
    out = np.zeros((rows.size, len(factors)), order="F")
    _write(feature, factors, column, out, (rows, lessons), unknown=unknown)
    return out


def _stored_numbers(feature: Feature, factors: tuple[Factor, ...], column: Numbers, lessons: Lessons) -> Stored:
    """Powers of a column without its zeros; a missing cell is nan where its policy does not fill."""
    values, places = column.cells, column.places
    assert places is not None  # noqa: S101  (callers pass nothing else)
    gaps = np.isnan(values)
    if feature.filled:
        values = np.where(gaps, lessons.fills.numbers[feature.column], values)
    if len(factors) == 1 and factors[0].kind == "value" and factors[0].power == 1:
        return Stored(values, places, (0, values.size), column.size)
    cells, at, ends = [], [], [0]
    with np.errstate(over="ignore", invalid="ignore"):  # rows of other tables may be beyond double precision
        for factor in factors:
            mark = factor.kind == "missing"
            there = places[gaps] if mark else places
            cells.append(np.ones(there.size) if mark else power(values, factor.power))
            at.append(there)
            ends.append(ends[-1] + there.size)
    return Stored(np.concatenate(cells), np.concatenate(at), ends, column.size)


def _write(
    feature: Feature,
    factors: tuple[Factor, ...],
    column: Column,
    out: Array,
    of: tuple[Rows, Lessons],
    *,
    unknown: float,
) -> None:
    """Write the columns (r, k) of some factors of a feature that is no text."""
    if feature.kind == "number":
        _write_numbers(feature, factors, column, out, of)
    else:
        _write_levels(feature, factors, column, out, of, unknown)


def _write_numbers(
    feature: Feature, factors: tuple[Factor, ...], column: Column, out: Array, of: tuple[Rows, Lessons]
) -> None:
    """Powers and functions of a spline; a missing cell is nan where its policy does not fill."""
    rows, lessons = of
    values = column.taken(rows).values if isinstance(column, Numbers) else np.full(rows.size, np.nan)
    gaps = np.isnan(values) if feature.filled or feature.flag else np.zeros(0, dtype=bool)
    if feature.filled and gaps.any():
        values = np.where(gaps, lessons.fills.numbers[feature.column], values)
    with np.errstate(over="ignore", invalid="ignore"):  # rows of other tables may be beyond double precision
        for at, factor in enumerate(factors):
            if factor.kind == "missing":
                out[:, at] = gaps
            elif factor.kind == "spline":
                out[:, at] = spline(values, lessons.knots[feature.column], factor.power)
            else:
                out[:, at] = values if factor.power == 1 else out[:, at - 1] * values


def _write_levels(
    feature: Feature, factors: tuple[Factor, ...], column: Column, out: Array, of: tuple[Rows, Lessons], unknown: float
) -> None:
    """Zeros and ones; a missing cell is nan where its policy does not fill, a level not known is ``unknown``."""
    rows, lessons = of
    codes, gaps = _codes(feature, column, rows)
    lost = np.flatnonzero((codes < 0) & ~gaps)
    fills, places = lessons.fills.levels.get(feature.column), {level: at for at, level in enumerate(feature.levels)}
    for at, factor in enumerate(factors):
        if factor.kind == "missing":
            out[:, at] = gaps
        else:
            place = places[factor.level or ""]
            out[:, at] = codes >= place if factor.kind == "step" else codes == place
            out[gaps, at] = np.nan if fills is None else fills[factor.level or ""]
        out[lost, at] = unknown


def _text(feature: Feature, factors: tuple[Factor, ...], column: Column, rows: Rows) -> sparse.csc_array:
    """Counts of words (r, k); none where a cell is missing, but a nan in its row if its policy does not fill."""
    words = [factor.level or "" for factor in factors if factor.kind == "word"]
    levels = column.levels if isinstance(column, Levels) else ()
    codes = column.codes[rows] if isinstance(column, Levels) else np.full(rows.size, -1, dtype=np.int32)
    counts = count_words((*levels, ""), feature.ngrams, words).counts
    if feature.weighting == "binary":
        counts.data[:] = 1.0
    out = sparse.csc_array(counts[codes])
    gaps = np.flatnonzero(codes < 0)
    if len(factors) > len(words):
        mark = sparse.csc_array((np.ones(gaps.size), (gaps, np.zeros_like(gaps))), shape=(rows.size, 1))
        out = sparse.csc_array(sparse.hstack([out, mark], format="csc"))
    if gaps.size and not feature.filled and words:
        spoilt = sparse.csc_array((np.full(gaps.size, np.nan), (gaps, np.zeros_like(gaps))), shape=out.shape)
        out = sparse.csc_array(out + spoilt)
    return out


def _weighed(feature: Feature, counts: Part, lessons: Lessons) -> Part:
    """Counts of words times their weights; other columns as they are."""
    if not isinstance(counts, Stored) or feature.kind != "text":
        return counts
    weights = [lessons.weights[feature.column][word] for word in feature.coded] + [1.0] * feature.flag
    return replace(counts, cells=counts.cells * np.repeat(weights, np.diff(counts.ends)))


def _codes(feature: Feature, column: Column, rows: Rows) -> tuple[Rows, NDArray[np.bool_]]:
    """Positions (r,) of cells among a category's levels, -1 for unknown and missing ones, and which are missing."""
    if not isinstance(column, Levels):  # a column without any cell is read as numbers
        return np.full(rows.size, -1, dtype=np.intp), np.ones(rows.size, dtype=bool)
    cells = column.codes[rows]
    return match_levels(feature, column)[cells], cells < 0
