"""From arrays and options to the problem that the walk solves."""

from dataclasses import replace

import numpy as np

from regcli.app.options import Model as ModelOptions
from regcli.app.options import Penalty as PenaltyOptions
from regcli.app.options import Solver
from regcli.app.prepare import Prepared
from regcli.app.specify import Asked, build_penalty
from regcli.app.values import bounded, refuse
from regcli.errors import FitError, UsageError, Warn
from regcli.problem.design import make_design
from regcli.problem.families import FAMILIES
from regcli.problem.lanes import Lanes, Partition, make_lanes
from regcli.problem.objective import Objective
from regcli.problem.penalties import ElasticNet
from regcli.problem.protocols import Array, Integers, ParallelMap
from regcli.results import ModelFacts, TermFacts
from regcli.solvers.direct import dependent_columns
from regcli.solvers.engine import Problem, Rules

__all__ = [
    "build_problem",
    "model_facts",
    "read_rules",
    "refuse_undetermined",
    "spread_of",
    "standardize_of",
    "term_facts",
    "warn_top",
]

#: The largest violation of the optimality conditions, and rounds a strength may take, unless said otherwise.
TOL, MAX_ITER = 1e-7, 1000


def read_rules(solver: Solver) -> Rules:
    """--tol, --max-iter and --certify."""
    tol = TOL if solver.tol is None else solver.tol
    bounded("--tol", tol, 0.0, 1.0, open_low=True, open_high=True)
    count = MAX_ITER if solver.max_iter is None else solver.max_iter
    bounded("--max-iter", count, 1, np.inf)
    return Rules(tol, count, certify=solver.certify == "all")


def standardize_of(model: ModelOptions) -> str:
    """all, numeric or none."""
    if model.no_standardize:
        if model.standardize not in (None, "none"):
            raise UsageError("conflicting-options", "--no-standardize and --standardize exclude each other")
        return "none"
    return model.standardize or "all"


def build_problem(
    prepared: Prepared,
    asked: Asked,
    options: tuple[ModelOptions, PenaltyOptions, Solver],
    partition: Partition,
    parallel_map: ParallelMap,
) -> Problem:
    """The objective in all lanes, the penalty and the null model. The design matrix is taken over."""
    model, penalty_options, solver = options
    terms = prepared.encoder.terms
    intercept = not model.no_intercept
    chosen = standardize_of(model)
    standardized = np.array([chosen == "all" or (chosen == "numeric" and term.numeric) for term in terms])
    design = make_design(prepared.X, centred=intercept)
    maps = None
    if prepared.lane_map is not None:
        weights = (partition.train[lane][partition.block] * partition.row_weights for lane in range(partition.n_lanes))
        maps = tuple(map(prepared.lane_map, weights))
    lanes = make_lanes(design, partition, intercept=intercept, standardized=standardized, maps=maps)
    family = FAMILIES[prepared.family]
    if asked.compat == "glmnet" and family.spread_scales:
        spreads = [spread_of(lanes, lane, prepared.y - prepared.offset, intercept) for lane in range(lanes.n_lanes)]
        lanes = replace(lanes, l2_scale=1.0 / np.array(spreads))
    elif asked.compat == "glmnet":
        refuse({"--compat": not penalty_options.penalty_factor}, f"for the {prepared.family} family without factors")
    objective = Objective(design, family, prepared.y, prepared.offset, lanes, intercept)
    penalty = build_penalty(asked, penalty_options, terms, tuple(name for name, _ in prepared.dropped))
    aliased = _dependent(objective, penalty, asked)
    if aliased.size:
        penalty = penalty.fix(aliased)
    set_aside = tuple(map(int, aliased))
    return Problem(objective, penalty, objective.null(), read_rules(solver), parallel_map, set_aside)


def _dependent(objective: Objective, penalty: ElasticNet, asked: Asked) -> Integers:
    """Unpenalised columns that depend on the intercept and those before them; least squares finds its own."""
    alone = objective.keep(np.array([0]))
    live = alone.lanes.varies[0]
    free = np.flatnonzero(live if asked.unpenalised else live & (penalty.factors == 0))
    squares = objective.family.quadratic and asked.unpenalised and not penalty.has_limits()
    rows = np.count_nonzero(objective.lanes.partition.row_weights > 0)
    if squares or not free.size or free.size + objective.intercept > rows:
        return free[:0]
    return dependent_columns(alone, free)


def spread_of(lanes: Lanes, lane: int, y: Array, intercept: bool) -> float:  # noqa: FBT001  (a fact, not a switch)
    """Glmnet's sd of the target: 1/n, weighted, about the mean where there is an intercept, else about zero."""
    weights = lanes.weights(lane)
    centre = float(weights @ y) if intercept else 0.0
    spread = float(np.sqrt(weights @ np.square(y - centre)))
    return spread if spread > 0 else 1.0


def refuse_undetermined(problem: Problem, names: tuple[str, ...]) -> None:
    """Raise where nothing penalises more columns than there are rows.

    Raises
    ------
    FitError
        ``under-determined``, with the first columns.
    """
    objective = problem.objective
    rows = int(np.count_nonzero(objective.lanes.partition.row_weights > 0))
    live = np.flatnonzero(objective.lanes.varies[0])
    if rows < live.size + objective.intercept:
        shown = ", ".join(names[at] for at in live[:5]) + (", ..." if live.size > 5 else "")
        raise FitError(
            "under-determined",
            f"{rows} rows cannot determine {live.size} columns ({shown}) that nothing penalises",
            hint="--penalty l1 or l2, or fewer columns",
        )


def term_facts(problem: Problem, prepared: Prepared) -> tuple[TermFacts, ...]:
    """Names, factors, means and sds of the columns in the training rows."""
    objective = problem.objective
    weights = objective.lanes.weights(0)
    lanes, design = objective.lanes.keep(np.array([0])), objective.design
    means = lanes.from_base((design.rdot(weights[None])[0] + design.shift)[None])[0]
    factors, sds = problem.penalty.factors, objective.lanes.sd[0]
    return tuple(
        TermFacts(term.name, term.sources, float(factors[at]), float(means[at]), float(sds[at]))
        for at, term in enumerate(prepared.encoder.terms)
    )


def model_facts(prepared: Prepared, asked: Asked, model: ModelOptions, top: float | None) -> ModelFacts:
    """What is fitted; strength and rule are filled in by who chooses them."""
    family = FAMILIES[prepared.family]
    return ModelFacts(
        family=prepared.family,
        family_source=prepared.family_source,
        link=family.link,
        classes=prepared.target.classes,
        positive=prepared.target.positive,
        penalty=asked.penalty,
        l1_ratio=None if asked.penalty == "none" else asked.l1_ratio,
        lam=None,
        lambda_as=None,
        lambda_max=top,
        rule=None,
        standardize=standardize_of(model),
        intercept=not model.no_intercept,
        compat=asked.compat,
    )


def warn_top(top: float | None) -> list[Warn]:
    """A warning when no column is related to the target."""
    if top == 0:
        text = "no column is related to the target: every strength gives the model of the intercept alone"
        return [Warn("lambda-max-zero", text)]
    return []
