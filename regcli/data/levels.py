"""Levels of categories: their order, and which level of a table is which of a model."""

from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray

from regcli.data.columns import number, value_of
from regcli.data.table import Levels
from regcli.data.terms import OTHER, Feature

__all__ = ["find_levels", "level_order", "match_levels"]


def level_order(levels: Collection[str]) -> tuple[str, ...]:
    """Levels in the order that decides which is later: by value if all are numbers, else by code point."""
    numbers = {level: number(level) for level in levels}
    if all(value is not None for value in numbers.values()):
        return tuple(sorted(levels, key=lambda level: (numbers[level], level)))
    return tuple(sorted(levels))


def match_levels(feature: Feature, column: Levels) -> NDArray[np.intp]:
    """Position of each of a column's levels among the feature's, -1 for unknown ones; one more -1 for missing.

    Booleans match in any capitals, and values that had no spelling in the file match by value. Pooled levels are
    ``OTHER``.
    """
    spelt = {level: at for at, level in enumerate(feature.levels)}
    spelt |= dict.fromkeys(feature.pooled, spelt.get(OTHER, -1))
    return find_levels(spelt, column, boolean=feature.boolean)


def find_levels(known: Mapping[str, int], column: Levels, *, boolean: bool = False) -> NDArray[np.intp]:
    """What is ``known`` of each of a column's levels, -1 where nothing is; one more -1 for missing.

    Values that had no spelling in the file are found by value, and so is everything if it is ``boolean``.
    """
    loose = [boolean or column.is_value(code) for code in range(len(column.levels))]
    by_value = {value_of(level): at for level, at in known.items()} if any(loose) else {}
    found = [
        known.get(level, by_value.get(value_of(level), -1) if is_loose else -1)
        for level, is_loose in zip(column.levels, loose, strict=True)
    ]
    return np.array([*found, -1], dtype=np.intp)
