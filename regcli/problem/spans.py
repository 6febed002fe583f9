"""Where a range is cut into pieces."""

from itertools import pairwise

__all__ = ["even_spans"]


def even_spans(size: int, count: int) -> list[slice]:
    """So many neighbouring pieces of ``range(size)``, whose lengths differ by one at most."""
    ends = [size * at // count for at in range(count + 1)]
    return [slice(begin, end) for begin, end in pairwise(ends)]
