"""Contraction of a tensor with Kronecker factors, one axis after the other, copied only where that pays."""

from collections.abc import Sequence
from math import prod
from typing import Any

from kronlin.algebra import Operator
from kronlin.arrays import Array, lies_by_columns, namespace
from kronlin.operators.dense import Dense

SMALL, WIDE, TINY = 128, 8, 64
"""Measured with OpenBLAS, which multiplies small matrices without packing them first. Factors of at most SMALL columns
meet WIDE columns or more where they stand, in many small products, up to twice as fast as in one large product behind
a copy; at most TINY ones meet a single column from the right, up to three times as fast."""


def contract(factors: Sequence[Operator], order: Sequence[int], x: Array, batch: tuple[int, ...]) -> Array:
    """(F₁ ⊗ F₂ ⊗ …) X, factor after factor.

    As long as no axis has been moved, a step copies nothing if its axis is the first or its factor is small. Any
    other step brings its axis to the front, so that it is one product, and so are the steps after it, on views.
    Columns that lie in one piece each stay so, and no axis has to be moved.

    Args:
        factors: operators (m_i, n_i), or stacks of them.
        order: which of them to multiply with, one after the other; the others are multiples of I.
        x: (…, n₁ n₂ …, k).
        batch: the leading axes of X.

    Returns:
        (…, m₁ m₂ …, k).

    >>> import numpy as np
    >>> A, B = Dense(np.array([[1.0, 2.0]])), Dense(np.eye(2))
    >>> contract([A, B], [0], np.arange(4.0)[:, None], ())[:, 0]
    array([4., 7.])
    """
    if lies_by_columns(x) and all(isinstance(factors[i], Dense) for i in order):
        return _column_by_column(factors, order, x, batch)
    sizes = [*(factor.shape[1] for factor in factors), x.shape[-1]]
    for done, i in enumerate(order):
        product = _where_it_stands(factors[i], x, batch, sizes, i)
        if product is None:
            return _from_the_front(factors, order[done:], x, batch, sizes)
        x, sizes[i] = product, factors[i].shape[0]
    return _shaped(x, (*batch, prod(sizes[:-1]), sizes[-1]))


def _where_it_stands(factor: Operator, x: Array, batch: tuple[int, ...], sizes: list[int], i: int) -> Array | None:
    """Multiply axis i without moving it; None where a product behind a copy is faster."""
    xp, n = namespace(x), sizes[i]
    before, after = prod(sizes[:i]), prod(sizes[i + 1 :])
    if before == 1:
        return factor._matmat(_shaped(x, (*batch, n, after)))
    if after == 1 and n <= TINY and isinstance(factor, Dense):
        return _shaped(x, (*batch, before, n)) @ factor.row_by_row_transposed()
    if after == 1 and before == sizes[0]:
        rows = _shaped(x, (*batch, before, n))
        return xp.matrix_transpose(factor._matmat(xp.matrix_transpose(rows)))
    if after >= WIDE and n <= SMALL and isinstance(factor, Dense):
        return factor.array[..., None, :, :] @ _shaped(x, (*batch, before, n, after))
    return None


def _shaped(x: Array, shape: tuple[int, ...]) -> Array:
    """Reshape where that is to be done at all."""
    return x if x.shape == shape else namespace(x).reshape(x, shape)


def _column_by_column(factors: Sequence[Any], order: Sequence[int], x: Array, batch: tuple[int, ...]) -> Array:
    """Multiply the tensor of each column axis by axis, all columns in one call; the factors are arrays."""
    xp, k = namespace(x), x.shape[-1]
    sizes = [factor.shape[1] for factor in factors]
    x = xp.matrix_transpose(x)
    for i in order:
        factor, n = factors[i], sizes[i]
        before, after = k * prod(sizes[:i]), prod(sizes[i + 1 :])
        if after > 1:
            x = factor.array[..., None, :, :] @ xp.reshape(x, (*batch, before, n, after))
        else:
            turned = factor.row_by_row_transposed() if n <= TINY else xp.matrix_transpose(factor.array)
            if before > k * SMALL:  # so many rows a column that a copy, to take all columns together, does not pay
                x, turned = xp.reshape(x, (*batch, k, before // k, n)), turned[..., None, :, :]
            else:
                x = xp.reshape(x, (*batch, before, n))
            x = x @ turned
        sizes[i] = factor.shape[0]
    return xp.matrix_transpose(xp.reshape(x, (*batch, k, prod(sizes))))


def _from_the_front(
    factors: Sequence[Operator], order: Sequence[int], x: Array, batch: tuple[int, ...], sizes: list[int]
) -> Array:
    """Bring one axis after the other to the front.

    With the columns of X in front and the factors taken from the last to the first, only the first step copies.
    """
    xp, b, count = namespace(x), len(batch), len(factors)
    lead = tuple(range(b))
    x = xp.reshape(x, (*batch, *sizes))
    axes = list(range(count + 1))
    rest = [count, *range(count)]
    for i in order:
        rest.remove(i)
        x = xp.permute_dims(x, (*lead, *(b + axes.index(j) for j in (i, *rest))))
        axes = [i, *rest]
        x = xp.reshape(x, (*batch, sizes[i], prod(sizes[j] for j in rest)))
        sizes[i] = factors[i].shape[0]
        x = xp.reshape(factors[i]._matmat(x), (*batch, *(sizes[j] for j in axes)))
        rest = axes.copy()
    if axes != sorted(axes):
        x = xp.permute_dims(x, (*lead, *(b + axes.index(j) for j in range(count + 1))))
    return xp.reshape(x, (*batch, prod(sizes[:-1]), sizes[-1]))
