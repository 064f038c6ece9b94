"""The numbers of a Kronecker product, from those of its factors: trace, norm, determinant, entries, Gram matrices."""

from functools import reduce
from math import prod
from operator import mul

from kronlin.algebra import rules
from kronlin.algebra.structure import no_determinant
from kronlin.arrays import Array, balanced
from kronlin.operators.dense import Dense
from kronlin.operators.kronecker import Kronecker, outer


@rules.trace.register(Kronecker)
def trace_of_kronecker(a: Kronecker) -> Array:
    """tr(A ⊗ B) = tr A tr B of square factors."""
    return reduce(mul, balanced([rules.trace(factor) for factor in a.factors], 0)) if a._square else NotImplemented


@rules.diagonal.register(Kronecker)
def diagonal_of_kronecker(a: Kronecker) -> Array:
    """The Kronecker product of the diagonals; if the factors are not square, of the entries that meet on it."""
    xp, n = a.kind.xp, a.shape[0]
    if a._square:
        # copies: the entries of a view lie a row of the factor apart, and each of them is read many times
        return outer([xp.asarray(factor.diagonal(), copy=True) for factor in a.factors])
    rows = columns = xp.arange(n, dtype=a.kind.index_dtype, device=a.device)
    entries = []
    for factor in reversed(a.factors):
        height, width = factor.shape
        flat = xp.reshape(factor.to_dense(), (*factor.batch, height * width))
        entries.append(xp.take(flat, rows % height * width + columns % width, axis=-1))
        rows, columns = rows // height, columns // width
    return reduce(mul, balanced(entries, 1))


@rules.norm.register(Kronecker)
def norm_of_kronecker(a: Kronecker) -> Array:
    """‖A ⊗ B‖ = ‖A‖ ‖B‖."""
    return reduce(mul, balanced([factor.norm() for factor in a.factors], 0))


@rules.slogdet.register(Kronecker)
def slogdet_of_kronecker(a: Kronecker) -> tuple[Array, Array]:
    """det(A ⊗ B) = det(A)ⁿ det(B)ᵐ for A of size m and B of size n; 0 if they are not square."""
    if a._lacks_rank:
        return no_determinant(a)
    sign, logarithm = a.kind.ones(*a.batch), a.kind.real.zeros(*a.batch)
    for factor in a.factors if a.shape[0] else ():
        repeats = a.shape[0] // factor.shape[0]
        part = factor.slogdet()
        sign, logarithm = sign * part[0] ** repeats, logarithm + part[1] * repeats
    return sign, logarithm


@rules.to_dense.register(Kronecker)
def kronecker_to_dense(a: Kronecker) -> Array:
    """Form all products of entries."""
    xp = a.kind.xp

    def pair(left: Array, right: Array) -> Array:
        product = left[..., :, None, :, None] * right[..., None, :, None, :]
        rows, columns = left.shape[-2] * right.shape[-2], left.shape[-1] * right.shape[-1]
        return xp.reshape(product, (*product.shape[:-4], rows, columns))

    return reduce(pair, balanced([factor.to_dense() for factor in a.factors], 2))


@rules.inner.register(Kronecker, Kronecker)
def inner_of_kronecker(a: Kronecker, b: Kronecker) -> Array:
    """tr((A ⊗ B)ᴴ (C ⊗ D)) = tr(Aᴴ C) tr(Bᴴ D), where the factors are alike."""
    if [factor.shape for factor in a.factors] != [factor.shape for factor in b.factors]:
        return NotImplemented
    return prod(rules.inner(left, right) for left, right in zip(a.factors, b.factors, strict=True))


@rules.gram.register(Kronecker, Kronecker)
def gram_of_kronecker(a: Kronecker, b: Kronecker) -> Array:
    """(A ⊗ B)ᴴ (C ⊗ D) = AᴴC ⊗ BᴴD, where the rows are cut alike."""
    if [factor.shape[0] for factor in a.factors] != [factor.shape[0] for factor in b.factors]:
        return NotImplemented
    grams = map(rules.gram, a.factors, b.factors)
    return Kronecker._make(*map(Dense._make, grams)).to_dense()
