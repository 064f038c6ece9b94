"""What all approximations and dampings have in common: large and small λ, undamped pseudo-inverses, dead layers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from tests.libraries import NUMPY, eager
from tests.nets import close, layer_lists, mlp_layers

EXACT = {
    "fisher": kl.fisher,
    "blocks": kl.block_diagonal_fisher,
    "kfac": kl.kfac,
    "reduce": lambda layers: kl.kfac(layers, "reduce"),
    "ekfac": kl.ekfac,
    "tkfac": kl.tkfac,
    "kpsvd": kl.kpsvd,
    "foof": kl.foof,
    "shampoo": kl.shampoo,
    "mini-block": kl.mini_block_fisher,
    "diagonal": kl.diagonal_fisher,
}
FACTORS = ("kfac", "reduce", "tkfac", "kpsvd", "foof", "shampoo")
DAMPINGS = {
    "trace": lambda F, lam: kl.factored_damping(F, lam, "trace"),
    "frobenius": lambda F, lam: kl.factored_damping(F, lam, "frobenius"),
    "spectral": lambda F, lam: kl.factored_damping(F, lam, "spectral"),
    "pi = 1": lambda F, lam: kl.factored_damping(F, lam, None),
    "per factor": lambda F, lam: kl.per_factor_damping(F, lam**0.5),
}
EACH = pytest.mark.parametrize("name", EXACT)
PRODUCTS = pytest.mark.parametrize("name", FACTORS)
DAMPED = pytest.mark.parametrize("damping", DAMPINGS)


def singular(lib=NUMPY, dtype="float64"):
    """Two examples at 60° of each other: all factors above size 2 are singular, and else well-conditioned."""
    layers = []
    for seed, (d_out, d_in) in enumerate([(4, 3), (2, 3), (4, 3)]):
        rng, pair = np.random.default_rng(seed), np.array([[1.0, 0.0], [0.5, 0.75**0.5]])
        a, g = (pair @ np.linalg.qr(rng.standard_normal((d, 2)))[0].T for d in (d_in, d_out))
        layers.append(kl.LayerStatistics(lib.asarray(a, dtype), lib.asarray(g, dtype)))
    return layers


def pinv(dense):
    return np.linalg.pinv(dense, rcond=1e-10, hermitian=True)


@EACH
def test_a_large_damping_is_the_gradient(name):
    """λ (F + λ I)⁻¹ g → g as 1/λ."""
    layers, gradient = mlp_layers()
    F = EXACT[name](layers)
    size = np.linalg.norm(F.to_dense(), 2)
    for lam in (1e4 * size, 1e8 * size):
        close(lam * F.damped(lam).solve(gradient), gradient, 3 * size / lam)


@PRODUCTS
@DAMPED
def test_a_large_factored_damping_is_the_gradient(name, damping):
    """With the cross terms only as 1/√λ."""
    layers, gradient = mlp_layers()
    F = EXACT[name](layers)
    for lam, bound in ((1e8, 1e-2), (1e16, 1e-6)):
        close(lam * DAMPINGS[damping](F, lam).solve(gradient), gradient, bound)


def test_a_large_damping_of_the_chain_is_the_gradient():
    layers, gradient = mlp_layers()
    for lam, bound in ((1e8, 1e-2), (1e16, 1e-6)):
        close(lam * kl.tridiagonal_kfac(layers, lam).solve(gradient), gradient, bound)


@EACH
def test_a_small_damping_is_the_solution_of_smallest_norm(name):
    """(F + λ I)⁻¹ b → F⁺ b as λ, for b in the range."""
    F = EXACT[name](singular())
    b = F @ np.arange(30.0)
    close(F.damped(1e-8).solve(b), pinv(F.to_dense()) @ b, 1e-5)


@PRODUCTS
@DAMPED
def test_a_small_factored_damping_is_the_solution_of_smallest_norm(name, damping):
    """As √λ."""
    F = EXACT[name](singular())
    b = F @ np.arange(30.0)
    close(DAMPINGS[damping](F, 1e-10).solve(b), pinv(F.to_dense()) @ b, 1e-3)


# Undamped


@EACH
def test_the_pseudo_inverse_of_singular_blocks(name):
    """Exact, psd, and of the structure of F."""
    F = EXACT[name](singular())
    found = F.pinv()
    close(found.to_dense(), pinv(F.to_dense()), 1e-8)
    assert found.is_psd is True
    if name == "fisher":
        assert type(found) is kl.Spectral
    elif name == "diagonal":
        assert type(found) is kl.Diagonal
    else:
        assert type(found) is kl.BlockDiagonal
        kept = kl.Spectral if name in ("blocks", "ekfac", "mini-block") else kl.Kronecker
        assert {type(block) for block in found.buckets} == {kept}


@EACH
@pytest.mark.parametrize("dtype", ["float32", "complex128"])
@pytest.mark.parametrize("lib", eager(), ids=str)
def test_the_pseudo_inverse_on_every_library(name, lib, dtype):
    """It solves F x = b for every b in the range, with x in the range."""
    F = EXACT[name](singular(lib, dtype))
    b = F @ lib.asarray(np.arange(30.0) - 7.0, dtype)
    x = F.pinv() @ b
    assert lib.owns(x)
    assert x.dtype == getattr(lib.xp, dtype)
    tolerance = 1e-3 if dtype == "float32" else 1e-9
    close(lib.numpy(F @ x), lib.numpy(b), tolerance)
    close(lib.numpy(F.pinv() @ (F @ x)), lib.numpy(x), tolerance)


@pytest.mark.parametrize("name", ["two terms", "corrected"])
def test_the_pseudo_inverse_of_two_terms(name):
    layers = singular()
    F = kl.kpsvd(layers, 2) if name == "two terms" else kl.kfac_corrected(layers)
    close(F.pinv().to_dense(), pinv(F.to_dense()), 1e-8)


@given(layers=layer_lists(), name=st.sampled_from([name for name in EXACT if name not in ("kpsvd", "shampoo")]))
def test_the_pseudo_inverse_undoes_what_f_does(layers, name):
    """F F⁺ F = F."""
    F = EXACT[name](layers)
    dense = F.to_dense()
    close(dense @ F.pinv().to_dense() @ dense, dense, 1e-6)


@EACH
def test_the_pseudo_inverse_of_a_dead_net_is_zero(name):
    layers = [kl.LayerStatistics(np.ones((2, 3)), np.zeros((2, 2))) for _ in range(2)]
    F = EXACT[name](layers)
    if name == "foof":
        close(F.pinv().to_dense(), pinv(F.to_dense()))
    else:
        assert not (F.pinv() @ np.ones(12)).any()


# Equivariance


@given(
    layers=layer_lists(),
    c=st.floats(1e-2, 1e2),
    name=st.sampled_from([name for name in EXACT if name != "foof"]),
)
def test_exact_damping_scales_with_the_loss(layers, c, name):
    """(c F + c λ I)⁻¹ = (F + λ I)⁻¹ / c."""
    scaled = [kl.LayerStatistics(layer.inputs, c**0.5 * layer.output_gradients) for layer in layers]
    b = np.arange(1.0, 1 + sum(layer.parameters for layer in layers))
    close(c * EXACT[name](scaled).damped(c * 0.3).solve(b), EXACT[name](layers).damped(0.3).solve(b), 1e-6)


@pytest.mark.parametrize("name", ["kfac", "tkfac"])
@pytest.mark.parametrize(
    ("damping", "equivariant"), [(name, name not in ("pi = 1", "per factor")) for name in DAMPINGS]
)
def test_which_factored_damping_scales_with_the_loss(name, damping, equivariant):
    layers, c = singular(), 100.0
    scaled = [kl.LayerStatistics(layer.inputs, c**0.5 * layer.output_gradients) for layer in layers]
    one, two = (
        scale * DAMPINGS[damping](EXACT[name](given), scale * 0.3).inverse().to_dense()
        for given, scale in ((layers, 1.0), (scaled, c))
    )
    if equivariant:
        close(two, one, 1e-10)
    else:
        assert np.linalg.norm(two - one) > 0.05 * np.linalg.norm(one)
