"""The laws of what undoes A: solutions, inverses, pseudo-inverses, determinants."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from kronlin.arrays import NotPositiveDefiniteError
from kronlin.testing._case import Case, wide


def solutions(case: Case) -> None:
    """A.solve(b) is the dense solution, for b of shape (n,) and (n, k)."""
    if not case.is_square:
        return
    inverse = _dense_inverse(case)
    for shape in ((case.op.shape[0],), *((case.op.shape[0], k) for k in (2, 1, 0))):
        b = case.numbers(*shape)
        got = _attempt(case, partial(case.op.solve, case.array(b)))
        if got is not None and inverse is not None:
            size = float(np.linalg.norm(inverse) * np.linalg.norm(b))
            case.expect_close("A.solve(b)", got, inverse @ b, size, case.solving_rtol)


def inverses(case: Case) -> None:
    """A.inverse() is the dense inverse, from both sides, and its own inverse is A."""
    if not case.is_square:
        return
    inverse, got = _dense_inverse(case), _attempt(case, case.op.inverse)
    if inverse is None or got is None:
        return
    size = float(np.linalg.norm(inverse))
    case.expect_close("A.inverse().to_dense()", got.to_dense(), inverse, size, case.solving_rtol)
    x = case.numbers(case.op.shape[0], 2)
    case.expect_close("A.inverse() @ X", got @ case.array(x), inverse @ x, size * _norm(x), case.solving_rtol)
    turned = inverse.conj().T @ x
    case.expect_close("A.inverse().H @ X", got.H @ case.array(x), turned, size * _norm(x), case.solving_rtol)
    again = got.inverse().to_dense()
    case.expect_close("A.inverse().inverse()", again, case.dense, case.norm, case.solving_rtol)


def pseudo_inverses(case: Case) -> None:
    """A.pinv() is the Moore-Penrose inverse, where the rank is beyond doubt."""
    if not case.dense.size:
        return
    values = np.linalg.svd(case.dense, compute_uv=False)
    unclear = (values > 1e-2 * case.eps * values[0]) & (values < 1e3 * np.sqrt(case.eps) * values[0])
    kept = values[values > np.sqrt(case.eps) * values[0]]
    if np.any(unclear & (values > 100 * case.eps * values[0])) or (values[0] and not kept.size):
        return
    expected = np.linalg.pinv(case.dense, rcond=np.sqrt(case.eps))
    condition = float(kept[0] / kept[-1]) if kept.size else 1.0
    got = case.op.pinv()
    case.expect_close("A.pinv().to_dense()", got.to_dense(), expected, _norm(expected), case.rtol * max(1.0, condition))


def determinants(case: Case) -> None:
    """A.slogdet() and A.logdet() are those of the dense matrix."""
    if not case.is_square:
        return
    sign, logarithm = case.op.slogdet()
    expected = np.linalg.slogdet(case.dense)
    case.expect(not np.any(np.isnan(wide(sign))), "the sign of A.slogdet() is NaN")
    case.expect(not np.any(np.isnan(wide(logarithm))), "the logarithm of A.slogdet() is NaN")
    if not np.isfinite(case.condition):
        return
    size = max(1.0, abs(float(expected[1])), float(case.op.shape[0]))
    case.expect_close("the sign of A.slogdet()", sign, np.asarray(expected[0]), size, case.solving_rtol)
    logdet = np.asarray(expected[1])
    case.expect_close("the logarithm of A.slogdet()", logarithm, logdet, size, case.solving_rtol, of=case.kind.real)
    if abs(expected[0] - 1) < 1e-8:
        if case.kind.is_complex and not case.is_hermitian:
            return
        case.expect_close("A.logdet()", case.op.logdet(), logdet, size, case.solving_rtol, of=case.kind.real)


def _dense_inverse(case: Case) -> np.ndarray | None:
    """The inverse of the dense twin; None if it is singular to working precision."""
    return np.linalg.inv(case.dense) if np.isfinite(case.condition) else None


def _attempt(case: Case, function: Callable[[], Any]) -> Any:
    """The result of a function; None if it refuses an operator without an inverse, or as indefinite one that is."""
    try:
        return function()
    except ValueError as error:
        if np.isfinite(case.condition) and not (isinstance(error, NotPositiveDefiniteError) and _is_indefinite(case)):
            raise
        return None


def _is_indefinite(case: Case) -> bool:
    return case.is_hermitian and float(np.linalg.eigvalsh(case.dense)[0]) < 0


def _norm(x: np.ndarray) -> float:
    return float(np.linalg.norm(x))
