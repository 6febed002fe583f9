"""A scorer as an ONNX graph in double precision: one input a column, (n,) each, and one output a result."""

from collections.abc import Iterator, Sequence
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
    Input,
    Log,
    Missing,
    Node,
    Product,
    Rule,
    Sum,
)
from regcli.errors import UsageError
from regcli.report.scorers.infix import about

__all__ = ["onnx_scorer"]

#: Operators of ONNX 1.12 (2022) and what came with them: runtimes older than that lack some in double precision.
_OPERATORS, _ML_OPERATORS, _FORMAT = 17, 2, 8

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
    model = helper.make_model(
        graph.finished(rule),
        opset_imports=[helper.make_opsetid("", _OPERATORS), helper.make_opsetid("ai.onnx.ml", _ML_OPERATORS)],
        ir_version=_FORMAT,
        producer_name="regcli",
        producer_version=__version__,
        doc_string="\n".join([*about(rule), *_HOW]),
    )
    helper.set_model_props(model, {"model": rule.content_id, "target": rule.target, "family": rule.family})
    return model.SerializeToString(deterministic=True)


_HOW = (
    "Inputs are the columns by name: double, NaN where missing, or string, empty where missing.",
    "A row that cannot be scored gives NaN, and an empty class.",
)


class _Graph:
    """The nodes so far. ``values`` names what has been computed, so that nothing is computed twice."""

    def __init__(self, helper: Any, rule: Rule) -> None:  # noqa: ANN401  (a module)
        self.helper = helper
        self.nodes: list[Any] = []
        self.taken = {part.column for part in rule.inputs}
        self.outputs = {name: self.free(name) for name in rule.outputs}
        self.inputs = {part.column: part for part in rule.inputs}
        self.constants: list[Any] = []
        self.values: dict[tuple[object, ...], str] = {}
        self.missing = rule.na_values

    def free(self, name: str) -> str:
        """A name that no column has, and nothing else."""
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        return name

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

    def condition(self, asked: Condition) -> str:
        """A condition as booleans."""
        source = asked.source
        if self.inputs[source].kind == "number":
            return self.apply("IsNaN", source)
        if isinstance(asked, Missing):
            return self.apply("Equal", self.code(source), self.constant(_MISSING, "INT64"))
        places = [self.inputs[source].levels.index(level) for level in asked.levels]
        found = [self.apply("Equal", self.code(source), self.constant(place, "INT64")) for place in places]
        return self.chain("Or", found)

    def number(self, node: Node) -> str:  # noqa: PLR0911  (one for each kind of node)
        """A node as numbers."""
        match node:
            case Constant():
                return self.constant(node.value)
            case Cell():
                fill = self.inputs[node.source].fill
                if fill is None:
                    return node.source
                return self.apply("Where", self.condition(Missing(node.source)), self.constant(fill), node.source)
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
            yield self.apply("Not", self.apply("Less", self.constant(0.0), part.column))

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

    def finished(self, rule: Rule) -> Any:  # noqa: ANN401  (a message of the package)
        """The graph."""
        from onnx import TensorProto  # noqa: PLC0415  (an extra)

        rows: list[object] = ["rows"] if rule.inputs else []
        kinds = {"number": TensorProto.DOUBLE, "category": TensorProto.STRING}
        value = self.helper.make_tensor_value_info
        inputs = [value(part.column, kinds[part.kind], rows) for part in rule.inputs]
        outputs = [
            value(name, TensorProto.STRING if key == "class" else TensorProto.DOUBLE, rows)
            for key, name in self.outputs.items()
        ]
        return self.helper.make_graph(self.nodes, "regcli", inputs, outputs, self.constants)


def _capitals(word: str) -> Iterator[str]:
    """A word in small letters with every choice of capitals."""
    return map("".join, product(*((letter, letter.upper()) for letter in word)))
