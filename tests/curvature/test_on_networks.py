"""Every Fisher matrix and every approximation on random networks, against dense matrices derived by complex steps."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from kronlin.sources.numpy_mlp import collect
from tests.complex_step import truth
from tests.curvature.exactness import diagonal_blocks
from tests.nets import close
from tests.networks import problems

SHARING = st.sampled_from(["expand", "reduce"])
dampings = st.sampled_from([1e-3, 1e-1, 10.0])


def setting(problem, fisher="type-2"):
    """The layers, the dense Fisher matrix with its blocks, and the gradient of a network."""
    layers, gradient, _ = collect(*problem, fisher=fisher)
    known = truth(*problem)
    F = known.fisher if fisher == "type-2" else known.columns.T @ known.columns / len(problem.x)
    return layers, F, diagonal_blocks(F, layers), gradient, known


def block_diagonal(blocks):
    size = sum(len(block) for block in blocks)
    result, start = np.zeros((size, size)), 0
    for block in blocks:
        result[start : start + len(block), start : start + len(block)] = block
        start += len(block)
    return result


def check_step(A, dense, lam, b):
    """(A + λ I)⁻¹ b to 1e-8; the inverse as an operator is not refined, and may lose the square of the condition."""
    wanted = np.linalg.solve(dense + lam * np.eye(len(dense)), b)
    close(A.damped(lam).solve(b), wanted, 1e-8)
    condition = 1 + np.linalg.norm(dense, 2) / lam
    close(A.damped(lam).inverse() @ b, wanted, 1e-8 + 1e-16 * condition**2)


@given(problems(), st.sampled_from(["type-2", "empirical"]), dampings)
def test_exact_matrices(problem, fisher, lam):
    layers, dense, blocks, gradient, _ = setting(problem, fisher)
    F, diagonal = kl.fisher(layers), kl.block_diagonal_fisher(layers)
    close(F.to_dense(), dense)
    close(diagonal.to_dense(), block_diagonal(blocks))
    close(F @ gradient, dense @ gradient)
    close(kl.diagonal_fisher(layers).to_dense(), np.diag(np.diag(dense)))
    check_step(F, dense, lam, gradient)
    check_step(diagonal, block_diagonal(blocks), lam, gradient)


@given(problems(), SHARING, st.booleans(), dampings)
def test_kfac(problem, sharing, empirical, lam):
    """The factors come from the Jacobians by the preactivations, without any column."""
    layers, _, _, gradient, known = setting(problem, "empirical" if empirical else "type-2")
    K, dense = kl.kfac(layers, sharing), []
    for j, block in enumerate(K.blocks):
        for found, wanted in zip(block.factors, known.kfac(j, sharing, empirical), strict=True):
            close(found.to_dense(), wanted)
        dense.append(np.kron(*known.kfac(j, sharing, empirical)))
    check_step(K, block_diagonal(dense), lam, gradient)


@given(problems(), SHARING, dampings)
def test_ekfac(problem, sharing, lam):
    layers, _, blocks, gradient, _ = setting(problem)
    E, dense = kl.ekfac(layers, sharing), []
    for block, F in zip(E.blocks, blocks, strict=True):
        Q = block.Q.to_dense()
        values = np.einsum("pi,pq,qi->i", Q, F, Q)
        close(block.w, values)
        dense.append(Q * values @ Q.T)
    check_step(E, block_diagonal(dense), lam, gradient)


@given(problems(), dampings)
def test_tkfac(problem, lam):
    layers, _, blocks, gradient, _ = setting(problem)
    T, dense = kl.tkfac(layers), []
    for layer, F in zip(layers, blocks, strict=True):
        F = F.reshape(layer.d_out, layer.d_in, layer.d_out, layer.d_in)
        G, A = np.einsum("oiqi->oq", F), np.einsum("oioj->ij", F)
        dense.append(np.kron(G, A) / (np.trace(A) or 1.0))
    close(T.to_dense(), block_diagonal(dense))
    check_step(T, block_diagonal(dense), lam, gradient)


@given(problems(), dampings)
def test_mini_block_fisher(problem, lam):
    layers, _, blocks, gradient, _ = setting(problem)
    masks = [np.kron(np.eye(layer.d_out), np.ones((layer.d_in, layer.d_in))) for layer in layers]
    dense = block_diagonal([F * mask for F, mask in zip(blocks, masks, strict=True)])
    M = kl.mini_block_fisher(layers)
    close(M.to_dense(), dense)
    check_step(M, dense, lam, gradient)


@given(problems(), SHARING)
def test_nearest_kronecker_products(problem, sharing):
    """Their distances are what is left of the singular values of the rearranged block."""
    layers, _, blocks, _, known = setting(problem)
    found = zip(layers, blocks, kl.kpsvd(layers).blocks, kl.kfac_corrected(layers, sharing).blocks, strict=True)
    for j, (layer, F, nearest, corrected) in enumerate(found):
        size, d_out, d_in = np.linalg.norm(F), layer.d_out, layer.d_in
        for operator, start in ((nearest, 0 * F), (corrected, np.kron(*known.kfac(j, sharing)))):
            R = (F - start).reshape(d_out, d_in, d_out, d_in).transpose(0, 2, 1, 3).reshape(d_out**2, d_in**2)
            left = np.linalg.norm(np.linalg.svd(R, compute_uv=False)[1:])
            assert abs(np.linalg.norm(F - operator.to_dense()) - left) <= 1e-9 * max(size, np.linalg.norm(R))
