"""Tables on disk: made with fixed seeds or read from packages, each once, in a folder that git ignores.

Matrices are raw doubles, column after column, so that Python and R read the same bytes.
"""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from benchmarks.cases import Case, Table

__all__ = [
    "Absent",
    "Array",
    "Arrays",
    "Matrix",
    "facts",
    "load",
    "make_folds",
    "make_lambdas",
    "prepare",
    "spreads",
    "write_csv",
]

Array = NDArray[np.float64]
Matrix = Array | sparse.csc_array

ROOT = Path(__file__).parent
SAMPLES = ROOT.parent / "sample_data"

#: Who plants the folds; that of the tables is their own.
FOLD_SEED = 1

#: Increase when what is made changes, so that old folders are not used.
EDITION = 2


class Absent(Exception):  # noqa: N818  (not an error: a table or a peer that is not there)
    """Something that is measured where it can be had, and the reason why it cannot."""


@dataclass(frozen=True)
class Arrays:
    """A table in memory: X (n, p), dense in Fortran order or CSC, and y (n,)."""

    X: Matrix
    y: Array
    family: str


def prepare(table: Table, home: Path) -> Path:
    """The folder of a table, which is made if it is not there yet.

    Raises
    ------
    Absent
        A package that holds the table is not there.
    """
    folder = home / f"{table.name}-{table.n}x{table.p}" if not table.reader else home / table.name
    about = folder / "about.json"
    wanted = {"edition": EDITION, "table": json.loads(json.dumps(vars(table)))}
    if about.exists() and json.loads(about.read_text("utf-8"))["made"] == wanted:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    X, y = _READERS[table.reader](folder) if table.reader else _make(table)
    if table.family == "gaussian":
        y = y / y.std()  # glmnet's L2 part is in units of the sd of y: with sd 1 all mean the same
    facts = {"made": wanted, "n": X.shape[0], "p": X.shape[1], "family": table.family, **_write(folder, X)}
    y.astype(np.float64).tofile(folder / "y.bin")
    about.write_text(json.dumps(facts), "utf-8")
    return folder


def load(folder: Path) -> Arrays:
    """Read a table that was prepared."""
    about = facts(folder)
    n, p = about["n"], about["p"]
    y = np.fromfile(folder / "y.bin")
    if not about["sparse"]:
        return Arrays(np.fromfile(folder / "X.bin").reshape(p, n).T, y, about["family"])
    values, rows, ends = (
        np.fromfile(folder / f"X.{part}.bin", kind) for part, kind in (("data", "f8"), ("rows", "i4"), ("ends", "i4"))
    )
    X: sparse.csc_array = sparse.csc_array((values, rows, ends), shape=(n, p))
    return Arrays(X, y, about["family"])


def facts(folder: Path) -> dict[str, Any]:
    """What is known of a table without reading it: n, p, family, sparse, bytes."""
    return json.loads((folder / "about.json").read_text("utf-8"))


def make_folds(n: int, count: int) -> NDArray[np.int32]:
    """Folds 0 to count - 1 of n rows, as even as they can be."""
    return np.random.default_rng(FOLD_SEED).permutation(np.arange(n) % count).astype(np.int32)


def make_lambdas(folder: Path, case: Case) -> Array:
    """The strengths (R, T) of every share of L1, glmnet's default grid on the columns of all rows.

    Top is where the first column would enter, for ridge where one would with a thousandth of L1; the last is 1e-4 of
    it, 1e-2 with fewer rows than columns.
    """
    data = load(folder)
    n, p = data.X.shape
    pull = (data.y - data.y.mean()) / n
    products = np.abs(np.asarray(data.X.T @ pull)) / spreads(data.X)[1]
    least = 1e-2 if n < p else 1e-4
    steps = least ** (np.arange(case.n_lambdas) / (case.n_lambdas - 1))
    return np.array([products.max() / max(ratio, 1e-3) * steps for ratio in case.l1_ratios])


def spreads(X: Matrix) -> tuple[Array, Array]:
    """Means and 1/n sds (p,) of the columns; the sd of a constant one is 1."""
    if isinstance(X, np.ndarray):
        mean, sd = np.empty(X.shape[1]), np.empty(X.shape[1])
        for j, column in enumerate(X.T):
            mean[j], sd[j] = column.mean(), column.std()
    else:
        n = X.shape[0]
        mean = np.asarray(X.sum(axis=0)) / n
        sd = np.sqrt(np.maximum(np.asarray(X.multiply(X).sum(axis=0)) / n - mean * mean, 0.0))
    return mean, np.where(sd > 0, sd, 1.0)


def write_csv(folder: Path, folds: NDArray[np.int32]) -> Path:
    """A dense table as text, with columns x1 ... xp, target and fold; 17 digits, so that no bit is lost."""
    path = folder / f"table-{int(folds.max()) + 1}.csv"
    if path.exists():
        return path
    data = load(folder)
    X = np.asarray(data.X)
    names = [f"x{j + 1}" for j in range(X.shape[1])]
    partial = path.with_suffix(".part")
    with partial.open("w", encoding="ascii") as file:
        file.write(",".join([*names, "target", "fold"]) + "\n")
        for row, y, fold in zip(X, data.y, folds, strict=True):
            file.write(",".join(map(repr, row.tolist())) + f",{float(y)!r},{fold + 1}\n")
    partial.rename(path)
    return path


