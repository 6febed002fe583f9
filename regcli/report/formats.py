"""Documents and predictions as text: json, jsonl, csv, md, names and table.

A document is a plain dict, as ``regcli.report.documents`` builds it. JSON is the contract: UTF-8, two-space indent,
arrays of plain values on one line, numbers in their shortest spelling that reads back as the same double, and never a
NaN. The other formats are extracts of the document for people and for tools that want one table.
"""

import csv
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from regcli.errors import UsageError
from regcli.report.difference import COLUMNS, difference_rows, headline
from regcli.report.escape import UNSAFE, visible
from regcli.report.forms import FORMS, INTERCEPT, Document, as_fit, kind_of, plan_rows

__all__ = [
    "Cell",
    "csv_text",
    "encode",
    "encode_line",
    "grid_of",
    "md_escaped",
    "md_table",
    "numeric_columns",
    "render",
    "rounded",
]

Cell = str | float | None

_INDENT = "  "

#: How text begins that spreadsheets take for a formula, and numbers that begin so too.
_FORMULAS = ("=", "+", "-", "@")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)

#: What csv and md tell of a column that was inspected.
_FACTS = ("column", "type", "role", "n_terms", "missing", "missing_share", "distinct", "leading_zeros")
_FIGURES = ("min", "q1", "median", "q3", "max", "mean", "sd", "zeros_share", "infinite")


def render(
    document: Document,
    form: str,
    *,
    width: int | None,
    color: bool,
    plain: bool = False,
    spreadsheet_safe: bool = False,
) -> str:
    """A document as text, ending in a newline.

    Parameters
    ----------
    document : mapping
        One of regcli's documents.
    form : str
        One of ``json``, ``jsonl``, ``csv``, ``md``, ``names``, ``table``.
    width : int or None
        Columns a table may take; None for as many as it needs.
    color : bool
        Whether a table may be coloured.
    plain : bool
        Whether a table must be ASCII.
    spreadsheet_safe : bool
        Whether text in csv is kept from being a formula.

    Raises
    ------
    UsageError
        This kind of document has no such format.
    """
    if form == "json":
        return encode(document) + "\n"
    kind = kind_of(document)
    if form not in FORMS.get(kind, ()):
        raise UsageError(
            "option-without-effect", f"{kind} has no {form} format", hint=f"--format {'|'.join(FORMS.get(kind, ()))}"
        )
    if form == "table":
        from regcli.report.tables import table  # noqa: PLC0415  (rich takes longer to load than most fits take)

        return table(document, width=width, color=color, plain=plain)
    document = as_fit(document)
    if form == "csv":
        columns, rows = grid_of(document)
        return csv_text([columns, *rows], spreadsheet_safe=spreadsheet_safe)
    writers: dict[str, Callable[[Document], str]] = {"jsonl": _jsonl, "md": _md, "names": _names}
    return writers[form](document)


def encode(value: object, indent: str = "") -> str:
    """A value as indented JSON, without the final newline."""
    inner = indent + _INDENT
    if isinstance(value, Mapping) and value:
        items = [f"{inner}{_text(str(key))}: {encode(item, inner)}" for key, item in value.items()]
        return "{\n" + ",\n".join(items) + f"\n{indent}}}"
    if isinstance(value, list | tuple) and not all(map(_is_scalar, value)):
        return "[\n" + ",\n".join(inner + encode(item, inner) for item in value) + f"\n{indent}]"
    return encode_line(value)


