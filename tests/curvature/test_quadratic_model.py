"""Laws of the quadratic model and of the ratio of reductions."""

from math import inf, isnan, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from tests.matrices import each_dtype, eps, hermitian, normal, positive
from tests.nets import mlp_layers


@given(
    n=st.integers(1, 5), lam=st.floats(0, 10), dtype=st.sampled_from(["float64", "complex128"]), seed=st.integers(0, 99)
)
def test_definition(n, lam, dtype, seed):
    F, g, d = hermitian(n, dtype, seed), normal((n,), dtype, seed + 1), normal((n,), dtype, seed + 2)
    wanted = (g.conj() @ d + d.conj() @ (F + lam * np.eye(n)) @ d / 2).real
    found = kl.quadratic_model(F, lam, g, d)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, wanted, atol=1e-12 * (abs(g) @ abs(d) + abs(d) @ abs(F) @ abs(d)))


def test_the_damped_step_is_its_minimum():
    """q(d) = ½ gᴴd there; λ = 0 leaves ½ λ |d|² out."""
    layers, gradient = mlp_layers()
    F = kl.fisher(layers)
    d = -F.damped(0.1).solve(gradient)
    best = kl.quadratic_model(F, 0.1, gradient, d)
    np.testing.assert_allclose(best, gradient @ d / 2, rtol=1e-10)
    np.testing.assert_allclose(kl.quadratic_model(F, 0, gradient, d), best - 0.05 * d @ d, rtol=1e-10)
    rng = np.random.default_rng(0)
    assert all(kl.quadratic_model(F, 0.1, gradient, d + 0.01 * rng.standard_normal(d.shape)) > best for _ in range(5))


@each_dtype()
def test_every_library(lib, dtype):
    F, g, d = positive(3, dtype), normal((3,), dtype, 1), normal((3,), dtype, 2)
    found = kl.quadratic_model(lib.asarray(F), 0.5, lib.asarray(g), lib.asarray(d))
    assert lib.owns(found)
    assert found.shape == ()
    assert found.dtype == getattr(lib.xp, dtype.replace("complex64", "float32").replace("complex128", "float64"))
    np.testing.assert_allclose(lib.numpy(found), kl.quadratic_model(F, 0.5, g, d), atol=20 * eps(dtype))


def test_a_small_change_in_single_precision():
    """Beside a loss of size 1 it would be rounded away."""
    F, g = np.eye(2, dtype=np.float32), np.full(2, 1e-6, dtype=np.float32)
    np.testing.assert_allclose(kl.quadratic_model(F, 0, g, -g), -1e-12, rtol=1e-6)


def test_a_real_gradient_meets_a_complex_curvature():
    F, g = hermitian(3, "complex128"), normal((3,))
    np.testing.assert_allclose(kl.quadratic_model(F, 0, g, -g), (-g @ g + g @ F @ g / 2).real, rtol=1e-12)


@pytest.mark.parametrize(
    ("F", "lam", "g", "d", "match"),
    [
        (np.eye(2), -1.0, np.ones(2), np.ones(2), "not negative, not -1"),
        (np.eye(2), nan, np.ones(2), np.ones(2), "damping must be a finite number"),
        (np.eye(2), 0, np.ones(3), np.ones(2), r"gradient has shape \(3,\) beside a 2×2 F"),
        (np.eye(2), 0, np.ones(2), np.ones((2, 1)), r"step has shape \(2, 1\) beside"),
        (np.ones((2, 3)), 0, np.ones(3), np.ones(3), "pass a square F"),
        (np.eye(2), 0, np.ones(2, dtype="float32"), np.ones(2), "a quadratic model mixes numpy float64 with"),
    ],
)
def test_arguments_are_checked(F, lam, g, d, match):
    with pytest.raises(ValueError, match=match):
        kl.quadratic_model(F, lam, g, d)


@given(actual=st.floats(-1e6, 1e6), predicted=st.floats(1e-6, 1e6))
def test_ratio(actual, predicted):
    assert kl.reduction_ratio(actual, np.asarray(predicted)) == actual / predicted


@pytest.mark.parametrize(
    ("actual", "predicted"),
    [(nan, 1.0), (1.0, nan), (inf, 1.0), (-inf, 1.0), (1.0, inf), (1.0, 0.0), (0.0, 0.0), (-1.0, -1.0), (1.0, -1.0)],
)
def test_a_ratio_that_says_nothing(actual, predicted):
    """Both negative would look like a good step."""
    assert isnan(kl.reduction_ratio(actual, predicted))


@pytest.mark.parametrize("wrong", [1j, "1", np.ones(2), None])
def test_a_reduction_is_a_number(wrong):
    with pytest.raises(TypeError, match="a reduction must be a real number or scalar array"):
        kl.reduction_ratio(wrong, 1.0)
