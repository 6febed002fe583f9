"""Processes over lanes: each lane meets the same copy, answers and counts come back, and nothing is left behind."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from regcli.app.processes import process_map
from regcli.problem.tally import Tally
from regcli.solvers.engine import LaneMap

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="copies are made on Linux")

LANES = 5

Map = Callable[[Iterable[tuple[int, Any]]], list[Any]]


class Sums:
    """Adds what it is told of a lane to what it was told before, and says where."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.sums = [0.0] * LANES

    def add(self, lane: int, value: float) -> tuple[float, int]:
        self.sums[lane] += value
        self.tally.solved(lane + 1)
        if value < 0:
            raise ValueError(lane)
        if value == np.inf:
            time.sleep(60)
        return self.sums[lane], os.getpid()


def children() -> set[int]:
    return {int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()}


def made(lane_map: LaneMap | None, tally: Tally | None = None) -> Map:
    assert lane_map is not None
    tally = tally or Tally()
    return lane_map(Sums(tally).add, tally, LANES)


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    before = children()
    yield
    assert children() == before


@pytest.mark.parametrize("jobs", [2, 3, 5, 9])
def test_a_lane_finds_what_was_kept_of_it(jobs: int) -> None:
    rng, known, where = np.random.default_rng(jobs), [0.0] * LANES, dict[int, int]()
    tally, told = Tally(), 0
    with process_map(jobs, np.inf) as lane_map:
        over = made(lane_map, tally)
        for _ in range(20):
            lanes = rng.permutation(LANES)[: rng.integers(0, LANES + 1)].tolist()
            values = rng.random(len(lanes)).tolist()
            for lane, value in zip(lanes, values, strict=True):
                known[lane] += value
                told += lane + 1
            answers = over(zip(lanes, values, strict=True))
            assert [total for total, _ in answers] == [known[lane] for lane in lanes]
            for lane, (_, pid) in zip(lanes, answers, strict=True):
                assert where.setdefault(lane, pid) == pid
        assert len(set(where.values())) == min(jobs, LANES)
    assert tally.counts.solves == told


def test_large_messages_pass_both_ways() -> None:
    large = np.arange(300_000.0)
    with process_map(2, np.inf) as lane_map:
        assert lane_map is not None
        over = lane_map(lambda lane, values: values + lane, Tally(), LANES)
        for lane, answer in enumerate(over((lane, large) for lane in range(LANES))):
            assert np.array_equal(answer, large + lane)


@pytest.mark.parametrize("lane", range(3))
def test_an_error_reaches_who_asked_and_ends_the_copies(lane: int) -> None:
    before = children()
    with process_map(3, np.inf) as lane_map:
        over = made(lane_map)
        assert len(children() - before) == 2
        with pytest.raises(ValueError, match=f"^{lane}$"):
            over((at, -1.0 if at == lane else 1.0) for at in range(LANES))
        assert children() == before


def test_a_copy_that_the_system_ends_is_short_of_memory() -> None:
    before = children()
    with process_map(2, np.inf) as lane_map:
        over = made(lane_map)
        (copy,) = children() - before
        os.kill(copy, signal.SIGKILL)
        with pytest.raises(MemoryError, match="ended a process"):
            over((lane, 1.0) for lane in range(LANES))


def test_who_stops_waiting_ends_the_copies_at_work() -> None:
    def ring(*_: object) -> None:
        raise TimeoutError

    before, old = children(), signal.signal(signal.SIGALRM, ring)
    try:
        with process_map(2, np.inf) as lane_map:
            over = made(lane_map)
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            with pytest.raises(TimeoutError):
                over([(1, np.inf)])
            assert children() == before
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)


def test_copies_end_with_what_they_were_made_for() -> None:
    before = children()
    with process_map(2, np.inf) as lane_map:
        first, second = made(lane_map), made(lane_map)
        assert lane_map is not None
        assert (len(children() - before), lane_map.processes) == (2, 2)
        assert first([(1, 1.0)])[0][0] == second([(1, 1.0)])[0][0] == 1.0
        del first
        assert len(children() - before) == 1
        assert second([(1, 1.0)])[0][0] == 2.0
    assert children() == before


def test_fewer_copies_where_there_may_be_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    fork, calls = os.fork, count()

    def refuse() -> int:
        if next(calls) >= 1:
            raise BlockingIOError
        return fork()

    monkeypatch.setattr(os, "fork", refuse)
    with process_map(4, np.inf) as lane_map:
        answers = made(lane_map)((lane, 1.0) for lane in range(LANES))
    assert len({pid for _, pid in answers}) == 2


def test_none_where_they_would_not_pay_or_are_not_safe() -> None:
    found: list[LaneMap | None] = []

    def ask(jobs: int, work: float) -> None:
        with process_map(jobs, work) as lane_map:
            found.append(lane_map)

    ask(1, np.inf)
    ask(2, 1e6)
    thread = threading.Thread(target=ask, args=(2, np.inf))
    thread.start()
    thread.join()
    assert found == [None, None, None]
