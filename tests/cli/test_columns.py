"""Declared columns and formulas through the whole tool: what they ask for, how they score, what is refused."""

import csv
import json
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.fuzz.tool import run_tool
from tests.tolerances import SOLVED

pytestmark = pytest.mark.usefixtures("folder")

ROWS = 120
RICH = (
    "--date", "when", "--ordinal", "size=S,M,L", "--text", "note", "--text-ngrams", "2", "--text-weights", "tfidf",
    "--spline", "age", "--min-level-count", "9", "--l1-ratio", "0.5", "--penalty", "elasticnet",
)  # fmt: skip


#: A formula of all columns but some.
LESS = ("--date", "when", "--formula")


def table(*, holes: bool = False) -> pd.DataFrame:
    rng = np.random.default_rng(11)
    share = 1 / np.arange(1, 9)
    words = ["free", "money", "Hello", "meeting", "cash"]
    when = pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 400, ROWS), unit="D")
    out = pd.DataFrame(
        {
            "age": rng.gamma(4, 10, ROWS).round(1),
            "income": np.exp(rng.normal(9, 1, ROWS)).round(2),
            "size": rng.choice(["S", "M", "L"], ROWS),
            "town": rng.choice([f"t{k}" for k in range(8)], ROWS, p=share / share.sum()),
            "when": when.strftime("%Y-%m-%d"),
            "note": [" ".join(rng.choice(words, rng.integers(1, 6))) for _ in range(ROWS)],
        }
    )
    signal = np.sin(out["age"] / 9) + out["size"].map({"S": 0.0, "M": 0.4, "L": 1.1}) + 0.2 * np.log(out["income"])
    out["y"] = (signal + 0.3 * out["note"].str.count("free") + 0.2 * rng.normal(size=ROWS)).round(4)
    if holes:
        for name in ("age", "size", "town", "when", "note"):
            out.loc[rng.random(ROWS) < 0.1, name] = np.nan
    return out


def fitted(data: pd.DataFrame, *words: str) -> dict[str, object]:
    data.to_csv("data.csv", index=False)
    outcome = run_tool("fit", "data.csv", "-y", "y", "--family", "gaussian", *words)
    assert outcome.status == 0, outcome.err
    return dict(outcome.document)


def predicted(path: str, *words: str) -> list[str]:
    outcome = run_tool("predict", "model.json", path, *words)
    assert outcome.status == 0, outcome.err
    return [row["prediction"] for row in csv.DictReader(outcome.out.splitlines())]


def refused(*words: str) -> tuple[int, str, str]:
    outcome = run_tool(*words, "--json")
    error = json.loads(outcome.err.splitlines()[-1])
    return outcome.status, error["code"], error["hint"] or ""


@pytest.mark.parametrize("policy", ["", "mean", "median", "indicator"])
def test_training_rows_score_as_they_were_fitted(policy: str) -> None:
    data = table(holes=bool(policy))
    data.to_csv("train.csv", index=False)
    data.drop(columns="y").to_csv("later.csv", index=False)
    more = ("--missing", policy) if policy else ()
    document = fitted(data, "--lambda", "0.01", "-m", "model.json", *RICH, *more)
    found = np.array(predicted("later.csv"), dtype=float)
    metrics = document["metrics"]
    assert isinstance(metrics, dict)
    mse = float(np.mean((data["y"].to_numpy() - found) ** 2))
    assert mse == pytest.approx(metrics["train"]["mse"], rel=SOLVED)
    assert predicted("later.csv") == predicted("train.csv")
    data.iloc[40:43].to_csv("few.csv", index=False)
    assert predicted("few.csv") == predicted("train.csv")[40:43]


