"""The laws of products: A x, x A, Aᴴ y. The docstring of a law is what the user reads when it breaks."""

from typing import Any

import numpy as np

from kronlin.algebra import Operator
from kronlin.arrays import to_numpy
from kronlin.testing._case import BrokenLaw, Case
from kronlin.testing._dottest import dot_products

WIDTHS = (2, 1, 0)


def dense_form(case: Case) -> None:
    """A.to_dense() is A times the unit vectors."""
    n = case.op.shape[1]
    case.expect_close("A @ I", case.op @ case.array(np.eye(n)), case.dense, case.norm)
    case.expect_close("A.to_dense()", case.op.to_dense(), case.dense, case.norm)


def vectors(case: Case) -> None:
    """A @ x is the dense product, for x of shape (n,)."""
    _compare(case, case.op, case.dense, case.numbers(case.op.shape[1]), "A @ x")


def blocks(case: Case) -> None:
    """A @ X is the dense product, for X of shape (n, k), also with k = 1 and k = 0."""
    for k in WIDTHS:
        _compare(case, case.op, case.dense, case.numbers(case.op.shape[1], k), "A @ X")


def products_from_the_left(case: Case) -> None:
    """x @ A is the dense product, where the array library hands it to A."""
    for shape in ((case.op.shape[0],), *((k, case.op.shape[0]) for k in WIDTHS)):
        x = case.numbers(*shape)
        try:
            got = case.array(x) @ case.op
        except TypeError:
            if case.kind.library.name == "numpy":
                raise
            return
        case.expect_close(f"x @ A, x = {_short(x)}", got, x @ case.dense, case.norm * _size(x))


def adjoint(case: Case) -> None:
    """⟨A x, y⟩ = ⟨x, Aᴴ y⟩, and Aᴴ y is the dense product, in every form in which it can be asked for."""
    if not has_adjoint(case.op):
        return
    dot_products(case)
    turned = case.dense.conj().T
    for shape in ((case.op.shape[0],), *((case.op.shape[0], k) for k in WIDTHS)):
        y = case.numbers(*shape)
        _compare(case, case.op.H, turned, y, "A.H @ y")
        _compare(case, case.op.T, case.dense.T, y, "A.T @ y")
    y = case.numbers(case.op.shape[0], 2)
    case.expect_close("A.rmatmat(Y)", case.op.rmatmat(case.array(y)), turned @ y, case.norm * _size(y))
    case.expect_close("A.rmatvec(y)", case.op.rmatvec(case.array(y[:, 0])), turned @ y[:, 0], case.norm * _size(y))
    case.expect_close("A.H.to_dense()", case.op.H.to_dense(), turned, case.norm)
    case.expect_close("A.T.to_dense()", case.op.T.to_dense(), case.dense.T, case.norm)
    case.expect_close("A.H.H.to_dense()", case.op.H.H.to_dense(), case.dense, case.norm)


def linearity(case: Case) -> None:
    """A (a x + b y) = a A x + b A y."""
    x, y = (case.array(case.numbers(case.op.shape[1])) for _ in range(2))
    a, b = (2.0, -0.5j) if case.kind.is_complex else (2.0, -0.5)
    apart = to_numpy(a * (case.op @ x) + b * (case.op @ y))
    size = case.norm * (_size(to_numpy(x)) + _size(to_numpy(y)))
    case.expect_close("A @ (a x + b y)", case.op @ (a * x + b * y), apart, 2 * size)


def repeatability(case: Case) -> None:
    """A @ X is the same the second time: to the last bit on a CPU, to rounding on an accelerator."""
    x = case.numbers(case.op.shape[1], 2)
    first, second = (to_numpy(case.op @ case.array(x)) for _ in range(2))
    if case.kind.is_accelerator:
        case.expect_close("the second A @ X", case.op @ case.array(x), first, case.norm * _size(x))
    elif not np.array_equal(first, second):
        place = tuple(int(i) for i in np.argwhere(first != second)[0])
        raise BrokenLaw(f"(A @ X){list(place)} was {first[place]!r}, then {second[place]!r}, for X = {_short(x)}")


def untouched_inputs(case: Case) -> None:
    """A product does not write into its argument, nor into the operator."""
    _watch(case, "A @ X", case.op, case.numbers(case.op.shape[1], 2))
    _watch(case, "A @ x", case.op, case.numbers(case.op.shape[1]))
    if has_adjoint(case.op):
        _watch(case, "A.H @ Y", case.op.H, case.numbers(case.op.shape[0], 2))
    case.expect_close("afterwards A @ I", case.op @ case.array(np.eye(case.op.shape[1])), case.dense, case.norm)


def complex_arguments(case: Case) -> None:
    """A real operator takes complex vectors."""
    if case.kind.is_complex:
        return
    for shape in ((case.op.shape[1],), (case.op.shape[1], 2)):
        x = case.numbers(*shape) + 1j * case.numbers(*shape)
        got = case.op @ case.array(x)
        case.expect_close("A @ complex x", got, case.dense @ x, case.norm * _size(x), of=case.kind.complex)


def has_adjoint(op: Operator) -> bool:
    """Whether Aᴴ y can be asked for: an operator may have been made without."""
    try:
        op.H @ op.kind.zeros(op.shape[0], 1)
    except NotImplementedError:
        return False
    return True


def _compare(case: Case, op: Operator, dense: np.ndarray, x: np.ndarray, what: str) -> None:
    case.expect_close(f"{what}, x = {_short(x)},", op @ case.array(x), dense @ x, case.norm * _size(x))


def _watch(case: Case, what: str, op: Operator, x: np.ndarray) -> None:
    given = case.array(x)
    before = to_numpy(given)
    op @ given
    after = to_numpy(given)
    if not np.array_equal(before, after):
        place = tuple(int(i) for i in np.argwhere(before != after)[0])
        raise BrokenLaw(f"{what} changed its argument: entry {list(place)} was {before[place]}, is {after[place]}")


def _size(x: np.ndarray) -> float:
    """The length of an argument, to which rounding is relative."""
    return float(np.linalg.norm(x))


def _short(x: np.ndarray) -> Any:
    """A small array in one line, a larger one by its shape."""
    return np.array2string(x, separator=", ").replace("\n", "") if x.size <= 6 else f"random numbers of shape {x.shape}"
