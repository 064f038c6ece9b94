"""The product of a scheme in its fewest steps."""

import re
from collections.abc import Callable

from kronlin.algebra import Operator
from kronlin.arrays import Array
from kronlin.galerkin import Galerkin

_PROJECTING = re.compile(r"(Pᴴ )?M( P)?( \+ Q)?")


def fused_product(expression: str, M: Operator, coarse: Galerkin) -> Callable[[Array], Array] | None:
    """Return x ↦ B x for B = Pᴴ M P + Q and what is left of it without Pᴴ, P or Q; None for another expression.

    With c = E⁻¹ Zᴴ x, y = M (x - A Z c) and d = (A Z E⁻¹)ᴴ y it is y + Z (c - d): P and Q share the product with Zᴴ,
    Pᴴ and Q that with Z, where the formula computes each for itself.

    Args:
        expression: what the scheme computes, as written in its entry.
        M: the fine preconditioner.
        coarse: the coarse problem.
    """
    form = _PROJECTING.fullmatch(expression)
    if form is None or form[1] is form[2] is None:
        return None
    after, before, corrected = (part is not None for part in form.groups())
    Z, ZH, AZ, AZH = coarse.Z, coarse.Z.H, coarse.AZ, coarse.AZ.H
    solve, solve_adjoint = coarse.E_inverse, coarse.E_inverse.H

    def product(x: Array) -> Array:
        c = solve._matmat(ZH._matmat(x)) if before or corrected else None
        y = M._matmat(x - AZ._matmat(c) if before else x)
        if after:
            d = solve_adjoint._matmat(AZH._matmat(y))
            return y + Z._matmat(c - d) if corrected else y - Z._matmat(d)
        return y + Z._matmat(c) if corrected else y

    return product
