"""Completion for bash, zsh and fish: commands, options, their words, and the columns of the table on the line.

A shell asks at every press of a key, so this loads the declarations and nothing else: it answers in a third of the
time that the whole command line takes to load. The scripts that ask are those of ``--install-completion``. Names of
columns are data: what is printed is quoted for the shell that reads it, whatever they hold.
"""

import os
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from regcli.cli.choices import Choice, options_of
from regcli.cli.texts import COMMANDS

__all__ = ["answer", "completions"]

_PLAIN = re.compile(rb"[A-Za-z0-9_.]")


def answer(shell: str, environ: Mapping[str, str]) -> int:
    """Print what a shell's script asks for. Returns the exit status: of fish's first question, whether there is any."""
    if shell == "bash":
        words = _split(environ.get("COMP_WORDS", ""))
        at = int(environ.get("COMP_CWORD") or 0)
        before, incomplete = words[1:at], words[at] if at < len(words) else ""
        if "=" in (incomplete, *before[-1:]):  # bash takes --target=price for three words
            before, incomplete = [word for word in before if word != "="], incomplete.removeprefix("=")
    else:
        line = environ.get("_TYPER_COMPLETE_ARGS", "")
        words = _split(line)
        open_word = len(words) > 1 and not line.endswith(" ")
        before, incomplete = (words[1:-1], words[-1]) if open_word else (words[1:], "")
    found = completions(before, incomplete)
    if shell == "fish" and environ.get("_TYPER_COMPLETE_FISH_ACTION") == "is-args":
        return 0 if found else 1
    text = {"bash": _for_bash, "zsh": _for_zsh, "fish": "\n".join}[shell](found)
    os.write(1, (text + "\n").encode("utf-8", "surrogateescape"))
    return 0


def completions(before: Sequence[str], incomplete: str) -> list[str]:
    """What the word being written may become; nothing where it may be a file.

    Parameters
    ----------
    before : sequence of str
        The words between the program's name and this one.
    incomplete : str
        What is written of it.
    """
    command = next((word for word in _positional(before, options_of(None)) if word in COMMANDS), None)
    choices = options_of(command)
    option, equals, value = incomplete.partition("=")
    last = choices.get(before[-1]) if before else None
    if last is not None and _takes_value(last):
        found = _values(last, before, choices)
    elif equals and option in choices and _takes_value(choices[option]):
        found = [f"{option}={each}" for each in _values(choices[option], before, choices) if each.startswith(value)]
    elif incomplete.startswith("-"):
        found = [name for name in (*choices, "--help", *(() if command else ("--version",))) if name.startswith("--")]
    elif command is None:
        found = list(COMMANDS)
    else:
        found = list(COMMANDS) if command == "man" else []
    return [name for name in found if name.startswith(incomplete) and name.isprintable()]


def _positional(before: Sequence[str], choices: Mapping[str, Choice]) -> Iterator[str]:
    """Words that are neither options nor values of those that there are."""
    value = False
    for word in before:
        if not value and not word.startswith("-"):
            yield word
        value = not value and word in choices and _takes_value(choices[word])


def _takes_value(choice: Choice) -> bool:
    return choice.form is not bool and not choice.counted


def _values(choice: Choice, before: Sequence[str], choices: Mapping[str, Choice]) -> list[str]:
    """The words that an option takes, as far as they are known."""
    return _columns(_positional(before, choices)) if choice.columns else list(choice.words)


def _columns(words: Iterable[str]) -> list[str]:
    """Names of the columns of the first table on the line; a file that is written is none of it."""
    from regcli.cli.columns import column_names

    return next((names for word in words if (names := column_names(_path(word)))), [])


def _path(word: str) -> Path:
    """The file that a word names, which no shell has expanded yet."""
    return Path(os.path.expanduser(word))  # noqa: PTH111  (Path.expanduser raises where there is no such user)


def _split(line: str) -> list[str]:
    """The words of a line whose last word may have a quote that is still open."""
    lexer = shlex.shlex(line, posix=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    words: list[str] = []
    try:
        words.extend(lexer)
    except ValueError:
        words.append(lexer.token)
    return words


def _for_bash(found: Sequence[str]) -> str:
    """One a line; bash puts them on the line as they are."""
    return "\n".join(map(shlex.quote, found))


def _for_zsh(found: Sequence[str]) -> str:
    """A line for ``eval $(...)``, which is split at blanks before: there are none in the names."""
    if not found:
        return "_files"
    return "compadd -- " + " ".join(map(_escaped, found))


def _escaped(name: str) -> str:
    """A name in zsh's $'...', every byte that might mean something as a number."""
    text = name.encode("utf-8", "surrogateescape")
    return "$'" + "".join(chr(byte) if _PLAIN.match(bytes([byte])) else f"\\x{byte:02x}" for byte in text) + "'"
