"""Estimate: its number, its text, and the error from a spread."""

import numpy as np
import pytest

from kronlin.estimate.result import Estimate, exactly, summarised


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (12.3421, 0.0421, "12.34 ± 0.04"),
        (-1234.4, 213.0, "-1234 ± 213"),
        (2.0, 0.0, "2 ± 0"),
        (1.0, np.inf, "1 ± inf"),
        (1.25e150, 3e148, "1.25e+150 ± 3e+148"),
        (1.25e-150, 3e-152, "1.25e-150 ± 3e-152"),
    ],
)
def test_text(value, error, text):
    assert repr(Estimate(np.asarray(value), np.asarray(error), 3, 6)) == f"Estimate({text})"


def test_text_of_a_vector_and_of_a_complex_number():
    vector = Estimate(np.array([3.0, 4.0]), np.array([0.03, 0.04]), 3, 6)
    assert repr(vector) == "Estimate(2 entries, relative error 1.0e-02)"
    assert repr(Estimate(np.asarray(1 + 2j), np.asarray(0.1), 3, 6)) == "Estimate(1.0+2.0j ± 0.1)"


def test_number():
    assert float(Estimate(np.asarray(1.5), np.asarray(0.1), 2, 4)) == 1.5
    with pytest.raises(TypeError, match="complex"):
        float(Estimate(np.asarray(1 + 0j), np.asarray(0.1), 2, 4))


def test_mean_and_standard_error(lib):
    x = np.array([[1.0, 2.0, 6.0], [1.0, 1.0, 1.0]])
    result = summarised(lib.asarray(x), 3, 6)
    np.testing.assert_allclose(lib.numpy(result.value), x.mean(axis=1))
    np.testing.assert_allclose(lib.numpy(result.error), x.std(axis=1, ddof=1) / 3**0.5)
    assert (result.samples, result.products) == (3, 6)


def test_exact():
    result = exactly(np.asarray(2.0 + 1j), 5)
    assert (complex(result.value), float(result.error), result.samples, result.products) == (2 + 1j, 0.0, 0, 5)
