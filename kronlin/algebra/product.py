"""Product: A B …, lazily, joined where a rule can join."""

from functools import reduce
from operator import matmul

from kronlin.algebra import rules
from kronlin.algebra.columns import diagonal_of_outer
from kronlin.algebra.operator import Operator
from kronlin.algebra.properties import Properties, properties
from kronlin.algebra.structure import common_batch, no_determinant
from kronlin.arrays import Array, SingularMatrixError, adjoint, diagonal_of, norm_from_grams


class Product(Operator):
    """A B C …: one product with each factor, from the right.

    A palindrome Bᴴ … A … B in which the outer factors are one object and its adjoint is known to be
    self-adjoint or psd as its middle is (congruence).

    >>> import numpy as np, kronlin as kl
    >>> A = kl.assume(kl.Function(lambda x: 2 * x, shape=(3, 3), dtype="float64"), "pd")
    >>> B = kl.KhatriRao(np.ones((3, 2)), np.ones((1, 2)))
    >>> B.H @ A @ B
    Product(2×2, float64, psd: Adjoint(2×3), Function(3×3), KhatriRao(3×2))
    """

    def __init__(self, *factors: Operator) -> None:
        self.factors = factors
        shape = (factors[0].shape[0], factors[-1].shape[1])
        self._define(*factors, shape=shape, batch=common_batch(*factors))

    def _derive(self) -> Properties:
        left, right = 0, len(self.factors) - 1
        while left < right and are_adjoints(self.factors[left], self.factors[right]):
            left, right = left + 1, right - 1
        if left > right:
            return properties(psd=True)
        if left < right:
            return Properties()
        middle = self.factors[left].properties
        return properties(middle.self_adjoint or None, middle.psd or None)

    def _matmat(self, x: Array) -> Array:
        for factor in reversed(self.factors):
            x = factor._matmat(x)
        return x


def are_adjoints(a: Operator, b: Operator) -> bool:
    """Whether A = Bᴴ because one was made as the adjoint of the other."""
    return b._kept("H") is a or (a is b and a.properties.self_adjoint is True)


@rules.compose.register(Operator, Operator)
def compose_by_default(a: Operator, b: Operator) -> Operator:
    """Keep both factors."""
    return Product(a, b)


@rules.compose.register(Operator, Product)
def compose_with_product(a: Operator, b: Product) -> Operator:
    """A (B C) = (A B) C if a rule joins A and B."""
    return _joined([a], list(b.factors))


@rules.compose.register(Product, Operator)
def compose_product_with(a: Product, b: Operator) -> Operator:
    """(A B) C = A (B C) if a rule joins B and C."""
    return _joined(list(a.factors), [b])


@rules.compose.register(Product, Product)
def compose_products(a: Product, b: Product) -> Operator:
    """(A B) (C D) = A (B C) D if a rule joins B and C."""
    return _joined(list(a.factors), list(b.factors))


def _joined(left: list[Operator], right: list[Operator]) -> Operator:
    """Multiply two chains; what a rule joins at the seam may in turn join its neighbours."""
    seam = left[-1] @ right[0]
    if isinstance(seam, Product):
        return Product(*left, *right)
    return reduce(matmul, [*left[:-1], seam, *right[1:]])


def _waist(a: Product) -> tuple[Operator, Operator] | None:
    """Cut A = L R where it is narrowest, if that is narrower than A itself."""
    inner = [factor.shape[0] for factor in a.factors[1:]]
    narrowest = min(range(len(inner)), key=inner.__getitem__)
    if inner[narrowest] == 0 or inner[narrowest] >= min(a.shape):
        return None
    halves = a.factors[: narrowest + 1], a.factors[narrowest + 1 :]
    left, right = (half[0] if len(half) == 1 else Product(*half) for half in halves)
    return left, right


@rules.adjoint.register(Product)
def adjoint_of_product(a: Product) -> Operator:
    """(A B)ᴴ = Bᴴ Aᴴ."""
    return Product(*(factor.H for factor in reversed(a.factors)))


@rules.conjugate.register(Product)
def conjugate_of_product(a: Product) -> Operator:
    """Factor by factor."""
    return Product(*(rules.conjugate(factor) for factor in a.factors))


@rules.columns.register(Product)
def columns_of_product(a: Product, chosen: list[int]) -> Operator:
    """Those of the last factor, multiplied by the others."""
    return Product(*a.factors[:-1], rules.columns(a.factors[-1], chosen))


@rules.inverse.register(Product)
def inverse_of_product(a: Product) -> Operator:
    """(A B)⁻¹ = B⁻¹ A⁻¹ if all factors are square; none if an inner size is smaller than the outer one."""
    if _waist(a) is not None:
        raise SingularMatrixError(f"{a!r} has no inverse: its rank is below {a.shape[0]}; damp it, or use pinv()")
    if any(factor.shape[0] != factor.shape[1] for factor in a.factors):
        return NotImplemented
    return Product(*(factor.inverse() for factor in reversed(a.factors)))


@rules.slogdet.register(Product)
def slogdet_of_product(a: Product) -> tuple[Array, Array]:
    """det(A B) = det A det B if all factors are square, and 0 if an inner size is smaller than the outer one."""
    if _waist(a) is not None:
        return no_determinant(a)
    if any(factor.shape[0] != factor.shape[1] for factor in a.factors):
        return NotImplemented
    sign, logarithm = a.factors[0].slogdet()
    for factor in a.factors[1:]:
        more = factor.slogdet()
        sign, logarithm = sign * more[0], logarithm + more[1]
    return sign, logarithm


@rules.trace.register(Product)
def trace_of_product(a: Product) -> Array:
    """tr(L R) = tr(R L), of the size of the waist."""
    cut = _waist(a)
    return NotImplemented if cut is None else a.kind.xp.sum(diagonal_of(rules.gram(cut[1].H, cut[0])), axis=-1)


@rules.diagonal.register(Product)
def diagonal_of_product(a: Product) -> Array:
    """Σ_j l_ij r_ji over the waist."""
    cut = _waist(a)
    return NotImplemented if cut is None else diagonal_of_outer(cut[0], cut[1].H)


@rules.norm.register(Product)
def norm_of_product(a: Product) -> Array:
    """‖L R‖² = tr(Lᴴ L R Rᴴ), of the size of the waist."""
    cut = _waist(a)
    if cut is None:
        return NotImplemented
    left, right = (rules.gram(half, half) for half in (cut[0], cut[1].H))
    found = norm_from_grams(left, a.kind.eye(cut[0].shape[1]), right)
    return NotImplemented if found is None else found


@rules.to_dense.register(Product)
def product_to_dense(a: Product) -> Array:
    """Multiply from the narrower end."""
    if a.shape[0] < a.shape[1]:
        return adjoint(_multiply_out([factor.H for factor in reversed(a.factors)]))
    return _multiply_out(list(a.factors))


def _multiply_out(factors: list[Operator]) -> Array:
    dense = factors[-1].to_dense()
    for factor in reversed(factors[:-1]):
        dense = factor._matmat(dense)
    return dense
