"""HStack and VStack."""

import numpy as np
import pytest

import kronlin as kl
from tests.matrices import each_dtype, normal
from tests.operators.laws import check, close


@each_dtype()
def test_laws(lib, dtype):
    a, b = normal((2, 3), dtype), normal((4, 3), dtype, 1)
    check(kl.VStack([lib.asarray(a), lib.asarray(b)]), np.vstack([a, b]), lib)
    check(kl.HStack([lib.asarray(a.T.copy()), lib.asarray(b.T.copy())]), np.hstack([a.T, b.T]), lib)


def test_adjoints_turn_one_into_the_other():
    stack = kl.VStack([normal((2, 3)), normal((4, 3))])
    assert type(stack.H) is kl.HStack
    assert stack.H.H is stack
    assert type(kl.HStack([normal((2, 3)), normal((2, 4))]).H) is kl.VStack


def test_the_gram_of_a_tall_stack_is_the_sum_of_grams():
    a, b = normal((3, 2)), normal((4, 2))
    stack = kl.VStack([a, b])
    gram = stack.H @ stack
    assert type(gram) is kl.Dense
    assert gram.is_psd is True
    close(gram.to_dense(), a.T @ a + b.T @ b)


@pytest.mark.parametrize(("stack", "word", "other"), [(kl.VStack, "columns", (2, 4)), (kl.HStack, "rows", (3, 3))])
def test_bad_input(stack, word, other):
    with pytest.raises(ValueError, match="at least one operator"):
        stack([])
    with pytest.raises(ValueError, match=f"equally many {word}, not 2×3, {other[0]}×{other[1]}"):
        stack([np.ones((2, 3)), np.ones(other)])
