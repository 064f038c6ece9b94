"""Law of the kinds: the outputs of a module are its weight, as a matrix, times the inputs."""

import pytest

torch = pytest.importorskip("torch")
nn = torch.nn

from kronlin.sources.pytorch._kinds import kind_of  # noqa: E402


def normal(*shape):
    return torch.randn(shape, dtype=torch.float64)


NUMBERS = torch.tensor([[0, 2, 4], [1, 1, 3]])
MODULES = [
    (nn.Linear(4, 3), normal(2, 4)),
    (nn.Linear(4, 3), normal(2, 5, 6, 4)),
    (nn.Conv2d(2, 3, 2), normal(2, 2, 4, 5)),
    (nn.Embedding(5, 3), NUMBERS),
    (nn.Embedding(5, 3), NUMBERS[:, 0]),
    (nn.Embedding(5, 3, padding_idx=1), NUMBERS),
]


@pytest.mark.parametrize(("module", "x"), MODULES, ids=lambda it: str(it) if isinstance(it, nn.Module) else "")
@pytest.mark.parametrize("n", [1, 2])
def test_outputs_are_the_weight_times_inputs(module, x, n):
    """Also where rows are taken together to fewer examples."""
    module, kind = module.double(), kind_of(module)
    W = module.weight if kind.order == "out-in" else module.weight.T
    a, z = kind.inputs(module, x, n), kind.outputs(module, module(x), n)
    assert len(a) == len(z) == n
    bias = getattr(module, "bias", None)
    torch.testing.assert_close(a @ W.flatten(1).T + (0 if bias is None else bias), z)


def test_groups_have_inputs_and_outputs_of_their_own():
    module, x = nn.Conv2d(4, 6, 2, groups=2, bias=False).double(), normal(2, 4, 3, 3)
    kind = kind_of(module)
    assert kind.groups(module) == 2
    inputs, outputs = kind.inputs(module, x, 2).chunk(2, dim=-1), kind.outputs(module, module(x), 2).chunk(2, dim=-1)
    for a, z, W in zip(inputs, outputs, module.weight.chunk(2), strict=True):
        torch.testing.assert_close(a @ W.flatten(1).T, z)


class Doubled(nn.Linear):
    def forward(self, x):
        return 2 * super().forward(x)


def test_what_is_of_no_kind():
    for module in (nn.Tanh(), Doubled(2, 2), nn.ConvTranspose1d(2, 2, 1), nn.Bilinear(2, 2, 2)):
        assert kind_of(module) is None


class Named(nn.Linear):
    """A subclass that computes the same."""


def test_a_subclass_that_computes_the_same_is_of_its_kind():
    assert kind_of(Named(2, 2)) is kind_of(nn.Linear(2, 2))


@pytest.mark.parametrize("option", [{"max_norm": 1.0}, {"scale_grad_by_freq": True}], ids=str)
def test_embeddings_that_are_refused(option):
    module = nn.Embedding(5, 3, **option)
    assert kind_of(module).refusal(module).startswith(next(iter(option)))
    assert not kind_of(module).refusal(nn.Embedding(5, 3))
