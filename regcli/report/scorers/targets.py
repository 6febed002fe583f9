"""The languages that a scorer can be written in."""

from collections.abc import Callable, Mapping

from regcli.data.rule import Rule
from regcli.report.formats import encode
from regcli.report.scorers.c import c_scorer
from regcli.report.scorers.plain import scorer_document
from regcli.report.scorers.pmml import pmml_scorer
from regcli.report.scorers.python import python_scorer
from regcli.report.scorers.sql import sql_scorer

__all__ = ["scorer_bytes"]


def scorer_bytes(rule: Rule, target: str, *, table: str, ids: tuple[str, ...], outputs: tuple[str, ...]) -> bytes:
    """A scorer as it is written to a file. ``table``, ``ids`` and ``outputs`` are what a database is asked for.

    Raises
    ------
    UsageError
        ``not-installed``: the target needs a package; ``conflicting-options``.
    """
    if target == "onnx":
        from regcli.report.scorers.onnx import onnx_scorer  # noqa: PLC0415  (needs a package that may be absent)

        return onnx_scorer(rule)
    texts: Mapping[str, Callable[[], str]] = {
        "sql": lambda: sql_scorer(rule, table, ids, outputs),
        "python": lambda: python_scorer(rule),
        "c": lambda: c_scorer(rule),
        "pmml": lambda: pmml_scorer(rule),
        "json": lambda: encode(scorer_document(rule)) + "\n",
    }
    return texts[target]().encode()
