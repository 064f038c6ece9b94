"""Laws of `kfac`: its factors; its bounds, and where it is exact and where not, have rooms of their own."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kronlin import memory_limit
from kronlin.curvature import block_diagonal_fisher, kfac
from kronlin.operators import BlockDiagonal, Kronecker, Spectral
from kronlin.testing import check_operator
from tests.libraries import NUMPY, fast
from tests.memory import peak_of
from tests.nets import (
    DAMPINGS,
    NET,
    check_reference_step,
    close,
    layer_lists,
    layers_of,
    random_layers,
    reference,
    tiny_layers,
)

SHARING = pytest.mark.parametrize("sharing", ["expand", "reduce"])


def error(layers, sharing="expand", layer=None):
    """The relative Frobenius error of K-FAC, of all blocks or of one."""
    found, wanted = kfac(layers, sharing).blocks, block_diagonal_fisher(layers).blocks
    chosen = range(len(layers)) if layer is None else [layer]
    parts = [(found[j].to_dense() - wanted[j].to_dense(), wanted[j].to_dense()) for j in chosen]
    return max(np.linalg.norm(difference) / np.linalg.norm(block) for difference, block in parts)


def by_definition(layer, sharing):
    """G and A one outer product at a time."""
    a, g = layer.inputs, layer.output_gradients
    n, S = a.shape[:2]
    if sharing == "reduce":
        a, g, S = a.mean(axis=1)[:, None], g.sum(axis=1)[:, None], 1
    A = sum(np.outer(a[i, s], a[i, s]) for i in range(n) for s in range(S)) / (n * S)
    G = sum(np.outer(g[i, s, k], g[i, s, k]) for i in range(n) for s in range(S) for k in range(g.shape[2])) / n
    return G, A


@pytest.mark.parametrize("limit", [2**12, 2**15])
def test_complex_factors_in_pieces(limit):
    """Conjugates are copies, of a few rows at a time."""
    layer = random_layers(np.random.default_rng(0), 300, 2, [(5, 4)], 3, dtype="complex128")[0]
    whole = kfac([layer]).to_dense()
    with memory_limit(limit):
        K, peak = peak_of(lambda: kfac([layer]))
    close(K.to_dense(), whole)
    assert peak < 2**15 + 6 * K.nbytes + 10_000


@NET
@SHARING
@pytest.mark.parametrize(("columns", "key"), [("g2", "G"), ("ge", "Gemp"), ("gmc", "Gmc")])
def test_reference_factors(name, sharing, columns, key):
    data, ending = reference(name), sharing[:3]
    for j, block in enumerate(kfac(layers_of(data, columns), sharing).blocks):
        G, A = (factor.to_dense() for factor in block.factors)
        close(np.kron(G, A), np.kron(data[f"l{j}_{key}_{ending}"], data[f"l{j}_A_{ending}"]))


@NET
@SHARING
def test_reference_errors(name, sharing):
    data = reference(name)
    for j in range(int(data["n_layers"])):
        found = error(layers_of(data), sharing, j)
        assert found == pytest.approx(float(data[f"l{j}_err_{sharing[:3]}"]), rel=1e-10, abs=1e-13)


@NET
@SHARING
@pytest.mark.parametrize("lam", DAMPINGS)
def test_reference_steps(name, sharing, lam):
    data = reference(name)
    damped = kfac(layers_of(data), sharing).damped(float(lam))
    check_reference_step(damped, data, f"kfac_{sharing[:3]}_tik_{lam}")


@SHARING
def test_every_library(lib, sharing):
    layers, b = tiny_layers(lib), np.arange(12.0)
    K, numpy_K, x = kfac(layers, sharing), kfac(tiny_layers(NUMPY), sharing), lib.asarray(b)
    close(lib.numpy(K @ x), numpy_K @ b)
    for step in (K.damped(0.1).solve(x), K.damped(0.1).inverse() @ x):
        close(lib.numpy(step), np.linalg.solve(numpy_K.to_dense() + 0.1 * np.eye(12), b))
        assert lib.owns(step)


@given(layer_lists(), st.sampled_from(["expand", "reduce"]))
def test_definition(layers, sharing):
    for layer, block in zip(layers, kfac(layers, sharing).blocks, strict=True):
        G, A = by_definition(layer, sharing)
        close(block.factors[0].to_dense(), G, 1e-13)
        close(block.factors[1].to_dense(), A, 1e-13)
        close(block.to_dense(), np.kron(G, A))


@given(layer_lists(shared=False))
def test_without_shared_weights_both_are_the_same(layers):
    close(kfac(layers).to_dense(), kfac(layers, "reduce").to_dense(), 1e-14)


@given(layer_lists(), st.sampled_from(["expand", "reduce"]))
def test_identities_of_the_kronecker_product(layers, sharing):
    for block in kfac(layers, sharing).blocks:
        G, A = (factor.to_dense() for factor in block.factors)
        np.testing.assert_allclose(block.trace(), np.trace(G) * np.trace(A), rtol=1e-13)
        np.testing.assert_allclose(block.norm(), np.linalg.norm(G) * np.linalg.norm(A), rtol=1e-13)
        products = np.sort(np.outer(np.linalg.eigvalsh(G), np.linalg.eigvalsh(A)), axis=None)
        np.testing.assert_allclose(block.eigvalsh(), products, atol=1e-13 * products[-1])


# Structure


@SHARING
@pytest.mark.parametrize("library", fast(), ids=str)
def test_is_an_operator(library, sharing):
    K = kfac(tiny_layers(library), sharing)
    check_operator(K)
    check_operator(K.damped(0.5))


@SHARING
def test_types(sharing):
    layers = random_layers(np.random.default_rng(0), 5, 2, [(4, 3), (2, 3), (4, 3)], 2)
    K = kfac(layers, sharing)
    assert isinstance(K, BlockDiagonal)
    assert K.members == ((0, 2), (1,))
    assert all(isinstance(bucket, Kronecker) for bucket in K.buckets)
    assert K.is_psd is True
    damped = K.damped(0.1)
    for operator in (damped, damped.inverse(), damped.power(-0.5)):
        assert isinstance(operator, BlockDiagonal)
        assert operator.members == K.members
        assert all(isinstance(bucket, Spectral) and isinstance(bucket.Q, Kronecker) for bucket in operator.buckets)
        assert operator.is_pd is True


@SHARING
def test_float32_stays_float32(lib, sharing):
    K, x = kfac(tiny_layers(lib, "float32"), sharing), lib.asarray(np.arange(12.0), "float32")
    for result in (K @ x, K.damped(0.5).solve(x), K.damped(0.5).inverse() @ x):
        assert result.dtype == lib.xp.float32
        assert lib.owns(result)
    double = kfac(tiny_layers(NUMPY), sharing).damped(0.5)
    close(lib.numpy(result), double.solve(np.arange(12.0)), 1e-5)


def test_complex_factors():
    layer = random_layers(np.random.default_rng(0), 4, 2, [(3, 2)], 2, dtype="complex128")[0]
    G, A = (factor.to_dense() for factor in kfac([layer]).blocks[0].factors)
    a, g = layer.inputs.reshape(-1, 2), layer.output_gradients.reshape(-1, 3)
    close(A, sum(np.outer(x, x.conj()) for x in a) / 8)
    close(G, sum(np.outer(x, x.conj()) for x in g) / 4)


def test_unknown_sharing():
    layers = random_layers(np.random.default_rng(0), 2, 1, [(2, 2)])
    with pytest.raises(ValueError, match="unknown sharing 'average': choose one of 'expand', 'reduce'"):
        kfac(layers, "average")


def test_layers_are_checked():
    with pytest.raises(ValueError, match="layers is empty"):
        kfac([])
    with pytest.raises(ValueError, match=r"disagree on n: \[2, 3\]"):
        kfac([random_layers(np.random.default_rng(0), n, 1, [(2, 2)])[0] for n in (2, 3)])
    with pytest.raises(TypeError, match="a sequence of LayerStatistics"):
        kfac([np.ones((2, 2))])
