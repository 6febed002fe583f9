"""Manual pages, built from the option declarations and the commands' texts.

A page is sections of blocks. ``roff`` writes it for man(1), as installed in share/man; ``plain`` writes it as text.
Both are made from the same declarations as the command line itself, so that ``regcli man`` needs no installed file
and always describes the version that runs.
"""

import shutil
import subprocess
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from regcli import __version__
from regcli.app.options import Common
from regcli.cli.options import TITLES, Choice, declared, groups
from regcli.cli.texts import COMMANDS, ENVIRONMENT, EXIT_STATUS, OBJECTIVE, REPEATED, SUMMARY
from regcli.errors import UsageError

__all__ = ["Block", "Page", "Section", "find_page", "open_page", "pages", "plain", "roff", "spelling"]

_WIDTH = 80

#: The day the version was released. man(7) wants a date; today's would make two runs differ.
_RELEASED = "2026-11-20"


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a section: a heading, a paragraph, verbatim lines, or an item (``tag`` and what it means)."""

    text: str
    tag: str | None = None
    verbatim: bool = False
    heading: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A titled run of blocks."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A manual page: its name without the section number, one line on what it describes, its sections."""

    name: str
    purpose: str
    sections: tuple[Section, ...]


def pages() -> Iterator[Page]:
    """Every page, the overview first."""
    yield _overview()
    for name in COMMANDS:
        yield _command_page(name)


def find_page(name: str | None) -> Page:
    """The page of a command, or the overview. Raises UsageError for a name that is not a command."""
    known = {page.name: page for page in pages()}
    wanted = "regcli" if name is None else name if name.startswith("regcli") else f"regcli-{name}"
    if wanted in known:
        return known[wanted]
    near = get_close_matches(str(name), COMMANDS, n=2)
    raise UsageError(
        "unknown-page", f"no manual page for {name!r}", near=near, hint=f"regcli man, or one of {', '.join(COMMANDS)}"
    )


def open_page(page: Page) -> bool:
    """Show a page in man(1). Returns False where that cannot be done."""
    program = shutil.which("man")
    if program is None:
        return False
    done = subprocess.run([program, "-l", "-"], input=roff(page).encode(), check=False)  # noqa: S603  (found on PATH)
    return done.returncode == 0


def roff(page: Page) -> str:
    """A page in man(7). No date: the same declarations give the same bytes."""
    lines = [
        '.\\" Written by man/generate.py from the option declarations. Do not edit.',
        f'.TH {page.name.upper()} 1 "{_RELEASED}" "regcli {__version__}" "regcli manual"',
        ".SH NAME",
        f"{_roff_text(page.name)} \\- {_roff_text(page.purpose)}",
    ]
    for section in page.sections:
        lines.append(f".SH {section.title}")
        for number, block in enumerate(section.blocks):
            lines.extend(_roff_block(block, first=number == 0 or section.blocks[number - 1].heading))
    return "\n".join(lines) + "\n"


def plain(page: Page) -> str:
    """A page as text of 80 columns."""
    name = Block(f"{page.name} - {page.purpose}")
    lines = [f"{page.name.upper()}(1)", "", "NAME", *_plain_block(name)]
    for section in page.sections:
        lines += ["", section.title]
        for number, block in enumerate(section.blocks):
            if number and not (block.tag and not section.blocks[number - 1].tag and section.blocks[number - 1].heading):
                lines.append("")
            lines += _plain_block(block)
    return "\n".join(lines) + "\n"


def _overview() -> Page:
    commands = tuple(Block(text.summary, tag=f"regcli {name}") for name, text in COMMANDS.items())
    examples = tuple(Block(text.examples[0].line, verbatim=True) for text in COMMANDS.values())
    return Page(
        "regcli",
        _purpose(SUMMARY),
        (
            Section("SYNOPSIS", (Block("regcli [OPTIONS] COMMAND [ARGS]...", verbatim=True),)),
            Section("DESCRIPTION", (Block(f"{SUMMARY} A model solves"), Block(OBJECTIVE, verbatim=True))),
            Section("COMMANDS", commands),
            Section("OPTIONS", (Block(REPEATED), *_options(Common, "Before or after every command"))),
            *_shared(),
            Section("EXAMPLES", examples),
            _see_also("regcli"),
        ),
    )


