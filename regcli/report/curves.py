"""Curves made of characters, for a terminal."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

__all__ = ["LABELS", "ascii_only", "chart", "escaped", "spark"]

_BLOCKS = "▁▂▃▄▅▆▇█"

#: Rows of a chart: enough to see where a curve turns, and a table still fits a screen of 24 lines.
_ROWS = 6

#: Characters before a curve: a label of five digits, and a space.
LABELS = 10

#: What stands for the characters of tables and curves where a terminal knows ASCII alone: one for one, so that nothing
#: moves.
_PLAIN = str.maketrans(dict(zip("─·→λ▲…" + _BLOCKS, "-.>L^." + "_.-=+*%#", strict=True)))

#: A character of Braille has two by four dots; which bit each one is (Unicode, block U+2800).
_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))

Values = Sequence[float | None]


def ascii_only(text: str) -> str:
    """A table whose names are ``escaped`` in ASCII."""
    return text.translate(_PLAIN).encode("ascii", "replace").decode("ascii")


def escaped(value: Any) -> Any:  # noqa: ANN401  (anything in a document)
    """A document whose texts are ASCII: other characters are spelt as escapes, as control characters always are."""
    if isinstance(value, str):
        return value.encode("ascii", "backslashreplace").decode("ascii")
    if isinstance(value, Mapping):
        return {key: escaped(item) for key, item in value.items()}
    return [escaped(item) for item in value] if isinstance(value, list | tuple) else value


def spark(values: Values, width: int, *, zero: bool = False) -> str:
    """One line of blocks; of a long curve every k-th value, and always the last. A value that is missing is a blank.

    With ``zero`` the scale has zero in it.
    """
    step = math.ceil(len(values) / width)
    shown = [*values[:-1:step], values[-1]][-width:]
    known = [value for value in shown if value is not None] + [0.0] * zero
    low, high = min(known, default=0.0), max(known, default=0.0)
    scale = (len(_BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(" " if value is None else _BLOCKS[round((value - low) * scale)] for value in shown)


def chart(lambdas: Sequence[float], values: Values, marks: Mapping[str, int], width: int, *, plain: bool) -> list[str]:
    """A curve over minus the logarithm of the strengths, as lines of ``width`` characters and labels before them.

    Parameters
    ----------
    lambdas, values : sequences (T,)
        Strengths, and the value at each; None where there is none.
    marks : mapping of str to int
        Indices of strengths that are marked below, by name.
    width : int
        Characters of the curve; the labels take ``LABELS`` more.
    plain : bool
        Stars instead of Braille, for a terminal that has none.
    """
    known = [value for value in values if value is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    labels = [f"{high:.5g}", *[""] * (_ROWS - 2), f"{low:.5g}" if high > low else ""]
    indent = max(LABELS - 1, *map(len, labels))
    width = max(width - (indent - LABELS + 1), 1)  # a label may be longer than usual, 1.2346e+140
    across, down = (1, 1) if plain else (2, 4)
    places = _places(lambdas, width * across - 1)
    dots = _joined(places, values, (low, high), _ROWS * down - 1)
    rows = ["".join(_cell(dots, x, y, plain=plain) for x in range(width)).rstrip(" ⠀") for y in range(_ROWS)]
    lines = [f"{label:>{indent}} {row}" for label, row in zip(labels, rows, strict=True)]
    first, last = f"λ {lambdas[0]:.5g}", f"{lambdas[-1]:.5g}"
    names: dict[int, str] = {}
    for name, at in marks.items():
        place = round(places[at] / across)
        names[place] = f"{names[place]}, {name}" if place in names else name
    below = _marked(names, width)
    ends = first + last.rjust(width - len(first)) if len(lambdas) > 1 else first
    return [line.rstrip() for line in (*lines, " " * (indent + 1) + below, " " * (indent + 1) + ends) if line.strip()]


def _places(lambdas: Sequence[float], most: int) -> list[int]:
    """Where strengths lie, 0 to ``most``; strength 0, which has no logarithm, at the end."""
    logs = [-math.log(lam) if lam > 0 else None for lam in lambdas]
    known = [log for log in logs if log is not None]
    first, last = min(known, default=0.0), max(known, default=0.0)
    room = 0.9 if len(known) < len(logs) else 1.0
    scale = most * room / (last - first) if last > first else 0.0
    return [most if log is None else round((log - first) * scale) for log in logs]


def _joined(places: Sequence[int], values: Values, span: tuple[float, float], most: int) -> set[tuple[int, int]]:
    """Dots of the curve, from the top left: between two values those of the straight line."""
    low, high = span
    scale = most / (high - low) if high > low else 0.0
    points = [
        None if value is None else (x, round((high - value) * scale) if scale else most // 2)
        for x, value in zip(places, values, strict=True)
    ]
    dots = {point for point in points if point is not None}
    for one, other in pairwise(points):
        if one is not None and other is not None:
            steps = max(abs(other[0] - one[0]), abs(other[1] - one[1]), 1)
            right, up = (other[0] - one[0]) / steps, (other[1] - one[1]) / steps
            dots |= {(round(one[0] + right * at), round(one[1] + up * at)) for at in range(steps)}
    return dots


def _cell(dots: set[tuple[int, int]], x: int, y: int, *, plain: bool) -> str:
    if plain:
        return "*" if (x, y) in dots else " "
    lit = [bit for dx, column in enumerate(_DOTS) for dy, bit in enumerate(column) if (2 * x + dx, 4 * y + dy) in dots]
    return chr(0x2800 + sum(lit)) if lit else " "


def _marked(names: Mapping[int, str], width: int) -> str:
    """A line with a triangle at each place and its name beside it: on the right if there is room, else on the left."""
    row = [" "] * (width + 1)
    for place in names:
        row[min(place, width - 1)] = "▲"
    for place, name in sorted(names.items(), reverse=True):  # the right edge is where room is short
        at = min(place, width - 1)
        for start in (at + 1, at - len(name)):
            if start >= 0 and start + len(name) <= width and not "".join(row[start : start + len(name)]).strip():
                row[start : start + len(name)] = name
                break
    return "".join(row)
