"""Tables of which most cells are zero, through the whole tool: what a table with its zeros gives, in less memory."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
from numpy.typing import NDArray
from scipy import sparse

from regcli.app import predictor
from tests.cli.conftest import environment
from tests.fuzz.tool import run_tool
from tests.tolerances import SOLVED

Array = NDArray[np.float64]

ROWS, COLUMNS = 1_200, 900

#: Cells of the table, and of another one whose columns are other ones.
SHARE = 0.03

FORMATS = ("svm", "npz", "mtx")


def cells_of(seed: int, rows: int = ROWS) -> tuple[Array, Array]:
    """Most cells are zero; the target is made of twelve columns."""
    rng = np.random.default_rng(seed)
    X = np.where(rng.random((rows, COLUMNS)) < SHARE, np.round(rng.normal(size=(rows, COLUMNS)), 3), 0.0)
    signs = np.random.default_rng(0).choice([-3.0, 3.0], 12)
    return X, np.round(X[:, :12] @ signs + rng.normal(size=rows), 4)


def write(name: str, X: Array, y: Array) -> None:
    """The table in every format; the target comes last."""
    rows = (
        f"{float(t)!r} " + " ".join(f"{j + 1}:{x[j]!r}" for j in np.flatnonzero(x)) for x, t in zip(X, y, strict=True)
    )
    Path(f"{name}.svm").write_text("\n".join(rows).replace("np.float64(", "").replace(")", ""), encoding="ascii")
    kept = sparse.csr_array(X)
    np.savez(
        f"{name}.npz",
        format="csr",
        shape=np.array(X.shape),
        data=kept.data,
        indices=kept.indices,
        indptr=kept.indptr,
        y=y,
    )
    scipy.io.mmwrite(f"{name}.mtx", sparse.coo_array(sparse.hstack([kept, sparse.csr_array(y[:, None])])), precision=17)
    header = ",".join([*map(str, range(1, X.shape[1] + 1)), "target"])
    body = np.column_stack([X, y]).tolist()
    lines = (",".join("" if cell != cell else repr(cell) for cell in row) for row in body)  # noqa: PLR0124  (NaN)
    Path(f"{name}.csv").write_text("\n".join([header, *lines]) + "\n", encoding="ascii")


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sparse")
    here = Path.cwd()
    os.chdir(folder)
    X, y = cells_of(1)
    write("t", X, y)
    write("new", *cells_of(2, 300))
    X[np.random.default_rng(3).random(X.shape) < 0.002] = np.nan
    write("holes", X, y)
    os.chdir(here)
    return folder


@pytest.fixture(autouse=True)
def folder(tables: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tables)


def fitted(file: str, *words: str, command: str = "fit") -> dict[str, Any]:
    target = str(COLUMNS + 1) if file.endswith(".mtx") else "target"
    return dict(run_tool(command, file, "-y", target, "--family", "gaussian", "--json", *words).document)


def estimates(document: dict[str, Any]) -> dict[str, float]:
    return {entry["term"]: entry["estimate"] for entry in document["coefficients"] if entry["estimate"]}


def scores(document: dict[str, Any], part: str) -> dict[str, float]:
    """Metrics of a part, none where it was not scored."""
    return {name: value for name, value in (document["metrics"][part] or {}).items() if isinstance(value, float)}


@pytest.mark.parametrize("form", FORMATS)
def test_a_fit_is_that_of_the_table_with_its_zeros(form: str) -> None:
    found, whole = (estimates(fitted(f"t.{ending}", "-l", "0.5,0.1", "--folds", "3")) for ending in (form, "csv"))
    assert {*map(str, range(1, 13))} <= found.keys()
    assert found == pytest.approx(whole, rel=SOLVED, abs=SOLVED)


@pytest.mark.parametrize(
    "words",
    [
        ("-l", "0.03", "--poly", "2"),
        ("-l", "0.03", "--interactions", "1:2", "--interactions", "3:4"),
        ("-l", "0.05", "--drop", "1*"),
        ("-l", "0.03", "--penalty-factor", "1=0", "--lower", "2=0", "--upper", "*=1"),
        ("-l", "0.03", "--spline", "1=4"),
        ("-l", "0.03", "--test-size", "0.3"),
        ("-l", "0.03", "--test", "new.{}"),
        ("-l", "0.05", "--categorical", "5", "--features", "?", "--features", "??"),
        ("--penalty", "none", "--features", "1?"),
        ("--penalty", "l2", "-l", "0.1", "--no-intercept"),
        ("--penalty", "elasticnet", "-l", "0.5,0.1", "--folds", "3"),
        ("-l", "0.1", "--standardize", "none"),
    ],
    ids=" ".join,
)
def test_options_mean_the_same(words: tuple[str, ...]) -> None:
    found, whole = (fitted(f"t.{form}", *(word.format(form) for word in words)) for form in ("svm", "csv"))
    assert scores(found, "test") == pytest.approx(scores(whole, "test"), rel=SOLVED)
    assert estimates(found) == pytest.approx(estimates(whole), rel=SOLVED, abs=SOLVED)
    assert len(estimates(found)) > 3


@pytest.mark.parametrize("policy", ["mean", "median", "indicator"])
def test_missing_cells_are_filled_fold_by_fold(policy: str) -> None:
    words = ("--missing", policy, "-l", "0.2,0.05", "--folds", "3")
    found, whole = (fitted(f"holes.{form}", *words) for form in ("svm", "csv"))
    assert scores(found, "cv") == pytest.approx(scores(whole, "cv"), rel=SOLVED)
    assert scores(found, "cv")
    assert estimates(found) == pytest.approx(estimates(whole), rel=SOLVED, abs=SOLVED)
    refused = run_tool("fit", "holes.svm", "-y", "target", "--family", "gaussian", "--json")
    assert (refused.status, refused.error["code"]) == (3, "missing-values")
    assert refused.error["location"]["line"] is not None


def test_a_path_is_that_of_the_table_with_its_zeros() -> None:
    found, whole = (fitted(f"t.{form}", "-l", "0.5,0.1", command="path") for form in ("npz", "csv"))
    values = ({row["term"]: row["values"] for row in document["coefficients"]} for document in (found, whole))
    one, other = values
    assert one.keys() == other.keys()
    for term, steps in one.items():
        assert steps == pytest.approx(other[term], rel=SOLVED, abs=SOLVED)


def test_the_matrix_takes_twelve_bytes_a_cell() -> None:
    plan = run_tool("fit", "t.svm", "-y", "target", "--family", "gaussian", "--dry-run", "--json").document
    assert plan["memory"]["matrix_bytes"] < 12 * 1.1 * SHARE * ROWS * COLUMNS + 8 * COLUMNS
    seen = run_tool("inspect", "t.svm", "-y", "target", "--json").document
    assert seen["memory"]["matrix_bytes"] == plan["memory"]["matrix_bytes"]


# -- models ----------------------------------------------------------------------------------------------------------


def predictions(model: str, file: str, *words: str) -> list[str]:
    done = run_tool("predict", model, file, *words)
    assert done.status == 0, done.err
    return [row["prediction"] for row in csv.DictReader(done.out.splitlines())]


def test_predictions_are_the_same_to_the_last_digit() -> None:
    fitted("t.npz", "-l", "0.05", "-m", "model.json")
    found = {form: predictions("model.json", f"new.{form}") for form in ("svm", "npz", "mtx", "csv")}
    assert found["svm"] == found["npz"] == found["mtx"] == found["csv"]
    assert len(found["svm"]) == 300
    terms = run_tool("predict", "model.json", "new.svm", "--type", "terms").out.splitlines()
    added = [sum(map(float, line.split(",")[1:])) for line in terms[1:]]
    assert added == pytest.approx(list(map(float, found["svm"])), rel=1e-12)
    piped = run_tool("predict", "model.json", "-", "--input-format", "svm", stdin=Path("new.svm").read_bytes())
    assert piped.out.splitlines()[1:] == found["svm"]


def small_model() -> str:
    """A model that needs columns 1 and 2."""
    rows = [(i % 7 / 2, i % 5 / 4) for i in range(60)]
    lines = [f"{2 * a - b} 1:{a} 2:{b} 3:{i % 3}" for i, (a, b) in enumerate(rows)]
    Path("small.svm").write_text("\n".join(lines), "ascii")
    done = run_tool("fit", "small.svm", "-y", "target", "--family", "gaussian", "-l", "0.01", "-m", "small.json")
    assert [each["term"] for each in done.document["coefficients"]] == ["1", "2"]
    return "small.json"


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Have so many rows scored at a time."""
    return lambda rows: monkeypatch.setattr(predictor, "CHUNK_ROWS", rows)


