"""Steps of lanes, and how the penalised objective changes along them."""

from dataclasses import dataclass

import numpy as np

from regcli.problem.protocols import Array, Integers, SeparableTerms

__all__ = ["Step", "falls"]


@dataclass(frozen=True)
class Step:
    """Steps of lanes: of their intercepts (A,), of their coefficients (A, k), and their penalties."""

    rise: Array
    move: Array
    terms: list[SeparableTerms]

    def slopes(self, index: Integers, level: Array, score: Array, coefs: Array, side: float) -> Array:
        """Slopes of the penalised objectives of some lanes along their steps, at coefficients on the way.

        Just beyond them with ``side`` 1, just before them with -1: where a coefficient is zero the two differ.
        """
        rise, move = self.rise[index], self.move[index]
        l1, l2 = np.stack([self.terms[at].l1 for at in index]), np.stack([self.terms[at].l2 for at in index])
        pull = l1 * np.where(coefs != 0, np.sign(coefs) * move, side * np.abs(move))
        return np.asarray((pull + (l2 * coefs - score) * move).sum(axis=1) - level * rise)


def falls(
    here: tuple[float, Array], goal: tuple[float, Array], score: tuple[float, Array], terms: SeparableTerms
) -> bool:
    """Whether the penalised objective of a lane falls where its step to a goal begins."""
    step, only = Step(np.array([goal[0] - here[0]]), goal[1][None] - here[1], [terms]), np.zeros(1, dtype=np.intp)
    return bool(step.slopes(only, np.array([score[0]]), score[1][None], here[1][None], 1.0)[0] < 0)
