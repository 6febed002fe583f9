"""Dry runs, memory and time: what is said beforehand, and what happens when there is not enough."""

import csv
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from regcli.app.limits import read_size
from regcli.errors import UsageError
from regcli.report.schemas import SCHEMAS
from tests.cli.conftest import ROOT, Process

Run = Callable[..., Process]

DATA = str(ROOT / "sample_data" / "clinic_visits.csv")
FIT = (DATA, "-y", "cost", "--family", "gaussian", "--id", "visit_id", "--drop", "visit_date", "--missing", "mean")

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the limit is held by Linux")


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A table whose path takes some two seconds: 3,000 x 300, two classes."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 300))
    y = (X[:, :20].sum(axis=1) + 3 * rng.normal(size=3000) > 0).astype(int)
    path = tmp_path_factory.mktemp("large") / "large.csv"
    header = ",".join(f"x{at}" for at in range(300)) + ",y"
    np.savetxt(path, np.column_stack([X, y]), delimiter=",", fmt="%.5g", header=header, comments="")
    return str(path)


@pytest.mark.parametrize("command", ["fit", "cv", "path"])
def test_a_dry_run_foretells_the_run_and_writes_nothing(tmp_path: Path, regcli: Run, command: str) -> None:
    more = () if command == "path" else ("--folds", "5", "-m", "m.json")
    words = (command, *FIT, "--no-config", "--lambda", "3,2,1", *more, "-o", "out.json")
    done = regcli(*words, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []
    plan = json.loads(done.stdout)
    jsonschema.validate(plan, SCHEMAS["plan"])
    real = regcli(*words, "-v")
    assert real.returncode == 0, real.stderr
    document = json.loads((tmp_path / "out.json").read_text())
    assert plan["data"] == document["data"]
    assert (plan["n_terms"], plan["n_features"]) == (document["n_terms"], document["n_features"])
    assert {key: plan[key] for key in ("options", "seed", "dropped")} == {
        key: document[key] for key in ("options", "seed", "dropped")
    }
    assert f"engine {plan['engine']}: {plan['models']} lanes" in real.stderr
    assert plan["writes"] == ["out.json", *(("m.json",) if more else ())]
    assert plan["memory"]["matrix_bytes"] >= 8 * plan["rows"]["fitted"] * plan["n_terms"]
    parts = {entry["column"]: entry["role"] for entry in plan["columns"]}
    assert (parts["cost"], parts["visit_id"], parts["visit_date"], parts["age"]) == (
        "target",
        "id",
        "dropped",
        "feature",
    )
    assert [grid["n"] for grid in plan["grid"]] == [3]
    if more:
        held = {key: plan["validation"][key] for key in ("scheme", "folds", "repeats", "gap")}
        assert held == document["validation"]


def test_a_dry_run_foretells_the_grid(regcli: Run) -> None:
    words = ("path", *FIT, "--penalty", "elasticnet")
    plan = json.loads(regcli(*words, "--dry-run").stdout)
    lambdas = json.loads(regcli(*words).stdout)["lambdas"]
    (grid,) = plan["grid"]
    assert (grid["first"], grid["n"], grid["l1_ratio"]) == (lambdas[0], 100, 0.5)
    assert "dry run: nothing was fitted or written" in regcli(*words, "--dry-run", "-f", "table").stdout


def test_a_dry_run_is_written_in_the_format_that_is_asked_for(regcli: Run, tmp_path: Path) -> None:
    plan, table = (regcli("fit", *FIT, "--dry-run", "-f", form).stdout for form in ("json", "table"))
    assert json.loads(plan)["schema"] == "regcli.plan/1"
    assert table.startswith("fit, dry run: nothing was fitted or written\n")
    assert regcli("fit", *FIT, "--dry-run", REGCLI_FORMAT="table").stdout == table
    assert regcli("fit", *FIT, "--dry-run", "-f", "json", REGCLI_FORMAT="table").stdout == plan
    columns = [("age", "feature", "number", "1"), ("cost", "target", "number", "")]
    csv_rows = [tuple(row) for row in csv.reader(regcli("fit", *FIT, "--dry-run", "-f", "csv").stdout.splitlines())]
    assert csv_rows[0] == ("column", "role", "type", "n_terms")
    assert set(columns) < set(csv_rows[1:])
    assert len(csv_rows) - 1 == len(json.loads(plan)["columns"])
    md = regcli("fit", *FIT, "--dry-run", "-f", "md").stdout
    assert md.startswith("* fit, dry run&#58; nothing was fitted or written\n")
    assert "| `age` | `feature` | `number` | 1 |\n" in md
    assert regcli("fit", *FIT, "--dry-run", "-f", "names").stdout == plan  # a format that only the result has
    (tmp_path / "regcli.toml").write_text('[fit]\nformat = "table"\n')
    assert regcli("fit", *FIT, "--dry-run").stdout.startswith("fit, dry run")


def test_a_dry_run_refuses_what_the_run_refuses(regcli: Run) -> None:
    for words in (("--drop", "nothing"), ("--folds", "99999"), ("--solver", "newton"), ("-o", "x.unknown")):
        dry, real = (regcli("fit", *FIT, *words, *more) for more in (("--dry-run",), ()))
        assert (dry.returncode, dry.stderr) == (real.returncode, real.stderr)
        assert dry.returncode in (2, 3)


@pytest.mark.parametrize(
    ("text", "size"), [("500MB", 500_000_000), ("2GiB", 2 << 30), ("1.5 kib", 1536), ("7B", 7), ("3tb", 3 * 10**12)]
)
def test_sizes(text: str, size: int) -> None:
    assert read_size("--max-memory", text) == size


@pytest.mark.parametrize(
    "text", ["", "5", "MB", "-1MB", "0MB", "101%", "0%", "1e3MB", "5 5MB", "5XB", "nan", "\u0665MB"]
)
def test_no_sizes(text: str, regcli: Run) -> None:
    with pytest.raises(UsageError):
        read_size("--max-memory", text)
    assert regcli("fit", *FIT, "--max-memory", text or " ").returncode == 2


def test_a_share_is_of_the_memory() -> None:
    assert read_size("--max-memory", "50%") == pytest.approx(read_size("--max-memory", "100%") / 2, abs=1)


@linux
@pytest.mark.parametrize("megabytes", [1, 60, 140, 150, 160, 170, 180])
def test_too_little_memory_is_7_with_words(large: str, regcli: Run, megabytes: int, tmp_path: Path) -> None:
    words = ("fit", large, "--family", "binomial", "--lambda", "0.05", "-o", "out.json", "-q", "-y", "y")
    done = regcli(*words, "--max-memory", f"{megabytes}MB")
    if done.returncode == 0 and megabytes > 140:  # a leaner machine
        return
    assert done.returncode == 7, done.stderr
    assert "error[out-of-memory]" in done.stderr
    assert "--max-memory" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["fit", "cv", "path", "inspect"])
