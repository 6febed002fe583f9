"""What training rows teach about columns: fills of missing cells, frequent levels, knots, weights of words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from regcli.data.fills import Fills, learn_fills
from regcli.data.spline import knots_of, spline
from regcli.data.table import Column, Levels, Numbers
from regcli.data.terms import OTHER, Factor, Feature
from regcli.data.words import count_words, rarity, rows_with

__all__ = ["Lessons", "frequent_levels", "learn_lessons"]

Array = NDArray[np.float64]
Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Lessons:
    """What some training rows teach, by column.

    ``fills`` are what missing cells become, ``kept`` the levels that are not pooled into ``OTHER``, ``knots`` those of
    splines, ``weights`` what counts of words are multiplied by.
    """

    fills: Fills = field(default_factory=Fills)
    kept: Mapping[str, frozenset[str]] = field(default_factory=dict)
    knots: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    weights: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def of(self, factor: Factor) -> float:
        """What a factor is where its cell is missing."""
        if factor.kind == "spline":
            value = np.array([self.fills.numbers[factor.column]])
            return float(spline(value, self.knots[factor.column], factor.power)[0])
        return self.fills.of(factor)

    def updated(self, others: Self) -> Self:
        """These, where ``others`` say nothing of their own."""
        return type(self)(
            self.fills.updated(others.fills),
            {**self.kept, **others.kept},
            {**self.knots, **others.knots},
            {**self.weights, **others.weights},
        )


def learn_lessons(
    features: tuple[Feature, ...],
    columns: Mapping[str, Column],
    rows: Rows,
    weights: Array,
    limits: Mapping[str, int],
) -> Lessons:
    """Learn about features from training rows.

    Parameters
    ----------
    features : tuple of Feature
        Those to learn about.
    columns : mapping of str to Column
        The data.
    rows : (r,) integers
        Rows to learn from.
    weights : (r,) array
        Their weights, 0 or more; rows without weight teach nothing.
    limits : mapping of str to int
        For columns of pooled levels and of text the fewest rows that a level or word needs, for splines the knots.

    Notes
    -----
    Costs O(r log r) for each feature, and a pass over the letters of every different text.
    """
    used, heavy = rows[weights > 0], weights[weights > 0]
    kept, knots, words = {}, {}, {}
    for feature in features:
        name, column = feature.column, columns[feature.column]
        if feature.pooled and isinstance(column, Levels):
            frequent = frequent_levels(column, used, limits[name])
            kept[name] = frozenset(level for level in feature.levels if level in frequent and level != OTHER)
        elif feature.basis and isinstance(column, Numbers):
            values = column.values[used]
            there = ~np.isnan(values)
            knots[name] = knots_of(values[there], heavy[there], limits[name])
        elif feature.kind == "text":
            words[name] = _word_weights(feature, column, used, limits[name])
    fills = learn_fills(tuple(f for f in features if f.filled and f.kind != "text"), columns, rows, weights, kept)
    return Lessons(fills, kept, knots, words)


def frequent_levels(column: Levels, rows: Rows, least: int) -> frozenset[str]:
    """Levels that at least so many of some rows have."""
    counts = column.taken(rows).counts.tolist()
    return frozenset(level for level, count in zip(column.levels, counts, strict=True) if count >= least)


def _word_weights(feature: Feature, column: Column, rows: Rows, least: int) -> Mapping[str, float]:
    """What counts of a feature's words are multiplied by."""
    if not isinstance(column, Levels):  # a column without any cell is read as numbers
        return dict.fromkeys(feature.coded, 0.0)
    counted = count_words(column.levels, feature.ngrams, feature.coded)
    there = rows_with(counted, column.taken(rows).counts)
    return rarity(feature.coded, there, rows.size, least=least, weighting=feature.weighting)
