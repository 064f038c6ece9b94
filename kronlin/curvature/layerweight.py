"""LayerWeight: a layer's kernel and bias, in whatever order of axes, as the one matrix [W | b]."""

from collections.abc import Iterable, Mapping
from math import prod
from typing import NamedTuple, Self

from kronlin.arrays import Array, namespace

Shape = tuple[int, ...]

Order = str | Mapping[str, str]
"""The order of axes, or that of each kernel: "out-in", "in-out", or a letter an axis."""

ORDERS = ("out-in", "in-out")


class LayerWeight(NamedTuple):
    """Where the entries of a layer's arrays stand in [W | b]: the output axes of the kernel are its rows.

    All other axes are the columns: inputs first, then the rest in the order in which they stand. The bias, if any, is
    the last column. Every array may have one axis more, the last, which numbers vectors.

    >>> weight = LayerWeight.of(("conv", "bias"), {"conv": (3, 3, 2, 8), "bias": (8,)}, "in-out")
    >>> weight.axes, weight.matrix_shape
    ((3, 2, 0, 1), (8, 19))
    """

    kernel: str
    bias: str | None
    shape: Shape
    """That of the kernel."""
    axes: Shape
    """The axes of the kernel in the order of [W | b]."""
    outputs: Shape
    """The lengths of the output axes, which are the shape of the bias."""

    @classmethod
    def of(cls, layer: str | tuple[str, str | None], shapes: Mapping[str, Shape], order: Order) -> Self:
        """Read which axes of the kernel are outputs, which the bias must fit."""
        if not isinstance(layer, str) and len(layer) != 2:
            raise ValueError(f"layer {layer!r} is neither the name of a kernel nor a pair of kernel and bias")
        kernel, bias = (layer, None) if isinstance(layer, str) else layer
        for name in (kernel, bias):
            if name is not None and name not in shapes:
                raise ValueError(f"layer {layer!r}: there is no array {name!r}, the names are {listed(shapes)}")
        shape, order = shapes[kernel], _order_of(kernel, order)
        axes, outputs = _axes(kernel, shape, order)
        if bias is not None and shapes[bias] != outputs:
            hint = "check the pair"
            if order in ORDERS:
                other = ORDERS[order == ORDERS[0]]
                if _axes(kernel, shape, other)[1] == shapes[bias]:
                    hint = f"it fits order {other!r}, if that is how the kernel is stored"
            raise ValueError(
                f"bias {bias!r} has shape {shapes[bias]}, but kernel {kernel!r} of shape {shape} has outputs {outputs} "
                f"in order {order!r}: {hint}"
            )
        return cls(kernel, bias, shape, axes, outputs)

    @property
    def names(self) -> tuple[str, ...]:
        """The kernel, and the bias where there is one."""
        return (self.kernel,) if self.bias is None else (self.kernel, self.bias)

    @property
    def fan_in(self) -> int:
        """Columns of W."""
        return prod(self.shape) // prod(self.outputs)

    @property
    def matrix_shape(self) -> tuple[int, int]:
        """The shape (d_out, d_in) of [W | b]."""
        return prod(self.outputs), self.fan_in + (self.bias is not None)

    def vector(self, arrays: Mapping[str, Array]) -> Array:
        """vec([W | b]), of shape (d_out d_in,), or (d_out d_in, k) from arrays with k vectors."""
        kernel = arrays[self.kernel]
        xp, rows, more = namespace(kernel), prod(self.outputs), kernel.shape[len(self.shape) :]
        axes = (*self.axes, len(self.axes)) if more else self.axes
        matrix = xp.reshape(xp.permute_dims(kernel, axes), (rows, self.fan_in, *more))
        if self.bias is not None:
            column = xp.reshape(arrays[self.bias], (rows, 1, *more))
            matrix = xp.concat([matrix, column], axis=1)
        return xp.reshape(matrix, (prod(self.matrix_shape), *more))

    def arrays(self, vector: Array) -> dict[str, Array]:
        """Take the kernel and the bias out of vec([W | b])."""
        xp, more, last = namespace(vector), vector.shape[1:], len(self.axes)
        matrix = xp.reshape(vector, (*self.matrix_shape, *more))
        kernel = xp.reshape(matrix[:, : self.fan_in, ...], (*(self.shape[axis] for axis in self.axes), *more))
        back = sorted(range(last), key=lambda place: self.axes[place])
        kernel = xp.permute_dims(kernel, (*back, last) if more else tuple(back))
        # a flat array in between has the entries in a row in memory, as `view` of Torch needs them
        found = {self.kernel: xp.reshape(xp.reshape(kernel, (prod(kernel.shape),)), kernel.shape)}
        if self.bias is not None:
            found[self.bias] = xp.reshape(matrix[:, self.fan_in, ...], (*self.outputs, *more))
        return found


def listed(names: Iterable[str]) -> str:
    """The names as an error shows them."""
    return ", ".join(map(repr, names))


def _order_of(kernel: str, order: Order) -> str:
    """The order of one kernel's axes."""
    if isinstance(order, str):
        return order
    if kernel not in order:
        raise ValueError(f"order says nothing of kernel {kernel!r}, only of {listed(order)}: give one for each kernel")
    return order[kernel]


def _axes(kernel: str, shape: Shape, order: str) -> tuple[Shape, Shape]:
    """The axes with the outputs first, then inputs, then all others; and the lengths of the outputs."""
    letters = _letters(kernel, shape, order)
    axes = sorted(range(len(shape)), key=lambda axis: {"O": 0, "I": 1}.get(letters[axis], 2))
    return tuple(axes), tuple(shape[axis] for axis in axes if letters[axis] == "O")


def _letters(kernel: str, shape: Shape, order: str) -> str:
    """A letter for each axis: O for outputs, I for inputs, others for what is left of a convolution."""
    if order in ORDERS:
        if len(shape) < 2:
            raise ValueError(
                f"kernel {kernel!r} of shape {shape} has no two axes, so order {order!r} says nothing of it: say "
                "order 'O' (a bias that is a layer of its own) or 'I' (a single output)"
            )
        rest = "." * (len(shape) - 2)
        return f"OI{rest}" if order == "out-in" else f"{rest}IO"
    if len(order) != len(shape) or not order.isalpha() or not order.isupper():
        raise ValueError(
            f"order {order!r} does not fit kernel {kernel!r} of shape {shape}: say 'out-in', 'in-out', or one capital "
            f"letter for each of its {len(shape)} axes, O an output, I an input, such as 'OI', 'OIHW' or 'HWIO'"
        )
    return order
