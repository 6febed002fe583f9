"""How a run behaves, settled from flags and environment. None of it changes a number."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from pathlib import PurePath
from typing import Any

from regcli.app.options import Common, Format, choices
from regcli.cli.choices import MOST_COUNTED
from regcli.errors import UsageError
from regcli.report.forms import FORMS, PLAIN_TEXT, SCORER

__all__ = ["Settings", "choose_form", "merge", "settle", "unsettled"]

_COLORS = ("auto", "always", "never")
_SUFFIXES: Mapping[str, Format] = {
    ".json": "json",
    ".jsonl": "jsonl",
    ".csv": "csv",
    ".md": "md",
    ".txt": "table",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything about a run that is not statistics.

    ``form`` is the format that was asked for by a flag, ``usual_form`` the one the environment prefers; the suffix of
    ``output`` comes between them. ``jobs`` is the environment's; the flag belongs to the request.
    """

    output: str | None = None
    form: str | None = None
    usual_form: str | None = None
    json: bool = False
    quiet: int = 0
    verbose: int = 0
    color: str = "auto"
    progress: bool = True
    strict: bool = False
    spreadsheet_safe: bool = False
    jobs: int | None = None

    @property
    def notes(self) -> bool:
        """Whether things that are neither results nor warnings are told."""
        return not self.quiet and not self.json

    @property
    def warnings(self) -> bool:
        """Whether warnings are told on stderr; in JSON they are part of the document."""
        return self.quiet < 2 and not self.json


def settle(flags: Common, environ: Mapping[str, str], filed: Mapping[str, Any]) -> Settings:
    """Join flags, ``REGCLI_*`` variables and what a configuration file says, by field; the earlier of these win.

    A format that the file or a variable says is a preference: the suffix of the output says more.

    Raises
    ------
    UsageError
        Options that exclude each other, or a variable that cannot be read.
    """
    common = replace(flags, **filed)
    _refuse_other_form(flags)
    _refuse_other_form(Common(format=filed.get("format"), json=filed.get("json", False)))
    usual_form = filed.get("format") or ("json" if filed.get("json") else None)
    output = None if common.output in (None, "-") else common.output
    quiet = _number(environ, "REGCLI_QUIET", 0, MOST_COUNTED)
    return Settings(
        output=output,
        form=_asked_form(flags, output),
        usual_form=_word(environ, "REGCLI_FORMAT", choices(Format)) or usual_form,
        json=common.json,
        quiet=min(common.quiet, MOST_COUNTED) or quiet or 0,
        verbose=common.verbose,
        color=_color(flags.color, environ, filed.get("color")),
        progress=not common.no_progress and _number(environ, "REGCLI_PROGRESS", 0, 1) != 0,
        strict=common.strict,
        spreadsheet_safe=common.spreadsheet_safe,
        jobs=_number(environ, "REGCLI_JOBS", 1, None),
    )


def merge(before: Common, after: Common) -> Common:
    """The common options of both sides of the command's name; what stands after it wins."""
    given = {f.name: getattr(after, f.name) for f in fields(Common)}
    return replace(before, **{f.name: given[f.name] for f in fields(Common) if given[f.name] != f.default})


def choose_form(settings: Settings, kind: str, *, terminal: bool) -> str:
    """The format of a document of this kind: what was asked for, else a table on a terminal and JSON in a pipe.

    Raises
    ------
    UsageError
        The kind has no such format, or the suffix of the output names none; --spreadsheet-safe without CSV. A
        preference of the environment that does not fit is passed over.
    """
    form = _form_of(settings, kind, terminal=terminal)
    if settings.spreadsheet_safe and form != "csv":
        text = f"--spreadsheet-safe is for CSV, and this is {form}"
        raise UsageError("option-without-effect", text, hint="--format csv" if "csv" in FORMS[kind] else None)
    return form


