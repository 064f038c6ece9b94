"""Diffusion problems on a square grid, with a preconditioner and a coarse space."""

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

import kronlin as kl

COARSE = 8
"""Subdomains in each direction."""


class Problem(NamedTuple):
    """A x = b with its solution, a preconditioner M ≈ A⁻¹ and a coarse space Z."""

    A: kl.Operator
    M: kl.Operator
    Z: kl.Operator
    b: np.ndarray
    x: np.ndarray


def diffusion(sigma: np.ndarray) -> sp.csc_array:
    """-∇·(σ ∇u) for a coefficient on the cells of a square grid: Gᵀ diag(harmonic means on the faces) G."""
    m = len(sigma)
    difference, one = sp.eye_array(m + 1, m) - sp.eye_array(m + 1, m, k=-1), sp.eye_array(m)
    gradient = sp.vstack([sp.kron(difference, one), sp.kron(one, difference)])
    padded = np.pad(sigma, 1, "edge")
    rows, columns = padded[:, 1:-1], padded[1:-1]
    faces = [2 / (1 / rows[1:] + 1 / rows[:-1]), 2 / (1 / columns[:, 1:] + 1 / columns[:, :-1])]
    return (gradient.T @ sp.diags_array(np.concatenate([face.ravel() for face in faces])) @ gradient).tocsc()


def incomplete_cholesky(A: sp.csc_array, m: int) -> kl.Operator:
    """IC(0) as (D + L)⁻ᵀ D (D + L)⁻¹: for a 5-point stencil L is the lower triangle of A, and only D is new."""
    pivots, south, west = A.diagonal(), A.diagonal(-m), A.diagonal(-1)
    for i in range(1, len(pivots)):
        pivots[i] -= west[i - 1] ** 2 / pivots[i - 1] + (south[i - m] ** 2 / pivots[i - m] if i >= m else 0)
    solve = kl.aslinearoperator((sp.tril(A, -1) + sp.diags_array(pivots)).tocsc()).inverse()
    return solve.H @ kl.Diagonal(pivots) @ solve


def solution(matrix: sp.csc_array, A: kl.Operator, b: np.ndarray) -> np.ndarray:
    """A⁻¹ b with residuals in extended precision, so that the errors of the methods are theirs and not of this x."""
    extended, x = matrix.astype(np.longdouble), A.solve(b)
    for _ in range(2):
        x = x + A.solve((b - extended @ x.astype(np.longdouble)).astype(float))
    return x


def problem(sigma: np.ndarray) -> Problem:
    """The diffusion problem of a coefficient, with a random right-hand side."""
    m, matrix = len(sigma), diffusion(sigma)
    interval = kl.Kronecker(np.eye(COARSE), np.ones((m // COARSE, 1)))
    A, b = kl.assume(kl.aslinearoperator(matrix), "pd"), np.random.default_rng(0).uniform(-0.5, 0.5, m * m)
    return Problem(A, incomplete_cholesky(matrix, m), kl.Kronecker(interval, interval), b, solution(matrix, A, b))


def islands(grid: int) -> Problem:
    """16 islands, 7 of them on the boundary, a million times more permeable than what lies around them."""
    odd = np.repeat(np.arange(COARSE) % 2, grid // COARSE)
    return problem(np.where(np.outer(odd, odd), 1.0, 1e-6))


def problems() -> dict[str, Problem]:
    """The homogeneous problem, and islands on a fine and on a coarse grid."""
    return {"Poisson": problem(np.ones((48, 48))), "islands": islands(48), "coarse islands": islands(16)}
