"""Tables on which a careless solver answers wrongly and says nothing."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from regcli.cli.boundary import run
from tests.tolerances import REFERENCE, SOLVED

Document = dict[str, Any]
Ask = Callable[..., tuple[int, Document]]


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    def asked(*words: str) -> tuple[int, Document]:
        status = run([*words, "--json"])
        printed = capsys.readouterr()
        return status, dict(json.loads(printed.err if status else printed.out))

    return asked


def write(path: Path, columns: dict[str, NDArray[Any]]) -> str:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*(map(str, column.tolist()) for column in columns.values()), strict=True))
    return str(path)


def noise(rng: np.random.Generator, *shape: int) -> NDArray[np.float64]:
    return np.round(rng.standard_normal(shape), 4)


@pytest.mark.parametrize("penalty", ["l1", "l2"])
def test_a_far_mean_without_intercept_does_not_hide_the_other_columns(penalty: str, ask: Ask, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X = noise(rng, 60, 4)
    y = X[:, 0] + 0.5 * X[:, 1] + noise(rng, 60)
    far = np.round(1e5 + X[:, 3], 4)
    path = write(tmp_path / "far.csv", {"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "far": far, "y": y})
    words = ("cv", path, "-y", "y", "--family", "gaussian", "--no-intercept", "--penalty", penalty, "-l", "30,1,0.1")
    (_, usual), (_, fine) = ask(*words), ask(*words, "--tol", "1e-13")
    assert usual["mean"] == pytest.approx(fine["mean"], rel=SOLVED)
    assert usual["se"] == pytest.approx(fine["se"], rel=REFERENCE)


def test_a_column_at_a_trillion_is_fitted_as_if_it_were_near_zero(ask: Ask, tmp_path: Path) -> None:
    i = np.arange(24)
    columns = {"a": i * 37 % 7, "b": i * 53 % 89 / 8, "y": i * 29 % 97}
    near = write(tmp_path / "near.csv", columns)
    far = write(tmp_path / "far.csv", {**columns, "a": columns["a"] + 10**12})
    words = ("-y", "y", "--family", "gaussian")
    (_, close), (_, distant) = ask("fit", near, *words), ask("fit", far, *words)
    for one, other in zip(close["coefficients"], distant["coefficients"], strict=True):
        assert other["estimate"] == pytest.approx(one["estimate"], rel=REFERENCE)
    assert distant["convergence"]["status"] == "rounding_floor"
    assert [warning["code"] for warning in distant["warnings"]] == ["rounding-floor"]
    assert "exact intercept: a (about 1000000000003); take 1000000000003 from" in distant["warnings"][0]["message"]


def test_a_column_too_far_out_for_an_exact_intercept_is_told_and_fits_less_what_is_told(
    ask: Ask, tmp_path: Path
) -> None:
    """Integers next to 2^53: no intercept in double precision holds their mean times a coefficient to a tenth."""
    i = np.arange(60)
    step, x = i * 37 % 3 - 1, i * 53 % 89 / 8
    columns = {"far": step + (2**53 - 1), "x": x, "y": 0.7 * step + x + i * 29 % 97 / 97}
    path, near = write(tmp_path / "far.csv", columns), write(tmp_path / "near.csv", {**columns, "far": step})
    words = ("-y", "y", "--family", "gaussian", "-l", "0.01")
    status, error = ask("fit", path, *words)
    assert (status, error["code"]) == (4, "not-converged")
    assert error["message"].endswith(
        "too far from 0, beside their spread, for an exact intercept: far (about 9007199254740991)"
    )
    assert error["hint"] == "take 9007199254740991 from the numbers of far in the table, or --drop far"
    status, document = ask("path", path, *words)
    (warning,) = document["warnings"]
    assert (status, warning["code"], warning["columns"]) == (0, "rounding-floor", ["far"])
    status, document = ask("fit", near, *words)
    assert (status, document["warnings"]) == (0, [])
    assert [entry["term"] for entry in document["coefficients"]] == ["far", "x"]


@pytest.mark.parametrize("family", ["gaussian", "binomial"])
def test_the_later_of_dependent_columns_is_set_aside_and_told(family: str, ask: Ask, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    a, b, d = noise(rng, 3, 80)
    y = (a - b + noise(rng, 80) > 0).astype(int) if family == "binomial" else a - b + noise(rng, 80)
    path = write(tmp_path / "trio.csv", {"a": a, "b": b, "c": np.round(a + b, 4), "d": d, "y": y})
    status, document = ask("fit", path, "-y", "y", "--family", family, "--penalty", "none")
    assert status == 0
    assert document["dropped"] == [{"column": "c", "reason": "aliased"}]
    assert [entry["term"] for entry in document["coefficients"]] == ["a", "b", "d"]
    assert "aliased" in [warning["code"] for warning in document["warnings"]]


@pytest.mark.parametrize("family", ["gaussian", "binomial", "poisson"])
def test_columns_are_told_with_those_that_make_them_up(family: str, ask: Ask, tmp_path: Path) -> None:
    """A sum, dummies of every level, and two names of one thing, each with what it hangs on and with nothing else."""
    rng = np.random.default_rng(11)
    a, b, c = noise(rng, 3, 120)
    kind, eta = rng.integers(0, 3, 120), (a - b) / 2
    y = {
        "gaussian": eta + noise(rng, 120),
        "binomial": (eta + noise(rng, 120) > 0) * 1.0,
        "poisson": rng.poisson(np.exp(eta)),
    }
    columns = {
        "a": a, "k0": kind == 0, "b": b, "k1": kind == 1, "total": np.round(a + b, 4), "c": c, "k2": kind == 2,
        "half": np.round((a - 3 * c) / 2, 5),
    }  # fmt: skip
    path = write(tmp_path / "many.csv", {**{key: part * 1.0 for key, part in columns.items()}, "y": y[family]})
    status, document = ask("fit", path, "-y", "y", "--family", family, "--penalty", "none")
    assert status == 0
    (warning,) = document["warnings"]
    assert warning["code"] == "aliased"
    assert warning["depends"] == [
        {"column": "total", "on": ["a", "b"]},
        {"column": "k2", "on": ["k0", "k1"]},
        {"column": "half", "on": ["a", "c"]},
    ]
    assert "total (on a, b), k2 (on k0, k1), half (on a, c); --drop" in warning["message"]
    assert [entry["column"] for entry in document["dropped"]] == warning["columns"]


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_what_keeps_newton_from_an_end_is_named(family: str, ask: Ask, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    a, b = noise(rng, 2, 200)
    twin = a + 1e-7 * rng.normal(size=200)
    y = rng.poisson(np.exp(a / 3)) if family == "poisson" else (a + noise(rng, 200) > 0) * 1
    path = write(tmp_path / "twins.csv", {"a": a, "b": b, "twin": twin, "y": y})
    words = ("-y", "y", "--family", family, "--penalty", "none")
    status, document = ask("fit", path, *words)
    assert (status, [warning["code"] for warning in document["warnings"]]) == (0, ["nearly-dependent"])
    status, error = ask("fit", path, *words, "--upper", "*=1e9")  # with limits columns are not made orthogonal
    assert (status, error["code"]) == (4, "not-converged")
    assert error["message"].endswith("unpenalised columns nearly depend on others: twin (on a)")
    assert "--drop" in error["hint"]
    status, document = ask("fit", path, *words, "--drop", "twin")
    assert (status, document["warnings"]) == (0, [])


def test_what_keeps_folds_from_an_end_is_named_and_its_way_out_works(ask: Ask, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    a, b = noise(rng, 2, 200)
    path = write(tmp_path / "twins.csv", {"a": a, "b": b, "twin": a + 1e-7 * rng.normal(size=200), "y": (a > -b) * 1})
    words = ("-y", "y", "--family", "binomial", "-l", "0.1,0.05")
    status, error = ask("fit", path, *words, "--penalty-factor", "a=0", "--penalty-factor", "twin=0")
    assert (status, error["code"]) == (4, "not-converged")
    assert error["message"].endswith("in every fold: unpenalised columns nearly depend on others: twin (on a)")
    assert "penalise all of them: --penalty l2 shares" in error["hint"]
    assert ask("fit", path, *words, "--penalty", "l2")[0] == 0
    assert ask("fit", path, *words, "--penalty-factor", "a=0", "--drop", "twin")[0] == 0


@pytest.mark.parametrize(
    ("family", "scale"),
    [("gaussian", 1), ("gaussian", 1e3), ("gaussian", 1e5), ("binomial", 1e3), ("poisson", 1e3)],
)
def test_a_part_of_a_total_is_set_aside_however_small_it_is(
    family: str, scale: float, ask: Ask, tmp_path: Path
) -> None:
    """Of the total and the large part rounding leaves the small one with few digits, and still it depends on them."""
    rng = np.random.default_rng(5)
    large, small, d = rng.integers(0, 100, 60) * scale, rng.integers(1, 4, 60), noise(rng, 60)
    eta = large / scale / 60 - 0.8 + d
    y = {
        "gaussian": eta + noise(rng, 60),
        "binomial": eta + noise(rng, 60) > 0,
        "poisson": rng.poisson(np.exp(eta / 2)),
    }
    columns = {"large": large, "d": d, "total": large + small, "small": small, "y": np.asarray(y[family], dtype=float)}
    path = write(tmp_path / "parts.csv", columns)
    status, document = ask("fit", path, "-y", "y", "--family", family, "--penalty", "none")
    assert status == 0
    assert document["dropped"] == [{"column": "small", "reason": "aliased"}]
    assert document["convergence"]["converged"]


@pytest.mark.parametrize("command", ["fit", "path", "cv"])
def test_a_column_that_nothing_penalises_and_that_separates_is_named(command: str, ask: Ask, tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    a, g = noise(rng, 200), rng.integers(0, 2, 200)
    y = np.where(g == 1, 0, (noise(rng, 200) + a > 0).astype(int))
    path = write(tmp_path / "apart.csv", {"a": a, "g": g, "y": y})
    status, error = ask(command, path, "-y", "y", "--family", "binomial", "--penalty-factor", "g=0")
    assert (status, error["code"]) == (4, "separated")
    assert "largest: g" in error["message"]


def test_ridge_without_intercept_in_glmnets_terms(ask: Ask, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    a, b = noise(rng, 2, 50)
    y = np.round(5 + a + noise(rng, 50), 4)
    path = write(tmp_path / "g.csv", {"a": a, "b": b, "y": y})
    words = ("--family", "gaussian", "--no-intercept", "--penalty", "l2")
    _, plain = ask("fit", path, "-y", "y", *words, "-l", "0.5")
    theirs = plain["model"]["lambda_as"]["glmnet"]
    assert theirs == pytest.approx(0.5 * np.sqrt(np.mean(y**2)), rel=SOLVED)
    _, compat = ask("fit", path, "-y", "y", *words, "-l", repr(theirs), "--compat", "glmnet")
    for one, other in zip(plain["coefficients"], compat["coefficients"], strict=True):
        assert one["estimate"] == pytest.approx(other["estimate"], rel=SOLVED)


def test_one_small_strength_of_a_wide_table_is_that_of_its_path(ask: Ask, tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    X = noise(rng, 40, 1500)
    y = np.round(X[:, :5].sum(axis=1) + noise(rng, 40), 4)
    path = write(tmp_path / "wide.csv", {**{f"x{j}": X[:, j] for j in range(1500)}, "y": (y > 0).astype(int)})
    words = ("path", path, "-y", "y", "--family", "binomial", "--tol", "1e-11")
    _, alone = ask(*words, "-l", "0.01")
    _, grid = ask(*words, "-l", ",".join(repr(0.3 * 0.9**k) for k in range(33)) + ",0.01")
    found = {entry["term"]: entry["values"][-1] for entry in grid["coefficients"] if entry["values"][-1]}
    assert {entry["term"] for entry in alone["coefficients"]} == found.keys()
    for entry in alone["coefficients"]:
        assert entry["values"][0] == pytest.approx(found[entry["term"]], abs=REFERENCE)


def test_a_test_table_is_held_to_the_family_too(tmp_path: Path, ask: Ask) -> None:
    train = write(tmp_path / "a.csv", {"x": np.arange(6.0), "y": np.array([2, 3, 0, 5, 1, 9])})
    test = write(tmp_path / "b.csv", {"x": np.arange(2.0), "y": np.array([0, -3])})
    status, error = ask("fit", train, "-y", "y", "--family", "poisson", "-l", "0.1", "--test", test)
    assert status == 3
    assert error["code"] == "target-domain"
    assert (error["location"]["file"], error["location"]["line"], error["cells"]) == (test, 3, ["-3"])


@pytest.mark.parametrize("penalty", ["l1", "l2", "elasticnet"])
def test_the_unit_of_counts_does_not_matter(tmp_path: Path, ask: Ask, penalty: str) -> None:
    """Poisson models of s y have the coefficients of y at s times the strength, however small or large s is."""
    rng = np.random.default_rng(12)
    X = noise(rng, 60, 4)
    y = rng.poisson(np.exp(0.5 + X[:, 0])).astype(float)
    found = []
    for scale in (1.0, 1e-6, 1e-9, 1e-12, 1e9):
        columns = {f"x{j}": X[:, j] for j in range(4)} | {"y": y * scale}
        table = write(tmp_path / "t.csv", columns)
        status, document = ask("cv", table, "-y", "y", "--family", "poisson", "--penalty", penalty)
        assert status == 0
        assert "not-converged" not in {warning["code"] for warning in document["warnings"]}
        found.append([row["estimate"] for row in document["coefficients"]])
        assert document["index_min"] > 0
    assert found == [pytest.approx(found[0], rel=REFERENCE)] * 5


def test_rare_rates_are_counts_over_exposures(tmp_path: Path, ask: Ask) -> None:
    rng = np.random.default_rng(13)
    X = noise(rng, 300, 3)
    people = np.round(np.exp(rng.uniform(np.log(1e5), np.log(1e7), 300)))
    counts = rng.poisson(people * 1e-7 * np.exp(X[:, 0])).astype(float)
    columns = {f"x{j}": X[:, j] for j in range(3)}
    rates = write(tmp_path / "r.csv", columns | {"people": people, "y": counts / people})
    whole = write(tmp_path / "c.csv", columns | {"people": people, "y": counts})
    total = float(people.mean())
    words = ("-y", "y", "--family", "poisson", "--penalty", "l1")
    other_status, other = ask(
        "fit", whole, *words, "--exposure", "people", "-l", repr(2e-8 * total), "--no-standardize", "--tol", "1e-10"
    )
    # weights of rates scale columns too; without scaling the two are one problem
    status, one = ask(
        "fit", rates, *words, "--weights", "people", "-l", repr(2e-8), "--no-standardize", "--tol", "1e-10"
    )
    assert (status, other_status) == (0, 0)
    assert [row["term"] for row in one["coefficients"]] == [row["term"] for row in other["coefficients"]]
    for left, right in zip(one["coefficients"], other["coefficients"], strict=True):
        assert left["estimate"] == pytest.approx(right["estimate"], rel=REFERENCE)


def test_rare_events_by_weight(tmp_path: Path, ask: Ask) -> None:
    rng = np.random.default_rng(14)
    X = noise(rng, 200, 3)
    y = (X[:, 0] + noise(rng, 200) > 0).astype(int)
    for share in (1.0, 1e-6, 1e-8):
        weights = np.where(y == 1, share, 1.0)
        table = write(tmp_path / "t.csv", {f"x{j}": X[:, j] for j in range(3)} | {"w": weights, "y": y})
        status, document = ask("cv", table, "-y", "y", "--weights", "w")
        assert status == 0
        assert "not-converged" not in {warning["code"] for warning in document["warnings"]}


def test_a_constant_target_is_a_model_where_exposures_differ(tmp_path: Path, ask: Ask) -> None:
    """Times to an event that everyone had: exponential regression. Its score equations hold."""
    x = np.array([0.1, 0.9, -0.4, 1.3, -1.1, 0.5, 0.0, -0.7])
    time = np.array([1.2, 0.4, 2.5, 0.3, 4.0, 0.9, 1.1, 2.2])
    table = write(tmp_path / "t.csv", {"x": x, "time": time, "y": np.ones(8)})
    words = ("-y", "y", "--family", "poisson", "--penalty", "none")
    status, document = ask("fit", table, *words, "--exposure", "time")
    assert status == 0
    b0, b = document["intercept"], document["coefficients"][0]["estimate"]
    rest = 1 - time * np.exp(b0 + b * x)
    assert abs(rest.sum()) <= SOLVED
    assert abs(rest @ x) <= SOLVED
    status, error = ask("fit", table, *words, "--drop", "time")
    assert (status, error["code"]) == (3, "constant-target")
    same = write(tmp_path / "s.csv", {"x": x, "time": np.full(8, 2.0), "y": np.ones(8)})
    status, error = ask("fit", same, *words, "--exposure", "time")
    assert (status, error["code"]) == (3, "constant-target")
    none = write(tmp_path / "n.csv", {"x": x, "time": time, "y": np.zeros(8)})
    status, error = ask("fit", none, *words, "--exposure", "time")
    assert (status, error["code"]) == (3, "constant-target")


@pytest.mark.parametrize("family", ["gaussian", "binomial", "poisson"])
def test_an_unpenalised_column_that_is_set_aside_changes_nothing(family: str, ask: Ask, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    X = noise(rng, 60, 4)
    eta = X @ [1, 0.5, 0, 1] + noise(rng, 60)
    y = {"gaussian": eta, "binomial": (eta > 0) * 1, "poisson": np.round(np.exp(eta / 2))}[family]
    columns = {**dict(zip("abcd", X.T, strict=True)), "e": X[:, 3], "y": y}
    path = write(tmp_path / "twice.csv", columns)
    words = ("path", path, "-y", "y", "--family", family, "--penalty-factor", "d=0")
    (_, alone), (_, twice) = ask(*words, "--drop", "e"), ask(*words, "--penalty-factor", "e=0")
    assert alone["stopped"]["reason"] == "deviance_change"
    assert twice["stopped"] == alone["stopped"]
    assert twice["lambdas"] == pytest.approx(alone["lambdas"], rel=1e-12)


def test_where_a_path_begins_keeps_its_digits_beside_a_column_that_is_set_aside(ask: Ask, tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    x, z = np.linspace(-8, -3, 80).round(4), noise(rng, 80)
    powers = {f"p{d}": x**d for d in range(1, 8)}
    y = np.round(np.sin(x) + z + 0.1 * rng.standard_normal(80), 4)
    words = ("-y", "y", "--family", "gaussian", "-l", "0.1", "--penalty-factor", "p*=0")
    plain = write(tmp_path / "plain.csv", {**powers, "z": z, "y": y})
    twice = write(tmp_path / "twice.csv", {**powers, "q": 2 * x, "z": z, "y": y})
    (_, one), (_, other) = ask("fit", plain, *words), ask("fit", twice, *words, "--penalty-factor", "q=0")
    assert other["dropped"] == [{"column": "q", "reason": "aliased"}]
    assert other["model"]["lambda_max"] == pytest.approx(one["model"]["lambda_max"], rel=1e-10)


def test_huge_coefficients_of_columns_nearly_alike_cost_the_curve_no_digits(ask: Ask, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    first, apart = rng.standard_normal(200), 1e-7 * rng.standard_normal(200)
    table = {
        "x1": first,
        "x2": first + apart,
        "f": np.arange(200) % 5,
        "y": 1e7 * apart + first + 0.1 * noise(rng, 200),
    }
    words = ("cv", write(tmp_path / "d.csv", table), "-y", "y", "--family", "gaussian", "--fold-column", "f")
    status, document = ask(*words, "-l", "1e-10,1e-12,1e-14", "--allow-unconverged")
    assert status == 0
    assert abs(document["coefficients"][0]["estimate"]) > 1e6
    assert document["mean"][document["index_min"]] == pytest.approx(document["metrics"]["cv"]["mse"], rel=1e-6)


@pytest.mark.parametrize(
    "words", [("--penalty", "none"), ("-l", "1e-9", "--penalty-factor", "k=0", "--penalty-factor", "g=0")]
)
@pytest.mark.parametrize("levels", ["ab", "abc"])
def test_the_first_category_stands_for_the_intercept_where_there_is_none(
    levels: str, words: tuple[str, ...], ask: Ask, tmp_path: Path
) -> None:
    rng = np.random.default_rng(4)
    k, g, x = rng.choice(list(levels), 60), rng.choice(list("uvw"), 60), noise(rng, 60)
    y = 5 + x + 2.0 * (k == "b") + (g == "v") + 0.1 * noise(rng, 60)
    data = write(tmp_path / "d.csv", {"x": x, "k": k, "g": g, "y": y})
    status, document = ask("fit", data, "-y", "y", "--family", "gaussian", "--no-intercept", *words)
    assert status == 0
    assert [warning["code"] for warning in document["warnings"]] == []
    marks = [(k == level).astype(float) for level in levels] + [(g == level).astype(float) for level in "vw"]
    wanted = np.linalg.lstsq(np.column_stack([x, *marks]), y, rcond=None)[0]
    found = {row["term"]: row["estimate"] for row in document["coefficients"]}
    assert list(found) == ["x", *(f"k={level}" for level in levels), "g=v", "g=w"]
    assert list(found.values()) == pytest.approx(wanted, rel=1e-6)
