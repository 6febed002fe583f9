"""What batteries share: one BLAS thread, an empty folder, and the lanes that a run makes."""

from collections.abc import Iterator
from typing import Any

import pytest
from threadpoolctl import threadpool_limits

from regcli.problem.lanes import Lanes, make_lanes
from regcli.problem.protocols import Design

Made = list[tuple[Design, Lanes]]


@pytest.fixture(scope="session", autouse=True)
def one_blas_thread() -> Iterator[None]:
    """As in every run of the tool: on small problems BLAS's own threads only wait for each other."""
    with threadpool_limits(1):
        yield


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Made:
    """The designs and lanes of the runs of a test."""
    found: Made = []

    def kept(design: Design, *args: Any, **options: Any) -> Lanes:  # noqa: ANN401  (passed on as they are)
        lanes = make_lanes(design, *args, **options)
        found.append((design, lanes))
        return lanes

    monkeypatch.setattr("regcli.app.setup.make_lanes", kept)
    return found
