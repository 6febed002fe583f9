"""The quadratic kernel on degenerate problems by the thousand: it ends, and where it ends is optimal."""

from collections.abc import Iterator

import numpy as np
import pytest

from regcli.problem.protocols import Array, SeparableTerms
from regcli.solvers import factor
from regcli.solvers.active_set import ActiveSet
from regcli.solvers.factor import Factor
from regcli.solvers.together import complete

#: Slope left over, relative to the largest score.
TOLERANCE = 1e-9

#: What rounding leaves, as a share of the terms of a sum.
EPS = float(np.finfo(float).eps)

KINDS = ("plain", "duplicates", "near 1e-4", "near 1e-7", "wide", "wide duplicates", "complements")


def make_columns(kind: str, rng: np.random.Generator) -> tuple[Array, Array]:
    """Standardised columns and a centred target."""
    n, p = 40, 80 if kind.startswith("wide") else 30
    X = rng.standard_normal((n, p))
    if kind == "complements":
        X = rng.integers(0, 2, (n, p)).astype(float)
        X[:, 20] = 1 - X[:, 3]
        X[:, 21] = X[:, 4]
    if kind.endswith("duplicates"):
        X[:, 10:20] = X[:, :10]
        X[:, 20:25] = -X[:, :5]
    if kind.startswith("near"):
        X[:, 10:20] = X[:, :10] + float(kind.split()[1]) * rng.standard_normal((n, 10))
    sd = X.std(axis=0)
    X = (X - X.mean(axis=0)) / np.where(sd > 0, sd, 1.0)
    y = rng.standard_normal(n) + X[:, 0] - X[:, 12]
    return X, (y - y.mean()) / y.std()


def make_path(
    kind: str, seed: int, *, bounded: bool, free: bool, l1_ratio: float
) -> Iterator[tuple[Array, Array, SeparableTerms, float]]:
    """The quadratic and its penalties along thirty strengths."""
    rng = np.random.default_rng([seed, KINDS.index(kind), bounded, free, int(10 * l1_ratio)])
    X, y = make_columns(kind, rng)
    n, p = X.shape
    hessian, linear = X.T @ X / n, X.T @ y / n
    factors = np.ones(p)
    lower, upper = np.full(p, -np.inf), np.full(p, np.inf)
    if free:
        factors[[1, 11, 5]] = 0.0
    if bounded:
        lower, upper = np.full(p, -0.1), np.full(p, 0.15)
        lower[:8] = 0.0
    top = np.abs(linear).max()
    for lam in top * np.logspace(0, -4 if p < n else -3, 30):
        l1, l2 = lam * l1_ratio * factors, lam * (1 - l1_ratio) * factors
        yield hessian, linear, SeparableTerms(l1, l2, lower, upper, limited=bounded), top


def slope_left(hessian: Array, linear: Array, terms: SeparableTerms, b: Array) -> float:
    """Largest admissible slope, written out case by case and without the package's own distance."""
    score = linear - hessian @ b - terms.l2 * b
    worst = 0.0
    for j in range(b.size):
        up = score[j] - (terms.l1[j] if b[j] >= 0 else -terms.l1[j])
        down = -score[j] - (terms.l1[j] if b[j] <= 0 else -terms.l1[j])
        if b[j] < terms.upper[j]:
            worst = max(worst, up)
        if b[j] > terms.lower[j]:
            worst = max(worst, down)
    return worst


def guessed(guess: str, scores: list[Array], rng: np.random.Generator) -> Array | None:
    """A guess of the next score: none, on the line through the last two, or anything."""
    if guess == "none" or len(scores) < 2:
        return None
    if guess == "line":
        return 2 * scores[-1] - scores[-2]
    return rng.standard_normal(scores[-1].size) * np.abs(scores[0]).max()


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.0])
@pytest.mark.parametrize(("guess", "seeds"), [("none", 4), ("line", 2), ("anything", 1)])
def test_it_solves_every_degenerate_problem(kind: str, l1_ratio: float, guess: str, seeds: int) -> None:
    solve_all(kind, l1_ratio, guess, seeds)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5, 0.1, 0.0])
@pytest.mark.parametrize("guess", ["none", "line", "anything"])
def test_factors_serve_on_where_problems_are_degenerate(
    kind: str, l1_ratio: float, guess: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Short factors keep ghosts and serve smaller L2 parts, as long ones do."""
    monkeypatch.setattr(factor, "SHORT", 2)
    solve_all(kind, l1_ratio, guess, 2)


def solve_all(kind: str, l1_ratio: float, guess: str, seeds: int) -> None:
    """Solve thirty strengths of every problem of a kind."""
    count, rng = 0, np.random.default_rng(1)
    for seed in range(seeds):
        for bounded in (False, True):
            for free in (False, True):
                state, b, scores = None, None, list[Array]()
                for hessian, linear, terms, top in make_path(kind, seed, bounded=bounded, free=free, l1_ratio=l1_ratio):
                    state = state or ActiveSet(Factor(hessian))
                    b = np.zeros(linear.size) if b is None else b
                    expected = guessed(guess, scores, rng)
                    solution = complete(state.minimise(linear, terms, b, TOLERANCE * top, expected=expected))
                    b = solution.coefs
                    scores.append(solution.score)
                    assert solution.solved
                    assert np.all((b >= terms.lower) & (b <= terms.upper))
                    rounding = EPS * float((np.abs(hessian) @ np.abs(b)).max())  # near-duplicates: 1e6 and -1e6
                    assert slope_left(hessian, linear, terms, b) <= 2 * TOLERANCE * top + rounding
                    count += 1
    assert count == seeds * 4 * 30
