"""Checks: what can be said, what is true, what is refused, and that nothing else happens."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regcli.app.checks import evaluate, names_of, parse, require_names
from regcli.app.expressions import DEEPEST
from regcli.app.options import Metric, choices
from regcli.app.verdict import Check
from regcli.errors import UsageError
from regcli.problem.families import FAMILIES
from regcli.report.schemas import SCHEMAS
from tests.cli.documents import cv_document, fit_document

ESTIMATES = {
    "coef": {"age": 0.5, "bmi": -1.5, "site=a": 0.0, 'say "x"': 2.0, "a.b": 3.0},
    "std_coef": {"age": 1.0, "bmi": -2.0, "site=a": 0.0, 'say "x"': 2.0, "a.b": 3.0},
}
NAMES = names_of(cv_document(), ESTIMATES)


def check(text: str, names: dict[str, Any] | None = None) -> Check:
    return evaluate(parse(text), NAMES if names is None else names)


def refused(text: str, names: dict[str, Any] | None = None) -> UsageError:
    with pytest.raises(UsageError) as caught:
        check(text, names)
    assert caught.value.code == "unknown-option-value"
    assert caught.value.message.startswith(f"--assert {text.strip()!r}: ")
    return caught.value


# -- what holds ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "n_selected == 2",
        "  n_selected==2  ",
        "metrics.cv.r2 >= 25%",
        "metrics.cv.r2 * 100 <= 25 and 2.5e1% == .25",
        "metrics['cv'].r2 == metrics.cv['r2']",
        "metrics.null.mse == 2",
        "model.lambda == 0.1",
        "lambda_min < lambda_1se",
        "mean[0] > mean[1]",
        "lambdas[-1] == 0.01",
        "0 < metrics.cv.r2 < 1",
        "1 < 2 > 1 != 0",
        "n_selected / n_features == 0.5",
        "8 - 4 - 2 == 2 and 8 / 4 / 2 == 1 and 2 + 3 * 4 == 14 and (2 + 3) * 4 == 20",
        "-2 - -3 == 1 and --1 == 1 and 2 * -3 == -6",
        "abs(coef['bmi']) == 1.5",
        "sign(coef['bmi']) == -1 and sign(coef['age']) == 1 and sign(0) == 0",
        "min(3, 1, 2) == 1 and max(3, 1, n_selected + 2) == 4 and min(7) == 7",
        "len(selected) == 2 and len(coefficients) == 2 and len('text') == 4 and len(metrics) == 4",
        "coef['site=a'] == 0 and std_coef['age'] == 2 * coef.age",
        'coef["say ""x"""] == 2 and coef[\'say "x"\'] == 2 and coef["a.b"] == 3',
        "'age' in selected and 'sex' not in selected and not 'sex' in selected",
        "0.1 in lambdas",
        "model.penalty == 'l1' and model.penalty != \"l2\" and 'a' < 'b'",
        "convergence.converged",
        "convergence.converged == true and metrics.cv.chosen_on_these_folds != false",
        "false or true and true",
        "true or false and false",
        "not false and not (true and false)",
        "not not true",
        "metrics.test == null and metrics.test.r2 == null and metrics.cv != null and null == null",
        "metrics.test.r2.more == null",
        "1 / 0 == null",
        "dropped[0].reason == 'constant'",
        "seed == 0 and data.rows_used == 19",
    ],
)
def test_what_holds(text: str) -> None:
    assert check(text).passed


@pytest.mark.parametrize(
    "text",
    [
        "n_selected < 2",
        "0 < metrics.cv.r2 < 0.2",
        "0.3 < metrics.cv.r2 < 1",
        "'sex' in selected",
        "'age' not in selected",
        "not convergence.converged",
        "convergence.converged and n_selected > 5",
        "metrics.cv == null",
        "metrics.test != null",
    ],
)
def test_what_does_not_hold(text: str) -> None:
    assert not check(text).passed


