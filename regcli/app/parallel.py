"""Threads over independent tasks; the only import of joblib.

BLAS is held to one thread: its own threads cost a factor of three to six on the small solves that fill a path. Results
come back in the order of their tasks, so no number depends on how many threads there are.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TypeVar

from regcli.data.heap import heap_kept
from regcli.problem.protocols import ParallelMap
from regcli.solvers.engine import serial_map

__all__ = ["fold_map", "single_blas_thread", "thread_map", "threads_for", "usable_cores", "wake_blas"]

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

    It is for many small tasks. ``work`` is the number of multiplications of one pass over the data for all lanes.
    Unless it is little, memory that is freed meanwhile is kept, which takes a twentieth to a sixth off the time.
    """
    jobs = threads_for(jobs, work)
    with heap_kept() if work >= LEAST_WORK else nullcontext():
        if jobs == 1:
            yield serial_map
        else:
            with ThreadPoolExecutor(jobs - 1) as helpers:
                yield _shared_with(helpers, jobs)


def _shared_with(helpers: ThreadPoolExecutor, jobs: int) -> ParallelMap:
    """A map whose tasks the caller and its helpers take one after the other.

    With both of two threads helping, and the caller waiting, a sweep over 50,000 x 100 takes 0.65 of the time of one
    thread with 11 lanes and 0.8 with four; like this 0.58 and 0.62.
    """

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
                except Exception as error:  # noqa: BLE001  (raised again below, the first by order and not by time)
                    wrong[at] = error

        helping = [helpers.submit(work) for _ in range(min(jobs, len(tasks)) - 1)]
        try:
            work()
        finally:
            todo.clear()  # an interrupted caller wants no more of it
            wait(helping)
        if wrong:
            raise wrong[min(wrong)]
        return [out[at] for at in range(len(tasks))]

    return over_threads


def fold_map(jobs: int | None, work: float) -> ParallelMap:
    """An ordered map over ``jobs`` threads for few large tasks, a fold each; plain for little work."""
    jobs = threads_for(jobs, work)
    if jobs == 1:
        return serial_map

    def over_folds(function: Callable[[Task], Result], tasks: Iterable[Task], /) -> list[Result]:
        from joblib import Parallel, delayed  # noqa: PLC0415  (100 ms that most runs need not pay)

        return list(Parallel(n_jobs=jobs, backend="threading")(delayed(function)(task) for task in tasks))

    return over_folds
