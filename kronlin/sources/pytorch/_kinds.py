"""Layers that multiply by a weight: what each kind of module hands over as inputs a and output gradients g."""

from abc import ABC, abstractmethod
from functools import cache
from typing import Any

from kronlin.sources.pytorch._patches import patches
from kronlin.sources.pytorch._torch import Module, Tensor, import_torch


class LayerKind(ABC):
    """A kind of module whose outputs are W~ a at every position, W~ = [W | b] or W.

    Inputs and gradients may have any number of axes: they become (n, S, ·), the first axis being the examples or, row
    after row, what belongs to each of them.
    """

    weight, bias = "weight", "bias"
    """What a module calls its W and b."""
    order = "out-in"
    """How the axes of the weight stand, as `ParameterLayout` calls it."""

    def fits(self, module: Module) -> bool:
        """Whether the module, which is of the class, computes what the kind stands for."""
        return True

    def refusal(self, module: Module) -> str:
        """Why no curvature can be collected from it; an empty string if it can."""
        return ""

    def groups(self, module: Module) -> int:
        """How many blocks of equal size the weight has, each with outputs and inputs of its own."""
        return 1

    @abstractmethod
    def inputs(self, module: Module, x: Tensor, n: int) -> Tensor:
        """The inputs a (n, S, groups d_in), without the one of the bias."""

    def outputs(self, module: Module, z: Tensor, n: int) -> Tensor:
        """What has the shape of the module's output as (n, S, groups d_out)."""
        return z.reshape(n, -1, z.shape[-1])


class LinearKind(LayerKind):
    """`nn.Linear`: all axes between the first and the last are positions."""

    def inputs(self, module: Module, x: Tensor, n: int) -> Tensor:
        return x.reshape(n, -1, x.shape[-1])


class AttentionKind(LinearKind):
    """The projections of `nn.MultiheadAttention`: one weight for queries, keys and values, one row over the other.

    Positions are those of all different inputs, so that self-attention has one for each token.
    """

    weight, bias = "in_proj_weight", "in_proj_bias"

    def fits(self, module: Module) -> bool:
        """Not with keys or values of another size, which have weights of their own."""
        return module._parameters.get("in_proj_weight") is not None


class ConvolutionKind(LayerKind):
    """`nn.Conv1d`, `nn.Conv2d`, `nn.Conv3d`: the positions are the pixels of the output, an input is a patch.

    With G groups the kernel is G blocks, each from C_in/G channels to C_out/G: a layer for each. One after the other
    their [W | b] are that of the whole kernel, row by row.
    """

    def groups(self, module: Module) -> int:
        return int(module.groups)

    def inputs(self, module: Module, x: Tensor, n: int) -> Tensor:
        rows = patches(module, x)
        return rows.reshape(n, -1, rows.shape[-1])

    def outputs(self, module: Module, z: Tensor, n: int) -> Tensor:
        return z.flatten(2).mT.reshape(n, -1, z.shape[1])


class EmbeddingKind(LayerKind):
    """`nn.Embedding`: the inputs are one-hot rows, a zero row for the padding; W is the transposed table.

    The rows are dense, n S times the number of entries of the table.
    """

    order = "in-out"

    def refusal(self, module: Module) -> str:
        if module.max_norm is not None:
            return "max_norm changes the weight while the model runs"
        return "scale_grad_by_freq gives no gradient of the loss" if module.scale_grad_by_freq else ""

    def inputs(self, module: Module, x: Tensor, n: int) -> Tensor:
        rows = import_torch().nn.functional.one_hot(x.reshape(n, -1).long(), module.num_embeddings)
        if module.padding_idx is not None:
            rows[..., module.padding_idx] = 0
        return rows.to(module.weight.dtype)


@cache
def _kinds() -> dict[Any, LayerKind]:
    nn, convolution = import_torch().nn, ConvolutionKind()
    return {
        nn.Linear: LinearKind(),
        nn.Conv1d: convolution,
        nn.Conv2d: convolution,
        nn.Conv3d: convolution,
        nn.Embedding: EmbeddingKind(),
        nn.MultiheadAttention: AttentionKind(),
    }


def kind_of(module: Module) -> LayerKind | None:
    """The kind of a module; None for others, and for a subclass that computes something of its own."""
    for cls, kind in _kinds().items():
        if isinstance(module, cls) and type(module).forward is cls.forward and kind.fits(module):
            return kind
    return None
