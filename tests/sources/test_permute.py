"""Entries of an example in other axes; that columns are carried by the adjoint is a law of all stages."""

import numpy as np
import pytest

from kronlin.sources._permute import Flatten, Permute


def test_values():
    h = np.random.default_rng(0).standard_normal((3, 2, 4, 5))
    permuted = Permute((1, 2, 0)).value(h)
    assert permuted.shape == (3, 4, 5, 2)
    assert permuted[2, 3, 4, 1] == h[2, 1, 3, 4]
    np.testing.assert_array_equal(Flatten().value(h), np.stack([example.ravel() for example in h]))


@pytest.mark.parametrize("axes", [(0, 2), (1, 1), (-1, 0)])
def test_no_permutation(axes):
    with pytest.raises(ValueError, match=r"axes = .* is no permutation of 0, …, 1"):
        Permute(axes)


def test_a_shape_that_does_not_fit():
    with pytest.raises(ValueError, match=r"shape \(4, 3\) here, axes = \(2, 0, 1\) need 3 dimensions"):
        Permute((2, 0, 1)).require((4, 3))
