"""Models to export, rows to score, and what predict says of them."""

import csv
import io
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from tests.fuzz.tool import run_tool

__all__ = ["CASES", "Case", "Row", "exported", "fitted", "nearly", "rows", "truth", "unsure"]

ROWS = 80

Row = Mapping[str, str]

#: Names that would break out of a string, a comment or an identifier if anything let them.
HOSTILE = {
    "size": 'y,"x',
    "weight": "a'b",
    "age": 'x"; DROP TABLE t; --',
    "kind": "new\nline */ ??/",
    "shop": "emoji \U0001f3b2 ] ` {0} %s",
    "open": "tail\\",
    "grade": "${x} \t'''\"\"\"",
    "cost": "co\\nst\\",
    "when": "wh'en\"}",
    "note": "no*/te%d",
}
LEVELS = ("it's", 'say "hi"; --', "\\", "??/\U0001f3b2\nx */", " wide\t ")


@dataclass(frozen=True, slots=True)
class Case:
    """A family, options of fit, and whether names and levels are hostile ones; ``holes`` are in the training rows."""

    family: str
    words: tuple[str, ...] = ()
    hostile: bool = False
    holes: bool = False
    scored: tuple[str, ...] = ()

    def name(self, column: str) -> str:
        """What a column is called."""
        return HOSTILE.get(column, column) if self.hostile else column


ONLY_MISSING = ("--lower", "*=0", "--upper", "*=0", "--lower", "missing(when)=-inf", "--upper", "missing(when)=inf")
RIDGE = ("--penalty", "l2", "-l", "0.05")
CURVED = ("--poly", "3", "--interactions", "size:age", "--interactions", "kind:weight", "--interactions", "kind:open")

DATED = (*RIDGE, "--date", "when")
WORDED = (*RIDGE, "--text", "note", "--text-min-rows", "1")
BENT = "cost ~ size + exp(size) + abs(age) + log(days) + log1p(days) + log10(days) + log2(days) + sqrt(days) + shop"

#: Numbers and a spelling of a boolean that mean a missing cell.
STAND_INS = ("--na-values", '"",NA,nan,null,-999,+7.50,TRUE')

