"""Dealing rows to folds and setting rows aside: seeded, the same on every machine.

Keys are raw draws of NumPy's PCG64 bit generator, whose stream is fixed; rows are dealt in the order of their keys.
"""

import numpy as np

from regcli.problem.lanes import Partition
from regcli.problem.protocols import Array, Bools, Integers

__all__ = ["deal_folds", "fold_partition", "set_aside", "whole_partition"]

#: Streams drawn from one seed, so that a split and the folds after it are not the same order.
FOLD_STREAM, SPLIT_STREAM = 1, 2


def _order(n: int, seed: int, stream: int) -> Integers:
    """A seeded order of n rows."""
    keys = np.random.PCG64([seed, stream]).random_raw(n)
    return np.argsort(keys, kind="stable")


def deal_folds(n: int, count: int, seed: int, classes: Integers | None = None) -> Integers:
    """Fold of each row (n,), 0 to count - 1; sizes differ by at most one.

    With ``classes`` (n,) every class is dealt on its own, each going on where the one before ended, so that its rows
    are spread over the folds as evenly as they can be.
    """
    order = _order(n, seed, FOLD_STREAM)
    if classes is not None:
        order = order[np.argsort(classes[order], kind="stable")]
    folds = np.empty(n, dtype=np.intp)
    folds[order] = np.arange(n) % count
    return folds


def set_aside(n: int, share: float, seed: int, classes: Integers | None = None) -> Bools:
    """Mark the rows (n,) of a test set: round(share n) of them, at least one, in proportion within ``classes``."""
    order = _order(n, seed, SPLIT_STREAM)
    marked = np.zeros(n, dtype=bool)
    if classes is None:
        marked[order[: max(1, round(share * n))]] = True
        return marked
    for level in np.unique(classes):
        rows = order[classes[order] == level]
        marked[rows[: max(1, round(share * rows.size))]] = True
    return marked


def whole_partition(row_weights: Array) -> Partition:
    """One lane that trains on all rows and tests on none."""
    yes = np.ones((1, 1), dtype=bool)
    return Partition(np.zeros(row_weights.size, dtype=np.intp), yes, ~yes, row_weights)


def fold_partition(folds: Integers, count: int, row_weights: Array) -> Partition:
    """Lane 0 trains on all rows; lane k + 1 trains without fold k and tests on it."""
    test = np.vstack([np.zeros((1, count), dtype=bool), np.eye(count, dtype=bool)])
    train = ~test
    return Partition(folds.astype(np.intp), train, test, row_weights)
