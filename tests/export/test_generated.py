"""Models of generated tables: names and levels of any letters, any family, policy and shape of terms."""

import csv
import json
import math
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unicodedata import category

import duckdb
import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.export.models import nearly
from tests.export.test_c import compiled, line, run
from tests.export.test_sql import quoted
from tests.fuzz.tool import run_tool

LETTERS = st.characters(codec="utf-8", exclude_characters="\0\r\n")
WORDS = st.text(LETTERS | st.sampled_from("'\"\\`;-*/?%{}[]$"), min_size=1, max_size=6).map(lambda word: f"w{word}_")
ROWS = 40
TARGET = 4
BETWEEN = (" ", " ", ", ", "; ", "-", "'", "\t", " a ", "_", "")


@dataclass(frozen=True, slots=True)
class Plan:
    """A table and a fit.

    The columns are two numbers, two categories with the levels, the target, a number above 0, a date and a text of
    these words. ``shape`` says which of the last three take part.
    """

    names: tuple[str, ...]
    levels: tuple[str, ...]
    vocabulary: tuple[str, ...]
    family: str
    policy: str
    words: tuple[str, ...]
    shape: str
    seed: int

    @property
    def numbers(self) -> tuple[str, ...]:
        """Names of columns of numbers."""
        return (*self.names[:2], self.names[5])

    def options(self) -> tuple[str, ...]:
        """How the model is fitted."""
        first, _, kind, _, target, rate, when, note = self.names
        if self.shape == "functions":
            one, other, level, y = (f"`{name.replace('`', '``')}`" for name in (first, rate, kind, target))
            terms = f"{one} + exp({one}) + abs({one}) + {level}"
            terms += "".join(f" + {name}({other})" for name in ("log", "log10", "log1p", "log2", "sqrt"))
            return ("--formula", f"{y} ~ {terms} + log({other}):{one}")
        dated, worded = self.shape in ("dates", "both"), self.shape in ("words", "both")
        dropped = [rate, *([] if dated else [when]), *([] if worded else [note])]
        ngrams, weights = str(1 + self.seed % 3), ("count", "binary", "tfidf")[self.seed % 3]
        texts = ("--text", note, "--text-min-rows", "2", "--text-ngrams", ngrams, "--text-weights", weights)
        declared = (*(("--date", when) if dated else ()), *(texts if worded else ()))
        return ("-y", target, *(part for name in dropped for part in ("--drop", name)), *declared, *self.words)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    names = draw(st.lists(WORDS, min_size=8, max_size=8, unique_by=str.lower))
    levels = draw(st.lists(WORDS, min_size=2, max_size=4, unique=True))
    family = draw(st.sampled_from(["gaussian", "binomial", "poisson"]))
    policy = draw(st.sampled_from(["drop", "mean", "median", "indicator"]))
    words = draw(
        st.sampled_from(
            [
                (),
                ("--poly", "2"),
                ("--poly", "3"),
                ("--min-level-count", "12"),
                ("--penalty", "l2"),
                ("--no-standardize",),
            ]
        )
    )
    vocabulary = draw(st.lists(st.text(LETTERS, min_size=1, max_size=5), min_size=4, max_size=9, unique=True))
    shape = draw(st.sampled_from(["both", "functions", "dates", "words", "plain"]))
    seed = draw(st.integers(0, 1000))
    return Plan(tuple(names), tuple(levels), ("free", "Now", *vocabulary), family, policy, words, shape, seed)


def table(plan: Plan, seed: int) -> list[dict[str, str]]:
    rng = np.random.default_rng(seed)
    numbers, texts = rng.normal(size=(2, ROWS)).round(3), rng.choice(len(plan.levels), (2, ROWS))
    eta = numbers[0] - 0.5 * numbers[1] + (texts[0] == 0) + rng.normal(size=ROWS)
    target = {"gaussian": eta.round(3), "binomial": (eta > np.median(eta)).astype(int)}.get(
        plan.family, np.maximum(eta, 0).round()
    )
    columns = [*(list(map(str, values)) for values in numbers)]
    columns += [[plan.levels[code] for code in codes] for codes in texts]
    columns.append(list(map(str, target)))
    columns.append([str(value) for value in np.exp(rng.normal(size=ROWS)).round(4)])
    columns += [[moment(rng) for _ in range(ROWS)], [sentence(rng, plan.vocabulary) for _ in range(ROWS)]]
    for at, cells in enumerate(columns):
        if at != TARGET:
            cells[at :: 11 + at] = [""] * len(cells[at :: 11 + at])
    return [dict(zip(plan.names, row, strict=True)) for row in zip(*columns, strict=True)]


