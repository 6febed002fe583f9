"""The fields of option groups as choices: what command line, manual and configuration files are made from."""

import re
from collections.abc import Iterator
from dataclasses import MISSING, Field, dataclass, fields
from typing import Any, get_args, get_origin, get_type_hints

from regcli.app.options import Flag

__all__ = ["Choice", "declared"]


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
    def written(self) -> bool:
        """Whether the option's value is a file that is written; one that is read is called FILE."""
        return "PATH" in (self.flag.metavar or "")

    @property
    def columns(self) -> bool:
        """Whether the option's value is, or begins with, the name of a column."""
        return re.split(r"[=\[]", self.flag.metavar or "")[0] == "COL"


def declared(group: type[Any]) -> Iterator[Choice]:
    """The options of a group, in order."""
    hints = get_type_hints(group, include_extras=True)
    for field in fields(group):
        form, flag = get_args(hints[field.name])
        yield Choice(field.name, form, flag, _default(field))


def _default(field: Field[Any]) -> object:
    return field.default_factory() if field.default_factory is not MISSING else field.default
