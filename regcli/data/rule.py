"""A model as arithmetic on the cells of a row: the one form that every exported scorer is written from.

A rule is a sum of terms, each a small tree of nodes. A kind of factor becomes nodes here and nowhere else; a language
spells nodes and knows nothing of factors. Cells come as ``Input`` says: numbers as doubles, already filled where the
model fills them, and categories as text. What a function makes of a cell is a column of its own, ``Made``.
"""

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from regcli.data.columns import absent_values
from regcli.data.encoder import Encoder
from regcli.data.scorer import Probe, Scorer
from regcli.data.terms import DATE_PARTS, OTHER, Factor, Feature
from regcli.errors import ModelFileError
from regcli.problem.families.poisson import STRAIGHT

__all__ = [
    "DOMAINS",
    "LARGEST_EXPONENT",
    "AtLeast",
    "AtMost",
    "Cell",
    "Choose",
    "Condition",
    "Constant",
    "Count",
    "Domain",
    "Input",
    "Log",
    "Made",
    "Missing",
    "Node",
    "OneOf",
    "Product",
    "Rule",
    "Sum",
    "Summand",
    "degree",
    "rule_of",
]

#: Where exp stops to grow in predictions of counts, as in ``predict``.
LARGEST_EXPONENT = STRAIGHT


@dataclass(frozen=True, slots=True)
class Missing:
    """Whether the cell of a column is missing."""

    source: str


@dataclass(frozen=True, slots=True)
class OneOf:
    """Whether a category is one of these levels."""

    column: str
    levels: tuple[str, ...]


Condition = Missing | OneOf


@dataclass(frozen=True, slots=True)
class Constant:
    """A number."""

    value: float


@dataclass(frozen=True, slots=True)
class Cell:
    """A number, of the file or made of a cell; where the cell is missing, what it is filled with."""

    column: str


@dataclass(frozen=True, slots=True)
class Count:
    """How often a word, or a run of words, is in the cell of a text; 0 where the cell is missing."""

    column: str
    word: str


@dataclass(frozen=True, slots=True)
class Log:
    """The natural logarithm of what is above 0."""

    of: "Node"


@dataclass(frozen=True, slots=True)
class AtLeast:
    """The larger of a node and a number."""

    of: "Node"
    bound: float


@dataclass(frozen=True, slots=True)
class AtMost:
    """The smaller of a node and a number."""

    of: "Node"
    bound: float


@dataclass(frozen=True, slots=True)
class Sum:
    """A sum, added from the left."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Product:
    """A product, multiplied from the left."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Choose:
    """One of two numbers, by a condition."""

    condition: Condition
    then: "Node"
    otherwise: "Node"


Node = Constant | Cell | Count | Log | AtLeast | AtMost | Sum | Product | Choose


@dataclass(frozen=True, slots=True)
class Domain:
    """Numbers that a function has a finite value for: from ``least`` (or above it, if ``above``) up to ``most``."""

    least: float = -math.inf
    above: bool = False
    most: float = math.inf

    def bounds(self) -> Iterator[tuple[str, float]]:
        """What holds of every number in it: a sign (>, >= or <=) and a bound; nothing of a domain of all."""
        if self.least > -math.inf:
            yield ">" if self.above else ">=", self.least
        if self.most < math.inf:
            yield "<=", self.most


#: Where functions of numbers have finite values, by name. The largest double is exp(709.782712893384).
DOMAINS: Mapping[str, Domain] = {
    "abs": Domain(),
    "exp": Domain(most=709.782712893384),
    "log": Domain(0.0, above=True),
    "log10": Domain(0.0, above=True),
    "log1p": Domain(-1.0, above=True),
    "log2": Domain(0.0, above=True),
    "sqrt": Domain(0.0),
}


