"""Where the quadratic model of a lane comes from: exact and kept, or from the curvature where some lane stands.

A model is built on few of the working columns, those near to taking part. Positions count within the working set, which
only grows at its end while ``grown`` is called, and is otherwise ``reset``.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from regcli.problem.objective import CurvatureMoments, Objective
from regcli.problem.protocols import Array, Integers
from regcli.solvers.active_set import ActiveSet

__all__ = ["CurvatureModels", "ExactModels", "LaneModel", "Models"]

#: Curvature is not taken below this in the model (the objective itself is untouched): where mu is 0 or 1 to rounding
#: the model would otherwise allow steps of any length.
LEAST_CURVATURE = 1e-6

#: Where some columns are unpenalised it is not taken below this: separated classes show by Newton steps that keep
#: moving rows by about one, and a higher floor would shorten these until they seem to settle (at |eta| = 14 for 1e-6).
LEAST_UNPENALISED = 1e-12

#: Strengths for which lane 0's Hessian serves all lanes before it is built anew.
LAG = 4

#: A kept model with this many times the columns it needs, and some to spare, is built anew.
STALE, SPARE = 2, 64


@dataclass(frozen=True, slots=True)
class LaneModel:
    """Columns of the model by position in the working set, its Hessian (k + 1, k + 1), intercept first, its kernel."""

    columns: Integers
    hessian: Array
    kernel: ActiveSet


class Models(Protocol):
    """What Newton rounds need of a source of models."""

    def begin(self, *, loose: bool) -> None:
        """A new strength begins; ``loose`` if columns other than the intercept are unpenalised."""
        ...

    def moved(self) -> None:
        """All lanes now stand near one model, from which they need not go far."""
        ...

    def grown(self, objective: Objective) -> None:
        """The working set has new columns at its end."""
        ...

    def reset(self, objective: Objective) -> None:
        """The working set is another one."""
        ...

    def slow(self, lane: int) -> None:
        """A lane's violation fell by too little."""
        ...

    def prepare(self, alive: Integers, eta: Array) -> None:
        """Before a round: build what lanes share."""
        ...

    def model(self, lane: int, near: Integers, eta: Array) -> LaneModel:
        """The model of one lane on the columns at positions ``near`` and perhaps more. May run in a thread."""
        ...


@dataclass(frozen=True, slots=True)
class _Kept:
    """A lane's model, the weights (n,) it was built with and the moments behind it: it can be given more columns."""

    model: LaneModel
    weights: Array
    moments: CurvatureMoments


def _extended(objective: Objective, lane: int, near: Integers, kept: _Kept | None, weights: Array) -> _Kept:
    """A lane's model on at least the columns ``near``: the one that is kept with what it lacks, or a new one."""
    if kept is not None and kept.model.columns.size > STALE * near.size + SPARE:
        kept = None
    known = near[:0] if kept is None else kept.model.columns
    fresh = np.setdiff1d(near, known)
    if kept is not None and not fresh.size:
        return kept
    columns = np.concatenate([known, fresh])
    alone = objective.keep(np.array([lane])).restrict(columns)
    moments = alone.moments(weights, None if kept is None else kept.moments)
    every = np.arange(columns.size)
    if kept is None:
        hessian = alone.hessian(0, moments, every)
        return _Kept(LaneModel(columns, hessian, ActiveSet(hessian)), weights, moments)
    hessian = alone.hessian(0, moments, every, kept.model.hessian)
    return _Kept(LaneModel(columns, hessian, kept.model.kernel.extend(hessian)), weights, moments)


class ExactModels:
    """Models of the gaussian family: a lane's Hessian never changes, so it and its factor are kept and extended."""

    def __init__(self, objective: Objective) -> None:
        self._objective = objective
        self._kept: dict[int, _Kept] = {}

    def begin(self, *, loose: bool) -> None:
        """Nothing ages."""

    def moved(self) -> None:
        """Nothing depends on where lanes stand."""

    def grown(self, objective: Objective) -> None:
        """Positions stay what they were."""
        self._objective = objective

    def reset(self, objective: Objective) -> None:
        """Positions mean other columns now."""
        self._objective = objective
        self._kept.clear()

    def slow(self, lane: int) -> None:
        """The model is exact; nothing would be better."""

    def prepare(self, alive: Integers, eta: Array) -> None:
        """Nothing is shared."""

    def model(self, lane: int, near: Integers, eta: Array) -> LaneModel:  # noqa: ARG002  (curvature is one everywhere)
        """The lane's own model, with the columns it lacks."""
        kept = self._kept.get(lane)
        weights = self._objective.lanes.weights(lane) if kept is None else kept.weights
        self._kept[lane] = _extended(self._objective, lane, near, kept, weights)
        return self._kept[lane].model


class CurvatureModels:
    """Models of other families: lane 0's Hessian, shared and lagged, until a lane needs its own.

    A lane's own is kept too, until the lane's violation again falls by too little; with ``fresh`` every lane builds its
    own in every round from the start.
    """

    def __init__(self, objective: Objective, *, fresh: bool) -> None:
        self._objective = objective
        self._fresh = fresh
        self._alone = np.full(objective.lanes.n_lanes, fresh or objective.lanes.n_lanes == 1)  # none to share with
        self._kept: dict[int, _Kept] = {}
        self._weights: Array | None = None
        self._shared: CurvatureMoments | None = None
        self._age = 0
        self._least = LEAST_CURVATURE

    def begin(self, *, loose: bool) -> None:
        """The shared Hessian ages."""
        self._age += 1
        self._least = LEAST_UNPENALISED if loose else LEAST_CURVATURE

    def moved(self) -> None:
        """One Hessian serves all lanes, built where they now stand."""
        self._fresh = False
        self._alone[:] = self._alone.size == 1
        self._shared = None
        self._kept.clear()

    def grown(self, objective: Objective) -> None:
        """Extend the shared moments under the weights they have."""
        self._objective = objective
        if self._shared is not None and self._weights is not None:
            self._shared = objective.moments(self._weights, self._shared)

    def reset(self, objective: Objective) -> None:
        """Build everything anew when it is next needed."""
        self._objective = objective
        self._shared = None
        self._kept.clear()

    def slow(self, lane: int) -> None:
        """From now on the lane has its own Hessian, built where it now stands."""
        self._alone[lane] = True
        self._kept.pop(lane, None)

    def prepare(self, alive: Integers, eta: Array) -> None:
        """Build the shared moments where they are missing or old."""
        if not self._alone[alive].all() and (self._shared is None or self._age > LAG):
            self._weights = self._objective.curvature_weights(0, eta[0], self._least)
            self._shared, self._age = self._objective.moments(self._weights), 0

    def model(self, lane: int, near: Integers, eta: Array) -> LaneModel:
        """The lane's own model, or that of lane 0 in the lane's coordinates."""
        if self._shared is not None and not self._alone[lane]:
            hessian = self._objective.hessian(lane, self._shared, near)
            return LaneModel(near, hessian, ActiveSet(hessian))
        kept = None if self._fresh else self._kept.get(lane)
        weights = self._objective.curvature_weights(lane, eta, self._least) if kept is None else kept.weights
        self._kept[lane] = _extended(self._objective, lane, near, kept, weights)
        return self._kept[lane].model
