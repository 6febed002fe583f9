"""A whole cross-validation on arrays, in a process of its own that says how much memory it took.

python -m tests.performance.cross_validation CASE [--copies]

Prints JSON: engines, bytes of the matrix, rows and lanes, and the peak above the interpreter with everything imported,
the matrix included. ``--copies`` holds four copies of the matrix beside it, which has to show.
"""

import json
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from scipy import sparse

from benchmarks.memory import forget_peak, peak, resident
from regcli.app.context import RunContext
from regcli.app.options import Data, FitRequest, Model
from regcli.app.parallel import thread_map
from regcli.app.prepare import prepare
from regcli.app.search import Plan, search
from regcli.app.specify import Asked
from regcli.problem.design import Sparse, make_design
from regcli.problem.families import FAMILIES
from regcli.problem.folds import Splits, deal_folds, fold_partition
from regcli.problem.penalties import ElasticNet
from regcli.problem.protocols import Array, Design, ParallelMap
from regcli.solvers.certificate import certify_lane
from regcli.solvers.engine import Problem
from regcli.solvers.path import polished
from tests.performance.problems import ground_of

FOLDS = 10


@dataclass(frozen=True)
class Case:
    """A problem by its shape; ``density`` is the share of nonzero cells of a sparse matrix."""

    engine: str
    family: Literal["gaussian", "binomial"]
    n: int
    p: int
    l1_ratio: float = 1.0
    density: float | None = None
    strengths: int = 100
    ratio: float | None = None


#: The tool's own grid, or the beginning of it where strengths cost seconds.
CASES = {
    "tall gaussian": Case("moments", "gaussian", 80_000, 200),
    "tall binomial": Case("newton", "binomial", 130_000, 100, strengths=25, ratio=0.1),
    "middle binomial": Case("newton", "binomial", 5000, 1000, strengths=90),
    "saturated gaussian": Case("lockstep", "gaussian", 2000, 4000, strengths=25, ratio=0.012),
    "saturated binomial": Case("newton", "binomial", 2000, 4000, strengths=25, ratio=0.02),
    "lane by lane": Case("moments", "gaussian", 4000, 2500, strengths=25, ratio=0.1),
    "wide lasso": Case("lockstep", "gaussian", 400, 40_000, strengths=100),
    "wide ridge": Case("cg", "gaussian", 400, 40_000, 0.0, strengths=100),
    "sparse binomial": Case("newton", "binomial", 10_000, 30_000, density=0.002, strengths=27, ratio=0.3),
}


def _cells(case: Case, rng: np.random.Generator) -> tuple[Array | sparse.csc_array, Array]:
    """The matrix, and a signal of 30 of its columns at unit spread; nothing else is left of how they were made."""
    used, coefs = np.arange(0, case.p, case.p // 30), rng.standard_normal(len(range(0, case.p, case.p // 30)))
    if case.density is None:
        X = np.empty((case.n, case.p), order="F")
        for column in X.T:
            rng.standard_normal(out=column)
        signal = X[:, used] @ coefs
        return X, signal / signal.std()
    cells = int(case.n * case.p * case.density)
    place = (rng.integers(0, case.n, cells), rng.integers(0, case.p, cells))
    values = sparse.csc_array((rng.standard_normal(cells), place), shape=(case.n, case.p))
    signal = np.asarray(values[:, used] @ coefs)
    return values, signal / signal.std()


def _plan(case: Case, y: Array) -> Plan:
    """What is asked for, on data that the tool has read from a table of the same kind."""
    with tempfile.TemporaryDirectory() as place:
        table = Path(place) / "table.csv"
        table.write_text("x,y\n" + "\n".join(f"{row}.5,{row % 2}" for row in range(20)), encoding="utf-8")
        request = FitRequest(data=Data(data=(str(table),), target="y"), model=Model(family=case.family))
        prepared = prepare(request, RunContext(), unpenalised=False, seed=0)
    ones = np.ones(y.size)
    partition = fold_partition(deal_folds(y.size, FOLDS, seed=0), FOLDS, ones)
    return Plan(
        asked=Asked("elasticnet", case.l1_ratio, None, case.strengths, case.ratio, None),
        prepared=replace(prepared, y=y, weights=ones, fit_weights=ones, offset=np.zeros(y.size)),
        rule="min",
        metric=FAMILIES[case.family].metrics[0],
        threshold=None,
        splits=Splits((partition,), (0,)),
        full_path=True,
        warnings=(),
    )


def _run(case: Case, X: Array | sparse.csc_array, plan: Plan, parallel_map: ParallelMap) -> tuple[list[str], int]:
    """All of it: statistics of the lanes, path, scores, certificate. Return the engines and bytes of the matrix."""
    p, prepared = case.p, plan.prepared
    design: Design = Sparse(X, np.zeros(p)) if sparse.issparse(X) else make_design(np.asarray(X), centred=True)
    ground = ground_of(design, case.family, (prepared.y, prepared.offset), case.l1_ratio, parallel_map)
    objective = ground.objective(plan.splits.partitions[0])
    penalty = ElasticNet(case.l1_ratio, np.ones(p), np.full(p, -np.inf), np.full(p, np.inf))
    found = search(
        ground, Problem(objective, penalty, objective.null(), ground.rules, parallel_map), plan, RunContext()
    )
    certify_lane(found.problem, [polished(found.problem, found.steps[found.at])], 0)
    return found.walk.engines, design.nbytes


def main() -> None:
    """Run one case."""
    case = CASES[sys.argv[1]]
    rng = np.random.default_rng(1)
    _plan(case, np.zeros(20))  # what is imported late is imported now
    base = resident()
    X, signal = _cells(case, rng)
    noise = rng.standard_normal(case.n)
    y = signal + noise if case.family == "gaussian" else (signal + noise > 0).astype(float)
    plan = _plan(case, y)
    del signal, noise
    held = [X.copy() for _ in range(4)] if "--copies" in sys.argv else []
    forget_peak()
    with thread_map(1, np.inf) as one_thread:  # memory is kept as it is in a run
        engines, matrix = _run(case, X, plan, one_thread)
    facts = {"engines": engines, "matrix": matrix, "n": case.n, "lanes": FOLDS + 1, "copies": len(held)}
    sys.stdout.write(json.dumps({**facts, "peak": peak() - base}) + "\n")


if __name__ == "__main__":
    main()
