"""Scoring new rows: whole runs of predict on models that fit has written."""

import csv
import io
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import pytest

from regcli.app import running
from regcli.app.running import AUC_ROWS
from regcli.app.scoring import scores_of
from regcli.problem.families import FAMILIES
from regcli.report.schemas import SCHEMAS
from tests.cli.conftest import environment
from tests.fuzz.tool import Outcome, run_tool
from tests.tolerances import EXACT

pytestmark = pytest.mark.usefixtures("folder")

ROWS = 60

Frame = pd.DataFrame
Rows = list[dict[str, str]]


def table() -> Frame:
    rng = np.random.default_rng(11)
    a, b = rng.normal(size=(2, ROWS)).round(3)
    where = rng.choice(["north", "south", "west"], ROWS)
    group = rng.choice([1, 2, 3], ROWS)
    new = rng.random(ROWS) < 0.5
    cost = (2 * a - b + (where == "west") + 0.5 * group + 1.5 * new + rng.normal(size=ROWS)).round(3)
    return pd.DataFrame(
        {
            "who": [f"{n:03d}" for n in range(ROWS)], "a": a, "b": b, "where": where, "group": group, "new": new,
            "w": rng.integers(1, 4, ROWS).astype(float), "exposure": rng.normal(size=ROWS).round(2),
            "cost": cost, "ill": (cost > np.median(cost)).astype(int),
        }
    )  # fmt: skip


def changed(frame: Frame, name: str, cells: dict[int, object]) -> Frame:
    """A table in which some cells of a column are something else."""
    whole = enumerate(frame[name].tolist())
    return frame.assign(**{name: pd.Series([cells.get(row, cell) for row, cell in whole], frame.index)})


ROLES = {
    "gaussian": ("-y", "cost", "--family", "gaussian", "--drop", "ill"),
    "binomial": ("-y", "ill", "--family", "binomial", "--drop", "cost"),
}
RIDGE = ("--penalty", "l2", "--lambda", "0.05", "--categorical", "group", "--id", "who")


def model(family: str = "gaussian", *more: str) -> str:
    """A model with every column in it. Weights and offset have a part or none."""
    table().to_csv("train.csv", index=False)
    parts = [word for name in ("w", "exposure") if name not in more for word in ("--drop", name)]
    outcome = run_tool("fit", "train.csv", *ROLES[family], *RIDGE, *parts, *more, "-m", "model.json", "-o", "fit.json")
    assert outcome.status == 0, outcome.err
    return "model.json"


def put(frame: Frame, name: str = "new.csv") -> str:
    if name.endswith(".parquet"):
        frame.to_parquet(name, row_group_size=10_000)
    else:
        frame.to_csv(name, index=False)
    return name


def scored(outcome: Outcome) -> Rows:
    assert outcome.status == 0, outcome.err
    return list(csv.DictReader(io.StringIO(outcome.out)))


def column(rows: Rows, name: str = "prediction") -> list[str]:
    return [row[name] for row in rows]


def expected(*words: str) -> list[str]:
    """Predictions for the training table as it was written."""
    return column(scored(run_tool("predict", "model.json", "train.csv", *words)))


def metrics(*words: str) -> dict[str, Any]:
    outcome = run_tool("predict", *words, "--metrics-out", "metrics.json")
    assert outcome.status == 0, outcome.err
    document: dict[str, Any] = json.loads(Path("metrics.json").read_text("utf-8"))
    jsonschema.validate(document, SCHEMAS["metrics"])
    return document


def by_hand(family: str, frame: Frame, weights: np.ndarray[Any, Any]) -> dict[str, float]:
    y = frame["cost" if family == "gaussian" else "ill"].to_numpy(dtype=float)
    eta = np.array(column(scored(run_tool("predict", "model.json", "train.csv", "--type", "link"))), dtype=float)
    return scores_of(FAMILIES[family], y, eta, weights, threshold=0.5)


# -- metrics ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", ROLES)
def test_metrics_are_those_of_the_whole_file(family: str) -> None:
    path = model(family)
    document = metrics(path, "train.csv")
    assert document["metrics"] == pytest.approx(by_hand(family, table(), np.ones(ROWS)), rel=EXACT)
    assert (document["rows"], document["weights"]) == (ROWS, None)
    assert document["auc_rows"] == (ROWS if family == "binomial" else None)


