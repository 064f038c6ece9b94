"""HStack and VStack: operators side by side and one over the other."""

from collections.abc import Iterable
from functools import reduce
from operator import add
from typing import Any

from kronlin.algebra import Operator, Product, Scaled, rules
from kronlin.algebra.properties import PSD
from kronlin.algebra.structure import promote
from kronlin.arrays import Array, cast, kind, root_sum_squares
from kronlin.operators.buckets import bucketed
from kronlin.operators.dense import Dense


class VStack(Operator):
    """[A₁; A₂; …]: operators with equally many columns, one over the other.

    Args:
        operators: operators or arrays.

    Raises:
        ValueError: none is given, or their numbers of columns or their kinds differ.

    >>> import numpy as np
    >>> VStack([np.eye(2), 2 * np.eye(2)]) @ np.ones(2)
    array([1., 1., 2., 2.])
    """

    _stackable = False

    def __init__(self, operators: Iterable[Any]) -> None:
        self._setup(*checked_row("VStack", operators, axis=1))

    def _setup(self, *operators: Operator) -> None:
        self.operators = operators
        rows = sum(operator.shape[0] for operator in operators)
        self._define(*operators, shape=(rows, operators[0].shape[1]))

    def _matmat(self, x: Array) -> Array:
        pieces: dict[int, Array] = {}
        for bucket, members in small_buckets(self):
            if len(members) == 1:
                pieces[members[0]] = bucket._matmat(x)
            else:
                products = bucket._matmat(self.kind.xp.broadcast_to(x, (len(members), *x.shape)))
                pieces.update((position, products[place, ...]) for place, position in enumerate(members))
        return self.kind.xp.concat([pieces[position] for position in range(len(pieces))], axis=-2)


class HStack(Operator):
    """[A₁ A₂ …]: operators with equally many rows, side by side.

    Args:
        operators: operators or arrays.

    Raises:
        ValueError: none is given, or their numbers of rows or their kinds differ.

    >>> import numpy as np
    >>> HStack([np.eye(2), 2 * np.eye(2)]) @ np.ones(4)
    array([3., 3.])
    """

    _stackable = False

    def __init__(self, operators: Iterable[Any]) -> None:
        self._setup(*checked_row("HStack", operators, axis=0))

    def _setup(self, *operators: Operator) -> None:
        self.operators = operators
        columns = sum(operator.shape[1] for operator in operators)
        self._define(*operators, shape=(operators[0].shape[0], columns))

    def _matmat(self, x: Array) -> Array:
        xp, pieces = self.kind.xp, split_rows(x, [operator.shape[1] for operator in self.operators])
        return reduce(
            add,
            (
                bucket._matmat(pieces[members[0]])
                if len(members) == 1
                else xp.sum(bucket._matmat(xp.stack([pieces[position] for position in members])), axis=0)
                for bucket, members in small_buckets(self)
            ),
        )


_SMALL = 2**17
"""Bytes up to which equal operators are applied together: what a call costs beside the arithmetic then shows."""


def small_buckets(a: VStack | HStack) -> list[tuple[Operator, tuple[int, ...]]]:
    """The operators with their places, equal small ones stacked; a stack and its adjoint share the arrays."""

    def sort() -> list[tuple[Operator, tuple[int, ...]]]:
        twin = a._kept("H")
        known = twin and twin._kept("buckets")
        if known:
            return [(bucket.H, members) for bucket, members in known]
        return list(zip(*bucketed(a.operators, largest=_SMALL), strict=True))

    found: list[tuple[Operator, tuple[int, ...]]] = a._once("buckets", sort)
    return found


def checked_row(what: str, operators: Iterable[Any], axis: int) -> tuple[Operator, ...]:
    """Wrap operators that stand in a row and check that they share one size."""
    wrapped = [rules.wrap(operator) for operator in operators]
    if not wrapped:
        raise ValueError(f"{what} takes at least one operator")
    if len({operator.shape[axis] for operator in wrapped}) > 1:
        shapes = ", ".join(f"{rows}×{columns}" for rows, columns in (operator.shape for operator in wrapped))
        raise ValueError(f"{what} takes operators with equally many {('rows', 'columns')[axis]}, not {shapes}")
    return promote(what, *wrapped)


