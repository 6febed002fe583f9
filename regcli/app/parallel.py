"""Threads over independent tasks; the only import of joblib.

BLAS is held to one thread: its own threads cost a factor of three to six on the small solves that fill a path. Results
come back in the order of their tasks, so no number depends on how many threads there are.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TypeVar

from regcli.data.heap import heap_kept
from regcli.problem.protocols import ParallelMap
from regcli.solvers.engine import serial_map

__all__ = ["single_blas_thread", "thread_map", "threads_for", "usable_cores", "wake_blas"]

Task = TypeVar("Task")
Result = TypeVar("Result")

#: Where Linux tells a container's share of the processors: microseconds of work per microseconds of time.
CPU_MAX = Path("/sys/fs/cgroup/cpu.max")

#: Rows of a product that takes BLAS long enough for all threads to be at it together: some milliseconds.
WAKING = 400

#: Below this a batch of tasks takes about as long as handing it to threads.
LEAST_WORK = 2e6


def usable_cores() -> int:
    """Cores this process may use: its affinity, and in a container its quota."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with suppress(OSError, ValueError):
        quota, period = CPU_MAX.read_text(encoding="ascii").split()
        if quota != "max":
            cores = min(cores, max(1, int(quota) // int(period)))
    return cores


def single_blas_thread() -> None:
    """Hold every BLAS that is loaded to one thread. Called once, from the main thread, after numpy and scipy."""
    from threadpoolctl import threadpool_limits  # noqa: PLC0415  (30 ms that only a fit should pay)

    threadpool_limits(1)


def wake_blas(threads: int) -> None:
    """Have the BLAS of numpy and that of scipy take the memory they keep, for so many threads that use them at a time.

    Each takes some 30 MB a thread when it is first used. Where the system then refuses them OpenBLAS asks again without
    end, or ends the process.
    """
    import numpy as np  # noqa: PLC0415  (a limit of memory is rare)

    from regcli.problem.unlocked import add_squares  # noqa: PLC0415

    single_blas_thread()
    square, together = np.ones((WAKING, WAKING)), threading.Barrier(threads)

    def use(_: int) -> None:
        together.wait()
        np.matmul(square, square)
        together.wait()
        add_squares(square, np.zeros((WAKING, WAKING), order="F"))

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(use, range(threads)))


def threads_for(jobs: int | None, work: float) -> int:
    """Threads that ``thread_map`` uses: ``jobs`` or all usable cores, one for little work."""
    return 1 if work < LEAST_WORK else jobs or usable_cores()


@contextmanager
def thread_map(jobs: int | None, work: float) -> Iterator[ParallelMap]:
    """An ordered map over ``jobs`` threads, or all usable cores; plain for little work.

    ``work`` is the number of multiplications of one pass over the data for all lanes. Unless it is little, memory that
    is freed meanwhile is kept, which takes a twentieth to a sixth off the time.
    """
    jobs = threads_for(jobs, work)
    with heap_kept() if work >= LEAST_WORK else nullcontext():
        if jobs == 1:
            yield serial_map
        else:
            with _pool(jobs) as over_threads:
                yield over_threads


@contextmanager
def _pool(jobs: int) -> Iterator[ParallelMap]:
    """An ordered map over threads, which take one task after the other: handing each to joblib takes 30 us."""
    from joblib import Parallel, delayed  # noqa: PLC0415  (100 ms that small problems need not pay)
    from joblib.parallel import ThreadingBackend  # noqa: PLC0415

    class Waiting(ThreadingBackend):  # type: ignore[misc]  # joblib has no types
        """Threads whose results are waited for: joblib else looks every 10 ms, longer than most tasks take."""

        supports_retrieve_callback = False

    with Parallel(n_jobs=jobs, backend=Waiting(), batch_size=1, pre_dispatch="all") as pool:

        def over_threads(function: Callable[[Task], Result], tasks: Iterable[Task], /) -> list[Result]:
            tasks = list(tasks)
            if len(tasks) < 2:
                return serial_map(function, tasks)
            todo, out, wrong = deque(range(len(tasks))), dict[int, Result](), dict[int, Exception]()

            def work() -> None:
                while not wrong:
                    try:
                        at = todo.popleft()
                    except IndexError:  # nothing is left to do
                        return
                    try:
                        out[at] = function(tasks[at])
                    except Exception as error:  # noqa: BLE001  (raised again below: joblib loses it on this way)
                        wrong[at] = error

            pool(delayed(work)() for _ in range(min(jobs, len(tasks))))
            if wrong:
                raise wrong[min(wrong)]
            return [out[at] for at in range(len(tasks))]

        yield over_threads
