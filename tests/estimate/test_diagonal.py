"""diagonal: unbiased entry by entry, honest, exact for low rank."""

import numpy as np
import pytest

import kronlin as kl
from kronlin.estimate import Estimate, diagonal
from tests.estimate.spectra import DECAYING, FLAT, N, check_kept, check_statistics
from tests.matrices import each_dtype, normal


@pytest.mark.parametrize("A", [DECAYING, FLAT, normal((N, N))], ids=["decaying", "flat", "general"])
def test_unbiased_and_honest(A):
    check_statistics([diagonal(A, 6, seed=seed) for seed in range(200)], np.diag(A))


@each_dtype()
def test_exact_for_low_rank(lib, dtype):
    u, v = normal((12, 3), dtype), normal((12, 3), dtype, 1)
    result = diagonal(kl.LowRank(lib.asarray(u), None, lib.asarray(v)), 5)
    check_kept(result, lib, dtype, np.sum(u * v.conj(), axis=1), digits_lost=1e4)
    assert isinstance(result, Estimate)
    assert (result.samples, result.products) == (5, 10)
    psd = diagonal(kl.LowRank(lib.asarray(u)), 5)
    assert not np.iscomplexobj(lib.numpy(psd.value))
    np.testing.assert_allclose(lib.numpy(psd.value), np.sum(abs(u) ** 2, axis=1), rtol=1e-3)


@each_dtype(("float64", "complex128"))
def test_exact_from_n_samples_on(lib, dtype):
    a = normal((5, 5), dtype)
    exact = diagonal(lib.asarray(a), 5)
    check_kept(exact, lib, dtype, np.diag(a), digits_lost=10)
    assert (exact.samples, exact.products) == (0, 5)


def test_the_error_falls_with_the_spectrum():
    few, many = (np.linalg.norm(diagonal(DECAYING, k).value - np.diag(DECAYING)) for k in (5, 20))
    assert many < few / 20


def test_the_same_numbers_in_every_library(lib):
    mine, expected = diagonal(lib.asarray(DECAYING), 8, seed=3), diagonal(DECAYING, 8, seed=3)
    np.testing.assert_allclose(lib.numpy(mine.value), expected.value, rtol=1e-12)


@pytest.mark.parametrize("size", [1e150, 1e-150])
def test_extreme_sizes(size):
    np.testing.assert_allclose(diagonal(size * DECAYING, 20).value / size, diagonal(DECAYING, 20).value, rtol=1e-6)


def test_refusals():
    with pytest.raises(ValueError, match="needs a square A"):
        diagonal(np.ones((3, 4)))
    with pytest.raises(ValueError, match="samples must be at least 2"):
        diagonal(FLAT, 1)
    with pytest.raises(NotImplementedError, match="without an adjoint"):
        diagonal(kl.Function(lambda x: FLAT @ x, shape=(N, N), dtype="float64"))
