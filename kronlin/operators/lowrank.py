"""LowRank: U C Vᴴ with tall U and V; its spectrum and scalars stand in `dual`, what it does to a sum in `woodbury`."""

from functools import reduce
from math import prod
from operator import add
from typing import Any
from weakref import ref

from kronlin.algebra import Adjoint, Identity, Operator, Product, Properties, rules
from kronlin.algebra.columns import column_blocks
from kronlin.algebra.identity import multiple_of_identity
from kronlin.algebra.properties import PSD, properties
from kronlin.algebra.structure import common_batch, promote
from kronlin.arrays import Array, adjoint, cast, conj, hermitian_part
from kronlin.operators.blockdiagonal import BlockDiagonal
from kronlin.operators.dense import Dense
from kronlin.operators.fallback import DENSE_LIMIT
from kronlin.operators.stacks import HStack, VStack


class LowRank(Operator):
    """U C Vᴴ for U (m, r), C (r, r), V (n, r), all of them operators or arrays.

    An application costs one product with each of Vᴴ, C and U. Added to an operator with an inverse it is inverted
    by the formula of Woodbury, with an r × r system.

    Args:
        U: the left factor.
        C: the core; I if None. It may be singular.
        V: the right factor; U if None.

    Raises:
        ValueError: the shapes do not fit, or the kinds differ.

    >>> import numpy as np
    >>> A = LowRank(np.array([[1.0], [2.0]])).damped(1.0)
    >>> A.solve(np.array([1.0, 2.0]))
    array([0.16666667, 0.33333333])

    Source: Woodbury, "Inverting modified matrices", Memorandum Report 42, Princeton (1950).
    """

    def __init__(self, U: Any, C: Any = None, V: Any = None) -> None:
        U = rules.wrap(U)
        C = Identity(U.shape[1], like=U) if C is None else rules.wrap(C)
        V = None if V is None or V is U else rules.wrap(V)
        right = U if V is None else V
        if C.shape != (U.shape[1], right.shape[1]):
            raise ValueError(
                f"LowRank takes U (m, r), C (r, r), V (n, r), not {U.shape}, {C.shape}, {right.shape}: "
                f"C would have to be {U.shape[1]}×{right.shape[1]}"
            )
        self._setup(*promote("a low-rank operator", *filter(None, (U, C, V))))

    def _setup(self, U: Operator, C: Operator, V: Operator | None = None) -> None:
        self.U = U
        self.C = C
        self.V = U if V is None else V
        parts = (U, C) if self.V is U else (U, C, self.V)
        self._define(*parts, shape=(U.shape[0], self.V.shape[0]), batch=common_batch(*parts))

    @property
    def rank(self) -> int:
        """The number r of columns, a bound on the rank."""
        return max(self.C.shape)

    def block(self, i: int, j: int) -> "LowRank":
        """The block U_i C V_jᴴ where U = [U₀; U₁; …] and V = [V₀; V₁; …] are of type `VStack`; nothing is computed.

        Args:
            i: which part of U, from 0.
            j: which part of V.

        Raises:
            ValueError: U or V is no `VStack`, or has no such part.

        >>> import numpy as np
        >>> F = LowRank(VStack([np.ones((2, 1)), np.array([[3.0], [4.0], [5.0]])]))
        >>> F.block(0, 1).to_dense()
        array([[3., 4., 5.],
               [3., 4., 5.]])
        """
        left, right = _part_of_stack(self.U, i), _part_of_stack(self.V, j)
        return LowRank._make(left, self.C, *(() if left is right else (right,)))

    @property
    def _note(self) -> str:
        return f"rank ≤ {self.rank}"

    @property
    def _inside(self) -> str:
        return f"{self._note}: {self.U._summary}"

    def _derive(self) -> Properties:
        if self.V is not self.U:
            return Properties()
        known = self.C.properties
        return properties(known.self_adjoint or None, known.psd or None, False if self.rank < self.shape[0] else None)

    def _matmat(self, x: Array) -> Array:
        return self.U._matmat(self.C._matmat(self.V.H._matmat(x)))

    def _wide_gram(self) -> Array:
        """Uᴴ U, kept: every damping needs it; in double precision where U has a rule for that."""
        return self._once("wide gram", lambda: rules.wide_gram(self.U))

    def _gram(self) -> Array:
        """Uᴴ U in the precision of U."""
        return self._once("gram", lambda: cast(self._wide_gram(), self.kind))

    def _gram_with(self, b: Operator) -> Array:
        """Uᴴ B U; for a multiple of I from the kept Uᴴ U."""
        factor = multiple_of_identity(b)
        return rules.gram(self.U, b @ self.U) if factor is None else factor * self._gram()

    def _has_eigenbasis(self) -> bool:
        """Whether A = U C Uᴴ with C = Cᴴ and fewer columns than rows, so that its eigenvectors are found from U."""
        small = self.V is self.U and self.C.is_self_adjoint is True and self.rank < self.shape[0]
        return small and (not self.batch or is_formable(self.U))

    def prepare(self) -> "LowRank":
        """Form the Gram matrix of U now, if it is smaller than the operator."""
        if self.V is self.U and self.rank < self.shape[0]:
            self._gram()
        return self


