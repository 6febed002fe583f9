"""Damaged files of every format: what becomes of each follows from what a second reader finds in it."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.fuzz.direct import fit_ridge, score
from tests.fuzz.judge import LAMBDA, Verdict, judge, judge_scores
from tests.fuzz.mutants import FORMATS, PACKED, Mutant, files_of, mutant
from tests.fuzz.tool import run_tool

pytestmark = pytest.mark.usefixtures("folder")

#: Mutants of each format, in one test, and in the quick one.
MANY, BATCH, FEW = 2_000, 500, 40

#: Every so many of them is scored too.
SCORED = 5

#: Coefficients of the same arrays in another order of arithmetic; cells that lie far apart lose digits, see ``wide``.
CLOSE = 1e-6

each_format = pytest.mark.parametrize("form", FORMATS)
every_format = pytest.mark.parametrize("form", [*FORMATS, *PACKED])


def put(form: str, content: bytes) -> str:
    name = f"t.{form}"
    Path(name).write_bytes(content)
    return name


def apart(found: Mapping[Any, float], right: Mapping[Any, float]) -> float:
    size = max(1.0, *map(abs, right.values()))
    return max(abs(found[term] - right[term]) for term in right) / size


class Trial:
    """One format: the good file and its model, and what is held of each mutant."""

    def __init__(self, form: str) -> None:
        self.form = form
        good = files_of(form)[0]
        self.good = judge(form, good)
        fitted = fit_ridge(put(form, good), LAMBDA, "model.json")
        assert fitted.status == 0, fitted.told
        self.estimates = fitted.estimates
        self.seen: Counter[str] = Counter()

    def fits(self, each: Mutant) -> None:
        """The status, a code that says why, and the coefficients; those of the good file where it is the same table."""
        verdict, found = judge(self.form, each.content), fit_ridge(put(self.form, each.content), LAMBDA)
        told = (self.form, each.how, found.status, found.code, found.told, sorted(verdict.codes))
        assert found.status == verdict.status, told
        self.seen[f"status {verdict.status}"] += 1
        if verdict.status:
            assert found.code in verdict.codes, told
            return
        assert verdict.estimates is not None
        assert found.estimates.keys() == verdict.estimates.keys(), told
        if verdict.columns == self.good.columns:
            self.seen["same"] += 1
            assert found.estimates == self.estimates, told
        self.seen["wide"] += verdict.wide
        assert verdict.wide or apart(found.estimates, verdict.estimates) < CLOSE, told

    def scores(self, each: Mutant) -> None:
        """The same of ``predict`` with the model of the good file."""
        verdict = judge_scores(self.form, each.content, self.good)
        found = score("model.json", put(self.form, each.content))
        told = (self.form, each.how, found.status, found.code, found.told, sorted(verdict.codes))
        assert found.status == verdict.status, told
        if verdict.status:
            assert found.code in verdict.codes, told
        else:
            right = dict(enumerate(verdict.scores or ()))
            made = {at: float(row[-1] or "nan") for at, row in enumerate(found.rows[1:])}
            assert made.keys() == right.keys(), told
            assert apart(made, right) < CLOSE, told
            self.seen["scored"] += 1


@every_format
def test_good_files_hold_the_same_however_they_are_written(form: str) -> None:
    trial = Trial(form)
    for content in files_of(form):
        trial.fits(Mutant(form, content, "whole"))
        trial.scores(Mutant(form, content, "whole"))
    assert trial.seen["same"] == trial.seen["scored"] == len(files_of(form))


@every_format
def test_some_damaged_files(form: str) -> None:
    trial = Trial(form)
    for seed in range(MANY, MANY + FEW):
        trial.fits(mutant(form, seed))
        trial.scores(mutant(form, seed))
    assert trial.seen["status 3"] > FEW / 4
    assert trial.seen["status 0"] > FEW / 20


@pytest.mark.slow
@pytest.mark.parametrize("start", range(0, MANY, BATCH))
@each_format
def test_damaged_files(form: str, start: int) -> None:
    trial = Trial(form)
    for seed in range(start, start + BATCH):
        trial.fits(mutant(form, seed))
        if seed % SCORED == 0:
            trial.scores(mutant(form, seed))
    assert trial.seen["status 3"] > BATCH / 3
    assert trial.seen["status 0"] > BATCH / 6  # a reader that refuses everything is no reader
    assert trial.seen["same"] > BATCH / 100  # some damage is none
    assert trial.seen["wide"] < BATCH / 10
    assert trial.seen["scored"] > BATCH / SCORED / 20


def verdicts(form: str, seeds: range) -> list[tuple[Mutant, Verdict]]:
    return [(each, judge(form, each.content)) for each in (mutant(form, seed) for seed in seeds)]


@every_format
def test_documents_and_errors_are_where_they_belong(form: str) -> None:
    """The same through the command line: streams, places, and files that are whole or not there."""
    for each, verdict in verdicts(form, range(MANY, MANY + 8)):
        name = put(form, each.content)
        words = ("--family", "gaussian", "--penalty", "l2", "--lambda", LAMBDA, "--json", "-m", "new.json")
        outcome = run_tool("fit", name, *words)
        assert outcome.status == verdict.status, (each.how, outcome.err)
        assert (outcome.out == "") == (verdict.status != 0), each.how
        assert Path("new.json").exists() == (verdict.status == 0), each.how
        if verdict.status:
            error = outcome.error
            assert error["code"] in verdict.codes, each.how
            assert error["location"]["file"] in {name, None}, (each.how, outcome.err)
        Path("new.json").unlink(missing_ok=True)
