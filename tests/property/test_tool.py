"""What must not change a model, and what must change it in a known way: units, order, repetition, format, threads."""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.fuzz.tool import run_tool
from tests.tolerances import EXACT, SOLVED

Floats = NDArray[np.float64]

often = settings(derandomize=True, deadline=None, max_examples=25)

#: Solved as far as double precision goes, so that what differs is not the stopping.
EXACTLY = ("--tol", "1e-11", "--jobs", "1")


@dataclass(frozen=True, eq=False)
class Data:
    """Features x0, x1, ... in columns of X (n, p), a target y (n,) that the family takes, and weights (n,)."""

    X: Floats
    y: Floats
    weights: Floats
    family: str
    penalty: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        return [f"x{j}" for j in range(self.X.shape[1])]

    @property
    def columns(self) -> dict[str, list[float]]:
        cells = dict(zip(self.names, self.X.T.tolist(), strict=True))
        return {**cells, "w": self.weights.tolist(), "y": self.y.tolist()}

    @property
    def spreads(self) -> Floats:
        return self.X.std(axis=0)

    def lambdas(self) -> list[str]:
        """Strengths from much to little, in units of the target's spread."""
        unit = float(self.y.std())
        return ["--lambda", ",".join(repr(unit * share) for share in (0.5, 0.2, 0.05, 0.01))]

    def words(self, *more: str) -> list[str]:
        return ["--target", "y", "--family", self.family, "--weights", "w", *self.penalty, *EXACTLY, *more]


PENALTIES = (
    ("--penalty", "l1"),
    ("--penalty", "l2"),
    ("--penalty", "elasticnet", "--l1-ratio", "0.3"),
    ("--penalty", "l1", "--no-intercept"),
    ("--penalty", "elasticnet", "--compat", "glmnet", "--penalty-factor", "x1=3"),
)


SCHEMES = ((), ("--group", "g"), ("--folds", "3", "--repeats", "2"), ("--rule", "bic", "--folds", "4"))


