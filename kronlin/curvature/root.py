"""FisherRoot: the square root of a layer's Fisher block, as what the layer hands over."""

from collections.abc import Iterable
from functools import reduce
from math import prod
from operator import add

from kronlin.algebra import Operator, rules
from kronlin.algebra.structure import promote
from kronlin.arrays import Array, abs2, conj, join, kind, lies_by_columns, pieces
from kronlin.curvature.statistics import LayerStatistics
from kronlin.operators import Kronecker
from kronlin.operators.squaredmoduli import SquaredModuli


class FisherRoot(Operator):
    """U with the columns Σ_s kron(g_isk, a_is), one for each example i and each k; (1/n) U Uᴴ is the Fisher block.

    The columns are ordered (i, k), k fastest; a row belongs to an entry of the weight (d_out, d_in), row by row.
    The inputs are never repeated K times: a product costs n S d_out (d_in + K) multiplications a column, and the
    memory is that of the two arrays; what is formed on the way keeps to `memory_limit`.

    Args:
        inputs: a of shape (n, S, d_in), or (n, d_in) for S = 1.
        output_gradients: g of shape (n, S, K, d_out), or (n, K, d_out) or (n, d_out) beside (n, d_in).

    Raises:
        ValueError: as `LayerStatistics`.

    >>> import numpy as np
    >>> U = FisherRoot(np.array([[1.0, 2.0]]), np.array([[3.0]]))
    >>> U.to_dense()
    array([[3.],
           [6.]])

    Source: Martens and Grosse, arXiv 1503.05671, section 2; weight sharing: Eschenhagen et al., arXiv 2311.00636.
    """

    def __init__(self, inputs: Array, output_gradients: Array) -> None:
        layer = LayerStatistics(inputs, output_gradients)
        self._setup(*promote("the root of a Fisher block", layer.inputs, layer.output_gradients))

    def _setup(self, inputs: Array, output_gradients: Array) -> None:
        self.inputs = inputs
        self.output_gradients = output_gradients
        *batch, self.n, self.S, self.d_in = inputs.shape
        self.K, self.d_out = output_gradients.shape[-2:]
        shape = (self.d_out * self.d_in, self.n * self.K)
        self._define(inputs, output_gradients, shape=shape, batch=tuple(batch))

    def _matmat(self, x: Array) -> Array:
        """V = Σ_is (Σ_k x_ik g_isk) a_isᵀ for every column of X."""
        entries = 2 * self.S * self.d_out * x.shape[-1]
        return reduce(add, (part._product(x[..., rows, :]) for rows, part in self._some_examples(entries)))

    def _rmatmat(self, y: Array) -> Array:
        """x_ik = Σ_s g_iskᴴ V conj(a_is) for every column V of Y."""
        entries = 2 * self.S * (self.d_out + self.K) * y.shape[-1] + self._conjugates()
        return join([part._adjoint_product(y) for _, part in self._some_examples(entries)], axis=-2)

    def _conjugates(self) -> int:
        """Numbers an example that the conjugates of both arrays take; real arrays need none."""
        return self.S * (self.d_in + self.K * self.d_out) if self.kind.is_complex else 0

    def _some_examples(self, entries: int) -> Iterable[tuple[slice, "FisherRoot"]]:
        """Columns, and the root that has them, for which `entries` numbers an example are formed at a time."""
        chosen = pieces(self.n, entries * prod(self.batch), self.kind)
        if len(chosen) == 1:
            return [(slice(0, self.shape[1]), self)]
        return ((slice(part.start * self.K, part.stop * self.K), self._examples(part)) for part in chosen)

    def _examples(self, chosen: slice) -> "FisherRoot":
        return FisherRoot._make(self.inputs[..., chosen, :, :], self.output_gradients[..., chosen, :, :, :])

    def _product(self, x: Array) -> Array:
        """One product of (c d_out, n S) by (n S, d_in) makes all columns, each in one piece of memory."""
        xp, c, batch = self.kind.xp, x.shape[-1], x.shape[:-2]
        weights = xp.matrix_transpose(xp.reshape(x, (*batch, self.n, 1, self.K, c)))
        outputs = weights * self.output_gradients if self.K == 1 else weights @ self.output_gradients
        outputs = xp.reshape(outputs, (*batch, self.n * self.S, c * self.d_out))
        v = xp.matrix_transpose(outputs) @ self._flat_inputs()
        return xp.matrix_transpose(xp.reshape(v, (*batch, c, self.shape[0])))

    def _adjoint_product(self, y: Array) -> Array:
        """The outputs V conj(a_is) of all columns first, then their inner products with the gradients."""
        xp, c, batch = self.kind.xp, y.shape[-1], y.shape[:-2]
        inputs, n, S, d_out = conj(self._flat_inputs()), self.n, self.S, self.d_out
        if lies_by_columns(y):
            v = xp.reshape(xp.matrix_transpose(y), (*batch, c, d_out, self.d_in))
            outputs = inputs[..., None, :, :] @ xp.matrix_transpose(v)
            outputs = xp.moveaxis(xp.reshape(outputs, (*batch, c, n, S, d_out)), -4, -1)
        else:
            v = xp.matrix_transpose(xp.reshape(y, (*batch, d_out, self.d_in, c)))
            v = xp.reshape(v, (*batch, d_out * c, self.d_in))
            outputs = xp.reshape(inputs @ xp.matrix_transpose(v), (*batch, n, S, d_out, c))
        gradients = conj(self.output_gradients)
        if self.K == 1:  # the positions of an example then stand in one row, and are summed by the product
            gradients = xp.reshape(gradients, (*batch, n, 1, 1, S * d_out))
            outputs = xp.reshape(outputs, (*batch, n, 1, S * d_out, c))
        return self._sum_positions(gradients @ outputs)

    def _flat_inputs(self) -> Array:
        return self.kind.xp.reshape(self.inputs, (*self.inputs.shape[:-3], self.n * self.S, self.d_in))

    def _sum_positions(self, x: Array) -> Array:
        """(..., n, S, K, c) -> (..., n K, c)."""
        total = self.kind.xp.sum(x, axis=-3) if x.shape[-3] > 1 else x
        return self.kind.xp.reshape(total, (*x.shape[:-4], self.n * self.K, x.shape[-1]))

    def _gradients(self) -> Array:
        """The columns as matrices Σ_s g_isk a_isᵀ, (..., n K, d_out, d_in)."""
        xp = self.kind.xp
        rows = xp.reshape(self.output_gradients, (*self.batch, self.n, self.S, self.K * self.d_out))
        columns = xp.matrix_transpose(rows) @ self.inputs
        return xp.reshape(columns, (*self.batch, self.n * self.K, self.d_out, self.d_in))


