"""Laws and errors of the activations."""

import numpy as np
import pytest

from kronlin.sources._activations import ACTIVATIONS, Activation, ReLU, Tanh, activation, sigmoid

EVERY = pytest.mark.parametrize("name", sorted(ACTIVATIONS))
SMOOTH = pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - {"relu"}))
POINTS = np.asarray([-30.0, -2.0, -0.3, 0.2, 1.7, 40.0])  # no kink among them


def test_the_names():
    assert sorted(ACTIVATIONS) == ["identity", "relu", "sigmoid", "sin", "tanh"]


def test_what_is_shown_is_how_it_is_made():
    assert [repr(phi) for phi in ACTIVATIONS.values()] == ["Tanh()", "ReLU()", "Identity()", "Sigmoid()", "Sine()"]


@EVERY
def test_derivative_is_the_difference_quotient(name):
    phi, step = activation(name), 1e-6
    quotient = (phi.value(POINTS + step) - phi.value(POINTS - step)) / (2 * step)
    np.testing.assert_allclose(phi.derivative(POINTS, phi.value(POINTS)), quotient, rtol=1e-8, atol=1e-9)


@SMOOTH
def test_higher_derivatives_are_difference_quotients_of_the_one_before(name):
    phi, step = activation(name), 1e-6

    def derivatives(z):
        value = phi.value(z)
        return phi.derivative(z, value), *phi.higher_derivatives(z, value)

    ahead, here, behind = (derivatives(POINTS + shift) for shift in (step, 0, -step))
    for lower in (0, 1):
        quotient = (ahead[lower] - behind[lower]) / (2 * step)
        np.testing.assert_allclose(here[lower + 1], quotient, rtol=1e-8, atol=1e-9)


def test_relu_has_no_second_derivative():
    with pytest.raises(ValueError, match="cannot go through 'relu'"):
        ReLU().higher_derivatives(POINTS, POINTS)


def test_sigmoid_is_accurate_on_both_sides():
    np.testing.assert_allclose(sigmoid(np.asarray([-700.0, 0.0, 700.0])), [np.exp(-700.0), 0.5, 1.0], rtol=1e-13)


@pytest.mark.parametrize(
    ("name", "expected"), [("tanh", np.tanh(2.0)), ("relu", 2.0), ("identity", 2.0), ("sin", np.sin(2.0))]
)
def test_values(name, expected):
    assert activation(name).value(np.asarray([2.0]))[0] == expected


def test_relu_is_flat_on_the_left_and_at_the_kink():
    z = np.asarray([-1.0, 0.0, 1.0])
    np.testing.assert_array_equal(ReLU().value(z), [0, 0, 1])
    np.testing.assert_array_equal(ReLU().derivative(z, ReLU().value(z)), [0, 0, 1])


@EVERY
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_kept(name, dtype):
    phi, z = activation(name), POINTS[None].astype(dtype)
    value = phi.value(z)
    columns = np.ones((1, 3, z.size), dtype)
    if name != "relu":
        assert {each.dtype for each in phi.higher_derivatives(z, value)} == {np.dtype(dtype)}
    assert value.dtype == phi.derivative(z, value).dtype == phi.backward(columns, z, value).dtype == dtype


@EVERY
def test_backward_multiplies_every_column_by_the_derivative(name):
    phi, rng = activation(name), np.random.default_rng(0)
    z, columns = rng.standard_normal((4, 2, 5)), rng.standard_normal((4, 3, 2, 5))
    result = phi.backward(columns, z, phi.value(z))
    slope = phi.derivative(z, phi.value(z))
    for i in range(4):
        for k in range(3):
            np.testing.assert_array_equal(result[i, k], columns[i, k] * slope[i])


def test_an_object_passes_through():
    class Square(Activation):
        name = "square"

        def value(self, z):
            return z**2

        def derivative(self, z, value):
            return 2 * z

    phi = Square()
    assert activation(phi) is phi
    assert isinstance(activation("tanh"), Tanh)


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match="unknown activation 'tan': choose one of 'tanh', 'relu', 'identity'"):
        activation("tan")
