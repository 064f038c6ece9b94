"""What a multiplied-out L M remembers, and that remembering keeps nothing alive."""

import gc
from weakref import ref

import kronlin as kl
from kronlin.algebra.properties import PSD, UNKNOWN, Properties
from kronlin.operators.origin import recall, remember
from tests.matrices import normal


def _two():
    left = kl.Dense(normal((2, 3)))
    return left, kl.Dense(normal((2, 3)))


def test_only_the_adjoint_of_the_left_factor_makes_a_congruence():
    left, product = _two()
    assert remember(product, left, Properties(True, True, False)) is product
    assert recall(product, left.H) == PSD
    assert recall(product, kl.Dense(normal((3, 2)))) == UNKNOWN
    assert recall(kl.Dense(normal((2, 3))), left.H) == UNKNOWN


def test_the_left_factor_may_be_an_adjoint_that_nobody_holds_any_more():
    right, product = kl.Dense(normal((3, 2))), kl.Dense(normal((2, 3)))
    remember(product, right.H, PSD)
    gc.collect()
    assert recall(product, right) == PSD


def test_a_self_adjoint_left_factor_is_its_own_adjoint():
    swap = kl.Permutation([1, 0], dtype="float64")
    product = kl.Dense(normal((2, 2)))
    assert recall(remember(product, swap, PSD), swap) == PSD


def test_it_keeps_no_operator_alive():
    left, product = _two()
    remember(product, left, PSD)
    watch = ref(left)
    del left
    gc.collect()
    assert watch() is None
    assert recall(product, kl.Dense(normal((3, 2)))) == UNKNOWN


def test_nothing_is_kept_where_nothing_is_known():
    left, product = _two()
    remember(product, left, UNKNOWN)
    assert product._kept("origin") is None
