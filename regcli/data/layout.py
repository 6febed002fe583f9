"""How the terms of a training set are made of base columns: X = B T.

Most terms are a base column of their own. The others are sums of base columns, each times a number that a training set
learns: that is a part here, and a cell of the lane matrix is the product of its parts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from regcli.data.lessons import Lessons
from regcli.data.spline import spline
from regcli.data.terms import OTHER, Factor, Feature, Term

__all__ = ["Layout", "Part", "Pattern", "lay_out"]


class Part(Protocol):
    """A number that a training set learns."""

    def value(self, mine: Lessons, ours: Lessons) -> float:
        """The number, from what the training set learnt and what all training rows teach."""
        ...


@dataclass(frozen=True, slots=True)
class _Keeps:
    """1 if a level is frequent enough in the training set, else 0; the other way round if ``pools``."""

    column: str
    level: str
    pools: bool = False

    def value(self, mine: Lessons, ours: Lessons) -> float:  # noqa: ARG002  (the role of a part)
        return float((self.level in mine.kept[self.column]) != self.pools)


@dataclass(frozen=True, slots=True)
class _Weighs:
    """What counts of a word are multiplied by."""

    column: str
    word: str

    def value(self, mine: Lessons, ours: Lessons) -> float:  # noqa: ARG002  (the role of a part)
        return mine.weights[self.column][self.word]


@dataclass(frozen=True, slots=True)
class _Has:
    """1 if the training set has these knots, else 0; None stands for those of all training rows."""

    column: str
    knots: tuple[float, ...] | None

    def value(self, mine: Lessons, ours: Lessons) -> float:
        knots = ours.knots[self.column] if self.knots is None else self.knots
        return float(mine.knots[self.column] == knots)


@dataclass(frozen=True, slots=True)
class _Fills:
    """What a missing cell has in the training set, less what is in the base columns there.

    ``others`` are the parts of the term's base columns, and the factor that each of these is.
    """

    factor: Factor
    others: tuple[tuple[tuple[Part, ...], Factor], ...]

    def value(self, mine: Lessons, ours: Lessons) -> float:
        if self.factor.kind == "spline":  # base columns hold the fill of all rows under whichever knots
            there = np.array([ours.fills.numbers[self.factor.column]])
            return mine.of(self.factor) - float(spline(there, mine.knots[self.factor.column], self.factor.power)[0])
        held = sum(prod(part.value(mine, ours) for part in parts) * ours.of(base) for parts, base in self.others)
        return mine.of(self.factor) - held


@dataclass(frozen=True, slots=True)
class Entry:
    """One cell of a lane matrix: its row, and the parts it is the product of (none: 1)."""

    base: int
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True)
class Pattern:
    """Where lane matrices have cells, by columns, and which of them are learnt."""

    index: NDArray[np.int32]
    ends: NDArray[np.int32]
    learnt: tuple[tuple[int, tuple[Part, ...]], ...]


@dataclass(frozen=True)
class Layout:
    """How terms are made of base columns.

    ``factors`` are the base columns of each feature, which come first, ``products`` pairs of these, which come next;
    then follow ``extra`` columns of splines. ``entries`` has the column of the lane matrix for each term, its own base
    column first.
    """

    factors: tuple[tuple[Factor, ...], ...]
    products: tuple[tuple[int, int], ...]
    extra: int
    entries: tuple[tuple[Entry, ...], ...]

    @property
    def size(self) -> int:
        """Number of base columns m."""
        return sum(map(len, self.factors)) + len(self.products) + self.extra

    @cached_property
    def pattern(self) -> Pattern:
        """Where lane matrices have cells."""
        cells = [entry for column in self.entries for entry in sorted(column, key=lambda entry: entry.base)]
        return Pattern(
            index=np.array([cell.base for cell in cells], dtype=np.int32),
            ends=np.cumsum([0, *(len(column) for column in self.entries)], dtype=np.int32),
            learnt=tuple((at, cell.parts) for at, cell in enumerate(cells) if cell.parts),
        )


def lay_out(
    features: Sequence[Feature],
    interactions: Sequence[Term],
    gaps: frozenset[str],
    blocks: Mapping[str, Sequence[tuple[float, ...]]],
) -> Layout:
    """Lay out the terms of some features and their products.

    Parameters
    ----------
    features, interactions
        What terms there are.
    gaps : frozenset of str
        Columns whose missing cells differ between training sets.
    blocks : mapping of str to sequence of knots
        By column the knots of other training sets.
    """
    factors = [_base_factors(feature, gapped=feature.column in gaps) for feature in features]
    pairs: dict[tuple[int, int], int] = {}
    entries: dict[tuple[Factor, ...], tuple[Entry, ...]] = {}
    first = sum(map(len, factors))
    at = 0
    for feature, own in zip(features, factors, strict=True):
        for factor, cells in _entries(feature, own, at, gapped=feature.column in gaps).items():
            entries[(factor,)] = cells
        at += len(own)
    for term in interactions:
        left, right = (entries[(factor,)] for factor in term.factors)
        entries[term.factors] = tuple(
            Entry(pairs.setdefault((one.base, other.base), first + len(pairs)), (*one.parts, *other.parts))
            for one, other in product(left, right)
        )
    at = begin = first + len(pairs)
    for feature in features:
        for knots in blocks.get(feature.column, ()):
            for place, factor in enumerate(feature.coding[1:], start=at):
                entries[(factor,)] += (Entry(place, (_Has(feature.column, knots),)),)
            at += feature.basis - 1
    terms = [*(term for feature in features for term in feature.terms), *interactions]
    return Layout(tuple(factors), tuple(pairs), at - begin, tuple(entries[term.factors] for term in terms))


def _base_factors(feature: Feature, *, gapped: bool) -> tuple[Factor, ...]:
    """The base columns of a feature: its terms, where cells are missing, and a first level that others may join."""
    out = list(feature.factors)
    told = feature.flag and (feature.mark != "sibling" or feature.kind != "number")
    if gapped and not told and feature.kind != "text":
        out.append(Factor(feature.source, "missing", function=feature.function))
    if feature.pooled:
        free = [level for level in feature.levels if level not in feature.coded and level != OTHER]
        out += [Factor(feature.source, "level", level, function=feature.function) for level in free]
    return tuple(out)


def _entries(feature: Feature, own: tuple[Factor, ...], at: int, *, gapped: bool) -> dict[Factor, tuple[Entry, ...]]:
    """The cells of every term of one feature, whose base columns begin at ``at``."""
    place = {factor: where for where, factor in enumerate(own, start=at)}
    out: dict[Factor, tuple[Entry, ...]] = {}
    for factor in feature.factors:
        cells = [Entry(place[factor], _own_parts(feature, factor))]
        bases = [factor]
        if factor.level == OTHER and feature.pooled:
            joining = [base for base in own if base.kind == "level" and base.level != OTHER]
            cells += [Entry(place[base], (_Keeps(feature.column, base.level or "", pools=True),)) for base in joining]
            bases += joining
        if gapped and feature.kind != "text" and factor.kind != "missing" and _takes_fill(feature, factor):
            others = tuple((cell.parts, base) for cell, base in zip(cells, bases, strict=True))
            (hole,) = (base for base in own if base.kind == "missing")
            cells.append(Entry(place[hole], (_Fills(factor, others),)))
        out[factor] = tuple(cells)
    return out


def _own_parts(feature: Feature, factor: Factor) -> tuple[Part, ...]:
    """What a term's own base column is multiplied by."""
    if factor.kind == "word":
        return (_Weighs(feature.column, factor.level or ""),)
    if factor.kind == "spline" and factor.power > 1:  # the first is the number itself, whatever the knots are
        return (_Has(feature.column, None),)
    if factor.kind == "level" and feature.pooled and factor.level != OTHER:
        return (_Keeps(feature.column, factor.level or ""),)
    return ()


def _takes_fill(feature: Feature, factor: Factor) -> bool:
    """Whether a factor is filled where its cell is missing: not a level where missing is a level of its own."""
    return factor.kind in ("value", "spline") or not feature.flag
