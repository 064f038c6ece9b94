"""Rearrangement: the rearranged Fisher block of a layer, known by its products with matrices."""

from collections.abc import Iterator

from kronlin.algebra import Operator, rules
from kronlin.algebra.columns import CHUNK
from kronlin.algebra.identity import multiple_of_identity
from kronlin.algebra.structure import promote
from kronlin.arrays import Array, adjoint, conj, kind
from kronlin.curvature.root import FisherRoot
from kronlin.curvature.statistics import LayerStatistics
from kronlin.operators import LowRank
from kronlin.operators.rearranged import Shapes


class Rearrangement(Operator):
    """R of shape (d_out², d_in²) with R vec(M) = Σ_ik P M Pᴴ and Rᴴ vec(N) = Σ_ik Pᴴ N P, P_ik = Σ_s g_isk a_isᵀ.

    It is U Uᴴ for the `FisherRoot` U of the layer with its entries regrouped, R[(o, o'), (j, j')] =
    (U Uᴴ)[(o, j), (o', j')], and so takes Kronecker structure to low rank: if (1/n) U Uᴴ = G ⊗ A, then (1/n) R =
    vec(G) vec(A)ᵀ. Both maps take psd matrices to psd ones. A product costs n (d_in² + K d_out²) multiplications a
    column without weight sharing, and n K d_out d_in (S + d_in + d_out) with it; a few examples are taken at a time,
    so that no array has more than some million entries.

    Args:
        inputs: a of shape (n, S, d_in), or (n, d_in) for S = 1.
        output_gradients: g of shape (n, S, K, d_out), or (n, K, d_out) or (n, d_out) beside (n, d_in).

    Raises:
        ValueError: as `LayerStatistics`.

    >>> import numpy as np
    >>> R = Rearrangement(np.array([[1.0, 2.0]]), np.array([[3.0]]))
    >>> R.to_dense()
    array([[ 9., 18., 18., 36.]])

    Source: Van Loan and Pitsianis, "Approximation with Kronecker products" (1993); for Fisher blocks:
    Koroko et al., arXiv 2201.10285.
    """

    def __init__(self, inputs: Array, output_gradients: Array) -> None:
        layer = LayerStatistics(inputs, output_gradients)
        self._setup(*promote("the rearrangement of a Fisher block", layer.inputs, layer.output_gradients))

    def _setup(self, inputs: Array, output_gradients: Array) -> None:
        self.inputs = inputs
        self.output_gradients = output_gradients
        *batch, self.n, self.S, self.d_in = inputs.shape
        self.K, self.d_out = output_gradients.shape[-2:]
        self._define(inputs, output_gradients, shape=(self.d_out**2, self.d_in**2), batch=tuple(batch))

    def _matmat(self, x: Array) -> Array:
        if self.S == 1:
            return _sum([_sandwich_rank_one(g[..., 0, :, :], a, x) for a, g in self._pieces(x.shape[-1])])
        return _sum([_sandwich(_columns(a, g), x) for a, g in self._pieces(x.shape[-1])])

    def _rmatmat(self, y: Array) -> Array:
        if self.S == 1:
            return _sum([_sandwich_rank_one(conj(a), conj(g[..., 0, :, :]), y) for a, g in self._pieces(y.shape[-1])])
        return _sum([_sandwich(adjoint(_columns(a, g)), y) for a, g in self._pieces(y.shape[-1])])

    def _pieces(self, c: int) -> Iterator[tuple[Array, Array]]:
        """Inputs (..., m, S, d_in) and output gradients (..., m, S, K, d_out) of m examples at a time."""
        entries = self.d_in + self.K * self.d_out if self.S == 1 else self.K * self.d_out * self.d_in
        step = max(1, CHUNK // max(1, entries * c))
        for start in range(0, self.n, step):
            chosen = slice(start, min(start + step, self.n))
            yield self.inputs[..., chosen, :, :], self.output_gradients[..., chosen, :, :, :]


def _sum(parts: list[Array]) -> Array:
    return sum(parts[1:], parts[0])


def _columns(a: Array, g: Array) -> Array:
    """P_ik = Σ_s g_isk a_isᵀ, of shape (..., m K, d_out, d_in)."""
    xp, (*batch, m, S, K, d_out) = kind(a).xp, g.shape
    rows = xp.matrix_transpose(xp.reshape(g, (*batch, m, S, K * d_out))) @ a
    return xp.reshape(rows, (*batch, m * K, d_out, a.shape[-1]))


def _sandwich(P: Array, x: Array) -> Array:
    """Σ P M Pᴴ for every column M of X."""
    xp, (*batch, count, rows, columns), c = kind(x).xp, P.shape, x.shape[-1]
    b = len(batch)
    half = xp.reshape(P, (*batch, count * rows, columns)) @ xp.reshape(x, (*batch, columns, columns * c))
    half = xp.reshape(half, (*batch, count, rows, columns, c))
    half = xp.permute_dims(half, (*range(b), b + 1, b + 3, b, b + 2))
    half = xp.reshape(half, (*batch, rows * c, count * columns))
    return _as_columns(half @ xp.reshape(adjoint(P), (*batch, count * columns, rows)))


def _sandwich_rank_one(left: Array, right: Array, x: Array) -> Array:
    """Σ l (rᵀ M r̄) lᴴ over the vectors l (..., m, p, d) and r (..., m, q, e) of each of m examples."""
    xp, (*batch, m, q, e), p, c = kind(x).xp, right.shape, left.shape[-2], x.shape[-1]
    half = xp.reshape(right, (*batch, m * q, e)) @ xp.reshape(x, (*batch, e, e * c))
    half = xp.reshape(half, (*batch, m, q, e, c))
    weights = xp.sum(half * conj(right)[..., None], axis=(-3, -2))
    vectors = xp.reshape(left, (*batch, m * p, left.shape[-1]))
    weighted = xp.reshape(left[..., None] * weights[..., None, None, :], (*batch, m * p, left.shape[-1] * c))
    return _as_columns(xp.matrix_transpose(weighted) @ conj(vectors))


def _as_columns(x: Array) -> Array:
    """Entries [(o, c), o'] of c matrices, as c columns [(o, o'), c]."""
    xp, (*batch, rows, d) = kind(x).xp, x.shape
    cut = xp.matrix_transpose(xp.reshape(x, (*batch, d, rows // d, d)))
    return xp.reshape(cut, (*batch, d * d, rows // d))


@rules.conjugate.register(Rearrangement)
def conjugate_of_rearrangement(a: Rearrangement) -> Operator:
    """Conjugate both arrays."""
    return Rearrangement._make(conj(a.inputs), conj(a.output_gradients))


@rules.norm.register(Rearrangement)
def norm_of_rearrangement(a: Rearrangement) -> Array:
    """‖R‖ = ‖U Uᴴ‖, for the entries are the same."""
    return LowRank(FisherRoot._make(a.inputs, a.output_gradients)).norm() if not a.batch else NotImplemented


@rules.rearrange.register(LowRank)
def rearrange_fisher_block(a: LowRank, shapes: Shapes) -> Operator:
    """c U Uᴴ for the root U of a layer, where the shapes are those of the layer's Kronecker factors."""
    U, c = a.U, multiple_of_identity(a.C)
    if not isinstance(U, FisherRoot) or a.V is not U or c is None or a.batch:
        return NotImplemented
    if shapes != ((U.d_out, U.d_out), (U.d_in, U.d_in)):
        return NotImplemented
    return rules.scale(Rearrangement._make(U.inputs, U.output_gradients), c)
