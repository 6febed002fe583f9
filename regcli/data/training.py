"""What training rows look like, column by column: kept in the model file, and held against new data."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from regcli.data.fills import weighted_mean, weighted_median
from regcli.data.lessons import learn_lessons
from regcli.data.levels import match_levels
from regcli.data.model_json import count_of, number_of, numbers_of, object_of
from regcli.data.table import Column, Levels, Numbers, Table
from regcli.data.target import Target
from regcli.data.terms import Feature
from regcli.data.threads import ALONE, Threads

__all__ = ["POLICIES", "ColumnProfile", "Profile", "describe", "read_profile", "with_fills"]

#: Deciles with both ends: enough for a stability index of ten bins and for a distance of distributions.
QUANTILES = tuple(k / 10 for k in range(11))

#: Quartiles by name, and where they are.
QUARTILES = {"min": 0.0, "q1": 0.25, "median": 0.5, "q3": 0.75, "max": 1.0}

#: Different numbers up to which the rows of each are counted, and cells that are looked at first: a column that has
#: more of them there is not sorted.
FEW, FIRST = 20, 1000

#: Policies that fill, and that a model may be told to have in the place of its own.
POLICIES: tuple[Literal["mean", "median"], ...] = ("mean", "median")

#: Sums of shares are 1 but for rounding.
_MOST_SHARE = 1.0 + 1e-9

_SHARES = np.array([*QUANTILES, *QUARTILES.values()])

Array = NDArray[np.float64]
Rows = NDArray[np.intp]
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """One column in the training rows, of the file or made of one.

    ``missing`` cells, and of those that are there: for numbers the eleven ``quantiles``, median, mean and sd (1/n), and
    the count of each where there are few, for categories the count of each level. None where the kind has no such thing
    or no cell was there. Where rows have weights, ``fills`` of numbers and ``level_fills`` of categories are by policy
    what missing cells become.
    """

    missing: int
    quantiles: tuple[float, ...] | None = None
    median: float | None = None
    mean: float | None = None
    sd: float | None = None
    counts: Mapping[float, int] | None = None
    levels: Mapping[str, int] | None = None
    fills: Mapping[str, float] | None = None
    level_fills: Mapping[str, Mapping[str, float]] | None = None

    @property
    def range(self) -> tuple[float, float] | None:
        """The least and the largest number."""
        return None if self.quantiles is None else (self.quantiles[0], self.quantiles[-1])


@dataclass(frozen=True, slots=True)
class Profile:
    """Number of training rows, and their columns by name."""

    rows: int
    columns: Mapping[str, ColumnProfile]

    def missing_rate(self, name: str) -> float:
        """Share of a column's cells that were missing."""
        return self.columns[name].missing / self.rows


def describe(
    table: Table, features: Sequence[Feature], rows: Rows, target: Target, threads: Threads = ALONE
) -> Document:
    """The profile of training rows as the model file has it. Rows count one each, whatever their weight.

    Takes memory for four columns a thread.
    """
    columns = threads.in_order(lambda feature: _column(feature, table.columns[feature.column], rows), features)
    return {
        "rows": int(rows.size),
        "columns": {feature.column: found for feature, found in zip(features, columns, strict=True)},
        "target": _target(target),
    }


def with_fills(
    profile: Document,
    features: Sequence[Feature],
    columns: Mapping[str, Column],
    training: tuple[Rows, Array],
    limits: Mapping[str, int],
) -> Document:
    """The profile with what missing cells would become by the policies that no feature need have.

    Parameters
    ----------
    profile : dict
        As ``describe`` made it. Where all rows have the same weight it knows enough, and stays as it is.
    features, columns, limits
        See ``learn_lessons``.
    training : (r,) integers and (r,) array
        The training rows, and their weights.
    """
    if np.ptp(training[1]) == 0:
        return profile
    out = dict(profile["columns"])
    for feature in features:
        entry = out[feature.column]
        if "mean" in entry:
            out[feature.column] = {**entry, "fills": _number_fills(columns[feature.column], *training)}
        elif "levels" in entry:
            learnt = {policy: _level_fills(feature, columns, training, limits, policy) for policy in POLICIES}
            out[feature.column] = {**entry, "fills": learnt}
    return {**profile, "columns": out}


def _number_fills(column: Column, rows: Rows, weights: Array) -> Document:
    """The mean and the median of a column of numbers, by weight; zeros that are left out count as one cell."""
    assert isinstance(column, Numbers)  # noqa: S101  (it has a mean)
    taken = column.taken(rows)
    values = taken.cells
    if taken.places is not None:
        heavy = weights[taken.places]
        values, weights = np.append(values, 0.0), np.append(heavy, max(float(weights.sum() - heavy.sum()), 0.0))
    there = ~np.isnan(values) & (weights > 0)
    return {
        "mean": weighted_mean(values[there], weights[there]),
        "median": weighted_median(values[there], weights[there]),
    }


