"""Different values of arrays, found by pandas' hash tables: one pass, no sort."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["count_distinct", "hashed", "numbered"]


def hashed(cells: NDArray[Any]) -> NDArray[np.uint64]:
    """A 64-bit hash of every cell, the same in every run."""
    return pd.util.hash_array(cells)


def numbered(cells: NDArray[Any]) -> NDArray[np.intp]:
    """Every cell's value as an integer, in the order in which values come; -1 for NaN."""
    return pd.factorize(cells)[0].astype(np.intp, copy=False)


def count_distinct(cells: NDArray[Any]) -> int:
    """How many different values there are."""
    return int(pd.unique(cells).size)
