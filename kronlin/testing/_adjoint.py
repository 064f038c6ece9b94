"""The laws of the adjoint: the dot test, and Aᴴ y in every form in which it can be asked for."""

from kronlin.testing._case import Case
from kronlin.testing._dottest import dot_products
from kronlin.testing._products import WIDTHS, compare


def dot_test(case: Case) -> None:
    """⟨A x, y⟩ = ⟨x, Aᴴ y⟩."""
    if case.has_adjoint:
        dot_products(case)


def adjoint(case: Case) -> None:
    """Aᴴ y and Aᵀ y are the dense products, for y of shape (m,) and (m, k)."""
    if not case.has_adjoint:
        return
    op, turned, m = case.op, case.dense.conj().T, case.op.shape[0]
    for shape in ((m,), *((m, k) for k in WIDTHS)):
        y = case.numbers(*shape)
        compare(case, "{}.H @ y", lambda y: op.H @ y, turned, y)
        compare(case, "{}.T @ y", lambda y: op.T @ y, case.dense.T, y)
    compare(case, "{}.rmatmat(Y)", op.rmatmat, turned, case.numbers(m, 2))
    compare(case, "{}.rmatvec(y)", op.rmatvec, turned, case.numbers(m))
