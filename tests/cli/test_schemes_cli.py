"""Holding rows out, criteria, counts, solvers: what is refused, the ways out, what comes out."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import pytest

from regcli.errors import CODES
from regcli.report import tables
from regcli.report.schemas import SCHEMAS
from tests.fuzz.tool import run_tool
from tests.tolerances import EXACT

ROWS = 60
BASE = ("--features", "a", "--features", "b", "--penalty", "l1")
NUMBERS = (*BASE, "-y", "y", "--family", "gaussian")
COUNTS = (*BASE, "-y", "k", "--family", "poisson")
CLASSES = (*BASE, "-y", "c", "--family", "binomial")

Frame = pd.DataFrame


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with one table as CSV."""
    monkeypatch.chdir(tmp_path)
    table().to_csv("data.csv", index=False)
    return tmp_path


def table() -> Frame:
    """Numbers, groups, times in no order, exposures, and a target of every family."""
    rng = np.random.default_rng(8)
    a, b = rng.normal(size=ROWS).round(4), rng.normal(size=ROWS).round(4)
    order = rng.permutation(ROWS)
    days = [datetime(2023, 12, 20) + timedelta(days=int(at)) for at in order]  # noqa: DTZ001  (any zone does)
    exposure = rng.choice([0.5, 1.0, 4.0], ROWS)
    return pd.DataFrame(
        {
            "a": a,
            "b": b,
            "g": np.array(["north", "[/b]", "x,y", "1", "2.0", "S\u00fcd"])[rng.permutation(ROWS) % 6],
            "n": 17 * (rng.permutation(ROWS) % 8) - 40,
            "at": order,
            "day": [day.strftime("%Y-%m-%d") for day in days],
            "us": [f"{day.month}/{day.day}/{day.year}" for day in days],
            "e": exposure,
            "w": rng.choice([0.5, 1.0, 2.0], ROWS),
            "k": rng.poisson(exposure * np.exp(0.4 * a)),
            "c": np.where(a + rng.normal(size=ROWS) > 0, "yes", "no"),
            "y": (a - 0.5 * b + rng.normal(size=ROWS)).round(4),
        }
    )


def put(frame: Frame, name: str = "other.csv") -> str:
    frame.to_csv(name, index=False)
    return name


def ask(command: str, *words: str, data: str = "data.csv") -> dict[str, Any]:
    """The document of a run, held against its schema."""
    document: dict[str, Any] = run_tool(command, data, *words, "--json").document
    jsonschema.validate(document, SCHEMAS[command])
    return document


def refused(code: str, command: str, *words: str, data: str = "data.csv") -> dict[str, Any]:
    """The error of a run that writes nothing."""
    before = set(Path().iterdir())
    status = CODES[code][0]
    told = run_tool(command, data, *words, "-o", "out.json")
    assert (told.status, told.out) == (status, ""), told.err
    assert told.err.count("error[") == 1
    assert f"error[{code}]: " in told.err
    assert set(Path().iterdir()) == before
    error: dict[str, Any] = run_tool(command, data, *words, "--json").error
    jsonschema.validate(error, SCHEMAS["error"])
    assert (error["code"], error["exit_code"]) == (code, status)
    return error


@cache
def fits(*words: str) -> bool:
    """Whether the table can be fitted so; it is the same in every test."""
    return run_tool("fit", "data.csv", *words).status == 0


# -- what is refused, and the way out --------------------------------------------------------------------------------


IDLE = "option-without-effect"

