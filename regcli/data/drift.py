"""How far columns have moved from the training rows: counted while rows stream by, in constant memory.

Two measures are taken of a column of numbers against the eleven stored quantiles q_0 to q_10 of the training rows.

The population stability index is PSI = sum_i (p_i - q_i) ln(p_i / q_i), with the shares of new rows p_i and of training
rows q_i in bin i: the divergence of Jeffreys (1946), as used for scorecards (Siddiqi, Credit Risk Scorecards, 2006),
where less than 0.1 is taken for no change and more than 0.25 for a large one. The bins are the ten between the deciles,
each with a tenth of the training rows, the outer two open. Of a category they are the levels, and one more for levels
that are not known. A share below 0.0001 counts as 0.0001, so that an empty bin is far off and not infinitely far.

A column of few different numbers, as a flag or a small count, has them for bins, each with its share of the training
rows, and one more for all other numbers; distribution functions are then known exactly, and so is the distance below.

Elsewhere many equal numbers may span several deciles, in the training rows as in the new ones. In both they count for
the bins on either side as it takes to fill them: with the share L of new numbers below q_i and R of those not above it,
the new rows' distribution function at q_i is i/10 if that lies between L and R, else the nearer of the two. A column
that has not changed has PSI near 0 in this way.

The distance of Kolmogorov and Smirnov is sup |F(x) - G(x)|. G is known at the deciles only, which lie between rows, so
that the largest distance there is a lower bound but for 1/n; between two deciles both functions rise, and G by a tenth,
so that the distance is at most 0.1 more.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from regcli.data.levels import match_levels
from regcli.data.table import Column, Levels, Numbers, Table
from regcli.data.terms import Feature
from regcli.data.training import QUANTILES, ColumnProfile, Profile

__all__ = ["Drift", "level_drift", "number_drift", "value_drift"]

#: The least share of a bin, as is usual for this index.
LEAST_SHARE = 1e-4

Counts = NDArray[np.int64]


class Drift:
    """Counts of the cells of every column that the profile knows: two for each decile or number, one for each level."""

    def __init__(self, features: Sequence[Feature], profile: Profile | None) -> None:
        known = {} if profile is None else profile.columns
        self._columns = {
            feature.column: (feature, known[feature.column])
            for feature in features
            if feature.column in known and _described(known[feature.column])
        }
        self._counts: dict[str, Counts] = {
            name: np.zeros((3, len(_marks(seen))) if seen.levels is None else len(seen.levels) + 1, dtype=np.int64)
            for name, (_, seen) in self._columns.items()
        }

    def add(self, table: Table) -> None:
        """Count a chunk; columns that it lacks, or that are of another type, count nothing."""
        for name, (feature, seen) in self._columns.items():
            column = table.columns.get(name)
            if seen.levels is not None:
                self._counts[name] += _levels(feature, column, seen.levels)
            elif isinstance(column, Numbers):
                self._counts[name] += _numbers(column, np.asarray(_marks(seen)))

    def moved(self, name: str) -> Mapping[str, float | None] | None:
        """``psi`` and ``ks`` of a column; None where it is not known, or no cell was there."""
        counts = self._counts.get(name)
        if counts is None or not counts.any():
            return None
        seen = self._columns[name][1]
        if seen.levels is not None:
            return level_drift(list(seen.levels.values()), counts)
        return number_drift(counts) if seen.counts is None else value_drift(list(seen.counts.values()), counts)


def number_drift(counts: Counts) -> dict[str, float | None]:
    """PSI and a lower bound of KS from counts (3, 11) of numbers: below each quantile, not above it, and all."""
    total = float(counts[2, 0])
    marks = np.asarray(QUANTILES)
    new = np.clip(marks, counts[0] / total, counts[1] / total)
    shares = np.diff(np.concatenate(([0.0], new[1:-1], [1.0])))
    return {"psi": _stability(shares, np.diff(marks)), "ks": float(np.abs(new - marks).max())}


def value_drift(before: Sequence[int], counts: Counts) -> dict[str, float | None]:
    """PSI and KS from rows of each of k numbers in training, and counts (3, k) of numbers now as for quantiles."""
    own = counts[1] - counts[0]
    psi = level_drift(before, np.append(own, counts[2, 0] - own.sum()))["psi"]
    reached = np.cumsum(before) / sum(before)
    ends = np.abs(counts[1] / counts[2] - reached), np.abs(counts[0] / counts[2] - np.append(0.0, reached[:-1]))
    return {"psi": psi, "ks": float(np.max(ends))}


def level_drift(before: Sequence[int], counts: Counts) -> dict[str, float | None]:
    """PSI from rows of each level in training and counts (k + 1,) of them now, the last of levels not known."""
    trained = np.array([*before, 0], dtype=np.float64)
    if not trained.any():
        trained[-1] = 1.0
    return {"psi": _stability(counts / counts.sum(), trained / trained.sum()), "ks": None}


def _stability(new: NDArray[np.float64], trained: NDArray[np.float64]) -> float:
    p, q = np.maximum(new, LEAST_SHARE), np.maximum(trained, LEAST_SHARE)
    return float(np.sum((p - q) * np.log(p / q)))


def _marks(seen: ColumnProfile) -> Sequence[float]:
    """Where numbers of a column are counted: at those that there are if they are few, else at the deciles."""
    return seen.quantiles or () if seen.counts is None else list(seen.counts)


def _described(seen: ColumnProfile) -> bool:
    """Whether the profile has a distribution: levels, or all deciles, which files of earlier versions lack."""
    return seen.levels is not None or (seen.quantiles is not None and len(seen.quantiles) == len(QUANTILES))


def _numbers(column: Numbers, quantiles: NDArray[np.float64]) -> Counts:
    """Numbers of a chunk below each quantile, not above it, and all of them (3, 11)."""
    values = column.values
    values = values[np.isfinite(values)]
    below = np.bincount(np.searchsorted(quantiles, values, side="right"), minlength=len(quantiles) + 1).cumsum()
    not_above = np.bincount(np.searchsorted(quantiles, values, side="left"), minlength=len(quantiles) + 1).cumsum()
    return np.stack([below[:-1], not_above[:-1], np.full(len(quantiles), values.size)])


def _levels(feature: Feature, column: Column | None, seen: Mapping[str, int]) -> Counts:
    """Cells of a chunk by level, in the profile's order, those of other levels last."""
    out = np.zeros(len(seen) + 1, dtype=np.int64)
    if not isinstance(column, Levels):
        return out
    codes = column.codes[column.codes >= 0]
    place = {level: at for at, level in enumerate(seen)}
    order = np.array([*(place[level] for level in feature.levels), len(seen)], dtype=np.intp)
    found = order[match_levels(feature, column)[codes]]
    return out + np.bincount(found, minlength=out.size)
