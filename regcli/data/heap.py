"""What the C library keeps of memory that is freed while a large table is read.

A parser takes and frees some megabytes for every block. Left to itself GNU's allocator hands them back to the system
each time, and their pages come anew: of a file of 200 MB those were 184,000 faults and 0.4 of 1.6 s. Other libraries
are left as they are.
"""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = ["heap_kept"]

#: From <malloc.h>.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3

#: While a table is read: the largest pieces that the library takes from its heap at all, and more than the parsers of
#: two threads free between two blocks.
_READING = {_MMAP_THRESHOLD: 1 << 25, _TRIM_THRESHOLD: 1 << 26}

#: After it: what the library has come to by itself when blocks of 4 MB were freed. It no longer does by itself.
_AFTER = {_MMAP_THRESHOLD: 1 << 23, _TRIM_THRESHOLD: 1 << 24}


@contextmanager
def heap_kept() -> Iterator[None]:
    """Keep freed memory for the next block; at the end hand it back.

    Threads that parse leave it in pieces all over: 60 MB after a file of 200 MB.
    """
    library = None
    if sys.platform.startswith("linux"):
        with suppress(OSError, AttributeError):  # another C library than GNU's
            library = ctypes.CDLL(None)
            _set(library, _READING)
    try:
        yield
    finally:
        if library is not None:
            with suppress(AttributeError):
                _set(library, _AFTER)
                library.malloc_trim(0)


def _set(library: ctypes.CDLL, thresholds: dict[int, int]) -> None:
    for name, value in thresholds.items():
        library.mallopt(name, value)
