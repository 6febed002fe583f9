"""The use cases called as functions: what thousands of files are tried with."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from regcli.app.context import RunContext
from regcli.app.fit import fit, save
from regcli.app.options import FitRequest, PredictRequest
from regcli.app.options.fitting import Model, Penalty, Save, Strengths
from regcli.app.options.scoring import Scoring
from regcli.app.options.tables import Data
from regcli.app.predict import predict
from regcli.errors import RegcliError
from regcli.report.rows import rows_of

__all__ = ["Answer", "fit_ridge", "score"]

_RUN = RunContext(jobs=1)


@dataclass(frozen=True)
class Answer:
    """Exit status, code of the error, codes of the warnings; estimates of a fit, rows of predictions."""

    status: int
    code: str = ""
    told: str = ""
    warnings: tuple[str, ...] = ()
    estimates: dict[str, float] = field(default_factory=dict)
    rows: tuple[tuple[str | float | None, ...], ...] = ()


@contextmanager
def _as_a_tool() -> Iterator[None]:
    """What libraries say to programmers is not for users, as at the tool's boundary."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def fit_ridge(file: str, strength: float, model_out: str | None = None) -> Answer:
    """Fit a gaussian ridge model of one strength; everything else is found by looking."""
    request = FitRequest(
        data=Data(data=(file,)),
        model=Model(family="gaussian"),
        penalty=Penalty(penalty="l2"),
        strengths=Strengths(lambdas=repr(strength)),
        save=Save(model_out=model_out),
    )
    try:
        with _as_a_tool():
            outcome = fit(request, _RUN)
            if model_out is not None:
                save(outcome, model_out)
    except RegcliError as error:
        return Answer(error.exit_code, error.code, str(error))
    return Answer(0, warnings=tuple(w.code for w in outcome.warnings), estimates=outcome.estimates["coef"])


def score(model: str, file: str, *, on_bad_row: Literal["null"] | None = None, no_verify: bool = False) -> Answer:
    """Score all rows of a file on the scale of the link."""
    scoring = Scoring(model=model, data=(file,), type="link", on_bad_row=on_bad_row, no_verify=no_verify)
    try:
        with _as_a_tool():
            outcome = predict(PredictRequest(scoring=scoring), _RUN)
            rows = tuple(row for piece in outcome.rows for row in rows_of(piece))
            outcome.finish()
    except RegcliError as error:
        return Answer(error.exit_code, error.code, str(error))
    return Answer(0, warnings=tuple(w.code for w in outcome.warnings), rows=(outcome.header, *rows))
