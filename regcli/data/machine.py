"""What the machine has."""

import os
from contextlib import suppress
from pathlib import Path

__all__ = ["machine_memory"]

#: Where Linux tells how much memory a container may use.
_CGROUPS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))

#: A TiB, where the system does not tell.
_UNKNOWN = 1 << 40


def machine_memory() -> int:
    """Bytes of memory of the machine, or of the container if it has fewer."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else _UNKNOWN
    for path in _CGROUPS:
        with suppress(OSError, ValueError):  # no container, or "max"
            total = min(total, int(path.read_text(encoding="ascii")))
    return total
