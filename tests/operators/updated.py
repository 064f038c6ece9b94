"""B + U C Vᴴ with small B, right-hand sides in, outside and across the range of U, and what a good solution is."""

import numpy as np

import kronlin as kl
from tests.matrices import adjoint, eps, hermitian, normal, positive, wide

N, R = 24, 4


def tall(name, dtype):
    """U (N, R): Gaussian columns, columns of singular values down to 1e-10, columns that occur twice, or none but 0."""
    u = normal((N, R), "complex128" if dtype.startswith("complex") else "float64")
    if name == "graded":
        u = np.linalg.qr(u)[0] * np.logspace(0, -10, R) @ np.linalg.qr(normal((R, R), seed=3))[0]
    if name == "doubled":
        u[:, R // 2 :] = u[:, : R // 2]
    return (0 * u if name == "zero" else u).astype(dtype)


def core(name, dtype):
    """C (R, R)."""
    return {
        "psd": positive(R, dtype, condition=1e3),
        "singular": np.diag(np.arange(R)).astype(dtype),
        "indefinite": hermitian(R, dtype, seed=4),
        "general": normal((R, R), dtype, seed=5),
    }[name]


def updated(lib, base, u, c, lam, v=None, promise="psd"):
    """The operator λ B + U C Vᴴ, and its dense twin in double precision, for B = I or a Kronecker product."""
    dtype = str(u.dtype)
    low = [lib.asarray(u), kl.Dense(lib.asarray(c)), *(() if v is None else (lib.asarray(v),))]
    if promise and v is None:
        low[1] = kl.assume(low[1], promise)
    if base == "I":
        op, dense = kl.Identity(N, like=low[0]), np.eye(N)
    else:
        factors = [positive(n, dtype, seed=n, condition=100.0) for n in (4, 6)]
        op = kl.Kronecker(*(kl.assume(kl.Dense(lib.asarray(x)), "pd") for x in factors))
        dense = np.kron(*map(wide, factors))
    right = u if v is None else v
    return lam * op + kl.LowRank(*low), lam * dense + wide(u) @ wide(c) @ adjoint(wide(right))


def sides(u, dtype):
    """Right-hand sides: in the range of U, across, and orthogonal to it."""
    q = np.linalg.qr(wide(u))[0]
    across, out = normal((N, 2), dtype, seed=6), wide(normal((N, 2), dtype, seed=7))
    return {"in": u @ normal((R, 2), dtype, 8), "across": across, "out": (out - q @ (adjoint(q) @ out)).astype(dtype)}


def backward_error(dense, x, b, dtype):
    """‖A x - b‖ / (‖A‖ ‖x‖ + ‖b‖) in units of eps: a few, for a solution as good as the precision allows."""
    x, b = wide(x), wide(b)
    size = np.linalg.norm(dense, 2) * np.linalg.norm(x) + np.linalg.norm(b)
    return np.linalg.norm(dense @ x - b) / size / eps(dtype) if size else 0.0
