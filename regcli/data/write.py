"""Write files whole or not at all.

The content goes to a temporary file in the same folder, is flushed to disk and then takes the place of the old file in
one step. Whatever goes wrong before leaves the old file as it was and no temporary file behind.
"""

import errno
import io
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shlex import quote
from typing import Any, BinaryIO

from regcli.errors import NO_ROOM, Location, OutputError

__all__ = ["atomic_writer", "check_destination", "write_atomically"]


def check_destination(path: str) -> None:
    """Refuse a path that cannot be written, before the work whose result goes there; nothing is created or opened.

    Raises
    ------
    OutputError
        As ``atomic_writer``, as far as it can be known beforehand: a directory, a folder that does not exist or that
        may not be written to, links that lead in a circle. A full disk shows later.
    """
    if not path:
        raise OutputError("output-failed", "a path to write to is empty", hint="is a variable of the shell not set?")
    with _naming(path):
        if path.endswith("/"):
            raise IsADirectoryError
        if _is_direct(path):
            return
        folder = Path(os.path.realpath(path)).parent
        if not stat.S_ISDIR(folder.stat().st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        with suppress(FileNotFoundError):
            Path(path).stat()


def write_atomically(path: str, data: bytes) -> None:
    """Replace the content of ``path`` with ``data``, or leave it as it is.

    Raises
    ------
    OutputError
        See ``atomic_writer``.
    """
    with atomic_writer(path) as stream:
        stream.write(data)


@contextmanager
def atomic_writer(path: str) -> Iterator[BinaryIO]:
    """Open a file that appears at ``path`` when the block ends without an exception, and never otherwise.

    A new file gets the mode the umask leaves, a replaced one keeps its mode. Of a symbolic link the target is replaced.
    Devices, pipes and what lies under /dev and /proc cannot be replaced: they are written directly.

    Parameters
    ----------
    path : str
        Where the file is to appear.

    Yields
    ------
    BinaryIO
        A buffered binary stream.

    Raises
    ------
    OutputError
        ``output-exists`` if the path is a directory; ``output-failed`` if the folder does not exist or the system
        refuses (rights, space). Exceptions of the block itself pass through.
    """
    with _naming(path):
        direct = _is_direct(path)
    target = Path(path if direct else os.path.realpath(path))
    # Not mkstemp: its files are 0600, and the umask cannot be read without setting it for all threads.
    temporary = None if direct else target.with_name(f".{target.name[:40]}.regcli-{secrets.token_hex(8)}.tmp")
    try:  # from here on a signal may come at any time
        with _naming(path):
            descriptor = _opened(target, temporary)
        with io.BufferedWriter(_Output(descriptor, path)) as stream:
            yield stream
            stream.flush()
            if temporary:
                with _naming(path):
                    os.fsync(descriptor)
        if temporary:
            with _naming(path):
                temporary.replace(target)
    except BaseException:
        if temporary:
            with suppress(OSError):  # it never was, or has taken its place
                temporary.unlink()
        raise


class _Output(io.FileIO):
    """A file whose failures name the path the user gave, not the temporary one."""

    def __init__(self, descriptor: int, path: str) -> None:
        super().__init__(descriptor, "wb")
        self._path = path

    def write(self, data: Any) -> int:  # noqa: ANN401  (the buffer type has no name before Python 3.12)
        with _naming(self._path):
            return super().write(data)


@contextmanager
def _naming(path: str) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise  # the reader went away: that has an exit status of its own
    except IsADirectoryError as error:
        raise OutputError(
            "output-exists", f"{path} is a directory", where=Location(file=path), hint="name a file in it"
        ) from error
    except OSError as error:
        raise _failed(path, error) from error


def _failed(path: str, error: OSError) -> OutputError:
    reason, hint = error.strerror or str(error), "ls -ld shows who may write there"
    if error.errno in NO_ROOM:
        hint = "make room there, or write to another disk"
    elif error.errno == errno.ENAMETOOLONG:
        hint = "a shorter name"
    elif error.errno == errno.ELOOP:
        hint = "ls -l shows where the links lead"
    elif isinstance(error, FileNotFoundError):
        folder = os.path.dirname(os.path.realpath(path)) or "."  # noqa: PTH120
        reason, hint = f"there is no folder {folder}", f"mkdir -p {quote(folder)}"
    return OutputError("output-failed", f"{path} was not written: {reason}", hint=hint, where=Location(file=path))


def _is_direct(path: str) -> bool:
    """Whether a path is to be written as it stands. /dev/stdout is, even where it is a regular file."""
    if os.path.abspath(path).startswith(("/dev/", "/proc/")):  # noqa: PTH100  (resolve would follow the link)
        return True
    try:
        mode = Path(path).stat().st_mode
    except OSError:  # not there yet; what is wrong otherwise shows when it is written
        return False
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(path)
    return not stat.S_ISREG(mode)


def _opened(target: Path, temporary: Path | None) -> int:
    """Open what is written to: the target itself, or a new file that has the mode which the target is to have."""
    if temporary is None:  # appending: /dev/stdout may be a regular file that the shell has begun
        return os.open(target, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
    try:
        mode = stat.S_IMODE(target.stat().st_mode)
    except FileNotFoundError:
        mode = None
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    if mode is not None:
        with suppress(OSError):  # a file system without modes
            os.fchmod(descriptor, mode)
    return descriptor