def test_every_kind_names_its_terms_and_its_column() -> None:
    document = fitted(table(), "--lambda", "0.001", "--all-terms", *RICH)
    rows = document["coefficients"]
    assert isinstance(rows, list)
    sources = {row["term"]: row["sources"] for row in rows}
    expected = {
        "spline(age,1)": ["age"],
        "spline(age,4)": ["age"],
        "size>=M": ["size"],
        "size>=L": ["size"],
        "town=(other)": ["town"],
        "year(when)": ["when"],
        "month(when)=7": ["when"],
        "weekday(when)=Sun": ["when"],
        "days(when)": ["when"],
        "word(note,free)": ["note"],
        "word(note,cash money)": ["note"],
    }
    assert expected.items() <= sources.items()
    selected = document["selected"]
    assert isinstance(selected, list)
    assert set(selected) <= {"age", "income", "size", "town", "when", "note"}


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("y ~ age + income", ("--features", "age", "--features", "income")),
        ("y ~ age*size", ("--features", "age", "--features", "size", "--interactions", "age:size")),
        ("y ~ poly(age, 3)", ("--features", "age", "--poly", "3")),
        ("y ~ spline(age, 6) + C(size)", ("--features", "age", "--features", "size", "--spline", "age=6")),
        ("y ~ . - note - when", ("--drop", "note", "--drop", "when")),
    ],
)
def test_a_formula_is_what_the_options_say(formula: str, words: tuple[str, ...]) -> None:
    data = table()
    data.to_csv("data.csv", index=False)
    common = ("--family", "gaussian", "--lambda", "0.05,0.01")
    one = run_tool("cv", "data.csv", "--formula", formula, *common).document
    other = run_tool("cv", "data.csv", "-y", "y", *words, *common).document
    for key in ("coefficients", "mean", "fold_scores", "selected"):
        assert one[key] == other[key], key


def test_functions_of_a_formula_are_columns() -> None:
    data = table()
    data.to_csv("data.csv", index=False)
    data.assign(**{"log(income)": np.log(data["income"])}).drop(columns="income").to_csv("made.csv", index=False)
    common = ("--family", "gaussian", "--lambda", "0.01", "-f", "json")
    one = run_tool("fit", "data.csv", "--formula", "y ~ age + log(income)*size", "-m", "model.json", *common).document
    words = [word for name in ("age", "size", "log(income)") for word in ("--features", name)]
    other = run_tool("fit", "made.csv", "-y", "y", *words, "--interactions", "log(income):size", *common).document
    estimates = [{row["term"]: row["estimate"] for row in document["coefficients"]} for document in (one, other)]
    assert estimates[0] == pytest.approx(estimates[1], rel=SOLVED)
    assert one["coefficients"][-1]["sources"] == ["income", "size"]
    data.assign(income=-1.0).to_csv("bad.csv", index=False)
    assert refused("predict", "model.json", "bad.csv")[:2] == (3, "value-range")
    assert set(predicted("bad.csv", "--on-bad-row", "null")) == {""}


def test_what_no_training_row_had() -> None:
    fitted(table(), "--lambda", "0.001", "-m", "model.json", *RICH)
    base = table().iloc[:1]
    for name, changed, status, code in (
        ("word", {"note": "zebra crossing"}, 0, ""),
        ("level", {"town": "nowhere"}, 3, "unknown-level"),
        ("step", {"size": "XL"}, 3, "unknown-level"),
        ("date", {"when": "31.12.2023"}, 3, "bad-date"),
        ("year", {"when": "2031-12-31"}, 0, ""),
    ):
        base.assign(**changed).to_csv("new.csv", index=False)
        if status:
            assert refused("predict", "model.json", "new.csv")[:2] == (status, code), name
            assert predicted("new.csv", "--on-bad-row", "null") == [""], name
        else:
            assert np.isfinite(float(predicted("new.csv")[0])), name
    pooled = sorted(set(table()["town"]) - {row for row, n in table()["town"].value_counts().items() if n >= 9})
    assert pooled
    base.assign(town=pooled[0]).to_csv("new.csv", index=False)
    assert len(predicted("new.csv")) == 1


def test_what_no_term_is_made_of_may_hold_anything() -> None:
    lines = [f"{at},{at % 3 + 1},{at * 2 + at % 3 / 9}\n" for at in range(40)]
    Path("data.csv").write_text("a,b,y\n" + "".join(lines), "utf-8")
    words = ("--formula", "y ~ a + log(b)", "--family", "gaussian", "-l", "2")
    fit = run_tool("fit", "data.csv", *words, "-m", "model.json")
    assert [row["term"] for row in fit.document["coefficients"]] == ["a"]
    Path("later.csv").write_text("a,b\n1,2\n2,none\n3,0\n", "utf-8")
    assert len(predicted("later.csv")) == 3


