"""Laws of `Galerkin`: E, Q and P against their dense formulas, the projector identities, rank-deficient Z."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kronlin.algebra import Product, assume, rules
from kronlin.arrays import NotPositiveDefiniteError, memory_limit
from kronlin.coarse import nicolaides, spectral
from kronlin.curvature import FisherRoot, fisher, kfac
from kronlin.galerkin import Galerkin, inverse_of_coarse_matrix
from kronlin.operators import Dense, Diagonal, Function, LowRank, VStack
from tests.nets import DAMPINGS, NETS, close, layers_of, random_layers, reference, tiny_layers
from tests.triples import energy_root, formulas, random_spd, triples


def distance(found, wanted):
    return np.linalg.norm(found - wanted, 2)


@pytest.mark.parametrize("name", NETS[:2])
@pytest.mark.parametrize("lam", DAMPINGS)
@pytest.mark.parametrize("space", ["nico", "spec"])
def test_reference_matrices(name, lam, space):
    data = reference(name)
    layers, Z = layers_of(data), data[f"Z_{space}"]
    A = fisher(layers).damped(float(lam))
    for columns in (Z, nicolaides(kfac(layers))) if space == "nico" else (Z,):
        found = Galerkin(A, columns)
        close(found.E, data[f"tl_{space}_{lam}_E"])
        tolerance = 1e-12 + 1e-14 * np.linalg.cond(found.E)
        close(found.Q.to_dense(), Z @ np.linalg.inv(data[f"tl_{space}_{lam}_E"]) @ Z.T, tolerance)


@given(triples())
def test_dense_formulas(triple):
    A, _, Z = triple
    found, wanted = Galerkin(A, Z), formulas(*triple)
    eps, kappa = 1e-14 * len(A), triple.condition
    assert distance(found.E / np.abs(wanted.E).max(), wanted.E / np.abs(wanted.E).max()) <= eps
    q, pi = np.linalg.norm(wanted.Q, 2), max(np.linalg.norm(wanted.P, 2), 1)
    assert distance(found.Q.to_dense(), wanted.Q) <= eps * kappa * q
    assert distance(found.P.to_dense(), wanted.P) <= eps * kappa * pi
    assert distance(found.P.H.to_dense(), wanted.P.T) <= eps * kappa * pi
    assert distance(found.AQ.to_dense(), A @ wanted.Q) <= eps * kappa * pi
    assert distance(found.AZ.to_dense() / np.abs(Z).max(axis=0), A @ Z / np.abs(Z).max(axis=0)) <= eps * 10
    assert (found.k, found.dropped) == (Z.shape[1], 0)


@given(triples())
def test_projector_identities(triple):
    A, _, Z = triple
    coarse, kappa = Galerkin(A, Z), triple.condition
    P, Q = coarse.P.to_dense(), coarse.Q.to_dense()
    pi, q, a = max(np.linalg.norm(P, 2), 1), np.linalg.norm(Q, 2), np.linalg.norm(A, 2)
    unit, tolerance = Z / np.linalg.norm(Z, axis=0), 1e-13 * len(A) * kappa
    zeros = [
        (P @ P - P, pi**2),
        (P @ A - A @ P.T, pi * a),
        (P @ A @ unit, pi * a),
        (P.T @ unit, pi),
        (Q @ A @ unit - unit, pi),
        (Q @ A @ Q - Q, pi * q),
        (P.T @ Q, pi * q),
        (Q @ P, pi * q),
        (P.T - np.eye(len(A)) + Q @ A, pi),
    ]
    for position, (matrix, size) in enumerate(zeros):
        assert np.linalg.norm(matrix, 2) <= tolerance * size, f"identity {position}"
    assert np.linalg.matrix_rank(energy_root(A) @ coarse.Q.to_dense() @ energy_root(A), tol=1e-6) == triple.k
    assert np.linalg.eigvalsh((P @ A + A @ P.T) / 2)[0] >= -tolerance * pi * a


@given(triples(hardest=3), st.data())
def test_only_the_range_counts(triple, data):
    """Z -> Z R changes neither Q nor P."""
    A, _, Z = triple
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    R = random_spd(rng, triple.k, 2) @ np.linalg.qr(rng.standard_normal((triple.k, triple.k)))[0]
    unit = Z / np.linalg.norm(Z, axis=0)
    one, other = Galerkin(A, unit), Galerkin(A, unit @ R)
    assert distance(one.Q.to_dense(), other.Q.to_dense()) <= 1e-9 * np.linalg.norm(one.Q.to_dense(), 2)
    assert distance(one.P.to_dense(), other.P.to_dense()) <= 1e-9 * np.linalg.norm(one.P.to_dense(), 2)


@given(triples(hardest=3, scaled=False), st.data())
def test_nested_spaces(triple, data):
    """range Z₁ ⊂ range Z₂: P₁ A - P₂ A and Q₂ - Q₁ are psd."""
    A, _, Z = triple
    inner = data.draw(st.integers(1, triple.k))
    small, large = Galerkin(A, Z[:, :inner]), Galerkin(A, Z)
    root = energy_root(A)
    gain = root @ (large.Q.to_dense() - small.Q.to_dense()) @ root
    assert np.linalg.eigvalsh((gain + gain.T) / 2)[0] >= -1e-9
    loss = (small.P.to_dense() - large.P.to_dense()) @ A
    assert np.linalg.eigvalsh((loss + loss.T) / 2)[0] >= -1e-9 * np.linalg.norm(A, 2)


@given(triples(hardest=4))
def test_a_space_that_is_everything(triple):
    """Q = A⁻¹ and P = 0."""
    Z = np.linalg.qr(triple.A @ triple.M)[0]
    coarse = Galerkin(triple.A, Z)
    inverse = np.linalg.inv(triple.A)
    assert distance(coarse.Q.to_dense(), inverse) <= 1e-13 * triple.condition * np.linalg.norm(inverse, 2)
    assert np.linalg.norm(coarse.P.to_dense(), 2) <= 1e-12 * triple.condition


def test_equilibration_lowers_the_condition_of_raw_ones():
    layers = random_layers(np.random.default_rng(0), 30, 2, [(30, 20), (2, 3), (5, 1)])
    raw, scaled = Galerkin(fisher(layers).damped(0.1), nicolaides(kfac(layers))).condition()
    assert scaled < 0.1 * raw
    columns = 10.0 ** np.arange(-3, 3)
    coarse = Galerkin(np.eye(8), np.eye(8)[:, :6] * columns)
    assert coarse.condition() == pytest.approx((1e10, 1.0))


@given(triples(hardest=5))
def test_coarse_inverse(triple):
    E = triple.A * np.outer(d := 10.0 ** np.linspace(-4, 4, len(triple.A)), d)
    inverse, dropped = inverse_of_coarse_matrix(E)
    scaled = (inverse.to_dense() if hasattr(inverse, "to_dense") else inverse) * np.outer(d, d)
    assert dropped == 0
    wanted = np.linalg.inv(triple.A)
    assert distance(scaled, wanted) <= 1e-13 * triple.condition * np.linalg.norm(wanted, 2)


# Structure


def test_types_and_promises():
    layers = random_layers(np.random.default_rng(0), 4, 2, [(4, 3), (2, 3), (4, 3)], 2)
    coarse = Galerkin(fisher(layers).damped(0.1), spectral(kfac(layers), 2))
    assert isinstance(coarse.Q, Product)
    assert coarse.Q.is_psd is True
    assert coarse.Q.H.is_psd is True
    assert coarse.E_inverse.is_pd is True
    assert coarse.A.is_pd is True
    raw, scaled = coarse.condition()
    words = f"Galerkin(6 of 30 dimensions, condition {raw:.3g} ({scaled:.3g} scaled): BlockDiagonal("
    assert repr(coarse).startswith(words)


class Counted:
    """Counts the products of an operator's class while it is entered."""

    def __init__(self, monkeypatch, kinds):
        self.calls = []
        for kind in kinds:
            for name in ("_matmat", "_rmatmat", "to_dense"):
                original = getattr(kind, name)

                def counted(this, *args, original=original, label=f"{kind.__name__}.{name}"):
                    self.calls.append(label)
                    return original(this, *args)

                monkeypatch.setattr(kind, name, counted)


