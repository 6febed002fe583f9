"""The files in sample_data/ are what the scripts beside them write."""

import csv
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from sample_data import make_faults, make_lessons, make_samples, make_spam, make_visits

SAMPLES = Path(make_samples.__file__).parent


@pytest.fixture(scope="module")
def rewritten(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("samples")
    make_samples.main(directory)
    make_visits.main(directory)
    make_faults.main(directory)
    make_spam.main(directory)
    make_lessons.main(directory)
    return directory


@pytest.mark.parametrize(
    "name",
    [
        "diabetes.csv",
        "breast_cancer.csv",
        "clinic_visits.csv",
        "machine_faults.csv",
        "spam.csv",
        "twins.csv",
        "bend.csv",
    ],
)
def test_csv_files_are_written_again_byte_for_byte(rewritten: Path, name: str) -> None:
    assert (rewritten / name).read_bytes() == (SAMPLES / name).read_bytes()


def test_parquet_file_is_written_again_with_the_same_content(rewritten: Path) -> None:
    assert pq.read_table(rewritten / "breast_cancer.parquet").equals(pq.read_table(SAMPLES / "breast_cancer.parquet"))


def test_parquet_and_csv_hold_the_same_table() -> None:
    with (SAMPLES / "breast_cancer.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    table = pq.read_table(SAMPLES / "breast_cancer.parquet")
    assert table.column_names == header
    for name, cells in zip(header[:-1], zip(*rows, strict=True), strict=False):
        assert table[name].to_pylist() == [float(cell) for cell in cells]
    assert table["diagnosis"].to_pylist() == [row[-1] for row in rows]


@pytest.mark.parametrize(
    ("name", "rows", "columns", "target"),
    [
        ("diabetes.csv", 442, 11, "progression"),
        ("breast_cancer.csv", 569, 31, "diagnosis"),
        ("clinic_visits.csv", 1200, 18, "cost"),
        ("machine_faults.csv", 720, 10, "faults"),
        ("twins.csv", 120, 22, "outcome"),
        ("bend.csv", 40, 2, "y"),
    ],
)
def test_shape_and_last_column(name: str, rows: int, columns: int, target: str) -> None:
    with (SAMPLES / name).open(encoding="utf-8", newline="") as file:
        header, *body = csv.reader(file)
    assert (len(body), len(header), header[-1]) == (rows, columns, target)
    assert {len(row) for row in body} == {columns}


def test_clinic_visits_holds_what_its_page_promises() -> None:
    with (SAMPLES / "clinic_visits.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["visit_id"] for row in rows}) == len(rows)
    assert {name: len({row[name] for row in rows} - {""}) for name in ("clinic", "reason", "insurance", "smoker")} == {
        "clinic": 6,
        "reason": 8,
        "insurance": 3,
        "smoker": 2,
    }
    assert {row["referred"] for row in rows} == {"true", "false"}
    assert any("," in row["clinic"] for row in rows)
    assert any('"' in row["clinic"] for row in rows)
    assert sum(row["survey_weight"] == "0" for row in rows) == 44
    assert any(row["hba1c"] == "" for row in rows)
    assert any(row["distance_km"] == "NA" for row in rows)
    assert all(float(row["cost"]) >= 15 for row in rows)


def test_twins_are_twins_and_idle_columns_are_idle() -> None:
    table = np.loadtxt(SAMPLES / "twins.csv", delimiter=",", skiprows=1)
    corr = np.asarray(np.corrcoef(table.T))
    assert corr[0, 1] > 0.98
    assert 0.85 < corr[2, 3] < 0.95
    idle = slice(6, 21)
    assert np.abs(corr[idle, -1]).max() < 0.25  # 15 of them with a standard error of 0.09
    assert make_lessons.TWINS_HEADER[idle] == make_lessons.IDLE
