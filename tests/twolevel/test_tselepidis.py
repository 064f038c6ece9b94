"""Laws of the coarse matrix made of second moments alone, against its definition entry by entry."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import block_diag

import kronlin as kl
from kronlin.coarse import nicolaides
from kronlin.curvature import fisher, kfac
from kronlin.twolevel import tselepidis, two_level
from tests.libraries import JAX, NUMPY, installed
from tests.nets import close, fisher_by_definition, layer_lists, mlp_layers, random_layers, tiny_layers


def moments(layers, sharing, lib=NUMPY):
    """The pairs a (rows, d_in), g (rows, d_out) of each layer, with the numbers that their moments are divided by."""
    a, g = [lib.numpy(layer.inputs) for layer in layers], [lib.numpy(layer.output_gradients) for layer in layers]
    n, S = a[0].shape[:2]
    if sharing == "reduce":
        a, g, S = [x.mean(axis=1) for x in a], [x.sum(axis=1) for x in g], 1
    return [x.reshape(-1, x.shape[-1]) for x in a], [x.reshape(-1, x.shape[-1]) for x in g], n * S, n


def approximation(layers, sharing, lib=NUMPY):
    """The whole matrix with the blocks G_lm ⊗ A_lm."""
    a, g, by_inputs, by_outputs = moments(layers, sharing, lib)
    return np.block(
        [
            [np.kron(gl.T @ gm.conj() / by_outputs, al.T @ am.conj() / by_inputs) for am, gm in zip(a, g, strict=True)]
            for al, gl in zip(a, g, strict=True)
        ]
    )


def by_definition(layers, lam, sharing, weights, galerkin=True, lib=NUMPY):
    sizes = [layer.parameters for layer in layers]
    Z = block_diag(*(np.ones((size, 1)) for size in sizes))
    full = approximation(layers, sharing, lib)
    E = Z.T @ full @ Z + lam * (Z.T @ Z if galerkin else np.eye(len(sizes)))
    starts = np.cumsum([0, *sizes])
    M = np.zeros_like(full)
    for start, stop in zip(starts[:-1], starts[1:], strict=True):
        block = slice(start, stop)
        M[block, block] = np.linalg.inv(full[block, block] + lam * np.eye(stop - start))
    return weights[0] * M + weights[1] * Z @ np.linalg.solve(E, Z.T)


@pytest.mark.parametrize("galerkin", [True, False])
@given(
    layers=layer_lists(),
    sharing=st.sampled_from(["expand", "reduce"]),
    lam=st.sampled_from([0.1, 1.0]),
    weights=st.tuples(st.floats(0.1, 3), st.floats(0.1, 3)),
)
def test_dense_definition(galerkin, layers, sharing, lam, weights):
    if sharing == "expand" and len({layer.S for layer in layers}) > 1:
        with pytest.raises(ValueError, match=r'pair these one to one: take sharing="reduce"'):
            tselepidis(layers, lam)
        return
    damping = "galerkin" if galerkin else "identity"
    B = tselepidis(layers, lam, weights=weights, sharing=sharing, coarse_damping=damping)
    close(B.to_dense(), by_definition(layers, lam, sharing, weights, galerkin), 1e-9)
    assert B.is_pd is True


@pytest.mark.parametrize("sharing", ["expand", "reduce"])
def test_every_library(lib, sharing):
    layers = tiny_layers(lib)
    b = np.arange(12.0)
    x = tselepidis(layers, 0.5, sharing=sharing) @ lib.asarray(b)
    assert lib.owns(x)
    close(lib.numpy(x), by_definition(layers, 0.5, sharing, (1, 1), lib=lib) @ b, 1e-10)


@pytest.mark.parametrize("dtype", ["float32", "complex128"])
@pytest.mark.parametrize("lib", [lib for lib in installed() if lib is not JAX], ids=str)
def test_dtypes(lib, dtype):
    layers = tiny_layers(lib, dtype)
    x = tselepidis(layers, 0.5) @ lib.asarray(np.arange(12.0), dtype)
    assert str(x.dtype).split(".")[-1] == dtype
    tolerance = 1e-4 if dtype == "float32" else 1e-10
    close(lib.numpy(x), by_definition(layers, 0.5, "expand", (1, 1), lib=lib) @ np.arange(12.0), tolerance)


def test_equals_the_galerkin_method_where_the_blocks_are_kronecker_products():
    """One example: the Fisher matrix has the blocks G_lm ⊗ A_lm, and E is Zᴴ (F + λ I) Z."""
    layers = random_layers(np.random.default_rng(0), 1, 1, [(3, 2), (2, 4)])
    close(approximation(layers, "expand"), fisher_by_definition(layers))
    K = kfac(layers)
    B = two_level(fisher(layers).damped(0.3), K.damped(0.3).inverse(), nicolaides(K), "AD", weights=(0.5, 2.0))
    close(tselepidis(layers, 0.3, weights=(0.5, 2.0)).to_dense(), B.to_dense(), 1e-11)


def test_takes_a_fine_preconditioner_and_serves_cg():
    layers, gradient = mlp_layers((4, 5, 3), "softmax", 12)
    A, M = fisher(layers).damped(1e-2), kfac(layers).damped(1e-2).inverse()
    close(tselepidis(layers, 1e-2, M=M).to_dense(), tselepidis(layers, 1e-2).to_dense(), 1e-14)
    M = kl.assume(np.eye(A.shape[0]), "pd")
    B = tselepidis(layers, 1e-2, M=M)
    close(B.to_dense() - np.eye(A.shape[0]), by_definition(layers, 1e-2, "expand", (0, 1)), 1e-11)
    assert kl.cg(A, gradient, M=B, rtol=1e-8).converged.all()


def test_structure_is_kept():
    layers, _ = mlp_layers()
    B = tselepidis(layers, 0.1)
    assert [type(term).__name__ for term in B.terms] == ["BlockDiagonal", "LowRank"]
    assert B.terms[1].rank == len(layers)


def test_errors():
    layers, _ = mlp_layers((3, 2), n=3)
    with pytest.raises(ValueError, match="unknown sharing 'mean'"):
        tselepidis(layers, 0.1, sharing="mean")
    with pytest.raises(ValueError, match="unknown coarse_damping 'lam': choose one of 'galerkin', 'identity'"):
        tselepidis(layers, 0.1, coarse_damping="lam")
    for lam in (0.0, -1.0, np.inf, np.nan):
        with pytest.raises(ValueError, match="the damping must be a positive number"):
            tselepidis(layers, lam)
    with pytest.raises(ValueError, match="two positive numbers"):
        tselepidis(layers, 0.1, weights=(1, 0))
    with pytest.raises(ValueError, match="disagree on n"):
        tselepidis([*layers, *mlp_layers((3, 2), n=4)[0]], 0.1, M=np.eye(2))
    with pytest.raises(ValueError, match=r"their shapes differ"):
        tselepidis(layers, 0.1, M=np.eye(2))
