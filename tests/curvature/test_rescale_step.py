"""Laws of rescaling: the best multiple of a step, and the best mixture with the previous one, by the quadratic model."""

from math import inf, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from tests.libraries import JAX
from tests.matrices import each_dtype, eps, normal, positive
from tests.nets import close, mlp_layers

SEEDS = st.integers(0, 99)
FIELDS = st.sampled_from(["float64", "complex128"])


@given(n=st.integers(1, 5), lam=st.floats(0, 10), dtype=FIELDS, seed=SEEDS)
def test_one_step(n, lam, dtype, seed):
    """α = -dᴴg / (dᴴF d + λ|d|²)."""
    F, g, d = positive(n, dtype, seed), normal((n,), dtype, seed + 1), normal((n,), dtype, seed + 2)
    alpha = -(d.conj() @ g) / (d.conj() @ F @ d + lam * (d.conj() @ d))
    found = kl.rescale_step(F, lam, g, d)
    close(found.coefficients, np.array([alpha]))
    close(found.step, alpha * d)
    np.testing.assert_allclose(found.predicted_reduction, -kl.quadratic_model(F, lam, g, found.step), atol=1e-12)


@given(n=st.integers(2, 5), lam=st.floats(0, 10), dtype=FIELDS, seed=SEEDS)
def test_with_the_previous_step(n, lam, dtype, seed):
    """The solution of the 2 × 2 system, and no other mixture is better."""
    F, g, Z = positive(n, dtype, seed), normal((n,), dtype, seed + 1), normal((n, 2), dtype, seed + 2)
    if np.linalg.cond(Z) > 1e3:
        return
    wanted = np.linalg.solve(Z.conj().T @ (F + lam * np.eye(n)) @ Z, -Z.conj().T @ g)
    found = kl.rescale_step(F, lam, g, Z[:, 0], Z[:, 1])
    close(found.coefficients, wanted, 1e-8)
    close(found.step, Z @ wanted, 1e-8)
    best = kl.quadratic_model(F, lam, g, found.step)
    np.testing.assert_allclose(found.predicted_reduction, -best, atol=1e-10)
    for other in normal((3, 2), dtype, seed + 3):
        assert kl.quadratic_model(F, lam, g, Z @ (wanted + other)) >= best - 1e-10
    assert found.predicted_reduction >= kl.rescale_step(F, lam, g, Z[:, 0]).predicted_reduction - 1e-10


def test_on_a_net_it_mends_the_length_of_kfac():
    layers, g = mlp_layers()
    F, d = kl.fisher(layers), -kl.kfac(layers).damped(1e-3).inverse() @ g
    found = kl.rescale_step(F, 1e-3, g, 7 * d)
    close(found.step, kl.rescale_step(F, 1e-3, g, d).step, 1e-10)
    assert kl.quadratic_model(F, 1e-3, g, found.step) < kl.quadratic_model(F, 1e-3, g, d)
    exact = -F.damped(1e-3).solve(g)
    np.testing.assert_allclose(kl.rescale_step(F, 1e-3, g, exact).coefficients, [1.0], rtol=1e-8)


@pytest.mark.parametrize("ratio", [1.0, -0.5, 1e-8, 1e8])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_collinear_steps(ratio, dtype):
    """The best multiple, both taking an equal part in it: least |α d|² + |μ δ|²."""
    F, g, d = positive(4, dtype), normal((4,), dtype, 1), normal((4,), dtype, 2)
    alone, found = kl.rescale_step(F, 0.1, g, d), kl.rescale_step(F, 0.1, g, d, np.asarray(ratio, dtype) * d)
    close(found.step, alone.step, 1e2 * eps(dtype))
    close(found.coefficients * np.array([1, ratio], dtype), np.full(2, alone.coefficients[0] / 2), 1e2 * eps(dtype))


def test_nearly_collinear_steps():
    """In single precision a difference of 1e-8 is rounding error, and no second direction."""
    d, g = normal((4,), "float32"), normal((4,), "float32", 1)
    other = d * (1 + 1e-8 * normal((4,), "float32", 2))
    found = kl.rescale_step(np.eye(4, dtype="float32"), 0, g, d, other)
    close(found.step, kl.rescale_step(np.eye(4, dtype="float32"), 0, g, d).step, 1e-5)


@pytest.mark.parametrize("size", [1e-30, 1e15])
def test_steps_of_very_different_lengths(size):
    F, g, d, other = (positive(4, "float32"), *(normal((4,), "float32", seed) for seed in range(3)))
    wanted = kl.rescale_step(F, 0.1, g, d, other)
    found = kl.rescale_step(F, 0.1, g, np.float32(size) * d, other)
    close(found.step, wanted.step, 1e-5)
    close(found.coefficients * np.array([size, 1]), wanted.coefficients.astype(float), 1e-5)


