"""Numbers as people write them, which no reader of tables takes for numbers: what they would be in plain digits."""

import re
import unicodedata

__all__ = ["plainly"]

#: Signs of currencies before or behind an amount, as Unicode has them, and a percent sign behind.
_MONEY = "[$¢£¤¥\u20a0-\u20cf]"

#: Blanks that part thousands (with a narrow or a fixed one in print), and the apostrophe of the Swiss.
_GROUPS = "[ \u00a0\u2009\u202f'\u2019_]"

_AMOUNT = re.compile(
    rf"(?P<sign>[+-]?){_MONEY}? ?(?P<minus>-?)"
    rf"(?P<digits>\d{{1,3}}(?:{_GROUPS}\d{{3}})+|\d{{1,3}}(?:,\d{{3}})+|\d+)(?P<rest>\.\d+)?"
    rf" ?(?:{_MONEY}|(?P<percent>%))?"
)

#: A decimal comma behind thousands that points part.
_CONTINENTAL = re.compile(r"(?P<digits>[+-]?\d{1,3}(?:\.\d{3})+),(?P<rest>\d+)")

_HEXADECIMAL = re.compile(r"0[xX][0-9a-fA-F]{1,12}")


def plainly(cell: str) -> str | None:
    """A number with thousands parted, a currency, a percent sign, other digits or in hexadecimal, in plain digits.

    Percent stay percent: 1.5% is 1.5. A loss in brackets is below zero. None where a cell is nothing of that.
    """
    text = "".join(map(_plain_letter, cell.strip()))
    if _HEXADECIMAL.fullmatch(text):
        return str(int(text, 16))
    loss = len(text) > 2 and text[0] == "(" and text[-1] == ")"
    inner = text[1:-1] if loss else text
    other = _CONTINENTAL.fullmatch(inner)
    if other is not None:
        plain = other["digits"].replace(".", "") + "." + other["rest"]
    else:
        found = _AMOUNT.fullmatch(inner)
        if found is None or (found["sign"] and found["minus"]):
            return None
        digits = re.sub("[^0-9]", "", found["digits"])
        plain = (found["sign"] or found["minus"]).replace("+", "") + digits + (found["rest"] or "")
    if loss and plain.startswith("-"):
        return None
    plain = "-" * loss + plain
    return None if plain == cell else plain


def _plain_letter(letter: str) -> str:
    """A digit of any script as that of ASCII, and so signs of full width and the minus of print; others as they are."""
    if letter == "\u2212":
        return "-"
    if "\uff01" <= letter <= "\uff5e":
        return chr(ord(letter) - 0xFEE0)
    return str(unicodedata.decimal(letter, letter))
