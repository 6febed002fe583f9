"""Whatever the bytes and the words: an exit status with a meaning, and nothing on standard output beside an error."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from regcli.app.options import CvRequest, FitRequest, PathRequest
from regcli.cli.options import Choice, declared, groups
from regcli.report.schemas import SCHEMAS
from tests.fuzz.tool import Outcome, run_tool

often = settings(derandomize=True, deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])

#: Pieces of which tables are made, and things that look like tables.
PIECES = (
    "a", "b", "y", "1", "0", "2.5", "-3", "inf", "nan", "NA", "1e400", "1e300", "1e-320", "true", "False", ",", ",",
    ",", ";", "\t", "|", "\n", "\n", "\n", "\r\n", "\r", '"', '""', " ", "\0", "\ufeff", "\u00e9", "\u2028", "\x1a",
    "\x0b", "\x85", "[/b]", "=1", "'", "\\",
)  # fmt: skip

#: A table that fits, row by row: half of all files begin with it.
GOOD = "a,b,y\n1,0,1\n2,1,3\n3,0,2.5\n4,1,5\n5,5,4\n"

TABLES = st.one_of(
    st.binary(max_size=120),
    st.lists(st.sampled_from(PIECES), max_size=60).map(lambda pieces: "".join(pieces).encode()),
    st.lists(st.sampled_from(PIECES), max_size=12).map(lambda pieces: (GOOD + "".join(pieces)).encode()),
    st.tuples(st.integers(0, len(GOOD)), st.sampled_from(PIECES)).map(
        lambda at: (GOOD[: at[0]] + at[1] + GOOD[at[0] :]).encode()
    ),
)

READING = (
    (), ("--target", "y", "--lambda", "0.1"), ("--no-header", "--lambda", "0.1"), ("--penalty", "none"),
    ("--missing", "drop", "--missing-target", "drop", "--lambda", "0.1"), ("--family", "binomial", "--lambda", "0.1"),
    ("--family", "gaussian", "--folds", "3", "--n-lambdas", "4"), ("--delimiter", ";", "--decimal", ","),
    ("--encoding", "utf-16"), ("--encoding", "utf-7"), ("--encoding", "latin-1", "--lambda", "1"),
    ("--categorical", "*", "--lambda", "1"), ("--input-format", "tsv"),
    ("--na-values", "1,a", "--missing", "drop", "--missing-target", "drop"),
    ("--missing", "indicator", "--missing-target", "drop", "--poly", "2", "--lambda", "0.1"),
    ("--missing", "median", "--interactions", "*:*", "--rule", "bic", "--n-lambdas", "4"),
    ("--target", "y", "--family", "poisson", "--exposure", "a", "--lambda", "0.1"),
    ("--target", "y", "--order-by", "b", "--folds", "3", "--lambda", "0.1"),
    ("--target", "y", "--group", "b", "--folds", "3", "--n-lambdas", "4", "--missing-target", "drop"),
)  # fmt: skip

VALUES = (
    "", " ", "-1", "0", "1", "2", "3", "0.5", "-0.5", "1e308", "1e-320", "-1e308", "nan", "inf", "-inf", "9" * 20,
    "1e9", "1" + "0" * 400, "a", "b", "c", "y", "w", "*", "?", "[ab]", "a=1", "*=0", "c=u=0", "a=-inf", "b=inf", "=",
    "=1", "a=", ",", "0,1", "1,0.1,0", "@nowhere", "u", "v=2", "balanced", "min", "1se", "l2", "none", "elasticnet",
    "gaussian", "binomial", "poisson", "group", "time", "loo", "aic", "ebic", "mean", "median", "indicator", "c=mean",
    "a=indicator", "a:b", "c:*", "*:*", "c:c", ":", "newton", "moments", "row-space", "cg", "seed < 1", 'coef["a"] > 9',
    "numeric", "glmnet", "all", "kfold", "stratified", "auc", "r2", "rmse", "drop", "error",
    "json", "csv", "names", ";", "\t", ".", "utf-16", "utf-7", "ascii", "zip", "idna", "\U0001f600", "\u202e", "[/b]",
    "x" * 1000, "--", "--json", "-",
)  # fmt: skip

#: These write files, or take long by request.
LEFT_OUT = {"model_out", "data", "test"}


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def check(outcome: Outcome, kind: str, told: object) -> None:
    """A document that is valid, or one error that is not a bug; both where a check of the user's fails."""
    assert outcome.status in {0, 1, 2, 3, 4, 7}, (told, outcome.err)
    if outcome.status < 2:
        jsonschema.validate(json.loads(outcome.out), SCHEMAS[kind])
    else:
        assert outcome.out == ""
    if outcome.status > 0:
        jsonschema.validate(outcome.error, SCHEMAS["error"])


@often
@given(TABLES, st.sampled_from(READING))
def test_any_bytes(content: bytes, words: Sequence[str]) -> None:
    with folder() as place:
        (place / "table.csv").write_bytes(content)
        check(run_tool("fit", place / "table.csv", *words, "--json"), "fit", (content, words))