def test_a_table_that_is_too_large_is_refused_before_it_is_read(regcli: Run, tmp_path: Path, command: str) -> None:
    rows = 400_000_000 // 12
    with (tmp_path / "large.csv").open("wb") as file:  # 400 MB of which the disk holds the beginning alone
        file.write(b"a,b,c,y\n" + b"1,2,3,0.25\n" * 20_000)
        file.truncate(400_000_000)
    began = time.monotonic()
    done = regcli(command, "large.csv", "-y", "y", "--max-memory", "300MB")
    assert (done.returncode, done.stdout) == (7, "")
    assert "rows x 4 columns would take the process to some" in done.stderr
    told = int(done.stderr.split("about ")[1].split(" rows")[0].replace(",", ""))
    assert 0.9 * rows < told < 1.1 * rows
    assert time.monotonic() - began < 20  # it takes a minute to read what is not there


@linux
@pytest.mark.parametrize("megabytes", [290, 400])
def test_room_that_is_not_used_is_not_counted(regcli: Run, tmp_path: Path, megabytes: int) -> None:
    """Lines grow longer: the first ones promise five times the rows that there are."""
    rows = [f"{at % 97},{at % 89},{at % 10}\n" for at in range(200_000)]
    rows += [f"{at % 97 / 7!r},{at % 89 / 9!r},{at % 10 / 3!r}\n" for at in range(900_000)]
    (tmp_path / "grow.csv").write_text("a,b,y\n" + "".join(rows))
    words = ("fit", "grow.csv", "-y", "y", "--lambda", "0.1", "--family", "gaussian", "-j", "2", "-q")
    done = regcli(*words, "--max-memory", f"{megabytes}MB")
    assert done.returncode in ({0} if megabytes == 400 else {0, 7}), done.stderr
    assert "Traceback" not in done.stderr


