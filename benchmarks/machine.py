"""The machine and the versions that figures belong to; no paths, no names of hosts."""

import os
import platform
from pathlib import Path

__all__ = ["cores", "describe"]


def describe() -> dict[str, str | int]:
    """Processor, cores, operating system, Python and NumPy."""
    import numpy  # noqa: ICN001, PLC0415  (its version)

    return {
        "processor": _processor(),
        "cores": cores(),
        "system": platform.system(),
        "python": platform.python_version(),
        "numpy": numpy.__version__,
    }


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> str:
    """The model as Linux names it, else what Python knows."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text("utf-8", "replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
