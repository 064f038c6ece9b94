"""How a network of parts is made, and what it refuses; its derivatives are tested with `Network` and `collect`."""

import numpy as np
import pytest

from kronlin.sources._activations import ACTIVATIONS
from kronlin.sources._conv2d import Conv2d
from kronlin.sources._linear import Linear
from kronlin.sources._mlp import MLP
from kronlin.sources._permute import Flatten, Permute
from kronlin.sources._reduce import Reduce
from kronlin.sources._sequential import Sequential


def test_shapes_run_through():
    parts = [Conv2d(3, 2, activation="relu"), Conv2d(4, 1), "tanh", Reduce("mean", axis=(1, 2)), Linear(5), Linear(2)]
    net = Sequential([1, 4, 5], parts)
    assert [layer.weight.shape for layer in net.layers] == [(3, 5), (4, 4), (5, 5), (2, 6)]
    assert [layer.name for layer in net.layers] == ["conv2d", "conv2d", "linear", "linear"]
    assert net.parameters.shape == (15 + 16 + 25 + 12,)
    assert net(np.zeros((7, 1, 4, 5))).shape == (7, 2)
    assert net.shape == net.input_shape == (1, 4, 5)


def test_a_perceptron_is_a_special_case():
    x = np.random.default_rng(0).standard_normal((6, 4))
    perceptron = MLP((4, 5, 3), activation="relu", seed=3)
    for middle in ([Linear(5, activation="relu")], [Linear(5, activation=ACTIVATIONS["relu"])]):
        net = Sequential((4,), [*middle, Linear(3)], seed=3)
        np.testing.assert_array_equal(net.parameters, perceptron.parameters)
        np.testing.assert_array_equal(net(x), perceptron(x))
    apart = Sequential((4,), [Linear(5), ACTIVATIONS["relu"], Linear(3)]).with_parameters(perceptron.parameters)
    np.testing.assert_array_equal(apart(x), perceptron(x))


def test_the_seed_fixes_the_weights():
    first, again, other = (Sequential((4,), [Linear(3)], seed=seed).parameters for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)
    single = Sequential((4,), [Linear(3)], seed=1, dtype="float32").parameters
    np.testing.assert_array_equal(single, first.astype(np.float32))


def test_it_tells_what_it_is():
    net = Sequential((5, 4), ["tanh", Linear(3), Reduce("sum", axis=0)], seed=7)
    assert repr(net) == (
        "Sequential(shape=(5, 4), parts=('tanh', Linear(outputs=3, bias=True, activation='identity'), "
        "Reduce(how='sum', axis=0)), dtype=dtype('float64'))"
    )


@pytest.mark.parametrize(
    ("shape", "parts", "message"),
    [
        ((), [Linear(3)], r"shape = \(\): that of one example, each length >= 1"),
        ((4, 0), [Linear(3)], r"shape = \(4, 0\)"),
        ((4,), [], "the network has no weight: add Linear or Conv2d to its 0 parts"),
        ((4, 2), ["tanh", Flatten()], "no weight: .* its 2 parts"),
        ((4,), ["sine", Linear(3)], "part 0 of the network, 'sine': unknown activation 'sine'"),
        ((4, 2), [Linear(3), Conv2d(2, 1)], r"part 1 of the network, Conv2d.*shape \(4, 3\) here.*needs an image"),
        ((4, 2), [Linear(3), Reduce("sum", 0), Reduce("sum", 0)], r"part 2 .*leave a single number .* \(3,\)"),
        ((1, 2, 2), [Permute((1, 0)), Linear(1)], r"part 0 .*axes = \(1, 0\) need 2 dimensions"),
    ],
)
def test_what_makes_no_network(shape, parts, message):
    with pytest.raises(ValueError, match=message):
        Sequential(shape, parts)


def test_other_things_are_no_parts():
    with pytest.raises(TypeError, match=r"a part of a network is Linear, Conv2d, .* not <class .*Linear'>"):
        Sequential((4,), [Linear])


def test_dtypes_that_make_no_network():
    with pytest.raises(ValueError, match="dtype = int64: a network computes in float32 or float64"):
        Sequential((4,), [Linear(2)], dtype=int)


def test_inputs_that_do_not_fit():
    net = Sequential((5, 4), [Linear(3)])
    with pytest.raises(ValueError, match=r"x has shape \(2, 4\), the network needs \(n, 5, 4\)"):
        net(np.ones((2, 4)))
    with pytest.raises(ValueError, match=r"make it with Sequential\(..., dtype='float32'\)"):
        net(np.ones((2, 5, 4), np.float32))
