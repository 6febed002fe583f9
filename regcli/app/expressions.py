"""The language of ``--assert``: text to a tree. Closed, and nothing in it is evaluated as Python.

From loose to tight: ``or``, ``and``, ``not``; comparisons ``< <= > >= == !=``, also in a row (``0.1 < x < 2``), and
``in``, ``not in``; ``+ -``; ``* /``; minus. Values are numbers (``1e-3``, ``5%``), text in quotes of either kind (a
doubled quote stands for one), ``true``, ``false``, ``null``, calls of ``FUNCTIONS``, parentheses, and names: paths such
as ``metrics.cv.r2``, ``mean[-1]``, ``coef["body mass"]``.
"""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

__all__ = ["COMPARISONS", "FUNCTIONS", "Call", "Chain", "Expression", "Fault", "Literal", "Name", "Node", "read"]

COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")

#: Functions, and the most values they take.
FUNCTIONS = {"abs": 1, "sign": 1, "len": 1, "min": math.inf, "max": math.inf}

#: Parentheses, calls, minus signs and ``not`` inside one another: more than anybody writes, far from Python's limit.
DEEPEST = 32

_CONSTANTS = {"true": True, "false": False, "null": None}
_RESERVED = ("and", "or", "not", "in")

_TOKEN = re.compile(
    r"""\s*(?: (?P<number> (?:[0-9]+\.?[0-9]*|\.[0-9]+) (?:[eE][+-]?[0-9]+)? %? )
             | (?P<text> "(?:[^"]|"")*" | '(?:[^']|'')*' )
             | (?P<word> [^\W\d]\w* )
             | (?P<sign> [<>=!]= | [-+*/<>()\[\].,] ) )""",
    re.VERBOSE,
)