@pytest.mark.parametrize("value", [None, math.nan, math.inf])
@pytest.mark.parametrize(
    "text",
    [
        "x > 0", "x <= 0", "x == 0", "x != 0", "not x > 0", "x > 0 or true", "true or x > 0", "false and x > 0",
        "not (x > 0 and false)", "1 < 2 < x", "x + 1 > 0", "abs(x) >= 0", "max(x, 1) == 1", "len(x) == 0", "x == x",
        "x in all", "1 in few", "1 not in few", "x", "not x", "x.y[3] > 0", "-x < 1",
        "x != null and x > 0", "x == null or x > 0",
    ],
)  # fmt: skip
def test_null_fails_whatever_is_around_it(text: str, value: float | None) -> None:
    made = check(text, {"x": value, "all": [1.0, 2.0], "few": [1.0, value]})
    assert made.passed is False
    assert made.values.get("x") is None


@pytest.mark.parametrize("text", ["1 / n_dropped > 0", "not 1 / n_dropped > 0", "1e308 * 10 > 1", "huge * 1.5 > 1"])
def test_a_number_that_is_none_fails(text: str) -> None:
    assert not check(text, {"n_dropped": 0, "huge": 10**400}).passed


def test_values_are_what_the_names_stand_for() -> None:
    made = check("coef['site=a'] == 0 and metrics.cv.r2 > 0.6 and metrics . test.r2 > 0 and 'age' in selected")
    assert made.entry() == {
        "check": "coef['site=a'] == 0 and metrics.cv.r2 > 0.6 and metrics . test.r2 > 0 and 'age' in selected",
        "passed": False,
        "values": {
            "coef['site=a']": 0.0,
            "metrics.cv.r2": 0.25,
            "metrics . test.r2": None,
            "selected": ["age", "bmi"],
        },
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("metrics.cv.r2 > 0.6", "metrics.cv.r2 > 0.6 does not hold (metrics.cv.r2 = 0.25)"),
        (" n_selected == 2", "n_selected == 2 holds (n_selected = 2)"),
        ("1 > 2", "1 > 2 does not hold"),
        ("'s' in selected", '\'s\' in selected does not hold (selected = ["age", "bmi"])'),
        ("len(coefficients) > 9", "len(coefficients) > 9 does not hold (coefficients = a list of 2)"),
        ("metrics.cv == null", "metrics.cv == null does not hold (metrics.cv = an object)"),
        ("metrics.test.r2 > 0", "metrics.test.r2 > 0 does not hold (metrics.test.r2 = null)"),
        (
            "convergence.converged == false",
            "convergence.converged == false does not hold (convergence.converged = true)",
        ),
        ("model.penalty == 'l2'", "model.penalty == 'l2' does not hold (model.penalty = \"l1\")"),
    ],
)
def test_a_check_is_told_in_a_sentence(text: str, told: str) -> None:
    assert check(text).told() == told


# -- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "1 <", "< 1", "1 < < 2", "(1 < 2", "1 < 2)", "a = 1", "a === 1", "1 & 2", "x; y", "'open > 1", '"',
        "and", "not", "1 < 2 and", "or 1 < 2", "in selected", "abs() > 1", "abs(1, 2) > 1", "abs 1 > 1", "exp(1) > 1",
        "min() > 1", "len(1, 2) > 1", "coef[age] > 1", "coef[] > 1", "mean[1.5] > 1", "mean[-'a'] > 1", "mean[1e1] > 1",
        "mean[5%] > 1", "mean[9999999999] > 1", "a. > 1", ".a > 1", "a..b > 1", "a.1 > 1", "a.b.'c' > 1", "2x > 1",
        "1 2", "1e999 > 1", "0x10 > 1", "1_000 > 1", "\u0663 > 1", "__import__('os')", "lambda: 1", "a if b else c",
        "a := 1", "[1] == 1", "{} == 1", "1 ** 2 > 0", "1 // 2 > 0", "5 % 3 > 1", "a not b", "x is null", "a[0:1] > 0",
    ],
)  # fmt: skip
def test_what_cannot_be_read(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert caught.value.code == "unknown-option-value"


@pytest.mark.parametrize(
    "text",
    [
        "n_selected", "metrics.cv.r2 + 1", "'text'", "1", "selected", "metrics", "not n_selected",
        "n_selected and true", "true or 1", "n_selected > 'a'", "'a' == 1", "true == 1", "true < false",
        "selected == selected",
        "selected > 1", "metrics == metrics", "convergence.converged > 0", "convergence.converged + 1 > 0",
        "'a' + 'b' == 'ab'",
        "-'a' == 1", "abs('a') > 1", "abs(selected) > 1", "len(1) == 1", "len(true) == 1", "min(selected) == 1",
        "1 in selected", "'age' in lambdas", "'a' in 'age'", "selected in selected", "true in selected",
        "'age' in metrics", "'age' in coefficients", "(1 < 2) + 1 > 0", "(1 < 2) < 3",
    ],
)  # fmt: skip
def test_unlike_things_and_what_is_no_truth(text: str) -> None:
    refused(text)


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("metrics.cv.r22 > 1", "metrics.cv.r2"),
        ("metrcs.cv.r2 > 1", "metrics.cv.r2"),
        ("cv.r2 > 1", "metrics.cv.r2"),
        ("rows_used > 1", "data.rows_used"),
        ("coef['agee'] > 1", 'coef["age"]'),
        ("std_coef.bmj > 1", 'std_coef["bmi"]'),
        ('coef["say x"] > 1', 'coef["say ""x"""]'),
        ("n_select > 1", "n_selected"),
        ("true or n_select > 1", "n_selected"),
        ("lamda_min > 1", "lambda_min"),
    ],
)
def test_an_unknown_name_is_told_its_neighbours(text: str, near: str) -> None:
    error = refused(text)
    assert "no name" in error.message
    assert near in error.near


