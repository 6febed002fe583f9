"""One run of the command line: what was asked of it as a whole, and how it speaks."""

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from regcli.app.limits import Memory, held_memory, read_seconds, read_size, timed
from regcli.app.options import Common, Limits
from regcli.app.verdict import Check
from regcli.cli.choices import MOST_COUNTED, Choice, declared
from regcli.cli.config import Config, NamedCheck, find_config, home_directory, read_config
from regcli.cli.faults import head_line, strict_error
from regcli.cli.origins import NamedOrigins, Origin, config_document, placed, trace
from regcli.cli.progress import ProgressLine
from regcli.cli.rivals import Yielded, outrank
from regcli.cli.settings import Settings, choose_form, merge, settle, unsettled
from regcli.cli.streams import coloured, has_unicode, is_terminal, output, takes_back, tell
from regcli.errors import CheckFailedError, RegcliError, UsageError, Warn
from regcli.report.escape import visible
from regcli.report.formats import encode_line
from regcli.report.forms import FORMS, kind_of

__all__ = ["Session"]


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
        self._config: Config | None = None
        self._origins: tuple[Origin, ...] = ()
        self._named: tuple[NamedOrigins, ...] = ()
        self._command = ""
        self._began = time.monotonic()
        self._line: ProgressLine | None = None
        self._inputs: tuple[tuple[str, str], ...] = ()
        self._read: str | None = None
        self.limits = Limits()

    def tell(self, common: Common) -> None:
        """Take in the common options of one side of the command's name; what is told later wins."""
        self._common = merge(self._common, common)

    @property
    def asked(self) -> Common:
        """The common options as far as they have been told."""
        return self._common

    def fill(
        self, command: str, choices: Sequence[Choice], given: Mapping[str, Any], flagged: set[str]
    ) -> dict[str, Any]:
        """Fix how the run behaves; the options of a command, with a configuration file's where none is on the line.

        Parameters
        ----------
        command : str
            The command's name.
        choices : sequence of Choice
            Its own options.
        given : mapping
            Their values as read from the command line, by name.
        flagged : set of str
            Names of those that stand there.

        Raises
        ------
        UsageError
            Options, variables or a configuration file that cannot be read.
        """
        self._inputs = tuple(_inputs(choices, given))
        self._command, self._config = command, self._read_config()
        filed = {} if self._config is None else self._config.values(command)
        before = {**dict(given), **{choice.name: getattr(self._common, choice.name) for choice in declared(Common)}}
        flagged = flagged | {choice.name for choice in declared(Common) if before[choice.name] != choice.default}
        self._origins, yielded = outrank(
            [
                self._beside(trace(choice, before[choice.name], choice.name in flagged, self._environ, filed))
                for choice in (*choices, *declared(Common))
                if choice.key
            ]
        )
        if command == "check" and self._config is not None:
            self._named = tuple(self._trace(named, choices, given, flagged) for named in self._config.checks())
        taken = {origin.choice.name: origin.value for origin in self._origins if origin.at}
        common = {choice.name: taken.pop(choice.name) for choice in declared(Common) if choice.name in taken}
        self._settings = settle(self._common, self._environ, common)
        common.pop("format", None)  # a preference, which the suffix of --output outranks
        self._common = replace(self._common, **common)
        if not self._common.show_config:
            self._tell_origins(yielded)
        filled = {**given, **taken}
        self._inputs = tuple(_inputs(choices, filled))
        if not any(filled[choice.name] for choice in choices if not choice.key):
            self._inputs += tuple(_inputs_of_checks(self._named))
        return filled

    def _tell_origins(self, yielded: Sequence[Yielded]) -> None:
        """Say which configuration file was used, and what of it gave way."""
        if self._used:
            self.note(f"options from {self._used}")
        for each in yielded:
            if self._config is not None and each.weaker.kind == "file":
                where = f"{self._config.path}:{self._config.line(each.weaker.at)}"
                self.note(f"{each.weaker.choice.key} of {where} gives way to {each.stronger.told}")

    @property
    def inputs(self) -> tuple[tuple[str, str], ...]:
        """Files and patterns of files that are read, each with the option that names it."""
        return self._inputs if self._read is None else (*self._inputs, ("the configuration file", self._read))

    def _trace(
        self, named: NamedCheck, choices: Sequence[Choice], given: Mapping[str, Any], flagged: set[str]
    ) -> NamedOrigins:
        """The options of a check that the configuration file names: what its own table says comes before the rest."""
        filed = {} if self._config is None else self._config.values("check", named.at)
        options = (choice for choice in choices if choice.key)
        traced = (trace(choice, given[choice.name], choice.name in flagged, self._environ, filed) for choice in options)
        return NamedOrigins(named, tuple(map(self._beside, traced)))

    def _beside(self, origin: Origin) -> Origin:
        """A file that the configuration file names lies beside it, wherever the run is."""
        if self._config is None or not origin.at:
            return origin
        choice, value = origin.choice, origin.value
        if choice.listed and value.startswith("@"):
            return replace(origin, value=f"@{self._config.beside(value[1:])}")
        if not choice.read:
            return origin
        if choice.repeatable:
            return replace(origin, value=tuple(map(self._config.beside, value)))
        return replace(origin, value=self._config.beside(str(value)))

    @property
    def named(self) -> tuple[NamedOrigins, ...]:
        """The checks that the configuration file names."""
        return self._named

    def line_of(self, named: NamedCheck) -> int | None:
        """The line of the configuration file where a check is named."""
        return None if self._config is None else self._config.line(named.at)

    def placed(self, error: RegcliError, named: NamedOrigins | None = None) -> RegcliError:
        """An error with its place in the configuration file, where that says the option it is about.

        ``named`` is the check that ended with it, if the file names that.
        """
        return placed(error, self._config, self._origins if named is None else named.origins)

    @property
    def config_path(self) -> str | None:
        """The configuration file that was read."""
        return None if self._config is None else self._config.path

    def _read_config(self) -> Config | None:
        """The configuration file of the run."""
        common = self._common
        if common.no_config:
            if common.config is not None:
                raise UsageError(
                    "conflicting-options", "--config and --no-config exclude each other", hint="leave one of them out"
                )
            return None
        named = self._environ.get("REGCLI_CONFIG") or None if common.config is None else common.config
        if named is not None:
            self._read = named
            return read_config(Path(named), named)
        try:
            folder = Path.cwd()
        except FileNotFoundError:  # a working directory that is gone has no files
            return None
        found = find_config(folder, home_directory())
        if found is None:
            return None
        self._read = os.path.relpath(found, folder)
        return read_config(found, self._read)

    @property
    def _used(self) -> str | None:
        """The configuration file, if an option comes from it."""
        return self._config.path if self._config and any(origin.at for origin in self._origins) else None

    def marked(self, document: dict[str, Any]) -> dict[str, Any]:
        """A document whose options say which configuration file was used."""
        used = self._used
        return document if used is None else {**document, "options": {**document["options"], "config": used}}

    def show_config(self) -> None:
        """Print every option with its value and where it comes from."""
        form = self.form("config")
        document = config_document(self._command, self._config, self._origins, self._named)
        self.deliver(self.render(document, form))

    @property
    def settings(self) -> Settings:
        """How the run behaves, as far as it is known."""
        unknown = unsettled(self._common, self._environ)
        return self._settings or replace(unknown, json=self.json, quiet=min(self._common.quiet, MOST_COUNTED))

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
            self._make_room()
            tell(visible(text))

    def detail(self, text: str) -> None:
        """Say how the work is done, when asked to."""
        if self.settings.verbose and not self.settings.json:
            self._make_room()
            tell(visible(text))

    def _make_room(self) -> None:
        """Take the progress line away before something else is told."""
        if self._line is not None:
            self._line.clear()

    def heed(self, warnings: Sequence[Warn], *, documented: bool = True) -> None:
        """Tell the warnings; under ``--strict`` the first is an error. Comes before anything is written.

        In JSON those that no document has are told as JSON, a line each.
        """
        strict = self.settings.strict and bool(warnings)
        rest = warnings[1:] if strict else warnings
        if documented or not self.settings.json:
            self.warn(rest)
        elif self.settings.quiet < 2:
            from regcli.report.documents import warning_entry

            for warning in rest:
                tell(encode_line({"warning": warning_entry(warning)}))
        if strict:
            raise strict_error(warnings[0])

    def warn(self, warnings: Iterable[Warn]) -> None:
        """Tell warnings, a line each."""
        if self.settings.warnings:
            self._make_room()
            for warning in warnings:
                tell(head_line("warning", warning.code, warning.message, color=self.color))

    @property
    def color(self) -> bool:
        """Whether what is told is coloured."""
        return coloured(self.settings.color, sys.stderr)

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
            for told in failed[:-1]:
                tell(head_line("error", "check-failed", told, color=self.color))
            failed = failed[-1:]
        raise CheckFailedError("check-failed", "; ".join(failed), hint=hint)

    @contextmanager
    def progress(self, what: str, *, shown: bool = True) -> Iterator[ProgressLine | None]:
        """Say on a terminal what is being done while it is done, where it takes long and is to be ``shown``."""
        if not (shown and self.settings.progress and self.settings.notes and takes_back(sys.stderr, self._environ)):
            yield None
            return
        line = self._line = ProgressLine(what)
        line.begin()
        try:
            yield line
        finally:
            line.end()

    @contextmanager
    def working(self, jobs: int | None = None, *, what: str = "working", streams: bool = False) -> Iterator[Any]:
        """The context of a use case (``regcli.app.context.RunContext``), with progress while it works.

        Where results are written as they come (``streams``), those that go to a terminal are progress enough.
        """
        from regcli.app.context import Nobody, RunContext

        if jobs is not None and jobs < 1:
            raise UsageError("unknown-option-value", f"--jobs is {jobs}", hint="a number 1 or more")
        memory, seconds = self._read_limits()
        seen = streams and self.settings.output is None and is_terminal(sys.stdout)
        jobs = self.settings.jobs if jobs is None else jobs
        with (
            self.progress(what, shown=not seen) as line,
            held_memory(memory, jobs),
            timed(seconds, self._began) as deadline,
        ):
            progress = line or Nobody()
            yield RunContext(jobs=jobs, progress=progress, note=self.detail, memory=memory, deadline=deadline)

    def _read_limits(self) -> tuple[Memory, float | None]:
        """--max-memory and --max-seconds, or their variables."""
        size, seconds = self.limits.max_memory, self.limits.max_seconds
        given = self._environ.get
        memory = read_size("--max-memory", size) if size is not None else None
        if memory is None and given("REGCLI_MAX_MEMORY"):
            memory = read_size("REGCLI_MAX_MEMORY", str(given("REGCLI_MAX_MEMORY")))
        if seconds is not None:
            return Memory(memory), read_seconds("--max-seconds", seconds)
        if given("REGCLI_MAX_SECONDS"):
            return Memory(memory), read_seconds("REGCLI_MAX_SECONDS", str(given("REGCLI_MAX_SECONDS")))
        return Memory(memory), None

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

    def keep(self, path: str | None, content: bytes | None) -> None:
        """Write a file beside the result, whole or not at all; nothing where none is asked for."""
        if path is None or content is None:
            return
        from regcli.data.write import write_atomically

        write_atomically(path, content)
        self.note(f"wrote {path}")

    def print(self, document: dict[str, Any]) -> None:
        """Write a plan to standard output, whatever --output says; a format that only the result has is passed over."""
        kind, settings = kind_of(document), self.settings
        form = settings.form if settings.form in FORMS[kind] else None
        safe = settings.spreadsheet_safe and form == "csv"
        self._settings = replace(settings, output=None, form=form, spreadsheet_safe=safe)
        self.deliver(self.render(document, self.form(kind)))

    def render(self, document: dict[str, Any], form: str) -> str:
        """A document as text for where it goes: coloured, and as wide as the terminal, if it goes to one."""
        from regcli.report.formats import render

        path = self.settings.output
        seen = path is None and is_terminal(sys.stdout)
        width = shutil.get_terminal_size().columns if seen else None
        color = path is None and coloured(self.settings.color, sys.stdout)
        plain = seen and not has_unicode(sys.stdout, self._environ)
        safe = self.settings.spreadsheet_safe
        return render(document, form, width=width, color=color, plain=plain, spreadsheet_safe=safe)


def _inputs(choices: Sequence[Choice], filled: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What a command reads. An earlier result, to compare with, may be replaced by the new one, and is none of it."""
    for choice in choices:
        metavar, value = choice.flag.metavar or "", filled[choice.name]
        name = f"--{choice.key}" if choice.key else metavar.strip("[.]")
        if choice.listed and (value or "").startswith("@"):
            yield name, value[1:]
        elif metavar == "FILE" or (not choice.key and name != "NAME"):
            paths = value if choice.repeatable else () if value is None else (value,)
            yield from ((name, path) for path in paths)


def _inputs_of_checks(named: Sequence[NamedOrigins]) -> Iterator[tuple[str, str]]:
    """What is read for the checks that a configuration file names."""
    for each in named:
        yield from ((f"a file of the check {each.named.name!r}", path) for path in (each.named.model, *each.named.data))
