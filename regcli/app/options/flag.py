"""How a field of a request appears on the command line, and the options that belong to no one thing."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

__all__ = ["Checks", "Common", "Flag", "Format", "Limits", "Picture", "Run", "choices"]

Format = Literal["auto", "table", "json", "jsonl", "csv", "md", "names"]


@dataclass(frozen=True, slots=True)
class Flag:
    """How a field appears on the command line.

    ``names`` are its spellings (empty for a positional argument), ``help`` one sentence, ``metavar`` what stands for
    the value (PATH for what is written, FILE for what is read), ``default`` the default in words where None is not the
    whole truth. ``variable`` is the environment variable that stands in for it, ``in_file`` whether a configuration
    file may say it, ``apart`` whether it means something else than the other commands' option of that name, so that the
    file says it in the command's own table, ``optional`` whether a positional argument may be left out.
    """

    names: tuple[str, ...]
    help: str
    metavar: str | None = None
    default: str | None = None
    variable: str | None = None
    in_file: bool = True
    apart: bool = False
    optional: bool = False


def choices(form: Any) -> tuple[str, ...]:  # noqa: ANN401  (a Literal form has no type of its own)
    """The words a ``Literal`` form allows."""
    return tuple(get_args(form))


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """What must hold of the result."""

    checks: Annotated[
        tuple[str, ...],
        Flag(
            ("--assert",),
            "Leave with exit status 1, and write no model, unless this holds of the result: a comparison of names "
            'from the JSON document, or several joined by and, or, not; coef["NAME"] is the estimate of a term. '
            "Repeatable.",
            "EXPR",
        ),
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Whether the result is drawn."""

    plot: Annotated[
        str | None,
        Flag(("--plot",), "Draw the result to this file as well; needs matplotlib.", "PATH.svg|png|pdf"),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How the work is done; no number depends on --jobs."""

    jobs: Annotated[
        int | None,
        Flag(
            ("-j", "--jobs"),
            "Number of threads, and of worker processes for cross-validation.",
            "N",
            "usable cores",
            "REGCLI_JOBS",
        ),
    ] = None
    seed: Annotated[int | None, Flag(("--seed",), "Seed of folds and splits.", "N", "0")] = None
    dry_run: Annotated[
        bool,
        Flag(
            ("--dry-run",),
            "Read the data and say what would be fitted and written, and with how much memory; fit and write nothing.",
            in_file=False,
        ),
    ] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a run may use."""

    max_memory: Annotated[
        str | None,
        Flag(
            ("--max-memory",),
            "Leave with exit status 7 rather than use more memory: 500MB, 2GiB, or a share of the machine's, 80%.",
            "SIZE",
            "no limit",
            "REGCLI_MAX_MEMORY",
        ),
    ] = None
    max_seconds: Annotated[
        float | None,
        Flag(
            ("--max-seconds",),
            "Stop after S seconds: a path ends with the strengths that are done; with nothing usable it is exit "
            "status 7.",
            "S",
            "no limit",
            "REGCLI_MAX_SECONDS",
        ),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """Accepted before or after every command."""

    output: Annotated[
        str | None,
        Flag(("-o", "--output"), "Write the result to this file; its suffix sets the format.", "PATH", "stdout"),
    ] = None
    format: Annotated[
        Format | None,
        Flag(("-f", "--format"), "Format of the result.", None, "table on a terminal, json in a pipe", "REGCLI_FORMAT"),
    ] = None
    json: Annotated[bool, Flag(("--json",), "Result and errors as JSON.")] = False
    spreadsheet_safe: Annotated[
        bool,
        Flag(
            ("--spreadsheet-safe",),
            "In CSV, put ' before text that begins with = + - or @, which spreadsheets would take for a formula.",
        ),
    ] = False
    quiet: Annotated[
        int,
        Flag(
            ("-q", "--quiet"),
            "Guesses, warnings and errors only on stderr; -qq errors only.",
            variable="REGCLI_QUIET",
        ),
    ] = 0
    verbose: Annotated[int, Flag(("-v", "--verbose"), "Tell on stderr how the work is done.")] = 0
    color: Annotated[
        Literal["auto", "always", "never"] | None, Flag(("--color",), "Colour.", None, "auto", "REGCLI_COLOR")
    ] = None
    no_progress: Annotated[
        bool, Flag(("--no-progress",), "Show no progress on a terminal.", variable="REGCLI_PROGRESS")
    ] = False
    strict: Annotated[bool, Flag(("--strict",), "Every warning is an error.")] = False
    config: Annotated[
        str | None,
        Flag(
            ("--config",),
            "Take options that are not given from this file.",
            "FILE",
            "regcli.toml or [tool.regcli] in pyproject.toml, here or in a folder above up to the repository's root",
            "REGCLI_CONFIG",
            in_file=False,
        ),
    ] = None
    no_config: Annotated[bool, Flag(("--no-config",), "Read no configuration file.", in_file=False)] = False
    show_config: Annotated[
        bool,
        Flag(("--show-config",), "Show every option with its value and where it comes from, and leave.", in_file=False),
    ] = False
