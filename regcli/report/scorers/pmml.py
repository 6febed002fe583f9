"""A scorer as PMML 4.4: a regression model over derived fields, one a term."""

import re
from collections.abc import Iterator
from functools import partial
from xml.etree import ElementTree as ET

from regcli import __version__
from regcli.data.rule import (
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
from regcli.report.escape import NOT_XML, visible
from regcli.report.scorers.elements import apply, derived, double, field, joined, text, within
from regcli.report.scorers.infix import about, free, output_names
from regcli.report.scorers.pmml_texts import count, date_fields, in_domain, made_number, text_fields
from regcli.report.scorers.refusal import refusal
from regcli.report.scorers.spellings import places_of

__all__ = ["pmml_scorer"]

_NAMESPACE = "http://www.dmg.org/PMML-4_4"

#: The inverse link, as regression models of PMML name it.
_NORMALIZATION = {"identity": "none", "logit": "logit", "log": "exp"}


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
    header = within(root, "Header", description=" ".join(about(rule, fields.outputs)))
    within(header, "Extension", name="model", value=rule.content_id)
    within(header, "Extension", name="target", value=visible(rule.target))
    within(header, "Application", name="regcli", version=__version__)
    _dictionary(root, rule)
    model = within(
        root,
        "RegressionModel",
        modelName=f"regcli {rule.family}",
        functionName="regression",
        normalizationMethod=_NORMALIZATION[rule.link],
    )
    schema = within(model, "MiningSchema")
    for part in rule.inputs:
        within(schema, "MiningField", name=part.column, invalidValueTreatment="asIs", missingValueTreatment="asIs")
    _output(model, rule, fields)
    within(model, "LocalTransformations").extend(fields.derive())
    table = within(model, "RegressionTable", intercept=repr(rule.intercept))
    for name, estimate in fields.predictors():
        within(table, "NumericPredictor", name=name, coefficient=repr(estimate))
    ET.indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _require_xml(rule: Rule) -> None:
    names = [*(rule.classes or ()), *rule.na_values]
    names += [name for part in rule.inputs for name in (part.column, *part.levels, *part.words)]
    for name in names:
        if re.search(NOT_XML, name):
            raise refusal(f"PMML is XML, which cannot hold a character of the name {name!r}", "pmml")


def _dictionary(root: ET.Element, rule: Rule) -> None:
    """The inputs, and which cells mean that one is missing."""
    dictionary = within(root, "DataDictionary")
    for part in rule.inputs:
        number = part.kind == "number"
        kind, operations = ("double", "continuous") if number else ("string", "categorical")
        entry = within(dictionary, "DataField", name=part.column, optype=operations, dataType=kind)
        for word in map(repr, rule.missing_numbers) if number else rule.na_values:
            within(entry, "Value", value=word, property="missing")


def _output(model: ET.Element, rule: Rule, fields: "_Fields") -> None:
    """Response, link and class."""
    output = within(model, "Output")
    names = fields.outputs
    common = {"optype": "continuous", "dataType": "double"}
    within(output, "OutputField", name=names["response"], feature="predictedValue", **common)
    link = within(output, "OutputField", name=names["link"], feature="transformedValue", **common)
    link.append(field(fields.link))
    if rule.classes is not None:
        chosen = within(
            output,
            "OutputField",
            name=names["class"],
            optype="categorical",
            dataType="string",
            feature="transformedValue",
        )
        high = apply("greaterOrEqual", field(names["response"]), double(rule.threshold))
        chosen.append(apply("if", high, text(rule.positive or ""), text(rule.negative)))


class _Fields:
    """Derived fields: texts as they are compared, whether a row can be scored, the terms, the linear predictor."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.taken = {part.column for part in rule.inputs}
        self.free = partial(free, taken=self.taken)
        self.outputs = output_names(rule, self.taken)
        self.inputs = {part.column: part for part in rule.inputs}
        self.folded = {part.column: self.free(f"small({part.column})") for part in rule.inputs if part.boolean}
        self.made = {made.column: (part, made) for part in rule.inputs for made in part.made}
        self.names = {column: self.free(column) for column in self.made}
        self.kept = {part.column: self.free(f"words({part.column})") for part in rule.inputs if part.words}
        self.valid = {part.column: self.free(f"valid({part.column})") for part in rule.inputs if part.dates}
        self.usable = self.free("usable")
        self.shift = self.free("offset") if rule.shift is not None else None
        self.terms = [self.free(term.name) for term in rule.summands]
        self.link = self.free("linear predictor")

    def predictors(self) -> Iterator[tuple[str, float]]:
        """What the regression table adds up. A field that is missing makes the result missing."""
        yield self.usable, 1.0
        if self.shift is not None:
            yield self.shift, 1.0
        yield from zip(self.terms, (term.estimate for term in self.rule.summands), strict=True)

    def derive(self) -> Iterator[ET.Element]:
        """The fields, those first that others need."""
        for column, name in self.folded.items():
            yield derived(name, apply("lowercase", field(column)), kind="string")
        for part in self.rule.inputs:
            if part.dates:
                names = {made.function: self.names[made.column] for made in part.made}
                yield from date_fields(part.column, names, self.valid[part.column], self.free)
            if part.words:
                yield from text_fields(part.column, self.kept[part.column], self.free)
        for column, (part, made) in self.made.items():
            if not part.dates:
                yield derived(self.names[column], made_number(made.function, part.column))
        guards = [guard for part in self.rule.inputs for guard in self.guard(part)]
        usable = apply("if", joined("and", guards), double(0.0)) if guards else double(0.0)
        yield derived(self.usable, usable)
        if self.rule.shift is not None and self.shift is not None:
            yield derived(self.shift, self.number(self.rule.shift))
        for name, term in zip(self.terms, self.rule.summands, strict=True):
            yield derived(name, self.number(term.node))
        parts = [double(self.rule.intercept)]
        parts += [apply("*", double(estimate), field(name)) for name, estimate in self.predictors()]
        yield derived(self.link, joined("+", parts))

    def guard(self, part: Input) -> Iterator[ET.Element]:
        """When a cell can be used."""
        known = [self.condition(OneOf(part.column, part.levels))] if part.closed else []
        known += [apply("equal", field(self.valid[part.column]), double(1.0))] if part.dates else []
        for made in part.made:
            known += [self.condition(OneOf(made.column, made.levels))] if made.closed else []
            known += in_domain(made.function, part.column)
        if known:
            gone = apply("isMissing", field(part.column))
            # One after the other: an operator on a missing value would be missing.
            nothing = apply("equal", double(0.0), double(1.0) if part.required else double(0.0))
            yield apply("if", gone, nothing, joined("and", known))
        elif part.required:
            yield apply("isNotMissing", field(part.column))
        if part.positive:
            yield apply("greaterThan", field(part.column), double(0.0))

    def condition(self, asked: Condition) -> ET.Element:
        """A condition; no level is true of a missing cell."""
        if isinstance(asked, Missing):
            return apply("isMissing", field(asked.source))
        if asked.column in self.made:
            places = places_of(self.made[asked.column][1].function, asked.levels)
            if not places:
                return apply("equal", double(0.0), double(1.0))
            return apply("isIn", field(self.names[asked.column]), *map(double, map(float, places)))
        return apply("isIn", field(self.folded.get(asked.column, asked.column)), *map(text, asked.levels))

    def number(self, node: Node) -> ET.Element:  # noqa: PLR0911  (one for each kind of node)
        """A node."""
        match node:
            case Constant():
                return double(node.value)
            case Cell():
                return self.cell(node)
            case Count():
                part = self.inputs[node.column]
                return count(self.kept[node.column], node.word, binary=part.binary)
            case Log():
                return apply("ln", self.number(node.of))
            case AtLeast() | AtMost():
                function = "max" if isinstance(node, AtLeast) else "min"
                return apply(function, self.number(node.of), double(node.bound))
            case Sum() | Product():
                return joined("+" if isinstance(node, Sum) else "*", [self.number(part) for part in node.parts])
            case Choose():
                return self.choice(node)

    def cell(self, node: Cell) -> ET.Element:
        """A number, filled."""
        part, read = self.made.get(node.column) or (self.inputs[node.column], self.inputs[node.column])
        value = field(self.names.get(node.column, node.column))
        if read.fill is None:
            return value
        return apply("if", apply("isMissing", field(part.column)), double(read.fill), value)

    def choice(self, node: Choose) -> ET.Element:
        """One of two; what is asked of a missing cell has no answer in PMML, and here it is no level."""
        then, otherwise = self.number(node.then), self.number(node.otherwise)
        choose = apply("if", self.condition(node.condition), then, otherwise)
        if isinstance(node.condition, Missing):
            return choose
        column = node.condition.column
        gone = apply("isMissing", field(self.made[column][0].column if column in self.made else column))
        return apply("if", gone, self.number(node.otherwise), choose)
