"""The laws of products: A x, A X, x A. The docstring of a law is what the user reads when it breaks."""

from collections.abc import Callable
from typing import Any

import numpy as np

from kronlin.arrays import to_numpy
from kronlin.testing._arguments import simplest
from kronlin.testing._case import Case

WIDTHS = (2, 1, 0)


def vectors(case: Case) -> None:
    """A @ x is the dense product, for x of shape (n,)."""
    n = case.op.shape[1]
    compare(case, "{} @ x", lambda x: case.op @ x, case.dense, np.zeros(n))
    compare(case, "{} @ x", lambda x: case.op @ x, case.dense, case.numbers(n))
    compare(case, "{} @ x", lambda x: case.op @ x, case.dense, case.numbers(n) / 3)


def blocks(case: Case) -> None:
    """A @ X is the dense product, for X of shape (n, k), also with k = 1 and k = 0."""
    for k in WIDTHS:
        compare(case, "{} @ X", lambda x: case.op @ x, case.dense, case.numbers(case.op.shape[1], k))


def dense_form(case: Case) -> None:
    """A.to_dense() is A times the unit vectors."""
    case.expect_close(f"{case.name}.to_dense()", case.op.to_dense(), case.dense, case.size)
    case.expect_close(f"{case.name} @ I", case.op @ case.array(np.eye(case.op.shape[1])), case.dense, case.size)


def products_from_the_left(case: Case) -> None:
    """x @ A is the dense product, where the array library hands it to A."""
    if not case.has_adjoint or not _hands_over(case):
        return
    m = case.op.shape[0]
    compare(case, "x @ {}", lambda x: x @ case.op, case.dense.T, case.numbers(m))
    for k in WIDTHS:
        x = case.numbers(k, m)
        size = case.size * float(np.linalg.norm(x))
        case.expect_close(f"X @ {case.name} for a random X", case.array(x) @ case.op, x @ case.dense, size)


def linearity(case: Case) -> None:
    """A (c x) = c A x, with c = -1/2, or -i/2 for a complex A, and A (x + y) = A x + A y."""
    c, name = (-0.5j, "-i/2") if case.kind.is_complex else (-0.5, "-1/2")

    def homogeneous(x: np.ndarray) -> None:
        expected = c * to_numpy(case.op @ case.array(x))
        size = case.size * float(np.linalg.norm(x))
        case.expect_close(f"A @ ({name} x)", case.op @ case.array(c * x), expected, size)

    simplest("x", homogeneous, case.numbers(case.op.shape[1]))
    y = case.numbers(case.op.shape[1])

    def additive(x: np.ndarray) -> None:
        expected = to_numpy(case.op @ case.array(x)) + to_numpy(case.op @ case.array(y))
        size = case.size * float(np.linalg.norm(x) + np.linalg.norm(y))
        case.expect_close("A @ (x + y) for a random y", case.op @ case.array(x + y), expected, size)

    simplest("x", additive, case.numbers(case.op.shape[1]))


def mixed_arguments(case: Case) -> None:
    """A real operator takes complex vectors, and a complex one real vectors; the product is complex."""
    given = case.kind.real if case.kind.is_complex else case.kind.complex
    for shape in ((case.op.shape[1],), (case.op.shape[1], 2)):

        def law(x: np.ndarray) -> None:
            array = case.kind.library.from_numpy(x.astype(given.dtype_name), device=case.kind.device)
            what, size = f"{case.name} @ x for a {given.dtype_name} x", case.size * float(np.linalg.norm(x))
            case.expect_close(what, case.op @ array, case.dense @ x, size, of=case.kind.complex)

        x = case.numbers(*shape).real
        simplest("x", law, x + 1j * case.numbers(*shape) if given.is_complex else x)


def compare(case: Case, what: str, product: Callable[[Any], Any], matrix: np.ndarray, x: np.ndarray) -> None:
    """Break the law unless `product(x)` is `matrix @ x`; the message shows the simplest x for which it is not."""
    letter = ("Y" if x.ndim > 1 else "y") if "y" in what.lower() else "X" if x.ndim > 1 else "x"
    what = what.format(case.name)

    def law(x: np.ndarray) -> None:
        case.expect_close(what, product(case.array(x)), matrix @ x, case.size * float(np.linalg.norm(x)))

    simplest(letter, law, x)


def _hands_over(case: Case) -> bool:
    """Whether the library leaves `array @ A` to A: NumPy must, array-api-strict does not."""
    if case.kind.library.name == "numpy":
        return True
    try:
        case.kind.zeros(case.op.shape[0]) @ case.op
    except TypeError:
        return False
    return True
