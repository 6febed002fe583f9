"""What predict may be told to do otherwise than the model, what it counts, and how its parts add up."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import pytest

from regcli.app import predictor
from regcli.report.schemas import SCHEMAS
from tests.cli.conftest import environment
from tests.fuzz.tool import Outcome, run_tool
from tests.tolerances import EXACT

Frame = pd.DataFrame
Rows = list[dict[str, str]]

ROWS = 80
FIT = ("-y", "cost", "--family", "gaussian", "--id", "who", "-m", "model.json", "-o", "fit.json")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a table in it."""
    monkeypatch.chdir(tmp_path)
    table().to_csv("train.csv", index=False)
    return tmp_path


def table() -> Frame:
    rng = np.random.default_rng(5)
    a, b, c = rng.normal(size=(3, ROWS)).round(3)
    where = rng.choice(["north", "south", "west"], ROWS, p=[0.2, 0.5, 0.3])
    cost = (2 * a - b + 3 * (where == "west") + rng.normal(size=ROWS)).round(3)
    who = [f"{n:02d}" for n in range(ROWS)]
    shift = rng.normal(size=ROWS).round(2)
    return pd.DataFrame({"who": who, "a": a, "b": b, "c": c, "where": where, "shift": shift, "cost": cost})


def fitted(*more: str) -> dict[str, Any]:
    parts = () if "--offset" in more else ("--drop", "shift")
    outcome = run_tool("fit", "train.csv", *FIT, *parts, *more)
    assert outcome.status == 0, outcome.err
    model: dict[str, Any] = json.loads(Path("model.json").read_text("utf-8"))
    jsonschema.validate(model, SCHEMAS["model"])
    return model


def put(frame: Frame) -> str:
    frame.to_csv("new.csv", index=False)
    return "new.csv"


def predict(*words: str) -> Outcome:
    return run_tool("predict", "model.json", *words)


def scored(*words: str) -> Rows:
    outcome = predict(*words)
    assert outcome.status == 0, outcome.err
    return list(csv.DictReader(io.StringIO(outcome.out)))


def predictions(*words: str) -> np.ndarray[Any, Any]:
    return np.array([float(row["prediction"]) for row in scored(*words)])


def by_hand(intercept: float, estimates: dict[str, float], frame: Frame) -> np.ndarray[Any, Any]:
    """The linear predictor, from nothing but names and numbers."""
    eta = np.full(len(frame), intercept)
    for term, estimate in estimates.items():
        source, equals, level = term.partition("=")
        power = 2 if term.endswith("^2") else 1
        column = (frame[source] == level) if equals else frame[source.removesuffix("^2")] ** power
        eta = eta + estimate * column.to_numpy(dtype=float)
    return eta


# -- terms -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("more", [(), ("--offset", "shift")])
def test_terms_add_up_to_the_link_to_the_last_digit(more: tuple[str, ...]) -> None:
    model = fitted("-l", "0.05", "--poly", "2", "--interactions", "a:where", *more)
    rows = scored("train.csv", "--type", "terms")
    names = [f"term({entry['term']})" for entry in model["terms"] if entry["estimate"] != 0]
    shift = ["(offset)"] if more else []
    assert list(rows[0]) == ["who", "prediction", "(intercept)", *shift, *names]
    assert len(names) > 3
    for row in rows:
        total = 0.0
        for name in ["(intercept)", *shift, *names]:
            total += float(row[name])
        assert repr(total) == row["prediction"]
    assert [row["prediction"] for row in rows] == [row["prediction"] for row in scored("train.csv", "--type", "link")]
    estimates = {entry["term"]: entry["estimate"] for entry in model["terms"]}
    parts = np.array([float(row["term(a)"]) for row in rows])
    assert parts == pytest.approx(estimates["a"] * table()["a"], rel=EXACT)