def test_a_model_of_dates_in_few_months_is_read_again() -> None:
    rng = np.random.default_rng(5)
    days = [f"20{at % 24:02d}-0{at % 2 + 4}-1{at % 9}" for at in range(60)]
    data = pd.DataFrame({"when": days, "y": [int(day[2:4]) + 0.1 * rng.normal() for day in days]})
    document = fitted(data, "--date", "when", "--lambda", "0.5", "-m", "model.json")
    assert not any("month" in row["term"] for row in document["coefficients"])  # type: ignore[attr-defined]
    assert predicted("data.csv")
    assert run_tool("export", "model.json", "--to", "python", "-o", "scorer.py").status == 0


def test_text_without_a_cell_is_text_without_a_word() -> None:
    data = table(holes=True)[["income", "note", "y"]]
    words = ("--features", "income", "--features", "note", "--text", "note", "--lambda", "0.01")
    assert data["note"].isna().any()
    one = fitted(data, *words)
    other = fitted(data.fillna({"note": "-"}), *words)
    assert one["coefficients"] == other["coefficients"]


def test_days_of_a_daily_series_name_no_rows() -> None:
    data = table().assign(when=[f"{date(2023, 1, 1) + timedelta(days=at)}" for at in range(len(table()))])
    document = fitted(data, "--date", "when", "--drop", "note", "--lambda", "0.01")
    assert "probable-identifier" not in str(document["warnings"])


def test_an_undeclared_date_is_refused_with_the_way_out() -> None:
    table().to_csv("data.csv", index=False)
    status, code, hint = refused("fit", "data.csv", "--drop", "note")
    assert (status, code) == (3, "undeclared-date")
    assert "--date when" in hint
    assert run_tool("fit", "data.csv", "--drop", "note", "--date", "when").status == 0


@pytest.mark.parametrize(
    ("words", "status", "code"),
    [
        (("--ordinal", "size=S,M"), 3, "unknown-level"),
        (("--ordinal", "size=S,M,M,L"), 2, "unknown-option-value"),
        (("--ordinal", "syze"), 3, "column-not-found"),
        (("--spline", "age=2"), 2, "unknown-option-value"),
        (("--spline", "age=x"), 2, "unknown-option-value"),
        (("--spline", "town"), 3, "text-in-numeric-column"),
        (("--date", "age"), 3, "bad-date"),
        (("--date", "town"), 3, "bad-date"),
        (("--text", "note", "--categorical", "note"), 2, "column-in-two-roles"),
        (("--ordinal", "size", "--text", "size"), 2, "column-in-two-roles"),
        (("--text-ngrams", "2"), 2, "option-without-effect"),
        (("--text", "note", "--text-ngrams", "6"), 2, "unknown-option-value"),
        (("--text", "note", "--text-min-rows", "0"), 2, "unknown-option-value"),
        (("--min-level-count", "0"), 2, "unknown-option-value"),
        (("--spline", "age", "--interactions", "age:income"), 2, "conflicting-options"),
        (("--text", "note", "--interactions", "note:income"), 2, "conflicting-options"),
        (("--formula", "y ~ age + nothing"), 3, "column-not-found"),
        (("--formula", "y ~ age +"), 2, "bad-formula"),
        (("--formula", "y ~ age", "--poly", "2"), 2, "conflicting-options"),
        (("--formula", "y ~ log(town)"), 3, "text-in-numeric-column"),
        (("--formula", "y ~ log(y)"), 2, "column-in-two-roles"),
        *(
            ((*LESS, f"y ~ . - note + {term}"), 3, "column-not-found")
            for term in (
                "age:nothing",
                "log(nothing)",
                "spline(nothing)",
                "poly(nothing, 2)",
                "C(nothing)",
                "nothing",
                "`a*`",
                "when:age",
                "`year(nothing)`",
                "log(`days(when)`)",
            )
        ),
        *(((*LESS, f"y ~ . - note + {term}"), 2, "column-in-two-roles") for term in ("y:age", "exp(y)", "y", "C(y)")),
        ((*LESS, "y ~ . - note - y"), 2, "column-in-two-roles"),
        ((*LESS, "y ~ . - note + town:age", "--id", "town"), 2, "column-in-two-roles"),
        ((*LESS, "y ~ . - note + log(income)", "--weights", "income"), 2, "column-in-two-roles"),
        (("--formula", "y ~ age + spline(income)", "--ordinal", "income"), 2, "column-in-two-roles"),
        (("--formula", "y ~ age + spline(income)", "--categorical", "income"), 2, "column-in-two-roles"),
        (("--formula", "y ~ age + poly(income, 2)", "--categorical", "inc*"), 2, "column-in-two-roles"),
        (("--formula", "y ~ age + C(note)", "--text", "note"), 2, "column-in-two-roles"),
        (("--formula", "y ~ age + poly(when, 2)", "--date", "when"), 2, "column-in-two-roles"),
        (("--formula", "y ~ age + poly(town, 2)"), 3, "text-in-numeric-column"),
        (("--formula", "y ~ age + poly(few, 3)"), 2, "option-without-effect"),
    ],
)
def test_what_cannot_be_is_refused(words: tuple[str, ...], status: int, code: str) -> None:
    table().assign(few=np.arange(ROWS) % 3).to_csv("data.csv", index=False)
    idle = ("--drop", "when") if "note" in words else ("--drop", "when", "--drop", "note")
    plain = () if "--formula" in words else ("-y", "y", *idle)
    assert refused("fit", "data.csv", "--family", "gaussian", *plain, *words)[:2] == (status, code)