@linux
def test_enough_memory_changes_nothing(regcli: Run) -> None:
    plain = regcli("fit", *FIT)
    assert plain.returncode == 0
    assert regcli("fit", *FIT, "--max-memory", "2GiB").stdout == plain.stdout
    assert regcli("fit", *FIT, REGCLI_MAX_MEMORY="2GiB", REGCLI_MAX_SECONDS="1000").stdout == plain.stdout
    assert regcli("fit", *FIT, REGCLI_MAX_MEMORY="1MB").returncode == 7


def cut(regcli: Run, large: str, command: str) -> dict[str, Any]:
    """A result that the time ended: of ever longer times one is long enough for a strength and too short for all."""
    words = (command, large, "-y", "y", "--family", "binomial", "--n-lambdas", "400", "--lambda-min-ratio", "1e-7")
    more = () if command == "path" else ("--full-path",)
    for tenths in range(8, 300, 6):
        done = regcli(*words, *more, "--max-seconds", f"{tenths / 10}")
        if done.returncode == 0:
            assert "warning[out-of-time]" in done.stderr
            return dict(json.loads(done.stdout))
        assert done.returncode == 7
        assert "error[out-of-time]" in done.stderr
        assert done.stdout == ""
    raise AssertionError


@pytest.mark.slow
@pytest.mark.parametrize("command", ["path", "cv"])
def test_a_path_ends_with_what_is_done_by_then(large: str, regcli: Run, command: str) -> None:
    found = cut(regcli, large, command)
    jsonschema.validate(found, SCHEMAS[command])
    count = len(found["lambdas"])
    assert found["stopped"] == {"reason": "max_seconds", "at": count - 1, "of": 400}
    assert 0 < count < 400
    (warning,) = (entry for entry in found["warnings"] if entry["code"] == "out-of-time")
    assert (warning["at"], warning["of"]) == (count - 1, 400)
    if command == "path":
        given = ",".join(map(repr, found["lambdas"]))
        whole = json.loads(regcli("path", large, "-y", "y", "--family", "binomial", "--lambda", given).stdout)
        assert whole["lambdas"] == found["lambdas"]
        for one, other in zip(found["coefficients"], whole["coefficients"], strict=True):
            assert one["values"] == pytest.approx(other["values"], abs=1e-5)


@pytest.mark.parametrize("command", ["fit", "cv", "path"])
def test_a_dry_run_refuses_the_strengths_that_the_run_refuses(regcli: Run, tmp_path: Path, command: str) -> None:
    (tmp_path / "wide.csv").write_text("a,b,c,y\n1,2,3,4\n2,3,5,8\n5,8,3,1\n")
    words = (command, "wide.csv", "-y", "y", "--family", "gaussian", "--penalty-factor", "*=0", "--lambda", "1,0")
    dry, real = (regcli(*words, *more) for more in (("--dry-run",), ()))
    assert (dry.returncode, dry.stderr) == (real.returncode, real.stderr)
    assert "error[under-determined]: 3 rows cannot determine 3 columns" in real.stderr


