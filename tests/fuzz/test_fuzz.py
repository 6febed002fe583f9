"""Random tables and options, two thirds of them damaged in a way whose exit status is known; 70 never is."""

import json
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import jsonschema
import numpy as np
import pytest

from regcli.report.schemas import SCHEMAS
from tests.certificate import certificate
from tests.fuzz.damages import DAMAGES, TEXT, Case, Expected
from tests.fuzz.options import ask
from tests.fuzz.tables import make_table
from tests.fuzz.tool import Outcome, run_tool

VALIDATORS = {name: jsonschema.Draft202012Validator(schema) for name, schema in SCHEMAS.items()}

#: Seeds of the run that is always done, and of the longer one.
QUICK = range(120)
BATCHES = [range(start, start + 100) for start in range(1000, 1800, 100)]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder.d").mkdir()


def make_case(seed: int) -> tuple[Case, Expected | None]:
    """One case, and the error that must come of it; None for a good one."""
    rng = Random(seed)  # noqa: S311  (not for secrets)
    table = make_table(rng)
    case = Case(rng, table, ask(rng, table), table.file)
    if rng.random() < 1 / 3:
        return case, None
    for damage in rng.sample(DAMAGES, len(DAMAGES)):
        if damage in TEXT and table.format == "parquet":
            continue
        expected = damage(case)
        if expected is not None:
            case.damage = damage.__name__
            return case, expected
    raise AssertionError("no damage can be done")


def check_bad(case: Case, expected: Expected, told: str) -> None:
    outcome = run_tool(*case.words())
    assert outcome.status == expected.status, told + outcome.err
    assert (outcome.out == "") == (expected.code != "check-failed"), told
    # A column may be called --json: before the line has been read, the word alone makes errors JSON.
    if case.asked.form == "json" or ("--json" in case.asked.words and outcome.err.startswith("{")):
        error = outcome.error
        VALIDATORS["error"].validate(error)
        assert error["exit_code"] == expected.status
        assert expected.code in {"", error["code"]}, told + outcome.err
        if expected.place is not None:
            where = error["location"]
            assert (where["file"], where["line"], where["column"]) == (case.file, *expected.place), told + outcome.err
    else:
        errors = [line for line in outcome.err.splitlines() if line.startswith("error[")]
        assert len(errors) == 1, told
        assert expected.code in errors[0]


def check_good(case: Case, told: str) -> bool:
    """Check the document; tell whether it could be certified."""
    outcome = run_tool(*case.words())
    assert outcome.status == 0, told + outcome.err
    if case.asked.form != "json":
        return False
    document = outcome.document
    VALIDATORS[case.asked.command].validate(document)
    if case.asked.model_out:
        check_scores(case, told)
    if case.rng.random() < 1 / 3:
        check_again(case, outcome, told)
    simple = case.table.is_simple and case.asked.plain and "--test-size" not in case.asked.words
    return simple and certify(case, document, told)


def check_again(case: Case, outcome: Outcome, told: str) -> None:
    """Other threads write the same bytes; cv holds all of fit, where fit has folds as well."""
    command, *words = case.words()
    at = words.index("--jobs") + 1
    other = [*words[:at], "2" if words[at] == "1" else "1", *words[at + 1 :]]
    assert run_tool(command, *other).out == outcome.out, told
    if command == "fit" and outcome.document["metrics"]["cv"] is not None:
        document, fitted = run_tool("cv", *words).document, outcome.document
        VALIDATORS["cv"].validate(document)
        assert {key: json.dumps(document[key]) for key in fitted if key != "schema"} == {
            key: json.dumps(value) for key, value in fitted.items() if key != "schema"
        }, told


def check_scores(case: Case, told: str) -> None:
    """The model scores the table it was fitted on, row by row; a changed one is refused."""
    model = json.loads(Path("model.json").read_text("utf-8"))
    VALIDATORS["model"].validate(model)
    words = [
        "predict",
        "model.json",
        case.file,
        *case.table.dialect(),
        "--prefix",
        "new ",
        "--json",
        "--on-bad-row",
        "null",
    ]
    outcome = run_tool(*words)
    assert outcome.status == 0, told + outcome.err
    assert len(outcome.document) == case.table.rows
    model["family"] = "gaussian" if model["family"] == "poisson" else "poisson"
    Path("model.json").write_text(json.dumps(model), "utf-8")
    assert run_tool(*words).status == 5, told


def certify(case: Case, document: Any, told: str) -> bool:  # noqa: ANN401  (JSON has no type)
    if any(warning["code"] == "not-converged" for warning in document["warnings"]):
        return False
    found = certificate(document, case.file, columns=case.asked.used, categorical=case.asked.declared)
    assert np.all(found.violation <= np.maximum(case.asked.tol, found.floor)), told + str(found.violation.max())
    return True


def run_batch(seeds: range) -> Counter[str]:
    counts: Counter[str] = Counter()
    before = {"folder.d"}
    for seed in seeds:
        case, expected = make_case(seed)
        case.write(Path())
        told = f"\nseed {seed}: {case.words()}\n{expected}\n"
        if expected is None:
            counts["good"] += 1
            counts["certified"] += check_good(case, told)
        else:
            counts["bad"] += 1
            check_bad(case, expected, told)
            assert {path.name for path in Path().iterdir()} == before | {case.table.file}, told
        for path in Path().iterdir():
            if path.is_file():
                path.unlink()
    return counts


def hold(counts: Counter[str]) -> None:
    assert counts["good"] >= (counts["good"] + counts["bad"]) / 4
    assert counts["certified"] >= counts["good"] / 8


def test_fuzz() -> None:
    hold(run_batch(QUICK))


def test_every_damage_is_done() -> None:
    done = {make_case(seed)[0].damage for batch in (QUICK, *BATCHES) for seed in batch}
    assert done == {None, *(damage.__name__ for damage in DAMAGES)}


@pytest.mark.slow
@pytest.mark.parametrize("batch", BATCHES, ids=lambda batch: str(batch.start))
def test_fuzz_more(batch: range) -> None:
    hold(run_batch(batch))
