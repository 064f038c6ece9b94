"""The laws of what undoes A: solutions, inverses, pseudo-inverses, determinants."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from kronlin.arrays import NotPositiveDefiniteError
from kronlin.testing._arguments import simplest
from kronlin.testing._case import Case, wide
from kronlin.testing._spectra import refuses


def solutions(case: Case) -> None:
    """A.solve(b) is the dense solution, for b of shape (n,) and (n, k), and b is left as it is."""
    if not case.is_square:
        refuses_to_solve(case)
        return
    n = case.op.shape[0]
    for shape in ((n,), (n, 2), (n, 1), (n, 0)):
        solution(case, *shape)


def solution(case: Case, *shape: int) -> None:
    """A.solve(b) is the dense solution, for b of one shape."""

    def law(b: np.ndarray) -> None:
        given = case.array(b)
        got = attempt(case, partial(case.op.solve, given))
        case.expect(np.array_equal(wide(given), wide(case.array(b))), f"{case.name}.solve(b) changes b")
        if got is not None and case.inverse is not None:
            size = float(np.linalg.norm(case.inverse) * np.linalg.norm(b))
            case.expect_close(f"{case.name}.solve(b)", got, case.inverse @ b, size, case.solving_rtol)

    simplest("b", law, case.numbers(*shape))


def inverses(case: Case) -> None:
    """A.inverse() is the dense inverse, from both sides, and its own inverse is A."""
    if not case.is_square:
        refuses(case, "inverse")
        return
    inverse, got = case.inverse, attempt(case, case.op.inverse)
    if inverse is None or got is None:
        return
    size, name = float(np.linalg.norm(inverse)), case.name
    x = case.numbers(case.op.shape[0], 2)
    length = size * float(np.linalg.norm(x))
    case.expect_close(f"{name}.inverse() @ X", got @ case.array(x), inverse @ x, length, case.solving_rtol)
    if not case.has_adjoint:
        return
    case.expect_close(f"{name}.inverse().to_dense()", got.to_dense(), inverse, size, case.solving_rtol)
    turned = inverse.conj().T @ x
    case.expect_close(f"{name}.inverse().H @ X", got.H @ case.array(x), turned, length, case.solving_rtol)
    again = got.inverse().to_dense()
    case.expect_close(f"{name}.inverse().inverse().to_dense()", again, case.dense, case.size, case.solving_rtol)


def pseudo_inverses(case: Case) -> None:
    """A.pinv() is the Moore-Penrose inverse, where the rank is beyond doubt."""
    if not case.dense.size or not case.has_adjoint:
        return
    values = np.linalg.svd(case.dense, compute_uv=False)
    rounding = case.eps * case.size
    if np.any((values > 100 * rounding) & (values < 1e3 * np.sqrt(case.eps) * values[0])):
        return
    kept = values[values > max(np.sqrt(case.eps) * values[0], 100 * rounding)]
    if values[0] and not kept.size:
        return
    expected = np.linalg.pinv(case.dense, rcond=np.sqrt(case.eps))
    condition = case.size / float(kept[-1]) if kept.size else 1.0
    got = case.op.pinv()
    size = float(np.linalg.norm(expected))
    case.expect_close(f"{case.name}.pinv().to_dense()", got.to_dense(), expected, size, case.rtol * max(1.0, condition))


def determinants(case: Case) -> None:
    """A.slogdet() and A.logdet() are those of the dense matrix."""
    if not case.is_square:
        for name in ("slogdet", "logdet"):
            refuses(case, name)
        return
    name = case.name
    sign, logarithm = case.op.slogdet()
    expected = np.linalg.slogdet(case.dense)
    case.expect(not np.any(np.isnan(wide(sign))), f"the sign of {name}.slogdet() is NaN")
    case.expect(not np.any(np.isnan(wide(logarithm))), f"the logarithm of {name}.slogdet() is NaN")
    if not np.isfinite(case.condition):
        return
    size = max(1.0, abs(float(expected[1])), float(case.op.shape[0]))
    rtol = case.solving_rtol
    case.expect_close(f"the sign of {name}.slogdet()", sign, np.asarray(expected[0]), size, rtol, scalar=True)
    logdet, real = np.asarray(expected[1]), case.kind.real
    case.expect_close(f"the logarithm of {name}.slogdet()", logarithm, logdet, size, rtol, of=real)
    if abs(expected[0] - 1) < 1e-8 and (case.is_hermitian or not case.kind.is_complex):
        case.expect_close(f"{name}.logdet()", case.op.logdet(), logdet, size, rtol, of=real)


def attempt(case: Case, function: Callable[[], Any]) -> Any:
    """The result of a function; None if it refuses an operator without an inverse, or as indefinite one that is."""
    try:
        return function()
    except ValueError as error:
        if np.isfinite(case.condition) and not (isinstance(error, NotPositiveDefiniteError) and _is_indefinite(case)):
            raise
        return None


def refuses_to_solve(case: Case) -> None:
    """Break the law if a rectangular operator has a solution."""
    try:
        case.op.solve(case.array(case.numbers(case.op.shape[0])))
    except ValueError:
        return
    case.expect(False, f"{case.name}.solve(b) is answered, but {case.name} is not square: a ValueError is due")


def _is_indefinite(case: Case) -> bool:
    return case.is_hermitian and float(np.linalg.eigvalsh(case.dense)[0]) < 0
