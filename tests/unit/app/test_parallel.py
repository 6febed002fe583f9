"""Threads over tasks: results in the order of the tasks, each done once, and what goes wrong reaches who asked."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from regcli.app.parallel import fold_map, thread_map
from regcli.problem.protocols import ParallelMap


@contextmanager
def maps(jobs: int) -> Iterator[list[ParallelMap]]:
    """What small tasks are done by, and large ones."""
    with thread_map(jobs, np.inf) as over:
        yield [over, fold_map(jobs, np.inf)]


@pytest.mark.parametrize("tasks", [0, 1, 2, 3, 50])
@pytest.mark.parametrize("jobs", [1, 2, 4])
def test_results_are_in_order(jobs: int, tasks: int) -> None:
    done = Counter[int]()

    def square(task: int) -> int:
        done[task] += 1
        return task * task

    with maps(jobs) as both:
        for over in both:
            done.clear()
            assert over(square, range(tasks)) == [task * task for task in range(tasks)]
            assert done == Counter(range(tasks))
            assert over(square, iter(range(tasks))) == [task * task for task in range(tasks)]


def test_two_tasks_are_at_work_together() -> None:
    together = threading.Barrier(2)
    with maps(2) as both:
        for over in both:
            assert sorted(over(lambda _: together.wait(60), range(2))) == [0, 1]


def test_who_asks_takes_part() -> None:
    together, names = threading.Barrier(2), set[str]()

    def named(_: int) -> None:
        together.wait(60)
        names.add(threading.current_thread().name)

    with thread_map(2, np.inf) as over:
        over(named, range(2))
    assert threading.current_thread().name in names
    assert len(names) == 2


def test_who_is_interrupted_leaves_nobody_at_work() -> None:
    mine, begun, done = threading.current_thread(), threading.Event(), Counter[str]()

    def work(_: int) -> None:
        if threading.current_thread() is mine:
            assert begun.wait(60)
            raise KeyboardInterrupt
        begun.set()
        done["helper"] += 1
        while not interrupted.is_set():
            interrupted.wait(0.01)

    interrupted = threading.Event()
    with thread_map(2, np.inf) as over:
        threading.Timer(0.2, interrupted.set).start()
        with pytest.raises(KeyboardInterrupt):
            over(work, range(1_000))
        assert done["helper"] <= 2  # not the hundreds that were left
        assert over(lambda task: task, range(3)) == [0, 1, 2]


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("kind", [ValueError, IndexError, KeyError, StopIteration])
def test_an_error_reaches_who_asked(kind: type[Exception], jobs: int) -> None:
    def work(task: int) -> int:
        if task == 5:
            raise kind(task)
        return task

    with maps(jobs) as both:
        for over in both:
            with pytest.raises(kind if over is both[0] or kind is not StopIteration else (kind, RuntimeError)):
                over(work, range(9))  # where joblib hands it on it comes from a generator, which makes another of it
            assert over(lambda task: task, range(3)) == [0, 1, 2]  # and it serves on
