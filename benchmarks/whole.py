"""Whole processes: a table as text in, the curve of a cross-validation as JSON out."""

import json
import os
import statistics
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.cases import Case, Table
from benchmarks.data import ROOT, Absent, facts, make_folds, write_csv
from benchmarks.measure import Ground, Tools, apart, environment, grounded, rscript
from benchmarks.report import table as markdown_table
from benchmarks.suite import AGREEMENT, Plan

__all__ = ["Whole", "run_whole", "whole_markdown"]

MIB = 2.0**20


@dataclass
class Whole:
    """One tool on one table: seconds and processor seconds of every repeat, most bytes in memory, its least CV mean."""

    case: str
    tool: str
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    peak: float = 0.0
    least: float = float("nan")
    message: str = ""


def run_whole(table: Table, case: Case, plan: Plan) -> list[Whole]:
    """Time regcli, R and scikit-learn from the same text, in turn.

    The first run of each is not counted: it brings files into memory.
    """
    with grounded(table, case, plan.home) as ground:
        folds = make_folds(facts(ground.folder)["n"], case.n_folds)
        path = apart(write_csv, ground.folder, folds)
        strengths = ground.work / "strengths.txt"
        strengths.write_text("".join(f"{value!r}\n" for value in ground.lambdas[0].tolist()), "ascii")
        commands, out = _commands(path, strengths, plan.tools), []
        for name, command in commands.items():
            out.append(Whole(case.name, name, message="" if command else "absent"))
        for repeat in range(plan.repeats + 1):
            for found, command in zip(out, commands.values(), strict=True):
                if command and not found.message:
                    _once(found, command, ground, plan, counted=repeat > 0)
                    plan.say(f"  {case.name}, {found.tool}: {found.wall[-1:]} {found.message}")
        return out


def _commands(path: Path, strengths: Path, tools: Tools) -> dict[str, list[str]]:
    """Command lines by tool; empty where a tool is not there."""
    words = ["--target", "target", "--fold-column", "fold", "--family", "gaussian", "--json"]
    out = {
        "regcli": [tools.python("regcli"), "-m", "regcli", "cv", str(path), *words, "--lambda", f"@{strengths}"],
        "regcli, its own strengths": [tools.python("regcli"), "-m", "regcli", "cv", str(path), *words],
    }
    try:
        out["R: fread, cv.glmnet, jsonlite"] = [rscript(), str(ROOT / "whole.R"), str(path), str(strengths)]
    except Absent:
        out["R: fread, cv.glmnet, jsonlite"] = []
    script = str(ROOT / "whole_sklearn.py")
    out["Python: pandas, LassoCV"] = [tools.python("scikit-learn"), script, str(path), str(strengths)]
    return out


def _once(found: Whole, command: list[str], ground: Ground, plan: Plan, *, counted: bool) -> None:
    """Run a tool once; on one core with ``--jobs 1`` for regcli."""
    if command[1:3] == ["-m", "regcli"]:
        command = [*command, "--jobs", str(plan.cores)]
    answer = ground.work / "answer.json"
    with answer.open("wb") as file:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=ROOT.parent, env=environment(plan.cores), stdout=file, stderr=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        found.message = f"status {process.returncode}"
        return
    found.least = float(np.min(json.loads(answer.read_text("utf-8"))["mean"]))
    found.peak = max(found.peak, 1024.0 * usage.ru_maxrss)
    if counted:
        found.wall.append(wall)
        found.cpu.append(usage.ru_utime + usage.ru_stime)


def whole_markdown(about: str, found: list[Whole]) -> str:
    """A table a case."""
    parts = [f"# Whole processes\n\n{about}\n{_LEGEND}"]
    for case in dict.fromkeys(whole.case for whole in found):
        some = [whole for whole in found if whole.case == case]
        rows = [_row(whole, some[0].least) for whole in some]
        parts.append(f"## {case}\n\n" + markdown_table(["tool", "seconds", "processor", "most MiB", "off"], rows))
    return "\n".join(parts)


_LEGEND = """From a table as text to the curve as JSON, lasso, the same folds and strengths, every tool at its
defaults on one core; medians. *off* is the relative difference of the least CV mean from that of regcli's full path.
"""


def _row(whole: Whole, least: float) -> list[str]:
    if not whole.wall:
        return [whole.tool, whole.message or "-", "-", "-", "-"]
    off = whole.least / least - 1.0
    seconds = f"{statistics.median(whole.wall):.3g}"
    return [
        whole.tool,
        seconds if abs(off) <= AGREEMENT else f"({seconds})",
        f"{statistics.median(whole.cpu):.3g}",
        f"{whole.peak / MIB:.0f}",
        f"{off:.0e}",
    ]
