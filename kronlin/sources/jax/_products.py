"""Operations that multiply what they are given by a kernel: matrix products, convolutions and tables."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from kronlin.arrays import Array
from kronlin.sources.jax._axes import Axes
from kronlin.sources.jax._jax import import_jax
from kronlin.sources.jax._program import Equation

SPATIAL = "HWDTUV"
"""Letters for the axes of a convolution's window."""


@dataclass(frozen=True, eq=False)
class Product(ABC):
    """One use of a kernel, z = W a at each position, in one example alone.

    Axes of the kernel are outputs O, inputs I or those of a window. As a matrix [W] it has the outputs as rows, and as
    columns the inputs, then the window, each in the order in which the axes stand.
    """

    place: int
    """Where it is in the program."""
    equation: Equation
    operand: int
    """Which operand is the kernel, 0 or 1; the other is what it acts on."""
    axes: tuple[int, ...]
    """Those of the kernel in the operand, which may be transposed."""

    @property
    @abstractmethod
    def letters(self) -> str:
        """One for each axis of the kernel."""

    @property
    @abstractmethod
    def outputs(self) -> tuple[int, ...]:
        """Where the output axes of the kernel, in their order, are in the result."""

    @property
    def groups(self) -> int:
        """Into how many parts inputs and outputs are parted, each with rows of the matrix for itself."""
        return 1

    @abstractmethod
    def inputs(self, x: Array) -> Array:
        """a, (S, d_in), from the other operand."""

    def output_gradients(self, g: Array) -> Array:
        """(S, d_out) from what has the axes of the result."""
        positions = [axis for axis in range(g.ndim) if axis not in self.outputs]
        d_out = prod(g.shape[axis] for axis in self.outputs)
        return g.transpose(*positions, *self.outputs).reshape(-1, d_out)


class MatrixProduct(Product):
    """A sum over one or more axes: `x @ W`, `W @ x`, `einsum("sd,dhk->shk", x, W)`."""

    @property
    def _contracted(self) -> tuple[Sequence[int], Sequence[int]]:
        """The axes of the kernel and of the other operand that are summed over."""
        pair = self.equation.params["dimension_numbers"][0]
        return pair[self.operand], pair[1 - self.operand]

    @property
    def letters(self) -> str:
        summed = {self.axes[axis] for axis in self._contracted[0]}
        return "".join("I" if axis in summed else "O" for axis in range(len(self.axes)))

    @property
    def outputs(self) -> tuple[int, ...]:
        kernel, other = self._contracted
        free = [axis for place, axis in enumerate(self.axes) if place not in kernel]
        start = (len(self.equation.invars[1 - self.operand].aval.shape) - len(other)) * self.operand
        return tuple(start + free.index(axis) for axis in range(len(self.axes)) if axis in free)

    def inputs(self, x: Array) -> Array:
        kernel, other = self._contracted
        pairs = sorted((self.axes[k], axis) for k, axis in zip(kernel, other, strict=True))
        free = [axis for axis in range(x.ndim) if axis not in other]
        d_in = prod(x.shape[axis] for axis in other)
        return x.transpose(*free, *(axis for _, axis in pairs)).reshape(-1, d_in)


