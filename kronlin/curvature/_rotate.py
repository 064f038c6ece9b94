"""rotate: an operator expressed in the eigenbasis of another, of which it keeps the diagonal."""

from typing import Any

from kronlin.algebra import Operator, rules
from kronlin.arrays import real_part
from kronlin.operators import BlockDiagonal, Spectral
from kronlin.operators.blockdiagonal import pairwise


def rotate(A: Any, basis: Any) -> Operator:
    """Q' diag(w') Q'ᴴ with w' = diag(Q'ᴴ A Q'): of all operators with the eigenvectors Q' the nearest to A.

    When an average of EK-FAC gets a new basis, this carries its eigenvalues over: for A = Q diag(w) Qᴴ they become
    w' = |Q'ᴴ Q|² w. The trace is kept, the Frobenius norm cannot grow, no eigenvalue leaves the range of those
    before, and in the basis that A has already nothing changes. What A has off the diagonal in the new basis is lost.

    Cost: for Kronecker bases that of the products of their factors, and one product with the squared moduli.

    Args:
        A: a `Spectral`, `Kronecker` or other self-adjoint operator, or a `BlockDiagonal` of them.
        basis: an operator whose eigenvectors are Q', such as a new `kfac(layers)` or `ekfac(layers)`; block-diagonal
            with the blocks of A if A is.

    Returns:
        A `Spectral`, or a `BlockDiagonal` of them.

    Raises:
        ValueError: A is not self-adjoint, or the sizes of A and `basis` or of their blocks differ.

    >>> import numpy as np, kronlin as kl
    >>> old = kl.Spectral(np.eye(2), np.array([1.0, 3.0]))
    >>> new = kl.rotate(old, kl.assume(np.array([[2.0, 1.0], [1.0, 2.0]]), "psd"))
    >>> new, new.w
    (Spectral(2×2, float64, pd: Dense(2×2)), array([2., 2.]))

    Source: George et al. (2018), "Fast approximate natural gradient descent in a Kronecker-factored eigenbasis",
    arXiv 1806.03884.
    """
    A, basis = rules.wrap(A), rules.wrap(basis)
    if isinstance(A, BlockDiagonal) and isinstance(basis, BlockDiagonal):
        if A.rows.sizes == basis.rows.sizes:
            return pairwise(A, basis, _rotated)
    elif A.shape == basis.shape and not isinstance(A, BlockDiagonal) and not isinstance(basis, BlockDiagonal):
        return _rotated(A, basis)
    raise ValueError(f"cannot rotate {A!r} into the basis of {basis!r}: both need the same size and the same blocks")


def _rotated(A: Operator, basis: Operator) -> Operator:
    """One block, or a stack of equal ones."""
    if not A.is_self_adjoint:
        raise ValueError(
            f"cannot rotate {A!r}: it is not known to be self-adjoint, so its eigenvalues need not be real"
        )
    Q = basis.eigh().Q
    if isinstance(A, Spectral):
        shares = rules.modulus2(Q.H @ A.Q)
        w = real_part(shares._matmat((A.w - A.rest)[..., None]))[..., 0] + A.rest
    else:
        w = real_part((Q.H @ A @ Q).diagonal())
    return Spectral._make(Q, w, rest=0.0)
