"""Quotes in pieces of text: which bytes lie inside them, where records end, how many delimiters count.

Whether quotes are used as a CSV writer uses them (every opening quote at the start of a cell, every closing one at its
end) is decided with array operations; only pieces that fail this test are read token by token.
"""

import re
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

__all__ = ["Quotes", "count_breaks", "count_delimiters", "exact_ends", "record_ends"]

#: Bytes that are looked at together: with what is made of them they stay in the processor's cache, which takes less
#: than half of the time of 2 MB at once (0.018 of 0.041 s for 200 MB).
_NEAR = 1 << 18


@dataclass
class Quotes:
    """The state of quoting at the end of a piece: inside a quoted cell or not; whether all was as writers write it."""

    delimiter: str
    inside: bool = False
    plain: bool = True

    def mask(self, piece: bytes) -> "np.ndarray[tuple[int], np.dtype[np.bool_]] | None":
        """Take in the next piece; return which of its bytes lie inside quotes (None if none does).

        Once ``plain`` is false the mask means nothing.
        """
        if b'"' not in piece:
            return np.ones(len(piece), dtype=np.bool_) if self.inside else None
        buffer = np.frombuffer(piece, dtype=np.uint8)
        is_quote = buffer == ord('"')
        at = np.flatnonzero(is_quote)
        inside = np.logical_xor.accumulate(is_quote)
        opening = inside[at]
        if self.inside:
            inside, opening = ~inside, ~opening
        borders = np.zeros(256, dtype=np.bool_)
        borders[[ord(self.delimiter), ord("\r"), ord("\n"), ord('"')]] = True
        # The neighbours of the piece's ends are line breaks: pieces are whole lines.
        neighbour = np.where(opening, at - 1, at + 1)
        outer = (neighbour < 0) | (neighbour >= len(buffer))
        fine = outer | borders[buffer[np.clip(neighbour, 0, len(buffer) - 1)]]
        self.plain = self.plain and bool(fine.all())
        self.inside = bool(inside[-1])
        return cast("np.ndarray[tuple[int], np.dtype[np.bool_]]", inside)


def count_delimiters(piece: bytes, quotes: Quotes) -> int:
    """Count the delimiters outside quotes, taking the piece into the state of ``quotes``."""
    inside = quotes.mask(piece)
    if inside is None:
        return _count_bare(piece, quotes.delimiter)
    return int(np.count_nonzero((np.frombuffer(piece, dtype=np.uint8) == ord(quotes.delimiter)) & ~inside))


def _count_bare(piece: bytes, delimiter: str) -> int:
    """Count the delimiters of a piece in which nothing is quoted."""
    buffer, mark = np.frombuffer(piece, dtype=np.uint8), ord(delimiter)
    return sum(int(np.count_nonzero(buffer[at : at + _NEAR] == mark)) for at in range(0, len(piece), _NEAR))


def count_breaks(data: bytes) -> int:
    """Count the line breaks of a piece."""
    breaks = int(np.count_nonzero(np.frombuffer(data, dtype=np.uint8) == ord("\n")))  # half the time of bytes.count
    return breaks + data.count(b"\r") - data.count(b"\r\n") if b"\r" in data else breaks


def record_ends(piece: bytes, quotes: Quotes) -> NDArray[np.intp]:
    """Return where records end in a piece, taking it into the state of ``quotes``."""
    before = quotes.inside
    inside = quotes.mask(piece)
    if not quotes.plain:
        quotes.plain = True
        ends, quotes.inside = exact_ends(piece, quotes.delimiter, inside=before)
        return ends
    buffer = np.frombuffer(piece, dtype=np.uint8)
    breaks = buffer == ord("\n")
    if b"\r" in piece:
        lone = buffer == ord("\r")
        lone[:-1] &= ~breaks[1:]
        breaks = breaks | lone
    return np.flatnonzero(breaks if inside is None else breaks & ~inside) + 1


def exact_ends(piece: bytes, delimiter: str, *, inside: bool) -> tuple[NDArray[np.intp], bool]:
    """Find where records end, and whether the piece ends inside quotes, token by token.

    For quotes in places where a CSV writer puts none, such as 5" in a bare cell.
    """
    ends: list[int] = []
    cell = 0
    skip = -1
    for token in re.finditer(rb'["\n' + re.escape(delimiter.encode()) + rb"]|\r\n?", piece):
        at, end = token.span()
        if at == skip:
            continue
        if token[0] == b'"':
            if inside and piece[end : end + 1] == b'"':
                skip = end
            elif inside:
                inside = False
            else:
                inside = at == cell
        elif not inside:
            cell = end
            if token[0] != delimiter.encode():
                ends.append(end)
    return np.array(ends, dtype=np.intp), inside
