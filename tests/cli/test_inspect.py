"""What inspect says of tables that hold what it looks for, as a document and as a table."""

import csv
import io
import json
import random
import re
import statistics
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import jsonschema
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from regcli.report.escape import visible
from regcli.report.formats import render
from regcli.report.schemas import SCHEMAS
from regcli.report.tables import table
from tests.cli.conftest import ROOT
from tests.cli.documents import HOSTILE
from tests.cli.test_tables import squeezed
from tests.fuzz.tool import run_tool

pytestmark = pytest.mark.usefixtures("folder")

VISITS = ROOT / "sample_data" / "clinic_visits.csv"


def write(name: str, columns: dict[str, list[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    Path(name).write_text(text.getvalue(), "utf-8")
    return name


def looked(*words: object) -> dict[str, Any]:
    document: dict[str, Any] = run_tool("inspect", *words, "--json").document
    jsonschema.validate(document, SCHEMAS["inspect"])
    return document


def codes(document: dict[str, Any], severity: str = "note") -> dict[str, list[str]]:
    """Columns by code."""
    out: dict[str, list[str]] = {}
    for finding in document["findings"]:
        if finding["severity"] == severity:
            out.setdefault(finding["code"], []).extend(finding["columns"])
    return out


DRAW = random.Random(7)  # noqa: S311  (a test table, no secret)
N = 300
X = [round(DRAW.gauss(0, 1), 4) for _ in range(N)]
WILD: dict[str, list[Any]] = {
    "row": [f"R{at:05d}" for at in range(N)],
    "n": list(range(1, N + 1)),
    "x": X,
    "twice": [2 * x for x in X],
    "near": [round(x + DRAW.gauss(0, 0.02), 5) for x in X],
    "stage": [DRAW.choice("1234") for _ in range(N)],
    "zip": [f"0{DRAW.randrange(1000, 9999)}" for _ in range(N)],
    "when": [f"2026-{1 + at % 12:02d}-{1 + at % 3:02d}" for at in range(N)],
    "day": [f"{1 + at % 28}.{1 + at % 12}.2026" for at in range(N)],
    "stamp": [20260000 + 100 * (1 + at % 12) + 1 + at % 28 for at in range(N)],
    "lab": [-999 if at % 9 == 0 else DRAW.randrange(10, 40) for at in range(N)],
    "same": ["all"] * N,
    "gone": [""] * N,
    "holes": ["" if at % 11 == 0 else DRAW.choice(["u", "v"]) for at in range(N)],
    "mixed": ["?" if at == 41 else DRAW.randrange(100) for at in range(N)],
}
COST = [round(DRAW.gauss(10, 4), 4) for _ in range(N)]
WILD |= {"late": [round(value * 3 + 1 + DRAW.gauss(0, 0.001), 5) for value in COST], "cost": COST}


def test_everything_that_is_there_is_found() -> None:
    document = looked(write("wild.csv", WILD), "--target", "cost")
    assert codes(document, "error") == {
        "probable-identifier": ["row"],
        "undeclared-date": ["when", "day"],
        "text-in-numeric-column": ["mixed"],
        "missing-values": ["holes"],
    }
    assert codes(document, "warning") == {
        "family-guessed": ["cost"],
        "leading-zeros": ["zip"],
        "probable-identifier": ["n"],
        "all-missing-column": ["gone"],
        "constant-column": ["same"],
        "collinear-columns": ["x", "twice"],
    }
    assert codes(document) == {
        "suspected-leak": ["late"],
        "near-collinear": ["x", "near"],
        "date-column": ["stamp"],
        "stand-in-value": ["lab"],
        "integer-levels": ["stage"],
    }
    assert [one["column"] for one in document["identifiers"]] == ["row", "n"]
    assert document["constant"] == ["same"]
    assert document["leaks"][0]["correlation"] > 0.999
    assert document["target"] == {
        "column": "cost", "source": "option", "family": "gaussian", "classes": None, "positive": None,
        "family_source": "guessed", "events_per_term": None,
    }  # fmt: skip


def told(document: dict[str, Any], code: str) -> list[tuple[str, str]]:
    """Messages and hints of the findings of a code."""
    return [(one["message"], one["hint"]) for one in document["findings"] if one["code"] == code]


def test_what_differs_in_every_row_is_no_duplicate() -> None:
    kinds: dict[str, list[Any]] = {
        "first": [f"2026-01-{1 + at:02d}" for at in range(28)],
        "last": [f"2026-03-{1 + at * 5 % 28:02d}" for at in range(28)],
        "again": [f"2026-01-{1 + at:02d}" for at in range(28)],
        "word": [f"w{at * 3 % 28}" for at in range(28)],
        "side": ["no", "yes"] * 14,
        "place": ["away", "here"] * 14,
    }
    document = looked(write("apart.csv", kinds | {"y": COST[:28]}), "-y", "y")
    assert document["duplicate_columns"] == [["first", "again"], ["side", "place"]]
    assert told(document, "duplicate-columns") == [
        ("columns with the same values: first, again", "--drop again"),
        ("columns that say the same under other names: side, place", "--drop place"),
    ]


def test_near_collinear_columns_are_told_beside_the_one_that_stays() -> None:
    draw = random.Random(8)  # noqa: S311
    steps = [[draw.gauss(0, 1)] for _ in range(N)]
    for row in steps:
        for _ in range(24):
            row.append(row[-1] + draw.gauss(0, 0.08))
    chain = {f"c{place}": [row[place] for row in steps] for place in range(25)}
    document = looked(write("chain.csv", chain | {"y": [draw.gauss(0, 1) for _ in range(N)]}), "-y", "y")
    groups = document["collinear"]["groups"]
    assert len(groups) > 1
    for group, (message, hint) in zip(groups, told(document, "near-collinear"), strict=True):
        first, *others = group["columns"]
        sizes = [abs(statistics.correlation(chain[first], chain[name])) for name in others]
        assert group["correlation"] == pytest.approx(min(sizes), rel=1e-9)
        assert f"of {group['correlation']:.6g}" in message
        assert first not in hint.split(",")[0].split()
    copies = {"a": X, "b": [x + 1e-6 * at for at, x in enumerate(X)]}
    message, hint = told(looked(write("copies.csv", copies | {"y": COST}), "-y", "y"), "near-collinear")[0]
    assert message == "columns with a correlation of more than 0.999999: a, b"
    assert hint.startswith("--drop b, ")


def test_multiples_are_told_though_a_third_column_is_near() -> None:
    draw = random.Random(9)  # noqa: S311
    near = [x + draw.gauss(0, 0.02) for x in X]
    file = write("third.csv", {"a": X, "b": near, "lin": [0.3 * x for x in X], "y": COST})
    document = looked(file, "-y", "y")
    assert codes(document, "warning")["collinear-columns"] == ["a", "lin"]
    assert codes(document) == {"near-collinear": ["a", "b"]}
    fitted = json.loads(run_tool("fit", file, "-y", "y", "--family", "gaussian", "-l", "1", "--json").out)
    assert ["a", "lin"] in [one.get("groups", [[]])[0] for one in fitted["warnings"]]


def test_missing_cells_of_a_constant_column_may_tell_the_target() -> None:
    y = [at % 2 for at in range(N)]
    file = write("closed.csv", {"a": X, "reason": ["closed" if one else "" for one in y], "y": y})
    document = looked(file, "-y", "y")
    assert codes(document)["suspected-leak"] == ["reason"]
    assert told(document, "suspected-leak")[0][0].endswith("missing in the rows of one class, and in those alone")
    words = ("-y", "y", "--missing", "indicator", "-l", "0.01", "--json")
    fitted = json.loads(run_tool("fit", file, *words).out)
    assert (fitted["selected"], fitted["dropped"]) == (["reason"], [])
    assert "1 column tells no more than whether a cell is missing: missing(reason)" in [
        one["message"] for one in fitted["warnings"]
    ]


def test_fit_does_not_take_what_differs_in_every_row_for_the_same() -> None:
    n = 30
    kinds: dict[str, list[Any]] = {
        "t": [f"n{at}" for at in range(n)],
        "u": [f"m{at * 7 % n}" for at in range(n)],
        "y": COST[:n],
    }
    words = ("-y", "y", "--family", "gaussian", "-l", "1", "--json")
    fitted = json.loads(run_tool("fit", write("permuted.csv", kinds), *words).out)
    assert [one["code"] for one in fitted["warnings"]] == []


def test_every_hint_is_a_way_out() -> None:
    """With the hints that leave columns out followed, nothing is left to refuse."""
    document = looked(write("wild.csv", WILD), "--target", "cost")
    words: list[str] = []
    for finding in document["findings"]:
        if "--drop" in (finding["hint"] or "") and finding["columns"]:
            words += [
                f"--drop={name}"
                for name in finding["columns"][
                    1 if finding["code"].endswith(("collinear", "collinear-columns")) else 0 :
                ]
            ]
    after = looked("wild.csv", "--target", "cost", "--na-values", '"",NA,-999', "--categorical", "zip", *words)
    assert codes(after, "error") == {"missing-values": ["lab"]}  # -999 now is a missing cell
    assert codes(after) == {"date-column": ["stamp"], "integer-levels": ["stage"]}
    dropped = {column["column"] for column in after["columns"] if column["role"] == "dropped"}
    assert dropped == {word.removeprefix("--drop=") for word in words}


def test_the_facts_are_those_of_the_file() -> None:
    document = looked(VISITS, "-y", "cost")
    rows = list(csv.DictReader(io.StringIO(VISITS.read_text("utf-8"), newline="")))
    data = document["data"]
    assert data["files"] == [{"path": str(VISITS), "sha256": sha256(VISITS.read_bytes()).hexdigest(), "rows": 1200}]
    assert (data["format"], data["delimiter"], data["decimal"], data["encoding"]) == ("csv", ",", ".", "utf-8")
    assert (data["rows"], data["n_columns"], data["duplicate_rows"]) == (1200, 18, 0)
    assert [column["column"] for column in document["columns"]] == list(rows[0])
    for column in document["columns"]:
        cells = [row[column["column"]].replace("NA", "") for row in rows]
        assert column["missing"] == cells.count("")
        assert column["missing_share"] == cells.count("") / 1200
        if column["numbers"] is None:
            assert column["distinct"] == len(set(cells) - {""})
            counts = {item["level"]: item["count"] for item in column["levels"]}
            assert counts == {level: cells.count(level) for level in counts}
            assert len(counts) == min(20, column["distinct"])
        else:
            values = [float(cell) for cell in cells if cell]
            assert (column["numbers"]["min"], column["numbers"]["max"]) == (min(values), max(values))
            assert column["numbers"]["mean"] == pytest.approx(sum(values) / len(values), rel=1e-12)
            assert column["numbers"]["zeros_share"] == values.count(0.0) / len(values)
            assert column["distinct"] == len(set(values))


def test_the_terms_are_those_that_fit_makes() -> None:
    words = ("-y", "cost", "--drop", "visit_id", "--drop", "visit_date")
    seen = looked(VISITS, *words)
    fitted = run_tool("fit", VISITS, *words, "--missing", "mean", "-l", "1", "--json").document
    assert seen["memory"]["terms"] == fitted["n_terms"]
    assert seen["memory"]["matrix_bytes"] == 8 * fitted["n_terms"] * fitted["data"]["rows_used"]
    assert sum(column["role"] == "feature" for column in seen["columns"]) == fitted["n_features"]


@pytest.mark.parametrize("name", ["breast_cancer.csv", "breast_cancer.parquet"])
def test_classes_are_counted_and_the_event_is_fits(name: str) -> None:
    document = looked(ROOT / "sample_data" / name)
    assert document["target"] == {
        "column": "diagnosis",
        "source": "last-column",
        "family": "binomial",
        "classes": [{"level": "benign", "count": 357}, {"level": "malignant", "count": 212}],
        "positive": "malignant",
        "family_source": "guessed",
        "events_per_term": 212 / document["memory"]["terms"],
    }
    assert codes(document, "warning") == {"target-guessed": ["diagnosis"], "family-guessed": ["diagnosis"]}
    (group,) = (one for one in document["collinear"]["groups"] if "mean_radius" in one["columns"])
    assert "mean_perimeter" in group["columns"]
    assert document["data"]["format"] == name.partition(".")[2]
    assert (document["data"]["delimiter"] is None) == name.endswith("parquet")


def test_repeated_rows_are_found_where_they_are_no_chance() -> None:
    columns = {"x": [*X, X[5], X[6]], "y": [*range(N), 5, 6]}
    document = looked(write("t.csv", columns), "--target", "y")
    assert document["data"]["duplicate_rows"] == 2
    (finding,) = (finding for finding in document["findings"] if finding["code"] == "duplicate-rows")
    assert finding["message"] == "2 rows repeat earlier ones: line 302 repeats line 7"
    few = looked(write("t.csv", {"a": ["u", "v"] * 50, "y": [1, 2, 3, 4] * 25}), "--target", "y")
    assert few["data"]["duplicate_rows"] == 96
    assert "duplicate-rows" not in codes(few)


def test_text_that_may_mean_missing_is_told() -> None:
    marks = ["low", "N/A", "high", "-", "low"]
    write(
        "t.csv",
        {"grade": [marks[at % 5] for at in range(N)], "part": ["none", "some"] * (N // 2), "x": X, "y": X[::-1]},
    )
    found = [one for one in looked("t.csv", "--target", "y")["findings"] if one["code"] == "stand-in-value"]
    assert [(one["columns"], one["cells"]) for one in found] == [(["grade"], ["-"]), (["grade"], ["N/A"])]
    assert found[1]["hint"] == """--na-values '"",NA,NaN,nan,null,N/A'"""
    assert "stand-in-value" not in codes(looked("t.csv", "--target", "y", "--na-values", '"",N/A,-'))


def test_integers_that_are_rounded_are_told() -> None:
    """Of the account numbers, two of which may be one double, none is changed where it is carried along."""
    ids = [str(2**53 + 1 + 2 * (at * 37 % N)) for at in range(N)]
    write("t.csv", {"account": ids, "x": X, "y": X[::-1]})
    (finding,) = (one for one in looked("t.csv", "--target", "y")["findings"] if one["code"] == "rounded-integers")
    assert finding["columns"] == ["account"]
    assert "--id or --categorical" in finding["hint"]
    assert "rounded-integers" not in codes(looked("t.csv", "--target", "y", "--drop", "account"))
    words = ("--target", "y", "--family", "gaussian", "--id", "account", "-l", "1", "-m", "m.json")
    assert run_tool("fit", "t.csv", *words).status == 0
    scores = run_tool("predict", "m.json", "t.csv").out.splitlines()
    assert [line.split(",")[0] for line in scores[1:]] == ids


def test_the_way_out_of_dates_works() -> None:
    write("t.csv", {"day": [f"2.{1 + at % 12}.26" for at in range(N)], "stamp": WILD["stamp"], "y": X})
    text, integers = (one for one in looked("t.csv", "--target", "y")["findings"] if one["code"] == "date-column")
    assert (text["columns"], text["hint"]) == (["day"], "--drop day, or spell them so, for --date")
    assert (integers["columns"], integers["hint"]) == (["stamp"], "--date stamp")
    words = ("--target", "y", "--family", "gaussian", "--drop", "day", "--date", "stamp", "-l", "0")
    fitted = run_tool("fit", "t.csv", *words, "--json").document
    assert {"month(stamp)=2", "days(stamp)"} <= {row["term"] for row in fitted["coefficients"]}


def test_a_first_line_that_is_a_row_is_suspected() -> None:
    Path("t.csv").write_text("1.5,2,3\n2.5,3,1\n3.5,1,2\n", "utf-8")
    (finding,) = (one for one in looked("t.csv")["findings"] if one["code"] == "numeric-header")
    assert finding["hint"] == "--no-header"
    assert "numeric-header" not in codes(looked("t.csv", "--no-header", "--drop", "c1"))


def test_nothing_is_refused_but_what_cannot_be_read_or_found() -> None:
    bad = write("t.csv", {"a": ["inf", "1", "2"], "b": ["1", "x", "2"], "y": [5, 5, 5]})
    seen = run_tool("inspect", bad)
    assert (seen.status, seen.err) == (0, "")
    assert set(codes(seen.document, "error")) == {"infinite-value", "text-in-numeric-column", "constant-target"}
    strict = run_tool("inspect", bad, "--strict")
    assert (strict.status, strict.out) == (3, "")
    assert strict.err.startswith("error[infinite-value]: ")
    assert "there are 2 more findings like this" in strict.err
    for words, status in (
        (("none.csv",), 3),
        ((bad, "--target", "nothing"), 3),
        ((bad, "--drop", "q*"), 3),
        ((bad, "--categorical", "a", "--drop", "a"), 2),
        ((bad, "-f", "names"), 2),
        ((bad, "--penalty", "l1"), 2),
        ((bad, bad, "-o", "no/where.json"), 6),
    ):
        assert run_tool("inspect", *words).status == status, words
    assert run_tool("inspect", write("two.csv", {"y": [2, 3, 2, 3], "x": [1, 2, 3, 4]}), "--strict").status == 2


def test_a_cell_of_a_megabyte_is_not_repeated_whole() -> None:
    write("t.csv", {"a": [f"{at} {'long ' * 4000}" for at in range(60)], "y": X[:60]})
    seen = run_tool("inspect", "t.csv", "-y", "y", "--json")
    assert codes(seen.document, "error") == {"probable-identifier": ["a"]}
    assert len(seen.out) < 20_000


def test_guesses_alone_do_not_stop_a_strict_look() -> None:
    good = write("t.csv", {"x": X, "y": [x + 1 for x in reversed(X)]})
    assert run_tool("inspect", good, "--strict").status == 0
    assert run_tool("fit", good, "--strict", "-l", "1").status == 2


def test_several_files_and_standard_input_are_looked_at_as_one_table() -> None:
    text = VISITS.read_text("utf-8").splitlines(keepends=True)
    Path("a.csv").write_text("".join(text[:500]), "utf-8")
    Path("b.csv").write_text(text[0] + "".join(text[500:]), "utf-8")
    parts, whole = looked("a.csv", "b.csv"), run_tool("inspect", "-", stdin=VISITS.read_bytes()).document
    assert parts["columns"] == whole["columns"]
    assert [file["rows"] for file in parts["data"]["files"]] == [499, 701]
    assert whole["data"]["files"][0]["path"] == "-"


def test_the_same_bytes_every_time() -> None:
    write("wild.csv", WILD)
    assert len({run_tool("inspect", "wild.csv", "-f", form).out for form in ["json"] * 3}) == 1


def test_csv_is_a_row_for_each_column() -> None:
    out = run_tool("inspect", write("wild.csv", WILD), "-f", "csv").out
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["column"] for row in rows] == list(WILD)
    found = {row["column"]: row for row in rows}
    assert (found["zip"]["leading_zeros"], found["x"]["leading_zeros"]) == ("true", "false")
    assert found["gone"]["findings"] == "all-missing-column"
    assert float(found["x"]["max"]) == max(X)
    lines = run_tool("inspect", "wild.csv", "-f", "md").out.splitlines()
    assert len(lines) == 2 + len(WILD)
    assert lines[0].startswith("| column | type | role |")


# -- tables ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [80, 200, None])
def test_tables_of_hostile_names_fit_and_are_shown_as_they_are(width: int | None) -> None:
    columns: dict[str, list[Any]] = {name: [*X[:19], ""] for name in HOSTILE}
    columns["level\x1b[31m"] = ["[red]a[/red]", "b\u202ex"] * 10
    columns["\u2066"] = ["c\nd", "e"] * 10
    columns["x\nerror[y]: z"] = [1, "inf", *X[:18]]
    document = looked(write("t.csv", {**columns, "y": X[20:40]}), "--target", "y")
    out = table(document, width=width)
    assert "\x1b" not in out
    assert "\u202e" not in out
    for name in (*columns, "[red]a[/red]", "b\u202ex", "c\nd"):
        assert squeezed(visible(name)) in squeezed(out)
    assert not re.search(r"^error\[y\]", out, re.MULTILINE)  # a name makes no line of its own
    assert width is None or max(map(len, out.splitlines())) <= width


@pytest.mark.parametrize("width", [80, 200])
def test_of_thousands_of_columns_those_with_findings_are_listed(width: int) -> None:
    columns: dict[str, list[Any]] = {f"g{j}": [DRAW.gauss(0, 1) for _ in range(12)] for j in range(600)}
    columns |= {f"bad{j}": ["inf", *range(11)] for j in range(60)} | {"flat": [1] * 12, "y": list(range(12))}
    document = looked(write("t.csv", columns), "--target", "y")
    out = table(document, width=width)
    assert max(map(len, out.splitlines())) <= width
    assert len(out.splitlines()) < 100
    assert re.search(r"^! +bad0 ", out, re.MULTILINE)
    assert not re.search(r"\bg5\b", out)
    assert "622 further columns are not listed (" in " ".join(out.split())
    assert "22 of them have findings" in " ".join(out.split())
    assert "55 more infinite-value" in " ".join(out.split())
    every = looked("t.csv", "--target", "y", "--all-columns")
    listed = table(every, width=width)
    assert all(re.search(rf"\b{name}\b", listed) for name in ("g0", "g599", "bad59", "flat"))


def test_a_clean_table_says_so() -> None:
    document = looked(write("t.csv", {"x": X, "y": [x + 1 for x in reversed(X)]}), "--target", "y")
    document["findings"] = []
    assert "nothing was found that stands in the way of a fit" in table(document, width=80)


def test_a_shown_inspection_is_the_same_table(regcli: Callable[..., Any]) -> None:
    write("wild.csv", WILD)
    assert regcli("inspect", "wild.csv", "-o", "seen.json").returncode == 0
    shown, direct = regcli("show", "seen.json", "-f", "table"), regcli("inspect", "wild.csv", "-f", "table")
    assert (shown.stdout, shown.returncode) == (direct.stdout, 0)
    document = json.loads(Path("seen.json").read_text("utf-8"))
    assert render(document, "table", width=None, color=False) == direct.stdout


def test_parquet_types_that_cannot_be_used_are_findings() -> None:
    rows = pa.table({"l": [[1], [2], [3]], "x": [1.5, 2.5, 3.0], "y": [1.0, 2.0, 5.0]})
    pq.write_table(rows, "t.parquet")
    document = looked("t.parquet")
    assert codes(document, "error") == {"unsupported-type": ["l"]}
    assert document["columns"][0]["type"] == "unsupported"