@dataclass(frozen=True, slots=True)
class Made:
    """A column that a function makes of the cells of an input.

    ``function`` is one of numbers, which keeps a row from being scored where the cell is out of its domain, or a part
    of dates. The rest is said as by ``Input``. ``used`` says whether a term is made of it: others are there for what
    they ask of a row.
    """

    column: str
    function: str
    used: bool
    fill: float | None = None
    levels: tuple[str, ...] = ()
    closed: bool = False
    pooled: tuple[str, ...] = ()
    knots: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Input:
    """A column that a row must have, and when a row cannot be scored.

    Numbers that are missing are ``fill``. A row has no prediction if the cell is missing where it is ``required``, is
    none of the ``levels`` of a ``closed`` category, or is not above 0 where it must be ``positive``. Levels of a
    ``boolean`` stand in small letters and match in any capitals. Those of ``levels`` that are ``pooled`` count as one,
    and ``knots`` are those of a spline: both are told here, and terms are spelt out. ``made`` is what functions make of
    the cell. A text has the ``words`` that count, runs of up to ``ngrams`` words among them; ``binary`` says that only
    whether a word is there counts.
    """

    column: str
    kind: Literal["number", "category", "date", "text"]
    required: bool = True
    fill: float | None = None
    positive: bool = False
    levels: tuple[str, ...] = ()
    boolean: bool = False
    closed: bool = False
    pooled: tuple[str, ...] = ()
    knots: tuple[float, ...] = ()
    made: tuple[Made, ...] = ()
    words: tuple[str, ...] = ()
    ngrams: int = 1
    binary: bool = False

    @property
    def dates(self) -> bool:
        """Whether cells are read as dates."""
        return any(made.function in DATE_PARTS for made in self.made)


@dataclass(frozen=True, slots=True)
class Summand:
    """A term with its estimate: its name, what it is made of in words of the model file, and as arithmetic.

    ``weight`` is what a count of words is multiplied by, 1 for other terms.
    """

    name: str
    estimate: float
    factors: tuple[tuple[Factor, float | None], ...]
    node: Node
    weight: float = 1.0


@dataclass(frozen=True)
class Rule:
    """How a row becomes a linear predictor, ``intercept + shift + sum of estimate * term``, and what follows from it.

    ``shift`` is offset and logarithm of the exposure; None without either. A cell spelt like one of ``na_values`` is
    missing, capitals included, of a boolean too. ``family``, ``target`` and ``content_id`` say which model it was.
    """

    inputs: tuple[Input, ...]
    intercept: float
    shift: Node | None
    summands: tuple[Summand, ...]
    link: str
    classes: tuple[str, ...] | None
    positive: str | None
    threshold: float
    na_values: tuple[str, ...]
    family: str
    target: str
    content_id: str
    id: tuple[str, ...]
    offset: str | None
    exposure: str | None
    probes: tuple[Probe, ...]

    @property
    def missing_numbers(self) -> tuple[float, ...]:
        """The numbers among ``na_values``: a cell of this value is missing, however it is spelt."""
        return tuple(sorted(value for value in absent_values(self.na_values) if math.isfinite(value)))

    @property
    def outputs(self) -> tuple[str, ...]:
        """What a scorer gives for a row."""
        return ("link", "response") if self.classes is None else ("link", "response", "class")

    @property
    def negative(self) -> str:
        """The class that is not the event."""
        return next((level for level in self.classes or () if level != self.positive), "")

    def probe_row(self, probe: Probe) -> Mapping[str, float | str | None]:
        """The cells of a probe row for these inputs; offset 0, exposure 1."""
        return {part.column: probe.row.get(part.column, float(part.positive)) for part in self.inputs}


def rule_of(scorer: Scorer, *, unknown_is_zero: bool = False) -> Rule:
    """The rule of a model: its terms with a nonzero estimate, and the columns they need.

    Raises
    ------
    ModelFileError
        ``model-unreadable``: a name that is no text, or a column in two roles.
    """
    inputs = tuple(_inputs(scorer, unknown_is_zero=unknown_is_zero))
    encoder, summands = scorer.encoder, []
    for term, estimate in zip(encoder.terms, scorer.coefs.tolist(), strict=True):
        if estimate:
            factors = tuple((factor, _fill(encoder, encoder.by_factor[factor], factor)) for factor in term.factors)
            nodes = [_node(encoder, encoder.by_factor[factor], factor, fill) for factor, fill in factors]
            weight = math.prod(_weight(encoder, factor) for factor in term.factors)
            nodes = nodes if weight == 1.0 else [Constant(weight), *nodes]
            summands.append(Summand(term.name, estimate, factors, _product(nodes), weight))
    rule = Rule(
        inputs=inputs,
        intercept=scorer.intercept,
        shift=_shift(scorer),
        summands=tuple(summands),
        link=scorer.link,
        classes=scorer.classes,
        positive=scorer.positive,
        threshold=scorer.cut,
        na_values=scorer.na_values,
        family=scorer.family,
        target=scorer.target,
        content_id=scorer.content_id,
        id=scorer.id,
        offset=scorer.offset,
        exposure=scorer.exposure,
        probes=tuple(probe for probe in scorer.probes if _is_there(probe, inputs, scorer.na_values)),
    )
    _require_apart(rule)
    _require_text(rule)
    return rule


