"""Columns named by patterns: ``*`` stands for any letters, ``?`` for one, and every other letter for itself."""

from collections.abc import Collection
from fnmatch import fnmatchcase

__all__ = ["columns_named", "is_pattern"]


def is_pattern(name: str) -> bool:
    """Whether a name may stand for more than one column."""
    return "*" in name or "?" in name


def columns_named(name: str, columns: Collection[str]) -> list[str]:
    """The columns that a name or pattern stands for, in order; none where there is no such column.

    A column that is called so, whatever letters it has, comes before all that the pattern would match. Takes a look-up
    of the name, and of a pattern a match with every column.
    """
    if name in columns:
        return [name]
    if not is_pattern(name):
        return []
    pattern = name.replace("[", "[[]")  # a set of letters for the library, and only a letter here
    return [column for column in columns if fnmatchcase(column, pattern)]