REFUSALS: list[tuple[Sequence[str], str, str, Sequence[str] | None]] = [
    ((*NUMBERS, "--cv", "group"), "usage", "--group", (*NUMBERS, "--cv", "group", "--group", "g")),
    ((*NUMBERS, "--cv", "time", "--group", "g"), "conflicting-options", "--cv", (*NUMBERS, "--group", "g")),
    ((*NUMBERS, "--cv", "kfold", "--group", "g"), "conflicting-options", "--cv", (*NUMBERS, "--group", "g")),
    ((*NUMBERS, "--order-by", "day", "--group", "g"), IDLE, "leave --order-by", (*NUMBERS, "--group", "g")),
    ((*NUMBERS, "--cv", "kfold", "--order-by", "day"), IDLE, "--order-by", NUMBERS),
    ((*NUMBERS, "--cv", "stratified"), IDLE, "--cv kfold", (*NUMBERS, "--cv", "kfold")),
    ((*NUMBERS, "--gap", "2"), IDLE, "--cv time, or leave", (*NUMBERS, "--gap", "2", "--cv", "time")),
    ((*NUMBERS, "--window", "9"), IDLE, "--window", (*NUMBERS, "--window", "9", "--cv", "time")),
    ((*NUMBERS, "--cv", "time", "--repeats", "2"), IDLE, "--repeats", (*NUMBERS, "--cv", "time")),
    ((*NUMBERS, "--cv", "loo", "--repeats", "2"), IDLE, "--repeats", (*NUMBERS, "--cv", "loo")),
    ((*NUMBERS, "--cv", "loo", "--folds", "5"), IDLE, "--folds", (*NUMBERS, "--folds", "5")),
    ((*NUMBERS, "--fold-column", "n", "--repeats", "2"), IDLE, "--repeats", (*NUMBERS, "--repeats", "2")),
    ((*NUMBERS, "--fold-column", "n", "--group", "g"), IDLE, "--group", (*NUMBERS, "--group", "g")),
    ((*CLASSES, "--cv", "loo", "--metric", "auc"), "conflicting-options", "--cv stratified", CLASSES),
    ((*NUMBERS, "--cv", "time", "--gap", "-1"), "unknown-option-value", "", (*NUMBERS, "--cv", "time", "--gap", "0")),
    ((*NUMBERS, "--cv", "time", "--window", "0"), "unknown-option-value", "", (*NUMBERS, "--cv", "time")),
    ((*NUMBERS, "--repeats", "0"), "unknown-option-value", "", (*NUMBERS, "--repeats", "1")),
    ((*NUMBERS, "--repeats", "1001"), "unknown-option-value", "", (*NUMBERS, "--repeats", "2")),
    ((*NUMBERS, "--cv", "time", "--gap", "60"), "bad-folds", "smaller --gap", (*NUMBERS, "--cv", "time", "--gap", "3")),
    ((*NUMBERS, "--cv", "time", "--gap", f"{2**63}"), "bad-folds", "smaller --gap", None),
    ((*NUMBERS, "--cv", "time", "--folds", "60"), "bad-folds", "--folds 59", (*NUMBERS, "--cv", "time")),
    ((*NUMBERS, "--group", "g", "--folds", "7"), "bad-folds", "--folds 6", (*NUMBERS, "--group", "g", "--folds", "6")),
    ((*NUMBERS, "--order-by", "n", "--folds", "9"), "bad-folds", "--folds 7", (*NUMBERS, "--order-by", "n")),
    ((*NUMBERS, "--group", "c"), "bad-folds", "--lambda", (*NUMBERS, "--lambda", "0.1")),
    ((*NUMBERS, "--order-by", "us"), "bad-order", "year-month-day", (*NUMBERS, "--order-by", "day")),
    ((*NUMBERS, "--order-by", "g"), "bad-order", "year-month-day", (*NUMBERS, "--order-by", "at")),
    ((*NUMBERS, "--group", "G"), "column-not-found", "the columns are", (*NUMBERS, "--group", "g")),
    ((*NUMBERS, "--order-by", "dya"), "column-not-found", "the columns are", (*NUMBERS, "--order-by", "day")),
    ((*NUMBERS, "--group", "y"), "column-in-two-roles", "leave out --", NUMBERS),
    ((*NUMBERS, "--group", "a"), "column-in-two-roles", "leave out --", NUMBERS),
    ((*NUMBERS, "--drop", "g", "--group", "g"), "column-in-two-roles", "leave out --", (*NUMBERS, "--group", "g")),
    ((*NUMBERS, "--lambda", "1", "--rule", "bic"), IDLE, "--rule", (*NUMBERS, "--lambda", "1")),
    ((*NUMBERS[4:], "--penalty", "none", "--rule", "aic"), IDLE, "--rule", NUMBERS),
    ((*NUMBERS, "--rule", "aic", "--metric", "mae"), IDLE, "--folds 10, or leave",
     (*NUMBERS, "--rule", "aic", "--metric", "mae", "--folds", "10")),
    ((*NUMBERS, "--rule", "ebic", "--full-path"), IDLE, "--full-path", (*NUMBERS, "--rule", "ebic")),
    ((*NUMBERS, "--rule", "ebic", "--full-path", "--folds", "5"), IDLE, "leave --full-path out",
     (*NUMBERS, "--rule", "ebic", "--folds", "5")),
    ((*NUMBERS, "--solver", "newton"), IDLE, "--solver auto", (*NUMBERS, "--solver", "auto")),
    ((*NUMBERS, "--solver", "direct"), IDLE, "moments", (*NUMBERS, "--solver", "moments")),
    ((*COUNTS, "--solver", "moments"), IDLE, "newton", (*COUNTS, "--solver", "newton")),
    ((*NUMBERS, "--solver", "row-space"), IDLE, "--solver auto", NUMBERS),
    ((*NUMBERS, "--exposure", "e"), IDLE, "--exposure", NUMBERS),
    ((*CLASSES, "--exposure", "e"), IDLE, "--exposure", CLASSES),
    ((*COUNTS, "--exposure", "a"), "column-in-two-roles", "leave out --", (*COUNTS, "--exposure", "e")),
    ((*COUNTS, "--exposure", "at"), "bad-exposure", "above 0", (*COUNTS, "--exposure", "w")),
    ((*COUNTS, "--metric", "auc"), "unknown-option-value", "deviance", (*COUNTS, "--metric", "deviance")),
    ((*COUNTS, "--threshold", "0.5"), IDLE, "--threshold", COUNTS),
    ((*BASE, "-y", "y", "--family", "poisson"), "target-domain", "--family gaussian", NUMBERS),
    ((*NUMBERS, "--l1-ratio", "0.2,0.8"), IDLE, "--penalty elasticnet, or leave",
     (*NUMBERS, "--l1-ratio", "0.2,0.8", "--penalty", "elasticnet")),
    ((*NUMBERS, "--save-path"), IDLE, "-m model.json, or leave", (*NUMBERS, "--save-path", "-m", "model.json")),
    ((*NUMBERS, "--max-drop", "r2=0.1"), IDLE, "--baseline old.json, or leave", None),
    ((*NUMBERS, "--baseline", "old.json"), IDLE, "--max-drop r2=0.02, or leave", None),
    ((*NUMBERS, "--baseline", "old.json", "--max-drop", "r2"), "unknown-option-value", "--max-drop r2=0.02", None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "code", "said", "way"), REFUSALS, ids=[f"{' '.join(case[0][5:])} {case[1]}" for case in REFUSALS]
)
def test_refusals_have_a_way_out(words: Sequence[str], code: str, said: str, way: Sequence[str] | None) -> None:
    error = refused(code, "fit", *words)
    assert said in (error["hint"] or "")
    if way is not None:
        assert fits(*way)


