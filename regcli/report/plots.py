"""Pictures as SVG, PNG or PDF. The only module that imports matplotlib.

No name is read as markup, whatever it contains, no setting of the user's enters, and the same picture gives the same
bytes: files carry neither dates nor random names.
"""

import io
import unicodedata
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from numpy.typing import NDArray

from regcli.report.escape import visible_xml
from regcli.report.panels import Bars, Line, Panel, Picture, spread

__all__ = ["draw", "shorten"]

Array = NDArray[np.float64]

#: Characters of a name; what is longer loses its middle.
LONGEST = 28

#: Inches of a panel, and of one or two rows of them.
_WIDTH, _HEIGHTS = 5.6, (4.6, 7.6)

#: Where one, two, three or four panels are. Never three beside each other: on a page nobody could read them.
_LAYOUTS: tuple[list[Any], ...] = ([[0]], [[0, 1]], [[0, 1], [0, 2]], [[0, 1], [2, 3]])

#: Characters of a line of a panel's title.
_TITLE = 70

#: Points between a title and the axes, or what stands above them.
_PAD = 8.0

#: Names at the ends of lines: the room of one, as a share of the height (8 points and a little, of about 3.6 inches).
_GAP = 0.045

#: Bars that a panel has room for at least: fewer do not get broader.
_FEWEST = 5

#: Colours that stay apart for people with any kind of colour blindness: Okabe and Ito (2008). Their yellow is left out,
#: which cannot be seen on white. Dashes tell lines apart in print.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (5, 1.5, 1.2, 1.5)), (0, (8, 2)))
_RECEDE, _GUIDE = "#9a9a9a", "#555555"
_MARKS: tuple[Any, ...] = ((0, (4, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)))

_STYLE: Mapping[Any, Any] = {
    "font.family": ["DejaVu Sans", "sans-serif"],  # comes with matplotlib; readers of SVG may take another
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.dpi": 100,
    "savefig.dpi": 150,
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
    "axes.formatter.use_mathtext": False,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "regcli",
    "pdf.fonttype": 42,  # fonts are embedded whole, as TrueType
    "figure.constrained_layout.w_pad": 0.1,
    "figure.constrained_layout.h_pad": 0.08,
    "path.simplify_threshold": 0.2,  # pixels; lines of many points get shorter and look the same
}

#: What a file says of itself: nothing that differs from run to run.
_METADATA: Mapping[str, Mapping[str, None]] = {
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "png": {"Software": None},
}