@pytest.mark.parametrize("family", ROLES)
def test_metrics_are_weighted_as_the_model_was(family: str) -> None:
    path = model(family, "--weights", "w")
    stored = json.loads(Path(path).read_text("utf-8"))
    jsonschema.validate(stored, SCHEMAS["model"])
    assert stored["weights"] == "w"
    document = metrics(path, "train.csv")
    assert document["metrics"] == pytest.approx(by_hand(family, table(), table()["w"].to_numpy()), rel=EXACT)
    assert (document["rows"], document["weights"]) == (ROWS, "w")
    without = metrics(path, put(table().drop(columns="w")))
    assert without["metrics"] == pytest.approx(by_hand(family, table(), np.ones(ROWS)), rel=EXACT)
    assert (without["rows"], without["weights"]) == (ROWS, None)


def test_rows_without_a_usable_weight_do_not_count() -> None:
    path = model("gaussian", "--weights", "w")
    frame = changed(table(), "w", {3: "", 7: "heavy", 20: -1, 31: 0, 40: "inf"})
    kept = table()["w"].to_numpy(copy=True)
    kept[[3, 7, 20, 31, 40]] = 0
    document = metrics(path, put(frame))
    assert document["rows"] == ROWS - 5
    assert document["metrics"] == pytest.approx(by_hand("gaussian", table(), kept), rel=EXACT)


def test_a_target_that_is_no_number_does_not_stop_scoring() -> None:
    path = model()
    frame = changed(table(), "cost", {0: "unknown", 5: "inf", 6: ""})
    outcome = run_tool("predict", path, put(frame))
    assert column(scored(outcome)) == expected()
    (told,) = [line for line in outcome.err.splitlines() if line.startswith("warning")]
    assert told.startswith(
        "warning[target-domain]: 2 rows have a target that the model cannot take and do not count in"
    )
    assert told.endswith("new.csv:2, column 'cost': 'unknown'")
    document = metrics(path, "new.csv")
    used = np.ones(ROWS)
    used[[0, 5, 6]] = 0
    assert document["rows"] == ROWS - 3
    assert document["metrics"] == pytest.approx(by_hand("gaussian", table(), used), rel=EXACT)


def test_a_class_that_the_model_does_not_know_does_not_stop_scoring() -> None:
    path = model("binomial")
    same = "1.0" if table()["ill"][4] else "0.0"  # another spelling of what it was
    frame = changed(table(), "ill", {1: "maybe", 2: "2", 3: "", 4: same})
    assert column(scored(run_tool("predict", path, put(frame)))) == expected()
    document = metrics(path, "new.csv")
    used = np.ones(ROWS)
    used[[1, 2, 3]] = 0
    assert document["rows"] == ROWS - 3
    assert document["metrics"] == pytest.approx(by_hand("binomial", table(), used), rel=EXACT)


@pytest.mark.parametrize("family", ROLES)
@pytest.mark.parametrize("target", ["absent", "unusable"])
def test_without_a_target_there_are_no_metrics(family: str, target: str) -> None:
    path = model(family)
    name = "cost" if family == "gaussian" else "ill"
    frame = table().drop(columns=name) if target == "absent" else table().assign(**{name: "?"})
    outcome = run_tool("predict", path, put(frame))
    assert column(scored(outcome)) == expected()
    assert "metrics:" not in outcome.err
    assert ("warning[target-domain]" in outcome.err) == (target == "unusable")
    outcome = run_tool("predict", path, "new.csv", "--metrics-out", "metrics.json", "-o", "scores.csv")
    assert outcome.status == 2
    assert "error[option-without-effect]" in outcome.err
    assert not Path("metrics.json").exists()
    assert not Path("scores.csv").exists()


@pytest.mark.parametrize(
    ("name", "no", "yes"),
    [("new.parquet", False, True), ("new.csv", "FALSE", "TRUE"), ("new.csv", "false", "True"), ("new.csv", 0.0, 1.0)],
)
def test_a_boolean_target_is_the_classes_0_and_1(name: str, no: object, yes: object) -> None:
    path = model("binomial")
    whole = metrics(path, "train.csv")
    frame = table().assign(ill=pd.Series([yes if ill else no for ill in table()["ill"]]))
    assert metrics(path, put(frame, name)) == whole


