"""JUnit XML: a test case for each check, as the readers of build servers take it."""

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from regcli.report.cases import Case, Outcome, title
from regcli.report.escape import visible_xml

__all__ = ["junit_xml"]


def junit_xml(command: str, outcomes: Sequence[Outcome]) -> str:
    """A test suite for each outcome; a check that does not hold is a failure, and so is an error.

    No times: the same result is the same file.
    """
    root = ET.Element("testsuites", {"name": command, **_counts([case for one in outcomes for case in one.judged])})
    for outcome in outcomes:
        counts = {**_counts(outcome.judged), "skipped": "0", "time": "0"}
        suite = ET.SubElement(root, "testsuite", {"name": visible_xml(title(outcome)), **counts})
        if outcome.document is not None:
            facts = ET.SubElement(suite, "properties")
            for name in ("schema", "regcli"):
                ET.SubElement(facts, "property", {"name": name, "value": visible_xml(str(outcome.document[name]))})
        for number, case in enumerate(outcome.judged):
            place = {"name": visible_xml(case.name), "classname": _class(outcome), "time": "0"}
            entry = ET.SubElement(suite, "testcase", place)
            if not case.passed:
                error = outcome.error if number == 0 else None
                kind, lines = ("check-failed", (case.told,)) if error is None else (error.code, error.lines)
                failure = ET.SubElement(entry, "failure", {"type": kind, "message": visible_xml(lines[0])})
                failure.text = "\n".join(map(visible_xml, lines))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _counts(cases: Sequence[Case]) -> dict[str, str]:
    failed = sum(not case.passed for case in cases)
    return {"tests": str(len(cases)), "failures": str(failed), "errors": "0"}


def _class(outcome: Outcome) -> str:
    """What groups cases, as readers show them: parts with dots between."""
    named = outcome.command.replace(" ", ".")
    return f"{named}.{visible_xml(outcome.name).replace('.', '_')}" if outcome.name else named
