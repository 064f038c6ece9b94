"""Columns become layers; the laws of the result are tested with `collect`."""

import pytest

torch = pytest.importorskip("torch")
nn = torch.nn

import kronlin as kl  # noqa: E402
from kronlin.sources import pytorch  # noqa: E402
from kronlin.sources.pytorch._gather import Vector, Weight, _transposed, gatherers_of  # noqa: E402
from kronlin.sources.pytorch._parts import parts_of  # noqa: E402
from tests.sources.pytorch.nets import net  # noqa: E402


def test_weights_and_vectors():
    model, _ = net("attention")
    parts = parts_of(model)
    calls = {role.module: [] for part in parts for role in part.roles}
    found = gatherers_of(parts, dict(model.named_parameters()), calls, 4, 3)
    assert [type(gatherer) for gatherer in found] == [Weight] * 4 + [Vector] * 2


def test_transposed_pairs_have_the_transposed_columns():
    a, g = torch.randn(3, 2, 4, dtype=torch.float64), torch.randn(3, 2, 5, 2, dtype=torch.float64)
    turned = kl.FisherRoot(*_transposed(a, g)).to_dense().reshape(4, 2, -1)
    torch.testing.assert_close(turned.transpose(0, 1).flatten(0, 1), kl.FisherRoot(a, g).to_dense())


def sizes(layers):
    return [(layer.name, layer.S, layer.d_out, layer.d_in) for layer in layers]


def collected(name, **options):
    model, x = net(name)
    return pytorch.collect(model, nn.MSELoss(), x, torch.zeros_like(model(x)), **options)[0]


def test_names_and_positions():
    assert sizes(collected("twice")) == [("lift", 1, 3, 5), ("square", 1 + 2, 3, 4)]
    assert sizes(collected("tied")) == [("first.weight", 2, 3, 3), ("first.bias", 1, 3, 1), ("third.weight", 1, 3, 3)]
    assert sizes(collected("conv1d")) == [("0", 2, 4, 7), ("3", 1, 3, 9)]
    assert sizes(collected("embedding"))[0] == ("table.weight", 2, 2, 5)
    assert sizes(collected("grouped"))[:3] == [("0[0]", 4, 3, 9), ("0[1]", 4, 3, 9), ("2[0]", 1, 1, 5)]
    assert sizes(collected("tied embedding", fisher="empirical"))[0] == ("table.weight", 2 + 2, 5, 2)


class Lonely(nn.Module):
    """With layers that are never used, and one that is used for nothing."""

    def __init__(self):
        super().__init__()
        self.used, self.table, self.conv = nn.Linear(3, 2), nn.Embedding(4, 2), nn.Conv1d(2, 4, 3, groups=2)
        self.norm, self.nothing = nn.LayerNorm(2), nn.Linear(3, 2)

    def forward(self, x):
        self.nothing(x)
        return self.used(x)


def test_layers_that_the_output_does_not_depend_on_are_zero():
    model, x = Lonely(), torch.ones(4, 3)
    layers, gradient, _ = pytorch.collect(model, nn.MSELoss(), x, torch.zeros(4, 2))
    assert len(gradient) == sum(p.numel() for p in model.parameters()) == kl.fisher(layers).shape[0]
    assert [layer.name for layer in layers if layer.output_gradients.any()] == ["used"]
    assert pytorch.layout(model, layers).size == len(gradient)
