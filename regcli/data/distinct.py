"""Different values of arrays, by pandas' hash tables: one pass, no sort. A few cells need not wait for pandas."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["coded", "count_distinct", "hashed", "numbered"]

#: Cells up to which Python's own hash tables serve: a millisecond.
FEW = 20_000


def hashed(cells: NDArray[Any]) -> NDArray[np.uint64]:
    """A 64-bit hash of every cell, the same in every run."""
    import pandas as pd  # noqa: PLC0415  (0.2 s that a fit of a small table need not pay)

    return pd.util.hash_array(cells)


def coded(cells: Any) -> tuple[NDArray[np.intp], list[Any]]:  # noqa: ANN401  (a Series or an array)
    """Every cell as a position in the different values, in the order in which they come; -1 for NaN and None."""
    if isinstance(cells, np.ndarray) and cells.size <= FEW:
        places: dict[Any, int] = {}
        codes = [
            -1 if cell is None or cell != cell else places.setdefault(cell, len(places))  # noqa: PLR0124  (NaN)
            for cell in cells.tolist()
        ]
        return np.array(codes, dtype=np.intp), list(places)
    import pandas as pd  # noqa: PLC0415

    codes, uniques = pd.factorize(cells)
    return codes.astype(np.intp, copy=False), list(uniques)


def numbered(cells: NDArray[Any]) -> NDArray[np.intp]:
    """Every cell's value as an integer, in the order in which values come; -1 for NaN."""
    return coded(cells)[0]


def count_distinct(cells: NDArray[Any]) -> int:
    """How many different values there are; NaN is one."""
    if cells.size <= FEW and cells.dtype != object:
        return int(np.unique(cells).size)
    import pandas as pd  # noqa: PLC0415

    return int(pd.unique(cells).size)