def test_terms_go_beside_all_columns() -> None:
    fitted("-l", "0.05")
    header = list(scored("train.csv", "--type", "terms", "--append")[0])
    assert header[:7] == list(table())
    assert len(set(header)) == len(header)


# -- strengths -------------------------------------------------------------------------------------------------------


def test_every_strength_of_a_saved_path_scores_as_its_own_model() -> None:
    model = fitted("-l", "1,0.5,0.1,0.02", "--save-path")
    path = model["path"]
    assert path["lambdas"] == [1.0, 0.5, 0.1, 0.02]
    for at, lam in enumerate(path["lambdas"]):
        estimates = {entry["term"]: entry["values"][at] for entry in path["coefficients"]}
        expected = by_hand(path["intercepts"][at], estimates, table())
        assert predictions("train.csv", "--lambda", str(lam)) == pytest.approx(expected, rel=EXACT)
        words = ("-y", "cost", "--family", "gaussian", "--drop", "shift", "--drop", "who", "-l", str(lam))
        alone = {
            entry["term"]: entry["estimate"] for entry in run_tool("fit", "train.csv", *words).document["coefficients"]
        }
        assert {term: value for term, value in estimates.items() if value} == pytest.approx(alone, abs=1e-5)


def test_the_strength_that_was_chosen_is_the_model() -> None:
    model = fitted("--save-path")
    assert predict("train.csv", "--lambda", repr(model["lambda"])).out == predict("train.csv").out


def test_between_two_strengths_coefficients_are_interpolated() -> None:
    path = fitted("-l", "1,0.5,0.1", "--save-path")["path"]
    lam = 0.2
    share = (lam - 0.1) / (0.5 - 0.1)

    def between(values: list[float]) -> float:
        return share * values[1] + (1 - share) * values[2]

    estimates = {entry["term"]: between(entry["values"]) for entry in path["coefficients"]}
    expected = by_hand(between(path["intercepts"]), estimates, table())
    outcome = predict("train.csv", "-l", "0.2")
    assert "warning[lambda-interpolated]" in outcome.err
    assert predictions("train.csv", "-l", "0.2") == pytest.approx(expected, rel=1e-10)
    assert predict("train.csv", "-l", "0.2", "--strict", "-o", "scores.csv").status == 2
    assert not Path("scores.csv").exists()


def test_columns_are_needed_where_they_have_a_coefficient() -> None:
    path = fitted("-l", "1,0.02", "--save-path")["path"]
    late = [entry["term"] for entry in path["coefficients"] if not entry["values"][0] and "=" not in entry["term"]]
    assert late
    put(table().drop(columns=late))
    assert predict("new.csv", "-l", "1").status == 0
    assert "error[column-not-found]" in predict("new.csv", "-l", "0.02").err


@pytest.mark.parametrize("lam", ["2", "0.01", "-1", "nan", "inf"])
def test_strengths_beyond_the_path_are_refused(lam: str) -> None:
    fitted("-l", "1,0.5,0.1", "--save-path")
    outcome = predict("train.csv", f"--lambda={lam}")
    assert (outcome.status, outcome.out) == (2, "")
    assert "from 1.0 to 0.1" in outcome.err


def test_without_a_path_there_is_one_strength() -> None:
    assert fitted("-l", "1,0.5,0.1")["path"] is None
    outcome = predict("train.csv", "--lambda", "0.5")
    assert (outcome.status, outcome.out) == (2, "")
    assert "--save-path" in outcome.err


@pytest.mark.parametrize(
    "words", [("-l", "0.1", "-m", "m.json", "--save-path"), ("--save-path",), ("--penalty", "none", "--save-path")]
)
def test_a_path_that_cannot_be_saved_is_refused(words: tuple[str, ...]) -> None:
    outcome = run_tool("fit", "train.csv", "-y", "cost", "--family", "gaussian", "--id", "who", *words)
    assert (outcome.status, "error[option-without-effect]: --save-path" in outcome.err) == (2, True)