def encode_line(value: object) -> str:
    """A value as JSON on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_text(str(key))}: {encode_line(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(encode_line, value)) + "]"
    return _scalar(value)


def _is_scalar(value: object) -> bool:
    return value is None or isinstance(value, str | int | float)


def _scalar(value: object) -> str:
    if isinstance(value, float):  # float.__repr__: a subclass may spell itself otherwise
        return float.__repr__(value) if math.isfinite(value) else "null"
    if isinstance(value, str):
        return _text(value)
    return json.dumps(value, allow_nan=False)


@lru_cache(maxsize=1_000)  # the keys of a document are few, and said for each of its columns
def _text(value: str) -> str:
    # What a terminal or a runner would act on is escaped beyond what JSON asks for; it reads back as the same text.
    text = UNSAFE.sub(lambda match: f"\\u{ord(match.group()):04x}", json.dumps(value, ensure_ascii=False))
    return text.replace("##[", "#\\u0023[")


def _jsonl(document: Document) -> str:
    if kind_of(document) == "checks":
        lines = iter(document["checks"])
    else:
        lines = _path_lines(document) if kind_of(document) == "path" else _cv_lines(document)
    return "".join(encode_line(line) + "\n" for line in lines)


def _path_lines(document: Document) -> Iterator[dict[str, Any]]:
    for t, lam in enumerate(document["lambdas"]):
        estimates = [(c["term"], c["values"][t]) for c in document["coefficients"]]
        yield {
            "lambda": lam,
            "n_nonzero": document["n_nonzero"][t],
            "n_selected": document["n_selected"][t],
            "deviance_ratio": document["deviance_ratio"][t],
            "violation": document["violation"][t],
            "intercepts": [{"output": i["output"], "estimate": i["values"][t]} for i in document["intercepts"]],
            "coefficients": [{"term": term, "estimate": estimate} for term, estimate in estimates if estimate],
        }


def _cv_lines(document: Document) -> Iterator[dict[str, Any]]:
    scores = document["fold_scores"]
    for t, lam in enumerate(document["lambdas"]):
        yield {
            "lambda": lam,
            "mean": document["mean"][t],
            "se": document["se"][t],
            "n_nonzero": document["n_nonzero_path"][t],
            "fold_scores": None if scores is None else [fold[t] for fold in scores],
        }


def grid_of(document: Document, kind: str | None = None) -> tuple[tuple[str, ...], Iterator[tuple[Cell, ...]]]:
    """The one table a document is in csv and md: its columns and its rows. A cv has that of a fit as well."""
    kind = kind or kind_of(document)
    if kind in _GRIDS:
        columns, rows = _GRIDS[kind]
        return columns, iter(rows(document))
    curve = zip(document["lambdas"], document["mean"], document["se"], document["n_nonzero_path"], strict=True)
    return ("lambda", "mean", "se", "n_nonzero"), curve


def _violation_rows(document: Document) -> Iterator[tuple[Cell, ...]]:
    for entry in document["violations"]:
        first = entry["first"]
        line = first["row"] if first["line"] is None else first["line"]
        counts = (entry["severity"], entry["count"], entry["share"])
        yield entry["code"], entry["column"], *counts, first["file"], line, first["cell"], entry["expected"]


def _coefficient_rows(document: Document) -> Iterator[tuple[Cell, ...]]:
    yield INTERCEPT, document["intercept"], None
    for row in document["coefficients"]:
        yield row["term"], row["estimate"], row["std_estimate"]


def _checks_rows(document: Document) -> Iterator[tuple[Cell, ...]]:
    for check in document["checks"]:
        error, cases = check["error"], check["cases"]
        for case in cases:
            yield check["name"], "passed" if case["passed"] else "failed", case["check"], case["told"]
        if not cases or (error is not None and error["code"] != "check-failed"):
            yield check["name"], check["status"], None if error is None else error["code"], error and error["message"]


def _column_row(column: Mapping[str, Any]) -> tuple[Cell, ...]:
    figures = column["numbers"] or {}
    facts = [str(cell).lower() if isinstance(cell := column[key], bool) else cell for key in _FACTS]
    return (*facts, *(figures.get(key) for key in _FIGURES), " ".join(column["findings"]))


def _path_rows(document: Document) -> Iterator[tuple[Cell, ...]]:
    for t, lam in enumerate(document["lambdas"]):
        for intercept in document["intercepts"]:
            yield lam, INTERCEPT, intercept["values"][t]
        for row in document["coefficients"]:
            yield lam, row["term"], row["values"][t]


#: The columns of each kind, and what makes its rows. A cv's are those of its curve.
_GRIDS: Mapping[str, tuple[tuple[str, ...], Callable[[Document], Iterable[tuple[Cell, ...]]]]] = {
    "fit": (("term", "estimate", "std_estimate"), _coefficient_rows),
    "path": (("lambda", "term", "estimate"), _path_rows),
    "metrics": (("metric", "value"), lambda document: document["metrics"].items()),
    "inspect": ((*_FACTS, *_FIGURES, "findings"), lambda document: map(_column_row, document["columns"])),
    "check": (
        ("code", "column", "severity", "count", "share", "file", "line", "cell", "expected"),
        _violation_rows,
    ),
    "checks": (("name", "status", "check", "told"), _checks_rows),
    "diff": (COLUMNS, difference_rows),
    "plan": (("column", "role", "type", "n_terms"), plan_rows),
}


def csv_text(rows: Iterable[Iterable[Cell]], *, spreadsheet_safe: bool = False) -> str:
    """Rows as lines of cells; if ``spreadsheet_safe`` no text is a formula."""
    lines = _Lines()
    told = ([_harmless(cell) for cell in row] for row in rows) if spreadsheet_safe else rows
    csv.writer(lines, lineterminator="\r\n").writerows(told)  # it quotes what ends its lines: both marks are to be
    return "".join(line[:-2] + "\n" for line in lines)


class _Lines(list[str]):
    """What a CSV writer writes, a line at a time."""

    def write(self, line: str) -> None:
        """Take a line."""
        self.append(line)


def _harmless(cell: Cell) -> Cell:
    """A cell that no spreadsheet takes for a formula; numbers are none, also as text."""
    if isinstance(cell, str) and cell.lstrip().startswith(_FORMULAS) and not _NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell


def _md(document: Document) -> str:
    if kind_of(document) == "diff":  # for people who read a pull request: a line, and numbers that are short
        rows = [tuple(map(rounded, row)) for row in difference_rows(document, alone=False)]
        return f"{md_escaped(headline(document))}\n" + (f"\n{md_table(COLUMNS, rows)}" if rows else "")
    if kind_of(document) == "plan":
        from regcli.report.blocks import plan_lines  # noqa: PLC0415  (fits need none of it)

        head, rest = ("".join(f"* {md_escaped(line)}\n" for line in lines) for lines in plan_lines(document))
        return f"{head}\n{md_table(*grid_of(document))}\n{rest}"
    return md_table(*grid_of(document))


def rounded(cell: Cell) -> Cell:
    """A number with six digits."""
    return float(f"{cell:.6g}") if isinstance(cell, float) else cell


def md_table(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """A table of GitHub's Markdown; whatever a text cell holds stays in its cell and is no markup."""
    body = [*rows]
    rule = ["---:" if numeric else "---" for numeric in numeric_columns(len(columns), body)]
    return "".join(
        f"| {' | '.join(cells)} |\n" for cells in [list(columns), rule, *(map(_md_cell, row) for row in body)]
    )


