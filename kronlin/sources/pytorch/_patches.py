"""The patches of an image that a convolution looks at, in any number of dimensions."""

from math import prod

from kronlin.sources.pytorch._torch import Module, Tensor, import_torch


def patches(module: Module, x: Tensor) -> Tensor:
    """What a convolution multiplies by its kernel: x (N, C, ...) as (N, positions, C ∏ kernel_size).

    A position is a pixel of the output, row by row; an entry of a patch has the order (C, *kernel_size) of the kernel.
    Stride, dilation, every kind of padding. Cost: the memory of the patches, ∏ kernel_size / ∏ stride times that of x.
    """
    x = _padded(module, x)
    for axis, length in enumerate(module.kernel_size):
        stride, dilation = module.stride[axis], module.dilation[axis]
        windows = x.unfold(2 + axis, dilation * (length - 1) + 1, stride)  # the window is the last axis
        x = windows[..., ::dilation]
    spatial = range(2, 2 + len(module.kernel_size))
    rows = x.permute(0, *spatial, 1, *range(spatial.stop, x.ndim))
    return rows.reshape(len(x), prod(x.shape[axis] for axis in spatial), -1)


def _padded(module: Module, x: Tensor) -> Tensor:
    """x with the margin that the convolution puts around it."""
    margins = [_margin(module, axis) for axis in range(len(module.kernel_size))]
    if not any(map(any, margins)):
        return x
    mode = "constant" if module.padding_mode == "zeros" else module.padding_mode
    flat = [width for margin in reversed(margins) for width in margin]  # the last axis comes first
    return import_torch().nn.functional.pad(x, flat, mode=mode)


def _margin(module: Module, axis: int) -> tuple[int, int]:
    """The widths before and after along one axis; "same" puts the odd one after."""
    if module.padding == "valid":
        return 0, 0
    if module.padding == "same":
        total = module.dilation[axis] * (module.kernel_size[axis] - 1)
        return total // 2, total - total // 2
    return module.padding[axis], module.padding[axis]
