"""JSON Schema (2020-12) of the documents regcli writes.

Every key is required and no other is allowed; null stands where the contract says "does not apply". An additive change
of a document changes its schema here and keeps its number.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from regcli.errors import CODES, NOTE_CODES, WARNING_CODES, UsageError
from regcli.report.schemas.fits import CV, FIT, PATH, PLANNED
from regcli.report.schemas.models import EXPORTED, STORED
from regcli.report.schemas.parts import Schema, document
from regcli.report.schemas.runs import CONFIGURED, DIFF, ERROR
from regcli.report.schemas.tables import CHECK, CHECKS_OF, INSPECT, SCORED

__all__ = ["NAMES", "SCHEMAS", "codes", "schema_document"]

#: Schemas by short name.
SCHEMAS: Mapping[str, Schema] = {
    "fit": document("fit", FIT),
    "path": document("path", PATH),
    "cv": document("cv", CV),
    "model": document("model", STORED),
    "scorer": document("scorer", EXPORTED),
    "metrics": document("metrics", SCORED),
    "check": document("check", CHECK),
    "checks": document("checks", CHECKS_OF),
    "diff": document("diff", DIFF),
    "inspect": document("inspect", INSPECT),
    "config": document("config", CONFIGURED),
    "plan": document("plan", PLANNED),
    "error": document("error", ERROR),
}

#: What ``regcli schema`` prints by name.
NAMES = (*SCHEMAS, "codes")


def schema_document(name: str) -> Schema | list[dict[str, Any]]:
    """The schema of a document by its short name, or for ``codes`` the list of codes.

    Raises
    ------
    UsageError
        There is no schema of this name.
    """
    if name == "codes":
        return codes()
    if name in SCHEMAS:
        return SCHEMAS[name]
    near = get_close_matches(name, NAMES, n=2)
    raise UsageError("unknown-schema", f"no schema {name!r}", near=near, hint=f"one of {', '.join(NAMES)}")


def codes() -> list[dict[str, Any]]:
    """Every code: its kind, its exit status (of a warning under --strict, of a note of inspect's none), its meaning."""
    both = (("error", CODES), ("warning", WARNING_CODES))
    stopping = [
        {"kind": kind, "code": code, "exit_code": status, "meaning": meaning}
        for kind, table in both
        for code, (status, meaning) in table.items()
    ]
    notes = [
        {"kind": "note", "code": code, "exit_code": None, "meaning": meaning} for code, meaning in NOTE_CODES.items()
    ]
    return stopping + notes
