"""The laws of form: shape, dtype, device, text, and promises."""

import numpy as np

from kronlin.testing._case import Case


def form(case: Case) -> None:
    """Shape, dtype and device are those of the matrix and of its products, and repr(A) is one line of text."""
    op = case.op
    case.expect(tuple(op.shape) == case.dense.shape, f"A.shape is {op.shape}, where {case.dense.shape} is due")
    case.expect((op.dtype, op.device) == (case.kind.dtype, case.kind.device), "A.dtype or A.device is not that of A")
    case.expect(op.H.shape == op.shape[::-1], f"A.H.shape is {op.H.shape}, where {op.shape[::-1]} is due")
    case.expect(op.T.shape == op.shape[::-1], f"A.T.shape is {op.T.shape}, where {op.shape[::-1]} is due")
    text = repr(op)
    case.expect(isinstance(text, str) and "\n" not in text and bool(text), f"repr(A) is {text!r}")


def promises(case: Case) -> None:
    """What A says of itself is true: self-adjoint, psd, pd."""
    op, dense = case.op, case.dense
    if not case.is_square:
        told = (op.is_self_adjoint, op.is_psd, op.is_pd)
        case.expect(True not in told, f"a {op.shape[0]}×{op.shape[1]} operator says it is self-adjoint or definite")
        return
    skew = np.abs(dense - dense.conj().T)
    if op.is_self_adjoint and not case.is_hermitian:
        i, j = (int(index) for index in np.unravel_index(np.argmax(skew), skew.shape))
        case.expect(
            False, f"A.is_self_adjoint, but A[{i}, {j}] = {dense[i, j]:.6g} and A[{j}, {i}] = {dense[j, i]:.6g}"
        )
    case.expect(op.is_self_adjoint is not False or bool(np.any(skew)), "A.is_self_adjoint is False, but A = Aᴴ")
    if not case.is_hermitian or not dense.size:
        case.expect(not op.is_psd or not dense.size, "A.is_psd, but A is not self-adjoint")
        return
    lowest = float(np.linalg.eigvalsh((dense + dense.conj().T) / 2)[0])
    rounding = case.rtol * case.norm
    case.expect(not op.is_psd or lowest >= -rounding, f"A.is_psd, but {lowest:.6g} is an eigenvalue")
    case.expect(not op.is_pd or lowest >= -rounding, f"A.is_pd, but {lowest:.6g} is an eigenvalue")
    case.expect(
        op.is_psd is not False or lowest <= rounding, f"A.is_psd is False, but {lowest:.6g} is the lowest eigenvalue"
    )
    case.expect(
        op.is_pd is not False or lowest <= rounding, f"A.is_pd is False, but {lowest:.6g} is the lowest eigenvalue"
    )