def test_a_boolean_target_matches_in_any_capitals() -> None:
    frame = table().assign(ill=np.where(table()["ill"] == 1, "true", "false"))
    words = ("-y", "ill", "--drop", "cost", "--drop", "w", "--drop", "exposure", *RIDGE)
    assert run_tool("fit", put(frame), *words, "-m", "model.json").status == 0
    whole = metrics("model.json", "new.csv")
    assert whole["rows"] == ROWS
    for name, values in (("a.csv", frame["ill"].str.upper()), ("a.parquet", frame["ill"] == "true")):
        assert metrics("model.json", put(frame.assign(ill=values), name)) == whole


def test_metrics_do_not_depend_on_how_a_table_is_cut() -> None:
    path = model("binomial", "--weights", "w")
    whole = metrics(path, "train.csv")
    put(table()[:7], "one.csv")
    put(table()[7:], "two.parquet")
    assert metrics(path, "one.csv", "two.parquet") == whole


def test_above_a_number_of_rows_there_is_no_auc(monkeypatch: pytest.MonkeyPatch) -> None:
    path = model("binomial")
    whole = metrics(path, "train.csv")
    monkeypatch.setattr(running, "AUC_ROWS", ROWS - 1)
    document = metrics(path, "train.csv")
    assert document["auc_rows"] is document["metrics"]["auc"] is None
    assert {**document["metrics"], "auc": 0} == {**whole["metrics"], "auc": 0}
    assert AUC_ROWS >= 1_000_000


# -- columns ---------------------------------------------------------------------------------------------------------


def test_columns_in_any_order_and_more_of_them() -> None:
    path = model()
    frame = table()[["new", "cost", "b", "group", "who", "where", "a"]].assign(extra="x", more="")
    assert column(scored(run_tool("predict", path, put(frame)))) == expected()


def test_columns_that_the_model_does_not_need_may_be_absent() -> None:
    table().to_csv("train.csv", index=False)
    words = ("fit", "train.csv", *ROLES["gaussian"], "--lambda", "0.9", "--id", "who", "-m", "model.json")
    needed = run_tool(*words).document["selected"]
    assert 0 < len(needed) < 4
    without = run_tool("predict", "model.json", put(table()[needed]))
    assert column(scored(without)) == expected()
    assert "warning[id-not-found]: " in without.err
    assert "has no column 'who' to name the rows by: the predictions go without; --id COL for another" in without.err
    assert run_tool("predict", "model.json", put(table()[needed]), "--strict").status == 3
    for others in (["--append"], ["--id", needed[0]]):
        assert "id-not-found" not in run_tool("predict", "model.json", put(table()[needed]), *others).err
    outcome = run_tool("predict", "model.json", put(table()[needed[1:]].assign(other=1)))
    assert outcome.status == 3
    assert f"error[column-not-found]: the model needs column '{needed[0]}'" in outcome.err


def test_a_model_with_an_offset_needs_it() -> None:
    path = model("gaussian", "--offset", "exposure")
    link = np.array(expected(), dtype=float)
    moved = scored(run_tool("predict", path, put(table().assign(exposure=table()["exposure"] + 1.0))))
    assert np.array(column(moved), dtype=float) == pytest.approx(link + 1.0, rel=EXACT)
    outcome = run_tool("predict", path, put(table().rename(columns={"exposure": "exposures"})))
    assert outcome.status == 3
    assert "error[column-not-found]: the model needs its offset, column 'exposure'" in outcome.err
    assert "exposures" in outcome.err
    outcome = run_tool("predict", path, put(table().assign(exposure="much")))
    assert (outcome.status, "error[text-in-numeric-column]" in outcome.err) == (3, True)


@pytest.mark.parametrize("spelling", [str, str.upper, str.lower])
def test_booleans_in_any_capitals_score_alike(spelling: Callable[[str], str]) -> None:
    path = model()
    frame = table().assign(new=[spelling(str(new)) for new in table()["new"]])
    assert column(scored(run_tool("predict", path, put(frame)))) == expected()
    assert column(scored(run_tool("predict", path, put(table(), "new.parquet")))) == expected()


