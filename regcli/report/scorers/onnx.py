"""A scorer as an ONNX graph in double precision: one input a column, (n,) each, and one output a result."""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import product
from typing import Any

from regcli import __version__
from regcli.data.rule import (
    LARGEST_EXPONENT,
    AtLeast,
    AtMost,
    Cell,
    Choose,
    Condition,
    Constant,
    Count,
    Input,
    Log,
    Missing,
    Node,
    OneOf,
    Product,
    Rule,
    Sum,
)
from regcli.errors import UsageError
from regcli.report.scorers.infix import about, free, output_names
from regcli.report.scorers.onnx_texts import counts, date_value, function_of, outside, unreadable
from regcli.report.scorers.spellings import places_of

__all__ = ["onnx_scorer"]

#: Operators of ONNX 1.12 (2022) and what came with them: runtimes older than that lack some in double precision.
_OPERATORS, _ML_OPERATORS, _FORMAT = 17, 2, 8

#: Those of ONNX 1.15 (2023), which has patterns of text: for dates and words.
_TEXT_OPERATORS, _TEXT_FORMAT = 20, 9

#: Codes of texts beside their levels.
_UNKNOWN, _MISSING = -1, -2


def onnx_scorer(rule: Rule) -> bytes:
    """The graph, serialized.

    Raises
    ------
    UsageError
        ``not-installed``: there is no package onnx.
    """
    try:
        from onnx import helper  # noqa: PLC0415  (an extra)
    except ImportError as error:
        raise UsageError(
            "not-installed", "--to onnx needs the package onnx", hint="pip install 'regcli[onnx]'"
        ) from error
    graph = _Graph(helper, rule)
    graph.write(rule)
    texts, words = any(part.dates or part.words for part in rule.inputs), any(part.words for part in rule.inputs)
    domains = {"": _TEXT_OPERATORS if texts else _OPERATORS, "ai.onnx.ml": _ML_OPERATORS}
    domains |= {"com.microsoft": 1} if words else {}
    model = helper.make_model(
        graph.finished(rule),
        opset_imports=[helper.make_opsetid(name, version) for name, version in domains.items()],
        ir_version=_TEXT_FORMAT if texts else _FORMAT,
        producer_name="regcli",
        producer_version=__version__,
        doc_string="\n".join([*about(rule, graph.outputs), *_HOW, *(_HOW_WORDS if words else ())]),
    )
    helper.set_model_props(model, {"model": rule.content_id, "target": rule.target, "family": rule.family})
    return model.SerializeToString(deterministic=True)


_HOW = (
    "Inputs are the columns by name: double, NaN where missing, or string, empty where missing.",
    "A row that cannot be scored gives NaN, and an empty class.",
)

_HOW_WORDS = (
    "Texts are cut into words by Tokenizer, an operator of onnxruntime's own. One with U+0130 or U+03A3, capitals",
    "without small letters of their own, gives NaN.",
)


