"""Elements of PMML documents."""

from collections.abc import Sequence
from xml.etree import ElementTree as ET

__all__ = ["apply", "derived", "double", "field", "joined", "text", "within"]

#: Operands of one application: a sum of n terms, two by two, would be n deep.
_OPERANDS = 2


def joined(operator: str, parts: Sequence[ET.Element]) -> ET.Element:
    """An operator of two over several, as a tree that is not deep."""
    rows = list(parts)
    while len(rows) > 1:
        pairs = [rows[at : at + _OPERANDS] for at in range(0, len(rows), _OPERANDS)]
        rows = [apply(operator, *pair) if len(pair) > 1 else pair[0] for pair in pairs]
    return rows[0]


def derived(name: str, expression: ET.Element, kind: str = "double") -> ET.Element:
    """A field that is made of others."""
    operations = "continuous" if kind == "double" else "categorical"
    out = ET.Element("DerivedField", {"name": name, "optype": operations, "dataType": kind})
    out.append(expression)
    return out


def apply(function: str, *arguments: ET.Element) -> ET.Element:
    """A function of others."""
    out = ET.Element("Apply", {"function": function})
    out.extend(arguments)
    return out


def field(name: str) -> ET.Element:
    """The value of a field."""
    return ET.Element("FieldRef", {"field": name})


def double(value: float) -> ET.Element:
    """A number."""
    out = ET.Element("Constant", {"dataType": "double"})
    out.text = repr(value)
    return out


def text(value: str) -> ET.Element:
    """A text."""
    out = ET.Element("Constant", {"dataType": "string"})
    out.text = value
    return out


def within(parent: ET.Element, tag: str, **facts: str) -> ET.Element:
    """A new element in another."""
    return ET.SubElement(parent, tag, facts)
