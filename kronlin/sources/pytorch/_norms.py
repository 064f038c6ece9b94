"""Normalisations: their scale and shift are vectors, whose gradient in one example is a vector too."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cache
from typing import Any

from kronlin.sources.pytorch._torch import Module, Tensor, import_torch


class NormKind(ABC):
    """A kind of module with the outputs z = γ ∘ x̂ + β, where x̂ has no parameters."""

    def __init__(self, normalised: Callable[[Module, Tensor], Tensor]) -> None:
        self.normalised = normalised
        """The function (module, x) ↦ x̂."""

    @abstractmethod
    def summed(self, module: Module, x: Tensor, n: int) -> Tensor:
        """What has the shape of the output, summed over all that shares γ: (n, p)."""

    def column(self, module: Module, slot: str, x: Tensor, g: Tensor, n: int) -> Tensor:
        """The gradient of each example, Σ_s g_is ∘ x̂_is for γ, Σ_s g_is for β: (n, p)."""
        return self.summed(module, g * self.normalised(module, x) if slot == "weight" else g, n)


class LastAxes(NormKind):
    """γ has the shape of the last axes."""

    def summed(self, module: Module, x: Tensor, n: int) -> Tensor:
        return x.reshape(n, -1, module.weight.numel()).sum(dim=1)


class Channels(NormKind):
    """γ has one entry for each channel, which is axis 1."""

    def summed(self, module: Module, x: Tensor, n: int) -> Tensor:
        return x.reshape(n, -1, x.shape[1], x[0, 0].numel()).sum(dim=(1, 3))


@cache
def _kinds() -> dict[Any, NormKind]:
    nn = import_torch().nn
    F = nn.functional
    layer = LastAxes(lambda m, x: F.layer_norm(x, m.normalized_shape, None, None, m.eps))
    rms = LastAxes(lambda m, x: F.rms_norm(x, m.normalized_shape, None, m.eps))
    group = Channels(lambda m, x: F.group_norm(x, m.num_groups, None, None, m.eps))
    batch = Channels(lambda m, x: F.batch_norm(x, m.running_mean, m.running_var, eps=m.eps))
    kinds = {nn.LayerNorm: layer, nn.RMSNorm: rms, nn.GroupNorm: group}
    return kinds | dict.fromkeys((nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d), batch)


def norm_of(module: Module) -> NormKind | None:
    """The kind of a normalisation; None for other modules."""
    for cls, kind in _kinds().items():
        if isinstance(module, cls) and type(module).forward is cls.forward:
            return kind
    return None


def refuse_statistics_of_the_batch(model: Module) -> None:
    """Refuse a batch normalisation that makes the output of one example depend on the others: there are no J_i then."""
    batch = import_torch().nn.modules.batchnorm._BatchNorm  # what all of them share has no public name
    for name, module in model.named_modules():
        if isinstance(module, batch) and (module.training or module.running_mean is None):
            raise ValueError(
                f"layer {name!r}, {module}, takes the statistics of the batch, so that no output belongs to one "
                "example alone: call model.eval() first, or use GroupNorm"
            )
