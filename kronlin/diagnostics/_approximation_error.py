"""approximation_error: how far approximations of one matrix are from it, in three measures."""

from collections.abc import Callable, Mapping
from functools import partial
from math import inf, sqrt
from typing import Any

from kronlin.algebra import Operator, rules
from kronlin.arrays import common_kind, real_part
from kronlin.diagnostics._spectral_ends import spectral_norm
from kronlin.diagnostics.approximationerrors import ApproximationErrors, ErrorRow
from kronlin.diagnostics.steinloss import Definiteness, stein_loss
from kronlin.operators import DENSE_LIMIT


def approximation_error(
    F: Any,
    approximations: Mapping[str, Any],
    lam: float | None = None,
    *,
    rtol: float = 1e-3,
    callback: Callable[[str], object] | None = None,
) -> ApproximationErrors:
    """Measure how far approximations K are from F: Frobenius and spectral norm of F - K, and the loss of Stein.

    ‖F - K‖ / ‖F‖ and ‖F - K‖₂ / ‖F‖₂, both without damping, and tr(B⁻¹ A) - log det(B⁻¹ A) - p for A = F + λ I and
    B = K + λ I. Half of the last is the Kullback-Leibler divergence of the normal distributions with the precision
    matrices B and A. It exists for positive definite A and B only; where they are not, a remark says so in its place,
    as it does where K has negative eigenvalues, with λ or without.

    ‖F - K‖² is ‖F‖² - 2 tr(F K) + ‖K‖² by the structure of both; up to 4096 rows F - K is formed where that has no
    rule or too many digits cancel, above them an error below 1e-7 ‖F‖ is rounding. A spectral norm is found by the
    process of Lanczos, which ends when the residuals at both ends of the spectrum are below `rtol` times the norm; the
    relative error is mostly far smaller. All is computed in double precision where the library
    has it. A row costs an inner product tr(F K), some twenty to forty products with F - K, and with the loss of Stein
    the inverse and determinant of B and an inner product.

    Args:
        F: the self-adjoint operator or array (p, p) that is approximated.
        approximations: operators or arrays (p, p) by name.
        lam: the λ that is added before the loss of Stein is taken; without it nothing is.
        rtol: residual, relative to a spectral norm, at which the search for it ends.
        callback: called with each name when its row is done.

    Raises:
        ValueError: shapes or kinds do not fit, F or a K is known not to be self-adjoint, λ is negative or not finite,
            or a quantity has no structured method and is too large for the dense one. The message names the row.

    >>> import numpy as np, kronlin as kl
    >>> layers = [kl.LayerStatistics(np.eye(3), np.array([[1.0, 0.0], [2.0, 1.0], [0.0, 1.0]]))]
    >>> F = kl.fisher(layers)
    >>> print(kl.approximation_error(F, {"K-FAC": kl.kfac(layers), "itself": F}, lam=0.1))
    approximation  Frobenius  spectral  Stein loss     KL  remark
    -------------  ---------  --------  ----------  -----  ------
    K-FAC              0.737       0.6       2.548  1.274       –
    itself                 0         0           0      0       –

    Source: the loss is that of James and Stein (1961), "Estimation with quadratic loss".
    """
    F = _checked("F", rules.wrap(F))
    candidates = {name: _checked(repr(name), rules.wrap(K), F) for name, K in approximations.items()}
    damping = 0.0 if lam is None else float(lam)
    reference = Definiteness("F", F, damping, rtol)
    norms = _named("F", lambda: (float(F.norm()), spectral_norm(F, rtol)))
    rows = []
    for name, K in candidates.items():
        rows.append(_named(repr(name), partial(_row, name, F, K, norms, reference, rtol)))
        if callback is not None:
            callback(name)
    return ApproximationErrors(rows, lam)


def _checked(name: str, A: Operator, F: Operator | None = None) -> Operator:
    """Return A in double precision, or say why it cannot be compared."""
    if A.shape[0] != A.shape[1] or (F is not None and A.shape != F.shape):
        wanted = "a square F" if F is None else f"approximations of the shape {F.shape} of F"
        raise ValueError(f"approximation_error takes {wanted}, and {name} is {A!r}")
    if A.is_self_adjoint is False:
        raise ValueError(
            f"approximation_error takes self-adjoint operators, and {name} is known not to be: {A!r}; "
            "(A + A.H) / 2 is its self-adjoint part"
        )
    common_kind([A.kind.double, A.kind.double if F is None else F.kind], f"approximation_error of {name}")
    return A._astype(A.kind.double)


def _named(name: str, measure: Callable[[], Any]) -> Any:
    """Measure, and put the name of the row before what a failure has to say."""
    try:
        return measure()
    except ValueError as error:
        raise ValueError(
            f"approximation_error of {name}: {error}. Compare smaller parts, such as F.block(l, l) with the block of "
            "one layer, and leave lam out if the loss of Stein is not needed"
        ) from error


def _row(
    name: str, F: Operator, K: Operator, norms: tuple[float, float], reference: Definiteness, rtol: float
) -> ErrorRow:
    """All measures of one approximation."""
    candidate = Definiteness("K", K, reference.lam, rtol)
    remarks = [reference.remark if reference.lack else "", candidate.remark]
    stein = None if reference.lack or candidate.lack else stein_loss(reference.damped, candidate.damped)
    return ErrorRow(
        name,
        frobenius=_ratio(_distance(F, K, norms[0]), norms[0]),
        spectral=_ratio(spectral_norm(F - K, rtol), norms[1]),
        stein=stein,
        kl=None if stein is None else stein / 2,
        lowest=candidate.lowest,
        remark="; ".join(filter(None, remarks)) or None,
    )


def _distance(F: Operator, K: Operator, size: float) -> float:
    """‖F - K‖ for ‖F‖ = size; of what is too large to be formed by inner products alone, whatever cancels."""
    if F.shape[0] <= DENSE_LIMIT:
        return float((F - K).norm())
    return sqrt(max(size**2 + float(K.norm()) ** 2 - 2 * float(real_part(rules.inner(F, K))), 0.0))


def _ratio(error: float, size: float) -> float:
    """An error relative to the size of F, also where that is zero."""
    return error / size if size else inf if error else 0.0