def test_a_part_of_a_formula_that_has_another_is_told_without_options_that_nobody_gave() -> None:
    table().drop(columns=["when", "note"]).to_csv("data.csv", index=False)
    words = ("fit", "data.csv", "--family", "gaussian", "--formula")
    assert refused(*words, "y ~ . + exp(y)")[2] == "leave 'y' out after ~"
    assert (
        refused(*words, "y ~ . + log(income)", "--weights", "income")[2]
        == "leave out --weights, or 'income' in the formula"
    )


def test_a_column_in_the_place_of_another() -> None:
    table().drop(columns=["when", "note", "town", "size"]).to_csv("data.csv", index=False)
    for formula in ("y ~ . - income + log(income)", "y ~ . + log(income) - income", "y ~ age + log(income)"):
        words = ("fit", "data.csv", "--family", "gaussian", "-l", "0.001", "--formula", formula)
        document = run_tool(*words).document
        assert [row["term"] for row in document["coefficients"]] == ["age", "log(income)"]
        assert document["warnings"] == []


def test_a_column_has_one_term_of_its_missing_cells_whatever_is_made_of_it() -> None:
    data = table()[["age", "when", "y"]]
    data["age"] += 1
    data.loc[[3, 9], "when"] = np.nan
    data.loc[[5, 9, 40], "age"] = np.nan
    data.to_csv("data.csv", index=False)
    words = ("fit", "data.csv", "--family", "gaussian", "-l", "0.001", "--date", "when", "--missing", "indicator")
    document = run_tool(*words, "--formula", "y ~ when + log(age) + age", "--all-terms", "-m", "model.json").document
    terms = [row["term"] for row in document["coefficients"] if row["term"].startswith("missing(")]
    assert terms == ["missing(age)", "missing(when)"]
    (told,) = document["warnings"]
    assert told["message"] == "5 cells in 2 columns were filled (indicator): age, when"
    assert (told["columns"], told["policy"]) == ({"when": 2, "age": 3}, dict.fromkeys(("when", "age"), "indicator"))
    found = np.array(predicted("data.csv"), dtype=float)
    assert float(np.mean((data["y"] - found) ** 2)) == pytest.approx(document["metrics"]["train"]["mse"], rel=SOLVED)


