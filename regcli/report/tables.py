"""Results as tables for a terminal. The only module that imports rich.

Whatever comes from the data (names of columns, levels, files) enters as ``rich.text.Text`` with its control characters
made visible: it is never read as markup, and it is folded rather than cut.
"""

import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from regcli.report.blocks import BETWEEN, MOST_COLUMNS, Grid, Terms, blocks
from regcli.report.curves import LABELS, ascii_only, chart, escaped, spark
from regcli.report.escape import visible
from regcli.report.forms import (
    INTERCEPT,
    Document,
    by_part,
    choices,
    companions,
    kind_of,
    penalty_words,
    scorable,
)

__all__ = ["table"]

#: A line that is as long as it needs to be. Rich has no such thing; this is wider than anything that is printed.
_UNBOUNDED = 100_000

#: From this stability index on a column is said to have moved: Siddiqi, Credit Risk Scorecards (2006).
MOVED = 0.1

_BAR = 12

#: Columns of a curve, and what stands beside that of a term; a terminal with less room than this shows none of those.
_CURVE, _BESIDE, _ROOM = 60, 50, 60

#: Terms of a path whose curve is shown: a screen of them.
_MOST_SPARKS = 20

#: Characters that a column of words can do with.
_LEAST = 8

#: On a terminal: coefficients that are listed, and terms that are named where they enter or leave a path.
_MOST_TERMS, _MOST_MOVES = 50, 4

_SCHEMES = {
    "kfold": "{folds}",
    "stratified": "{folds}, stratified",
    "group": "{folds} of whole groups ({group})",
    "time": "{folds} in time",
    "loo": "every row on its own",
    "column": "the folds of {fold_column}",
}


#: Why a path ended before its last strength.
_REASONS = {
    "deviance": "nearly all of the deviance is explained",
    "deviance_change": "the deviance hardly changes any more",
    "max_seconds": "--max-seconds passed",
}


@dataclass(frozen=True, slots=True)
class _Look:
    """How wide the terminal is, None for as wide as it takes, and whether it knows ASCII alone."""

    width: int | None
    plain: bool


def table(document: Document, *, width: int | None = None, color: bool = False, plain: bool = False) -> str:
    """A document as text for people.

    Parameters
    ----------
    document : mapping
        Any of regcli's documents. A model may say, in a key of its own, whether it was ``verified``.
    width : int or None
        Columns of the terminal; None for as many as it takes.
    color : bool
        Whether to colour.
    plain : bool
        Whether the terminal knows ASCII alone: names are spelt with escapes, lines and curves with signs it has.
    """
    own = {"fit": _fit, "cv": _cv, "path": _path, "check": _check}.get(kind_of(document), _blocks)
    parts = own(escaped(document) if plain else document, _Look(width, plain))
    text = io.StringIO()
    console = Console(
        file=text,
        width=width or _UNBOUNDED,
        force_terminal=color,
        color_system="standard" if color else None,
        no_color=not color,
        force_interactive=False,
        legacy_windows=False,
        markup=False,
        emoji=False,
        highlight=False,
    )
    for number, block in enumerate(parts):
        console.print(*([Text()] if number else []), block, sep="\n")
    out = "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"
    return ascii_only(out) if plain else out


def _fit(document: Document, look: _Look) -> Iterator[RenderableType]:
    yield _head(document)
    yield from _held_out(document)
    yield from _criterion(document)
    yield from _coefficients(document, look)
    yield from _metrics(document, look)
    yield _count(document)


def _cv(document: Document, look: _Look) -> Iterator[RenderableType]:
    yield _head(document)
    yield from _held_out(document)
    yield _choices(document, look)
    yield from _grid(document, look)
    yield _chart(document, look)
    yield from _criterion(document)
    yield from _coefficients(document, look)
    yield from _metrics(document, look)
    yield _count(document)


def _path(document: Document, look: _Look) -> Iterator[RenderableType]:
    yield _head(document)
    yield _knots(document, look)
    if len(document["lambdas"]) > 1 and document["coefficients"] and (look.width is None or look.width >= _ROOM):
        yield from _sparks(document, look)
    stopped = document["stopped"]
    if stopped is not None:
        reason = _REASONS.get(stopped["reason"], str(stopped["reason"]))
        yield _name(f"stopped after {stopped['at'] + 1} of {stopped['of']} strengths: {reason}")


