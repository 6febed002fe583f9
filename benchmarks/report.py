"""Records to Markdown."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks.suite import AGREEMENT, Record

__all__ = ["FLOORS", "about_lines", "markdown", "memory_bound", "table", "times"]

#: How many times faster than the fastest peer regcli is meant to be on one core: on the full path, and stopped.
FLOORS: Mapping[str, tuple[float | None, float | None]] = {
    "tall": (6.0, None),
    "wide": (2.0, 4.0),
    "mid": (1.1, 6.0),
    "tall-enet": (2.0, None),
    "wide-enet": (2.0, None),
    "mid-enet": (2.0, None),
    "tall-shares": (10.0, None),
    "ltall": (4.0, None),
    "lwide": (2.0, None),
    "lsparse": (None, 2.0),
    "tall-ridge": (10.0, None),
    "mid-ridge": (10.0, None),
    "wide-ridge": (10.0, None),
}

_OURS = frozenset({"regcli", "regcli-stopped"})
_MIB = 2.0**20


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; numbers to the right."""
    lines = ["| " + " | ".join(header) + " |", "|" + "|".join(["---"] + ["---:"] * (len(header) - 1)) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def markdown(about: Mapping[str, Any], records: Sequence[Record], absent: Mapping[str, str], limit: float) -> str:
    """The whole page of the solvers' figures."""
    cores = sorted({record.cores for record in records})
    parts = [f"# Solvers alone\n\n{about_lines(about, absent)}\n{_LEGEND.format(limit=limit, agreement=AGREEMENT)}"]
    for count in cores:
        some = [record for record in records if record.cores == count]
        parts.append(f"## {'One core' if count == 1 else f'{count} cores'}\n\n{_summary(some)}")
        parts += [_details(name, [r for r in some if r.case == name], limit) for name in _cases(some)]
    parts.append(f"## Memory\n\n{_MEMORY}\n{_memory(records)}")
    return "\n".join(parts)


_LEGEND = """Arrays in memory to the curve of a cross-validation; the same folds and strengths for everybody; every
run in a process of its own; medians of repeats that take turns. On one core seconds are processor time, on more wall
time. `> {limit:.0f}`: longer than that. The violation is measured by one function for everybody, at all strengths of
all rows and of two training sets; *worst (median)*. *defaults* are every tool's own; for 1e-4 and 1e-6 every tool has
the loosest tolerance of a ladder with a factor of ten that keeps the worst violation below. A time counts if the least
CV mean is within {agreement:g} of that of regcli at 1e-10 on the same standardization; one in parentheses does not.
"""

_MEMORY = """MiB of the process on one core at its defaults: before the data are loaded, with the data, and the most
while it solved; *used* is the last less the first. The rule for regcli: 1.5 X + 32 n L + max(0.5 X, 256 MiB), L lanes.
"""


def about_lines(about: Mapping[str, Any], absent: Mapping[str, str]) -> str:
    """The machine and the versions as a list."""
    lines = [f"* {key}: {value}" for key, value in about.items() if key != "versions"]
    lines += [f"* {name}: {version}" for name, version in about["versions"].items()]
    lines += [f"* {name}: absent ({reason})" for name, reason in absent.items()]
    return "\n".join(lines) + "\n"


def _cases(records: Iterable[Record]) -> list[str]:
    return list(dict.fromkeys(record.case for record in records))


def _find(records: Iterable[Record], case: str, peer: str, accuracy: str) -> Record | None:
    wanted = (case, peer, accuracy)
    return next((r for r in records if (r.case, r.peer, r.accuracy) == wanted), None)


def _accuracies(records: Iterable[Record]) -> list[str]:
    return list(dict.fromkeys(record.accuracy for record in records))


def fastest(records: Iterable[Record], case: str, accuracy: str) -> Record | None:
    """The fastest peer whose time counts."""
    some = [r for r in records if r.case == case and r.accuracy == accuracy and r.peer not in _OURS and r.counts]
    return min(some, key=lambda r: r.seconds, default=None)


def times(records: Sequence[Record], case: str, accuracy: str, peer: str = "regcli") -> float | None:
    """How many times faster than the fastest peer regcli is; None where one of them has no time that counts."""
    ours, best = _find(records, case, peer, accuracy), fastest(records, case, accuracy)
    if ours is None or best is None or not ours.counts:
        return None
    return best.seconds / ours.seconds


def _summary(records: Sequence[Record]) -> str:
    """How many times faster than the fastest peer, by case and accuracy."""
    accuracies = _accuracies(records)
    header = ["case", *(f"{a}: regcli, stopped / fastest peer" for a in accuracies)]
    header += [f"{a}: times, stopped" for a in accuracies] + ["meant to be"]
    rows = []
    for case in _cases(records):
        cells = [case]
        for accuracy in accuracies:
            best = fastest(records, case, accuracy)
            ours = [_find(records, case, peer, accuracy) for peer in ("regcli", "regcli-stopped")]
            spelt = ", ".join(_seconds(record) for record in ours)
            cells.append(f"{spelt} / " + ("none" if best is None else f"{_seconds(best)} {best.peer}"))
        for accuracy in accuracies:
            pair = [times(records, case, accuracy, peer) for peer in ("regcli", "regcli-stopped")]
            cells.append(", ".join("-" if value is None else f"{value:.2f}" for value in pair))
        floor = FLOORS.get(case, (None, None))
        cells.append(", ".join("-" if value is None else f"{value:g}" for value in floor))
        rows.append(cells)
    return table(header, rows)


def _seconds(record: Record | None, limit: float = 0.0) -> str:
    if record is None or record.state == "refused":
        return "-"
    if record.state == "limit":
        return f"> {limit:.0f}" if limit else "> limit"
    if record.state != "ok" or not record.wall:
        return record.state
    text = f"{record.seconds:.3g}" if record.seconds < 100 else f"{record.seconds:.0f}"
    return text if record.counts else f"({text})"


def _violation(record: Record | None) -> str:
    if record is None or record.worst is None or record.median is None:
        return "-"
    return f"{record.worst:.0e} ({record.median:.0e})"


def _details(case: str, records: Sequence[Record], limit: float) -> str:
    """Every peer on one case."""
    accuracies = _accuracies(records)
    header = ["tool"]
    for accuracy in accuracies:
        header += (
            [f"{accuracy}: seconds", "violation", "off"]
            if accuracy == "default"
            else [
                f"{accuracy}: seconds",
                "tol",
                "violation",
            ]
        )
    rows, notes = [], []
    for peer in dict.fromkeys(record.peer for record in records):
        cells = [peer]
        for accuracy in accuracies:
            record = _find(records, case, peer, accuracy)
            cells.append(_seconds(record, limit))
            if accuracy == "default":
                off = record.off if record else None
                cells += [_violation(record), "-" if off is None else f"{off:.0e}"]
            else:
                cells += [f"{record.tol:.0e}" if record and record.tol else "-", _violation(record)]
            if record and record.message and f"{peer}: {record.message}" not in notes:
                notes.append(f"{peer}: {record.message}")
        if any(record.peer == peer and record.state != "refused" for record in records):
            rows.append(cells)
    first = records[0]
    head = f"### {case}: {first.n:,} rows, {first.p:,} columns, {first.folds} folds\n\n"
    return head + table(header, rows) + "".join(f"\n* {note}" for note in notes) + ("\n" if notes else "")


def memory_bound(record: Record) -> float:
    """Bytes that regcli may use: 1.5 X + 32 n L + max(0.5 X, 256 MiB)."""
    return 1.5 * record.size + 32.0 * record.n * (record.folds + 1) + max(0.5 * record.size, 256 * _MIB)


def _memory(records: Sequence[Record]) -> str:
    rows = []
    for record in records:
        if record.cores != 1 or record.accuracy != "default" or not record.peak:
            continue
        bound = f"{memory_bound(record) / _MIB:.0f}" if record.peer in _OURS else "-"
        sizes = [record.size, record.bare, record.loaded, record.peak, record.peak - record.bare]
        rows.append([record.case, record.peer, *(f"{size / _MIB:.0f}" for size in sizes), bound])
    return table(["case", "tool", "X", "before", "loaded", "most", "used", "rule"], rows)
