"""The statement in databases against predict."""

import math
import re
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

import duckdb
import numpy as np
import pytest

from tests.export.models import CASES, Row, exported, nearly, rows, truth

NUMBERS = ("size", "weight", "age", "days", "base")
GONE = ("", "NA", "NaN", "nan", "null")

Answer = list[tuple[Any, ...]]
Database = Callable[[str, str], Answer]


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def table(name: str) -> tuple[dict[str, str], list[list[object]]]:
    """Columns with their types, and cells: numbers as numbers, NULL where one is missing."""
    case = CASES[name]
    numbers = {case.name(column) for column in NUMBERS}
    kinds = {column: "DOUBLE PRECISION" if column in numbers else "VARCHAR" for column in rows(name)[0]}
    cells: list[list[object]] = [
        [cell if column not in numbers else None if cell in GONE else float(cell) for column, cell in row.items()]
        for row in rows(name)
    ]
    return kinds, cells


def in_sqlite(name: str, statement: str, into: str = "data") -> Answer:
    kinds, cells = table(name)
    with sqlite3.connect(":memory:") as base:
        base.execute(f"CREATE TABLE {quoted(into)} ({', '.join(f'{quoted(c)} {kind}' for c, kind in kinds.items())})")
        base.executemany(f"INSERT INTO {quoted(into)} VALUES ({', '.join('?' * len(kinds))})", cells)  # noqa: S608
        return base.execute(statement).fetchall()


def in_duckdb(name: str, statement: str, into: str = "data") -> Answer:
    kinds, cells = table(name)
    with duckdb.connect() as base:
        base.execute(f"CREATE TABLE {quoted(into)} ({', '.join(f'{quoted(c)} {kind}' for c, kind in kinds.items())})")
        base.executemany(f"INSERT INTO {quoted(into)} VALUES ({', '.join('?' * len(kinds))})", cells)  # noqa: S608
        return base.execute(statement).fetchall()


def check(name: str, found: Sequence[tuple[Any, ...]], kinds: tuple[str, ...] = ("link", "response", "class")) -> None:
    """Hold results against predict. As its head says, rows with numbers that are too large have none."""
    for row, values, expected in zip(rows(name), found, truth(name), strict=True):
        if foreign(name, row):
            assert values[0] is None
            continue
        if values[0] is None and expected["link"] is not None:
            assert any(abs(float(row[CASES[name].name(column)] or 0)) > 1e99 for column in NUMBERS[:3]), row
        else:
            known = tuple(value for kind, value in expected.items() if kind in kinds)
            assert len(values) == len(known)
            assert all(map(nearly, values, known)), (row, values, known)


def foreign(name: str, row: Row) -> bool:
    """Whether a text has signs that the statement does not know."""
    known = "\u2013\u2014\u2018\u2019\u201c\u201d\u1e9e\u212a\u212b"
    return "--text" in CASES[name].words and any(
        ord(sign) > 0xFF and sign not in known for sign in row[CASES[name].name("note")]
    )


DATABASES = {"sqlite": in_sqlite, "duckdb": in_duckdb}


@pytest.mark.parametrize("database", DATABASES.values(), ids=DATABASES)
@pytest.mark.parametrize("name", CASES)
def test_rows_score_as_predict_scores_them(name: str, database: Database) -> None:
    found = {row[0]: row[1:] for row in database(name, exported(name, "sql"))}
    assert len(found) == len(rows(name))
    check(name, [found[row["who"]] for row in rows(name)])


@pytest.mark.parametrize("database", DATABASES.values(), ids=DATABASES)
def test_numbers_read_back_as_the_same_double(database: Database) -> None:
    drawn = np.random.default_rng(2)
    numbers = [*(drawn.normal(size=300) * 10.0 ** drawn.integers(-12, 12, 300)), 0.1, 1e22, 5e-7, 123456789012345680.0]
    from regcli.report.scorers.sql_names import numeral  # noqa: PLC0415

    (answer,) = database("gaussian", f"SELECT {', '.join(numeral(float(number)) for number in numbers)}")
    assert list(answer) == [float(number) for number in numbers]


