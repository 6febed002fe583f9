"""Standard output carries the result, standard error everything else; a file is written whole or not at all."""

import errno
import os
import shutil
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TextIO

from regcli.errors import OutputError

__all__ = [
    "FULL",
    "ProgressLine",
    "coloured",
    "discard_stdout",
    "has_unicode",
    "is_terminal",
    "output",
    "paint",
    "tell",
]

#: What the system says when there is no room for the output.
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

_BAR = 30
_PATIENCE = 1.0  # seconds; a run that is done sooner shows no progress
_PACE = 0.1  # seconds between two lines: eyes follow no faster
_TICK = 0.25  # seconds between two looks at the clock while nothing is counted


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person reads this stream."""
    return stream is not None and not stream.closed and stream.isatty()


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


class ProgressLine:
    """One line on a terminal's standard error that grows, and is gone when the work is done.

    Before anything is counted, and where nothing ever is, it says how long the work takes, by a thread of its own.
    """

    def __init__(self, noun: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._noun = noun
        self._clock = clock
        self._began = clock()
        self._told = 0.0
        self._shown = ""
        self._expected = 0
        self._counting = False
        self._over = threading.Event()
        self._lock = threading.RLock()  # a signal may come while the line is written, and clears it

    def begin(self) -> None:
        """Tell the time until something is counted, or it is over."""
        threading.Thread(target=self._tick, daemon=True).start()

    def end(self) -> None:
        """Take the line away for good."""
        self._over.set()
        self.clear()

    def expect(self, total: int) -> None:
        """About how many there will be, where nobody knows for certain."""
        self._expected = total

    def update(self, done: int, total: int) -> None:
        """Show how far the work is, and how long it will take at this pace; nothing during the first second.

        A total of 0 is one that nobody knows; then what is expected serves, if anything is.
        """
        now = self._clock()
        spent = now - self._began
        if spent < _PATIENCE or (now - self._told < _PACE and done != total):
            return
        self._told, self._counting = now, True
        if total <= 0:
            left = spent * (self._expected - done) / done if 0 < done < self._expected else 0.0
            pace = f", about {_duration(left)} left" if left else f", {_duration(spent)}"
            self._show(f"{done:,} {self._noun}{pace}")
            return
        done = min(done, total)
        full = done * _BAR // total
        left_words = f", {_duration(spent * (total - done) / done)} left" if 0 < done < total else ""
        self._show(f"[{'#' * full}{'.' * (_BAR - full)}] {done:,}/{total:,} {self._noun}{left_words}")

    def clear(self) -> None:
        """Take the line away."""
        with self._lock:
            if self._shown:
                self._write(f"\r{' ' * len(self._shown)}\r")
                self._shown = ""

    def _tick(self) -> None:
        while not self._over.wait(_TICK) and not self._counting:
            spent = self._clock() - self._began
            if spent >= _PATIENCE:
                self._show(f"working, {_duration(spent)}")

    def _show(self, line: str) -> None:
        line = line[: max(1, shutil.get_terminal_size().columns - 1)]  # a line that wraps cannot be taken back
        with self._lock:
            if line != self._shown and not self._over.is_set():
                blank = " " * max(0, len(self._shown) - len(line))
                self._shown = line
                self._write(f"\r{line}{blank}")

    @staticmethod
    def _write(text: str) -> None:
        with suppress(OSError, ValueError):  # progress is not worth failing for
            sys.stderr.write(text)
            sys.stderr.flush()


def _duration(seconds: float) -> str:
    """Seconds, minutes or hours, for people."""
    whole = max(1, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
