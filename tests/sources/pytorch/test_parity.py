"""The same weights give the same layers in PyTorch and in NumPy, and those of the reference nets."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
nn = torch.nn

import kronlin as kl  # noqa: E402
from kronlin.sources import numpy_mlp, pytorch  # noqa: E402
from kronlin.sources._losses import LOSSES  # noqa: E402
from tests.nets import reference  # noqa: E402
from tests.networks import problem  # noqa: E402
from tests.sources.pytorch.nets import Mean  # noqa: E402

FISHER = pytest.mark.parametrize("fisher", ["type-2", "empirical"])


def torch_mlp(weights, activation):
    """The net of matrices [W | b]."""
    layers = []
    for matrix in weights:
        layer = nn.Linear(matrix.shape[1] - 1, len(matrix)).double()
        layer.load_state_dict({"weight": torch.as_tensor(matrix[:, :-1]), "bias": torch.as_tensor(matrix[:, -1])})
        layers += [layer, activation()]
    return nn.Sequential(*layers[:-1])


@FISHER
@pytest.mark.parametrize("loss", sorted(LOSSES))
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_parity_with_numpy(loss, fisher, activation):
    rng = np.random.default_rng(0)
    net = numpy_mlp.MLP((4, 5, 4, 3), activation=activation, seed=1)
    net = net.with_parameters(net.parameters + 0.3 * rng.standard_normal(net.parameters.shape))
    model = torch_mlp([layer.weight.copy() for layer in net.layers], {"tanh": nn.Tanh, "relu": nn.ReLU}[activation])
    x = rng.standard_normal((6, 4))
    y = LOSSES[loss].sample(net(x), rng)
    layers, gradient, risk = pytorch.collect(model, loss, torch.as_tensor(x), torch.as_tensor(y), fisher=fisher)
    wanted, slope, h = numpy_mlp.collect(net, loss, x, y, fisher=fisher)
    near = {"rtol": 1e-10, "atol": 1e-13}
    for layer, other in zip(layers, wanted, strict=True):
        np.testing.assert_allclose(layer.inputs, other.inputs, **near)
        np.testing.assert_allclose(layer.output_gradients, other.output_gradients, **near)
    np.testing.assert_allclose(gradient, slope, **near)
    assert risk == pytest.approx(h, rel=1e-13)
    step = kl.kfac(layers).damped(1e-2).solve(gradient)
    np.testing.assert_allclose(step, kl.kfac(wanted).damped(1e-2).solve(slope), rtol=1e-9, atol=1e-12)


SHARED = {
    "sequence": (
        lambda np_: np_.Sequential((2, 3), [np_.Linear(2, activation="tanh"), np_.Linear(3)]),
        lambda: nn.Sequential(nn.Linear(3, 2), nn.Tanh(), nn.Linear(2, 3)),
    ),
    "convolution": (
        lambda np_: np_.Sequential(
            (2, 4, 3), [np_.Conv2d(2, (2, 1), (1, 2), (1, 0), activation="tanh"), np_.Flatten(), np_.Linear(3)]
        ),
        lambda: nn.Sequential(nn.Conv2d(2, 2, (2, 1), (1, 2), (1, 0)), nn.Tanh(), nn.Flatten(), nn.Linear(20, 3)),
    ),
}


@FISHER
@pytest.mark.parametrize("loss", sorted(LOSSES))
@pytest.mark.parametrize("name", SHARED)
def test_parity_where_weights_are_shared(name, loss, fisher):
    of_numpy, of_torch = SHARED[name]
    net, _, x, y = problem(of_numpy(numpy_mlp), loss)
    model = of_torch().double()
    wanted, slope, h = numpy_mlp.collect(net, loss, x, y, fisher=fisher)
    x, y = torch.as_tensor(x), torch.as_tensor(y)
    arrays = pytorch.layout(model, pytorch.collect(model, loss, x, y)[0]).arrays(torch.as_tensor(net.parameters))
    model.load_state_dict(arrays)
    layers, gradient, risk = pytorch.collect(model, loss, x, y, fisher=fisher)
    for layer, other in zip(layers, wanted, strict=True):
        np.testing.assert_allclose(layer.inputs, other.inputs, rtol=1e-10, atol=1e-13)
        np.testing.assert_allclose(layer.output_gradients, other.output_gradients, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(gradient, slope, rtol=1e-10, atol=1e-13)
    assert risk == pytest.approx(h, rel=1e-13)


@pytest.mark.parametrize("name", ["mlp_tanh_mse_bias", "deep_linear_mse_bias", "seq_linear_meanreduce_mse"])
def test_reference_nets(name):
    ref = reference(name)
    L = int(ref["n_layers"])
    model = torch_mlp([ref[f"l{j}_W"] for j in range(L)], nn.Tanh if "tanh" in name else nn.Identity)
    if "seq" in name:
        model.append(Mean())
    x, y = torch.as_tensor(ref["X"]), torch.as_tensor(ref["y"])
    near = {"rtol": 1e-11, "atol": 1e-13}
    for fisher, key, F in (("type-2", "g2", "F"), ("empirical", "ge", "Femp")):
        layers, gradient, _ = pytorch.collect(model, "mse", x, y, fisher=fisher)
        for j, layer in enumerate(layers):
            np.testing.assert_allclose(layer.inputs, ref[f"l{j}_a"], **near)
            columns = ref[f"l{j}_{key}"].reshape(layer.output_gradients.shape)
            np.testing.assert_allclose(layer.output_gradients, columns, **near)
        np.testing.assert_allclose(gradient, ref["grad"], **near)
        np.testing.assert_allclose(kl.fisher(layers).to_dense(), ref[F], **near)
