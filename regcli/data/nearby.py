"""Files and columns that may have been meant by a name that leads nowhere."""

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

__all__ = ["files_near", "names_near"]


def names_near(name: str, names: Iterable[str]) -> list[str]:
    """Up to three of some names that are close to one; first those that differ by capitals alone."""
    known = list(names)
    same = [each for each in known if each.casefold() == name.casefold()]
    return list(dict.fromkeys([*same, *get_close_matches(name, known, n=3, cutoff=0.5)]))[:3]


def files_near(name: str) -> list[str]:
    """Paths of up to three files in the same folder whose names are close to this one's."""
    path = Path(name)
    try:
        names = sorted(entry.name for entry in path.parent.iterdir())
    except (OSError, ValueError):  # no such folder, or a NUL in its name
        return []
    return [str(path.parent / found) for found in get_close_matches(path.name, names, 3)]
