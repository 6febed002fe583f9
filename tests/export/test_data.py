"""The scorer as data: a program that knows its schema and nothing of regcli scores rows as predict does."""

import json
import math
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from regcli.report.schemas import SCHEMAS
from tests.export.models import CASES, Row, exported, nearly, rows, truth
from tests.fuzz.tool import run_tool

Scorer = dict[str, Any]
Cells = dict[tuple[str, str | None], float | str | None]

FUNCTIONS = {name: getattr(math, name) for name in ("exp", "log", "log10", "log1p", "log2", "sqrt")} | {"abs": abs}
CLOCK = r"\d\d(:?\d\d(:?\d\d([.,]\d+)?)?)?"
SPELT = re.compile(rf"\s*\d{{4}}-?(\d\d-?\d\d|W\d\d(-?\d)?)([Tt ]{CLOCK}(Z|[+-]{CLOCK})?)?\s*", re.ASCII)
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def read(scorer: Scorer, row: Row) -> Cells | None:
    """The cells of a row as the scorer compares them; None where one of them cannot be used."""
    cells: Cells = {}
    stand_ins = {float(word) for word in scorer["na_values"] if re.fullmatch(r"[+-]?\d+(\.\d*)?", word)}
    for part in scorer["inputs"]:
        cell: float | str | None = None if row[part["column"]] in scorer["na_values"] else row[part["column"]]
        if isinstance(cell, str) and part["kind"] == "number":
            cell = None if float(cell) in stand_ins else float(cell)
        if cell is None and part["required"]:
            return None
        if isinstance(cell, str):
            cell = cell.lower() if part["boolean"] else cell
            if part["closed"] and cell not in part["levels"]:
                return None
        cells[part["column"], None] = cell
        for made in part["made"]:
            try:
                value = None if cell is None else function(made["function"], cell)
            except (ValueError, OverflowError):
                return None
            if made["closed"] and value is not None and value not in made["levels"]:
                return None
            cells[part["column"], made["function"]] = value
    return cells


def function(name: str, cell: float | str) -> float | str:
    if isinstance(cell, float):
        return float(FUNCTIONS[name](cell))
    if SPELT.fullmatch(cell) is None:
        raise ValueError(cell)
    when = datetime.fromisoformat(cell.strip())
    if name == "days":
        offset = when.utcoffset() or timedelta()
        return (when.replace(tzinfo=None) - datetime(1970, 1, 1) - offset) / timedelta(days=1)  # noqa: DTZ001
    parts: dict[str, float | str] = {"year": float(when.year), "month": str(when.month)}
    return parts.get(name) or WEEKDAYS[when.weekday()]


def spline(x: float, knots: list[float], which: int) -> float:
    """The documented basis, written once more."""
    if which == 1 or which >= len(knots):
        return x if which == 1 else 0.0
    first, here, before, last = knots[0], knots[which - 2], knots[-2], knots[-1]
    if x > last:  # a straight line, from the value and the slope at the last knot
        end = spline(last, knots, which)
        slope = 3 * ((last - here) - (last - before)) / (last - first) ** 2
        return end + slope * (x - last)
    parts = [max(x - knot, 0.0) ** 3 / (last - knot) for knot in (here, before)]
    return (parts[0] - parts[1]) / (last - first) ** 2


def factor(part: dict[str, Any], known: dict[str, Any], cells: Cells) -> float:  # noqa: PLR0911  (one for each kind)
    cell = cells[part["column"], part["function"]]
    known = next((made for made in known["made"] if made["function"] == part["function"]), known)
    levels = known["levels"]
    pooled = "(other)" if cell in known["pooled"] else cell
    if cell is None:
        return float(part["fill"])
    match part["kind"]:
        case "value":
            value = 1.0
            for _ in range(part["power"]):
                value *= float(cell)
            return value
        case "level":
            return float(pooled == (part["level"].lower() if known.get("boolean") else part["level"]))
        case "step":
            return float(pooled in levels and levels.index(pooled) >= levels.index(part["level"]))
        case "spline":
            return spline(float(cell), known["knots"], part["power"])
        case "missing":
            return 0.0
        case "word":
            words = re.findall(r"\b\w\w+\b", str(cell).lower())
            size = part["level"].count(" ") + 1
            found = sum(words[at : at + size] == part["level"].split(" ") for at in range(len(words)))
            return float(min(found, 1) if known["binary"] else found)
    raise AssertionError(part)


def link(scorer: Scorer, row: Row) -> float | None:
    cells = read(scorer, row)
    if cells is None:
        return None
    known = {part["column"]: part for part in scorer["inputs"]}
    eta = scorer["intercept"] + float(cells.get((scorer["offset"], None)) or 0.0)
    if scorer["exposure"] is not None:
        exposure = float(cells[scorer["exposure"], None] or 0.0)
        if exposure <= 0:
            return None
        eta += math.log(exposure)
    for term in scorer["terms"]:
        eta += (
            term["estimate"] * term["weight"] * math.prod(factor(p, known[p["column"]], cells) for p in term["factors"])
        )
    return eta if math.isfinite(eta) else None


@pytest.mark.parametrize("name", CASES)
def test_rows_score_as_predict_scores_them(name: str) -> None:
    scorer = json.loads(exported(name, "json"))
    for row, expected in zip(rows(name), truth(name), strict=True):
        assert nearly(link(scorer, row), expected["link"]), row


@pytest.mark.parametrize("name", CASES)
def test_it_holds_to_its_schema(name: str) -> None:
    scorer = json.loads(exported(name, "json"))
    jsonschema.validate(scorer, SCHEMAS["scorer"])
    for key in scorer:
        with pytest.raises(jsonschema.ValidationError, match="required"):
            jsonschema.validate({k: v for k, v in scorer.items() if k != key}, SCHEMAS["scorer"])


@pytest.mark.parametrize("name", CASES)
def test_the_probes_are_rows_with_their_results(name: str) -> None:
    scorer = json.loads(exported(name, "json"))
    assert len(scorer["probes"]) in (3, 4)
    for probe in scorer["probes"]:
        row = {column: "" if cell is None else str(cell) for column, cell in probe["row"].items()}
        assert nearly(link(scorer, row), probe["link"])


@pytest.mark.parametrize(("name", "key"), [("pooled", "pooled"), ("pooled-filled", "pooled"), ("splines", "knots")])
def test_what_counts_as_one_level_and_where_knots_are_is_told(name: str, key: str) -> None:
    told = [part[key] for part in json.loads(exported(name, "json"))["inputs"]]
    assert any(told), told


def test_show_prints_it_again(tmp_path: Path) -> None:
    path = tmp_path / "scorer.json"
    path.write_text(exported("splines", "json"), "utf-8")
    assert run_tool("show", path).out == path.read_text("utf-8")
    run = run_tool("show", path, "-f", "table")
    assert (run.status, "error[option-without-effect]" in run.err) == (2, True)