def degree(node: Node) -> int:
    """How many cells a node multiplies, at most: the power with which it grows."""
    match node:
        case Cell() | Count():
            return 1
        case Product():
            return sum(map(degree, node.parts))
        case AtLeast() | AtMost():
            return degree(node.of)
        case Sum():
            return max(map(degree, node.parts))
        case Choose():
            return max(degree(node.then), degree(node.otherwise))
        case Constant() | Log():
            return 0


def _inputs(scorer: Scorer, *, unknown_is_zero: bool) -> Iterator[Input]:
    """The columns that terms with an estimate need, in order, then offset and exposure."""
    terms = zip(scorer.encoder.terms, scorer.coefs.tolist(), strict=True)
    used = {factor for term, estimate in terms if estimate for factor in term.factors}
    columns = {factor.column for factor in used}
    for source in scorer.working.encoder.sources:
        yield _input(scorer, source, used, columns, closed=not unknown_is_zero)
    if scorer.offset is not None:
        yield Input(scorer.offset, "number")
    if scorer.exposure is not None:
        yield Input(scorer.exposure, "number", positive=True)


def _input(scorer: Scorer, source: str, used: Collection[Factor], columns: Collection[str], *, closed: bool) -> Input:
    """A column of the file; ``used`` are the factors with an estimate, ``columns`` what these are made of.

    As by ``predict`` every feature has a say in which rows can be scored, also one that no term counts of.
    """
    lessons, features = scorer.encoder.lessons, scorer.encoder.by_source[source]
    dates = any(feature.function in DATE_PARTS for feature in features)
    read = Input(source, "date" if dates else "number", required=not all(f.filled for f in features))
    for feature in features:
        spelt = tuple(dict.fromkeys(word for level in feature.levels for word in _spelt(feature, level)))
        number = feature.kind == "number" and feature.column in columns
        facts: dict[str, Any] = {
            "fill": lessons.fills.numbers[feature.column] if number and feature.filled else None,
            "levels": spelt,
            "closed": closed and feature.leveled,
            "pooled": _spelt(feature, OTHER)[1:] if feature.pooled else (),
            "knots": lessons.knots[feature.column] if number and feature.basis else (),
        }
        if feature.function is not None:
            made = Made(feature.column, feature.function, feature.column in columns, **facts)
            read = replace(read, made=(*read.made, made))
        elif feature.kind == "text":
            words = tuple(dict.fromkeys(f.level or "" for f in feature.coding if f in used))
            binary = feature.weighting == "binary"
            read = replace(read, kind="text", words=words, ngrams=feature.ngrams, binary=binary)
        else:
            kind: Any = "number" if feature.kind == "number" else "category"
            read = replace(read, kind=kind, boolean=feature.boolean, **facts)
    return read


def _shift(scorer: Scorer) -> Node | None:
    """Offset and logarithm of the exposure."""
    parts: list[Node] = [Cell(scorer.offset)] if scorer.offset is not None else []
    if scorer.exposure is not None:
        parts.append(Log(Cell(scorer.exposure)))
    return Sum(tuple(parts)) if parts else None


def _fill(encoder: Encoder, feature: Feature, factor: Factor) -> float | None:
    """What a factor is where its cell is missing; None where such a row is not scored."""
    if factor.kind == "missing":
        return 1.0
    if factor.kind == "word":  # a text without a cell is one without a word
        return 0.0 if feature.filled else None
    return encoder.lessons.of(factor) if feature.filled else None


