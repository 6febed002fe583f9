"""Quadratic models of lanes: what they are made of is the Hessian, whoever shares it."""

import numpy as np
import pytest

from regcli.problem.objective import Objective
from regcli.problem.protocols import Array
from regcli.solvers import models
from regcli.solvers.engine import Problem, serial_map
from regcli.solvers.lane_models import LaneModel, LaneModels, Stand
from regcli.solvers.models import Models
from regcli.solvers.together import complete
from tests.battery.problems import FOLDS, unlimited

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


def expected(objective: Objective, lane: int, model: LaneModel) -> Array:
    """The same from the columns as the lane counts them, at predictors of zero."""
    weights = objective.lanes.weights(lane) / 4
    values = objective.design.rows(np.arange(N)) - objective.lanes.centre[lane]
    standard = np.column_stack([np.ones(N), (values / objective.lanes.sd[lane])[:, model.columns]])
    ratio, shift = np.append(1.0, model.ratio), np.append(0.0, model.shift)
    own = (standard - shift) / ratio
    return own.T @ (weights[:, None] * own)


def reaching(*counts: int) -> Array:
    """How near columns are to taking part, by lane: the first so many take part, the others are far."""
    return np.where(np.arange(P) < np.array(counts)[:, None], np.inf, 0.1)


def test_a_lane_has_its_own_hessian_where_those_of_all_would_be_too_large(
    problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "most_columns", lambda _lanes, _blocks: 6)
    objective = problem.objective
    made, eta = Models(objective, serial_map, fresh=False, curvature=0.25), np.zeros((FOLDS + 1, N))
    kept, lanes, nothing = LaneModels(problem), range(FOLDS + 1), (0.0, np.zeros(P))
    made.begin()
    for counts in ((3, 4, 3, 2), (5, 4, 3, 2), (5, 9, 3, 2), (6, 9, 5, 2), (6, 6, 5, 2)):
        reach = reaching(*counts)
        made.prepare(np.arange(FOLDS + 1), reach, eta)
        for lane in lanes:
            source, terms = made.source(lane, eta[lane]), objective.terms(problem.penalty, 1.0, lane)
            stand = Stand(np.arange(P), nothing, nothing, terms, reach[lane], 1e-9, None, source)
            model = kept.model(lane, stand)
            assert set(np.flatnonzero(np.isinf(reach[lane]))) <= set(model.columns)
            np.testing.assert_allclose(hessian(model), expected(objective, lane, model), atol=1e-10)
