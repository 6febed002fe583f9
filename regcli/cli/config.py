"""Configuration files: found, read, and held against the declarations of the options."""

import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from os.path import exists, isfile  # those of Path raise where they may not look
from pathlib import Path
from typing import Any, TypeGuard, get_args

from regcli.app.options import Common, Limits
from regcli.cli.choices import MOST_COUNTED, Choice, declared, options_of
from regcli.cli.texts import COMMANDS
from regcli.errors import Location, UsageError

__all__ = ["At", "Config", "NamedCheck", "find_config", "home_directory", "read_config"]

#: A place in a file: keys, and numbers where tables are lists.
At = tuple[str | int, ...]

#: A file that is longer is no list of options.
LARGEST = 1 << 20

_OWN, _SHARED = "regcli.toml", "pyproject.toml"

#: Where the options lie in a file that other tools use too.
_INSIDE = ("tool", "regcli")

#: How the reader of TOML ends its messages.
_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


#: What a check that is named says beside options.
_FILES = ("name", "model", "data")

#: What makes a table one of a check by its name.
_NAMED = frozenset(_FILES)

#: Options of a run, which is one for all checks.
_RUN = frozenset(choice.key for group in (Common, Limits) for choice in declared(group))


@dataclass(frozen=True, slots=True)
class NamedCheck:
    """A check that a configuration file names: where its table is, and its files as seen from the working directory."""

    name: str
    at: At
    model: str
    data: tuple[str, ...]


@dataclass(frozen=True)
class Config:
    """A configuration file: its name as shown, its text, where its options begin, and what is there."""

    path: str
    text: str
    root: tuple[str, ...]
    table: Mapping[str, Any]

    def values(self, command: str, own: At | None = None) -> dict[str, tuple[At, Any]]:
        """The options of a command by key: the place of each in the file, and its value as a request has it.

        What stands in the command's own table wins over what is said for all commands; ``own`` is the place of that
        table, where it is not called as the command.
        """
        out: dict[str, tuple[At, Any]] = {}
        for key, choice in _choices(command).items():
            everywhere = () if key in COMMANDS or choice.flag.apart else ((key,),)  # [cv] is a table, not --cv
            for at in ((*(own or (command,)), key), *everywhere):
                found = _reach(self.table, at)
                if found is not None:
                    out[key] = (at, self._value(choice, at, found))
                    break
        return out

    def checks(self) -> tuple[NamedCheck, ...]:
        """The checks that the file names, in its order: each ``[[check]]``, or a ``[check]`` with model and data."""
        return tuple(self._named(at) for at in self._check_tables())

    def _check_tables(self) -> Iterator[At]:
        """Where a check is named."""
        found = self.table.get("check")
        if isinstance(found, list):
            yield from (("check", number) for number in range(len(found)))
        elif isinstance(found, dict) and not _NAMED.isdisjoint(found):
            yield ("check",)

    def _named(self, at: At) -> NamedCheck:
        """A check by its table; its files lie where the configuration file says, beside it."""
        table = _reach(self.table, at)
        model, data = table["model"], table["data"]
        files = [data] if isinstance(data, str) else data
        name = table.get("name") or f"{model} on {', '.join(files)}"
        return NamedCheck(name, at, self.beside(model), tuple(map(self.beside, files)))

    def beside(self, file: str) -> str:
        """A file that lies beside this one, as seen from the working directory."""
        return os.path.join(os.path.dirname(self.path), file)  # noqa: PTH118, PTH120  (as the paths are spelt)

    def line(self, at: At) -> int:
        """The line, from 1, where the definition of a key begins.

        The reader of TOML does not say. The lines before a definition are a file of their own that lacks the key; of
        the lines that have the key's name in them, the last for which that holds is the definition. It is found by
        bisection: what is defined stays so. Lines within a value have no file before them, and are passed over.
        """
        lines, path = self.text.split("\n"), (*self.root, *at)
        word = next(key for key in reversed(at) if isinstance(key, str))
        places = [number for number, line in enumerate(lines) if word in line]
        found, low, high = 0, 0, len(places)
        while low < high:
            near = middle = (low + high) // 2
            while (before := _parsed("\n".join(lines[: places[near]]))) is None and near > low:
                near -= 1
            if before is not None and _reach(before, path) is not None:
                high = near
            else:
                low = middle + 1
                found = found if before is None else places[near]
        return found + 1

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
                if not choice.flag.apart:
                    everywhere.setdefault(key, []).append(choice)
        for key, value in self.table.items():
            if key == "check" and isinstance(value, list):
                for number, table in enumerate(value):
                    self._check_table((key, number), table)
            elif key in COMMANDS:
                self._check_table((key,), value)
            else:
                self._check_key((key,), value, everywhere, also=tuple(COMMANDS))
        names = [named.name for named in self.checks()]
        for number, named in enumerate(names):
            if named in names[:number]:
                raise self._refused(("check", number), f"two checks are called {named!r}", hint="give them a name each")

    def _check_table(self, at: At, table: object) -> None:
        """Hold the options of a command, or of a check by its name, against those there are."""
        command, listed = str(at[0]), len(at) > 1
        if not isinstance(table, dict):
            raise self._refused(at, f"{command} is a command: its options are a table, [{command}]")
        known = {name: [choice] for name, choice in _choices(command).items()}
        if listed:
            known = {key: choices for key, choices in known.items() if key not in _RUN}
        named = command == "check" and (listed or not _NAMED.isdisjoint(table))
        for key, given in table.items():
            if command == "check" and key in _FILES:
                self._check_files((*at, key), given)
            elif listed and key in _RUN:
                hint = "it stands above the tables"
                raise self._refused((*at, key), f"{key} holds for the whole run, not for one check", hint=hint)
            else:
                self._check_key((*at, key), given, known, also=_FILES if command == "check" else ())
        for key in ("model", "data") if named else ():
            if key not in table:
                raise self._refused(at, f"a check needs {key}", hint='model = "model.json" and data = "new.csv"')

    def _check_files(self, at: At, value: object) -> None:
        """Refuse a name, a model or data that cannot be one."""
        if at[-1] == "data" and isinstance(value, list) and value:
            for item in value:
                self._check_files(at, item)
            return
        if not isinstance(value, str) or not value or "\0" in value:
            raise self._refused(at, f"{at[-1]}: {_shown(value)} is not {'a name' if at[-1] == 'name' else 'a file'}")
        if value == "-" and at[-1] != "name":
            hint = "regcli check model.json -"
            raise self._refused(at, f"{at[-1]}: standard input is named on the command line alone", hint=hint)

    def _check_key(
        self,
        at: At,
        value: object,
        known: Mapping[str, Sequence[Choice]],
        also: tuple[str, ...] = (),
    ) -> None:
        """Refuse a key that no command has, or whose value is for none of those that have it."""
        key = str(at[-1])
        choices = known.get(key)
        if choices is None:
            what = f"{at[0]} has no option" if len(at) > 1 else "there is no option"
            near = get_close_matches(key.replace("_", "-"), [*known, *also], n=3)
            raise self._refused(at, f"{what} {key!r}", near)
        if choices[0].written:
            raise self._refused(at, f"--{at[-1]} names a file that is written: it is said on the command line alone")
        if not choices[0].flag.in_file:
            raise self._refused(at, f"--{at[-1]} is said on the command line alone")
        errors = [error for choice in choices if (error := _fault(choice, value)) is not None]
        if len(errors) == len(choices):
            self._value(choices[0], at, value)

    def _value(self, choice: Choice, at: At, value: object) -> Any:  # noqa: ANN401  (as its option)
        try:
            return _checked(choice, value)
        except _BadValueError as error:
            raise self._refused(at, f"{'.'.join(map(str, at))}: {error}", error.near) from error

    def _refused(self, at: At, message: str, near: list[str] | None = None, hint: str | None = None) -> UsageError:
        """The error of a key."""
        where = Location(file=self.path, line=self.line(at))
        hint = hint or "keys are the long names of options; --no-config reads no file"
        return UsageError("config-invalid", message, where=where, near=near or (), hint=hint)


