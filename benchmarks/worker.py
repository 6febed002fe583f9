"""The process that one measurement runs in: ``python -m benchmarks.worker key=value ...``.

Keys: ``task`` (curve, lanes or measure), ``peer``, ``folder`` of the table, ``folds``, ``lambdas`` and ``out`` (files),
``l1_ratios``, ``tol`` (empty for the tool's defaults), ``cores``, ``lanes``. It says ``begin`` when the clock starts,
``end`` with the figures when it stops, ``done`` when its files are written; ``glmnet.R`` does the same.
"""

import json
import resource
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from benchmarks.certificate import make_lane, violations
from benchmarks.data import Array, facts, load, spreads
from benchmarks.memory import forget_peak, peak, resident
from benchmarks.peer import Peer, Task, training_sets
from benchmarks.peers import find_peer

__all__ = ["main"]

#: The names of the tool whose L2 part is in units of the target's sd.
SCALES_TARGET = frozenset({"glmnet"})


def main(words: list[str]) -> None:
    """Do what the words ask for."""
    job = dict(word.split("=", 1) for word in words)
    {"curve": _curve, "lanes": _lanes, "measure": _measure, "probe": _probe}[job["task"]](job)
    _say("done")


def _say(*words: str) -> None:
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


def _probe(job: dict[str, str]) -> None:
    """Whether the peer runs at all, on a tiny table, and its version."""
    peer = find_peer(job["peer"])
    _warm_up(peer, "gaussian", 0.0 if peer.name.endswith("ridge") else 1.0, cores=1)
    _say("version", _version(peer.package))


def _version(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415  (this task alone)

    try:
        return version(package)
    except PackageNotFoundError:  # a checkout that is not installed
        return str(getattr(sys.modules.get(package), "__version__", "unknown"))


def _curve(job: dict[str, str]) -> None:
    """Time a cross-validation."""
    peer = _ready(job)
    bare = resident()
    task = _standardized(_task(job), peer)[0]
    forget_peak()
    loaded, cpu = resident(), _cpu()
    _say("begin")
    start = time.perf_counter()
    curve = peer.curve(task, _tol(job))
    wall = time.perf_counter() - start
    figures = {"wall": wall, "cpu": _cpu() - cpu, "bare": bare, "loaded": loaded, "peak": peak()}
    _say("end", json.dumps(figures))
    np.asarray(curve, dtype=np.float64).tofile(job["out"])


def _cpu() -> float:
    """Processor time of this process, its threads and the children it waited for."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _lanes(job: dict[str, str]) -> None:
    """Write the models of some lanes (lanes, R, T, 1 + p), on the scale of the data."""
    peer = _ready(job)
    task, centre, scale = _standardized(_task(job), peer)
    lanes, tol = _numbers(job["lanes"]), _tol(job)
    _say("begin")
    start = time.perf_counter()
    if peer.path is None:
        assert peer.lanes is not None  # noqa: S101  (a peer has one of the two)
        models = peer.lanes(task, lanes, tol)
    else:
        parts = []
        for X, y in training_sets(task, lanes):
            parts.append(
                [peer.path(task, X, y, ratio, task.lambdas[at], tol) for at, ratio in enumerate(task.l1_ratios)]
            )
        models = np.array(parts)
        models[..., 1:] /= scale
        models[..., 0] -= models[..., 1:] @ centre
    _say("end", json.dumps({"wall": time.perf_counter() - start}))
    models.tofile(job["out"])


def _measure(job: dict[str, str]) -> None:
    """Measure the violations (lanes, R, T) of models that were written."""
    task, lanes = _task(job), _numbers(job["lanes"])
    models = np.fromfile(job["models"]).reshape(len(lanes), *task.lambdas.shape, 1 + task.X.shape[1])
    scale = None if job["standardizes"] == "yes" else spreads(task.X)[1]
    out = np.empty(models.shape[:3])
    _say("begin")
    for row, lane in enumerate(lanes):
        made = make_lane(task.X, task.y, task.family, task.folds != lane - 1)
        target = job["peer"] in SCALES_TARGET and task.family == "gaussian"
        l2_scale = 1.0 / made.spread if target else 1.0
        for at, ratio in enumerate(task.l1_ratios):
            out[row, at] = violations(made, models[row, at], task.lambdas[at], ratio, scale, l2_scale)
    _say("end", "{}")
    out.tofile(job["out"])


def _task(job: dict[str, str]) -> Task:
    arrays = load(Path(job["folder"]))
    ratios = tuple(float(word) for word in job["l1_ratios"].split(","))
    lambdas = np.fromfile(job["lambdas"]).reshape(len(ratios), -1)
    folds = np.fromfile(job["folds"], "i4")
    return Task(arrays.X, arrays.y, folds, arrays.family, ratios, lambdas, int(job["cores"]))


def _standardized(task: Task, peer: Peer) -> tuple[Task, Array, Array]:
    """The task as the peer likes it, and the centres and scales (p,) that were taken out."""
    p = task.X.shape[1]
    if peer.standardizes:
        return task, np.zeros(p), np.ones(p)
    centre, scale = spreads(task.X)
    X: Any
    if isinstance(task.X, np.ndarray):
        X = task.X  # loaded for this process alone
        X -= centre
        X /= scale
    else:
        centre = np.zeros(p)  # a sparse matrix stays one; the intercept takes the centres up
        X = sparse.csc_array(task.X @ sparse.diags_array(1.0 / scale))
        X.sort_indices()
    return Task(X, task.y, task.folds, task.family, task.l1_ratios, task.lambdas, task.cores), centre, scale


def _ready(job: dict[str, str]) -> Peer:
    """The peer, imported and compiled: it has run a tiny task of the same kind."""
    peer, about = find_peer(job["peer"]), facts(Path(job["folder"]))
    ratio = float(job["l1_ratios"].split(",")[0])
    _warm_up(peer, about["family"], ratio, cores=int(job["cores"]), scattered=about["sparse"])
    return peer


def _warm_up(peer: Peer, family: str, ratio: float, *, cores: int, scattered: bool = False) -> None:
    """Run a tiny task: what is imported and compiled on the way is not timed."""
    rng = np.random.default_rng(0)
    X: Any = np.asfortranarray(rng.standard_normal((60, 5)))
    X = sparse.csc_array(X) if scattered else X
    y = X @ np.ones(5) + rng.standard_normal(60)
    y = y if family == "gaussian" else (y > 0).astype(np.float64)
    folds = (np.arange(60) % 3).astype(np.int32)
    peer.curve(Task(X, y, folds, family, (ratio,), np.array([[0.3, 0.1, 0.03]]), cores), None)


def _tol(job: dict[str, str]) -> float | None:
    return float(job["tol"]) if job["tol"] else None


def _numbers(words: str) -> list[int]:
    return [int(word) for word in words.split(",")]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(sys.argv[1:])
