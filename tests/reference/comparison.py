"""Reading regcli's documents, and the distances from a reference that the tests bound."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Path", "coefficient_errors", "model_of_cv", "path_of", "relative_errors"]

Floats = NDArray[np.float64]
Document = Mapping[str, Any]


@dataclass(frozen=True)
class Path:
    """Intercepts (T,) and coefficients (T, p), terms in the order asked for; a term the document lacks is 0."""

    lambdas: Floats
    intercepts: Floats
    coefs: Floats


def path_of(document: Document, features: Sequence[str]) -> Path:
    """The path a ``regcli.path/1`` document describes.

    Raises
    ------
    ValueError
        When it names a term that is none of ``features``, or describes several outputs.
    """
    lambdas = np.array(document["lambdas"], dtype=np.float64)
    coefs = np.zeros((lambdas.size, len(features)))
    for entry in document["coefficients"]:
        coefs[:, position(entry["term"], features)] = entry["values"]
    return Path(lambdas, np.array(only(document["intercepts"])["values"], dtype=np.float64), coefs)


def model_of_cv(document: Document, features: Sequence[str]) -> Path:
    """The chosen model of a ``regcli.cv/1`` document, as a path of one strength."""
    coefs = np.zeros((1, len(features)))
    for entry in document["coefficients"]:
        coefs[0, position(entry["term"], features)] = entry["estimate"]
    return Path(np.array([document["model"]["lambda"]]), np.array([document["intercept"]], dtype=np.float64), coefs)


def position(term: str, features: Sequence[str]) -> int:
    if term not in features:
        raise ValueError(f"a term that the problem does not have: {term}")
    return features.index(term)


def only(entries: Sequence[Document]) -> Document:
    if len(entries) != 1:
        raise ValueError(f"{len(entries)} outputs where one was expected")
    return entries[0]


def coefficient_errors(found: Floats, expected: Floats, sds: Floats) -> Floats:
    """Per strength (T,): the largest error of a coefficient times its column's sd, over the largest such entry.

    Where every expected coefficient is 0, the error is taken as it stands.
    """
    largest = np.max(np.abs(expected) * sds, axis=1)
    return np.max(np.abs(found - expected) * sds, axis=1) / np.where(largest > 0, largest, 1.0)


def relative_errors(found: Floats, expected: Floats) -> Floats:
    """Elementwise error over the expected value; as it stands where that is 0."""
    return np.abs(found - expected) / np.where(expected == 0, 1.0, np.abs(expected))