def test_a_path_has_one_share_of_l1_and_no_folds() -> None:
    words = ("-y", "y", "--family", "gaussian", "--features", "a", "--penalty", "elasticnet")
    assert "regcli cv" in refused("option-without-effect", "path", *words, "--l1-ratio", "0.2,0.8")["hint"]
    assert ask("path", *words, "--l1-ratio", "0.2")["lambdas"]
    for option in ("--group", "--order-by", "--repeats", "--gap", "--window", "--cv", "--rule", "--assert"):
        refused("usage", "path", *words, option, "1")


def test_leave_one_out_is_for_2000_rows() -> None:
    pd.concat([table()] * 34).to_csv("long.csv", index=False)
    error = refused("too-many-lanes", "cv", *NUMBERS, "--cv", "loo", data="long.csv")
    assert "--folds 10" in error["hint"]
    assert ask("cv", *NUMBERS, "--folds", "10", "--repeats", "2", data="long.csv")["fold_scores"]


def test_few_groups_and_few_times_make_fewer_folds() -> None:
    for words, folds, what in (
        (("--group", "g"), 6, "6 groups"),
        (("--order-by", "n"), 7, "7 times after the first"),
    ):
        document = ask("cv", *NUMBERS, *words)
        (warning,) = [warning for warning in document["warnings"] if warning["code"] == "fewer-folds"]
        assert warning["message"] == f"{folds} folds instead of 10: there are {what}"
        assert len(document["fold_weights"]) == warning["folds"] == folds


