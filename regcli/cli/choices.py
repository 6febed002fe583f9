"""The fields of option groups as choices: what command line, manual and configuration files are made from."""

import re
from dataclasses import MISSING, Field, dataclass, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from regcli.app.options import Common, Flag
from regcli.cli.texts import COMMANDS

__all__ = ["MOST_COUNTED", "Choice", "declared", "options_of"]

#: How often a counted option says more: -qq and -vv say all there is.
MOST_COUNTED = 2


@dataclass(frozen=True, slots=True)
class Choice:
    """One field of a group: its name, its type without the flag, the flag, and the value when it is not given."""

    name: str
    form: Any
    flag: Flag
    default: object

    @property
    def repeatable(self) -> bool:
        """Whether the option may be given several times."""
        return get_origin(self.form) is tuple

    @property
    def counted(self) -> bool:
        """Whether giving the option again raises a number, as in ``-vv``."""
        return self.form is int

    @property
    def key(self) -> str:
        """The long name without its dashes: what a configuration file calls it. Empty for positional arguments."""
        return self.flag.names[-1].removeprefix("--") if self.flag.names else ""

    @property
    def words(self) -> tuple[str, ...]:
        """The words that the option's value may be; empty where it may be another."""
        forms = (self.form, *get_args(self.form))  # a Literal, or a Literal or None
        return tuple(word for form in forms if get_origin(form) is Literal for word in get_args(form))

    @property
    def written(self) -> bool:
        """Whether the option's value is a file that is written."""
        return "PATH" in (self.flag.metavar or "")

    @property
    def read(self) -> bool:
        """Whether the option's value is a file that is read: FILE, or one of a kind, as OLD.json."""
        return self.flag.metavar == "FILE" or (self.flag.metavar or "").endswith(".json")

    @property
    def listed(self) -> bool:
        """Whether the option's value may be @FILE: a list that is read from a file."""
        return "@FILE" in (self.flag.metavar or "")

    @property
    def columns(self) -> bool:
        """Whether the option's value is, or begins with, the name of a column."""
        return re.split(r"[=\[]", self.flag.metavar or "")[0] == "COL"


#: Groups that were looked at: a start asks for some of them several times.
_KNOWN: dict[type[Any], tuple[Choice, ...]] = {}


def declared(group: type[Any]) -> tuple[Choice, ...]:
    """The options of a group, in order."""
    if group not in _KNOWN:
        hints = get_type_hints(group, include_extras=True)
        _KNOWN[group] = tuple(_choice(field, *get_args(hints[field.name])) for field in fields(group))
    return _KNOWN[group]


def options_of(command: str | None) -> dict[str, Choice]:
    """The options of a command, by every spelling, and those of all commands; without a command those alone."""
    kinds: list[type[Any]] = [Common]
    if command is not None:
        hints = get_type_hints(COMMANDS[command].request)
        kinds = [*(hints[field.name] for field in fields(COMMANDS[command].request)), Common]
    return {name: choice for kind in kinds for choice in declared(kind) for name in choice.flag.names}


def _choice(field: Field[Any], form: Any, flag: Flag) -> Choice:  # noqa: ANN401  (a typing form has no type of its own)
    return Choice(field.name, form, flag, _default(field))


def _default(field: Field[Any]) -> object:
    return field.default_factory() if field.default_factory is not MISSING else field.default
