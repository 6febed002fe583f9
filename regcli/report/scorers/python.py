"""A scorer as one Python file that needs the standard library alone."""

from collections.abc import Iterator

from regcli.data.derive import CLOCK, DATE_NAMES, DAY, WEEK, ZONE
from regcli.data.model_read import PROBE_TOLERANCE
from regcli.data.rule import DOMAINS, LARGEST_EXPONENT, Condition, Input, Made, Missing, Rule
from regcli.report.escape import visible
from regcli.report.scorers.infix import SMALLEST_LOGIT, Syntax, about, expression, unusable

__all__ = ["python_scorer"]

_HEAD = '''\
#!/usr/bin/env python3
{about}
#
# predict(row) takes a dict with a cell for every name in COLUMNS and returns one with {outputs}:
# all None where the row cannot be scored (a cell missing that the model does not fill{unknown}, an
# offset or exposure that cannot be used, {functions}values beyond double precision).
# A cell is a number or text; missing are None, NaN and the texts in MISSING, of which one that is a number means its
# value. Categories are compared as spelt.
{needs}#
#     python scorer.py < data.csv > scores.csv    scores rows of a CSV file with a header
#     python scorer.py --self-test                holds the scorer against results stored with the model

{imports}

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
    try:
        value = _read(cell) if isinstance(cell, str) else float(cell)
    except OverflowError:
        raise _Unusable from None
    return None if math.isnan(value) or value in _MISSING_NUMBERS else value


def _text(cell):
    """A cell as text; None where it is missing."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return None
    text = cell if isinstance(cell, str) else str(cell)
    return None if text in MISSING else text
{readers}

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

_DATES = f'''

# Days, days by their week, times of a day, offsets from UTC.
_DAY = r"{DAY}"
_WEEK = r"{WEEK}"
_CLOCK = r"{CLOCK}"
_ZONE = r"{ZONE}"
_EPOCH = datetime.date(1970, 1, 1)
_DATE = re.compile(rf"[ \\t-\\r]*((?:{{_DAY}}|{{_WEEK}})(?:[Tt ](?:{{_CLOCK}})(?:{{_ZONE}})?)?)[ \\t-\\r]*")


def _date(text):
    """A date or time in ISO 8601; a date is its midnight."""
    match = _DATE.fullmatch(text)
    _require(match is not None)
    try:
        return datetime.datetime.fromisoformat(match[1])
    except ValueError:
        raise _Unusable from None


def _days(when):
    """Days since 1970-01-01; of a time with an offset those in UTC."""
    offset = when.utcoffset() or datetime.timedelta()
    clock = datetime.datetime.combine(_EPOCH, when.time()) - datetime.datetime.combine(_EPOCH, datetime.time()) - offset
    days = when.toordinal() - _EPOCH.toordinal() + clock.days
    return days + (clock.seconds + clock.microseconds / 1e6) / 86400.0
'''

_WORDS = '''

_WORD = re.compile(r"\\b\\w\\w+\\b")