def _form_of(settings: Settings, kind: str, *, terminal: bool) -> str:
    """The format, as far as documents and flags go."""
    forms = FORMS[kind]
    form = settings.form
    if forms == SCORER:
        if form not in (None, "auto", "json"):  # --json is for errors too
            raise UsageError("option-without-effect", f"{kind} has no {form} format", hint="--to says what is written")
        return forms[0]
    if forms == PLAIN_TEXT:
        return _require_text(settings, kind)
    if form is None and settings.output is not None:
        form = _suffix_form(settings.output)
    if form not in (None, "auto"):
        if form not in forms:
            raise UsageError(
                "option-without-effect",
                f"{kind} has no {form} format",
                hint=f"--format {'|'.join(forms)}",
            )
        return str(form)
    if settings.usual_form in forms and form != "auto":
        return str(settings.usual_form)
    if "json" not in forms or kind == "predict":
        return forms[0]
    return "table" if terminal and settings.output is None and "table" in forms else "json"


def _require_text(settings: Settings, kind: str) -> str:
    """The format of what is text alone, in any file whose suffix names no other format; .txt is that of tables."""
    form = settings.form
    named = _SUFFIXES.get(PurePath(settings.output or "").suffix.lower()) if form is None else form
    if named not in (None, "auto") and not (form is None and named == "table"):
        hint = "-o FILE.txt" if form is None else "leave the format out"
        raise UsageError("option-without-effect", f"{kind} has no {named} format", hint=f"{hint}: it is text")
    return PLAIN_TEXT[0]


def _refuse_other_form(common: Common) -> None:
    if common.json and common.format not in (None, "auto", "json", "jsonl"):
        text = f"--json and --format {common.format} exclude each other"
        raise UsageError("conflicting-options", text, hint="leave one of them out")


def _asked_form(flags: Common, output: str | None) -> str | None:
    if flags.json:
        return flags.format if flags.format == "jsonl" else "json"
    return flags.format if flags.format != "auto" or output is None else None


def _suffix_form(output: str) -> str | None:
    """The format that the suffix of a file names."""
    suffix = PurePath(output).suffix.lower()
    if suffix and suffix not in _SUFFIXES and not output.startswith(("/dev/", "/proc/")):
        raise UsageError(
            "unknown-option-value",
            f"the suffix of {output} names no format",
            hint=f"one of {' '.join(_SUFFIXES)}, or say --format",
        )
    return _SUFFIXES.get(suffix)


def unsettled(common: Common, environ: Mapping[str, str]) -> Settings:
    """How a run behaves whose command line is wrong: as far as it was read, and no variable is judged."""
    with suppress(UsageError):
        return Settings(verbose=common.verbose, color=_color(common.color, environ))
    return Settings(verbose=common.verbose)


def _color(flag: str | None, environ: Mapping[str, str], filed: str | None = None) -> str:
    """Whether to colour; what every program's variables ask for comes before the file, what they tell after it."""
    usual = _word(environ, "REGCLI_COLOR", _COLORS)
    if flag is not None:
        return flag
    if usual is not None:
        return usual
    if environ.get("NO_COLOR"):  # https://no-color.org: any value but the empty one
        return "never"
    if environ.get("FORCE_COLOR"):
        return "always"
    if filed is not None:
        return filed
    return "never" if environ.get("TERM") == "dumb" else "auto"


def _word(environ: Mapping[str, str], name: str, words: tuple[str, ...]) -> str | None:
    text = environ.get(name, "")
    if not text:
        return None
    if text not in words:
        raise UsageError(
            "unknown-option-value",
            f"the environment variable {name} is {text!r}",
            near=get_close_matches(text, words, n=1),
            hint=f"one of {', '.join(words)}",
        )
    return text


def _number(environ: Mapping[str, str], name: str, low: int, high: int | None) -> int | None:
    text = environ.get(name, "")
    if not text:
        return None
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
    if number < low or (high is not None and number > high):
        span = f"{low} or more" if high is None else f"from {low} to {high}"
        raise UsageError(
            "unknown-option-value", f"the environment variable {name} is {text!r}", hint=f"a number {span}"
        )
    return number
