"""What a run has cost, in numbers that no other process can change: cells read, multiplications, factorizations."""

from dataclasses import dataclass
from threading import Lock
from typing import Self

__all__ = ["Counts", "Tally"]


@dataclass(frozen=True, slots=True)
class Counts:
    """Amounts of work.

    ``cells`` of the matrix that were read, once by every product and once where rows or columns were gathered;
    ``multiplications`` that products made with them; ``factorizations`` of matrices of more than one coordinate, whole
    or more than half (Cholesky, QR, eigenvectors); ``solves`` with factors; ``steps`` of conjugate gradients or of a
    Krylov space, a lane each.
    """

    cells: int = 0
    multiplications: int = 0
    factorizations: int = 0
    solves: int = 0
    steps: int = 0

    def passes(self, cells: int) -> float:
        """Cells read, as a multiple of those that one pass over the matrix reads."""
        return self.cells / max(cells, 1)

    def products(self, cells: int) -> float:
        """Multiplications, as a multiple of those that the product of the matrix with one vector takes."""
        return self.multiplications / max(cells, 1)

    def told(self, cells: int) -> str:
        """One line; ``cells`` are those of the matrix."""
        passes, products = self.passes(cells), self.products(cells)
        text = f"{passes:,.1f} passes over the data, {products:,.0f} products, {self.factorizations:,} factorizations"
        return f"{text}, {self.steps:,} conjugate-gradient steps" if self.steps else text

    def __sub__(self, before: Self) -> "Counts":
        return Counts(
            self.cells - before.cells,
            self.multiplications - before.multiplications,
            self.factorizations - before.factorizations,
            self.solves - before.solves,
            self.steps - before.steps,
        )


class Tally:
    """A counter that threads share.

    It is asked tens of thousands of times a run: each call is a few additions under one lock. What threads add is whole
    numbers, so that the sums do not depend on their order.
    """

    __slots__ = ("_cells", "_factorizations", "_lock", "_multiplications", "_solves", "_steps")

    def __init__(self) -> None:
        self._lock = Lock()
        self._cells = self._multiplications = self._factorizations = self._solves = self._steps = 0

    def read(self, cells: int, times: int = 0) -> None:
        """Count cells that were read, and multiplied so many times each."""
        with self._lock:
            self._cells += cells
            self._multiplications += cells * times

    def multiplied(self, count: int) -> None:
        """Count multiplications with cells that were read before."""
        with self._lock:
            self._multiplications += count

    def factored(self, count: int = 1) -> None:
        """Count factorizations."""
        with self._lock:
            self._factorizations += count

    def solved(self, count: int = 1) -> None:
        """Count solves with a factor."""
        with self._lock:
            self._solves += count

    def stepped(self, count: int) -> None:
        """Count steps of conjugate gradients."""
        with self._lock:
            self._steps += count

    def add(self, counts: Counts) -> None:
        """Count what another tally has counted."""
        with self._lock:
            self._cells += counts.cells
            self._multiplications += counts.multiplications
            self._factorizations += counts.factorizations
            self._solves += counts.solves
            self._steps += counts.steps

    @property
    def counts(self) -> Counts:
        """All that was counted so far."""
        with self._lock:
            return Counts(self._cells, self._multiplications, self._factorizations, self._solves, self._steps)