def _command_page(name: str) -> Page:
    text = COMMANDS[name]
    described = tuple(Block(part, verbatim=part == OBJECTIVE) for part in text.description)
    options = [block for part in groups(text.request) for block in _options(part.kind, part.title)]
    options += _options(Common, TITLES["Common"])
    examples = tuple(Block(f"# {example.purpose}\n{example.line}", verbatim=True) for example in text.examples)
    return Page(
        f"regcli-{name}",
        _purpose(text.summary),
        (
            Section("SYNOPSIS", (Block(f"regcli {name} {text.usage}", verbatim=True),)),
            Section("DESCRIPTION", described),
            Section("OPTIONS", (Block(REPEATED), *options)),
            *_shared(),
            Section("EXAMPLES", examples),
            _see_also(f"regcli-{name}"),
        ),
    )


def _shared() -> tuple[Section, ...]:
    return (
        Section("EXIT STATUS", tuple(Block(f"{words}.", tag=str(status)) for status, words in EXIT_STATUS.items())),
        Section("ENVIRONMENT", tuple(Block(words, tag=name) for name, words in ENVIRONMENT.items())),
        Section(
            "FILES",
            (
                Block(
                    "Tables are read from .csv, .tsv and .txt (delimited text), .jsonl, .parquet, .feather, .arrow, "
                    ".ipc, .svm, .libsvm, .npz and .mtx files; text also packed, as .gz, .bz2, .xz or .zst. Files are "
                    "written whole or not at all: an old file stays until the new one is complete. regcli reads no "
                    "other file that is not named on its command line, but for its configuration."
                ),
                Block(
                    "regcli.toml, or the table [tool.regcli] of pyproject.toml, has options that are not given "
                    "otherwise. The nearest is read, from the working directory up to the root of the repository and "
                    "never in the home directory or above it. Keys are the long names of options; those in a table "
                    "named as a command are for that command alone, the others for every command that has them. Names "
                    "that may be repeated are lists. Files that are written are named on the command line alone; those "
                    "that are read lie beside the configuration file. Flags win over "
                    "the environment, and that over the file; --show-config says where each value is from."
                ),
            ),
        ),
    )


def _see_also(name: str) -> Section:
    others = [page for page in ("regcli", *(f"regcli-{command}" for command in COMMANDS)) if page != name]
    return Section("SEE ALSO", (Block(", ".join(f"{page}(1)" for page in others)),))


def _options(kind: type, title: str) -> Iterator[Block]:
    yield Block(title, heading=True)
    for choice in declared(kind):
        default = f" Default: {choice.flag.default}." if choice.flag.default else ""
        yield Block(choice.flag.help + default, tag=spelling(choice))
    if kind is Common:
        yield Block("Show the version and leave.", tag="-V, --version")
        yield Block("Show help and leave.", tag="-h, --help")


def spelling(choice: Choice) -> str:
    """An option as help and tables spell it: its names, and what stands for its value."""
    flag = choice.flag
    if not flag.names:
        return str(flag.metavar)
    names = ", ".join(flag.names)
    return names if choice.form in (bool, int) else f"{names} {_value(choice)}"


def _value(choice: Choice) -> str:
    """What stands for an option's value: its metavar, or the words it may be."""
    if choice.flag.metavar:
        return choice.flag.metavar
    return "|".join(choice.words)


def _purpose(summary: str) -> str:
    return summary[0].lower() + summary[1:].removesuffix(".")


def _roff_block(block: Block, *, first: bool) -> list[str]:
    if block.heading:
        return [f'.SS "{_roff_text(block.text)}"']
    if block.tag is not None:
        return [".TP", f"\\fB{_roff_text(block.tag)}\\fR", *_roff_lines(block.text)]
    if block.verbatim:
        start = [] if first else [".PP"]
        return [*start, ".nf", *(_roff_text(line) for line in block.text.split("\n")), ".fi"]
    return [*([] if first else [".PP"]), *_roff_lines(block.text)]


def _roff_lines(text: str) -> list[str]:
    """Text that roff fills, in lines as mandoc likes them: none is longer than 80 bytes, unless a word is."""
    lines = textwrap.wrap(_roff_text(text), _WIDTH, break_long_words=False, break_on_hyphens=False)
    return [line if at == 0 else _guarded(line) for at, line in enumerate(lines)]


def _roff_text(text: str) -> str:
    """Text as roff prints it: a minus that can be copied, no escapes, no requests by accident."""
    text = (
        text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("^", "\\(ha").replace("~", "\\(ti")
    )
    return _guarded(text)


def _guarded(text: str) -> str:
    """A line that is no request."""
    return f"\\&{text}" if text.startswith((".", "\\(aq")) else text


def _plain_block(block: Block) -> list[str]:
    if block.heading:
        return [f"  {block.text}"]
    if block.verbatim:
        return [f"    {line}" for line in block.text.split("\n")]
    indent = "    " if block.tag is None else "        "
    body = textwrap.wrap(block.text, _WIDTH, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)
    return body if block.tag is None else [f"    {block.tag}", *body]
