"""HStack and VStack."""

import numpy as np
import pytest

import kronlin as kl
from kronlin.algebra import Product, rules
from tests.matrices import each_dtype, eps, normal, positive
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


def test_products_of_stacks_join_where_their_pieces_do():
    tall, wide = kl.VStack([normal((2, 3)), normal((4, 3))]), kl.HStack([normal((2, 2)), normal((2, 4), seed=1)])
    for product, kind in ((tall @ normal_operator((3, 2)), kl.VStack), (normal_operator((1, 2)) @ wide, kl.HStack)):
        assert type(product) is kind
    close((tall @ normal_operator((3, 2))).to_dense(), tall.to_dense() @ normal((3, 2)))
    close((normal_operator((1, 2)) @ wide).to_dense(), normal((1, 2)) @ wide.to_dense())
    assert type(wide @ tall) is kl.Dense
    close((wide @ tall).to_dense(), wide.to_dense() @ tall.to_dense())
    function = kl.Function(lambda x: x, lambda y: y, shape=(3, 3), dtype="float64")
    assert type(tall @ function) is Product
    assert type(kl.VStack([function, normal((2, 3))]) @ normal_operator((3, 2))) is Product


def normal_operator(shape):
    return kl.Dense(normal(shape))


def test_pieces_that_do_not_fit_stay_lazy_and_right():
    tall, wide = kl.VStack([normal((2, 3)), normal((4, 3))]), kl.HStack([normal((2, 3)), normal((2, 3), seed=1)])
    assert type(wide @ tall) is Product
    close((wide @ tall).to_dense(), wide.to_dense() @ tall.to_dense())
    assert type(tall + kl.VStack([normal((3, 3)), normal((3, 3))])) is not kl.VStack


def test_a_self_adjoint_middle_stays_apart_so_that_the_congruence_is_seen():
    middle = kl.assume(kl.Dense(positive(3)), "pd")
    tall = kl.VStack([normal((2, 3)), normal((4, 3))])
    for op in (tall @ middle @ tall.H, tall @ (middle @ tall.H)):
        assert op.is_psd is True
        close(op.to_dense(), tall.to_dense() @ positive(3) @ tall.to_dense().T)
    wide = kl.HStack([normal((2, 3)), normal((2, 4), seed=1)])
    small = kl.assume(kl.Dense(positive(2)), "pd")
    assert (wide.H @ small @ wide).is_psd is True
    assert (wide @ wide.H).is_psd is True


def test_sums_of_stacks_with_equal_cuts():
    tall, wide = kl.VStack([normal((2, 3)), normal((4, 3))]), kl.HStack([normal((2, 3)), normal((2, 4), seed=1)])
    for op, kind in ((tall, kl.VStack), (wide, kl.HStack)):
        assert type(op + op) is kind
        close((op + op).to_dense(), 2 * op.to_dense())


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_grams_with_stacks_side_by_side(dtype):
    wide = kl.HStack([normal((5, 3), dtype), kl.KhatriRao(normal((5, 2), dtype), normal((1, 2), dtype, 1))])
    for other in (wide, kl.Dense(normal((5, 2), dtype, 3)), kl.VStack([normal((2, 4), dtype), normal((3, 4), dtype)])):
        close(rules.gram(wide, other), wide.to_dense().conj().T @ other.to_dense())
        close(rules.gram(other, wide), other.to_dense().conj().T @ wide.to_dense())


@pytest.mark.parametrize(("stack", "word", "other"), [(kl.VStack, "columns", (2, 4)), (kl.HStack, "rows", (3, 3))])
def test_bad_input(stack, word, other):
    with pytest.raises(ValueError, match="at least one operator"):
        stack([])
    with pytest.raises(ValueError, match=f"equally many {word}, not 2×3, {other[0]}×{other[1]}"):
        stack([np.ones((2, 3)), np.ones(other)])


@each_dtype()
@pytest.mark.parametrize("count", [1, 3])
def test_equal_operators_are_applied_together(lib, dtype, count, monkeypatch):
    arrays = [normal(shape, dtype, i) for i, shape in enumerate([(2, 3), (5, 3), (2, 3), (4, 3), (2, 3), (5, 3)])]
    stack, dense = kl.VStack([lib.asarray(a) for a in arrays]), np.vstack(arrays)
    calls, real = [], kl.Dense._matmat
    monkeypatch.setattr(kl.Dense, "_matmat", lambda self, x: calls.append(self.array.shape) or real(self, x))
    x, y = normal((3, count), dtype, 7), normal((20, count), dtype, 8)
    tolerance = 50 * eps(dtype)
    np.testing.assert_allclose(lib.numpy(stack @ lib.asarray(x)), dense @ x, atol=tolerance)
    assert calls == [(3, 2, 3), (2, 5, 3), (4, 3)]
    calls.clear()
    np.testing.assert_allclose(lib.numpy(stack.H @ lib.asarray(y)), dense.conj().T @ y, atol=tolerance)
    assert calls == [(3, 3, 2), (2, 3, 5), (3, 4)]


def test_a_stack_and_its_adjoint_share_the_arrays_of_equal_operators():
    stack = kl.VStack([kl.KhatriRao(normal((2, 3), seed=i), normal((2, 3))) for i in range(4)])
    stack @ np.ones(3)
    stack.H @ np.ones(16)
    (one, _), (other, _) = *stack._kept("buckets"), *stack.H._kept("buckets")
    assert other.base is one
    wide = kl.HStack([kl.KhatriRao(normal((2, 3), seed=i), normal((2, 3))).H for i in range(4)])
    close(wide @ np.ones(16), stack.H @ np.ones(16))
    close(wide.H @ np.ones(3), stack @ np.ones(3))


def test_squared_moduli_are_not_sorted_again(monkeypatch):
    import kronlin.operators.stacks as module

    calls, real = [], module.bucketed
    monkeypatch.setattr(module, "bucketed", lambda *args, **options: calls.append(1) or real(*args, **options))
    blocks = [normal((4, 3), seed=seed) for seed in range(3)]
    stack = kl.VStack(blocks)
    for _ in range(2):
        close(rules.modulus2(stack) @ np.ones(3), (np.vstack(blocks) ** 2).sum(axis=1))
    assert calls == [1]


def test_large_operators_are_not_stacked():
    large = [np.ones((200, 100)) for _ in range(2)]
    stack = kl.VStack(large)
    stack @ np.ones(100)
    assert [members for _, members in stack._kept("buckets")] == [(0,), (1,)]


def test_a_wide_gram_matrix_is_in_double_precision_where_every_part_has_a_rule_for_it():
    parts = [normal((3, 2), "float32"), normal((4, 2), "float32", seed=1)]
    exact = sum(part.astype("float64").T @ part.astype("float64") for part in parts)
    stack = kl.VStack(parts)
    np.testing.assert_allclose(rules.wide_gram(stack), exact, rtol=1e-15)
    function = kl.Function(lambda x: parts[1] @ x, lambda y: parts[1].T @ y, shape=(4, 2), dtype="float32")
    mixed = rules.wide_gram(kl.VStack([parts[0], function]))
    assert mixed.dtype == np.float32
    np.testing.assert_allclose(mixed, exact, rtol=1e-5)
