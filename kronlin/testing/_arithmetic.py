"""The laws of arithmetic: what A forms with numbers, with itself and with a multiple of I."""

import numpy as np

from kronlin.testing._case import Case
from kronlin.testing._products import has_adjoint


def arithmetic(case: Case) -> None:
    """2 A, -A, A / 2, A + A and A - A are those of the dense matrix."""
    op, dense = case.op, case.dense
    for what, got, expected in (
        ("2 * A", 2 * op, 2 * dense),
        ("-A", -op, -dense),
        ("A / 2", op / 2, dense / 2),
        ("A + A", op + op, 2 * dense),
        ("A - A", op - op, 0 * dense),
    ):
        case.expect_close(f"({what}).to_dense()", got.to_dense(), expected, 2 * case.norm)
        x = case.numbers(op.shape[1], 2)
        size = 2 * case.norm * float(np.linalg.norm(x))
        case.expect_close(f"({what}) @ X", got @ case.array(x), expected @ x, size)


def grams(case: Case) -> None:
    """Aᴴ A and A Aᴴ are the dense products, and psd where they say so."""
    if not has_adjoint(case.op):
        return
    turned = case.dense.conj().T
    for what, got, expected in (
        ("A.H @ A", case.op.H @ case.op, turned @ case.dense),
        ("A @ A.H", case.op @ case.op.H, case.dense @ turned),
    ):
        case.expect_close(f"({what}).to_dense()", got.to_dense(), expected, case.norm**2)
        x = case.numbers(expected.shape[0], 2)
        size = case.norm**2 * float(np.linalg.norm(x))
        case.expect_close(f"({what}) @ X", got @ case.array(x), expected @ x, size)
        case.expect(got.is_psd is not False, f"({what}).is_psd is False")


def damping(case: Case) -> None:
    """A.damped(lam) is A + lam I; its solution and determinant are those of the dense matrix."""
    if not case.is_square:
        return
    lam = 0.5
    damped = case.op.damped(lam)
    n = case.op.shape[0]
    matrix = case.dense + lam * np.eye(n)
    twin = Case(damped, matrix, case.rtol)
    case.expect_close("A.damped(0.5).to_dense()", damped.to_dense(), matrix, case.norm + twin.norm)
    if n and np.linalg.norm(matrix, -2) <= 1e3 * case.eps * (case.norm + lam):
        return  # A has the eigenvalue -0.5 but for rounding
    b = case.numbers(n, 2)
    inverse = np.linalg.inv(matrix)
    size = float(np.linalg.norm(inverse) * np.linalg.norm(b))
    case.expect_close("A.damped(0.5).solve(B)", damped.solve(case.array(b)), inverse @ b, size, twin.solving_rtol)
    sign, logarithm = damped.slogdet()
    expected = np.linalg.slogdet(matrix)
    size = max(1.0, abs(float(expected[1])), float(n))
    case.expect_close("the sign of A.damped(0.5).slogdet()", sign, np.asarray(expected[0]), size, twin.solving_rtol)
    case.expect_close(
        "the logarithm of A.damped(0.5).slogdet()",
        logarithm,
        np.asarray(expected[1]),
        size,
        twin.solving_rtol,
        of=case.kind.real,
    )