@pytest.mark.parametrize("rows", [1, 2, 100])
def test_all_columns_of_a_file_go_along_wherever_they_are_named(few: Callable[[int], None], rows: int) -> None:
    few(rows)
    Path("some.svm").write_text("1 5:3\n0 1:1 2:1\n0 7:0.5 1:2\n0 4:0\n", "ascii")
    out = run_tool("predict", small_model(), "some.svm", "--append").out.splitlines()
    assert out[0] == "1,2,3,4,5,6,7,target,prediction"
    cells = [line.rpartition(",")[0] for line in out[1:]]
    assert cells == ["0,0,0,0,3,0,0,1", "1,1,0,0,0,0,0,0", "2,0,0,0,0,0,0.5,0", "0,0,0,0,0,0,0,0"]
    Path("short.svm").write_text("1 1:3\n", "ascii")
    more = run_tool("predict", "small.json", "some.svm", "short.svm", "--append").out.splitlines()
    assert (more[:5], more[5].rpartition(",")[0]) == (out, "3,0,0,0,0,0,0,1")
    refused = run_tool("predict", "small.json", "short.svm", "some.svm", "--append", "-o", "out.csv")
    assert (refused.status, Path("out.csv").exists()) == (3, False)
    assert "error[columns-differ]: some.svm: line 1 has column '5', which is not among the columns" in refused.err


