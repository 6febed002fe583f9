"""What ``inspect`` found, as the document ``regcli.inspect/1``."""

from collections.abc import Mapping
from typing import Any

from regcli import __version__
from regcli.data.alike import NEARLY, SEED
from regcli.data.facts import ColumnProfile, DateFacts, Finding, Inspection, NumberFacts, TargetFacts, WordFacts
from regcli.data.stored import matrix_bytes
from regcli.results import figure

__all__ = ["inspect_document"]

Document = dict[str, Any]

#: How the memory of a fit is estimated where its matrix has all cells, and where it leaves zeros out.
_DENSE = "8 bytes x rows with a target x terms"
_SPARSE = "12 bytes x cells that are not zero + 4 x terms"


def inspect_document(inspection: Inspection) -> Document:
    """The document ``regcli.inspect/1``."""
    table = inspection.table
    codes: dict[str, list[str]] = {}
    for finding in inspection.findings:
        for name in finding.columns:
            codes.setdefault(name, []).append(finding.code)
    return {
        "schema": "regcli.inspect/1",
        "regcli": __version__,
        "data": _data(inspection),
        "target": _target(inspection),
        "columns": [_column(profile, table.rows, codes) for profile in inspection.columns],
        "duplicate_columns": [list(group) for group in inspection.duplicate_columns],
        "collinear": {
            "groups": [
                {"columns": list(group.columns), "correlation": group.correlation} for group in inspection.collinear
            ],
            "threshold": NEARLY,
            "rows": table.sampled,
            "seed": SEED,
        },
        "constant": [profile.name for profile in inspection.columns if profile.type == "constant"],
        "identifiers": [{"column": one.column, "reason": ", and ".join(one.reasons)} for one in inspection.identifiers],
        "leaks": [
            {"column": leak.column, "reason": leak.reason, "correlation": leak.correlation} for leak in inspection.leaks
        ],
        "memory": {
            "rows": table.matrix_rows,
            "terms": table.matrix_terms,
            "matrix_bytes": matrix_bytes((table.matrix_rows, table.matrix_terms), table.matrix_cells),
            "table_bytes": table.table_bytes,
            "formula": _DENSE if table.matrix_cells is None else _SPARSE,
        },
        "findings": [_finding(finding) for finding in inspection.findings],
        "options": dict(inspection.options),
    }


def _data(inspection: Inspection) -> Document:
    table = inspection.table
    return {
        "files": [{"path": file.path, "sha256": file.sha256, "rows": file.rows} for file in table.files],
        "format": table.format,
        "delimiter": table.delimiter,
        "decimal": table.decimal,
        "encoding": table.encoding,
        "header": table.header,
        "rows": table.rows,
        "n_columns": len(inspection.columns),
        "duplicate_rows": table.duplicate_rows,
    }


def _target(inspection: Inspection) -> Document | None:
    target = inspection.target
    if target is None:
        return None
    classes = target.classes
    return {
        "column": target.column,
        "source": target.source,
        "family": target.family,
        "classes": None if classes is None else [{"level": level, "count": count} for level, count in classes],
        "positive": target.positive,
        "family_source": target.family_source,
        "events_per_term": _events_per_term(inspection, target),
    }


def _events_per_term(inspection: Inspection, target: TargetFacts) -> float | None:
    """Rows of the rarer of two classes for each term: what a model of classes has to learn from."""
    terms = inspection.table.matrix_terms
    if target.positive is None or not target.classes or not terms:
        return None
    return min(count for _, count in target.classes) / terms


def _column(profile: ColumnProfile, rows: int, codes: Mapping[str, list[str]]) -> Document:
    return {
        "column": profile.name,
        "type": profile.type,
        "role": profile.role,
        "n_terms": profile.n_terms,
        "missing": profile.missing,
        "missing_share": profile.missing / rows,
        "distinct": profile.distinct,
        "levels": [{"level": level, "count": count} for level, count in profile.levels],
        "numbers": None if profile.numbers is None else _numbers(profile.numbers, rows - profile.missing),
        "leading_zeros": profile.leading_zeros,
        "examples": list(profile.examples),
        "dates": None if profile.dates is None else _dates(profile.dates),
        "words": None if profile.words is None else _words(profile.words),
        "order": None if profile.order is None else list(profile.order),
        "findings": list(dict.fromkeys(codes.get(profile.name, ()))),
    }


def _dates(facts: DateFacts) -> Document:
    return {"first": facts.first, "last": facts.last, "unreadable": facts.unreadable}


def _words(facts: WordFacts) -> Document:
    return {
        "distinct": facts.distinct,
        "kept": facts.kept,
        "wordless_rows": facts.wordless,
        "frequent": [{"word": word, "rows": rows} for word, rows in facts.frequent],
    }


def _numbers(facts: NumberFacts, filled: int) -> Document:
    return {
        "min": figure(facts.least),
        "q1": figure(facts.q1),
        "median": figure(facts.median),
        "q3": figure(facts.q3),
        "max": figure(facts.most),
        "mean": figure(facts.mean),
        "sd": figure(facts.sd),
        "zeros": facts.zeros,
        "zeros_share": facts.zeros / filled,
        "infinite": facts.infinite,
    }


def _finding(finding: Finding) -> Document:
    where = finding.where
    return {
        "code": finding.code,
        "severity": finding.severity,
        "columns": list(finding.columns),
        "message": finding.message,
        "cells": list(finding.cells),
        "location": {"file": where.file, "line": where.line, "row": where.row, "column": where.column},
        "hint": finding.hint,
    }
