"""Reports beside the result: read before the work, written after the result."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regcli.app.options import Reports
from regcli.cli.session import Session
from regcli.cli.streams import tell
from regcli.errors import Location, OutputError, UsageError
from regcli.report.cases import Case

__all__ = ["Reporting"]

_FORMS = ("junit", "html")


@dataclass(frozen=True)
class Reporting:
    """Which reports are written: form and path, and whether the run is annotated."""

    session: Session
    files: tuple[tuple[str, str], ...]
    github: bool
    summary: str | None

    @classmethod
    def read(cls, options: Reports, session: Session, *others: str | None) -> "Reporting":
        """Read the options; ``others`` are files that are written as well.

        Raises
        ------
        UsageError
            No such report, or one file for two things.
        OutputError
            A file that cannot be written.
        """
        files = []
        taken = [str(Path(path).resolve()) for path in (session.settings.output, *others) if path is not None]
        for text in options.reports:
            if text == "github":
                continue
            form, equals, path = text.partition("=")
            if form not in _FORMS or not equals or not path:
                hint = "junit=PATH, github or html=PATH"
                raise UsageError("unknown-option-value", f"--report {text!r} is no report", hint=hint)
            if str(Path(path).resolve()) in taken and not path.startswith(("/dev/", "/proc/")):
                told = f"--report {form} and another output are the same file, {path}"
                raise UsageError("conflicting-options", told, hint="name two files")
            taken.append(str(Path(path).resolve()))
            files.append((form, path))
        _check([path for _, path in files])
        return cls(session, tuple(files), "github" in options.reports, _summary_path(session.environ))

    def write(self, document: Mapping[str, Any], cases: Sequence[Case]) -> None:
        """Write them all; those of GitHub last."""
        for form, path in self.files:
            from regcli.data.write import write_atomically

            write_atomically(path, _rendered(form, document, cases).encode("utf-8", "surrogateescape"))
            self.session.note(f"wrote {path}")
        if self.summary is not None:
            from regcli.report.github import summary

            _append(self.summary, summary(document, cases))
        if self.github:
            from regcli.report.github import workflow_commands

            commands = workflow_commands(document, cases)
            if commands:
                tell(commands)


def _check(paths: Sequence[str]) -> None:
    if paths:
        from regcli.data.write import check_destination

        for path in paths:
            check_destination(path)


def _summary_path(environ: Mapping[str, str]) -> str | None:
    """The file of a step's summary, where GitHub runs the step."""
    return environ.get("GITHUB_STEP_SUMMARY") or None if environ.get("GITHUB_ACTIONS") == "true" else None


def _rendered(form: str, document: Mapping[str, Any], cases: Sequence[Case]) -> str:
    if form == "junit":
        from regcli.report.junit import junit_xml

        return junit_xml(document, cases)
    from regcli.report.page import html_page

    return html_page(document, cases)


def _append(path: str, text: str) -> None:
    """Add to a file that other programs add to as well."""
    try:
        with Path(path).open("ab") as file:
            file.write(text.encode("utf-8", "replace"))
    except OSError as error:
        told = f"{path} was not written: {error.strerror}"
        raise OutputError("output-failed", told, where=Location(file=path), hint="unset GITHUB_STEP_SUMMARY") from error
