"""Patches of an image; that columns are carried by the adjoint is a law of all stages."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kronlin.sources._unfold import Unfold

pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))


@given(pairs, pairs, st.tuples(st.integers(0, 2), st.integers(0, 2)), st.tuples(st.integers(3, 6), st.integers(3, 6)))
def test_every_entry_of_every_patch(kernel, stride, padding, size):
    """Entry (c, u, v) of the patch at (i, j) is pixel (s i + u - p, t j + v - q) of channel c, or zero outside."""
    image, unfold = np.random.default_rng(0).standard_normal((2, 2, *size)), Unfold(kernel, stride, padding)
    found = unfold.value(image)
    assert found.shape[1:] == unfold.patches((2, *size))
    places, patches = found.shape[1:3], found.reshape(*found.shape[:3], 2, *kernel)
    for i, j, u, v in np.ndindex(*places, *kernel):
        row, column = stride[0] * i + u - padding[0], stride[1] * j + v - padding[1]
        inside = 0 <= row < size[0] and 0 <= column < size[1]
        np.testing.assert_array_equal(patches[:, i, j, :, u, v], image[:, :, row, column] if inside else 0)
    ends = [s * (place - 1) + k for s, place, k in zip(stride, places, kernel, strict=True)]
    padded = [length + 2 * pad for length, pad in zip(size, padding, strict=True)]
    assert all(end <= length < end + s for end, length, s in zip(ends, padded, stride, strict=True))


@pytest.mark.parametrize(("name", "value"), [("kernel", (0, 1)), ("stride", (1, 0)), ("padding", (-1, 0))])
def test_sizes_that_make_no_window(name, value):
    with pytest.raises(ValueError, match=rf"{name} = \({value[0]}, {value[1]}\): each number must be >="):
        Unfold(**({"kernel": (1, 1), "stride": (1, 1), "padding": (0, 0)} | {name: value}))


def test_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match=r"shape \(4, 3\) here, a convolution needs an image \(C, H, W\)"):
        Unfold((1, 1), (1, 1), (0, 0)).require((4, 3))
    with pytest.raises(ValueError, match=r"image \(2, 5\) with padding \(0, 1\) is smaller than the kernel \(3, 3\)"):
        Unfold((3, 3), (1, 1), (0, 1)).require((1, 2, 5))
    Unfold((3, 3), (1, 1), (1, 0)).require((1, 1, 3))
