"""Realistic mistakes in a source, planted one at a time, each of which check_source must catch."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from kronlin.curvature import FisherRoot
from kronlin.sources import numpy_mlp
from kronlin.sources.numpy_mlp import MLP, Conv2d, Flatten, Linear, Reduce, Sequential
from kronlin.testing import check_source
from kronlin.testing.source_laws import _curvature
from tests.faults.fault import method
from tests.networks import Problem, problem

PERCEPTRON = problem(MLP((3, 2, 2)), "softmax", n=3)
SURE = PERCEPTRON._replace(  # of its second class: only the last bias is not as before
    net=PERCEPTRON.net.with_parameters(PERCEPTRON.net.parameters + 2 * np.eye(14)[-1])
)
SEQUENCE = problem(Sequential((2, 3), [Linear(2, activation="tanh"), Linear(2)]), "softmax", n=3)
SOUND = [
    problem(net, loss, n=3)
    for loss in ("mse", "softmax", "bernoulli")
    for net in (
        MLP((3, 2, 2), bias=False),
        Sequential((2, 3), [Linear(2, activation="tanh"), Linear(2)]),
        Sequential((3, 2), [Linear(2, activation="tanh"), Reduce("mean", axis=0), Linear(2)]),
        Sequential((2, 3, 3), [Conv2d(2, 2, activation="tanh"), Flatten(), Linear(2)]),
    )
]


class Fault(NamedTuple):
    """A mistake: `make` gives `collect` as it is wrong, for a network with data, or `plant` breaks something else."""

    title: str
    law: str
    make: Callable[[Callable], Callable]
    problem: Problem
    plant: Callable[[], Any] = nullcontext


FAULTS: list[Fault] = []


def check(collect: Callable, problem: Problem, **options: Any) -> None:
    """check_source of a source of the reference networks, beside the reference."""
    net, loss, x, y = problem
    twin = lambda fisher: numpy_mlp.collect(net, loss, x, y, fisher=fisher)  # noqa: E731
    data = {"x": x.copy(), "y": y.copy()}
    check_source(collect, net.with_parameters, net.parameters, loss, **data, twin=twin, **options)


def planted(law: str, problem: Problem = PERCEPTRON) -> Callable[[Callable], Callable]:
    """Add a function that spoils what `collect(model, loss, x, y, fisher, seed)` returns."""

    def add(spoil: Callable) -> Callable:
        def make(collect: Callable) -> Callable:
            return lambda model, loss, x, y, fisher="type-2", seed=0: spoil(collect, model, loss, x, y, fisher, seed)

        FAULTS.append(Fault(spoil.__name__.replace("_", " "), law, make, problem))
        return spoil

    return add


def turned(layers, change):
    """The layers with other output gradients."""
    return tuple(replace(layer, output_gradients=change(layer.output_gradients)) for layer in layers)


@planted("form")
def gradient_without_the_last_bias(collect, *call):
    layers, gradient, loss = collect(*call)
    return layers, gradient[:-1], loss


@planted("form")
def gradient_in_single_precision(collect, *call):
    layers, gradient, loss = collect(*call)
    return layers, gradient.astype(np.float32), loss


@planted("form")
def last_layer_missing(collect, *call):
    layers, gradient, loss = collect(*call)
    return layers[:1], gradient[: layers[0].parameters], loss


@planted("form")
def last_batch_left_out(collect, model, loss, x, y, fisher, seed):
    return collect(model, loss, x[:2], y[:2], fisher, seed)


@planted("form")
def loss_as_an_array(collect, *call):
    layers, gradient, loss = collect(*call)
    return layers, gradient, np.asarray([loss])


@planted("form", SEQUENCE)
def empirical_columns_of_terms(collect, model, loss, x, y, fisher, seed):
    layers, gradient, risk = collect(model, loss, x, y, fisher, seed)
    if fisher == "empirical":
        layers = turned(layers, lambda g: np.concatenate([g, g], axis=2) / 2)
    return layers, gradient, risk


@planted("refusal")
def anything_else_is_of_type_2(collect, model, loss, x, y, fisher, seed):
    return collect(model, loss, x, y, fisher if fisher in ("mc", "empirical") else "type-2", seed)


@planted("untouched")
def inputs_scaled_in_place(collect, model, loss, x, y, fisher, seed):
    x *= 1 + 1e-9
    return collect(model, loss, x, y, fisher, seed)


@planted("untouched")
def model_moves_on(collect, model, *call):
    found = collect(model, *call)
    vars(model).update(vars(model.with_parameters(model.parameters * (1 + 1e-9))))
    return found


unseeded = np.random.default_rng(0)


@planted("repeatability")
def dropout_left_on(collect, *call):
    layers, gradient, risk = collect(*call)
    return turned(layers, lambda g: g * unseeded.uniform(0.9, 1.1, g.shape)), gradient, risk


@planted("value")
def loss_without_its_factor(collect, model, loss, x, y, fisher, seed):
    layers, gradient, risk = collect(model, loss, x, y, fisher, seed)
    factor = 2 if fisher == "empirical" else 2**0.5
    return turned(layers, lambda g: factor * g), 2 * gradient, 2 * risk


@planted("gradient")
def gradient_of_the_sum(collect, model, loss, x, *call):
    layers, gradient, risk = collect(model, loss, x, *call)
    return layers, len(x) * gradient, risk


@planted("gradient")
def kernel_in_the_order_in_out(collect, *call):
    layers, gradient, risk = collect(*call)
    size = layers[0].parameters
    turn = gradient[:size].reshape(layers[0].d_out, -1).T.ravel()
    return layers, np.concatenate([turn, gradient[size:]]), risk


@planted("gradient")
def layers_of_the_gradient_reversed(collect, *call):
    layers, gradient, risk = collect(*call)
    size = layers[0].parameters
    return layers, np.concatenate([gradient[size:], gradient[:size]]), risk


@planted("mean of the empirical columns")
def empirical_columns_with_the_other_sign(collect, *call):
    layers, gradient, risk = collect(*call)
    return turned(layers, np.negative), gradient, risk


@planted("mean of the empirical columns")
def columns_divided_by_n(collect, model, loss, x, *call):
    layers, gradient, risk = collect(model, loss, x, *call)
    return turned(layers, lambda g: g / len(x)), gradient, risk


@planted("mean of the empirical columns")
def bias_column_first(collect, *call):
    layers, gradient, risk = collect(*call)
    return tuple(replace(layer, inputs=np.roll(layer.inputs, 1, axis=-1)) for layer in layers), gradient, risk


@planted("mean of the empirical columns", SEQUENCE)
def positions_averaged(collect, *call):
    layers, gradient, risk = collect(*call)
    return turned(layers, lambda g: g / g.shape[1]), gradient, risk


@planted("mean of the empirical columns", SEQUENCE)
def positions_of_the_inputs_in_another_order(collect, *call):
    layers, gradient, risk = collect(*call)
    return tuple(replace(layer, inputs=layer.inputs[:, ::-1]) for layer in layers), gradient, risk


@planted("empirical columns")
def examples_exchanged(collect, *call):
    layers, gradient, risk = collect(*call)
    return (
        tuple(replace(a, inputs=a.inputs[::-1], output_gradients=a.output_gradients[::-1]) for a in layers),
        gradient,
        risk,
    )


@planted("single examples")
def type_2_divided_by_the_root_of_n(collect, model, loss, x, y, fisher, seed):
    layers, gradient, risk = collect(model, loss, x, y, fisher, seed)
    return layers if fisher == "empirical" else turned(layers, lambda g: g / len(x) ** 0.5), gradient, risk


@planted("independence of the labels")
def given_labels_for_the_sampled_ones(collect, model, loss, x, y, fisher, seed):
    return collect(model, loss, x, y, "empirical" if fisher == "mc" else fisher, seed)


@planted("jacobian products")
def last_column_forgotten(collect, model, loss, x, y, fisher, seed):
    layers, gradient, risk = collect(model, loss, x, y, fisher, seed)
    return turned(layers, lambda g: g[:, :, :-1]) if fisher == "type-2" else layers, gradient, risk


@planted("jacobian products", SEQUENCE)
def a_column_for_all_positions_at_once(collect, model, loss, x, y, fisher, seed):
    layers, gradient, risk = collect(model, loss, x, y, fisher, seed)
    if fisher == "type-2":
        layers = turned(layers, lambda g: g.reshape(*g.shape[:2], 2, 2, -1).sum(axis=2))
    return layers, gradient, risk


@planted("jacobian products", problem(MLP((3, 2, 2)), "mse", n=3))
def hessian_of_a_loss_without_one_half(collect, model, loss, x, y, fisher, seed):
    layers, gradient, risk = collect(model, loss, x, y, fisher, seed)
    return turned(layers, lambda g: 2**0.5 * g) if fisher == "type-2" else layers, gradient, risk


@planted("enumeration", PERCEPTRON._replace(y=np.ones(3, int)))
def class_zero_ignored(collect, model, loss, x, y, fisher, seed):
    layers, gradient, risk = collect(model, loss, x, y, fisher, seed)
    kept = np.asarray(y > 0, float)[:, None, None, None]
    return turned(layers, lambda g: g * kept) if fisher == "empirical" else layers, gradient, risk


@planted("sampled columns", SURE)
def labels_drawn_uniformly(collect, model, loss, x, y, fisher, seed):
    if fisher == "mc":
        return collect(model, loss, x, np.random.default_rng(seed).integers(2, size=len(x)), "empirical")
    return collect(model, loss, x, y, fisher, seed)


@planted("sampled columns")
def seed_not_passed_on(collect, model, loss, x, y, fisher, seed):
    return collect(model, loss, x, y, fisher, 0)


@planted("sampled columns")
def two_samples_without_the_root(collect, model, loss, x, y, fisher, seed):
    if fisher != "mc":
        return collect(model, loss, x, y, fisher, seed)
    layers, gradient, risk = numpy_mlp.collect(model, loss, x, y, fisher, seed, samples=2)
    return turned(layers, lambda g: 2**0.5 * g), gradient, risk


@planted("sampled columns")
def one_random_number_for_all_examples(collect, model, loss, x, y, fisher, seed):
    if fisher != "mc":
        return collect(model, loss, x, y, fisher, seed)
    f = model(x)
    p = np.exp(f[:, 0] - np.logaddexp(f[:, 0], f[:, 1]))
    return collect(model, loss, x, (np.random.default_rng(seed).random() > p).astype(int), "empirical")


@planted("parity")
def a_constant_moved_between_the_factors(collect, *call):
    layers, gradient, risk = collect(*call)
    moved = (replace(a, inputs=2 * a.inputs, output_gradients=a.output_gradients / 2) for a in layers)
    return tuple(moved), gradient, risk


def _sound(collect):
    return collect


FAULTS += [
    Fault(
        "adjoint of the root with another sign",
        "adjoint",
        _sound,
        PERCEPTRON,
        lambda: method(FisherRoot, "_rmatmat", lambda kernel, self, y: -kernel(self, y)),
    ),
    Fault(
        "fisher matrix divided by the columns too",
        "outer products",
        _sound,
        PERCEPTRON,
        lambda: method(_curvature, "fisher", lambda known, layers: known(layers) / layers[0].K),
    ),
]
