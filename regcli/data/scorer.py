"""A model as it is read: how to code columns, the coefficients of their terms, and what the training data were like."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from regcli.data.encoder import Encoder
from regcli.data.stored import Matrix
from regcli.data.training import Profile
from regcli.problem.metrics import THRESHOLD

__all__ = ["Probe", "Scorer", "StoredPath", "Working"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Probe:
    """A made-up row, what the model gave for it when it was written, and the size of what was added up to that."""

    row: Mapping[str, float | str | None]
    link: float
    size: float


@dataclass(frozen=True)
class StoredPath:
    """The models along a path: strengths (T,) that decrease, intercepts (T,), coefficients (T, k) of some terms.

    ``places`` (k,) are those terms among the model's; the others are zero at every strength.
    """

    lambdas: Array
    intercepts: Array
    coefs: Array
    places: NDArray[np.intp]


@dataclass(frozen=True)
class Working:
    """What linear predictors are made from: how to code some columns, the coefficients (k,) of their terms."""

    encoder: Encoder
    coefs: Array
    intercept: float

    def eta(self, X: Matrix, offset: Array | float) -> Array:
        """Linear predictor of (r, k) coded rows; columns with coefficient zero play no part.

        Column by column, because the last digits of a matrix product depend on how many rows it has: a row has the
        same prediction alone, in a chunk of any size and in any part of a file that was split.
        """
        eta = np.full(X.shape[0], self.intercept, dtype=np.float64)
        eta += offset
        for j in np.flatnonzero(self.coefs):
            if isinstance(X, np.ndarray):
                eta += self.coefs[j] * X[:, j]
            else:
                cells = slice(X.indptr[j], X.indptr[j + 1])
                eta[X.indices[cells]] += self.coefs[j] * X.data[cells]
        return eta


@dataclass(frozen=True)
class Scorer:
    """A model as it is read: how to code columns, and the coefficients (p,) of their terms.

    ``target`` and ``weights`` are columns that metrics are made from; scoring does without them. ``altered`` says that
    the content is not what was written, which only a reader that does not verify lets pass. ``probes`` are those of a
    file that was verified.
    """

    encoder: Encoder
    coefs: Array
    intercept: float
    family: str
    link: str
    classes: tuple[str, ...] | None
    positive: str | None
    threshold: float | None
    target: str
    offset: str | None
    exposure: str | None
    weights: str | None
    id: tuple[str, ...]
    missing: str
    na_values: tuple[str, ...]
    mean: float
    lam: float
    content_id: str
    profile: Profile | None = None
    path: StoredPath | None = None
    altered: bool = False
    probes: tuple[Probe, ...] = ()

    @property
    def cut(self) -> float:
        """The probability from which a row is called positive; no matter without classes."""
        return THRESHOLD if self.threshold is None else self.threshold

    @cached_property
    def needed(self) -> tuple[str, ...]:
        """Source columns with a nonzero coefficient, in order, then offset and exposure."""
        return (*self.working.encoder.sources, *(name for name in (self.offset, self.exposure) if name is not None))

    @cached_property
    def working(self) -> Working:
        """The part that linear predictors are made from: columns without any nonzero coefficient are left out."""
        encoder, places = self.encoder.needed(self.coefs != 0)
        return Working(encoder, self.coefs[places], self.intercept)
