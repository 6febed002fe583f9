"""From a fit to a model file."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from regcli.app.options import FitRequest
from regcli.app.prepare import Prepared
from regcli.app.reading import NA_VALUES, dialect_of
from regcli.app.recipe import general_policy
from regcli.app.search import Found
from regcli.data.encoder import Encoder
from regcli.data.model_file import StoredModel, model_document, write_model
from regcli.data.scorer import StoredPath
from regcli.results import FitResult, Model

__all__ = ["Saved", "make_saved", "stored_path", "write_saved"]


@dataclass(frozen=True)
class Saved:
    """A model's document and where it goes; None where it goes nowhere."""

    path: str | None
    document: Mapping[str, Any] | None


def stored_path(found: Found) -> StoredPath:
    """The models at the strengths that were walked, on the scale of the data: the terms that are ever nonzero."""
    raw = [found.problem.raw(step, 0) for step in found.steps]
    coefs = np.stack([model.coefs for model in raw])
    ever = np.flatnonzero((coefs != 0).any(axis=0))
    return StoredPath(
        lambdas=np.array([step.lam for step in found.steps]),
        intercepts=np.array([model.intercept for model in raw]),
        coefs=coefs[:, ever],
        places=ever,
    )


def make_saved(request: FitRequest, prepared: Prepared, result: FitResult, path: StoredPath | None) -> Saved:
    """Build the document, probes and content id included, before anything is written."""
    if request.save.model_out is None:
        return Saved(None, None)
    model, encoder, path = _without_idle(prepared, result.model, path)
    features = {feature.column for feature in encoder.features}
    stored = StoredModel(
        model=model,
        encoder=encoder,
        idle=len(prepared.encoder.features) - len(encoder.features),
        target=prepared.roles.target,
        offset=prepared.roles.offset,
        exposure=prepared.roles.exposure,
        weights=prepared.roles.weights,
        id=prepared.roles.id,
        categorical=prepared.roles.categorical,
        missing=general_policy(request.data.missing),
        na_values=dialect_of(request.reading, NA_VALUES).na_values,
        profile=None if prepared.profile is None else _profile_of(prepared.profile, features),
        files=result.data.files,
        seed=result.seed,
        options=dict(result.options),
        path=path,
    )
    return Saved(request.save.model_out, model_document(stored))


def _without_idle(
    prepared: Prepared, model: Model, path: StoredPath | None
) -> tuple[Model, Encoder, StoredPath | None]:
    """The model without the columns of a sparse table that play no part in it, which may be most of many.

    Columns that have a coefficient at some strength of the path stay.
    """
    if not prepared.sparse:
        return model, prepared.encoder, path
    wanted = model.coefs != 0
    if path is not None:
        wanted[path.places] = True
    wanted |= np.array([not prepared.sparse.issuperset(term.columns) for term in prepared.encoder.terms])
    encoder, places = prepared.encoder.needed(wanted)
    facts = tuple(model.terms[at] for at in places)
    if path is not None:
        path = replace(path, places=np.searchsorted(places, path.places))
    return replace(model, coefs=model.coefs[places], terms=facts), encoder, path


def _profile_of(profile: Mapping[str, Any], columns: Collection[str]) -> dict[str, Any]:
    """What is known of some columns."""
    return {**profile, "columns": {name: profile["columns"][name] for name in profile["columns"] if name in columns}}


def write_saved(saved: Saved) -> None:
    """Write the document, whole or not at all."""
    if saved.path is not None and saved.document is not None:
        write_model(saved.path, saved.document)
