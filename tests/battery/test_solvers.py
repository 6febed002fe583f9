"""Every engine on every kind of problem: optimal by the oracle, agreeing, the same in company and alone."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from regcli.problem.families import FAMILIES
from regcli.problem.protocols import Array
from regcli.results import Iterate, Status
from regcli.solvers.certificate import certify_lane, measured
from regcli.solvers.choose import choose_engine
from regcli.solvers.direct import Direct
from regcli.solvers.engine import Engine, Problem, Rules
from regcli.solvers.general import general_engine
from regcli.solvers.krylov import Krylov
from regcli.solvers.moments import Moments
from regcli.solvers.newton import Newton
from regcli.solvers.path import lambda_max
from regcli.solvers.row_space import RowSpace
from tests import oracle
from tests.battery.problems import RECIPES, Made, explicit, lane_alone, make, unlimited
from tests.tolerances import EXACT, REFERENCE, SOLVED, TIGHT

Build = Callable[[Problem], Engine]

CASES = [(recipe, family, ratio) for recipe in RECIPES for family in FAMILIES for ratio in (1.0, 0.5, 0.0)]


def engines(made: Made, lam: float) -> list[Build]:
    """The engines that can solve a problem from a strength on; all of them, not only the one that is chosen."""
    plain = bool(np.isinf(made.lower).all() and np.isinf(made.upper).all())
    gaussian = made.family == "gaussian"
    out: list[Build] = [general_engine]
    if gaussian and abs(made.X.mean(axis=0)).max() < REFERENCE**-1:  # sums of squares need columns near zero
        out += [Moments, partial(Moments, keep=False)]
    if made.l1_ratio == 0 and plain and lam > 0:
        out.append(RowSpace)
        if gaussian and (made.factors > 0).all():
            out.append(partial(Krylov, otherwise=RowSpace))
    if gaussian and plain and lam == 0:
        out.append(Direct)
    return out


def standard(problem: Problem, coefs: Array) -> Array:
    """Coefficients in units of the columns' sds, over the size of the target."""
    scale = float(np.std(problem.objective.y))
    return coefs / (scale if problem.objective.family.quadratic else 1.0)


def predictors(problem: Problem, step: Iterate) -> Array:
    """Training rows' linear predictors of every lane (others zero), over the size of the target."""
    eta = problem.objective.eta(step.intercepts, step.coefs)
    trained = np.stack([problem.objective.lanes.weights(lane) > 0 for lane in range(eta.shape[0])])
    return standard(problem, np.where(trained, eta, 0.0))


@pytest.mark.parametrize(("recipe", "family", "ratio"), CASES)
def test_every_strength_of_every_lane_is_optimal(recipe: str, family: str, ratio: float) -> None:
    made = make(recipe, family, ratio)
    problem = made.problem(tol=SOLVED)
    lams = made.strengths(lambda_max(problem))
    frames = [oracle.frame(made.lane(lane, 0.0)) for lane in range(problem.objective.lanes.n_lanes)]
    for build in engines(made, float(lams[0])):
        for step in build(problem).advance(lams):
            assert set(step.status) == {Status.CONVERGED}
            for lane, (level, coefs) in enumerate(zip(*explicit(problem, step), strict=True)):
                found = oracle.violation(made.lane(lane, step.lam), level, coefs, frames[lane])
                assert found <= Rules().tol
                if "far" not in RECIPES[recipe]:  # there the intercept's own rounding shows
                    assert abs(found - step.violation[lane]) <= SOLVED
            assert np.isclose(step.loss, problem.objective.loss(problem.objective.eta(step.intercepts, step.coefs))[0])