class _Graph:
    """The nodes so far. ``values`` names what has been computed, so that nothing is computed twice."""

    def __init__(self, helper: Any, rule: Rule) -> None:  # noqa: ANN401  (a module)
        self.helper = helper
        self.nodes: list[Any] = []
        self.taken = {part.column for part in rule.inputs}
        self.free = partial(free, taken=self.taken)
        self.outputs = output_names(rule, self.taken)
        self.inputs = {part.column: part for part in rule.inputs}
        self.constants: list[Any] = []
        self.values: dict[tuple[object, ...], str] = {}
        self.missing = rule.na_values
        self.missing_numbers = rule.missing_numbers
        self.made = {made.column: (part, made) for part in rule.inputs for made in part.made}
        self.counts: dict[str, Callable[[str], str]] = {}
        self.tables: list[str] = []

    def apply(self, operator: str, *names: str, domain: str = "", out: str | None = None, **facts: object) -> str:
        """The name of what an operator makes of others."""
        key = (operator, *names, *(str(fact) for fact in facts.values()))
        if key not in self.values or out is not None:
            name = out or self.free(f"_{len(self.nodes)}")
            self.nodes.append(self.helper.make_node(operator, names, [name], domain=domain or None, **facts))
            self.values[key] = name
        return self.values[key]

    def constant(self, value: float | str, kind: str = "DOUBLE") -> str:
        """The name of a constant."""
        key = ("constant", kind, repr(value))
        if key not in self.values:
            from onnx import TensorProto  # noqa: PLC0415  (an extra)

            name = self.free(f"_c{len(self.constants)}")
            cell: object = value.encode() if isinstance(value, str) else value
            self.constants.append(self.helper.make_tensor(name, getattr(TensorProto, kind), [], [cell]))
            self.values[key] = name
        return self.values[key]

    def chain(self, operator: str, names: Sequence[str]) -> str:
        """What an operator of two makes of several, from the left."""
        first, *others = names
        for other in others:
            first = self.apply(operator, first, other)
        return first

    def code(self, source: str) -> str:
        """The place of a text among the levels of its column."""
        part = self.inputs[source]
        codes = dict.fromkeys(self.missing, _MISSING)
        if "" not in part.levels:
            codes[""] = _MISSING
        for at, level in enumerate(part.levels):
            for spelling in _capitals(level) if part.boolean else (level,):
                codes.setdefault(spelling, at)
        return self.apply(
            "LabelEncoder",
            source,
            domain="ai.onnx.ml",
            keys_strings=list(codes),
            values_int64s=list(codes.values()),
            default_int64=_UNKNOWN,
        )

    def read(self, column: str) -> str:
        """A number of the file, nan where it is missing."""
        if not self.missing_numbers:
            return column
        found = [self.apply("Equal", column, self.constant(number)) for number in self.missing_numbers]
        return self.apply("Where", self.chain("Or", found), self.constant(math.nan), column)

    def condition(self, asked: Condition) -> str:
        """A condition as booleans."""
        if isinstance(asked, Missing):
            if self.inputs[asked.source].kind == "number":
                return self.apply("IsNaN", self.read(asked.source))
            return self.apply("Equal", self.code(asked.source), self.constant(_MISSING, "INT64"))
        if asked.column in self.made:
            part, made = self.made[asked.column]
            value = date_value(self, made.function, part.column)
            names = [self.constant(float(place)) for place in places_of(made.function, asked.levels)]
            found = [self.apply("Equal", value, place) for place in names or [self.constant(-1.0)]]
            there = self.apply("Not", self.condition(Missing(part.column)))
            return self.apply("And", there, self.chain("Or", found))
        code, levels = self.code(asked.column), self.inputs[asked.column].levels
        places = [self.constant(levels.index(level), "INT64") for level in asked.levels]
        return self.chain("Or", [self.apply("Equal", code, place) for place in places])

    def cell(self, column: str) -> str:
        """A number of the file, or what a function makes of a cell, filled."""
        part, read = self.made.get(column) or (self.inputs[column], self.inputs[column])
        cell = self.read(part.column) if part.kind == "number" else part.column
        value = cell
        if column in self.made:
            make = date_value if part.dates else function_of
            value = make(self, self.made[column][1].function, cell)
        if read.fill is None:
            return value
        return self.apply("Where", self.condition(Missing(part.column)), self.constant(read.fill), value)

    def count(self, node: Count) -> str:
        """How often words are in a text."""
        if node.column not in self.counts:
            part = self.inputs[node.column]
            self.counts[node.column] = counts(self, part, self.condition(Missing(part.column)))
        return self.counts[node.column](node.word)

    def number(self, node: Node) -> str:  # noqa: PLR0911  (one for each kind of node)
        """A node as numbers."""
        match node:
            case Constant():
                return self.constant(node.value)
            case Cell():
                return self.cell(node.column)
            case Count():
                return self.count(node)
            case Log():
                return self.apply("Log", self.number(node.of))
            case AtLeast() | AtMost():
                operator = "Max" if isinstance(node, AtLeast) else "Min"
                return self.apply(operator, self.number(node.of), self.constant(node.bound))
            case Sum() | Product():
                operator = "Add" if isinstance(node, Sum) else "Mul"
                return self.chain(operator, [self.number(part) for part in node.parts])
            case Choose():
                asked = self.condition(node.condition)
                return self.apply("Where", asked, self.number(node.then), self.number(node.otherwise))

    def unusable(self, part: Input) -> Iterator[str]:
        """When a cell cannot be used."""
        if part.required:
            yield self.condition(Missing(part.column))
        if part.closed:
            yield self.apply("Equal", self.code(part.column), self.constant(_UNKNOWN, "INT64"))
        if part.positive:
            yield self.apply("Not", self.apply("Less", self.constant(0.0), self.read(part.column)))
        if part.kind == "number":
            for made in part.made:
                yield from outside(self, made.function, self.read(part.column))
            return
        missing = self.condition(Missing(part.column))
        yield from unreadable(self, part, missing)
        for made in part.made:
            if made.closed:
                known = self.condition(OneOf(made.column, made.levels))
                yield self.apply("Not", self.apply("Or", missing, known))

    def write(self, rule: Rule) -> None:
        """Everything from the cells to the results."""
        parts = [self.constant(rule.intercept)]
        if rule.shift is not None:
            parts.append(self.number(rule.shift))
        parts += [self.apply("Mul", self.constant(term.estimate), self.number(term.node)) for term in rule.summands]
        eta = self.chain("Add", parts)
        bad = [self.apply("IsNaN", eta), self.apply("IsInf", eta)]
        bad += [name for part in rule.inputs for name in self.unusable(part)]
        lost = self.chain("Or", bad)
        gone = self.constant(float("nan"))
        self.apply("Where", lost, gone, eta, out=self.outputs["link"])
        response = self.response(rule, eta)
        self.apply("Where", lost, gone, response, out=self.outputs["response"])
        if rule.classes is not None:
            low = self.apply("Less", response, self.constant(rule.threshold))
            words = [self.constant(word, "STRING") for word in (rule.negative, rule.positive or "", "")]
            named = self.apply("Where", low, words[0], words[1])
            self.apply("Where", lost, words[2], named, out=self.outputs["class"])

    def response(self, rule: Rule, eta: str) -> str:
        """The inverse link."""
        if rule.link == "logit":
            one = self.constant(1.0)
            return self.apply("Div", one, self.apply("Add", one, self.apply("Exp", self.apply("Neg", eta))))
        if rule.link == "log":
            most = self.constant(LARGEST_EXPONENT)
            return self.apply("Exp", self.apply("Where", self.apply("Less", eta, most), eta, most))
        return eta

    def table(self, name: str) -> str:
        """Say of texts that they are (rows, words): nothing else tells what an operator of onnxruntime's own gives."""
        self.tables.append(name)
        return name

    def finished(self, rule: Rule) -> Any:  # noqa: ANN401  (a message of the package)
        """The graph."""
        from onnx import TensorProto  # noqa: PLC0415  (an extra)

        rows: list[object] = ["rows"] if rule.inputs else []
        value = self.helper.make_tensor_value_info
        kinds = [TensorProto.DOUBLE if part.kind == "number" else TensorProto.STRING for part in rule.inputs]
        inputs = [value(part.column, kind, rows) for part, kind in zip(rule.inputs, kinds, strict=True)]
        outputs = [
            value(name, TensorProto.STRING if key == "class" else TensorProto.DOUBLE, rows)
            for key, name in self.outputs.items()
        ]
        tables = [value(name, TensorProto.STRING, [*rows, f"{name} words"]) for name in self.tables]
        return self.helper.make_graph(self.nodes, "regcli", inputs, outputs, self.constants, value_info=tables)


def _capitals(word: str) -> Iterator[str]:
    """A word in small letters with every choice of capitals."""
    return map("".join, product(*((letter, letter.upper()) for letter in word)))