@pytest.mark.parametrize(
    "text",
    ["mean['a'] > 0", "metrics[0] > 0", "seed.x > 0", "zzz > 0", "checks == null"],
)
def test_a_part_that_is_not_there_is_no_name(text: str) -> None:
    assert "no name" in refused(text).message


@pytest.mark.parametrize("text", ["mean[3] > 0", "mean[-4] > 0", "not mean[3] > 0", "selected[99] == 'age'"])
def test_what_lies_past_the_end_of_a_list_is_null(text: str) -> None:
    assert not check(text).passed


def test_metrics_of_rows_that_were_not_scored_have_names_all_the_same() -> None:
    assert check("metrics.test == null").passed
    assert not check("metrics.test.r2 > 0").passed
    assert "no name" in refused("metrics.test.auc > 0").message
    assert "no name" in refused("metrics.train.auc > 0").message


def test_the_way_out_names_metrics_of_new_rows_and_how_quotes_are_spelt() -> None:
    assert "no name" in refused("metrics.r2 > 0").message  # that is one of check
    hint = refused(r'coef["say \"x\""] > 0').hint or ""
    assert "check and predict: 'metrics.r2 > 0.6'" in hint
    assert "a quote in a name is doubled" in hint


def test_functions_are_told_their_neighbours() -> None:
    assert refused("maxi(1) > 1").near == ("max",)


