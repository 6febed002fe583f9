"""What is measured: tables and the cross-validations that are run on them."""

from dataclasses import dataclass, replace

__all__ = ["CASES", "QUICK_CASES", "QUICK_TABLES", "TABLES", "Case", "Table", "growth_cases"]


@dataclass(frozen=True)
class Table:
    """A table by name, made with a fixed seed or read from a package.

    Parameters
    ----------
    name : str
        Name of the folder that holds it.
    family : str
        gaussian or binomial.
    n, p : int
        Rows and columns; 0 for a table that is read.
    rho : float
        Correlation of neighbouring columns, which are an AR(1) process.
    true : int
        Columns with a coefficient, standard normal each.
    signal : float
        Variance of the signal over that of the noise; for binomial the sd of the linear predictor.
    density : float
        Share of cells that are not zero; below 1 the matrix is sparse and its columns are independent.
    seed : int
        Of NumPy's PCG64.
    reader : str
        How a real table is read; empty for one that is made.
    """

    name: str
    family: str
    n: int = 0
    p: int = 0
    rho: float = 0.5
    true: int = 0
    signal: float = 1.0
    density: float = 1.0
    seed: int = 0
    reader: str = ""


@dataclass(frozen=True)
class Case:
    """A cross-validation of a table: shares of L1, folds and number of strengths."""

    name: str
    table: str
    l1_ratios: tuple[float, ...] = (1.0,)
    n_folds: int = 10
    n_lambdas: int = 100


_MADE = (
    Table("tall", "gaussian", 100_000, 200, 0.5, 30, 1.0, seed=11),
    Table("mid", "gaussian", 5_000, 2_000, 0.7, 100, 3.0, seed=12),
    Table("wide", "gaussian", 500, 20_000, 0.5, 20, 3.0, seed=13),
    Table("ltall", "binomial", 50_000, 100, 0.5, 30, 1.5, seed=14),
    Table("lwide", "binomial", 500, 5_000, 0.5, 20, 3.0, seed=15),
    Table("lmid", "binomial", 5_000, 1_000, 0.5, 60, 1.5, seed=17),
    Table("square", "gaussian", 2_000, 4_000, 0.5, 60, 3.0, seed=18),
    Table("lsquare", "binomial", 2_000, 4_000, 0.5, 60, 1.5, seed=19),
    Table("lsparse", "binomial", 20_000, 50_000, 0.0, 200, 2.0, density=0.002, seed=16),
)

_READ = (
    Table("diabetes", "gaussian", reader="diabetes"),
    Table("diamonds", "gaussian", reader="diamonds"),
    Table("digits", "binomial", reader="digits"),
)

#: Every table by name.
TABLES = {table.name: table for table in (*_MADE, *_READ)}

_SMALL_SIZES = {
    "tall": (2_000, 40),
    "mid": (400, 150),
    "wide": (80, 600),
    "ltall": (1_500, 30),
    "lwide": (100, 300),
    "lmid": (400, 80),
    "square": (120, 240),
    "lsquare": (120, 240),
    "lsparse": (600, 1_000),
}

#: The same kinds of table, small enough for a test: seconds for all of them.
QUICK_TABLES = {
    name: replace(
        TABLES[name],
        n=n,
        p=p,
        true=min(TABLES[name].true, 10),
        density=1.0 if TABLES[name].density == 1.0 else 0.02,
    )
    for name, (n, p) in _SMALL_SIZES.items()
} | {"diabetes": TABLES["diabetes"]}

#: Shares of L1 that are searched together.
SHARES = (0.1, 0.3, 0.5, 0.7, 0.9)

#: Every cross-validation by name, in the order of the report.
CASES = {
    case.name: case
    for case in (
        Case("tall", "tall"),
        Case("mid", "mid"),
        Case("wide", "wide"),
        Case("tall-enet", "tall", (0.5,)),
        Case("mid-enet", "mid", (0.5,)),
        Case("wide-enet", "wide", (0.5,)),
        Case("tall-shares", "tall", SHARES),
        Case("ltall", "ltall"),
        Case("lwide", "lwide"),
        Case("lmid", "lmid"),
        Case("square", "square"),
        Case("lsquare", "lsquare"),
        Case("lsparse", "lsparse"),
        Case("tall-ridge", "tall", (0.0,)),
        Case("mid-ridge", "mid", (0.0,)),
        Case("wide-ridge", "wide", (0.0,)),
        Case("diabetes", "diabetes"),
        Case("diamonds", "diamonds"),
        Case("digits", "digits"),
    )
}

#: Those of them that the small tables have, with fewer strengths.
QUICK_CASES = {
    name: replace(case, n_folds=5, n_lambdas=30) for name, case in CASES.items() if case.table in QUICK_TABLES
}

#: Sizes at which growth is measured: rows of tall tables, columns of wide ones.
_GROWTH_ROWS, _GROWTH_COLUMNS = (12_500, 25_000, 50_000, 100_000), (2_500, 5_000, 10_000, 20_000)
_QUICK_ROWS, _QUICK_COLUMNS = (1_000, 2_000), (300, 600)


def growth_cases(*, quick: bool) -> list[tuple[str, int, Table, Case]]:
    """Tables and cases that grow: what grows (n, p or K), its value, the table, the case."""
    tables, cases = (QUICK_TABLES, QUICK_CASES) if quick else (TABLES, CASES)
    out = []
    for name in ("tall", "ltall"):
        for n in _QUICK_ROWS if quick else _GROWTH_ROWS:
            table = replace(tables[name], name=f"{name}-n{n}", n=n)
            out.append((f"{name}: n", n, table, replace(cases[name], name=table.name, table=table.name)))
    for name in ("wide", "lwide"):
        for p in _QUICK_COLUMNS if quick else _GROWTH_COLUMNS:
            table = replace(tables[name], name=f"{name}-p{p}", p=p)
            out.append((f"{name}: p", p, table, replace(cases[name], name=table.name, table=table.name)))
    for name in ("tall", "mid", "wide", "ltall", "lwide"):
        for folds in (5, 10):
            case = replace(cases[name], name=f"{name}-k{folds}", n_folds=folds)
            out.append((f"{name}: K", folds, tables[name], case))
    return out
