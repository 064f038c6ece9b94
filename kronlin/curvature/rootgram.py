"""The Gram matrices Uᴴ B of a Fisher root, each in the order of sums that costs least, in pieces of bounded size."""

from math import prod

from kronlin.algebra import rules
from kronlin.arrays import Array, conj, join, pieces
from kronlin.curvature.root import FisherRoot
from kronlin.operators import KhatriRao, Kronecker


@rules.gram.register(FisherRoot, FisherRoot)
def gram_of_fisher_roots(a: FisherRoot, b: FisherRoot) -> Array:
    """Entry (ik, jl) is Σ_st (g_iskᴴ h_jtl) (a_isᴴ b_jt), or ⟨P_ik, Q_jl⟩ with the columns as matrices.

    The first order costs n S n' S' (d_in + K K' d_out) multiplications, the second n K n' K' d_out d_in and the
    columns: for many positions it is the cheaper one.
    """
    if a.d_out != b.d_out:
        return NotImplemented
    pairs = a.n * a.S * b.n * b.S * (a.d_in + a.K * b.K * a.d_out)
    columns = a.shape[0] * (a.shape[1] * a.S + b.shape[1] * b.S + a.shape[1] * b.shape[1])
    return _by_columns(a, b) if pairs > columns and a.S * b.S > 1 else _by_pairs(a, b)


def _by_pairs(a: FisherRoot, b: FisherRoot) -> Array:
    """All pairs of positions, for some examples on either side at a time."""
    entries = 3 * a.S * a.K * b.S * b.K
    rows = []
    for _, left in a._some_examples(entries * b.n + a._conjugates()):
        tiles = [_tile(left, right) for _, right in b._some_examples(entries * left.n)]
        rows.append(join(tiles, axis=-1))
    return join(rows, axis=-2)


def _tile(a: FisherRoot, b: FisherRoot) -> Array:
    """(conj(g) hᵀ) ∘ (conj(a) bᵀ), summed over the positions of both."""
    xp, batch = a.kind.xp, a.batch

    def flat(root: FisherRoot) -> Array:
        return xp.reshape(root.output_gradients, (*root.batch, root.n * root.S * root.K, root.d_out))

    outputs = conj(flat(a)) @ xp.matrix_transpose(flat(b))
    inputs = conj(a._flat_inputs()) @ xp.matrix_transpose(b._flat_inputs())
    outputs = xp.reshape(outputs, (*batch, a.n, a.S, a.K, b.n, b.S, b.K))
    products = outputs * xp.reshape(inputs, (*batch, a.n, a.S, 1, b.n, b.S, 1))
    if a.S * b.S > 1:
        products = xp.sum(products, axis=(-5, -2))
    return xp.reshape(products, (*batch, a.shape[1], b.shape[1]))


def _by_columns(a: FisherRoot, b: FisherRoot) -> Array:
    """For some entries of the weight at a time, those of all columns."""
    entries = (1 + a.kind.is_complex) * prod(a.batch) * (a.shape[1] + b.shape[1])
    total = None
    for outputs in pieces(a.d_out, entries * a.d_in, a.kind):
        for inputs in pieces(a.d_in, entries * (outputs.stop - outputs.start), a.kind):
            left = _rows(a, outputs, inputs)
            right = left if b is a else _rows(b, outputs, inputs)
            product = conj(left) @ a.kind.xp.matrix_transpose(right)
            total = product if total is None else total + product
    return total


def _rows(a: FisherRoot, outputs: slice, inputs: slice) -> Array:
    """The columns cut to a rectangle of the weight, one a row."""
    part = FisherRoot._make(a.inputs[..., inputs], a.output_gradients[..., outputs])
    return a.kind.xp.reshape(part._gradients(), (*a.batch, a.shape[1], part.shape[0]))


@rules.wide_gram.register(FisherRoot)
def wide_gram_of_fisher_root(a: FisherRoot) -> Array:
    """From both arrays in double precision, of some examples at a time."""
    parts = [part for _, part in a._some_examples(4 * a.S * (a.d_in + a.K * a.d_out))]
    rows = []
    for left in parts:
        wide = left._astype(a.kind.double)
        tiles = [rules.gram(wide, wide if part is left else part._astype(a.kind.double)) for part in parts]
        rows.append(join(tiles, axis=-1))
    return join(rows, axis=-2)


@rules.gram.register(FisherRoot, KhatriRao)
def gram_of_fisher_root_and_khatri_rao(a: FisherRoot, b: KhatriRao) -> Array:
    """Row (i, k) is Σ_s (g_iskᴴ L) ∘ (a_isᴴ R) for B = L ⊙ R, where the sizes fit."""
    if a.d_out != b.left.shape[-2]:
        return NotImplemented
    entries = a.S * (2 * a.K + 1) * b.shape[1] + a._conjugates()
    return join([_with_khatri_rao(part, b) for _, part in a._some_examples(entries)], axis=-2)


def _with_khatri_rao(a: FisherRoot, b: KhatriRao) -> Array:
    outputs = conj(a.output_gradients) @ b.left[..., None, None, :, :]
    inputs = conj(a.inputs) @ b.right[..., None, :, :]
    return a._sum_positions(outputs * inputs[..., None, :])


@rules.gram.register(FisherRoot, Kronecker)
def gram_of_fisher_root_and_kronecker(a: FisherRoot, b: Kronecker) -> Array:
    """Row (i, k) is Σ_s (g_iskᴴ X) ⊗ (a_isᴴ Y) for B = X ⊗ Y, where the sizes fit."""
    if len(b.factors) != 2 or a.d_out != b.factors[0].shape[0] or a.batch != b.batch:
        return NotImplemented
    left, right = (factor.to_dense() for factor in b.factors)
    entries = 2 * a.S * (a.K * left.shape[-1] + right.shape[-1]) + a._conjugates()
    return join([_with_kronecker(part, left, right) for _, part in a._some_examples(entries)], axis=-2)


def _with_kronecker(a: FisherRoot, left: Array, right: Array) -> Array:
    xp, batch = a.kind.xp, a.batch
    outputs = conj(a.output_gradients) @ left[..., None, None, :, :]
    outputs = xp.reshape(outputs, (*batch, a.n, a.S, a.K * left.shape[-1]))
    inputs = conj(a.inputs) @ right[..., None, :, :]
    products = xp.matrix_transpose(outputs) @ inputs
    return xp.reshape(products, (*batch, a.n * a.K, left.shape[-1] * right.shape[-1]))