def _part_of_stack(stack: Operator, place: int) -> Operator:
    """One of the operators that stand over one another."""
    if not isinstance(stack, VStack):
        raise ValueError(
            f"block(i, j) takes the parts of a VStack, and {stack!r} is in one piece: make U and V a VStack, "
            "or multiply by a Selection of rows from either side"
        )
    if not 0 <= place < len(stack.operators):
        raise ValueError(f"{stack!r} has the parts 0 to {len(stack.operators) - 1}, so there is no part {place}")
    return stack.operators[place]


def is_formable(a: Operator) -> bool:
    """Whether a tall operator may be formed for a QR factorisation: up to DENSE_LIMIT² numbers."""
    return prod((*a.batch, *a.shape)) <= DENSE_LIMIT**2


def gathered(terms: tuple[Operator, ...]) -> tuple[Operator, ...]:
    """Take the low-rank terms of a sum as one, the last, where that is of low rank: an inverse wants one small system.

    Products and scalars do not need it. It is kept with the first term, so that one Gram matrix serves every damping.
    """
    low = [term for term in terms if isinstance(term, LowRank)]
    if len(low) < 2 or sum(term.rank for term in low) >= low[0].shape[0] or any(term.batch for term in low):
        return terms
    others = [ref(term) for term in low[1:]]
    kept: tuple[list[Any], LowRank] | None = low[0]._kept("gathered")
    if kept is None or kept[0] != others:
        kept = others, _side_by_side(low)
        low[0]._keep("gathered", kept)
    return *(term for term in terms if not isinstance(term, LowRank)), kept[1]


def _side_by_side(low: list[LowRank]) -> LowRank:
    """U C Vᴴ + X D Yᴴ = [U X] diag(C, D) [V Y]ᴴ."""
    left, core = HStack._make(*(term.U for term in low)), BlockDiagonal.of_blocks(term.C for term in low)
    right = () if all(term.V is term.U for term in low) else (HStack._make(*(term.V for term in low)),)
    return LowRank._make(left, core, *right)


def congruence(root: Operator, gram: Array) -> Array:
    """Rᴴ T R of a Hermitian T, Hermitian to the last bit."""
    return hermitian_part(root.H._matmat(adjoint(root.H._matmat(gram))))


@rules.compose.register(LowRank, LowRank)
def compose_low_rank(a: LowRank, b: LowRank) -> Operator:
    """(U C Vᴴ) (X D Yᴴ) = U (C Vᴴ X D) Yᴴ, the core formed."""
    if max(a.rank, b.rank) >= min(a.shape[1], a.shape[0], b.shape[1]):
        return NotImplemented
    gram = a._gram() if a.V is b.U and a.V is a.U else rules.gram(a.V, b.U)
    core = Dense._make(a.C._matmat(adjoint(b.C.H._matmat(adjoint(gram)))))
    return LowRank._make(a.U, core, *(() if b.V is a.U else (b.V,)))


@rules.add.register(LowRank, LowRank)
def add_low_rank(a: LowRank, b: LowRank) -> Operator:
    """U C Vᴴ + U D Vᴴ = U (C + D) Vᴴ for the same U and V."""
    return LowRank._make(a.U, a.C + b.C, *a.parts[2:]) if a.U is b.U and a.V is b.V else NotImplemented


