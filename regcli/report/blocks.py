"""What tables of ``inspect``, of models and of metrics hold, as lines and grids: which words, not how they look."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from regcli.errors import counted
from regcli.report.difference import COLUMNS, difference_rows, headline
from regcli.report.forms import (
    PENALTIES,
    Document,
    and_more,
    as_fit,
    companions,
    kind_of,
    penalty_words,
    plan_rows,
    sized,
    used_terms,
)

__all__ = ["MOST_COLUMNS", "Block", "Grid", "Terms", "blocks", "plan_lines"]

#: Columns that the tables of inspect and of a model list; of more, those with findings, or the first.
MOST_COLUMNS = 40

#: Findings of one code (and names in an option), and of all, that are told before the others are counted.
MOST_ALIKE, MOST_FINDINGS = 5, 40

#: Levels in a cell of a table, where there is room and where not, and characters of each.
FEW_LEVELS, NARROW_LEVELS, LONG_LEVEL = 3, 2, 20

#: Terms that are listed of a comparison on a terminal.
MOST_CHANGES = 50

#: Blanks between two columns of a table.
BETWEEN = 3

#: From this width on there is room for more figures.
WIDE = 110

_SOURCES = {"option": "--target", "name": "by its name", "last-column": "the last column"}


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: titles, which of the columns are flushed right, rows of text."""

    titles: tuple[str, ...]
    right: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Terms:
    """The place for the coefficients, of a document shaped as a fit."""

    document: Document


#: Lines of text, a table, or the place of one.
Block = tuple[str, ...] | Grid | Terms


# -- inspect ---------------------------------------------------------------------------------------------------------


def _inspect(document: Document, *, wide: bool) -> Iterator[Block]:
    yield tuple(_facts(document))
    columns = document["columns"]
    every = document["options"].get("all_columns") or len(columns) <= MOST_COLUMNS
    noted = [column for column in columns if column["findings"]]
    shown = columns if every else noted[:MOST_COLUMNS]
    if shown:
        yield _columns(shown, document["findings"], wide=wide)
    if len(shown) < len(columns):
        rest = Counter(column["type"] for column in columns)
        rest.subtract(Counter(column["type"] for column in shown))
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in rest.items() if count)
        line = f"{len(columns) - len(shown):,} further columns are not listed ({kinds}); --all-columns lists them"
        more = len(noted) - len(shown)
        yield (line + (f"; {more:,} of them have findings" if more > 0 else ""),)
    yield from _findings(document["findings"])


def _facts(document: Document) -> Iterator[str]:
    data, target, memory = document["data"], document["target"], document["memory"]
    how = [data["format"]]
    if data["format"] == "csv":
        how += [f"delimiter {data['delimiter']!r}", f"decimal {data['decimal']!r}", str(data["encoding"])]
        how += [] if data["header"] else ["no header"]
    named = and_more(file["path"] for file in data["files"])
    yield f"{named} · {', '.join(how)} · {data['rows']:,} rows x {data['n_columns']:,} columns"
    if target is not None:
        source = _SOURCES.get(target["source"], target["source"])
        line = f"target {target['column']} ({source}) · {target['family'] or 'family not clear'}"
        if target["classes"]:
            line += ": " + _counts(target["classes"])
            line += f" (event {target['positive']})" if target["positive"] is not None else ""
        if target["events_per_term"] is not None:
            line += f" · {target['events_per_term']:.2g} rows of the rarer class for each term"
        yield line
    size = f"{sized(memory['matrix_bytes'])} ({memory['formula']})"
    yield f"matrix of a fit: {memory['rows']:,} rows x {memory['terms']:,} terms, {size}"
    if data["duplicate_rows"]:
        count = data["duplicate_rows"]
        yield f"{count:,} {'row equals an earlier one' if count == 1 else 'rows equal earlier ones'}"


def _columns(columns: list[dict[str, Any]], findings: list[dict[str, Any]], *, wide: bool) -> Grid:
    refused = {name for finding in findings if finding["severity"] == "error" for name in finding["columns"]}
    marks = ["!" if column["column"] in refused else "·" if column["findings"] else "" for column in columns]
    row = _wide_row if wide else _narrow_row
    titles, right = (_WIDE_TITLES, _WIDE_RIGHT) if wide else (_NARROW_TITLES, _NARROW_RIGHT)
    return Grid(titles, right, tuple((mark, *row(column)) for mark, column in zip(marks, columns, strict=True)))


