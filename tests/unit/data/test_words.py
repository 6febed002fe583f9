"""Words against scikit-learn's vectorizers."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from regcli.data.words import count_words, rarity, rows_with, vocabulary
from tests.tolerances import EXACT

TEXTS = [
    "Free money! Win FREE cash, free",
    "",
    "lunch at noon? the meeting's moved... noon it is",
    "Ünïcode straße 東京 タワー naïve_word x y z 42 7",
    "win cash now now now\nfree lunch",
]


@pytest.mark.parametrize("ngrams", [1, 2, 3])
def test_counts_are_those_of_scikit_learn(ngrams: int) -> None:
    theirs = CountVectorizer(ngram_range=(1, ngrams))
    expected = theirs.fit_transform(TEXTS).toarray()
    found = count_words(TEXTS, ngrams)
    assert list(found.words) == theirs.get_feature_names_out().tolist()
    assert np.array_equal(found.counts.toarray(), expected)


def test_known_words_alone_in_their_order() -> None:
    found = count_words(TEXTS, 1, ("cash", "free", "nowhere"))
    assert found.counts.toarray().tolist() == [[1, 3, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0], [1, 1, 0]]


@pytest.mark.parametrize("least", [1, 2])
def test_rarity_is_that_of_scikit_learn(least: int) -> None:
    theirs = TfidfVectorizer(norm=None, min_df=least)
    expected = theirs.fit_transform(TEXTS).toarray()
    counted = count_words(TEXTS, 1)
    words = vocabulary(counted, np.ones(len(TEXTS), dtype=np.intp), least, 10_000)
    assert list(words) == theirs.get_feature_names_out().tolist()
    own = count_words(TEXTS, 1, words)
    weights = rarity(
        words, rows_with(own, np.ones(len(TEXTS), dtype=np.intp)), len(TEXTS), least=least, weighting="tfidf"
    )
    assert own.counts.toarray() * np.array([weights[word] for word in words]) == pytest.approx(expected, rel=EXACT)


def test_the_most_frequent_stay_the_first_of_equals() -> None:
    counted = count_words(["b a", "b c", "c b"], 1)
    assert counted.words == ()  # single letters are no words
    counted = count_words(["bb aa", "bb cc", "cc bb"], 1)
    assert vocabulary(counted, np.ones(3, dtype=np.intp), 1, 2) == ("bb", "cc")
    assert vocabulary(counted, np.array([5, 1, 0]), 1, 2) == ("aa", "bb")


def test_a_word_that_is_too_rare_weighs_nothing() -> None:
    assert rarity(("aa", "bb"), np.array([1.0, 2.0]), 9, least=2, weighting="count") == {"aa": 0.0, "bb": 1.0}
