"""Whether a cross-validation may end before its path does: its curve has turned, and is no lower further on."""

from dataclasses import replace

import numpy as np

from regcli.app.scoring import FoldScores
from regcli.problem.metrics import BETTER_HIGH, base_metric
from regcli.solvers.engine import Problem
from regcli.solvers.path import Grid, follow
from regcli.solvers.stopping import LEAST_POINTS, has_turned

__all__ = ["falls_again", "may_end", "turned"]

#: Fewer folds than this give no paired standard errors worth stopping by.
FOLDS_TO_STOP = 5

#: Folds that are asked what comes further on, where asking all would cost as much as going there; with more columns
#: than ``MANY`` the first of them. (Of 5,000 x 2,000 one takes 1.2 s, a whole path 11.)
ASKED, MANY = 2, 1000

#: Every so many strengths are asked for.
STRIDE = 4


def may_end(problem: Problem, grid: Grid, scores: FoldScores) -> bool:
    """Whether the rule applies at all: a generated grid, some L1, five folds, a metric made of losses."""
    losses = base_metric(scores.metric) not in BETTER_HIGH
    enough = len(scores.folds) >= FOLDS_TO_STOP and not scores.by_row
    return grid.generated and problem.penalty.l1_ratio > 0 and enough and losses


def turned(scores: FoldScores, count: int) -> bool:
    """Whether the curve has turned."""
    folds = scores.fold_scores()
    if len(folds) < LEAST_POINTS:
        return False
    mean, se = scores.pooled()
    weighted = np.isfinite(folds).all(axis=0)
    return has_turned(mean, se, folds[:, weighted], scores.fold_weights[weighted], count)


def falls_again(problem: Problem, grid: Grid, scores: FoldScores) -> bool:
    """Whether the curve is lower again further on, by some folds at some strengths; also where these fail.

    What two columns that are nearly alike explain by their difference shows at small strengths alone, long after a
    curve has risen from noise. With more columns than rows it never showed: of 43 such problems that ended early none
    was wrong. Of 77 with fewer columns the turn alone was wrong on 8. Costs a quarter of the strengths for one or two
    lanes; where an engine has kept what it knows of all lanes, all are asked.
    """
    rows, p = problem.objective.y.size, problem.objective.n_terms
    if rows <= p:
        return False
    if not problem.memory:
        lanes = np.flatnonzero(problem.objective.lanes.partition.test.any(axis=1))[: ASKED if p <= MANY else 1]
        null = problem.null.keep(lanes)
        problem = replace(problem, objective=problem.objective.keep(lanes), null=null, memory={})
    further = FoldScores(scores.weights, scores.metric, scores.threshold, by_row=False)
    further.begin(problem.objective, 0)
    folds = scores.fold_scores()
    last, asked = float(grid.lambdas[len(folds) - 1]), grid.lambdas[::-1][::STRIDE][::-1]
    for step in follow(replace(problem, lane_map=None), asked, []):
        if step.lam < last:
            if not all(status.usable for status in step.status):
                return True
            further.add(step)
    there, weights = further.fold_scores(), further.fold_weights
    before = folds[int(np.argmin(scores.pooled()[0])), : weights.size]
    known = np.isfinite(there).all(axis=0) & np.isfinite(before)
    return not np.all((there[:, known] - before[known]) @ weights[known] > 0)
