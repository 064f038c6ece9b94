"""Gradients of single examples, and examples that a layer mixes."""

import pytest

torch = pytest.importorskip("torch")
nn = torch.nn

import kronlin as kl  # noqa: E402
from kronlin.sources import pytorch  # noqa: E402
from kronlin.sources.pytorch._examples import gradients_of_examples  # noqa: E402
from tests.sources.pytorch.nets import gauss_newton, reference  # noqa: E402


def test_gradients_of_examples_one_at_a_time():
    layer, x, c = nn.Linear(3, 2).double(), torch.randn(4, 3).double(), torch.randn(4, 2).double()
    unused = nn.Parameter(torch.ones(2).double())
    weight, bias, none = gradients_of_examples(layer(x), c, [layer.weight, layer.bias, unused])
    torch.testing.assert_close(weight, torch.einsum("ni,nj->nij", c, x).flatten(1))
    torch.testing.assert_close(bias, c)
    assert none.shape == (4, 2)
    assert not none.any()


class SequenceFirst(nn.Module):
    """A transformer's habit: (S, n, d), while the output has the examples first."""

    def __init__(self):
        super().__init__()
        self.layer, self.last = nn.Linear(3, 3), nn.Linear(3, 2)

    def forward(self, x):
        return self.last(self.layer(x.transpose(0, 1)).tanh().mean(dim=0))


class Causal(nn.Module):
    """Each output depends on the row of its own and on the one before."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)

    def forward(self, x):
        z = self.layer(x)
        return torch.cat([z[:1], z[1:] + z[:-1].tanh()])


class Centred(nn.Module):
    """Takes the mean of the batch off."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)

    def forward(self, x):
        z = self.layer(x)
        return z - z.mean(dim=0)


@pytest.mark.parametrize("model", [SequenceFirst(), Causal(), Centred()], ids=lambda model: type(model).__name__)
@pytest.mark.parametrize("fisher", ["type-2", "empirical"])
def test_examples_that_a_layer_mixes_are_refused(model, fisher):
    x = torch.randn(4, 4, 3) if isinstance(model, SequenceFirst) else torch.randn(4, 3)
    with pytest.raises(
        ValueError, match=r"'layer.weight' \(of 'layer', which has outputs .* that mix the n = 4 examples"
    ):
        pytorch.collect(model, nn.MSELoss(), x, torch.zeros(4, 2), fisher=fisher)
    pytorch.collect(model, nn.MSELoss(), x, torch.zeros(4, 2), fisher=fisher, check=False)


class Encoded(nn.Module):
    """The positions are encoded once for all examples."""

    def __init__(self):
        super().__init__()
        self.places, self.last = nn.Embedding(3, 2), nn.Linear(2, 2)

    def forward(self, x):
        return self.last((x + self.places(torch.arange(3))).tanh()).mean(dim=1)


@pytest.mark.parametrize("n", [2, 3])
@pytest.mark.parametrize("fisher", ["type-2", "empirical"])
def test_layers_that_all_examples_share_have_exact_columns(n, fisher):
    """Also where there are as many positions as examples."""
    model, loss = Encoded().double(), nn.CrossEntropyLoss()
    x, y = torch.randn(n, 3, 2, dtype=torch.float64), torch.arange(n) % 2
    message = r"which has outputs \(3, 2\)" + (", whose first axis is not that" if n == 2 else " that mix the n = 3")
    with pytest.raises(ValueError, match=message):
        pytorch.collect(model, loss, x, y, fisher=fisher)
    layers, _, _ = pytorch.collect(model, loss, x, y, fisher=fisher, unsupported="columns")
    f, J = reference(model, x, layers)
    slope = n * torch.autograd.functional.jacobian(lambda v: loss(v, y), f).flatten(1)
    rows = torch.einsum("nd,ndp->np", slope, J)
    wanted = gauss_newton(loss, f, J, y) if fisher == "type-2" else rows.T @ rows / n
    torch.testing.assert_close(kl.fisher(layers).to_dense(), wanted)


def test_one_example_mixes_nothing():
    layers, _, _ = pytorch.collect(Centred(), nn.MSELoss(), torch.ones(1, 3), torch.zeros(1, 2))
    assert layers[0].n == 1
