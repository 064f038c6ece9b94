"""Small nets of PyTorch for tests, and what their layers hand over, caught by hooks; needs torch."""

from collections.abc import Sequence
from math import sqrt

import pytest

import kronlin as kl

torch = pytest.importorskip("torch")
nn = torch.nn


class MeanOverPositions(nn.Module):
    """(n, S, d) to (n, d)."""

    def forward(self, x):
        return x.mean(dim=1)


def net(name: str, seed: int = 0) -> tuple:
    """A net in double precision and inputs for it: "mlp", "mlp without bias", "conv", "sequence" or "mean"."""
    torch.manual_seed(seed)
    if name.startswith("mlp"):
        bias = name == "mlp"
        layers, shape = (
            [nn.Linear(4, 5, bias), nn.Tanh(), nn.Linear(5, 5, bias), nn.Tanh(), nn.Linear(5, 3, bias)],
            (7, 4),
        )
    elif name == "conv":
        layers = [nn.Conv2d(2, 3, (3, 2), stride=(1, 2), padding=(1, 0)), nn.Tanh(), nn.Conv2d(3, 2, 2, bias=False)]
        layers, shape = [*layers, nn.Tanh(), nn.Flatten(), nn.Linear(8, 3)], (17, 2, 3, 6)
    else:
        layers, shape = [nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3)], (7, 4, 4)
        layers += [MeanOverPositions()] if name == "mean" else []
    return nn.Sequential(*layers).double(), torch.randn(shape, dtype=torch.float64)


def layout(model) -> kl.ParameterLayout:
    """The layout of its parameters in the order of its modules."""
    names = [name for name, module in model.named_modules() if isinstance(module, nn.Linear | nn.Conv2d)]
    layers = [
        (f"{name}.weight", f"{name}.bias" if model.get_submodule(name).bias is not None else None) for name in names
    ]
    return kl.ParameterLayout(dict(model.named_parameters()), layers, order="out-in")


def layers_of(model, x, columns) -> list[kl.LayerStatistics]:
    """Inputs, and columns (n, K, *outputs) carried back to the output of every layer, as arrays of torch."""
    caught = []
    modules = [module for module in model.modules() if isinstance(module, nn.Linear | nn.Conv2d)]
    handles = [module.register_forward_hook(lambda *call: caught.append(call)) for module in modules]
    f = model(x)
    for handle in handles:
        handle.remove()
    outputs = [z for _, _, z in caught]
    back = [torch.autograd.grad(f, outputs, c, retain_graph=True) for c in columns.unbind(dim=1)]
    return [_statistics(*call, g) for call, g in zip(caught, map(list, zip(*back, strict=True)), strict=True)]


def _statistics(module, inputs, z, gradients: Sequence) -> kl.LayerStatistics:
    """One layer: positions second, columns third."""
    a, g = inputs[0].detach(), torch.stack(gradients, dim=1)
    n, K = g.shape[:2]
    if isinstance(module, nn.Conv2d):
        a = nn.functional.unfold(a, module.kernel_size, module.dilation, module.padding, module.stride).mT
        g = g.flatten(3).mT
    a, g = a.reshape(n, -1, a.shape[-1]), g.reshape(n, K, -1, g.shape[-1]).transpose(1, 2)
    if module.bias is not None:
        a = torch.cat([a, torch.ones_like(a[..., :1])], dim=2)
    return kl.LayerStatistics(a, g.contiguous())


def root_columns(loss, f):
    """Columns (n, K, *outputs) of roots of the Hessians of each example's loss, summed over outputs; one position each."""
    f = f.detach()
    n, D, eye = len(f), f[0].numel(), torch.eye(f[0].numel(), dtype=f.dtype)
    if isinstance(loss, nn.CrossEntropyLoss):  # diag(√p) - p √pᵀ, for outputs (n, D)
        p = f.softmax(dim=1)
        roots = torch.sqrt(p)[:, :, None] * eye - torch.sqrt(p)[:, :, None] * p[:, None, :]
    elif isinstance(loss, nn.BCEWithLogitsLoss):
        q = f.sigmoid().reshape(n, D)
        roots = torch.sqrt(q * (1 - q))[:, :, None] * eye
    else:
        roots = sqrt(2) * eye.expand(n, D, D)
    return roots.reshape(n, D, *f.shape[1:])


def label_columns(loss, f, y):
    """The gradients (n, 1, *outputs) of each example's loss, summed over outputs."""
    f = f.detach().requires_grad_()
    return torch.autograd.grad(type(loss)(reduction="sum")(f, y), f)[0][:, None]
