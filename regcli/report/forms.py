"""What documents are called and which formats each kind has."""

from collections.abc import Mapping
from typing import Any

__all__ = ["FORMS", "INTERCEPT", "SCORER", "Document", "kind_of"]

Document = Mapping[str, Any]

#: What has a language of its own, whatever the file is called.
SCORER = ("scorer",)

#: The formats each kind of output has. The first is what a command falls back to where it has no JSON.
FORMS: Mapping[str, tuple[str, ...]] = {
    "fit": ("table", "json", "csv", "md", "names"),
    "cv": ("table", "json", "jsonl", "csv", "md", "names"),
    "path": ("table", "json", "jsonl", "csv", "md", "names"),
    "predict": ("csv", "jsonl", "json"),
    "check": ("table", "json", "csv", "md"),
    "checks": ("table", "json", "jsonl", "csv", "md"),
    "diff": ("table", "json", "csv", "md"),
    "inspect": ("table", "json", "csv", "md"),
    "model": ("table", "json", "csv", "md", "names"),
    "metrics": ("table", "json", "csv", "md"),
    "error": ("table", "json"),
    "config": ("table", "json"),
    "plan": ("table", "json"),
    "scorer": ("json",),
    "equation": ("table",),
    "export": SCORER,
    "schema": ("json",),
    "man": ("text",),
}

#: The intercept's row in tables of coefficients.
INTERCEPT = "(intercept)"


def kind_of(document: Document) -> str:
    """The kind of a document: ``fit`` for ``regcli.fit/1``."""
    return str(document["schema"]).removeprefix("regcli.").partition("/")[0]