def test_repeats_that_have_the_same_folds_are_told_with_the_way_out() -> None:
    for words, folds in ((("--group", "n"), 8), (("--folds", str(ROWS)), ROWS)):
        document = ask("cv", *NUMBERS, *words, "--repeats", "2")
        (warning,) = [warning for warning in document["warnings"] if warning["code"] == "same-folds"]
        assert (warning["repeats"], warning["folds"]) == (2, folds)
        assert document["se"] == pytest.approx(ask("cv", *NUMBERS, *words)["se"], rel=EXACT)  # they bring nothing
        assert f"--folds with fewer than {folds}" in warning["message"]
        ways = (("--repeats", "1"), ("--repeats", "2", "--folds", str(folds - 1)))
        for way in ways:
            codes = {warning["code"] for warning in ask("cv", *NUMBERS, *words, *way)["warnings"]}
            assert "same-folds" not in codes, way
    strict = run_tool("fit", "data.csv", *NUMBERS, "--group", "n", "--repeats", "2", "--folds", "8", "--strict")
    assert (strict.status, strict.out) == (3, "")
    assert strict.err.startswith("error[same-folds]: all 2 repeats have the same 8 folds; leave out --repeats")


# -- groups ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["g", "n", "day", "at"])
def test_every_column_can_name_groups(name: str) -> None:
    document = ask("cv", *NUMBERS, "--group", name)
    frame = table()
    count = min(10, frame[name].nunique())
    assert len(document["fold_weights"]) == count
    assert sum(document["fold_weights"]) == ROWS


def test_groups_are_told_apart_as_they_are_spelt() -> None:
    frame = table()
    frame["n"] = 12345678901234560 + frame["n"] % 8  # as doubles some of these are the same
    frame.to_parquet("typed.parquet")
    one, two = (ask("cv", *NUMBERS, "--group", "n", data=data) for data in (put(frame), "typed.parquet"))
    assert len(one["fold_weights"]) == frame["n"].nunique()
    assert one["fold_scores"] == two["fold_scores"]


def test_a_group_is_no_feature() -> None:
    frame = table().drop(columns=["day", "us", "at", "g"])
    document = ask("fit", "-y", "y", "--family", "gaussian", "--group", "n", "--all-terms", data=put(frame))
    assert document["n_features"] == len(frame.columns) - 2
    assert "n" not in {source for row in document["coefficients"] for source in row["sources"]}
    assert document["options"]["group"] == "n"


@pytest.mark.parametrize("option", ["--group", "--order-by", "--exposure"])
def test_rows_without_a_mark_are_refused_or_left_out(option: str) -> None:
    name = {"--group": "g", "--order-by": "day", "--exposure": "e"}[option]
    frame = table().astype({name: object})
    frame.loc[[3, 7], name] = None
    error = refused("missing-target", "fit", *COUNTS, option, name, data=put(frame))
    assert error["location"]["line"] == 5
    assert error["location"]["column"] == name
    assert "--missing-target drop" in error["hint"]
    document = ask("fit", *COUNTS, option, name, "--missing-target", "drop", data="other.csv")
    assert document["data"]["rows_dropped"] == {"missing": 0, "missing_target": 2}
    whole = ask("fit", *COUNTS, option, name, data=put(frame.drop(index=[3, 7]), "whole.csv"))
    assert document["coefficients"] == whole["coefficients"]


def test_weights_and_class_weights_go_with_groups() -> None:
    words = (*CLASSES, "--weights", "w", "--class-weight", "balanced", "--group", "g")
    document = ask("cv", *words)
    frame = table()
    totals = sorted(frame.groupby("g")["w"].sum())
    assert sorted(document["fold_weights"]) == pytest.approx(totals, rel=EXACT)  # scores know no class weights
    assert ask("cv", *CLASSES, "--weights", "w", "--group", "g")["lambdas"] != document["lambdas"]


