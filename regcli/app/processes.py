"""Processes over the lanes of a fit: copies of this one, each of which does all that its lanes ask for.

Where a lane's arrays are small, threads mostly wait for each other's Python: two of them take a twentieth off a lasso
of 500 x 20,000 in 10 folds, two processes a fifth. A copy shares the matrix and whatever else nobody writes to.
"""

import gc
import os
import signal
import sys
import threading
import warnings
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

from regcli.problem.tally import Counts, Tally
from regcli.solvers.engine import LaneMap

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

__all__ = ["process_map"]

Result = TypeVar("Result")

#: Multiplications of one pass over the data for all lanes below which a run is over before copies pay: each takes some
#: 4 ms, and more where what it shares is written to.
LEAST_WORK = 2e7


@contextmanager
def process_map(jobs: int, work: float) -> Iterator[LaneMap | None]:
    """Processes for the lanes of what runs inside, or None where they would not pay or cannot be had.

    They are copies by ``fork``, which is safe where the libraries see to it: on Linux. All of them end with the
    context, and each with whatever it was made for.
    """
    forks = sys.platform.startswith("linux") and threading.current_thread() is threading.main_thread()
    if jobs == 1 or work < LEAST_WORK or not forks:
        yield None
        return
    maker = _Maker(jobs)
    try:
        yield maker
    finally:
        for over in maker.made:
            over.close()


class _Maker:
    """Makes maps over lanes, and knows those that are still there."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self.made = weakref.WeakSet[_Lanes[Any]]()
        self.processes = 1

    def __call__(
        self, function: Callable[[int, Any], Result], tally: Tally, lanes: int
    ) -> Callable[[Iterable[tuple[int, Any]]], list[Result]]:
        over = _Lanes(function, tally, min(self._jobs, lanes))
        self.made.add(over)
        self.processes = over.count
        return over


@dataclass(frozen=True, slots=True)
class _Copy:
    """A copy of this process, and the way to it."""

    pid: int
    pipe: "Connection[Any, Any]"


class _Lanes(Generic[Result]):
    """A function over lanes in so many processes, of which this is one."""

    def __init__(self, function: Callable[[int, Any], Result], tally: Tally, count: int) -> None:
        self._function, self._tally = function, tally
        self._copies: list[_Copy] = []
        self.close = weakref.finalize(self, _end, self._copies, os.getpid())
        with suppress(OSError):  # a limit on processes: there are fewer then
            for _ in range(count - 1):
                self._copies.append(_copied(function, tally, self._copies))

    def __call__(self, tasks: Iterable[tuple[int, Any]]) -> list[Result]:
        """Do tasks, each where its lane is.

        Raises
        ------
        MemoryError
            The system has ended one of the processes.
        """
        try:
            return self._done(list(tasks))
        except BaseException:  # an answer that nobody waits for would be taken for the next
            self.close()
            raise

    def _done(self, tasks: Sequence[tuple[int, Any]]) -> list[Result]:
        shares = [[at for at, (lane, _) in enumerate(tasks) if lane % self.count == here] for here in range(self.count)]
        asked = [(copy, share) for copy, share in zip(self._copies, shares[1:], strict=True) if share]
        for copy, share in asked:
            _send(copy, [tasks[at] for at in share])
        out = {at: self._function(*tasks[at]) for at in shares[0]}
        for copy, share in asked:
            answers, counts = _receive(copy)
            self._tally.add(counts)
            out.update(zip(share, answers, strict=True))
        return [out[at] for at in range(len(tasks))]

    @property
    def count(self) -> int:
        """Processes, this one among them."""
        return 1 + len(self._copies)


def _copied(function: Callable[[int, Any], object], tally: Tally, others: Sequence[_Copy]) -> _Copy:
    """Make a copy of this process that answers with a function until it is let go."""
    from multiprocessing.connection import Pipe  # noqa: PLC0415  (8 ms that most fits need not pay)

    here, there = Pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads: none of them is at work
        pid = os.fork()
    if pid:
        there.close()
        return _Copy(pid, here)
    try:
        for pipe in (here, *(other.pipe for other in others)):  # or nobody would notice that they are closed
            pipe.close()
        _serve(there, function, tally)
    finally:
        os._exit(1)


def _serve(pipe: "Connection[Any, Any]", function: Callable[[int, Any], object], tally: Tally) -> NoReturn:
    """Answer until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who asks is told, and lets go of this
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    gc.freeze()  # what is there belongs to another process: nothing of it may be closed or flushed
    while True:
        try:
            tasks = pipe.recv()
        except (EOFError, OSError):
            os._exit(0)
        before = tally.counts
        try:
            answer: object = ([function(*task) for task in tasks], tally.counts - before)
        except Exception as error:  # noqa: BLE001  (raised where it was asked for)
            answer = error
        pipe.send(answer)


def _send(copy: _Copy, tasks: list[tuple[int, Any]]) -> None:
    try:
        copy.pipe.send(tasks)
    except ConnectionError as error:  # not the broken pipe of who reads what is written
        raise _ended(copy) from error


def _receive(copy: _Copy) -> tuple[list[Any], Counts]:
    try:
        answer = copy.pipe.recv()
    except (EOFError, ConnectionError) as error:
        raise _ended(copy) from error
    if isinstance(answer, Exception):
        raise answer
    answers, counts = answer
    return answers, counts


def _ended(copy: _Copy) -> MemoryError:
    return MemoryError(
        f"the system has ended a process of this fit (number {copy.pid}), as it does where memory is short"
    )


def _end(copies: list[_Copy], owner: int) -> None:
    """End copies, whatever they are at: nothing of theirs is kept."""
    if os.getpid() != owner:  # a copy of who made them
        return
    for copy in copies:
        copy.pipe.close()
        with suppress(ProcessLookupError):
            os.kill(copy.pid, signal.SIGKILL)
    for copy in copies:
        with suppress(ChildProcessError):
            os.waitpid(copy.pid, 0)
