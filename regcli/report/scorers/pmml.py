"""A scorer as PMML 4.4: a regression model over derived fields, one a term."""

import re
from collections.abc import Iterator, Sequence
from xml.etree import ElementTree as ET

from regcli import __version__
from regcli.data.rule import (
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
    OneOf,
    Product,
    Rule,
    Sum,
)
from regcli.errors import UsageError
from regcli.report.escape import visible
from regcli.report.scorers.infix import about

__all__ = ["pmml_scorer"]

_NAMESPACE = "http://www.dmg.org/PMML-4_4"

#: Characters that XML 1.0 has no form for. A return would be read as another line end.
_NO_XML = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]")

#: The inverse link, as regression models of PMML name it.
_NORMALIZATION = {"identity": "none", "logit": "logit", "log": "exp"}

#: Operands of one application: a sum of n terms, two by two, would be n deep.
_OPERANDS = 2


def pmml_scorer(rule: Rule) -> str:
    """The document.

    Raises
    ------
    UsageError
        ``not-exportable``: a name has a character that XML cannot hold.
    """
    _require_xml(rule)
    fields = _Fields(rule)
    root = ET.Element("PMML", {"xmlns": _NAMESPACE, "version": "4.4"})
    header = _in(root, "Header", description=" ".join(about(rule)))
    _in(header, "Extension", name="model", value=rule.content_id)
    _in(header, "Extension", name="target", value=visible(rule.target))
    _in(header, "Application", name="regcli", version=__version__)
    _dictionary(root, rule)
    model = _in(
        root,
        "RegressionModel",
        modelName=f"regcli {rule.family}",
        functionName="regression",
        normalizationMethod=_NORMALIZATION[rule.link],
    )
    schema = _in(model, "MiningSchema")
    for part in rule.inputs:
        _in(schema, "MiningField", name=part.column, invalidValueTreatment="asIs", missingValueTreatment="asIs")
    _output(model, rule, fields)
    derived = _in(model, "LocalTransformations")
    for field in fields.derive():
        derived.append(field)
    table = _in(model, "RegressionTable", intercept=repr(rule.intercept))
    for name, estimate in fields.predictors():
        _in(table, "NumericPredictor", name=name, coefficient=repr(estimate))
    ET.indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _require_xml(rule: Rule) -> None:
    names = [*(rule.classes or ()), *rule.na_values]
    names += [name for part in rule.inputs for name in (part.column, *part.levels)]
    for name in names:
        if _NO_XML.search(name):
            raise UsageError(
                "not-exportable",
                f"PMML is XML, which cannot hold a character of the name {name!r}",
                hint="--to json, python, c, sql or onnx can",
            )


def _dictionary(root: ET.Element, rule: Rule) -> None:
    """The inputs, and which texts mean that a cell is missing."""
    dictionary = _in(root, "DataDictionary")
    for part in rule.inputs:
        number = part.kind == "number"
        kind, operations = ("double", "continuous") if number else ("string", "categorical")
        field = _in(dictionary, "DataField", name=part.column, optype=operations, dataType=kind)
        if not number:
            for text in rule.na_values:
                _in(field, "Value", value=text, property="missing")


def _output(model: ET.Element, rule: Rule, fields: "_Fields") -> None:
    """Response, link and class."""
    output = _in(model, "Output")
    names = {name: fields.free(name) for name in rule.outputs}
    common = {"optype": "continuous", "dataType": "double"}
    _in(output, "OutputField", name=names["response"], feature="predictedValue", **common)
    link = _in(output, "OutputField", name=names["link"], feature="transformedValue", **common)
    link.append(_field(fields.link))
    if rule.classes is not None:
        chosen = _in(
            output,
            "OutputField",
            name=names["class"],
            optype="categorical",
            dataType="string",
            feature="transformedValue",
        )
        high = _apply("greaterOrEqual", _field(names["response"]), _double(rule.threshold))
        chosen.append(_apply("if", high, _text(rule.positive or ""), _text(rule.negative)))


