"""Laws of `FisherRoot`: its columns by definition, its products, its grams on the dual side."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kronlin import memory_limit
from kronlin.algebra import Product, rules
from kronlin.curvature import FisherRoot
from kronlin.operators import BlockDiagonal, Dense, KhatriRao, Kronecker, LowRank, VStack
from kronlin.testing import check_operator
from tests.libraries import NUMPY, eager, fast
from tests.memory import peak_of
from tests.nets import close, layer_lists, random_layers, root_by_definition

SHAPES = {"plain": (4, 1, 1, 3, 2), "columns": (3, 1, 2, 2, 4), "shared": (2, 3, 2, 4, 3), "one": (1, 1, 1, 1, 1)}
SHAPE = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
DTYPE = pytest.mark.parametrize("dtype", ["float64", "complex128"])


def make(shape, lib, dtype="float64", seed=0):
    """A root and its dense matrix."""
    n, S, K, d_out, d_in = shape
    layer = random_layers(np.random.default_rng(seed), n, K, [(d_out, d_in)], S, lib, dtype)[0]
    return FisherRoot(layer.inputs, layer.output_gradients), root_by_definition(layer, lib)


def random(rng, *shape, dtype="float64"):
    x = rng.standard_normal(shape)
    return x + 1j * rng.standard_normal(shape) if dtype.startswith("complex") else x


@SHAPE
@DTYPE
@pytest.mark.parametrize("library", fast(), ids=str)
def test_is_an_operator(library, shape, dtype):
    U, dense = make(shape, library, dtype)
    check_operator(U, dense)
    check_operator(U.H, dense.conj().T)


@SHAPE
@DTYPE
def test_columns_and_products_by_definition(shape, dtype):
    check_columns_and_products(shape, NUMPY, dtype)


@DTYPE
def test_columns_and_products_on_every_library(lib, dtype):
    check_columns_and_products(SHAPES["shared"], lib, dtype)


def check_columns_and_products(shape, lib, dtype):
    U, dense = make(shape, lib, dtype)
    rng = np.random.default_rng(1)
    assert U.shape == dense.shape
    close(lib.numpy(U.to_dense()), dense, 1e-13)
    for count in (1, 3):
        x, y = (random(rng, rows, count, dtype=dtype) for rows in (U.shape[1], U.shape[0]))
        close(lib.numpy(U @ lib.asarray(x)), dense @ x)
        close(lib.numpy(U.H @ lib.asarray(y)), dense.conj().T @ y)
    close(lib.numpy(U @ lib.asarray(x[:, 0])), dense @ x[:, 0])
    close(lib.numpy(U.T @ lib.asarray(y)), dense.T @ y)
    close(lib.numpy(rules.conjugate(U).to_dense()), dense.conj(), 1e-13)
    close(lib.numpy(rules.modulus2(U).to_dense()), abs(dense) ** 2)
    close(lib.numpy(U.norm()), np.linalg.norm(dense))
    assert lib.owns(U @ lib.asarray(x))


@SHAPE
@DTYPE
def test_dual_gram_is_formed_and_psd(shape, dtype):
    U, dense = make(shape, NUMPY, dtype)
    close(rules.gram(U, U), dense.conj().T @ dense)
    if U.shape[0] >= U.shape[1]:
        T = U.H @ U
        assert isinstance(T, Dense)
        assert T.is_psd is True
        assert isinstance(U @ U.H, LowRank)


@DTYPE
@pytest.mark.parametrize("S", [1, 3])
@pytest.mark.parametrize("K", [1, 2])
def test_grams_with_other_operators(dtype, S, K):
    check_grams(NUMPY, dtype, S, K)


def test_grams_on_every_library(lib):
    check_grams(lib, "complex128", 3, 2)


def check_grams(lib, dtype, S, K):
    rng = np.random.default_rng(2)
    U, dense = make((3, S, K, 4, 2), lib, dtype)
    W, other = make((2, 1, 1, 4, 2), lib, dtype, seed=5)
    left, right = random(rng, 4, 3, dtype=dtype), random(rng, 2, 3, dtype=dtype)
    columns = np.stack([np.kron(left[:, j], right[:, j]) for j in range(3)], axis=1)
    cases = [
        (W, other),
        (KhatriRao(lib.asarray(left), lib.asarray(right)), columns),
        (Kronecker(lib.asarray(left), lib.asarray(right)), np.kron(left, right)),
        (Dense(lib.asarray(columns)), columns),
    ]
    for operator, array in cases:
        close(lib.numpy(rules.gram(U, operator)), dense.conj().T @ array)
        close(lib.numpy(rules.gram(operator, U)), array.conj().T @ dense)
        close(lib.numpy((U.H @ operator).to_dense()), dense.conj().T @ array)


def test_grams_decline_where_the_sizes_do_not_fit():
    """The 8 rows are cut into 4 × 2 by the root and into 2 × 4 by the others."""
    rng = np.random.default_rng(0)
    layer = random_layers(rng, 3, 2, [(4, 2)], 2)[0]
    U, dense = FisherRoot(layer.inputs, layer.output_gradients), root_by_definition(layer)
    layer = random_layers(rng, 2, 1, [(2, 4)])[0]
    W, other = FisherRoot(layer.inputs, layer.output_gradients), root_by_definition(layer)
    left, right = rng.standard_normal((2, 3)), rng.standard_normal((4, 3))
    three = Kronecker(rng.standard_normal((2, 1)), rng.standard_normal((2, 2)), rng.standard_normal((2, 1)))
    for operator in (KhatriRao(left, right), Kronecker(left, right), three):
        close(rules.gram(U, operator), dense.T @ operator.to_dense())
    close(rules.gram(U, W), dense.T @ other)
    layer = random_layers(rng, 3, 2, [(4, 2)])[0]
    V, third = FisherRoot(layer.inputs, layer.output_gradients), root_by_definition(layer)
    close(rules.gram(V, W), third.T @ other)


@pytest.mark.parametrize("lib", eager(), ids=str)
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_a_kronecker_product_turns_its_arrays(lib, dtype):
    """(X ⊗ Y) U is a root too, for rectangular X and Y, and in stacks; where the sizes do not fit it is lazy."""
    rng = np.random.default_rng(4)
    U, dense = make((3, 2, 2, 4, 3), lib, dtype)
    left, right = random(rng, 2, 4, dtype=dtype), random(rng, 5, 3, dtype=dtype)
    turned = Kronecker(lib.asarray(left), lib.asarray(right)) @ U
    assert type(turned) is FisherRoot
    assert (turned.n, turned.S, turned.K, turned.d_out, turned.d_in) == (3, 2, 2, 2, 5)
    assert all(lib.owns(x) for x in turned.parts)
    close(lib.numpy(turned.to_dense()), np.kron(left, right) @ dense)
    K = Kronecker(lib.asarray(left[:, :2]), lib.asarray(random(rng, 2, 6, dtype=dtype)))
    assert type(K @ U) is Product
    close(lib.numpy((K @ U).to_dense()), lib.numpy(K.to_dense()) @ dense)
    W, other = make((3, 2, 2, 4, 3), lib, dtype, seed=5)
    V = Kronecker(lib.asarray(2 * left), lib.asarray(right))
    stacked = BlockDiagonal([Kronecker(lib.asarray(left), lib.asarray(right)), V]) @ BlockDiagonal([U, W])
    assert [type(bucket) for bucket in stacked.buckets] == [FisherRoot]
    close(lib.numpy(stacked.blocks[1].to_dense()), 2 * np.kron(left, right) @ other)


@pytest.mark.parametrize("S", [1, 2])
def test_equal_layers_are_one_bucket(S):
    check_buckets(NUMPY, S)


def test_buckets_on_every_library(lib):
    check_buckets(lib, 2)


def check_buckets(lib, S):
    rng = np.random.default_rng(3)
    layers = random_layers(rng, 3, 2, [(3, 2), (2, 2), (3, 2)], S, lib)
    roots = [FisherRoot(layer.inputs, layer.output_gradients) for layer in layers]
    blocks = BlockDiagonal(roots)
    assert blocks.members == ((0, 2), (1,))
    assert all(isinstance(bucket, FisherRoot) for bucket in blocks.buckets)
    dense = np.zeros(blocks.shape)
    row = column = 0
    for layer in layers:
        block = root_by_definition(layer, lib)
        dense[row : row + block.shape[0], column : column + block.shape[1]] = block
        row, column = row + block.shape[0], column + block.shape[1]
    x, y = rng.standard_normal((dense.shape[1], 2)), rng.standard_normal((dense.shape[0], 2))
    close(lib.numpy(blocks @ lib.asarray(x)), dense @ x)
    close(lib.numpy(blocks.H @ lib.asarray(y)), dense.T @ y)
    close(lib.numpy(rules.gram(blocks, blocks)), dense.T @ dense)
    close(lib.numpy(blocks.norm()), np.linalg.norm(dense))
    Z = BlockDiagonal(
        KhatriRao(*(lib.asarray(rng.standard_normal((size, 2))) for size in (layer.d_out, layer.d_in)))
        for layer in layers
    )
    close(lib.numpy(rules.gram(VStack(roots), Z)), lib.numpy(VStack(roots).to_dense()).T @ lib.numpy(Z.to_dense()))


@given(layer_lists())
def test_gram_of_a_stack_is_the_sum_over_layers(layers):
    U = VStack([FisherRoot(layer.inputs, layer.output_gradients) for layer in layers])
    dense = np.concatenate([root_by_definition(layer) for layer in layers])
    close(rules.gram(U, U), dense.T @ dense)
    close(U.norm(), np.linalg.norm(dense))


@given(layer_lists(), st.integers(0, 2**32 - 1))
def test_dot_test(layers, seed):
    rng = np.random.default_rng(seed)
    for layer in layers:
        U = FisherRoot(layer.inputs, layer.output_gradients)
        x, y = rng.standard_normal(U.shape[1]), rng.standard_normal(U.shape[0])
        size = np.linalg.norm(root_by_definition(layer)) * np.linalg.norm(x) * np.linalg.norm(y)
        assert abs(y @ (U @ x) - (U.H @ y) @ x) <= 1e-13 * size


def test_float32_stays_float32(lib):
    layer = random_layers(np.random.default_rng(0), 4, 2, [(3, 2)], 2, lib, "float32")[0]
    U = FisherRoot(layer.inputs, layer.output_gradients)
    x = lib.asarray(np.ones(U.shape[1]), "float32")
    for result in (U @ x, U.H @ (U @ x), U.to_dense(), rules.gram(U, U), U.norm()):
        assert result.dtype == lib.xp.float32
        assert lib.owns(result)
    close(lib.numpy(U @ x), root_by_definition(layer, lib).astype(float) @ np.ones(8), 1e-6)


def test_memory_is_that_of_the_two_arrays():
    layer = random_layers(np.random.default_rng(0), 5, 3, [(4, 2)], 2)[0]
    U = FisherRoot(layer.inputs, layer.output_gradients)
    assert U.nbytes == layer.inputs.nbytes + layer.output_gradients.nbytes
    assert U.inputs is layer.inputs


@given(layer_lists(), st.sampled_from([1, 200, 1500]))
def test_pieces_change_nothing(layers, limit):
    rng = np.random.default_rng(0)
    for layer in layers:
        U, dense = FisherRoot(layer.inputs, layer.output_gradients), root_by_definition(layer)
        x, y = rng.standard_normal((U.shape[1], 2)), rng.standard_normal((U.shape[0], 2))
        with memory_limit(limit):
            close(U @ x, dense @ x)
            close(U.H @ y, dense.T @ y)
            close(U.norm(), np.linalg.norm(dense))
            close(LowRank(U).diagonal(), (dense**2).sum(axis=1))
            close(LowRank(U).to_dense(), dense @ dense.T)


def test_pieces_on_every_library_and_in_stacks(lib):
    layers = random_layers(np.random.default_rng(3), 3, 2, [(3, 2), (3, 2)], 2, lib)
    roots = [FisherRoot(layer.inputs, layer.output_gradients) for layer in layers]
    blocks, dense = BlockDiagonal(roots), [root_by_definition(layer, lib) for layer in layers]
    x, y = np.arange(12.0), np.arange(12.0)[::-1]
    with memory_limit(1):
        results = [blocks @ lib.asarray(x), blocks.H @ lib.asarray(y.copy()), blocks.norm()]
        squares = rules.modulus2(blocks) @ lib.asarray(np.ones(12))
    assert all(lib.owns(result) for result in (*results, squares))
    close(lib.numpy(results[0]), np.concatenate([u @ part for u, part in zip(dense, np.split(x, 2), strict=True)]))
    close(lib.numpy(results[1]), np.concatenate([u.T @ part for u, part in zip(dense, np.split(y, 2), strict=True)]))
    close(lib.numpy(results[2]), np.linalg.norm(dense))
    close(lib.numpy(squares), np.concatenate([(u**2).sum(axis=1) for u in dense]))


@pytest.mark.parametrize("act", ["product", "adjoint", "norm", "diagonal", "dense"])
@pytest.mark.parametrize("S", [1, 20])
def test_the_peak_keeps_to_the_limit(act, S):
    """Unlimited, the arrays on the way would be as large as the output gradients or the root.

    The diagonal for S = 1 comes from a root of the squared arrays, which are counted.
    """
    n, K = 500, 4
    layer, small = random_layers(np.random.default_rng(0), n, K, [(60, 50), (12, 10)], S)
    U, U_small = (FisherRoot(each.inputs, each.output_gradients) for each in (layer, small))
    F, x, y = LowRank(U), np.ones((U.shape[1], 3)), np.ones((U.shape[0], 3))
    function = {
        "product": lambda: U @ x,
        "adjoint": lambda: U.H @ y,
        "norm": U.norm,
        "diagonal": F.diagonal,
        "dense": LowRank(U_small).to_dense,
    }[act]
    whole, limit = np.asarray(function()), 2**19
    with memory_limit(limit):
        result, peak = peak_of(function)
    close(np.asarray(result), whole, 1e-12)
    squares = U.nbytes if (act, S) == ("diagonal", 1) else 0
    assert peak < limit + 4 * whole.nbytes + squares + 20_000


def test_chosen_columns_are_examples_of_one_column(lib):
    U, dense = make((4, 2, 3, 2, 2), lib)
    chosen = rules.columns(U, [7, 4, 11, 4])
    assert type(chosen) is FisherRoot
    assert (chosen.n, chosen.K) == (4, 1)
    close(lib.numpy(chosen.to_dense()), dense[:, [7, 4, 11, 4]])
    stacked = rules.columns(VStack([U, U]), [2, 5])
    assert type(stacked) is VStack
    close(lib.numpy(stacked.to_dense()), np.concatenate([dense[:, [2, 5]]] * 2))


def test_bad_input_is_told_as_by_the_statistics():
    with pytest.raises(ValueError, match="hold NaN or Inf in 1 of 2"):
        FisherRoot(np.array([[1.0], [np.nan]]), np.ones((2, 1)))
    with pytest.raises(ValueError, match="output_gradients"):
        FisherRoot(np.ones((2, 3)), np.ones((3, 4)))
    with pytest.raises(ValueError, match=r"numpy float64.*numpy float32"):
        FisherRoot(np.ones((2, 3)), np.ones((2, 4), np.float32))
    with pytest.raises(ValueError, match=r"FisherRoot\(12×2\) @ \(3,\)"):
        FisherRoot(np.ones((2, 3)), np.ones((2, 4))) @ np.ones(3)
