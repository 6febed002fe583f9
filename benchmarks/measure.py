"""Measurements, each in a process of its own with the number of threads it was given."""

import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np

from benchmarks.cases import Case, Table
from benchmarks.data import ROOT, Absent, Array, facts, make_folds, make_lambdas, prepare
from benchmarks.peers import MODULES, find_peer

__all__ = [
    "Ground",
    "Outcome",
    "Tools",
    "apart",
    "environment",
    "grounded",
    "measure_lanes",
    "rscript",
    "time_curve",
    "version_of",
    "why_not",
]

Made = TypeVar("Made")

#: What a process may take beside what is timed: to start, load, compile, write.
EXTRA = 240.0

_THREADS = ("OPENBLAS", "OMP", "MKL", "NUMBA", "VECLIB_MAXIMUM", "BLIS", "RCPP_PARALLEL")


@dataclass(frozen=True)
class Tools:
    """How processes are started: Python interpreters by peer, the default one under "", and the limit in seconds."""

    pythons: Mapping[str, str]
    limit: float

    def python(self, peer: str) -> str:
        """The interpreter a peer runs in."""
        return self.pythons.get(peer, self.pythons.get("", sys.executable))


@dataclass(frozen=True)
class Ground:
    """A case on disk: its table, folds and strengths, and a folder for what processes write."""

    case: Case
    folder: Path
    work: Path
    lambdas: Array

    @property
    def facts(self) -> dict[str, Any]:
        """Facts of the table."""
        return facts(self.folder)

    @property
    def lanes(self) -> list[int]:
        """The lanes whose violation is measured: all rows, without the first fold, without a middle one."""
        return [0, 1, 1 + self.case.n_folds // 2]


@dataclass(frozen=True)
class Outcome:
    """How a process ended: ok, limit or error; its figures, the last lines of its errors, and what it wrote."""

    state: str
    figures: dict[str, float] = field(default_factory=dict)
    message: str = ""
    array: Array = field(default_factory=lambda: np.zeros(0))


def apart(function: Callable[..., Made], *arguments: object) -> Made:
    """Call a function in a process of its own.

    This one stays small: on Linux the peak of a process counts from that of the one that started it.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


@contextmanager
def grounded(table: Table, case: Case, home: Path) -> Iterator[Ground]:
    """Put a case on disk.

    Raises
    ------
    Absent
        The table cannot be had.
    """
    folder = apart(prepare, table, home)
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as name:
        work = Path(name)
        make_folds(facts(folder)["n"], case.n_folds).tofile(work / "folds.bin")
        lambdas = apart(make_lambdas, folder, case)
        lambdas.tofile(work / "lambdas.bin")
        yield Ground(case, folder, work, lambdas)


def why_not(peer: str, ground: Ground) -> str | None:
    """Why a peer does not take a case; None where it does."""
    if peer == "glmnet":
        return None
    about, made = ground.facts, find_peer(peer)
    if made.most_columns is not None and about["p"] > made.most_columns:
        return f"not tried with more than {made.most_columns:,} columns, for its memory"
    return made.refuses(about["family"], ground.case.l1_ratios, about["sparse"])


def version_of(peer: str, tools: Tools) -> str:
    """Version of a peer that runs here.

    Raises
    ------
    Absent
        It does not, with the reason.
    """
    if peer == "glmnet":
        r = rscript()
        text = 'cat(as.character(packageVersion("glmnet")), "with", R.version.string)'
        run = subprocess.run([r, "-e", text], capture_output=True, text=True, check=False)
        if run.returncode:
            raise Absent("R has no package glmnet")
        return run.stdout
    command = [tools.python(peer), "-m", "benchmarks.worker", "task=probe", f"peer={peer}"]
    run = subprocess.run(command, cwd=ROOT.parent, env=environment(1), capture_output=True, text=True, check=False)
    if run.returncode:
        raise Absent(_reason(run.stderr) or "no message")
    return next(line for line in run.stdout.splitlines() if line.startswith("version ")).removeprefix("version ")


def time_curve(peer: str, ground: Ground, tol: float | None, cores: int, tools: Tools) -> Outcome:
    """Time one cross-validation from arrays in memory; ``array`` is the curve (R, T)."""
    out = ground.work / "curve.bin"
    outcome = _run(_command(peer, "curve", ground, tol, cores, tools, out=out), cores, tools.limit)
    if outcome.state != "ok":
        return outcome
    curve = np.fromfile(out).reshape(ground.lambdas.shape)
    return Outcome("ok", outcome.figures, "", curve)


def measure_lanes(peer: str, ground: Ground, tol: float | None, tools: Tools) -> Outcome:
    """Solve some lanes untimed and measure their violations; ``array`` is (lanes, R, T), nan where it gave up."""
    models, out = ground.work / "models.bin", ground.work / "violations.bin"
    name = "regcli" if peer == "regcli-stopped" else peer
    limit = tools.limit
    if name != "regcli":  # its lanes are solved together; for others a share of them may take a share of the time
        limit *= (len(ground.lanes) + 1) / (ground.case.n_folds + 1)
    solved = _run(_command(name, "lanes", ground, tol, 1, tools, out=models), 1, limit)
    if solved.state != "ok":
        return solved
    standardizes = name == "glmnet" or find_peer(name).standardizes
    command = [
        *_python_command(tools.python("regcli"), name, "measure", ground, None, 1, out),
        f"models={models}",
        f"standardizes={'yes' if standardizes else 'no'}",
    ]
    measured = _run(command, 1, tools.limit)
    models.unlink()
    if measured.state != "ok":
        return measured
    shape = (len(ground.lanes), *ground.lambdas.shape)
    return Outcome("ok", solved.figures, "", np.fromfile(out).reshape(shape))


def _command(
    peer: str, task: str, ground: Ground, tol: float | None, cores: int, tools: Tools, *, out: Path
) -> list[str]:
    if MODULES[peer]:
        return _python_command(tools.python(peer), peer, task, ground, tol, cores, out)
    about = ground.facts
    nnz = (ground.folder / "X.data.bin").stat().st_size // 8 if about["sparse"] else 0
    words = {key: about[key] for key in ("n", "p", "family", "sparse")} | {
        "nnz": nnz,
        "count": ground.lambdas.shape[1],
    }
    script = ROOT / "peers" / "glmnet.R"
    return [rscript(), str(script), *_words(task, peer, ground, tol, cores, out), *_spell(words)]


def _python_command(
    python: str, peer: str, task: str, ground: Ground, tol: float | None, cores: int, out: Path
) -> list[str]:
    return [python, "-m", "benchmarks.worker", *_words(task, peer, ground, tol, cores, out)]


def _words(task: str, peer: str, ground: Ground, tol: float | None, cores: int, out: Path) -> list[str]:
    return _spell(
        {
            "task": task,
            "peer": peer,
            "folder": ground.folder,
            "folds": ground.work / "folds.bin",
            "lambdas": ground.work / "lambdas.bin",
            "l1_ratios": ",".join(map(str, ground.case.l1_ratios)),
            "tol": "" if tol is None else tol,
            "cores": cores,
            "lanes": ",".join(map(str, ground.lanes)),
            "out": out,
        }
    )


def _spell(words: Mapping[str, object]) -> list[str]:
    return [f"{key}={value}" for key, value in words.items()]


def rscript() -> str:
    """The command of R.

    Raises
    ------
    Absent
        There is none.
    """
    found = shutil.which("Rscript")
    if found is None:
        raise Absent("there is no Rscript")
    return found


def environment(cores: int) -> dict[str, str]:
    """The environment with every library held to the number of threads; R's packages start no more than asked."""
    threads = {f"{name}_NUM_THREADS": str(cores) for name in _THREADS}
    return {**os.environ, **threads, "PYTHONWARNINGS": "ignore", "R_DATATABLE_NUM_THREADS": str(cores)}


def _run(command: list[str], cores: int, limit: float) -> Outcome:
    """Run a worker; its clock may not run longer than the limit."""
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command,
            cwd=ROOT.parent,
            env=environment(cores),
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
        assert process.stdout is not None  # noqa: S101  (a pipe was asked for)
        state, figures = _follow(process.stdout, limit)
        if state == "limit":
            os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
        process.stdout.close()
        errors.seek(0)
        last = _reason(errors.read().decode("utf-8", "replace"))
    if state == "ok" and code == 0:
        return Outcome("ok", figures)
    if state == "limit":
        return Outcome("limit")
    return Outcome("error", message=last or f"status {code}")


def _reason(errors: str) -> str:
    """The line that says what went wrong: the last with an error in it, else the last."""
    lines = errors.strip().splitlines()
    named = [line for line in lines if "Error" in line and not line.startswith(" ")]
    return (named or lines or [""])[-1][:200]


def _follow(stdout: IO[bytes], limit: float) -> tuple[str, dict[str, float]]:
    """Read what a worker says until it is done, fails, or takes too long."""
    figures: dict[str, float] = {}
    until, rest = time.monotonic() + EXTRA, b""
    with selectors.DefaultSelector() as selector:
        selector.register(stdout, selectors.EVENT_READ)
        while selector.select(max(0.0, until - time.monotonic())):
            piece = os.read(stdout.fileno(), 65536)
            if not piece:
                return "error", figures
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                word, _, more = line.decode("utf-8", "replace").partition(" ")
                if word == "begin":
                    until = time.monotonic() + limit
                elif word == "end":
                    figures = json.loads(more)
                    until = time.monotonic() + EXTRA
                elif word.strip() == "done":
                    return "ok", figures
    return "limit", figures
