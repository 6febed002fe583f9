"""Pictures read back: what an SVG file that ``--plot`` drew says, in the terms of the data."""

import re
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from numpy.typing import NDArray

__all__ = ["Drawing", "assert_alike"]

Array = NDArray[np.float64]

#: What parts of a picture are called, with a number behind it.
PARTS = ("line", "guide", "error", "dots", "bars", "zero", "mark")


class Drawing:
    """An SVG file: its texts, and its parts in the coordinates of the axes that they are in."""

    def __init__(self, path: Path) -> None:
        self.root = ET.fromstring(path.read_bytes())  # noqa: S314  (written by us)
        for node in self.root.iter():
            node.tag = node.tag.rpartition("}")[2]
        self.texts = [node.text or "" for node in self.root.iter("text")]

    def count(self, kind: str) -> int:
        """How many parts of a kind there are."""
        return len([node for node in self.root.iter("g") if re.fullmatch(rf"{kind}-\d+", node.get("id", ""))])

    def part(self, name: str) -> Array:
        """The points (k, 2) of a part, as data."""
        axes, points = self._points(name)
        return np.column_stack([_as_data(axes, "x", points[:, 0]), _as_data(axes, "y", points[:, 1])])

    def extent(self, name: str) -> float:
        """Where a bar that begins at zero ends; bars have no ticks of numbers on their upright axis."""
        axes, points = self._points(name)
        ends = _as_data(axes, "x", points[:, 0])
        return float(ends[np.abs(ends).argmax()])

    def _points(self, name: str) -> tuple[ET.Element, Array]:
        """The axes that a part is in, and its points (k, 2) on the page."""
        (node,) = [node for node in self.root.iter("g") if node.get("id") == name]
        axes = next(axes for axes in self.root.iter("g") if _is_axes(axes) and node in axes.iter())
        path = next(node.iter("path")).get("d", "")
        return axes, np.array(re.findall(r"[ML] ([-\d.]+) ([-\d.]+)", path), dtype=np.float64)


def _is_axes(node: ET.Element) -> bool:
    return node.get("id", "").startswith("axes_")


def _as_data(axes: ET.Element, which: str, places: Array) -> Array:
    """Places on the page as data, by the labelled ticks of the axes themselves."""
    own = [node for node in axes if node.get("id", "").startswith("matplotlib.axis_")]
    ticks = [tick for axis in own for tick in axis if tick.get("id", "").startswith(f"{which}tick_")]
    at = [float(next(tick.iter("use")).get(which, "")) for tick in ticks]
    labels = [(next(tick.iter("text")).text or "").replace("\N{MINUS SIGN}", "-") for tick in ticks]
    known = [(place, float(label)) for place, label in zip(at, labels, strict=True) if "λ" not in label]
    (first, low), (last, high) = known[0], known[-1]
    return low + (places - first) * (high - low) / (last - first)


def assert_alike(stored: Drawing, now: Drawing) -> None:
    """The same words, the same parts, lines through the same places. Versions of matplotlib differ in the rest."""
    assert Counter(stored.texts) == Counter(now.texts)
    for kind in PARTS:
        assert stored.count(kind) == now.count(kind), kind
    assert stored.count("line") + stored.count("bars") > 0
    for at in range(1, stored.count("line") + 1):
        before, after = stored.part(f"line-{at}"), now.part(f"line-{at}")
        assert before.shape == after.shape
        room = np.ptp(before, axis=0).max() * 0.01 + 1e-9
        assert after == pytest.approx(before, abs=room)
    for at in range(1, stored.count("bars") + 1):
        assert now.extent(f"bars-{at}") == pytest.approx(stored.extent(f"bars-{at}"), rel=0.01, abs=0.01)
