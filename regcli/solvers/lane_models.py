"""The quadratic models of lanes, each kept where its lane is at work, and the goals of their rounds.

A model is built on few of the working columns, those near to taking part. Positions count within the working set, which
only grows at its end while a model is kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from regcli.problem.objective import Objective
from regcli.problem.protocols import Array, Bools, Integers, SeparableTerms
from regcli.problem.tally import Tally
from regcli.solvers.active_set import ActiveSet
from regcli.solvers.descent import falls
from regcli.solvers.engine import Problem
from regcli.solvers.factor import Factor
from regcli.solvers.grow import led
from regcli.solvers.matrix_free import MatrixFree, Products, saves, serve
from regcli.solvers.outlook import Outlook
from regcli.solvers.screening import NEAR, SOON, is_stale
from regcli.solvers.together import complete, together
from regcli.solvers.working import WorkingColumns

__all__ = ["Goal", "LaneModel", "LaneModels", "Share", "Source", "Stand"]


@dataclass(frozen=True, slots=True)
class Share:
    """A lane's share of common moments: columns, and in which coordinates they are.

    ``hessian`` (k + 1, more) are the further columns of its Hessian, those that a model lacks, or the ``whole`` of one
    that lanes have in common, in memory as well. A lane's coefficients times ``ratio`` (k,) are the model's, and its
    intercept plus ``shift`` (k,) times the lane's coefficients.
    """

    columns: Integers
    hessian: Array
    ratio: Array
    shift: Array
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """Where the model of a round comes from.

    ``kept`` says whether the one that there is still counts; its curvature is then ``ratio`` times what it was, and a
    ``share`` of common moments is what it lacks of them. A lane with a Hessian of its ``own`` is given ``weights`` (n,)
    where one is to be begun; one with weights alone has a model that is known by its products.
    """

    kept: bool
    ratio: float
    own: bool = False
    share: Share | None = None
    weights: Array | None = None

    @property
    def free(self) -> bool:
        """Whether the model is to have no matrix."""
        return self.weights is not None and not self.own


@dataclass(frozen=True, slots=True)
class Stand:
    """How a lane stands: intercept and coefficients (k,) of working columns, minus the gradient there, the penalty.

    ``reach`` (k,) is the score of a column over its L1 weight, infinite for columns that take part. The model is to be
    solved to slopes of ``tol``, perhaps with an outlook (1 + k,) on what comes.
    """

    columns: Integers
    here: tuple[float, Array]
    slope: tuple[float, Array]
    terms: SeparableTerms
    reach: Array
    tol: float
    outlook: Outlook | None
    source: Source


@dataclass(frozen=True, slots=True)
class Goal:
    """Where the model of a lane is least, (1 + k,) with the intercept first, and places of dependent columns."""

    coefs: Array
    aliased: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LaneModel:
    """Columns of the model by position in the working set, and its kernel, intercept first.

    A model may be in other coordinates than its lane: its coefficients are ``ratio`` (k,) times the lane's, its
    intercept is the lane's plus ``shift`` (k,) times the lane's coefficients. ``factor`` times the Hessian is the
    model's: along a path curvature rises or falls nearly alike in all directions.
    """

    columns: Integers
    kernel: ActiveSet
    ratio: Array
    shift: Array
    factor: float = 1.0

    async def minimise(
        self,
        at: tuple[float, Array],
        score: tuple[float, Array],
        terms: SeparableTerms,
        tol: float,
        outlook: Outlook | None = None,
    ) -> tuple[float, Array, tuple[int, ...]]:
        """Intercept and coefficients of least value, and dependent columns, all in the lane's coordinates.

        ``at`` is where the lane stands, ``score`` minus the gradient there; terms have the intercept first. With an
        outlook the model is bent so that along the step it foresees it has the score that it foresees.
        """
        ratio, form = led(1.0, self.ratio), self.kernel.form
        now, slope = self._models(*at), self._slopes(*score)
        linear, start, expected = slope + await form.times(now), now, None
        known: Array | None = slope
        if outlook is not None:
            step, change = self._models(*_split(outlook.step)), self._slopes(*_split(outlook.change))
            linear += await form.times(step) + change
            start, expected, known = np.where(now * (now + step) > 0, now + step, 0.0), slope + change, None
        l1, l2 = terms.l1 / ratio / self.factor, terms.l2 / ratio**2 / self.factor
        own = SeparableTerms(l1, l2, terms.lower * ratio, terms.upper * ratio, terms.limited)
        solution = await self.kernel.minimise(linear, own, start, tol / self.factor, expected=expected, score=known)
        coefs = np.where(solution.coefs[1:] == now[1:], at[1], solution.coefs[1:] / self.ratio)
        coefs = np.clip(coefs, terms.lower[1:], terms.upper[1:])
        level = float(solution.coefs[0] - self.shift @ coefs)
        return level, coefs, tuple(j - 1 for j in solution.aliased if j > 0)

    def _models(self, level: float, coefs: Array) -> Array:
        """An intercept and coefficients (k,) of the lane in the model's coordinates."""
        return led(level + float(self.shift @ coefs), self.ratio * coefs)

    def _slopes(self, level: float, score: Array) -> Array:
        """A score of the lane, of the intercept and (k,), in the model's coordinates."""
        return led(level, (score - level * self.shift) / self.ratio) / self.factor


