"""An activation as a stage; that its columns are carried by the adjoint is a law of all stages."""

import numpy as np

from kronlin.sources._activations import ACTIVATIONS
from kronlin.sources._elementwise import Elementwise


def test_value():
    h = np.random.default_rng(0).standard_normal((3, 2, 4))
    np.testing.assert_array_equal(Elementwise(ACTIVATIONS["tanh"]).forward(h).output, np.tanh(h))
