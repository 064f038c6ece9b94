"""Dense: the matrix itself, looked at before it is factored."""

import numpy as np
import pytest

import kronlin as kl
from kronlin.algebra import Product, rules
from kronlin.arrays import library_named
from tests.matrices import each_dtype, hermitian, normal, positive
from tests.operators.laws import check, close


@each_dtype()
@pytest.mark.parametrize("make", ["rectangular", "general", "indefinite", "positive"])
def test_laws(lib, dtype, make):
    a = {
        "rectangular": normal((4, 3), dtype),
        "general": normal((4, 4), dtype) + 4 * np.eye(4, dtype=dtype),
        "indefinite": hermitian(4, dtype),
        "positive": positive(4, dtype),
    }[make]
    check(kl.Dense(lib.asarray(a)), a, lib)


def test_a_look_settles_self_adjointness_and_the_factorisation_definiteness():
    a = positive(5)
    assert kl.Dense(a).is_self_adjoint is True
    assert kl.Dense(a).is_pd is None
    assert kl.Dense(a).inverse().is_pd is True
    assert kl.Dense(normal((3, 3))).is_self_adjoint is False


def test_result_types():
    a, b = kl.Dense(positive(4)), kl.Dense(hermitian(4))
    for op in (a @ b, a + b, 2 * a, a.damped(0.5), a.H, a.inverse(), kl.Dense(normal((3, 2))).pinv()):
        assert type(op) is kl.Dense
    assert type(a.eigh()) is kl.Spectral
    assert type(a.pinv()) is kl.Spectral
    tall = kl.Dense(normal((6, 2)))
    assert type(tall.H @ tall) is kl.Dense


def test_a_product_larger_than_its_factors_stays_lazy():
    column = kl.Dense(normal((50, 1)))
    assert type(column @ kl.Dense(normal((1, 50)))) is Product


def test_the_factor_is_kept(monkeypatch):
    import kronlin.operators.dense as module

    count = []
    original = module.cholesky
    monkeypatch.setattr(module, "cholesky", lambda a: count.append(1) or original(a))
    a = kl.Dense(positive(4))
    for _ in range(3):
        a.solve(np.ones(4))
    assert len(count) == 1


def test_the_determinant_takes_a_factor_that_is_there(monkeypatch):
    import kronlin.operators.dense as module

    calls, real = [], module.logdet_cholesky
    monkeypatch.setattr(module, "logdet_cholesky", lambda factor: calls.append(1) or real(factor))
    a, expected = kl.Dense(positive(4)), np.linalg.slogdet(positive(4))[1]
    assert a.logdet() == pytest.approx(expected)
    assert calls == []
    assert a.prepare().logdet() == pytest.approx(expected)
    assert calls == [1]


@pytest.mark.parametrize("condition", [1e2, 1e6, 1e10])
def test_solves_are_accurate_to_the_condition(condition):
    a, x = positive(20, condition=condition), normal((20,), seed=3)
    close(kl.Dense(a).solve(a @ x), x, rtol=1e-14 * condition)
    close(kl.Dense(a).inverse() @ (a @ x), x, rtol=1e-14 * condition)


def test_a_broken_promise_is_named():
    a = kl.assume(kl.Dense(np.diag([1.0, -1.0])), "psd")
    with pytest.raises(kl.NotPositiveDefiniteError, match="was promised to be psd, but it has the eigenvalue -1"):
        a.damped(0.0).eigh()
    with pytest.raises(ValueError, match="was promised to be pd"):
        kl.assume(kl.Dense(np.diag([1.0, -1.0])), "pd").inverse()
    with pytest.raises(ValueError, match="cannot assume"):
        kl.assume(kl.Dense(np.array([[1.0, 2.0], [0.0, 1.0]])), "psd")


@pytest.mark.parametrize(
    "a", [np.zeros((2, 2)), np.ones((3, 3)), np.array([[1.0, 2.0], [2.0, 4.0]]), np.eye(3)[:, [0, 0, 1]]]
)
def test_a_singular_matrix_says_so(a):
    for ask in (kl.Dense(a).inverse, lambda: kl.Dense(a).solve(np.ones(len(a)))):
        with pytest.raises(
            kl.SingularMatrixError, match=r"has no inverse .* use A\.damped\(lam\)\.inverse\(\) or A\.pinv\(\)"
        ):
            ask()


def test_pinv_solves_in_the_least_squares_sense():
    a = normal((6, 3)) @ normal((3, 5), seed=1)
    close(kl.Dense(a).pinv().to_dense(), np.linalg.pinv(a), rtol=1e-10)


@pytest.mark.parametrize(
    ("array", "error", "message"),
    [
        (np.ones(3), ValueError, r"takes an array of shape \(rows, columns\), not \(3,\)"),
        (np.array([[1.0, np.nan]]), ValueError, "NaN or infinite"),
        (np.array([[np.inf]]), ValueError, "NaN or infinite"),
        (np.ones((2, 2), dtype=int), TypeError, "convert the array with astype"),
        ([[1.0]], TypeError, "expected an array"),
    ],
)
def test_bad_input(array, error, message):
    with pytest.raises(error, match=message):
        kl.Dense(array)


def test_a_matrix_is_factored_once_whatever_the_outcome(monkeypatch):
    calls, library = [], type(library_named("numpy"))
    real = library.cholesky
    monkeypatch.setattr(library, "cholesky", lambda self, a: calls.append("cholesky") or real(self, a))
    definite, indefinite = kl.Dense(positive(4)), kl.Dense(hermitian(4))
    definite.solve(np.ones(4))
    definite.inverse()
    for _ in range(2):
        indefinite.solve(np.ones(4))
    assert calls.count("cholesky") == 2


@pytest.mark.parametrize("p", [2, 3, 5, 8])
def test_whole_powers_are_multiplied_out(p):
    a = normal((3, 3), "complex128")
    power = kl.Dense(a).power(p)
    assert type(power) is kl.Dense
    close(power.to_dense(), np.linalg.matrix_power(a, p))
    assert kl.Dense(hermitian(3)).power(p).is_psd is (True if p % 2 == 0 else None)


@pytest.mark.parametrize("limit", [1, 2**28])
def test_a_gram_matrix_in_double_precision(limit):
    a = normal((9, 2), "complex64")
    with kl.memory_limit(limit):
        found = rules.wide_gram(kl.Dense(a))
    assert found.dtype == np.complex128
    np.testing.assert_allclose(found, a.astype("complex128").conj().T @ a, rtol=1e-14)
