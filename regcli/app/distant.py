"""What is told of columns so far from zero, beside their spread, that no written model can tell their values apart."""

from dataclasses import dataclass
from shlex import quote

import numpy as np

from regcli.app.prepare import Prepared
from regcli.errors import Warn, listed
from regcli.results import Iterate
from regcli.solvers.engine import Problem

__all__ = ["Distant", "distant_terms", "warn_distant", "warn_rounding"]

#: A column is told of where its mean is beyond this many sds.
FAR = 1e4

#: Rounding explains a violation of which its bound is this share or more.
SHARE = 0.1

#: Columns that are told of.
TOLD = 3


@dataclass(frozen=True)
class Distant:
    """Terms with a coefficient that lie far from zero, the farthest first, and a number near the middle of each.

    ``plain`` says that the first is a column of the table.
    """

    names: tuple[str, ...]
    middles: tuple[str, ...]
    plain: bool

    @property
    def reason(self) -> str:
        """A clause that names them."""
        told = [f"{name} (about {middle})" for name, middle in zip(self.names, self.middles, strict=True)]
        return f"numbers too far from 0, beside their spread, for an exact intercept: {listed(told, TOLD)}"

    @property
    def way_out(self) -> str:
        """What helps, for the first of them."""
        name = self.names[0]
        if not self.plain:
            return f"in the table, take a number near their mean from the columns that {name} is made of"
        return f"take {self.middles[0]} from the numbers of {name} in the table, or --drop {quote(name)}"


def distant_terms(problem: Problem, step: Iterate, violation: float, prepared: Prepared) -> Distant:
    """Terms that explain by how much the model of all rows, as it is written, misses the conditions.

    On the scale of the data the intercept holds a column's mean times its coefficient. Rounding that, by eps of its
    size, is an error of every linear predictor.
    """
    lanes = problem.objective.lanes
    mean = lanes.centre[0] + lanes.keep(np.array([0])).from_base(problem.objective.design.shift[None])[0]
    sizes = np.abs(step.coefs[0] * mean / lanes.sd[0]) * np.finfo(float).eps / float(problem.null.scale[0])
    far = np.flatnonzero((np.abs(mean) > FAR * lanes.sd[0]) & lanes.varies[0] & (sizes >= SHARE * violation))
    far = far[np.argsort(-sizes[far], kind="stable")].tolist()
    names = tuple(prepared.encoder.terms[at].name for at in far)
    middles = tuple(_plain(float(mean[at])) for at in far)
    return Distant(names, middles, plain=set(names[:1]) <= set(prepared.names))


def warn_rounding(problem: Problem, step: Iterate, violation: float, prepared: Prepared) -> Warn:
    """The warning that the reported model is as good as its numbers can be, and whose numbers these are."""
    text = f"the violation of the chosen model, {violation:.2g}, is that of rounding its numbers"
    distant = distant_terms(problem, step, violation, prepared)
    text += f": {distant.reason}; {distant.way_out}" if distant.names else ""
    return Warn("rounding-floor", text, {"violation": violation, "columns": list(distant.names)})


def warn_distant(problem: Problem, step: Iterate, prepared: Prepared) -> list[Warn]:
    """A warning where models of a path, which are not measured as they are written, miss the tolerance so."""
    distant = distant_terms(problem, step, problem.rules.tol / SHARE, prepared)
    if not distant.names:
        return []
    text = f"coefficients cannot be written to --tol: {distant.reason}; {distant.way_out}"
    return [Warn("rounding-floor", text, {"columns": list(distant.names)})]


def _plain(value: float) -> str:
    """A number near a mean, in plain digits."""
    return f"{value:.0f}" if abs(value) >= 1 / np.finfo(float).eps ** 0.5 else f"{value:.9g}"
