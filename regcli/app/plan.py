"""What fit, cv and path would do, from the data they would read: everything up to the walk, and nothing written."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from regcli.app.context import RunContext
from regcli.app.fit import held_out, planned
from regcli.app.options import FitRequest, PathRequest
from regcli.app.parallel import single_blas_thread, threads_for
from regcli.app.path import begin, prepared_path
from regcli.app.prepare import Prepared
from regcli.app.setup import lead_problem, make_ground, model_facts, warn_top
from regcli.app.specify import Asked
from regcli.app.values import given_options
from regcli.data.roles import parts_of
from regcli.data.stored import matrix_bytes
from regcli.errors import Warn
from regcli.problem.folds import whole_partition
from regcli.problem.lanes import Partition
from regcli.results import PlannedColumn, PlannedGrid, PlanResult
from regcli.solvers.choose import engine_name
from regcli.solvers.engine import serial_map

__all__ = ["plan"]

#: Bytes that are kept of a row in every training set at a time: the rule that tests/performance/test_memory.py holds.
ROW_AND_LANE = 32


@dataclass(frozen=True)
class _Walks:
    """The walks there would be: names of the terms, strengths, engine, what is warned of."""

    terms: tuple[str, ...]
    grids: tuple[PlannedGrid, ...]
    top: float | None
    engine: str
    warnings: tuple[Warn, ...]


def plan(request: FitRequest | PathRequest, run: RunContext) -> PlanResult:
    """Read and encode the data, deal the folds, settle the strengths; then stop.

    Takes the memory of the matrix and the time of reading the table. Errors are those of the run itself.
    """
    made, held = None, None
    if isinstance(request, FitRequest):
        made = planned(request, run)
        held = held_out(request.folds, made)
        asked, prepared, partitions = made.asked, made.prepared, made.splits.partitions
    else:
        asked, prepared = prepared_path(request, run)
        partitions = (whole_partition(prepared.fit_weights),)
    walks = _walks(request, asked, prepared, partitions[0])
    lanes = max(partition.n_lanes for partition in partitions)
    X = prepared.X
    matrix = matrix_bytes(X.shape, None if isinstance(X, np.ndarray) else X.data.size)
    return PlanResult(
        data=prepared.facts,
        facts=model_facts(prepared, asked, request.model, walks.top),
        columns=_columns(prepared),
        dropped=prepared.dropped,
        terms=walks.terms,
        n_test=0 if prepared.test is None else prepared.test.y.size,
        least_train=_least(partitions) if held else None,
        validation=held,
        metric=made.metric if made and held else None,
        rule=made.rule if made and asked.several else None,
        grids=walks.grids,
        engine=walks.engine,
        threads=threads_for(run.jobs, prepared.X.size * lanes),
        models=sum(partition.n_lanes for partition in partitions),
        matrix_bytes=matrix,
        fit_bytes=matrix + ROW_AND_LANE * prepared.y.size * lanes,
        row_and_lane=ROW_AND_LANE,
        limit=run.memory.limit,
        warnings=(*(made.warnings if made else prepared.warnings), *walks.warnings),
        seed=request.run.seed or 0,
        options=given_options(request),
    )


def _walks(request: FitRequest | PathRequest, asked: Asked, prepared: Prepared, partition: Partition) -> _Walks:
    """Everything that a walk begins with, for every share of L1."""
    single_blas_thread()
    ground = make_ground(prepared, asked, (request.model, request.penalty, request.solver), serial_map)
    lead = lead_problem(ground, prepared, asked, request.penalty, partition)
    names = tuple(term.name for term in prepared.encoder.terms)
    grids: list[PlannedGrid] = []
    notes: tuple[Warn, ...] = ()
    engine, top = "", None
    for each in asked.alternatives:
        start = begin(each, lead, names)
        grid, top, notes = start.grid, start.top, start.warnings
        grids.append(PlannedGrid(None if each.penalty == "none" else each.l1_ratio, grid.generated, grid.lambdas))
        engine = engine or engine_name(start.problem, float(grid.lambdas[0]))
    return _Walks(names, tuple(grids), top, engine, (*warn_top(top), *notes))


def _least(partitions: Sequence[Partition]) -> int:
    """Rows of the smallest training set."""
    return min(
        int(np.count_nonzero(partition.lane_weights(lane) > 0))
        for partition in partitions
        for lane in range(partition.n_lanes)
    )


def _columns(prepared: Prepared) -> tuple[PlannedColumn, ...]:
    """Every column that plays a part, and which."""
    roles = prepared.roles
    target = "classes" if prepared.target.classes is not None else "number"
    out = [PlannedColumn(roles.target, "target", target, 0)]
    out += [PlannedColumn(name, part, "number", 0) for part, name in parts_of(roles).items()]
    out += [PlannedColumn(name, "id", "text", 0) for name in roles.id]
    terms = Counter(term.sources for term in prepared.encoder.terms)
    kinds: dict[str, str] = {}
    for feature in prepared.encoder.features:
        kinds.setdefault(feature.source, "boolean" if feature.boolean else feature.kind)
    for source in prepared.encoder.sources:
        out.append(PlannedColumn(source, "feature", kinds.get(source, "number"), terms[source,]))
    parts = {column.name for column in out} | {feature.column for feature in prepared.encoder.features}
    left = (name for name in prepared.names if name not in parts)
    return (*out, *(PlannedColumn(name, "dropped", "-", 0) for name in left))
