"""One run of the command line: what was asked of it as a whole, and how it speaks."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from regcli.app.checks import Check
from regcli.app.options import Common
from regcli.cli.settings import Settings, choose_form, merge, settle
from regcli.cli.streams import ProgressLine, coloured, has_unicode, is_terminal, output, paint, tell
from regcli.errors import WARNING_CODES, CheckFailedError, RegcliError, UsageError, Warn
from regcli.report.escape import visible

__all__ = ["Session", "strict_error"]


class Session:
    """What commands and the error boundary share about the run.

    The boundary makes one and hands it to Typer as the context's object; commands are given it. Until the command
    line has been read, ``json`` is a look at the words: an error in reading them must already be in the right form.
    """

    def __init__(self, words: Sequence[str], environ: Mapping[str, str] | None = None) -> None:
        self._environ = os.environ if environ is None else environ
        self._words = tuple(words)
        self._common = Common()
        self._settings: Settings | None = None

    def tell(self, common: Common) -> None:
        """Take in the common options of one side of the command's name; what is told later wins."""
        self._common = merge(self._common, common)

    def settle(self) -> None:
        """Fix how the run behaves. Raises UsageError for options or variables that cannot be read."""
        self._settings = settle(self._common, self._environ)

    @property
    def settings(self) -> Settings:
        """How the run behaves, as far as it is known."""
        return self._settings or Settings(verbose=self._common.verbose)

    @property
    def environ(self) -> Mapping[str, str]:
        """Environment variables."""
        return self._environ

    @property
    def json(self) -> bool:
        """Whether errors are JSON."""
        return self._settings.json if self._settings else "--json" in self._words

    def form(self, kind: str) -> str:
        """The format of a document of this kind. Raises UsageError where there is no such format."""
        return choose_form(self.settings, kind, terminal=is_terminal(sys.stdout))

    def note(self, text: str) -> None:
        """Say something that is neither a result nor a warning."""
        if self.settings.notes:
            tell(visible(text))

    def detail(self, text: str) -> None:
        """Say how the work is done, when asked to."""
        if self.settings.verbose and not self.settings.json:
            tell(visible(text))

    def heed(self, warnings: Sequence[Warn]) -> None:
        """Tell the warnings; under ``--strict`` the first is an error. Comes before anything is written."""
        strict = self.settings.strict and bool(warnings)
        if self.settings.warnings:
            word = paint("warning", "1;33", on=coloured(self.settings.color, sys.stderr))
            for warning in warnings[1:] if strict else warnings:
                tell(f"{word}[{warning.code}]: {visible(warning.message)}")
        if strict:
            raise strict_error(warnings[0])

    def uphold(self, checks: Sequence[Check], hint: str | None = None, also: Sequence[str] = ()) -> None:
        """Leave with an error where a check does not hold. Comes last: the result is written, other errors are out.

        ``also`` says what else does not hold.
        """
        failed = [*also]
        for check in checks:
            if check.passed:
                self.detail(check.told())
            else:
                failed.append(check.told())
        if not failed:
            return
        if not self.json:  # in JSON it is one error, here a line each
            word = paint("error", "1;31", on=coloured(self.settings.color, sys.stderr))
            for told in failed[:-1]:
                tell(f"{word}[check-failed]: {visible(told)}")
            failed = failed[-1:]
        raise CheckFailedError("check-failed", "; ".join(failed), hint=hint)

    @contextmanager
    def working(self, jobs: int | None = None) -> Iterator[Any]:
        """The context of a use case (``regcli.app.context.RunContext``), with progress while it works."""
        from regcli.app.context import RunContext

        if jobs is not None and jobs < 1:
            raise UsageError("unknown-option-value", f"--jobs is {jobs}", hint="a number 1 or more")
        shown = self.settings.progress and self.settings.notes and is_terminal(sys.stderr)
        line = ProgressLine() if shown else None
        try:
            yield RunContext(
                jobs=self.settings.jobs if jobs is None else jobs,
                progress=line.update if line else None,
                note=self.detail,
            )
        finally:
            if line:
                line.clear()

    @contextmanager
    def sink(self) -> Iterator[Callable[[str | bytes], None]]:
        """Where the result is written, piece by piece."""
        path = self.settings.output
        with output(path) as write:
            yield write
        if path is not None:
            self.note(f"wrote {path}")

    def deliver(self, result: str | bytes) -> None:
        """Write a whole result."""
        with self.sink() as write:
            write(result)

    def render(self, document: dict[str, Any], form: str) -> str:
        """A document as text for where it goes: coloured, and as wide as the terminal, if it goes to one."""
        from regcli.report.formats import render

        path = self.settings.output
        seen = path is None and is_terminal(sys.stdout)
        width = shutil.get_terminal_size().columns if seen else None
        color = path is None and coloured(self.settings.color, sys.stdout)
        plain = seen and not has_unicode(sys.stdout, self._environ)
        return render(document, form, width=width, color=color, plain=plain)


def strict_error(warning: Warn) -> RegcliError:
    """The error that a warning is under ``--strict``: its own code, the status of its class."""
    status = WARNING_CODES[warning.code][0]
    kind = {kind.exit_code: kind for kind in RegcliError.__subclasses__()}[status]
    return kind(warning.code, warning.message, hint="without --strict this is a warning")