def _write(folder: Path, X: Matrix) -> dict[str, Any]:
    """Write a matrix column after column."""
    if isinstance(X, np.ndarray):
        np.ascontiguousarray(X.T).tofile(folder / "X.bin")
        return {"sparse": False, "bytes": X.nbytes}
    X.sort_indices()
    X.data.tofile(folder / "X.data.bin")
    X.indices.astype(np.int32).tofile(folder / "X.rows.bin")
    X.indptr.astype(np.int32).tofile(folder / "X.ends.bin")
    return {"sparse": True, "bytes": X.data.nbytes + 4 * X.data.size + 4 * X.indptr.size}


def _make(table: Table) -> tuple[Matrix, Array]:
    """Columns, coefficients and target from the seed of the table."""
    rng = np.random.default_rng(table.seed)
    X = _autoregressive(table, rng) if table.density == 1.0 else _scattered(table, rng)
    coefs = np.zeros(table.p)
    coefs[rng.choice(table.p, table.true, replace=False)] = rng.standard_normal(table.true)
    signal = np.asarray(X @ coefs)
    if table.family == "gaussian":
        return X, signal + rng.standard_normal(table.n) * (signal.std() / np.sqrt(table.signal))
    eta = (signal - signal.mean()) * (table.signal / signal.std())
    return X, (rng.random(table.n) < 1.0 / (1.0 + np.exp(-eta))).astype(np.float64)


def _autoregressive(table: Table, rng: np.random.Generator) -> Array:
    """Standard normal columns, each correlated with the one before."""
    columns = rng.standard_normal((table.p, table.n))
    fresh = np.sqrt(1.0 - table.rho**2)
    for j in range(1, table.p):
        columns[j] *= fresh
        columns[j] += table.rho * columns[j - 1]
    return columns.T


def _scattered(table: Table, rng: np.random.Generator) -> sparse.csc_array:
    """Standard normal values in random cells."""
    count = round(table.n * table.p * table.density)
    cells = np.unique(rng.integers(0, table.n * table.p, count))
    columns, rows = np.divmod(cells, table.n)
    values = rng.standard_normal(cells.size)
    return sparse.csc_array((values, (rows, columns)), shape=(table.n, table.p))


def _read_diabetes(_folder: Path) -> tuple[Array, Array]:
    """The diabetes table of Efron, Hastie, Johnstone and Tibshirani (2004), from ``sample_data``."""
    cells = np.loadtxt(SAMPLES / "diabetes.csv", delimiter=",", skiprows=1)
    return cells[:, :-1], cells[:, -1]


def _read_digits(_folder: Path) -> tuple[Array, Array]:
    """1,797 written digits of 8 x 8 pixels, the pixels and their products in pairs, by whether it is 5 or more.

    From the package scikit-learn, which holds part of the UCI set of Alpaydin and Kaynak (1998).
    """
    try:
        from sklearn.datasets import load_digits  # noqa: PLC0415  (not needed for other tables)
    except ImportError:
        raise Absent("the table comes with scikit-learn, which is not installed") from None
    pixels, digit = load_digits(return_X_y=True)
    return _with_products(np.asarray(pixels, np.float64) / 16.0), (digit >= 5).astype(np.float64)


def _read_diamonds(folder: Path) -> tuple[Array, Array]:
    """53,940 diamonds: logarithm of the price by size and quality, with products in pairs.

    From R's package ggplot2. Cut, colour and clarity are levels, of which the first is left out.
    """
    target = folder / "diamonds.csv"
    script = (
        "suppressMessages(library(ggplot2)); d <- as.data.frame(diamonds);"
        "m <- model.matrix(~ carat + depth + table + x + y + z + factor(cut, ordered = FALSE)"
        " + factor(color, ordered = FALSE) + factor(clarity, ordered = FALSE), d)[, -1];"
        f"write.table(cbind(m, log(d$price)), '{target.name}', sep = ',', row.names = FALSE, col.names = FALSE)"
    )
    r = shutil.which("Rscript")
    if r is None:
        raise Absent("the table comes with R's package ggplot2; there is no Rscript")
    if subprocess.run([r, "-e", script], cwd=folder, capture_output=True, check=False).returncode:
        raise Absent("the table comes with R's package ggplot2, which is not installed")
    cells = np.loadtxt(target, delimiter=",")
    target.unlink()
    return _with_products(cells[:, :-1]), cells[:, -1]


def _with_products(X: Array) -> Array:
    """Columns and the products of two different ones, less those that are constant."""
    first, second = np.triu_indices(X.shape[1], 1)
    wide = np.hstack([X, X[:, first] * X[:, second]])
    return wide[:, wide.max(axis=0) > wide.min(axis=0)]


_READERS = {"diabetes": _read_diabetes, "digits": _read_digits, "diamonds": _read_diamonds}
