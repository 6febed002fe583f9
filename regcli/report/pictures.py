"""Documents to pictures: what is drawn of a fit, a cross-validation, a path or a model."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regcli.errors import UsageError
from regcli.report.diagnostics import calibration, curve_of_course, residuals, roc
from regcli.report.escape import visible
from regcli.report.forms import Document, as_fit, choices, kind_of, penalty_words
from regcli.report.panels import Band, Bars, Line, Mark, Panel, Picture, Tick
from regcli.results import Drawn

__all__ = ["DRAWN", "MOST_BARS", "MOST_NAMED", "bars", "curve", "figure", "paths", "picture", "sizes", "strength"]

Array = NDArray[np.float64]

#: Kinds of documents that can be drawn.
DRAWN = ("fit", "cv", "path", "model")

#: Bars in a panel, lines with a name, lines of a path that are drawn one by one (3,000 would take 5 MB), and curves of
#: several shares of L1 that can be told apart.
MOST_BARS, MOST_NAMED, MOST_LINES, MOST_CURVES = 30, 10, 150, 8

#: Counts along the upper edge that have room beside each other.
MOST_COUNTS = 9

_SCALED = "coefficient (per standard deviation)"
_RAW = "coefficient (scale of the data)"
_STRENGTH = "\N{MINUS SIGN}log λ (weaker penalty →)"


def picture(document: Document, drawn: Drawn | None = None) -> Picture:
    """What is drawn of a document, and of the run that it is from where that is known.

    Raises
    ------
    UsageError
        ``option-without-effect``: there is nothing to draw in a document of this kind.
    """
    kind = kind_of(document)
    if kind not in DRAWN:
        text = f"--plot has no effect for a document of kind {kind}"
        raise UsageError("option-without-effect", text, hint=f"{', '.join(DRAWN)} can be drawn")
    panels = {"fit": _fit, "model": _model, "cv": _cv, "path": _path}[kind](document, drawn)
    return Picture(_title(as_fit(document)), tuple(panels))


def _title(document: Document) -> str:
    model, target, lam = document["model"], visible(str(document["data"]["target"])), strength(document)
    return f"{penalty_words(model)} · {model['family']} → {target}" + (f", {lam}" if lam else "")


def strength(document: Document) -> str:
    """The strength of a model, cv or fit; nothing of a path, which has many, and where nothing is penalised."""
    lam = document["model"]["lambda"]
    return "" if kind_of(document) == "path" or lam is None else f"λ = {figure(lam)}"


def _fit(document: Document, drawn: Drawn | None) -> Iterator[Panel]:
    link = document["model"]["link"]
    if drawn is not None and drawn.course is not None:
        yield curve_of_course(drawn.course, _target(document))
    yield bars(document["coefficients"])
    if drawn is not None and drawn.rows is not None:
        if link == "logit":
            yield roc(drawn.rows, document["metrics"]["train"]["auc"])
            yield calibration(drawn.rows)
        else:
            yield residuals(drawn.rows, pearson=link == "log")


def _model(document: Document, drawn: Drawn | None) -> Iterator[Panel]:
    """A saved model, and the path that it was chosen from where that was kept."""
    yield from _fit(as_fit(document), drawn)
    path = document.get("path")
    if path is not None:
        sds = {term["term"]: term["sd"] for term in document["terms"]}
        yield _along(path["lambdas"], path["coefficients"], sds, document["lambda"])


def _target(document: Document) -> str:
    """What the curve over one column predicts: without the offset, in a unit of exposure."""
    data, model = document["data"], document["model"]
    name = str(data["target"])
    if model["positive"] is not None:
        return f"P({name} = {model['positive']})"
    if data["exposure"] is not None:
        name += f" / {data['exposure']}"
    if data["offset"] is not None:
        name += f" / exp({data['offset']})" if model["link"] == "log" else f" \N{MINUS SIGN} {data['offset']}"
    return name


def bars(rows: Sequence[Mapping[str, Any]], order: Sequence[str] | None = None) -> Panel:
    """The largest standardized coefficients, the largest at the top; or those of ``order``, zeros too."""
    values = {row["term"]: float(row["std_estimate"]) for row in rows if row["std_estimate"]}
    ranked = sorted(values, key=lambda name: -abs(values[name]))  # stable: of equals the order of the columns
    shown = ranked[:MOST_BARS] if order is None else order
    notes = [] if values else ["every coefficient is zero"]
    more = sum(name not in shown for name in values)
    if more:
        notes.append(f"and {more:,} more, smaller ones" if order is None else f"and {more:,} more")
    lengths = np.array([values.get(name, 0.0) for name in shown], dtype=np.float64)
    return Panel("Coefficients", _SCALED, "", bars=Bars(tuple(shown), lengths), notes=tuple(notes))


# -- along the strengths ---------------------------------------------------------------------------------------------


def _places(lambdas: Sequence[float]) -> tuple[Array, tuple[Tick, ...]]:
    """Minus the logarithm of strengths (T,); strength 0, which has none, a step beyond the others, with its label."""
    lams = np.array(lambdas, dtype=np.float64)
    if not lams.size or lams.min() > 0:
        return -np.log(lams), ()
    positive = -np.log(lams[lams > 0])
    first, last = (positive.min(), positive.max()) if positive.size else (0.0, 0.0)
    beyond = last + max(0.1 * (last - first), 0.5)
    places = np.full(lams.size, beyond)
    places[lams > 0] = positive
    return places, (Tick(float(beyond), "λ = 0"),)


def _counts(places: Array, counts: Sequence[int]) -> tuple[Tick, ...]:
    """Counts of nonzero terms at some of the strengths, those at the ends among them, evenly along the axis."""
    wanted = np.linspace(places[0], places[-1], MOST_COUNTS)
    chosen = dict.fromkeys(int(np.abs(places - place).argmin()) for place in wanted)
    return tuple(Tick(float(places[at]), str(counts[at])) for at in chosen)


def _path(document: Document, drawn: Drawn | None) -> Iterator[Panel]:
    yield paths(document)
    if drawn is not None and drawn.course is not None:
        yield curve_of_course(drawn.course, _target(document))


def paths(document: Document, ranks: Mapping[str, int] | None = None) -> Panel:
    """The coefficients of a path. ``ranks`` tell terms apart as elsewhere in the picture."""
    return _along(document["lambdas"], document["coefficients"], _sds(document["coefficients"]), ranks=ranks)


def sizes(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The largest standardized coefficient of each term along a path."""
    sds = _sds(rows) or {}
    return {row["term"]: max(map(abs, row["values"]), default=0.0) * sds.get(row["term"], 1.0) for row in rows}


