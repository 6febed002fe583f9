"""What a picture is made of: panels with lines, dots and bars, as numbers and words. How they look is not said here."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Band", "Bars", "Dots", "Line", "Mark", "Panel", "Picture", "Tick", "spread"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Line:
    """Points joined (k,); nan breaks the line. ``error`` (k,) are half the lengths of the bars through them.

    ``rank`` tells lines with a name apart, from 0; lines without one recede, and so does a ``guide``. ``at_end`` puts
    the name beside the last point instead of into the legend.
    """

    x: Array
    y: Array
    name: str | None = None
    rank: int = 0
    error: Array | None = None
    guide: bool = False
    at_end: bool = False


@dataclass(frozen=True, slots=True)
class Dots:
    """Points that are not joined (k,)."""

    x: Array
    y: Array
    large: bool = False


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars that lie, from the top, with a name each."""

    names: tuple[str, ...]
    values: Array


@dataclass(frozen=True, slots=True)
class Band:
    """What lies between two lines (k,): a number of lines that are too many to be drawn."""

    x: Array
    low: Array
    high: Array
    lines: int


@dataclass(frozen=True, slots=True)
class Mark:
    """An upright line and its name."""

    x: float
    name: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A label at a place of an axis."""

    x: float
    label: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One system of axes.

    ``top`` are labels of the upper edge, ``top_title`` says what of; ``notes`` are told in a corner. ``x_ticks`` are
    further labels of the lower edge, in the place of the usual ones there and beyond. Panels of one ``scale`` measure
    by the same one: bars along x, everything else along y.
    """

    title: str
    x_title: str
    y_title: str
    lines: tuple[Line, ...] = ()
    dots: Dots | None = None
    bars: Bars | None = None
    band: Band | None = None
    marks: tuple[Mark, ...] = ()
    top: tuple[Tick, ...] = ()
    top_title: str = ""
    x_ticks: tuple[Tick, ...] = ()
    notes: tuple[str, ...] = ()
    scale: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """Panels side by side, under a title."""

    title: str
    panels: tuple[Panel, ...]


def spread(places: Array, low: float, high: float, gap: float) -> Array:
    """Move labels at ``places`` (k,) apart until ``gap`` lies between neighbours, between ``low`` and ``high``.

    Their order stays. Labels that would overlap become one block whose middle is that of their places; where there is
    no room for all with the gap, they are evenly spaced.
    """
    count = places.size
    if count * gap > high - low + gap:
        gap = (high - low) / max(count - 1, 1)
    order = np.argsort(places, kind="stable")
    blocks: list[tuple[float, int]] = []  # the first place of a block, and how many are in it
    for place in places[order].tolist():
        start, size = place, 1
        while True:
            start = min(max(start, low), high - (size - 1) * gap)
            if not blocks or blocks[-1][0] + blocks[-1][1] * gap <= start + 1e-12 * gap:  # rounding
                break
            before, more = blocks.pop()
            start = (before * more + (start - more * gap) * size) / (size + more)
            size += more
        blocks.append((start, size))
    out = np.empty(count)
    out[order] = [start + gap * at for start, size in blocks for at in range(size)]
    return out
