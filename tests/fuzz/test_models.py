"""Model files that were changed: refused, or used with a warning and exactly as they now read."""

import csv
import io
import json
from collections import Counter
from pathlib import Path

import jsonschema
import numpy as np
import pandas as pd
import pytest

from tests.fuzz import direct
from tests.fuzz.direct import Answer
from tests.fuzz.models import LOOSE, Document, Mutant, link_by_hand, make_mutant, spots
from tests.fuzz.tool import run_tool

QUICK = range(100)
BATCHES = [range(start, start + 400) for start in range(1_000, 3_400, 400)]

#: Options of the models that are changed, by what is special about them.
FITS = {
    "gaussian": ("-y", "cost", "--poly", "2", "--interactions", "age:where", "--offset", "shift"),
    "binomial": ("-y", "ill", "--missing", "age=indicator", "--threshold", "0.4"),
    "mixed": (
        *("-y", "cost", "--date", "when", "--text", "note", "--ordinal", "size=S,M,L"),
        *("--spline", "age=4", "--min-level-count", "20"),
    ),
    "poisson": ("-y", "n", "--exposure", "days", "--no-profile"),
}

#: Columns that a model leaves out.
DROPPED = {
    "gaussian": ("ill", "n", "when", "size", "note"),
    "binomial": ("cost", "n", "shift", "days", "when", "size", "note"),
    "mixed": ("ill", "n", "days", "shift"),
    "poisson": ("cost", "ill", "shift", "when", "size", "note"),
}

#: Kinds of factors that are computed a second time.
BY_HAND = ("value", "level", "missing")

VALIDATOR = jsonschema.Draft202012Validator(LOOSE)


