"""SparseInverse: A⁻¹ of a sparse A, as solutions with its factors."""

from kronlin.algebra import Operator, Properties, rules
from kronlin.arrays import Array, SingularMatrixError
from kronlin.operators.dense import no_inverse
from kronlin.operators.sparse import Sparse


class SparseInverse(Operator):
    """A⁻¹ of a square sparse A, never formed: a product solves with the kept LU factors of A.

    Args:
        base: A, a `Sparse` on NumPy.

    Raises:
        SingularMatrixError: A is singular.

    >>> import numpy as np, scipy.sparse
    >>> A = Sparse(scipy.sparse.csr_array(np.array([[2.0, 1.0], [0.0, 4.0]])))
    >>> A.inverse() @ np.array([3.0, 4.0])
    array([1., 1.])
    """

    _stackable = False
    _homes = ("numpy", "cupy")

    def __init__(self, base: Sparse) -> None:
        self.base = base
        self.factors = base._factors()
        self._define(base, shape=base.shape)

    def _derive(self) -> Properties:
        return self.base.properties

    def _matmat(self, x: Array) -> Array:
        return self.factors.solve(x)

    def _rmatmat(self, y: Array) -> Array:
        return self.factors.solve(y, adjoint=True)


@rules.inverse.register(Sparse)
def inverse_of_sparse(a: Sparse) -> Operator:
    """Keep A, factored, where the library has a sparse factorisation."""
    return NotImplemented if a._factors() is None else SparseInverse(a)


@rules.inverse.register(SparseInverse)
def inverse_of_sparse_inverse(a: SparseInverse) -> Operator:
    """(A⁻¹)⁻¹ = A."""
    return a.base


@rules.solve.register(Sparse)
def solve_sparse(a: Sparse, b: Array) -> Array:
    """Solve with the factors; an error if ‖A‖ ‖x‖ / ‖b‖ shows that no digit is right."""
    factors = a._factors()
    if factors is None:
        return NotImplemented
    x = factors.solve(b)
    if 0 not in b.shape:
        xp, eps = a.kind.xp, a.kind.double.eps
        growth = xp.max(xp.abs(x), axis=0) * _row_sum_norm(a)
        if bool(xp.any(growth * eps > xp.max(xp.abs(b), axis=0))):
            raise SingularMatrixError(no_inverse(a, f"its condition number is beyond 1/eps = {1 / eps:.1e}"))
    return x


@rules.slogdet.register(Sparse)
def slogdet_of_sparse(a: Sparse) -> tuple[Array, Array]:
    """From the diagonal of U and the signs of the permutations; (0, -inf) for a singular A."""
    try:
        factors = a._factors()
    except SingularMatrixError:
        return a.kind.zeros(), a.kind.real.asarray(-float("inf"))
    if factors is None:
        return NotImplemented
    sign, logarithm = factors.slogdet()
    return a.kind.asarray(sign), a.kind.real.asarray(logarithm)


@rules.slogdet.register(SparseInverse)
def slogdet_of_sparse_inverse(a: SparseInverse) -> tuple[Array, Array]:
    """det(A⁻¹) = 1 / det(A)."""
    sign, logarithm = a.base.slogdet()
    return 1 / sign, -logarithm


def _row_sum_norm(a: Sparse) -> Array:
    """The largest Σ_j |a_ij|."""
    return a.kind.xp.max(abs(a.matrix) @ a.kind.real.ones(a.shape[1]))
