"""What is left where no rule keeps the structure: the dense method up to a stated size, and advice above it."""

from kronlin.algebra import Operator, rules
from kronlin.algebra.columns import column_blocks
from kronlin.arrays import Array, adjoint, hermitian_part, join, root_sum_squares
from kronlin.operators.dense import Dense
from kronlin.operators.squaredmoduli import SquaredModuli

DENSE_LIMIT = 4096
"""Largest number of rows or columns for which an operator is silently made dense to be factored."""


def small_dense(a: Operator, what: str, why: str = "") -> Dense:
    """Form a small operator as an array, or raise with the reason, the size and the way out."""
    rows, columns = a.shape
    if max(rows, columns) > DENSE_LIMIT:
        raise ValueError(
            f"{what} of {a!r} has no structured method{why}, and {rows}×{columns} is above the limit of {DENSE_LIMIT} "
            "for a dense one: solve iteratively with kronlin.cg(A, b), or ask for A.to_dense() yourself"
        )
    dense = Dense._make(a.to_dense())
    return dense._with(a.properties) if rows == columns and a.properties.self_adjoint else dense


@rules.to_dense.register(Operator)
def to_dense_by_products(a: Operator) -> Array:
    """Multiply with the identity, from the narrower side."""
    rows, columns = a.shape
    if columns <= rows:
        eye = a.kind.eye(columns)
        return a._matmat(a.kind.xp.broadcast_to(eye, (*a.batch, columns, columns)))
    eye = a.kind.xp.broadcast_to(a.kind.eye(rows), (*a.batch, rows, rows))
    return adjoint(a.H._matmat(eye))


@rules.solve.register(Operator)
def solve_by_inverse(a: Operator, b: Array) -> Array:
    """Multiply with the inverse."""
    return a.inverse()._matmat(b)


@rules.inverse.register(Operator)
def inverse_by_dense(a: Operator) -> Operator:
    """Invert the array."""
    inverse = small_dense(a, "the inverse").inverse()
    a._keep("form", f"primal {a.shape[0]}×{a.shape[0]}: dense")
    return inverse


@rules.pinv.register(Operator)
def pinv_by_dense(a: Operator) -> Operator:
    """Invert the array in the sense of Moore and Penrose; a wanted inverse exists for a pd operator."""
    return a.inverse() if a.is_pd else small_dense(a, "the pseudo-inverse").pinv()


@rules.eigh.register(Operator)
def eigh_by_dense(a: Operator) -> Operator:
    """Decompose the array."""
    return small_dense(a, "the eigendecomposition").eigh()


@rules.power.register(Operator)
def power_by_eigh(a: Operator, p: float) -> Operator:
    """Aᵖ = Q diag(w)ᵖ Qᴴ for a fraction; where A may be singular, eigenvalues that are rounding error count as 0."""
    basis = a.eigh()
    return basis.power(p) if a.is_pd else basis._without_rounding(positive=p < 0).power(p)


@rules.modulus2.register(Operator)
def modulus2_by_columns(a: Operator) -> Operator:
    """Form the columns when they are needed, a few at a time."""
    return SquaredModuli(a) if a.shape[1] <= DENSE_LIMIT else small_dense(a, "the squared moduli")


@rules.slogdet.register(Operator)
def slogdet_by_dense(a: Operator) -> tuple[Array, Array]:
    """Factor the array."""
    return small_dense(a, "the determinant").slogdet()


@rules.trace.register(Operator)
def trace_by_diagonal(a: Operator) -> Array:
    """Sum the diagonal."""
    return a.kind.xp.sum(a.diagonal(), axis=-1)


@rules.diagonal.register(Operator)
def diagonal_by_dense(a: Operator) -> Array:
    """Read it off the array."""
    return small_dense(a, "the diagonal").diagonal()


@rules.norm.register(Operator)
def norm_by_columns(a: Operator) -> Array:
    """Sum over the columns, a few at a time, or over the rows of a wide operator."""
    rows, columns = a.shape
    if min(rows, columns) > DENSE_LIMIT or max(rows, columns) <= DENSE_LIMIT:
        return small_dense(a, "the norm").norm()
    blocks = column_blocks(a if columns <= rows else a.H)
    norms = [root_sum_squares(block, axis=(-2, -1)) for _, (block,) in blocks]
    return root_sum_squares(a.kind.xp.stack(norms), axis=0)


@rules.gram.register(Operator, Operator)
def gram_by_products(a: Operator, b: Operator) -> Array:
    """Form the narrower operand, a few columns at a time, and multiply it with the adjoint of the other."""
    wide, narrow = (a, b) if b.shape[1] <= a.shape[1] else (b, a)
    products = [wide.H._matmat(block) for _, (block,) in column_blocks(narrow)]
    product = join(products, axis=-1)
    return product if narrow is b else adjoint(product)


@rules.wide_gram.register(Operator)
def wide_gram_in_own_precision(a: Operator) -> Array:
    """An operator may compute in its own precision only."""
    return rules.gram(a, a)


@rules.inner.register(Operator, Operator)
def inner_by_dense(a: Operator, b: Operator) -> Array:
    """Multiply entry by entry."""
    return rules.inner(*(small_dense(operator, "the inner product") for operator in (a, b)))


@rules.project.register(Operator, Operator)
def project_by_products(a: Operator, z: Operator) -> tuple[Operator, Array]:
    """A Z as an array, one product with A a column; Zᴴ A Z from it."""
    image = Dense._make(a._matmat(z.to_dense()))
    matrix = rules.gram(z, image)
    return image, hermitian_part(matrix) if a.is_self_adjoint else matrix
