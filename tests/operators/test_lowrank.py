"""LowRank: a product of tall factors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from kronlin.algebra import rules
from tests.matrices import adjoint, each_dtype, eps, hermitian, normal, positive, wide
from tests.operators.laws import check, close


@each_dtype()
@pytest.mark.parametrize("form", ["U Uᴴ", "U C Uᴴ", "U C Vᴴ"])
def test_laws(lib, dtype, form):
    u, v, c = normal((6, 2), dtype), normal((5, 2), dtype, 1), hermitian(2, dtype)
    parts = {"U Uᴴ": (u, None, None), "U C Uᴴ": (u, c, None), "U C Vᴴ": (u, c, v)}[form]
    op = kl.LowRank(*(None if x is None else lib.asarray(x) for x in parts))
    right = v if form == "U C Vᴴ" else u
    check(op, u @ (np.eye(2, dtype=dtype) if form == "U Uᴴ" else c) @ right.conj().T, lib)


def test_a_tall_operator_times_its_adjoint():
    for tall in (kl.KhatriRao(normal((3, 2)), normal((2, 2))), kl.VStack([normal((3, 2)), normal((2, 2))])):
        product = tall @ tall.H / 7
        assert type(product) is kl.LowRank
        assert product.is_psd is True
        close(product.to_dense(), tall.to_dense() @ tall.to_dense().T / 7)


def test_blocks_of_stacks():
    parts, others = [normal((3, 2)), normal((4, 2), seed=1)], [normal((5, 2), seed=2), normal((1, 2), seed=3)]
    core = hermitian(2)
    square, oblong = kl.LowRank(kl.VStack(parts), core), kl.LowRank(kl.VStack(parts), core, kl.VStack(others))
    for i in range(2):
        for j in range(2):
            assert type(square.block(i, j)) is type(oblong.block(i, j)) is kl.LowRank
            close(square.block(i, j).to_dense(), parts[i] @ core @ parts[j].T)
            close(oblong.block(i, j).to_dense(), parts[i] @ core @ others[j].T)
    F = kl.LowRank(kl.VStack(parts)) / 7
    assert F.block(1, 1).is_psd is True
    assert F.block(1, 1).V is F.block(1, 1).U is F.U.operators[1]


def test_blocks_need_stacks():
    with pytest.raises(ValueError, match=r"Dense\(3×2, float64\) is in one piece: make U and V a VStack"):
        kl.LowRank(normal((3, 2))).block(0, 0)
    F = kl.LowRank(kl.VStack([normal((3, 2)), normal((4, 2))]))
    for i, j in ((0, 2), (-1, 0)):
        with pytest.raises(ValueError, match=f"has the parts 0 to 1, so there is no part {j or i}"):
            F.block(i, j)


def test_eigenpairs_come_from_the_dual_side():
    u = normal((40, 4))
    op = kl.LowRank(u, kl.Diagonal(np.array([1.0, 2.0, 0.0, 3.0])))
    basis = op.eigh()
    assert type(basis) is kl.Spectral
    assert basis.Q.shape == (40, 3)
    close(basis.to_dense(), op.to_dense())
    close(op.pinv().to_dense(), np.linalg.pinv(op.to_dense()), rtol=1e-10)


@each_dtype(("float32", "float64", "complex64"))
def test_eigenpairs_of_an_indefinite_one(lib, dtype):
    u, c = normal((12, 3), dtype), hermitian(3, dtype)
    op = kl.LowRank(lib.asarray(u), lib.asarray(c))
    basis = op.eigh()
    assert type(basis) is kl.Spectral
    assert basis.Q.shape == (12, 3)
    dense, q = wide(u) @ wide(c) @ adjoint(wide(u)), wide(lib.numpy(basis.Q.to_dense()))
    tolerance = 20 * eps(dtype) * np.linalg.norm(dense, 2)
    np.testing.assert_allclose(q * lib.numpy(basis.w) @ adjoint(q), dense, atol=tolerance)
    np.testing.assert_allclose(adjoint(q) @ q, np.eye(3), atol=20 * eps(dtype))


def test_eigenvectors_are_orthonormal_however_far_the_spectrum_spreads():
    u = np.linalg.qr(normal((40, 4)))[0] * np.logspace(0, -7, 4) @ np.linalg.qr(normal((4, 4), seed=1))[0]
    q = kl.LowRank(u).eigh().Q.to_dense()
    np.testing.assert_allclose(q.T @ q, np.eye(q.shape[1]), atol=1e-14)


def test_eigenpairs_of_a_root_too_large_to_be_formed(monkeypatch):
    import kronlin.operators.lowrank as module

    monkeypatch.setattr(module, "DENSE_LIMIT", 1)
    root = kl.KhatriRao(np.repeat(normal((3, 2)), 2, axis=1), np.repeat(normal((4, 2), seed=1), 2, axis=1))
    for core in (None, hermitian(4)):
        op = kl.LowRank(root, core)
        basis = op.eigh()
        assert basis.Q.shape == (12, 2)
        close(basis.to_dense(), op.to_dense())


@given(st.integers(1, 6), st.integers(0, 4), st.integers(1, 30), st.booleans(), st.integers(0, 99))
def test_the_diagonal_in_pieces(n, r, chunk, is_complex, seed):
    dtype = "complex128" if is_complex else "float64"
    u, c, v = normal((n, r), dtype, seed), normal((r, r), dtype, seed + 1), normal((n, r), dtype, seed + 2)
    with kl.memory_limit(16 * chunk):
        close(kl.LowRank(u, c, v).diagonal(), np.diag(u @ c @ v.conj().T))


@pytest.mark.parametrize("core", [None, 2.5, "general"])
def test_the_matrix_in_pieces(core):
    """c U Uᴴ of many columns is summed over them; what has another core is formed at once."""
    u = normal((4, 50), "complex128")
    c = normal((50, 50), "complex128") if core == "general" else (core or 1.0) * np.eye(50)
    op = kl.LowRank(u, c) if core == "general" else (core or 1) * kl.LowRank(u)
    with kl.memory_limit(1000):
        close(op.to_dense(), u @ c @ adjoint(u))


def test_the_diagonal_forms_no_square_matrix():
    n, widths = 30_000, []

    def matmat(x):
        widths.append(x.shape[1])
        return np.ones((n, 3)) @ x

    op = kl.LowRank(kl.Function(matmat, lambda y: np.ones((3, n)) @ y, shape=(n, 3), dtype="float64"))
    np.testing.assert_array_equal(op.diagonal(), np.full(n, 3.0))
    assert max(widths) == 3


@pytest.mark.parametrize("size", [1.0, 1e-120, 1e120])
def test_the_norm_comes_from_small_matrices(size, monkeypatch):
    import kronlin.operators.fallback as module

    monkeypatch.setattr(module, "DENSE_LIMIT", 0)
    u, c, v = size * normal((9, 3), "complex128"), normal((3, 3), "complex128"), normal((7, 3), "complex128", 1)
    for op, dense in ((kl.LowRank(u, c, v), u / size @ c @ adjoint(v)), (kl.LowRank(v, c), v @ c @ adjoint(v))):
        unit = size if op.shape == (9, 7) else 1.0
        assert float(op.norm()) / unit == pytest.approx(np.linalg.norm(dense), rel=1e-12)


def test_a_norm_that_would_be_rounding_error_is_taken_from_the_matrix():
    u = np.linalg.qr(normal((9, 2)))[0] @ np.array([[1.0, 1.0], [0.0, 1e-9]])
    op = kl.LowRank(u, np.array([[1.0, -1.0], [-1.0, 1.0]]))
    assert float(op.norm()) == pytest.approx(np.linalg.norm(op.to_dense()), rel=1e-6)


def test_the_gram_matrix_is_formed_once(monkeypatch):
    import kronlin.operators.lowrank as module

    calls, real = [], rules.wide_gram
    monkeypatch.setattr(module.rules, "wide_gram", lambda a: calls.append(1) or real(a))
    op = kl.LowRank(normal((20, 3)))
    for lam in (0.1, 1.0, 10.0):
        op.damped(lam).solve(np.ones(20))
    assert len(calls) == 1


def test_the_gram_matrix_of_a_sum_is_formed_once_too(monkeypatch):
    import kronlin.operators.lowrank as module

    calls, real = [], rules.wide_gram
    monkeypatch.setattr(module.rules, "wide_gram", lambda a: calls.append(1) or real(a))
    one, two, three = (kl.LowRank(normal((20, 3), seed=i)) for i in range(3))
    for other in (two, three, two):
        counts = [len(calls)]
        for lam in (0.1, 1.0, 10.0):
            op = (one + other).damped(lam)
            close(op.solve(np.ones(20)), np.linalg.solve(op.to_dense(), np.ones(20)))
            counts.append(len(calls))
        assert counts[0] < counts[1] == counts[2] == counts[3]


def test_projection_keeps_the_small_matrix():
    u, z = normal((20, 5)), normal((20, 3), seed=1)
    image, matrix = rules.project(kl.LowRank(u), kl.Dense(z))
    close(matrix, z.T @ u @ u.T @ z)
    close(image.to_dense(), u @ u.T @ z)
    assert np.linalg.eigvalsh(matrix)[0] >= -1e-12 * np.linalg.norm(matrix)


def test_no_inverse_and_bad_shapes():
    with pytest.raises(kl.SingularMatrixError, match="its rank is at most 2 of 6"):
        kl.LowRank(normal((6, 2))).inverse()
    with pytest.raises(kl.SingularMatrixError, match="its rank is at most 2 of 6"):
        kl.LowRank(normal((6, 2))).solve(np.ones(6))
    with pytest.raises(ValueError, match="C would have to be 2×2"):
        kl.LowRank(normal((6, 2)), positive(3))


@each_dtype(("complex64", "complex128"))
def test_a_complex_multiple_keeps_a_complex_trace_and_diagonal(lib, dtype):
    """The trace and the diagonal of a psd operator may be kept real; times a complex factor they are complex."""
    u = normal((4, 2), dtype)
    for op in (
        1j * kl.LowRank(lib.asarray(u)),
        kl.LowRank(lib.asarray(u), 1j * kl.Identity(2, like=lib.asarray(u))),
        1j * kl.Spectral(lib.asarray(np.eye(4, dtype=dtype)), lib.asarray(np.ones(4, u.real.dtype))),
    ):
        dense = lib.numpy(op.to_dense())
        assert lib.owns(op.trace())
        np.testing.assert_allclose(complex(op.trace()), np.trace(dense), rtol=1e-5)
        np.testing.assert_allclose(lib.numpy(op.diagonal()), np.diag(dense), rtol=1e-5, atol=1e-6)