def test_a_test_set_is_of_whole_groups_or_of_the_last_rows() -> None:
    frame = table()
    grouped = ask("fit", *NUMBERS, "--group", "g", "--test-size", "0.3")
    held = ROWS - grouped["data"]["rows_used"]
    assert held in {ROWS // 6 * count for count in range(1, 6)}
    late = ask("fit", *NUMBERS, "--order-by", "day", "--test-size", "0.25")
    first = frame.sort_values("at").index[: ROWS - 15]
    alone = ask("fit", *NUMBERS, "--order-by", "day", data=put(frame.loc[sorted(first)]))
    assert late["coefficients"] == alone["coefficients"]
    assert late["metrics"]["cv"] == alone["metrics"]["cv"]


def test_a_gap_is_kept_before_test_rows_too() -> None:
    """The model is that of the rows before the gap, scored on the rows after it."""
    ordered = table().sort_values("at").index
    words = ("--order-by", "day", "--gap", "4", "-l", "0.1")
    late = ask("fit", *NUMBERS, *words, "--test-size", "0.25")
    early = put(table().loc[sorted(ordered[: ROWS - 19])], "early.csv")
    last = put(table().loc[sorted(ordered[ROWS - 15 :])], "last.csv")
    alone = ask("fit", *NUMBERS, *words, "--test", last, data=early)
    assert late["data"]["rows_used"] == ROWS - 19
    assert late["validation"]["gap"] == 4
    assert late["coefficients"] == alone["coefficients"]
    assert late["metrics"] == alone["metrics"]
    assert ask("fit", *NUMBERS, "--folds", "4")["validation"]["gap"] is None
    error = refused("no-rows", "fit", *NUMBERS, "--order-by", "day", "--gap", "60", "--test-size", "0.25")
    assert error["hint"] == "a smaller --test-size or --gap"


# -- times -----------------------------------------------------------------------------------------------------------


def spelt(at: int) -> list[str]:
    """One moment in all the ways it may be written."""
    moment = datetime(2024, 1, 1, 10) + timedelta(seconds=at // 2, milliseconds=500 * (at % 2))  # noqa: DTZ001
    text = moment.isoformat()
    later = (moment + timedelta(hours=2, minutes=30)).isoformat()
    return [f"{text}Z", f"{text.replace('T', ' ')}+00:00", f"{later}+02:30", f"{later}+0230"]


def test_dates_moments_and_timestamps_are_in_the_same_order() -> None:
    frame = table()
    moments = [spelt(int(at)) for at in frame["at"]]
    frame["mixed"] = [each[row % 4] for row, each in enumerate(moments)]
    frame["month"] = [f"{2000 + at // 12}-{at % 12 + 1:02}" for at in frame["at"]]
    put(frame)
    typed = frame.assign(
        day=pd.to_datetime(frame["day"]), mixed=pd.to_datetime([each[0] for each in moments], format="ISO8601")
    )
    typed["date"] = typed["day"].dt.date
    typed.to_parquet("typed.parquet")
    expected = ask("cv", *NUMBERS, "--order-by", "at")
    for data, names in (("other.csv", ("day", "mixed", "month")), ("typed.parquet", ("day", "mixed", "date", "at"))):
        for name in names:
            document = ask("cv", *NUMBERS, "--order-by", name, data=data)
            for key in ("lambdas", "mean", "se", "fold_scores", "fold_weights", "coefficients", "metrics"):
                assert document[key] == expected[key], (name, key)


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("3/1/2020", "neither numbers nor ISO dates"),
        ("2024-02-30", "neither numbers nor ISO dates"),
        ("2024-1-5", "neither numbers nor ISO dates"),
        ("\uff12\uff10\uff12\uff14-01-05", "neither numbers nor ISO dates"),
        ("[/b]", "neither numbers nor ISO dates"),
        ("12", "neither numbers nor ISO dates"),
        ("2024-01-05T10:00Z", "some of its times have a time zone and some have none"),
    ],
)
def test_a_cell_that_is_no_date_is_shown_with_its_place(cell: str, said: str) -> None:
    frame = table()
    frame.loc[4, "day"] = cell
    error = refused("bad-order", "cv", *NUMBERS, "--order-by", "day", data=put(frame))
    assert said in error["message"]
    assert cell in error["cells"]
    assert error["hint"]
    if "zone" not in said and cell != "12":
        assert (error["location"]["line"], error["cells"]) == (6, [cell])


