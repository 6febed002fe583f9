"""Where the values of options come from: the command line, a variable, a configuration file, or nowhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from regcli import __version__
from regcli.cli.choices import Choice
from regcli.cli.config import At, Config, NamedCheck

__all__ = ["NamedOrigins", "Origin", "config_document", "trace"]


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
