"""Damaged files of every format: an error of ours with a status that fits, or a result; never a crash, never a hang."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random

import pytest

from tests.fuzz.mutants import FILES, Mutant, mutant
from tests.fuzz.tool import run_tool

#: Mutants in all, and in one test.
MANY, BATCH = 2000, 250

FIT = ("--family", "gaussian", "--lambda", "0.1", "--missing", "drop", "--missing-target", "drop", "--json")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def statuses(mutants: list[Mutant], model: str) -> Iterator[tuple[Mutant, int, int]]:
    """Exit statuses of fit and predict; documents and errors are where they belong."""
    for each in mutants:
        Path(each.name).write_bytes(each.content)
        fitted = run_tool("fit", each.name, *FIT)
        scored = run_tool("predict", model, each.name, "--on-bad-row", "null", "-o", "out.csv")
        told = (each.name, each.how)
        assert fitted.status in {0, 2, 3, 7}, (*told, fitted.err)
        assert scored.status in {0, 2, 3, 7}, (*told, scored.err)
        assert (fitted.out == "") == (fitted.status != 0), told
        assert Path("out.csv").exists() == (scored.status == 0), told
        if fitted.status:
            assert fitted.error["location"]["file"] in {each.name, None}, (*told, fitted.err)
        Path("out.csv").unlink(missing_ok=True)
        yield each, fitted.status, scored.status


def damaged(seeds: Iterable[int]) -> list[Mutant]:
    return [mutant(Random(seed)) for seed in seeds]  # noqa: S311  (no secrets)


@pytest.fixture
def model() -> str:
    Path("good.csv").write_bytes(FILES["t.csv"])
    assert run_tool("fit", "good.csv", *FIT, "-m", "model.json").status == 0
    return "model.json"


def test_what_is_not_damaged_fits_and_scores(model: str) -> None:
    whole = [Mutant(name, content, "whole") for name, content in FILES.items()]
    found = list(statuses(whole, model))
    assert {name: fitted for (each, fitted, _) in found for name in [each.name]} == dict.fromkeys(FILES, 0)
    assert all(scored == 0 for each, _, scored in found if each.name not in {"s.npz", "t.mtx"})


@pytest.mark.slow
@pytest.mark.parametrize("batch", range(MANY // BATCH))
def test_damaged_files(model: str, batch: int) -> None:
    mutants = damaged(range(batch * BATCH, (batch + 1) * BATCH))
    seen: Counter[int] = Counter()
    for each, fitted, scored in statuses(mutants, model):
        seen[fitted] += 1
        if each.status is not None:
            assert (fitted, scored) == (each.status, each.status), (each.name, each.how)
    assert seen[0] > BATCH / 100  # some damage is none, and a reader that refuses everything is no reader
    assert seen[3] > BATCH / 3


def test_some_damaged_files(model: str) -> None:
    mutants = damaged(range(10_000, 10_040))
    known = [each for each in mutants if each.status is not None]
    assert len(known) > 5
    for each, fitted, scored in statuses(mutants, model):
        if each.status is not None:
            assert (fitted, scored) == (each.status, each.status), (each.name, each.how)
