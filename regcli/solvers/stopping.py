"""When a cross-validation curve has turned: the rule by which cv may end a generated path early."""

import numpy as np

from regcli.problem.protocols import Array

__all__ = ["LEAST_POINTS", "has_turned"]

#: The rule's constants. On 160 suppressor problems and 300 ordinary ones it never lost the minimum, where stopping ten
#: points past it lost 113 of the former.
LEAST_POINTS, LEAST_PAST, RISING, PAIRED, FALLEN = 25, 10, 5, 2.0, 2.0


def has_turned(means: Array, errors: Array, fold_scores: Array, fold_weights: Array, of: int) -> bool:
    """Whether a curve, better when lower, has clearly passed its minimum.

    With m the mean, se its standard error and j the minimum so far: (1) at least 25 points, and max(10, T/8) past j;
    (2) the last five exceed m_j + se_j and rise strictly; (3) each of them exceeds m_j by two standard errors of the
    paired differences over folds; (4) the first point exceeds m_j + 2 se_j.

    Parameters
    ----------
    means, errors : (t,) arrays
        The curve so far.
    fold_scores : (t, K) array
        What it is the mean of.
    fold_weights : (K,) array
        Weights of the folds.
    of : int
        Length T of the whole grid.
    """
    t = means.size
    best = int(np.argmin(means))
    if t < LEAST_POINTS or t - 1 - best < max(LEAST_PAST, of / 8):
        return False
    tail = means[-RISING:]
    if not (np.all(np.diff(tail) > 0) and np.all(tail > means[best] + errors[best])):
        return False
    differences = fold_scores[-RISING:] - fold_scores[best]
    centre = differences @ fold_weights / fold_weights.sum()
    spread = np.square(differences - centre[:, None]) @ fold_weights / fold_weights.sum()
    paired = np.sqrt(spread / (fold_weights.size - 1))
    rising = bool(np.all(tail - means[best] > PAIRED * paired))
    return rising and bool(means[0] > means[best] + FALLEN * errors[best])