@pytest.mark.parametrize("kind", ["int64", "int8", "float64", "str", "category"])
def test_numbers_that_are_categories_score_alike(kind: str) -> None:
    path = model()
    frame = table().astype({"group": kind})
    assert column(scored(run_tool("predict", path, put(frame, "new.parquet")))) == expected()


def test_cells_of_text_are_categories_as_spelt() -> None:
    path = model()
    frame = table().assign(group=[f"{group:02d}" for group in table()["group"]])
    assert "error[unknown-level]" in run_tool("predict", path, put(frame)).err
    assert "error[unknown-level]" in run_tool("predict", path, put(frame, "new.parquet")).err


def test_booleans_that_are_declared_categories_score_alike_from_parquet() -> None:
    frame = table().assign(new=np.where(table()["new"], "true", "false"))
    words = (*ROLES["gaussian"], *RIDGE, "--categorical", "new", "-m", "model.json")
    assert run_tool("fit", put(frame, "train.csv"), *words).status == 0
    assert column(scored(run_tool("predict", "model.json", put(table(), "new.parquet")))) == expected()


# -- what goes along -------------------------------------------------------------------------------------------------

SPELT = 'note,b,a,who,where,group,new\n"x, ""y""",1.50,007,0 1,north,1,TRUE\n,1e1,-0,,south,3,false\n'


def test_append_keeps_every_cell_as_spelt() -> None:
    path = model()
    Path("new.csv").write_text(SPELT, "utf-8")
    outcome = run_tool("predict", path, "new.csv", "--append")
    header, *rows = csv.reader(io.StringIO(outcome.out))
    source = list(csv.reader(io.StringIO(SPELT)))
    assert header == [*source[0], "prediction"]
    assert [row[:-1] for row in rows] == source[1:]
    lines = [
        json.loads(line)
        for line in run_tool("predict", path, "new.csv", "--append", "-f", "jsonl").out.split("\n")[:-1]
    ]
    assert [list(line.values())[:-1] for line in lines] == source[1:]
    assert [repr(line["prediction"]) for line in lines] == [row[-1] for row in rows]
    array = json.loads(run_tool("predict", path, "new.csv", "--append", "-f", "json").out)
    assert array == lines


ALONG = (
    ("--type", "class"),
    ("--type", "prob"),
    ("--type", "class", "--on-bad-row", "null"),
    ("--type", "prob", "--on-bad-row", "skip"),
    ("--type", "terms", "--on-bad-row", "skip"),
)


@pytest.mark.parametrize(
    "words",
    [
        *((*words, "-f", form) for form in ("csv", "jsonl", "json") for words in ALONG),
        ("-f", "csv", "--spreadsheet-safe"),
    ],
)
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\n\n"])
def test_lines_that_go_along_as_they_are_are_those_that_would_be_written(words: tuple[str, ...], ends: str) -> None:
    """Cells in quotes are taken apart and written anew; bare ones need not be."""
    classes = ['yes, "well"' if ill else "=no" for ill in table()["ill"]]
    table().assign(ill=classes).to_csv("train.csv", index=False)
    fit = ("fit", "train.csv", "-y", "ill", "--family", "binomial", "-l", "0.05", "--features", "a", "--features", "b")
    assert run_tool(*fit, "--positive-class", "=no", "-m", "ill.json").status == 0
    rows = [["b", "note", "a"], *([f"{n / 7:.3f}", f"=n{n} \u2028é" if n % 3 else "", f"-{n}"] for n in range(20))]
    bad = "--on-bad-row" in words
    if bad:
        rows[5][0], rows[12][2] = "NA", "x"
    outputs = []
    for quote in ("", '"'):
        text = ends.join(",".join(f"{quote}{cell}{quote}" for cell in row) for row in rows) + ends
        Path("new.csv").write_bytes(text.encode())
        outcome = run_tool("predict", "ill.json", "new.csv", "--append", *words)
        assert outcome.status == 0, outcome.err
        outputs.append(outcome.out)
    assert outputs[0] == outputs[1]
    assert len(outputs[0].splitlines()) >= 18


