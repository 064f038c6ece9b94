"""Laws of `foof`: K-FAC with G = I, and where it is exact."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from kronlin.testing import check_operator
from tests.libraries import NUMPY, fast
from tests.nets import close, layer_lists, mlp_layers, random_layers, tiny_layers

SHARING = pytest.mark.parametrize("sharing", ["expand", "reduce"])


@given(layer_lists(), st.sampled_from(["expand", "reduce"]))
def test_definition(layers, sharing):
    for layer, block, K in zip(layers, kl.foof(layers, sharing).blocks, kl.kfac(layers, sharing).blocks, strict=True):
        close(block.to_dense(), np.kron(np.eye(layer.d_out), K.factors[1].to_dense()), 1e-14)


@given(layer_lists())
def test_is_blind_to_the_gradients(layers):
    scaled = [kl.LayerStatistics(layer.inputs, 3 * layer.output_gradients) for layer in layers]
    close(kl.foof(scaled).to_dense(), kl.foof(layers).to_dense(), 1e-15)


@pytest.mark.parametrize("bias", [True, False])
def test_exact_up_to_scale_on_one_linear_layer_with_square_loss(bias):
    layers, _ = mlp_layers((4, 3), "mse", 6, bias=bias)
    exact, found = kl.fisher(layers).to_dense(), kl.foof(layers).to_dense()
    close(found * np.trace(exact) / np.trace(found), exact)
    deeper = mlp_layers((4, 3, 2), "mse", 6, bias=bias)[0][:1]
    exact, found = kl.fisher(deeper).to_dense(), kl.foof(deeper).to_dense()
    assert np.linalg.norm(found * np.trace(exact) / np.trace(found) - exact) > 0.1 * np.linalg.norm(exact)


@SHARING
def test_types(sharing):
    F = kl.foof(random_layers(np.random.default_rng(0), 5, 2, [(4, 3), (2, 3), (4, 3)], 2), sharing)
    assert type(F) is kl.BlockDiagonal
    assert (F.members, F.is_psd) == (((0, 2), (1,)), True)
    assert all([type(factor) for factor in block.factors] == [kl.Identity, kl.Dense] for block in F.buckets)
    inverse = F.damped(0.1).inverse()
    assert all(type(block) is kl.Spectral and type(block.Q) is kl.Kronecker for block in inverse.buckets)
    assert inverse.is_pd is True


@SHARING
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float64", 1e-12)])
def test_every_library(lib, sharing, dtype, tolerance):
    F, b = kl.foof(tiny_layers(lib, dtype), sharing).damped(0.1), np.arange(12.0)
    dense = kl.foof(tiny_layers(NUMPY), sharing).to_dense() + 0.1 * np.eye(12)
    for step in (F.solve(lib.asarray(b, dtype)), F.inverse() @ lib.asarray(b, dtype)):
        assert lib.owns(step)
        assert step.dtype == getattr(lib.xp, dtype)
        close(lib.numpy(step), np.linalg.solve(dense, b), tolerance)


@pytest.mark.parametrize("library", fast(), ids=str)
def test_is_an_operator(library):
    check_operator(kl.foof(tiny_layers(library)))


def test_bad_input():
    with pytest.raises(ValueError, match="unknown sharing 'average'"):
        kl.foof(tiny_layers(NUMPY), "average")
    with pytest.raises(ValueError, match="layers is empty"):
        kl.foof([])
