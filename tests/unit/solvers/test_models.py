"""Quadratic models of lanes: what they are made of is the Hessian, whoever shares it."""

import numpy as np
import pytest

from regcli.problem.objective import Objective
from regcli.problem.protocols import Array
from regcli.solvers import models
from regcli.solvers.engine import Problem, serial_map
from regcli.solvers.factor import Factor
from regcli.solvers.lane_models import LaneModel, LaneModels, Stand
from regcli.solvers.models import Models
from regcli.solvers.together import complete
from tests.battery.problems import unlimited

N, P = 1200, 12


@pytest.fixture(name="problem")
def logistic() -> Problem:
    """Of two classes, with columns far from their means and of different spreads."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(N, P)) * np.geomspace(0.1, 10, P) + 5
    return unlimited(X, (rng.random(N) < 0.4).astype(float), "binomial", np.ones(P)).problem(1e-9)


def hessian(model: LaneModel) -> Array:
    """The matrix behind a model, in its own coordinates."""
    size = model.columns.size + 1
    return model.factor * np.array([complete(model.kernel.form.times(unit)) for unit in np.eye(size)])


def expected(objective: Objective, lane: int, model: LaneModel, rows: Array | None = None) -> Array:
    """The same from the columns as the lane counts them, at predictors of zero; of its own rows, or by weights."""
    weights = (objective.lanes.weights(lane) if rows is None else rows / rows.sum()) / 4
    values = objective.design.rows(np.arange(N)) - objective.lanes.centre[lane]
    standard = np.column_stack([np.ones(N), (values / objective.lanes.sd[lane])[:, model.columns]])
    ratio, shift = np.append(1.0, model.ratio), np.append(0.0, model.shift)
    own = (standard - shift) / ratio
    return own.T @ (weights[:, None] * own)


def reaching(*counts: int) -> Array:
    """How near columns are to taking part, by lane: the first so many take part, the others are far."""
    return np.where(np.arange(P) < np.array(counts)[:, None], np.inf, 0.1)


class Asking:
    """Lanes that ask for their models at predictors of zero."""

    def __init__(self, problem: Problem) -> None:
        self.problem, self.objective = problem, problem.objective
        self.made = Models(problem.objective, serial_map, fresh=False, curvature=0.25)
        self.kept, self.lanes = LaneModels(problem), range(problem.objective.lanes.n_lanes)
        self.made.begin()

    def prepare(self, *counts: int) -> Array:
        """Begin a round."""
        reach = reaching(*counts)
        self.made.prepare(np.arange(len(counts)), reach, np.zeros((len(counts), N)))
        return reach

    def model(self, lane: int, reach: Array) -> LaneModel:
        """What a lane gets, which has the columns that take part."""
        nothing, terms = (0.0, np.zeros(P)), self.objective.terms(self.problem.penalty, 1.0, lane)
        source = self.made.source(lane, np.zeros(N))
        model = self.kept.model(lane, Stand(np.arange(P), nothing, nothing, terms, reach[lane], 1e-9, None, source))
        assert set(np.flatnonzero(np.isinf(reach[lane]))) <= set(model.columns)
        return model


ROUNDS = ((3, 4, 3, 2), (5, 4, 3, 2), (5, 9, 3, 2), (6, 9, 5, 2), (6, 6, 5, 2))


def test_a_lane_has_its_own_hessian_where_those_of_all_would_be_too_large(
    problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "most_columns", lambda *_: 6)
    asking = Asking(problem)
    for counts in ROUNDS:
        reach = asking.prepare(*counts)
        for lane in asking.lanes:
            model = asking.model(lane, reach)
            np.testing.assert_allclose(hessian(model), expected(asking.objective, lane, model), atol=1e-10)


def test_lanes_may_ask_late_for_moments_that_have_grown(problem: Problem) -> None:
    asking = Asking(problem)
    for counts, lanes in zip(ROUNDS, ((1,), (0, 1), (3, 1), (1, 3), (2, 1, 0, 3)), strict=True):
        reach = asking.prepare(*counts)
        for lane in lanes:
            model = asking.model(lane, reach)
            np.testing.assert_allclose(hessian(model), expected(asking.objective, lane, model), atol=1e-10)


def test_lanes_have_one_hessian_in_memory_where_there_is_no_room_for_each(
    problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "most_columns", lambda _objective, matrices, _factors: P if matrices == 1 else 0)
    asking, rows = Asking(problem), problem.objective.lanes.partition.row_weights
    for counts in ROUNDS:
        reach = asking.prepare(*counts)
        found = [asking.model(lane, reach) for lane in asking.lanes]
        for lane, model in enumerate(found):
            np.testing.assert_allclose(hessian(model), expected(asking.objective, lane, model, rows), atol=1e-10)
        matrices = [model.kernel.form.hessian for model in found if isinstance(model.kernel.form, Factor)]
        assert len(matrices) == len(found)
        assert all(np.shares_memory(matrices[0], matrix) for matrix in matrices)
