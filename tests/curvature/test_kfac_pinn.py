"""Laws of `kfac_pinn`: its two products, where it is exact and where not, its inverse, and the exact matrix beside it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from kronlin.algebra import Sum
from kronlin.operators import Congruence, fallback
from kronlin.sources.numpy_mlp import MLP, collect_pinn
from kronlin.testing import check_operator
from tests.libraries import NUMPY, fast
from tests.nets import close, fisher_by_definition, random_layers, tiny_layers


def boundary_like(lib, dtype="float64"):
    """What `tiny_layers` would be at other points, without positions."""
    return random_layers(np.random.default_rng(1), 4, 1, [(3, 2), (3, 2)], 1, lib, dtype)


def damped_kfac(interior, boundary, lam):
    """What the paper takes steps with."""
    return kl.per_factor_damping(kl.kfac_pinn(interior, boundary), lam)


def pinn(n=4, m=5, widths=(2, 4, 3, 1), seed=0):
    """Interior and boundary layers and the gradient of a network off its start."""
    rng = np.random.default_rng(seed)
    net = MLP(widths, seed=seed)
    net = net.with_parameters(net.parameters + 0.3 * rng.standard_normal(net.parameters.shape))
    shapes = (n, widths[0]), (n, widths[-1]), (m, widths[0]), (m, widths[-1])
    return collect_pinn(net, *(rng.standard_normal(shape) for shape in shapes))[:3]


def by_definition(layers, damping):
    """(G + λ I) ⊗ (A + λ I) for every layer, from sums of outer products."""
    blocks = []
    for layer in layers:
        a, g = (x.reshape(-1, x.shape[-1]) for x in (layer.inputs, layer.output_gradients))
        A, G = a.T @ a / len(a), g.T @ g / layer.n
        blocks.append(np.kron(G + damping * np.eye(len(G)), A + damping * np.eye(len(A))))
    return blocks


def error(found, wanted):
    return np.linalg.norm(found - wanted) / np.linalg.norm(wanted)


@given(
    st.integers(0, 2**16),
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=3),
    st.tuples(st.integers(1, 5), st.integers(1, 5)),
    st.integers(1, 4),
    st.sampled_from([0.0, 0.3]),
)
def test_definition(seed, sizes, counts, S, damping):
    rng = np.random.default_rng(seed)
    interior, boundary = (random_layers(rng, n, 1, sizes, s) for n, s in zip(counts, (S, 1), strict=True))
    K = damped_kfac(interior, boundary, damping)
    pairs = zip(by_definition(interior, damping), by_definition(boundary, damping), strict=True)
    for block, (inside, outside) in zip(K.blocks, pairs, strict=True):
        close(block.to_dense(), inside + outside)


def test_every_library(lib):
    interior, boundary, b = tiny_layers(lib), boundary_like(lib), np.arange(12.0)
    K = damped_kfac(interior, boundary, 0.1)
    dense, x = damped_kfac(tiny_layers(NUMPY), boundary_like(NUMPY), 0.1).to_dense(), lib.asarray(b)
    close(lib.numpy(K @ x), dense @ b)
    for step in (K.solve(x), K.inverse() @ x):
        close(lib.numpy(step), np.linalg.solve(dense, b), 1e-10)
        assert lib.owns(step)


@pytest.mark.parametrize("library", fast(), ids=str)
def test_is_an_operator(library):
    interior, boundary = tiny_layers(library), boundary_like(library)
    check_operator(kl.kfac_pinn(interior, boundary))
    check_operator(damped_kfac(interior, boundary, 0.5))


def test_types():
    rng = np.random.default_rng(0)
    sizes = [(4, 3), (2, 3), (4, 3)]
    interior, boundary = random_layers(rng, 5, 1, sizes, 4), random_layers(rng, 3, 1, sizes)
    K = kl.kfac_pinn(interior, boundary)
    assert K.is_psd is True
    damped = damped_kfac(interior, boundary, 0.1)
    assert damped.is_pd is damped.inverse().is_pd is True
    for operator, kind in ((K, Sum), (damped, Sum), (damped.inverse(), Congruence)):
        assert type(operator) is kl.BlockDiagonal
        assert operator.members == ((0, 2), (1,))
        assert {type(bucket) for bucket in operator.buckets} == {kind}
    assert all(type(term) is kl.Kronecker for bucket in damped.buckets for term in bucket.terms)


def test_the_damped_inverse_forms_nothing_large(monkeypatch):
    interior, boundary, gradient = pinn(widths=(2, 6, 5, 1))
    dense = damped_kfac(interior, boundary, 0.01).to_dense()
    monkeypatch.setattr(fallback, "DENSE_LIMIT", 7)
    K = damped_kfac(interior, boundary, 0.01)
    close(K.solve(gradient), np.linalg.solve(dense, gradient), 1e-9)
    close(K.logdet(), np.linalg.slogdet(dense)[1], 1e-10)


def test_damping_of_the_factors_is_not_that_of_their_sum():
    interior, boundary, gradient = pinn()
    exact, by_factor = kl.kfac_pinn(interior, boundary).damped(0.1), damped_kfac(interior, boundary, 0.1)
    assert error(by_factor.to_dense(), exact.to_dense()) > 1e-2
    close(exact.solve(gradient), np.linalg.solve(exact.to_dense(), gradient), 1e-10)


def test_float32_stays_float32(lib):
    K = damped_kfac(tiny_layers(lib, "float32"), boundary_like(lib, "float32"), 0.5)
    x = lib.asarray(np.arange(12.0), "float32")
    for result in (K @ x, K.solve(x)):
        assert result.dtype == lib.xp.float32
    double = damped_kfac(tiny_layers(NUMPY), boundary_like(NUMPY), 0.5)
    close(lib.numpy(result), double.solve(np.arange(12.0)), 1e-5)


# Where it is exact, and where not


def test_a_boundary_of_one_point_is_exact_and_an_interior_of_one_is_not():
    interior, boundary, _ = pinn(n=1, m=1)
    for product, block in zip(by_definition(boundary, 0), kl.block_diagonal_fisher(boundary).blocks, strict=True):
        assert error(product, block.to_dense()) < 1e-13
    for product, block in zip(by_definition(interior, 0), kl.block_diagonal_fisher(interior).blocks, strict=True):
        assert error(product, block.to_dense()) > 1e-2


def test_exact_for_two_terms_of_one_point_without_positions():
    rng = np.random.default_rng(0)
    one, two = (random_layers(rng, 1, 1, [(3, 2), (1, 4)]) for _ in range(2))
    exact = kl.block_diagonal_fisher(one) + kl.block_diagonal_fisher(two)
    close(kl.kfac_pinn(one, two).to_dense(), exact.to_dense())


# The exact matrix


@pytest.mark.parametrize("lam", [0.1, 1e-9])
def test_the_exact_matrix_is_solved_on_the_dual_side(lam, monkeypatch):
    n, m = 4, 5
    interior, boundary, gradient = pinn(n, m)
    F = kl.fisher(interior) + kl.fisher(boundary)
    dense = fisher_by_definition(interior) + fisher_by_definition(boundary)
    close(F.to_dense(), dense)
    assert type(F) is Sum
    assert F.is_psd is True
    monkeypatch.setattr(fallback, "DENSE_LIMIT", n + m)
    damped, exact = F.damped(lam), dense + lam * np.eye(len(dense))
    x = damped.solve(gradient)
    assert np.linalg.norm(exact @ x - gradient) <= 1e-12 * np.linalg.norm(exact, 2) * np.linalg.norm(x)
    close(damped.logdet(), np.linalg.slogdet(exact)[1], 1e-6)
    inverse = damped.inverse()
    if lam == 0.1:
        assert damped._kept("woodbury").system.shape == (n + m, n + m)
        close(inverse.to_dense(), np.linalg.inv(exact), 1e-10)
    else:
        assert type(inverse) is kl.Spectral
        assert inverse.Q.shape[1] <= n + m


# Training


def poisson():
    """Δu = f on the unit square with u = sin(π x) sin(π y) known at the edge, on small grids."""
    t, s = (np.arange(5) + 0.5) / 5, np.linspace(0, 1, 6)
    x = np.stack(np.meshgrid(t, t), axis=-1).reshape(-1, 2)
    sides = [np.stack(pair, axis=1) for end in (0 * s, 0 * s + 1) for pair in ((s, end), (end, s))]
    edge = np.concatenate(sides)

    def u(points):
        return np.prod(np.sin(np.pi * points), axis=1, keepdims=True)

    return x, -2 * np.pi**2 * u(x), edge, u(edge)


def trained(step, data, iterations=25):
    """The loss after some steps -c d, each with the best c of 2, 1, 1/2, …."""
    net = MLP((2, 10, 1), seed=0)
    loss = np.inf
    for _ in range(iterations):
        interior, boundary, gradient, loss = collect_pinn(net, *data)
        d = step(interior, boundary, gradient)
        trials = [net.with_parameters(net.parameters - 2.0**-k * d) for k in range(-1, 16)]
        losses = [collect_pinn(trial, *data)[3] for trial in trials]
        best = int(np.argmin(losses))
        if losses[best] < loss:
            net, loss = trials[best], losses[best]
    return loss


def test_steps_of_natural_gradient_beat_gradient_descent():
    data = poisson()
    descent = trained(lambda interior, boundary, gradient: gradient, data)
    for step in (
        lambda interior, boundary, gradient: damped_kfac(interior, boundary, 1e-2).solve(gradient),
        lambda interior, boundary, gradient: (kl.fisher(interior) + kl.fisher(boundary)).damped(1e-5).solve(gradient),
    ):
        assert trained(step, data) < 0.1 * descent


# Errors


def test_the_two_must_be_of_one_net():
    rng = np.random.default_rng(0)
    interior, boundary = (random_layers(rng, 3, 1, sizes) for sizes in ([(2, 3), (1, 2)], [(2, 3), (1, 3)]))
    with pytest.raises(ValueError, match=r"interior have the sizes .* \[\(2, 3\), \(1, 2\)\], those of the boundary"):
        kl.kfac_pinn(interior, boundary)
    with pytest.raises(ValueError, match="collect both from the same network"):
        kl.kfac_pinn(interior, interior[:1])
    with pytest.raises(ValueError, match="layers is empty"):
        kl.kfac_pinn(interior, [])
