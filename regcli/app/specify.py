"""From options to a penalty and its strengths."""

from dataclasses import dataclass, replace

import numpy as np

from regcli.app.options import Penalty as PenaltyOptions
from regcli.app.options import Strengths
from regcli.app.values import bounded, number_list, refuse, term_values
from regcli.data.terms import Term, plain_term
from regcli.errors import UsageError
from regcli.problem.penalties import ElasticNet
from regcli.solvers.engine import Problem
from regcli.solvers.path import Grid, geometric_grid, lambda_max

__all__ = ["Asked", "build_penalty", "make_grid", "read_penalty"]

#: Other names of penalties.
ALIASES = {"lasso": "l1", "ridge": "l2", "ols": "none"}

#: glmnet's defaults: length of the grid, and its last strength over its first.
N_LAMBDAS, MIN_RATIO, MIN_RATIO_WIDE = 100, 1e-4, 1e-2

#: A thousand times the usual grid; a longer one is a slip of the finger.
MOST_LAMBDAS = 100_000


@dataclass(frozen=True)
class Asked:
    """The penalty by name, the shares of L1 in the order given, and the strengths given by hand, None for a grid.

    Strengths decrease. ``l1_ratio`` is the share that counts; of several, each ``alternative`` has its own.
    """

    penalty: str
    l1_ratio: float
    lambdas: tuple[float, ...] | None
    n_lambdas: int
    min_ratio: float | None
    compat: str | None
    l1_ratios: tuple[float, ...] = ()

    @property
    def unpenalised(self) -> bool:
        """Whether nothing at all is penalised."""
        return self.penalty == "none" or self.lambdas == (0.0,)

    @property
    def several(self) -> bool:
        """Whether there is something to choose."""
        return self.lambdas is None or len(self.lambdas) > 1 or len(self.l1_ratios) > 1

    @property
    def alternatives(self) -> tuple["Asked", ...]:
        """The same with each share of L1."""
        return tuple(replace(self, l1_ratio=ratio, l1_ratios=()) for ratio in self.l1_ratios) or (self,)


def read_penalty(options: PenaltyOptions, strengths: Strengths) -> Asked:
    """Read and check what can be checked before the data are.

    Raises
    ------
    UsageError
        A value out of range, or an option without effect.
    """
    penalty = _name_of(options.penalty)
    by_grid = {
        "--n-lambdas": strengths.n_lambdas is not None,
        "--lambda-min-ratio": strengths.lambda_min_ratio is not None,
    }
    if penalty != "elasticnet":
        refuse({"--l1-ratio": options.l1_ratio is not None}, f"with --penalty {penalty}", "--penalty elasticnet")
    if penalty == "none":
        factors = {"--penalty-factor": bool(options.penalty_factor), "--compat": options.compat is not None}
        refuse({"--lambda": strengths.lambdas is not None, **by_grid, **factors}, "with --penalty none")
    ratios: tuple[float, ...] = (0.0 if penalty == "l2" else 1.0,)
    if penalty == "elasticnet":
        given = "0.5" if options.l1_ratio is None else options.l1_ratio
        ratios = tuple(dict.fromkeys(number_list("--l1-ratio", given, 0.0, 1.0)))
    lambdas = None
    if strengths.lambdas is not None:
        refuse(by_grid, "with --lambda")
        values = number_list("--lambda", strengths.lambdas, 0.0)
        lambdas = tuple(sorted(set(values), reverse=True))
    if penalty == "none":
        lambdas = (0.0,)
    count = N_LAMBDAS if strengths.n_lambdas is None else strengths.n_lambdas
    bounded("--n-lambdas", count, 1, MOST_LAMBDAS)
    if strengths.lambda_min_ratio is not None:
        bounded("--lambda-min-ratio", strengths.lambda_min_ratio, 0.0, 1.0, open_low=True, open_high=True)
    return Asked(penalty, ratios[0], lambdas, count, strengths.lambda_min_ratio, options.compat, ratios)


def _name_of(penalty: str | None) -> str:
    """The penalty without its aliases."""
    return ALIASES.get(penalty or "l1", penalty or "l1")


def build_penalty(
    asked: Asked, options: PenaltyOptions, terms: tuple[Term, ...], dropped: tuple[str, ...]
) -> ElasticNet:
    """The penalty on the terms of the design.

    Columns that were ``dropped`` as constant may be named in options; glmnet counts their factors too when it rescales
    penalty factors to mean 1.

    Raises
    ------
    UsageError
        ``limit-excludes-zero``; ``conflicting-options`` for a negative limit beside ``--nonnegative``; a negative
        factor.
    DataError
        ``column-not-found``.
    """
    count = len(terms)
    terms = (*terms, *(plain_term(name) for name in dropped))
    names = {term.name: at for at, term in enumerate(terms)}
    factors = np.ones(len(terms))
    for name, value in term_values("--penalty-factor", options.penalty_factor, terms).items():
        bounded("--penalty-factor", value, 0.0, np.inf, open_high=True)
        factors[names[name]] = value
    lower, upper = np.full(len(terms), -np.inf), np.full(len(terms), np.inf)
    if options.nonnegative:
        lower[:] = 0.0
    for name, value in term_values("--lower", options.lower, terms).items():
        if options.nonnegative and value < 0:
            raise UsageError(
                "conflicting-options",
                f"--lower {name}={value:g} and --nonnegative exclude each other",
                hint="--lower '*=0' in place of --nonnegative allows exceptions",
            )
        lower[names[name]] = value
    for name, value in term_values("--upper", options.upper, terms).items():
        upper[names[name]] = value
    for option, outside in (("--lower", lower > 0), ("--upper", upper < 0)):
        if outside.any():
            at = int(np.flatnonzero(outside)[0])
            raise UsageError(
                "limit-excludes-zero",
                f"{option} of {terms[at].name!r} leaves out 0, which limits must contain",
                hint="--lower 0 or less, --upper 0 or more",
            )
    if asked.penalty == "none":
        factors[:] = 0.0
    elif asked.compat == "glmnet" and factors.sum() > 0:
        factors *= factors.size / factors.sum()
    return ElasticNet(asked.l1_ratio, factors[:count], lower[:count], upper[:count])


def make_grid(asked: Asked, problem: Problem) -> tuple[Grid, float | None]:
    """The strengths to walk, and lambda_max (None where nothing is penalised)."""
    penalty = problem.penalty
    top = lambda_max(problem) if (penalty.factors > 0).any() else None
    if asked.lambdas is not None:
        return Grid(np.array(asked.lambdas), generated=False), top
    if not top:
        return Grid(np.zeros(1), generated=False), top
    # base columns may be more than terms: the knots of other folds are among them
    n, p = problem.objective.y.size, problem.objective.n_terms
    ratio = asked.min_ratio or (MIN_RATIO_WIDE if n < p else MIN_RATIO)
    by_gain = not penalty.restrict(problem.standing).has_zero_limit()
    return Grid(geometric_grid(top, asked.n_lambdas, ratio), generated=True, by_gain=by_gain), top
