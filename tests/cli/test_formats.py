"""Documents as text."""

import csv
import io
import json
import math

import numpy as np
import pytest

from regcli.errors import UsageError
from regcli.report.escape import visible
from regcli.report.formats import encode, encode_line, md_table, render
from regcli.report.rows import rows_text
from tests.cli.documents import HOSTILE, cv_document, fit_document, path_document


def text(document: dict[str, object], form: str) -> str:
    return render(document, form, width=None, color=False)


@pytest.mark.parametrize("document", [fit_document(HOSTILE), cv_document(HOSTILE), path_document()])
def test_json_reads_back_in_the_same_order(document: dict[str, object]) -> None:
    out = text(document, "json")
    assert json.loads(out) == document
    assert list(json.loads(out)) == list(document)
    assert out.endswith("}\n")
    assert not any(ord(char) < 0x20 and char != "\n" for char in out)
    assert "\u202e" not in out


def test_json_layout() -> None:
    value = {"a": [1, 2.5, None, True], "b": [], "c": {}, "d": [[1], [2]], "e": [{"f": "ü"}], "g": {"h": ["x"]}}
    assert encode(value) == (
        '{\n  "a": [1, 2.5, null, true],\n  "b": [],\n  "c": {},\n  "d": [\n    [1],\n    [2]\n  ],\n'
        '  "e": [\n    {\n      "f": "ü"\n    }\n  ],\n  "g": {\n    "h": ["x"]\n  }\n}'
    )


def test_json_has_no_nan_and_numbers_round_trip() -> None:
    numbers = [0.1, 1e300, 5e-324, -0.0, 1 / 3, 1e22, 123456789.123456789]
    assert [json.loads(encode_line(n)) for n in numbers] == numbers
    assert encode([math.nan, math.inf, -math.inf, 1.0]) == "[null, null, null, 1.0]"


def test_json_is_text_even_of_names_that_are_not() -> None:
    out = encode({"path": "caf\udce9.csv"})
    out.encode("utf-8")
    assert json.loads(out) == {"path": "caf\udce9.csv"}


def test_csv_of_fit_is_the_coefficient_table_with_cells_as_they_are() -> None:
    document = fit_document(HOSTILE)
    rows = list(csv.reader(io.StringIO(text(document, "csv"), newline="")))
    assert rows[0] == ["term", "estimate", "std_estimate"]
    assert rows[1] == ["(intercept)", "2.25", ""]
    assert tuple(row[0] for row in rows[2:]) == HOSTILE
    assert [float(row[1]) for row in rows[2:]] == [c["estimate"] for c in document["coefficients"]]


def test_csv_of_path_is_long_and_of_cv_the_curve() -> None:
    rows = text(path_document(), "csv").splitlines()
    assert rows[:4] == ["lambda,term,estimate", "1.0,(intercept),2.0", "1.0,age,0.0", "1.0,bmi,0.0"]
    assert len(rows) == 1 + 4 * 3
    assert text(cv_document(), "csv") == "lambda,mean,se,n_nonzero\n1.0,2.0,0.5,0\n0.1,1.5,0.25,2\n0.01,,0.125,3\n"


def test_md_flushes_right_what_has_numbers_whatever_it_is_called() -> None:
    lines = md_table(("term", "x", "y"), iter([(1.5, "a", None), (None, None, 2)])).splitlines()
    assert lines == ["| term | x | y |", "| ---: | --- | ---: |", "| 1.5 | `a` |  |", "|  |  | 2 |"]


def test_md_shows_names_as_they_are() -> None:
    lines = text(fit_document(HOSTILE), "md").splitlines()
    assert lines[:3] == ["| term | estimate | std_estimate |", "| --- | ---: | ---: |", "| (intercept) | 2.25 |  |"]
    assert lines[3].startswith("| `[/b]` | 0.5 | 1.0 |")
    assert lines[8].startswith("| ``a\\|b`c`` |")
    assert lines[10].startswith("| `new\\x0aline` |")
    assert len(lines) == 3 + len(HOSTILE)


def test_names_are_one_a_line() -> None:
    assert text(fit_document(), "names") == "age\nbmi\n"
    assert text(path_document(), "names") == "age\nbmi\n"
    assert text(fit_document(()), "names") == ""
    assert len(text(fit_document(HOSTILE), "names").splitlines()) == len(HOSTILE)


def test_jsonl_has_a_line_per_strength() -> None:
    path = [json.loads(line) for line in text(path_document(), "jsonl").splitlines()]
    assert [line["lambda"] for line in path] == [1.0, 0.5, 0.25, 0.125]
    assert [line["n_nonzero"] for line in path] == [len(line["coefficients"]) for line in path]
    assert path[1]["coefficients"] == [{"term": "age", "estimate": 0.5}]
    cv = [json.loads(line) for line in text(cv_document(), "jsonl").splitlines()]
    assert cv[1] == {"lambda": 0.1, "mean": 1.5, "se": 0.25, "n_nonzero": 2, "fold_scores": [1.0, 1.75]}


def test_fit_has_no_jsonl() -> None:
    with pytest.raises(UsageError) as caught:
        text(fit_document(), "jsonl")
    assert caught.value.code == "option-without-effect"


def test_rows_stream_batch_by_batch() -> None:
    def batches() -> object:
        yield [["a"], [0.1]]
        raise AssertionError

    pieces = rows_text(("id", "prediction"), batches(), "csv")  # type: ignore[arg-type]
    assert next(pieces) == "id,prediction\n"
    assert next(pieces) == "a,0.1\n"


def test_lines_stream_batch_by_batch() -> None:
    pieces = list(rows_text(("x",), [[[1.0, None]], [[]], [["a"]]], "jsonl"))
    assert pieces == ['{"x": 1.0}\n{"x": null}\n', "", '{"x": "a"}\n']
    out = "".join(rows_text(("x",), [[[]], [[1.0, 2.0]], [[3.0]], [[]]], "json"))
    assert out == '[\n  {"x": 1.0},\n  {"x": 2.0},\n  {"x": 3.0}\n]\n'


@pytest.mark.parametrize("count", [0, 1, 3])
def test_rows_as_json_are_one_array(count: int) -> None:
    out = "".join(rows_text(("x",), [[[float(i)]] for i in range(count)], "json"))
    assert json.loads(out) == [{"x": float(i)} for i in range(count)]
    assert out.endswith("]\n")


def test_visible_changes_only_what_a_terminal_acts_on() -> None:
    assert visible("naïve 名前 [red]x 👩\u200d🔬") == "naïve 名前 [red]x 👩\u200d🔬"
    assert visible("\x1b[2J\x9b\u202e\n\udce9") == "\\x1b[2J\\x9b\\u202e\\x0a\\udce9"


@pytest.mark.parametrize("odd", ["a,b", 'a"b', "a\nb", "a\rb", "", " a ", "\u2028", "=1", None, 2.5])
def test_cells_that_need_no_quotes_are_written_as_the_writer_of_csv_writes_them(odd: str | float | None) -> None:
    numbers = np.array([0.1, -3.0, 1e300])
    for column in (["x", "y", "z"], ["x", odd, "z"]):
        told = "".join(rows_text(("id", "p"), [[column, numbers]], "csv"))
        right = io.StringIO()
        csv.writer(right, lineterminator="\r\n").writerows([("id", "p"), *zip(column, numbers.tolist(), strict=True)])
        assert told.splitlines() == right.getvalue().replace("\r\n", "\n").splitlines()
