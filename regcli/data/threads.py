"""Threads over the pieces of a file: results in the order of the pieces, and work on the side that has none.

One pool does both, so that no more threads are at work than were asked for, beside the one that reads.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from regcli.errors import DataError

__all__ = ["ALONE", "Threads", "threads_at_work"]

#: Pieces of work on the side that may wait: each holds some megabytes, and those in turn a thread.
AHEAD = 3

_END = object()

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Threads:
    """A pool of ``count`` threads; without one everything is done where it is asked for."""

    pool: Executor | None
    count: int

    def in_order(self, work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Do some work on items; results, and what is wrong, come in the order of the items."""
        if self.pool is None:
            yield from map(work, items)
            return
        waiting: deque[Future[Result]] = deque()
        following = iter(items)
        while True:
            try:
                item = next(following, _END)
            except DataError:  # what is wrong in an item before comes first
                for future in waiting:
                    future.result()
                raise
            if item is _END:
                break
            waiting.append(self.pool.submit(work, cast("Item", item)))
            if len(waiting) > self.count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def aside(self, work: Callable[..., object], *, in_turn: bool = False) -> "Aside":
        """Work to be done on the side; ``in_turn``: each piece of it after the one before."""
        return Aside(self, work, in_turn)


@dataclass(slots=True)
class Aside:
    """Work done on the side. An error comes with a later piece, or at the end."""

    threads: Threads
    work: Callable[..., object]
    in_turn: bool
    waiting: deque[Future[None]] = field(default_factory=deque)

    def __call__(self, *what: object) -> None:
        """Have this done too; where ``AHEAD`` pieces wait already, wait for the first of them."""
        if self.threads.pool is None:
            self.work(*what)
            return
        before = self.waiting[-1] if self.in_turn and self.waiting else None
        self.waiting.append(self.threads.pool.submit(self._do, before, what))
        if len(self.waiting) > AHEAD:
            self.waiting.popleft().result()

    def finish(self) -> None:
        """Wait for all of it."""
        while self.waiting:
            self.waiting.popleft().result()

    def _do(self, before: Future[None] | None, what: tuple[Any, ...]) -> None:
        # What comes before was handed to the pool before: it is done, or some thread is at it.
        if before is not None:
            before.result()
        self.work(*what)


#: No threads but the one that asks.
ALONE = Threads(None, 1)


@contextmanager
def threads_at_work(count: int) -> Iterator[Threads]:
    """Have so many threads while a file is read; they begin when there is work for them."""
    if count < 2:
        yield ALONE
        return
    with ThreadPoolExecutor(count) as pool:
        yield Threads(pool, count)