def test_the_small_matrix_is_made_once(monkeypatch):
    """Set-up forms Y = Uᴴ Z by one gram a layer; Q needs no product with U, A Q and P one with U, Pᴴ one with Uᴴ."""
    layers = random_layers(np.random.default_rng(0), 4, 2, [(4, 3), (2, 3), (5, 3)])
    K = kfac(layers)
    for Z in (spectral(K, 2), nicolaides(K)):
        with monkeypatch.context() as patch:
            grams = []
            gram = rules.gram

            def spied(a, b, grams=grams, gram=gram):
                grams.append((type(a), type(b)))
                return gram(a, b)

            spied.has_own = gram.has_own
            patch.setattr(rules, "gram", spied)
            count = Counted(patch, [FisherRoot]).calls
            coarse = Galerkin(fisher(layers).damped(0.1), Z)
            assert [pair for pair in grams if pair[0] is VStack] == [(VStack, type(coarse.Z))]
            assert len([pair for pair in grams if pair[0] is FisherRoot]) == 3
            assert count == []
            x = np.ones(33)
            coarse.Q @ x
            assert count == []
            coarse.P @ x
            assert count == ["FisherRoot._matmat"] * 3
            count.clear()
            coarse.P.H @ x
            assert count == ["FisherRoot._rmatmat"] * 3


def test_a_general_operator_is_multiplied_once_a_column():
    calls = []

    def product(x):
        calls.append(x.shape)
        return 2 * x

    coarse = Galerkin(assume(Function(product, shape=(4, 4), dtype="float64"), "pd"), np.eye(4)[:, :2])
    coarse.P @ np.ones(4), coarse.P.H @ np.ones(4), coarse.Q @ np.ones(4)
    assert calls == [(4, 2)]
    np.testing.assert_allclose(coarse.E, 2 * np.eye(2))


