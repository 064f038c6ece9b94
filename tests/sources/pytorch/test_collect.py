"""Laws of `collect`: gradient, generalised Gauss-Newton product, sampled and empirical Fisher, on every kind of net."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
nn = torch.nn

import kronlin as kl  # noqa: E402
from kronlin.sources import pytorch  # noqa: E402
from tests.sources.pytorch.nets import NETS, gauss_newton, labels, net, reference  # noqa: E402

EACH = pytest.mark.parametrize("name", NETS)
LOSSES = [cls(reduction=r) for cls in (nn.MSELoss, nn.CrossEntropyLoss, nn.BCEWithLogitsLoss) for r in ("mean", "sum")]
PAIRS = [(name, LOSSES[i % 6]) for i, name in enumerate(NETS)] + [
    (name, loss) for name in ("mlp", "positions") for loss in LOSSES
]
PAIR = pytest.mark.parametrize(("name", "loss"), PAIRS, ids=lambda it: it if isinstance(it, str) else str(it.reduction))
"""Every net with one of the losses, and two nets with all: what a loss does ends at the output."""


def close(found, wanted, tolerance=1e-12):
    assert found.shape == wanted.shape
    assert (found - wanted).abs().max() <= tolerance * max(1.0, wanted.abs().max())


@PAIR
def test_gradient_and_type_2_are_those_of_the_loss_of_pytorch(name, loss):
    model, x = net(name)
    y = labels(loss, model(x))
    layers, gradient, risk = pytorch.collect(model, loss, x, y)
    f, J = reference(model, x, layers)
    assert risk == pytest.approx(float(loss(f, y)), rel=1e-13)
    slope = torch.autograd.functional.jacobian(lambda v: loss(v, y), f)
    close(gradient, J.flatten(0, 1).T @ slope.flatten())
    F, v = kl.fisher(layers), torch.randn(J.shape[2], 2, dtype=f.dtype)
    close(F @ v, gauss_newton(loss, f, J, y) @ v)
    assert {layer.K for layer in layers} == {f[0].numel()}


@PAIR
def test_empirical_columns_are_the_gradients_of_the_examples(name, loss):
    """n times the terms of the loss that belong to an example; so their mean is the gradient."""
    model, x = net(name)
    y = labels(loss, model(x))
    layers, gradient, _ = pytorch.collect(model, loss, x, y, fisher="empirical")
    f, J = reference(model, x, layers)
    slope = torch.autograd.functional.jacobian(lambda v: loss(v, y), f).flatten(1)
    rows = len(f) * torch.einsum("nd,ndp->np", slope, J)
    U = torch.cat([kl.FisherRoot(layer.inputs, layer.output_gradients).to_dense() for layer in layers])
    close(U.T, rows)
    close(U.mean(dim=1), gradient)
    close(kl.fisher(layers).to_dense(), rows.T @ rows / len(rows))


@pytest.mark.parametrize(("name", "loss"), [("mlp", loss) for loss in LOSSES[::2]] + [("positions", LOSSES[3])])
def test_mc_is_type_2_up_to_the_error_of_the_sample(name, loss):
    model, x = net(name)
    y, samples = labels(loss, model(x)), 200
    exact = kl.fisher(pytorch.collect(model, loss, x, y)[0]).to_dense()
    layers, _, _ = pytorch.collect(model, loss, x, y, fisher="mc", seed=3, samples=samples)
    U = torch.cat([kl.FisherRoot(layer.inputs, layer.output_gradients).to_dense() for layer in layers])
    U = U.reshape(len(U), len(x), samples) * samples**0.5
    products = torch.einsum("pnk,qnk->kpq", U, U) / len(x)
    error = (products.mean(dim=0) - exact).abs()
    assert (error <= 6 * products.std(dim=0) / samples**0.5 + 1e-14).all()
    assert error.max() > 0


def test_type_2_is_the_mean_of_empirical_ones_over_all_labels():
    model, x = net("mlp")
    loss, p = nn.CrossEntropyLoss(), net("mlp")[0](x).softmax(dim=1).detach()
    exact = kl.fisher(pytorch.collect(model, loss, x, torch.zeros(len(x), dtype=torch.long))[0]).to_dense()
    mean = torch.zeros_like(exact)
    for c in range(p.shape[1]):
        layers, _, _ = pytorch.collect(model, loss, x, torch.full((len(x),), c), fisher="empirical")
        U = torch.cat([kl.FisherRoot(layer.inputs, layer.output_gradients).to_dense() for layer in layers])
        mean += (U * p[:, c]) @ U.T / len(x)
    close(mean, exact)


@pytest.mark.parametrize("name", ["mlp", "conv2d"])
def test_mc_follows_its_seed(name):
    model, x = net(name)
    y = labels(nn.CrossEntropyLoss(), model(x))
    one, same, other = (
        pytorch.collect(model, nn.CrossEntropyLoss(), x, y, fisher="mc", seed=seed)[0][0].output_gradients
        for seed in (1, 1, 2)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


@EACH
def test_kfac_and_its_inverse_can_be_made(name):
    model, x = net(name)
    layers, gradient, _ = pytorch.collect(model, nn.MSELoss(), x, torch.zeros_like(model(x)))
    step = kl.kfac(layers).damped(0.1).solve(gradient)
    assert step.isfinite().all()
    assert float(step @ gradient) > 0


@pytest.mark.parametrize("fisher", ["type-2", "mc", "empirical"])
def test_float32_stays_and_is_close_to_float64(fisher):
    model, x = net("conv2d")
    y = labels(nn.CrossEntropyLoss(), model(x))
    double = pytorch.collect(model, nn.CrossEntropyLoss(), x, y, fisher="empirical")
    layers, gradient, _ = pytorch.collect(model.float(), nn.CrossEntropyLoss(), x.float(), y, fisher=fisher)
    assert {layer.dtype for layer in layers} == {gradient.dtype} == {torch.float32}
    np.testing.assert_allclose(gradient, double[1], atol=1e-5)


def test_the_model_may_take_several_arguments():
    model, x = net("mlp")

    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, x, scale):
            return scale * self.model(x)

    y = labels(nn.MSELoss(), model(x))
    one, two, three = (
        pytorch.collect(Scaled(), nn.MSELoss(), given, y)[1] for given in ((x, 2.0), [x, 2.0], {"scale": 2.0, "x": x})
    )
    assert torch.equal(one, two)
    assert torch.equal(one, three)


def test_the_layers_are_tensors_that_share_memory_with_what_the_model_saw():
    """Without a bias nothing is copied."""
    model, x = nn.Linear(3, 2, bias=False), torch.ones(4, 3)
    (layer,), _, _ = pytorch.collect(model, nn.MSELoss(), x, torch.ones(4, 2))
    assert layer.inputs.data_ptr() == x.data_ptr()


def test_an_embedding_may_have_a_sparse_gradient():
    x, y = torch.tensor([[0, 2], [1, 2]]), torch.ones(2, 2, 3)
    table = nn.Embedding(5, 3)
    one, two = (
        pytorch.collect(nn.Embedding.from_pretrained(table.weight, freeze=False, sparse=sparse), nn.MSELoss(), x, y)[1]
        for sparse in (False, True)
    )
    torch.testing.assert_close(one, two)


def test_frozen_parameters_are_left_out():
    model, x = net("mlp")
    model[0].weight.requires_grad_(False)
    model[2].bias.requires_grad_(False)
    layers, gradient, _ = pytorch.collect(model, nn.MSELoss(), x, torch.zeros_like(model(x)))
    assert [layer.name for layer in layers] == ["0.bias", "2.weight"]
    found = torch.autograd.grad(nn.MSELoss()(model(x), torch.zeros(4, 3)), [model[0].bias, model[2].weight])
    close(gradient, torch.cat([part.flatten() for part in found]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fisher": "type2"}, "unknown fisher 'type2': choose one of 'type-2', 'mc', 'empirical'"),
        ({"unsupported": "skip"}, "unknown unsupported 'skip': choose one of 'error', 'columns', 'omit'"),
        ({"samples": 0, "fisher": "mc"}, "samples = 0: at least one"),
        ({"samples": 2}, "samples = 2 has no meaning for fisher='type-2'"),
        ({"y": torch.zeros(4, dtype=torch.float64)}, r"labels of shape \(4,\) beside outputs of shape \(4, 3\)"),
        ({"y": np.zeros((4, 3))}, "labels must be a tensor of PyTorch, not ndarray"),
        ({"x": torch.full((4, 4), torch.nan, dtype=torch.float64)}, "the loss is nan"),
        ({"model": nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3)).double()}, r"layer '1'.*model\.eval\(\)"),
        ({"model": nn.Tanh()}, "no parameter of the model requires a gradient"),
        ({"model": nn.Linear(4, 3).half()}, "has dtype torch.float16, and curvature needs float32 or float64"),
        ({"model": nn.Sequential(nn.Linear(4, 3).double(), nn.Linear(3, 3))}, "bring all to one dtype"),
        ({"model": nn.LSTM(4, 3).double(), "unsupported": "columns"}, "must return one tensor .* not tuple"),
    ],
)
def test_arguments_that_do_not_fit(change, message):
    model, x = net("mlp")
    arguments = {"model": model, "loss": nn.MSELoss(), "x": x, "y": torch.zeros(4, 3, dtype=torch.float64)}
    with pytest.raises(ValueError, match=message):
        pytorch.collect(**(arguments | change))
