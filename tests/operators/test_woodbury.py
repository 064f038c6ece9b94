"""Woodbury: inverses, solutions and determinants of B + U C Vᴴ."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from kronlin.algebra import Product, Sum
from tests.libraries import NUMPY
from tests.matrices import DTYPES, adjoint, each_dtype, eps, hermitian, normal, positive, wide
from tests.operators.laws import check, close
from tests.operators.updated import N, R, backward_error, core, sides, tall, updated

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


def solves_well(lib, op, dense, u, dtype, inverse_too=True):
    for b in sides(u, dtype).values():
        given = lib.asarray(b)
        assert backward_error(dense, lib.numpy(op.solve(given)), b, dtype) <= 5
        if inverse_too:
            assert backward_error(dense, lib.numpy(op.inverse() @ given), b, dtype) <= 50


@each_dtype(("float32", "float64"))
def test_tiny_damping_in_every_library(lib, dtype):
    u, c = tall("graded", dtype), core("psd", dtype)
    lam = float(eps(dtype) * np.linalg.norm(wide(u) @ wide(c) @ adjoint(wide(u)), 2))
    op, dense = updated(lib, "I", u, c, lam)
    assert op.is_pd
    solves_well(lib, op, dense, u, dtype)
    assert op._kept("woodbury").form == "eigenbasis"
    assert type(op.inverse()) is kl.Spectral
    sign, logarithm = op.slogdet()
    assert complex(sign) == 1
    assert float(logarithm) == pytest.approx(np.linalg.slogdet(dense)[1], rel=1e-2)


def test_a_root_of_zeros():
    op = kl.LowRank(np.zeros((N, R))).damped(1e-300)
    close(op.solve(np.ones(N)) * 1e-300, np.ones(N))
    assert float(op.inverse().trace()) == pytest.approx(N * 1e300)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
@pytest.mark.parametrize("columns", ["Gaussian", "graded", "doubled"])
@pytest.mark.parametrize("base", ["I", "Kronecker"])
@pytest.mark.parametrize("middle", ["psd", "singular", "indefinite", "general", "two-sided"])
def test_small_bases_of_all_forms(dtype, columns, base, middle):
    u, c = tall(columns, dtype), core("general" if middle == "two-sided" else middle, dtype)
    v = normal((N, R), dtype, seed=9) if middle == "two-sided" else None
    right = u if v is None else v
    size = np.linalg.norm(wide(u) @ wide(c) @ adjoint(wide(right)), 2)
    hermitian_core = middle in ("psd", "singular", "indefinite")
    promise = {"psd": "psd", "singular": "psd", "indefinite": "self-adjoint"}.get(middle)
    forms = []
    for relative in (10.0, eps(dtype) ** 0.6, 1e2 * eps(dtype)):
        op, dense = updated(NUMPY, base, u, c, float(relative * size), v, promise)
        if not hermitian_core and np.linalg.cond(dense) * eps(dtype) > 0.01:
            continue
        solves_well(NUMPY, op, dense, u, dtype, inverse_too=hermitian_core and relative < 0.01)
        forms.append(op._kept("woodbury").form)
        if np.linalg.cond(dense) * eps(dtype) > 1e-3:
            continue
        expected = np.linalg.slogdet(dense)
        sign, logarithm = op.slogdet()
        assert abs(complex(sign) - expected[0]) < 1e-2
        assert float(logarithm) == pytest.approx(expected[1], rel=1e-2)
    accurate = {"eigenbasis"} if hermitian_core else {"compressed"}
    by_inverse = base == "I" and promise == "psd"
    if by_inverse and dtype == "float32":  # its Gram matrix has digits to spare
        accurate = {"inverse by LU"}
    assert forms[0] == ("inverse by LU" if by_inverse else "Cholesky" if promise == "psd" else "LU")
    assert set(forms[1:]) <= (accurate if base == "I" else {f"whitened {form}" for form in accurate})


def test_the_inverse_of_every_form_is_of_its_type():
    u, lam = tall("Gaussian", "float64"), 1e-8
    for base, middle, promise, kind_of_inverse in (
        ("I", "psd", "psd", kl.Spectral),
        ("I", "indefinite", "self-adjoint", kl.Spectral),
        ("I", "general", None, Sum),
        ("Kronecker", "psd", "psd", Product),
    ):
        op, dense = updated(NUMPY, base, u, core(middle, "float64"), lam, promise=promise)
        inverse = op.inverse()
        assert type(inverse) is kind_of_inverse
        assert inverse.is_pd is {"psd": True, "self-adjoint": False, None: None}[promise]
        exact = np.linalg.inv(dense)
        np.testing.assert_allclose(inverse.to_dense(), exact, atol=1e-3 * abs(exact).max())


@given(
    st.integers(2, 12),
    st.integers(1, 6),
    st.floats(0, 6),
    st.floats(0, 16),
    st.sampled_from(DTYPES),
    st.integers(0, 99),
)
def test_the_solution_is_backward_stable(n, r, spread, digits, dtype, seed):
    """Singular values of U over 6 decades, F over 12, and λ from ‖F‖ down to eps ‖F‖."""
    r = min(r, n - 1)
    double = "complex128" if dtype.startswith("complex") else "float64"
    u = np.linalg.qr(normal((n, r), double, seed))[0] * np.logspace(0, -spread, r)
    u = (u @ np.linalg.qr(normal((r, r), double, seed + 1))[0]).astype(dtype)
    lam = max(10.0**-digits, eps(dtype))
    op, dense = kl.LowRank(u).damped(lam), wide(u) @ adjoint(wide(u)) + lam * np.eye(n)
    for b in (normal((n, 2), dtype, seed + 2), u @ normal((r, 2), dtype, seed + 3)):
        x = op.solve(b)
        assert np.isfinite(x).all()
        assert backward_error(dense, x, b, dtype) <= 10 + n
        exact = np.linalg.solve(dense, wide(b))
        error = np.linalg.norm(wide(x) - exact) / np.linalg.norm(exact)
        assert error <= 100 * eps(dtype) * np.linalg.cond(dense)


def test_a_stack_is_solved_at_once():
    u = np.stack([tall("Gaussian", "float64"), tall("graded", "float64")])
    blocks = kl.BlockDiagonal([kl.LowRank(x).damped(1e-12) for x in u])
    assert len(blocks.buckets) == 1
    b = np.concatenate([x @ np.ones((R, 1)) for x in u])
    x = blocks.solve(b)
    for member, piece, side in zip(u, np.split(x, 2), np.split(b, 2), strict=True):
        assert backward_error(member @ member.T + 1e-12 * np.eye(N), piece, side, "float64") <= 5
    assert blocks.buckets[0]._kept("woodbury").form == "eigenbasis"


@pytest.mark.parametrize("lam", [1e-6, 1e-14])
def test_a_root_too_large_to_be_formed(monkeypatch, lam):
    """The eigenbasis then comes from UᴴU, and refinement makes up for what that loses."""
    import kronlin.operators.lowrank as module

    monkeypatch.setattr(module, "DENSE_LIMIT", 4)
    left, right = normal((4, R)), normal((6, R), seed=1)
    root = kl.KhatriRao(left, right)
    op = kl.LowRank(root).damped(lam)
    u = root.to_dense()
    monkeypatch.setattr(kl.KhatriRao, "to_dense", None)
    dense = u @ u.T + lam * np.eye(N)
    for b in sides(u, "float64").values():
        assert backward_error(dense, op.solve(b), b, "float64") <= 5
    assert op._kept("woodbury").form == ("inverse by LU" if lam > 1e-7 else "eigenbasis")


def test_a_base_without_a_square_root_at_hand(monkeypatch):
    """The r × r system is then solved in its eigenbasis: no digit is promised, but no error and no NaN comes either."""
    import kronlin.operators.lowrank as module

    monkeypatch.setattr(module, "DENSE_LIMIT", 4)
    u = tall("doubled", "float64")
    op, dense = updated(NUMPY, "Kronecker", u, np.eye(R), 1e-12)
    for b in sides(u, "float64").values():
        assert np.isfinite(op.solve(b)).all()
    x = op.solve(sides(u, "float64")["out"])
    assert backward_error(dense, x, sides(u, "float64")["out"], "float64") <= 1e3
    assert op._kept("woodbury").form == "Cholesky"


@pytest.mark.parametrize("largest", [3.0, 1e12])
def test_a_multiple_of_i_that_cancels_an_eigenvalue_is_singular(largest):
    core = kl.Diagonal(np.array([-1.0, 2.0, largest]))
    op = kl.LowRank(np.eye(N)[:, :3], core) + kl.Identity(N, dtype="float64")
    for act in (op.inverse, lambda: op.solve(np.ones(N))):
        with pytest.raises(kl.SingularMatrixError):
            act()


@each_dtype(("float64",))
def test_numbers_of_an_inverse_and_of_the_sum_need_no_dense_matrix(lib, dtype, monkeypatch):
    import kronlin.operators.fallback as module

    u, c = tall("Gaussian", dtype), core("psd", dtype)
    for base, lam in (("Kronecker", 0.1), ("I", 1e-10)):
        op, dense = updated(lib, base, u, c, lam)
        exact = np.linalg.inv(dense)
        with monkeypatch.context() as patch:
            patch.setattr(module, "DENSE_LIMIT", 0)
            for each, matrix in ((op, dense), (op.inverse(), exact)):
                for got, expected in (
                    (each.diagonal(), np.diag(matrix)),
                    (each.trace(), np.trace(matrix)),
                    (each.norm(), np.linalg.norm(matrix)),
                    (each.slogdet()[1], np.linalg.slogdet(matrix)[1]),
                ):
                    close(lib.numpy(got), np.asarray(expected), rtol=1e-9 if lam == 0.1 else 1e-4)


def test_the_norm_of_a_sum_that_cancels_is_left_to_the_dense_matrix():
    u = np.linalg.qr(normal((N, N - 1)))[0]
    op = kl.Diagonal(np.ones(N)) - kl.LowRank(u)
    assert type(op) is Sum
    assert float(op.norm()) == pytest.approx(1.0, rel=1e-13)


@each_dtype(("complex64", "float64"))
@pytest.mark.parametrize("base", ["λ I", "Kronecker"])
def test_several_low_rank_terms_share_one_small_system(lib, dtype, base):
    b, dense = BASES[base](lib, dtype)
    us = [normal((6, 1), dtype, i) for i in range(3)]
    op = kl.LowRank(lib.asarray(us[0])) + b + kl.LowRank(lib.asarray(us[1])) + 2 * kl.LowRank(lib.asarray(us[2]))
    exact = dense + sum(c * wide(u) @ adjoint(wide(u)) for c, u in zip((1, 1, 2), us, strict=True))
    assert len(op.terms) == 4
    x = normal((6, 2), dtype, 9)
    tolerance = 1e3 * eps(dtype)
    close(lib.numpy(op.solve(lib.asarray(x))), np.linalg.solve(exact, x), rtol=tolerance)
    update = op._kept("woodbury")
    assert update.form == ("inverse by LU" if base == "λ I" else "Cholesky")
    assert update.system.shape == (3, 3)
    inverse = op.inverse()
    assert type(inverse) is Sum
    assert [term.rank for term in inverse.terms if isinstance(term, kl.LowRank)] == [3]
    close(lib.numpy(inverse.to_dense()), np.linalg.inv(exact), rtol=tolerance)
    close(lib.numpy(op.logdet()), np.linalg.slogdet(exact)[1], rtol=tolerance)


@pytest.mark.parametrize("lam", [1e-8, 1e-10, 1e-13])
def test_two_low_rank_terms_and_a_tiny_multiple_of_i(lam):
    """One step in the eigenbasis of both: no digit is lost, as it was where one was removed after the other."""
    us = [tall("Gaussian", "float64"), normal((N, R), seed=7)]
    op = kl.LowRank(us[0]) + kl.LowRank(us[1]) + lam * kl.Identity(N, dtype="float64")
    solves_well(NUMPY, op, sum(u @ u.T for u in us) + lam * np.eye(N), us[0], "float64")
    assert op._kept("woodbury").form == "eigenbasis"


def test_terms_that_fill_the_space_together_are_taken_one_by_one():
    us = [normal((6, 3), seed=i) for i in range(3)]
    op = sum((kl.LowRank(u) for u in us), kl.Identity(6, dtype="float64"))
    exact = np.eye(6) + sum(u @ u.T for u in us)
    close(op.solve(np.ones(6)), np.linalg.solve(exact, np.ones(6)), rtol=1e-10)
    close(op.inverse().to_dense(), np.linalg.inv(exact), rtol=1e-10)


def test_stacks_of_sums_of_two():
    one, two = (kl.BlockDiagonal([kl.LowRank(normal((6, 2), seed=s + i)) for i in range(2)]) for s in (0, 5))
    op = (one + two).damped(0.1)
    assert len(op.buckets) == 1
    close(op.solve(np.ones(12)), np.linalg.solve(op.to_dense(), np.ones(12)), rtol=1e-10)
