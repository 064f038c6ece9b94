"""Laws of `tridiagonal_kfac`: the blocks it keeps, the zeros of its inverse, and where it is something known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from kronlin.algebra import Product
from kronlin.operators import Congruence, fallback
from kronlin.testing import check_operator
from tests.libraries import NUMPY, eager
from tests.nets import close, layers_of, mlp_layers, random_layers, reference, tiny_layers

SIZES = [(3, 2), (2, 4), (1, 2), (3, 2)]
SHARING = pytest.mark.parametrize("sharing", ["expand", "reduce"])


def net(seed=0, n=4, K=2, sizes=SIZES, S=1, dtype="float64"):
    return random_layers(np.random.default_rng(seed), n, K, sizes, S, dtype=dtype)


def moments(one, two, sharing):
    """G and A of two layers, one outer product at a time."""
    (a, g), (b, h) = ((layer.inputs, layer.output_gradients) for layer in (one, two))
    if sharing == "reduce":
        a, b = (x.mean(axis=1)[:, None] for x in (a, b))
        g, h = (x.sum(axis=1)[:, None] for x in (g, h))
    n, S, K = g.shape[:3]
    A = sum(np.outer(a[i, s], b[i, s].conj()) for i in range(n) for s in range(S)) / (n * S)
    G = sum(np.outer(g[i, s, k], h[i, s, k].conj()) for i in range(n) for s in range(S) for k in range(K)) / n
    return G, A


def by_definition(layers, lams, pi="trace", sharing="expand"):
    """The damped blocks on the diagonal, those beside it, and (Ξᴴ diag(Σ)⁻¹ Ξ)⁻¹, all of it dense."""
    on = []
    for layer, lam in zip(layers, lams, strict=True):
        factors = [kl.assume(kl.Dense(x), "psd") for x in moments(layer, layer, sharing)]
        on.append(kl.factored_damping(kl.Kronecker(*factors), lam, pi).to_dense())
    beside = [np.kron(*moments(*pair, sharing)) for pair in zip(layers, layers[1:], strict=False)]
    starts = np.cumsum([0, *map(len, on)])
    xi, inner = np.eye(starts[-1], dtype=on[0].dtype), np.zeros((starts[-1],) * 2, on[0].dtype)
    for i, block in enumerate(on):
        here, sigma = slice(starts[i], starts[i + 1]), block
        if i < len(beside):
            psi = beside[i] @ np.linalg.inv(on[i + 1])
            xi[here, starts[i + 1] : starts[i + 2]] = -psi
            sigma = block - psi @ on[i + 1] @ psi.conj().T
        inner[here, here] = np.linalg.inv(sigma)
    return on, beside, np.linalg.inv(xi.conj().T @ inner @ xi), starts


@pytest.mark.parametrize("name", ["mlp_tanh_mse_bias", "deep_linear_mse_bias"])
def test_reference_steps(name):
    data = reference(name)
    F = kl.tridiagonal_kfac(layers_of(data), 0.1)
    close(F.solve(data["grad"]), data["btk_1e-1"])
    close(F.inverse() @ data["grad"], data["btk_1e-1"])


@SHARING
@pytest.mark.parametrize("pi", ["trace", "spectral", None])
@pytest.mark.parametrize(("S", "dtype"), [(1, "float64"), (2, "float64"), (2, "complex128")])
def test_keeps_three_bands_and_its_inverse_has_no_more(sharing, pi, S, dtype):
    layers, lams = net(S=S, dtype=dtype), [0.1, 0.2, 0.3, 0.4]
    F = kl.tridiagonal_kfac(layers, lams, pi, sharing)
    on, beside, dense, starts = by_definition(layers, lams, pi, sharing)
    formed, inverse = F.to_dense(), F.inverse().to_dense()
    close(formed, dense, 1e-10)
    close(inverse, np.linalg.inv(dense), 1e-10)
    cut = [slice(*ends) for ends in zip(starts, starts[1:], strict=False)]
    for i, x in enumerate(cut):
        close(formed[x, x], on[i])
        for j in range(i + 1, len(cut)):
            if j == i + 1:
                close(formed[x, cut[j]], beside[i])
            else:
                assert np.abs(inverse[x, cut[j]]).max() <= 1e-13 * np.abs(inverse).max()


@given(
    sizes=st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3)), min_size=1, max_size=4),
    counts=st.tuples(st.integers(1, 4), st.integers(1, 2), st.integers(1, 2)),
    lam=st.floats(1e-2, 10),
    seed=st.integers(0, 99),
)
def test_definition(sizes, counts, lam, seed):
    n, K, S = counts
    layers = net(seed, n, K, sizes, S)
    F, dense = kl.tridiagonal_kfac(layers, lam), by_definition(layers, [lam] * len(sizes))[2]
    close(F.to_dense(), dense, 1e-10)
    close(F.inverse().to_dense(), np.linalg.inv(dense), 1e-10)
    assert F.is_pd is F.inverse().is_pd is True
    assert np.linalg.eigvalsh(dense)[0] > 0
    assert float(F.logdet()) == pytest.approx(np.linalg.slogdet(dense)[1], abs=1e-9)


@given(seed=st.integers(0, 99), lam=st.floats(1e-2, 10))
def test_two_layers_are_kfac_with_all_four_blocks(seed, lam):
    layers = net(seed, sizes=SIZES[:2])
    on, beside = by_definition(layers, [lam] * 2)[:2]
    whole = np.block([[on[0], beside[0]], [beside[0].T, on[1]]])
    close(kl.tridiagonal_kfac(layers, lam).to_dense(), whole)


@SHARING
def test_one_layer_is_kfac(sharing):
    layers = net(sizes=SIZES[:1], S=3)
    wanted = kl.factored_damping(kl.kfac(layers, sharing), 0.3)
    close(kl.tridiagonal_kfac(layers, 0.3, sharing=sharing).to_dense(), wanted.to_dense())


def test_layers_that_do_not_meet_are_kfac():
    """Cross moments of zero: gradients in different columns, inputs of different examples."""
    layers = []
    for i in range(3):
        a, g = np.zeros((6, 2)), np.zeros((6, 3, 2))
        a[2 * i : 2 * i + 2], g[:, i] = np.random.default_rng(i).standard_normal((2, 2)), np.eye(2)[[0, 1] * 3]
        layers.append(kl.LayerStatistics(a, g))
    close(kl.tridiagonal_kfac(layers, 0.2).to_dense(), kl.factored_damping(kl.kfac(layers), 0.2).to_dense())


@given(seed=st.integers(0, 99), c=st.floats(1e-3, 1e3))
def test_scales_with_the_loss(seed, c):
    """c F with c λ is c F̂, and how a number is split between inputs and gradients does not matter."""
    layers = net(seed)
    scaled = [kl.LayerStatistics(layer.inputs, c**0.5 * layer.output_gradients) for layer in layers]
    split = [kl.LayerStatistics(c * layer.inputs, layer.output_gradients / c) for layer in layers]
    F = kl.tridiagonal_kfac(layers, 0.3).to_dense()
    close(kl.tridiagonal_kfac(scaled, 0.3 * c).to_dense(), c * F, 1e-11)
    close(kl.tridiagonal_kfac(split, 0.3).to_dense(), F, 1e-11)


# Structure


def test_types(monkeypatch):
    """Nothing of the size of a layer's parameters squared is formed."""
    monkeypatch.setattr(fallback, "DENSE_LIMIT", 5)
    F = kl.tridiagonal_kfac(net(), 0.1)
    inverse = F.inverse()
    left, middle, right = inverse.factors
    assert type(F) is type(inverse) is Product
    assert type(right) is kl.BlockTridiagonal
    assert left is right.H
    assert right.sizes == [6, 8, 2, 6]
    assert right.lower_blocks == ()
    assert [type(block) for block in middle.blocks] == [Congruence] * 3 + [kl.Kronecker]
    assert [type(block.base) for block in right.upper_blocks] == [kl.Kronecker] * 3
    assert inverse.is_pd is True


