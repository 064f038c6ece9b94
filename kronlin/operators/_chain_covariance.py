"""The matrix whose inverse is block tridiagonal, from the conditional moments of a Gaussian chain."""

from collections.abc import Iterable
from typing import Any

from kronlin.algebra import Identity, Operator, Product, rules
from kronlin.algebra.properties import PD
from kronlin.algebra.structure import promote
from kronlin.operators.blockdiagonal import BlockDiagonal
from kronlin.operators.blocktridiagonal import BlockTridiagonal


def chain_covariance(couplings: Iterable[Any], variances: Iterable[Any]) -> Operator:
    """The covariance of x_l = Ψ_l x_{l+1} + ε_l, Cov ε_l = Σ_l: Ξ⁻¹ diag(Σ) Ξ⁻ᴴ, with block tridiagonal inverse.

    Ξ is the identity with -Ψ_l to the right of block l, and Ξᴴ diag(Σ)⁻¹ Ξ is the inverse. An application costs two
    block substitutions, which multiply with each Ψ_l once, and a product with each Σ_l; nothing is inverted. With
    Ψ_l = F_{l,l+1} F_{l+1,l+1}⁻¹ and Σ_l = F_ll - Ψ_l F_{l+1,l+1} Ψ_lᴴ (the last one F_LL), the result has the
    blocks F_ll and F_{l,l+1} of a given F.

    Args:
        couplings: operators or arrays Ψ_0, …, Ψ_{L-2}, of shape (n_l, n_{l+1}).
        variances: operators or arrays Σ_0, …, Σ_{L-1}, of shape (n_l, n_l).

    Returns:
        an operator that is known to be psd or pd if all Σ_l are.

    Raises:
        ValueError: shapes do not fit, or kinds differ.

    >>> import numpy as np, kronlin as kl
    >>> pd = kl.assume(np.eye(1), "pd")
    >>> F = chain_covariance([0.5 * np.eye(1)], [pd, pd])
    >>> F.to_dense()
    array([[1.25, 0.5 ],
           [0.5 , 1.  ]])
    >>> F.inverse().to_dense()
    array([[ 1.  , -0.5 ],
           [-0.5 ,  1.25]])

    Source: Martens and Grosse, arXiv 1503.05671, section 4.3.
    """
    blocks = [rules.wrap(block) for block in variances]
    if not blocks:
        raise ValueError("chain_covariance takes at least one variance")
    both = promote("a chain of blocks", *blocks, *map(rules.wrap, couplings))
    middle = BlockDiagonal(both[: len(blocks)])
    ones = [Identity(block.shape[0], like=middle) for block in blocks]
    root = BlockTridiagonal(ones, [-coupling for coupling in both[len(blocks) :]], None).inverse()
    covariance = Product(root, middle, root.H)
    return covariance._with(PD) if middle.is_pd else covariance
