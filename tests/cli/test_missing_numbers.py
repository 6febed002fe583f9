"""A number among --na-values is a missing cell in every command, whatever the format of the table."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.io
from scipy import sparse

from tests.fuzz.tool import run_tool

pytestmark = pytest.mark.usefixtures("folder")

ROWS = 60
NA = ("--na-values", '"",-999')
FIT = ("-y", "target", "--family", "gaussian", "-l", "0.01", "--weights", "3", *NA, "--missing", "mean")


def table() -> pd.DataFrame:
    """Features, weights and a target with numbers that mean missing, one of them in each row where there is one."""
    rng = np.random.default_rng(4)
    a, b = rng.normal(size=(2, ROWS)).round(3)
    frame = pd.DataFrame({"1": a, "2": b, "3": rng.choice([1.0, 2.0], ROWS), "target": (a - 2 * b).round(2)})
    frame.loc[[3, 9], "1"] = -999.0
    frame.loc[[5], "target"] = -999.0
    return frame


def market(frame: pd.DataFrame, name: str) -> None:
    scipy.io.mmwrite(name, sparse.coo_array(frame.to_numpy()), precision=17)


def svm(frame: pd.DataFrame, name: str) -> None:
    rows = (f"{row[3]!r} 1:{row[0]!r} 2:{row[1]!r} 3:{row[2]!r}\n" for row in frame.to_numpy().tolist())
    Path(name).write_text("".join(rows), "ascii")


def npz(frame: pd.DataFrame, name: str) -> None:
    np.savez(name, X=frame.to_numpy()[:, :3], y=frame["target"].to_numpy())


WRITERS: dict[str, Callable[[pd.DataFrame, str], None]] = {
    "parquet": lambda frame, name: frame.to_parquet(name),
    "feather": lambda frame, name: frame.to_feather(name),
    "npz": npz,
    "svm": svm,
    "mtx": market,
}


@pytest.mark.parametrize("suffix", WRITERS)
def test_every_command_takes_them_as_it_does_in_csv(suffix: str) -> None:
    table().to_csv("a.csv", index=False)
    other = f"a.{suffix}"
    WRITERS[suffix](table(), other)
    target = "4" if suffix == "mtx" else "target"
    words = tuple(target if word == "target" else word for word in FIT)
    names = ("estimate", "std_estimate")
    estimates = [
        [[row[name] for name in names] for row in run_tool("fit", *given, "--json").document["coefficients"]]
        for given in (
            ("a.csv", *FIT, "--missing-target", "drop", "-m", "csv.json"),
            (other, *words, "--missing-target", "drop", "-m", "other.json"),
        )
    ]
    np.testing.assert_allclose(estimates[0], estimates[1], rtol=1e-9)
    assert run_tool("fit", other, *words, "--json").error["code"] == "missing-target"
    scored = [run_tool("predict", "csv.json", name).out.splitlines()[1:] for name in ("a.csv", other)]
    np.testing.assert_allclose(np.array(scored[0], dtype=float), np.array(scored[1], dtype=float), rtol=1e-9)
    assert max(map(float, scored[1])) < 20
    (looked,) = (row for row in run_tool("inspect", other, *NA, "--json").document["columns"] if row["column"] == "1")
    assert looked["missing"] == 2
    checked = run_tool("check", "other.json", other, "--json").document
    assert {one["code"]: one["count"] for one in checked["violations"]}["imputed"] == 2


def test_the_cells_go_along_as_they_are() -> None:
    svm(table(), "a.svm")
    assert run_tool("fit", "a.svm", *FIT, "--missing-target", "drop", "-m", "model.json").status == 0
    rows = run_tool("predict", "model.json", "a.svm", "--append").out.splitlines()
    assert rows[4].split(",")[0] == "-999"


def test_zero_is_refused_where_zeros_are_left_out() -> None:
    svm(table(), "a.svm")
    failed = run_tool("inspect", "a.svm", "--na-values", "0", "--json")
    assert (failed.status, failed.error["code"]) == (2, "conflicting-options")
