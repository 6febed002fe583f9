"""Columns of numbers that grow while a table is read, each in memory of its own that goes back when it is let go.

The allocator keeps what columns of a few megabytes leave behind; pages that were mapped for one column alone return to
the system at once. A table can so be handed over to its design column by column, and never is in memory twice.
"""

import mmap
from contextlib import suppress
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

__all__ = ["Rooms", "is_limited", "own_room"]

Array = NDArray[np.float64]

#: Columns with more cells than this have pages of their own: half a MiB, above what the allocator keeps in its heap at
#: the start.
_OWN_PAGES = 1 << 16

#: Bytes of a large page on most systems. The system's small ones come one by one, as they are written to, which takes
#: three times as long as writing: 0.07 of 0.9 s of a file of 200 MB.
_LARGE_PAGE = 1 << 21

#: The share of a column's room that may be in large pages, and the columns of a table that has them. They come whole:
#: where rows are fewer than expected, up to 128 MB of them would be for nothing.
_SURE, _MOST_LARGE = 0.9, 64


class Rooms:
    """Columns by their place, filled from the top; ``expected`` rows are made room for at first, in ``count`` columns.

    Room that is not used takes no memory: pages come when they are written to.
    """

    def __init__(self, expected: int, count: int) -> None:
        self.expected = expected
        self.columns: dict[int, Array] = {}
        self._large = count <= _MOST_LARGE

    def fit(self, rows: int) -> bool:
        """Whether so many rows have room; if not, columns move, and nothing may be written to them meanwhile."""
        return all(len(room) >= rows for room in self.columns.values())

    def room(self, at: int, start: int, end: int) -> Array:
        """The cells of a column from the row ``start`` on, to be written to."""
        room = self.columns.get(at)
        if room is None:
            room = self.columns[at] = self._mapped(max(end, self.expected))
        elif len(room) < end:
            larger = self._mapped(max(end, 2 * len(room)))
            larger[:start] = room[:start]
            room = self.columns[at] = larger
        return room[start:end]

    def take(self, at: int, rows: int) -> Array:
        """Give a column away: its first ``rows`` cells."""
        return self.columns.pop(at)[:rows]

    def drop(self, at: int) -> None:
        """Let a column go, if it is there."""
        self.columns.pop(at, None)

    def _mapped(self, rows: int) -> Array:
        return own_room(rows, large=self._large)


def own_room(rows: int, *, large: bool = False) -> Array:
    """Room for a column (rows,), with pages of its own, or large ones, where it is long."""
    if rows < _OWN_PAGES:
        return np.empty(rows)
    try:
        pages = mmap.mmap(-1, 8 * rows) if is_limited() else _private(8 * rows, large=large)
    except OSError as error:
        raise MemoryError(f"no room for a column of {rows:,} numbers") from error
    return np.frombuffer(pages, dtype=np.float64, count=rows)


def is_limited() -> bool:
    """Whether pages of one's own count before they are used, or there are none: under a limit of memory, on Windows."""
    if find_spec("resource") is None:
        return True
    import resource  # noqa: PLC0415  (Windows has none)

    return resource.getrlimit(resource.RLIMIT_DATA)[0] != resource.RLIM_INFINITY


def _private(size: int, *, large: bool) -> mmap.mmap:
    """Pages that no other process may share: they come in two thirds of the time of Python's default."""
    whole = int(_SURE * size) // _LARGE_PAGE * _LARGE_PAGE if large and hasattr(mmap, "MADV_HUGEPAGE") else 0
    # Linux lets a mapping begin with a large page where it is as long as some of them.
    length = -(-size // _LARGE_PAGE) * _LARGE_PAGE if whole else size
    pages = mmap.mmap(-1, length, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if whole:
        with suppress(OSError):  # a system built without them
            pages.madvise(mmap.MADV_HUGEPAGE, 0, whole)
    return pages
