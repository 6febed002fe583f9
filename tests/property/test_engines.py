"""Every engine on generated problems from the ill-conditioned corner: it ends, says the truth, and agrees with others.

Each case is solved by every engine that applies to it, found by asking ``objection``; an engine that is added is tested
as it stands. What an engine says of a lane is held against extended precision. Failing cases are named so that
``solve(Plan(...), engine)`` repeats them.
"""

import signal
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from functools import cache
from itertools import combinations
from time import perf_counter
from types import FrameType, MappingProxyType
from typing import Any, get_args

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from regcli.app.options import SolverName
from regcli.app.parallel import fold_map, thread_map
from regcli.app.processes import process_map
from regcli.problem.families import FAMILIES
from regcli.problem.protocols import Array, ParallelMap
from regcli.results import Iterate, Status
from regcli.solvers.choose import objection
from regcli.solvers.engine import LaneMap, Rules, serial_map
from regcli.solvers.path import follow, lambda_max
from tests.oracle import mean_of, scaled
from tests.property.judging import Judged, endless, judge, null_top
from tests.property.problems import KINDS, Case, draw
from tests.tolerances import EXACT, REFERENCE

ENGINES = tuple(name for name in get_args(SolverName) if name != "auto")

#: What is fixed about a case so that an engine for that alone applies to it.
TILTS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "any": {},
        "ridge": {"l1_ratio": 0.0, "limited": False},
        "least squares": {"unpenalised": True, "few_terms": True, "limited": False, "free": False},
    }
)

#: Cases that every engine has.
LEAST = 200

#: Cases of each kind by family and tilt, from which every engine takes what it needs.
COUNTS: Mapping[tuple[str, str], int] = MappingProxyType(
    {
        ("gaussian", "any"): 4, ("gaussian", "ridge"): 12, ("gaussian", "least squares"): 8,
        ("binomial", "any"): 4, ("binomial", "ridge"): 2, ("binomial", "least squares"): 1,
        ("poisson", "any"): 4, ("poisson", "ridge"): 2, ("poisson", "least squares"): 1,
    }
)  # fmt: skip

#: Rows by the thousand are there for code that goes block by block; a case or two of each will do, and none for engines
#: whose work grows with the cube of the rows.
LONG = MappingProxyType({"tall": {"any": 2, "ridge": 0, "least squares": 1}})

#: How many times as many cases the slow test has.
MORE = 5

TOL = 1e-7

#: Processor seconds and rounds that a path of four strengths may take; they take hundredths of one and a few dozen.
SECONDS, ROUNDS = 5.0, 1000

#: Least share of solved lanes in each kind, where there is a solution. Where less is solved today, which is said of the
#: lanes, the share is that, rounded down: columns that nearly depend on each other, or that the penalty weighs unevenly
#: in the space of the rows, lose the last digits.
SOLVED = 0.97
LESS_SOLVED: Mapping[tuple[str, str], float] = MappingProxyType(
    {
        ("newton", "near-duplicates"): 0.95, ("newton", "sums of others"): 0.95, ("newton", "tall"): 0.85,
        ("newton", "limits"): 0.94, ("newton", "limits on sums"): 0.96, ("newton", "free twins"): 0.7,
        ("newton", "weights far apart"): 0.95, ("newton", "everything"): 0.9, ("newton", "screened"): 0.96,
        ("row-space", "near-duplicates"): 0.93, ("row-space", "sums of others"): 0.75,
        ("row-space", "limits on sums"): 0.85, ("row-space", "free twins"): 0.8, ("row-space", "everything"): 0.93,
        ("lockstep", "free twins"): 0.8,
    }
)  # fmt: skip

#: What two answers with small violations may differ by where columns are far from dependent: fitted values in units of
#: the target's spread, and the square of the least singular value that says so.
CLOSE, INDEPENDENT = 1e-4, 1e-4

#: Rounding of extended precision as a share of double's.
EXTENDED = float(np.finfo(np.longdouble).eps / np.finfo(np.float64).eps)


@pytest.fixture(scope="module", autouse=True)
def one_blas_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield


@dataclass(frozen=True)
class Plan:
    """A case by name."""

    kind: str
    number: int
    family: str
    tilt: str


