"""ParameterLayout with the parameters of PyTorch: gradients and Fisher matrices in the order of its own vectors."""

import numpy as np
import pytest

import kronlin as kl

torch = pytest.importorskip("torch")

from tests import torch_nets  # noqa: E402

EACH = pytest.mark.parametrize("name", ["mlp", "mlp without bias", "conv", "sequence", "mean"])


def square(model, x):
    """The loss of every example."""
    return (model(x) ** 2).flatten(1).sum(dim=1)


def gradients(model, x):
    """The gradient of every example as PyTorch concatenates it, (n, p), and the mean of them by name."""
    names, parameters = zip(*model.named_parameters(), strict=True)
    rows = [torch.autograd.grad(loss, parameters, retain_graph=True) for loss in square(model, x)]
    mean = {name: torch.stack(each).mean(dim=0) for name, each in zip(names, zip(*rows, strict=True), strict=True)}
    return torch.stack([torch.nn.utils.parameters_to_vector(row) for row in rows]), mean


@EACH
def test_fisher_in_the_order_of_torch(name):
    model, x = torch_nets.net(name)
    f = model(x).detach()
    layers = torch_nets.layers_of(model, x, 2 * f[:, None])
    rows, mean = gradients(model, x)
    layout = torch_nets.layout(model)
    P = layout.operator(like=rows)
    np.testing.assert_allclose(
        (P.H @ kl.fisher(layers) @ P).to_dense(), rows.T @ rows / len(rows), rtol=1e-12, atol=1e-12
    )
    gradient = layout.vector(mean)
    np.testing.assert_allclose(P.H @ gradient, rows.mean(dim=0), rtol=1e-12, atol=1e-13)


@EACH
def test_a_step_of_kfac_in_the_order_of_torch(name):
    """What a training loop does: gradients by name, a step by name, written into the parameters."""
    model, x = torch_nets.net(name)
    layers = torch_nets.layers_of(model, x, 2 * model(x).detach()[:, None])
    rows, mean = gradients(model, x)
    layout, K = torch_nets.layout(model), kl.kfac(layers).damped(0.1)
    P = layout.operator(like=rows)
    step = layout.arrays(K.solve(layout.vector(mean)))
    assert list(step) == [name for name, _ in model.named_parameters()]
    flat = torch.nn.utils.parameters_to_vector(step.values())
    inverse = P.H @ K.inverse() @ P
    np.testing.assert_allclose(inverse @ rows.mean(dim=0), flat, rtol=1e-12, atol=1e-13)
    before = square(model, x).mean().item()
    with torch.no_grad():
        for each, parameter in model.named_parameters():
            parameter -= 0.1 * step[each]
    assert square(model, x).mean().item() < before
