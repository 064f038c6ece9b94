"""The length of a step, against the functions that it is made of."""

import numpy as np
import pytest

import kronlin as kl
from kronlin.preconditioner.control import Control
from tests.libraries import eager
from tests.matrices import positive

RNG = np.random.default_rng(0)
A, V, G, D = positive(5), *RNG.normal(size=(3, 5))


def test_nothing_asked_for():
    assert Control().length(V, G, 1.0, None, None) is V


def test_rescaled():
    found = Control(rescale=True).length(V, G, 1.0, kl.Dense(A), D)
    np.testing.assert_array_equal(found, -kl.rescale_step(A, 0, G, -V).step)


def test_with_momentum():
    control = Control(rescale=True, momentum=True)
    np.testing.assert_array_equal(
        control.length(V, G, 1.0, kl.Dense(A), D), -kl.rescale_step(A, 0, G, -V, previous=D).step
    )
    np.testing.assert_array_equal(control.length(V, G, 1.0, kl.Dense(A), None), -kl.rescale_step(A, 0, G, -V).step)


@pytest.mark.parametrize("lr", [0.1, 1.0])
def test_clipped(lr):
    found = Control(clip=1e-3).length(G, G, lr, None, None)
    np.testing.assert_array_equal(found, kl.kl_clip(G, G, lr, 1e-3) * G)
    np.testing.assert_allclose(lr**2 * found @ G * np.linalg.norm(found) / np.linalg.norm(G), 1e-3)


def test_clipped_after_rescaling():
    v = Control(rescale=True).length(V, G, 1.0, kl.Dense(A), None)
    found = Control(rescale=True, clip=1e-3).length(V, G, 0.5, kl.Dense(A), None)
    np.testing.assert_array_equal(found, kl.kl_clip(v, G, 0.5, 1e-3) * v)


@pytest.mark.parametrize("lib", eager(), ids=str)
def test_every_library(lib):
    own, v, g = (lib.asarray(x, "float32") for x in (A, V, G))
    found = Control(rescale=True, clip=1e-3).length(v, g, 1.0, kl.Dense(own), None)
    assert lib.owns(found)
    assert found.dtype == v.dtype


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_refused(bad):
    with pytest.raises(ValueError, match="NaN or infinite"):
        Control().length(np.array([1.0, bad]), np.ones(2), 1.0, None, None)


@pytest.mark.parametrize(
    ("options", "match"),
    [({"momentum": True}, "rescale=True"), ({"clip": 0.0}, "kl_clip"), ({"clip": float("nan")}, "kl_clip")],
)
def test_arguments_are_checked(options, match):
    with pytest.raises(ValueError, match=match):
        Control(**options)
