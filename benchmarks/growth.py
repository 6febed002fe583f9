"""How time grows with rows, columns and folds."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.cases import growth_cases
from benchmarks.measure import grounded, time_curve, why_not
from benchmarks.report import table
from benchmarks.suite import Plan

__all__ = ["Point", "growth_markdown", "run_growth"]

#: What regcli may cost: n times two, and K from 5 to 10 with statistics of blocks and with others.
DOUBLE_ROWS, DOUBLE_FOLDS_MOMENTS, DOUBLE_FOLDS = 2.1, 1.5, 1.9

#: Who is measured: the rest would take hours.
SHOWN = ("regcli", "glmnet", "scikit-learn")


@dataclass(frozen=True)
class Point:
    """The seconds of a tool where something that grows has a value; None above the limit or where it refuses."""

    what: str
    value: int
    peer: str
    seconds: float | None
    used: float

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def run_growth(plan: Plan, *, quick: bool) -> list[Point]:
    """Time full paths at every size by regcli, glmnet and scikit-learn, at their defaults."""
    out = []
    slow: set[tuple[str, str]] = set()
    for what, value, made, case in growth_cases(quick=quick):
        with grounded(made, case, plan.home) as ground:
            peers = [p for p in plan.peers if p in SHOWN and (what, p) not in slow and why_not(p, ground) is None]
            runs = {peer: [time_curve(peer, ground, None, plan.cores, plan.tools)] for peer in peers}
            for _ in range(plan.repeats - 1):
                for peer in peers:
                    if runs[peer][-1].state == "ok":
                        runs[peer].append(time_curve(peer, ground, None, plan.cores, plan.tools))
        for peer in peers:
            figures = [run.figures for run in runs[peer] if run.state == "ok"]
            if len(figures) < len(runs[peer]) or not figures:
                slow.add((what, peer))
                out.append(Point(what, value, peer, None, 0.0))
                continue
            key = "cpu" if plan.cores == 1 else "wall"
            seconds = statistics.median(figure[key] for figure in figures)
            used = max(figure["peak"] - figure["bare"] for figure in figures)
            out.append(Point(what, value, peer, seconds, used))
            plan.say(f"  {what} = {value}, {peer}: {seconds:.3f} s")
    return out


def growth_markdown(about: str, points: Sequence[Point]) -> str:
    """A table of what grows: seconds, and how many times the seconds of the size before."""
    parts = [f"# Growth\n\n{about}\n{_LEGEND}"]
    for what in dict.fromkeys(point.what for point in points):
        rows = []
        for peer in dict.fromkeys(point.peer for point in points if point.what == what):
            some = [point for point in points if (point.what, point.peer) == (what, peer)]
            rows += [[peer, *_row(point, some[at - 1] if at else None, what)] for at, point in enumerate(some)]
        parts.append(f"## {what}\n\n" + table(["tool", "value", "seconds", "times the one before", "at most"], rows))
    return "\n".join(parts)


_LEGEND = """Full paths at every tool's defaults. Rows and columns double from line to line, folds go from 5 to 10. *At
most* is what regcli is meant to keep to.
"""


def _row(point: Point, before: Point | None, what: str) -> list[str]:
    grown = "-"
    if before is not None and before.seconds and point.seconds:
        grown = f"{point.seconds / before.seconds:.2f}"
    most = "-"
    if point.peer == "regcli" and before is not None:
        dimension = what[-1]
        folds = DOUBLE_FOLDS_MOMENTS if what.startswith(("tall", "mid")) else DOUBLE_FOLDS
        most = {"n": f"{DOUBLE_ROWS:g}", "K": f"{folds:g}"}.get(dimension, "-")
    return [f"{point.value:,}", "> limit" if point.seconds is None else f"{point.seconds:.3g}", grown, most]