@st.composite
def data(draw: st.DrawFn, families: Sequence[str] = ("gaussian", "binomial", "poisson"), penalties: int = 4) -> Data:
    """Correlated columns and a target that depends on the first two."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, p = draw(st.integers(25, 60)), draw(st.integers(2, 6))
    X = rng.standard_normal((n, p)) + rng.standard_normal((n, 1)) * draw(st.sampled_from((0.0, 1.0)))
    signal = X[:, 0] - 0.7 * X[:, 1] + rng.standard_normal(n)
    family = draw(st.sampled_from(families))
    y = signal if family == "gaussian" else (signal > np.median(signal)).astype(float)
    y = np.maximum(np.round(signal + 1.0), 0.0) if family == "poisson" else y
    weights = rng.integers(1, 4, n).astype(float) if draw(st.booleans()) else np.ones(n)
    return Data(X, y, weights, family, PENALTIES[draw(st.integers(0, penalties))])


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def csv_text(columns: Mapping[str, Sequence[object]]) -> str:
    rows = zip(*columns.values(), strict=True)
    return ",".join(columns) + "\n" + "".join(",".join(map(str, row)) + "\n" for row in rows)


def run(command: str, columns: Mapping[str, Sequence[object]], words: Sequence[str]) -> dict[str, Any]:
    """The document of a run on a table."""
    with folder() as place:
        file = place / "table.csv"
        file.write_text(csv_text(columns), "utf-8")
        document: dict[str, Any] = run_tool(command, file, *words, "--json").document
    return document


@dataclass(frozen=True, eq=False)
class Walk:
    """Intercepts (T,) and coefficients (T, p) of a path, in the order of ``names``."""

    intercepts: Floats
    coefs: Floats


def path(data: Data, *words: str, columns: Mapping[str, Sequence[object]] | None = None) -> Walk:
    document = run("path", columns or data.columns, data.words(*data.lambdas(), *words))
    values = {entry["term"]: entry["values"] for entry in document["coefficients"]}
    zeros = [0.0] * len(document["lambdas"])
    coefs = np.array([values.get(name, zeros) for name in data.names], dtype=np.float64).T
    return Walk(np.array(document["intercepts"][0]["values"], dtype=np.float64), coefs)


def assert_same(found: Floats, expected: Floats, spreads: Floats | float = 1.0) -> None:
    """The same up to what two solutions of one problem may differ by, on the scale of the target."""
    unit = max(float(np.max(np.abs(expected * spreads))), 1.0)
    assert np.max(np.abs(found - expected) * spreads) <= SOLVED * unit


@often
@given(data(), st.randoms(use_true_random=False))
def test_the_order_of_columns_moves_coefficients_with_it(data: Data, random: Any) -> None:  # noqa: ANN401
    names = list(data.columns)
    random.shuffle(names)
    found, expected = path(data, columns={name: data.columns[name] for name in names}), path(data)
    assert_same(found.coefs, expected.coefs, data.spreads)
    assert_same(found.intercepts, expected.intercepts)


@often
@given(data(), st.sampled_from((1e-8, 0.3, 2.0, 1e9)))
def test_a_column_in_other_units_has_its_coefficient_in_their_inverse(data: Data, unit: float) -> None:
    scales = np.ones(data.X.shape[1])
    scales[0] = unit
    found, expected = path(replace(data, X=data.X * scales)), path(data)
    assert_same(found.coefs * scales, expected.coefs, data.spreads)
    assert_same(found.intercepts, expected.intercepts)


@often
@given(data(penalties=2), st.sampled_from((-3.5, 100.0, 1e4)))
def test_a_shifted_column_moves_the_intercept_alone(data: Data, shift: float) -> None:
    shifts = np.zeros(data.X.shape[1])
    shifts[0] = shift
    found, expected = path(replace(data, X=data.X + shifts)), path(data)
    assert_same(found.coefs, expected.coefs, data.spreads)
    moved = expected.intercepts - expected.coefs[:, 0] * shift
    assert np.max(np.abs(found.intercepts - moved)) <= SOLVED * max(abs(shift), 1.0)


@often
@given(data())
def test_a_weight_of_two_is_the_row_twice(data: Data) -> None:
    counts = data.weights.astype(int)
    again = replace(data, X=np.repeat(data.X, counts, 0), y=np.repeat(data.y, counts), weights=np.ones(counts.sum()))
    strengths = data.lambdas()
    found, expected = path(again, *strengths), path(data)
    assert_same(found.coefs, expected.coefs, data.spreads)
    assert_same(found.intercepts, expected.intercepts)


@often
@given(data(), st.integers(1, 5))
def test_a_weight_of_zero_is_the_row_left_out(data: Data, count: int) -> None:
    weights = data.weights.copy()
    weights[:count] = 0
    strengths = data.lambdas()
    less = replace(data, X=data.X[count:], y=data.y[count:], weights=data.weights[count:])
    found, expected = path(replace(data, weights=weights), *strengths), path(less, *strengths)
    assert_same(found.coefs, expected.coefs, data.spreads)
    assert_same(found.intercepts, expected.intercepts)


@often
@given(data(), st.integers(1, 5), st.sampled_from(("fit", "cv", "path")))
def test_a_level_without_weight_is_no_level(data: Data, count: int, command: str) -> None:
    n = data.y.size
    weights = data.weights.copy()
    weights[:count] = 0
    levels = ["rare"] * count + ["north", "south"] * n
    full: dict[str, Sequence[object]] = {"place": levels[:n], **replace(data, weights=weights).columns}
    less = {name: cells[count:] for name, cells in full.items()}
    words = data.words(*data.lambdas()[:1], "0.02")
    found, expected = run("path", full, words), run("path", less, words)
    assert [entry["term"] for entry in found["coefficients"]] == [entry["term"] for entry in expected["coefficients"]]
    for one, two in zip(found["coefficients"], expected["coefficients"], strict=True):
        assert_same(np.array(one["values"]), np.array(two["values"]))
    if command != "path":
        document = run(command, full, words)
        assert document["convergence"]["converged"]
        assert all(value is not None for name in ("train", "null") for value in document["metrics"][name].values())


@often
@given(data(families=("gaussian",), penalties=0), st.sampled_from((1e-6, 0.25, 40.0, 1e8)))
def test_a_target_in_other_units_scales_the_whole_path(data: Data, unit: float) -> None:
    words = ("--n-lambdas", "12")
    first = run("path", data.columns, data.words(*words))
    other = run("path", replace(data, y=data.y * unit).columns, data.words(*words))
    assert np.allclose(np.array(other["lambdas"]), unit * np.array(first["lambdas"]), rtol=SOLVED, atol=0)
    assert [entry["term"] for entry in first["coefficients"]] == [entry["term"] for entry in other["coefficients"]]
    for one, two in zip(first["coefficients"], other["coefficients"], strict=True):
        expected = np.array(one["values"])
        assert_same(np.array(two["values"]) / unit, expected)


@often
@given(data(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter_to_a_path(data: Data, random: Any) -> None:  # noqa: ANN401
    order = list(range(data.y.size))
    random.shuffle(order)
    mixed = replace(data, X=data.X[order], y=data.y[order], weights=data.weights[order])
    found, expected = path(mixed, *data.lambdas()), path(data)
    assert_same(found.coefs, expected.coefs, data.spreads)
    assert_same(found.intercepts, expected.intercepts)


@often
@given(data(families=("binomial",)))
def test_the_other_class_as_event_turns_every_sign(data: Data) -> None:
    found, expected = path(data, "--positive-class", "0"), path(data, "--positive-class", "1")
    assert_same(-found.coefs, expected.coefs, data.spreads)
    assert_same(-found.intercepts, expected.intercepts)


@often
@given(data(), st.sampled_from(("fit", "cv", "path")))
def test_csv_and_parquet_of_one_table_give_one_document(data: Data, command: str) -> None:
    n = data.y.size
    levels, flags = ["north", 'q"q', ":smile:"] * n, [True, False] * n
    columns: dict[str, Sequence[object]] = {"[/b]": levels[:n], 'y,"x': flags[:n], **data.columns}
    quoted = ['"' + level.replace('"', '""') + '"' for level in levels[:n]]
    text = csv_text({"[/b]": quoted, '"y,""x"': flags[:n], **data.columns})
    words = data.words("--n-lambdas", "6")
    with folder() as place:
        (place / "table.csv").write_text(text, "utf-8")
        pq.write_table(pa.table(columns), place / "table.parquet")
        one, two = (
            run_tool(command, place / f"table.{form}", *words, "--json").document for form in ("csv", "parquet")
        )
    assert one.pop("data")["rows"] == two.pop("data")["rows"]
    assert one == two
    assert json.dumps(one) == json.dumps(two)


@often
@given(data(), st.integers(1, 20), st.randoms(use_true_random=False))
def test_several_files_are_one_table_whatever_the_order_of_their_columns(
    data: Data,
    cut: int,
    random: Any,  # noqa: ANN401
) -> None:
    names = list(data.columns)
    mixed = random.sample(names, len(names))
    words = data.words("--n-lambdas", "6")
    with folder() as place:
        (place / "all.csv").write_text(csv_text(data.columns), "utf-8")
        (place / "one.csv").write_text(csv_text({name: data.columns[name][:cut] for name in names}), "utf-8")
        (place / "two.csv").write_text(csv_text({name: data.columns[name][cut:] for name in mixed}), "utf-8")
        whole = run_tool("cv", place / "all.csv", *words, "--json").document
        parts = run_tool("cv", place / "one.csv", place / "two.csv", *words, "--json").document
    assert whole.pop("data")["rows_used"] == parts.pop("data")["rows_used"]
    assert whole == parts


@often
@given(data(), st.booleans(), st.sampled_from(SCHEMES))
def test_fit_is_cv_without_the_curve(data: Data, by_metric: bool, scheme: tuple[str, ...]) -> None:  # noqa: FBT001
    metric = "brier" if data.family == "binomial" else "mae"
    words = data.words("--n-lambdas", "8", *(("--metric", metric) if by_metric else ()), *scheme)
    marked: dict[str, Sequence[object]] = {**data.columns, "g": [f"g{at * 7 % 5}" for at in range(data.y.size)]}
    with folder() as place:
        if "g" not in scheme:
            marked.pop("g")
        (place / "table.csv").write_text(csv_text(marked), "utf-8")
        fitted, validated = (
            run_tool(command, place / "table.csv", *words, "--json").document for command in ("fit", "cv")
        )
    fitted.pop("schema")
    assert {key: validated[key] for key in fitted} == fitted


@often
@given(data(), st.sampled_from((0.3, 0.5)))
def test_a_saved_model_scores_its_training_rows_as_the_fit_did(data: Data, threshold: float) -> None:
    data = replace(data, weights=np.ones(data.y.size))
    words = data.words(*data.lambdas(), *(("--threshold", str(threshold)) if data.family == "binomial" else ()))
    with folder() as place:
        file, model, metrics = place / "table.csv", place / "model.json", place / "metrics.json"
        file.write_text(csv_text(data.columns), "utf-8")
        fitted = run_tool("fit", file, *words, "-m", model, "--json").document
        scored = run_tool("predict", model, file, "--metrics-out", metrics)
        again = json.loads(metrics.read_text("utf-8"))
    assert scored.status == 0
    assert scored.out.count("\n") == data.y.size + 1
    train = fitted["metrics"]["train"]
    assert set(again["metrics"]) == set(train)
    for name, value in train.items():
        assert abs(again["metrics"][name] - value) <= EXACT * max(abs(value), 1.0) * 10
    predictions = np.array([float(line) for line in scored.out.splitlines()[1:]])
    squared = "brier" if data.family == "binomial" else "mse"
    assert np.isclose(np.mean((predictions - data.y) ** 2), train[squared], rtol=SOLVED, atol=0)


def test_threads_change_no_byte() -> None:
    """Large enough that work is handed to threads at all."""
    rng = np.random.default_rng(3)
    X = rng.standard_normal((4000, 60))
    schemes = {
        "gaussian": ("--cv", "time", "--gap", "5"),
        "binomial": (),
        "poisson": ("--folds", "4", "--repeats", "2"),
    }
    for family, scheme in schemes.items():
        signal = X[:, :5].sum(axis=1) + 3 * rng.standard_normal(4000)
        y = signal if family == "gaussian" else (signal > 0).astype(int)
        columns = {**{f"x{j}": X[:, j].tolist() for j in range(60)}, "y": y.tolist()}
        with folder() as place:
            file = place / "table.csv"
            file.write_text(csv_text(columns), "utf-8")
            words = ("cv", file, "-y", "y", "--family", family, "--n-lambdas", "12", *scheme, "--json")
            assert len({run_tool(*words, "--jobs", jobs).out for jobs in (1, 3)}) == 1
