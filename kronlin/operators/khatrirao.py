"""KhatriRao: a matrix whose j-th column is the Kronecker product of two j-th columns."""

from kronlin.algebra import Operator, rules
from kronlin.algebra.structure import promote
from kronlin.arrays import Array, abs2, adjoint, conj, root_sum_squares
from kronlin.operators.dense import Dense, checked_matrix
from kronlin.operators.kronecker import Kronecker


class KhatriRao(Operator):
    """Column j is kron(left[:, j], right[:, j]): (m, c), (n, c) -> (m n, c).

    A product costs m n c multiplications a column of X, and stores (m + n) c numbers instead of m n c.

    Args:
        left: array (m, c).
        right: array (n, c).

    Raises:
        ValueError: the numbers of columns differ, or an entry is NaN or infinite.

    >>> import numpy as np
    >>> KhatriRao(np.array([[1.0, 2.0]]), np.array([[1.0, 0.0], [0.0, 1.0]])) @ np.ones(2)
    array([1., 2.])

    Source: Khatri and Rao, "Solutions to some functional equations", Sankhyā A 30 (1968).
    """

    def __init__(self, left: Array, right: Array) -> None:
        left, right = checked_matrix(left, "KhatriRao"), checked_matrix(right, "KhatriRao")
        if left.shape[1] != right.shape[1]:
            raise ValueError(
                f"KhatriRao takes arrays with equally many columns, not {tuple(left.shape)} and {tuple(right.shape)}: "
                "pass (m, c) and (n, c)"
            )
        self._setup(*promote("a Khatri-Rao product", left, right))

    def _setup(self, left: Array, right: Array) -> None:
        self.left = left
        self.right = right
        shape = (left.shape[-2] * right.shape[-2], left.shape[-1])
        self._define(left, right, shape=shape, batch=tuple(left.shape[:-2]))

    def _matmat(self, x: Array) -> Array:
        """X[:, k] ↦ vec(left diag(X[:, k]) rightᵀ), all k in one batched product."""
        xp = self.kind.xp
        scaled = self.left[..., None, :, :] * xp.matrix_transpose(x)[..., :, None, :]
        images = scaled @ xp.matrix_transpose(self.right)[..., None, :, :]
        flat = xp.reshape(images, (*images.shape[:-2], self.shape[0]))
        return xp.matrix_transpose(flat)

    def _rmatmat(self, y: Array) -> Array:
        """Entry j of column k is left_jᴴ Y_k conj(right_j), Y_k the matrix of the column."""
        xp = self.kind.xp
        columns = xp.matrix_transpose(y)
        sizes = (self.left.shape[-2], self.right.shape[-2])
        matrices = xp.reshape(columns, (*columns.shape[:-1], *sizes))
        half = matrices @ conj(self.right)[..., None, :, :]
        return xp.matrix_transpose(xp.sum(conj(self.left)[..., None, :, :] * half, axis=-2))


@rules.gram.register(KhatriRao, KhatriRao)
def gram_of_khatri_rao(a: KhatriRao, b: KhatriRao) -> Array:
    """(L₁ ⊙ R₁)ᴴ (L₂ ⊙ R₂) = (L₁ᴴ L₂) ∘ (R₁ᴴ R₂), where the sizes fit."""
    if a.left.shape[-2] != b.left.shape[-2]:
        return NotImplemented
    return (adjoint(a.left) @ b.left) * (adjoint(a.right) @ b.right)


@rules.wide_gram.register(KhatriRao)
def wide_gram_of_khatri_rao(a: KhatriRao) -> Array:
    """From both in double precision."""
    wide = a._astype(a.kind.double)
    return rules.gram(wide, wide)


@rules.gram.register(KhatriRao, Kronecker)
def gram_of_khatri_rao_and_kronecker(a: KhatriRao, b: Kronecker) -> Array:
    """Row j is (Xᴴ l_j)ᴴ ⊗ (Yᴴ r_j)ᴴ for B = X ⊗ Y, where the sizes fit."""
    if len(b.factors) != 2 or a.left.shape[-2] != b.factors[0].shape[0]:
        return NotImplemented
    xp = a.kind.xp
    left = adjoint(b.factors[0].H._matmat(a.left))
    right = adjoint(b.factors[1].H._matmat(a.right))
    rows = left[..., :, None] * right[..., None, :]
    return xp.reshape(rows, (*rows.shape[:-2], b.shape[1]))


@rules.compose.register(Kronecker, KhatriRao)
def compose_kronecker_khatri_rao(a: Kronecker, b: KhatriRao) -> Operator:
    """(A ⊗ B) (L ⊙ R) = (A L) ⊙ (B R), where the sizes fit."""
    if len(a.factors) != 2 or a.factors[0].shape[1] != b.left.shape[-2]:
        return NotImplemented
    return KhatriRao._make(a.factors[0]._matmat(b.left), a.factors[1]._matmat(b.right))


@rules.conjugate.register(KhatriRao)
def conjugate_of_khatri_rao(a: KhatriRao) -> Operator:
    """Conjugate both."""
    return KhatriRao._make(conj(a.left), conj(a.right))


@rules.modulus2.register(KhatriRao)
def modulus2_of_khatri_rao(a: KhatriRao) -> Operator:
    """Square both."""
    return KhatriRao._make(abs2(a.left), abs2(a.right))


@rules.norm.register(KhatriRao)
def norm_of_khatri_rao(a: KhatriRao) -> Array:
    """‖L ⊙ R‖² = Σ_j ‖l_j‖² ‖r_j‖²."""
    lengths = root_sum_squares(a.left, axis=-2) * root_sum_squares(a.right, axis=-2)
    return root_sum_squares(lengths, axis=-1)


@rules.to_dense.register(KhatriRao)
def khatri_rao_to_dense(a: KhatriRao) -> Array:
    """Form all products of entries."""
    product = a.left[..., :, None, :] * a.right[..., None, :, :]
    return a.kind.xp.reshape(product, (*a.batch, *a.shape))


@rules.columns.register(Dense)
def columns_of_dense(a: Dense, chosen: list[int]) -> Operator:
    """Take them."""
    return Dense._make(a.kind.xp.take(a.array, a.kind.indices(chosen), axis=-1))


@rules.columns.register(Operator)
def columns_by_products(a: Operator, chosen: list[int]) -> Operator:
    """Multiply with unit vectors."""
    xp, places = a.kind.xp, a.kind.indices(chosen)
    units = xp.astype(a.kind.indices(range(a.shape[1]))[:, None] == places[None, :], a.dtype)
    return Dense._make(a._matmat(xp.broadcast_to(units, (*a.batch, *units.shape))))


@rules.columns.register(KhatriRao)
def columns_of_khatri_rao(a: KhatriRao, chosen: list[int]) -> Operator:
    """Take them of both."""
    return KhatriRao._make(*(a.kind.xp.take(part, a.kind.indices(chosen), axis=-1) for part in a.parts))


@rules.columns.register(Kronecker)
def columns_of_kronecker(a: Kronecker, chosen: list[int]) -> Operator:
    """Column (u, v) of X ⊗ Y is x_u ⊗ y_v: chosen pairs are not a grid, so the result is a Khatri-Rao product."""
    if len(a.factors) != 2:
        return NotImplemented
    width = a.factors[1].shape[1]
    left = rules.columns(a.factors[0], [j // width for j in chosen])
    right = rules.columns(a.factors[1], [j % width for j in chosen])
    return KhatriRao._make(left.to_dense(), right.to_dense())