@often
@given(content=st.binary(max_size=60), at=st.integers(0, 2000), insert=st.booleans())
def test_any_bytes_in_a_parquet_file(parquet: bytes, content: bytes, at: int, *, insert: bool) -> None:
    broken = parquet[:at] + content + parquet[at if insert else at + len(content) :]
    with folder() as place:
        (place / "table.parquet").write_bytes(broken)
        words = ("--target", "y", "--lambda", "0.1", "--json")
        check(run_tool("fit", place / "table.parquet", *words), "fit", (at, content, insert))


@pytest.fixture(scope="module")
def parquet() -> bytes:
    import pyarrow as pa  # noqa: PLC0415  (only here)
    import pyarrow.parquet as pq  # noqa: PLC0415

    columns = {"a": [1.0, 2, 3, 4, 5], "c": list("uvuvu"), "y": [1, 3, 2.5, 5, 4]}
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink)
    content: bytes = sink.getvalue().to_pybytes()
    return content


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A model of a number, a boolean and a category."""
    place = tmp_path_factory.mktemp("model")
    rows = [f"{i * 7 % 11},{('true', 'false')[i % 2]},{'uvw'[i % 3]},{i * 5 % 13 / 2}\n" for i in range(24)]
    (place / "train.csv").write_text("a,b,c,y\n" + "".join(rows))
    words = ("-y", "y", "--penalty", "l2", "--lambda", "0.1", "--model-out", place / "model.json")
    assert run_tool("fit", place / "train.csv", *words).status == 0
    return str(place / "model.json")


SCORED = ("a,b,c\n1,true,u\n", "a,b,c,y\n1,true,u,2\n2,FALSE,v,\n", "c,b,a\n")
HANDLED = (
    (),
    ("--on-bad-row", "null"),
    ("--on-bad-row", "skip", "--unknown-level", "zero"),
    ("--append",),
    ("--no-header",),
)


@often
@given(
    st.sampled_from(SCORED),
    st.one_of(TABLES, st.lists(st.sampled_from(PIECES), max_size=12).map(lambda pieces: "".join(pieces).encode())),
    st.sampled_from(HANDLED),
)
def test_any_bytes_to_score(model: str, begin: str, content: bytes, words: Sequence[str]) -> None:
    with folder() as place:
        (place / "table.csv").write_bytes(begin.encode() + content)
        outcome = run_tool("predict", model, place / "table.csv", *words, "--json")
    assert outcome.status in {0, 2, 3}, (begin, content, words, outcome.err)
    assert (outcome.out == "") == (outcome.status != 0)


@often
@given(st.data())
def test_any_bytes_as_a_model(model: str, data: st.DataObject) -> None:
    content = Path(model).read_bytes()
    at = data.draw(st.integers(0, len(content) - 1))
    other = data.draw(st.sampled_from((b"", b"0", b"-", b"null", b"[]", b"{}", b'"', b"1e999", b"NaN", b"\xff", b"99")))
    until = data.draw(st.integers(at, min(len(content), at + 20)))
    verify = data.draw(st.booleans())
    with folder() as place:
        (place / "model.json").write_bytes(content[:at] + other + content[until:])
        (place / "table.csv").write_text(SCORED[0])
        words = () if verify else ("--no-verify",)
        outcome = run_tool("predict", place / "model.json", place / "table.csv", *words, "--json")
    told = (content[:at][-30:], other, content[until:][:30], outcome.err)
    assert outcome.status in {0, 2, 3, 5}, told
    if verify:  # white space and what no number depends on may change
        assert outcome.status != 3, told


def choices(request: Any) -> list[Choice]:  # noqa: ANN401  (any dataclass of groups)
    return [
        choice
        for group in groups(request)
        for choice in declared(group.kind)
        if choice.name not in LEFT_OUT and choice.flag.names
    ]


COMMANDS = {"fit": choices(FitRequest), "cv": choices(CvRequest), "path": choices(PathRequest)}


@st.composite
def command_lines(draw: st.DrawFn) -> list[str]:
    """A command with one to four options, of which each has any value."""
    command = draw(st.sampled_from(sorted(COMMANDS)))
    words = [command]
    for choice in draw(st.lists(st.sampled_from(COMMANDS[command]), min_size=1, max_size=4)):
        words.append(draw(st.sampled_from(choice.flag.names)))
        if choice.form is not bool:
            words.append(draw(st.sampled_from(VALUES)))
    return words


@settings(parent=often, max_examples=300)
@given(command_lines())
@example(["cv", "--n-lambdas", "9" * 20])
@example(["fit", "--seed", "-1"])
@example(["path", "--family", "gaussian", "--weights", "w", "--nonnegative"])
def test_any_words(words: list[str]) -> None:
    rows = [f"{i * 7 % 11},{i * 3 % 5},{'uvw'[i % 3]},{i % 3},{i * 5 % 13 / 2}\n" for i in range(24)]
    with folder() as place:
        (place / "table.csv").write_text("a,b,c,w,y\n" + "".join(rows))
        outcome = run_tool(words[0], place / "table.csv", *words[1:], "--json")
        assert [path.name for path in place.iterdir()] == ["table.csv"]
    check(outcome, "plan" if "--dry-run" in words else words[0], words)
