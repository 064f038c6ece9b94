"""Factored damping: a multiple of the identity in each Kronecker factor, instead of one in their product."""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from kronlin.algebra import Operator, Scaled, Sum
from kronlin.arrays import max_abs
from kronlin.curvature._blockwise import blockwise, is_product, no_factors, require_square_factors
from kronlin.operators import Kronecker

_AVERAGES: dict[str | None, Callable[[Operator], float]] = {
    "trace": lambda factor: _real(factor.trace()) / factor.shape[0],
    "frobenius": lambda factor: float(factor.norm()) / factor.shape[0] ** 0.5,
    "spectral": lambda factor: max_abs(factor.eigvalsh()),
    None: lambda factor: 1.0,
}


def factored_damping(F: Any, lam: float | Sequence[float], pi: str | None = "trace") -> Operator:
    """(G + √λ/π I) ⊗ (A + π√λ I) for every Kronecker product G ⊗ A: F + λ I and two cross terms.

    This is another matrix than `F.damped(lam)`, which is exactly F + λ I: the cross terms √λ/π I ⊗ A + π√λ G ⊗ I make
    it larger, so that a step with its inverse is shorter. What it wins: Cholesky factors of G and A suffice, and a sum
    of two Kronecker products, which with λ I has three terms, keeps its inverse in closed form.

    π balances the factors, π² = ν(A)/ν(G) with the average ν of their eigenvalues ("trace", tr A / size), the root of
    their mean square ("frobenius", ‖A‖ / √size), or the largest ("spectral", which takes an eigendecomposition). Then
    the result depends on G ⊗ A only, not on how a number is split between the factors, and c F with c λ gives c times
    the result. π = 1 (`None`) has neither property.

    - A product of k factors A_i: A_i + ν(A_i) (λ / ∏ ν)^(1/k) I, the same formula for k = 2. A factor of one entry is a
      number and takes no damping of its own; if any factor is zero, all get λ^(1/k) I.
    - A `BlockDiagonal`: block by block.
    - c F with c > 0: c times F damped by λ / c.
    - A sum with Kronecker products of which one is psd, such as `kpsvd(layers, rank=2)` or `kfac_corrected(layers)`:
      the factors of the first psd product are damped, the other terms stay.

    Args:
        F: Kronecker product, multiple, sum, or block-diagonal operator of them.
        lam: a finite λ ≥ 0, in the units of F; for a block-diagonal F also a sequence, one a block.
        pi: "trace", "frobenius", "spectral", or None for π = 1.

    Returns:
        An operator of the structure of F.

    Raises:
        ValueError: λ is negative or not finite, there are not as many as blocks, `pi` is unknown, F has no Kronecker
            factors, or a factor is not square or has a negative trace.

    >>> import numpy as np, kronlin as kl
    >>> K = kl.Kronecker(np.diag([1.0, 3.0]), np.diag([4.0, 12.0]))
    >>> kl.factored_damping(K, 4.0).to_dense().diagonal()
    array([16., 32., 32., 64.])
    >>> kl.factored_damping(kl.BlockDiagonal([K, K]), [0.1, 0.2], pi=None)
    BlockDiagonal(8×8, float64, self-adjoint: Kronecker(2×2 ⊗ 2×2), Kronecker(2×2 ⊗ 2×2))

    Source: Martens and Grosse, arXiv 1503.05671, section 6.3; two terms: Koroko et al., arXiv 2201.10285.
    """
    if pi not in _AVERAGES:
        raise ValueError(f"unknown pi {pi!r}: choose one of {', '.join(map(repr, _AVERAGES))}")
    return blockwise(F, lam, lambda block, number: _damped(block, number, pi))


def _damped(F: Operator, lam: float, pi: str | None) -> Operator:
    """Damp one block, by its structure."""
    if isinstance(F, Kronecker):
        return _damped_product(F, lam, pi)
    if isinstance(F, Scaled) and not F.factor.imag and F.factor.real > 0:
        return F.factor.real * _damped(F.base, lam / F.factor.real, pi)
    if isinstance(F, Sum):
        for position, term in enumerate(F.terms):
            if term.is_psd and is_product(term):
                return Sum(*F.terms[:position], _damped(term, lam, pi), *F.terms[position + 1 :])
    raise no_factors(F)


def _damped_product(K: Kronecker, lam: float, pi: str | None) -> Operator:
    """Add to each factor its share of λ."""
    average, k = _AVERAGES[pi], len(K.factors)
    require_square_factors(K)
    averages = [average(factor) for factor in K.factors]
    if min(averages) < 0:
        raise ValueError(f"{K!r} has factors with average eigenvalues {averages}: only psd ones can be damped")
    if pi is None or 0 in averages:
        return Kronecker(*(factor.damped(lam ** (1 / k)) for factor in K.factors))
    wide = [factor.shape[0] > 1 for factor in K.factors]
    k = sum(wide) or k
    share = lam ** (1 / k) / prod(average ** (1 / k) for average in averages)
    return Kronecker(
        *(
            factor.damped(average * share) if large or not any(wide) else factor
            for factor, average, large in zip(K.factors, averages, wide, strict=True)
        )
    )


def _real(x: Any) -> float:
    """The real part of a number held as an array."""
    return complex(x).real
