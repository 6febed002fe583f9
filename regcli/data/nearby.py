"""Files that may have been meant by a name that leads nowhere."""

from difflib import get_close_matches
from pathlib import Path

__all__ = ["files_near"]


def files_near(name: str) -> list[str]:
    """Paths of up to three files in the same folder whose names are close to this one's."""
    path = Path(name)
    try:
        names = sorted(entry.name for entry in path.parent.iterdir())
    except (OSError, ValueError):  # no such folder, or a NUL in its name
        return []
    return [str(path.parent / found) for found in get_close_matches(path.name, names, 3)]
