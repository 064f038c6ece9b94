"""Laws of `ekfac`: the best eigenvalues in the eigenbasis of K-FAC."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kronlin import memory_limit
from kronlin.curvature import LayerStatistics, block_diagonal_fisher, ekfac, kfac
from kronlin.operators import BlockDiagonal, Kronecker, Spectral
from kronlin.testing import check_operator
from tests.libraries import NUMPY, eager, fast
from tests.matrices import adjoint
from tests.memory import peak_of
from tests.nets import (
    DAMPINGS,
    NET,
    check_reference_step,
    close,
    layer_lists,
    layers_of,
    mlp_layers,
    random_layers,
    reference,
    root_by_definition,
    tiny_layers,
)

SHARING = pytest.mark.parametrize("sharing", ["expand", "reduce"])


def check_definition(E, layers, sharing, lib=NUMPY, tolerance=1e-12):
    """Q is orthonormal and diagonalises K-FAC, and w is the diagonal of Qᴴ F Q."""
    for layer, block, k in zip(layers, E.blocks, kfac(layers, sharing).blocks, strict=True):
        Q, w, K = (lib.numpy(x) for x in (block.Q.to_dense(), block.w, k.to_dense()))
        close(adjoint(Q) @ Q, np.eye(len(Q)), tolerance)
        turned = adjoint(Q) @ K @ Q
        close(turned, np.diag(np.diag(turned)), tolerance)
        close(w, (abs(adjoint(Q) @ root_by_definition(layer, lib)) ** 2).sum(axis=1) / layer.n, tolerance)
        close(lib.numpy(block.to_dense()), Q * w @ adjoint(Q), tolerance)


@NET
def test_reference_operators(name):
    data = reference(name)
    for j, block in enumerate(ekfac(layers_of(data)).blocks):
        Q = np.kron(data[f"l{j}_Qg"], data[f"l{j}_Qa"])
        close(block.to_dense(), Q * data[f"l{j}_ekfac"].ravel() @ Q.T)


@NET
@pytest.mark.parametrize("lam", DAMPINGS)
def test_reference_steps(name, lam):
    data = reference(name)
    damped = ekfac(layers_of(data)).damped(float(lam))
    check_reference_step(damped, data, f"ekfac_{lam}")


@given(layer_lists(), st.sampled_from([1, 700]))
def test_pieces_change_nothing(layers, limit):
    with memory_limit(limit):
        E = ekfac(layers)
    check_definition(E, layers, "expand")


@pytest.mark.parametrize("S", [1, 20])
def test_the_peak_keeps_to_the_limit(S):
    """The statistics in the eigenbases would take as much as those of the layer: 2 MB and more."""
    layer = random_layers(np.random.default_rng(0), 1000, 5, [(40, 50)], S)[0]
    whole = ekfac([layer]).blocks[0].w
    with memory_limit(2**19):
        E, peak = peak_of(lambda: ekfac([layer]))
    close(E.blocks[0].w, whole)
    assert peak < 2**19 + 6 * E.nbytes


@given(layer_lists(), st.sampled_from(["expand", "reduce"]))
def test_definition(layers, sharing):
    check_definition(ekfac(layers, sharing), layers, sharing)


@SHARING
@pytest.mark.parametrize("lib", eager(), ids=str)
def test_complex_layers(lib, sharing):
    sizes, S = [(4, 3), (2, 2), (4, 3)], [2, 1, 2]
    layers = random_layers(np.random.default_rng(0), 5, 2, sizes, S, lib, "complex128")
    check_definition(ekfac(layers, sharing), layers, sharing, lib)


def test_a_complex_layer_makes_all_complex():
    layers = [random_layers(np.random.default_rng(0), 3, 2, [(2, 2)], dtype=t)[0] for t in ("float64", "complex128")]
    check_definition(ekfac(layers), layers, "expand")


@given(layer_lists(shared=False))
def test_without_shared_weights(layers):
    """w = (1/n) Σ_i (Σ_k |Q_Gᴴ g|²) (|Q_Aᴴ a|²)ᵀ."""
    for layer, block in zip(layers, ekfac(layers).blocks, strict=True):
        Q_G, Q_A = (factor.to_dense() for factor in block.Q.factors)
        outputs = ((layer.output_gradients[:, 0] @ Q_G) ** 2).sum(axis=1)
        w = np.einsum("iu,iv->uv", outputs, (layer.inputs[:, 0] @ Q_A) ** 2) / layer.n
        close(block.w, w.ravel())


@pytest.mark.parametrize(("loss", "n", "options"), [("softmax", 1, {}), ("mse", 6, {"activation": "identity"})])
def test_exact_where_kfac_is(loss, n, options):
    layers, _ = mlp_layers((4, 3, 3, 2), loss, n, **options)
    for found, wanted in zip(ekfac(layers).blocks, block_diagonal_fisher(layers).blocks, strict=True):
        close(found.to_dense(), wanted.to_dense())


def test_closer_than_kfac_on_a_net():
    layers, _ = mlp_layers()
    exact = block_diagonal_fisher(layers).to_dense()
    assert np.linalg.norm(exact - ekfac(layers).to_dense()) < 0.99 * np.linalg.norm(exact - kfac(layers).to_dense())


def test_exact_where_kfac_has_the_eigenvectors_only():
    """Unit inputs and unit gradients, each pair as often as it likes: F_l is diagonal, and no Kronecker product."""
    pairs = np.array([(0, 0)] * 4 + [(1, 0)] * 1 + [(0, 1)] * 2 + [(1, 2)] * 5)
    layers = [LayerStatistics(np.eye(3)[pairs[:, 1]], np.eye(2)[pairs[:, 0]])]
    close(ekfac(layers).to_dense(), np.diag([4.0, 2.0, 0.0, 1.0, 0.0, 5.0]) / 12)


@given(layer_lists(), st.integers(0, 99))
def test_in_the_basis_of_other_examples(layers, seed):
    """W = diag(Qᴴ F Q) for their Q, which is kept to the last bit."""
    rng = np.random.default_rng(seed)
    others = [LayerStatistics(x.inputs + rng.standard_normal(x.inputs.shape), x.output_gradients) for x in layers]
    for basis in (kfac(others), ekfac(others), ekfac(others).damped(0.1)):
        E = ekfac(layers, basis=basis)
        for layer, block, given_block in zip(layers, E.blocks, basis.blocks, strict=True):
            Q = block.Q.to_dense()
            np.testing.assert_array_equal(Q, given_block.eigh().Q.to_dense())
            close(block.w, (abs(adjoint(Q) @ root_by_definition(layer)) ** 2).sum(axis=1) / layer.n)


@SHARING
def test_its_own_basis_changes_nothing(sharing):
    layers = random_layers(np.random.default_rng(0), 6, 2, [(4, 3), (2, 3), (4, 3)], 2)
    E = ekfac(layers, sharing)
    for basis in (kfac(layers, sharing), E):
        again = ekfac(layers, basis=basis)
        assert again.members == E.members
        np.testing.assert_array_equal(again.to_dense(), E.to_dense())


@pytest.mark.parametrize(
    ("basis", "match"),
    [
        (Kronecker(np.eye(2), np.eye(3)), r"with blocks of the sizes \[6, 4\], not Kronecker"),
        (BlockDiagonal([np.eye(4), np.eye(6)]), r"with blocks of the sizes \[6, 4\], not BlockDiagonal"),
        (BlockDiagonal([np.eye(6), np.eye(4)]), r"a Kronecker product of the sizes \(2, 3\), not Dense"),
        (
            BlockDiagonal([Kronecker(np.eye(3), np.eye(2)), np.eye(4)]),
            r"a Kronecker product of the sizes \(2, 3\), not Kronecker\(.*3×3 ⊗ 2×2\)",
        ),
    ],
)
def test_a_basis_of_other_layers_is_refused(basis, match):
    layers = random_layers(np.random.default_rng(0), 3, 1, [(2, 3), (2, 2)])
    with pytest.raises(ValueError, match=match):
        ekfac(layers, basis=basis)


@SHARING
def test_every_library(lib, sharing):
    layers, b = tiny_layers(lib), np.arange(12.0)
    E, numpy_E, x = ekfac(layers, sharing), ekfac(tiny_layers(NUMPY), sharing), lib.asarray(b)
    close(lib.numpy(E @ x), numpy_E @ b)
    for step in (E.damped(0.1).solve(x), E.damped(0.1).inverse() @ x):
        close(lib.numpy(step), np.linalg.solve(numpy_E.to_dense() + 0.1 * np.eye(12), b))
        assert lib.owns(step)


@SHARING
def test_float32_stays_float32(lib, sharing):
    E, x = ekfac(tiny_layers(lib, "float32"), sharing), lib.asarray(np.arange(12.0), "float32")
    for result in (E @ x, E.trace(), E.damped(0.5).inverse() @ x, E.damped(0.5).solve(x)):
        assert result.dtype == lib.xp.float32
        assert lib.owns(result)
    double = ekfac(tiny_layers(NUMPY), sharing).damped(0.5)
    close(lib.numpy(result), double.solve(np.arange(12.0)), 1e-5)


@pytest.mark.parametrize("library", fast(), ids=str)
def test_is_an_operator(library):
    check_operator(ekfac(tiny_layers(library)))


@SHARING
def test_types(sharing):
    layers = random_layers(np.random.default_rng(0), 15, 2, [(4, 3), (2, 3), (4, 3)], 2)
    E = ekfac(layers, sharing)
    assert E.is_psd is True
    for operator in (E, E.damped(0.1), E.damped(0.1).inverse(), E.damped(0.1).power(-0.5)):
        assert type(operator) is BlockDiagonal
        assert operator.members == ((0, 2), (1,))
        assert all(type(bucket) is Spectral and type(bucket.Q) is Kronecker for bucket in operator.buckets)


@pytest.mark.parametrize("S", [1, 2])
def test_a_layer_without_curvature(S):
    dead = LayerStatistics(np.ones((3, S, 2)), np.zeros((3, S, 1, 4)))
    alive = random_layers(np.random.default_rng(0), 3, 1, [(4, 2)], S)
    E = ekfac([dead, *alive])
    close(E.blocks[0].to_dense(), np.zeros((8, 8)))
    damped = E.damped(0.5)
    close(damped.solve(np.ones(16)), np.linalg.solve(damped.to_dense(), np.ones(16)))
    close(damped.solve(np.ones(16))[:8], np.full(8, 2.0))


def test_arguments_are_checked():
    layers = random_layers(np.random.default_rng(0), 2, 1, [(2, 2)])
    with pytest.raises(ValueError, match="unknown sharing 'average': choose one of 'expand', 'reduce'"):
        ekfac(layers, "average")
    with pytest.raises(ValueError, match="layers is empty"):
        ekfac([])
