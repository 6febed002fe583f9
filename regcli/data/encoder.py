"""Columns of a table to columns of numbers, and what differs between training sets in doing so.

What training rows teach enters linearly: the design of a training set is X = B T. The base columns B are the same for
every training set. The lane matrix T holds what was learnt about missing cells: with x0 the numbers, 0 where a cell is
missing, and z = 1 there, the filled column is x0 + c z, its square x0^2 + c^2 z, and the product of two filled columns
x0 y0 + d x0 zy + c zx y0 + c d zx zy.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from math import prod

import numpy as np
import scipy
from numpy.typing import NDArray

from regcli.data.fills import Fills, learn_fills
from regcli.data.levels import match_levels
from regcli.data.table import Column, Levels, Numbers
from regcli.data.terms import Factor, Feature, Term

__all__ = ["Encoder"]

Array = NDArray[np.float64]
Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class _Entry:
    """One cell of a lane matrix: its row, and the factors whose fills it is the product of (none: 1)."""

    base: int
    fills: tuple[Factor, ...] = ()


@dataclass(frozen=True, slots=True)
class _Layout:
    """How terms are made of base columns.

    ``width`` has the number of base columns of each feature, which come first. ``products`` are the others: pairs of
    base columns. ``entries`` has the column of the lane matrix for each term.
    """

    width: tuple[int, ...]
    products: tuple[tuple[int, int], ...]
    entries: tuple[tuple[_Entry, ...], ...]

    @property
    def size(self) -> int:
        """Number of base columns m."""
        return sum(self.width) + len(self.products)


@dataclass(frozen=True)
class _Pattern:
    """Where lane matrices have cells, by columns, and which of them hang on fills."""

    index: NDArray[np.int32]
    ends: NDArray[np.int32]
    filled: tuple[tuple[int, tuple[Factor, ...]], ...]


@dataclass(frozen=True)
class Encoder:
    """Source columns in order, what is made of them, and what all training rows taught.

    ``interactions`` are products of two factors, each the factor of a term. ``gaps`` are the columns with missing cells
    among the training rows; it is known while a model is fitted.
    """

    features: tuple[Feature, ...]
    interactions: tuple[Term, ...] = ()
    fills: Fills = field(default_factory=Fills)
    gaps: frozenset[str] = field(default=frozenset(), compare=False)

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        """All terms in order."""
        return (*(term for feature in self.features for term in feature.terms), *self.interactions)

    def base(self, columns: Mapping[str, Column], rows: Rows) -> Array:
        """The (r, m) base columns of training rows, in column order; a level that is not known is none.

        A missing cell has what all training rows taught, and lane matrices what a training set's own rows teach beyond
        that: where a column's mean is many times its spread, zeros in its place would cost the digits of both. Without
        missing cells these are the columns of the terms. Nothing of their size is allocated beside them.
        """
        layout = self._layout
        out = np.zeros((rows.size, layout.size), order="F")
        at = 0
        for feature, width in zip(self.features, layout.width, strict=True):
            _write(feature, columns[feature.source], rows, out[:, at : at + width], fills=self.fills, unknown=0.0)
            at += width
        for place, (left, right) in enumerate(layout.products, start=at):
            np.multiply(out[:, left], out[:, right], out=out[:, place])
        return out

    @property
    def places(self) -> tuple[int, ...]:
        """Base column of each term: what it is with the fills of all training rows."""
        return tuple(next(entry.base for entry in column if not entry.fills) for column in self._layout.entries)

    def learn(self, columns: Mapping[str, Column], rows: Rows, weights: Array) -> Fills:
        """What some training rows teach: fills of the columns that have missing cells, the others as they are.

        Parameters
        ----------
        columns : mapping of str to Column
            The data; columns without missing cells may be absent.
        rows : (r,) integers
            Training rows.
        weights : (r,) array
            Their weights; rows without weight teach nothing.

        Notes
        -----
        Costs O(r log r) for each column with missing cells, and nothing for the others.
        """
        gapped = tuple(feature for feature in self.features if feature.source in self.gaps)
        return self.fills.updated(learn_fills(gapped, columns, rows, weights))

    def lane_map(self, fills: Fills) -> "scipy.sparse.csc_array | None":
        """The (m, p) matrix T that makes the terms of a training set from the base columns; None for the identity.

        Its cells are at the same places whatever the fills are; those that are zero are kept.
        """
        pattern = self._pattern
        if not pattern.filled:
            return None
        data = np.ones(pattern.index.size)
        for at, factors in pattern.filled:
            data[at] = prod(fills.of(factor) - self.fills.of(factor) for factor in factors)
        shape = (self._layout.size, len(self.terms))
        return scipy.sparse.csc_array((data, pattern.index.copy(), pattern.ends.copy()), shape=shape)

    def matrix(
        self,
        columns: Mapping[str, Column],
        rows: Rows,
        wanted: NDArray[np.bool_] | None = None,
        *,
        unknown_is_zero: bool = False,
    ) -> Array:
        """The (r, p) design of some rows, in column order, missing cells filled with what all training rows taught.

        NaN where a level is not known, or a cell missing in a column whose policy does not fill. ``wanted`` marks the
        terms that are needed: columns of the others may be absent, and their terms are then zero. With
        ``unknown_is_zero`` a level that is not known is none of the levels: all terms of its column are zero.
        """
        terms = self.terms
        out = np.zeros((rows.size, len(terms)), order="F")
        used = {name for at, term in enumerate(terms) if wanted is None or wanted[at] for name in term.sources}
        unknown = 0.0 if unknown_is_zero else np.nan
        at = 0
        for feature in self.features:
            width = len(feature.terms)
            if feature.source in used:
                part = out[:, at : at + width]
                _write(feature, columns[feature.source], rows, part, fills=self.fills, unknown=unknown)
            at += width
        main = {term.factors: place for place, term in enumerate(terms[:at])}
        with np.errstate(over="ignore", invalid="ignore"):  # rows of other tables may be beyond double precision
            for place, term in enumerate(self.interactions, start=at):
                if wanted is None or wanted[place]:
                    left, right = (main[(factor,)] for factor in term.factors)
                    np.multiply(out[:, left], out[:, right], out=out[:, place])
        return out

    @cached_property
    def _layout(self) -> _Layout:
        """Base columns, and how terms are made of them."""
        width: list[int] = []
        entries: dict[tuple[Factor, ...], tuple[_Entry, ...]] = {}
        at = 0
        for feature in self.features:
            terms, gapped = feature.terms, feature.source in self.gaps
            gap = at + len(terms) - feature.flag  # the column that says where cells are missing
            for place, term in enumerate(terms, start=at):
                filled = gapped and _takes_fill(feature, term.factors[0])
                entries[term.factors] = (_Entry(place), *((_Entry(gap, term.factors),) if filled else ()))
            width.append(len(terms) + (gapped and not feature.flag))
            at += width[-1]
        products: dict[tuple[int, int], int] = {}
        for term in self.interactions:
            left, right = (entries[(factor,)] for factor in term.factors)
            cells = []
            for one, other in product(left, right):
                pair = (one.base, other.base)
                cells.append(_Entry(products.setdefault(pair, at + len(products)), (*one.fills, *other.fills)))
            entries[term.factors] = tuple(cells)
        return _Layout(tuple(width), tuple(products), tuple(entries[term.factors] for term in self.terms))

    @cached_property
    def _pattern(self) -> _Pattern:
        """Where lane matrices have cells."""
        entries = self._layout.entries
        cells = [entry for column in entries for entry in sorted(column, key=lambda entry: entry.base)]
        return _Pattern(
            index=np.array([cell.base for cell in cells], dtype=np.int32),
            ends=np.cumsum([0, *(len(column) for column in entries)], dtype=np.int32),
            filled=tuple((at, cell.fills) for at, cell in enumerate(cells) if cell.fills),
        )


def _takes_fill(feature: Feature, factor: Factor) -> bool:
    """Whether a factor is filled where its cell is missing: not a level where missing is a level of its own."""
    return factor.kind == "value" or (factor.kind == "level" and not feature.flag)


def _write(feature: Feature, column: Column, rows: Rows, out: Array, *, fills: Fills | None, unknown: float) -> None:
    """Write the columns of one feature, and where there is room for one more, which cells are missing.

    A missing cell is zero without ``fills``, and else what they say, NaN for a column that is not filled.
    """
    coded = len(feature.coded) if feature.kind == "category" else feature.powers
    if feature.kind == "number":
        values = column.values[rows] if isinstance(column, Numbers) else np.full(rows.size, np.nan)
        gaps = np.isnan(values)
        if fills is None:
            values[gaps] = 0.0
        elif feature.filled:
            values[gaps] = fills.numbers[feature.source]
        with np.errstate(over="ignore"):  # rows of other tables may be beyond double precision
            for at in range(coded):
                out[:, at] = values if at == 0 else out[:, at - 1] * values
        lost = np.zeros(0, dtype=np.intp)
    else:
        codes, gaps = _codes(feature, column, rows)
        lost = np.flatnonzero((codes < 0) & ~gaps)
        for at, level in enumerate(feature.coded):
            out[:, at] = codes == feature.levels.index(level)
            if fills is not None:
                out[gaps, at] = fills.levels[feature.source][level] if feature.filled else np.nan
            out[lost, at] = unknown
    if out.shape[1] > coded:
        out[:, coded] = gaps
        out[lost, coded] = unknown


def _codes(feature: Feature, column: Column, rows: Rows) -> tuple[Rows, NDArray[np.bool_]]:
    """Positions (r,) of cells among a category's levels, -1 for unknown and missing ones, and which are missing."""
    if not isinstance(column, Levels):  # a column without any cell is read as numbers
        return np.full(rows.size, -1, dtype=np.intp), np.ones(rows.size, dtype=bool)
    cells = column.codes[rows]
    return match_levels(feature, column)[cells], cells < 0
