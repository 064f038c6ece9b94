"""The laws of a source, kept by PyTorch's: every kind of layer, and losses that average."""

import copy

import pytest

torch = pytest.importorskip("torch")
nn = torch.nn

from kronlin.sources import numpy_mlp, pytorch  # noqa: E402
from kronlin.testing import check_source  # noqa: E402
from tests.networks import problem  # noqa: E402
from tests.sources.pytorch.nets import NETS, labels, net  # noqa: E402
from tests.sources.pytorch.test_parity import torch_mlp  # noqa: E402


def check(model, loss, x, y, **options):
    """check_source at the parameters of a module."""
    named = dict(model.named_parameters())
    layout = pytorch.layout(model, pytorch.collect(model, loss, x, y)[0])

    def at(theta):
        other = copy.deepcopy(model)
        other.load_state_dict({**other.state_dict(), **layout.arrays(theta)})
        return other

    theta = layout.vector({name: parameter.detach() for name, parameter in named.items()})
    check_source(pytorch.collect, at, theta, loss, x, y, **options)


LOSSES = {
    "cross-entropy": (nn.CrossEntropyLoss(), "softmax", 1.0),
    "mean square": (nn.MSELoss(), "mse", 2 / 3),
    "Bernoulli": (nn.BCEWithLogitsLoss(), "bernoulli", 1 / 3),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_losses(loss):
    function, head, scale = LOSSES[loss]
    model, x = net("mlp")
    x = x[:3]
    check(model, function, x, labels(function, model(x)), head=head, scale=scale)


@pytest.mark.parametrize("name", [name for name in NETS if name not in ("in place", "positions", "mlp")])
def test_every_kind_of_layer(name):
    model, x = net(name)
    x = x[:2]
    loss = nn.CrossEntropyLoss()
    y = labels(loss, model(x))
    check(model, loss, x, y, head="softmax", scale=len(y) / y.numel(), output=lambda model, x: model(x).movedim(1, -1))


def test_parity_with_numpy():
    mlp, loss, x, y = problem(numpy_mlp.MLP((3, 2, 2)), "softmax", n=2)
    model = torch_mlp([layer.weight.copy() for layer in mlp.layers], nn.Tanh)

    def twin(fisher):
        return numpy_mlp.collect(mlp, loss, x, y, fisher=fisher)

    check(model, loss, torch.as_tensor(x), torch.as_tensor(y), twin=twin)