CASES = {
    "gaussian": Case("gaussian", RIDGE),
    "gaussian-offset": Case("gaussian", (*RIDGE, "--offset", "base")),
    "gaussian-curved": Case("gaussian", (*RIDGE, *CURVED)),
    "gaussian-null": Case("gaussian", ("-l", "1e6")),
    "gaussian-hostile": Case("gaussian", (*RIDGE, "--missing", "indicator"), hostile=True, holes=True),
    "binomial": Case("binomial", RIDGE),
    "binomial-threshold": Case("binomial", (*RIDGE, "--threshold", "0.3", "--positive-class", "\\")),
    "binomial-hostile": Case("binomial", (*RIDGE, "--poly", "2"), hostile=True),
    "poisson": Case("poisson", RIDGE),
    "poisson-exposure": Case("poisson", (*RIDGE, "--exposure", "days")),
    "poisson-lasso": Case("poisson", ("-l", "0.2", *CURVED, "--missing", "mean"), holes=True),
    "missing-drop": Case("gaussian", (*RIDGE, "--missing", "drop"), holes=True),
    "missing-mean": Case("gaussian", (*RIDGE, "--missing", "mean", *CURVED), holes=True),
    "missing-median": Case("binomial", (*RIDGE, "--missing", "median", *CURVED), holes=True),
    "missing-indicator": Case("gaussian", (*RIDGE, "--missing", "indicator", *CURVED), holes=True),
    "splines": Case("gaussian", (*RIDGE, "--spline", "size", "--spline", "age")),
    "splines-filled": Case(
        "poisson", (*RIDGE, "--spline", "size", "--missing", "indicator", "--interactions", "age:kind"), holes=True
    ),
    "ordinal": Case("gaussian", (*RIDGE, "--ordinal", "grade", "--ordinal", "kind", "--interactions", "grade:age")),
    "ordinal-filled": Case("binomial", (*RIDGE, "--ordinal", "grade", "--missing", "mean"), holes=True),
    "pooled": Case("gaussian", (*RIDGE, "--min-level-count", "21")),
    "pooled-filled": Case(
        "gaussian", (*RIDGE, "--min-level-count", "15", "--missing", "mean"), hostile=True, holes=True
    ),
    "functions": Case("gaussian", (*RIDGE, "--formula", BENT)),
    "functions-filled": Case(
        "binomial", (*RIDGE, "--formula", f"{BENT} + log(days):size", "--missing", "indicator"), holes=True
    ),
    "functions-idle": Case("poisson", ("-l", "0.3", "--formula", BENT)),
    "dates": Case("gaussian", (*DATED, "--interactions", "days(when):size", "--interactions", "weekday(when):age")),
    "dates-missing": Case(
        "gaussian", ("-l", "0.01", "--date", "when", "--missing", "indicator", *ONLY_MISSING), holes=True
    ),
    "dates-filled": Case("poisson", (*DATED, "--missing", "indicator", "--poly", "2"), holes=True),
    "dates-hostile": Case(
        "binomial", (*DATED, "--missing", "mean", "--min-level-count", "7"), hostile=True, holes=True
    ),
    "dates-unknown": Case("gaussian", DATED, scored=("--unknown-level", "zero")),
    "words": Case("gaussian", (*WORDED, "--text-ngrams", "3")),
    "words-tfidf": Case("binomial", (*WORDED, "--text-weights", "tfidf", "--text-ngrams", "2"), hostile=True),
    "words-binary": Case("poisson", (*WORDED, "--text-weights", "binary", "--missing", "indicator"), holes=True),
    "words-required": Case("gaussian", (*WORDED, "--missing", "mean", "--missing", "note=drop"), holes=True),
    "splines-dates-words": Case(
        "gaussian",
        (*DATED, "--text", "note", "--spline", "size", "--interactions", "days(when):kind", "--missing", "indicator"),
        holes=True,
    ),
    "splines-offset-exposure": Case(
        "poisson", (*RIDGE, "--spline", "age", "--offset", "base", "--exposure", "days", "--ordinal", "grade")
    ),
    "ordinal-pooled-offset": Case(
        "binomial",
        (
            *RIDGE,
            "--ordinal",
            "grade",
            "--min-level-count",
            "18",
            "--offset",
            "base",
            "--poly",
            "2",
            "--missing",
            "mean",
            "--interactions",
            "grade:kind",
        ),
        holes=True,
        scored=("--unknown-level", "zero"),
    ),
    "words-pooled-curved": Case(
        "binomial",
        (
            *WORDED,
            "--text-weights",
            "tfidf",
            "--min-level-count",
            "18",
            "--poly",
            "3",
            "--interactions",
            "shop:size",
            "--threshold",
            "0.4",
        ),
    ),
    "stand-ins": Case("gaussian", (*RIDGE, *STAND_INS, "--missing", "drop"), holes=True),
    "stand-ins-filled": Case("binomial", (*RIDGE, *STAND_INS, "--poly", "2", "--missing", "indicator"), holes=True),
    "stand-ins-functions": Case(
        "poisson", (*RIDGE, *STAND_INS, "--formula", BENT, "--missing", "indicator"), holes=True
    ),
    "stand-ins-exposure": Case("poisson", (*RIDGE, *STAND_INS, "--exposure", "days", "--offset", "base")),
    "unknown-zero": Case(
        "gaussian", (*RIDGE, "--missing", "indicator"), holes=True, scored=("--unknown-level", "zero")
    ),
}


@cache
def fitted(name: str) -> str:
    """The text of the case's model file."""
    case = CASES[name]
    table = _training(case)
    target = case.name("cost")
    with TemporaryDirectory() as folder:
        data, model = Path(folder, "train.csv"), Path(folder, "model.json")
        table.to_csv(data, index=False)
        words = [case.name(word) if word in HOSTILE else word for word in case.words]
        unused = [case.name(column) for column in ("base", "days", "when", "note")]
        plain = ["-y", target, *([] if "--ordinal" in words else ["--categorical", case.name("grade")])]
        plain += [part for column in unused if column not in words for part in ("--drop", column)]
        run = run_tool(
            "fit", data, "--family", case.family, "--id", "who",
            *([] if "--formula" in words else plain), *words, "-m", model, "-o", Path(folder, "fit.json"),
        )  # fmt: skip
        assert run.status == 0, run.err
        return model.read_text("utf-8")


def exported(name: str, target: str, *words: str) -> str:
    """The scorer of a case, as text."""
    with TemporaryDirectory() as folder:
        model, out = Path(folder, "model.json"), Path(folder, "scorer.any")
        model.write_text(fitted(name), "utf-8")
        run = run_tool("export", model, "--to", target, *CASES[name].scored, *words, "-o", out)
        assert run.status == 0, run.err
        return out.read_bytes().decode("utf-8", "surrogateescape")


