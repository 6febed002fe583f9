"""The quadratics of lanes, each on the few columns that its lane needs, which grow as more come near to taking part."""

from dataclasses import dataclass, replace

import numpy as np

from regcli.problem.protocols import Array, Bools, Integers
from regcli.solvers.active_set import ActiveSet
from regcli.solvers.engine import Problem
from regcli.solvers.factor import Factor
from regcli.solvers.matrix_free import MatrixFree, Products
from regcli.solvers.models import most_columns
from regcli.solvers.screening import NEAR, is_stale
from regcli.solvers.together import complete
from regcli.solvers.working import Working, WorkingColumns

__all__ = ["COARSE", "Answer", "Quadratics", "Stand"]

#: Share of its L1 weight from which on a column comes along where one is missing in a quadratic: from 0.9, 0.93 or 0.95
#: on a lasso of 500 x 20,000 takes the same time, and 370, 340 and 315 MiB.
SOON = 0.93

#: Shares of the tolerance: what is left on the working columns, and in the kernel.
COARSE, FINE = 0.5, 1e-3

#: Bytes of all second moments and factors: more than where lanes have curvatures (``regcli.solvers.models``), as there
#: is less beside them. With 120 MB a lasso of 500 x 20,000 takes a fifth longer, one of 2,000 x 4,000 a third.
MOST_BYTES = 200 * 2**20

#: Share of the residual at which conjugate gradients end: here the model is exact, and no round makes up for it.
EXACT = 1e-3


@dataclass(frozen=True, slots=True)
class Stand:
    """How a lane stands at a strength, on working columns (k,).

    ``expected`` is a guess of the score, in the first round of a strength alone; ``first`` says that it is that.
    """

    lam: float
    columns: Integers
    coefs: Array
    score: Array
    expected: Array | None
    first: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """Coefficients (k,) of a lane, places of dependent columns, and its own columns where they are others now."""

    coefs: Array
    aliased: Integers
    own: Integers | None


@dataclass(frozen=True, slots=True)
class _Own:
    """A lane's quadratic on columns of its own, in order of entry; without a factor it is known by its products.

    ``among`` (p,) says which columns these are.
    """

    columns: Integers
    among: Bools
    factor: Factor | None
    kernel: ActiveSet


def _most_columns(problem: Problem, lanes: int) -> int:
    """Columns up to which so many lanes may have a matrix and a factor."""
    return most_columns(problem.objective, lanes, lanes, MOST_BYTES)


class Quadratics:
    """The quadratics of all lanes, kept from strength to strength.

    What belongs to a lane is written to by that lane alone: lanes may be in threads, or in processes of their own.
    """

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        lanes = problem.objective.lanes.n_lanes
        self._own: list[_Own | None] = [None] * lanes
        # columns up to which a lane keeps its quadratic, those of the lanes before being there
        self._most_kept = [_most_columns(problem, min(lane + 2, lanes)) for lane in range(lanes)]
        self._most = _most_columns(problem, 1)
        self.working = WorkingColumns(problem)

    def minimise(self, lane: int, stand: Stand) -> Answer:
        """Minimise a lane's quadratic.

        The first answer is that of the quadratic as it was made; later ones start from the score of the data. One that
        has no room beside those of the lanes before is made for its answer alone: conjugate gradients take so many
        steps where about as many columns take part as there are rows that it costs a twentieth.
        """
        problem, working, before = self._problem, self.working.of(stand.columns), self._columns(lane)
        terms, scale = working.terms(stand.lam, lane), float(problem.null.scale[lane])
        own = self._own[lane] = self._extended(working, lane, stand, terms.l1)
        places = working.places(own.columns)
        now, given = stand.coefs[places], stand.score[places]
        linear = problem.null.score[lane, own.columns] if stand.first else given + complete(own.kernel.form.times(now))
        expected = None if stand.expected is None else stand.expected[places]
        tol = problem.rules.tol * scale
        kernel = own.kernel.minimise(linear, terms.take(places), now, FINE * tol, COARSE * tol, expected, given)
        solution = complete(kernel)
        coefs = np.zeros(working.columns.size)
        coefs[places] = solution.coefs
        aliased = places[list(solution.aliased)]
        if own.factor is None or own.columns.size > self._most_kept[lane]:
            self._own[lane] = None
            return Answer(coefs, aliased, own.columns[:0])
        return Answer(coefs, aliased, None if own.columns is before else own.columns)

    def _columns(self, lane: int) -> Integers | None:
        """The columns of a lane's quadratic, if there is one."""
        own = self._own[lane]
        return None if own is None else own.columns

    def _extended(self, working: Working, lane: int, stand: Stand, weight: Array) -> _Own:
        """A lane's quadratic with the columns near to taking part: where one is lacking, those that soon will come too.

        They do unless that would be too many for a matrix. One that is missed shows in the score on the working
        columns. ``weight`` (k,) are their L1 weights.
        """
        reach, taking, own = np.abs(stand.score), stand.coefs != 0, self._own[lane]
        near = (reach >= NEAR * weight) | taking
        if own is not None and own.among[working.columns[near]].all():
            return own
        soon = working.columns[(reach >= SOON * weight) | taking]
        if soon.size > self._most:
            soon = working.columns[near]
        if own is not None and (soon.size > self._most or is_stale(own.columns.size, soon.size)):
            own = self._own[lane] = None  # before there is memory for another
        among = np.zeros(self._problem.objective.n_terms, dtype=bool) if own is None else own.among
        fresh = soon[~among[soon]]
        among[fresh] = True
        if soon.size > self._most:
            alone = working.gathered().keep(np.array([lane]))
            products = Products.of(alone, working.places(soon), alone.lanes.weights(0), level=False)
            form = MatrixFree(products, relative=EXACT)
            return _Own(soon, among, None, ActiveSet(form))
        columns = fresh if own is None else np.concatenate([own.columns, fresh])
        moments = self._moments(lane, columns, columns.size - fresh.size)
        if own is None:
            factor = Factor(moments, self._problem.objective.tally, side_by_side=False)
            return _Own(columns, among, factor, ActiveSet(factor))
        assert own.factor is not None  # noqa: S101  (those without were let go above)
        own.factor.widen(moments)
        return replace(own, columns=columns, kernel=own.kernel.grown())

    def _moments(self, lane: int, columns: Integers, known: int) -> Array:
        """Second moments in a lane (k, k - known) of columns with those of them that are not known."""
        alone = self._problem.objective.keep(np.array([lane]))
        labels = np.zeros(alone.y.size, dtype=np.intp)
        if not known:  # all of them, symmetric: half of the work
            return alone.grams(alone.lanes.weights(0), labels, columns, alone.scaling)[0, 1:, 1:]
        return alone.grams(alone.lanes.weights(0), labels, columns, alone.scaling, known + 1)[0, 1:]