@rules.compose.register(Kronecker, FisherRoot)
def compose_kronecker_fisher_root(a: Kronecker, b: FisherRoot) -> Operator:
    """(X ⊗ Y) U has the columns Σ_s X g_isk ⊗ Y a_is, where the sizes fit."""
    if len(a.factors) != 2 or a.factors[0].shape[1] != b.d_out:
        return NotImplemented
    left, right = a.factors
    return FisherRoot._make(_on_last_axis(right, b.inputs, b.batch), _on_last_axis(left, b.output_gradients, b.batch))


def _on_last_axis(factor: Operator, x: Array, batch: tuple[int, ...]) -> Array:
    """Multiply every vector along the last axis."""
    xp, (*axes, length) = kind(x).xp, x.shape
    rows = xp.reshape(x, (*batch, prod(axes[len(batch) :]), length))
    rows = xp.matrix_transpose(factor._matmat(xp.matrix_transpose(rows)))
    return xp.reshape(rows, (*axes, factor.shape[0]))


@rules.conjugate.register(FisherRoot)
def conjugate_of_fisher_root(a: FisherRoot) -> Operator:
    """Conjugate both arrays."""
    return FisherRoot._make(conj(a.inputs), conj(a.output_gradients))


@rules.modulus2.register(FisherRoot)
def modulus2_of_fisher_root(a: FisherRoot) -> Operator:
    """Square both arrays, if there is one position; else form the columns, a few at a time."""
    return SquaredModuli(a) if a.S > 1 else FisherRoot._make(abs2(a.inputs), abs2(a.output_gradients))


@rules.columns.register(FisherRoot)
def columns_of_fisher_root(a: FisherRoot, chosen: list[int]) -> Operator:
    """The columns (i, k) as examples with one column each."""
    xp, K, first = a.kind.xp, a.K, min(chosen, default=0) // a.K
    near = a._examples(slice(first, max(chosen, default=0) // K + 1))
    inputs = xp.take(near.inputs, a.kind.indices([place // K - first for place in chosen]), axis=-3)
    rows = xp.reshape(xp.moveaxis(near.output_gradients, -2, -3), (*a.batch, near.n * K, a.S, a.d_out))
    rows = xp.take(rows, a.kind.indices([place - K * first for place in chosen]), axis=-3)
    return FisherRoot._make(inputs, rows[..., None, :])


@rules.norm.register(FisherRoot)
def norm_of_fisher_root(a: FisherRoot) -> Array:
    """‖U‖² = Σ_i Σ_ss' (a_isᴴ a_is') (Σ_k g_iskᴴ g_is'k)."""
    entries = 3 * a.S**2 + a._conjugates()
    total = reduce(add, (_square_of_norm(part) for _, part in a._some_examples(entries)))
    return a.kind.xp.sqrt(a.kind.xp.real(total) if a.kind.is_complex else a.kind.xp.abs(total))


def _square_of_norm(a: FisherRoot) -> Array:
    xp = a.kind.xp
    inputs = conj(a.inputs) @ xp.matrix_transpose(a.inputs)
    rows = xp.reshape(a.output_gradients, (*a.batch, a.n, a.S, a.K * a.d_out))
    outputs = conj(rows) @ xp.matrix_transpose(rows)
    return xp.sum(inputs * outputs, axis=(-3, -2, -1))


@rules.to_dense.register(FisherRoot)
def fisher_root_to_dense(a: FisherRoot) -> Array:
    """Form the columns Σ_s g_isk a_isᵀ."""
    rows = a.kind.xp.reshape(a._gradients(), (*a.batch, a.n * a.K, a.shape[0]))
    return a.kind.xp.matrix_transpose(rows)