@dataclass(frozen=True, eq=False)
class Solved:
    """Iterates of an engine, its models on the scale of the data by strength and lane, and how long it took."""

    steps: Sequence[Iterate]
    models: Sequence[tuple[Array, Array]]
    seconds: float
    error: str | None = None


@cache
def case_of(plan: Plan) -> Case:
    """The case of a plan; no number is used twice."""
    return draw(plan.kind, plan.number + 1000 * list(TILTS).index(plan.tilt), plan.family, **TILTS[plan.tilt])


@cache
def strengths_of(plan: Plan) -> Array:
    """Strengths that all engines are asked for; a ridge path would begin a thousand times higher."""
    case = case_of(plan)
    return null_top(case) * case.shares * (1.0 if case.l1_ratio else 1e-3)


@cache
def applies(plan: Plan, engine: str) -> bool:
    """Whether an engine says that it can solve a case."""
    problem = case_of(plan).problem(Rules(TOL, solver=engine))
    return objection(problem, float(strengths_of(plan)[0])) is None


@cache
def every_plan(kind: str, engine: str) -> list[Plan]:
    """Cases of a kind that an engine applies to, those of all families and tilts in turn."""
    made = []
    for (family, tilt), usual in COUNTS.items():
        made += [Plan(kind, number, family, tilt) for number in range(LONG.get(kind, {}).get(tilt, usual))]
    return [plan for plan in sorted(made, key=lambda plan: plan.number) if applies(plan, engine)]


@cache
def share(engine: str) -> int:
    """Cases of each kind with which an engine has its ``LEAST``, all there are if these are too few."""
    have = [len(every_plan(kind, engine)) for kind in KINDS]
    return next((most for most in range(max(have)) if sum(min(most, of) for of in have) >= LEAST), max(have))


def plans(kind: str, engine: str) -> list[Plan]:
    """Cases of a kind for an engine, as many as it needs to have its ``LEAST``."""
    return every_plan(kind, engine)[: share(engine)]


def more_plans(kind: str, engine: str) -> list[Plan]:
    """Further cases."""
    made = [replace(plan, number=plan.number + 100 * more) for more in range(1, MORE) for plan in plans(kind, engine)]
    return [plan for plan in made if applies(plan, engine)]


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise where something takes longer: processor seconds, so that other work on the machine does not count."""

    def ring(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"took more than {seconds:g} s, at signal {number} in {frame}")

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def run(plan: Plan, engine: str, parallel_map: ParallelMap, lane_map: LaneMap | None = None) -> Solved:
    """Walk a case's strengths; every other case is certified from the data throughout."""
    case = case_of(plan)
    problem = case.problem(Rules(TOL, ROUNDS, certify=plan.number % 2 == 0, solver=engine), parallel_map)
    problem = replace(
        problem, lane_map=lane_map, fold_map=serial_map if parallel_map is serial_map else fold_map(2, np.inf)
    )
    begun = perf_counter()
    try:
        with within(SECONDS):
            steps = list(follow(problem, strengths_of(plan), []))
    except (ArithmeticError, LookupError, RuntimeWarning, TimeoutError, ValueError) as error:
        return Solved([], [], perf_counter() - begun, f"{type(error).__name__}: {error}"[:80])
    models = [problem.objective.to_raw(problem.penalty, step.intercepts, step.coefs) for step in steps]
    return Solved(steps, models, perf_counter() - begun)


@cache
def solve(plan: Plan, engine: str) -> Solved:
    """A case solved in one thread."""
    return run(plan, engine, serial_map)


@cache
def judged(plan: Plan, engine: str, at: int, lane: int) -> Judged:
    """One model of an engine in extended precision."""
    levels, coefs = solve(plan, engine).models[at]
    return judge(case_of(plan), lane, float(strengths_of(plan)[at]), float(levels[lane]), coefs[lane])


def usable(plan: Plan, engine: str, at: int, lane: int) -> bool:
    """Whether an engine offers a lane as solved."""
    return solve(plan, engine).steps[at].status[lane].usable


def until_one_is_endless(cases: Sequence[Plan], engine: str) -> Iterator[Plan]:
    """Cases up to the first that takes too long: the others may take as long."""
    for plan in cases:
        yield plan
        if "TimeoutError" in str(solve(plan, engine).error):
            return


# -- what is said of a lane is true ---------------------------------------------------------------------------------


