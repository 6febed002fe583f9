"""Certificates, which go back to the data, are a small part of the work of a run: by counts, at the defaults."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pytest

from regcli.app.context import RunContext
from regcli.app.fit import fit
from regcli.app.options import Data, FitRequest, Model, Penalty
from regcli.problem.tally import Counts
from regcli.results import Certificate, Iterate
from regcli.solvers import certificate, path
from regcli.solvers.engine import Problem, RawModel

#: What certificates may take of all products.
SHARE = 0.1


@dataclass
class Watched:
    """What certificates took, and all that the run took until the last of them."""

    certificates: Counts = field(default_factory=Counts)
    everything: Counts = field(default_factory=Counts)
    number: int = 0


@contextmanager
def watched() -> Iterator[Watched]:
    """Count what is done while models are certified: those that are reported, and lanes on their way."""
    out, certify, measured = Watched(), certificate.certify, certificate.measured

    @contextmanager
    def counted(problem: Problem) -> Iterator[None]:
        before = problem.objective.tally.counts
        yield
        out.everything = problem.objective.tally.counts
        done, had = out.everything - before, out.certificates
        out.certificates = Counts(had.cells + done.cells, had.multiplications + done.multiplications)

    def of_models(problem: Problem, models: Sequence[tuple[float, RawModel]]) -> list[Certificate]:
        with counted(problem):
            made = certify(problem, models)
        out.number += len(made)
        return made

    def of_lanes(problem: Problem, step: Iterate) -> Iterate:
        with counted(problem):
            return measured(problem, step)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(certificate, "certify", of_models)
        patch.setattr(path, "measured", of_lanes)
        yield out


def table(place: Path, family: str, n: int, p: int) -> str:
    """A table of independent columns, ten of which count."""
    rng = np.random.default_rng([n, p])
    X = rng.standard_normal((n, p))
    signal = X[:, :10] @ rng.standard_normal(10) / 2
    y = signal + rng.standard_normal(n)
    frame = pd.DataFrame(X, columns=[f"x{at}" for at in range(p)])
    frame["y"] = y if family == "gaussian" else (y > 0).astype(int)
    path = place / "table.parquet"
    frame.to_parquet(path)
    return str(path)


@pytest.mark.parametrize(
    ("family", "n", "p", "penalty"),
    [
        ("gaussian", 3000, 150, "l1"),
        ("gaussian", 3000, 150, "l2"),
        ("gaussian", 100, 1500, "l1"),
        ("gaussian", 100, 1500, "l2"),
        ("binomial", 3000, 50, "l1"),
        ("binomial", 100, 1000, "l1"),
    ],
)
def test_certificates_take_less_than_a_tenth_of_the_work(
    tmp_path: Path, family: Literal["gaussian", "binomial"], n: int, p: int, penalty: Literal["l1", "l2"]
) -> None:
    notes: list[str] = []
    request = FitRequest(
        data=Data(data=(table(tmp_path, family, n, p),), target="y"),
        model=Model(family=family),
        penalty=Penalty(penalty=penalty),
    )
    with watched() as seen:
        fit(request, RunContext(jobs=1, note=notes.append))
    assert 1 <= seen.number <= 3
    assert seen.certificates.multiplications < SHARE * seen.everything.multiplications, notes
    assert re.fullmatch(r"engine [\w-]+: 11 lanes, .*, [\d,]+ products, [\d,]+ factorizations.*; 1 thread", notes[-1])
