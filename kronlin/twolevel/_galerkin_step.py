"""The energy-optimal step: the best combination of a fine step and a coarse space."""

from collections.abc import Sequence
from typing import Any

from kronlin.algebra import rules
from kronlin.arrays import Array, adjoint, all_finite, kind
from kronlin.galerkin import Galerkin, inverse_of_coarse_matrix


def galerkin_step(A: Any, M: Any, Z: Any, b: Array, extra: Sequence[Array] = ()) -> Array:
    """The minimiser of ‖x - A⁻¹ b‖_A over x in span{M b, Z, extra}; not linear in b.

    Unlike A-DEF2 it also chooses the length of the fine step M b, which K-FAC often makes several times too long.
    The directions are made A-orthogonal to the coarse space, w ↦ Pᴴ w, and a small Galerkin system in them is
    solved: one product with A for M b and for each extra direction, a column of b at a time.

    Args:
        A: the operator of the system (p, p), self-adjoint and positive definite.
        M: an operator (p, p) that approximates A⁻¹.
        Z: an operator or array (p, k), or a `Galerkin` that was made before; None for no coarse space.
        b: the right-hand side (p,) or (p, k).
        extra: further directions, each shaped like b, such as the step before (momentum).

    Raises:
        ValueError: shapes or kinds do not fit, or b has an entry that is NaN or infinite.

    >>> import numpy as np
    >>> A = np.diag([1.0, 2.0, 4.0])
    >>> galerkin_step(A, np.eye(3), np.eye(3)[:, :1], np.ones(3))
    array([1.        , 0.33333333, 0.33333333])

    Source: Martens and Grosse, arXiv 1503.05671, sections 6.4 and 7, for the quadratic model on a few directions.
    """
    A, M = rules.wrap(A), rules.wrap(M)
    if not all_finite(b):
        raise ValueError("galerkin_step: b has an entry that is NaN or infinite")
    for direction in extra:
        if direction.shape != b.shape:
            raise ValueError(f"galerkin_step: an extra direction has shape {direction.shape}, b has {b.shape}")
    coarse = Z if isinstance(Z, Galerkin) or Z is None else Galerkin(A, Z)
    xp = kind(b).xp
    columns = []
    sides = b[:, None] if b.ndim == 1 else b
    fine = [M @ sides, *(w[:, None] if b.ndim == 1 else w for w in extra)]
    for j in range(sides.shape[1]):
        basis = xp.stack([w[:, j] for w in fine], axis=1)
        columns.append(_step(A, coarse, sides[:, j : j + 1], basis))
    x = xp.concat(columns, axis=1)
    return x[:, 0] if b.ndim == 1 else x


def _step(A: Any, coarse: Galerkin | None, b: Array, basis: Array) -> Array:
    """Galerkin on the basis, made A-orthogonal to the coarse space, plus the coarse solution."""
    image = A @ basis
    if coarse is not None:
        c = coarse.E_inverse @ (coarse.AZ.H @ basis)
        basis, image = basis - coarse.Z @ c, image - coarse.AZ @ c
    inverse, _ = inverse_of_coarse_matrix(adjoint(basis) @ image)
    x = basis @ (inverse @ (adjoint(basis) @ b))
    return x if coarse is None else x + coarse.Q @ b
