"""The laws of purity: a product depends on A and x alone, and changes neither."""

from contextlib import suppress

import numpy as np

from kronlin.algebra import Operator
from kronlin.arrays import to_numpy
from kronlin.testing._case import BrokenLaw, Case


def repeatability(case: Case) -> None:
    """A @ X is the same the second time: to the last bit on a CPU, to rounding on an accelerator."""
    x = case.numbers(case.op.shape[1], 2)
    first, second = (to_numpy(case.op @ case.array(x)) for _ in range(2))
    if case.kind.is_accelerator:
        size = case.size * float(np.linalg.norm(x))
        case.expect_close("the second A @ X", case.op @ case.array(x), first, size)
        return
    _expect_same(first, second, "(A @ X){} was {}, then {}")


def untouched_inputs(case: Case) -> None:
    """A product does not write into its argument, and takes one that is read-only."""
    _watch(case, "A @ x", case.op, case.numbers(case.op.shape[1]))
    _watch(case, "A @ X", case.op, case.numbers(case.op.shape[1], 2))
    if case.has_adjoint:
        _watch(case, "A.H @ Y", case.op.H, case.numbers(case.op.shape[0], 2))


def results_stay(case: Case) -> None:
    """A result does not change when A is applied again: it is no buffer of A."""
    x, y = case.numbers(case.op.shape[1], 2), case.numbers(case.op.shape[1], 2) + 1
    result = case.op @ case.array(x)
    before = to_numpy(result)
    case.op @ case.array(y)
    _expect_same(before, to_numpy(result), "(A @ X){} was {}, and is {} after A @ Y")


def independence(case: Case) -> None:
    """A is the same after another operator of its type was made and used."""
    x = case.array(case.numbers(case.op.shape[1], 2))
    before = to_numpy(case.op @ x)
    with suppress(Exception):  # an operator that cannot be rebuilt breaks another law
        other = case.op._map(lambda array: 2 * array)
        for use in (_multiply, _invert, _factor, _decompose):
            with suppress(Exception):  # twice a basis, say, is none
                use(other)
    after = to_numpy(case.op @ x)
    if not case.kind.is_accelerator:
        _expect_same(before, after, "(A @ X){} was {}, and is {} after the use of another")


def _watch(case: Case, what: str, op: Operator, x: np.ndarray) -> None:
    given = case.array(x)
    before = to_numpy(given)
    op @ given
    _expect_same(before, to_numpy(given), what + " changed entry {} of its argument: {} to {}")
    if case.kind.library.name == "numpy":
        given.setflags(write=False)
        op @ given


def _expect_same(before: np.ndarray, after: np.ndarray, words: str) -> None:
    """Break the law, in words with room for the place and both entries, unless two arrays agree to the last bit."""
    if not np.array_equal(before, after):
        place = tuple(int(i) for i in np.argwhere(~(before == after))[0])
        raise BrokenLaw(words.format(list(place), f"{before[place]:.17g}", f"{after[place]:.17g}"))


def _multiply(op: Operator) -> None:
    op @ op.kind.ones(op.shape[1], 1)


def _invert(op: Operator) -> None:
    op.inverse()


def _factor(op: Operator) -> None:
    op.prepare()
    op.solve(op.kind.ones(op.shape[0]))


def _decompose(op: Operator) -> None:
    op.eigh()
