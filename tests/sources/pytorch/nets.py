"""Nets with every kind of layer, their losses and labels, and the Fisher matrices of PyTorch itself; needs torch."""

import pytest

torch = pytest.importorskip("torch")
nn = torch.nn

from kronlin.sources import pytorch  # noqa: E402


class Mean(nn.Module):
    """(n, S, d) to (n, d)."""

    def forward(self, x):
        return x.mean(dim=1)


class Positions(nn.Module):
    """(n, S, d) to (n, d, S): the classes come second."""

    def forward(self, x):
        return x.mT


class Twice(nn.Module):
    """A layer that is used two times, and at positions the second time."""

    def __init__(self):
        super().__init__()
        self.lift, self.square = nn.Linear(4, 3), nn.Linear(3, 3)

    def forward(self, x):
        h = self.square(self.lift(x).tanh()).tanh()
        return self.square(torch.stack([h, 2 * h], dim=1)).mean(dim=1)


class Tied(nn.Module):
    """Two modules with one weight, of which only one has a bias, and a bias that two modules share."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.third = nn.Linear(3, 3), nn.Linear(3, 3, bias=False), nn.Linear(3, 3)
        self.second.weight = self.first.weight
        self.third.bias = self.first.bias

    def forward(self, x):
        return self.third(self.second(self.first(x).tanh()).tanh())


class Language(nn.Module):
    """The table of the embedding is the weight of the last layer."""

    def __init__(self, tied=True):
        super().__init__()
        self.table, self.hidden, self.last = nn.Embedding(5, 2), nn.Linear(2, 2), nn.Linear(2, 5, bias=not tied)
        if tied:
            self.last.weight = self.table.weight

    def forward(self, x):
        return self.last(self.hidden(self.table(x)).tanh()).mT


class Attention(nn.Module):
    """Attention whose projections are plain linear layers."""

    def __init__(self):
        super().__init__()
        self.q, self.k, self.v, self.out = (nn.Linear(4, 4) for _ in range(4))
        self.norm = nn.LayerNorm(4)

    def forward(self, x):
        h = self.norm(x)
        h = nn.functional.scaled_dot_product_attention(self.q(h), self.k(h), self.v(h))
        return (x + self.out(h)).mean(dim=1)[:, :3]


class Frames(nn.Module):
    """A convolution that sees the frames of all examples in one axis."""

    def __init__(self):
        super().__init__()
        self.conv, self.last = nn.Conv2d(1, 2, 2), nn.Linear(8, 3)

    def forward(self, x):
        n, frames = x.shape[:2]
        h = self.conv(x.reshape(n * frames, *x.shape[2:])).tanh()
        return self.last(h.reshape(n, frames, -1)).mean(dim=1)


def _conv(*layers, features):
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(features, 3))


N = 4
NETS = {
    "mlp": (lambda: nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3)), (N, 4)),
    "in place": (lambda: nn.Sequential(nn.Linear(4, 5), nn.ReLU(inplace=True), nn.Linear(5, 3, bias=False)), (N, 4)),
    "mean": (lambda: nn.Sequential(nn.Linear(4, 5), nn.Tanh(), Mean(), nn.Linear(5, 3)), (N, 2, 4)),
    "positions": (lambda: nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3), Positions()), (N, 2, 4)),
    "conv1d": (lambda: _conv(nn.Conv1d(2, 4, 3, stride=2, padding=1, dilation=2), nn.Tanh(), features=8), (N, 2, 6)),
    "conv2d": (
        lambda: _conv(
            nn.Conv2d(2, 4, (3, 1), padding="same", bias=False),
            nn.GroupNorm(2, 4),
            nn.Tanh(),
            nn.Conv2d(4, 2, 2),
            features=8,
        ),
        (N, 2, 3, 3),
    ),
    "grouped": (
        lambda: _conv(nn.Conv2d(4, 6, 2, groups=2), nn.Tanh(), nn.Conv2d(6, 6, 2, groups=6), features=6),
        (N, 4, 3, 3),
    ),
    "conv3d": (
        lambda: _conv(nn.Conv3d(1, 2, 2, padding_mode="circular", padding=(1, 0, 0)), features=6),
        (N, 1, 2, 2, 2),
    ),
    "batch norm": (lambda: _conv(nn.Conv1d(2, 3, 2), nn.BatchNorm1d(3), nn.Tanh(), features=6).eval(), (N, 2, 3)),
    "twice": (Twice, (N, 4)),
    "tied": (Tied, (N, 3)),
    "attention": (Attention, (N, 3, 4)),
    "frames": (Frames, (N, 2, 1, 3, 3)),
    "embedding": (lambda: Language(tied=False), (N, 2)),
    "tied embedding": (Language, (N, 2)),
}
"""Models with the shapes of their inputs."""


def net(name, seed=0):
    """A net in double precision, and inputs for it."""
    torch.manual_seed(seed)
    make, shape = NETS[name]
    model = make().double()
    for buffer in model.buffers():
        if buffer.is_floating_point():
            buffer.uniform_(0.5, 1.5)
    if "embedding" in name:
        return model, torch.randint(5, shape)
    return model, torch.randn(shape, dtype=torch.float64)


def labels(loss, f, seed=1):
    """Labels that the loss takes beside outputs f."""
    torch.manual_seed(seed)
    if isinstance(loss, nn.CrossEntropyLoss):
        return torch.randint(f.shape[1], (len(f), *f.shape[2:]))
    if isinstance(loss, nn.BCEWithLogitsLoss):
        return (torch.rand_like(f) > 0.5).to(f.dtype)
    return torch.randn_like(f)


def reference(model, x, layers):
    """The outputs, and their Jacobian (n, D, p) in kronlin's order, one backward pass for each entry."""
    layout, named = pytorch.layout(model, layers), {n: p for n, p in model.named_parameters() if p.requires_grad}
    f = model(x)
    rows = []
    for entry in f.flatten():
        found = torch.autograd.grad(entry, list(named.values()), retain_graph=True, allow_unused=True)
        arrays = {
            name: (torch.zeros_like(p) if g is None else g).reshape(p.shape or (1,))
            for (name, p), g in zip(named.items(), found, strict=True)
        }
        rows.append(layout.vector(arrays))
    return f.detach(), torch.stack(rows).reshape(len(f), f[0].numel(), -1)


def gauss_newton(loss, f, J, y):
    """Jᵀ ∇²h J by the Hessian of autograd."""
    H = torch.autograd.functional.hessian(lambda v: loss(v.reshape(f.shape), y), f.flatten())
    J = J.flatten(0, 1)
    return J.T @ H @ J
