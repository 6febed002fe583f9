# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy>=2.1"]
# ///
"""Write machine_faults.csv, an invented table of counts with an exposure, groups and times.

Run it as ``python sample_data/make_faults.py [DIRECTORY]``; without a directory the file beside the script is written
again, byte for byte. Nothing but uniform numbers is drawn and nothing but sums, products and quotients is formed from
them, so that the file does not depend on a mathematics library.
"""

import csv
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
MACHINES = 30
MONTHS = [f"{year}-{month:02d}-01" for year in (2023, 2024) for month in range(1, 13)]
SEED = 20230101

#: Faults in an hour of an idle new oil-cooled drill, and what the number is multiplied by for each unit of a column.
BASE = 0.0011
TYPES = {"drill": 1.0, "lathe": 1.5, "mill": 0.8}
COOLANTS = {"oil": 1.0, "water": 1.25}
AGE, LOAD, WARMTH = 1.08, 1.02, 1.003

#: Machines have least trouble at this temperature; WARMTH is for each unit of the squared distance from it.
COMFORT = 18

HEADER = [
    "machine",
    "month",
    "type",
    "coolant",
    "age_years",
    "load_percent",
    "temperature",
    "humidity",
    "hours",
    "faults",
]

#: Terms of the exponential series: more than enough for the numbers of faults expected here, which are below 50.
TERMS = 200


def power(base: float, exponent: int) -> float:
    """Multiply a number by itself."""
    out = 1.0
    for _ in range(exponent):
        out *= base
    return out


def count(expected: float, drawn: float) -> int:
    """Find the poisson count with this expectation that a uniform number stands for."""
    term = total = 1.0
    for k in range(1, TERMS):
        term *= expected / k
        total += term
    chance = below = 1.0 / total
    found = 0
    while below < drawn and found < TERMS:
        found += 1
        chance *= expected / found
        below += chance
    return found


def history(rng: np.random.Generator, number: int) -> list[list[object]]:
    """Draw the months of one machine."""
    kind, coolant = list(TYPES)[number % 3], list(COOLANTS)[int(rng.random() < 0.4)]
    own = 0.6 + 0.8 * rng.random()  # what is particular to the machine and in no column
    age = int(14.0 * rng.random())
    rows: list[list[object]] = []
    for at, month in enumerate(MONTHS):
        years = age + at // 12
        load = int(40.0 + 60.0 * rng.random())
        season = abs((at % 12) - 6)  # months from July
        warmth = int(30.0 - 4.0 * season + 8.0 * rng.random())
        humidity = int(30.0 + 50.0 * rng.random())
        hours = int(120.0 + 560.0 * rng.random())
        rate = BASE * TYPES[kind] * COOLANTS[coolant] * own
        rate *= power(AGE, years) * power(LOAD, load) * power(WARMTH, (warmth - COMFORT) ** 2)
        faults = count(rate * hours, rng.random())
        rows.append(
            [f"M{number + 1:02d}", month, kind, coolant, years, load, warmth, humidity, hours, faults],
        )
    return rows


def main(directory: Path = HERE) -> None:
    """Write machine_faults.csv into ``directory``."""
    rng = np.random.Generator(np.random.PCG64(SEED))
    rows = [row for number in range(MACHINES) for row in history(rng, number)]
    with (directory / "machine_faults.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(rows)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
