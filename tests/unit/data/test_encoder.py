"""Columns to terms: learnt on training rows, applied to any table."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from regcli.data.encoder import Encoder
from regcli.data.learn import Learnt, Recipe, learn_encoder
from regcli.data.levels import level_order, match_levels
from regcli.data.table import Column
from regcli.data.terms import Factor, Feature, Term
from regcli.data.usable import missing_rows
from regcli.errors import DataError
from tests.dense import based, coded
from tests.tolerances import EXACT
from tests.unit.data.made import numbers, table, text


def learn(
    columns: Mapping[str, Column],
    rows: int,
    *,
    weights: NDArray[np.float64] | None = None,
    reference: bool = False,
    recipe: Recipe | None = None,
) -> Learnt:
    weights = np.ones(rows) if weights is None else weights
    return learn_encoder(
        table(columns, rows), list(columns), np.arange(rows), weights=weights, reference=reference, recipe=recipe
    )


def test_numbers_and_categories_become_terms_in_order() -> None:
    columns: dict[str, Column] = {
        "x": numbers(1, 2, 3, 4),
        "c": text("b", "a", "c", "a"),
        "two": text("u", "v", "u", "v"),
    }
    encoder = learn(columns, 4).encoder
    assert [term.name for term in encoder.terms] == ["x", "c=a", "c=b", "c=c", "two=v"]
    assert encoder.terms[2] == Term("c=b", (Factor("c", "level", "b"),))
    X = coded(encoder, columns, np.array([3, 0]))
    assert X.tolist() == [[4.0, 1.0, 0.0, 0.0, 1.0], [1.0, 0.0, 1.0, 0.0, 0.0]]
    assert X.flags.f_contiguous


def test_unpenalised_categories_leave_out_their_first_level() -> None:
    encoder = learn({"c": text("b", "a", "c")}, 3, reference=True).encoder
    assert [term.name for term in encoder.terms] == ["c=b", "c=c"]


def test_levels_are_those_of_training_rows_with_weight() -> None:
    columns: dict[str, Column] = {"c": text("b", "a", "c", "a"), "x": numbers(1, 1, 2, 1)}
    learnt = learn(columns, 4, weights=np.array([1.0, 2.0, 0.0, 1.0]))
    assert [term.name for term in learnt.encoder.terms] == ["c=b"]
    assert learnt.dropped == (("x", "constant"),)
    assert [warning.code for warning in learnt.warnings] == ["constant-column"]


def test_levels_that_are_not_known_and_missing_cells_are_nan() -> None:
    encoder = learn({"c": text("a", "b", "c"), "x": numbers(1, 2, 3)}, 3).encoder
    other: dict[str, Column] = {"c": text("b", "z", None), "x": numbers(1, np.nan, 3)}
    X = coded(encoder, other, np.arange(3))
    assert X[0].tolist() == [0.0, 1.0, 0.0, 1.0]
    assert np.isnan(X[1]).all()
    assert np.isnan(X[2, :3]).all()
    assert X[2, 3] == 3.0


def test_booleans_match_in_any_capitals_and_text_does_not() -> None:
    boolean = Encoder((Feature("b", "category", ("False", "True"), ("True",), boolean=True),))
    assert coded(boolean, {"b": text("TRUE", "false")}, np.arange(2)).tolist() == [[1.0], [0.0]]
    spelt = Encoder((Feature("b", "category", ("no", "yes"), ("yes",)),))
    assert np.isnan(coded(spelt, {"b": text("YES")}, np.arange(1))).all()


def test_columns_of_terms_that_are_not_wanted_may_be_absent() -> None:
    encoder = learn({"c": text("a", "b", "c"), "x": numbers(1, 2, 3)}, 3).encoder
    working, places = encoder.needed(np.array([False, False, False, True]))
    assert coded(working, {"x": numbers(7)}, np.arange(1)).tolist() == [[7.0]]
    assert places.tolist() == [3]


@pytest.mark.parametrize(
    ("levels", "order"),
    [
        (["10", "9", "1e1"], ("9", "10", "1e1")),
        (["b", "10", "9"], ("10", "9", "b")),
        (["b", "B", "a"], ("B", "a", "b")),
        (["-1", "0", "+1"], ("-1", "0", "+1")),
    ],
)
def test_the_order_of_levels(levels: list[str], order: tuple[str, ...]) -> None:
    assert level_order(levels) == order


def test_equal_names_of_terms_are_refused() -> None:
    with pytest.raises(DataError) as caught:
        learn({"c": text("a", "b", "d"), "c=a": numbers(1, 2, 3)}, 3)
    assert caught.value.code == "duplicate-term"


def test_spreads_whose_squares_vanish_are_refused() -> None:
    with pytest.raises(DataError) as caught:
        learn({"x": numbers(0, 1e-200, 2e-200)}, 3)
    assert caught.value.code == "value-range"


def test_where_cells_are_missing() -> None:
    columns: dict[str, Column] = {"x": numbers(1, np.nan), "c": text(None, "a"), "full": numbers(1, 2)}
    found = missing_rows(table(columns, 2), ["x", "c", "full"])
    assert {name: mask.tolist() for name, mask in found.items()} == {"x": [False, True], "c": [True, False]}


@pytest.mark.parametrize(
    ("levels", "typed", "codes"),
    [
        (("1", "2"), ("1", "2", "3"), [0, 1, -1]),
        (("1", "2"), ("1.0", "2.0", "2.5"), [0, 1, -1]),
        (("01", "2.0"), ("1", "2"), [0, 1]),
        (("false", "true"), ("False", "True"), [0, 1]),
        (("9007199254740992", "9007199254740993"), ("9007199254740993", "9007199254740994"), [1, -1]),
        (("no", "yes"), ("0", "1"), [-1, -1]),
    ],
)
def test_values_without_a_spelling_match_by_value(
    levels: tuple[str, ...], typed: tuple[str, ...], codes: list[int]
) -> None:
    feature = Feature("c", "category", levels, levels)
    column = replace(text(*typed), typed=True)
    assert match_levels(feature, column)[column.codes].tolist() == codes
    spelt = text(*typed)
    exact = [levels.index(level) if level in levels else -1 for level in typed]
    assert match_levels(feature, spelt)[spelt.codes].tolist() == exact


def test_an_unknown_level_can_be_none_of_them() -> None:
    encoder = learn({"c": text("a", "b", "c"), "x": numbers(1, 2, 3)}, 3).encoder
    other: dict[str, Column] = {"c": text("b", "z", None), "x": numbers(1, np.nan, 3)}
    X = coded(encoder, other, np.arange(3), unknown_is_zero=True)
    assert X[0].tolist() == [0.0, 1.0, 0.0, 1.0]
    assert X[1, :3].tolist() == [0.0, 0.0, 0.0]
    assert np.isnan(X[1, 3])
    assert np.isnan(X[2, :3]).all()


# -- missing cells ---------------------------------------------------------------------------------------------------

NAN = float("nan")


def with_policy(policy: str, columns: Mapping[str, Column], rows: int, **more: object) -> Learnt:
    return learn(columns, rows, recipe=Recipe(dict.fromkeys(columns, policy), **more))  # type: ignore[arg-type]


def names(encoder: Encoder) -> list[str]:
    return [term.name for term in encoder.terms]


def test_filled_columns_and_flags() -> None:
    columns: dict[str, Column] = {"x": numbers(1, NAN, 4, 1), "c": text("a", "b", None, "a")}
    rows = np.arange(4)
    third = 1 / 3
    for policy, expected in (
        ("mean", [[1, 0], [2, 1], [4, third], [1, 0]]),
        ("median", [[1, 0], [1, 1], [4, 0], [1, 0]]),
        ("indicator", [[1, 0, 0, 0], [2, 1, 1, 0], [4, 0, 0, 1], [1, 0, 0, 0]]),
    ):
        learnt = with_policy(policy, columns, 4)
        flags = policy == "indicator"
        assert names(learnt.encoder) == (["x", "missing(x)", "c=b", "missing(c)"] if flags else ["x", "c=b"])
        X = coded(learnt.encoder, columns, rows)
        order = [0, 2, 1, 3] if flags else [0, 1]
        assert X.tolist() == np.array(expected)[:, order].tolist()
        (warning,) = learnt.warnings
        assert (warning.code, warning.facts["columns"]) == ("imputed", {"x": 1, "c": 1})


def test_a_complete_column_has_no_flag_and_learns_a_fill() -> None:
    columns: dict[str, Column] = {"x": numbers(1, 2, 6), "c": text("a", "b", "b")}
    learnt = with_policy("indicator", columns, 3)
    assert names(learnt.encoder) == ["x", "c=b"]
    assert learnt.warnings == ()
    assert learnt.encoder.lane_map(learnt.encoder.lessons) is None
    later: dict[str, Column] = {"x": numbers(NAN), "c": text(None)}
    assert coded(learnt.encoder, later, np.arange(1)).tolist() == [[3.0, 2 / 3]]


def test_without_gaps_the_base_is_the_design() -> None:
    columns: dict[str, Column] = {"x": numbers(1, 2, 4), "c": text("a", "b", "c"), "z": numbers(3, 1, 2)}
    recipe = Recipe(dict.fromkeys(columns, "mean"), degree=2, pairs=(("x", "c"), ("x", "z")))
    encoder = learn(columns, 3, recipe=recipe).encoder
    assert np.array_equal(based(encoder, columns, np.arange(3)), coded(encoder, columns, np.arange(3)))


@pytest.mark.parametrize(
    ("policy", "left", "dropped"),
    [("mean", [], ["x", "c"]), ("median", [], ["x", "c"]), ("indicator", ["missing(x)", "missing(c)"], [])],
)
def test_one_value_and_missing_cells(policy: str, left: list[str], dropped: list[str]) -> None:
    columns: dict[str, Column] = {"x": numbers(0.1, NAN, 0.1, 0.1), "c": text("a", None, "a", "a")}
    learnt = with_policy(policy, columns, 4)
    assert names(learnt.encoder) == left
    assert [name for name, reason in learnt.dropped if reason == "constant"] == dropped
    if left:
        assert coded(learnt.encoder, columns, np.arange(4)).tolist() == [[0, 0], [1, 1], [0, 0], [0, 0]]


def test_cells_of_rows_without_weight_alone_make_a_constant() -> None:
    columns: dict[str, Column] = {"x": numbers(1, NAN, NAN), "c": text("a", None, None), "z": numbers(1, 2, 3)}
    for policy in ("mean", "median", "indicator"):
        recipe = Recipe(dict.fromkeys(columns, policy))
        learnt = learn(columns, 3, weights=np.array([0.0, 1.0, 1.0]), recipe=recipe)
        assert names(learnt.encoder) == ["z"]


# -- powers and interactions -----------------------------------------------------------------------------------------


def test_powers_stop_below_the_number_of_values() -> None:
    columns: dict[str, Column] = {
        "two": numbers(0, 1, 0, 1, 1), "three": numbers(0, 1, 2, 2, 1), "five": numbers(1, 2, 3, 4, 5),
    }  # fmt: skip
    encoder = learn(columns, 5, recipe=Recipe(degree=3)).encoder
    assert names(encoder) == ["two", "three", "three^2", "five", "five^2", "five^3"]
    assert coded(encoder, columns, np.array([3]))[0].tolist() == [1, 2, 4, 4, 16, 64]


def test_interactions_come_last_left_side_slowest() -> None:
    columns: dict[str, Column] = {
        "c": text("a", "b", "d", "a"), "x": numbers(2, 3, 5, 7), "s": text("f", "m", "f", "m"),
    }  # fmt: skip
    recipe = Recipe(pairs=(("c", "s"), ("c", "x")))
    learnt = learn(columns, 4, recipe=recipe)
    assert names(learnt.encoder) == [
        "c=a", "c=b", "c=d", "x", "s=m", "c=a:s=m", "c=b:s=m", "c=a:x", "c=b:x", "c=d:x",
    ]  # fmt: skip
    assert learnt.dropped == (("c=d:s=m", "constant"),)
    assert learnt.warnings[0].facts == {"columns": ["c=d:s=m"]}
    assert learnt.encoder.terms[5].sources == ("c", "s")
    assert (learnt.encoder.terms[5].numeric, learnt.encoder.terms[7].numeric) == (False, True)
    assert coded(learnt.encoder, columns, np.array([3]))[0, 5:].tolist() == [1, 0, 7, 0, 0]


def test_a_product_is_of_two_columns_that_are_there() -> None:
    columns = {"x": numbers(1, 2, 4), "z": numbers(3, 1, 2)}
    with pytest.raises(DataError) as caught:
        learn(columns, 3, recipe=Recipe(pairs=(("x", "nothing"),)))
    assert caught.value.code == "column-not-found"
    with pytest.raises(ValueError, match="with itself"):
        learn(columns, 3, recipe=Recipe(pairs=(("x", "x"),)))


def test_products_with_a_constant_column_are_left_out() -> None:
    columns: dict[str, Column] = {"k": numbers(1, 1, 1), "c": text("a", "b", "d"), "x": numbers(1, 2, 4)}
    learnt = learn(columns, 3, recipe=Recipe(pairs=(("k", "c"), ("x", "k"))))
    assert names(learnt.encoder) == ["c=a", "c=b", "c=d", "x"]
    assert [name for name, _ in learnt.dropped] == ["k", "k:c=a", "k:c=b", "k:c=d", "x:k"]


@pytest.mark.parametrize(
    ("columns", "recipe"),
    [
        ({"x": numbers(1, 2, 3, 1e60)}, Recipe(degree=3)),
        ({"x": numbers(1e-60, 2e-60, 0, 3e-60)}, Recipe(degree=3)),
        ({"x": numbers(1, 1e100, 2), "z": numbers(1, 1e100, 3)}, Recipe(pairs=(("x", "z"),))),
        ({"x": numbers(1e-100, 2e-100, 3e-100), "z": numbers(1e-100, 2e-100, 0)}, Recipe(pairs=(("x", "z"),))),
    ],
)
def test_powers_and_products_whose_squares_leave_double_precision(columns: dict[str, Column], recipe: Recipe) -> None:
    column = columns["x"]
    rows = len(getattr(column, "values", ()))
    with pytest.raises(DataError) as caught:
        learn(columns, rows, recipe=recipe)
    assert caught.value.code == "value-range"
    assert caught.value.hint


def test_names_with_marks_in_them() -> None:
    columns: dict[str, Column] = {"a:b": numbers(1, 2, 4), "x^2": numbers(3, 1, 7), "x": numbers(1, 2, 5)}
    learnt = learn(columns, 3, recipe=Recipe(pairs=(("a:b", "x^2"),)))
    assert names(learnt.encoder)[-1] == "a:b:x^2"
    with pytest.raises(DataError) as caught:
        learn(columns, 3, recipe=Recipe(degree=2))
    assert caught.value.code == "duplicate-term"
    assert "'x^2'" in str(caught.value)


def test_terms_that_are_not_wanted_may_lack_their_columns() -> None:
    columns: dict[str, Column] = {"x": numbers(1, 2, 3), "z": numbers(4, 1, 3), "w": numbers(1, 5, 2)}
    encoder = learn(columns, 3, recipe=Recipe(pairs=(("x", "z"), ("x", "w")))).encoder
    wanted = np.array([name == "x:z" for name in names(encoder)])
    working, places = encoder.needed(wanted)
    X = coded(working, {"x": numbers(3), "z": numbers(5)}, np.arange(1))
    assert X.tolist() == [[3.0, 5.0, 15.0]]
    assert places.tolist() == [0, 1, 3]


# -- lanes -----------------------------------------------------------------------------------------------------------

ROWS = 40


def mixed(seed: int = 3) -> dict[str, Column]:
    """Two numbers and two categories with missing cells, and one of each without."""
    rng = np.random.default_rng(seed)
    x, z, full = rng.normal(size=(3, ROWS)).round(2)
    x[rng.random(ROWS) < 0.2] = np.nan
    z[rng.random(ROWS) < 0.2] = np.nan
    three = [None if rng.random() < 0.15 else str(rng.choice(["a", "b", "c"])) for _ in range(ROWS)]
    two = [None if rng.random() < 0.15 else str(rng.choice(["u", "v"])) for _ in range(ROWS)]
    whole = [str(cell) for cell in rng.choice(["k", "l"], ROWS)]
    return {
        "x": numbers(*x), "c": text(*three), "z": numbers(*z), "full": numbers(*full),
        "d": text(*two), "w": text(*whole),
    }  # fmt: skip


PAIRS = (("x", "z"), ("x", "full"), ("c", "x"), ("c", "d"), ("w", "c"), ("full", "w"), ("full", "d"))


@pytest.mark.parametrize("degree", [1, 3])
@pytest.mark.parametrize("pairs", [(), PAIRS], ids=["main", "pairs"])
@pytest.mark.parametrize("policy", ["mean", "median", "indicator", "mixed"])
@pytest.mark.parametrize("reference", [False, True])
def test_base_times_lane_map_is_the_design_of_the_lane(
    policy: str,
    pairs: tuple[tuple[str, str], ...],
    degree: int,
    reference: bool,  # noqa: FBT001
) -> None:
    columns = mixed()
    chosen = dict.fromkeys(columns, policy)
    if policy == "mixed":
        chosen = dict(zip(columns, ["mean", "indicator", "median", "error", "mean", "drop"], strict=True))
    rng = np.random.default_rng(8)
    weights = rng.integers(0, 4, ROWS).astype(float)
    learnt = learn(columns, ROWS, weights=weights, reference=reference, recipe=Recipe(chosen, degree, pairs))
    encoder, rows = learnt.encoder, np.arange(ROWS)
    base = based(encoder, columns, rows)
    assert base.flags.f_contiguous
    patterns = []
    for lane in range(5):
        held = np.arange(ROWS) % 5 == lane - 1
        fills = encoder.learn(columns, rows, np.where(held, 0.0, weights))
        if not lane:
            assert fills == encoder.lessons
        lane_map = encoder.lane_map(fills)
        assert lane_map is not None
        assert lane_map.has_sorted_indices
        assert lane_map.shape == (base.shape[1], len(encoder.terms))
        patterns.append((lane_map.indptr.tolist(), lane_map.indices.tolist()))
        expected = coded(replace(encoder, lessons=fills), columns, rows)
        found = base @ lane_map.toarray()
        assert np.allclose(found, expected, rtol=0, atol=EXACT * np.abs(expected).max(axis=0))
        assert lane or np.array_equal(found, expected)
        assert lane or np.array_equal(base[:, encoder.places], expected)
    assert all(pattern == patterns[0] for pattern in patterns)


def test_a_lane_without_any_cell_fills_zero() -> None:
    columns: dict[str, Column] = {"x": numbers(1, 2, NAN, NAN), "c": text("a", "b", None, None)}
    encoder = with_policy("mean", columns, 4).encoder
    fills = encoder.learn(columns, np.arange(4), np.array([0.0, 0.0, 1.0, 1.0]))
    assert coded(replace(encoder, lessons=fills), columns, np.array([3])).tolist() == [[0.0, 0.0]]
    lane_map = encoder.lane_map(fills)
    assert lane_map is not None
    assert lane_map.nnz == 4


def test_categories_whose_missing_cells_are_a_level_need_no_map() -> None:
    columns: dict[str, Column] = {"c": text("a", "b", None, "d"), "x": numbers(1, 2, 3, 4)}
    encoder = with_policy("indicator", columns, 4, pairs=(("c", "x"),)).encoder
    assert encoder.lane_map(encoder.lessons) is None
    assert np.array_equal(based(encoder, columns, np.arange(4)), coded(encoder, columns, np.arange(4)))


def test_a_level_that_no_row_with_weight_has_is_none_in_the_base() -> None:
    columns: dict[str, Column] = {"c": text("a", "b", "z", None), "x": numbers(1, 2, 3, 4)}
    recipe = Recipe({"c": "indicator"})
    encoder = learn(columns, 4, weights=np.array([1.0, 1.0, 0.0, 0.0]), recipe=recipe).encoder
    assert names(encoder) == ["c=b", "x"]
    base = based(encoder, columns, np.arange(4))
    assert base[2, 0] == 0.0
    assert np.isfinite(base).all()
