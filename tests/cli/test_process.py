"""The command line as a process: help, versions, statuses, streams, signals."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Process, environment

Run = Callable[..., Process]

COMMANDS = ("fit", "path", "cv", "predict", "export", "schema", "man")
HEAVY = {"numpy", "scipy", "pandas", "joblib", "pyarrow", "rich", "sklearn"}


def loaded(*words: str) -> set[str]:
    """The modules that a run loads."""
    command = [sys.executable, "-X", "importtime", "-m", "regcli", *words]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0
    lines = done.stderr.splitlines()
    return {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")}


@pytest.mark.parametrize("flag", ["--version", "-V"])
def test_version_is_one_line(regcli: Run, flag: str) -> None:
    done = regcli(flag)
    assert (done.returncode, done.stdout, done.stderr) == (0, "regcli 0.1.0\n", "")


def test_version_is_known_after_a_command(regcli: Run) -> None:
    assert regcli("fit", "--version").stdout == "regcli 0.1.0\n"


def test_version_loads_neither_typer_nor_numpy() -> None:
    assert not loaded("--version") & (HEAVY | {"typer", "json", "regcli.cli"})


@pytest.mark.parametrize("words", [("--help",), ("fit", "--help"), ("schema",), ("man", "fit")])
def test_help_loads_nothing_heavy(words: tuple[str, ...]) -> None:
    assert not loaded(*words) & HEAVY


def counted(*words: str) -> tuple[int, set[str]]:
    """How many modules a run loads beyond those of an empty one, and which are regcli's."""
    command = [sys.executable, "-X", "importtime", "-c", "pass"]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=60, check=False)
    lines = done.stderr.splitlines()
    bare = {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")}
    more = loaded(*words) - bare
    return len(more), {name for name in more if name.startswith("regcli.")}


#: What starts with nothing to do load: as many modules as when this was written, and a tenth.
MOST = {("--version",): (20, 0), ("--help",): (171, 40), ("fit", "--help"): (171, 40)}


@pytest.mark.parametrize("words", MOST)
def test_a_start_loads_few_modules(words: tuple[str, ...]) -> None:
    count, own = counted(*words)
    most, most_own = MOST[words]
    assert count <= most
    assert len(own) <= most_own


def test_a_fit_of_text_loads_nothing_for_what_was_not_asked() -> None:
    data = str(ROOT / "sample_data" / "diabetes.csv")
    _, own = counted("fit", data, "-y", "progression", "--family", "gaussian", "-l", "1", "-f", "json")
    unasked = {
        "regcli.app.baseline", "regcli.app.check", "regcli.app.checks", "regcli.app.diff", "regcli.app.drawing",
        "regcli.app.export", "regcli.app.expressions", "regcli.app.inspect", "regcli.app.plan", "regcli.app.predict",
        "regcli.app.saving", "regcli.cli.checking", "regcli.cli.manual", "regcli.cli.mistakes",
        "regcli.data.arrays", "regcli.data.arrow", "regcli.data.chunks", "regcli.data.drift", "regcli.data.facts",
        "regcli.data.feather", "regcli.data.jsonl", "regcli.data.lines", "regcli.data.market", "regcli.data.model_file",
        "regcli.data.model_json", "regcli.data.model_read", "regcli.data.parquet", "regcli.data.scorer",
        "regcli.data.sparse", "regcli.data.suspects", "regcli.data.svm", "regcli.data.training",
        "regcli.report.blocks", "regcli.report.github", "regcli.report.junit", "regcli.report.page",
        "regcli.report.pictures", "regcli.report.plots", "regcli.report.schemas", "regcli.report.tables",
        "regcli.solvers.direct", "regcli.solvers.krylov", "regcli.solvers.lockstep", "regcli.solvers.models",
        "regcli.solvers.newton", "regcli.solvers.row_space",
    }  # fmt: skip
    assert own & unasked == set()
    assert {name for name in unasked if find_spec(name) is None} == set()  # none of them was renamed
    fitted = loaded("fit", data, "-y", "progression", "--family", "gaussian", "-l", "1", "-f", "json")
    assert not fitted & {"pandas", "pyarrow", "rich", "joblib", "sklearn", "matplotlib", "jsonschema"}


def test_no_words_is_help(regcli: Run) -> None:
    bare, asked = regcli(), regcli("--help")
    assert bare.returncode == asked.returncode == 0
    assert bare.stdout == asked.stdout
    assert bare.stderr == ""


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_starts_with_a_sentence_and_ends_with_examples(regcli: Run, command: str) -> None:
    done = regcli(command, "-h")
    lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    assert done.returncode == 0
    assert lines[0].startswith(f"Usage: regcli {command}")
    assert lines[1].endswith(".")
    assert any(line.startswith(f"regcli {command}") for line in lines[lines.index("Examples:") :])


def test_help_in_a_pipe_has_no_boxes_and_names_every_status(regcli: Run) -> None:
    done = regcli("--help")
    assert "╭" not in done.stdout
    assert "\x1b" not in done.stdout
    text = " ".join(done.stdout.split())
    assert "Exit status: 0 success; 1 a check you asked for failed; 2 the command line cannot be used; 3 " in text
    assert "141 the reader of the output has gone" in text


def test_help_shows_the_words_of_choices_and_defaults(regcli: Run) -> None:
    text = " ".join(regcli("fit", "--help").stdout.split())
    assert "none|l1|l2|elasticnet|lasso|ridge|ols" in text
    assert "default: (10, fewer when there are fewer rows)" in text


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("fit", "--penalti", "l1"), "did you mean '--penalty'"),
        (("fit", "--hlep"), "did you mean '--help'"),
        (("ftt",), "did you mean 'fit'"),
        (("cross-validate",), "did you mean 'cv'"),
        (("lasso", "x.csv"), "hint: regcli fit --penalty lasso"),
        (("help", "fit"), "hint: regcli --help"),
        (("--fit", "x.csv"), "hint: fit is a command: regcli fit"),
        (("fit", "x.csv", "--alpha", "1"), "hint: --lambda is the strength"),
        (("fit",), "Missing argument 'DATA...'"),
        (("predict", "model.json"), "Missing argument 'DATA...'"),
        (("fit", "x.csv", "--penalty", "l3"), "'l3' is not one of"),
        (("fit", "x.csv", "--folds", "ten"), "'ten' is not a whole number"),
        (("path", "x.csv", "--folds", "5"), "no option --folds"),
        (("--json",), "Missing command"),
        (("schema", "fti"), "did you mean 'fit'"),
        (("man", "fti"), "did you mean 'fit'"),
    ],
)
def test_words_that_cannot_be_read_leave_with_two(regcli: Run, words: tuple[str, ...], says: str) -> None:
    done = regcli(*words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_usage_errors_are_json_with_json(regcli: Run) -> None:
    done = regcli("fit", "--penalti", "l1", "--json")
    error = json.loads(done.stderr)
    assert done.returncode == error["exit_code"] == 2
    assert error["code"] == "usage"
    assert error["did_you_mean"][0] == "--penalty"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REGCLI_JOBS", "many"),
        ("REGCLI_JOBS", "0"),
        ("REGCLI_FORMAT", "jason"),
        ("REGCLI_COLOR", "yes"),
        ("REGCLI_PROGRESS", "2"),
        ("REGCLI_QUIET", "3"),
    ],
)
def test_a_bad_variable_is_a_usage_error(regcli: Run, name: str, value: str) -> None:
    done = regcli("schema", **{name: value})
    assert done.returncode == 2
    assert name in done.stderr
    assert done.stdout == ""


