"""What a use case is given besides its request."""

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["RunContext"]


def _silent(_text: str) -> None:
    """Say nothing."""


@dataclass(frozen=True, slots=True)
class RunContext:
    """Threads to use (None: all usable cores), where to tell progress (done, of), where to tell how work is done."""

    jobs: int | None = None
    progress: Callable[[int, int], None] | None = None
    note: Callable[[str], None] = _silent