def untruth(plan: Plan, engine: str, at: int, lane: int) -> str | None:
    """What is wrong about the status of a lane, if anything."""
    case, step, found = case_of(plan), solve(plan, engine).steps[at], judged(plan, engine, at, lane)
    status, limit = step.status[lane], max(TOL, found.floor)
    if status.usable and not found.violation <= limit:
        return f"violation {found.violation:.1e}, floor {found.floor:.1e}"
    if status is Status.MAX_ITER and found.violation <= TOL and not endless(case, lane, step.lam):
        return f"violation {found.violation:.1e}"
    if status is Status.SEPARATED and not endless(case, lane, step.lam):
        return "nothing is separated"
    if status.usable and endless(case, lane, step.lam):
        return f"there is no solution, although the violation is {found.violation:.1e}"
    return None


def complaints(plan: Plan, engine: str) -> list[str]:
    """Everything wrong about what an engine says of a case."""
    solved = solve(plan, engine)
    if solved.error is not None:
        return [f"{plan} {engine}: {solved.error}"]
    out = []
    for at, step in enumerate(solved.steps):
        if step.rounds.max() > ROUNDS:
            out.append(f"{plan} {engine} at {at}: {step.rounds.max()} rounds")
        for lane in range(case_of(plan).n_lanes):
            what = untruth(plan, engine, at, lane)
            if what is not None:
                out.append(f"{plan} {engine} at {at} in lane {lane}: {step.status[lane].code}, but {what}")
    return out


def check(cases: Sequence[Plan], engine: str) -> None:
    """Every case ends and every status is true; hardly a lane that has a solution is left without."""
    wrong = [text for plan in until_one_is_endless(cases, engine) for text in complaints(plan, engine)]
    check_share(cases, engine)
    assert not wrong, "\n".join(wrong)


def check_share(cases: Sequence[Plan], engine: str) -> None:
    """Hardly a lane that has a solution is left without."""
    counts: Counter[bool] = Counter()
    for plan in cases:
        for at, step in enumerate(solve(plan, engine).steps):
            for lane in range(case_of(plan).n_lanes):
                if not endless(case_of(plan), lane, step.lam):
                    counts[usable(plan, engine, at, lane)] += 1
    least = min((LESS_SOLVED.get((engine, plan.kind), SOLVED) for plan in cases), default=SOLVED)
    assert counts[True] >= least * counts.total(), dict(counts)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("engine", ENGINES)
def test_what_an_engine_says_of_a_lane_is_true(engine: str, kind: str) -> None:
    check(plans(kind, engine), engine)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("engine", ENGINES)
def test_what_an_engine_says_of_many_more_lanes_is_true(engine: str, kind: str) -> None:
    check(more_plans(kind, engine), engine)


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_has_its_share_of_cases(engine: str) -> None:
    assert sum(len(plans(kind, engine)) for kind in KINDS) >= LEAST


@pytest.mark.parametrize("kind", KINDS)
def test_the_path_begins_where_the_first_penalised_coefficient_leaves_zero(kind: str) -> None:
    for plan in (Plan(kind, number, family, "any") for family in FAMILIES for number in range(3)):
        case = case_of(plan)
        problem = case.problem(Rules(TOL))
        with within(SECONDS):
            top = lambda_max(problem)
        if (case.factors > 0).all():
            assert top == pytest.approx(null_top(case), rel=REFERENCE), plan
        elif case.l1_ratio and not problem.penalty.has_limits() and not endless(case, 0, top):
            with within(SECONDS):
                above, below = follow(problem, top * np.array([1.001, 0.9]), [])
            for step, begun in ((above, False), (below, True)):
                assert step.coefs[0, case.factors > 0].any() == begun or not step.status[0].usable, plan


# -- engines agree --------------------------------------------------------------------------------------------------


@cache
def independent(plan: Plan, lane: int) -> bool:
    """Whether the columns are far from dependent."""
    frame = case_of(plan).lanes[lane][1]
    table = np.sqrt(frame.w)[:, None] * np.column_stack([np.ones(len(frame.w)), frame.Z[:, frame.live]])
    values = np.square(np.linalg.svd(np.asarray(table, dtype=float), compute_uv=False))
    return bool(table.shape[0] >= table.shape[1] and values[-1] > INDEPENDENT * values[0])