def _sds(rows: Sequence[Mapping[str, Any]]) -> dict[str, float] | None:
    """Deviations of the terms by name; None where a document of an earlier version lacks them."""
    sds = {row["term"]: row.get("sd") for row in rows}
    known = {term: float(sd) for term, sd in sds.items() if sd is not None}
    return known if len(known) == len(sds) else None


def _along(
    lambdas: Sequence[float],
    rows: Sequence[Mapping[str, Any]],
    sds: Mapping[str, float] | None,
    chosen: float | None = None,
    ranks: Mapping[str, int] | None = None,
) -> Panel:
    """Coefficients along the strengths, standardized where the deviations of the terms are known."""
    places, ticks = _places(lambdas)
    values = np.array([row["values"] for row in rows], dtype=np.float64).reshape(len(rows), len(lambdas))
    counts = np.count_nonzero(values, axis=0)
    if sds is not None:
        values *= np.array([sds[row["term"]] for row in rows]).reshape(-1, 1)
    lines, band = _lines([row["term"] for row in rows], places, values, ranks)
    mark = () if chosen not in lambdas else (Mark(float(places[lambdas.index(chosen)]), f"λ = {figure(chosen)}"),)
    return Panel(
        "Coefficients along the path",
        _STRENGTH,
        _RAW if sds is None else _SCALED,
        lines=lines,
        band=band,
        marks=mark,
        top=_counts(places, counts.tolist()),
        top_title="nonzero terms",
        x_ticks=ticks,
        notes=() if lines else ("every coefficient is zero at every strength",),
    )