def test_schemas_are_listed_and_printed(regcli: Run) -> None:
    assert regcli("schema").stdout.split() == [
        "fit",
        "path",
        "cv",
        "model",
        "scorer",
        "metrics",
        "check",
        "checks",
        "diff",
        "inspect",
        "config",
        "plan",
        "error",
        "codes",
    ]
    assert json.loads(regcli("schema", "--json").stdout) == regcli("schema").stdout.split()
    assert json.loads(regcli("schema", "fit").stdout)["title"] == "regcli.fit/1"
    entries = json.loads(regcli("schema", "codes").stdout)
    found = next(entry for entry in entries if entry["code"] == "column-not-found")
    assert (found["kind"], found["exit_code"]) == ("error", 3)
    assert found["meaning"]


def test_the_manual_is_text_in_a_pipe(regcli: Run) -> None:
    page = regcli("man", "fit").stdout
    assert page.startswith("REGCLI-FIT(1)\n")
    assert "lambda * sum_j v_j" in page
    assert max(map(len, page.splitlines())) <= 100
    assert regcli("man").stdout.startswith("REGCLI(1)\n")


def test_completion_offers_commands_and_columns(tmp_path: Path, regcli: Run) -> None:
    (tmp_path / "data.csv").write_text("price;page;age\n1;2;3\n")

    def complete(line: str) -> list[str]:
        words = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
        return regcli(_REGCLI_COMPLETE="complete_bash", **words).stdout.split()

    assert complete("regcli f") == ["fit"]
    assert complete("regcli fit data.csv --target p") == ["price", "page"]
    assert complete("regcli fit missing.csv --target p") == []