# -- missing cells ---------------------------------------------------------------------------------------------------


def holes() -> Frame:
    """Row 3 has no a, row 5 no place, row 7 neither."""
    frame = table().astype(object)
    frame.loc[[3, 7], "a"] = None
    frame.loc[[5, 7], "where"] = None
    return frame


@pytest.mark.parametrize("policy", ["mean", "median"])
def test_cells_are_filled_from_what_the_model_knows(policy: str) -> None:
    model = fitted("-l", "0.02")
    put(holes())
    assert predict("new.csv").status == 3
    outcome = predict("new.csv", "--missing", policy)
    assert "4 cells in 2 columns were filled as --missing says" in outcome.err
    a, where = table()["a"], table()["where"]
    shares = where.value_counts(normalize=True)
    place = {level: float(level == "south") if policy == "median" else shares[level] for level in shares.index}
    assert place["south"] >= max(place.values())
    estimates = {entry["term"]: entry["estimate"] for entry in model["terms"]}
    expected = by_hand(model["intercept"], estimates, table())
    for row, (no_a, no_where) in {3: (True, False), 5: (False, True), 7: (True, True)}.items():
        if no_a:
            expected[row] += estimates["a"] * ((a.mean() if policy == "mean" else a.median()) - a[row])
        if no_where:
            own = estimates[f"where={where[row]}"]
            expected[row] += sum(estimates[f"where={level}"] * share for level, share in place.items()) - own
    assert predictions("new.csv", "--missing", policy) == pytest.approx(expected, rel=1e-10)


def test_rows_with_missing_cells_are_left_out() -> None:
    fitted("-l", "0.02")
    whole = scored("train.csv")
    put(holes())
    outcome = predict("new.csv", "--missing", "drop")
    assert list(csv.DictReader(io.StringIO(outcome.out))) == [r for at, r in enumerate(whole) if at not in (3, 5, 7)]
    assert "warning[rows-dropped]: 3 of 80 rows with missing cells were left out" in outcome.err
    some = scored("new.csv", "--missing", "a=drop", "--on-bad-row", "null")
    assert [row["who"] for row in some if not row["prediction"]] == ["05"]
    assert [row["who"] for row in some] == [f"{n:02d}" for n in range(ROWS) if n not in (3, 7)]


def test_a_cell_that_is_no_number_is_not_a_missing_one() -> None:
    fitted("-l", "0.02")
    frame = table().astype(object)
    frame.loc[3, "a"] = "much"
    put(frame)
    assert predict("new.csv", "--missing", "drop").status == 3
    rows = scored("new.csv", "--missing", "drop", "--on-bad-row", "null")
    assert [row["who"] for row in rows if not row["prediction"]] == ["03"]


def test_what_was_learnt_can_be_refused() -> None:
    holes().to_csv("train.csv", index=False)
    fitted("-l", "0.02", "--missing", "indicator")
    whole = scored("train.csv")
    outcome = predict("train.csv", "--missing", "error")
    assert (outcome.status, "error[missing-values]" in outcome.err) == (3, True)
    kept = scored("train.csv", "--missing", "error", "--on-bad-row", "skip")
    assert kept == [row for at, row in enumerate(whole) if at not in (3, 5, 7)]
    outcome = predict("train.csv", "--missing", "median")
    assert (outcome.status, "error[conflicting-options]" in outcome.err) == (2, True)


@pytest.mark.parametrize(
    ("fit", "policy", "told"),
    [
        ((), "indicator", "has no term missing("),
        (("--no-profile",), "mean", "--no-profile"),
        ((), "guess", "there is no policy"),
        ((), "x=mean", "column"),
    ],
)
def test_policies_that_a_model_cannot_have_are_refused(fit: tuple[str, ...], policy: str, told: str) -> None:
    fitted("-l", "0.02", *fit)
    outcome = predict("train.csv", "--missing", policy, "-o", "scores.csv")
    assert outcome.status in (2, 3)
    assert told in outcome.err
    assert not Path("scores.csv").exists()