def test_a_single_parameter():
    """Two steps there are collinear."""
    found = kl.rescale_step(np.array([[2.0]]), 0, np.ones(1), np.ones(1), -3 * np.ones(1))
    close(found.step, np.array([-0.5]), 1e-15)


@pytest.mark.parametrize("zero", [0, 1])
def test_a_zero_step_takes_no_part(zero):
    F, g, steps = positive(4), normal((4,)), [normal((4,), seed=1)] * 2
    steps[zero] = np.zeros(4)
    found, alone = kl.rescale_step(F, 0.1, g, *steps), kl.rescale_step(F, 0.1, g, steps[1 - zero])
    close(found.step, alone.step)
    assert found.coefficients[zero] == 0
    close(found.coefficients[[1 - zero]], alone.coefficients)


@pytest.mark.parametrize("previous", [None, np.zeros(3)])
@pytest.mark.parametrize("F", [np.eye(3), -np.eye(3), np.zeros((3, 3))], ids=["pd", "negative", "zero"])
def test_nothing_but_zero_steps(previous, F):
    """There the model is constant, whatever F is."""
    found = kl.rescale_step(F, 0, np.ones(3), np.zeros(3), previous)
    assert not found.step.any()
    assert not found.coefficients.any()
    assert found.predicted_reduction == 0


def test_a_zero_gradient():
    found = kl.rescale_step(positive(3), 0.1, np.zeros(3), np.ones(3), normal((3,)))
    assert not found.step.any()
    assert found.predicted_reduction == 0


def test_a_direction_without_curvature():
    """It gets no share where the gradient has none there, and has no best multiple where it has one."""
    F, steps = np.diag([1.0, 0.0]), np.eye(2)
    close(kl.rescale_step(F, 0, np.array([1.0, 0.0]), *steps).step, np.array([-1.0, 0.0]), 1e-15)
    for size in (1e-30, 1.0, 1e30):
        g = np.full(2, size, dtype="float32")
        with pytest.raises(ValueError, match=r"no minimum along the steps.*down to 0; raise lam"):
            kl.rescale_step(F.astype("float32"), 0, g, *steps.astype("float32"))
    close(kl.rescale_step(F, 1.0, np.ones(2), *steps).step, np.array([-0.5, -1.0]), 1e-15)


@pytest.mark.parametrize("g", [np.zeros(2), np.ones(2)], ids=["zero", "ones"])
@pytest.mark.parametrize("steps", [np.eye(2)[1:], np.eye(2), np.ones((1, 2))], ids=["one", "both", "mixed"])
def test_negative_curvature(g, steps):
    F = np.diag([1.0, -2.0])
    with pytest.raises(ValueError, match="the quadratic model has no minimum along the steps"):
        kl.rescale_step(F, 0.4, g, *steps)
    assert kl.rescale_step(F, 2.5, g, *steps).predicted_reduction >= 0


@each_dtype()
def test_every_library(lib, dtype):
    F, Z = positive(4, dtype), normal((3, 4), dtype, 1)
    g, *steps = (lib.asarray(z) for z in Z)
    for previous in (steps[1:],) if lib is JAX else ((), steps[1:]):
        found = kl.rescale_step(lib.asarray(F), 0.1, g, steps[0], *previous)
        wanted = kl.rescale_step(F.astype(complex), 0.1, *Z.astype(complex)[: 2 + len(previous)])
        for name in ("step", "coefficients"):
            x = getattr(found, name)
            assert lib.owns(x)
            assert x.dtype == g.dtype
            close(lib.numpy(x).astype(complex), getattr(wanted, name), 1e3 * eps(dtype))
        assert lib.owns(found.predicted_reduction)
        assert found.predicted_reduction.shape == ()
        np.testing.assert_allclose(
            lib.numpy(found.predicted_reduction), wanted.predicted_reduction, rtol=1e3 * eps(dtype)
        )


@pytest.mark.parametrize("bad", [nan, inf])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_entries_that_are_no_numbers(bad, place):
    vectors = [np.ones(3), np.ones(3), np.arange(3.0)]
    vectors[place] = np.array([1.0, bad, 1.0])
    with pytest.raises(ValueError, match="NaN or infinite: do not take this step"):
        kl.rescale_step(np.eye(3), 0, *vectors)


@pytest.mark.parametrize(
    ("lam", "previous", "match"),
    [(-1.0, None, "not negative, not -1"), (0, np.ones(2), r"previous has shape \(2,\) beside a 3×3 F")],
)
def test_arguments_are_checked(lam, previous, match):
    with pytest.raises(ValueError, match=match):
        kl.rescale_step(np.eye(3), lam, np.ones(3), np.ones(3), previous)
