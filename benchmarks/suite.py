"""Cross-validations timed beside each other: tolerances searched once, repeats interleaved, curves compared."""

import json
import statistics
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cases import Case, Table
from benchmarks.measure import Ground, Outcome, Tools, grounded, measure_lanes, time_curve, why_not
from benchmarks.peers import find_peer

__all__ = ["ACCURACIES", "Plan", "Record", "Tolerances", "run_case"]

#: Targets by name: every tool's defaults, or a largest violation.
ACCURACIES = {"default": None, "1e-4": 1e-4, "1e-6": 1e-6}

#: The reference's largest violation, and how far apart least CV means may be.
REFERENCE_TOL, AGREEMENT = 1e-10, 1e-3

#: Rungs of a factor of ten that a search for a tolerance goes down or up.
DOWN, UP = 10, 3


@dataclass(frozen=True)
class Plan:
    """What is run: peers with their versions, accuracies, repeats, cores, and how processes are started."""

    peers: dict[str, str]
    accuracies: tuple[str, ...]
    repeats: int
    cores: int
    tools: Tools
    home: Path
    say: Callable[[str], None]


@dataclass
class Record:
    """One peer on one case at one accuracy: seconds of every repeat, memory in bytes, violations, agreement.

    ``state`` is ok, limit (the clock ran longer than allowed), missed (no tolerance reaches the accuracy), refused or
    error. ``off`` is the relative difference of the least CV mean from the reference's.
    """

    case: str
    peer: str
    accuracy: str
    cores: int
    n: int
    p: int
    folds: int
    size: int
    state: str = "ok"
    message: str = ""
    tol: float | None = None
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    bare: float = 0.0
    loaded: float = 0.0
    peak: float = 0.0
    off: float | None = None
    worst: float | None = None
    median: float | None = None

    @property
    def seconds(self) -> float:
        """What counts: processor time on one core, which other work on the machine disturbs less, else wall time."""
        return statistics.median(self.cpu if self.cores == 1 else self.wall)

    @property
    def counts(self) -> bool:
        """Whether it ran and its curve has the right minimum."""
        return self.state == "ok" and self.off is not None and abs(self.off) <= AGREEMENT

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Tolerances:
    """Violations that were measured before, in a file, so that a tolerance is searched once.

    ``ours`` are regcli's own, which live for one run: its code changes without its version.
    """

    path: Path
    ours: dict[str, dict[str, Any]] = field(default_factory=dict)

    def measured(self, peer: str, version: str, ground: Ground, tol: float | None, tools: Tools) -> dict[str, Any]:
        """State and violations of a peer at a tolerance: ``{state, message, worst, median}``."""
        peer = "regcli" if peer == "regcli-stopped" else peer
        known = self.ours | (json.loads(self.path.read_text("utf-8")) if self.path.exists() else {})
        about = ground.facts
        spelt = "default" if tol is None else f"{tol:g}"
        key = " | ".join([peer, version, ground.case.name, f"{about['n']} x {about['p']}", spelt])
        if key not in known:
            known[key] = _summary(measure_lanes(peer, ground, tol, tools))
            if peer == "regcli":
                self.ours[key] = known[key]
            else:
                kept = {name: value for name, value in known.items() if name not in self.ours}
                self.path.write_text(json.dumps(kept, indent=1) + "\n", "utf-8")
        return known[key]


def _summary(outcome: Outcome) -> dict[str, Any]:
    """Worst and median violation; a strength that was given up counts as infinitely bad, written as null."""
    out: dict[str, Any] = {"state": outcome.state, "message": outcome.message, "worst": None, "median": None}
    if outcome.state == "ok" and np.isfinite(outcome.array).all():
        out |= {"worst": float(outcome.array.max()), "median": float(np.median(outcome.array))}
    return out


def run_case(table: Table, case: Case, plan: Plan, tolerances: Tolerances) -> list[Record]:
    """Run one case with all peers.

    Raises
    ------
    Absent
        The table cannot be had.
    """
    with grounded(table, case, plan.home) as ground:
        about = ground.facts
        plan.say(f"{case.name}: {about['n']} x {about['p']}, {case.n_folds} folds")
        records: list[Record] = []
        for accuracy in plan.accuracies:
            for peer in plan.peers:
                facts = (about["n"], about["p"], case.n_folds, about["bytes"])
                record = Record(case.name, peer, accuracy, plan.cores, *facts)
                _settle(record, ground, plan, tolerances, records)
                records.append(record)
        _time(records, ground, plan)
        return records


