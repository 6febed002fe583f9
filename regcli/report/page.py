"""A result as one HTML file: it loads nothing, runs nothing, and shows every name as it is.

Pictures are part of the file. As images they can neither run nor load anything, whatever their text is.
"""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from html import escape

from regcli.report.cases import Outcome, Section, sections, title
from regcli.report.equation import equation
from regcli.report.escape import visible
from regcli.report.formats import Cell, encode, numeric_columns
from regcli.report.forms import kind_of

__all__ = ["html_page"]

_STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:64rem;padding:0 1rem;color:#1b1f24;"
    "background:#fff}h1{font-size:1.3rem}h2,h3{font-size:1.05rem;margin-top:2rem}h3{font-size:1rem;margin-top:1.2rem}"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums;display:block;overflow-x:auto}"
    "th,td{padding:.2rem .8rem .2rem 0;text-align:left;border-bottom:1px solid #d0d7de;vertical-align:top;"
    "overflow-wrap:anywhere}td:not(.n){min-width:6rem}th,td.n{white-space:nowrap}td.n,th.n{text-align:right}"
    "pre{overflow-x:auto;background:#f6f8fa;padding:1rem}"
    "tr.fails td:first-child{color:#b3261e;font-weight:600}tr.holds td:first-child{color:#1a7f37}"
    "img{max-width:100%;background:#fff}"
    "@media(prefers-color-scheme:dark){body{color:#e6edf3;background:#0d1117}th,td{border-color:#30363d}"
    "pre{background:#161b22}tr.fails td:first-child{color:#ff7b72}tr.holds td:first-child{color:#3fb950}}"
)


def html_page(command: str, outcomes: Sequence[Outcome]) -> str:
    """The page. Its policy allows its own style, known by its hash, and its own pictures: no script, no form."""
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    images = "img-src data:; " if any(outcome.picture for outcome in outcomes) else ""
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; {images}base-uri 'none'; form-action 'none'"
    alone = len(outcomes) == 1
    head = _shown(title(outcomes[0]) if alone else command)
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{head}</title>",
        f"<style>{_STYLE}</style>",
        "</head>",
        "<body>",
        f"<h1>{head}</h1>",
    ]
    for outcome in outcomes:
        lines += [] if alone else [f"<h2>{_shown(title(outcome))}</h2>"]
        lines += _parts(outcome, "h2" if alone else "h3")
    return "\n".join([*lines, "</body>", "</html>"]) + "\n"


def _parts(outcome: Outcome, heading: str) -> Iterator[str]:
    """What there is of an outcome under its title."""
    document = outcome.document
    if document is not None and kind_of(document) in ("fit", "cv") and document["intercept"] is not None:
        yield f"<{heading}>Equation</{heading}>"
        yield f"<pre>{_shown(equation(document))}</pre>"
    if outcome.picture is not None:
        yield f"<{heading}>Picture</{heading}>"
        yield f'<img alt="" src="data:image/svg+xml;base64,{base64.b64encode(outcome.picture).decode()}">'
    for section in sections(outcome):
        yield from _table(section, heading)
    if document is not None:
        yield f"<{heading}>Document</{heading}>"
        yield f"<details><summary>JSON</summary><pre>{escape(encode(document))}</pre></details>"


def _table(section: Section, heading: str) -> Iterator[str]:
    kinds = [' class="n"' if numeric else "" for numeric in numeric_columns(len(section.columns), section.rows)]
    yield f"<{heading}>{_shown(section.heading)}</{heading}>"
    yield "<table>"
    titles = (f"<th{kind}>{_shown(name)}</th>" for name, kind in zip(section.columns, kinds, strict=True))
    yield f"<tr>{''.join(titles)}</tr>"
    for row in section.rows:
        mark = f' class="{row[0]}"' if section.heading == "Checks" else ""
        cells = (f"<td{kind}>{_cell(cell)}</td>" for cell, kind in zip(row, kinds, strict=True))
        yield f"<tr{mark}>{''.join(cells)}</tr>"
    yield "</table>"


def _cell(cell: Cell) -> str:
    if cell is None:
        return ""
    return _shown(cell) if isinstance(cell, str) else f"{cell:.6g}"


def _shown(text: str) -> str:
    return escape(visible(text))
