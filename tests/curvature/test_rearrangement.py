"""The rearranged Fisher block of a layer against the rearranged array."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from kronlin.algebra import Scaled, rules
from kronlin.curvature import Rearrangement, rearrangement
from kronlin.testing import check_operator
from tests.matrices import each_dtype, normal
from tests.memory import peak_of
from tests.nets import close, fisher_by_definition, random_layers
from tests.operators.laws import check
from tests.operators.test_rearranged import by_definition

KINDS = st.sampled_from(["float64", "complex128"])


def shapes_of(layer):
    return (layer.d_out, layer.d_out), (layer.d_in, layer.d_in)


def pair(n, S, K, size, dtype="float64", seed=0, lib=None, dense=True):
    """The operator of a random layer, and the dense one if it is asked for."""
    layer = random_layers(np.random.default_rng(seed), n, K, [size], S, dtype=dtype)[0]
    dense = n * by_definition(fisher_by_definition([layer]), shapes_of(layer)) if dense else None
    arrays = (layer.inputs, layer.output_gradients)
    return Rearrangement(*(arrays if lib is None else map(lib.asarray, arrays))), dense


@each_dtype()
@pytest.mark.parametrize("S", [1, 2])
def test_laws(lib, dtype, S):
    R, dense = pair(3, S, 2, (2, 3), dtype, lib=lib)
    check(R, dense, lib)


@given(st.tuples(*[st.integers(1, 3)] * 5), KINDS, st.integers(0, 99))
def test_both_maps(sizes, dtype, seed):
    n, S, K, d_out, d_in = sizes
    R, dense = pair(n, S, K, (d_out, d_in), dtype, seed)
    close(R.to_dense(), dense)
    M, N = normal((d_in**2, 2), dtype, seed), normal((d_out**2, 2), dtype, seed)
    np.testing.assert_allclose(R @ M, dense @ M, rtol=0, atol=1e-11 * np.abs(dense).max())
    np.testing.assert_allclose(R.H @ N, dense.conj().T @ N, rtol=0, atol=1e-11 * np.abs(dense).max())
    np.testing.assert_allclose(R.norm(), np.linalg.norm(dense), rtol=1e-12)


@given(st.tuples(*[st.integers(1, 3)] * 5), KINDS, st.integers(0, 99))
def test_meets_a_kronecker_product_as_the_block_does(sizes, dtype, seed):
    """⟨R, vec(G) vec(A)ᵀ⟩ = tr((G ⊗ A) n F) for self-adjoint factors; psd matrices stay psd."""
    n, S, K, d_out, d_in = sizes
    layer = random_layers(np.random.default_rng(seed), n, K, [(d_out, d_in)], S, dtype=dtype)[0]
    R = Rearrangement(layer.inputs, layer.output_gradients)
    G, A = (x @ x.conj().T for x in (normal((d, d), dtype, seed) for d in (d_out, d_in)))
    inner = np.vdot(G.ravel(), R @ A.conj().ravel())
    np.testing.assert_allclose(inner, n * np.trace(np.kron(G, A) @ fisher_by_definition([layer])), rtol=1e-11)
    for image in ((R @ A.ravel()).reshape(d_out, d_out), (R.H @ G.ravel()).reshape(d_in, d_in)):
        np.testing.assert_allclose(image, image.conj().T, atol=1e-11 * np.abs(image).max())
        assert np.linalg.eigvalsh(image)[0] >= -1e-11 * np.linalg.norm(image)


@pytest.mark.parametrize("S", [1, 3])
def test_a_few_examples_at_a_time(S):
    R, dense = pair(7, S, 2, (2, 3))
    whole = len(list(R._pieces(1)))
    with kl.memory_limit(500):
        assert (whole, len(list(R._pieces(1)))) == (1, {1: 3, 3: 7}[S])
        close(R @ np.ones(9), dense @ np.ones(9))
        close(R.H @ np.ones(4), dense.T @ np.ones(4))


@pytest.mark.parametrize(("S", "size", "by_positions"), [(2, (9, 8), True), (9, (2, 3), False)])
def test_the_cheaper_order_is_taken(S, size, by_positions, monkeypatch):
    R, dense = pair(2, S, 2, size)
    monkeypatch.setattr(rearrangement, "_sandwich" if by_positions else "_weighted", None)
    close(R @ np.ones(R.shape[1]), dense @ np.ones(R.shape[1]))
    close(R.H @ np.ones(R.shape[0]), dense.T @ np.ones(R.shape[0]))


@pytest.mark.parametrize("by_positions", [True, False])
@given(st.tuples(*[st.integers(1, 3)] * 5), KINDS, st.sampled_from([1, 400, 2**28]))
def test_either_order_in_pieces(by_positions, sizes, dtype, limit):
    n, S, K, d_out, d_in = sizes
    R, dense = pair(n, S, K, (d_out, d_in), dtype)
    M, N = normal((d_in**2, 2), dtype), normal((d_out**2, 2), dtype)
    with pytest.MonkeyPatch.context() as patch, kl.memory_limit(limit):
        patch.setattr(Rearrangement, "_by_positions", lambda self: by_positions)
        np.testing.assert_allclose(R @ M, dense @ M, rtol=0, atol=1e-11 * np.abs(dense).max())
        np.testing.assert_allclose(R.H @ N, dense.conj().T @ N, rtol=0, atol=1e-11 * np.abs(dense).max())


@pytest.mark.parametrize("S", [1, 4, 100])
def test_the_peak_keeps_to_the_limit(S):
    """All columns as matrices would take 3 MB."""
    R, _ = pair(100, S, 2, (40, 50), dense=False)
    for op in (R, R.H):
        x = np.ones(op.shape[1])
        with kl.memory_limit(2**19):
            y, peak = peak_of(lambda op=op, x=x: op @ x)
        close(y, op @ x)
        assert peak < 2**19 + 5 * y.nbytes


@pytest.mark.parametrize("S", [1, 2])
def test_the_block_of_a_layer_rearranges_to_it(S):
    layers = random_layers(np.random.default_rng(0), 4, 2, [(2, 3), (3, 2), (2, 3)], S)
    for layer, F in zip(layers, kl.block_diagonal_fisher(layers).blocks, strict=True):
        R = rules.rearrange(F, shapes_of(layer))
        assert type(R) is Scaled
        assert type(R.base) is Rearrangement
        close(R.to_dense(), by_definition(F.to_dense(), shapes_of(layer)))


def test_other_blocks_and_shapes_are_left_to_the_array():
    layer = random_layers(np.random.default_rng(0), 4, 1, [(2, 6)])[0]
    F = kl.block_diagonal_fisher([layer]).blocks[0]
    for A in (F, kl.LowRank(normal((12, 2))), kl.LowRank(F.U, np.eye(4) + 0.0)):
        R = rules.rearrange(A, ((4, 4), (3, 3)))
        assert type(R) is kl.Dense
        close(R.array, by_definition(A.to_dense(), ((4, 4), (3, 3))))


def test_equal_ones_are_stacked():
    blocks = [pair(3, 2, 2, (2, 2), seed=seed)[0] for seed in range(2)]
    op = kl.BlockDiagonal(blocks)
    assert op.buckets[0].batch == (2,)
    check_operator(op)


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="3 examples on one side, 2 on the other"):
        Rearrangement(np.ones((3, 2)), np.ones((2, 2)))