def test_a_comparison_is_held_to_what_it_may_use(regcli: Run, tmp_path: Path) -> None:
    assert regcli("fit", *FIT, "--lambda", "1", "-o", "a.json").returncode == 0
    assert regcli("diff", "a.json", "a.json", "--max-memory", "2GiB", "--max-seconds", "100").returncode == 0
    for option, value, status in (
        ("--max-memory", "banana", 2),
        ("--max-seconds", "0", 2),
        ("--max-memory", "1MB", 7),
        ("--max-seconds", "0.000001", 7),
    ):
        done = regcli("diff", "a.json", "a.json", option, value, "-o", "out.json")
        assert (done.returncode, done.stdout) == (status, ""), (option, value)
        assert option in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"a.json"}


def test_no_time_at_all_is_7_at_once(large: str, regcli: Run, tmp_path: Path) -> None:
    begun = time.monotonic()
    done = regcli("fit", large, "-y", "y", "-o", "out.json", "--max-seconds", "0.01")
    assert (done.returncode, list(tmp_path.iterdir())) == (7, [])
    assert time.monotonic() - begun < 30
    assert regcli("fit", large, "--max-seconds", "0").returncode == 2
    assert regcli("fit", large, REGCLI_MAX_SECONDS="soon").returncode == 2


def test_success_is_silent_with_qq(regcli: Run, tmp_path: Path) -> None:
    words = ("fit", DATA, "--id", "visit_id", "--drop", "visit_date", "--missing", "drop", "-y", "cost")
    done = regcli(*words, "-m", "m.json", "-o", "out.json", "-qq")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    done = regcli("predict", "m.json", DATA, "-o", "p.csv", "--on-bad-row", "null", "-qq")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert {path.name for path in tmp_path.iterdir()} == {"m.json", "out.json", "p.csv"}


@linux
@pytest.mark.parametrize("jobs", ["1", "4"])
def test_whatever_the_limit_a_fit_ends_well_or_says_that_it_is_too_little(jobs: str, regcli: Run) -> None:
    """BLAS asks without end for memory that the system refuses it: it has what it needs before the limit is held."""
    statuses = []
    for megabytes in range(40, 240, 20):
        done = regcli("fit", *FIT, "--max-memory", f"{megabytes}MB", "-j", jobs)
        assert done.returncode in (0, 7), (megabytes, done.stderr)
        assert done.returncode == 0 or done.stderr.startswith("error[out-of-memory]"), (megabytes, done.stderr)
        statuses.append(done.returncode)
    assert statuses == sorted(statuses, reverse=True)
    assert (statuses[0], statuses[-1]) == (7, 0)
    least = regcli("fit", *FIT, "--max-memory", "1MB", "--json")
    assert json.loads(least.stderr)["hint"] == "a larger --max-memory"  # no smaller table helps


@linux
def test_whatever_the_limit_a_table_of_several_blocks_is_read_or_said_to_be_too_large(
    tmp_path: Path, regcli: Run
) -> None:
    """Readers that are refused memory end the process, and libraries cannot be loaded."""
    table, statuses = tmp_path / "long.csv", []
    rows = "".join(f"{at % 7}.5,{at % 11},{at % 13}.25,{at}\n" for at in range(300_000))
    table.write_text(f"a,b,c,y\n{rows}", encoding="utf-8")
    for megabytes in range(80, 300, 20):
        words = ("-y", "y", "--family", "gaussian", "-l", "1", "-j", "4", "--max-memory", f"{megabytes}MB")
        done = regcli("fit", str(table), *words)
        assert done.returncode in (0, 7), (megabytes, done.stderr)
        statuses.append(done.returncode)
    assert statuses == sorted(statuses, reverse=True)
    assert (statuses[0], statuses[-1]) == (7, 0)


@linux
def test_a_small_document_is_read_within_little(tmp_path: Path, regcli: Run) -> None:
    path = str(tmp_path / "a.json")
    assert regcli("fit", *FIT, "-l", "1", "-o", path).returncode == 0
    assert regcli("diff", path, path, "--max-memory", "120MB").returncode == 0
