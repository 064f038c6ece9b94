"""Control: how long a step is, by the quadratic model and by the divergence that it may cause."""

from dataclasses import dataclass
from math import isfinite

from kronlin.algebra import Operator
from kronlin.arrays import Array, all_finite
from kronlin.curvature import kl_clip, rescale_step


@dataclass(frozen=True)
class Control:
    """What is done to v = M g before it is handed out: first rescaled, then clipped, where these are asked for.

    Args:
        rescale: whether v becomes the minimum of the quadratic model along it.
        momentum: whether the minimum is taken over the sums of v and the previous step; with `rescale` only.
        clip: κ of `kl_clip`, or None.

    Raises `ValueError` for momentum without rescaling, and a κ that is not positive and finite.

    >>> import numpy as np, kronlin as kl
    >>> g = np.array([1.0, 1.0])
    >>> Control(rescale=True).length(g, g, 1.0, kl.Diagonal(np.array([1.0, 4.0])), None)
    array([0.4, 0.4])
    """

    rescale: bool = False
    momentum: bool = False
    clip: float | None = None

    def __post_init__(self) -> None:
        if self.momentum and not self.rescale:
            raise ValueError("momentum=True mixes steps by the quadratic model: it takes rescale=True too")
        if self.clip is not None and not (isfinite(self.clip) and self.clip > 0):
            raise ValueError(f"kl_clip must be positive and finite, or None, not {self.clip!r}")

    def length(self, v: Array, gradient: Array, lr: float, A: Operator | None, previous: Array | None) -> Array:
        """v in the length that is asked for, as a step -lr v.

        Args:
            v: the preconditioned gradient (p,).
            gradient: g (p,).
            lr: the learning rate, which clipping takes into account.
            A: F + λ I of the batch of g, for rescaling.
            previous: the last step that was taken (p,), or None.

        Raises:
            ValueError: v or g is not finite, or the model has no minimum.
        """
        if not all_finite(v):
            raise ValueError("the preconditioned gradient has an entry that is NaN or infinite")
        if self.rescale:
            v = -rescale_step(A, 0, gradient, -v, previous if self.momentum else None).step
        return v if self.clip is None else kl_clip(v, gradient, lr, self.clip) * v