def test_every_library(lib):
    layers = tiny_layers(lib)
    A, K = fisher(layers).damped(0.5), kfac(layers)
    b = np.arange(12.0)
    dense = lib.numpy(A.to_dense())
    Z = lib.numpy(spectral(K, 1).to_dense())
    coarse = Galerkin(A, spectral(K, 1))
    wanted = formulas(dense, dense, Z)
    close(lib.numpy(coarse.E), wanted.E)
    close(lib.numpy(coarse.Q @ lib.asarray(b)), wanted.Q @ b)
    close(lib.numpy(coarse.P @ lib.asarray(b)), wanted.P @ b)
    close(lib.numpy(coarse.P.H @ lib.asarray(b)), wanted.P.T @ b)
    assert lib.owns(coarse.E)
    assert lib.owns(coarse.P @ lib.asarray(b))


def test_float32_stays_float32(lib):
    layers = tiny_layers(lib, "float32")
    coarse = Galerkin(fisher(layers).damped(0.5), spectral(kfac(layers), 1))
    x = lib.asarray(np.arange(12.0), "float32")
    for result in (coarse.E, coarse.Q @ x, coarse.P @ x, coarse.P.H @ x):
        assert result.dtype == lib.xp.float32
        assert lib.owns(result)


def test_complex():
    rng = np.random.default_rng(0)
    B = rng.standard_normal((5, 5)) + 1j * rng.standard_normal((5, 5))
    A, Z = B @ B.conj().T + np.eye(5), rng.standard_normal((5, 2)) + 1j * rng.standard_normal((5, 2))
    for matrix, columns in ((A, Z), (A.real + np.zeros((5, 5)), Z), (A, Z.real)):
        coarse, wanted = Galerkin(matrix, columns), formulas(matrix, matrix, columns)
        close(coarse.E, wanted.E)
        close(coarse.Q.to_dense(), wanted.Q)
        close(coarse.P.to_dense(), wanted.P)
        close(coarse.P.H.to_dense(), wanted.P.conj().T)


# Errors


def test_shapes():
    with pytest.raises(ValueError, match=r"the coarse space is 3×1, so A must be 3×3, not \(2, 2\)"):
        Galerkin(np.eye(2), np.ones((3, 1)))
    with pytest.raises(ValueError, match="the coarse space has no column: leave the coarse correction out"):
        Galerkin(np.eye(2), np.ones((2, 0)))


def test_indefinite():
    with pytest.raises(ValueError, match="known not to be psd"):
        Galerkin(Diagonal(np.array([1.0, -1.0])), np.ones((2, 1)))
    with pytest.raises(NotPositiveDefiniteError, match=r"has the eigenvalue -1: A is not positive definite"):
        Galerkin(np.diag([1.0, -1.0]), np.eye(2))
    with pytest.raises(NotPositiveDefiniteError, match="A is not positive definite"):
        Galerkin(np.array([[1.0, 3.0], [3.0, 1.0]]), np.eye(2))


def test_not_self_adjoint():
    with pytest.raises(ValueError, match="known not to be"):
        Galerkin(np.array([[1.0, 3.0], [0.0, 1.0]]), np.ones((2, 1)))


def test_not_finite():
    broken = Function(lambda x: x * np.nan, shape=(2, 2), dtype="float64")
    with pytest.raises(ValueError, match="Zᴴ A Z has an entry that is NaN or infinite: check A and Z"):
        Galerkin(broken, np.ones((2, 1)))
    with pytest.raises(ValueError, match="NaN or"):
        Galerkin(np.eye(2), np.array([[1.0], [np.nan]]))


def test_mixed_kinds():
    with pytest.raises(ValueError, match="mixes numpy float64 with numpy float32"):
        Galerkin(Dense(np.eye(2)), np.ones((2, 1), np.float32))


def test_a_z_is_formed_once_where_it_is_small():
    calls = []
    root = np.random.default_rng(0).standard_normal((30, 5))

    def product(x):
        calls.append(x.shape[1])
        return root @ x

    U = Function(product, lambda y: root.T @ y, shape=root.shape, dtype="float64")
    A = LowRank(U).damped(0.1)
    coarse = Galerkin(A, np.eye(30, 4))
    calls.clear()
    formed = coarse.formed_AZ
    assert type(formed) is Dense
    assert coarse.formed_AZ is formed
    assert calls == [4], "all columns in one product"
    close(formed.array, (root @ root.T + 0.1 * np.eye(30))[:, :4])
    with memory_limit(30 * 4 * 8 - 1):
        assert (lazy := Galerkin(A, np.eye(30, 4))).formed_AZ is lazy.AZ
    wide = Galerkin(LowRank(np.eye(70, 1)).damped(0.1), np.eye(70, 65))
    assert wide.formed_AZ is wide.AZ
    dense = Galerkin(np.eye(3), np.ones((3, 1)))
    assert dense.formed_AZ is dense.AZ
