"""Laws of `collect`: every array against Jacobian products of JAX, NumPy's networks, and its own other forms."""

import numpy as np
import pytest

from kronlin.sources import jax as source
from kronlin.sources import numpy_mlp
from kronlin.sources.jax._names import named_arrays
from kronlin.sources.numpy_mlp import MLP, Conv2d, Flatten, Linear, Sequential
from tests.nets import close, fisher_by_definition, root_by_definition
from tests.networks import problem as numpy_problem
from tests.sources.jax.nets import NETS, gauss_newton, jax, jnp, lax, numbers, problem, risk_at_outputs


@pytest.mark.parametrize(("name", "loss"), [*dict.fromkeys(NETS, "").items(), ("perceptron", "mse")])
def test_type_2_is_the_gauss_newton_matrix(name, loss):
    given = problem(name, loss)
    layers, gradient, risk = given.collect()
    matrix, wanted, value = gauss_newton(given)
    close(fisher_by_definition(numbers(layers)), matrix)
    close(np.asarray(gradient), wanted)
    assert risk == pytest.approx(value, rel=1e-13)
    assert {layer.K for layer in layers} == {jax.eval_shape(given.model, given.parameters, given.x[:1]).size}


@pytest.mark.parametrize("name", ["perceptron", "tied", "scanned"])
def test_the_empirical_columns_are_the_gradients_of_the_examples(name):
    given = problem(name)
    layers, gradient, _ = given.collect(fisher="empirical")
    columns = np.concatenate([root_by_definition(layer) for layer in numbers(layers)])

    def single(x, y):
        return jax.grad(lambda p: risk_at_outputs(given.loss, given.model(p, x[None]), y[None]))(given.parameters)

    found = named_arrays(jax.jit(jax.vmap(single))(given.x, given.y))
    close(columns, given.layout.vector({path: np.moveaxis(np.asarray(a), 0, -1) for path, a in found.items()}))
    close(columns.mean(axis=1), np.asarray(gradient))


@pytest.mark.parametrize("loss", ["softmax", "bernoulli"])
def test_mc_is_type_2_up_to_the_error_of_the_sample(loss):
    samples, given = 4000, problem("perceptron", loss)
    exact = fisher_by_definition(numbers(given.collect()[0]))
    layers, _, _ = given.collect(fisher="mc", seed=3, samples=samples)
    assert {layer.K for layer in layers} == {samples}
    parts = [np.einsum("nsko,nsi->nkoi", layer.output_gradients, layer.inputs) for layer in numbers(layers)]
    U = np.concatenate([part.reshape(*part.shape[:2], -1) for part in parts], axis=-1) * np.sqrt(samples)
    single = np.einsum("nkp,nkq->kpq", U, U) / len(U)  # one estimate of F a sample
    error = abs(single.mean(axis=0) - exact)
    assert (error <= 5 * single.std(axis=0) / np.sqrt(samples) + 1e-14).all()
    assert error.max() > 0


def mlp(parameters, x):
    *hidden, last = parameters
    for layer in hidden:
        x = jnp.tanh(x @ layer["kernel"] + layer["bias"])
    return x @ last["kernel"] + last["bias"]


def convolutional(parameters, x):
    conv, last = parameters
    kernel = conv["kernel"].transpose(3, 2, 0, 1)  # (rows, columns, in, out) to (out, in, rows, columns)
    h = jnp.tanh(lax.conv_general_dilated(x, kernel, (2, 1), [(1, 1), (0, 0)]) + conv["bias"][:, None, None])
    return h.reshape(len(x), -1) @ last["kernel"] + last["bias"]


@pytest.mark.parametrize("fisher", ["type-2", "empirical"])
@pytest.mark.parametrize(
    ("net", "model"),
    [
        (MLP((3, 4, 2)), mlp),
        (Sequential((2, 3, 3), [Conv2d(2, 2, (2, 1), (1, 0), activation="tanh"), Flatten(), Linear(3)]), convolutional),
    ],
    ids=["perceptron", "convolution"],
)
def test_the_same_as_numpy_with_the_same_weights(net, model, fisher):
    net, loss, x, y = numpy_problem(net, "softmax", n=3)
    expected, wanted, value = numpy_mlp.collect(net, loss, x, y, fisher)
    parameters = []
    for layer in net.layers:
        W, b = layer.weight[:, :-1], layer.weight[:, -1]
        kernel = W.T if layer.name == "linear" else W.reshape(2, 2, 2, 2).transpose(2, 3, 1, 0)
        parameters.append({"kernel": jnp.asarray(kernel), "bias": jnp.asarray(b)})
    layers, gradient, risk = source.collect((model, parameters), loss, x, y, fisher)
    assert risk == pytest.approx(value, rel=1e-13)
    close(np.asarray(gradient), wanted)
    for found, layer in zip(layers, expected, strict=True):
        close(np.asarray(found.inputs), layer.inputs)
        close(np.asarray(found.output_gradients), layer.output_gradients)


def test_inside_of_jit():
    given = problem("perceptron")

    @jax.jit
    def run(parameters, x, y, seed):
        return source.collect_arrays((given.model, parameters), "softmax", x, y, "mc", seed, samples=2)

    pairs, gradient, risk = run(given.parameters, given.x, given.y, jnp.asarray(7))
    layers, wanted, value = given.collect(fisher="mc", samples=2, seed=7)
    for (a, g), layer in zip(pairs, layers, strict=True):
        close(np.asarray(a), np.asarray(layer.inputs))
        close(np.asarray(g), np.asarray(layer.output_gradients))
    close(np.asarray(gradient), np.asarray(wanted))
    assert float(risk) == pytest.approx(value, rel=1e-13)
    other = run(given.parameters, given.x, given.y, jnp.asarray(8))[0]
    assert float(abs(other[-1][1] - pairs[-1][1]).max()) > 0


