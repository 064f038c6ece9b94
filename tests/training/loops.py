"""What the tests of the wrapped optimiser share: a net, its batches, and a loop."""

import pytest

import kronlin as kl

torch = pytest.importorskip("torch")

LOSS = torch.nn.CrossEntropyLoss()
EACH = pytest.mark.parametrize(
    "make",
    [
        lambda parameters: torch.optim.SGD(parameters, lr=0.3),
        lambda parameters: torch.optim.SGD(parameters, lr=0.1, momentum=0.9, weight_decay=0.01),
        lambda parameters: torch.optim.Adam(parameters, lr=0.01),
    ],
    ids=["SGD", "momentum", "Adam"],
)


def net(dtype=torch.float64):
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 3)).to(dtype)


class Scaled(torch.nn.Module):
    """The net, and a parameter that is in no layer."""

    def __init__(self):
        super().__init__()
        self.inner, self.table = net(), torch.nn.Parameter(torch.ones(3, 3, dtype=torch.float64))

    def forward(self, x):
        return self.inner(x) @ (self.table * self.table)


def batch(seed=0, n=12, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, 3, generator=generator, dtype=dtype), torch.randint(3, (n,), generator=generator)


def preconditioner(**options):
    return kl.Preconditioner(**{"estimator": kl.kfac, "damping": 0.1, "inverses_every": 2} | options)


def sgd(model, lr=0.3, **options):
    return torch.optim.SGD(model.parameters(), lr=lr, **options)


def backward(model, x, y, scale=1.0):
    loss = scale * LOSS(model(x), y)
    loss.backward()
    return loss


def train(optimizer, steps=3, start=0):
    for step in range(start, start + steps):
        x, y = batch(step)
        optimizer.zero_grad()
        backward(optimizer.model, x, y)
        optimizer.update(x, y)
        optimizer.step()


def same(model, other):
    for found, wanted in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.equal(found, wanted)
