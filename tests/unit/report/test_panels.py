"""Labels are moved apart, no further than they must be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regcli.report.panels import spread
from regcli.report.plots import shorten

#: A thousandth of the distance between labels.
CLOSE = 1e-3 * 0.05


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=20))
def test_labels_do_not_overlap_and_stay_inside_and_in_order(places: list[float]) -> None:
    out = spread(np.array(places), 0.0, 1.0, 0.05)
    order = np.argsort(places, kind="stable")
    assert (np.diff(out[order]) >= 0.05 - CLOSE).all()
    assert out.min() >= -CLOSE
    assert out.max() <= 1.0 + CLOSE


def test_labels_that_have_room_stay_where_they_are() -> None:
    assert spread(np.array([0.9, 0.1, 0.5]), 0.0, 1.0, 0.05).tolist() == pytest.approx([0.9, 0.1, 0.5])


def test_labels_at_one_place_lie_around_it() -> None:
    assert spread(np.array([0.5, 0.5, 0.5]), 0.0, 1.0, 0.1).tolist() == pytest.approx([0.4, 0.5, 0.6])
    assert spread(np.array([1.0, 1.0]), 0.0, 1.0, 0.1).tolist() == pytest.approx([0.9, 1.0])


def test_too_many_labels_are_evenly_spaced() -> None:
    assert spread(np.full(5, 0.3), 0.0, 1.0, 0.5).tolist() == pytest.approx([0.0, 0.25, 0.5, 0.75, 1.0])


@given(st.text(max_size=60), st.integers(3, 30))
def test_long_names_keep_both_ends(text: str, length: int) -> None:
    short = shorten(text, length)
    assert len(short) <= length
    assert short == text or (len(text) > length and text.startswith(short[0]) and text.endswith(short[-1]))
