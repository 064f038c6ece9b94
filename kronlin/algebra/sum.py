"""Sum: A + B + …, lazily."""

from kronlin.algebra import rules
from kronlin.algebra.identity import Identity, multiple_of_identity
from kronlin.algebra.operator import Operator
from kronlin.algebra.properties import Properties, every, properties
from kronlin.algebra.scaled import Number, Scaled
from kronlin.algebra.structure import common_batch, promote
from kronlin.arrays import Array, max_abs, real_part

_CANCELLED = 1e-3
"""Below this share of Σ ‖A_i‖² the square of a norm has lost too many digits."""


class Sum(Operator):
    """A₁ + A₂ + …: one product with each term.

    >>> import numpy as np, kronlin as kl
    >>> kl.Kronecker(np.eye(2), np.eye(3)) + kl.Kronecker(np.eye(3), np.eye(2))
    Sum(6×6, float64, self-adjoint: Kronecker(2×2 ⊗ 3×3), Kronecker(3×3 ⊗ 2×2))
    """

    def __init__(self, *terms: Operator) -> None:
        self.terms = terms
        self._define(*terms, shape=terms[0].shape, batch=common_batch(*terms))

    def _derive(self) -> Properties:
        known = [term.properties for term in self.terms]
        psd = every([term.psd for term in known])
        pd = True if psd and any(term.pd for term in known) else None
        return properties(every([term.self_adjoint for term in known]), psd, pd)

    @property
    def _inside(self) -> str:
        return ", ".join(term._summary for term in self.terms)

    def _matmat(self, x: Array) -> Array:
        y = self.terms[0]._matmat(x)
        for term in self.terms[1:]:
            y = y + term._matmat(x)
        return y


@rules.add.register(Operator, Operator)
def add_by_default(a: Operator, b: Operator) -> Operator:
    """Keep both terms; sums within sums are opened."""
    terms = [*(a.terms if isinstance(a, Sum) else [a]), *(b.terms if isinstance(b, Sum) else [b])]
    return Sum(*promote("a sum", *terms))


@rules.shift.register(Operator)
def shift_by_default(a: Operator, c: Number) -> Operator:
    """A + c I, with the multiple of I kept as a term."""
    return add_by_default(a, rules.scale(Identity(a.shape[0], like=a), c))


@rules.shift.register(Sum)
def shift_sum(a: Sum, c: Number) -> Operator:
    """(A + d I) + c I = A + (d + c) I."""
    for position, term in enumerate(a.terms):
        if multiple_of_identity(term) is not None:
            terms = [*a.terms[:position], rules.shift(term, c), *a.terms[position + 1 :]]
            return Sum(*promote("a sum", *terms))
    return NotImplemented


@rules.scale.register(Sum)
def scale_sum(a: Sum, factor: Number) -> Operator:
    """c (A + B) = c A + c B, so that each term keeps its rules."""
    return Sum(*promote("a sum", *(rules.scale(term, factor) for term in a.terms)))


@rules.adjoint.register(Sum)
def adjoint_of_sum(a: Sum) -> Operator:
    """(A + B)ᴴ = Aᴴ + Bᴴ."""
    return Sum(*(term.H for term in a.terms))


@rules.conjugate.register(Sum)
def conjugate_of_sum(a: Sum) -> Operator:
    """Term by term."""
    return Sum(*(rules.conjugate(term) for term in a.terms))


@rules.to_dense.register(Sum)
def sum_to_dense(a: Sum) -> Array:
    """Add the dense terms."""
    dense = a.terms[0].to_dense()
    for term in a.terms[1:]:
        dense = dense + term.to_dense()
    return dense


@rules.trace.register(Sum)
def trace_of_sum(a: Sum) -> Array:
    """tr(A + B) = tr A + tr B."""
    return sum((term.trace() for term in a.terms[1:]), a.terms[0].trace())


@rules.diagonal.register(Sum)
def diagonal_of_sum(a: Sum) -> Array:
    """Term by term."""
    return sum((term.diagonal() for term in a.terms[1:]), a.terms[0].diagonal())


@rules.gram.register(Operator, Sum)
def gram_with_sum(a: Operator, b: Sum) -> Array:
    """Aᴴ (B + C) = Aᴴ B + Aᴴ C."""
    return sum((rules.gram(a, term) for term in b.terms[1:]), rules.gram(a, b.terms[0]))


@rules.inner.register(Sum, Operator)
@rules.inner.register(Sum, Sum)
def inner_with_sum_left(a: Sum, b: Operator) -> Array:
    """tr((A + B)ᴴ C) = tr(Aᴴ C) + tr(Bᴴ C)."""
    return sum((rules.inner(term, b) for term in a.terms[1:]), rules.inner(a.terms[0], b))


@rules.inner.register(Operator, Sum)
def inner_with_sum_right(a: Operator, b: Sum) -> Array:
    """Term by term."""
    return sum((rules.inner(a, term) for term in b.terms[1:]), rules.inner(a, b.terms[0]))


@rules.project.register(Sum, Operator)
def project_sum(a: Sum, z: Operator) -> tuple[Operator, Array]:
    """Term by term."""
    images, matrices = zip(*(rules.project(term, z) for term in a.terms), strict=True)
    return Sum(*images), sum(matrices[1:], matrices[0])


@rules.norm.register(Sum)
def norm_of_sum(a: Sum) -> Array:
    """‖A + B‖² = ‖A‖² + 2 Re tr(Aᴴ B) + ‖B‖², where a rule knows each trace, and neither digits nor range are lost."""
    pairs = [(left, right) for i, left in enumerate(a.terms) for right in a.terms[i + 1 :]]
    if not all(rules.inner.has_own(type(left), type(right)) for left, right in pairs):
        return NotImplemented
    xp, reach = a.kind.xp, float(a.kind.xp.finfo(a.kind.dtype).max) ** 0.25
    norms = [term.norm() for term in a.terms]
    unit = max(max_abs(norm) for norm in norms)
    if not unit:
        return norms[0]
    if not 1 / reach < unit < reach:
        terms = [rules.scale(term, 1 / unit) for term in a.terms]
        return NotImplemented if any(isinstance(term, Scaled) for term in terms) else unit * Sum(*terms).norm()
    squares = sum(norm**2 for norm in norms)
    crossed = sum(rules.inner(left, right) for left, right in pairs)
    total = squares + 2 * real_part(crossed)
    return xp.sqrt(total) if bool(xp.all(total > _CANCELLED * squares)) else NotImplemented
