"""``python -m benchmarks``: see ``README.md`` beside this file."""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.cases import CASES, QUICK_CASES, QUICK_TABLES, TABLES
from benchmarks.data import ROOT, Absent
from benchmarks.growth import growth_markdown, run_growth
from benchmarks.measure import Tools, version_of
from benchmarks.peers import PEERS
from benchmarks.plots import plot_accuracy, plot_growth
from benchmarks.report import about_lines, markdown
from benchmarks.suite import ACCURACIES, Plan, Record, Tolerances, run_case
from benchmarks.whole import run_whole, whole_markdown

__all__ = ["main"]


def main(words: list[str] | None = None) -> int:
    """Run what the words ask for and write the results."""
    asked = _parser().parse_args(words)
    limit = asked.limit or (20.0 if asked.quick else 300.0)
    tools = Tools(dict(pair.rpartition("=")[::2] for pair in asked.python), limit)
    out = Path(asked.out) / ("quick" if asked.quick else "")
    out.mkdir(parents=True, exist_ok=True)
    versions, absent = _present(asked.peers or list(PEERS), tools)
    if asked.full_path != asked.default:
        versions.pop("regcli-stopped" if asked.full_path else "regcli", None)
    count = 1 if asked.cores == "1" else machine.cores()
    plan = Plan(versions, tuple(asked.accuracy), asked.repeats, count, tools, Path(asked.data), _say)
    about = {**machine.describe(), "versions": plan.peers}
    if asked.whole_process:
        _whole(plan, about, absent, out, quick=asked.quick)
    if asked.growth:
        points = run_growth(plan, quick=asked.quick)
        _write(out / "growth.json", {"about": about, "points": [point.plain() for point in points]})
        (out / "growth.md").write_text(growth_markdown(about_lines(about, absent), points), "utf-8")
        plot_growth(points, out)
    if asked.shapes or not (asked.whole_process or asked.growth):
        _solvers(asked, plan, about, absent, out)
    return 0


def _whole(plan: Plan, about: Mapping[str, Any], absent: Mapping[str, str], out: Path, *, quick: bool) -> None:
    """Whole processes on the diabetes table and on tall."""
    cases, tables = (QUICK_CASES, QUICK_TABLES) if quick else (CASES, TABLES)
    found = [
        whole for name in ("diabetes", "tall") for whole in run_whole(tables[cases[name].table], cases[name], plan)
    ]
    _write(out / "whole.json", {"about": about, "runs": [vars(whole) for whole in found]})
    (out / "whole.md").write_text(whole_markdown(about_lines(about, absent), found), "utf-8")


def _write(path: Path, document: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=1) + "\n", "utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = _list_of(tuple(CASES))
    parser.add_argument("--shapes", type=names, help="cases, comma-separated: " + ", ".join(CASES))
    parser.add_argument("--peers", type=_list_of(PEERS), help="tools, comma-separated: " + ", ".join(PEERS))
    parser.add_argument("--quick", action="store_true", help="small tables: seconds, and no figures worth keeping")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--full-path", action="store_true", help="regcli's whole paths alone")
    parser.add_argument("--default", action="store_true", help="regcli with its stopping rule alone")
    parser.add_argument("--accuracy", type=_list_of(tuple(ACCURACIES)), default=list(ACCURACIES))
    parser.add_argument("--cores", choices=("1", "all"), default="1")
    parser.add_argument("--whole-process", action="store_true", help="text to JSON, beside scripts in R and Python")
    parser.add_argument("--growth", action="store_true", help="time against rows, columns and folds")
    parser.add_argument("--limit", type=float, help="seconds a run may take; 300, with --quick 20")
    parser.add_argument("--python", action="append", default=[], metavar="[TOOL=]PATH", help="interpreter of a tool")
    parser.add_argument("--data", default=str(ROOT / "data"), help="where tables are kept")
    parser.add_argument("--out", default=str(ROOT / "results"), help="where results are written")
    return parser


def _list_of(known: tuple[str, ...]) -> Any:  # noqa: ANN401  (argparse's idea of a type)
    def names(text: str) -> list[str]:
        words = text.split(",")
        for word in words:
            if word not in known:
                raise argparse.ArgumentTypeError(f"{word!r} is none of {', '.join(known)}")
        return words

    return names


def _present(peers: list[str], tools: Tools) -> tuple[dict[str, str], dict[str, str]]:
    """Versions of the peers that run here, and the reasons why the others do not."""
    versions, absent = {}, {}
    for peer in peers:
        try:
            versions[peer] = version_of(peer, tools)
        except Absent as reason:
            absent[peer] = str(reason)
            _say(f"{peer}: absent, {reason}")
    return versions, absent


def _solvers(
    asked: argparse.Namespace, plan: Plan, about: Mapping[str, Any], absent: Mapping[str, str], out: Path
) -> None:
    """Run the cases one after the other; what is done is written after each."""
    cases, tables = (QUICK_CASES, QUICK_TABLES) if asked.quick else (CASES, TABLES)
    tolerances = Tolerances(out / "tolerances.json")
    records = _known(out / "solvers.json", about)
    about = _joined(out / "solvers.json", about) if records else about
    for name in asked.shapes or cases:
        case = cases.get(name)
        if case is None:
            plan.say(f"{name}: has no small table")
            continue
        try:
            found = run_case(tables[case.table], case, plan, tolerances)
        except Absent as reason:
            plan.say(f"{name}: absent, {reason}")
            continue
        keys = {(r.case, r.peer, r.accuracy, r.cores) for r in found}
        records = [r for r in records if (r.case, r.peer, r.accuracy, r.cores) not in keys] + found
        records.sort(key=lambda r: (r.cores, list(cases).index(r.case), list(ACCURACIES).index(r.accuracy)))
        document = {"about": about, "absent": absent, "records": [r.plain() for r in records]}
        _write(out / "solvers.json", document)
        plot_accuracy(records, out)
        (out / "solvers.md").write_text(markdown(about, records, absent, plan.tools.limit), "utf-8")


def _known(path: Path, about: Mapping[str, Any]) -> list[Record]:
    """Records of an earlier run on the same machine, of tools in the same version; others are let go."""
    if not path.exists():
        return []
    document = json.loads(path.read_text("utf-8"))
    before, now = document["about"], about["versions"]
    if any(before.get(key) != value for key, value in about.items() if key != "versions"):
        return []
    kept = {tool for tool, version in before["versions"].items() if now.get(tool, version) == version}
    return [Record(**record) for record in document["records"] if record["peer"] in kept]


def _joined(path: Path, about: Mapping[str, Any]) -> Mapping[str, Any]:
    """The machine and the versions of all tools that have records, those of an earlier run too."""
    earlier = json.loads(path.read_text("utf-8"))["about"]["versions"] if path.exists() else {}
    return {**about, "versions": {**earlier, **about["versions"]}}


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
