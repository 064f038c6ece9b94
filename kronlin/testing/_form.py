"""The laws of form: shape, dtype, device, text, and promises."""

import numpy as np

from kronlin.algebra import Operator
from kronlin.arrays import is_array, kind
from kronlin.testing._case import Case, wide


def form(case: Case) -> None:
    """Shape, dtype and device are those of the matrix, and A keeps them in its products; repr(A) is a line of text."""
    op = case.op
    case.expect(tuple(op.shape) == case.dense.shape, f"A.shape is {op.shape}, where {case.dense.shape} is due")
    case.expect((op.dtype, op.device) == (case.kind.dtype, case.kind.device), "A.dtype or A.device is not that of A")
    case.expect(op.H.shape == op.shape[::-1], f"A.H.shape is {op.H.shape}, where {op.shape[::-1]} is due")
    case.expect(op.T.shape == op.shape[::-1], f"A.T.shape is {op.T.shape}, where {op.shape[::-1]} is due")
    text = repr(op)
    case.expect(isinstance(text, str) and "\n" not in text and bool(text), f"repr(A) is {text!r}")
    m, n = op.shape
    for tail in ((), (2,), (1,), (0,)):
        _same_form(case, "A @ x", op, (n, *tail), (m, *tail))
        if case.has_adjoint:
            _same_form(case, "A.H @ y", op.H, (m, *tail), (n, *tail))


def _same_form(case: Case, what: str, op: Operator, given: tuple[int, ...], due: tuple[int, ...]) -> None:
    """Break the law unless a product has the shape, library, dtype and device that are due."""
    what = f"{what} for an argument of shape {given}"
    product = op @ case.array(case.numbers(*given))
    case.expect(is_array(product), f"{what} is a {type(product).__name__}")
    case.expect(tuple(product.shape) == due, f"{what} has shape {tuple(product.shape)}, where {due} is due")
    case.expect_kind(what, kind(product), case.kind)


def promises(case: Case) -> None:
    """What A says of itself is true: self-adjoint, psd, pd."""
    op, dense, name = case.op, case.dense, case.name
    if not case.is_square:
        told = (op.is_self_adjoint, op.is_psd, op.is_pd)
        rows, columns = op.shape
        case.expect(True not in told, f"{name}, which is {rows}×{columns}, says that it is self-adjoint or definite")
        return
    skew = np.abs(dense - dense.conj().T)
    if op.is_self_adjoint and not case.is_hermitian:
        i, j = (int(index) for index in np.unravel_index(np.argmax(skew), skew.shape))
        entries = f"A[{i}, {j}] = {dense[i, j]:.6g} and A[{j}, {i}] = {dense[j, i]:.6g}"
        case.expect(False, f"{name}.is_self_adjoint, but for this A {entries}")
    denied = op.is_self_adjoint is False and case.is_surely_hermitian
    case.expect(not denied, f"{name}.is_self_adjoint is False, but A = Aᴴ")
    if not case.is_hermitian or not dense.size:
        case.expect(not op.is_psd or not dense.size, f"{name}.is_psd, but it is not self-adjoint")
        return
    lowest, rounding = float(case.eigenvalues[0]), case.rtol * case.size
    for promise in ("is_psd", "is_pd"):
        told = getattr(op, promise)
        case.expect(not told or lowest >= -rounding, f"{name}.{promise}, but {lowest:.6g} is an eigenvalue")
        case.expect(
            told is not False or lowest <= rounding or not case.is_surely_hermitian,
            f"{name}.{promise} is False, but {lowest:.6g} is the lowest eigenvalue",
        )
    least = float(np.min(np.real(wide(op.diagonal())))) if op.is_pd else 1.0
    case.expect(least > 0, f"{name}.is_pd, but xᴴ A x = {least:.6g} for a unit vector x")
