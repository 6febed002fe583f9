"""Files that a run writes: held against each other, and against what cannot be written, before the work."""

from itertools import combinations
from pathlib import Path

from regcli.cli.session import Session
from regcli.errors import UsageError

__all__ = ["check_destinations", "refuse_one_path"]


def check_destinations(session: Session, *files: tuple[str, str | None]) -> None:
    """Refuse files that cannot be written, or are one, before the work, which may be long, is done.

    ``files`` are those beside the result: the option that names one, and the path, None where it was not given.
    """
    refuse_one_path(session, *files)
    paths = [path for path in (session.settings.output, *(path for _, path in files)) if path is not None]
    if paths:
        from regcli.data.write import check_destination

        for path in paths:
            check_destination(path)


def refuse_one_path(session: Session, *files: tuple[str, str | None]) -> None:
    """Two results cannot go to one file: the later one would replace the other."""
    given = [(option, path) for option, path in (*files, ("--output", session.settings.output)) if path]
    for (option, path), (other, same) in combinations(given, 2):
        if _same_file(path, same):
            text = f"{option} and {other} are the same file, {path}"
            raise UsageError("conflicting-options", text, hint="name two files")


def _same_file(one: str, other: str) -> bool:
    # Devices and pipes may be named twice: what is written there does not replace anything.
    return Path(one).resolve() == Path(other).resolve() and not one.startswith(("/dev/", "/proc/"))