@pytest.mark.parametrize(("recipe", "family", "ratio"), CASES)
def test_any_two_engines_agree_and_lanes_do_not_matter_to_each_other(recipe: str, family: str, ratio: float) -> None:
    made = make(recipe, family, ratio)
    problem = made.problem(tol=TIGHT)
    lams = made.strengths(lambda_max(problem))[1:3]
    steps = [build(problem).advance(lams)[-1] for build in engines(made, float(lams[0]))]
    steps.append(general_engine(problem).advance(lams[1:])[0])  # cold
    for step in steps[1:]:
        assert np.abs(predictors(problem, step) - predictors(problem, steps[0])).max() <= SOLVED
        if made.unique and "duplicates" not in RECIPES[recipe]:
            assert np.abs(standard(problem, step.coefs - steps[0].coefs)).max() <= SOLVED
    for lane in (0, 2):
        alone = lane_alone(problem, lane)
        step = general_engine(alone).advance(lams)[-1]
        assert np.abs(predictors(alone, step) - predictors(problem, steps[0])[[lane]]).max() <= SOLVED


@pytest.mark.parametrize(("recipe", "family", "ratio"), CASES)
def test_models_without_a_matrix_agree(recipe: str, family: str, ratio: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with more columns than matrices have room for: every quadratic is known by its products with the data."""
    made = make(recipe, family, ratio)
    problem = made.problem(tol=TIGHT)
    lams = made.strengths(lambda_max(problem))[:3]
    expected = general_engine(problem).advance(lams)
    for module in ("models", "quadratics"):
        monkeypatch.setattr(f"regcli.solvers.{module}.most_columns", lambda *_: 0)
    for step, other in zip(general_engine(problem).advance(lams), expected, strict=True):
        assert set(step.status) == {Status.CONVERGED}
        assert np.abs(predictors(problem, step) - predictors(problem, other)).max() <= SOLVED


@pytest.mark.parametrize("family", ["gaussian", "binomial", "poisson"])
@pytest.mark.parametrize("recipe", ["tall", "limits", "factors", "weights", "offset", "raw columns", "no intercept"])
def test_a_lane_is_the_refit_of_its_rows_by_the_oracle(recipe: str, family: str) -> None:
    made = make(recipe, family, 0.5)
    problem = made.problem(tol=TIGHT)
    lam = float(0.1 * lambda_max(problem))
    step = choose_engine(problem, lam).advance(np.array([lam]))[0]
    levels, coefs = explicit(problem, step)
    for lane in (0, 3):
        level, own = oracle.solve(made.lane(lane, lam))
        sd = problem.objective.lanes.sd[lane]
        assert np.abs(standard(problem, (coefs[lane] - own) * sd)).max() <= SOLVED
        assert standard(problem, levels[lane] - level) == pytest.approx(0.0, abs=SOLVED)


@pytest.mark.parametrize("recipe", ["tall", "weights", "offset", "no intercept", "raw columns", "sparse", "far means"])
def test_least_squares_without_penalty(recipe: str) -> None:
    made = make(recipe, "gaussian")
    problem = made.problem(tol=SOLVED)
    steps = [build(problem).advance(np.zeros(1))[0] for build in engines(made, 0.0)]
    for step in steps:
        assert np.abs(standard(problem, step.coefs - steps[-1].coefs)).max() <= SOLVED
        for lane, (level, coefs) in enumerate(zip(*explicit(problem, step), strict=True)):
            assert oracle.violation(made.lane(lane, 0.0), level, coefs) <= Rules().tol


@pytest.mark.parametrize("recipe", ["tall", "weights", "offset", "no intercept"])
def test_logistic_regression_without_penalty(recipe: str) -> None:
    made = make(recipe, "binomial")
    y = (np.random.default_rng(8).random(made.y.size) < 0.4).astype(float)
    own = unlimited(made.X[:, :4], y, "binomial", np.zeros(4))
    made = replace(own, weights=made.weights, offset=made.offset, intercept=made.intercept)
    problem = made.problem(tol=SOLVED)
    step = Newton(problem).advance(np.zeros(1))[0]
    assert set(step.status) == {Status.CONVERGED}
    for lane, (level, coefs) in enumerate(zip(*explicit(problem, step), strict=True)):
        assert oracle.violation(made.lane(lane, 0.0), level, coefs) <= Rules().tol


@pytest.mark.parametrize("recipe", ["tall", "factors", "weights", "offset"])
@pytest.mark.parametrize("family", ["gaussian", "binomial", "poisson"])
def test_the_certificate_agrees_with_the_oracle(recipe: str, family: str) -> None:
    made = make(recipe, family, 0.5)
    problem, lam, exact = _solved(made)
    for step in (exact, _astray(exact)):
        for lane, (level, coefs) in enumerate(zip(*explicit(problem, step), strict=True)):
            (certificate,) = certify_lane(problem, [step], lane)
            expected = oracle.violation(made.lane(lane, lam), level, coefs)
            assert certificate.violation == pytest.approx(expected, rel=REFERENCE, abs=TIGHT)
            if "factors" not in RECIPES[recipe]:
                excess = oracle.objective(made.lane(lane, lam), level, coefs)
                best = oracle.objective(made.lane(lane, lam), *_one(problem, exact, lane))
                assert certificate.gap is not None
                assert certificate.gap * _null_excess(problem, lane) >= excess - best - TIGHT


@pytest.mark.parametrize("recipe", ["tall", "wide", "weights", "offset", "no intercept", "raw columns", "sparse"])
@pytest.mark.parametrize("family", ["gaussian", "binomial", "poisson"])
def test_lanes_are_certified_together_as_each_alone(recipe: str, family: str) -> None:
    problem, _, exact = _solved(make(recipe, family, 0.5))
    certain = replace(problem, rules=replace(problem.rules, certify=True))
    for step in (exact, _astray(exact)):
        before = problem.objective.tally.counts
        together = measured(certain, step)
        taken = problem.objective.tally.counts - before
        for lane, violation in enumerate(together.violation):
            (alone,) = certify_lane(problem, [step], lane)
            assert violation == pytest.approx(alone.violation, rel=REFERENCE, abs=EXACT)
        if step is exact:  # nothing but one product with the data, and one with what is left of the target
            assert taken.cells <= 2 * problem.objective.design.cells


def _solved(made: Made) -> tuple[Problem, float, Iterate]:
    """A problem, a strength at which many columns take part, and the solution there."""
    problem = made.problem(tol=SOLVED)
    lam = float(0.05 * lambda_max(problem))
    return problem, lam, choose_engine(problem, lam).advance(np.array([lam]))[0]


def _astray(step: Iterate) -> Iterate:
    """One hundredth beside a solution."""
    return replace(step, coefs=1.01 * step.coefs)


def _one(problem: Problem, step: Iterate, lane: int) -> tuple[float, Array]:
    levels, coefs = explicit(problem, step)
    return float(levels[lane]), coefs[lane]


def _null_excess(problem: Problem, lane: int) -> float:
    weights = problem.objective.lanes.weights(lane)
    saturated = weights @ problem.objective.family.saturated_loss(problem.objective.y)
    return float(problem.null.loss[lane] - saturated)


def test_the_duality_gap_vanishes_at_the_solution() -> None:
    for family in ("gaussian", "binomial"):
        for ratio in (1.0, 0.5, 0.0):
            made = make("tall", family, ratio)
            problem = made.problem(tol=TIGHT)
            lam = float(made.strengths(lambda_max(problem))[2])
            step = choose_engine(problem, lam).advance(np.array([lam]))[0]
            gap = certify_lane(problem, [step], 0)[0].gap
            assert gap is not None
            assert gap <= SOLVED


@pytest.mark.parametrize(("n", "p"), [(80, 1), (20, 12)])
@pytest.mark.parametrize("others", [0.0, 1.0])
def test_separated_classes_are_told(n: int, p: int, others: float) -> None:
    """The first columns are never penalised and tell the classes apart; another one is or is not penalised."""
    rng = np.random.default_rng(9)
    X = rng.standard_normal((n, p + 1))
    made = unlimited(X, (X[:, 0] > 0).astype(float), "binomial", np.append(np.zeros(p), others))
    step = Newton(made.problem(tol=Rules().tol)).advance(np.array([0.01]))[0]
    assert set(step.status) == {Status.SEPARATED}
    assert step.rounds.max() < 60
    assert np.isfinite(step.coefs).all()


def test_penalties_hold_separated_classes_together() -> None:
    X = np.random.default_rng(10).standard_normal((60, 3))
    made = unlimited(X, (X[:, 0] > 0).astype(float), "binomial", np.ones(3), l1_ratio=0.5)
    problem = made.problem(tol=SOLVED)
    lams = lambda_max(problem) * np.geomspace(1.0, 1e-4, 8)
    for step in Newton(problem).advance(lams):
        assert set(step.status) == {Status.CONVERGED}
        for lane, (level, coefs) in enumerate(zip(*explicit(problem, step), strict=True)):
            assert oracle.violation(made.lane(lane, step.lam), level, coefs) <= Rules().tol


def test_columns_enter_in_any_order() -> None:
    """More columns than are kept from the start, all of which enter one after the other, the last one unpenalised."""
    made = make("all columns enter", "gaussian")
    factors = np.ones(made.X.shape[1])
    factors[100] = 0.0
    for family, ratio in (("gaussian", 1.0), ("gaussian", 0.0), ("binomial", 0.0)):
        own = replace(make("all columns enter", family, ratio), factors=factors)
        problem = own.problem(tol=SOLVED)
        for step in general_engine(problem).advance(own.strengths(lambda_max(problem))):
            level, coefs = _one(problem, step, 0)
            assert oracle.violation(own.lane(0, step.lam), level, coefs) <= Rules().tol


def test_which_engine_runs() -> None:
    names = {
        ("tall", "gaussian", 1.0, 1.0): "moments",
        ("tall", "gaussian", 1.0, 0.0): "direct",
        ("limits", "gaussian", 1.0, 0.0): "moments",
        ("wide", "gaussian", 0.0, 1.0): "row-space",
        ("wide", "binomial", 0.0, 1.0): "row-space",
        ("tall", "binomial", 1.0, 1.0): "newton",
        ("far means", "gaussian", 1.0, 1.0): "moments",
    }
    for (recipe, family, ratio, lam), name in names.items():
        assert choose_engine(make(recipe, family, ratio).problem(tol=SOLVED), lam).name == name


def test_too_few_rounds_are_told() -> None:
    problem = make("tall", "binomial").problem(tol=SOLVED)
    problem = replace(problem, rules=Rules(SOLVED, max_iter=1))
    step = Newton(problem).advance(np.array([0.01 * lambda_max(problem)]))[0]
    assert set(step.status) == {Status.MAX_ITER}
    assert step.rounds.max() <= 2


@pytest.mark.parametrize("far", [25.0, 2000.0])
@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_a_row_far_out_separates_nothing(far: float, weight: float) -> None:
    rng = np.random.default_rng(13)
    X = rng.standard_normal((200, 2))
    y = (rng.random(200) < 1 / (1 + np.exp(-2 * X[:, 0]))).astype(float)
    X[0, 0], y[0] = far, 1.0
    made = unlimited(X, y, "binomial", np.zeros(2))
    made = replace(made, weights=np.append(weight, np.ones(199)))
    problem = made.problem(tol=SOLVED)
    step = Newton(problem).advance(np.zeros(1))[0]
    assert set(step.status) == {Status.CONVERGED}
    for lane, (level, coefs) in enumerate(zip(*explicit(problem, step), strict=True)):
        assert oracle.violation(made.lane(lane, 0.0), level, coefs) <= Rules().tol


@pytest.mark.parametrize("penalised", [0.0, 1.0])
def test_a_level_with_one_class_only_is_told(penalised: float) -> None:
    rng = np.random.default_rng(14)
    level = (np.arange(120) % 10 == 0).astype(float)
    X = np.column_stack([rng.standard_normal(120), level])
    y = np.where(level == 1, 1.0, (rng.random(120) < 0.5).astype(float))
    made = unlimited(X, y, "binomial", np.array([penalised, 0.0]))
    step = Newton(made.problem(tol=Rules().tol)).advance(np.array([0.01]))[0]
    assert set(step.status) == {Status.SEPARATED}


def test_two_rows_of_each_class_are_separated() -> None:
    X, y = np.array([[-1.0], [1.0]] * 6), np.array([0.0, 1.0] * 6)
    step = Newton(unlimited(X, y, "binomial", np.zeros(1)).problem(tol=Rules().tol)).advance(np.zeros(1))[0]
    assert set(step.status) == {Status.SEPARATED}