def split_rows(x: Array, sizes: list[int]) -> list[Array]:
    """Cut an array (..., n, k) along its rows, as views where the library has views."""
    pieces, start = [], 0
    for size in sizes:
        pieces.append(x[..., start : start + size, :])
        start += size
    return pieces


def same_partition(a: Iterable[Operator], b: Iterable[Operator]) -> bool:
    """Whether two columns of operators cut their rows alike."""
    return [operator.shape[0] for operator in a] == [operator.shape[0] for operator in b]


def joined(pairs: Iterable[tuple[Operator, Operator]], *, form: bool = False) -> list[Operator] | None:
    """Multiply pairs, if a rule joins each of them; a pair kept lazily would be applied once for every use.

    Args:
        pairs: operators to multiply.
        form: multiply arrays out, even if their product has more entries than they have.
    """
    products = []
    for left, right in pairs:
        product = left @ right
        inner = product.base if isinstance(product, Scaled) else product
        if isinstance(inner, Product) and product is not left and product is not right:
            if not (form and isinstance(left, Dense) and isinstance(right, Dense)):
                return None
            product = Dense._make(left.array @ right.array)
        products.append(product)
    return products


def is_compact(a: Operator, b: Operator) -> bool:
    """Whether A B has no more entries than A and B, as matrices, have together."""
    (m, k), n = a.shape, b.shape[1]
    return m * n <= k * (m + n)


@rules.adjoint.register(VStack)
def adjoint_of_vstack(a: VStack) -> Operator:
    """[A; B]ᴴ = [Aᴴ Bᴴ]."""
    return HStack._make(*(operator.H for operator in a.operators))


@rules.adjoint.register(HStack)
def adjoint_of_hstack(a: HStack) -> Operator:
    """[A B]ᴴ = [Aᴴ; Bᴴ]."""
    return VStack._make(*(operator.H for operator in a.operators))


@rules.conjugate.register(VStack)
@rules.conjugate.register(HStack)
def conjugate_of_stack(a: VStack | HStack) -> Operator:
    """One by one."""
    return a._make(*(rules.conjugate(operator) for operator in a.operators))


@rules.modulus2.register(VStack)
@rules.modulus2.register(HStack)
def modulus2_of_stack(a: VStack | HStack) -> Operator:
    """One by one; what is applied together stays together, and is not sorted again."""
    squared = a._make(*(rules.modulus2(operator) for operator in a.operators))
    squared._keep("buckets", [(rules.modulus2(bucket), members) for bucket, members in small_buckets(a)])
    return squared


@rules.gram.register(VStack, VStack)
def gram_of_vstacks(a: VStack, b: VStack) -> Array:
    """[A; B]ᴴ [C; D] = Aᴴ C + Bᴴ D, where the rows are cut alike."""
    if not same_partition(a.operators, b.operators):
        return NotImplemented
    pairs = zip(a.operators, b.operators, strict=True)
    return reduce(add, (rules.gram(left, right) for left, right in pairs))


@rules.wide_gram.register(VStack)
def wide_gram_of_vstack(a: VStack) -> Array:
    """The sum of those of the parts, in the precision that all of them have."""
    grams = [rules.wide_gram(operator) for operator in a.operators]
    least = a.kind if any(kind(gram) != a.kind.double for gram in grams) else a.kind.double
    return reduce(add, (cast(gram, least) for gram in grams))


@rules.compose.register(HStack, VStack)
def compose_stacks(a: HStack, b: VStack) -> Operator:
    """[A; B]ᴴ [A; B] of a tall stack is its Gram matrix, formed."""
    tall = a.shape[0] <= a.shape[1]
    return Dense._make(rules.gram(b, b))._with(PSD) if tall and b._kept("H") is a else NotImplemented


