"""Arithmetic of a rule in languages that write it with operators: SQL, Python, C."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from regcli.data.rule import (
    AtLeast,
    AtMost,
    Cell,
    Choose,
    Condition,
    Constant,
    Count,
    Log,
    Node,
    Product,
    Rule,
    Sum,
)
from regcli.data.terms import DATE_PARTS
from regcli.report.escape import visible

__all__ = ["SMALLEST_LOGIT", "Syntax", "about", "expression", "free", "grouped", "output_names", "unusable"]

#: Operands in a row. Databases bound how deep an expression may be (SQLite and DuckDB: 1,000), and a sum of n numbers
#: is n deep where it is written in one row.
_ROW = 50

#: Below this a probability is 0, as in ``predict``: exp(709.79) is no double any more.
SMALLEST_LOGIT = -709.78


@dataclass(frozen=True, slots=True)
class Syntax:
    """How one language spells the leaves of an expression.

    ``choose`` has the places ``condition``, ``then`` and ``otherwise``; ``larger`` and ``smaller`` have ``of`` and
    ``bound``; ``log`` is the name of the natural logarithm.
    """

    number: Callable[[float], str]
    cell: Callable[[str], str]
    count: Callable[[str, str], str]
    condition: Callable[[Condition], str]
    choose: str
    log: str
    larger: str
    smaller: str


def expression(node: Node, syntax: Syntax) -> str:  # noqa: PLR0911  (one for each kind of node)
    """A node as an expression that can stand in any other."""
    match node:
        case Constant():
            text = syntax.number(node.value)
            return f"({text})" if text.startswith("-") else text
        case Cell():
            return syntax.cell(node.column)
        case Count():
            return syntax.count(node.column, node.word)
        case Log():
            return f"{syntax.log}({expression(node.of, syntax)})"
        case AtLeast() | AtMost():
            form = syntax.larger if isinstance(node, AtLeast) else syntax.smaller
            return form.format(of=expression(node.of, syntax), bound=syntax.number(node.bound))
        case Sum():
            return "(" + " + ".join(expression(part, syntax) for part in node.parts) + ")"
        case Product():
            return "(" + " * ".join(expression(part, syntax) for part in node.parts) + ")"
        case Choose():
            return syntax.choose.format(
                condition=syntax.condition(node.condition),
                then=expression(node.then, syntax),
                otherwise=expression(node.otherwise, syntax),
            )


def grouped(parts: Sequence[str], operator: str, indent: str) -> str:
    """Operands on lines of their own, in groups of groups, so that no expression is deep.

    An operand may end in a comment that goes to the end of its line.
    """
    rows, between = list(parts), f"\n{indent}{operator} "
    while len(rows) > _ROW:
        groups = (rows[at : at + _ROW] for at in range(0, len(rows), _ROW))
        rows = [f"({between.join(group)}\n{indent})" for group in groups]
    return between.join(rows)


def free(wanted: str, taken: set[str]) -> str:
    """A name that is not among those ``taken``, and is from now on."""
    while wanted in taken:
        wanted += "_"
    taken.add(wanted)
    return wanted


def output_names(rule: Rule, taken: set[str]) -> dict[str, str]:
    """What results are called where they stand beside the columns ``taken``, by what they are; these are taken then."""
    return {name: free(name, taken) for name in rule.outputs}


def about(rule: Rule, names: Mapping[str, str] | None = None) -> list[str]:
    """What a scorer says of itself, as lines of one comment each; safe wherever a line ends a comment.

    ``names`` are those of the results, where they may have others than usual.
    """
    called = {name: name for name in rule.outputs} if names is None else names
    renamed = [(name, other) for name, other in called.items() if other != name]
    lines = [
        f"A {rule.family} model of {rule.target}, written by regcli export.",
        f"Model: {rule.content_id}",
        f"Gives {', '.join(called.values())} for a row.",
        *(f"{other} is the {name}: the model has a column {name}." for name, other in renamed),
    ]
    if rule.classes is not None:
        response, chosen = called["response"], called["class"]
        lines.append(
            f"{response} is the probability of {rule.positive}; {chosen} is {rule.positive} from {rule.threshold}"
        )
        lines.append(f"on, else {rule.negative}.")
    return [visible(line) for line in lines]


def unusable(rule: Rule) -> str:
    """What else keeps a row from being scored, where cells are dates or go through functions."""
    made = {made.function for part in rule.inputs for made in part.made}
    out = "a text that is no date, " if made.intersection(DATE_PARTS) else ""
    return out + ("a number that a function has no value for, " if made.difference(DATE_PARTS) else "")
