"""Every code of an error, provoked from the command line: status, place, names that were meant, the way out."""

import ast
import gzip
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import jsonschema
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from regcli.data import cells as cell_reader
from regcli.data import unpack
from regcli.data import whole as whole_reader
from regcli.errors import CODES, RegcliError
from regcli.report.schemas import SCHEMAS
from tests.cli.conftest import ROOT
from tests.cli.damages import DAMAGES, FIT, edited, text, whole, with_column
from tests.fuzz.tool import Outcome, run_tool

MANY = "a,b,y\n" + "".join(f"{i * 37 % 101},{i * 53 % 89},{i % 7}\n" for i in range(2001))

FILES: dict[str, bytes] = {
    "data.csv": text(whole()).encode(),
    "other.csv": b"a,z\n1,2\n",
    "same.csv": text(with_column("y", lambda i: str(1 + i % 2))).encode(),
    "bad.toml": b'penalty = "l3"\n',
    "list.json": b"[1]",
    "future.json": b'{"schema": "regcli.fit/9"}',
    "bad.jsonl": b'{"a": 1, "y": 2}\n{"a": \n',
    "wide.mtx": b"%%MatrixMarket matrix coordinate real general\n1000 999999999 1\n1 1 1\n",
    "bomb.csv.gz": gzip.compress(b"a,y\n" + b"0,1\n" * 1_000_000),
    "dates.csv": b"d,y\n2024-01-01,1\n2024-01-02,3\nnever,2\n2024-01-04,5\n",
    "order.csv": text(with_column("w", lambda i: "north" if i % 2 else "south")).encode(),
    "zero.csv": text(with_column("w", lambda i: str(i % 3))).encode(),
    "cells.csv": text(edited(5, "a", "")).encode(),
    "level.csv": text(edited(5, "c", "east")).encode(),
    "huge.csv": text(edited(5, "a", "inf")).encode(),
    "many.csv": MANY.encode(),
    "text.parquet": b"PAR1 no, it is not",
}


@dataclass(frozen=True)
class Case:
    """A command line, and of what it says: the place, the first of the near names, a piece of the hint."""

    words: tuple[str, ...]
    place: tuple[str, ...] = ()
    near: str | None = None
    hint: str = ""


POISSON = ("fit", "zero.csv", "-y", "y", "--family", "poisson")

