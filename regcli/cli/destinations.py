"""Files that a run writes: held against each other, and against what cannot be written, before the work."""

import glob
from collections.abc import Iterator
from itertools import combinations, product
from os.path import isdir, isfile, realpath  # those of Path raise where they may not look, and at links in a circle
from pathlib import Path

from regcli.cli.session import Session
from regcli.errors import UsageError

__all__ = ["check_destinations", "taken"]

#: An option that names a file, and the path.
_Named = tuple[str, str]


def check_destinations(session: Session, *files: tuple[str, str | None]) -> None:
    """Refuse files that cannot be written, or are one, before the work, which may be long, is done.

    ``files`` are those beside the result: the option that names one, and the path, None where it was not given.
    """
    for option, path in files:
        if path == "-":
            text = f"{option} writes a file, and '-' is none"
            raise UsageError("unknown-option-value", text, hint="name the file; ./- is one that is called so")
    _refuse_one_path(session, *files)
    paths = [path for path in (session.settings.output, *(path for _, path in files)) if path is not None]
    if paths:
        from regcli.data.write import check_destination

        for path in paths:
            check_destination(path)


def _refuse_one_path(session: Session, *files: tuple[str, str | None]) -> None:
    """Two results cannot go to one file, as the later one would replace the other, nor one to a file that is read."""
    for (option, _), (other, same) in _conflicts(session, *files):
        text = f"{option} and {other} are the same file, {same}"
        raise UsageError("conflicting-options", text, hint="name two files")


def taken(session: Session, *files: tuple[str, str | None]) -> set[str]:
    """Those paths that ``check_destinations`` refuses because of what else is read or written there."""
    return {"-", *(path for pair in _conflicts(session, *files) for _, path in pair)}


def _conflicts(session: Session, *files: tuple[str, str | None]) -> Iterator[tuple[_Named, _Named]]:
    given = [(option, path) for option, path in (*files, ("--output", session.settings.output)) if path]
    pairs = [*combinations(given, 2), *(product(_read(session), given) if given else ())]
    return ((one, other) for one, other in pairs if _same_file(one[1], other[1]) or _is_part(other[1], one[1]))


def _read(session: Session) -> Iterator[tuple[str, str]]:
    """Files and folders that are read; patterns as what matches."""
    for option, path in session.inputs:
        if path and path != "-":
            matches = glob.glob(path, recursive=True) if glob.has_magic(path) else ()  # noqa: PTH207  (as it is spelt)
            yield from ((option, match) for match in (path, *matches))


def _same_file(one: str, other: str) -> bool:
    # Devices and pipes may be named twice: what is written there does not replace anything.
    return realpath(one) == realpath(other) and not one.startswith(("/dev/", "/proc/"))


def _is_part(path: str, folder: str) -> bool:
    """Whether a file is one of those that are read of a folder."""
    if not (isdir(folder) and isfile(path)):  # noqa: PTH112, PTH113
        return False
    from regcli.data.inputs import is_passed_over

    file, root = Path(realpath(path)), Path(realpath(folder))
    return root in file.parents and not any(map(is_passed_over, file.relative_to(root).parts))
