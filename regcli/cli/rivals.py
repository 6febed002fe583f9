"""Options that say one thing in two ways: of two that exclude each other the one of the stronger origin counts.

Flags win over environment variables, those over a configuration file, and in the file the command's own table over what
is said for all. Two of one origin are left as they are: the conflict is for whoever reads them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from regcli.cli.origins import Origin

__all__ = ["RIVALS", "Rivals", "Yielded", "outrank"]


def _both(_one: object, _other: object) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Rivals:
    """Two options, by their keys, that cannot both be said where their values ``exclude`` each other."""

    one: str
    other: str
    exclude: Callable[[Any, Any], bool] = _both


#: What a formula says by itself.
_IN_A_FORMULA = ("target", "features", "drop", "interactions", "poly", "spline")

RIVALS: tuple[Rivals, ...] = (
    Rivals("json", "format", lambda _json, form: form not in ("json", "jsonl")),  # JSON Lines: errors are JSON too
    Rivals("no-standardize", "standardize", lambda _none, which: which != "none"),
    Rivals("group", "cv", lambda _column, scheme: scheme != "group"),
    Rivals("test", "test-size"),
    *(Rivals("formula", key) for key in _IN_A_FORMULA),
)


@dataclass(frozen=True, slots=True)
class Yielded:
    """An option that gave way, as it was said, and the one that it gave way to."""

    weaker: Origin
    stronger: Origin


def outrank(origins: Sequence[Origin]) -> tuple[tuple[Origin, ...], tuple[Yielded, ...]]:
    """The origins with those that give way at their defaults, and which gave way to which.

    What has given way takes nothing else with it.
    """
    said = {origin.choice.key: origin for origin in origins if _is_said(origin)}
    yielded: dict[str, Yielded] = {}
    for key in sorted(said, key=lambda key: -_rank(said[key])):
        stronger = _stronger(said[key], {name: said[name] for name in said if name not in yielded})
        if stronger is not None:
            yielded[key] = Yielded(said[key], stronger)
    settled = (_unsaid(origin) if origin.choice.key in yielded else origin for origin in origins)
    return tuple(settled), tuple(yielded.values())


def _is_said(origin: Origin) -> bool:
    """Whether a value says anything: false and empty lists do not."""
    return origin.kind != "default" and origin.value not in (None, False, "", (), [])


def _rank(origin: Origin) -> int:
    """How strong an origin is; of a file, what stands in the command's own table is stronger."""
    return {"file": 0, "variable": 2, "flag": 3}[origin.kind] + (origin.kind == "file" and len(origin.at) > 1)


def _stronger(origin: Origin, said: Mapping[str, Origin]) -> Origin | None:
    """The option of a stronger origin that excludes this one, if there is any."""
    for pair in RIVALS:
        key = origin.choice.key
        if key not in (pair.one, pair.other):
            continue
        rival = said.get(pair.other if key == pair.one else pair.one)
        if rival is None or _rank(rival) <= _rank(origin):
            continue
        one, other = (origin, rival) if key == pair.one else (rival, origin)
        if pair.exclude(one.value, other.value):
            return rival
    return None


def _unsaid(origin: Origin) -> Origin:
    return replace(origin, value=origin.choice.default, kind="default", at=())
