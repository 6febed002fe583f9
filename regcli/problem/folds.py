"""Dealing rows to folds and setting rows aside: seeded, the same on every machine.

Keys are raw draws of NumPy's PCG64 bit generator, whose stream is fixed; rows are dealt in the order of their keys.

A cross-validation is a series of partitions of the same rows (``Splits``). Lane 0 of the first one trains on all rows;
every other lane leaves a fold out. Repeats have a partition each, and so has each chunk of leave-one-out: statistics
are sums over the blocks of a partition, of which there are few that way, and only its lanes are in memory.
"""

from dataclasses import dataclass

import numpy as np

from regcli.problem.lanes import Partition
from regcli.problem.protocols import Array, Bools, Integers

__all__ = [
    "Splits",
    "deal_folds",
    "deal_groups",
    "fold_partition",
    "fold_splits",
    "last_aside",
    "leave_one_out",
    "set_aside",
    "time_splits",
    "whole_partition",
    "whole_splits",
]

#: Streams drawn from one seed, so that a split and the folds after it are not the same order.
FOLD_STREAM, SPLIT_STREAM = 1, 2


@dataclass(frozen=True)
class Splits:
    """Partitions in order, and the repeat that the folds of each belong to.

    Lane 0 of the first partition trains on all rows and tests on none; all other lanes test on a fold. ``single`` says
    that folds are of one row each, so that every model is near to that of all rows.
    """

    partitions: tuple[Partition, ...]
    repeats: tuple[int, ...]
    single: bool = False

    @property
    def n_folds(self) -> int:
        """Folds of all repeats together."""
        return sum(partition.n_lanes for partition in self.partitions) - 1


def _order(n: int, seed: int, stream: int, repeat: int = 0) -> Integers:
    """A seeded order of n rows."""
    entropy = [seed, stream, repeat] if repeat else [seed, stream]
    keys = np.random.PCG64(entropy).random_raw(n)
    return np.argsort(keys, kind="stable")


def deal_folds(n: int, count: int, seed: int, classes: Integers | None = None, repeat: int = 0) -> Integers:
    """Fold of each row (n,), 0 to count - 1; sizes differ by at most one.

    With ``classes`` (n,) every class is dealt on its own, each going on where the one before ended, so that its rows
    are spread over the folds as evenly as they can be. Every ``repeat`` deals anew.
    """
    order = _order(n, seed, FOLD_STREAM, repeat)
    if classes is not None:
        order = order[np.argsort(classes[order], kind="stable")]
    folds = np.empty(n, dtype=np.intp)
    folds[order] = np.arange(n) % count
    return folds


def deal_groups(groups: Integers, count: int, seed: int, classes: Integers | None = None, repeat: int = 0) -> Integers:
    """Fold of each row (n,); rows of one group share a fold, and folds are as even as groups of their size allow.

    Larger groups are dealt first (sizes count by powers of two, in seeded order within), each to the fold where the sum
    of squared shares rises least: of rows, or with ``classes`` (n,) of every class's rows. Costs O(groups folds
    classes).
    """
    sizes = np.bincount(groups)
    labels = np.zeros(groups.size, dtype=np.intp) if classes is None else classes
    width = int(labels.max(initial=0)) + 1
    table = np.bincount(groups * width + labels, minlength=sizes.size * width).reshape(sizes.size, width)
    shares = (table / np.maximum(table.sum(axis=0), 1)).tolist()
    order = _order(sizes.size, seed, FOLD_STREAM, repeat)
    order = order[np.argsort(-np.frexp(sizes[order])[1], kind="stable")]
    held = [[0.0] * width for _ in range(count)]
    fold_of = np.empty(sizes.size, dtype=np.intp)
    for group in order.tolist():
        own = shares[group]
        rise = [sum(share * (2.0 * full + share) for share, full in zip(own, fold, strict=True)) for fold in held]
        at = min(range(count), key=rise.__getitem__)
        fold_of[group] = at
        held[at] = [full + share for full, share in zip(held[at], own, strict=True)]
    return fold_of[groups]


def set_aside(
    n: int, share: float, seed: int, classes: Integers | None = None, groups: Integers | None = None
) -> Bools:
    """Mark the rows (n,) of a test set: round(share n) of them, at least one, in proportion within ``classes``.

    With ``groups`` whole groups are marked, in seeded order, as long as that brings the count nearer to the share.
    """
    marked = np.zeros(n, dtype=bool)
    if groups is not None:
        sizes = np.bincount(groups)
        order = _order(sizes.size, seed, SPLIT_STREAM)
        total = 0
        chosen: list[int] = []
        for group in order.tolist():
            if not chosen or abs(total + sizes[group] - share * n) < abs(total - share * n):
                chosen.append(group)
                total += int(sizes[group])
        return np.isin(groups, chosen)
    order = _order(n, seed, SPLIT_STREAM)
    if classes is None:
        marked[order[: max(1, round(share * n))]] = True
        return marked
    for level in np.unique(classes):
        rows = order[classes[order] == level]
        marked[rows[: max(1, round(share * rows.size))]] = True
    return marked