@pytest.mark.parametrize("lib", eager(), ids=str)
def test_is_an_operator(lib):
    F = kl.tridiagonal_kfac(tiny_layers(lib), 0.5)
    check_operator(F)
    check_operator(F.inverse())


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-4), ("float64", 1e-11)])
def test_every_library(lib, dtype, tolerance):
    F, b = kl.tridiagonal_kfac(tiny_layers(lib, dtype), 0.5), np.arange(12.0)
    wanted = np.linalg.solve(by_definition(tiny_layers(NUMPY), [0.5] * 2)[2], b)
    for step in (F.solve(lib.asarray(b, dtype)), F.inverse() @ lib.asarray(b, dtype)):
        assert lib.owns(step)
        assert step.dtype == getattr(lib.xp, dtype)
        close(lib.numpy(step), wanted, tolerance)


def test_as_the_fine_level_and_in_a_comparison():
    layers, gradient = mlp_layers((4, 5, 4, 3), "mse", 12)
    A, blocks = kl.fisher(layers).damped(0.1), kl.kfac(layers)
    M, Z = kl.tridiagonal_kfac(layers, 0.1).inverse(), kl.coarse.nicolaides(blocks)
    B, dense, z = kl.two_level(A, M, Z, "A-DEF2"), A.to_dense(), Z.to_dense()
    q = z @ np.linalg.solve(z.T @ dense @ z, z.T)
    close(B @ gradient, (np.eye(len(q)) - q @ dense) @ (M.to_dense() @ gradient) + q @ gradient, 1e-10)
    table = kl.compare(A, {"chain": M, "two-level": kl.two_level(A, M, Z, "BNN")}, gradient)
    assert table["chain"].converged
    assert table["two-level"].converged
    exact, step = np.linalg.solve(dense, gradient), M.to_dense() @ gradient
    energy = ((step - exact) @ dense @ (step - exact) / (exact @ dense @ exact)) ** 0.5
    assert table["chain"].error == pytest.approx(energy, rel=1e-8)


