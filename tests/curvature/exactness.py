"""How far K-FAC is from the Gauss-Newton matrix of a network, which is derived by complex steps."""

import numpy as np

from kronlin.curvature import kfac
from kronlin.sources._loss import Loss
from kronlin.sources.numpy_mlp import collect
from tests.complex_step import truth

EXACT, INEXACT = 1e-12, 1e-3


def diagonal_blocks(matrix, layers):
    """The diagonal blocks of a dense matrix, one a layer."""
    ends = np.cumsum([layer.parameters for layer in layers])
    return [
        matrix[end - layer.parameters : end, end - layer.parameters : end]
        for layer, end in zip(layers, ends, strict=True)
    ]


def distance(found, wanted):
    """The relative distance of two matrices in the Frobenius norm; that of two zeros is zero."""
    size = np.linalg.norm(wanted)
    return np.linalg.norm(found - wanted) / size if size else np.linalg.norm(found)


def distances(problem, sharing="expand", fisher="type-2"):
    """For each layer that of the K-FAC block; `fisher`: "type-2" from the Gauss-Newton matrix, or "empirical"."""
    layers, known = collect(*problem, fisher=fisher)[0], truth(*problem)
    matrix = known.fisher if fisher == "type-2" else known.columns.T @ known.columns / len(problem.x)
    blocks = zip(kfac(layers, sharing).blocks, diagonal_blocks(matrix, layers), strict=True)
    return [distance(block.to_dense(), wanted) for block, wanted in blocks]


def assert_sampling_error_only(problem, sharing="expand", samples=20_000):
    """K-FAC of sampled labels is the Gauss-Newton block up to five standard errors, told from the sample itself."""
    layers, known = collect(*problem, fisher="mc", seed=1, samples=samples)[0], truth(*problem)
    blocks = zip(layers, kfac(layers, sharing).blocks, diagonal_blocks(known.fisher, layers), strict=True)
    for layer, block, wanted in blocks:
        g = layer.output_gradients * np.sqrt(samples)
        g = g.sum(axis=1, keepdims=True) if sharing == "reduce" else g
        estimates = np.einsum("nsko,nsku->kou", g, g) / layer.n
        G, A = (factor.to_dense() for factor in block.factors)
        np.testing.assert_allclose(estimates.mean(axis=0), G, rtol=1e-9, atol=1e-12)
        bound = np.kron(5 * estimates.std(axis=0) / np.sqrt(samples), abs(A))
        error = abs(block.to_dense() - wanted)
        assert (error <= bound + 1e-12 * abs(wanted).max()).all()
        assert error.max() > 0


def repeated(problem, times):
    """Every example several times."""
    return problem._replace(x=np.repeat(problem.x, times, axis=0), y=np.repeat(problem.y, times, axis=0))


def scaled(c, loss):
    """c times a loss."""

    class Scaled(Loss):
        name, targets, sample = loss.name, staticmethod(loss.targets), staticmethod(loss.sample)

        def value(self, f, y):
            return c * loss.value(f, y)

        def gradient(self, f, y):
            return c * loss.gradient(f, y)

        def root(self, f):
            return np.sqrt(c) * loss.root(f)

    return Scaled()
