"""From a fit to a model file."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from regcli.app.options import FitRequest
from regcli.app.prepare import Prepared
from regcli.app.reading import NA_VALUES, dialect_of
from regcli.app.recipe import general_policy
from regcli.app.search import Found
from regcli.data.encoder import Encoder
from regcli.data.model_file import StoredModel, model_document
from regcli.data.scorer import StoredPath
from regcli.results import FitResult, Model

__all__ = ["saved_document"]


def _stored_path(found: Found) -> StoredPath:
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


def saved_document(request: FitRequest, prepared: Prepared, result: FitResult, found: Found) -> Mapping[str, Any]:
    """Build the document, probes and content id included, before anything is written."""
    path = _stored_path(found) if request.save.save_path else None
    model, encoder, path = _without_idle(prepared, result.model, path)
    features = {feature.column for feature in encoder.features}
    stored = StoredModel(
        model=model,
        encoder=encoder,
        idle=len(prepared.encoder.sources) - len(encoder.sources),
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
    return model_document(stored)


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
