"""Laws of `tkfac`: the partial traces of the Fisher blocks, and where their product is exact."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kronlin import memory_limit
from kronlin.curvature import LayerStatistics, block_diagonal_fisher, kfac, tkfac
from kronlin.operators import BlockDiagonal, Kronecker, Spectral
from kronlin.testing import check_operator
from tests.libraries import NUMPY, eager, fast
from tests.memory import peak_of
from tests.nets import (
    DAMPINGS,
    NET,
    check_reference_step,
    close,
    fisher_by_definition,
    layer_lists,
    layers_of,
    mlp_layers,
    random_layers,
    reference,
    tiny_layers,
)


def by_definition(layer):
    """G ⊗ A / δ with the partial traces summed from the dense block."""
    d_out, d_in = layer.d_out, layer.d_in
    F = fisher_by_definition([layer]).reshape(d_out, d_in, d_out, d_in)
    G, A = np.einsum("oiqi->oq", F), np.einsum("oioj->ij", F)
    return np.kron(G, A) / np.trace(A)


def error(layers):
    """The largest relative error of a block."""
    pairs = zip(tkfac(layers).blocks, block_diagonal_fisher(layers).blocks, strict=True)
    return max(np.linalg.norm((t - f.to_dense()).to_dense()) / f.norm() for t, f in pairs)


@NET
def test_reference_operators(name):
    data = reference(name)
    for j, block in enumerate(tkfac(layers_of(data)).blocks):
        close(block.to_dense(), np.kron(data[f"l{j}_tk_G"], data[f"l{j}_tk_A"]) / data[f"l{j}_tk_tr"])


@NET
@pytest.mark.parametrize("lam", DAMPINGS)
def test_reference_steps(name, lam):
    data = reference(name)
    damped = tkfac(layers_of(data)).damped(float(lam))
    check_reference_step(damped, data, f"tkfac_{lam}")


@given(layer_lists(), st.sampled_from([1, 600, 2**28]))
def test_definition(layers, limit):
    with memory_limit(limit):
        blocks = tkfac(layers).blocks
    for layer, block in zip(layers, blocks, strict=True):
        close(block.to_dense(), by_definition(layer))
        np.testing.assert_allclose(block.factors[1].trace(), 1.0, rtol=1e-13)


@pytest.mark.parametrize("lib", eager(), ids=str)
def test_few_positions_in_every_library(lib):
    layer, twin = (
        random_layers(np.random.default_rng(0), 3, 1, [(9, 8)], 2, each, "complex128")[0] for each in (lib, NUMPY)
    )
    found = tkfac([layer])
    assert lib.owns(found.diagonal())
    close(lib.numpy(found.to_dense()), by_definition(twin))


@pytest.mark.parametrize("S", [1, 2, 40])
def test_the_peak_keeps_to_the_limit(S):
    layer = random_layers(np.random.default_rng(0), 200, 2, [(30, 40)], S)[0]
    whole = tkfac([layer]).to_dense()
    with memory_limit(2**19):
        T, peak = peak_of(lambda: tkfac([layer]))
    close(T.to_dense(), whole)
    assert peak < 2**19 + 6 * T.nbytes


@pytest.mark.parametrize("lib", eager(), ids=str)
@pytest.mark.parametrize("S", [1, 2])
def test_complex_layers(lib, S):
    layer, twin = (
        random_layers(np.random.default_rng(0), 4, 2, [(3, 2)], S, library, "complex128")[0] for library in (lib, NUMPY)
    )
    block, wanted, b = tkfac([layer]).blocks[0], by_definition(twin), np.ones(6) + 1j
    close(lib.numpy(block.to_dense()), wanted)
    close(lib.numpy(block.damped(0.5).solve(lib.asarray(b))), np.linalg.solve(wanted + 0.5 * np.eye(6), b))


# Where it is exact


@pytest.mark.parametrize("S", [1, 3])
def test_exact_for_a_kronecker_product(S):
    """Every pair of an input and a gradient once; for S > 1 all but one position are idle."""
    rng = np.random.default_rng(0)
    a, g = rng.standard_normal((3, 4)), rng.standard_normal((5, 2, 3))
    inputs, gradients = np.zeros((15, S, 4)), np.zeros((15, S, 2, 3))
    inputs[:, 0], gradients[:, 0] = np.repeat(a, 5, axis=0), np.tile(g, (3, 1, 1))
    assert error([LayerStatistics(inputs, gradients)]) < 1e-13


@pytest.mark.parametrize(("loss", "n", "options"), [("softmax", 1, {}), ("mse", 6, {"activation": "identity"})])
def test_exact_where_kfac_is(loss, n, options):
    layers, _ = mlp_layers((4, 3, 3, 2), loss, n, **options)
    assert error(layers) < 1e-13
    close(tkfac(layers).to_dense(), kfac(layers).to_dense())


def test_not_exact_elsewhere():
    assert error(mlp_layers()[0]) > 1e-2


# Structure


def test_every_library(lib):
    layers, b = tiny_layers(lib), np.arange(12.0)
    T, numpy_T, x = tkfac(layers), tkfac(tiny_layers(NUMPY)), lib.asarray(b)
    close(lib.numpy(T @ x), numpy_T @ b)
    for step in (T.damped(0.1).solve(x), T.damped(0.1).inverse() @ x):
        close(lib.numpy(step), np.linalg.solve(numpy_T.to_dense() + 0.1 * np.eye(12), b))
        assert lib.owns(step)


def test_float32_stays_float32(lib):
    layers = tiny_layers(lib, "float32")
    T, x = tkfac(layers), lib.asarray(np.arange(12.0), "float32")
    for result in (T @ x, T.trace(), T.damped(0.5).inverse() @ x, T.damped(0.5).solve(x)):
        assert result.dtype == lib.xp.float32
        assert lib.owns(result)
    double = tkfac(tiny_layers(NUMPY)).damped(0.5)
    close(lib.numpy(result), double.solve(np.arange(12.0)), 1e-5)


@pytest.mark.parametrize("library", fast(), ids=str)
def test_is_an_operator(library):
    check_operator(tkfac(tiny_layers(library)))


def test_types():
    layers = random_layers(np.random.default_rng(0), 5, 2, [(4, 3), (2, 3), (4, 3)], 2)
    T = tkfac(layers)
    assert type(T) is BlockDiagonal
    assert T.members == ((0, 2), (1,))
    assert all(type(bucket) is Kronecker for bucket in T.buckets)
    assert T.is_psd is True
    for operator in (T.damped(0.1), T.damped(0.1).inverse()):
        assert all(type(bucket) is Spectral and type(bucket.Q) is Kronecker for bucket in operator.buckets)
        assert operator.is_pd is True


@pytest.mark.parametrize("lib", eager(), ids=str)
@pytest.mark.parametrize(("S", "dtype"), [(1, "float32"), (1, "complex128"), (2, "float64")])
def test_a_layer_without_curvature(lib, S, dtype):
    """δ = 0: the zero block, finite and psd."""
    a, g = lib.asarray(np.ones((3, S, 2)), dtype), lib.asarray(np.zeros((3, S, 1, 3)), dtype)
    T = tkfac([LayerStatistics(a, g)])
    assert T.is_psd is True
    x = lib.asarray(np.ones(6), dtype)
    assert not lib.numpy(T @ x).any()
    close(lib.numpy(T.damped(0.5).solve(x)), np.full(6, 2.0), 1e-6)


@pytest.mark.parametrize("shift", [0.0, 1e6])
def test_psd_where_positions_cancel(shift):
    """Gradients that nearly sum to 0 over equal positions leave small traces, and no negative eigenvalue."""
    rng = np.random.default_rng(0)
    a, g = np.ones((4, 2, 3)) * shift + rng.standard_normal((4, 1, 3)), rng.standard_normal((4, 2, 1, 3))
    layer = LayerStatistics(a, g - g.mean(axis=1, keepdims=True) + 1e-6)
    block = tkfac([layer]).blocks[0]
    assert min(factor.eigvalsh()[0] for factor in block.factors) >= 0
    close(block.to_dense(), by_definition(layer), 1e-8)


def test_layers_are_checked():
    with pytest.raises(ValueError, match="layers is empty"):
        tkfac([])
    with pytest.raises(ValueError, match=r"disagree on n: \[2, 3\]"):
        tkfac([random_layers(np.random.default_rng(0), n, 1, [(2, 2)])[0] for n in (2, 3)])
