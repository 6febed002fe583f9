"""Scores of rows that stream by, in memory that does not grow with them."""

from dataclasses import dataclass, field

import numpy as np

from regcli.problem.metrics import POINTWISE, area_under_curve, base_metric, transform
from regcli.problem.protocols import Array, Family

__all__ = ["AUC_ROWS", "RunningScores"]

#: An area under the curve needs all ranks at once. Up to this many rows they are kept, at 17 bytes a row and some ten
#: times that while they are sorted; of more rows there is none.
AUC_ROWS = 2_000_000

#: Rows whose sums are taken at once. Always as many, however rows arrive, so that a pipe's pauses change no digit.
GROUP_ROWS = 20_000

#: Targets, linear predictors and weights of some rows.
Columns = tuple[Array, Array, Array]


@dataclass
class RunningScores:
    """Every metric of a family, from rows given piece by piece.

    Parameters
    ----------
    family : Family
        Which metrics, and how a predictor becomes a mean.
    threshold : float
        For accuracy.

    Attributes
    ----------
    rows : int
        Rows with weight so far.
    """

    family: Family
    threshold: float
    rows: int = 0
    _total: float = 0.0
    _mean: float = 0.0
    _spread: float = 0.0
    _sums: dict[str, float] = field(default_factory=dict)
    _waiting: list[Columns] = field(default_factory=list)
    _n_waiting: int = 0
    _ranked: list[Columns] | None = None

    def __post_init__(self) -> None:
        """Settle what is summed."""
        bases = {base_metric(name) for name in self.family.metrics}
        self._sums = dict.fromkeys(sorted(bases & POINTWISE.keys()), 0.0)
        self._ranked = [] if "auc" in bases else None

    @property
    def auc_rows(self) -> int | None:
        """Rows that an area under the curve is computed from; None where there is none, or there are too many."""
        return None if self._ranked is None or self.rows > AUC_ROWS else self.rows

    def add(self, y: Array, eta: Array, weights: Array) -> None:
        """Take in rows: targets, linear predictors and weights (r,); those without weight do not count."""
        used = weights > 0
        if not used.any():
            return
        self._waiting.append((y[used], eta[used], weights[used]))
        count = int(np.count_nonzero(used))
        self.rows += count
        self._n_waiting += count
        while self._n_waiting >= GROUP_ROWS:
            self._take_group()

    def scores(self) -> dict[str, float]:
        """Every metric by name, nan where it has no value; as ``scores_of``."""
        if self._n_waiting:
            self._take_group()
        if not self._total > 0:
            return dict.fromkeys(self.family.metrics, float("nan"))
        null = np.array(self._spread / self._total)
        out = {}
        for name in self.family.metrics:
            base = base_metric(name)
            value = self._area() if base == "auc" else self._sums[base] / self._total
            out[name] = float(transform(name, np.array(value), null))
        return out

    def _take_group(self) -> None:
        """Sum and rank the next group of the rows that wait."""
        y, eta, weights = _joined(self._waiting)
        rest = (y[GROUP_ROWS:], eta[GROUP_ROWS:], weights[GROUP_ROWS:])
        self._waiting, self._n_waiting = [rest], rest[0].size
        self._sum(y[:GROUP_ROWS], eta[:GROUP_ROWS], weights[:GROUP_ROWS])
        self._rank(y[:GROUP_ROWS], eta[:GROUP_ROWS], weights[:GROUP_ROWS])

    def _sum(self, y: Array, eta: Array, weights: Array) -> None:
        """Add one group to the sums; mean and spread of the target are merged by Chan, Golub and LeVeque's update."""
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite has no score in the end
            for name in self._sums:
                self._sums[name] += float(weights @ POINTWISE[name](self.family, y, eta, self.threshold))
            weight = float(weights.sum())
            mean = float(weights @ y) / weight
            spread = float(weights @ np.square(y - mean))
        total, step = self._total + weight, mean - self._mean
        self._spread += spread + step * step * (self._total / total) * weight
        self._mean += step * (weight / total)
        self._total = total

    def _rank(self, y: Array, eta: Array, weights: Array) -> None:
        """Keep rows for the area under the curve until there are too many."""
        if self._ranked is None:
            return
        if self.rows > AUC_ROWS:
            self._ranked = None
            return
        self._ranked.append((y.astype(np.int8), eta, weights))

    def _area(self) -> float:
        return float("nan") if self._ranked is None else area_under_curve(*_joined(self._ranked))


def _joined(parts: list[Columns]) -> Columns:
    """Pieces of the three columns, put together."""
    y, eta, weights = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return y, eta, weights
