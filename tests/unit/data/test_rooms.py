"""Columns that grow: what was written stays where it was, whatever room was made for at first."""

import numpy as np
import pytest

from regcli.data import rooms
from regcli.data.rooms import Rooms


@pytest.mark.parametrize("expected", [0, 10, 400_000, 3_000_000])
@pytest.mark.parametrize("count", [3, 300])
@pytest.mark.parametrize("step", [999, 300_000])
def test_cells_stay_while_columns_grow(expected: int, step: int, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With and without pages of their own, large and small."""
    monkeypatch.setattr(rooms, "_LARGE_PAGE", 1 << 16)
    values = np.random.default_rng(0).normal(size=(3, 610_000))
    made = Rooms(expected, count)
    for start in range(0, values.shape[1], step):
        end = min(start + step, values.shape[1])
        assert made.fit(end) == (start == 0 or end <= min(len(column) for column in made.columns.values()))
        for at in range(3):
            made.room(at, start, end)[:] = values[at, start:end]
    for at in range(3):
        assert made.take(at, values.shape[1]).tobytes() == values[at].tobytes()
    assert made.columns == {}
