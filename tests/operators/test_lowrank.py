"""LowRank: a product of tall factors."""

import numpy as np
import pytest

import kronlin as kl
from kronlin.algebra import rules
from tests.matrices import each_dtype, hermitian, normal, positive
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


def test_eigenpairs_come_from_the_dual_side():
    u = normal((40, 4))
    op = kl.LowRank(u, kl.Diagonal(np.array([1.0, 2.0, 0.0, 3.0])))
    basis = op.eigh()
    assert type(basis) is kl.Spectral
    assert basis.Q.shape == (40, 3)
    close(basis.to_dense(), op.to_dense())
    close(op.pinv().to_dense(), np.linalg.pinv(op.to_dense()), rtol=1e-10)


def test_the_gram_matrix_is_formed_once(monkeypatch):
    import kronlin.operators.lowrank as module

    calls, real = [], rules.gram
    monkeypatch.setattr(module.rules, "gram", lambda a, b: calls.append(1) or real(a, b))
    op = kl.LowRank(normal((20, 3)))
    for lam in (0.1, 1.0, 10.0):
        op.damped(lam).solve(np.ones(20))
    assert len(calls) == 1


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
