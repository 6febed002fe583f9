"""The one measure of convergence: violation of the optimality conditions, recomputed from the data.

d_j is the distance of the j-th score to the subdifferential of penalty and limits, in units of the column divided by
its sd, also where columns are not standardized; for unpenalised coefficients and the intercept it is |score|.
violation = max_j d_j / scale, with scale the largest score of any column at the model of intercept and offset alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from regcli.problem.objective import NullModel, Objective, Sweep
from regcli.problem.protocols import Array, Integers, ParallelMap, SeparableTerms
from regcli.results import Certificate, Iterate, Status, columns_aside
from regcli.solvers.engine import Problem, RawModel

__all__ = ["certify", "certify_lane", "measured", "verdict"]

#: Factor of machine precision in the floor below which a violation cannot be told from rounding.
FLOOR_FACTOR = 8.0

#: A violation below this is fine for any tolerance that could be asked for, and its floor is not needed.
CLEAR = 1e-12

#: However large the numbers of a model are, a violation beyond this share is no matter of rounding; nor is any in a
#: model that is worse than the null model.
HIGHEST_FLOOR = 1e-2

#: Cells handled at a time: 32 MB.
CELLS = 4_000_000


@dataclass(frozen=True, slots=True)
class _Standing:
    """Models as they are written, each in a lane of an objective of its own, where the data are.

    ``intercepts`` (M,), ``base`` (M, m) coefficients of the base columns, ``standard`` (M, p) those of standardized
    terms, ``there`` the predictors and minus the gradient there.
    """

    objective: Objective
    intercepts: Array
    base: Array
    standard: Array
    there: Sweep

    @classmethod
    def of(cls, objective: Objective, models: Sequence[RawModel], parallel_map: ParallelMap) -> Self:
        """Models of the lanes of an objective, one each: two products with the data for all of them."""
        coefs = np.stack([model.coefs for model in models])
        intercepts = np.array([model.intercept for model in models])
        base = objective.lanes.to_base(coefs)
        standard = np.where(objective.lanes.varies, coefs * objective.lanes.sd, 0.0)
        levels = intercepts + base @ objective.design.shift
        return cls(objective, intercepts, base, standard, objective.sweep_base(base, levels[:, None], parallel_map))

    def excess(self, at: int, terms: SeparableTerms) -> float:
        """How far a model is from optimal: the violation, but for its unit."""
        varies = self.objective.lanes.varies[at]
        distance = np.where(varies, terms.distance(self.standard[at], self.there.score[at]), 0.0)
        return max(float(distance.max(initial=0.0)), abs(float(self.there.level[at])))

    def value(self, at: int, terms: SeparableTerms) -> float:
        """The penalised objective of a model."""
        return float(self._alone(at).loss(self.there.eta[at : at + 1])[0]) + terms.value(self.standard[at])

    def floor(self, at: int) -> float:
        """What rounding may make of the excess of a model."""
        return _floor(self._alone(at), self.there.eta[at], float(self.intercepts[at]), self.base[at])

    def _alone(self, at: int) -> Objective:
        return self.objective.keep(np.array([at]))


def certify(problem: Problem, models: Sequence[tuple[float, RawModel]]) -> list[Certificate]:
    """Measure models as they are written, on the scale of the data.

    Parameters
    ----------
    problem : Problem
        Of one lane.
    models : sequence of (float, RawModel)
        Strengths, and the models at them.

    Returns
    -------
    list of Certificate
        Two products with the data for all of them, O(n p) each; the gap of a family that is not quadratic costs a
        third. So does the floor, which is taken only where the violation exceeds 1e-12 or the tolerance.
    """
    objective, null = problem.objective, problem.null
    together = objective.keep(np.zeros(len(models), dtype=np.intp))
    standing = _Standing.of(together, [model for _, model in models], problem.parallel_map)
    out = []
    for at, (lam, _) in enumerate(models):
        terms = objective.terms(problem.penalty, lam, 0)
        violation, value = standing.excess(at, terms) / float(null.scale[0]), standing.value(at, terms)
        floor = _share_of_rounding(standing, at, value, null) if violation > min(CLEAR, problem.rules.tol) else 0.0
        gap = _gap(objective, null, terms, standing.there.eta[at : at + 1], standing.there.score[at], value)
        out.append(Certificate(violation, floor, gap))
    return out


def _share_of_rounding(standing: _Standing, at: int, value: float, null: NullModel) -> float:
    """The floor of a model's violation, by the ``null`` model of its lane: 0 where the model is worse than that."""
    if value > float(null.loss[0]) * (1.0 + CLEAR):
        return 0.0
    return min(standing.floor(at) / float(null.scale[0]), HIGHEST_FLOOR)


