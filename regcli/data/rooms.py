"""Columns of numbers that grow while a table is read, each in memory of its own that goes back when it is let go.

The allocator keeps what columns of a few megabytes leave behind; pages that were mapped for one column alone return to
the system at once. A table can so be handed over to its design column by column, and never is in memory twice.
"""

import mmap

import numpy as np
from numpy.typing import NDArray

__all__ = ["Rooms"]

Array = NDArray[np.float64]

#: Columns with more cells than this have pages of their own: half a MiB, above what the allocator keeps in its heap at
#: the start.
_OWN_PAGES = 1 << 16


class Rooms:
    """Columns by their place, filled from the top; ``expected`` rows are made room for at first.

    Room that is not used takes no memory: pages come when they are written to.
    """

    def __init__(self, expected: int) -> None:
        self.expected = expected
        self.columns: dict[int, Array] = {}

    def put(self, at: int, start: int, values: Array) -> None:
        """Write cells of a column from the row ``start`` on."""
        need = start + len(values)
        room = self.columns.get(at)
        if room is None:
            room = self.columns[at] = _mapped(max(need, self.expected))
        elif len(room) < need:
            larger = _mapped(max(need, 2 * len(room)))
            larger[:start] = room[:start]
            room = self.columns[at] = larger
        room[start:need] = values

    def take(self, at: int, rows: int) -> Array:
        """Give a column away: its first ``rows`` cells."""
        return self.columns.pop(at)[:rows]


def _mapped(rows: int) -> Array:
    if rows < _OWN_PAGES:
        return np.empty(rows)
    return np.frombuffer(mmap.mmap(-1, 8 * rows), dtype=np.float64)
