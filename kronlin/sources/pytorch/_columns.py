"""The columns at the output that are carried back."""

from collections.abc import Iterator
from math import sqrt

from kronlin.sources._source import Fisher
from kronlin.sources.pytorch._loss import Loss
from kronlin.sources.pytorch._torch import Tensor, import_torch


def number_of_columns(head: Loss, f: Tensor, fisher: Fisher, samples: int) -> int:
    """K."""
    if fisher == "type-2":
        return head.count(f)
    return samples if fisher == "mc" else 1


def columns_of(head: Loss, f: Tensor, y: Tensor, fisher: Fisher, seed: int, samples: int) -> Iterator[Tensor]:
    """The K columns of the shape of f, for "type-2" and "mc"; drawn from a generator that is used for nothing else."""
    f = f.detach()
    if fisher == "type-2":
        yield from head.columns(f, y)
        return
    generator = import_torch().Generator(device=f.device).manual_seed(seed)
    for _ in range(samples):
        yield head.sample(f, y, generator) / sqrt(samples)