@pytest.mark.parametrize("rows", [1, 2, 100])
def test_columns_named_to_go_along_are_zero_where_no_line_names_them(few: Callable[[int], None], rows: int) -> None:
    few(rows)
    Path("some.svm").write_text("1 5:3\n0 1:1 2:1\n0 3:0.5\n", "ascii")
    out = run_tool("predict", small_model(), "some.svm", "--id", "3", "--id", "9").out.splitlines()
    assert [line.rpartition(",")[0] for line in out] == ["3,9", "0,0", "0,0", "0.5,0"]
    Path("named.csv").write_text("name,1,2,target\nn,1,2,3\n", "utf-8")
    refused = run_tool("predict", "small.json", "named.csv", "some.svm", "--id", "name", "-o", "out.csv")
    assert (refused.status, "error[columns-differ]: some.svm lacks column 'name'" in refused.err) == (3, True)
    refused = run_tool("predict", "small.json", "some.svm", "--id", "03")
    assert (refused.status, "error[column-not-found]: --id: no column '03'" in refused.err) == (3, True)


@pytest.mark.parametrize("rows", [1, 2, 100])
def test_of_a_stream_columns_go_along_as_far_as_its_first_line_and_the_model_tell(
    few: Callable[[int], None], rows: int
) -> None:
    few(rows)
    words = ("predict", small_model(), "-", "--input-format", "svm", "--append")
    out = run_tool(*words, stdin=b"1 4:3\n0 3:1 2:1\n0 9:0\n").out.splitlines()
    assert [line.rpartition(",")[0] for line in out] == ["1,2,3,4,target", "0,0,0,3,1", "0,1,1,0,0", "0,0,0,0,0"]
    assert run_tool(*words, stdin=b"1\n0 2:1\n").out.splitlines()[0] == "1,2,target,prediction"
    refused = run_tool(*words, "-o", "out.csv", stdin=b"1 4:3\n0 3:1 2:1\n0 1:1\n0 9:1\n")
    assert (refused.status, Path("out.csv").exists()) == (3, False)
    assert "error[columns-differ]: -: line 4 has column '9', which is not among the columns" in refused.err


