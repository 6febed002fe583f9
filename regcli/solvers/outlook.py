"""What the last strengths of a path tell of the next one: along it models and scores go on much as they did."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regcli.problem.protocols import Array, Integers
from regcli.solvers.screening import weights_ahead

__all__ = ["Ahead", "Course", "Outlook"]

#: Strengths that foresee the next one. On a logistic path of 50,000 x 100 the first round at a strength leaves a
#: violation of some 2e-5 without, 1e-5 with two of them (a line) and 1e-6 with three; four take as many rounds.
STRENGTHS = 3

#: Scores (L, p) of more cells are kept in single precision: a guess needs no more, but for ridge, whose scores hardly
#: change from strength to strength.
CELLS = 250_000


@dataclass(frozen=True, slots=True)
class Outlook:
    """The step of a lane to the next strength, and the change of its score there, if all goes on as it did before.

    Each (1 + k,) for the intercept and the columns of a model.
    """

    step: Array
    change: Array

    def of(self, columns: Integers) -> "Outlook":
        """The same for some of the columns, by their places."""
        places = np.concatenate([[0], 1 + columns])
        return Outlook(self.step[places], self.change[places])


@dataclass(frozen=True)
class _Stand:
    """Where all lanes stood at the end of a strength: models on the columns worked on, ascending, scores on all."""

    lam: float
    columns: Integers
    levels: Array
    coefs: Array
    level: Array
    score: NDArray[np.floating]

    def of(self, lane: int, columns: Integers) -> Array:
        """One lane: its intercept and coefficients, and below them the score, (2, 1 + k)."""
        out = np.zeros((2, 1 + columns.size))
        out[:, 0] = self.levels[lane], self.level[lane]
        places = np.searchsorted(self.columns, columns)
        known = self.columns.take(places, mode="clip") == columns
        out[0, 1:][known] = self.coefs[lane, places[known]]
        out[1, 1:] = self.score[lane, columns]
        return out


@dataclass(frozen=True)
class Ahead:
    """The next strength as the last ones foresee it: where lanes stood, and the weight of each in what is expected."""

    stands: tuple[_Stand, ...]
    weights: list[float]

    def of(self, lane: int, columns: Integers) -> Outlook | None:
        """The outlook of one lane on some columns; None where something has grown beyond all bounds."""
        known = [stand.of(lane, columns) for stand in self.stands]
        expected = np.tensordot(self.weights, known, 1) - known[-1]
        return Outlook(*expected) if np.isfinite(expected).all() else None


class Course:
    """The last strengths of a path."""

    def __init__(self) -> None:
        self._stands: tuple[_Stand, ...] = ()

    def note(self, lam: float, columns: Integers, models: tuple[Array, Array], scores: tuple[Array, Array]) -> None:
        """Keep where a strength ended: intercepts (L,) and coefficients (L, p), and the scores there.

        Coefficients of other columns than those given are zero.
        """
        among = np.sort(columns)
        (levels, coefs), (level, score) = models, scores
        kind = np.float64 if score.size <= CELLS else np.float32
        stand = _Stand(lam, among, levels.copy(), coefs[:, among], level.copy(), score.astype(kind))
        self._stands = (*self._stands[1 - STRENGTHS :], stand)

    def forget(self) -> None:
        """Begin anew, somewhere else."""
        self._stands = ()

    def ahead(self, lam: float) -> Ahead | None:
        """What to expect at a strength; None where too few went before, or one is far."""
        if len(self._stands) < STRENGTHS:
            return None
        weights = weights_ahead([stand.lam for stand in self._stands], lam)
        return None if weights is None else Ahead(self._stands, weights)
