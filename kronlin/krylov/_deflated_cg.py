"""deflated_cg: conjugate gradients with a coarse space, in the five schemes of the deflation family."""

from collections.abc import Callable
from typing import Any, Literal, get_args

from kronlin.arrays import Array
from kronlin.galerkin import Galerkin
from kronlin.krylov._recurrence import Scheme, solve, unchanged
from kronlin.krylov.driver import Run
from kronlin.krylov.recycling import window
from kronlin.krylov.result import KrylovResult
from kronlin.krylov.stopping import limits
from kronlin.krylov.system import System, enter, operators

SchemeName = Literal["DEF1", "DEF2", "A-DEF2", "R-BNN1", "R-BNN2"]
_ADVICE = ": pass the one-level M that approximates A⁻¹; deflated_cg joins it to the coarse space itself"


def deflated_cg(
    A: Any,
    b: Array,
    Z: Any,
    M: Any = None,
    *,
    scheme: SchemeName = "A-DEF2",
    x0: Array | None = None,
    rtol: float = 1e-5,
    atol: float = 0.0,
    maxiter: int | None = None,
    callback: Callable[[Array], Any] | None = None,
    check_every: int | None = None,
    progress: bool = False,
    recycle: int = 0,
) -> KrylovResult:
    """Solve A x = b by conjugate gradients from which the span of Z is taken out.

    With E = Zᴴ A Z, Q = Z E⁻¹ Zᴴ and P = I - A Q the error falls at least like 2 ((√κ - 1) / (√κ + 1))ʲ, κ the
    condition number of the nonzero spectrum of M P A, never larger than that of M A. A step costs one product with
    A and one with M as in `cg`, and one to three coarse solves.

    ======== ============== ============= ===== ==== ================
    scheme   start          M₁            M₂    M₃   end
    ======== ============== ============= ===== ==== ================
    DEF1     x₀             M             I     P    Q b + Pᴴ x
    DEF2     Q b + Pᴴ x₀    M             Pᴴ    I    x
    A-DEF2   Q b + Pᴴ x₀    Pᴴ M + Q      I     I    x
    R-BNN1   Q b + Pᴴ x₀    Pᴴ M P        I     I    x
    R-BNN2   Q b + Pᴴ x₀    Pᴴ M          I     I    x
    ======== ============== ============= ===== ==== ================

    In exact arithmetic all five give the same iterates. Every step of A-DEF2, the default, ends here with x += Q r,
    r -= A Q r, without which it stagnates once Zᴴ r has drifted from zero. A-DEF2 alone bears inaccurate coarse solves
    (a `Galerkin` with a coarse solver), but small errors only, since that correction makes them too: with a coarse
    solve that is wrong by more than about 1e-4, take BNN as the M of `cg`.

    Args:
        A: self-adjoint positive definite operator or array (n, n).
        b: right-hand side (n,) or (n, k) of the kind of A.
        Z: operator or array (n, m) whose columns span the coarse space, or a `Galerkin` made from A and Z.
        M: self-adjoint positive definite operator or array that approximates A⁻¹; the identity if None.
        scheme: a name of the table.
        x0, rtol, atol, maxiter, callback, check_every, progress: as in `cg`. For DEF1 xk is after the end map.
        recycle: as in `cg`; the Ritz vectors are those of the deflated operator, to be joined to Z.

    Returns:
        A `KrylovResult`, which unpacks as SciPy's `(x, info)`.

    Raises:
        ValueError: the scheme is unknown, shapes or kinds do not fit, b or x0 has a NaN or an Inf, or A or M is
            known to lack what is needed.

    >>> import numpy as np, kronlin as kl
    >>> A = np.diag([1e-6, 1.0, 2.0, 3.0])
    >>> result = kl.krylov.deflated_cg(A, np.ones(4), np.eye(4)[:, :1], rtol=1e-10)
    >>> result.iterations, bool(result.converged)
    (3, True)

    Source: Tang, Nabben, Vuik, Erlangga, "Comparison of two-level preconditioners derived from deflation, domain
    decomposition and multigrid methods", J. Sci. Comput. 39 (2009), algorithm 1 and table 2.
    """
    if scheme not in get_args(SchemeName):
        known = ", ".join(get_args(SchemeName))
        raise ValueError(
            f"unknown scheme {scheme!r} of deflated_cg: the known ones are {known}; "
            "AD and BNN are operators for the M of cg"
        )
    A, M = operators("deflated_cg", A, M, _ADVICE)
    if M is not None and M.is_pd is False:
        raise ValueError(f"deflated_cg needs a positive definite M, and {M!r} is known to be singular{_ADVICE}")
    coarse = Z if isinstance(Z, Galerkin) else Galerkin(A, Z)
    if coarse.Z.shape[0] != A.shape[0]:
        raise ValueError(f"deflated_cg: the coarse space has {coarse.Z.shape[0]} rows, A has shape {A.shape}")
    if coarse.E_inverse.is_self_adjoint is False:
        raise ValueError(f"deflated_cg needs a self-adjoint coarse solver, and {coarse.E_inverse!r} is not")
    system = enter("deflated_cg", A, M, b, x0)
    stop = limits(system, rtol, atol, maxiter, check_every, "deflated_cg")
    kept = window(system.kind, recycle, "deflated_cg")
    run = Run(system, stop, name=scheme, callback=callback, progress=progress, window=kept)
    return solve(run, _scheme(scheme, coarse, system))


def _scheme(name: str, coarse: Galerkin, system: System) -> Scheme:
    """The row of the table, with A Z in place of products with A."""
    M = unchanged if system.M is None else system.map(system.M)
    Z, AZ, invert = map(system.map, (coarse.Z, coarse.AZ, coarse.E_inverse))
    ZH, AZH = map(system.map, (coarse.Z.H, coarse.AZ.H))

    def project(r: Array) -> Array:
        return r - AZ(invert(ZH(r)))

    def project_adjoint(y: Array) -> Array:
        return y - Z(invert(AZH(y)))

    def correct(r: Array) -> tuple[Array, Array]:
        c = invert(ZH(r))
        return Z(c), AZ(c)

    def adapted(r: Array) -> Array:
        y = M(r)
        return y + Z(invert(ZH(r) - AZH(y)))

    if name == "DEF1":
        constant = ZH(system.b)
        return Scheme(M, project=project, finish=lambda x: x + Z(invert(constant - AZH(x))))
    if name == "DEF2":
        return Scheme(M, direct=project_adjoint, correct=correct)
    if name == "A-DEF2":
        return Scheme(adapted, correct=correct, reproject=True)
    if name == "R-BNN1":
        return Scheme(lambda r: project_adjoint(M(project(r))), correct=correct)
    return Scheme(lambda r: project_adjoint(M(r)), correct=correct)
