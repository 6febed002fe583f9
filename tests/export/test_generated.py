"""Models of generated tables: names and levels of any letters, any family, policy and shape of terms."""

import csv
import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.export.models import nearly
from tests.export.test_sql import quoted
from tests.fuzz.tool import run_tool

LETTERS = st.characters(codec="utf-8", exclude_characters="\0\r\n")
WORDS = st.text(LETTERS | st.sampled_from("'\"\\`;-*/?%{}[]$"), min_size=1, max_size=6).map(lambda word: f"w{word}_")
ROWS = 40
GONE = ("", "NA", "NaN", "nan", "null")


@dataclass(frozen=True, slots=True)
class Plan:
    """A table and a fit; the first two columns are numbers, the next two categories with the levels."""

    names: tuple[str, ...]
    levels: tuple[str, ...]
    family: str
    policy: str
    words: tuple[str, ...]
    seed: int


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    names = draw(st.lists(WORDS, min_size=5, max_size=5, unique_by=str.lower))
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
    return Plan(tuple(names), tuple(levels), family, policy, words, draw(st.integers(0, 1000)))


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
    for at, cells in enumerate(columns[:4]):
        cells[at :: 11 + at] = [""] * len(cells[at :: 11 + at])
    return [dict(zip(plan.names, row, strict=True)) for row in zip(*columns, strict=True)]


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        out = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        out.writeheader()
        out.writerows(rows)
    return path


def typed(plan: Plan, row: dict[str, str]) -> list[float | str | None]:
    return [(None if row[n] == "" else float(row[n])) if n in plan.names[:2] else row[n] for n in plan.names]


def in_python(_plan: Plan, scorer: bytes, rows: list[dict[str, str]]) -> list[float | None]:
    space: dict[str, Any] = {"__name__": "scorer"}
    exec(compile(scorer, "scorer.py", "exec"), space)  # noqa: S102  (what was exported)
    return [space["predict"](row)["link"] for row in rows]


def in_sqlite(plan: Plan, scorer: bytes, rows: list[dict[str, str]]) -> list[float | None]:
    with sqlite3.connect(":memory:") as base:
        base.execute(f"CREATE TABLE data ({', '.join(map(quoted, plan.names))})")
        base.executemany("INSERT INTO data VALUES (?, ?, ?, ?, ?)", [typed(plan, row) for row in rows])
        return [row[0] for row in base.execute(scorer.decode())]


def in_onnx(plan: Plan, scorer: bytes, rows: list[dict[str, str]]) -> list[float | None]:
    session = onnxruntime.InferenceSession(scorer, providers=["CPUExecutionProvider"])
    columns = dict(zip(plan.names, zip(*(typed(plan, row) for row in rows), strict=True), strict=True))
    given_ = {
        part.name: np.array(columns[part.name], dtype=float if "double" in part.type else object)
        for part in session.get_inputs()
    }
    found = session.run(["link"], given_)[0]
    return [None if value != value else value for value in np.broadcast_to(found, len(rows)).tolist()]  # noqa: PLR0124


RUNS: dict[str, Callable[[Plan, bytes, list[dict[str, str]]], list[float | None]]] = {
    "python": in_python,
    "sql": in_sqlite,
    "onnx": in_onnx,
}


@pytest.mark.slow
@settings(max_examples=25, deadline=None, derandomize=True)
@given(plans())
def test_generated_models_score_as_predict_scores_them(plan: Plan) -> None:
    rows = table(plan, plan.seed + 1)
    rows[-1][plan.names[2]] = "never seen"
    with TemporaryDirectory() as folder:
        place = Path(folder)
        train, new, model = write(place / "train.csv", table(plan, plan.seed)), place / "new.csv", place / "model.json"
        run = run_tool(
            "fit", train, "-y", plan.names[4], "--family", plan.family, "--missing", plan.policy, "-l", "0.05",
            *plan.words, "--delimiter", ",", "-m", model, "-o", place / "fit.json",
        )  # fmt: skip
        assert run.status == 0, run.err
        words = ("--type", "link", "--on-bad-row", "null", "--delimiter", ",", "-f", "jsonl")
        told = run_tool("predict", model, write(new, rows), *words)
        assert told.status == 0, told.err
        expected = [json.loads(line)["prediction"] for line in told.out.splitlines()]
        assert sum(value is not None for value in expected) > ROWS // 2
        for target, score in RUNS.items():
            assert run_tool("export", model, "--to", target, "-o", place / "scorer").status == 0
            found = score(plan, (place / "scorer").read_bytes(), rows)
            assert all(map(nearly, found, expected)), target