def _blocks(document: Document, look: _Look) -> Iterator[RenderableType]:
    for block in blocks(document, width=look.width):
        match block:
            case tuple():
                yield Text("\n").join(map(_name, block))
            case Grid():
                grid = _frame(*zip(block.titles, block.right, strict=True))
                _keep_whole(grid, _whole((block.titles, *block.rows), look.width))
                for row in block.rows:
                    grid.add_row(*map(_name, row))
                yield grid
            case Terms():
                yield from _coefficients(block.document, look)


def _whole(rows: Sequence[Sequence[str]], width: int | None) -> list[bool]:
    """Which columns are not to be broken: names and numbers of up to half the width; none where that leaves no room.

    The first row are the titles.
    """
    columns = [[visible(cell) for cell in column] for column in zip(*rows, strict=True)]
    if width is None:
        return [False] * len(columns)
    sizes = [max(map(cell_len, column)) for column in columns]
    words = [any(" " in cell for cell in column[1:]) for column in columns]
    whole = [size <= width // 2 and not broken for size, broken in zip(sizes, words, strict=True)]
    least = sum(size if kept else min(size, _LEAST) for size, kept in zip(sizes, whole, strict=True))
    return whole if least + BETWEEN * (len(sizes) - 1) <= width else [False] * len(columns)


def _keep_whole(grid: Table, whole: Sequence[bool]) -> None:
    for column, kept in zip(grid.columns, whole, strict=True):
        column.no_wrap = kept


def _check(document: Document, look: _Look) -> Iterator[RenderableType]:
    model = document["model"]
    head = _name(f"{model['path']} · {model['family']} → ")
    head.append(visible(str(model["target"])), style="bold")
    rows, _, told = scorable(document).rpartition(", ")
    head.append(f" · {rows}, ")
    head.append(told, style="green" if document["fits"] else "red")
    yield head
    if document["violations"]:
        yield _violations(document["violations"], look)
    scores = [(name, value) for name, value in (document["metrics"] or {}).items()]
    if scores:
        grid = _frame(("metric", False), (f"{document['metrics_rows']:,} rows", True))
        for name, value in scores:
            grid.add_row(_name(name), _number(value))
        yield grid
    yield from _drift(document["drift"])
    counts = {part: len(names) for part, names in document["columns"].items()}
    yield _name(
        f"{counts['needed']} columns needed; {counts['unused']} without a coefficient, of which {counts['absent']} "
        f"absent; {counts['extra']} others"
    )


def _drift(drift: Mapping[str, Mapping[str, float | None] | None]) -> Iterator[RenderableType]:
    """Columns that have moved, the furthest first."""
    known = [(name, moved) for name, moved in drift.items() if moved is not None]
    far = [(name, moved) for name, moved in known if (moved["psi"] or 0.0) >= MOVED]
    if not far:
        return
    grid = _frame(("drift", False), ("psi", True), ("ks at least", True))
    for name, moved in sorted(far, key=lambda item: -(item[1]["psi"] or 0.0))[:MOST_COLUMNS]:
        grid.add_row(_name(name), _number(moved["psi"]), _number(moved["ks"]))
    yield grid
    yield _name(f"psi is {MOVED} or more in {len(far):,} of {len(known):,} columns")


def _violations(entries: Sequence[dict[str, Any]], look: _Look) -> Table:
    titles = ("violation", "column", "rows", "first", "expected")
    grid = _frame(*((title, title == "rows") for title in titles))
    rows = [_violation(entry, share=True) for entry in entries]
    whole = _whole((titles, *rows), look.width)
    if not any(whole) and look.width is not None:  # the share can be done without
        rows = [_violation(entry, share=False) for entry in entries]
        whole = _whole((titles, *rows), look.width)
    _keep_whole(grid, whole)
    for entry, (code, *others) in zip(entries, rows, strict=True):
        style = "red" if entry["severity"] == "error" else "yellow"
        grid.add_row(Text(visible(code), style=style), *map(_name, others))
    return grid


def _violation(entry: Mapping[str, Any], *, share: bool) -> tuple[str, ...]:
    """What there is to say of one kind in one column."""
    rows = f"{entry['count']:,}" + (f" ({entry['share']:.2g})" if share else "")
    return entry["code"], entry["column"] or "", rows, _place(entry["first"]), entry["expected"]


def _place(first: Mapping[str, Any]) -> str:
    """Where something was found first: the file, its line, and the cell."""
    line = first["row"] if first["line"] is None else first["line"]
    place = str(first["file"]) + ("" if line is None else f":{line}")
    return place + ("" if first["cell"] is None else f" {visible(first['cell'])!r}")


def _head(document: Document) -> Text:
    data, model = document["data"], document["model"]
    given = str(document["options"].get("l1_ratio", ""))
    several = f" of {given.replace(',', ', ')}" if "," in given or given.startswith("@") else ""
    shape = f"{data['rows_used']} rows x {document['n_features']} features"
    head = _name(f"{penalty_words(model, several)} · {model['family']} · {shape} → ")
    head.append(visible(str(data["target"])), style="bold")
    head.append(visible(companions(data)))
    if model["lambda"] is not None:
        head.append(visible(f"   λ = {_number(model['lambda'])} ({_how(document)})"))
    return head


def _how(document: Document) -> str:
    rule = document["model"]["rule"]
    if rule is None:
        return "given"
    validation = document["validation"]
    drawn = document["criterion"] is None and validation and validation["scheme"] not in ("time", "loo", "column")
    return f"{rule} rule" + (f", seed {document['seed']}" if drawn else "")


def _held_out(document: Document) -> Iterator[Text]:
    """How rows are held out, where that is not as always."""
    options, validation = document["options"], document["validation"]
    told = ("cv", "group", "order_by", "fold_column", "repeats")
    if validation is None or all(options.get(option) is None for option in told):
        return
    scheme, count, repeats = validation["scheme"], validation["folds"], validation["repeats"]
    names = {name: str(options.get(name)) for name in ("group", "fold_column", "order_by")}
    text = _SCHEMES[scheme].format(folds=f"{count} folds", **names)
    text += f" (order of {names['order_by']})" if options.get("order_by") is not None else ""
    text += "".join(f", {name} of {options[name]} rows" for name in ("gap", "window") if options.get(name))
    yield _name(f"held out: {text}" + (f", dealt {repeats} times" if repeats > 1 else ""))


def _criterion(document: Document) -> Iterator[Text]:
    """The information criterion that chose, and its course where the document has it."""
    criterion = document["criterion"]
    if criterion is None:
        return
    name, value, df = criterion["name"], _number(criterion["value"]), _number(criterion["df"])
    if document.get("criterion_path"):
        yield _curve(name, document["lambdas"], document["criterion_path"])
    yield _name(f"{name} {value} with {df} degrees of freedom")


def _coefficients(document: Document, look: _Look) -> Iterator[RenderableType]:
    """The estimates; with a log link also the factor that one more unit of a column multiplies the mean by.

    A terminal is shown the largest, where there are more than a screen or two of them.
    """
    factors = [("exp(estimate)", True)] if document["model"]["link"] == "log" else []
    titles = [("term", False), ("estimate", True), *factors, ("std. estimate", True), ("", False)]
    first = document["intercept"]
    lines: list[list[str | Text]] = [[INTERCEPT, _number(first), *(_number(_exp(first)) for _ in factors), "", ""]]
    rows = document["coefficients"]
    largest = max((abs(row["std_estimate"] or 0.0) for row in rows), default=0.0)
    many = look.width is not None and len(rows) > _MOST_TERMS
    shown = sorted(rows, key=lambda row: -abs(row["std_estimate"] or 0.0))[:_MOST_TERMS] if many else rows
    for row in shown:
        bar, factor = _bar(row["std_estimate"], largest), [_number(_exp(row["estimate"])) for _ in factors]
        lines.append([row["term"], _number(row["estimate"]), *factor, _number(row["std_estimate"]), bar])
    yield _fitted(titles, lines, look, spare=(len(titles) - 1, len(titles) - 2))
    if many:
        yield _name(f"the {_MOST_TERMS} largest of {len(rows):,} terms, by std. estimate; --format csv lists all")


def _exp(value: float | None) -> float | None:
    """The exponential; None beyond double precision."""
    try:
        return None if value is None else math.exp(value)
    except OverflowError:
        return None


def _bar(value: float | None, largest: float) -> Text:
    share = abs(value) / largest if value and largest else 0.0
    return Text("█" * max(1, round(share * _BAR)) if share else "", style="red" if (value or 0.0) < 0 else "green")


def _metrics(document: Document, look: _Look) -> Iterator[RenderableType]:
    parts, rows = by_part(document["metrics"])
    if not rows:
        return
    titles = [("metric", False), *((part, True) for part in parts)]
    lines = [[name, *map(_number, values)] for name, *values in rows]
    yield _fitted(titles, lines, look, spare=[at for at, (title, _) in enumerate(titles) if title == "null"])


def _count(document: Document) -> Text:
    line = _name(f"selected {document['n_selected']} of {document['n_features']} features")
    if document["dropped"]:
        line.append("; left out: ")
        line.append(", ".join(f"{visible(d['column'])} ({visible(d['reason'])})" for d in document["dropped"]))
    return line


def _choices(document: Document, look: _Look) -> Table:
    titles = [(title, bool(title)) for title in ("", "λ", "index", str(document["metric"]), "se", "nonzero")]
    lines = []
    for label, index in choices(document).items():
        values = (document["lambdas"][index], document["mean"][index], document["se"][index])
        lam, mean, error = map(_number, values)
        lines.append([f"λ.{label}", lam, str(index), mean, error, str(document["n_nonzero_path"][index])])
    return _fitted(titles, lines, look, spare=(2, 5, 4))


def _grid(document: Document, look: _Look) -> Iterator[RenderableType]:
    if len(document["grid"]) < 2:
        return
    titles = ("l1_ratio", "λ.min", f"best {document['metric']}", "se", "nonzero", "")
    lines = []
    for part in document["grid"]:
        best = part["lambdas"].index(part["lambda_min"]) if part["lambda_min"] in part["lambdas"] else None
        values = ("-", "-", "-") if best is None else (*map(_number, (part["mean"][best], part["se"][best])),)
        nonzero = "-" if best is None else str(part["n_nonzero"][best])
        mark = "taken" if part["l1_ratio"] == document["model"]["l1_ratio"] else ""
        lines.append([_number(part["l1_ratio"]), _number(part["lambda_min"]), *values[:2], nonzero, mark])
    yield _fitted([(title, bool(title)) for title in titles], lines, look, spare=(4, 3))


def _curve(name: str, lambdas: Sequence[float], values: Sequence[float | None]) -> Text:
    line = _name(f"{name} from λ {_number(lambdas[0])} to {_number(lambdas[-1])}  ")
    line.append(spark(values, _CURVE), style="cyan")
    return line


def _chart(document: Document, look: _Look) -> Text:
    """The cross-validation curve, with all choices."""
    width = _CURVE if look.width is None else max(min(_CURVE, look.width - LABELS), 1)
    lines = chart(document["lambdas"], document["mean"], choices(document), width, plain=look.plain)
    return Text("\n").join([_name(document["metric"]), *(Text(line, style="cyan") for line in lines)])


def _sparks(document: Document, look: _Look) -> Iterator[RenderableType]:
    """Each term along the path, those first that enter first; the scale of each has zero in it."""
    room = _CURVE if look.width is None else min(_CURVE, look.width - _BESIDE)
    lambdas = document["lambdas"]
    grid = _frame(("term", False), ("enters at λ", True), ("last estimate", True), ("along the path", False))
    rows = [(next((t for t, value in enumerate(row["values"]) if value), 0), row) for row in document["coefficients"]]
    rows.sort(key=lambda pair: pair[0])  # stable: those that enter together stay in order
    for enters, row in rows[:_MOST_SPARKS]:
        values = row["values"]
        style = "red" if (values[-1] or 0.0) < 0 else "green"
        curve = Text(spark(values, room, zero=True), style=style)
        grid.add_row(_name(row["term"]), _number(lambdas[enters]), _number(values[-1]), curve)
    yield grid
    if len(rows) > _MOST_SPARKS:
        yield _name(f"and {len(rows) - _MOST_SPARKS:,} further terms; --json has them all")


def _knots(document: Document, look: _Look) -> Table:
    numbers = ("index", "λ", "nonzero", "deviance ratio")
    lines: list[list[str | Text]] = []
    lambdas, counts, ratios = document["lambdas"], document["n_nonzero"], document["deviance_ratio"]
    for t, enters, leaves in _changes(document["coefficients"], len(lambdas)):
        moves = [Text(f"+{visible(name)}", style="green") for name in enters]
        moves += [Text(f"-{visible(name)}", style="red") for name in leaves]
        if look.width is not None and len(moves) > _MOST_MOVES:
            moves = [*moves[:_MOST_MOVES], Text(f"and {len(moves) - _MOST_MOVES:,} more")]
        lines.append([str(t), _number(lambdas[t]), str(counts[t]), _number(ratios[t]), Text(" ").join(moves)])
    titles = [*((title, True) for title in numbers), ("enters, leaves", False)]
    return _fitted(titles, lines, look, spare=(0, 3, 2), names=4)


def _changes(rows: Iterable[dict[str, Any]], length: int) -> Iterator[tuple[int, list[str], list[str]]]:
    """Where the set of nonzero terms changes, with the first and the last strength: index, entering, leaving."""
    rows = list(rows)
    before: dict[str, None] = {}
    for t in range(length):
        active = {row["term"]: None for row in rows if row["values"][t]}
        enters = [name for name in active if name not in before]
        leaves = [name for name in before if name not in active]
        if enters or leaves or t in (0, length - 1):
            yield t, enters, leaves
        before = active


def _fitted(
    titles: Sequence[tuple[str, bool]],
    rows: Sequence[Sequence[str | Text]],
    look: _Look,
    spare: Sequence[int] = (),
    names: int = 0,
) -> Table:
    """A grid of ``names``, in the column of this index, and numbers, of which none is broken.

    On a narrow terminal titles are broken at their blanks, then the columns that can be spared are left out in their
    order, at last titles are broken anywhere. What room there is beside the numbers the names have.
    """
    texts = [[_name(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]
    kept, widths = list(range(len(titles))), list[int | None]([None] * len(titles))
    if look.width is not None:
        sizes = [max((row[at].cell_len for row in texts), default=0) for at in range(len(titles))]
        kept, widths = _room([title for title, _ in titles], sizes, look.width, spare, names)
    grid = _frame(*(titles[at] for at in kept))
    for column, width in zip(grid.columns, widths, strict=True):
        column.width = width
    for row in texts:
        grid.add_row(*(row[at] for at in kept))
    return grid


def _room(
    titles: Sequence[str], sizes: Sequence[int], width: int, spare: Sequence[int], names: int
) -> tuple[list[int], list[int | None]]:
    """Which columns a terminal has room for, and how wide they are; ``sizes`` are those of their widest cells."""
    whole = [max(size, cell_len(title)) for size, title in zip(sizes, titles, strict=True)]
    words = [max([size, *map(cell_len, title.split())]) for size, title in zip(sizes, titles, strict=True)]
    least = min(whole[names], max(_LEAST, len(INTERCEPT)))
    tries = [(spare[:gone], wanted) for gone in range(len(spare) + 1) for wanted in (whole, words)]
    kept, needed, rest = list(range(len(titles))), list(sizes), width
    for gone, wanted in [*tries, (spare, sizes)]:
        kept = [at for at in range(len(titles)) if at not in gone]
        needed = [wanted[at] for at in kept]
        rest = width - sum(wanted[at] for at in kept if at != names) - BETWEEN * (len(kept) - 1)
        if rest >= least:
            break
    return kept, [
        max(1, min(rest, whole[names]) if at == names else size) for at, size in zip(kept, needed, strict=True)
    ]


def _frame(*columns: tuple[str, bool]) -> Table:
    grid = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for title, right in columns:
        grid.add_column(_name(title), justify="right" if right else "left", overflow="fold", no_wrap=False)
    return grid


def _name(text: str) -> Text:
    return Text(visible(text))


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.5g}"
