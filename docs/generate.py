# ruff: noqa: INP001  (a script beside its page, not a package)
"""Write options.md of this folder from the option declarations.

Run from the root of the repository::

    python docs/generate.py            # write it
    python docs/generate.py --check    # exit 1 if it is not what the declarations say
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from regcli.app.options import Common
from regcli.cli.manual import spelling
from regcli.cli.options import TITLES, declared, groups
from regcli.cli.texts import COMMANDS, ENVIRONMENT

__all__ = ["main", "page"]

_PATH = Path(__file__).resolve().parent / "options.md"

_HEAD = """\
<!-- Written by docs/generate.py from the option declarations. Do not edit. -->

# Options

What `regcli COMMAND --help` says, for reading. An option that cannot have an effect is refused, not ignored. Of an
option that takes one value and is given several times the last one counts; those that are repeatable add up. Where each
value of a run comes from, flag, [variable](#environment) or [file](running.md), `--show-config` tells.
"""

#: Options that every command has by itself.
_ALWAYS = ("| `-V`, `--version` | Show the version and leave. | |", "| `-h`, `--help` | Show help and leave. | |")

_HEADING = "| option | | default |\n|---|---|---|"


def page() -> str:
    """The page: a section for each command, one for the options of all, one for environment variables."""
    parts = [_HEAD, _contents()]
    shown: dict[tuple[type, ...], str] = {}
    for name, text in COMMANDS.items():
        kinds = tuple(part.kind for part in groups(text.request))
        words = f"{text.summary}\n\n    regcli {name} {text.usage}"
        if kinds in shown:
            parts.append(_section(name, words, f"It takes the options of [{shown[kinds]}](#{shown[kinds]})."))
            continue
        shown[kinds] = name
        parts.append(_section(name, words, _HEADING, *(line for kind in kinds for line in _rows(kind))))
    parts.append(_section("Everywhere", "Before or after every command.", _HEADING, *_rows(Common), *_ALWAYS))
    variables = [f"| `{name}` | {_cell(meaning)} |" for name, meaning in ENVIRONMENT.items()]
    words = "They change how a run behaves and no number. Flags win over them."
    parts.append(_section("Environment", words, "| variable | |\n|---|---|", *variables))
    return "\n".join(parts)


def _section(title: str, words: str, *lines: str) -> str:
    return "\n".join([f"## {title}\n\n{words}\n", *lines, ""])


def _contents() -> str:
    names = [*COMMANDS, "everywhere", "environment"]
    return " · ".join(f"[{name}](#{name})" for name in names) + "\n"


def _rows(kind: type) -> Iterator[str]:
    """A row for each option of a group, under one with the group's heading."""
    if kind is not Common:
        yield f"| **{TITLES[kind.__name__]}** | | |"
    for choice in declared(kind):
        default = f"{_cell(choice.flag.default)} " if choice.flag.default else ""
        yield f"| {_code(spelling(choice))} | {_cell(choice.flag.help)} | {default}|"


def _code(names: str) -> str:
    return ", ".join("`" + name.replace("|", "\\|") + "`" for name in names.split(", "))


def _cell(text: str) -> str:
    """Text in a cell of a table: bars do not end it, nothing in it is markup."""
    return re.sub(r"([|*<>\[\]`_])", r"\\\1", text)


def main(words: list[str]) -> int:
    """Write the page, or with ``--check`` compare it. Returns the exit status."""
    if words == ["--check"]:
        stale = not _PATH.exists() or _PATH.read_text("utf-8") != page()
        if stale:
            sys.stderr.write("not up to date: options.md; run python docs/generate.py\n")
        return int(stale)
    if words:
        sys.stderr.write("usage: python docs/generate.py [--check]\n")
        return 2
    _PATH.write_text(page(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
