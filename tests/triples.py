"""Random positive definite A and M with a coarse space Z, and the dense formulas of two-level methods."""

from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

SCHEMES = ("AD", "DEF1", "DEF2", "A-DEF1", "A-DEF2", "BNN", "R-BNN1", "R-BNN2")


class Triple(NamedTuple):
    """A and M positive definite (p, p), Z (p, k) of full rank."""

    A: np.ndarray
    M: np.ndarray
    Z: np.ndarray

    @property
    def condition(self) -> float:
        """κ(A)."""
        return float(np.linalg.cond(self.A))

    @property
    def k(self) -> int:
        """Columns of Z."""
        return self.Z.shape[1]


def random_matrix(rng: np.random.Generator, rows: int, columns: int, is_complex: bool = False) -> np.ndarray:
    """Normal entries."""
    x = rng.standard_normal((rows, columns))
    return x + 1j * rng.standard_normal((rows, columns)) if is_complex else x


def random_spd(rng: np.random.Generator, p: int, log_condition: float, is_complex: bool = False) -> np.ndarray:
    """A positive definite matrix of a given condition, with random eigenvectors."""
    q, _ = np.linalg.qr(random_matrix(rng, p, p, is_complex))
    w = 10.0 ** rng.uniform(0, log_condition, p)
    w[0], w[-1] = 1.0, 10.0**log_condition
    A = (q * (w / w.mean())) @ q.conj().T
    return (A + A.conj().T) / 2


@st.composite
def triples(draw, hardest: float = 5.0, scaled: bool = True, complex_too: bool = False) -> Triple:
    """p from 2 to 12, 1 ≤ k < p, κ(A) up to 10^hardest; `scaled`: columns of Z of very different length."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    p = draw(st.integers(2, 12))
    k = draw(st.integers(1, p - 1))
    is_complex = complex_too and draw(st.booleans())
    A = random_spd(rng, p, draw(st.floats(0, hardest)), is_complex)
    M = random_spd(rng, p, draw(st.floats(0, 2)), is_complex) * 10.0 ** draw(st.floats(-1, 1))
    Z = np.linalg.qr(random_matrix(rng, p, k, is_complex))[0]
    if scaled:
        Z = Z * 10.0 ** rng.uniform(-3, 3, k)
    return Triple(A, M, Z)


class Formulas(NamedTuple):
    """The dense matrices of a triple."""

    E: np.ndarray
    Q: np.ndarray
    P: np.ndarray
    schemes: dict[str, np.ndarray]
    sizes: dict[str, float]
    """The norms of the terms that each scheme adds: what its rounding error is measured by."""


def formulas(A: np.ndarray, M: np.ndarray, Z: np.ndarray) -> Formulas:
    """Everything by its definition; E⁻¹ after scaling E to unit diagonal."""
    E = Z.conj().T @ A @ Z
    d = 1 / np.sqrt(np.diag(E).real)
    half = np.linalg.solve(np.linalg.cholesky(d[:, None] * E * d), d[:, None] * Z.conj().T)
    Q = half.conj().T @ half
    P = np.eye(len(A)) - A @ Q
    PH = P.conj().T
    schemes = {
        "AD": M + Q,
        "DEF1": M @ P,
        "DEF2": PH @ M,
        "A-DEF1": M @ P + Q,
        "A-DEF2": PH @ M + Q,
        "BNN": PH @ M @ P + Q,
        "R-BNN1": PH @ M @ P,
        "R-BNN2": PH @ M,
    }
    m, q, pi = (np.linalg.norm(x, 2) for x in (M, Q, P))
    pi = max(pi, 1.0)
    powers = {"AD": 0, "BNN": 2, "R-BNN1": 2}
    sizes = {name: m * pi ** powers.get(name, 1) + q for name in schemes}
    return Formulas(E, Q, P, schemes, sizes)


def energy_root(A: np.ndarray) -> np.ndarray:
    """A^½."""
    w, q = np.linalg.eigh(A)
    return (q * np.sqrt(w)) @ q.conj().T


def spectrum(B: np.ndarray, A: np.ndarray) -> np.ndarray:
    """The eigenvalues of B A in ascending order, taken of A^½ B A^½; real parts."""
    root = energy_root(A)
    C = root @ B @ root
    if np.allclose(C, C.conj().T, rtol=0, atol=1e-9 * np.abs(C).max()):
        return np.linalg.eigvalsh((C + C.conj().T) / 2)
    return np.sort(np.linalg.eigvals(C).real)


def deflated_spectrum(A: np.ndarray, M: np.ndarray, Z: np.ndarray) -> np.ndarray:
    """μ: the p - k nonzero eigenvalues of M P A in ascending order, taken on the complement of A^½ Z."""
    root = energy_root(A)
    q = np.linalg.qr(root @ Z / np.linalg.norm(root @ Z, axis=0), mode="complete")[0][:, Z.shape[1] :]
    C = q.conj().T @ root @ M @ root @ q
    return np.linalg.eigvalsh((C + C.conj().T) / 2)


def energy_norm(A: np.ndarray, x: np.ndarray) -> np.ndarray:
    """(xᴴ A x)^½, a column at a time."""
    return np.sqrt(np.maximum(np.einsum("i...,i...->...", x.conj(), A @ x).real, 0))
