"""LAPACK by its pointers: against NumPy, in the dtype of the data, with threads, and the way back to NumPy's own."""

import numpy as np
import pytest

from kronlin import arrays
from kronlin.arrays import _lapack, _team
from tests.matrices import DTYPES, adjoint, eps, hermitian, normal, positive, wide
from tests.nets import close

EACH = pytest.mark.parametrize("dtype", DTYPES)
BATCH = pytest.mark.parametrize("batch", [(), (3,), (2, 2)], ids=str)


@EACH
@BATCH
def test_eigh(dtype, batch):
    a = hermitian(6, dtype, batch=batch)
    w, q = _lapack.eigh(a)
    assert (w.dtype, q.dtype) == (a.real.dtype, a.dtype)
    close(w, np.linalg.eigvalsh(wide(a)), 20 * eps(dtype))
    close((q * w[..., None, :]) @ adjoint(q), a, 20 * eps(dtype))


@EACH
@BATCH
def test_cholesky_and_the_inverse_from_it(dtype, batch):
    a = positive(6, dtype, batch=batch)
    lower = _lapack.cholesky(a)
    assert lower.dtype == a.dtype
    assert np.array_equal(lower, np.tril(lower))
    close(lower @ adjoint(lower), a, 20 * eps(dtype))
    kept = lower.copy()
    inverse = _lapack.inverse_cholesky(lower)
    assert inverse.dtype == a.dtype
    assert np.array_equal(inverse, adjoint(inverse))
    assert np.array_equal(lower, kept)
    close(inverse, np.linalg.inv(wide(a)), 200 * eps(dtype))
    assert np.array_equal(_lapack.inverse_cholesky(np.ascontiguousarray(lower)), inverse)


@EACH
def test_only_the_hermitian_part_counts(dtype):
    a, skew = positive(5, dtype), normal((5, 5), dtype)
    crooked = a + (skew - adjoint(skew))
    close(_lapack.eigh(crooked)[0], np.linalg.eigvalsh(wide(a)), 20 * eps(dtype))
    close(_lapack.cholesky(crooked), np.linalg.cholesky(wide(a)), 20 * eps(dtype))


def test_a_failure_is_an_error_for_one_member_of_a_stack_too():
    a = positive(4, batch=(3,))
    a[1, 2, 2] = -1
    with pytest.raises(np.linalg.LinAlgError, match="not positive definite"):
        _lapack.cholesky(a)
    with pytest.raises(np.linalg.LinAlgError, match="Singular"):
        _lapack.inverse_cholesky(np.zeros((2, 2)))
    with pytest.raises(np.linalg.LinAlgError, match="converge"):
        _lapack.eigh(np.full((4, 4), np.nan))


def test_stacks_of_large_matrices_are_cut_into_pieces(monkeypatch):
    handed = []

    def watched(calls, costs):
        handed.append(len(calls))
        return [call() for call in calls]

    monkeypatch.setattr(_lapack, "concurrently", watched)
    a = positive(8, batch=(5,))
    whole = _lapack.cholesky(a)
    monkeypatch.setattr(_lapack, "WORTH_A_THREAD", 8**3 / 3 * 2)
    assert np.array_equal(_lapack.cholesky(a), whole)
    assert handed == [1, 3]


@EACH
def test_threads_give_what_one_thread_gives(dtype, monkeypatch):
    pytest.importorskip("threadpoolctl")
    a = positive(40, dtype, batch=(6,))
    alone = _lapack.eigh(a), _lapack.cholesky(a)
    for module in (_lapack, _team):
        monkeypatch.setattr(module, "WORTH_A_THREAD", 1e4)
    monkeypatch.setattr(_team, "threads", lambda: 3)
    together = _lapack.eigh(a), _lapack.cholesky(a)
    close(together[0][0], alone[0][0], 20 * eps(dtype))
    close(together[1], alone[1], 20 * eps(dtype))


@pytest.mark.parametrize("reason", ["no such routine", "other integers"])
def test_numpy_takes_over_where_scipy_offers_no_pointer(reason, monkeypatch):
    if reason == "no such routine":
        assert _lapack.found("sgone", 5) is None
    else:
        assert _lapack.found("spotrf", 6) is None
    monkeypatch.setattr(_lapack, "found", lambda name, arguments: None)
    a = positive(5, "float32", batch=(2,))
    w, q = arrays.eigh_own(a)
    assert w.dtype == q.dtype == np.float32
    close((q * w[..., None, :]) @ adjoint(q), a, 20 * eps("float32"))
    lower = arrays.cholesky(a)
    close(lower @ adjoint(lower), a, 20 * eps("float32"))
    close(arrays.inverse_positive(a), np.linalg.inv(wide(a)), 200 * eps("float32"))
