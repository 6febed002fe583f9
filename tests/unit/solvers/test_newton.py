"""Newton's rounds: what a bad step does to them, and what the strengths before do for them."""

import gc
import sys
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from regcli.app.processes import process_map
from regcli.problem.design import Dense
from regcli.problem.protocols import Array, Integers
from regcli.results import Iterate, Status
from regcli.solvers import models, outlook, quadratics
from regcli.solvers.engine import Problem
from regcli.solvers.factor import Factor
from regcli.solvers.lane_models import LaneModel
from regcli.solvers.path import Grid, Walk, geometric_grid, lambda_max
from tests.battery.problems import unlimited

N, P = 12_000, 30

Minimum = tuple[float, Array, tuple[int, ...]]


def logistic(family: str = "binomial") -> Problem:
    """Of some size, so that lanes share a Hessian."""
    rng = np.random.default_rng(5)
    X = rng.normal(size=(N, P))
    X[:, 1:] += 0.7 * X[:, :-1]
    eta = X[:, :5] @ np.array([1.0, -1.0, 0.5, 0.5, 0.3])
    y = (rng.random(N) < 1 / (1 + np.exp(-eta))).astype(float) if family == "binomial" else rng.poisson(np.exp(eta / 3))
    return unlimited(X, np.asarray(y, dtype=float), family, np.ones(P)).problem(1e-9)


def walked(problem: Problem, count: int = 30) -> list[Iterate]:
    """A path of some strengths."""
    return list(Walk(problem, Grid(geometric_grid(lambda_max(problem), count, 1e-2), generated=False)))


def few_rows(family: str = "binomial") -> Problem:
    """Of so few rows that every lane has a Hessian of its own, on columns that come and go."""
    rng = np.random.default_rng(6)
    X = rng.normal(size=(150, 400))
    y = X[:, :10].sum(axis=1) + rng.normal(size=150)
    y = (y > 0).astype(float) if family == "binomial" else y
    problem = unlimited(X, y, family, np.ones(400)).problem(1e-7)
    return problem if family == "binomial" else replace(problem, rules=replace(problem.rules, solver="lockstep"))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="copies are made on Linux")
@pytest.mark.parametrize("made", [logistic, lambda: logistic("poisson"), few_rows], ids=["shared", "poisson", "few"])
def test_lanes_in_processes_are_where_they_would_be_in_one(made: Callable[[], Problem]) -> None:
    alone, problem = walked(made(), 40), made()
    with process_map(3, np.inf) as lane_map:
        apart = walked(replace(problem, lane_map=lane_map), 40)
        assert lane_map is not None
        assert lane_map.processes == 3
    for one, other in zip(alone, apart, strict=True):
        assert np.array_equal(one.coefs, other.coefs)
        assert np.array_equal(one.intercepts, other.intercepts)
        assert np.array_equal(one.rounds, other.rounds)


def test_lanes_without_a_matrix_share_their_products(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = coefs(walked(logistic()))
    monkeypatch.setattr(models, "most_columns", lambda *_: 3)
    passes = []
    for joins in (True, False):
        monkeypatch.setattr(Dense, "joins", joins)
        problem = logistic()
        steps = walked(problem)
        assert {status for step in steps for status in step.status} == {Status.CONVERGED}
        np.testing.assert_allclose(coefs(steps), wanted, atol=1e-7)
        counts = problem.objective.tally.counts
        assert counts.steps > 1000
        passes.append(counts.cells / counts.multiplications)
    assert passes[0] < 0.6 * passes[1]


def test_lanes_with_one_hessian_in_common_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted, alone = coefs(walked(logistic())), models.most_columns
    monkeypatch.setattr(models, "most_columns", lambda objective, *n: alone(objective, *n) if n[0] == 1 else 0)
    steps = walked(logistic())
    assert {status for step in steps for status in step.status} == {Status.CONVERGED}
    np.testing.assert_allclose(coefs(steps), wanted, atol=1e-7)


@pytest.mark.parametrize("family", ["binomial", "gaussian"])
def test_lanes_that_have_no_room_together_take_turns(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted, plain, held = coefs(walked(few_rows(family))), Factor.append, []

    def counted(factor: Factor, candidates: Integers) -> Integers:
        large = [one for one in gc.get_objects() if isinstance(one, Factor) and one.size > 21]
        held.append(len(large))
        return plain(factor, candidates)

    for module in (models, quadratics):
        monkeypatch.setattr(module, "most_columns", lambda _objective, count, *_: 1000 if count <= 2 else 20)
    problem = few_rows(family)
    monkeypatch.setattr(Factor, "append", counted)
    steps = walked(problem)
    assert {status for step in steps for status in step.status} == {Status.CONVERGED}
    np.testing.assert_allclose(coefs(steps), wanted, atol=1e-6)
    assert problem.objective.tally.counts.steps == 0
    assert 1 <= max(held) <= 3


def coefs(steps: list[Iterate]) -> Array:
    return np.array([step.coefs for step in steps])


def test_a_goal_out_of_all_bounds_leaves_a_lane_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    plain: Callable[..., Coroutine[Any, Any, Minimum]] = LaneModel.minimise
    wanted, calls = coefs(walked(logistic())), 0

    async def wild(model: LaneModel, *arguments: object) -> Minimum:
        nonlocal calls
        calls += 1
        level, found, aliased = await plain(model, *arguments)
        return (level, 1e80 * found, aliased) if calls % 50 == 7 else (level, found, aliased)

    monkeypatch.setattr(LaneModel, "minimise", wild)
    steps = walked(logistic())
    assert calls > 300
    assert {status for step in steps for status in step.status} == {Status.CONVERGED}
    np.testing.assert_allclose(coefs(steps), wanted, atol=1e-7)


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_strengths_before_save_rounds_and_change_no_answer(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = walked(logistic(family), 100)
    monkeypatch.setattr(outlook, "weights_ahead", lambda _before, _lam: None)
    others = walked(logistic(family), 100)
    assert sum(step.rounds.sum() for step in steps) < 0.9 * sum(step.rounds.sum() for step in others)
    np.testing.assert_allclose(coefs(steps), coefs(others), atol=1e-7)


def test_strengths_before_that_lead_astray_do_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = coefs(walked(logistic()))
    monkeypatch.setattr(outlook, "weights_ahead", lambda before, _lam: [40.0, *[0.0] * (len(before) - 2), -60.0])
    steps = walked(logistic())
    assert {status for step in steps for status in step.status} == {Status.CONVERGED}
    np.testing.assert_allclose(coefs(steps), wanted, atol=1e-7)