def last_aside(times: Integers, share: float, gap: int = 0) -> tuple[Bools, Bools]:
    """Mark the rows (n,) to train on and, in time the last, those of a test set.

    The latter are round(share n), at least one, and of rows at one time all or none. The ``gap`` rows just before them
    are neither.
    """
    order = np.argsort(times, kind="stable")
    first = times[order[times.size - max(1, round(share * times.size))]]
    held, train = times >= first, np.zeros(times.size, dtype=bool)
    train[order[: max(0, int(np.count_nonzero(~held)) - gap)]] = True
    return train, held


def whole_partition(row_weights: Array) -> Partition:
    """One lane that trains on all rows and tests on none."""
    yes = np.ones((1, 1), dtype=bool)
    return Partition(np.zeros(row_weights.size, dtype=np.intp), yes, ~yes, row_weights)


def whole_splits(row_weights: Array) -> Splits:
    """No folds at all."""
    return Splits((whole_partition(row_weights),), (0,))


def fold_partition(folds: Integers, count: int, row_weights: Array) -> Partition:
    """Lane 0 trains on all rows; lane k + 1 trains without fold k and tests on it."""
    test = np.vstack([np.zeros((1, count), dtype=bool), np.eye(count, dtype=bool)])
    return Partition(folds.astype(np.intp), ~test, test, row_weights)


def fold_splits(repeats: list[Integers], row_weights: Array) -> Splits:
    """Folds of every repeat, (n,) each; the first one's partition has the lane of all rows too."""
    parts = [fold_partition(folds, int(folds.max()) + 1, row_weights) for folds in repeats]
    later = [part.keep(np.arange(1, part.n_lanes)) for part in parts[1:]]
    return Splits((parts[0], *later), tuple(range(len(repeats))))


def time_splits(times: Integers, count: int, gap: int, window: int | None, row_weights: Array) -> Splits | None:
    """Folds that follow each other in time, each tested by what came before it.

    The rows in order of ``times`` (n,) end in ``count`` folds of n // (count + 1) rows. A fold's lane trains on all
    rows before it, less the ``gap`` last ones; with ``window`` on at most as many of them. These are the folds of
    scikit-learn's TimeSeriesSplit, but rows at one time stay together: where a fold would begin among them it begins
    with the first. None where a fold or a training set has no rows.
    """
    order = np.argsort(times, kind="stable")
    ordered, n = times[order], times.size
    gap, window = min(gap, n), None if window is None else min(window, n)  # more is beyond all rows, or beyond 64 bits
    size = n // (count + 1)
    starts = np.array([n - (count - k) * size for k in range(count)], dtype=np.intp)
    if size == 0:
        return None
    starts = np.searchsorted(ordered, ordered[starts], side="left")
    ends = np.append(starts[1:], n)
    stops = starts - gap
    begins = np.zeros_like(stops) if window is None else np.maximum(stops - window, 0)
    if np.any(ends <= starts) or np.any(stops <= begins):
        return None
    cuts = np.unique(np.concatenate([[0], starts, ends[:-1], stops, begins]))
    block = np.empty(n, dtype=np.intp)
    block[order] = np.searchsorted(cuts, np.arange(n), side="right") - 1
    train = (cuts >= begins[:, None]) & (cuts < stops[:, None])
    test = (cuts >= starts[:, None]) & (cuts < ends[:, None])
    every, none = np.ones((1, cuts.size), dtype=bool), np.zeros((1, cuts.size), dtype=bool)
    partition = Partition(block, np.vstack([every, train]), np.vstack([none, test]), row_weights)
    return Splits((partition,), (0,))


def leave_one_out(row_weights: Array, chunk: int) -> Splits:
    """Every row by the lane of all others, ``chunk`` lanes at a time.

    A chunk's partition has one block for each row that its lanes leave out, and one for all others.
    """
    n = row_weights.size
    parts = [whole_partition(row_weights)]
    for start in range(0, n, chunk):
        size = min(chunk, n - start)
        block = np.full(n, size, dtype=np.intp)
        block[start : start + size] = np.arange(size)
        test = np.eye(size, size + 1, dtype=bool)
        parts.append(Partition(block, ~test, test, row_weights))
    return Splits(tuple(parts), (0,) * len(parts), single=True)