def _level_fills(
    feature: Feature,
    columns: Mapping[str, Column],
    training: tuple[Rows, Array],
    limits: Mapping[str, int],
    policy: Literal["mean", "median"],
) -> Mapping[str, float]:
    """What the columns of levels get by a policy where a cell is missing, learnt as a fit with it learns it."""
    return learn_lessons((replace(feature, missing=policy),), columns, *training, limits).fills.levels[feature.column]


def _column(feature: Feature, column: Column, rows: Rows) -> Document:
    """A column's distribution, and its missing cells, which play no further part in it."""
    out: Document = {}
    missing = rows.size
    if isinstance(column, Numbers):
        column = column.taken(rows)
        there = ~np.isnan(column.cells)
        cells, zeros = column.cells[there], column.size - column.cells.size
        out = _spread(cells, zeros)
        if out:
            out["counts"] = _few(cells, zeros)
        missing = column.cells.size - int(np.count_nonzero(there))
    elif isinstance(column, Levels):
        missing = int(np.count_nonzero(column.codes[rows] < 0))
    if isinstance(column, Levels) and feature.leveled:
        places = match_levels(feature, column)[column.codes[rows]]
        counts = np.bincount(places[places >= 0], minlength=len(feature.levels))
        out = {"levels": dict(zip(feature.levels, counts.tolist(), strict=True))}
    return {**out, "missing": missing, "missing_rate": missing / rows.size}


def _spread(values: Array, zeros: int = 0) -> Document:
    """Quartiles, deciles, mean and sd of numbers and so many zeros more; nothing of none."""
    count = values.size + zeros
    if not count:
        return {}
    if zeros:
        mean = float(values.sum()) / count
        sd = math.sqrt((float(np.square(values - mean).sum()) + zeros * mean * mean) / count)
    else:
        mean, sd = float(values.mean()), float(values.std())
    marks = _quantiles(values, zeros)
    named = dict(zip(QUARTILES, marks[len(QUANTILES) :], strict=True))
    return {**named, "quantiles": marks[: len(QUANTILES)], "mean": mean, "sd": sd}


def _few(values: Array, zeros: int) -> list[list[float | int]] | None:
    """The different numbers, ascending, and how many there are of each; None of more than ``FEW``."""
    found = np.unique(values[:FIRST])
    if found.size > FEW:
        return None
    rows = np.array([np.count_nonzero(values == value) for value in found])  # takes a tenth of what sorting does
    if rows.sum() < values.size:
        found, rows = np.unique(values, return_counts=True)
    counts = dict(zip(found.tolist(), rows.tolist(), strict=True))
    if zeros:
        counts[0.0] = counts.get(0.0, 0) + zeros
    return None if len(counts) > FEW else [[value + 0.0, counts[value]] for value in sorted(counts)]


def _quantiles(values: Array, zeros: int) -> list[float]:
    """Deciles, then quartiles, each never decreasing: interpolating between equal numbers may round them apart.

    Between two values they are numpy's, to the last bit.
    """
    at = _SHARES * (values.size + zeros - 1)
    low = np.floor(at).astype(np.intp)
    ranks = np.concatenate([low, np.minimum(low + 1, values.size + zeros - 1)])
    left, right = np.split(_ranked(values, zeros, ranks), 2)
    share, step = at - low, right - left
    marks = np.where(share >= 0.5, right - step * (1.0 - share), left + step * share)
    most = left[-1]
    for part in (slice(len(QUANTILES)), slice(len(QUANTILES), None)):
        marks[part] = np.minimum(np.maximum.accumulate(marks[part]), most)
    return [float(mark) + 0.0 for mark in marks]  # no -0.0, which ranks beside 0.0 anywhere


def _ranked(values: Array, zeros: int, ranks: Rows) -> Array:
    """Those of these ranks among numbers and so many zeros more. Costs half of what sorting them does."""
    below = int(np.count_nonzero(values < 0)) if zeros else 0
    own = (ranks < below) | (ranks >= below + zeros)
    places = np.where(ranks < below, ranks, ranks - zeros)[own]
    out = np.zeros(ranks.size)
    out[own] = np.partition(values, np.unique(places))[places] if places.size else 0.0
    return out


def _target(target: Target) -> Document:
    """The target's distribution: rows of each class, or of numbers mean, sd and quantiles."""
    out: Document = {"classes": None, "mean": None, "sd": None, "quantiles": None}
    if target.classes is None:
        spread = _spread(target.values)
        return {**out, **{key: spread[key] for key in ("mean", "sd", "quantiles")}}
    events = int(np.count_nonzero(target.values == 1))
    counts = {level: events if level == target.positive else target.values.size - events for level in target.classes}
    return {**out, "classes": counts}


# -- back ------------------------------------------------------------------------------------------------------------


def read_profile(document: Mapping[str, Any], features: Sequence[Feature], classes: Sequence[str] | None) -> Profile:
    """Read a profile and check it: counts that add up, numbers in order, the columns and levels of the model.

    Raises
    ------
    KeyError, TypeError, ValueError
        It cannot be so. Parts that files of earlier versions do not have may be absent.
    """
    rows, columns = count_of(document, "rows"), object_of(document, "columns")
    if not rows or set(columns) != {feature.column for feature in features}:
        raise ValueError("profile: columns or rows do not fit the model")
    found = {feature.column: _read_column(feature, object_of(columns, feature.column), rows) for feature in features}
    if "target" in document:
        _check_target(object_of(document, "target"), rows, classes)
    return Profile(rows, found)