class _BadValueError(Exception):
    """A value that its option cannot have; ``near`` are those it may have meant."""

    def __init__(self, text: str, near: list[str] | None = None) -> None:
        super().__init__(text)
        self.near = near or []


def find_config(folder: Path, home: Path | None) -> Path | None:
    """The nearest configuration file, from a folder up to the root of its repository.

    The home directory and those above it are never looked into: what lies there is about no one project. A folder that
    may not be looked into is passed over.

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
        if isfile(own):  # noqa: PTH113
            return own
        if isfile(shared) and _has_table(shared):  # noqa: PTH113
            return shared
        if exists(here / ".git"):  # noqa: PTH110
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
        text = content.decode("utf-8-sig")
        whole = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise UsageError(
            "config-invalid", f"{shown} is not UTF-8 text", where=where, hint="save it as UTF-8; --no-config reads none"
        ) from error
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        told = str(error) or "tables within tables without end"
        if not isinstance(error, tomllib.TOMLDecodeError | RecursionError):  # Python's, which speaks of Python
            told = "an integer of thousands of digits"
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
    return {choice.key: choice for choice in options_of(command).values()}


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
    read = _parsed(content.decode("utf-8-sig", "replace"))
    return re.search(rb"tool\W+regcli", content) is not None if read is None else _reach(read, _INSIDE) is not None


def _parsed(text: str) -> dict[str, Any] | None:
    import tomllib

    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        return None


def _reach(table: object, path: At) -> Any:  # noqa: ANN401  (whatever TOML has)
    """What stands at a path of keys and of places in lists; None where nothing does."""
    for key in path:
        listed = isinstance(table, list) and isinstance(key, int) and key < len(table)
        if not listed and not (isinstance(table, dict) and key in table):
            return None
        table = table[key]  # type: ignore[index]  # it has the key
    return table


def _checked(choice: Choice, value: object) -> Any:  # noqa: ANN401  (as its option)
    """A value of TOML as the option's own."""
    if choice.repeatable:
        given = value if isinstance(value, list) else [value]
        return tuple(_text(item, "a list of texts") for item in given)
    if choice.counted and not (_is_whole(value) and 0 <= value <= MOST_COUNTED):
        raise _BadValueError(f"{_shown(value)} is not a whole number from 0 to {MOST_COUNTED}")
    kinds = {choice.form, *get_args(choice.form)}
    if choice.form is bool:
        if not isinstance(value, bool):
            raise _BadValueError(f"{_shown(value)} is neither true nor false")
        return value
    if int in kinds or float in kinds:
        return _number(value, whole=int in kinds)
    if choice.words:
        if value not in choice.words:
            near = get_close_matches(value, choice.words, n=2, cutoff=0.5) if isinstance(value, str) else []
            raise _BadValueError(f"{_shown(value)} is not one of {', '.join(choice.words)}", near)
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


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


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
    return Path(os.path.realpath(home)) if home.startswith("/") else None  # resolve raises at a link to itself
