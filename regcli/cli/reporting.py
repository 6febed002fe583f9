"""Reports beside the result: read before the work, written after the result, or after what kept it from coming."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from regcli.app.limits import out_of_memory
from regcli.app.options import Reports
from regcli.cli.destinations import taken
from regcli.cli.session import Session
from regcli.cli.streams import tell
from regcli.errors import Location, OutputError, RegcliError, UsageError
from regcli.report.cases import Case, Fault, Outcome
from regcli.report.forms import Document

__all__ = ["Reporting", "Telling", "fault_of"]

_FORMS = ("junit", "html")


@dataclass
class Telling:
    """What there is to tell so far; ``several`` are what each of several checks came to, in place of one result."""

    command: str
    document: Document | None = None
    cases: Sequence[Case] = ()
    picture: bytes | None = None
    several: Sequence[Outcome] = ()

    def outcomes(self, error: Fault | None = None) -> list[Outcome]:
        """What the command came to."""
        whole = Outcome(self.command, self.document, self.cases, error, picture=self.picture)
        return [*self.several] if self.several and error is None else [*self.several, whole]


@dataclass(frozen=True)
class Reporting:
    """Which reports are written: form and path, and whether the run is annotated."""

    session: Session
    files: tuple[tuple[str, str], ...]
    github: bool
    summary: str | None

    @classmethod
    def read(cls, options: Reports, session: Session) -> "Reporting":
        """Read the options.

        Raises
        ------
        UsageError
            No such report.
        """
        files = []
        for text in options.reports:
            if text == "github":
                continue
            form, _, path = text.partition("=")
            if form not in _FORMS or not path:
                what = "names no file" if form in _FORMS else "is no report"
                near = [] if form in _FORMS else get_close_matches(form, (*_FORMS, "github"), n=1)
                hint = "junit=PATH, github or html=PATH"
                raise UsageError("unknown-option-value", f"--report {text!r} {what}", near=near, hint=hint)
            files.append((form, path))
        return cls(
            session, tuple(files), "github" in options.reports, session.environ.get("GITHUB_STEP_SUMMARY") or None
        )

    @property
    def destinations(self) -> Iterator[tuple[str, str]]:
        """The files that are written, each with its option."""
        return ((f"--report {form}", path) for form, path in self.files)

    @contextmanager
    def told(self, command: str, *beside: tuple[str, str | None]) -> Iterator[Telling]:
        """Report what happens inside when it is over, the error too that ends it.

        It may be that the files cannot be written: ``beside`` are the others that the run writes, each with its option.
        No error is reported where one of them goes, or what is read lies.
        """
        telling = Telling(command)
        with self.failing(telling, *beside):
            yield telling
        self.write(command, telling.outcomes())

    @contextmanager
    def failing(self, telling: Telling, *beside: tuple[str, str | None]) -> Iterator[None]:
        """Report the error alone that ends what happens inside."""
        try:
            yield
        except (RegcliError, MemoryError, RuntimeError) as error:
            known = error if isinstance(error, RegcliError) else out_of_memory(error)
            if known is not None:
                self._tell_of(fault_of(self.session.placed(known)), telling, beside)
            raise

    def write(self, command: str, outcomes: Sequence[Outcome]) -> None:
        """Write them all; those of GitHub last.

        Raises
        ------
        OutputError
            A report cannot be written.
        """
        for form, path in self.files:
            self.session.keep(path, _rendered(form, command, outcomes).encode("utf-8", "surrogateescape"))
        if self.summary is not None:
            from regcli.report.github import summary

            _append(self.summary, "".join(map(summary, outcomes)))
        if self.github:
            from regcli.report.github import workflow_commands

            commands = "".join(map(workflow_commands, outcomes))
            if commands:
                tell(commands)

    def _tell_of(self, fault: Fault, telling: Telling, beside: Sequence[tuple[str, str | None]]) -> None:
        """Report an error. That it cannot be reported is told, and is not what the run leaves with."""
        never = taken(self.session, *beside, *self.destinations)
        each = [replace(self, files=(file,), github=False, summary=None) for file in self.files if file[1] not in never]
        for reporting in (*each, replace(self, files=())):
            try:
                reporting.write(telling.command, telling.outcomes(fault))
            except OutputError as error:
                if error.message not in fault.lines:
                    self.session.note(error.message)


def fault_of(error: RegcliError) -> Fault:
    """An error as reports have it."""
    place, lines = error.where.told, [error.message]
    lines += [f"at {place}"] if place else []
    lines += [f"hint: {error.hint}"] if error.hint else []
    return Fault(error.code, tuple(lines), error.where.file, error.where.line)


def _rendered(form: str, command: str, outcomes: Sequence[Outcome]) -> str:
    if form == "junit":
        from regcli.report.junit import junit_xml

        return junit_xml(command, outcomes)
    from regcli.report.page import html_page

    return html_page(command, outcomes)


def _append(path: str, text: str) -> None:
    """Add to a file that other programs add to as well."""
    try:
        with Path(path).open("ab") as file:
            file.write(text.encode("utf-8", "replace"))
    except OSError as error:
        told = f"{path} was not written: {error.strerror}"
        raise OutputError("output-failed", told, where=Location(file=path), hint="unset GITHUB_STEP_SUMMARY") from error
