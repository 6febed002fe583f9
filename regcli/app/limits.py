"""What a run may use: memory and seconds, read from options, held while it works."""

import re
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TypeVar

from regcli.data.machine import machine_memory
from regcli.errors import ResourceError, UsageError

__all__ = ["UNLIMITED", "Deadline", "Memory", "held_memory", "out_of_memory", "read_seconds", "read_size", "timed"]

Step = TypeVar("Step")

_UNITS = {
    "b": 1,
    **{f"{letter}b": 1000**power for power, letter in enumerate("kmgt", 1)},
    **{f"{letter}ib": 1024**power for power, letter in enumerate("kmgt", 1)},
}
_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,15})?) ?(%|[kmgt]i?b|b)", re.IGNORECASE | re.ASCII)

#: A year and more; a longer limit is none.
MOST_SECONDS = 1e8


def read_size(option: str, text: str) -> int:
    """Bytes of ``500MB``, ``2GiB`` or ``80%`` (of the machine's memory, or the container's).

    Raises
    ------
    UsageError
        ``unknown-option-value``.
    """
    found = _SIZE.fullmatch(text.strip())
    amount = float(found[1]) if found else 0.0
    if found is None or amount <= 0 or (found[2] == "%" and amount > 100):
        hint = "a number with B, kB, MB, GB, TB, KiB, MiB, GiB or TiB, or a share such as 80%"
        raise UsageError("unknown-option-value", f"{option}: {text!r} is no size", hint=hint)
    if found[2] == "%":
        return int(machine_memory() * amount / 100)
    return max(1, int(amount * _UNITS[found[2].lower()]))


def read_seconds(option: str, value: float | str) -> float:
    """A number of seconds above 0."""
    try:
        seconds = float(value)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds <= MOST_SECONDS:
        hint = f"a number above 0 and at most {MOST_SECONDS:,.0f}"
        raise UsageError("unknown-option-value", f"{option}: {value!r} is no number of seconds", hint=hint)
    return seconds


@dataclass(frozen=True, slots=True)
class Memory:
    """A limit on the bytes of this process, None for none."""

    limit: int | None = None

    def refuse(self, more: int, what: str) -> None:
        """Raise where the process would have more than it may with ``more`` bytes of ``what``.

        Raises
        ------
        ResourceError
            ``out-of-memory``.
        """
        if self.limit is None:
            return
        expected = _resident() + more
        if expected > self.limit:
            text = (
                f"{what} would take the process to some {expected / 1e6:,.0f} MB, and --max-memory allows "
                f"{self.limit / 1e6:,.0f} MB"
            )
            fewer = ", fewer columns (--features, --drop) or fewer rows" if more else ""
            raise ResourceError("out-of-memory", text, hint=f"a larger --max-memory{fewer}")

    def affords(self, most: int, each: int) -> int:
        """How many of ``most`` things of so many bytes each there may be, at least one."""
        if self.limit is None:
            return most
        return max(1, min(most, (self.limit - _resident()) // max(each, 1)))


#: No limit.
UNLIMITED = Memory()


def out_of_memory(error: Exception) -> ResourceError | None:
    """The error in regcli's terms where there was not enough memory; None where it is another."""
    # numpy's MemoryError says how much was asked for; a thread that has no room for its stack is a RuntimeError.
    if isinstance(error, MemoryError) or (type(error) is RuntimeError and "start new thread" in str(error)):
        message = str(error) or "not enough memory"
        hint = "a larger --max-memory where there is one, fewer columns or fewer rows; --dry-run says what a fit takes"
        return ResourceError("out-of-memory", message, hint=hint)
    return None


@contextmanager
def held_memory(memory: Memory, jobs: int | None = None) -> Iterator[None]:
    """Have the system refuse this process more memory than the limit, so that it ends with an error of its own.

    What the program itself takes is there before, for as many threads as there are ``jobs``.

    What is limited is the data segment (RLIMIT_DATA): private memory that can be written. The address space, which
    RLIMIT_AS limits, is no measure of what is used: with numpy, scipy and two threads it is 760 MB where 120 MB are
    resident, because every thread reserves some. What is reserved already and not used is not counted either.
    """
    if memory.limit is None or not sys.platform.startswith("linux"):  # elsewhere the limit is not enforced
        yield
        return
    import resource  # noqa: PLC0415  (not on every system)

    from regcli.app.parallel import usable_cores, wake_blas  # noqa: PLC0415  (loads numpy)

    wake_blas(jobs or usable_cores())
    memory.refuse(0, "the program itself")
    old = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = _status("VmData") + memory.limit - _resident()
    allowed = wanted if old[0] == resource.RLIM_INFINITY else min(wanted, old[0])
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_DATA, (allowed, old[1]))
    try:
        yield
    finally:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_DATA, old)


@dataclass(slots=True)
class Deadline:
    """When a run has to end. ``seconds`` is what was asked for, None for no limit.

    Work that has nothing to show yet is interrupted by an exception. Along a path nothing but the next strength is:
    what is done by then stays whole, and ``passed`` says that the time is over.
    """

    seconds: float | None = None
    passed: bool = False
    _open: bool = field(default=True)

    def along(self, steps: Iterator[Step]) -> Iterator[Step]:
        """The steps until time is up, one at least.

        Raises
        ------
        ResourceError
            ``out-of-time``, before the first step.
        """
        done = 0
        try:
            while not (done and self.passed):
                self._open = True
                try:
                    step = next(steps)
                except ResourceError as error:
                    if error.code != "out-of-time" or not done:
                        raise
                    break
                except StopIteration:
                    return
                finally:
                    self._open = False
                done += 1
                yield step
        finally:
            self._open = False

    def require(self) -> None:
        """Go back to being interrupted: what comes now is needed in whole.

        Raises
        ------
        ResourceError
            ``out-of-time``: the time is over already.
        """
        self._open = True
        if self.passed:
            self._raise()

    def settle(self) -> None:
        """There is something to show: nothing is interrupted any more."""
        self._open = False

    def _ring(self, _number: int, _frame: FrameType | None) -> None:
        self.passed = True
        if self._open:
            self._raise()

    def _raise(self) -> None:
        text = f"--max-seconds {self.seconds:g} passed before anything usable was found"
        hint = "a larger --max-seconds, fewer rows; in fit and cv fewer --folds or --repeats"
        raise ResourceError("out-of-time", text, hint=hint)


@contextmanager
def timed(seconds: float | None, began: float) -> Iterator[Deadline]:
    """A deadline ``seconds`` after ``began`` (of ``time.monotonic``)."""
    deadline = Deadline(seconds)
    if seconds is None or threading.current_thread() is not threading.main_thread():
        yield deadline
        return
    old = signal.signal(signal.SIGALRM, deadline._ring)  # noqa: SLF001  (its own module)
    signal.setitimer(signal.ITIMER_REAL, max(began + seconds - time.monotonic(), 1e-6))
    try:
        yield deadline
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)


def _resident() -> int:
    """Bytes that the process has in memory; 0 where the system does not tell."""
    return _status("VmRSS")


def _status(name: str) -> int:
    """A figure of Linux's account of this process, in bytes."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
    return 0