def _weight(encoder: Encoder, factor: Factor) -> float:
    """What a factor is multiplied by."""
    return encoder.lessons.weights[factor.column][factor.level or ""] if factor.kind == "word" else 1.0


def _node(encoder: Encoder, feature: Feature, factor: Factor, fill: float | None) -> Node:
    """A factor as arithmetic: the one place that knows the kinds of factors."""
    match factor.kind:
        case "value":
            return _product([Cell(factor.column)] * factor.power)
        case "missing":
            return Choose(Missing(factor.source), Constant(1.0), Constant(0.0))
        case "level" | "step":
            at = feature.levels.index(factor.level or "")
            counted = feature.levels[at:] if factor.kind == "step" else feature.levels[at : at + 1]
            words = tuple(dict.fromkeys(word for level in counted for word in _spelt(feature, level)))
            return _unless_missing(factor, fill, Choose(OneOf(factor.column, words), Constant(1.0), Constant(0.0)))
        case "spline":
            return _spline(Cell(factor.column), encoder.lessons.knots[factor.column], factor.power)
        case "word":
            return Count(factor.source, factor.level or "")


def _spline(cell: Cell, knots: tuple[float, ...], which: int) -> Node:
    """A function of a natural cubic spline, by the formula of ``regcli.data.spline``."""
    if which == 1:
        return cell
    if which >= len(knots):
        return Constant(0.0)
    first, here, before, last = knots[0], knots[which - 2], knots[-2], knots[-1]

    def cube(knot: float, scale: float) -> Node:
        above = AtLeast(Sum((AtMost(cell, last), Constant(-knot))), 0.0)
        return Product((Constant(scale / (last - knot)), above, above, above))

    beyond = AtLeast(Sum((cell, Constant(-last))), 0.0)
    parts = (cube(here, 1.0), cube(before, -1.0), Product((Constant(3.0 * (before - here)), beyond)))
    return Product((Constant(1.0 / (last - first) ** 2), Sum(parts)))


def _spelt(feature: Feature, level: str) -> tuple[str, ...]:
    """A level as cells are compared with it: booleans in small letters, with those that are pooled into it."""
    words = (level, *(feature.pooled if level == OTHER else ()))
    return tuple(word.casefold() for word in words) if feature.boolean else words


def _unless_missing(factor: Factor, fill: float | None, node: Node) -> Node:
    """A node, or its fill where the cell is missing; a cell that is missing is no level, so 0 needs no saying."""
    return node if not fill else Choose(Missing(factor.source), Constant(fill), node)


def _product(nodes: list[Node]) -> Node:
    return nodes[0] if len(nodes) == 1 else Product(tuple(nodes))


_AGAIN = "fit again with this version of regcli, and -m"


def _is_there(probe: Probe, inputs: tuple[Input, ...], missing: tuple[str, ...]) -> bool:
    """Whether no date or text of a made-up row is spelt like a missing cell, which it would be for a scorer."""
    return not any(part.kind in ("date", "text") and probe.row.get(part.column) in missing for part in inputs)


def _require_apart(rule: Rule) -> None:
    """Every column has one role, those that are made of others included."""
    seen: set[str] = set()
    for name in (name for part in rule.inputs for name in (part.column, *(made.column for made in part.made))):
        if name in seen:
            hint = f"rename the column {name!r} and fit again"
            raise ModelFileError("model-unreadable", "the model uses one column in two roles", hint=hint)
        seen.add(name)


def _require_text(rule: Rule) -> None:
    """Names that are no UTF-8 text without NUL cannot be written into any scorer; no table has them either."""
    names = [rule.target, *(rule.classes or ()), *rule.na_values, *rule.id]
    names += [name for part in rule.inputs for name in (part.column, *part.levels, *part.words)]
    names += [level for part in rule.inputs for made in part.made for level in made.levels]
    for name in names:
        if "\0" in name or any("\ud800" <= letter <= "\udfff" for letter in name):
            raise ModelFileError("model-unreadable", f"the model has a name that is no text: {name!r}", hint=_AGAIN)
