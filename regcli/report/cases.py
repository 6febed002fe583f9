"""What reports tell of a result: its checks as cases, and its tables as sections."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from regcli.report.difference import headline
from regcli.report.formats import Cell, grid_of
from regcli.report.forms import Document, kind_of

__all__ = ["Case", "Section", "sections", "title"]

#: What is said of metrics, among them.
_NOT_A_METRIC = "chosen_on_these_folds"


@dataclass(frozen=True, slots=True)
class Case:
    """A check: what was asked for, whether it holds, and that as a sentence."""

    name: str
    passed: bool
    told: str


@dataclass(frozen=True, slots=True)
class Section:
    """A table with a heading."""

    heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def title(document: Document) -> str:
    """What the result is, in a line."""
    kind = kind_of(document)
    if kind == "diff":
        return f"regcli diff: {headline(document)}"
    if kind == "check":
        model = document["model"]
        bad = document["rows"] - document["rows_scorable"]
        told = f"{bad:,} of which cannot be scored" if bad else "all can be scored"
        return f"regcli check: {model['path']} → {model['target']}, {document['rows']:,} rows, {told}"
    model, data = document["model"], document["data"]
    selected = f"{document['n_selected']} of {document['n_features']} columns selected"
    return f"regcli {kind}: {model['family']} → {data['target']}, {data['rows_used']:,} rows, {selected}"


def sections(document: Document, cases: Sequence[Case]) -> Iterator[Section]:
    """The tables of a fit, cv, check or diff, what failed first."""
    if cases:
        ordered = sorted(cases, key=lambda case: case.passed)
        rows = tuple(("holds" if case.passed else "fails", case.name, case.told) for case in ordered)
        yield Section("Checks", ("check", "name", "told"), rows)
    warnings = tuple((entry["code"], entry["message"]) for entry in document.get("warnings", ()))
    if warnings:
        yield Section("Warnings", ("code", "message"), warnings)
    yield from _results(document)


def _results(document: Document) -> Iterator[Section]:
    kind = kind_of(document)
    if kind == "diff":
        yield _section("Changes", document)
    elif kind == "check":
        yield _section("Violations", document)
        scores = tuple((document["metrics"] or {}).items())
        if scores:
            yield Section("Metrics", ("metric", "value"), scores)
        moved = tuple((name, by["psi"], by["ks"]) for name, by in document["drift"].items() if by is not None)
        if moved:
            yield Section("Drift", ("column", "psi", "ks at least"), moved)
    else:
        yield _section("Coefficients", document, "fit")
        yield from _metrics(document["metrics"])
        if kind == "cv":
            yield _section("Cross-validation", document)


def _section(heading: str, document: Document, kind: str | None = None) -> Section:
    columns, rows = grid_of(document, kind)
    return Section(heading, columns, tuple(rows))


def _metrics(metrics: Mapping[str, Any]) -> Iterator[Section]:
    """Metrics, a row each, and a column for every part that there is."""
    scored = {part: values for part, values in metrics.items() if values is not None}
    names = dict.fromkeys(name for values in scored.values() for name in values if name != _NOT_A_METRIC)
    rows = tuple((name, *(values.get(name) for values in scored.values())) for name in names)
    if rows:
        yield Section("Metrics", ("metric", *scored), rows)
