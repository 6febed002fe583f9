"""Columns of numbers that grow while a table is read, each in memory of its own that goes back when it is let go.

The allocator keeps what columns of a few megabytes leave behind; pages that were mapped for one column alone return to
the system at once. A table can so be handed over to its design column by column, and never is in memory twice.
"""

import mmap
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

__all__ = ["Rooms"]

Array = NDArray[np.float64]

#: Columns with more cells than this have pages of their own: half a MiB, above what the allocator keeps in its heap at
#: the start.
_OWN_PAGES = 1 << 16

#: Bytes of a large page on most systems. The system's small ones come one by one, as they are written to, which takes
#: three times as long as writing: 0.07 of 0.9 s of a file of 200 MB.
_LARGE_PAGE = 1 << 21

#: The share of a column's room that may be in large pages. They come whole, and rows may be fewer than expected.
_SURE = 0.9


class Rooms:
    """Columns by their place, filled from the top; ``expected`` rows are made room for at first.

    Room that is not used takes no memory: pages come when they are written to.
    """

    def __init__(self, expected: int) -> None:
        self.expected = expected
        self.columns: dict[int, Array] = {}

    def fit(self, rows: int) -> bool:
        """Whether so many rows have room; if not, columns move, and nothing may be written to them meanwhile."""
        return all(len(room) >= rows for room in self.columns.values())

    def room(self, at: int, start: int, end: int) -> Array:
        """The cells of a column from the row ``start`` on, to be written to."""
        room = self.columns.get(at)
        if room is None:
            room = self.columns[at] = _mapped(max(end, self.expected))
        elif len(room) < end:
            larger = _mapped(max(end, 2 * len(room)))
            larger[:start] = room[:start]
            room = self.columns[at] = larger
        return room[start:end]

    def take(self, at: int, rows: int) -> Array:
        """Give a column away: its first ``rows`` cells."""
        return self.columns.pop(at)[:rows]


def _mapped(rows: int) -> Array:
    if rows < _OWN_PAGES:
        return np.empty(rows)
    large = int(_SURE * 8 * rows) // _LARGE_PAGE * _LARGE_PAGE
    # Linux lets a mapping begin with a large page where it is as long as some of them.
    size = -(-8 * rows // _LARGE_PAGE) * _LARGE_PAGE if large else 8 * rows
    pages = mmap.mmap(-1, size, **_PRIVATE)
    if large and hasattr(mmap, "MADV_HUGEPAGE"):
        with suppress(OSError):  # a system built without them
            pages.madvise(mmap.MADV_HUGEPAGE, 0, large)
    return np.frombuffer(pages, dtype=np.float64, count=rows)


#: Pages shared with other processes, Python's default, take half as long again to come.
_PRIVATE = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_PRIVATE") else {}
