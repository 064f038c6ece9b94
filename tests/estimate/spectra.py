"""Matrices of known spectrum for the estimates, and what is asked of all of them."""

import numpy as np

from tests.krylov.systems import with_spectrum
from tests.matrices import eps

N = 40
DECAYING = with_spectrum(0.7 ** np.arange(N), seed=1)
FLAT = with_spectrum(np.linspace(1, 2, N), seed=2)


def check_statistics(estimates, truth):
    """Unbiased within four standard errors of the mean, and the stated error is the right one for most seeds."""
    values = np.asarray([estimate.value for estimate in estimates])
    errors = np.asarray([estimate.error for estimate in estimates])
    off = np.abs(values - truth)
    assert np.max(np.abs(values.mean(axis=0) - truth) / values.std(axis=0)) <= 4 / len(estimates) ** 0.5
    assert np.mean(off <= errors) >= 0.4
    assert np.mean(off <= 2 * errors) >= 0.7
    # an error that is only large would cover too
    assert np.sqrt(np.mean(errors**2)) <= 1.5 * np.sqrt(np.mean(off**2))


def check_kept(estimate, lib, dtype, expected, digits_lost=1e3):
    """The value is near, and value and error are arrays of the library, the precision and the device."""
    for x in (estimate.value, estimate.error):
        assert lib.owns(x)
        assert lib.numpy(x).dtype.type(0).real.dtype == np.dtype(dtype).type(0).real.dtype
        assert x.shape == np.shape(expected)
    assert not np.iscomplexobj(lib.numpy(estimate.error))
    np.testing.assert_allclose(
        lib.numpy(estimate.value), expected, rtol=0, atol=digits_lost * eps(dtype) * np.max(np.abs(expected))
    )