def _counts(text, ngrams):
    """How often each word is in a text, and each run of up to so many words."""
    words = _WORD.findall(text.lower())
    counts = collections.Counter(words)
    for size in range(2, ngrams + 1):
        counts.update(" ".join(words[at : at + size]) for at in range(len(words) - size + 1))
    return counts
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
    if sys.stdin is None or sys.stdout is None:
        raise SystemExit("standard input or output is closed")
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
        if hasattr(signal, "SIGPIPE"):
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # who reads may have enough: | head
        try:
            main()
            sys.stdout.flush()
        except (csv.Error, UnicodeDecodeError) as error:
            raise SystemExit(f"the table cannot be read: {error}") from error
        except OSError as error:
            sys.stdout = None  # what is left cannot be written either
            raise SystemExit(f"standard output cannot be written: {error.strerror}") from error
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
    dates, words = any(part.dates for part in rule.inputs), any(part.kind == "text" for part in rule.inputs)
    modules = [
        *(["collections"] if words else []),
        "csv",
        *(["datetime"] if dates else []),
        "math",
        "re",
        "signal",
        "sys",
    ]
    probes = [(dict(rule.probe_row(probe)), probe.link, PROBE_TOLERANCE * probe.size) for probe in rule.probes]
    head = _HEAD.format(
        about="\n".join(f"# {line}" for line in about(rule)),
        outputs=" and ".join(rule.outputs[:2]) if rule.classes is None else ", ".join(rule.outputs),
        unknown=", a category it does not know" if any(part.closed for part in rule.inputs) else "",
        functions=unusable(rule),
        needs="# Dates need Python 3.11.\n" if dates else "",
        imports="\n".join(f"import {name}" for name in sorted(modules)),
        readers=(_DATES if dates else "") + (_WORDS if words else ""),
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
    filled = {part.column for part in rule.inputs if part.fill is not None}
    lines = list[str]()
    for part in rule.inputs:
        place = places[part.column]
        lines += _reading(part, place)
        for made in part.made:
            places[made.column] = f"{place}_{made.function}"
            lines += _making(made, place, places[made.column])

    def condition(asked: Condition) -> str:
        if isinstance(asked, Missing):
            return f"{places[asked.source]} is None"
        return f"{places[asked.column]} in {_set(asked.levels)}"

    syntax = Syntax(
        number=repr,
        cell=lambda column: f"{places[column]}f" if column in filled else places[column],
        count=lambda column, word: f"{places[column]}w[{word!r}]",
        condition=condition,
        choose="({then} if {condition} else {otherwise})",
        log="math.log",
        larger="max({of}, {bound})",
        smaller="min({of}, {bound})",
    )
    lines.append(f"eta = {rule.intercept!r}")
    if rule.shift is not None:
        lines.append(f"eta += {expression(rule.shift, syntax)}")
    lines += [
        f"eta += {term.estimate!r} * {expression(term.node, syntax)}  # {visible(term.name)}" for term in rule.summands
    ]
    return lines


def _reading(part: Input, place: str) -> Iterator[str]:
    """Read one cell, and give the row up where it cannot be used."""
    yield f"{place} = {'_number' if part.kind == 'number' else '_text'}(row[{part.column!r}])"
    if part.required:
        yield f"_require({place} is not None)"
    if part.positive:
        yield f"_require({place} > 0)"
    if part.boolean:
        yield f"{place} = {place} if {place} is None else {place}.casefold()"
    if part.closed:
        yield f"_require({place} is None or {place} in {_set(part.levels)})"
    if part.fill is not None:
        yield f"{place}f = {part.fill!r} if {place} is None else {place}"
    if part.dates:
        yield f"{place}d = None if {place} is None else _date({place})"
    if part.kind == "text":
        counted = f"_counts({place} or '', {part.ngrams})"
        if part.binary:
            counted = f"collections.Counter(dict.fromkeys({counted}, 1))"
        yield f"{place}w = {counted}"


def _making(made: Made, cell: str, place: str) -> Iterator[str]:
    """What a function makes of a cell; the row is given up where it has no value."""
    if made.function in DOMAINS:
        if holds := " and ".join(f"{cell} {sign} {bound!r}" for sign, bound in DOMAINS[made.function].bounds()):
            yield f"_require({cell} is None or {holds})"
        value = _NUMBERS[made.function].format(cell)
    else:
        cell = f"{cell}d"
        value = _PARTS[made.function].format(cell)
    if made.used or made.closed:
        yield f"{place} = {made.fill!r} if {cell} is None else {value}"
    if made.closed:
        yield f"_require({place} is None or {place} in {_set(made.levels)})"


_NUMBERS = {
    "abs": "abs({})",
    "exp": "math.exp({})",
    "log": "math.log({})",
    "log10": "math.log10({})",
    "log1p": "math.log1p({})",
    "log2": "math.log2({})",
    "sqrt": "math.sqrt({})",
}

_PARTS = {
    "year": "float({}.year)",
    "month": "str({}.month)",
    "weekday": f"{DATE_NAMES['weekday']!r}[{{}}.weekday()]",
    "days": "_days({})",
}
