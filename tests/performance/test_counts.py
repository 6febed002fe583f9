"""No solver takes more work than it did: cells read, multiplications, factorizations, rounds, on fixed problems.

Counts depend on the problem alone, and on rounding a little; not on the machine, its load or the number of threads.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import numpy as np
import pytest

from regcli.app.parallel import thread_map
from regcli.app.processes import process_map
from regcli.problem.design import Dense
from regcli.problem.protocols import Array, Integers, ParallelMap, SeparableTerms
from regcli.solvers.active_set import ActiveSet, QuadraticSolution
from regcli.solvers.newton import Newton
from tests.performance import stored
from tests.performance.problems import CASES, work

HOW = (
    "{name} takes more work than before (stored, now): {more}. Where that is meant: say why in CHANGELOG.md and run "
    '`python tests/performance/make_counts.py --because "that line"`.'
)


@pytest.fixture(scope="module")
def known() -> dict[str, dict[str, Any]]:
    return stored.read()


@pytest.mark.parametrize("name", CASES)
def test_a_solver_takes_no_more_work_than_stored(name: str, known: dict[str, dict[str, Any]]) -> None:
    more = stored.raised(known[name], work(name))
    assert not more, HOW.format(name=name, more=more)


@pytest.mark.parametrize("name", ["moments, lasso", "newton, shared models", "lockstep, lasso"])
def test_threads_change_no_count(name: str) -> None:
    with thread_map(2, np.inf) as over_threads:
        assert work(name, over_threads) == work(name)


@pytest.mark.parametrize("name", ["moments, lasso", "lockstep, lasso"])
def test_processes_change_no_count(name: str) -> None:
    with process_map(2, np.inf) as lane_map:
        assert work(name, lane_map=lane_map) == work(name)


def test_a_case_is_stored_for_every_problem_and_no_other(known: dict[str, dict[str, Any]]) -> None:
    assert list(known) == list(CASES)


def test_the_changelog_says_why_counts_were_raised(known: dict[str, dict[str, Any]]) -> None:
    changelog = stored.CHANGELOG.read_text("utf-8")
    for name, counts in known.items():
        because = counts[stored.REASON]
        assert because is None or stored.told_in(changelog, because), f"{name} was raised because of: {because}"


# -- the test has teeth ----------------------------------------------------------------------------------------------


class Rounds(Protocol):
    """What counts rounds while a strength is solved."""

    rounds: Integers


def twice_the_rounds(patch: pytest.MonkeyPatch) -> None:
    """Every Newton step is made, thrown away and made again."""
    step: Callable[..., None] = Newton._step  # noqa: SLF001  (a round is one call of it)

    def hesitant(self: Newton, state: Rounds, alive: Integers) -> None:
        at = self._at
        before = [values.copy() for values in (at.levels, at.coefs, at.eta, at.level, at.score)]
        step(self, state, alive)
        at.levels, at.coefs, at.eta, at.level, at.score = before
        state.rounds[alive] += 1
        step(self, state, alive)

    patch.setattr(Newton, "_step", hesitant)


def twice_the_solves(patch: pytest.MonkeyPatch) -> None:
    """Every quadratic is solved from its start, and again from zero."""
    minimise: Callable[..., Awaitable[QuadraticSolution]] = ActiveSet.minimise

    async def hesitant(
        self: ActiveSet, linear: Array, terms: SeparableTerms, start: Array, *how: float | Array | None
    ) -> QuadraticSolution:
        await minimise(self, linear, terms, start, *how)
        return await minimise(self, linear, terms, np.zeros_like(start), *how)

    patch.setattr(ActiveSet, "minimise", hesitant)


def twice_the_products(patch: pytest.MonkeyPatch) -> None:
    """Every large product is taken twice."""
    rdot: Callable[..., Array] = Dense.rdot

    def hesitant(self: Dense, rows: Array, parallel_map: ParallelMap | None = None) -> Array:
        rdot(self, rows)
        return rdot(self, rows, parallel_map)

    patch.setattr(Dense, "rdot", hesitant)


@pytest.mark.parametrize(
    ("name", "slowed", "shows"),
    [
        ("newton, shared models", twice_the_rounds, "rounds"),
        ("newton, own models", twice_the_rounds, "rounds"),
        ("moments, elastic net", twice_the_solves, "solves"),
        ("lockstep, lasso", twice_the_solves, "factorizations"),
        ("lockstep, lasso", twice_the_products, "multiplications"),
        ("cg, tall", twice_the_products, "cells"),
    ],
)
def test_a_solver_that_does_more_is_caught(
    name: str,
    slowed: Callable[[pytest.MonkeyPatch], None],
    shows: str,
    known: dict[str, dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slowed(monkeypatch)
    assert shows in stored.raised(known[name], work(name))


# -- what is stored --------------------------------------------------------------------------------------------------


def test_a_little_more_is_let_pass_and_is_not_stored() -> None:
    before = {"rounds": 100, "steps": 0, stored.REASON: None}
    assert stored.raised(before, {"rounds": 103, "steps": 0}) == {}
    assert stored.merged(before, {"rounds": 103, "steps": 0}, None) == before
    assert stored.merged(before, {"rounds": 98, "steps": 0}, None) == before
    assert stored.raised(before, {"rounds": 104, "steps": 1}) == {"rounds": (100, 104), "steps": (0, 1)}


def test_less_is_stored_and_more_only_with_a_reason() -> None:
    before = {"rounds": 100, "solves": 50, stored.REASON: "an older line"}
    less = {"rounds": 80, "solves": 50}
    assert stored.merged(before, less, None) == {**less, stored.REASON: "an older line"}
    more = {"rounds": 80, "solves": 60}
    with pytest.raises(ValueError, match="solves"):
        stored.merged(before, more, None)
    assert stored.merged(before, more, "why") == {**more, stored.REASON: "why"}


def test_a_reason_is_found_across_lines() -> None:
    assert stored.told_in("* Poisson paths take\n  more rounds.", "Poisson paths take more rounds.")
    assert not stored.told_in("* Nothing.", "Poisson paths take more rounds.")