_NARROW_TITLES = ("", "column", "type", "missing", "distinct", "values")
_NARROW_RIGHT = (False, False, False, True, True, False)
_SPREAD = ("min", "median", "max", "mean", "sd")
_WIDE_TITLES = ("", "column", "type", "part", "missing", "distinct", *_SPREAD, "most frequent")
_WIDE_RIGHT = (False, False, False, False, True, True, *(True for _ in _SPREAD), False)


def _narrow_row(column: Mapping[str, Any]) -> tuple[str, ...]:
    """A column where there is little room: the part in place of the type where that is not feature."""
    missing = f"{100 * column['missing_share']:.2g}%" if column["missing"] else ""
    kind = column["role"] if column["role"] in ("target", "dropped") else column["type"]
    figures, values = column["numbers"], _values(column, shown=NARROW_LEVELS)
    if figures is not None and not values:
        values = f"{_figure(figures['min'])} to {_figure(figures['max'])}"
    return column["column"], kind, missing, f"{column['distinct']:,}", values


def _wide_row(column: Mapping[str, Any]) -> tuple[str, ...]:
    missing = f"{column['missing']:,} ({100 * column['missing_share']:.3g}%)" if column["missing"] else ""
    figures = column["numbers"] or {}
    numbers = tuple(_figure(figures[key]) if key in figures else "" for key in _SPREAD)
    return (
        column["column"],
        column["type"],
        column["role"],
        missing,
        f"{column['distinct']:,}",
        *numbers,
        _values(column),
    )


def _values(column: Mapping[str, Any], shown: int = FEW_LEVELS) -> str:
    """The range of dates, the order of levels, the most frequent words or levels, of numbers the few values."""
    if column["dates"] is not None:
        return f"{column['dates']['first']} to {column['dates']['last']}"
    if column["words"] is not None:
        return _words(column["words"], shown)
    if column["order"] is not None:
        told = [_short(level) for level in column["order"][: shown + 1]]
        return " < ".join(told) + (" < ..." if len(column["order"]) > len(told) else "")
    if column["type"] in ("number", "integer") and column["distinct"] > FEW_LEVELS:
        return ""
    return _counts(column["levels"], shown) if column["levels"] else ""


def _words(words: Mapping[str, Any], shown: int) -> str:
    """The most frequent words, and how many there are."""
    told = [f"{_short(word['word'])} ({word['rows']:,})" for word in words["frequent"][:shown]]
    return f"{words['kept']:,} words: {', '.join(told)}" + (", ..." if words["kept"] > shown else "")


def _counts(levels: list[dict[str, Any]], shown: int = FEW_LEVELS) -> str:
    once = levels[0]["count"] == 1  # then all are
    told = [_short(item["level"]) + ("" if once else f" ({item['count']:,})") for item in levels[:shown]]
    return ", ".join(told) + (", ..." if len(levels) > shown else "")


def _short(level: str) -> str:
    """The beginning of a level: which ones there are is told, and in full by JSON."""
    return level if len(level) <= LONG_LEVEL else level[: LONG_LEVEL - 3] + "..."


def _findings(findings: list[dict[str, Any]]) -> Iterator[Block]:
    told: Counter[str] = Counter()
    shown: list[str] = []
    count = 0
    for finding in findings:
        told[finding["code"]] += 1
        if told[finding["code"]] > MOST_ALIKE or count >= MOST_FINDINGS:
            continue
        lines = [f"{finding['severity']}[{finding['code']}]: {finding['message']}"]
        where = finding["location"]
        place = where["line"] or where["row"]
        if place is not None:
            lines.append(f"  at {where['file'] or ''}, {'line' if where['line'] else 'row'} {place}")
        if finding["cells"]:
            lines.append("  cells: " + ", ".join(map(repr, finding["cells"])))
        if finding["hint"]:
            lines.append(f"  hint: {finding['hint']}")
        shown += lines
        count += 1
    more = [f"{count - MOST_ALIKE:,} more {code}" for code, count in told.items() if count > MOST_ALIKE]
    if shown:
        yield tuple(shown)
    if more:
        yield (f"not listed: {', '.join(more)}; --json has them all",)
    if not findings:
        yield ("nothing was found that stands in the way of a fit",)


