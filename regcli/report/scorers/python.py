"""A scorer as one Python file that needs the standard library alone."""

from regcli.data.model_read import PROBE_TOLERANCE
from regcli.data.rule import LARGEST_EXPONENT, Condition, Input, Missing, Rule
from regcli.report.escape import visible
from regcli.report.scorers.infix import SMALLEST_LOGIT, Syntax, about, expression

__all__ = ["python_scorer"]

_HEAD = '''\
#!/usr/bin/env python3
{about}
#
# predict(row) takes a dict with a cell for every name in COLUMNS and returns one with {outputs}:
# all None where the row cannot be scored (a cell missing that the model does not fill{unknown}, an
# offset or exposure that cannot be used, values beyond double precision).
# A cell is a number or text; missing are None, NaN and the texts in MISSING. Categories are compared as spelt.
#
#     python scorer.py < data.csv > scores.csv    scores rows of a CSV file with a header
#     python scorer.py --self-test                holds the scorer against results stored with the model

import csv
import math
import re
import sys

COLUMNS = {columns}
MISSING = {missing}
OUTPUTS = {names}
PROBES = {probes}

_NUMBER = re.compile(r"\\s*([+-]?(?:\\d+(?:\\.\\d*)?|\\.\\d+)(?:e[+-]?\\d+)?)\\s*", re.IGNORECASE | re.ASCII)


class _Unusable(Exception):
    """The row cannot be scored."""


def _read(cell):
    """The number in a text."""
    match = _NUMBER.fullmatch(cell)
    if match is None:
        raise _Unusable
    return float(match[1])


_MISSING_NUMBERS = {{float(cell) for cell in MISSING if _NUMBER.fullmatch(cell)}}


def _number(cell):
    """A cell as a number; None where it is missing."""
    if cell is None or (isinstance(cell, str) and cell in MISSING):
        return None
    if isinstance(cell, str):
        value = _read(cell)
        return None if value in _MISSING_NUMBERS else value
    try:
        value = float(cell)
    except OverflowError:
        raise _Unusable from None
    return None if math.isnan(value) else value


def _text(cell):
    """A cell as text; None where it is missing."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return None
    text = cell if isinstance(cell, str) else str(cell)
    return None if text in MISSING else text


def _require(holds):
    """Give the row up where something does not hold."""
    if not holds:
        raise _Unusable


def _link(row):
    """The linear predictor."""
{body}
    _require(math.isfinite(eta))
    return eta


{mean}


def predict(row):
    """Score one row."""
    try:
        link = _link(row)
    except _Unusable:
        return dict.fromkeys(OUTPUTS)
    response = _mean(link)
{result}


'''

# Apart from the head, because nothing is put in here.
_TAIL = '''\
def self_test():
    """Hold the scorer against the results that were stored with the model."""
    for row, link, allowed in PROBES:
        found = predict(row)["link"]
        if found is None or not abs(found - link) <= allowed:
            raise SystemExit(f"self-test failed: {row!r} gives {found!r}, not {link!r}")
    print(f"self-test passed: {len(PROBES)} rows")


def main():
    """Score a CSV table from standard input."""
    sys.stdin.reconfigure(encoding="utf-8-sig", newline="")
    sys.stdout.reconfigure(encoding="utf-8", newline="")
    csv.field_size_limit(2**31 - 1)
    rows = csv.reader(sys.stdin, strict=True)
    header = next(rows, [])
    absent = [name for name in COLUMNS if header.count(name) != 1]
    if absent:
        raise SystemExit(f"the table must have one column {absent[0]!r}")
    out = csv.writer(sys.stdout, lineterminator="\\n")
    out.writerow(OUTPUTS)
    for row in rows:
        if row and len(row) != len(header):
            raise SystemExit(f"line {rows.line_num} has {len(row)} cells, not {len(header)}")
        if row:
            out.writerow(predict(dict(zip(header, row))).values())


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        self_test()
    elif sys.argv[1:]:
        raise SystemExit("usage: python scorer.py [--self-test] < data.csv")
    else:
        main()
'''

_MEANS = {
    "identity": "    return link",
    "logit": (f"    return 0.0 if link < {SMALLEST_LOGIT!r} else 1.0 / (1.0 + math.exp(-link))"),
    "log": f"    return math.exp(min(link, {LARGEST_EXPONENT!r}))",
}


def python_scorer(rule: Rule) -> str:
    """The file."""
    result = "    return {'link': link, 'response': response}"
    if rule.classes is not None:
        chosen = f"{rule.positive!r} if response >= {rule.threshold!r} else {rule.negative!r}"
        result = f"    return {{'link': link, 'response': response, 'class': {chosen}}}"
    probes = [(dict(rule.probe_row(probe)), probe.link, PROBE_TOLERANCE * probe.size) for probe in rule.probes]
    head = _HEAD.format(
        about="\n".join(f"# {line}" for line in about(rule)),
        outputs=" and ".join(rule.outputs[:2]) if rule.classes is None else ", ".join(rule.outputs),
        unknown=", a category it does not know" if any(part.closed for part in rule.inputs) else "",
        columns=_listed([part.column for part in rule.inputs]),
        missing=_listed(list(rule.na_values)),
        names=_listed(list(rule.outputs)),
        probes=_listed(probes),
        body="\n".join(f"    {line}" for line in _body(rule)),
        mean=f'def _mean(link):\n    """The response."""\n{_MEANS[rule.link]}',
        result=result,
    )
    return head + _TAIL


def _listed(values: list[object] | list[str] | list[tuple[dict[str, float | str | None], float, float]]) -> str:
    """A list, an item a line."""
    return "[" + "".join(f"\n    {value!r}," for value in values) + ("\n]" if values else "]")


def _set(levels: tuple[str, ...]) -> str:
    """A set in the order of the model."""
    return "{" + ", ".join(map(repr, levels)) + "}"


def _body(rule: Rule) -> list[str]:
    """Read the cells, then add up."""
    places = {part.column: f"x{at}" for at, part in enumerate(rule.inputs)}
    lines = [line for part in rule.inputs for line in _reading(part, places[part.column])]

    def condition(asked: Condition) -> str:
        place = places[asked.source]
        return f"{place} is None" if isinstance(asked, Missing) else f"{place} in {_set(asked.levels)}"

    syntax = Syntax(
        number=repr,
        cell=lambda source: f"{places[source]}f" if filled[source] else places[source],
        condition=condition,
        choose="({then} if {condition} else {otherwise})",
        log="math.log",
        larger="max({of}, {bound})",
        smaller="min({of}, {bound})",
    )
    filled = {part.column: part.fill is not None for part in rule.inputs}
    lines.append(f"eta = {rule.intercept!r}")
    if rule.shift is not None:
        lines.append(f"eta += {expression(rule.shift, syntax)}")
    lines += [
        f"eta += {term.estimate!r} * {expression(term.node, syntax)}  # {visible(term.name)}" for term in rule.summands
    ]
    return lines


def _reading(part: Input, place: str) -> list[str]:
    """Read one cell, and give the row up where it cannot be used."""
    cell = f"row[{part.column!r}]"
    lines = [f"{place} = {'_number' if part.kind == 'number' else '_text'}({cell})"]
    if part.required:
        lines.append(f"_require({place} is not None)")
    if part.positive:
        lines.append(f"_require({place} > 0)")
    if part.boolean:
        lines.append(f"{place} = {place} if {place} is None else {place}.casefold()")
    if part.closed:
        lines.append(f"_require({place} is None or {place} in {_set(part.levels)})")
    if part.fill is not None:
        lines.append(f"{place}f = {part.fill!r} if {place} is None else {place}")
    return lines
