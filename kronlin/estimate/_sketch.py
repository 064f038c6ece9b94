"""A sketch Q R = A Ω of the range of A, and what it becomes when one random vector is left out."""

from typing import Any, NamedTuple

from kronlin.algebra import Operator, rules
from kronlin.arrays import Array, adjoint, diagonal_of, max_abs, root_sum_squares, solve_triangular


class Sketch(NamedTuple):
    """Y = A Ω = Q R with orthonormal Q (n, k), and the unit vectors sᵢ that turn Q into the basis Q₍ᵢ₎ without ωᵢ.

    Column sᵢ of S is orthogonal to all columns of R but the i-th: Q₍ᵢ₎ Q₍ᵢ₎ᴴ = Q (I - sᵢ sᵢᴴ) Qᴴ.

    Source: Epperly, Tropp and Webber, SIAM J. Matrix Anal. Appl. 45 (2024), arXiv 2301.07825.
    """

    image: Array
    Q: Array
    R: Array
    S: Array


def sketch(A: Operator, omega: Array) -> Sketch:
    """Multiply A with all columns of Ω in one call and decompose."""
    xp, k = A.kind.xp, omega.shape[1]
    image = A._matmat(omega)
    q, r = xp.linalg.qr(image)
    # R of an A of low rank is singular: a change by rounding gives it an inverse, and sᵢ the right direction
    unit = max_abs(r) or 1.0
    scaled = r / unit
    tiny = xp.abs(diagonal_of(scaled)) < A.kind.eps
    triangle = adjoint(scaled + A.kind.eps * xp.astype(tiny, scaled.dtype) * A.kind.eye(k))
    s = solve_triangular(triangle, A.kind.eye(k))
    return Sketch(image, q, r, s / root_sum_squares(s, axis=0))


def enter(caller: str, A: Any, samples: int) -> Operator:
    """Return A as an operator, or say what is wrong with it or with the number of samples.

    Raises:
        ValueError: A is not square, or there are fewer samples than an error estimate takes.
    """
    A = rules.wrap(A)
    if A.shape[0] != A.shape[1]:
        raise ValueError(f"estimate.{caller} needs a square A, not {A!r}")
    if not isinstance(samples, int) or samples < 2:
        raise ValueError(f"estimate.{caller}: samples must be at least 2, for the spread of them, not {samples!r}")
    return A


def real_if_self_adjoint(A: Operator, values: Array) -> Array:
    """The trace and the diagonal of a self-adjoint A are real: so is what estimates them."""
    return A.kind.xp.real(values) if A.kind.is_complex and A.is_self_adjoint else values