# -- models ----------------------------------------------------------------------------------------------------------


def _model(document: Document) -> Iterator[Block]:
    yield tuple(_model_head(document))
    yield Terms(as_fit(document))
    used = {_worked(factor) for entry in used_terms(document) for factor in entry["factors"]}
    features = [feature for feature in document["features"] if _worked(feature) in used]
    if features:
        titles = ("column", "kind", "training rows", "missing cells")
        ranges = (document["profile"] or {}).get("columns", {})
        shown = features[:MOST_COLUMNS]
        rows = tuple(_feature(feature, ranges.get(_worked(feature), {})) for feature in shown)
        yield Grid(titles, (False,) * 4, rows)
        if len(features) > len(shown):
            yield (f"{len(features) - len(shown):,} further columns are not listed; --json has them all",)
    idle = document["idle"]
    uses, known = ({feature["column"] for feature in some} for some in (features, document["features"]))  # of the file
    columns, terms = len(known) + idle, "" if idle else f" of {len(document['terms']):,}"
    yield (f"uses {len(uses):,} of {columns:,} columns, {len(used_terms(document)):,}{terms} terms",)
    yield tuple(_provenance(document))


def _model_head(document: Document) -> Iterator[str]:
    head = f"model: {penalty_words(document)} · {document['family']} → {document['target']}{companions(document)}"
    yield f"{head}   λ = {_figure(document['lambda'])}"
    if document["classes"] is not None:
        threshold = f"; called {document['positive']} from {_figure(document['threshold'])} on"
        yield f"predicts the probability of {document['positive']} among {', '.join(document['classes'])}{threshold}"


def _worked(part: Mapping[str, Any]) -> str:
    """The column that a feature or a factor is made of, as it is worked with: the cells may go through a function."""
    return part["column"] if part["function"] is None else f"{part['function']}({part['column']})"