@pytest.mark.parametrize("words", [("--help",), ("-V",), ("schema", "codes"), ("man", "fit")])
def test_a_reader_who_has_gone_is_141_and_silent(tmp_path: Path, words: tuple[str, ...]) -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "regcli", *words]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment(), stdout=write, stderr=subprocess.PIPE, timeout=60, check=False
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize("words", [("--help",), ("-V",), ("schema", "codes")])
def test_a_full_disk_is_6(tmp_path: Path, words: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "regcli", *words]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            command, cwd=tmp_path, env=environment(), stdout=full, stderr=subprocess.PIPE, timeout=60, check=False
        )
    assert done.returncode == 6
    assert done.stderr.startswith(b"error[output-failed]: ")


@pytest.mark.parametrize("words", ["", "--help", "fit --help", "-V", "predict -V", "man", "schema"])
def test_closed_standard_output_is_6(tmp_path: Path, words: str) -> None:
    command = ["sh", "-c", f'exec "{sys.executable}" -m regcli {words} >&-']
    done = subprocess.run(
        command, cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr.splitlines()[0]) == (6, "error[output-failed]: standard output is closed")


def test_a_stream_of_predictions_ends_with_its_reader(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.cli.fakes", "predict", "model.json", "endless.csv"]
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == "id,prediction\n"
    process.stdout.close()
    assert process.wait(timeout=60) == 141
    assert process.stderr.read() == ""
    process.stderr.close()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)])
def test_signals_leave_with_their_status(tmp_path: Path, number: signal.Signals, status: int) -> None:
    begun = tmp_path / "begun"
    heeded = ["env", "--default-signal=HUP,INT,TERM"]  # in the background of a script they may be ignored
    command = [*heeded, sys.executable, "-m", "tests.cli.fakes", "fit", "wait.csv", str(begun)]
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    for _ in range(600):
        if begun.exists():
            break
        time.sleep(0.05)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (status, "", "")


#: A run in which a signal comes while an object is taken apart, where Python drops what the handler raises.
TAKEN_APART = """
import os, sys, time
from regcli.cli import boundary

class Going:
    def __del__(self):
        os.kill(os.getpid(), int(sys.argv[1]))
        for _ in range(1000):
            pass

def application(words):
    def app(**_):
        Going()
        time.sleep(30)
        return 0
    return app

boundary.application = application
sys.exit(boundary.run(["fit"]))
"""


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)])
def test_a_signal_counts_wherever_it_comes(number: signal.Signals, status: int) -> None:
    command = ["env", "--default-signal=HUP,INT,TERM", sys.executable, "-c", TAKEN_APART, str(int(number))]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=25, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (status, "", "")


def test_a_pipe_gets_json_and_csv(regcli: Run) -> None:
    fit = regcli("fit", "data.csv", module="tests.cli.fakes")
    assert json.loads(fit.stdout)["schema"] == "regcli.fit/1"
    assert fit.stderr == ""
    rows = regcli("predict", "model.json", "data.csv", module="tests.cli.fakes")
    assert list(csv.reader(io.StringIO(rows.stdout))) == [["id", "prediction"], ["a", "0.1"], ["b", ""]]


def test_blas_has_one_thread() -> None:
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    code = (
        "import sys, os, atexit; sys.argv = ['regcli', 'schema'];"
        f"atexit.register(lambda: print(*[os.environ[n] for n in {names}]));"
        "from regcli.__main__ import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "1 1 1"
