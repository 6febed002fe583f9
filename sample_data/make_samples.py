# /// script
# requires-python = ">=3.11"
# dependencies = ["pyarrow>=18", "scikit-learn>=1.8"]
# ///
"""Write diabetes.csv, breast_cancer.csv and breast_cancer.parquet from the data that scikit-learn carries.

Run it as ``python sample_data/make_samples.py [DIRECTORY]``; without a directory the files beside the script are
written again. The CSV files come out byte for byte the same. The Parquet file holds the same table, but its bytes
depend on the version of pyarrow.
"""

import csv
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_diabetes

HERE = Path(__file__).resolve().parent


def number(value: float) -> str:
    """Spell a number as shortly as reads back exactly: integers without a point, others by ``repr``."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def write_csv(path: Path, header: list[str], features: NDArray[np.float64], target: list[str]) -> None:
    """Write ``features`` (n, p) and the target as the last column, with Unix line ends."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        for row, answer in zip(features.tolist(), target, strict=True):
            writer.writerow([*map(number, row), answer])


def make_diabetes(directory: Path) -> None:
    """Write diabetes.csv: 442 patients, ten measurements in their own units, ``progression`` last."""
    data = load_diabetes(scaled=False)
    header = [*data.feature_names, "progression"]
    write_csv(directory / "diabetes.csv", header, data.data, [number(value) for value in data.target])


def make_breast_cancer(directory: Path) -> None:
    """Write breast_cancer.csv and breast_cancer.parquet: 569 tumours, thirty measurements, ``diagnosis`` last."""
    data = load_breast_cancer()
    names = [str(name).replace(" ", "_") for name in data.feature_names]
    target = [str(data.target_names[code]) for code in data.target]
    write_csv(directory / "breast_cancer.csv", [*names, "diagnosis"], data.data, target)
    columns = {name: pa.array(data.data[:, j]) for j, name in enumerate(names)}
    table = pa.table({**columns, "diagnosis": pa.array(target)})
    pq.write_table(table, directory / "breast_cancer.parquet", compression="zstd")


def main(directory: Path = HERE) -> None:
    """Write all three files into ``directory``."""
    make_diabetes(directory)
    make_breast_cancer(directory)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
