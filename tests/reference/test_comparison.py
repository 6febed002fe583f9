"""The documents are read as they are meant, and the stored numbers fit the stored problems."""

import numpy as np
import pytest

from tests.reference.comparison import coefficient_errors, model_of_cv, path_of, relative_errors
from tests.reference.stored import Case, load_cases, load_generated, read_columns

PATH_DOCUMENT = {
    "lambdas": [2.0, 1.0],
    "intercepts": [{"output": "y", "values": [0.5, 0.25]}],
    "coefficients": [
        {"term": "c", "sources": ["c"], "output": "y", "values": [0.0, -1.5]},
        {"term": "a", "sources": ["a"], "output": "y", "values": [3.0, 4.0]},
    ],
}
CASES = load_cases()


def test_terms_are_placed_by_name_and_absent_ones_are_zero() -> None:
    path = path_of(PATH_DOCUMENT, ("a", "b", "c"))
    assert path.lambdas.tolist() == [2.0, 1.0]
    assert path.intercepts.tolist() == [0.5, 0.25]
    assert path.coefs.tolist() == [[3.0, 0.0, 0.0], [4.0, 0.0, -1.5]]


def test_an_unknown_term_is_refused() -> None:
    with pytest.raises(ValueError, match="does not have: c"):
        path_of(PATH_DOCUMENT, ("a", "b"))


def test_several_outputs_are_refused() -> None:
    with pytest.raises(ValueError, match="2 outputs"):
        path_of(PATH_DOCUMENT | {"intercepts": [{"values": []}, {"values": []}]}, ("a", "b", "c"))


def test_the_chosen_model_is_a_path_of_one_strength() -> None:
    document = {"model": {"lambda": 0.5}, "intercept": 1.0, "coefficients": [{"term": "b", "estimate": 2.0}]}
    model = model_of_cv(document, ("a", "b"))
    assert model.lambdas.tolist() == [0.5]
    assert model.intercepts.tolist() == [1.0]
    assert model.coefs.tolist() == [[0.0, 2.0]]


def test_errors_are_relative_to_the_largest_standardized_entry() -> None:
    expected = np.array([[1.0, 100.0], [0.0, 0.0]])
    found = np.array([[1.0, 101.0], [0.5, 0.0]])
    assert coefficient_errors(found, expected, np.array([10.0, 0.01])).tolist() == pytest.approx([0.001, 5.0])


def test_relative_errors_are_absolute_at_zero() -> None:
    assert relative_errors(np.array([2.2, 0.1]), np.array([2.0, 0.0])).tolist() == pytest.approx([0.1, 0.1])


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_stored_shapes_fit_the_problem(case: Case) -> None:
    columns = read_columns(case.csv, case.features, case.weights)
    assert columns.x.shape[1] == len(case.features) == case.coefs.shape[1]
    assert len(case.lambdas) == len(case.intercepts) == len(case.coefs)
    assert np.all(np.diff(case.lambdas) < 0)
    for curve in case.curves.values():
        assert curve.mean.shape == curve.se.shape == case.lambdas.shape
        assert {curve.lambda_min, curve.lambda_1se} <= set(case.lambdas.tolist())


def test_every_generated_path_has_a_result() -> None:
    for path in load_generated():
        assert path.lambdas.shape == path.dev_ratio.shape
        assert path.csv.exists()