def test_columns_in_another_order_go_along_in_the_first_ones() -> None:
    path = model()
    frame = table().drop(columns="who")
    put(frame[:5], "one.csv")
    put(frame[5:][frame.columns[::-1].tolist()], "two.csv")
    header, *rows = csv.reader(io.StringIO(run_tool("predict", path, "one.csv", "two.csv", "--append").out))
    put(frame, "all.csv")
    assert [header, *rows] == [*csv.reader(io.StringIO(run_tool("predict", path, "all.csv", "--append").out))]


def test_a_carriage_return_in_a_cell_is_written_in_quotes() -> None:
    path = model()
    put(table()[:1], "one.csv")
    header, cells = Path("one.csv").read_text("utf-8").splitlines()
    Path("cr.csv").write_bytes(f'note,{header}\n"lone\rcr",{cells}\n'.encode())
    outcome = run_tool("predict", path, "cr.csv", "--append")
    assert outcome.out.split("\n")[1].startswith('"lone\rcr",')
    assert [row[0] for row in csv.reader(io.StringIO(outcome.out, newline=""))] == ["note", "lone\rcr"]


def test_identifiers_go_along() -> None:
    path = model()
    rows = scored(run_tool("predict", path, "train.csv"))
    assert column(rows, "who") == table()["who"].tolist()
    chosen = scored(run_tool("predict", path, "train.csv", "--id", "b", "--id", "where", "--id", "b"))
    assert list(chosen[0]) == ["b", "where", "prediction"]
    assert column(chosen, "where") == table()["where"].tolist()
    assert list(scored(run_tool("predict", path, put(table().drop(columns="who"))))[0]) == ["prediction"]
    outcome = run_tool("predict", path, "train.csv", "--id", "wo")
    assert (outcome.status, "error[column-not-found]: --id: no column 'wo'" in outcome.err) == (3, True)


def test_names_that_clash_need_a_prefix() -> None:
    path = model()
    put(table().assign(prediction=1))
    outcome = run_tool("predict", path, "new.csv", "--append", "-o", "scores.csv")
    assert (outcome.status, "error[conflicting-options]" in outcome.err) == (2, True)
    assert not Path("scores.csv").exists()
    rows = scored(run_tool("predict", path, "new.csv", "--append", "--prefix", "my."))
    assert column(rows, "my.prediction") == expected()
    assert list(rows[0])[-2:] == ["prediction", "my.prediction"]


def test_several_inputs_follow_each_other() -> None:
    path = model()
    put(table()[:20], "one.csv")
    put(table()[20:][["who", "new", "b", "a", "group", "where"]], "two.parquet")
    assert column(scored(run_tool("predict", path, "one.csv", "two.parquet"))) == expected()
    outcome = run_tool("predict", path, "one.csv", "two.parquet", "--append", "-o", "scores.csv")
    assert (outcome.status, "error[columns-differ]: two.parquet lacks column 'w'" in outcome.err) == (3, True)
    put(table()[20:].assign(extra=1), "more.csv")
    outcome = run_tool("predict", path, "one.csv", "more.csv", "--append")
    assert (outcome.status, "error[columns-differ]" in outcome.err) == (3, True)
    put(table()[20:].drop(columns="who"), "nameless.csv")
    assert run_tool("predict", path, "one.csv", "nameless.csv").status == 3
    outcome = run_tool("predict", path, "one.csv", "absent.csv")
    assert (outcome.status, outcome.out, "error[file-not-found]" in outcome.err) == (3, "", True)
    assert run_tool("predict", path, "-", "-", stdin=b"a,b\n").status == 2


# -- rows ------------------------------------------------------------------------------------------------------------


def holes() -> str:
    """Row 2 has no number, row 4 a category that is not known, row 6 both."""
    return put(changed(changed(table()[:8], "a", {2: "", 6: "?"}), "where", {4: "east", 6: "east"}))


