"""The dot test: one random pair of vectors tells whether Aᴴ is the adjoint of A."""

from typing import Any

import numpy as np

from kronlin.algebra import rules
from kronlin.testing._arguments import shown, simple_arguments
from kronlin.testing._case import BrokenLaw, Case, numbers, wide


def dot_products(case: Case) -> None:
    """⟨A x, y⟩ = ⟨x, Aᴴ y⟩ for two random vectors on each side; if not, for the simplest unit vectors."""
    x, y = case.numbers(case.op.shape[1]), case.numbers(case.op.shape[0])
    if _difference(case, x, y) is None:
        return
    units = (list(simple_arguments(z.shape))[1:] for z in (x, y))
    xs, ys = units
    pairs = [(v, w) for v in xs[:8] for w in ys[:8]]
    if case.kind.is_complex:
        pairs += [(1j * v, w) for v, w in pairs]
    for pair in [*pairs, (x, y)]:
        found = _difference(case, *pair)
        if found is not None:
            left, right = (f"{number:.10g}" for number in found)
            raise BrokenLaw(f"⟨A x, y⟩ = {left}, but ⟨x, Aᴴ y⟩ = {right}{shown('x', pair[0])}{shown('y', pair[1])}")


def _difference(case: Case, x: np.ndarray, y: np.ndarray, atol: float = 0.0) -> tuple[Any, Any] | None:
    """Both products, if they differ by more than rounding."""
    left, right, size = _both_products(case, x, y)
    return None if np.abs(left - right) <= case.rtol * size + atol else (left, right)


def _both_products(case: Case, x: np.ndarray, y: np.ndarray) -> tuple[Any, Any, float]:
    image, back = wide(case.op @ case.array(x)), wide(case.op.H @ case.array(y))
    size = np.linalg.norm(image) * np.linalg.norm(y) + np.linalg.norm(x) * np.linalg.norm(back)
    return np.vdot(image, y), np.vdot(x, back), float(size)


def dottest(
    op: Any,
    nr: int | None = None,
    nc: int | None = None,
    rtol: float | None = None,
    atol: float = 1e-21,
    complexflag: int = 0,
    raiseerror: bool = True,
    verb: bool = False,
    *,
    seed: int = 0,
) -> bool:
    """Check ⟨A x, y⟩ = ⟨x, Aᴴ y⟩ for a random x and y, at the cost of one product with A and one with Aᴴ.

    The arguments are those of the function of the same name in PyLops, with two differences: `rtol` is relative to
    ‖A x‖ ‖y‖ + ‖x‖ ‖Aᴴ y‖ instead of the product itself, which may cancel, and a failure is an AssertionError.

    Args:
        op: an operator or array of shape (nr, nc).
        nr: number of rows that op should have; not checked if None.
        nc: number of columns that op should have; not checked if None.
        rtol: relative tolerance; that of the dtype if None (1e-12 in double, 5e-4 in single precision).
        atol: absolute tolerance, added.
        complexflag: 0: x and y are real, 1: x is complex, 2: y is complex, 3: both are.
        raiseerror: whether a failure raises; if not, the result is False.
        verb: whether to print both products.
        seed: of the random vectors.

    Returns:
        Whether the test passed.

    Raises:
        AssertionError: Aᴴ is not the adjoint of A, or the shape of A is not (nr, nc).
        ValueError: complexflag is not 0, 1, 2 or 3.

    >>> import numpy as np, kronlin as kl
    >>> A = kl.Function(np.flipud, np.flipud, shape=(4, 4), dtype="float64")
    >>> dottest(A, 4, 4)
    True
    >>> dottest(kl.Function(np.flipud, np.negative, shape=(4, 4), dtype="float64"), raiseerror=False)
    False

    Source: Claerbout, "Imaging the Earth's Interior" (1985); Ravasi and Vasconcelos, "PyLops", SoftwareX 11 (2020).
    """
    op = rules.wrap(op)
    if complexflag not in (0, 1, 2, 3):
        raise ValueError(
            f"complexflag is 0 (real), 1 (complex x), 2 (complex y) or 3 (both complex), not {complexflag}"
        )
    wanted = (op.shape[0] if nr is None else nr, op.shape[1] if nc is None else nc)
    if wanted != op.shape:
        raise AssertionError(f"{op!r} is not {wanted[0]}×{wanted[1]}")
    case = Case(op, np.zeros(op.shape), rtol, seed=seed)
    x = numbers(case.random, (op.shape[1],), complexflag in (1, 3))
    y = numbers(case.random, (op.shape[0],), complexflag in (2, 3))
    left, right, size = _both_products(case, x, y)
    passed = bool(np.abs(left - right) <= case.rtol * size + atol)
    message = f"dot test {'passed' if passed else 'failed'}: ⟨A x, y⟩ = {left:.10g}, ⟨x, Aᴴ y⟩ = {right:.10g}"
    if verb:
        print(message)
    if not passed and raiseerror:
        raise AssertionError(f"{message}\n  A = {op!r}")
    return passed
