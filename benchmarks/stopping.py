"""How often the stopping rule of ``regcli cv`` loses the minimum: ``python -m benchmarks.stopping``.

Full paths of many generated problems are walked once, and the rule is asked after every strength where it would have
stopped. It is wrong where the best strength up to there is not the best of the whole path. Some problems are given to
the tool itself, to see that it stops there; so are the tables of ``sample_data`` and those of ``tests/reference``.
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import machine
from benchmarks.data import ROOT, Array
from benchmarks.peer import Task
from benchmarks.peers.ours import TOL, generated_grid, make_problem, walked
from benchmarks.report import table
from regcli.app.parallel import single_blas_thread
from regcli.solvers.engine import serial_map
from regcli.solvers.path import Grid

__all__ = ["KINDS", "Case", "Judged", "judge", "main", "make_case"]

FAMILIES = ("gaussian", "binomial", "poisson")

#: The order in which families take turns: most problems are gaussian, which are solved much faster.
TURNS = ("gaussian", "binomial", "gaussian", "gaussian", "gaussian", "poisson", "gaussian", "gaussian")
FOLDS, STRENGTHS, SEED = 10, 100, 2024

#: Every so many problems one is given to the tool too.
CHECKED = 60


@dataclass(frozen=True)
class Case:
    """A generated problem: X (n, p), y (n,), folds (n,), weights (n,) or None."""

    kind: str
    task: Task
    weights: Array | None


@dataclass(frozen=True)
class Judged:
    """How the rule did: strengths of the full path, where it would have stopped, where the minimum is, time saved."""

    kind: str
    family: str
    weighted: bool
    steps: int
    stopped: int | None
    best: int | None
    best_stopped: int | None
    saved: float

    @property
    def wrong(self) -> bool:
        """Whether stopping would have changed the choice."""
        return self.best != self.best_stopped


def _suppressors(rng: np.random.Generator, n: int, p: int) -> tuple[Array, Array]:
    """Pairs of columns almost alike with opposite coefficients: what they explain shows late on the path."""
    half = rng.standard_normal((n, p // 2))
    twin = half + rng.uniform(0.1, 0.5) * rng.standard_normal(half.shape)
    coefs = np.zeros(2 * half.shape[1])
    count = int(rng.integers(1, 4))
    size = rng.uniform(2, 6, count)
    coefs[:count], coefs[half.shape[1] : half.shape[1] + count] = size, -size * rng.uniform(0.8, 1.0)
    return np.hstack([half, twin]), coefs


def _double_descent(rng: np.random.Generator, n: int, _p: int) -> tuple[Array, Array]:
    """About as many columns as training rows and a dense truth: errors peak where the training rows are fitted."""
    p = round(n * rng.uniform(0.8, 1.1))
    return rng.standard_normal((n, p)), rng.standard_normal(p)


def _dense(rng: np.random.Generator, n: int, p: int) -> tuple[Array, Array]:
    return rng.standard_normal((n, p)), rng.standard_normal(p)


def _sparse(rng: np.random.Generator, n: int, p: int) -> tuple[Array, Array]:
    coefs = np.zeros(p)
    coefs[: max(1, p // 10)] = rng.standard_normal(max(1, p // 10))
    return rng.standard_normal((n, p)), coefs


def _some(rng: np.random.Generator, p: int) -> Array:
    """A quarter of the coefficients, the first among them."""
    return np.where((rng.random(p) < 0.25) | (np.arange(p) == 0), rng.standard_normal(p), 0.0)


def _neighbours(rng: np.random.Generator, n: int, p: int) -> tuple[Array, Array]:
    """An AR(1) process of strong correlation and a sparse truth of both signs."""
    rho, columns = rng.uniform(0.8, 0.98), rng.standard_normal((p, n))
    for j in range(1, p):
        columns[j] = rho * columns[j - 1] + np.sqrt(1 - rho**2) * columns[j]
    return columns.T, _some(rng, p)


def _factors(rng: np.random.Generator, n: int, p: int) -> tuple[Array, Array]:
    """Columns that share two factors, the truth in what they do not share."""
    shared = rng.standard_normal((n, 2)) @ rng.standard_normal((2, p))
    return 2.0 * shared + rng.standard_normal((n, p)), _some(rng, p)


def _strong_and_weak(rng: np.random.Generator, n: int, p: int) -> tuple[Array, Array]:
    """One strong column, related to many weak ones."""
    strong = rng.standard_normal(n)
    X = rng.standard_normal((n, p)) + 0.3 * strong[:, None]
    X[:, 0] = strong
    coefs = 0.2 * rng.standard_normal(p)
    coefs[0] = 3.0
    return X, coefs


def _pair_behind(rng: np.random.Generator, n: int, p: int) -> tuple[Array, Array]:
    """A strong column, and a pair so much alike that what it explains shows long after the noise of all others."""
    X = rng.standard_normal((n, max(p, 3)))
    apart = rng.uniform(0.05, 0.2)
    X[:, 1] = X[:, 2] + apart * X[:, 1]
    coefs = np.zeros(X.shape[1])
    coefs[:3] = 2.0, 1.0 / apart, -1.0 / apart
    return X, coefs


#: What makes columns and coefficients, by kind.
KINDS = {
    "suppressors": _suppressors,
    "double descent": _double_descent,
    "dense truth": _dense,
    "sparse truth": _sparse,
    "neighbours": _neighbours,
    "factors": _factors,
    "strong and weak": _strong_and_weak,
    "pair behind": _pair_behind,
}


def make_case(index: int) -> Case:
    """The problem of a number: kinds, families and weights take turns."""
    rng = np.random.default_rng([SEED, index])
    kind = list(KINDS)[index % len(KINDS)]
    family = TURNS[index // len(KINDS) % len(TURNS)]
    largest = (120, 90) if family == "gaussian" else (80, 50)
    n, p = int(rng.integers(40, largest[0] + 1)), int(rng.integers(8, largest[1] + 1))
    X, coefs = KINDS[kind](rng, n, p)
    signal = X @ coefs
    signal = (signal - signal.mean()) / signal.std()
    strength = rng.choice([0.5, 1.0, 3.0, 10.0])
    if family == "gaussian":
        y = signal * np.sqrt(strength) + rng.standard_normal(n)
    elif family == "binomial":
        y = (rng.random(n) < 1.0 / (1.0 + np.exp(-np.sqrt(strength) * signal))).astype(np.float64)
        y[:2] = 0.0, 1.0
    else:
        y = rng.poisson(np.exp(1.0 + 0.4 * np.sqrt(min(strength, 3.0)) * signal)).astype(np.float64)
        y[0] += not y.any()
    weighted = index // (len(KINDS) * len(TURNS)) % 3 == 2
    weights = rng.uniform(0.2, 3.0, n) if weighted else None
    folds = rng.permutation(np.arange(n) % FOLDS).astype(np.int32)
    task = Task(np.asfortranarray(X), y, folds, family, (1.0,), np.zeros((1, STRENGTHS)), 1)
    return Case(kind, task, weights)


def judge(case: Case) -> Judged:
    """Walk the full path and ask the rule along the way."""
    task = replace(case.task, X=np.array(case.task.X, order="F"))  # it is taken over
    problem = make_problem(task, 1.0, TOL, serial_map, weights=case.weights)
    found = walked(problem, Grid(generated_grid(problem, STRENGTHS), generated=True), stop=False, judge=True)
    cost = np.where(found.usable & np.isfinite(found.mean), found.mean, np.inf)
    return Judged(
        kind=case.kind,
        family=task.family,
        weighted=case.weights is not None,
        steps=cost.size,
        stopped=found.turned,
        best=_best(cost),
        best_stopped=_best(cost[: found.turned]),
        saved=0.0 if found.turned is None else float(1.0 - found.seconds[found.turned - 1] / found.seconds[-1]),
    )


def _best(cost: Array) -> int | None:
    """The first of the least; None where no strength may be chosen."""
    return int(np.argmin(cost)) if np.isfinite(cost).any() else None


def _tool(path: Path, *words: str) -> dict[str, Any] | None:
    """The document of ``regcli cv``; None where it has an error of its own, such as a fold without a class."""
    command = [sys.executable, "-m", "regcli", "cv", str(path), *words, "--json", "--jobs", "1"]
    run = subprocess.run(command, cwd=ROOT.parent, capture_output=True, text=True, check=False)
    return json.loads(run.stdout) if run.returncode == 0 else None


def tool_agrees(case: Case, judged: Judged, folder: Path) -> bool | None:
    """Whether the tool stops where the rule was found to; None where it refuses the table."""
    path, task = folder / "problem.csv", case.task
    weights = np.ones(task.y.size) if case.weights is None else case.weights
    with path.open("w", newline="", encoding="ascii") as file:
        writer = csv.writer(file)
        writer.writerow([*(f"x{j}" for j in range(task.X.shape[1])), "y", "w", "fold"])
        for row, y, weight, fold in zip(task.X, task.y, weights, task.folds, strict=True):
            writer.writerow([*map(repr, row.tolist()), repr(float(y)), repr(float(weight)), int(fold)])
    words = ["--target", "y", "--weights", "w", "--fold-column", "fold", "--family", task.family]
    document = _tool(path, *words)
    if document is None:
        return None
    last = judged.steps if judged.stopped is None else judged.stopped
    return len(document["lambdas"]) == last and document["index_min"] == judged.best_stopped


def stored_tables() -> list[tuple[str, Path, list[str]]]:
    """Names, files and options of the sample tables and of the reference cases, with generated strengths."""
    samples = ROOT.parent / "sample_data"
    visits = "--target cost --id visit_id --drop visit_date --missing median --missing insurance=drop"
    faults = "--target faults --family poisson --exposure hours --drop month --group machine"
    out = [
        ("diabetes", samples / "diabetes.csv", []),
        ("breast_cancer", samples / "breast_cancer.csv", []),
        ("clinic_visits", samples / "clinic_visits.csv", visits.split()),
        ("machine_faults", samples / "machine_faults.csv", faults.split()),
    ]
    reference = ROOT.parent / "tests" / "reference"
    for case in json.loads((reference / "cases.json").read_text("utf-8"))["cases"]:
        words = case["args_cv"]
        if "--lambda" in words and "l2" not in words:
            at = words.index("--lambda")
            out.append((case["name"], reference / "cases" / case["csv"], words[:at] + words[at + 2 :]))
    return out


def _stored(say: Any) -> str:  # noqa: ANN401  (a function that prints)
    """Run every stored table twice where it stops at all; a paragraph about it."""
    tried, stopped, wrong, refused = 0, 0, [], 0
    for name, path, words in stored_tables():
        document = _tool(path, *words)
        if document is None:
            refused += 1
            continue
        tried += 1
        if not document["stopped"] or document["stopped"]["reason"] != "cv_turned":
            continue
        stopped += 1
        full = _tool(path, *words, "--full-path")
        if full is None or full["lambda_min"] != document["lambda_min"]:
            wrong.append(name)
    say(f"stored tables: {tried}, stopped {stopped}, wrong {wrong}, refused {refused}")
    return (
        f"Sample tables and reference cases with generated strengths, by the tool itself: {tried} problems, "
        f"{stopped} stopped, {len(wrong)} wrong{''.join(f', {name}' for name in wrong)}; {refused} were refused.\n"
    )


def _page(judged: Sequence[Judged], agreed: Sequence[bool], stored: str) -> str:
    """The report."""
    groups = [(kind, [j for j in judged if j.kind == kind]) for kind in KINDS]
    groups += [(family, [j for j in judged if j.family == family]) for family in FAMILIES]
    groups += [("weighted", [j for j in judged if j.weighted]), ("all", list(judged))]
    rows = [[name, *_figures(some)] for name, some in groups if some]
    about = "\n".join(f"* {key}: {value}" for key, value in machine.describe().items())
    header = ["kind", "problems", "stopped", "wrong", "wrong of stopped", "time saved where stopped"]
    return (
        f"# Where cross-validation stops\n\n{about}\n\n"
        "Generated problems of 40 to 120 rows, 10 folds, 100 strengths, lasso. *Wrong*: the strength that is chosen is "
        "not that of\nthe full path.\n\n"
        f"{table(header, rows)}\n"
        f"The tool itself stopped at the same strength with the same choice on {sum(agreed)} of {len(agreed)} of them "
        f"that were given to it.\n\n{stored}"
    )


def _figures(some: Sequence[Judged]) -> list[str]:
    stopped = [j for j in some if j.stopped is not None]
    wrong = sum(j.wrong for j in some)
    share = f"{100 * wrong / len(stopped):.2f} %" if stopped else "-"
    saved = f"{100 * float(np.mean([j.saved for j in stopped])):.0f} %" if stopped else "-"
    return [str(len(some)), str(len(stopped)), str(wrong), share, saved]


def main(words: list[str] | None = None) -> int:
    """Judge the rule and write ``stopping.md``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stopping", description=__doc__)
    parser.add_argument("--count", type=int, default=1200, help="generated problems")
    parser.add_argument("--no-stored", action="store_true", help="leave the sample tables and reference cases out")
    parser.add_argument("--out", default=str(ROOT / "results"))
    asked = parser.parse_args(words)
    single_blas_thread()
    judged, agreed = [], []
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as name:
        for index in range(asked.count):
            case = make_case(index)
            judged.append(judge(case))
            if index % CHECKED == 0:
                same = tool_agrees(case, judged[-1], Path(name))
                agreed += [] if same is None else [same]
                sys.stderr.write(f"{index + 1} of {asked.count}\n")
    for index, found in enumerate(judged):
        if found.wrong:
            sys.stderr.write(f"wrong: problem {index}, {found}\n")
    stored = "" if asked.no_stored else _stored(lambda text: sys.stderr.write(text + "\n"))
    out = Path(asked.out)
    out.mkdir(parents=True, exist_ok=True)
    (out / "stopping.md").write_text(_page(judged, agreed, stored), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
