"""Small systems for the solvers."""

from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from scipy.linalg import block_diag

DATA = Path(__file__).parents[1] / "data"
NETS = ["mlp_tanh_mse_bias", "deep_linear_mse_bias"]


def rotation(n, seed, is_complex=False):
    random = np.random.default_rng(seed)
    matrix = random.standard_normal((n, n))
    if is_complex:
        matrix = matrix + 1j * random.standard_normal((n, n))
    return np.linalg.qr(matrix)[0]


def with_spectrum(values, seed=0, is_complex=False):
    """A Hermitian matrix with these eigenvalues, Hermitian to the last bit."""
    q = rotation(len(values), seed, is_complex)
    matrix = (q * np.asarray(values)) @ q.conj().T
    return (matrix + matrix.conj().T) / 2


@st.composite
def positive_definite(draw, n=None):
    n = draw(st.integers(1, 8)) if n is None else n
    exponents = draw(st.lists(st.floats(-1.5, 1.5), min_size=n, max_size=n))
    return with_spectrum(10.0 ** np.array(exponents), draw(st.integers(0, 2**20)), draw(st.booleans()))


def net(name):
    """A = F + 0.1 I, the one-level M, the coarse space, the right-hand side, and all stored arrays."""
    data = np.load(DATA / f"{name}.npz", allow_pickle=False)
    blocks = [np.kron(data[f"l{j}_G_exp"], data[f"l{j}_A_exp"]) for j in range(int(data["n_layers"]))]
    M = block_diag(*(np.linalg.inv(block + 0.1 * np.eye(len(block))) for block in blocks))
    F = data["F"]
    return (F + F.T) / 2 + 0.1 * np.eye(len(F)), (M + M.T) / 2, data["Z_nico"], data["tl_rhs"], data


def check_solution(result, lib, dtype, matrix, b, tolerance):
    """The solver says that it is done, and its x is of the library and dtype, and solves A x = b."""
    assert result.info == 0, result.status
    assert lib.owns(result.x)
    x = lib.numpy(result.x)
    assert x.dtype == dtype
    np.testing.assert_allclose(x, np.linalg.solve(matrix, b), atol=100 * tolerance)
