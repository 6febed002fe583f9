# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy>=2.1"]
# ///
"""Write twins.csv and bend.csv, invented tables whose truth is known.

Run it as ``python sample_data/make_lessons.py [DIRECTORY]``; without a directory the files beside the script are
written again, byte for byte. Nothing but uniform numbers is drawn and nothing but sums and products is formed from
them, so that the files do not depend on a mathematics library.
"""

import csv
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
SEED = 6

#: Rows of twins.csv, and its columns without any effect.
SPECIMENS = 120
IDLE = [f"idle_{number:02d}" for number in range(1, 16)]
TWINS_HEADER = ["probe_left", "probe_right", "cause", "shadow", "alone", "faint", *IDLE, "outcome"]

#: The outcome is this plus so much for each unit of what both probes measure and of three columns, plus noise.
BASE, HEAT, CAUSE, ALONE, FAINT, NOISE = 20.0, 2.0, 1.5, 1.0, 0.5, 2.0

#: What a probe adds to the heat by error; how much of the cause its shadow repeats, and of something else.
ERROR, REPEATED, OWN = 0.09, 0.9, 0.436

#: Rows of bend.csv, the coefficients of 1, x, ..., x^4, and its noise.
POINTS = 40
BEND = (4.0, 3.0, -14.0, 0.0, 14.0)
SCATTER = 0.8


def bell(rng: np.random.Generator) -> float:
    """Draw a number with mean 0 and standard deviation 1, nearly normal: twelve uniform ones added up."""
    return sum(rng.random() for _ in range(12)) - 6.0


def specimen(rng: np.random.Generator) -> list[float]:
    """Draw a row of twins.csv."""
    heat = bell(rng)
    left, right = heat + ERROR * bell(rng), heat + ERROR * bell(rng)
    cause = bell(rng)
    shadow = REPEATED * cause + OWN * bell(rng)
    alone, faint = bell(rng), bell(rng)
    idle = [bell(rng) for _ in IDLE]
    outcome = BASE + HEAT * heat + CAUSE * cause + ALONE * alone + FAINT * faint + NOISE * bell(rng)
    return [round(value, 2) for value in (left, right, cause, shadow, alone, faint, *idle, outcome)]


def point(rng: np.random.Generator) -> list[float]:
    """Draw a row of bend.csv."""
    x = round(2.0 * rng.random() - 1.0, 3)
    level = 0.0
    for coefficient in reversed(BEND):
        level = level * x + coefficient
    return [x, round(level + SCATTER * bell(rng), 3)]


def write(path: Path, header: list[str], rows: list[list[float]]) -> None:
    """Write one table."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def main(directory: Path = HERE) -> None:
    """Write both files into ``directory``."""
    rng = np.random.Generator(np.random.PCG64(SEED))
    write(directory / "twins.csv", TWINS_HEADER, [specimen(rng) for _ in range(SPECIMENS)])
    rng = np.random.Generator(np.random.PCG64(SEED))
    write(directory / "bend.csv", ["x", "y"], [point(rng) for _ in range(POINTS)])


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
