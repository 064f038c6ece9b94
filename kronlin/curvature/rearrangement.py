"""Rearrangement: the rearranged Fisher block of a layer, known by its products with matrices."""

from collections.abc import Iterator
from functools import reduce
from math import prod
from operator import add

from kronlin.algebra import Operator, rules
from kronlin.algebra.identity import multiple_of_identity
from kronlin.algebra.structure import promote
from kronlin.arrays import Array, adjoint, conj, kind, pieces
from kronlin.curvature.root import FisherRoot
from kronlin.curvature.statistics import LayerStatistics
from kronlin.operators import LowRank
from kronlin.operators.rearranged import Shapes


class Rearrangement(Operator):
    """R of shape (d_out², d_in²) with R vec(M) = Σ_ik P M Pᴴ and Rᴴ vec(N) = Σ_ik Pᴴ N P, P_ik = Σ_s g_isk a_isᵀ.

    It is U Uᴴ for the `FisherRoot` U of the layer with its entries regrouped, R[(o, o'), (j, j')] =
    (U Uᴴ)[(o, j), (o', j')], and so takes Kronecker structure to low rank: if (1/n) U Uᴴ = G ⊗ A, then (1/n) R =
    vec(G) vec(A)ᵀ. Both maps take psd matrices to psd ones. A product costs n S (d_in² + K d_out² + S (d_in + K d_out))
    multiplications a column, through pairs of positions, or n K d_out d_in (S + d_in + d_out), through the P_ik, where
    these are fewer; as many examples are taken at a time as `memory_limit` allows.

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
        if self._by_positions():
            return reduce(add, (_weighted(g, a[..., None, :], x) for a, g in self._pieces(x.shape[-1])))
        return reduce(add, (_sandwich(_columns(a, g), x) for a, g in self._pieces(x.shape[-1])))

    def _rmatmat(self, y: Array) -> Array:
        if self._by_positions():
            parts = ((conj(a)[..., None, :], conj(g)) for a, g in self._pieces(y.shape[-1]))
            return reduce(add, (_weighted(a, g, y) for a, g in parts))
        return reduce(add, (_sandwich(adjoint(_columns(a, g)), y) for a, g in self._pieces(y.shape[-1])))

    def _by_positions(self) -> bool:
        """Whether pairs of positions cost less than the columns as matrices."""
        sizes, squares = self.d_in + self.K * self.d_out, self.d_in**2 + self.K * self.d_out**2
        columns = self.K * self.d_out * self.d_in * (self.S + self.d_in + self.d_out)
        return self.S == 1 or self.S**2 * sizes + self.S * squares <= columns

    def _pieces(self, c: int) -> Iterator[tuple[Array, Array]]:
        """Inputs (..., m, S, d_in) and output gradients (..., m, S, K, d_out) of some examples at a time."""
        if self._by_positions():
            entries = self.S * (2 * max(self.d_in, self.K * self.d_out) + self.d_in + self.K * self.d_out + self.S) * c
        else:
            entries = self.K * self.d_out * self.d_in * (1 + 2 * c)
        for chosen in pieces(self.n, entries * prod(self.batch), self.kind):
            yield self.inputs[..., chosen, :, :], self.output_gradients[..., chosen, :, :, :]


def _columns(a: Array, g: Array) -> Array:
    """P_ik = Σ_s g_isk a_isᵀ, of shape (..., m K, d_out, d_in)."""
    return FisherRoot._make(a, g)._gradients()


def _sandwich(P: Array, x: Array) -> Array:
    """Σ P M Pᴴ for every column M of X."""
    xp, (*batch, count, rows, columns), c = kind(x).xp, P.shape, x.shape[-1]
    b = len(batch)
    half = xp.reshape(P, (*batch, count * rows, columns)) @ xp.reshape(x, (*batch, columns, columns * c))
    half = xp.reshape(half, (*batch, count, rows, columns, c))
    half = xp.permute_dims(half, (*range(b), b + 1, b + 3, b, b + 2))
    half = xp.reshape(half, (*batch, rows * c, count * columns))
    return _as_columns(half @ xp.reshape(adjoint(P), (*batch, count * columns, rows)))


def _weighted(left: Array, right: Array, x: Array) -> Array:
    """Σ w_st l_s l_tᴴ with w_st = Σ r_sᵀ M r̄_t, over the vectors l (..., m, S, p, d) and r (..., m, S, q, e)."""
    xp, (*batch, m, S, q, e), (p, d), c = kind(x).xp, right.shape, left.shape[-2:], x.shape[-1]
    b = len(batch)
    half = xp.reshape(right, (*batch, m * S * q, e)) @ xp.reshape(x, (*batch, e, e * c))
    half = xp.permute_dims(xp.reshape(half, (*batch, m, S, q, e, c)), (*range(b + 1), b + 4, b + 1, b + 2, b + 3))
    weights = xp.reshape(half, (*batch, m, c * S, q * e)) @ adjoint(xp.reshape(right, (*batch, m, S, q * e)))
    weights = xp.matrix_transpose(xp.reshape(weights, (*batch, m, c, S, S)))
    half = xp.reshape(weights, (*batch, m, c * S, S)) @ xp.reshape(left, (*batch, m, S, p * d))
    half = xp.permute_dims(xp.reshape(half, (*batch, m, c, S, p, d)), (*range(b), b + 4, b + 1, b, b + 2, b + 3))
    half = xp.reshape(half, (*batch, d * c, m * S * p))
    return _as_columns(half @ conj(xp.reshape(left, (*batch, m * S * p, d))))


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
