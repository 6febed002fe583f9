"""Examples in the help and in the manual are run, and do what is written beside them."""

import csv
import io
import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import chdir
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from regcli.cli.manual import find_page, pages, plain
from regcli.cli.texts import COMMANDS, Example
from tests.cli.conftest import ROOT
from tests.cli.sessions import Stage
from tests.fuzz.tool import run_tool

EXAMPLES = [example for text in COMMANDS.values() for example in text.examples]

#: Columns that examples name, made of the diabetes table's; the others keep their names.
MADE: dict[str, Callable[[int, dict[str, str]], str]] = {
    "date": lambda at, _: (date(2024, 1, 1) + timedelta(days=at)).isoformat(),
    "shop": lambda at, _: f"shop {at % 12}",
    "days": lambda at, _: str(20 + at % 11),
    "claims": lambda _, row: str(int(row["progression"]) // 60),
    "churned": lambda _, row: "yes" if int(row["progression"]) > 140 else "no",
    "price": lambda _, row: row["progression"],
}


def write_table(path: Path, named: Sequence[str]) -> None:
    """The diabetes table with the columns of ``MADE`` that are named; where none is, with a price at the end."""
    with (ROOT / "sample_data" / "diabetes.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    made = [name for name in MADE if name in named] or ["price"]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        features = [name for name in rows[0] if name != "progression"]
        writer.writerow([*features, *made])
        for at, row in enumerate(rows):
            writer.writerow([*(row[name] for name in features), *(MADE[name](at, row) for name in made)])


@dataclass(frozen=True)
class Done:
    """What an example came to: exit status, standard output, standard error, its folder."""

    status: int
    out: str
    err: str
    folder: Path

    def document(self, name: str | None = None) -> Any:  # noqa: ANN401  (JSON has no type)
        return json.loads(self.out if name is None else (self.folder / name).read_text("utf-8"))

    def rows(self, name: str | None = None) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.out if name is None else (self.folder / name).read_text("utf-8"))))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the examples find: models, results and new rows beside ``data.csv``."""
    folder = tmp_path_factory.mktemp("prepared")
    write_table(folder / "data.csv", ["churned"])
    words = ["-y", "churned", "--family", "binomial", "-l", "0.01", "-qq"]
    done = run_tool("fit", folder / "data.csv", *words, "-m", folder / "model.json", "-o", folder / "old.json")
    assert done.status == 0, done.err
    assert run_tool("fit", folder / "data.csv", *words, "--drop", "bmi", "-o", folder / "new.json").status == 0
    lines = (folder / "data.csv").read_text("utf-8").splitlines()
    (folder / "new.csv").write_text("\n".join(line.rpartition(",")[0] for line in lines[:50]) + "\n", "utf-8")
    pq.write_table(pa_csv.read_csv(folder / "new.csv"), folder / "new.parquet")
    checks = '[[check]]\nname = "new rows"\nmodel = "model.json"\ndata = ["new.csv"]\n'
    (folder / "regcli.toml").write_text(checks, "utf-8")
    return folder


def run_example(example: Example, prepared: Path, place: Path) -> Done:
    """Run an example where its files are: in a shell where it is a pipe, else in this process, which is quicker."""
    stage = Stage(place)
    shutil.copytree(prepared, stage.folder, dirs_exist_ok=True)
    if "--strict" in example.line:
        shutil.copy(ROOT / "sample_data" / "clinic_visits.csv", stage.folder / "data.csv")
    elif "data.csv" in example.line:
        write_table(stage.folder / "data.csv", re.findall(r"[\w.]+", example.line))
    with chdir(stage.folder):
        if "fit.json" in example.line:
            assert run_tool("fit", "data.csv", "-qq", "-o", "fit.json").status == 0
        if "|" not in example.line:
            ran = run_tool(*shlex.split(example.line)[1:])
            return Done(ran.status, ran.out, ran.err, stage.folder)
    words = ["/bin/sh", "-c", example.line]
    env = stage.environment()
    done = subprocess.run(words, cwd=stage.folder, env=env, capture_output=True, text=True, check=False, timeout=120)
    return Done(done.returncode, done.stdout, done.stderr, stage.folder)


def fit_is(done: Done, family: str, penalty: str = "l1") -> bool:
    document = done.document()
    model = document["model"]
    return (model["family"], model["penalty"]) == (family, penalty) and document["metrics"]["cv"] is not None


def is_kept(done: Done) -> bool:
    model = done.document("model.json")
    return (
        fit_is(done, "binomial") and model["schema"] == "regcli.model/1" and done.document()["model"]["rule"] == "1se"
    )


def is_refused_or_good(done: Done) -> bool:
    check = done.document()["checks"][0]
    return done.status == (0 if check["passed"] else 1) and fit_is(done, "gaussian")


def folds_are(done: Done, scheme: str) -> bool:
    return bool(done.document()["schema"] == "regcli.cv/1" and done.document()["validation"]["scheme"] == scheme)


def is_long(done: Done) -> bool:
    rows = done.rows("path.csv")
    return list(rows[0]) == ["lambda", "term", "estimate"] and len({row["lambda"] for row in rows}) > 20


def has_probabilities(done: Done) -> bool:
    rows = done.rows()
    return len(rows) == 49 and {"age", "prediction", "prob.yes", "prob.no"} <= set(rows[0])


def stops(done: Done) -> bool:
    return done.status == 3 and "error[" in done.err


#: What each example does, by its line.
DOES: dict[str, Callable[[Done], bool]] = {
    "regcli fit data.csv --penalty l1": lambda d: fit_is(d, "gaussian"),
    "regcli fit data.csv -y churned --rule 1se -m model.json": is_kept,
    "regcli fit data.csv -y claims --family poisson --exposure days": lambda d: fit_is(d, "poisson"),
    "regcli fit data.csv --assert 'metrics.cv.r2 > 0.6'": is_refused_or_good,
    "regcli path data.csv -y price": lambda d: len(d.document()["coefficients"]) == 10,
    "regcli path data.csv -y price -f csv -o path.csv": is_long,
    "regcli path data.csv -y price -l 1,0.1,0.01": lambda d: d.document()["lambdas"] == [1.0, 0.1, 0.01],
    "regcli cv data.csv -y price": lambda d: d.document()["lambda_min"] < d.document()["lambda_1se"],
    "regcli cv data.csv -y churned --metric auc --folds 5": lambda d: d.document()["metric"] == "auc",
    "regcli cv data.csv -y price --group shop": lambda d: folds_are(d, "group"),
    "regcli cv data.csv -y price --order-by date --gap 30": lambda d: folds_are(d, "time"),
    "regcli predict model.json new.csv -o scores.csv": lambda d: len(d.rows("scores.csv")) == 49,
    "regcli predict model.json new.csv --type prob --append": has_probabilities,
    "cat new.csv | regcli predict model.json -": lambda d: len(d.rows()) == 49,
    "regcli check model.json new.csv": lambda d: d.document()["rows"] == 49,
    "regcli check model.json new.csv --assert 'missing.age < 0.05'": lambda d: d.document()["checks"][0]["passed"],
    "regcli check model.json new.parquet -f csv -o findings.csv": lambda d: d.rows("findings.csv") == [],
    "regcli check --report junit=checks.xml": lambda d: "new rows" in text_of(d, "checks.xml"),
    "regcli inspect data.csv -y price": lambda d: d.document()["schema"] == "regcli.inspect/1",
    "regcli inspect data.csv --strict -q -o report.json": stops,
    "regcli inspect data.csv -f csv": lambda d: len(d.rows()) == 11,
    "regcli show model.json": lambda d: d.document()["schema"] == "regcli.model/1",
    "regcli show model.json --equation --digits 3": lambda d: d.out.startswith("logit(P(churned = yes)) = "),
    "regcli fit data.csv --json | regcli show - -f md": lambda d: "| term |" in d.out,
    "regcli diff old.json new.json": lambda d: "bmi" in d.out and d.document()["schema"] == "regcli.diff/1",
    "regcli diff old.json new.json --tol 0.05 -f md -o comment.md": lambda d: "`bmi`" in text_of(d, "comment.md"),
    "regcli fit data.csv --json | regcli diff fit.json - --exit-code -q": lambda d: d.document()["same"],
    "regcli export model.json --to sql --table customers -o score.sql": lambda d: (
        "customers" in text_of(d, "score.sql")
    ),
    "regcli export model.json --to python -o scorer.py": lambda d: "def predict" in text_of(d, "scorer.py"),
    "regcli export model.json --to c -o scorer.c": lambda d: "regcli_score" in text_of(d, "scorer.c"),
    "regcli schema fit": lambda d: "properties" in d.document(),
    "regcli schema codes": lambda d: "check-failed" in d.out,
    "regcli man": lambda d: d.out.startswith("REGCLI(1)"),
    "regcli man fit": lambda d: d.out.startswith("REGCLI-FIT(1)"),
}

#: Those whose purpose is a status other than 0.
STATUS = {
    "regcli fit data.csv --assert 'metrics.cv.r2 > 0.6'": 1,
    "regcli inspect data.csv --strict -q -o report.json": 3,
}


def text_of(done: Done, name: str) -> str:
    return (done.folder / name).read_text("utf-8")


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.line for example in EXAMPLES])
def test_an_example_does_what_is_written_beside_it(example: Example, prepared: Path, tmp_path: Path) -> None:
    done = run_example(example, prepared, tmp_path)
    assert done.status == STATUS.get(example.line, 0), done.err
    assert DOES[example.line](done), done.out


def test_no_example_is_left_over() -> None:
    assert set(DOES) == {example.line for example in EXAMPLES}


def lines_of(text: str) -> Iterator[str]:
    """Lines of a page that are commands."""
    for line in text.splitlines():
        if re.match(r"(regcli|cat) ", line.strip()):
            yield line.strip()


def test_the_examples_of_the_manual_are_these() -> None:
    known = {example.line for example in EXAMPLES}
    for page in pages():
        shown = list(lines_of(plain(page).partition("\nEXAMPLES\n")[2].partition("\nSEE ALSO")[0]))
        assert shown
        assert set(shown) <= known
    for name, text in COMMANDS.items():
        manual = plain(find_page(name)).partition("\nEXAMPLES\n")[2]
        assert [line for line in lines_of(manual) if line in known] == [example.line for example in text.examples]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_examples_of_the_help_are_these(name: str) -> None:
    done = run_tool(name, "--help")
    assert done.status == 0
    shown = re.sub(r"\s", "", done.out.partition("Examples:")[2])
    wanted = "".join(f"{example.line}#{example.purpose}" for example in COMMANDS[name].examples)
    assert shown == re.sub(r"\s", "", wanted)
