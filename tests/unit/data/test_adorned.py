"""Numbers in spellings that are not read, and what they would be in plain digits."""

import pytest

from regcli.data.adorned import plainly

NUMBERS = {
    "1,000": "1000", "-12,345,678.25": "-12345678.25", "1_000": "1000", "1 000": "1000", "1\u00a0000,5": "1000.5",
    "12\u202f345.5": "12345.5", "1'000": "1000", "1\u2019000": "1000", "1.000,5": "1000.5",
    "-1.234.567,89": "-1234567.89",
    "0x10": "16", "0XfF": "255", "1.5%": "1.5", "12 %": "12", "$3": "3", "-$3": "-3", "$-3": "-3", "3 \u20ac": "3",
    "\u00a31,200.50": "1200.50", "(3)": "-3", "($1,000)": "-1000", "\u22125": "-5", "+$2": "2",
    "1.632,33\u00a0\u20ac": "1632.33", "12,5 %": "12.5", "EUR 1.000,50": "1000.50", "1 200 kr": "1200",
    "R$ 3,50": "3.50",
    "\uff11\uff12": "12", "\uff0d\uff11\uff0e\uff15": "-1.5", "\u0661\u0662": "12", "\u096a.5": "4.5",
}  # fmt: skip

NONE = (
    "", " ", "x", "-", "?", ".", "%", "$", "()", "(-3)", "-$-3", "+-3", "3-", "1 00", "1,00", "1,0000", "1,000,00",
    "1_0",
    "12:30", "18-25", "1.2.3", "1d3", "1e5x", "\u00bd", "1\u00b2", "0x", "0xg", "0x1.8p3", "TRUE", "2024-01-31",
    "1.5", "15", "-3", "1 2", "$3%x", "3 4 5", "\u4e09", "0x" + "f" * 13,
)  # fmt: skip


@pytest.mark.parametrize("cell", NUMBERS)
def test_adorned_numbers_in_plain_digits(cell: str) -> None:
    assert plainly(cell) == NUMBERS[cell]
    assert plainly(f" {cell}\t") == NUMBERS[cell]


def test_points_part_thousands_where_the_comma_is_the_decimal_mark() -> None:
    assert [plainly(cell, ",") for cell in ("1.234", "1.234 €", "1,234 €", "3,5", "$1,234.5")] == [
        "1234", "1234", "1.234", None, "1234.5",
    ]  # fmt: skip
    assert [plainly(cell, ".") for cell in ("1.234", "1.234 €", "1,234 €")] == [None, "1.234", "1234"]


@pytest.mark.parametrize("cell", NONE)
def test_what_is_no_number_or_a_plain_one_is_left_alone(cell: str) -> None:
    assert plainly(cell) is None
