"""diff and baselines on damaged documents: an error of ours with a status, never a bug."""

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import ROOT
from tests.fuzz.tool import run_tool

DIABETES = str(ROOT / "sample_data" / "diabetes.csv")
GAUSSIAN = ("-y", "progression", "--family", "gaussian")

#: What a value may be in its place.
ODD: tuple[Any, ...] = (None, "", "x\x1b[2J", -1, 0, 1e308, -1e308, 1e-320, 10**400, True, [], [1.0], {}, {"a": None})

ROUNDS = 60


def spots(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401  (JSON has no type)
    """Every place in a document, a list by its first two members."""
    items = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    for key, item in items:
        yield (*above, key)
        yield from spots(item, (*above, key))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("comparing")
    runs = {"cv": ("cv", DIABETES, *GAUSSIAN, "--n-lambdas", "6", "--folds", "3", "-m", made / "model.json"),
            "fit": ("fit", DIABETES, *GAUSSIAN, "-l", "3"), "path": ("path", DIABETES, *GAUSSIAN, "-l", "9,3,1"),
            "check": ("check", made / "model.json", DIABETES)}  # fmt: skip
    for name, words in runs.items():
        assert run_tool(*words, "-o", made / f"{name}.json").status == 0
    assert run_tool("diff", made / "cv.json", made / "fit.json", "-o", made / "diff.json").status == 0
    return made


@pytest.mark.parametrize("kind", ["fit", "cv", "path", "model", "check", "diff"])
def test_damaged_documents_are_compared_or_refused(kind: str, folder: Path) -> None:
    rng = random.Random(kind)  # noqa: S311  (a test that is the same every time)
    whole = json.loads((folder / f"{kind}.json").read_text("utf-8"))
    places = list(spots(whole))
    damaged, statuses = folder / "damaged.json", set()
    for _ in range(ROUNDS):
        document = copy.deepcopy(whole)
        *above, last = rng.choice(places)
        parent = document
        for key in above:
            parent = parent[key]
        parent[last] = rng.choice(ODD)
        damaged.write_text(json.dumps(document), "utf-8")
        other = "path" if kind == "path" else "fit"
        words: tuple[object, ...] = ("diff", folder / f"{other}.json", damaged, "--no-verify")
        if kind == "check":
            words = ("check", folder / "model.json", DIABETES, "--baseline", damaged, "--max-increase", "rmse=1%")
        if kind == "diff":
            words = ("show", damaged)
        outcome = run_tool(*words, "-f", rng.choice(["table", "md", "csv", "json"]))
        assert outcome.status in (0, 1, 2, 3, 5), (above, last, parent[last], outcome.err)
        assert "\x1b" not in outcome.out + outcome.err
        statuses.add(outcome.status)
    assert {0, 5 if kind == "model" else 3} <= statuses
