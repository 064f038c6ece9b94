"""Woodbury: inverses, solutions and determinants of B + U C Vᴴ."""

import numpy as np
import pytest

import kronlin as kl
from kronlin.algebra import Sum
from tests.matrices import each_dtype, hermitian, normal, positive
from tests.operators.laws import check, close

BASES = {
    "λ I": lambda lib, dtype: (0.5 * kl.Identity(6, like=lib.asarray(normal((1,), dtype))), 0.5 * np.eye(6)),
    "diagonal": lambda lib, dtype: (
        kl.Diagonal(lib.asarray(np.arange(1, 7).astype(dtype))),
        np.diag(np.arange(1.0, 7.0)),
    ),
    "Kronecker": lambda lib, dtype: (
        kl.Kronecker(*(kl.assume(kl.Dense(lib.asarray(positive(n, dtype))), "pd") for n in (2, 3))),
        np.kron(positive(2, dtype), positive(3, dtype)),
    ),
}


@each_dtype(("float64", "complex128"))
@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("core", ["psd", "indefinite", "general"])
def test_laws(lib, dtype, base, core):
    b, dense = BASES[base](lib, dtype)
    u, v = normal((6, 2), dtype), normal((6, 2), dtype, 1)
    c = {"psd": np.diag([1.0, 0.0]).astype(dtype), "indefinite": hermitian(2, dtype), "general": normal((2, 2), dtype)}[
        core
    ]
    if core == "general":
        total, dense = b + kl.LowRank(*map(lib.asarray, (u, c, v))), dense + u @ c @ v.conj().T
    else:
        total, dense = b + kl.LowRank(lib.asarray(u), lib.asarray(c)), dense + u @ c @ u.conj().T
    assert type(total) is Sum
    check(total, dense, lib)


def test_the_inverse_is_again_a_sum_with_a_low_rank_term():
    a = kl.LowRank(normal((30, 3))).damped(0.1)
    inverse = a.inverse()
    assert type(inverse) is Sum
    assert any(isinstance(term, kl.LowRank) for term in inverse.terms)
    dense = np.linalg.inv(a.to_dense())
    close(inverse.trace(), np.trace(dense), rtol=1e-11)
    close(inverse.diagonal(), np.diag(dense), rtol=1e-11)
    close(inverse.logdet(), np.linalg.slogdet(dense)[1], rtol=1e-11)


@pytest.mark.parametrize("lam", [1e-2, 1e-5, 1e-8])
def test_the_refined_solution_has_a_small_residual_for_small_damping(lam):
    a, b = kl.LowRank(normal((40, 8))).damped(lam), normal((40,), seed=2)
    x = a.solve(b)
    assert np.linalg.norm(a @ x - b) <= 1e-14 * np.linalg.norm(x) * np.linalg.norm(a.to_dense(), 2) * 10


def test_a_singular_base_falls_back_on_the_dense_matrix():
    u = np.eye(3)[:, :1]
    total = kl.Diagonal(np.array([0.0, 1.0, 2.0])) + kl.LowRank(u)
    close(total.inverse().to_dense(), np.diag([1.0, 1.0, 0.5]))
