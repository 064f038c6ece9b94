"""Column after column, what is carried back to the modules becomes the statistics of layers."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kronlin.curvature.statistics import LayerStatistics
from kronlin.sources.pytorch._capture import Call, Calls
from kronlin.sources.pytorch._norms import norm_of
from kronlin.sources.pytorch._parts import Part, Role
from kronlin.sources.pytorch._torch import Tensor, import_torch


class Gatherer(ABC):
    """Takes the K columns of one part of the parameters, and makes layers of them."""

    def __init__(self, part: Part, parameter: Tensor, calls: Calls, n: int, K: int) -> None:
        self.part, self.parameter, self.n, self.K = part, parameter, n, K
        self.calls: list[tuple[Role, Call]] = [(role, call) for role in part.roles for call in calls[role.module]]

    @property
    def edges(self) -> list[Any]:
        """Where in the graph the gradients are to be caught."""
        return [call.edge for _, call in self.calls]

    @abstractmethod
    def take(self, k: int, gradients: Sequence[Tensor | None]) -> None:
        """Keep the gradients of column k at the `edges`."""

    @abstractmethod
    def layers(self) -> Iterator[LayerStatistics]:
        """The statistics, when all columns are there."""


class Weight(Gatherer):
    """A weight with rows and columns: inputs and output gradients, the positions of all its uses in a row."""

    def __init__(self, part: Part, parameter: Tensor, calls: Calls, n: int, K: int) -> None:
        super().__init__(part, parameter, calls, n, K)
        self.columns: list[Tensor | None] = [None] * len(self.calls)

    def take(self, k: int, gradients: Sequence[Tensor | None]) -> None:
        for j, ((role, _), gradient) in enumerate(zip(self.calls, gradients, strict=True)):
            if gradient is None:  # this use does not reach the output
                continue
            assert role.kind is not None
            rows = role.kind.outputs(role.module, gradient, self.n)
            if self.K == 1:
                self.columns[j] = rows[:, :, None].to(self.parameter.dtype)
                continue
            columns = self.columns[j]
            if columns is None:
                shape = (self.n, rows.shape[1], self.K, rows.shape[2])
                columns = self.columns[j] = self.parameter.new_zeros(shape, requires_grad=False)
            columns[:, :, k] = rows

    def layers(self) -> Iterator[LayerStatistics]:
        torch, groups = import_torch(), self.part.groups
        found = [self._pair(*use, g) for use, g in zip(self.calls, self.columns, strict=True) if g is not None]
        inputs, outputs = zip(*(found or [self._nothing()]), strict=True)
        a = torch.cat(inputs, dim=1) if len(inputs) > 1 else inputs[0]
        g = torch.cat(outputs, dim=1) if len(outputs) > 1 else outputs[0]
        blocks = zip(a.chunk(groups, dim=-1), g.chunk(groups, dim=-1), strict=True)
        for j, (block, columns) in enumerate(blocks):
            if len(self.part.parameters) > 1:
                block = torch.nn.functional.pad(block, (0, 1), value=1)
            name = self.part.name if groups == 1 else f"{self.part.name}[{j}]"
            yield LayerStatistics(block, columns, name=name)

    def _pair(self, role: Role, call: Call, columns: Tensor) -> tuple[Tensor, Tensor]:
        """Inputs (n, S, d_in) and output gradients (n, S, K, d_out) of one use."""
        assert role.kind is not None
        assert self.part.kind is not None
        a = role.kind.inputs(role.module, call.unchanged_inputs(role.path), self.n).to(self.parameter.dtype)
        return (a, columns) if role.kind.order == self.part.kind.order else _transposed(a, columns)

    def _nothing(self) -> tuple[Tensor, Tensor]:
        """Zeros for a weight that the output does not depend on."""
        rows, columns = self.parameter.flatten(1).shape
        if self.part.kind is not None and self.part.kind.order == "in-out":
            rows, columns = columns, rows
        zeros = self.parameter.detach().new_zeros
        return zeros((self.n, 1, columns * self.part.groups)), zeros((self.n, 1, self.K, rows))


class Vector(Gatherer):
    """A bias of its own, a vector of a normalisation, or anything: the gradients of the examples, and the input one.

    What has no role is filled in from outside.
    """

    def __init__(self, part: Part, parameter: Tensor, calls: Calls, n: int, K: int) -> None:
        super().__init__(part, parameter, calls, n, K)
        self.columns = parameter.detach().new_zeros((n, K, parameter.numel()))

    def take(self, k: int, gradients: Sequence[Tensor | None]) -> None:
        for (role, call), gradient in zip(self.calls, gradients, strict=True):
            if gradient is not None:
                self.columns[:, k] += self._column(role, call, gradient)

    def _column(self, role: Role, call: Call, gradient: Tensor) -> Tensor:
        if role.kind is not None:
            return role.kind.outputs(role.module, gradient, self.n).sum(dim=1)
        norm = norm_of(role.module)
        assert norm is not None
        return norm.column(role.module, role.slot, call.unchanged_inputs(role.path), gradient, self.n)

    def layers(self) -> Iterator[LayerStatistics]:
        yield LayerStatistics(self.columns.new_ones((self.n, 1)), self.columns, name=self.part.name)


def gatherers_of(parts: Sequence[Part], named: Mapping[str, Tensor], calls: Calls, n: int, K: int) -> list[Gatherer]:
    """One for each part, in their order."""
    return [(Vector if part.kind is None else Weight)(part, named[part.parameters[0]], calls, n, K) for part in parts]


def _transposed(a: Tensor, g: Tensor) -> tuple[Tensor, Tensor]:
    """The transposes of Σ_s g_sk a_sᵀ from a (n, S, d_in) and g (n, S, K, d_out): positions (s, k'), of size K S.

    Σ_sk' (δ_kk' a_s) g_sk'ᵀ: this is what an embedding needs whose table a linear layer shares.
    """
    n, S, K, d_out = g.shape
    eye = import_torch().eye(K, dtype=a.dtype, device=a.device)
    columns = eye[None, None, :, :, None] * a[:, :, None, None, :]
    return g.reshape(n, S * K, d_out), columns.reshape(n, S * K, K, a.shape[-1])