@cache
def truth(name: str) -> list[dict[str, Any]]:
    """Link, response and class of every row by predict; None for rows that cannot be scored."""
    case, found = CASES[name], []
    with TemporaryDirectory() as folder:
        model, data = Path(folder, "model.json"), Path(folder, "new.csv")
        model.write_text(fitted(name), "utf-8")
        with data.open("w", encoding="utf-8", newline="") as stream:
            out = csv.DictWriter(stream, list(rows(name)[0]))
            out.writeheader()
            out.writerows(rows(name))
        for kind in ("link", "response", *(["class"] if case.family == "binomial" else [])):
            run = run_tool("predict", model, data, "--type", kind, "--on-bad-row", "null", *case.scored, "-f", "jsonl")
            assert run.status == 0, run.err
            found.append((kind, [json.loads(line)["prediction"] for line in io.StringIO(run.out)]))
    results = [
        dict(zip([kind for kind, _ in found], row, strict=True)) for row in zip(*(v for _, v in found), strict=True)
    ]
    assert len(results) == len(rows(name))
    assert sum(row["link"] is not None for row in results) > ROWS // 2
    assert name == "gaussian-null" or any(row["link"] is None for row in results)
    return results


@cache
def rows(name: str) -> tuple[Row, ...]:
    """New rows, cells as they are spelt: like those of training, and some with whatever can be odd about a cell."""
    case = CASES[name]
    parts = [_table(np.random.default_rng(seed), hostile=case.hostile) for seed in (5, 6)]
    table = pd.concat(parts, ignore_index=True).astype(str)
    table["who"] = [f"{at:03d}" for at in range(len(table))]
    for at, (column, cell) in enumerate(_ODD):
        table.loc[at, column] = cell
    for column, cells in _ODDER.items():
        for at, cell in enumerate(cells):
            table.loc[len(_ODD) + at, column] = cell
    return tuple({case.name(str(column)): cell for column, cell in row.items()} for row in table.to_dict("records"))


#: Cells of columns, one to a row: missing, unknown, large, small, in other spellings.
_ODD = (
    ("size", ""), ("weight", "NA"), ("age", "nan"), ("kind", ""), ("shop", "NA"), ("open", ""), ("grade", "null"),
    ("kind", "never seen"), ("shop", "EAST"), ("open", "TRUE"), ("open", "fAlSe"), ("open", "perhaps"),
    ("grade", "1.0"), ("grade", " 1"), ("size", "1e200"), ("age", "-1e305"), ("weight", "1e-320"), ("size", "-0.0"),
    ("days", "0"), ("days", "-1"), ("base", ""), ("days", ""), ("size", "inf"), ("base", "12345.678"),
    ("size", "1000000"), ("size", "-1000000"),
)  # fmt: skip

#: The same for columns of which nothing else is odd: dates in whatever spelling, and what is none; texts.
_ODDER = {
    "days": ("-0.5", "-1", "1e-300", "1e300", "5e-324", "0", "NA", "3", "1", "2", "3", "4", "5", "-999", "7.5"),
    "size": ("709.7", "709.79", "-800", "1e-9", "0", "-999", "-999.0", "-9.99e2", " 3 ", "7.5", "3 ", "750e-2"),
    "open": ("NA", "NULL", "Null", "null", "NaN", "NAN", "nAn", "Na", "TRUE", "true", "True"),
    "when": (
        "2024-02-29", "2023-02-29", "1900-02-29", "2000-02-29", "1969-12-31", "1970-01-01", "0001-01-01",
        "9999-12-31", "0000-01-01", "2024-13-01", "2024-00-10", "2024-04-31", "20240229", "2024-02-29T08:30",
        "2024-02-29 23:59:59.5", "20240229T083015,25", "2024-02-29t08", "2024-02-29T08:30:00Z",
        "2024-02-29T00:30+01:00", "2024-02-29T23:30-0130", "0001-01-01T00:00+14:00", "1969-12-31T12:00:00.1234567",
        "1890-01-01 00:00:00+00:53:28", "2024-02-29T24:00", "2024-02-29T08:60", "2024-02-29T08:30:61",
        "2024-02-29T08:30:15:25", " 2024-02-29 ", "2024-2-9", "29.2.2024", "2024-02-29Z", "2024-02-29T08:30z",
        "2024-02-29T08:30+24:00", "\uff12024-01-01", "it's", "", "null", "9", "\u00e9", "2024-02-29T",
        "2024-02-29T08:30:15.", "2024W091", "2024-W09", "2020-W53-7", "2021-W53-1", "0001-W01-1",
        "2020-W00", "9999-W52-5", "9999-W52-6", "2026-W53-5", "2015W537T10+11", "2020-W01-0", "2020-W011",
        "2024-02-29T0830+01",
        "2024-02-29T08:30:15+01:00:07", "-024-02-29", "2024-02-29T08.5", "2024-01-06", "2024-03-03",
    ),
    "note": (
        "", "NA", "free", "FREE Free fReE", "free free free", "now", "it's FREE,now!", "free_now", "free1 now",
        "a free b", "free now", "free\nnow", "free\tnow", "free a now", "free; now -- free now", "now now now now",
        "\u00dcBER free", "\u00fcber", "\u00fcberfree", "free\u00a0now", "free\u2019s", "na\u00efve",
        "NA\u00cfVE now", "%free%", "'free'", '"free"', "free\\now", "a", "ab", "  free  ", "\u4f60\u597d free",
        "free\U0001f3b2now", "1e5 12", "very very very", "<free><now>", "free/*now*/", "_free", "free_", "$1 free",
        "no\u00f1o", "x free-now", "VERY", "stra\u00dfe STRASSE", "free\u2014now", "caf\u00e9 CAF\u00c9",
        "free.now.", "\u00c9", "fr\u00e9e", "ab a b free", "very a very very", "now free now",
        "free \u039f\u0394\u039f\u03a3", "\u0130yi free", "free \u212bb \u1e9e \u212a",
    ),
}  # fmt: skip


