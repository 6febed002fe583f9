"""What a use case is given besides its request."""

from collections.abc import Callable
from dataclasses import dataclass, field

from regcli.app.limits import Deadline, Memory

__all__ = ["RunContext"]


def _silent(_text: str) -> None:
    """Say nothing."""


@dataclass(frozen=True, slots=True)
class RunContext:
    """Threads to use (None: all usable cores), where to tell what, and what may be used.

    ``progress`` is told how much is done, of how much (0 where that is not known), ``expect`` about how much there will
    be, ``note`` how work is done.
    """

    jobs: int | None = None
    progress: Callable[[int, int], None] | None = None
    expect: Callable[[int], None] | None = None
    note: Callable[[str], None] = _silent
    memory: Memory = field(default_factory=Memory)
    deadline: Deadline = field(default_factory=Deadline)
