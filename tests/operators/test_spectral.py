"""Spectral: closed under damping, inverse and powers, rectangular Q included."""

import numpy as np
import pytest

import kronlin as kl
from kronlin.operators.spectral import taken_apart
from tests.libraries import eager
from tests.matrices import adjoint, each_dtype, eps, normal, positive, wide
from tests.operators.laws import check, close


def orthonormal(n, r, dtype="float64"):
    """Columns from a QR factorisation."""
    return np.linalg.qr(normal((n, r), dtype))[0].astype(dtype)


@each_dtype()
@pytest.mark.parametrize(("r", "rest"), [(5, 0.0), (2, 0.0), (2, 0.7), (0, 1.0)])
def test_laws(lib, dtype, r, rest):
    q, w = (
        orthonormal(5, r, dtype),
        np.linspace(0.5, 2.0, r).astype(dtype.replace("complex64", "float32").replace("complex128", "float64")),
    )
    dense = (q * w) @ q.conj().T + rest * (np.eye(5) - q @ q.conj().T) * (r < 5)
    check(kl.Spectral(lib.asarray(q), lib.asarray(w), rest), dense.astype(dtype), lib)


def test_result_types_and_values():
    q, w = orthonormal(5, 3), np.array([1.0, 4.0, 9.0])
    a = kl.Spectral(q, w, rest=0.25)
    for op in (a.damped(1.0), a.inverse(), a.power(0.5), 2 * a, a @ a, a + a, a.pinv(), a.H, a.eigh()):
        assert type(op) is kl.Spectral
    close(a.sqrt().to_dense() @ a.sqrt().to_dense(), a.to_dense())
    close(a.inverse().to_dense(), np.linalg.inv(a.to_dense()))
    close(a.damped(2.0).inverse().to_dense(), np.linalg.inv(a.to_dense() + 2 * np.eye(5)))
    close(a.inverse().trace(), np.trace(np.linalg.inv(a.to_dense())))
    close(a.inverse().diagonal(), np.diag(np.linalg.inv(a.to_dense())))
    close(a.inverse().logdet(), -np.linalg.slogdet(a.to_dense())[1])
    close(a.eigvalsh(), np.linalg.eigvalsh(a.to_dense()))


@pytest.mark.parametrize("rest", [0.0, 0.5])
@pytest.mark.parametrize("lib", eager(), ids=str)
def test_pseudo_inverse_of_stacked_blocks_with_fewer_columns_than_rows(lib, rest):
    """Each with the scale of its own: what is rounding error in one is none in another."""
    parts = [(orthonormal(4, 2), np.array([c, 0.0 if c > 1 else c / 2])) for c in (1.0, 1e20)]
    found = kl.BlockDiagonal([kl.Spectral(lib.asarray(q), lib.asarray(w), rest) for q, w in parts]).pinv()
    for block, (q, w) in zip(found.blocks, parts, strict=True):
        dense = (q * w) @ q.T + rest * (np.eye(4) - q @ q.T)
        close(w[0] * lib.numpy(block.to_dense()), w[0] * np.linalg.pinv(dense, rcond=1e-14, hermitian=True))
    assert rest or {type(bucket) for bucket in found.buckets} == {kl.Spectral}


def test_a_zero_eigenvalue_has_no_inverse_and_a_negative_one_no_root():
    with pytest.raises(kl.SingularMatrixError, match="it has the eigenvalue 0"):
        kl.Spectral(np.eye(2), np.array([1.0, 0.0])).inverse()
    with pytest.raises(kl.SingularMatrixError, match="it has the eigenvalue 0"):
        kl.Spectral(np.eye(2)[:, :1], np.array([1.0])).inverse()
    with pytest.raises(kl.NotPositiveDefiniteError, match=r"it has the eigenvalue -2"):
        kl.Spectral(np.eye(2), np.array([1.0, -2.0])).sqrt()


def test_eigh_of_a_single_precision_matrix_is_done_in_double():
    a = positive(30, "float32", condition=1e5)
    basis = kl.Dense(a).eigh()
    assert basis.w.dtype == np.float32
    np.testing.assert_allclose(basis.w, np.linalg.eigvalsh(a.astype("float64")), rtol=1e-6)


@pytest.mark.parametrize(
    ("q", "w", "rest", "message"),
    [
        (np.ones((2, 3)), np.ones(3), 0.0, "has more columns than rows"),
        (np.eye(2), np.ones(3), 0.0, r"of shape \(2,\)"),
        (np.eye(2), np.array([1.0, np.nan]), 0.0, "real and finite"),
        (np.eye(2)[:, :1], np.ones(1), float("inf"), "real and finite"),
    ],
)
def test_bad_input(q, w, rest, message):
    with pytest.raises(ValueError, match=message):
        kl.Spectral(q, w, rest)


@each_dtype()
def test_a_large_rest_does_not_cancel_inside_the_range(lib, dtype):
    """(λ I + Q diag(w) Qᴴ)⁻¹ x for x in the range of Q, with λ at rounding level beside w."""
    double = "complex128" if dtype.startswith("complex") else "float64"
    q = np.linalg.qr(normal((9, 2), double))[0].astype(dtype)
    w = np.array([1.0, 0.5], wide(q).real.dtype).astype(q.real.dtype)
    op = kl.Spectral(lib.asarray(q), lib.asarray(w)).damped(eps(dtype)).inverse()
    inside = q @ np.array([[1.0], [2.0]], dtype)
    found = wide(lib.numpy(op @ lib.asarray(inside)))
    expected = wide(q) @ np.array([[1.0], [4.0]])
    np.testing.assert_allclose(adjoint(wide(q)) @ found, np.array([[1.0], [4.0]]), rtol=50 * eps(dtype))
    assert np.linalg.norm(found - expected) < 20


def test_taken_apart():
    q = np.linalg.qr(normal((9, 2)))[0]
    x = q @ np.array([[1.0], [2.0]]) + 1e-15 * normal((9, 1), seed=1)
    inside, outside = taken_apart(kl.Dense(q), x)
    np.testing.assert_allclose(inside, [[1.0], [2.0]])
    assert np.abs(q.T @ outside).max() <= 1e-30
    np.testing.assert_allclose(q @ inside + outside, x, atol=1e-15)
