"""What training rows teach about missing cells: the values that are put in their place."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from regcli.data.levels import match_levels
from regcli.data.table import Column, Levels, Numbers
from regcli.data.terms import OTHER, Factor, Feature

__all__ = [
    "Fills",
    "learn_fills",
    "level_fills",
    "level_shares",
    "most_frequent",
    "power",
    "weighted_mean",
    "weighted_median",
]

Array = NDArray[np.float64]
Rows = NDArray[np.intp]

_EPS = float(np.finfo(np.float64).eps)

#: Powers of two beyond are no doubles.
_MOST_EXPONENT = 1023


@dataclass(frozen=True, slots=True)
class Fills:
    """What is put in the place of missing cells.

    ``numbers`` has a value by column, ``levels`` by column what the 0/1 column of each level gets.
    """

    numbers: Mapping[str, float] = field(default_factory=dict)
    levels: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def of(self, factor: Factor) -> float:
        """What a factor is where its cell is missing."""
        if factor.kind in ("level", "step"):
            return self.levels[factor.column].get(factor.level or "", 0.0)
        return float(power(np.array(self.numbers[factor.column]), factor.power))

    def updated(self, others: Self) -> Self:
        """These, where ``others`` has no value of its own."""
        return replace(self, numbers={**self.numbers, **others.numbers}, levels={**self.levels, **others.levels})


def power(values: Array, exponent: int) -> Array:
    """``values ** exponent`` for a positive integer, by multiplication: the same bits wherever it is computed."""
    out = values
    for _ in range(exponent - 1):
        out = out * values
    return out


def learn_fills(
    features: tuple[Feature, ...],
    columns: Mapping[str, Column],
    rows: Rows,
    weights: Array,
    kept: Mapping[str, frozenset[str]] | None = None,
) -> Fills:
    """Learn what missing cells of some features are filled with.

    Parameters
    ----------
    features : tuple of Feature
        Those to learn about, with a policy that fills.
    columns : mapping of str to Column
        The data.
    rows : (r,) integers
        Rows to learn from.
    weights : (r,) array
        Their weights, 0 or more; rows without weight teach nothing.
    kept : mapping of str to frozenset of str
        By column the levels that are not pooled; the rest of a feature's levels counts as ``OTHER``. All, if not given.

    Notes
    -----
    A mean or the share of each level costs O(r), a median O(r log r). Where no row with weight has a cell, 0.
    """
    used = rows[weights > 0]
    weights = weights[weights > 0]
    numbers: dict[str, float] = {}
    levels: dict[str, Mapping[str, float]] = {}
    for feature in features:
        column = columns[feature.column]
        if feature.kind == "number" and isinstance(column, Numbers):
            values = column.values[used]
            there = ~np.isnan(values)
            middle = weighted_median if feature.missing == "median" else weighted_mean
            numbers[feature.column] = middle(values[there], weights[there])
        elif isinstance(column, Levels):
            codes = _pooled(feature, kept or {})[match_levels(feature, column)[column.codes[used]]]
            there = codes >= 0
            filled = level_fills(feature, codes[there], weights[there])
            levels[feature.column] = dict(zip(feature.levels, filled.tolist(), strict=True))
        else:  # a category without any cell was read as numbers
            levels[feature.column] = dict.fromkeys(feature.levels, 0.0)
    return Fills(numbers, levels)


def _pooled(feature: Feature, kept: Mapping[str, frozenset[str]]) -> Rows:
    """Position (levels + 1,) of each of a feature's levels after those that are not kept became ``OTHER``; -1 last."""
    stays = kept.get(feature.column)
    other = feature.levels.index(OTHER) if OTHER in feature.levels else -1
    places = [at if stays is None or level in stays else other for at, level in enumerate(feature.levels)]
    return np.array([*places, -1], dtype=np.intp)


def level_fills(feature: Feature, codes: Rows, weights: Array) -> Array:
    """What the 0/1 column of each level gets where the cell is missing, by places (r,) of levels and their weights.

    A place may stand for several rows, with the weight of all.
    """
    if feature.flag:  # missing is a level of its own
        return np.zeros(len(feature.levels))
    if feature.kind == "ordinal":
        middle = np.floor(weighted_median(codes.astype(np.float64), weights))  # a level, not half of two
        shares = level_shares(codes, weights, len(feature.levels))
        later = np.cumsum(shares[::-1])[::-1]
        return np.asarray(
            np.arange(len(feature.levels)) <= middle if feature.missing == "median" else later, dtype=np.float64
        )
    learn = most_frequent if feature.missing == "median" else level_shares
    return learn(codes, weights, len(feature.levels))


def _scaled(weights: Array) -> Array:
    """Weights divided by a power of two, which is exact, so that no product of theirs leaves double precision."""
    exponent = math.frexp(float(weights.max()))[1]
    return np.asarray(weights * math.ldexp(1.0, min(-exponent, _MOST_EXPONENT)), dtype=np.float64)


def weighted_mean(values: Array, weights: Array) -> float:
    """The mean of (r,) values, weighted; 0 without any. It never leaves their range, not even by rounding."""
    if not values.size:
        return 0.0
    scaled = _scaled(weights)
    mean = float(scaled @ values) / float(scaled.sum())
    return float(np.clip(mean, values.min(), values.max()))


def weighted_median(values: Array, weights: Array) -> float:
    """The value below and above which there is half of the weight; 0 without any value.

    Where a value and all below it have exactly half of the weight, the mean of this value and the next one: with equal
    weights that is the usual median.
    """
    if not values.size:
        return 0.0
    order = np.argsort(values, kind="stable")
    values, below = values[order], np.cumsum(_scaled(weights)[order])
    half = below[-1] / 2
    slack = values.size * _EPS * below[-1]
    at = int(np.searchsorted(below, half - slack))
    if at + 1 < values.size and below[at] <= half + slack:
        return float((values[at] + values[at + 1]) / 2)
    return float(values[at])


def level_shares(codes: Rows, weights: Array, count: int) -> Array:
    """Share of the weight that each of ``count`` levels has; zeros without any cell."""
    if not codes.size:
        return np.zeros(count)
    totals = np.bincount(codes, weights=_scaled(weights), minlength=count)
    return np.asarray(totals / totals.sum(), dtype=np.float64)


def most_frequent(codes: Rows, weights: Array, count: int) -> Array:
    """1 for the level with the largest weight, the first of them where there are several, and 0 for the others."""
    out = np.zeros(count)
    if codes.size:
        totals = np.bincount(codes, weights=_scaled(weights), minlength=count)
        out[np.argmax(totals >= totals.max() * (1.0 - codes.size * _EPS))] = 1.0
    return out