def table() -> pd.DataFrame:
    rng = np.random.default_rng(8)
    age, where = rng.integers(20, 80, 90).astype(object), rng.choice(["north", "south", "west"], 90)
    risk = 0.03 * age.astype(float) + (where == "west")
    cost, ill, n = (risk + rng.normal(size=90)).round(2), risk + rng.normal(size=90) > 2, rng.poisson(risk)
    age[[5, 6]] = ""
    when = [f"2024-{1 + at % 12:02d}-{1 + at % 28:02d}" for at in range(90)]
    size, note = rng.choice(["S", "M", "L"], 90), [" ".join(rng.choice(["free", "late", "kind"], 3)) for _ in range(90)]
    days, shift = rng.integers(1, 9, 90), rng.normal(size=90).round(2)
    new = rng.random(90) < 0.5
    return pd.DataFrame(
        {"who": np.arange(90), "age": age, "where": where, "new": new, "days": days, "shift": shift, "n": n,
         "when": when, "size": size, "note": note,
         "ill": np.where(ill, "yes", "no"), "cost": cost}
    )  # fmt: skip


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Document]:
    """The models, and the folder they are tried in."""
    folder = tmp_path_factory.mktemp("models")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        table().to_csv("train.csv", index=False)
        out = {}
        for family, words in FITS.items():
            given = [*words, *(part for name in DROPPED[family] for part in ("--drop", name))]
            kind = "gaussian" if family == "mixed" else family
            base = ("--family", kind, "--id", "who", "--missing", "median", "-l", "0.1,0.01,0.001", "--folds", "3")
            done = run_tool("fit", "train.csv", *base, *given, "--save-path", "-m", "model.json", "-o", "fit.json")
            assert done.status == 0, done.err
            out[family] = json.loads(Path("model.json").read_text("utf-8"))
    return out


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with rows to score."""
    monkeypatch.chdir(tmp_path)
    table()[:12].to_csv("new.csv", index=False)


def score(text: str, *, no_verify: bool = False) -> Answer:
    Path("model.json").write_text(text, "utf-8", errors="surrogatepass")
    return direct.score("model.json", "new.csv", on_bad_row="null", no_verify=no_verify)


def try_out(mutant: Mutant, original: Document, before: Answer) -> str:
    """Score with a changed model, verified and not; what became of it."""
    verified = score(mutant.text)
    if not mutant.changed(original):
        assert verified == before, mutant.told
        return "the same"
    assert verified.status == 5, (mutant.told, verified)
    assert verified.code.startswith("model-"), (mutant.told, verified)
    trusted = score(mutant.text, no_verify=True)
    assert trusted.status in (0, 3, 5), (mutant.told, trusted)
    if mutant.document is None or next(VALIDATOR.iter_errors(mutant.document), None) is not None:
        assert trusted.status == 5, mutant.told
    if trusted.status == 5:
        assert trusted.code.startswith("model-"), (mutant.told, trusted)
        return "refused"
    if trusted.status == 3:  # it asks for columns that the data do not have
        assert trusted.code in ("column-not-found", "text-in-numeric-column"), (mutant.told, trusted)
        return "other columns"
    assert "model-altered" in trusted.warnings, mutant.told
    assert mutant.document is not None
    check_links(mutant.document, trusted, mutant.told)
    return "moved" if trusted.rows != before.rows else "used"


def check_links(document: Document, answer: Answer, told: str) -> None:
    """Every prediction is what the changed document says, computed a second time."""
    rows = list(csv.DictReader(io.StringIO(Path("new.csv").read_text("utf-8"))))
    found = [row[-1] for row in answer.rows[1:]]
    if any(factor["kind"] not in BY_HAND for term in document["terms"] for factor in term["factors"]):
        return  # other kinds have tests of their own
    for row, made in zip(rows, found, strict=True):
        try:
            expected = link_by_hand(document, row)
        except (OverflowError, TypeError, ValueError):  # a fill that is none, in a row that needs it; or log of it
            expected = float("nan")
        if made not in (None, ""):
            size = max(abs(expected), 1.0, abs(document["intercept"]))
            size = max(size, *(abs(term["estimate"]) * 1e4 for term in document["terms"]))
            assert abs(float(made) - expected) <= 1e-9 * size, told


def run_batch(models: dict[str, Document], seeds: range) -> Counter[str]:
    counts: Counter[str] = Counter()
    families = list(FITS)
    before = {family: score(json.dumps(models[family], indent=2, ensure_ascii=False)) for family in families}
    assert {answer.status for answer in before.values()} == {0}
    for seed in seeds:
        family = families[seed % len(families)]
        counts[try_out(make_mutant(seed, models[family]), models[family], before[family])] += 1
    return counts


def hold(counts: Counter[str]) -> None:
    total = sum(counts.values())
    assert counts["refused"] >= total / 2
    assert counts["moved"] + counts["used"] >= total / 20


def test_changed_models(models: dict[str, Document]) -> None:
    hold(run_batch(models, QUICK))


def test_a_changed_model_is_refused_once_and_nothing_is_printed(models: dict[str, Document]) -> None:
    told = set()
    for seed in range(12):
        family = list(FITS)[seed % len(FITS)]
        mutant = make_mutant(seed, models[family])
        if mutant.changed(models[family]):
            Path("model.json").write_text(mutant.text, "utf-8", errors="surrogatepass")
            outcome = run_tool("predict", "model.json", "new.csv", "--type", "link")
            assert (outcome.status, outcome.out) == (5, ""), mutant.told
            assert outcome.err.count("error[model-") == 1, mutant.told + outcome.err
            told.add(mutant.told)
    assert len(told) > 6


@pytest.mark.slow
@pytest.mark.parametrize("batch", BATCHES, ids=lambda batch: str(batch.start))
def test_more_changed_models(models: dict[str, Document], batch: range) -> None:
    hold(run_batch(models, batch))


def test_numbers_that_matter_are_used_as_they_read(models: dict[str, Document]) -> None:
    """Every estimate, fill and the intercept in turn: refused when verified, else told and taken at its word."""
    for family, original in models.items():
        before = score(json.dumps(original))
        for spot in spots(original):
            if spot[-1] not in ("estimate", "intercept", "fill") and spot[-2:-1] != ("fill",):
                continue
            document = json.loads(json.dumps(original))
            holder = document
            for key in spot[:-1]:
                holder = holder[key]
            if isinstance(holder[spot[-1]], dict) or holder[spot[-1]] is None:
                continue
            holder[spot[-1]] += 0.125
            assert score(json.dumps(document)).status == 5
            answer = score(json.dumps(document), no_verify=True)
            assert (answer.status, "model-altered" in answer.warnings) == (0, True), (family, spot)
            check_links(document, answer, f"{family} {spot}")
            if spot[-1] == "intercept":
                assert answer.rows != before.rows


def test_every_kind_of_member_is_changed(models: dict[str, Document]) -> None:
    kinds = {
        (family, tuple(key for key in spot if isinstance(key, str)))
        for family, original in models.items()
        for spot in spots(original)
    }
    done = set()
    for seed in (seed for batch in (QUICK, *BATCHES) for seed in batch):
        family = list(FITS)[seed % len(FITS)]
        told = make_mutant(seed, models[family]).told
        if told.startswith("("):
            spot = eval(told.rpartition("): ")[0] + ")")  # noqa: S307  (a tuple that this file has spelt)
            done.add((family, tuple(key for key in spot if isinstance(key, str))))
    assert len(kinds - done) <= len(kinds) / 50
    assert sum(map(len, (QUICK, *BATCHES))) >= 2_000


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.write_bytes(b" " * 200_000_001),
        lambda path: path.write_bytes(b" " * 199_000_000),
        lambda path: path.write_bytes(b'{"schema": "regcli.model/1", "a": ' + b"[" * 1_000_000),
        lambda path: path.write_bytes(b'{"a":' * 200_000 + b"1" + b"}" * 200_000),
        lambda path: path.write_bytes(b"\xef\xbb\xbf\xff\xfe"),
        lambda path: path.symlink_to("/dev/zero"),
        lambda path: path.mkdir(),
    ],
)
def test_what_is_large_deep_or_no_file_is_refused(make: object) -> None:
    assert callable(make)
    make(Path("huge.json"))
    outcome = run_tool("predict", "huge.json", "new.csv", "--no-verify")
    assert (outcome.status, outcome.out) == (5, "")
    assert "error[model-unreadable]" in outcome.err
    assert len(outcome.err) < 2_000
    assert run_tool("check", "huge.json", "new.csv").status == 5
