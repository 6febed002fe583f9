"""Names and literals of SQL, and what steps call their columns."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from regcli.report.scorers.infix import free

__all__ = ["Columns", "Step", "literal", "nested", "numeral", "quoted"]

#: New columns of one step, and what is put into them.
Step = Mapping[str, str]


def literal(value: str) -> str:
    """A text."""
    return "'" + value.replace("'", "''") + "'"


def quoted(value: str) -> str:
    """A name."""
    return '"' + value.replace('"', '""') + '"'


def numeral(value: float) -> str:
    """A double: the exponent makes it one in DuckDB, where a number without is a decimal."""
    text = repr(value)
    return text if "e" in text else f"{text}e0"


def nested(value: str, pairs: Iterable[tuple[str, str]]) -> str:
    """A text in which some texts are replaced by others, one after the other."""
    for old, new in pairs:
        value = f"replace({value}, {literal(old)}, {literal(new)})"
    return value


@dataclass
class Columns:
    """What the new columns of an input are called, by what they are; ``names`` are those asked for so far."""

    at: int
    taken: set[str]
    names: dict[str, str] = field(default_factory=dict)

    def __call__(self, kind: str) -> str:
        """The column as later steps name it."""
        if kind not in self.names:
            self.names[kind] = quoted(free(f"{kind.replace(' ', '_')}_{self.at}", self.taken))
        return f"t.{self.names[kind]}"