def _feature(feature: Mapping[str, Any], seen: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """One row: a column, what it is, what it was in the training rows, and what becomes of its missing cells."""
    kind = "boolean" if feature["boolean"] else feature["kind"]
    kind += ", spline" if feature["knots"] is not None else ""
    if feature["levels"]:
        counts = seen.get("levels", {})
        known = [f"{name} ({counts[name]:,})" if name in counts else name for name in feature["levels"]]
        values = ", ".join(known[:FEW_LEVELS]) + (f", ... {len(known)} levels" if len(known) > FEW_LEVELS else "")
    elif feature["words"] is not None:
        values = f"{len(feature['words']):,} words"
    else:
        values = " to ".join(_figure(seen[key]) for key in ("min", "max") if key in seen)
    fill, policy = feature["fill"], feature["missing"]
    if isinstance(fill, Mapping):
        fill = None
    return _worked(feature), kind, values, policy + ("" if fill is None else f" ({_figure(fill)})")


def _provenance(document: Document) -> Iterator[str]:
    made = document["provenance"]
    for file in made["files"]:
        yield f"fitted on {file['path']}, {file['rows']:,} rows, sha256 {file['sha256'][:16]}..."
    rows = (document["profile"] or {}).get("rows")
    yield (f"{rows:,} rows used, " if rows is not None else "") + f"seed {made['seed']}, regcli {document['regcli']}"
    given = ", ".join(f"{name}={_option(value)}" for name, value in made["options"].items())
    if given:
        yield f"options: {given}"
    verified = document.get("verified")
    yield document["id"] + ("" if verified is None else " (verified)" if verified else " (not verified)")


def _option(value: object) -> str:
    if not isinstance(value, list):
        return str(value)
    return ",".join(map(str, value[:MOST_ALIKE])) + (f",... ({len(value):,})" if len(value) > MOST_ALIKE else "")


# -- comparisons -----------------------------------------------------------------------------------------------------


def _diff(document: Document, width: int | None) -> Iterator[Block]:
    yield (headline(document),)
    rows: list[tuple[str, ...]] = [("", *COLUMNS[2:5], "b - a", "share of a")]
    terms = 0
    for *words, kind, a, b, absolute, relative, _ in difference_rows(document, alone=False):
        terms += words[0] == "term"
        if words[0] == "term" and terms > MOST_CHANGES and width is not None:
            continue
        name = " ".join(str(word) for word in words if word)
        shown = (cell if isinstance(cell, str) else _figure(cell) for cell in (a, b, absolute))
        rows.append((name, str(kind), *shown, "" if relative is None else _percent(float(relative))))
    if len(rows) == 1:
        return
    wanted = sum(max(map(len, column)) for column in zip(*rows, strict=True)) + BETWEEN * (len(rows[0]) - 1)
    if width is not None and wanted > width:  # the difference can be done without: its share stands beside it
        rows = [(*row[:4], row[5]) for row in rows]
    yield Grid(rows[0], (False, False, *(True for _ in rows[0][2:])), tuple(rows[1:]))
    if width is not None and terms > MOST_CHANGES:
        yield (f"{terms - MOST_CHANGES:,} further terms are not listed; --format csv lists all",)


# -- metrics and errors ----------------------------------------------------------------------------------------------


def _metrics(document: Document) -> Iterator[Block]:
    weights = f", weights {document['weights']}" if document["weights"] is not None else ""
    yield (f"metrics of {document['rows']:,} rows{weights}",)
    rows = tuple((name, _figure(value)) for name, value in document["metrics"].items())
    yield Grid(("metric", "value"), (False, True), rows)
    for check in document["checks"]:
        yield (f"{'holds' if check['passed'] else 'fails'}: {check['check']}",)


def _error(document: Document) -> Iterator[Block]:
    hint = (f"  hint: {document['hint']}",) if document["hint"] else ()
    yield (f"error[{document['code']}]: {document['message']}", *hint)


# -- options and plans -----------------------------------------------------------------------------------------------


def _config(document: Document) -> Iterator[Block]:
    yield (f"options of regcli {document['command']} · {document['file'] or 'no configuration file'}",)
    rows = tuple((entry["option"], _set_to(entry), _origin(entry)) for entry in document["config"])
    yield Grid(("option", "value", "from"), (False, False, False), rows)
    for check in document.get("checks", ()):  # documents of earlier versions have none
        yield (f"check {check['name']} · {check['model']} on {', '.join(check['data'])} · line {check['line']}",)
        if check["options"]:
            own = tuple((entry["option"], _set_to(entry), _origin(entry)) for entry in check["options"])
            yield Grid(("option", "value", "from"), (False, False, False), own)


def _checks(document: Document) -> Iterator[Block]:
    count = counted(document["n_checks"], "check")
    if document["dry_run"]:
        told = f"{document['n_error']} cannot be made" if document["n_error"] else "all can be made"
        yield (f"{count}, dry run: no data were read, {told}",)
    else:
        figures = [(document[f"n_{status}"], status) for status in ("passed", "failed", "error")]
        yield (f"{count}: {', '.join(f'{n} {_STATUSES[status]}' for n, status in figures if n)}",)
    if document["dry_run"]:
        rows = (
            (*_named(check), check["model"], ", ".join(check["data"]), _asked(check)) for check in document["checks"]
        )
        yield Grid(("", "check", "model", "data", "asks"), (False,) * 5, tuple(rows))
    else:
        yield Grid(
            ("", "check", ""), (False,) * 3, tuple((*_named(check), _told(check)) for check in document["checks"])
        )


_STATUSES = {"passed": "passed", "failed": "failed", "error": "could not be made"}


def _named(check: Mapping[str, Any]) -> tuple[str, str]:
    return check["status"], check["name"]


def _asked(check: Mapping[str, Any]) -> str:
    return "; ".join(check["asks"]) if check["error"] is None else str(check["error"]["message"])


def _told(check: Mapping[str, Any]) -> str:
    """What does not hold, without its figures, or the error."""
    error, cases = check["error"], check["cases"]
    if error is not None and error["code"] != "check-failed":
        return str(error["message"])
    failed = [str(case["check"]) for case in cases if not case["passed"]]
    rows = f"{check['result']['rows']:,} rows"
    if failed:
        return f"{rows}; does not hold: {'; '.join(failed)}"
    return f"{rows}; {', '.join(str(case['check']) for case in cases)}"


def _plan(document: Document) -> Iterator[Block]:
    head, rest = plan_lines(document)
    yield head
    columns = [cells for _, cells in zip(range(MOST_COLUMNS), plan_rows(document), strict=False)]
    spelt = ((*cells, "" if terms is None else f"{terms:,}") for *cells, terms in columns)
    yield Grid(("column", "part", "type", "terms"), (False, False, False, True), tuple(spelt))
    more = len(document["columns"]) - MOST_COLUMNS
    if more > 0:
        yield (f"{more:,} further columns are not listed",)
    yield rest


def plan_lines(document: Document) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What a plan says beside its columns: before them, and after."""
    model, rows, data = document["model"], document["rows"], document["data"]
    files = ", ".join(file["path"] for file in data["files"])
    fitted = f"{rows['fitted']:,} of {rows['read']:,} rows" + (f", {rows['test']:,} to test" if rows["test"] else "")
    head = (
        f"{document['command']}, dry run: nothing was fitted or written",
        f"{PENALTIES[model['penalty']]} · {model['family']} · {files} → {data['target']}",
        f"{fitted} · {document['n_features']:,} features · {document['n_terms']:,} terms",
    )
    return head, tuple(_planned(document))


def _planned(document: Document) -> Iterator[str]:
    """What would be done, line by line."""
    for entry in document["dropped"]:
        yield f"left out: {entry['column']} ({entry['reason']})"
    shown = ", ".join(document["terms"][:MOST_ALIKE])
    yield f"terms: {shown}" + (", ..." if document["n_terms"] > MOST_ALIKE else "")
    held = document["validation"]
    if held is not None:
        times = f" x {held['repeats']} repeats" if held["repeats"] > 1 else ""
        least = document["rows"]["train_least"]
        yield f"folds: {held['folds']}{times}, {held['scheme']}, by {held['metric']}; at least {least:,} training rows"
    for grid in document["grid"]:
        share = f" at l1_ratio {grid['l1_ratio']:g}" if len(document["grid"]) > 1 else ""
        yield f"strengths: {grid['n']:,} from {_figure(grid['first'])} to {_figure(grid['last'])}{share}"
    memory = document["memory"]
    limit = "" if memory["limit_bytes"] is None else f", of {sized(memory['limit_bytes'])} allowed"
    lanes, threads = counted(document["models"], "model"), counted(document["threads"], "thread")
    yield f"engine: {document['engine']}, {lanes} a strength, {threads}"
    yield f"memory: matrix {sized(memory['matrix_bytes'])}, fit about {sized(memory['fit_bytes'])}{limit}"
    yield f"writes: {', '.join(document['writes']) or 'standard output alone'}"


def _set_to(entry: Mapping[str, Any]) -> str:
    value = entry["value"]
    if value is None or value == []:
        return f"({entry['default']})" if entry["default"] else "-"
    return str(value).lower() if isinstance(value, bool) else _option(value)


def _origin(entry: Mapping[str, Any]) -> str:
    match entry["origin"]:
        case "file":
            return f"{entry['file']}:{entry['line']}"
        case "variable":
            return str(entry["variable"])
        case origin:
            return str(origin)


# -- figures ---------------------------------------------------------------------------------------------------------


def _percent(share: float) -> str:
    """A share with three digits, or in whole percents, as long as these are short."""
    percent = 100 * share
    return f"{percent:,.0f}%" if 1000 <= abs(percent) < 1e7 else f"{percent:.3g}%"


def _figure(value: float | None) -> str:
    """A number of the data: integers of up to ten digits as they are, others rounded to five."""
    if value is None:
        return "-"
    return f"{value:.0f}" if value == int(value) and abs(value) < 1e10 else f"{value:.5g}"


# -- which document has which ----------------------------------------------------------------------------------------

_KINDS: Mapping[str, Callable[[Document, int | None], Iterator[Block]]] = {
    "inspect": lambda document, width: _inspect(document, wide=width is None or width >= WIDE),
    "model": lambda document, _: _model(document),
    "diff": _diff,
    "metrics": lambda document, _: _metrics(document),
    "error": lambda document, _: _error(document),
    "config": lambda document, _: _config(document),
    "plan": lambda document, _: _plan(document),
    "checks": lambda document, _: _checks(document),
}


def blocks(document: Document, *, width: int | None) -> Iterator[Block]:
    """Lines and grids of a document that has no table of its own elsewhere, in order."""
    return _KINDS[kind_of(document)](document, width)
