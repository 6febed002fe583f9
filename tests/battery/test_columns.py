"""Dates, ordered levels, pooled levels, splines and text against explicit refits of every fold from raw rows.

What a training set learns (knots, frequent levels, rare words, fills) is written here a second time, cell by cell, from
the rows with weight alone; ``tests/battery/test_schemes.py`` holds lanes and curves against it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import fsum, log
from typing import Any

import numpy as np
import pandas as pd
import pytest

from regcli.problem.folds import deal_folds
from tests.battery.conftest import Made
from tests.battery.test_schemes import assert_curve, assert_lane, lanes_of, target_of
from tests.fuzz.tool import run_tool
from tests.refit import Fold, Recipe, Study, Vector, cross_validate, folds_in_time, folds_of

ROWS = 60


pytestmark = pytest.mark.usefixtures("folder")


def table_of(family: str, n: int, *, holes: bool) -> pd.DataFrame:
    """Towns that are rare in some folds only, words likewise, ages whose quantiles differ from fold to fold."""
    rng = np.random.default_rng([n, len(family), 5])
    fold = np.arange(n) * 4 // n
    age, size = rng.gamma(4, 10, n).round(1), rng.choice(["low", "mid", "high"], n, p=[0.5, 0.3, 0.2])
    share = 1 / np.arange(1, 10)
    town = rng.choice([f"t{k}" for k in range(9)], n, p=share / share.sum())
    town = np.where((fold == 0) & (rng.random(n) < 0.3), "inn", town)
    words = ["free", "money", "Hello", "meeting", "cash", "zebra", "lunch"]
    note = [" ".join(rng.choice(words, rng.integers(1, 7), p=[0.3, 0.2, 0.2, 0.1, 0.1, 0.04, 0.06])) for _ in range(n)]
    when = pd.Timestamp("2019-12-25") + pd.to_timedelta(rng.integers(0, 700, n), unit="D")
    signal = np.sin(age / 12) + (size == "high") * 0.8 + (town == "t0") * 0.5 + when.month.isin([6, 7]) * 0.7
    signal = signal + 0.3 * np.array([text.count("free") for text in note]) - 1.2
    table = pd.DataFrame(
        {
            "age": age,
            "size": size.astype(object),
            "town": town.astype(object),
            "when": when.strftime("%Y-%m-%d").astype(object),
            "note": np.array(note, dtype=object),
            "y": target_of(family, signal + 0.4 * rng.normal(size=n), rng),
            "fold": fold,
            "row": np.arange(n),
            "w": rng.choice([0.0, 0.5, 1.0, 2.0], n),
        }
    ).sample(frac=1.0, random_state=3, ignore_index=True)
    if holes:
        for name in ("age", "size", "town", "when"):
            table.loc[rng.random(n) < 0.12, name] = np.nan
    return table


# -- the columns, written a second time ------------------------------------------------------------------------------

Name = str

_GAPPED = ("age", "size", "town")


def _share(there: Sequence[bool], weights: Sequence[float]) -> float:
    """Share of the weight."""
    total = fsum(weights)
    return fsum(w for yes, w in zip(there, weights, strict=True) if yes) / total if total else 0.0


def _cells(column: "pd.Series[Any]", weights: Vector) -> tuple[list[Any], list[float]]:
    known = column.notna().to_numpy() & (weights > 0)
    return column[known].tolist(), weights[known].tolist()


def _middle(cells: list[Any], weights: list[float], policy: str) -> float:
    """Mean or median of cells with weight."""
    if policy != "median":
        return fsum(c * w for c, w in zip(cells, weights, strict=True)) / fsum(weights)
    pairs = sorted((c, Fraction(w)) for c, w in zip(cells, weights, strict=True))
    total, below = sum((w for _, w in pairs), Fraction(0)), Fraction(0)
    for at, (cell, weight) in enumerate(pairs):
        below += weight
        if 2 * below == total and at + 1 < len(pairs):
            return float((cell + pairs[at + 1][0]) / 2)
        if 2 * below > total:
            return float(cell)
    raise AssertionError


def _commonest(cells: Sequence[Any], weights: Sequence[float], levels: Sequence[Any]) -> object:
    """The first of the levels with the most weight."""
    totals = {each: fsum(w for c, w in zip(cells, weights, strict=True) if c == each) for each in levels}
    return max(levels, key=totals.__getitem__)


def _ordinal(table: pd.DataFrame, weights: Vector, order: Sequence[str], policy: str) -> dict[Name, Vector]:
    cells, own = _cells(table["size"], weights)
    places = [order.index(cell) for cell in cells]
    out = {}
    for at, level in enumerate(order[1:], start=1):
        fill = _share([place >= at for place in places], own)
        if policy == "median":
            fill = float(np.floor(_middle(places, own, "median")) >= at)
        fill = 0.0 if policy == "indicator" else fill
        out[f"size>={level}"] = np.array(
            [fill if pd.isna(cell) else float(order.index(cell) >= at) for cell in table["size"]]
        )
    return out


def _pooled(table: pd.DataFrame, all_weights: Vector, weights: Vector, least: int, policy: str) -> dict[Name, Vector]:
    def frequent(own: Vector) -> list[str]:
        counts = table["town"][own > 0].value_counts()
        return sorted(str(level) for level in counts.index[counts >= least])

    kept, here = frequent(all_weights), set(frequent(weights))
    cells, own = _cells(table["town"], weights)
    called = [cell if cell in here and cell in kept else "(other)" for cell in cells]
    out = {}
    for level in [*kept, "(other)"]:
        fill = _share([each == level for each in called], own)
        if policy == "median":
            fill = float(level == _commonest(called, own, [*kept, "(other)"]))
        fill = 0.0 if policy == "indicator" else fill
        now = [cell if cell in here else "(other)" for cell in table["town"]]
        gone = table["town"].isna()
        out[f"town={level}"] = np.array([fill if g else float(c == level) for g, c in zip(gone, now, strict=True)])
    return out


def _knots(cells: list[float], weights: list[float], count: int) -> list[float]:
    outer = {3: 0.1, 4: 0.05, 5: 0.05, 6: 0.05}.get(count, 0.025)
    pairs = sorted((c, Fraction(w)) for c, w in zip(cells, weights, strict=True))
    total, out = sum(w for _, w in pairs), []
    for share in np.linspace(outer, 1 - outer, count):
        below = Fraction(0)
        for cell, weight in pairs:
            below += weight
            if float(below / total) >= share - 1e-12:
                out.append(cell)
                break
    return sorted(set(out))


def _spline(table: pd.DataFrame, weights: Vector, count: int, policy: str) -> dict[Name, Vector]:
    cells, own = _cells(table["age"], weights)
    knots, fill = _knots(cells, own, count), _middle(cells, own, policy)
    x = [fill if pd.isna(cell) else cell for cell in table["age"]]
    out = {"spline(age,1)": np.array(x)}
    last = knots[-1]

    def d(value: float, knot: float) -> float:
        return (max(value - knot, 0.0) ** 3 - max(value - last, 0.0) ** 3) / (last - knot)

    for at in range(2, count):
        if at >= len(knots):
            out[f"spline(age,{at})"] = np.zeros(len(x))
            continue
        scale = (last - knots[0]) ** 2
        out[f"spline(age,{at})"] = np.array([(d(v, knots[at - 2]) - d(v, knots[-2])) / scale for v in x])
    return out


def _words(table: pd.DataFrame, all_weights: Vector, weights: Vector, how: str, least: int) -> dict[Name, Vector]:
    texts = [re.findall(r"\b\w\w+\b", text.lower()) for text in table["note"]]

    def rows_with(word: str, own: Vector) -> int:
        return sum(word in words for words, w in zip(texts, own, strict=True) if w > 0)

    known = sorted({w for words in texts for w in words})
    total, out = int((weights > 0).sum()), {}
    for word in (w for w in known if rows_with(w, all_weights) >= least):
        there = rows_with(word, weights)
        factor = 0.0 if there < least else log((1 + total) / (1 + there)) + 1 if how == "tfidf" else 1.0
        counts = [min(words.count(word), 1) if how == "binary" else words.count(word) for words in texts]
        out[f"word(note,{word})"] = factor * np.array(counts, dtype=float)
    return out


def _dates(table: pd.DataFrame, all_weights: Vector, weights: Vector, policy: str) -> dict[Name, Vector]:
    when = pd.to_datetime(table["when"])
    out: dict[Name, Vector] = {}
    numbers: dict[str, pd.Series[Any]] = {
        "year": when.dt.year,
        "days": (when - pd.Timestamp("1970-01-01")) / pd.Timedelta(days=1),
    }
    levels: dict[str, pd.Series[Any]] = {"month": when.dt.month, "weekday": when.dt.day_name().str[:3]}
    for part in ("year", "month", "weekday", "days"):
        flags = when.isna().to_numpy()
        if part in numbers:
            column = numbers[part].astype(float)
            cells, own = _cells(column, weights)
            out[f"{part}(when)"] = np.array(column.fillna(_middle(cells, own, policy)), dtype=np.float64)
        else:
            column = levels[part]
            cells, own = _cells(column, weights)
            present = set(_cells(column, all_weights)[0])
            for level in sorted(present):
                fill = _share([cell == level for cell in cells], own)
                if policy == "median":
                    fill = float(level == _commonest(cells, own, sorted(present)))
                fill = 0.0 if policy == "indicator" else fill
                name = int(level) if part == "month" else level
                out[f"{part}(when)={name}"] = np.array(np.where(flags, fill, column == level), dtype=np.float64)
        if policy == "indicator":
            out["missing(when)"] = flags.astype(float)  # one, whatever is made of the dates
    return out


@dataclass(frozen=True, eq=False)
class Rich(Study):
    """A study of columns that are more than numbers and levels."""

    case: "Case | None" = None

    def named(self, weights: Vector) -> dict[Name, Vector]:
        assert self.case is not None
        case, table, policy = self.case, self.table, self.case.missing or "mean"
        gone: dict[str, Vector] = {
            name: table[name].isna().to_numpy().astype(float) for name in ("age", "size", "town")
        }
        flagged = policy == "indicator"
        out = _spline(table, weights, case.knots, policy)
        out |= {"missing(age)": gone["age"]} if flagged else {}
        out |= _ordinal(table, weights, ["low", "mid", "high"], policy)
        out |= {"missing(size)": gone["size"]} if flagged else {}
        out |= _pooled(table, self.weights, weights, 6, policy)
        out |= {"missing(town)": gone["town"]} if flagged else {}
        out |= _dates(table, self.weights, weights, policy)
        if case.text:
            out |= _words(table, self.weights, weights, case.text, 3)
        if case.products:
            towns = [name for name in out if name.startswith("town=")]
            for step in [name for name in out if name.startswith("size>=")]:
                out |= {f"{step}:{town}": out[step] * out[town] for town in towns}
        return out

    def term_names(self) -> list[Name]:
        """Terms that vary over all rows with weight, products left out where they do not."""
        used = {name: column[self.weights > 0] for name, column in self.named(self.weights).items()}
        return [name for name, column in used.items() if ":" not in name or column.min() < column.max()]

    def columns(self, fold: Fold) -> Vector:
        found = self.named(self.weights_of(fold))
        return np.column_stack([found[name] for name in self.term_names()])


@dataclass(frozen=True)
class Case:
    """One run and how it is refitted."""

    scheme: str
    family: str = "gaussian"
    missing: str = ""
    knots: int = 5
    text: str = ""
    weights: bool = False
    products: bool = False
    penalty: str = "elasticnet"
    lams: tuple[float, ...] = (0.2, 0.03)
    rows: int = ROWS

    def __str__(self) -> str:
        words = [self.scheme, self.family, self.missing, str(self.knots), self.text, self.penalty]
        return "-".join([word for word in words if word] + ["weights"] * self.weights + ["products"] * self.products)

    def arguments(self) -> list[object]:
        schemes: dict[str, list[object]] = {
            "column": ["--fold-column", "fold"],
            "repeats": ["--folds", 4, "--seed", 7, "--repeats", 2],
            "loo": ["--cv", "loo"],
            "time": ["--order-by", "row", "--folds", 3],
        }
        out: list[object] = ["cv", "data.csv", "-y", "y", "--family", self.family, "--tol", "1e-13"]
        for name in ("age", "size", "town", "when", *(("note",) if self.text else ())):
            out += ["--features", name]
        out += ["--date", "when", "--ordinal", "size=low,mid,high", "--min-level-count", 6]
        out += ["--spline", "age" if self.knots == 5 else f"age={self.knots}"]
        out += ["--text", "note", "--text-weights", self.text, "--text-min-rows", 3] if self.text else []
        out += ["--interactions", "size:town"] if self.products else []
        out += ["--missing", self.missing] if self.missing else []
        out += ["--weights", "w"] if self.weights else []
        out += ["--penalty", self.penalty, *(["--l1-ratio", 0.4] if self.penalty == "elasticnet" else [])]
        return [*out, "--lambda", ",".join(map(repr, self.lams)), *schemes[self.scheme]]

    def folds(self, table: pd.DataFrame) -> list[Fold]:
        n = len(table)
        classes = table["y"].to_numpy(dtype=np.intp) if self.family == "binomial" else None
        if self.scheme == "column":
            return folds_of(table["fold"].to_numpy())
        if self.scheme == "repeats":
            return [fold for r in range(2) for fold in folds_of(deal_folds(n, 4, 7, classes, r), r)]
        return folds_of(np.arange(n)) if self.scheme == "loo" else folds_in_time(table["row"].tolist(), 3)


CASES = [
    Case("column"),
    Case("column", missing="mean", weights=True),
    Case("column", missing="median", weights=True, knots=4),
    Case("column", missing="indicator", knots=3),
    Case("column", missing="mean", products=True, weights=True),
    Case("column", missing="median", products=True),
    Case("column", text="count", missing="mean"),
    Case("column", text="binary", weights=True),
    Case("column", text="tfidf", missing="indicator", weights=True),
    Case("column", "binomial", "mean", weights=True, lams=(0.06, 0.02)),
    Case("column", "binomial", text="tfidf", lams=(0.06, 0.02)),
    Case("column", "poisson", "median", text="count", lams=(0.1, 0.03)),
    Case("repeats", missing="mean", weights=True, text="tfidf"),
    Case("repeats", "binomial", knots=7, lams=(0.06,)),
    Case("loo", missing="mean", rows=40, penalty="l2", lams=(1.0, 0.1)),
    Case("time", missing="median", weights=True, text="count"),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_fold_learns_from_its_rows_alone(case: Case, made: Made) -> None:
    table = table_of(case.family, case.rows, holes=bool(case.missing))
    written = table.assign(y=np.where(table["y"] == 1, "yes", "no")) if case.family == "binomial" else table
    written.to_csv("data.csv", index=False)
    weights = table["w"].to_numpy() if case.weights else np.ones(len(table))
    study = Rich(
        table=table,
        recipe=Recipe(()),
        y=table["y"].to_numpy(dtype=float),
        family=case.family,
        weights=weights,
        scored=weights,
        offset=np.zeros(len(table)),
        l1_ratio=0.4 if case.penalty == "elasticnet" else 0.0,
        case=case,
    )
    outcome = run_tool(*case.arguments())
    assert outcome.status == 0, outcome.err
    document = outcome.document
    found = [row["term"] for row in document["coefficients"]]
    assert found == [name for name in study.term_names() if name in found]
    assert document["n_terms"] == len(study.term_names())
    lanes, folds = lanes_of(made), case.folds(table)
    assert len(lanes) == len(folds)
    for lane, fold in zip(lanes, folds, strict=True):
        assert_lane(lane, study, fold)
    assert_curve(document, cross_validate(study, folds, case.lams))
