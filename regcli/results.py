"""What comes out of a solver: frozen arrays and names, no behaviour."""

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

__all__ = ["Certificate", "Iterate", "Status", "Stopped"]

Array = NDArray[np.float64]


class Status(Enum):
    """How a lane ended at one strength. The value is the advice that goes with it."""

    CONVERGED = "the optimality conditions hold to --tol"
    ROUNDING_FLOOR = "the optimality conditions hold as far as double precision can tell"
    MAX_ITER = "raise --max-iter or --tol"
    SEPARATED = "the classes are separated: penalise every column, or drop the one that tells them apart"

    @property
    def code(self) -> str:
        """Name in documents."""
        return self.name.lower()

    @property
    def usable(self) -> bool:
        """Whether the solution may be chosen."""
        return self in (Status.CONVERGED, Status.ROUNDING_FLOOR)


@dataclass(frozen=True, slots=True)
class Iterate:
    """All lanes at one strength, in the lanes' coordinates.

    ``intercepts`` (L,), ``coefs`` (L, p), ``violation`` (L,), ``rounds`` (L,), one status a lane, ``loss`` (L,)
    on the training rows. ``eta`` (L, n) are
    the linear predictors of all rows if the engine has them; ``held_out`` (L,) the mean squared error on each lane's
    test blocks if the engine gets it without a pass over the data. ``aliased`` are terms of lane 0 that depend on
    others and were set aside.
    """

    lam: float
    intercepts: Array
    coefs: Array
    violation: Array
    rounds: NDArray[np.intp]
    status: tuple[Status, ...]
    loss: Array
    eta: Array | None = None
    held_out: Array | None = None
    aliased: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Certificate:
    """Violation of the optimality conditions recomputed from the data, with the floor that rounding sets.

    ``gap`` is the duality gap relative to the null loss, None where it has no cheap form.
    """

    violation: float
    floor: float
    gap: float | None


@dataclass(frozen=True, slots=True)
class Stopped:
    """Why a path ended early: a reason, the index of its last strength, and how many there would have been."""

    reason: str
    at: int
    of: int
