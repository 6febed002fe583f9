"""How far columns may have moved from the training rows: limits, as checks like those of ``--assert``."""

import math
from collections.abc import Mapping

from regcli.app.options import DriftLimits
from regcli.app.values import bounded
from regcli.app.verdict import Check

__all__ = ["hold_drift", "read_drift"]

Drift = Mapping[str, Mapping[str, float | None] | None]


def read_drift(options: DriftLimits) -> dict[str, float]:
    """The limits that were given, by what they limit.

    Raises
    ------
    UsageError
        ``unknown-option-value``: one that no column could keep or break.
    """
    asked = {"psi": (options.max_psi, math.inf), "ks": (options.max_ks, 1.0)}
    given = {name: (limit, most) for name, (limit, most) in asked.items() if limit is not None}
    for name, (limit, most) in given.items():
        bounded(f"--max-{name}", limit, 0, most)
    return {name: limit for name, (limit, _) in given.items()}


def hold_drift(limits: Mapping[str, float], drift: Drift) -> tuple[Check, ...]:
    """One check for each limit, of the column that has moved furthest.

    Where no column has the figure the check fails: where nothing can be compared nothing was found to be well.
    """
    return tuple(_hold(name, limit, drift) for name, limit in limits.items())


def _hold(name: str, limit: float, drift: Drift) -> Check:
    figures = {column: moved[name] for column, moved in drift.items() if moved is not None}
    known = {column: figure for column, figure in figures.items() if figure is not None}
    text = f"--max-{name} {limit:g}"
    if not known:
        return Check(text, passed=False, values={name: None})
    worst = max(known, key=known.__getitem__)
    values = {name: known[worst], "column": worst, "n_over": sum(figure > limit for figure in known.values())}
    return Check(text, passed=known[worst] <= limit, values=values)
