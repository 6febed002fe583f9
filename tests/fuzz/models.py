"""Model files with something changed in them, and what must follow."""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from random import Random
from typing import Any

from regcli.report.schemas import SCHEMAS

__all__ = ["Mutant", "link_by_hand", "make_mutant", "spots"]

Document = dict[str, Any]
Spot = tuple[str | int, ...]

#: Spelt into the text after it was written: JSON as Python writes it has no such numbers.
TOKENS = {"@nan": "NaN", "@inf": "-Infinity", "@beyond": "1e999", "@digits": "9" * 5000, "@half": '"\\ud800"'}


#: Models that seeds are dealt to in turn.
FAMILIES = 4


@dataclass(frozen=True)
class Mutant:
    """A changed file: its text, what was done, and the document it spells (None where it spells none)."""

    text: str
    told: str
    document: Document | None

    def changed(self, original: Document) -> bool:
        """Whether it says something else than the original."""
        return self.document is None or json.dumps(self.document, sort_keys=True) != json.dumps(
            original, sort_keys=True
        )


def spots(value: object, at: Spot = ()) -> Iterator[Spot]:
    """Where there is something to change: every key and every place of a list, and what is below them."""
    members: Iterator[tuple[str | int, object]] = iter(())
    if isinstance(value, dict):
        members = iter(value.items())
    elif isinstance(value, list):
        members = iter(enumerate(value))
    for key, member in members:
        yield (*at, key)
        yield from spots(member, (*at, key))


def _keys(spot: Spot) -> tuple[str, ...]:
    """A spot without its places in lists: what kind of a member it is."""
    return tuple(key for key in spot if isinstance(key, str))


def make_mutant(seed: int, original: Document) -> Mutant:
    """A change of a member. Kinds of members take turns, however many there are of them."""
    rng = Random(seed)  # noqa: S311  (a change, no secret)
    if rng.random() < 0.08:
        return _as_text(rng, original)
    kinds: dict[tuple[str, ...], list[Spot]] = {}
    for spot in spots(original):
        kinds.setdefault(_keys(spot), []).append(spot)
    spot = rng.choice(kinds[sorted(kinds)[seed // FAMILIES % len(kinds)]])  # one kind after the other
    document = deepcopy(original)
    holder: Any = document
    for key in spot[:-1]:
        holder = holder[key]
    told = _change(rng, holder, spot[-1])
    text = json.dumps(document, indent=2, ensure_ascii=False)
    if any(json.dumps(token) in text for token in TOKENS):
        for token, spelt in TOKENS.items():
            text = text.replace(json.dumps(token), spelt)
        return Mutant(text, f"{spot}: {told}", None)
    if told == "twice":
        first = json.dumps(spot[-1], ensure_ascii=False)
        return Mutant(text.replace(f"{first}: ", f"{first}: 0, {first}: ", 1), f"{spot}: {told}", None)
    return Mutant(text, f"{spot}: {told}", document)


def _as_text(rng: Random, original: Document) -> Mutant:
    """A change of the bytes alone."""
    text = json.dumps(original, indent=2, ensure_ascii=False)
    at = rng.randrange(1, len(text) - 1)
    told, changed = rng.choice(
        (
            ("cut", text[:at]),
            ("twice over", text + text),
            ("nothing", ""),
            ("in a list", f"[{text}]"),
            ("a comma more", text[:-1] + ",}"),
            ("behind a mark", "\ufeff" + text),
            ("spaces", text.replace("\n", "\n" * 9) + " " * 1000),
            ("deep", text[:-1] + ', "more": ' + "[" * 5000 + "]" * 5000 + "}"),
        )
    )
    return Mutant(changed, told, original if told in ("spaces", "behind a mark") else None)


def _change(rng: Random, holder: Any, key: Any) -> str:  # noqa: ANN401  (JSON has no type)
    """Change one member; say how."""
    value = holder[key]
    ways: list[tuple[str, Callable[[], object]]] = [
        (f"= {other!r:.20}", lambda other=other: other)  # type: ignore[misc]
        for other in (None, True, 5, -1.5, "text", [], [1], {}, {"a": 1}, *TOKENS)
    ]
    if isinstance(value, bool):
        ways += [("flipped", lambda: not value)] * 5
    elif isinstance(value, int | float):
        moved = [value * 1.5 + 0.25, -value - 1, value + 1, 1e308, -1e308, 5e-324, 2**60, math.nextafter(value, 9e9)]
        ways += [("moved", lambda other=other: other) for other in moved] * 2
    elif isinstance(value, str):
        ways += [("spelt", lambda other=other: other) for other in ("", value + " ", "\x1b[2J", "[/b]", "\u202e")]  # type: ignore[misc]
    elif isinstance(value, list):
        ways += [
            ("reversed", lambda: value[::-1]),
            ("longer", lambda: [*value, *value[:1]]),
            ("cut", lambda: value[1:]),
        ]
    elif isinstance(value, dict):
        ways += [("cut", lambda: dict(list(value.items())[1:])), ("longer", lambda: {**value, "more": 1})]
    if isinstance(key, str):
        ways += [("gone", lambda: None), ("twice", lambda: value), ("renamed", lambda: value)]
    told, made = rng.choice(ways)
    holder[key] = made()
    if told in ("gone", "renamed"):
        del holder[key]
    if told == "renamed":
        holder[f"{key}s"] = value
    return told


# -- what must follow ------------------------------------------------------------------------------------------------


def loose(schema: Any) -> Any:  # noqa: ANN401
    """The schema without what readers do not hold to: further keys, keys that earlier versions did not write."""
    if isinstance(schema, Mapping):
        out = {key: loose(part) for key, part in schema.items() if key not in ("required", "additionalProperties")}
        if isinstance(schema.get("additionalProperties"), Mapping):
            out["additionalProperties"] = loose(schema["additionalProperties"])
        return out
    return [loose(part) for part in schema] if isinstance(schema, list) else schema


#: Types and ranges that a reader must insist on, whether it verifies or not. The id is what verifying is about.
LOOSE = loose(SCHEMAS["model"])
LOOSE["properties"] = {key: part for key, part in LOOSE["properties"].items() if key != "id"}
LOOSE["properties"]["provenance"]["properties"]["files"]["items"]["properties"]["sha256"] = {"type": "string"}


def link_by_hand(document: Document, row: Mapping[str, str]) -> float:
    """The linear predictor of a row, from the document alone."""
    features = {feature["column"]: feature for feature in document["features"]}
    total = document["intercept"]
    for term in document["terms"]:
        value = float(term["estimate"])
        for factor in term["factors"]:
            value *= _factor(factor, features[factor["column"]], row[factor["column"]])
        total += value
    if document["offset"] is not None:
        total += float(row[document["offset"]])
    return total + (math.log(float(row[document["exposure"]])) if document.get("exposure") is not None else 0.0)


def _factor(factor: Mapping[str, Any], feature: Mapping[str, Any], cell: str) -> float:
    gone = cell in ("", "NA")
    if factor["kind"] == "missing":
        return float(gone)
    if factor["kind"] == "level":
        return float(feature["fill"][factor["level"]]) if gone else float(cell.lower() == factor["level"].lower())
    return float(feature["fill"] if gone else cell) ** factor["power"]
