"""Ridge at every strength from one eigendecomposition.

    minimise over b:  b'Hb/2 - q'b + lam sum_j d_j b_j^2 / 2,   d > 0

With c_j = sqrt(d_j) b_j and D^(-1/2) H D^(-1/2) = V diag(e) V' the minimiser is c = V (V'q_d / (e + lam)),
q_d = D^(-1/2) q. The decomposition costs O(k^3) once, a strength O(k^2).
"""

from typing import Self

import numpy as np

from regcli.problem.protocols import Array

__all__ = ["Spectrum"]


class Spectrum:
    """The decomposition for one Hessian, one linear term and one shape of penalty.

    Parameters
    ----------
    values, vectors : (r,), (k, r) arrays
        Eigenvalues and eigenvectors of the scaled Hessian; those left out have eigenvalue zero and no share in q.
    linear : (r,) array
        V'q_d.
    root : (k,) array
        sqrt(d).
    """

    def __init__(self, values: Array, vectors: Array, linear: Array, root: Array) -> None:
        self._values = np.maximum(values, 0.0)
        self._vectors = vectors
        self._linear = linear
        self._root = root

    @classmethod
    def of_hessian(cls, hessian: Array, linear: Array, root: Array) -> Self:
        """Decompose a (k, k) Hessian."""
        values, vectors = np.linalg.eigh(hessian / root / root[:, None])
        return cls(values, vectors, vectors.T @ (linear / root), root)

    def solve(self, lams: Array) -> Array:
        """Minimisers (T, k) at (T,) positive strengths."""
        shares = self._linear / (self._values + lams[:, None])
        return np.asarray(shares @ self._vectors.T / self._root)