def moment(rng: np.random.Generator) -> str:
    """A date or time of the last three thousand years, mostly of these decades, in one spelling of many."""
    few = rng.random() < 0.8
    day = str(np.datetime64("1970-01-01") + rng.integers(-9_000, 20_000) * (1 if few else 36))
    if rng.random() < 0.2:
        year, week, weekday = date.fromisoformat(day).isocalendar()
        day = f"{year:04d}-W{week:02d}-{weekday}"
    day = day.replace("-", "") if rng.random() < 0.2 else day
    hour, minute, second = rng.integers((24, 60, 60))
    clocks = ("", f"{hour:02d}", f"{hour:02d}:{minute:02d}", f"{hour:02d}{minute:02d}{second:02d}",
              f"{hour:02d}:{minute:02d}:{second:02d}.{second:03d}7")  # fmt: skip
    clock = clocks[rng.choice(5, p=(0.6, 0.1, 0.1, 0.1, 0.1))]
    zone = ("", "Z", f"+{hour:02d}:{minute:02d}", f"-{hour:02d}")[rng.integers(4)]
    return f"{day}{'T t'[rng.integers(3)]}{clock}{zone}" if clock else day


def sentence(rng: np.random.Generator, vocabulary: tuple[str, ...]) -> str:
    """Some words, with something between them."""
    words = rng.choice(vocabulary, rng.integers(1, 8)).tolist()
    return "".join(word + BETWEEN[rng.integers(len(BETWEEN))] for word in words)


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        out = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        out.writeheader()
        out.writerows(rows)
    return path


def typed(plan: Plan, row: dict[str, str]) -> list[float | str | None]:
    return [(None if row[n] == "" else float(row[n])) if n in plan.numbers else row[n] for n in plan.names]


#: What a language says that it cannot hold.
REFUSED = {"sql": "overlaps itself", "pmml": "PMML is XML, which cannot hold a character"}


@dataclass(frozen=True, slots=True)
class Export:
    """A scorer, the rows it is to score, and the columns it asks for, numbers first."""

    plan: Plan
    scorer: bytes
    rows: list[dict[str, str]]
    inputs: list[tuple[str, str]]

    @property
    def cells(self) -> list[list[float | str | None]]:
        """Rows of numbers, texts and gaps."""
        return [typed(self.plan, row) for row in self.rows]


def finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def in_python(export: Export) -> list[float | None]:
    space: dict[str, Any] = {"__name__": "scorer"}
    exec(compile(export.scorer, "scorer.py", "exec"), space)  # noqa: S102  (what was exported)
    return [space["predict"](row)["link"] for row in export.rows]


def in_c(export: Export) -> list[float | None]:
    lines = [line(export.inputs, row) for row in export.rows]
    with TemporaryDirectory() as folder:
        program = compiled(Path(folder), export.scorer.decode(), "-DREGCLI_MAIN")
        status, out, err = run(program, data="".join(lines))
    assert (status, err) == (0, "")
    return [float(cells.split("\t")[0]) if cells.split("\t")[0] else None for cells in out.split("\n")[:-1]]


def in_sqlite(export: Export) -> list[float | None]:
    with sqlite3.connect(":memory:") as base:
        base.execute(f"CREATE TABLE data ({', '.join(map(quoted, export.plan.names))})")
        base.executemany(f"INSERT INTO data VALUES ({', '.join('?' * 8)})", export.cells)  # noqa: S608
        return [row[0] for row in base.execute(export.scorer.decode())]


def in_duckdb(export: Export) -> list[float | None]:
    kinds = [f"{quoted(name)} {'DOUBLE' if name in export.plan.numbers else 'VARCHAR'}" for name in export.plan.names]
    with duckdb.connect() as base:
        base.execute(f"CREATE TABLE data ({', '.join(kinds)})")
        base.executemany(f"INSERT INTO data VALUES ({', '.join('?' * 8)})", export.cells)  # noqa: S608
        return [row[0] for row in base.execute(export.scorer.decode()).fetchall()]


