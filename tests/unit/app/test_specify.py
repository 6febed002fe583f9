"""From options to penalties, grids, and the same strength in the terms of other tools."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import ElasticNet, Lasso, LogisticRegression, Ridge

from regcli.app.elsewhere import strengths_elsewhere
from regcli.app.options import Penalty as PenaltyOptions
from regcli.app.options import Strengths
from regcli.app.specify import Asked, build_penalty, make_grid, read_penalty
from regcli.data.terms import Feature
from regcli.errors import DataError, UsageError
from regcli.problem.protocols import Array
from regcli.solvers.choose import choose_engine
from tests.battery.problems import Made, explicit, lane_alone, make
from tests.tolerances import EXACT, REFERENCE, TIGHT

TERMS = (*Feature("x", "number").terms, *Feature("c", "category", ("a", "b"), ("a", "b")).terms)


def asked(penalty: str = "l1", l1_ratio: float = 1.0, **more: Any) -> Asked:  # noqa: ANN401
    given: dict[str, Any] = {"lambdas": None, "n_lambdas": 100, "min_ratio": None, "compat": None}
    return Asked(penalty, l1_ratio, **(given | more))


@pytest.mark.parametrize(
    ("name", "penalty", "ratio"),
    [
        (None, "l1", 1.0),
        ("lasso", "l1", 1.0),
        ("ridge", "l2", 0.0),
        ("elasticnet", "elasticnet", 0.5),
        ("ols", "none", 1.0),
    ],
)
def test_names_of_penalties(name: Any, penalty: str, ratio: float) -> None:  # noqa: ANN401
    found = read_penalty(PenaltyOptions(penalty=name), Strengths())
    assert (found.penalty, found.l1_ratio) == (penalty, ratio)
    assert found.unpenalised == (penalty == "none")


def test_strengths_decrease_and_are_counted_once() -> None:
    found = read_penalty(PenaltyOptions(), Strengths(lambdas="0.1,1,0.1,0"))
    assert found.lambdas == (1.0, 0.1, 0.0)
    assert read_penalty(PenaltyOptions(), Strengths(lambdas="0")).unpenalised


@pytest.mark.parametrize(
    ("penalty", "strengths", "code"),
    [
        (PenaltyOptions(penalty="l1", l1_ratio="0.5"), Strengths(), "option-without-effect"),
        (PenaltyOptions(penalty="none"), Strengths(lambdas="1"), "option-without-effect"),
        (PenaltyOptions(penalty="none"), Strengths(n_lambdas=5), "option-without-effect"),
        (PenaltyOptions(penalty="none", penalty_factor=("x=0",)), Strengths(), "option-without-effect"),
        (PenaltyOptions(), Strengths(lambdas="1", n_lambdas=5), "option-without-effect"),
        (PenaltyOptions(penalty="elasticnet", l1_ratio="1.5"), Strengths(), "unknown-option-value"),
        (PenaltyOptions(), Strengths(lambdas="-1"), "unknown-option-value"),
        (PenaltyOptions(), Strengths(n_lambdas=0), "unknown-option-value"),
        (PenaltyOptions(), Strengths(lambda_min_ratio=1.0), "unknown-option-value"),
        (PenaltyOptions(), Strengths(lambda_min_ratio=0.0), "unknown-option-value"),
    ],
)
def test_what_contradicts_itself_is_refused(penalty: PenaltyOptions, strengths: Strengths, code: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_penalty(penalty, strengths)
    assert caught.value.code == code


def test_factors_and_limits_by_term() -> None:
    options = PenaltyOptions(penalty_factor=("*=2", "c=0"), lower=("x=-1",), upper=("c=b=3",))
    penalty = build_penalty(asked(), options, TERMS, ())
    assert penalty.factors.tolist() == [2.0, 0.0, 0.0]
    assert penalty.lower.tolist() == [-1.0, -np.inf, -np.inf]
    assert penalty.upper.tolist() == [np.inf, np.inf, 3.0]


def test_nonnegative_is_a_lower_limit_of_zero() -> None:
    assert build_penalty(asked(), PenaltyOptions(nonnegative=True), TERMS, ()).lower.tolist() == [0.0, 0.0, 0.0]


def test_nonnegative_allows_no_exceptions_in_silence() -> None:
    with pytest.raises(UsageError, match="--lower x=-1 and --nonnegative") as caught:
        build_penalty(asked(), PenaltyOptions(nonnegative=True, lower=("x=-1",)), TERMS, ())
    assert caught.value.code == "conflicting-options"
    exceptions = PenaltyOptions(lower=("*=0", "x=-1"))
    assert build_penalty(asked(), exceptions, TERMS, ()).lower.tolist() == [-1.0, 0.0, 0.0]


def test_no_penalty_has_no_factors() -> None:
    assert build_penalty(asked("none"), PenaltyOptions(), TERMS, ()).factors.tolist() == [0.0, 0.0, 0.0]


def test_glmnet_rescales_factors_and_counts_constant_columns() -> None:
    options = PenaltyOptions(penalty_factor=("x=4",))
    compat = asked(compat="glmnet")
    assert build_penalty(compat, options, TERMS, ()).factors.tolist() == [2.0, 0.5, 0.5]
    assert build_penalty(compat, options, TERMS, ("gone",)).factors.tolist() == [16 / 7, 4 / 7, 4 / 7]
    assert build_penalty(asked(), options, TERMS, ("gone",)).factors.tolist() == [4.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("options", "error", "code"),
    [
        (PenaltyOptions(lower=("x=1",)), UsageError, "limit-excludes-zero"),
        (PenaltyOptions(upper=("x=-1",)), UsageError, "limit-excludes-zero"),
        (PenaltyOptions(penalty_factor=("x=-1",)), UsageError, "unknown-option-value"),
        (PenaltyOptions(penalty_factor=("x=inf",)), UsageError, "unknown-option-value"),
        (PenaltyOptions(upper=("z=1",)), DataError, "column-not-found"),
    ],
)
def test_penalties_that_cannot_be(options: PenaltyOptions, error: type[Exception], code: str) -> None:
    with pytest.raises(error) as caught:
        build_penalty(asked(), options, TERMS, ())
    assert getattr(caught.value, "code") == code  # noqa: B009


def test_grids() -> None:
    tall, wide = make("tall", "gaussian").problem(TIGHT), make("wide", "gaussian").problem(TIGHT)
    for problem, ratio in ((tall, 1e-4), (wide, 1e-2)):
        grid, top = make_grid(asked(), problem)
        assert (grid.lambdas.size, grid.generated, grid.by_gain) == (100, True, True)
        assert grid.lambdas[0] == top
        assert grid.lambdas[-1] == pytest.approx(ratio * grid.lambdas[0], rel=EXACT)
    by_hand, top = make_grid(asked(lambdas=(2.0, 1.0)), tall)
    assert (by_hand.lambdas.tolist(), by_hand.generated) == ([2.0, 1.0], False)
    assert top is not None
    assert make_grid(asked(min_ratio=0.5, n_lambdas=2), tall)[0].lambdas.tolist() == [top, 0.5 * top]


def test_a_limit_of_zero_switches_the_rule_of_gains_off() -> None:
    made = make("tall", "gaussian")
    grid, _ = make_grid(asked(), replace(made, lower=np.zeros(12)).problem(TIGHT))
    assert not grid.by_gain


def test_nothing_penalised_is_one_point() -> None:
    grid, top = make_grid(asked("none"), replace(make("tall", "gaussian"), factors=np.zeros(12)).problem(TIGHT))
    assert (grid.lambdas.tolist(), top) == ([0.0], None)


# -- the same strength elsewhere, by refitting with it -----------------------------------------------------------------


def ours(made: Made, lam: float, penalty: str, compat: str | None = None) -> tuple[dict[str, float | None], Array, Any]:
    problem = lane_alone(made.problem(TIGHT), 0)
    said = asked(penalty, made.l1_ratio, compat=compat)
    elsewhere = strengths_elsewhere(said, problem, float(np.std(made.y)), lam)
    step = choose_engine(problem, lam).advance(np.array([lam]))[0]
    return elsewhere, explicit(problem, step)[1][0], problem


def standardized(made: Made) -> tuple[Array, Array]:
    mean = np.average(made.X, axis=0, weights=made.weights)
    sd = np.sqrt(np.average((made.X - mean) ** 2, axis=0, weights=made.weights))
    return (made.X - mean) / sd, sd


@pytest.mark.parametrize("recipe", ["tall", "weights"])
@pytest.mark.parametrize("ratio", [1.0, 0.5, 0.0])
def test_scikit_learn_gives_the_same_gaussian_model(recipe: str, ratio: float) -> None:
    made = make(recipe, "gaussian", ratio)
    elsewhere, coefs, _ = ours(made, 0.4, {1.0: "l1", 0.5: "elasticnet", 0.0: "l2"}[ratio])
    Z, sd = standardized(made)
    exact: dict[str, Any] = {"tol": 1e-14, "max_iter": 1_000_000}
    peers = {
        1.0: [Lasso(alpha=elsewhere["sklearn_alpha"], **exact)],
        0.5: [ElasticNet(alpha=elsewhere["sklearn_alpha"], l1_ratio=0.5, **exact)],
        0.0: [Ridge(alpha=elsewhere["sklearn_ridge_alpha"], solver="cholesky")],
    }[ratio]
    for peer in peers:
        peer.fit(Z, made.y, sample_weight=made.weights)
        assert np.abs(peer.coef_ / sd - coefs).max() <= REFERENCE * np.abs(coefs).max()
    if ratio == 0.0:
        assert elsewhere["sklearn_ridge_alpha"] == pytest.approx(made.weights.sum() * 0.4, rel=EXACT)
        assert elsewhere["sklearn_alpha"] == pytest.approx(0.4, rel=EXACT)
    assert elsewhere["sklearn_C"] is None


@pytest.mark.parametrize("recipe", ["tall", "weights"])
@pytest.mark.parametrize("ratio", [1.0, 0.0])
def test_scikit_learn_gives_the_same_binomial_model(recipe: str, ratio: float) -> None:
    made = make(recipe, "binomial", ratio)
    elsewhere, coefs, _ = ours(made, 0.05, "l1" if ratio else "l2")
    Z, sd = standardized(made)
    solver = "saga" if ratio else "newton-cholesky"
    peer = LogisticRegression(C=elsewhere["sklearn_C"], l1_ratio=ratio, solver=solver, tol=1e-10, max_iter=100_000)
    peer.fit(Z, made.y, sample_weight=made.weights)
    assert np.abs(peer.coef_[0] / sd - coefs).max() <= REFERENCE * np.abs(coefs).max()
    assert (elsewhere["liblinear_C"] is None) == (recipe == "weights")
    assert elsewhere["sklearn_alpha"] is None


def test_glmnets_ridge_is_in_units_of_the_targets_sd() -> None:
    made = make("tall", "gaussian", 0.0)
    elsewhere, coefs, _ = ours(made, 0.4, "l2")
    compat = replace(made, l2_scale=float(1 / np.std(made.y)))
    lam = elsewhere["glmnet"]
    assert lam is not None
    again, same, _ = ours(compat, lam, "l2", "glmnet")
    assert np.abs(same - coefs).max() <= REFERENCE * np.abs(coefs).max()
    assert again["glmnet"] == lam


@pytest.mark.parametrize("recipe", ["limits", "factors"])
def test_what_others_cannot_say_is_not_said(recipe: str) -> None:
    for family in ("gaussian", "binomial"):
        elsewhere, _, _ = ours(make(recipe, family), 0.1, "l1")
        assert elsewhere["glmnet"] is not None
        assert {elsewhere[name] for name in elsewhere if name != "glmnet"} == {None}
    mixed, _, _ = ours(make("tall", "gaussian", 0.5), 0.1, "elasticnet")
    assert mixed["glmnet"] is None


def test_no_penalty_has_no_strength_anywhere() -> None:
    problem = make("tall", "gaussian").problem(TIGHT)
    assert set(strengths_elsewhere(asked("none"), problem, 1.0, 0.0).values()) == {None}
