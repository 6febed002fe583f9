"""Configuration files: found, read, and held against the declarations of the options."""

import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from regcli.app.options import Common
from regcli.cli.choices import Choice, declared
from regcli.cli.texts import COMMANDS
from regcli.errors import Location, UsageError

__all__ = ["Config", "find_config", "home_directory", "read_config"]

#: A file that is longer is no list of options.
LARGEST = 1 << 20

_OWN, _SHARED = "regcli.toml", "pyproject.toml"

#: Where the options lie in a file that other tools use too.
_INSIDE = ("tool", "regcli")

#: How the reader of TOML ends its messages.
_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


@dataclass(frozen=True)
class Config:
    """A configuration file: its name as shown, its text, where its options begin, and what is there."""

    path: str
    text: str
    root: tuple[str, ...]
    table: Mapping[str, Any]

    def values(self, command: str) -> dict[str, tuple[tuple[str, ...], Any]]:
        """The options of a command by key: the place of each in the file, and its value as a request has it.

        What stands in the command's own table wins over what is said for all commands.
        """
        out: dict[str, tuple[tuple[str, ...], Any]] = {}
        for key, choice in _choices(command).items():
            for at in ((command, key), (key,)):
                found = _reach(self.table, at)
                if found is not None:
                    out[key] = (at, self._value(choice, at, found))
                    break
        return out

    def line(self, at: tuple[str, ...]) -> int:
        """The line, from 1, where the definition of a key begins.

        The reader of TOML does not say. The lines before a definition are a file of their own that lacks the key; of
        the lines that have the key's name in them, the last for which that holds is the definition.
        """
        lines, path = self.text.splitlines(keepends=True), (*self.root, *at)
        for number in range(len(lines), 0, -1):
            if at[-1] in lines[number - 1]:
                before = _parsed("".join(lines[: number - 1]))
                if before is not None and _reach(before, path) is None:
                    return number
        return 1

    def check(self) -> None:
        """Hold every key against the options there are, whichever command runs.

        Raises
        ------
        UsageError
            ``config-invalid``.
        """
        everywhere: dict[str, list[Choice]] = {}
        for command in COMMANDS:
            for key, choice in _choices(command).items():
                everywhere.setdefault(key, []).append(choice)
        for key, value in self.table.items():
            if key in COMMANDS:
                if not isinstance(value, dict):
                    raise self._refused((key,), f"{key} is a command: its options are a table, [{key}]")
                for inner, given in value.items():
                    own = {name: [choice] for name, choice in _choices(key).items()}
                    self._check_key((key, inner), given, own)
            else:
                self._check_key((key,), value, everywhere, also=tuple(COMMANDS))

    def _check_key(
        self,
        at: tuple[str, ...],
        value: object,
        known: Mapping[str, Sequence[Choice]],
        also: tuple[str, ...] = (),
    ) -> None:
        """Refuse a key that no command has, or whose value is for none of those that have it."""
        choices = known.get(at[-1])
        if choices is None:
            what = f"{at[0]} has no option" if len(at) > 1 else "there is no option"
            near = get_close_matches(at[-1].replace("_", "-"), [*known, *also], n=3)
            raise self._refused(at, f"{what} {at[-1]!r}", near)
        if choices[0].written:
            raise self._refused(at, f"--{at[-1]} names a file that is written: it is said on the command line alone")
        if not choices[0].flag.in_file:
            raise self._refused(at, f"--{at[-1]} is said on the command line alone")
        errors = [error for choice in choices if (error := _fault(choice, value)) is not None]
        if len(errors) == len(choices):
            self._value(choices[0], at, value)

    def _value(self, choice: Choice, at: tuple[str, ...], value: object) -> Any:  # noqa: ANN401  (as its option)
        try:
            return _checked(choice, value)
        except _BadValueError as error:
            raise self._refused(at, f"{'.'.join(at)}: {error}", error.near) from error

    def _refused(self, at: tuple[str, ...], message: str, near: list[str] | None = None) -> UsageError:
        """The error of a key."""
        where = Location(file=self.path, line=self.line(at))
        hint = "keys are the long names of options; --no-config reads no file"
        return UsageError("config-invalid", message, where=where, near=near or (), hint=hint)


class _BadValueError(Exception):
    """A value that its option cannot have; ``near`` are those it may have meant."""

    def __init__(self, text: str, near: list[str] | None = None) -> None:
        super().__init__(text)
        self.near = near or []


def find_config(folder: Path, home: Path | None) -> Path | None:
    """The nearest configuration file, from a folder up to the root of its repository.

    The home directory and those above it are never looked into: what lies there is about no one project.

    Parameters
    ----------
    folder : Path
        Where to begin, absolute.
    home : Path or None
        The home directory.
    """
    never = set() if home is None else {home, *home.parents}
    for here in (folder, *folder.parents):
        if here in never or here == here.parent:
            return None
        own, shared = here / _OWN, here / _SHARED
        if own.is_file():
            return own
        if shared.is_file() and _has_table(shared):
            return shared
        if (here / ".git").exists():
            return None
    return None


