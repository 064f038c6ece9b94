"""Every approximation of the Fisher matrix by its definition, dense, block by block."""

import numpy as np

import kronlin as kl
from tests.curvature.anylayers import gradients, shapes_of
from tests.curvature.test_tridiagonal_kfac import by_definition as chain
from tests.curvature.test_tridiagonal_kfac import moments
from tests.nets import fisher_by_definition
from tests.operators.test_rearranged import by_definition as rearranged

LAM = 0.5
"""The damping inside of the chain of neighbouring layers."""


def blocks(layers):
    return [fisher_by_definition([layer]) for layer in layers]


def products(sharing):
    def build(layers):
        return [np.kron(*moments(layer, layer, sharing)) for layer in layers]

    return build


def ekfac(layers):
    """In the eigenvectors that were found: where a factor has equal eigenvalues there is a choice."""
    bases = [block.Q.to_dense() for block in kl.ekfac(layers).blocks]
    for Q, K in zip(bases, products("expand")(layers), strict=True):
        turned = Q.conj().T @ K @ Q
        np.testing.assert_allclose(
            turned, np.diag(np.diag(turned)), atol=100 * np.finfo(Q.dtype).eps * np.linalg.norm(K)
        )
    return [
        (Q * np.einsum("pi,pq,qi->i", Q.conj(), F, Q).real) @ Q.conj().T
        for Q, F in zip(bases, blocks(layers), strict=True)
    ]


def _partial_traces(layer):
    P = gradients(layer)
    return np.einsum("moi,mui->ou", P, P.conj()) / layer.n, np.einsum("moi,moj->ij", P, P.conj()) / layer.n


def tkfac(layers):
    return [np.kron(G, A) / (np.trace(A) or 1.0) for G, A in map(_partial_traces, layers)]


def shampoo(layers):
    return [np.kron(*map(_root, _partial_traces(layer))) for layer in layers]


def _root(x):
    """Without rounding errors of zero, whose root is not small."""
    w, q = np.linalg.eigh(x)
    return (q * np.where(w > 1e-14 * w[-1], np.abs(w), 0) ** 0.5) @ q.conj().T


def foof(layers):
    return [np.kron(np.eye(layer.d_out), moments(layer, layer, "expand")[1]) for layer in layers]


def nearest(matrix, layer, rank):
    """From the singular value decomposition of the rearranged matrix."""
    (d_out, _), (d_in, _) = shapes_of(layer)
    u, s, v = np.linalg.svd(rearranged(matrix, shapes_of(layer)))
    terms = [s[k] * np.kron(u[:, k].reshape(d_out, d_out), v[k].reshape(d_in, d_in)) for k in range(rank)]
    return sum(terms)


def kpsvd(rank):
    return lambda layers: [nearest(F, layer, rank) for F, layer in zip(blocks(layers), layers, strict=True)]


def corrected(layers):
    pairs = zip(blocks(layers), products("expand")(layers), layers, strict=True)
    return [K + nearest(F - K, layer, 1) for F, K, layer in pairs]


def mini_blocks(layers):
    masks = [np.kron(np.eye(layer.d_out), np.ones((layer.d_in, layer.d_in))) for layer in layers]
    return [F * mask for F, mask in zip(blocks(layers), masks, strict=True)]


def diagonal(layers):
    return [np.diag(np.diag(F)) for F in blocks(layers)]


def fisher(layers):
    return [fisher_by_definition(layers)]


def tridiagonal(layers):
    return [chain(layers, [LAM] * len(layers), "trace", "expand")[2]]


def pinn(layers):
    """The interior and the boundary are the same examples."""
    return [2 * block for block in products("expand")(layers)]


ESTIMATORS = {
    "fisher": (kl.fisher, fisher),
    "blocks": (kl.block_diagonal_fisher, blocks),
    "diagonal": (kl.diagonal_fisher, diagonal),
    "mini-block": (kl.mini_block_fisher, mini_blocks),
    "kfac expand": (kl.kfac, products("expand")),
    "kfac reduce": (lambda layers: kl.kfac(layers, "reduce"), products("reduce")),
    "ekfac": (kl.ekfac, ekfac),
    "tkfac": (kl.tkfac, tkfac),
    "kpsvd": (kl.kpsvd, kpsvd(1)),
    "two terms": (lambda layers: kl.kpsvd(layers, 2), kpsvd(2)),
    "corrected": (kl.kfac_corrected, corrected),
    "foof": (kl.foof, foof),
    "shampoo": (kl.shampoo, shampoo),
    "pinn": (lambda layers: kl.kfac_pinn(layers, layers), pinn),
    "chain": (lambda layers: kl.tridiagonal_kfac(layers, LAM), tridiagonal),
}
"""The function of kronlin and the dense blocks by definition."""


def dense(name, layers):
    """The whole matrix."""
    parts = ESTIMATORS[name][1](layers)
    ends = np.cumsum([len(part) for part in parts])
    matrix = np.zeros((ends[-1], ends[-1]), np.result_type(*parts))
    for end, part in zip(ends, parts, strict=True):
        matrix[end - len(part) : end, end - len(part) : end] = part
    return matrix
