"""Which engine runs: decided here, by family, penalty, shape and storage alone."""

import numpy as np

from regcli.solvers.direct import Direct
from regcli.solvers.engine import Engine, Problem
from regcli.solvers.moments import Moments, statistics_bytes
from regcli.solvers.newton import Newton
from regcli.solvers.row_space import RowSpace

__all__ = ["choose_engine"]

#: Statistics may take this many bytes, or half of the matrix where that is more.
STATISTICS = 256 * 2**20

#: Rows up to which the rows' space is worth its eigenvectors: n^3 against the p^3 of a Hessian.
MOST_ROWS = 3000


def choose_engine(problem: Problem, lam: float) -> Engine:
    """Build the engine for a path that begins at ``lam``.

    ====================  =============================================================================
    direct                gaussian, nothing penalised or limited
    row_space             L2 alone, no limits, more columns than rows, at most 3,000 rows, no far mean uncentred
    moments               gaussian, statistics within 256 MB or half of the matrix
    lockstep, newton      everything else; lockstep is the name where the model of the loss is exact
    ====================  =============================================================================
    """
    objective, penalty = problem.objective, problem.penalty
    n, p = objective.design.shape[0], objective.n_terms
    gaussian = objective.family.quadratic
    plain = not penalty.has_limits() and all(lane_map is None for lane_map in objective.lanes.maps)
    unpenalised = lam == 0 or not (penalty.factors > 0).any()
    if gaussian and plain and unpenalised:
        return Direct(problem)
    short = n < p and n <= MOST_ROWS and objective.lanes.level
    if penalty.l1_ratio == 0 and plain and not unpenalised and short:
        return RowSpace(problem)
    cancelled = bool(np.any(objective.lanes.sd < 1e-3 * np.abs(objective.lanes.centre)))
    part = objective.lanes.partition
    bytes_needed = statistics_bytes(p, part.n_blocks, part.n_lanes)
    if gaussian and not cancelled and bytes_needed <= max(STATISTICS, 4 * n * p):
        return Moments(problem)
    return Newton(problem)
