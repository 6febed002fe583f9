"""What documents are called, which formats each kind has, and what all of them say alike."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

__all__ = [
    "FORMS",
    "INTERCEPT",
    "PENALTIES",
    "PLAIN_TEXT",
    "SCORER",
    "Document",
    "and_more",
    "as_fit",
    "by_part",
    "choices",
    "companions",
    "kind_of",
    "penalty_words",
    "plan_rows",
    "scorable",
    "sized",
    "used_terms",
]

Document = Mapping[str, Any]

#: What is said of metrics, among them.
_NOT_A_METRIC = "chosen_on_these_folds"

#: What has a language of its own, whatever the file is called.
SCORER = ("scorer",)

#: What is text alone; a file of it may be called .txt, as tables are, or have no suffix of a format.
PLAIN_TEXT = ("text",)

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
    "plan": ("table", "json", "csv", "md"),
    "scorer": ("json",),
    "equation": ("table",),
    "export": SCORER,
    "schema": ("json",),
    "man": PLAIN_TEXT,
}

#: The intercept's row in tables of coefficients.
INTERCEPT = "(intercept)"

#: What penalties are called.
PENALTIES = {"l1": "lasso", "l2": "ridge", "elasticnet": "elastic net", "none": "unpenalised"}

#: Columns beside the target, and what a model is.
_COMPANIONS = ("exposure", "offset", "weights")
_MODEL = ("family", "link", "classes", "positive", "penalty", "l1_ratio", "lambda")


def kind_of(document: Document) -> str:
    """The kind of a document: ``fit`` for ``regcli.fit/1``."""
    return str(document["schema"]).removeprefix("regcli.").partition("/")[0]


def penalty_words(model: Mapping[str, Any], of: str = "") -> str:
    """The penalty of a model; of an elastic net also its share of L1, and ``of`` which ones it was chosen."""
    penalty = PENALTIES.get(model["penalty"], str(model["penalty"]))
    ratio = model["l1_ratio"]
    return penalty if model["penalty"] != "elasticnet" or ratio is None else f"{penalty} (l1_ratio {ratio:.5g}{of})"


def companions(data: Mapping[str, Any]) -> str:
    """Exposure, offset and weights, in brackets; nothing where there are none."""
    parts = [f"{part} {data[part]}" for part in _COMPANIONS if data[part] is not None]
    return f" ({', '.join(parts)})" if parts else ""


def and_more(names: Iterable[str]) -> str:
    """The first of some names, and how many more there are."""
    first, *others = (*names,) or ("",)
    return f"{first} and {len(others)} more" if others else first


def used_terms(document: Document) -> list[dict[str, Any]]:
    """Terms of a model that are not zero."""
    return [entry for entry in document["terms"] if entry["estimate"]]


def _sources(entry: Mapping[str, Any]) -> list[str]:
    """The columns a term is made of."""
    return list(dict.fromkeys(factor["column"] for factor in entry["factors"]))


def as_fit(document: Document) -> Document:
    """A model in the shape of a fit, as far as what it is and its coefficients go; other documents as they are."""
    if kind_of(document) != "model":
        return document
    rows = [
        {
            "term": entry["term"],
            "sources": _sources(entry),
            "output": None,
            "estimate": entry["estimate"],
            "std_estimate": entry["estimate"] * entry["sd"],
            "penalty_factor": entry["penalty_factor"],
        }
        for entry in used_terms(document)
    ]
    used = {name for row in rows for name in row["sources"]}
    columns = dict.fromkeys(feature["column"] for feature in document["features"])  # one may make several features
    return {
        "schema": "regcli.fit/1",
        "data": {"files": document["provenance"]["files"], **{key: document[key] for key in ("target", *_COMPANIONS)}},
        "model": {key: document[key] for key in _MODEL},
        "intercept": document["intercept"],
        "coefficients": rows,
        "selected": [column for column in columns if column in used],
    }


def by_part(metrics: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[tuple[Any, ...], ...]]:
    """The parts that were scored, and a row for each metric: its name, and its value in every part."""
    scored = {part: values for part, values in metrics.items() if values is not None}
    names = dict.fromkeys(name for values in scored.values() for name in values if name != _NOT_A_METRIC)
    return tuple(scored), tuple((name, *(values.get(name) for values in scored.values())) for name in names)


def scorable(document: Document) -> str:
    """How many rows of a check can be scored."""
    bad = document["rows"] - document["rows_scorable"]
    return f"{document['rows']:,} rows, " + (f"{bad:,} of which cannot be scored" if bad else "all can be scored")


def plan_rows(document: Document) -> Iterator[tuple[str, str, str, int | None]]:
    """The columns of a plan: name, part, type, and how many terms a feature makes."""
    for one in document["columns"]:
        yield one["column"], one["role"], one["type"], one["n_terms"] if one["role"] == "feature" else None


def choices(document: Document) -> dict[str, int]:
    """The strengths of a cross-validation that rules would choose, and what a criterion did: their places by name."""
    found = {rule: document[f"index_{rule}"] for rule in ("min", "1se")}
    criterion, lam = document["criterion"], document["model"]["lambda"]
    if criterion is not None and lam in document["lambdas"]:
        found[criterion["name"]] = document["lambdas"].index(lam)
    return {name: at for name, at in found.items() if at is not None}


def sized(count: int) -> str:
    """A size in the unit that fits it."""
    size, units = float(count), iter(("bytes", "kB", "MB", "GB", "TB"))
    unit = next(units)
    while size >= 1000 and unit != "TB":
        size, unit = size / 1000, next(units)
    return f"{size:.0f} {unit}" if size >= 100 or unit == "bytes" else f"{size:.1f} {unit}"
