"""The partial traces against those of the dense Fisher block."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kronlin import memory_limit
from kronlin.curvature import _partial_traces
from kronlin.curvature._fisher import root
from kronlin.curvature._partial_traces import partial_traces
from tests.libraries import NUMPY
from tests.matrices import each_dtype, eps
from tests.nets import close, fisher_by_definition, layer_lists, random_layers


def by_definition(layer):
    """Σ_j F[(o, j), (q, j)] and Σ_o F[(o, i), (o, j)]."""
    F = fisher_by_definition([layer]).reshape(layer.d_out, layer.d_in, layer.d_out, layer.d_in)
    return np.einsum("ojqj->oq", F), np.einsum("oioj->ij", F)


@given(layer_lists(), st.sampled_from([1, 160, 2**25]))
def test_definition(layers, limit):
    for layer in layers:
        with memory_limit(limit):
            found = partial_traces(layer)
        for trace, wanted in zip(found, by_definition(layer), strict=True):
            close(trace, wanted)


@given(st.tuples(*[st.integers(1, 4)] * 5), st.booleans(), st.sampled_from([1, 2**28]))
def test_both_ways_with_shared_weights(sizes, is_complex, limit):
    """Through the gradients, and through the triangular factors of the positions, of which there may be many or few."""
    n, S, K, d_out, d_in = sizes
    layer = random_layers(
        np.random.default_rng(0), n, K, [(d_out, d_in)], S, dtype="complex128" if is_complex else "float64"
    )[0]
    U = root(layer)
    for found, wanted in zip(_partial_traces._of_positions(U), _partial_traces._of_gradients(U), strict=True):
        close(found, wanted)
        assert found.dtype == wanted.dtype
    with memory_limit(limit):
        for found, wanted in zip(partial_traces(layer), by_definition(layer), strict=True):
            close(found, wanted)


def test_the_cheaper_way_is_taken(monkeypatch):
    few, many = (random_layers(np.random.default_rng(0), 3, 2, [size], 4)[0] for size in ((20, 30), (2, 3)))
    for layer, other in ((few, "_of_gradients"), (many, "_of_positions")):
        wanted = by_definition(layer)
        with monkeypatch.context() as patch:
            patch.setattr(_partial_traces, other, None)
            for trace, exact in zip(partial_traces(layer), wanted, strict=True):
                close(trace, exact)


@each_dtype()
def test_every_library(lib, dtype):
    for S in (1, 2):
        layer, twin = (random_layers(np.random.default_rng(0), 3, 2, [(3, 2)], S, x, dtype)[0] for x in (lib, NUMPY))
        for trace, wanted in zip(partial_traces(layer), by_definition(twin), strict=True):
            assert lib.owns(trace)
            assert trace.dtype == getattr(lib.xp, dtype)
            close(lib.numpy(trace), wanted, 100 * eps(dtype))
