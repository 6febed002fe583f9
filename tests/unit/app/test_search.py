"""What the time cuts short: shares of L1 that were walked count, whatever becomes of the next one."""

import signal
import time
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from regcli.app.context import Nobody, RunContext
from regcli.app.fit import fit
from regcli.app.limits import timed
from regcli.app.options import CvRequest, FitRequest
from regcli.app.options.fitting import Folds, Model, Penalty, Search, Strengths
from regcli.app.options.tables import Data
from regcli.errors import ResourceError
from regcli.results import FitResult

RATIOS = (0.1, 0.5, 0.9)
N_LAMBDAS = 6


@pytest.fixture
def table(tmp_path: Path) -> str:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(60, 4))
    y = X[:, 0] - 0.5 * X[:, 1] + rng.normal(size=60)
    path = tmp_path / "table.csv"
    np.savetxt(path, np.column_stack([X, y]), fmt="%.6g", delimiter=",", header="a,b,c,d,y", comments="")
    return str(path)


def request(table: str, ratios: tuple[float, ...], *, rule: Literal["aic"] | None = None) -> FitRequest:
    """Three repeats of five folds for every share; an information criterion in their place with a rule."""
    return (CvRequest if rule is None else FitRequest)(
        data=Data(data=(table,), target="y"),
        model=Model(family="gaussian"),
        penalty=Penalty(penalty="elasticnet", l1_ratio=",".join(map(str, ratios))),
        strengths=Strengths(n_lambdas=N_LAMBDAS, lambda_min_ratio=0.1),
        folds=Folds() if rule else Folds(folds=5, repeats=3),
        search=Search(rule=rule, full_path=rule is None),
    )


def cut(asked: FitRequest, share: int) -> FitResult:
    """A run whose alarm rings at the second strength of a share, the first being number 0."""
    begun = 0

    class Ring(Nobody):
        noun = ""

        def doing(self, what: str, noun: str = "") -> None:  # noqa: ARG002  (the protocol's)
            self.noun = noun

        def update(self, done: int, total: int) -> None:  # noqa: ARG002
            nonlocal begun
            begun += self.noun == "strengths" and done == 1
            if begun == share + 1 and done == 2:
                signal.raise_signal(signal.SIGALRM)

    with timed(1000, time.monotonic()) as deadline:
        return fit(asked, RunContext(jobs=1, progress=Ring(), deadline=deadline)).result


def told(result: FitResult) -> list[tuple[str, object, object]]:
    return [(w.message, w.facts["at"], w.facts["of"]) for w in result.warnings if w.code == "out-of-time"]


@pytest.mark.parametrize("share", [1, 2])
def test_shares_that_were_walked_are_used_when_the_next_one_is_interrupted(table: str, share: int) -> None:
    result = cut(request(table, RATIOS), share)  # of some of the repeats there is no score: the share is lost
    whole = fit(request(table, RATIOS[:share]), RunContext(jobs=1)).result
    assert [ratio for ratio, _ in result.grid] == list(RATIOS[:share])
    assert result.model.facts == whole.model.facts
    assert (result.model.coefs == whole.model.coefs).all()
    many = "1 of 3 shares" if share == 1 else "2 of 3 shares"
    assert told(result) == [(f"--max-seconds passed after {many} of L1", share - 1, 3)]


def test_shares_are_counted_where_a_criterion_chooses(table: str) -> None:
    result = cut(request(table, RATIOS, rule="aic"), 1)
    whole = fit(request(table, RATIOS[:1], rule="aic"), RunContext(jobs=1)).result
    assert result.model.facts == whole.model.facts
    assert told(result) == [("--max-seconds passed after 1 of 3 shares of L1", 0, 3)]
    last = cut(request(table, RATIOS, rule="aic"), 2)
    assert told(last) == [("--max-seconds passed after 2 of 3 shares of L1", 1, 3)]


def test_a_first_share_without_a_score_is_an_error(table: str) -> None:
    with pytest.raises(ResourceError) as caught:
        cut(request(table, RATIOS), 0)
    assert caught.value.code == "out-of-time"