@rules.gram.register(HStack, Operator, level=2)
def gram_of_hstack(a: HStack, b: Operator) -> Array:
    """[A B]ᴴ C = [Aᴴ C; Bᴴ C]."""
    return a.kind.xp.concat([rules.gram(operator, b) for operator in a.operators], axis=-2)


@rules.gram.register(Operator, HStack, level=1)
def gram_with_hstack(a: Operator, b: HStack) -> Array:
    """Cᴴ [A B] = [Cᴴ A Cᴴ B]."""
    return a.kind.xp.concat([rules.gram(a, operator) for operator in b.operators], axis=-1)


@rules.compose.register(HStack, VStack, level=-1)
def compose_stacks_piece_by_piece(a: HStack, b: VStack) -> Operator:
    """[A B] [C; D] = A C + B D, where the cuts agree and a rule joins each pair."""
    if [operator.shape[1] for operator in a.operators] != [operator.shape[0] for operator in b.operators]:
        return NotImplemented
    products = joined(zip(a.operators, b.operators, strict=True), form=is_compact(a, b))
    if products is None:
        return NotImplemented
    total = reduce(add, products)
    return total._with(PSD) if b._kept("H") is a else total


@rules.compose.register(VStack, Operator, level=-3)
def compose_vstack_with(a: VStack, b: Operator) -> Operator:
    """[A; B] C = [A C; B C] if a rule joins each; a self-adjoint C stays apart, so that congruences are seen."""
    if isinstance(b, HStack) or b.is_self_adjoint:
        return NotImplemented
    products = joined((operator, b) for operator in a.operators)
    return NotImplemented if products is None else VStack._make(*products)


@rules.compose.register(Operator, HStack, level=-4)
def compose_with_hstack(a: Operator, b: HStack) -> Operator:
    """C [A B] = [C A C B] if a rule joins each; a self-adjoint C stays apart, so that congruences are seen."""
    if isinstance(a, VStack) or a.is_self_adjoint:
        return NotImplemented
    products = joined((a, operator) for operator in b.operators)
    return NotImplemented if products is None else HStack._make(*products)


@rules.add.register(VStack, VStack)
def add_vstacks(a: VStack, b: VStack) -> Operator:
    """[A; B] + [C; D] = [A + C; B + D], where the rows are cut alike."""
    if not same_partition(a.operators, b.operators):
        return NotImplemented
    return VStack._make(*map(add, a.operators, b.operators))


@rules.add.register(HStack, HStack)
def add_hstacks(a: HStack, b: HStack) -> Operator:
    """[A B] + [C D] = [A + C B + D], where the columns are cut alike."""
    if [operator.shape[1] for operator in a.operators] != [operator.shape[1] for operator in b.operators]:
        return NotImplemented
    return HStack._make(*map(add, a.operators, b.operators))


@rules.columns.register(VStack)
def columns_of_vstack(a: VStack, chosen: list[int]) -> Operator:
    """Those of each."""
    return VStack._make(*(rules.columns(operator, chosen) for operator in a.operators))


@rules.norm.register(VStack)
@rules.norm.register(HStack)
def norm_of_stack(a: VStack | HStack) -> Array:
    """‖[A; B]‖² = ‖A‖² + ‖B‖²."""
    return root_sum_squares(a.kind.xp.stack([operator.norm() for operator in a.operators]), axis=0)


@rules.to_dense.register(VStack)
def vstack_to_dense(a: VStack) -> Array:
    """Join the arrays."""
    return a.kind.xp.concat([operator.to_dense() for operator in a.operators], axis=-2)


@rules.to_dense.register(HStack)
def hstack_to_dense(a: HStack) -> Array:
    """Join the arrays."""
    return a.kind.xp.concat([operator.to_dense() for operator in a.operators], axis=-1)
