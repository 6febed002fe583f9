"""Threads over tasks: results in the order of the tasks, each done once, and what goes wrong reaches who asked."""

import threading
from collections import Counter

import numpy as np
import pytest

from regcli.app.parallel import thread_map


@pytest.mark.parametrize("tasks", [0, 1, 2, 3, 50])
@pytest.mark.parametrize("jobs", [1, 2, 4])
def test_results_are_in_order(jobs: int, tasks: int) -> None:
    done = Counter[int]()

    def square(task: int) -> int:
        done[task] += 1
        return task * task

    with thread_map(jobs, np.inf) as over:
        assert over(square, range(tasks)) == [task * task for task in range(tasks)]
        assert done == Counter(range(tasks))
        assert over(square, iter(range(tasks))) == [task * task for task in range(tasks)]


def test_two_tasks_are_at_work_together() -> None:
    together = threading.Barrier(2)
    with thread_map(2, np.inf) as over:
        assert sorted(over(lambda _: together.wait(60), range(2))) == [0, 1]


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("kind", [ValueError, IndexError, KeyError, StopIteration])
def test_an_error_reaches_who_asked(kind: type[Exception], jobs: int) -> None:
    def work(task: int) -> int:
        if task == 5:
            raise kind(task)
        return task

    with thread_map(jobs, np.inf) as over:
        with pytest.raises(kind):
            over(work, range(9))
        assert over(lambda task: task, range(3)) == [0, 1, 2]  # and it serves on
