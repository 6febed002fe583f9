"""Second moments taken before there are lanes: what is made of them is what the rows give."""

from dataclasses import fields, replace

import numpy as np
import pytest

from regcli.problem.lanes import make_lanes
from regcli.problem.objective import Objective
from regcli.problem.tables import tables_ahead
from regcli.solvers.engine import serial_map
from regcli.solvers.moments import Moments
from regcli.solvers.path import lambda_max
from tests.battery.problems import RECIPES, Made, make
from tests.tolerances import EXACT, SOLVED


def tabled(made: Made) -> tuple[Objective, Objective]:
    """The objective from the rows, and the same from second moments."""
    plain = made.problem(tol=SOLVED).objective
    design, partition = plain.design, plain.lanes.partition
    tables = tables_ahead(design, partition, (plain.y, plain.offset), serial_map, intercept=plain.intercept)
    assert tables is not None
    lanes = make_lanes(
        design,
        partition,
        intercept=plain.intercept,
        standardized=made.standardized,
        maps=plain.lanes.maps,
        moments=tables.moments(),
    )
    return plain, replace(plain, lanes=replace(lanes, l2_scale=plain.lanes.l2_scale), tables=tables)


@pytest.mark.parametrize("recipe", RECIPES)
def test_lanes_and_null_models_are_those_of_the_rows(recipe: str) -> None:
    plain, known = tabled(make(recipe, "gaussian"))
    for name in ("centre", "sd", "unit", "varies", "totals"):
        np.testing.assert_allclose(getattr(known.lanes, name), getattr(plain.lanes, name), rtol=EXACT, atol=EXACT)
    before = known.tally.counts
    null = known.null()
    assert (known.tally.counts - before).cells == 0
    expected = plain.null()
    for field in fields(null):
        mine, theirs = getattr(null, field.name), getattr(expected, field.name)
        np.testing.assert_allclose(mine, theirs, rtol=EXACT, atol=EXACT * float(expected.scale.max()))


@pytest.mark.parametrize("recipe", ["tall", "weights", "offset", "no intercept", "sparse", "constant in a fold"])
def test_a_walk_over_known_tables_ends_where_the_other_does(recipe: str) -> None:
    made = make(recipe, "gaussian")
    plain, known = tabled(made)
    problem = made.problem(tol=SOLVED)
    lams = lambda_max(problem) * np.array([0.5, 0.1, 0.01])
    theirs = Moments(replace(problem, objective=plain)).advance(lams)
    before = known.tally.counts
    mine = Moments(replace(problem, objective=known, null=known.null())).advance(lams)
    assert (known.tally.counts - before).cells < known.design.cells  # but for held-out rows that lost digits
    for own, other in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(own.coefs, other.coefs, rtol=0, atol=EXACT)
        assert own.held_out is not None
        assert other.held_out is not None
        np.testing.assert_allclose(own.held_out, other.held_out, rtol=EXACT)


def test_tables_count_for_nothing_but_what_they_were_taken_of() -> None:
    _, known = tabled(make("tall", "gaussian"))
    assert known.known_tables is not None
    assert replace(known, offset=known.offset + 1.0).known_tables is None
    assert replace(known, y=known.y.copy()).known_tables is None
    assert known.restrict(np.array([1, 0])).known_tables is None
    assert known.keep(np.array([1])).known_tables is None
