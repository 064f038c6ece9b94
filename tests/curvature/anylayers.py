"""Layers of every origin: of random networks with every kind of columns, and with random entries, real or complex."""

import numpy as np
from hypothesis import strategies as st

from kronlin.sources.numpy_mlp import collect
from tests.nets import random_layers, root_by_definition
from tests.networks import KINDS, problems

FISHERS = ("type-2", "empirical", "mc")


@st.composite
def any_layers(draw, shared=True):
    """The layers of one random network, or as many with normal entries; `shared`: weights used at many positions."""
    if draw(st.booleans()):
        kinds = KINDS if shared else ("perceptron",)
        return list(collect(*draw(problems(kinds)), fisher=draw(st.sampled_from(FISHERS)), seed=0)[0])
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sizes = draw(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=3))
    S = draw(st.lists(st.integers(1, 3 if shared else 1), min_size=len(sizes), max_size=len(sizes)))
    dtype = draw(st.sampled_from(["float64", "complex128"]))
    return random_layers(rng, draw(st.integers(1, 5)), draw(st.integers(1, 3)), sizes, S, dtype=dtype)


def gradients(layer):
    """The matrices P_ik = Σ_s g_isk a_isᵀ, (n K, d_out, d_in)."""
    return root_by_definition(layer).T.reshape(-1, layer.d_out, layer.d_in)


def shapes_of(layer):
    """Those of the factors of its block."""
    return (layer.d_out, layer.d_out), (layer.d_in, layer.d_in)


def assert_psd(matrix, size, tolerance=1e-12):
    """No eigenvalue below zero, but for rounding errors of a given size."""
    assert np.linalg.eigvalsh((matrix + matrix.conj().T) / 2).min(initial=0) >= -tolerance * max(size, 1e-300)