# -- before the work -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "metric.cv.r2 > 1", "metrics.cv.r22 > 1", "metrics.test.rsme < 1", "metrics.all.r2 > 1", "lambda_min > 1",
        "model.lamda > 1", "true or nothing", "checks", "convergence.violations < 1", "model.lambda_as.sklearn > 1",
    ],
)  # fmt: skip
def test_a_name_that_no_document_has_is_refused_before_the_work(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        require_names(parse(text), SCHEMAS["fit"], terms=True)
    assert "no name" in caught.value.message


@pytest.mark.parametrize(
    "text",
    [
        "metrics.cv.auc > 0.7", "coef['anything'] > 0", "warnings[0].lambda > 1", "options.seed == 1",
        "metrics.cv.chosen_on_these_folds", "model.lambda_as.glmnet > 0", "data.files[0].rows > 1",
    ],
)  # fmt: skip
def test_a_name_that_a_document_may_have_is_not(text: str) -> None:
    require_names(parse(text), SCHEMAS["fit"], terms=True)
    require_names(parse(text), SCHEMAS["cv"], terms=True)


def test_metrics_of_predictions_have_names_of_their_own() -> None:
    require_names(parse("metrics.r2 > 0.5 and rows > 10"), SCHEMAS["metrics"], terms=False)
    for text in ("coef['age'] > 0", "metrics.cv.r2 > 0", "rows_scored > 0"):
        with pytest.raises(UsageError, match="no name"):
            require_names(parse(text), SCHEMAS["metrics"], terms=False)


def test_every_metric_is_known_before_the_work() -> None:
    assert {name for family in FAMILIES.values() for name in family.metrics} <= {*choices(Metric)}


@pytest.mark.parametrize("document", [fit_document(), cv_document()], ids=["fit", "cv"])
def test_every_name_of_a_document_passes_both(document: dict[str, Any]) -> None:
    kind = document["schema"].removeprefix("regcli.").removesuffix("/1")
    names = names_of(document, ESTIMATES)
    for key, value in names.items():
        inner = [name.replace("'", "''") for name in value] if isinstance(value, dict) else []
        for path in (key, *(f"{key}['{name}']" for name in inner)):
            expression = parse(f"{path} == null")
            require_names(expression, SCHEMAS[kind], terms=True)
            evaluate(expression, names)


# -- anything --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("opening", ["(", "not ", "-", "abs(", "min(1, ", "not (", "-(", "(1 < "])
def test_nesting_is_bounded(opening: str) -> None:
    with pytest.raises(UsageError, match="nested"):
        parse(opening * 20_000)


def test_the_deepest_nesting_is_evaluated() -> None:
    level = "not (false or true and 1 < 2 and 1 + 2 * 3 == 7 and "
    assert check(level * (DEEPEST // 2) + "true" + ")" * (DEEPEST // 2)).passed
    assert check("(" * DEEPEST + "true" + ")" * DEEPEST).passed
    assert check("not " * DEEPEST + "true").passed


@pytest.mark.parametrize("text", [" + ".join(["1"] * 5000) + " == 5000", " and ".join(["1 < 2 < 3"] * 5000)])
def test_length_is_not_nesting(text: str) -> None:
    assert check(text).passed


def outcome(text: str) -> None:
    """Either an answer or a usage error: anything else is raised."""
    try:
        made = check(text)
    except UsageError:
        return
    assert isinstance(made.passed, bool)
    assert made.told()
    assert made.entry()["check"] == text.strip()


WORDS = [
    "metrics", "cv", "r2", "test", "selected", "mean", "coef", "n_selected", "age", "null", "true", "false", "and",
    "or", "not", "in", "abs", "len", "max", "sign", "(", ")", "[", "]", ".", ",", "<", "<=", "==", "!=", "+", "-",
    "*", "/", "1", "0", "2.5e3", "5%", "'age'", '"bmi"', "-1", "\x1b", "\ud800", "=", " ", "'",
]  # fmt: skip


@given(st.text())
def test_any_text_has_an_outcome(text: str) -> None:
    outcome(text)


@given(st.lists(st.sampled_from(WORDS), max_size=20), st.sampled_from(["", " "]))
def test_any_words_have_an_outcome(words: list[str], between: str) -> None:
    outcome(between.join(words))


LEAVES = st.sampled_from(
    [
        "metrics.cv.r2", "metrics.test.r2", "n_selected", "selected", "mean", "mean[2]", "coef['bmi']", "metrics.test",
        "model.penalty", "convergence.converged", "null", "true", "false", "0", "1.5", "5%", "'age'", "''",
    ]
)  # fmt: skip


def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    signs = ["<", "<=", ">", ">=", "==", "!=", "+", "-", "*", "/", "and", "or", "in", "not in"]
    return st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(signs), inner),
        st.builds("{} {} {}".format, inner, st.sampled_from(signs), inner),
        st.builds("{}({})".format, st.sampled_from(["abs", "sign", "len", "min", "max", "not ", "-"]), inner),
        st.builds("max({}, {})".format, inner, inner),
    )


@given(st.recursive(LEAVES, grown, max_leaves=12))
def test_any_expression_has_an_outcome(text: str) -> None:
    outcome(text)


@given(st.lists(st.integers(-9, 9), min_size=3, max_size=3), st.lists(st.sampled_from("+-*"), min_size=2, max_size=2))
def test_arithmetic_is_that_of_python(numbers: list[int], signs: list[str]) -> None:
    text = f"{numbers[0]} {signs[0]} ({numbers[1]}) {signs[1]} ({numbers[2]})"
    assert check(f"{text} == {eval(text)}").passed  # noqa: S307  (numbers and signs made here)
