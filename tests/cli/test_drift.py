"""Drift in check: PSI and KS against the training rows, computed a second time here."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp

from tests.fuzz.tool import Outcome, run_tool

Frame = pd.DataFrame
ROWS = 600
FIT = ("-y", "y", "--family", "gaussian", "-l", "0.001", "--missing", "smooth=mean", "-m", "model.json", "-o", "o.json")


def table(seed: int = 1) -> Frame:
    rng = np.random.default_rng(seed)
    smooth, few = rng.normal(size=ROWS), rng.integers(0, 10, ROWS)
    flag, place = (rng.random(ROWS) < 0.05).astype(int), rng.choice(["a", "b", "c"], ROWS, p=[0.6, 0.3, 0.1])
    y = smooth + few + flag + (place == "b") + rng.normal(size=ROWS)
    smooth[:20] = np.nan
    return pd.DataFrame({"smooth": smooth, "few": few, "flag": flag, "place": place, "y": y})


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    table().to_csv("train.csv", index=False)
    assert run_tool("fit", "train.csv", *FIT).status == 0


def drift(frame: Frame, *words: str) -> tuple[Outcome, dict[str, Any]]:
    frame.to_csv("new.csv", index=False)
    outcome = run_tool("check", "model.json", "new.csv", "-f", "json", *words)
    found: dict[str, Any] = json.loads(outcome.out)["drift"]
    return outcome, found


def index(new: list[float], old: list[float]) -> float:
    shares = [(max(p, 1e-4), max(q, 1e-4)) for p, q in zip(new, old, strict=True)]
    return sum((p - q) * np.log(p / q) for p, q in shares)


def test_numbers_are_binned_by_the_deciles_of_the_training_rows() -> None:
    new = table(2)
    new["smooth"] = new["smooth"] * 1.5 + 0.4
    _, found = drift(new)
    old = table()["smooth"].dropna().to_numpy()
    values = new["smooth"].dropna().to_numpy()
    edges = np.quantile(old, np.arange(1, 10) / 10)
    shares = np.bincount(np.searchsorted(edges, values), minlength=10) / values.size
    assert found["smooth"]["psi"] == pytest.approx(index(shares.tolist(), [0.1] * 10), rel=1e-9)
    deciles = np.quantile(old, np.arange(11) / 10)
    at = [abs(np.mean(values <= mark) - k / 10) for k, mark in enumerate(deciles)]
    assert found["smooth"]["ks"] == pytest.approx(max(at), rel=1e-9)
    true = ks_2samp(old, values).statistic
    assert found["smooth"]["ks"] - 1e-9 <= true <= found["smooth"]["ks"] + 0.1 + 2 / values.size


def test_rows_of_the_same_kind_have_not_moved() -> None:
    found: dict[str, Any] = {}
    for new, most in ((table(), 0.001), (table(7), 0.08)):
        _, found = drift(new)
        assert {name: moved["psi"] < most for name, moved in found.items()} == dict.fromkeys(found, True)
    assert found["place"]["ks"] is None


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("smooth", lambda values: values + 1.0),
        ("few", lambda values: (values // 2) * 2),
        ("few", lambda values: values * 0),
        ("flag", lambda values: 1 - values),
        ("smooth", lambda values: values * 1e9),
    ],
)
def test_what_moved_is_seen(column: str, change: Callable[[Any], Any]) -> None:
    new = table(2)
    new[column] = change(new[column])
    _, found = drift(new)
    assert {name for name, moved in found.items() if moved["psi"] > 0.25} == {column}
    assert found[column]["ks"] >= 0.05


def test_levels_are_counted_and_one_bin_has_those_not_known() -> None:
    new = table(2)
    new["place"] = np.where(new.index < 60, "d", new["place"])
    _, found = drift(new)
    before, after = (frame["place"].value_counts(normalize=True) for frame in (table(), new))
    levels = ["a", "b", "c", "d"]
    expected = index([after.get(level, 0.0) for level in levels], [before.get(level, 0.0) for level in levels])
    assert found["place"] == {"psi": pytest.approx(expected, rel=1e-9), "ks": None}


def test_missing_cells_and_absent_columns() -> None:
    new = table()
    new.loc[new["smooth"] > 0, "smooth"] = np.nan  # what is missing is told as missing, what is left has moved
    _, found = drift(new)
    assert found["smooth"]["psi"] > 0.25
    _, found = drift(table().assign(smooth=np.nan).drop(columns="few"))
    assert found["smooth"] is found["few"] is None
    assert found["flag"]["psi"] == 0.0


def test_checks_of_drift() -> None:
    new = table(2).assign(smooth=lambda frame: frame["smooth"] + 2)
    words = ("--assert", "drift.smooth.psi < 0.2", "--assert", "drift.few.ks < 0.2 and drift.few.psi < 0.2")
    outcome, _ = drift(new, *words)
    assert outcome.status == 1
    assert [entry["passed"] for entry in json.loads(outcome.out)["checks"]] == [False, True]
    assert drift(table(2), *words)[0].status == 0
    for misspelt in ("drift.smoth.psi < 0.2", "drift.smooth.psy < 0.2"):
        refused = run_tool("check", "model.json", "new.csv", "--assert", misspelt)
        assert (refused.status, refused.out) == (2, "")


def test_without_a_profile_nothing_is_known_and_checks_fail() -> None:
    assert run_tool("fit", "train.csv", *FIT, "--no-profile").status == 0
    outcome, found = drift(table(), "--assert", "drift.smooth.psi < 100")
    assert set(found.values()) == {None}
    assert outcome.status == 1


def test_the_table_names_what_moved() -> None:
    drift(table(2).assign(smooth=lambda frame: frame["smooth"] + 2))
    told = run_tool("check", "model.json", "new.csv", "-f", "table").out
    assert "psi is 0.1 or more in 1 of 4 columns" in told
    assert "ks at least" in told
    drift(table())
    assert "psi" not in run_tool("check", "model.json", "new.csv", "-f", "table").out


@pytest.mark.parametrize(("before", "after"), [(1, 99), (200, 300), (500, 500), (30, 0)])
def test_a_flag_has_its_two_numbers_for_bins(before: int, after: int) -> None:
    rows = np.arange(1000)
    old, new = ((rows < count).astype(int) for count in (before, after))
    frame = pd.DataFrame({"flag": old, "other": rows * 37 % 101})
    frame["y"] = frame["flag"] + 0.02 * frame["other"] + rows * 53 % 11
    frame.to_csv("train.csv", index=False)
    assert run_tool("fit", "train.csv", *FIT[:6], "-m", "model.json", "-o", "o.json").status == 0
    _, found = drift(frame.assign(flag=new))
    own = [[1 - flags.mean(), flags.mean(), 0.0] for flags in (new, old)]
    assert found["flag"]["psi"] == pytest.approx(index(*own), rel=1e-9, abs=1e-12)
    assert found["flag"]["ks"] == pytest.approx(ks_2samp(old, new).statistic, abs=1e-12)


def test_training_rows_have_not_moved_however_few_they_are() -> None:
    frame = table().iloc[20:32]
    frame.to_csv("train.csv", index=False)
    assert run_tool("fit", "train.csv", *FIT[:6], "-m", "model.json", "-o", "o.json", "--drop", "place").status == 0
    _, found = drift(frame)
    assert found["smooth"] == {"psi": pytest.approx(0.0, abs=1e-12), "ks": pytest.approx(0.0, abs=1e-12)}
    moved = drift(frame.assign(few=frame["few"] + 1))[1]["few"]["ks"]
    assert moved == pytest.approx(ks_2samp(frame["few"], frame["few"] + 1).statistic, abs=1e-12)
