"""Work over pieces: in their order, no more at a time than asked for, and nothing lost where something is wrong."""

import threading
import time
from collections.abc import Iterator

import pytest

from regcli.data.threads import threads_at_work
from regcli.errors import DataError

COUNTS = [1, 2, 5]


@pytest.mark.parametrize("count", COUNTS)
def test_results_come_in_order_from_as_many_threads(count: int) -> None:
    at_work, most, lock = 0, 0, threading.Lock()

    def work(item: int) -> int:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        time.sleep(0.002 * (item % 3))
        with lock:
            at_work -= 1
        return item * item

    with threads_at_work(count) as threads:
        assert list(threads.in_order(work, range(40))) == [item * item for item in range(40)]
    assert most <= count
    assert most > 1 or count == 1


@pytest.mark.parametrize("count", COUNTS)
def test_what_is_wrong_first_is_told_first(count: int) -> None:
    def work(item: int) -> int:
        if item == 3:
            time.sleep(0.01)
            raise DataError("file-unreadable", "in an item")
        if item == 4:
            raise DataError("file-unreadable", "in the next one")
        return item

    def items() -> Iterator[int]:
        yield from range(5)
        raise DataError("file-unreadable", "in what comes after it")

    with threads_at_work(count) as threads:
        for given in (items(), range(100)):
            with pytest.raises(DataError, match="in an item"):
                list(threads.in_order(work, given))


@pytest.mark.parametrize("count", COUNTS)
def test_work_in_turn_is_done_in_its_order_beside_other_work(count: int) -> None:
    done: list[int] = []

    def slow_first(item: int) -> None:
        time.sleep(0.001 * (item % 2 == 0))
        done.append(item)

    with threads_at_work(count) as threads:
        aside = threads.aside(slow_first, in_turn=True)

        def items() -> Iterator[int]:
            for item in range(50):
                aside(item)
                yield item

        assert list(threads.in_order(lambda item: -item, items())) == [-item for item in range(50)]
        aside.finish()
        assert done == list(range(50))


@pytest.mark.parametrize("count", COUNTS)
def test_an_error_on_the_side_is_told(count: int) -> None:
    def work(item: int) -> None:
        if item == 2:
            raise OSError("the side failed")

    def all_of_it() -> None:
        with threads_at_work(count) as threads:
            aside = threads.aside(work)
            for item in range(4):
                aside(item)
            aside.finish()

    with pytest.raises(OSError, match="the side failed"):
        all_of_it()
