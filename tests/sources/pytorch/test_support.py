"""Parameters that no known layer explains: named, or treated as was asked for, and never skipped in silence."""

import pytest

torch = pytest.importorskip("torch")
nn = torch.nn

import kronlin as kl  # noqa: E402
from kronlin.sources import pytorch  # noqa: E402
from tests.sources.pytorch.nets import gauss_newton, labels, reference  # noqa: E402

N = 3


class Parameters(nn.Module):
    """Parameters of its own, one without axes, and a layer."""

    def __init__(self):
        super().__init__()
        self.shift, self.scale = nn.Parameter(torch.randn(2, 4)), nn.Parameter(torch.tensor(0.5))
        self.last = nn.Linear(4, 3)

    def forward(self, x):
        return self.last((x + self.shift).mean(dim=1) * self.scale)


class Functional(nn.Module):
    """A weight that is also used by hand, and one that is used by hand alone."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(4, 4), nn.Linear(4, 3)

    def forward(self, x):
        h = self.first(x).tanh() @ self.first.weight.T
        return nn.functional.linear(h, self.last.weight, self.last.bias)


def parametrised():
    model = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 3))
    torch.nn.utils.parametrizations.weight_norm(model[0])
    return model


MODELS = {
    "parameters": (Parameters, (N, 2, 4), ["shift", "scale"]),
    "functional": (Functional, (N, 4), ["first.weight", "last.weight", "last.bias"]),
    "weight norm": (
        parametrised,
        (N, 4),
        ["0.parametrizations.weight.original0", "0.parametrizations.weight.original1"],
    ),
    "bilinear": (
        lambda: nn.Sequential(nn.ConvTranspose1d(2, 2, 2), nn.PReLU(), nn.Flatten(), nn.Linear(6, 3)),
        (N, 2, 2),
        ["0.weight", "0.bias", "1.weight"],
    ),
}
EACH = pytest.mark.parametrize("name", MODELS)


def problem(name):
    torch.manual_seed(0)
    make, shape, _ = MODELS[name]
    model, loss = make().double(), nn.CrossEntropyLoss()
    x = torch.randn(shape, dtype=torch.float64)
    return model, loss, x, labels(loss, model(x))


@EACH
def test_they_are_named(name):
    with pytest.raises(
        ValueError, match=r"no layer that is known explains these parameters: .*unsupported='columns'"
    ) as e:
        pytorch.collect(*problem(name))
    assert all(repr(parameter) in str(e.value) for parameter in MODELS[name][2])


@EACH
@pytest.mark.parametrize("fisher", ["type-2", "empirical"])
def test_their_columns_are_exact(name, fisher):
    model, loss, x, y = problem(name)
    layers, gradient, _ = pytorch.collect(model, loss, x, y, fisher=fisher, unsupported="columns")
    assert set(MODELS[name][2]) <= {layer.name for layer in layers}
    f, J = reference(model, x, layers)
    slope = torch.autograd.functional.jacobian(lambda v: loss(v, y), f)
    torch.testing.assert_close(gradient, torch.einsum("nd,ndp->p", slope, J))
    rows = N * torch.einsum("nd,ndp->np", slope, J)
    wanted = gauss_newton(loss, f, J, y) if fisher == "type-2" else rows.T @ rows / N
    torch.testing.assert_close(kl.fisher(layers).to_dense(), wanted)
    pytorch.write_grad(model, layers, gradient)
    assert all(parameter.grad.shape == parameter.shape for parameter in model.parameters())


def test_a_diagonal_block_for_them():
    model, loss, x, y = problem("parameters")
    layers, gradient, _ = pytorch.collect(model, loss, x, y, unsupported="columns")
    *others, last = layers
    assert last.name == "last"
    K = kl.BlockDiagonal([kl.diagonal_fisher(others), *kl.kfac([last]).blocks]).damped(0.1)
    diagonal = kl.fisher(others).diagonal() + 0.1
    torch.testing.assert_close(K.solve(gradient)[: len(diagonal)], gradient[: len(diagonal)] / diagonal)


@pytest.mark.parametrize("name", sorted(MODELS.keys() - {"functional"}))
def test_they_are_left_out_on_request(name):
    model, loss, x, y = problem(name)
    layers, gradient, _ = pytorch.collect(model, loss, x, y, unsupported="omit")
    whole, _, _ = pytorch.collect(model, loss, x, y, unsupported="columns")
    kept = [layer for layer in whole if layer.name not in MODELS[name][2]]
    assert [layer.name for layer in layers] == [layer.name for layer in kept]
    torch.testing.assert_close(kl.fisher(layers).to_dense(), kl.fisher(kept).to_dense())
    pytorch.write_grad(model, layers, gradient)
    assert {n for n, p in model.named_parameters() if p.grad is None} == set(MODELS[name][2])


def test_where_nothing_is_left_there_is_nothing_to_omit():
    with pytest.raises(ValueError, match="no layer that is known explains these parameters"):
        pytorch.collect(*problem("functional"), unsupported="omit")


def test_reasons_are_told():
    message = (
        r"'first.weight' \(of a layer whose .* outside of it too\);.* 'last.weight' \(of a layer that is never called\)"
    )
    with pytest.raises(ValueError, match=message):
        pytorch.collect(*problem("functional"))
    with pytest.raises(ValueError, match=r"'shift' \(of a module of another kind\)"):
        pytorch.collect(*problem("parameters"))