def in_onnx(export: Export) -> list[float | None]:
    session = onnxruntime.InferenceSession(export.scorer, providers=["CPUExecutionProvider"])
    columns = dict(zip(export.plan.names, zip(*export.cells, strict=True), strict=True))
    given_ = {
        part.name: np.array(columns[part.name], dtype=float if "double" in part.type else object)
        for part in session.get_inputs()
    }
    found = session.run(["link"], given_)[0]
    return [None if value != value else value for value in np.broadcast_to(found, len(export.rows)).tolist()]  # noqa: PLR0124


RUNS: dict[str, tuple[str, Callable[[Export], list[float | None]]]] = {
    "python": ("python", in_python),
    "c": ("c", in_c),
    "sqlite": ("sql", in_sqlite),
    "duckdb": ("sql", in_duckdb),
    "onnx": ("onnx", in_onnx),
}


@pytest.fixture(scope="module")
def in_pmml() -> Iterator[Callable[[Export], list[float | None]]]:
    """JPMML's evaluator; Java starts once."""
    script = Path(__file__).with_name("read_pmml.py")
    command = [sys.executable, str(script)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as java:
        assert java.stdin is not None
        assert java.stdout is not None
        ask, answers = java.stdin, java.stdout

        def evaluated(export: Export) -> list[float | None]:
            table = [dict(zip(export.plan.names, cells, strict=True)) for cells in export.cells]
            ask.write(json.dumps({"": {"document": export.scorer.decode(), "rows": table}}) + "\n")
            ask.flush()
            return [finite(row.get("link")) for row in json.loads(answers.readline())[""]]

        yield evaluated
        ask.close()


def hold(name: str, plan: Plan, found: list[float | None], told: list[float | None]) -> None:
    """Hold results against predict."""
    for row, value, expected in zip(new_rows(plan), found, told, strict=True):
        text = row[plan.names[7]] if plan.shape in ("words", "both") else ""
        if name in ("sqlite", "duckdb") and re.fullmatch("[ -~\\t\\n\\r]*", text) is None and value is None:
            continue  # signs that the statement may not know
        if name in ("onnx", "c") and any(letter in "\u0130\u03a3" or category(letter) == "Cn" for letter in text):
            continue  # capitals without a small letter of their own, and what only later versions of Unicode know
        assert nearly(value, expected), (name, row)


def new_rows(plan: Plan) -> list[dict[str, str]]:
    """Rows to score, one of them with a category that is not known."""
    rows = table(plan, plan.seed + 1)
    rows[-1][plan.names[2]] = "never seen"
    return rows


@pytest.mark.slow
@settings(max_examples=25, deadline=None, derandomize=True)
@given(plans())
def test_generated_models_score_as_predict_scores_them(
    in_pmml: Callable[[Export], list[float | None]], plan: Plan
) -> None:
    rows = new_rows(plan)
    with TemporaryDirectory() as folder:
        place = Path(folder)
        train, new, model = write(place / "train.csv", table(plan, plan.seed)), place / "new.csv", place / "model.json"
        fitted = run_tool(
            "fit", train, "--family", plan.family, "--missing", plan.policy, "-l", "0.05",
            *plan.options(), "--delimiter", ",", "-m", model, "-o", place / "fit.json",
        )  # fmt: skip
        assert fitted.status == 0, fitted.err
        words = ("--type", "link", "--on-bad-row", "null", "--delimiter", ",", "-f", "jsonl")
        told = run_tool("predict", model, write(new, rows), *words)
        assert told.status == 0, told.err
        expected = [json.loads(line)["prediction"] for line in told.out.splitlines()]
        assert sum(value is not None for value in expected) > ROWS // 10
        asked = json.loads(run_tool("export", model, "--to", "json").out)["inputs"]
        inputs = sorted(((part["kind"], part["column"]) for part in asked), key=lambda part: part[0] != "number")
        for name, (target, score) in {**RUNS, "pmml": ("pmml", in_pmml)}.items():
            done = run_tool("export", model, "--to", target, "-o", place / "scorer")
            if REFUSED.get(target, "\n\n") in done.err:
                continue
            assert done.status == 0, done.err
            hold(name, plan, score(Export(plan, (place / "scorer").read_bytes(), rows, inputs)), expected)
