"""What all two-level schemes share: dependent columns, promises, types, array libraries, errors."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given

from kronlin.algebra import Identity
from kronlin.coarse import nicolaides, spectral
from kronlin.curvature import FisherRoot, fisher, kfac
from kronlin.galerkin import Galerkin
from kronlin.operators import BlockDiagonal, Dense, KhatriRao, Kronecker, LowRank, Spectral, VStack
from kronlin.testing import check_operator
from kronlin.twolevel import TwoLevel, two_level
from tests.libraries import NUMPY
from tests.nets import close, random_layers, tiny_layers
from tests.triples import SCHEMES, Triple, random_spd, triples
from tests.twolevel.cases import fisher_triple, matrices, small_fishers

SCHEME = pytest.mark.parametrize("scheme", SCHEMES)


@SCHEME
@given(triple=triples(hardest=3, scaled=False))
def test_dependent_columns_change_nothing(scheme, triple):
    A, M, Z = triple
    wide = np.concatenate([Z, Z[:, :1], np.zeros((len(A), 1)), -2 * Z], axis=1)
    one, wanted = matrices(scheme, triple)
    B = two_level(A, M, wide, scheme)
    assert B.coarse.dropped == triple.k + 2
    assert np.linalg.norm(one - B.to_dense(), 2) <= 1e-10 * wanted.sizes[scheme]


@SCHEME
def test_no_correction_from_a_zero_space(scheme):
    rng = np.random.default_rng(0)
    A, M = random_spd(rng, 4, 1), random_spd(rng, 4, 1)
    np.testing.assert_allclose(two_level(A, M, np.zeros((4, 2)), scheme).to_dense(), M, atol=1e-15)
    A, M = LowRank(np.ones((3, 1))).damped(1.0), LowRank(np.ones((3, 1))).damped(2.0)
    assert two_level(A, M, np.zeros((3, 1)), scheme).is_pd is (scheme in ("AD", "BNN", "R-BNN1"))


@SCHEME
def test_is_an_operator(lib, scheme):
    if lib.name == "jax":
        operators = small_operators(lib)
        x = lib.asarray(np.arange(12.0))
        B, wanted = two_level(*operators, scheme), two_level(*small_operators(NUMPY), scheme)
        close(lib.numpy(B @ x), wanted @ np.arange(12.0))
        close(lib.numpy(B.H @ x), wanted.H @ np.arange(12.0))
    else:
        B = two_level(*small_operators(lib), scheme)
        check_operator(B, libraries=())
        close(lib.numpy(B.to_dense()), two_level(*small_operators(NUMPY), scheme).to_dense())
    assert lib.owns(B @ lib.asarray(np.arange(12.0)))


def small_operators(lib, dtype="float64"):
    layers = tiny_layers(lib, dtype)
    K = kfac(layers)
    return fisher(layers).damped(0.5), K.damped(0.5).inverse(), nicolaides(K)


def test_float32_stays_float32(lib):
    A, M, Z = small_operators(lib, "float32")
    x = lib.asarray(np.arange(12.0), "float32")
    first = two_level(A, M, Z, "BNN")
    for scheme in ("AD", "A-DEF2", "BNN"):
        B = first.with_scheme(scheme)
        assert (B @ x).dtype == lib.xp.float32
        assert lib.owns(B @ x)
        close(lib.numpy(B @ x), two_level(*small_operators(NUMPY), scheme) @ np.arange(12.0), 1e-5)


@SCHEME
def test_complex(scheme):
    rng = np.random.default_rng(0)
    B, C = (rng.standard_normal((6, 6)) + 1j * rng.standard_normal((6, 6)) for _ in range(2))
    triple = Triple(B @ B.conj().T + np.eye(6), C @ C.conj().T + np.eye(6), (B @ C)[:, :2])
    found, wanted = matrices(scheme, triple)
    close(found, wanted.schemes[scheme], 1e-11)
    close(two_level(*triple, scheme).H.to_dense(), wanted.schemes[scheme].conj().T, 1e-11)
    close(
        two_level(triple.A, np.eye(6), np.eye(6)[:, :2], scheme).to_dense(),
        matrices(scheme, Triple(triple.A, np.eye(6), np.eye(6)[:, :2]))[1].schemes[scheme],
        1e-11,
    )


# Structure


def test_types():
    layers = random_layers(np.random.default_rng(0), 4, 2, [(4, 3), (2, 3), (4, 3)], 2)
    K, F = kfac(layers), fisher(layers)
    M = K.damped(0.1).inverse()
    B = two_level(F.damped(0.1), M, spectral(K, 2), "BNN")
    assert isinstance(B, TwoLevel)
    assert isinstance(B.coarse, Galerkin)
    assert isinstance(F, LowRank)
    assert isinstance(F.U, VStack)
    assert all(isinstance(root, FisherRoot) for root in F.U.operators)
    assert K.members == M.members == B.coarse.Z.members == ((0, 2), (1,))
    assert all(isinstance(bucket, Kronecker) for bucket in K.buckets)
    assert all(isinstance(bucket, Spectral) for bucket in M.buckets)
    assert all(isinstance(bucket, KhatriRao) for bucket in B.coarse.Z.buckets)
    assert B.M is M
    assert repr(B) == "TwoLevel(30×30, float64, pd: BNN = Pᴴ M P + Q, 6 coarse: BlockDiagonal(30×30))"
    for bucket in nicolaides(K).buckets:
        assert isinstance(bucket, Kronecker)


@SCHEME
def test_promises(scheme):
    """Definite where M is, psd where M is, unknown where M is unknown."""
    A, Z = np.diag([1.0, 2.0, 4.0]), np.eye(3)[:, :1]
    unknown = Dense(np.diag([1.0, 2.0, 3.0]))
    assert unknown.is_psd is None
    pd, psd = LowRank(np.ones((3, 1))).damped(1.0), LowRank(np.ones((3, 1)))
    damped = LowRank(A[:, :1]).damped(1.0)
    symmetric = scheme in ("AD", "BNN", "R-BNN1")
    for M, wanted in ((pd, scheme in ("AD", "BNN")), (psd, False if scheme == "R-BNN1" else None)):
        B = two_level(damped, M, Z, scheme)
        assert B.is_self_adjoint is symmetric
        assert B.is_psd is symmetric
        assert B.is_pd is (wanted if symmetric else False)
    B = two_level(A, unknown, Z, scheme)
    assert B.is_self_adjoint is symmetric
    assert B.is_psd is (None if symmetric else False)
    skew = Dense(np.array([[1.0, 2.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]))
    assert not two_level(damped, skew, Z, scheme).is_self_adjoint
    matrix = two_level(damped, skew, Z, scheme)
    np.testing.assert_allclose(matrix.H.to_dense(), matrix.to_dense().T, atol=1e-14)


@SCHEME
def test_another_scheme_for_the_same_problem(scheme):
    operators, _ = fisher_triple(*small_fishers()["shared"], "largest")
    first = two_level(*operators, "AD")
    other = first.with_scheme(scheme)
    assert other.coarse is first.coarse
    assert other.scheme.name == scheme
    np.testing.assert_array_equal(other.to_dense(), two_level(*operators, scheme).to_dense())
    with pytest.raises(ValueError, match="unknown scheme 'V-cycle'"):
        first.with_scheme("V-cycle")


def test_adjoint_needs_no_new_coarse_problem():
    B = two_level(*small_operators(NUMPY), "A-DEF2")
    assert B.H.coarse is B.coarse
    assert B.H.H is B or B.H.H.scheme is B.scheme
    assert two_level(*small_operators(NUMPY), "BNN").H.scheme.name == "BNN"


def test_aliases_build_the_named_scheme():
    for alias, name in {"additive": "AD", "multiplicative": "A-DEF2", "deflated": "A-DEF1", "balanced": "BNN"}.items():
        assert two_level(np.eye(2), np.eye(2), np.ones((2, 1)), alias).scheme.name == name


def test_nothing_of_size_p_squared_is_allocated():
    """With p = 3002 an array p × p would take 72 MB."""
    layers = random_layers(np.random.default_rng(0), 4, 3, [(40, 50), (20, 41), (7, 26)])
    b = np.ones(3002)
    tracemalloc.start()
    try:
        K = kfac(layers)
        A, M = fisher(layers).damped(1e-2), K.damped(1e-2).inverse()
        for Z in (nicolaides(K), spectral(K, 5, "largest")):
            first = two_level(A, M, Z, "AD")
            for scheme in SCHEMES:
                first.with_scheme(scheme) @ b
                first.with_scheme(scheme).H @ b
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10e6


def test_without_a_preconditioner():
    """M = I as an operator that holds nothing."""
    A, Z = np.diag([1.0, 2.0, 4.0]), np.ones((3, 1))
    B = two_level(A, Identity(3, dtype="float64"), Z, "AD")
    np.testing.assert_allclose(B.to_dense(), np.eye(3) + 1 / 7)
    assert B.is_pd in (True, None)


# Errors


def test_unknown_scheme():
    with pytest.raises(ValueError, match=r"unknown scheme 'MG': choose one of .*'AD', 'additive'"):
        two_level(np.eye(2), np.eye(2), np.ones((2, 1)), "MG")


@pytest.mark.parametrize(
    ("A", "M", "Z"), [((2, 2), (3, 3), (3, 1)), ((3, 3), (2, 2), (3, 1)), ((3, 3), (3, 3), (2, 1)), ((3, 2),) * 3]
)
def test_shapes(A, M, Z):
    with pytest.raises(ValueError, match=r"two_level takes A \(p, p\), M \(p, p\) and Z \(p, k\), not") as caught:
        two_level(np.ones(A), np.ones(M), np.ones(Z), "AD")
    assert f"{A}, {M} and {Z}" in str(caught.value)


def test_mixed_kinds():
    with pytest.raises(ValueError, match="a two-level method mixes numpy float64 with numpy float32"):
        two_level(np.eye(2), np.eye(2, dtype=np.float32), np.ones((2, 1)), "AD")


def test_indefinite_matrix():
    with pytest.raises(ValueError, match="A is not positive definite"):
        two_level(np.diag([1.0, -1.0]), np.eye(2), np.eye(2), "BNN")


def test_not_finite():
    with pytest.raises(ValueError, match="NaN or"):
        two_level(np.eye(2), np.eye(2), np.array([[1.0], [np.nan]]), "BNN")


def test_blocks_as_preconditioner():
    """Anything that is an operator serves as M: arrays, block-diagonal arrays."""
    A, Z = np.diag([1.0, 2.0, 4.0]), np.ones((3, 1))
    one = two_level(A, BlockDiagonal([np.eye(1), np.eye(2)]), Z, "BNN")
    np.testing.assert_allclose(one.to_dense(), two_level(A, np.eye(3), Z, "BNN").to_dense(), atol=1e-15)
