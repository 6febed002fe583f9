"""What the C library keeps of memory that is freed while a large table is read or fitted.

A parser takes and frees some megabytes for every block, a solver for every product. Left to itself GNU's allocator
hands them back to the system each time, and their pages come anew: of a file of 200 MB those were 184,000 faults and
0.4 of 1.6 s. Other libraries are left as they are.
"""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["heap_kept"]

#: From <malloc.h>.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3

#: Larger pieces have pages of their own, which go back at once: what GNU's allocator comes to by itself when blocks of
#: this size are freed. With 16 or 32 MiB a lasso of 400 x 40,000 takes 30 to 50 MB more memory.
_LARGE = 1 << 23

#: Freed bytes at the end of a heap that are kept: meanwhile more than parsers and solvers free between two steps,
#: afterwards what goes with ``_LARGE`` by itself.
_MEANWHILE, _AFTERWARDS = 1 << 26, 1 << 24


@contextmanager
def heap_kept() -> Iterator[None]:
    """Keep freed memory for what comes next; at the end hand it back.

    Threads that parse leave it in pieces all over: 60 MB after a file of 200 MB.
    """
    library = ctypes.CDLL(None) if sys.platform.startswith("linux") else None
    if library is None or not hasattr(library, "mallopt"):  # another C library than GNU's
        yield
        return
    _keep(library, _MEANWHILE)
    try:
        yield
    finally:
        _keep(library, _AFTERWARDS)
        library.malloc_trim(0)


def _keep(library: ctypes.CDLL, most: int) -> None:
    library.mallopt(_MMAP_THRESHOLD, _LARGE)
    library.mallopt(_TRIM_THRESHOLD, most)
