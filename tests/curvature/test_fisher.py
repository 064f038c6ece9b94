"""Laws of `fisher` and `block_diagonal_fisher`: reference nets, definition, Loewner bound, dual side."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kronlin.curvature import FisherRoot, LayerStatistics, block_diagonal_fisher, fisher
from kronlin.operators import BlockDiagonal, LowRank, VStack
from kronlin.testing import check_operator
from tests.libraries import fast
from tests.nets import (
    DAMPINGS,
    NET,
    NETS,
    close,
    fisher_by_definition,
    layer_lists,
    layers_of,
    mlp_layers,
    random_layers,
    reference,
    root_by_definition,
    tiny_layers,
)

DAMPING = pytest.mark.parametrize("lam", DAMPINGS)


def blocks_of(matrix, layers):
    """The diagonal blocks of a dense matrix, one a layer, as a dense block-diagonal matrix."""
    result, start = np.zeros_like(matrix), 0
    for layer in layers:
        inside = slice(start, start + layer.parameters)
        result[inside, inside] = matrix[inside, inside]
        start += layer.parameters
    return result


@NET
@pytest.mark.parametrize(("columns", "key"), [("g2", "F"), ("ge", "Femp"), ("gmc", "Fmc")])
def test_reference_matrices(name, columns, key):
    data = reference(name)
    F = fisher(layers_of(data, columns))
    close(F.to_dense(), data[key])
    close(F @ data["grad"], data[key] @ data["grad"])
    close(F.trace(), np.trace(data[key]))
    close(F.diagonal(), np.diag(data[key]))
    close(F.norm(), np.linalg.norm(data[key]))


def test_every_library(lib):
    layers = tiny_layers(lib)
    dense, b = fisher_by_definition(layers, lib), np.arange(12.0)
    x = lib.asarray(b)
    for F, matrix in ((fisher(layers), dense), (block_diagonal_fisher(layers), blocks_of(dense, layers))):
        close(lib.numpy(F @ x), matrix @ b)
        close(lib.numpy(F.trace()), np.trace(matrix))
        solution = F.damped(0.5).solve(x)
        close(lib.numpy(solution), np.linalg.solve(matrix + 0.5 * np.eye(12), b))
        assert lib.owns(solution)


@NET
def test_reference_blocks(name):
    data = reference(name)
    blocks = block_diagonal_fisher(layers_of(data)).blocks
    assert len(blocks) == data["n_layers"]
    for j, block in enumerate(blocks):
        close(block.to_dense(), data[f"l{j}_F"])


@NET
def test_reference_blocks_of_two_layers(name):
    data = reference(name)
    F, offsets = fisher(layers_of(data)), data["offsets"]
    for i, rows in enumerate(zip(offsets, offsets[1:], strict=False)):
        for j, columns in enumerate(zip(offsets, offsets[1:], strict=False)):
            block = F.block(i, j)
            assert type(block) is LowRank
            assert block.is_psd is (True if i == j else None if block.shape[0] == block.shape[1] else False)
            close(block.to_dense(), data["F"][slice(*rows), slice(*columns)])


@NET
@DAMPING
def test_reference_solves(name, lam):
    data, damping = reference(name), float(lam)
    layers, gradient = layers_of(data), data["grad"]
    cases = [
        (fisher(layers), "full", data["F"]),
        (fisher(layers_of(data, "ge")), "fullemp", data["Femp"]),
        (block_diagonal_fisher(layers), "bd", blocks_of(data["F"], layers)),
    ]
    for F, key, dense in cases:
        tolerance = 1e-14 * (1 + np.linalg.norm(dense, 2) / damping)
        A = F.damped(damping)
        close(A.solve(gradient), data[f"{key}_{lam}"], 1e-12 + tolerance)
        close(A.inverse() @ gradient, data[f"{key}_{lam}"], 1e-12 + 10 * tolerance)
        sign, logarithm = np.linalg.slogdet(dense + damping * np.eye(len(dense)))
        close(A.logdet(), logarithm, 1e-11)
        assert sign == 1


@given(layer_lists())
def test_definition(layers):
    dense = fisher_by_definition(layers)
    F, blocks = fisher(layers), block_diagonal_fisher(layers)
    close(F.to_dense(), dense)
    close(blocks.to_dense(), blocks_of(dense, layers))
    columns = np.concatenate([root_by_definition(layer) for layer in layers])
    np.testing.assert_allclose(F.trace(), (columns**2).sum() / layers[0].n, rtol=1e-13)
    np.testing.assert_allclose(blocks.trace(), F.trace(), rtol=1e-13)


@given(layer_lists(), st.integers(0, 2**32 - 1))
def test_psd_and_bounded_by_its_blocks(layers, seed):
    """0 ≤ F ≤ L F_bd for L layers, as matrices and in products."""
    F, blocks = fisher(layers), block_diagonal_fisher(layers)
    assert F.is_psd is True
    assert blocks.is_psd is True
    dense, size = F.to_dense(), float(F.trace())
    assert np.linalg.eigvalsh(dense)[0] >= -1e-13 * size
    assert np.linalg.eigvalsh(len(layers) * blocks.to_dense() - dense)[0] >= -1e-13 * size
    x = np.random.default_rng(seed).standard_normal(F.shape[0])
    upper = len(layers) * x @ (blocks @ x)
    assert -1e-13 * size * (x @ x) <= x @ (F @ x) <= upper + 1e-13 * size * (x @ x)


def test_blocks_of_equal_layers_attain_the_bound():
    layer = random_layers(np.random.default_rng(0), 3, 1, [(2, 3)])[0]
    layers = [layer] * 4
    F, blocks = fisher(layers).to_dense(), block_diagonal_fisher(layers).to_dense()
    shifted = blocks + 1e-9 * np.eye(len(F))
    assert np.linalg.eigvals(np.linalg.solve(shifted, F)).real.max() == pytest.approx(4, rel=1e-6)


@given(layer_lists())
def test_dual_spectrum(layers):
    """The nonzero eigenvalues of F are those of T / n, T = Uᴴ U."""
    U = np.concatenate([root_by_definition(layer) for layer in layers])
    dual = np.linalg.eigvalsh(U.T @ U / layers[0].n)[::-1]
    found = fisher(layers).eigvalsh()[::-1]
    common = min(len(dual), len(found))
    np.testing.assert_allclose(found[:common], dual[:common], atol=1e-12 * dual[0], rtol=0)
    assert np.abs(found[common:]).max(initial=0) <= 1e-12 * dual[0]


@pytest.mark.parametrize("library", fast(), ids=str)
@pytest.mark.parametrize("build", [fisher, block_diagonal_fisher])
def test_is_an_operator(library, build):
    F = build(tiny_layers(library))
    check_operator(F)
    check_operator(F.damped(0.5))


def test_only_the_empirical_matrix_knows_the_labels():
    first, _ = mlp_layers(seed=1)
    data = reference(NETS[0])
    assert np.abs(data["F"] - data["Femp"]).max() > 1e-2
    assert fisher(first).shape == (64, 64)
    gradient = mlp_layers(seed=1, fisher="empirical")
    columns = np.concatenate([root_by_definition(layer) for layer in gradient[0]])
    close(columns.mean(axis=1), gradient[1])


def test_types_and_promises():
    layers = random_layers(np.random.default_rng(0), 3, 2, [(4, 3), (2, 2), (4, 3)], 2)
    F, blocks = fisher(layers), block_diagonal_fisher(layers)
    assert isinstance(F, LowRank)
    assert isinstance(F.U, VStack)
    assert F.V is F.U
    assert all(isinstance(root, FisherRoot) for root in F.U.operators)
    assert F.is_psd is True
    assert F.is_pd is False
    assert F.damped(0.1).is_pd is True
    assert isinstance(blocks, BlockDiagonal)
    assert blocks.members == ((0, 2), (1,))
    assert all(isinstance(bucket, LowRank) for bucket in blocks.buckets)


def test_float32_stays_float32(lib):
    layers, b = tiny_layers(lib, "float32"), np.arange(12.0)
    x, dense = lib.asarray(b, "float32"), fisher_by_definition(layers, lib).astype(float)
    for F, matrix in ((fisher(layers), dense), (block_diagonal_fisher(layers), blocks_of(dense, layers))):
        for result in (F @ x, F.trace(), F.damped(0.5).solve(x)):
            assert result.dtype == lib.xp.float32
            assert lib.owns(result)
        close(lib.numpy(result), np.linalg.solve(matrix + 0.5 * np.eye(12), b), 1e-4)


def test_complex_layers():
    layers = random_layers(np.random.default_rng(0), 3, 2, [(4, 3), (2, 2)], [2, 1], dtype="complex128")
    dense = fisher_by_definition(layers)
    close(fisher(layers).to_dense(), dense)
    b = np.ones(16) + 1j
    close(fisher(layers).damped(0.5).solve(b), np.linalg.solve(dense + 0.5 * np.eye(16), b))


def test_nothing_of_size_p_squared_is_allocated():
    """With p = 3002 an array p × p would take 72 MB."""
    layers = random_layers(np.random.default_rng(0), 4, 3, [(40, 50), (20, 41), (7, 26)])
    F, b = fisher(layers), np.ones(3002)
    tracemalloc.start()
    try:
        A = F.damped(1e-2)
        x = A.solve(b)
        close(A @ x, b, 1e-9)
        A.logdet(), F.trace(), F.norm(), block_diagonal_fisher(layers) @ b
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert F.shape == (3002, 3002)
    assert peak < 10e6


BOTH = pytest.mark.parametrize("build", [fisher, block_diagonal_fisher], ids=lambda f: f.__name__)


@BOTH
def test_no_layer(build):
    with pytest.raises(ValueError, match="layers is empty: a Fisher matrix takes at least one layer"):
        build([])


@BOTH
@pytest.mark.parametrize("layers", [LayerStatistics(np.ones((2, 3)), np.ones((2, 1))), [np.ones((2, 2))]])
def test_not_a_sequence_of_statistics(build, layers):
    with pytest.raises(TypeError, match="a sequence of LayerStatistics"):
        build(layers)


@BOTH
def test_layers_of_different_nets(build):
    def layer(n, K):
        return LayerStatistics(np.ones((n, 3)), np.ones((n, K, 2)))

    with pytest.raises(ValueError, match=r"disagree on n: \[2, 4\]; collect them from the same examples"):
        build([layer(2, 1), layer(4, 1)])
    with pytest.raises(ValueError, match=r"disagree on K: \[1, 2\]"):
        build([layer(2, 1), layer(2, 2)])


@BOTH
def test_layers_of_different_precision(build):
    layers = [random_layers(np.random.default_rng(0), 2, 1, [(2, 3)], dtype=t)[0] for t in ("float32", "float64")]
    with pytest.raises(ValueError, match="mixes numpy float32 with numpy float64"):
        build(layers)