def _split(values: Array) -> tuple[float, Array]:
    """What is of the intercept, and of the columns."""
    return float(values[0]), values[1:]


@dataclass(frozen=True, slots=True)
class _Kept:
    """A lane's model with its Hessian as a matrix, and the weights (n,) of one of its own, for more columns."""

    model: LaneModel
    factor: Factor
    weights: Array | None

    def adjusted(self, ratio: float) -> "_Kept":
        """The same with ``ratio`` times the curvature."""
        return self if ratio == 1.0 else replace(self, model=replace(self.model, factor=self.model.factor * ratio))

    def grown(self, columns: Integers, fresh: Array, ratio: Array, shift: Array) -> "_Kept":
        """The same on more columns, from the further columns (k + 1, more) of its Hessian, or all of them."""
        self.factor.widen(fresh)
        model = replace(self.model, columns=columns, kernel=self.model.kernel.grown(), ratio=ratio, shift=shift)
        return replace(self, model=model)


def _begun(columns: Integers, factor: Factor, ratio: Array, shift: Array, weights: Array | None = None) -> _Kept:
    """A model from its Hessian (k + 1, k + 1), of which nothing is factored yet."""
    return _Kept(LaneModel(columns, ActiveSet(factor), ratio, shift), factor, weights)


class LaneModels:
    """The models of all lanes, kept from round to round.

    What belongs to a lane is written to by that lane alone: lanes may be in threads, or in processes of their own.
    """

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._kept: dict[int, _Kept] = {}
        self.working = WorkingColumns(problem)

    def let_go(self, lanes: Bools) -> None:
        """Let go of the models of some lanes (L,), if they are here; elsewhere the lane's next round does."""
        for lane in [lane for lane in self._kept if lanes[lane]]:
            del self._kept[lane]

    def goal(self, lane: int, stand: Stand) -> Goal:
        """Minimise the quadratic model of a lane.

        The model is built on the columns near to taking part; one that is missed shows in the next round's violation.
        """
        return complete(self._minimised(self.model(lane, stand), stand))

    def goals(self, stands: Sequence[tuple[int, Stand]]) -> list[Goal]:
        """Minimise models of lanes that are known by their products, which are made for all of them together.

        Costs two products with the data a step of conjugate gradients, however many lanes there are.
        """
        working = self.working.of(stands[0][1].columns).objective
        near = [np.flatnonzero(stand.reach >= SOON) for _, stand in stands]
        union = np.unique(np.concatenate(near))
        every = union if saves(working, union) else np.arange(working.n_terms)
        objective = working.restrict(every)
        works = []
        for (lane, stand), columns in zip(stands, near, strict=True):
            places, weights = np.searchsorted(every, columns), _weights(stand)
            products = Products(objective, lane, places, weights, level=1, waits=True)
            works.append(self._minimised(_free_model(products, columns), stand))
        return together(works, lambda requests: serve(objective, requests, self._problem.parallel_map))

    async def _minimised(self, model: LaneModel, stand: Stand) -> Goal:
        """Minimise a model: intercept first, then the working columns."""
        free = np.inf if self._problem.objective.intercept else 0.0
        columns, (level, own), (top, score) = model.columns, stand.here, stand.slope
        part = stand.terms.take(columns)
        widened = SeparableTerms(
            led(0.0, part.l1),
            led(0.0, part.l2),
            led(-free, part.lower),
            led(free, part.upper),
            limited=part.limited or not self._problem.objective.intercept,
        )
        here, slope = (level, own[columns]), (top, score[columns])
        outlook = None if stand.outlook is None else stand.outlook.of(columns)
        level, found, aliased = await model.minimise(here, slope, widened, stand.tol, outlook)
        if outlook is not None and not falls(here, (level, found), slope, part):
            level, found, aliased = await model.minimise(here, slope, widened, stand.tol)
        coefs = led(level, own)
        coefs[1 + columns] = found
        return Goal(coefs, tuple(int(columns[j]) for j in aliased))

    def model(self, lane: int, stand: Stand) -> LaneModel:
        """The model of a lane on the columns near to taking part."""
        source, kept = stand.source, self._kept.pop(lane, None)
        if source.free:
            columns = np.flatnonzero(stand.reach >= SOON)
            products = Products.of(self._alone(lane, stand), columns, _weights(stand), level=True)
            return _free_model(products, columns)
        kept = kept.adjusted(source.ratio) if kept is not None and source.kept else None
        if source.own:
            kept = self._own(lane, stand, kept)
        elif source.share is not None:
            kept = _shared(source.share, kept, self._problem.objective.tally)
        assert kept is not None  # noqa: S101  (where nothing is lacking there is a model)
        self._kept[lane] = kept
        return kept.model

    def _own(self, lane: int, stand: Stand, kept: _Kept | None) -> _Kept:
        """A model with a Hessian of its own: the one that is kept with what it lacks, or a new one.

        Where something is lacking, what will be near soon comes along.
        """
        reach, weights = stand.reach, _weights(stand) if kept is None or kept.weights is None else kept.weights
        near, soon = np.flatnonzero(reach >= NEAR), np.flatnonzero(reach >= SOON)
        if kept is not None and is_stale(kept.model.columns.size, soon.size):
            kept = None
        known = near[:0] if kept is None else kept.model.columns
        among = np.zeros(reach.size, dtype=bool)
        among[known] = True
        if kept is not None and among[near].all():
            return kept
        columns, labels = np.concatenate([known, soon[~among[soon]]]), np.zeros(weights.size, dtype=np.intp)
        alone, own = self._alone(lane, stand), (np.ones(columns.size), np.zeros(columns.size))
        if kept is None:
            hessian = alone.grams(weights, labels, columns, alone.scaling)[0]
            return _begun(columns, Factor(hessian, alone.tally, side_by_side=False), *own, weights)
        return kept.grown(columns, alone.grams(weights, labels, columns, alone.scaling, known.size + 1)[0], *own)

    def _alone(self, lane: int, stand: Stand) -> Objective:
        """The objective of a lane on the working columns."""
        return self.working.of(stand.columns).gathered().keep(np.array([lane]))


def _weights(stand: Stand) -> Array:
    """The weights (n,) that come where a model is begun that is a lane's own."""
    assert stand.source.weights is not None  # noqa: S101
    return stand.source.weights


def _free_model(products: Products, columns: Integers) -> LaneModel:
    """A model that is known by its products."""
    return LaneModel(columns, ActiveSet(MatrixFree(products)), np.ones(columns.size), np.zeros(columns.size))


def _shared(share: Share, kept: _Kept | None, tally: Tally) -> _Kept:
    """A model with a lane's share of common moments: the one that is kept with what it lacks, or a new one."""
    if kept is None:
        return _begun(share.columns, Factor(share.hessian, tally, side_by_side=False), share.ratio, share.shift)
    return kept.grown(share.columns, share.hessian, share.ratio, share.shift)
