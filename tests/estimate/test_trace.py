"""trace: unbiased, honest, exact for low rank, and fast where the spectrum decays."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from kronlin.estimate import Estimate, trace
from tests.estimate.spectra import DECAYING, FLAT, N, check_kept, check_statistics
from tests.libraries import NUMPY
from tests.matrices import each_dtype, eps, normal

METHODS = pytest.mark.parametrize("method", ["xtrace", "hutch++"])


@METHODS
@pytest.mark.parametrize("A", [DECAYING, FLAT, normal((N, N))], ids=["decaying", "flat", "general"])
def test_unbiased_and_honest(A, method):
    check_statistics([trace(A, 8, method=method, seed=seed) for seed in range(200)], np.trace(A))


@METHODS
@each_dtype()
def test_exact_for_low_rank(lib, dtype, method):
    u, v = normal((12, 3), dtype), normal((12, 3), dtype, 1)
    general = trace(kl.LowRank(lib.asarray(u), None, lib.asarray(v)), 5, method=method)
    check_kept(general, lib, dtype, np.trace(u @ v.conj().T), digits_lost=1e4)
    assert (general.samples, general.products) == (5, 10 if method == "xtrace" else 15)
    psd = trace(kl.LowRank(lib.asarray(u)), 5, method=method)
    assert isinstance(psd, Estimate)
    assert float(psd) == pytest.approx(np.linalg.norm(u) ** 2, rel=1e4 * eps(dtype))


@METHODS
@each_dtype(("float64", "complex128"))
@pytest.mark.parametrize("samples", [5, 7])
def test_exact_from_n_samples_on(lib, dtype, samples, method):
    a = normal((5, 5), dtype)
    exact = trace(lib.asarray(a), samples, method=method)
    check_kept(exact, lib, dtype, np.trace(a), digits_lost=10)
    assert (exact.samples, exact.products, float(exact.error)) == (0, 5, 0.0)


@given(st.integers(0, 999), st.integers(3, 12), st.sampled_from(["float64", "complex128"]))
def test_hutch_plus_plus_with_one_sample_fewer_than_n_leaves_nothing_to_chance(seed, n, dtype):
    """One direction is left over, and every random vector becomes that one."""
    a = normal((n, n), dtype, seed)
    result = trace(a, n - 1, method="hutch++", seed=seed)
    np.testing.assert_allclose(complex(result.value), np.trace(a), atol=1e-9 * n)


def test_faster_than_hutchinson_where_the_spectrum_decays():
    def hutchinson(products, seed):
        x = np.random.default_rng(seed).choice([-1.0, 1.0], (N, products))
        return np.sum(x * (DECAYING @ x)) / products

    truth, seeds = np.trace(DECAYING), range(50)

    def rms(estimate):
        return np.sqrt(np.mean([(float(estimate(seed)) - truth) ** 2 for seed in seeds]))

    few, many = (rms(lambda seed, k=k: trace(DECAYING, k, seed=seed)) for k in (6, 18))
    assert many < few / 50
    assert many < rms(lambda seed: hutchinson(36, seed)) / 100


@METHODS
def test_the_same_number_in_every_library(lib, method):
    mine = trace(lib.asarray(DECAYING), 8, method=method, seed=3)
    expected = trace(DECAYING, 8, method=method, seed=3)
    assert float(mine) == pytest.approx(float(expected), rel=1e-12)
    assert float(mine.error) == pytest.approx(float(expected.error), rel=1e-9)
    assert float(trace(DECAYING, 8, method=method, seed=4)) != float(expected)


def test_products_come_in_blocks():
    widths = []

    def matmat(x):
        widths.append(x.shape[1])
        return DECAYING @ x

    trace(kl.Function(matmat, shape=(N, N), dtype="float64"), 8)
    trace(kl.Function(matmat, shape=(N, N), dtype="float64"), 8, method="hutch++")
    assert widths == [8, 8, 8, 16]


@METHODS
@pytest.mark.parametrize("size", [1e150, 1e-150])
def test_extreme_sizes(size, method):
    result = trace(size * DECAYING, 20, method=method)
    assert float(result) / size == pytest.approx(np.trace(DECAYING), rel=1e-2)
    assert float(result.error) / size == pytest.approx(float(trace(DECAYING, 20, method=method).error), rel=1e-6)


@METHODS
def test_zero(method):
    result = trace(kl.Zero((9, 9), dtype="float64"), 4, method=method)
    assert (float(result), float(result.error)) == (0.0, 0.0)


def test_refusals():
    with pytest.raises(ValueError, match="needs a square A"):
        trace(np.ones((3, 4)))
    with pytest.raises(ValueError, match="samples must be at least 2"):
        trace(FLAT, 1)
    with pytest.raises(ValueError, match=r"unknown method 'girard' .*'xtrace', 'hutch\+\+'"):
        trace(FLAT, method="girard")
    with pytest.raises(TypeError, match="complex"):
        float(trace(NUMPY.asarray(normal((N, N), "complex128"))))
