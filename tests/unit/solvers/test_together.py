"""Coroutines that wait for each other: served whenever all that go on wait, in order, whatever each of them does."""

from collections.abc import Coroutine, Generator
from typing import Any

import pytest

from regcli.solvers.together import complete, together


class Ask:
    """Waits for twice a number."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __await__(self) -> Generator["Ask", int, int]:
        return (yield self)


async def doubled(number: int, times: int) -> int:
    for _ in range(times):
        number = await Ask(number)
    return number


def test_all_that_wait_are_served_at_once_and_in_order() -> None:
    met: list[list[int]] = []

    def serve(asked: list[Ask]) -> list[int]:
        met.append([ask.number for ask in asked])
        return [2 * ask.number for ask in asked]

    assert together([doubled(1, 2), doubled(5, 0), doubled(3, 3)], serve) == [4, 5, 24]
    assert met == [[1, 3], [2, 6], [12]]


def test_work_that_waits_for_nothing_is_run_through() -> None:
    assert complete(doubled(7, 0)) == 7
    with pytest.raises(AssertionError, match="waits for a product"):
        complete(doubled(7, 1))


def test_an_error_ends_all_work() -> None:
    ended = []

    async def careful(number: int) -> int:
        try:
            return await Ask(number)
        finally:
            ended.append(number)

    def fail(_: list[Ask]) -> list[int]:
        raise MemoryError

    works: list[Coroutine[Any, Any, int]] = [careful(1), careful(2)]
    with pytest.raises(MemoryError):
        together(works, fail)
    assert ended == [1, 2]
