"""What training rows look like: as it is counted, and as it is read back."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
import pytest

from regcli.data.table import Column, Numbers
from regcli.data.target import Target
from regcli.data.terms import Feature
from regcli.data.training import describe, read_profile, with_fills
from tests.tolerances import EXACT
from tests.unit.data.made import numbers, table, text

NAN = float("nan")

FEATURES = (Feature("x", "number"), Feature("c", "category", ("a", "b"), ("b",)))
COLUMNS: dict[str, Column] = {
    "x": numbers(*range(20, 0, -1), NAN, 30),
    "c": text(*["a"] * 15, *[None] * 3, *["b"] * 4),
}
ROWS = 22
TARGET = Target(np.arange(22.0))


def made(target: Target = TARGET) -> dict[str, Any]:
    return describe(table(COLUMNS, ROWS), FEATURES, np.arange(ROWS), target)


def test_what_is_described_is_what_is_there() -> None:
    found = made()
    x = np.array([*range(1, 21), 30.0])
    assert found["rows"] == ROWS
    assert found["columns"]["x"]["quantiles"] == pytest.approx(np.quantile(x, np.arange(11) / 10), rel=EXACT)
    named = [found["columns"]["x"][name] for name in ("min", "q1", "median", "q3", "max")]
    assert named == pytest.approx(np.quantile(x, [0, 0.25, 0.5, 0.75, 1]), rel=EXACT)
    assert (found["columns"]["x"]["mean"], found["columns"]["x"]["sd"]) == pytest.approx((x.mean(), x.std()), rel=EXACT)
    assert (found["columns"]["x"]["missing"], found["columns"]["x"]["missing_rate"]) == (1, 1 / 22)
    assert found["columns"]["c"] == {"levels": {"a": 15, "b": 4}, "missing": 3, "missing_rate": 3 / 22}
    assert found["target"]["mean"] == pytest.approx(10.5, rel=EXACT)
    assert (found["target"]["classes"], len(found["target"]["quantiles"])) == (None, 11)


def test_of_classes_the_rows_are_counted() -> None:
    target = Target(np.array([1.0] * 5 + [0.0] * 17), ("no", "yes"), "no")
    assert made(target)["target"]["classes"] == {"no": 5, "yes": 17}


def test_it_is_read_back() -> None:
    profile = read_profile(made(), FEATURES, None)
    assert profile.columns["x"].range == (1.0, 30.0)
    assert profile.columns["c"].levels == {"a": 15, "b": 4}
    assert profile.missing_rate("c") == 3 / 22


def test_a_profile_of_before_is_read() -> None:
    old = made()
    del old["target"]
    for entry in old["columns"].values():
        for key in ("quantiles", "mean", "sd", "missing_rate"):
            entry.pop(key, None)
    profile = read_profile(old, FEATURES, None)
    assert profile.columns["x"].range == (1.0, 30.0)
    assert profile.columns["x"].mean is None


CHANGES: list[Callable[[dict[str, Any]], object]] = [
    lambda d: d.update(rows=0),
    lambda d: d.update(rows=-22),
    lambda d: d.update(rows=22.0),
    lambda d: d.update(rows=True),
    lambda d: d.update(columns=[]),
    lambda d: d["columns"].pop("x"),
    lambda d: d["columns"].update(z=d["columns"]["x"]),
    lambda d: d["columns"]["x"].update(missing=23),
    lambda d: d["columns"]["x"].update(missing_rate=0.5),
    lambda d: d["columns"]["x"].update(missing="1"),
    lambda d: d["columns"]["x"].update(min=31.0),
    lambda d: d["columns"]["x"].update(min=0.5),
    lambda d: d["columns"]["x"].update(median=NAN),
    lambda d: d["columns"]["x"].update(median=11.5),
    lambda d: d["columns"]["x"].update(mean=31.0),
    lambda d: d["columns"]["x"].update(mean="1"),
    lambda d: d["columns"]["x"].update(sd=-1.0),
    lambda d: d["columns"]["x"]["quantiles"].reverse(),
    lambda d: d["columns"]["x"]["quantiles"].pop(4),
    lambda d: d["columns"]["x"]["quantiles"].append(40.0),
    lambda d: d["columns"]["x"].update(levels={}),
    lambda d: d["columns"]["c"].update(levels={"a": 15}),
    lambda d: d["columns"]["c"]["levels"].update(a=16),
    lambda d: d["columns"]["c"]["levels"].update(a=-1),
    lambda d: d["target"].update(sd=-1.0),
    lambda d: d["target"].update(mean=None),
    lambda d: d["target"]["quantiles"].reverse(),
    lambda d: d.update(target=5),
]


def test_weights_of_rows_tell_what_missing_cells_become() -> None:
    columns = {**COLUMNS, "s": Numbers(np.array([2.0, NAN, -3.0]), np.array([0, 4, 7], dtype=np.int32), ROWS)}
    features = (*FEATURES, Feature("s", "number"))
    plain = describe(table(columns, ROWS), features, np.arange(ROWS), TARGET)
    weights = np.r_[np.full(10, 3.0), np.full(11, 1.0), 0.0]
    found = with_fills(plain, features, columns, (np.arange(ROWS), weights), {})
    assert with_fills(plain, features, columns, (np.arange(ROWS), np.ones(ROWS)), {}) == plain
    known = read_profile(found, features, None).columns
    x = np.arange(20.0, 0.0, -1.0)
    assert known["x"].fills == {"mean": pytest.approx(x @ weights[:20] / 40, rel=EXACT), "median": 14.0}
    assert known["c"].level_fills == {"mean": {"a": 35 / 38, "b": 3 / 38}, "median": {"a": 1.0, "b": 0.0}}
    assert known["s"].fills == {"mean": pytest.approx((6.0 - 9.0) / 38, rel=EXACT), "median": 0.0}
    assert {name: {**entry, "fills": None} for name, entry in found["columns"].items()} == {
        name: {**entry, "fills": None} for name, entry in plain["columns"].items()
    }
    for name, key, odd in (("x", "mean", 31.0), ("x", "median", NAN), ("c", "mean", {"a": 1.0}), ("c", "mean", 1.0)):
        changed = deepcopy(found)
        changed["columns"][name]["fills"][key] = odd
        with pytest.raises((KeyError, TypeError, ValueError)):
            read_profile(changed, features, None)


#: Columns by what is counted of them: the numbers and their rows, or nothing.
COUNTED: list[tuple[Column, list[list[float]] | None]] = [
    (numbers(*[1.0] * 12, *[0.0] * 9, NAN), [[0.0, 9], [1.0, 12]]),
    (numbers(*[-0.0] * 12, *[0.0] * 10), [[0.0, 22]]),
    (Numbers(np.array([2.0, NAN, -3.0]), np.array([0, 4, 7], dtype=np.int32), ROWS), [[-3.0, 1], [0.0, 19], [2.0, 1]]),
    (numbers(*range(20), 3, 3), [[float(value), 3 if value == 3 else 1] for value in range(20)]),
    (numbers(*range(21), NAN), None),
]


@pytest.mark.parametrize("which", range(len(COUNTED)))
def test_of_few_numbers_the_rows_of_each_are_counted(which: int) -> None:
    column, expected = COUNTED[which]
    features = (Feature("x", "number"),)
    found = describe(table({"x": column}, ROWS), features, np.arange(ROWS), TARGET)
    assert found["columns"]["x"]["counts"] == expected
    known = read_profile(found, features, None).columns["x"].counts
    assert known == (None if expected is None else {value: int(rows) for value, rows in expected})
    for odd in ([[0.0, 22]], [[0.0, 11], [0.0, 11]], [[1.0, 12], [0.0, 9]], [[0.0]], [], 5, {"0": 22}):
        if odd != expected:
            changed = deepcopy(found)
            changed["columns"]["x"]["counts"] = odd
            with pytest.raises((KeyError, TypeError, ValueError)):
                read_profile(changed, features, None)


@pytest.mark.parametrize("late", [[5.0], [5.0, 5.0], [*np.arange(2.0, 21.0)]])
def test_numbers_that_come_late_are_counted_too(late: list[float]) -> None:
    cells = np.array([0.0, 1.0] * 1000 + late)
    features, rows = (Feature("x", "number"),), np.arange(cells.size)
    found = describe(table({"x": Numbers(cells)}, cells.size), features, rows, Target(cells))["columns"]["x"]["counts"]
    values, counts = np.unique(cells, return_counts=True)
    pairs = [list(pair) for pair in zip(values.tolist(), counts.tolist(), strict=True)]
    assert found == (pairs if values.size <= 20 else None)


@pytest.mark.parametrize("at", range(len(CHANGES)))
def test_a_profile_that_cannot_be_so_is_refused(at: int) -> None:
    changed = deepcopy(made())
    CHANGES[at](changed)
    with pytest.raises((KeyError, TypeError, ValueError)):
        read_profile(changed, FEATURES, None)


@pytest.mark.parametrize("classes", [{"no": 5}, {"no": 5, "yes": 18}, {"no": 5, "maybe": 17}, None])
def test_classes_that_do_not_add_up_are_refused(classes: object) -> None:
    changed = made(Target(np.array([1.0] * 5 + [0.0] * 17), ("no", "yes"), "no"))
    changed["target"]["classes"] = classes
    with pytest.raises((KeyError, TypeError, ValueError)):
        read_profile(changed, FEATURES, ("no", "yes"))
