"""The counts that are stored, what counts as more than them, and the reasons for which they were raised."""

import json
from collections.abc import Mapping
from math import ceil
from pathlib import Path
from typing import Any, cast

__all__ = ["CHANGELOG", "REASON", "STORED", "merged", "raised", "read", "told_in", "words"]

STORED = Path(__file__).with_name("counts.json")
CHANGELOG = Path(__file__).parents[2] / "CHANGELOG.md"

#: A count may exceed what is stored by this share: with another BLAS, which adds in another order, a round more or less
#: may be needed. The same machine gives the same counts.
SLACK = 0.03

#: The key of a case under which the reason stands for which its counts were raised last; null as first stored.
REASON = "raised_because"


def read() -> dict[str, dict[str, Any]]:
    """All cases, by name."""
    return cast("dict[str, dict[str, Any]]", json.loads(STORED.read_text("utf-8")))


def raised(stored: Mapping[str, Any], found: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    """What takes more work than stored: the stored count and the one found."""
    return {
        name: (int(stored[name]), count)
        for name, count in found.items()
        if count > ceil((1.0 + SLACK) * int(stored[name]))
    }


def merged(stored: Mapping[str, Any] | None, found: Mapping[str, int], because: str | None) -> dict[str, Any]:
    """What to store of a case now.

    Counts that fell are taken over. Those that rose are too, with a reason. What moved within the slack stays: else
    counts could creep.

    Raises
    ------
    ValueError
        Counts rose and there is no reason.
    """
    if stored is None:
        return {**found, REASON: None}
    more = raised(stored, found)
    if more and because is None:
        text = f"more work than stored: {more}"
        raise ValueError(text)
    moved = {name: count for name, count in found.items() if name in more or (1.0 + SLACK) * count < int(stored[name])}
    counts = {name: moved.get(name, int(stored[name])) for name in found}
    return {**counts, REASON: because if more else stored[REASON]}


def words(text: str) -> str:
    """A text without its line breaks."""
    return " ".join(text.split())


def told_in(changelog: str, because: str) -> bool:
    """Whether a changelog has a sentence."""
    return words(because) in words(changelog)
