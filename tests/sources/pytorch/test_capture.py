"""What hooks catch, and what the graph tells of the rest."""

import pytest

torch = pytest.importorskip("torch")
nn = torch.nn

from kronlin.sources.pytorch._capture import captured, uses  # noqa: E402
from tests.sources.pytorch.nets import net  # noqa: E402


def test_each_call_has_its_input_and_the_place_of_its_gradient():
    model, x = net("twice")
    with captured([model.lift, model.square]) as calls:
        f = model(x)
    assert [len(calls[module]) for module in (model.lift, model.square)] == [1, 2]
    (call,) = calls[model.lift]
    assert call.inputs.data_ptr() == x.data_ptr()
    assert call.shape == (4, 3)
    gradient = torch.autograd.grad(f.sum(), [call.edge, model.lift.weight])
    torch.testing.assert_close(gradient[0].T @ x, gradient[1])


def test_the_place_is_before_an_activation_in_place():
    model, x = net("in place")
    with captured([model[0]]) as calls:
        f = model(x)
    gradient = torch.autograd.grad(f.sum(), [calls[model[0]][0].edge, model[0].weight])
    torch.testing.assert_close(gradient[0].T @ x, gradient[1])


def test_hooks_of_others_that_replace_the_output_come_later():
    layer, x = nn.Linear(3, 3), torch.ones(2, 3)
    with layer.register_forward_hook(lambda module, args, z: 2 * z), captured([layer]) as calls:
        f = layer(x)
    gradient = torch.autograd.grad(f.sum(), [calls[layer][0].edge, layer.weight])
    torch.testing.assert_close(gradient[0].T @ x, gradient[1])


def test_calls_by_keyword_and_calls_without_gradient():
    layer, x = nn.Linear(3, 3), torch.ones(2, 3)
    with captured([layer]) as calls:
        layer(input=x)
        with torch.no_grad():
            layer(x)
    assert len(calls[layer]) == 1


def test_hooks_are_gone_afterwards_also_when_something_fails():
    layer = nn.Linear(3, 3)
    with pytest.raises(RuntimeError), captured([layer]):
        layer(torch.ones(2, 4))
    assert not layer._forward_hooks


def test_inputs_that_are_written_into_later_are_refused():
    layer, x = nn.Linear(3, 3), torch.ones(2, 3)
    with captured([layer]) as calls:
        layer(x)
    (call,) = calls[layer]
    assert call.unchanged_inputs("layer") is call.inputs
    x += 1
    with pytest.raises(ValueError, match="the input of layer 'layer' was changed in place"):
        call.unchanged_inputs("layer")


@pytest.mark.parametrize("name", ["mlp", "conv2d", "attention", "embedding", "batch norm", "frames"])
def test_the_graph_takes_each_parameter_in_once(name):
    model, x = net(name)
    count = uses(model(x))
    assert {count[id(parameter)] for parameter in model.parameters()} == {1}


def test_the_graph_counts_all_uses():
    model, x = net("twice")
    f = model(x) + model.lift.weight.sum()
    count = uses(f)
    assert [count[id(p)] for p in (model.lift.weight, model.lift.bias, model.square.weight)] == [2, 1, 2]
    assert uses(x.clone().requires_grad_() * 2)[id(model.lift.weight)] == 0
