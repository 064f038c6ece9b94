"""Laws of the layout: vectors to parameters and back."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
nn = torch.nn

import kronlin as kl  # noqa: E402
from kronlin.sources import pytorch  # noqa: E402
from tests.sources.pytorch.nets import NETS, labels, net  # noqa: E402


@pytest.mark.parametrize("name", NETS)
def test_the_gradient_written_is_what_backward_writes(name):
    model, x = net(name)
    loss = nn.MSELoss()
    y = labels(loss, model(x))
    layers, gradient, _ = pytorch.collect(model, loss, x, y, fisher="empirical")
    pytorch.write_grad(model, layers, gradient)
    written = [parameter.grad for parameter in model.parameters()]
    model.zero_grad()
    loss(model(x), y).backward()
    for parameter, found in zip(model.parameters(), written, strict=True):
        torch.testing.assert_close(found, parameter.grad)


@pytest.mark.parametrize("name", ["mlp", "grouped", "tied embedding"])
def test_there_and_back(name):
    model, x = net(name)
    layers, gradient, _ = pytorch.collect(model, nn.MSELoss(), x, torch.zeros_like(model(x)))
    layout = pytorch.layout(model, layers)
    assert torch.equal(layout.vector(layout.arrays(gradient)), gradient)


def test_a_step_of_kfac_by_an_optimiser_of_pytorch():
    model, x = net("conv2d")
    loss = nn.CrossEntropyLoss()
    y = labels(loss, model(x))
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    risks = []
    for _ in range(5):
        layers, gradient, risk = pytorch.collect(model, loss, x, y)
        pytorch.write_grad(model, layers, kl.kfac(layers).damped(0.1).solve(gradient))
        optimiser.step()
        risks.append(risk)
    assert risks == sorted(risks, reverse=True)


def test_what_is_in_no_layer_keeps_its_gradient_and_the_vector_is_not_shared():
    model, x = net("mlp")
    model[0].requires_grad_(False)
    model[0].bias.grad = torch.full((5,), 7.0, dtype=torch.float64)
    layers, gradient, _ = pytorch.collect(model, nn.MSELoss(), x, torch.zeros(4, 3, dtype=torch.float64))
    pytorch.write_grad(model, layers, gradient)
    assert model[0].weight.grad is None
    assert torch.equal(model[0].bias.grad, torch.full((5,), 7.0, dtype=torch.float64))
    before = model[2].weight.grad.clone()
    gradient.zero_()
    assert torch.equal(model[2].weight.grad, before)


def test_vectors_and_layers_that_do_not_fit():
    model, x = net("mlp")
    layers, gradient, _ = pytorch.collect(model, nn.MSELoss(), x, torch.zeros(4, 3, dtype=torch.float64))
    for vector in (gradient.float(), gradient.numpy()):
        with pytest.raises(ValueError, match=r"must be a tensor of torch.float64 on cpu, as parameter '0.weight'"):
            pytorch.write_grad(model, layers, vector)
    with pytest.raises(ValueError, match=r"takes a vector \(43,\)"):
        pytorch.write_grad(model, layers, gradient[1:])
    assert model[0].weight.grad is None
    with pytest.raises(ValueError, match="the model has no layer 'hidden', only '0', '2'"):
        pytorch.layout(model, [kl.LayerStatistics(np.ones((2, 3)), np.ones((2, 1)), name="hidden")])
