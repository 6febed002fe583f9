"""A check that was made of a result, and whether it holds."""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Check", "quoted"]

#: Lists longer than this are told by their length.
_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Check:
    """A check that was made: its expression, whether it holds, and what the names in it stand for."""

    expression: str
    passed: bool
    values: Mapping[str, object]

    def entry(self) -> dict[str, object]:
        """The check in a document."""
        return {"check": self.expression, "passed": self.passed, "values": dict(self.values)}

    def told(self) -> str:
        """The check as a sentence."""
        values = ", ".join(f"{name} = {_shown(value)}" for name, value in self.values.items())
        return f"{self.expression} {'holds' if self.passed else 'does not hold'}" + (f" ({values})" if values else "")


def quoted(text: str) -> str:
    """A text as expressions spell it."""
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def _shown(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list | tuple):
        short = len(value) <= _SHOWN and not any(isinstance(item, list | tuple | Mapping) for item in value)
        return f"[{', '.join(map(_shown, value))}]" if short else f"a list of {len(value)}"
    if isinstance(value, Mapping):
        return "an object"
    return quoted(value) if isinstance(value, str) else repr(value)
