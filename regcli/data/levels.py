"""Levels of categories: their order, and which level of a table is which of a model."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from regcli.data.columns import number
from regcli.data.table import Levels
from regcli.data.terms import OTHER, Feature

__all__ = ["level_order", "match_levels"]


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
    loose = feature.boolean or column.typed
    by_value = {_value(level): at for level, at in spelt.items()} if loose else {}
    found = [spelt.get(level, by_value.get(_value(level), -1) if loose else -1) for level in column.levels]
    return np.array([*found, -1], dtype=np.intp)


def _value(level: str) -> float | str:
    """What a level stands for, in whichever spelling; larger integers are not told apart as doubles."""
    value = number(level)
    return level.casefold() if value is None or abs(value) >= 2**53 else value