def certify_lane(problem: Problem, steps: Sequence[Iterate], lane: int) -> list[Certificate]:
    """Certify one lane of some iterates by its coefficients on the scale of the data, all in one go."""
    return certify(problem.lane(lane), [(step.lam, problem.raw(step, lane)) for step in steps])


def measured(problem: Problem, step: Iterate) -> Iterate:
    """An iterate whose lanes above the tolerance are measured again from the data.

    So are lanes whose products with the data have lost digits, and all with ``Rules.certify``.
    """
    if problem.depends:
        aliased = {*step.aliased, *columns_aside(problem.depends)}
        step = replace(step, aliased=tuple(sorted(aliased)), depends=problem.depends)
    again = (step.violation > problem.rules.tol) | problem.objective.lanes.cancelled | problem.rules.certify
    if not again.any():
        return step
    violation, status = step.violation.copy(), list(step.status)
    for lanes in _together(np.flatnonzero(again), step.coefs.shape[1] + problem.objective.y.size):
        for lane, certificate in zip(lanes.tolist(), _certify_step(problem, step, lanes), strict=True):
            violation[lane] = certificate.violation
            status[lane] = verdict(certificate, problem.rules.tol, step, lane)
    return replace(step, violation=violation, status=tuple(status))


def _together(lanes: Integers, cells: int) -> list[Integers]:
    """Lanes in groups whose predictors and scores, so many ``cells`` a lane, are in memory together."""
    count = max(1, CELLS // cells)
    return [lanes[start : start + count] for start in range(0, lanes.size, count)]


def _certify_step(problem: Problem, step: Iterate, lanes: Integers) -> Iterator[Certificate]:
    """Certify some lanes of an iterate, without the gap."""
    objective, rules = problem.objective, problem.rules
    models = [problem.raw(step, lane) for lane in lanes.tolist()]
    standing = _Standing.of(objective.keep(lanes), models, problem.parallel_map)
    for at, lane in enumerate(lanes.tolist()):
        terms, null = objective.terms(problem.penalty, step.lam, lane), problem.null.keep(lanes[at : at + 1])
        violation = standing.excess(at, terms) / float(null.scale[0])
        below = violation <= rules.tol
        floor = 0.0 if below else _share_of_rounding(standing, at, standing.value(at, terms), null)
        yield Certificate(violation, floor, None)


def verdict(certificate: Certificate, tol: float, step: Iterate, lane: int) -> Status:
    """How a lane ended, by its certificate.

    An engine that was not content although the violation was small has seen what a gradient does not show, such as
    coefficients that still grow; its word stands.
    """
    reached = step.status[lane]
    if reached is Status.SEPARATED or (not reached.usable and step.violation[lane] <= tol):
        return reached
    if certificate.violation <= tol:
        return Status.CONVERGED
    return Status.ROUNDING_FLOOR if certificate.violation <= certificate.floor else Status.MAX_ITER


def _floor(objective: Objective, eta: Array, intercept: float, base_coefs: Array) -> float:
    """8 eps max_j sum_i w_i |x_ij| (|y_i| + |mu_i| + curvature_i size_i), x centred and scaled.

    size_i = |offset_i| + |b0| + sum_j |raw x_ij b_j| is what the terms of eta add up to, and bounds |eta|: where a
    column's mean is many times its sd, the written numbers themselves cannot give eta to more than eps size. Curvature
    carries an error of eta to mu; for the gaussian family it is one and the floor is in the units of y.
    """
    design, lanes = objective.design, objective.lanes
    mu = np.abs(objective.family.mean(eta))
    curvature = objective.family.curvature(objective.y, eta)
    parts = objective.lanes.weights(0) * (np.abs(objective.y) + mu + curvature * np.abs(objective.offset))
    used = np.flatnonzero(base_coefs)
    weights = objective.lanes.weights(0) * curvature
    total, everything = np.zeros(objective.n_terms), 0.0
    step = max(1, CELLS // design.shape[1])
    for start in range(0, parts.size, step):
        index = np.arange(start, min(start + step, parts.size))
        values = design.rows(index)
        size = abs(intercept) + np.abs(values[:, used] + design.shift[used]) @ np.abs(base_coefs[used])
        design.tally.multiplied(index.size * used.size + values.size)
        rows = parts[index] + weights[index] * size
        total += rows @ np.abs((lanes.columns(values, 0) - lanes.centre[0]) / lanes.sd[0])
        everything += float(rows.sum())
    return FLOOR_FACTOR * float(np.finfo(float).eps) * max(float(total.max(initial=0.0)), everything)


def _gap(
    objective: Objective, null: NullModel, terms: SeparableTerms, eta: Array, score: Array, primal: float
) -> float | None:
    """Duality gap of a ``primal`` value over the null loss; None with limits, unpenalised columns or no null loss.

    The dual point is the residual, balanced for the intercept and shrunk until the L1 conditions hold where there is
    no L2 part.
    """
    varies = objective.lanes.varies[0]
    limited = terms.limited and (np.isfinite(terms.lower[varies]).any() or np.isfinite(terms.upper[varies]).any())
    if limited or not np.all((terms.l1 + terms.l2)[varies] > 0):
        return None
    weights, family = objective.lanes.weights(0), objective.family
    whole = float(null.loss[0]) - float(weights @ family.saturated_loss(objective.y))
    theta = family.residual(objective.y, eta[0])
    if objective.intercept and family.quadratic:
        theta = theta - weights @ theta
    elif objective.intercept:
        theta = _balanced(theta, weights)
        products = objective.lanes.from_base(objective.design.rdot((weights * theta)[None]))[0]
        score = np.where(varies, products / objective.lanes.sd[0], 0.0)
    strict = varies & (terms.l2 == 0)
    with np.errstate(divide="ignore"):
        shrink = min(1.0, float(np.min(terms.l1[strict] / np.abs(score[strict]), initial=1.0)))
    theta = shrink * theta
    excess = np.maximum(np.abs(shrink * score) - terms.l1, 0.0)[varies & (terms.l2 > 0)]
    smooth = 0.5 * float(np.sum(excess * excess / terms.l2[varies & (terms.l2 > 0)]))
    used = weights > 0
    conjugate = family.conjugate(objective.y[used], theta[used])
    dual = -float(weights[used] @ (conjugate + theta[used] * objective.offset[used])) - smooth
    gap = max(primal - dual, 0.0) / whole if whole > 0 else np.inf
    return gap if gap <= 1.0 else None  # a bound that says less than the null model does


def _balanced(theta: Array, weights: Array) -> Array:
    """Residuals (n,) whose weighted sum is zero: the side that outweighs the other is shrunk.

    Without that the dual value is no bound. A residual nearer to zero stays where the conjugate is finite; one that is
    shifted need not.
    """
    pull = weights * theta
    above, below = float(pull[pull > 0].sum()), -float(pull[pull < 0].sum())
    if above <= 0 or below <= 0:
        return np.zeros_like(theta)
    return theta * np.where(theta > 0, min(1.0, below / above), min(1.0, above / below))