def numeric_columns(count: int, rows: Sequence[Sequence[Cell]]) -> list[bool]:
    """Which of so many columns have numbers, and so are flushed right; one without any is not."""

    def is_number(cell: Cell) -> bool:
        return isinstance(cell, int | float) and not isinstance(cell, bool)

    return [any(is_number(row[at]) for row in rows) for at in range(count)]


def _md_cell(cell: Cell) -> str:
    if cell is None or cell == "":
        return ""
    if not isinstance(cell, str):
        return _scalar(cell)
    return cell if cell == INTERCEPT else _code_span(visible(cell))


def md_escaped(text: str) -> str:
    """Text in a line of Markdown, where entities are never markup."""
    return re.sub(r"[^\w\s.,;%()-]|_", lambda match: f"&#{ord(match.group())};", visible(text), flags=re.ASCII)


def _code_span(text: str) -> str:
    """Text that Markdown shows as it is: nothing is markup in a code span, and a table's bars are escaped.

    Where a backslash stands before a bar another one would not escape the bar but the backslash: entities serve then.
    """
    if "\\|" in text:
        return f"<code>{md_escaped(text)}</code>"
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if text.startswith(("`", " ")) or text.endswith(("`", " ")) else ""
    return f"{fence}{pad}{text}{pad}{fence}".replace("|", "\\|")


def _names(document: Document) -> str:
    return "".join(f"{visible(name)}\n" for name in _selected(document))


def _selected(document: Document) -> Iterable[str]:
    if kind_of(document) != "path":
        return list(document["selected"])
    return dict.fromkeys(source for row in document["coefficients"] for source in row["sources"])
