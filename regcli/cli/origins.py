"""Where the values of options come from: the command line, a variable, a configuration file, or nowhere."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from regcli import __version__
from regcli.cli.choices import Choice
from regcli.cli.config import At, Config, NamedCheck
from regcli.errors import Location, RegcliError, UsageError

__all__ = ["NamedOrigins", "Origin", "config_document", "placed", "trace"]

#: An option as errors name it.
_OPTION = re.compile(r"--([a-z][a-z0-9-]*)")


@dataclass(frozen=True, slots=True)
class Origin:
    """An option's value and its origin: ``flag``, ``variable``, ``file`` (with the place there) or ``default``."""

    choice: Choice
    value: Any
    kind: str
    at: At = ()

    @property
    def told(self) -> str:
        """The option as it is called where it was said."""
        if self.kind == "variable":
            return str(self.choice.flag.variable)
        return f"--{self.choice.key}" if self.kind == "flag" else self.choice.key


def trace(
    choice: Choice,
    given: object,
    flagged: bool,  # noqa: FBT001  (a fact, not a switch)
    environ: Mapping[str, str],
    filed: Mapping[str, tuple[At, Any]],
) -> Origin:
    """The value that counts: flags win over the environment, and that over the file."""
    if flagged:
        return Origin(choice, given, "flag")
    if choice.flag.variable and environ.get(choice.flag.variable):
        return Origin(choice, environ[choice.flag.variable], "variable")
    if choice.key in filed:
        at, value = filed[choice.key]
        return Origin(choice, value, "file", at)
    return Origin(choice, given, "default")


@dataclass(frozen=True, slots=True)
class NamedOrigins:
    """A check that a configuration file names, with the origin of each of its options."""

    named: NamedCheck
    origins: tuple[Origin, ...]

    @property
    def values(self) -> dict[str, Any]:
        """Values by the name of the field; files that are read are those beside the configuration file."""
        files = {"model": self.named.model, "data": self.named.data}
        return files | {origin.choice.name: origin.value for origin in self.origins}


def placed(error: RegcliError, config: Config | None, origins: Iterable[Origin]) -> RegcliError:
    """An error about an option that the configuration file says, with the place there.

    Options are told by their names in the message, columns that are not there by theirs. An error that has a place of
    its own, as that of a column has the table, tells the other one in its hint. All other errors are left as they are.
    """
    filed = {origin.choice.key: origin for origin in origins if origin.kind == "file"}
    absent = error.code == "column-not-found"
    if config is None or not filed or not (absent or isinstance(error, UsageError)):
        return error
    keys = [name for name in _OPTION.findall(error.message) if name in filed]
    if absent:
        keys += [key for key, origin in filed.items() if origin.choice.columns and _is_named(origin, error.message)]
    if not keys:
        return error
    key = keys[0]
    where, hint, place = error.where, error.hint, Location(config.path, config.line(filed[key].at))
    if where == Location():
        where = place
    elif where.file != place.file:
        hint = "; ".join(part for part in (hint, f"{key} is said in {place.told}") if part)
    return type(error)(error.code, error.message, hint=hint, where=where, cells=error.cells, near=error.near)


def _is_named(origin: Origin, message: str) -> bool:
    """Whether a message names the column of an option's value: COL, or what stands before the last ``=``."""
    values = (origin.value,) if isinstance(origin.value, str) else origin.value
    return any(repr(name) in message for value in values for name in (value, value.rpartition("=")[0]) if name)


def config_document(
    command: str, config: Config | None, origins: Sequence[Origin], named: Sequence[NamedOrigins] = ()
) -> dict[str, Any]:
    """The document ``regcli.config/1``. Of a check that is named it has what is not said for all."""
    return {
        "schema": "regcli.config/1",
        "regcli": __version__,
        "command": command,
        "file": None if config is None else config.path,
        "config": [_entry(origin, config) for origin in origins],
        "checks": [
            {
                "name": each.named.name,
                "model": each.named.model,
                "data": list(each.named.data),
                "line": 1 if config is None else config.line(each.named.at),
                "options": [
                    _entry(origin, config)
                    for origin in each.origins
                    if origin.at[: len(each.named.at)] == each.named.at
                ],
            }
            for each in named
        ],
    }


def _entry(origin: Origin, config: Config | None) -> dict[str, Any]:
    flag = origin.choice.flag
    placed = config if origin.kind == "file" else None
    return {
        "option": origin.choice.key,
        "value": list(origin.value) if isinstance(origin.value, tuple | list) else origin.value,
        "origin": origin.kind,
        "variable": flag.variable if origin.kind == "variable" else None,
        "file": None if placed is None else placed.path,
        "line": None if placed is None else placed.line(origin.at),
        "default": flag.default,
    }
