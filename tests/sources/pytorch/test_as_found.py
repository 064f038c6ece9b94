"""A model is left as it was found, whatever happens."""

import pytest

torch = pytest.importorskip("torch")
nn = torch.nn

from kronlin.sources import pytorch  # noqa: E402
from kronlin.sources.pytorch._as_found import as_found  # noqa: E402


class Restless(nn.Module):
    """Changes all that a forward pass can change."""

    def __init__(self, fail=False):
        super().__init__()
        self.first, self.drop, self.last = nn.Linear(4, 5), nn.Dropout(0.5), nn.Linear(5, 3)
        self.norm = nn.BatchNorm1d(5).eval()
        self.register_buffer("count", torch.zeros(2))
        self.register_buffer("mean", torch.zeros(()))
        self.fail = fail

    def forward(self, x):
        self.count += 1
        self.mean = x.mean()
        self.eval()
        h = self.drop.train()(self.norm(self.first(x)))
        if self.fail:
            raise RuntimeError("in the middle")
        return self.last(h)


def state(model):
    """All of it, to be compared before and after."""
    return {
        "buffers": {name: (id(b), b.clone()) for name, b in model.named_buffers()},
        "parameters": {name: (p.clone(), p.requires_grad) for name, p in model.named_parameters()},
        "grad": {
            name: (id(p.grad), None if p.grad is None else p.grad.clone()) for name, p in model.named_parameters()
        },
        "training": [module.training for module in model.modules()],
        "hooks": [len(m._forward_hooks) + len(m._forward_pre_hooks) + len(m._backward_hooks) for m in model.modules()],
        "random": torch.get_rng_state(),
        "modes": (torch.is_grad_enabled(), torch.is_autocast_cache_enabled()),
    }


def equal(one, other):
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(map(equal, one, other))
    return torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other


def model_with_gradients(fail=False):
    torch.manual_seed(0)
    model = Restless(fail)
    for parameter in list(model.parameters())[:2]:
        parameter.grad = torch.ones_like(parameter)
    return model


@pytest.mark.parametrize("fisher", ["type-2", "mc", "empirical"])
def test_collect_leaves_everything_as_it_was(fisher):
    model = model_with_gradients()
    before = state(model)
    with torch.no_grad():
        asked = state(model)
        pytorch.collect(model, nn.MSELoss(), torch.ones(4, 4), torch.ones(4, 3), fisher=fisher)
        assert equal(asked, state(model))
    assert equal(before, state(model))


@pytest.mark.parametrize("when", ["model", "loss", "labels"])
def test_also_when_an_exception_passes_through(when):
    def broken(f, y):
        raise RuntimeError("in the middle")

    model, y = model_with_gradients(when == "model"), torch.ones(4, 1 if when == "labels" else 3)
    before = state(model)
    with pytest.raises((RuntimeError, ValueError), match=r"in the middle|one label for each"):
        pytorch.collect(model, broken if when == "loss" else nn.MSELoss(), torch.ones(4, 4), y, fisher="empirical")
    assert equal(before, state(model))


def test_a_model_that_changes_would_be_noticed():
    """The test itself: without the guard, everything that is compared here differs."""
    model = model_with_gradients()
    before = state(model)
    model(torch.ones(4, 4))
    after = state(model)
    assert [key for key in before if not equal(before[key], after[key])] == ["buffers", "training", "random"]


def test_gradients_are_on_inside():
    with torch.no_grad(), as_found(nn.Linear(2, 2)):
        assert torch.is_grad_enabled()
