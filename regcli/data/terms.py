"""Terms of a model: what they are made of, and their names."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

__all__ = ["FILLING", "POLICIES", "Factor", "Feature", "Term", "cross", "plain_term"]

#: What can become of missing cells in a feature.
POLICIES = ("error", "drop", "mean", "median", "indicator")

#: The policies that put a value in their place.
FILLING = frozenset({"mean", "median", "indicator"})


@dataclass(frozen=True, slots=True)
class Factor:
    """An elementary column of one source column.

    ``value`` is the number to the power of ``power``, ``level`` is 1 where the cell is that level, and ``missing`` is
    1 where the cell is missing.
    """

    source: str
    kind: Literal["value", "level", "missing"]
    level: str | None = None
    power: int = 1

    @property
    def name(self) -> str:
        """What a term of this factor alone is called."""
        if self.kind == "missing":
            return f"missing({self.source})"
        if self.kind == "level":
            return f"{self.source}={self.level}"
        return self.source if self.power == 1 else f"{self.source}^{self.power}"


@dataclass(frozen=True, slots=True)
class Term:
    """A column of the design: its name, and the factors it is the product of."""

    name: str
    factors: tuple[Factor, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns it is made of, each once, in order."""
        return tuple(dict.fromkeys(factor.source for factor in self.factors))

    @property
    def numeric(self) -> bool:
        """Whether it is more than zeros and ones."""
        return any(factor.kind == "value" for factor in self.factors)

    @property
    def main(self) -> str | None:
        """The column it is made of alone; None for an interaction."""
        return self.factors[0].source if len(self.factors) == 1 else None


def plain_term(name: str) -> Term:
    """The term of a column of numbers as it stands."""
    return _term(Factor(name, "value"))


def cross(left: Iterable[Factor], right: Iterable[Factor]) -> tuple[Term, ...]:
    """Products of every factor on the left with every one on the right, the left one slowest."""
    others = tuple(right)
    return tuple(Term(f"{one.name}:{other.name}", (one, other)) for one in left for other in others)


def _term(factor: Factor) -> Term:
    return Term(factor.name, (factor,))


@dataclass(frozen=True, slots=True)
class Feature:
    """A source column and how it becomes terms.

    ``kind`` is ``number``, with ``powers`` from 1 to that number (0: none, the numbers are all the same), or
    ``category`` with ``levels`` in order and ``coded`` the levels that have a term. ``boolean`` levels are matched in
    any capitals. ``missing`` is the policy for missing cells, and ``flag`` says that they have a term of their own.
    """

    source: str
    kind: Literal["number", "category"]
    levels: tuple[str, ...] = ()
    coded: tuple[str, ...] = ()
    boolean: bool = False
    missing: str = "error"
    powers: int = 1
    flag: bool = False

    @property
    def filled(self) -> bool:
        """Whether missing cells get a value."""
        return self.missing in FILLING

    @property
    def coding(self) -> tuple[Factor, ...]:
        """What stands for a cell that is there, powers left out: what interactions are made of."""
        if self.kind == "number":
            return (Factor(self.source, "value"),) if self.powers else ()
        return tuple(Factor(self.source, "level", level) for level in self.coded)

    @property
    def terms(self) -> tuple[Term, ...]:
        """The terms in order."""
        factors = list(self.coding)
        if self.kind == "number":
            factors += [Factor(self.source, "value", power=power) for power in range(2, self.powers + 1)]
        if self.flag:
            factors.append(Factor(self.source, "missing"))
        return tuple(map(_term, factors))