def draw(picture: Picture, form: str) -> bytes:
    """The bytes of a file that shows a picture.

    Parameters
    ----------
    picture : Picture
        What is drawn.
    form : str
        ``svg``, ``png`` or ``pdf``.
    """
    with mpl.rc_context(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what cannot be laid out well there is nothing that a user could do
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        # The characters that the font has; where text stays text, the reader's fonts have more.
        known = None if form == "svg" else _characters()
        figure = _figure(picture, known)
        _number_parts(figure)
        out = io.BytesIO()
        figure.savefig(out, format=form, metadata=dict(_METADATA[form]))
        return out.getvalue()


def _number_parts(figure: Figure) -> None:
    """Give the parts that have a name in SVG a number as well: there no two may be called the same."""
    counts: Counter[str] = Counter()
    for part in figure.findobj(lambda artist: artist.get_gid() is not None):
        name = str(part.get_gid())
        counts[name] += 1
        part.set_gid(f"{name}-{counts[name]}")


def _characters() -> frozenset[int]:
    """What the font has."""
    return frozenset(get_font(findfont(FontProperties(family="DejaVu Sans"))).get_charmap())


def _figure(picture: Picture, known: frozenset[int] | None) -> Figure:
    count, beside = len(picture.panels), any(panel.scale for panel in picture.panels)
    places = _grid(count) if beside or count > len(_LAYOUTS) else _LAYOUTS[count - 1]
    height = _HEIGHTS[len(places) - 1] if len(places) <= len(_HEIGHTS) else _HEIGHTS[-1] / 2 * len(places)
    figure = Figure(figsize=(_WIDTH * len(places[0]), height + 0.3), layout="constrained")
    figure.suptitle(_shown(picture.title, known, 90), fontsize=11)
    named = figure.subplot_mosaic(places, empty_sentinel=-1)
    drawn = [(named[at], panel) for at, panel in enumerate(picture.panels)]
    for axes, panel in drawn:
        _draw_panel(axes, panel, known)
    _join_scales(drawn)
    for axes, panel in drawn:  # what stands at places of the axes comes when these are settled
        _draw_ticks(axes, panel)
        _name_ends(axes, [line for line in panel.lines if line.at_end and line.name is not None], known)
        _tell(axes, panel)
    return figure


def _grid(count: int) -> list[Any]:
    """Panels of several documents: two beside each other, from the top; -1 where there is none."""
    wide = min(count, 2)
    return [[at if at < count else -1 for at in range(first, first + wide)] for first in range(0, count, wide)]


def _join_scales(drawn: Sequence[tuple[Axes, Panel]]) -> None:
    """Give panels that measure by one scale the same limits."""
    for scale in dict.fromkeys(panel.scale for _, panel in drawn if panel.scale):
        together = [(axes, panel.bars is not None) for axes, panel in drawn if panel.scale == scale]
        limits = [axes.get_xlim() if lying else axes.get_ylim() for axes, lying in together]
        low, high = min(low for low, _ in limits), max(high for _, high in limits)
        for axes, lying in together:
            if lying:
                axes.set_xlim(low, high)
            else:
                axes.set_ylim(low, high)


def shorten(text: str, length: int = LONGEST) -> str:
    """A text with its middle left out where it is longer than ``length``."""
    if len(text) <= length:
        return text
    tail = (length - 1) // 2
    return f"{text[: length - 1 - tail]}…{text[-tail:]}"


def _shown(name: str, known: frozenset[int] | None, length: int = LONGEST) -> str:
    """A name as it is drawn: control characters visible, and so is what neither XML nor the font has."""
    text = visible_xml(name)
    return shorten(text if known is None else "".join(_spelt(char, known) for char in text), length)


def _spelt(char: str, known: frozenset[int]) -> str:
    """A character, or its escape where the font does not have it."""
    return char if ord(char) in known or unicodedata.combining(char) else f"\\u{ord(char):04x}"


def _draw_panel(axes: Axes, panel: Panel, known: frozenset[int] | None) -> None:
    title = "\n".join(_shown(line, known, _TITLE) for line in panel.title.split("\n"))
    axes.set_title(title, loc="left", pad=_PAD)
    below = "" if panel.band is None else f"\ngrey area: {panel.band.lines:,} smaller ones"
    axes.set_xlabel(_shown(panel.x_title, known, 60) + below)
    axes.set_ylabel(_shown(panel.y_title, known, 60))
    if panel.bars is not None:
        _draw_bars(axes, panel.bars, known)
    if panel.band is not None:
        axes.fill_between(panel.band.x, panel.band.low, panel.band.high, color="#dddddd", linewidth=0)
    if panel.dots is not None:
        size, shade = (6.0, 1.0) if panel.dots.large else (3.0, 0.35)
        colour = _COLOURS[0] if panel.dots.large else "#333333"
        axes.plot(panel.dots.x, panel.dots.y, "o", ms=size, mew=0, color=colour, alpha=shade, zorder=3, gid="dots")
    for line in panel.lines:
        _draw_line(axes, line, known)
    for mark, dashes in zip(panel.marks, _MARKS, strict=False):
        axes.axvline(mark.x, color="#333333", linewidth=1, linestyle=dashes, label=mark.name, zorder=1, gid="mark")
    _fit_axes(axes, panel)


def _draw_line(axes: Axes, line: Line, known: frozenset[int] | None) -> None:
    if line.guide:
        axes.plot(line.x, line.y, color=_GUIDE, linewidth=0.9, linestyle=(0, (2, 2)), zorder=2, gid="guide")
        return
    grey = line.name is None and line.at_end
    # Names at the ends tell lines apart already: there dashes are for colours that come again.
    dashes = line.rank // len(_COLOURS) if line.at_end else line.rank
    style: dict[str, Any] = {
        "color": _RECEDE if grey else _COLOURS[line.rank % len(_COLOURS)],
        "linestyle": "-" if grey else _DASHES[dashes % len(_DASHES)],
        "linewidth": 0.6 if grey else 1.5,
        "marker": "o" if line.error is not None or line.x.size == 1 else None,
        "markersize": 3.5,
        "zorder": 2.2 if grey else 4,
        "label": None if line.name is None or line.at_end else _shown(line.name, known),
    }
    axes.plot(line.x, line.y, gid="line", **style)
    if line.error is not None:
        axes.errorbar(
            line.x, line.y, line.error, fmt="none", elinewidth=0.8, ecolor="#8a8a8a", capsize=1.5, zorder=3, gid="error"
        )


def _draw_bars(axes: Axes, bars: Bars, known: frozenset[int] | None) -> None:
    places = np.arange(bars.values.size)
    colours = [_COLOURS[0] if value > 0 else _COLOURS[1] for value in bars.values.tolist()]
    axes.barh(places, bars.values, color=colours, height=0.72, gid="bars")
    axes.axvline(0.0, color="#333333", linewidth=0.8, gid="zero")
    size = 9 if bars.values.size <= 18 else 7  # thirty names have 3.6 inches
    axes.set_yticks(places, [_shown(name, known) for name in bars.names], fontsize=size)
    axes.tick_params(axis="y", length=0)
    place = axes.get_subplotspec()
    fewest = _FEWEST if place is None else _FEWEST * len(place.rowspan)
    axes.set_ylim(max(bars.values.size, fewest) - 0.4, -0.6)
    axes.spines["left"].set_visible(False)


def _fit_axes(axes: Axes, panel: Panel) -> None:
    """Room around what has no extent: one strength, coefficients that are all zero."""
    if panel.top:
        places = np.concatenate([[tick.x for tick in panel.top], *(line.x for line in panel.lines)]).tolist()
        room = max(0.03 * (max(places) - min(places)), 0.0) or 0.5
        axes.set_xlim(min(places) - room, max(places) + room)
    if panel.bars is None and panel.dots is None and all(not np.any(line.y) for line in panel.lines):
        axes.set_ylim(-1.0, 1.0)
        if panel.top:
            axes.axhline(0.0, color=_GUIDE, linewidth=0.9, gid="zero")
    if panel.bars is not None and not panel.bars.values.size:
        axes.set_xlim(-1.0, 1.0)


def _draw_ticks(axes: Axes, panel: Panel) -> None:
    if panel.top:
        axes.yaxis.get_offset_text().set(x=-0.01, horizontalalignment="right")  # where the first label is not
        upper = axes.secondary_xaxis("top")
        upper.set_xticks([tick.x for tick in panel.top], [tick.label for tick in panel.top], fontsize=8)
        upper.set_xlabel(panel.top_title, fontsize=8)
        upper.tick_params(length=2, pad=1)
        upper.spines["top"].set_visible(False)
    if panel.x_ticks:
        low, high = axes.get_xlim()
        first = min(tick.x for tick in panel.x_ticks)
        usual = [x for x in axes.get_xticks().tolist() if low <= x < first - 0.03 * (high - low)]
        labels = [f"{x:g}".replace("-", "\N{MINUS SIGN}") for x in usual]
        axes.set_xticks([*usual, *(t.x for t in panel.x_ticks)], [*labels, *(t.label for t in panel.x_ticks)])
        axes.set_xlim(low, high)


def _name_ends(axes: Axes, lines: Sequence[Line], known: frozenset[int] | None) -> None:
    """Names beside the right edge, moved apart, with a thin line to where each line ends."""
    if not lines:
        return
    low, high = axes.get_ylim()
    ends = np.array([line.y[-1] for line in lines])
    places = spread((ends - low) / (high - low), 0.0, 1.0, _GAP)
    for line, place in zip(lines, places.tolist(), strict=True):
        colour = _COLOURS[line.rank % len(_COLOURS)]
        axes.annotate(
            _shown(str(line.name), known),
            xy=(float(line.x[-1]), float(line.y[-1])),
            xytext=(1.03, place),
            textcoords="axes fraction",
            color=colour,
            fontsize=8,
            va="center",
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": colour,
                "linewidth": 0.5,
                "shrinkA": 1,
                "shrinkB": 0,
                "relpos": (0, 0.5),
            },
        )


def _tell(axes: Axes, panel: Panel) -> None:
    """The legend, and what else is to be said."""
    handles, labels = axes.get_legend_handles_labels()
    if labels:
        axes.legend(handles, labels, fontsize=8, frameon=True, framealpha=0.85, edgecolor="none", loc="best")
    if panel.notes and "\n" in panel.title:  # there is no room beside it
        axes.set_title("\n".join((axes.get_title(loc="left"), *panel.notes)), loc="left", pad=_PAD)
    elif panel.notes:
        axes.set_title("; ".join(panel.notes), loc="right", fontsize=8, color="#444444", pad=_PAD)
