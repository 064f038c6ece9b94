"""Unfold: the patches of an image, and the adjoint, which adds them up again."""

from dataclasses import dataclass

import numpy as np

from kronlin.sources._activations import Floats
from kronlin.sources._stage import Shape, Trace, Weightless


@dataclass(frozen=True)
class Unfold(Weightless):
    """An image (C, H, W) becomes (H′, W′, C k_h k_w): at each place of the window what is seen through it.

    The order in a patch is (C, k_h, k_w). Zeros stand around the image where there is padding.

    >>> image = np.arange(9.0).reshape(1, 1, 3, 3)
    >>> Unfold((2, 2), (1, 1), (0, 0)).value(image)[0, 0, 1].tolist()
    [1.0, 2.0, 4.0, 5.0]
    """

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]

    def __post_init__(self) -> None:
        for name, least in (("kernel", 1), ("stride", 1), ("padding", 0)):
            if min(getattr(self, name)) < least:
                raise ValueError(f"{name} = {getattr(self, name)}: each number must be >= {least}")

    def require(self, shape: Shape) -> None:
        if len(shape) != 3:
            raise ValueError(f"an example has shape {shape} here, a convolution needs an image (C, H, W)")
        if min(self.patches(shape)[:2]) < 1:
            raise ValueError(
                f"the image {shape[1:]} with padding {self.padding} is smaller than the kernel {self.kernel}: "
                "pad it, or take a smaller kernel"
            )

    def patches(self, shape: Shape) -> Shape:
        """The shape (H′, W′, C k_h k_w) for an image of shape (C, H, W)."""
        places = [
            (length + 2 * pad - window) // step + 1
            for length, window, step, pad in zip(shape[1:], self.kernel, self.stride, self.padding, strict=True)
        ]
        return (*places, shape[0] * self.kernel[0] * self.kernel[1])

    def value(self, h: Floats) -> Floats:
        (p, q), (s, t), n = self.padding, self.stride, len(h)
        padded = np.pad(h, ((0, 0), (0, 0), (p, p), (q, q)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, self.kernel, axis=(2, 3))[:, :, ::s, ::t]
        return windows.transpose(0, 2, 3, 1, 4, 5).reshape(n, *self.patches(h.shape[1:]))

    def carry(self, columns: Floats, trace: Trace) -> Floats:
        """Each pixel receives the sum over the patches that it lies in; what falls on the padding is dropped."""
        n, C, H, W = trace.inputs.shape
        (p, q), (s, t), K = self.padding, self.stride, columns.shape[1]
        below, right, _ = self.patches((C, H, W))
        windows = columns.reshape(n, K, below, right, C, *self.kernel)
        padded = np.zeros((n, K, C, H + 2 * p, W + 2 * q), columns.dtype)
        for u in range(self.kernel[0]):
            for v in range(self.kernel[1]):
                seen = padded[..., u : u + s * below : s, v : v + t * right : t]
                seen += np.moveaxis(windows[..., u, v], -1, 2)
        return padded[..., p : p + H, q : q + W]
