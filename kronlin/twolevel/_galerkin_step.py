"""The energy-optimal step: the best combination of a fine step and a coarse space."""

from collections.abc import Sequence
from typing import Any

from kronlin.algebra import rules
from kronlin.arrays import Array, adjoint, all_finite, cast, common_kind, kind, root_sum_squares
from kronlin.galerkin import Galerkin, inverse_of_coarse_matrix


def galerkin_step(A: Any, M: Any, Z: Any, b: Array, extra: Sequence[Array] = ()) -> Array:
    """The minimiser of ‖x - A⁻¹ b‖_A over x in span{M b, Z, extra}; not linear in b.

    Unlike A-DEF2 it also chooses the length of the fine step M b, which K-FAC often makes several times too long.
    The directions are made A-orthogonal to the coarse space, w ↦ Pᴴ w, and a small Galerkin system in them is
    solved: one product with A for M b and for each extra direction, a column of b at a time. A direction that
    lies in the coarse space, or depends on the others, is left out.

    Args:
        A: the operator of the system (p, p), self-adjoint and positive definite.
        M: an operator (p, p) that approximates A⁻¹.
        Z: an operator or array (p, k), or a `Galerkin` that was made before; None for no coarse space.
        b: the right-hand side (p,) or (p, k).
        extra: further directions, each shaped like b, such as the step before (momentum).

    Raises:
        ValueError: shapes or kinds do not fit, b or an extra direction has an entry that is NaN or infinite, or A
            shows that it is not positive definite.

    >>> import numpy as np
    >>> A = np.diag([1.0, 2.0, 4.0])
    >>> galerkin_step(A, np.eye(3), np.eye(3)[:, :1], np.ones(3))
    array([1.        , 0.33333333, 0.33333333])

    Source: Martens and Grosse, arXiv 1503.05671, sections 6.4 and 7, for the quadratic model on a few directions.
    """
    A, M = rules.wrap(A), rules.wrap(M)
    if A.shape[0] != A.shape[1] or M.shape != A.shape:
        raise ValueError(f"galerkin_step takes A (p, p) and M (p, p), not {A.shape} and {M.shape}")
    p = A.shape[0]
    if b.ndim not in (1, 2) or b.shape[0] != p:
        raise ValueError(f"galerkin_step: b has shape {tuple(b.shape)}: pass ({p},) or ({p}, k)")
    for position, direction in enumerate(extra):
        if direction.shape != b.shape:
            raise ValueError(
                f"galerkin_step: an extra direction has shape {tuple(direction.shape)}, b has {tuple(b.shape)}"
            )
        if not all_finite(direction):
            raise ValueError(f"galerkin_step: extra direction {position} has an entry that is NaN or infinite")
    if not all_finite(b):
        raise ValueError("galerkin_step: b has an entry that is NaN or infinite")
    coarse = Z if isinstance(Z, Galerkin) or Z is None else Galerkin(A, Z)
    if coarse is not None and not coarse.is_exact:
        raise ValueError(f"galerkin_step takes a coarse space whose E is solved exactly, not {coarse!r}")
    kinds = [A.kind, M.kind, *map(kind, (b, *extra)), *([] if coarse is None else [coarse.Z.kind])]
    own = common_kind(kinds, "galerkin_step")
    sides, *more = (cast(w[:, None] if b.ndim == 1 else w, own) for w in (b, *extra))
    x = _steps(A, coarse, sides, [M @ sides, *more])
    return x[:, 0] if b.ndim == 1 else x


def _steps(A: Any, coarse: Galerkin | None, b: Array, directions: list[Array]) -> Array:
    """The coarse solution plus the best combination of directions that are made A-orthogonal to it."""
    xp, count = kind(b).xp, b.shape[1]
    basis = xp.concat(directions, axis=1)
    if coarse is not None:
        basis = _complement(coarse, basis)
    image = A @ basis
    steps = []
    for j in range(count):
        own = basis[:, j::count]
        inverse, _ = inverse_of_coarse_matrix(adjoint(own) @ image[:, j::count])
        steps.append(own @ (inverse @ (adjoint(own) @ b[:, j : j + 1])))
    x = xp.concat(steps, axis=1)
    return x if coarse is None else x + coarse.Q @ b


def _complement(coarse: Galerkin, basis: Array) -> Array:
    """Pᴴ W by two projections; 0 for a column that lay in the coarse space.

    Of such a column rounding errors are left, or something that the second projection still moves.
    """
    own, once = kind(basis), _project(coarse, basis)
    twice = _project(coarse, once)
    length = root_sum_squares(once, axis=0)
    left = length > own.eps**0.75 * root_sum_squares(basis, axis=0)
    settled = root_sum_squares(twice - once, axis=0) < 0.1 * length
    return own.xp.where(left & settled, twice, own.zeros(*basis.shape))


def _project(coarse: Galerkin, basis: Array) -> Array:
    """W - Z E⁻¹ (A Z)ᴴ W."""
    return basis - coarse.Z @ (coarse.E_inverse @ (coarse.AZ.H @ basis))
