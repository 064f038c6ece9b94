"""A convolution is a linear layer on patches, and the convolution of PyTorch."""

from importlib.util import find_spec

import numpy as np
import pytest

from kronlin.sources._conv2d import Conv2d
from kronlin.sources._layer import Layer
from kronlin.sources._permute import Permute
from kronlin.sources._sequential import Sequential
from kronlin.sources._unfold import Unfold

CASES = pytest.mark.parametrize(
    ("kernel", "stride", "padding", "bias"),
    [(3, 1, 1, True), ((2, 3), (1, 2), (1, 0), False), (1, 2, 0, True), ((4, 1), 3, (0, 2), True)],
)


@CASES
def test_output_by_its_sum(kernel, stride, padding, bias):
    rng = np.random.default_rng(0)
    net = Sequential((2, 5, 6), [Conv2d(3, kernel, stride, padding, bias, "tanh")])
    net = net.with_parameters(rng.standard_normal(net.parameters.shape))
    (k, m), (s, t), (p, q) = ((x, x) if isinstance(x, int) else x for x in (kernel, stride, padding))
    weight = net.layers[0].weight
    W, b = weight[:, : 2 * k * m].reshape(3, 2, k, m), weight[:, 2 * k * m :].sum(axis=1)
    x = rng.standard_normal((4, 2, 5, 6))
    padded, f = np.pad(x, ((0, 0), (0, 0), (p, p), (q, q))), net(x)
    for i, j in np.ndindex(f.shape[2:]):
        z = np.einsum("dcuv,ncuv->nd", W, padded[:, :, s * i : s * i + k, t * j : t * j + m]) + b
        np.testing.assert_allclose(f[:, :, i, j], np.tanh(z), rtol=0, atol=1e-13)


@pytest.mark.skipif(find_spec("torch") is None, reason="compares with PyTorch")
@CASES
def test_the_same_as_torch(kernel, stride, padding, bias):
    import torch

    rng = np.random.default_rng(0)
    net, x = Sequential((2, 5, 6), [Conv2d(3, kernel, stride, padding, bias)]), rng.standard_normal((4, 2, 5, 6))
    other = torch.nn.Conv2d(2, 3, kernel, stride, padding, bias=bias, dtype=torch.float64)
    weight = other.weight.detach().numpy().reshape(3, -1)
    columns = [weight, other.bias.detach().numpy()[:, None]] if bias else [weight]
    found = net.with_parameters(np.concatenate(columns, axis=1).ravel())(x)
    np.testing.assert_allclose(found, other(torch.from_numpy(x)).detach().numpy(), rtol=1e-12, atol=1e-14)


def test_what_it_is_made_of():
    unfold, layer, permute = Conv2d(3, 3, padding=1).build((2, 5, 6), np.random.default_rng(0), np.float32)
    assert unfold == Unfold((3, 3), (1, 1), (1, 1))
    assert type(layer) is Layer
    assert layer.name == "conv2d"
    assert layer.weight.shape == (3, 19)
    assert layer.weight.dtype == np.float32
    assert permute == Permute((2, 0, 1))


def test_errors_come_at_once_or_with_the_shape():
    with pytest.raises(ValueError, match=r"stride = \(0, 0\)"):
        Conv2d(3, 3, stride=0)
    with pytest.raises(ValueError, match="outputs = 0"):
        Conv2d(0, 3)
    with pytest.raises(ValueError, match="unknown activation 'sine'"):
        Conv2d(1, 3, activation="sine")
    with pytest.raises(ValueError, match=r"needs an image \(C, H, W\)"):
        Conv2d(1, 3).build((4, 3), np.random.default_rng(0), float)
