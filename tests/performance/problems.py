"""Fixed problems, one for each way an engine works, and the work that each of them takes."""

from dataclasses import asdict, dataclass, replace

import numpy as np
import pytest
from scipy import sparse

from regcli.app.setup import Ground
from regcli.problem import tables
from regcli.problem.design import Sparse, make_design
from regcli.problem.families import FAMILIES
from regcli.problem.folds import deal_folds, fold_partition
from regcli.problem.penalties import ElasticNet
from regcli.problem.protocols import Array, Design, ParallelMap
from regcli.solvers import models, quadratics
from regcli.solvers.choose import wants_tables
from regcli.solvers.engine import LaneMap, Problem, Rules, serial_map
from regcli.solvers.path import Grid, Walk, geometric_grid, lambda_max

__all__ = ["CASES", "Case", "ground_of", "made", "work"]


@dataclass(frozen=True)
class Case:
    """A problem by its shape, and the engine that solves it.

    ``density`` is the share of nonzero cells of a sparse matrix. Two limits make an engine behave as if the problem
    were larger than it is: ``kept`` says whether the statistics of all lanes fit into memory, ``matrices`` whether
    models do.
    """

    engine: str
    family: str
    n: int
    p: int
    l1_ratio: float = 1.0
    folds: int = 5
    density: float | None = None
    kept: bool = True
    matrices: bool = True
    strengths: int = 30
    ratio: float = 1e-2


CASES: dict[str, Case] = {
    "moments, lasso": Case("moments", "gaussian", 2000, 60),
    "moments, elastic net": Case("moments", "gaussian", 2000, 60, 0.5),
    "moments, ridge": Case("moments", "gaussian", 2000, 60, 0.0),
    "moments, sparse": Case("moments", "gaussian", 3000, 100, density=0.03),
    "moments, lane by lane": Case("moments", "gaussian", 400, 150, kept=False),
    "moments, lane by lane, elastic net": Case("moments", "gaussian", 400, 150, 0.5, kept=False),
    "lockstep, lasso": Case("lockstep", "gaussian", 100, 600, kept=False),
    "lockstep, elastic net": Case("lockstep", "gaussian", 100, 600, 0.5, kept=False),
    "lockstep, sparse": Case("lockstep", "gaussian", 200, 400, density=0.03, kept=False),
    "lockstep, matrix-free": Case("lockstep", "gaussian", 100, 200, kept=False, matrices=False, strengths=5, ratio=0.1),
    "newton, shared models": Case("newton", "binomial", 4000, 60),
    "newton, shared models, elastic net": Case("newton", "binomial", 4000, 60, 0.5),
    "newton, shared models, ridge": Case("newton", "binomial", 4000, 60, 0.0),
    "newton, shared models, poisson": Case("newton", "poisson", 4000, 60),
    "newton, own models": Case("newton", "binomial", 200, 600),
    "newton, own models, poisson": Case("newton", "poisson", 200, 600, 0.5),
    "newton, fresh models": Case("newton", "binomial", 500, 30),
    "newton, sparse": Case("newton", "binomial", 1500, 200, density=0.02),
    "newton, matrix-free": Case("newton", "binomial", 400, 200, matrices=False, strengths=5, ratio=0.1),
    "newton, matrix-free, sparse": Case(
        "newton", "binomial", 400, 200, density=0.03, matrices=False, strengths=5, ratio=0.2
    ),
    "cg, tall": Case("cg", "gaussian", 900, 250, 0.0),
    "cg, wide": Case("cg", "gaussian", 100, 600, 0.0),
    "row-space, closed": Case("row-space", "gaussian", 80, 180, 0.0),
    "row-space, reduced": Case("row-space", "binomial", 80, 300, 0.0),
    "direct": Case("direct", "gaussian", 600, 30, folds=10),
}


def made(name: str, parallel_map: ParallelMap = serial_map) -> Problem:
    """The problem of a case: correlated columns, a tenth of which count; lane 0, and one lane for each fold."""
    case = CASES[name]
    rng = np.random.default_rng([case.n, case.p, sorted(FAMILIES).index(case.family)])
    X = _columns(case, rng)
    coefs = np.zeros(case.p)
    coefs[:: max(case.p // 12, 1)] = rng.standard_normal(coefs[:: max(case.p // 12, 1)].size)
    signal = X @ coefs
    signal = 1.5 * (signal - signal.mean()) / signal.std()
    y = {
        "gaussian": signal + rng.standard_normal(case.n),
        "binomial": (rng.random(case.n) < 1.0 / (1.0 + np.exp(-signal))).astype(float),
        "poisson": rng.poisson(np.exp(0.5 * signal)).astype(float),
    }[case.family]
    design: Design = make_design(X.copy(order="F"), centred=True)
    if case.density is not None:
        design = Sparse(sparse.csc_array(X), np.zeros(case.p))
    ones = np.ones(case.n)
    partition = fold_partition(deal_folds(case.n, case.folds, seed=1), case.folds, ones)
    ground = ground_of(design, case.family, (y, np.zeros(case.n)), case.l1_ratio, parallel_map)
    objective = ground.objective(partition)
    edges = np.full(case.p, np.inf)
    penalty = ElasticNet(case.l1_ratio, np.ones(case.p), -edges, edges)
    return Problem(objective, penalty, objective.null(), ground.rules, parallel_map)


def ground_of(
    design: Design, family: str, target: tuple[Array, Array], l1_ratio: float, parallel_map: ParallelMap
) -> Ground:
    """What the tool makes of a design, a target and an offset (n,) where no option is given."""
    rules = Rules()
    return Ground(
        design=design,
        family=FAMILIES[family],
        y=target[0],
        offset=target[1],
        intercept=True,
        standardized=np.ones(design.shape[1], dtype=bool),
        spread_scales=False,
        lane_maps=None,
        rules=rules,
        tabled=wants_tables(rules, FAMILIES[family], design, ridge=l1_ratio == 0),
        parallel_map=parallel_map,
        lane_map=None,
    )


def _columns(case: Case, rng: np.random.Generator) -> Array:
    """The matrix (n, p): neighbours correlate by a half, or most cells are zero."""
    cells = rng.standard_normal((case.n, case.p))
    if case.density is not None:
        return cells * (rng.random(cells.shape) < case.density)
    cells[:, 1:] = np.sqrt(0.75) * cells[:, 1:] + 0.5 * cells[:, :-1]
    return cells


def work(name: str, parallel_map: ParallelMap = serial_map, lane_map: LaneMap | None = None) -> dict[str, int]:
    """What all strengths of a case take together, its lanes' statistics and its first strength included.

    ``rounds`` are those of all lanes. Every lane has converged.
    """
    case = CASES[name]
    with pytest.MonkeyPatch.context() as patch:
        if not case.kept:
            patch.setattr(tables, "STATISTICS", 0)
        if not case.matrices:
            for module in (models, quadratics):
                patch.setattr(module, "most_columns", lambda *_: 0)
        problem = replace(made(name, parallel_map), lane_map=lane_map)
        top = lambda_max(problem)
        lambdas = np.zeros(1) if case.engine == "direct" else geometric_grid(top, case.strengths, case.ratio)
        walk = Walk(problem, Grid(lambdas, generated=False))
        unconverged = [step.lam for step in walk if not all(status.usable for status in step.status)]
    if walk.engines != [case.engine] or unconverged:
        text = f"{name}: engines {walk.engines}, not converged at {unconverged}"
        raise AssertionError(text)
    return {"rounds": walk.rounds, **asdict(problem.objective.tally.counts)}