@pytest.mark.parametrize("database", [in_sqlite, in_duckdb])
def test_names_of_tables_and_columns_stay_names(database: Callable[..., Answer]) -> None:
    name, into = "gaussian-hostile", 'data"; DROP TABLE x; --\n'
    statement = exported(name, "sql", "--table", into, "--id", CASES[name].name("age"), "--id", "who")
    found = database(name, statement, into)
    assert [row[1] for row in found] == [row["who"] for row in rows(name)]
    assert sum(row[2] is not None for row in found) > len(found) / 2


@pytest.mark.parametrize("kind", ["link", "response", "class"])
def test_one_output_alone(kind: str) -> None:
    statement = exported("binomial", "sql", "--type", kind)
    assert ("exp(" in statement) == (kind != "link")
    check("binomial", [row[1:] for row in in_sqlite("binomial", statement)], (kind,))


def test_it_can_be_a_view() -> None:
    kinds, cells = table("binomial")
    with sqlite3.connect(":memory:") as base:
        base.execute(f"CREATE TABLE data ({', '.join(f'{quoted(c)} {kind}' for c, kind in kinds.items())})")
        base.executemany(f"INSERT INTO data VALUES ({', '.join('?' * len(kinds))})", cells)  # noqa: S608
        base.execute("CREATE VIEW scores AS " + exported("binomial", "sql"))
        found = base.execute("SELECT link FROM scores ORDER BY who").fetchall()
    check("binomial", found, ("link",))


def test_text_among_numbers_is_no_number() -> None:
    kinds, cells = table("gaussian")
    at = list(kinds).index("size")
    with sqlite3.connect(":memory:") as base:
        base.execute(f"CREATE TABLE data ({', '.join(map(quoted, kinds))})")  # without types every cell keeps its own
        base.executemany(f"INSERT INTO data VALUES ({', '.join('?' * len(kinds))})", cells[40:])  # noqa: S608
        before = base.execute(exported("gaussian", "sql")).fetchall()
        base.execute("UPDATE data SET size = 'much'")
        after = base.execute(exported("gaussian", "sql")).fetchall()
    assert cells[40][at] is not None
    assert all(row[1] is not None and math.isfinite(row[1]) for row in before)
    assert all(row[1] is None for row in after)


@pytest.mark.parametrize("kind", ["DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"])
def test_columns_of_dates_score_alike(kind: str) -> None:
    kinds, cells = table("dates")
    at = list(kinds).index("when")
    day = re.compile("[12][0-9]{3}-[01][0-9]-[0-3][0-9]")
    scored = [row for row, told in zip(cells, truth("dates"), strict=True) if told["link"] is not None]
    plain = [row for row in scored if day.fullmatch(str(row[at])) is not None]
    with duckdb.connect() as base:
        base.execute("SET TimeZone = 'UTC'")
        base.execute(f"CREATE TABLE data ({', '.join(f'{quoted(c)} {kind}' for c, kind in kinds.items())})")
        base.executemany(f"INSERT INTO data VALUES ({', '.join('?' * len(kinds))})", plain)  # noqa: S608
        known = base.execute(exported("dates", "sql")).fetchall()
        base.execute(f'ALTER TABLE data ALTER "when" TYPE {kind}')
        assert base.execute(exported("dates", "sql")).fetchall() == known
    assert sum(row[1] is not None for row in known) > 15


def test_columns_of_other_types_score_alike() -> None:
    kinds, cells = table("gaussian")
    with duckdb.connect() as base:
        base.execute(f"CREATE TABLE data ({', '.join(f'{quoted(c)} {kind}' for c, kind in kinds.items())})")
        base.executemany(f"INSERT INTO data VALUES ({', '.join('?' * len(kinds))})", cells[40:])  # noqa: S608
        known = base.execute(exported("gaussian", "sql")).fetchall()
        for column, kind in {"open": "BOOLEAN", "grade": "SMALLINT", "size": "DECIMAL(12, 3)"}.items():
            base.execute(f"ALTER TABLE data ALTER {column} TYPE {kind}")
        assert base.execute(exported("gaussian", "sql")).fetchall() == known
    assert all(row[1] is not None for row in known)
