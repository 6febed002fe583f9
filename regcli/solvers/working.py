"""Working columns: the few of a problem that may take part, gathered side by side."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from regcli.problem.objective import Objective
from regcli.problem.protocols import Integers, Penalty, SeparableTerms
from regcli.solvers.engine import Problem

__all__ = ["MOST_GATHERED", "Working", "WorkingColumns"]

#: From this share of the columns on all of them count as working: no copy of the matrix is larger.
MOST_GATHERED = 0.5


@dataclass(frozen=True)
class Working:
    """Columns of a problem that may take part, in the order given."""

    problem: Problem
    columns: Integers

    @cached_property
    def objective(self) -> Objective:
        """The objective of these columns, which are gathered."""
        return self.problem.objective.restrict(self.columns)

    @cached_property
    def _penalty(self) -> Penalty:
        return self.problem.penalty.restrict(self.columns)

    def gathered(self) -> Objective:
        """The same for a lane; where lanes are in processes of their own they gather again, which does not count."""
        if "objective" in self.__dict__:  # by who asks
            return self.objective
        tally = self.problem.objective.tally
        before = tally.counts
        objective = self.objective
        tally.add(before - tally.counts)
        return objective

    def places(self, columns: Integers) -> Integers:
        """Where some of the columns are, if they are in ascending order."""
        return np.searchsorted(self.columns, columns)

    def terms(self, lam: float, lane: int) -> SeparableTerms:
        """The penalty at one strength in a lane's coordinates."""
        lanes, columns = self.problem.objective.lanes, self.columns
        return self._penalty.terms(lam, lanes.sd[lane, columns], lanes.unit[lane, columns], float(lanes.l2_scale[lane]))


class WorkingColumns:
    """The working columns of a problem; the last ones are kept."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._last: Working | None = None

    def of(self, columns: Integers) -> Working:
        """The problem on some columns."""
        if self._last is None or not np.array_equal(self._last.columns, columns):
            self._last = Working(self._problem, columns)
        return self._last
