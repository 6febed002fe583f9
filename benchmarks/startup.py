"""What a process costs before and around its work: ``python -m benchmarks.startup`` writes ``startup.md``.

Processor seconds, the least of several runs that take turns: other work on the machine can only add to them.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from benchmarks import machine
from benchmarks.data import ROOT, Absent
from benchmarks.measure import Tools, environment, rscript, version_of
from benchmarks.report import table

__all__ = ["main"]

_SAMPLE = str(ROOT.parent / "sample_data" / "diabetes.csv")


def _commands() -> dict[str, list[str]]:
    """Command lines by what they do; that of R only where R is."""
    tool = [sys.executable, "-m", "regcli"]
    fit = [*tool, "fit", _SAMPLE, "--target", "progression", "--family", "gaussian", "--jobs", "1"]
    out = {
        "`regcli --version`": [*tool, "--version"],
        "`regcli fit --help`": [*tool, "fit", "--help"],
        "`regcli fit diabetes.csv`, 10 folds": fit,
        "Python: `import pandas`, `from sklearn.linear_model import LassoCV`, nothing else": [
            sys.executable,
            "-c",
            "import pandas; from sklearn.linear_model import LassoCV",
        ],
    }
    try:
        out["R: `library(glmnet)`, nothing else"] = [rscript(), "-e", "suppressMessages(library(glmnet))"]
    except Absent as reason:
        sys.stderr.write(f"glmnet: absent, {reason}\n")
    return out


def _seconds(command: list[str]) -> float:
    """Processor seconds of a process and its children."""
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=ROOT.parent, env=environment(1), stdout=quiet, stderr=quiet)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime


def _version(peer: str) -> str:
    try:
        return version_of(peer, Tools({}, limit=60.0))
    except Absent as reason:
        return f"absent ({reason})"


def main(words: list[str] | None = None) -> int:
    """Run every command in turn and write ``startup.md``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.startup", description=__doc__)
    parser.add_argument("--repeats", type=int, default=9, help="runs of each")
    parser.add_argument("--out", default=str(ROOT / "results"))
    asked = parser.parse_args(words)
    commands = _commands()
    least = dict.fromkeys(commands, float("inf"))
    for _ in range(asked.repeats):
        for name, command in commands.items():
            least[name] = min(least[name], _seconds(command))
    versions = {peer: _version(peer) for peer in ("regcli", "scikit-learn", "glmnet")}
    about = "\n".join(f"* {key}: {value}" for key, value in {**machine.describe(), **versions}.items())
    rows = [[name, f"{seconds:.2f}"] for name, seconds in least.items()]
    text = (
        f"# Starting\n\n{about}\n\nProcessor seconds on one core, the least of {asked.repeats} runs. "
        f"The diabetes table has 442 rows and 10 columns.\n\n{table(['what runs', 'seconds'], rows)}"
    )
    Path(asked.out).mkdir(parents=True, exist_ok=True)
    (Path(asked.out) / "startup.md").write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
