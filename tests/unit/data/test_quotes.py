"""Records in pieces of text: where they end, and whether all of them have as many delimiters."""

import numpy as np
import pytest

from regcli.data.quotes import Quotes, alike, exact_ends, records_of


@pytest.mark.parametrize("inner", ["", ",", '""', "\n", ",,\r\n,"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("width", [1, 2, 5, 70])
def test_records_are_counted_delimiter_by_delimiter(inner: str, end: str, width: int) -> None:
    cell = f'"a{inner}b"' if inner else "ab"
    rows = [",".join([cell] * width)] * 90
    rows[7] = rows[7].replace("a", "a" * 131)  # words of bits end at other places of the rows behind
    # Rows of one cell have no delimiter, as blank lines have none: they go with any other.
    for at, odd, count in ((60, rows[0] + ",", width), (60, "", 0), (89, ",".join(["x"] * (width + 64)), width + 63)):
        piece = end.join([*rows[:at], odd, *rows[at:], ""]).encode()
        quotes = Quotes(",")
        found = records_of(piece, quotes)
        assert found.ends.tolist() == exact_ends(piece, ",", inside=False)[0].tolist()
        assert found.delimiters == (alike(width - 1, count))
        assert (quotes.inside, quotes.plain, quotes.begun) == (False, True, 0)


def test_a_record_over_several_pieces_is_one() -> None:
    quotes = Quotes(",")
    pieces = [b'1,2,3\n4,"5\n', b"\n", b'x","6"\n7,8,9\n', b'7,"\n', b'",8,9\n']
    found = [records_of(piece, quotes) for piece in pieces]
    assert [records.ends.tolist() for records in found] == [[6], [], [7, 13], [], [6]]
    assert [records.delimiters for records in found] == [2, 0, 2, 0, 3]


def test_what_has_no_line_break_has_begun_a_record() -> None:
    quotes = Quotes(",")
    assert records_of(b"1,2\n3,4,5,6", quotes).delimiters == 1
    assert quotes.begun == 3


def test_quotes_in_odd_places_count_as_different() -> None:
    quotes = Quotes(",")
    found = records_of(b'5" pipe,1\n6" pipe,2\n', quotes)
    assert (found.ends.tolist(), found.delimiters) == ([10, 20], None)


def test_runs_of_records_are_alike_but_for_blank_ones() -> None:
    cases = [
        (2, 2, 2),
        (0, 2, 2),
        (2, 0, 2),
        (0, 0, 0),
        (2, 3, None),
        (None, 2, None),
        (None, 0, None),
        (0, None, None),
    ]
    assert [alike(one, other) for one, other, _ in cases] == [both for *_, both in cases]


def test_counts_do_not_run_over() -> None:
    """More delimiters in a record than a byte, or two, can count."""
    for extra in (256, 65_536):
        piece = b"1,2\n" * 20 + b"," * (extra + 1) + b"\n"
        assert records_of(piece, Quotes(",")).delimiters is None
    assert records_of(b"," * 70_000 + b"\n", Quotes(",")).delimiters == 70_000
    assert np.array_equal(records_of(b"", Quotes(",")).ends, [])
