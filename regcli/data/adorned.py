"""Numbers as people write them, which no reader of tables takes for numbers: what they would be in plain digits."""

import re
import unicodedata
from collections.abc import Collection, Sequence

from regcli.data.dialect import na_option

__all__ = ["plainly", "ways_to_numbers"]

#: Different cells that are offered as missing together; more of them are no mark of that.
MOST_MARKS = 8

#: Different cells that tell how numbers are written; others below them may be something else.
FIRST = 3

#: Signs of currencies before or behind an amount, as Unicode has them, and what stands there in letters most often.
_MONEY = r"(?:[$¢£¤¥\u20a0-\u20cf]|EUR|USD|GBP|CHF|kr\.?|zł|Kč|Ft|R\$)"

#: Blanks as they are printed between a number and what belongs to it.
_BLANK = "[ \u00a0\u202f]?"

#: What parts thousands everywhere: blanks (narrow or fixed ones in print), and the apostrophe of the Swiss.
_GROUPS = "[ \u00a0\u2009\u202f'\u2019_]"


def _amounts(mark: str, points: str) -> re.Pattern[str]:
    """Amounts with this decimal mark, and these points between thousands."""
    return re.compile(
        rf"(?P<sign>[+-]?){_MONEY}?{_BLANK}(?P<minus>-?)"
        rf"(?P<digits>\d{{1,3}}(?:{_GROUPS}\d{{3}})+|\d{{1,3}}(?:{points}\d{{3}})+|\d+)(?:{mark}(?P<rest>\d+))?"
        rf"{_BLANK}(?:{_MONEY}|%)?"
    )


_AMOUNTS = {".": _amounts(r"\.", ","), ",": _amounts(",", r"\.")}

_HEXADECIMAL = re.compile(r"0[xX][0-9a-fA-F]{1,12}")


def plainly(cell: str, decimal: str = ".") -> str | None:
    """A number with thousands parted, a currency, a percent sign, other digits or in hexadecimal, in plain digits.

    Percent stay percent: 1.5% is 1.5. A loss in brackets is below zero. What can be read in two ways is read with the
    decimal mark of the table; the result has a point. None where a cell is nothing of that, or a number as it stands.
    """
    text = "".join(map(_plain_letter, cell.strip()))
    if _HEXADECIMAL.fullmatch(text):
        return str(int(text, 16))
    loss = len(text) > 2 and text[0] == "(" and text[-1] == ")"
    inner = text[1:-1] if loss else text
    found = _AMOUNTS[decimal].fullmatch(inner) or _AMOUNTS["," if decimal == "." else "."].fullmatch(inner)
    if found is None or (found["sign"] and found["minus"]):
        return None
    sign, rest = (found["sign"] or found["minus"]).replace("+", ""), found["rest"]
    if loss and sign:
        return None
    plain = "-" * loss + sign + re.sub("[^0-9]", "", found["digits"]) + (f".{rest}" if rest else "")
    return None if plain in (cell, cell.replace(",", ".")) else plain


def _plain_letter(letter: str) -> str:
    """A digit of any script as that of ASCII, and so signs of full width and the minus of print; others as they are."""
    if letter == "\u2212":
        return "-"
    if "\uff01" <= letter <= "\uff5e":
        return chr(ord(letter) - 0xFEE0)
    return str(unicodedata.decimal(letter, letter))


def ways_to_numbers(cells: Sequence[str], decimal: str, missing: Collection[str]) -> list[str]:
    """The ways out where different ``cells`` that are no numbers stand in a column of numbers.

    ``decimal`` is the mark that numbers are read with, ``missing`` the cells that are taken as missing already.
    """
    other = "." if decimal == "," else ","
    first = cells[:FIRST]
    plain = plainly(cells[0], decimal)
    if all(re.fullmatch(rf"[+-]?\d+[{other}]\d+", cell) for cell in first):
        if not all(re.fullmatch(rf"[+-]?[1-9]\d{{0,2}}[{other}]\d{{3}}", cell) for cell in first):
            return [f"--decimal {other}"]
        # Read as decimals, thousands would be a thousandth of themselves.
        whole, mark = cells[0].replace(other, ""), {",": "comma", ".": "point"}[other]
        thousands = f"write {cells[0]} as {whole} if the {mark} parts thousands"
        return [thousands, f"--decimal {other} if it is the decimal mark"]
    if plain is not None:
        return [f"write {_seen(cells[0])} as {plain.replace('.', decimal)}"]
    marks = cells if len(cells) <= MOST_MARKS else cells[:1]
    option = na_option(missing, marks)
    return [] if option is None else [f"{option} if {'it means' if len(marks) == 1 else 'they mean'} missing"]


def _seen(cell: str) -> str:
    """A cell as it is, or in a form in which blanks at its ends and odd ones can be seen."""
    return cell if cell.isprintable() and cell == cell.strip() else repr(cell)