def test_rows_that_cannot_be_scored_stop_are_empty_or_left_out() -> None:
    path = model()
    full = expected()[:8]
    outcome = run_tool("predict", path, holes())
    assert (outcome.status, outcome.out) == (3, "")
    outcome = run_tool("predict", path, "new.csv", "--on-bad-row", "null")
    assert column(scored(outcome)) == ["" if row in (2, 4, 6) else cell for row, cell in enumerate(full)]
    assert "warning[rows-skipped]: 3 of 8 rows could not be scored" in outcome.err
    outcome = run_tool("predict", path, "new.csv", "--on-bad-row", "skip")
    assert column(scored(outcome)) == [cell for row, cell in enumerate(full) if row not in (2, 4, 6)]
    assert column(scored(outcome), "who") == [f"{row:03d}" for row in range(8) if row not in (2, 4, 6)]
    assert '"rows": 5' in outcome.err
    assert run_tool("predict", path, "new.csv", "--on-bad-row", "null", "--strict").status == 3


def test_an_unknown_level_is_none_of_them_and_fills_no_hole() -> None:
    path = model()
    outcome = run_tool("predict", path, holes(), "--on-bad-row", "null", "--unknown-level", "zero")
    rows = column(scored(outcome))
    assert [at for at, cell in enumerate(rows) if not cell] == [2, 6]
    assert "warning[unknown-level]: 2 cells hold categories that the model has not seen" in outcome.err
    terms = {entry["term"]: entry["estimate"] for entry in json.loads(Path(path).read_text("utf-8"))["terms"]}
    left_out = terms[f"where={table()['where'][4]}"]
    assert float(rows[4]) == pytest.approx(float(expected()[4]) - left_out, rel=EXACT)


def test_one_is_singular() -> None:
    path = model()
    outcome = run_tool("predict", path, put(table().iloc[:1].assign(where="east")), "--unknown-level", "zero")
    assert "1 cell holds a category that the model has not seen" in outcome.err
    outcome = run_tool("predict", path, put(table().iloc[:1].assign(a="")), "--on-bad-row", "null")
    assert "1 of 1 row could not be scored" in outcome.err


def test_a_header_alone_is_refused() -> None:
    path = model()
    outcome = run_tool("predict", path, put(table()[:0]))
    assert (outcome.status, outcome.out, "error[empty-file]" in outcome.err) == (3, "", True)


def test_an_error_in_a_later_row_leaves_the_old_file() -> None:
    path = model()
    put(pd.concat([table()] * 500))
    with Path("new.csv").open("a", encoding="utf-8") as file:
        file.write("1,2\n")
    Path("scores.csv").write_text("old", "utf-8")
    outcome = run_tool("predict", path, "new.csv", "-o", "scores.csv")
    assert (outcome.status, "error[ragged-row]" in outcome.err) == (3, True)
    assert Path("scores.csv").read_text("utf-8") == "old"
    assert not list(Path().glob(".*.tmp"))


@pytest.mark.parametrize("words", [(), ("--id", "who"), ("--append", "-f", "json"), ("--on-bad-row", "skip")])
def test_rows_too_long_and_too_short_are_refused_where_they_make_up_for_each_other(words: tuple[str, ...]) -> None:
    """In a table of more than 256 kB, which pandas reads; check refuses it, too."""
    path = model()
    lines = table().to_csv(index=False).splitlines()
    body = lines[1:] * 200
    assert sum(map(len, body)) > 1 << 19
    body[9000] = body[9000].replace(".", ",", 1)
    body[9001] = body[9001].rpartition(",")[0]
    Path("new.csv").write_text("\n".join([lines[0], *body, ""]), "utf-8")
    for command, more in (("predict", words), ("check", ())):
        outcome = run_tool(command, path, "new.csv", *more, "-o", "out")
        assert (outcome.status, "error[ragged-row]: new.csv: line 9002 has 11 cells" in outcome.err) == (3, True)
        assert not Path("out").exists()


# -- kinds of prediction ---------------------------------------------------------------------------------------------


