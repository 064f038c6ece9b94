"""The matrix with block tridiagonal inverse against the dense formula, with Kronecker-factored moments."""

import numpy as np
import pytest

import kronlin as kl
from kronlin.algebra import Product
from kronlin.operators import chain_covariance
from kronlin.testing import check_operator
from tests.matrices import each_dtype, normal, positive
from tests.operators.laws import check, close

SHAPES = [(2, 3), (1, 2), (3, 2)]


def moments(dtype="float64", seed=0):
    """Cross moments G_lm and A_lm of random outputs and inputs, damped on the diagonal: F_lm = G_lm ⊗ A_lm."""
    found = []
    for side in (0, 1):
        data = [normal((n[side], 40), dtype, seed + 10 * side + i) for i, n in enumerate(SHAPES)]
        mixed = [data[i] + (data[i + 1][:1] if i + 1 < len(data) else 0) for i in range(len(data))]
        found.append(
            [
                [
                    x @ y.conj().T / 40 + (i == j) * np.eye(*(len(x), len(y)), dtype=dtype) / 2
                    for j, y in enumerate(mixed)
                ]
                for i, x in enumerate(mixed)
            ]
        )
    return found


def parts(g, a):
    """Ψ_l as pairs of factors, and Σ_l as matrices."""
    last = len(g) - 1
    psi = [
        (g[i][i + 1] @ np.linalg.inv(g[i + 1][i + 1]), a[i][i + 1] @ np.linalg.inv(a[i + 1][i + 1]))
        for i in range(last)
    ]
    sigma = []
    for i, (p, q) in enumerate(psi):
        lost = np.kron(p @ g[i + 1][i + 1] @ p.conj().T, q @ a[i + 1][i + 1] @ q.conj().T)
        sigma.append(np.kron(g[i][i], a[i][i]) - lost)
    return psi, [*sigma, np.kron(g[last][last], a[last][last])]


def dense(g, a):
    """(Ξᴴ diag(Σ)⁻¹ Ξ)⁻¹, formed."""
    psi, sigma = parts(g, a)
    starts = np.cumsum([0, *map(len, sigma)])
    xi, inner = np.eye(starts[-1], dtype=sigma[0].dtype), np.zeros((starts[-1],) * 2, sigma[0].dtype)
    for i, block in enumerate(sigma):
        here = slice(starts[i], starts[i + 1])
        inner[here, here] = np.linalg.inv(block)
        if i < len(psi):
            xi[here, starts[i + 1] : starts[i + 2]] = -np.kron(*psi[i])
    return np.linalg.inv(xi.conj().T @ inner @ xi), starts


@each_dtype(("float64", "complex128"))
def test_laws(lib, dtype):
    g, a = moments(dtype)
    psi, sigma = parts(g, a)
    op = chain_covariance(
        [kl.Kronecker(*map(lib.asarray, pair)) for pair in psi],
        [kl.assume(kl.Dense(lib.asarray(block)), "pd") for block in sigma],
    )
    assert (type(op), op.is_pd) == (Product, True)
    check(op, dense(g, a)[0].astype(dtype), lib)


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_the_blocks_on_and_beside_the_diagonal_are_the_moments_and_the_inverse_is_block_tridiagonal(dtype):
    g, a = moments(dtype)
    psi, sigma = parts(g, a)
    op = chain_covariance([kl.Kronecker(*pair) for pair in psi], sigma)
    full, starts = dense(g, a)
    formed, inverse = op.to_dense(), op.inverse().to_dense()
    close(formed, full)
    for i, x in enumerate(starts[:-1]):
        for j, y in enumerate(starts[:-1]):
            block = np.s_[x : starts[i + 1], y : starts[j + 1]]
            if abs(i - j) <= 1:
                close(formed[block], np.kron(g[i][j], a[i][j]))
            else:
                close(inverse[block], np.zeros_like(inverse[block]))
    close(inverse, np.linalg.inv(full))


def test_the_inverse_is_a_congruence_that_inverts_the_variances_alone():
    psi, sigma = [normal((2, 3))], [kl.assume(kl.Dense(positive(n)), "pd") for n in (2, 3)]
    op = chain_covariance(psi, sigma)
    left, middle, right = op.inverse().factors
    assert type(right) is kl.BlockTridiagonal
    assert left is right.H
    close(middle.to_dense(), np.linalg.inv(kl.BlockDiagonal(sigma).to_dense()))
    assert float(op.logdet()) == pytest.approx(sum(float(block.logdet()) for block in sigma))
    check_operator(op)


def test_one_block_alone_and_real_beside_complex():
    close(chain_covariance([], [positive(2)]).to_dense(), positive(2))
    assert chain_covariance([1j * np.eye(2)], [positive(2), positive(2)]).kind.is_complex


def test_bad_input():
    with pytest.raises(ValueError, match="at least one variance"):
        chain_covariance([], [])
    with pytest.raises(ValueError, match="upper block 0 is 3×2"):
        chain_covariance([np.ones((3, 2))], [np.eye(2), np.eye(3)])
    with pytest.raises(ValueError, match="go with 1 upper blocks, not 2"):
        chain_covariance([np.eye(2)] * 2, [np.eye(2)] * 2)
