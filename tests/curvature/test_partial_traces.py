"""The partial traces against those of the dense Fisher block."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kronlin.curvature import _weight_gradients
from kronlin.curvature._partial_traces import partial_traces
from tests.libraries import NUMPY
from tests.matrices import each_dtype, eps
from tests.nets import close, fisher_by_definition, layer_lists, random_layers


def by_definition(layer):
    """Σ_j F[(o, j), (q, j)] and Σ_o F[(o, i), (o, j)]."""
    F = fisher_by_definition([layer]).reshape(layer.d_out, layer.d_in, layer.d_out, layer.d_in)
    return np.einsum("ojqj->oq", F), np.einsum("oioj->ij", F)


@given(layer_lists(), st.sampled_from([1, 20, 2**22]))
def test_definition(layers, chunk):
    for layer in layers:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_weight_gradients, "CHUNK", chunk)
            found = partial_traces(layer)
        for trace, wanted in zip(found, by_definition(layer), strict=True):
            close(trace, wanted)


@each_dtype()
def test_every_library(lib, dtype):
    for S in (1, 2):
        layer, twin = (random_layers(np.random.default_rng(0), 3, 2, [(3, 2)], S, x, dtype)[0] for x in (lib, NUMPY))
        for trace, wanted in zip(partial_traces(layer), by_definition(twin), strict=True):
            assert lib.owns(trace)
            assert trace.dtype == getattr(lib.xp, dtype)
            close(lib.numpy(trace), wanted, 100 * eps(dtype))
