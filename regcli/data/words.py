"""Text to counts of words: what a word is, which words count, and how much each of them weighs.

A word is two or more letters, digits or underscores in a row, in lower case; a term may be a run of up to ``ngrams``
words. These are the conventions of scikit-learn's vectorizers. Counts are not divided by their length, so that what a
training set teaches is one number a word and enters linearly.
"""

import math
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

__all__ = ["WEIGHTINGS", "Counted", "count_words", "rarity", "rows_with", "vocabulary", "words_of"]

#: How often a word is there, whether it is there, and its count times how rare it is.
WEIGHTINGS = ("count", "binary", "tfidf")

_WORD = re.compile(r"\b\w\w+\b")

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Counted:
    """Words in code-point order, and how often each is in every text: a (texts, words) matrix by rows."""

    words: tuple[str, ...]
    counts: "sparse.csr_array"


def words_of(text: str, ngrams: int) -> list[str]:
    """The words of a text, then its runs of two words and more, joined by a space."""
    words = _WORD.findall(text.lower())
    runs = list(words)
    for size in range(2, ngrams + 1):
        runs += [" ".join(words[at : at + size]) for at in range(len(words) - size + 1)]
    return runs


def count_words(texts: Sequence[str], ngrams: int, known: Collection[str] | None = None) -> Counted:
    """Count the words of texts, all of them or those that are known. Costs a pass over the letters."""
    found = [Counter(words_of(text, ngrams)) for text in texts]
    words = tuple(known) if known is not None else tuple(sorted({word for counts in found for word in counts}))
    place = {word: at for at, word in enumerate(words)}
    rows = [[(place[word], count) for word, count in counts.items() if word in place] for counts in found]
    ends = np.cumsum([0, *map(len, rows)])
    cells = np.array([cell for row in rows for cell in sorted(row)], dtype=np.float64).reshape(-1, 2)
    matrix = sparse.csr_array((cells[:, 1], cells[:, 0].astype(np.int32), ends), shape=(len(texts), len(words)))
    return Counted(words, matrix)


def vocabulary(counted: Counted, repeats: NDArray[np.intp], least: int, most: int) -> tuple[str, ...]:
    """Words that are in at least ``least`` rows, the ``most`` frequent of them; ``repeats`` (t,) are rows of a text.

    Of words in as many rows the first by code point stays.
    """
    rows = rows_with(counted, repeats)
    frequent = np.flatnonzero(rows >= least)
    frequent = frequent[np.argsort(-rows[frequent], kind="stable")][:most]
    return tuple(counted.words[at] for at in np.sort(frequent))


def rows_with(counted: Counted, repeats: NDArray[np.intp]) -> Array:
    """In how many rows each word is (w,)."""
    there = counted.counts.copy()
    there.data[:] = 1.0
    return np.asarray(there.T @ repeats.astype(np.float64), dtype=np.float64)


def rarity(words: Sequence[str], rows: Array, total: int, *, least: int, weighting: str) -> Mapping[str, float]:
    """What counts are multiplied by: 0 for words in fewer than ``least`` of ``total`` rows, else 1.

    For tfidf log((1 + total) / (1 + rows)) + 1, as scikit-learn's with ``smooth_idf``.
    """
    return {
        word: 0.0 if there < least else math.log((1 + total) / (1 + there)) + 1.0 if weighting == "tfidf" else 1.0
        for word, there in zip(words, rows.tolist(), strict=True)
    }
