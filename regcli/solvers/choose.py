"""Which engine runs: decided here, by family, penalty, shape and storage alone, or by the user."""

import numpy as np

from regcli.errors import UsageError
from regcli.problem.protocols import Design, Family
from regcli.problem.tables import tables_fit
from regcli.solvers.engine import Engine, Problem, Rules
from regcli.solvers.general import general_engine
from regcli.solvers.moments import Moments

__all__ = ["choose_engine", "engine_name", "objection", "wants_tables"]

#: Columns up to which second moments of all are worth taking where they do not fit into memory for all lanes at once,
#: and the least rows a column: with fewer most columns stay out of every model, and lockstep never asks for products
#: (5,000 x 2,000: 27 s against 96).
MOST_COLUMNS, LEAST_ROWS = 4000, 1.5

#: Columns up to which eigenvectors of their moments cost less than passes over the data. Moments against cg, seconds
#: for 100 strengths and 10 folds: 100,000 x 200 0.6 and 1.8; 5,000 x 300 0.4 and 0.2; 20,000 x 500 1.4 and 0.7;
#: 5,000 x 2,000 48.8 and 1.8. Row-space against cg: 500 x 20,000 3.3 and 0.6.
FEW_COLUMNS = 200

#: Rows up to which the rows' space is worth its eigenvectors: n^3 against the p^3 of a Hessian.
MOST_ROWS = 3000

#: Columns weighed so differently by the penalty lose digits where the rows' space adds them up.
SPREAD = 1e3


def _krylov(problem: Problem) -> Engine:
    """Ridge in Krylov spaces, with an engine behind it for spectra that would take too many vectors."""
    from regcli.solvers.krylov import Krylov

    rows, columns = problem.objective.design.shape
    wide = rows < columns and rows <= MOST_ROWS
    return Krylov(problem, _row_space if wide else Moments if columns <= MOST_COLUMNS else general_engine)


def _row_space(problem: Problem) -> Engine:
    from regcli.solvers.row_space import RowSpace

    return RowSpace(problem)


def choose_engine(problem: Problem, lam: float) -> Engine:
    """Build the engine for a path that begins at ``lam``.

    ====================  =============================================================================
    direct                gaussian, nothing penalised or limited
    cg                    gaussian, L2 alone on all columns, about alike, no limits, more than 200 columns
    row-space             L2 alone, no limits, more columns than rows, at most 3,000 rows, no far mean uncentred,
                          all columns penalised about alike
    moments               gaussian, statistics within 256 MB or half of the matrix, or up to 4,000 columns and
                          1.5 times as many rows
    lockstep, newton      everything else; lockstep is the name where the model of the loss is exact
    ====================  =============================================================================

    Raises
    ------
    UsageError
        ``option-without-effect``: the solver that was asked for cannot solve this problem.
    """
    match engine_name(problem, lam):
        case "direct":
            from regcli.solvers.direct import Direct

            return Direct(problem)
        case "cg":
            return _krylov(problem)
        case "row-space":
            return _row_space(problem)
        case "moments":
            return Moments(problem)
        case "lockstep" | "newton":
            return general_engine(problem)
        case name:
            raise LookupError(name)


def engine_name(problem: Problem, lam: float) -> str:
    """The engine that ``choose_engine`` builds, by name. Raises as that does."""
    asked = problem.rules.solver
    if asked == "auto":
        return _best(problem, lam)
    reason = objection(problem, lam)
    if reason is not None:
        hint = f"--solver auto would take {_best(problem, lam)}"
        raise UsageError("option-without-effect", f"--solver {asked} is for {reason}", hint=hint)
    return asked


def wants_tables(rules: Rules, family: Family, design: Design, *, ridge: bool) -> bool:
    """Whether a penalised problem will be for moments wherever its tables fit into memory, as far as one can tell.

    They may then be taken before there are lanes, whose centres, scales and null models are sums of them too.
    """
    n, m = design.shape
    return family.quadratic and rules.solver in {"auto", "moments"} and (m <= min(n, FEW_COLUMNS) or not ridge)


def objection(problem: Problem, lam: float) -> str | None:
    """What the solver that was asked for is for, where that is not this problem; else None."""
    gaussian, limited = problem.objective.family.quadratic, problem.penalty.has_limits()
    ridge = problem.penalty.l1_ratio == 0 and not limited and not _unpenalised(problem, lam)
    rows = problem.objective.design.shape[0]
    fits = {
        "auto": (True, ""),
        "direct": (gaussian and not limited and _unpenalised(problem, lam), "least squares without penalty or limits"),
        "cg": (gaussian and ridge and _round(problem), "gaussian ridge on columns of like length, all penalised"),
        "row-space": (
            ridge and rows <= MOST_ROWS and problem.objective.lanes.level and _even(problem),
            f"ridge without limits on columns of like length and at most {MOST_ROWS:,} rows",
        ),
        "moments": (gaussian, "the gaussian family"),
        "lockstep": (gaussian, "the gaussian family"),
        "newton": (not gaussian, "families other than gaussian"),
    }
    works, what = fits[problem.rules.solver]
    return None if works else what


def _unpenalised(problem: Problem, lam: float) -> bool:
    return lam == 0 or not (problem.penalty.factors > 0).any()


def _even(problem: Problem) -> bool:
    """Whether the penalty weighs all columns about alike."""
    lanes = problem.objective.lanes
    weights = (lanes.unit[0] * np.sqrt(problem.penalty.factors))[lanes.varies[0] & (problem.penalty.factors > 0)]
    return bool(weights.max(initial=0.0) <= SPREAD * weights.min(initial=np.inf))


def _round(problem: Problem) -> bool:
    """Whether all columns are penalised, and together make a matrix that is not far from round."""
    return bool((problem.penalty.factors > 0).all()) and problem.objective.lanes.level and _even(problem)


def _best(problem: Problem, lam: float) -> str:
    """The engine by name."""
    objective, penalty = problem.objective, problem.penalty
    n, p = objective.design.shape[0], objective.n_terms
    gaussian, limited = objective.family.quadratic, penalty.has_limits()
    unpenalised = _unpenalised(problem, lam)
    if gaussian and not limited and unpenalised:
        return "direct"
    ridge = penalty.l1_ratio == 0 and not limited and not unpenalised
    if gaussian and ridge and p > FEW_COLUMNS and _round(problem):
        return "cg"
    if ridge and n < p and n <= MOST_ROWS and objective.lanes.level and _even(problem):
        return "row-space"
    part = objective.lanes.partition
    tabled = (p <= MOST_COLUMNS and n >= LEAST_ROWS * p) or tables_fit(objective.design, part)
    if gaussian and not objective.lanes.cancelled.any() and tabled:
        return "moments"
    return "lockstep" if gaussian else "newton"