def _read_column(feature: Feature, entry: Mapping[str, Any], rows: int) -> ColumnProfile:
    """One column."""
    where, missing = f"profile of {feature.column!r}", count_of(entry, "missing")
    if missing > rows or ("missing_rate" in entry and number_of(entry, "missing_rate") != missing / rows):
        raise ValueError(f"{where}: missing cells")
    if "levels" in entry:
        stored = object_of(entry, "levels")
        levels = {level: count_of(stored, level) for level in stored}
        if not feature.leveled or set(levels) != set(feature.levels) or sum(levels.values()) + missing > rows:
            raise ValueError(f"{where}: levels")
        return ColumnProfile(missing, levels=levels, level_fills=_read_level_fills(feature, entry))
    if missing == rows or feature.kind == "text":
        return ColumnProfile(missing)
    quartiles = [number_of(entry, name) for name in QUARTILES]
    quantiles = numbers_of(entry, "quantiles") if "quantiles" in entry else (quartiles[0], quartiles[-1])
    ends = quartiles[0] == quantiles[0] and quartiles[-1] == quantiles[-1]
    if feature.kind != "number" or not ends or not _rising(quartiles) or not _rising(quantiles):
        raise ValueError(f"{where}: quantiles")
    if "quantiles" in entry and (len(quantiles) != len(QUANTILES) or quantiles[5] != quartiles[2]):
        raise ValueError(f"{where}: quantiles")
    mean, sd = (number_of(entry, name) if name in entry else None for name in ("mean", "sd"))
    # A mean is within its range but for rounding.
    reach = 1e-9 * max(abs(quartiles[0]), abs(quartiles[-1]))
    if (mean is not None and not quartiles[0] - reach <= mean <= quartiles[-1] + reach) or (sd is not None and sd < 0):
        raise ValueError(f"{where}: mean or sd")
    fills = _read_fills(entry)
    if fills is not None and not all(quartiles[0] - reach <= fill <= quartiles[-1] + reach for fill in fills.values()):
        raise ValueError(f"{where}: fills")
    counts = _read_counts(entry, rows - missing, (quantiles[0], quantiles[-1]))
    return ColumnProfile(missing, quantiles, quartiles[2], mean, sd, counts, fills=fills)


def _read_counts(entry: Mapping[str, Any], rows: int, ends: tuple[float, float]) -> dict[float, int] | None:
    """Rows of each number, those of a column of so many rows and such ends; None where there are too many numbers."""
    if entry.get("counts") is None:
        return None
    named = [{"value": value, "rows": count} for value, count in entry["counts"]]
    values, counts = [number_of(pair, "value") for pair in named], [count_of(pair, "rows") for pair in named]
    rising = all(one < other for one, other in pairwise(values))
    if not rising or values[:1] + values[-1:] != [*ends] or sum(counts) != rows or not min(counts):
        raise ValueError("profile: counts of numbers")
    return dict(zip(values, counts, strict=True))


def _read_fills(entry: Mapping[str, Any]) -> Mapping[str, float] | None:
    """What missing numbers become, by policy; None where rows had no weights."""
    if "fills" not in entry:
        return None
    stored = object_of(entry, "fills")
    return {policy: number_of(stored, policy) for policy in POLICIES}


def _read_level_fills(feature: Feature, entry: Mapping[str, Any]) -> Mapping[str, Mapping[str, float]] | None:
    """What the columns of levels become where a cell is missing, by policy; None where rows had no weights."""
    if "fills" not in entry:
        return None
    stored = object_of(entry, "fills")
    out: dict[str, Mapping[str, float]] = {
        policy: {level: number_of(object_of(stored, policy), level) for level in feature.levels} for policy in POLICIES
    }
    if not all(0.0 <= cell <= _MOST_SHARE for cells in out.values() for cell in cells.values()):
        raise ValueError(f"profile of {feature.column!r}: fills")
    return out


def _check_target(entry: Mapping[str, Any], rows: int, classes: Sequence[str] | None) -> None:
    """Check the target's distribution."""
    idle = ("mean", "sd", "quantiles") if classes is not None else ("classes",)
    if any(entry[key] is not None for key in idle):
        raise ValueError("profile of the target: it is of another kind")
    if classes is not None:
        counts = object_of(entry, "classes")
        if set(counts) != set(classes) or sum(count_of(counts, level) for level in counts) != rows:
            raise ValueError("profile of the target: classes")
        return
    number_of(entry, "mean")
    if number_of(entry, "sd") < 0 or not _rising(numbers_of(entry, "quantiles")):
        raise ValueError("profile of the target: sd or quantiles")


def _rising(values: Sequence[float]) -> bool:
    return all(one <= other for one, other in pairwise(values))
