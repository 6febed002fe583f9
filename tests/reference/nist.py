"""Linear problems of the Statistical Reference Datasets of NIST, with their certified coefficients.

The data are the public domain of the United States (https://www.itl.nist.gov/div898/strd/lls/lls.shtml). The Wampler
problems are polynomials of x = 0, ..., 20 by definition: 1 and 2 exact, 3 to 5 with a published pattern of errors
that is orthogonal to the polynomials, at three sizes. Their powers are formed in double precision, where they are
exact.
"""

from dataclasses import dataclass

__all__ = ["PROBLEMS", "Nist"]


@dataclass(frozen=True)
class Nist:
    """One problem: the rows, each with y first, and the certified coefficients by term, the intercept first."""

    name: str
    rows: tuple[tuple[float, ...], ...]
    certified: tuple[float, ...]
    intercept: bool = True

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that explain, ``x1`` and so on."""
        return tuple(f"x{j}" for j in range(1, len(self.rows[0])))


LONGLEY = Nist(
    "longley",
    (
        (60323, 83.0, 234289, 2356, 1590, 107608, 1947),
        (61122, 88.5, 259426, 2325, 1456, 108632, 1948),
        (60171, 88.2, 258054, 3682, 1616, 109773, 1949),
        (61187, 89.5, 284599, 3351, 1650, 110929, 1950),
        (63221, 96.2, 328975, 2099, 3099, 112075, 1951),
        (63639, 98.1, 346999, 1932, 3594, 113270, 1952),
        (64989, 99.0, 365385, 1870, 3547, 115094, 1953),
        (63761, 100.0, 363112, 3578, 3350, 116219, 1954),
        (66019, 101.2, 397469, 2904, 3048, 117388, 1955),
        (67857, 104.6, 419180, 2822, 2857, 118734, 1956),
        (68169, 108.4, 442769, 2936, 2798, 120445, 1957),
        (66513, 110.8, 444546, 4681, 2637, 121950, 1958),
        (68655, 112.6, 482704, 3813, 2552, 123366, 1959),
        (69564, 114.2, 502601, 3931, 2514, 125368, 1960),
        (69331, 115.7, 518173, 4806, 2572, 127852, 1961),
        (70551, 116.9, 554894, 4007, 2827, 130081, 1962),
    ),
    (
        -3482258.63459582,
        15.0618722713733,
        -0.358191792925910e-01,
        -2.02022980381683,
        -1.03322686717359,
        -0.511041056535807e-01,
        1829.15146461355,
    ),
)
NOINT1 = Nist("noint1", tuple((y, y - 70) for y in range(130, 141)), (2.07438016528926,), intercept=False)
NOINT2 = Nist("noint2", ((3, 4), (4, 5), (4, 6)), (0.727272727272727,), intercept=False)

# what Wampler3 adds to y; Wampler4 and Wampler5 add 100 and 10,000 times as much
HALF = (759, -2048, 2048, -2048, 2523, -2048, 2048, -2048, 1838, -2048)
ERRORS = (*HALF, 2048, *reversed(HALF))


def wampler(name: str, errors: int = 0) -> Nist:
    """Build y = 1 + x + ... + x^5 plus a multiple of the pattern of errors."""
    rows = tuple((sum(x**k for k in range(6)) + errors * ERRORS[x], *(x**k for k in range(1, 6))) for x in range(21))
    return Nist(name, rows, (1.0,) * 6)


def wampler2() -> Nist:
    """Build y = 1 + (x/10) + ... + (x/10)^5, each value the double nearest to the decimal number."""
    rows = tuple(
        (sum(x**k * 10 ** (5 - k) for k in range(6)) / 100_000, *(x**k for k in range(1, 6))) for x in range(21)
    )
    return Nist("wampler2", rows, (1.0, 0.1, 0.01, 0.001, 0.0001, 0.00001))


PROBLEMS = (
    LONGLEY,
    NOINT1,
    NOINT2,
    wampler("wampler1"),
    wampler2(),
    wampler("wampler3", 1),
    wampler("wampler4", 100),
    wampler("wampler5", 10_000),
)