# -- violations ------------------------------------------------------------------------------------------------------


def test_numbers_out_of_range_are_told_in_one_line() -> None:
    fitted("-l", "0.02")
    put(table().assign(a=table()["a"] + 100.0, b=table()["b"].mask(table().index == 4, -50.0)))
    outcome = predict("new.csv")
    assert outcome.err.count("warning[") == 1
    assert "warning[out-of-range]: 81 cells lie outside the training range: a (80), b (1)" in outcome.err
    outcome = predict("new.csv", "--strict", "-o", "scores.csv")
    assert (outcome.status, "error[out-of-range]" in outcome.err) == (3, True)
    assert not Path("scores.csv").exists()


@pytest.mark.parametrize("form", ["csv", "tsv", "csv.gz", "jsonl", "parquet", "feather"])
def test_the_first_of_each_kind_of_bad_cells_is_told_in_every_format(form: str) -> None:
    fitted("-l", "0.02")
    frame = table()[:20].assign(a=table()["a"].mask(table().index == 9, 50.0).mask(table().index == 12, -60.0))
    frame["where"] = frame["where"].mask(frame.index.isin([5, 11]), "east")
    frame["b"] = frame["b"].mask(frame.index.isin([7, 8]))
    write = {
        "csv": lambda: frame.to_csv("new.csv", index=False),
        "tsv": lambda: frame.to_csv("new.tsv", index=False, sep="\t"),
        "csv.gz": lambda: frame.to_csv("new.csv.gz", index=False),
        "jsonl": lambda: frame.to_json("new.jsonl", orient="records", lines=True),
        "parquet": lambda: frame.to_parquet("new.parquet", index=False),
        "feather": lambda: frame.to_feather("new.feather"),
    }
    write[form]()
    header = 0 if form in ("jsonl", "parquet", "feather") else 1

    def at(row: int, column: str) -> str:
        rows = form in ("parquet", "feather")
        return f"new.{form}{f', row {row + 1}' if rows else f':{row + 1 + header}'}, column {column!r}"

    words = (f"new.{form}", "--on-bad-row", "null", "--unknown-level", "zero")
    told = predict(*words, "-o", "scores.csv").err
    for text in (
        f"2 of 20 rows could not be scored; the first at {at(7, 'b')}\n",
        f"2 cells hold categories that the model has not seen; the first at {at(5, 'where')}: 'east'\n",
        f"2 cells lie outside the training range: a (2); the first at {at(9, 'a')}: '50.0'\n",
    ):
        assert text in told
        assert text in predict(*words, "--metrics-out", "metrics.json").err
    Path("scores.csv").unlink()
    refused = predict(*words, "--strict", "-o", "scores.csv")
    assert (refused.status, Path("scores.csv").exists()) == (3, False)
    assert f"error[rows-skipped]: 2 of 20 rows could not be scored; the first at {at(7, 'b')}\n" in refused.err
    checked = json.loads(run_tool("check", "model.json", f"new.{form}", "--json").out)
    assert {(each["code"], each["count"]) for each in checked["violations"]} == {
        ("missing-values", 2), ("unknown-level", 2), ("out-of-range", 2),
    }  # fmt: skip


def test_metrics_of_another_family_are_refused_before_a_row_is_written() -> None:
    fitted("-l", "0.02")
    outcome = predict("train.csv", "--assert", "metrics.auc > 0.5")
    assert (outcome.status, outcome.out) == (2, "")
    assert predict("train.csv", "--assert", "metrics.rmse < 1e9 and len(violations) == 0").status == 0


