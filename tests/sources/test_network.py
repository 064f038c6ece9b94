"""Networks of every kind, differentiated a second time by complex steps."""

import numpy as np
import pytest
from hypothesis import given

from kronlin.sources._layer import Layer
from kronlin.sources._linear import Linear
from kronlin.sources._reduce import Reduce
from kronlin.sources._sequential import Sequential
from tests.complex_step import evaluate, truth
from tests.nets import close
from tests.networks import problem, problems


@given(problems())
def test_outputs_gradients_and_risk(problem):
    net, loss, x, y = problem
    close(net(x), evaluate(net, x, net.parameters)[0], 1e-13)
    expected, traces = truth(*problem), net.forward(x)
    risk, output_gradients, gradient = net.differentiate(loss, traces, y)
    assert risk == pytest.approx(expected.risk, rel=1e-12)
    close(gradient, expected.columns.mean(axis=0))
    for g, a, Z, seen in zip(output_gradients, net.inputs(traces), expected.Z, expected.inputs, strict=True):
        close(a.reshape(seen.shape), seen)
        close(g.reshape(Z.shape[0], *Z.shape[2:]), np.einsum("ndso,nd->nso", Z, expected.r))


@given(problems())
def test_backward_is_the_adjoint_of_the_jacobians(problem):
    net, x, expected = problem.net, problem.x, truth(*problem)
    traces = net.forward(x)
    columns = np.random.default_rng(0).standard_normal((len(x), 3, *traces[-1].output.shape[1:]))
    rows = columns.reshape(len(x), 3, -1)
    for g, Z in zip(net.backward(columns, traces), expected.Z, strict=True):
        close(g.reshape(len(x), 3, *Z.shape[2:]), np.einsum("ndso,nkd->nkso", Z, rows))


def test_a_risk_that_differences_confirm():
    """Once with differences, which know nothing of how a network is made."""
    net, loss, x, y = problem(
        Sequential((3, 2), [Linear(3, activation="tanh"), Reduce("mean", 0), Linear(2)]), "softmax"
    )
    gradient, step = net.differentiate(loss, net.forward(x), y)[2], 1e-6

    def risk(parameters):
        moved = net.with_parameters(parameters)
        return moved.differentiate(loss, moved.forward(x), y)[0]

    shifts = step * np.eye(len(gradient))
    quotients = [(risk(net.parameters + s) - risk(net.parameters - s)) / (2 * step) for s in shifts]
    np.testing.assert_allclose(gradient, quotients, atol=1e-9)


def test_other_parameters_leave_the_network_alone():
    net = Sequential((3, 2), [Linear(3), Reduce("mean", 0), Linear(2, bias=False)])
    before, stages = net.parameters, net.stages
    other = net.with_parameters(before + 1)
    np.testing.assert_array_equal(net.parameters, before)
    np.testing.assert_array_equal(other.parameters, before + 1)
    assert net.stages is stages
    assert [type(stage) for stage in other.stages] == [Layer, Reduce, Layer]
    assert type(other) is Sequential


def test_training_lowers_the_risk():
    net, loss, x, y = problem(Sequential((3, 2), [Linear(4, activation="tanh"), Reduce("mean", 0), Linear(2)]))
    seen = []
    net.train(loss, x, y, steps=40, learning_rate=0.05, callback=lambda t, risk: seen.append(risk))
    assert seen[-1] < 0.5 * seen[0]


def test_float32_runs_through():
    net, loss, x, y = problem(Sequential((3, 2), [Linear(4, activation="tanh"), Reduce("mean", 0), "relu", Linear(2)]))
    single = Sequential(net.shape, net.parts, dtype="float32").with_parameters(net.parameters.astype("float32"))
    traces = single.forward(x.astype("float32"))
    _, output_gradients, gradient = single.differentiate(loss, traces, y.astype("float32"))
    assert {a.dtype for trace in traces for a in trace} == {np.dtype("float32")}
    assert {g.dtype for g in (*output_gradients, gradient)} == {np.dtype("float32")}
    close(gradient, net.differentiate(loss, net.forward(x), y)[2], 1e-5)