CASES = {
    "usage": Case(("fit", "data.csv", "--penalti", "l1"), near="--penalty", hint="regcli fit --help"),
    "unknown-option-value": Case(("fit", "data.csv", "--metric", "rmsee"), near="rmse", hint="--metric"),
    "option-without-effect": Case(("fit", "data.csv", *FIT, "--class-weight", "balanced"), hint="--class-weight"),
    "bad-formula": Case(("fit", "data.csv", "--formula", "y ~ lgo(a)"), near="log", hint="log"),
    "config-invalid": Case(("fit", "data.csv", "--config", "bad.toml"), ("file", "line"), "l2", "--no-config"),
    "conflicting-options": Case(("fit", "data.csv", "--json", "-f", "csv"), hint="leave one"),
    "column-in-two-roles": Case(("fit", "data.csv", "-y", "y", "--weights", "y"), hint="--weights"),
    "limit-excludes-zero": Case(("fit", "data.csv", *FIT, "--lower", "a=1"), hint="--lower"),
    "unsupported-source": Case(("fit", "https://a.b/c.csv"), hint="-"),
    "not-installed": Case(("fit", "data.csv", *FIT, "--plot", "a.svg"), hint="pip install 'regcli[plot]'"),
    "not-exportable": Case(("export", "bell.json", "--to", "pmml"), hint="--to sql"),
    "unknown-schema": Case(("schema", "fti"), near="fit", hint="one of fit"),
    "unknown-page": Case(("man", "fti"), near="fit", hint="regcli man"),
    "file-not-found": Case(("fit", "dat.csv"), ("file",), "data.csv", "working directory"),
    "file-unreadable": Case(("fit", "text.parquet"), ("file",), hint="-"),
    "file-changed": Case(("fit", "data.csv", *FIT), ("file",), hint=" "),
    "decompression-bomb": Case(("fit", "bomb.csv.gz"), ("file",), hint="unpack"),
    "broken-line": Case(("fit", "bad.jsonl"), ("file", "line"), hint=" "),
    "no-rows": Case(("fit", "data.csv", *FIT, "--test-size", "0.99999"), hint="--test-size"),
    "columns-differ": Case(("fit", "data.csv", "other.csv"), ("file",), hint=" "),
    "column-not-found": Case(("fit", "data.csv", "-y", "why"), ("file",), "y", "the columns are"),
    "bad-date": Case(("fit", "dates.csv", "-y", "y", "--date", "d"), ("file", "line", "column"), hint="--"),
    "document-unreadable": Case(("show", "list.json"), ("file",), hint="--json"),
    "document-schema": Case(("show", "future.json"), ("file",), hint="later regcli"),
    "unsupported-type": Case(("fit", "lists.parquet", "-y", "y"), ("file", "column"), hint="--drop a"),
    "bad-exposure": Case((*POISSON, "--exposure", "w"), ("file", "line"), hint=" "),
    "bad-order": Case(("fit", "order.csv", "-y", "y", "--order-by", "w"), ("file", "column"), hint=" "),
    "unknown-level": Case(("predict", "model.json", "level.csv"), ("file", "line", "column"), hint="--unknown-level"),
    "bad-row": Case(("predict", "model.json", "huge.csv"), ("file", "line"), hint="--on-bad-row"),
    "model-unreadable": Case(("predict", "list.json", "data.csv"), ("file",), hint=" "),
    "model-schema": Case(("predict", "old.json", "data.csv"), ("file",), hint="fit again"),
    "model-altered": Case(("predict", "altered.json", "data.csv"), hint="--no-verify"),
    "output-exists": Case(("fit", "data.csv", *FIT, "-o", "folder", "-f", "json"), ("file",), hint="name a file in it"),
    "output-failed": Case(("fit", "data.csv", *FIT, "-o", "absent/a.json"), ("file",), hint=" "),
    "out-of-memory": Case(("fit", "data.csv", *FIT, "--max-memory", "1MB"), hint="--max-memory"),
    "out-of-time": Case(("fit", "data.csv", *FIT, "--max-seconds", "0.000001"), hint="--max-seconds"),
    "table-too-large": Case(("fit", "wide.mtx"), ("file",), hint=" "),
    "too-many-lanes": Case(("fit", "many.csv", "-y", "y", "--family", "gaussian", "--cv", "loo"), hint="--folds"),
    "check-failed": Case(("fit", "data.csv", *FIT, "--assert", "n_selected > 9", "-m", "m.json"), hint="m.json"),
    "internal": Case(("fit", "data.csv", *FIT), hint="-vv"),
}  # fmt: skip

