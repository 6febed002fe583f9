"""GitHub Actions: workflow commands that annotate a run, and the summary of a step.

A workflow command is a line ``::name key=value,key=value::message``. Percent signs and line ends of a message are
escaped as the toolkit of the runner does it, in values colons and commas too: no name can end the line or begin
another command.
"""

from collections.abc import Iterator, Mapping

from regcli.report.cases import Outcome, sections, title
from regcli.report.escape import visible
from regcli.report.formats import md_escaped, md_table, rounded
from regcli.report.forms import Document

__all__ = ["summary", "workflow_commands"]

#: Rows of a table in a summary: a step may have 1 MiB, and people read the first ones.
MOST_ROWS = 100

#: Annotations of one step and kind that GitHub shows.
MOST_ANNOTATIONS = 10


def workflow_commands(outcome: Outcome) -> str:
    """A line for an error, for every check that fails, and for violations and warnings."""
    named, lines, error, document = outcome.called, [], outcome.error, outcome.document or {}
    if error is not None:
        place = _place(error.file, error.line)
        lines.append(_command("error", {**place, "title": f"{named}: {error.code}"}, "; ".join(error.lines)))
    lines += [
        _command("error", {"title": f"{named}: check failed"}, case.told) for case in outcome.cases if not case.passed
    ]
    lines += list(_violations(document))[:MOST_ANNOTATIONS]
    for entry in document.get("warnings", ()):
        lines.append(_command("warning", {"title": f"{named}: {entry['code']}"}, entry["message"]))
    return "".join(f"{line}\n" for line in lines)


def summary(outcome: Outcome) -> str:
    """The result and its checks in GitHub's Markdown."""
    parts = [f"### {md_escaped(title(outcome))}\n"]
    for section in sections(outcome):
        more = len(section.rows) - MOST_ROWS
        rows = [tuple(map(rounded, row)) for row in section.rows[:MOST_ROWS]]
        parts.append(f"#### {section.heading}\n\n{md_table(section.columns, rows)}")
        if more > 0:
            parts.append(f"{more:,} more rows\n")
    return "\n".join(parts) + "\n"


def _violations(document: Document) -> Iterator[str]:
    for entry in document.get("violations", ()):
        first = entry["first"]
        place = _place(first["file"], first["line"])
        yield _command(entry["severity"], {**place, "title": entry["code"]}, entry["message"])


def _place(file: str | None, line: int | None) -> dict[str, str]:
    """What a file of the repository is annotated by; nothing for standard input."""
    place = {"file": file, "line": line}
    return {key: str(value) for key, value in place.items() if value is not None and file not in (None, "-")}


def _command(name: str, properties: Mapping[str, str], message: str) -> str:
    given = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{name} {given}::{_data(message)}"


def _data(text: str) -> str:
    """A message: line ends are shown by their escapes, and would be escaped if they were not."""
    return visible(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
