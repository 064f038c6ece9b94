"""Derivatives, columns and labels of a trial."""

import numpy as np
import pytest

from kronlin.testing._case import BrokenLaw
from tests.libraries import installed
from tests.nets import close, fisher_by_definition
from tests.testing.source_laws.faults import PERCEPTRON, SEQUENCE
from tests.testing.source_laws.trials import trial


def test_differences_are_derivatives():
    t = trial()
    v = t.directions[0][1]
    found = t.derivative(lambda theta: np.sin(theta @ v) + theta[0] ** 4, v)
    expected = np.cos(t.theta @ v) + 4 * t.theta[0] ** 3 * v[0]
    assert abs(found - expected) < 1e-11


def test_each_direction_is_a_unit_vector_in_one_layer():
    t = trial()
    sizes = [layer.parameters for layer in t.at_start[0]]
    ends = np.cumsum(sizes)
    for place, (words, v) in enumerate(t.directions):
        j = place // 2
        inside = slice(ends[j] - sizes[j], ends[j])
        assert np.linalg.norm(v) == pytest.approx(1)
        assert np.linalg.norm(v[inside]) == pytest.approx(1)
        assert words == f"a direction in layer 'linear{j}'"


@pytest.mark.parametrize("problem", [PERCEPTRON, SEQUENCE], ids=["perceptron", "sequence"])
def test_columns_and_their_products(problem):
    t = trial(problem=problem)
    U, F = t.columns(), fisher_by_definition(t.at_start[0])
    close(np.einsum("nkp,nkq->pq", U, U) / t.n, F)
    close(t.grams().mean(axis=0), t.basis.T @ F @ t.basis)


@pytest.mark.parametrize("lib", installed(), ids=str)
def test_labels_are_like_the_given_ones(lib):
    t = trial()
    for given in (np.zeros(3, np.int32), np.eye(2, dtype="float32")[[0, 1, 1]]):
        t.y = lib.asarray(given)
        found = t.labels(np.asarray([1, 0, 1]))
        assert lib.owns(found)
        assert found.dtype == t.y.dtype
        expected = [1, 0, 1] if given.ndim == 1 else [[0, 1], [1, 0], [0, 1]]
        np.testing.assert_array_equal(lib.numpy(found), expected)


def test_differences_are_told_with_their_place():
    t = trial()
    t.expect_close("z", [1.0, 2.0], [1.0, 2.0 + 1e-13])
    with pytest.raises(BrokenLaw, match=r"z\[1\]: expected 2.1, got 2 \(tolerance 2.1e-11; 1 of 2 entries differ\)"):
        t.expect_close("z", [1.0, 2.0], [1.0, 2.1])
    with pytest.raises(BrokenLaw, match=r"z has shape \(1,\), where \(2,\) is due"):
        t.expect_close("z", [1.0], [1.0, 2.0])
    with pytest.raises(BrokenLaw, match="got nan"):
        t.expect_close("z", np.nan, 1.0)