@rules.compose.register(Operator, Adjoint, level=-2)
def compose_with_own_adjoint(a: Operator, b: Adjoint) -> Operator:
    """A Aᴴ of a tall A."""
    tall = a.shape[0] >= a.shape[1] and b.base is a
    return LowRank._make(a, Identity(a.shape[1], like=a)) if tall else NotImplemented


@rules.compose.register(VStack, HStack)
def compose_stack_with_own_adjoint(a: VStack, b: HStack) -> Operator:
    """A Aᴴ of a tall stack."""
    tall = a.shape[0] >= a.shape[1] and a._kept("H") is b
    return LowRank._make(a, Identity(a.shape[1], like=a)) if tall else NotImplemented


@rules.compose.register(Adjoint, Operator, level=-1)
def compose_adjoint_with(a: Adjoint, b: Operator) -> Operator:
    """Aᴴ B of two tall operators, formed where a rule of `gram` knows how."""
    tall = max(a.shape[0], b.shape[1]) <= a.shape[1]
    if not tall or not rules.gram.has_own(type(a.base), type(b)):
        return NotImplemented
    product = Dense._make(rules.gram(a.base, b))
    return product._with(PSD) if a.base is b else product


@rules.scale.register(LowRank)
def scale_low_rank(a: LowRank, factor: complex) -> Operator:
    """Scale the core."""
    if factor.imag:
        return NotImplemented
    return LowRank._make(a.U, rules.scale(a.C, factor), *a.parts[2:])


@rules.adjoint.register(LowRank)
def adjoint_of_low_rank(a: LowRank) -> Operator:
    """(U C Vᴴ)ᴴ = V Cᴴ Uᴴ."""
    if a.V is a.U:
        return a if a.C.is_self_adjoint else LowRank._make(a.U, a.C.H)
    return LowRank._make(a.V, a.C.H, a.U)


@rules.conjugate.register(LowRank)
def conjugate_of_low_rank(a: LowRank) -> Operator:
    """Part by part."""
    return LowRank._make(*(rules.conjugate(part) for part in a.parts))


@rules.to_dense.register(LowRank)
def low_rank_to_dense(a: LowRank) -> Array:
    """Form U and V; a sum over the columns of U, a few at a time, for c U Uᴴ."""
    factor = multiple_of_identity(a.C)
    if a.V is a.U and factor is not None:
        return factor * reduce(add, (block @ adjoint(block) for _, (block,) in column_blocks(a.U)))
    left = a.U.to_dense()
    right = left if a.V is a.U else a.V.to_dense()
    return adjoint(a.C.H._matmat(adjoint(left))) @ adjoint(right)


@rules.project.register(LowRank, Operator)
def project_low_rank(a: LowRank, z: Operator) -> tuple[Operator, Array]:
    """With Y = Vᴴ Z kept: A Z = U C Y, and Zᴴ A Z = Yᴴ C Y where V is U (psd by construction)."""
    y = Dense._make(rules.gram(a.V, z))
    image = Product(a.U, a.C, y)
    if a.V is a.U:
        matrix = adjoint(y.array) @ a.C._matmat(y.array)
        return image, hermitian_part(matrix) if a.is_self_adjoint else matrix
    return image, rules.gram(z, a.U) @ a.C._matmat(y.array)


@rules.inner.register(LowRank, Operator, level=1)
@rules.inner.register(LowRank, LowRank, level=1)
def inner_with_low_rank_left(a: LowRank, b: Operator) -> Array:
    """tr((U C Vᴴ)ᴴ B) = tr(Cᴴ Uᴴ B V), with one product with B a column; a small matrix of more columns is formed."""
    if max(a.shape) < min(a.rank, DENSE_LIMIT):
        return NotImplemented
    return Dense._make(a.C.H._matmat(rules.gram(a.U, b @ a.V))).trace()


@rules.inner.register(Operator, LowRank, level=1)
def inner_with_low_rank_right(a: Operator, b: LowRank) -> Array:
    """The conjugate of the other order."""
    found = inner_with_low_rank_left(b, a)
    return NotImplemented if found is NotImplemented else conj(found)