def _settle(record: Record, ground: Ground, plan: Plan, tolerances: Tolerances, earlier: Iterable[Record]) -> None:
    """Find the tolerance of a record, and the violation that goes with it."""
    peer, target = record.peer, ACCURACIES[record.accuracy]
    reason = why_not(peer, ground)
    if reason is not None:
        record.state, record.message = "refused", reason
        return
    before = next((r for r in earlier if r.peer == peer and r.state in ("limit", "error")), None)
    if before is not None:
        record.state, record.message = before.state, before.message
        return

    def measured(tol: float | None) -> dict[str, Any]:
        return tolerances.measured(peer, plan.peers[peer], ground, tol, plan.tools)

    found = measured(None) if target is None else _search(measured, _start(peer, target), target, record)
    record.worst, record.median = found["worst"], found["median"]
    if found["state"] == "limit" and target is None:
        plan.say(f"  {peer}: solving three training sets took too long for its violation to be measured")
    elif found["state"] != "ok":
        record.state, record.message = found["state"], found["message"]
    elif target is not None and (record.worst is None or record.worst > target):
        record.state = "missed"
    plan.say(f"  {peer} at {record.accuracy}: tol {record.tol}, violation {record.worst} {record.state}")


def _start(peer: str, target: float) -> float:
    """Where the search begins: regcli's tolerance is the violation itself."""
    if peer.startswith("regcli"):
        return target
    return 1e-7 if peer == "glmnet" else find_peer(peer).start


def _search(
    measured: Callable[[float | None], dict[str, Any]], start: float, target: float, record: Record
) -> dict[str, Any]:
    """The loosest rung of a ladder of tolerances that meets the target, as far as it goes."""

    def meets(found: dict[str, Any]) -> bool:
        return found["state"] == "ok" and found["worst"] is not None and found["worst"] <= target

    best, record.tol = measured(start), start
    if meets(best) and record.peer.startswith("regcli"):
        return best  # its tolerance is the violation: a looser one would be luck
    if meets(best):
        for rung in range(1, UP + 1):
            found = measured(start * 10.0**rung)
            if not meets(found):
                break
            best, record.tol = found, start * 10.0**rung
        return best
    for rung in range(1, DOWN + 1):
        best, record.tol = measured(start * 10.0**-rung), start * 10.0**-rung
        if meets(best) or best["state"] != "ok":
            break
    return best


def _time(records: list[Record], ground: Ground, plan: Plan) -> None:
    """Repeat all records in turn, and compare the curves with those of regcli at a violation of 1e-10."""
    least = {name: _reference(name, ground, plan) for name in ("regcli", "regcli-as-given")}
    for repeat in range(plan.repeats):
        for record in records:
            if record.state != "ok":
                continue
            outcome = time_curve(record.peer, ground, record.tol, plan.cores, plan.tools)
            if outcome.state != "ok":
                record.state, record.message = outcome.state, outcome.message
                plan.say(f"  {record.peer} at {record.accuracy}: {outcome.state} {outcome.message}")
                continue
            figures = outcome.figures
            record.wall.append(figures["wall"])
            record.cpu.append(figures["cpu"])
            record.bare, record.loaded = figures["bare"], figures["loaded"]
            record.peak = max(record.peak, figures["peak"])
            alike = record.peer == "glmnet" or find_peer(record.peer).standardizes
            reference = least["regcli" if alike else "regcli-as-given"]
            record.off = None if reference is None else float(np.nanmin(outcome.array)) / reference - 1.0
            plan.say(
                f"  {record.peer} at {record.accuracy}, repeat {repeat + 1}: "
                f"{figures['wall']:.3f} s, off {'?' if record.off is None else f'{record.off:.1e}'}"
            )


def _reference(name: str, ground: Ground, plan: Plan) -> float | None:
    """The least CV mean at a tiny violation; with more time than anybody has, as it is not timed."""
    tools = Tools(plan.tools.pythons, 10.0 * plan.tools.limit)
    outcome = time_curve(name, ground, REFERENCE_TOL, 1, tools)
    if outcome.state != "ok":
        plan.say(f"  reference {name}: {outcome.state} {outcome.message}")
        return None
    return float(outcome.array.min())
