"""logdet: unbiased, honest about its statistical and its quadrature error."""

import numpy as np
import pytest

import kronlin as kl
from kronlin.estimate import Estimate, logdet
from tests.estimate.spectra import FLAT, N, check_kept, check_statistics
from tests.krylov.systems import with_spectrum
from tests.matrices import each_dtype, positive

WIDE = with_spectrum(np.logspace(-3, 0, N), seed=4)


@pytest.mark.parametrize("A", [FLAT, WIDE], ids=["flat", "wide"])
def test_unbiased_and_honest(A):
    check_statistics([logdet(A, 8, seed=seed) for seed in range(200)], np.linalg.slogdet(A)[1])


@each_dtype()
def test_exact_up_to_rounding_from_n_samples_on(lib, dtype):
    a = positive(5, dtype)
    result = logdet(lib.asarray(a), 5)
    assert isinstance(result, Estimate)
    check_kept(result, lib, dtype, np.linalg.slogdet(a)[1])
    assert result.samples == 0


def test_kept_as_a_real_number_and_the_same_everywhere(lib):
    a = positive(9, "complex128").astype("complex64")
    mine, expected = logdet(lib.asarray(a), 4), logdet(a, 4)
    check_kept(mine, lib, "float32", float(expected))
    assert float(mine.error) > 0


def test_too_few_steps_are_said_in_the_error():
    hard = with_spectrum(np.logspace(-12, 0, 200), seed=4)
    truth = np.linalg.slogdet(hard)[1]
    for steps in (4, 12, 40):
        result = logdet(hard, 20, steps=steps)
        assert result.products == 20 * steps
        assert abs(float(result) - truth) <= 4 * float(result.error)
    assert float(logdet(FLAT, steps=1).error) == np.inf


def test_stops_when_the_statistical_error_rules():
    assert logdet(with_spectrum(np.linspace(1, 2, 150)), 10).products < 10 * 30


def test_products_come_in_blocks():
    widths = []

    def matmat(x):
        widths.append(x.shape[1])
        return FLAT @ x

    assert kl.assume(kl.Function(matmat, shape=(N, N), dtype="float64"), "self-adjoint").is_pd is None
    logdet(kl.assume(kl.Function(matmat, shape=(N, N), dtype="float64"), "self-adjoint"), 8)
    assert set(widths) == {8}


@pytest.mark.parametrize(("dtype", "size"), [("float64", 1e150), ("float64", 1e-150), ("float32", 1e30)])
def test_extreme_sizes(dtype, size):
    a = FLAT.astype(dtype)
    expected = float(logdet(a, 8)) + N * np.log(size)
    assert float(logdet(a * a.dtype.type(size), 8)) == pytest.approx(expected, rel=1e-5)


def test_an_empty_matrix():
    assert float(logdet(np.zeros((0, 0)))) == 0.0


def test_refusals():
    with pytest.raises(ValueError, match="needs a square A"):
        logdet(np.ones((3, 4)))
    with pytest.raises(ValueError, match="self-adjoint"):
        logdet(np.triu(np.ones((3, 3))))
    with pytest.raises(ValueError, match="samples must be at least 2"):
        logdet(FLAT, 1)
    with pytest.raises(ValueError, match="steps must be"):
        logdet(FLAT, steps=0)
    with pytest.raises(kl.NotPositiveDefiniteError, match="is known not to be"):
        logdet(kl.Diagonal(np.array([1.0, -1.0, 2.0])))
    with pytest.raises(kl.NotPositiveDefiniteError, match=r"Ritz value -.* ≤ 0"):
        logdet(with_spectrum([1.0, -1.0, 2.0]))
    rotten = kl.assume(kl.Function(lambda x: x * np.nan, shape=(9, 9), dtype="float64"), "pd")
    with pytest.raises(ValueError, match="not finite"):
        logdet(rotten, 3)