def disagreement(plan: Plan, engines: tuple[str, str], at: int, lane: int) -> str | None:
    """How two answers differ by more than their violations allow, if they do.

    With gradients g1 and g2 of the objective at b1 and b2, (g1 - g2)'(b1 - b2) is what the loss and the L2 part curve
    between them, and at most the violations times |b1 - b2|_1: that is a theorem for every convex problem. Where the
    curvature is not nearly zero it leaves little room; for the gaussian family none is left beyond ``CLOSE``.
    """
    lam, (problem, frame) = float(strengths_of(plan)[at]), case_of(plan).lanes[lane]
    first, second = (judged(plan, engine, at, lane) for engine in engines)
    (level, b), (other_level, c) = (
        (solve(plan, engine).models[at][0][lane], solve(plan, engine).models[at][1][lane]) for engine in engines
    )
    move = (b - c).astype(np.longdouble)
    length = np.abs(move * frame.sd).sum() + abs(level - other_level + frame.mean @ move)
    room = (first.violation + second.violation) * frame.scale * length
    fitted = (mean_of(plan.family, first.eta), mean_of(plan.family, second.eta))
    curved = frame.w @ ((fitted[0] - fitted[1]) * (first.eta - second.eta))
    l2 = scaled(replace(problem, lam=lam), frame)[1]
    curved += l2 @ (move * frame.sd) ** 2
    spread = np.sqrt(frame.w @ (frame.y - mean_of(plan.family, frame.offset + frame.null_intercept)) ** 2)
    noise = EXTENDED * (first.floor + second.floor) * frame.scale * spread
    if curved > 1.01 * room + noise:
        return f"curvature between them {float(curved):.1e} > {float(room):.1e}"
    if abs(first.objective - second.objective) > 1.01 * room + noise + EXACT * abs(first.objective):
        return f"objectives {first.objective!r} and {second.objective!r}"
    apart = float(np.sqrt(frame.w @ (fitted[0] - fitted[1]) ** 2) / spread)
    if apart > CLOSE and plan.family == "gaussian" and independent(plan, lane):
        return f"fitted values {apart:.1e} apart"
    return None


@pytest.mark.parametrize("kind", KINDS)
def test_any_two_engines_agree(kind: str) -> None:
    wrong, compared = [], 0
    for engine, other in combinations(ENGINES, 2):
        ended = set(until_one_is_endless(plans(kind, other), other))
        for plan in [plan for plan in until_one_is_endless(plans(kind, engine), engine) if plan in ended]:
            for at in range(min(len(solve(plan, engine).steps), len(solve(plan, other).steps))):
                for lane in range(case_of(plan).n_lanes):
                    if usable(plan, engine, at, lane) and usable(plan, other, at, lane):
                        compared += 1
                        what = disagreement(plan, (engine, other), at, lane)
                        if what is not None:
                            wrong.append(f"{plan} {engine} {other} at {at} in lane {lane}: {what}")
    assert not wrong, "\n".join(sorted(wrong))
    assert compared >= 10


# -- threads --------------------------------------------------------------------------------------------------------


def fingerprint(solved: Solved) -> list[object]:
    """Every byte of every iterate."""
    out: list[object] = [solved.error]
    for step in solved.steps:
        for field in fields(step):
            value = getattr(step, field.name)
            out.append(value.tobytes() if isinstance(value, np.ndarray) else value)
    return out


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("engine", ENGINES)
def test_threads_change_no_byte(engine: str, kind: str) -> None:
    with thread_map(2, np.inf) as over_threads:
        for plan in until_one_is_endless(plans(kind, engine), engine):
            if plan.number == 0 and solve(plan, engine).error is None:
                threaded = run(plan, engine, over_threads)
                assert "TimeoutError" in str(threaded.error) or fingerprint(threaded) == fingerprint(
                    solve(plan, engine)
                ), plan


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("engine", ["lockstep", "moments"])
def test_processes_change_no_byte(engine: str, kind: str) -> None:
    with process_map(3, np.inf) as lane_map:
        for plan in until_one_is_endless(plans(kind, engine), engine):
            if plan.number < 2 and solve(plan, engine).error is None:
                apart = run(plan, engine, serial_map, lane_map)
                assert "TimeoutError" in str(apart.error) or fingerprint(apart) == fingerprint(solve(plan, engine)), (
                    plan
                )