def test_kinds_of_prediction_belong_together() -> None:
    path = model("binomial")
    link = np.array(expected("--type", "link"), dtype=float)
    response = np.array(expected(), dtype=float)
    assert response == pytest.approx([1 / (1 + math.exp(-eta)) for eta in link], rel=EXACT)
    classes = np.where(response >= 0.5, "1", "0").tolist()
    assert expected("--type", "class") == classes
    assert expected("--type", "class", "--threshold", "0.2") == np.where(response >= 0.2, "1", "0").tolist()
    rows = scored(run_tool("predict", path, "train.csv", "--type", "prob"))
    assert list(rows[0]) == ["who", "prediction", "prob.0", "prob.1"]
    assert column(rows) == classes
    assert np.array(column(rows, "prob.1"), dtype=float).tolist() == response.tolist()
    assert np.array(column(rows, "prob.0"), dtype=float) == pytest.approx(1 - response, rel=EXACT)


@pytest.mark.parametrize("words", [("--type", "class"), ("--type", "prob"), ("--threshold", "0.2")])
def test_classes_are_not_for_numbers(words: tuple[str, ...]) -> None:
    outcome = run_tool("predict", model(), "train.csv", *words)
    assert (outcome.status, "error[option-without-effect]" in outcome.err) == (2, True)


def test_a_delimiter_that_was_found_is_told() -> None:
    path = model()
    table().to_csv("new.csv", index=False, sep=";")
    outcome = run_tool("predict", path, "new.csv")
    assert column(scored(outcome)) == expected()
    assert "warning[delimiter-guessed]" in outcome.err
    assert run_tool("predict", path, "new.csv", "--strict").status == 2
    assert "warning" not in run_tool("predict", path, "new.csv", "--delimiter", ";").err


def test_what_is_no_model_has_a_way_out() -> None:
    put(table())
    outcome = run_tool("predict", "new.csv", "new.csv")
    assert outcome.status == 5
    assert "-m model.json" in outcome.err


# -- streams ---------------------------------------------------------------------------------------------------------


def lines_of(frame: Frame) -> list[bytes]:
    return [line.encode() + b"\n" for line in frame.to_csv(index=False).splitlines()]


@pytest.mark.parametrize("form", ["csv", "jsonl"])
@pytest.mark.parametrize("way", ["-", "fifo"])
def test_rows_come_out_before_the_input_ends(form: str, way: str) -> None:
    path = model()
    header, *lines = lines_of(table())
    if way == "fifo":
        os.mkfifo("fifo")
    name = [way] if way == "-" else [way, "--input-format", "csv"]
    command = [sys.executable, "-m", "regcli", "predict", path, *name, "-f", form]
    whole = run_tool("predict", path, "train.csv", "-f", form).out.splitlines(keepends=True)
    with subprocess.Popen(
        command, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        feed = process.stdin if way == "-" else Path("fifo").open("wb")  # noqa: SIM115
        feed.write(header + lines[0])
        feed.flush()
        came = [process.stdout.readline().decode() for _ in range(1 + (form == "csv"))]
        for start in (1, 2, 30):  # a row, many rows, and half a row that is not waited for
            stop = {1: 2, 2: 30, 30: ROWS}[start]
            data = b"".join(lines[start:stop])
            feed.write(data if start != 2 else data + lines[30][:5])
            feed.flush()
            if start < 30:
                came += [process.stdout.readline().decode() for _ in range(stop - start)]
                lines[30] = lines[30][5:] if start == 2 else lines[30]
        feed.close()
        came += [line.decode() for line in process.stdout]
        assert process.stderr is not None
        told = process.stderr.read().decode()
        assert process.wait(20) == 0
    assert came == whole
    assert told == run_tool("predict", path, "train.csv", "-f", form).err


MEASURED = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def peak(*words: str) -> int:
    """The largest memory a run took, in bytes."""
    command = [sys.executable, "-c", MEASURED, sys.executable, "-m", "regcli", *words]
    done = subprocess.run(command, env=environment(), capture_output=True, check=True, text=True)
    return int(done.stdout) * (1 if sys.platform == "darwin" else 1024)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["new.csv", "new.parquet"])
def test_memory_does_not_grow_with_the_rows(name: str) -> None:
    path = model("gaussian", "--weights", "w")
    put(pd.concat([table()] * 1_000), "short-" + name)
    put(pd.concat([table()] * 10_000), "long-" + name)
    short, long = (peak("predict", path, f"{kind}-{name}", "-o", "scores.csv") for kind in ("short", "long"))
    assert long < short + 8e6
