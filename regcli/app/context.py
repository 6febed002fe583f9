"""What a use case is given besides its request."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from regcli.app.limits import Deadline, Memory

__all__ = ["Nobody", "Progress", "RunContext"]


class Progress(Protocol):
    """Who is told what is being done, and how far it is."""

    def doing(self, what: str, noun: str = "") -> None:
        """Something else begins; ``noun`` is what is counted of it, if anything is: rows, strengths, bytes."""

    def expect(self, total: int) -> None:
        """About how many there will be of what is counted, where nobody knows for certain."""

    def update(self, done: int, total: int) -> None:
        """So many are done, of how many; 0 where that is not known."""


class Nobody:
    """Nobody is told."""

    def doing(self, what: str, noun: str = "") -> None:
        """Nothing is told."""

    def expect(self, total: int) -> None:
        """Nothing is told."""

    def update(self, done: int, total: int) -> None:
        """Nothing is told."""


def _silent(_text: str) -> None:
    """Say nothing."""


@dataclass(frozen=True, slots=True)
class RunContext:
    """Threads to use (None: all usable cores), where to tell what, and what may be used.

    ``progress`` is told how far the work is, ``note`` how it is done.
    """

    jobs: int | None = None
    progress: Progress = field(default_factory=Nobody)
    note: Callable[[str], None] = _silent
    memory: Memory = field(default_factory=Memory)
    deadline: Deadline = field(default_factory=Deadline)