def test_the_term_of_missing_cells_may_be_all_that_counts_of_a_column() -> None:
    data = table()[["when", "age"]].assign(y=np.arange(ROWS) % 2)
    data.loc[::5, "when"] = np.nan
    data.loc[::5, "y"] += 20
    data.to_csv("data.csv", index=False)
    words = ("-y", "y", "--family", "gaussian", "-l", "2", "--date", "when", "--missing", "indicator")
    assert run_tool("fit", "data.csv", *words, "-m", "model.json").document["selected"] == ["when"]
    assert run_tool("show", "model.json", "--equation").out.count("(when)") == 1
    plain = np.array(predicted("data.csv"), dtype=float)
    assert np.unique(plain.round(6)).size == 2
    assert run_tool("export", "model.json", "--to", "python", "-o", "scorer.py").status == 0
    for name in ("year(when)", "month(when)", "when"):
        status, code, hint = refused("predict", "model.json", "data.csv", "--missing", f"{name}=mean")
        assert (status, code) == (2, "conflicting-options")
        assert "as the model learnt it" in hint


def test_parts_of_dates_are_columns_of_a_formula() -> None:
    table().drop(columns="note").to_csv("data.csv", index=False)
    words = ("fit", "data.csv", "--family", "gaussian", "-l", "1", "--penalty", "l2", "--date", "when", "--formula")
    document = run_tool(*words, "y ~ . + age:`days(when)`").document
    assert "age:days(when)" in [row["term"] for row in document["coefficients"]]


def test_a_column_called_like_a_part_of_a_date_is_no_such_part() -> None:
    table().drop(columns="note").rename(columns={"town": "year(town)"}).to_csv("data.csv", index=False)
    words = (
        "fit",
        "data.csv",
        "--family",
        "gaussian",
        "-l",
        "1",
        "--date",
        "when",
        "--formula",
        "y ~ . + `year(town)`",
    )
    assert run_tool(*words).status == 0
    assert refused(*words, "--id", "year(town)")[:2] == (3, "column-not-found")


def test_what_is_said_of_a_column_holds_for_what_is_made_of_it_as_well() -> None:
    data = table(holes=True)[["age", "y"]]
    data["age"] += 1
    data.to_csv("data.csv", index=False)
    words = ("fit", "data.csv", "--family", "gaussian", "-l", "0.01", "--formula", "y ~ age + log(age)")
    assert run_tool(*words, "--missing", "age=median").status == 0


def test_names_with_an_equals_sign_and_a_level_called_like_the_pool() -> None:
    data = table().rename(columns={"size": "size=S,M"}).drop(columns=["when", "note"])
    found = fitted(data, "--ordinal", "size=S,M", "--lambda", "0.001")
    rows = found["coefficients"]
    assert isinstance(rows, list)
    assert {"size=S,M>=M", "size=S,M>=S"} <= {row["term"] for row in rows}
    data["town"] = data["town"].replace("t0", "(other)")
    data.to_csv("data.csv", index=False)
    assert refused("fit", "data.csv", "-y", "y", "--min-level-count", "9")[:2] == (3, "duplicate-term")


def test_a_test_table_is_read_as_the_training_rows_were() -> None:
    data = table()
    data.iloc[:80].to_csv("train.csv", index=False)
    data.iloc[80:].to_csv("test.csv", index=False)
    words = ("-y", "y", "--family", "gaussian", "--lambda", "0.01", *RICH)
    outcome = run_tool("fit", "train.csv", *words, "--test", "test.csv", "-m", "model.json")
    assert outcome.status == 0, outcome.err
    found = np.array(predicted("test.csv"), dtype=float)
    mse = float(np.mean((data["y"].to_numpy()[80:] - found) ** 2))
    assert outcome.document["metrics"]["test"]["mse"] == pytest.approx(mse, rel=SOLVED)


def test_any_number_of_threads_gives_the_same_bytes() -> None:
    table(holes=True).to_csv("data.csv", index=False)
    words = ("cv", "data.csv", "-y", "y", "--family", "gaussian", "--missing", "mean", *RICH)
    assert run_tool(*words, "-j", "1").out == run_tool(*words, "-j", "2").out