class Convolution(Product):
    """A convolution in any number of dimensions, which is a product with patches: stride, padding, dilation, groups.

    A position is a pixel of the result, row by row, and an entry of a patch has the order (channel, *window).
    """

    @property
    def _window(self) -> tuple[int, ...]:
        """The axes of the window in the operand."""
        return tuple(self.equation.params["dimension_numbers"].rhs_spec[2:])

    @property
    def letters(self) -> str:
        output, inputs = self.equation.params["dimension_numbers"].rhs_spec[:2]
        letters = {self.axes[output]: "O", self.axes[inputs]: "I"}
        letters |= {self.axes[axis]: SPATIAL[j] for j, axis in enumerate(self._window)}
        return "".join(letters[axis] for axis in range(len(self.axes)))

    @property
    def outputs(self) -> tuple[int, ...]:
        return (self.equation.params["dimension_numbers"].out_spec[1],)

    @property
    def groups(self) -> int:
        return int(self.equation.params["feature_group_count"])

    def inputs(self, x: Array) -> Array:
        lax, params = import_jax().lax, self.equation.params
        shape = self.equation.invars[1].aval.shape
        patches = lax.conv_general_dilated_patches(
            x.transpose(*params["dimension_numbers"].lhs_spec),
            tuple(shape[axis] for axis in self._window),
            params["window_strides"],
            params["padding"],
            params["lhs_dilation"],
            params["rhs_dilation"],
            precision=lax.Precision.HIGHEST,  # patches are copies, not to be rounded on the way
        )
        d_in = patches.shape[1]
        return patches.swapaxes(0, 1).reshape(d_in, -1).T

    def output_gradients(self, g: Array) -> Array:
        batch, channels, *pixels = self.equation.params["dimension_numbers"].out_spec
        return g.transpose(batch, *pixels, channels).reshape(-1, g.shape[channels])


class Lookup(Product):
    """Rows of a table, `table[indices]`: a product with one-hot rows, which are made dense as inputs of the layer."""

    @property
    def letters(self) -> str:
        looked_up = self.axes[self.equation.params["dimension_numbers"].start_index_map[0]]
        return "".join("I" if axis == looked_up else "O" for axis in range(len(self.axes)))

    @property
    def outputs(self) -> tuple[int, ...]:
        numbers = self.equation.params["dimension_numbers"]
        kept = [axis for place, axis in enumerate(self.axes) if place not in numbers.start_index_map]
        return tuple(numbers.offset_dims[kept.index(axis)] for axis in sorted(kept))

    def inputs(self, x: Array) -> Array:
        jax, params = import_jax(), self.equation.params
        rows = self.equation.invars[0].aval.shape[params["dimension_numbers"].start_index_map[0]]
        if params["mode"] == jax.lax.GatherScatterMode.CLIP:
            x = x.clip(0, rows - 1)
        return jax.nn.one_hot(x.reshape(-1), rows)  # zeros for an index outside, where nothing is looked up


def product_of(place: int, equation: Equation, operand: int, found: Axes, ndim: int) -> Product | str:
    """The product that an operation makes with a kernel of `ndim` axes, or why it is none."""
    name, params = equation.primitive.name, equation.params
    if name not in ("dot_general", "conv_general_dilated", "gather"):
        return f"goes into {name!r}"
    axes = tuple(axis for axis in found if axis is not None)
    if len(found) != ndim or sorted(axes) != list(range(ndim)):
        return f"is reshaped before {name!r}"
    if name == "dot_general":
        if params["dimension_numbers"][1][0]:
            return "is multiplied entry by entry along an axis of 'dot_general', with no sum"
        return MatrixProduct(place, equation, operand, axes)
    if name == "gather":
        whole_rows = operand == 0 and _takes_rows(equation)
        return Lookup(place, equation, operand, axes) if whole_rows else "goes into a 'gather' of other than whole rows"
    if operand == 0:
        return "is what another array is convolved over"
    if params["batch_group_count"] != 1:
        return "goes into a convolution with groups of examples"
    window = [axes[axis] for axis in params["dimension_numbers"].rhs_spec[2:]]
    if window != sorted(window):
        return "goes into a convolution with the axes of its window exchanged"
    return Convolution(place, equation, operand, axes)


def _takes_rows(equation: Equation) -> bool:
    """Whether a gather has one index for each position, along one axis, and takes all of the others."""
    numbers, sizes = equation.params["dimension_numbers"], equation.params["slice_sizes"]
    axis = tuple(numbers.start_index_map)
    shape = equation.invars[0].aval.shape
    others = all(sizes[place] == length for place, length in enumerate(shape) if place not in axis)
    batched = getattr(numbers, "operand_batching_dims", ())
    return len(axis) == 1 and tuple(numbers.collapsed_slice_dims) == axis and others and not batched
