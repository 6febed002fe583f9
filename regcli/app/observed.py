"""What rows turned out to be: targets and weights of a chunk, and the metrics of predictions against them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regcli.app.contract import Breach
from regcli.app.running import RunningScores
from regcli.data.scorer import Scorer
from regcli.data.table import Levels, Numbers, Table
from regcli.data.target import event_of, spelt
from regcli.errors import listed
from regcli.problem.families import FAMILIES
from regcli.results import figure

__all__ = ["Observer"]

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Observer:
    """How targets are read: ``weighted`` says whether the first row has the model's weights, ``decimal`` its mark."""

    scorer: Scorer
    scores: RunningScores
    weighted: bool
    decimal: str

    @classmethod
    def begun(cls, scorer: Scorer, first: Table, threshold: float, decimal: str | None) -> "Observer":
        """Observe from the first table on, nothing having been scored."""
        scores = RunningScores(FAMILIES[scorer.family], threshold)
        weighted = scorer.weights is not None and first.begins_with(scorer.weights)
        return cls(scorer, scores, weighted, decimal or ".")

    def add(self, table: Table, eta: Array, bad: Mask) -> list[Breach]:
        """Score the rows (n,) that are not bad and whose target and weight are known.

        What a target or a weight may not be is returned: such rows do not count. Nothing is said of missing cells.
        """
        y = self._targets(table)
        if y is None:
            return []
        weights = self._weights(table)
        wrong = [self._strange_targets(table, y), self._bad_weights(table, weights)]
        known = ~bad & ~np.isnan(y) & ~np.isnan(weights)
        for breach in wrong:
            known &= ~breach.rows
        self.scores.add(y[known], eta[known], weights[known])
        return [breach for breach in wrong if breach.rows.any()]

    def metrics(self) -> dict[str, Any] | None:
        """Keys of a document: metrics, and of how many rows; None where no row has a usable target."""
        found = self.scores.scores()
        if not self.scores.rows:
            return None
        return {
            "rows": self.scores.rows,
            "weights": self.scorer.weights if self.weighted else None,
            "auc_rows": self.scores.auc_rows,
            "metrics": {name: figure(value) for name, value in found.items()},
        }

    def _targets(self, table: Table) -> Array | None:
        """The target (n,) where the data have it, nan where a cell is none; classes are 1 for the event, else 0."""
        column = table.columns.get(self.scorer.target)
        if self.scorer.classes is None:
            return column.values if isinstance(column, Numbers) else None
        if not isinstance(column, Levels):
            return None
        classes, positive = self.scorer.classes, self.scorer.positive
        coded = [event_of(level, classes, positive, self.decimal) for level in column.levels]
        return np.array([*coded, np.nan])[column.codes]

    def _strange_targets(self, table: Table, y: Array) -> Breach:
        """Targets that the model was not fitted for: other classes, text, numbers that its family does not take."""
        name = self.scorer.target
        column, texts = table.columns[name], _other_cells(table, name)

        def spelt_cell(row: int) -> str | None:
            if row in texts:
                return texts[row]
            return column.levels[column.codes[row]] if isinstance(column, Levels) else spelt(y[row])

        if isinstance(column, Levels):
            rows, expected = np.isnan(y) & (column.codes >= 0), f"one of {listed(self.scorer.classes or (), 2)}"
        else:
            family = FAMILIES[self.scorer.family]
            rows, expected = ~np.isnan(y) & ~family.allows(y), family.domain
        rows[list(texts)] = True
        return Breach("target-domain", name, "warning", rows, expected, spelt_cell)

    def _bad_weights(self, table: Table, weights: Array) -> Breach:
        """Weights that are none."""
        name = self.scorer.weights if self.weighted else None
        texts = _other_cells(table, name) if name is not None else {}
        rows = (weights < 0) | np.isinf(weights)
        rows[list(texts)] = True

        def spelt_cell(row: int) -> str:
            return texts.get(row) or spelt(weights[row])

        return Breach("bad-weights", name, "warning", rows, "a number, 0 or more", spelt_cell)

    def _weights(self, table: Table) -> Array:
        """What rows count in the metrics (n,): the model's weights if the first row has them, else one each."""
        if not self.weighted:
            return np.ones(table.rows)
        column = table.columns.get(self.scorer.weights or "")
        return column.values if isinstance(column, Numbers) else np.full(table.rows, np.nan)


def _other_cells(table: Table, name: str) -> dict[int, str]:
    """Cells of a column that are not of its kind, as spelt, by row."""
    return {**table.bad_cells.get(name, {}), **table.nested.get(name, {})}