def test_columns_that_play_no_part_are_not_in_the_model() -> None:
    document = fitted("t.svm", "-l", "0.3", "-m", "model.json")
    model = json.loads(Path("model.json").read_text("utf-8"))
    used = set(estimates(document))
    assert {feature["column"] for feature in model["features"]} == used == set(model["profile"]["columns"])
    assert [entry["term"] for entry in model["terms"] if entry["estimate"]] == [
        entry["term"] for entry in model["terms"]
    ]
    assert model["idle"] == COLUMNS - len(used)
    shown = run_tool("show", "model.json", "-f", "table").out
    assert f"uses {len(used)} of {COLUMNS} columns, {len(used)} terms" in shown
    fitted("t.csv", "-l", "0.3", "-m", "whole.json")
    whole = json.loads(Path("whole.json").read_text("utf-8"))
    assert (whole["idle"], len(whole["features"])) == (0, COLUMNS)
    assert run_tool("diff", "model.json", "whole.json", "--exit-code", "-q").status == 0


def test_a_saved_path_keeps_the_columns_it_needs() -> None:
    fitted("t.svm", "-l", "0.8,0.4,0.2", "--rule", "bic", "--save-path", "-m", "path.json")
    model = json.loads(Path("path.json").read_text("utf-8"))
    lam = model["path"]["lambdas"][-1]
    least = predictions("path.json", "new.svm", "--lambda", repr(lam))
    fitted("t.svm", "-l", repr(lam), "-m", "one.json", "--tol", "1e-9")
    assert list(map(float, least)) == pytest.approx(list(map(float, predictions("one.json", "new.svm"))), abs=1e-3)
    assert 0 < model["idle"] < COLUMNS


def test_check_holds_sparse_rows_against_a_model() -> None:
    fitted("t.svm", "-l", "0.05", "-m", "model.json")
    whole, found = (run_tool("check", "model.json", f"new.{form}", "--json").document for form in ("csv", "svm"))
    assert (found["rows"], found["rows_scorable"]) == (300, 300)
    assert found["metrics"] == whole["metrics"]
    told = (
        [(each["code"], each["column"], each["count"]) for each in document["violations"]]
        for document in (found, whole)
    )
    assert next(told) == next(told) != []
    assert found["drift"] == whole["drift"]


# -- files -----------------------------------------------------------------------------------------------------------


def test_names_and_labels_stand_beside_a_sparse_matrix() -> None:
    kept = sparse.csc_array(cells_of(1)[0])
    names = np.array([f"gene {at}" for at in range(COLUMNS)])
    labels = np.where(cells_of(1)[1] > 0, "yes", "no")
    parts: dict[str, Any] = {
        "format": "csc",
        "shape": kept.shape,
        "data": kept.data,
        "indices": kept.indices,
        "indptr": kept.indptr,
    }
    np.savez("named.npz", y=labels, names=names, **parts)
    done = run_tool("fit", "named.npz", "-y", "target", "--family", "binomial", "-l", "0.02", "-f", "names")
    assert done.status == 0, done.err
    assert {f"gene {at}" for at in range(6)} <= set(done.out.splitlines())
    np.savez("strange.npz", labels=labels, **parts)
    refused = run_tool("fit", "strange.npz", "--json")
    assert (refused.status, refused.error["code"]) == (3, "file-unreadable")
    assert "labels" in refused.error["message"]


@pytest.mark.slow
def test_a_large_sparse_table_is_never_dense(tmp_path: Path) -> None:
    """Dense it would take 960 MB, twice that with its design."""
    rng = np.random.default_rng(4)
    X = sparse.csr_array(sparse.random_array((4_000, 30_000), density=0.002, rng=rng))
    y = (X[:, :40] @ rng.normal(size=40) * 5 + rng.normal(size=4_000) > 0).astype(int)
    np.savez(tmp_path / "t.npz", format="csr", shape=X.shape, data=X.data, indices=X.indices, indptr=X.indptr, y=y)
    measured = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    fit = ("cv", "t.npz", "-y", "target", "--family", "binomial", "-l", "0.1,0.08,0.06", "-m", "m.json", "-q", "--json")
    for words in (fit, ("predict", "m.json", "t.npz", "-q")):
        command = [sys.executable, "-c", measured, sys.executable, "-m", "regcli", *words]
        done = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True)
        assert int(done.stdout) * (1 if sys.platform == "darwin" else 1024) < 480e6
