"""Pictures of the figures; only where matplotlib is installed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.growth import Point
from benchmarks.suite import Record

__all__ = ["plot_accuracy", "plot_growth"]


def _pyplot() -> Any:  # noqa: ANN401  (a module, or None)
    try:
        import matplotlib as mpl  # noqa: PLC0415  (not needed for figures in words)
    except ImportError:
        return None
    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "benchmarks"  # the same picture from the same figures
    from matplotlib import pyplot as plt  # noqa: PLC0415

    return plt


def plot_growth(points: Sequence[Point], folder: Path) -> list[str]:
    """Seconds against n, p and K, a picture each; names of the files."""
    plt, names = _pyplot(), []
    if plt is None:
        return []
    for dimension in ("n", "p", "K"):
        series = list(dict.fromkeys(point.what for point in points if point.what.endswith(dimension)))
        if not series:
            continue
        figure, axes = plt.subplots(1, len(series), figsize=(4.2 * len(series), 3.6), squeeze=False)
        for axis, what in zip(axes[0], series, strict=True):
            _lines(axis, [point for point in points if point.what == what])
            axis.set(title=what.partition(":")[0], xlabel=dimension, ylabel="seconds", xscale="log", yscale="log")
        axes[0][0].legend()
        names.append(_save(plt, figure, folder / f"growth-{dimension}.svg"))
    return names


def _lines(axis: Any, points: Sequence[Point]) -> None:  # noqa: ANN401  (matplotlib has no types)
    for peer in dict.fromkeys(point.peer for point in points):
        there = [(point.value, point.seconds) for point in points if point.peer == peer and point.seconds]
        axis.plot([value for value, _ in there], [seconds for _, seconds in there], marker="o", label=peer)


def plot_accuracy(records: Sequence[Record], folder: Path) -> list[str]:
    """Seconds against the worst violation on one core, a panel for every case; names of the files."""
    plt = _pyplot()
    shown = [r for r in records if r.cores == 1 and r.counts and r.worst and r.peer != "regcli-stopped"]
    cases = list(dict.fromkeys(record.case for record in shown))
    if plt is None or not cases:
        return []
    columns = min(4, len(cases))
    rows = -(-len(cases) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(3.6 * columns, 3.2 * rows), squeeze=False)
    colours = {peer: f"C{at}" for at, peer in enumerate(sorted({record.peer for record in shown}))}
    for axis, case in zip(axes.flat, cases, strict=False):
        for peer, colour in colours.items():
            some = sorted((r.worst or 0.0, r.seconds) for r in shown if (r.case, r.peer) == (case, peer))
            axis.plot([v for v, _ in some], [s for _, s in some], marker="o", color=colour, label=peer)
        axis.set(title=case, xlabel="worst violation", ylabel="seconds", xscale="log", yscale="log")
    for axis in axes.flat[len(cases) :]:
        axis.set_axis_off()
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return [_save(plt, figure, folder / "accuracy.svg")]


def _save(plt: Any, figure: Any, path: Path) -> str:  # noqa: ANN401
    figure.set_layout_engine("constrained")
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
    return path.name
