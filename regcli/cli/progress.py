"""The line on a terminal that says what a run is doing, and how far it is."""

import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from regcli.cli.streams import width_of
from regcli.report.forms import sized

__all__ = ["ProgressLine"]

_BAR = 30
_PATIENCE = 1.0  # seconds; a run that is done sooner shows no progress
_PACE = 0.1  # seconds between two lines: eyes follow no faster
_TICK = 0.25  # seconds between two looks at the clock, while nothing is counted or the count stands


class ProgressLine:
    """One line on a terminal's standard error that grows, and is gone when the work is done.

    It says what is being done and, where that is counted, how much of it is done and how long the rest will take at
    this pace. A thread of its own keeps it up to date between two counts.
    """

    def __init__(self, what: str = "working", clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._over = threading.Event()
        self._lock = threading.RLock()  # a signal may come while the line is written, and clears it
        self._told = 0.0
        self._shown = ""
        self.doing(what)

    def begin(self) -> None:
        """Show the line from now on, if the work takes long enough."""
        threading.Thread(target=self._tick, daemon=True).start()

    def end(self) -> None:
        """Take the line away for good."""
        self._over.set()
        self.clear()

    def doing(self, what: str, noun: str = "") -> None:
        """Something else begins; ``noun`` is what is counted of it, ``bytes`` in the unit that fits."""
        with self._lock:
            self._what, self._noun = what, noun
            self._done = self._total = self._expected = 0
            self._start, self._before = self._clock(), 0

    def expect(self, total: int) -> None:
        """About how many there will be, where nobody knows for certain."""
        self._expected = total

    def update(self, done: int, total: int) -> None:
        """So many are done of how many, 0 where nobody knows. Another total, or less done, is a count of its own."""
        with self._lock:
            now = self._clock()
            if total != self._total or done < self._done:
                self._start, self._before = now, done
            self._done, self._total = done, total
            if now - self._told >= _PACE or done == total:
                self._tell(now)

    def clear(self) -> None:
        """Take the line away."""
        with self._lock:
            if self._shown:
                self._write(f"\r{' ' * len(self._shown)}\r")
                self._shown = ""

    def _tick(self) -> None:
        while not self._over.wait(_TICK):
            with self._lock:
                self._tell(self._clock())

    def _tell(self, now: float) -> None:
        if now - self._began < _PATIENCE:
            return
        self._told = now
        self._show(self._line(now - self._start))

    def _line(self, spent: float) -> str:
        """What there is to say after so many seconds of what is being done."""
        done, total, noun = self._done, self._total, self._noun
        if not done:
            size = f" {_amount(total, noun)}" if total else ""
            return f"{self._what}{size}, {_duration(spent)}"
        known, since = total or self._expected, done - self._before
        left = spent * (known - done) / since if since and done < known else 0.0
        if not total:
            pace = f"about {_duration(left)} left" if left else _duration(spent)
            return f"{self._what}, {_amount(done, noun)}, {pace}"
        done = min(done, total)
        full = done * _BAR // total
        pace = f", {_duration(left)} left" if left else ""
        return f"{self._what} [{'#' * full}{'.' * (_BAR - full)}] {_amount(total, noun, done)}{pace}"

    def _show(self, line: str) -> None:
        line = line[: max(1, width_of(sys.stderr) - 1)]  # a line that wraps cannot be taken back
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


def _amount(count: int, noun: str, done: int | None = None) -> str:
    """A count with its noun, or how many of it are done."""
    if noun == "bytes":
        return sized(count) if done is None else f"{sized(done)} of {sized(count)}"
    return f"{count:,} {noun}" if done is None else f"{done:,}/{count:,} {noun}"


def _duration(seconds: float) -> str:
    """Seconds, minutes or hours, for people."""
    whole = max(1, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
