"""The benchmarks run, and what they compare is the same problem."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks import startup
from benchmarks.__main__ import main
from benchmarks.cases import Case, Table
from benchmarks.data import load, make_folds, make_lambdas, prepare, spreads
from benchmarks.peer import Task
from benchmarks.peers import find_peer
from benchmarks.report import times
from benchmarks.stopping import judge, make_case, tool_agrees
from benchmarks.suite import Record

ROOT = Path(__file__).parents[3]
TABLE = Table("tiny", "gaussian", 120, 12, 0.5, 4, 2.0, seed=3)


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_peers_find_the_same_curve(tmp_path: Path, l1_ratio: float) -> None:
    folder = prepare(TABLE, tmp_path)
    lambdas = make_lambdas(folder, Case("tiny", "tiny", (l1_ratio,), 5, 12))
    folds, X = make_folds(120, 5), np.array(load(folder).X)
    centre, scale = spreads(X)
    curves = {}
    for name, tol in (("regcli", 1e-9), ("regcli-as-given", 1e-9), ("scikit-learn", 1e-10)):
        peer = find_peer(name)
        given = X if peer.standardizes else (X - centre) / scale
        task = Task(np.array(given, order="F"), load(folder).y, folds, "gaussian", (l1_ratio,), lambdas, 1)
        curves[name] = peer.curve(task, tol)
    np.testing.assert_allclose(curves["scikit-learn"], curves["regcli-as-given"], rtol=1e-6)
    np.testing.assert_allclose(curves["scikit-learn"], curves["regcli"], rtol=5e-2)


def test_tables_are_the_same_every_time(tmp_path: Path) -> None:
    first, second = (load(prepare(TABLE, tmp_path / name)) for name in ("a", "b"))
    np.testing.assert_array_equal(np.asarray(first.X), np.asarray(second.X))
    np.testing.assert_array_equal(first.y, second.y)
    assert np.asarray(first.X).flags.f_contiguous
    assert first.y.std() == pytest.approx(1.0)


def test_times_that_do_not_count_are_no_peers() -> None:
    def record(peer: str, seconds: float, off: float) -> Record:
        return Record("tall", peer, "default", 1, 10, 2, 5, 160, cpu=[seconds], wall=[seconds], off=off)

    records = [record("regcli", 1.0, 0.0), record("glmnet", 3.0, 1e-5), record("glum", 2.0, 0.1)]
    assert times(records, "tall", "default") == 3.0


def test_the_rule_is_judged_where_the_tool_stops(tmp_path: Path) -> None:
    cases = [make_case(index) for index in (4, 5)]
    found = [judge(case) for case in cases]
    assert [tool_agrees(case, judged, tmp_path) for case, judged in zip(cases, found, strict=True)] == [True, True]
    assert not any(judged.wrong for judged in found)


@pytest.mark.slow
def test_the_smallest_benchmark_runs(tmp_path: Path) -> None:
    words = ["--quick", "--shapes", "diabetes", "--peers", "regcli,scikit-learn", "--accuracy", "default,1e-4"]
    assert main([*words, "--repeats", "1", "--data", str(tmp_path / "data"), "--out", str(tmp_path)]) == 0
    document = json.loads((tmp_path / "quick" / "solvers.json").read_text("utf-8"))
    records = [Record(**record) for record in document["records"]]
    assert [(r.peer, r.accuracy, r.state) for r in records] == [
        (peer, accuracy, "ok") for accuracy in ("default", "1e-4") for peer in ("regcli", "scikit-learn")
    ]
    assert all(r.counts and r.worst is not None and r.peak > r.bare > 0 for r in records)
    assert all(r.worst is not None and r.worst <= 1e-4 for r in records if r.accuracy == "1e-4")
    assert "| regcli |" in (tmp_path / "quick" / "solvers.md").read_text("utf-8")


@pytest.mark.slow
def test_starting_is_timed(tmp_path: Path) -> None:
    assert startup.main(["--repeats", "1", "--out", str(tmp_path)]) == 0
    rows = re.findall(r"^\| (.+) \| ([\d.]+) \|$", (tmp_path / "startup.md").read_text("utf-8"), re.MULTILINE)
    seconds = {name: float(figure) for name, figure in rows}
    assert len(seconds) >= 4
    assert 0 < seconds["`regcli --version`"] < seconds["`regcli fit --help`"] < max(seconds.values())


def test_every_option_is_on_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    page = (ROOT / "benchmarks" / "README.md").read_text("utf-8")
    options = {word.strip("[],") for word in capsys.readouterr().out.split() if word.strip("[],").startswith("--")}
    assert {option for option in options if option != "--help" and option not in page} == set()
