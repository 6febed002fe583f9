"""Standard output carries the result, standard error everything else; a file is written whole or not at all."""

import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TextIO

from regcli.errors import OutputError

__all__ = [
    "coloured",
    "discard_stdout",
    "has_unicode",
    "is_terminal",
    "output",
    "paint",
    "takes_back",
    "tell",
    "width_of",
]


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person reads this stream."""
    return stream is not None and not stream.closed and stream.isatty()


def takes_back(stream: TextIO | None, environ: Mapping[str, str]) -> bool:
    """Whether a line on this stream can be written over: it is a terminal that knows how."""
    return is_terminal(stream) and environ.get("TERM") != "dumb"


def width_of(stream: TextIO | None) -> int:
    """Columns of the terminal that a stream is, wherever the others go; the usual ones where it does not say."""
    with suppress(AttributeError, OSError, ValueError):  # None, no terminal, or a stream without a descriptor
        columns = os.get_terminal_size(stream.fileno()).columns  # type: ignore[union-attr]
        if columns > 0:  # one that nobody has given a size has none
            return columns
    return shutil.get_terminal_size().columns


def has_unicode(stream: TextIO | None, environ: Mapping[str, str]) -> bool:
    """Whether a terminal shows more than ASCII, as far as its encoding tells.

    In the locale C Python takes the encoding to be UTF-8. Containers have that locale when nobody set any; where it
    was set for all of a run (``LC_ALL=C``) ASCII is what was asked for.
    """
    encoding = (getattr(stream, "encoding", None) or "").lower().replace("-", "").replace("_", "")
    return encoding == "utf8" and environ.get("LC_ALL") not in ("C", "POSIX")


def coloured(choice: str, stream: TextIO | None) -> bool:
    """Whether text for this stream is coloured, given ``always``, ``never`` or ``auto``."""
    return choice == "always" or (choice == "auto" and is_terminal(stream))


def paint(text: str, code: str, *, on: bool) -> str:
    """Colour a piece of regcli's own text by an SGR code."""
    return f"\x1b[{code}m{text}\x1b[0m" if on else text


def tell(text: str) -> None:
    """Write lines to standard error. When nobody can read them, nothing is left to do: the status still tells."""
    if os.environ.get("GITHUB_ACTIONS") == "true":  # whose runner takes ##[word] for a command wherever it stands
        text = text.replace("##[", "#\\u0023[")
    with suppress(OSError, ValueError):  # ValueError: the stream was closed
        if sys.stderr is not None:
            sys.stderr.write(text if text.endswith("\n") else text + "\n")
            sys.stderr.flush()


@contextmanager
def output(path: str | None) -> Iterator[Callable[[str | bytes], None]]:
    """Where the result goes: a function that writes to standard output, or to a file that appears at the end.

    Raises
    ------
    OutputError
        The file cannot be written, or standard output is closed or full.
    BrokenPipeError
        The reader of standard output has gone.
    """
    if path is not None:
        from regcli.data.write import atomic_writer

        with atomic_writer(path) as file:
            yield lambda content: _write_all(file.write, content)
        return
    if sys.stdout is None or sys.stdout.closed:
        raise OutputError("output-failed", "standard output is closed", hint="write to a file with -o")
    sys.stdout.flush()
    yield _write_stdout
    _guarded(sys.stdout.buffer.flush)


def discard_stdout() -> None:
    """Point standard output at nothing, so that the interpreter's last flush of what is left cannot fail."""
    with suppress(OSError, ValueError, AttributeError):  # closed, replaced by a test, or None
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, sys.stdout.fileno())
        os.close(nothing)


def _write_all(write: Callable[[bytes], object], content: str | bytes) -> None:
    # Lone surrogates stand for bytes of a name that are not UTF-8: they go out as the bytes they were.
    write(content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape"))


def _write_stdout(content: str | bytes) -> None:
    if os.environ.get("GITHUB_ACTIONS") == "true" and _reaches_runner():
        from regcli.report.runner import commands_in

        if commands_in(content if isinstance(content, str) else content.decode("utf-8", "replace")):
            text = "the result holds what the runner would take for a workflow command"
            raise OutputError("output-failed", text, hint="-o FILE, or --json, where it is escaped")
    _guarded(lambda: _write_all(sys.stdout.buffer.write, content))
    _guarded(sys.stdout.buffer.flush)  # a piece is large, or all there is for now: who reads a pipe is not kept waiting


def _reaches_runner() -> bool:
    """Whether standard output may be read as the log of a step: it is no file."""
    try:
        return not stat.S_ISREG(os.fstat(sys.stdout.fileno()).st_mode)
    except (OSError, ValueError):  # a stream without a descriptor
        return True


def _guarded(write: Callable[[], object]) -> None:
    try:
        write()
    except BrokenPipeError:
        raise
    except OSError as error:
        discard_stdout()
        raise OutputError(
            "output-failed",
            f"standard output cannot be written: {error.strerror}",
            hint="write to a file with -o, where there is room",
        ) from error
