"""Per-factor damping: the same multiple of the identity in every Kronecker factor, as some published codes add it."""

from collections.abc import Sequence
from typing import Any

from kronlin.algebra import Operator, Scaled, Sum
from kronlin.curvature._blockwise import blockwise, is_product, no_factors, require_square_factors
from kronlin.operators import Kronecker


def per_factor_damping(F: Any, lam: float | Sequence[float]) -> Operator:
    """(G + λ I) ⊗ (A + λ I) for every Kronecker product G ⊗ A, each factor with the whole λ.

    Here to reproduce the results of codes with this convention. λ is in the units of a factor, not of F, and the
    effective damping is not λ: (G + λ I) ⊗ (A + λ I) = F + λ (G ⊗ I + I ⊗ A) + λ² I, so that a direction which both
    factors leave out is damped by λ² alone, and the others by up to λ (‖G‖ + ‖A‖) more. The result depends on how a
    number is split between the factors. `factored_damping` has neither flaw, and `F.damped(lam)` is exactly F + λ I.

    - A product of k factors: λ in each, a factor of one entry too.
    - A `BlockDiagonal`: block by block.
    - c F with c > 0: c times F so damped.
    - A sum: in every Kronecker product that is known to be psd; the other terms stay.

    Args:
        F: Kronecker product, multiple, sum, or block-diagonal operator of them.
        lam: a finite λ ≥ 0; for a block-diagonal F also a sequence, one a block.

    Returns:
        An operator of the structure of F.

    Raises:
        ValueError: λ is negative or not finite, there are not as many as blocks, F has no Kronecker factors, or a
            factor is not square.

    >>> import numpy as np, kronlin as kl
    >>> K = kl.Kronecker(np.diag([1.0, 3.0]), np.diag([4.0, 12.0]))
    >>> kl.per_factor_damping(K, 1.0)
    Kronecker(4×4, float64, self-adjoint: 2×2 ⊗ 2×2)
    >>> kl.per_factor_damping(K, 1.0).to_dense().diagonal()
    array([10., 26., 20., 52.])

    Source: the sum of two terms: Dangel, Müller and Zeinhofer (2024), "Kronecker-factored approximate curvature for
    physics-informed neural networks", arXiv 2405.15603.
    """
    return blockwise(F, lam, _damped)


def _damped(F: Operator, lam: float) -> Operator:
    """Damp one block, by its structure."""
    if isinstance(F, Kronecker):
        require_square_factors(F)
        return Kronecker(*(factor.damped(lam) for factor in F.factors))
    if isinstance(F, Scaled) and not F.factor.imag and F.factor.real > 0:
        return F.factor.real * _damped(F.base, lam)
    if isinstance(F, Sum):
        chosen = [bool(term.is_psd) and is_product(term) for term in F.terms]
        if any(chosen):
            pairs = zip(F.terms, chosen, strict=True)
            return Sum(*(_damped(term, lam) if damp else term for term, damp in pairs))
    raise no_factors(F)
