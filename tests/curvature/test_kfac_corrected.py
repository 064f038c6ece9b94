"""Laws of `kfac_corrected`: the stored reference, where it is exact, and that it never loses to K-FAC."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from kronlin.algebra import Sum
from kronlin.testing import check_operator
from tests.matrices import each_dtype
from tests.nets import (
    NETS,
    check_on_library,
    close,
    layer_lists,
    layers_of,
    mlp_layers,
    random_layers,
    reference,
)
from tests.operators.test_rearranged import by_definition

SHARING = pytest.mark.parametrize("sharing", ["expand", "reduce"])


@pytest.mark.parametrize("name", NETS)
def test_reference_terms(name):
    data = reference(name)
    for j, block in enumerate(kl.kfac_corrected(layers_of(data)).blocks):
        G, A, H, B = (data[f"l{j}_{key}"] for key in ("G_exp", "A_exp", "cor_G", "cor_A"))
        close(block.to_dense(), np.kron(G, A) + np.kron(H, B))


@given(layer_lists(), st.sampled_from(["expand", "reduce"]))
def test_the_error_is_that_of_the_best_term(layers, sharing):
    found = kl.kfac_corrected(layers, sharing).blocks
    exact, first = kl.block_diagonal_fisher(layers).blocks, kl.kfac(layers, sharing).blocks
    for layer, K, F, one in zip(layers, found, exact, first, strict=True):
        F, one = F.to_dense(), one.to_dense()
        shapes = ((layer.d_out, layer.d_out), (layer.d_in, layer.d_in))
        values = np.linalg.svd(by_definition(F - one, shapes), compute_uv=False)
        error = np.linalg.norm(F - K.to_dense())
        slack = 1e-12 * (np.linalg.norm(F) + np.linalg.norm(one))
        np.testing.assert_allclose(error, np.linalg.norm(values[1:]), rtol=1e-7, atol=100 * slack)
        assert error <= np.linalg.norm(F - one) + slack


def test_where_kfac_is_exact_the_second_term_is_zero():
    layers, _ = mlp_layers((4, 3, 3, 2), "mse", 6, activation="identity")
    for one, K in zip(kl.kfac(layers).blocks, kl.kfac_corrected(layers).blocks, strict=True):
        assert float(K.terms[1].norm()) == 0
        close(K.to_dense(), one.to_dense(), 1e-15)


@SHARING
@each_dtype(["float32", "float64"])
def test_every_library(lib, dtype, sharing):
    check_on_library(lambda layers: kl.kfac_corrected(layers, sharing), lib, dtype)


@SHARING
def test_types(sharing):
    layers = random_layers(np.random.default_rng(0), 5, 2, [(4, 3), (2, 3), (4, 3)], 2)
    K = kl.kfac_corrected(layers, sharing)
    assert isinstance(K, kl.BlockDiagonal)
    assert K.members == ((0, 2), (1,))
    assert all(type(bucket) is Sum for bucket in K.buckets)
    for block in K.blocks:
        first, second = block.terms
        assert type(first) is type(second) is kl.Kronecker
        assert (first.is_psd, second.is_psd, second.is_self_adjoint) == (True, None, True)
    assert K.is_self_adjoint is True
    assert K.is_psd is None
    check_operator(K)


def test_arguments_are_checked():
    layers = random_layers(np.random.default_rng(0), 2, 1, [(2, 2)])
    with pytest.raises(ValueError, match="unknown sharing 'average'"):
        kl.kfac_corrected(layers, "average")
    with pytest.raises(ValueError, match="layers is empty"):
        kl.kfac_corrected([])
