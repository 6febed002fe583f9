"""What lines of a text table may be that are no rows, told as ways out: titles, marks, remarks, names left out."""

from collections.abc import Iterable, Sequence

from regcli.data.columns import number

__all__ = ["MOST_ABOVE", "one_column_hint", "ragged_hint", "unnamed_hint"]

#: Lines among which a header is looked for that does not come first.
MOST_ABOVE = 30

#: What lines are drawn with, below the header of a table that is printed for people.
_STROKES = frozenset("-+|=: ")

#: How pages begin.
_PAGES = ("<!doctype", "<html", "<?xml")

#: What may stand between cells although nobody says so.
_MARKS = {" ": "' '", ":": "':'", "^": "'^'", "~": "'~'", "\x01": "$'\\x01'"}


def unnamed_hint(first: Sequence[str], rest: Iterable[tuple[int, Sequence[str]]]) -> str:
    """The way out where cells of the ``first`` record are empty; ``rest`` are some lines and cells below it."""
    filled = [cell for cell in first if cell]
    if len(filled) == 1 and first[0] == "sep=":
        return "the first line is a mark for Excel: leave it out, by tail -n +2"
    if len(filled) <= 1 < len(first):
        below = next((line for line, cells in rest if len(cells) == len(first) and _are_names(cells)), None)
        if below is not None:
            return _above(below)
    if not first[0] and len(filled) == len(first) - 1:
        return "name it, or leave out the names of rows: row.names=FALSE in R, index=False in pandas"
    return "name it in the header; a delimiter at the end of the line makes such a column"


def ragged_hint(names: Sequence[str], cells: Sequence[str], line: int) -> str:
    """The way out where a record has not as many cells as there are names."""
    early = line <= MOST_ABOVE
    if early and any("--" in cell for cell in cells) and set("".join(cells)) <= _STROKES:
        return "this is a table for people: have it written as CSV, as psql --csv and mysql --batch do"
    if len(cells) < len(names):
        remark = "leave the line out if it is a remark; else " * (len(cells) == 1 and number(cells[0]) is None)
        return f"{remark}fill the missing cells, or say which delimiter it is with --delimiter"
    usual = "quote cells that contain the delimiter, or say which one it is with --delimiter"
    if early and _are_names(cells):
        return f"{_above(line)}; else {usual}"
    if early and len(cells) == len(names) + 1:
        usual += "; where rows begin with their name, as R's write.table has it, the header needs a name for that too"
    return usual


def one_column_hint(name: str) -> str:
    """What a table with a single column may be."""
    if name.lstrip().lower().startswith(_PAGES):
        return "this is a web page or XML, perhaps an answer of a server that was saved in the place of the table"
    mark = next((shown for mark, shown in _MARKS.items() if mark in name.strip()), "C")
    return f"the table has one column alone, {name!r}; of text, --delimiter {mark} says what stands between cells"


def _are_names(cells: Sequence[str]) -> bool:
    """Whether cells could be a header: all filled, all different, no numbers."""
    filled = all(cell.strip() and number(cell) is None and number(cell, ",") is None for cell in cells)
    return filled and len(set(cells)) == len(cells)


def _above(line: int) -> str:
    return f"if line {line} is the header, leave out what stands above it, by tail -n +{line}"