def read_config(path: Path, shown: str) -> Config:
    """Read and check a file.

    Raises
    ------
    UsageError
        ``config-invalid``, with file and line.
    """
    import tomllib  # most runs have no such file

    where = Location(file=shown)
    try:
        content = _content(path)
    except OSError as error:
        text = f"the configuration file {shown} cannot be read: {error.strerror}"
        raise UsageError("config-invalid", text, where=where, hint="--no-config reads none") from error
    if len(content) > LARGEST:
        text = f"the configuration file {shown} is longer than {LARGEST:,} bytes"
        raise UsageError("config-invalid", text, where=where, hint="--no-config reads none")
    try:
        text = content.decode("utf-8")
        whole = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise UsageError("config-invalid", f"{shown} is not UTF-8 text", where=where) from error
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        told = str(error) or "tables within tables without end"
        place = _PLACE.search(told)
        line = int(place[1]) if place and place[1] else None
        told = _PLACE.sub("" if line else " at the end", told)
        message = f"{shown} is not TOML: {told}"
        raise UsageError("config-invalid", message, where=Location(shown, line), hint='penalty = "l1"') from error
    root = _INSIDE if path.name == _SHARED else ()
    table = _reach(whole, root)
    if not isinstance(table, dict):
        message = f"{shown} has no table [tool.regcli]"
        raise UsageError("config-invalid", message, where=where, hint="--no-config reads no file")
    config = Config(shown, text, root, table)
    config.check()
    return config


def _choices(command: str) -> dict[str, Choice]:
    """The options of a command by key."""
    hints = get_type_hints(COMMANDS[command].request)
    kinds = [*(hints[field.name] for field in fields(COMMANDS[command].request)), Common]
    return {choice.key: choice for choice in _all(kinds) if choice.key}


def _all(kinds: list[type[Any]]) -> Iterator[Choice]:
    for kind in kinds:
        yield from declared(kind)


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LARGEST + 1)


def _has_table(path: Path) -> bool:
    """Whether a file that other tools use too has options of ours; one that cannot be read says so when it is used."""
    try:
        content = _content(path)
    except OSError:
        return False
    if b"regcli" not in content:  # most do not, and need not be taken apart
        return False
    read = _parsed(content.decode("utf-8", "replace"))
    return re.search(rb"tool\W+regcli", content) is not None if read is None else _reach(read, _INSIDE) is not None


def _parsed(text: str) -> dict[str, Any] | None:
    import tomllib

    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        return None


def _reach(table: object, path: tuple[str, ...]) -> Any:  # noqa: ANN401  (whatever TOML has)
    """What stands at a path of keys; None where nothing does."""
    for key in path:
        if not isinstance(table, dict) or key not in table:
            return None
        table = table[key]
    return table


def _checked(choice: Choice, value: object) -> Any:  # noqa: ANN401  (as its option)
    """A value of TOML as the option's own."""
    if choice.repeatable:
        given = value if isinstance(value, list) else [value]
        return tuple(_text(item, "a list of texts") for item in given)
    kinds = {choice.form, *get_args(choice.form)}
    if choice.form is bool:
        if not isinstance(value, bool):
            raise _BadValueError(f"{_shown(value)} is neither true nor false")
        return value
    if int in kinds or float in kinds:
        return _number(value, whole=int in kinds)
    words = [word for kind in kinds if get_origin(kind) is Literal for word in get_args(kind)]
    if words:
        if value not in words:
            near = get_close_matches(value, words, n=2) if isinstance(value, str) else []
            raise _BadValueError(f"{_shown(value)} is not one of {', '.join(words)}", near)
        return value
    metavar = choice.flag.metavar or ""
    if isinstance(value, list) and ("," in metavar or metavar == "LIST"):
        parts = [_text(item, "a list of texts and numbers", numbers=True) for item in value]
        if any("," in part for part in parts):
            raise _BadValueError("no item of this list may have a comma in it")
        return ",".join(parts)
    return _text(value, "a text", numbers=True)


def _fault(choice: Choice, value: object) -> _BadValueError | None:
    """What is wrong with a value, if anything is."""
    try:
        _checked(choice, value)
    except _BadValueError as error:
        return error
    return None


def _number(value: object, *, whole: bool) -> int | float:
    fits = isinstance(value, int) or (isinstance(value, float) and not whole and math.isfinite(value))
    if isinstance(value, bool) or not fits or not isinstance(value, int | float) or abs(value) >= 2**63:
        raise _BadValueError(f"{_shown(value)} is not {'a whole number' if whole else 'a number'}")
    return value if whole else float(value)


def _text(value: object, what: str, *, numbers: bool = False) -> str:
    if isinstance(value, str) and "\0" not in value:
        return value
    if numbers and isinstance(value, int | float) and not isinstance(value, bool):
        return str(_number(value, whole=isinstance(value, int)))
    raise _BadValueError(f"{_shown(value)} is not {what}")


def _shown(value: object) -> str:
    """A value as TOML spells it, shortened."""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = repr(value) if isinstance(value, str | int | float) else f"a {_TOML.get(type(value), 'date or time')}"
    return text if len(text) <= _LONG else text[:_LONG] + "..."


_TOML: Mapping[type, str] = {dict: "table", list: "list"}

#: Characters of a wrong value that are shown.
_LONG = 60


def home_directory() -> Path | None:
    """The user's home directory, where there is one."""
    home = os.path.expanduser("~")  # noqa: PTH111  (Path.home raises where there is none)
    return Path(home).resolve() if home.startswith("/") else None