class _Fields:
    """Derived fields: texts as they are compared, whether a row can be scored, the terms, the linear predictor."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.taken = {part.column for part in rule.inputs}
        self.inputs = {part.column: part for part in rule.inputs}
        self.folded = {part.column: self.free(f"small({part.column})") for part in rule.inputs if part.boolean}
        self.usable = self.free("usable")
        self.shift = self.free("offset") if rule.shift is not None else None
        self.terms = [self.free(term.name) for term in rule.summands]
        self.link = self.free("linear predictor")

    def free(self, name: str) -> str:
        """A name that nothing else has."""
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        return name

    def predictors(self) -> Iterator[tuple[str, float]]:
        """What the regression table adds up. A field that is missing makes the result missing."""
        yield self.usable, 1.0
        if self.shift is not None:
            yield self.shift, 1.0
        yield from zip(self.terms, (term.estimate for term in self.rule.summands), strict=True)

    def derive(self) -> Iterator[ET.Element]:
        """The fields, those first that others need."""
        for column, name in self.folded.items():
            yield _derived(name, _apply("lowercase", _field(column)), kind="string")
        guards = [guard for part in self.rule.inputs for guard in self.guard(part)]
        usable = _apply("if", _joined("and", guards), _double(0.0)) if guards else _double(0.0)
        yield _derived(self.usable, usable)
        if self.rule.shift is not None and self.shift is not None:
            yield _derived(self.shift, self.number(self.rule.shift))
        for name, term in zip(self.terms, self.rule.summands, strict=True):
            yield _derived(name, self.number(term.node))
        parts = [_double(self.rule.intercept)]
        parts += [_apply("*", _double(estimate), _field(name)) for name, estimate in self.predictors()]
        yield _derived(self.link, _joined("+", parts))

    def guard(self, part: Input) -> Iterator[ET.Element]:
        """When a cell can be used."""
        there = _apply("isNotMissing", _field(part.column))
        if part.closed:
            known = self.condition(OneOf(part.column, part.levels))
            gone = _apply("isMissing", _field(part.column))
            # One after the other: an operator on a missing value would be missing.
            nothing = _apply("equal", _double(0.0), _double(1.0) if part.required else _double(0.0))
            yield _apply("if", gone, nothing, known)
        elif part.required:
            yield there
        if part.positive:
            yield _apply("greaterThan", _field(part.column), _double(0.0))

    def condition(self, asked: Condition) -> ET.Element:
        """A condition; no level is true of a missing cell."""
        if isinstance(asked, Missing):
            return _apply("isMissing", _field(asked.source))
        return _apply("isIn", _field(self.folded.get(asked.source, asked.source)), *map(_text, asked.levels))

    def number(self, node: Node) -> ET.Element:
        """A node."""
        match node:
            case Constant():
                return _double(node.value)
            case Cell():
                return self.cell(node)
            case Log():
                return _apply("ln", self.number(node.of))
            case AtLeast() | AtMost():
                function = "max" if isinstance(node, AtLeast) else "min"
                return _apply(function, self.number(node.of), _double(node.bound))
            case Sum() | Product():
                return _joined("+" if isinstance(node, Sum) else "*", [self.number(part) for part in node.parts])
            case Choose():
                return self.choice(node)

    def cell(self, node: Cell) -> ET.Element:
        """A number, filled."""
        fill = self.inputs[node.source].fill
        if fill is None:
            return _field(node.source)
        return _apply("if", _apply("isMissing", _field(node.source)), _double(fill), _field(node.source))

    def choice(self, node: Choose) -> ET.Element:
        """One of two; what is asked of a missing cell has no answer in PMML, and here it is no level."""
        then, otherwise = self.number(node.then), self.number(node.otherwise)
        choose = _apply("if", self.condition(node.condition), then, otherwise)
        if isinstance(node.condition, Missing):
            return choose
        gone = _apply("isMissing", _field(node.condition.source))
        return _apply("if", gone, self.number(node.otherwise), choose)


def _joined(operator: str, parts: Sequence[ET.Element]) -> ET.Element:
    """An operator of two over several, as a tree that is not deep."""
    rows = list(parts)
    while len(rows) > 1:
        pairs = [rows[at : at + _OPERANDS] for at in range(0, len(rows), _OPERANDS)]
        rows = [_apply(operator, *pair) if len(pair) > 1 else pair[0] for pair in pairs]
    return rows[0]


def _derived(name: str, expression: ET.Element, kind: str = "double") -> ET.Element:
    operations = "continuous" if kind == "double" else "categorical"
    field = ET.Element("DerivedField", {"name": name, "optype": operations, "dataType": kind})
    field.append(expression)
    return field


def _apply(function: str, *arguments: ET.Element) -> ET.Element:
    out = ET.Element("Apply", {"function": function})
    out.extend(arguments)
    return out


def _field(name: str) -> ET.Element:
    return ET.Element("FieldRef", {"field": name})


def _double(value: float) -> ET.Element:
    out = ET.Element("Constant", {"dataType": "double"})
    out.text = repr(value)
    return out


def _text(value: str) -> ET.Element:
    out = ET.Element("Constant", {"dataType": "string"})
    out.text = value
    return out


def _in(parent: ET.Element, tag: str, **facts: str) -> ET.Element:
    return ET.SubElement(parent, tag, facts)
