"""Diagonal: entry by entry."""

import numpy as np
import pytest

import kronlin as kl
from tests.matrices import each_dtype, normal
from tests.operators.laws import check


@each_dtype()
@pytest.mark.parametrize("shape", ["signed", "positive", "singular"])
def test_laws(lib, dtype, shape):
    d = normal((5,), dtype)
    if shape != "signed":
        d = abs(d).astype(dtype) + 0.5
    if shape == "singular":
        d[2] = 0
    check(kl.Diagonal(lib.asarray(d)), np.diag(d), lib)


def test_result_types_and_properties():
    d = kl.Diagonal(np.array([1.0, 2.0]))
    for op in (d @ d, d + d, 3 * d, d.damped(1.0), d.H, d.inverse(), d.pinv()):
        assert type(op) is kl.Diagonal
    assert type(d @ kl.Dense(np.eye(2))) is kl.Dense
    assert type(kl.Dense(np.eye(2)) @ d) is kl.Dense
    assert type(d.eigh()) is kl.Spectral
    assert (d.is_pd, kl.Diagonal(np.array([1.0, 0.0])).is_pd, kl.Diagonal(np.array([1.0, -1.0])).is_psd) == (
        True,
        False,
        False,
    )
    assert kl.Diagonal(np.array([1j])).is_self_adjoint is False


def test_a_zero_entry_has_no_inverse_but_a_pseudo_inverse():
    d = kl.Diagonal(np.array([2.0, 0.0]))
    with pytest.raises(kl.SingularMatrixError, match="an entry is zero"):
        d.inverse()
    np.testing.assert_array_equal(d.pinv().diagonal(), [0.5, 0.0])


def test_bad_input():
    with pytest.raises(ValueError, match=r"takes an array of shape \(n,\)"):
        kl.Diagonal(np.eye(2))
    with pytest.raises(ValueError, match="NaN or infinite"):
        kl.Diagonal(np.array([np.nan]))
