"""The leading singular pair of an operator, within the matrices of one symmetry on its right side.

The process of Golub and Kahan builds orthonormal U and V with R V = U B, B bidiagonal, from a start v₁; the leading
singular pair of B gives that of R. Every new vector is made orthogonal to all before it.

Source: Golub and Kahan, SIAM J. Numer. Anal. B 2 (1965); Golub and Van Loan, "Matrix Computations" (4th ed.), 10.4.
"""

from collections.abc import Callable
from typing import NamedTuple

from kronlin.algebra import Operator
from kronlin.arrays import Array, adjoint, conj, kind, root_sum_squares
from kronlin.operators import Dense

STEPS = 40
"""Steps until the process starts again from the best vector: 40 vectors of either side are held at most."""

RESTARTS = 10
"""Then the pair is taken as it is: so many steps do not tell apart singular values that are all but equal."""

Symmetry = Callable[[Array], Array]


class SingularPair(NamedTuple):
    """σ ≥ 0 and unit vectors with R v = σ u, Rᴴ u = σ v; u = 0 if σ = 0."""

    sigma: float
    u: Array
    v: Array


def hermitian(x: Array) -> Array:
    """The part with X = Xᴴ of each row-major vec(X) along the last axis."""
    return _part(x, 1)


def skew(x: Array) -> Array:
    """The part with X = -Xᴴ of each row-major vec(X) along the last axis."""
    return _part(x, -1)


def _part(x: Array, sign: int) -> Array:
    n = round(x.shape[-1] ** 0.5)
    square = kind(x).xp.reshape(x, (*x.shape[:-1], n, n))
    return kind(x).xp.reshape((square + sign * adjoint(square)) / 2, x.shape)


def leading_pair(R: Operator, start: Array, symmetry: Symmetry, floor: float = 0.0) -> SingularPair:
    """The largest σ with its u and v, v in the span of the given symmetry.

    Args:
        R: takes matrices of that symmetry to such matrices; a `Dense` one is decomposed whole.
        start: vec of a matrix of that symmetry. Of a multiple σ the vector nearest to it is taken, so that the
            identity leads to a psd v where R and Rᴴ take psd matrices to psd ones.
        symmetry: the projection onto matrices of that symmetry, linear over the reals.
        floor: a σ up to it counts as 0.
    """
    size = float(root_sum_squares(start, axis=0))
    if not size:
        return _nothing(R, start)
    v = start / size
    if isinstance(R, Dense):
        return _by_decomposition(R, v, symmetry, floor)
    for _ in range(RESTARTS):
        pair, residual = _golub_kahan(R, v, symmetry, floor)
        if residual <= _tolerance(R) * pair.sigma:
            break
        v = pair.v
    return pair if pair.sigma > floor else _nothing(R, start / size)


def _nothing(R: Operator, v: Array) -> SingularPair:
    return SingularPair(0.0, R.kind.zeros(R.shape[0]), v)


def _tolerance(R: Operator) -> float:
    return 10 * R.kind.eps


def _by_decomposition(R: Dense, start: Array, symmetry: Symmetry, floor: float) -> SingularPair:
    """From all singular pairs; a real R is cut to the symmetry, and over ℂ each space of vectors has both."""
    own, xp = R.kind, R.kind.xp
    rows = R.array if own.is_complex else symmetry(R.array)
    _, values, right = xp.linalg.svd(rows, full_matrices=False)
    sigma = float(values[0])
    if sigma <= floor:
        return _nothing(R, start)
    equal = xp.astype(values > sigma * (1 - 10 * max(R.shape) * own.eps), own.dtype)
    v = symmetry(adjoint(right) @ (equal * (right @ start)))
    size = float(root_sum_squares(v, axis=0))
    v = v / size if size else conj(right[0, :])
    return SingularPair(sigma, R._matmat(v[:, None])[:, 0] / sigma, v)


def _golub_kahan(R: Operator, v: Array, symmetry: Symmetry, floor: float) -> tuple[SingularPair, float]:
    """The best pair of one run of at most `STEPS` steps, and the norm of its residual Rᴴ u - σ v."""
    own, xp = R.kind, R.kind.xp
    us: list[Array] = []
    vs: list[Array] = []
    steps = min(STEPS, min(R.shape) + 1)
    floor /= R.shape[1] ** 0.5  # a start shares about that much with the leading vector
    B = [[0.0] * steps for _ in range(steps)]  # of one size: libraries that compile for every shape do so once
    for j in range(steps):
        vs.append(v)
        p = _orthogonal(R @ v, us)
        alpha = float(root_sum_squares(p, axis=0))
        exhausted = alpha <= max(floor, own.eps * max(map(max, B)))
        B[j][j] = 0.0 if exhausted else alpha
        us.append(0 * p if exhausted else p / alpha)
        r = 0 * v if exhausted else symmetry(_orthogonal(R.H @ us[-1], vs))
        beta = float(root_sum_squares(r, axis=0))
        left, values, right = xp.linalg.svd(own.real.asarray(B))
        sigma, residual = float(values[0]), beta * abs(float(left[j, 0]))
        if residual <= _tolerance(R) * sigma:
            break
        v = r / beta
        if j + 1 < steps:
            B[j][j + 1] = beta
    u = sum(float(left[i, 0]) * u for i, u in enumerate(us))
    v = sum(float(right[0, i]) * v for i, v in enumerate(vs))
    return SingularPair(sigma, u, v), residual


def _orthogonal(x: Array, basis: list[Array]) -> Array:
    """X without its parts along the vectors, twice, so that rounding errors do not stay."""
    xp = kind(x).xp
    for q in (*basis, *basis):
        x = x - xp.sum(conj(q) * x) * q
    return x