DAMAGED = {damage.code: damage for damage in reversed(DAMAGES)}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files, and models of them."""
    place, before = tmp_path_factory.mktemp("made"), Path.cwd()
    for name, content in FILES.items():
        (place / name).write_bytes(content)
    columns = {"a": [[1, 2]] * 24, "b": [float(i) for i in range(24)], "y": [float(i * i % 7) for i in range(24)]}
    pq.write_table(pa.table(columns), place / "lists.parquet")
    (place / "folder").mkdir()
    os.chdir(place)
    try:
        assert run_tool("fit", "data.csv", "-y", "y", "-l", "0.001", "--drop", "w", "-m", "model.json").status == 0
        table = (place / "data.csv").read_text("utf-8")
        (place / "bell.csv").write_text("\a" + table, "utf-8")  # no XML can hold that name
        assert run_tool("fit", "bell.csv", "-y", "y", "-l", "0.001", "--drop", "w", "-m", "bell.json").status == 0
    finally:
        os.chdir(before)
    model = json.loads((place / "model.json").read_text("utf-8"))
    (place / "old.json").write_text(json.dumps({**model, "schema": "regcli.model/9"}), "utf-8")
    (place / "altered.json").write_text(json.dumps({**model, "intercept": 1.0}), "utf-8")
    return place


def grown(path: str) -> Callable[..., Any]:
    """A reader that finds its file longer than it was."""
    real = cell_reader.parse

    def parse(*words: Any, **options: Any) -> Any:  # noqa: ANN401  (as the reader)
        with Path(path).open("a", encoding="utf-8") as file:
            file.write("1,1,north,1,1\n")
        return real(*words, **options)

    return parse


@pytest.fixture
def circumstances(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[None]:
    """What a command line alone does not bring about: a package that is absent, a file that grows, a bug."""
    code = request.node.callspec.params["code"]
    if code == "file-changed":
        monkeypatch.setattr(whole_reader, "parse", grown("data.csv"))
    if code == "decompression-bomb":
        monkeypatch.setattr(unpack, "BOMB_BYTES", 1_000_000)
    if code == "internal":
        monkeypatch.setattr("regcli.app.fit.fit", lambda *_: 1 // 0)
    absent = dict.fromkeys(name for name in sys.modules if name.split(".")[0] == "matplotlib") | {"matplotlib": None}
    hidden: dict[str, Any] = {**absent, "regcli.report.plots": None} if code == "not-installed" else {}
    with patch.dict(sys.modules, hidden):
        if code == "not-installed":
            del sys.modules["regcli.report.plots"]
        yield


def told(code: str, *words: str) -> tuple[Outcome, dict[str, Any]]:
    """The run as people see it, and its error as JSON."""
    before = {path: path.read_bytes() for path in Path().iterdir() if path.is_file() and path.name != "data.csv"}
    outcome = run_tool(*words)
    assert outcome.status == CODES[code][0], outcome.err
    assert f"error[{code}]: " in outcome.err
    assert "Traceback" not in outcome.err
    assert {
        path: path.read_bytes() for path in Path().iterdir() if path.is_file() and path.name != "data.csv"
    } == before
    (line,) = [line for line in run_tool(*words, "--json").err.splitlines() if line.startswith("{")]
    error = json.loads(line)
    jsonschema.validate(error, SCHEMAS["error"])
    assert (error["code"], error["exit_code"]) == (code, outcome.status)
    return outcome, error


def test_every_code_has_a_case() -> None:
    assert {*CASES, *DAMAGED} == set(CODES)
    assert not {*CASES} & {*DAMAGED}


@pytest.mark.usefixtures("circumstances")
@pytest.mark.parametrize("code", CASES)
def test_errors_say_where_and_what_helps(
    code: str, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for path in made.iterdir():
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    Path("folder").mkdir()
    case = CASES[code]
    if "--json" in case.words:  # which is the error
        outcome = run_tool(*case.words)
        error = outcome.error
        assert (outcome.status, error["code"]) == (2, code)
    elif case.words[0] == "man":  # which has no JSON
        outcome = run_tool(*case.words)
        assert outcome.status == 2
        assert outcome.err.startswith(f"error[{code}]: ")
        assert f"did you mean {case.near!r}?\n  hint: {case.hint}" in outcome.err
        return
    else:
        _, error = told(code, *case.words)
    assert error["message"]
    assert case.hint in (error["hint"] or "")
    assert error["hint"]
    for part in case.place:
        assert error["location"][part] is not None, part
    if case.near is not None:
        assert error["did_you_mean"][0] == case.near


@pytest.mark.parametrize("code", DAMAGED)
def test_damaged_tables_say_where_and_what_helps(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    damage = DAMAGED[code]
    Path("bad.csv").write_bytes(damage.bad.encode() if isinstance(damage.bad, str) else damage.bad)
    outcome, error = told(code, "fit", "bad.csv", *damage.options)
    assert error["hint"]
    assert "  hint: " in outcome.err
    if damage.place is not None:
        line, column = damage.place
        assert error["location"]["file"] == "bad.csv"
        assert (error["location"]["line"], error["location"]["column"]) == (line, column)


@pytest.mark.parametrize(
    ("words", "near"),
    [
        (("fti", "data.csv"), "fit"),
        (("fit", "data.csv", "--targt", "y"), "--target"),
        (("fit", "data.csv", "--penalty", "riddge"), "ridge"),
        (("cv", "data.csv", "--rule", "1sse"), "1se"),
        (("fit", "data.csv", *FIT, "--folds", "3", "--assert", "metrics.cv.r3 > 1"), "metrics.cv.r2"),
        (("fit", "data.csv", *FIT, "--assert", "n_selectd > 1"), "n_selected"),
        (("fit", "data.csv", *FIT, "--assert", "mni(1, 2) > 1"), "min"),
        (("fit", "data.csv", *FIT, "--assert", 'coef["aa"] > 1'), 'coef["a"]'),
        (("fit", "data.csv", *FIT, "--drop", "bb"), "b"),
        (("fit", "data.csv", *FIT, "--missing", "mena"), "mean"),
        (("fit", "data.csv", *FIT, "--interactions", "a:bb"), "b"),
        (("fit", "data.csv", *FIT, "--penalty-factor", "aa=0"), "a"),
        (("fit", "data.csv", *FIT, "--report", "junt=a.xml"), "junit"),
        (("fit", "data.csv", *FIT, "--input-format", "paruet"), "parquet"),
        (("export", "model.json", "--to", "pyton"), "python"),
        (("predict", "model.json", "data.csv", "--type", "clas"), "class"),
        (("predict", "model.json", "data.csv", "--id", "aa"), "a"),
        (("check", "modle.json", "data.csv"), "model.json"),
        (("show", "modle.json"), "model.json"),
        (("fit", "data.csv", *FIT, "--baseline", "model.jsn", "--same-selected"), "model.json"),
        (("fit", "data.csv", *FIT, "--baseline", "model.json", "--max-drop", "r3=1"), "r2"),
        (("fit", "data.csv", *FIT, "--class-weight", "blanced"), None),
    ],
)
def test_what_was_meant_is_named(
    words: tuple[str, ...], near: str | None, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(made)
    outcome = run_tool(*words, "--json")
    error = [json.loads(line) for line in outcome.err.splitlines() if line.startswith("{")][-1]
    assert outcome.status in (2, 3, 5)
    assert error["hint"]
    if near is not None:
        assert near in error["did_you_mean"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("fit", "data.csv", "--alpha", "1"), "--lambda is the strength of the penalty"),
        (("--folds", "4", "fit", "data.csv"), "regcli fit ... --folds"),
        (("fit", "data.csv", "--cv", "5"), "--folds 5"),
        (("fit", "data.csv", *FIT, "--features", "a,b"), "repeat it for each"),
        (("predict", "data.csv", "model.json"), "MODEL comes before DATA"),
        (("fit", ""), "variable of the shell"),
        (("fit", "data.csv", *FIT, "-o", ""), "variable of the shell"),
        (("fit", "data.csv", *FIT, "-m", "folder/"), "name a file in it"),
        (("fit", "data.csv", *FIT, "-o", "/dev/full"), "make room there"),
        (("fit", "data.csv", *FIT, "-m", "x" * 300), "a shorter name"),
        (("fit", "data.csv", *FIT, "--report", "junit"), "junit=PATH"),
    ],
)
def test_habits_of_other_tools_and_slips_of_the_shell_are_met(
    words: tuple[str, ...], says: str, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(made)
    error = run_tool(*words, "--json").error
    assert error["exit_code"] in (2, 3, 5, 6)
    assert says in error["hint"]
    assert error["did_you_mean"] == []  # what is near by its letters alone would lead astray


@pytest.mark.parametrize(
    ("words", "both"),
    [
        (("fit", "data.csv", *FIT, "-m", "data.csv"), "DATA and --model-out"),
        (("fit", "data.csv", *FIT, "-o", "./data.csv"), "DATA and --output"),
        (("cv", "d*.csv", *FIT, "-o", "data.csv"), "DATA and --output"),
        (("path", "data.csv", *FIT, "--plot", "link.svg"), "DATA and --plot"),
        (("fit", "data.csv", *FIT, "--test", "other.csv", "-o", "other.csv"), "--test and --output"),
        (("predict", "model.json", "data.csv", "-o", "data.csv"), "DATA and --output"),
        (("predict", "model.json", "data.csv", "--metrics-out", "model.json"), "MODEL and --metrics-out"),
        (("check", "model.json", "data.csv", "--report", "html=data.csv"), "DATA and --report html"),
        (("inspect", "data.csv", "-o", "data.csv"), "DATA and --output"),
        (("show", "model.json", "-o", "model.json"), "DOC and --output"),
        (("diff", "model.json", "bell.json", "-o", "bell.json"), "B and --output"),
        (("export", "model.json", "--to", "json", "-o", "model.json"), "MODEL and --output"),
        (("fit", "data.csv", "--show-config", "-o", "data.csv"), "DATA and --output"),
        (("fit", "data.csv", *FIT[:4], "-l", "@lams.txt", "-o", "lams.txt"), "--lambda and --output"),
        (("path", "data.csv", *FIT[:4], "--l1-ratio", "@lams.txt", "--plot", "lams.svg"), "--l1-ratio and --plot"),
        (("fit", "data.csv", *FIT, "--config", "my.toml", "-m", "my.toml"), "the configuration file and --model-out"),
        (("inspect", "data.csv", "--config", "my.toml", "-o", "./my.toml"), "the configuration file and --output"),
        (("schema", "fit", "--config", "my.toml", "-o", "my.toml"), "the configuration file and --output"),
        (
            ("check", "--config", "my.toml", "--report", "junit=other.csv"),
            "a file of the check 'mine' and --report junit",
        ),
    ],
)
def test_what_is_read_is_not_written_over(
    words: tuple[str, ...], both: str, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("data.csv", "other.csv", "model.json", "bell.json"):
        (tmp_path / name).write_bytes((made / name).read_bytes())
    (tmp_path / "link.svg").symlink_to("data.csv")
    (tmp_path / "lams.txt").write_text("1\n0.1\n")
    (tmp_path / "lams.svg").symlink_to("lams.txt")
    (tmp_path / "my.toml").write_text('[[check]]\nname = "mine"\nmodel = "model.json"\ndata = "other.csv"\n')
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    monkeypatch.chdir(tmp_path)
    error = run_tool(*words, "--json").error
    assert error["code"] == "conflicting-options"
    assert error["message"].startswith(f"{both} are the same file")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_files_of_checks_that_are_not_made_are_not_read(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("data.csv", "model.json"):
        (tmp_path / name).write_bytes((made / name).read_bytes())
    (tmp_path / "my.toml").write_text('[[check]]\nmodel = "model.json"\ndata = "other.csv"\n')
    monkeypatch.chdir(tmp_path)
    done = run_tool("check", "model.json", "data.csv", "--config", "my.toml", "-o", "other.csv", "-f", "csv")
    assert (done.status, Path("other.csv").is_file()) == (0, True), done.err


def test_no_file_of_a_folder_that_is_read_is_written_over(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = tmp_path / "parts" / "year=2026" / "a.parquet"
    part.parent.mkdir(parents=True)
    pq.write_table(pacsv.read_csv(made / "data.csv"), part)
    before = part.read_bytes()
    monkeypatch.chdir(tmp_path)
    words = ("fit", "parts", *FIT, "--features", "a", "-m")
    error = run_tool(*words, "parts/year=2026/a.parquet", "--json").error
    assert (error["code"], part.read_bytes()) == ("conflicting-options", before)
    assert run_tool(*words, "model.json").status == 0
    (tmp_path / "parts" / "_model.json").write_bytes(b"not read")
    assert run_tool(*words, "parts/_model.json").status == 0


def test_a_baseline_may_be_replaced_by_what_is_held_against_it(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data.csv").write_bytes((made / "data.csv").read_bytes())
    monkeypatch.chdir(tmp_path)
    assert run_tool("fit", "data.csv", *FIT, "-o", "last.json").status == 0
    assert (
        run_tool("fit", "data.csv", *FIT, "--baseline", "last.json", "--same-selected", "-o", "last.json").status == 0
    )
    assert json.loads(Path("last.json").read_text("utf-8"))["checks"][0]["passed"]


def test_every_error_of_the_source_names_a_way_out() -> None:
    kinds = {kind.__name__ for kind in RegcliError.__subclasses__()}
    bare = []
    for path in sorted((ROOT / "regcli").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds:
                given = {word.arg for word in node.keywords}
                bare += [] if "hint" in given else [f"{path.name}:{node.lineno}"]
    assert bare == []


def test_an_option_of_another_command_is_said_to_be_its() -> None:
    error = run_tool("diff", "a.json", "b.json", "--folds", "3", "--json").error
    assert "--folds is an option of fit, cv" in error["hint"]