def unsure(name: str, row: Row) -> bool:
    """Whether a text has capitals whose small letters only Python, PMML and data know: a sigma, an I with a dot."""
    return "--text" in CASES[name].words and not {"\u03a3", "\u0130"}.isdisjoint(row[CASES[name].name("note")])


def nearly(found: object, expected: object) -> bool:
    """The same to 1e-12 of its size: sums of a handful of numbers near 1, in double precision."""
    if isinstance(expected, float) and isinstance(found, float):
        return math.isclose(found, expected, rel_tol=1e-12, abs_tol=1e-12)
    return found == expected


def _table(rng: np.random.Generator, *, hostile: bool) -> pd.DataFrame:
    size, weight, age = rng.normal(size=(3, ROWS)).round(3)
    kind = rng.choice(LEVELS if hostile else ("a", "b", "c", "d"), ROWS)
    shop, open_ = rng.choice(["east", "west"], ROWS), rng.random(ROWS) < 0.5
    grade, days = rng.choice([1, 2, 3], ROWS), rng.integers(1, 9, ROWS).astype(float)
    base = rng.normal(size=ROWS).round(2)
    when, note = _more(int(rng.integers(1 << 30)))
    cost = size - weight * age + 2 * open_ + grade + (kind == kind[0]) + (shop == "west") + rng.normal(size=ROWS)
    return pd.DataFrame(
        {
            "who": [f"{at:03d}" for at in range(ROWS)], "size": size, "weight": weight, "age": age, "kind": kind,
            "shop": shop, "open": open_, "grade": grade, "days": days, "base": base, "cost": cost.round(3),
            "when": when, "note": note,
        }
    )  # fmt: skip


def _more(seed: int) -> tuple[list[str], list[str]]:
    """Dates, and texts of a few words."""
    rng = np.random.default_rng(seed)
    days = np.datetime64("1970-01-01") + rng.integers(-9_000, 20_000, ROWS)
    texts = [" ".join(rng.choice(_VOCABULARY, rng.integers(0, 7))) for _ in range(ROWS)]
    return [str(day) for day in days], [text or "nothing" for text in texts]


_VOCABULARY = (
    "free", "now", "Free", "very", "very", "paid,", "a", "\u00dcber", "na\u00efve", "12", "free_now", "it's",
    "caf\u00e9", "stra\u00dfe", "no\u00f1o",
)  # fmt: skip


def _training(case: Case) -> pd.DataFrame:
    table = _table(np.random.default_rng(3), hostile=case.hostile)
    if case.family == "binomial":
        table["cost"] = np.where(table["cost"] > table["cost"].median(), "it's\t\\ \U0001f3b2", "\\")
    elif case.family == "poisson":
        table["cost"] = np.maximum(table["cost"].round(), 0.0)
    if case.holes:
        table = table.astype(object)
        for at, column in enumerate(["size", "age", "kind", "shop", "open", "grade", "when", "note", "days"]):
            table.loc[at :: 9 + at, column] = ""
    return table.rename(columns=HOSTILE) if case.hostile else table
