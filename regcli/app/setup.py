"""From arrays and options to the problem that the walk solves."""

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from regcli.app.encode import LaneMaps
from regcli.app.options import Model as ModelOptions
from regcli.app.options import Penalty as PenaltyOptions
from regcli.app.options import Solver
from regcli.app.prepare import Prepared
from regcli.app.specify import Asked, build_penalty
from regcli.app.values import bounded, refuse
from regcli.errors import FitError, UsageError, Warn, listed
from regcli.problem.design import make_design
from regcli.problem.families import FAMILIES
from regcli.problem.lanes import Lanes, Partition, make_lanes
from regcli.problem.objective import Objective
from regcli.problem.penalties import ElasticNet
from regcli.problem.protocols import Array, Bools, Design, Family, ParallelMap
from regcli.problem.tables import tables_ahead
from regcli.results import Dependence, ModelFacts, TermFacts, columns_aside
from regcli.solvers.choose import wants_tables
from regcli.solvers.engine import LaneMap, Problem, Rules, serial_map

__all__ = [
    "Ground",
    "lead_problem",
    "make_ground",
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
    """--tol, --max-iter, --certify and --solver."""
    tol = TOL if solver.tol is None else solver.tol
    bounded("--tol", tol, 0.0, 1.0, open_low=True, open_high=True)
    count = MAX_ITER if solver.max_iter is None else solver.max_iter
    bounded("--max-iter", count, 1, np.inf)
    return Rules(tol, count, certify=solver.certify == "all", solver=solver.solver or "auto")


def standardize_of(model: ModelOptions) -> str:
    """all, numeric or none."""
    if model.no_standardize:
        if model.standardize not in (None, "none"):
            raise UsageError(
                "conflicting-options",
                "--no-standardize and --standardize exclude each other",
                hint="leave one of them out",
            )
        return "none"
    return model.standardize or "all"


@dataclass(frozen=True)
class Ground:
    """What the problems of a run have in common, whichever rows their lanes train on.

    ``standardized`` (p,) marks terms that are scaled before the penalty applies; ``spread_scales`` says that the L2
    part is divided by the sd of the target; ``lane_maps`` makes a lane's matrix from its weights (n,); ``tabled`` says
    that second moments will be asked for, and lanes may be made of them.
    """

    design: Design
    family: Family
    y: Array
    offset: Array
    intercept: bool
    standardized: Bools
    spread_scales: bool
    lane_maps: LaneMaps | None
    rules: Rules
    tabled: bool
    parallel_map: ParallelMap
    lane_map: LaneMap | None
    fold_map: ParallelMap = serial_map

    def objective(self, partition: Partition) -> Objective:
        """The objective of a partition's lanes: what they learn from their rows is learnt here."""
        maps = None
        if self.lane_maps is not None:
            maps = tuple(self.lane_maps(partition.lane_weights(lane)) for lane in range(partition.n_lanes))
        if maps is not None and all(map(_is_identity, maps)):
            maps = None
        tables, design, intercept = None, self.design, self.intercept
        if self.tabled:
            tables = tables_ahead(design, partition, (self.y, self.offset), self.parallel_map, intercept=intercept)
        moments = None if tables is None else tables.moments()
        lanes = make_lanes(
            design, partition, intercept=intercept, standardized=self.standardized, maps=maps, moments=moments
        )
        if self.spread_scales:
            y = self.y - self.offset
            spreads = [spread_of(lanes, lane, y, self.intercept) for lane in range(lanes.n_lanes)]
            lanes = replace(lanes, l2_scale=1.0 / np.array(spreads))
        return Objective(design, self.family, self.y, self.offset, lanes, intercept, tables)

    def problem(self, partition: Partition, like: Problem) -> Problem:
        """The problem ``like`` another one, on the lanes of a further partition."""
        objective = self.objective(partition)
        return replace(like, objective=objective, null=objective.null(), memory={})


def _is_identity(lane_map: "sparse.csc_array | None") -> bool:
    """Whether the columns of a training set are the base columns."""
    if lane_map is None:
        return True
    m, p = lane_map.shape
    return m == p and bool(
        (lane_map.data == (lane_map.indices == np.repeat(np.arange(p), np.diff(lane_map.indptr)))).all()
    )


def make_ground(
    prepared: Prepared,
    asked: Asked,
    options: tuple[ModelOptions, PenaltyOptions, Solver],
    parallel_map: ParallelMap,
    lane_map: LaneMap | None = None,
    fold_map: ParallelMap = serial_map,
) -> Ground:
    """Everything but lanes and penalty. The design matrix is taken over."""
    model, penalty_options, solver = options
    intercept, chosen, family = not model.no_intercept, standardize_of(model), FAMILIES[prepared.family]
    if asked.compat == "glmnet" and not family.spread_scales:
        refuse({"--compat": not penalty_options.penalty_factor}, f"for the {prepared.family} family without factors")
    design, rules = make_design(prepared.X, centred=intercept), read_rules(solver)
    ridge = max(asked.l1_ratios, default=asked.l1_ratio) == 0
    return Ground(
        design=design,
        family=family,
        y=prepared.y,
        offset=prepared.offset,
        intercept=intercept,
        standardized=np.array(
            [chosen == "all" or (chosen == "numeric" and term.numeric) for term in prepared.encoder.terms]
        ),
        spread_scales=asked.compat == "glmnet" and family.spread_scales,
        lane_maps=prepared.lane_maps,
        rules=rules,
        tabled=not asked.unpenalised and wants_tables(rules, family, design, ridge=ridge),
        parallel_map=parallel_map,
        lane_map=lane_map,
        fold_map=fold_map,
    )


def lead_problem(
    ground: Ground, prepared: Prepared, asked: Asked, options: PenaltyOptions, partition: Partition
) -> Problem:
    """The problem whose lane 0 has all rows: with its penalty, and what depends on other columns set aside."""
    objective = ground.objective(partition)
    dropped = tuple(name for name, _ in prepared.dropped)
    penalty = build_penalty(asked, options, prepared.encoder.terms, dropped)
    depends = _dependent(objective, penalty, asked)
    aside = columns_aside(depends)
    if aside:
        penalty = penalty.fix(np.array(aside, dtype=np.intp))
    return Problem(
        objective=objective,
        penalty=penalty,
        null=objective.null(),
        rules=ground.rules,
        parallel_map=ground.parallel_map,
        depends=depends,
        lane_map=ground.lane_map,
        fold_map=ground.fold_map,
    )


def _dependent(objective: Objective, penalty: ElasticNet, asked: Asked) -> tuple[Dependence, ...]:
    """Unpenalised columns that depend on the intercept and those before them; least squares finds its own."""
    alone = objective.keep(np.array([0]))
    live = alone.lanes.varies[0]
    free = np.flatnonzero(live if asked.unpenalised else live & (penalty.factors == 0))
    squares = objective.family.quadratic and asked.unpenalised and not penalty.has_limits()
    rows = np.count_nonzero(objective.lanes.partition.row_weights > 0)
    if squares or not free.size or free.size + objective.intercept > rows:
        return ()
    from regcli.solvers.dependence import dependent_columns  # noqa: PLC0415  (most problems penalise all columns)

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
        shown = listed([names[at] for at in live], 5)
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
