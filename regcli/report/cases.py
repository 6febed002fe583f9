"""What reports tell of a result, or of the error in its place: checks as cases, tables as sections."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from regcli.report.difference import headline
from regcli.report.formats import Cell, grid_of
from regcli.report.forms import Document, by_part, kind_of, scorable

__all__ = ["Case", "Fault", "Outcome", "Section", "sections", "title"]


@dataclass(frozen=True, slots=True)
class Case:
    """A check: what was asked for, whether it holds, and that as a sentence."""

    name: str
    passed: bool
    told: str


@dataclass(frozen=True, slots=True)
class Fault:
    """An error: its code, what is wrong, the place and the way out (a line each), the file and its line."""

    code: str
    lines: tuple[str, ...]
    file: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command came to: its result, as far as there is one, the checks made of it, and the error it ended with.

    ``command`` is ``regcli fit``; ``name`` tells several outcomes of one command apart; ``picture`` is SVG.
    """

    command: str
    document: Document | None
    cases: Sequence[Case] = ()
    error: Fault | None = None
    name: str = ""
    picture: bytes | None = None

    @property
    def called(self) -> str:
        """The command, and the name where there is one."""
        return f"{self.command}: {self.name}" if self.name else self.command

    @property
    def judged(self) -> tuple[Case, ...]:
        """The checks; before them, where it ended with an error, that it did."""
        if self.error is None:
            return tuple(self.cases)
        return (Case(f"{self.command} ends without an error", passed=False, told=self.error.lines[0]), *self.cases)


@dataclass(frozen=True, slots=True)
class Section:
    """A table with a heading."""

    heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def title(outcome: Outcome) -> str:
    """What came out, in a line."""
    told = "" if outcome.document is None else _told(outcome.document)
    ended = "" if outcome.error is None else f"error {outcome.error.code}"
    return ": ".join((outcome.called, *([", ".join(part for part in (ended, told) if part)] if ended or told else [])))


def _told(document: Document) -> str:
    kind = kind_of(document)
    if kind == "diff":
        return headline(document)
    if kind == "check":
        model = document["model"]
        return f"{model['path']} → {model['target']}, {scorable(document)}"
    model, data = document["model"], document["data"]
    selected = f"{document['n_selected']} of {document['n_features']} columns selected"
    return f"{model['family']} → {data['target']}, {data['rows_used']:,} rows, {selected}"


def sections(outcome: Outcome) -> Iterator[Section]:
    """The tables of a fit, cv, check or diff, what failed first."""
    if outcome.error is not None:
        yield Section("Error", ("code", "told"), ((outcome.error.code, " · ".join(outcome.error.lines)),))
    if outcome.cases:
        ordered = sorted(outcome.cases, key=lambda case: case.passed)
        rows = tuple(("holds" if case.passed else "fails", case.name, case.told) for case in ordered)
        yield Section("Checks", ("check", "name", "told"), rows)
    if outcome.document is None:
        return
    warnings = tuple((entry["code"], entry["message"]) for entry in outcome.document.get("warnings", ()))
    if warnings:
        yield Section("Warnings", ("code", "message"), warnings)
    yield from _results(outcome.document)


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
        parts, scores = by_part(document["metrics"])
        if scores:
            yield Section("Metrics", ("metric", *parts), scores)
        if kind == "cv":
            yield _section("Cross-validation", document)


def _section(heading: str, document: Document, kind: str | None = None) -> Section:
    columns, rows = grid_of(document, kind)
    return Section(heading, columns, tuple(rows))