def test_rows_at_one_time_stay_together() -> None:
    document = ask("cv", *NUMBERS, "--order-by", "n", "--folds", "4")
    counts = table().groupby("n").size().to_numpy()
    ends = set(np.cumsum(counts).tolist())
    begins = ROWS - np.cumsum(document["fold_weights"][::-1])
    assert set(begins.tolist()) <= {0, *ends}


# -- documents -------------------------------------------------------------------------------------------------------


SCHEMES = (
    ("--cv", "kfold"), ("--group", "g"), ("--order-by", "day", "--gap", "1", "--window", "30"), ("--cv", "time"),
    ("--cv", "loo"), ("--folds", "3", "--repeats", "3"), ("--group", "n", "--repeats", "2"), ("--fold-column", "n"),
)  # fmt: skip


@pytest.mark.parametrize("words", SCHEMES, ids=" ".join)
@pytest.mark.parametrize("family", [NUMBERS, COUNTS, CLASSES], ids=["gaussian", "poisson", "binomial"])
def test_documents_of_every_scheme(family: tuple[str, ...], words: tuple[str, ...]) -> None:
    words = (*family, *words, "--n-lambdas", "6", *(("--exposure", "e") if "poisson" in family else ()))
    fitted, validated = ask("fit", *words), ask("cv", *words)
    assert {key: json.dumps(validated[key]) for key in fitted if key != "schema"} == {
        key: json.dumps(value) for key, value in fitted.items() if key != "schema"
    }
    assert validated["metrics"]["cv"]["chosen_on_these_folds"] is True
    assert len(validated["fold_scores"]) == len(validated["fold_weights"])
    assert "held out: " in tables.table(validated)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--folds", "4"), ("kfold", 4, 1)),
        (("--folds", "3", "--repeats", "2"), ("kfold", 3, 2)),
        (("--group", "g", "--folds", "3"), ("group", 3, 1)),
        (("--cv", "time", "--folds", "5"), ("time", 5, 1)),
        (("--cv", "loo"), ("loo", len(table()), 1)),
    ],
)
def test_the_document_says_how_rows_were_held_out(words: tuple[str, ...], expected: tuple[str, int, int]) -> None:
    found = ask("fit", *NUMBERS, "-l", "1,0.1", *words)["validation"]
    assert (found["scheme"], found["folds"], found["repeats"]) == expected
    assert ask("fit", *NUMBERS, "-l", "1")["validation"] is None


def test_scores_of_more_than_100_folds_are_left_out() -> None:
    few = ask("cv", *NUMBERS, "--folds", "10", "--repeats", "10", "--n-lambdas", "5")
    assert len(few["fold_scores"]) == len(few["fold_weights"]) == 100
    many = ask("cv", *NUMBERS, "--folds", "10", "--repeats", "11", "--n-lambdas", "5")
    assert many["fold_scores"] is None
    assert len(many["fold_weights"]) == 110
    twice = pd.concat([table(), table().assign(a=table()["b"])])
    assert ask("cv", *NUMBERS, "--cv", "loo", "--n-lambdas", "5", data=put(twice))["fold_scores"] is None


