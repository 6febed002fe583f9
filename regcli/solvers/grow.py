"""Symmetric matrices that grow at their end."""

import numpy as np

from regcli.problem.protocols import Array

__all__ = ["SPARE", "completed", "led", "paged"]

#: Room behind a matrix, as a share of one in so many: a half takes 25 MB more at 400 x 40,000, and no less time.
SPARE = 8

#: Matrices of more bytes have pages of their own, which go back to the system when they are freed: they are asked for
#: with room up to where GNU's allocator gives such pages, and room that is not written to takes no memory. Taken from
#: the heap they leave gaps: 11 lanes of 1,000 columns had a peak of 550 MB, where matrices were 210.
PAGED, OWN_PAGES = 1 << 22, (1 << 23) + (1 << 12)


def completed(known: Array, fresh: Array) -> Array:
    """A symmetric matrix (k, k) from its leading part and its further columns (k, k - known).

    Room for more is kept behind it, so that a matrix that grows bit by bit is copied now and then only.
    """
    size, more = known.shape[0], fresh.shape[0]
    base = known.base  # of an array that came from another process it is its bytes
    room = base if isinstance(base, np.ndarray) and base.ndim == known.ndim else known
    if room.shape[1] < more:
        room = paged(more + more // SPARE)
        room[:size, :size] = known
    room[:more, size:more] = fresh
    room[size:more, :size] = fresh[:size].T
    return room[:more, :more]


def paged(side: int) -> Array:
    """Zeros (side, side), or more rows of them."""
    own = 8 * side * side > PAGED
    return np.zeros((max(side, OWN_PAGES // (8 * side)) if own else side, side))


def led(first: float, rest: Array) -> Array:
    """A number and then an array: what ``np.append`` does in four times the time."""
    out = np.empty(rest.size + 1)
    out[0], out[1:] = first, rest
    return out
