"""Laws of KL clipping."""

from math import inf, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from tests.matrices import each_dtype, eps, normal, positive
from tests.nets import mlp_layers


@given(
    scale=st.floats(1e-4, 1e4),
    lr=st.floats(1e-3, 10),
    kappa=st.floats(1e-4, 10),
    dtype=st.sampled_from(["float64", "complex128"]),
    seed=st.integers(0, 99),
)
def test_definition(scale, lr, kappa, dtype, seed):
    g = scale * normal((4,), dtype, seed)
    d = positive(4, dtype, seed) @ g
    wanted = min(1.0, (kappa / (lr**2 * (d.conj() @ g).real)) ** 0.5)
    found = kl.kl_clip(d, g, lr, kappa)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


@pytest.mark.parametrize("kappa", [1e-8, 1e8])
def test_bounds_the_divergence(kappa):
    """For d = F⁻¹ g the step lr ν d has the squared length κ, or less where nothing is clipped."""
    layers, gradient = mlp_layers()
    F = kl.fisher(layers).damped(0.1)
    d = F.solve(gradient)
    step = 0.5 * kl.kl_clip(d, gradient, 0.5, kappa) * d
    length = step @ (F @ step)
    assert length <= kappa * (1 + 1e-10)
    if kappa == 1e-8:
        np.testing.assert_allclose(length, kappa, rtol=1e-10)


def test_one_factor_for_all_layers():
    layers, gradient = mlp_layers()
    K = kl.kfac(layers).damped(0.1)
    d = K.solve(gradient)
    cuts = np.cumsum(K.rows.sizes)[:-1]
    total = sum(d_l @ g_l for d_l, g_l in zip(np.split(d, cuts), np.split(gradient, cuts), strict=True))
    np.testing.assert_allclose(kl.kl_clip(d, gradient, 1.0, 1e-6), (1e-6 / total) ** 0.5, rtol=1e-12)


@pytest.mark.parametrize("d", [np.zeros(2), -np.ones(2), np.array([1.0, -1.0]), np.array([])])
def test_where_nothing_is_measured(d):
    """A zero direction, one that points backwards, and an orthogonal one."""
    assert kl.kl_clip(d, np.ones(len(d))) == 1


@each_dtype()
def test_every_library(lib, dtype):
    d, g = (lib.asarray(normal((3,), dtype)) for _ in range(2))
    found = kl.kl_clip(d, g, 0.1, 1e-4)
    assert lib.owns(found)
    assert found.shape == ()
    assert found.dtype == getattr(lib.xp, dtype.replace("complex64", "float32").replace("complex128", "float64"))
    np.testing.assert_allclose(lib.numpy(found), 0.1 / np.linalg.norm(lib.numpy(g)), rtol=20 * eps(dtype))


@pytest.mark.parametrize("size", [1e-30, 1e30])
def test_extreme_lengths_in_single_precision(size):
    """The square of such a length is no number of single precision."""
    g = np.full(2, size, dtype=np.float32)
    found = kl.kl_clip(g, g, 1.0, 1e-3)
    np.testing.assert_allclose(found, min(1.0, (1e-3 / 2) ** 0.5 / size), rtol=1e-5)
    np.testing.assert_allclose(kl.kl_clip(g, g, 1e-20 / size, 1e-3), 1.0)


@pytest.mark.parametrize("bad", [nan, inf, -inf])
@pytest.mark.parametrize("place", [0, 1])
def test_entries_that_are_no_numbers(bad, place):
    vectors = [np.ones(3), np.ones(3)]
    vectors[place][1] = bad
    with pytest.raises(ValueError, match="NaN or infinite: do not take this step"):
        kl.kl_clip(*vectors)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ((np.ones(2), np.ones(3)), r"have the shapes \(2,\) and \(3,\)"),
        ((np.ones((2, 1)), np.ones((2, 1))), "pass two vectors"),
        ((np.ones(2), np.ones(2, dtype="float32")), "KL clipping mixes numpy float64 with numpy float32"),
        ((np.ones(2), np.ones(2), 0.0), "lr must be positive and finite, not 0.0"),
        ((np.ones(2), np.ones(2), 1.0, -1.0), "kappa must be positive and finite, not -1.0"),
        ((np.ones(2), np.ones(2), 1.0, inf), "kappa must be positive"),
        ((np.ones(2), np.ones(2), 1j), "lr must be positive"),
    ],
)
def test_arguments_are_checked(arguments, match):
    with pytest.raises(ValueError, match=match):
        kl.kl_clip(*arguments)
