"""Terms of a model: what they are made of, and their names."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "DATE_PARTS",
    "FILLING",
    "MOST_NGRAMS",
    "MOST_POWERS",
    "OTHER",
    "POLICIES",
    "Factor",
    "FactorKind",
    "Feature",
    "FeatureKind",
    "Mark",
    "Term",
    "column_name",
    "cross",
    "plain_term",
    "policies_of",
]

#: What can become of missing cells in a feature.
POLICIES = ("error", "drop", "mean", "median", "indicator")

#: The policies that put a value in their place.
FILLING = frozenset({"mean", "median", "indicator"})

#: The level that rare levels are pooled into.
OTHER = "(other)"

#: What a column of dates becomes: numbers and levels.
DATE_PARTS = ("year", "month", "weekday", "days")

#: The highest power of a column: those of a tenth of its largest number are below its last digits by then.
MOST_POWERS = 20

#: The longest run of words that counts as one: longer ones hardly repeat.
MOST_NGRAMS = 5

FeatureKind = Literal["number", "category", "ordinal", "text"]
FactorKind = Literal["value", "level", "missing", "step", "spline", "word"]
Mark = Literal["source", "sibling", "column"]


def column_name(source: str, function: str | None) -> str:
    """The name of a column as it is worked with: of the file, or made of one cell by cell."""
    return source if function is None else f"{function}({source})"


@dataclass(frozen=True, slots=True)
class Factor:
    """An elementary column of one source column.

    ``value`` is the number to the power of ``power``, ``level`` is 1 where the cell is that level, ``step`` where it is
    that level or a later one, ``missing`` is 1 where the cell is missing, ``spline`` is the function of that ``power``
    among those of a natural cubic spline, and ``word`` counts a word. ``function`` is what the cell went through first.
    """

    source: str
    kind: FactorKind
    level: str | None = None
    power: int = 1
    function: str | None = None

    @property
    def column(self) -> str:
        """The column that it is made of, cell by cell."""
        return column_name(self.source, self.function)

    @property
    def name(self) -> str:
        """What a term of this factor alone is called."""
        column = self.column
        match self.kind:
            case "value":
                return column if self.power == 1 else f"{column}^{self.power}"
            case "missing":
                return f"missing({column})"
            case "level":
                return f"{column}={self.level}"
            case "step":
                return f"{column}>={self.level}"
            case "spline":
                return f"spline({column},{self.power})"
            case "word":
                return f"word({column},{self.level})"


@dataclass(frozen=True, slots=True)
class Term:
    """A column of the design: its name, and the factors it is the product of."""

    name: str
    factors: tuple[Factor, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns of the file that it is made of, each once, in order."""
        return tuple(dict.fromkeys(factor.source for factor in self.factors))

    @property
    def columns(self) -> tuple[str, ...]:
        """The same as they are worked with."""
        return tuple(dict.fromkeys(factor.column for factor in self.factors))

    @property
    def numeric(self) -> bool:
        """Whether it is more than zeros and ones."""
        return any(factor.kind in ("value", "spline", "word") for factor in self.factors)

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
    """A column and how it becomes terms.

    ``kind`` is ``number``, with ``powers`` from 1 to that number (0: none) and ``basis`` functions of a spline;
    ``category`` or ``ordinal`` with ``levels`` in order and ``coded`` the levels that have a term; or ``text`` with the
    words ``coded``, runs of up to ``ngrams`` words, weighed as ``weighting`` says. ``pooled`` are rare levels that
    count as ``OTHER``. ``boolean`` levels are matched in any capitals. ``missing`` is the policy for missing cells, and
    ``flag`` says that a term tells them: by ``mark`` that of the ``source``, which is the last one here; the same with
    a ``sibling``, another column made of this source; or, in files of earlier versions, one of this ``column`` alone.
    ``function`` is what a cell goes through first.
    """

    source: str
    kind: FeatureKind
    levels: tuple[str, ...] = ()
    coded: tuple[str, ...] = ()
    boolean: bool = False
    missing: str = "error"
    powers: int = 1
    flag: bool = False
    function: str | None = None
    pooled: tuple[str, ...] = ()
    basis: int = 0
    ngrams: int = 1
    weighting: str = "count"
    mark: Mark = "source"

    @property
    def column(self) -> str:
        """The column as it is worked with."""
        return column_name(self.source, self.function)

    @property
    def reads_numbers(self) -> bool:
        """Whether the cells of its source are numbers; else they are read as they are spelt."""
        return self.kind == "number" and self.function not in DATE_PARTS

    @property
    def leveled(self) -> bool:
        """Whether cells are one of some levels."""
        return self.kind in ("category", "ordinal")

    @property
    def filled(self) -> bool:
        """Whether missing cells get a value."""
        return self.missing in FILLING

    @property
    def coding(self) -> tuple[Factor, ...]:
        """What stands for a cell that is there, powers left out: what interactions are made of."""
        if self.kind == "number":
            if self.basis:
                return tuple(self._factor("spline", power=at) for at in range(1, self.basis + 1))
            return (self._factor("value"),) if self.powers else ()
        kinds: dict[FeatureKind, FactorKind] = {"category": "level", "ordinal": "step", "text": "word"}
        return tuple(self._factor(kinds[self.kind], level) for level in self.coded)

    @property
    def factors(self) -> tuple[Factor, ...]:
        """What its terms are made of, in order: each of one factor."""
        factors = list(self.coding)
        if self.kind == "number":
            factors += [self._factor("value", power=power) for power in range(2, self.powers + 1)]
        if self.flag and self.mark != "sibling":
            factors.append(self.indicator)
        return tuple(factors)

    @property
    def indicator(self) -> Factor:
        """What tells missing cells: one of the source, whatever is made of it."""
        return self._factor("missing") if self.mark == "column" else Factor(self.source, "missing")

    @property
    def terms(self) -> tuple[Term, ...]:
        """The terms in order."""
        return tuple(map(_term, self.factors))

    def _factor(self, kind: FactorKind, level: str | None = None, power: int = 1) -> Factor:
        return Factor(self.source, kind, level, power, self.function)


def policies_of(features: Iterable[Feature]) -> dict[str, str]:
    """What becomes of missing cells by column of the file: more than one policy where its features differ."""
    out: dict[str, dict[str, None]] = {}
    for feature in features:
        out.setdefault(feature.source, {})[feature.missing] = None
    return {source: ", ".join(policies) for source, policies in out.items()}
