"""The laws of what is made from A: adjoint, square, damped operator, inverse; each must again be an operator."""

import numpy as np

from kronlin.testing._case import Case
from kronlin.testing._form import promises
from kronlin.testing._inverses import attempt, determinants, inverses, solutions
from kronlin.testing._products import compare
from kronlin.testing._spectra import norms, spectra, traces


def essentials(case: Case) -> None:
    """Products, matrix, adjoint, norm, trace, diagonal, determinant and promises are those of the dense matrix."""
    compare(case, "{} @ X", lambda x: case.op @ x, case.dense, case.numbers(case.op.shape[1], 2))
    if not case.has_adjoint:
        return
    case.expect_close(f"{case.name}.to_dense()", case.op.to_dense(), case.dense, case.size)
    turned = case.dense.conj().T
    compare(case, "{}.H @ Y", lambda y: case.op.H @ y, turned, case.numbers(case.op.shape[0], 2))
    for law in (norms, traces, determinants, promises):
        law(case)


def of_the_adjoint(case: Case) -> None:
    """A.H and A.T are operators with the norm, trace, diagonal and determinant of the dense ones; A.H.H is A."""
    if case.has_adjoint:
        essentials(case.derived("{}.H", case.op.H, case.dense.conj().T, case.size))
        essentials(case.derived("{}.T", case.op.T, case.dense.T, case.size))
        essentials(case.derived("{}.H.H", case.op.H.H, case.dense, case.size))


def squares(case: Case) -> None:
    """A.H @ A, A @ A.H and A @ A are operators, those of the dense products."""
    if not case.has_adjoint:
        return
    op, dense = case.op, case.dense
    turned = dense.conj().T
    products = [("({0}.H @ {0})", op.H @ op, turned @ dense), ("({0} @ {0}.H)", op @ op.H, dense @ turned)]
    if case.is_square:
        products.append(("({0} @ {0})", op @ op, dense @ dense))
    for name, product, expected in products:
        essentials(case.derived(name, product, expected, case.size**2))


def damping(case: Case) -> None:
    """A.damped(lam) is A + lam I for every lam: products, determinant, solutions, spectrum."""
    if not case.is_square or not case.has_adjoint:
        return
    case.op.prepare()  # what is kept for A must not be taken for A + lam I
    for lam in (0.5, 2.0):
        n = case.op.shape[0]
        matrix, size = case.dense + lam * np.eye(n), case.size + lam * n**0.5
        twin = case.derived(f"{{}}.damped({lam})", case.op.damped(lam), matrix, size)
        case.expect_close(f"{twin.name}.to_dense()", twin.op.to_dense(), matrix, size)
        if np.isfinite(twin.condition):  # else A has the eigenvalue -lam but for rounding
            essentials(twin)
            solutions(twin)
            if case.is_hermitian:
                spectra(twin)


def of_the_inverse(case: Case) -> None:
    """A.inverse() is an operator with the norm, trace, diagonal, determinant and solutions of the dense inverse."""
    got = attempt(case, case.op.inverse) if case.is_square and case.has_adjoint else None
    if got is None or case.inverse is None:
        return
    twin = case.derived("{}.inverse()", got, case.inverse, rtol=case.solving_rtol)
    essentials(twin)
    inverses(twin)
    damped = case.inverse + 0.5 * np.eye(len(case.inverse))
    shifted = twin.derived("{}.damped(0.5)", got.damped(0.5), damped, twin.size + 0.5 * len(damped) ** 0.5)
    if np.isfinite(shifted.condition):
        essentials(shifted)
