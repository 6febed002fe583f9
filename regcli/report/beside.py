"""Several documents in one picture: a panel each, by the same scale where they can be compared."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from textwrap import wrap

from regcli.errors import UsageError
from regcli.report.escape import visible
from regcli.report.forms import Document, and_more, as_fit, kind_of, penalty_words
from regcli.report.panels import Panel, Picture
from regcli.report.pictures import MOST_BARS, MOST_NAMED, bars, curve, paths, sizes, strength

__all__ = ["MOST_DOCUMENTS", "several"]

#: Panels that can be read on one page.
MOST_DOCUMENTS = 12

#: Bars of a panel where several are above each other, whose names are to be read.
_FEWER_BARS = 20

#: Characters that a panel's title has room for above the axes, beside which long names may stand.
_LINE = 46

#: A blank at which no line is broken.
_SOLID = "\N{NO-BREAK SPACE}"

#: Facts that title and panels tell, in their order.
_FACTS = ("kind", "penalty", "family", "target", "strength", "rows", "data")


def several(documents: Sequence[tuple[str, Document]]) -> Picture:
    """Models and fits as the bars of their coefficients, cross-validations as curves, paths as lines.

    What all have in common is the title, what tells them apart and the name of each the titles of the panels. The bars
    of all are those of the same terms, and a term's line has one colour everywhere. Panels that show the same thing of
    the same target have the same scale.

    Parameters
    ----------
    documents : sequence of (str, mapping)
        The name of each, and what it is; each can be drawn by itself.

    Raises
    ------
    UsageError
        ``conflicting-options``: more than fit on a page.
    """
    if len(documents) > MOST_DOCUMENTS:
        text = f"--plot draws {MOST_DOCUMENTS} documents side by side, and {len(documents)} were given"
        raise UsageError("conflicting-options", text, hint="leave some of them out")
    fitted = [as_fit(one) for _, one in documents]
    facts = [_facts(one, kind_of(made)) for one, (_, made) in zip(fitted, documents, strict=True)]
    told = [fact for fact in _FACTS if fact != "rows" or all(each["rows"] for each in facts)]  # models do not know them
    common = [fact for fact in told if len({each[fact] for each in facts}) == 1 and fact != "kind"]
    makers = _makers(fitted)
    panels = []
    for name, one, each in zip(_names([name for name, _ in documents]), fitted, facts, strict=True):
        panel = makers[kind_of(one)](one)
        own = _joined(each[fact].replace(" ", _SOLID) for fact in told if fact not in common)
        panels.append(replace(panel, title="\n".join((visible(name), *_lines(own))), scale=_scale(panel, each)))
    return Picture(_joined(facts[0][fact] for fact in common).replace(_SOLID, " "), tuple(panels))


def _lines(facts: str) -> list[str]:
    """Facts in lines that a panel has room for; no fact is broken."""
    lines = wrap(facts, _LINE, break_long_words=False, break_on_hyphens=False)
    return [line.removeprefix("· ").removesuffix(" ·").replace(_SOLID, " ") for line in lines]


def _joined(words: Iterable[str]) -> str:
    """Facts in a line; that of the target has an arrow of its own."""
    line = ""
    for word in filter(None, words):
        line += word if not line else f"{_SOLID}{word}" if word.startswith("→") else f" · {word}"
    return line


def _makers(documents: Sequence[Document]) -> dict[str, Callable[[Document], Panel]]:
    """What makes the panel of each kind, once it is known what the others show."""
    heights: dict[str, float] = {}
    lengths: dict[str, float] = {}
    for one in documents:
        kind = kind_of(one)
        if kind == "path":
            found, of = heights, sizes(one["coefficients"])
        else:
            found, of = lengths, {row["term"]: abs(row["std_estimate"] or 0.0) for row in one["coefficients"]}
        if kind != "cv":
            for term, size in of.items():
                found[term] = max(size, found.get(term, 0.0))
    most = MOST_BARS if len(documents) <= 2 else _FEWER_BARS
    order = [term for term in _largest(lengths) if lengths[term]][:most]
    # Every document has its own largest lines: of all terms those come first that are large somewhere.
    ranks = {term: rank for rank, term in enumerate(_largest(heights)[: MOST_NAMED * len(documents)])}
    return {
        "fit": lambda one: bars(one["coefficients"], order),
        "cv": curve,
        "path": lambda one: paths(one, ranks),
    }


def _largest(found: Mapping[str, float]) -> list[str]:
    return sorted(found, key=lambda term: -found[term])


def _facts(document: Document, kind: str) -> dict[str, str]:
    """What is told of a document that was of this kind, in words; empty where it has no such fact."""
    model, data = document["model"], document["data"]
    rows = data.get("rows_used")
    return {
        "kind": {"cv": "cross-validation"}.get(kind, kind),
        "penalty": penalty_words(model),
        "family": str(model["family"]),
        "target": f"→ {visible(str(data['target']))}",
        "strength": strength(document),
        "rows": "" if rows is None else f"{rows:,} rows",
        "data": and_more(visible(_short(file["path"])) for file in data["files"]),
    }


def _short(path: str) -> str:
    """A path without its folders."""
    return os.path.basename(path)  # noqa: PTH119  (a path of any machine)


def _scale(panel: Panel, facts: Mapping[str, str]) -> str:
    """What has to be equal for two panels to be compared by eye."""
    return "|".join((panel.x_title, panel.y_title, facts["family"], facts["target"]))


def _names(paths: Sequence[str]) -> list[str]:
    """Names without their folders, where that tells them apart."""
    short = list(map(_short, paths))
    return short if len(set(short)) == len(short) else list(paths)
