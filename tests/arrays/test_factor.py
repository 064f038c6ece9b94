"""Factorisations against their definitions, for every dtype and library, and what they refuse."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kronlin import arrays
from kronlin.arrays import NotPositiveDefiniteError, SingularMatrixError, kind
from tests.libraries import fast
from tests.matrices import DTYPES, adjoint, each_dtype, each_stack, eps, hermitian, normal, positive, wide
from tests.nets import close

BATCH = pytest.mark.parametrize("batch", [(), (3,)], ids=["one", "stack"])
N = 4


def found(lib, x, dtype):
    """The array on NumPy in double precision, after its dtype and device were looked at."""
    assert lib.owns(x)
    assert kind(x).dtype_name == dtype
    return wide(lib.numpy(x))


def real(dtype):
    return {"complex64": "float32", "complex128": "float64"}.get(dtype, dtype)


@each_stack()
def test_eigh(lib, dtype, batch):
    a = hermitian(N, dtype, batch=batch)
    w, q = arrays.eigh(lib.asarray(a))
    w, q = found(lib, w, real(dtype)), found(lib, q, dtype)
    assert np.all(np.diff(w, axis=-1) >= 0)
    close(w, np.linalg.eigvalsh(wide(a)), max(2 * eps(dtype), 1e-14))
    close((q * w[..., None, :]) @ adjoint(q), wide(a), 10 * eps(dtype))
    close(adjoint(q) @ q, np.broadcast_to(np.eye(N), a.shape).astype(q.dtype), 10 * eps(dtype))


def test_eigh_of_single_precision_resolves_small_eigenvalues(lib):
    """Decomposed in single precision the lowest eigenvalues of this matrix would be noise (NumPy widens by itself)."""
    q = np.linalg.qr(normal((4, 4)))[0]
    given = ((q * 2.0 ** np.array([-30, -20, -10, 0])) @ q.T).astype(np.float32)
    given = (given + given.T) / 2
    w = lib.numpy(arrays.eigh(lib.asarray(given))[0])
    close(w, np.linalg.eigvalsh(wide(given)).astype(np.float32), 1e-7)
    assert abs(w[0] - np.linalg.eigvalsh(wide(given))[0]) < 1e-12


@each_stack()
def test_cholesky_and_its_solves(lib, dtype, batch):
    a, b = positive(N, dtype, batch=batch), normal((*batch, N, 2), dtype, seed=1)
    lower = arrays.cholesky(lib.asarray(a))
    factor = found(lib, lower, dtype)
    assert np.array_equal(factor, np.tril(factor))
    close(factor @ adjoint(factor), wide(a), 10 * eps(dtype))
    for side in (False, True):
        x = found(lib, arrays.solve_triangular(lower, lib.asarray(b), adjoint=side), dtype)
        close((adjoint(factor) if side else factor) @ x, wide(b), 50 * eps(dtype))
    x = found(lib, arrays.solve_cholesky(lower, lib.asarray(b)), dtype)
    close(wide(a) @ x, wide(b), 200 * eps(dtype))
    logdet = found(lib, arrays.logdet_cholesky(lower), real(dtype))
    close(np.asarray(logdet), np.asarray(np.linalg.slogdet(wide(a))[1]), 50 * eps(dtype))


def test_a_solve_with_a_triangle_reads_only_the_triangle(lib):
    """The strict upper part of L belongs to nobody only where the library says so; ours is zero."""
    lower = np.array([[2.0, 0.0], [1.0, 4.0]])
    b = np.array([[2.0], [9.0]])
    close(lib.numpy(arrays.solve_triangular(lib.asarray(lower), lib.asarray(b))), np.array([[1.0], [2.0]]), 1e-15)


@each_stack()
def test_inverses(lib, dtype, batch):
    a = positive(N, dtype, batch=batch)
    inverse = found(lib, arrays.inverse_positive(lib.asarray(a)), dtype)
    assert np.array_equal(inverse, adjoint(inverse))
    close(inverse, np.linalg.inv(wide(a)), 100 * eps(dtype))
    g = normal((*batch, N, N), dtype, seed=2)
    exact = np.linalg.inv(wide(g))
    condition = np.max(np.linalg.cond(wide(g)))
    close(found(lib, arrays.inverse_general(lib.asarray(g)), dtype), exact, max(1e-14 * condition, 2 * eps(dtype)))


@each_stack()
def test_solve_general(lib, dtype, batch):
    a, b = normal((*batch, N, N), dtype, seed=2), normal((*batch, N, 2), dtype, seed=3)
    x = found(lib, arrays.solve_general(lib.asarray(a), lib.asarray(b)), dtype)
    residual = wide(a) @ x - wide(b)
    assert np.abs(residual).max() <= 50 * eps(dtype) * np.abs(a).max() * np.abs(x).max()


@each_dtype(["float32", "complex64"])
def test_single_precision_climbs_to_double(lib, dtype):
    """cond = 1e5: in single precision about two digits of the inverse would be left."""
    a = positive(N, dtype, condition=1e5)
    exact = np.linalg.inv(wide(a))
    close(found(lib, arrays.inverse_positive(lib.asarray(a)), dtype), exact, 2 * eps(dtype))
    close(found(lib, arrays.inverse_general(lib.asarray(a)), dtype), exact, 2 * eps(dtype))


@each_dtype(["float32", "complex64"])
def test_a_general_solve_of_single_precision_climbs_to_double(lib, dtype):
    a, b = positive(N, dtype, condition=1e6), normal((N, 2), dtype, seed=1)
    x = found(lib, arrays.solve_general(lib.asarray(a), lib.asarray(b)), dtype)
    close(x, np.linalg.solve(wide(a), wide(b)), 10 * eps(dtype))


@each_stack()
def test_qr(lib, dtype, batch):
    a = normal((*batch, 6, 3), dtype)
    q, r = (found(lib, x, dtype) for x in arrays.qr(lib.asarray(a)))
    close(q @ r, wide(a), 10 * eps(dtype))
    close(adjoint(q) @ q, np.broadcast_to(np.eye(3), (*batch, 3, 3)).astype(q.dtype), 5 * eps(dtype))
    assert np.array_equal(r, np.triu(r))


def test_cholesky_of_single_precision_climbs_to_double(lib):
    """The second pivot, 1e-7 of its diagonal entry, is rounding error in single precision but not in double."""
    a = np.array([[1.0, 1.0], [1.0, 1.0 + 2.0**-23]], dtype=np.float32)
    factor = lib.numpy(arrays.cholesky(lib.asarray(a)))
    assert factor.dtype == np.float32
    assert factor[1, 1] == pytest.approx(2.0**-11.5, rel=1e-6)


@each_stack()
def test_an_indefinite_matrix_has_no_cholesky_factor(lib, dtype, batch):
    a = positive(N, dtype, batch=batch)
    a[..., -1, -1] = -1
    for function in (arrays.cholesky, arrays.inverse_positive):
        with pytest.raises(NotPositiveDefiniteError, match="not positive"):
            function(lib.asarray(a))


def test_one_indefinite_member_of_a_stack_is_enough(lib):
    a = positive(N, batch=(3,))
    a[1] = -a[1]
    with pytest.raises(NotPositiveDefiniteError):
        arrays.cholesky(lib.asarray(a))


@each_dtype(["float64", "complex128"])
def test_a_pivot_of_rounding_error_is_singular_not_small(lib, dtype):
    a = np.array([[1.0, 1.0], [1.0, 1.0 + 2.0**-52]], dtype)
    with pytest.raises(SingularMatrixError, match=r"pivot is only 2\.2e-16 of its diagonal entry"):
        arrays.cholesky(lib.asarray(a))


@each_dtype()
def test_singular_matrices_have_no_inverse(lib, dtype):
    ones = lib.asarray(np.ones((3, 3)), dtype)
    for function in (arrays.inverse_general, lambda a: arrays.solve_general(a, a)):
        with pytest.raises(SingularMatrixError):
            function(ones)
    for function in (arrays.cholesky, arrays.inverse_positive):
        with pytest.raises(SingularMatrixError, match="rounding"):
            function(ones)


@pytest.mark.parametrize("units", [1.0, 1e-6, 1e6])
def test_singular_is_told_from_indefinite_in_every_unit(lib, units):
    """xxᴴ is semidefinite although its second pivot may round to either side of 0."""
    for seed in range(5):
        x = normal((3, 1), "complex128", seed) * np.array([[1.0], [units], [1.0]])
        with pytest.raises(SingularMatrixError):
            arrays.cholesky(lib.asarray(x @ x.conj().T))
        with pytest.raises(NotPositiveDefiniteError):
            arrays.cholesky(lib.asarray(x @ x.conj().T - 1e-3 * np.diag([0.0, units**2, 0.0])))


@pytest.mark.parametrize("scale", [1.0, 1e-14, 1e14])
def test_a_negative_diagonal_entry_is_indefinite_in_every_unit(lib, scale):
    for a in (np.diag([1.0, -1.0]), np.array([[1.0, 1.0], [1.0, 0.0]]), -np.eye(2)):
        with pytest.raises(NotPositiveDefiniteError):
            arrays.cholesky(lib.asarray(scale * a))
    with pytest.raises(SingularMatrixError):
        arrays.cholesky(lib.asarray(scale * np.diag([1.0, -1e-17])))


def test_an_inverse_without_a_right_digit_is_refused(lib):
    a = np.array([[1.0, 1.0], [1.0, 1.0 - 2.0**-53]])
    with pytest.raises(SingularMatrixError, match=r"condition number is about .*beyond 1/eps|singular"):
        arrays.inverse_general(lib.asarray(a))
    almost = np.diag([1.0, 1e-14])
    close(lib.numpy(arrays.inverse_general(lib.asarray(almost))), np.diag([1.0, 1e14]))
    with pytest.raises(SingularMatrixError, match="beyond 1/eps"):
        arrays.inverse_general(lib.asarray(np.array([[1.0, 1e9], [0.0, 1.0]])))


def test_cholesky_does_not_mind_units(lib):
    """D A D has pivots as good as those of A, whatever the units; its condition number is 1e32."""
    a, d = positive(N), np.logspace(-8, 8, N)
    lower = lib.numpy(arrays.cholesky(lib.asarray(d[:, None] * a * d)))
    close(lower / d[:, None], np.linalg.cholesky(a), 1e-14)


def test_only_the_hermitian_part_is_factored(lib):
    a, skew = positive(N), normal((N, N))
    crooked = lib.asarray(a + skew - skew.T)
    close(lib.numpy(arrays.cholesky(crooked)), np.linalg.cholesky(a), 1e-14)
    close(lib.numpy(arrays.eigh(crooked)[0]), np.linalg.eigvalsh(a), 1e-14)


@BATCH
def test_empty_matrices(lib, batch):
    empty = lib.asarray(np.zeros((*batch, 0, 0)))
    assert lib.numpy(arrays.cholesky(empty)).shape == (*batch, 0, 0)
    assert lib.numpy(arrays.inverse_positive(empty)).shape == (*batch, 0, 0)
    assert lib.numpy(arrays.inverse_general(empty)).shape == (*batch, 0, 0)
    assert np.all(lib.numpy(arrays.logdet_cholesky(empty)) == 0)


@given(st.integers(1, 6), st.integers(0, 2**32 - 1), st.floats(0, 10), st.sampled_from(fast()), st.sampled_from(DTYPES))
def test_the_inverse_is_backward_stable(n, seed, digits, lib, dtype):
    condition = min(10**digits, 0.01 / eps(dtype))
    a = positive(n, dtype, seed, condition)
    inverse = wide(lib.numpy(arrays.inverse_positive(lib.asarray(a))))
    exact = np.linalg.inv(wide(a))
    assert np.linalg.norm(inverse - exact) <= 40 * n * eps(dtype) * np.linalg.cond(wide(a)) * np.linalg.norm(exact)


@given(st.integers(0, 5), st.integers(0, 2**32 - 1), st.sampled_from(fast()), st.sampled_from(DTYPES))
def test_inputs_are_not_written_to(n, seed, lib, dtype):
    a, b = lib.asarray(positive(n, dtype, seed)), lib.asarray(normal((n, 2), dtype, seed))
    before = lib.numpy(a), lib.numpy(b)
    arrays.eigh(a)
    arrays.inverse_positive(a)
    arrays.inverse_general(a)
    arrays.solve_general(a, b)
    arrays.solve_cholesky(arrays.cholesky(a), b)
    assert np.array_equal(lib.numpy(a), before[0])
    assert np.array_equal(lib.numpy(b), before[1])
