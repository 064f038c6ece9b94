"""Sums over labels are expectations: the gradient of the loss has mean zero, and its covariance is the Hessian."""

import numpy as np
import pytest

from kronlin.sources._losses import LOSSES, SquaredError
from kronlin.sources._positions import PerPosition
from kronlin.testing.source_laws._labels import weighted_labels


@pytest.mark.parametrize("shape", [(3, 2), (2, 3), (2, 2, 2), (2, 2, 1, 3)])
@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_mean_and_covariance_of_the_gradient(loss, shape):
    head, f = PerPosition(LOSSES[loss]), 2 * np.random.default_rng(0).standard_normal(shape)
    weighted = weighted_labels(head, f)
    n = len(f)
    mean = sum(w[:, None] * head.gradient(f, y).reshape(n, -1) for w, y in weighted)
    second = sum(
        w[:, None, None] * np.einsum("na,nb->nab", *[head.gradient(f, y).reshape(n, -1)] * 2) for w, y in weighted
    )
    root = head.root(f).reshape(n, f[0].size, -1)
    np.testing.assert_allclose(sum(w for w, _ in weighted), np.ones(n), rtol=1e-13)
    np.testing.assert_allclose(mean, 0, atol=1e-13)
    np.testing.assert_allclose(second, root @ root.swapaxes(1, 2), atol=1e-13)


def test_too_many_labels_and_other_losses():
    f = np.zeros((2, 9))
    assert weighted_labels(LOSSES["bernoulli"], f) is None
    assert weighted_labels(LOSSES["bernoulli"], f[:, 1:]) is not None
    assert weighted_labels(PerPosition(LOSSES["softmax"]), np.zeros((2, 6, 3))) is None
    assert weighted_labels(None, f) is None

    class Mine(SquaredError):
        name = "mine"

    assert weighted_labels(Mine(), f) is None