# At the edge


def test_dead_and_constant_layers():
    """No gradients in the middle, equal inputs: finite, pd, by the definition."""
    layers = net(n=3, sizes=[(3, 2), (2, 3), (2, 2)])
    layers[1] = kl.LayerStatistics(np.ones((3, 3)), np.zeros((3, 2, 2)))
    F = kl.tridiagonal_kfac(layers, 0.1)
    close(F.to_dense(), by_definition(layers, [0.1] * 3)[2], 1e-11)
    assert np.isfinite(F.inverse() @ np.ones(16)).all()


def test_without_damping():
    """λ = 0 where all factors are regular: psd is what is known."""
    layers = net(n=40, K=3, sizes=SIZES[:3])
    F = kl.tridiagonal_kfac(layers, 0.0)
    close(F.to_dense(), by_definition(layers, [0.0] * 3)[2], 1e-9)
    assert (F.is_psd, F.is_pd) == (True, None)
    with pytest.raises(kl.SingularMatrixError):
        kl.tridiagonal_kfac(net(n=1, K=1), 0.0)


def test_bad_input():
    layers = random_layers(np.random.default_rng(0), 3, 1, SIZES[:2], [2, 3])
    with pytest.raises(ValueError, match=r"\[2, 3\] positions, which cannot be paired: pass sharing='reduce'"):
        kl.tridiagonal_kfac(layers, 0.1)
    assert kl.tridiagonal_kfac(layers, 0.1, sharing="reduce").is_pd is True
    for arguments, match in [
        ((layers[:1], [0.1, 0.2]), "lam has 2 entries for 1 blocks"),
        ((layers, -1.0), "damping must be a finite number that is not negative"),
        ((layers, 0.1, "norm"), "unknown pi 'norm'"),
        ((layers, 0.1, "trace", "average"), "unknown sharing 'average'"),
        (([], 0.1), "layers is empty"),
    ]:
        with pytest.raises(ValueError, match=match):
            kl.tridiagonal_kfac(*arguments)
