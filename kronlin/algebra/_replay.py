"""replay: the application of an operator as a CUDA graph."""

from collections.abc import Callable
from typing import Any

from kronlin.algebra.operator import Operator
from kronlin.arrays import Array, kind


def replay(A: Any, x: Array) -> Callable[[Array], Array]:
    """Record A @ x on a GPU once, and return the map y ↦ A @ y that the host launches as a whole.

    It pays where an application consists of many short kernels, each of which takes the host longer to start than the
    device to run. The memory of the recorded application is kept as long as the map, and a call copies y and the
    result.

    Args:
        A: an operator on CuPy arrays, whose products read nothing on the host, as those of kronlin's do.
        x: an array (n,) or (n, k) of the kind of A, for its shape; its entries do not matter.

    Raises:
        TypeError: the arrays of A are not CuPy's, which alone can be recorded.
        ValueError: a y of another shape or kind than x is given to the map.

    >>> import numpy as np, kronlin as kl
    >>> A = kl.Kronecker(np.eye(2), np.eye(3))
    >>> kl.replay(A, np.ones(6))
    Traceback (most recent call last):
    TypeError: numpy has no graphs to record an application in: take A @ x itself, or move A to CuPy by A.to("cupy")
    >>> B = A.to("cupy")  # doctest: +SKIP
    >>> apply = kl.replay(B, B.kind.ones(6))  # doctest: +SKIP
    """
    if not isinstance(A, Operator):
        raise TypeError(f"replay takes an operator, not {type(A).__name__}: for example kl.Dense(a)")
    own, shape = kind(x), tuple(x.shape)
    launch = own.library.captured(lambda given: A @ given, x)

    def apply(y: Array) -> Array:
        if tuple(y.shape) != shape or kind(y) != own:
            raise ValueError(
                f"recorded for {shape} of {own}, not for {tuple(y.shape)} of {kind(y)}: call replay again for those"
            )
        return launch(y)

    return apply