def _lines(
    names: Sequence[str], places: Array, values: Array, ranks: Mapping[str, int] | None
) -> tuple[tuple[Line, ...], Band | None]:
    """Lines of the terms (k, T), the largest with a name; of very many the smaller ones as what they lie between."""
    if not values.size:
        return (), None
    size = np.nan_to_num(np.abs(values))
    order = np.lexsort((np.arange(len(names)), -size.max(axis=1), -size[:, -1]))
    named = {int(at): rank for rank, at in enumerate(order[:MOST_NAMED])}
    if ranks is not None:
        named = {at: ranks[names[at]] for at in named if names[at] in ranks}
    peaks = np.lexsort((np.arange(len(names)), -size.max(axis=1)))
    shown = list(dict.fromkeys([*named, *map(int, peaks)]))[:MOST_LINES]
    rest = sorted(set(range(len(names))) - set(shown))
    lines = []
    for at in reversed(shown):  # those with a name come last, and so lie above
        span = _span(values[at])
        name = names[at] if at in named else None
        lines.append(Line(places[span], values[at, span], name, named.get(at, 0), at_end=True))
    if not rest:
        return tuple(lines), None
    low, high = np.nanmin(values[rest], axis=0), np.nanmax(values[rest], axis=0)
    return tuple(lines), Band(places, low, high, len(rest))


def _span(values: Array) -> slice:
    """Where a line is drawn: from the last zero before it leaves zero to the first one after it is back for good."""
    there = np.flatnonzero(values != 0)
    if not there.size:
        return slice(0, values.size)
    return slice(max(int(there[0]) - 1, 0), min(int(there[-1]) + 2, values.size))


def _cv(document: Document, drawn: Drawn | None) -> Iterator[Panel]:
    yield curve(document)
    if drawn is not None and drawn.course is not None:
        yield curve_of_course(drawn.course, _target(document))


def curve(document: Document) -> Panel:
    """The curve of a cross-validation, one for each share of L1."""
    places, ticks = _places(document["lambdas"])
    grid, taken = document["grid"], document["model"]["l1_ratio"]
    several = len(grid) > 1
    lines = [
        Line(places, _floats(document["mean"]), error=_floats(document["se"]), rank=0, name=_share(taken, several))
    ]
    if several:
        others = [part for part in grid if part["l1_ratio"] != taken]
        for rank, part in enumerate(others):
            x, more = _places(part["lambdas"])
            ticks = ticks or more
            name = _share(part["l1_ratio"], several) if rank < MOST_CURVES - 1 else None
            lines.append(Line(x, _floats(part["mean"]), name, rank + 1))
    return Panel(
        "Cross-validation",
        _STRENGTH,
        f"{document['metric']} (mean ± standard error)",
        lines=tuple(lines),
        marks=tuple(_marks(document, places)),
        top=_counts(places, document["n_nonzero_path"]),
        top_title="nonzero terms",
        x_ticks=ticks,
        notes=tuple(_rest_of(len(lines))),
    )


def _rest_of(count: int) -> Iterator[str]:
    if count > MOST_CURVES:
        yield f"grey: {count - MOST_CURVES:,} further shares of L1"


def _share(ratio: float | None, several: bool) -> str | None:  # noqa: FBT001  (a fact, not a switch)
    return f"l1_ratio {figure(ratio)}" if several else None


def _marks(document: Document, places: Array) -> Iterator[Mark]:
    """Both rules' strengths, and the one that an information criterion chose."""
    lambdas, found = document["lambdas"], dict[int, list[str]]()
    for name, at in choices(document).items():
        found.setdefault(at, []).append(f"λ.{name}")
    for index, names in found.items():
        yield Mark(float(places[index]), f"{' = '.join(names)} = {figure(lambdas[index])}")


def _floats(values: Sequence[float | None]) -> Array:
    return np.array(values, dtype=np.float64)  # None is nan


def figure(value: float | None) -> str:
    """A number with four digits."""
    return "-" if value is None else f"{value:.4g}"
