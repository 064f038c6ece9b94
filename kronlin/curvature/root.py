"""FisherRoot: the square root of a layer's Fisher block, as what the layer hands over."""

from math import prod

from kronlin.algebra import Operator, rules
from kronlin.algebra.structure import promote
from kronlin.arrays import Array, abs2, adjoint, conj, kind
from kronlin.curvature.statistics import LayerStatistics
from kronlin.operators import KhatriRao, Kronecker


class FisherRoot(Operator):
    """U with the columns Σ_s kron(g_isk, a_is), one for each example i and each k; (1/n) U Uᴴ is the Fisher block.

    The columns are ordered (i, k), k fastest; a row belongs to an entry of the weight (d_out, d_in), row by row.
    The inputs are never repeated K times: a product costs n S d_out (d_in + K) multiplications a column, and the
    memory is that of the two arrays.

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
        xp, c, batch = self.kind.xp, x.shape[-1], x.shape[:-2]
        weights = xp.reshape(x, (*batch, self.n, 1, self.K, c))
        outputs = xp.matrix_transpose(self.output_gradients) @ weights
        outputs = xp.reshape(outputs, (*batch, self.n * self.S, self.d_out * c))
        v = xp.matrix_transpose(outputs) @ self._flat_inputs()
        v = xp.matrix_transpose(xp.reshape(v, (*batch, self.d_out, c, self.d_in)))
        return xp.reshape(v, (*batch, self.shape[0], c))

    def _rmatmat(self, y: Array) -> Array:
        """x_ik = Σ_s g_iskᴴ V conj(a_is) for every column V of Y."""
        xp, c, batch = self.kind.xp, y.shape[-1], y.shape[:-2]
        v = xp.matrix_transpose(xp.reshape(y, (*batch, self.d_out, self.d_in, c)))
        v = xp.reshape(v, (*batch, self.d_out * c, self.d_in))
        outputs = conj(self._flat_inputs()) @ xp.matrix_transpose(v)
        outputs = xp.reshape(outputs, (*batch, self.n, self.S, self.d_out, c))
        return self._sum_positions(conj(self.output_gradients) @ outputs)

    def _flat_inputs(self) -> Array:
        return self.kind.xp.reshape(self.inputs, (*self.inputs.shape[:-3], self.n * self.S, self.d_in))

    def _sum_positions(self, x: Array) -> Array:
        """(..., n, S, K, c) -> (..., n K, c)."""
        x = self.kind.xp.sum(x, axis=-3)
        return self.kind.xp.reshape(x, (*x.shape[:-3], self.n * self.K, x.shape[-1]))


@rules.gram.register(FisherRoot, FisherRoot)
def gram_of_fisher_roots(a: FisherRoot, b: FisherRoot) -> Array:
    """(conj(g) gᵀ) ∘ (conj(a) aᵀ) for S = 1; with shared weights from the columns themselves."""
    if a.d_out != b.d_out:
        return NotImplemented
    if a.S > 1 or b.S > 1:
        return adjoint(a.to_dense()) @ b.to_dense()
    xp = a.kind.xp

    def flat(root: FisherRoot) -> Array:
        return xp.reshape(root.output_gradients, (*root.batch, root.n * root.K, root.d_out))

    outputs = conj(flat(a)) @ xp.matrix_transpose(flat(b))
    inputs = conj(a._flat_inputs()) @ xp.matrix_transpose(b._flat_inputs())
    blocks = xp.reshape(outputs, (*outputs.shape[:-2], a.n, a.K, b.n, b.K))
    return xp.reshape(blocks * inputs[..., :, None, :, None], outputs.shape)


@rules.gram.register(FisherRoot, KhatriRao)
def gram_of_fisher_root_and_khatri_rao(a: FisherRoot, b: KhatriRao) -> Array:
    """Row (i, k) is Σ_s (g_iskᴴ L) ∘ (a_isᴴ R) for B = L ⊙ R, where the sizes fit."""
    if a.d_out != b.left.shape[-2]:
        return NotImplemented
    outputs = conj(a.output_gradients) @ b.left[..., None, None, :, :]
    inputs = conj(a.inputs) @ b.right[..., None, :, :]
    return a._sum_positions(outputs * inputs[..., None, :])


@rules.gram.register(FisherRoot, Kronecker)
def gram_of_fisher_root_and_kronecker(a: FisherRoot, b: Kronecker) -> Array:
    """Row (i, k) is Σ_s (g_iskᴴ X) ⊗ (a_isᴴ Y) for B = X ⊗ Y, where the sizes fit."""
    if len(b.factors) != 2 or a.d_out != b.factors[0].shape[0] or a.batch != b.batch:
        return NotImplemented
    xp, batch = a.kind.xp, a.batch
    left, right = (factor.to_dense() for factor in b.factors)
    outputs = conj(a.output_gradients) @ left[..., None, None, :, :]
    outputs = xp.reshape(outputs, (*batch, a.n, a.S, a.K * left.shape[-1]))
    inputs = conj(a.inputs) @ right[..., None, :, :]
    products = xp.matrix_transpose(outputs) @ inputs
    return xp.reshape(products, (*batch, a.n * a.K, b.shape[1]))


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
    """Square both arrays, if there is one position."""
    return FisherRoot._make(abs2(a.inputs), abs2(a.output_gradients)) if a.S == 1 else NotImplemented


@rules.norm.register(FisherRoot)
def norm_of_fisher_root(a: FisherRoot) -> Array:
    """‖U‖² = Σ_i Σ_ss' (a_isᴴ a_is') (Σ_k g_iskᴴ g_is'k)."""
    xp = a.kind.xp
    inputs = conj(a.inputs) @ xp.matrix_transpose(a.inputs)
    rows = xp.reshape(a.output_gradients, (*a.batch, a.n, a.S, a.K * a.d_out))
    outputs = conj(rows) @ xp.matrix_transpose(rows)
    total = xp.sum(inputs * outputs, axis=(-3, -2, -1))
    return xp.sqrt(xp.real(total) if a.kind.is_complex else xp.abs(total))


@rules.to_dense.register(FisherRoot)
def fisher_root_to_dense(a: FisherRoot) -> Array:
    """Form the columns Σ_s g_isk a_isᵀ."""
    xp = a.kind.xp
    rows = xp.reshape(a.output_gradients, (*a.batch, a.n, a.S, a.K * a.d_out))
    columns = xp.matrix_transpose(rows) @ a.inputs
    return xp.matrix_transpose(xp.reshape(columns, (*a.batch, a.n * a.K, a.shape[0])))
