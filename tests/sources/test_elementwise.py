"""An activation as a stage; that tanh is carried back by the adjoint is tested with all stages."""

import numpy as np

from kronlin.sources._activations import ACTIVATIONS, Activation
from kronlin.sources._elementwise import Elementwise


class Square(Activation):
    """Its value does not tell its derivative."""

    name = "square"

    def value(self, z):
        return z**2

    def derivative(self, z, value):
        return 2 * z


def test_value():
    h = np.random.default_rng(0).standard_normal((3, 2, 4))
    np.testing.assert_array_equal(Elementwise(ACTIVATIONS["tanh"]).forward(h).output, np.tanh(h))


def test_the_derivative_is_that_at_the_input():
    rng = np.random.default_rng(0)
    h, columns = rng.standard_normal((3, 2, 4)), rng.standard_normal((3, 5, 2, 4))
    stage = Elementwise(Square())
    _, back = stage.backward(columns, stage.forward(h))
    np.testing.assert_array_equal(back, columns * (2 * h[:, None]))
