"""Laws of `kpsvd`: the stored reference, where it is exact; that nothing is nearer has a room of its own."""

import numpy as np
import pytest

import kronlin as kl
from kronlin.algebra import Sum
from kronlin.curvature import LayerStatistics
from kronlin.testing import check_operator
from tests.matrices import each_dtype
from tests.nets import (
    DAMPINGS,
    NET,
    check_on_library,
    close,
    layers_of,
    mlp_layers,
    random_layers,
    reference,
)


def errors(layers, K):
    """The Frobenius error of each block."""
    pairs = zip(kl.block_diagonal_fisher(layers).blocks, K.blocks, strict=True)
    return np.array([np.linalg.norm(F.to_dense() - block.to_dense()) for F, block in pairs])


@NET
@pytest.mark.parametrize("rank", [1, 2])
def test_reference_terms(name, rank):
    data = reference(name)
    for j, block in enumerate(kl.kpsvd(layers_of(data), rank).blocks):
        terms = [np.kron(data[f"l{j}_kp{k}_G"], data[f"l{j}_kp{k}_A"]) for k in range(1, rank + 1)]
        close(block.to_dense(), sum(terms))


@NET
def test_reference_singular_values(name):
    data = reference(name)
    for rank in (1, 2):
        found = errors(layers_of(data), kl.kpsvd(layers_of(data), rank))
        for j, error in enumerate(found):
            values = data[f"l{j}_kp_sv"]
            assert error == pytest.approx(np.linalg.norm(values[rank:]), rel=1e-10, abs=1e-13 * values[0])


@NET
@pytest.mark.parametrize("lam", DAMPINGS)
def test_reference_steps_of_two_terms(name, lam):
    """Exactly damped: three terms, solved as an array."""
    data = reference(name)
    damped = kl.kpsvd(layers_of(data), 2).damped(float(lam))
    close(damped.solve(data["grad"]), data[f"defl2_{lam}"], 1e-12 + 1e-14 * np.linalg.cond(damped.to_dense()))


@pytest.mark.parametrize("loss", ["mse", "softmax"])
def test_exact_cases(loss):
    """One example: rank 1; two examples and one column: rank 2; a block that is a Kronecker product: rank 1."""
    for n, rank in ((1, 1), (2, 2)):
        layers, _ = mlp_layers((5, 4, 4, 2), loss, n)
        truth = kl.block_diagonal_fisher(layers)
        assert float((truth - kl.kpsvd(layers, rank)).norm()) < 1e-13 * float(truth.norm())
    layers, _ = mlp_layers((5, 4, 2), loss, 3)
    assert errors(layers, kl.kpsvd(layers))[0] > 1e-3 * float(kl.block_diagonal_fisher(layers).blocks[0].norm())


def test_a_block_with_a_kronecker_product():
    layers, _ = mlp_layers((4, 3, 3, 2), "mse", 6, activation="identity")
    close(kl.kpsvd(layers).to_dense(), kl.block_diagonal_fisher(layers).to_dense())


def test_singular_factors_keep_their_rank():
    """Two examples, so rank 2 whatever the size: tr(G G⁺) counts. Rounding errors are no eigenvalues."""
    layers = random_layers(np.random.default_rng(201), 2, 1, [(4, 3), (2, 3), (5, 4)])
    for block in kl.kpsvd(layers).blocks:
        assert [round(float((x @ x.pinv()).trace()), 6) for x in block.factors] == [2.0, 2.0]


def test_dead_layers():
    """Zero gradients: zero factors, and no NaN."""
    live = random_layers(np.random.default_rng(0), 3, 1, [(2, 3)])[0]
    layers = [LayerStatistics(live.inputs, 0 * live.output_gradients), live]
    for K in (kl.kpsvd(layers), kl.kpsvd(layers, 2)):
        assert not K.blocks[0].to_dense().any()
        assert K.blocks[1].to_dense().any()
        assert np.isfinite(kl.factored_damping(K, 0.1).solve(np.ones(12))).all()


@pytest.mark.parametrize("rank", [1, 2])
@each_dtype(["float32", "float64"])
def test_every_library(lib, dtype, rank):
    check_on_library(lambda layers: kl.kpsvd(layers, rank), lib, dtype)


@pytest.mark.parametrize("rank", [1, 2])
def test_types(rank):
    K = kl.kpsvd(random_layers(np.random.default_rng(0), 5, 2, [(4, 3), (2, 3), (4, 3)], 2), rank)
    assert isinstance(K, kl.BlockDiagonal)
    assert K.members == ((0, 2), (1,))
    assert all(type(bucket) is (kl.Kronecker if rank == 1 else Sum) for bucket in K.buckets)
    assert K.is_psd is (True if rank == 1 else None)
    assert K.is_self_adjoint is True
    check_operator(K)


def test_the_second_term_can_make_it_indefinite():
    """So nothing is promised of a sum of two."""
    least = []
    for seed in range(10):
        layers = random_layers(np.random.default_rng(seed), 4, 1, [(3, 3)])
        least.append(kl.kpsvd(layers, 2).eigvalsh()[0])
    assert min(least) < -1e-3


def test_arguments_are_checked():
    layers = random_layers(np.random.default_rng(0), 2, 1, [(1, 3)])
    with pytest.raises(ValueError, match="rank must be a whole number from 1 to 1"):
        kl.kpsvd(layers, 2)
    with pytest.raises(ValueError, match="layers is empty"):
        kl.kpsvd([])
