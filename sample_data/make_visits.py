# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy>=2.1"]
# ///
"""Write clinic_visits.csv, an invented table with the blemishes that real ones have.

Run it as ``python sample_data/make_visits.py [DIRECTORY]``; without a directory the file beside the script is written
again, byte for byte. Nothing but uniform numbers is drawn and nothing but sums and products is formed from them, so
that the file does not depend on a mathematics library.
"""

import csv
import datetime as dt
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).resolve().parent
ROWS = 1200
SEED = 20240101

# level: (share of the visits, effect on the cost)
CLINICS = {
    "Harbour View, North": (0.24, 0.0),
    "Harbour View, South": (0.20, 14.0),
    "Mill Road": (0.18, -9.0),
    "St. Anne's": (0.16, 22.0),
    'The "Old Station"': (0.12, 0.0),
    "Westgate": (0.10, -4.0),
}
REASONS = {
    "back pain": (0.16, 10.0),
    "check-up": (0.26, -25.0),
    "diabetes": (0.14, 38.0),
    "fever": (0.13, 0.0),
    "heart": (0.07, 95.0),
    "injury": (0.10, 52.0),
    "skin": (0.08, 0.0),
    "vaccination, travel": (0.06, -38.0),
}
INSURANCES = {"private": (0.23, 30.0), "public": (0.65, 0.0), "self-pay": (0.12, -18.0)}
SMOKER = {"no": (0.78, 0.0), "yes": (0.22, 19.0)}
REFERRED = {"false": (0.7, 0.0), "true": (0.3, 33.0)}

HEADER = [
    "visit_id",
    "visit_date",
    "clinic",
    "reason",
    "insurance",
    "smoker",
    "referred",
    "age",
    "height_cm",
    "weight_kg",
    "weight_lb",
    "systolic",
    "hba1c",
    "distance_km",
    "visits_last_year",
    "minutes",
    "survey_weight",
    "cost",
]


def bell(rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw nearly normal numbers: the sum of twelve uniform ones, less six."""
    return np.asarray(rng.random((12, ROWS)).sum(axis=0) - 6.0)


def pick(rng: np.random.Generator, levels: dict[str, tuple[float, float]]) -> tuple[list[str], NDArray[np.float64]]:
    """Draw a level for each row; return the levels and their effects."""
    shares = np.array([share for share, _ in levels.values()])
    effects = np.array([effect for _, effect in levels.values()])
    drawn = np.minimum(np.searchsorted(shares.cumsum(), rng.random(ROWS), side="right"), len(levels) - 1)
    names = list(levels)
    return [names[code] for code in drawn], effects[drawn]


def spell(values: NDArray[np.float64], digits: int) -> list[str]:
    """Spell numbers with a fixed number of digits after the point."""
    return [f"{value:.{digits}f}" for value in values.tolist()]


def lose(rng: np.random.Generator, cells: list[str], share: float, mark: str) -> list[str]:
    """Replace a share of the cells by the mark of a missing one."""
    lost = rng.random(ROWS) < share
    return [mark if gone else cell for cell, gone in zip(cells, lost.tolist(), strict=True)]


def measurements(rng: np.random.Generator) -> dict[str, NDArray[np.float64]]:
    """Draw the numeric columns, complete and unrounded."""
    age = np.floor(18.0 + 72.0 * rng.random(ROWS))
    height = np.round(171.0 + 9.5 * bell(rng))
    weight = 76.0 + 0.6 * (height - 171.0) + 11.0 * bell(rng)
    return {
        "age": age,
        "height_cm": height,
        "weight_kg": weight,
        # the same weight on another scale, with an error of its own: the two columns correlate at 0.9999
        "weight_lb": 2.2046226 * weight + 0.3 * bell(rng),
        "systolic": np.round(108.0 + 0.35 * age + 12.0 * bell(rng)),
        "hba1c": 4.6 + 0.012 * age + 0.5 * np.abs(bell(rng)),
        "distance_km": 0.4 + 24.0 * rng.random(ROWS) * rng.random(ROWS),
        "visits_last_year": np.floor(9.0 * rng.random(ROWS) * rng.random(ROWS)),
        "minutes": np.round(8.0 + 30.0 * rng.random(ROWS) + 12.0 * rng.random(ROWS) * rng.random(ROWS)),
    }


def table() -> dict[str, list[str]]:
    """Draw the whole table as it is spelt in the file."""
    rng = np.random.Generator(np.random.PCG64(SEED))
    cells: dict[str, list[str]] = {}
    cost = np.full(ROWS, 60.0)
    groups = {"clinic": CLINICS, "reason": REASONS, "insurance": INSURANCES, "smoker": SMOKER, "referred": REFERRED}
    for name, levels in groups.items():
        cells[name], effects = pick(rng, levels)
        cost += effects
    numbers = measurements(rng)
    cost += 0.9 * numbers["age"] + 3.1 * numbers["minutes"] + 0.45 * (numbers["systolic"] - 125.0)
    cost += 0.8 * (numbers["weight_kg"] - 76.0) + 12.0 * (numbers["hba1c"] - 5.5) + 4.0 * numbers["visits_last_year"]
    cost += 28.0 * bell(rng)
    digits = {"weight_kg": 1, "weight_lb": 1, "hba1c": 2, "distance_km": 1}
    cells |= {name: spell(values, digits.get(name, 0)) for name, values in numbers.items()}
    for name, share, mark in (("insurance", 0.02, ""), ("hba1c", 0.06, ""), ("distance_km", 0.04, "NA")):
        cells[name] = lose(rng, cells[name], share, mark)
    first = dt.date(2024, 1, 1)
    days = np.sort(np.floor(366.0 * rng.random(ROWS))).astype(int)
    cells["visit_date"] = [(first + dt.timedelta(days=day)).isoformat() for day in days.tolist()]
    cells["visit_id"] = [f"V{7 * row % 10007:05d}" for row in range(1, ROWS + 1)]
    raw_weight = np.maximum(0.0, 2.4 * rng.random(ROWS) - 0.1)
    cells["survey_weight"] = [f"{value:.2f}" if value >= 0.005 else "0" for value in raw_weight.tolist()]
    cells["cost"] = spell(np.maximum(cost, 15.0), 2)
    return cells


def main(directory: Path = HERE) -> None:
    """Write clinic_visits.csv into ``directory``."""
    cells = table()
    with (directory / "clinic_visits.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(zip(*(cells[name] for name in HEADER), strict=True))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
