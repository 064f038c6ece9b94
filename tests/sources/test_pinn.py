"""Laws of `collect_pinn`: loss and gradient, the Gauss-Newton matrix, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import kronlin as kl
from kronlin.sources._forward_laplacian import forward_laplacian
from kronlin.sources.numpy_mlp import MLP, Linear, Sequential, collect, collect_pinn
from tests.nets import close


def problem(seed=0, n=4, m=3, d=2, D=1, dtype="float64", **options):
    """A network off its start and the data of a boundary value problem."""
    rng = np.random.default_rng(seed)
    net = MLP((d, 4, 3, D), seed=seed, dtype=dtype, **options)
    net = net.with_parameters(net.parameters + 0.3 * rng.standard_normal(net.parameters.shape).astype(dtype))
    shapes = ((n, d), (n, D), (m, d), (m, D))
    return net, tuple(rng.standard_normal(shape).astype(dtype) for shape in shapes)


def residuals(net, data, coefficients, weights):
    """√(w / n) r of the interior and the boundary points, all in one vector: half its square is the loss."""
    x, f, y, g = data
    slots = forward_laplacian(net, x)[-1].output
    inside = np.stack([np.tensordot(c, slot, axes=1) for c, slot in zip(coefficients, slots, strict=True)]) - f
    outside = net(y) - g
    scales = np.sqrt(weights[0] / len(x)), np.sqrt(weights[1] / len(y))
    return np.concatenate([scales[0] * inside.ravel(), scales[1] * outside.ravel()])


@given(
    seed=st.integers(0, 2**16),
    sizes=st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), st.integers(1, 2)),
    activation=st.sampled_from(["tanh", "sigmoid", "sin"]),
    form=st.sampled_from(["Laplacian", "constant", "by point"]),
    bias=st.booleans(),
)
def test_loss_gradient_and_gauss_newton_matrix(seed, sizes, activation, form, bias):
    """Against a Jacobian of all residuals by difference quotients."""
    n, _, d, _ = sizes
    net, data = problem(seed, *sizes, activation=activation, bias=bias)
    rng, weights = np.random.default_rng(seed), (2.0, 0.5)
    given_ones = {
        "Laplacian": None,
        "constant": rng.standard_normal(d + 2),
        "by point": rng.standard_normal((n, d + 2)),
    }
    laplacian = np.eye(d + 2)[-1]
    coefficients = np.broadcast_to(laplacian if given_ones[form] is None else given_ones[form], (n, d + 2))
    interior, boundary, gradient, loss = collect_pinn(net, *data, given_ones[form], weights)

    def all_of(parameters):
        return residuals(net.with_parameters(parameters), data, coefficients, weights)

    r, step = all_of(net.parameters), 1e-6
    shifts = step * np.eye(net.parameters.size)
    J = np.stack([(all_of(net.parameters + s) - all_of(net.parameters - s)) / (2 * step) for s in shifts], axis=1)
    np.testing.assert_allclose(loss, r @ r / 2, rtol=1e-12)
    size = max(1, np.abs(J).max())
    np.testing.assert_allclose(gradient, J.T @ r, atol=1e-6 * size * max(1, np.abs(r).max()))
    F = kl.fisher(interior).to_dense() + kl.fisher(boundary).to_dense()
    np.testing.assert_allclose(F, J.T @ J, atol=1e-6 * size**2)


def test_shapes_and_slots():
    net, data = problem(n=5, m=3, d=2, D=2)
    interior, boundary, gradient, loss = collect_pinn(net, *data)
    widths = [(4, 3), (3, 5), (2, 4)]
    assert [(r.n, r.S, r.K, r.d_out, r.d_in) for r in interior] == [(5, 4, 2, o, i) for o, i in widths]
    assert [(r.n, r.S, r.K, r.d_out, r.d_in) for r in boundary] == [(3, 1, 2, o, i) for o, i in widths]
    assert [r.name for r in interior] == [r.name for r in boundary] == ["linear0", "linear1", "linear2"]
    for layer in interior:
        np.testing.assert_array_equal(layer.inputs[..., -1], [[1, 0, 0, 0]] * 5)
    assert gradient.shape == net.parameters.shape
    assert isinstance(loss, float)


def test_the_boundary_is_a_regression():
    net, data = problem(m=5)
    _, boundary, _, _ = collect_pinn(net, *data)
    layers, _, _ = collect(net, "mse", *data[2:])
    for one, two in zip(boundary, layers, strict=True):
        np.testing.assert_array_equal(one.inputs, two.inputs)
        np.testing.assert_array_equal(one.output_gradients, two.output_gradients)


def test_of_the_value_alone_it_is_a_regression_in_the_interior_too():
    net, data = problem(n=5)
    interior, _, gradient, loss = collect_pinn(net, *data, np.array([1.0, 0.0, 0.0, 0.0]))
    layers, one, first = collect(net, "mse", *data[:2])
    _, two, second = collect(net, "mse", *data[2:])
    close(kl.fisher(interior).to_dense(), kl.fisher(layers).to_dense())
    close(gradient, one + two)
    assert loss == pytest.approx(first + second, rel=1e-13)


def test_weights_scale_the_two_terms():
    net, data = problem()
    plain, heavy = collect_pinn(net, *data), collect_pinn(net, *data, weights=(4.0, 9.0))
    for place, w in ((0, 4.0), (1, 9.0)):
        close(kl.fisher(heavy[place]).to_dense(), w * kl.fisher(plain[place]).to_dense())
    inside, outside = (collect_pinn(net, *data, weights=w) for w in ((1.0, 1e-300), (1e-300, 1.0)))
    close(heavy[2], 4 * inside[2] + 9 * outside[2])
    assert heavy[3] == pytest.approx(4 * inside[3] + 9 * outside[3])


def test_float32_stays_float32():
    net, data = problem(dtype="float32")
    interior, boundary, gradient, _ = collect_pinn(net, *data, weights=(2.0, 3.0))
    assert {layer.dtype for layer in (*interior, *boundary)} == {np.dtype("float32")}
    assert gradient.dtype == np.float32
    wide = net.parameters.astype("float64")
    double = MLP(net.widths).with_parameters(wide)
    expected = collect_pinn(double, *(each.astype("float64") for each in data), weights=(2.0, 3.0))[2]
    close(gradient, expected, 1e-5)


def test_inputs_are_left_alone():
    net, data = problem()
    c = np.ones(4)
    for array in (*data, c):
        array.setflags(write=False)
    collect_pinn(net, *data, c)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (0, np.ones((4, 3)), r"x has shape \(4, 3\), the network needs \(n, 2\)"),
        (0, np.ones((0, 2)), "n = 0"),
        (1, np.ones(4), r"f has shape \(4,\), the network needs \(4, 1\): one right-hand side"),
        (1, np.ones((3, 1)), r"f has shape \(3, 1\), the network needs \(4, 1\)"),
        (1, np.ones((4, 1), "float32"), "f has dtype float32"),
        (2, np.full((3, 2), np.inf), "x_boundary holds NaN or Inf"),
        (2, np.ones((3, 1)), r"x_boundary has shape \(3, 1\), the network needs \(n, 2\): rows are points"),
        (3, np.ones((2, 1)), r"g has shape \(2, 1\), the network needs \(3, 1\): one value for each boundary point"),
        (4, np.ones(3), r"coefficients has shape \(4, 3\), the network needs \(4, 4\): one for u"),
        (4, np.ones((3, 4)), r"coefficients has shape \(3, 4\), the network needs \(4, 4\)"),
        (4, np.ones(4, "float32"), "coefficients has dtype float32"),
        (5, (1.0, 0.0), r"weights = \(1.0, 0.0\): two positive numbers"),
        (5, (1.0, 1.0, 1.0), "two positive numbers"),
        (5, (float("inf"), 1.0), "two positive numbers"),
    ],
)
def test_arguments_that_do_not_fit(place, value, message):
    net, data = problem()
    arguments = [*data, None, (1.0, 1.0)]
    arguments[place] = value
    with pytest.raises(ValueError, match=message):
        collect_pinn(net, *arguments)


def test_other_networks_are_refused():
    _, data = problem()
    with pytest.raises(TypeError, match="collect_pinn takes an MLP, not Sequential"):
        collect_pinn(Sequential((2,), [Linear(1)]), *data)


def test_relu_is_refused():
    net, data = problem(activation="relu")
    with pytest.raises(ValueError, match="a Laplacian cannot go through 'relu'"):
        collect_pinn(net, *data)


@pytest.mark.parametrize("size", [1e60, 1e200])
def test_an_overflow_is_reported_and_not_returned(size):
    """Of the slots, or of the square of a residual."""
    net, data = problem()
    net = MLP(net.widths, activation="identity").with_parameters(np.full(net.parameters.shape, size))
    with pytest.raises(ValueError, match="the network overflows: its loss"):
        collect_pinn(net, *data)


def test_an_overflow_of_the_gradient_alone_is_reported():
    _, (x, f, y, g) = problem()
    net = MLP((2, 4, 3, 1), activation="identity", bias=False)
    net = net.with_parameters(np.concatenate([np.zeros(8), np.full(15, 1e80)]))
    assert np.isfinite(collect_pinn(net, x, f, y, 1e100 * g)[3])
    with pytest.raises(ValueError, match="the network overflows: its loss or the gradient is not finite"):
        collect_pinn(net, x, f, y, 1e152 * g)