@pytest.mark.parametrize("rule", ["aic", "bic", "ebic"])
@pytest.mark.parametrize("family", [NUMBERS, COUNTS, CLASSES], ids=["gaussian", "poisson", "binomial"])
def test_a_criterion_chooses_without_folds_and_is_scored_on_them(family: tuple[str, ...], rule: str) -> None:
    family = (*family, "--n-lambdas", "15")
    alone = ask("fit", *family, "--rule", rule)
    assert alone["metrics"]["cv"] is None
    assert alone["criterion"]["name"] == alone["model"]["rule"] == rule
    scored = ask("fit", *family, "--rule", rule, "--folds", "5")
    assert scored["metrics"]["cv"]["chosen_on_these_folds"] is False
    curve = ask("cv", *family, "--rule", rule)
    assert curve["metrics"]["cv"]["chosen_on_these_folds"] is False
    at = curve["lambdas"].index(curve["model"]["lambda"])
    assert (curve["criterion_path"][at], curve["df_path"][at]) == (
        curve["criterion"]["value"],
        curve["criterion"]["df"],
    )
    assert min(value for value in curve["criterion_path"] if value is not None) == curve["criterion"]["value"]
    assert len(curve["criterion_path"]) == len(curve["df_path"]) == len(curve["mean"]) == len(curve["lambdas"])
    by_folds = ask("cv", *family)
    assert by_folds["criterion"] is by_folds["criterion_path"] is by_folds["df_path"] is None


def test_every_share_of_l1_has_its_curve_and_the_best_one_is_reported() -> None:
    words = (*NUMBERS[:4], *NUMBERS[6:], "--penalty", "elasticnet", "--group", "g")
    document = ask("cv", *words, "--l1-ratio", "0.1,1,0.5", "--n-lambdas", "20")
    assert [part["l1_ratio"] for part in document["grid"]] == [0.1, 1.0, 0.5]
    best = min(document["grid"], key=lambda part: min(part["mean"]))
    assert document["model"]["l1_ratio"] == best["l1_ratio"]
    assert (document["lambdas"], document["mean"]) == (best["lambdas"], best["mean"])
    for part in document["grid"]:
        alone = ask("cv", *words, "--l1-ratio", str(part["l1_ratio"]), "--n-lambdas", "20")
        assert (alone["lambdas"], alone["mean"], alone["se"]) == (part["lambdas"], part["mean"], part["se"])
    single = ask("fit", *words, "--l1-ratio", "0.1,0.9", "--lambda", "0.05")
    assert single["metrics"]["cv"]["chosen_on_these_folds"] is True


def test_csv_and_parquet_hold_the_same_rows_out() -> None:
    frame = table().assign(day=pd.to_datetime(table()["day"]))
    frame.to_parquet("data.parquet")
    for scheme in (("--group", "g"), ("--group", "n"), ("--order-by", "day", "--folds", "4"), ("--fold-column", "n")):
        words = (*CLASSES, *scheme, "--n-lambdas", "6")
        one, two = (ask("cv", *words, data=data) for data in ("data.csv", "data.parquet"))
        one.pop("data")
        two.pop("data")
        assert json.dumps(one) == json.dumps(two), words


@pytest.mark.parametrize("name", ["-x", "*", "[/b]", ":smile:", "\u202eflip", "x=mean", "a:b", 'q"q', "\x1b[2J"])
def test_names_are_data_in_every_new_place(name: str) -> None:
    frame = table()
    renames = ({"g": name}, {"at": name}, {"e": name}, {"a": name})
    plain = ("--drop", "us", "--drop", "day", "--drop", "c", "--drop", "y", "-y", "k", "--family", "poisson")
    for rename, words in zip(
        renames,
        (
            ("--group", name, "--exposure", "e"),
            ("--order-by", name, "--categorical", "g"),
            ("--exposure", name, "--categorical", "g"),
            (f"--missing={name}=mean", f"--interactions={name}:b", "--poly=2", "--categorical", "g"),
        ),
        strict=True,
    ):
        given = [f"{words[0]}={name}", *words[2:]] if words[0].startswith("--") and "=" not in words[0] else words
        given = [*given, "--folds", "3", "--n-lambdas", "5"]
        document = ask("cv", *plain, *given, data=put(frame.rename(columns=rename)))
        assert name in " ".join(map(str, document["options"].values())).replace("\\x1b", "\x1b").replace(
            "\\u202e", "\u202e"
        )
        shown = tables.table(document)
        assert "\x1b" not in shown
        assert "\u202e" not in shown