class Fault(Exception):  # noqa: N818  (half an error: the caller knows the option it is about)
    """What is wrong with an expression, and the names near one that is not known."""

    def __init__(self, message: str, near: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.near = near


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, a text, true, false or null."""

    value: float | str | None


@dataclass(frozen=True, slots=True)
class Name:
    """A path: as it was written, and its keys."""

    text: str
    keys: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """One of ``FUNCTIONS``, a minus sign, ``and``, ``or`` or ``not``."""

    function: str
    operands: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """What stands on one level, from left to right: ``a + b - c``, or, if it ``compares``, ``a < b <= c``."""

    compares: bool
    first: "Node"
    rest: tuple[tuple[str, "Node"], ...]


Node = Literal | Name | Call | Chain


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that has been read, and the names in it, from left to right."""

    text: str
    tree: Node
    names: tuple[Name, ...]


def read(text: str) -> Expression:
    """Read an expression. Raises Fault where that cannot be done."""
    return _Parser(text.strip()).read()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int


def _tokens(text: str) -> Iterator[_Token]:
    """The tokens of a text that does not end in a space, and one that is its end."""
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            rest = text[at:].lstrip()
            why = {'"': "it is not closed", "'": "it is not closed", "=": "equality is =="}.get(rest[0])
            place = f"unexpected {rest[0]} at character {len(text) - len(rest) + 1}"
            raise Fault(f"{place}: {why}" if why else place)
        kind = str(match.lastgroup)
        yield _Token(kind, match[kind], match.start(kind), match.end())
        at = match.end()
    yield _Token("end", "", at, at)


class _Parser:
    """Recursive descent, a method a level. What stands on one level is read in a loop, so that only nesting recurs."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tuple(_tokens(text))
        self._at = 0
        self._depth = 0
        self._names: list[Name] = []

    def read(self) -> Expression:
        tree = self._either()
        if self._now.kind != "end":
            raise self._unexpected()
        return Expression(self._text, tree, tuple(self._names))

    @property
    def _now(self) -> _Token:
        return self._tokens[self._at]

    def _take(self, *texts: str) -> str:
        """The token at hand if it is one of these, else nothing. Text keeps its quotes, so that it is none of them."""
        text = self._now.text
        if text not in texts:
            return ""
        self._at += 1
        return text

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise self._unexpected(text)

    def _unexpected(self, wanted: str = "") -> Fault:
        token = self._now
        found = f"unexpected {token.text} at character {token.start + 1}" if token.text else "it ends too early"
        return Fault(found + (f", where {wanted} should be" if wanted else ""))

    def _inside(self, part: Callable[[], Node]) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise Fault(f"it is nested more than {DEEPEST} deep")
        node = part()
        self._depth -= 1
        return node

    def _either(self) -> Node:
        return self._joined("or", self._both)

    def _both(self) -> Node:
        return self._joined("and", self._negation)

    def _joined(self, word: str, part: Callable[[], Node]) -> Node:
        parts = [part()]
        while self._take(word):
            parts.append(part())
        return Call(word, tuple(parts)) if len(parts) > 1 else parts[0]

    def _negation(self) -> Node:
        return Call("not", (self._inside(self._negation),)) if self._take("not") else self._comparison()

    def _comparison(self) -> Node:
        first, rest = self._sum(), list[tuple[str, Node]]()
        while sign := self._comparing():
            rest.append((sign, self._sum()))
        return Chain(compares=True, first=first, rest=tuple(rest)) if rest else first

    def _comparing(self) -> str:
        if self._now.text == "not" and self._tokens[self._at + 1].text == "in":
            self._at += 2
            return "not in"
        return self._take(*COMPARISONS, "in")

    def _sum(self) -> Node:
        return self._reckoned(("+", "-"), self._product)

    def _product(self) -> Node:
        return self._reckoned(("*", "/"), self._signed)

    def _reckoned(self, signs: tuple[str, ...], part: Callable[[], Node]) -> Node:
        first, rest = part(), list[tuple[str, Node]]()
        while sign := self._take(*signs):
            rest.append((sign, part()))
        return Chain(compares=False, first=first, rest=tuple(rest)) if rest else first

    def _signed(self) -> Node:
        return Call("-", (self._inside(self._signed),)) if self._take("-") else self._single()

    def _single(self) -> Node:
        if self._take("("):
            node = self._inside(self._either)
            self._expect(")")
            return node
        token = self._now
        if token.kind in ("sign", "end") or token.text in _RESERVED:
            raise self._unexpected("a value")
        self._at += 1
        if token.kind == "number":
            return Literal(_number(token.text))
        if token.kind == "text":
            return Literal(_unquoted(token.text))
        if self._take("("):
            return self._call(token.text)
        return Literal(_CONSTANTS[token.text]) if token.text in _CONSTANTS else self._name(token)

    def _call(self, function: str) -> Node:
        if function not in FUNCTIONS:
            raise Fault(f"no function {function}", get_close_matches(function, FUNCTIONS, n=2))
        operands = [self._inside(self._sum)]
        while self._take(","):
            operands.append(self._inside(self._sum))
        self._expect(")")
        if len(operands) > FUNCTIONS[function]:
            raise Fault(f"{function} takes one value, not {len(operands)}")
        return Call(function, tuple(operands))

    def _name(self, token: _Token) -> Node:
        keys: list[str | int] = [token.text]
        while sign := self._take(".", "["):
            if sign == "[":
                keys.append(self._index())
                self._expect("]")
            elif self._now.kind == "word":  # also words that mean something elsewhere: metrics.null
                keys.append(self._now.text)
                self._at += 1
            else:
                raise self._unexpected("a name")
        name = Name(self._text[token.start : self._tokens[self._at - 1].end], tuple(keys))
        self._names.append(name)
        return name

    def _index(self) -> str | int:
        minus, token = self._take("-"), self._now
        index = token.kind == "number" and token.text.isdigit() and len(token.text) < 10  # no list is longer
        if not index and (minus or token.kind != "text"):
            raise self._unexpected("a number, or a name in quotes,")
        self._at += 1
        return int(minus + token.text) if index else _unquoted(token.text)


def _number(text: str) -> float:
    value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    if not math.isfinite(value):
        raise Fault(f"{text} is beyond double precision")
    return value


def _unquoted(text: str) -> str:
    return text[1:-1].replace(text[0] * 2, text[0])
