"""What an encoder makes of tables without text: dense arrays."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from regcli.data.encoder import Encoder
from regcli.data.stored import Matrix

__all__ = ["based", "coded", "dense"]


def dense(found: Matrix) -> NDArray[np.float64]:
    """A matrix that is dense."""
    assert isinstance(found, np.ndarray)
    return found


def coded(encoder: Encoder, *args: Any, **options: Any) -> NDArray[np.float64]:  # noqa: ANN401  (passed on)
    """The columns of the terms."""
    return dense(encoder.matrix(*args, **options))


def based(encoder: Encoder, *args: Any) -> NDArray[np.float64]:  # noqa: ANN401  (passed on)
    """The base columns."""
    return dense(encoder.base(*args))