def test_the_bytes_do_not_depend_on_how_a_table_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    fitted("-l", "0.02")
    put(holes())
    words = ("new.csv", "--on-bad-row", "null", "--append", "--type", "terms", "--metrics-out", "metrics.json")
    whole, metrics = predict(*words), Path("metrics.json").read_bytes()
    assert whole.status == 0
    for rows in (1, 7, 79):
        monkeypatch.setattr(predictor, "CHUNK_ROWS", rows)
        assert predict(*words) == whole
        assert Path("metrics.json").read_bytes() == metrics


# -- memory ----------------------------------------------------------------------------------------------------------

#: Writes rows without end and counts what it wrote, until the reader goes or so many million bytes are out.
FEED = """
import sys
rows = b"".join(b"%d.5,-0.%d,north,%d\\n" % (n % 7, n % 89, n) for n in range(20_000))
sys.stdout.buffer.write(b"a,b,where,more\\n")
for _ in range(int(sys.argv[1]) * 1_000_000 // len(rows)):
    sys.stdout.buffer.write(rows)
"""

#: The peak of a process, measured by a parent that has no other child.
MEASURED = """
import resource, subprocess, sys
feed = subprocess.Popen([sys.executable, "-c", sys.argv[1], sys.argv[2]], stdout=subprocess.PIPE)
words = [sys.executable, "-m", "regcli", *sys.argv[3:]]
subprocess.run(words, stdin=feed.stdout, stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
feed.stdout.close()
feed.wait()
"""


@pytest.mark.slow
@pytest.mark.parametrize("command", ["predict", "check"])
def test_a_stream_of_any_length_takes_the_same_memory(command: str) -> None:
    fitted("-l", "0.1", "--drop", "c")

    def peak(megabytes: int) -> int:
        words = [sys.executable, "-c", MEASURED, FEED, str(megabytes), command, "model.json", "-", "-qq"]
        done = subprocess.run(words, env=environment(), capture_output=True, check=True, text=True, timeout=300)
        return int(done.stdout) * (1 if sys.platform == "darwin" else 1024)

    short, long = peak(30), peak(300)
    assert long < short + 16e6
    assert long < 400e6


@pytest.mark.parametrize("policy", ["mean", "median"])
@pytest.mark.parametrize(
    "more", [(), ("--ordinal", "where=north,west,south"), ("--min-level-count", "20"), ("--poly", "2")]
)
def test_cells_are_filled_as_a_weighted_fit_with_this_policy_fills_them(policy: str, more: tuple[str, ...]) -> None:
    """The weights make other levels frequent, and other numbers the middle, than counting rows does."""
    heavy = np.where(table()["where"] == "west", 5.0, 0.5) * np.where(table()["a"] > 0, 3.0, 0.25)
    table().assign(heavy=np.where(table().index == 20, 0.0, heavy)).to_csv("train.csv", index=False)
    words = ("--weights", "heavy", "-l", "0.02", *more)
    put(holes())
    learnt = {entry["column"]: entry["fill"] for entry in fitted(*words, "--missing", policy)["features"]}
    expected = predictions("new.csv")
    known = fitted(*words)["profile"]["columns"]
    assert known["a"][policy] == pytest.approx(getattr(table()["a"], policy)(), rel=EXACT)  # of rows, for drift
    assert {name: entry["fills"][policy] for name, entry in known.items()} == learnt
    assert predictions("new.csv", "--missing", policy).tolist() == expected.tolist()


@pytest.mark.parametrize("policy", ["mean", "median"])
@pytest.mark.parametrize("levels", ["north,south", "south,north"])
def test_half_of_the_rows_is_the_lower_of_two_levels(policy: str, levels: str) -> None:
    where = ["north", "south"] * (ROWS // 2)
    table().assign(where=where).to_csv("train.csv", index=False)
    put(holes().replace({"where": {"west": "north"}}))
    words = ("-l", "0.02", "--ordinal", f"where={levels}")
    fitted(*words, "--missing", policy)
    expected = predictions("new.csv")
    fitted(*words)
    assert predictions("new.csv", "--missing", policy) == pytest.approx(expected, rel=EXACT)
