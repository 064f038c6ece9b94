"""Permutation: entries in another order."""

from typing import Any

from kronlin.algebra import Identity, Operator, Product, rules
from kronlin.arrays import is_array
from kronlin.operators.dense import Dense
from kronlin.operators.origin import recall
from kronlin.operators.selection import Selection, checked_indices, index_kind


class Permutation(Selection):
    """The n×n matrix with (P x)[i] = x[p[i]]: unitary, P⁻¹ = Pᴴ is the permutation by argsort(p).

    Args:
        p: each of 0, …, n - 1 once, a sequence or an integer array of any array library.
        like: an array or operator whose library, dtype and device the operator shares.
        dtype: the name of a dtype, instead of that of `like`, or for the library and device of an array p (NumPy for
            a sequence).

    Raises:
        TypeError: an entry of p is no integer, or neither `like` nor `dtype` is given.
        ValueError: p is not a permutation.

    >>> import numpy as np
    >>> P = Permutation([2, 0, 1], dtype="float64")
    >>> P @ np.array([10.0, 20.0, 30.0])
    array([30., 10., 20.])
    >>> P.power(3)
    Identity(3×3, float64, pd)
    """

    def __init__(self, p: Any, *, like: Any = None, dtype: str | None = None) -> None:
        n = p.shape[0] if is_array(p) and p.ndim else len(p)
        chosen = checked_indices(p, n, "Permutation")
        if len(set(chosen)) < n:
            missing = min(set(range(n)) - set(chosen))
            raise ValueError(f"Permutation of {n} entries: p has no {missing}, so another number occurs twice")
        self._setup(index_kind(p, like, dtype, "Permutation").zeros(0), indices=chosen, n=n)


def _permutation(a: Permutation, indices: list[int]) -> Operator:
    """The permutation of the same kind with other indices; I if they are in order."""
    made = Permutation._make(a.parts[0], indices=tuple(indices), n=a.shape[0])
    return Identity._make(a.parts[0], n=a.shape[0]) if made._is_identity() else made


@rules.compose.register(Permutation, Permutation)
def compose_permutations(a: Permutation, b: Permutation) -> Operator:
    """(P Q x)[i] = x[q[p[i]]]."""
    return _permutation(a, [b.indices[i] for i in a.indices])


@rules.compose.register(Dense, Permutation)
def compose_dense_permutation(a: Dense, b: Permutation) -> Operator:
    """Put the columns in another order; P A Pᴴ is as definite as A."""
    return Dense._make(a.kind.xp.take(a.array, b.H._places, axis=-1))._with(recall(a, b))


@rules.adjoint.register(Permutation)
def adjoint_of_permutation(a: Permutation) -> Operator:
    """Pᴴ = P⁻¹."""
    back = [0] * a.shape[0]
    for i, j in enumerate(a.indices):
        back[j] = i
    return Permutation._make(a.parts[0], indices=tuple(back), n=a.shape[0])


@rules.power.register(Permutation)
def power_of_permutation(a: Permutation, p: float) -> Operator:
    """Pᵐ for an integer m, by squaring."""
    if p != int(p):
        return NotImplemented
    base = a.indices if p > 0 else a.H.indices
    result, rest = list(range(a.shape[0])), abs(int(p))
    while rest:
        if rest % 2:
            result = [base[i] for i in result]
        base, rest = tuple(base[i] for i in base), rest // 2
    return _permutation(a, result)


@rules.shift.register(Product)
def shift_of_permuted(a: Product, c: complex) -> Operator:
    """Pᴴ A P + c I = Pᴴ (A + c I) P, as definite as A + c I."""
    first, *middle, last = a.factors
    if not (middle and isinstance(first, Permutation) and isinstance(last, Permutation)):
        return NotImplemented
    if first.indices != last.H.indices:
        return NotImplemented
    shifted = rules.shift(middle[0] if len(middle) == 1 else Product(*middle), c)
    return (first @ shifted @ last)._with(shifted.properties.promise)