def linear(parameters, x):
    return x @ parameters["W"]


LINEAR = {"W": jnp.ones((3, 2))}
X, Y = jnp.ones((4, 3)), jnp.zeros((4, 2))


def test_it_is_compiled_once_and_follows_the_parameters():
    runs = []

    def model(parameters, x):
        runs.append(isinstance(parameters["W"], jax.core.Tracer))
        return linear(parameters, x)

    first = source.collect((model, LINEAR), "mse", X, Y)
    traced = len(runs)
    second = source.collect((model, {"W": 2 * LINEAR["W"]}), "mse", X, Y)
    assert all(runs)
    assert len(runs) - traced < traced
    close(np.asarray(second[1]), 2 * np.asarray(first[1]))


def test_low_precision_on_the_way_is_taken_up_again():
    def model(parameters, x):
        return (x.astype("bfloat16") @ parameters["W"].astype("bfloat16") + parameters["b"].astype("bfloat16")) * 2

    parameters = {"W": jnp.asarray([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), "b": jnp.ones(2)}
    (layer,), gradient, _ = source.collect((model, parameters), "mse", X, Y)
    assert str(layer.dtype) == str(gradient.dtype) == "float64"
    assert (layer.d_out, layer.d_in) == (2, 4)
    close(np.asarray(layer.output_gradients[0, 0]), 2 * np.eye(2))


@pytest.mark.parametrize(("loss", "y"), [("softmax", jnp.zeros(4, int)), ("mse", Y)])
def test_float32_stays(loss, y):
    single, x = {"W": LINEAR["W"].astype("float32")}, X.astype("float32")
    pairs, gradient, risk = source.collect_arrays((linear, single), loss, x, y)
    assert {str(array.dtype) for array in (*pairs[0], gradient, risk)} == {"float32"}


def test_a_function_is_a_loss_for_the_empirical_fisher():
    def huber(f, y):
        return jnp.sqrt(1 + ((f - y) ** 2).sum())

    (layer,), gradient, risk = source.collect((linear, LINEAR), huber, X, Y, fisher="empirical")
    assert risk == pytest.approx(np.sqrt(19))
    close(root_by_definition(numbers([layer])[0]).mean(axis=1), np.asarray(gradient))
    with pytest.raises(ValueError, match=r"the Hessian of .* is not known"):
        source.collect((linear, LINEAR), huber, X, Y)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fisher": "type-1"}, "unknown fisher 'type-1': choose one of 'type-2', 'mc', 'empirical'"),
        ({"unsupported": "skip"}, "unknown unsupported 'skip': choose one of 'error', 'columns', 'omit'"),
        ({"samples": 0, "fisher": "mc"}, "samples = 0: at least one label"),
        ({"samples": 2}, "samples = 2 has no meaning for fisher='type-2'"),
        ({"loss": "hinge"}, "unknown loss 'hinge': choose one of 'mse', 'softmax', 'bernoulli'"),
        ({"x": X[:0], "y": Y[:0]}, "its n >= 1 examples along the first axis of every array, found 0"),
        ({"y": Y[:, :1]}, r"labels of shape \(4, 1\) beside outputs of shape \(4, 2\)"),
        ({"parameters": {"W": jnp.ones((3, 2), int)}}, "the parameters are 'W' int64, and curvature needs"),
        ({"parameters": {"W": [2.0, jnp.ones(2)]}}, "the parameters are 'W/0' float, 'W/1' float64"),
        ({"parameters": {}}, "the parameters are none"),
        ({"x": X * np.inf}, "the loss is inf and the largest entry of its gradient inf"),
        ({"function": lambda p, x: (x @ p["W"]).sum()}, r"one array \(n, ...\), examples first; for n = 1 it returns"),
        ({"function": lambda p, x: (x @ p["W"]) - x.mean()}, "between all examples at once and one by one"),
    ],
)
def test_what_does_not_fit(options, message):
    given = {"loss": "mse", "x": X + jnp.arange(4.0)[:, None], "y": Y} | options
    model = given.pop("function", linear), given.pop("parameters", LINEAR)
    with pytest.raises(ValueError, match=message):
        source.collect(model, **given)


def test_the_model_is_a_pair():
    with pytest.raises(ValueError, match=r"must be a pair \(function, parameters\), .* not a function"):
        source.collect(linear, "mse", X, Y)
    with pytest.raises(ValueError, match=r"must be a pair \(function, parameters\), .* not a tuple"):
        source.collect((LINEAR, linear), "mse", X, Y)


def test_the_check_of_the_examples_can_be_left_out():
    def normalised(parameters, x):
        return (x - x.mean(axis=0)) @ parameters["W"]

    x = X + jnp.arange(4.0)[:, None]
    with pytest.raises(ValueError, match="no layer may normalise over the examples"):
        source.collect((normalised, LINEAR), "mse", x, Y)
    source.collect((normalised, LINEAR), "mse", x, Y, check=False)


def test_precision_is_not_lost_in_silence():
    parameters = {"W": np.ones((3, 2))}
    jax.config.update("jax_enable_x64", False)
    try:
        with pytest.raises(ValueError, match="switch double precision on first"):
            source.collect((linear, parameters), "mse", np.ones((4, 3)), np.zeros((4, 2)))
    finally:
        jax.config.update("jax_enable_x64", True)
